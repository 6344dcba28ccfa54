//! `bounceback purge`: removes what is older than it may be kept.

use std::io::Write;

use super::failure::{Failure, Outcome, Result};
use super::setting::{self, Setting, shown};
use crate::config::days_of;
use crate::stdx::counted;

/// What to remove.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A case is as old as its last notice or its last decision, whichever is later. It goes with its notices, \
    decisions and notes, and so do automatic replies and correspondents of that age; the store is rewritten, so that nothing \
    stays in free pages. A later pull does not bring them back. \"audit\" says that it happened. Copies made with \"store \
    backup\", and those beside the store, are named and not touched: keep them no longer than the store.\n\n\
    Examples:\n  bounceback purge --dry-run\n  bounceback purge                         (for cron: as retention in the configuration says)\n  \
    bounceback purge --older-than \"90 days\""
)]
pub(super) struct Args {
    /// Instead of "retention" in the configuration: "90 days", "26 weeks", "6 months", "1 year"
    #[arg(long, value_name = "TIME")]
    older_than: Option<String>,
    /// Cases that nobody has decided as well
    #[arg(long)]
    undecided: bool,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let days = match &args.older_than {
        None => setting.config.retention_days.ok_or_else(|| {
            Failure::usage("how long data is kept is not configured")
                .hint("retention = \"180 days\" in the configuration, or --older-than \"180 days\"")
        })?,
        Some(text) => days_of(text).ok_or_else(|| {
            Failure::usage(format!("--older-than \"{text}\" is no length of time")).hint("--older-than \"90 days\"")
        })?,
    };
    let now = setting::now();
    let overdue = setting.desk_to_read()?.overdue(days, now)?;
    let mut cases = overdue.cases;
    let kept = if args.undecided { Vec::new() } else { overdue.undecided.clone() };
    if args.undecided {
        cases.extend(overdue.undecided);
    }
    if args.dry_run {
        writeln!(out, "would remove {}", counted(cases.len() as u64, "case"))?;
    } else {
        let mut desk = setting.desk_to_write()?;
        let erased = desk.purge(&cases, days, now)?;
        let words = format!("removed {}, {}", counted(erased.cases, "case"), counted(erased.mails, "mail"));
        setting.log.line(&format!("purge: {words}"));
        writeln!(out, "{words}")?;
        if !erased.compacted {
            writeln!(
                out,
                "another bounceback has the store open: what was removed is overwritten, the file keeps its size"
            )?;
        }
        for copy in desk.copies()? {
            writeln!(out, "not touched: the copy {}; delete it when you need it no more", shown(&copy))?;
        }
    }
    if !kept.is_empty() {
        writeln!(
            out,
            "kept: {} as old that nobody has decided; --undecided removes them",
            counted(kept.len() as u64, "case")
        )?;
    }
    Ok(Outcome::Done)
}
