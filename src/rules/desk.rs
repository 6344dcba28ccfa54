//! Help desks and the marks their tickets leave in a message.

use serde::Deserialize;

use super::pattern::{Hole, Pattern};
use crate::model::Timestamp;

/// Bytes a ticket mark's literal needs to be looked for in the one pass; shorter ones are tried on their field.
pub(super) const MIN_ANCHOR: usize = 4;

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
    /// The header field in which the desk names the account a message comes from.
    pub account_field: Option<String>,
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
    /// The id must be written as the desk shows it: capitals and digits, the hyphen in its place.
    pub written: bool,
    /// What follows the id begins with the time of sending: eight hexadecimal digits, Unix seconds.
    pub dated: bool,
    /// Where the knowledge comes from.
    pub source: String,
}

/// How many marks of one form are tried in a text.
const MAX_TRIED: usize = 256;

impl TicketPattern {
    /// Whether the one pass over a text can tell that the mark does not stand there.
    pub fn is_scanned(&self) -> bool {
        self.pattern.anchor().is_some_and(|anchor| anchor.len() >= MIN_ANCHOR)
    }

    /// The ticket id in a text: what the first `{id}` or `{num}` takes, written as the desk shows it.
    pub fn id_in(&self, text: &str) -> Option<String> {
        self.read(text).map(|(id, _)| id)
    }

    /// The ticket id, and the time of sending where the mark has one.
    pub fn read(&self, text: &str) -> Option<(String, Option<Timestamp>)> {
        let mut rest = text;
        for _ in 0..MAX_TRIED {
            let found = self.pattern.find(rest)?;
            let id = found.first_of(&[Hole::Id, Hole::Num]).filter(|id| !id.is_empty());
            if let Some(id) = id.and_then(|id| self.shown(id)) {
                let stamp = found.get(Hole::Any).filter(|_| self.dated).and_then(|behind| behind.get(..8));
                let sent = stamp.and_then(|hex| i64::from_str_radix(hex, 16).ok()).map(Timestamp);
                return Some((id, sent));
            }
            rest = rest.get(found.end..)?;
        }
        None
    }

    /// The id as the desk shows it; `None` when it cannot be one.
    fn shown(&self, id: &str) -> Option<String> {
        if self.written {
            let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
            let (head, tail) = id.split_once('-')?;
            let fits = Some(head.len()) == self.hyphen_at && (2..=8).contains(&tail.len());
            return (fits && head.chars().all(plain) && tail.chars().all(plain)).then(|| id.to_owned());
        }
        let split = self.hyphen_at.filter(|at| id.len() > at + 2 && !id.contains('-'));
        match split.and_then(|at| id.split_at_checked(at)) {
            Some((head, tail)) => Some(format!("{head}-{tail}")),
            None => Some(id.to_owned()),
        }
    }
}
