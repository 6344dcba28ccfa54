//! `bounceback doctor`: everything that must be right for a working day, looked at and told. Changes nothing.

use std::io::Write;
use std::path::Path;

use super::Terminal;
use super::failure::{Failure, Outcome, Result};
use super::setting::{self, Setting, shown};
use super::setup::junk_of;
use super::sign_in::SignIns;
use super::text::{field, wrapped};
use crate::config::providers::Provider;
use crate::config::{Account, SignIn};
use crate::desk::{Cancel, Desk, Look};
use crate::model::Timestamp;
use crate::stdx::counted;
use crate::store::{FILE, Store};

/// Newest messages of a folder that are looked at, and whose flags are compared.
const NEWEST: u32 = 500;
/// A certificate that ends sooner is worth a word, in days.
const SOON: i64 = 21;
/// A server's clock may be ahead by so much, in seconds.
const SKEW: i64 = 120;
/// Folders and addresses that are listed.
const LISTED: usize = 12;

/// Nothing to say: it looks at everything.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Signs in, lists the folders, reads headers of the newest mails, and compares their flags before and after. \
    Exit codes: 0 all is well, 1 no inbox can be reached, 3 something needs attention.\n\n\
    Example:\n  bounceback doctor --account support"
)]
pub(super) struct Args {}

pub(super) fn run(_: &Args, setting: &Setting, terminal: Terminal, out: &mut dyn Write) -> Result {
    let mut doctor = Doctor { setting, out, attention: Vec::new() };
    doctor.machine(terminal)?;
    let accounts = setting.accounts()?;
    if accounts.is_empty() {
        doctor.needs("no account is configured; \"bounceback setup support@company.example\" describes one");
    }
    let desk = Desk::open(&setting.storeless_options())?;
    let (mut failed, mut unchanged, mut compared) = (0, true, 0);
    let reachable = if setting.offline { &[][..] } else { &accounts[..] };
    for account in reachable {
        let look = SignIns::ask(&[account])
            .and_then(|sign_ins| sign_ins.options(&account.name))
            .and_then(|options| Ok(desk.look(&options, NEWEST, &Cancel::new())?));
        match look {
            Ok(look) => {
                doctor.account(account, &look)?;
                unchanged &= look.changed.is_empty();
                compared += look.compared;
            }
            Err(failure) => {
                failed += 1;
                writeln!(doctor.out, "\naccount             {}", crate::stdx::visible(&account.name))?;
                doctor.out.flush()?;
                super::complain(&failure);
            }
        }
    }
    writeln!(doctor.out)?;
    for (number, words) in doctor.attention.iter().enumerate() {
        wrapped(doctor.out, if number == 0 { "needs attention" } else { "" }, words)?;
    }
    let attention = !doctor.attention.is_empty();
    if !reachable.is_empty() && failed < reachable.len() {
        let words = match unchanged {
            true => "nothing was marked read",
            false => "nothing was marked read by this program, but somebody else changed flags meanwhile",
        };
        field(
            out,
            "flags",
            &format!("{words}: compared before and after for {}", counted(compared as u64, "message")),
        )?;
    }
    match failed {
        0 if attention || !unchanged => Ok(Outcome::Partly),
        0 => Ok(Outcome::Done),
        all if all == reachable.len() => Err(Failure::said()),
        _ => Ok(Outcome::Partly),
    }
}

struct Doctor<'a> {
    setting: &'a Setting,
    out: &'a mut dyn Write,
    /// What somebody has to do something about.
    attention: Vec<String>,
}

impl Doctor<'_> {
    fn needs(&mut self, words: impl Into<String>) {
        let words = words.into();
        if !self.attention.contains(&words) {
            self.attention.push(words);
        }
    }

    fn machine(&mut self, terminal: Terminal) -> Result<()> {
        let setting = self.setting;
        field(self.out, "program", &format!("bounceback {}", super::args::VERSION))?;
        let file = setting.config.file.as_deref().map_or("none".to_owned(), shown);
        field(self.out, "configuration", &file)?;
        let state_dir = setting.paths.state_dir()?;
        let health = match Store::exists(state_dir) {
            false => "none yet".to_owned(),
            true => match Store::check(state_dir) {
                Err(error) => {
                    self.needs(format!("the store: {error}"));
                    "cannot be read".to_owned()
                }
                Ok(health) if health.faults.is_empty() => {
                    let tables: Vec<String> =
                        health.tables.iter().map(|table| counted(table.rows, table.name)).collect();
                    format!("in order: {}", tables.join(", "))
                }
                Ok(_) => {
                    self.needs("the store is damaged: \"bounceback store check\" says how, and what can be saved");
                    "damaged".to_owned()
                }
            },
        };
        let writable = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
        if Store::exists(state_dir) && !(writable(state_dir) && writable(&state_dir.join(FILE))) {
            self.needs("nothing can be decided or pulled: the store may only be read; check the rights of its folder");
        }
        field(self.out, "store", &format!("{}; {health}", shown(state_dir)))?;
        for (number, ability) in terminal().iter().enumerate() {
            wrapped(self.out, if number == 0 { "terminal" } else { "" }, ability)?;
        }
        Ok(())
    }

    fn account(&mut self, account: &Account, look: &Look) -> Result<()> {
        let report = &look.report;
        writeln!(self.out)?;
        field(self.out, "account", &account.name)?;
        let address = report.address.map(|address| format!(" at {address}")).unwrap_or_default();
        field(self.out, "server", &format!("{}{address}", account.host))?;
        self.connection(account, look)?;
        let way = match &account.sign_in {
            SignIn::PasswordCommand(_) => "by password, from a command",
            SignIn::TokenCommand(_) => "by token, from a command",
            SignIn::OAuth(_) => "by a code in a browser, kept",
            SignIn::Ask => "by password, asked for once per run",
        };
        let mut offered: Vec<&str> =
            report.capabilities.iter().filter_map(|capability| capability.strip_prefix("AUTH=")).collect();
        if !offered.contains(&"LOGIN") && !report.capabilities.iter().any(|capability| capability == "LOGINDISABLED") {
            offered.insert(0, "LOGIN");
        }
        field(self.out, "sign-in", &format!("as {}, {way}", account.user))?;
        wrapped(self.out, "offered", &offered.join(" "))?;
        self.folders(account, look)?;
        self.addressed(look)?;
        self.clock(report.newest)
    }

    fn connection(&mut self, account: &Account, look: &Look) -> Result<()> {
        let how = match (look.report.encrypted, look.report.tls13) {
            (false, _) => "not encrypted; this machine only",
            (true, true) => "TLS 1.3",
            (true, false) => "TLS 1.2",
        };
        let idle = look.report.capabilities.iter().any(|capability| capability == "IDLE");
        let news = if idle { "new mail is told at once (IDLE)" } else { "new mail is asked for every minute" };
        field(self.out, "connection", &format!("{how}; {news}"))?;
        let Some(certificate) = &look.report.certificate else { return Ok(()) };
        let days = certificate.until.map(|until| (until.0 - setting::now().0).div_euclid(86_400));
        let left = days.map(|days| format!(" ({})", counted(days.max(0).unsigned_abs(), "day"))).unwrap_or_default();
        wrapped(self.out, "certificate", &format!("{certificate}{left}"))?;
        if days.is_some_and(|days| days < SOON) {
            self.needs(format!("the certificate of {} ends soon: tell who runs the server", account.host));
        }
        Ok(())
    }

    fn folders(&mut self, account: &Account, look: &Look) -> Result<()> {
        let report = &look.report;
        let all = report.folders.iter().filter(|folder| folder.selectable).map(|folder| {
            let messages = folder.messages.map(|messages| format!(" {messages}")).unwrap_or_default();
            format!("{}{messages}", folder.name)
        });
        let all: Vec<String> = all.collect();
        let more = all.len().saturating_sub(LISTED);
        let rest = if more > 0 { format!(", and {more} more") } else { String::new() };
        wrapped(self.out, "folders", &format!("{}{rest}", all.get(..LISTED).unwrap_or(&all).join(", ")))?;
        if let Some(why) = &report.folders_problem {
            self.needs(format!("the folders could not all be listed: {why}"));
        }
        for (number, (folder, candidates)) in report.candidates.iter().enumerate() {
            let label = if number == 0 { "reads" } else { "" };
            match candidates {
                Ok((_, 0)) => field(self.out, label, &format!("{folder}: empty"))?,
                Ok((hits, seen)) => {
                    let hits = counted(u64::from(*hits), "candidate");
                    field(self.out, label, &format!("{folder}: {hits} for a bounce among the newest {seen}"))?;
                }
                Err(why) => {
                    field(self.out, label, &format!("{folder}: cannot be read"))?;
                    self.needs(format!("folder \"{folder}\": {why}"));
                }
            }
        }
        let words = match junk_of(report, Provider::of_host(&account.host)) {
            None => "no folder for junk was found".to_owned(),
            Some(junk) if account.folders.contains(&junk) => format!("\"{junk}\" is read too"),
            Some(junk) => {
                self.needs(format!("bounces filed as junk are missed: add \"{junk}\" to folders"));
                format!("\"{junk}\" is not read")
            }
        };
        field(self.out, "junk", &words).map_err(Failure::from)
    }

    /// Several addresses may lead to one inbox; those we do not know as ours make us blind.
    fn addressed(&mut self, look: &Look) -> Result<()> {
        let identity = &self.setting.config.identity;
        let ours = |address: &str| {
            let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
            identity.owns_address(address) || identity.owns_domain(domain)
        };
        let mut all: Vec<(&String, &u32)> = look.addressed.iter().collect();
        all.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let (own, other): (Vec<_>, Vec<_>) = all.into_iter().partition(|(address, _)| ours(address));
        let listed = |all: &[(&String, &u32)]| {
            let all = all.iter().take(LISTED).map(|(address, count)| format!("{address} ({count})"));
            all.collect::<Vec<_>>().join(", ")
        };
        let words = match (own.is_empty(), other.is_empty()) {
            (true, true) => "no candidate among them names one".to_owned(),
            (false, true) => format!("{}: all known as ours", listed(&own)),
            _ => format!(
                "{}: known as ours; others: {}",
                if own.is_empty() { "none".into() } else { listed(&own) },
                listed(&other)
            ),
        };
        wrapped(self.out, "sent to", &words)?;
        if let Some((address, _)) = other.first() {
            self.needs(format!(
                "bounces for {address} arrive here, perhaps forwarded: where it is ours, add it to own_addresses at the \
                 top of {}: own_addresses = [\"{address}\"]; until then they look like bounces of messages we never sent",
                self.setting.paths.config_file.as_deref().map(shown).unwrap_or_default()
            ));
        }
        Ok(())
    }

    /// A server tells the time only by when it took messages in: a clock that is behind shows, one ahead does not.
    fn clock(&mut self, newest: Option<Timestamp>) -> Result<()> {
        let now = setting::now();
        let words = match newest {
            None => "no message to compare with".to_owned(),
            Some(newest) if newest.0 > now.0 + SKEW => {
                let behind = counted((newest.0 - now.0).unsigned_abs().div_ceil(60), "minute");
                self.needs(format!("this machine's clock is {behind} behind the server's"));
                format!("{behind} behind the server's")
            }
            Some(newest) => format!("not behind the server's; the newest message arrived {newest}"),
        };
        field(self.out, "clock", &words).map_err(Failure::from)
    }
}
