//! From a host name to a guarded, encrypted connection.
//!
//! Look-up, connect and handshake each end at a deadline and see a [`Cancel`]. TLS is verified against the system's
//! roots and, where given, the user's own authority; without TLS only this machine is reached.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use native_tls::{Certificate, HandshakeError, Protocol, TlsConnector, TlsStream};

use super::certificate;
use super::guard::{TICK, Wire};
use super::session::throttled;
use super::{Options, Tls};
use crate::source::{Cancel, Error};

/// A connection before the first word of IMAP, or after STARTTLS.
pub(super) struct Connected {
    pub(super) wire: Wire,
    /// The greeting, where STARTTLS made us read it already.
    pub(super) greeting: Option<String>,
    pub(super) address: SocketAddr,
}

pub(super) fn connect(options: &Options, cancel: &Cancel) -> Result<Connected, Error> {
    let deadline = Instant::now() + options.limits.connect;
    let host = options.host.as_str();
    let (tcp, address) = reach(options, cancel, deadline)?;
    let prepared = tcp
        .set_nodelay(true)
        .and_then(|()| tcp.set_read_timeout(Some(TICK)))
        .and_then(|()| tcp.set_write_timeout(Some(TICK)));
    prepared.map_err(|error| Error::unreachable(host, options.port, &error))?;
    match options.tls {
        Tls::Implicit => {
            let wire = handshake(options, tcp, cancel, deadline)?;
            Ok(Connected { wire, greeting: None, address })
        }
        Tls::StartTls => {
            let mut tcp = tcp;
            let greeting = start_tls(options, &mut tcp, cancel, deadline)?;
            let wire = handshake(options, tcp, cancel, deadline)?;
            Ok(Connected { wire, greeting: Some(greeting), address })
        }
        Tls::None if address.ip().is_loopback() => Ok(Connected { wire: Wire::Plain(tcp), greeting: None, address }),
        Tls::None => Err(Error::plain_refused(host)),
    }
}

/// Looks the host up and connects; in a thread of its own, because neither can be interrupted.
fn reach(options: &Options, cancel: &Cancel, deadline: Instant) -> Result<(TcpStream, SocketAddr), Error> {
    let (host, port, local_only) = (options.host.clone(), options.port, options.tls == Tls::None);
    let (send, receive) = mpsc::channel();
    let work = move || {
        let outcome = (|| {
            let addresses =
                (host.as_str(), port).to_socket_addrs().map_err(|e| Error::unknown_host(&host, &said(&e)))?;
            let addresses: Vec<_> = addresses.filter(|address| !local_only || address.ip().is_loopback()).collect();
            if addresses.is_empty() {
                return Err(if local_only {
                    Error::plain_refused(&host)
                } else {
                    Error::unknown_host(&host, "it has no address")
                });
            }
            let mut last = None;
            for (n, address) in addresses.iter().enumerate() {
                let rest = deadline.saturating_duration_since(Instant::now());
                // leave time for the addresses that follow
                let share = rest / u32::try_from(addresses.len() - n).unwrap_or(u32::MAX);
                match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
                    Ok(tcp) => return Ok((tcp, *address)),
                    Err(error) => last = Some(error),
                }
            }
            Err(match last {
                Some(e) if e.kind() == io::ErrorKind::ConnectionRefused => Error::refused(&host, port),
                Some(e) if e.kind() != io::ErrorKind::TimedOut => Error::unreachable(&host, port, &e),
                _ => Error::connect_timeout(&host, port, 0),
            })
        })();
        // nobody listens any more after a cancel
        let _ = send.send(outcome);
    };
    let timeout = || Error::connect_timeout(&options.host, port, options.limits.connect.as_secs());
    std::thread::Builder::new()
        .name("connect".to_owned())
        .spawn(work)
        .map_err(|e| Error::unreachable(&options.host, port, &e))?;
    loop {
        match receive.recv_timeout(TICK) {
            Ok(Err(error)) if error.kind == crate::source::Kind::Timeout => return Err(timeout()),
            Ok(outcome) => return outcome,
            Err(mpsc::RecvTimeoutError::Timeout) if cancel.is_cancelled() => return Err(Error::cancelled()),
            Err(mpsc::RecvTimeoutError::Timeout) if Instant::now() < deadline + TICK => {}
            Err(_) => return Err(timeout()),
        }
    }
}

fn said(error: &io::Error) -> String {
    let text = error.to_string();
    // "failed to lookup address information: Name or service not known"
    text.rsplit(": ").next().unwrap_or(&text).to_lowercase()
}

/// Whether the server would also do with TLS 1.3 as the least. The TLS library does not say what was agreed on, so this
/// takes a connection of its own; nothing is said on it.
pub(super) fn speaks_tls13(options: &Options, cancel: &Cancel) -> bool {
    let deadline = Instant::now() + options.limits.connect;
    let attempt = || {
        let (mut tcp, _) = reach(options, cancel, deadline).ok()?;
        tcp.set_read_timeout(Some(TICK)).and_then(|()| tcp.set_write_timeout(Some(TICK))).ok()?;
        if options.tls == Tls::StartTls {
            start_tls(options, &mut tcp, cancel, deadline).ok()?;
        }
        let connector = connector(options, Protocol::Tlsv13).ok()?;
        shake(&connector, &options.host, tcp, cancel, deadline).ok()
    };
    attempt().is_some()
}

/// A connector that trusts the system's roots and the user's own authority.
fn connector(options: &Options, least: Protocol) -> Result<TlsConnector, Error> {
    let mut builder = TlsConnector::builder();
    builder.min_protocol_version(Some(least));
    if let Some(path) = &options.ca_file {
        let name = path.to_string_lossy();
        let pem = std::fs::read(path).map_err(|error| Error::bad_ca_file(&name, &error.to_string()))?;
        for certificate in
            certificate::split_pem(&pem).ok_or_else(|| Error::bad_ca_file(&name, "no certificate in it"))?
        {
            let certificate =
                Certificate::from_pem(certificate).map_err(|error| Error::bad_ca_file(&name, &error.to_string()))?;
            builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|error| Error::tls_failed(&options.host, &error.to_string()))
}

fn handshake(options: &Options, tcp: TcpStream, cancel: &Cancel, deadline: Instant) -> Result<Wire, Error> {
    let connector = connector(options, Protocol::Tlsv12)?;
    match shake(&connector, &options.host, tcp, cancel, deadline) {
        Ok(tls) => Ok(Wire::Tls(Box::new(tls))),
        Err(Shake::Cancelled) => Err(Error::cancelled()),
        Err(Shake::Timeout) => Err(Error::silent(&options.host, "start TLS")),
        Err(Shake::Failed(error)) => Err(certificate::explain(options, &error, cancel)),
    }
}

pub(super) enum Shake {
    Cancelled,
    Timeout,
    Failed(native_tls::Error),
}

/// The handshake, in steps no longer than a tick.
pub(super) fn shake(
    connector: &TlsConnector,
    host: &str,
    tcp: TcpStream,
    cancel: &Cancel,
    deadline: Instant,
) -> Result<TlsStream<TcpStream>, Shake> {
    let mut step = connector.connect(host, tcp);
    loop {
        match step {
            Ok(tls) => return Ok(tls),
            Err(HandshakeError::Failure(error)) => return Err(Shake::Failed(error)),
            Err(HandshakeError::WouldBlock(_)) if cancel.is_cancelled() => return Err(Shake::Cancelled),
            Err(HandshakeError::WouldBlock(_)) if Instant::now() >= deadline => return Err(Shake::Timeout),
            Err(HandshakeError::WouldBlock(rest)) => step = rest.handshake(),
        }
    }
}

/// Asks for TLS on an open connection (RFC 3501 section 6.2.1); returns the greeting.
///
/// Reads byte by byte: nothing the server (or somebody on the way) sent before the handshake may be taken for an
/// answer given after it.
pub(super) fn start_tls(
    options: &Options,
    tcp: &mut TcpStream,
    cancel: &Cancel,
    deadline: Instant,
) -> Result<String, Error> {
    let host = options.host.as_str();
    let mut line = || read_line(tcp, host, cancel, deadline);
    let greeting = line().map_err(|error| greeting_missed(options, error))?;
    check_greeting(options, &greeting)?;
    tcp.write_all(b"s1 STARTTLS\r\n").map_err(|_| Error::cut_off(host, "start TLS", ""))?;
    for _ in 0..50 {
        let answer = read_line(tcp, host, cancel, deadline)?;
        let upper = answer.to_ascii_uppercase();
        if upper.starts_with("S1 OK") {
            let injected = tcp.set_nonblocking(true).is_err() || matches!(tcp.peek(&mut [0]), Ok(n) if n > 0);
            if injected || tcp.set_nonblocking(false).is_err() {
                return Err(Error::starttls_injected(host));
            }
            return Ok(greeting);
        }
        if upper.starts_with("S1 ") {
            return Err(Error::no_starttls(host, answer.get(3..).unwrap_or_default()));
        }
        if !answer.starts_with("* ") {
            return Err(Error::not_imap(host, options.port, &answer));
        }
    }
    Err(Error::no_starttls(host, "it answers beside the question"))
}

/// A server that did not greet in time.
pub(super) fn greeting_missed(options: &Options, error: Error) -> Error {
    if error.kind != crate::source::Kind::Timeout {
        return error;
    }
    Error::no_greeting(&options.host, options.port, options.tls == Tls::Implicit)
}

/// What may be accepted as the first line of a server.
pub(super) fn check_greeting(options: &Options, greeting: &str) -> Result<(), Error> {
    let upper = greeting.to_ascii_uppercase();
    if upper.starts_with("* OK") {
        Ok(())
    } else if upper.starts_with("* PREAUTH") {
        Err(Error::preauth(&options.host))
    } else if upper.starts_with("* BYE") {
        let said = greeting.get(2..).unwrap_or_default();
        Err(throttled(options, said).unwrap_or_else(|| Error::greeting(&options.host, said)))
    } else {
        Err(Error::not_imap(&options.host, options.port, greeting))
    }
}

fn read_line(tcp: &mut TcpStream, host: &str, cancel: &Cancel, deadline: Instant) -> Result<String, Error> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        if cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        if Instant::now() >= deadline {
            return Err(Error::silent(host, "start TLS"));
        }
        match tcp.read(&mut byte) {
            Ok(0) => return Err(Error::cut_off(host, "start TLS", &String::from_utf8_lossy(&line))),
            Ok(_) if byte == *b"\n" => return Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
            Ok(_) if line.len() < 8192 => line.push(byte[0]),
            Ok(_) => return Err(Error::garbage(host, "start TLS", "a line is too long", "")),
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
                ) => {}
            Err(error) => return Err(Error::unreachable(host, 0, &error)),
        }
    }
}
