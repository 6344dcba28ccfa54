//! `bounceback resend`: the answer that came back, as text to paste into its ticket again; or a text to reach the customer
//! another way.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;

use super::failure::{Outcome, Result};
use super::setting::{Setting, shown};
use crate::export::to_file;
use crate::model::Zone;
use crate::resend::{Wanted, Written};
use crate::stdx::visible;

/// For which case, and how.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Nothing is sent. Above the text stand the address, the subject and the ticket; --body leaves them out. The answer is taken from the message that came back; mails quoted in it and the marks of \
    the help desk are left out, attachments are named as not included. For a mailbox that is full or switched off the text \
    asks for another way, and so it does with --text other-way: for a chat, a phone call, another address.\n\n\
    The words are data: texts/en.toml in the folder of the configuration replaces ours, texts/it.toml adds Italian.\n\n\
    Examples:\n  bounceback resend 4f7k\n  bounceback resend 4f7k --body | wl-copy\n  bounceback resend 4f7k --text other-way --language de\n  \
    bounceback resend 4f7k --body --output comment.txt"
)]
pub(super) struct Args {
    /// Name of the case, or the first letters of it
    case: String,
    /// Which text; without it the one that usually helps with the cause
    #[arg(long, value_name = "TEXT")]
    text: Option<Text>,
    /// In which language, instead of the configured one
    #[arg(long, value_name = "NAME")]
    language: Option<String>,
    /// Only the text, as it is pasted
    #[arg(long)]
    body: bool,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(long, requires = "output")]
    force: bool,
}

/// A text as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Text {
    /// The answer once more, as a public comment
    Resend,
    /// To reach the customer another way
    OtherWay,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let desk = setting.desk_to_read()?;
    let case = desk.find(&args.case)?;
    let wanted = args.text.map(|text| match text {
        Text::Resend => Wanted::Resend,
        Text::OtherWay => Wanted::OtherWay,
    });
    let written = desk.letter(&case, wanted, args.language.as_deref(), &Zone::of_system())?;
    let failed_there = case.corrected_to.is_none() && desk.rules().words(case.cause).address_at_fault;
    let text = if args.body { written.body } else { with_heading(&written, failed_there) };
    match &args.output {
        None => out.write_all(text.as_bytes())?,
        Some(path) => {
            to_file(path, args.force, |out| out.write_all(text.as_bytes()))?;
            writeln!(out, "written to {}", shown(path))?;
        }
    }
    Ok(Outcome::Done)
}

/// The text below what a help desk's form asks for.
fn with_heading(written: &Written, failed_there: bool) -> String {
    let mut text = String::new();
    for (name, value) in [("To", &written.to), ("Subject", &written.subject), ("Ticket", &written.ticket)] {
        if let Some(value) = value {
            let doubt = if name == "To" && failed_there { "  (it failed there, and is not corrected yet)" } else { "" };
            text.push_str(&format!("{name}: {}{doubt}\n", visible(value)));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text + &written.body
}
