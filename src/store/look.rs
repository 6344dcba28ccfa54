//! A store that may not be written to: a read-only disk, a snapshot, a folder of somebody else. It is read as it lies.
//!
//! SQLite reads a store with a write-ahead log only where it finds or can make the log's index beside it
//! (<https://www.sqlite.org/wal.html>, section 8). A store that was closed in order needs no log: nobody can write to it, so
//! it is opened as one that never changes.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::Store;
use super::error::{Error, Result};
use super::place::log_of;
use super::schema;

/// Opens the store for reading only. `refusal` is why it could not be opened otherwise; it stands where nothing can be read.
pub(super) fn as_it_lies(path: &Path, refusal: Error) -> Result<Store> {
    let beside_its_log = Connection::open_with_flags(path, READ).and_then(readable);
    let Some(db) = beside_its_log.ok().or_else(|| unchanging(path)) else {
        return Err(if has_log(path) { Error::log_left(path) } else { refusal });
    };
    match schema::version(&db)? {
        found if found < schema::STEPS.len() => Err(Error::older_and_read_only(path, found)),
        found if found > schema::STEPS.len() => Err(Error::newer(path, found, schema::STEPS.len())),
        _ => Ok(Store { db, place: None }),
    }
}

const READ: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// Opens a store that nobody can write to and that has nothing in its log; none where there is something, or it does not read.
pub(super) fn unchanging(path: &Path) -> Option<Connection> {
    if has_log(path) {
        return None;
    }
    let uri = format!("file:{}?immutable=1", in_uri(path));
    Connection::open_with_flags(uri, READ | OpenFlags::SQLITE_OPEN_URI).and_then(readable).ok()
}

/// SQLite opens a file only when it is asked something.
fn readable(db: Connection) -> rusqlite::Result<Connection> {
    schema::version(&db).map(|_| db)
}

fn has_log(path: &Path) -> bool {
    fs::metadata(log_of(path)).is_ok_and(|log| log.len() > 0)
}

/// A path as SQLite reads it in a URI.
fn in_uri(path: &Path) -> String {
    use std::fmt::Write;
    path.as_os_str().as_encoded_bytes().iter().fold(String::new(), |mut uri, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            other => drop(write!(uri, "%{other:02X}")),
        }
        uri
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_under_any_name_is_read_where_nothing_may_be_written() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("50% of ?what#is é");
        Store::open(&folder).unwrap().keep("draft", Some("half a word")).unwrap();
        let path = folder.join(crate::store::FILE);
        let db = unchanging(&path).unwrap();
        let store = Store { db, place: None };
        assert_eq!(store.kept("draft").unwrap().as_deref(), Some("half a word"));
    }
}
