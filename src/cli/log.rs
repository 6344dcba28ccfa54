//! The log file: what was done and what failed, one line each, for whoever looks after a cron job.
//!
//! Invariant: no secret, no text of a mail, and of an address the domain only unless asked for more.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::failure::{Failure, Result};
use super::setting;
use crate::stdx::{find_ignore_case, private_file, visible, why};

/// The log of one run; without a file it takes everything and keeps nothing.
pub(super) struct Log {
    file: Option<Mutex<File>>,
    path: Option<PathBuf>,
    /// Whether addresses stand in it as they are.
    whole: bool,
}

impl Log {
    pub(super) fn open(path: Option<&Path>, whole: bool) -> Result<Self> {
        let Some(path) = path else { return Ok(Self { file: None, path: None, whole }) };
        let file = private_file().append(true).create(true).open(path);
        let file = file
            .map_err(|error| Failure::new(format!("could not open the log \"{}\": {}", path.display(), why(&error))))?;
        Ok(Self { file: Some(Mutex::new(file)), path: Some(path.to_owned()), whole })
    }

    /// Takes the lines away that name an address in full.
    pub(super) fn forget(&self, address: &str) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let failed = |error| Failure::new(format!("could not clean the log \"{}\": {}", path.display(), why(&error)));
        let bytes = std::fs::read(path).map_err(failed)?;
        let names = |line: &&[u8]| find_ignore_case(line, address.trim().as_bytes()).is_none();
        let kept: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').filter(names).collect();
        if kept.concat().len() == bytes.len() {
            return Ok(());
        }
        let Some(mut file) = self.file.as_ref().and_then(|file| file.lock().ok()) else { return Ok(()) };
        // In place: the file is open for appending, here and perhaps in another run.
        std::fs::write(path, kept.concat()).and_then(|()| file.flush()).map_err(failed)
    }

    /// Writes one line. A full disk is no reason to stop working.
    pub(super) fn line(&self, text: &str) {
        let Some(mut file) = self.file.as_ref().and_then(|file| file.lock().ok()) else { return };
        let text = text.replace('\n', " | ");
        let text = visible(&text);
        let line = format!("{} {}\n", setting::now(), if self.whole { text.into_owned() } else { masked(&text) });
        let _ = file.write_all(line.as_bytes());
    }
}

/// Leaves of every address only `*@domain`.
fn masked(text: &str) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some(at) = rest.find('@') {
        let (before, after) = rest.split_at(at);
        let local = |c: char| c.is_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c);
        let kept = before.trim_end_matches(local);
        out.push_str(kept);
        if kept.len() < before.len() {
            out.push('*');
        }
        out.push('@');
        rest = after.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn addresses_lose_their_local_part() {
        for (text, want) in [
            ("case of <anna.berg+x@example.org>: done", "case of <*@example.org>: done"),
            ("a@b.example,ü@c.example", "*@b.example,*@c.example"),
            ("no address", "no address"),
            ("@ alone", "@ alone"),
        ] {
            assert_eq!(masked(text), want);
        }
    }
}
