//! Reads bounces out of IMAP folders without changing them.
//!
//! A pull scans the headers of what is new, newest first, asks the caller which of them are candidates, and fetches the
//! beginning of those. Everything handed over is covered by a [`Cursor`]; the next pull goes on where this one ended.
//!
//! Invariant: folders are opened with EXAMINE and read with BODY.PEEK. There is no code here that stores, moves,
//! appends or expunges, and none that sends SELECT.

mod answer;
mod beginning;
mod certificate;
mod check;
mod connect;
mod cursor;
mod event;
mod guard;
mod job;
mod lasting;
mod lexer;
mod login;
mod place;
mod pull;
mod session;
mod utf7;
mod watch;
mod windows;

use std::path::PathBuf;
use std::time::Duration;

pub use certificate::Certificate;
pub use check::{Found, Report, check, fetch, flags, reach};
pub use cursor::Cursor;
pub use event::{Event, Outcome};
pub use place::read_place;
pub use pull::pull;
pub use watch::{Watching, wait};

use crate::model::{Secret, Timestamp};

/// What a scan looks for.
#[derive(Clone, Copy)]
pub struct Scan<'a> {
    /// The header fields it asks the server for; at least one.
    pub fields: &'a [&'a str],
    /// Whether a message with these header lines is to be fetched.
    pub candidate: &'a dyn Fn(&[u8]) -> bool,
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// TLS from the first byte, port 993.
    #[default]
    Implicit,
    /// STARTTLS before anything else, port 143.
    StartTls,
    /// None; refused for every host but this machine.
    None,
}

/// How to sign in.
#[derive(Debug, Clone)]
pub enum Auth {
    /// LOGIN, or AUTHENTICATE PLAIN where LOGIN is switched off.
    Password(Secret),
    /// An OAuth2 access token by XOAUTH2 (Google, Microsoft), or by OAUTHBEARER where a server offers only that.
    XOAuth2(Secret),
    /// An OAuth2 access token by OAUTHBEARER (RFC 7628).
    OAuthBearer(Secret),
}

/// Times and sizes. The defaults suit a production inbox on a slow line.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Look-up, connect and TLS handshake together.
    pub connect: Duration,
    /// One command, however slowly its answer drips.
    pub command: Duration,
    /// The whole pull, while the server yields nothing.
    pub stall: Duration,
    /// Longest wait at a server's request in the middle of a pull.
    pub wait: Duration,
    /// Bytes of a candidate fetched at first.
    pub prefix: u32,
    /// Bytes of a candidate fetched where the first are not enough.
    pub prefix_most: u32,
    /// Messages whose headers are scanned at once.
    pub window: u32,
    /// The same for the first window, so that first rows come soon.
    pub first_window: u32,
    /// Candidates fetched at once.
    pub batch: usize,
    /// Watching: pause before a connection.
    pub watch_pause: Duration,
    /// Watching: longest pause after a connection broke.
    pub watch_retry: Duration,
    /// Watching: how long one IDLE, or the pause between two polls, lasts; none for the usual.
    pub watch_idle: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            command: Duration::from_secs(30),
            stall: Duration::from_secs(55),
            wait: Duration::from_secs(300),
            prefix: 16 * 1024,
            prefix_most: 64 * 1024,
            window: 1000,
            first_window: 500,
            batch: 96,
            watch_pause: Duration::from_secs(2),
            watch_retry: Duration::from_secs(60),
            watch_idle: None,
        }
    }
}

/// What a pull needs to know. Plain data.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the account; first part of every place.
    pub name: String,
    /// Host name; the certificate must be for it.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Protection of the connection.
    pub tls: Tls,
    /// PEM file of an authority to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Who signs in; may be a shared mailbox's address.
    pub user: String,
    /// How.
    pub auth: Auth,
    /// Folders to read, as a person writes them.
    pub folders: Vec<String>,
    /// Folders of sent mail: evidence of whom this inbox writes to, never a source of cases.
    pub sent_folders: Vec<String>,
    /// What to do about a refused sign-in, by the host and what it said; none where nothing is known.
    pub cure: fn(host: &str, said: &str) -> Option<&'static str>,
    /// Times and sizes.
    pub limits: Limits,
    /// Leave out what arrived earlier.
    pub since: Option<Timestamp>,
    /// Leave out all but the newest so many messages of each folder.
    pub last: Option<u32>,
}

impl Options {
    /// Options with the usual values for everything that need not be said.
    pub fn new(name: &str, host: &str, user: &str, auth: Auth) -> Self {
        Self {
            name: name.to_owned(),
            host: host.to_owned(),
            port: 993,
            tls: Tls::Implicit,
            ca_file: None,
            user: user.to_owned(),
            auth,
            folders: vec!["INBOX".to_owned()],
            sent_folders: Vec::new(),
            cure: |_, _| None,
            limits: Limits::default(),
            since: None,
            last: None,
        }
    }
}
