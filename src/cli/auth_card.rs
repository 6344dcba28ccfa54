//! `bounceback auth-card`: what our domain publishes for SPF, DKIM and DMARC, and what its administrator must change.

use std::io::Write;

use super::failure::{Failure, Outcome, Result};
use super::setting::{Setting, needs_network};
use crate::dns::never;
use crate::export::json;
use crate::rules::Sending;
use crate::stdx::visible;

/// Which domains, and what must be there.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Looks the records up on request, asking the name servers of this machine. What the help desk of the \
    configuration (desk = \"zendesk\") needs is known for Zendesk, Freshdesk and Help Scout; --include and --selector name \
    what another one asks for. The lines under \"To publish\" can be copied into a zone file or a web form.\n\n\
    Examples:\n  bounceback auth-card company.example\n  bounceback auth-card --include _spf.desk.example --selector d1=d1.desk.example\n  \
    bounceback auth-card --json | jq '.changes'"
)]
pub(super) struct Args {
    /// Domains we send from; without any those of the configuration
    domains: Vec<String>,
    /// A domain that the SPF record must include
    #[arg(long, value_name = "DOMAIN")]
    include: Option<String>,
    /// A DKIM selector that must be there, such as "d1", or "d1=d1.desk.example" where the help desk hosts the key; may
    /// be given several times
    #[arg(long, value_name = "SELECTOR")]
    selector: Vec<String>,
    /// One JSON object per domain instead
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    needs_network(setting.offline, "auth-card")?;
    let domains = if args.domains.is_empty() { &setting.config.identity.domains } else { &args.domains };
    if domains.is_empty() {
        return Err(Failure::usage("no domain is named, and the configuration has no own_domains")
            .hint("bounceback auth-card company.example"));
    }
    let desk = setting.desk_to_read()?;
    let more = Sending { spf_include: args.include.clone(), dkim: args.selector.clone(), source: String::new() };
    for (number, domain) in domains.iter().enumerate() {
        let found = desk.auth_card(domain, &more, &never);
        if args.json {
            json::line(&found, out)?;
            continue;
        }
        if number > 0 {
            writeln!(out)?;
        }
        for line in found.lines() {
            writeln!(out, "{}", visible(&line))?;
        }
        out.flush()?;
    }
    Ok(Outcome::Done)
}
