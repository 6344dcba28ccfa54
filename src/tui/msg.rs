//! What happens to the screen (`Msg`) and what it wishes for (`Effect`): plain data, so that every step can be replayed.

use std::path::PathBuf;

use super::input::Key;
use super::model::{Fold, Repeat};
use crate::desk::{Changes, Detail, Glance, Receipt};
use crate::export::Format;
use crate::model::{Case, CaseId, Timestamp, Verdict};
use crate::resend::Wanted;
use crate::suggest::Finding;

/// Why something did not work, in words, with what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What failed, on what, why.
    pub what: String,
    /// What to do.
    pub hint: Option<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

/// What happened.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The terminal has another size.
    Resize(u16, u16),
    /// It is this late; comes before every batch of input.
    Clock(Timestamp),
    /// The counts of the store and the rows around the cursor, at the start.
    Glance(Box<Glance>),
    /// All cases of the store, in no order.
    Cases(Vec<Case>),
    /// The state of the screen kept by the last run.
    Restored(Option<String>),
    /// What the store holds besides cases, in words: label and text.
    Counted(Vec<(String, String)>),
    /// Cases changed, by this screen or by anyone else.
    Changed(Changes),
    /// Everything about one case.
    Loaded(Box<Detail>),
    /// The notices of some cases.
    Unfolded(Vec<(CaseId, Vec<Fold>)>),
    /// A mail as stored, or that it cannot be had.
    Mail(i64, Vec<u8>),
    /// A half-typed text of the last run.
    Draft(String, Option<String>),
    /// What is to be said of an address being typed.
    Checked(String, Vec<Finding>),
    /// What the name system says of the domain of an address being typed.
    LookedUp(String, Finding),
    /// What our domain publishes for SPF, DKIM and DMARC: the domain, and the card line by line.
    Card(String, Vec<String>),
    /// A decision is on disk, or is not.
    Decided(Deed, Result<Done, Failure>),
    /// Undo or redo came back.
    Undone {
        /// Whether it was a redo.
        redo: bool,
        /// What it did; nothing when there was nothing left.
        result: Result<Option<Done>, Failure>,
    },
    /// An export was written: path and number of lines. Or it needs an answer, or it failed.
    Exported(Result<Written, Failure>),
    /// A fetch began, went on, or ended.
    Fetch(String, FetchStep),
    /// The editor was closed: the note, `None` where it was left empty.
    Edited(CaseId, Result<Option<String>, Failure>),
    /// No key came: the search or the filter may go on.
    GoOn,
    /// The frame was drawn.
    Painted,
    /// A text is ready for the clipboard: what it is, and the text.
    Letter(String, String),
    /// Something else failed.
    Failed(Failure),
    /// Something else went well, in words.
    Said(String),
    /// The terminal is gone or the program was asked to end.
    Ended,
}

/// What was written to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// So many lines are in the file.
    Lines(PathBuf, u64),
    /// The file exists already.
    Exists(ExportOrder),
}

/// How far a fetch is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchStep {
    /// It began.
    Begun,
    /// Another process is fetching; it goes on when that one has ended.
    Waits,
    /// Looked at, in all, new notices.
    At(u64, Option<u64>, u64),
    /// Nobody asked, and there was nothing new; or the connection stands again.
    Synced,
    /// The server cannot be reached at the moment; it is tried again, or told with `$`.
    Lost(Failure),
    /// It ended.
    Ended {
        /// New notices.
        notices: u64,
        /// New cases.
        cases: u64,
        /// Whether it was stopped early.
        cancelled: bool,
        /// Messages that could not be read.
        unreadable: u64,
    },
    /// It failed.
    Failed(Failure),
}

/// What a decision was about, for the words when it comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The first case it was about.
    pub case: CaseId,
    /// All of them.
    pub ids: Vec<CaseId>,
    /// Its row, from 1, when the key was pressed.
    pub row: usize,
    /// Who it was about: the failed address.
    pub who: String,
    /// In words.
    pub what: String,
    /// How many cases it asked for.
    pub asked: usize,
    /// What `.` would repeat.
    pub repeat: Option<Repeat>,
    /// Kept text to forget once it is saved.
    pub draft: Option<String>,
    /// Whether the cursor was moved on.
    pub advanced: bool,
}

/// A deed that is on disk.
#[derive(Debug)]
pub struct Done {
    /// What the journal says.
    pub receipt: Receipt,
    /// The cases as they are now.
    pub changes: Changes,
}

/// Which file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportOrder {
    /// What goes into it.
    pub format: Format,
    /// Where.
    pub path: PathBuf,
    /// Whether an existing file may be replaced.
    pub replace: bool,
}

/// A wish of the screen, carried out by the runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Load everything about a case.
    Load(CaseId),
    /// Load the notices of some cases.
    Unfold(Vec<CaseId>),
    /// Load a mail.
    Mail(i64),
    /// Load a half-typed text.
    Draft(String),
    /// Check an address that is to replace the failed one.
    Check(String, String),
    /// Ask the name system about the domain of an address being typed, where that is allowed.
    LookUp(String),
    /// Write the text for the customer of a case.
    Letter(CaseId, Wanted),
    /// Write the text for the administrator about the incident of a case.
    Incident(CaseId),
    /// Look up what a domain of ours publishes for SPF, DKIM and DMARC.
    Card(String),
    /// Decide, as one act.
    Decide(Deed, Vec<(CaseId, Verdict)>, Option<String>),
    /// Accept the proposal of each, as one act.
    Accept(Deed, Vec<CaseId>),
    /// Write a note.
    Note(Deed, String),
    /// Take the last act back.
    Undo,
    /// Do it again.
    Redo,
    /// Count what the store holds.
    Count,
    /// Write an export.
    Export(ExportOrder),
    /// Fetch from every account.
    Pull,
    /// Stop fetching.
    Stop,
    /// Edit a note in `$EDITOR`.
    Edit(CaseId, String),
    /// Send a text to the terminal's clipboard.
    Copy(String),
    /// Paint everything anew.
    Redraw,
    /// Stop until the shell wakes us.
    Suspend,
}
