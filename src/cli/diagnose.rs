//! `bounceback diagnose`: explains mails without storing anything. The JSON form is the contract with scripts.
//!
//! Mails are read one after the other and diagnosed on all cores; the answers come in the order of the input.

use std::cell::RefCell;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::failure::{Failure, Outcome, Result};
use super::setting::Setting;
use super::text::{field, known, wrapped};
use crate::desk::{Cancel, Desk, parallel};
use crate::diagnose::{Context, diagnose};
use crate::export::json;
use crate::model::{Diagnosis, Kind, MessageRef, Ours, Recipient};
use crate::source::{RawMail, files};

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
    let desk = Desk::open(&setting.storeless_options())?;
    let mut answers = Answers { json: args.json, out, count: 0, partly: false };
    let mut unopened = false;
    for path in &args.paths {
        if let Err(failure) = super::import::readable(std::slice::from_ref(path)) {
            answers.out.flush()?;
            super::complain(&failure);
            unopened = true;
            continue;
        }
        one_path(path, desk.context(), &mut answers)?;
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

impl Answers<'_> {
    fn give(&mut self, source: &str, diagnosis: &Diagnosis) -> io::Result<()> {
        self.partly |= diagnosis.notes.iter().any(|note| note.starts_with("unreadable:"));
        self.count += 1;
        if self.json {
            return json::line(&Line { source, diagnosis }, self.out);
        }
        if self.count > 1 {
            writeln!(self.out)?;
        }
        write_text(source, diagnosis, self.out)
    }
}

fn one_path(path: &Path, context: &Context, answers: &mut Answers<'_>) -> Result<()> {
    let failed = RefCell::new(None);
    let read = {
        let answers = RefCell::new(&mut *answers);
        parallel::in_order(
            |mail: RawMail| {
                let diagnosis = examine(&mail.bytes, context);
                (mail.place, diagnosis)
            },
            &mut |(place, diagnosis): (MessageRef, Diagnosis)| match answers.borrow_mut().give(&place.0, &diagnosis) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed.replace(Some(error));
                    ControlFlow::Break(())
                }
            },
            |feed| {
                files::each(&[path.to_owned()], &Cancel::new(), &mut |mail| {
                    let weight = mail.bytes.len();
                    feed.put(mail, weight)
                })
            },
        )
    };
    if let Some(error) = failed.into_inner() {
        return Err(error.into());
    }
    let summary = read.map_err(|error| Failure::new(&error).hint(error.hint.as_deref()))?;
    for (source, why) in &summary.unreadable {
        answers.give(source, &unreadable(why))?;
    }
    Ok(())
}

/// Diagnoses one mail; a fault of the engine costs this mail only, and says so.
fn examine(mail: &[u8], context: &Context) -> Diagnosis {
    let caught = catch_unwind(AssertUnwindSafe(|| diagnose(mail, context)));
    caught.unwrap_or_else(|_| unreadable("the engine failed on this mail; please report it"))
}

fn unreadable(why: &str) -> Diagnosis {
    let mut diagnosis = Diagnosis::of(Kind::Other);
    diagnosis.notes.push(format!("unreadable: {why}"));
    diagnosis
}

/// A diagnosis as a person reads it.
pub(super) fn write_text(source: &str, diagnosis: &Diagnosis, out: &mut dyn Write) -> io::Result<()> {
    field(out, "Source", source)?;
    let kind = match diagnosis.kind {
        Kind::Failure => "failure: given up for at least one recipient",
        Kind::Delay => "delay: still being tried",
        Kind::Delivered => "delivered: a notice of success",
        Kind::AutoReply => "automatic reply, no bounce",
        Kind::ReadReceipt => "read receipt, no bounce",
        Kind::Complaint => "complaint: a recipient reported it as spam",
        Kind::Challenge => "challenge: the recipient's system wants an answer first",
        Kind::Other => "ordinary mail, no bounce",
    };
    field(out, "Kind", kind)?;
    if let Some(mta) = &diagnosis.reporter.mta {
        let from = diagnosis.reporter.from.as_ref().map(|from| format!(", read from {from}")).unwrap_or_default();
        field(out, "Reporter", &format!("{mta} ({}{from})", diagnosis.reporter.role))?;
    }
    for recipient in &diagnosis.recipients {
        writeln!(out)?;
        write_recipient(recipient, out)?;
    }
    let original = &diagnosis.original;
    if original.message_id.is_some() || original.subject.is_some() {
        writeln!(out)?;
        known(out, "Original", original.subject.as_deref())?;
        known(out, "From", original.from.as_deref())?;
        known(out, "To", Some(&original.to.join(", ")))?;
        known(out, "Date", original.date.map(|date| date.to_string()).as_deref())?;
        known(out, "Message-ID", original.message_id.as_deref())?;
    }
    if let Some(ticket) = &diagnosis.ticket {
        field(out, "Ticket", &format!("{} ({}, {})", ticket.id, ticket.desk, ticket.from))?;
    }
    if diagnosis.authenticity.verdict != Ours::Unknown {
        let because = diagnosis.authenticity.because.join("; ");
        wrapped(out, "Ours?", &format!("{}: {because}", diagnosis.authenticity.verdict))?;
    }
    for note in &diagnosis.notes {
        wrapped(out, "Note", note)?;
    }
    Ok(())
}

fn write_recipient(recipient: &Recipient, out: &mut dyn Write) -> io::Result<()> {
    field(out, "Failed", recipient.address.as_str())?;
    known(out, "Sent to", recipient.original_address.as_ref().map(|address| address.as_str()))?;
    let status = recipient.status.map(|status| status.to_string());
    let reply = recipient.reply_code.map(|code| code.to_string());
    let codes: Vec<&str> = [reply.as_deref(), status.as_deref()].into_iter().flatten().collect();
    known(out, "Code", Some(&codes.join(" ")))?;
    known(out, "Said by", recipient.remote_mta.as_deref())?;
    if let Some(said) = &recipient.diagnostic {
        wrapped(out, "Said", said)?;
    }
    let rule = recipient.rule.as_ref().map(|rule| format!(" (rule {rule})")).unwrap_or_default();
    field(out, "Cause", &format!("{}{rule}", recipient.cause))?;
    wrapped(out, "Meaning", &recipient.meaning)?;
    wrapped(out, "Next step", &format!("{} [{}]", recipient.next_step, recipient.who_acts))?;
    for (number, evidence) in recipient.evidence.iter().enumerate() {
        let label = if number == 0 { "Evidence" } else { "" };
        let place = match (evidence.line, &evidence.part, evidence.part_line) {
            (Some(line), _, _) => format!("line {line}"),
            (None, Some(part), Some(line)) => format!("part {part} line {line}"),
            (None, Some(part), None) => format!("part {part}"),
            (None, None, _) => "-".to_owned(),
        };
        let text: String = evidence.text.split_whitespace().collect::<Vec<_>>().join(" ");
        field(out, label, &format!("{:<13} {place:<9} {text}", evidence.claim))?;
    }
    Ok(())
}
