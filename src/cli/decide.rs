//! `bounceback decide`: one case, in the same journal as on the screen.

use std::io::Write;

use super::failure::{Failure, Outcome, Result};
use super::list::StateName;
use super::setting::{self, Setting};
use crate::desk::Desk;
use crate::model::{Case, State, Timestamp, Verdict};
use crate::stdx::visible;

/// Which case, and what becomes of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  bounceback decide 4f7k corrected --to anna@example.org --note \"by phone\"\n  \
    bounceback decide 4f7k retry --until 2026-12-01\n  bounceback decide 4f7k escalated --incident --note \"ticket 812 at our provider\"\n  bounceback decide 4f7k new        (back into the queue)")]
pub(super) struct Args {
    /// Name of the case, or the first letters of it
    case: String,
    /// What becomes of it
    state: StateName,
    /// The right address, for "corrected"
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    to: Option<String>,
    /// When to try again, for "retry": a date such as 2026-12-01; without it as the cause suggests
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Who has to act, for "escalated"
    #[arg(long, value_name = "NAME")]
    whom: Option<String>,
    /// All undecided cases of the incident: same domain, same cause, within days; one act, one note
    #[arg(long)]
    incident: bool,
    /// A note, kept with the case
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    note: Option<String>,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    fits(args)?;
    let now = setting::now();
    // Looking first: a name that fits nothing must not make a store.
    let case = setting.desk_to_read()?.find(&args.case)?;
    let mut desk = setting.desk_to_write()?;
    let verdict = verdict(args, &case, &desk, now)?;
    let mut cases = vec![case.clone()];
    if args.incident {
        cases = desk.incident(&case)?;
        cases.retain(|other| other.id == case.id || other.is_undecided(now));
    }
    let ids: Vec<_> = cases.iter().map(|case| case.id.clone()).collect();
    desk.decide(&ids, &verdict, args.note.as_deref(), now)?;
    setting.log.line(&format!("decide: {} {}", case.id, verdict.state()));
    let to = match &verdict {
        Verdict::Corrected { to } => format!(" to {}", visible(to)),
        Verdict::Retry { until } => format!(" after {until}"),
        _ => String::new(),
    };
    let more = match ids.len() - 1 {
        0 => String::new(),
        1 => " and 1 more of the incident".to_owned(),
        n => format!(" and {n} more of the incident"),
    };
    writeln!(out, "saved: {} {}{more} {}{to}", case.id, visible(&case.address), verdict.state())?;
    Ok(Outcome::Done)
}

/// Every option belongs to one state.
fn fits(args: &Args) -> Result<()> {
    let state = args.state.0;
    if args.incident && state == State::Corrected {
        return Err(Failure::usage("--incident does not go with \"corrected\": each address has its own correction"));
    }
    let stray = [
        ("--to", &args.to, State::Corrected),
        ("--until", &args.until, State::Retry),
        ("--whom", &args.whom, State::Escalated),
    ]
    .into_iter()
    .find(|(_, value, of)| value.is_some() && state != *of);
    match stray {
        Some((option, _, of)) => Err(Failure::usage(format!("{option} belongs to \"{of}\", not to \"{state}\""))),
        None if state == State::Corrected && args.to.is_none() => {
            Err(Failure::usage("\"corrected\" needs the right address").hint("--to anna@example.org"))
        }
        None => Ok(()),
    }
}

fn verdict(args: &Args, case: &Case, desk: &Desk, now: Timestamp) -> Result<Verdict> {
    Ok(match args.state.0 {
        State::New => Verdict::New,
        State::Corrected => Verdict::Corrected { to: args.to.as_deref().unwrap_or_default().trim().to_owned() },
        State::Retry => Verdict::Retry { until: until(args.until.as_deref(), case, desk, now)? },
        State::NotOurFault => Verdict::NotOurFault,
        State::Spam => Verdict::Spam,
        State::Escalated => Verdict::Escalated { whom: args.whom.clone() },
        State::Done => Verdict::Done,
    })
}

fn until(date: Option<&str>, case: &Case, desk: &Desk, now: Timestamp) -> Result<Timestamp> {
    let Some(date) = date else {
        let days = desk.rules().words(case.cause).retry_days.unwrap_or(2);
        return Ok(now.plus_days(i64::from(days)));
    };
    let until = Timestamp::parse(date)
        .ok_or_else(|| Failure::usage(format!("--until \"{date}\" is no date")).hint("--until 2026-12-01"))?;
    if until <= now {
        return Err(Failure::usage(format!("--until \"{date}\" is past")));
    }
    Ok(until)
}
