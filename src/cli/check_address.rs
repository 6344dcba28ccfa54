//! `bounceback check-address`: what can honestly be said of an address without asking its server.

use std::io::Write;

use super::failure::{Outcome, Result};
use super::setting::Setting;
use super::suggest::each_address;
use crate::dns::never;
use crate::export::json;
use crate::stdx::visible;

/// Which addresses, and how.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Verdicts: \"no such domain\", \"domain takes no mail\" (null MX, or neither MX nor address), \"server not \
    reachable\" (its name servers fail), \"mailbox refused\" (a bounce in the store says so), \"not an address\", and \
    \"cannot know\": the domain takes mail; whether the mailbox exists only its server knows.\n\nThat server is not asked, \
    ever. Its answer to \"would you take mail for anna?\" proves little: catch-all servers say yes to everything, \
    greylisting says later, many lie to strangers. It needs port 25, which most lines block, and probing is what address \
    harvesters do: it puts the asking host on block lists and harms every other mail we send. A bounce is the server's own \
    answer already. Name servers learn the domain, nobody learns the address; with --offline nobody is asked at all.\n\n\
    Examples:\n  bounceback check-address anna@exmaple.org\n  bounceback check-address --json anna@example.org | jq -r .verdict\n  \
    bounceback --offline check-address - < addresses.txt"
)]
pub(super) struct Args {
    /// Addresses; "-" reads one per line from standard input
    #[arg(required = true, value_name = "ADDRESS", allow_hyphen_values = true)]
    addresses: Vec<String>,
    /// One JSON object per address instead
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let desk = setting.desk_to_read()?;
    each_address(&args.addresses, &mut |address| {
        let check = desk.check_address(address, &never)?;
        if args.json {
            json::line(&check, out)?;
        } else {
            writeln!(out, "{}: {}", visible(&check.address), check.verdict.sentence())?;
            for line in &check.because {
                writeln!(out, "  {}", visible(line))?;
            }
        }
        // A look-up may take seconds: what is known already is shown.
        out.flush()?;
        Ok(())
    })?;
    Ok(Outcome::Done)
}
