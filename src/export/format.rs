//! The forms an export can take: which cases each wants, and who writes it.

use std::io::{self, Write};

use super::{Cells, Correction, Record, csv, desks, json, lists, markdown};
use crate::model::{Case, Kind, State, Timestamp};

macro_rules! formats {
    ($($(#[doc = $words:literal])+ $name:ident = $slug:literal, $letter:literal, $noun:literal, $extension:literal;)+) => {
        /// What an export looks like.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Format { $($(#[doc = $words])+ $name,)+ }

        impl Format {
            /// Every form, in the order of the help.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its name on the command line.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)+ }
            }

            /// Its letter in a menu.
            pub const fn letter(self) -> char {
                match self { $(Self::$name => $letter,)+ }
            }

            /// What it is, in one line.
            pub fn words(self) -> &'static str {
                match self { $(Self::$name => concat!($($words),+).trim_start(),)+ }
            }

            /// What one row of it is called.
            pub const fn noun(self) -> &'static str {
                match self { $(Self::$name => $noun,)+ }
            }

            /// The usual extension of such a file.
            pub const fn extension(self) -> &'static str {
                match self { $(Self::$name => $extension,)+ }
            }
        }
    };
}

formats! {
    /// Corrected addresses, comma-separated.
    Csv = "csv", 'c', "correction", "csv";
    /// Whole cases, one JSON object per line.
    Jsonl = "jsonl", 'j', "case", "jsonl";
    /// What is left to do and what was done, as a Markdown list for a ticket or a chat.
    Worklist = "worklist", 'w', "case", "md";
    /// Corrected people for Zendesk's bulk import of users.
    Zendesk = "zendesk", 'z', "user", "csv";
    /// Tickets whose customer must be answered again, with the mark Zendesk writes.
    Tickets = "tickets", 't', "ticket", "csv";
    /// Corrected people for Freshdesk's import of contacts.
    Freshdesk = "freshdesk", 'f', "contact", "csv";
    /// Addresses not to mail again: dead ones, mistyped ones, people who complained.
    Suppress = "suppress", 's', "address", "csv";
    /// Refusals that an administrator must cure, gathered by incident, in Markdown.
    Admin = "admin", 'a', "incident", "md";
    /// Addresses that spammers put into a contact form.
    FormSpam = "form-spam", 'p', "address", "csv";
}

impl Format {
    /// The form with this name.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.slug() == slug)
    }

    /// Whether a case has a place in it. Only such cases need to be loaded whole.
    pub fn wants(self, case: &Case, now: Timestamp) -> bool {
        match self {
            Self::Csv | Self::Zendesk | Self::Freshdesk => case.state == State::Corrected,
            Self::Tickets => case.state == State::Corrected && case.ticket.is_some(),
            Self::Jsonl => true,
            Self::Worklist => case.is_undecided(now) || case.decided_at.is_some(),
            Self::Suppress => {
                let decided =
                    matches!(case.state, State::Corrected | State::Done | State::NotOurFault | State::Escalated);
                case.kind == Kind::Complaint || (decided && lists::condemns(case.cause))
            }
            Self::Admin => {
                !matches!(case.state, State::Spam | State::Done | State::Corrected) && !case.address.is_empty()
            }
            Self::FormSpam => case.state == State::Spam && !case.address.is_empty(),
        }
    }
}

/// Writes records in a form; returns how many rows. Records that have no place in it are passed over.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(format: Format, records: &[Record], cells: Cells, out: &mut dyn Write) -> io::Result<u64> {
    let corrections = || records.iter().filter_map(Correction::of);
    match format {
        Format::Csv => {
            let mut rows: Vec<Correction> = corrections().collect();
            rows.sort_by(|a, b| (a.decided_at, &a.old_address).cmp(&(b.decided_at, &b.old_address)));
            csv::corrections(&rows, cells, out)
        }
        Format::Jsonl => {
            records.iter().try_for_each(|record| json::line(record, out))?;
            Ok(u64::try_from(records.len()).unwrap_or(u64::MAX))
        }
        Format::Worklist => markdown::worklist(records, out),
        Format::Zendesk => desks::zendesk(corrections(), out),
        Format::Tickets => desks::tickets(records, cells, out),
        Format::Freshdesk => desks::freshdesk(corrections(), out),
        Format::Suppress => lists::suppress(records, cells, out),
        Format::Admin => markdown::admin(records, out),
        Format::FormSpam => lists::form_spam(records, cells, out),
    }
}

#[cfg(test)]
mod tests {
    use super::Format;
    use std::collections::BTreeSet;

    #[test]
    fn every_format_has_a_name_and_a_letter_of_its_own() {
        let names: BTreeSet<_> = Format::ALL.iter().map(|format| format.slug()).collect();
        let letters: BTreeSet<_> = Format::ALL.iter().map(|format| format.letter()).collect();
        assert_eq!((names.len(), letters.len()), (Format::ALL.len(), Format::ALL.len()), "{names:?} {letters:?}");
    }
}
