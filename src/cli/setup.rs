//! `bounceback setup`: from an address to a configuration that works.
//!
//! Asks only what nothing else tells, signs in before anything is written, and never replaces a file.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::ask::Asker;
use super::browser::Service;
use super::failure::{Failure, Outcome, Result};
use super::server;
use super::setting::{Setting, needs_network, shown};
use super::sign_in::{SignIns, from_environment};
use super::text::paragraph;
use crate::config::providers::{Provider, SignInKind, is_junk_name};
use crate::config::{Account, Config, Keep, OAuth, SignIn, document};
use crate::desk::{Cancel, Desk, Look};
use crate::model::Address;
use crate::source::imap::Report;
use crate::stdx::{counted, private_file, private_folder, visible, why};

/// Newest messages of a folder that are looked at.
const NEWEST: u32 = 500;
/// Passwords that are tried; more lock accounts.
pub(super) const TRIES: u32 = 3;

/// Which inbox, and what is known about it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without a terminal the answers are read from standard input, one per line, in the order of the questions; \
    --yes takes every proposal. Nothing secret is written: a password is asked for once per run, or printed by a command. \
    An existing configuration is added to, never replaced. docs/providers has a page per provider.\n\n\
    Examples:\n  bounceback setup support@company.example\n  \
    bounceback setup support@company.example --password-command \"pass show mail/support\" --yes\n  \
    bounceback setup support@company.example --oauth microsoft --oauth-client-id 00000000-0000-0000-0000-000000000000"
)]
pub(super) struct Args {
    /// Address of the support inbox
    address: Option<String>,
    /// Its IMAP server, where it shall not be looked for
    #[arg(long, value_name = "HOST")]
    pub(super) host: Option<String>,
    /// TCP port; 993, or 143 with starttls
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) port: Option<u16>,
    /// How the connection is protected
    #[arg(long, value_name = "HOW")]
    pub(super) tls: Option<TlsName>,
    /// PEM file of a certificate authority of your own
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
    /// Who signs in, where it is not the address
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Its name for --account; the address without one
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Folders that hold bounces, instead of INBOX and the one for junk; may be given several times
    #[arg(long, value_name = "FOLDER")]
    folder: Vec<String>,
    /// Command that prints the password, run without a shell
    #[arg(long, value_name = "COMMAND")]
    password_command: Option<String>,
    /// Command that prints an OAuth2 access token, run without a shell
    #[arg(long, value_name = "COMMAND")]
    token_command: Option<String>,
    /// Sign in with a code in a browser at this service, such as microsoft
    #[arg(long, value_name = "SERVICE")]
    oauth: Option<String>,
    /// Your company's own registration at the service
    #[arg(long, value_name = "ID")]
    oauth_client_id: Option<String>,
    /// Your organisation at the service; the domain of the address without one
    #[arg(long, value_name = "TENANT")]
    oauth_tenant: Option<String>,
    /// File for the refresh token, for your eyes only
    #[arg(long, value_name = "FILE")]
    oauth_token_file: Option<String>,
    /// Instead of a file: command that prints the refresh token, run without a shell
    #[arg(long, value_name = "COMMAND", requires = "oauth_store_command", conflicts_with = "oauth_token_file")]
    oauth_token_command: Option<String>,
    /// Instead of a file: command that reads the refresh token from standard input and keeps it
    #[arg(long, value_name = "COMMAND", requires = "oauth_token_command")]
    oauth_store_command: Option<String>,
    /// Address of the service, for national clouds
    #[arg(long, value_name = "URL")]
    oauth_authority: Option<String>,
    /// What to ask for, for national clouds
    #[arg(long, value_name = "SCOPE")]
    oauth_scope: Option<String>,
    /// Take every proposal
    #[arg(long, short)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum TlsName {
    /// TLS from the first byte
    Implicit,
    /// Upgraded before anything secret is sent
    Starttls,
    /// None; this machine only
    None,
}

/// Keys of the configuration and the flags that say the same while there is none yet.
const FLAGS: &[(&str, &str)] = &[
    ("`tls = \"implicit\"`", "--tls implicit"),
    ("`tls = \"starttls\"`", "--tls starttls"),
    ("`tls = \"none\"`", "--tls none"),
    ("`host`", "--host"),
    ("`port`", "--port"),
    ("`ca_file`", "--ca-file"),
    ("`folders`", "--folder"),
    ("`user`", "--user"),
    ("`token_command`", "--token-command"),
    ("`password_command`", "--password-command"),
    ("password_command \"", "--password-command \""),
    ("token_command \"", "--token-command \""),
];

/// The words of a failure for somebody who has no configuration yet.
pub(super) fn in_flags(failure: Failure) -> Failure {
    failure.reworded(|text| FLAGS.iter().fold(text.to_owned(), |text, (key, flag)| text.replace(key, flag)))
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    set_up(args, setting, out).map_err(in_flags)
}

fn set_up(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    needs_network(setting.offline, "setup")?;
    let ask = Asker { yes: args.yes };
    let file = setting.paths.config_file.clone().ok_or_else(|| {
        Failure::new("no home directory is known for this user").hint("name the file yourself: --config FILE")
    })?;
    let address = match &args.address {
        Some(address) => address.clone(),
        None => ask.line("Address of the support inbox", None, "bounceback setup support@company.example")?,
    };
    let Some(address) = Address::new(address.trim()).map(|address| address.as_str().to_owned()) else {
        return Err(Failure::usage(format!("\"{address}\" is no mail address")).hint("support@company.example"));
    };
    let name = args.name.clone().unwrap_or_else(|| address.clone());
    if setting.config.accounts.iter().any(|account| account.name == name) {
        let hint = format!("edit {}, or give this one another name: --name NAME", shown(&file));
        return Err(Failure::new(format!("account \"{name}\" is configured already")).hint(hint.as_str()));
    }
    let desk = Desk::open(&setting.storeless_options())?;
    let (provider, place) = server::find(args, &address, &desk, ask, out)?;
    let mut account = Account {
        user: args.user.clone().unwrap_or_else(|| provider.map_or(address.clone(), |known| known.user_for(&address))),
        sign_in: SignIn::Ask,
        folders: if args.folder.is_empty() { vec!["INBOX".to_owned()] } else { args.folder.clone() },
        ca_file: args.ca_file.as_deref().map(|file| std::path::absolute(file).unwrap_or_else(|_| file.to_owned())),
        sent_folders: Vec::new(),
        name,
        address,
        host: place.host,
        port: place.port,
        tls: place.tls,
    };
    account.sign_in = sign_in(args, provider, &account, &file, ask, out)?;
    let looks = signed_in(&mut account, provider, &desk, ask, args.folder.is_empty(), out)?;
    say_looks(&account, &looks, out)?;
    let own = also_ours(&account.address, &looks, ask, out)?;
    let sent = looks.first().and_then(|look| look.report.folders.iter().find(|folder| folder.sent));
    let entry = Entry { account: &account, sent: sent.map(|folder| folder.name.as_str()), own: &own };
    write(&entry, &file, setting, ask, out)
}

/// What is written.
struct Entry<'a> {
    account: &'a Account,
    /// The folder of sent mail, where one was found.
    sent: Option<&'a str>,
    /// Addresses beside the account's that our answers are sent from.
    own: &'a [String],
}

/// The address most likely bounces were sent to, where it is another than the inbox's: an alias, or one that is forwarded
/// here. Unless we know it as ours, each of its bounces looks like one of a message that we never sent.
fn also_ours(address: &str, looks: &[Look], ask: Asker, out: &mut dyn Write) -> Result<Vec<String>> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for (to, count) in looks.iter().flat_map(|look| &look.addressed) {
        *counts.entry(to).or_default() += count;
    }
    let all: u32 = counts.values().sum();
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let free = Provider::of_domain(domain).is_some();
    let known = |to: &str| {
        let of_domain = to.rsplit_once('@').is_some_and(|(_, to)| to.eq_ignore_ascii_case(domain));
        to.eq_ignore_ascii_case(address) || (of_domain && !free)
    };
    let other = counts.iter().filter(|(to, _)| !known(to)).max_by_key(|(to, count)| (**count, std::cmp::Reverse(*to)));
    let Some((to, count)) = other.filter(|(_, count)| **count * 5 >= all) else { return Ok(Vec::new()) };
    let seen = format!("{count} of {all} likely bounces were sent to {}", visible(to));
    if !ask.is_person() && !ask.yes {
        paragraph(out, &format!("{seen}: where that is an address of yours, add it to own_addresses."))?;
        return Ok(Vec::new());
    }
    out.flush()?;
    let ours = ask.yes(&format!("{seen}. Is that an address of yours?"), "--yes")?;
    Ok(if ours { vec![(*to).to_owned()] } else { Vec::new() })
}

/// How to sign in: as the command line says, else as the provider offers it.
fn sign_in(
    args: &Args,
    provider: Option<&Provider>,
    account: &Account,
    file: &Path,
    ask: Asker,
    out: &mut dyn Write,
) -> Result<SignIn> {
    if let Some(command) = &args.password_command {
        return Ok(SignIn::PasswordCommand(words(command, "--password-command")?));
    }
    if let Some(command) = &args.token_command {
        return Ok(SignIn::TokenCommand(words(command, "--token-command")?));
    }
    if let Some(service) = &args.oauth {
        return oauth(args, service, provider, account, file, ask);
    }
    let kinds = provider.map_or(&[SignInKind::Password][..], |provider| &provider.sign_in);
    let named: Vec<&str> = kinds
        .iter()
        .map(|kind| match kind {
            SignInKind::AppPassword => "a password made for this program (app password)",
            SignInKind::Password => "the password of the mailbox",
            SignInKind::Oauth => "a code entered in a browser, once",
            SignInKind::TokenCommand => "a helper program that prints an access token",
        })
        .collect();
    let flags = "--password-command COMMAND, --token-command COMMAND or --oauth SERVICE";
    let chosen = if from_environment(&account.name).is_some() { 0 } else { ask.choice("Sign in with", &named, flags)? };
    match (kinds.get(chosen), provider) {
        (Some(SignInKind::Oauth), Some(provider)) => {
            let service = provider.oauth.as_deref().unwrap_or_default();
            oauth(args, service, Some(provider), account, file, ask)
        }
        (Some(SignInKind::TokenCommand), _) => {
            let command = ask.line("Command that prints the token", None, "--token-command COMMAND")?;
            Ok(SignIn::TokenCommand(words(&command, "--token-command")?))
        }
        (Some(SignInKind::AppPassword), Some(Provider { app_password_page: Some(page), .. })) => {
            writeln!(out, "App passwords are made at {}", visible(page))?;
            out.flush()?;
            Ok(SignIn::Ask)
        }
        _ => Ok(SignIn::Ask),
    }
}

fn oauth(
    args: &Args,
    service: &str,
    provider: Option<&Provider>,
    account: &Account,
    file: &Path,
    ask: Asker,
) -> Result<SignIn> {
    let client_id = match &args.oauth_client_id {
        Some(id) => id.clone(),
        None => ask.line(
            "Client id of your company's registration",
            None,
            "--oauth-client-id ID; docs/providers tells how an administrator makes one",
        )?,
    };
    let domain = account.address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let tenant = args.oauth_tenant.clone().or_else(|| provider.and_then(|provider| provider.oauth_tenant.clone()));
    let beside = format!("{}.token", account.address.split('@').next().unwrap_or("support"));
    let token = args.oauth_token_file.clone().unwrap_or(beside);
    let folder = file.parent().unwrap_or(Path::new(""));
    Ok(SignIn::OAuth(OAuth {
        service: service.to_owned(),
        authority: args.oauth_authority.clone(),
        tenant: Some(tenant.unwrap_or_else(|| domain.to_owned())),
        client_id,
        scope: args.oauth_scope.clone(),
        keep: match (&args.oauth_token_command, &args.oauth_store_command) {
            (Some(fetch), Some(store)) => Keep::Command {
                fetch: words(fetch, "--oauth-token-command")?,
                store: words(store, "--oauth-store-command")?,
            },
            _ => Keep::File(std::path::absolute(folder.join(token)).map_err(Failure::from)?),
        },
    }))
}

/// Signs in and looks around: first INBOX, or the folders that were named, then the one for junk.
fn signed_in(
    account: &mut Account,
    provider: Option<&Provider>,
    desk: &Desk,
    ask: Asker,
    find_junk: bool,
    out: &mut dyn Write,
) -> Result<Vec<Look>> {
    if let SignIn::OAuth(oauth) = &account.sign_in {
        Service::of(oauth)?.sign_in(&account.address, out)?;
    }
    let cancel = Cancel::new();
    let mut tries = 0;
    let (look, mut options) = loop {
        tries += 1;
        let typed = match &account.sign_in {
            SignIn::Ask if from_environment(&account.name).is_none() => {
                let question = format!("Password of {} at {}", account.user, account.host);
                Some(ask.secret(&question, "--password-command COMMAND, or BOUNCEBACK_PASSWORD in the environment")?)
            }
            _ => None,
        };
        let options = SignIns::with(account, typed.clone()).options(&account.name)?;
        super::remark(&format!("signing in to {}", account.host));
        match desk.look(&options, NEWEST, &cancel) {
            Ok(look) => break (look, options),
            Err(error) if typed.is_some() && tries < TRIES && ask.is_person() => {
                super::complain(&in_flags(error.into()));
                account.user = ask.line("User name", Some(&account.user), "--user NAME")?;
            }
            Err(error) => return Err(error.into()),
        }
    };
    let mut looks = vec![look];
    let junk = looks.first().and_then(|look| junk_of(&look.report, provider)).filter(|_| find_junk);
    if let Some(junk) = junk.filter(|junk| !account.folders.contains(junk)) {
        options.folders = vec![junk.clone()];
        looks.extend(desk.look(&options, NEWEST, &cancel));
        account.folders.push(junk);
    }
    Ok(looks)
}

/// The folder for junk: as the server marks it, else as the provider or anybody calls it.
pub(super) fn junk_of(report: &Report, provider: Option<&Provider>) -> Option<String> {
    let mut folders = report.folders.iter().filter(|folder| folder.selectable);
    let usual = provider.and_then(|provider| provider.junk.as_deref());
    let named = |name: &str| folders.clone().find(|folder| folder.name == name);
    let known = folders.clone().find(|folder| folder.junk).or_else(|| usual.and_then(named));
    known.or_else(|| folders.find(|folder| is_junk_name(&folder.name))).map(|folder| folder.name.clone())
}

/// What was seen, and that nothing was changed by looking.
fn say_looks(account: &Account, looks: &[Look], out: &mut dyn Write) -> Result<()> {
    paragraph(out, &format!("Signed in to {} as {}.", account.host, account.user))?;
    let mut compared = 0;
    for look in looks {
        compared += look.compared;
        for (folder, candidates) in &look.report.candidates {
            let exists =
                look.report.folders.iter().find(|found| &found.name == folder).and_then(|found| found.messages);
            let all = exists.map(|exists| format!("{}; ", counted(u64::from(exists), "message"))).unwrap_or_default();
            match candidates {
                Ok((_, 0)) => paragraph(out, &format!("{folder}: empty"))?,
                Ok((hits, seen)) => {
                    let hits = counted(u64::from(*hits), "candidate");
                    paragraph(out, &format!("{folder}: {all}{hits} for a bounce among the newest {seen}"))?;
                }
                Err(why) => paragraph(out, &format!("{folder}: {why}"))?,
            }
        }
    }
    let unchanged = looks.iter().all(|look| look.changed.is_empty());
    let marks = if unchanged { "as before" } else { "changed meanwhile by somebody else" };
    paragraph(out, &format!("Nothing was marked read: the flags of {compared} messages are {marks}."))?;
    Ok(())
}

/// Writes a new file, or adds to the one there is.
fn write(entry: &Entry<'_>, file: &Path, setting: &Setting, ask: Asker, out: &mut dyn Write) -> Result {
    let account = entry.account;
    let domain = account.address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let table = document::account(account, entry.sent);
    let before = match std::fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::new(format!("could not read \"{}\": {}", file.display(), why(&error)))),
    };
    let whole = match &before {
        Some(text) => format!("{}{}\n{table}", text, if text.ends_with('\n') || text.is_empty() { "" } else { "\n" }),
        None => document::head(domain, Provider::of_domain(domain).is_none(), entry.own) + &table,
    };
    Config::parse(&whole, file)?;
    if before.is_some() && !ask.yes(&format!("{} exists; add this inbox at its end?", shown(file)), "--yes")? {
        writeln!(out, "Nothing was written. This belongs into it:\n{table}")?;
        return Ok(Outcome::Done);
    }
    if before.is_some() && !entry.own.is_empty() {
        let list = entry.own.iter().map(|own| format!("{own:?}")).collect::<Vec<_>>().join(", ");
        paragraph(out, &format!("Add to own_addresses at the top of {}: {}", shown(file), visible(&list)))?;
    }
    let failed = |error: std::io::Error| {
        Failure::new(format!("could not write the configuration \"{}\": {}", file.display(), why(&error)))
    };
    private_folder(file.parent().unwrap_or(Path::new("."))).map_err(failed)?;
    let added = before.map_or(whole.as_str(), |text| whole.get(text.len()..).unwrap_or_default());
    let mut written = private_file().append(true).create(true).open(file).map_err(failed)?;
    written.write_all(added.as_bytes()).and_then(|()| written.sync_all()).map_err(failed)?;
    setting.log.line(&format!("setup: {} written", shown(file)));
    paragraph(out, &format!("Written to {}.", shown(file)))?;
    if account.sign_in == SignIn::Ask {
        paragraph(
            out,
            "The password was not kept: it is asked for once per run, or taken from BOUNCEBACK_PASSWORD. Where a password manager has it, set password_command.",
        )?;
    }
    writeln!(out, "Next: bounceback doctor, then bounceback")?;
    Ok(Outcome::Done)
}

/// Splits a command at blanks; quotes of either kind keep them.
fn words(command: &str, flag: &str) -> Result<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in command.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if words.is_empty() || quote.is_some() {
        return Err(Failure::usage(format!("{flag} {command:?} is no command")).hint("\"pass show mail/support\""));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_like_a_person_means_it() {
        let split = |text| words(text, "--x").map_err(|failure| failure.words());
        assert_eq!(split("pass show 'mail/my box' \"\"").unwrap(), ["pass", "show", "mail/my box", ""]);
        assert_eq!(split("  a\tb ").unwrap(), ["a", "b"]);
        assert!(split("  ").is_err() && split("a 'b").is_err());
    }
}
