//! A help desk's table of suspended tickets as a second source of notices (Zendesk: cause, subject, from, content).
//!
//! Each row becomes a mail of its own, with what the table says of it, and goes the way of every mail.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use super::fill::{Batches, examine};
use crate::diagnose::Context;
use crate::model::{MessageRef, Timestamp};
use crate::source::{RawMail, Table};
use crate::stdx::{squeeze, why};

/// Bytes of a table that are read.
const MOST_BYTES: u64 = 256 << 20;

/// Whether a path is taken for such a table.
pub(super) fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

/// Reads a table into the store.
///
/// # Errors
/// In words, when it cannot be read or is no table of suspended tickets.
pub(super) fn read(path: &Path, context: &Context, batches: &mut Batches<'_>) -> Result<(), String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes))
        .map_err(|error| why(&error).to_string())?;
    let table = Table::read(&String::from_utf8_lossy(&bytes));
    let columns = Columns::of(&table)?;
    for (line, cells) in table.rows.iter().skip(1) {
        let place = MessageRef(format!("{}#{line}", path.display()));
        let mail = columns.mail(cells, place);
        let (mail, diagnosis) = examine(mail, context);
        if batches.take_second(mail, diagnosis) == ControlFlow::Break(()) {
            break;
        }
    }
    Ok(())
}

/// Where the table says what.
struct Columns {
    subject: usize,
    content: usize,
    from: Option<usize>,
    to: Option<usize>,
    at: Option<usize>,
    message_id: Option<usize>,
}

impl Columns {
    fn of(table: &Table) -> Result<Self, String> {
        let need = |names: &[&str]| {
            table.column(names).ok_or_else(|| {
                let name = names.first().copied().unwrap_or_default();
                format!("it is no table of suspended tickets: there is no column \"{name}\"")
            })
        };
        need(&["cause", "cause_id", "cause_of_suspension", "reason"])?;
        Ok(Self {
            subject: need(&["subject", "title"])?,
            content: need(&["content", "body", "description", "message", "text"])?,
            from: table.column(&["from", "author_email", "author", "sender", "requester", "email", "via_source_from"]),
            to: table.column(&["recipient", "to", "received_at_address", "original_recipient"]),
            at: table.column(&["created_at", "created", "received", "received_at", "date", "suspended_at", "time"]),
            message_id: table.column(&["message_id", "messageid"]),
        })
    }

    /// A row as a mail. What stands in a cell forms no header field of its own.
    fn mail(&self, cells: &[String], place: MessageRef) -> RawMail {
        let cell = |at: Option<usize>| at.and_then(|at| cells.get(at)).map_or("", String::as_str);
        let mut head = String::new();
        let id = cell(self.message_id).trim_matches(['<', '>']);
        let id = if id.is_empty() { String::new() } else { format!("<{id}>") };
        let fields = [
            ("From", cell(self.from)),
            ("To", cell(self.to)),
            ("Subject", cell(Some(self.subject))),
            ("Message-ID", &id),
        ];
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let _ = writeln!(head, "{name}: {}", squeeze(&value));
        }
        let content = cell(Some(self.content));
        let kind = if content.trim_start().starts_with('<') { "html" } else { "plain" };
        let _ = write!(head, "Content-Type: text/{kind}; charset=utf-8\n\n{}\n", content.replace("\r\n", "\n"));
        let bytes = head.into_bytes();
        let received = time(cell(self.at));
        RawMail { place, received, size: bytes.len() as u64, bytes, truncated: false }
    }
}

/// A time as tables write it: RFC 3339, "2026-11-06 08:12:04 UTC", or the date of a mail.
fn time(text: &str) -> Option<Timestamp> {
    let zoned = text.trim_end_matches("UTC").trim().replacen(' ', "T", 1);
    let utc = if zoned.len() == 19 { format!("{zoned}Z") } else { zoned };
    Timestamp::parse(&utc).or_else(|| Timestamp::from_rfc2822(text))
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_are_read_as_tables_write_them() {
        let want = super::Timestamp::parse("2026-11-06T08:12:04Z");
        for text in [
            "2026-11-06T08:12:04Z",
            "2026-11-06 08:12:04 UTC",
            "2026-11-06 08:12:04",
            "2026-11-06 09:12:04+01:00",
            "Fri, 6 Nov 2026 08:12:04 +0000",
        ] {
            assert_eq!(time(text), want, "{text}");
        }
        assert_eq!(time("yesterday"), None);
    }
}
