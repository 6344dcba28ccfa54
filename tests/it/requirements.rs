//! The requirements of the screen by their numbers (R1 to R20): those that need no terminal. The others stand in `pty`,
//! and some beside the code they are about.

use std::io::Write;

use bounceback::desk::{Changes, Desk};
use bounceback::model::{State, Timestamp, Verdict};
use bounceback::tui::model::{Layer, Model, Pane, Tone};
use bounceback::tui::msg::{Effect, FetchStep, Msg};
use bounceback::tui::paint::Painter;
use bounceback::tui::theme::Depth;
use bounceback::tui::update::update;
use bounceback::tui::{self, view};
use ratatui::Terminal;
use ratatui::layout::Size;

use crate::pty::cells;
use crate::scale::many;
use crate::screens::{NOW, Sitting, demo_mails, options};

/// Counts writes and bytes, and keeps the last frame.
#[derive(Default)]
struct Wire {
    writes: usize,
    last: Vec<u8>,
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.writes += 1;
        self.last = bytes.to_vec();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Line {
    terminal: Terminal<Painter<Wire>>,
}

impl Line {
    fn of(size: (u16, u16)) -> Self {
        let painter = Painter::new(Wire::default(), Size { width: size.0, height: size.1 });
        Self { terminal: Terminal::new(painter).unwrap() }
    }

    /// Draws a frame; its bytes. More than one write fails the test.
    fn frame(&mut self, model: &Model) -> Vec<u8> {
        *self.terminal.backend_mut().writer() = Wire::default();
        self.terminal.draw(|frame| view::view(model, frame)).unwrap();
        let wire = self.terminal.backend_mut().writer();
        assert!(wire.writes <= 1, "{} writes for one frame", wire.writes);
        std::mem::take(&mut wire.last)
    }
}

#[test]
fn r01_a_frame_is_one_write_and_stays_within_its_budget() {
    let mut sitting = Sitting::on(demo_mails(), (80, 24), Depth::Full);
    let mut line = Line::of((80, 24));
    assert!(line.frame(&sitting.model).len() < 3000);
    let mut bytes = |sitting: &mut Sitting, key: &str| line.frame(&sitting.keys(key).model).len();
    let steps: Vec<usize> = (0..50).map(|_| bytes(&mut sitting, "j")).collect();
    let mean = steps.iter().sum::<usize>() / steps.len();
    assert!(mean <= 800, "mean of j: {mean} bytes");
    let mut in_page: Vec<usize> = steps[..7].to_vec();
    in_page.sort_unstable();
    assert!(in_page[3] <= 700, "j in the page: {in_page:?}");
    bytes(&mut sitting, "g");
    let decisions: Vec<usize> = ["r", "o", "b", "e", "d", "o"].iter().map(|key| bytes(&mut sitting, key)).collect();
    assert!(decisions.iter().all(|bytes| *bytes <= 1400), "decisions: {decisions:?}");
    bytes(&mut sitting, "Enter");
    let mut details: Vec<usize> = (0..20).map(|_| bytes(&mut sitting, "j")).collect();
    details.sort_unstable();
    assert!(details[10] <= 1100, "a step in the whole-screen detail: {details:?}");
}

/// The demo is the worst of mailboxes: no two mails in a row are alike. The budgets hold there too.
#[test]
fn r01_steps_through_the_demo_stay_small() {
    for (opened, key, most, mean) in [("1", "j", 700, 800), ("Enter", "j", 700, 780), ("1", "a", 1400, 1400)] {
        let mut sitting = Sitting::on(demo_mails(), (80, 24), Depth::Full);
        let mut line = Line::of((80, 24));
        line.frame(&sitting.keys(opened).model);
        // The marks of a synchronized frame come on top. The list's budget is for the page, its mean for scrolling too.
        let steps: Vec<usize> = (0..50).map(|_| line.frame(&sitting.keys(key).model).len() + 16).collect();
        let mut counted = if opened == "1" { steps[..7].to_vec() } else { steps.clone() };
        counted.sort_unstable();
        let (found, all) = (counted[counted.len() / 2], steps.iter().sum::<usize>() / steps.len());
        assert!(found <= most && all <= mean, "{opened} {key}: median {found}, mean {all}: {steps:?}");
    }
}

#[test]
fn r01_what_is_painted_is_what_was_drawn() {
    for size in [(80, 24), (140, 40), (50, 15), (20, 5)] {
        let mut sitting = Sitting::on(demo_mails(), size, Depth::Full);
        let mut line = Line::of(size);
        let mut terminal = vt100::Parser::new(cells(size.1), cells(size.0), 0);
        for key in
            "j j j j j j j j j j j j k k 3 ; Enter Space q 2 c Esc f Esc ? Space q G g a r o u u PgDn PgDn PgUp 1 Tab"
                .split(' ')
        {
            let bytes = line.frame(&sitting.keys(key).model);
            terminal.process(&bytes);
            let shown: Vec<String> = terminal.screen().rows(0, size.0).map(|row| row.trim_end().to_owned()).collect();
            let drawn = sitting.screen();
            let drawn: Vec<&str> = drawn.lines().collect();
            assert_eq!(shown, drawn, "after {key} at {size:?}");
        }
    }
}

#[test]
fn r15_wide_characters_leave_no_letters_behind() {
    for size in [(80, 24), (140, 40), (50, 15)] {
        let mut sitting = Sitting::on(demo_mails(), size, Depth::Full);
        let mut line = Line::of(size);
        let mut terminal = vt100::Parser::new(cells(size.1), cells(size.0), 0);
        let mut wide = 0;
        for case in 0..58 {
            for key in ["2", "L", "q", "Y", "Esc", "1", "j"] {
                terminal.process(&line.frame(&sitting.keys(key).model));
                let shown: Vec<String> =
                    terminal.screen().rows(0, size.0).map(|row| row.trim_end().to_owned()).collect();
                let drawn = sitting.screen();
                wide += drawn.chars().filter(|c| tui::text::width(&c.to_string()) > 1).count();
                assert_eq!(shown, drawn.lines().collect::<Vec<_>>(), "after {key} on case {} at {size:?}", case + 1);
            }
        }
        assert!(wide > 0, "the demo has wide characters");
    }
}

#[test]
fn r03_an_unchanged_screen_sends_nothing() {
    let mut sitting = Sitting::demo((80, 24));
    let mut line = Line::of((80, 24));
    line.frame(&sitting.model);
    assert_eq!(line.frame(&sitting.model), b"");
    sitting.send(Msg::Clock(Timestamp(NOW.0 + 600)));
    assert_eq!(line.frame(&sitting.model), b"", "ten minutes later");
    sitting.send(Msg::Fetch("support".into(), FetchStep::Begun));
    line.frame(&sitting.model);
    sitting.send(Msg::Fetch("support".into(), FetchStep::At(100, Some(2000), 3)));
    assert!(line.frame(&sitting.model).len() <= 60, "a report of a fetch is short");
}

#[test]
fn r05_keys_act_while_a_fetch_hangs_and_its_end_is_told() {
    let mut sitting = Sitting::demo((80, 24));
    sitting.send(Msg::Fetch("support".into(), FetchStep::Begun));
    assert!(sitting.screen().contains("connecting support"));
    sitting.keys("j j o");
    assert!(sitting.screen().contains("saved: 3 "));
    let failure = tui::Failure { what: "could not connect to mail.example: timed out".into(), hint: None };
    sitting.send(Msg::Fetch("support".into(), FetchStep::Failed(failure)));
    assert!(sitting.screen().contains("could not connect to mail.example: timed out"));
    assert!(sitting.screen().contains("! support not fetched"));
}

#[test]
fn r06_nothing_says_saved_before_the_journal_has_it() {
    let mut sitting = Sitting::demo((80, 24));
    let effects = update(&mut sitting.model, Msg::Key(bounceback::tui::input::Key::named("o").unwrap()));
    assert!(!sitting.screen().contains("saved"), "{}", sitting.screen());
    let Some(Effect::Decide(deed, ..)) = effects.into_iter().find(|effect| matches!(effect, Effect::Decide(..))) else {
        panic!("no decision was asked for")
    };
    let failure = tui::Failure { what: "the disk is full".into(), hint: None };
    sitting.send(Msg::Decided(deed, Err(failure)));
    let screen = sitting.screen();
    assert!(screen.contains("not saved: ") && screen.contains("the disk is full"), "{screen}");
    assert_eq!(sitting.model.queue.cursor(), 0, "back on the case that was not saved");
}

#[test]
fn r06_decisions_and_drafts_survive_in_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Desk::open(&options(Some(dir.path()))).unwrap();
    let mut desk = open();
    desk.import_mails(demo_mails().into_iter(), NOW).unwrap();
    let mut first = Sitting::at(desk, options(Some(dir.path())), (80, 24), Depth::None);
    first.keys("j o c C-u text:half@typed Tab text:by_phone");
    let id = first.model.queue.current().unwrap().id.clone();
    let kept = tui::session::kept(&first.model);
    assert_eq!(kept.get(&format!("draft/correct/{id}")), Some(&Some("half@typed\nby phone".to_owned())));
    let mut desk = open();
    for (key, text) in &kept {
        desk.keep(key, text.as_deref()).unwrap();
    }
    drop(first);
    let mut second = Sitting::at(desk, options(Some(dir.path())), (80, 24), Depth::None);
    assert_eq!(second.model.queue.current().unwrap().id, id, "the same case");
    assert!(
        second.screen().contains("a half-typed correction is kept for this case: c goes on"),
        "{}",
        second.screen()
    );
    second.keys("c");
    assert!(second.screen().contains("half@typed"), "{}", second.screen());
    assert!(second.screen().contains("Note      by phone"), "{}", second.screen());
    second.keys("Esc u");
    assert!(second.screen().contains("undone: "), "undo reaches behind the restart");
}

#[test]
fn r06_what_is_repeated_tagged_and_sought_survives_in_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(&options(Some(dir.path()))).unwrap();
    desk.import_mails(demo_mails().into_iter(), NOW).unwrap();
    let mut first = Sitting::at(desk, options(Some(dir.path())), (80, 24), Depth::None);
    // A correction of a domain, a search, two tags.
    first.keys("a / text:mailhaus Enter t t");
    let (repeat, tagged) = (first.model.repeat.clone(), first.model.queue.tagged().clone());
    assert!(matches!(&repeat, Some(tui::model::Repeat::Domain(old, new)) if old == "gmial.com" && new == "gmail.com"));
    let kept = tui::session::kept(&first.model);
    drop(first);
    let mut desk = Desk::open(&options(Some(dir.path()))).unwrap();
    for (key, text) in &kept {
        desk.keep(key, text.as_deref()).unwrap();
    }
    let mut second = Sitting::at(desk, options(Some(dir.path())), (80, 24), Depth::None);
    assert_eq!((&second.model.repeat, second.model.queue.tagged()), (&repeat, &tagged));
    assert_eq!(tagged.len(), 2);
    second.keys("T g n");
    assert!(second.model.queue.current().unwrap().address.contains("mailhaus"), "{}", second.screen());
    second.keys("g .");
    let again = "saved: 1 anna.berg@gmial.com -> corrected to anna.berg@gmail.com";
    assert!(second.screen().contains(again), "{}", second.screen());
}

#[test]
fn r07_undo_takes_every_decision_back_and_redo_does_it_again() {
    let mut sitting = Sitting::demo((80, 24));
    let before: Vec<_> = sitting.model.queue.cases().to_vec();
    sitting.keys("a r o b e d m text:x Enter R");
    let after: Vec<_> = sitting.model.queue.cases().to_vec();
    assert_ne!(before, after);
    sitting.keys("u u u u u u u u u u");
    let state = |cases: &[bounceback::model::Case]| {
        cases.iter().map(|case| (case.id.clone(), case.state, case.noted)).collect::<Vec<_>>()
    };
    assert_eq!(state(sitting.model.queue.cases()), state(&before));
    sitting.keys("U U U U U U U U U U");
    assert_eq!(state(sitting.model.queue.cases()), state(&after));
}

#[test]
fn r07_only_many_at_once_and_overwriting_are_asked_about() {
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys(": text:tag Enter o");
    assert!(matches!(sitting.model.layers.last(), Some(Layer::Confirm(_))));
    sitting.keys("Enter");
    assert_eq!(sitting.model.queue.tally().left, sitting.model.queue.tally().total, "Enter is no yes");
    sitting.keys("o y");
    assert_eq!(sitting.model.queue.tally().left, 0);
    sitting.keys("q u");
    assert_eq!(sitting.model.queue.tally().left, sitting.model.queue.tally().total, "one undo takes all of it back");
}

#[test]
fn r08_one_key_decides_and_goes_on_and_an_unseen_proposal_is_shown_first() {
    let mut sitting = Sitting::demo((80, 24));
    let total = sitting.model.queue.tally().left;
    sitting.keys("a a");
    assert_eq!(sitting.model.queue.tally().left, total - 2);
    let notice = sitting.model.notice.clone().unwrap();
    assert_eq!(notice.tone, Tone::Saved);
    assert!(notice.text.starts_with("saved: 2 "), "{}", notice.text);
    // Typed ahead: the model waits until a frame has shown what would be accepted.
    let mut model = Sitting::demo((80, 24)).model;
    model.painted = None;
    let effects = update(&mut model, Msg::Key(bounceback::tui::input::Key::named("a").unwrap()));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Decide(..))));
    let effects = update(&mut model, Msg::Painted);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Decide(..))));
}

#[test]
fn r09_every_case_is_counted_and_own_addresses_never_stand_as_failed() {
    let mut sitting = Sitting::demo((80, 24));
    let queue = &sitting.model.queue;
    let queued = queue.cases().iter().filter(|case| case.is_queued(NOW)).count();
    assert_eq!((queue.tally().total, queue.len()), (queued, queued));
    assert!(queue.cases().iter().all(|case| !case.address.eq_ignore_ascii_case("support@company.example")));
    sitting.keys("f c");
    assert!(sitting.screen().contains(&format!(" of {queued} ")), "a filter never hides how many there are");
    sitting.keys("i");
    let screen = sitting.screen();
    assert!(screen.contains("Notices") && screen.contains("stored:"), "{screen}");
}

#[test]
fn r10_one_key_shows_the_very_line() {
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("3");
    assert_eq!(sitting.model.pane, Pane::Raw);
    let marks = |sitting: &Sitting| sitting.screen().matches("<<< ").count();
    assert!(marks(&sitting) > 0, "{}", sitting.screen());
    let all = view::reader::evidence(&sitting.model).len();
    for _ in 0..all {
        sitting.keys(";");
        assert!(marks(&sitting) > 0, "each step keeps a marked line in sight");
    }
    let first = sitting.model.reading.evidence;
    sitting.keys("; ,");
    assert_eq!(sitting.model.reading.evidence, first);
}

#[test]
fn r11_no_hostile_character_reaches_the_screen() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens/mails/hostile.eml");
    let mail = std::fs::read(path).unwrap();
    for size in [(80, 24), (140, 40), (50, 15)] {
        let mut sitting = Sitting::on(vec![("hostile.eml".into(), mail.clone())], size, Depth::Full);
        let mut line = Line::of(size);
        for key in "j 2 3 H Enter Space q 1 Enter q 4 c Esc y Y Esc f Esc m Esc i q L q".split(' ') {
            let bytes = line.frame(&sitting.keys(key).model);
            // What the painter itself sends: sequences, and steps to the next lines before one.
            let text = ["\n\n\x1b[", "\n\x1b[", "\x1b[", "\r\n", "\r"]
                .iter()
                .fold(String::from_utf8(bytes).unwrap(), |text, own| text.replace(own, ""));
            for c in text.chars() {
                let hostile = c.is_control()
                    || matches!(u32::from(c), 0x200B..=0x200F | 0x202A..=0x202E | 0x2066..=0x2069 | 0xE0000..=0xE0FFF);
                assert!(!hostile, "U+{:04X} after {key} at {size:?}", u32::from(c));
            }
        }
    }
}

#[test]
fn r12_no_colour_leaves_no_colour_and_letters_carry_the_meaning() {
    let mut sitting = Sitting::demo((80, 24));
    let mut line = Line::of((80, 24));
    for key in "a j 3 ; 1 c Esc ? q".split(' ') {
        let bytes = String::from_utf8(line.frame(&sitting.keys(key).model)).unwrap();
        for sequence in bytes.split("\x1b[").skip(1) {
            let Some((codes, _)) =
                sequence.split_once('m').filter(|(codes, _)| codes.bytes().all(|b| b.is_ascii_digit() || b == b';'))
            else {
                continue;
            };
            for code in codes.split(';').filter_map(|code| code.parse::<u8>().ok()) {
                assert!(code < 30, "colour {code} after {key}");
            }
        }
    }
    let mut coloured = Sitting::on(demo_mails(), (80, 24), Depth::Full);
    coloured.keys("a r o b e d g");
    let mut plain = Sitting::demo((80, 24));
    plain.keys("a r o b e d g");
    assert_eq!(plain.screen(), coloured.screen(), "colour says nothing that letters do not say");
}

#[test]
fn r13_typed_text_never_runs_commands() {
    let mut sitting = Sitting::demo((80, 24));
    let left = sitting.model.queue.tally().left;
    sitting.keys("/ text:aroqbed").bytes(b"\x1b[200~q\nqaaa\x1b[201~").keys("Esc");
    sitting.bytes(b"\x1b[200~aaa\x1b[201~");
    sitting.keys("c text:adq Esc");
    assert!(!sitting.model.quit);
    assert_eq!(sitting.model.queue.tally().left, left);
}

#[test]
fn r14_no_size_panics_and_the_selection_stays() {
    let mut sitting = Sitting::demo((80, 24));
    sitting.keys("j j j j j");
    let id = sitting.model.queue.current().unwrap().id.clone();
    for keys in ["1", "3", "Enter", "q", "c", "Esc", "f", "Esc", "?", "q", ":", "Esc", "2", "i", "q"] {
        sitting.keys(keys);
        for size in
            [(1, 1), (2, 3), (7, 2), (20, 5), (40, 10), (59, 9), (60, 14), (119, 13), (120, 16), (200, 60), (80, 24)]
        {
            sitting.send(Msg::Resize(size.0, size.1));
            let buffer = sitting.buffer();
            assert_eq!((buffer.area.width, buffer.area.height), size);
        }
    }
    assert_eq!(sitting.model.queue.current().unwrap().id, id);
}

#[test]
fn r17_copying_says_what_it_did_and_no_more() {
    let mut sitting = Sitting::demo((80, 24));
    let address = sitting.model.queue.current().unwrap().address.clone();
    sitting.keys("y");
    assert!(sitting.wishes.contains(&Effect::Copy(address.to_string())));
    assert!(sitting.screen().contains(&format!("sent to the terminal's clipboard: {address}")));
}

#[test]
fn arriving_rows_leave_the_cursor_on_its_case() {
    let mut sitting = Sitting::on(Vec::new(), (80, 24), Depth::None);
    let cases = many(50);
    sitting.send(Msg::Cases(cases[20..].to_vec()));
    update(&mut sitting.model, Msg::Key(bounceback::tui::input::Key::named("j").unwrap()));
    let id = sitting.model.queue.current().unwrap().id.clone();
    update(&mut sitting.model, Msg::Changed(Changes { upto: 2, cases: cases[..20].to_vec(), removed: Vec::new() }));
    assert_eq!(sitting.model.queue.current().unwrap().id, id);
    assert_eq!(sitting.model.queue.len(), 50);
}

#[test]
fn a_due_retry_and_a_new_bounce_come_first() {
    let mut sitting = Sitting::on(Vec::new(), (80, 24), Depth::None);
    let mut cases = many(10);
    cases[7].state = State::Retry;
    cases[7].due = Some(NOW.plus_days(1));
    cases[9].state = State::Corrected;
    cases[9].again = true;
    sitting.send(Msg::Cases(cases));
    let first = |sitting: &Sitting| sitting.model.queue.row(0).unwrap().id.0.clone();
    assert_eq!(first(&sitting), "00000009");
    assert_eq!(sitting.model.queue.tally().left, 9);
    sitting.send(Msg::Clock(NOW.plus_days(2)));
    assert_eq!(first(&sitting), "00000007", "its retry is due");
    assert_eq!(sitting.model.queue.tally().left, 10);
}

#[test]
fn settling_what_is_old_is_one_act() {
    let mut sitting = Sitting::demo((80, 24));
    let left = sitting.model.queue.tally().left;
    sitting.keys(": text:settle_9d_not-our-fault Enter y");
    let after = sitting.model.queue.tally().left;
    assert!(after < left);
    sitting.keys("u");
    assert_eq!(sitting.model.queue.tally().left, left);
}

#[test]
fn the_last_correction_is_repeated_as_a_domain_rule() {
    let mut sitting = Sitting::demo((80, 24));
    let row = |sitting: &Sitting| sitting.model.queue.current().unwrap().clone();
    while !row(&sitting).address.ends_with("@gmial.com") {
        sitting.keys("j");
    }
    sitting.keys("a");
    sitting.keys(".");
    let notice = sitting.model.notice.clone().unwrap().text;
    assert!(notice.contains("the last correction was gmial.com -> gmail.com"), "{notice}");
    let corrected = sitting.model.queue.cases().iter().filter(|case| case.state == State::Corrected).count();
    assert_eq!(corrected, 1);
}

#[test]
fn a_correction_takes_a_suggestion_by_its_number() {
    let mut sitting = Sitting::demo((80, 24));
    while !sitting.model.queue.current().unwrap().address.ends_with("@gmial.com") {
        sitting.keys("j");
    }
    let id = sitting.model.queue.current().unwrap().id.clone();
    sitting.keys("c 1");
    let case = sitting.model.queue.case(&id).unwrap();
    assert_eq!((case.state, case.corrected_to.as_deref()), (State::Corrected, Some("anna.berg@gmail.com")));
    let verdict = Verdict::Corrected { to: "anna.berg@gmail.com".into() };
    assert_eq!(verdict.state(), case.state);
}

#[test]
fn r19_the_plain_mode_asks_the_same_without_any_escape_sequence() {
    let dir = tempfile::tempdir().unwrap();
    let desk_options = options(Some(dir.path()));
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens/mails/hostile.eml");
    let mut mails = demo_mails();
    mails.insert(0, ("hostile.eml".into(), std::fs::read(path).unwrap()));
    Desk::open(&desk_options).unwrap().import_mails(mails.into_iter(), NOW).unwrap();
    let mut plain_options = tui::Options::new(desk_options.clone(), "support");
    plain_options.zone = bounceback::model::Zone::UTC;
    let answers = "?\na\nc 1\no\nu\nr 5d\nm asked on the phone\nm\nby mail too\nv\nt\nP\ns\nx y\nc nonsense\nc\n\nc\nnew@example.org\nq\n";
    let mut out = Vec::new();
    let summary = tui::plain::run(&plain_options, &mut answers.as_bytes(), &mut out, &|| NOW).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains('\x1b') && !text.contains('\u{202e}'), "{text}");
    assert!(text.contains("saved: 1 "), "{text}");
    for want in [
        "Case 1 of ",
        "undone: ",
        "-> retry ",
        "saved: note on ",
        " line ",
        "x y: not understood",
        "the @ is missing",
        "company.example: who may send mail for it",
        "-> corrected to new@example.org",
    ] {
        assert!(text.contains(want), "{want} is missing in:\n{text}");
    }
    let desk = Desk::open(&desk_options).unwrap();
    let decided = desk.cases().unwrap().iter().filter(|case| case.is_queued(NOW) && case.state != State::New).count();
    assert_eq!(decided, summary.decided);
    assert!(decided >= 2);
}
