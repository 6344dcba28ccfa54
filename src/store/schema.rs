//! The schema and its history: one step per version, each a file that is never edited once released.
//!
//! A new store takes every step; an older one takes those it lacks, in one transaction, after a copy of it was put beside
//! it. `tests/stores/` holds a store of every version.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::{Error, Result};
use super::place::beside;
use super::restore::copy_whole;

/// What makes version n out of version n - 1.
pub(super) const STEPS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
];

/// The version of an open store; 0 where it is empty.
pub(super) fn version(db: &Connection) -> rusqlite::Result<usize> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings a store to the newest version, or refuses one that is newer still.
pub(super) fn bring_up(db: &mut Connection, path: &Path, steps: &[&str]) -> Result<()> {
    let found = version(db).map_err(|why| Error::open(path, why))?;
    if found > steps.len() {
        return Err(Error::newer(path, found, steps.len()));
    }
    if found == steps.len() {
        return Ok(());
    }
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Two processes may meet here: the second finds the work done.
    let found = version(&tx)?;
    let copy = if found > 0 && found < steps.len() { Some(copy_aside(path, found)?) } else { None };
    climb(&tx, found, steps).map_err(|why| match &copy {
        Some(copy) => Error::not_brought_up(path, steps.len(), copy, &why),
        None => why.into(),
    })?;
    Ok(tx.commit()?)
}

/// Takes the steps that a store of version `found` lacks; inside the caller's transaction.
pub(super) fn climb(db: &Connection, found: usize, steps: &[&str]) -> rusqlite::Result<()> {
    for sql in steps.iter().skip(found) {
        db.execute_batch(sql)?;
    }
    db.pragma_update(None, "user_version", steps.len())
}

/// Copies a store as it was before a step, while nobody else can write to it.
fn copy_aside(path: &Path, version: usize) -> Result<PathBuf> {
    let copy = beside(path, &format!(".schema-{version}"));
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // A copy of an attempt that did not get far is the same store.
    copy_whole(&db, &copy, true)?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const GROWN: &str = "ALTER TABLE kept ADD COLUMN at INTEGER; INSERT INTO kept VALUES ('grown', 'yes', 1);";

    fn older(dir: &Path) -> (PathBuf, Connection) {
        let path = dir.join("store");
        let mut db = Connection::open(&path).unwrap();
        bring_up(&mut db, &path, STEPS).unwrap();
        db.execute("INSERT INTO kept VALUES ('draft', 'half a word')", []).unwrap();
        (path, db)
    }

    fn kept(db: &Connection) -> Vec<String> {
        let mut query = db.prepare("SELECT key FROM kept ORDER BY key").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(std::result::Result::unwrap).collect()
    }

    #[test]
    fn a_step_keeps_what_was_there_and_leaves_a_copy_of_the_store_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let (path, mut db) = older(dir.path());
        let steps = [STEPS, &[GROWN]].concat();
        bring_up(&mut db, &path, &steps).unwrap();
        bring_up(&mut db, &path, &steps).unwrap();
        assert_eq!((version(&db).unwrap(), kept(&db)), (steps.len(), vec!["draft".into(), "grown".into()]));
        let copy = beside(&path, &format!(".schema-{}", STEPS.len()));
        let before = Connection::open(&copy).unwrap();
        assert_eq!((version(&before).unwrap(), kept(&before)), (STEPS.len(), vec!["draft".into()]));
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(copy).unwrap().permissions()) & 0o777, 0o600);
    }

    #[test]
    fn a_step_that_fails_changes_nothing_and_names_the_copy() {
        let dir = tempfile::tempdir().unwrap();
        let (path, mut db) = older(dir.path());
        let error = bring_up(&mut db, &path, &[STEPS, &[GROWN, "no SQL"]].concat()).unwrap_err();
        assert!(error.hint().is_some_and(|hint| hint.contains("store.schema-")), "{error}");
        assert_eq!((version(&db).unwrap(), kept(&db)), (STEPS.len(), vec!["draft".into()]));
    }
}
