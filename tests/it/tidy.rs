//! Keeps the house tidy: sizes that ask, a header in every file, no file that is too heavy, no test that is forgotten.

use std::fs;
use std::path::{Path, PathBuf};

use crate::architecture::rust_files;

/// From here on a file or a function asks whether it is one thing.
const FILE: usize = 500;
const FUNCTION: usize = 80;

/// Those that answered, with their size and their reason. An entry may only shrink; a new one needs a good reason.
const EXCEPTIONS: &[(&str, usize, &str)] =
    &[("tests/it/suggest.rs named_evidence_changes_a_local_part_and_nothing_else_does", 145, "a table of cases")];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<(String, String)> {
    let folders = ["src", "tests/it", "benches", "examples"].map(|folder| root().join(folder));
    let files = folders.iter().filter(|folder| folder.is_dir()).flat_map(|folder| rust_files(folder));
    let name = |path: &Path| path.strip_prefix(root()).unwrap().display().to_string();
    files.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

/// Functions of a formatted file and their lines.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let words: Vec<&str> = line.trim_start().split(' ').collect();
        let Some(keyword) = words.iter().position(|word| *word == "fn") else { continue };
        let before = |word: &&str| word.starts_with("pub") || ["const", "in", "async"].contains(word);
        if !words[..keyword].iter().all(before) || line.ends_with(';') || line.ends_with('}') {
            continue;
        }
        let name = words.get(keyword + 1).copied().unwrap_or_default().split(['(', '<']).next().unwrap_or_default();
        let end = lines[at..].iter().position(|line| *line == format!("{indent}}}"));
        found.push((name.to_owned(), end.unwrap_or(0) + 1));
    }
    found
}

#[test]
fn files_and_functions_stay_small() {
    let mut wrong = Vec::new();
    let mut unused: Vec<&str> = EXCEPTIONS.iter().map(|(name, ..)| *name).collect();
    let mut ask = |name: String, size: usize, limit: usize| {
        let exception = EXCEPTIONS.iter().find(|(known, ..)| *known == name);
        match exception {
            _ if size <= limit => {}
            None => wrong.push(format!("{name}: {size} lines, more than {limit}: is it one thing?")),
            Some((_, known, _)) if size > *known => wrong.push(format!("{name}: grew from {known} to {size} lines")),
            Some(_) => unused.retain(|known| *known != name),
        }
    };
    for (path, text) in sources() {
        ask(path.clone(), text.lines().count(), FILE);
        for (function, size) in functions(&text) {
            ask(format!("{path} {function}"), size, FUNCTION);
        }
    }
    assert!(wrong.is_empty() && unused.is_empty(), "\n{}\nno longer exceptions: {unused:?}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, text) in sources() {
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! ") && first.len() > 20, "{path}: begins with {first:?}");
        assert!(
            !text.contains(concat!("FIX", "ME")) && !text.contains(concat!("TO", "DO")),
            "{path}: something is left to do"
        );
    }
}

#[test]
fn no_file_is_heavy() {
    fn walk(folder: &Path, heavy: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && !["target", ".git"].iter().any(|left| name == *left) {
                walk(&path, heavy);
            } else if kind.is_file() && entry.metadata().unwrap().len() > 200 * 1024 {
                heavy.push(path);
            }
        }
    }
    let mut heavy = Vec::new();
    walk(root(), &mut heavy);
    assert!(heavy.is_empty(), "more than 200 KiB: {heavy:?}");
}

#[test]
fn no_test_file_is_forgotten() {
    let main = fs::read_to_string(root().join("tests/it/main.rs")).unwrap();
    for path in rust_files(&root().join("tests/it")) {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_listed = name == "main" || main.contains(&format!("\nmod {name};"));
        assert!(is_listed, "tests/it/{name}.rs is not in main.rs: it never runs");
    }
}
