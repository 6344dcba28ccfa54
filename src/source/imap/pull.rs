//! The pull: what is new in each folder, newest first, through reconnects, bad messages and servers that ask to wait.
//!
//! A window of headers is scanned, the candidates among them are fetched in batches, and after each batch the caller
//! gets the cursor that covers it. What fails is tried in halves until the one message that breaks it is alone.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::answer::{self, Examined};
use super::beginning::{add_more, internal_date, needs_more, read_mails};
use super::event::{Event, Outcome};
use super::place::place;
use super::session::{Failure, Session};
use super::windows::{by_cuts, by_number};
use super::{Cursor, Options, Scan};
use crate::source::{Cancel, Error, Kind};

/// Failures in a row after which a server is given up.
const FAILURES: u32 = 16;
/// Pulls that try a message which cannot be read.
const TRIES: u8 = 3;

/// Reads what is new in all folders of an account.
///
/// `cursors` holds the last [`Event::Batch`] of each folder. The callback may end the pull with `Break`; what was committed stays.
///
/// # Errors
/// When nothing (more) can be read from the account; batches handed over before are good.
pub fn pull(
    options: &Options,
    cursors: &BTreeMap<String, Cursor>,
    scan: Scan<'_>,
    cancel: &Cancel,
    sink: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<Outcome, Error> {
    if options.folders.is_empty() {
        return Err(Error::no_account_folder(&options.name));
    }
    let mut puller = Puller {
        options,
        scan,
        cancel,
        sink,
        session: None,
        connected_once: false,
        earlier_bytes: 0,
        failures: 0,
        trouble: None,
        last_yield: Instant::now(),
        waited: Duration::ZERO,
        yielded: false,
        suspects: Vec::new(),
        outcome: Outcome::default(),
    };
    for folder in &options.folders {
        let cursor = cursors.get(folder).cloned().unwrap_or_default();
        match puller.folder(folder, cursor) {
            Ok(()) => {}
            Err(Stop::Broken) => {
                puller.outcome.stopped = true;
                break;
            }
            Err(Stop::Failed(error))
                if matches!(error.kind, Kind::Folder | Kind::Config) && puller.session.is_some() =>
            {
                puller.outcome.problems.push((folder.clone(), error));
            }
            Err(Stop::Failed(error)) => return Err(error),
        }
    }
    puller.finish()
}

enum Stop {
    /// The callback had enough.
    Broken,
    Failed(Error),
}

/// Why one piece of work did not succeed.
enum Trouble {
    Stop(Stop),
    /// Try it in halves.
    Split(Error),
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

struct Puller<'a> {
    options: &'a Options,
    scan: Scan<'a>,
    cancel: &'a Cancel,
    sink: &'a mut dyn FnMut(Event) -> ControlFlow<()>,
    session: Option<Session<'a>>,
    connected_once: bool,
    /// Bytes of connections that are gone.
    earlier_bytes: u64,
    failures: u32,
    /// What broke since something last worked, but for silence: tells more than a final "no answer in time".
    trouble: Option<Error>,
    last_yield: Instant,
    waited: Duration,
    yielded: bool,
    /// Messages that failed before anything succeeded: it may be the server's fault.
    suspects: Vec<(u32, Error)>,
    outcome: Outcome,
}

/// The folder being read.
struct Folder {
    name: String,
    cursor: Cursor,
    uidvalidity: u32,
    scanned: u64,
    candidates: u64,
    fetched: u64,
    total: u64,
    /// With a lower bound in time: the highest UID that is older.
    older: Option<u32>,
}

impl<'a> Puller<'a> {
    fn emit(&mut self, event: Event) -> Result<(), Stop> {
        if (self.sink)(event).is_break() {
            return Err(Stop::Broken);
        }
        if self.cancel.is_cancelled() { Err(Stop::Failed(Error::cancelled())) } else { Ok(()) }
    }

    fn bytes(&self) -> u64 {
        self.earlier_bytes + self.session.as_ref().map_or(0, Session::received)
    }

    fn drop_session(&mut self) {
        self.earlier_bytes = self.bytes();
        self.session = None;
    }

    fn until(&self) -> Instant {
        self.last_yield + self.options.limits.stall
    }

    /// Ends the pull well.
    fn finish(mut self) -> Result<Outcome, Error> {
        if let Some((_, error)) = self.suspects.pop() {
            return Err(self.blame(error));
        }
        let opened = self.options.folders.len() > self.outcome.problems.len();
        self.outcome.bytes = self.bytes();
        if let Some(session) = self.session.take() {
            session.close();
        }
        if !opened && !self.outcome.stopped && !self.outcome.problems.is_empty() {
            return Err(self.outcome.problems.swap_remove(0).1);
        }
        Ok(self.outcome)
    }

    /// A connection with the folder open; `uidvalidity` as it was before, if it was open before.
    fn ready(&mut self, folder: &str) -> Result<Examined, Failure> {
        let until = self.until();
        if self.session.is_none() {
            let session = Session::open(self.options, self.cancel, until);
            let session = session.map_err(|error| {
                let cut = matches!(error.kind, Kind::Network | Kind::Timeout | Kind::Protocol);
                Failure { error, lost: true, cut }
            })?;
            self.session = Some(session);
            self.connected_once = true;
        }
        let Some(session) = &mut self.session else { return Ok(Examined::default()) };
        match &session.folder {
            Some((open, examined)) if open == folder => Ok(examined.clone()),
            _ => session.examine(folder, until),
        }
    }

    /// Does one piece of work on the open folder, on a new connection if need be.
    fn attempt<T>(
        &mut self,
        folder: &str,
        uidvalidity: Option<u32>,
        work: impl Fn(&mut Session<'a>, Instant) -> Result<T, Failure>,
    ) -> Result<T, Trouble> {
        let mut cut_before = false;
        loop {
            let fresh = !self.connected_once;
            let failure = match self.ready(folder) {
                Err(failure) if fresh && failure.error.kind != Kind::Throttled => {
                    return Err(Stop::Failed(failure.error).into());
                }
                Err(failure) => failure,
                Ok(examined) if uidvalidity.is_some_and(|before| before != examined.uidvalidity) => {
                    return Err(Stop::Failed(Error::renumbered(folder, &self.options.host)).into());
                }
                Ok(_) => {
                    let until = self.until();
                    let Some(session) = &mut self.session else { continue };
                    match work(session, until) {
                        Ok(done) => {
                            self.failures = 0;
                            self.trouble = None;
                            self.last_yield = Instant::now();
                            return Ok(done);
                        }
                        Err(failure) => failure,
                    }
                }
            };
            let Failure { error, lost, cut } = failure;
            if lost {
                self.drop_session();
            }
            self.failures += 1;
            match error.kind {
                Kind::Cancelled | Kind::Login | Kind::Tls | Kind::Config | Kind::Folder => {
                    return Err(Stop::Failed(error).into());
                }
                Kind::Throttled => {
                    self.pause(error)?;
                    continue;
                }
                _ if self.failures >= FAILURES || Instant::now() >= self.until() => {
                    return Err(Stop::Failed(self.blame(error)).into());
                }
                _ => {}
            }
            if lost {
                self.emit(Event::Reconnecting { attempt: self.failures, why: error.what.clone() })?;
            }
            if cut && (self.session.is_none() && !cut_before || !self.connected_once) {
                cut_before = true;
                self.remember(error);
                self.back_off()?;
                continue;
            }
            return Err(Trouble::Split(error));
        }
    }

    fn remember(&mut self, error: Error) {
        if error.kind != Kind::Timeout {
            self.trouble = Some(error);
        }
    }

    /// The failure to report at the end: silence last of all.
    fn blame(&mut self, error: Error) -> Error {
        if error.kind != Kind::Timeout {
            return error;
        }
        let suspect = self.suspects.iter().rposition(|(_, error)| error.kind != Kind::Timeout);
        self.trouble.take().or_else(|| suspect.map(|at| self.suspects.swap_remove(at).1)).unwrap_or(error)
    }

    fn back_off(&mut self) -> Result<(), Stop> {
        let time = match self.failures {
            0 | 1 => return Ok(()),
            n => Duration::from_millis(250) * 2_u32.pow(n.min(6) - 2),
        };
        if self.cancel.wait(time.min(self.until().saturating_duration_since(Instant::now()))) {
            return Err(Stop::Failed(Error::cancelled()));
        }
        Ok(())
    }

    /// Waits as the server asked, if that is bearable.
    fn pause(&mut self, error: Error) -> Result<(), Stop> {
        let doubled = self.failures.saturating_sub(1).min(4);
        let asked = Duration::from_secs(error.retry_after.unwrap_or(30)) * 2_u32.pow(doubled);
        let bearable = if self.yielded {
            self.options.limits.wait.saturating_sub(self.waited)
        } else {
            self.until().saturating_duration_since(Instant::now())
        };
        if asked > bearable {
            return Err(Stop::Failed(error));
        }
        if asked > Duration::from_secs(60) {
            self.drop_session();
        }
        let end = Instant::now() + asked;
        while let Some(rest) = end.checked_duration_since(Instant::now()).filter(|rest| !rest.is_zero()) {
            let seconds = rest.as_secs() + u64::from(rest.subsec_nanos() > 0);
            self.emit(Event::Waiting { seconds, why: error.what.clone() })?;
            if self.cancel.wait(rest.min(Duration::from_secs(1))) {
                return Err(Stop::Failed(Error::cancelled()));
            }
        }
        self.waited += asked;
        if self.yielded {
            self.last_yield = Instant::now();
        }
        Ok(())
    }

    /// Reads one folder.
    fn folder(&mut self, name: &str, cursor: Cursor) -> Result<(), Stop> {
        let whole = |trouble| match trouble {
            Trouble::Stop(stop) => stop,
            Trouble::Split(error) => Stop::Failed(error),
        };
        let examined = loop {
            match self
                .attempt(name, None, |session, _| Ok(session.folder.as_ref().map(|(_, examined)| examined.clone())))
            {
                Ok(Some(examined)) => break examined,
                Ok(None) => {}
                Err(trouble) => return Err(whole(trouble)),
            }
        };
        let uidvalidity = examined.uidvalidity;
        let known = cursor != Cursor::default();
        let renewed = known && cursor.uidvalidity != uidvalidity;
        let cursor = if known && !renewed { cursor } else { Cursor::fresh(uidvalidity) };
        self.emit(Event::Opened { folder: name.to_owned(), exists: examined.exists, uidvalidity, renewed })?;
        let mut folder = Folder {
            name: name.to_owned(),
            cursor,
            uidvalidity,
            scanned: 0,
            candidates: 0,
            fetched: 0,
            total: 0,
            older: None,
        };
        let mut windows = self.plan(&mut folder, &examined).map_err(whole)?;
        while let Some((low, high)) = windows.pop() {
            let cap = self.window(&mut folder, low, high)?;
            if let Some(cap) = cap {
                windows.extend(by_number(&[(low, high)], cap, cap));
            } else if self.all_older(&folder, low, high) {
                break;
            }
        }
        if let (Some(since), Some(older)) = (self.options.since, folder.older) {
            folder.cursor.bottom = Some((since, older));
            self.commit(&folder)?;
        }
        Ok(())
    }

    fn all_older(&self, folder: &Folder, low: u32, high: u32) -> bool {
        // the window below the one that held the first older message ends the search
        folder.older.is_some_and(|older| high < older && low < older) && self.options.since.is_some()
    }

    /// The windows to scan, newest last.
    fn plan(&mut self, folder: &mut Folder, examined: &Examined) -> Result<Vec<(u32, u32)>, Trouble> {
        let exists = examined.exists;
        if exists == 0 {
            return Ok(Vec::new());
        }
        let uids_at = |puller: &mut Self, places: String| {
            puller.attempt(&folder.name, Some(folder.uidvalidity), |session, until| session.uids_at(&places, until))
        };
        let high = match examined.uidnext {
            Some(next) => next.saturating_sub(1),
            None => uids_at(self, "*".to_owned())?.last().copied().unwrap_or(0),
        };
        let mut low = 1;
        if let Some(last) = self.options.last.filter(|&last| last < exists) {
            let first = exists - last + 1;
            low = uids_at(self, first.to_string())?.first().copied().unwrap_or(1);
        }
        if let (Some(since), Some((bottom, uid))) = (self.options.since, folder.cursor.bottom)
            && since >= bottom
        {
            low = low.max(uid.saturating_add(1));
        }
        let open = folder.cursor.open(low, high);
        let span: u64 = open.iter().map(|&(a, b)| u64::from(b - a) + 1).sum();
        folder.total = span.min(u64::from(exists));
        let (first, size) = (self.options.limits.first_window.max(1), self.options.limits.window.max(1));
        if span <= u64::from(exists) * 2 + u64::from(size) {
            return Ok(by_number(&open, first, size));
        }
        // UIDs far apart: cut where the messages are
        let size = size.max(exists / 400);
        let mut places = Vec::new();
        let mut place = exists.saturating_sub(first - 1);
        while place > 1 {
            places.push(place.to_string());
            place = place.saturating_sub(size);
        }
        if places.is_empty() {
            return Ok(by_cuts(&open, &[]));
        }
        let cuts = uids_at(self, places.join(","))?;
        Ok(by_cuts(&open, &cuts))
    }

    /// Scans one window and fetches its candidates. Gives a size when it has to be tried in smaller pieces.
    fn window(&mut self, folder: &mut Folder, low: u32, high: u32) -> Result<Option<u32>, Stop> {
        let (dated, fields) = (self.options.since.is_some(), self.scan.fields);
        let work = |session: &mut Session<'a>, until| session.headers(low, high, fields, dated, until);
        let data = match self.attempt(&folder.name, Some(folder.uidvalidity), work) {
            Ok(data) => data,
            Err(Trouble::Stop(stop)) => return Err(stop),
            Err(Trouble::Split(error)) if low == high => {
                self.suspect(folder, low, error)?;
                return Ok(None);
            }
            Err(Trouble::Split(error)) => {
                self.remember(error);
                return Ok(Some(((high - low) / 2 + 1).min(high - low)));
            }
        };
        self.yielded = true;
        let mut seen = BTreeSet::new();
        let mut wanted = BTreeSet::new();
        for message in answer::fetched(&data) {
            let Some(uid) = message.uid.filter(|uid| (low..=high).contains(uid)) else { continue };
            if !seen.insert(uid) {
                continue;
            }
            if let (Some(since), Some(date)) = (self.options.since, message.internal_date.and_then(internal_date))
                && date < since
            {
                folder.older = folder.older.max(Some(uid));
                continue;
            }
            let header = message
                .bodies
                .iter()
                .find(|(section, ..)| section.is_empty() || section.to_ascii_uppercase().starts_with(b"HEADER"));
            // without a header nobody can tell: look at it
            if header.is_none_or(|(_, _, header)| (self.scan.candidate)(header)) {
                wanted.insert(uid);
            }
        }
        drop(data);
        folder.scanned += seen.len() as u64;
        folder.candidates += wanted.len() as u64;
        self.outcome.scanned += seen.len() as u64;
        self.flush_suspects(folder)?;
        self.progress(folder)?;
        let newest_first: Vec<u32> = wanted.into_iter().rev().collect();
        let mut top = high;
        let mut batches: Vec<Vec<u32>> =
            newest_first.chunks(self.options.limits.batch.max(1)).map(<[u32]>::to_vec).rev().collect();
        while let Some(batch) = batches.pop() {
            let lowest = if batches.is_empty() { low } else { batch.last().copied().unwrap_or(low) };
            match self.batch(folder, &batch, lowest, top)? {
                None => top = lowest.saturating_sub(1),
                Some(()) => {
                    let (newer, older) = batch.split_at(batch.len() / 2);
                    batches.push(older.to_vec());
                    batches.push(newer.to_vec());
                }
            }
        }
        if top >= low && newest_first.is_empty() {
            self.mark(folder, low, high, &BTreeSet::new());
            self.commit(folder)?;
        }
        Ok(None)
    }

    /// Fetches some candidates and hands them over. `Some` when it has to be tried in halves.
    fn batch(&mut self, folder: &mut Folder, uids: &[u32], low: u32, high: u32) -> Result<Option<()>, Stop> {
        let limits = &self.options.limits;
        let work = |session: &mut Session<'a>, until| {
            let mut mails = read_mails(&session.beginnings(uids, until)?, uids);
            let short: Vec<u32> = mails
                .iter()
                .filter(|(_, mail)| mail.truncated && needs_more(&mail.bytes))
                .map(|(&uid, _)| uid)
                .collect();
            if !short.is_empty() && limits.prefix_most > limits.prefix {
                for message in answer::fetched(&session.more(&short, until)?) {
                    add_more(&mut mails, &message);
                }
            }
            Ok(mails)
        };
        let mails = match self.attempt(&folder.name, Some(folder.uidvalidity), work) {
            Ok(mails) => mails,
            Err(Trouble::Stop(stop)) => return Err(stop),
            Err(Trouble::Split(error)) if uids.len() > 1 => {
                self.remember(error);
                return Ok(Some(()));
            }
            Err(Trouble::Split(error)) => {
                let Some(&uid) = uids.first() else { return Ok(None) };
                self.suspect(folder, uid, error)?;
                let holes = BTreeSet::from([uid]);
                self.mark(folder, low, high, &holes);
                self.commit(folder)?;
                return Ok(None);
            }
        };
        let missing: BTreeSet<u32> = uids.iter().copied().filter(|uid| !mails.contains_key(uid)).collect();
        for (uid, mut mail) in mails.into_iter().rev() {
            mail.place = place(&self.options.name, &folder.name, uid);
            folder.cursor.tries.remove(&uid);
            folder.fetched += 1;
            self.outcome.mails += 1;
            self.emit(Event::Mail(mail))?;
        }
        for &uid in &missing {
            self.outcome.gone += 1;
            if folder.cursor.tried(uid) == TRIES {
                self.unreadable(folder, uid, "the server lists it but returns nothing for it".to_owned())?;
            }
        }
        self.mark(folder, low, high, &missing);
        self.progress(folder)?;
        self.commit(folder)?;
        Ok(None)
    }

    /// Marks a range as handed over, but for messages that another pull should try again.
    fn mark(&self, folder: &mut Folder, low: u32, high: u32, failed: &BTreeSet<u32>) {
        // with a lower bound in time nothing at or below the first older message counts as read
        let low = if self.options.since.is_some() {
            low.max(folder.older.map_or(0, |older| older.saturating_add(1)))
        } else {
            low
        };
        let cursor = &mut folder.cursor;
        let mut start = low;
        for &uid in failed.range(low.min(high)..=high) {
            if cursor.tries.get(&uid).copied().unwrap_or(0) < TRIES {
                cursor.mark(start, uid.saturating_sub(1));
                start = uid.saturating_add(1);
            }
        }
        cursor.mark(start, high);
        let done = cursor.clone();
        cursor.tries.retain(|&uid, _| !done.open(uid, uid).is_empty());
    }

    /// A single message failed.
    fn suspect(&mut self, folder: &mut Folder, uid: u32, error: Error) -> Result<(), Stop> {
        self.suspects.push((uid, error));
        if self.yielded { self.flush_suspects(folder) } else { Ok(()) }
    }

    /// Something worked, so the messages that failed are to blame, not the server.
    fn flush_suspects(&mut self, folder: &mut Folder) -> Result<(), Stop> {
        for (uid, error) in std::mem::take(&mut self.suspects) {
            if folder.cursor.tried(uid) >= TRIES {
                folder.cursor.mark(uid, uid);
                folder.cursor.tries.remove(&uid);
            }
            self.unreadable(folder, uid, error.what)?;
        }
        Ok(())
    }

    fn unreadable(&mut self, folder: &Folder, uid: u32, why: String) -> Result<(), Stop> {
        self.outcome.unreadable += 1;
        self.emit(Event::Unreadable { place: place(&self.options.name, &folder.name, uid), why })
    }

    fn progress(&mut self, folder: &Folder) -> Result<(), Stop> {
        let bytes = self.bytes();
        self.emit(Event::Progress {
            folder: folder.name.clone(),
            scanned: folder.scanned,
            candidates: folder.candidates,
            fetched: folder.fetched,
            total: folder.total.max(folder.scanned),
            bytes,
        })
    }

    fn commit(&mut self, folder: &Folder) -> Result<(), Stop> {
        self.emit(Event::Batch { folder: folder.name.clone(), cursor: folder.cursor.clone() })
    }
}
