//! Whether a store is in order: its pages, its references, its rows, and the cases against the journal. Changes nothing.

use std::path::Path;

use rusqlite::Connection;

use super::error::{Error, Result};
use super::restore::open_to_read;
use super::salvage::{self, Saved};
use super::{FILE, Store, journal, place, schema};
use crate::model::{CaseId, Diagnosis};

/// How many faults are told.
const TOLD: usize = 20;

/// How a store is.
#[derive(Debug)]
pub struct Health {
    /// Version of its schema.
    pub schema: usize,
    /// What is in it.
    pub tables: Vec<Table>,
    /// What is wrong, in words; empty when it is in order. Of very many, the first.
    pub faults: Vec<String>,
    /// What can still be read, where pages are damaged.
    pub readable: Vec<Saved>,
}

/// How much of something a store holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// What is counted, in the singular.
    pub name: &'static str,
    /// How many there are.
    pub rows: u64,
}

impl Store {
    /// Looks at the store of a folder, page by page and row by row.
    ///
    /// # Errors
    /// When there is none, or nothing of it can be read.
    pub fn check(state_dir: &Path) -> Result<Health> {
        let path = state_dir.join(FILE);
        if !path.is_file() && place::holds_store(state_dir) {
            return Err(Error::headless(&path));
        }
        of(&open_to_read(&path)?, &path)
    }
}

/// Looks at an open store.
pub(super) fn of(db: &Connection, path: &Path) -> Result<Health> {
    let failed = |why: rusqlite::Error| Error::unreadable(path, why);
    let version = schema::version(db).map_err(failed)?;
    let mut tables = Vec::new();
    let mut faults = pages(db).map_err(failed)?;
    if !db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'entry'").and_then(|mut q| q.exists([])).map_err(failed)? {
        return Err(Error::no_store(path));
    }
    if version > schema::STEPS.len() {
        return Err(Error::newer(path, version, schema::STEPS.len()));
    }
    let damaged = !faults.is_empty();
    if !damaged {
        for (name, sql) in [
            ("mail", "SELECT count(*) FROM mail"),
            ("case", "SELECT count(*) FROM cases"),
            ("decision", "SELECT count(*) FROM entry WHERE verdict IS NOT NULL"),
            ("note", "SELECT count(*) FROM entry WHERE note IS NOT NULL"),
        ] {
            tables.push(Table { name, rows: db.query_row(sql, [], |row| row.get(0))? });
        }
        faults.extend(references(db)?);
        faults.extend(diagnoses(db)?);
        if version == schema::STEPS.len() {
            faults.extend(cases(db)?);
        }
    }
    faults.truncate(TOLD);
    let readable = if damaged { salvage::readable(db) } else { Vec::new() };
    Ok(Health { schema: version, tables, faults, readable })
}

/// What SQLite finds wrong with its pages, rows and indexes.
fn pages(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = db.prepare(&format!("PRAGMA integrity_check({TOLD})"))?;
    let mut rows = query.query([])?;
    let mut found = Vec::new();
    loop {
        match rows.next() {
            Ok(Some(row)) => found.push(row.get::<_, String>(0)?),
            Ok(None) => break,
            Err(why) => {
                found.push(why.to_string());
                break;
            }
        }
    }
    found.retain(|line| line != "ok");
    Ok(found)
}

/// Rows that point to nothing.
fn references(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = db.prepare("SELECT \"table\", rowid FROM pragma_foreign_key_check LIMIT ?1")?;
    let rows = query.query_map([TOLD], |row| {
        let (table, row): (String, Option<i64>) = (row.get(0)?, row.get(1)?);
        Ok(format!("row {} of \"{table}\" points to a row that is not there", row.unwrap_or_default()))
    })?;
    rows.collect()
}

/// Diagnoses that do not read.
fn diagnoses(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = db.prepare("SELECT id, diagnosis FROM mail")?;
    let mut rows = query.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let text = row.get_ref(1)?.as_str().unwrap_or_default();
        if let Err(why) = serde_json::from_str::<Diagnosis>(text) {
            found.push(format!("the diagnosis of mail {} does not read: {why}", row.get::<_, i64>(0)?));
        }
    }
    Ok(found)
}

/// Cases that say another thing than the journal.
fn cases(db: &Connection) -> Result<Vec<String>> {
    let mut query = db.prepare("SELECT id, state, corrected_to, due, decided_at, noted FROM cases")?;
    let mut rows = query.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let case = CaseId(row.get(0)?);
        let journal = journal::standing(db, &case)?;
        let same = journal.verdict.state().slug() == row.get::<_, String>(1)?
            && journal.corrected_to() == row.get::<_, Option<String>>(2)?.as_deref()
            && journal.due() == row.get(3)?
            && journal.decided_at == row.get(4)?
            && journal.noted == row.get::<_, bool>(5)?;
        if !same {
            found.push(format!("case {} and the journal of decisions do not agree", case.0));
        }
    }
    Ok(found)
}
