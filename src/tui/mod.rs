//! The triage screen: one key per bounce, as few bytes as possible, nothing lost.
//!
//! `Msg` in, `Model` changed by `update`, `Effect` out, `view` draws. Effects are carried out in `runtime` and `worker`
//! only. Text of mails reaches the terminal through `text` only. Requirements R1 to R20 are tested by their numbers.

pub mod command;
pub mod confirm;
pub mod correct;
pub mod deeds;
pub mod edit;
mod editor;
pub mod filter;
pub mod hands;
mod inbox;
pub mod input;
pub mod keys;
pub mod layers;
mod look_up;
pub mod lookalike;
pub mod mail;
pub mod menu;
pub mod menus;
pub mod model;
mod moves;
pub mod msg;
pub mod page;
pub mod paint;
pub mod plain;
pub mod prompt;
mod quest;
pub mod queue;
mod reading;
mod runtime;
pub mod session;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod update;
pub mod view;
mod worker;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc::channel;

use crate::desk::{self, Desk};
use crate::model::{CaseId, Cause, Zone};
use crate::rules::RuleBook;

pub use inbox::{Account, Trouble};
pub use model::{CauseWords, Setup};
pub use msg::Failure;
pub use theme::ColorChoice;

/// What the screen needs to know.
#[derive(Debug)]
pub struct Options {
    /// How to open the desk; every thread opens its own.
    pub desk: desk::Options,
    /// The zone times are shown in.
    pub zone: Zone,
    /// Whether to use colours.
    pub color: ColorChoice,
    /// Shown on the status line.
    pub title: String,
    /// Show these cases only.
    pub only: Option<BTreeSet<CaseId>>,
    /// The inboxes to fetch from.
    pub accounts: Vec<Account>,
    /// Accounts that nothing is fetched from, because no password was given.
    pub unsigned: Vec<String>,
    /// Whether to fetch at the start.
    pub fetch: bool,
    /// Folder for exports.
    pub export_dir: PathBuf,
    /// The user's `keys.toml`: name and text.
    pub keys: Option<(String, String)>,
    /// The user's `theme.toml`: name and text.
    pub theme: Option<(String, String)>,
}

impl Options {
    /// Options with the usual values for everything that need not be said.
    pub fn new(desk: desk::Options, title: &str) -> Self {
        Self {
            desk,
            zone: Zone::of_system(),
            color: ColorChoice::Auto,
            title: title.to_owned(),
            only: None,
            accounts: Vec::new(),
            unsigned: Vec::new(),
            fetch: false,
            export_dir: PathBuf::new(),
            keys: None,
            theme: None,
        }
    }
}

/// How the queue stood when the screen was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Decided cases.
    pub decided: usize,
    /// Cases in all.
    pub total: usize,
    /// Undecided cases.
    pub left: usize,
    /// The page the lead asked to have printed, line by line.
    pub page: Vec<String>,
    /// The signal that ended the screen.
    pub signal: Option<i32>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.page {
            writeln!(f, "{line}")?;
        }
        write!(f, "{} of {} decided, {} left", self.decided, self.total, self.left)
    }
}

/// Why the screen could not be opened, or broke down.
#[derive(Debug)]
pub struct Error {
    what: String,
    hint: Option<String>,
}

impl Error {
    /// What the reader can do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    fn new(what: impl Into<String>, hint: Option<&str>) -> Self {
        Self { what: what.into(), hint: hint.map(str::to_owned) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(why: std::io::Error) -> Self {
        Self::new(format!("the terminal failed: {why}"), None)
    }
}

impl From<desk::Error> for Error {
    fn from(error: desk::Error) -> Self {
        Self { what: error.to_string(), hint: error.hint().map(str::to_owned) }
    }
}

impl From<keys::TableError> for Error {
    fn from(error: keys::TableError) -> Self {
        Self::new(
            error.to_string(),
            Some("write name = \"value\": accept = \"a Ins\" in keys.toml, saved = \"bold green\" in theme.toml"),
        )
    }
}

/// The words of the rule book that the screen shows.
pub fn words(rules: &RuleBook) -> std::collections::BTreeMap<Cause, CauseWords> {
    let of = |cause: &Cause| {
        let words = rules.words(*cause);
        let words = CauseWords {
            title: words.title.clone(),
            explanation: words.explanation.clone(),
            next_step: words.next_step.clone(),
            retry_days: words.retry_days,
            propose: Some(words.propose),
        };
        (*cause, words)
    };
    Cause::ALL.iter().map(of).collect()
}

/// What is wrong with the user's own tables of keys and styles (name and text of each), with file and line.
pub fn check_tables(keys: Option<(&str, &str)>, theme: Option<(&str, &str)>) -> Vec<Error> {
    let keys = keys::Keymap::load(keys).err();
    let theme = theme::Theme::load(theme, theme::Depth::Full).err();
    keys.into_iter().chain(theme).map(Error::from).collect()
}

/// What does not change during a run, out of the options and the environment.
pub fn setup(options: &Options, desk: &Desk, depth: theme::Depth) -> Result<Setup, Error> {
    let pair = |file: &'_ Option<(String, String)>| file.as_ref().map(|(name, text)| (name.clone(), text.clone()));
    let (keys, theme) = (pair(&options.keys), pair(&options.theme));
    Ok(Setup {
        zone: options.zone.clone(),
        title: options.title.clone(),
        keys: keys::Keymap::load(keys.as_ref().map(|(name, text)| (name.as_str(), text.as_str())))?,
        theme: theme::Theme::load(theme.as_ref().map(|(name, text)| (name.as_str(), text.as_str())), depth)?,
        words: words(desk.rules()),
        ticket_url: options.desk.ticket_url.clone(),
        own_domains: options.desk.identity.domains.clone(),
        export_dir: options.export_dir.clone(),
        accounts: options.accounts.iter().map(|account| account.name.clone()).collect(),
        unsigned: options.unsigned.clone(),
        only: options.only.clone(),
    })
}

/// What this terminal can do, in words, for whoever looks for the reason of a strange screen.
pub fn abilities() -> Vec<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(term) = variable("TERM").filter(|_| terminal::is_there()) else {
        return vec!["none here; \"step --plain\", \"list\", \"show\" and \"decide\" need none".to_owned()];
    };
    let depth =
        theme::ColorChoice::Auto.depth(variable("NO_COLOR").as_deref(), Some(&term), variable("COLORTERM").as_deref());
    let colors = match depth {
        theme::Depth::None => "no colours",
        theme::Depth::Sixteen => "16 colours",
        theme::Depth::Full => "256 colours",
    };
    let size = terminal::size();
    let mut words = vec![format!("{term}, {} columns, {} rows, {colors}", size.width, size.height)];
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable).unwrap_or_default();
    if !locale.to_lowercase().replace('-', "").contains("utf8") {
        words.push(format!("the locale {locale:?} is not UTF-8: names in other scripts may look wrong"));
    }
    if term == "dumb" {
        words.push("it cannot place text: \"bounceback step --plain\" asks the same in lines".to_owned());
    }
    if variable("TMUX").is_some() {
        words.push("inside tmux: copying needs \"set -g set-clipboard on\" there".to_owned());
    }
    words
}

/// Opens the screen and runs it until it is left. The terminal is as it was when this returns.
pub fn run(options: Options) -> Result<Summary, Error> {
    let variable = |name: &str| std::env::var(name).ok();
    let term = variable("TERM");
    if !terminal::is_there() {
        return Err(Error::new(
            "the screen needs a terminal",
            Some("bounceback list, show and decide work without one"),
        ));
    }
    if term.as_deref().is_none_or(|term| term.is_empty() || term == "dumb") {
        let what = "this terminal cannot place text on the screen (TERM=dumb)";
        return Err(Error::new(what, Some("bounceback step --plain asks the same as plain questions")));
    }
    let depth = options.color.depth(variable("NO_COLOR").as_deref(), term.as_deref(), variable("COLORTERM").as_deref());
    let desk = Desk::open(&options.desk)?;
    let setup = setup(&options, &desk, depth)?;
    let size = terminal::size();
    let model = model::Model::new(setup, (size.width, size.height), runtime::now());
    let (sender, events) = channel();
    let (requests, desk_thread) = worker::desk(hands::Hands::new(desk), sender.clone())?;
    let guard = terminal::Guard::take()?;
    let start = runtime::Start {
        model,
        guard,
        events,
        sender,
        requests,
        accounts: options.accounts,
        desk_options: options.desk,
        fetch: options.fetch,
    };
    let (model, signal) = runtime::run(start)?;
    // The desk's thread ends with its channel; joining it closes the store in good order.
    let _ = desk_thread.join();
    let tally = model.queue.tally();
    let page = if model.print_summary {
        view::pages::plain(&page::Page::new(page::Subject::Summary), &model)
    } else {
        Vec::new()
    };
    Ok(Summary { decided: tally.total - tally.left, total: tally.total, left: tally.left, page, signal })
}
