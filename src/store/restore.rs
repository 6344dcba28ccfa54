//! Copies of the store that are whole or absent, and putting one in the store's place. What stood there is kept beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::{Error, Result};
use super::health::{self, Health};
use super::place::{beside, log_of};
use super::{FILE, Store, look};
use crate::stdx::{private_folder, sync_folder_of, whole_file};

/// What was put in the store's place.
#[derive(Debug)]
pub struct Restored {
    /// What is in it.
    pub health: Health,
    /// Where the former store is now; `None` when there was none.
    pub aside: Option<PathBuf>,
}

impl Store {
    /// Copies the store as it is at this moment, whatever others do to it. The file is whole or absent, and its owner's
    /// alone.
    pub fn backup(&self, to: &Path, force: bool) -> Result<()> {
        copy_whole(&self.db, to, force)
    }

    /// Puts a copy in the store's place.
    ///
    /// # Errors
    /// When the copy is not in order, or another process has the store open; then nothing was changed.
    pub fn restore(state_dir: &Path, copy: &Path) -> Result<Restored> {
        let db = open_to_read(copy).map_err(Error::of_copy)?;
        let health = health::of(&db, copy).map_err(Error::of_copy)?;
        if let Some(fault) = health.faults.first() {
            return Err(Error::bad_copy(copy, fault));
        }
        let path = state_dir.join(FILE);
        private_folder(state_dir).map_err(|why| Error::folder(&path, &why))?;
        let new = beside(&path, ".new");
        copy_whole(&db, &new, true)?;
        Ok(Restored { health, aside: put_in_place(&path, &new)? })
    }
}

/// Opens a store to look at only. A missing one is an error.
pub(super) fn open_to_read(path: &Path) -> Result<Connection> {
    fs::File::open(path).map_err(|why| Error::folder(path, &why))?;
    let open = |flags| -> rusqlite::Result<Connection> {
        let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        db.busy_timeout(Duration::from_secs(5))?;
        db.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0)).map(|_| db)
    };
    let db = match open(OpenFlags::SQLITE_OPEN_READ_ONLY) {
        // A run that was killed left half a write, which must be taken back before anything can be read.
        Err(why) if why.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly) => {
            open(OpenFlags::SQLITE_OPEN_READ_WRITE).or_else(|why| look::unchanging(path).ok_or(why))
        }
        other => other,
    };
    db.map_err(|why| Error::unreadable(path, why))
}

/// Copies an open store into a file that is whole or absent.
pub(super) fn copy_whole(db: &Connection, to: &Path, force: bool) -> Result<()> {
    enum Fault {
        Store(rusqlite::Error),
        File(io::Error),
    }
    impl From<io::Error> for Fault {
        fn from(why: io::Error) -> Self {
            Self::File(why)
        }
    }
    let copied = whole_file(to, force, |beside| {
        let name = beside.to_str().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
        db.execute("VACUUM INTO ?1", [name]).map(drop).map_err(Fault::Store)
    });
    copied.map_err(|fault| match fault {
        Fault::Store(why) => Error::copy(to, &why),
        Fault::File(why) => Error::copy_file(to, &why),
    })
}

/// Moves a whole new store to the store's name; says where the former one is now.
pub(super) fn put_in_place(path: &Path, new: &Path) -> Result<Option<PathBuf>> {
    let placed = set_aside(path).and_then(|(aside, held)| {
        fs::rename(new, path).map_err(|why| Error::copy_file(path, &why))?;
        sync_folder_of(path);
        drop(held);
        Ok(aside)
    });
    if placed.is_err() {
        let _ = fs::remove_file(new);
    }
    placed
}

/// Gives the present store a second name and takes its log from it. The connection keeps everybody else out.
fn set_aside(path: &Path) -> Result<(Option<PathBuf>, Option<Connection>)> {
    let failed = |why: io::Error| Error::copy_file(path, &why);
    let held = lone(path)?;
    let free = |n: &u32| {
        let aside = beside(path, &format!(".old-{n}"));
        (!aside.exists() && !log_of(&aside).exists()).then_some(aside)
    };
    let aside = (1..).find_map(|n| free(&n)).unwrap_or_else(|| beside(path, ".old"));
    let mut kept = false;
    if path.exists() {
        fs::hard_link(path, &aside).or_else(|_| fs::copy(path, &aside).map(drop)).map_err(failed)?;
        kept = true;
    }
    for log in ["-wal", "-journal"] {
        if beside(path, log).exists() {
            fs::rename(beside(path, log), beside(&aside, log)).map_err(failed)?;
            kept = true;
        }
    }
    match fs::remove_file(beside(path, "-shm")) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(failed(why)),
        _ => {}
    }
    Ok((kept.then_some(aside), held))
}

/// The present store, opened so that nobody else has it; `None` where there is none that can be opened.
fn lone(path: &Path) -> Result<Option<Connection>> {
    if !fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        return Ok(None);
    }
    let db = Connection::open(path).map_err(|why| Error::open(path, why))?;
    db.busy_timeout(Duration::from_secs(1))?;
    // Leaving WAL needs the store to itself, and puts everything that is in the log into the file.
    let alone = db
        .pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0))
        .and_then(|_| db.execute_batch("BEGIN EXCLUSIVE"));
    match alone.map_err(Error::from) {
        Ok(()) => Ok(Some(db)),
        Err(error) if error.is_busy() => Err(Error::in_use(path)),
        Err(_) => Ok(None), // a damaged one, which is why it is replaced
    }
}
