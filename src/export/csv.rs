//! Corrections as comma-separated values (RFC 4180), safe to open in a spreadsheet.

use std::borrow::Cow;
use std::io::{self, Write};

use super::{Cells, Correction};
use crate::stdx::visible;

/// The columns, in order. Scripts rely on them: add at the end, never rename.
pub const COLUMNS: &[&str] =
    &["old_address", "new_address", "person", "ticket", "cause", "status", "decided_at", "decided_by", "note"];

/// Writes a header line and one line per correction.
///
/// # Errors
/// When `out` cannot be written.
pub fn corrections<'a>(
    rows: impl IntoIterator<Item = &'a Correction>,
    cells: Cells,
    out: &mut dyn Write,
) -> io::Result<u64> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS)?;
    let mut written = 0;
    for row in rows {
        let status = row.status.map(|status| status.to_string());
        let decided_at = row.decided_at.to_string();
        let values: [&str; 9] = [
            &row.old_address,
            &row.new_address,
            row.person.as_deref().unwrap_or_default(),
            row.ticket.as_deref().unwrap_or_default(),
            row.cause.slug(),
            status.as_deref().unwrap_or_default(),
            &decided_at,
            &row.decided_by,
            row.note.as_deref().unwrap_or_default(),
        ];
        writer.write_record(values.map(|value| cell(value, cells).into_owned()))?;
        written += 1;
    }
    writer.flush()?;
    Ok(written)
}

/// The one door for text into a table: one line, nothing hidden, and no formula where a person opens it.
/// What counts as the start of a formula: `=`, `+`, `-`, `@`, tab and carriage return (OWASP, CSV injection).
pub fn cell(text: &str, cells: Cells) -> Cow<'_, str> {
    let starts_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    let line = match text.contains(['\n', '\r', '\t']) {
        true => Cow::Owned(visible(&text.split(['\n', '\r', '\t']).collect::<Vec<_>>().join(" ")).into_owned()),
        false => visible(text),
    };
    match cells {
        Cells::Spreadsheet if starts_formula || line.starts_with(['=', '+', '-', '@']) => {
            Cow::Owned(format!("'{line}"))
        }
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Cause, Timestamp};

    #[test]
    fn no_cell_starts_a_formula() {
        for (text, spreadsheet, raw) in [
            ("=1+1", "'=1+1", "=1+1"),
            ("+tag@example.org", "'+tag@example.org", "+tag@example.org"),
            ("-x@example.org", "'-x@example.org", "-x@example.org"),
            ("@SUM(A1)", "'@SUM(A1)", "@SUM(A1)"),
            ("\t=1", "' =1", " =1"),
            ("\r=1", "' =1", " =1"),
            ("a=b", "a=b", "a=b"),
            ("two\nlines", "two lines", "two lines"),
            ("esc\u{1b}[2J", "esc^[[2J", "esc^[[2J"),
            ("＝1", "'＝1", "＝1"),
            ("", "", ""),
        ] {
            assert_eq!(cell(text, Cells::Spreadsheet), spreadsheet, "{text:?}");
            assert_eq!(cell(text, Cells::Raw), raw, "{text:?}");
        }
    }

    #[test]
    fn a_correction_is_one_line_with_its_columns_in_order() {
        let row = Correction {
            old_address: "anna@exmaple.org".to_owned(),
            new_address: "anna@example.org".to_owned(),
            person: Some("Berg, Anna".to_owned()),
            ticket: Some("L7VKGO-M25K".to_owned()),
            cause: Cause::MailboxUnknown,
            status: "5.1.1".parse().ok(),
            decided_at: Timestamp::parse("2026-10-07T09:02:09Z").unwrap(),
            decided_by: "support-desk".to_owned(),
            note: Some("said \"twice\",\nby phone".to_owned()),
        };
        let mut out = Vec::new();
        assert_eq!(corrections([&row], Cells::Spreadsheet, &mut out).unwrap(), 1);
        let want = "old_address,new_address,person,ticket,cause,status,decided_at,decided_by,note\n\
                    anna@exmaple.org,anna@example.org,\"Berg, Anna\",L7VKGO-M25K,mailbox-unknown,5.1.1,\
                    2026-10-07T09:02:09Z,support-desk,\"said \"\"twice\"\", by phone\"\n";
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }
}
