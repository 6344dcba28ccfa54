//! What a domain's SPF record says, what it costs to evaluate, and how it must read to permit given senders (RFC 7208).
//!
//! Counts the look-ups a receiver makes, following `include` and `redirect`, but evaluates no policy for any sender.
//! Invariants: at most [`MOST_FETCHES`] records are fetched and [`MOST_DEPTH`] levels entered whatever the records say;
//! a count that could not be finished says so.

use serde::Serialize;

use super::resolver::{Miss, Resolver};

/// Look-ups a receiver allows (RFC 7208 section 4.6.4).
pub(super) const LIMIT: usize = 10;
/// Records fetched for one count.
const MOST_FETCHES: usize = 24;
/// Levels of `include` and `redirect`.
const MOST_DEPTH: usize = 10;
/// Terms of one record that are read.
const MOST_TERMS: usize = 256;

/// Whether an expected include is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// Named by the domain's own record.
    Direct,
    /// Reached through another include or a redirect.
    Nested,
    /// Not there.
    Absent,
    /// Part of the records could not be read.
    Unknown,
}

/// An include somebody expects, such as the help desk's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Include {
    /// Domain behind `include:`.
    pub name: String,
    /// Whether it is there.
    pub presence: Presence,
}

/// The SPF side of the card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Spf {
    /// The records as published; more than one is an error (RFC 7208 section 4.5).
    pub records: Vec<String>,
    /// Why nothing could be read; a domain without an SPF record has none.
    pub miss: Option<Miss>,
    /// DNS look-ups a receiver needs; 10 are allowed.
    pub lookups: usize,
    /// Whether `lookups` is the whole count.
    pub complete: bool,
    /// Look-ups by term of the domain's own record.
    pub costs: Vec<(String, usize)>,
    /// The expected includes.
    pub includes: Vec<Include>,
    /// What is wrong, in plain sentences.
    pub problems: Vec<String>,
}

/// One term: `-all`, `include:a.example`, `redirect=b.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    /// As written.
    text: String,
    /// In lower case, without qualifier.
    name: String,
    /// Behind `:` or `=`, in lower case.
    value: String,
    modifier: bool,
}

impl Term {
    fn new(text: &str) -> Self {
        let bare = text.strip_prefix(['+', '-', '~', '?']).unwrap_or(text);
        let end = bare.find([':', '=', '/']).unwrap_or(bare.len());
        let (name, rest) = bare.split_at(end);
        let modifier = rest.starts_with('=');
        let value = rest.strip_prefix([':', '=']).unwrap_or("").trim_end_matches('.').to_ascii_lowercase();
        Self { text: text.to_owned(), name: name.to_ascii_lowercase(), value, modifier }
    }

    fn is_all(&self) -> bool {
        self.name == "all" && !self.modifier
    }
}

/// The terms of an SPF record; `None` for any other text.
fn terms(text: &str) -> Option<Vec<Term>> {
    let mut words = text.split_ascii_whitespace();
    words.next().filter(|version| version.eq_ignore_ascii_case("v=spf1"))?;
    Some(words.take(MOST_TERMS).map(Term::new).collect())
}

/// Looks at a domain's SPF record and the records it leads to.
pub(super) fn examine(domain: &str, expected: &[&str], resolver: &Resolver, cancel: &dyn Fn() -> bool) -> Spf {
    let mut spf = Spf { complete: true, ..Spf::default() };
    match resolver.txt(domain, cancel) {
        Ok(texts) => spf.records = texts.into_iter().filter(|text| terms(text).is_some()).collect(),
        Err(Miss::NoData) => {}
        Err(miss) => {
            spf.miss = Some(miss);
            spf.complete = false;
        }
    }
    match spf.records.len() {
        0 if spf.miss.is_none() => spf.problems.push(format!("{domain} publishes no SPF record")),
        0 | 1 => {}
        n => spf.problems.push(format!("{domain} publishes {n} SPF records; receivers then use none (RFC 7208 4.5)")),
    }
    let mut walk = Walk { resolver, cancel, fetches: 0, complete: true, reached: Vec::new(), problems: Vec::new() };
    let all: Vec<Term> = spf.records.iter().filter_map(|record| terms(record)).flatten().collect();
    let mut path = vec![domain.to_ascii_lowercase()];
    for term in counted(&all) {
        let cost = walk.term(term, &mut path);
        if cost > 0 {
            spf.costs.push((term.text.clone(), cost));
            spf.lookups += cost;
        }
    }
    spf.complete &= walk.complete;
    spf.problems.append(&mut walk.problems);
    spf.includes = expected
        .iter()
        .map(|name| Include { name: (*name).to_owned(), presence: presence(name, &all, &walk.reached, spf.complete) })
        .collect();
    own_problems(&mut spf, &all);
    spf
}

fn presence(name: &str, own: &[Term], reached: &[String], complete: bool) -> Presence {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if own.iter().any(|term| term.name == "include" && term.value == name) {
        Presence::Direct
    } else if reached.contains(&name) {
        Presence::Nested
    } else if complete {
        Presence::Absent
    } else {
        Presence::Unknown
    }
}

fn own_problems(spf: &mut Spf, all: &[Term]) {
    if spf.lookups > LIMIT {
        let least = if spf.complete { "" } else { "at least " };
        let n = spf.lookups;
        spf.problems.push(format!("{least}{n} DNS look-ups; receivers stop after {LIMIT} and then fail the check"));
    }
    for term in all {
        if term.is_all() && !term.text.starts_with(['-', '~', '?']) {
            spf.problems.push(format!("\"{}\" lets everybody send for this domain", term.text));
        } else if term.name == "ptr" {
            spf.problems.push("\"ptr\" is slow, ignored by many and should not be used (RFC 7208 5.5)".into());
        }
    }
    if !spf.records.is_empty() && !all.iter().any(|term| term.is_all() || term.name == "redirect") {
        spf.problems.push("the record has no \"all\" at the end, so nobody is ever refused".into());
    }
}

/// The terms a receiver may evaluate: nothing behind `all`, and `redirect` only without it (RFC 7208 section 6.1).
fn counted(terms: &[Term]) -> impl Iterator<Item = &Term> {
    let has_all = terms.iter().any(Term::is_all);
    terms.iter().filter(move |term| !(has_all && term.modifier && term.name == "redirect"))
}

struct Walk<'a> {
    resolver: &'a Resolver,
    cancel: &'a dyn Fn() -> bool,
    fetches: usize,
    complete: bool,
    /// Domains of all includes and redirects that were met.
    reached: Vec<String>,
    problems: Vec<String>,
}

impl Walk<'_> {
    /// Look-ups one term costs, with everything below it. `path` holds the domains being evaluated.
    fn term(&mut self, term: &Term, path: &mut Vec<String>) -> usize {
        match (term.name.as_str(), term.modifier) {
            ("include", false) | ("redirect", true) => 1 + self.enter(&term.value, path),
            ("a" | "mx" | "ptr" | "exists", false) => 1,
            _ => 0,
        }
    }

    fn enter(&mut self, domain: &str, path: &mut Vec<String>) -> usize {
        if path.iter().any(|above| above == domain) {
            self.problem(format!("{domain} includes itself, so the check never ends well"));
            return 0;
        }
        if domain.contains('%') || path.len() > MOST_DEPTH || self.fetches >= MOST_FETCHES {
            self.complete = false; // a macro depends on the sender; the rest is far over the limit
            return 0;
        }
        self.reached.push(domain.to_owned());
        self.fetches += 1;
        let texts = match self.resolver.txt(domain, self.cancel) {
            Ok(texts) => texts,
            Err(Miss::NoData | Miss::NoDomain | Miss::BadName) => Vec::new(),
            Err(miss) => {
                self.complete = false;
                self.problem(format!("{domain} could not be read: {miss}"));
                return 0;
            }
        };
        let mut records = texts.iter().filter_map(|text| terms(text));
        let (Some(record), other) = (records.next(), records.next()) else {
            self.problem(format!("{domain} is included but has no SPF record, so the check fails"));
            return 0;
        };
        if other.is_some() {
            self.problem(format!("{domain} is included but has several SPF records, so the check fails"));
        }
        path.push(domain.to_owned());
        let cost = counted(&record).map(|term| self.term(term, path)).sum();
        path.pop();
        cost
    }

    fn problem(&mut self, text: String) {
        if self.problems.len() < MOST_FETCHES && !self.problems.contains(&text) {
            self.problems.push(text);
        }
    }
}

/// The record that permits the missing includes: several become one, a missing or open `all` becomes `~all`.
/// `None` when the published record is good as it is or could not be read.
pub(super) fn corrected(spf: &Spf) -> Option<String> {
    if spf.miss.is_some_and(|miss| miss != Miss::NoDomain) {
        return None;
    }
    let absent = |include: &&Include| include.presence == Presence::Absent;
    let mut kept: Vec<Term> = Vec::new();
    let mut end = None;
    for term in spf.records.iter().filter_map(|record| terms(record)).flatten() {
        if term.is_all() {
            // Of several the mildest wins: a merge must not refuse mail that was accepted before.
            let rank = |text: &str| ["-", "~", "?"].iter().position(|sign| text.starts_with(sign));
            if let Some(new) = rank(&term.text) {
                end = end.max(Some(new));
            }
        } else if !kept.contains(&term) {
            kept.push(term);
        }
    }
    let redirect = kept.iter().any(|term| term.modifier && term.name == "redirect");
    let modifiers: Vec<Term> = kept.extract_if(.., |term| term.modifier).collect();
    let mut words = vec!["v=spf1".to_owned()];
    words.extend(kept.iter().map(|term| term.text.clone()));
    words.extend(spf.includes.iter().filter(absent).map(|include| format!("include:{}", include.name)));
    match end {
        Some(rank) => words.push(format!("{}all", ["-", "~", "?"].get(rank).unwrap_or(&"~"))),
        None if redirect => {}
        None => words.push("~all".into()),
    }
    words.extend(modifiers.iter().map(|term| term.text.clone()));
    let corrected = words.join(" ");
    let published = spf.records.first().filter(|_| spf.records.len() == 1);
    let same = |old: &String| {
        let (mut old, mut new) = (words_of(old), words_of(&corrected));
        old.sort_unstable();
        new.sort_unstable();
        old == new
    };
    (!published.is_some_and(same)).then_some(corrected)
}

fn words_of(record: &str) -> Vec<String> {
    record.split_ascii_whitespace().map(str::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::{Include, Presence, Spf, corrected, terms};

    fn fixed(records: &[&str], absent: &[&str]) -> Option<String> {
        let includes = absent.iter().map(|name| Include { name: (*name).into(), presence: Presence::Absent }).collect();
        let records = records.iter().map(|record| (*record).into()).collect();
        corrected(&Spf { records, includes, ..Spf::default() })
    }

    #[test]
    fn the_corrected_record_keeps_what_was_there() {
        let desk = &["mail.desk.example"][..];
        for (records, absent, want) in [
            (&[][..], desk, Some("v=spf1 include:mail.desk.example ~all")),
            (&["v=spf1 mx -all"][..], desk, Some("v=spf1 mx include:mail.desk.example -all")),
            (&["V=SPF1  MX   -ALL"][..], &[][..], None),
            (&["v=spf1 ip4:192.0.2.0/24"][..], &[][..], Some("v=spf1 ip4:192.0.2.0/24 ~all")),
            (&["v=spf1 a +all"][..], &[][..], Some("v=spf1 a ~all")),
            (&["v=spf1 redirect=other.example"][..], &[][..], None),
            (
                &["v=spf1 redirect=other.example"][..],
                desk,
                Some("v=spf1 include:mail.desk.example redirect=other.example"),
            ),
            (
                &["v=spf1 mx a -all", "v=spf1 mx include:b.example ?all exp=why.example"][..],
                &[][..],
                Some("v=spf1 mx a include:b.example ?all exp=why.example"),
            ),
        ] {
            assert_eq!(fixed(records, absent).as_deref(), want, "{records:?} {absent:?}");
        }
    }

    #[test]
    fn only_the_whole_version_word_makes_an_spf_record() {
        for (text, want) in [("v=spf1", true), ("V=spf1 -all", true), ("v=spf10 -all", false), ("spf2.0/pra a", false)]
        {
            assert_eq!(terms(text).is_some(), want, "{text:?}");
        }
    }
}
