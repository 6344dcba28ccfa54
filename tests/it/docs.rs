//! The documents tell the truth: every path they name exists, every command they show is one, every link leads somewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn documents() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"]
        .map(|name| root().join(name))
        .to_vec();
    let docs = fs::read_dir(root().join("docs")).into_iter().flatten().map(|entry| entry.unwrap().path());
    found.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    found.retain(|path| path.exists());
    assert!(found.len() >= 4, "{found:?}");
    found
}

/// What stands between backticks, code blocks left out.
fn quoted(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            found.extend(line.split('`').skip(1).step_by(2).map(|word| (number + 1, word.to_owned())));
        }
    }
    found
}

#[test]
fn paths_exist() {
    let mut wrong = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for (line, word) in quoted(&text) {
            let top =
                ["src/", "assets/", "tests/", "docs/", "benches/", "examples/", "fuzz/", "pkg/", ".ci/", ".cargo/"];
            let single = ["build.rs", "Cargo.toml", "Cargo.lock", "deny.toml"];
            let path = word.split(' ').next().unwrap_or_default();
            let named = top.iter().any(|top| path.starts_with(top)) || single.contains(&path);
            if named && !path.contains(['*', '<', '{']) && !root().join(path).exists() {
                wrong.push(format!("{}:{line}: no {path}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or_default();
            let elsewhere = target.contains("://") || path.is_empty();
            if !elsewhere && !document.parent().unwrap().join(path).exists() {
                wrong.push(format!("{}: no {target}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Every `bounceback COMMAND` in a document is one that `--help` knows.
#[test]
fn commands_exist() {
    let mut wrong = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let in_text = quoted(&text).into_iter().map(|(_, word)| word);
        let in_blocks = text.lines().map(|line| line.trim_start_matches("$ ").trim().to_owned());
        for shown in in_text.chain(in_blocks).filter(|shown| shown.starts_with("bounceback ")) {
            let words: Vec<&str> = shown
                .split_whitespace()
                .skip(1)
                .take_while(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
                .collect();
            let command: Vec<&str> = words.iter().copied().take_while(|word| !word.starts_with('-')).take(1).collect();
            if command.is_empty() {
                continue;
            }
            let known = Command::new(env!("CARGO_BIN_EXE_bounceback")).args(&command).arg("--help").output().unwrap();
            if !known.status.success() {
                wrong.push(format!("{}: {shown}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
