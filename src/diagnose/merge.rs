//! Facts about one recipient to one answer; a stronger source wins, the more specific code wins.

use crate::mail::Mail;
use crate::model::reply;
use crate::model::{Action, Address, Certainty, Class, Evidence, Fact, Origin, PerRecipient, Status};

/// Marks what the reporting server says itself: beside a report's fields its numbers are nobody's reply.
pub(super) const OWN_WORDS: &str = "the reporter's own words";

/// Marks what stands elsewhere in the notice: asked for a cause only where nothing nearer tells one.
pub(super) const SURROUNDINGS: &str = "elsewhere in the notice";

/// One recipient before the cause is known.
pub(super) struct Merged {
    pub(super) address: Address,
    pub(super) original: Option<Address>,
    pub(super) action: Action,
    pub(super) status: Option<Status>,
    pub(super) reply: Option<u16>,
    pub(super) remote: Option<String>,
    pub(super) diagnostic: Option<String>,
    /// The sentence the reply stands in, alone.
    pub(super) reply_text: String,
    /// Everything said.
    pub(super) text: String,
    /// What the notice says elsewhere.
    pub(super) surroundings: String,
    pub(super) certainty: Certainty,
    pub(super) evidence: Vec<Evidence>,
}

/// What the server did: its word, else what the status or the reply says, else what the notice says of itself.
pub(super) fn action_of(record: &PerRecipient, unsaid: Action) -> Action {
    if let Some(fact) = &record.action {
        return fact.value;
    }
    if unsaid != Action::Failed {
        return unsaid;
    }
    let field = record.status.as_ref().and_then(|fact| reply::statuses(&fact.value).next());
    match field.map(|found| found.value.class) {
        Some(Class::Success) => Action::Delivered,
        _ => Action::Failed,
    }
}

/// Merges the facts of one recipient; `None` when nobody is named.
pub(super) fn recipient(mail: &Mail<'_>, record: &PerRecipient, unsaid: Action) -> Option<Merged> {
    let named = name(record)?;
    let mut evidence = vec![mail.fact_evidence("recipient", named, named.value.as_str())];
    let original = record.original.as_ref().filter(|fact| !fact.value.same_as(named.value.as_str()));
    if let Some(fact) = original {
        evidence.push(mail.fact_evidence("original recipient", fact, fact.value.as_str()));
    }
    let (around, spoken): (Vec<&Fact<String>>, Vec<&Fact<String>>) =
        record.diagnostic.iter().chain(&record.said).partition(|fact| fact.from == SURROUNDINGS);
    let field = record.status.as_ref().and_then(|fact| Some((reply::statuses(&fact.value).next()?.value, fact)));
    let action = action_of(record, unsaid);
    let failing = matches!(action, Action::Failed | Action::Delayed);
    let texts: Vec<(Status, &Fact<String>)> = spoken
        .iter()
        .filter(|fact| !(fact.from == OWN_WORDS && named.origin == Origin::Field))
        .flat_map(|fact| reply::statuses(&fact.value).map(|found| (found.value, *fact)))
        .filter(|(status, _)| !failing || status.class != Class::Success)
        .collect();
    let chosen = choose(field, &texts);
    let status = chosen.map(|(status, _)| status);
    if let Some((status, fact)) = chosen {
        evidence.push(mail.fact_evidence("status", fact, &status.to_string()));
    }
    let coded: Vec<&Fact<String>> =
        spoken.iter().copied().filter(|fact| !(fact.from == OWN_WORDS && named.origin == Origin::Field)).collect();
    // the numbers of a program that took the mail are no reply of a server
    let program = record.diagnostic.as_ref().is_some_and(|fact| fact.from == crate::mail::PROGRAM_SAID);
    let reply = if program { None } else { choose_reply(&coded, status) };
    if let Some((code, fact, _)) = reply {
        evidence.push(mail.fact_evidence("reply", fact, &code.to_string()));
    }
    if let Some((status, fact)) = field.filter(|(field, _)| Some(*field) != status) {
        evidence.push(mail.fact_evidence("other status", fact, &status.to_string()));
    }
    if let Some(fact) = &record.action {
        evidence.push(mail.fact_evidence("action", fact, action_word(fact.value)));
    }
    if let Some(fact) = &record.remote_mta {
        evidence.push(mail.fact_evidence("remote server", fact, &fact.value));
    }
    let diagnostic = spoken.iter().max_by_key(|fact| said_by_server(fact, reply.map(|(code, ..)| code))).copied();
    if let Some(fact) = diagnostic {
        evidence.push(mail.fact_evidence("diagnostic", fact, &fact.value));
    }
    let certainty = match named.origin {
        Origin::Field => Certainty::Sure,
        Origin::Format | Origin::Quirk => Certainty::Likely,
        Origin::Prose => Certainty::Guess,
    };
    Some(Merged {
        address: named.value.clone(),
        original: original.map(|fact| fact.value.clone()),
        action,
        status,
        reply: reply.map(|(code, ..)| code),
        remote: record.remote_mta.as_ref().map(|fact| fact.value.clone()),
        diagnostic: diagnostic.map(|fact| fact.value.clone()),
        reply_text: reply.and_then(|(code, fact, start)| server_words(&fact.value, code, start)).unwrap_or_default(),
        text: all_words(&spoken),
        surroundings: all_words(&around),
        certainty,
        evidence,
    })
}

/// The failed address: the final one, unless that is a server's internal route.
fn name(record: &PerRecipient) -> Option<&Fact<Address>> {
    let routed = record.recipient.as_ref().is_some_and(|fact| {
        fact.value.local().contains(':') || !fact.value.domain().contains('.') && fact.value.domain().contains('-')
    });
    if routed && record.original.is_some() {
        return record.original.as_ref();
    }
    record.recipient.as_ref().or(record.original.as_ref()).or(record.actual.as_ref())
}

fn action_word(action: Action) -> &'static str {
    match action {
        Action::Failed => "failed",
        Action::Delayed => "delayed",
        Action::Delivered => "delivered",
        Action::Relayed => "relayed",
        Action::Expanded => "expanded",
    }
}

/// How much a wording is the server's own: the diagnostic field, or the one with the reply.
fn said_by_server(fact: &Fact<String>, code: Option<u16>) -> (bool, std::cmp::Reverse<Origin>, std::cmp::Reverse<u32>) {
    let coded = code.is_some_and(|code| fact.value.contains(&code.to_string()));
    (coded || code.is_none(), std::cmp::Reverse(fact.origin), std::cmp::Reverse(fact.place.line))
}

/// The words from the reply on. The first line of a reply of several lines alone says too little.
fn server_words(text: &str, code: u16, start: usize) -> Option<String> {
    let words = text.get(start..)?;
    let first_of_several = words.as_bytes().get(3) == Some(&b'-')
        && reply::codes(words, true).filter(|found| found.value == code).count() < 2;
    (!first_of_several).then(|| words.to_owned())
}

/// Everything said, on one line, each sentence once.
fn all_words(spoken: &[&Fact<String>]) -> String {
    let mut out = String::new();
    for fact in spoken {
        if out.len() > 8192 || out.contains(fact.value.as_str()) {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&fact.value);
    }
    out
}

/// The reply: the one a server's answer begins with; else the first where servers write replies, one of the status's
/// class before one of another.
fn choose_reply<'f>(spoken: &[&'f Fact<String>], status: Option<Status>) -> Option<(u16, &'f Fact<String>, usize)> {
    let all: Vec<(u16, &Fact<String>, usize)> = spoken
        .iter()
        .flat_map(|fact| reply::codes(&fact.value, true).map(|found| (found.value, *fact, found.start)))
        .take(64)
        .collect();
    if let Some(first) = all.first().filter(|(_, fact, start)| *start == 0 && fact.origin == Origin::Field) {
        return Some(*first);
    }
    let class = status.map(|status| u16::from(status.class.digit()));
    let fits = all.iter().find(|(code, ..)| class.is_none_or(|class| code / 100 == class));
    fits.or(all.first()).copied()
}

/// The more specific of the field's and the text's status.
///
/// The rule: a stated detail beats a generic one (`X.0.0`, then `X.Y.0`); between two specific ones the field wins,
/// unless it is without detail and the answer's own in another class, or holds what a reporting server writes on its own account (it gave up, a command was refused, so it must be
/// the address) and the answer of the other server says why.
fn choose<'f>(
    field: Option<(Status, &'f Fact<String>)>,
    spoken: &[(Status, &'f Fact<String>)],
) -> Option<(Status, &'f Fact<String>)> {
    let best = |wanted: &dyn Fn(Status) -> bool| spoken.iter().find(|(status, _)| wanted(*status)).copied();
    let Some((status, fact)) = field else {
        return best(&|s| s.detail != 0).or_else(|| best(&|s| !s.is_generic())).or_else(|| spoken.first().copied());
    };
    let better = if status.is_generic() {
        best(&|s| s.detail != 0).or_else(|| best(&|s| !s.is_generic()))
    } else if status.detail == 0 {
        let rewritten = || spoken.first().filter(|(said, words)| is_rewritten(status, *said, words)).copied();
        best(&|s| s.detail != 0 && s.class == status.class).or_else(rewritten)
    } else if is_own_account(status) {
        // how the way there looks (`X.4.z`) is the reporting server's account too
        let answer = spoken.iter().find(|(_, words)| words.origin == Origin::Field);
        answer.copied().filter(|(said, _)| {
            said.class == status.class && said.detail != 0 && said.subject != 4 && !is_own_account(*said)
        })
    } else {
        None
    };
    better.or(Some((status, fact)))
}

/// Whether the field is the answer's own status in another class: some servers make a permanent one of it when they give
/// up, and the answer's class is that of its reply.
fn is_rewritten(field: Status, said: Status, words: &Fact<String>) -> bool {
    let same = (field.subject, field.detail) == (said.subject, said.detail);
    let class = reply::codes(&words.value, true).next().map(|code| code.value / 100);
    same && field.class != said.class && class == Some(u16::from(said.class.digit()))
}

/// Whether reporting servers write this status themselves: the time was up (`X.4.7`), a command was refused (`X.5.z`),
/// or, as Sendmail says of every refused `RCPT`, the address is bad (`5.1.1`).
fn is_own_account(status: Status) -> bool {
    matches!((status.class, status.subject, status.detail), (_, 4, 7) | (_, 5, _) | (Class::Permanent, 1, 1))
}

/// Takes the codes out of wordings that no mail server wrote.
pub(super) fn silence_codes(records: &mut [PerRecipient]) {
    for record in records {
        if let Some(fact) = &mut record.recipient {
            fact.origin = Origin::Field;
        }
        for fact in &mut record.said {
            fact.from = OWN_WORDS;
        }
    }
}
