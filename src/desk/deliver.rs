//! Giving out what was decided: fills the rows of the exports from the store.

use super::Desk;
use super::error::Result;
use crate::export::{Correction, Mail, Record};
use crate::model::{Case, State, Timestamp};

impl Desk {
    /// Every corrected address, in the order of decision; `since` leaves out older decisions.
    pub fn corrections(&self, since: Option<Timestamp>) -> Result<Vec<Correction>> {
        let mut rows = Vec::new();
        for case in self.store.cases()? {
            let (State::Corrected, Some(to), Some(at)) = (case.state, &case.corrected_to, case.decided_at) else {
                continue;
            };
            if since.is_some_and(|since| at < since) {
                continue;
            }
            let decision = self.store.history(&case.id)?.into_iter().rev().find(|one| !one.undone);
            let notes: Vec<String> = self.store.notes(&case.id)?.into_iter().map(|note| note.text).collect();
            rows.push(Correction {
                old_address: case.sent_to().to_owned(),
                new_address: to.clone(),
                person: self.person(&case)?,
                ticket: case.ticket.clone(),
                cause: case.cause,
                status: case.status,
                decided_at: at,
                decided_by: decision.map(|one| one.by).unwrap_or_default(),
                note: (!notes.is_empty()).then(|| notes.join(" / ")),
            });
        }
        rows.sort_by(|a, b| (a.decided_at, &a.old_address).cmp(&(b.decided_at, &b.old_address)));
        Ok(rows)
    }

    /// Cases with everything that belongs to them.
    pub fn records(&self, cases: &[Case], now: Timestamp) -> Result<Vec<Record>> {
        cases.iter().map(|case| self.record(case, now)).collect()
    }

    /// One case with everything that belongs to it.
    pub fn record(&self, case: &Case, now: Timestamp) -> Result<Record> {
        let mails = self.store.notices(&case.id)?.into_iter().map(|notice| Mail {
            source: notice.place,
            received: notice.received,
            truncated: notice.truncated,
            diagnosis: notice.diagnosis,
        });
        Ok(Record::new(case, self.store.history(&case.id)?, self.store.notes(&case.id)?, mails.collect(), now))
    }

    /// The name of the person we wrote to, where the returned message gives it.
    fn person(&self, case: &Case) -> Result<Option<String>> {
        let notices = self.store.notices(&case.id)?;
        Ok(notices.iter().rev().find_map(|notice| notice.diagnosis.original.name_of(case.sent_to()).map(str::to_owned)))
    }
}
