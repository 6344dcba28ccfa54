//! Puts an export on disk, whole or not at all, and says in words why it could not.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::stdx::{private_file, whole_file, why};

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
    let written = whole_file(path, force, |beside| {
        let mut out = BufWriter::new(private_file().open(beside)?);
        let value = fill(&mut out)?;
        out.flush()?;
        Ok(value)
    });
    written.map_err(|why: io::Error| Error { path: path.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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
