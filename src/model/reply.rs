//! Finding SMTP replies (RFC 5321 section 4.2) and enhanced status codes (RFC 3463, RFC 2034) in prose.
//!
//! Owns what counts as a literal code. Invariant: a code returned here stands in the text as digits; numbers that only
//! look like one (addresses, versions, sizes, ports, message ids) are refused. Knows nothing of what a code means.

use super::status::Status;

/// A code found in a text and the byte range it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<T> {
    /// The code.
    pub value: T,
    /// Byte offset of its first digit.
    pub start: usize,
    /// Byte offset behind its last digit.
    pub end: usize,
}

/// Every enhanced status code in the text, in order.
pub fn statuses(text: &str) -> impl Iterator<Item = Found<Status>> + '_ {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'.', bytes).filter_map(move |dot| status_around(text, dot))
}

/// The status whose first dot stands at `dot`.
fn status_around(text: &str, dot: usize) -> Option<Found<Status>> {
    let bytes = text.as_bytes();
    let start = dot.checked_sub(1)?;
    if !matches!(bytes.get(start), Some(b'2' | b'4' | b'5')) {
        return None;
    }
    if let Some(before) = start.checked_sub(1).and_then(|at| bytes.get(at)) {
        // part of a longer number, a version, a host name or an address
        if before.is_ascii_alphanumeric() || matches!(before, b'.' | b'_' | b'/' | b'@' | b'+' | b'=') {
            return None;
        }
        // "550-5.1.1" is a status, "x-5.1.1" is a version
        let digit_before = start.checked_sub(2).and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        if *before == b'-' && !digit_before {
            return None;
        }
    }
    let mut end = dot + 1;
    while end < bytes.len() && (bytes.get(end).is_some_and(u8::is_ascii_digit) || bytes.get(end) == Some(&b'.')) {
        end += 1;
    }
    // a full stop that ends the sentence
    while bytes.get(end - 1) == Some(&b'.') {
        end -= 1;
    }
    match bytes.get(end) {
        Some(b) if b.is_ascii_alphabetic() || matches!(b, b'_' | b'@' | b'/') => return None,
        Some(b'.') if bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric) => return None,
        // "5.5.0-3" is a version, "5.1.1-<text>" is not
        Some(b'-') if bytes.get(end + 1).is_some_and(u8::is_ascii_digit) => return None,
        _ => {}
    }
    let value = text.get(start..end)?.parse().ok()?;
    Some(Found { value, start, end })
}

/// Every three-digit number in the text that stands where a reply code stands, in order.
///
/// A reply code is 4xx or 5xx, not part of a longer word or number, and followed by an end, a blank, `-`, `:`, `;`, a
/// bracket, a comma or a quote. `confident` only takes those at a place where servers write replies: at the start, or
/// behind a colon, semicolon, quote, bracket, `<`, `-`, `code`, `error`, `said` and the like, or before a status.
pub fn codes(text: &str, confident: bool) -> impl Iterator<Item = Found<u16>> + '_ {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at + 3 <= bytes.len() {
            let start = at + memchr::memchr2(b'4', b'5', bytes.get(at..)?)?;
            at = start + 1;
            let Some(found) = code_at(text, start) else { continue };
            if confident && !expects_reply(text, found) {
                continue;
            }
            at = found.end;
            return Some(found);
        }
        None
    })
}

/// The code that starts exactly here, by its neighbours alone.
fn code_at(text: &str, start: usize) -> Option<Found<u16>> {
    let bytes = text.as_bytes();
    let end = start + 3;
    let digits = bytes.get(start..end)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if let Some(before) = start.checked_sub(1).and_then(|at| bytes.get(at)) {
        let refused =
            before.is_ascii_alphanumeric() || matches!(before, b'.' | b'_' | b'/' | b'@' | b'+' | b'%' | b'&');
        if refused {
            return None;
        }
        // inside a date, an id or a range such as 12-550
        if *before == b'-' && start >= 2 && bytes.get(start - 2).is_some_and(u8::is_ascii_alphanumeric) {
            return None;
        }
    }
    match bytes.get(end) {
        None | Some(b' ' | b'\t' | b'\r' | b'\n' | b':' | b';' | b')' | b']' | b'"' | b'\'' | b'>' | b'<' | b'(') => {}
        Some(b',') if !bytes.get(end + 1).is_some_and(u8::is_ascii_digit) => {}
        Some(b'.') if !bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric) => {}
        // "550-5.1.1", "550-Requested", but not "450-1234-x"
        Some(b'-') if continues_reply(bytes.get(end + 1..).unwrap_or_default()) => {}
        Some(b'#') => {}
        _ => return None,
    }
    let value = text.get(start..end)?.parse().ok()?;
    Some(Found { value, start, end })
}

/// What may follow the `-` of a multi-line reply.
fn continues_reply(rest: &[u8]) -> bool {
    match rest.first() {
        Some(digit) if digit.is_ascii_digit() => {
            matches!(rest.get(1), Some(b'.')) || !rest.iter().take(6).all(|b| b.is_ascii_digit() || *b == b'-')
        }
        _ => true,
    }
}

/// Whether a reply is expected at this place.
fn expects_reply(text: &str, found: Found<u16>) -> bool {
    let before = text.get(..found.start).unwrap_or_default();
    let after = text.get(found.end..).unwrap_or_default();
    let trimmed = before.trim_end();
    if trimmed.is_empty() {
        // a lone number at the start needs something behind it
        return !after.trim().is_empty();
    }
    let follows_status = statuses(after.get(..after.floor_char_boundary(12)).unwrap_or_default())
        .next()
        .is_some_and(|status| status.start <= 3);
    if follows_status {
        return true;
    }
    // "550-'Unknown user x'", "550-Requested action": the first line of a reply of several
    if matches!(after.as_bytes(), [b'-', b'\'' | b'"' | b'A'..=b'Z', ..]) && before.ends_with(' ') {
        return true;
    }
    // "The mailbox does not exist. 550 User not found": a sentence of its own
    if before.ends_with(". ") && matches!(after.as_bytes(), [b' ', b'A'..=b'Z', b'a'..=b'z', ..]) {
        return !begins_with_unit(after);
    }
    let last = trimmed.as_bytes().last().copied().unwrap_or(b' ');
    if matches!(last, b':' | b';' | b'"' | b'\'' | b'(' | b'[' | b'<' | b'>' | b'=' | b'|' | b'\n') {
        return !begins_with_unit(after);
    }
    // the wide marks of East Asian text; the arrow of a session's transcript
    if trimmed.ends_with(['：', '；', '（', '「', '“']) || trimmed.ends_with("<-") || trimmed.ends_with("<--") {
        return !begins_with_unit(after);
    }
    let word = trimmed.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    [
        "said",
        "code",
        "error",
        "reply",
        "response",
        "status",
        "smtp",
        "with",
        "returned",
        "server",
        "line",
        "received",
        "err",
        "responsecode",
        "closing",
        "rcpt",
        "data",
        "mail",
    ]
    .iter()
    .any(|expected| word.eq_ignore_ascii_case(expected))
}

/// "size: 512 KB" is no reply.
fn begins_with_unit(after: &str) -> bool {
    let word = after.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    ["k", "m", "kb", "mb", "kib", "mib", "byte", "bytes", "seconds", "messages"]
        .iter()
        .any(|unit| word.eq_ignore_ascii_case(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_status(text: &str, want: &[&str]) {
        let got: Vec<String> = statuses(text).map(|found| found.value.to_string()).collect();
        assert_eq!(got, want, "{text:?}");
    }

    fn check_code(text: &str, want: &[u16]) {
        let got: Vec<u16> = codes(text, true).map(|found| found.value).collect();
        assert_eq!(got, want, "{text:?}");
    }

    #[test]
    fn statuses_stand_in_many_shapes() {
        check_status("550-5.1.1 No such user", &["5.1.1"]);
        check_status("550 #5.1.0 Address rejected.", &["5.1.0"]);
        check_status("sorry, no mailbox here (#5.1.1)", &["5.1.1"]);
        check_status("gave up: 4.4.7.", &["4.4.7"]);
        check_status("554 5.4.4 <host #5.4.4 smtp; 550 5.7.1 no>", &["5.4.4", "5.4.4", "5.7.1"]);
        check_status("400 4.4.7 wait; 5.7.515", &["4.4.7", "5.7.515"]);
    }

    #[test]
    fn other_numbers_are_no_status() {
        for text in [
            "(554.30)",
            "(3.2.1.1)",
            "192.0.2.5.1.1",
            "amavisd v4.6.1",
            "dovecot-5.1.1",
            "exim 5.5.0-3",
            "4.16.55.1",
            "x5.1.1",
            "mx5.1.1.example",
            "5.1.1.example",
        ] {
            check_status(text, &[]);
        }
    }

    #[test]
    fn codes_stand_where_replies_stand() {
        check_code("550 5.1.1 User unknown", &[550]);
        check_code("host mx.example[192.0.2.1] said: 452 4.2.2 full", &[452]);
        check_code("SMTP error from remote server: 552-5.2.2 full 552 5.2.2 more", &[552, 552]);
        check_code("ERROR_CODE :550, ERROR_CODE :5.1.1", &[550]);
        check_code("Remote host said: 541 no", &[541]);
        check_code("host mx.example[192.0.2.1] said: 550 Mailbox not found", &[550]);
        check_code("Reason: 554 Message refused", &[554]);
        check_code("Причина: скринька не існує. 550 User not found", &[550]);
    }

    #[test]
    fn other_numbers_are_no_code() {
        for text in [
            "port 465 on host",
            "delayed for 432 hours",
            "limit 500 KB",
            "Size: 512 KB",
            "Size: 512 bytes",
            "Mon, 23 Nov 2026 07:42:26",
            "192.0.2.550",
            "id 450-123-456 x",
            "550",
        ] {
            check_code(text, &[]);
        }
    }
}
