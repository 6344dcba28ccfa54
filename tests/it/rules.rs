//! The rule files against themselves: everything loads, every sample hits its own rule, nothing is without a source.

use std::path::Path;
use std::time::Instant;

use bounceback::diagnose::explain_code;
use bounceback::model::{Cause, Status};
use bounceback::rules::{Question, RuleBook};

use crate::golden;

/// The files the book is made of: name and text.
fn rule_files() -> Vec<(String, String)> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let mut paths = golden::files(&assets.join("rules"), "toml");
    paths.push(assets.join("causes.toml"));
    let name = |path: &Path| path.strip_prefix(&assets).unwrap().to_string_lossy().into_owned();
    let mut files: Vec<_> = paths.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn our_own_files_load() {
    let (book, errors) = RuleBook::of_assets(&rule_files());
    assert!(errors.is_empty(), "{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    assert!(book.rules().len() > 100 && book.formats().len() > 20 && book.desks().len() > 5);
    let (built_in, errors) = RuleBook::with_files(&[]);
    assert!(errors.is_empty(), "{errors:?}");
    let all = |book: &RuleBook| format!("{:?} {:?} {:?}", book.rules(), book.formats(), book.desks());
    assert_eq!(all(&book), all(&built_in));
}

#[test]
fn every_sample_hits_its_own_rule() {
    let complaints = RuleBook::builtin().check(&|_| true);
    assert!(
        complaints.is_empty(),
        "{} complaints\n{}",
        complaints.len(),
        complaints.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn ids_are_sorted_within_their_file() {
    for (name, text) in rule_files().iter().filter(|(name, _)| name.contains("phrases/") || name.contains("providers/"))
    {
        let ids: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("id = \"")).collect();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        assert_eq!(ids, sorted, "{name}");
    }
}

#[test]
fn every_cause_has_its_words() {
    let book = RuleBook::builtin();
    for cause in Cause::ALL {
        let words = book.words(*cause);
        assert!(!words.title.is_empty() && !words.explanation.is_empty() && !words.next_step.is_empty(), "{cause}");
    }
}

#[test]
fn every_ticket_mark_finds_its_example() {
    for desk in RuleBook::builtin().desks() {
        for mark in &desk.tickets {
            assert_eq!(
                mark.pattern.find(&mark.example).and(mark.id_in(&mark.example)),
                Some(mark.id.clone()),
                "{} {}",
                desk.slug,
                mark.example
            );
        }
    }
}

#[test]
fn a_rule_of_the_user_wins_over_ours() {
    let rule = "[[rule]]\nid = \"mine/odd\"\nphrase = [\"user unknown\"]\ncause = \"greylisted\"\nsource = \"my own mail server\"\nseen = [\"550 5.1.1 user unknown\"]\n";
    let (book, errors) = RuleBook::with_files(&[("mine.toml".to_owned(), rule.to_owned())]);
    assert_eq!(errors, []);
    let statuses: Vec<Status> = vec!["5.1.1".parse().unwrap()];
    let question =
        Question { replies: &[550], statuses: &statuses, text: "550 5.1.1 user unknown", ..Question::default() };
    assert_eq!(book.ask(&question).unwrap().rule, "mine/odd");
    assert_eq!(book.check(&|rule| rule.id.starts_with("mine/")), []);
}

#[test]
fn words_of_the_user_win_over_ours() {
    let words = "[[cause]]\nslug = \"mailbox-full\"\nnext_step = \"Ring them up.\"\n";
    let (book, errors) = RuleBook::with_files(&[("words.toml".to_owned(), words.to_owned())]);
    assert_eq!(errors, []);
    assert_eq!(book.words(Cause::MailboxFull).next_step, "Ring them up.");
    assert_eq!(book.words(Cause::MailboxFull).title, RuleBook::builtin().words(Cause::MailboxFull).title);
}

#[test]
fn mistakes_name_the_file_and_the_line() {
    for (text, want) in [
        (
            "[[rule]]\nid = \"a/b\"\nphrase = [\"abc def\"]\ncause = \"mailbox-ful\"\nsource = \"x\"\n",
            "mine.toml:2: unknown cause \"mailbox-ful\"",
        ),
        (
            "[[rule]]\nid = \"a/b\"\nphrase = [\"{adr} unknown\"]\ncause = \"mailbox-full\"\nsource = \"x\"\n",
            "mine.toml:3: unknown placeholder {adr}",
        ),
        (
            "[[rule]]\nid = \"a/b\"\ncause = \"mailbox-full\"\nsource = \"x\"\n",
            "mine.toml:2: rule a/b has no condition",
        ),
        ("[[rule]]\nid = \"a/b\"\nphrases = [\"abc def\"]\n", "mine.toml:3: unknown field"),
    ] {
        let (_, errors) = RuleBook::with_files(&[("mine.toml".to_owned(), text.to_owned())]);
        let got = errors.first().map(ToString::to_string).unwrap_or_default();
        assert!(got.starts_with(want), "{got}");
    }
}

#[test]
fn codes_are_explained_also_the_wrong_ones() {
    let book = RuleBook::builtin();
    for (code, want) in
        [("5.1.1", "mailbox-unknown"), ("550 5.1.1", "mailbox-unknown"), ("544", "544"), ("552-5.2.2", "mailbox-full")]
    {
        assert!(explain_code(&book, code).unwrap().contains(want), "{code}");
    }
    assert_eq!(explain_code(&book, "five fifty"), None);
}

#[test]
fn the_book_is_ready_soon() {
    let fastest = (0..5)
        .map(|_| {
            let start = Instant::now();
            let (book, _) = RuleBook::with_files(&[]);
            book.ask(&Question { text: "550 5.1.1 user unknown", ..Question::default() });
            start.elapsed()
        })
        .min()
        .unwrap();
    // the budget of 20 ms is the bench's, on an optimised build; this only catches another order of magnitude
    assert!(fastest.as_millis() < 2000, "{fastest:?}");
}
