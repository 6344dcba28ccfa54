//! Suggestions over a store of 100,000 cases, the whole way: the desk, its store, the book of what the store knows.
//! Slow to make, so only with `BOUNCEBACK_FULL_TESTS=1`; the time is judged in an optimised build.

use std::time::Instant;

use bounceback::desk::{Desk, Options};
use bounceback::model::{CaseId, Cause, Diagnosis, GroupId, Kind, MessageRef, State, Timestamp, Verdict};
use bounceback::store::{Arrival, CaseSeed, Store};

const CASES: u64 = 100_000;
const RAW: &[u8] =
    b"From: MAILER-DAEMON@mx.example.net\nSubject: Undelivered\n\nHi,\n\nAnna Berg\nanna.berg@gmail.com\n";

fn arrival(n: u64) -> Arrival {
    let domains = ["gmail.com", "gmial.com", "nordwind.example", "hotmail.com", "blusoft.example", "web.de"];
    let address = format!(
        "person{n}@{}{}",
        if n.is_multiple_of(3) { format!("mail{}.", n % 500) } else { String::new() },
        domains[n as usize % 6]
    );
    let mut diagnosis = Diagnosis::of(Kind::Failure);
    diagnosis.notice.subject = Some("Undelivered".into());
    let mut fingerprint = [0; 32];
    fingerprint[..8].copy_from_slice(&n.to_le_bytes());
    let seed = CaseSeed {
        id: CaseId(format!("c{n:011}")),
        group: GroupId(format!("g{n:011}")),
        recipient: None,
        address,
        original_address: None,
        kind: Kind::Failure,
        cause: if n.is_multiple_of(4) { Cause::MailboxFull } else { Cause::MailboxUnknown },
        status: None,
        reply_code: None,
        reporter: None,
        ticket: None,
        message_id: None,
        subject: None,
    };
    Arrival {
        fingerprint,
        place: MessageRef(format!("box#{n}")),
        received: Timestamp(1_790_000_000 + n as i64),
        size: RAW.len() as u64,
        truncated: false,
        unread: false,
        diagnosis,
        raw: RAW.to_vec(),
        seeds: vec![seed],
        delivered: vec![],
        second: false,
    }
}

#[test]
fn one_case_over_a_hundred_thousand_is_answered_at_once() {
    if std::env::var_os("BOUNCEBACK_FULL_TESTS").is_none() {
        return crate::skip::skip("suggestions over 100,000 cases: tests/run --full");
    }
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    for from in (0..CASES).step_by(2000) {
        let placed = store.fill(&(from..from + 2000).map(arrival).collect::<Vec<_>>(), None).unwrap();
        assert!(placed.iter().all(|one| *one == bounceback::store::Placed::New(1)), "{:?}", placed.first());
    }
    let corrected = Verdict::Corrected { to: "person1@gmail.com".into() };
    store.decide(&[(CaseId("c00000000001".into()), corrected)], None, Timestamp(1_795_000_000), "lead").unwrap();
    drop(store);
    let desk = Desk::open(&Options { state_dir: Some(dir.path().to_owned()), ..Options::default() }).unwrap();
    let now = Timestamp(1_795_000_000);
    let start = Instant::now();
    desk.suggest("person7@gmial.com").unwrap();
    println!("the book of {CASES} cases is made in {:?}", start.elapsed());
    let cases = desk.cases().unwrap();
    assert_eq!(cases.len() as u64, CASES);
    let undecided = cases.iter().filter(|case| case.state == State::New && case.cause == Cause::MailboxUnknown);
    let chosen: Vec<CaseId> = undecided.step_by(997).take(60).map(|case| case.id.clone()).collect();
    let mut times: Vec<_> = chosen
        .iter()
        .map(|id| {
            let start = Instant::now();
            let detail = desk.detail(id, now).unwrap();
            (start.elapsed(), detail.suggestions.len())
        })
        .collect();
    times.sort();
    let (median, worst) = (times[times.len() / 2].0, times[times.len() - 1].0);
    println!(
        "a case with everything about it, suggestions included: median {median:?}, worst of {} {worst:?}",
        times.len()
    );
    assert!(times.iter().any(|(_, found)| *found > 0));
    let most = if cfg!(debug_assertions) { 200 } else { 5 };
    assert!(median.as_millis() < most, "{median:?}");
}
