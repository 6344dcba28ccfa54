//! Gives out what was decided: tables for spreadsheets and imports, JSON Lines for scripts.
//!
//! Rows in, bytes out. Knows nothing of stores or screens; whoever exports fills the rows.
//! Invariants: no cell of a table for people starts a formula; a file is whole or absent, readable by its owner only,
//! and never replaces another one unasked.

pub mod csv;
mod file;
pub mod json;

use serde::Serialize;

pub use file::{Error, to_file};

use crate::model::{Case, Cause, Decision, Diagnosis, MessageRef, Note, Status, Timestamp};

/// What an export looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Corrections, one per line.
    Csv,
    /// Whole cases, one JSON object per line.
    Jsonl,
}

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
}

impl Record {
    /// A case and what belongs to it, at a point in time.
    pub fn new(case: &Case, decisions: Vec<Decision>, notes: Vec<Note>, mails: Vec<Mail>, now: Timestamp) -> Self {
        Self { case: json::CaseLine::new(case, now), decisions, notes, mails }
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
