//! The beginnings of mails as a server hands them over, and whether they are enough.

use std::collections::BTreeMap;

use super::answer::{self, Fetched};
use crate::model::{MessageRef, Timestamp};
use crate::source::RawMail;

/// The mails of an answer, by UID; those asked for and not empty.
pub(super) fn read_mails(data: &[u8], uids: &[u32]) -> BTreeMap<u32, RawMail> {
    let mut mails = BTreeMap::new();
    for message in answer::fetched(data) {
        let Some(uid) = message.uid.filter(|uid| uids.contains(uid)) else { continue };
        let Some((_, _, bytes)) = message.bodies.iter().find(|(section, origin, _)| section.is_empty() && *origin == 0)
        else {
            continue;
        };
        if bytes.is_empty() {
            continue;
        }
        let size = message.size.unwrap_or(0).max(bytes.len() as u64);
        let received = message.internal_date.and_then(internal_date);
        let truncated = (bytes.len() as u64) < size;
        let place = MessageRef(String::new());
        mails.entry(uid).or_insert_with(|| RawMail { place, received, size, bytes: bytes.to_vec(), truncated });
    }
    mails
}

pub(super) fn add_more(mails: &mut BTreeMap<u32, RawMail>, message: &Fetched<'_>) {
    let Some(mail) = message.uid.and_then(|uid| mails.get_mut(&uid)) else { return };
    for &(section, origin, bytes) in &message.bodies {
        if section.is_empty() && origin == mail.bytes.len() as u64 {
            mail.bytes.extend_from_slice(bytes);
            mail.size = mail.size.max(mail.bytes.len() as u64);
            mail.truncated = (mail.bytes.len() as u64) < mail.size;
        }
    }
}

/// Whether the beginning of a mail ends before what a diagnosis rests on: the machine-readable part and the headers of
/// the returned message of a report (RFC 3462), or the first part of another multipart.
pub(super) fn needs_more(bytes: &[u8]) -> bool {
    let lower = bytes.to_ascii_lowercase();
    let header_end = ["\r\n\r\n", "\n\n"].iter().filter_map(|end| memchr::memmem::find(&lower, end.as_bytes())).min();
    let Some(header_end) = header_end else { return true };
    let (header, body) = lower.split_at(header_end);
    let has = |what: &[u8]| memchr::memmem::find(header, what).is_some();
    if has(b"multipart/report") {
        let last = ["message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"]
            .iter()
            .filter_map(|kind| memchr::memmem::rfind(body, format!("content-type: {kind}").as_bytes()))
            .max();
        let Some(part) = last.and_then(|at| body.get(at..)) else { return true };
        // one empty line ends the part's header, the next one the returned header
        let empty = |text: &[u8]| {
            ["\r\n\r\n", "\n\n"]
                .iter()
                .filter_map(|end| memchr::memmem::find(text, end.as_bytes()).map(|at| at + end.len()))
                .min()
        };
        return empty(part).and_then(|at| part.get(at..)).and_then(empty).is_none();
    }
    has(b"content-type: multipart/") && memchr::memmem::find_iter(body, b"\n--").count() < 2
}

/// INTERNALDATE (RFC 3501 section 7.4.2): `17-Jul-1996 02:44:25 -0700`.
pub(super) fn internal_date(text: &[u8]) -> Option<Timestamp> {
    Timestamp::from_rfc2822(&std::str::from_utf8(text).ok()?.trim().replacen('-', " ", 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_server_are_read() {
        assert_eq!(internal_date(b"17-Jul-1996 02:44:25 -0700"), Timestamp::parse("1996-07-17T09:44:25Z"));
        assert_eq!(internal_date(b" 7-Jul-1996 02:44:25 +0000"), Timestamp::parse("1996-07-07T02:44:25Z"));
        assert_eq!(internal_date(b"nonsense"), None);
    }

    #[test]
    fn more_is_fetched_only_where_the_diagnosis_would_miss_it() {
        let report = "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n";
        let status =
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: x\r\n\r\nAction: failed\r\n\r\n";
        let returned = "--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: x\r\nTo: y\r\n";
        assert!(needs_more(report.as_bytes()));
        assert!(needs_more(format!("{report}{status}").as_bytes()));
        assert!(needs_more(format!("{report}{status}{returned}").as_bytes()));
        assert!(!needs_more(format!("{report}{status}{returned}\r\nbody").as_bytes()));
        assert!(!needs_more(b"Subject: failure notice\r\n\r\nHi. This is the qmail-send program"));
        assert!(needs_more(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext"));
        assert!(needs_more(b"Subject: a header that does not"));
    }
}
