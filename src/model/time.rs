//! Points in time, passed in and never read from a clock here. The only user of `jiff`.

use std::fmt;

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, in whole seconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// Seconds in a day.
pub const DAY: i64 = 86_400;

impl Timestamp {
    /// The point `days` later.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(DAY)))
    }

    /// Reads RFC 3339, or a plain date as its first second in UTC.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Some(Self(time.as_second()));
        }
        let date = text.parse::<jiff::civil::Date>().ok()?;
        Some(Self(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second()))
    }

    /// Reads the date of a mail header (RFC 5322 section 3.3, obsolete forms included).
    pub fn from_rfc2822(text: &str) -> Option<Self> {
        let text = text.split('(').next().unwrap_or(text).trim();
        jiff::fmt::rfc2822::parse(text).ok().map(|time| Self(time.timestamp().as_second()))
    }

    /// Formatted by `strftime` directives in a zone; an impossible format gives RFC 3339.
    pub fn format(self, pattern: &str, zone: &Zone) -> String {
        let Ok(time) = jiff::Timestamp::from_second(self.0) else { return self.to_string() };
        jiff::fmt::strtime::format(pattern, &time.to_zoned(zone.0.clone())).unwrap_or_else(|_| self.to_string())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => f.write_str("-"),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

/// The zone times are shown in.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The zone of this machine (`TZ`, then the system's setting).
    pub fn of_system() -> Self {
        Self(TimeZone::system())
    }

    /// A zone by its IANA name.
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_dates_and_rfc_3339_meet() {
        let want = Timestamp::parse("2026-10-07T09:02:09Z");
        assert!(want.is_some());
        for text in
            ["Wed, 07 Oct 2026 11:02:09 +0200", "7 Oct 2026 09:02:09 GMT", "Wed, 7 Oct 2026 09:02:09 +0000 (UTC)"]
        {
            assert_eq!(Timestamp::from_rfc2822(text), want, "{text}");
        }
    }
}
