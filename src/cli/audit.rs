//! `bounceback audit`: who changed which address when, what was given out, and that somebody or something was removed.

use std::io::Write;

use serde::Serialize;

use super::failure::{Failure, Outcome, Result};
use super::setting::Setting;
use crate::desk::{Audit, Audited};
use crate::export::json;
use crate::model::{Timestamp, Verdict};
use crate::stdx::visible;

/// Since when, and how.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "One line per act, oldest first, separated by tabs under a heading: time, by whom, what, case, old address, new address or \
    words. It is made from the journal of decisions, which is only appended; of a person who was forgotten and of what was \
    purged it says that it happened.\n\n\
    Examples:\n  bounceback audit --since 2026-11-01\n  bounceback audit --json | jq 'select(.what == \"corrected\")'"
)]
pub(super) struct Args {
    /// Only what was done since this date, such as 2026-11-01
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// One JSON object per line instead
    #[arg(long)]
    json: bool,
    /// Leave the heading out
    #[arg(long, conflicts_with = "json")]
    no_heading: bool,
}

/// An act as it is printed. Scripts rely on the names.
#[derive(Default, Serialize)]
struct Line {
    at: Timestamp,
    by: String,
    what: String,
    cases: Vec<String>,
    address: Option<String>,
    new_address: Option<String>,
    detail: Option<String>,
    file: Option<String>,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let since = match args.since.as_deref() {
        None => Timestamp(i64::MIN),
        Some(date) => Timestamp::parse(date)
            .ok_or_else(|| Failure::usage(format!("--since \"{date}\" is no date")).hint("--since 2026-11-01"))?,
    };
    let acts = setting.desk_to_read()?.audit(since)?;
    if !args.json && !args.no_heading && !acts.is_empty() {
        writeln!(out, "time\tby\twhat\tcase\told_address\tnew_address_or_words")?;
    }
    for audited in acts {
        let line = line(audited);
        if args.json {
            json::line(&line, out)?;
            continue;
        }
        let or = |text: Option<&str>| visible(text.filter(|text| !text.is_empty()).unwrap_or("-")).into_owned();
        let words = line.new_address.as_deref().or(line.detail.as_deref());
        let file = line.file.as_deref().map(|file| format!(" {}", visible(file))).unwrap_or_default();
        let cases = or(Some(&line.cases.join(" ")));
        writeln!(
            out,
            "{}\t{}\t{}\t{cases}\t{}\t{}{file}",
            line.at,
            or(Some(&line.by)),
            line.what,
            or(line.address.as_deref()),
            or(words)
        )?;
    }
    Ok(Outcome::Done)
}

fn line(audited: Audited) -> Line {
    let mut line = Line { at: audited.at, by: audited.by, ..Line::default() };
    match audited.act {
        Audit::Decided { case, address, verdict } => {
            line.what = verdict.state().slug().to_owned();
            line.cases.push(case.0);
            line.address = address;
            match verdict {
                Verdict::Corrected { to } => line.new_address = Some(to),
                Verdict::Retry { until } => line.detail = Some(format!("after {until}")),
                Verdict::Escalated { whom } => line.detail = whom,
                Verdict::New | Verdict::NotOurFault | Verdict::Spam | Verdict::Done => {}
            }
        }
        Audit::Noted { case } => {
            "note".clone_into(&mut line.what);
            line.cases.push(case.0);
        }
        Audit::Turned { redo, cases } => {
            if redo { "redo" } else { "undo" }.clone_into(&mut line.what);
            line.cases = cases.into_iter().map(|case| case.0).collect();
        }
        Audit::Did { deed, path, detail } => {
            deed.slug().clone_into(&mut line.what);
            line.detail = Some(detail);
            line.file = path.map(|path| path.display().to_string());
        }
    }
    line
}
