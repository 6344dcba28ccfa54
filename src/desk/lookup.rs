//! What the name system says about an address or a domain, together with what the store and the rule book know.

use super::Desk;
use super::error::Result;
use crate::dns::{self, Card, Check, DkimSelector};
use crate::model::{Case, Cause, Kind};
use crate::rules::Sending;

impl Desk {
    /// Checks an address: its syntax, its domain, and what a bounce in the store said of this very mailbox.
    pub fn check_address(&self, text: &str, cancel: &dyn Fn() -> bool) -> Result<Check> {
        let mut said = None;
        let newest = self.store.cases_of(text)?.into_iter().find(|case| case.address.eq_ignore_ascii_case(text));
        if let Some(case) = newest.filter(is_refusal) {
            said = self.said(&case)?.or(Some("without a reason".to_owned()));
        }
        self.with_book(|book| dns::check(text, said.as_deref(), book, &self.resolver, cancel))
    }

    /// What the server said of the recipient in the newest notice of a case.
    fn said(&self, case: &Case) -> Result<Option<String>> {
        let notices = self.store.notices(&case.id)?;
        let said = notices.iter().rev().find_map(|notice| {
            notice.diagnosis.recipients.get(notice.recipient?).and_then(|one| one.diagnostic.clone())
        });
        Ok(said)
    }

    /// What a domain publishes about who may send for it, and what its administrator must change. Asks for what the
    /// configured help desk needs, and for `more` besides.
    pub fn auth_card(&self, domain: &str, more: &Sending, cancel: &dyn Fn() -> bool) -> Card {
        let configured = self.context.identity.desk.as_deref();
        let desk = self.rules().desks().iter().find(|desk| Some(desk.slug.as_str()) == configured);
        let needs: Vec<&Sending> = desk.and_then(|desk| desk.sending.as_ref()).into_iter().chain([more]).collect();
        let includes: Vec<&str> = needs.iter().filter_map(|need| need.spf_include.as_deref()).collect();
        let selectors: Vec<DkimSelector> =
            needs.iter().flat_map(|need| &need.dkim).map(|text| selector(text)).collect();
        dns::auth_card(domain, &includes, &selectors, &self.resolver, cancel)
    }
}

/// Whether a case says that there is no such mailbox; other refusals say nothing of the mailbox.
fn is_refusal(case: &Case) -> bool {
    case.kind == Kind::Failure
        && matches!(case.cause, Cause::MailboxUnknown | Cause::MailboxMoved | Cause::MailboxDisabled)
}

/// `zendesk1`, or `zendesk1=zendesk1._domainkey.zendesk.com`.
fn selector(text: &str) -> DkimSelector {
    match text.split_once('=') {
        Some((name, target)) => DkimSelector { name: name.to_owned(), target: Some(target.to_owned()) },
        None => DkimSelector { name: text.to_owned(), target: None },
    }
}
