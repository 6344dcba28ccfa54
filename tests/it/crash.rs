//! The crash campaign: the real binary is ended at random points of its work, and after each the store must open, hold
//! every deed that was reported saved, none twice, and every file it writes must be whole or absent.
//!
//! `BOUNCEBACK_SEED=n` plays other points; `BOUNCEBACK_FULL_TESTS=1` plays hundreds of each kind.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use bounceback::store::{FILE, Store};
use rusqlite::Connection;

use crate::ended::{Bench, FAULTS, Fault, rounds};
use crate::pty::{DEADLINE, Terminal};
use crate::servers::{Dovecot, USER, installed};

/// The lines of a session, each of which appends to the journal.
const SESSION: [&str; 9] = ["o", "m first note", "c right@example.org", "u", "U", "b", "m second note", "u", "d"];

/// What a session reported, in the words of the journal.
fn told(output: &Output) -> Vec<&'static str> {
    let act = |line: &str| {
        let (_, said) = line.split_once("q quit: ")?;
        match said {
            said if said.starts_with("undone: ") => Some("undo"),
            said if said.starts_with("saved again: ") => Some("redo"),
            said if said.starts_with("saved: note on ") => Some("note"),
            said if said.starts_with("saved: ") => Some("decide"),
            _ => None,
        }
    };
    String::from_utf8_lossy(&output.stdout).lines().filter_map(act).collect()
}

#[test]
fn deeds_that_were_reported_are_there_once_and_in_order() {
    let mut bench = Bench::new(1);
    let script: String = SESSION.map(|line| format!("{line}\n")).concat();
    let usual = bench.usual(&["step", "--plain"], &script);
    let acts = |journal: &[(String, Option<String>)]| journal.iter().map(|(act, _)| act.clone()).collect::<Vec<_>>();
    let whole = ["decide", "note", "decide", "undo", "redo", "decide", "note", "undo", "decide"];
    assert_eq!(acts(&bench.journal()), whole);
    for round in 0..rounds(8, 80) {
        for fault in FAULTS {
            let before = bench.journal();
            let output = bench.run("session", &["step", "--plain"], &script, fault, usual);
            let after = format!("round {round}, {fault:?}: {output:?}");
            bench.in_order(&after);
            let journal = bench.journal();
            assert!(journal.starts_with(&before), "the journal is only appended: {after}");
            let (there, told) = (acts(&journal[before.len()..]), told(&output));
            assert!(
                there.starts_with(&told.iter().map(|act| act.to_string()).collect::<Vec<_>>()),
                "{there:?}, {told:?}: {after}"
            );
            // What a dying process did last it may not have said any more.
            let unsaid = if fault == Fault::DiskFull { 0 } else { 1 };
            assert!(there.len() - told.len() <= unsaid, "{there:?}, {told:?}: {after}");
        }
    }
    bench.tell();
}

#[test]
fn a_decision_on_the_command_line_is_there_once_or_not_at_all() {
    let mut bench = Bench::new(2);
    let case = bench.list().split('\t').next().unwrap().to_owned();
    let usual = bench.usual(&["decide", &case, "done"], "");
    for round in 0..rounds(8, 80) {
        for fault in FAULTS {
            let note = format!("note {round} {fault:?}");
            let arguments = ["decide", &case, ["done", "spam", "new"][round % 3], "--note", &note];
            let output = bench.run("decide", &arguments, "", fault, usual);
            let after = format!("{note}: {output:?}");
            bench.in_order(&after);
            let found = bench.journal().iter().filter(|(_, text)| text.as_ref() == Some(&note)).count();
            let told = output.stdout.starts_with(b"saved");
            assert!(found == 1 || (found == 0 && !told), "{found} in the journal: {after}");
        }
    }
    bench.tell();
}

#[test]
fn exports_and_copies_are_whole_or_absent() {
    let mut bench = Bench::new(3);
    let script: String = SESSION.map(|line| format!("{line}\n")).concat();
    bench.usual(&["step", "--plain"], &script);
    let rows = bench.list().lines().count();
    let (out, copy) = (bench.path("out.jsonl"), bench.path("copy.sqlite3"));
    let export = ["export", "--format", "jsonl", "--output", out.to_str().unwrap()];
    let backup = ["store", "backup", copy.to_str().unwrap()];
    let journal = bench.journal();
    for (name, arguments, file) in [("export", &export[..], &out), ("backup", &backup[..], &copy)] {
        let usual = bench.usual(arguments, "");
        fs::remove_file(file).unwrap();
        for round in 0..rounds(4, 60) {
            for fault in FAULTS {
                let output = bench.run(name, arguments, "", fault, usual);
                let after = format!("{name} {round} {fault:?}: {output:?}");
                bench.in_order(&after);
                assert_eq!(bench.journal(), journal, "{after}");
                let told = String::from_utf8_lossy(&output.stdout).contains(file.to_str().unwrap());
                assert!(file.exists() || !told, "reported and not there: {after}");
                if file.exists() && name == "export" {
                    let text = fs::read_to_string(file).unwrap();
                    let whole = text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
                    assert!(whole && text.lines().count() == rows && text.ends_with('\n'), "not whole: {after}");
                } else if file.exists() {
                    let copied = Connection::open(file).unwrap();
                    let state: String = copied.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
                    assert_eq!(state, "ok", "{after}");
                    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
                }
                let _ = fs::remove_file(file);
            }
        }
        // What killed runs left beside it goes with the next one.
        bench.usual(arguments, "");
        let head = format!(".{}.", file.file_name().unwrap().to_str().unwrap());
        let names = fs::read_dir(bench.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let parts: Vec<_> = names.filter(|name| name.to_str().unwrap().starts_with(&head)).collect();
        assert!(parts.iter().all(|part| !part.to_str().unwrap().ends_with(".part")), "{parts:?}");
    }
    bench.tell();
}

#[test]
fn a_restore_leaves_the_old_store_or_the_new_one() {
    let mut bench = Bench::new(4);
    let copy = bench.path("copy.sqlite3");
    bench.usual(&["store", "backup", copy.to_str().unwrap()], "");
    let new = bench.list();
    let case = new.split('\t').next().unwrap().to_owned();
    let arguments = ["store", "restore", copy.to_str().unwrap()];
    let usual = bench.usual(&arguments, "");
    for round in 0..rounds(4, 50) {
        for fault in FAULTS {
            let _ = bench.command(&["decide", &case, "done"], None).output().unwrap();
            let old = bench.list();
            let output = bench.run("restore", &arguments, "", fault, usual);
            let after = format!("restore {round} {fault:?}: {output:?}");
            bench.in_order(&after);
            let list = bench.list();
            assert!(list == new || (list == old && !output.status.success()), "{after}");
            bench.sweep();
        }
    }
    bench.tell();
}

#[test]
fn an_import_that_was_ended_is_brought_to_its_end_by_the_next() {
    let mut bench = Bench::new(5);
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo");
    let arguments = ["import", demo.to_str().unwrap()];
    let whole = bench.list();
    let usual = bench.usual(&arguments, "").mul_f64(1.5);
    for round in 0..rounds(3, 60) {
        for fault in FAULTS {
            fs::remove_dir_all(&bench.state).unwrap();
            let output = bench.run("import", &arguments, "", fault, usual);
            let after = format!("import {round} {fault:?}: {output:?}");
            if bench.state.join(FILE).exists() {
                let empty = fs::metadata(bench.state.join(FILE)).unwrap().len() == 0;
                if !empty && !is_new(&bench.state) {
                    bench.in_order(&after);
                }
            }
            let again = bench.command(&arguments, None).output().unwrap();
            assert!(again.status.success(), "{after}; then {again:?}");
            bench.in_order(&after);
            assert_eq!(bench.list(), whole, "{after}");
        }
    }
    bench.tell();
}

/// Whether a store has no table yet: ended before its first one was made.
fn is_new(state: &Path) -> bool {
    let db = Connection::open(state.join(FILE)).unwrap();
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).unwrap() == 0
}

#[test]
fn a_pull_that_was_ended_is_brought_to_its_end_by_the_next() {
    let Some(server) = Dovecot::start() else { return };
    let mut bench = Bench::new(6);
    server.seed(USER, 400, &["--light"]);
    let config = bench.path("config.toml");
    let text = format!(
        "own_domains = [\"acme.example\"]\n[[account]]\nname = \"support\"\naddress = \"support@acme.example\"\n\
         host = \"localhost\"\nport = {}\nca_file = \"{}\"\nuser = \"{USER}\"\nfolders = [\"INBOX\"]\n",
        server.tls,
        server.ca().display()
    );
    fs::write(&config, text).unwrap();
    let arguments = ["--config", config.to_str().unwrap(), "pull"];
    fs::remove_dir_all(&bench.state).unwrap();
    let usual = bench.usual(&arguments, "");
    let whole = bench.list();
    assert!(whole.lines().count() > 10);
    let sorted = |list: &str| {
        let mut lines: Vec<_> = list.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    for round in 0..rounds(1, 20) {
        for fault in FAULTS {
            fs::remove_dir_all(&bench.state).unwrap();
            // Twice in a row, then to the end.
            for _ in 0..2 {
                bench.run("pull", &arguments, "", fault, usual);
            }
            let again = bench.command(&arguments, None).output().unwrap();
            let after = format!("pull {round} {fault:?}");
            assert!(again.status.success(), "{after}: {again:?}");
            bench.in_order(&after);
            assert_eq!(sorted(&bench.list()), sorted(&whole), "{after}");
        }
    }
    bench.tell();
}

/// Ended by `kill`, or by the terminal that goes away: then the process must go, too.
#[test]
fn what_a_screen_showed_as_saved_is_there_however_it_ends() {
    let mut bench = Bench::new(7);
    let acts = ["decide", "decide", "undo", "note"];
    let template = bench.path("template.sqlite3");
    bench.usual(&["store", "backup", template.to_str().unwrap()], "");
    for round in 0..rounds(2, 25) {
        for (name, fault) in [("KILL", Fault::Kill), ("TERM", Fault::Term), ("HUP", Fault::Hangup), ("", Fault::Hangup)]
        {
            bench.usual(&["store", "restore", template.to_str().unwrap()], "");
            let line = format!("exec {} --state-dir {}", env!("CARGO_BIN_EXE_bounceback"), bench.state.display());
            let mut terminal = Terminal::command("script", &["-qc", &line, "/dev/null"], &[]);
            terminal.see("Suggest");
            let screen = child_of(terminal.child.process_id().unwrap());
            terminal.type_(b"o");
            terminal.see("saved: ");
            let moment = Duration::from_micros(bench.dice.below(60_000));
            let began = Instant::now();
            terminal.type_(b"bumon the phone\r");
            while began.elapsed() < moment {
                std::thread::yield_now();
            }
            match name {
                "" => terminal.child.kill().unwrap(), // the terminal itself
                name => assert!(
                    Command::new("kill").args([format!("-{name}"), screen.to_string()]).status().unwrap().success()
                ),
            }
            let deadline = Instant::now() + DEADLINE;
            while fs::read_to_string(format!("/proc/{screen}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
                assert!(Instant::now() < deadline, "the screen outlives its terminal");
                std::thread::yield_now();
            }
            let after = format!("round {round}, {name:?}");
            bench.in_order(&after);
            let journal = bench.journal();
            let found: Vec<_> = journal.iter().map(|(act, _)| act.as_str()).collect();
            assert!(!found.is_empty() && acts.starts_with(&found), "{after}: {found:?}");
            bench.count(if name.is_empty() { "screen/pty" } else { "screen" }, fault, found.len() < acts.len(), true);
        }
    }
    bench.tell();
}

fn child_of(process: u32) -> u32 {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap();
    children.split_whitespace().next().expect("a child").parse().unwrap()
}

#[test]
fn a_screen_whose_store_is_removed_never_says_saved() {
    let bench = Bench::new(10);
    let mut terminal = Terminal::run(&["--state-dir", bench.state.to_str().unwrap()], &[]);
    terminal.see("Suggest");
    fs::remove_file(bench.state.join(FILE)).unwrap();
    // Told without a key, by the next look.
    terminal.see("was removed or");
    terminal.type_(b"o");
    terminal.see("not saved: ");
    assert!(!terminal.text().contains("saved: 1 "));
}

#[test]
fn a_folder_that_may_not_be_written_to_is_read_and_stays_as_it_is() {
    let bench = Bench::new(8);
    let list = bench.list();
    let case = list.split('\t').next().unwrap().to_owned();
    let root = fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    if root && !installed("setpriv") {
        return crate::skip::skip("no setpriv: a read-only folder stops everybody but root");
    }
    let mode = |mode| fs::set_permissions(&bench.state, fs::Permissions::from_mode(mode)).unwrap();
    let bytes = fs::read(bench.state.join(FILE)).unwrap();
    for path in [bench.dir.path().to_owned(), bench.state.clone()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o555)).unwrap();
    }
    fs::set_permissions(bench.state.join(FILE), fs::Permissions::from_mode(0o444)).unwrap();
    let copy = tempfile::tempdir().unwrap();
    fs::set_permissions(copy.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // The build folder may be closed to others.
    let binary = copy.path().join("bounceback");
    fs::copy(env!("CARGO_BIN_EXE_bounceback"), &binary).unwrap();
    let away = copy.path().join(FILE);
    let run = |arguments: &[&str]| {
        let mut command = match root {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(&binary);
                command
            }
            false => Command::new(&binary),
        };
        command.env_clear().env("HOME", "/nonexistent").arg("--state-dir").arg(&bench.state).args(arguments);
        let output = command.stdin(Stdio::null()).current_dir(bench.dir.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    for arguments in [&["decide", &case, "done"][..], &["export", "--output", "x.csv"]] {
        let (code, _, complaint) = run(arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {complaint}");
        assert!(complaint.contains("could not") && complaint.contains("hint: check"), "{arguments:?}: {complaint}");
    }
    // What only reads works as ever.
    for (arguments, expected) in [
        (&["list"][..], list.as_str()),
        (&["store", "check"], "in order"),
        (&["show", &case], &case),
        (&["export", "--format", "jsonl"], &case),
        (&["store", "backup", "--force", away.to_str().unwrap()], "\"forget\" will not name it"),
    ] {
        let (code, out, complaint) = run(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {complaint}");
        assert!(out.contains(expected), "{arguments:?}: {out}");
    }
    assert!(Store::check(copy.path()).unwrap().faults.is_empty());
    let (code, out, complaint) = run(&["doctor"]);
    assert_eq!(code, Some(3), "{complaint}");
    assert!(out.contains("may only be read"), "{out}");
    assert_eq!(fs::read(bench.state.join(FILE)).unwrap(), bytes);
    // One of an earlier version cannot be brought up to date there, and says so.
    mode(0o755);
    fs::set_permissions(bench.state.join(FILE), fs::Permissions::from_mode(0o644)).unwrap();
    fs::remove_file(bench.state.join(FILE)).unwrap();
    Connection::open(bench.state.join(FILE)).unwrap().execute_batch(include_str!("../stores/3.sql")).unwrap();
    fs::set_permissions(bench.state.join(FILE), fs::Permissions::from_mode(0o444)).unwrap();
    mode(0o555);
    let (code, _, complaint) = run(&["list"]);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("it has schema 3") && complaint.contains("hint: copy the folder"), "{complaint}");
    mode(0o755);
    fs::set_permissions(bench.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_disk_that_is_full_is_told_with_what_to_do() {
    let bench = Bench::new(9);
    let case = bench.list().split('\t').next().unwrap().to_owned();
    File::create(bench.path("x")).unwrap();
    let output = bench.command(&["decide", &case, "done"], Some((0, false))).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint.contains("space"), "{complaint}");
    bench.in_order("a full disk");
}

/// What is removed is removed whole: a case is there with all it has, or nothing of it is.
#[test]
fn a_purge_and_a_forgotten_person_are_whole_or_not_begun() {
    let mut bench = Bench::new(11);
    let template = bench.path("template.sqlite3");
    let old = bench.list();
    let address = old.split('\t').nth(1).unwrap().to_owned();
    bench.usual(&["store", "backup", template.to_str().unwrap()], "");
    let restore = ["store", "restore", template.to_str().unwrap()];
    let forget = ["forget", "--yes", &address];
    let purge = ["purge", "--older-than", "1 days", "--undecided"];
    for (name, arguments) in [("purge", &purge[..]), ("forget", &forget[..])] {
        let usual = bench.usual(arguments, "");
        let new = bench.list();
        assert_ne!(old, new, "{name} did something");
        for round in 0..rounds(3, 40) {
            for fault in FAULTS {
                bench.usual(&restore, "");
                let output = bench.run(name, arguments, "", fault, usual);
                let after = format!("{name} {round} {fault:?}: {output:?}");
                bench.in_order(&after);
                let list = bench.list();
                assert!(list == new || (list == old && !output.status.success()), "{after}");
                // Begun again it comes to its end.
                let _ = bench.command(arguments, None).output().unwrap();
                assert_eq!(bench.list(), new, "{after}");
                bench.in_order(&after);
                bench.sweep();
            }
        }
        bench.usual(&restore, "");
    }
    bench.tell();
}
