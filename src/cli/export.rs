//! `bounceback export`: corrections for a spreadsheet or an import, cases for scripts.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::failure::{Failure, Outcome, Result};
use super::import::counted;
use super::list::StateName;
use super::setting::{self, Setting, shown};
use crate::desk::Desk;
use crate::export::desks::ZENDESK_ROWS;
use crate::export::{Cells, Format, json, to_file, write};
use crate::model::{Case, CaseId, Timestamp};

/// What to give out, and where.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Cells that a spreadsheet would run as a formula get a leading apostrophe; --raw leaves them as they \
    are, for programs. In the tables for help desks addresses are always raw. A file is written whole or not at all, \
    readable by you only. \"--since last\" means since the last export of the same format to a file.\n\n\
    Examples:\n  bounceback export --output corrections.csv\n  bounceback export --format zendesk --since last --output new.csv\n  \
    bounceback export --since 2026-11-01 --raw | import-tool\n  bounceback export --format jsonl --state escalated"
)]
pub(super) struct Args {
    /// What it looks like
    #[arg(long, value_enum, default_value_t = FormatName(Format::Csv))]
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
    /// Only what was decided since this date, such as 2026-11-01, or since the "last" export
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Only cases in this state; may be given several times
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    state: Vec<StateName>,
}

/// A format as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FormatName(Format);

impl ValueEnum for FormatName {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: &[FormatName] = &{
            let mut all = [FormatName(Format::Csv); Format::ALL.len()];
            let mut at = 0;
            while at < all.len() {
                all[at] = FormatName(Format::ALL[at]);
                at += 1;
            }
            all
        };
        ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.slug()).help(self.0.words()))
    }
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let format = args.format.0;
    let now = setting::now();
    let desk = setting.desk_to_read()?;
    let since = since(args, &desk)?;
    let mut cases = desk.cases()?;
    cases.retain(|case| format.wants(case, now));
    cases.retain(|case| args.state.is_empty() || args.state.contains(&StateName(case.state)));
    cases.retain(|case| since.as_ref().is_none_or(|since| since.holds(case)));
    let newest = Since::newest(&cases);
    let cells = if args.raw { Cells::Raw } else { Cells::Spreadsheet };
    give(args, setting, newest.as_ref(), out, |out| {
        if format == Format::Jsonl {
            // One after the other: whole cases are large.
            for case in &cases {
                json::line(&desk.record(case, now).map_err(io::Error::other)?, out)?;
            }
            return Ok(u64::try_from(cases.len()).unwrap_or(u64::MAX));
        }
        write(format, &desk.records(&cases, now).map_err(io::Error::other)?, cells, out)
    })
}

/// A point among the decisions: a time, and the cases of that very second that lie before it.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Since {
    at: Timestamp,
    #[serde(default)]
    done: Vec<CaseId>,
}

impl Since {
    /// The point behind the newest decision of these cases.
    fn newest(cases: &[Case]) -> Option<Self> {
        let at = cases.iter().filter_map(|case| case.decided_at).max()?;
        let done = cases.iter().filter(|case| case.decided_at == Some(at)).map(|case| case.id.clone()).collect();
        Some(Self { at, done })
    }

    /// Whether a case was decided behind this point.
    fn holds(&self, case: &Case) -> bool {
        case.decided_at.is_some_and(|at| at > self.at || (at == self.at && !self.done.contains(&case.id)))
    }
}

/// What `--since` means; `last` is the last export of this form to a file.
fn since(args: &Args, desk: &Desk) -> Result<Option<Since>> {
    match args.since.as_deref() {
        None => Ok(None),
        Some("last") => Ok(desk.kept(&mark(args.format.0))?.and_then(|point| serde_json::from_str(&point).ok())),
        Some(date) => {
            let wrong =
                || Failure::usage(format!("--since \"{date}\" is no date")).hint("--since 2026-11-01, or --since last");
            Ok(Some(Since { at: Timestamp::parse(date).ok_or_else(wrong)?, done: Vec::new() }))
        }
    }
}

/// Under what name the store remembers when this form was exported last.
fn mark(format: Format) -> String {
    format!("export/{}", format.slug())
}

/// Writes to the file or to standard output.
fn give(
    args: &Args,
    setting: &Setting,
    newest: Option<&Since>,
    out: &mut dyn Write,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<u64>,
) -> Result {
    let format = args.format.0;
    let Some(path) = &args.output else {
        let count = fill(out)?;
        setting.log.line(&format!("export: {} to standard output", counted(count, format.noun())));
        return Ok(Outcome::Done);
    };
    let count = to_file(path, args.force, fill)?;
    setting.log.line(&format!("export: {} to {}", counted(count, format.noun()), shown(path)));
    writeln!(out, "{} written to {}", counted(count, format.noun()), shown(path))?;
    if let Some(point) = newest.and_then(|newest| serde_json::to_string(newest).ok()) {
        setting.desk_to_write()?.keep(&mark(format), Some(&point))?;
    }
    if format == Format::Zendesk {
        writeln!(
            out,
            "Zendesk matches people by address: each row adds the person under the new one; merge them there"
        )?;
        if count > ZENDESK_ROWS {
            writeln!(out, "its bulk import takes {ZENDESK_ROWS} rows at a time: split the file")?;
        }
    }
    Ok(Outcome::Done)
}
