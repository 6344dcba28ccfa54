//! From a diagnosed mail to the cases it belongs to: how cases and groups are named, and what enters the queue.
//!
//! Names are made from the mail alone, so a second pull, another folder or a new UIDVALIDITY finds the same ones.
//! Definitions: `design` words in ARCHITECTURE.md (notice, case, group). Pure.

use crate::model::{Action, CaseId, Cause, Diagnosis, GroupId, Kind, Recipient, Timestamp};
use crate::source::RawMail;
use crate::store::{Arrival, CaseSeed};

/// How much of a mail the store keeps, in bytes; the diagnosis has read all of it.
const KEPT: usize = 256 * 1024;
/// How much of the body tells two notices with the same Message-ID apart.
const BODY_PRINT: usize = 2048;

/// Makes the store's row of a mail. `now` stands in where the mail has no date, and bounds dates in the future.
pub(super) fn arrival(mut mail: RawMail, diagnosis: Diagnosis, now: Timestamp) -> Arrival {
    let fingerprint = fingerprint(&mail, &diagnosis);
    let received = mail.received.or(diagnosis.notice.date).map_or(now, |at| at.min(now));
    let truncated = mail.truncated || mail.bytes.len() > KEPT;
    mail.bytes.truncate(KEPT);
    let group = group(&diagnosis, &fingerprint);
    let seeds = seeds(&diagnosis, &group);
    let delivered = diagnosis
        .recipients
        .iter()
        .filter(|one| matches!(one.action, Action::Delivered | Action::Relayed | Action::Expanded))
        .map(|one| case_id(&group, one.address.as_str()))
        .collect();
    let unread = diagnosis.likely_bounce || seeds.iter().any(|seed| seed.address.is_empty());
    Arrival {
        fingerprint,
        place: mail.place,
        received,
        size: mail.size,
        truncated,
        unread,
        diagnosis,
        raw: mail.bytes,
        seeds,
        delivered,
        second: false,
    }
}

/// Equal for copies of one notice: by its Message-ID, date and sender, and the beginning of its body.
fn fingerprint(mail: &RawMail, diagnosis: &Diagnosis) -> [u8; 32] {
    let mut hash = blake3::Hasher::new();
    let raw = &mail.bytes[..];
    if raw.is_empty() {
        // A message the server would not give: its place is all there is.
        hash.update(mail.place.0.as_bytes());
    }
    let head = &diagnosis.notice;
    for part in [head.message_id.as_deref(), head.from.as_deref(), head.subject.as_deref()] {
        hash.update(part.unwrap_or_default().as_bytes()).update(b"\0");
    }
    hash.update(&head.date.map_or(0, |date| date.0).to_le_bytes());
    let whole = head.message_id.is_none();
    let text: Vec<u8> = if whole {
        raw.to_vec()
    } else {
        body(raw).iter().copied().filter(|b| !b.is_ascii_whitespace()).take(BODY_PRINT).collect()
    };
    hash.update(&text);
    *hash.finalize().as_bytes()
}

/// What follows the first empty line.
fn body(raw: &[u8]) -> &[u8] {
    let ends = memchr::memmem::find(raw, b"\n\n").map(|at| at + 2);
    let ends_crlf = memchr::memmem::find(raw, b"\r\n\r\n").map(|at| at + 4);
    let at = match (ends, ends_crlf) {
        (Some(a), Some(b)) => a.min(b),
        (a, b) => a.or(b).unwrap_or(0),
    };
    raw.get(at..).unwrap_or_default()
}

/// The original message: its Message-ID, else what the notice refers to, else the envelope sender's VERP mark, else the
/// notice itself.
fn group(diagnosis: &Diagnosis, fingerprint: &[u8; 32]) -> GroupId {
    let notice = &diagnosis.notice;
    let message = diagnosis.original.message_id.as_deref().or(notice.references.first().map(String::as_str));
    let verp = || notice.to.iter().find(|to| is_verp(to)).map(String::as_str);
    match message.or_else(verp).or(notice.message_id.as_deref()) {
        Some(message) => GroupId(name(&[b"message", message.as_bytes()])),
        None => GroupId(name(&[b"notice", fingerprint])),
    }
}

/// Whether an address is a variable envelope return path: `bounces+anna=example.org@company.example`.
fn is_verp(address: &str) -> bool {
    let local = address.rsplit_once('@').map_or("", |(local, _)| local);
    local.split_once('=').is_some_and(|(mark, domain)| !mark.is_empty() && domain.contains('.'))
}

fn case_id(group: &GroupId, address: &str) -> CaseId {
    CaseId(name(&[b"case", group.0.as_bytes(), address.to_lowercase().as_bytes()]))
}

/// Twelve letters and digits (60 bits) that are easy to read aloud: no i, l, o, u.
fn name(parts: &[&[u8]]) -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut hash = blake3::Hasher::new();
    for part in parts {
        hash.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hash.finalize().as_bytes().iter().take(12).map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

/// Failures, delays, complaints about a message, and likely bounces that could not be read enter the queue.
fn seeds(diagnosis: &Diagnosis, group: &GroupId) -> Vec<CaseSeed> {
    let asks = match diagnosis.kind {
        Kind::Failure | Kind::Delay => true,
        // a summary of a day names neither a message nor a person: there is nothing to decide
        Kind::Complaint => {
            !(diagnosis.recipients.is_empty() && diagnosis.original == crate::model::Returned::default())
        }
        _ => diagnosis.likely_bounce,
    };
    if !asks {
        return Vec::new();
    }
    let failed = |one: &Recipient| match one.action {
        Action::Failed => Some(if diagnosis.kind == Kind::Complaint { Kind::Complaint } else { Kind::Failure }),
        Action::Delayed => Some(Kind::Delay),
        Action::Delivered | Action::Relayed | Action::Expanded => None,
    };
    let mut seeds: Vec<CaseSeed> = Vec::new();
    for (at, one) in diagnosis.recipients.iter().enumerate() {
        if let Some(kind) = failed(one) {
            let seed = seed(diagnosis, group, kind, Some((at, one)));
            if !seeds.iter().any(|other| other.id == seed.id) {
                seeds.push(seed);
            }
        }
    }
    if diagnosis.recipients.is_empty() {
        seeds.push(seed(diagnosis, group, diagnosis.kind, None));
    }
    seeds
}

fn seed(diagnosis: &Diagnosis, group: &GroupId, kind: Kind, recipient: Option<(usize, &Recipient)>) -> CaseSeed {
    let one = recipient.map(|(_, one)| one);
    // A complaint that names nobody is about the person we wrote to.
    let told = (kind == Kind::Complaint).then(|| diagnosis.original.to.first().cloned()).flatten();
    let address = one.map(|one| one.address.as_str().to_owned()).or(told).unwrap_or_default();
    CaseSeed {
        id: case_id(group, &address),
        group: group.clone(),
        recipient: recipient.map(|(at, _)| at),
        original_address: one.and_then(|one| one.original_address.as_ref()).map(|address| address.as_str().to_owned()),
        kind,
        cause: one.map_or(Cause::Unclear, |one| one.cause),
        status: one.and_then(|one| one.status),
        reply_code: one.and_then(|one| one.reply_code),
        reporter: diagnosis.reporter.mta.clone(),
        ticket: diagnosis.ticket.as_ref().map(|ticket| ticket.id.clone()),
        message_id: diagnosis.original.message_id.clone(),
        subject: diagnosis.original.subject.clone().or_else(|| diagnosis.notice.subject.clone()),
        address,
    }
}
