//! One signed-in connection and the few commands this program sends.
//!
//! The only place that talks to the `imap` crate after sign-in. The crate sends commands, matches tags and finds the
//! end of an answer; the answers are read by [`super::answer`]. A panic of the crate ends the session, not the program.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::answer::{self, Examined};
use super::connect::{check_greeting, connect, greeting_missed};
use super::guard::{Budget, Control, Guard, Trip, Wire};
use super::job::{Job, SCAN, SLACK};
use super::lexer::restore;
use super::login::{self, Refused};
use super::{Found, Options, utf7};
use crate::source::{Cancel, Error, Kind};

/// Answers to commands that carry no mail.
const SMALL: u64 = 8 << 20;

/// Of the answers to commands behind the first, what may come before the first is done.
const OTHERS: u64 = 16 << 20;

/// An answer that takes so long: nothing more is sent before it is needed.
const SLOW: Duration = Duration::from_secs(3);

/// Texts of a server that asks to slow down.
const THROTTLING: &str = include_str!("../../../assets/throttling.txt");

/// A command that failed.
pub(super) struct Failure {
    pub(super) error: Error,
    /// The session cannot be used any more.
    pub(super) lost: bool,
    /// The connection broke; the same command may well work on another one.
    pub(super) cut: bool,
    /// Other commands were under way: it may be the fault of one of them.
    pub(super) shared: bool,
}

impl Failure {
    fn lost(error: Error) -> Self {
        Self { error, lost: true, cut: false, shared: false }
    }
}

pub(super) struct Session<'a> {
    options: &'a Options,
    inner: ::imap::Session<Guard>,
    control: Control,
    /// The folder that is open, and what the server said when it was opened.
    pub(super) folder: Option<(String, Examined)>,
    pub(super) facts: Facts,
    /// No command is sent before the answer to the earlier one is there.
    pub(super) alone: bool,
    /// The same, because answers take long.
    slow: bool,
    /// Sent and not answered, oldest first, with what came of the answer.
    under_way: VecDeque<(Job, Vec<u8>)>,
}

/// What a connection looked like, for `doctor`.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) address: Option<std::net::SocketAddr>,
    pub(super) certificate: Option<super::Certificate>,
    /// What the server says it can do before anybody signed in.
    pub(super) capabilities: Vec<String>,
}

/// A connection on which nobody has signed in.
pub(super) struct Greeted {
    client: ::imap::Client<Guard>,
    control: Control,
    pub(super) facts: Facts,
}

impl Greeted {
    /// Connects and hears what the server can do, before `until`. Nothing secret is sent.
    pub(super) fn by(options: &Options, cancel: &Cancel, until: Instant) -> Result<Self, Error> {
        let connected = connect(options, cancel)?;
        let mut facts = Facts { address: Some(connected.address), certificate: None, capabilities: Vec::new() };
        if let Wire::Tls(tls) = &connected.wire {
            let der = tls.peer_certificate().ok().flatten().and_then(|certificate| certificate.to_der().ok());
            facts.certificate = der.and_then(|der| super::certificate::read(&der));
        }
        let small = |until| Budget { deadline: until, bytes: SMALL, literal: 64 * 1024 };
        let short = until.min(Instant::now() + options.limits.connect);
        let control = Control::new(small(short), login::secrets(options));
        let mut client = ::imap::Client::new(Guard::new(connected.wire, control.clone(), cancel.clone()));
        let greeting = match connected.greeting {
            // spoken before TLS, so it proves nothing
            Some(_) => None,
            None => {
                let outcome = no_panic(|| client.read_greeting());
                let failed = |error| failure(options, &control, "start a session", error).error;
                let greeting = outcome.map_err(|error| greeting_missed(options, failed(error)))?;
                check_greeting(options, &control.redact(&String::from_utf8_lossy(&greeting)))?;
                Some(greeting)
            }
        };
        let mut capabilities = greeting.as_deref().map(answer::capabilities).unwrap_or_default();
        control.allow(small(until.min(Instant::now() + options.limits.command)));
        if capabilities.is_empty() {
            control.tap();
            let outcome = no_panic(|| client.capabilities().map(|_| ()));
            capabilities = answer::capabilities(&control.take_tap());
            if let Err(error) = outcome {
                let failure = failure(options, &control, "ask what the server can do", error);
                if failure.lost {
                    return Err(failure.error);
                }
            }
        }
        facts.capabilities = capabilities;
        Ok(Self { client, control, facts })
    }
}

impl<'a> Session<'a> {
    /// Connects and signs in, before `until`.
    pub(super) fn open(options: &'a Options, cancel: &Cancel, until: Instant) -> Result<Self, Error> {
        let host = options.host.as_str();
        let Greeted { client, control, facts } = Greeted::by(options, cancel, until)?;
        let outcome = catch_unwind(AssertUnwindSafe(|| login::sign_in(client, options, &facts.capabilities)));
        let inner = match outcome {
            Ok(Ok(session)) => session,
            Ok(Err(Refused::Hopeless(error))) => return Err(error),
            Ok(Err(Refused::No(challenge))) => {
                let said = without_tag(&control.last_line());
                return Err(match throttled(options, &said) {
                    Some(error) => error,
                    None => login::refused(options, &said, challenge.as_deref()),
                });
            }
            Ok(Err(Refused::Broken(error))) => return Err(failure(options, &control, "log in", error).error),
            Err(_) => return Err(Error::garbage(host, "log in", "the IMAP library gave up", &control.last_line())),
        };
        Ok(Self { options, inner, control, folder: None, facts, alone: false, slow: false, under_way: VecDeque::new() })
    }

    /// Bytes received on this connection.
    pub(super) fn received(&self) -> u64 {
        self.control.received()
    }

    /// Runs a command by itself; answers that nobody asked for any more go.
    fn run(&mut self, command: &str, doing: &str, budget: Budget) -> Result<Vec<u8>, Failure> {
        self.settle(budget)?;
        self.one(command, doing, budget)
    }

    /// Hears out what nobody asks for any more.
    fn settle(&mut self, budget: Budget) -> Result<(), Failure> {
        while let Some((job, _)) = self.under_way.pop_front() {
            match self.one(&job.command, job.doing, Budget { bytes: job.bytes + OTHERS, ..budget }) {
                Err(failure) if failure.lost => return Err(failure),
                _ => {}
            }
        }
        Ok(())
    }

    fn one(&mut self, command: &str, doing: &str, budget: Budget) -> Result<Vec<u8>, Failure> {
        self.control.allow(budget);
        match no_panic(|| self.inner.run(command)) {
            Ok((mut data, end)) => {
                data.truncate(end);
                restore(&mut data);
                Ok(data)
            }
            Err(error) => Err(failure(self.options, &self.control, doing, error)),
        }
    }

    fn budget(&self, until: Instant, bytes: u64) -> Budget {
        Budget { deadline: until.min(Instant::now() + self.options.limits.command), bytes, literal: SLACK }
    }

    /// Opens a folder for reading only.
    pub(super) fn examine(&mut self, folder: &str, until: Instant) -> Result<Examined, Failure> {
        self.folder = None;
        let name = self.name(folder)?;
        let budget = self.budget(until, SMALL);
        let outcome = self.run(&format!("EXAMINE {name}"), "open a folder", budget);
        let data = outcome.map_err(|failure| self.about_folder(failure, folder))?;
        let examined = answer::examined(&data);
        self.folder = Some((folder.to_owned(), examined.clone()));
        Ok(examined)
    }

    /// The UIDs at some places of the open folder (sequence numbers).
    pub(super) fn uids_at(&mut self, places: &str, until: Instant) -> Result<Vec<u32>, Failure> {
        let budget = self.budget(until, SMALL);
        let data = self.run(&format!("FETCH {places} (UID)"), "list messages", budget)?;
        let mut uids: Vec<u32> = answer::fetched(&data).iter().filter_map(|message| message.uid).collect();
        uids.sort_unstable();
        uids.dedup();
        Ok(uids)
    }

    /// The answer to the first of these commands. The others are sent right behind it, because they are asked for next:
    /// no round trip is waited for between them. No message may be in two of them, and who asks again names those that
    /// have no answer yet in the same order.
    pub(super) fn fetch(&mut self, jobs: &[&Job], until: Instant) -> Result<Vec<u8>, Failure> {
        if !self.under_way.iter().zip(jobs).all(|((sent, _), job)| sent == *job) {
            // a command is tried again after others were sent behind it
            self.settle(self.budget(until, 0))?;
        }
        let most = if self.alone || self.slow { 1 } else { jobs.len() };
        for &job in jobs.iter().take(most).skip(self.under_way.len()) {
            // the crate itself sends the first
            if !self.under_way.is_empty() {
                self.control.ahead(job.command.clone());
            }
            self.under_way.push_back((job.clone(), Vec::new()));
        }
        let Some((job, mut had)) = self.under_way.pop_front() else { return Ok(Vec::new()) };
        let shared = !self.under_way.is_empty();
        let bytes = job.bytes + self.under_way.iter().map(|(job, _)| job.bytes).sum::<u64>().min(OTHERS);
        let began = Instant::now();
        let data = self.one(&job.command, job.doing, self.budget(until, bytes));
        // on a slow line one answer at a time is enough for its deadline
        self.slow |= began.elapsed() >= SLOW;
        let data = data.map_err(|failure| Failure { shared, ..failure })?;
        // a server may send the data of several commands before it says that the first is done (RFC 3501 section 5.5)
        let other = |uid: Option<u32>| {
            let uid = uid.filter(|&uid| !job.is_about(uid))?;
            self.under_way.iter().position(|(job, _)| job.is_about(uid))
        };
        let whose: Vec<_> = answer::bodies(&data).map(|(line, uid)| (line, other(uid))).collect();
        if had.is_empty() && whose.iter().all(|(_, other)| other.is_none()) {
            return Ok(data);
        }
        for (line, other) in whose {
            let other = other.and_then(|at| self.under_way.get_mut(at));
            other.map_or(&mut had, |(_, had)| had).extend_from_slice(line);
        }
        Ok(had)
    }

    /// What the server can do now that somebody is signed in.
    pub(super) fn capabilities(&mut self) -> Result<Vec<String>, Failure> {
        let budget = self.budget(Instant::now() + self.options.limits.command, SMALL);
        let data = self.run("CAPABILITY", "ask what the server can do", budget)?;
        Ok(answer::capabilities(&data))
    }

    /// The folders, as the server wrote them: the tap has the umlauts that the guard hides from the crate.
    /// After a failure they are those that came before it.
    pub(super) fn list(&mut self, until: Instant) -> (Vec<Found>, Option<Failure>) {
        let budget = self.budget(until, SMALL);
        self.control.tap();
        let outcome = self.run("LIST \"\" \"*\"", "list the folders", budget);
        let data = self.control.take_tap();
        let found = answer::listed(&data).into_iter().map(|(name, selectable, flags)| {
            let (junk, sent) = (flags.contains("\\junk"), flags.contains("\\sent"));
            Found { name: utf7::decode(&name), selectable, junk, sent, messages: None }
        });
        (found.collect(), outcome.err())
    }

    /// UIDVALIDITY, next UID and number of messages of a folder that is not open.
    pub(super) fn status(&mut self, folder: &str, until: Instant) -> Result<(u32, Option<u32>, u32), Failure> {
        let name = self.name(folder)?;
        let budget = self.budget(until, SMALL);
        self.control.tap();
        let outcome = self.run(&format!("STATUS {name} (MESSAGES UIDNEXT UIDVALIDITY)"), "look at a folder", budget);
        let data = self.control.take_tap();
        outcome.map_err(|failure| self.about_folder(failure, folder))?;
        let number = |name| answer::status_number(&data, name);
        Ok((number("UIDVALIDITY").unwrap_or(0), number("UIDNEXT"), number("MESSAGES").unwrap_or(0)))
    }

    /// The flags of some places of the open folder, by UID.
    pub(super) fn flags(&mut self, first: u32, last: u32, until: Instant) -> Result<BTreeMap<u32, String>, Failure> {
        let budget = self.budget(until, SCAN);
        let data = self.run(&format!("FETCH {first}:{last} (UID FLAGS)"), "read flags", budget)?;
        let messages = answer::fetched(&data).into_iter();
        Ok(messages
            .filter_map(|message| Some((message.uid?, String::from_utf8_lossy(message.flags?).into_owned())))
            .collect())
    }

    /// Some bytes of one message.
    pub(super) fn piece(&mut self, uid: u32, from: u64, count: u64, until: Instant) -> Result<Vec<u8>, Failure> {
        let budget = self.budget(until, count + 2 * SLACK);
        self.run(
            &format!("UID FETCH {uid} (UID RFC822.SIZE INTERNALDATE BODY.PEEK[]<{from}.{count}>)"),
            "fetch a message",
            budget,
        )
    }

    /// Waits until the server tells of a change in the open folder, or the time is over; says whether there was one.
    pub(super) fn idle(&mut self, until: Instant) -> Result<bool, Failure> {
        self.control.idle_until(until);
        let budget = Budget { deadline: until, bytes: SMALL, literal: SLACK };
        let outcome = self.run("IDLE", "wait for mail", budget);
        let news = self.control.idle_over();
        outcome.map(|_| news)
    }

    /// A folder's name on the wire.
    fn name(&self, folder: &str) -> Result<String, Failure> {
        let error =
            || Error::bad_setting("the folder", folder, "it contains a line break or another control character");
        let safe = !folder.chars().any(char::is_control);
        let name = if safe { utf7::quote(&utf7::encode(folder)) } else { None };
        name.ok_or_else(|| Failure { error: error(), lost: false, cut: false, shared: false })
    }

    fn about_folder(&self, mut failure: Failure, folder: &str) -> Failure {
        if failure.error.kind == Kind::Protocol && !failure.lost {
            let said = without_tag(&self.control.last_line());
            failure.error = Error::folder(folder, &self.options.host, &said);
        }
        failure
    }

    /// Says goodbye; whether the server answers does not matter.
    pub(super) fn close(mut self) {
        if !self.under_way.is_empty() {
            return;
        }
        let budget = Budget { deadline: Instant::now() + Duration::from_secs(3), bytes: SMALL, literal: SLACK };
        let _ = self.run("LOGOUT", "log out", budget);
    }
}

/// Runs a piece of the crate; a panic counts as an answer nobody can read.
fn no_panic<T>(work: impl FnOnce() -> ::imap::Result<T>) -> Result<T, Option<::imap::Error>> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => outcome.map_err(Some),
        Err(_) => Err(None),
    }
}

/// Puts an error of the crate into words.
fn failure(options: &Options, control: &Control, doing: &str, error: impl Into<Option<::imap::Error>>) -> Failure {
    let host = options.host.as_str();
    match control.trip() {
        Some(Trip::Cancelled) => return Failure::lost(Error::cancelled()),
        Some(Trip::Deadline) => return Failure::lost(Error::silent(host, doing)),
        Some(Trip::Limit(why)) => return Failure::lost(Error::garbage(host, doing, why, "")),
        None => {}
    }
    let last = control.last_line();
    let Some(error) = error.into() else {
        return Failure::lost(Error::garbage(host, doing, "the IMAP library gave up", &last));
    };
    match error {
        ::imap::Error::No(_) | ::imap::Error::Bad(_) => {
            let said = without_tag(&last);
            let error = throttled(options, &said).unwrap_or_else(|| Error::answered(host, doing, &said));
            Failure { error, lost: false, cut: false, shared: false }
        }
        ::imap::Error::ConnectionLost | ::imap::Error::Io(_) => {
            let said =
                last.strip_prefix("* ").filter(|said| said.to_ascii_uppercase().starts_with("BYE")).unwrap_or_default();
            let error = throttled(options, said).unwrap_or_else(|| Error::cut_off(host, doing, said));
            Failure { error, lost: true, cut: true, shared: false }
        }
        // the crate reports what it cannot parse as a BYE without a word
        ::imap::Error::Bye(bye) if bye.information != "no explanation given" => {
            let said = control.redact(&bye.information);
            Failure { error: Error::cut_off(host, doing, &said), lost: true, cut: true, shared: false }
        }
        ::imap::Error::TagMismatch(_) => {
            Failure::lost(Error::garbage(host, doing, "an answer to a command nobody sent", &last))
        }
        _ => Failure::lost(Error::garbage(host, doing, "it is not IMAP as it should be", &control.last_odd_line())),
    }
}

/// The error for a server that asks to slow down, where the text says so.
pub(super) fn throttled(options: &Options, said: &str) -> Option<Error> {
    let lower = said.to_lowercase();
    let hit = THROTTLING.lines().any(|text| !text.is_empty() && lower.contains(text));
    hit.then(|| Error::throttled(&options.host, said, asked_to_wait(&lower).unwrap_or(30)))
}

/// "Suggested Backoff Time: 3000 milliseconds", "try again in 5 minutes", in seconds.
fn asked_to_wait(lower: &str) -> Option<u64> {
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.windows(2).find_map(|pair| {
        let [number, unit] = pair else { return None };
        let number: u64 = number.parse().ok()?;
        match *unit {
            "ms" | "millisecond" | "milliseconds" => Some(number.div_ceil(1000)),
            "s" | "sec" | "second" | "seconds" => Some(number),
            "min" | "minute" | "minutes" => number.checked_mul(60),
            "hour" | "hours" => number.checked_mul(3600),
            _ => None,
        }
    })
}

/// The text of a tagged answer.
fn without_tag(line: &str) -> String {
    let (tag, rest) = line.split_once(' ').unwrap_or(("", line));
    let tagged = tag.strip_prefix('a').is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()));
    if tagged { rest.to_owned() } else { line.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_understood_when_it_asks_to_wait() {
        assert_eq!(asked_to_wait("bad request is throttled. suggested backoff time: 3000 milliseconds"), Some(3));
        assert_eq!(asked_to_wait("no try again in 5 minutes"), Some(300));
        assert_eq!(asked_to_wait("no [throttled]"), None);
    }
}
