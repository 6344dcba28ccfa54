//! The rule book: all knowledge out of `assets/` (and the user's own files), ready to be asked.
//!
//! Owns the order of the tiers and what makes one rule more specific than another. Knows no mail. Invariant: the answer
//! depends on the question alone, never on the order of files or of a hash.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::format::{Format, Literals, ReadyMarks, Seen};
use super::pattern::{Hole, Pattern};
use super::phrases::Matcher;
use super::provider::{Provider, fits};
use serde::{Deserialize, Serialize};

use super::schema::{KindsFile, Marks};
use crate::model::cause::slugs;
use crate::model::{Cause, Class, Kind, Proposal, Status, WhoActs};

/// Bytes a ticket mark's literal needs to be looked for in the one pass; shorter ones are tried on their field.
pub(super) const MIN_ANCHOR: usize = 4;

/// The tiers, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// The user's own rules.
    User,
    /// What one provider means.
    Provider,
    /// Wording anybody may use.
    Phrase,
    /// The registered meaning of an enhanced status code.
    Status,
    /// The reply code, as a last resort.
    Reply,
}

impl Tier {
    /// Its name in explanations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "your own rule",
            Self::Provider => "what this provider means by it",
            Self::Phrase => "the wording",
            Self::Status => "the registered meaning of the status code",
            Self::Reply => "the reply code alone",
        }
    }
}

/// A status with wildcards: `X.1.1`, `4.2.2`, `X.7`, `5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusPattern {
    class: Option<u8>,
    subject: Option<u16>,
    detail: Option<u16>,
}

impl StatusPattern {
    /// Reads `X.1.1`, `5.1.1`, `X.1` or `5`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let class = match parts.next()? {
            "X" | "x" => None,
            digit => Some(Class::from_digit(digit.parse().ok()?)?.digit()),
        };
        let mut number = || {
            parts.next().map(|part| if part == "X" || part == "x" { Some(None) } else { part.parse().ok().map(Some) })
        };
        let subject = match number() {
            None => None,
            Some(part) => part?,
        };
        let detail = match number() {
            None => None,
            Some(part) => part?,
        };
        if parts.next().is_some() || (class.is_none() && subject.is_none()) {
            return None;
        }
        Some(Self { class, subject, detail })
    }

    /// Whether a status fits.
    pub fn fits(self, status: Status) -> bool {
        self.class.is_none_or(|class| class == status.class.digit())
            && self.subject.is_none_or(|subject| subject == status.subject)
            && self.detail.is_none_or(|detail| detail == status.detail)
    }
}

/// A row of `status.toml`.
#[derive(Debug, Clone)]
pub struct StatusRow {
    /// As written there.
    pub code: String,
    /// Registered title.
    pub title: String,
    /// What it means, where the code decides.
    pub cause: Option<Cause>,
    /// Where it is registered.
    pub source: String,
}

/// A row of `replies.toml`.
#[derive(Debug, Clone)]
pub struct ReplyRow {
    /// The code.
    pub code: u16,
    /// Its title.
    pub title: String,
    /// What it means, where the code decides.
    pub cause: Option<Cause>,
    /// Where it is defined.
    pub source: String,
    /// What people should know about it.
    pub note: Option<String>,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub id: String,
    /// Where it stands.
    pub tier: Tier,
    /// Only for this provider.
    pub provider: Option<u16>,
    /// The provider whose file it stands in.
    pub home: Option<u16>,
    /// Any of these reply codes.
    pub replies: Vec<u16>,
    /// A status that fits.
    pub status: Option<StatusPattern>,
    /// Any of these wordings.
    pub phrases: Vec<Pattern>,
    /// None of these wordings.
    pub unless: Vec<Pattern>,
    /// What it means then.
    pub cause: Cause,
    /// Words of its own.
    pub meaning: Option<String>,
    /// Words of its own.
    pub next_step: Option<String>,
    /// Replies that must hit it.
    pub seen: Vec<String>,
    /// Replies that must not.
    pub not: Vec<String>,
}

/// The words for one cause.
#[derive(Debug, Clone)]
pub struct Words {
    /// For the list.
    pub title: String,
    /// What it means.
    pub explanation: String,
    /// What to do.
    pub next_step: String,
    /// Who must.
    pub who_acts: WhoActs,
    /// The decision it proposes.
    pub propose: Proposal,
    /// When to try again, in days.
    pub retry_days: Option<u32>,
    /// Whether a corrected address may cure it.
    pub address_at_fault: bool,
}

impl Words {
    fn blank() -> Self {
        Self {
            title: String::new(),
            explanation: String::new(),
            next_step: String::new(),
            who_acts: WhoActs::Lead,
            propose: Proposal::None,
            retry_days: None,
            address_at_fault: false,
        }
    }
}

slugs! {
    /// When a piece of advice is added.
    When {
        /// The recipient is at a provider that gives mailboxes to everyone.
        FreeMail = "free-mail",
        /// The original came out of a contact form.
        ContactForm = "contact-form",
        /// The reply names SPF.
        Spf = "spf",
        /// The reply names DKIM.
        Dkim = "dkim",
        /// The reply names DMARC.
        Dmarc = "dmarc",
        /// The reply names a block list.
        BlockList = "block-list",
    }
}

/// Advice that is added to the next step.
#[derive(Debug, Clone)]
pub struct Advice {
    /// When.
    pub when: When,
    /// For these causes only; empty: for all.
    pub causes: Vec<Cause>,
    /// What to say.
    pub text: String,
}

/// A help desk.
#[derive(Debug)]
pub struct Desk {
    /// Its name.
    pub title: String,
    /// Its slug in configuration and JSON.
    pub slug: String,
    /// Hosts it sends from.
    pub hosts: Vec<String>,
    /// Where it tells about outages.
    pub status_page: Option<String>,
    /// Marks of its tickets.
    pub tickets: Vec<TicketPattern>,
    /// What a domain must publish so that the desk may send for it.
    pub sending: Option<Sending>,
}

/// What a domain must publish so that a help desk may send for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sending {
    /// Domain behind `include:` in the SPF record.
    pub spf_include: Option<String>,
    /// DKIM selectors, each with the name it is an alias of, where the desk hosts the key: `zendesk1`, or
    /// `zendesk1=zendesk1._domainkey.zendesk.com`.
    #[serde(default)]
    pub dkim: Vec<String>,
    /// Where the knowledge comes from.
    pub source: String,
}

/// A mark of a ticket.
#[derive(Debug)]
pub struct TicketPattern {
    /// The header field, or `body`.
    pub field: String,
    /// What stands there.
    pub pattern: Pattern,
    /// An example.
    pub example: String,
    /// The id the example must give.
    pub id: String,
    /// 1 sure to 9 a guess by the form; lower first.
    pub priority: u8,
    /// The desk shows a hyphen after so many characters where the mark leaves it out.
    pub hyphen_at: Option<usize>,
    /// Where the knowledge comes from.
    pub source: String,
}

/// The wordings that tell kinds apart.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    entries: Vec<KindRule>,
}

/// What a wording of `kinds.toml` speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// A kind of notice.
    Kind(Kind),
    /// Some notice of non-delivery or delay: worth fetching, worth calling likely.
    Notice,
    /// Not to be taken for a notice, whatever else speaks for it.
    Decoy,
    /// A mail that a person or a rule passed on.
    Forwarded,
    /// Words that introduce a new address.
    Moved,
}

#[derive(Debug)]
struct KindRule {
    hint: Hint,
    name: String,
    subject: Vec<String>,
    raw: Option<Marks>,
    marks: ReadyMarks,
}

impl Kinds {
    pub(crate) fn extend(kinds: &mut Self, file: KindsFile) -> Result<(), (String, String)> {
        for entry in file.kind {
            let hint = match entry.name.split('/').next().unwrap_or_default() {
                "notice" => Hint::Notice,
                "decoy" => Hint::Decoy,
                "forwarded" => Hint::Forwarded,
                "moved" => Hint::Moved,
                slug => Hint::Kind(
                    Kind::from_slug(slug).ok_or_else(|| (entry.name.clone(), format!("unknown kind {slug:?}")))?,
                ),
            };
            let marks = Marks {
                from: entry.from,
                subject: entry.subject_contains,
                header: entry.header,
                body: entry.body,
                also: Vec::new(),
            };
            kinds.entries.push(KindRule {
                hint,
                name: entry.name,
                subject: entry.subject,
                raw: Some(marks),
                marks: ReadyMarks::default(),
            });
        }
        Ok(())
    }
}

/// A question to the book: what one server said about one recipient.
#[derive(Debug, Clone, Default)]
pub struct Question<'q> {
    /// Reply codes, the chosen one first.
    pub replies: &'q [u16],
    /// Status codes, the chosen one first.
    pub statuses: &'q [Status],
    /// What was said, on one line.
    pub text: &'q str,
    /// Hosts that may have said it, in lower case.
    pub hosts: &'q [&'q str],
    /// The recipient's domain.
    pub domain: &'q str,
}

/// What the book says.
#[derive(Debug, Clone)]
pub struct Answer<'b> {
    /// Why.
    pub cause: Cause,
    /// The rule that decided.
    pub rule: String,
    /// Its tier.
    pub tier: Tier,
    /// Words of the rule, instead of the cause's.
    pub meaning: Option<&'b str>,
    /// Words of the rule, instead of the cause's.
    pub next_step: Option<&'b str>,
    /// What of the text it rests on.
    pub wording: Option<String>,
}

/// A rule that fits, and the longest of its wordings that does.
struct Fit<'b> {
    rule: &'b Rule,
    wording: Option<&'b Pattern>,
}

impl<'b> Fit<'b> {
    /// Sorts the best first.
    fn order(&self) -> (Tier, Reverse<usize>, Reverse<usize>, &'b str) {
        let rule = self.rule;
        let conditions = usize::from(!rule.replies.is_empty())
            + usize::from(rule.status.is_some())
            + usize::from(!rule.phrases.is_empty());
        (rule.tier, Reverse(conditions), Reverse(self.wording.map_or(0, Pattern::weight)), rule.id.as_str())
    }
}

/// All knowledge.
#[derive(Debug, Default)]
pub struct RuleBook {
    words: Vec<Words>,
    pub(crate) advice: Vec<Advice>,
    pub(crate) free_mail: HashSet<String>,
    pub(crate) statuses: HashMap<StatusPattern, StatusRow>,
    pub(crate) replies: BTreeMap<u16, ReplyRow>,
    providers: Vec<Provider>,
    rules: Vec<Rule>,
    by_phrase: Matcher,
    /// The wordings in the matcher: the rule, and the place among its phrases and then its `unless`.
    phrases: Vec<(u32, u32)>,
    /// Rules without a phrase.
    bare: Vec<u32>,
    pub(crate) desks: Vec<Desk>,
    formats: Vec<Format>,
    pub(crate) kinds: Kinds,
    literals: Literals,
    /// Ticket marks in the order they are asked: desk, mark.
    marks: Vec<(usize, usize)>,
    by_mark: Matcher,
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
        self.providers.push(provider);
        u16::try_from(self.providers.len() - 1).unwrap_or(u16::MAX)
    }

    pub(crate) fn push_rule(&mut self, rule: Rule) {
        let number = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
        if rule.phrases.is_empty() {
            self.bare.push(number);
        } else {
            for (place, phrase) in (0..).zip(rule.phrases.iter().chain(&rule.unless)) {
                let entry = u32::try_from(self.phrases.len()).unwrap_or(u32::MAX);
                self.phrases.push((number, place));
                if let Some(anchor) = phrase.anchor() {
                    self.by_phrase.add(anchor, entry);
                }
            }
        }
        self.rules.push(rule);
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
        for entry in &mut self.kinds.entries {
            if let Some(marks) = entry.raw.take() {
                entry.marks = ReadyMarks::ready(marks, &mut self.literals);
            }
        }
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
            if let Some(anchor) = anchor.filter(|anchor| anchor.len() >= MIN_ANCHOR) {
                self.by_mark.add(anchor, number);
            }
        }
        let mut fields: Vec<String> =
            self.desks.iter().flat_map(|desk| desk.tickets.iter().map(|ticket| ticket.field.clone())).collect();
        fields.sort();
        fields.dedup();
        self.mark_fields = fields;
        self.marks = marks;
    }

    /// The header fields that ticket marks are looked for in.
    pub fn ticket_fields(&self) -> &[String] {
        &self.mark_fields
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

    /// The domains that give mailboxes to everyone, sorted.
    pub fn free_mail_domains(&self) -> Vec<&str> {
        let mut out: Vec<&str> = self.free_mail.iter().map(String::as_str).collect();
        out.sort_unstable();
        out
    }

    /// The row of a status: itself, with any class, then its subject.
    pub fn status(&self, status: Status) -> Option<&StatusRow> {
        let (class, subject, detail) = (Some(status.class.digit()), Some(status.subject), Some(status.detail));
        [
            StatusPattern { class, subject, detail },
            StatusPattern { class: None, subject, detail },
            StatusPattern { class, subject, detail: None },
            StatusPattern { class: None, subject, detail: None },
        ]
        .iter()
        .find_map(|pattern| self.statuses.get(pattern))
    }

    /// The row of a status pattern as written, such as `X.1` or `5`.
    pub fn status_row(&self, code: &str) -> Option<&StatusRow> {
        self.statuses.get(&StatusPattern::parse(code)?)
    }

    /// The row of a reply code.
    pub fn reply(&self, code: u16) -> Option<&ReplyRow> {
        self.replies.get(&code)
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

    /// The help desk a host belongs to.
    pub fn desk_of_host(&self, host: &str) -> Option<&Desk> {
        let host = host.to_lowercase();
        self.desks.iter().find(|desk| desk.hosts.iter().any(|suffix| fits(&host, suffix)))
    }

    /// The provider a host belongs to, by the longest suffix.
    pub fn provider_of_host(&self, host: &str) -> Option<&Provider> {
        let host = host.to_lowercase();
        self.providers
            .iter()
            .filter_map(|provider| Some((provider.fits_host(&host)?, provider)))
            .max_by_key(|(length, _)| *length)
            .map(|(_, provider)| provider)
    }

    /// The provider that serves a mail domain.
    pub fn provider_of_domain(&self, domain: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.serves(domain))
    }

    /// Numbers of the format and kind literals in a body text, sorted.
    pub fn scan(&self, text: &str) -> Vec<u32> {
        self.literals.scan(text)
    }

    /// What is known of a notice by its header and the numbers of the marks in its body.
    pub fn seen<'a>(
        &self,
        from: &str,
        subject: &'a str,
        header: &'a dyn Fn(&str, Option<&str>) -> bool,
        body: &'a [u32],
    ) -> Seen<'a> {
        Seen {
            from: self.literals.scan(from),
            subject: self.literals.scan(subject),
            subject_text: subject,
            header,
            body,
        }
    }

    /// The marks of tickets, with their desks, as good as they are: sure ones first, desks before the generic forms.
    pub fn ticket_marks(&self) -> impl Iterator<Item = (usize, &Desk, &TicketPattern)> + '_ {
        let mark = |&(desk, ticket): &(usize, usize)| {
            let desk = self.desks.get(desk)?;
            Some((desk, desk.tickets.get(ticket)?))
        };
        self.marks
            .iter()
            .enumerate()
            .filter_map(move |(number, place)| mark(place).map(|(desk, ticket)| (number, desk, ticket)))
    }

    /// Numbers of the ticket marks that may stand in a text, sorted; those without a literal are not among them.
    pub fn scan_tickets(&self, text: &str) -> Vec<u32> {
        self.by_mark.owners_in(text)
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

    /// The hints of `kinds.toml` that fit, with their names.
    pub fn hints(&self, seen: &Seen<'_>) -> Vec<(Hint, &str)> {
        let hints = self.kinds.entries.iter().filter_map(|entry| {
            let subject = entry.subject.is_empty()
                || entry.subject.iter().any(|prefix| {
                    crate::stdx::strip_prefix_ignore_case(seen.subject_text.trim_start(), prefix).is_some()
                });
            let marks = if entry.marks.is_empty() { !entry.subject.is_empty() } else { entry.marks.all(seen) };
            (subject && marks).then_some((entry.hint, entry.name.as_str()))
        });
        hints.collect()
    }

    /// Why a server said what it said: user, provider, phrase, status, reply.
    pub fn ask(&self, question: &Question<'_>) -> Option<Answer<'_>> {
        self.best_rule(question).or_else(|| self.by_status(question)).or_else(|| self.by_reply(question))
    }

    /// Every rule that fits, best first, for `rules trace`: the rule and the bytes of its longest wording that fits.
    pub fn candidates<'b>(&'b self, question: &Question<'_>) -> Vec<(&'b Rule, usize)> {
        let found = self.fitting(question).into_iter();
        found.map(|fit| (fit.rule, fit.wording.map_or(0, Pattern::weight))).collect()
    }

    /// The rules that fit, best first: tier, conditions, longest wording, name.
    fn fitting<'b>(&'b self, question: &Question<'_>) -> Vec<Fit<'b>> {
        // which wordings stand in the text, in one pass; sorted, so those of one rule are neighbours
        let hits = self.by_phrase.owners_in(question.text);
        let entry = |number: &u32| self.phrases.get(*number as usize).copied();
        let mut out: Vec<Fit<'b>> = Vec::new();
        let mut rest = hits.as_slice();
        while let Some((rule, _)) = rest.first().and_then(entry) {
            let length = rest.iter().take_while(|number| entry(number).is_some_and(|(other, _)| other == rule)).count();
            let (own, next) = rest.split_at(length.max(1));
            rest = next;
            let Some(rule) = self.rules.get(rule as usize) else { continue };
            if !self.conditions_hold(rule, question) {
                continue;
            }
            let mut wording: Option<&Pattern> = None;
            let mut forbidden = false;
            for (_, place) in own.iter().filter_map(entry) {
                let allowed = rule.phrases.len();
                let pattern = rule
                    .phrases
                    .get(place as usize)
                    .or_else(|| rule.unless.get((place as usize).checked_sub(allowed)?));
                let Some(pattern) = pattern.filter(|one| one.is_literal() || one.find(question.text).is_some()) else {
                    continue;
                };
                if place as usize >= allowed {
                    forbidden = true;
                } else if wording.is_none_or(|best| pattern.weight() > best.weight()) {
                    wording = Some(pattern);
                }
            }
            if wording.is_some() && !forbidden {
                out.push(Fit { rule, wording });
            }
        }
        let bare = self.bare.iter().filter_map(|number| self.rules.get(*number as usize));
        let said = |pattern: &Pattern| pattern.find(question.text).is_some();
        out.extend(
            bare.filter(|rule| self.conditions_hold(rule, question) && !rule.unless.iter().any(said))
                .map(|rule| Fit { rule, wording: None }),
        );
        out.sort_by(|a, b| a.order().cmp(&b.order()));
        out
    }

    fn best_rule(&self, question: &Question<'_>) -> Option<Answer<'_>> {
        let fits = self.fitting(question);
        let Fit { rule, wording } = fits.first()?;
        Some(Answer {
            cause: rule.cause,
            rule: rule.id.clone(),
            tier: rule.tier,
            meaning: rule.meaning.as_deref(),
            next_step: rule.next_step.as_deref(),
            wording: wording.and_then(Pattern::anchor).map(str::to_owned),
        })
    }

    /// Whether all conditions but the wording hold.
    fn conditions_hold(&self, rule: &Rule, question: &Question<'_>) -> bool {
        if !rule.replies.is_empty() && !question.replies.iter().any(|reply| rule.replies.contains(reply)) {
            return false;
        }
        if let Some(status) = rule.status
            && !question.statuses.iter().any(|found| status.fits(*found))
        {
            return false;
        }
        let provider = rule.provider.filter(|_| rule.tier != Tier::User);
        let Some(provider) = provider.and_then(|number| self.providers.get(usize::from(number))) else { return true };
        question.hosts.iter().any(|host| provider.fits_host(host).is_some())
            || provider.serves(question.domain)
            || provider.hosts.iter().any(|suffix| crate::stdx::contains_ignore_case(question.text, suffix))
    }

    fn by_status(&self, question: &Question<'_>) -> Option<Answer<'_>> {
        question.statuses.iter().find_map(|status| {
            let row = self.status(*status)?;
            Some(Answer {
                cause: row.cause?,
                rule: format!("status/{status}"),
                tier: Tier::Status,
                meaning: None,
                next_step: None,
                wording: None,
            })
        })
    }

    fn by_reply(&self, question: &Question<'_>) -> Option<Answer<'_>> {
        question.replies.iter().find_map(|code| {
            let row = self.reply(*code)?;
            Some(Answer {
                cause: row.cause?,
                rule: format!("reply/{code}"),
                tier: Tier::Reply,
                meaning: None,
                next_step: None,
                wording: None,
            })
        })
    }
}

impl TicketPattern {
    /// Whether the one pass over a text can tell that the mark does not stand there.
    pub fn is_scanned(&self) -> bool {
        self.pattern.anchor().is_some_and(|anchor| anchor.len() >= MIN_ANCHOR)
    }

    /// The ticket id in a text: what the first `{id}` or `{num}` takes, written as the desk shows it.
    pub fn id_in(&self, text: &str) -> Option<String> {
        let found = self.pattern.find(text)?;
        let id = found.first_of(&[Hole::Id, Hole::Num]).filter(|id| !id.is_empty())?;
        match self.hyphen_at.filter(|at| id.len() > at + 2 && !id.contains('-')).and_then(|at| id.split_at_checked(at))
        {
            Some((head, tail)) => Some(format!("{head}-{tail}")),
            None => Some(id.to_owned()),
        }
    }
}
