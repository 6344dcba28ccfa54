//! The command line: parses what was typed, runs one command, turns the outcome into an exit code.
//!
//! One file per command. The only place that prints. Knows the screen as a function it is handed ([`Show`]).

mod args;
mod ask;
mod audit;
mod auth_card;
mod browser;
mod check_address;
mod completions;
mod config;
mod decide;
mod demo;
mod diagnose;
mod doctor;
mod explain;
mod export;
mod failure;
mod follow_up;
mod forget;
mod import;
mod import_decisions;
mod list;
mod log;
mod open;
mod progress;
mod pull;
mod purge;
mod report;
mod resend;
mod rules;
mod schema;
mod screen;
mod secrecy;
mod server;
mod setting;
mod settle;
mod setup;
mod show;
mod sign_in;
mod status;
mod step;
mod store;
mod suggest;
mod text;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Parser;

pub use failure::{Failure, Outcome};
pub use screen::{Color, Screen, Show};
pub use setting::now;
pub use sign_in::SignIns;

use args::{Args, Command};
use setting::Setting;

/// What the terminal can do, in words; the screen knows.
pub type Terminal = fn() -> Vec<String>;

/// What is wrong with the lead's own tables of keys and styles, with file and line; the screen knows.
pub type Tables = fn(keys: Option<(&str, &str)>, theme: Option<(&str, &str)>) -> Vec<Failure>;

/// What the command line asks the screen.
#[derive(Debug, Clone, Copy)]
pub struct Faces {
    /// Draws it.
    pub show: Show,
    /// Knows the terminal.
    pub terminal: Terminal,
    /// Checks tables.
    pub tables: Tables,
}

/// Runs the command line of this process.
pub fn run(faces: Faces) -> ExitCode {
    secrecy::no_core_dumps();
    let args = Args::parse();
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let result = dispatch(&args, faces, &mut out);
    // What was written before a failure stands before it on a terminal, too.
    let result = match (result, out.flush()) {
        (Ok(_), Err(error)) => Err(error.into()),
        (result, _) => result,
    };
    match result {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            complain(&failure);
            failure.exit_code()
        }
    }
}

fn dispatch(args: &Args, faces: Faces, out: &mut dyn Write) -> failure::Result {
    match &args.command {
        Some(Command::Schema(_)) => return schema::run(out),
        Some(Command::Completions(asked)) => return completions::completions(asked, out),
        Some(Command::Man(asked)) => return completions::man(asked, out),
        Some(Command::Config(action @ (config::Action::Path | config::Action::Example))) => {
            return config::print(*action, &args.shared.paths(), out);
        }
        Some(Command::Store(action)) => return store::run(action, &args.shared.paths(), out),
        _ => {}
    }
    let setting = Setting::new(&args.shared, matches!(args.command, Some(Command::Setup(_))))?;
    let result = command(args.command.as_ref(), &setting, faces, out);
    if let Err(failure) = &result {
        setting.log.line(&failure.words());
    }
    result
}

fn command(
    command: Option<&Command>,
    setting: &Setting,
    Faces { show, terminal, tables }: Faces,
    out: &mut dyn Write,
) -> failure::Result {
    match command {
        None => {
            screen::is_possible()?;
            Screen::of(setting)?.show(show, setting, out)
        }
        Some(Command::Demo) => demo::run(setting, show, out),
        Some(Command::Setup(args)) => setup::run(args, setting, out),
        Some(Command::Pull(args)) => pull::run(args, setting, out),
        Some(Command::Doctor(args)) => doctor::run(args, setting, terminal, out),
        Some(Command::Status(args)) => status::run(args, setting, out),
        Some(Command::SignIn(args)) => browser::run(args, setting, out),
        Some(Command::Import(args)) => import::run(args, setting, out),
        Some(Command::ImportDecisions(args)) => import_decisions::run(args, setting, out),
        Some(Command::Open(args)) => open::run(args, setting, show, out),
        Some(Command::Step(args)) => step::run(args, setting, show, out),
        Some(Command::List(args)) => list::run(args, setting, out),
        Some(Command::Show(args)) => show::run(args, setting, out),
        Some(Command::Decide(args)) => decide::run(args, setting, out),
        Some(Command::Settle(args)) => settle::run(args, setting, out),
        Some(Command::Undo(args)) => settle::undo(args, setting, out),
        Some(Command::Diagnose(args)) => diagnose::run(args, setting, out),
        Some(Command::Explain(args)) => explain::run(args, setting, out),
        Some(Command::Suggest(args)) => suggest::run(args, setting, out),
        Some(Command::CheckAddress(args)) => check_address::run(args, setting, out),
        Some(Command::AuthCard(args)) => auth_card::run(args, setting, out),
        Some(Command::Resend(args)) => resend::run(args, setting, out),
        Some(Command::Forget(args)) => forget::run(args, setting, out),
        Some(Command::Purge(args)) => purge::run(args, setting, out),
        Some(Command::Audit(args)) => audit::run(args, setting, out),
        Some(Command::Report(args)) => report::run(args, setting, out),
        Some(Command::FollowUp(args)) => follow_up::run(args, setting, out),
        Some(Command::Export(args)) => export::run(args, setting, out),
        Some(Command::Rules(action)) => rules::run(action, setting, out),
        Some(Command::Schema(_)) => schema::run(out),
        Some(Command::Completions(asked)) => completions::completions(asked, out),
        Some(Command::Man(asked)) => completions::man(asked, out),
        Some(Command::Config(_)) => config::check(setting, tables, out),
        Some(Command::Store(action)) => store::run(action, &setting.paths, out),
    }
}

/// Says on standard error what is going on.
fn remark(words: &str) {
    let words = format!("{}\n", crate::stdx::visible(words));
    let _ = io::stderr().write_all(text::fitted(&words, text::columns(io::stderr())).as_bytes());
}

/// Says on standard error what went wrong.
fn complain(failure: &Failure) {
    let words = text::fitted(&failure.words(), text::columns(io::stderr()));
    let _ = io::stderr().write_all(words.as_bytes());
}
