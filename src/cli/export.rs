//! `bounceback export`: corrections for a spreadsheet or an import, cases for scripts.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;

use super::failure::{Failure, Outcome, Result};
use super::import::counted;
use super::list::StateName;
use super::setting::{self, Setting, shown};
use crate::export::csv::corrections;
use crate::export::{Cells, json, to_file};
use crate::model::{State, Timestamp};

/// What to give out, and where.
#[derive(Debug, clap::Args)]
#[command(after_help = "The columns of csv are old_address, new_address, person, ticket, cause, status, decided_at, \
    decided_by and note; jsonl holds what \"show --json\" prints.\n\nCells that a spreadsheet would run as a formula get a leading apostrophe; --raw leaves them as they are, for \
    programs. A file is written whole or not at all, readable by you only.\n\n\
    Examples:\n  bounceback export --output corrections.csv\n  bounceback export --since 2026-11-01 --raw | import-tool\n  \
    bounceback export --format jsonl --state escalated")]
pub(super) struct Args {
    /// What it looks like
    #[arg(long, value_enum, default_value_t = FormatName::Csv)]
    format: FormatName,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(long, requires = "output")]
    force: bool,
    /// For programs: leave cells as they are
    #[arg(long)]
    raw: bool,
    /// Only what was decided since this date, such as 2026-11-01
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Only cases in this state (jsonl); may be given several times
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    state: Vec<StateName>,
}

/// A format as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// Corrected addresses, comma-separated
    Csv,
    /// Whole cases, one JSON object per line
    Jsonl,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let since = match args.since.as_deref() {
        None => None,
        Some(date) => {
            let wrong = || Failure::usage(format!("--since \"{date}\" is no date")).hint("--since 2026-11-01");
            Some(Timestamp::parse(date).ok_or_else(wrong)?)
        }
    };
    match args.format {
        FormatName::Csv => {
            if args.state.iter().any(|name| name.0 != State::Corrected) {
                return Err(Failure::usage("--format csv holds corrected addresses only").hint("--format jsonl takes --state"));
            }
            let rows = setting.desk_to_read()?.corrections(since)?;
            let cells = if args.raw { Cells::Raw } else { Cells::Spreadsheet };
            give(args, setting, "correction", out, |out| corrections(&rows, cells, out))
        }
        FormatName::Jsonl => {
            let desk = setting.desk_to_read()?;
            let mut cases = desk.cases()?;
            cases.retain(|case| args.state.is_empty() || args.state.contains(&StateName(case.state)));
            cases.retain(|case| since.is_none_or(|since| case.decided_at.is_some_and(|at| at >= since)));
            let now = setting::now();
            give(args, setting, "case", out, |out| {
                for case in &cases {
                    let record = desk.record(case, now).map_err(io::Error::other)?;
                    json::line(&record, out)?;
                }
                Ok(u64::try_from(cases.len()).unwrap_or(u64::MAX))
            })
        }
    }
}

/// Writes to the file or to standard output.
fn give(
    args: &Args,
    setting: &Setting,
    what: &str,
    out: &mut dyn Write,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<u64>,
) -> Result {
    match &args.output {
        None => {
            let count = fill(out)?;
            setting.log.line(&format!("export: {} to standard output", counted(count, what)));
        }
        Some(path) => {
            let count = to_file(path, args.force, fill)?;
            setting.log.line(&format!("export: {} to {}", counted(count, what), shown(path)));
            writeln!(out, "{} written to {}", counted(count, what), shown(path))?;
        }
    }
    Ok(Outcome::Done)
}
