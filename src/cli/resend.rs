//! `bounceback resend`: the answer that came back, as text to paste into its ticket again; or a text to reach the customer
//! another way.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;

use super::failure::{Outcome, Result};
use super::setting::{Setting, shown};
use crate::export::to_file;
use crate::model::Zone;
use crate::resend::Wanted;

/// For which case, and how.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Nothing is sent. The answer is taken from the message that came back; mails quoted in it and the marks of \
    the help desk are left out, attachments are named as not included. For a mailbox that is full or switched off the text \
    asks for another way, and so it does with --text other-way: for a chat, a phone call, another address.\n\n\
    The words are data: texts/en.toml in the folder of the configuration replaces ours, texts/it.toml adds Italian.\n\n\
    Examples:\n  bounceback resend 4f7k | wl-copy\n  bounceback resend 4f7k --text other-way --language de\n  \
    bounceback resend 4f7k --output comment.txt"
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
    let text = desk.letter(&case, wanted, args.language.as_deref(), &Zone::of_system())?;
    match &args.output {
        None => out.write_all(text.as_bytes())?,
        Some(path) => {
            to_file(path, args.force, |out| out.write_all(text.as_bytes()))?;
            writeln!(out, "written to {}", shown(path))?;
        }
    }
    Ok(Outcome::Done)
}
