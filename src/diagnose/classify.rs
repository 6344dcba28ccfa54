//! Recipient to cause, through the tiers of the rule book.
//!
//! First the sentence the reply stands in, then everything said: a server's own words beat what the reporter wrote round
//! them. Owns which words a recipient gets; knows no wording itself.

use super::Context;
use super::merge::Merged;
use crate::model::{Action, Cause, Evidence, Recipient, Status};
use crate::rules::{Answer, Format, Question, RuleBook, Tier, When, Words};

/// What the notice says beside its recipients.
pub(super) struct Circumstances<'c> {
    pub(super) reporter: Option<&'c str>,
    pub(super) format: Option<&'c Format>,
    /// Whether the original came out of a web form.
    pub(super) contact_form: bool,
}

/// A question for the book, kept so that the trace can show what was asked.
pub(super) struct Asked<'m> {
    statuses: Vec<Status>,
    replies: Vec<u16>,
    hosts: [String; 2],
    text: &'m str,
    domain: &'m str,
}

impl Asked<'_> {
    /// Asks the book, or its trace.
    pub(super) fn with<T>(&self, ask: impl FnOnce(&Question<'_>) -> T) -> T {
        let [remote, reporter] = &self.hosts;
        ask(&Question {
            replies: &self.replies,
            statuses: &self.statuses,
            text: self.text,
            hosts: &[remote, reporter],
            domain: self.domain,
        })
    }
}

/// Asks the book about one recipient: the sentence the reply stands in, then everything said where that says little.
pub(super) fn ask<'b, 'm>(
    merged: &'m Merged,
    rules: &'b RuleBook,
    reporter: Option<&str>,
) -> (Option<Answer<'b>>, Asked<'m>) {
    let mut asked = Asked {
        statuses: merged.status.into_iter().collect(),
        replies: merged.reply.into_iter().collect(),
        hosts: [merged.remote.as_deref(), reporter].map(|host| host.unwrap_or_default().to_lowercase()),
        text: &merged.reply_text,
        domain: merged.address.domain(),
    };
    let mut first = None;
    if !asked.text.is_empty() && asked.text.len() != merged.text.len() {
        first = asked.with(|question| rules.ask(question)).filter(|answer| answer.tier <= Tier::Phrase);
        if first.as_ref().is_some_and(|answer| !answer.weak) {
            return (first, asked);
        }
    }
    let words = std::mem::replace(&mut asked.text, &merged.text);
    let whole = asked.with(|question| rules.ask(question));
    match first {
        Some(first) if whole.as_ref().is_none_or(|whole| whole.weak) => {
            asked.text = words;
            (Some(first), asked)
        }
        _ if whole.as_ref().is_none_or(|whole| whole.cause == Cause::Unclear) && !merged.surroundings.is_empty() => {
            asked.text = &merged.surroundings;
            let around = asked.with(|question| rules.ask(question)).filter(|answer| answer.tier <= Tier::Phrase);
            if around.is_none() {
                asked.text = &merged.text;
            }
            (around.or(whole), asked)
        }
        _ => (whole, asked),
    }
}

/// Concludes what one recipient's failure means.
pub(super) fn conclude(merged: Merged, context: &Context, case: &Circumstances<'_>) -> Recipient {
    let rules = &context.rules;
    let (answer, _) = ask(&merged, rules, case.reporter);
    let decided = answer.as_ref().filter(|answer| answer.cause != Cause::Unclear);
    let fallback = case.format.and_then(|format| Some((format.cause?, format!("format/{}", format.family))));
    let (cause, rule) = match (decided, fallback) {
        (Some(answer), _) => (answer.cause, Some(answer.rule.clone())),
        (None, Some((cause, rule))) => (cause, Some(rule)),
        (None, None) => (Cause::Unclear, answer.as_ref().map(|answer| answer.rule.clone())),
    };
    // an address that was reached needs no cause
    let delivered = matches!(merged.action, Action::Delivered | Action::Relayed | Action::Expanded);
    let words = rules.words(cause);
    let meaning = decided.and_then(|answer| answer.meaning).unwrap_or(&words.explanation).to_owned();
    let mut next_step = decided.and_then(|answer| answer.next_step).unwrap_or(&words.next_step).to_owned();
    if !delivered {
        advise(&mut next_step, cause, &merged, rules, case);
    }
    let mut evidence = merged.evidence;
    if let (Some(answer), Some(wording)) = (decided, decided.and_then(|answer| answer.wording.clone())) {
        let place = evidence.iter().find(|one| one.claim == "diagnostic").cloned();
        evidence.push(Evidence {
            claim: "cause".into(),
            from: ["rule ", &answer.rule].concat().into(),
            text: wording,
            line: place.as_ref().and_then(|one| one.line),
            part: place.as_ref().and_then(|one| one.part.clone()),
            part_line: place.and_then(|one| one.part_line),
        });
    }
    Recipient {
        address: merged.address,
        original_address: merged.original,
        action: merged.action,
        status: merged.status,
        reply_code: merged.reply,
        remote_mta: merged.remote,
        diagnostic: merged.diagnostic,
        cause,
        meaning: if delivered { delivered_words(merged.action).to_owned() } else { meaning },
        next_step: if delivered { String::new() } else { next_step },
        who_acts: if delivered { crate::model::WhoActs::None } else { who(words) },
        rule: if delivered { None } else { rule },
        certainty: merged.certainty,
        evidence,
    }
}

fn who(words: &Words) -> crate::model::WhoActs {
    words.who_acts
}

fn delivered_words(action: Action) -> &'static str {
    match action {
        Action::Relayed => "The message was passed to a server that sends no reports.",
        Action::Expanded => "The message was passed on to the addresses behind this one.",
        _ => "The message was delivered.",
    }
}

/// Adds the advice whose conditions hold.
fn advise(next_step: &mut String, cause: Cause, merged: &Merged, rules: &RuleBook, case: &Circumstances<'_>) {
    for advice in rules.advice(cause) {
        let page = match advice.when {
            When::StatusPage => status_page(merged, rules, case),
            _ => None,
        };
        let holds = match advice.when {
            When::FreeMail => rules.is_free_mail(merged.address.domain()),
            When::ContactForm => case.contact_form,
            When::Says => advice.words.iter().any(|word| has_word(&merged.text, word)),
            When::StatusPage => page.is_some(),
        };
        if holds {
            if !next_step.is_empty() {
                next_step.push(' ');
            }
            match page {
                Some((name, page)) => next_step.push_str(&advice.text.replace("{name}", name).replace("{page}", page)),
                None => next_step.push_str(&advice.text),
            }
        }
    }
}

/// Who tells about outages, and where: the help desk that reported, else the provider that answered or would have.
fn status_page<'b>(merged: &Merged, rules: &'b RuleBook, case: &Circumstances<'_>) -> Option<(&'b str, &'b str)> {
    let desk = case.reporter.and_then(|host| rules.desk_of_host(&host.to_lowercase()));
    if let Some(desk) = desk
        && let Some(page) = &desk.status_page
    {
        return Some((&desk.title, page));
    }
    let of_host = merged.remote.as_deref().and_then(|host| rules.provider_of_host(&host.to_lowercase()));
    let provider = of_host.or_else(|| rules.provider_of_domain(merged.address.domain()))?;
    Some((&provider.title, provider.status_page.as_deref()?))
}

/// Whether a word stands in a text, not inside another.
fn has_word(text: &str, word: &str) -> bool {
    let mut rest = text;
    while let Some(at) = crate::stdx::find_ignore_case(rest.as_bytes(), word.as_bytes()) {
        let before = rest.as_bytes().get(at.wrapping_sub(1)).is_some_and(u8::is_ascii_alphanumeric);
        let after = rest.as_bytes().get(at + word.len()).is_some_and(u8::is_ascii_alphanumeric);
        if !before && !after {
            return true;
        }
        rest = rest.get(at + word.len()..).unwrap_or_default();
    }
    false
}
