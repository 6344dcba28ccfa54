//! The loop of the screen, and the only place where its wishes are carried out.
//!
//! Invariants: everything that has arrived is taken in before a frame is drawn; a frame is one write; at rest nothing is
//! written, and once a second the store is asked whether another process changed it; a key never waits for the network,
//! and for the disk no longer than [`PATIENCE`].

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

use crossterm::clipboard::CopyToClipboard;
use ratatui::Terminal;

use super::editor;
use super::inbox::{Account, Inbox};
use super::input::{Input, Parser};
use super::look_up;
use super::model::Model;
use super::msg::{Effect, Failure, FetchStep, Msg};
use super::paint::Painter;
use super::terminal::{self, Guard, Out};
use super::update::{is_blocked, update, wants_paint};
use super::worker::{self, Event, Request};
use super::{session, view};
use crate::desk::{self, Turns};
use crate::model::Timestamp;

/// How long a frame waits for the desk, so that a decision and its confirmation are one frame.
const PATIENCE: Duration = Duration::from_millis(15);
/// How long the first frame waits for rows to show.
const FIRST: Duration = Duration::from_millis(150);
/// How much longer it waits for the case under the cursor.
const NEXT: Duration = Duration::from_millis(40);
/// How long a lone ESC waits for the rest of a sequence.
const ESCAPE: Duration = Duration::from_millis(50);
/// How long typed text may stay unkept.
const KEEP: Duration = Duration::from_millis(700);
/// How often the store is asked for what other processes changed.
const LOOK: Duration = Duration::from_secs(1);
/// After how long a deed that waits for the store says so.
const LATE: Duration = Duration::from_millis(600);
/// Longest text sent to the terminal's clipboard, in bytes.
const CLIPBOARD: usize = 64 * 1024;

/// Everything the loop holds.
pub(super) struct Runtime {
    model: Model,
    terminal: Terminal<Painter<Out>>,
    guard: Guard,
    parser: Parser,
    inputs: VecDeque<Input>,
    events: Receiver<Event>,
    sender: Sender<Event>,
    requests: Sender<Request>,
    /// Requests that have not been answered.
    open: usize,
    tokens: Sender<()>,
    /// Whether the keyboard waits for a token.
    token_due: bool,
    kept: BTreeMap<String, Option<String>>,
    keep_at: Option<Instant>,
    wanted: Wanted,
    /// Addresses whose domain wants to be looked up.
    questions: Sender<String>,
    inboxes: Vec<Inbox>,
    desk_options: desk::Options,
    signal: Option<i32>,
    looked: Instant,
    /// Since when a deed waits for the store, until that is told.
    asked: Option<Instant>,
}

/// What was asked of the desk last; only the newest of each is worth an answer.
#[derive(Debug, Default)]
struct Wanted {
    load: Option<Effect>,
    mail: Option<Effect>,
}

/// What the loop needs at its start.
pub(super) struct Start {
    pub(super) model: Model,
    pub(super) guard: Guard,
    pub(super) events: Receiver<Event>,
    pub(super) sender: Sender<Event>,
    pub(super) requests: Sender<Request>,
    pub(super) accounts: Vec<Account>,
    pub(super) desk_options: desk::Options,
    pub(super) fetch: bool,
}

/// The time of day.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Runs the screen until it is left. Returns the model as it was then, and the signal that ended it.
pub(super) fn run(start: Start) -> io::Result<(Model, Option<i32>)> {
    let (tokens, token_inbox) = channel();
    worker::keyboard(token_inbox, start.sender.clone())?;
    let signals = worker::signals(start.sender.clone())?;
    let questions = look_up::addresses(start.desk_options.resolver.clone(), start.sender.clone())?;
    let turns = Turns::default();
    let inbox = |account| Inbox::open(account, start.desk_options.clone(), turns.clone(), start.sender.clone());
    let inboxes = start.accounts.into_iter().map(inbox).collect::<io::Result<_>>()?;
    let painter = Painter::new(Out::open(), terminal::size());
    let mut runtime = Runtime {
        model: start.model,
        terminal: Terminal::new(painter)?,
        guard: start.guard,
        parser: Parser::default(),
        inputs: VecDeque::new(),
        events: start.events,
        sender: start.sender,
        requests: start.requests,
        open: 0,
        tokens,
        token_due: false,
        kept: BTreeMap::new(),
        keep_at: None,
        wanted: Wanted::default(),
        questions,
        inboxes,
        desk_options: start.desk_options,
        signal: None,
        looked: Instant::now(),
        asked: None,
    };
    let result = runtime.run(start.fetch);
    signals.close();
    runtime.inboxes.clear();
    runtime.keep();
    // The last request is answered before the terminal goes back: what was typed last is on disk.
    let deadline = Instant::now() + Duration::from_secs(2);
    while runtime.open > 0 && Instant::now() < deadline {
        match runtime.events.recv_timeout(Duration::from_millis(100)) {
            Ok(event) => runtime.take(event),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    result.map(|()| (runtime.model, runtime.signal))
}

impl Runtime {
    fn run(&mut self, fetch: bool) -> io::Result<()> {
        self.update(Msg::Clock(now()));
        self.request(Request::Begin(self.model.queue.is_limited(), self.model.now));
        self.rows(FIRST);
        self.advance(NEXT)?;
        self.terminal.backend_mut().send(terminal::ASK_SYNCHRONIZED);
        self.draw()?;
        if fetch {
            self.effect(Effect::Pull);
        }
        while !self.model.quit {
            if let Some(event) = self.wait() {
                self.update(Msg::Clock(now()));
                self.take(event);
                while let Ok(event) = self.events.try_recv() {
                    self.take(event);
                }
            }
            self.glance();
            self.advance(PATIENCE)?;
            self.draw()?;
            if self.keep_at.is_none() && session::kept(&self.model) != self.kept {
                self.keep_at = Some(Instant::now() + KEEP);
            }
        }
        Ok(())
    }

    /// Lets the keyboard be read on, where nothing that was typed is left.
    fn next_token(&mut self) {
        if self.token_due && self.inputs.is_empty() {
            self.token_due = false;
            let _ = self.tokens.send(());
        }
    }

    /// The next event; none where a time was up first.
    fn wait(&mut self) -> Option<Event> {
        self.next_token();
        let escape = self.parser.is_pending().then(|| Instant::now() + ESCAPE);
        let look = self.may_look().then(|| self.looked + LOOK);
        let late = self.asked.map(|at| at + LATE);
        let until = [escape, self.keep_at, look, late].into_iter().flatten().min();
        let Some(until) = until else { return self.events.recv().ok() };
        match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(event) => Some(event),
            Err(_) => {
                if escape.is_some_and(|at| at <= Instant::now()) {
                    self.inputs.extend(self.parser.silence());
                }
                if self.keep_at.is_some_and(|at| at <= Instant::now()) {
                    self.keep();
                }
                if late.is_some_and(|at| at <= Instant::now()) {
                    self.asked = None;
                    self.update(Msg::Said("not saved yet: another bounceback is writing; waiting for it".into()));
                }
                // A retry that comes due goes to the top by itself.
                self.update(Msg::Clock(now()));
                None
            }
        }
    }

    /// Asks now and then whether another process changed the store.
    fn glance(&mut self) {
        if self.may_look() && self.looked.elapsed() >= LOOK {
            self.request(Request::Look);
            self.looked = Instant::now();
        }
    }

    /// Others can only change a store on disk; and while the desk is busy another look is no use.
    fn may_look(&self) -> bool {
        self.open == 0 && self.desk_options.state_dir.is_some()
    }

    /// Takes one event in; keys are lined up.
    fn take(&mut self, event: Event) {
        match event {
            Event::Typed(bytes) => {
                self.token_due = true;
                for input in self.parser.feed(&bytes) {
                    match input {
                        Input::Synchronized => self.terminal.backend_mut().synchronized = true,
                        other => self.inputs.push_back(other),
                    }
                }
            }
            Event::Resized => self.resize(),
            Event::Continued => {
                let _ = self.guard.enter();
                self.resize();
            }
            Event::Stopped => self.suspend(),
            Event::Gone => self.update(Msg::Ended),
            Event::Ended(signal) => {
                self.signal = Some(signal);
                self.update(Msg::Ended);
            }
            Event::Answer(messages) => {
                self.open = self.open.saturating_sub(1);
                if self.open == 0 {
                    self.asked = None;
                }
                for message in messages {
                    self.update(message);
                }
            }
            Event::Read(messages) => {
                for message in messages {
                    self.update(message);
                }
            }
            Event::News(message) => self.update(*message),
            Event::Fetched(account, step) => {
                let over = matches!(step, FetchStep::Ended { .. } | FetchStep::Failed(_));
                self.update(Msg::Fetch(account, step));
                if over || self.model.queue.is_whole() {
                    self.request(Request::Look);
                }
            }
        }
    }

    /// Lets keys act until none are left or the time is up; waits for answers that the next frame should show.
    fn advance(&mut self, patience: Duration) -> io::Result<()> {
        let until = Instant::now() + patience;
        loop {
            while !is_blocked(&self.model)
                && !self.model.quit
                && let Some(input) = self.inputs.pop_front()
            {
                match input {
                    Input::Key(key) => self.update(Msg::Key(key)),
                    Input::Paste(text) => self.update(Msg::Paste(text)),
                    Input::Synchronized => {}
                }
            }
            while self.model.quest.is_some() && self.inputs.is_empty() && !self.model.quit {
                self.update(Msg::GoOn);
                while let Ok(event) = self.events.try_recv() {
                    self.take(event);
                }
                self.next_token();
            }
            if !self.inputs.is_empty() && !is_blocked(&self.model) && !self.model.quit {
                continue;
            }
            self.ask();
            if wants_paint(&self.model) {
                self.draw()?;
                continue;
            }
            if self.open == 0 || self.model.quit {
                return Ok(());
            }
            self.answers(until.saturating_duration_since(Instant::now()));
            if Instant::now() >= until {
                return Ok(());
            }
        }
    }

    /// Takes events until there are rows to show, or none at all, or the time is up.
    fn rows(&mut self, patience: Duration) {
        let until = Instant::now() + patience;
        while self.model.queue.is_empty() && !self.model.queue.is_whole() {
            match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(event) => self.take(event),
                Err(_) => return,
            }
        }
    }

    /// Takes events until every request is answered or the time is up.
    fn answers(&mut self, patience: Duration) {
        let until = Instant::now() + patience;
        while self.open > 0 {
            match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(event) => self.take(event),
                Err(_) => return,
            }
            if is_blocked(&self.model) && wants_paint(&self.model) {
                return;
            }
        }
    }

    fn update(&mut self, message: Msg) {
        for effect in update(&mut self.model, message) {
            self.effect(effect);
        }
    }

    fn request(&mut self, request: Request) {
        if self.requests.send(request).is_ok() {
            self.open += 1;
        }
    }

    /// Sends the newest of what was asked for while keys were taken in.
    fn ask(&mut self) {
        let wanted = std::mem::take(&mut self.wanted);
        for effect in [wanted.load, wanted.mail].into_iter().flatten() {
            self.request(Request::Perform(effect, self.model.now));
        }
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Load(_) => self.wanted.load = Some(effect),
            Effect::Mail(_) => self.wanted.mail = Some(effect),
            Effect::Pull => self.pull(),
            Effect::LookUp(text) => {
                let _ = self.questions.send(text);
            }
            Effect::Card(domain) => look_up::card(self.desk_options.clone(), domain, self.sender.clone()),
            Effect::Stop => {
                self.inboxes.iter().for_each(Inbox::stop);
            }
            Effect::Redraw => self.resize_to_terminal(),
            Effect::Suspend => self.suspend(),
            Effect::Copy(text) => self.copy(&text),
            Effect::Edit(case, text) => {
                let result = self.edit(&text);
                self.update(Msg::Edited(case, result));
            }
            other => {
                let saves = matches!(
                    other,
                    Effect::Decide(..) | Effect::Accept(..) | Effect::Note(..) | Effect::Undo | Effect::Redo
                );
                if saves {
                    self.asked = Some(Instant::now());
                }
                self.request(Request::Perform(other, self.model.now));
            }
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        let model = &self.model;
        self.terminal.draw(|frame| view::view(model, frame))?;
        self.update(Msg::Painted);
        Ok(())
    }

    fn resize(&mut self) {
        let size = terminal::size();
        self.update(Msg::Resize(size.width, size.height));
    }

    fn resize_to_terminal(&mut self) {
        let size = terminal::size();
        self.model.size = (size.width, size.height);
        self.terminal.backend_mut().resize(size);
        // ratatui must not believe that anything is on the screen either.
        let _ = self.terminal.clear();
    }

    fn suspend(&mut self) {
        self.keep();
        if terminal::suspend() {
            let _ = self.guard.enter();
            self.resize();
        } else {
            let what = "cannot suspend: no shell waits for this program".to_owned();
            self.update(Msg::Said(what));
        }
    }

    fn copy(&mut self, text: &str) {
        let mut end = text.len().min(CLIPBOARD);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut sequence = String::new();
        let command = CopyToClipboard::to_clipboard_from(&text[..end]);
        if crossterm::Command::write_ansi(&command, &mut sequence).is_ok() {
            self.terminal.backend_mut().send(sequence.as_bytes());
        }
    }

    /// Hands the terminal to the editor for a while. The keyboard's thread waits for its token meanwhile.
    fn edit(&mut self, text: &str) -> Result<Option<String>, Failure> {
        self.guard.leave();
        let result = editor::edit(text);
        let entered = self.guard.enter();
        // Signals meant for the editor reached this process too.
        let events: Vec<Event> = self.events.try_iter().collect();
        for event in events {
            match event {
                Event::Ended(signal_hook::consts::SIGINT) | Event::Stopped | Event::Continued => {}
                other => self.take(other),
            }
        }
        self.resize();
        entered.map_err(|why| Failure { what: format!("could not take the terminal back: {why}"), hint: None })?;
        result
    }

    fn pull(&mut self) {
        if !self.model.fetching.running.is_empty() {
            self.update(Msg::Said("a fetch is running already".into()));
            return;
        }
        self.inboxes.iter().for_each(Inbox::fetch);
    }

    /// Sends what changed since the last time to the desk, to be kept.
    fn keep(&mut self) {
        self.keep_at = None;
        let kept = session::kept(&self.model);
        let changed: Vec<_> = kept
            .iter()
            .filter(|(key, text)| self.kept.get(*key) != Some(text))
            .map(|(k, t)| (k.clone(), t.clone()))
            .collect();
        self.kept = kept;
        if !changed.is_empty() {
            self.request(Request::Keep(changed));
        }
        let _ = self.terminal.backend_mut().writer().flush();
    }
}
