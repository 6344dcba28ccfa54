//! Enhanced mail system status codes (RFC 3463 section 2) and the actions of a report (RFC 3464 section 2.3.3).
//!
//! Owns the syntax of `class.subject.detail` and nothing of its meaning: meanings are data in `assets/rules/`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The first digit of a status: what became of the delivery (RFC 3463 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// `2`: delivered or passed on.
    Success,
    /// `4`: persistent transient failure; the sending server may still be trying.
    Transient,
    /// `5`: permanent failure.
    Permanent,
}

impl Class {
    /// The digit as written in a status.
    pub const fn digit(self) -> u8 {
        match self {
            Self::Success => 2,
            Self::Transient => 4,
            Self::Permanent => 5,
        }
    }

    /// The class a digit stands for; `None` for digits RFC 3463 does not define.
    pub const fn from_digit(digit: u16) -> Option<Self> {
        match digit {
            2 => Some(Self::Success),
            4 => Some(Self::Transient),
            5 => Some(Self::Permanent),
            _ => None,
        }
    }
}

/// An enhanced mail system status code, `class.subject.detail` (RFC 3463 section 2).
///
/// ```
/// use bounceback::model::Status;
/// let status: Status = "5.7.26".parse().unwrap();
/// assert_eq!((status.subject, status.detail), (7, 26));
/// assert!("3.1.1".parse::<Status>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status {
    /// What became of the delivery.
    pub class: Class,
    /// The area of the problem, 0 to 999.
    pub subject: u16,
    /// The problem itself, 0 to 999.
    pub detail: u16,
}

impl Status {
    /// A status from its three parts.
    pub const fn new(class: Class, subject: u16, detail: u16) -> Self {
        Self { class, subject, detail }
    }

    /// Whether the code says nothing but its class (`X.0.0`).
    pub const fn is_generic(self) -> bool {
        self.subject == 0 && self.detail == 0
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class.digit(), self.subject, self.detail)
    }
}

/// The text is no `class.subject.detail` of RFC 3463.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAStatus;

impl fmt::Display for NotAStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an enhanced status code such as 5.1.1")
    }
}

impl std::error::Error for NotAStatus {}

impl FromStr for Status {
    type Err = NotAStatus;

    fn from_str(text: &str) -> Result<Self, NotAStatus> {
        let mut parts = text.split('.').map(|part| {
            let digits = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            if digits { part.parse::<u16>().map_err(|_| NotAStatus) } else { Err(NotAStatus) }
        });
        let mut next = || parts.next().ok_or(NotAStatus)?;
        let class = Class::from_digit(next()?).ok_or(NotAStatus)?;
        let (subject, detail) = (next()?, next()?);
        if parts.next().is_some() {
            return Err(NotAStatus);
        }
        Ok(Self { class, subject, detail })
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What the reporting server did for a recipient (RFC 3464 section 2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Gave up.
    Failed,
    /// Still trying.
    Delayed,
    /// Put into the mailbox.
    Delivered,
    /// Passed to a server that gives no notices.
    Relayed,
    /// Passed to several addresses behind this one.
    Expanded,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_rfc_3463_allows_and_nothing_else() {
        for good in ["2.0.0", "4.4.7", "5.7.509"] {
            assert_eq!(good.parse::<Status>().map(|s| s.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "5", "5.1", "5.1.1.1", "1.1.1", "5.1.1000", "5.-1.1", "5..1", "5.1.1 ", "٥.1.1"] {
            assert!(bad.parse::<Status>().is_err(), "{bad:?}");
        }
    }
}
