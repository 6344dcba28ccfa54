//! One harness for expectations beside their inputs: compares, or rewrites them with `UPDATE_EXPECT=1`.

use std::path::{Path, PathBuf};

/// The files with an ending under a folder, sorted; an empty folder is a failure.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    collect(folder, ending, &mut out);
    assert!(!out.is_empty(), "no .{ending} files under {}", folder.display());
    out.sort();
    out
}

fn collect(folder: &Path, ending: &str, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, ending, out);
        } else if path.extension().is_some_and(|found| found == ending) {
            out.push(path);
        }
    }
}

/// Compares a text with the file of expectation; the complaint names the first line that differs.
pub(crate) fn check(expectation: &Path, got: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(expectation, got).unwrap();
        return Ok(());
    }
    let want = std::fs::read_to_string(expectation).unwrap_or_default();
    if want == got {
        return Ok(());
    }
    let (mut wanted, mut given) = (want.lines(), got.lines());
    let mut number = 1;
    loop {
        match (wanted.next(), given.next()) {
            (a, b) if a != b => {
                let name = expectation.display();
                return Err(format!(
                    "{name}:{number}\n  expected {:?}\n  got      {:?}\n(UPDATE_EXPECT=1 rewrites it)",
                    a.unwrap_or("(nothing)"),
                    b.unwrap_or("(nothing)")
                ));
            }
            (None, None) => return Err(format!("{}: line ends differ", expectation.display())),
            _ => number += 1,
        }
    }
}
