//! A user's rule file loads or is refused with words; whatever loads answers, and checks itself, without a panic.
#![no_main]

use bounceback::rules::{Question, RuleBook, Tier};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (book, errors) = RuleBook::with_files(&[("mine.toml".to_owned(), text.to_owned())]);
    for error in errors {
        assert!(error.file == "mine.toml" && !error.what.is_empty());
    }
    let statuses = ["5.1.1".parse().expect("a status")];
    let question = Question {
        replies: &[550],
        statuses: &statuses,
        text,
        hosts: &["mx.example.net"],
        domain: "example.net",
    };
    let _ = (book.ask(&question), book.candidates(&question));
    let _ = book.check(&|rule| rule.tier == Tier::User);
});
