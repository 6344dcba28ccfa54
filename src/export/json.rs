//! JSON Lines: one object per line, safe to print on a terminal because everything a terminal obeys is escaped.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::model::{Case, CaseId, Cause, GroupId, Kind, State, Status, Timestamp};
use crate::stdx::{is_hidden, is_plain};

/// Writes one value and a line end. The text reads back as it was: what is hidden stands as `\u` escapes.
///
/// # Errors
/// When `out` cannot be written.
pub fn line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    // the writer is handed many small pieces: into memory first
    let mut line = Vec::with_capacity(4096);
    value.serialize(&mut Serializer::with_formatter(&mut line, Visible))?;
    line.push(b'\n');
    out.write_all(&line)
}

/// Compact JSON in which no hidden character stands literally.
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if is_plain(fragment) {
            return CompactFormatter.write_string_fragment(writer, fragment);
        }
        let mut rest = fragment;
        while let Some(at) = rest.find(is_hidden) {
            let (plain, hidden) = rest.split_at(at);
            CompactFormatter.write_string_fragment(writer, plain)?;
            let mut chars = hidden.chars();
            for unit in chars.next().unwrap_or_default().encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = chars.as_str();
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

/// A case as `list --json` writes it. Scripts rely on the names: fields may be added, never renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseLine {
    /// Its name.
    pub case: CaseId,
    /// The failed address; empty for a bounce that names none.
    pub address: String,
    /// Where it stands.
    pub state: State,
    /// Why it failed.
    pub cause: Cause,
    /// Literal status code.
    pub status: Option<Status>,
    /// Literal reply code.
    pub reply_code: Option<u16>,
    /// The reporting server.
    pub reporter: Option<String>,
    /// The ticket.
    pub ticket: Option<String>,
    /// The corrected address.
    pub corrected_to: Option<String>,
    /// Message-ID of the original message.
    pub message_id: Option<String>,
    /// Arrival of the first notice.
    pub received: Timestamp,
    /// How many notices it holds.
    pub notices: u32,
    /// The cases of the same original message share it.
    pub group: GroupId,
    /// Kind of the newest notice.
    pub kind: Kind,
    /// What we sent to, where it differs.
    pub original_address: Option<String>,
    /// Subject of the original message, else of the notice.
    pub subject: Option<String>,
    /// Arrival of the newest notice.
    pub last_received: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// When a retry is due.
    pub due: Option<Timestamp>,
    /// When a delay closes by itself as "no failure seen"; past where it has.
    pub closes: Option<Timestamp>,
    /// Whether the lead still has to decide it.
    pub undecided: bool,
    /// Decided before, and bounced again since.
    pub again: bool,
}

impl CaseLine {
    /// The address the help desk has on record: what we sent to.
    pub fn sent_to(&self) -> &str {
        self.original_address.as_deref().unwrap_or(&self.address)
    }

    /// The line of a case at a point in time.
    pub fn new(case: &Case, now: Timestamp) -> Self {
        Self {
            case: case.id.clone(),
            address: case.address.clone(),
            state: case.state,
            cause: case.cause,
            status: case.status,
            reply_code: case.reply_code,
            reporter: case.reporter.clone(),
            ticket: case.ticket.clone(),
            corrected_to: case.corrected_to.clone(),
            message_id: case.message_id.clone(),
            received: case.received,
            notices: case.notices,
            group: case.group.clone(),
            kind: case.kind,
            original_address: case.original_address.clone(),
            subject: case.subject.clone(),
            last_received: case.last_received,
            decided_at: case.decided_at,
            due: case.due,
            closes: case.closes,
            undecided: case.is_undecided(now),
            again: case.again,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn hidden_characters_are_escaped_and_read_back() {
        let text = "a\u{1b}[2J\u{9b}\u{202e}\u{7f}\u{e0041}\"\\\n你";
        let mut out = Vec::new();
        line(&text, &mut out).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert_eq!(written, "\"a\\u001b[2J\\u009b\\u202e\\u007f\\udb40\\udc41\\\"\\\\\\n你\"\n");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
}
