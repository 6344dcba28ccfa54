//! The real binary on a pseudo-terminal: first paint, keys, resize, signals, suspend, editor, what is left behind.
//!
//! Waits for what the screen shows, never for time to pass; the deadline only ends a test that has failed.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use bounceback::desk::Desk;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::screens::{NOW, demo_mails};

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) struct Terminal {
    pub(crate) child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    pub(crate) bytes: Receiver<Vec<u8>>,
    pub(crate) screen: vt100::Parser,
    /// Everything that was received.
    pub(crate) all: Vec<u8>,
    pub(crate) home: tempfile::TempDir,
}

/// A number of cells, for the terminal's model.
pub(crate) fn cells(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap()
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { cols: columns, rows, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    /// The binary with these arguments.
    pub(crate) fn run(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        Self::command(env!("CARGO_BIN_EXE_bounceback"), arguments, env)
    }

    pub(crate) fn command(program: &str, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let pair = native_pty_system().openpty(size(80, 24)).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        for (name, value) in [("PATH", "/usr/bin:/bin"), ("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TZ", "UTC")]
        {
            command.env(name, value);
        }
        command.env("HOME", home.path());
        for (name, value) in env {
            command.env(name, value);
        }
        command.cwd(home.path());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keyboard = pair.master.take_writer().unwrap();
        let (sender, bytes) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 || sender.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let screen = vt100::Parser::new(cells(24), cells(80), 0);
        Self { child, master: pair.master, keyboard, bytes, screen, all: Vec::new(), home }
    }

    pub(crate) fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Waits until the screen passes; shows it where it never does.
    pub(crate) fn until(&mut self, what: &str, passes: impl Fn(&vt100::Screen) -> bool) {
        self.wait(DEADLINE, what, passes);
    }

    /// The same with a deadline of its own.
    pub(crate) fn wait(&mut self, longest: Duration, what: &str, passes: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + longest;
        while !passes(self.screen.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.bytes.recv_timeout(left) {
                Ok(bytes) => {
                    self.screen.process(&bytes);
                    self.all.extend(bytes);
                }
                Err(_) => panic!("waited in vain for {what}; the screen:\n{}", self.text()),
            }
        }
    }

    pub(crate) fn see(&mut self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    pub(crate) fn type_(&mut self, bytes: &[u8]) {
        self.keyboard.write_all(bytes).unwrap();
        self.keyboard.flush().unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.process_id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Waits for the end; the exit code, with everything that came until then on the screen.
    pub(crate) fn end(&mut self) -> u32 {
        let code = self.child.wait().unwrap().exit_code();
        while let Ok(bytes) = self.bytes.recv_timeout(Duration::from_secs(5)) {
            self.screen.process(&bytes);
            self.all.extend(bytes);
        }
        code
    }

    pub(crate) fn is_restored(&self) {
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste(), "bracketed paste is off");
    }
}

/// A state folder with the demo's mails in it.
pub(crate) fn state() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let options =
        bounceback::desk::Options { state_dir: Some(dir.path().to_owned()), lead: "lead".into(), ..Default::default() };
    Desk::open(&options).unwrap().import_mails(demo_mails().into_iter(), NOW).unwrap();
    dir
}

pub(crate) fn open(state: &Path, env: &[(&str, &str)]) -> Terminal {
    let mut terminal = Terminal::run(&["--state-dir", state.to_str().unwrap()], env);
    terminal.see("left ");
    terminal.see("Suggest");
    terminal
}

#[test]
fn r16_the_demo_opens_decides_and_leaves_the_terminal_as_it_was() {
    let mut terminal = Terminal::run(&["demo"], &[]);
    terminal.see("Suggest");
    assert!(terminal.screen.screen().alternate_screen());
    terminal.type_(b"o");
    terminal.see("saved: 1 ");
    terminal.type_(b"u");
    terminal.see("undone: ");
    terminal.type_(b"q");
    assert_eq!(terminal.end(), 0);
    terminal.is_restored();
    assert!(terminal.text().contains(" decided, "), "{}", terminal.text());
}

#[test]
fn r16_signals_give_the_terminal_back() {
    for signal in ["TERM", "HUP", "INT"] {
        let state = state();
        let mut terminal = open(state.path(), &[]);
        terminal.signal(signal);
        terminal.end();
        terminal.is_restored();
    }
}

#[test]
fn r06_a_decision_that_was_shown_as_saved_survives_kill_9() {
    let state = state();
    let mut terminal = open(state.path(), &[]);
    terminal.type_(b"o");
    terminal.see("saved: 1 ");
    terminal.signal("KILL");
    terminal.end();
    let mut again = open(state.path(), &[]);
    again.type_(b"u");
    again.see("undone: ");
}

#[test]
fn r06_half_typed_text_survives_kill_9_within_a_second() {
    let state = state();
    let mut terminal = open(state.path(), &[]);
    terminal.type_(b"mhalf a note");
    terminal.see("note: half a note");
    // The text is on disk when another process can read it there.
    let options = bounceback::desk::Options { state_dir: Some(state.path().to_owned()), ..Default::default() };
    let desk = Desk::open(&options).unwrap();
    let id = desk.cases().unwrap().into_iter().find(|case| case.is_queued(bounceback::cli::now())).unwrap().id;
    let deadline = Instant::now() + DEADLINE;
    while desk.kept(&format!("draft/note/{id}")).unwrap().is_none() {
        assert!(Instant::now() < deadline, "the draft was never kept");
        std::thread::yield_now();
    }
    terminal.signal("KILL");
    terminal.end();
    let mut again = open(state.path(), &[]);
    again.type_(b"m");
    again.see("note: half a note");
}

#[test]
fn r02_a_burst_of_keys_is_a_few_frames() {
    let state = state();
    let mut terminal = open(state.path(), &[]);
    let before = terminal.all.len();
    terminal.type_(&b"j".repeat(200));
    let last = {
        let options = bounceback::desk::Options { state_dir: Some(state.path().to_owned()), ..Default::default() };
        Desk::open(&options)
            .unwrap()
            .cases()
            .unwrap()
            .iter()
            .filter(|case| case.is_queued(bounceback::cli::now()))
            .count()
    };
    terminal.see(&format!("{last}/{last}"));
    terminal.type_(b"?");
    terminal.see("[Help]");
    let bytes = terminal.all.len() - before;
    assert!(bytes <= 4000 + 3000, "{bytes} bytes for 200 keys and the help");
}

#[test]
fn r04_the_first_frame_never_waits_and_replies_are_no_keys() {
    let state = state();
    // Nothing answers the question for synchronized updates here: the screen is there all the same.
    let mut terminal = open(state.path(), &[]);
    assert!(terminal.all.windows(8).any(|bytes| bytes == b"\x1b[?2026$"), "it asks");
    terminal.type_(b"\x1b[?2026;2$y\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?62;22c\x1b[24;80R");
    terminal.type_(b"o");
    terminal.see("saved: 1 ");
    assert!(terminal.all.windows(8).any(|bytes| bytes == b"\x1b[?2026h"), "it uses what the terminal knows");
}

#[test]
fn r14_a_resize_keeps_the_selection() {
    let state = state();
    let mut terminal = open(state.path(), &[]);
    terminal.type_(b"jjj");
    terminal.see(" 4/");
    for (columns, rows) in [(40, 10), (20, 5), (140, 40), (80, 24)] {
        terminal.screen.screen_mut().set_size(cells(rows), cells(columns));
        terminal.master.resize(size(columns, rows)).unwrap();
        terminal.until("the new size", |screen| {
            let first = screen.rows(0, columns).next().unwrap_or_default();
            first.contains("4/") && screen.rows(0, columns).last().is_some_and(|last| last.starts_with(" a "))
        });
    }
}

#[test]
fn r13_a_paste_into_the_dialog_is_text() {
    let state = state();
    let mut terminal = open(state.path(), &[]);
    terminal.type_(b"c");
    terminal.see("Correct address");
    terminal.type_(b"\x1b[200~qqq@pasted.example\r\n\x1b[201~");
    terminal.see("qqq@pasted.example");
    terminal.type_(b"\x1b");
    terminal.see("not saved; what you typed is kept");
}

#[test]
fn r16_suspend_and_resume() {
    let state = state();
    let binary = env!("CARGO_BIN_EXE_bounceback");
    let line =
        format!("set -m; {binary} --state-dir {} ; echo STOPPED; read x; fg; echo ENDED", state.path().display());
    let mut terminal = Terminal::command("bash", &["-c", &line], &[]);
    terminal.see("Suggest");
    terminal.type_(b"\x1a");
    terminal.see("STOPPED");
    terminal.is_restored();
    terminal.type_(b"\r");
    terminal.see("Suggest");
    assert!(terminal.screen.screen().alternate_screen());
    terminal.type_(b"q");
    terminal.see("ENDED");
    terminal.end();
    terminal.is_restored();
}

#[test]
fn r16_without_a_shell_suspend_does_nothing() {
    let state = state();
    let mut terminal = open(state.path(), &[]);
    terminal.type_(b"\x1a");
    terminal.see("cannot suspend");
    terminal.type_(b"q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn r16_the_editor_gets_the_terminal_and_gives_it_back() {
    let state = state();
    let mut terminal = open(state.path(), &[("EDITOR", "printf 'from the editor\\n' >")]);
    terminal.type_(b"M");
    terminal.see("saved: note on 1 ");
    terminal.type_(b"4");
    terminal.see("note by ");
    terminal.see("from the editor");
    terminal.type_(b"q");
    terminal.end();
    terminal.is_restored();
}

#[test]
fn r12_term_dumb_is_told_what_else_there_is() {
    let mut terminal = Terminal::run(&["demo"], &[("TERM", "dumb")]);
    assert_eq!(terminal.end(), 1);
    let text = terminal.text();
    assert!(text.contains("step --plain"), "{text}");
    assert!(!terminal.all.contains(&0x1b), "no escape sequence");
}

#[test]
fn r17_a_copy_goes_to_the_terminal_as_osc_52() {
    let state = state();
    let mut terminal = open(state.path(), &[]);
    terminal.type_(b"y");
    terminal.see("sent to the terminal's clipboard: ");
    assert!(terminal.all.windows(7).any(|bytes| bytes == b"\x1b]52;c;"));
}
