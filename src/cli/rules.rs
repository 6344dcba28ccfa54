//! `bounceback rules`: for whoever writes rules of their own.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;

use super::explain::codes;
use super::failure::{Failure, Outcome, Result};
use super::import::counted;
use super::setting::Setting;
use super::text::field;
use crate::desk::Desk;
use crate::rules::{Question, Rule, RuleBook, Tier};
use crate::stdx::{visible, why};

/// What can be done with rules.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Check rule files before they are put to use
    #[command(
        after_help = "Besides the form, every reply under \"seen\" must be decided by its rule, and none under \"not\" may \
        be.\nFiles in the folder \"rules\" beside the configuration are read at every start.\n\nExample:\n  \
        bounceback rules check ~/.config/bounceback/rules/*.toml"
    )]
    Check {
        /// Files in the form of assets/rules
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Show every rule that fits a server's answer, the one that decides first
    #[command(after_help = "Examples:\n  bounceback rules trace \"552 5.2.2 Mailbox size limit exceeded\"\n  \
        bounceback rules trace --host mx.example.net \"550 5.7.1 Refused\"")]
    Trace {
        /// The answer
        #[arg(required = true, value_name = "TEXT")]
        text: Vec<String>,
        /// The server that gave it
        #[arg(long, value_name = "HOST")]
        host: Option<String>,
    },
}

pub(super) fn run(action: &Action, setting: &Setting, out: &mut dyn Write) -> Result {
    match action {
        Action::Check { files } => check(files, out),
        Action::Trace { text, host } => trace(&text.join(" "), host.as_deref(), setting, out),
    }
}

fn check(files: &[PathBuf], out: &mut dyn Write) -> Result {
    let mut wrong = 0;
    for path in files {
        let text = std::fs::read_to_string(path);
        let text =
            text.map_err(|error| Failure::new(format!("could not open \"{}\": {}", path.display(), why(&error))))?;
        let name = OsString::from(path).to_string_lossy().into_owned();
        let (book, errors) = RuleBook::with_files(&[(name.clone(), text)]);
        let mut faults: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let own = || book.rules().iter().filter(|rule| rule.tier == Tier::User);
        faults.extend(own().flat_map(|rule| faults_of(rule, &book)).map(|fault| format!("{name}: {fault}")));
        for fault in &faults {
            writeln!(out, "{}", visible(fault))?;
        }
        if faults.is_empty() {
            writeln!(out, "{}: {} in order", visible(&name), counted(own().count() as u64, "rule"))?;
        }
        wrong += usize::from(!faults.is_empty());
    }
    match wrong {
        0 => Ok(Outcome::Done),
        all if all == files.len() => Err(Failure::said()),
        _ => Ok(Outcome::Partly),
    }
}

/// What the rule's own samples say against it.
fn faults_of(rule: &Rule, book: &RuleBook) -> Vec<String> {
    let host = rule
        .provider
        .and_then(|number| book.providers().get(usize::from(number)))
        .and_then(|provider| provider.hosts.first());
    let hosts: Vec<&str> = host.map(|host| host.trim_start_matches('.')).into_iter().collect();
    let decides = |text: &str| ask(text, &hosts, book).is_some_and(|decided| decided == rule.id);
    let missed = rule.seen.iter().filter(|text| !decides(text));
    let caught = rule.not.iter().filter(|text| decides(text));
    let missed = missed.map(|text| {
        let other = ask(text, &hosts, book).map_or("no rule decides".to_owned(), |other| format!("{other} decides"));
        format!("rule {} does not decide what it names as seen: {text:?}: {other}", rule.id)
    });
    missed.chain(caught.map(|text| format!("rule {} decides what it names as not: {text:?}", rule.id))).collect()
}

/// The rule that decides about an answer.
fn ask(text: &str, hosts: &[&str], book: &RuleBook) -> Option<String> {
    let (reply, status) = codes(text);
    let question = Question { replies: reply.as_slice(), statuses: status.as_slice(), text, hosts, domain: "" };
    book.ask(&question).map(|answer| answer.rule)
}

fn trace(text: &str, host: Option<&str>, setting: &Setting, out: &mut dyn Write) -> Result {
    let desk = Desk::open(&setting.storeless_options())?;
    let (reply, status) = codes(text);
    let host = host.map(str::to_lowercase);
    let hosts: Vec<&str> = host.as_deref().into_iter().collect();
    let question = Question { replies: reply.as_slice(), statuses: status.as_slice(), text, hosts: &hosts, domain: "" };
    let book = desk.rules();
    let decided = book.ask(&question);
    match &decided {
        Some(answer) => field(out, "Decides", &format!("{} -> {}", answer.rule, answer.cause))?,
        None => field(out, "Decides", "nothing: unclear")?,
    }
    for (rule, weight) in book.candidates(&question) {
        if decided.as_ref().is_none_or(|answer| answer.rule != rule.id) {
            field(out, "Also fits", &format!("{} -> {} ({:?}, {weight} letters)", rule.id, rule.cause, rule.tier))?;
        }
    }
    Ok(Outcome::Done)
}
