//! The store through the years: every released schema opens, copies are whole, damage is told and what can be is saved.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use bounceback::model::{State, Timestamp, Verdict};
use bounceback::store::{FILE, Store};
use rusqlite::Connection;

use crate::golden;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(state: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bounceback"));
    command.env_clear().env("HOME", state).env("LOGNAME", "tester").env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command.current_dir(root()).arg("--state-dir").arg(state).args(arguments).output().unwrap()
}

fn said(state: &Path, arguments: &[&str]) -> String {
    let output = run(state, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A day's work with the real binary: mails, decisions, notes, something taken back.
fn work(state: &Path) {
    // Relative to the folder of the run: the place of a mail is stored.
    let mails = ["001-typo-gmial.eml", "002-gmail-mailbox-full.eml", "010-typo-hotmial-nxdomain.eml"];
    let mails = mails.map(|name| format!("assets/demo/{name}"));
    said(state, &["import", &mails[0], &mails[1], &mails[2]]);
    let cases: Vec<String> = said(state, &["list", "--no-heading"])
        .lines()
        .map(|line| line.split('\t').next().unwrap().to_owned())
        .collect();
    assert!(cases.len() >= 3, "{cases:?}");
    said(state, &["decide", &cases[0], "corrected", "--to", "anna@example.org", "--note", "by phone"]);
    said(state, &["decide", &cases[1], "retry"]);
    said(state, &["decide", &cases[2], "done", "--note", "gone"]);
}

/// Everything in a store as SQL.
fn dump(db: &Connection) -> String {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let list = |sql: &str| -> Vec<String> {
        db.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let mut text = String::new();
    for sql in
        list("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY type DESC, name")
    {
        text.push_str(&format!("{sql};\n"));
    }
    for table in list("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name") {
        let columns = list(&format!("SELECT name FROM pragma_table_info('{table}')"));
        let quoted: Vec<String> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
        for row in list(&format!("SELECT {} FROM {table}", quoted.join(" || ', ' || "))) {
            text.push_str(&format!("INSERT INTO {table} VALUES ({row});\n"));
        }
    }
    text.push_str(&format!("PRAGMA user_version = {version};\n"));
    text
}

/// The schema alone, without the words of its comments.
fn schema(db: &Connection) -> Vec<String> {
    let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY name";
    let mut query = db.prepare(sql).unwrap();
    query.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect()
}

fn fresh() -> (tempfile::TempDir, Connection) {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    let db = Connection::open(dir.path().join(FILE)).unwrap();
    (dir, db)
}

/// `UPDATE_EXPECT=1` makes the store of a new version with the real binary; those that exist are never made anew.
#[test]
fn stores_of_every_version_open_with_everything_that_was_decided() {
    let folder = root().join("tests/stores");
    let (_dir, newest) = fresh();
    let version: usize = newest.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let present = folder.join(format!("{version}.sql"));
    if !present.exists() && std::env::var_os("UPDATE_EXPECT").is_some() {
        let state = tempfile::tempdir().unwrap();
        work(state.path());
        fs::write(&present, dump(&Connection::open(state.path().join(FILE)).unwrap())).unwrap();
    }
    for old in 1..=version {
        let text = fs::read_to_string(folder.join(format!("{old}.sql")))
            .unwrap_or_else(|_| panic!("no tests/stores/{old}.sql: UPDATE_EXPECT=1 cargo test store_care"));
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join(FILE);
        Connection::open(&path).unwrap().execute_batch(&text).unwrap();
        let store = Store::open(state.path()).unwrap();
        let states: Vec<State> = store.cases().unwrap().iter().map(|case| case.state).collect();
        assert_eq!(states, [State::Corrected, State::Retry, State::Done], "schema {old}");
        let first = &store.cases().unwrap()[0];
        assert_eq!(first.corrected_to.as_deref(), Some("anna@example.org"));
        assert_eq!(store.notes(&first.id).unwrap()[0].text, "by phone");
        assert!(!store.notices(&first.id).unwrap().is_empty());
        drop(store);
        let health = Store::check(state.path()).unwrap();
        assert!(health.faults.is_empty() && health.schema == version, "schema {old}: {health:?}");
        assert_eq!(
            schema(&Connection::open(&path).unwrap()),
            schema(&newest),
            "schema {old} was brought to another place"
        );
        let copy = state.path().join(format!("{FILE}.schema-{old}"));
        assert_eq!(copy.exists(), old < version, "schema {old}: the copy");
        if old < version {
            // A copy lists its tables before its indexes.
            let sorted = |db: &Connection| {
                let text = dump(db);
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                lines.sort();
                lines
            };
            let before = Connection::open_in_memory().unwrap();
            before.execute_batch(&text).unwrap();
            assert!(sorted(&Connection::open(&copy).unwrap()) == sorted(&before), "schema {old}: the copy differs");
        }
    }
}

/// The whole schema on one page; the files of the steps say how it came to be.
#[test]
fn the_schema_is_the_one_on_the_page() {
    let (_dir, db) = fresh();
    golden::check(&root().join("tests/stores/schema.txt"), &format!("{};\n", schema(&db).join(";\n"))).unwrap();
}

#[test]
fn a_backup_is_whole_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let (state, copy) = (dir.path().join("state"), dir.path().join("copy.sqlite3"));
    let copy_name = copy.to_str().unwrap();
    work(&state);
    let before = said(&state, &["list", "--no-heading"]);
    // The screen may be open meanwhile.
    let open = Store::open(&state).unwrap();
    said(&state, &["store", "backup", copy_name]);
    let again = run(&state, &["store", "backup", copy_name]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("--force replaces it"), "{again:?}");
    said(&state, &["store", "backup", "--force", copy_name]);
    let case = before.split('\t').next().unwrap();
    said(&state, &["decide", case, "spam"]);
    let after = said(&state, &["list", "--no-heading"]);
    assert_ne!(before, after);

    let refused = run(&state, &["store", "restore", copy_name]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another bounceback has it open"), "{refused:?}");
    assert_eq!(said(&state, &["list", "--no-heading"]), after);
    drop(open);
    let restored = said(&state, &["store", "restore", copy_name]);
    assert!(restored.starts_with("restored: 3 mails, 3 cases, 3 decisions, 2 notes"), "{restored}");
    assert_eq!(said(&state, &["list", "--no-heading"]), before);
    // What was replaced is still there, and can be brought back as well.
    let aside = restored.lines().find_map(|line| line.strip_prefix("what was there before: ")).unwrap();
    said(&state, &["store", "restore", aside]);
    assert_eq!(said(&state, &["list", "--no-heading"]), after);

    // A copy that is not in order is refused.
    let half = dir.path().join("half.sqlite3");
    let bytes = fs::read(&copy).unwrap();
    fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(run(&state, &["store", "restore", half.to_str().unwrap()]).status.code(), Some(1));
    assert_eq!(said(&state, &["list", "--no-heading"]), after);
}

#[test]
fn a_removed_file_is_told_and_its_log_is_not_thrown_away() {
    let dir = tempfile::tempdir().unwrap();
    work(dir.path());
    let path = dir.path().join(FILE);
    let mut open = Store::open(dir.path()).unwrap();
    let case = open.cases().unwrap()[0].id.clone();
    open.decide(&[(case.clone(), Verdict::Spam)], None, Timestamp(1), "x").unwrap();
    fs::rename(&path, dir.path().join("elsewhere")).unwrap();
    let error = open.decide(&[(case.clone(), Verdict::Done)], None, Timestamp(2), "x").unwrap_err();
    assert!(error.to_string().contains("was removed or replaced while it was open; nothing can be saved"), "{error}");
    assert!(open.in_place().is_err(), "a screen that only looks must hear of it, too");
    // Another one that starts now must not make an empty store and drop the log.
    let other = run(dir.path(), &["list", "--no-heading"]);
    assert!(String::from_utf8_lossy(&other.stderr).contains("its log is still there"), "{other:?}");
    assert_eq!(run(dir.path(), &["decide", &case.0, "done"]).status.code(), Some(1));
    assert!(!path.exists());
    fs::rename(dir.path().join("elsewhere"), &path).unwrap();
    assert_eq!(open.case(&case).unwrap().unwrap().state, State::Spam);
    open.decide(&[(case, Verdict::Done)], None, Timestamp(3), "x").unwrap();
}

/// Overwrites single pages of a store: each time `check` says so, nothing is made anew, and salvage keeps what it can.
#[test]
fn damage_is_told_and_what_can_be_read_is_saved() {
    let whole = tempfile::tempdir().unwrap();
    let demo = root().join("assets/demo");
    said(whole.path(), &["import", demo.to_str().unwrap()]);
    let cases: Vec<String> = said(whole.path(), &["list", "--no-heading"])
        .lines()
        .map(|line| line.split('\t').next().unwrap().to_owned())
        .collect();
    let mut store = Store::open(whole.path()).unwrap();
    for case in &cases {
        let id = bounceback::model::CaseId(case.clone());
        store.decide(&[(id, Verdict::Done)], Some("note"), Timestamp(1), "x").unwrap();
    }
    drop(store);
    let bytes = fs::read(whole.path().join(FILE)).unwrap();
    let pages = bytes.len() / 4096;
    let (mut told, mut salvaged, mut decisions, mut hopeless) = (0, 0, 0, 0);
    let step = if std::env::var_os("BOUNCEBACK_FULL_TESTS").is_some() { 1 } else { 9 };
    for page in (0..pages).step_by(step) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        fs::write(&path, &bytes).unwrap();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&[0xA5; 4096], (page * 4096) as u64).unwrap();
        drop(file);
        let damaged = fs::read(&path).unwrap();
        let check = run(dir.path(), &["store", "check"]);
        if check.status.success() {
            continue; // the page held nothing that counts, such as a part of a mail
        }
        told += 1;
        assert_eq!(fs::read(&path).unwrap(), damaged, "check changed the store (page {page})");
        let rescue = run(dir.path(), &["store", "restore", "--salvage"]);
        if !rescue.status.success() {
            assert_eq!(fs::read(&path).unwrap(), damaged, "a failed rescue changed the store (page {page})");
            hopeless += 1;
            continue;
        }
        salvaged += 1;
        let health = said(dir.path(), &["store", "check"]);
        decisions += health.split(" decisions").next().unwrap().rsplit(' ').next().unwrap().parse::<usize>().unwrap();
        // What is missing comes back from the mails, with what is left of the journal applied to it.
        said(dir.path(), &["import", demo.to_str().unwrap()]);
        let list = said(dir.path(), &["list", "--no-heading"]);
        assert_eq!(list.lines().count(), cases.len(), "page {page}");
        assert!(said(dir.path(), &["store", "check"]).starts_with("in order"), "page {page}");
    }
    let kept = decisions as f64 / (salvaged * cases.len()) as f64;
    println!(
        "{pages} pages: {told} told, {salvaged} salvaged, {hopeless} hopeless, {:.1} % of decisions kept",
        kept * 100.0
    );
    assert!(told > pages / step / 3 && hopeless <= 3 && kept > 0.95, "{told} of {pages}, {hopeless} hopeless, {kept}");
}
