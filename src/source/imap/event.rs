//! What a pull tells while it runs, and at its end.

use super::Cursor;
use crate::model::MessageRef;
use crate::source::{Error, RawMail};

/// What happens during a pull.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A folder was opened.
    Opened {
        /// The folder.
        folder: String,
        /// Messages in it.
        exists: u32,
        /// Its UIDVALIDITY.
        uidvalidity: u32,
        /// The server numbers its messages anew since the last pull: all headers are scanned again.
        renewed: bool,
    },
    /// How far it is.
    Progress {
        /// The folder.
        folder: String,
        /// Messages whose headers were read.
        scanned: u64,
        /// Candidates among them.
        candidates: u64,
        /// Candidates fetched.
        fetched: u64,
        /// Messages to be scanned in this folder, as far as known.
        total: u64,
        /// Bytes received in the whole pull.
        bytes: u64,
    },
    /// A candidate.
    Mail(RawMail),
    /// A message that could not be read.
    Unreadable {
        /// Which one.
        place: MessageRef,
        /// Why.
        why: String,
    },
    /// Everything up to here was handed over: commit it together with the cursor.
    Batch {
        /// The folder.
        folder: String,
        /// Where the next pull goes on.
        cursor: Cursor,
    },
    /// The server wants a pause; one event per second.
    Waiting {
        /// Seconds left.
        seconds: u64,
        /// What the server said.
        why: String,
    },
    /// The connection broke and is made anew.
    Reconnecting {
        /// Failures in a row.
        attempt: u32,
        /// What broke.
        why: String,
    },
}

/// What a pull did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Messages whose headers were read.
    pub scanned: u64,
    /// Candidates handed over.
    pub mails: u64,
    /// Candidates that were gone, or empty, when they were fetched.
    pub gone: u64,
    /// Messages that could not be read.
    pub unreadable: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Folders that could not be opened.
    pub problems: Vec<(String, Error)>,
    /// Whether the callback ended it.
    pub stopped: bool,
}
