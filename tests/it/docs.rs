//! The documents tell the truth: every path they name exists, every command they show is one, every link leads somewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::architecture::{FLOORS, rust_files};

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
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            if target.contains("://") {
                continue;
            }
            let led = if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            let there = fs::read_to_string(&led)
                .is_ok_and(|text| heading.is_empty() || anchors(&text).any(|one| one == heading));
            let folder = heading.is_empty() && led.is_dir();
            if !there && !folder {
                wrong.push(format!("{}: no {target}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What a link to a heading is called.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    let headings =
        text.lines().filter_map(|line| line.strip_prefix('#')).map(|rest| rest.trim_start_matches('#').trim());
    headings.map(|words| {
        let kept =
            words.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
        kept.replace(' ', "-")
    })
}

/// The card of keys names keys that do something, and no recipe or page another.
#[test]
fn the_card_shows_keys_that_are_there() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let keys = fs::read_to_string(root().join("assets/keys.toml")).unwrap();
    let bound: Vec<&str> = keys.lines().filter_map(|line| line.split("keys = \"").nth(1)?.split('"').next()).collect();
    let bound: Vec<&str> = bound.iter().flat_map(|keys| keys.split(' ')).collect();
    let rows = table_behind(&readme, "## Keys");
    let shown: Vec<&str> =
        rows.iter().flat_map(|row| [&row[0], &row[2]]).flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(shown.len() > 25, "{shown:?}");
    let wrong: Vec<&&str> = shown.iter().filter(|key| !bound.contains(key)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
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
            let typed = shown.split(['|', '&', '#']).next().unwrap_or_default();
            let help = String::from_utf8_lossy(&known.stdout).into_owned();
            // Options of a command's own commands stand in their help.
            for option in typed.split_whitespace().filter(|word| word.starts_with("--") && words.len() == 1) {
                if !help.contains(option.split('=').next().unwrap_or(option)) {
                    wrong.push(format!("{}: no {option} in {shown}", document.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The rows of the first table behind a heading, cell by cell.
fn table_behind(text: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, rest) = text.split_once(heading).unwrap_or_else(|| panic!("no {heading}"));
    let rows = rest.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

fn architecture() -> String {
    fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap()
}

#[test]
fn the_code_map_is_the_house() {
    let mut mapped: Vec<(String, u8)> = Vec::new();
    for row in table_behind(&architecture(), "## Code map") {
        let room = row[1].trim_matches('`').trim_start_matches("src/").trim_end_matches('/').trim_end_matches(".rs");
        mapped.push((room.to_owned(), row[0].parse().unwrap()));
    }
    mapped.sort();
    let mut floors: Vec<(String, u8)> = FLOORS.iter().map(|(room, floor)| ((*room).to_owned(), *floor)).collect();
    floors.retain(|(room, _)| room != "lib");
    floors.sort();
    assert_eq!(mapped, floors, "the code map of ARCHITECTURE.md, and FLOORS");
}

#[test]
fn the_table_of_crates_is_cargo_toml() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let named = |table: &str| manifest[table].as_table().unwrap().keys().cloned().collect::<Vec<_>>();
    let text = architecture();
    let rows = table_behind(&text, "## Dependencies");
    let listed: Vec<&str> = rows.iter().flat_map(|row| row[0].split(", ")).collect();
    let (_, rest) = text.split_once("## Dependencies").unwrap();
    for name in named("dependencies") {
        assert!(listed.contains(&name.as_str()) || rest.contains(&format!("`{name}`")), "{name} is not in the table");
    }
    for name in named("dev-dependencies") {
        assert!(rest.contains(&name), "{name} is not named under the table");
    }
    for name in listed.iter().filter(|name| !name.ends_with("(tests)")) {
        assert!(named("dependencies").iter().any(|known| known == name), "{name} is no dependency any more");
    }
}

/// `room::name` and `Type::name` in the texts for programmers stand in the code.
#[test]
fn names_exist() {
    let code: String = rust_files(&root().join("src"))
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect::<Vec<_>>()
        .join("\n");
    let mut wrong = Vec::new();
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for (line, word) in quoted(&text) {
            let is_row =
                document == "SECURITY.md" && text.lines().nth(line - 1).is_some_and(|row| row.ends_with("` |"));
            let plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':');
            let Some((_, name)) = word.rsplit_once("::").filter(|_| plain && !is_row) else { continue };
            let declared = ["fn", "struct", "enum", "const", "mod", "type", "static", "trait"]
                .iter()
                .any(|keyword| code.contains(&format!("{keyword} {name}")));
            if !declared {
                wrong.push(format!("{document}:{line}: no {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
