//! Screens as readable text: `tests/screens/*.txt` hold a mailbox and keys, then the screen they lead to in each layout, with
//! its styles for 16, 256 and no colours.
//!
//! Everything but the terminal is real: the desk, its store, `update` and `view`. `UPDATE_EXPECT=1` rewrites the files.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bounceback::desk::{self, Desk};
use bounceback::export::Format;
use bounceback::model::{Identity, Timestamp, Zone};
use bounceback::tui::Failure;
use bounceback::tui::hands::Hands;
use bounceback::tui::input::{Code, Input, Key, Parser};
use bounceback::tui::model::Model;
use bounceback::tui::msg::{Effect, ExportOrder, FetchStep, Msg, Written};
use bounceback::tui::theme::{Depth, Theme};
use bounceback::tui::update::{is_blocked, update};
use bounceback::tui::{self, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// The moment of every test: some days after the demo's mails.
pub(crate) const NOW: Timestamp = Timestamp(1_795_000_000);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn demo_mails() -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(root().join("assets/demo")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    paths.sort();
    assert!(paths.len() >= 40);
    paths
        .iter()
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap()))
        .collect()
}

/// A screen without a terminal: wishes of the desk are carried out at once.
pub(crate) struct Sitting {
    pub(crate) model: Model,
    hands: Hands,
    /// Wishes of others than the desk.
    pub(crate) wishes: Vec<Effect>,
    parser: Parser,
}

pub(crate) fn options(state_dir: Option<&Path>) -> desk::Options {
    let identity = Identity {
        addresses: vec!["support@company.example".into()],
        domains: vec!["company.example".into()],
        ..Identity::default()
    };
    desk::Options {
        state_dir: state_dir.map(Path::to_owned),
        identity,
        lead: "lead".into(),
        ticket_url: Some("https://company.example/t?q={ticket}".into()),
        ..desk::Options::default()
    }
}

impl Sitting {
    pub(crate) fn on(mails: Vec<(String, Vec<u8>)>, size: (u16, u16), depth: Depth) -> Self {
        let mut desk = Desk::open(&options(None)).unwrap();
        desk.import_mails(mails.into_iter(), NOW).unwrap();
        Self::at(desk, options(None), size, depth)
    }

    pub(crate) fn demo(size: (u16, u16)) -> Self {
        Self::on(demo_mails(), size, Depth::None)
    }

    pub(crate) fn at(desk: Desk, options: desk::Options, size: (u16, u16), depth: Depth) -> Self {
        let mut sitting = Self::without_cases(desk, options, size, depth);
        sitting.begin();
        sitting.read_all();
        sitting
    }

    /// A screen that has seen the first rows only.
    pub(crate) fn begun(desk: Desk, size: (u16, u16)) -> Self {
        let mut sitting = Self::without_cases(desk, options(None), size, Depth::None);
        sitting.begin();
        sitting
    }

    fn begin(&mut self) {
        for message in self.hands.begin(false, NOW) {
            self.send(message);
        }
    }

    pub(crate) fn read_all(&mut self) {
        while let Some(messages) = self.hands.read_on() {
            for message in messages {
                self.send(message);
            }
        }
    }

    fn without_cases(desk: Desk, options: desk::Options, size: (u16, u16), depth: Depth) -> Self {
        let mut options = tui::Options::new(options, "support@company.example");
        options.zone = Zone::UTC;
        options.export_dir = "exports".into();
        let setup = tui::setup(&options, &desk, depth).unwrap();
        Self {
            model: Model::new(setup, size, NOW),
            hands: Hands::new(desk),
            wishes: Vec::new(),
            parser: Parser::default(),
        }
    }

    pub(crate) fn send(&mut self, message: Msg) {
        let mut messages = VecDeque::from([message]);
        while let Some(message) = messages.pop_front() {
            for effect in update(&mut self.model, message) {
                match self.hands.perform(effect.clone(), self.model.now) {
                    Some(answer) => messages.push_back(answer),
                    None => self.wishes.push(effect),
                }
            }
            if messages.is_empty() && self.model.quest.is_some() {
                messages.push_back(Msg::GoOn);
            }
            if messages.is_empty() && is_blocked(&self.model) {
                messages.push_back(Msg::Painted);
            }
        }
    }

    /// Presses keys: words as in `keys.toml`; `text:…` types the rest of the word, `_` for a blank; `paste:…` pastes it;
    /// `fetch:begun`, `fetch:at`, `fetch:failed` and `fetch:ended` are what an account reports, `told:card`, `told:exists` and
    /// `told:failed` what the name system, a file in the way and the desk do.
    pub(crate) fn keys(&mut self, words: &str) -> &mut Self {
        for word in words.split_whitespace() {
            if let Some(text) = word.strip_prefix("paste:") {
                self.send(Msg::Paste(text.replace('_', " ")));
            } else if let Some(step) = word.strip_prefix("fetch:") {
                self.send(Msg::Fetch("support".into(), fetch_step(step)));
            } else if let Some(what) = word.strip_prefix("told:") {
                self.send(told(what));
            } else if let Some(text) = word.strip_prefix("text:") {
                for c in text.chars() {
                    let c = if c == '_' { ' ' } else { c };
                    self.send(Msg::Key(Key::plain(Code::Char(c))));
                }
            } else {
                self.send(Msg::Key(Key::named(word).unwrap_or_else(|| panic!("no key {word}"))));
            }
            self.send(Msg::Painted);
        }
        self
    }

    /// Sends bytes as a terminal would.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        for input in self.parser.feed(bytes) {
            match input {
                Input::Key(key) => self.send(Msg::Key(key)),
                Input::Paste(text) => self.send(Msg::Paste(text)),
                Input::Synchronized => {}
            }
        }
        self
    }

    pub(crate) fn buffer(&self) -> Buffer {
        let (width, height) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view::view(&self.model, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    pub(crate) fn screen(&self) -> String {
        let buffer = self.buffer();
        let mut text = String::new();
        for y in 0..buffer.area.height {
            let mut line = String::new();
            let mut x = 0;
            while x < buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += u16::try_from(tui::text::width(symbol).max(1)).unwrap();
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// The same screen drawn with so many colours.
    fn at_depth(&mut self, theme: &str, depth: Depth) -> Buffer {
        let user = (!theme.is_empty()).then_some(("theme.toml", theme));
        self.model.setup.theme = Theme::load(user, depth).unwrap();
        self.buffer()
    }
}

fn fetch_step(word: &str) -> FetchStep {
    match word {
        "begun" => FetchStep::Begun,
        "at" => FetchStep::At(1200, Some(5000), 7),
        "failed" => FetchStep::Failed(tui::Failure {
            what: "could not connect to \"imap.company.example\" port 993: timed out after 10 s".into(),
            hint: Some("check the network, or work offline: what is stored is all here".into()),
        }),
        "ended" => FetchStep::Ended { notices: 7, cases: 5, cancelled: false, unreadable: 1 },
        other => panic!("no step {other}"),
    }
}

/// Runs of styled text, one line for each row that has any: `row: style "text", …`.
fn styles(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut runs: Vec<(String, String)> = Vec::new();
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            let style = name(cell.fg, cell.bg, cell.modifier);
            match runs.last_mut() {
                Some((own, run)) if *own == style => run.push_str(cell.symbol()),
                _ => runs.push((style, cell.symbol().to_owned())),
            }
        }
        let shown: Vec<String> = runs
            .iter()
            .filter(|(style, run)| !style.is_empty() && !run.trim().is_empty())
            .map(|(style, run)| format!("{style} {:?}", run.trim()))
            .collect();
        if !shown.is_empty() {
            writeln!(text, "{:>3}: {}", y + 1, shown.join(", ")).unwrap();
        }
    }
    text
}

fn name(fg: Color, bg: Color, modifier: Modifier) -> String {
    let mut words = Vec::new();
    for (flag, word) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::REVERSED, "reverse"),
        (Modifier::UNDERLINED, "underline"),
    ] {
        if modifier.contains(flag) {
            words.push(word.to_owned());
        }
    }
    for (colour, word) in [(fg, ""), (bg, "on ")] {
        if colour != Color::Reset {
            words.push(format!("{word}{colour}").to_lowercase());
        }
    }
    words.join(" ")
}

fn told(what: &str) -> Msg {
    match what {
        "card" => {
            let lines = [
                "SPF    v=spf1 include:mail.zendesk.com ~all",
                "       good: the help desk may send for this domain",
                "DKIM   zendesk1: no record",
                "       publish: zendesk1._domainkey.company.example CNAME zendesk1._domainkey.zendesk.com",
                "DMARC  v=DMARC1; p=none",
            ];
            Msg::Card("company.example".into(), lines.map(str::to_owned).to_vec())
        }
        "exists" => {
            let path = "/home/lead/exports/corrections-2026-11-18.csv".into();
            Msg::Exported(Ok(Written::Exists(ExportOrder { format: Format::Csv, path, replace: false })))
        }
        "failed" => Msg::Failed(Failure {
            what:
                "could not write to \"/home/lead/.local/state/bounceback/bounceback.sqlite3\": database or disk is full"
                    .into(),
            hint: Some("make room on that disk, then press the key again; nothing that was saved is lost".into()),
        }),
        other => panic!("told:{other}"),
    }
}

/// A file's head: `mails demo|none|FILE…`, `sizes 80x24 …` where they are not the three usual ones, `theme LINE`,
/// `keys …` (several lines). Then, for each size, the screen and its styles with 16, 256 and no colours.
fn play(file: &str) -> String {
    let head: Vec<&str> = file.lines().take_while(|line| !line.starts_with("====")).collect();
    let value = |name: &str| head.iter().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let theme: Vec<&str> = head.iter().filter_map(|line| line.strip_prefix("theme ")).collect();
    let theme = theme.join("\n");
    let mut out = format!("{}\n", head.join("\n"));
    for size in value("sizes ").unwrap_or("50x15 80x24 140x40").split(' ') {
        let (width, height) = size.split_once('x').unwrap();
        let at = (width.parse().unwrap(), height.parse().unwrap());
        let state = tempfile::tempdir().unwrap();
        let desk = stored(value("mails ").unwrap_or("demo"), state.path());
        let mut sitting = Sitting::at(desk, options(None), at, Depth::None);
        for keys in head.iter().filter_map(|line| line.strip_prefix("keys ")) {
            sitting.keys(keys);
        }
        let none = sitting.at_depth(&theme, Depth::None);
        let sixteen = sitting.at_depth(&theme, Depth::Sixteen);
        let full = sitting.at_depth(&theme, Depth::Full);
        let plain = |(a, b): (&Cell, &Cell)| {
            a.symbol() == b.symbol() && a.modifier == b.modifier && (a.fg, a.bg) == (Color::Reset, Color::Reset)
        };
        write!(out, "==== {size}\n{}---- 16 colours\n{}", sitting.screen(), styles(&sixteen)).unwrap();
        if full == sixteen {
            out.push_str("---- 256 colours: the same\n");
        } else {
            write!(out, "---- 256 colours\n{}", styles(&full)).unwrap();
        }
        if none.content.iter().zip(&full.content).all(plain) {
            out.push_str("---- no colours: the same, without the colours\n");
        } else {
            write!(out, "---- no colours\n{}", styles(&none)).unwrap();
        }
    }
    out
}

/// A desk on a store with some mails in it. The demo is imported once and copied.
fn stored(mails: &str, state: &Path) -> Desk {
    static DEMO: OnceLock<tempfile::TempDir> = OnceLock::new();
    let open = |dir: &Path| Desk::open(&options(Some(dir))).unwrap();
    if mails == "demo" {
        let demo = DEMO.get_or_init(|| {
            let dir = tempfile::tempdir().unwrap();
            open(dir.path()).import_mails(demo_mails().into_iter(), NOW).unwrap();
            dir
        });
        for file in fs::read_dir(demo.path()).unwrap().map(Result::unwrap) {
            fs::copy(file.path(), state.join(file.file_name())).unwrap();
        }
        return open(state);
    }
    let read = |name: &str| (name.to_owned(), fs::read(root().join("tests/screens/mails").join(name)).unwrap());
    let mut desk = open(state);
    let names = mails.split_whitespace().filter(|name| *name != "none");
    desk.import_mails(names.map(read).collect::<Vec<_>>().into_iter(), NOW).unwrap();
    desk
}

#[test]
fn screens() {
    let mut files: Vec<PathBuf> =
        fs::read_dir(root().join("tests/screens")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    assert!(files.len() > 50, "no screens");
    // Most of the time is spent waiting for the disk.
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let parts: Vec<_> = files
            .chunks(files.len().div_ceil(8))
            .map(|part| scope.spawn(move || part.iter().filter_map(check).collect::<Vec<_>>()))
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "screens differ (UPDATE_EXPECT=1 accepts them)\n{}", wrong.join("\n"));
}

/// What a file should be, where it is something else.
fn check(file: &PathBuf) -> Option<String> {
    let want = fs::read_to_string(file).unwrap();
    let got = play(&want);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(file, &got).unwrap();
        return None;
    }
    (got != want).then(|| format!("{}\n{got}", file.display()))
}
