//! What may not be kept: people who ask to be forgotten, and what has grown too old. And what was done, for the audit.

use std::fs;
use std::path::PathBuf;

use super::Desk;
use super::error::Result;
use crate::model::{CaseId, Timestamp};
use crate::stdx::find_ignore_case;
use crate::store::{Audited, Deed, Erased};

/// What was forgotten, and what is left of it elsewhere.
#[derive(Debug, Default)]
pub struct Forgot {
    /// What was removed from the store.
    pub erased: Erased,
    /// Exported files that still hold the address.
    pub exports: Vec<PathBuf>,
}

/// What is older than it may be kept.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// Cases to be removed.
    pub cases: Vec<CaseId>,
    /// Cases as old that nobody has decided; they are kept unless asked otherwise.
    pub undecided: Vec<CaseId>,
}

impl Desk {
    /// Removes a person from notices, cases, decisions, notes, correspondents and known copies of the store. A keyed hash
    /// stays, so that the next pull does not bring the person back.
    pub fn forget(&mut self, address: &str, now: Timestamp) -> Result<Forgot> {
        let holds = |path: &PathBuf| {
            fs::read(path).is_ok_and(|bytes| find_ignore_case(&bytes, address.trim().as_bytes()).is_some())
        };
        let mut exports = self.store.files_of(Deed::Export)?;
        exports.retain(holds);
        let erased = self.store.forget(address, now, &self.lead)?;
        if let Some(shelf) = self.shelf.get_mut() {
            shelf.outdated();
        }
        Ok(Forgot { erased, exports })
    }

    /// Cases whose last notice and last decision are older than so many days.
    pub fn overdue(&self, days: u32, now: Timestamp) -> Result<Overdue> {
        let before = now.plus_days(-i64::from(days));
        let mut overdue = Overdue::default();
        for case in self.store.cases()? {
            let last = case.decided_at.map_or(case.last_received, |at| at.max(case.last_received));
            if last < before {
                let list = if case.is_undecided(now) { &mut overdue.undecided } else { &mut overdue.cases };
                list.push(case.id);
            }
        }
        Ok(overdue)
    }

    /// Removes these cases, and mails and correspondents older than so many days.
    pub fn purge(&mut self, cases: &[CaseId], days: u32, now: Timestamp) -> Result<Erased> {
        let erased = self.store.purge(cases, now.plus_days(-i64::from(days)), now, &self.lead)?;
        if let Some(shelf) = self.shelf.get_mut() {
            shelf.outdated();
        }
        Ok(erased)
    }

    /// Copies of the store that are known; a purge leaves them as they are, because they are there to undo mishaps.
    pub fn copies(&self) -> Result<Vec<PathBuf>> {
        Ok(self.store.copies()?)
    }

    /// Everything that was done since a point in time, oldest first.
    pub fn audit(&self, since: Timestamp) -> Result<Vec<Audited>> {
        Ok(self.store.audit(since)?)
    }
}
