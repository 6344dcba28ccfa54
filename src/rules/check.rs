//! Checks a rule book against its own samples: what the tests run on ours, and `rules check FILE` on a user's.
//!
//! Every `seen` must hit its rule through the whole book, no `not` may, ids are unique and sorted within a file, two rules
//! that are equally specific may not disagree on a sample.

use std::collections::BTreeMap;

use super::ask::{Question, Rule};
use super::book::RuleBook;
use crate::model::{Status, reply};

/// One complaint about a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Complaint {
    /// The rule.
    pub rule: String,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rule {}: {}", self.rule, self.what)
    }
}

impl RuleBook {
    /// Complaints about every rule `wanted` picks; the whole book answers.
    pub fn check(&self, wanted: &dyn Fn(&Rule) -> bool) -> Vec<Complaint> {
        let mut out = Vec::new();
        let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
        for rule in self.rules() {
            *ids.entry(rule.id.as_str()).or_default() += 1;
        }
        for rule in self.rules().iter().filter(|rule| wanted(rule)) {
            let complain = |what: String| Complaint { rule: rule.id.clone(), what };
            if ids.get(rule.id.as_str()).is_some_and(|count| *count > 1) {
                out.push(complain("another rule has the same id".to_owned()));
            }
            if rule.seen.is_empty() {
                out.push(complain("has no sample: give it a `seen`".to_owned()));
            }
            for sample in &rule.seen {
                let hits = self.sample(rule, sample);
                match hits.first() {
                    Some(first) if first.id == rule.id => {
                        let tie =
                            hits.get(1).filter(|second| second.cause != rule.cause && self.ties(rule, second, sample));
                        out.extend(tie.map(|second| {
                            complain(format!("ties with {} ({}) on {sample:?}", second.id, second.cause))
                        }));
                    }
                    Some(first) => out.push(complain(format!("loses to {} ({}) on {sample:?}", first.id, first.cause))),
                    None => out.push(complain(format!("does not fit its own sample {sample:?}"))),
                }
            }
            for sample in &rule.not {
                let hits = self.sample(rule, sample);
                if hits.first().is_some_and(|first| first.id == rule.id) {
                    out.push(complain(format!("fits what it must not: {sample:?}")));
                }
            }
        }
        out
    }

    /// The rules that fit a sample said by the rule's own provider, best first.
    fn sample(&self, rule: &Rule, sample: &str) -> Vec<&Rule> {
        self.with_question(rule, sample, |question| {
            self.candidates(question).into_iter().map(|(rule, _)| rule).collect()
        })
    }

    fn ties(&self, one: &Rule, other: &Rule, sample: &str) -> bool {
        self.with_question(one, sample, |question| {
            let hits = self.candidates(question);
            let rank = |rule: &Rule| {
                hits.iter().find(|(hit, _)| hit.id == rule.id).map(|(hit, weight)| {
                    (hit.tier, hit.weak, hit.replies.is_empty(), hit.status.is_none(), hit.phrases.is_empty(), *weight)
                })
            };
            rank(one) == rank(other)
        })
    }

    fn with_question<T>(&self, rule: &Rule, sample: &str, then: impl FnOnce(&Question<'_>) -> T) -> T {
        let text = crate::stdx::squeeze(sample);
        let replies: Vec<u16> = reply::codes(&text, true).map(|found| found.value).collect();
        let statuses: Vec<Status> = reply::statuses(&text).map(|found| found.value).collect();
        let provider = rule.home.and_then(|number| self.providers().get(usize::from(number)));
        let host = provider
            .and_then(|provider| provider.hosts.first())
            .map(|suffix| format!("mx{}{suffix}", if suffix.starts_with('.') { "" } else { "." }))
            .unwrap_or_default();
        let domain = provider.and_then(|provider| provider.domains.first()).cloned().unwrap_or_default();
        then(&Question { replies: &replies, statuses: &statuses, text: &text, hosts: &[&host], domain: &domain })
    }
}
