//! `bounceback open`: files into the store, then the screen on what they hold.

use std::io::Write;
use std::path::PathBuf;

use super::failure::Result;
use super::import;
use super::screen::{self, Screen, Show};
use super::setting::{self, Setting};
use crate::desk::{Cancel, Desk};
use crate::model::CaseId;

/// What to open.
#[derive(Debug, clap::Args)]
#[command(after_help = "Decisions are kept like all others; the mails are copied into the store.\n\n\
    Example:\n  bounceback open returned.eml")]
pub(super) struct Args {
    /// Mails (.eml), mboxes, Maildirs, folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, setting: &Setting, show: Show, out: &mut dyn Write) -> Result {
    screen::is_possible()?;
    import::readable(&args.paths)?;
    let mut desk = setting.desk_to_write()?;
    let filled = import::fill(&mut desk, &args.paths, setting)?;
    drop(desk);
    let outcome = import::say_unreadable(&filled, setting);
    let screen =
        Screen { only: Some(cases_of(&args.paths, setting)?), title: names(&args.paths), ..Screen::of(setting)? };
    screen.show(show, setting, out)?;
    Ok(outcome)
}

/// The cases these mails belong to, those that were known before included: names of cases come from the mails alone, so
/// a desk without a store finds the same ones.
fn cases_of(paths: &[PathBuf], setting: &Setting) -> Result<Vec<CaseId>> {
    let mut aside = Desk::open(&setting.storeless_options())?;
    aside.import(paths, setting::now(), &Cancel::new(), &mut |_| {})?;
    Ok(aside.cases()?.into_iter().map(|case| case.id).collect())
}

fn names(paths: &[PathBuf]) -> String {
    match paths {
        [path] => setting::shown(path),
        [path, rest @ ..] => format!("{} and {} more", setting::shown(path), rest.len()),
        [] => String::new(),
    }
}
