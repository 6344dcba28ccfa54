//! MIME parts (RFC 2046) with spans into the raw bytes; bodies stay undecoded until somebody reads them.
//!
//! The walk goes from one line beginning with `--` to the next, with a stack of open boundaries, so it is linear, cannot
//! overflow, and anchors boundaries at line starts. Messages inside are leaves: only their header is ever needed, or the
//! diagnosis opens them deliberately. Broken multiparts are recovered by content: a `--` line followed by a `Content-`
//! field counts as a boundary when the declared one never shows up.

use std::cell::OnceCell;

use super::guard;
use super::header::{Head, HeadEnd, Lines, field_colon};
use super::text::Text;
use crate::stdx;

/// What a part holds, as far as this program cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// `multipart/*`: a frame round other parts.
    Multipart,
    /// `text/plain`, and anything unmarked.
    Text,
    /// `text/html`.
    Html,
    /// `message/delivery-status` (RFC 3464) or `message/global-delivery-status` (RFC 6533).
    DeliveryStatus,
    /// `message/disposition-notification` (RFC 8098).
    Disposition,
    /// `message/feedback-report` (RFC 5965).
    Feedback,
    /// `message/rfc822`, `message/global`: a whole message.
    Message,
    /// `text/rfc822-headers` and its relatives: a message's header.
    Headers,
    /// Anything else.
    Other,
}

/// How a body is encoded (RFC 2045 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// 7bit, 8bit, binary, unknown.
    Identity,
    /// base64.
    Base64,
    /// quoted-printable.
    QuotedPrintable,
}

/// One MIME part.
#[derive(Debug)]
pub struct Part<'a> {
    /// Its header; for the outermost part, the message's.
    pub head: Head<'a>,
    /// What it holds.
    pub kind: PartKind,
    /// Its raw body.
    pub body: &'a [u8],
    /// 0-based line in the raw mail of the body's first line.
    pub line: u32,
    /// How the body is encoded.
    pub encoding: Encoding,
    /// Declared charset.
    pub charset: Option<&'a [u8]>,
    /// Bytes of the body that are read as text.
    pub(crate) readable: usize,
    /// Index of the part around it.
    pub parent: Option<usize>,
    /// Its number among its siblings, from 1.
    pub ordinal: u32,
    text: OnceCell<Text<'a>>,
}

impl<'a> Part<'a> {
    /// Its text, decoded on the first call.
    pub fn text(&self) -> &Text<'a> {
        self.text.get_or_init(|| Text::decode(self))
    }

    /// Whether it is marked as an attachment.
    pub fn is_attachment(&self) -> bool {
        self.head
            .get("Content-Disposition")
            .is_some_and(|field| stdx::starts_with_ignore_case(field.value.trim_ascii(), b"attachment"))
    }
}

/// A content type with the parameters that matter.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ContentType<'a> {
    pub(crate) essence: &'a [u8],
    pub(crate) boundary: Option<&'a [u8]>,
    pub(crate) charset: Option<&'a [u8]>,
    pub(crate) report_type: Option<&'a [u8]>,
    pub(crate) name: Option<&'a [u8]>,
}

impl<'a> ContentType<'a> {
    /// Reads a Content-Type value (RFC 2045 section 5.1), folds and all.
    pub(crate) fn read(value: &'a [u8]) -> Self {
        let value = value.get(..guard::MAX_VALUE).unwrap_or(value);
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        let essence = stdx::trim(value.get(..end).unwrap_or_default());
        let mut out = Self { essence, ..Self::default() };
        let mut rest = value.get(end..).unwrap_or_default();
        while let Some(at) = memchr::memchr(b'=', rest) {
            let name = rest.get(..at).unwrap_or_default();
            let from = name
                .iter()
                .rposition(|b| *b == b';' || b.is_ascii_whitespace() && !name.ends_with(&[*b]))
                .map_or(0, |p| p + 1);
            let name = stdx::trim(name.get(from..).unwrap_or_default());
            let (text, next) = parameter(rest.get(at + 1..).unwrap_or_default());
            let slot = if name.eq_ignore_ascii_case(b"boundary") {
                Some(&mut out.boundary)
            } else if name.eq_ignore_ascii_case(b"charset") {
                Some(&mut out.charset)
            } else if name.eq_ignore_ascii_case(b"report-type") {
                Some(&mut out.report_type)
            } else if name.eq_ignore_ascii_case(b"name") {
                Some(&mut out.name)
            } else {
                None
            };
            if let Some(slot) = slot
                && slot.is_none()
                && !text.is_empty()
            {
                *slot = Some(text);
            }
            rest = next;
        }
        out
    }

    fn kind(&self) -> PartKind {
        let is = |text: &str| self.essence.eq_ignore_ascii_case(text.as_bytes());
        let starts = |text: &str| stdx::starts_with_ignore_case(self.essence, text.as_bytes());
        if starts("multipart/") {
            PartKind::Multipart
        } else if is("message/delivery-status") || is("message/global-delivery-status") {
            PartKind::DeliveryStatus
        } else if is("message/disposition-notification") || is("message/global-disposition-notification") {
            PartKind::Disposition
        } else if is("message/feedback-report") {
            PartKind::Feedback
        } else if is("message/rfc822") || is("message/global") || is("application/octet-stream") && self.names_message()
        {
            PartKind::Message
        } else if is("text/rfc822-headers")
            || is("message/rfc822-headers")
            || is("message/global-headers")
            || is("text/rfc822-header")
        {
            PartKind::Headers
        } else if is("text/html") {
            PartKind::Html
        } else if self.essence.is_empty()
            || starts("text/plain")
            || is("text")
            || is("text/enriched")
            || is("text/x-report")
        {
            PartKind::Text
        } else {
            PartKind::Other
        }
    }

    /// Whether the file name is that of a message: gateways attach what came back as mere bytes.
    fn names_message(&self) -> bool {
        let ending = self.name.and_then(|name| name.len().checked_sub(4).and_then(|at| name.get(at..)));
        ending.is_some_and(|ending| ending.eq_ignore_ascii_case(b".eml"))
    }
}

/// One parameter value and what follows it.
fn parameter(rest: &[u8]) -> (&[u8], &[u8]) {
    let rest = rest.trim_ascii_start();
    if let Some(quoted) = rest.strip_prefix(b"\"") {
        let end = memchr::memchr(b'"', quoted).unwrap_or(quoted.len());
        return (quoted.get(..end).unwrap_or_default(), quoted.get(end + 1..).unwrap_or_default());
    }
    let end = rest.iter().position(|b| *b == b';' || b.is_ascii_whitespace()).unwrap_or(rest.len());
    (rest.get(..end).unwrap_or_default(), rest.get(end..).unwrap_or_default())
}

struct Open<'a> {
    boundary: &'a [u8],
    part: usize,
    children: u32,
}

struct Walk<'a> {
    raw: &'a [u8],
    parts: Vec<Part<'a>>,
    open: Vec<Open<'a>>,
    /// The leaf being filled and where its body starts.
    leaf: Option<(usize, usize)>,
    /// Bytes that may still be read as text.
    room: usize,
    truncated: bool,
}

/// Splits a message into its parts; the first one is the message itself. `first_line` is the line `raw` begins at.
pub(crate) fn walk<'a>(raw: &'a [u8], first_line: u32) -> (Vec<Part<'a>>, bool) {
    let end = Head::read(raw, first_line);
    let (body, line) = (end.body, end.line);
    let mut walk = Walk {
        raw,
        parts: Vec::with_capacity(8),
        open: Vec::new(),
        leaf: None,
        room: guard::MAX_TEXTS,
        truncated: false,
    };
    walk.push(end, None, 1);
    if walk.open.is_empty() {
        walk.close(raw.len());
        walk.recover_single(body, line);
        return (walk.parts, walk.truncated);
    }
    walk.delimiters(body, line);
    walk.recover_empty(body, line);
    (walk.parts, walk.truncated)
}

impl<'a> Walk<'a> {
    /// Adds the part whose header was just read.
    fn push(&mut self, end: HeadEnd<'a>, parent: Option<usize>, ordinal: u32) {
        let HeadEnd { head, body, line } = end;
        let content = head.get("Content-Type").map(|field| ContentType::read(field.value)).unwrap_or_default();
        let encoding = head.get("Content-Transfer-Encoding").map_or(Encoding::Identity, |field| {
            let value = stdx::trim(field.value);
            if stdx::starts_with_ignore_case(value, b"base64") {
                Encoding::Base64
            } else if stdx::starts_with_ignore_case(value, b"quoted-printable") {
                Encoding::QuotedPrintable
            } else {
                Encoding::Identity
            }
        });
        let mut kind = content.kind();
        if kind == PartKind::Multipart && (content.boundary.is_none() || self.open.len() >= guard::MAX_DEPTH) {
            self.truncated |= content.boundary.is_some();
            kind = PartKind::Text;
        }
        let index = self.parts.len();
        if kind == PartKind::Multipart
            && let Some(boundary) = content.boundary
        {
            self.open.push(Open { boundary: boundary.trim_ascii_end(), part: index, children: 0 });
        } else {
            self.leaf = Some((index, body));
        }
        let rest = self.raw.get(body..).unwrap_or_default();
        self.parts.push(Part {
            head,
            kind,
            body: rest,
            line,
            encoding,
            charset: content.charset,
            readable: 0,
            parent,
            ordinal,
            text: OnceCell::new(),
        });
    }

    /// Ends the leaf being filled.
    fn close(&mut self, end: usize) {
        if let Some((index, start)) = self.leaf.take()
            && let Some(part) = self.parts.get_mut(index)
        {
            let body = self.raw.get(start..end.max(start)).unwrap_or_default();
            let body = body.strip_suffix(b"\n").unwrap_or(body);
            part.body = body.strip_suffix(b"\r").unwrap_or(body);
            part.readable = part.body.len().min(guard::MAX_TEXT).min(self.room);
            if !matches!(part.kind, PartKind::Other) {
                self.room -= part.readable;
            }
        }
    }

    /// Follows the boundaries from `at` to the end.
    fn delimiters(&mut self, mut at: usize, mut line: u32) {
        let mut counted = at;
        while let Some(start) = next_dashes(self.raw, at) {
            let rest = self.raw.get(start..).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let text = rest.get(2..length).unwrap_or_default().trim_ascii_end();
            at = start + length;
            let Some((depth, closing)) = self.matching(text).or_else(|| self.stray(start)) else { continue };
            line = line.saturating_add(count_lines(self.raw.get(counted..start).unwrap_or_default()));
            counted = start;
            self.close(start);
            self.open.truncate(depth + usize::from(!closing));
            if closing || self.parts.len() >= guard::MAX_PARTS {
                self.truncated |= !closing;
                if self.open.is_empty() || !closing {
                    return;
                }
                continue;
            }
            let head_start = (at + 1).min(self.raw.len());
            let Some(open) = self.open.last_mut() else { return };
            open.children += 1;
            let (parent, ordinal) = (open.part, open.children);
            let mut end = Head::read_part(self.raw.get(head_start..).unwrap_or_default(), line.saturating_add(1));
            end.body += head_start;
            line = end.line;
            // the blank line that ends the header may be the line before the next boundary
            counted = end.body;
            at = end.body.saturating_sub(1).max(head_start.saturating_sub(1));
            self.push(end, Some(parent), ordinal);
        }
        let end = self.raw.len();
        self.close(end);
    }

    /// Which open boundary a line names, and whether it closes it.
    fn matching(&self, text: &[u8]) -> Option<(usize, bool)> {
        self.open.iter().enumerate().rev().find_map(|(depth, open)| {
            let rest = text.strip_prefix(open.boundary)?;
            match rest {
                b"" => Some((depth, false)),
                b"--" => Some((depth, true)),
                _ => None,
            }
        })
    }

    /// A boundary that is not the declared one, at the end of a report part: those never contain such lines.
    fn stray(&self, start: usize) -> Option<(usize, bool)> {
        let (index, _) = self.leaf?;
        if self.parts.get(index)?.kind != PartKind::DeliveryStatus {
            return None;
        }
        let mut lines = Lines { bytes: self.raw, at: start, line: 0 };
        lines.next()?;
        let next = lines.next()?;
        (field_colon(next).is_some() && stdx::starts_with_ignore_case(next, b"content-"))
            .then_some((self.open.len().checked_sub(1)?, false))
    }

    /// A multipart none of whose boundaries showed up: take what looks like one, else its whole body as text.
    fn recover_empty(&mut self, body: usize, line: u32) {
        if self.parts.len() > 1 {
            return;
        }
        if let Some(boundary) = likely_boundary(self.raw.get(body..).unwrap_or_default()) {
            self.open = vec![Open { boundary, part: 0, children: 0 }];
            self.delimiters(body, line);
        }
        if self.parts.len() == 1
            && let Some(top) = self.parts.first_mut()
        {
            top.kind = PartKind::Text;
            top.encoding = Encoding::Identity;
            top.readable = top.body.len().min(guard::MAX_TEXT);
        }
    }

    /// A message that lost its Content-Type: open it when parts are plainly there.
    fn recover_single(&mut self, start: usize, line: u32) {
        let Some(top) = self.parts.first() else { return };
        if top.head.has("Content-Type")
            && !top
                .head
                .get("Content-Type")
                .is_some_and(|f| stdx::starts_with_ignore_case(f.value.trim_ascii(), b"multipart"))
        {
            return;
        }
        let bytes = self.raw.get(start..).unwrap_or_default();
        if stdx::find_ignore_case(
            bytes.get(..bytes.len().min(guard::MAX_TEXT)).unwrap_or_default(),
            b"message/delivery-status",
        )
        .is_none()
        {
            return;
        }
        if let Some(boundary) = likely_boundary(bytes) {
            self.open = vec![Open { boundary, part: 0, children: 0 }];
            if let Some(top) = self.parts.first_mut() {
                top.kind = PartKind::Multipart;
            }
            self.delimiters(start, line);
        }
    }
}

/// The first `--` line that is followed by a Content field.
fn likely_boundary(body: &[u8]) -> Option<&[u8]> {
    let body = body.get(..body.len().min(guard::MAX_TEXT)).unwrap_or(body);
    let mut at = 0;
    while let Some(start) = next_dashes(body, at) {
        let mut lines = Lines { bytes: body, at: start, line: 0 };
        let text = lines.next()?.get(2..)?.trim_ascii_end();
        let next = lines.next().unwrap_or_default();
        if !text.is_empty() && field_colon(next).is_some() && stdx::starts_with_ignore_case(next, b"content-") {
            return Some(text);
        }
        at = start + 2;
    }
    None
}

/// The next line at or behind `at` that begins with `--`. `at` must stand at a line start or at a line's end.
fn next_dashes(raw: &[u8], at: usize) -> Option<usize> {
    let rest = raw.get(at..)?;
    if rest.starts_with(b"--") && (at == 0 || raw.get(at - 1) == Some(&b'\n')) {
        return Some(at);
    }
    memchr::memmem::find(rest, b"\n--").map(|found| at + found + 1)
}

/// Line ends in these bytes.
fn count_lines(bytes: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(u32::MAX)
}
