//! The figures of the screen, on the real binary through a pseudo-terminal: bytes exactly, times with room for a busy machine.
//!
//! With `--full` the large store has a hundred thousand cases, else some thousands.

use std::path::Path;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use bounceback::desk::Desk;
use bounceback::model::{CaseId, Cause, GroupId, Kind, Verdict};
use bounceback::store::Store;

use crate::pty::Terminal;
use crate::screens::{NOW, options};
use crate::store::notice;

/// How many times its budget something may take here: debug builds, other tests, other machines.
const PATIENCE: u128 = 15;

/// A queue as it comes: the same few reasons at many domains, one bounce a minute.
fn queue(n: usize) -> tempfile::TempDir {
    let reasons = [
        ("5.1.1", "550 5.1.1 <{}>: Recipient address rejected: User unknown in virtual mailbox table"),
        ("5.2.2", "552 5.2.2 <{}>: Mailbox full, quota exceeded"),
        ("5.7.1", "554 5.7.1 <{}>: Recipient address rejected: Access denied by policy"),
        ("5.4.4", "Host or domain name not found. Name service error for type=MX: Host not found"),
        ("5.2.3", "552 5.2.3 message size exceeds fixed limit"),
    ];
    let mail = |at: usize| {
        let (status, said) = reasons[at * 7 % 11 % reasons.len()];
        let company = ["acme", "north", "river", "quartz"][at % 4];
        let domain = format!("{company}-{}.example", ["tools", "media", "cars"][at % 3]);
        let person = ["anna", "bo", "carla", "dmitri", "eva"][at % 5];
        let address = format!("{person}.{}@{domain}", ["berg", "holm", "rossi"][at * 5 % 3]);
        let date = format!("Mon, 02 Nov 2026 {:02}:{:02}:00 +0000", at / 60 % 24, at % 60);
        let text = format!(
            "From: MAILER-DAEMON@mta1.company.example\nTo: support@company.example\nSubject: Undelivered Mail\n\
             Message-ID: <b{at}@mta1.company.example>\nDate: {date}\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n--b\n\
             Content-Type: message/delivery-status\n\nReporting-MTA: dns; mta1.company.example\n\n\
             Final-Recipient: rfc822; {address}\nAction: failed\nStatus: {status}\nRemote-MTA: dns; mx{}.{domain}\n\
             Diagnostic-Code: smtp; {}\n\n--b\nContent-Type: message/rfc822\n\nFrom: support@company.example\n\
             To: {address}\nMessage-ID: <{at}@company.example>\nSubject: Re: [#{}] Your order {}\nDate: {date}\n\n\
             Hello\n--b--\n",
            at % 9,
            said.replace("{}", &address),
            40_000 + at,
            at * 7,
        );
        (format!("{at}.eml"), text.into_bytes())
    };
    let dir = tempfile::tempdir().unwrap();
    Desk::open(&options(Some(dir.path()))).unwrap().import_mails((0..n).map(mail), NOW).unwrap();
    dir
}

fn open(state: &Path) -> Terminal {
    let mut terminal = Terminal::run(&["--state-dir", state.to_str().unwrap(), "--offline"], &[]);
    terminal.see("Suggest");
    // It may mark its frames, as it does on most terminals.
    terminal.type_(b"\x1b[?2026;2$y");
    terminal
}

/// Presses a key and waits for the whole frame it leads to: its bytes, and how long it took.
fn step(terminal: &mut Terminal, key: &[u8], row: usize, last: &str) -> (usize, Duration) {
    let (before, began) = (terminal.all.len(), Instant::now());
    terminal.type_(key);
    let place = format!(" {row}/");
    terminal.until(&format!("row {row}"), |screen| {
        let text = screen.contents();
        text.lines().next().is_some_and(|first| first.contains(&place)) && text.contains(last)
    });
    while !terminal.all.ends_with(b"\x1b[?2026l") {
        let bytes = terminal.bytes.recv_timeout(Duration::from_secs(30)).unwrap();
        terminal.screen.process(&bytes);
        terminal.all.extend(bytes);
    }
    (terminal.all.len() - before, began.elapsed())
}

fn median(all: &[usize]) -> usize {
    let mut all = all.to_vec();
    all.sort_unstable();
    all[all.len() / 2]
}

#[test]
fn r01_what_a_key_costs_on_the_wire() {
    let state = queue(300);
    let mut terminal = open(state.path());
    let mut times = Vec::new();
    let mut bytes = |key: &[u8], row: usize, last: &str| {
        let (bytes, took) = step(&mut terminal, key, row, last);
        times.push(took);
        bytes
    };
    bytes(b"j", 2, " How sure   ");
    let page: Vec<usize> = (3..9).map(|row| bytes(b"j", row, " How sure   ")).collect();
    let lines: Vec<usize> = (9..69).map(|row| bytes(b"j", row, " How sure   ")).collect();
    let mean = lines.iter().sum::<usize>() / lines.len();
    assert!(median(&page) <= 700, "j in the page: {page:?}");
    assert!(mean <= 800, "j, mean of 60 lines: {mean}");
    // On a busy disk a decision may take two frames: the step, and that it is saved.
    let decisions: Vec<usize> = (69..85).map(|row| bytes(b"o", row, &format!("saved: {} ", row - 1))).collect();
    assert!(median(&decisions) <= 1400, "decide and go on: {decisions:?}");
    bytes(b"\r", 84, "Read from");
    let details: Vec<usize> = (85..105).map(|row| bytes(b"j", row, "Read from")).collect();
    assert!(median(&details) <= 700, "a step in the detail: {details:?}");
    times.sort_unstable();
    let p95 = times[times.len() * 95 / 100];
    assert!(p95.as_millis() <= 16 * PATIENCE, "a key, p95: {p95:?}");
}

#[test]
fn r01_on_the_real_binary_a_key_is_one_write() {
    let mut terminal = Terminal::run(&["demo"], &[]);
    terminal.see("Suggest");
    terminal.type_(b"\x1b[?2026;2$y");
    // What the kernel counted: writes of all threads, to the terminal and to files.
    let path = format!("/proc/{}/io", terminal.child.process_id().unwrap());
    let written = || {
        let text = std::fs::read_to_string(&path).ok()?;
        text.lines().find_map(|line| line.strip_prefix("syscw: "))?.parse::<usize>().ok()
    };
    if written().is_none() {
        return crate::skip::skip("this kernel does not count writes");
    }
    let mut writes = Vec::new();
    for row in 2..22 {
        let before = written().unwrap();
        step(&mut terminal, b"j", row, " How sure   ");
        writes.push(written().unwrap() - before);
    }
    // Once a second the place is kept in the store, by two writes more.
    assert_eq!(median(&writes), 1, "{writes:?}");
}

#[test]
fn r03_at_rest_nothing_is_sent() {
    let state = queue(50);
    let mut terminal = open(state.path());
    step(&mut terminal, b"j", 2, " How sure   ");
    assert_eq!(terminal.bytes.recv_timeout(Duration::from_secs(3)), Err(RecvTimeoutError::Timeout));
}

/// Many cases in a store, without mails worth reading.
fn large(n: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    let arrival = |at: usize| {
        let mut arrival = notice(&format!("case{at:06}"), Kind::Failure, 1_790_000_000 + at as i64 * 60);
        let seed = &mut arrival.seeds[0];
        seed.id = CaseId(format!("{:08x}", at * 2_654_435_761 % 4_294_967_296));
        seed.group = GroupId(format!("g{at}"));
        seed.address = format!("person{at}@firm{}.example", at % 97);
        seed.subject = Some(format!("Re: [#{}] Your order", 40_000 + at));
        seed.cause = Cause::ALL[at % 7];
        arrival
    };
    for from in (0..n).step_by(5_000) {
        let arrivals: Vec<_> = (from..n.min(from + 5_000)).map(arrival).collect();
        store.fill(&arrivals, None).unwrap();
    }
    dir
}

#[test]
fn r18_a_large_store_opens_at_once_and_fits_into_memory() {
    let n = if std::env::var_os("BOUNCEBACK_FULL_TESTS").is_some() { 100_000 } else { 4_000 };
    let state = large(n);
    let began = Instant::now();
    let mut terminal = Terminal::run(&["--state-dir", state.path().to_str().unwrap(), "--offline"], &[]);
    terminal.see(&format!("1/{n} left {n}"));
    let first = began.elapsed();
    assert!(first.as_millis() <= 200 * PATIENCE, "first screen of {n} cases: {first:?}");
    terminal.type_(format!("/person{}@\r", n - 1).as_bytes());
    terminal.see(&format!("{n}/{n} left"));
    let id = terminal.child.process_id().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak <= 100 * 1024, "resident memory at {n} cases: {peak} kB");
}

/// What the demo's own table says is right for each failed address: the proposal and, for corrections, the address.
fn right() -> Vec<(String, String, String)> {
    let table = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/README.md")).unwrap();
    let mut found = Vec::new();
    for line in table.lines().filter(|line| line.starts_with("| 0")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [.., recipients, _, proposals, corrected] = cells.as_slice() else { panic!("{line}") };
        let proposals: Vec<&str> = proposals.split(';').map(str::trim).collect();
        for (at, recipient) in recipients.split(',').map(str::trim).filter(|one| one.contains('@')).enumerate() {
            let proposal = proposals.get(at).or(proposals.first()).unwrap();
            let word = proposal.split(" (").next().unwrap();
            let to = if word == "correct" { corrected.trim_matches(['|', ' ']) } else { "" };
            found.push((recipient.to_owned(), word.to_owned(), to.to_owned()));
        }
    }
    found
}

#[test]
fn the_demo_is_settled_rightly_with_at_most_one_key_for_each_bounce() {
    let mut sitting = crate::screens::Sitting::demo((80, 24));
    let right = right();
    let bounces: u32 = sitting
        .model
        .queue
        .cases()
        .iter()
        .filter(|case| case.is_queued(crate::screens::NOW))
        .map(|case| case.notices)
        .sum();
    let mut by_hand = Vec::new();
    while sitting.model.queue.tally().left > 0 {
        let detail = sitting.model.current().unwrap();
        let address = detail.case.address.clone();
        let offered = detail.offer.verdict.clone();
        // The last notice of a case is the one that counts.
        let want =
            right.iter().rev().find(|(own, ..)| **own == *address).map(|(_, word, to)| (word.as_str(), to.as_str()));
        let key = match (want.unwrap_or(("none", "")), &offered) {
            (("correct", to), Some(Verdict::Corrected { to: offered })) if offered == to => "a".to_owned(),
            (("correct", to), _) => {
                let at = detail.suggestions.iter().position(|own| own.address == to);
                at.map_or_else(|| format!("c C-u text:{to} Enter"), |at| format!("c {}", at + 1))
            }
            (("retry", _), Some(Verdict::Retry { .. })) => "a".to_owned(),
            (("escalate", _), Some(Verdict::Escalated { .. })) => "a".to_owned(),
            (("done", _), Some(Verdict::Done)) | (("spam", _), Some(Verdict::Spam)) => "a".to_owned(),
            (("not our fault", _), Some(Verdict::NotOurFault)) => "a".to_owned(),
            (("retry", _), _) => "r".to_owned(),
            (("escalate", _), _) => "e".to_owned(),
            (("spam", _), _) => "b".to_owned(),
            (("not our fault", _), _) => "o".to_owned(),
            // Nothing is right by itself: the lead looks and says that it is done.
            (_, Some(_)) => "a".to_owned(),
            (_, None) => "d".to_owned(),
        };
        if key != "a" {
            by_hand.push(format!("{address}: {key} instead of {offered:?}"));
        }
        sitting.keys(&key);
    }
    let keys = sitting.model.effort.keys;
    assert!(keys <= u64::from(bounces), "{keys} keys for {bounces} bounces\n{}", by_hand.join("\n"));
    for case in sitting.model.queue.cases().iter().filter(|case| case.is_queued(crate::screens::NOW)) {
        if let Some((.., to)) = right.iter().find(|(own, word, _)| **own == *case.address && word == "correct") {
            assert_eq!(case.corrected_to.as_deref(), Some(to.as_str()), "{}", case.address);
        }
    }
    println!(
        "{keys} keys for {bounces} bounces in {} cases\n{}",
        sitting.model.queue.tally().total,
        by_hand.join("\n")
    );
}
