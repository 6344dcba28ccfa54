//! The configuration: who we are, which inboxes to read, where things lie. Plain data out.
//!
//! Reads files and changes none. Knows nothing of IMAP, stores or screens: whoever needs a setting is handed it.
//! Invariant: a [`Config`] that was returned can be used as it is; every doubt about it is an [`Error`] with its line.

mod account;
mod command;
pub mod document;
mod error;
mod file;
mod oauth;
mod paths;
pub mod providers;

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use toml::Spanned;

pub use account::{Account, SignIn, Tls};
pub use command::secret_of_command;
pub use error::Error;
pub use oauth::{Keep, OAuth};
pub use paths::Paths;

use crate::model::Identity;
use crate::stdx::why;

/// The documented sample, as `bounceback config example` prints it.
pub const SAMPLE: &str = include_str!("../../assets/config.sample.toml");

/// What the configuration says. The default is what holds without a file.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The file it was read from; `None` when there is none.
    pub file: Option<PathBuf>,
    /// Who we are: own addresses (those of the accounts among them), own domains, the help desk.
    pub identity: Identity,
    /// How to reach a ticket in the browser; holds `{ticket}`.
    pub ticket_url: Option<String>,
    /// Who decides, in exports; the login name when not set.
    pub lead: Option<String>,
    /// After how many days personal data goes; never when not set.
    pub retention_days: Option<u32>,
    /// Days without a bounce that prove a correction.
    pub proven_after_days: Option<u32>,
    /// Language of the texts for customers, such as "en".
    pub language: Option<String>,
    /// The lead's own texts for customers (`texts/*.toml`, in order of name): name and text.
    pub texts: Vec<(String, String)>,
    /// Name servers to ask about domains; those of the system when empty.
    pub name_servers: Vec<SocketAddr>,
    /// The inboxes.
    pub accounts: Vec<Account>,
    /// The lead's own keys (`keys.toml` beside the file): name and text.
    pub keys: Option<(String, String)>,
    /// The lead's own colours (`theme.toml` beside the file): name and text.
    pub theme: Option<(String, String)>,
    /// The lead's own words for causes (`causes.toml` beside the file), then the own rules (`rules/*.toml`, in order of
    /// name): name and text.
    pub rules: Vec<(String, String)>,
}

impl Config {
    /// Reads the configuration and the rule files beside it. A file that is missing and was not named is no error.
    ///
    /// # Errors
    /// When a file cannot be read, or says something that cannot be used.
    pub fn load(paths: &Paths) -> Result<Self, Error> {
        let (Some(file), Some(dir)) = (&paths.config_file, paths.config_dir()) else { return Ok(Self::default()) };
        let mut config = match fs::read_to_string(file) {
            Ok(_) if is_open_to_all(file) => return Err(Error::open_to_all(file)),
            Ok(text) => Self::parse(&text, file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !paths.config_is_named => Self::default(),
            Err(error) => return Err(Error::unreadable(file, &error)),
        };
        config.keys = read_optional(&dir.join("keys.toml"))?;
        config.theme = read_optional(&dir.join("theme.toml"))?;
        config.rules.extend(read_optional(&dir.join("causes.toml"))?);
        config.rules.extend(toml_files(&dir.join("rules"))?);
        config.texts = toml_files(&dir.join("texts"))?;
        Ok(config)
    }

    /// Reads the text of a configuration file; `path` is for errors and for what is relative to it.
    ///
    /// # Errors
    /// When the text is no TOML, names an unknown key, or says something that cannot be used.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let file = file::parse(text, path)?;
        let reader = Reader { text, path };
        let mut config = Self { file: Some(path.to_owned()), ..Self::default() };
        for address in &file.own_addresses {
            config.identity.addresses.push(reader.address(address)?);
        }
        for domain in &file.own_domains {
            config.identity.domains.push(reader.domain(domain)?);
        }
        for table in &file.account {
            let account = account::read(&reader, table)?;
            if config.accounts.iter().any(|other| other.name == account.name) {
                return Err(reader.wrong(table, format!("a second account \"{}\"", account.name)));
            }
            if !config.identity.owns_address(&account.address) {
                config.identity.addresses.push(account.address.clone());
            }
            config.accounts.push(account);
        }
        for piece in &file.own_message_ids {
            config.identity.message_ids.push(reader.filled(piece)?);
        }
        config.identity.desk = file.desk.as_ref().map(|desk| reader.filled(desk)).transpose()?;
        config.identity.desk_account = file.desk_account.as_ref().map(|name| reader.filled(name)).transpose()?;
        config.lead = file.lead.as_ref().map(|lead| reader.filled(lead)).transpose()?;
        config.ticket_url = file.ticket_url.as_ref().map(|url| reader.ticket_url(url)).transpose()?;
        config.proven_after_days = file.proven_after.as_ref().map(|text| reader.days(text)).transpose()?;
        config.language = file.language.as_ref().map(|name| reader.filled(name)).transpose()?;
        for server in &file.name_servers {
            config.name_servers.push(reader.name_server(server)?);
        }
        config.retention_days = file.retention.as_ref().map(|text| reader.days(text)).transpose()?;
        Ok(config)
    }

    /// Days without a bounce that prove a correction: as configured, else a week.
    pub fn proven_after(&self) -> u32 {
        self.proven_after_days.unwrap_or(7)
    }

    /// The account with this name, or the only ones there are when no name is given.
    ///
    /// # Errors
    /// When no account has that name, or none is configured.
    pub fn accounts_named(&self, name: Option<&str>) -> Result<Vec<&Account>, Error> {
        let known: Vec<&str> = self.accounts.iter().map(|account| account.name.as_str()).collect();
        match name {
            None => Ok(self.accounts.iter().collect()),
            Some(name) => match self.accounts.iter().find(|account| account.name == name) {
                Some(account) => Ok(vec![account]),
                None => Err(Error::no_such_account(name, &known)),
            },
        }
    }
}

/// Whether everybody may write a file: then anybody could run commands as whoever reads it.
#[cfg(unix)]
fn is_open_to_all(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o002 != 0)
}

/// Whether everybody may write a file: then anybody could run commands as whoever reads it.
#[cfg(not(unix))]
fn is_open_to_all(_: &Path) -> bool {
    false
}

fn read_optional(path: &Path) -> Result<Option<(String, String)>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some((path.display().to_string(), text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::at(path, None, format!("could not read it: {}", why(&error)))),
    }
}

fn toml_files(dir: &Path) -> Result<Vec<(String, String)>, Error> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::at(dir, None, format!("could not read the folder: {}", why(&error)))),
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.iter().filter_map(|path| read_optional(path).transpose()).collect()
}

/// A length of time in days: "180 days", "26 weeks", "6 months", "1 year".
pub fn days_of(text: &str) -> Option<u32> {
    let written = text.trim();
    let digits = written.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = written.get(digits.len()..).unwrap_or_default().trim();
    let days = match unit.strip_suffix('s').unwrap_or(unit) {
        "day" => 1,
        "week" => 7,
        "month" => 30,
        "year" => 365,
        _ => return None,
    };
    digits.parse::<u32>().ok().filter(|count| *count > 0)?.checked_mul(days)
}

/// Turns what is written into what is meant, with the line where it is wrong.
struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Reader<'_> {
    fn wrong<T>(&self, at: &Spanned<T>, what: impl Into<String>) -> Error {
        Error::at(self.path, Some(file::line_of(self.text, at.span().start)), what)
    }

    fn filled(&self, text: &Spanned<String>) -> Result<String, Error> {
        let trimmed = text.get_ref().trim();
        if trimmed.is_empty() || trimmed.chars().any(char::is_control) {
            return Err(self.wrong(text, "this must be one line of text and not empty"));
        }
        Ok(trimmed.to_owned())
    }

    fn command(&self, argv: &Spanned<Vec<String>>) -> Result<Vec<String>, Error> {
        match argv.get_ref().first().map(String::as_str) {
            None | Some("") => Err(self.wrong(
                argv,
                "the command is empty; expected a program and its arguments, such as [\"pass\", \"show\", \"mail\"]",
            )),
            Some(_) => Ok(argv.get_ref().clone()),
        }
    }

    fn address(&self, text: &Spanned<String>) -> Result<String, Error> {
        match crate::model::Address::new(text.get_ref()) {
            Some(address) => Ok(address.as_str().to_owned()),
            None => Err(self.wrong(text, format!("{:?} is no mail address; expected name@domain", text.get_ref()))),
        }
    }

    fn domain(&self, text: &Spanned<String>) -> Result<String, Error> {
        let domain = text.get_ref().trim().trim_start_matches('@').trim_matches('.').to_lowercase();
        if domain.is_empty() || domain.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control()) {
            return Err(self
                .wrong(text, format!("{:?} is no domain; expected one such as \"company.example\"", text.get_ref())));
        }
        Ok(domain)
    }

    fn ticket_url(&self, url: &Spanned<String>) -> Result<String, Error> {
        let text = self.filled(url)?;
        let web = text.starts_with("https://") || text.starts_with("http://");
        if !web || !text.contains("{ticket}") {
            return Err(self.wrong(url, "ticket_url must begin with https:// and contain {ticket}"));
        }
        Ok(text)
    }

    fn name_server(&self, text: &Spanned<String>) -> Result<SocketAddr, Error> {
        let written = text.get_ref().trim();
        let port_53 = |address: IpAddr| SocketAddr::from((address, 53));
        let address = written.parse::<SocketAddr>().or_else(|_| written.parse::<IpAddr>().map(port_53));
        address
            .map_err(|_| self.wrong(text, format!("{written:?} is no IP address; expected one such as \"192.0.2.53\"")))
    }

    fn days(&self, text: &Spanned<String>) -> Result<u32, Error> {
        match days_of(text.get_ref()) {
            Some(days) => Ok(days),
            None => {
                let written = text.get_ref().trim();
                Err(self.wrong(text, format!("{written:?} is no length of time; expected one such as \"180 days\"")))
            }
        }
    }
}
