//! What can be wrong with a configuration, in words: one constructor per message.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::stdx::NO_SUCH_COMMAND;

/// A configuration that cannot be used. Displays as `file:line: what`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    file: Option<PathBuf>,
    line: Option<usize>,
    what: String,
    hint: Option<String>,
}

impl Error {
    /// What to do about it, where something is known.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(super) fn at(file: &Path, line: Option<usize>, what: impl Into<String>) -> Self {
        Self { file: Some(file.to_owned()), line, what: what.into(), hint: None }
    }

    fn plain(what: String) -> Self {
        Self { file: None, line: None, what, hint: None }
    }

    #[must_use]
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn unreadable(file: &Path, why: &std::io::Error) -> Self {
        Self::at(file, None, format!("could not read the configuration: {}", crate::stdx::why(why)))
            .with_hint("\"bounceback config example\" prints one to start from")
    }

    pub(super) fn open_to_all(file: &Path) -> Self {
        Self::at(file, None, "everybody may write this file, and so run commands as you")
            .with_hint(format!("chmod o-w \"{}\"", file.display()))
    }

    pub(super) fn no_home() -> Self {
        Self::plain("no home directory is known for this user".to_owned())
            .with_hint("name the places yourself: --config FILE --state-dir DIR")
    }

    pub(super) fn no_such_account(name: &str, known: &[&str]) -> Self {
        let error = Self::plain(format!("no account \"{name}\" is configured"));
        match known {
            [] => error.with_hint("\"bounceback config example\" shows how to describe one"),
            known => error.with_hint(format!("configured: {}", known.join(", "))),
        }
    }

    pub(super) fn secret_command(key: &str, program: &str, why: &str) -> Self {
        let hint = if why == NO_SUCH_COMMAND {
            format!(
                "check its spelling; \"command -v {program}\" tells whether this shell finds it, a whole path is found always"
            )
        } else {
            "the command must print the secret as the first line of its standard output; no shell runs it".to_owned()
        };
        Self::plain(format!("{key} \"{program}\" gave no secret: {why}")).with_hint(hint)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}:", file.display())?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {}
