//! `bounceback diagnose`: explains mails without storing anything. The JSON form is the contract with scripts.
//!
//! Mails are read one after the other and diagnosed on all cores; the answers come in the order of the input.

use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::failure::{Failure, Outcome, Result};
use super::setting::Setting;
use crate::desk::{self, Cancel, parallel};
use crate::diagnose::{self, Context};
use crate::export::json;
use crate::model::{Diagnosis, Kind};
use crate::source::{RawMail, files};
use crate::stdx::visible;

/// What to read, and how to answer.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 all read, whether they are bounces or not; 1 a path could not be opened; 3 a mail \
    could not be read.\n\nExamples:\n  bounceback diagnose returned.eml\n  \
    bounceback diagnose --json Maildir/ | jq -r 'select(.kind == \"failure\") | .recipients[].address'\n  \
    ssh mail cat /var/mail/support | bounceback diagnose -"
)]
pub(super) struct Args {
    /// Mails (.eml), mboxes, Maildirs, folders of them; "-" is standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// One JSON object per mail and line; "bounceback schema" describes it
    #[arg(long)]
    json: bool,
}

/// One line of the contract.
#[derive(Serialize)]
struct Line<'a> {
    source: &'a str,
    #[serde(flatten)]
    diagnosis: &'a Diagnosis,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    // not taken apart at the end of the process: that would cost as much as a hundred mails
    let context = ManuallyDrop::new(desk::context(&setting.storeless_options())?);
    let mut answers = Answers { json: args.json, out, count: 0, partly: false };
    let mut unopened = false;
    for path in &args.paths {
        if let Err(failure) = super::import::readable(std::slice::from_ref(path)) {
            answers.out.flush()?;
            super::complain(&failure);
            unopened = true;
            continue;
        }
        one_path(path, &context, &mut answers)?;
    }
    match (unopened, answers.partly) {
        (true, _) => Err(Failure::said()),
        (false, true) => Ok(Outcome::Partly),
        (false, false) => Ok(Outcome::Done),
    }
}

/// Writes answers and remembers how it went.
struct Answers<'a> {
    json: bool,
    out: &'a mut dyn Write,
    count: u64,
    partly: bool,
}

/// The answer about one mail, ready to be written.
struct Answer {
    text: Vec<u8>,
    unread: bool,
}

impl Answer {
    fn new(source: &str, diagnosis: &Diagnosis, json: bool) -> io::Result<Self> {
        let mut text = Vec::new();
        match json {
            true => text = json::line_of(&Line { source, diagnosis })?,
            false => write_text(source, diagnosis, &mut text)?,
        }
        Ok(Self { text, unread: diagnosis.notes.iter().any(|note| note.starts_with("unreadable:")) })
    }
}

impl Answers<'_> {
    fn give(&mut self, answer: &Answer) -> io::Result<()> {
        self.partly |= answer.unread;
        self.count += 1;
        if self.count > 1 && !self.json {
            writeln!(self.out)?;
        }
        self.out.write_all(&answer.text)
    }
}

fn one_path(path: &Path, context: &Context, answers: &mut Answers<'_>) -> Result<()> {
    let json = answers.json;
    let mut failed = None;
    let read = parallel::in_order(
        |mail: RawMail| Answer::new(&mail.place.0, &examine(&mail.bytes, context), json),
        &mut |answer: io::Result<Answer>| match answer.and_then(|answer| answers.give(&answer)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        },
        |feed| {
            files::each(&[path.to_owned()], &Cancel::new(), &mut |mail| {
                let weight = mail.bytes.len();
                feed.put(mail, weight)
            })
        },
    );
    if let Some(error) = failed {
        return Err(error.into());
    }
    let summary = read.map_err(|error| Failure::new(&error).hint(error.hint.as_deref()))?;
    for (source, why) in &summary.unreadable {
        answers.give(&Answer::new(source, &unreadable(why), json)?)?;
    }
    Ok(())
}

/// Diagnoses one mail; a fault of the engine costs this mail only, and says so.
fn examine(mail: &[u8], context: &Context) -> Diagnosis {
    let caught = catch_unwind(AssertUnwindSafe(|| diagnose::diagnose(mail, context)));
    caught.unwrap_or_else(|_| unreadable("the engine failed on this mail; please report it"))
}

fn unreadable(why: &str) -> Diagnosis {
    let mut diagnosis = Diagnosis::of(Kind::Other);
    diagnosis.notes.push(format!("unreadable: {why}"));
    diagnosis
}

/// A diagnosis as a person reads it, made safe for a terminal.
pub(super) fn write_text(source: &str, diagnosis: &Diagnosis, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:<20}{}", "source", visible(source))?;
    let unread = diagnosis.notes.iter().find_map(|note| note.strip_prefix("unreadable: "));
    if let Some(why) = unread {
        return writeln!(out, "{:<20}{}", "unreadable", visible(why));
    }
    lines(&diagnose::explain(diagnosis), out)
}

/// Writes the lines of a text, each made visible.
pub(super) fn lines(text: &str, out: &mut dyn Write) -> io::Result<()> {
    text.lines().try_for_each(|line| writeln!(out, "{}", visible(line)))
}
