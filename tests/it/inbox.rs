//! The commands of the first day and of every day against a real Dovecot, with the real binary: `setup`, `sign-in`,
//! `doctor`, `pull`, `status`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use simple_dns::Name;
use simple_dns::rdata::{RData, SRV};

use crate::name_server::{Manner, Server, mx};
use crate::pty::Terminal;
use crate::servers::{Dovecot, PASSWORD, Script, USER, full, seed};
use bounceback::desk::Cancel;
use bounceback::desk::discover::whereabouts;
use bounceback::dns::{Config, Resolver};

/// What a run printed, and its exit code.
struct Ran {
    said: String,
    complained: String,
    code: Option<i32>,
}

/// Runs the program with an empty home; `answers` are lines of its standard input.
fn run(home: &Path, arguments: &[&str], answers: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bounceback"));
    command.args(arguments).env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").current_dir(home);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // a program that asks nothing has closed its end
    let _ = child.stdin.take().unwrap().write_all(answers.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        said: String::from_utf8(output.stdout).unwrap(),
        complained: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}

impl Ran {
    #[track_caller]
    fn is(self, code: i32, words: &[&str]) -> Self {
        let all = format!("{}{}", self.said, self.complained);
        assert_eq!(self.code, Some(code), "{all}");
        for word in words {
            assert!(all.contains(word), "no {word:?} in:\n{all}");
        }
        self
    }
}

fn config_file(home: &Path) -> PathBuf {
    home.join(".config/bounceback/config.toml")
}

/// Flags as they stand in the names of a Maildir's files, and whether Dovecot still calls each of them new.
fn marks(maildir: &Path) -> Vec<String> {
    let mut marks: Vec<String> = ["cur", "new"]
        .iter()
        .flat_map(|sub| fs::read_dir(maildir.join(sub)).unwrap())
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    marks.sort();
    marks
}

fn srv(port: u16) -> RData<'static> {
    RData::SRV(SRV { priority: 0, weight: 1, port, target: Name::new_unchecked("localhost").into_owned() })
}

#[test]
fn setup_finds_the_server_signs_in_and_adds_to_the_configuration() {
    let Some(server) = Dovecot::start() else { return };
    server.seed(USER, 120, &["--bounce-pct", "20", "--light"]);
    seed(&server.maildir(USER).join("Junk"), 10, &["--bounce-pct", "100", "--light"]);
    let before = marks(&server.maildir(USER));
    let names = Server::start(
        &[("_imaps._tcp.company.example", srv(server.tls))],
        &[("imap.company.example", Manner::Servfail)],
    );
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join(".config/bounceback")).unwrap();
    let first = format!("# mine\nown_domains = [\"company.example\"]\nname_servers = [\"{}\"]\n", names.address);
    fs::write(config_file(home.path()), &first).unwrap();
    let ca = server.ca().display().to_string();
    let arguments = ["setup", "support@company.example", "--user", USER, "--ca-file", &ca];

    // a wrong password writes nothing, and says what to do
    run(home.path(), &arguments, "wrong\n").is(1, &["could not log in", "hint: ", "password"]);
    assert_eq!(fs::read_to_string(config_file(home.path())).unwrap(), first);
    // nobody there to answer: wrong usage, with the option that says it
    run(home.path(), &arguments, "").is(2, &["nobody answered: Password", "--password-command"]);
    // the file is added to, and only after a yes
    run(home.path(), &arguments, &format!("{PASSWORD}\nno\n")).is(0, &["Nothing was written", "[[account]]"]);
    assert_eq!(fs::read_to_string(config_file(home.path())).unwrap(), first);
    let found = format!("Found localhost port {}.", server.tls);
    let words = [
        found.as_str(),
        "INBOX: 120 messages; ",
        "Junk: 10 messages; 10 candidates for a bounce among the newest 10",
        "Nothing was marked read: the flags of 130 messages are as before.",
    ];
    run(home.path(), &arguments, &format!("{PASSWORD}\ny\n")).is(0, &words);
    let written = fs::read_to_string(config_file(home.path())).unwrap();
    assert!(written.starts_with(&first) && written.contains("folders = [\"INBOX\", \"Junk\"]"), "{written}");
    // the same account again: refused, and the file stays as it is
    run(home.path(), &arguments, "y\ny\n").is(1, &["is configured already"]);
    assert_eq!(fs::read_to_string(config_file(home.path())).unwrap(), written);
    assert_eq!(marks(&server.maildir(USER)), before, "looking changed nothing");

    // what setup wrote is enough for a pull and a look at it
    let mut pull = Command::new(env!("CARGO_BIN_EXE_bounceback"));
    pull.env_clear().env("HOME", home.path()).env("BOUNCEBACK_PASSWORD", PASSWORD).args(["pull", "--json"]);
    let output = pull.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<serde_json::Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let folders: Vec<&str> =
        lines.iter().filter(|line| line["event"] == "folder").map(|line| line["folder"].as_str().unwrap()).collect();
    assert_eq!(folders, ["INBOX", "Junk"]);
    let last = lines.last().unwrap();
    assert_eq!((last["event"].as_str(), last["messages"].as_u64()), (Some("done"), Some(130)), "{last}");
    assert!(
        lines.iter().any(|line| line["event"] == "progress" && line["new_notices"].as_u64() > Some(0)),
        "{lines:?}"
    );
    let cases = last["new_cases"].as_u64().unwrap();
    run(home.path(), &["status"], "").is(10, &[&format!("{cases} of {cases} undecided: {cases} new, 0 due")]);
    run(home.path(), &["settle", "--before", "2030-01-01"], "").is(0, &["saved: "]);
    run(home.path(), &["status"], "").is(0, &["0 of "]);
    assert_eq!(marks(&server.maildir(USER)), before, "pulling changed nothing");
}

#[test]
fn setup_from_nothing_writes_a_file_for_its_owner_alone() {
    let Some(server) = Dovecot::start() else { return };
    server.seed(USER, 10, &["--light"]);
    let home = tempfile::tempdir().unwrap();
    let (port, ca) = (server.plain.to_string(), server.ca().display().to_string());
    let file = home.path().join("elsewhere/mine.toml");
    let arguments = [
        "setup",
        USER,
        "--host",
        "localhost",
        "--port",
        &port,
        "--tls",
        "starttls",
        "--ca-file",
        &ca,
        "--password-command",
        "printf pass",
        "--yes",
        "--config",
        file.to_str().unwrap(),
    ];
    run(home.path(), &arguments, "").is(0, &["Signed in to localhost", "mine.toml", "Next: bounceback"]);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    run(home.path(), &["config", "check", "--config", file.to_str().unwrap()], "").is(0, &["password by command"]);
    run(home.path(), &["pull", "--config", file.to_str().unwrap()], "").is(0, &["10 mails read"]);
}

#[test]
fn a_sign_in_by_browser_is_kept_renewed_and_missed() {
    // a server that takes tokens by OAUTHBEARER only: the program takes what is offered
    let Some(server) = Dovecot::with("auth_mechanisms = plain oauthbearer") else { return };
    server.seed(USER, 20, &["--bounce-pct", "50", "--light"]);
    let home = tempfile::tempdir().unwrap();
    let (port, ca) = (server.tls.to_string(), server.ca().display().to_string());
    let service = format!("http://127.0.0.1:{}", server.plain + 2);
    let arguments = [
        "setup",
        USER,
        "--host",
        "localhost",
        "--port",
        &port,
        "--ca-file",
        &ca,
        "--oauth",
        "microsoft",
        "--oauth-client-id",
        "00000000-0000-0000-0000-000000000000",
        "--oauth-authority",
        &service,
        "--yes",
    ];
    run(home.path(), &arguments, "").is(0, &["https://example.com/device", "ABCD-EFGH", "INBOX: 20 messages"]);
    let token = config_file(home.path()).with_file_name("user.token");
    assert_eq!(fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
    run(home.path(), &["pull"], "").is(0, &["20 mails read"]);
    // the bounces of this inbox were sent to an alias of it: setup asked whether it is ours
    let known = ["by a code in a browser", "offered             LOGIN OAUTHBEARER PLAIN", "all known as ours"];
    run(home.path(), &["doctor"], "").is(0, &known);
    fs::remove_file(&token).unwrap();
    run(home.path(), &["pull"], "").is(1, &["hint: bounceback sign-in"]);
    run(home.path(), &["sign-in"], "").is(0, &["ABCD-EFGH", "signed in; kept in the token file"]);
    run(home.path(), &["pull"], "").is(0, &["0 mails read"]);
    // a password manager's commands keep it as well, and every renewal goes through them
    let (kept, name) = (home.path().join("kept").display().to_string(), "managed");
    let (fetch, store) = (format!("cat {kept}"), format!("tee {kept}"));
    let managed =
        [&arguments[..], &["--name", name, "--oauth-token-command", &fetch, "--oauth-store-command", &store]].concat();
    run(home.path(), &managed, "").is(0, &["ABCD-EFGH", "INBOX: 20 messages"]);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "r1\n");
    run(home.path(), &["pull", "--account", name], "").is(0, &["20 mails read"]);
    // what others can read counts as known to them
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    run(home.path(), &["pull", "--account", USER], "").is(1, &["chmod 600"]);
}

#[test]
fn doctor_looks_at_everything_and_changes_nothing() {
    let Some(server) = Dovecot::start() else { return };
    server.seed(USER, 60, &["--bounce-pct", "30", "--light"]);
    seed(&server.maildir(USER).join("Junk"), 5, &["--light"]);
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join(".config/bounceback")).unwrap();
    let account = format!(
        "[[account]]\nname = \"support\"\naddress = \"{USER}\"\nhost = \"localhost\"\nport = {}\nca_file = \"{}\"\n\
         password_command = [\"printf\", \"{PASSWORD}\"]\n",
        server.tls,
        server.ca().display()
    );
    fs::write(config_file(home.path()), &account).unwrap();
    let before = marks(&server.maildir(USER));
    let words = [
        "server              localhost at 127.0.0.1:",
        "connection          TLS 1.3; new mail is told at once (IDLE)",
        "issued by \"bounce-test ca\", valid until ",
        "offered             LOGIN OAUTHBEARER PLAIN XOAUTH2",
        "INBOX 60",
        "Junk 5",
        "store               ",
        "terminal            ",
        "\"Junk\" is not read",
        "add \"Junk\" to folders",
        "others: support@acme.example",
        "clock               not behind the server's",
    ];
    let ran = run(home.path(), &["doctor"], "").is(3, &words);
    let end = "flags               nothing was marked read: compared before and after for 60 messages\n";
    assert!(ran.said.ends_with(end), "{}", ran.said);
    assert_eq!(marks(&server.maildir(USER)), before);
    // everything covered: all is well
    let covered = format!("own_domains = [\"acme.example\"]\n{account}folders = [\"INBOX\", \"Junk\"]\n");
    fs::write(config_file(home.path()), covered).unwrap();
    let ran = run(home.path(), &["doctor"], "").is(0, &["\"Junk\" is read too", "all known as ours"]);
    assert!(ran.said.contains("compared before and after for 65 messages"), "{}", ran.said);
    // one inbox that cannot be reached is told beside the one that can
    let two = "[[account]]\naddress = \"two@company.example\"\nhost = \"localhost\"\nport = 1\n";
    let command = "password_command = [\"printf\", \"x\"]\n";
    fs::write(config_file(home.path()), format!("{account}{two}{command}")).unwrap();
    run(home.path(), &["doctor"], "").is(3, &["connection refused", "nothing was marked read"]);
}

#[test]
fn the_domain_tells_who_holds_the_mailbox() {
    let names = Server::start(
        &[
            ("hosted.example", mx(1, "aspmx.l.google.com")),
            ("filtered.example", mx(1, "eu-smtp-inbound-1.mimecast.com")),
            ("own.example", mx(1, "mx.own.example")),
            ("_imaps._tcp.own.example", srv(1993)),
            ("_imap._tcp.own.example", srv(1143)),
        ],
        &[],
    );
    let resolver = Resolver::new(Config { servers: vec![names.address], ..Config::default() });
    let found = |address: &str| {
        let found = whereabouts(address, &resolver, &Cancel::new());
        let places: Vec<String> = found.places.iter().map(|place| format!("{}:{}", place.host, place.port)).collect();
        (found.provider.map(|known| known.id.as_str()), found.gateway.is_some(), places)
    };
    assert_eq!(found("a@gmail.com"), (Some("google"), false, vec!["imap.gmail.com:993".to_owned()]));
    assert_eq!(names.asked("gmail.com"), 0, "the table is enough");
    assert_eq!(found("support@hosted.example"), (Some("google"), false, vec!["imap.gmail.com:993".to_owned()]));
    let (provider, gateway, places) = found("support@filtered.example");
    assert_eq!((provider, gateway), (None, true));
    assert!(!places.iter().any(|place| place.contains("mimecast")), "{places:?}");
    let (provider, _, places) = found("support@own.example");
    assert_eq!(provider, None);
    assert_eq!(
        places,
        [
            "localhost:1993",
            "localhost:1143",
            "imap.own.example:993",
            "mail.own.example:993",
            "own.example:993",
            "imap.own.example:143",
            "mail.own.example:143",
            "mx.own.example:993"
        ]
    );
    let offline = whereabouts("support@own.example", &Resolver::offline(), &Cancel::new());
    assert_eq!(offline.places.first().map(|place| place.host.as_str()), Some("imap.own.example"));
}

/// A configuration for a server without TLS on this machine.
fn configure(home: &Path, host_port: u16, user: &str, more: &str) {
    fs::create_dir_all(home.join(".config/bounceback")).unwrap();
    let text = format!(
        "own_domains = [\"acme.example\"]\n[[account]]\nname = \"support\"\naddress = \"support@acme.example\"\n\
         host = \"localhost\"\nport = {host_port}\ntls = \"none\"\nuser = \"{user}\"\n{more}"
    );
    fs::write(config_file(home), text).unwrap();
}

#[test]
fn requirement_08_a_server_that_yields_nothing_ends_the_command_in_time() {
    if !full() {
        return crate::skip::skip("a silent server takes the program a minute (tests/run --full)");
    }
    std::thread::scope(|scope| {
        for scenario in ["slow", "slow-drip", "hang-examine", "drip-fetch", "throttle-always", "endless-untagged"] {
            scope.spawn(move || {
                let server = Script::start("evil-imap", &["0", scenario, "--watch"]);
                let home = tempfile::tempdir().unwrap();
                configure(home.path(), server.port, USER, "password_command = [\"printf\", \"pass\"]\n");
                let start = std::time::Instant::now();
                run(home.path(), &["pull"], "").is(1, &["error: ", "hint: "]);
                let took = start.elapsed();
                println!("| {scenario} | exit 1 after {:.1} s |", took.as_secs_f64());
                assert!(took < std::time::Duration::from_secs(60), "{scenario}: {took:?}");
            });
        }
    });
}

#[test]
fn requirement_10_decisions_outlive_new_numbers() {
    let Some(server) = Dovecot::start() else { return };
    server.seed(USER, 30, &["--bounce-pct", "50", "--light"]);
    let home = tempfile::tempdir().unwrap();
    configure(home.path(), server.plain, USER, "password_command = [\"printf\", \"pass\"]\n");
    run(home.path(), &["pull"], "").is(0, &["30 mails read"]);
    let list = || run(home.path(), &["list", "--no-heading"], "").said;
    let case = list().split('\t').next().unwrap().to_owned();
    run(home.path(), &["decide", &case, "corrected", "--to", "anna@example.org"], "").is(0, &["saved"]);
    let before = list();
    server.renumber(USER);
    run(home.path(), &["pull"], "").is(0, &["30 mails read: 0 new notices", "0 new cases"]);
    assert_eq!(list(), before);
    assert!(before.contains("\tcorrected\t"), "{before}");
    run(home.path(), &["pull"], "").is(0, &["0 mails read"]);
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn requirement_13_the_password_lies_nowhere() {
    let Some(server) = Dovecot::start() else { return };
    let canary = "C4naryW0rd";
    let users = server.dir.path().join("users");
    let known = fs::read_to_string(&users).unwrap();
    fs::write(&users, format!("{known}canary@example.com:{{PLAIN}}{canary}::::::\n")).unwrap();
    seed(&server.maildir("canary@example.com"), 20, &["--bounce-pct", "50", "--light"]);
    let echo = Script::start("evil-imap", &["0", "echo", "--watch"]);
    for (port, code) in [(server.plain, 0), (echo.port, 1)] {
        let home = tempfile::tempdir().unwrap();
        configure(home.path(), port, "canary@example.com", "");
        let mut command = Command::new(env!("CARGO_BIN_EXE_bounceback"));
        command.env_clear().env("HOME", home.path()).env("BOUNCEBACK_PASSWORD", canary).env("RUST_BACKTRACE", "1");
        command.args(["pull", "--json", "--log"]).arg(home.path().join("log"));
        let output = command.output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{said}");
        let left = files(home.path());
        assert!(left.iter().any(|path| path.ends_with("log")), "{left:?}");
        // plain, and in the base64 of SASL PLAIN
        for trace in [canary, "QzRuYXJ5", "Rh0NG5hcnl", "M0bmFyeV"] {
            assert!(!said.contains(trace), "{said}");
            for path in &left {
                let bytes = fs::read(path).unwrap();
                assert!(!String::from_utf8_lossy(&bytes).contains(trace), "{}", path.display());
            }
        }
    }
}

#[test]
fn requirement_15_offline_shows_what_is_known_and_opens_no_connection() {
    let Some(server) = Dovecot::start() else { return };
    server.seed(USER, 20, &["--bounce-pct", "100", "--light"]);
    let home = tempfile::tempdir().unwrap();
    let command = "password_command = [\"printf\", \"pass\"]\n";
    configure(home.path(), server.plain, USER, command);
    run(home.path(), &["pull"], "").is(0, &["20 new cases"]);
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    configure(home.path(), listener.local_addr().unwrap().port(), USER, command);
    let listed = run(home.path(), &["--offline", "list", "--no-heading"], "").is(0, &["\tnew\t"]).said;
    assert_eq!(listed.lines().count(), 20);
    run(home.path(), &["--offline", "status"], "").is(10, &["20 of 20 undecided"]);
    run(home.path(), &["--offline", "doctor"], "").is(0, &["in order: "]);
    run(home.path(), &["--offline", "pull"], "").is(2, &["--offline forbids it"]);
    run(home.path(), &["--offline", "setup", "a@company.example"], "").is(2, &["--offline forbids it"]);
    let config = config_file(home.path()).display().to_string();
    let state = home.path().join(".local/state/bounceback").display().to_string();
    let mut terminal = Terminal::run(&["--offline", "--config", &config, "--state-dir", &state], &[]);
    terminal.see("left 20");
    terminal.type_(b"q");
    assert_eq!(terminal.end(), 0);
    assert!(listener.accept().is_err(), "somebody connected");
}

/// Nothing is cut off without a word, and what is old goes in one act that can be taken back.
#[test]
fn a_first_day_with_thousands_of_old_bounces() {
    let Some(server) = Dovecot::start() else { return };
    let count = if full() { 4_000 } else { 300 };
    let truth = server.seed(USER, count, &["--bounce-pct", "100", "--light"]);
    let home = tempfile::tempdir().unwrap();
    configure(home.path(), server.plain, USER, "password_command = [\"printf\", \"pass\"]\n");
    run(home.path(), &["pull"], "").is(0, &[&format!("{count} mails read: {count} new notices"), "new cases"]);
    assert_eq!(truth.len(), count as usize);
    let all = format!("{count} of {count} undecided: {count} new");
    run(home.path(), &["status"], "").is(10, &[&all]);
    // `seed` dates message n at n minutes after 2023-11-14T22:13:20Z: the first 106 arrive on the 14th
    run(home.path(), &["settle", "--before", "2023-11-15", "--dry-run"], "").is(0, &["107 undecided cases older"]);
    run(home.path(), &["settle", "--before", "2023-11-15"], "").is(0, &["saved: 107 undecided cases older"]);
    let left = count - 107;
    run(home.path(), &["status"], "").is(10, &[&format!("{left} of {count} undecided")]);
    run(home.path(), &["undo"], "").is(0, &["\"done\" on 107 cases is taken back"]);
    run(home.path(), &["status"], "").is(10, &[&all]);
}
