//! What can go wrong while reading mail, in words a support lead can act on.
//!
//! One constructor per message. A message says what failed: on what: why; the hint says what to do. Whatever a server
//! wrote goes through [`clean`] before it becomes part of a message.

use std::error::Error as StdError;
use std::fmt;

use crate::stdx;

/// What sort of failure it is; decides whether trying again makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The user ended it.
    Cancelled,
    /// The settings cannot work.
    Config,
    /// Unknown host, refused, unreachable, cut off.
    Network,
    /// No answer in time.
    Timeout,
    /// TLS or its certificate.
    Tls,
    /// Sign-in was refused.
    Login,
    /// A folder cannot be opened.
    Folder,
    /// The server asks to slow down.
    Throttled,
    /// The server answered with something unusable.
    Protocol,
    /// A file cannot be read.
    File,
}

/// A failure of a source.
#[derive(Debug)]
pub struct Error {
    /// What failed: on what: why. Lower case, no final period, safe for a terminal.
    pub what: String,
    /// What sort of failure.
    pub kind: Kind,
    /// What to do, where that is known.
    pub hint: Option<String>,
    /// For [`Kind::Throttled`]: seconds the server asked to wait.
    pub retry_after: Option<u64>,
    /// The cause below, where there is one.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl Error {
    pub(crate) fn new(kind: Kind, what: String) -> Self {
        Self { what, kind, hint: None, retry_after: None, source: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(Kind::Cancelled, "cancelled".to_owned())
    }

    pub(crate) fn unknown_host(host: &str, why: &str) -> Self {
        Self::new(Kind::Network, format!("could not find the server {host:?}: {}", clean(why)))
            .hint("check `host` and the network connection")
    }

    pub(crate) fn refused(host: &str, port: u16) -> Self {
        Self::new(Kind::Network, format!("could not connect to {host:?} port {port}: connection refused"))
            .hint("check `host` and `port`: 993 is usual for `tls = \"implicit\"`, 143 for \"starttls\"")
    }

    pub(crate) fn unreachable(host: &str, port: u16, why: &std::io::Error) -> Self {
        let why = clean(&why.to_string());
        Self::new(Kind::Network, format!("could not connect to {host:?} port {port}: {why}"))
            .hint("check the network connection, a VPN, or a firewall between here and the server")
    }

    pub(crate) fn connect_timeout(host: &str, port: u16, seconds: u64) -> Self {
        Self::new(Kind::Timeout, format!("could not connect to {host:?} port {port}: no answer within {seconds} s"))
            .hint("check `host` and `port`; a firewall that drops packets looks like this too")
    }

    pub(crate) fn silent(host: &str, doing: &str) -> Self {
        Self::new(Kind::Timeout, format!("could not {doing} on {host:?}: the server did not answer in time"))
            .hint("try again later; what was fetched so far is kept")
    }

    /// Nobody greets: what a server looks like that waits for TLS.
    pub(crate) fn no_greeting(host: &str, port: u16, implicit: bool) -> Self {
        let error = Self::new(
            Kind::Timeout,
            format!("could not start a session with {host:?} port {port}: the server did not answer in time"),
        );
        if implicit {
            return error.hint("try again later; `port` 993 is usual");
        }
        error.hint(
            "a server that wants TLS from the first byte is silent like this: `tls = \"implicit\"`, usual for port 993",
        )
    }

    pub(crate) fn tls_expected(host: &str, port: u16) -> Self {
        Self::new(
            Kind::Tls,
            format!("could not start TLS with {host:?} port {port}: the server does not speak TLS there"),
        )
        .hint("port 143 wants `tls = \"starttls\"`, port 993 wants `tls = \"implicit\"`")
    }

    pub(crate) fn tls_failed(host: &str, why: &str) -> Self {
        Self::new(Kind::Tls, format!("could not start TLS with {host:?}: {}", clean(why)))
            .hint("the server must offer TLS 1.2 or newer and a certificate that this machine trusts")
    }

    pub(crate) fn certificate(host: &str, why: &str, facts: &str, hint: &str) -> Self {
        let facts = if facts.is_empty() { String::new() } else { format!(" ({})", clean(facts)) };
        Self::new(Kind::Tls, format!("could not trust the certificate of {host:?}: {}{facts}", clean(why))).hint(hint)
    }

    pub(crate) fn bad_ca_file(path: &str, why: &str) -> Self {
        Self::new(Kind::Config, format!("could not read the certificate file {path:?}: {}", clean(why)))
            .hint("`ca_file` must be a PEM file holding the certificate of your own authority")
    }

    pub(crate) fn no_starttls(host: &str, said: &str) -> Self {
        Self::new(Kind::Tls, format!("could not start TLS with {host:?}: the server does not offer STARTTLS{}", tail(said)))
            .hint("nothing was sent; use `tls = \"implicit\"` with port 993, or ask who runs the server: somebody on the way may be removing STARTTLS")
    }

    pub(crate) fn starttls_injected(host: &str) -> Self {
        Self::new(
            Kind::Tls,
            format!("could not start TLS with {host:?}: unencrypted data followed the answer to STARTTLS"),
        )
        .hint("somebody on the way may be tampering with the connection; nothing secret was sent")
    }

    pub(crate) fn plain_refused(host: &str) -> Self {
        Self::new(
            Kind::Config,
            format!("could not connect to {host:?}: `tls = \"none\"` is allowed for this machine only"),
        )
        .hint("use `tls = \"implicit\"` or \"starttls\"")
    }

    pub(crate) fn greeting(host: &str, said: &str) -> Self {
        Self::new(Kind::Network, format!("could not start a session with {host:?}: the server said{}", tail_or_nothing(said)))
            .hint("the server turned the connection away; too many open connections is the usual reason, try again in a few minutes")
    }

    pub(crate) fn not_imap(host: &str, port: u16, said: &str) -> Self {
        Self::new(
            Kind::Protocol,
            format!("could not start a session with {host:?} port {port}: this is no IMAP server{}", tail(said)),
        )
        .hint("check `host` and `port`: 993 and 143 are the usual ones")
    }

    pub(crate) fn preauth(host: &str) -> Self {
        Self::new(
            Kind::Protocol,
            format!("could not log in to {host:?}: the server says somebody is signed in already (PREAUTH)"),
        )
        .hint("such a server is meant for tunnels; use its ordinary IMAP port")
    }

    pub(crate) fn login_refused(host: &str, user: &str, said: &str, hint: &str) -> Self {
        Self::new(Kind::Login, format!("could not log in to {host:?} as {user:?}{}", tail(said))).hint(hint)
    }

    pub(crate) fn login_disabled(host: &str) -> Self {
        Self::new(Kind::Login, format!("could not log in to {host:?}: the server takes no password on this connection"))
            .hint("use `tls = \"implicit\"` or \"starttls\", or a `token_command` where the provider wants OAuth2")
    }

    pub(crate) fn bad_setting(name: &str, value: &str, why: &str) -> Self {
        Self::new(Kind::Config, format!("could not use {name} {:?}: {why}", clean(value)))
    }

    pub(crate) fn folder(folder: &str, host: &str, said: &str) -> Self {
        Self::new(Kind::Folder, format!("could not open the folder {:?} on {host:?}{}", clean(folder), tail(said)))
            .hint("check `folders`: names are written as the mail program shows them, with the server's separator")
    }

    /// The same, with the folders there are.
    pub(crate) fn with_folders(self, names: &[String]) -> Self {
        let named = names.iter().take(12).map(|name| format!("\"{}\"", clean(name))).collect::<Vec<_>>().join(", ");
        let more = if names.len() > 12 { ", ..." } else { "" };
        if names.is_empty() { self } else { self.hint(format!("set `folders`; the server has {named}{more}")) }
    }

    pub(crate) fn throttled(host: &str, said: &str, seconds: u64) -> Self {
        let mut error = Self::new(
            Kind::Throttled,
            format!("could not read on from {host:?}: the server asks to slow down{}", tail(said)),
        )
        .hint(format!("wait {seconds} s and pull again; it goes on where it stopped"));
        error.retry_after = Some(seconds);
        error
    }

    pub(crate) fn cut_off(host: &str, doing: &str, said: &str) -> Self {
        Self::new(Kind::Network, format!("could not {doing} on {host:?}: the connection was cut{}", tail(said)))
            .hint("pull again; it goes on where it stopped")
    }

    pub(crate) fn answered(host: &str, doing: &str, said: &str) -> Self {
        Self::new(Kind::Protocol, format!("could not {doing} on {host:?}{}", tail(said)))
            .hint("pull again; if it stays, ask who runs the server")
    }

    pub(crate) fn garbage(host: &str, doing: &str, why: &str, said: &str) -> Self {
        let said = if said.is_empty() { String::new() } else { format!("; its last line was {said}") };
        Self::new(
            Kind::Protocol,
            format!(
                "could not {doing} on {host:?}: the server sent something this program could not read ({why}){said}"
            ),
        )
        .hint("pull again; if it stays, report the line to who runs the server")
    }

    pub(crate) fn renumbered(folder: &str, host: &str) -> Self {
        let folder = clean(folder);
        Self::new(
            Kind::Protocol,
            format!("could not read on in {folder:?} on {host:?}: the server numbers its messages anew"),
        )
        .hint("pull again; decisions are kept")
    }

    pub(crate) fn gone(folder: &str, host: &str, uid: u32) -> Self {
        let folder = clean(folder);
        Self::new(
            Kind::Folder,
            format!("could not fetch message {uid} of {folder:?} on {host:?}: it is no longer there"),
        )
        .hint("what was fetched before is still in the store")
    }

    pub(crate) fn no_account_folder(account: &str) -> Self {
        Self::new(Kind::Config, format!("could not read the account {:?}: it names no folder", clean(account)))
            .hint("set `folders = [\"INBOX\"]`")
    }
}

/// ": text", or nothing where there is no text.
fn tail(said: &str) -> String {
    let said = clean(words(said));
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

/// What a server said to people: without the status word before it, and without the times that Dovecot puts behind it.
fn words(said: &str) -> &str {
    let mut said = said.trim();
    for status in ["NO ", "BAD ", "BYE "] {
        said = crate::stdx::strip_prefix_ignore_case(said, status).unwrap_or(said).trim_start();
    }
    match said.rsplit_once('(') {
        Some((text, times))
            if times.trim_end_matches('.').ends_with("secs)") && times.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            text.trim_end()
        }
        _ => said,
    }
}

fn tail_or_nothing(said: &str) -> String {
    let said = clean(said);
    if said.is_empty() { " nothing".to_owned() } else { format!(": {said}") }
}

/// Text from outside made fit for a message: one line, safe for a terminal, at most 300 characters.
pub(crate) fn clean(text: &str) -> String {
    let line = text.trim().replace(['\t', '\r', '\n'], " ");
    let mut shown = stdx::visible(&line).into_owned();
    if let Some((at, _)) = shown.char_indices().nth(300) {
        shown.truncate(at);
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_server_controls_the_terminal() {
        let error = Error::login_refused("h", "u", "NO \u{1b}]0;owned\u{7}\u{202e}gone\r\n\u{9b}2J", "hint");
        assert!(!error.what.chars().any(stdx::is_hidden), "{}", error.what);
        assert!(error.what.contains("^[]0;owned^G<U+202E>gone"), "{}", error.what);
    }

    #[test]
    fn what_a_server_says_is_shown_in_its_words() {
        let check = |said, want| assert_eq!(words(said), want);
        check("NO Mailbox doesn't exist: Foo (0.001 + 0.000 secs).", "Mailbox doesn't exist: Foo");
        check(
            "NO [NONEXISTENT] Unknown Mailbox: Foo (now in authenticated state) (Failure)",
            "[NONEXISTENT] Unknown Mailbox: Foo (now in authenticated state) (Failure)",
        );
        check("bad Nothing known (0.5 secs)", "Nothing known");
        check("NOW is the time", "NOW is the time");
        check("(0.001 + 0.000 secs).", "");
        check("NO", "NO");
    }

    #[test]
    fn a_long_answer_is_cut() {
        assert_eq!(clean(&"x".repeat(5000)).chars().count(), 301);
    }
}
