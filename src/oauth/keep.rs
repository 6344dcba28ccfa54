//! Keeps the refresh token between runs: in a file only its owner may read, or by two commands.
//!
//! Invariant: a file that others may read or write is refused, not mended quietly; a new token replaces the old one
//! whole or not at all.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::error::Error;
use crate::model::Secret;
use crate::stdx::{private_file, private_folder, run_command, visible, why};

/// The longest refresh token, in bytes.
const LONGEST: u64 = 64 * 1024;
/// A password manager may ask its owner for a passphrase.
const DEADLINE: Duration = Duration::from_secs(120);

/// Where the refresh token is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenStore {
    /// In this file: one line, mode 0600.
    File(PathBuf),
    /// By commands, run without a shell.
    Command {
        /// Reads the token from its standard input and keeps it.
        store: Vec<String>,
        /// Prints the token as its first line.
        fetch: Vec<String>,
    },
}

impl fmt::Display for TokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the token file \"{}\"", visible(&path.to_string_lossy())),
            Self::Command { fetch, .. } => write!(f, "oauth_token_command \"{}\"", visible(program(fetch))),
        }
    }
}

impl TokenStore {
    /// The refresh token that was kept; `None` when the file does not exist.
    ///
    /// # Errors
    /// When the file can be read or written by others, is none, or cannot be read; when the command fails or prints
    /// nothing.
    pub fn load(&self) -> Result<Option<Secret>, Error> {
        match self {
            Self::File(path) => load_file(path),
            Self::Command { fetch, .. } => {
                let failed = |why: &str| Error::token_command("oauth_token_command", program(fetch), why);
                let output = run_command(fetch, "", DEADLINE).map_err(|why| failed(&why))?;
                first_line(&output).map(Some).ok_or_else(|| failed("its first line is no token"))
            }
        }
    }

    /// Keeps a refresh token in place of the one before.
    ///
    /// # Errors
    /// When it cannot be kept; the one before is still there.
    pub fn save(&self, token: &Secret) -> Result<(), Error> {
        match self {
            Self::File(path) => save_file(path, token).map_err(|error| Error::token_file(path, "write", &why(&error))),
            Self::Command { store, .. } => {
                let line = Zeroizing::new(format!("{}\n", token.expose()));
                match run_command(store, &line, DEADLINE) {
                    Ok(_) => Ok(()),
                    Err(why) => Err(Error::token_command("oauth_store_command", program(store), &why)),
                }
            }
        }
    }
}

fn program(argv: &[String]) -> &str {
    argv.first().map_or("", String::as_str)
}

fn load_file(path: &Path) -> Result<Option<Secret>, Error> {
    let failed = |reason: &str| Error::token_file(path, "read", reason);
    let refused = |error: io::Error| failed(&why(&error));
    // Asked before opening too: opening a pipe would wait for ever.
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error)),
        Ok(meta) if !meta.is_file() => return Err(failed("it is no file")),
        Ok(_) => {}
    }
    let file = fs::File::open(path).map_err(refused)?;
    let meta = file.metadata().map_err(refused)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&meta) & 0o7777;
        if mode & 0o077 != 0 {
            return Err(Error::open_to_others(path, mode));
        }
    }
    if !meta.is_file() {
        return Err(failed("it is no file"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LONGEST).read_to_end(&mut bytes).map_err(refused)?;
    first_line(&bytes).map(Some).ok_or_else(|| failed("its first line is no token"))
}

/// A token is visible ASCII (RFC 6749 appendix A.17).
fn first_line(bytes: &[u8]) -> Option<Secret> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).ok()?.trim();
    let good = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_graphic());
    good.then(|| Secret::new(line.to_owned()))
}

/// Writes beside the file, then renames over it: a full disk or a crash leaves the old token.
fn save_file(path: &Path, token: &Secret) -> io::Result<()> {
    // A link stays a link: what it points to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&path).is_ok_and(|meta| !meta.is_file()) {
        return Err(io::Error::other("it is no file"));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
    private_folder(folder)?;
    let new = folder.join(format!(".{}.{}.new", name.to_string_lossy(), std::process::id()));
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = (|| {
        let mut file = private_file().create_new(true).open(&new)?;
        file.write_all(token.expose().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&new, &path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&new);
        return written;
    }
    // The name itself must outlive a power cut as well; not every file system can do this.
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}
