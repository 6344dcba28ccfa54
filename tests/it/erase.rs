//! People's data: what is forgotten or purged is in no byte of any file of the state folder, stays away at the next
//! import, and the audit says that it happened.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use bounceback::desk::{Desk, Options};
use bounceback::model::Timestamp;

const PERSON: &str = "anna.berg@exmaple.org";
const RIGHT: &str = "anna.berg@example.org";

fn run(state: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bounceback"));
    command.env_clear().env("HOME", state.parent().unwrap()).env("LOGNAME", "tester").env("TZ", "UTC");
    command.env("PATH", "/usr/bin:/bin").stdin(Stdio::null()).current_dir(state.parent().unwrap());
    command.arg("--state-dir").arg(state).args(arguments).output().unwrap()
}

fn said(state: &Path, arguments: &[&str]) -> String {
    let output = run(state, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Files in the folder that hold one of the texts, in any case of letters.
fn holding(dir: &Path, texts: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let bytes = fs::read(entry.path()).unwrap().to_ascii_lowercase();
        for text in texts {
            let text = text.to_ascii_lowercase().into_bytes();
            if bytes.windows(text.len()).any(|window| window == text) {
                let text = String::from_utf8_lossy(&text).into_owned();
                found.push(format!("{} holds {text}", entry.file_name().to_string_lossy()));
            }
        }
    }
    found
}

/// A notice about two people, one of them only in an encoded part.
fn shared() -> String {
    format!(
        "From: MAILER-DAEMON@mx.example.net\nTo: support@company.example\nSubject: Undelivered\nMessage-ID: <shared@mx.example.net>\n\
         Date: Thu, 08 Oct 2026 10:00:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
         --b\nContent-Type: text/plain\n\nAnna Berg and others could not be reached.\n\n--b\nContent-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; {PERSON}\nAction: failed\nStatus: 5.1.1\n\n\
         Final-Recipient: rfc822; otto@example.net\nAction: failed\nStatus: 5.2.2\n\n--b\nContent-Type: message/rfc822\n\n\
         From: support@company.example\nTo: Anna Berg <{PERSON}>, otto@example.net\nSubject: Offer for Anna Berg\nMessage-ID: <offer@company.example>\n\n\
         Hello\n\n--b--\n"
    )
}

/// Somebody else's notice that names the person in base64 only.
fn encoded() -> String {
    let text = "QXNrIEFubmEgQmVyZyA8YW5uYS5iZXJnQGV4bWFwbGUub3JnPiBhYm91dCBpdC4K"; // Ask Anna Berg <…> about it.
    format!(
        "From: MAILER-DAEMON@mx.example.net\nTo: support@company.example\nSubject: Undelivered\nMessage-ID: <other@mx.example.net>\n\
         Date: Thu, 08 Oct 2026 11:00:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
         --b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n{text}\n\n--b\nContent-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; lena@example.net\nAction: failed\nStatus: 5.1.1\n\n--b--\n"
    )
}

/// A store that knows the person in every way it can.
fn lived_in(state: &Path) -> PathBuf {
    let home = state.parent().unwrap();
    let typo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/files/typo.eml");
    fs::copy(typo, home.join("anna.berg@exmaple.org.eml")).unwrap();
    fs::write(home.join("shared.eml"), shared()).unwrap();
    fs::write(home.join("encoded.eml"), encoded()).unwrap();
    fs::write(home.join("old.csv"), format!("old,new\n{PERSON},{RIGHT}\nbo@x.example,bo@y.example\n")).unwrap();
    said(state, &["import", "anna.berg@exmaple.org.eml", "shared.eml", "encoded.eml"]);
    said(state, &["import-decisions", "old.csv"]);
    let list = said(state, &["list", "--no-heading"]);
    let case = |address: &str, ticket: &str| {
        let fits = |line: &&str| line.contains(address) && line.contains(ticket);
        list.lines().find(fits).unwrap().split('\t').next().unwrap().to_owned()
    };
    let (anna, otto) = (case(PERSON, "L7VKGO"), case("otto@example.net", ""));
    said(state, &["decide", &anna, "corrected", "--to", RIGHT, "--note", "Anna Berg told us by phone"]);
    said(state, &["decide", &otto, "retry", "--note", &format!("ask Anna Berg, {PERSON}, about it")]);
    said(state, &["export", "--output", "fixed.csv"]);
    said(state, &["store", "backup", "copy.sqlite3"]);
    let mut desk = Desk::open(&Options { state_dir: Some(state.to_owned()), ..Options::default() }).unwrap();
    desk.keep("draft/correct/x", Some("Anna.Berg@exmaple.org")).unwrap();
    fs::copy(state.join("bounceback.sqlite3"), state.join("bounceback.sqlite3.schema-1")).unwrap();
    home.join("fixed.csv")
}

#[test]
fn a_person_who_is_forgotten_is_in_no_byte_and_does_not_come_back() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state");
    let export = lived_in(&state);
    let traces = [PERSON, "anna berg", "anna.berg=exmaple.org", "QW5uYSBCZXJnIDxhbm5hLmJlcmdAZXhtYXBsZS5vcmc"];
    assert!(!holding(&state, &traces).is_empty());
    let log = home.path().join("log");
    run(&state, &["--log", "log", "--log-addresses", "show", PERSON]);
    assert!(fs::read_to_string(&log).unwrap().contains(PERSON));

    // A screen is open meanwhile: its connection keeps the log of the store alive.
    let open = Desk::open(&Options { state_dir: Some(state.clone()), ..Options::default() }).unwrap();
    let before = open.ticks().unwrap();
    assert_eq!(run(&state, &["forget", PERSON]).status.code(), Some(2), "asks first");
    let forgot = run(&state, &["--log", "log", "forget", "--yes", PERSON]);
    let text = String::from_utf8(forgot.stdout).unwrap();
    assert_eq!(forgot.status.code(), Some(3), "a file still holds the address: {text}");
    assert!(
        text.starts_with(&format!("{PERSON}: removed 2 cases, 1 mail; 2 mails of others lost their text\n")),
        "{text}"
    );
    assert!(text.contains(&format!("still holds the address: {}", export.display())), "{text}");
    assert!(text.contains(&format!("the same person was also written to at {RIGHT}")), "{text}");
    assert_eq!(holding(&state, &traces), [""; 0], "{text}");
    assert!(!fs::read_to_string(&log).unwrap().contains(PERSON));
    let copy = home.path().join("copy.sqlite3");
    assert!(
        !fs::read(&copy).unwrap().windows(PERSON.len()).any(|window| window.eq_ignore_ascii_case(PERSON.as_bytes()))
    );
    assert!(said(&home.path().join("restored"), &["store", "restore", copy.to_str().unwrap()]).starts_with("restored"));
    let removed = open.changes(before).unwrap().removed;
    assert_eq!(removed.len(), 2, "an open screen drops its rows");
    drop(open);

    // Others keep what is theirs, and nothing brings the person back.
    let again = said(&state, &["import", "anna.berg@exmaple.org.eml", "shared.eml", "encoded.eml"]);
    assert!(again.contains("0 new notices, 3 known"), "{again}");
    fs::write(home.path().join("shared2.eml"), shared().replace("shared@mx", "shared2@mx")).unwrap();
    fs::write(
        home.path().join("late.eml"),
        shared().replace("shared@mx", "late@mx").replace("otto@example.net", "support@company.example"),
    )
    .unwrap();
    said(&state, &["import", "shared2.eml"]);
    let list = said(&state, &["list", "--no-heading"]);
    let addresses: Vec<&str> = list.lines().map(|line| line.split('\t').nth(1).unwrap()).collect();
    assert_eq!(addresses, ["otto@example.net", "lena@example.net"]);
    assert_eq!(holding(&state, &traces), [""; 0]);
    assert_eq!(said(&state, &["store", "check"]).split(':').next(), Some("in order"));
    let otto = list.lines().next().unwrap().split('\t').next().unwrap();
    let shown = said(&state, &["show", otto]);
    assert!(shown.contains("ask (forgotten), forgotten@invalid, about it"), "{shown}");
    let audit = said(&state, &["audit"]);
    assert!(audit.contains("\ttester\tforget\t-\t-\t2 cases, 1 mail, 2 mails blanked"), "{audit}");
    assert!(!audit.contains("anna"), "{audit}");
}

#[test]
fn what_is_older_than_it_may_be_kept_goes_and_stays_away() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state");
    lived_in(&state);
    let dry = said(&state, &["purge", "--older-than", "1 day", "--dry-run"]);
    assert_eq!(dry, "would remove 0 cases\nkept: 2 cases as old that nobody has decided; --undecided removes them\n");
    assert_eq!(run(&state, &["purge"]).status.code(), Some(2), "no retention is configured");
    // A year later, as the library sees it.
    let mut desk = Desk::open(&Options { state_dir: Some(state.clone()), ..Options::default() }).unwrap();
    let later = Timestamp(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64)
        .plus_days(400);
    let overdue = desk.overdue(180, later).unwrap();
    let cases = [overdue.cases, overdue.undecided].concat();
    assert_eq!(cases.len(), 4);
    let erased = desk.purge(&cases, 180, later).unwrap();
    assert_eq!((erased.cases, erased.mails, erased.compacted), (4, 3, true));
    drop(desk);
    fs::remove_file(state.join("bounceback.sqlite3.schema-1")).unwrap();
    assert_eq!(holding(&state, &[PERSON, "anna berg", "otto@example.net"]), [""; 0]);
    assert!(said(&state, &["import", "shared.eml"]).contains("0 new notices, 1 known"));
    assert_eq!(said(&state, &["list", "--no-heading"]), "");
    assert!(said(&state, &["audit"]).contains("\tpurge\t"));
    // Copies are there to undo mishaps: they are named and left alone.
    let copy = home.path().join("copy.sqlite3");
    let bytes = fs::read(&copy).unwrap();
    let purged = said(&state, &["purge", "--older-than", "1 day"]);
    assert!(purged.contains(&format!("not touched: the copy {}", copy.display())), "{purged}");
    assert_eq!(fs::read(&copy).unwrap(), bytes);
    assert_eq!(said(&state, &["store", "check"]).split(':').next(), Some("in order"));
}
