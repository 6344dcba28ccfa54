//! The one file that outlives a run: notices with their diagnosis, cases, and the journal of decisions (SQLite).
//!
//! Invariants: the journal (`batch`, `entry`) is only appended, undo appends too; filling never alters a decision;
//! what a call returned is on disk. Knows nothing of where mail comes from or how a diagnosis is made.
//! Several processes may have the store open; one writes at a time and the others wait up to five seconds.

mod cases;
mod error;
mod fill;
mod glance;
mod journal;
mod known;

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

pub use cases::{Changes, Counts, StoredNotice};
pub use error::{Error, Result};
pub use fill::{Arrival, CaseSeed, Placed};
pub use glance::Glance;
pub use journal::Receipt;
pub use known::Correspondent;

/// Schema version this program writes.
const SCHEMA: i64 = 1;
/// The store's file in the state folder.
pub const FILE: &str = "bounceback.sqlite3";

/// An open store.
pub struct Store {
    db: Connection,
}

impl Store {
    /// Opens the store of a state folder; makes both (0700, 0600) where they are missing.
    pub fn open(state_dir: &Path) -> Result<Self> {
        let path = state_dir.join(FILE);
        let make = || -> std::io::Result<()> {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(state_dir)?;
            fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map(drop)
        };
        make().map_err(|why| Error::open(&path, why))?;
        let db = Connection::open(&path).map_err(|why| Error::open(&path, why))?;
        Self::prepare(db, &path, !is_remote(state_dir))
    }

    /// Opens a store that lives in memory only.
    pub fn in_memory() -> Result<Self> {
        Self::prepare(Connection::open_in_memory()?, Path::new(":memory:"), false)
    }

    /// Whether a state folder holds a store.
    pub fn exists(state_dir: &Path) -> bool {
        state_dir.join(FILE).is_file()
    }

    fn prepare(mut db: Connection, path: &Path, wal: bool) -> Result<Self> {
        db.busy_timeout(Duration::from_secs(5))?;
        db.set_prepared_statement_cache_capacity(64);
        // WAL needs shared memory, which network file systems do not offer; there the rollback journal is the safe way.
        let mode = if wal { "WAL" } else { "TRUNCATE" };
        db.pragma_update_and_check(None, "journal_mode", mode, |row| row.get::<_, String>(0))
            .map_err(|why| Error::open(path, why))?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "foreign_keys", "ON")?;
        db.pragma_update(None, "secure_delete", "ON")?;
        let version: i64 =
            db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|why| Error::open(path, why))?;
        if version > SCHEMA {
            return Err(Error::newer(path, version, SCHEMA));
        }
        if version == 0 {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Two processes may meet here: the second finds the work done.
            if tx.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? == 0 {
                tx.execute_batch(include_str!("schema.sql"))?;
                tx.pragma_update(None, "user_version", SCHEMA)?;
            }
            tx.commit()?;
        }
        Ok(Self { db })
    }

    /// Keeps a value under a key for the next run (`None` forgets it).
    pub fn keep(&mut self, key: &str, value: Option<&str>) -> Result<()> {
        match value {
            Some(value) => {
                self.db.prepare_cached("INSERT OR REPLACE INTO kept VALUES (?1, ?2)")?.execute((key, value))?
            }
            None => self.db.prepare_cached("DELETE FROM kept WHERE key = ?1")?.execute([key])?,
        };
        Ok(())
    }

    /// The value kept under a key.
    pub fn kept(&self, key: &str) -> Result<Option<String>> {
        let mut query = self.db.prepare_cached("SELECT value FROM kept WHERE key = ?1")?;
        Ok(query.query_row([key], |row| row.get(0)).optional()?)
    }
}

/// Whether a folder lies on a network file system, as far as the mount table tells.
fn is_remote(dir: &Path) -> bool {
    const REMOTE: &[&str] =
        &["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.glusterfs", "lustre"];
    let Ok(dir) = fs::canonicalize(dir) else { return false };
    let Ok(mounts) = fs::read_to_string("/proc/self/mounts") else { return false };
    let mut best: Option<(PathBuf, bool)> = None;
    for line in mounts.lines() {
        let mut words = line.split(' ').skip(1);
        let (Some(at), Some(kind)) = (words.next(), words.next()) else { continue };
        let at = PathBuf::from(at.replace("\\040", " "));
        if dir.starts_with(&at)
            && best.as_ref().is_none_or(|(longest, _)| at.components().count() >= longest.components().count())
        {
            best = Some((at, REMOTE.contains(&kind)));
        }
    }
    best.is_some_and(|(_, remote)| remote)
}

/// Advances the change counter and returns its new value; inside the caller's transaction.
fn tick(db: &Connection) -> Result<i64> {
    Ok(db.prepare_cached("UPDATE clock SET ticks = ticks + 1 RETURNING ticks")?.query_row([], |row| row.get(0))?)
}
