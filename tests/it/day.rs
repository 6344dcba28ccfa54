//! The main job against a real Dovecot, with the real binary: pull, decide, kill, pull again, export.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use bounceback::desk::{Cancel, Desk, Options};
use bounceback::model::{Identity, State, Timestamp};

use crate::intake::{options as imap_options, password};
use crate::servers::{Dovecot, PASSWORD, USER};
use bounceback::source::imap::Tls;

fn binary(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bounceback"));
    command.args(arguments).env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").env("LOGNAME", "tester");
    command.env("BOUNCEBACK_PASSWORD", PASSWORD).stdin(Stdio::null());
    command
}

fn run(home: &Path, arguments: &[&str]) -> Output {
    binary(home, arguments).output().unwrap()
}

fn configure(server: &Dovecot, home: &Path, more: &str) {
    let folder = home.join(".config/bounceback");
    fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "own_domains = [\"acme.example\"]\n[[account]]\nname = \"support\"\naddress = \"support@acme.example\"\n\
         host = \"localhost\"\nport = {}\nca_file = \"{}\"\nuser = \"{USER}\"\nfolders = [\"INBOX\"]\n{more}",
        server.tls,
        server.ca().display()
    );
    fs::write(folder.join("config.toml"), text).unwrap();
}

/// Names of the files of a Maildir: they carry the flags.
fn flags(maildir: &Path) -> BTreeSet<String> {
    let names = ["cur", "new"].iter().flat_map(|sub| fs::read_dir(maildir.join(sub)).unwrap());
    names
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_string_lossy()
                .split_once(":2,")
                .map_or_else(String::new, |(_, flags)| flags.to_owned())
        })
        .collect()
}

#[test]
fn a_correction_survives_kill_restart_and_a_second_pull_and_stands_in_the_csv() {
    let Some(server) = Dovecot::start() else { return };
    let truth = server.seed(USER, 600, &["--light"]);
    let bounces = truth.values().filter(|kind| kind.as_str().unwrap().starts_with("bounce")).count();
    let home = tempfile::tempdir().unwrap();
    configure(&server, home.path(), "");
    // Killed again and again in the middle: what was committed stays, nothing counts twice.
    for _ in 0..4 {
        let mut child = binary(home.path(), &["pull"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        // The first word on standard error comes while the pull runs.
        let mut first = [0; 1];
        let _ = std::io::Read::read(child.stderr.as_mut().unwrap(), &mut first);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let pull = run(home.path(), &["pull"]);
    assert!(pull.status.success(), "{}", String::from_utf8_lossy(&pull.stderr));
    let list = || String::from_utf8(run(home.path(), &["list", "--no-heading"]).stdout).unwrap();
    assert_eq!(list().lines().count(), bounces, "every bounce, once, and no decoy");

    let case = list().lines().next().unwrap().split('\t').next().unwrap().to_owned();
    let decided = run(home.path(), &["decide", &case, "corrected", "--to", "anna@example.org", "--note", "by phone"]);
    assert!(String::from_utf8_lossy(&decided.stdout).starts_with("saved"), "{decided:?}");
    let again = run(home.path(), &["pull"]);
    assert!(String::from_utf8_lossy(&again.stdout).contains(" 0 new notices"), "{again:?}");
    assert_eq!(list().lines().count(), bounces);
    let csv = String::from_utf8(run(home.path(), &["export"]).stdout).unwrap();
    assert_eq!(csv.lines().count(), 2, "{csv}");
    assert!(csv.contains(",anna@example.org,") && csv.contains(",tester,by phone"), "{csv}");
    assert_eq!(flags(&server.maildir(USER)), BTreeSet::from([String::new()]), "no flag was set");
}

#[test]
fn sent_folders_are_evidence_and_never_cases() {
    let Some(server) = Dovecot::start() else { return };
    server.seed(USER, 20, &["--light"]);
    let sent = server.maildir(USER).join("Sent");
    for sub in ["cur", "new", "tmp"] {
        fs::create_dir_all(sent.join(sub)).unwrap();
    }
    let mail = "From: support@acme.example\nTo: Bo <bo@rare-domain.example>, eve@rare-domain.example\n\
                Date: Tue, 06 Oct 2026 10:00:00 +0000\nSubject: hello\nMessage-ID: <s1@acme.example>\n\nhello\n";
    fs::write(sent.join("cur/1700000000.M1.sent:2,S"), mail).unwrap();
    // Dovecot must own what root wrote.
    let _ = Command::new("chown").args(["-R", "--reference"]).arg(server.maildir(USER)).arg(&sent).status();
    let own = Identity { domains: vec!["acme.example".into()], ..Identity::default() };
    let mut desk = Desk::open(&Options { identity: own, ..Options::default() }).unwrap();
    let mut account = imap_options(&server, Tls::Implicit, password());
    account.sent_folders = vec!["Sent".into(), "Nowhere".into()];
    let now = Timestamp::parse("2026-11-20T20:00:00Z").unwrap();
    let pulled = desk.pull(&account, now, &Cancel::new(), &mut |_| {}).unwrap();
    assert_eq!(pulled.folders.len(), 1, "a folder that is not there is told: {:?}", pulled.folders);
    assert!(desk.cases().unwrap().iter().all(|case| case.state == State::New && !case.address.contains("rare")));

    let typo = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.acme.example\nDate: Wed, 07 Oct 2026 10:00:00 +0000\nMessage-ID: <b1@acme.example>\n\
        Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n\
        Reporting-MTA: dns; mx.acme.example\n\nFinal-Recipient: rfc822; carl@rare-domian.example\nAction: failed\nStatus: 5.1.2\n\
        Diagnostic-Code: smtp; 550 5.1.2 Host unknown\n\n--b--\n";
    desk.import_mails([("typo.eml".to_owned(), typo.as_bytes().to_vec())].into_iter(), now).unwrap();
    let case = desk.cases().unwrap().into_iter().find(|case| case.address.contains("rare")).unwrap();
    let detail = desk.detail(&case.id, now).unwrap();
    assert_eq!(detail.suggestions.first().map(|first| first.address.as_str()), Some("carl@rare-domain.example"));
}

#[test]
fn a_decision_that_was_reported_saved_survives_kill_at_any_moment() {
    let home = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo");
    assert!(run(home.path(), &["import", &demo.to_string_lossy()]).status.success());
    let list = || String::from_utf8(run(home.path(), &["list", "--no-heading"]).stdout).unwrap();
    let (mut saved, mut killed) = (0, 0);
    let cases: Vec<String> = list().lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
    for (round, case) in cases.iter().enumerate() {
        let began = std::time::Instant::now();
        let mut child = binary(home.path(), &["decide", case, "done"]).stdout(Stdio::piped()).spawn().unwrap();
        // Another moment each time, from before the program has started to after it has ended.
        let moment = std::time::Duration::from_micros(1500 * round as u64);
        while began.elapsed() < moment && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).starts_with("saved");
        let line = list().lines().find(|line| line.starts_with(case)).unwrap().to_owned();
        let state = line.split('\t').nth(2).unwrap().to_owned();
        assert!(state == "done" || (!said && state == "new"), "said {said}: {line}");
        saved += usize::from(said);
        killed += usize::from(!output.status.success());
    }
    assert_eq!(list().lines().count(), cases.len());
    assert!(killed > 0, "{saved} saved, {killed} killed");
}
