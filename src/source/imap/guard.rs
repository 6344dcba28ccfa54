//! The transport guard: stands between TLS and the `imap` crate and keeps a hostile or broken server from harming us.
//!
//! The crate buffers whole responses, recurses into nested lists and never gives up waiting. The guard therefore
//! limits lines, literals, nesting and bytes per command, ends a command at an absolute deadline however slowly bytes
//! drip, and sees a [`Cancel`] within [`TICK`]. Bytes outside literals that no grammar allows (8-bit, NUL) reach the
//! crate as `?`, so that a server's umlaut in a human-readable text is no parse error; the tap and the ring keep the
//! original.
//!
//! Invariant: no secret leaves through [`Control::last_line`].

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::lexer::Lexer;
use crate::model::Secret;
use crate::source::Cancel;
use crate::source::error::clean;

/// How long one blocking call may last; bounds how late a cancel or a deadline is seen.
pub(super) const TICK: Duration = Duration::from_millis(200);
/// What is kept of the last bytes received, for error screens.
const RING: usize = 4096;

/// A connection, encrypted or (loopback only) not.
pub(super) enum Wire {
    Plain(TcpStream),
    Tls(Box<native_tls::TlsStream<TcpStream>>),
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(wire) => wire.read(buf),
            Self::Tls(wire) => wire.read(buf),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(wire) => wire.write(buf),
            Self::Tls(wire) => wire.write(buf),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(wire) => wire.flush(),
            Self::Tls(wire) => wire.flush(),
        }
    }
}

/// What one command may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// Until when its answer must be complete.
    pub(super) deadline: Instant,
    /// Bytes of its whole answer.
    pub(super) bytes: u64,
    /// Bytes of one literal.
    pub(super) literal: u64,
}

/// Why the guard closed the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trip {
    Cancelled,
    Deadline,
    Limit(&'static str),
}

/// The handle on a guard that is buried inside the crate's session.
#[derive(Clone)]
pub(super) struct Control(Arc<Mutex<State>>);

struct State {
    budget: Budget,
    left: u64,
    lexer: Lexer,
    ring: VecDeque<u8>,
    tap: Option<Vec<u8>>,
    idle: Option<Idle>,
    received: u64,
    secrets: Vec<Secret>,
    trip: Option<Trip>,
    /// Number in the last tag that was sent (`a7`).
    tag: u32,
    /// Commands to send behind the next one, without their tags.
    ahead: Vec<String>,
    /// What was sent before the crate wrote it.
    sent: VecDeque<u8>,
}

struct Idle {
    until: Instant,
    line: Vec<u8>,
    news: bool,
    done_sent: bool,
}

impl Control {
    pub(super) fn new(budget: Budget, secrets: Vec<Secret>) -> Self {
        Self(Arc::new(Mutex::new(State {
            budget,
            left: budget.bytes,
            lexer: Lexer::default(),
            ring: VecDeque::new(),
            tap: None,
            idle: None,
            received: 0,
            secrets,
            trip: None,
            tag: 0,
            ahead: Vec::new(),
            sent: VecDeque::new(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets what the next command may cost.
    pub(super) fn allow(&self, budget: Budget) {
        let mut state = self.state();
        state.left = budget.bytes;
        state.budget = budget;
    }

    /// A command to send right behind the next one. The crate writes it later, after those announced before, and then
    /// it is not sent again: the crate knows one command at a time, the line need not.
    pub(super) fn ahead(&self, command: String) {
        self.state().ahead.push(command);
    }

    /// Keeps a copy of the following answers as the server wrote them.
    pub(super) fn tap(&self) {
        self.state().tap = Some(Vec::new());
    }

    /// What was kept since [`Self::tap`].
    pub(super) fn take_tap(&self) -> Vec<u8> {
        self.state().tap.take().unwrap_or_default()
    }

    /// The following command is IDLE: the guard itself ends it with DONE at `until` or on news.
    pub(super) fn idle_until(&self, until: Instant) {
        self.state().idle = Some(Idle { until, line: Vec::new(), news: false, done_sent: false });
    }

    /// Whether the IDLE that just ended brought news.
    pub(super) fn idle_over(&self) -> bool {
        self.state().idle.take().is_some_and(|idle| idle.news)
    }

    /// Bytes received so far.
    pub(super) fn received(&self) -> u64 {
        self.state().received
    }

    /// Why the guard ended the connection, where it did.
    pub(super) fn trip(&self) -> Option<Trip> {
        self.state().trip
    }

    /// The last line the server sent, without secrets, safe for a terminal.
    pub(super) fn last_line(&self) -> String {
        self.line_from_end(|_| true)
    }

    /// The last line that is no tagged answer: the one to show when an answer could not be read.
    pub(super) fn last_odd_line(&self) -> String {
        let odd = self.line_from_end(|line| !is_tagged(line));
        if odd.is_empty() { self.last_line() } else { odd }
    }

    fn line_from_end(&self, wanted: impl Fn(&[u8]) -> bool) -> String {
        let state = self.state();
        let bytes: Vec<u8> = state.ring.iter().copied().collect();
        let mut text = bytes.trim_ascii_end();
        // where the ring begins inside a line, a secret may be cut at its start
        let longest = state.secrets.iter().map(|secret| secret.expose().len() * 2).max().unwrap_or(0);
        let cut = if bytes.len() >= RING { longest } else { 0 };
        loop {
            let (before, line) = match memchr::memrchr(b'\n', text) {
                Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default()),
                None => (&[][..], text.get(cut..).unwrap_or_default()),
            };
            if !line.trim_ascii().is_empty() && wanted(line) {
                return redact(&String::from_utf8_lossy(line), &state.secrets);
            }
            if before.is_empty() {
                return String::new();
            }
            text = before;
        }
    }

    /// A text of the server without secrets, safe for a terminal.
    pub(super) fn redact(&self, text: &str) -> String {
        redact(text, &self.state().secrets)
    }
}

/// Whether a line is the crate's tag (`a` and a number) and a status.
fn is_tagged(line: &[u8]) -> bool {
    let mut words = line.splitn(3, |&b| b == b' ');
    let tag = words.next().and_then(|tag| tag.strip_prefix(b"a"));
    tag.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
        && words.next().is_some_and(|status| {
            [&b"OK"[..], b"NO", b"BAD"].iter().any(|known| status.trim_ascii().eq_ignore_ascii_case(known))
        })
}

fn redact(text: &str, secrets: &[Secret]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.expose().is_empty()) {
        text = text.replace(secret.expose(), "***");
    }
    clean(&text)
}

/// The stream the crate sees.
pub(super) struct Guard {
    wire: Wire,
    control: Control,
    cancel: Cancel,
}

impl Guard {
    pub(super) fn new(wire: Wire, control: Control, cancel: Cancel) -> Self {
        Self { wire, control, cancel }
    }

    /// Checks the flag and the clock; ends an IDLE that is over.
    fn check(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let mut state = self.control.state();
        let cancelled = self.cancel.is_cancelled();
        if let Some(idle) = &mut state.idle
            && !idle.done_sent
            && (idle.news || cancelled || now >= idle.until)
        {
            idle.done_sent = true;
            state.budget.deadline = now + Duration::from_secs(10);
            drop(state);
            self.wire.write_all(b"DONE\r\n")?;
            return self.wire.flush();
        }
        if cancelled {
            state.trip = Some(Trip::Cancelled);
            return Err(io::Error::new(io::ErrorKind::TimedOut, "cancelled"));
        }
        if now >= state.budget.deadline && state.idle.as_ref().is_none_or(|idle| idle.done_sent) {
            state.trip = Some(Trip::Deadline);
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no complete answer in time"));
        }
        Ok(())
    }
}

fn again(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

impl Read for Guard {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            self.check()?;
            match self.wire.read(buf) {
                Ok(n) => {
                    let got = buf.get_mut(..n).unwrap_or_default();
                    return self.control.state().take_in(got).map(|()| n);
                }
                Err(error) if again(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Write for Guard {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        loop {
            self.check()?;
            let early = self.control.state().sent_early(buf)?;
            let written = if early { Ok(buf.len()) } else { self.wire.write(buf) };
            match written {
                Err(error) if again(&error) => {}
                Err(error) => return Err(error),
                Ok(n) => {
                    let ahead = self.control.state().wrote(buf.get(..n).unwrap_or_default());
                    self.wire.write_all(&ahead)?;
                    return Ok(n);
                }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.wire.flush()
    }
}

impl State {
    /// Whether this was sent before the crate wrote it.
    fn sent_early(&mut self, buf: &[u8]) -> io::Result<bool> {
        if self.sent.is_empty() {
            return Ok(false);
        }
        if self.sent.len() < buf.len() || !self.sent.iter().zip(buf).all(|(sent, byte)| sent == byte) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "commands out of order"));
        }
        self.sent.drain(..buf.len());
        Ok(true)
    }

    /// Takes note of what was written; what is to be sent behind it.
    fn wrote(&mut self, buf: &[u8]) -> Vec<u8> {
        let tag = buf.strip_prefix(b"a").and_then(|rest| rest.split(|&byte| byte == b' ').next());
        let number = tag.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| digits.parse().ok());
        self.tag = self.tag.max(number.unwrap_or(0));
        let mut lines = Vec::new();
        if buf.ends_with(b"\n") {
            for command in std::mem::take(&mut self.ahead) {
                self.tag += 1;
                lines.extend(format!("a{} {command}\r\n", self.tag).into_bytes());
            }
        }
        self.sent.extend(&lines);
        lines
    }

    fn take_in(&mut self, got: &mut [u8]) -> io::Result<()> {
        self.received += got.len() as u64;
        let skip = got.len().saturating_sub(RING);
        self.ring.extend(got.iter().skip(skip));
        let over = self.ring.len().saturating_sub(RING);
        self.ring.drain(..over);
        if let Some(tap) = &mut self.tap {
            tap.extend_from_slice(got);
        }
        if let Some(idle) = &mut self.idle {
            idle.watch(got);
        }
        let limit = match self.left.checked_sub(got.len() as u64) {
            Some(left) => {
                self.left = left;
                self.lexer.feed(got, self.budget.literal).err()
            }
            None => Some("the answer is too long"),
        };
        match limit {
            None => Ok(()),
            Some(why) => {
                self.trip = Some(Trip::Limit(why));
                Err(io::Error::new(io::ErrorKind::InvalidData, why))
            }
        }
    }
}

impl Idle {
    /// News is a new message, or one that went away.
    fn watch(&mut self, got: &[u8]) {
        for &byte in got {
            if byte == b'\n' {
                let line = self.line.trim_ascii().to_ascii_uppercase();
                self.news |= line.starts_with(b"* ") && (line.ends_with(b" EXISTS") || line.ends_with(b" EXPUNGE"));
                self.line.clear();
            } else if self.line.len() < 200 {
                self.line.push(byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_and_no_control_character_is_shown() {
        let budget = Budget { deadline: Instant::now(), bytes: 1 << 20, literal: 0 };
        let control = Control::new(budget, vec![Secret::new("hunter2".to_owned())]);
        let take = |text: &str| control.state().take_in(&mut text.to_owned().into_bytes()).unwrap();
        take("* OK first\r\n* NO you said \"hunter2\" \u{1b}[2J\r\n");
        assert_eq!(control.last_line(), r#"* NO you said "***" ^[[2J"#);
        for cut in 0..10 {
            take("\r\n");
            take(&format!("{}hunter2{}", "x".repeat(20), "y".repeat(RING - cut)));
            assert!(!control.last_line().contains("unter2"), "{}", control.last_line());
            assert!(!control.last_line().contains("er2"), "{}", control.last_line());
        }
    }
}
