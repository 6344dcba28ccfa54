//! The authentication card: what a domain publishes for SPF, DKIM and DMARC, and what its administrator must change.
//!
//! Puts [`super::spf`] and [`super::policy`] together and writes the records to publish. Which includes and selectors a
//! help desk needs is the caller's knowledge. Invariant: a change is only proposed where the published state is known;
//! an answer that did not come proposes nothing.

use std::time::Instant;

use serde::Serialize;

use super::policy::{is_dkim, is_dmarc, key_problems, tag, tags};
use super::resolver::{Miss, Resolver};
use super::spf::{self, Presence, Spf};

/// Names asked for DMARC on the way up; an organisation's record sits far nearer.
const MOST_LEVELS: usize = 8;
/// The whole card takes at most this many deadlines of one look-up.
const PATIENCE: u32 = 4;

/// What a domain publishes about who may send for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Card {
    /// The domain, as given.
    pub domain: String,
    /// Which hosts may send.
    pub spf: Spf,
    /// One entry for each selector asked for.
    pub dkim: Vec<DkimKey>,
    /// What receivers do with mail that fails.
    pub dmarc: Dmarc,
    /// What the administrator must publish; empty when nothing is missing.
    pub changes: Vec<Change>,
}

/// A selector the help desk signs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimSelector {
    /// Such as `zendesk1`.
    pub name: String,
    /// Name the selector should be an alias of, where the help desk hosts the key.
    pub target: Option<String>,
}

/// The key at one selector (RFC 6376 section 3.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DkimKey {
    /// Name that was asked: `<selector>._domainkey.<domain>`.
    pub name: String,
    /// Whether a key is published.
    pub found: bool,
    /// Why there was no answer.
    pub miss: Option<Miss>,
    /// What is wrong, in plain sentences.
    pub problems: Vec<String>,
}

/// The DMARC record that holds for a domain (RFC 7489).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Dmarc {
    /// Where it was found; the domain's own place when there is none.
    pub name: String,
    /// The records there; more than one is as good as none.
    pub records: Vec<String>,
    /// Whether it belongs to a parent of the domain.
    pub inherited: bool,
    /// `none`, `quarantine` or `reject`, as it holds for this domain (`sp` where inherited).
    pub policy: Option<String>,
    /// Whether DKIM must match the exact domain (`adkim=s`).
    pub strict_dkim: bool,
    /// Whether SPF must match the exact domain (`aspf=s`).
    pub strict_spf: bool,
    /// Where reports go.
    pub rua: Vec<String>,
    /// Why there was no answer.
    pub miss: Option<Miss>,
    /// What is wrong, in plain sentences.
    pub problems: Vec<String>,
}

/// One record to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Why, in a plain sentence.
    pub why: String,
    /// Full name of the record, without a dot at the end.
    pub name: String,
    /// `TXT` or `CNAME`.
    pub kind: &'static str,
    /// What it says, as a web form wants it.
    pub value: String,
    /// The records that must go.
    pub replaces: Vec<String>,
}

impl Change {
    /// The record as a line of a zone file; long texts in pieces of 255 octets (RFC 1035 section 3.3.14).
    pub fn zone_line(&self) -> String {
        if self.kind != "TXT" {
            return format!("{}. 3600 IN {} {}.", self.name, self.kind, self.value);
        }
        let mut out = format!("{}. 3600 IN TXT \"", self.name);
        for (at, c) in self.value.chars().enumerate() {
            if at > 0 && at % 255 == 0 {
                out.push_str("\" \"");
            }
            if c == '"' {
                out.push('\\');
            }
            out.push(c);
        }
        out.push('"');
        out
    }
}

/// Looks up what `domain` publishes. `includes` are SPF includes and `selectors` DKIM selectors its help desk needs.
///
/// Takes many look-ups, at most four times the deadline of one.
pub fn auth_card(
    domain: &str,
    includes: &[&str],
    selectors: &[DkimSelector],
    resolver: &Resolver,
    cancel: &dyn Fn() -> bool,
) -> Card {
    let until = Instant::now() + resolver.deadline() * PATIENCE;
    let cancel = || cancel() || Instant::now() >= until;
    let domain = domain.trim_end_matches('.').to_lowercase();
    let domain = idna::domain_to_ascii(&domain).unwrap_or(domain);
    let spf = spf::examine(&domain, includes, resolver, &cancel);
    let dmarc = dmarc(&domain, resolver, &cancel);
    let mut changes = Vec::new();
    changes.extend(spf_change(&domain, &spf));
    let mut dkim = Vec::new();
    for selector in selectors {
        let key = dkim_key(&domain, selector, resolver, &cancel);
        changes.extend(dkim_change(&key, selector));
        dkim.push(key);
    }
    changes.extend(dmarc_change(&domain, &dmarc));
    if spf.miss == Some(Miss::NoDomain) {
        changes.clear(); // nothing can be published in a domain that does not exist
    }
    Card { domain, spf, dkim, dmarc, changes }
}

fn spf_change(domain: &str, spf: &Spf) -> Option<Change> {
    if spf.miss.is_some() {
        return None;
    }
    let value = spf::corrected(spf)?;
    let absent: Vec<&str> = spf
        .includes
        .iter()
        .filter(|include| include.presence == Presence::Absent)
        .map(|include| include.name.as_str())
        .collect();
    let mut why = match (spf.records.len(), absent.as_slice()) {
        (0, _) => "there is no SPF record; add every other host that sends for the domain before publishing".to_owned(),
        (1, []) => "the SPF record does not end in a usable \"all\"".to_owned(),
        (1, names) => format!("the SPF record does not permit {}", names.join(", ")),
        (n, _) => format!("{n} SPF records must become one"),
    };
    if spf.lookups + absent.len() > spf::LIMIT {
        why.push_str("; it needs more than 10 DNS look-ups, so other includes must go first");
    }
    let replaces = spf.records.clone();
    Some(Change { why, name: domain.to_owned(), kind: "TXT", value, replaces })
}

/// The record at the domain or, when it has none, at the nearest parent of two labels or more. Which parent is the
/// organisation's would take the public suffix list; walking up gives the same for all but suffixes with a policy.
fn dmarc(domain: &str, resolver: &Resolver, cancel: &dyn Fn() -> bool) -> Dmarc {
    let mut dmarc = Dmarc { name: format!("_dmarc.{domain}"), ..Dmarc::default() };
    let mut at = domain;
    for level in 0..MOST_LEVELS {
        let name = format!("_dmarc.{at}");
        match resolver.txt(&name, cancel) {
            Ok(texts) => {
                dmarc.records = texts.into_iter().filter(|text| is_dmarc(text)).collect();
                if !dmarc.records.is_empty() {
                    (dmarc.name, dmarc.inherited) = (name, level > 0);
                    break;
                }
            }
            Err(Miss::NoData | Miss::NoDomain) => {}
            Err(miss) => {
                dmarc.miss = Some(miss);
                return dmarc;
            }
        }
        match at.split_once('.') {
            Some((_, parent)) if parent.contains('.') => at = parent,
            _ => break,
        }
    }
    describe(&mut dmarc);
    dmarc
}

fn describe(dmarc: &mut Dmarc) {
    let Some(record) = dmarc.records.first() else {
        dmarc.problems.push("there is no DMARC record; large receivers ask bulk senders for one".into());
        return;
    };
    if dmarc.records.len() > 1 {
        dmarc.problems.push(format!("{} DMARC records; receivers then use none (RFC 7489 6.6.3)", dmarc.records.len()));
    }
    let tags = tags(record);
    let own = tag(&tags, "p");
    let policy = if dmarc.inherited { tag(&tags, "sp").or(own) } else { own };
    dmarc.policy = policy.map(str::to_ascii_lowercase);
    match dmarc.policy.as_deref() {
        Some("none" | "quarantine" | "reject") => {}
        Some(other) => dmarc.problems.push(format!("receivers do not know the policy \"{other}\"")),
        None => dmarc.problems.push("the record names no policy (p=)".into()),
    }
    let strict = |name: &str| tag(&tags, name).is_some_and(|value| value.eq_ignore_ascii_case("s"));
    dmarc.strict_dkim = strict("adkim");
    dmarc.strict_spf = strict("aspf");
    let rua = tag(&tags, "rua").unwrap_or_default();
    dmarc.rua = rua.split(',').map(str::trim).filter(|uri| !uri.is_empty()).map(str::to_owned).collect();
}

fn dmarc_change(domain: &str, dmarc: &Dmarc) -> Option<Change> {
    if dmarc.miss.is_some() {
        return None;
    }
    let known = matches!(dmarc.policy.as_deref(), Some("none" | "quarantine" | "reject"));
    let (why, value) = match (dmarc.records.as_slice(), known) {
        ([], _) => ("there is no DMARC record".to_owned(), "v=DMARC1; p=none".to_owned()),
        ([_], true) => return None,
        ([only], false) => {
            let rest = tags(only).into_iter().filter(|(name, _)| !matches!(name.as_str(), "v" | "p"));
            let value = rest.fold("v=DMARC1; p=none".to_owned(), |all, (name, value)| format!("{all}; {name}={value}"));
            ("the DMARC record has no policy receivers know".to_owned(), value)
        }
        ([first, ..], _) => (format!("{} DMARC records must become one", dmarc.records.len()), first.clone()),
    };
    let name = if dmarc.name.is_empty() { format!("_dmarc.{domain}") } else { dmarc.name.clone() };
    Some(Change { why, name, kind: "TXT", value, replaces: dmarc.records.clone() })
}

fn dkim_key(domain: &str, selector: &DkimSelector, resolver: &Resolver, cancel: &dyn Fn() -> bool) -> DkimKey {
    let name = format!("{}._domainkey.{domain}", selector.name);
    let mut key = DkimKey { name, found: false, miss: None, problems: Vec::new() };
    let keys: Vec<String> = match resolver.txt(&key.name, cancel) {
        Ok(texts) => texts.into_iter().filter(|text| is_dkim(text)).collect(),
        Err(Miss::NoData | Miss::NoDomain) => Vec::new(),
        Err(miss) => {
            key.miss = Some(miss);
            return key;
        }
    };
    match keys.as_slice() {
        [] => key.problems.push("no DKIM key is published here".into()),
        [one] => {
            key.found = true;
            key.problems = key_problems(one);
        }
        [..] => {
            key.found = true;
            key.problems.push(format!("{} keys at one selector; receivers may take any of them", keys.len()));
        }
    }
    key
}

fn dkim_change(key: &DkimKey, selector: &DkimSelector) -> Option<Change> {
    let target = selector.target.as_ref().filter(|_| !key.found && key.miss.is_none())?;
    Some(Change {
        why: "the help desk cannot sign for the domain: its DKIM key is missing".into(),
        name: key.name.clone(),
        kind: "CNAME",
        value: target.trim_end_matches('.').to_owned(),
        replaces: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::Change;

    #[test]
    fn a_long_text_is_split_into_strings() {
        let change = |kind, value: String| Change {
            why: String::new(),
            name: "example.org".into(),
            kind,
            value,
            replaces: Vec::new(),
        };
        let line = change("TXT", "a".repeat(300)).zone_line();
        assert_eq!(line, format!("example.org. 3600 IN TXT \"{}\" \"{}\"", "a".repeat(255), "a".repeat(45)));
        assert_eq!(change("TXT", "a \"b\"".into()).zone_line(), "example.org. 3600 IN TXT \"a \\\"b\\\"\"");
        let line = change("CNAME", "d1.desk.example".into()).zone_line();
        assert_eq!(line, "example.org. 3600 IN CNAME d1.desk.example.");
    }
}
