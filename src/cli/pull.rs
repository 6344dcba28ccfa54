//! `bounceback pull`: what is new in the configured inboxes, into the store.

use std::io::Write;

use super::failure::{Failure, Outcome, Result};
use super::progress::Meter;
use super::setting::{Setting, needs_network};
use super::sign_in::SignIns;
use super::{import, setting};
use crate::desk::{Cancel, Desk, PullProgress, Pulled, Turn};
use crate::model::Timestamp;
use crate::stdx::visible;

/// How much to fetch.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The mailbox stays as it is: nothing is marked read, moved or deleted. What was fetched is kept \
    even when the line breaks; the next pull goes on from there.\n\n\
    Examples:\n  bounceback pull\n  bounceback pull --account support --since 2026-11-01"
)]
pub(super) struct Args {
    /// Leave out what arrived before this date, such as 2026-11-01
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Look at the newest so many mails of each folder only
    #[arg(long, value_name = "N")]
    last: Option<u32>,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    needs_network(setting.offline, "pull")?;
    let since = match args.since.as_deref() {
        None => None,
        Some(date) => {
            let wrong = || Failure::usage(format!("--since \"{date}\" is no date")).hint("--since 2026-11-01");
            Some(Timestamp::parse(date).ok_or_else(wrong)?)
        }
    };
    let accounts = setting.accounts()?;
    if accounts.is_empty() {
        return Err(Failure::new("no account is configured, so there is nothing to pull from")
            .hint("\"bounceback config example\" shows how to describe one, \"bounceback config path\" where"));
    }
    let sign_ins = SignIns::ask(&accounts)?;
    let names = sign_ins.names();
    if names.is_empty() {
        return Err(Failure::new("no password was given"));
    }
    let mut desk = setting.desk_to_write()?;
    let turn = Turn::default();
    turn.take(Some(setting.paths.state_dir()?), &Cancel::new(), &mut || {
        super::remark("another bounceback is fetching; waiting for it");
    })?;
    let (mut failed, mut outcome) = (0, Outcome::Done);
    for name in &names {
        match pull_one(&mut desk, &sign_ins, name, (since, args.last)) {
            Ok(pulled) => {
                let words = format!("{name}: {}", import::summary(&pulled.filled));
                setting.log.line(&format!("pull: {words}; {} bytes", pulled.bytes));
                writeln!(out, "{}", visible(&words))?;
                out.flush()?;
                if say_missing(name, &pulled, setting) == Outcome::Partly {
                    outcome = Outcome::Partly;
                }
            }
            Err(failure) if names.len() == 1 => return Err(failure),
            Err(failure) => {
                failed += 1;
                setting.log.line(&format!("pull: {name}: {}", failure.words()));
                super::complain(&failure);
            }
        }
    }
    match failed {
        0 => Ok(outcome),
        all if all == names.len() => Err(Failure::new("none of the accounts could be pulled")),
        _ => Ok(Outcome::Partly),
    }
}

/// Names what could not be fetched.
fn say_missing(account: &str, pulled: &Pulled, setting: &Setting) -> Outcome {
    for (folder, why) in &pulled.folders {
        let failure = Failure::new(format!("could not read folder \"{folder}\" of \"{account}\": {why}"));
        setting.log.line(&failure.words());
        super::complain(&failure);
    }
    let read = import::say_unreadable(&pulled.filled, setting);
    if pulled.folders.is_empty() && !pulled.filled.cancelled { read } else { Outcome::Partly }
}

fn pull_one(
    desk: &mut Desk,
    sign_ins: &SignIns,
    name: &str,
    (since, last): (Option<Timestamp>, Option<u32>),
) -> Result<Pulled> {
    let mut options = sign_ins.options(name)?;
    options.since = since;
    options.last = last;
    let mut meter = Meter::new();
    let pulled = desk.pull(&options, setting::now(), &Cancel::new(), &mut |progress| match progress {
        PullProgress::Folder { name, exists } => meter.say(&format!("{name}: {exists} mails"), true),
        PullProgress::Report { scanned, total, found, .. } => meter.count(scanned, Some(total), found),
        PullProgress::Waiting { seconds: Some(seconds), why } => {
            meter.say(&format!("waiting {seconds} s: {why}"), true)
        }
        PullProgress::Waiting { seconds: None, why } => meter.say(&format!("connecting again: {why}"), true),
    });
    meter.clear();
    Ok(pulled?)
}
