//! Header fields (RFC 5322 section 2.2), borrowed from the raw bytes with their line numbers.
//!
//! Tolerant where mail is damaged: blanks before the colon, an mbox `From ` line, a stray line between fields. Knows
//! nothing of what a field means. Invariant: linear, never fails.

use std::borrow::Cow;

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::guard;
use crate::stdx;

/// One header field as it stands in the bytes.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// Name without blanks.
    pub name: &'a [u8],
    /// Value with its folds.
    pub value: &'a [u8],
    /// 0-based line, counted from the start of the bytes read.
    pub line: u32,
}

impl<'a> Field<'a> {
    /// Whether the field has this name.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value unfolded, undecoded.
    pub fn raw(&self) -> Cow<'a, str> {
        let value = self.value.get(..guard::MAX_VALUE).unwrap_or(self.value);
        match stdx::text_of(value) {
            Cow::Borrowed(text) => unfold(text),
            Cow::Owned(text) => Cow::Owned(unfold(&text).into_owned()),
        }
    }

    /// The value unfolded, its encoded words (RFC 2047) decoded.
    pub fn text(&self) -> Cow<'a, str> {
        let raw = self.raw();
        if !raw.contains("=?") {
            return raw;
        }
        Cow::Owned(decode_words(&raw))
    }
}

/// One line out of a folded value. Only the line break goes; RFC 5322 section 2.2.3.
fn unfold(text: &str) -> Cow<'_, str> {
    let text = stdx::trim_text(text);
    if memchr::memchr2(b'\r', b'\n', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split('\n') {
        let line = line.trim_end_matches('\r');
        if out.is_empty() {
            out.push_str(line.trim_end());
        } else {
            out.push(' ');
            out.push_str(line.trim());
        }
    }
    Cow::Owned(out)
}

/// Decodes the encoded words of a value.
pub(crate) fn decode_words(raw: &str) -> String {
    let mut line = String::with_capacity(raw.len() + 1);
    line.push_str(raw);
    line.push('\n');
    match MessageStream::new(line.as_bytes()).parse_unstructured() {
        HeaderValue::Text(text) => text.into_owned(),
        _ => raw.to_owned(),
    }
}

/// A header: its fields in order.
#[derive(Debug, Clone, Default)]
pub struct Head<'a> {
    /// The fields.
    pub fields: Vec<Field<'a>>,
}

/// What reading a header leaves: the fields, and where the body begins.
pub struct HeadEnd<'a> {
    /// The header.
    pub head: Head<'a>,
    /// Offset of the first byte of the body.
    pub body: usize,
    /// 0-based line of the body's first line.
    pub line: u32,
}

impl<'a> Head<'a> {
    /// Reads the fields at the start of `bytes`, whose first line has the number `first_line`.
    pub fn read(bytes: &'a [u8], first_line: u32) -> HeadEnd<'a> {
        Self::read_fields(bytes, first_line, guard::MAX_FIELDS, true)
    }

    /// Reads the fields of a MIME part: a blank line first means that there are none.
    pub(crate) fn read_part(bytes: &'a [u8], first_line: u32) -> HeadEnd<'a> {
        Self::read_fields(bytes, first_line, guard::MAX_PART_FIELDS, false)
    }

    fn read_fields(bytes: &'a [u8], first_line: u32, most: usize, message: bool) -> HeadEnd<'a> {
        let mut fields: Vec<Field<'a>> = Vec::with_capacity(if message { 24 } else { 4 });
        let mut lines = Lines { bytes, at: 0, line: first_line };
        let mut open: Option<(usize, usize, usize, u32)> = None; // name end, value start, line start, line
        let mut close = |open: &mut Option<(usize, usize, usize, u32)>, end: usize| {
            if let Some((name_end, value, start, line)) = open.take()
                && fields.len() < most
            {
                let name = stdx::trim(bytes.get(start..name_end).unwrap_or_default());
                fields.push(Field { name, value: bytes.get(value..end).unwrap_or_default(), line });
            }
        };
        loop {
            let (start, number) = (lines.at, lines.line);
            let Some(line) = lines.next() else {
                close(&mut open, bytes.len());
                return HeadEnd { head: Head { fields }, body: bytes.len(), line: lines.line };
            };
            match line.first() {
                None => {
                    if message && open.is_none() && fields_empty_start(start, bytes) {
                        continue; // blank lines before the first field
                    }
                    close(&mut open, start);
                    return HeadEnd { head: Head { fields }, body: lines.at, line: lines.line };
                }
                Some(b' ' | b'\t') if open.is_some() => {
                    if line.trim_ascii().is_empty() && !next_is_folded(bytes, lines.at) {
                        close(&mut open, start);
                        return HeadEnd { head: Head { fields }, body: lines.at, line: lines.line };
                    }
                }
                // a continuation that lost its indentation: the line before ends in the middle of a list of parameters
                _ if open.is_some() && parameter_follows(bytes, start, line) => {}
                _ => {
                    if let Some(colon) = field_colon(line) {
                        close(&mut open, start);
                        open = Some((start + colon, start + colon + 1, start, number));
                    } else {
                        close(&mut open, start);
                        let envelope = line.starts_with(b"From ") || line.starts_with(b">From ");
                        if !envelope && !next_is_field(bytes, lines.at) {
                            return HeadEnd { head: Head { fields }, body: start, line: number };
                        }
                    }
                }
            }
        }
    }

    /// The first field of this name.
    pub fn get(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// The decoded text of the first field of this name.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).map(Field::text)
    }

    /// Whether there is a field of this name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// Whether nothing but blank lines stands before `at`.
fn fields_empty_start(at: usize, bytes: &[u8]) -> bool {
    at < 64 && bytes.get(..at).is_some_and(|head| head.iter().all(u8::is_ascii_whitespace))
}

/// The bytes of a field's name.
static NAME_BYTES: stdx::Bytes = stdx::Bytes::alphanumeric_and(b"-_./");

/// Offset of the colon when the line begins like a field. Blanks before the colon are damage, and forgiven.
pub(crate) fn field_colon(line: &[u8]) -> Option<usize> {
    let colon = memchr::memchr(b':', line.get(..line.len().min(80))?)?;
    let name = line.get(..colon)?;
    let core = name.trim_ascii_end();
    let token = !core.is_empty() && NAME_BYTES.have_all(core);
    (token && !core.first()?.is_ascii_digit()).then_some(colon)
}

/// Whether the line before ends in `;` and this one looks like `name=value`.
fn parameter_follows(bytes: &[u8], start: usize, line: &[u8]) -> bool {
    let before = bytes.get(..start).unwrap_or_default().trim_ascii_end();
    before.ends_with(b";") && memchr::memchr(b'=', line).is_some_and(|at| at < 24) && field_colon(line).is_none()
}

/// Whether a header goes on behind a stray line: one of the next few lines, before any blank one, is a message field.
fn next_is_field(bytes: &[u8], at: usize) -> bool {
    Lines { bytes, at, line: 0 }.take(8).take_while(|line| !line.trim_ascii().is_empty()).any(|line| {
        field_colon(line).is_some_and(|colon| is_message_field(stdx::trim(line.get(..colon).unwrap_or_default())))
    })
}

/// Whether a name is one of the fields that stand in message headers and not in prose.
fn is_message_field(name: &[u8]) -> bool {
    let starts = [&b"x-"[..], b"content-", b"arc-", b"dkim-", b"resent-", b"list-"]
        .iter()
        .any(|prefix| stdx::starts_with_ignore_case(name, prefix));
    let known = [
        "received",
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "return-path",
        "reply-to",
        "cc",
        "references",
        "in-reply-to",
        "authentication-results",
        "auto-submitted",
    ];
    starts || known.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

fn next_is_folded(bytes: &[u8], at: usize) -> bool {
    Lines { bytes, at, line: 0 }
        .next()
        .is_some_and(|line| matches!(line.first(), Some(b' ' | b'\t')) && !line.trim_ascii().is_empty())
}

/// Lines of bytes without their ends.
pub(crate) struct Lines<'a> {
    pub(crate) bytes: &'a [u8],
    /// Offset of the next line.
    pub(crate) at: usize,
    /// Number of the next line.
    pub(crate) line: u32,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let (line, step) = match memchr::memchr(b'\n', rest) {
            Some(end) => (rest.get(..end).unwrap_or_default(), end + 1),
            None => (rest, rest.len()),
        };
        self.at += step;
        self.line = self.line.saturating_add(1);
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_with_their_lines_and_folds() {
        let end = Head::read(b"From x@y Mon\nSubject: a\r\n b\nX-Odd : v\n\nbody", 0);
        let got: Vec<(String, String, u32)> = end
            .head
            .fields
            .iter()
            .map(|f| (String::from_utf8_lossy(f.name).into_owned(), f.text().into_owned(), f.line))
            .collect();
        assert_eq!(got, [("Subject".into(), "a b".into(), 1), ("X-Odd".into(), "v".into(), 3)]);
        assert_eq!((end.body, end.line), (39, 5));
    }

    #[test]
    fn a_lost_blank_line_ends_the_header_at_the_prose() {
        let end = Head::read(b"Subject: x\nThis is the mail system at host a.\n\nMore", 0);
        assert_eq!((end.head.fields.len(), end.body, end.line), (1, 11, 1));
    }

    #[test]
    fn encoded_words_are_decoded() {
        let end = Head::read(b"Subject: =?utf-8?q?R=C3=BCck?=\n =?utf-8?q?frage?=\n\n", 0);
        assert_eq!(end.head.text("subject").as_deref(), Some("R\u{fc}ckfrage"));
    }
}
