//! A pull: what is new in an account's folders goes into the store, batch by batch, together with how far it was read.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::error::Result;
use super::fill::{Batches, Filled, examine};
use super::{Desk, parallel};
use crate::diagnose::{HEADER_FIELDS, is_candidate_with};
use crate::mail::{Head, addresses, date_of, normalise};
use crate::model::Timestamp;
use crate::source::Cancel;
use crate::source::imap::{self, Cursor, Event, Watching};
use crate::store::{Correspondent, Store};

/// What happens during a pull, for whoever shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullProgress {
    /// A folder was opened and holds so many messages.
    Folder {
        /// Its name.
        name: String,
        /// Messages in it.
        exists: u32,
    },
    /// How far it is.
    Report {
        /// The folder.
        folder: String,
        /// Messages whose headers were read, of `total`.
        scanned: u64,
        /// Messages to be scanned in this folder.
        total: u64,
        /// Likely notices among them.
        candidates: u64,
        /// New notices stored in the whole pull.
        found: u64,
        /// Bytes received in the whole pull.
        bytes: u64,
    },
    /// The server wants a pause, or the connection is made anew.
    Waiting {
        /// Seconds left, where the server said so.
        seconds: Option<u64>,
        /// Why.
        why: String,
    },
}

/// What a pull did.
#[derive(Debug, Default)]
pub struct Pulled {
    /// What came into the store; `messages` counts headers read.
    pub filled: Filled,
    /// Bytes received.
    pub bytes: u64,
    /// Messages that looked like notices and were gone when they were fetched.
    pub gone: u64,
    /// Folders that could not be read.
    pub folders: Vec<Unread>,
}

/// A folder that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its name.
    pub folder: String,
    /// Why.
    pub why: String,
    /// What to do, where that is known.
    pub hint: Option<String>,
}

impl Desk {
    /// Pulls what is new in an account. Every batch is in the store before the next; a pull that fails or is cancelled
    /// keeps what it had, and the next one goes on from there.
    pub fn pull(
        &mut self,
        account: &imap::Options,
        now: Timestamp,
        cancel: &Cancel,
        progress: &mut dyn FnMut(PullProgress),
    ) -> Result<Pulled> {
        let context = self.context.clone();
        let cursors = cursors(&self.store, &account.name)?;
        let mut quiet = |_| {};
        let batches = RefCell::new(Batches::new(&mut self.store, now, &mut quiet));
        let mut told = None;
        let pulled = parallel::in_order(
            |mail| examine(mail, &context),
            &mut |(mail, diagnosis)| batches.borrow_mut().take(mail, diagnosis),
            |feed| {
                let candidate = |header: &[u8]| is_candidate_with(header, &context);
                let scan = imap::Scan { fields: HEADER_FIELDS, candidate: &candidate };
                imap::pull(account, &cursors, scan, cancel, &mut |event| match event {
                    Event::Mail(mail) => {
                        let weight = mail.bytes.len();
                        feed.put(mail, weight)
                    }
                    Event::Batch { folder, cursor } => {
                        feed.drain()?;
                        let state = serde_json::to_string(&cursor).unwrap_or_default();
                        batches.borrow_mut().commit(Some((&account.name, &folder, &state)))?;
                        // Told again now that the rows are there.
                        if let Some(PullProgress::Report { found, .. }) = &mut told {
                            *found = batches.borrow().filled.notices;
                        }
                        told.take().into_iter().for_each(&mut *progress);
                        ControlFlow::Continue(())
                    }
                    Event::Unreadable { place, why } => batches.borrow_mut().unreadable(place, why),
                    Event::Opened { folder: name, exists, .. } => {
                        progress(PullProgress::Folder { name, exists });
                        ControlFlow::Continue(())
                    }
                    Event::Progress { folder, scanned, candidates, total, bytes, .. } => {
                        let found = batches.borrow().filled.notices;
                        let report = PullProgress::Report { folder, scanned, total, candidates, found, bytes };
                        told = Some(report.clone());
                        progress(report);
                        ControlFlow::Continue(())
                    }
                    Event::Waiting { seconds, why } => {
                        progress(PullProgress::Waiting { seconds: Some(seconds), why });
                        ControlFlow::Continue(())
                    }
                    Event::Reconnecting { why, .. } => {
                        progress(PullProgress::Waiting { seconds: None, why });
                        ControlFlow::Continue(())
                    }
                })
            },
        );
        let mut filled = batches.into_inner().end()?;
        let outcome = pulled?;
        filled.skipped += outcome.scanned.saturating_sub(outcome.mails);
        filled.messages = outcome.scanned;
        filled.cancelled = cancel.is_cancelled();
        let mut folders = problems(outcome.problems);
        if !filled.cancelled {
            folders.extend(self.pull_sent(account, cancel)?);
        }
        Ok(Pulled { filled, bytes: outcome.bytes, gone: outcome.gone, folders })
    }

    /// Waits until the server holds something that no pull has seen. Reconnects by itself; `lost` is told why and in how
    /// many seconds, and `None` when the connection stands again.
    ///
    /// # Errors
    /// When waiting makes no sense: cancelled, sign-in refused, a folder gone.
    pub fn wait_for_mail(
        &self,
        account: &imap::Options,
        cancel: &Cancel,
        lost: &mut dyn FnMut(Option<(String, u64)>),
    ) -> Result<()> {
        let cursors = cursors(&self.store, &account.name)?;
        imap::wait(account, &cursors, cancel, &mut |watching| match watching {
            Watching::Connected => lost(None),
            Watching::Lost { why, retry } => lost(Some((why, retry))),
        })?;
        Ok(())
    }

    /// Learns from the sent folders whom this inbox writes to. What fails there is told and costs nothing else.
    fn pull_sent(&mut self, account: &imap::Options, cancel: &Cancel) -> Result<Vec<Unread>> {
        if account.sent_folders.is_empty() {
            return Ok(Vec::new());
        }
        // A name of its own keeps these cursors apart from those of the same folder as a source of cases.
        let name = format!("{}/sent", account.name);
        let mut options = account.clone();
        options.folders = std::mem::take(&mut options.sent_folders);
        let cursors = cursors(&self.store, &name)?;
        let met: RefCell<BTreeMap<String, Correspondent>> = RefCell::default();
        let forgotten = self.store.forgotten()?;
        let meet = |header: &[u8]| {
            for one in sent_to(header).into_iter().filter(|one| !forgotten.has(&one.address)) {
                let mut met = met.borrow_mut();
                let known = met.entry(one.address.clone()).or_insert(Correspondent { sent: 0, ..one.clone() });
                known.sent += 1;
                known.last = known.last.max(one.last);
            }
            false
        };
        let scan = imap::Scan { fields: &["TO", "CC", "DATE"], candidate: &meet };
        let mut failed = None;
        let pulled = imap::pull(&options, &cursors, scan, cancel, &mut |event| {
            let Event::Batch { folder, cursor } = event else { return ControlFlow::Continue(()) };
            let people: Vec<_> = std::mem::take(&mut *met.borrow_mut()).into_values().collect();
            let state = serde_json::to_string(&cursor).unwrap_or_default();
            match self.store.meet(&people, (&name, &folder, &state)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        if let Some(shelf) = self.shelf.get_mut() {
            shelf.outdated();
        }
        match pulled {
            Ok(outcome) => Ok(problems(outcome.problems)),
            Err(error) => Ok(problems(vec![(options.folders.join(", "), error)])),
        }
    }
}

/// Where the last pull stopped, by folder.
fn cursors(store: &Store, name: &str) -> Result<BTreeMap<String, Cursor>> {
    // A cursor that does not read costs a new scan, nothing else: what is known is recognised.
    let read = |state: &str| serde_json::from_str(state).unwrap_or_default();
    Ok(store.cursors(name)?.into_iter().map(|(folder, state)| (folder, read(&state))).collect())
}

fn problems(problems: Vec<(String, crate::source::Error)>) -> Vec<Unread> {
    let unread = |(folder, error): (String, crate::source::Error)| Unread { folder, why: error.what, hint: error.hint };
    problems.into_iter().map(unread).collect()
}

/// The people a sent mail went to, by its header.
fn sent_to(header: &[u8]) -> Vec<Correspondent> {
    let raw = normalise(header);
    let head = Head::read(&raw, 0).head;
    let last = date_of(&head).unwrap_or_default();
    let values = ["To", "Cc"].into_iter().filter_map(|name| head.get(name).map(|field| field.raw()));
    let people = values.flat_map(|value| addresses(&value));
    people.map(|address| Correspondent { address: address.as_str().to_lowercase(), sent: 1, heard: 0, last }).collect()
}
