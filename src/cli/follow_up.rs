//! `bounceback follow-up`: what became of corrections, and which retries are due.

use std::io::Write;

use serde::Serialize;

use super::failure::{Outcome, Result};
use super::setting::{self, Setting};
use crate::export::json;
use crate::model::{State, Timestamp};
use crate::report::{Fate, follow};
use crate::stdx::visible;

/// How to show it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "proven: no bounce was seen for some days after the correction (proven_after in the configuration, else 7); \
    some servers send none. failed: the new address bounced, or the old one was written to again. open: cannot be told before \
    the date. due, later: a retry, by its date.\n\nColumns, separated by tabs: outcome, case, old address, new address, \
    decided at, date, case of the new bounce; \"-\" where nothing is known.\n\n\
    Examples:\n  bounceback follow-up\n  bounceback follow-up --json | jq -r 'select(.outcome == \"failed\").corrected_to'"
)]
pub(super) struct Args {
    /// One JSON object per line instead
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line {
    outcome: &'static str,
    case: String,
    address: String,
    corrected_to: Option<String>,
    decided_at: Option<Timestamp>,
    date: Option<Timestamp>,
    failed_in: Option<String>,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let now = setting::now();
    let cases = setting.desk_to_read()?.cases()?;
    let corrections = follow(&cases, now, setting.config.proven_after()).into_iter().map(|one| Line {
        outcome: one.fate.slug(),
        case: one.case.0,
        address: one.address,
        corrected_to: Some(one.corrected_to),
        decided_at: Some(one.decided_at),
        date: if let Fate::Open { until } = one.fate { Some(until) } else { None },
        failed_in: one.failed_in.map(|case| case.0),
    });
    let mut retries: Vec<_> = cases.iter().filter(|case| case.state == State::Retry).collect();
    retries.sort_by_key(|case| case.due);
    let retries = retries.into_iter().map(|case| Line {
        outcome: if case.due.is_none_or(|due| due <= now) { "due" } else { "later" },
        case: case.id.0.clone(),
        address: case.sent_to().to_owned(),
        corrected_to: None,
        decided_at: case.decided_at,
        date: case.due,
        failed_in: None,
    });
    for line in corrections.chain(retries) {
        if args.json {
            json::line(&line, out)?;
            continue;
        }
        let or = |text: Option<String>| text.map_or_else(|| "-".to_owned(), |text| visible(&text).into_owned());
        let time = |at: Option<Timestamp>| or(at.map(|at| at.to_string()));
        writeln!(
            out,
            "{}\t{}\t{}\t{}\t{}\t{}\t{}",
            line.outcome,
            line.case,
            visible(&line.address),
            or(line.corrected_to),
            time(line.decided_at),
            time(line.date),
            or(line.failed_in)
        )?;
    }
    Ok(Outcome::Done)
}
