//! The notice's own words: its text parts, without the returned message that may be pasted behind them.
//!
//! Owns finding where a pasted message begins: at a line a format names, or at a block of header fields. Knows nothing
//! of what the words mean.

use crate::mail::{Head, Mail, PartKind, Text};
use crate::model::reply;
use crate::rules::Pattern;

/// One text of the notice.
pub(super) struct Zone<'m> {
    /// Index of its part.
    pub(super) part: u32,
    /// Its text.
    pub(super) text: &'m Text<'m>,
    /// First line of its own words.
    pub(super) from: usize,
    /// Line behind its last own word.
    pub(super) to: usize,
    /// Line at which the header of a pasted message begins.
    pub(super) pasted: Option<usize>,
}

/// How many lines of a text are looked at.
const MAX_LINES: usize = 4000;

/// The texts of a notice: plain ones before the returned message; HTML only where nothing is plain, attached texts only
/// where there is nothing else.
pub(super) fn zones<'m>(mail: &'m Mail<'_>) -> Vec<Zone<'m>> {
    let stop = mail.parts.iter().position(|part| part.kind == PartKind::Message).unwrap_or(mail.parts.len());
    let mut out: Vec<Zone<'m>> = Vec::new();
    for (wanted, attached) in [(PartKind::Text, false), (PartKind::Html, false), (PartKind::Text, true)] {
        for (index, part) in mail.parts.iter().enumerate().take(stop) {
            if part.kind != wanted || part.is_attachment() != attached || out.len() >= 8 {
                continue;
            }
            let text = part.text();
            if text.lines().all(|line| line.trim().is_empty()) {
                continue;
            }
            let pasted = pasted_header(text);
            let to = pasted.filter(|&(_, own)| !own).map_or(text.len(), |(line, _)| line).min(MAX_LINES);
            let pasted = pasted.map(|(line, _)| line);
            out.push(Zone { part: u32::try_from(index).unwrap_or(u32::MAX), text, from: 0, to, pasted });
        }
        if !out.is_empty() {
            break;
        }
    }
    out
}

/// Text attachments that are nothing but a message's header.
pub(super) fn attached_headers<'m>(mail: &'m Mail<'_>) -> Vec<Zone<'m>> {
    let texts = mail.parts.iter().enumerate().skip(1).filter(|(_, part)| part.kind == PartKind::Text);
    let zones = texts.filter_map(|(index, part)| {
        let text = part.text();
        let pasted = pasted_header(text).map(|(line, _)| line).filter(|line| *line < 3)?;
        Some(Zone { part: u32::try_from(index).unwrap_or(u32::MAX), text, from: 0, to: 0, pasted: Some(pasted) })
    });
    zones.take(4).collect()
}

/// Text attachments, whole: some gateways turn the report into one.
pub(super) fn attached_texts<'m>(mail: &'m Mail<'_>) -> impl Iterator<Item = Zone<'m>> {
    let texts = mail.parts.iter().enumerate().skip(1);
    let texts = texts.filter(|(_, part)| part.kind == PartKind::Text && part.is_attachment());
    texts.take(4).map(|(index, part)| {
        let text = part.text();
        Zone {
            part: u32::try_from(index).unwrap_or(u32::MAX),
            text,
            from: 0,
            to: text.len().min(MAX_LINES),
            pasted: None,
        }
    })
}

impl Zone<'_> {
    /// Ends the zone at the first line one of these patterns matches.
    pub(super) fn cut_at(&mut self, cuts: &[Pattern]) {
        if cuts.is_empty() {
            return;
        }
        let found = (self.from..self.text.len().min(MAX_LINES))
            .find(|&at| cuts.iter().any(|cut| cut.line(self.text.line(at)).is_some()));
        if let Some(at) = found
            && self.pasted.is_none_or(|pasted| at <= pasted)
        {
            self.to = at;
            self.pasted =
                self.pasted.or_else(|| (at + 1..self.text.len()).find(|&line| !self.text.line(line).trim().is_empty()));
        }
    }

    /// Begins the zone behind the last of these lines that stands before any recipient; `false` when none is there.
    pub(super) fn start_at(&mut self, starts: &[Pattern]) -> bool {
        let found =
            (self.from..self.to).find(|&at| starts.iter().any(|start| start.line(self.text.line(at)).is_some()));
        if let Some(at) = found {
            self.from = at + 1;
        }
        found.is_some()
    }

    /// Ends the zone at the first of these lines behind its start.
    pub(super) fn end_at(&mut self, ends: &[Pattern]) {
        let found = (self.from..self.to).find(|&at| ends.iter().any(|end| end.line(self.text.line(at)).is_some()));
        self.to = found.unwrap_or(self.to);
    }
}

/// Fields that a message's header has and a notice's prose has not.
const MESSAGE_FIELDS: &[&str] = &[
    "received",
    "return-path",
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "dkim-signature",
    "x-mailer",
    "reply-to",
    "cc",
    "content-transfer-encoding",
    "delivered-to",
    "user-agent",
    "sender",
    "domainkey-signature",
    "x-originating-ip",
];

/// The line at which a block of message header fields begins: at least three fields, two of them a message's; and whether
/// the notice speaks in it itself.
fn pasted_header(text: &Text<'_>) -> Option<(usize, bool)> {
    let limit = text.len().min(MAX_LINES);
    let mut at = 0;
    while at < limit {
        if !begins_field(text.line(at)) {
            at += 1;
            continue;
        }
        let (mut fields, mut known, mut end) = (0, 0, at);
        let mut seen = [false; MESSAGE_FIELDS.len()];
        while end < text.len() {
            let line = text.line(end);
            if let Some(name) = field_name(line) {
                fields += 1;
                if let Some(slot) = MESSAGE_FIELDS
                    .iter()
                    .position(|known| name.eq_ignore_ascii_case(known))
                    .and_then(|slot| seen.get_mut(slot))
                    && !*slot
                {
                    *slot = true;
                    known += 1;
                }
            } else if line.trim().is_empty() || !line.starts_with([' ', '\t']) {
                break;
            }
            end += 1;
        }
        let header = fields >= 3 && known >= 2 || fields >= 2 && known >= 2 && seen.first() == Some(&true);
        if header {
            match summary(text, at, end) {
                Summary::None => return Some((at, false)),
                Summary::WithReply => return Some((at, true)),
                Summary::BeforeReply => {}
            }
        }
        at = end.max(at + 1);
    }
    None
}

/// How many lines behind a summary are searched for the reply.
const MAX_BEHIND: usize = 8;

/// What a block of fields is that the notice itself wrote about the message: no field in it tells of a way here.
enum Summary {
    /// A message's header, not the notice's words.
    None,
    /// The server's reply stands in a field that no message has (`Details: 550 5.1.1 ...`).
    WithReply,
    /// From, to, subject and date, and the server's reply behind them.
    BeforeReply,
}

fn summary(text: &Text<'_>, from: usize, to: usize) -> Summary {
    const SHORT: [&str; 5] = ["from", "to", "subject", "date", "cc"];
    let coded = |at: usize| reply::codes(text.line(at), true).next().is_some();
    let (mut short, mut replied) = (true, false);
    for at in from..to {
        let Some(name) = field_name(text.line(at)) else { continue };
        if SHORT.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            continue;
        }
        short = false;
        if !begins_field(text.line(at)) {
            replied |= coded(at);
        } else if !name.eq_ignore_ascii_case("message-id") {
            return Summary::None;
        }
    }
    let behind = || (to..text.len().min(to + MAX_BEHIND)).any(coded) && !(0..from).any(coded);
    match (replied, short) {
        (true, _) => Summary::WithReply,
        (false, true) if behind() => Summary::BeforeReply,
        _ => Summary::None,
    }
}

fn field_name(line: &str) -> Option<&str> {
    let colon = memchr::memchr(b':', line.as_bytes().get(..line.len().min(60))?)?;
    let name = line.get(..colon)?.trim_end();
    let good = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    good.then_some(name)
}

fn begins_field(line: &str) -> bool {
    field_name(line).is_some_and(|name| {
        MESSAGE_FIELDS.iter().any(|known| name.eq_ignore_ascii_case(known))
            || name.len() > 2 && name.get(..2).is_some_and(|x| x.eq_ignore_ascii_case("x-"))
    })
}

/// The header of a pasted message.
pub(super) fn pasted_head<'t>(text: &'t Text<'_>, line: usize) -> Head<'t> {
    Head::read(text.from_line(line).as_bytes(), u32::try_from(line).unwrap_or(u32::MAX)).head
}
