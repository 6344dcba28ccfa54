//! What a pull costs: bytes, round trips, time, memory; beside mbsync on the same line where it is installed.
//!
//! `tests/run --full` prints the table with the sizes of the requirements; the short form guards the shape.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::process::Command;
use std::time::{Duration, Instant};

use bounceback::source::Cancel;
use bounceback::source::imap::{Cursor, Event, Options, Tls, pull};

use crate::intake::{Child, options, password, scan};
use crate::proxy::{Line, Proxy};
use crate::servers::{Dovecot, PASSWORD, full, installed};

/// One run through the proxy.
#[derive(Debug, Default)]
struct Cost {
    mails: u64,
    first: Option<Duration>,
    whole: Duration,
    down: u64,
    turns: u64,
    cursors: BTreeMap<String, Cursor>,
}

fn measure(base: &Options, target: u16, line: Line, cursors: &BTreeMap<String, Cursor>) -> Cost {
    let proxy = Proxy::to(target, line);
    let mut options = base.clone();
    options.port = proxy.port;
    let mut cost = Cost { cursors: cursors.clone(), ..Cost::default() };
    let start = Instant::now();
    let outcome = pull(&options, cursors, scan(), &Cancel::new(), &mut |event| {
        match event {
            Event::Mail(_) => cost.mails += 1,
            Event::Batch { folder, cursor } => {
                // rows are on the screen once a batch with mail is committed
                if cost.mails > 0 {
                    cost.first.get_or_insert(start.elapsed());
                }
                cost.cursors.insert(folder, cursor);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    outcome.unwrap();
    cost.whole = start.elapsed();
    (cost.down, cost.turns) = (proxy.down(), proxy.turns());
    cost
}

fn plain(server: &Dovecot, user: &str) -> Options {
    let mut options = options(server, Tls::None, password());
    options.user = user.to_owned();
    options
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

fn print(what: &str, cost: &Cost) {
    let first = cost.first.map_or("-".to_owned(), |first| format!("{:.2} s", first.as_secs_f64()));
    let (down, whole) = (cost.down as f64 / 1e6, cost.whole.as_secs_f64());
    println!("| {what} | {} | {down:.3} MB | {} | {first} | {whole:.2} s |", cost.mails, cost.turns);
}

#[test]
fn requirement_02_03_bytes_round_trips_and_time() {
    let Some(server) = Dovecot::start() else { return };
    let count = if full() { 10_000 } else { 1_000 };
    let truth = server.seed("big@example.com", count, &[]);
    let bounces = truth.values().filter(|kind| kind.as_str().unwrap().starts_with("bounce")).count() as u64;
    let base = plain(&server, "big@example.com");
    // the server's own index is warm afterwards, for both programs alike
    measure(&base, server.plain, Line::default(), &BTreeMap::new());
    println!("| {count} messages, {bounces} bounces | handed over | down | round trips | first rows | all |");
    let first = measure(&base, server.plain, DELAYED, &BTreeMap::new());
    print("first pull, 50 ms", &first);
    let again = measure(&base, server.plain, DELAYED, &first.cursors);
    print("second pull, 50 ms", &again);
    let narrow = measure(&base, server.plain, NARROW, &BTreeMap::new());
    print("first pull, 50 ms, 50 Mbit/s", &narrow);
    assert!(first.mails >= bounces);
    assert_eq!(again.mails, 0);
    assert!(again.down <= 2_000 && again.turns <= 4, "{again:?}");
    assert!(first.down <= u64::from(count) * 1_200, "{} bytes", first.down);
    assert!(first.turns <= 20, "{} turns", first.turns);
    if !full() {
        return;
    }
    assert!(first.first.unwrap() <= Duration::from_secs(1), "{:?}", first.first);
    assert!(first.whole <= Duration::from_millis(2500), "{:?}", first.whole);
    assert!(narrow.whole <= Duration::from_secs(4), "{:?}", narrow.whole);
    if let Some((bytes, time)) = mbsync(server.plain, "big@example.com", DELAYED) {
        println!(
            "| mbsync (FSync no), 50 ms | {count} | {:.3} MB | | | {:.2} s |",
            bytes as f64 / 1e6,
            time.as_secs_f64()
        );
        assert!(first.down * 40 <= bytes, "1/{}", bytes / first.down);
    }
    if let Some((bytes, time)) = mbsync(server.plain, "big@example.com", NARROW) {
        println!(
            "| mbsync (FSync no), 50 ms, 50 Mbit/s | {count} | {:.3} MB | | | {:.2} s |",
            bytes as f64 / 1e6,
            time.as_secs_f64()
        );
    }
}

#[test]
fn requirement_04_memory_stays_small() {
    let Some(server) = Dovecot::start() else { return };
    let count = if full() { 100_000 } else { 3_000 };
    let truth = server.seed("many@example.com", count, &["--light"]);
    let bounces = truth.values().filter(|kind| kind.as_str().unwrap().starts_with("bounce")).count();
    let base = plain(&server, "many@example.com");
    let child = Child::pull(&base);
    assert!(child.places.len() >= bounces, "{child:?}");
    println!(
        "| {count} messages, {bounces} bounces | {} handed over | {:.1} MB resident at most | {:.1} MB before the pull |",
        child.places.len(),
        child.peak_kib as f64 / 1024.0,
        child.start_kib as f64 / 1024.0
    );
    assert!(child.peak_kib <= 60 * 1024, "{child:?}");
    if full() {
        // as the requirement is put: on the same line, in the same run, to a third of mbsync's time
        let cost = measure(&base, server.plain, DELAYED, &BTreeMap::new());
        print("100,000 messages, 50 ms", &cost);
        if let Some((bytes, time)) = mbsync(server.plain, "many@example.com", DELAYED) {
            println!(
                "| mbsync (FSync no), 50 ms | {count} | {:.3} MB | | | {:.2} s |",
                bytes as f64 / 1e6,
                time.as_secs_f64()
            );
            assert!(cost.whole * 3 <= time, "{:?} and {time:?}", cost.whole);
        }
    }
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
