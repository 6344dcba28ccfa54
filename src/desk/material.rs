//! What suggestions rest on: the book of everything this store knows, and the addresses the mails of a case name.

use std::collections::HashMap;

use super::error::Result;
use super::{Desk, Notice};
use crate::mail::{Mail, Part, PartKind, addresses, normalise};
use crate::model::{Case, CaseId, Cause, Diagnosis, Kind};
use crate::store::Store;
use crate::suggest::{Book, Named, NamedRole, Query, Suggestion, named_in_text, suggest};

/// Notices of a case whose text is read for suggestions: the newest ones.
const READ: usize = 3;

/// The book, and how much of the store it has seen.
pub(super) struct Shelf {
    book: Book,
    seen: u64,
    corrections: HashMap<CaseId, String>,
    stale: bool,
}

impl Shelf {
    fn fill(desk: &Desk) -> Result<Self> {
        let identity = &desk.context.identity;
        let mut shelf = Self {
            book: Book::new(&identity.domains, &identity.addresses),
            seen: desk.store.ticks()?,
            corrections: HashMap::new(),
            stale: false,
        };
        desk.store.each_correspondent(&mut |address, count| shelf.book.add_correspondent(address, count))?;
        desk.store.each_alive(&mut |address| shelf.book.add_correspondent(address, 1))?;
        desk.store.each_correction(&mut |old, new| shelf.book.add_correction(old, new))?;
        desk.store.each_bounced(&mut |address| shelf.book.add_bounced(address))?;
        desk.store.each_corrected_case(&mut |id, to| drop(shelf.corrections.insert(id, to.to_owned())))?;
        Ok(shelf)
    }

    /// Makes the next look fill the book anew.
    pub(super) fn outdated(&mut self) {
        self.stale = true;
    }

    /// Takes over what changed since; says no where something must be unlearned.
    fn follow(&mut self, store: &Store) -> Result<bool> {
        if self.stale {
            return Ok(false);
        }
        let changes = store.changes(self.seen)?;
        for case in &changes.cases {
            match (case.corrected_to.as_deref(), self.corrections.get(&case.id)) {
                (now, Some(before)) if now != Some(before) => return Ok(false),
                (Some(to), None) => {
                    self.book.add_correction(case.sent_to(), to);
                    self.corrections.insert(case.id.clone(), to.to_owned());
                }
                _ => {}
            }
            if case.kind == Kind::Failure && case.cause.condemns_address() {
                self.book.add_bounced(&case.address);
            }
        }
        self.seen = changes.upto;
        Ok(changes.removed.is_empty())
    }
}

impl Desk {
    /// Runs something with the book of what this store knows.
    pub fn with_book<T>(&self, run: impl FnOnce(&Book) -> T) -> Result<T> {
        let mut shelf = self.shelf.borrow_mut();
        let current = match shelf.as_mut() {
            Some(shelf) => shelf.follow(&self.store)?,
            None => false,
        };
        if !current {
            *shelf = Some(Shelf::fill(self)?);
        }
        Ok(run(shelf.as_ref().map_or(&Book::default(), |shelf| &shelf.book)))
    }

    /// Who an address should have been: with the evidence of its newest case where it has one. Without a case the cause
    /// is not known, and only the spelling, the corrections made before and the people known speak.
    pub fn suggest(&self, address: &str) -> Result<Vec<Suggestion>> {
        if let Some(case) = self.store.cases_of(address)?.first() {
            return self.suggestions(case, &self.store.notices(&case.id)?);
        }
        let mut named = Vec::new();
        for (address, _) in self.store.announced(address)? {
            named.push(Named { address, display_name: None, role: NamedRole::NewAddress });
        }
        let query = Query {
            failed: address,
            cause: Cause::Unclear,
            address_at_fault: true,
            display_name: None,
            named: &named,
            corrected_to: None,
        };
        self.with_book(|book| suggest(&query, book))
    }

    pub(super) fn suggestions(&self, case: &Case, notices: &[Notice]) -> Result<Vec<Suggestion>> {
        let words = self.context.rules.words(case.cause);
        if case.address.is_empty() || !words.address_at_fault {
            return Ok(Vec::new());
        }
        let mut named = Vec::new();
        for notice in notices.iter().rev().take(READ) {
            named_by(&notice.diagnosis, &mut named);
            named_in_mail(&self.store.raw(notice.id)?, &mut named);
        }
        for (address, _) in self.store.announced(case.sent_to())? {
            named.push(Named { address, display_name: None, role: NamedRole::NewAddress });
        }
        let name = notices.iter().rev().find_map(|notice| notice.diagnosis.original.name_of(case.sent_to()));
        let query = Query {
            failed: case.sent_to(),
            cause: case.cause,
            address_at_fault: words.address_at_fault,
            display_name: name,
            named: &named,
            corrected_to: case.corrected_to.as_deref(),
        };
        self.with_book(|book| suggest(&query, book))
    }
}

/// Addresses that the diagnosis found: a hint of the server, an announcement, further recipients of the original.
fn named_by(diagnosis: &Diagnosis, named: &mut Vec<Named>) {
    for new in &diagnosis.new_addresses {
        let role = if diagnosis.kind == Kind::AutoReply { NamedRole::NewAddress } else { NamedRole::ServerHint };
        named.push(Named { address: new.address.to_string(), display_name: None, role });
    }
    for to in &diagnosis.original.to {
        let name = diagnosis.original.name_of(to).map(str::to_owned);
        named.push(Named { address: to.clone(), display_name: name, role: NamedRole::Cc });
    }
}

/// Addresses in the returned copy: its header, the customer's quoted mail, a signature.
fn named_in_mail(raw: &[u8], named: &mut Vec<Named>) {
    let raw = normalise(raw);
    let mail = Mail::read(&raw);
    let mut returned = false;
    for part in mail.parts.iter().filter(|part| matches!(part.kind, PartKind::Message | PartKind::Headers)) {
        returned = true;
        let copy = Mail::read(part.body);
        for (field, role) in [("Reply-To", NamedRole::ReplyTo), ("Cc", NamedRole::Cc)] {
            let value = copy.head().get(field).map(|field| field.raw());
            let found = value.iter().flat_map(|value| addresses(value));
            named.extend(found.map(|address| Named { address: address.to_string(), display_name: None, role }));
        }
        named_in_parts(&copy.parts, named);
    }
    if !returned {
        // The original is pasted into the text, among words of the server: only what is plainly a person's counts.
        let mut found = Vec::new();
        named_in_parts(&mail.parts, &mut found);
        found.retain(|one| matches!(one.role, NamedRole::QuotedFrom | NamedRole::ReplyTo | NamedRole::Signature));
        named.append(&mut found);
    }
}

fn named_in_parts(parts: &[Part<'_>], named: &mut Vec<Named>) {
    let texts =
        parts.iter().filter(|part| matches!(part.kind, PartKind::Text | PartKind::Html) && !part.is_attachment());
    named.extend(texts.take(2).flat_map(|part| named_in_text(part.text().as_str())));
}
