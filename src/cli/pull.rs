//! `bounceback pull`: what is new in the configured inboxes, into the store.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::failure::{Failure, Outcome, Result};
use super::progress::Meter;
use super::setting::{Setting, needs_network};
use super::sign_in::SignIns;
use super::text::{columns, fitted, paragraph};
use super::{import, setting};
use crate::desk::{Cancel, Desk, PullProgress, Pulled, Turn, Unread};
use crate::export::json;
use crate::model::Timestamp;
use crate::source::imap::Options;
use crate::stdx::visible;

/// Between two lines of progress for a script.
const REPORT: Duration = Duration::from_millis(500);

/// How much to fetch.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The mailbox stays as it is: nothing is marked read, moved or deleted. What was fetched is kept \
    even when the line breaks; the next pull goes on from there.\n\n\
    With --json every line is an object whose \"event\" is folder, progress, waiting, reconnecting, unreadable, skipped, \
    done or failed.\n\n\
    Examples:\n  bounceback pull\n  bounceback pull --account support --since 2026-11-01\n  \
    bounceback pull --json | jq -r 'select(.event == \"done\").new_cases'"
)]
pub(super) struct Args {
    /// Leave out what arrived before this date, such as 2026-11-01
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Look at the newest so many mails of each folder only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    last: Option<u32>,
    /// One JSON object per line instead: progress while it goes on, the outcome at the end
    #[arg(long)]
    json: bool,
}

/// A line of `pull --json`. Scripts rely on the names: fields and events may be added, never renamed.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Line<'a> {
    /// A folder was opened.
    Folder { account: &'a str, folder: &'a str, messages: u32 },
    /// How far it is.
    Progress {
        account: &'a str,
        folder: &'a str,
        scanned: u64,
        total: u64,
        candidates: u64,
        new_notices: u64,
        bytes: u64,
        seconds: f64,
    },
    /// The server asked to wait.
    Waiting { account: &'a str, seconds: u64, why: &'a str },
    /// The connection is made anew.
    Reconnecting { account: &'a str, why: &'a str },
    /// A message that could not be read; it stands in the queue.
    Unreadable { account: &'a str, source: &'a str, why: &'a str },
    /// A folder that could not be read.
    Skipped { account: &'a str, folder: &'a str, why: &'a str },
    /// An account is through.
    Done {
        account: &'a str,
        messages: u64,
        new_notices: u64,
        known_notices: u64,
        other_mails: u64,
        new_cases: u64,
        gone: u64,
        bytes: u64,
        seconds: f64,
    },
    /// An account could not be pulled.
    Failed { account: &'a str, error: &'a str, hint: Option<&'a str> },
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
            .hint("\"bounceback setup support@company.example\" describes one"));
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
    let first = desk.counts()?.by_kind.is_empty();
    let (mut failed, mut outcome) = (0, Outcome::Done);
    for name in &names {
        let options = sign_ins.options(name).map(|options| Options { since, last: args.last, ..options });
        let mut teller = Teller::new(name, args.json.then_some(&mut *out));
        match options.and_then(|options| teller.pull(&mut desk, &options)) {
            Ok(pulled) => {
                let words = format!("{name}: {}", import::summary(&pulled.filled));
                setting.log.line(&format!("pull: {words}; {} bytes", pulled.bytes));
                if !args.json {
                    let words = format!("{}\n", visible(&words));
                    out.write_all(fitted(&words, columns(std::io::stdout())).as_bytes())?;
                    out.flush()?;
                }
                if say_missing(name, &pulled, setting) == Outcome::Partly {
                    outcome = Outcome::Partly;
                }
            }
            Err(failure) => {
                teller.line(&Line::Failed { account: name, error: failure.what(), hint: failure.first_hint() });
                if names.len() == 1 {
                    return Err(failure);
                }
                failed += 1;
                setting.log.line(&format!("pull: {name}: {}", failure.words()));
                super::complain(&failure);
            }
        }
    }
    if first && !args.json && std::io::stdout().is_terminal() && !desk.counts()?.by_kind.is_empty() {
        paragraph(out, import::COUNTS)?;
        writeln!(out, "Next: bounceback")?;
    }
    match failed {
        0 => Ok(outcome),
        all if all == names.len() => Err(Failure::new("none of the accounts could be pulled")),
        _ => Ok(Outcome::Partly),
    }
}

/// Names what could not be fetched.
fn say_missing(account: &str, pulled: &Pulled, setting: &Setting) -> Outcome {
    for Unread { folder, why, hint } in &pulled.folders {
        let failure = Failure::new(format!("could not read folder \"{folder}\" of \"{account}\": {why}"));
        let failure = failure.hint(hint.as_deref());
        setting.log.line(&failure.words());
        super::complain(&failure);
    }
    let read = import::say_unreadable(&pulled.filled, setting);
    if pulled.folders.is_empty() && !pulled.filled.cancelled { read } else { Outcome::Partly }
}

/// Tells how a pull goes on: lines for a script, else a line on the terminal that is written over.
struct Teller<'a> {
    account: &'a str,
    lines: Option<&'a mut dyn Write>,
    meter: Meter,
    began: Instant,
    /// When progress was told last, and how many notices were found by then.
    last: Option<(Instant, u64)>,
}

impl<'a> Teller<'a> {
    fn new(account: &'a str, lines: Option<&'a mut dyn Write>) -> Self {
        Self { account, lines, meter: Meter::new(), began: Instant::now(), last: None }
    }

    /// A reader that is gone does not end the pull: what it fetches is kept.
    fn line(&mut self, line: &Line<'_>) {
        if let Some(out) = &mut self.lines {
            let _ = json::line(line, *out).and_then(|()| out.flush());
        }
    }

    fn pull(&mut self, desk: &mut Desk, options: &Options) -> Result<Pulled> {
        let pulled = desk.pull(options, setting::now(), &Cancel::new(), &mut |progress| self.tell(progress));
        self.meter.clear();
        let pulled = pulled?;
        let account = self.account;
        for Unread { folder, why, .. } in &pulled.folders {
            self.line(&Line::Skipped { account, folder, why });
        }
        for (source, why) in &pulled.filled.unreadable {
            self.line(&Line::Unreadable { account, source, why });
        }
        let filled = &pulled.filled;
        self.line(&Line::Done {
            account,
            messages: filled.messages,
            new_notices: filled.notices,
            known_notices: filled.known,
            other_mails: filled.skipped,
            new_cases: filled.cases,
            gone: pulled.gone,
            bytes: pulled.bytes,
            seconds: self.began.elapsed().as_secs_f64(),
        });
        Ok(pulled)
    }

    fn tell(&mut self, progress: PullProgress) {
        let account = self.account;
        match progress {
            PullProgress::Folder { name, exists } => {
                self.line(&Line::Folder { account, folder: &name, messages: exists });
                self.meter.say(&format!("{name}: {exists} mails"), true);
            }
            PullProgress::Report { folder, scanned, total, candidates, found, bytes } => {
                // The first rows are told at once; after that twice a second is enough.
                let due = self.last.is_none_or(|(at, before)| at.elapsed() >= REPORT || before == 0 && found > 0);
                if due {
                    self.last = Some((Instant::now(), found));
                    let seconds = self.began.elapsed().as_secs_f64();
                    let (folder, new_notices) = (folder.as_str(), found);
                    self.line(&Line::Progress {
                        account,
                        folder,
                        scanned,
                        total,
                        candidates,
                        new_notices,
                        bytes,
                        seconds,
                    });
                }
                self.meter.count(scanned, Some(total), found);
            }
            PullProgress::Waiting { seconds: Some(seconds), why } => {
                self.line(&Line::Waiting { account, seconds, why: &why });
                self.meter.say(&format!("waiting {seconds} s: {why}"), true);
            }
            PullProgress::Waiting { seconds: None, why } => {
                self.line(&Line::Reconnecting { account, why: &why });
                self.meter.say(&format!("connecting again: {why}"), true);
            }
        }
    }
}
