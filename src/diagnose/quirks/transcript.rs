//! Sendmail's way, and that of its heirs: a list of addresses, then a transcript of the SMTP session with `>>>`, `<<<` and `code addr... words`.
//!
//! Source: Sendmail Installation and Operation Guide (error messages), and the transcripts in `tests/corpus/sendmail`.
//! The transcript is copied line by line, so words are tied to a recipient by the `RCPT` before them or the address in
//! them; what names nobody belongs to everybody.

use super::Reading;
use crate::diagnose::merge::OWN_WORDS;
use crate::diagnose::prose::place;
use crate::diagnose::zone::Zone;
use crate::mail::{find_addresses, read_address};
use crate::model::{Action, Address, Fact, Origin, PerRecipient, reply};
use crate::rules::Pattern;
use crate::stdx;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    None,
    Failed,
    Delayed,
    Delivered,
    Transcript,
}

struct State<'x> {
    records: Vec<PerRecipient>,
    /// Words that name nobody.
    common: Vec<Fact<String>>,
    /// The address the session talks about.
    about: Option<Address>,
    host: Option<String>,
    /// What the server said last, as long as no line named whom it meant.
    answer: Option<Fact<String>>,
    own: &'x [Pattern],
    excluded: &'x dyn Fn(&Address) -> bool,
}

/// Reads the zones.
pub(super) fn read(zones: &[Zone<'_>], own: &[Pattern], excluded: &dyn Fn(&Address) -> bool) -> Reading {
    let mut state =
        State { records: Vec::new(), common: Vec::new(), about: None, host: None, answer: None, own, excluded };
    for zone in zones {
        let mut section = Section::None;
        for at in zone.from..zone.to {
            let line = zone.text.line(at);
            let trimmed = line.trim();
            if trimmed.is_empty() {
                continue;
            }
            if let Some(next) = heading(trimmed) {
                section = next;
                continue;
            }
            match section {
                Section::None => {}
                Section::Failed | Section::Delayed | Section::Delivered => state.listed(zone, at, trimmed, section),
                Section::Transcript => state.session(zone, at, trimmed),
            }
        }
    }
    state.finish()
}

/// The dashed headings, in the wordings sendmail and its copies use.
fn heading(line: &str) -> Option<Section> {
    if !line.starts_with("--") {
        return None;
    }
    let has = |words: &str| stdx::contains_ignore_case(line, words);
    if has("transient non-fatal errors") || has("had transient") || has("temporary problem") {
        Some(Section::Delayed)
    } else if has("successful delivery notifications") || has("addresses was successful") {
        Some(Section::Delivered)
    } else if ["fatal errors", "delivery errors", "delivery problems", "unrecoverable", "addresses failed"]
        .iter()
        .any(|words| has(words))
    {
        Some(Section::Failed)
    } else if has("transcript") {
        Some(Section::Transcript)
    } else if line.ends_with("--") {
        Some(Section::None)
    } else {
        None
    }
}

impl State<'_> {
    fn record(&mut self, address: &Address) -> Option<&mut PerRecipient> {
        let slot = self
            .records
            .iter()
            .position(|record| record.recipient.as_ref().is_some_and(|fact| fact.value.same_as(address.as_str())))?;
        self.records.get_mut(slot)
    }

    fn open(&mut self, zone: &Zone<'_>, at: usize, address: Address, action: Option<Action>) {
        if self.record(&address).is_some() || self.records.len() > 512 {
            return;
        }
        let fact = |value| Fact { value, place: place(zone, at), origin: Origin::Quirk, from: "text" };
        let action = action.map(|value| Fact { value, place: place(zone, at), origin: Origin::Quirk, from: "text" });
        self.records.push(PerRecipient { recipient: Some(fact(address)), action, ..PerRecipient::default() });
    }

    /// A line of the address lists.
    fn listed(&mut self, zone: &Zone<'_>, at: usize, line: &str, section: Section) {
        let action = match section {
            Section::Delayed => Action::Delayed,
            Section::Delivered => Action::Delivered,
            _ => Action::Failed,
        };
        if let Some(reason) = stdx::strip_prefix_ignore_case(line, "(reason:") {
            if let Some(last) = self.records.last_mut() {
                let value = reason.trim().trim_end_matches(')').to_owned();
                last.said.push(Fact { value, place: place(zone, at), origin: Origin::Quirk, from: "text" });
            }
            return;
        }
        if let Some(origin) = stdx::strip_prefix_ignore_case(line, "(expanded from:") {
            let address = read_address(origin.trim().trim_end_matches(')'));
            match (self.records.last_mut(), address) {
                (Some(last), Some(address))
                    if last.original.is_none()
                        && last
                            .recipient
                            .as_ref()
                            .is_some_and(|fact| fact.place.line + 3 > u32::try_from(at).unwrap_or(0)) =>
                {
                    last.original =
                        Some(Fact { value: address, place: place(zone, at), origin: Origin::Quirk, from: "text" });
                }
                // a program or a file stood in place of the address
                (_, Some(address)) => self.open(zone, at, address, Some(action)),
                _ => {}
            }
            return;
        }
        let head = line.trim_start_matches(['<', '>', ' ', '*', '"']);
        if let Some(found) = find_addresses(line).next()
            && (line.len() - head.len() == found.start || line.starts_with(">>>"))
            && !line.starts_with("\"|")
        {
            let known = self.records.len();
            let rest = line.get(found.end..).unwrap_or_default().trim_start_matches(['>', ' ', ':', '.']).to_owned();
            self.open(zone, at, found.address, Some(action));
            // some copies of sendmail write the reason behind the address
            if self.records.len() > known
                && rest.len() > 3
                && !rest.starts_with('<')
                && let Some(last) = self.records.last_mut()
            {
                last.said.push(Fact {
                    value: rest.trim_matches(['[', ']']).to_owned(),
                    place: place(zone, at),
                    origin: Origin::Quirk,
                    from: "text",
                });
            }
        }
    }

    /// A line of the session.
    fn session(&mut self, zone: &Zone<'_>, at: usize, line: &str) {
        if let Some(host) = line
            .strip_prefix("... while talking to")
            .or_else(|| stdx::strip_prefix_ignore_case(line, "while talking to"))
        {
            self.host = Some(host.trim().trim_end_matches(':').trim_end_matches('.').to_owned());
            self.about = None;
            self.answer = None;
            return;
        }
        if let Some(command) = line.strip_prefix(">>>") {
            let recipient = stdx::contains_ignore_case(command, "RCPT");
            self.about = if recipient { find_addresses(command).next().map(|found| found.address) } else { None };
            return;
        }
        let (words, remote) = match line.strip_prefix("<<<") {
            Some(words) => (words.trim(), true),
            None => (line, false),
        };
        let negative = matches!(words.as_bytes(), [b'4' | b'5', b'0'..=b'9', b'0'..=b'9', ..]);
        if !negative && !remote && self.deferred(zone, at, words) {
            return;
        }
        if !negative && !remote {
            // "mail.local: unknown user: x", "procmail: Quota exceeded"
            if words.len() > 8 && self.common.len() < 64 {
                self.common.push(Fact {
                    value: words.to_owned(),
                    place: place(zone, at),
                    origin: Origin::Quirk,
                    from: OWN_WORDS,
                });
            }
            return;
        }
        if !negative {
            return;
        }
        let named = if remote { self.about.clone() } else { leading_address(words) };
        let quoted = if remote { None } else { quoted_reply(words) };
        let own = !remote && (self.own.iter().any(|pattern| pattern.find(words).is_some()));
        let from = if own { OWN_WORDS } else { "text" };
        let fact = Fact {
            value: stdx::squeeze(quoted.filter(|_| named.is_some()).unwrap_or(words)).into_owned(),
            place: place(zone, at),
            origin: Origin::Quirk,
            from,
        };
        if remote && self.own.iter().any(|pattern| pattern.is_literal() && pattern.find(words).is_some()) {
            return; // what a server says when everybody before was refused
        }
        if remote && named.is_none() {
            self.answer = Some(fact.clone());
        }
        match named {
            Some(address) if self.record(&address).is_some() || !(self.excluded)(&address) => {
                if self.records.iter().all(|record| record.action.is_none()) || self.record(&address).is_some() {
                    self.open(zone, at, address.clone(), None);
                }
                let host = self.host.clone();
                let at = fact.place;
                let answer = if remote { None } else { self.answer.take() };
                match self.record(&address) {
                    Some(record) => {
                        record.said.extend(answer);
                        record.said.push(fact);
                        record.remote_mta = record.remote_mta.take().or(host.map(|value| Fact {
                            value,
                            place: at,
                            origin: Origin::Quirk,
                            from: "text",
                        }));
                    }
                    None => self.common.push(fact),
                }
            }
            _ if self.common.len() < 64 => self.common.push(fact),
            _ => {}
        }
    }

    /// `<addr>... Deferred: words`, where no list names the address.
    fn deferred(&mut self, zone: &Zone<'_>, at: usize, words: &str) -> bool {
        let Some((_, rest)) = words.split_once("... ") else { return false };
        let Some(address) = leading_address(words).filter(|address| !(self.excluded)(address)) else { return false };
        if !stdx::starts_with_ignore_case(rest.as_bytes(), b"Deferred") {
            return false;
        }
        if self.records.iter().all(|record| record.action.as_ref().is_none_or(|action| action.value == Action::Delayed))
        {
            self.open(zone, at, address.clone(), Some(Action::Delayed));
        }
        let fact = Fact { value: rest.to_owned(), place: place(zone, at), origin: Origin::Quirk, from: "text" };
        self.record(&address).map(|record| record.said.push(fact)).is_some()
    }

    /// Words that name nobody go to those who have none, and behind the others' own.
    fn finish(mut self) -> Reading {
        let everybody: Vec<Address> = self
            .records
            .iter()
            .filter_map(|record| record.recipient.as_ref().map(|fact| fact.value.clone()))
            .take(64)
            .collect();
        let single = self.records.len() == 1;
        for record in &mut self.records {
            let own = record.said.iter().any(|fact| reply::codes(&fact.value, true).next().is_some());
            if !own {
                let mine = record.recipient.as_ref().map(|fact| fact.value.clone());
                let about_other = |fact: &&Fact<String>| {
                    !everybody.iter().any(|other| {
                        Some(other) != mine.as_ref() && stdx::contains_ignore_case(&fact.value, other.as_str())
                    })
                };
                record.said.extend(self.common.iter().filter(about_other).cloned());
            } else if single {
                // what a delivery program wrote before sendmail put its own code to it
                let spoken =
                    |fact: &&Fact<String>| fact.from == OWN_WORDS && reply::codes(&fact.value, true).next().is_none();
                record.said.extend(self.common.iter().filter(spoken).cloned());
            }
        }
        if self.records.is_empty() && !self.common.is_empty() {
            // nobody is named: the words wait for an address from the returned message
            self.records.push(PerRecipient { said: self.common, ..PerRecipient::default() });
        }
        Reading { recipients: self.records, ..Reading::default() }
    }
}

/// The reply that sendmail quotes behind an address: `550 <addr>... 550 words`.
fn quoted_reply(words: &str) -> Option<&str> {
    let (_, rest) = words.split_once("... ")?;
    matches!(rest.as_bytes(), [b'4' | b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..]).then_some(rest)
}

/// The address of `550 5.1.1 <addr>... words`.
fn leading_address(words: &str) -> Option<Address> {
    let dots = words.find("...").or_else(|| words.find(">,")).or_else(|| words.find(">:"))?;
    find_addresses(words.get(..dots + 1)?).last().map(|found| found.address)
}
