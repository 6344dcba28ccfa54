//! `bounceback settle` and `bounceback undo`: everything old in one act, and any act taken back.

use std::io::Write;

use clap::ValueEnum;

use super::failure::{Failure, Outcome, Result};
use super::setting::{self, Setting};
use crate::desk::Desk;
use crate::model::{Act, CaseId, Timestamp, Verdict};
use crate::stdx::{counted, visible};

/// Which cases, and what becomes of them.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "For the first day: an inbox that holds years of bounces nobody will work through. It is one act: \
    \"bounceback undo\", or u on the screen, takes back all of it. A case counts by its newest bounce.\n\n\
    Examples:\n  bounceback settle --before 2026-10-01 --dry-run\n  bounceback settle --before 2026-10-01"
)]
pub(super) struct Args {
    /// Undecided cases whose newest bounce arrived before this date
    #[arg(long, value_name = "DATE")]
    before: String,
    /// What becomes of them
    #[arg(long, value_name = "STATE", value_enum, default_value_t = As::Done)]
    r#as: As,
    /// Say how many they are, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// A note, kept with each of them
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    note: Option<String>,
}

/// States that need no more words.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum As {
    /// Settled
    Done,
    /// Not our fault
    NotOurFault,
    /// Spam or backscatter
    Spam,
    /// Handed to somebody else
    Escalated,
}

impl As {
    fn verdict(self) -> Verdict {
        match self {
            Self::Done => Verdict::Done,
            Self::NotOurFault => Verdict::NotOurFault,
            Self::Spam => Verdict::Spam,
            Self::Escalated => Verdict::Escalated { whom: None },
        }
    }
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let wrong = || Failure::usage(format!("--before \"{}\" is no date", args.before)).hint("--before 2026-10-01");
    let before = Timestamp::parse(&args.before).ok_or_else(wrong)?;
    let (now, verdict) = (setting::now(), args.r#as.verdict());
    let cases = setting.desk_to_read()?.cases()?;
    let old = cases.iter().filter(|case| case.is_undecided(now) && case.last_received < before);
    let ids: Vec<CaseId> = old.map(|case| case.id.clone()).collect();
    let what = format!("{} older than {}", counted(ids.len() as u64, "undecided case"), args.before.trim());
    if ids.is_empty() || args.dry_run {
        writeln!(out, "{what}; nothing was changed")?;
        return Ok(Outcome::Done);
    }
    setting.desk_to_write()?.decide(&ids, &verdict, args.note.as_deref(), now)?;
    setting.log.line(&format!("settle: {what} {}", verdict.state()));
    writeln!(out, "saved: {what}: {}; \"bounceback undo\" takes it back", verdict.state())?;
    Ok(Outcome::Done)
}

/// Nothing to say: it is always the last act.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Undoing appends to the journal; nothing is deleted. Called again it takes back the act before."
)]
pub(super) struct UndoArgs {}

pub(super) fn undo(_: &UndoArgs, setting: &Setting, out: &mut dyn Write) -> Result {
    // Looking first: with nothing to take back no store is made.
    if setting.desk_to_read()?.cases()?.is_empty() {
        return Err(Failure::new("there is nothing to undo"));
    }
    let mut desk = setting.desk_to_write()?;
    let Some(receipt) = desk.undo(setting::now())? else {
        return Err(Failure::new("there is nothing to undo"));
    };
    let what = match &receipt.act {
        Act::Decided(Verdict::Corrected { to }) => format!("decision \"corrected\" to {}", visible(to)),
        Act::Decided(verdict) => format!("decision \"{}\"", verdict.state()),
        Act::Noted(text) => format!("note \"{}\"", visible(text)),
    };
    let cases = counted(receipt.cases.len() as u64, "case");
    setting.log.line(&format!("undo: on {cases}"));
    writeln!(out, "saved: the {what} on {cases} is taken back: {}", named(&desk, &receipt.cases)?)?;
    Ok(Outcome::Done)
}

/// The first few cases, each with its address.
fn named(desk: &Desk, ids: &[CaseId]) -> Result<String> {
    const SHOWN: usize = 3;
    let mut names = Vec::new();
    for id in ids.iter().take(SHOWN) {
        let case = desk.find(&id.0)?;
        names.push(format!("{} {}", case.id, visible(&case.address)));
    }
    let more = ids.len().saturating_sub(SHOWN);
    Ok(if more == 0 { names.join(", ") } else { format!("{} and {more} more", names.join(", ")) })
}
