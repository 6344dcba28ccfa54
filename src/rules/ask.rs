//! The question why: which rule, status or reply decides what an answer means.
//!
//! Owns the order of the tiers and what makes one rule more specific than another. Invariant: the answer depends on the
//! question alone, never on the order of files or of a hash.

use std::cell::OnceCell;
use std::cmp::Reverse;

use super::book::{LiteralOf, RuleBook};
use super::codes::StatusPattern;
use super::pattern::Pattern;
use crate::model::{Cause, Status};

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
    /// Whether its wording says little: any other wording of its tier comes first.
    pub weak: bool,
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
    /// Whether it says so little that other words should be asked too.
    pub weak: bool,
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
    /// Of two wordings the longer one counts, of two as long the first.
    fn prefer(&mut self, wording: &'b Pattern) {
        if self.wording.is_none_or(|best| wording.weight() > best.weight()) {
            self.wording = Some(wording);
        }
    }

    /// Sorts the best first.
    fn order(&self) -> (Tier, bool, Reverse<usize>, Reverse<usize>, &'b str) {
        let rule = self.rule;
        let conditions = usize::from(!rule.replies.is_empty())
            + usize::from(rule.status.is_some())
            + usize::from(!rule.phrases.is_empty());
        (rule.tier, rule.weak, Reverse(conditions), Reverse(self.wording.map_or(0, Pattern::weight)), rule.id.as_str())
    }
}

impl RuleBook {
    /// Why a server said what it said: user, provider, phrase, status, reply.
    pub fn ask(&self, question: &Question<'_>) -> Option<Answer<'_>> {
        self.best_rule(question).or_else(|| self.by_status(question)).or_else(|| self.by_reply(question))
    }

    /// Every rule that fits, best first, for `rules trace`: the rule and the bytes of its longest wording that fits.
    pub fn candidates<'b>(&'b self, question: &Question<'_>) -> Vec<(&'b Rule, usize)> {
        let (worded, speakers) = self.worded(question);
        let found = worded.into_iter().filter(|fit| speakers.allow(fit.rule));
        found.map(|fit| (fit.rule, fit.wording.map_or(0, Pattern::weight))).collect()
    }

    /// The rules whose wording fits, best first: tier, conditions, longest wording, name; and who may have spoken.
    fn worded<'b, 'q>(&'b self, question: &'q Question<'q>) -> (Vec<Fit<'b>>, Speakers<'b, 'q>) {
        // which wordings and hosts stand in the text, in one pass; sorted, so the wordings of one rule are neighbours
        let hits = self.by_phrase.owners_in(question.text);
        let mut out: Vec<Fit<'b>> = Vec::with_capacity(hits.len() + self.bare.len());
        let mut named = Vec::new();
        for literal in hits.iter().filter_map(|number| self.literal_of.get(*number as usize)) {
            let (number, place) = match *literal {
                LiteralOf::Host(provider) => {
                    named.push(provider);
                    continue;
                }
                LiteralOf::Wording(rule, place) => (rule, place),
            };
            let Some(rule) = self.rules.get(number as usize) else { continue };
            let wording = rule.phrases.get(place as usize);
            let Some(wording) = wording.filter(|one| one.is_literal() || one.find(question.text).is_some()) else {
                continue;
            };
            match out.last_mut() {
                Some(last) if std::ptr::eq(last.rule, rule) => last.prefer(wording),
                _ => out.push(Fit { rule, wording: Some(wording) }),
            }
        }
        let bare = self.bare.iter().filter_map(|number| self.rules.get(*number as usize));
        out.extend(bare.map(|rule| Fit { rule, wording: None }));
        out.sort_by(|a, b| a.order().cmp(&b.order()));
        (out, Speakers { book: self, question, named, answered: OnceCell::new() })
    }

    fn best_rule(&self, question: &Question<'_>) -> Option<Answer<'_>> {
        let (worded, speakers) = self.worded(question);
        let Fit { rule, wording } = worded.into_iter().find(|fit| speakers.allow(fit.rule))?;
        Some(Answer {
            cause: rule.cause,
            rule: rule.id.clone(),
            tier: rule.tier,
            weak: rule.weak,
            meaning: rule.meaning.as_deref(),
            next_step: rule.next_step.as_deref(),
            wording: wording.and_then(Pattern::anchor).map(str::to_owned),
        })
    }

    fn by_status(&self, question: &Question<'_>) -> Option<Answer<'_>> {
        question.statuses.iter().find_map(|status| {
            let row = self.status(*status)?;
            Some(Answer {
                cause: row.cause?,
                rule: format!("status/{status}"),
                tier: Tier::Status,
                weak: true,
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
                weak: true,
                meaning: None,
                next_step: None,
                wording: None,
            })
        })
    }
}

/// The providers that may have said it.
struct Speakers<'b, 'q> {
    book: &'b RuleBook,
    question: &'q Question<'q>,
    /// Those named in the text.
    named: Vec<u16>,
    /// Those whose host may have answered, looked up once.
    answered: OnceCell<Vec<u16>>,
}

impl Speakers<'_, '_> {
    /// Whether all conditions of a rule but its wordings hold, and none of those that forbid it stands there.
    fn allow(&self, rule: &Rule) -> bool {
        let question = self.question;
        if !rule.replies.is_empty() && !question.replies.iter().any(|reply| rule.replies.contains(reply)) {
            return false;
        }
        if let Some(status) = rule.status
            && !question.statuses.iter().any(|found| status.fits(*found))
        {
            return false;
        }
        rule.provider.is_none_or(|number| self.may_speak(number))
            && !rule.unless.iter().any(|pattern| pattern.find(question.text).is_some())
    }

    /// Whether a provider answered, serves the recipient, or is named in the text.
    fn may_speak(&self, number: u16) -> bool {
        let Some(provider) = self.book.providers.get(usize::from(number)) else { return true };
        let of_hosts = || self.question.hosts.iter().flat_map(|host| self.book.providers_of_host(host)).collect();
        provider.hosts.is_empty() && provider.domains.is_empty()
            || self.named.contains(&number)
            || provider.serves(self.question.domain)
            || self.answered.get_or_init(of_hosts).contains(&number)
    }
}
