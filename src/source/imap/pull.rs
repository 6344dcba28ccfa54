//! The pull: what is new in each folder, newest first, through reconnects, bad messages and servers that ask to wait.
//!
//! Windows of headers are scanned, the candidates among them are fetched in batches, and after each batch the caller
//! gets the cursor that covers it. The commands form one queue, and several of them are under way at once: each answer
//! is worked off when it comes, and what follows from it joins the queue. What fails is tried in halves until the one
//! message that breaks it is alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;

use super::answer::{self, Examined};
use super::beginning::{add_more, internal_date, needs_more, read_mails};
use super::event::{Event, Outcome};
use super::job::Job;
use super::lasting::{Lasting, Stop, Trouble};
use super::place::place;
use super::session::Session;
use super::windows::{by_cuts, by_number};
use super::{Cursor, Options, Scan};
use crate::source::{Cancel, Error, Kind, RawMail};

/// Scans that are under way at once. What waits on the line costs nobody memory; an answer is read when its turn comes.
const SCANS: usize = 4;
/// Batches that are under way at once, before more is scanned.
const BATCHES: usize = 8;
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
    let mut puller = Puller { options, scan, line: Lasting::new(options, cancel, sink), outcome: Outcome::default() };
    for folder in &options.folders {
        let cursor = cursors.get(folder).cloned().unwrap_or_default();
        match puller.folder(folder, cursor) {
            Ok(()) => {}
            Err(Stop::Broken) => {
                puller.outcome.stopped = true;
                break;
            }
            Err(Stop::Failed(error)) if matches!(error.kind, Kind::Folder | Kind::Config) && puller.line.stands() => {
                let known = if error.kind == Kind::Folder { puller.line.folders() } else { Vec::new() };
                puller.outcome.problems.push((folder.clone(), error.with_folders(&known)));
            }
            Err(Stop::Failed(error)) => return Err(error),
        }
    }
    puller.finish()
}

struct Puller<'a> {
    options: &'a Options,
    scan: Scan<'a>,
    line: Lasting<'a>,
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

/// A command, and what its answer is for.
struct Task {
    job: Job,
    aim: Aim,
}

enum Aim {
    /// The headers of a window.
    Scan { low: u32, high: u32 },
    /// The beginnings of candidates.
    Beginnings(Batch),
    /// More of those that need it.
    Rest(Batch, BTreeMap<u32, RawMail>),
}

/// Candidates that are fetched together, newest first, and the range of UIDs that is read with them.
struct Batch {
    uids: Vec<u32>,
    low: u32,
    high: u32,
}

impl<'a> Puller<'a> {
    /// Ends the pull well.
    fn finish(mut self) -> Result<Outcome, Error> {
        if let Some((_, error)) = self.line.suspects.pop() {
            return Err(self.line.blame(error));
        }
        let opened = self.options.folders.len() > self.outcome.problems.len();
        self.outcome.bytes = self.line.bytes();
        self.line.end();
        if !opened && !self.outcome.stopped && !self.outcome.problems.is_empty() {
            return Err(self.outcome.problems.swap_remove(0).1);
        }
        Ok(self.outcome)
    }

    /// Reads one folder.
    fn folder(&mut self, name: &str, cursor: Cursor) -> Result<(), Stop> {
        let whole = |trouble| match trouble {
            Trouble::Stop(stop) => stop,
            Trouble::Split(error) => Stop::Failed(error),
        };
        let open = |session: &mut Session<'a>, _| Ok(session.folder.clone().unwrap_or_default().1);
        let examined = self.line.attempt(name, None, open).map_err(whole)?;
        let uidvalidity = examined.uidvalidity;
        let known = cursor != Cursor::default();
        let renewed = known && cursor.uidvalidity != uidvalidity;
        let cursor = if known && !renewed { cursor } else { Cursor::fresh(uidvalidity) };
        self.line.emit(Event::Opened { folder: name.to_owned(), exists: examined.exists, uidvalidity, renewed })?;
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
        let mut tasks = VecDeque::new();
        while self.line_up(&folder, &mut windows, &mut tasks) {
            let jobs: Vec<&Job> = tasks.iter().map(|task| &task.job).collect();
            let work = |session: &mut Session<'a>, until| session.fetch(&jobs, until);
            let answer = match self.line.attempt(&folder.name, Some(uidvalidity), work) {
                Err(Trouble::Stop(stop)) => return Err(stop),
                Err(Trouble::Split(error)) => Err(error),
                Ok(answer) => Ok(answer),
            };
            let Some(task) = tasks.pop_front() else { break };
            match (task.aim, answer) {
                (Aim::Scan { low, high }, Ok(answer)) => {
                    tasks.extend(self.scanned(&mut folder, (low, high), &answer)?);
                    if self.all_older(&folder, low, high) {
                        windows.clear();
                    }
                }
                (Aim::Scan { low, high }, Err(error)) => {
                    windows.extend(self.scan_failed(&mut folder, (low, high), error)?);
                }
                (Aim::Beginnings(batch), Ok(answer)) => {
                    tasks.extend(self.fetched(&mut folder, batch, None, &answer)?)
                }
                (Aim::Rest(batch, had), Ok(answer)) => {
                    tasks.extend(self.fetched(&mut folder, batch, Some(had), &answer)?);
                }
                (Aim::Beginnings(batch) | Aim::Rest(batch, _), Err(error)) => {
                    tasks.extend(self.batch_failed(&mut folder, batch, error)?);
                }
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
            puller
                .line
                .attempt(&folder.name, Some(folder.uidvalidity), |session, until| session.uids_at(&places, until))
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

    fn headers(&self, low: u32, high: u32) -> Job {
        Job::headers(low, high, self.scan.fields, self.options.since.is_some())
    }

    /// Lines up the scans to send before they are needed; says whether there is anything to do.
    fn line_up(&self, folder: &Folder, windows: &mut Vec<(u32, u32)>, tasks: &mut VecDeque<Task>) -> bool {
        let scans = tasks.iter().filter(|task| matches!(task.aim, Aim::Scan { .. })).count();
        let most = match self.options.since {
            // a date may end the search
            Some(_) => usize::from(tasks.is_empty()),
            // the first rows come before everything else
            None if folder.scanned == 0 => 1,
            None if tasks.len() >= scans + BATCHES => 0,
            None => SCANS,
        };
        let coming = std::iter::from_fn(|| windows.pop()).take(most.saturating_sub(scans));
        tasks.extend(coming.map(|(low, high)| Task { job: self.headers(low, high), aim: Aim::Scan { low, high } }));
        !tasks.is_empty()
    }

    /// The headers of a window are there: lines up the batches of its candidates.
    fn scanned(&mut self, folder: &mut Folder, (low, high): (u32, u32), answer: &[u8]) -> Result<Vec<Task>, Stop> {
        self.line.yielded = true;
        let mut seen = BTreeSet::new();
        let mut wanted = BTreeSet::new();
        for message in answer::fetched(answer) {
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
        folder.scanned += seen.len() as u64;
        folder.candidates += wanted.len() as u64;
        self.outcome.scanned += seen.len() as u64;
        self.flush_suspects(folder)?;
        self.progress(folder)?;
        if wanted.is_empty() {
            self.mark(folder, low, high, &BTreeSet::new());
            self.commit(folder)?;
        }
        let newest_first: Vec<u32> = wanted.into_iter().rev().collect();
        let mut batches: Vec<Batch> = Vec::new();
        for uids in newest_first.chunks(self.options.limits.batch.max(1)) {
            let high = batches.last().map_or(high, |newer| newer.low.saturating_sub(1));
            batches.push(Batch { uids: uids.to_vec(), low: uids.last().copied().unwrap_or(low), high });
        }
        if let Some(oldest) = batches.last_mut() {
            oldest.low = low;
        }
        Ok(batches.into_iter().map(|batch| self.beginnings(batch)).collect())
    }

    fn beginnings(&self, batch: Batch) -> Task {
        Task { job: Job::beginnings(&batch.uids, &self.options.limits), aim: Aim::Beginnings(batch) }
    }

    /// Some of the bytes of a batch are there: hands its mails over, or says what is missing.
    fn fetched(
        &mut self,
        folder: &mut Folder,
        batch: Batch,
        had: Option<BTreeMap<u32, RawMail>>,
        answer: &[u8],
    ) -> Result<Option<Task>, Stop> {
        let limits = &self.options.limits;
        let mails = if let Some(mut mails) = had {
            for message in answer::fetched(answer) {
                add_more(&mut mails, &message);
            }
            mails
        } else {
            let mails = read_mails(answer, &batch.uids);
            let short = mails.iter().filter(|(_, mail)| mail.truncated && needs_more(&mail.bytes));
            let short: Vec<u32> = short.map(|(&uid, _)| uid).collect();
            if !short.is_empty() && limits.prefix_most > limits.prefix {
                return Ok(Some(Task { job: Job::more(&short, limits), aim: Aim::Rest(batch, mails) }));
            }
            mails
        };
        let missing: BTreeSet<u32> = batch.uids.iter().copied().filter(|uid| !mails.contains_key(uid)).collect();
        for (uid, mut mail) in mails.into_iter().rev() {
            mail.place = place(&self.options.name, &folder.name, uid);
            folder.cursor.tries.remove(&uid);
            folder.fetched += 1;
            self.outcome.mails += 1;
            self.line.emit(Event::Mail(mail))?;
        }
        for &uid in &missing {
            self.outcome.gone += 1;
            if folder.cursor.tried(uid) == TRIES {
                self.unreadable(folder, uid, "the server lists it but returns nothing for it".to_owned())?;
            }
        }
        self.mark(folder, batch.low, batch.high, &missing);
        self.progress(folder)?;
        self.commit(folder)?;
        Ok(None)
    }

    /// A scan failed: smaller windows, or the one message to blame.
    fn scan_failed(
        &mut self,
        folder: &mut Folder,
        (low, high): (u32, u32),
        error: Error,
    ) -> Result<Vec<(u32, u32)>, Stop> {
        if low == high {
            self.suspect(folder, low, error)?;
            return Ok(Vec::new());
        }
        self.line.remember(error);
        let most = ((high - low) / 2 + 1).min(high - low);
        Ok(by_number(&[(low, high)], most, most))
    }

    /// A batch failed: its halves, or the one message to blame.
    fn batch_failed(&mut self, folder: &mut Folder, batch: Batch, error: Error) -> Result<Vec<Task>, Stop> {
        let Batch { uids, low, high } = batch;
        if let &[uid] = uids.as_slice() {
            self.suspect(folder, uid, error)?;
            self.mark(folder, low, high, &BTreeSet::from([uid]));
            self.commit(folder)?;
            return Ok(Vec::new());
        }
        self.line.remember(error);
        let (newer, older) = uids.split_at(uids.len() / 2);
        let middle = newer.last().copied().unwrap_or(high);
        let halves = [(newer, middle, high), (older, low, middle.saturating_sub(1))];
        let halves = halves.map(|(uids, low, high)| self.beginnings(Batch { uids: uids.to_vec(), low, high }));
        Ok(halves.into())
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
        self.line.suspects.push((uid, error));
        if self.line.yielded { self.flush_suspects(folder) } else { Ok(()) }
    }

    /// Something worked, so the messages that failed are to blame, not the server.
    fn flush_suspects(&mut self, folder: &mut Folder) -> Result<(), Stop> {
        for (uid, error) in std::mem::take(&mut self.line.suspects) {
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
        self.line.emit(Event::Unreadable { place: place(&self.options.name, &folder.name, uid), why })
    }

    fn progress(&mut self, folder: &Folder) -> Result<(), Stop> {
        let bytes = self.line.bytes();
        self.line.emit(Event::Progress {
            folder: folder.name.clone(),
            scanned: folder.scanned,
            candidates: folder.candidates,
            fetched: folder.fetched,
            total: folder.total.max(folder.scanned),
            bytes,
        })
    }

    fn commit(&mut self, folder: &Folder) -> Result<(), Stop> {
        self.line.emit(Event::Batch { folder: folder.name.clone(), cursor: folder.cursor.clone() })
    }
}
