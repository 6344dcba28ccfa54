//! The pages that the program writes itself: commands, configuration, and the screens and outputs inside the guides.
//! `UPDATE_EXPECT=1` rewrites them.

use std::fs;
use std::path::Path;
use std::process::Command;

use bounceback::config::SAMPLE;

use crate::{docs, golden};

const GENERATED: &str = "<!-- Written by `UPDATE_EXPECT=1 cargo test reference`; not by hand. -->";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn bounceback(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bounceback"));
    command.env_clear().env("HOME", home.path()).env("TZ", "UTC").current_dir(root().join("tests/cli/files"));
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Names under "Commands:" of a help text.
fn below(help: &str) -> Vec<String> {
    let Some((_, rest)) = help.split_once("Commands:\n") else { return Vec::new() };
    let lines = rest.lines().take_while(|line| !line.trim().is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

/// A help text without the options that every command has.
fn own(help: &str) -> String {
    let Some((before, rest)) = help.split_once("\nOptions of every command:\n") else { return help.to_owned() };
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    // Long texts put blank lines between the options; they go on while lines are indented.
    let after: Vec<&str> = after.lines().skip_while(|line| line.is_empty() || line.starts_with("  ")).collect();
    format!("{before}\n{}\n", after.join("\n"))
}

fn section(words: &[&str], page: &mut String) {
    let help = bounceback(&[words, &["--help"]].concat());
    let shown = if words.is_empty() { help.clone() } else { own(&help) };
    let title = [&["bounceback"], words].concat().join(" ");
    page.push_str(&format!("\n## {title}\n\n```text\n{}\n```\n", shown.trim_end()));
    for name in below(&help) {
        section(&[words, &[name.as_str()]].concat(), page);
    }
}

#[test]
fn the_page_of_commands_is_the_help() {
    let mut page =
        format!("# Commands\n\n{GENERATED}\n\nWhat `--help` says. `bounceback man` makes manual pages of the same.\n");
    section(&[], &mut page);
    golden::check(&root().join("docs/commands.md"), &page).unwrap();
}

/// `key = value`, also behind a comment sign.
fn is_key(line: &str) -> bool {
    let line = line.strip_prefix("# ").unwrap_or(line);
    let name = line.split(" = ").next().unwrap_or_default();
    line.contains(" = ") && !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[test]
fn the_page_of_the_configuration_is_the_sample() {
    let mut page = format!(
        "# Configuration\n\n{GENERATED}\n\nEvery key, out of the sample that `bounceback config example` prints. \
         A line behind `#` shows what may stand there.\n"
    );
    let mut words: Vec<&str> = Vec::new();
    let mut keys: Vec<&str> = Vec::new();
    let flush = |words: &mut Vec<&str>, keys: &mut Vec<&str>, page: &mut String| {
        if !words.is_empty() {
            page.push_str(&format!("\n{}\n", words.join("\n")));
        }
        if !keys.is_empty() {
            page.push_str(&format!("\n```toml\n{}\n```\n", keys.join("\n")));
        }
        words.clear();
        keys.clear();
    };
    for line in SAMPLE.lines() {
        match line {
            line if is_key(line) => keys.push(line),
            "[[account]]" => {
                words.insert(0, "## Accounts\n");
                keys.push(line);
                flush(&mut words, &mut keys, &mut page);
            }
            _ => {
                if !keys.is_empty() || line.is_empty() {
                    flush(&mut words, &mut keys, &mut page);
                }
                words.extend(line.strip_prefix("# "));
            }
        }
    }
    flush(&mut words, &mut keys, &mut page);
    golden::check(&root().join("docs/configuration.md"), &page).unwrap();
}

/// Behind `<!-- screen FILE SIZE -->` stands that screen, behind `<!-- output COMMAND -->` what the command prints.
#[test]
fn screens_and_outputs_in_the_documents_are_the_programs_own() {
    let mut wrong = Vec::new();
    for document in docs::documents() {
        let text = fs::read_to_string(&document).unwrap();
        let mut filled = String::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            filled.push_str(&format!("{line}\n"));
            let marker = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
            let block = match marker.and_then(|marker| marker.split_once(' ')) {
                Some(("screen", place)) => {
                    let (file, size) = place.split_once(' ').unwrap();
                    let snapshot = fs::read_to_string(root().join(file)).unwrap();
                    let (_, screen) = snapshot.split_once(&format!("==== {size}\n")).unwrap();
                    screen.split_once("\n---- 16 colours").unwrap().0.to_owned()
                }
                Some(("output", command)) => {
                    let words: Vec<&str> = command.split(' ').skip(1).collect();
                    format!("$ {command}\n{}", bounceback(&words))
                }
                _ => continue,
            };
            let ended = |line: &str| line.trim_end().to_owned();
            let block: Vec<String> = block.trim_end().lines().map(ended).collect();
            filled.push_str(&format!("\n```text\n{}\n```\n", block.join("\n")));
            // What stood there before.
            while lines.peek().is_some_and(|line| line.is_empty()) {
                lines.next();
            }
            if lines.peek() == Some(&"```text") {
                lines.next();
                lines.by_ref().find(|line| *line == "```");
            } else {
                filled.push('\n');
            }
        }
        if let Err(complaint) = golden::check(&document, &filled) {
            wrong.push(complaint);
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
