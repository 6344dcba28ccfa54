//! `bounceback demo`: the screen on the mails of `assets/demo`, which are part of the program.
//!
//! They go the way of real mail: diagnosed, stored, shown. Invariant: nothing outlives the run.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::failure::{Failure, Result};
use super::screen::{self, Screen, Show};
use super::setting::{self, Setting};
use crate::config::Config;
use crate::desk::{self, Desk};
use crate::stdx::why;

include!(concat!(env!("OUT_DIR"), "/demo_mails.rs"));

const CONFIG: &str = include_str!("../../assets/demo/demo.toml");

pub(super) fn run(setting: &Setting, show: Show, out: &mut dyn Write) -> Result {
    screen::is_possible()?;
    let place = Temporary::new()?;
    let options = options(place.path())?;
    let filled = fill(&options)?;
    setting.log.line(&format!("demo: {}", super::import::summary(&filled)));
    let screen = Screen { desk: options, title: "demo".to_owned(), ..Screen::looks(setting) };
    screen.show(show, setting, out)
}

/// Diagnoses the mails and stores them.
fn fill(options: &desk::Options) -> Result<desk::Filled> {
    let mails = MAILS.iter().map(|(name, bytes)| (format!("demo/{name}"), bytes.to_vec()));
    Ok(Desk::open(options)?.import_mails(mails, setting::now())?)
}

fn options(state_dir: &Path) -> Result<desk::Options> {
    let config = Config::parse(CONFIG, Path::new("demo.toml"))?;
    Ok(desk::Options {
        state_dir: Some(state_dir.to_owned()),
        identity: config.identity,
        lead: "demo".to_owned(),
        ticket_url: config.ticket_url,
        ..desk::Options::default()
    })
}

/// A folder of this run's own, gone with it.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Result<Self> {
        let started =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |passed| passed.as_nanos());
        let path = std::env::temp_dir().join(format!("bounceback-demo-{}-{started:x}", std::process::id()));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // A folder that is there already is somebody else's.
        builder
            .create(&path)
            .map_err(|error| Failure::new(format!("could not make \"{}\": {}", path.display(), why(&error))))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_diagnosed_stored_and_forgotten() {
        let place = Temporary::new().unwrap();
        let path = place.path().to_owned();
        let options = options(&path).unwrap();
        let filled = fill(&options).unwrap();
        assert!(filled.messages >= 40, "{filled:?}");
        assert_eq!(filled.unreadable, []);
        let cases = Desk::open(&options).unwrap().cases().unwrap();
        assert_eq!(cases.len() as u64, filled.cases);
        assert!(cases.iter().any(|case| &*case.address == "anna.berg@gmial.com"));
        drop(place);
        assert!(!path.exists());
    }
}
