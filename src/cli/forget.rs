//! `bounceback forget`: removes a person from everything this program keeps.

use std::io::{BufRead, IsTerminal, Write};

use super::failure::{Failure, Outcome, Result};
use super::setting::{self, Setting, shown};
use crate::desk::Forgot;
use crate::stdx::{counted, visible};

/// Whom.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Removed are the cases of the address with their notices, decisions and notes, what is known of it as a \
    correspondent and from corrections, half-typed texts, the lines of the log that --log names, and all of that in the free \
    pages of the store, in the log beside it, and in the copies of it that are known (\"store backup\", and those a new \
    version made). Mails of other people that name the person lose their text. A keyed hash of the address stays, so that \
    the next pull does not bring the person back, and a line in \"audit\" that says when, not whom.\n\nThe mailbox is not \
    changed, and neither are exported files: those that still hold the address are named. It cannot be undone.\n\n\
    Exit codes: 0 nothing is left; 3 something is: it says what.\n\n\
    Examples:\n  bounceback forget anna@example.org\n  bounceback forget --yes anna@example.org anna.berg@example.com"
)]
pub(super) struct Args {
    /// Addresses of the person
    #[arg(required = true, value_name = "ADDRESS")]
    addresses: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    if let Some(wrong) = args.addresses.iter().find(|address| crate::model::Address::new(address).is_none()) {
        return Err(Failure::usage(format!("\"{wrong}\" is not an address")));
    }
    if !args.yes {
        agreed(&args.addresses, out)?;
    }
    let mut desk = setting.desk_to_write()?;
    let mut outcome = Outcome::Done;
    for address in &args.addresses {
        let forgot = desk.forget(address, setting::now())?;
        setting.log.forget(address)?;
        setting.log.line("forget: a person was removed");
        say(address, &forgot, out)?;
        if !forgot.exports.is_empty() || !forgot.erased.left.is_empty() || !forgot.erased.compacted {
            outcome = Outcome::Partly;
        }
        let erased = &forgot.erased;
        for other in
            erased.others.iter().filter(|other| !args.addresses.iter().any(|one| one.eq_ignore_ascii_case(other)))
        {
            writeln!(
                out,
                "the same person was also written to at {}: forget it as well if it is theirs",
                visible(other)
            )?;
        }
    }
    Ok(outcome)
}

fn agreed(addresses: &[String], out: &mut dyn Write) -> Result<()> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("forget cannot be undone, and there is no terminal to ask on").hint("--yes does it"));
    }
    write!(out, "Remove {} for good? Type yes: ", visible(&addresses.join(", ")))?;
    out.flush()?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match read {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        _ => Err(Failure::new("nothing was changed")),
    }
}

fn say(address: &str, forgot: &Forgot, out: &mut dyn Write) -> std::io::Result<()> {
    let erased = &forgot.erased;
    writeln!(
        out,
        "{}: removed {}, {}; {} of others lost their text",
        visible(address),
        counted(erased.cases, "case"),
        counted(erased.mails, "mail"),
        counted(erased.blanked, "mail")
    )?;
    for copy in &erased.copies {
        writeln!(out, "removed from the copy {}", shown(copy))?;
    }
    for (copy, why) in &erased.left {
        writeln!(out, "NOT removed from the copy {}: {}", shown(copy), visible(why))?;
    }
    if !erased.compacted {
        writeln!(
            out,
            "another bounceback has the store open: close it and run this again, so that no trace stays on disk"
        )?;
    }
    for path in &forgot.exports {
        writeln!(out, "still holds the address: {}", shown(path))?;
    }
    Ok(())
}
