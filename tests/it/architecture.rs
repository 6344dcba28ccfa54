//! Keeps the house as ARCHITECTURE.md describes it: floors import downward only, each outside crate has one owner.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Floor of each module of `src/`; a module may import lower floors only. `main` stands above all.
pub(crate) const FLOORS: &[(&str, u8)] = &[
    ("stdx", 0),
    ("model", 1),
    ("mail", 2),
    ("rules", 2),
    ("diagnose", 3),
    ("suggest", 3),
    ("config", 4),
    ("dns", 4),
    ("export", 4),
    ("oauth", 4),
    ("report", 4),
    ("resend", 4),
    ("source", 4),
    ("store", 4),
    ("desk", 5),
    ("cli", 6),
    ("tui", 6),
    ("lib", 7),
    ("main", 7),
];

/// Which modules may name an outside crate.
const OWNERS: &[(&str, &[&str])] = &[
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("crossterm", &["tui"]),
    ("csv", &["export", "source"]),
    ("directories", &["config"]),
    ("imap", &["source"]),
    ("jiff", &["model"]),
    ("mail_parser", &["mail"]),
    ("native_tls", &["source"]),
    ("ratatui", &["tui"]),
    ("rpassword", &["cli"]),
    ("mimalloc", &["main"]),
    ("rusqlite", &["store"]),
    ("rustix", &["cli"]),
    ("simple_dns", &[]), // the tests' name server only, so that the codec in `dns` is tested against another
    ("strsim", &["config"]),
    ("toml", &["config", "oauth", "resend", "rules", "suggest", "tui"]),
    ("ureq", &["oauth"]),
];

pub(crate) fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
    found
}

fn room(path: &Path) -> String {
    let below = path.strip_prefix(source_dir()).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

fn source_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Code lines without comments.
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().enumerate();
    lines.filter(|(_, line)| !line.trim_start().starts_with("//")).map(|(n, line)| (n + 1, line.to_owned())).collect()
}

#[test]
fn floors_import_downward_only() {
    let floors: BTreeMap<&str, u8> = FLOORS.iter().copied().collect();
    let mut wrong = Vec::new();
    for path in rust_files(&source_dir()) {
        let room = room(&path);
        let Some(&floor) = floors.get(room.as_str()) else {
            wrong.push(format!("{}: room `{room}` has no floor", path.display()));
            continue;
        };
        for (line, text) in code(&path) {
            if text.contains("super::super") {
                wrong.push(format!("{}:{line}: super::super (say crate::)", path.display()));
            }
            for piece in text.split("crate::").skip(1) {
                let target: String = piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if let Some(&other) = floors.get(target.as_str())
                    && target != room
                    && other >= floor
                {
                    wrong.push(format!(
                        "{}:{line}: {room} (floor {floor}) imports {target} (floor {other})",
                        path.display()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Names that a file brings in from our own crate or declares: a module `csv` of ours is not the crate `csv`.
fn own_names(path: &Path) -> Vec<String> {
    let text = code(path).into_iter().map(|(_, line)| line).collect::<Vec<_>>().join("\n");
    let mut names = Vec::new();
    for piece in text.split(';') {
        let piece = piece.trim_start();
        let from_here = ["use crate::", "use super::", "pub use crate::", "mod ", "pub mod "];
        if from_here.iter().any(|start| piece.starts_with(start)) {
            let words = piece.split(|c: char| !c.is_alphanumeric() && c != '_');
            names.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
        }
    }
    names
}

#[test]
fn every_outside_crate_has_one_owner() {
    let mut wrong = Vec::new();
    for path in rust_files(&source_dir()) {
        let room = room(&path);
        let ours = own_names(&path);
        for (line, text) in code(&path) {
            for (name, owners) in OWNERS.iter().filter(|(name, _)| !ours.iter().any(|own| own == name)) {
                let named = text.match_indices(&format!("{name}::")).any(|(at, _)| {
                    let before = text[..at].chars().next_back();
                    !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
                });
                if named && !owners.contains(&room.as_str()) {
                    wrong.push(format!("{}:{line}: `{name}` belongs to {owners:?}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
