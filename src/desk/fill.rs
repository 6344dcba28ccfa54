//! Filling the store: a source hands mails over, all cores diagnose them, batches are committed in order.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use super::error::{Error, Result};
use super::{Desk, parallel, seed, suspended};
use crate::diagnose::{Context, diagnose};
use crate::model::{Diagnosis, Kind, MessageRef, Timestamp};
use crate::source::{self, Cancel, RawMail};
use crate::store::{Arrival, Forgotten, Placed, Store};

/// Mails that are committed together.
const BATCH: usize = 200;

/// How far a filling got; at most a few a second need to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Work began; the number of mails where the source knows it.
    Begin {
        /// Mails in all.
        total: Option<u64>,
    },
    /// So many mails are through.
    Report {
        /// Mails looked at.
        done: u64,
        /// Mails in all.
        total: Option<u64>,
        /// Notices found that were not known.
        found: u64,
    },
}

/// What a filling did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filled {
    /// Mails looked at.
    pub messages: u64,
    /// New notices among them.
    pub notices: u64,
    /// Notices the store had already.
    pub known: u64,
    /// New cases.
    pub cases: u64,
    /// Mails that are no notices.
    pub skipped: u64,
    /// What could not be read, and why.
    pub unreadable: Vec<(String, String)>,
    /// Whether it was stopped before its end.
    pub cancelled: bool,
}

/// Collects mails and commits them batch by batch.
pub(super) struct Batches<'a> {
    store: &'a mut Store,
    waiting: Vec<Arrival>,
    now: Timestamp,
    pub(super) filled: Filled,
    total: Option<u64>,
    progress: &'a mut dyn FnMut(Progress),
    failed: Option<Error>,
    forgotten: Forgotten,
}

impl<'a> Batches<'a> {
    pub(super) fn new(store: &'a mut Store, now: Timestamp, progress: &'a mut dyn FnMut(Progress)) -> Self {
        let (forgotten, failed) = match store.forgotten() {
            Ok(forgotten) => (forgotten, None),
            Err(error) => (Forgotten::default(), Some(error.into())),
        };
        Self { store, waiting: Vec::new(), now, filled: Filled::default(), total: None, progress, failed, forgotten }
    }

    pub(super) fn take(&mut self, mail: RawMail, diagnosis: Diagnosis) -> ControlFlow<()> {
        self.take_from(mail, diagnosis, false)
    }

    /// Takes a row of a table of suspended tickets.
    pub(super) fn take_second(&mut self, mail: RawMail, diagnosis: Diagnosis) -> ControlFlow<()> {
        self.take_from(mail, diagnosis, true)
    }

    fn take_from(&mut self, mail: RawMail, diagnosis: Diagnosis, second: bool) -> ControlFlow<()> {
        self.filled.messages += 1;
        if is_notice(&diagnosis) {
            match self.forgotten.without(Arrival { second, ..seed::arrival(mail, diagnosis, self.now) }) {
                Some(arrival) => self.waiting.push(arrival),
                None => self.filled.known += 1,
            }
        } else {
            self.filled.skipped += 1;
        }
        if self.failed.is_some() {
            return ControlFlow::Break(());
        }
        if self.waiting.len() >= BATCH { self.commit(None) } else { ControlFlow::Continue(()) }
    }

    /// A message that could not be read at all becomes an item of the queue, never a silent gap.
    pub(super) fn unreadable(&mut self, place: MessageRef, why: String) -> ControlFlow<()> {
        let mut diagnosis = unread(format!("unreadable: {why}"));
        diagnosis.notice.subject = Some(format!("unreadable message {}", place.0));
        self.filled.unreadable.push((place.0.clone(), why));
        self.take(RawMail { place, received: None, size: 0, bytes: Vec::new(), truncated: true }, diagnosis)
    }

    pub(super) fn commit(&mut self, cursor: Option<(&str, &str, &str)>) -> ControlFlow<()> {
        if self.waiting.is_empty() && cursor.is_none() {
            return ControlFlow::Continue(());
        }
        let placed = match self.store.fill(&self.waiting, cursor) {
            Ok(placed) => placed,
            Err(error) => {
                self.failed = Some(error.into());
                return ControlFlow::Break(());
            }
        };
        self.waiting.clear();
        for placed in placed {
            match placed {
                Placed::New(cases) => {
                    self.filled.notices += 1;
                    self.filled.cases += u64::from(cases);
                }
                Placed::Known => self.filled.known += 1,
            }
        }
        let (done, found) = (self.filled.messages, self.filled.notices);
        (self.progress)(Progress::Report { done, total: self.total, found });
        ControlFlow::Continue(())
    }

    pub(super) fn end(mut self) -> Result<Filled> {
        let _ = self.commit(None);
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.filled),
        }
    }
}

/// Whether a mail belongs into the store: everything but ordinary mail.
fn is_notice(diagnosis: &Diagnosis) -> bool {
    diagnosis.kind != Kind::Other || diagnosis.likely_bounce || !diagnosis.recipients.is_empty()
}

/// Diagnoses one mail; a fault of the engine costs that mail only, and says so.
pub(super) fn examine(mail: RawMail, context: &Context) -> (RawMail, Diagnosis) {
    let caught = catch_unwind(AssertUnwindSafe(|| diagnose(&mail.bytes, context)));
    let diagnosis =
        caught.unwrap_or_else(|_| unread("unreadable: the engine failed on this mail; please report it".into()));
    (mail, diagnosis)
}

/// The diagnosis of a mail that could not be read: it must be looked at.
fn unread(why: String) -> Diagnosis {
    let mut diagnosis = Diagnosis::of(Kind::Other);
    diagnosis.likely_bounce = true;
    diagnosis.notes.push(why);
    diagnosis
}

impl Desk {
    /// Reads files, folders, mboxes and Maildirs into the store; what it knows already is counted, not added.
    pub fn import(
        &mut self,
        paths: &[PathBuf],
        now: Timestamp,
        cancel: &Cancel,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Filled> {
        let context = self.context.clone();
        progress(Progress::Begin { total: None });
        let (tables, paths): (Vec<PathBuf>, Vec<PathBuf>) =
            paths.iter().cloned().partition(|path| suspended::is_table(path));
        let batches = RefCell::new(Batches::new(&mut self.store, now, progress));
        let read = parallel::in_order(
            |mail| examine(mail, &context),
            &mut |(mail, diagnosis)| batches.borrow_mut().take(mail, diagnosis),
            |feed| {
                source::files::each(&paths, cancel, &mut |mail| {
                    let weight = mail.bytes.len();
                    feed.put(mail, weight)
                })
            },
        );
        let mut batches = batches.into_inner();
        for table in tables {
            if let Err(why) = suspended::read(&table, &context, &mut batches) {
                batches.filled.unreadable.push((table.display().to_string(), why));
            }
        }
        let mut filled = batches.end()?;
        let summary = read?;
        filled.unreadable.extend(summary.unreadable);
        filled.cancelled = cancel.is_cancelled();
        Ok(filled)
    }

    /// Reads mails that are already in memory into the store.
    pub fn import_mails(&mut self, mails: impl Iterator<Item = (String, Vec<u8>)>, now: Timestamp) -> Result<Filled> {
        let context = self.context.clone();
        let mut quiet = |_| {};
        let mut batches = Batches::new(&mut self.store, now, &mut quiet);
        for (place, bytes) in mails {
            let size = bytes.len() as u64;
            let mail = RawMail { place: MessageRef(place), received: None, size, bytes, truncated: false };
            let (mail, diagnosis) = examine(mail, &context);
            if batches.take(mail, diagnosis).is_break() {
                break;
            }
        }
        batches.end()
    }
}
