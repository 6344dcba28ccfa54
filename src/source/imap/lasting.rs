//! A session that outlives its connections: it reconnects, waits as a server asks, and gives up in time.
//!
//! Knows nothing of what is read. A piece of work either succeeds, or comes back to be tried in halves, or the pull ends.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::Options;
use super::answer::Examined;
use super::event::Event;
use super::session::{Failure, Session};
use crate::source::{Cancel, Error, Kind};

/// Failures in a row after which a server is given up.
const FAILURES: u32 = 16;

/// Commands that must be answered one at a time before several are sent again. As many as it takes to find the one
/// message of a batch that breaks a connection, so that it breaks no second one.
const ALONE: u32 = 32;

pub(super) enum Stop {
    /// The callback had enough.
    Broken,
    Failed(Error),
}

/// Why one piece of work did not succeed.
pub(super) enum Trouble {
    Stop(Stop),
    /// Try it in halves.
    Split(Error),
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

pub(super) struct Lasting<'a> {
    pub(super) options: &'a Options,
    cancel: &'a Cancel,
    sink: &'a mut dyn FnMut(Event) -> ControlFlow<()>,
    session: Option<Session<'a>>,
    connected_once: bool,
    /// So many commands are sent one at a time, because a connection broke with several of them under way.
    alone: u32,
    /// Bytes of connections that are gone.
    earlier_bytes: u64,
    failures: u32,
    /// What broke since something last worked, but for silence: tells more than a final "no answer in time".
    trouble: Option<Error>,
    last_yield: Instant,
    waited: Duration,
    /// Whether anything was read at all.
    pub(super) yielded: bool,
    /// Messages that failed before anything succeeded: it may be the server's fault.
    pub(super) suspects: Vec<(u32, Error)>,
}

impl<'a> Lasting<'a> {
    pub(super) fn new(
        options: &'a Options,
        cancel: &'a Cancel,
        sink: &'a mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Self {
        Self {
            options,
            cancel,
            sink,
            session: None,
            connected_once: false,
            alone: 0,
            earlier_bytes: 0,
            failures: 0,
            trouble: None,
            last_yield: Instant::now(),
            waited: Duration::ZERO,
            yielded: false,
            suspects: Vec::new(),
        }
    }

    /// Whether a connection stands.
    pub(super) fn stands(&self) -> bool {
        self.session.is_some()
    }

    /// The names of the folders there are, where the server tells.
    pub(super) fn folders(&mut self) -> Vec<String> {
        let until = self.until();
        let found = self.session.as_mut().map(|session| session.list(until).0).unwrap_or_default();
        found.into_iter().filter(|folder| folder.selectable).map(|folder| folder.name).collect()
    }

    /// Says goodbye, where there is a connection.
    pub(super) fn end(&mut self) {
        if let Some(session) = self.session.take() {
            session.close();
        }
    }

    pub(super) fn emit(&mut self, event: Event) -> Result<(), Stop> {
        if (self.sink)(event).is_break() {
            return Err(Stop::Broken);
        }
        if self.cancel.is_cancelled() { Err(Stop::Failed(Error::cancelled())) } else { Ok(()) }
    }

    /// Bytes received on all connections.
    pub(super) fn bytes(&self) -> u64 {
        self.earlier_bytes + self.session.as_ref().map_or(0, Session::received)
    }

    fn drop_session(&mut self) {
        self.earlier_bytes = self.bytes();
        self.session = None;
    }

    fn until(&self) -> Instant {
        self.last_yield + self.options.limits.stall
    }

    /// A connection with the folder open; `uidvalidity` as it was before, if it was open before.
    fn ready(&mut self, folder: &str) -> Result<Examined, Failure> {
        let until = self.until();
        if self.session.is_none() {
            let session = Session::open(self.options, self.cancel, until);
            let session = session.map_err(|error| {
                let cut = matches!(error.kind, Kind::Network | Kind::Timeout | Kind::Protocol);
                Failure { error, lost: true, cut, shared: false }
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
    pub(super) fn attempt<T>(
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
                    session.alone = self.alone > 0;
                    match work(session, until) {
                        Ok(done) => {
                            self.failures = 0;
                            self.alone = self.alone.saturating_sub(1);
                            self.trouble = None;
                            self.last_yield = Instant::now();
                            return Ok(done);
                        }
                        Err(failure) => failure,
                    }
                }
            };
            let Failure { error, lost, cut, shared } = failure;
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
            if shared && lost {
                self.alone = ALONE;
                self.remember(error);
                self.back_off()?;
                continue;
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

    pub(super) fn remember(&mut self, error: Error) {
        if error.kind != Kind::Timeout {
            self.trouble = Some(error);
        }
    }

    /// The failure to report at the end: silence last of all.
    pub(super) fn blame(&mut self, error: Error) -> Error {
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
}
