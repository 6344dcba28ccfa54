//! The rule files against themselves: everything loads, every sample hits its own rule, nothing is without a source.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use bounceback::diagnose::{Context, diagnose, explain_code};
use bounceback::model::{Cause, Kind, Status};
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
fn ids_begin_with_the_name_of_their_file_and_are_sorted() {
    for (name, text) in rule_files().iter().filter(|(name, _)| name.contains("phrases/") || name.contains("providers/"))
    {
        let ids: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"')).collect();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        assert_eq!(ids, sorted, "{name}");
        let stem = Path::new(name).file_stem().unwrap().to_string_lossy();
        for id in ids {
            assert!(id.starts_with(&format!("{stem}/")), "{name}: {id} does not begin with {stem}/");
        }
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

/// The recipe of CONTRIBUTING.md, step by step, in an empty folder: its rule is the one printed there.
#[test]
fn a_provider_wording_is_added_without_rust() {
    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("CONTRIBUTING.md")).unwrap();
    let block = guide.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let rule: String = block.lines().map(|line| format!("{}\n", line.trim_start())).collect();
    let mail = "Return-Path: <>\nFrom: MAILER-DAEMON@mx1.company.example\nTo: support@company.example\n\
        Subject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n\
        Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
        --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx1.company.example\n\n\
        Final-Recipient: rfc822; anna@odd.example\nAction: failed\nStatus: 5.7.1\n\
        Remote-MTA: dns; a.mx.odd.example\nDiagnostic-Code: smtp; 550 5.7.1 The owl is asleep\n--b--\n";
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("rules")).unwrap();
    std::fs::write(at("config.toml"), "").unwrap();
    std::fs::write(at("odd-mail.toml"), rule).unwrap();
    std::fs::write(at("returned.eml"), mail).unwrap();
    let run = |words: &[&str]| {
        let run = Command::new(env!("CARGO_BIN_EXE_bounceback"))
            .args(["--config", "config.toml", "--state-dir", "state"])
            .args(words)
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .output()
            .unwrap();
        assert!(run.status.success(), "{words:?}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    };
    let before = run(&["rules", "trace", "returned.eml"]);
    assert!(before.contains("matched text: 550 5.7.1 The owl is asleep"), "{before}");
    assert!(!before.contains("odd-mail/asleep"), "{before}");
    assert_eq!(run(&["rules", "check", "odd-mail.toml"]), "odd-mail.toml: 1 rule in order\n");
    std::fs::rename(at("odd-mail.toml"), at("rules/odd-mail.toml")).unwrap();
    let after = run(&["rules", "trace", "returned.eml"]);
    assert!(after.contains("decided: odd-mail/asleep = mailbox-disabled by your own rule"), "{after}");
    assert!(after.contains("at this provider it wakes up at the next login"), "{after}");
    // the same words from somebody else's server mean nothing
    let foreign = mail.replace("odd.example", "other.example");
    std::fs::write(at("returned.eml"), foreign).unwrap();
    assert!(!run(&["rules", "trace", "returned.eml"]).contains("odd-mail/asleep"));
}

#[test]
fn one_of_our_own_files_is_checked_in_its_own_place() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/rules");
    let files = ["providers/yahoo.toml", "phrases/mailbox-full.toml", "formats/mailgun-json.toml", "kinds.toml"];
    for file in files {
        let checked = Command::new(env!("CARGO_BIN_EXE_bounceback"))
            .args(["rules", "check"])
            .arg(assets.join(file))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success() && said.trim_end().ends_with("in order"), "{file}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_trace_follows_into_the_notice_that_was_passed_on() {
    let mail =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/forwarded/by-a-rule.eml")).unwrap();
    let text = bounceback::diagnose::trace(&mail, &Context::default());
    let inside = text.split_once("the notice inside").unwrap_or_else(|| panic!("{text}")).1;
    assert!(inside.contains("matched text: ") && inside.contains("  decided: "), "{text}");
}

#[test]
fn a_format_and_a_kind_of_the_user_are_read_too() {
    let format = "title = \"Owl\"\nsource = \"my own mail server\"\nrecipient = [\"the owl could not find {addr}\"]\n\
        text = \"line\"\ncause = \"mailbox-unknown\"\n[recognise]\nbody = [\"the owl could not find\"]\n";
    let kind = "[[kind]]\nname = \"auto-reply\"\nsubject = [\"hoot\"]\nsource = \"my own mail server\"\n";
    let files = [("owl.toml".to_owned(), format.to_owned()), ("hoot.toml".to_owned(), kind.to_owned())];
    let (book, errors) = RuleBook::with_files(&files);
    assert_eq!(errors, []);
    let context = Context { rules: book, ..Context::default() };
    let read = |mail: &[u8]| diagnose(mail, &context);
    let notice = read(
        b"From: owl@example.net\nTo: support@company.example\nSubject: hu\n\nthe owl could not find anna@example.org\n",
    );
    assert_eq!((notice.kind, notice.recipients[0].cause), (Kind::Failure, Cause::MailboxUnknown));
    assert_eq!(read(b"From: anna@example.org\nSubject: Hoot hoot\n\nhoot\n").kind, Kind::AutoReply);
}

#[test]
fn every_rule_says_where_it_comes_from_and_every_id_is_its_own() {
    let mut seen = std::collections::BTreeSet::new();
    for (name, text) in &rule_files() {
        for line in text.lines() {
            if let Some(id) = line.strip_prefix("id = \"").and_then(|rest| rest.strip_suffix('"')) {
                let first = seen.insert(id);
                assert!(first || name.contains("desks/"), "{name}: {id} stands twice");
            }
            if let Some(source) = line.strip_prefix("source = \"") {
                assert!(source.trim_end_matches('"').trim().len() > 4, "{name}: {line}");
            }
        }
    }
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
    for (code, want) in [
        ("5.1.1", "mailbox-unknown"),
        ("550 5.1.1", "mailbox-unknown"),
        ("544", "Not a standard reply code"),
        ("511", "Probably 5.1.1"),
        ("552-5.2.2", "mailbox-full"),
        ("550-5.1.1", "mailbox-unknown"),
        ("5,1,1", "mailbox-unknown"),
        ("5-1-1", "mailbox-unknown"),
        ("(#5.1.1)", "mailbox-unknown"),
        ("5.1.10", "mailbox-unknown: The address was not found at this Microsoft organisation"),
        ("5.7.515", "not registered; its kind is X.7"),
        ("S3150", "sender-blocked"),
        ("[TSS04]", "Yahoo"),
    ] {
        assert!(explain_code(&book, code).unwrap().contains(want), "{code}");
    }
    assert_eq!(explain_code(&book, "five fifty"), None);
    assert_eq!(explain_code(&book, "hello"), None);
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

/// The schema for people says all that the schema for the program takes.
#[test]
fn every_key_of_a_rule_file_is_explained() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read_to_string(root.join("src/rules/schema.rs")).unwrap();
    let readme = std::fs::read_to_string(root.join("assets/rules/README.md")).unwrap();
    let keys: Vec<&str> = schema
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub(crate) ")?.split_once(':').map(|(key, _)| key))
        .filter(|key| !key.contains(' '))
        .collect();
    assert!(keys.len() > 60, "{keys:?}");
    let words = |text: &str| -> std::collections::BTreeSet<String> {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(str::to_owned).collect()
    };
    let known = words(&readme);
    let missing: Vec<&&str> = keys.iter().filter(|key| !known.contains(**key)).collect();
    assert!(missing.is_empty(), "assets/rules/README.md does not name {missing:?}");
}
