//! How far a pull or an import is, on standard error, where somebody looks on.
//!
//! Invariant: at most two lines a second, and nothing at all when standard error is no terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::text::columns;
use crate::stdx::visible;

/// The line that is written over and over.
pub(super) struct Meter {
    looked_on: bool,
    columns: usize,
    last: Option<Instant>,
}

impl Meter {
    pub(super) fn new() -> Self {
        let columns = columns(std::io::stderr()).unwrap_or(100);
        Self { looked_on: std::io::stderr().is_terminal(), columns, last: None }
    }

    /// So many mails are through, so many new notices were found.
    pub(super) fn count(&mut self, done: u64, total: Option<u64>, found: u64) {
        let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
        self.say(&format!("{done}{of} mails, {found} new notices"), false);
    }

    /// Shows a line; one that is `urgent` even when another one was shown just now.
    pub(super) fn say(&mut self, line: &str, urgent: bool) {
        let due = urgent || self.last.is_none_or(|last| last.elapsed() >= Duration::from_millis(500));
        if self.looked_on && due {
            self.last = Some(Instant::now());
            let line: String = visible(line).chars().take(self.columns.min(100) - 1).collect();
            let _ = write!(std::io::stderr(), "\r{line}\x1b[K");
        }
    }

    /// Takes the line away again.
    pub(super) fn clear(&mut self) {
        if self.last.take().is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
