//! The same queue as plain numbered questions: for screen readers, braille lines, TERM=dumb and scripts.
//!
//! Reads lines, writes lines; no escape sequence, no cursor, no colour. Decisions take the way of the screen: the same
//! `update`, the same journal. Invariant: what is written went through `text`.

use std::collections::VecDeque;
use std::io::{self, BufRead, Write};

use super::hands::Hands;
use super::input::Key;
use super::model::{Layer, Model, Pane};
use super::msg::{Effect, Msg};
use super::text::{clean, clean_line};
use super::theme::Depth;
use super::update::{is_blocked, update};
use super::{Error, Options, Summary, command, view};
use crate::desk::Desk;
use crate::model::{CaseId, Timestamp, Verdict};

/// Columns that texts are broken at.
const COLUMNS: usize = 78;

const HELP: &str = "\
a           accept what is suggested
c ADDRESS   correct to an address; c 1 takes the first suggestion
r [DAYS]    retry later
o           not our fault
b           spam or backscatter
e [NAME]    escalate
d           done otherwise
A R O B E D the same for the whole message
m TEXT      write a note
.           repeat the last decision
u, U        undo, redo
s           skip to the next one (an empty line too)
P           what our domain publishes: SPF, DKIM, DMARC
v           the lines of the mail that the diagnosis rests on
t           the message that came back
?           this help
q           quit";

const PROMPT: &str = "a accept, c correct, r retry, o not ours, b spam, e escalate, d done, s skip, ? help, q quit: ";

/// A queue without a screen.
struct Plain<'a> {
    model: Model,
    hands: Hands,
    options: &'a Options,
    out: &'a mut dyn Write,
    now: &'a dyn Fn() -> Timestamp,
}

/// Asks about each undecided case until none is left, the input ends, or `q` is typed. `now` tells the time.
///
/// # Errors
/// When the store cannot be opened or the output is closed.
pub fn run(
    options: &Options,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    now: &dyn Fn() -> Timestamp,
) -> Result<Summary, Error> {
    let desk = Desk::open(&options.desk)?;
    let setup = super::setup(options, &desk, Depth::None)?;
    let model = Model::new(setup, (80, 24), now());
    let mut plain = Plain { model, hands: Hands::new(desk), options, out, now };
    // The place of the last run on the screen means nothing here: the first undecided case comes first.
    plain.hands.begin(true, now());
    while let Some(messages) = plain.hands.read_on() {
        for message in messages {
            plain.send(message);
        }
    }
    plain.model.moved = true;
    plain.ask(input).map_err(|why| Error::new(format!("could not write: {why}"), None))?;
    let tally = plain.model.queue.tally();
    Ok(Summary {
        decided: tally.total - tally.left,
        total: tally.total,
        left: tally.left,
        page: Vec::new(),
        signal: None,
    })
}

impl Plain<'_> {
    fn send(&mut self, message: Msg) {
        let mut messages = VecDeque::from([message]);
        while let Some(message) = messages.pop_front() {
            for effect in update(&mut self.model, message) {
                messages.extend(self.hands.perform(effect, self.model.now));
            }
            if messages.is_empty() && is_blocked(&self.model) {
                messages.push_back(Msg::Painted);
            }
        }
    }

    fn ask(&mut self, input: &mut dyn BufRead) -> io::Result<()> {
        let mut shown: Option<CaseId> = None;
        loop {
            if self.model.queue.tally().left == 0 {
                return writeln!(self.out, "nothing is left to decide");
            }
            let id = self.model.queue.current().map(|case| case.id.clone());
            if id != shown {
                self.show()?;
                shown = id;
            }
            write!(self.out, "{PROMPT}")?;
            self.out.flush()?;
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                return writeln!(self.out);
            }
            self.send(Msg::Clock((self.now)()));
            self.model.notice = None;
            if !self.answer(line.trim(), input)? {
                return Ok(());
            }
            if let Some(notice) = &self.model.notice {
                writeln!(self.out, "{}", notice.text)?;
            }
            // Pages and questions of the screen have no place here.
            self.model.layers.retain(|layer| matches!(layer, Layer::Confirm(_)));
            if let Some(Layer::Confirm(confirm)) = self.model.layers.last() {
                writeln!(self.out, "{} {} means yes: ", clean(&confirm.question), confirm.key)?;
                let mut line = String::new();
                input.read_line(&mut line)?;
                let key = line.trim().chars().next().filter(|key| line.trim().len() == 1 && *key == confirm.key);
                let key = key.and_then(|key| Key::named(&key.to_string()));
                self.send(Msg::Key(key.unwrap_or(Key::ctrl('g'))));
                if let Some(notice) = &self.model.notice {
                    writeln!(self.out, "{}", notice.text)?;
                }
            }
        }
    }

    /// One answer; no where it was the last one.
    fn answer(&mut self, line: &str, input: &mut dyn BufRead) -> io::Result<bool> {
        let (word, rest) = line.split_once(' ').map_or((line, ""), |(word, rest)| (word, rest.trim()));
        match (word, rest) {
            ("q" | "quit", _) => return Ok(false),
            ("?" | "help", _) => writeln!(self.out, "{HELP}")?,
            ("" | "s", _) => self.send(Msg::Key(Key::plain(super::input::Code::Tab))),
            ("v", _) => self.evidence()?,
            ("t", _) => self.returned()?,
            ("P", _) => self.card()?,
            ("c", _) => {
                let typed =
                    self.rest(rest, "new address, or the number of a suggestion (nothing leaves it): ", input)?;
                if !typed.is_empty() {
                    let address = self.suggestion(&typed).unwrap_or(typed);
                    self.command(&format!("correct {address}"))?;
                }
            }
            ("m", _) => {
                let typed = self.rest(rest, "note (nothing leaves it): ", input)?;
                if !typed.is_empty() {
                    self.command(&format!("note {typed}"))?;
                }
            }
            ("r", _) if !rest.is_empty() => self.command(&format!("retry {rest}"))?,
            ("e", _) if !rest.is_empty() => self.command(&format!("escalate {rest}"))?,
            ("a" | "r" | "o" | "b" | "e" | "d" | "A" | "R" | "O" | "B" | "E" | "D" | "." | "u" | "U", "") => {
                // The letters are those of this mode's own help, whatever keys.toml says.
                let action = super::keys::Keymap::load(None).ok().and_then(|keys| keys.action(Key::named(word)?));
                if let Some(action) = action {
                    let mut effects = Vec::new();
                    super::update::act(&mut self.model, action, &mut effects);
                    self.carry_out(effects);
                }
            }
            _ => writeln!(self.out, "{}: not understood; ? shows what is", clean(line))?,
        }
        Ok(true)
    }

    /// What follows a letter, asked for where it stands alone.
    fn rest(&mut self, rest: &str, question: &str, input: &mut dyn BufRead) -> io::Result<String> {
        if !rest.is_empty() {
            return Ok(rest.to_owned());
        }
        write!(self.out, "{question}")?;
        self.out.flush()?;
        let mut line = String::new();
        input.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    fn command(&mut self, text: &str) -> io::Result<()> {
        let mut effects = Vec::new();
        if let Err(why) = command::run(&mut self.model, text, &mut effects) {
            writeln!(self.out, "{}", clean(&why))?;
        }
        self.carry_out(effects);
        Ok(())
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let answers: Vec<Msg> =
            effects.into_iter().filter_map(|effect| self.hands.perform(effect, self.model.now)).collect();
        for answer in answers {
            self.send(answer);
        }
        // What a step leads to (a next case to load, a proposal now shown) follows from the model's own end of step.
        self.send(Msg::Painted);
    }

    fn suggestion(&self, number: &str) -> Option<String> {
        let at = number.parse::<usize>().ok()?.checked_sub(1)?;
        Some(self.model.current()?.suggestions.get(at)?.address.clone())
    }

    fn show(&mut self) -> io::Result<()> {
        self.send(Msg::Painted);
        let queue = &self.model.queue;
        writeln!(self.out, "\nCase {} of {}, {} left", queue.cursor() + 1, queue.len(), queue.tally().left)?;
        for row in view::diagnosis::rows(&self.model, COLUMNS, None) {
            let mut line: String = row.pieces.iter().map(|(text, _)| text.as_str()).collect();
            if let Some((right, _)) = row.right {
                line = format!("{}   {right}", line.trim_end());
            }
            if !line.trim().is_empty() {
                writeln!(self.out, "{}", line.trim_end())?;
            }
        }
        if let Some(Some(Verdict::Corrected { to })) = self.model.current().map(|detail| detail.offer.verdict.clone()) {
            writeln!(self.out, " a corrects to {}", clean(&to))?;
        }
        Ok(())
    }

    /// The lines that the diagnosis rests on.
    fn evidence(&mut self) -> io::Result<()> {
        self.load(Pane::Raw);
        let lines = view::reader::evidence(&self.model);
        let Some(mail) = self.model.current_mail() else { return writeln!(self.out, "the mail could not be read") };
        for (number, claim) in lines {
            let line = mail.lines.get(number - 1).map(|line| clean_line(line)).unwrap_or_default();
            writeln!(self.out, " line {number} ({}): {line}", clean(&claim))?;
        }
        Ok(())
    }

    fn returned(&mut self) -> io::Result<()> {
        self.load(Pane::Returned);
        for row in view::reader::returned(&self.model, COLUMNS) {
            let line: String = row.pieces.iter().map(|(text, _)| text.as_str()).collect();
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// What our domain publishes.
    fn card(&mut self) -> io::Result<()> {
        let Some(domain) = super::menus::our_domain(&self.model) else {
            return writeln!(self.out, "{}", super::menus::NO_DOMAIN);
        };
        match super::look_up::card_lines(self.options.desk.clone(), &domain) {
            Ok(lines) => lines.iter().try_for_each(|line| writeln!(self.out, " {}", clean(line))),
            Err(why) => writeln!(self.out, "{}", clean(&why.to_string())),
        }
    }

    fn load(&mut self, pane: Pane) {
        self.model.pane = pane;
        self.send(Msg::Painted);
    }
}
