//! Looks at an account without pulling it: for `setup`, `doctor` and `config check`; and fetches one whole message.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use super::answer;
use super::beginning::internal_date;
use super::connect::speaks_tls13;
use super::job::Job;
use super::place::place;
use super::session::{Greeted, Session};
use super::{Certificate, Options, Scan, Tls};
use crate::model::Timestamp;
use crate::source::{Cancel, Error, RawMail};

/// Folders that are counted; more are named only.
const COUNTED: usize = 200;
/// How much of a whole message is fetched at once.
const PIECE: u64 = 512 * 1024;

/// One folder of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Its name as a person reads it.
    pub name: String,
    /// Whether it can be opened at all.
    pub selectable: bool,
    /// Whether the server marks it as the folder for junk.
    pub junk: bool,
    /// Whether the server marks it as the folder for sent mail.
    pub sent: bool,
    /// Messages in it; none where that was not asked or not told.
    pub messages: Option<u32>,
}

/// What an account looks like.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The address that answered.
    pub address: Option<SocketAddr>,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// Whether it speaks TLS 1.3; the least that is accepted is 1.2.
    pub tls13: bool,
    /// The server's certificate.
    pub certificate: Option<Certificate>,
    /// What the server says it can do, in upper case: before and after somebody signed in.
    pub capabilities: Vec<String>,
    /// When the newest message arrived that was looked at, by the server's clock.
    pub newest: Option<Timestamp>,
    /// Its folders.
    pub folders: Vec<Found>,
    /// Why its folders cannot be listed, where they cannot.
    pub folders_problem: Option<String>,
    /// For each folder of the options: candidates among its newest messages and how many were looked at, or why not.
    pub candidates: BTreeMap<String, Result<(u32, u32), String>>,
}

/// Connects and hears whether an IMAP server answers; signs in to nothing and sends no secret.
///
/// # Errors
/// When there is none, or it cannot be trusted.
pub fn reach(options: &Options, cancel: &Cancel) -> Result<(), Error> {
    Greeted::by(options, cancel, Instant::now() + options.limits.connect).map(drop)
}

/// Connects, signs in, lists and counts. Reads the headers of the newest messages of each folder of the options.
///
/// # Errors
/// When the account cannot be signed in to.
pub fn check(options: &Options, newest: u32, scan: Scan<'_>, cancel: &Cancel) -> Result<Report, Error> {
    let until = || Instant::now() + options.limits.stall;
    let mut session = Session::open(options, cancel, until())?;
    let mut report = Report {
        address: session.facts.address,
        encrypted: options.tls != Tls::None,
        tls13: options.tls != Tls::None && speaks_tls13(options, cancel),
        certificate: session.facts.certificate.clone(),
        capabilities: session.facts.capabilities.clone(),
        ..Report::default()
    };
    report.capabilities.extend(session.capabilities().unwrap_or_default());
    report.capabilities.sort();
    report.capabilities.dedup();
    let (folders, problem) = session.list(until());
    report.folders = folders;
    if let Some(failure) = problem {
        if failure.error.kind == crate::source::Kind::Cancelled {
            return Err(failure.error);
        }
        // one line that cannot be read must not hide the inbox
        if failure.lost {
            session = Session::open(options, cancel, until())?;
        }
        report.folders_problem = Some(failure.error.what);
    }
    for folder in report.folders.iter_mut().filter(|folder| folder.selectable).take(COUNTED) {
        match session.status(&folder.name, until()) {
            Ok((_, _, messages)) => folder.messages = Some(messages),
            Err(failure) if failure.lost => return Err(failure.error),
            Err(_) => {}
        }
    }
    for name in &options.folders {
        let counted = count(&mut session, name, newest, scan, &until);
        match counted {
            Err(failure) if failure.lost => return Err(failure.error),
            Err(failure) => report.candidates.insert(name.clone(), Err(failure.error.what)),
            Ok((counts, newest)) => {
                report.newest = report.newest.max(newest);
                report.candidates.insert(name.clone(), Ok(counts))
            }
        };
    }
    session.close();
    Ok(report)
}

fn count(
    session: &mut Session<'_>,
    folder: &str,
    newest: u32,
    scan: Scan<'_>,
    until: &dyn Fn() -> Instant,
) -> Result<((u32, u32), Option<Timestamp>), super::session::Failure> {
    let exists = session.examine(folder, until())?.exists;
    if exists == 0 || newest == 0 {
        return Ok(((0, 0), None));
    }
    let first = exists.saturating_sub(newest - 1).max(1);
    let uids = session.uids_at(&format!("{first},{exists}"), until())?;
    let (Some(&low), Some(&high)) = (uids.first(), uids.last()) else { return Ok(((0, 0), None)) };
    let data = session.fetch(&[&Job::headers(low, high, scan.fields, true)], until())?;
    let messages = answer::fetched(&data);
    let hits = messages
        .iter()
        .filter(|message| message.bodies.first().is_some_and(|(_, _, header)| (scan.candidate)(header)))
        .count();
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let latest = messages.iter().filter_map(|message| message.internal_date.and_then(internal_date)).max();
    Ok(((number(hits), number(messages.len())), latest))
}

/// The flags of the newest messages of a folder, by UID: the same before and after a pull.
///
/// # Errors
/// When the folder cannot be read.
pub fn flags(options: &Options, folder: &str, newest: u32, cancel: &Cancel) -> Result<BTreeMap<u32, String>, Error> {
    let until = || Instant::now() + options.limits.stall;
    let mut session = Session::open(options, cancel, until())?;
    let read = |session: &mut Session<'_>| {
        let exists = session.examine(folder, until())?.exists;
        if exists == 0 {
            return Ok(BTreeMap::new());
        }
        session.flags(exists.saturating_sub(newest.max(1) - 1).max(1), exists, until())
    };
    let flags = read(&mut session).map_err(|failure: super::session::Failure| failure.error)?;
    session.close();
    Ok(flags)
}

/// Fetches one message whole, at most `cap` bytes of it.
///
/// `uidvalidity` is the one of the cursor under which the UID was seen.
///
/// # Errors
/// When the folder cannot be read, has been renumbered, or no longer holds the message.
pub fn fetch(
    options: &Options,
    folder: &str,
    uidvalidity: u32,
    uid: u32,
    cap: u64,
    cancel: &Cancel,
) -> Result<RawMail, Error> {
    let until = || Instant::now() + options.limits.stall;
    let mut session = Session::open(options, cancel, until())?;
    let examined = session.examine(folder, until()).map_err(|failure| failure.error)?;
    if examined.uidvalidity != uidvalidity {
        return Err(Error::renumbered(folder, &options.host));
    }
    let mut mail = RawMail {
        place: place(&options.name, folder, uid),
        received: None,
        size: 0,
        bytes: Vec::new(),
        truncated: false,
    };
    loop {
        let from = mail.bytes.len() as u64;
        let data =
            session.piece(uid, from, PIECE.min(cap.saturating_sub(from)), until()).map_err(|failure| failure.error)?;
        let messages = answer::fetched(&data);
        let Some(message) = messages.iter().find(|message| message.uid == Some(uid)) else {
            return Err(Error::gone(folder, &options.host, uid));
        };
        mail.size = mail.size.max(message.size.unwrap_or(0));
        mail.received = mail.received.or(message.internal_date.and_then(internal_date));
        let piece = message.bodies.iter().find(|(section, origin, _)| section.is_empty() && *origin == from);
        let piece = piece.map_or(&[][..], |(_, _, piece)| piece);
        mail.bytes.extend_from_slice(piece);
        let have = mail.bytes.len() as u64;
        if piece.is_empty() || have >= mail.size || have >= cap {
            mail.truncated = have < mail.size;
            session.close();
            return Ok(mail);
        }
    }
}
