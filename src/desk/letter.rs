//! The text to paste for a customer whose answer came back: gathers what the notices of a case say, and fills it in.

use super::error::{Error, Result};
use super::{Desk, Notice};
use crate::mail::{Mail, ReturnedCopy, normalise};
use crate::model::{Case, State, Zone};
use crate::resend::{Letter, Texts, Wanted, Written};

impl Desk {
    /// The text for a case. Without a wish the one that usually helps with its cause; without a language the configured.
    pub fn letter(&self, case: &Case, wanted: Option<Wanted>, language: Option<&str>, zone: &Zone) -> Result<Written> {
        let texts = Texts::load(language.unwrap_or(&self.language), &self.texts).map_err(Error::texts)?;
        let wanted = wanted.unwrap_or(Wanted::by(case.cause, case.state == State::Corrected));
        let notices = self.store.notices(&case.id)?;
        let originals = || notices.iter().rev().map(|notice| &notice.diagnosis.original);
        let letter = Letter {
            person: originals().find_map(|original| original.name_of(case.sent_to())).map(str::to_owned),
            old_address: case.sent_to().to_owned(),
            new_address: case.corrected_to.as_deref().map(str::to_owned),
            subject: originals().find_map(|original| original.subject.clone()),
            sent: originals().find_map(|original| original.date),
            ticket: case.ticket.as_deref().map(str::to_owned),
            copy: self.returned(&notices)?,
            cause: Some(case.cause),
        };
        Ok(letter.write(wanted, &texts, zone))
    }

    /// The fullest copy of the original message: of several notices one may have returned its header only.
    fn returned(&self, notices: &[Notice]) -> Result<ReturnedCopy> {
        let mut best = ReturnedCopy::default();
        for notice in notices.iter().rev() {
            let raw = self.store.raw(notice.id)?;
            let raw = normalise(&raw);
            let copy = ReturnedCopy::find(&Mail::read(&raw), Some(&notice.diagnosis.original));
            if copy.text.len() > best.text.len() {
                best = copy;
            }
        }
        Ok(best)
    }
}
