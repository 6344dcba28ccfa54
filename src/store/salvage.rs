//! Out of a damaged store into a new one: every row that can still be read.
//!
//! Decisions are taken over as they are. What can be fetched again is not patched: a mail whose case is lost is left out,
//! and how far folders were read is forgotten, so the next pull brings both back and the journal applies to them.

use std::collections::HashSet;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::error::{Error, Result};
use super::place::beside;
use super::restore::{open_to_read, put_in_place};
use super::{FILE, Store, journal, schema};
use crate::model::CaseId;
use crate::stdx::private_file;

/// How much of a table could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Name of the table.
    pub table: String,
    /// Rows that could be read.
    pub rows: u64,
    /// Whether some could not.
    pub lost: bool,
}

/// What came out of a damaged store.
#[derive(Debug)]
pub struct Salvaged {
    /// Table by table.
    pub tables: Vec<Saved>,
    /// Where the damaged file is now.
    pub aside: Option<PathBuf>,
}

impl Store {
    /// Puts what can be read of the store into a new one in its place, and the damaged one aside.
    ///
    /// # Errors
    /// When nothing can be read, or the new one cannot be written; then nothing was changed.
    pub fn salvage(state_dir: &Path) -> Result<Salvaged> {
        let path = state_dir.join(FILE);
        let new = beside(&path, ".new");
        let _ = fs::remove_file(&new);
        private_file().create_new(true).open(&new).map_err(|why| Error::copy_file(&new, &why))?;
        let saved = refill(&open_to_read(&path)?, &path, &new);
        let placed = saved.and_then(|tables| Ok(Salvaged { tables, aside: put_in_place(&path, &new)? }));
        if placed.is_err() {
            let _ = fs::remove_file(&new);
        }
        placed
    }
}

/// What can be read of an open store.
pub(super) fn readable(from: &Connection) -> Vec<Saved> {
    tables(from).map(|tables| tables.iter().map(|table| walk(from, table, &mut |_| true)).collect()).unwrap_or_default()
}

fn refill(from: &Connection, path: &Path, new: &Path) -> Result<Vec<Saved>> {
    let mut to = Connection::open(new)?;
    let found = tables(from).map_err(|why| Error::unreadable(path, why))?;
    if found.is_empty() {
        return Err(Error::no_store(path));
    }
    let version = schema::version(from).ok().filter(|&version| version > 0);
    let steps = schema::STEPS.get(..version.unwrap_or(schema::STEPS.len())).unwrap_or(schema::STEPS);
    schema::bring_up(&mut to, new, steps)?;
    to.pragma_update(None, "foreign_keys", "OFF")?;
    let tx = to.transaction()?;
    let mut saved = Vec::new();
    for table in &found {
        let marks = vec!["?"; table.columns.len()].join(", ");
        let sql = format!("INSERT OR REPLACE INTO \"{}\" ({}) VALUES ({marks})", table.name, table.columns.join(", "));
        let Ok(mut insert) = tx.prepare(&sql) else { continue };
        saved.push(walk(from, table, &mut |row| insert.execute(params_from_iter(row)).is_ok()));
    }
    tidy(&tx)?;
    schema::climb(&tx, steps.len(), schema::STEPS)?;
    refresh_all(&tx)?;
    tx.commit()?;
    drop(to);
    fs::File::open(new).and_then(|file| file.sync_all()).map_err(|why| Error::copy_file(new, &why))?;
    Ok(saved)
}

/// Leaves out what has lost its other half and comes back with the next pull.
fn tidy(db: &Connection) -> Result<()> {
    db.execute_batch(
        "DELETE FROM entry WHERE batch NOT IN (SELECT id FROM batch);
         UPDATE batch SET target = NULL WHERE target NOT IN (SELECT id FROM batch);
         DELETE FROM mail WHERE id IN (SELECT mail FROM notice WHERE case_id NOT IN (SELECT id FROM cases));
         DELETE FROM notice WHERE mail NOT IN (SELECT id FROM mail);
         DELETE FROM cursor;
         INSERT OR IGNORE INTO clock VALUES (1, 0);
         UPDATE clock SET ticks = 1 + max(ticks, (SELECT coalesce(max(changed), 0) FROM cases));",
    )?;
    Ok(())
}

/// Makes the cases agree with what is left of the journal.
fn refresh_all(db: &Connection) -> Result<()> {
    let now = super::tick(db)?;
    let mut query = db.prepare("SELECT id FROM cases")?;
    let ids: Vec<String> = query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    ids.into_iter().try_for_each(|id| journal::refresh(db, &CaseId(id), now))
}

/// A table as the damaged store describes it.
struct Described {
    name: String,
    columns: Vec<String>,
    /// What its rows are ordered by on disk.
    keys: Vec<String>,
    by_number: bool,
}

fn tables(db: &Connection) -> rusqlite::Result<Vec<Described>> {
    let sql =
        "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'";
    let mut query = db.prepare(sql)?;
    let names: Vec<(String, bool)> =
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let mut found = Vec::new();
    for (name, without_number) in names {
        let mut query = db.prepare("SELECT name, pk FROM pragma_table_info(?1)")?;
        let columns: Vec<(String, i64)> =
            query.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        let mut keys: Vec<_> = columns.iter().filter(|(_, at)| *at > 0).collect();
        keys.sort_by_key(|(_, at)| *at);
        let keys: Vec<&str> = keys.iter().map(|(name, _)| name.as_str()).collect();
        found.push(Described {
            keys: if without_number { keys.iter().map(|key| quoted(key)).collect() } else { vec!["rowid".into()] },
            columns: columns.iter().map(|(name, _)| quoted(name)).collect(),
            name,
            by_number: !without_number,
        });
    }
    // Decisions first, mails last: whatever ends this early, it ends with what can be fetched again.
    found.sort_by_key(|table| match table.name.as_str() {
        "batch" => 0,
        "entry" => 1,
        "mail" => 9,
        _ => 5,
    });
    Ok(found)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Hands over every row that can be read, around what cannot.
fn walk(db: &Connection, table: &Described, each: &mut dyn FnMut(&[Value]) -> bool) -> Saved {
    let mut walk = Walk { db, table, each, seen: HashSet::new(), hasher: RandomState::new(), rows: 0 };
    let (forth, mut at) = walk.run("", "", 0);
    if !forth && table.by_number {
        // Steps over the gap by rows that double, then goes back through what it stepped over.
        let mut step: i64 = 1;
        while let Some(beyond) = at.checked_add(step) {
            let known = walk.rows;
            let (whole, last) = walk.run("WHERE rowid > ?1", "", beyond);
            if walk.rows > known || whole {
                walk.run("WHERE rowid <= ?1", "DESC", beyond);
                if whole {
                    break;
                }
                (at, step) = (last.max(beyond), 1);
            } else {
                let Some(wider) = step.checked_mul(2) else { break };
                step = wider;
            }
        }
    }
    if !forth {
        walk.run("", "DESC", 0);
    }
    Saved { table: table.name.clone(), rows: walk.rows, lost: !forth }
}

struct Walk<'a> {
    db: &'a Connection,
    table: &'a Described,
    each: &'a mut dyn FnMut(&[Value]) -> bool,
    seen: HashSet<u64>,
    hasher: RandomState,
    rows: u64,
}

impl Walk<'_> {
    /// Reads in one direction until the end or the first fault: whether it was the end, and the last row number.
    fn run(&mut self, condition: &str, direction: &str, bound: i64) -> (bool, i64) {
        let Described { name, columns, keys, by_number } = self.table;
        let number = if *by_number { "rowid" } else { "0" };
        let order = keys.iter().map(|key| format!("{key} {direction}")).collect::<Vec<_>>().join(", ");
        let sql = format!("SELECT {number}, {} FROM \"{name}\" {condition} ORDER BY {order}", columns.join(", "));
        let mut last = bound;
        let Ok(mut query) = self.db.prepare(&sql) else { return (false, last) };
        let bounds: &[i64] = if condition.is_empty() { &[] } else { &[bound] };
        let Ok(mut rows) = query.query(params_from_iter(bounds)) else { return (false, last) };
        loop {
            match rows.next() {
                Ok(None) => return (true, last),
                Err(_) => return (false, last),
                Ok(Some(row)) => {
                    last = row.get(0).unwrap_or(last);
                    let values: rusqlite::Result<Vec<Value>> = (1..=columns.len()).map(|at| row.get(at)).collect();
                    let Ok(values) = values else { return (false, last) };
                    let print = match by_number {
                        true => self.hasher.hash_one(last),
                        false => self.hasher.hash_one(format!("{values:?}")),
                    };
                    if self.seen.insert(print) && (self.each)(&values) {
                        self.rows += 1;
                    }
                }
            }
        }
    }
}
