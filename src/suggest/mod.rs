//! Who should this failed address have been? Suggestions with reasons, and the live check of the correct dialog.
//!
//! Owns judging addresses: named evidence, learned corrections, slips in domains, display names against local parts.
//! Does not know mails, the store, the network or the clock: everything comes in as plain data ([`Query`], [`Book`]).
//! Invariants: a local part is only ever changed by named evidence; nothing is suggested where the address is not at fault;
//! never the failed address itself, never an own address, never one known to have bounced.
//! Sources: RFC 5321 section 4.1.2, RFC 6531; the noisy channel of domains is described in `domain`.

mod book;
mod check;
mod clean;
mod data;
mod domain;
mod evidence;
mod local;
mod named;
mod slip;
mod syntax;
mod table;

use std::collections::HashMap;

pub use book::Book;
pub use check::{Finding, Level, check};
pub use named::{begins_quoted_field, introduces_quote, named_in_text};

use crate::model::{Address, Cause};

/// What is known of one failed address.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The failed address as the notice writes it; may be no address at all.
    pub failed: &'a str,
    /// Why it failed.
    pub cause: Cause,
    /// Whether that cause lies with the address (`address_at_fault` in `assets/causes.toml`).
    pub address_at_fault: bool,
    /// Display name that stood beside the failed address.
    pub display_name: Option<&'a str>,
    /// Addresses that the mails of this case name.
    pub named: &'a [Named],
    /// What this very case was corrected to: that is no evidence for itself.
    pub corrected_to: Option<&'a str>,
}

/// An address that a mail of this case names, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The address as written.
    pub address: String,
    /// The display name beside it.
    pub display_name: Option<String>,
    /// Where it stood.
    pub role: NamedRole,
}

/// Where a named address stood; better evidence first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NamedRole {
    /// The reporting or refusing server names it ("user has moved to", 551, 251).
    ServerHint,
    /// An automatic answer or the person announces it as the new address.
    NewAddress,
    /// Sender of the customer's own mail, as quoted ("... wrote:", "From:") or from the inbox.
    QuotedFrom,
    /// Reply-To of the returned or quoted mail.
    ReplyTo,
    /// In a signature.
    Signature,
    /// Another address of the same person.
    SamePerson,
    /// Another address of the same ticket.
    SameTicket,
    /// A further recipient.
    Cc,
    /// Elsewhere in the text.
    Text,
}

impl NamedRole {
    /// In words, as part of a reason.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ServerHint => "named by the server",
            Self::NewAddress => "announced as the new address",
            Self::QuotedFrom => "sender of the quoted mail",
            Self::ReplyTo => "Reply-To of the mail",
            Self::Signature => "in the signature",
            Self::SamePerson => "another address of this person",
            Self::SameTicket => "another address of this ticket",
            Self::Cc => "Cc of the mail",
            Self::Text => "named in the text",
        }
    }
}

/// How far a suggestion may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// May be preselected for the one-key accept.
    Strong,
    /// Listed only.
    Weak,
}

/// One address it should perhaps have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The address, ready to be used.
    pub address: String,
    /// Why, in words: "domain one swap away; 412 deliveries there".
    pub because: String,
    /// Whether it may be preselected.
    pub confidence: Confidence,
}

/// Most suggestions given: they are taken with the keys 1 to 9.
pub const MOST: usize = 9;

/// Longest failed text that is read, in bytes.
const LONGEST_FAILED: usize = 1000;

/// A strong suggestion must be this much likelier than the next one (nats; 1.6 is five to one).
const LEAD: f32 = 1.6;

/// Suggests who the failed address should have been, best first, at most [`MOST`]; empty where the address is not at fault.
///
/// ```
/// use bounceback::model::Cause;
/// use bounceback::suggest::{Book, Confidence, Query, suggest};
/// let query = Query { failed: "anna.berg@gamil.com", cause: Cause::DomainUnknown, address_at_fault: true, display_name: None, named: &[], corrected_to: None };
/// let found = suggest(&query, &Book::default());
/// assert_eq!(found[0].address, "anna.berg@gmail.com");
/// assert_eq!(found[0].confidence, Confidence::Strong);
/// ```
pub fn suggest(query: &Query<'_>, book: &Book) -> Vec<Suggestion> {
    // An address has at most 254 bytes (RFC 5321); what is far longer is no address that somebody mistyped.
    if !query.address_at_fault || query.failed.len() > LONGEST_FAILED {
        return Vec::new();
    }
    let mut pool = Pool::new(query, book);
    let readings = clean::readings(query.failed);
    for reading in &readings {
        pool.witness = Witness::History;
        evidence::learned(query, book, reading, &mut pool);
        pool.witness = Witness::Mail;
        evidence::named(query, book, reading, &mut pool);
        pool.witness = Witness::Spelling;
        domain::offer(query, book, reading, &mut pool);
        local::offer(query, book, reading, &mut pool);
    }
    pool.finish()
}

/// Whether a domain is a large provider's, where anybody may have a mailbox.
pub fn is_provider(domain: &str) -> bool {
    data::data().is_provider(domain)
}

/// Whether an address is the one in this text, which may carry brackets and blanks around it.
fn is_same(address: &Address, text: &str) -> bool {
    address.same_as(text.trim_matches(|c: char| c == '<' || c == '>' || c.is_whitespace()))
}

/// Who speaks for a candidate. Two who agree on the very address are worth a preselection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Witness {
    /// Corrections made before.
    History,
    /// The mails of the case.
    Mail,
    /// The spelling of the address, the display name and the domains known.
    Spelling,
}

/// A candidate while it is being judged.
struct Candidate {
    address: Address,
    witness: Witness,
    /// Nats in favour; only the order and the distances matter.
    score: f32,
    strong: bool,
    because: Vec<String>,
}

/// The candidates of one query, each address once.
struct Pool<'a> {
    failed: &'a str,
    book: &'a Book,
    witness: Witness,
    candidates: Vec<Candidate>,
    by_address: HashMap<String, usize>,
}

impl<'a> Pool<'a> {
    fn new(query: &Query<'a>, book: &'a Book) -> Self {
        Self {
            failed: query.failed,
            book,
            witness: Witness::History,
            candidates: Vec::new(),
            by_address: HashMap::new(),
        }
    }

    /// Takes a candidate in, unless it is one that is never suggested; a second reason adds to the first.
    fn offer(&mut self, address: &str, score: f32, strong: bool, because: String) {
        let Some(address) = Address::new(address) else { return };
        let same = is_same(&address, self.failed);
        let barred = same || self.book.is_own(&address) || self.book.is_bounced(&address);
        if barred || !syntax::problems(address.as_str()).is_empty() {
            return;
        }
        let key = address.as_str().to_lowercase();
        let known = self.by_address.get(&key).and_then(|at| self.candidates.get_mut(*at));
        if let Some(known) = known {
            known.score = known.score.max(score) + known.score.min(score).clamp(0.0, 4.0);
            known.strong |= strong || (known.witness != self.witness && known.score > 0.0 && score > 0.0);
            if !known.because.contains(&because) {
                let at = if score > known.score { 0 } else { known.because.len() };
                known.because.insert(at, because);
            }
        } else {
            self.by_address.insert(key, self.candidates.len());
            self.candidates.push(Candidate { address, witness: self.witness, score, strong, because: vec![because] });
        }
    }

    fn finish(mut self) -> Vec<Suggestion> {
        let by_score = |a: &Candidate, b: &Candidate| {
            b.score.total_cmp(&a.score).then_with(|| a.address.as_str().cmp(b.address.as_str()))
        };
        self.candidates.sort_by(by_score);
        let second = self.candidates.get(1).map_or(f32::NEG_INFINITY, |candidate| candidate.score);
        let clear = self.candidates.first().is_some_and(|first| first.score - second >= LEAD);
        let give = |(at, candidate): (usize, Candidate)| Suggestion {
            confidence: if at == 0 && clear && candidate.strong { Confidence::Strong } else { Confidence::Weak },
            address: candidate.address.as_str().to_owned(),
            because: said_once(&candidate.because),
        };
        self.candidates.into_iter().enumerate().take(MOST).map(give).collect()
    }
}

/// Reasons one after the other; what an earlier one said is not said again.
fn said_once(reasons: &[String]) -> String {
    let mut said: Vec<&str> = Vec::new();
    for reason in reasons.iter().flat_map(|reason| reason.split("; ")) {
        if !said.iter().any(|before| before.contains(reason)) {
            said.push(reason);
        }
    }
    said.join("; ")
}
