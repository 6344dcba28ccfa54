//! Lists of addresses: those not to mail again, and those that spammers put into a contact form.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::csv::cell;
use super::desks::table;
use super::{Cells, Record};
use crate::model::{Cause, Kind, State};

/// Columns of the suppress list.
pub const SUPPRESS: &[&str] = &["address", "reason", "status", "last_bounce", "case"];
/// Columns of the contact-form list.
pub const FORM_SPAM: &[&str] = &["address", "subject", "ticket", "reporter", "received", "note"];

/// Whether nothing sent to such an address can ever arrive.
pub(super) const fn condemns(cause: Cause) -> bool {
    cause.condemns_address() || matches!(cause, Cause::Suppressed)
}

/// Addresses not to mail again, each once: people who complained, and addresses of decided cases that are dead. An
/// address that some case was corrected to is alive and left out, unless its owner complained.
///
/// # Errors
/// When `out` cannot be written.
pub fn suppress(records: &[Record], cells: Cells, out: &mut dyn Write) -> io::Result<u64> {
    let alive: BTreeSet<String> =
        records.iter().filter_map(|record| record.case.corrected_to.as_ref()).map(|to| to.to_lowercase()).collect();
    let mut seen = BTreeSet::new();
    let newest_first = {
        let mut records: Vec<&Record> = records.iter().collect();
        records
            .sort_by_key(|record| (record.case.kind != Kind::Complaint, std::cmp::Reverse(record.case.last_received)));
        records
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for record in newest_first {
        let case = &record.case;
        let complaint = case.kind == Kind::Complaint;
        let decided = matches!(case.state, State::Corrected | State::Done | State::NotOurFault | State::Escalated);
        let key = case.address.to_lowercase();
        let listed = complaint || (decided && condemns(case.cause) && !alive.contains(&key));
        if listed && !case.address.is_empty() && seen.insert(key) {
            rows.push(vec![
                cell(&case.address, cells).into_owned(),
                if complaint { "complaint".to_owned() } else { case.cause.slug().to_owned() },
                case.status.map(|status| status.to_string()).unwrap_or_default(),
                case.last_received.to_string(),
                case.case.0.clone(),
            ]);
        }
    }
    rows.sort();
    table(SUPPRESS, rows.into_iter(), out)
}

/// Addresses from cases that were called spam: nobody's customers, and never part of a correction.
///
/// # Errors
/// When `out` cannot be written.
pub fn form_spam(records: &[Record], cells: Cells, out: &mut dyn Write) -> io::Result<u64> {
    let rows = records.iter().filter(|record| record.case.state == State::Spam && !record.case.address.is_empty());
    let rows = rows.map(|record| {
        let case = &record.case;
        let text = |text: Option<&str>| cell(text.unwrap_or_default(), cells).into_owned();
        vec![
            text(Some(&case.address)),
            text(case.subject.as_deref()),
            text(case.ticket.as_deref()),
            text(case.reporter.as_deref()),
            case.received.to_string(),
            text(Some(&record.noted())),
        ]
    });
    table(FORM_SPAM, rows, out)
}
