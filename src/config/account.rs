//! One inbox: where it is, how to sign in, which folders to read.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::error::Error;
use super::oauth::{self, OAuth};
use super::{Reader, file, paths};

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// Upgraded by STARTTLS before anything secret is sent (RFC 9051 section 6.2.1).
    StartTls,
    /// None at all; loopback only.
    None,
}

/// Where the secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// A command prints the password.
    PasswordCommand(Vec<String>),
    /// A command prints an OAuth2 access token, for XOAUTH2.
    TokenCommand(Vec<String>),
    /// Signed in once with a code in a browser; the refresh token is kept.
    OAuth(OAuth),
    /// Asked once per run, or taken from the environment; never stored.
    Ask,
}

/// One inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name on the command line and in the store.
    pub name: String,
    /// The address of the inbox.
    pub address: String,
    /// Host name or IP address of the IMAP server.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Certificate authorities to trust besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Who signs in.
    pub user: String,
    /// With what.
    pub sign_in: SignIn,
    /// The folders that hold bounces.
    pub folders: Vec<String>,
    /// Folders of sent mail: evidence for suggestions, never a source of cases.
    pub sent_folders: Vec<String>,
}

pub(super) fn read(reader: &Reader<'_>, table: &Spanned<file::Account>) -> Result<Account, Error> {
    let written = table.get_ref();
    let user = written.user.as_ref().map(|user| reader.filled(user)).transpose()?;
    let address = match (&written.address, &user) {
        (Some(address), _) => reader.address(address)?,
        (None, Some(user)) if user.contains('@') => user.clone(),
        _ => {
            return Err(reader
                .wrong(table, "this account has no address")
                .with_hint("address = \"support@company.example\""));
        }
    };
    let name = written.name.as_ref().map(|name| reader.filled(name)).transpose()?;
    let host = reader.filled(&written.host)?;
    let tls = tls(reader, written, &host)?;
    let dir = reader.path.parent().unwrap_or(Path::new(""));
    let sign_in = sign_in(reader, written, dir)?;
    let folders = match &written.folders {
        None => vec!["INBOX".to_owned()],
        Some(folders) if folders.get_ref().is_empty() || folders.get_ref().iter().any(String::is_empty) => {
            return Err(reader.wrong(folders, "folders names no folder; expected at least [\"INBOX\"]"));
        }
        Some(folders) => folders.get_ref().clone(),
    };
    let port = match &written.port {
        Some(port) if *port.get_ref() == 0 => {
            return Err(reader.wrong(port, "port 0 cannot be reached; usual are 993 and 143"));
        }
        Some(port) => *port.get_ref(),
        None if tls == Tls::Implicit => 993,
        None => 143,
    };
    Ok(Account {
        name: name.unwrap_or_else(|| address.clone()),
        user: user.unwrap_or_else(|| address.clone()),
        address,
        host,
        port,
        tls,
        ca_file: written
            .ca_file
            .as_ref()
            .map(|path| reader.filled(path))
            .transpose()?
            .map(|path| paths::resolve(&path, dir)),
        sign_in,
        folders,
        sent_folders: written.sent_folders.clone(),
    })
}

fn tls(reader: &Reader<'_>, written: &file::Account, host: &str) -> Result<Tls, Error> {
    let Some(tls) = &written.tls else { return Ok(Tls::Implicit) };
    match tls.get_ref().as_str() {
        "implicit" => Ok(Tls::Implicit),
        "starttls" => Ok(Tls::StartTls),
        "none" if is_loopback(host) => Ok(Tls::None),
        "none" => Err(reader
            .wrong(tls, format!("tls = \"none\" would send the password of \"{host}\" readable by everyone; allowed on loopback only"))
            .with_hint("tls = \"implicit\" (port 993) or tls = \"starttls\" (port 143)")),
        other => Err(reader.wrong(tls, format!("tls = {other:?} is not known; expected \"implicit\", \"starttls\" or \"none\""))),
    }
}

fn sign_in(reader: &Reader<'_>, written: &file::Account, dir: &Path) -> Result<SignIn, Error> {
    let oauth = oauth::read(reader, written, dir)?;
    match (&written.password_command, &written.token_command, oauth) {
        (Some(_), Some(token), _) => Err(reader.wrong(token, "password_command and token_command exclude each other")),
        (Some(other), _, Some(_)) | (_, Some(other), Some(_)) => {
            Err(reader.wrong(other, "oauth and a command for the password or the token exclude each other"))
        }
        (Some(password), None, None) => Ok(SignIn::PasswordCommand(reader.command(password)?)),
        (None, Some(token), None) => Ok(SignIn::TokenCommand(reader.command(token)?)),
        (None, None, Some(oauth)) => Ok(SignIn::OAuth(oauth)),
        (None, None, None) => Ok(SignIn::Ask),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
