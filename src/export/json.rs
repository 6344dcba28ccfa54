//! JSON Lines: one object per line, safe to print on a terminal because everything a terminal obeys is escaped.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::{Case, CaseId, Cause, GroupId, Kind, State, Status, Timestamp};
use crate::stdx::{is_hidden, is_plain};

/// Writes one value and a line end. The text reads back as it was: what is hidden stands as `\u` escapes.
///
/// # Errors
/// When `out` cannot be written.
pub fn line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&line_of(value)?)
}

/// One value and a line end, as [`line`] writes them.
///
/// # Errors
/// When the value has no JSON form.
pub fn line_of(value: &impl Serialize) -> io::Result<Vec<u8>> {
    // with room for a diagnosis: growing copies it
    let mut json = Vec::with_capacity(4096);
    serde_json::to_writer(&mut json, value)?;
    let mut json = String::from_utf8(json).map_err(io::Error::other)?;
    // only a string holds a hidden character, and there its escape means the same
    if !is_plain(&json) {
        json = escape_hidden(&json);
    }
    json.push('\n');
    Ok(json.into_bytes())
}

/// Compact JSON with the hidden characters of its strings as escapes.
fn escape_hidden(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + 64);
    // most strings are plain
    for piece in json.split_inclusive('"') {
        if is_plain(piece) {
            out.push_str(piece);
            continue;
        }
        for c in piece.chars() {
            if is_hidden(c) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            } else {
                out.push(c);
            }
        }
    }
    out
}

/// A case as `list --json` writes it. Scripts rely on the names: fields may be added, never renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseLine {
    /// Its name.
    pub case: CaseId,
    /// The failed address; empty for a bounce that names none.
    pub address: Box<str>,
    /// Where it stands.
    pub state: State,
    /// Why it failed.
    pub cause: Cause,
    /// Literal status code.
    pub status: Option<Status>,
    /// Literal reply code.
    pub reply_code: Option<u16>,
    /// The reporting server.
    pub reporter: Option<Box<str>>,
    /// The ticket.
    pub ticket: Option<Box<str>>,
    /// The corrected address.
    pub corrected_to: Option<Box<str>>,
    /// Message-ID of the original message.
    pub message_id: Option<Box<str>>,
    /// Arrival of the first notice.
    pub received: Timestamp,
    /// How many notices it holds.
    pub notices: u32,
    /// The cases of the same original message share it.
    pub group: GroupId,
    /// Kind of the newest notice.
    pub kind: Kind,
    /// What we sent to, where it differs.
    pub original_address: Option<Box<str>>,
    /// Subject of the original message, else of the notice.
    pub subject: Option<Box<str>>,
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
