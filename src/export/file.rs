//! Puts an export on disk: beside its target first, synced, then in its place.

use std::fmt;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::stdx::{private_file, why};

/// An export that was not written; the target is as it was.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    why: io::Error,
}

impl Error {
    /// Whether a file stands in the way.
    pub fn is_in_the_way(&self) -> bool {
        self.why.kind() == io::ErrorKind::AlreadyExists
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        self.is_in_the_way().then_some("--force replaces it")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.is_in_the_way() {
            true => write!(f, "could not write \"{path}\": there is a file of that name"),
            false => write!(f, "could not write \"{path}\": {}", why(&self.why)),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.why)
    }
}

/// Writes a file through `fill`, whole or not at all, readable by its owner only. An existing file is replaced only
/// when `force` says so.
///
/// # Errors
/// When a file is in the way, or the disk does not take it; then nothing is left behind.
pub fn to_file<T>(path: &Path, force: bool, fill: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T, Error> {
    let failed = |why| Error { path: path.to_owned(), why };
    if !force && fs::symlink_metadata(path).is_ok() {
        return Err(failed(io::ErrorKind::AlreadyExists.into()));
    }
    let beside = beside(path).map_err(failed)?;
    let result = write(&beside, fill).and_then(|value| place(&beside, path, force).map(|()| value));
    if result.is_err() {
        let _ = fs::remove_file(&beside);
    }
    result.map_err(failed)
}

/// A name in the same folder that no other run uses.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.part", std::process::id()));
    Ok(path.with_file_name(hidden))
}

fn write<T>(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
    let mut out = BufWriter::new(private_file().create_new(true).open(path)?);
    let value = fill(&mut out)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(value)
}

/// Moves the whole file to its name. Without `force` by a link, which fails where another file came first.
fn place(beside: &Path, path: &Path, force: bool) -> io::Result<()> {
    if force {
        fs::rename(beside, path)?;
    } else {
        match fs::hard_link(beside, path) {
            Ok(()) => fs::remove_file(beside)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) if fs::symlink_metadata(path).is_err() => fs::rename(beside, path)?, // no links on this file system
            Err(error) => return Err(error),
        }
    }
    // The name itself must outlive a power cut; a folder that cannot be synced is no reason to fail.
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_private_and_never_replaced_unasked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("corrections.csv");
        to_file(&path, false, |out| out.write_all(b"one")).unwrap();
        let error = to_file(&path, false, |out| out.write_all(b"two")).unwrap_err();
        assert!(error.is_in_the_way());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        to_file(&path, true, |out| out.write_all(b"two")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("corrections.csv");
        let fail = |_: &mut dyn Write| Err::<(), _>(io::Error::other("disk full"));
        let error = to_file(&path, false, fail).unwrap_err();
        assert!(error.to_string().ends_with("corrections.csv\": disk full"), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(to_file(Path::new("/"), true, |_| Ok(())).is_err());
    }
}
