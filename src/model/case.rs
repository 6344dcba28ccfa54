//! Cases and what the lead did with them.
//!
//! A case is one original message and one failed recipient. Its state is what the journal of decisions says; nothing
//! but the journal changes it. Knows nothing of how cases are stored.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cause::{Cause, slugs};
use super::diagnosis::Kind;
use super::status::Status;
use super::time::Timestamp;

/// Names a case for good: made from the original message and the failed address, so every pull finds the same one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(pub String);

/// Names the cases of one original message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(pub String);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a notice lies: an account's folder, a file, a line of an mbox. Display form is the `source` of the contract.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageRef(pub String);

slugs! {
    /// Where a case stands.
    State {
        /// Not decided.
        New = "new",
        /// The address was corrected.
        Corrected = "corrected",
        /// To be tried again at a date.
        Retry = "retry",
        /// Not our fault.
        NotOurFault = "not-our-fault",
        /// Spam or backscatter.
        Spam = "spam",
        /// Handed to somebody else.
        Escalated = "escalated",
        /// Settled otherwise.
        Done = "done",
    }
}

impl State {
    /// The letter of the list (`design/interaction.md`).
    pub const fn letter(self) -> char {
        match self {
            Self::New => '.',
            Self::Corrected => 'C',
            Self::Retry => 'R',
            Self::NotOurFault => 'O',
            Self::Spam => 'B',
            Self::Escalated => 'E',
            Self::Done => 'D',
        }
    }
}

/// A decision with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Verdict {
    /// Back into the queue.
    New,
    /// The right address.
    Corrected {
        /// The corrected address.
        to: String,
    },
    /// Try again.
    Retry {
        /// When it is due.
        until: Timestamp,
    },
    /// Not our fault.
    NotOurFault,
    /// Spam or backscatter.
    Spam,
    /// Somebody else must act.
    Escalated {
        /// Who, where the lead said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whom: Option<String>,
    },
    /// Settled otherwise.
    Done,
}

impl Verdict {
    /// The state it leads to.
    pub const fn state(&self) -> State {
        match self {
            Self::New => State::New,
            Self::Corrected { .. } => State::Corrected,
            Self::Retry { .. } => State::Retry,
            Self::NotOurFault => State::NotOurFault,
            Self::Spam => State::Spam,
            Self::Escalated { .. } => State::Escalated,
            Self::Done => State::Done,
        }
    }
}

/// One row of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its name.
    pub id: CaseId,
    /// The cases of the same original message.
    pub group: GroupId,
    /// The failed address; empty for a likely bounce that names none.
    pub address: Box<str>,
    /// What we sent to, where it differs.
    pub original_address: Option<Box<str>>,
    /// Kind of the newest notice: failure, delay, complaint, or other for one that could not be read.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Why it failed.
    pub cause: Cause,
    /// Literal status code.
    pub status: Option<Status>,
    /// Literal reply code.
    pub reply_code: Option<u16>,
    /// The reporting server.
    pub reporter: Option<Box<str>>,
    /// The ticket, as the desk writes it.
    pub ticket: Option<Box<str>>,
    /// The corrected address.
    pub corrected_to: Option<Box<str>>,
    /// When a retry is due.
    pub due: Option<Timestamp>,
    /// Message-ID of the original message.
    pub message_id: Option<Box<str>>,
    /// Subject of the original message, else of the notice.
    pub subject: Option<Box<str>>,
    /// Arrival of the first notice.
    pub received: Timestamp,
    /// Its place among the recipients that its first notice names, from 0.
    pub position: u32,
    /// Arrival of the newest notice.
    pub last_received: Timestamp,
    /// How many notices it holds.
    pub notices: u32,
    /// Decided before, and the same recipient bounced again since.
    pub again: bool,
    /// Whether the lead wrote a note.
    pub noted: bool,
    /// Whether the newest notice could not be fully read.
    pub unread: bool,
    /// Whether it stands in the queue at all: not absorbed by a later failure, not closed by a delivered notice.
    /// A delay may still have closed by itself: [`Case::is_queued`] knows the time.
    pub queued: bool,
    /// When a delay closes by itself as "no failure seen", if nothing more is heard of it.
    pub closes: Option<Timestamp>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
}

impl Case {
    /// Days without a further notice after which an undecided delay closes by itself.
    pub const SILENT_DAYS: i64 = 5;

    /// What the queue is sorted by: arrival, and within one message the order of the mail.
    pub fn order(&self) -> (Timestamp, &GroupId, u32, &CaseId) {
        (self.received, &self.group, self.position, &self.id)
    }

    /// Whether it is a delay that closed by itself: nothing followed it for days, so no failure was seen.
    pub fn is_silent(&self, now: Timestamp) -> bool {
        self.queued && self.closes.is_some_and(|at| at <= now)
    }

    /// Whether it stands in the queue, at this point in time.
    pub fn is_queued(&self, now: Timestamp) -> bool {
        self.queued && !self.is_silent(now)
    }

    /// The address the help desk has on record: what we sent to.
    pub fn sent_to(&self) -> &str {
        self.original_address.as_deref().unwrap_or(&self.address)
    }

    /// Whether the lead still has to decide it, at this point in time.
    pub fn is_undecided(&self, now: Timestamp) -> bool {
        self.is_queued(now)
            && (self.state == State::New
                || self.again
                || (self.state == State::Retry && self.due.is_some_and(|due| due <= now)))
    }
}

/// One line of the journal as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Which case.
    pub case: CaseId,
    /// What was decided.
    pub verdict: Verdict,
    /// The note given with it.
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Whether a later undo took it back.
    pub undone: bool,
}

/// A note on a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What was written.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// What an entry of the journal did, for the words of undo and redo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Cases were decided.
    Decided(Verdict),
    /// A note was written.
    Noted(String),
}
