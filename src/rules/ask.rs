//! The question why: which rule, status or reply decides what an answer means.
//!
//! Owns the order of the tiers and what makes one rule more specific than another. Invariant: the answer depends on the
//! question alone, never on the order of files or of a hash.

use std::cmp::Reverse;

use super::book::RuleBook;
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
            weak: rule.weak,
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
        let provider = rule.provider.and_then(|number| self.providers.get(usize::from(number)));
        let Some(provider) = provider.filter(|one| !one.hosts.is_empty() || !one.domains.is_empty()) else {
            return true;
        };
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
