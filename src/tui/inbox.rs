//! One thread per inbox: fetches when it is asked to or when there is news, and waits for news in between.
//!
//! Invariants: one connection per inbox at a time; what nobody asked for is told only when it changes something; a
//! sign-in that was refused is not tried again until somebody asks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::msg::{Failure, FetchStep};
use super::runtime::now;
use super::worker::Event;
use crate::desk::{self, Cancel, Desk, PullProgress, Turns, Unread};
use crate::source::imap;

/// Between two reports of a fetch.
const REPORT: Duration = Duration::from_millis(500);
/// After a fetch that failed, the first and the longest pause before the next.
const PAUSE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(120));
/// A token may have ended after this; then a refused sign-in is tried once with a new one.
const FRESH: Duration = Duration::from_secs(300);

/// An inbox that is fetched from.
pub struct Account {
    /// Its name.
    pub name: String,
    /// Makes what a fetch needs; may run a command for the secret, so it is called in the inbox's own thread.
    pub options: Box<dyn Fn() -> Result<imap::Options, Trouble> + Send + Sync>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The handle of an inbox's thread, which ends with it.
#[derive(Debug)]
pub(super) struct Inbox(Arc<Wishes>);

/// What the thread is asked.
#[derive(Debug, Default)]
struct Wishes(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Fetch next.
    fetch: bool,
    /// A fetch is running.
    fetching: bool,
    /// End.
    over: bool,
    /// Ends what the thread does now.
    current: Cancel,
}

impl Wishes {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do next: fetch or wait, and what ends it; `None` to end.
    fn next(&self) -> Option<(bool, Cancel)> {
        let mut state = self.state();
        if state.over {
            return None;
        }
        state.fetching = std::mem::take(&mut state.fetch);
        state.current = Cancel::new();
        Some((state.fetching, state.current.clone()))
    }
}

impl Inbox {
    /// Starts the thread. It does nothing before the first fetch.
    pub(super) fn open(
        account: Account,
        options: desk::Options,
        turns: Turns,
        events: Sender<Event>,
    ) -> std::io::Result<Self> {
        let wishes = Arc::new(Wishes::default());
        let asked = Arc::clone(&wishes);
        let name = account.name.clone();
        let tell = move |step| {
            let _ = events.send(Event::Fetched(name.clone(), step));
        };
        let keeper = Keeper { account, options, turns, tell: Box::new(tell), source: None, failures: 0 };
        thread::Builder::new().name("worker-inbox".into()).spawn(move || keeper.run(&asked))?;
        Ok(Self(wishes))
    }

    /// Asks for a fetch.
    pub(super) fn fetch(&self) {
        let mut state = self.0.state();
        state.fetch = true;
        if !state.fetching {
            state.current.cancel();
        }
    }

    /// Ends a running fetch.
    pub(super) fn stop(&self) {
        let state = self.0.state();
        if state.fetching {
            state.current.cancel();
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.over = true;
        state.current.cancel();
    }
}

/// What the thread knows.
struct Keeper {
    account: Account,
    options: desk::Options,
    turns: Turns,
    tell: Box<dyn Fn(FetchStep) + Send>,
    /// What the last fetch signed in with, and since when.
    source: Option<(imap::Options, Instant)>,
    /// Fetches that failed in a row.
    failures: u32,
}

/// Why a fetch or a wait ended.
#[derive(Debug)]
pub struct Trouble {
    /// What failed.
    pub failure: Failure,
    /// Whether it may go away by itself, so that trying again makes sense.
    pub passing: bool,
}

impl From<desk::Error> for Trouble {
    fn from(error: desk::Error) -> Self {
        Self { passing: error.is_passing(), failure: error.into() }
    }
}

/// What comes after a fetch.
enum After {
    /// Waiting for news.
    Wait,
    /// Nothing until somebody asks.
    Rest,
}

impl Keeper {
    fn run(mut self, wishes: &Wishes) {
        let (mut asked, mut after) = (true, After::Rest);
        while let Some((fetch, cancel)) = wishes.next() {
            if fetch {
                after = self.fetch(asked, &cancel);
            } else if matches!(after, After::Wait) {
                // Whatever comes next was asked for, unless it is news that ends the wait.
                asked = true;
                match self.wait(&cancel) {
                    Ok(true) => {
                        asked = false;
                        wishes.state().fetch = true;
                    }
                    Ok(false) => {}
                    Err(()) => after = After::Rest,
                }
            } else {
                asked = true;
                while !cancel.wait(Duration::from_secs(3600)) {}
            }
        }
    }

    fn fetch(&mut self, asked: bool, cancel: &Cancel) -> After {
        if asked {
            (self.tell)(FetchStep::Begun);
        }
        let caught = catch_unwind(AssertUnwindSafe(|| self.pull(asked, cancel)));
        let (step, after) = caught.unwrap_or_else(|_| {
            let what = "an internal fault while fetching".into();
            (FetchStep::Failed(Failure { what, hint: Some("please report it".into()) }), After::Rest)
        });
        (self.tell)(step);
        after
    }

    fn pull(&mut self, asked: bool, cancel: &Cancel) -> (FetchStep, After) {
        let pulled = self.source().and_then(|source| {
            let mut desk = Desk::open(&self.options).map_err(Trouble::from)?;
            let turn = self.turns.current();
            let waits = &mut || (self.tell)(FetchStep::Waits);
            turn.take(self.options.state_dir.as_deref(), cancel, waits).map_err(Trouble::from)?;
            let mut last = Instant::now();
            let progress = &mut |progress| {
                if let PullProgress::Report { scanned, total, found, .. } = progress
                    && asked
                    && last.elapsed() >= REPORT
                {
                    last = Instant::now();
                    (self.tell)(FetchStep::At(scanned, Some(total), found));
                }
            };
            desk.pull(&source, now(), cancel, progress).map_err(Trouble::from)
        });
        match pulled {
            Ok(pulled) => {
                self.failures = 0;
                if let Some(Unread { folder, why, hint }) = pulled.folders.first() {
                    let what = format!("could not read folder \"{folder}\": {why}");
                    return (FetchStep::Failed(Failure { what, hint: hint.clone() }), After::Rest);
                }
                let (filled, unreadable) = (&pulled.filled, pulled.filled.unreadable.len() as u64);
                if !asked && filled.notices == 0 && unreadable == 0 && !filled.cancelled {
                    return (FetchStep::Synced, After::Wait);
                }
                let cancelled = filled.cancelled;
                let step = FetchStep::Ended { notices: filled.notices, cases: filled.cases, cancelled, unreadable };
                (step, if cancelled { After::Rest } else { After::Wait })
            }
            Err(Trouble { failure, passing }) => {
                self.failures += 1;
                self.source = None;
                let step = if asked { FetchStep::Failed(failure) } else { FetchStep::Lost(failure) };
                (step, if passing { After::Wait } else { After::Rest })
            }
        }
    }

    /// What to sign in with: as the last time, where that is not long ago.
    fn source(&mut self) -> Result<imap::Options, Trouble> {
        let known = self.source.take().filter(|(_, since)| since.elapsed() < FRESH);
        let (source, since) = match known {
            Some(known) => known,
            None => ((self.account.options)()?, Instant::now()),
        };
        self.source = Some((source.clone(), since));
        Ok(source)
    }

    /// Waits for news: whether there is some. An error where waiting makes no sense.
    fn wait(&mut self, cancel: &Cancel) -> Result<bool, ()> {
        let doubled = 2_u32.pow(self.failures.saturating_sub(1).min(6));
        if self.failures > 0 && cancel.wait((PAUSE.0 * doubled).min(PAUSE.1)) {
            return Ok(false);
        }
        let mut lost = false;
        let waited = self.source().and_then(|source| {
            let desk = Desk::open(&self.options).map_err(Trouble::from)?;
            let waited = desk.wait_for_mail(&source, cancel, &mut |trouble| {
                if trouble.is_some() || lost {
                    (self.tell)(match &trouble {
                        Some((why, _)) => FetchStep::Lost(Failure { what: why.clone(), hint: None }),
                        None => FetchStep::Synced,
                    });
                }
                lost = trouble.is_some();
            });
            waited.map_err(Trouble::from)
        });
        match waited {
            Ok(()) => Ok(true),
            Err(_) if cancel.is_cancelled() => Ok(false),
            Err(trouble) => {
                // hours may have passed since it signed in, and tokens end
                let aged = self.source.take().is_some_and(|(_, since)| since.elapsed() >= FRESH);
                (self.tell)(FetchStep::Lost(trouble.failure));
                self.failures += 1;
                if aged || trouble.passing { Ok(false) } else { Err(()) }
            }
        }
    }
}
