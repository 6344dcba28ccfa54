//! What somebody stumbles over in the first hour at the screen: each of these was taken for something else once.

use bounceback::desk::Desk;
use bounceback::model::State;
use bounceback::tui::msg::Msg;

use crate::screens::{NOW, Sitting, demo_mails, options};

fn shows(sitting: &Sitting, words: &str) {
    let screen = sitting.screen();
    assert!(screen.contains(words), "{words:?} is not on the screen:\n{screen}");
}

fn hides(sitting: &Sitting, words: &str) {
    let screen = sitting.screen();
    assert!(!screen.contains(words), "{words:?} is on the screen:\n{screen}");
}

#[test]
fn a_digit_is_text_where_no_suggestion_has_that_number() {
    // The second case has no suggestion, the first one has one.
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("j c");
    hides(&sitting, "take and save");
    sitting.keys("text:2x");
    shows(&sitting, "New       j.doe2x@gmail.com");
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("c");
    shows(&sitting, " 1 take and save  Enter save");
    sitting.keys("2");
    shows(&sitting, "New       anna.berg@gm2ial.com");
    sitting.keys("1");
    shows(&sitting, "New       anna.berg@gm21ial.com");
    hides(&sitting, "take and save");
    // Whoever moves the cursor is typing.
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("c Home 1");
    shows(&sitting, "New       1anna.berg@gmial.com");
}

#[test]
fn the_dialog_says_what_the_cursor_and_the_scope_mean() {
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("c");
    shows(&sitting, "the cursor stands where the address looks wrong");
    hides(&sitting, "no other undecided case of this message");
    sitting.keys("Esc C");
    shows(&sitting, "Also for  no other undecided case of this message is at this domain");
    sitting.keys("Esc j c");
    shows(&sitting, "it was not the address that was refused");
}

#[test]
fn only_q_leaves_the_list() {
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("Esc h Left Esc");
    assert!(!sitting.model.quit);
    sitting.keys("Enter q");
    assert!(!sitting.model.quit, "q on the whole screen goes back");
    sitting.keys("? q L Esc");
    assert!(!sitting.model.quit, "q on a page closes it");
    sitting.keys("q");
    assert!(sitting.model.quit);
}

#[test]
fn the_one_without_a_proposal_is_looked_at_next() {
    let mut sitting = Sitting::demo((80, 24));
    // The message to four: go to it, accept for all of them.
    let queue = &sitting.model.queue;
    let at = (0..queue.len()).position(|row| queue.row(row).unwrap().address.starts_with("events@")).unwrap();
    sitting.keys("g").keys(&"j ".repeat(at)).keys("A");
    shows(&sitting, "without a proposal left alone");
    let current = sitting.model.queue.current().unwrap();
    assert_eq!(current.state, State::New);
    let group = current.group.clone();
    assert!(sitting.model.queue.cases().iter().any(|case| case.group == group && case.state != State::New));
}

#[test]
fn what_was_decided_stands_in_the_pane_and_how_to_say_it_more_exactly_in_the_line() {
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("r");
    shows(&sitting, "u undoes, then :retry DAYS");
    sitting.keys("k");
    shows(&sitting, " Decided     retry ");
    sitting.keys("u j e");
    shows(&sitting, "u undoes, then :escalate NAME");
    sitting.keys("g u");
    hides(&sitting, " Decided ");
    sitting.keys("m text:called Enter");
    shows(&sitting, "saved: note on 2 ");
}

#[test]
fn an_undone_correction_is_not_offered_to_be_sent() {
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("a Y");
    shows(&sitting, "corrected last");
    sitting.keys("Esc u j Y");
    hides(&sitting, "corrected last");
}

#[test]
fn an_export_says_where_it_lies() {
    let dir = tempfile::tempdir().unwrap();
    let desk = Desk::open(&options(None)).unwrap();
    let mut sitting = Sitting::at(desk, options(None), (200, 24), bounceback::tui::theme::Depth::None);
    let path = dir.path().join("out.csv");
    sitting.keys(&format!("w c C-u text:{} Enter", path.display()));
    shows(&sitting, &format!("to {}", path.display()));
    let here = std::env::current_dir().unwrap();
    let inside = path.strip_prefix("/").unwrap();
    let relative = here.components().skip(1).map(|_| "..").collect::<std::path::PathBuf>().join(inside);
    sitting.keys(&format!(": text:export_csv_{} Enter", relative.display()));
    shows(&sitting, &format!("{}/", here.display()));
}

#[test]
fn an_answer_ends_the_word_about_asking() {
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("P");
    shows(&sitting, "asking the name servers about company.example");
    sitting.send(Msg::Card("company.example".into(), vec!["SPF  none".into()]));
    hides(&sitting, "asking the name servers");
}

#[test]
fn whoever_gave_no_password_is_told_so() {
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("$");
    shows(&sitting, "no account is configured");
    sitting.model.setup.unsigned = vec!["support".into()];
    sitting.keys("$");
    shows(&sitting, "no password was given for support");
}

#[test]
fn mail_that_is_not_ours_is_not_sent_to_be_corrected() {
    let mut desk = Desk::open(&options(None)).unwrap();
    desk.import_mails(demo_mails().into_iter(), NOW).unwrap();
    let mut sitting = Sitting::at(desk, options(None), (80, 24), bounceback::tui::theme::Depth::None);
    let mut seen = 0;
    for _ in 0..sitting.model.queue.len() {
        let screen = sitting.screen();
        if screen.contains("we did not send the message") {
            seen += 1;
            assert!(screen.contains("Original    NOT SENT BY US"), "{screen}");
            assert!(screen.contains("then add it to own_addresses") || screen.contains("nothing, unless"), "{screen}");
            assert!(!screen.contains("Compare the address"), "{screen}");
        }
        sitting.keys("j");
    }
    assert!(seen > 0, "the demo has backscatter");
}

#[test]
fn parts_and_the_marked_line_of_evidence_are_in_sight() {
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("3 p");
    shows(&sitting, "|- 2      message/delivery-status");
    sitting.keys("p ;");
    assert_eq!(sitting.screen().lines().skip(12).filter(|line| line.starts_with('>')).count(), 1);
}

#[test]
fn no_decision_is_missing_among_the_keys() {
    for size in [(80, 24), (50, 20), (140, 40)] {
        for keys in ["g", "Enter", "3", "2"] {
            let mut sitting = Sitting::demo(size);
            sitting.keys(keys);
            let screen = sitting.screen();
            let foot = screen.lines().last().unwrap();
            let named = ["a accept", "c correct", "r retry", "o not ours", "b spam", "e escalate", "d done"];
            let lettered = foot.contains("a accept") && foot.contains("c r o b e d decide");
            assert!(lettered || named.iter().all(|words| foot.contains(words)), "after {keys} at {size:?}: {foot}");
        }
    }
}
