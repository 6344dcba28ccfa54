//! What a pull by the real binary costs: bytes, round trips, memory, time; beside mbsync on the same line where it is
//! installed. `tests/measure imap` prints the table with the sizes of the requirements; the short form guards bytes,
//! round trips and memory. Time is printed and never asserted: machines differ.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bounceback::source::imap::{Options, Tls};

use crate::intake::{Child, options, password};
use crate::proxy::{Line, Proxy};
use crate::servers::{Dovecot, PASSWORD, full, installed};

/// One run through the proxy.
#[derive(Debug, Default)]
struct Cost {
    /// Bounces, receipts and answers that came into the store.
    notices: u64,
    cases: u64,
    first: Option<Duration>,
    whole: Duration,
    down: u64,
    turns: u64,
    /// Largest resident size, MiB.
    peak: f64,
}

/// `bounceback pull` with this home, through the line.
fn pull(target: u16, user: &str, home: &Path, line: Line) -> Cost {
    let proxy = Proxy::to(target, line);
    let config = home.join("config.toml");
    let text = format!(
        "[[account]]\naddress = \"{user}\"\nhost = \"localhost\"\nport = {}\ntls = \"none\"\n\
         password_command = [\"printf\", \"{PASSWORD}\"]\n",
        proxy.port
    );
    std::fs::write(&config, text).unwrap();
    // `tests/measure` names the build to measure
    let binary = std::env::var("BOUNCEBACK_MEASURED");
    let mut command = Command::new(binary.as_deref().unwrap_or(env!("CARGO_BIN_EXE_bounceback")));
    command.env_clear().env("PATH", "/usr/bin:/bin").args(["pull", "--json", "--config"]).arg(&config);
    command.arg("--state-dir").arg(home.join("state"));
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut cost = Cost::default();
    for said in BufReader::new(child.stdout.take().unwrap()).lines() {
        let said: serde_json::Value = serde_json::from_str(&said.unwrap()).unwrap();
        if said["new_notices"].as_u64() > Some(0) {
            cost.first.get_or_insert(start.elapsed());
        }
        if said["event"] == "done" {
            cost.whole = start.elapsed();
            (cost.notices, cost.cases) = (said["new_notices"].as_u64().unwrap(), said["new_cases"].as_u64().unwrap());
        }
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|text| text.split_whitespace().next()).and_then(|number| number.parse::<f64>().ok());
        cost.peak = cost.peak.max(kib.unwrap_or_default() / 1024.0);
    }
    assert!(child.wait().unwrap().success());
    (cost.down, cost.turns) = (proxy.down(), proxy.turns());
    cost
}

const DELAYED: Line = Line { round_trip: Duration::from_millis(50), megabits: 0, cut: None, cut_all: false };
const NARROW: Line = Line { megabits: 50, ..DELAYED };

/// mbsync's copy of the same box through the same line: bytes and time.
fn mbsync(target: u16, user: &str, line: Line) -> Option<(u64, Duration)> {
    if !installed("mbsync") {
        crate::skip::skip("no mbsync to compare with (Debian package isync)");
        return None;
    }
    let proxy = Proxy::to(target, line);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().display();
    let config = format!(
        "FSync no\nIMAPAccount a\nHost 127.0.0.1\nPort {}\nUser {user}\nPass {PASSWORD}\nSSLType None\nAuthMechs LOGIN\n\n\
         IMAPStore far\nAccount a\n\nMaildirStore near\nPath {path}/mail/\nInbox {path}/inbox\n\n\
         Channel c\nFar :far:INBOX\nNear :near:INBOX\nCreate Near\nSync Pull\nSyncState *\n",
        proxy.port
    );
    std::fs::create_dir(dir.path().join("mail")).unwrap();
    let file = dir.path().join("mbsyncrc");
    std::fs::write(&file, config).unwrap();
    let start = Instant::now();
    let output =
        Command::new("mbsync").arg("-q").arg("-c").arg(&file).arg("c").env("HOME", dir.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some((proxy.down(), start.elapsed()))
}

/// A line of the table: what, as measured, as required.
fn row(what: &str, measured: &str, required: &str) {
    println!("| {what} | {measured} | {required} |");
}

fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

#[test]
fn requirement_02_03_bytes_round_trips_and_time() {
    let Some(server) = Dovecot::start() else { return };
    let user = "big@example.com";
    let count = if full() { 10_000 } else { 1_000 };
    println!("... filling an inbox with {count} messages");
    let truth = server.seed(user, count, &[]);
    let bounces = truth.values().filter(|kind| kind.as_str().unwrap().starts_with("bounce")).count() as u64;
    let home = || tempfile::tempdir().unwrap();
    println!("| {count} messages, {bounces} bounces, 50 ms there and back | measured | required |\n|---|---|---|");
    // the server's own index is warm afterwards, for both programs alike
    pull(server.plain, user, home().path(), Line::default());
    let kept = home();
    let first = pull(server.plain, user, kept.path(), DELAYED);
    row("bounces found", &format!("{} of {bounces}", first.cases), "all, and no decoy");
    row("bytes received", &megabytes(first.down), "12 MB");
    row("round trips", &first.turns.to_string(), "20");
    row("first rows after", &first.first.map_or("-".to_owned(), seconds), "1 s");
    row("all bounces after", &seconds(first.whole), "2.5 s");
    row("largest resident size", &format!("{:.1} MB", first.peak), "-");
    let again = pull(server.plain, user, kept.path(), DELAYED);
    row("second pull, nothing new", &format!("{} bytes, {} round trips", again.down, again.turns), "2000 bytes, 4");
    let narrow = pull(server.plain, user, home().path(), NARROW);
    row("all bounces at 50 Mbit/s", &seconds(narrow.whole), "4 s");
    assert_eq!(first.cases, bounces);
    assert_eq!((again.notices, again.cases), (0, 0));
    assert!(again.down <= 2_000 && again.turns <= 4, "{again:?}");
    assert!(first.down <= u64::from(count) * 1_200, "{} bytes", first.down);
    assert!(first.turns <= 20, "{} turns", first.turns);
    if !full() {
        return;
    }
    for (what, line, ours) in [("", DELAYED, &first), (" at 50 Mbit/s", NARROW, &narrow)] {
        let Some((bytes, time)) = mbsync(server.plain, user, line) else { return };
        let (less, faster) = (bytes / ours.down, time.as_secs_f64() / ours.whole.as_secs_f64());
        row(&format!("mbsync{what}, bytes"), &format!("{}: {less} times ours", megabytes(bytes)), "40 times ours");
        row(&format!("mbsync{what}, FSync no"), &format!("{}: {faster:.1} times ours", seconds(time)), "-");
        assert!(ours.down * 40 <= bytes, "1/{less}");
    }
}

#[test]
fn requirement_04_memory_stays_small() {
    let Some(server) = Dovecot::start() else { return };
    let user = "many@example.com";
    let count = if full() { 100_000 } else { 3_000 };
    println!("... filling an inbox with {count} messages");
    let truth = server.seed(user, count, &["--light"]);
    let bounces = truth.values().filter(|kind| kind.as_str().unwrap().starts_with("bounce")).count() as u64;
    let line = if full() { DELAYED } else { Line::default() };
    println!("| {count} messages, {bounces} bounces, 50 ms there and back | measured | required |\n|---|---|---|");
    // the first one finds no index at the server; for the comparison both find one, as with fewer messages
    if full() {
        let cold = pull(server.plain, user, tempfile::tempdir().unwrap().path(), line);
        row("all bounces, the server without an index", &seconds(cold.whole), "-");
    }
    // in turns, because a busy machine is not as busy all the time
    for _ in 0..if full() { 3 } else { 1 } {
        let cost = pull(server.plain, user, tempfile::tempdir().unwrap().path(), line);
        row("bounces found", &format!("{} of {bounces}", cost.cases), "all, and no decoy");
        row("largest resident size", &format!("{:.1} MB", cost.peak), "60 MB");
        assert_eq!(cost.cases, bounces);
        assert!(cost.peak <= 60.0, "{cost:?}");
        if !full() {
            return;
        }
        row("bytes received, round trips", &format!("{}, {}", megabytes(cost.down), cost.turns), "-");
        row("all bounces after", &seconds(cost.whole), "-");
        let Some((_, time)) = mbsync(server.plain, user, DELAYED) else { continue };
        let times = time.as_secs_f64() / cost.whole.as_secs_f64();
        row("mbsync, FSync no", &format!("{}: {times:.1} times ours", seconds(time)), "3 times ours");
    }
}

fn plain(server: &Dovecot, user: &str) -> Options {
    let mut options = options(server, Tls::None, password());
    options.user = user.to_owned();
    options
}

/// One message of two gigabytes among the others costs its header and its beginning.
#[test]
fn requirement_04_a_huge_message_costs_nothing() {
    let Some(server) = Dovecot::start() else { return };
    server.seed("huge@example.com", 20, &["--bounce-pct", "100", "--light"]);
    let base = plain(&server, "huge@example.com");
    let small = Child::pull(&base);
    assert_eq!(small.places.len(), 20);
    // its size is in its name, so the server need not read it; the file itself has a hole
    let size = 2_u64 << 30;
    let head =
        "From: MAILER-DAEMON@x.example\nSubject: Undelivered Mail\nMessage-ID: <huge@x.example>\n\nThe mail system\n";
    let path = server.maildir("huge@example.com").join(format!("cur/1800000000.M1.huge,S={size},W={size}:2,"));
    std::fs::write(&path, head).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(size).unwrap();
    let child = Child::pull(&base);
    assert_eq!((child.places.len(), child.unreadable), (21, 0), "{child:?}");
    assert!(child.peak_kib <= small.peak_kib + 1024, "{} KiB instead of {}", child.peak_kib, small.peak_kib);
}
