//! What can go wrong with the store, in words: what failed, on what, why, and what to do.

use std::fmt;
use std::io;
use std::path::Path;

use crate::model::CaseId;
use crate::stdx::visible;

/// A failure of the store.
#[derive(Debug)]
pub struct Error {
    what: String,
    hint: Option<String>,
    source: Option<rusqlite::Error>,
    /// The system let nobody write.
    forbidden: bool,
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

    /// Whether the store, or the folder its log must lie in, may not be written to.
    pub(super) fn is_read_only(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        let code = self.source.as_ref().and_then(rusqlite::Error::sqlite_error_code);
        self.forbidden || matches!(code, Some(Code::ReadOnly | Code::PermissionDenied | Code::CannotOpen))
    }

    fn new(what: String, hint: impl Into<String>) -> Self {
        Self { what, hint: Some(hint.into()), source: None, forbidden: false }
    }

    pub(super) fn folder(path: &Path, why: &io::Error) -> Self {
        let error = Self::new(
            format!("could not open the store \"{}\": {}", path.display(), crate::stdx::why(why)),
            "check that the folder exists and is yours, or choose another with --state-dir",
        );
        let forbidden = matches!(why.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem);
        Self { forbidden, ..error }
    }

    pub(super) fn open(path: &Path, why: rusqlite::Error) -> Self {
        let (because, hint) = explain(&why);
        let what = format!("could not open the store \"{}\": {because}", path.display());
        Self { source: Some(why), ..Self::new(what, hint) }
    }

    /// Not even its beginning reads.
    pub(super) fn unreadable(path: &Path, why: rusqlite::Error) -> Self {
        let error = Self::open(path, why);
        match error.source.as_ref().and_then(rusqlite::Error::sqlite_error_code) {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => Self {
                hint: Some(
                    "nothing of it can be read: \"bounceback store restore FILE\" with a backup; without one move the file \
                     away, and a pull brings back the mails, but no decisions"
                        .into(),
                ),
                ..error
            },
            _ => error,
        }
    }

    pub(super) fn newer(path: &Path, found: usize, known: usize) -> Self {
        Self::new(
            format!(
                "could not open the store \"{}\": it has schema {found}, this program knows {known}",
                path.display()
            ),
            "a newer bounceback wrote it; install that version or choose another --state-dir",
        )
    }

    pub(super) fn not_brought_up(path: &Path, step: usize, copy: &Path, why: &rusqlite::Error) -> Self {
        let (because, _) = explain(why);
        Self::new(
            format!("could not bring the store \"{}\" to schema {step}: {because}", path.display()),
            format!("nothing was changed; a copy lies in \"{}\"; please report it", copy.display()),
        )
    }

    /// What was written last is in the log, which can only be taken in where the folder may be written to.
    pub(super) fn log_left(path: &Path) -> Self {
        Self::new(
            format!(
                "could not read the store \"{}\": its folder is read-only, and what was written last is still in its log",
                path.display()
            ),
            "copy the folder to where you may write, and name the copy with --state-dir",
        )
    }

    /// An older store can only be read once it is brought up to date.
    pub(super) fn older_and_read_only(path: &Path, found: usize) -> Self {
        Self::new(
            format!(
                "could not read the store \"{}\": it has schema {found}, and may not be written to to bring it up to date",
                path.display()
            ),
            "copy the folder to where you may write, and name the copy with --state-dir",
        )
    }

    /// Only the log of a store is there.
    pub(super) fn headless(path: &Path) -> Self {
        Self::new(
            format!("could not open the store \"{}\": the file is gone, but its log is still there", path.display()),
            "bring the file back, or \"bounceback store restore FILE\" with a backup; to begin anew move the log away",
        )
    }

    /// The file was removed or replaced while it was open.
    pub(super) fn moved(path: &Path) -> Self {
        Self::new(
            format!(
                "the store was removed or replaced while it was open; nothing can be saved: \"{}\"",
                path.display()
            ),
            "bring the file back if it was moved; then leave and start again",
        )
    }

    pub(super) fn no_store(path: &Path) -> Self {
        Self::new(
            format!("\"{}\" is no store of bounceback", path.display()),
            "nothing was changed; \"bounceback store backup FILE\" makes one",
        )
    }

    pub(super) fn bad_copy(path: &Path, fault: &str) -> Self {
        Self::new(
            format!("could not restore \"{}\": it is not in order: {fault}", path.display()),
            "nothing was changed; choose another backup",
        )
    }

    /// The same fault of a file that was to be restored.
    pub(super) fn of_copy(self) -> Self {
        Self { hint: Some("nothing was changed; choose another backup".into()), ..self }
    }

    pub(super) fn in_use(path: &Path) -> Self {
        Self::new(
            format!("could not replace the store \"{}\": another bounceback has it open", path.display()),
            "leave that one, then try again; nothing was changed",
        )
    }

    pub(super) fn copy(path: &Path, why: &rusqlite::Error) -> Self {
        let (because, hint) = explain(why);
        Self::new(format!("could not copy the store to \"{}\": {because}", path.display()), hint)
    }

    pub(super) fn copy_file(path: &Path, why: &io::Error) -> Self {
        match why.kind() {
            io::ErrorKind::AlreadyExists => Self::new(
                format!("could not write \"{}\": there is a file of that name", path.display()),
                "--force replaces it",
            ),
            _ => Self::new(
                format!("could not write \"{}\": {}", path.display(), crate::stdx::why(why)),
                "check the rights of the folder, and the space on its disk",
            ),
        }
    }

    pub(super) fn damaged(what: &str, why: impl fmt::Display) -> Self {
        Self::new(format!("the store is damaged: {what}: {why}"), DAMAGED)
    }

    /// No such case, or more than one begins like this.
    pub fn no_case(name: &str, matches: usize) -> Self {
        let what = match matches {
            0 => format!("no case \"{name}\""),
            n => format!("\"{name}\" is ambiguous: {n} cases begin like this"),
        };
        Self::new(what, "bounceback list shows the name of every case")
    }

    /// An address that failed in several messages, where one case is wanted.
    pub fn several_cases<'a>(address: &str, names: impl Iterator<Item = &'a CaseId>) -> Self {
        let names: Vec<&str> = names.take(10).map(|id| id.0.as_str()).collect();
        let what = format!("\"{}\" failed in several messages: name one case", visible(address));
        Self::new(what, format!("the cases are {}", names.join(", ")))
    }
}

const DAMAGED: &str = "nothing was changed; \"bounceback store check\" says what can be saved, and how";

/// What SQLite means, and what to do about it.
fn explain(why: &rusqlite::Error) -> (String, &'static str) {
    use rusqlite::ErrorCode as Code;
    let (what, hint) = match why.sqlite_error_code() {
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => {
            ("another bounceback is writing to it", "wait a moment and try again")
        }
        Some(Code::DiskFull) => ("the disk is full", "free some space and try again"),
        Some(Code::ReadOnly | Code::PermissionDenied) => {
            ("it may not be written to", "check the rights of the state folder, or choose another with --state-dir")
        }
        Some(Code::CannotOpen) => {
            ("it cannot be opened", "check the rights of the state folder, and the space on its disk")
        }
        Some(Code::SystemIoFailure) => {
            ("the disk failed", "check the disk: space, quota, hardware; what was saved before is still there")
        }
        Some(Code::DatabaseCorrupt | Code::NotADatabase) => ("it is damaged", DAMAGED),
        _ => ("SQLite failed", "try again; if it stays, keep a copy of the state folder and report it"),
    };
    (format!("{what} ({why})"), hint)
}

impl From<rusqlite::Error> for Error {
    fn from(source: rusqlite::Error) -> Self {
        let (because, hint) = explain(&source);
        Self { source: Some(source), ..Self::new(format!("could not use the store: {because}"), hint) }
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
