//! `bounceback rules`: for whoever writes rules of their own.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::diagnose::lines;
use super::failure::{Failure, Outcome, Result};
use super::setting::{Setting, shown};
use crate::desk;
use crate::diagnose::trace;
use crate::rules::{RuleBook, Tier};
use crate::stdx::{counted, visible, why};

/// Mails are traced up to this many bytes.
const LONGEST: u64 = 16 << 20;

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
    /// Show step by step how a mail was understood, and every rule that fits
    #[command(after_help = "Example:\n  bounceback rules trace returned.eml")]
    Trace {
        /// The mail; "-" is standard input
        #[arg(value_name = "MAIL")]
        mail: PathBuf,
    },
}

pub(super) fn run(action: &Action, setting: &Setting, out: &mut dyn Write) -> Result {
    match action {
        Action::Check { files } => check(files, out),
        Action::Trace { mail } => {
            let context = desk::context(&setting.storeless_options())?;
            lines(&trace(&read(mail)?, &context), out)?;
            Ok(Outcome::Done)
        }
    }
}

fn check(files: &[PathBuf], out: &mut dyn Write) -> Result {
    let mut wrong = 0;
    for path in files {
        let name = path.to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).map_err(|error| unopened(path, &error))?;
        let ours = RuleBook::with_edited(&name, &text);
        let stem = ours.as_ref().and_then(|_| Some(format!("{}/", path.file_stem()?.to_string_lossy())));
        let (book, errors) = ours.unwrap_or_else(|| RuleBook::with_files(&[(name.clone(), text)]));
        let own = |rule: &crate::rules::Rule| match &stem {
            Some(stem) => rule.id.starts_with(stem.as_str()),
            None => rule.tier == Tier::User,
        };
        let mut faults: Vec<String> = errors.iter().map(ToString::to_string).collect();
        faults.extend(book.check(&own).iter().map(|complaint| format!("{name}: {complaint}")));
        for fault in &faults {
            writeln!(out, "{}", visible(fault))?;
        }
        if faults.is_empty() {
            let count = book.rules().iter().filter(|rule| own(rule)).count();
            match u64::try_from(count).unwrap_or(u64::MAX) {
                0 => writeln!(out, "{}: in order", shown(path))?,
                rules => writeln!(out, "{}: {} in order", shown(path), counted(rules, "rule"))?,
            }
        }
        wrong += usize::from(!faults.is_empty());
    }
    match wrong {
        0 => Ok(Outcome::Done),
        all if all == files.len() => Err(Failure::said()),
        _ => Ok(Outcome::Partly),
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = match path.as_os_str() == "-" {
        true => std::io::stdin().lock().take(LONGEST).read_to_end(&mut bytes),
        false => std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes)),
    };
    read.map_err(|error| unopened(path, &error))?;
    Ok(bytes)
}

fn unopened(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("could not open \"{}\": {}", path.display(), why(error)))
}
