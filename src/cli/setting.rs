//! What the command line means once the configuration is read: the places, the settings, the time.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::args::Shared;
use super::failure::{Failure, Result};
use super::log::Log;
use super::screen::Color;
use crate::config::{Account, Config, Paths};
use crate::desk::{self, Desk};
use crate::dns::{self, Resolver};
use crate::model::Timestamp;

/// The setting of one run.
pub(super) struct Setting {
    pub(super) paths: Paths,
    pub(super) config: Config,
    pub(super) account: Option<String>,
    pub(super) offline: bool,
    pub(super) color: Color,
    pub(super) log: Log,
}

impl Setting {
    /// `begin` is for the command that writes the configuration: a named file may be missing.
    pub(super) fn new(shared: &Shared, begin: bool) -> Result<Self> {
        let mut paths = shared.paths();
        paths.config_is_named &= !begin;
        let config = Config::load(&paths)?;
        let log = Log::open(shared.log.as_deref(), shared.log_addresses)?;
        Ok(Self { paths, config, account: shared.account.clone(), offline: shared.offline, color: shared.color, log })
    }

    /// What the desk needs to know. `look_only` opens an existing store and makes none.
    pub(super) fn desk_options(&self, look_only: bool) -> Result<desk::Options> {
        Ok(desk::Options { state_dir: Some(self.paths.state_dir()?.to_owned()), look_only, ..self.storeless_options() })
    }

    /// The same without a store on disk.
    pub(super) fn storeless_options(&self) -> desk::Options {
        desk::Options {
            state_dir: None,
            identity: self.config.identity.clone(),
            lead: self.lead(),
            ticket_url: self.config.ticket_url.clone(),
            rule_files: self.config.rules.clone(),
            look_only: true,
            resolver: self.resolver(),
            language: self.config.language.clone(),
            texts: self.config.texts.clone(),
        }
    }

    /// Opens the desk for reading; a missing store is empty and is not made.
    pub(super) fn desk_to_read(&self) -> Result<Desk> {
        Ok(Desk::open(&self.desk_options(true)?)?)
    }

    /// Opens the desk; makes the store where it is missing.
    pub(super) fn desk_to_write(&self) -> Result<Desk> {
        Ok(Desk::open(&self.desk_options(false)?)?)
    }

    /// Asks about domains, as configured; nobody with `--offline`.
    fn resolver(&self) -> Option<Arc<Resolver>> {
        let servers = self.config.name_servers.clone();
        let config = match servers.is_empty() {
            true => dns::Config::system(),
            false => dns::Config { servers, ..dns::Config::default() },
        };
        (!self.offline).then(|| Arc::new(Resolver::new(config)))
    }

    /// The accounts to pull: the named one, else all.
    pub(super) fn accounts(&self) -> Result<Vec<&Account>> {
        Ok(self.config.accounts_named(self.account.as_deref())?)
    }

    /// Who decides: as configured, else the login name.
    fn lead(&self) -> String {
        self.config.lead.clone().unwrap_or_else(login)
    }
}

/// The time, in whole seconds. Commands pass it down; nothing below reads a clock.
pub fn now() -> Timestamp {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
    Timestamp(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// The login name.
pub(super) fn login() -> String {
    let named = ["LOGNAME", "USER"].iter().find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    named.or_else(owner_of_this_process).unwrap_or_else(|| "unknown".to_owned())
}

/// The login name where the environment has none, as under cron in a container.
#[cfg(unix)]
fn owner_of_this_process() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let id = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let named = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    };
    users.lines().find_map(named)
}

#[cfg(not(unix))]
fn owner_of_this_process() -> Option<String> {
    None
}

/// A path as typed, for messages.
pub(super) fn shown(path: &Path) -> String {
    crate::stdx::visible(&path.display().to_string()).into_owned()
}

/// Refuses what needs the network when `--offline` was given.
pub(super) fn needs_network(offline: bool, what: &str) -> Result<()> {
    match offline {
        true => Err(Failure::usage(format!("{what} needs the network, and --offline forbids it"))),
        false => Ok(()),
    }
}
