//! Files that are whole or absent: written beside their place first, synced, then moved there.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::private_file;

/// Writes a file through `fill`, whole or not at all, readable by its owner only. `fill` gets the path of an empty file
/// beside the target. A file that stands in the way is replaced only when `force` says so.
///
/// # Errors
/// When a file is in the way (`AlreadyExists`), the disk does not take it, or `fill` fails; nothing is left behind.
pub fn whole_file<T, E: From<io::Error>>(
    path: &Path,
    force: bool,
    fill: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<T, E> {
    if !force && fs::symlink_metadata(path).is_ok() {
        return Err(io::Error::from(io::ErrorKind::AlreadyExists).into());
    }
    sweep(path);
    let beside = beside(path)?;
    let result = private_file().create_new(true).open(&beside).map_err(E::from);
    let result = result.and_then(|_| fill(&beside)).and_then(|value| {
        fs::File::open(&beside)?.sync_all()?;
        place(&beside, path, force)?;
        Ok(value)
    });
    if result.is_err() {
        let _ = fs::remove_file(&beside);
    }
    result
}

/// Makes the names in a folder outlive a power cut; a folder that cannot be synced is no reason to fail.
pub fn sync_folder_of(path: &Path) {
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// A name in the same folder that no other run uses.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let mut hidden = head_of_parts(path).ok_or(io::ErrorKind::IsADirectory)?;
    hidden.push(format!("{}.part", std::process::id()));
    Ok(path.with_file_name(hidden))
}

fn head_of_parts(path: &Path) -> Option<OsString> {
    let mut hidden = OsString::from(".");
    hidden.push(path.file_name()?);
    hidden.push(".");
    Some(hidden)
}

/// Removes what runs that were killed left beside this file.
fn sweep(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Some(head), Ok(entries)) = (head_of_parts(path), fs::read_dir(folder)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let middle = name.as_encoded_bytes().strip_prefix(head.as_encoded_bytes());
        let process = middle.and_then(|rest| rest.strip_suffix(b".part")).and_then(|id| std::str::from_utf8(id).ok());
        if let Some(process) = process.filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
            && Path::new("/proc/self").exists()
            && !Path::new("/proc").join(process).exists()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
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
    sync_folder_of(path);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_is_swept_away_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let own = format!(".out.csv.{}.part", std::process::id());
        // No process has a number this large.
        for name in [".out.csv.4194999999.part", ".out.csv.x.part", ".other.csv.4194999999.part", "out.csv.1"] {
            fs::write(dir.path().join(name), "half").unwrap();
        }
        whole_file(&dir.path().join("out.csv"), false, |part| {
            assert!(part.ends_with(&own));
            fs::write(part, "whole")
        })
        .unwrap();
        let mut left: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, [".other.csv.4194999999.part", ".out.csv.x.part", "out.csv", "out.csv.1"]);
    }
}
