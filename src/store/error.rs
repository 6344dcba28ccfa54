//! What can go wrong with the store, in words: what failed, on what, why, and what to do.

use std::fmt;
use std::path::Path;

/// A failure of the store.
#[derive(Debug)]
pub struct Error {
    what: String,
    hint: Option<String>,
    source: Option<rusqlite::Error>,
}

/// The result of a store call.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What the reader can do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether another process holds the store.
    pub fn is_busy(&self) -> bool {
        let code = self.source.as_ref().and_then(rusqlite::Error::sqlite_error_code);
        matches!(code, Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked))
    }

    pub(super) fn open(path: &Path, why: impl fmt::Display) -> Self {
        Self {
            what: format!("could not open the store \"{}\": {why}", path.display()),
            hint: Some("check that the folder exists and is yours, or choose another with --state-dir".into()),
            source: None,
        }
    }

    pub(super) fn newer(path: &Path, found: i64, known: i64) -> Self {
        Self {
            what: format!(
                "could not open the store \"{}\": it has schema {found}, this program knows {known}",
                path.display()
            ),
            hint: Some("a newer bounceback wrote it; install that version or choose another --state-dir".into()),
            source: None,
        }
    }

    pub(super) fn damaged(what: &str, why: impl fmt::Display) -> Self {
        Self {
            what: format!("the store is damaged: {what}: {why}"),
            hint: Some("nothing was changed; keep a copy of the file before anything else".into()),
            source: None,
        }
    }

    /// No such case, or more than one begins like this.
    pub fn no_case(name: &str, matches: usize) -> Self {
        let what = match matches {
            0 => format!("no case \"{name}\""),
            n => format!("\"{name}\" is ambiguous: {n} cases begin like this"),
        };
        Self { what, hint: Some("bounceback list shows the name of every case".into()), source: None }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let (what, hint) = match source.sqlite_error_code() {
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => {
                ("the store is busy: another bounceback is writing", "wait a moment and try again")
            }
            Some(Code::DiskFull) => ("could not write to the store: the disk is full", "free some space and try again"),
            Some(Code::ReadOnly | Code::PermissionDenied) => {
                ("could not write to the store: it is read-only", "check the rights of the state folder")
            }
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => {
                ("the store is damaged", "nothing was changed; keep a copy of the file before anything else")
            }
            _ => ("the store failed", "try again; if it stays, keep a copy of the state folder and report it"),
        };
        Self { what: format!("{what} ({source})"), hint: Some(hint.into()), source: Some(source) }
    }
}

impl From<serde_json::Error> for Error {
    fn from(source: serde_json::Error) -> Self {
        Self::damaged("a row does not read", source)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {}
