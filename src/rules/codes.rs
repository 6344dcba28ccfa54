//! Rows of the code tables: enhanced status codes with wildcards, and reply codes. Knows no rule.

use super::book::RuleBook;
use crate::model::{Cause, Class, Status};

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

impl RuleBook {
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

    /// The row of a reply code.
    pub fn reply(&self, code: u16) -> Option<&ReplyRow> {
        self.replies.get(&code)
    }
}
