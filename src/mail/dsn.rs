//! Delivery status notifications (RFC 3464, RFC 6533): fields to facts.
//!
//! Reads what servers really write: blanks before colons, lost blank lines, `Action` before `Final-Recipient`, one block
//! for everything, unfolded continuation lines. Invariant: every value is literal; nothing is concluded here.

use super::address::read_address;
use super::guard;
use super::header::field_colon;
use super::text::Text;
use crate::model::{Action, Fact, PerRecipient, Place, Report};
use crate::stdx;

/// Where a diagnostic comes from that a program wrote and no mail server (RFC 3464 section 2.3.6: its type is not `smtp`).
pub const PROGRAM_SAID: &str = "Diagnostic-Code of a program";

/// The fields this program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    ReportingMta,
    ReceivedFrom,
    Original,
    Final,
    Actual,
    Action,
    Status,
    RemoteMta,
    Diagnostic,
    Supplement,
    Known,
    Unknown,
}

const NAMES: &[(&str, Name)] = &[
    ("final-recipient", Name::Final),
    ("original-recipient", Name::Original),
    ("action", Name::Action),
    ("status", Name::Status),
    ("diagnostic-code", Name::Diagnostic),
    ("remote-mta", Name::RemoteMta),
    ("reporting-mta", Name::ReportingMta),
    ("received-from-mta", Name::ReceivedFrom),
    ("x-actual-recipient", Name::Actual),
    ("x-supplementary-info", Name::Supplement),
    ("arrival-date", Name::Known),
    ("last-attempt-date", Name::Known),
    ("original-envelope-id", Name::Known),
    ("will-retry-until", Name::Known),
    ("final-log-id", Name::Known),
    ("dsn-gateway", Name::Known),
];

fn name_of(field: &str) -> Name {
    let field = field.trim();
    NAMES.iter().find(|(name, _)| field.eq_ignore_ascii_case(name)).map_or(Name::Unknown, |(_, name)| *name)
}

/// The line at which report fields begin in a text that is no declared report, if they do.
pub fn looks_like_report(text: &Text<'_>) -> Option<usize> {
    let mut first = None;
    let (mut recipient, mut other) = (false, false);
    for (index, line) in text.lines().enumerate() {
        let Some(colon) = field_colon(line.as_bytes()) else { continue };
        match name_of(line.get(..colon).unwrap_or_default()) {
            Name::Final | Name::Original => recipient = true,
            Name::ReportingMta | Name::Action | Name::Status | Name::Diagnostic => other = true,
            _ => continue,
        }
        first.get_or_insert(index);
        if recipient && other {
            return first;
        }
    }
    None
}

struct Reader {
    report: Report,
    current: PerRecipient,
    part: u32,
}

/// Reads report fields from `text` between two lines; `part` is its index in the mail.
pub fn read_report(text: &Text<'_>, part: u32, from: usize, to: usize) -> Report {
    let mut reader = Reader { report: Report::default(), current: PerRecipient::default(), part };
    let mut open: Option<(Name, usize, String)> = None;
    for index in from..to.min(text.len()) {
        let line = text.line(index);
        if line.trim().is_empty() {
            reader.take(open.take());
            reader.end_block();
            continue;
        }
        let folded = line.starts_with([' ', '\t']);
        let colon = if folded && open.is_some() { None } else { field_colon(line.trim_start().as_bytes()) };
        if let Some(colon) = colon {
            let line = line.trim_start();
            let name = name_of(line.get(..colon).unwrap_or_default());
            // an unindented continuation such as "550-5.1.1: no" is no field, and "said:" is none either
            if name != Name::Unknown
                || open.as_ref().is_none_or(|(open, ..)| *open != Name::Diagnostic)
                || is_extension(line)
            {
                reader.take(open.take());
                open = Some((name, index, line.get(colon + 1..).unwrap_or_default().trim().to_owned()));
                continue;
            }
        }
        if let Some((name, _, value)) = &mut open
            && (folded || *name == Name::Diagnostic)
        {
            value.push(' ');
            value.push_str(line.trim());
        }
    }
    reader.take(open.take());
    reader.end_block();
    reader.end_recipient();
    reader.report
}

fn is_extension(line: &str) -> bool {
    stdx::starts_with_ignore_case(line.as_bytes(), b"x-")
}

impl Reader {
    /// Sorts one field in.
    fn take(&mut self, field: Option<(Name, usize, String)>) {
        let Some((name, index, value)) = field else { return };
        let place = Place { part: self.part, line: u32::try_from(index).unwrap_or(u32::MAX) };
        match name {
            Name::ReportingMta => {
                // a second report in the same part begins
                if self.current.recipient.is_some() {
                    self.end_recipient();
                }
                let slot = &mut self.report.message.reporting_mta;
                if slot.is_none() {
                    *slot = mta_name(&value).map(|host| Fact::field(host, place, "Reporting-MTA"));
                }
            }
            Name::ReceivedFrom => {
                self.report.message.received_from =
                    mta_name(&value).map(|host| Fact::field(host, place, "Received-From-MTA"));
            }
            Name::Final => {
                if self.current.recipient.is_some() {
                    self.end_recipient();
                }
                self.current.recipient =
                    read_address(&value).map(|address| Fact::field(address, place, "Final-Recipient"));
            }
            Name::Original => {
                if self.current.original.is_some() && self.current.recipient.is_some() {
                    self.end_recipient();
                }
                self.current.original =
                    read_address(&value).map(|address| Fact::field(address, place, "Original-Recipient"));
            }
            Name::Actual => {
                self.current.actual =
                    read_address(&value).map(|address| Fact::field(address, place, "X-Actual-Recipient"));
            }
            Name::Action => {
                if self.current.action.is_some() || self.current.odd_action.is_some() {
                    self.end_recipient();
                }
                self.current.action = action_of(&value).map(|action| Fact::field(action, place, "Action field"));
                // Postfix answers the question whether an address would work with these words
                if stdx::contains_ignore_case(&value, "deliverable") {
                    self.current.odd_action = Some(Fact::field(value, place, "Action field"));
                }
            }
            Name::Status => {
                if self.current.status.is_none() {
                    self.current.status = Some(Fact::field(value, place, "Status field"));
                }
            }
            Name::RemoteMta => {
                self.current.remote_mta = mta_name(&value).map(|host| Fact::field(host, place, "Remote-MTA"));
            }
            Name::Diagnostic => self.diagnostic(&value, place),
            Name::Supplement => {
                let text = strip_type(&value).trim_matches(['<', '>']).to_owned();
                if !text.is_empty() {
                    self.current.said.push(Fact::field(text, place, "X-Supplementary-Info"));
                }
            }
            Name::Known | Name::Unknown => {}
        }
    }

    /// Two Diagnostic-Code fields in one block: the first stays, the second is further wording.
    fn diagnostic(&mut self, value: &str, place: Place) {
        let text = stdx::squeeze(strip_type(value)).into_owned();
        if text.is_empty() {
            return;
        }
        let program = stdx::strip_prefix_ignore_case(value.trim_start(), "x-unix").is_some()
            && text.bytes().any(|b| b.is_ascii_alphabetic());
        let fact = Fact::field(text, place, if program { PROGRAM_SAID } else { "Diagnostic-Code" });
        if self.current.diagnostic.is_none() {
            self.current.diagnostic = Some(fact);
        } else {
            self.current.said.push(fact);
        }
    }

    /// A blank line: ends a recipient that has a name; loose fields wait for one.
    fn end_block(&mut self) {
        let named =
            self.current.recipient.is_some() || self.current.original.is_some() || self.current.actual.is_some();
        let told = self.current.action.is_some() || self.current.status.is_some() || self.current.odd_action.is_some();
        if named && told {
            self.end_recipient();
        }
    }

    fn end_recipient(&mut self) {
        let record = std::mem::take(&mut self.current);
        if record.is_empty() || self.report.recipients.len() >= guard::MAX_RECIPIENTS {
            return;
        }
        let named = record.recipient.is_some() || record.original.is_some() || record.actual.is_some();
        // fields that lost their recipient to a stray blank line belong to the one before
        if !named
            && let Some(last) = self.report.recipients.last_mut()
            && (last.action.is_none() || record.action.is_none())
        {
            last.action = last.action.take().or(record.action);
            last.odd_action = last.odd_action.take().or(record.odd_action);
            last.status = last.status.take().or(record.status);
            last.remote_mta = last.remote_mta.take().or(record.remote_mta);
            match (&last.diagnostic, record.diagnostic) {
                (None, found) => last.diagnostic = found,
                (Some(_), Some(more)) => last.said.push(more),
                (Some(_), None) => {}
            }
            last.said.extend(record.said);
            return;
        }
        self.report.recipients.push(record);
    }
}

/// The action word (RFC 3464 section 2.3.3), in the spellings servers use.
fn action_of(value: &str) -> Option<Action> {
    let word = value.split(|c: char| !c.is_ascii_alphabetic()).find(|word| !word.is_empty())?;
    let actions = [
        ("failed", Action::Failed),
        ("failure", Action::Failed),
        ("fail", Action::Failed),
        ("undeliverable", Action::Failed),
        ("delayed", Action::Delayed),
        ("deferred", Action::Delayed),
        ("delivered", Action::Delivered),
        ("deliverable", Action::Delivered),
        ("relayed", Action::Relayed),
        ("expanded", Action::Expanded),
    ];
    actions.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, action)| *action)
}

/// The text of a field without its type prefix (`smtp;`, `X-Postfix;`, `dns;`).
pub(crate) fn strip_type(value: &str) -> &str {
    match value.split_once(';') {
        Some((kind, rest))
            if kind.trim().len() <= 24
                && !kind.trim().is_empty()
                && kind.trim().bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_' | b'8' | b'2')) =>
        {
            rest.trim()
        }
        _ => value.trim(),
    }
}

/// The host of an MTA field, without type prefix and remarks; the word `unknown` is no name.
pub(crate) fn mta_name(value: &str) -> Option<String> {
    let value = strip_type(value);
    let host = value
        .split([' ', '\t', '('])
        .find(|word| !word.is_empty())?
        .trim_end_matches('.')
        .trim_matches(['"', '<', '>']);
    let known = !host.is_empty() && !host.eq_ignore_ascii_case("unknown");
    known.then(|| host.to_owned())
}
