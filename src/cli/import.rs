//! `bounceback import`: files into the store.

use std::io::Write;
use std::path::PathBuf;

use super::failure::{Failure, Outcome, Result};
use super::progress::Meter;
use super::setting::{self, Setting};
use crate::desk::{Cancel, Desk, Filled, Progress};
use crate::stdx::{counted, why};

/// What to read.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A second time adds nothing: a notice is known by its content, wherever it lies. A table (.csv) of suspended tickets, as Zendesk \
    exports it with cause, subject, from and content, is a second source: what the inbox has as well counts once.\n\n\
    Examples:\n  bounceback import bounces.mbox\n  bounceback import ~/Maildir returned/*.eml\n  bounceback import suspended_tickets.csv"
)]
pub(super) struct Args {
    /// Mails (.eml), mboxes, Maildirs, folders of them, tables of suspended tickets (.csv); "-" is standard input
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    readable(&args.paths)?;
    let mut desk = setting.desk_to_write()?;
    let filled = fill(&mut desk, &args.paths, setting)?;
    writeln!(out, "{}", summary(&filled))?;
    out.flush()?;
    Ok(say_unreadable(&filled, setting))
}

/// Reads the paths into the store, with progress where somebody looks on.
pub(super) fn fill(desk: &mut Desk, paths: &[PathBuf], setting: &Setting) -> Result<Filled> {
    let mut meter = Meter::new();
    let filled = desk.import(paths, setting::now(), &Cancel::new(), &mut |progress| {
        if let Progress::Report { done, total, found } = progress {
            meter.count(done, total, found);
        }
    });
    meter.clear();
    let filled = filled?;
    setting.log.line(&format!("import: {}", summary(&filled)));
    Ok(filled)
}

/// Refuses the whole command when a named path cannot be opened, before anything is stored.
pub(super) fn readable(paths: &[PathBuf]) -> Result<()> {
    for path in paths.iter().filter(|path| path.as_os_str() != "-") {
        let opened = match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => std::fs::read_dir(path).map(drop),
            Ok(_) => std::fs::File::open(path).map(drop),
            Err(why) => Err(why),
        };
        opened.map_err(|error| Failure::new(format!("could not open \"{}\": {}", path.display(), why(&error))))?;
    }
    Ok(())
}

/// What was done, in one line.
pub(super) fn summary(filled: &Filled) -> String {
    let Filled { known, .. } = filled;
    let (mails, notices, cases) =
        (counted(filled.messages, "mail"), counted(filled.notices, "new notice"), counted(filled.cases, "new case"));
    let others = counted(filled.skipped, "other mail");
    let stopped = if filled.cancelled { "; stopped before the end" } else { "" };
    format!("{mails} read: {notices}, {known} known, {others}; {cases}{stopped}")
}

/// What the numbers count, for somebody who sees them for the first time.
pub(super) const COUNTS: &str = "A candidate looks like a bounce by its header. A notice is one that was read and tells what \
    became of another mail. Each recipient it names as failed, delayed or complaining is a case: one row on the screen. \
    Automatic replies and receipts are notices without a case.";

/// Names what could not be read.
pub(super) fn say_unreadable(filled: &Filled, setting: &Setting) -> Outcome {
    for (what, why) in &filled.unreadable {
        let failure = Failure::new(format!("could not read \"{what}\": {why}"));
        setting.log.line(&failure.words());
        super::complain(&failure);
    }
    if filled.unreadable.is_empty() { Outcome::Done } else { Outcome::Partly }
}
