//! The one file that outlives a run: notices with their diagnosis, cases, and the journal of decisions (SQLite).
//!
//! Invariants: the journal (`batch`, `entry`) is only appended, undo appends too; filling never alters a decision;
//! what a call returned is on disk, in the file that bears the store's name. Knows nothing of where mail comes from or how
//! a diagnosis is made. Several processes may have the store open; one writes at a time and the others wait up to five
//! seconds. A damaged file is reported, never made anew.

mod cases;
mod erase;
mod error;
mod event;
mod fill;
mod glance;
mod health;
mod journal;
mod known;
mod look;
mod place;
mod restore;
mod salvage;
mod schema;
mod twin;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

pub use cases::{Changes, Counts, StoredNotice};
pub use erase::{Erased, Forgotten};
pub use error::{Error, Result};
pub use event::{Audit, Audited, Deed};
pub use fill::{Arrival, CaseSeed, Placed};
pub use glance::Glance;
pub use health::{Health, Table};
pub use journal::Receipt;
pub use known::Correspondent;
pub use restore::Restored;
pub use salvage::{Salvaged, Saved};

use place::Place;

/// The store's file in the state folder.
pub const FILE: &str = "bounceback.sqlite3";

/// An open store.
///
/// Every call that returns a [`Result`] fails where the disk does, where the file is damaged, where another process has
/// been writing for five seconds, and, if it writes, where the file was removed or replaced. A call that fails changed nothing.
pub struct Store {
    db: Connection,
    place: Option<Place>,
}

impl Store {
    /// Opens the store of a state folder; makes both (0700, 0600) where they are missing. A store of an earlier version
    /// is brought up to this one's schema, with a copy of it kept beside it.
    pub fn open(state_dir: &Path) -> Result<Self> {
        let place = Place::make(state_dir)?;
        let path = place.path().to_owned();
        let db = Connection::open(&path).map_err(|why| Error::open(&path, why))?;
        Self::prepare(db, Some(place))
    }

    /// Opens an existing store to read from: as [`Store::open`], and as it lies where it may not be written to.
    pub fn open_to_look(state_dir: &Path) -> Result<Self> {
        match Self::open(state_dir) {
            Err(error) if error.is_read_only() => look::as_it_lies(&state_dir.join(FILE), error),
            other => other,
        }
    }

    /// Whether anything can be saved in it; not, where [`Store::open_to_look`] opened it as it lies.
    pub fn is_writable(&self) -> Result<bool> {
        Ok(!self.db.is_readonly(rusqlite::MAIN_DB)?)
    }

    /// Opens a store that lives in memory only.
    pub fn in_memory() -> Result<Self> {
        Self::prepare(Connection::open_in_memory()?, None)
    }

    /// Whether a state folder holds a store, or what is left of one.
    pub fn exists(state_dir: &Path) -> bool {
        place::holds_store(state_dir)
    }

    fn prepare(mut db: Connection, place: Option<Place>) -> Result<Self> {
        let path = place.as_ref().map_or(Path::new(":memory:"), Place::path);
        let failed = |why| Error::open(path, why);
        db.busy_timeout(Duration::from_secs(5))?;
        db.set_prepared_statement_cache_capacity(64);
        // WAL needs shared memory, which network file systems do not offer; there the rollback journal is the safe way.
        let mode = if place.as_ref().is_some_and(Place::is_local) { "WAL" } else { "TRUNCATE" };
        db.pragma_update_and_check(None, "journal_mode", mode, |row| row.get::<_, String>(0)).map_err(failed)?;
        db.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        db.pragma_update(None, "foreign_keys", "ON")?;
        db.pragma_update(None, "secure_delete", "ON")?;
        schema::bring_up(&mut db, path, schema::STEPS)?;
        Ok(Self { db, place })
    }

    /// Fails where the file that is open no longer bears the store's name: what is read from it is of no use any more.
    pub fn in_place(&self) -> Result<()> {
        self.place.as_ref().map_or(Ok(()), Place::check)
    }

    /// Makes one change: all or nothing, on disk when it returns, and in the file that still bears the store's name.
    fn write<T>(&mut self, change: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        self.place.as_ref().map_or(Ok(()), Place::check)?;
        let value = change(&tx)?;
        tx.commit()?;
        self.in_place()?;
        Ok(value)
    }

    /// Keeps a value under a key for the next run (`None` forgets it).
    pub fn keep(&mut self, key: &str, value: Option<&str>) -> Result<()> {
        self.write(|tx| {
            match value {
                Some(value) => {
                    tx.prepare_cached("INSERT OR REPLACE INTO kept VALUES (?1, ?2)")?.execute((key, value))?
                }
                None => tx.prepare_cached("DELETE FROM kept WHERE key = ?1")?.execute([key])?,
            };
            Ok(())
        })
    }

    /// The value kept under a key.
    pub fn kept(&self, key: &str) -> Result<Option<String>> {
        let mut query = self.db.prepare_cached("SELECT value FROM kept WHERE key = ?1")?;
        Ok(query.query_row([key], |row| row.get(0)).optional()?)
    }
}

/// Advances the change counter and returns its new value; inside the caller's transaction.
fn tick(db: &Connection) -> Result<i64> {
    Ok(db.prepare_cached("UPDATE clock SET ticks = ticks + 1 RETURNING ticks")?.query_row([], |row| row.get(0))?)
}
