//! `bounceback config`: check, find or begin the configuration.

use std::io::Write;

use clap::Subcommand;

use super::Tables;
use super::browser::Service;
use super::failure::{Failure, Outcome, Result};
use super::setting::{Setting, shown};
use crate::config::{Paths, SAMPLE, SignIn};
use crate::desk;
use crate::stdx::visible;

/// What can be done with the configuration.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum Action {
    /// Say whether the configuration can be used, with file and line where it cannot
    Check,
    /// Print where the configuration file belongs
    Path,
    /// Print a documented configuration to start from
    #[command(
        after_help = "Example:\n  mkdir -p ~/.config/bounceback && bounceback config example > ~/.config/bounceback/config.toml"
    )]
    Example,
}

/// Prints the path or the example. Needs no readable configuration: it is there to make one.
pub(super) fn print(action: Action, paths: &Paths, out: &mut dyn Write) -> Result {
    if matches!(action, Action::Example) {
        out.write_all(SAMPLE.as_bytes())?;
        return Ok(Outcome::Done);
    }
    let Some(file) = &paths.config_file else {
        return Err(
            Failure::new("no home directory is known for this user").hint("name the file yourself: --config FILE")
        );
    };
    writeln!(out, "{}", shown(file))?;
    Ok(Outcome::Done)
}

/// Checks everything that can be checked without the network: the file, the rules, words, keys and styles beside it, the
/// places.
pub(super) fn check(setting: &Setting, tables: Tables, out: &mut dyn Write) -> Result {
    let config = &setting.config;
    let mut outcome = Outcome::Done;
    match &config.file {
        Some(file) => writeln!(out, "configuration  {}", shown(file))?,
        None => writeln!(out, "configuration  none; everything but \"pull\" works without one")?,
    }
    writeln!(out, "store          {}", shown(setting.paths.state_dir()?))?;
    writeln!(out, "own rules      {}", config.rules.len())?;
    desk::context(&setting.storeless_options())?;
    let (keys, theme) = (named(&config.keys), named(&config.theme));
    for (what, file) in [("own keys", keys), ("own styles", theme)] {
        if let Some((name, _)) = file {
            writeln!(out, "{what:<14} {}", visible(name))?;
        }
    }
    let faults = tables(keys, theme);
    for fault in &faults {
        out.flush()?;
        super::complain(fault);
    }
    for account in setting.accounts()? {
        let sign_in = match &account.sign_in {
            SignIn::PasswordCommand(_) => "password by command",
            SignIn::TokenCommand(_) => "token by command",
            SignIn::OAuth(_) => "sign-in by browser",
            SignIn::Ask => "password asked for",
        };
        if let SignIn::OAuth(oauth) = &account.sign_in {
            Service::of(oauth)?;
        }
        let at = format!("{} at {}:{}", account.user, account.host, account.port);
        writeln!(out, "account        {}: {}, {sign_in}", visible(&account.name), visible(&at))?;
        if let Some(file) = account.ca_file.as_ref().filter(|file| !file.is_file()) {
            out.flush()?;
            super::complain(&Failure::new(format!(
                "ca_file of account \"{}\": no file \"{}\"",
                account.name,
                file.display()
            )));
            outcome = Outcome::Partly;
        }
    }
    if faults.is_empty() { Ok(outcome) } else { Err(Failure::said()) }
}

/// A file's name and text.
fn named(file: &Option<(String, String)>) -> Option<(&str, &str)> {
    file.as_ref().map(|(name, text)| (name.as_str(), text.as_str()))
}
