//! Any bytes from the terminal: no panic, the screen can be drawn, the selection lies in the list.
#![no_main]

use std::collections::VecDeque;
use std::sync::LazyLock;

use bounceback::desk::{self, Desk};
use bounceback::model::Timestamp;
use bounceback::tui::hands::Hands;
use bounceback::tui::input::{Input, Parser};
use bounceback::tui::model::Model;
use bounceback::tui::msg::{Effect, Msg};
use bounceback::tui::theme::Depth;
use bounceback::tui::update::{is_blocked, update};
use bounceback::tui::{self, view};
use libfuzzer_sys::fuzz_target;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const NOW: Timestamp = Timestamp(1_795_000_000);

static MAILS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("the demo").flatten().map(|entry| entry.path()).take(24).collect();
    paths.sort();
    paths.iter().map(|path| (path.display().to_string(), std::fs::read(path).expect("a mail"))).collect()
});

fuzz_target!(|bytes: &[u8]| {
    let [width, height, bytes @ ..] = bytes else { return };
    let size = (20 + u16::from(width % 200), 4 + u16::from(height % 80));
    let mut desk = Desk::open(&desk::Options::default()).expect("a desk in memory");
    desk.import_mails(MAILS.iter().cloned(), NOW).expect("room in memory");
    let mut options = tui::Options::new(desk::Options::default(), "support@company.example");
    options.export_dir = std::env::temp_dir();
    let setup = tui::setup(&options, &desk, Depth::None).expect("a setup");
    let mut model = Model::new(setup, size, NOW);
    let mut hands = Hands::new(desk);
    let mut answers: VecDeque<Msg> = hands.begin(false, NOW).into();
    let mut parser = Parser::default();
    let mut inputs = parser.feed(bytes.get(..400).unwrap_or(bytes));
    inputs.extend(parser.silence());
    let mut keys: VecDeque<Msg> = inputs
        .into_iter()
        .filter_map(|input| match input {
            Input::Key(key) => Some(Msg::Key(key)),
            Input::Paste(text) => Some(Msg::Paste(text)),
            Input::Synchronized => None,
        })
        .collect();
    // as at the terminal: a key waits for the answers to the one before, for all cases, and for the frame that shows them
    loop {
        if answers.is_empty() && is_blocked(&model) && hands.is_reading() {
            answers.extend(hands.read_on().into_iter().flatten());
        }
        let next =
            answers.pop_front().or_else(|| if is_blocked(&model) { Some(Msg::Painted) } else { keys.pop_front() });
        let Some(message) = next else { break };
        for effect in update(&mut model, message) {
            let writes = matches!(effect, Effect::Export(..));
            if !writes && let Some(answer) = hands.perform(effect, NOW) {
                answers.push_back(answer);
            }
        }
    }
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("a terminal in memory");
    terminal.draw(|frame| view::view(&model, frame)).expect("memory takes everything");
});
