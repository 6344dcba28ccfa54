//! Deeds: what a user can do, without a screen. The command line and the screen call the same ones.
//!
//! A [`Desk`] is the store, the engine's context and who decides. Times are passed in. Knows nothing of terminals.

mod deliver;
pub mod discover;
mod erase;
mod error;
mod fill;
mod learn;
mod letter;
mod look;
mod lookup;
mod material;
mod offer;
pub mod parallel;
mod pull;
mod seed;
mod suspended;
mod turn;

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

pub use crate::source::Cancel;
pub use crate::store::{Audit, Audited, Changes, Counts, Deed, Erased, Glance, Receipt, StoredNotice as Notice};
pub use deliver::{Order, Since, Written};
pub use erase::{Forgot, Overdue};
pub use error::{Error, Result};
pub use fill::{Filled, Progress};
pub use learn::Learned;
pub use look::Look;
pub use offer::{Offer, offer};
pub use pull::{PullProgress, Pulled, Unread};
pub use turn::{Turn, Turns};

use crate::diagnose::Context;
use crate::dns::Resolver;
use crate::model::{Address, Case, CaseId, Decision, Identity, Note, Timestamp, Verdict};
use crate::rules::RuleBook;
use crate::store::Store;
use crate::suggest::Suggestion;

/// What a desk needs to know; plain data out of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Folder of the store; `None` keeps everything in memory.
    pub state_dir: Option<PathBuf>,
    /// Who we are.
    pub identity: Identity,
    /// Who decides, in the journal and in exports.
    pub lead: String,
    /// Link to a ticket, with `{ticket}`.
    pub ticket_url: Option<String>,
    /// The lead's own rule files, and the own words for causes (`causes.toml`): name and text.
    pub rule_files: Vec<(String, String)>,
    /// Open an existing store only: a missing one is empty and is not made.
    pub look_only: bool,
    /// Language of the texts for customers; English when not set.
    pub language: Option<String>,
    /// The lead's own texts for customers: name and text.
    pub texts: Vec<(String, String)>,
    /// Asks about domains; nobody is asked without it.
    pub resolver: Option<Arc<Resolver>>,
}

/// Everything known about one case.
#[derive(Debug)]
pub struct Detail {
    /// The case.
    pub case: Case,
    /// Its notices, in order of arrival.
    pub notices: Vec<Notice>,
    /// What was decided, oldest first, undone decisions included.
    pub history: Vec<Decision>,
    /// Notes that stand, oldest first.
    pub notes: Vec<Note>,
    /// In which forms it was given out, and when, oldest first.
    pub exports: Vec<(String, Timestamp)>,
    /// What `a` would do.
    pub offer: Offer,
    /// Addresses that may be meant, best first.
    pub suggestions: Vec<Suggestion>,
    /// The cases of the same original message, this one included.
    pub group: Vec<Case>,
    /// Other cases of the same failed address, newest first.
    pub earlier: Vec<Case>,
}

/// What the engine needs to know: the rule book with the lead's own rules, and who we are.
pub fn context(options: &Options) -> Result<Context> {
    let (rules, errors) = RuleBook::with_files(&options.rule_files);
    match errors.first() {
        Some(error) => Err(Error::rules(error)),
        None => Ok(Context { rules, identity: options.identity.clone() }),
    }
}

/// The lead's desk.
///
/// Every call that returns a [`Result`] fails where the store does ([`crate::store::Store`]); others of their reasons are
/// named where they stand. Times are passed in, in seconds since 1970.
pub struct Desk {
    store: Store,
    context: Context,
    lead: String,
    ticket_url: Option<String>,
    resolver: Arc<Resolver>,
    language: String,
    texts: Vec<(String, String)>,
    shelf: RefCell<Option<material::Shelf>>,
}

impl Desk {
    /// Opens the store and makes the rule book.
    pub fn open(options: &Options) -> Result<Self> {
        let context = context(options)?;
        let store = match &options.state_dir {
            Some(dir) if !options.look_only => Store::open(dir)?,
            Some(dir) if Store::exists(dir) => Store::open_to_look(dir)?,
            _ => Store::in_memory()?,
        };
        Ok(Self {
            store,
            context,
            lead: options.lead.clone(),
            ticket_url: options.ticket_url.clone(),
            resolver: options.resolver.clone().unwrap_or_else(|| Arc::new(Resolver::offline())),
            language: options.language.clone().unwrap_or_else(|| "en".to_owned()),
            texts: options.texts.clone(),
            shelf: RefCell::default(),
        })
    }

    /// The rule book in use.
    pub fn rules(&self) -> &RuleBook {
        &self.context.rules
    }

    /// The context of every diagnosis.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Link to the ticket of a case, where the configuration says how and the ticket is known.
    pub fn ticket_link(&self, case: &Case) -> Option<String> {
        let escaped: String = case.ticket.as_ref()?.bytes().map(percent).collect();
        Some(self.ticket_url.as_ref()?.replace("{ticket}", &escaped))
    }

    /// Every case, in order of arrival.
    pub fn cases(&self) -> Result<Vec<Case>> {
        Ok(self.store.cases()?)
    }

    /// The counts of the queue and the rows around a case, or around the first undecided one.
    pub fn glance(&self, wanted: Option<&CaseId>, around: usize, now: Timestamp) -> Result<Glance> {
        Ok(self.store.glance(wanted, around, now)?)
    }

    /// Adds cases behind the last of these, in the order of names: all of them, piece by piece. How many were added.
    pub fn more_cases(&self, cases: &mut Vec<Case>, most: usize) -> Result<usize> {
        Ok(self.store.more_cases(cases, most)?)
    }

    /// What anyone changed since a tick; ask from `upto` the next time. Fails where the store was removed or replaced.
    pub fn changes(&self, since: u64) -> Result<Changes> {
        self.store.in_place()?;
        Ok(self.store.changes(since)?)
    }

    /// The tick of the last change.
    pub fn ticks(&self) -> Result<u64> {
        Ok(self.store.ticks()?)
    }

    /// The case with this name or unique beginning of a name.
    pub fn find(&self, name: &str) -> Result<Case> {
        Ok(self.store.find(name)?)
    }

    /// Everything known about a case.
    pub fn detail(&self, id: &CaseId, now: Timestamp) -> Result<Detail> {
        let case = self.store.find(&id.0)?;
        let notices = self.store.notices(id)?;
        let suggestions = self.suggestions(&case, &notices)?;
        let newest = notices.iter().rev().find(|notice| notice.diagnosis.kind == case.kind).or(notices.last());
        let words = self.context.rules.words(case.cause);
        let offer = offer(&case, newest.map(|notice| &notice.diagnosis), words, &suggestions, now);
        Ok(Detail {
            history: self.store.history(id)?,
            notes: self.store.notes(id)?,
            exports: self.store.exports_of(id)?,
            group: self.store.group(&case.group)?,
            earlier: if case.address.is_empty() { Vec::new() } else { self.store.same_address(&case)? },
            case,
            notices,
            offer,
            suggestions,
        })
    }

    /// The notices of a case, in order of arrival.
    pub fn notices(&self, id: &CaseId) -> Result<Vec<Notice>> {
        Ok(self.store.notices(id)?)
    }

    /// The mail of a notice, as stored.
    pub fn raw(&self, notice: i64) -> Result<Vec<u8>> {
        Ok(self.store.raw(notice)?)
    }

    /// How much the store holds.
    pub fn counts(&self) -> Result<Counts> {
        Ok(self.store.counts()?)
    }

    /// Decides cases alike, as one act. On disk when it returns.
    pub fn decide(&mut self, ids: &[CaseId], verdict: &Verdict, note: Option<&str>, now: Timestamp) -> Result<Receipt> {
        let acts: Vec<_> = ids.iter().map(|id| (id.clone(), verdict.clone())).collect();
        self.decide_each(&acts, note, now)
    }

    /// Decides cases each in its way, as one act. On disk when it returns.
    pub fn decide_each(&mut self, acts: &[(CaseId, Verdict)], note: Option<&str>, now: Timestamp) -> Result<Receipt> {
        for (id, verdict) in acts {
            if let Verdict::Corrected { to } = verdict {
                check_correction(to, &self.store.find(&id.0)?)?;
            }
        }
        let note = note.map(str::trim).filter(|note| !note.is_empty());
        Ok(self.store.decide(acts, note, now, &self.lead)?)
    }

    /// Writes a note on a case.
    pub fn note(&mut self, id: &CaseId, text: &str, now: Timestamp) -> Result<Receipt> {
        Ok(self.store.note(id, text.trim(), now, &self.lead)?)
    }

    /// Takes the last act back; `None` when there is none.
    pub fn undo(&mut self, now: Timestamp) -> Result<Option<Receipt>> {
        Ok(self.store.undo(now, &self.lead)?)
    }

    /// Does again what was taken back last.
    pub fn redo(&mut self, now: Timestamp) -> Result<Option<Receipt>> {
        Ok(self.store.redo(now, &self.lead)?)
    }

    /// Keeps half-typed text, or where the screen stood, for the next run.
    pub fn keep(&mut self, key: &str, value: Option<&str>) -> Result<()> {
        Ok(self.store.keep(key, value)?)
    }

    /// What was kept.
    pub fn kept(&self, key: &str) -> Result<Option<String>> {
        Ok(self.store.kept(key)?)
    }
}

fn percent(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

/// A correction must be one address, and another one than the failed.
fn check_correction(to: &str, case: &Case) -> Result<()> {
    let blank = to.contains(|c: char| c.is_whitespace() || c.is_control());
    match Address::new(to) {
        Some(address) if !blank && address.as_str().eq_ignore_ascii_case(to) => {
            if address.same_as(&case.address) {
                return Err(Error::address(to, "it is the address that failed"));
            }
            Ok(())
        }
        _ => Err(Error::address(to, "it is not an address")),
    }
}
