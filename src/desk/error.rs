//! What can go wrong in a deed, in words: what failed, on what, why, and what to do.

use std::fmt;

use crate::source::Kind;

/// A failure of a deed.
#[derive(Debug)]
pub struct Error {
    what: String,
    hint: Option<String>,
    busy: bool,
    passing: bool,
}

/// The result of a deed.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What the reader can do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether it may go away by itself: the network, a server in trouble.
    pub fn is_passing(&self) -> bool {
        self.passing
    }

    /// Whether trying again in a moment may help: another process was writing.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    pub(super) fn address(address: &str, why: impl fmt::Display) -> Self {
        let what = format!("could not take \"{}\" as the corrected address: {why}", address.escape_debug());
        Self { what, hint: Some("give one address such as anna@example.org".into()), busy: false, passing: false }
    }

    pub(super) fn texts(why: impl fmt::Display) -> Self {
        let hint =
            "own texts are TOML files in the folder \"texts\" beside the configuration, one for each language".into();
        Self { what: format!("could not use the texts: {why}"), hint: Some(hint), busy: false, passing: false }
    }

    pub(super) fn turn() -> Self {
        Self {
            what: "another bounceback is still fetching; gave up waiting for it".into(),
            hint: Some("what it fetches appears here; end it if it hangs, and fetch again".into()),
            busy: true,
            passing: true,
        }
    }

    pub(super) fn rules(why: impl fmt::Display) -> Self {
        let hint = "bounceback rules check FILE shows every fault of a rule file".into();
        Self { what: format!("could not load the rules: {why}"), hint: Some(hint), busy: false, passing: false }
    }
}

impl From<crate::store::Error> for Error {
    fn from(error: crate::store::Error) -> Self {
        Self { what: error.to_string(), hint: error.hint().map(str::to_owned), busy: error.is_busy(), passing: false }
    }
}

impl From<crate::source::Error> for Error {
    fn from(error: crate::source::Error) -> Self {
        let passing =
            matches!(error.kind, Kind::Network | Kind::Timeout | Kind::Tls | Kind::Protocol | Kind::Throttled);
        Self { what: error.to_string(), hint: error.hint, busy: false, passing }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {}
