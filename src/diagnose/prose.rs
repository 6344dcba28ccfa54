//! Recipients and the words for them, out of a text: by a family's lines, or by the lines any notice may have.
//!
//! One reader for all: a line that names an address opens a recipient, the words behind it (or before it) belong to it.
//! Invariant: every address and word is literal; our own address is only taken where nothing else is named.

use super::zone::Zone;
use crate::mail::{FoundAddress, find_addresses};
use crate::model::{Address, Fact, Origin, PerRecipient, Place, reply};
use crate::rules::{Extent, Format, Hole, Pattern};
use crate::stdx;

/// Longest words kept for one recipient.
const MAX_WORDS: usize = 4096;
/// Most recipients read from prose.
const MAX_RECIPIENTS: usize = 512;

/// How to read.
#[derive(Clone, Copy)]
pub(super) struct Manner<'f> {
    pub(super) recipient: &'f [Pattern],
    pub(super) reason: &'f [Pattern],
    pub(super) remote: &'f [Pattern],
    pub(super) original: &'f [Pattern],
    pub(super) extent: Extent,
    pub(super) origin: Origin,
    /// Whether a line that begins with an address names a recipient.
    pub(super) leading: bool,
}

impl<'f> Manner<'f> {
    /// A family's manner; what it does not say is read as in any notice.
    pub(super) fn of(format: &'f Format, generic: Option<&'f Format>) -> Self {
        let own = !format.recipient.is_empty();
        let fallback = generic.map_or(&[][..], |generic| generic.recipient.as_slice());
        Self {
            recipient: if own { &format.recipient } else { fallback },
            reason: &format.reason,
            remote: if format.remote.is_empty() {
                generic.map_or(&[], |generic| generic.remote.as_slice())
            } else {
                &format.remote
            },
            original: if format.original.is_empty() {
                generic.map_or(&[], |generic| generic.original.as_slice())
            } else {
                &format.original
            },
            extent: format.text,
            origin: Origin::Format,
            leading: !own,
        }
    }
}

/// A line that names recipients: the addresses, and what else it says.
struct Named {
    addresses: Vec<Address>,
    rest: String,
    remote: Option<String>,
}

/// Reads the recipients of one zone.
pub(super) fn read(zone: &Zone<'_>, manner: &Manner<'_>, excluded: &dyn Fn(&Address) -> bool) -> Vec<PerRecipient> {
    let named: Vec<(usize, Named)> = (zone.from..zone.to)
        .filter_map(|at| Some((at, name_line(zone.text.line(at), manner, excluded)?)))
        .take(MAX_RECIPIENTS)
        .collect();
    let reasons = reasons(zone, manner.reason);
    let mut out: Vec<PerRecipient> = Vec::new();
    let mut covered = 0;
    for (index, (at, line)) in named.iter().enumerate() {
        let next = named
            .iter()
            .skip(index + 1)
            .find(|(_, other)| other.addresses != line.addresses)
            .map_or(zone.to, |(next, _)| *next);
        let repeated = index > 0 && named.get(index - 1).is_some_and(|(_, other)| other.addresses == line.addresses);
        if repeated && *at < covered {
            continue; // its words were taken with the line before
        }
        let (words, from, end) = words(zone, manner.extent, *at, next, &line.rest);
        covered = end;
        for address in &line.addresses {
            let place = place(zone, *at);
            let slot = out
                .iter()
                .position(|record| record.recipient.as_ref().is_some_and(|fact| fact.value.same_as(address.as_str())));
            let slot = slot.unwrap_or_else(|| {
                out.push(PerRecipient {
                    recipient: Some(Fact { value: address.clone(), place, origin: manner.origin, from: "text" }),
                    ..PerRecipient::default()
                });
                out.len() - 1
            });
            let Some(record) = out.get_mut(slot) else { continue };
            if !words.is_empty() {
                record.said.push(Fact {
                    value: words.clone(),
                    place: self::place(zone, from),
                    origin: manner.origin,
                    from: "text",
                });
            }
            if record.original.is_none() {
                let found = manner
                    .original
                    .iter()
                    .find_map(|pattern| crate::mail::read_address(pattern.find(&words)?.get(Hole::Addr)?));
                record.original = found.map(|value| Fact {
                    value,
                    place: self::place(zone, from),
                    origin: manner.origin,
                    from: "text",
                });
            }
            if record.remote_mta.is_none() {
                let host = line.remote.clone().or_else(|| remote_in(&words, manner.remote));
                record.remote_mta = host.map(|value| Fact {
                    value,
                    place: self::place(zone, from),
                    origin: manner.origin,
                    from: "text",
                });
            }
        }
    }
    for (words, at) in reasons {
        let fact = |value: String| Fact { value, place: place(zone, at), origin: manner.origin, from: "text" };
        for record in &mut out {
            record.remote_mta = record.remote_mta.take().or_else(|| remote_in(&words, manner.remote).map(fact));
            record.said.push(fact(words.clone()));
        }
    }
    out
}

pub(super) fn place(zone: &Zone<'_>, line: usize) -> Place {
    Place { part: zone.part, line: u32::try_from(line).unwrap_or(u32::MAX) }
}

/// Whether a line names recipients, and what else it says.
fn name_line(line: &str, manner: &Manner<'_>, excluded: &dyn Fn(&Address) -> bool) -> Option<Named> {
    memchr::memchr(b'@', line.as_bytes())?;
    let line = stdx::squeeze(line);
    let line = line.trim();
    for pattern in manner.recipient {
        let Some(found) = pattern.line(line) else { continue };
        let addresses: Vec<Address> =
            found.all(Hole::Addr).filter_map(crate::mail::read_address).filter(|address| !excluded(address)).collect();
        if addresses.is_empty() {
            continue;
        }
        let mut rest = String::new();
        for hole in [Hole::Reply, Hole::Status, Hole::Text] {
            for taken in found.all(hole) {
                let taken = taken.trim();
                if !taken.is_empty() {
                    if !rest.is_empty() {
                        rest.push(' ');
                    }
                    rest.push_str(taken);
                }
            }
        }
        let without: usize = addresses.iter().map(|address| address.as_str().len()).sum();
        if !has_words(&rest) && line.len() > without + 6 && (!pattern.is_bare() || found.get(Hole::Any).is_some()) {
            // the line itself says why: "Unknown user: anna@example.org"
            line.clone_into(&mut rest);
        }
        return Some(Named { addresses, rest, remote: found.get(Hole::Host).map(str::to_owned) });
    }
    if manner.leading { leading(line, excluded).or_else(|| row(line, excluded)) } else { None }
}

/// A row of a table: somebody's name, the address, and then the reply.
fn row(line: &str, excluded: &dyn Fn(&Address) -> bool) -> Option<Named> {
    let found = find_addresses(line).find(|found| !excluded(&found.address))?;
    let rest = line.get(found.end..)?.trim_start_matches(['>', ' ', ':', '|', ',', ';', '(']);
    let code = reply::codes(rest, true).next()?;
    (code.start == 0).then(|| Named { addresses: vec![found.address], rest: rest.to_owned(), remote: None })
}

/// A line that begins with an address, as a list of recipients does.
fn leading(line: &str, excluded: &dyn Fn(&Address) -> bool) -> Option<Named> {
    let head = line.trim_start_matches(|c: char| {
        c.is_whitespace() || matches!(c, '*' | '-' | '>' | '\u{2022}' | '\u{b7}' | '<' | '"' | '\'' | '[')
    });
    let skipped = line.len() - head.len();
    let first = find_addresses(line).next()?;
    if first.start != skipped || excluded(&first.address) {
        return None;
    }
    let mut rest = line.get(first.end..).unwrap_or_default().trim_start_matches(['>', '"', '\'', ']']);
    if let Some(link) = rest.strip_prefix("<mailto:") {
        rest = link.split_once('>').map_or("", |(_, rest)| rest);
    }
    // "anna@example.org wrote:" is a quotation, not a report
    if rest.trim_end().ends_with("wrote:") {
        return None;
    }
    let rest = rest.trim_start_matches([':', ',', ';', '.', ' ', '\t']);
    Some(Named { addresses: vec![first.address], rest: rest.trim().to_owned(), remote: None })
}

/// The words for the recipient named on line `at`, the line they begin on, and the one behind them.
fn words(zone: &Zone<'_>, extent: Extent, at: usize, next: usize, rest: &str) -> (String, usize, usize) {
    let mut out = stdx::clamp(rest, MAX_WORDS).to_owned();
    if extent == Extent::Line {
        return (out, at, at + 1);
    }
    let mut from = at;
    let end = next.min(zone.to);
    let mut line = at + 1;
    if extent == Extent::Around {
        let before = paragraph_before(zone, at, true);
        if !before.0.is_empty() {
            return (join(before.0, &out), before.1, at + 1);
        }
    }
    while line < end {
        let text = zone.text.line(line);
        if text.trim().is_empty() {
            let enough = extent == Extent::Paragraph && has_words(&out);
            if enough {
                break;
            }
        } else {
            if out.is_empty() {
                from = line;
            }
            push(&mut out, text);
        }
        if out.len() > MAX_WORDS {
            break;
        }
        line += 1;
    }
    if !has_words(&out) {
        let (before, start) = paragraph_before(zone, at, true);
        if !before.is_empty() {
            return (join(before, &out), start, line);
        }
    }
    (stdx::squeeze(&out).into_owned(), from, line)
}

fn join(mut before: String, rest: &str) -> String {
    push(&mut before, rest);
    before
}

/// Whether there is more than a number or a mark.
fn has_words(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_alphabetic).count() >= 4 || text.chars().filter(|c| !c.is_ascii()).count() >= 4
}

fn push(out: &mut String, line: &str) {
    let line = line.trim();
    if line.is_empty() {
        return;
    }
    if !out.is_empty() {
        out.push(' ');
    }
    out.push_str(stdx::clamp(line, MAX_WORDS));
}

/// The paragraph that ends at this line, or the one before it.
fn paragraph_before(zone: &Zone<'_>, at: usize, deeper: bool) -> (String, usize) {
    let mut start = at;
    let mut blank = false;
    while start > zone.from {
        let empty = zone.text.line(start - 1).trim().is_empty();
        if empty && (blank || start != at) {
            break;
        }
        blank |= empty;
        start -= 1;
        if at - start > 12 {
            break;
        }
    }
    // "The following recipients did not receive this message:" only introduces: what stands before it says why
    let last = (start..at).rev().map(|line| zone.text.line(line).trim()).find(|line| !line.is_empty());
    if deeper && start > zone.from && last.is_some_and(|line| line.ends_with(':')) {
        let (mut before, first) = paragraph_before(zone, start, false);
        for line in start..at {
            push(&mut before, zone.text.line(line));
        }
        return (before, first);
    }
    let mut out = String::new();
    for line in start..at {
        push(&mut out, zone.text.line(line));
    }
    (out, start)
}

/// Words for all recipients: behind the lines a reason pattern matches.
fn reasons(zone: &Zone<'_>, patterns: &[Pattern]) -> Vec<(String, usize)> {
    let mut all = Vec::new();
    if patterns.is_empty() {
        return all;
    }
    for at in 0..zone.to {
        let Some(found) = patterns.iter().find_map(|pattern| pattern.line(zone.text.line(at))) else { continue };
        let first = found.get(Hole::Text).map(|text| stdx::clamp(text, MAX_WORDS));
        let mut out = first.map(|text| stdx::squeeze(text).into_owned()).unwrap_or_default();
        let mut from = at;
        for line in at + 1..zone.to {
            let text = zone.text.line(line);
            if text.trim().is_empty() {
                if has_words(&out) || reply::codes(&out, true).next().is_some() {
                    break;
                }
                continue;
            }
            if out.is_empty() {
                from = line;
            }
            push(&mut out, text);
            if out.len() > MAX_WORDS {
                break;
            }
        }
        if !out.is_empty() && all.len() < 4 {
            all.push((stdx::squeeze(&out).into_owned(), from));
        }
    }
    all
}

/// The answering server in the words.
fn remote_in(words: &str, patterns: &[Pattern]) -> Option<String> {
    let (_, host) = patterns
        .iter()
        .filter_map(|pattern| {
            let found = pattern.find(words)?;
            Some((found.end, found.get(Hole::Host)?.trim_matches(['[', ']', '.', ':']).to_owned()))
        })
        .filter(|(_, host)| host.contains('.') || host.contains(':'))
        .min()?;
    Some(host)
}

/// The recipients that are named anywhere and wanted, each with the rest of its line and what follows.
pub(super) fn mentioned(zones: &[Zone<'_>], wanted: &dyn Fn(&Address) -> bool) -> Vec<PerRecipient> {
    let mut out: Vec<PerRecipient> = Vec::new();
    for zone in zones {
        for at in zone.from..zone.to {
            let line = zone.text.line(at);
            let named = |found: &FoundAddress| wanted(&found.address) && !is_message_id(line, found.start);
            for found in find_addresses(line).filter(named) {
                let same = |record: &PerRecipient| {
                    record.recipient.as_ref().is_some_and(|fact| fact.value.same_as(found.address.as_str()))
                };
                if out.iter().any(same) || out.len() >= MAX_RECIPIENTS {
                    continue;
                }
                let fact = |value, at| Fact { value, place: place(zone, at), origin: Origin::Prose, from: "text" };
                let (words, from, _) = words(zone, Extent::Paragraph, at, zone.to, line.trim());
                out.push(PerRecipient {
                    recipient: Some(Fact {
                        value: found.address,
                        place: place(zone, at),
                        origin: Origin::Prose,
                        from: "text",
                    }),
                    said: vec![fact(words, from)],
                    ..PerRecipient::default()
                });
            }
        }
    }
    out
}

/// Whether what looks like an address is the id of a message: its label stands before it.
fn is_message_id(line: &str, start: usize) -> bool {
    let before = line.get(..start).unwrap_or_default();
    ["message-id", "message id", "messageid", "in-reply-to", "references"]
        .iter()
        .any(|label| stdx::contains_ignore_case(before, label))
}

/// The recipient a sentence names.
pub(super) fn named_in(sentence: &Fact<String>, excluded: &dyn Fn(&Address) -> bool) -> Option<PerRecipient> {
    let value = find_addresses(&sentence.value).map(|found| found.address).find(|address| !excluded(address))?;
    let recipient = Fact { value, place: sentence.place, origin: sentence.origin, from: sentence.from };
    Some(PerRecipient { recipient: Some(recipient), said: vec![sentence.clone()], ..PerRecipient::default() })
}

/// Whether a paragraph holds a reply beside its status or an address: nobody but a mail server writes so.
pub(super) fn has_reply(zones: &[Zone<'_>]) -> bool {
    zones.iter().any(|zone| {
        coded_words(zone).is_some_and(|Fact { value, .. }| {
            let code = reply::codes(&value, true).next();
            let status = code.is_some_and(|code| reply::statuses(&value).any(|status| status.start > code.start));
            let address = code.is_some() && find_addresses(&value).next().is_some();
            status || address || value.contains("#5.") || value.contains("#4.")
        })
    })
}

/// All words of a zone, on one line.
pub(super) fn all_words(zone: &Zone<'_>) -> Option<Fact<String>> {
    let mut out = String::new();
    for at in zone.from..zone.to {
        push(&mut out, zone.text.line(at));
        if out.len() > MAX_WORDS {
            break;
        }
    }
    let value = stdx::squeeze(&out).into_owned();
    (!value.is_empty()).then(|| Fact { value, place: place(zone, zone.from), origin: Origin::Prose, from: "text" })
}

/// Whether a paragraph only greets: short, and more follows its last mark.
fn is_salutation(text: &str) -> bool {
    const LONGEST: usize = 80;
    text.len() < LONGEST && text.ends_with([',', '!', '\u{ff0c}', '\u{3001}', '\u{ff1a}'])
}

/// The first line that begins with a reply, to the end of its paragraph; else the first paragraph that holds a reply code
/// or a status.
pub(super) fn coded_words(zone: &Zone<'_>) -> Option<Fact<String>> {
    let begins = |line: &str| reply::codes(line.trim_start(), true).next().is_some_and(|code| code.start == 0);
    let Some(first) = (zone.from..zone.to).find(|&at| begins(zone.text.line(at))) else {
        return failure_words(zone).filter(|fact| is_coded(&fact.value));
    };
    let mut out = String::new();
    for at in first..zone.to {
        let line = zone.text.line(at);
        if line.trim().is_empty() || out.len() > MAX_WORDS {
            break;
        }
        push(&mut out, line);
    }
    let value = stdx::squeeze(&out).into_owned();
    Some(Fact { value, place: place(zone, first), origin: Origin::Prose, from: "text" })
}

pub(super) fn is_coded(text: &str) -> bool {
    reply::codes(text, true).next().is_some() || reply::statuses(text).next().is_some()
}

/// The first paragraph that holds a reply code or a status, else the first, for a notice that names nobody.
pub(super) fn failure_words(zone: &Zone<'_>) -> Option<Fact<String>> {
    let mut at = zone.from;
    let mut first = None;
    while at < zone.to {
        let start = at;
        let mut out = String::new();
        while at < zone.to && !zone.text.line(at).trim().is_empty() {
            if out.len() < MAX_WORDS {
                push(&mut out, zone.text.line(at));
            }
            at += 1;
        }
        let coded = is_coded(&out);
        if !out.is_empty() {
            let fact = Fact {
                value: stdx::squeeze(&out).into_owned(),
                place: place(zone, start),
                origin: Origin::Prose,
                from: "text",
            };
            if coded {
                return Some(fact);
            }
            if !is_salutation(&fact.value) {
                first = first.or(Some(fact));
            }
        }
        at += 1;
    }
    first
}
