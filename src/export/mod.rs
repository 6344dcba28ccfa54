//! Gives out what was decided: tables for spreadsheets and imports, JSON Lines for scripts.
//!
//! Rows in, bytes out. Knows nothing of stores or screens; whoever exports fills the rows.
//! Invariants: no cell of a table for people starts a formula; a file is whole or absent, readable by its owner only,
//! and never replaces another one unasked.

pub mod csv;
pub mod desks;
mod file;
mod format;
pub mod json;
pub mod lists;
pub mod markdown;

use serde::Serialize;

pub use file::{Error, to_file};
pub use format::{Format, write};

use crate::model::{Case, Cause, Decision, Diagnosis, MessageRef, Note, Recipient, State, Status, Timestamp};

/// Who reads a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cells {
    /// A person with a spreadsheet: cells that would start a formula are neutralised with an apostrophe.
    Spreadsheet,
    /// A program: addresses such as `+tag@example.org` stand as they are.
    Raw,
}

/// One corrected address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The address that failed, as the help desk has it on record.
    pub old_address: String,
    /// The right one.
    pub new_address: String,
    /// Who is meant, where a name is known.
    pub person: Option<String>,
    /// The ticket, as the desk writes it.
    pub ticket: Option<String>,
    /// Why it failed.
    pub cause: Cause,
    /// Literal status code.
    pub status: Option<Status>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// By whom.
    pub decided_by: String,
    /// The lead's words.
    pub note: Option<String>,
}

impl Correction {
    /// The correction of a case, where it has one.
    pub fn of(record: &Record) -> Option<Self> {
        let case = &record.case;
        let (State::Corrected, Some(to), Some(at)) = (case.state, &case.corrected_to, case.decided_at) else {
            return None;
        };
        let decision = record.decisions.iter().rev().find(|decision| !decision.undone);
        let notes: Vec<&str> = record.notes.iter().map(|note| note.text.as_str()).collect();
        Some(Self {
            old_address: case.sent_to().to_owned(),
            new_address: to.to_string(),
            person: record.person().map(str::to_owned),
            ticket: case.ticket.as_deref().map(str::to_owned),
            cause: case.cause,
            status: case.status,
            decided_at: at,
            decided_by: decision.map(|decision| decision.by.clone()).unwrap_or_default(),
            note: (!notes.is_empty()).then(|| notes.join(" / ")),
        })
    }
}

/// One case with everything that belongs to it.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// The case, as `list --json` writes it.
    #[serde(flatten)]
    pub case: json::CaseLine,
    /// What was decided, oldest first; undone decisions are marked.
    pub decisions: Vec<Decision>,
    /// The lead's notes, oldest first.
    pub notes: Vec<Note>,
    /// The mails, oldest first.
    pub mails: Vec<Mail>,
    /// The block list that a refusal names, as people know it.
    pub block_list: Option<String>,
    /// In which forms it was given out, and when, oldest first.
    pub exports: Vec<Given>,
}

/// When a case was given out in a form.
#[derive(Debug, Clone, Serialize)]
pub struct Given {
    /// Name of the form.
    pub format: String,
    /// When.
    pub at: Timestamp,
}

impl Record {
    /// A case and what belongs to it, at a point in time.
    pub fn new(case: &Case, decisions: Vec<Decision>, notes: Vec<Note>, mails: Vec<Mail>, now: Timestamp) -> Self {
        Self { case: json::CaseLine::new(case, now), decisions, notes, mails, block_list: None, exports: Vec::new() }
    }

    /// The name of the person we wrote to, where a returned message gives it.
    pub fn person(&self) -> Option<&str> {
        self.mails.iter().rev().find_map(|mail| mail.diagnosis.original.name_of(self.case.sent_to()))
    }

    /// What the newest notice that names the recipient says about it.
    pub fn recipient(&self) -> Option<&Recipient> {
        let named = |recipient: &&Recipient| recipient.address.same_as(&self.case.address);
        self.mails.iter().rev().find_map(|mail| mail.diagnosis.recipients.iter().find(named))
    }

    /// The lead's notes on one line.
    pub fn noted(&self) -> String {
        self.notes.iter().map(|note| note.text.as_str()).collect::<Vec<_>>().join(" / ")
    }
}

/// One notice of a case.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    /// Where it lies.
    pub source: MessageRef,
    /// When it arrived.
    pub received: Timestamp,
    /// Whether only its beginning was fetched.
    pub truncated: bool,
    /// What it says.
    pub diagnosis: Diagnosis,
}
