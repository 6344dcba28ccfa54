//! `bounceback export`: corrections for a spreadsheet or an import, cases for scripts.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::failure::{Failure, Outcome, Result};
use super::list::StateName;
use super::setting::{self, Setting, shown};
use crate::desk::{Order, Since, Written};
use crate::export::desks::ZENDESK_ROWS;
use crate::export::{Cells, Format};
use crate::model::Timestamp;
use crate::stdx::counted;

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
    let cells = if args.raw { Cells::Raw } else { Cells::Spreadsheet };
    let states = args.state.iter().map(|state| state.0).collect();
    let order = Order { format, since: since(args)?, states, cells };
    let Some(path) = &args.output else {
        let count = setting.desk_to_read()?.export(&order, now, out)??;
        setting.log.line(&format!("export: {} to standard output", counted(count, format.noun())));
        return Ok(Outcome::Done);
    };
    let count = match setting.desk_to_write()?.export_to(&order, path, args.force, now)? {
        Written::Rows(count) => count,
        Written::Not(error) => return Err(error.into()),
    };
    setting.log.line(&format!("export: {} to {}", counted(count, format.noun()), shown(path)));
    writeln!(out, "{} written to {}", counted(count, format.noun()), shown(path))?;
    let desk = match format {
        Format::Zendesk => "Zendesk",
        Format::Freshdesk => "Freshdesk",
        _ => return Ok(Outcome::Done),
    };
    writeln!(out, "{desk} finds people by address: the import adds each under the new one; merge the two there")?;
    if format == Format::Zendesk && count > ZENDESK_ROWS {
        writeln!(out, "its bulk import takes {ZENDESK_ROWS} rows at a time: split the file")?;
    }
    Ok(Outcome::Done)
}

/// What `--since` means; `last` is the last export of this form to a file.
fn since(args: &Args) -> Result<Since> {
    match args.since.as_deref() {
        None => Ok(Since::Ever),
        Some("last") => Ok(Since::Last),
        Some(date) => {
            let wrong =
                || Failure::usage(format!("--since \"{date}\" is no date")).hint("--since 2026-11-01, or --since last");
            Ok(Since::Time(Timestamp::parse(date).ok_or_else(wrong)?))
        }
    }
}
