//! Opens the screen: gathers what it needs, as plain data, and hands it to whoever draws.
//!
//! The screen is on the same floor, so it is called through [`Show`], which `main.rs` provides.

use std::io::{IsTerminal, Write};

use super::failure::{Failure, Outcome, Result};
use super::setting::Setting;
use super::sign_in::SignIns;
use crate::desk;
use crate::model::CaseId;

/// Whether to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Color {
    /// As the terminal and NO_COLOR say
    #[default]
    Auto,
    /// In any case
    Always,
    /// None: bold, reverse and letters carry all meaning
    Never,
}

/// What the screen needs to know.
#[derive(Debug, Clone, Default)]
pub struct Screen {
    /// How to open the desk; the screen opens one for each of its threads.
    pub desk: desk::Options,
    /// The inboxes to pull in the background; none when there are none, or `--offline` was given.
    pub sign_ins: SignIns,
    /// Whether to pull at once.
    pub fetch: bool,
    /// Whether to use colours.
    pub color: Color,
    /// The lead's own `keys.toml`: name and text.
    pub keys: Option<(String, String)>,
    /// The lead's own `theme.toml`: name and text.
    pub theme: Option<(String, String)>,
    /// Shown on the status line: the account, or what is looked at.
    pub title: String,
    /// Show these cases only.
    pub only: Option<Vec<CaseId>>,
    /// Lines of text on standard input and output, instead of a screen.
    pub plain: bool,
}

/// Draws the screen until the user leaves it, and returns what shall be printed afterwards.
pub type Show = fn(Screen) -> Result<Option<String>>;

impl Screen {
    /// The screen on everything in the store. Asks for passwords, because it must not be interrupted for them later.
    pub(super) fn of(setting: &Setting) -> Result<Self> {
        let accounts = if setting.offline { Vec::new() } else { setting.accounts()? };
        let sign_ins = SignIns::ask(&accounts)?;
        let title = match setting.accounts()?.as_slice() {
            [] => "no account".to_owned(),
            [account] => account.address.clone(),
            [account, rest @ ..] => format!("{} and {} more", account.address, rest.len()),
        };
        let fetch = !sign_ins.names().is_empty();
        Ok(Self { desk: setting.desk_options(false)?, sign_ins, fetch, title, ..Self::looks(setting) })
    }

    /// The screen on everything in the store, without any inbox.
    pub(super) fn offline(setting: &Setting) -> Result<Self> {
        Ok(Self { desk: setting.desk_options(false)?, title: "queue".to_owned(), ..Self::looks(setting) })
    }

    /// The screen with the colours and keys of this lead, on nothing yet.
    pub(super) fn looks(setting: &Setting) -> Self {
        let (keys, theme) = (setting.config.keys.clone(), setting.config.theme.clone());
        Self { color: setting.color, keys, theme, ..Self::default() }
    }

    /// Draws it, and prints what it leaves to say.
    pub(super) fn show(self, show: Show, setting: &Setting, out: &mut dyn Write) -> Result {
        if !self.plain {
            is_possible()?;
        }
        setting.log.line("screen: opened");
        let left = show(self);
        setting.log.line("screen: closed");
        if let Some(words) = left? {
            for line in words.lines() {
                writeln!(out, "{}", crate::stdx::visible(line))?;
            }
        }
        Ok(Outcome::Done)
    }
}

/// The screen needs a terminal on both sides. Asked before anything is read or stored for it.
pub(super) fn is_possible() -> Result<()> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Failure::new("the screen needs a terminal on standard input and output")
        .hint("without one: \"bounceback step --plain\", \"list\", \"show\", \"decide\", \"export\"; over ssh: ssh -t"))
}
