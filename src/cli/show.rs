//! `bounceback show`: everything known about one case.

use std::io::Write;

use super::failure::{Outcome, Result};
use super::setting::{self, Setting};
use super::text::{field, known, wrapped};
use crate::desk::Detail;
use crate::export::json;
use crate::model::{Case, Decision, Verdict, Zone};

/// Which case, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  bounceback show 4f7k")]
pub(super) struct Args {
    /// Name of the case, or the first letters of it
    case: String,
    /// One JSON object instead: the case as "list --json" has it, with its mails, decisions and notes
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let now = setting::now();
    let desk = setting.desk_to_read()?;
    let case = desk.find(&args.case)?;
    if args.json {
        json::line(&desk.record(&case, now)?, out)?;
        return Ok(Outcome::Done);
    }
    let detail = desk.detail(&case.id, now)?;
    write(&detail, desk.ticket_link(&case).as_deref(), &Zone::of_system(), out)?;
    Ok(Outcome::Done)
}

fn write(detail: &Detail, link: Option<&str>, zone: &Zone, out: &mut dyn Write) -> std::io::Result<()> {
    head(&detail.case, link, zone, out)?;
    for suggestion in &detail.suggestions {
        field(out, "suggestion", &format!("{}  ({})", suggestion.address, suggestion.because))?;
    }
    for decision in &detail.history {
        field(out, "decision", &in_words(decision, zone))?;
    }
    for (format, at) in &detail.exports {
        field(out, "given out", &format!("{} as {format}", at.format(TIME, zone)))?;
    }
    for note in &detail.notes {
        wrapped(out, "note", &format!("{} {}: {}", note.at.format(TIME, zone), note.by, note.text))?;
    }
    for (number, notice) in detail.notices.iter().enumerate() {
        writeln!(out, "\nnotice {} of {}, {}", number + 1, detail.notices.len(), notice.received.format(TIME, zone))?;
        super::diagnose::write_text(&notice.place.0, &notice.diagnosis, out)?;
    }
    Ok(())
}

const TIME: &str = "%Y-%m-%d %H:%M";

fn head(case: &Case, link: Option<&str>, zone: &Zone, out: &mut dyn Write) -> std::io::Result<()> {
    field(out, "case", &case.id.0)?;
    field(out, "address", if case.address.is_empty() { "-" } else { &case.address })?;
    known(out, "sent to", case.original_address.as_deref())?;
    let again = if case.again { ", bounced again since" } else { "" };
    field(out, "state", &format!("{}{again}", case.state))?;
    known(out, "corrected", case.corrected_to.as_deref())?;
    known(out, "due", case.due.map(|due| due.format(TIME, zone)).as_deref())?;
    known(out, "subject", case.subject.as_deref())?;
    known(out, "ticket", case.ticket.as_deref())?;
    known(out, "link", link)?;
    known(out, "message-id", case.message_id.as_deref())
}

fn in_words(decision: &Decision, zone: &Zone) -> String {
    let what = match &decision.verdict {
        Verdict::Corrected { to } => format!("corrected to {to}"),
        Verdict::Retry { until } => format!("retry after {}", until.format(TIME, zone)),
        Verdict::Escalated { whom: Some(whom) } => format!("escalated to {whom}"),
        verdict => verdict.state().to_string(),
    };
    let undone = if decision.undone { ", undone" } else { "" };
    format!("{} {} by {}{undone}", decision.at.format(TIME, zone), what, decision.by)
}
