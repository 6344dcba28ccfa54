//! The text of a part: transfer encoding and charset undone, HTML stripped, split into lines that know where they stand.
//!
//! Charset names people really write are forgiven. Invariant: never fails, reads at most [`Part::readable`] raw bytes.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;

use super::html;
use super::part::{Encoding, Part, PartKind};
use super::utf7;
use crate::stdx;

/// A decoded text and its lines.
#[derive(Debug)]
pub struct Text<'a> {
    text: Cow<'a, str>,
    lines: Vec<(u32, u32)>,
    /// Whether lines of the text are lines of the raw mail.
    pub verbatim: bool,
    /// Whether the part is longer than what was read.
    pub cut: bool,
}

impl<'a> Text<'a> {
    /// Decodes a part.
    pub(crate) fn decode(part: &Part<'a>) -> Self {
        let cut = part.body.len() > part.readable;
        let raw = part.body.get(..part.readable).unwrap_or(part.body);
        let bytes: Cow<'a, [u8]> = match part.encoding {
            Encoding::Identity => Cow::Borrowed(raw),
            Encoding::Base64 => decoded(raw, base64(raw)),
            Encoding::QuotedPrintable => Cow::Owned(quoted_printable(raw)),
        };
        let mut verbatim = part.encoding == Encoding::Identity;
        let mut text = decode_charset(bytes, part.charset);
        if part.kind == PartKind::Html {
            text = Cow::Owned(html::to_text(&text));
            verbatim = false;
        }
        Self::new(text, verbatim, cut)
    }

    /// Splits a text into lines.
    pub fn new(text: Cow<'a, str>, verbatim: bool, cut: bool) -> Self {
        let bytes = text.as_bytes();
        let mut lines = Vec::with_capacity(bytes.len() / 40 + 1);
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            lines.push(span(bytes, start, end));
            start = end + 1;
        }
        if start < bytes.len() {
            lines.push(span(bytes, start, bytes.len()));
        }
        Self { text, lines, verbatim, cut }
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many lines it has.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether it has no line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// A line without its end; empty behind the last.
    pub fn line(&self, index: usize) -> &str {
        self.lines.get(index).and_then(|&(a, b)| self.text.get(a as usize..b as usize)).unwrap_or_default()
    }

    /// All lines in order.
    pub fn lines(&self) -> impl Iterator<Item = &str> + '_ {
        (0..self.len()).map(|index| self.line(index))
    }

    /// The line a byte offset lies on.
    pub fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|&(start, _)| start as usize <= offset).saturating_sub(1)
    }

    /// The text from this line on.
    pub fn from_line(&self, index: usize) -> &str {
        self.lines.get(index).and_then(|&(a, _)| self.text.get(a as usize..)).unwrap_or_default()
    }
}

fn span(bytes: &[u8], start: usize, end: usize) -> (u32, u32) {
    let end = if end > start && bytes.get(end - 1) == Some(&b'\r') { end - 1 } else { end };
    // texts are bounded by guard::MAX_TEXT, far below 4 GiB
    (u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(end).unwrap_or(u32::MAX))
}

fn decoded(raw: &[u8], out: Option<Vec<u8>>) -> Cow<'_, [u8]> {
    out.filter(|bytes| !bytes.is_empty()).map_or(Cow::Borrowed(raw), Cow::Owned)
}

/// Quoted-printable (RFC 2045 section 6.7) as people send it: what is no escape stays as it is.
fn quoted_printable(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut left = raw;
    while !left.is_empty() {
        let (line, behind) = left.split_at(memchr::memchr(b'\n', left).map_or(left.len(), |end| end + 1));
        left = behind;
        let text = line.trim_ascii_end();
        let end = line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n")).unwrap_or(line).len();
        let (mut rest, end) = match text.strip_suffix(b"=") {
            Some(soft) => (soft, &[][..]),
            None => (text, line.get(end..).unwrap_or_default()),
        };
        while let Some(at) = memchr::memchr(b'=', rest) {
            out.extend_from_slice(rest.get(..at).unwrap_or_default());
            let escape = rest.get(at + 1..at + 3).and_then(|digits| {
                let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
                u8::from_str_radix(digits, 16).ok()
            });
            out.push(escape.unwrap_or(b'='));
            rest = rest.get(at + if escape.is_some() { 3 } else { 1 }..).unwrap_or_default();
        }
        out.extend_from_slice(rest);
        out.extend_from_slice(end);
    }
    out
}

/// Base64 as people send it: a damaged byte costs itself alone; stops at the first line that is something else.
fn base64(raw: &[u8]) -> Option<Vec<u8>> {
    if let Some(bytes) = base64_decode(raw) {
        return Some(bytes);
    }
    let known = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let mut clean = Vec::with_capacity(raw.len());
    for line in raw.split(|b| *b == b'\n') {
        let line = line.trim_ascii();
        let bad = line.iter().filter(|b| !known(b)).count();
        if bad * 16 > line.len() {
            if !clean.is_empty() {
                break;
            }
            continue;
        }
        // another letter in the place of the damaged byte keeps those behind it in step
        clean.extend(line.iter().map(|b| if known(b) { *b } else { b'A' }));
    }
    clean.truncate(clean.len() / 4 * 4);
    base64_decode(&clean)
}

/// Undoes a charset; unknown names fall back on UTF-8, then Latin.
pub(crate) fn decode_charset<'a>(bytes: Cow<'a, [u8]>, charset: Option<&[u8]>) -> Cow<'a, str> {
    let name = charset.unwrap_or_default();
    let utf8 = name.is_empty() || is_utf8_name(name);
    if !utf8 {
        if utf7::is_name(name) {
            return Cow::Owned(utf7::decode(&bytes));
        }
        let escape = memchr::memchr(0x1b, &bytes).is_some();
        if bytes.is_ascii() && !escape && !is_wide(name) {
            return borrow_text(bytes);
        }
        let name: &[u8] = if name.eq_ignore_ascii_case(b"cp932") { b"shift_jis" } else { name };
        let ascii = stdx::starts_with_ignore_case(name, b"us-ascii") || name.eq_ignore_ascii_case(b"ascii");
        if !ascii && let Some(decoder) = charset_decoder(name) {
            return Cow::Owned(decoder(&bytes));
        }
    }
    // ISO-2022-JP that does not say so still carries its escape sequences
    if memchr::memchr(0x1b, &bytes).is_some()
        && memchr::memmem::find(&bytes, b"\x1b$B").is_some()
        && bytes.is_ascii()
        && let Some(decoder) = charset_decoder(b"iso-2022-jp")
    {
        return Cow::Owned(decoder(&bytes));
    }
    borrow_text(bytes)
}

fn borrow_text(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => stdx::text_of(bytes),
        Cow::Owned(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Cow::Owned(text),
            Err(error) => Cow::Owned(stdx::text_of(error.as_bytes()).into_owned()),
        },
    }
}

fn is_utf8_name(name: &[u8]) -> bool {
    ["utf-8", "utf8", "uft-8", "uft8", "unicode-1-1-utf-8"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Charsets in which ASCII bytes do not stand for ASCII.
fn is_wide(name: &[u8]) -> bool {
    stdx::starts_with_ignore_case(name, b"utf-16")
        || stdx::starts_with_ignore_case(name, b"utf-32")
        || stdx::starts_with_ignore_case(name, b"hz")
}
