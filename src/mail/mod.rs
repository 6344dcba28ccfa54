//! Reads a mail: its header, its MIME parts with spans into the raw bytes, and the standard report parts.
//!
//! The only user of `mail_parser` (its decoders). Knows no judgement: what a mail *says*, never what it means.
//! Invariant: [`Mail::read`] never fails, is linear in the mail, and needs bounded stack and memory beside it.

mod address;
mod copy;
mod dsn;
mod guard;
mod header;
mod html;
mod part;
mod returned;
mod text;
mod utf7;

use std::borrow::Cow;

pub use address::{FoundAddress, addresses, find_addresses, read_address};
pub use copy::{Attached, ReturnedCopy, attached, content_type};
pub use dsn::{PROGRAM_SAID, looks_like_report, read_report};
pub use guard::{MAX_RECIPIENTS, MAX_TEXT};
pub use header::{Field, Head, HeadEnd};
pub use part::{Encoding, Part, PartKind};
pub use returned::{date_of, message_ids, read_returned};
pub use text::Text;

use crate::model::{Evidence, Fact, Place};

/// How many messages inside each other are opened.
pub const MAX_NESTED: usize = guard::MAX_NESTED;

/// Bytes with line ends that end in a line feed: a mail whose lines end in bare carriage returns is rewritten, byte for
/// byte, so offsets and line numbers stay true.
pub fn normalise(raw: &[u8]) -> Cow<'_, [u8]> {
    let head = raw.get(..raw.len().min(64 * 1024)).unwrap_or(raw);
    if memchr::memchr(b'\n', head).is_some() || memchr::memchr(b'\r', head).is_none() {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.iter().map(|&b| if b == b'\r' { b'\n' } else { b }).collect())
}

/// A mail that was read.
#[derive(Debug)]
pub struct Mail<'a> {
    /// Its parts in order; the first one is the message itself.
    pub parts: Vec<Part<'a>>,
    /// Whether a limit kept some of it from being read.
    pub truncated: bool,
    /// `Content-Type` essence of the message, as written.
    pub essence: &'a [u8],
    /// `report-type` parameter of the message.
    pub report_type: Option<&'a [u8]>,
    /// Part number of the message itself inside an outer one, `None` for the mail as it arrived.
    pub inside: Option<String>,
    /// Whether its lines are lines of the raw mail.
    pub verbatim: bool,
}

static NO_HEAD: Head<'static> = Head { fields: Vec::new() };

impl<'a> Mail<'a> {
    /// Reads a mail out of normalised bytes.
    pub fn read(raw: &'a [u8]) -> Self {
        Self::read_at(raw, 0, None, true)
    }

    /// Reads a message that begins at this line of the raw mail, or of a decoded part.
    pub fn read_at(raw: &'a [u8], first_line: u32, inside: Option<String>, verbatim: bool) -> Self {
        let (parts, truncated) = part::walk(raw, first_line);
        let content = parts
            .first()
            .and_then(|top| top.head.get("Content-Type"))
            .map(|field| part::ContentType::read(field.value))
            .unwrap_or_default();
        Self { truncated, essence: content.essence, report_type: content.report_type, parts, inside, verbatim }
    }

    /// The message's own header.
    pub fn head(&self) -> &Head<'a> {
        self.parts.first().map_or(&NO_HEAD, |top| &top.head)
    }

    /// Whether the report type of the message is this.
    pub fn is_report(&self, kind: &str) -> bool {
        self.report_type.is_some_and(|found| found.eq_ignore_ascii_case(kind.as_bytes()))
    }

    /// Parts of a kind, with their indices.
    pub fn of_kind(&self, kind: PartKind) -> impl Iterator<Item = (u32, &Part<'a>)> + '_ {
        (0..).zip(&self.parts).filter(move |(_, part)| part.kind == kind)
    }

    /// The number of a part as mail programs show it, such as `2` or `1.3`.
    pub fn part_number(&self, index: usize) -> String {
        let mut numbers = Vec::new();
        let mut at = Some(index);
        while let Some(part) = at.and_then(|at| self.parts.get(at)) {
            if part.parent.is_some() {
                numbers.push(part.ordinal.to_string());
            }
            at = part.parent;
        }
        if numbers.is_empty() {
            numbers.push("1".to_owned());
        }
        numbers.reverse();
        match &self.inside {
            Some(outer) => format!("{outer}.{}", numbers.join(".")),
            None => numbers.join("."),
        }
    }

    /// Evidence for a claim that stands at a place of this mail.
    pub fn evidence(&self, claim: &'static str, from: &'static str, text: &str, place: Place) -> Evidence {
        let header = place.part == Place::HEADER;
        let index = if header { 0 } else { place.part as usize };
        let part = self.parts.get(index);
        if header && self.verbatim {
            let line = Some(place.line.saturating_add(1));
            return Evidence {
                claim: claim.into(),
                from: from.into(),
                text: text.to_owned(),
                line,
                part: None,
                part_line: None,
            };
        }
        let verbatim = self.verbatim
            && part.is_some_and(|part| part.encoding == Encoding::Identity && part.kind != PartKind::Html);
        let mut evidence = Evidence {
            claim: claim.into(),
            from: from.into(),
            text: text.to_owned(),
            line: None,
            part: None,
            part_line: None,
        };
        if verbatim {
            evidence.line = part.map(|part| part.line.saturating_add(place.line).saturating_add(1));
        } else {
            evidence.part = Some(self.part_number(index));
            evidence.part_line = Some(place.line.saturating_add(1));
        }
        evidence
    }

    /// Evidence for a claim that rests on a field of a header.
    pub fn header_evidence(&self, claim: &'static str, field: &Field<'_>) -> Evidence {
        Evidence {
            claim: claim.into(),
            from: [&String::from_utf8_lossy(field.name), " field"].concat().into(),
            text: field.text().into_owned(),
            line: self.verbatim.then_some(field.line.saturating_add(1)),
            part: (!self.verbatim).then(|| self.inside.clone().unwrap_or_default()),
            part_line: (!self.verbatim).then_some(field.line.saturating_add(1)),
        }
    }

    /// Evidence for a fact.
    pub fn fact_evidence<T>(&self, claim: &'static str, fact: &Fact<T>, text: &str) -> Evidence {
        self.evidence(claim, fact.from, text, fact.place)
    }
}
