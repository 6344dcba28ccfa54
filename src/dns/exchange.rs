//! One question to one name server, by UDP and where needed by TCP, within a time limit.
//!
//! Every try opens a socket of its own, so the system picks a fresh source port, and connects it, so the kernel drops
//! what other hosts send. Whatever does not match the question is ignored; a server whose answers look tampered with is
//! asked again by TCP, where guessing does not help (RFC 5452). Knows nothing of names, aliases or caching.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use super::wire::{FORMERR, Fit, Message, NOTIMP, Query, read};

/// How often the cancel closure is asked while waiting.
const SLICE: Duration = Duration::from_millis(40);
/// Datagrams that do not match before the question moves to TCP: somebody is guessing.
const MOST_STRANGERS: usize = 16;
/// Datagram bytes that are read; more than we announced, so an answer that fills it is not whole.
const DATAGRAM: usize = 4096;

/// When to stop: a point in time, or the caller's wish.
#[derive(Clone, Copy)]
pub(super) struct Limit<'a> {
    pub until: Instant,
    pub cancel: &'a dyn Fn() -> bool,
}

/// Why one try gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// No answer in time.
    Silent,
    /// The network or the host refused.
    Unreachable,
    /// An answer that cannot be read.
    Broken,
    /// The caller does not want it any more.
    Cancelled,
}

impl Limit<'_> {
    /// The time left, never zero (sockets take no zero timeout).
    pub(super) fn left(&self) -> Result<Duration, Fault> {
        if (self.cancel)() {
            return Err(Fault::Cancelled);
        }
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(Fault::Silent) } else { Ok(left) }
    }
}

/// Asks one server; falls back to plain DNS when it does not know EDNS (RFC 6891 section 7).
pub(super) fn ask(server: SocketAddr, query: &Query, limit: Limit) -> Result<Message, Fault> {
    let message = ask_once(server, query, limit)?;
    if query.edns && matches!(message.rcode, FORMERR | NOTIMP) {
        return ask_once(server, &query.plain(), limit);
    }
    Ok(message)
}

fn ask_once(server: SocketAddr, query: &Query, limit: Limit) -> Result<Message, Fault> {
    match by_udp(server, query, limit)? {
        Some(message) => Ok(message),
        None => by_tcp(server, query, limit),
    }
}

/// `None` when the answer must be fetched by TCP.
fn by_udp(server: SocketAddr, query: &Query, limit: Limit) -> Result<Option<Message>, Fault> {
    let any = match server {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).map_err(|_| Fault::Unreachable)?;
    socket.connect(server).map_err(|_| Fault::Unreachable)?;
    socket.send(&query.bytes()).map_err(|_| Fault::Unreachable)?;
    let mut buffer = vec![0; DATAGRAM];
    let mut strangers = 0;
    while strangers < MOST_STRANGERS {
        let wait = limit.left()?.min(SLICE);
        socket.set_read_timeout(Some(wait)).map_err(|_| Fault::Unreachable)?;
        let size = match socket.recv(&mut buffer) {
            Ok(size) => size,
            Err(error) if waits(error.kind()) => continue,
            Err(_) => return Err(Fault::Unreachable),
        };
        match read(query, buffer.get(..size).unwrap_or_default()) {
            Fit::Stranger => strangers += 1,
            Fit::Good(message) => return Ok(Some(message)),
            Fit::Truncated | Fit::OtherCase => return Ok(None),
            Fit::Broken if size == DATAGRAM => return Ok(None),
            Fit::Broken => return Err(Fault::Broken),
        }
    }
    Ok(None)
}

fn by_tcp(server: SocketAddr, query: &Query, limit: Limit) -> Result<Message, Fault> {
    let mut stream = TcpStream::connect_timeout(&server, limit.left()?).map_err(|error| match error.kind() {
        ErrorKind::TimedOut => Fault::Silent,
        _ => Fault::Unreachable,
    })?;
    let asked = query.bytes();
    let mut framed = u16::try_from(asked.len()).unwrap_or_default().to_be_bytes().to_vec();
    framed.extend(asked);
    stream.set_write_timeout(Some(limit.left()?)).map_err(|_| Fault::Unreachable)?;
    stream.write_all(&framed).map_err(|_| Fault::Unreachable)?;
    let mut head = [0; 2];
    fill(&mut stream, &mut head, limit)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(head))];
    fill(&mut stream, &mut answer, limit)?;
    match read(query, &answer) {
        Fit::Good(message) => Ok(message),
        // No guesser gets into the connection: another case of letters comes from the server itself.
        Fit::OtherCase => reread(query, &answer),
        Fit::Stranger | Fit::Truncated | Fit::Broken => Err(Fault::Broken),
    }
}

/// Reads an answer whose only fault is the case of the letters.
fn reread(query: &Query, answer: &[u8]) -> Result<Message, Fault> {
    let mut answer = answer.to_vec();
    query.restore_case(&mut answer);
    match read(query, &answer) {
        Fit::Good(message) => Ok(message),
        _ => Err(Fault::Broken),
    }
}

/// Like `read_exact`, but within the limit however slowly the bytes drip.
fn fill(stream: &mut TcpStream, buffer: &mut [u8], limit: Limit) -> Result<(), Fault> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        stream.set_read_timeout(Some(limit.left()?.min(SLICE))).map_err(|_| Fault::Unreachable)?;
        match stream.read(rest) {
            Ok(0) => return Err(Fault::Broken),
            Ok(size) => filled += size,
            Err(error) if waits(error.kind()) => {}
            Err(_) => return Err(Fault::Broken),
        }
    }
    Ok(())
}

fn waits(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
