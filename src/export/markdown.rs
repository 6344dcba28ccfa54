//! Reports in Markdown: a worklist for a ticket or a chat, and what an administrator must cure.
//!
//! Invariant: text from a mail forms no Markdown of its own: no link, no image, no HTML, no heading.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::Record;
use super::json::CaseLine;
use crate::model::time::DAY;
use crate::model::{State, WhoActs, Zone};
use crate::stdx::visible;

/// Refusals of one kind at one domain with a longer silence between them are two incidents.
pub const SILENCE: i64 = 3 * DAY;
/// Addresses that an incident names; the rest is counted.
const NAMED: usize = 10;

/// One line of foreign text inside a paragraph; never at the beginning of a line.
fn inline(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(text.len());
    for c in visible(&text).chars() {
        if "\\`*_{}[]<>~&|".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    // Some readers make links of bare addresses of pages.
    out.replace("://", "\\://").replace("www.", "www\\.")
}

/// What is left to do, then what was done.
///
/// # Errors
/// When `out` cannot be written.
pub fn worklist(records: &[Record], out: &mut dyn Write) -> io::Result<u64> {
    type Belongs = fn(&CaseLine) -> bool;
    let sections: [(&str, Belongs); 5] = [
        ("To decide", |case| case.undecided),
        ("Waiting for another try", |case| !case.undecided && case.state == State::Retry),
        ("With somebody else", |case| !case.undecided && case.state == State::Escalated),
        ("Corrected", |case| !case.undecided && case.state == State::Corrected),
        ("Settled", |case| !case.undecided && matches!(case.state, State::Done | State::NotOurFault | State::Spam)),
    ];
    writeln!(out, "# Bounces")?;
    let mut count = 0;
    for (title, belongs) in sections {
        let cases: Vec<&Record> = records.iter().filter(|record| belongs(&record.case)).collect();
        if cases.is_empty() {
            continue;
        }
        writeln!(out, "\n## {title} ({})\n", cases.len())?;
        for record in &cases {
            item(record, out)?;
        }
        count += cases.len();
    }
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}

fn item(record: &Record, out: &mut dyn Write) -> io::Result<()> {
    let case = &record.case;
    let done = if case.undecided || case.state == State::Retry { ' ' } else { 'x' };
    let status = case.status.map(|status| format!("{status} ")).unwrap_or_default();
    write!(out, "- [{done}] {}", inline(if case.address.is_empty() { "(no address)" } else { &case.address }))?;
    if let Some(to) = &case.corrected_to {
        write!(out, " → {}", inline(to))?;
    }
    write!(out, ": {status}{}", case.cause)?;
    if let Some(ticket) = &case.ticket {
        write!(out, ", ticket {}", inline(ticket))?;
    }
    if let Some(subject) = &case.subject {
        write!(out, ", “{}”", inline(subject))?;
    }
    if let Some(due) = case.due {
        write!(out, ", due {}", due.format("%Y-%m-%d", &Zone::UTC))?;
    }
    writeln!(out)?;
    if let Some(recipient) = record.recipient().filter(|_| case.undecided) {
        writeln!(out, "  {}", inline(&recipient.next_step))?;
    }
    match record.noted() {
        note if note.is_empty() => Ok(()),
        note => writeln!(out, "  Note: {}", inline(&note)),
    }
}

/// Refusals of one kind at one domain.
struct Incident<'a> {
    records: Vec<&'a Record>,
}

/// What an administrator must cure: who refuses us, since when, in whose words, and what to do.
///
/// # Errors
/// When `out` cannot be written.
pub fn admin(records: &[Record], out: &mut dyn Write) -> io::Result<u64> {
    let incidents = incidents(records);
    writeln!(out, "# Refusals to look into")?;
    if incidents.is_empty() {
        writeln!(out, "\nNone.")?;
    }
    for incident in &incidents {
        incident.write(out)?;
    }
    Ok(u64::try_from(incidents.len()).unwrap_or(u64::MAX))
}

/// One incident, whoever must act on it.
///
/// # Errors
/// When `out` cannot be written.
pub fn incident(records: &[Record], out: &mut dyn Write) -> io::Result<()> {
    Incident { records: records.iter().collect() }.write(out)
}

/// Cases an administrator must act on, or that were handed over; the largest incident first.
fn incidents(records: &[Record]) -> Vec<Incident<'_>> {
    let mut by_place: BTreeMap<(String, &str), Vec<&Record>> = BTreeMap::new();
    for record in records {
        let case = &record.case;
        let for_admin = record.recipient().is_some_and(|recipient| recipient.who_acts == WhoActs::Admin);
        if for_admin || case.state == State::Escalated {
            let domain = case.address.rsplit('@').next().unwrap_or_default().to_lowercase();
            by_place.entry((domain, case.cause.slug())).or_default().push(record);
        }
    }
    let mut incidents: Vec<Incident<'_>> = Vec::new();
    for mut records in by_place.into_values() {
        records.sort_by_key(|record| record.case.received);
        for chunk in records.chunk_by(|a, b| b.case.received.0 - a.case.last_received.0 <= SILENCE) {
            incidents.push(Incident { records: chunk.to_vec() });
        }
    }
    incidents.sort_by_key(|incident| std::cmp::Reverse(incident.records.len()));
    incidents
}

impl Incident<'_> {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(first) = self.records.first() else { return Ok(()) };
        let domain = first.case.address.rsplit('@').next().unwrap_or_default();
        writeln!(out, "\n## {}: {}\n", inline(domain), first.case.cause)?;
        let last = self.records.iter().map(|record| record.case.last_received).max().unwrap_or(first.case.received);
        let day = |time: crate::model::Timestamp| time.format("%Y-%m-%d %H:%M UTC", &Zone::UTC);
        let notices: u32 = self.records.iter().map(|record| record.case.notices).sum();
        writeln!(
            out,
            "- Cases: {} ({notices} notices), {} to {}",
            self.records.len(),
            day(first.case.received),
            day(last)
        )?;
        self.list(out, "Status", |record| record.case.status.map(|status| status.to_string()))?;
        self.list(out, "Reported by", |record| record.case.reporter.as_deref().map(str::to_owned))?;
        self.list(out, "Listed or refused address (IP)", |record| {
            record.recipient()?.diagnostic.as_deref().and_then(address_of_host)
        })?;
        self.list(out, "Block list", |record| record.block_list.clone())?;
        self.list(out, "People", |record| Some(record.case.address.to_string()))?;
        if let Some(recipient) = self.records.iter().find_map(|record| record.recipient()) {
            writeln!(out, "- Meaning: {}", inline(&recipient.meaning))?;
            writeln!(out, "- To do: {}", inline(&recipient.next_step))?;
        }
        let said: BTreeSet<&str> =
            self.records.iter().filter_map(|record| record.recipient()?.diagnostic.as_deref()).collect();
        if !said.is_empty() {
            writeln!(out, "- They said:\n")?;
        }
        for text in said.iter().take(3) {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            writeln!(out, "      {}", visible(&line))?;
        }
        Ok(())
    }

    /// A line with the different values of the cases.
    fn list(&self, out: &mut dyn Write, label: &str, value: impl Fn(&Record) -> Option<String>) -> io::Result<()> {
        let values: BTreeSet<String> = self.records.iter().filter_map(|record| value(record)).collect();
        if values.is_empty() {
            return Ok(());
        }
        let named: Vec<String> = values.iter().take(NAMED).map(|value| inline(value)).collect();
        let more = values.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(out, "- {label}: {}{more}", named.join(", "))
    }
}

/// The first IP address that a refusal names: as a rule the one of ours that they block.
fn address_of_host(text: &str) -> Option<String> {
    let words = text.split(|c: char| !(c.is_ascii_hexdigit() || c == '.' || c == ':'));
    let found =
        words.map(|word| word.trim_matches(['.', ':'])).filter_map(|word| word.parse::<std::net::IpAddr>().ok());
    found.map(|address| address.to_string()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_mail_forms_no_markdown() {
        for (text, want) in [
            ("![x](http://a.example)", "!\\[x\\](http\\://a.example)"),
            ("<b>\n# b", "\\<b\\> # b"),
            ("a_b@c.example", "a\\_b@c.example"),
            ("\u{1b}[1m", "^\\[\\[1m"),
        ] {
            assert_eq!(inline(text), want);
        }
    }

    #[test]
    fn the_blocked_address_is_found() {
        for (text, want) in [
            ("550 5.7.1 Service unavailable, Client host [192.0.2.14] blocked using Spamhaus", Some("192.0.2.14")),
            ("554 refused: 2001:db8::1 is listed", Some("2001:db8::1")),
            ("550 5.7.1 no", None),
        ] {
            assert_eq!(address_of_host(text).as_deref(), want);
        }
    }
}
