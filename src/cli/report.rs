//! `bounceback report`: the numbers of a month, for the lead's own report.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;

use super::failure::{Failure, Outcome, Result};
use super::setting::{self, Setting, shown};
use crate::export::{Cells, csv::cell, to_file};
use crate::model::{Timestamp, Zone};
use crate::report::{Period, Report, html, table, text};

/// Of which time, and how.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Counts the cases that arrived: by cause, by domain, by week, by decision, and the median time from the \
    first bounce to the decision. A correction is proven when no new bounce came for some days (proven_after in the \
    configuration, else 7), and failed when the new address bounced; \"follow-up\" lists them. No address stands in a report. \
    The HTML page needs nothing but a browser.\n\n\
    Examples:\n  bounceback report --since 2026-11-01\n  bounceback report --format html --output november.html --since 2026-11-01\n  \
    bounceback report --format markdown | mail -s Bounces lead@company.example"
)]
pub(super) struct Args {
    /// What it looks like
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(long, requires = "output")]
    force: bool,
    /// Only cases that arrived since this date, such as 2026-11-01
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Lines of text
    Text,
    /// Markdown
    Markdown,
    /// Comma-separated numbers
    Csv,
    /// One self-contained page with plots
    Html,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let since = match args.since.as_deref() {
        None => None,
        Some(date) => Some(
            Timestamp::parse(date)
                .ok_or_else(|| Failure::usage(format!("--since \"{date}\" is no date")).hint("--since 2026-11-01"))?,
        ),
    };
    let desk = setting.desk_to_read()?;
    let zone = Zone::of_system();
    let period = Period { since, until: setting::now(), proven_after: setting.config.proven_after() };
    let title = |cause| desk.rules().words(cause).title.clone();
    let report = Report::new(&desk.cases()?, period, &zone, &title);
    let write = |out: &mut dyn Write| match args.format {
        Form::Text => text::plain(&report, &zone, out),
        Form::Markdown => text::markdown(&report, &zone, out),
        Form::Csv => table::write(&report, &|text| cell(text, Cells::Spreadsheet).into_owned(), out),
        Form::Html => out.write_all(html::page(&report, &zone).as_bytes()),
    };
    match &args.output {
        None => write(out)?,
        Some(path) => {
            to_file(path, args.force, write)?;
            writeln!(out, "written to {}", shown(path))?;
        }
    }
    Ok(Outcome::Done)
}
