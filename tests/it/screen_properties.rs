//! What holds on the screen whatever is pressed: no panic, a selection that lies in the list, a frame that can be drawn;
//! and that undoing everything leads back to where it began.

use bounceback::model::{CaseId, State};
use bounceback::tui::input::{Code, Key};
use bounceback::tui::msg::Msg;
use bounceback::tui::theme::Depth;
use proptest::prelude::*;

use crate::screens::{Sitting, demo_mails};

/// Keys by their names in `keys.toml`. What writes files of a name that is typed (`w`, `:`) is left out.
const KEYS: &[&str] = &[
    "a",
    "c",
    "r",
    "o",
    "b",
    "e",
    "d",
    ".",
    "u",
    "U",
    "A",
    "C",
    "R",
    "O",
    "B",
    "E",
    "D",
    "t",
    "T",
    "Tab",
    "S-Tab",
    "j",
    "k",
    "Space",
    "-",
    "C-d",
    "C-u",
    "g",
    "G",
    "]",
    "[",
    "Enter",
    "Esc",
    "l",
    "h",
    "1",
    "2",
    "3",
    "4",
    "v",
    ";",
    ",",
    "H",
    "Q",
    "p",
    "/",
    "f",
    "s",
    "m",
    "n",
    "N",
    "y",
    "i",
    "z",
    "x",
    "?",
    "@",
    "Backspace",
    "Del",
    "Home",
    "End",
    "Left",
    "Right",
    "Up",
    "Down",
    "PgUp",
    "PgDn",
    "F1",
    "C-l",
    "C-c",
    "C-w",
    "$",
    "+",
    "*",
    "=",
    "q",
];

/// Something that happens to the screen.
#[derive(Debug, Clone)]
enum Event {
    Key(&'static str),
    Char(char),
    Paste(String),
    Resize(u16, u16),
    Bytes(Vec<u8>),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => prop::sample::select(KEYS).prop_map(Event::Key),
        2 => prop::sample::select(vec!['0', '5', 'ä', '€', '\u{202e}', '😀', '"']).prop_map(Event::Char),
        1 => prop::sample::select(vec!["anna@example.org", "", "two\nlines", "\u{1b}[2J"])
            .prop_map(|text| Event::Paste(text.to_owned())),
        1 => (1_u16..220, 1_u16..90).prop_map(|(width, height)| Event::Resize(width, height)),
        1 => prop::collection::vec(any::<u8>().prop_filter("no command, no export", |byte| !b":w".contains(byte)), 0..12)
            .prop_map(Event::Bytes),
    ]
}

/// What undo must bring back.
fn states(sitting: &Sitting) -> Vec<(CaseId, State, bool, Option<Box<str>>)> {
    let cases = sitting.model.queue.cases().iter();
    let mut all: Vec<_> =
        cases.map(|case| (case.id.clone(), case.state, case.noted, case.corrected_to.clone())).collect();
    all.sort_by(|a, b| a.0.0.cmp(&b.0.0));
    all
}

fn happen(sitting: &mut Sitting, event: &Event) {
    match event {
        Event::Key(name) => drop(sitting.keys(name)),
        Event::Char(c) => sitting.send(Msg::Key(Key::plain(Code::Char(*c)))),
        Event::Paste(text) => sitting.send(Msg::Paste(text.clone())),
        Event::Resize(width, height) => sitting.send(Msg::Resize(*width, *height)),
        Event::Bytes(bytes) => drop(sitting.bytes(bytes)),
    }
    sitting.send(Msg::Painted);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn whatever_is_pressed_the_screen_stands_and_undo_leads_back(events in prop::collection::vec(event(), 1..80)) {
        let folder = tempfile::tempdir().unwrap();
        let mails = demo_mails().into_iter().step_by(5).collect();
        let mut sitting = Sitting::on(mails, (80, 24), Depth::None);
        sitting.model.setup.export_dir = folder.path().to_owned();
        let before = states(&sitting);
        prop_assert!(before.len() > 5);
        for (number, event) in events.iter().enumerate() {
            happen(&mut sitting, event);
            let queue = &sitting.model.queue;
            prop_assert!(queue.is_empty() && queue.current().is_none() || queue.cursor() < queue.len());
            if number % 8 == 0 {
                sitting.buffer();
            }
        }
        sitting.buffer();
        // out of whatever lies over the list, then back to the start
        sitting.model.quit = false;
        while !sitting.model.layers.is_empty() {
            let open = sitting.model.layers.len();
            sitting.keys("Esc");
            // a first one may only end what is half done within the layer
            let closed = sitting.model.layers.len() < open || sitting.keys("Esc").model.layers.len() < open;
            prop_assert!(closed, "Esc closes a layer");
        }
        for _ in 0..200 {
            let now = states(&sitting);
            sitting.keys("u");
            if states(&sitting) == now && sitting.model.notice.as_ref().is_none_or(|notice| !notice.text.starts_with("undone")) {
                break;
            }
        }
        prop_assert_eq!(states(&sitting), before);
    }
}

#[test]
fn after_a_decision_for_the_tagged_the_cursor_stays_on_a_case_that_waits() {
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("t t");
    let here = sitting.model.queue.current().unwrap().id.clone();
    sitting.keys("o");
    assert_eq!(sitting.model.queue.current().unwrap().id, here, "{}", sitting.screen());
}

#[test]
fn a_filter_begins_at_its_first_undecided_case() {
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("f f text:cause:mailbox-full Enter");
    assert_eq!(sitting.model.queue.cursor(), 0, "{}", sitting.screen());
    assert!(sitting.model.queue.len() > 2);
    let shown = sitting.keys("j").model.queue.current().unwrap().id.clone();
    sitting.keys("F");
    assert_eq!(sitting.model.queue.current().unwrap().id, shown, "without it the cursor stays on its case");
}

#[test]
fn a_correction_that_was_cleared_leaves_no_draft() {
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("c C-u text:half Esc");
    assert!(sitting.screen().contains("not saved; what you typed is kept"), "{}", sitting.screen());
    sitting.keys("c C-u Esc");
    assert!(!sitting.screen().contains("what you typed"), "{}", sitting.screen());
    sitting.keys("c");
    assert!(sitting.screen().contains("New       anna.berg@gmial.com"), "{}", sitting.screen());
}
