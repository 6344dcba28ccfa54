//! Servers that lie, stall, cut and throttle: requirements 6, 7, 8, 10, 11 and 12 of the intake.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use bounceback::model::Secret;
use bounceback::source::imap::{Auth, Event, Options, Tls, Watching, pull, wait};
use bounceback::source::{Cancel, Kind};

use crate::intake::{Child, Pulled, options, password, scan};
use crate::proxy::{Line, Proxy};
use crate::servers::{Dovecot, Script, USER, full, installed};

/// A hostile server and options that lead to it; times short enough for a test.
pub(crate) fn evil(scenario: &str, more: &[&str]) -> Option<(Script, Options)> {
    if !installed("python3") {
        crate::skip::skip("no python3");
        return None;
    }
    let script = Script::start("evil-imap", &[&["0", scenario, "--watch"], more].concat());
    let mut options = Options::new("evil", "localhost", "user@example.com", password());
    (options.port, options.tls) = (script.port, Tls::None);
    options.cure = bounceback::config::providers::cure;
    options.limits.connect = Duration::from_secs(3);
    options.limits.command = Duration::from_secs(3);
    options.limits.stall = Duration::from_secs(6);
    Some((script, options))
}

/// How a pull against a scenario must end.
enum End {
    /// Everything is handed over.
    All,
    /// So many are handed over, so many reported as unreadable, so many gone.
    Some(usize, u64, u64),
    /// An error of this kind whose text holds these words.
    Error(Kind, &'static str),
}

/// Every scenario with its end.
const SCENARIOS: &[(&str, End)] = &[
    ("ok", End::All),
    ("sloppy", End::All),
    ("readonly", End::All),
    ("untagged-no-select", End::All),
    ("eight-bit", End::All),
    ("dup-uid", End::All),
    ("no-uidnext", End::All),
    ("uidvalidity-flip", End::All),
    ("expunge-gap", End::Some(2, 0, 1)),
    ("empty-fetch", End::Some(2, 0, 1)),
    ("poison", End::Some(2, 1, 0)),
    ("no-body", End::Some(0, 3, 0)),
    ("nulls", End::Some(0, 0, 0)),
    ("bye-greeting", End::Error(Kind::Throttled, "too many connections")),
    ("preauth", End::Error(Kind::Protocol, "PREAUTH")),
    ("not-imap", End::Error(Kind::Protocol, "no IMAP server: 220 mail.x.example ESMTP")),
    ("slow", End::Error(Kind::Timeout, "did not answer in time")),
    ("slow-drip", End::Error(Kind::Timeout, "did not answer in time")),
    ("hang-examine", End::Error(Kind::Timeout, "did not answer in time")),
    ("drip-fetch", End::Error(Kind::Timeout, "did not answer in time")),
    ("hugeline", End::Error(Kind::Protocol, "a line is too long")),
    ("hugeliteral", End::Error(Kind::Protocol, "more data is announced")),
    ("lit-overflow", End::Error(Kind::Protocol, "more data is announced")),
    ("many-literals", End::Error(Kind::Protocol, "too many pieces")),
    ("deepnest", End::Error(Kind::Protocol, "nested too deep")),
    ("endless-untagged", End::Error(Kind::Protocol, "too long")),
    ("neg-literal", End::Error(Kind::Protocol, "could not read")),
    ("broken-fetch", End::Error(Kind::Protocol, "could not read")),
    ("bad-tag", End::Error(Kind::Protocol, "a command nobody sent")),
    ("bad-bodystructure", End::Error(Kind::Protocol, "its last line was * 1 FETCH (UID 1 BODYSTRUCTURE")),
    ("cut-literal", End::Error(Kind::Network, "the connection was cut")),
    ("bye-mid", End::Error(Kind::Network, "server shutting down")),
];

#[test]
fn requirement_07_a_hostile_server_does_no_harm() {
    // most of them wait for a deadline, so they may wait together
    println!("| hostile server | measured: seconds, MB resident | required |\n|---|---|---|");
    std::thread::scope(|scope| {
        for part in 0..6 {
            scope.spawn(move || {
                SCENARIOS.iter().skip(part).step_by(6).for_each(|(scenario, end)| hostile(scenario, end))
            });
        }
    });
}

fn hostile(scenario: &str, end: &End) {
    let Some((_server, options)) = evil(scenario, &[]) else { return };
    let start = Instant::now();
    // in a process of its own: an abort or a swallowed gigabyte would be seen
    let child = Child::pull(&options);
    let context = format!("{scenario}: {child:?}");
    assert!(start.elapsed() < Duration::from_secs(20), "{context}");
    assert!(child.ended_by_itself, "{context}");
    assert!(child.peak_kib < 80 * 1024, "{context}");
    match end {
        End::All => assert_eq!((child.places.len(), child.unreadable, &child.error), (3, 0, &None), "{context}"),
        End::Some(mails, unreadable, gone) => {
            assert_eq!((child.places.len(), child.unreadable, child.gone), (*mails, *unreadable, *gone), "{context}");
        }
        End::Error(kind, words) => {
            let error = child.error.as_deref().unwrap_or_default();
            assert!(error.contains(words) && child.kind == format!("{kind:?}"), "{context}");
            assert!(child.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "{context}");
        }
    }
    let (seconds, peak) = (start.elapsed().as_secs_f64(), child.peak_kib as f64 / 1024.0);
    println!("| {scenario} | {seconds:.1} s, {peak:.0} MB, no panic, no abort | 20 s, 80 MB |");
    let shown = format!("{:?}{:?}", child.error, child.hint);
    assert!(!shown.chars().any(char::is_control), "{context}");
}

/// Commands are sent before earlier ones are answered; what a server makes of that loses and mixes nothing.
#[test]
fn requirement_07_answers_in_another_order_are_told_apart() {
    for scenario in ["ok", "interleaved", "backwards"] {
        let log = tempfile::NamedTempFile::new().unwrap();
        let Some((_server, mut options)) = evil(scenario, &["--log", log.path().to_str().unwrap()]) else { return };
        (options.limits.first_window, options.limits.window, options.limits.batch) = (1, 1, 1);
        let mut pulled = Pulled::default();
        let outcome = pulled.run(&options).unwrap();
        let mails = (pulled.message_ids().len(), pulled.mails.len(), outcome.unreadable, outcome.gone);
        assert_eq!(mails, (3, 3, 0, 0), "{scenario}");
        // one that answers the second first is asked anew, one at a time
        let said = std::fs::read_to_string(log.path()).unwrap();
        let logins = said.matches(" LOGIN ").count();
        assert_eq!(logins, if scenario == "backwards" { 2 } else { 1 }, "{scenario}: {said}");
    }
}

#[test]
fn requirement_06_a_cut_anywhere_loses_nothing_and_doubles_nothing() {
    let Some(server) = Dovecot::start() else { return };
    server.seed(USER, 900, &["--bounce-pct", "20"]);
    let mut options = options(&server, Tls::None, password());
    (options.limits.batch, options.limits.first_window, options.limits.window) = (10, 50, 50);
    let mut whole = Pulled::default();
    let proxy = Proxy::to(server.plain, Line::default());
    options.port = proxy.port;
    whole.run(&options).unwrap();
    let (want, total) = (whole.message_ids(), proxy.down());
    // An answer is worked off when it is whole, and what follows from it is asked at once. Where that meets a connection
    // the other side has given up, the system throws away what lies there unread, so everything under way may have to
    // come again: four scans and what was found by four others. It is so once: after a break commands go one by one.
    let once_more = 4 * 50 * 1_000 + 8 * 10 * 17_000 + 4_000;
    assert!(once_more < total, "{total} bytes in all");
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let runs = if full() { 200 } else { 25 };
    for run in 0..runs {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let cut = 1 + seed % total;
        let proxy = Proxy::to(server.plain, Line { cut: Some(cut), cut_all: false, ..Line::default() });
        options.port = proxy.port;
        let mut pulled = Pulled::default();
        let first = pulled.run(&options);
        if let Err(error) = first {
            // cut before a session stood: nothing was handed over, the next pull works
            assert!(matches!(error.kind, Kind::Network | Kind::Protocol), "run {run}, cut at {cut}: {error}");
            assert!(pulled.mails.is_empty(), "run {run}, cut at {cut}");
            pulled.run(&options).unwrap();
        }
        let places: BTreeSet<_> = pulled.mails.iter().map(|mail| mail.place.0.clone()).collect();
        assert_eq!(places.len(), pulled.mails.len(), "run {run}, cut at {cut}: handed over twice");
        assert_eq!(pulled.message_ids(), want, "run {run}, cut at {cut}");
        assert!(
            proxy.down() <= total + once_more,
            "run {run}, cut at {cut}: {} bytes instead of {total}",
            proxy.down()
        );
    }
    // a line that breaks every 240 kB still gets there, and costs one answer each time
    let proxy = Proxy::to(server.plain, Line { cut: Some(240_000), cut_all: true, ..Line::default() });
    options.port = proxy.port;
    let mut pulled = Pulled::default();
    for _ in 0..50 {
        if pulled.run(&options).is_ok() {
            break;
        }
    }
    assert_eq!(pulled.message_ids(), want);
    let cuts = proxy.connections() - 1;
    assert!(cuts > 3, "{cuts}");
    assert!(proxy.down() <= total + once_more + cuts * (10 * 17_000 + 4_000), "{} bytes in {cuts} cuts", proxy.down());
    println!("| runs cut at a random byte that end with the same rows | {runs} of {runs} | all |");
}

#[test]
fn requirement_08_a_silent_server_ends_in_time_and_a_cancel_within_a_second() {
    for scenario in ["slow", "hang-examine", "drip-fetch"] {
        let Some((_server, mut options)) = evil(scenario, &[]) else { return };
        options.limits = bounceback::source::imap::Limits::default();
        let cancel = Cancel::new();
        let (other, start) = (cancel.clone(), Instant::now());
        let key = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(700));
            other.cancel();
            Instant::now()
        });
        let outcome = pull(&options, &Default::default(), scan(), &cancel, &mut |_| ControlFlow::Continue(()));
        let (ended, pressed) = (Instant::now(), key.join().unwrap());
        assert_eq!(outcome.unwrap_err().kind, Kind::Cancelled, "{scenario}");
        assert!(ended - pressed < Duration::from_secs(1), "{scenario}: {:?}", ended - pressed);
        assert!(start.elapsed() >= Duration::from_millis(600), "{scenario}");
    }
    // the limits a user gets keep a pull that yields nothing under a minute
    let limits = bounceback::source::imap::Limits::default();
    assert!(limits.connect <= Duration::from_secs(10) && limits.command <= Duration::from_secs(60));
    assert!(limits.stall + Duration::from_secs(4) < Duration::from_secs(60));
    if full() {
        for scenario in ["slow", "hang-examine", "drip-fetch", "throttle-always"] {
            let Some((_server, mut options)) = evil(scenario, &[]) else { return };
            options.limits = limits.clone();
            let start = Instant::now();
            assert!(Pulled::default().run(&options).is_err());
            assert!(start.elapsed() < Duration::from_secs(60), "{scenario}: {:?}", start.elapsed());
        }
    }
}

#[test]
fn requirement_08_a_dead_peer_is_noticed_while_waiting_for_mail() {
    let check = |scenario: &str, lost: bool| {
        let Some((_server, mut options)) = evil(scenario, &[]) else { return };
        options.limits.watch_pause = Duration::from_millis(1);
        options.limits.watch_retry = Duration::from_secs(1);
        options.limits.watch_idle = Some(Duration::from_millis(300));
        let mut pulled = Pulled::default();
        pulled.run(&options).unwrap();
        let cancel = Cancel::new();
        let mut seen = Vec::new();
        let start = Instant::now();
        let result = wait(&options, &pulled.cursors, &cancel, &mut |event| {
            seen.push(event.clone());
            let connected = seen.iter().filter(|event| **event == Watching::Connected).count();
            let found_out = seen.iter().any(|event| matches!(event, Watching::Lost { .. }));
            if (found_out == lost) && connected >= 3 || seen.len() > 30 {
                cancel.cancel();
            }
        });
        assert_eq!(result.unwrap_err().kind, Kind::Cancelled, "{scenario}: {seen:?}");
        assert!(start.elapsed() < Duration::from_secs(30), "{scenario}");
        assert_eq!(seen.iter().any(|event| matches!(event, Watching::Lost { .. })), lost, "{scenario}: {seen:?}");
    };
    check("idle-dead", true);
    check("idle-no", false);
    check("ok", false);
    // ninety seconds of IDLE and ten for a sign of life are the bound of the real thing
}

#[test]
fn new_mail_wakes_the_watch() {
    let Some(server) = Dovecot::start() else { return };
    server.seed(USER, 5, &["--bounce-pct", "100"]);
    let mut options = options(&server, Tls::Implicit, password());
    options.limits.watch_pause = Duration::from_millis(1);
    let mut pulled = Pulled::default();
    pulled.run(&options).unwrap();
    assert_eq!(pulled.mails.len(), 5);
    let (waiting, wake) = std::sync::mpsc::channel();
    let (cursors, watched) = (pulled.cursors.clone(), options.clone());
    let start = Instant::now();
    let watch = std::thread::spawn(move || {
        wait(&watched, &cursors, &Cancel::new(), &mut |event| {
            let _ = waiting.send(event);
        })
    });
    assert_eq!(wake.recv_timeout(Duration::from_secs(20)).unwrap(), Watching::Connected);
    server.seed(USER, 1, &["--bounce-pct", "100", "--start", "500"]);
    watch.join().unwrap().unwrap();
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    pulled.run(&options).unwrap();
    assert_eq!(pulled.mails.len(), 6);
}

#[test]
fn requirement_10_new_numbers_for_old_mail_make_one_notice() {
    let Some(server) = Dovecot::start() else { return };
    server.seed(USER, 40, &["--bounce-pct", "50"]);
    let options = options(&server, Tls::None, password());
    let mut pulled = Pulled::default();
    pulled.run(&options).unwrap();
    let (ids, before) = (pulled.message_ids(), pulled.cursors["INBOX"].clone());
    let old = before.uidvalidity;
    server.renumber(USER);
    let mut again = Pulled { cursors: pulled.cursors.clone(), ..Pulled::default() };
    let outcome = again.run(&options).unwrap();
    let renewed = again.events.iter().filter(|event| matches!(event, Event::Opened { renewed: true, .. })).count();
    assert_ne!(again.cursors["INBOX"].uidvalidity, old);
    assert_eq!(renewed, 1);
    assert_eq!(outcome.scanned, 40);
    assert_eq!(again.message_ids(), ids, "the same mails, told apart by their Message-ID");
    // and it settles
    assert_eq!(again.run(&options).unwrap().scanned, 0);
}

#[test]
fn requirement_11_gone_and_empty_messages_are_tried_three_times() {
    for (scenario, unreadable) in [("expunge-gap", 1), ("empty-fetch", 1), ("poison", 3)] {
        let Some((_server, options)) = evil(scenario, &[]) else { return };
        let mut pulled = Pulled::default();
        for run in 1..=4 {
            let outcome = pulled.run(&options).unwrap();
            assert_eq!(outcome.scanned, [3, 1, 1, 0][run - 1], "{scenario}, run {run}");
        }
        assert_eq!(pulled.mails.len(), 2, "{scenario}");
        let told = pulled
            .events
            .iter()
            .filter(|event| matches!(event, Event::Unreadable { place, .. } if place.0.ends_with("uid=2")));
        assert_eq!(told.count(), unreadable, "{scenario}: {:?}", pulled.events);
        assert_eq!(pulled.cursors["INBOX"].done, [(1, 3)], "{scenario}");
        assert!(pulled.cursors["INBOX"].tries.is_empty(), "{scenario}");
    }
}

#[test]
fn requirement_12_a_server_that_asks_to_slow_down_is_obeyed() {
    for (scenario, least) in [("throttle-no", 1000), ("throttle-bad", 2000), ("overquota", 1000)] {
        let Some((_server, options)) = evil(scenario, &[]) else { return };
        let mut pulled = Pulled::default();
        let start = Instant::now();
        pulled.run(&options).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(least), "{scenario}: {:?}", start.elapsed());
        assert_eq!(pulled.mails.len(), 3, "{scenario}");
        let countdown: Vec<u64> = pulled
            .events
            .iter()
            .filter_map(|event| if let Event::Waiting { seconds, .. } = event { Some(*seconds) } else { None })
            .collect();
        assert!(!countdown.is_empty() && countdown.is_sorted_by(|a, b| a >= b), "{scenario}: {countdown:?}");
    }
    let Some((_server, options)) = evil("throttle-long", &[]) else { return };
    let error = Pulled::default().run(&options).unwrap_err();
    assert_eq!((error.kind, error.retry_after), (Kind::Throttled, Some(600)), "{error}");
}

#[test]
fn a_token_that_expired_is_told_in_words() {
    let Some((_server, mut options)) = evil("oauth-expired", &[]) else { return };
    options.auth = Auth::XOAuth2(Secret::new("expired-token".to_owned()));
    let error = Pulled::default().run(&options).unwrap_err();
    assert_eq!(error.kind, Kind::Login);
    assert!(error.hint.as_deref().is_some_and(|hint| hint.contains("token")), "{error:?}");
    assert!(!format!("{error:?}").contains("expired-token"));
}
