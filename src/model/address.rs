//! A mail address as the engine names it (RFC 5321 section 4.1.2, RFC 6531): domain in lower case, local part as written.
//!
//! Owns splitting and comparing. Knows nothing of where an address stood or whether it exists.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::stdx;

/// A mail address: non-empty local part, `@`, domain in lower case; no angle brackets, no source route.
///
/// ```
/// use bounceback::model::Address;
/// let address = Address::new("<Anna.Berg@EXAMPLE.org>").unwrap();
/// assert_eq!(address.as_str(), "Anna.Berg@example.org");
/// assert!(address.same_as("anna.berg@example.org"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(String);

impl Address {
    /// Reads an address; brackets and blanks around it are dropped. `None` when there is no local part and domain.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c == '<' || c == '>' || c.is_whitespace());
        let (local, domain) = text.rsplit_once('@')?;
        let domain = domain.trim_end_matches('.');
        let blank = |c: char| c.is_whitespace() || c.is_control();
        let plain = stdx::is_plain(text) && memchr::memchr(b' ', domain.as_bytes()).is_none();
        if local.is_empty() || domain.is_empty() {
            return None;
        }
        // most have nothing that needs a look at its characters
        if !plain && (domain.contains(blank) || local.contains(char::is_control)) {
            return None;
        }
        let mut address = String::with_capacity(text.len());
        address.push_str(local);
        address.push('@');
        if domain.is_ascii() {
            address.push_str(domain);
            address.get_mut(local.len()..).unwrap_or_default().make_ascii_lowercase();
        } else {
            address.push_str(&domain.to_lowercase());
        }
        Some(Self(address))
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the last `@`.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The part behind the last `@`, in lower case.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// Whether both name the same mailbox in practice: compared without regard to case.
    pub fn same_as(&self, other: &str) -> bool {
        stdx::same_text(&self.0, other)
    }

    /// Whether it names an office or a program rather than a person: RFC 2142 sections 4, 5 and 6 (the addresses beside
    /// a mailing list), and the senders that take no answer.
    pub fn is_office(&self) -> bool {
        let local = self.local();
        let named = ["postmaster", "mailer-daemon", "abuse", "hostmaster", "noreply", "no-reply", "donotreply"];
        let beside_a_list = ["-request", "-owner", "-bounces", "-admin"];
        let ends = |end: &str| {
            let tail = local.len().checked_sub(end.len()).and_then(|at| local.get(at..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
        };
        named.iter().any(|name| local.eq_ignore_ascii_case(name))
            || stdx::strip_prefix_ignore_case(local, "owner-").is_some()
            || beside_a_list.iter().any(|end| ends(end))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl AsRef<str> for Address {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn offices_are_told_from_people() {
        for (text, want) in [
            ("Postmaster@x.example", true),
            ("owner-team@x.example", true),
            ("team-request@x.example", true),
            ("abuse@x.example", true),
            ("team@x.example", false),
            ("anna.postmaster@x.example", false),
        ] {
            assert_eq!(Address::new(text).is_some_and(|address| address.is_office()), want, "{text:?}");
        }
    }

    #[test]
    fn an_address_has_two_parts_and_a_lower_case_domain() {
        for (text, want) in [
            ("a@B.example", Some("a@b.example")),
            ("<A.b@x.example.>", Some("A.b@x.example")),
            ("\"a b@c\"@x.example", Some("\"a b@c\"@x.example")),
            ("@x.example", None),
            ("a@", None),
            ("a@x\u{7}.example", None),
            ("nobody", None),
        ] {
            assert_eq!(Address::new(text).as_ref().map(Address::as_str), want, "{text:?}");
        }
    }
}
