//! `bounceback status`: how much waits, for cron and status bars. Looks at the store only.

use std::io::Write;

use serde::Serialize;

use super::failure::{Outcome, Result};
use super::setting::{self, Setting};
use crate::export::json;
use crate::model::{Case, State, Timestamp};

/// How it is printed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 nothing waits, 10 something waits, 1 to 3 as always.\n\n\
    Examples:\n  bounceback pull > /dev/null; bounceback status || mail -s bounces team@company.example < /dev/null\n  \
    bounceback status --json | jq .undecided")]
pub(super) struct Args {
    /// One JSON object instead
    #[arg(long)]
    json: bool,
}

/// What waits, counted in cases. Scripts rely on the names: fields may be added, never renamed.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Waiting {
    /// Never decided.
    new: u64,
    /// Everything that wants a decision: new, due, or bounced again.
    undecided: u64,
    /// Retries whose date has come.
    due: u64,
    /// Decided before, and the same recipient bounced again.
    again: u64,
    /// Every case of the queue, decided ones included.
    cases: u64,
    /// Arrival of the oldest that is undecided.
    oldest: Option<Timestamp>,
}

impl Waiting {
    fn of(cases: &[Case], now: Timestamp) -> Self {
        let mut waiting = Self::default();
        for case in cases.iter().filter(|case| case.is_queued(now)) {
            waiting.cases += 1;
            if case.is_undecided(now) {
                waiting.undecided += 1;
                waiting.new += u64::from(case.state == State::New && !case.again);
                waiting.due += u64::from(case.state == State::Retry && case.due.is_some_and(|due| due <= now));
                waiting.again += u64::from(case.again);
                waiting.oldest = waiting.oldest.into_iter().chain([case.last_received]).min();
            }
        }
        waiting
    }
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let desk = setting.desk_to_read()?;
    let waiting = Waiting::of(&desk.cases()?, setting::now());
    if args.json {
        json::line(&waiting, out)?;
    } else {
        let Waiting { new, undecided, due, again, cases, .. } = waiting;
        writeln!(out, "{undecided} of {cases} undecided: {new} new, {due} due, {again} bounced again")?;
        if desk.counts()?.by_kind.is_empty() {
            writeln!(out, "nothing was fetched yet: bounceback pull, or bounceback import FILE")?;
        }
    }
    Ok(if waiting.undecided == 0 { Outcome::Done } else { Outcome::Waiting })
}
