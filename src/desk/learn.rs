//! Corrections that a team made elsewhere: a table of old and new addresses feeds the suggestions.

use std::path::Path;

use super::Desk;
use super::error::Result;
use crate::model::{Address, Timestamp};
use crate::source::Table;
use crate::store::Deed;

/// What was taken over from a table.
#[derive(Debug, Default)]
pub struct Learned {
    /// Corrections that were not known.
    pub new: usize,
    /// Corrections that were.
    pub known: usize,
    /// Lines that were left out, and why.
    pub refused: Vec<(u64, String)>,
}

impl Desk {
    /// Takes over the corrections of a table.
    pub fn learn(&mut self, text: &str, file: &Path, now: Timestamp) -> Result<Learned> {
        let table = Table::read(text);
        let old = table.column(&["old_address", "old", "from", "before", "wrong", "failed"]);
        let new = table.column(&["new_address", "new", "to", "after", "right", "corrected", "corrected_to"]);
        let (old, new, skip) = match (old, new) {
            (Some(old), Some(new)) => (old, new, 1),
            _ => (0, 1, usize::from(table.heading.first().is_some_and(|cell| !cell.contains('@')))),
        };
        let forgotten = self.store.forgotten()?;
        let mut learned = Learned::default();
        let mut pairs = Vec::new();
        for (line, cells) in table.rows.iter().skip(skip) {
            let cell = |at: usize| cells.get(at).map_or("", |cell| unsafed(cell));
            match pair(cell(old), cell(new)) {
                Ok((old, new)) if forgotten.has(&old) || forgotten.has(&new) => {}
                Ok(pair) => pairs.push(pair),
                Err(_) if cells.iter().all(String::is_empty) => {}
                Err(why) => learned.refused.push((*line, why)),
            }
        }
        learned.new = self.store.learn(&pairs, now)?;
        learned.known = pairs.len() - learned.new;
        let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        self.store.record(Deed::ImportDecisions, Some(&path), &format!("{} new", learned.new), now, &self.lead)?;
        if let Some(shelf) = self.shelf.get_mut() {
            shelf.outdated();
        }
        Ok(learned)
    }
}

/// A cell without the apostrophe that keeps a spreadsheet from taking it for a formula.
fn unsafed(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(cell)
}

/// The old address may be no address at all: that is why it failed.
fn pair(old: &str, new: &str) -> std::result::Result<(String, String), String> {
    let right = Address::new(new).filter(|right| right.as_str().len() <= 254 && !new.contains(char::is_whitespace));
    match right {
        _ if old.is_empty() || old.len() > 254 => Err("there is no old address".to_owned()),
        None => Err(format!("\"{new}\" is not an address")),
        Some(right) if right.same_as(old) => Err("old and new are the same".to_owned()),
        Some(right) => Ok((old.to_owned(), right.as_str().to_owned())),
    }
}
