//! Where the store lies, and whether the file that is open is still the one that bears its name.
//!
//! A file that is removed or replaced while it is open takes every later write with it into nothing, and SQLite does not
//! notice. So the file is compared with its name around each write.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::FILE;
use super::error::{Error, Result};
use crate::stdx::{private_file, private_folder};

/// A store's file.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    /// Device and inode when it was opened.
    file: (u64, u64),
    local: bool,
}

impl Place {
    /// The store's file in this folder; both are made where they are missing.
    pub(super) fn make(state_dir: &Path) -> Result<Self> {
        let path = state_dir.join(FILE);
        if is_headless(&path) {
            return Err(Error::headless(&path));
        }
        let make = || -> io::Result<(u64, u64)> {
            private_folder(state_dir)?;
            private_file().create(true).append(true).open(&path)?;
            Ok(identity(&fs::metadata(&path)?))
        };
        let file = make().map_err(|why| Error::folder(&path, &why))?;
        Ok(Self { path, file, local: !is_remote(state_dir) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_local(&self) -> bool {
        self.local
    }

    /// Fails where another file, or none, bears the name by now.
    pub(super) fn check(&self) -> Result<()> {
        match fs::metadata(&self.path) {
            Ok(now) if identity(&now) == self.file => Ok(()),
            _ => Err(Error::moved(&self.path)),
        }
    }
}

fn identity(file: &fs::Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Whether a folder holds a store, or what is left of one.
pub(super) fn holds_store(state_dir: &Path) -> bool {
    let path = state_dir.join(FILE);
    // a file where the folder should be is no empty store: opening it says what is wrong
    path.is_file() || is_headless(&path) || state_dir.is_file()
}

/// SQLite's write-ahead log of a store.
pub(super) fn log_of(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

/// The name of a file with something behind it.
pub(super) fn beside(path: &Path, behind: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(behind);
    PathBuf::from(name)
}

/// Whether only the log of a store is left: opening it would make an empty store and throw the log away.
fn is_headless(path: &Path) -> bool {
    let length = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    length(path) == 0 && length(&log_of(path)) > 0
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
