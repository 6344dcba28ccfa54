//! Giving out what was decided: chooses the cases of an export, writes it, and remembers what was given out when.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use super::Desk;
use super::error::Result;
use crate::export::markdown::{self, SILENCE};
use crate::export::{self, Cells, Format, Mail, Record, json, to_file, write};
use crate::model::{Case, CaseId, State, Timestamp};
use crate::rules::HostKind;
use crate::store::Deed;

/// What goes into an export.
#[derive(Debug, Clone)]
pub struct Order {
    /// What it looks like.
    pub format: Format,
    /// What was decided before is left out.
    pub since: Since,
    /// Only cases in one of these states; all when empty.
    pub states: Vec<State>,
    /// Who reads it.
    pub cells: Cells,
}

/// From when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Everything.
    Ever,
    /// What was decided at this time or later.
    Time(Timestamp),
    /// What was not given out in this form yet, or was decided anew since.
    Last,
}

impl Order {
    /// Everything in a form, for people.
    pub const fn all(format: Format) -> Self {
        Self { format, since: Since::Ever, states: Vec::new(), cells: Cells::Spreadsheet }
    }
}

/// What became of an export into a file.
#[derive(Debug)]
pub enum Written {
    /// So many rows are in the file.
    Rows(u64),
    /// Nothing was written.
    Not(export::Error),
}

impl Desk {
    /// The cases an export holds.
    fn chosen(&self, order: &Order, now: Timestamp) -> Result<Vec<Case>> {
        let mut cases = self.store.cases()?;
        cases.retain(|case| order.format.wants(case, now));
        cases.retain(|case| order.states.is_empty() || order.states.contains(&case.state));
        match order.since {
            Since::Ever => {}
            Since::Time(since) => cases.retain(|case| case.decided_at.is_some_and(|at| at >= since)),
            Since::Last => {
                let given: HashMap<CaseId, Option<Timestamp>> =
                    self.store.exported_as(order.format.slug())?.into_iter().collect();
                cases.retain(|case| given.get(&case.id) != Some(&case.decided_at));
            }
        }
        Ok(cases)
    }

    /// Writes an export; says how many rows it has, or why `out` did not take it.
    pub fn export(&self, order: &Order, now: Timestamp, out: &mut dyn Write) -> Result<io::Result<u64>> {
        let cases = self.chosen(order, now)?;
        Ok(self.export_cases(order, &cases, now, out))
    }

    fn export_cases(&self, order: &Order, cases: &[Case], now: Timestamp, out: &mut dyn Write) -> io::Result<u64> {
        if order.format == Format::Jsonl {
            // One after the other: whole cases are large.
            for case in cases {
                json::line(&self.record(case, now).map_err(io::Error::other)?, out)?;
            }
            return Ok(cases.len() as u64);
        }
        write(order.format, &self.records(cases, now).map_err(io::Error::other)?, order.cells, out)
    }

    /// Writes an export into a file, whole or not at all, and remembers which cases were given out.
    pub fn export_to(&mut self, order: &Order, path: &Path, force: bool, now: Timestamp) -> Result<Written> {
        let cases = self.chosen(order, now)?;
        let rows = match to_file(path, force, |out| self.export_cases(order, &cases, now, out)) {
            Ok(rows) => rows,
            Err(error) => return Ok(Written::Not(error)),
        };
        let given: Vec<_> = cases.into_iter().map(|case| (case.id, case.decided_at)).collect();
        self.store.mark_exported(order.format.slug(), &given, now)?;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let detail = format!("{}: {rows} {}", order.format.slug(), if rows == 1 { "row" } else { "rows" });
        self.store.record(Deed::Export, Some(&path), &detail, now, &self.lead)?;
        Ok(Written::Rows(rows))
    }

    /// Cases with everything that belongs to them.
    fn records(&self, cases: &[Case], now: Timestamp) -> Result<Vec<Record>> {
        cases.iter().map(|case| self.record(case, now)).collect()
    }

    /// One case with everything that belongs to it.
    pub fn record(&self, case: &Case, now: Timestamp) -> Result<Record> {
        let mails = self.store.notices(&case.id)?.into_iter().map(|notice| Mail {
            source: notice.place,
            received: notice.received,
            truncated: notice.truncated,
            diagnosis: notice.diagnosis,
        });
        let exports = self.store.exports_of(&case.id)?;
        let exports = exports.into_iter().map(|(format, at)| export::Given { format, at }).collect();
        let said = |mail: &Mail| {
            mail.diagnosis
                .recipients
                .iter()
                .filter_map(|one| one.diagnostic.as_deref())
                .find_map(|said| self.block_list(said))
        };
        let mails: Vec<Mail> = mails.collect();
        let block_list = mails.iter().rev().find_map(said);
        let (history, notes) = (self.store.history(&case.id)?, self.store.notes(&case.id)?);
        Ok(Record { exports, block_list, ..Record::new(case, history, notes, mails, now) })
    }

    /// The block list whose host a reply names: "Spamhaus (zen.spamhaus.org)".
    fn block_list(&self, said: &str) -> Option<String> {
        let words = said.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'));
        words.map(|word| word.trim_matches('.').to_lowercase()).filter(|word| word.contains('.')).find_map(|host| {
            let lists = self.rules().providers().iter().filter(|one| one.kind == HostKind::BlockList);
            let list = lists.max_by_key(|list| list.fits_host(&host)).filter(|list| list.fits_host(&host).is_some())?;
            Some(format!("{} ({host})", list.title))
        })
    }

    /// The cases of the incident a case belongs to: same domain, same cause, no longer silence between them than an
    /// incident has. Itself at least.
    pub fn incident(&self, case: &Case) -> Result<Vec<Case>> {
        let domain = |case: &Case| case.address.rsplit('@').next().unwrap_or_default().to_lowercase();
        let mut cases = self.store.cases()?;
        cases.retain(|other| other.cause == case.cause && other.queued && domain(other) == domain(case));
        cases.sort_by_key(|other| other.received);
        let near = |a: &Case, b: &Case| b.received.0 - a.last_received.0 <= SILENCE;
        let found = cases.chunk_by(near).find(|chunk| chunk.iter().any(|other| other.id == case.id));
        Ok(found.map_or_else(|| vec![case.clone()], <[Case]>::to_vec))
    }

    /// The text for the administrator about the incident of a case.
    pub fn incident_text(&self, case: &Case, now: Timestamp) -> Result<String> {
        let mut text = Vec::new();
        let records = self.records(&self.incident(case)?, now)?;
        // Memory takes everything.
        let _ = markdown::incident(&records, &mut text);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
