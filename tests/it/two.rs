//! Two at once: two screens, a screen and a command, many commands; no lost write, no stale view, no lock that stays.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use bounceback::desk::{Desk, Options};
use bounceback::model::State;
use bounceback::store::{FILE, Store};

use crate::pty::{open, state};

fn desk(state: &Path) -> Desk {
    Desk::open(&Options { state_dir: Some(state.to_owned()), ..Options::default() }).unwrap()
}

fn command(state: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bounceback"));
    command.env_clear().env("HOME", state).env("LOGNAME", "tester").env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command.arg("--state-dir").arg(state).args(arguments);
    command
}

fn in_order(state: &Path) {
    assert_eq!(Store::check(state).unwrap().faults, Vec::<String>::new());
}

#[test]
fn what_one_screen_decides_the_other_shows_though_nobody_touches_it() {
    let state = state();
    let mut one = open(state.path(), &[]);
    let mut two = open(state.path(), &[]);
    let queued =
        desk(state.path()).cases().unwrap().iter().filter(|case| case.is_queued(bounceback::cli::now())).count();
    one.type_(b"o");
    one.see("saved: 1 ");
    two.see(&format!("left {}", queued - 1));
    two.type_(b"jjb");
    two.see("saved: ");
    one.see(&format!("left {}", queued - 2));
    let states: Vec<State> = desk(state.path()).cases().unwrap().iter().map(|case| case.state).collect();
    assert_eq!(states.iter().filter(|state| **state == State::NotOurFault).count(), 1);
    assert_eq!(states.iter().filter(|state| **state == State::Spam).count(), 1);
    for mut screen in [one, two] {
        screen.type_(b"q");
        screen.end();
    }
    in_order(state.path());
}

#[test]
fn what_a_command_brings_and_decides_appears_in_the_open_screen() {
    let state = state();
    let mut screen = open(state.path(), &[]);
    let total =
        desk(state.path()).cases().unwrap().iter().filter(|case| case.is_queued(bounceback::cli::now())).count();
    let mail = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/files/typo.eml");
    assert!(command(state.path(), &["import", mail.to_str().unwrap()]).status().unwrap().success());
    screen.see(&format!("/{} ", total + 1));
    let case = desk(state.path()).cases().unwrap().last().unwrap().id.0.clone();
    assert!(command(state.path(), &["decide", &case, "done"]).status().unwrap().success());
    screen.see(&format!("left {total}"));
}

#[test]
fn a_decision_that_must_wait_says_so_and_is_saved_then() {
    let state = state();
    let mut screen = open(state.path(), &[]);
    let other = rusqlite::Connection::open(state.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    screen.type_(b"o");
    screen.see("another bounceback is writing");
    other.execute_batch("ROLLBACK").unwrap();
    screen.see("saved: 1 ");
}

#[test]
fn of_many_at_once_none_is_lost() {
    let state = state();
    let cases: Vec<String> = desk(state.path()).cases().unwrap().into_iter().map(|case| case.id.0).take(24).collect();
    let decide =
        |case: &String| command(state.path(), &["decide", case, "done"]).stdout(Stdio::piped()).spawn().unwrap();
    let running: Vec<_> = cases.iter().map(decide).collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stdout.starts_with(b"saved"), "{output:?}");
    }
    let done = desk(state.path()).cases().unwrap().iter().filter(|case| case.state == State::Done).count();
    assert_eq!(done, cases.len());
    in_order(state.path());
}

/// Nobody listens on the discard port: the pull fails, but only after its turn has come.
#[test]
fn a_second_pull_waits_for_its_turn_and_a_killed_one_leaves_no_lock() {
    let state = state();
    let config = state.path().join("config.toml");
    let account =
        "[[account]]\naddress = \"support@company.example\"\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\n";
    fs::write(&config, account).unwrap();
    let before: Vec<_> = names(state.path());
    let pull = || {
        let mut pull = command(state.path(), &["--config", config.to_str().unwrap(), "pull"]);
        pull.env("BOUNCEBACK_PASSWORD", "x").stderr(Stdio::piped()).spawn().unwrap()
    };
    let turn = File::open(state.path()).unwrap();
    turn.lock().unwrap();
    let mut killed = pull();
    let mut lines = BufReader::new(killed.stderr.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "another bounceback is fetching; waiting for it");
    killed.kill().unwrap();
    killed.wait().unwrap();

    let mut waiting = pull();
    let mut lines = BufReader::new(waiting.stderr.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "another bounceback is fetching; waiting for it");
    drop(turn);
    assert!(lines.next().unwrap().unwrap().contains("127.0.0.1"), "its turn came");
    waiting.wait().unwrap();
    let left: Vec<_> =
        names(state.path()).into_iter().filter(|name| !name.contains("-wal") && !name.contains("-shm")).collect();
    assert_eq!(left, before, "no lock file stays");
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
