//! What a server's certificate says, and why it was refused.
//!
//! The TLS library tells only that verification failed. To say who issued the certificate and until when it is valid,
//! [`explain`] connects once more without verification, looks at the certificate and hangs up without a word of IMAP.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use native_tls::{Protocol, TlsConnector};

use super::connect::{shake, start_tls};
use super::guard::TICK;
use super::{Options, Tls};
use crate::model::Timestamp;
use crate::source::{Cancel, Error};

/// The lines of a certificate that a person wants to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Who it is for (common name).
    pub subject: String,
    /// Who signed it (common name, else organisation).
    pub issuer: String,
    /// First moment it is valid.
    pub from: Option<Timestamp>,
    /// Last moment it is valid.
    pub until: Option<Timestamp>,
    /// The host names it is for.
    pub names: Vec<String>,
}

/// The error for a handshake that failed.
pub(super) fn explain(options: &Options, error: &native_tls::Error, cancel: &Cancel) -> Error {
    let host = &options.host;
    let text = error.to_string();
    let lower = text.to_lowercase();
    if ["wrong version number", "packet length too long", "unknown protocol", "record layer failure"]
        .iter()
        .any(|s| lower.contains(s))
    {
        return Error::tls_expected(host, options.port);
    }
    if !lower.contains("certificate")
        && !lower.contains("hostname")
        && !lower.contains("self-signed")
        && !lower.contains("self signed")
    {
        return Error::tls_failed(host, &text);
    }
    let seen = look(options, cancel);
    let facts = seen.as_ref().map(Certificate::to_string).unwrap_or_default();
    let own = "set `ca_file` to the PEM file of that authority if it is your company's own; otherwise do not go on, ask who runs the server";
    if lower.contains("expired") {
        Error::certificate(
            host,
            "it has expired",
            &facts,
            "ask who runs the server to renew it, and check this machine's clock",
        )
    } else if lower.contains("not yet valid") {
        Error::certificate(host, "it is not valid yet", &facts, "check this machine's clock")
    } else if lower.contains("mismatch") || lower.contains("hostname") {
        let hint = "set `host` to a name the certificate is for; if you are sure of the name, do not go on, ask who runs the server";
        Error::certificate(host, "it is for another host", &facts, hint)
    } else if lower.contains("self-signed") || lower.contains("self signed") {
        Error::certificate(host, "nobody this machine knows has signed it", &facts, own)
    } else {
        Error::certificate(host, "this machine does not know its issuer", &facts, own)
    }
}

/// Fetches the certificate without trusting it; sends no secret and no command but STARTTLS.
fn look(options: &Options, cancel: &Cancel) -> Option<Certificate> {
    let deadline = Instant::now() + Duration::from_secs(5);
    let address = std::net::ToSocketAddrs::to_socket_addrs(&(options.host.as_str(), options.port)).ok()?.next()?;
    let mut tcp = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    tcp.set_read_timeout(Some(TICK)).ok()?;
    tcp.set_write_timeout(Some(TICK)).ok()?;
    if options.tls == Tls::StartTls {
        start_tls(options, &mut tcp, cancel, deadline).ok()?;
    }
    let mut builder = TlsConnector::builder();
    builder
        .min_protocol_version(Some(Protocol::Tlsv12))
        .danger_accept_invalid_certs(true)
        .danger_accept_invalid_hostnames(true);
    let tls = shake(&builder.build().ok()?, &options.host, tcp, cancel, deadline).ok()?;
    read(&tls.peer_certificate().ok()??.to_der().ok()?)
}

impl std::fmt::Display for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = if self.names.is_empty() { self.subject.clone() } else { self.names.join(", ") };
        write!(f, "for {names}, issued by {:?}", self.issuer)?;
        match self.until {
            Some(until) => write!(f, ", valid until {until}"),
            None => Ok(()),
        }
    }
}

/// The certificates of a PEM file, each with its frame; none where it holds none.
pub(super) fn split_pem(pem: &[u8]) -> Option<Vec<&[u8]>> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    const END: &[u8] = b"-----END CERTIFICATE-----";
    let mut found = Vec::new();
    let mut rest = pem;
    while let Some(start) = memchr::memmem::find(rest, BEGIN) {
        rest = rest.get(start..)?;
        let end = memchr::memmem::find(rest, END)? + END.len();
        found.push(rest.get(..end)?);
        rest = rest.get(end..)?;
    }
    (!found.is_empty()).then_some(found)
}

/// One element of DER: tag, content, and what follows it (ITU-T X.690).
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let len = rest.get(..count)?.iter().fold(0_usize, |len, &b| len << 8 | usize::from(b));
        (len, rest.get(count..)?)
    };
    Some((tag, rest.get(..len)?, rest.get(len..)?))
}

/// Reads the facts out of a certificate (RFC 5280 section 4.1).
pub(super) fn read(der: &[u8]) -> Option<Certificate> {
    let (_, certificate, _) = element(der)?;
    let (_, mut rest, _) = element(certificate)?;
    let mut fields = Vec::new();
    while let Some((tag, content, after)) = element(rest) {
        // [0] is the version; everything up to the key has a fixed order
        if tag != 0xa0 {
            fields.push((tag, content));
        }
        rest = after;
    }
    let content = |n: usize| fields.get(n).map(|&(_, content)| content);
    let (_, from, after) = element(content(3)?)?;
    let (until_tag, until, _) = element(after)?;
    let from_tag = content(3)?.first().copied()?;
    let extensions = fields.iter().find(|&&(tag, _)| tag == 0xa3).map(|&(_, content)| content);
    Some(Certificate {
        issuer: name(content(2)?),
        from: time(from_tag, from),
        until: time(until_tag, until),
        subject: name(content(4)?),
        names: extensions.map(alternative_names).unwrap_or_default(),
    })
}

/// Common name, else organisation, of a distinguished name.
fn name(mut sets: &[u8]) -> String {
    const COMMON_NAME: &[u8] = &[0x55, 4, 3];
    const ORGANISATION: &[u8] = &[0x55, 4, 10];
    let mut best = String::new();
    while let Some((_, set, after)) = element(sets) {
        sets = after;
        let Some((_, pair, _)) = element(set) else { continue };
        let Some((_, oid, value)) = element(pair) else { continue };
        let Some((_, text, _)) = element(value) else { continue };
        if oid == COMMON_NAME || (oid == ORGANISATION && best.is_empty()) {
            best = String::from_utf8_lossy(text).into_owned();
        }
    }
    crate::source::error::clean(&best)
}

/// UTCTime or GeneralizedTime.
fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        0x17 => {
            let (short, rest) = text.split_at_checked(2)?;
            (format!("{}{short}", if short < "50" { "20" } else { "19" }), rest)
        }
        _ => text.split_at_checked(4).map(|(year, rest)| (year.to_owned(), rest))?,
    };
    let part = |at: usize| rest.get(at..at + 2);
    Timestamp::parse(&format!("{year}-{}-{}T{}:{}:{}Z", part(0)?, part(2)?, part(4)?, part(6)?, part(8)?))
}

fn alternative_names(wrapped: &[u8]) -> Vec<String> {
    const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
    let mut names = Vec::new();
    let Some((_, mut list, _)) = element(wrapped) else { return names };
    while let Some((_, extension, after)) = element(list) {
        list = after;
        let Some((_, oid, rest)) = element(extension) else { continue };
        if oid != SUBJECT_ALT_NAME {
            continue;
        }
        // an optional "critical" flag stands before the value
        let value = match element(rest) {
            Some((0x01, _, after)) => element(after),
            other => other,
        };
        let Some((_, value, _)) = value else { continue };
        let Some((_, mut general, _)) = element(value) else { continue };
        while let Some((tag, text, after)) = element(general) {
            general = after;
            if tag == 0x82 && names.len() < 8 {
                names.push(crate::source::error::clean(&String::from_utf8_lossy(text)));
            }
        }
    }
    names
}
