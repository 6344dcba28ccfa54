//! What can be typed: the commands and the options they share. What a command means lives in its own file.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::screen::Color;
use super::{
    audit, auth_card, browser, check_address, completions, config, decide, diagnose, doctor, explain, export,
    follow_up, forget, import, import_decisions, list, open, pull, purge, report, resend, rules, schema, settle, setup,
    show, status, step, store, suggest,
};
use crate::config::Paths;

/// The version, with the commit where the build knew it.
pub(super) const VERSION: &str = match option_env!("BOUNCEBACK_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

const ABOUT: &str = "Finds out why your answers never arrived";

const LONG_ABOUT: &str = "\
Finds out why your answers never arrived.

Reads the bounce-backs of a support inbox, explains each one with the lines it rests on, and turns your decisions into \
corrected addresses. The mailbox is never changed: no flag, no folder, no mail. Without a command it opens the screen \
on the cases it knows, and pulls new ones in the background.";

const EXAMPLES: &str = "\
Examples:
  bounceback demo                       look around, in a mailbox made up for it
  bounceback diagnose returned.eml      what does this bounce say?
  bounceback explain \"550 5.7.26\"       what does this code mean?
  bounceback config example             begin a configuration with this
  bounceback pull && bounceback list    fetch what is new, print every case
  bounceback status                     how much waits; made for cron
  bounceback export --output fixed.csv  the corrected addresses

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partly done; \"status\": 10 something waits.";

/// A whole command line.
#[derive(Debug, Parser)]
#[command(name = "bounceback", version = VERSION, about = ABOUT, long_about = LONG_ABOUT, after_help = EXAMPLES)]
#[command(max_term_width = 100, infer_subcommands = false, disable_help_subcommand = true)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) shared: Shared,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Options of every command")]
pub(super) struct Shared {
    /// Configuration file, instead of the one "config path" prints
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Folder of the store: cases, decisions and notes
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) state_dir: Option<PathBuf>,
    /// Only this account of the configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) account: Option<String>,
    /// Use no network at all
    #[arg(long, global = true)]
    pub(super) offline: bool,
    /// Colours on the screen: auto, always or never; NO_COLOR is respected
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(super) color: Color,
    /// Append what is done to this file; addresses stand in it without their local part
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    /// Write addresses into the log as they are
    #[arg(long, global = true, requires = "log")]
    pub(super) log_addresses: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Open the screen on a made-up mailbox; nothing is kept
    #[command(
        after_help = "The mails are part of the program and go the same way as real ones. What you decide is forgotten at the end."
    )]
    Demo,
    /// Describe an inbox: finds the server, signs in, writes the configuration
    Setup(Box<setup::Args>),
    /// Fetch new bounces from the configured inboxes
    Pull(pull::Args),
    /// Look at the inbox, the store and the terminal, and say what is wrong
    Doctor(doctor::Args),
    /// Say how much waits; exit code 10 when something does
    Status(status::Args),
    /// Sign in with a code in a browser, for accounts that want it
    SignIn(browser::Args),
    /// Read bounces from files into the store
    Import(import::Args),
    /// Read corrections made before, as evidence for suggestions
    ImportDecisions(import_decisions::Args),
    /// Read bounces from files into the store and open the screen on them
    Open(open::Args),
    /// Step through the queue; --plain asks in lines of text
    Step(step::Args),
    /// Print every case, one per line
    List(list::Args),
    /// Print everything known about one case
    Show(show::Args),
    /// Decide a case, in the same journal as on the screen
    Decide(decide::Args),
    /// Settle everything that is older than a date, in one act
    Settle(settle::Args),
    /// Take back the last act
    Undo(settle::UndoArgs),
    /// Explain mails without storing anything
    Diagnose(diagnose::Args),
    /// Explain a status or reply code
    Explain(explain::Args),
    /// Say who a failed address should have been
    Suggest(suggest::Args),
    /// Print the answer that came back, as text to paste into its ticket again
    Resend(resend::Args),
    /// Say what is known of an address without asking its server
    CheckAddress(check_address::Args),
    /// Show what our domain publishes for SPF, DKIM and DMARC, and what to change
    AuthCard(auth_card::Args),
    /// Give out corrections, or whole cases
    Export(export::Args),
    /// Say what became of corrections, and which retries are due
    FollowUp(follow_up::Args),
    /// Count the bounces of a time: by cause, domain, week, time to decision
    Report(report::Args),
    /// Remove a person from everything that is kept here
    Forget(forget::Args),
    /// Remove what is older than it may be kept
    Purge(purge::Args),
    /// Print who changed which address when
    Audit(audit::Args),
    /// Print the JSON Schema of "diagnose --json"
    Schema(schema::Args),
    /// Check rules of your own, or see which rule fits
    #[command(subcommand)]
    Rules(rules::Action),
    /// Check, find or begin the configuration
    #[command(subcommand)]
    Config(config::Action),
    /// Print the completions for a shell: bash, zsh, fish
    Completions(completions::Completions),
    /// Write the manual pages into a folder
    Man(completions::Man),
    /// Check the store, copy it, put a copy in its place
    #[command(subcommand)]
    Store(store::Action),
}

impl Shared {
    /// The places of this run.
    pub(super) fn paths(&self) -> Paths {
        Paths::new(self.config.as_deref(), self.state_dir.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_holds_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn options_of_every_command_may_stand_before_or_behind_it() {
        for line in [["bounceback", "--offline", "list"], ["bounceback", "list", "--offline"]] {
            assert!(Args::try_parse_from(line).unwrap().shared.offline);
        }
    }
}
