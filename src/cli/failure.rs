//! Turns what went wrong into words and an exit code.
//!
//! Invariant: whatever a mail, a file name or a server put into an error is made visible before it reaches a terminal.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::stdx::{visible, why};

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done.
    Done,
    /// Some of it could not be done; what, was said on standard error.
    Partly,
    /// Everything was done, and something waits for a decision.
    Waiting,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Partly => Self::from(3),
            Outcome::Waiting => Self::from(10),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It could not be done.
    Failed,
    /// It could not be done now, and may go another time.
    Passing,
    /// It was asked for in a way that makes no sense.
    Usage,
    /// Whoever read our output has seen enough; nothing to say.
    ReaderGone,
    /// It could not be done, and why was said already.
    Said,
}

/// A command that failed: what, on what, why; and what to do about it.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    what: String,
    hints: Vec<String>,
}

/// The result of a command.
pub(super) type Result<T = Outcome> = std::result::Result<T, Failure>;

impl Failure {
    /// It could not be done.
    pub fn new(what: impl fmt::Display) -> Self {
        Self { kind: Kind::Failed, what: what.to_string(), hints: Vec::new() }
    }

    /// It was asked for in a way that makes no sense.
    pub fn usage(what: impl fmt::Display) -> Self {
        Self { kind: Kind::Usage, ..Self::new(what) }
    }

    /// It could not be done, and why was said already.
    pub(super) fn said() -> Self {
        Self { kind: Kind::Said, ..Self::new("") }
    }

    /// With advice, where there is some.
    #[must_use]
    pub fn hint<'a>(mut self, hint: impl Into<Option<&'a str>>) -> Self {
        self.hints.extend(hint.into().map(str::to_owned));
        self
    }

    /// With other words for its parts.
    pub(super) fn reworded(mut self, words: impl Fn(&str) -> String) -> Self {
        self.what = words(&self.what);
        self.hints = self.hints.iter().map(|hint| words(hint)).collect();
        self
    }

    /// Whether it may go away by itself.
    pub fn is_passing(&self) -> bool {
        self.kind == Kind::Passing
    }

    /// What failed: on what: why.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The first advice, where there is some.
    pub fn first_hint(&self) -> Option<&str> {
        self.hints.first().map(String::as_str)
    }

    /// The words for standard error, made safe for a terminal. Empty when there is nothing to say.
    pub fn words(&self) -> String {
        if matches!(self.kind, Kind::ReaderGone | Kind::Said) {
            return String::new();
        }
        let mut words = String::new();
        let lines = std::iter::once(("error", &self.what)).chain(self.hints.iter().map(|hint| ("hint", hint)));
        for (heading, text) in lines {
            let text: Vec<_> = text.lines().map(visible).collect();
            words.push_str(&format!("{heading}: {}\n", text.join("\n  ")));
        }
        words
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        match self.kind {
            Kind::Failed | Kind::Passing | Kind::Said => ExitCode::from(1),
            Kind::Usage => ExitCode::from(2),
            Kind::ReaderGone => ExitCode::SUCCESS,
        }
    }
}

/// An error of standard output, the one place where commands meet a bare I/O error.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self { kind: Kind::ReaderGone, ..Self::new(error) },
            _ => Self::new(format!("could not write the output: {}", why(&error))),
        }
    }
}

impl From<crate::config::Error> for Failure {
    fn from(error: crate::config::Error) -> Self {
        Self::new(&error).hint(error.hint())
    }
}

impl From<crate::oauth::Error> for Failure {
    fn from(error: crate::oauth::Error) -> Self {
        let kind = if error.kind() == crate::oauth::Kind::Temporary { Kind::Passing } else { Kind::Failed };
        Self { kind, ..Self::new(&error) }.hint(error.hint())
    }
}

impl From<crate::source::Error> for Failure {
    fn from(error: crate::source::Error) -> Self {
        Self::new(&error).hint(error.hint.as_deref())
    }
}

impl From<crate::desk::Error> for Failure {
    fn from(error: crate::desk::Error) -> Self {
        Self::new(&error).hint(error.hint())
    }
}

impl From<crate::store::Error> for Failure {
    fn from(error: crate::store::Error) -> Self {
        Self::new(&error).hint(error.hint())
    }
}

impl From<crate::export::Error> for Failure {
    fn from(error: crate::export::Error) -> Self {
        Self::new(&error).hint(error.hint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_an_error_reaches_the_terminal_as_it_is() {
        let failure = Failure::new("could not read \"a\u{1b}]0;x\u{7}\"").hint("try\nagain").hint(None);
        assert_eq!(failure.words(), "error: could not read \"a^[]0;x^G\"\nhint: try\n  again\n");
        assert_eq!(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)).words(), "");
    }
}
