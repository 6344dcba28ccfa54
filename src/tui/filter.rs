//! Which cases are shown: words such as `state:new cause:mailbox-full domain:example.org before:2026-10-01 refund`.
//!
//! Owns the words and what they match. Knows nothing of the store: it works on cases that are already loaded.

use std::collections::BTreeSet;

use crate::model::{Case, CaseId, Cause, Kind, State, Timestamp};

/// One word of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Undecided,
    All,
    Again,
    Silent,
    Noted,
    Unread,
    Tagged,
    State(State),
    Cause(Cause),
    Kind(Kind),
    Domain(String),
    Reporter(String),
    Ticket(String),
    Code(String),
    Message(String),
    Before(Timestamp),
    After(Timestamp),
    Text(Needle),
}

/// Words that all must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

/// Words a filter may hold, for completion and the help.
pub const WORDS: &[(&str, &str)] = &[
    ("undecided", "not decided yet"),
    ("again", "bounced again, or a retry is due"),
    ("silent", "delays that nothing followed for five days: closed, no failure seen"),
    ("noted", "with a note"),
    ("tagged", "tagged"),
    ("unread", "could not be fully read"),
    ("all", "also what needs no decision: auto-replies, receipts, closed delays"),
    ("state:", "new corrected retry not-our-fault spam escalated done"),
    ("cause:", "a cause such as mailbox-full"),
    ("kind:", "failure delay complaint other …"),
    ("domain:", "domain of the failed address"),
    ("reporter:", "server that wrote the notice"),
    ("ticket:", "ticket of the help desk"),
    ("code:", "status or reply code: 5.1.1, 5.7, 550"),
    ("before:", "arrived before a date or so many days ago: 2026-10-01, 30d"),
    ("after:", "arrived on or after a date"),
];

impl Filter {
    /// Reads a filter; `now` is what days count back from. The error names the word.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, String> {
        let mut terms = Vec::new();
        for word in words(text) {
            terms.push(term(&word, now)?);
        }
        Ok(Self { text: text.trim().to_owned(), terms })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it also asks for what needs no decision.
    pub fn wants_all(&self) -> bool {
        self.terms.iter().any(|term| matches!(term, Term::All | Term::Silent | Term::Kind(_)))
    }

    /// Whether a case is shown.
    pub fn matches(&self, case: &Case, now: Timestamp, tagged: &BTreeSet<CaseId>) -> bool {
        (case.is_queued(now) || self.wants_all())
            && self.terms.iter().all(|term| match term {
                Term::All => true,
                Term::Undecided => case.is_undecided(now),
                Term::Again => is_flagged(case, now),
                Term::Silent => case.is_silent(now),
                Term::Noted => case.noted,
                Term::Unread => case.unread,
                Term::Tagged => tagged.contains(&case.id),
                Term::State(state) => case.state == *state,
                Term::Cause(cause) => case.cause == *cause,
                Term::Kind(kind) => case.kind == *kind,
                Term::Domain(domain) => {
                    let own = domain_of(&case.address);
                    own.eq_ignore_ascii_case(domain)
                        || own.to_lowercase().strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
                }
                Term::Reporter(name) => case.reporter.as_deref().is_some_and(|own| own.to_lowercase().contains(name)),
                Term::Ticket(id) => case.ticket.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(id)),
                Term::Code(code) => has_code(case, code),
                Term::Message(id) => case.group.0.starts_with(id.as_str()),
                Term::Before(time) => case.received < *time,
                Term::After(time) => case.received >= *time,
                Term::Text(needle) => has_text(case, needle),
            })
    }
}

/// Whether a case stands at the top of the queue: it bounced again after a decision, or its retry is due.
pub fn is_flagged(case: &Case, now: Timestamp) -> bool {
    case.is_queued(now) && (case.again || (case.state == State::Retry && case.due.is_some_and(|due| due <= now)))
}

/// The part behind the `@`.
pub fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

fn has_code(case: &Case, code: &str) -> bool {
    let status = case.status.map(|status| status.to_string()).unwrap_or_default();
    let begins = status.strip_prefix(code).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    begins || case.reply_code.is_some_and(|reply| reply.to_string() == code)
}

/// Whether a text stands in one of the fields a reader would look for.
pub fn has_text(case: &Case, needle: &Needle) -> bool {
    let some = |field: &Option<Box<str>>| field.as_deref().is_some_and(|text| needle.is_in(text));
    needle.is_in(&case.address)
        || some(&case.subject)
        || some(&case.original_address)
        || some(&case.reporter)
        || some(&case.ticket)
        || some(&case.corrected_to)
        || some(&case.message_id)
        || needle.is_in(case.cause.slug())
        || case.status.is_some_and(|status| needle.is_in(&status.to_string()))
        || case.id.0.starts_with(needle.as_str())
}

/// A text to look for, without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needle {
    lower: String,
}

impl Needle {
    /// A text to look for.
    pub fn new(text: &str) -> Self {
        Self { lower: text.to_lowercase() }
    }

    /// In lower case.
    pub fn as_str(&self) -> &str {
        &self.lower
    }

    /// Whether it stands in a text.
    pub fn is_in(&self, text: &str) -> bool {
        let needle = self.lower.as_bytes();
        let Some((&first, rest)) = needle.split_first() else { return true };
        if !self.lower.is_ascii() || !text.is_ascii() {
            return text.to_lowercase().contains(&self.lower);
        }
        let upper = first.to_ascii_uppercase();
        memchr::memchr2_iter(first, upper, text.as_bytes()).any(|at| {
            text.as_bytes().get(at + 1..at + needle.len()).is_some_and(|found| found.eq_ignore_ascii_case(rest))
        })
    }
}

fn term(word: &str, now: Timestamp) -> Result<Term, String> {
    let Some((name, value)) = word.split_once(':') else {
        return Ok(match word {
            "undecided" => Term::Undecided,
            "all" => Term::All,
            "again" | "due" => Term::Again,
            "silent" => Term::Silent,
            "noted" => Term::Noted,
            "unread" => Term::Unread,
            "tagged" => Term::Tagged,
            _ => Term::Text(Needle::new(word)),
        });
    };
    let lower = value.to_lowercase();
    let one_of = |what: &str, all: Vec<&str>| format!("no {what} \"{value}\": {}", all.join(" "));
    Ok(match name {
        "state" => Term::State(
            State::from_slug(&lower).ok_or_else(|| one_of("state", State::ALL.iter().map(|s| s.slug()).collect()))?,
        ),
        "cause" => Term::Cause(
            Cause::from_slug(&lower).ok_or_else(|| one_of("cause", Cause::ALL.iter().map(|c| c.slug()).collect()))?,
        ),
        "kind" => Term::Kind(
            Kind::from_slug(&lower).ok_or_else(|| one_of("kind", Kind::ALL.iter().map(|k| k.slug()).collect()))?,
        ),
        "domain" => Term::Domain(lower),
        "reporter" => Term::Reporter(lower),
        "ticket" => Term::Ticket(value.to_owned()),
        "code" => Term::Code(lower),
        "message" => Term::Message(value.to_owned()),
        "before" => Term::Before(date(value, now)?),
        "after" => Term::After(date(value, now)?),
        "text" => Term::Text(Needle::new(value)),
        _ => Term::Text(Needle::new(word)),
    })
}

/// A date, or so many days or weeks ago.
pub fn date(value: &str, now: Timestamp) -> Result<Timestamp, String> {
    let wrong = || format!("no date \"{value}\": write 2026-10-01, or 30d for 30 days ago");
    if let Some(time) = Timestamp::parse(value) {
        return Ok(time);
    }
    let (number, unit) = value.split_at(value.len().saturating_sub(usize::from(value.ends_with(['d', 'w']))));
    let days: i64 = number.parse().map_err(|_| wrong())?;
    match unit {
        "d" => Ok(now.plus_days(-days)),
        "w" => Ok(now.plus_days(-7 * days)),
        _ => Err(wrong()),
    }
}

/// Words at blanks; a part in double quotes stays together.
fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    found.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles_match_without_case() {
        for (needle, text, want) in [
            ("anna", "x Anna@example", true),
            ("NN", "anna", true),
            ("", "x", true),
            ("straße", "STRAßE 1", true),
            ("b", "", false),
            ("ab", "a", false),
        ] {
            assert_eq!(Needle::new(needle).is_in(text), want, "{needle:?} in {text:?}");
        }
    }

    #[test]
    fn faults_are_named() {
        let now = Timestamp(0);
        assert!(Filter::parse("state:nwe", now).is_err_and(|e| e.starts_with("no state \"nwe\": new ")));
        assert!(Filter::parse("before:yesterday", now).is_err());
        assert!(Filter::parse("before:", now).is_err());
        assert_eq!(words("a \"b c\"  domain:x"), ["a", "b c", "domain:x"]);
    }

    #[test]
    fn days_count_back() {
        let now = Timestamp(100 * 86_400);
        assert_eq!(date("30d", now), Ok(Timestamp(70 * 86_400)));
        assert_eq!(date("1w", now), Ok(Timestamp(93 * 86_400)));
    }
}
