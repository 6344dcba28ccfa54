//! Several accounts in one pull, by the real binary: one that fails costs the others nothing, and is said.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::servers::{Dovecot, PASSWORD, Script};

fn run(home: &Path, arguments: &[&str]) -> (Output, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bounceback"));
    command.args(arguments).env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").env("LOGNAME", "tester");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

/// A configuration with these accounts: name, user, port, password, and more lines.
fn configure(home: &Path, accounts: &[(&str, &str, u16, &str, &str)]) {
    let folder = home.join(".config/bounceback");
    std::fs::create_dir_all(&folder).unwrap();
    let mut text = "own_domains = [\"acme.example\"]\n".to_owned();
    for (name, user, port, password, more) in accounts {
        write!(
            text,
            "[[account]]\nname = \"{name}\"\naddress = \"{name}@acme.example\"\nhost = \"localhost\"\nport = {port}\n\
             tls = \"none\"\nuser = \"{user}\"\npassword_command = [\"printf\", \"{password}\"]\n{more}\n"
        )
        .unwrap();
    }
    std::fs::write(folder.join("config.toml"), text).unwrap();
}

fn waiting(home: &Path) -> serde_json::Value {
    let (output, out, err) = run(home, &["status", "--json"]);
    assert_eq!(output.status.code(), Some(10), "{out}{err}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn an_account_that_fails_costs_the_others_nothing() {
    let (Some(first), Some(second)) = (Dovecot::start(), Dovecot::start()) else { return };
    let bounces = |server: &Dovecot, user: &str, seed: &str| {
        let truth = server.seed(user, 60, &["--light", "--bounce-pct", "30", "--seed", seed, "--start", seed]);
        truth.values().filter(|kind| kind.as_str().unwrap().starts_with("bounce")).count() as u64
    };
    let (here, there) = (bounces(&first, "one@example.com", "1000"), bounces(&second, "two@example.com", "5000"));
    assert!(here > 5 && there > 5);
    let home = tempfile::tempdir().unwrap();
    let nobody = Script::free_port();
    configure(
        home.path(),
        &[
            ("down", "user@example.com", nobody, PASSWORD, ""),
            ("one", "one@example.com", first.plain, PASSWORD, ""),
            ("locked", "user@example.com", first.plain, "wrong", ""),
            ("two", "two@example.com", second.plain, PASSWORD, "folders = [\"INBOX\", \"Junkk\"]"),
        ],
    );
    let (output, out, err) = run(home.path(), &["pull"]);
    assert_eq!(output.status.code(), Some(3), "{out}{err}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2, "{out}");
    assert!(lines[0].starts_with("one: 60 mails read: "), "{out}");
    assert!(lines[0].ends_with(&format!("{here} new cases")), "{here}: {out}");
    assert!(lines[1].starts_with("two: 60 mails read: "), "{out}");
    assert!(lines[1].ends_with(&format!("{there} new cases")), "{there}: {out}");
    assert!(err.contains(&format!("could not connect to \"localhost\" port {nobody}")), "{err}");
    assert!(err.contains("could not log in to \"localhost\" as \"user@example.com\""), "{err}");
    assert!(err.contains("could not read folder \"Junkk\" of \"two\""), "{err}");
    assert!(err.contains("hint: set `folders`; the server has \"INBOX\""), "{err}");

    let all = waiting(home.path());
    assert_eq!((all["undecided"].as_u64(), all["new"].as_u64()), (Some(here + there), Some(here + there)));
    let (_, out, _) = run(home.path(), &["status"]);
    let both = here + there;
    assert_eq!(out, format!("{both} of {both} undecided: {both} new, 0 due, 0 bounced again\n"));

    // nothing is read twice, and a script sees which one failed
    let (output, out, err) = run(home.path(), &["pull", "--json"]);
    assert_eq!(output.status.code(), Some(3), "{out}{err}");
    let events: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named = |event: &str| {
        let events = events.iter().filter(|line| line["event"] == event);
        events.map(|line| line["account"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(named("failed"), ["down", "locked"]);
    assert_eq!(named("done"), ["one", "two"]);
    assert_eq!(named("skipped"), ["two"]);
    assert!(events.iter().filter(|line| line["event"] == "done").all(|line| line["new_notices"] == 0));
    assert_eq!(waiting(home.path()), all);

    // one by name; the failing one alone fails whole
    let (output, out, _) = run(home.path(), &["pull", "--account", "one"]);
    assert_eq!((output.status.code(), out.lines().count()), (Some(0), 1));
    let (output, out, err) = run(home.path(), &["pull", "--account", "down"]);
    assert_eq!((output.status.code(), out.as_str()), (Some(1), ""), "{err}");

    // when none can be pulled that is said, and what was fetched stays
    configure(
        home.path(),
        &[("down", "user@example.com", nobody, PASSWORD, ""), ("locked", "user@example.com", first.plain, "wrong", "")],
    );
    let (output, _, err) = run(home.path(), &["pull"]);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("none of the accounts could be pulled"), "{err}");
    assert_eq!(waiting(home.path()), all);
}
