//! Suggestions over named evidence, over hostile input, and over the reference corpus when it is there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bounceback::model::Cause;
use bounceback::suggest::{Book, Confidence, Named, NamedRole, Query, named_in_text, suggest};

use crate::typo_generator::query;

/// One case of named evidence: what failed, what is known, and the first suggestion with its confidence.
struct Evidence<'a> {
    failed: &'a str,
    cause: Cause,
    display: Option<&'a str>,
    text: &'a str,
    roles: &'a [(&'a str, Option<&'a str>, NamedRole)],
    want: Option<(&'a str, Confidence)>,
}

const PLAIN: Evidence<'_> =
    Evidence { failed: "", cause: Cause::MailboxUnknown, display: None, text: "", roles: &[], want: None };

fn firm_book() -> Book {
    let mut book = Book::new(&["company.example".to_owned()], &["support@company.example".to_owned()]);
    for local in ["paul.weber", "ina.roth", "karl.otto", "eva.lang"] {
        book.add_correspondent(&format!("{local}@firm.example"), 12);
    }
    book.add_correspondent("jonathan.smith@corp.example", 3);
    book.add_correction("old@gmx.example", "new@gmx.example");
    book.add_correction("anna@frim.example", "anna@firm.example");
    book.add_bounced("kim.adams@gmail.com");
    book
}

#[test]
fn named_evidence_changes_a_local_part_and_nothing_else_does() {
    use Confidence::{Strong, Weak};
    let cases = [
        // the customer's own mail, quoted
        Evidence {
            failed: "ana.berg@firm.example",
            text: "Hello\n\n> On Mon, 2 Nov 2026 at 10:12, Anna Berg <anna.berg@firm.example> wrote:\n> > my printer",
            want: Some(("anna.berg@firm.example", Strong)),
            ..PLAIN
        },
        Evidence {
            failed: "tom@firm.example",
            display: Some("Tom Adler"),
            text: "Von: Tom Adler <t.adler@firm.example>\nGesendet: Montag",
            want: Some(("t.adler@firm.example", Strong)),
            ..PLAIN
        },
        // the same person elsewhere
        Evidence {
            failed: "marie.dubois@oldfirm.example",
            text: "-- \nMarie Dubois\nmarie.dubois@newfirm.example",
            want: Some(("marie.dubois@newfirm.example", Strong)),
            ..PLAIN
        },
        // a stranger in copy is nobody's new address
        Evidence { failed: "zoe@unknown.example", text: "Cc: bob@other.example", want: None, ..PLAIN },
        // the server or the person says so
        Evidence {
            failed: "a.moved@corp.example",
            cause: Cause::MailboxMoved,
            roles: &[("b.moved@next.example", None, NamedRole::ServerHint)],
            want: Some(("b.moved@next.example", Strong)),
            ..PLAIN
        },
        Evidence {
            failed: "left@corp.example",
            text: "I have left. My new address is lea@studio.example.",
            want: Some(("lea@studio.example", Strong)),
            ..PLAIN
        },
        // our own words in the returned mail are nobody's new address
        Evidence {
            failed: "anna@gmal.com",
            cause: Cause::DomainUnknown,
            text: "For invoices please use billing@acme.example or karla@acme.example.",
            want: Some(("anna@gmail.com", Strong)),
            ..PLAIN
        },
        // display name against local part
        Evidence {
            failed: "jon.smtih@acme.example",
            display: Some("Jon Smith"),
            want: Some(("jon.smith@acme.example", Strong)),
            ..PLAIN
        },
        Evidence { failed: "jon.smith@acme.example", display: Some("Jon Smith"), want: None, ..PLAIN },
        Evidence { failed: "jsmith4@acme.example", display: Some("Jon Smith"), want: None, ..PLAIN },
        // a known correspondent, and the habit of a company
        Evidence {
            failed: "jonathan.smtih@corp.example",
            want: Some(("jonathan.smith@corp.example", Strong)),
            ..PLAIN
        },
        Evidence {
            failed: "mberg@firm.example",
            display: Some("Mia Berg"),
            want: Some(("mia.berg@firm.example", Weak)),
            ..PLAIN
        },
        // learned
        Evidence { failed: "old@gmx.example", want: Some(("new@gmx.example", Strong)), ..PLAIN },
        Evidence {
            failed: "someone@frim.example",
            cause: Cause::DomainUnknown,
            want: Some(("someone@firm.example", Strong)),
            ..PLAIN
        },
        // never: known bad, own, nothing known
        Evidence { failed: "kim.adams@gmial.com", cause: Cause::DomainUnknown, want: None, ..PLAIN },
        Evidence { failed: "support@companny.example", cause: Cause::DomainUnknown, want: None, ..PLAIN },
        Evidence { failed: "jo@gmail.com", want: None, ..PLAIN },
        // the mailbox was found: the domain is right
        Evidence { failed: "anna@gmal.com", cause: Cause::MailboxDisabled, want: None, ..PLAIN },
        // own domain mistyped, letters of another alphabet
        Evidence {
            failed: "kenji@companny.example",
            cause: Cause::DomainUnknown,
            want: Some(("kenji@company.example", Strong)),
            ..PLAIN
        },
        Evidence {
            failed: "anna@gm\u{430}il.com",
            cause: Cause::DomainUnknown,
            want: Some(("anna@gmail.com", Strong)),
            ..PLAIN
        },
        Evidence {
            failed: "anna@xn--gmil-63d.com",
            cause: Cause::DomainUnknown,
            want: Some(("anna@gmail.com", Strong)),
            ..PLAIN
        },
        Evidence {
            failed: "anna@grnail.com",
            cause: Cause::DomainUnknown,
            want: Some(("anna@gmail.com", Strong)),
            ..PLAIN
        },
        Evidence {
            failed: "anna@smallfirm.con",
            cause: Cause::DomainUnknown,
            want: Some(("anna@smallfirm.com", Strong)),
            ..PLAIN
        },
        Evidence { failed: "anna@gmail.com.br", want: Some(("anna@gmail.com", Strong)), ..PLAIN },
        Evidence { failed: "anna@gmail", cause: Cause::AddressSyntax, want: Some(("anna@gmail.com", Strong)), ..PLAIN },
        Evidence {
            failed: "annagmail.com",
            cause: Cause::AddressSyntax,
            want: Some(("anna@gmail.com", Strong)),
            ..PLAIN
        },
    ];
    let book = firm_book();
    for case in cases {
        let mut named = named_in_text(case.text);
        named.extend(case.roles.iter().map(|(address, name, role)| Named {
            address: (*address).to_owned(),
            display_name: name.map(str::to_owned),
            role: *role,
        }));
        let query = Query { display_name: case.display, ..query(case.failed, case.cause, &named) };
        let found = suggest(&query, &book);
        let first = found.first().map(|s| (s.address.as_str(), s.confidence));
        assert_eq!(first, case.want, "{}: {found:#?}", case.failed);
        let innocent = Query { address_at_fault: false, ..query };
        assert_eq!(suggest(&innocent, &book), [], "{}: the address is not at fault", case.failed);
    }
}

#[test]
fn hostile_input_ends_and_breaks_nothing() {
    let book = firm_book();
    let long = "a".repeat(100_000);
    let hostile = [
        String::new(),
        "@".into(),
        "@@@@".into(),
        long.clone(),
        format!("{long}@{long}"),
        format!("a@{}", "b.".repeat(50_000)),
        "a@xn--\u{fffd}.com".into(),
        "\"@\u{202e}moc.liamg".into(),
        "a@[".into(),
        "\u{0}@\u{0}.com".into(),
        "ı@ﬀ.com".into(),
        "a@İ.com".into(),
        "@".repeat(10_000),
        "a@xn--a.xn--b.xn--".into(),
        "%%40é@é2gmail.com".into(),
        "é(at)ß(at).ﬁ".into(),
    ];
    for text in
        ["a@b.example ".repeat(60_000), "<".repeat(500_000), "a@b.c\n".repeat(90_000), "@ wrote: ".repeat(60_000)]
    {
        assert!(named_in_text(&text).len() <= 300);
    }
    for failed in &hostile {
        for cause in Cause::ALL {
            let named = named_in_text(failed);
            let name = Some(failed.as_str());
            let query = Query { display_name: name, ..query(failed, *cause, &named) };
            assert!(suggest(&query, &book).len() <= bounceback::suggest::MOST);
        }
        let _ = bounceback::suggest::check(failed, Some(failed), &book);
    }
}

fn corpus() -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/generated");
    found.is_dir().then_some(found)
}

#[test]
fn every_correction_of_the_reference_corpus_is_the_first_suggestion() {
    let Some(dir) = corpus() else {
        crate::skip::skip("no reference corpus beside the project");
        return;
    };
    let book = Book::new(&["company.example".to_owned()], &[]);
    let (mut right, mut strong_elsewhere) = (0, Vec::new());
    for line in fs::read_to_string(dir.join("truth.jsonl")).unwrap().lines() {
        let truth: serde_json::Value = serde_json::from_str(line).unwrap();
        // The harshest way: every line of the mail, envelope headers included, is taken for evidence.
        let mail = fs::read(dir.join(truth["file"].as_str().unwrap())).unwrap();
        let named = named_in_text(&String::from_utf8_lossy(&mail));
        for recipient in truth["recipients"].as_array().unwrap() {
            let failed = recipient["address"].as_str().unwrap_or_default();
            let cause = recipient["reason"].as_str().and_then(Cause::from_slug).unwrap_or(Cause::Unclear);
            let query = query(failed, cause, &named);
            let found = suggest(&query, &book);
            if let Some(want) = truth["corrected_address"].as_str() {
                let first = found.first().map(|s| (s.address.as_str(), s.confidence));
                assert_eq!(first, Some((want, Confidence::Strong)), "{}: {found:#?}", truth["file"]);
                right += 1;
            } else if let Some(first) = found.first() {
                strong_elsewhere.push(format!(
                    "{} {failed} ({cause}): {} {:?} {}",
                    truth["file"], first.address, first.confidence, first.because
                ));
            }
        }
    }
    println!(
        "{right} corrections of the corpus are the first suggestion; suggestions where none is known: {}",
        strong_elsewhere.len()
    );
    strong_elsewhere.iter().for_each(|line| println!("    {line}"));
    assert!(right > 0);
}

/// The whole way: the corpus is imported, then the command is asked for each address that failed.
#[test]
fn the_command_knows_every_correction_of_the_reference_corpus() {
    let Some(dir) = corpus() else {
        crate::skip::skip("no reference corpus beside the project");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config.toml");
    fs::write(&config, "own_domains = [\"company.example\"]\n").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bounceback"));
        command.env_clear().env("HOME", home.path()).arg("--config").arg(&config).args(arguments);
        let result = command.output().unwrap();
        assert!(result.status.success(), "{}", String::from_utf8_lossy(&result.stderr));
        String::from_utf8(result.stdout).unwrap()
    };
    run(&["import", dir.to_str().unwrap()]);
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    for line in fs::read_to_string(dir.join("truth.jsonl")).unwrap().lines() {
        let truth: serde_json::Value = serde_json::from_str(line).unwrap();
        let failed = truth["recipients"].as_array().unwrap().first().and_then(|one| one["address"].as_str());
        if let (Some(failed), Some(want)) = (failed, truth["corrected_address"].as_str()) {
            wanted.insert(failed.to_owned(), want.to_owned());
        }
    }
    assert!(!wanted.is_empty());
    let mut arguments = vec!["suggest", "--json"];
    arguments.extend(wanted.keys().map(String::as_str));
    let answers = run(&arguments);
    assert_eq!(answers.lines().count(), wanted.len());
    for (line, (failed, want)) in answers.lines().zip(&wanted) {
        let answer: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(answer["address"], failed.as_str());
        assert_eq!(answer["suggestions"][0]["address"], want.as_str(), "{line}");
        assert!(answer["suggestions"][0]["because"].as_str().is_some_and(|because| !because.is_empty()));
    }
    println!("{} corrections of the corpus: the command has each first", wanted.len());
}
