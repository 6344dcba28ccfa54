//! Everything the screen knows: plain data, changed by `update` only, read by `view`.
//!
//! Knows nothing of terminals, threads and clocks: the time of the last event is part of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::confirm::Confirm;
use super::correct::Correct;
use super::keys::{Action, Keymap};
use super::mail::Shown;
use super::menu::Menu;
use super::msg::Failure;
use super::page::Page;
use super::prompt::Prompt;
use super::queue::{Queue, Trial};
use super::session::Place;
use super::theme::Theme;
use crate::desk::Detail;
use crate::model::{CaseId, Cause, Kind, Proposal, Timestamp, Verdict, Zone};

/// What does not change during a run.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The zone times are shown in.
    pub zone: Zone,
    /// Name of the account or mailbox, for the status line.
    pub title: String,
    /// Which key does what.
    pub keys: Keymap,
    /// The styles.
    pub theme: Theme,
    /// The words for each cause.
    pub words: BTreeMap<Cause, CauseWords>,
    /// Link to a ticket, with `{ticket}`.
    pub ticket_url: Option<String>,
    /// Domains that are ours.
    pub own_domains: Vec<String>,
    /// Folder for exports.
    pub export_dir: PathBuf,
    /// Names of the accounts that `$` fetches from.
    pub accounts: Vec<String>,
    /// Accounts that no password was given for.
    pub unsigned: Vec<String>,
    /// Only these cases are shown (`open PATH`); `None` shows all.
    pub only: Option<BTreeSet<CaseId>>,
}

/// What the rule book says about a cause, as far as the screen needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CauseWords {
    /// A few words for the list.
    pub title: String,
    /// What it means.
    pub explanation: String,
    /// What to do.
    pub next_step: String,
    /// Days until a retry, where the cause has its own number.
    pub retry_days: Option<u32>,
    /// The decision it proposes.
    pub propose: Option<Proposal>,
}

/// What the lower pane shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// What happened and why.
    #[default]
    Diagnosis,
    /// The message that came back.
    Returned,
    /// The mail as it is.
    Raw,
    /// Notes and history.
    Notes,
}

impl Pane {
    /// In the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Diagnosis, Self::Returned, Self::Raw, Self::Notes];
}

/// One notice of a case, as far as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// When it arrived.
    pub received: Timestamp,
    /// What it is.
    pub kind: Kind,
    /// Status or reply code, as the list shows it.
    pub code: String,
    /// Why it failed.
    pub cause: Cause,
}

/// How the pane shows its text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// First line shown.
    pub scroll: usize,
    /// Whether the raw mail is still to be opened at its first evidence line.
    pub to_evidence: bool,
    /// Which evidence line of the raw mail is marked.
    pub evidence: usize,
    /// Whether all header fields are shown.
    pub headers: bool,
    /// Whether quoted text is shown.
    pub quoted: bool,
    /// Whether the MIME parts are listed.
    pub parts: bool,
}

/// How a message of the program is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A deed is on disk.
    Saved,
    /// For information.
    Plain,
    /// Something to look at.
    Warning,
    /// Something failed.
    Error,
}

/// The line above the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// In words, clean.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// Whether the right side offers undo.
    pub undoable: bool,
    /// The same in fewer words, where the line has no room for all of them.
    pub brief: String,
    /// The command that says the same more exactly, where there is one.
    pub more_exactly: &'static str,
}

/// What lies over the main screen, the last one on top.
#[derive(Debug, Clone)]
pub enum Layer {
    /// Correct an address.
    Correct(Box<Correct>),
    /// One line of input.
    Prompt(Prompt),
    /// A choice by one key.
    Menu(Menu),
    /// Yes or no.
    Confirm(Box<Confirm>),
    /// A page of text: help, status, messages, summary.
    Page(Page),
}

/// A text that was made for the lead, to read and to copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Its heading.
    pub title: String,
    /// Its lines.
    pub lines: Vec<String>,
}

/// A fetch in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Account.
    pub name: String,
    /// Mails looked at and in all, notices found.
    pub done: u64,
    /// Mails in all.
    pub total: Option<u64>,
    /// New notices.
    pub found: u64,
    /// Since when it runs.
    pub since: Timestamp,
}

/// What fetching did so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetching {
    /// Running now.
    pub running: Vec<Job>,
    /// When the last one ended well.
    pub synced: Option<Timestamp>,
    /// How the last one of an account failed.
    pub failed: Option<(String, Failure)>,
    /// What the last ones did, per account, in words.
    pub results: BTreeMap<String, String>,
}

/// The decision `.` repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Repeat {
    /// The same verdict; a retry counts its days anew.
    Verdict(Verdict),
    /// Retry after so many days.
    Retry(i64),
    /// The same correction: of this domain to that one.
    Domain(String, String),
    /// The same correction of one address.
    Address(String, String),
}

/// Work on many rows that goes on piece by piece, so that a key can stop it.
#[derive(Debug)]
pub enum Quest {
    /// A search.
    Search {
        /// Which way.
        forward: bool,
        /// Rows that have been looked through.
        done: usize,
    },
    /// A filter that is tried on the cases.
    Filter(Trial),
}

/// What was done in this run, for the summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// Keys pressed.
    pub keys: u64,
    /// Cases decided.
    pub decided: u64,
    /// When the screen was opened.
    pub since: Timestamp,
}

/// The whole screen.
#[derive(Debug)]
pub struct Model {
    /// What does not change.
    pub setup: Setup,
    /// Columns and rows.
    pub size: (u16, u16),
    /// Time of the last event.
    pub now: Timestamp,
    /// The rows.
    pub queue: Queue,
    /// Where the last run stood, until the cursor is there again.
    pub place: Option<Place>,
    /// Everything about the case under the cursor, once it has been loaded.
    pub detail: Option<Detail>,
    /// Its newest mail, once it has been loaded.
    pub mail: Option<Shown>,
    /// Which pane is open.
    pub pane: Pane,
    /// Whether it takes the whole screen.
    pub zoomed: bool,
    /// How it shows its text.
    pub reading: Reading,
    /// What lies over it.
    pub layers: Vec<Layer>,
    /// The line above the keys.
    pub notice: Option<Notice>,
    /// All such lines, oldest first.
    pub log: VecDeque<(Timestamp, Notice)>,
    /// The pattern of the last search.
    pub pattern: String,
    /// A search or a filter that goes on.
    pub quest: Option<Quest>,
    /// What `.` does.
    pub repeat: Option<Repeat>,
    /// Fetches.
    pub fetching: Fetching,
    /// A key that waits until its case has been loaded and shown.
    pub waiting: Option<Action>,
    /// The case whose proposal the last frame showed.
    pub painted: Option<CaseId>,
    /// Cases on their way to the journal.
    pub in_flight: BTreeSet<CaseId>,
    /// What was done so far.
    pub effort: Effort,
    /// Whether the cursor has been moved by hand, so that arriving rows leave it alone.
    pub moved: bool,
    /// Whether the last decision was the last one left.
    pub just_finished: bool,
    /// The case that was asked for last.
    pub requested: Option<CaseId>,
    /// The mail that was asked for last.
    pub mail_requested: Option<i64>,
    /// The notices of cases that have several, where the list shows them.
    pub folds: BTreeMap<CaseId, Vec<Fold>>,
    /// The cases whose notices were asked for last.
    pub folds_requested: Vec<CaseId>,
    /// Half-typed texts by their keys; `None` once they are saved.
    pub drafts: BTreeMap<String, Option<String>>,
    /// What the store holds besides cases: label and text.
    pub counted: Vec<(String, String)>,
    /// The case whose address was corrected last in this run.
    pub corrected_last: Option<CaseId>,
    /// The text of the page [`Subject::Sheet`](super::page::Subject::Sheet).
    pub sheet: Sheet,
    /// Whether the summary is printed when the screen closes.
    pub print_summary: bool,
    /// Whether Ctrl-C was the last key.
    pub cancelled: bool,
    /// Whether the screen is to close.
    pub quit: bool,
}

impl Model {
    /// An empty screen.
    pub fn new(setup: Setup, size: (u16, u16), now: Timestamp) -> Self {
        let queue = Queue::new(setup.only.clone());
        Self {
            setup,
            size,
            now,
            queue,
            place: None,
            detail: None,
            mail: None,
            pane: Pane::Diagnosis,
            zoomed: false,
            reading: Reading::default(),
            layers: Vec::new(),
            notice: None,
            log: VecDeque::new(),
            pattern: String::new(),
            quest: None,
            repeat: None,
            fetching: Fetching::default(),
            waiting: None,
            painted: None,
            in_flight: BTreeSet::new(),
            effort: Effort { since: now, ..Effort::default() },
            moved: false,
            just_finished: false,
            requested: None,
            mail_requested: None,
            folds: BTreeMap::new(),
            folds_requested: Vec::new(),
            drafts: BTreeMap::new(),
            counted: Vec::new(),
            corrected_last: None,
            sheet: Sheet::default(),
            print_summary: false,
            cancelled: false,
            quit: false,
        }
    }

    /// The loaded detail, where it belongs to the case under the cursor.
    pub fn current(&self) -> Option<&Detail> {
        let case = self.queue.current()?;
        self.detail.as_ref().filter(|detail| detail.case.id == case.id)
    }

    /// The mail of the case under the cursor, where it has been loaded.
    pub fn current_mail(&self) -> Option<&Shown> {
        let newest = self.current()?.notices.last()?.id;
        self.mail.as_ref().filter(|mail| mail.notice == newest)
    }

    /// The words for a cause.
    pub fn words(&self, cause: Cause) -> &CauseWords {
        const NONE: &CauseWords = &CauseWords {
            title: String::new(),
            explanation: String::new(),
            next_step: String::new(),
            retry_days: None,
            propose: None,
        };
        self.setup.words.get(&cause).unwrap_or(NONE)
    }

    /// Takes changed cases; what is shown of the current one is asked for anew where it is among them.
    pub fn refresh(&mut self, changes: crate::desk::Changes) {
        let current = self.queue.current().map(|case| (case.id.clone(), case.group.clone()));
        let touched = current.is_some_and(|(id, group)| {
            changes.removed.contains(&id) || changes.cases.iter().any(|case| case.id == id || case.group == group)
        });
        self.queue.apply(changes, self.now);
        if touched {
            self.requested = None;
        }
    }

    /// Says something on the line above the keys, and keeps it in the log.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        let notice = Notice {
            text: super::text::clean(&text.into()).into_owned(),
            tone,
            undoable: tone == Tone::Saved,
            brief: String::new(),
            more_exactly: "",
        };
        self.log.push_back((self.now, notice.clone()));
        if self.log.len() > 500 {
            self.log.pop_front();
        }
        self.notice = Some(notice);
    }
}
