//! The rule book: all knowledge out of `assets/` (and the user's own files), filled once, then looked up.
//!
//! Owns the tables and their indexes; the question why is in `ask.rs`. Knows no mail.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::ask::Rule;
use super::codes::{ReplyRow, StatusPattern, StatusRow};
use super::desk::{Desk, MIN_ANCHOR, TicketPattern};
use super::format::{FieldMark, Format, Literals, Seen};
use super::kinds::Kinds;
use super::phrases::{Found, Matcher};
use super::provider::{Provider, fits, labels};
use super::words::{Advice, Words};
use crate::model::Cause;

/// What a literal in a reply stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum LiteralOf {
    /// The wording of a rule: the rule, and the place among its phrases.
    Wording(u32, u32),
    /// A host of this provider.
    Host(u16),
}

/// All knowledge.
#[derive(Debug, Default)]
pub struct RuleBook {
    words: Vec<Words>,
    pub(crate) advice: Vec<Advice>,
    pub(crate) free_mail: HashSet<String>,
    pub(crate) statuses: HashMap<StatusPattern, StatusRow>,
    pub(crate) replies: BTreeMap<u16, ReplyRow>,
    pub(super) providers: Vec<Provider>,
    /// Providers by the host suffixes of theirs, without a leading dot.
    by_suffix: HashMap<Box<str>, Vec<u16>>,
    pub(super) rules: Vec<Rule>,
    pub(super) by_phrase: Matcher,
    /// What the literals in the matcher stand for.
    pub(super) literal_of: Vec<LiteralOf>,
    /// Rules without a phrase.
    pub(super) bare: Vec<u32>,
    pub(crate) desks: Vec<Desk>,
    formats: Vec<Format>,
    pub(crate) kinds: Kinds,
    literals: Literals,
    /// Ticket marks in the order they are asked: desk, mark.
    marks: Vec<(usize, usize)>,
    by_mark: Matcher,
    /// Those the matcher cannot find: they have no literal.
    unscanned: Vec<u32>,
    mark_fields: Vec<String>,
}

impl RuleBook {
    pub(crate) fn words_mut(&mut self, cause: Cause) -> &mut Words {
        if self.words.len() < Cause::ALL.len() {
            self.words.resize_with(Cause::ALL.len(), Words::blank);
        }
        let index = cause as usize;
        #[expect(clippy::indexing_slicing, reason = "one entry per cause was just made")]
        &mut self.words[index]
    }

    pub(crate) fn push_provider(&mut self, provider: Provider) -> u16 {
        let number = u16::try_from(self.providers.len()).unwrap_or(u16::MAX);
        for suffix in &provider.hosts {
            self.add_literal(suffix, LiteralOf::Host(number));
            // of two with the same suffix the later one is meant: the user's
            self.by_suffix.entry(suffix.trim_start_matches('.').into()).or_default().insert(0, number);
        }
        self.providers.push(provider);
        number
    }

    pub(crate) fn push_rule(&mut self, rule: Rule) {
        let number = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
        if rule.phrases.is_empty() {
            self.bare.push(number);
        } else {
            for (place, phrase) in (0..).zip(&rule.phrases) {
                self.add_literal(phrase.anchor().unwrap_or_default(), LiteralOf::Wording(number, place));
            }
        }
        self.rules.push(rule);
    }

    fn add_literal(&mut self, literal: &str, of: LiteralOf) {
        if !literal.is_empty() {
            self.by_phrase.add(literal, u32::try_from(self.literal_of.len()).unwrap_or(u32::MAX));
            self.literal_of.push(of);
        }
    }

    pub(crate) fn push_format(&mut self, format: Format) {
        self.formats.push(format);
    }

    /// Numbers the body literals; after the last file.
    pub(crate) fn finish(&mut self) {
        self.words_mut(Cause::Unclear);
        for format in &mut self.formats {
            format.number(&mut self.literals);
        }
        self.order_marks();
        self.kinds.finish(&mut self.literals);
    }

    fn order_marks(&mut self) {
        let mut marks: Vec<(usize, usize)> = self
            .desks
            .iter()
            .enumerate()
            .flat_map(|(desk, one)| (0..one.tickets.len()).map(move |ticket| (desk, ticket)))
            .collect();
        marks.sort_by_key(|&(desk, ticket)| {
            self.desks.get(desk).and_then(|one| Some((one.tickets.get(ticket)?.priority, one.slug == "generic")))
        });
        for (number, &(desk, ticket)) in (0..).zip(&marks) {
            let anchor = self.desks.get(desk).and_then(|one| one.tickets.get(ticket)?.pattern.anchor());
            match anchor.filter(|anchor| anchor.len() >= MIN_ANCHOR) {
                Some(anchor) => self.by_mark.add(anchor, number),
                None => self.unscanned.push(number),
            }
        }
        let mut fields: Vec<String> =
            self.desks.iter().flat_map(|desk| desk.tickets.iter().map(|ticket| ticket.field.clone())).collect();
        fields.sort();
        fields.dedup();
        self.mark_fields = fields;
        self.marks = marks;
    }

    /// Whether ticket marks are looked for in a header field of this name.
    pub fn is_ticket_field(&self, name: &[u8]) -> bool {
        self.mark_fields.iter().any(|field| field.len() == name.len() && field.as_bytes().eq_ignore_ascii_case(name))
    }

    /// The words for a cause.
    pub fn words(&self, cause: Cause) -> &Words {
        static NONE: std::sync::OnceLock<Words> = std::sync::OnceLock::new();
        self.words.get(cause as usize).unwrap_or_else(|| NONE.get_or_init(Words::blank))
    }

    /// Every advice for a cause, in the order of the file.
    pub fn advice(&self, cause: Cause) -> impl Iterator<Item = &Advice> + '_ {
        self.advice.iter().filter(move |advice| advice.causes.is_empty() || advice.causes.contains(&cause))
    }

    /// Whether a domain gives mailboxes to everyone.
    pub fn is_free_mail(&self, domain: &str) -> bool {
        self.free_mail.contains(domain)
    }

    /// The help desks.
    pub fn desks(&self) -> &[Desk] {
        &self.desks
    }

    /// The formats.
    pub fn formats(&self) -> &[Format] {
        &self.formats
    }

    /// The rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The providers.
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// The help desk a host (lower case) belongs to.
    pub fn desk_of_host(&self, host: &str) -> Option<&Desk> {
        self.desks.iter().find(|desk| desk.hosts.iter().any(|suffix| fits(host, suffix)))
    }

    /// The provider a host (lower case) belongs to, by the longest suffix.
    pub fn provider_of_host(&self, host: &str) -> Option<&Provider> {
        let number = self.providers_of_host(host).next()?;
        self.providers.get(usize::from(number))
    }

    /// The providers whose suffix a host in lower case has, by the longest suffix.
    pub(super) fn providers_of_host(&self, host: &str) -> impl Iterator<Item = u16> {
        labels(host).filter_map(|suffix| self.by_suffix.get(suffix)).flatten().copied()
    }

    /// The provider that serves a mail domain.
    pub fn provider_of_domain(&self, domain: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.serves(domain))
    }

    /// Adds the format and kind literals of a body text.
    pub fn scan(&self, text: &str, found: &mut Found) {
        self.literals.scan(text, found);
    }

    /// The marks that a header field of this name may be.
    pub fn field_marks(&self, name: &[u8]) -> impl Iterator<Item = &FieldMark> {
        self.literals.fields(name)
    }

    /// What is known of a notice by its header (with the marks in its fields) and the literals in its body.
    pub fn seen<'a>(&self, from: &str, subject: &'a str, header: Found, body: &'a Found) -> Seen<'a> {
        let scan = |text: &str| {
            let mut found = Found::default();
            self.literals.scan(text, &mut found);
            found
        };
        let start = subject.trim_start();
        // capitals of other alphabets are told apart by nothing but this
        let subject_start = if start.is_ascii() { Cow::Borrowed(start) } else { Cow::Owned(start.to_lowercase()) };
        Seen { from: scan(from), subject: scan(subject), subject_start, header, body }
    }

    /// The marks of tickets, with their desks, as good as they are: sure ones first, desks before the generic forms.
    /// The number is that of [`RuleBook::scan_tickets`].
    pub fn ticket_mark(&self, number: u32) -> Option<(&Desk, &TicketPattern)> {
        let &(desk, ticket) = self.marks.get(number as usize)?;
        let desk = self.desks.get(desk)?;
        Some((desk, desk.tickets.get(ticket)?))
    }

    /// Numbers of the ticket marks that may stand in a text, sorted; those without a literal are not among them.
    pub fn scan_tickets(&self, text: &str) -> Vec<u32> {
        self.by_mark.owners_in(text)
    }

    /// Numbers of the ticket marks without a literal: they may stand in any text.
    pub fn unscanned_tickets(&self) -> &[u32] {
        &self.unscanned
    }

    /// The families whose marks fit; more than one is a fault of the tables.
    pub fn formats_of(&self, seen: &Seen<'_>) -> Vec<&Format> {
        self.formats.iter().filter(|format| format.recognises(seen)).collect()
    }

    /// The family that wrote a notice.
    pub fn format_of(&self, seen: &Seen<'_>) -> Option<&Format> {
        self.formats.iter().find(|format| format.recognises(seen))
    }

    /// The lines any notice may have: the table of no family.
    pub fn generic(&self) -> Option<&Format> {
        self.formats.iter().find(|format| format.family == "generic")
    }

    /// Lines that are only asked when nothing else names a recipient.
    pub fn loose(&self) -> Option<&Format> {
        self.formats.iter().find(|format| format.family == "generic-loose")
    }
}
