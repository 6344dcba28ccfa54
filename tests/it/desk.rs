//! The desk over the embedded demo mailbox: cases, groups, delays, offers, decisions, and a second import.

use std::path::{Path, PathBuf};

use bounceback::desk::{Cancel, Desk, Filled, Options, Progress};
use bounceback::model::*;

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo")
}

/// Friday, 20 November 2026, in the evening: after the last mail of the demo.
pub(crate) const NOW: &str = "2026-11-20T20:00:00Z";

pub(crate) fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

pub(crate) fn options() -> Options {
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
    Options {
        identity: Identity {
            addresses: words(&["support@company.example", "billing@company.example", "news@company.example"]),
            domains: words(&["company.example", "company-shop.example"]),
            desk: Some("zendesk".into()),
            ..Identity::default()
        },
        lead: "lead".into(),
        ..Options::default()
    }
}

fn import(desk: &mut Desk) -> Filled {
    let mut last = None;
    let filled = desk.import(&[demo()], now(), &Cancel::new(), &mut |step| last = Some(step)).unwrap();
    assert!(matches!(last, Some(Progress::Report { .. })));
    filled
}

fn case<'a>(cases: &'a [Case], address: &str) -> &'a Case {
    cases.iter().find(|case| &*case.address == address).unwrap_or_else(|| panic!("no case of {address}"))
}

#[test]
fn the_demo_fills_a_queue_and_a_second_import_adds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { state_dir: Some(dir.path().to_owned()), ..options() };
    let mut desk = Desk::open(&options).unwrap();
    let first = import(&mut desk);
    assert!(first.notices >= 65 && first.cases >= 50, "{first:?}");
    assert_eq!(first.unreadable, []);
    let cases = desk.cases().unwrap();
    assert!(cases.is_sorted_by(|a, b| a.order() <= b.order()));

    desk.decide(&[cases[0].id.clone()], &Verdict::Done, Some("called"), now()).unwrap();
    drop(desk);
    let mut desk = Desk::open(&options).unwrap();
    let second = import(&mut desk);
    assert_eq!((second.notices, second.cases, second.known), (0, 0, first.notices));
    let again = desk.find(&cases[0].id.0[..8]).unwrap();
    assert_eq!((again.state, again.again, again.noted), (State::Done, false, true));
}

#[test]
fn several_bounces_of_one_message_are_one_case() {
    let mut desk = Desk::open(&options()).unwrap();
    import(&mut desk);
    let cases = desk.cases().unwrap();
    let thrice: Vec<_> = cases.iter().filter(|case| case.notices == 3).collect();
    assert!(!thrice.is_empty());
    for case in thrice {
        assert_eq!(desk.detail(&case.id, now()).unwrap().notices.len(), 3);
    }
    let largest = cases.iter().map(|case| desk.detail(&case.id, now()).unwrap().group.len()).max();
    assert_eq!(largest, Some(4), "one message to four recipients");
}

#[test]
fn what_a_would_do_is_what_the_truth_says() {
    let mut desk = Desk::open(&options()).unwrap();
    import(&mut desk);
    let cases = desk.cases().unwrap();
    let (mut right, mut wrong) = (0, Vec::new());
    for line in std::fs::read_to_string(demo().join("truth.jsonl")).unwrap().lines() {
        let truth: serde_json::Value = serde_json::from_str(line).unwrap();
        let Some(to) = truth["corrected_address"].as_str() else { continue };
        for one in truth["recipients"].as_array().unwrap().iter().take(1) {
            let address = one["address"].as_str().unwrap();
            let detail = desk.detail(&case(&cases, address).id, now()).unwrap();
            let offer = detail.offer;
            match offer.verdict {
                Some(Verdict::Corrected { to: offered }) if offered.eq_ignore_ascii_case(to) => right += 1,
                other => wrong.push(format!(
                    "{}: {address} -> {to}, offered {other:?} ({}), {:?}",
                    truth["file"], offer.why, detail.suggestions
                )),
            }
        }
    }
    assert!(wrong.is_empty() && right >= 20, "{right} right\n{}", wrong.join("\n"));
}

#[test]
fn a_correction_must_be_another_address() {
    let mut desk = Desk::open(&options()).unwrap();
    import(&mut desk);
    let cases = desk.cases().unwrap();
    let one = cases.iter().find(|case| !case.address.is_empty()).unwrap();
    for (to, why) in [
        ("nobody", "could not take \"nobody\" as the corrected address: it is not an address"),
        ("a b@example.org", "could not take \"a b@example.org\" as the corrected address: it is not an address"),
        (&one.address.to_uppercase(), "it is the address that failed"),
    ] {
        let error =
            desk.decide(std::slice::from_ref(&one.id), &Verdict::Corrected { to: to.into() }, None, now()).unwrap_err();
        assert!(error.to_string().ends_with(why), "{error}");
    }
    assert_eq!(desk.find(&one.id.0).unwrap().state, State::New);
}

#[test]
fn a_correction_is_no_evidence_for_itself() {
    let mut desk = Desk::open(&options()).unwrap();
    import(&mut desk);
    let cases = desk.cases().unwrap();
    let anna = case(&cases, "anna.berg@gmial.com");
    let to = Verdict::Corrected { to: "anna.berg@gmail.com".into() };
    let before = desk.detail(&anna.id, now()).unwrap().suggestions;
    desk.decide(std::slice::from_ref(&anna.id), &to, None, now()).unwrap();
    let detail = desk.detail(&anna.id, now()).unwrap();
    assert_eq!(detail.suggestions, before, "the same evidence as before");
    // For another case of that domain it counts.
    let text = std::fs::read_to_string(demo().join("001-typo-gmial.eml")).unwrap();
    let other = text.replace("anna.berg", "bo.lund").replace("Message-ID: <", "Message-ID: <other-");
    let other = other.replace("Message-Id: <", "Message-Id: <other-");
    desk.import_mails([("other".to_owned(), other.into_bytes())].into_iter(), now()).unwrap();
    let cases = desk.cases().unwrap();
    let bo = desk.detail(&case(&cases, "bo.lund@gmial.com").id, now()).unwrap();
    let because = &bo.suggestions[0].because;
    assert!(because.contains("gmial.com was corrected to gmail.com before, once"), "{because}");
}

#[test]
fn a_silent_delay_offers_nothing_and_stays_in_reach() {
    let mut desk = Desk::open(&options()).unwrap();
    import(&mut desk);
    let later = now().plus_days(30);
    let cases = desk.cases().unwrap();
    let silent: Vec<_> = cases.iter().filter(|case| case.is_silent(later)).collect();
    assert!(!silent.is_empty());
    for case in silent {
        assert_eq!(case.kind, Kind::Delay);
        let offer = desk.detail(&case.id, later).unwrap().offer;
        assert_eq!((offer.verdict, offer.why.as_str()), (None, "it closed by itself: no failure followed the delay"));
    }
}
