//! `bounceback suggest`: who a failed address should have been, outside the screen.

use std::io::{BufRead, Write};

use serde::Serialize;

use super::failure::{Failure, Outcome, Result};
use super::setting::Setting;
use crate::export::json;
use crate::stdx::{visible, why};

/// Which addresses, and how.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Learns from the store: whom this inbox writes to and hears from, corrections made before, the mails of \
    the address's own bounce. Works offline; the store is not changed. An address that failed for another reason (mailbox \
    full, blocked) gets no suggestion.\n\nOne line per address: the address and, after tabs, each suggestion with its \
    reason, best first; \"-\" where there is none. A line of standard input that is no address is said to be none, and the exit \
    code is 3.\n\n\
    Examples:\n  bounceback suggest anna.berg@gmial.com\n  bounceback suggest --json anna.berg@gmial.com | jq -r '.suggestions[0].address'\n  \
    cut -d, -f2 customers.csv | bounceback suggest -"
)]
pub(super) struct Args {
    /// Failed addresses; "-" reads one per line from standard input
    #[arg(required = true, value_name = "ADDRESS", allow_hyphen_values = true)]
    addresses: Vec<String>,
    /// One JSON object per address instead
    #[arg(long)]
    json: bool,
}

/// The line of one address. Scripts rely on the names.
#[derive(Serialize)]
struct Line<'a> {
    address: &'a str,
    suggestions: Vec<Item>,
}

#[derive(Serialize)]
struct Item {
    address: String,
    because: String,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    if let Some(wrong) = args.addresses.iter().find(|typed| *typed != "-" && !typed.contains('@')) {
        return Err(Failure::usage(format!("\"{}\" is not an address: the @ is missing", visible(wrong))));
    }
    let desk = setting.desk_to_read()?;
    let mut outcome = Outcome::Done;
    each_address(&args.addresses, &mut |address| {
        if !address.contains('@') {
            outcome = Outcome::Partly;
        }
        let found = desk.suggest(address)?;
        let suggestions = found.into_iter().map(|one| Item { address: one.address, because: one.because }).collect();
        let line = Line { address, suggestions };
        if args.json {
            json::line(&line, out)?;
            return Ok(());
        }
        write!(out, "{}", visible(address))?;
        for one in &line.suggestions {
            write!(out, "\t{} ({})", visible(&one.address), visible(&one.because))?;
        }
        let behind = match (line.suggestions.is_empty(), address.contains('@')) {
            (true, true) => "\t-",
            (true, false) => "\t- (not an address)",
            (false, _) => "",
        };
        writeln!(out, "{behind}")?;
        Ok(())
    })?;
    Ok(outcome)
}

/// The addresses as typed, those of standard input in the place of a "-".
pub(super) fn each_address(typed: &[String], each: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    for address in typed {
        if address != "-" {
            each(address)?;
            continue;
        }
        for line in std::io::stdin().lock().lines() {
            let line = line.map_err(|error| Failure::new(format!("could not read standard input: {}", why(&error))))?;
            match line.trim() {
                "" => {}
                address => each(address)?,
            }
        }
    }
    Ok(())
}
