//! Tables that help desks import as they are. Columns as the vendors publish them.
//!
//! Addresses stand raw, because an import must find them (`+tag@example.org`); every other cell is made safe for a
//! spreadsheet, because somebody will look into the file first.

use std::io::{self, Write};

use super::csv::cell;
use super::{Cells, Correction, Record};
use crate::model::State;

/// Zendesk, "Bulk importing users": the header line of its template.
pub const ZENDESK: &[&str] =
    &["name", "email", "external_id", "details", "notes", "phone", "role", "restriction", "organization", "tags"];
/// Rows that Zendesk takes in one file, header left out.
pub const ZENDESK_ROWS: u64 = 1999;
/// Freshdesk, import of contacts: the fields a row is matched by.
pub const FRESHDESK: &[&str] = &["Name", "Email", "Description"];
/// The tickets whose customer has not got our answer.
pub const TICKETS: &[&str] =
    &["ticket", "mark", "old_address", "new_address", "person", "subject", "message_id", "sent_at", "note"];

/// Corrected people for Zendesk. It matches rows by address or external id, so each adds the person under the new one.
///
/// # Errors
/// When `out` cannot be written.
pub fn zendesk(rows: impl Iterator<Item = Correction>, out: &mut dyn Write) -> io::Result<u64> {
    table(
        ZENDESK,
        rows.map(|row| {
            let empty = String::new;
            vec![
                safe(&name(&row)),
                row.new_address.clone(),
                empty(),
                safe(&history(&row)),
                safe(row.note.as_deref().unwrap_or_default()),
                empty(),
                "end-user".to_owned(),
                empty(),
                empty(),
                "address-corrected".to_owned(),
            ]
        }),
        out,
    )
}

/// Corrected people for Freshdesk. Its import, too, finds a contact by its address, and adds one under the new.
///
/// # Errors
/// When `out` cannot be written.
pub fn freshdesk(rows: impl Iterator<Item = Correction>, out: &mut dyn Write) -> io::Result<u64> {
    table(FRESHDESK, rows.map(|row| vec![safe(&name(&row)), row.new_address.clone(), safe(&history(&row))]), out)
}

/// Tickets to answer again. `mark` is how a help desk finds its ticket in a text: the id in square brackets.
///
/// # Errors
/// When `out` cannot be written.
pub fn tickets(records: &[Record], cells: Cells, out: &mut dyn Write) -> io::Result<u64> {
    let rows = records.iter().filter(|record| record.case.state == State::Corrected);
    let rows = rows.filter_map(|record| {
        let case = &record.case;
        let ticket = case.ticket.as_deref()?;
        let sent = record.mails.iter().find_map(|mail| mail.diagnosis.original.date);
        let text = |text: &str| cell(text, cells).into_owned();
        Some(vec![
            text(ticket),
            text(&format!("[{ticket}]")),
            text(case.sent_to()),
            text(case.corrected_to.as_deref().unwrap_or_default()),
            text(record.person().unwrap_or_default()),
            text(case.subject.as_deref().unwrap_or_default()),
            text(case.message_id.as_deref().unwrap_or_default()),
            sent.map(|sent| sent.to_string()).unwrap_or_default(),
            text(&record.noted()),
        ])
    });
    table(TICKETS, rows, out)
}

/// Writes a header line and the rows; every cell is one line without hidden characters.
pub(super) fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>, out: &mut dyn Write) -> io::Result<u64> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(header)?;
    let mut count = 0;
    for row in rows {
        writer.write_record(row.iter().map(|text| cell(text, Cells::Raw).into_owned()))?;
        count += 1;
    }
    writer.flush()?;
    Ok(count)
}

/// Where a row comes from, for whoever merges the two people.
fn history(row: &Correction) -> String {
    let ticket = row.ticket.as_ref().map(|ticket| format!(" (ticket {ticket})")).unwrap_or_default();
    format!("corrected from {}{ticket}", row.old_address)
}

/// Imports want a name; without one the local part of the address stands in.
fn name(row: &Correction) -> String {
    let local = || row.new_address.split('@').next().unwrap_or_default().to_owned();
    row.person.clone().filter(|person| !person.trim().is_empty()).unwrap_or_else(local)
}

fn safe(text: &str) -> String {
    cell(text, Cells::Spreadsheet).into_owned()
}
