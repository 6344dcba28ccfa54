//! The store: filling in any order, the journal, undo across restarts, several processes.

use bounceback::model::*;
use bounceback::store::{Arrival, CaseSeed, Placed, Store};

fn id(name: &str) -> CaseId {
    CaseId(name.into())
}

/// A notice of one case, arrived at a second.
pub(crate) fn notice(case: &str, kind: Kind, at: i64) -> Arrival {
    let mut fingerprint = [0; 32];
    let print = format!("{case}{kind}{at}");
    fingerprint[..print.len()].copy_from_slice(print.as_bytes());
    Arrival {
        fingerprint,
        place: MessageRef(format!("test/{case}/{at}")),
        received: Timestamp(at),
        size: 4,
        truncated: false,
        unread: false,
        diagnosis: bounceback::model::Diagnosis::of(kind),
        raw: b"mail".to_vec(),
        seeds: vec![CaseSeed {
            id: id(case),
            group: GroupId("g".into()),
            recipient: Some(0),
            address: format!("{case}@example.org"),
            original_address: None,
            kind,
            cause: Cause::MailboxUnknown,
            status: "5.1.1".parse().ok(),
            reply_code: Some(550),
            reporter: Some("mx.example.org".into()),
            ticket: None,
            message_id: Some("m@company.example".into()),
            subject: Some("Re: refund".into()),
        }],
        delivered: vec![],
        second: false,
    }
}

fn delivered(case: &str, at: i64) -> Arrival {
    let mut arrival = notice(case, Kind::Delivered, at);
    arrival.seeds.clear();
    arrival.delivered.push(id(case));
    arrival
}

fn state(store: &Store, case: &str) -> (State, bool) {
    let case = store.case(&id(case)).unwrap().unwrap();
    (case.state, case.again)
}

/// A likely bounce that names nobody is a case like any other: it must be looked at.
#[test]
fn a_notice_without_a_recipient_is_a_case() {
    let mut store = Store::in_memory().unwrap();
    let mut nobody = notice("nobody", Kind::Other, 10);
    (nobody.seeds[0].recipient, nobody.seeds[0].address, nobody.unread) = (None, String::new(), true);
    assert_eq!(store.fill(std::slice::from_ref(&nobody), None).unwrap(), [Placed::New(1)]);
    assert_eq!(store.fill(&[nobody], None).unwrap(), [Placed::Known]);
    assert_eq!(store.notices(&id("nobody")).unwrap()[0].recipient, None);
}

#[test]
fn the_same_notice_counts_once_and_a_decision_stays() {
    let mut store = Store::in_memory().unwrap();
    assert_eq!(store.fill(&[notice("a", Kind::Failure, 10)], None).unwrap(), [Placed::New(1)]);
    store.decide(&[(id("a"), Verdict::Done)], None, Timestamp(50), "lead").unwrap();
    assert_eq!(store.fill(&[notice("a", Kind::Failure, 10)], None).unwrap(), [Placed::Known]);
    assert_eq!(state(&store, "a"), (State::Done, false));
    // An older one of the same case says nothing new, a newer one calls the lead back.
    store.fill(&[notice("a", Kind::Failure, 5)], None).unwrap();
    assert_eq!(state(&store, "a"), (State::Done, false));
    store.fill(&[notice("a", Kind::Failure, 60)], None).unwrap();
    assert_eq!(state(&store, "a"), (State::Done, true));
    let case = store.case(&id("a")).unwrap().unwrap();
    assert_eq!((case.notices, case.received, case.last_received), (3, Timestamp(5), Timestamp(60)));
    store.decide(&[(id("a"), Verdict::Spam)], None, Timestamp(70), "lead").unwrap();
    assert_eq!(state(&store, "a"), (State::Spam, false));
}

#[test]
fn delays_leave_the_queue_whatever_arrives_first() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let all = [notice("slow", Kind::Delay, 10), delivered("slow", 20), notice("other", Kind::Failure, 5)];
        let mut store = Store::in_memory().unwrap();
        for at in order {
            store.fill(std::slice::from_ref(&all[at]), None).unwrap();
        }
        let queued: Vec<_> = store.cases().unwrap().into_iter().map(|case| (case.id.0, case.queued)).collect();
        assert_eq!(queued, [("other".into(), true), ("slow".into(), false)], "{order:?}");
    }
    for order in [[0, 1], [1, 0]] {
        let all = [notice("late", Kind::Delay, 10), notice("late", Kind::Failure, 20)];
        let mut store = Store::in_memory().unwrap();
        for at in order {
            store.fill(std::slice::from_ref(&all[at]), None).unwrap();
        }
        let case = store.case(&id("late")).unwrap().unwrap();
        assert_eq!((case.kind, case.queued, case.notices), (Kind::Failure, true, 2), "{order:?}");
    }
}

const DAY: i64 = 86_400;

#[test]
fn a_delay_closes_by_itself_after_five_days_of_silence() {
    let mut store = Store::in_memory().unwrap();
    let fill = |store: &mut Store, kind, at| drop(store.fill(&[notice("slow", kind, at)], None).unwrap());
    let stands = |store: &Store, at: i64| {
        let case = store.case(&id("slow")).unwrap().unwrap();
        let now = Timestamp(at);
        let counted = store.glance(None, 5, now).unwrap();
        assert_eq!(
            (counted.total, counted.left),
            (usize::from(case.is_queued(now)), usize::from(case.is_undecided(now)))
        );
        (case.is_undecided(now), case.is_silent(now))
    };
    fill(&mut store, Kind::Delay, 10);
    assert_eq!(stands(&store, 5 * DAY + 9), (true, false));
    assert_eq!(stands(&store, 5 * DAY + 10), (false, true));
    // Another delay: five days from there.
    fill(&mut store, Kind::Delay, DAY);
    assert_eq!((stands(&store, 6 * DAY - 1), stands(&store, 6 * DAY)), ((true, false), (false, true)));
    // The lead puts it back, and takes that back.
    store.decide(&[(id("slow"), Verdict::New)], None, Timestamp(7 * DAY), "lead").unwrap();
    assert_eq!(stands(&store, 90 * DAY), (true, false));
    store.undo(Timestamp(8 * DAY), "lead").unwrap();
    assert_eq!(stands(&store, 90 * DAY), (false, true));
    // What the lead decided stays decided; a decision that is taken back leaves it closed.
    store.decide(&[(id("slow"), Verdict::Done)], None, Timestamp(7 * DAY), "lead").unwrap();
    assert_eq!(stands(&store, 90 * DAY), (false, false));
    store.undo(Timestamp(8 * DAY), "lead").unwrap();
    assert_eq!(stands(&store, 90 * DAY), (false, true));
    // The failure comes after all, however late.
    fill(&mut store, Kind::Failure, 20 * DAY);
    assert_eq!(stands(&store, 90 * DAY), (true, false));
    assert_eq!(store.case(&id("slow")).unwrap().unwrap().closes, None);
}

#[test]
fn a_later_delay_closes_what_was_put_back_before_it() {
    let mut store = Store::in_memory().unwrap();
    store.fill(&[notice("slow", Kind::Delay, 10)], None).unwrap();
    store.decide(&[(id("slow"), Verdict::New)], None, Timestamp(DAY), "lead").unwrap();
    store.fill(&[notice("slow", Kind::Delay, 2 * DAY)], None).unwrap();
    assert!(store.case(&id("slow")).unwrap().unwrap().is_silent(Timestamp(7 * DAY)));
}

#[test]
fn recipients_of_one_message_stand_in_the_order_of_the_mail() {
    let names = ["zoe", "anna", "mia"];
    let mut all = notice("all", Kind::Failure, 10);
    let seed = |(at, name): (usize, &&str)| CaseSeed {
        recipient: Some(at),
        ..notice(name, Kind::Failure, 10).seeds.remove(0)
    };
    all.seeds = names.iter().enumerate().map(seed).collect();
    let mut store = Store::in_memory().unwrap();
    store.fill(&[all], None).unwrap();
    let listed = |cases: Vec<Case>| cases.into_iter().map(|case| case.id.0).collect::<Vec<_>>();
    assert_eq!(listed(store.cases().unwrap()), names);
    assert_eq!(listed(store.glance(None, 5, Timestamp(20)).unwrap().rows), names);
    assert_eq!(listed(store.group(&GroupId("g".into())).unwrap()), names);
}

#[test]
fn undo_and_redo_take_whole_batches_and_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    store.fill(&[notice("a", Kind::Failure, 1), notice("b", Kind::Failure, 2)], None).unwrap();
    let to = "a@example.com".to_owned();
    store.decide(&[(id("a"), Verdict::Corrected { to: to.clone() })], Some("typo"), Timestamp(10), "x").unwrap();
    store.decide(&[(id("a"), Verdict::Spam), (id("b"), Verdict::Spam)], None, Timestamp(11), "x").unwrap();
    drop(store);

    let mut store = Store::open(dir.path()).unwrap();
    let receipt = store.undo(Timestamp(12), "x").unwrap().unwrap();
    assert_eq!((receipt.cases.len(), receipt.act, receipt.undone), (2, Act::Decided(Verdict::Spam), true));
    assert_eq!((state(&store, "a").0, state(&store, "b").0), (State::Corrected, State::New));
    assert_eq!(
        store.undo(Timestamp(13), "x").unwrap().unwrap().act,
        Act::Decided(Verdict::Corrected { to: to.clone() })
    );
    assert_eq!(store.undo(Timestamp(14), "x").unwrap(), None);
    drop(store);

    let mut store = Store::open(dir.path()).unwrap();
    assert_eq!(store.redo(Timestamp(15), "x").unwrap().unwrap().act, Act::Decided(Verdict::Corrected { to }));
    let case = store.case(&id("a")).unwrap().unwrap();
    assert_eq!((case.corrected_to.as_deref(), case.noted), (Some("a@example.com"), true));
    store.decide(&[(id("b"), Verdict::Done)], None, Timestamp(16), "x").unwrap();
    assert_eq!(store.redo(Timestamp(17), "x").unwrap(), None, "a new decision ends what can be done again");
    let history: Vec<_> = store.history(&id("a")).unwrap().into_iter().map(|d| (d.verdict.state(), d.undone)).collect();
    assert_eq!(history, [(State::Corrected, false), (State::Spam, true)]);
}

#[test]
fn another_process_sees_the_change() {
    let dir = tempfile::tempdir().unwrap();
    let mut one = Store::open(dir.path()).unwrap();
    let mut two = Store::open(dir.path()).unwrap();
    one.fill(&[notice("a", Kind::Failure, 1)], Some(("support", "INBOX", "{}"))).unwrap();
    let seen = two.changes(0).unwrap();
    assert_eq!(seen.cases.len(), 1);
    assert!(two.changes(seen.upto).unwrap().cases.is_empty());
    two.decide(&[(id("a"), Verdict::Done)], None, Timestamp(9), "two").unwrap();
    assert_eq!(one.changes(seen.upto).unwrap().cases[0].state, State::Done);
    assert_eq!(two.cursors("support").unwrap(), [("INBOX".to_owned(), "{}".to_owned())]);
}

#[test]
fn a_correction_that_bounces_again_is_marked() {
    let mut store = Store::in_memory().unwrap();
    store.fill(&[notice("a", Kind::Failure, 1)], None).unwrap();
    let to = "b@example.org".to_owned();
    store.decide(&[(id("a"), Verdict::Corrected { to })], None, Timestamp(10), "x").unwrap();
    store.fill(&[notice("b", Kind::Failure, 20)], None).unwrap();
    assert_eq!(state(&store, "b"), (State::New, true));
}

#[test]
fn names_are_found_by_their_beginning() {
    let mut store = Store::in_memory().unwrap();
    store.fill(&[notice("abc", Kind::Failure, 1), notice("abd", Kind::Failure, 2)], None).unwrap();
    assert_eq!(store.find("abc").unwrap().id, id("abc"));
    assert_eq!(store.find("ab").unwrap_err().to_string(), "\"ab\" is ambiguous: 2 cases begin like this");
    assert_eq!(store.find("x%").unwrap_err().to_string(), "no case \"x%\"");
}

#[test]
fn a_file_that_is_no_store_is_reported_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(bounceback::store::FILE);
    std::fs::write(&path, "this is no database, only a long enough text to look at").unwrap();
    let error = Store::open(dir.path()).err().unwrap();
    assert!(error.to_string().contains("could not open the store"), "{error}");
    assert!(error.hint().is_some());
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("this is no database"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
    /// Any sequence of decisions, undo and redo leaves what a list of batches with a mark says.
    #[test]
    fn the_journal_agrees_with_a_simple_model(steps in proptest::collection::vec((0u8..6, 0usize..3), 1..40)) {
        let names = ["a", "b", "c"];
        let verdicts = [Verdict::Done, Verdict::Spam, Verdict::NotOurFault, Verdict::New];
        let mut store = Store::in_memory().unwrap();
        for (at, name) in names.iter().enumerate() {
            store.fill(&[notice(name, Kind::Failure, at as i64)], None).unwrap();
        }
        let mut stands: Vec<(usize, State)> = vec![];
        let mut taken: Vec<(usize, State)> = vec![];
        for (at, (step, case)) in steps.into_iter().enumerate() {
            let at = Timestamp(100 + at as i64);
            match step {
                0..4 => {
                    let verdict = &verdicts[step as usize];
                    store.decide(&[(id(names[case]), verdict.clone())], None, at, "x").unwrap();
                    stands.push((case, verdict.state()));
                    taken.clear();
                }
                4 => match stands.pop() {
                    Some(batch) => { store.undo(at, "x").unwrap().unwrap(); taken.push(batch); }
                    None => assert_eq!(store.undo(at, "x").unwrap(), None),
                },
                _ => match taken.pop() {
                    Some(batch) => { store.redo(at, "x").unwrap().unwrap(); stands.push(batch); }
                    None => assert_eq!(store.redo(at, "x").unwrap(), None),
                },
            }
            for (case, name) in names.iter().enumerate() {
                let want = stands.iter().rev().find(|(c, _)| *c == case).map_or(State::New, |(_, state)| *state);
                assert_eq!(state(&store, name).0, want);
            }
        }
    }
}

/// What one key asks must not grow with the store.
#[test]
fn a_decision_reads_no_whole_table() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    let db = rusqlite::Connection::open(dir.path().join(bounceback::store::FILE)).unwrap();
    for sql in [
        "SELECT * FROM cases WHERE changed > 4 ORDER BY +received, id",
        "SELECT * FROM cases WHERE message = 'm' ORDER BY received, id",
        "SELECT * FROM cases WHERE address = 'a' COLLATE NOCASE AND id <> 'b' ORDER BY received DESC LIMIT 50",
        "SELECT * FROM cases WHERE id > 'a' ORDER BY id LIMIT 2000",
        "SELECT case_id FROM removed WHERE changed > 4",
    ] {
        let mut query = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> = query.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        assert!(plan.iter().all(|step| !step.starts_with("SCAN")), "{sql}: {plan:?}");
    }
    let sql = "SELECT id, state, again, due, unread FROM cases WHERE queued ORDER BY received, id";
    let plan: String = db.query_row(&format!("EXPLAIN QUERY PLAN {sql}"), [], |row| row.get(3)).unwrap();
    assert!(plan.contains("COVERING INDEX cases_queue"), "{plan}");
}
