//! A stored mail made ready for the reader: its lines, its parts, and the message that came back.
//!
//! Text here is decoded but not yet harmless: it reaches the screen through `text` only. Parts are listed, never opened.

use crate::mail::{Encoding, Head, Mail, Part, PartKind, normalise};
use crate::model::Returned;

/// Lines of a mail that are shown; more than any notice has.
const MOST_LINES: usize = 50_000;

/// A mail as the reader shows it.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Which notice it is.
    pub notice: i64,
    /// Every line of the raw mail, from line 1.
    pub lines: Vec<String>,
    /// Header fields of the message that came back: name and decoded value.
    pub returned_head: Vec<(String, String)>,
    /// Its text, line by line.
    pub returned_body: Vec<String>,
    /// Its attachments, in words.
    pub attachments: Vec<String>,
    /// Parts as a tree.
    pub parts: Vec<Piece>,
}

/// One MIME part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Depth in the tree, from 0.
    pub depth: usize,
    /// Its number, such as `1.2`.
    pub number: String,
    /// Its type, in lower case.
    pub kind: String,
    /// Bytes of its body as it arrived.
    pub size: usize,
    /// First line of its body in the raw mail, from 1.
    pub line: usize,
    /// File name or mark of an attachment.
    pub attached: Option<String>,
}

impl Shown {
    /// Reads a stored mail; `original` is what the diagnosis says of the message that came back.
    pub fn read(notice: i64, raw: &[u8], original: Option<&Returned>) -> Self {
        let raw = normalise(raw);
        let lines = raw.split(|b| *b == b'\n').take(MOST_LINES);
        let lines = lines.map(|line| String::from_utf8_lossy(line).trim_end_matches('\r').to_owned()).collect();
        let mut shown = Self { notice, lines, ..Self::default() };
        let mail = Mail::read(&raw);
        shown.parts = mail.parts.iter().enumerate().skip(1).map(|(at, part)| piece(&mail, at, part)).collect();
        shown.find_returned(&mail, original);
        shown
    }

    fn find_returned(&mut self, mail: &Mail<'_>, original: Option<&Returned>) {
        if let Some((_, part)) = mail.of_kind(PartKind::Message).next() {
            if part.encoding == Encoding::Identity {
                self.take_message(&Mail::read(part.body));
            } else {
                self.take_message(&Mail::read(part.text().as_str().as_bytes()));
            }
        } else if let Some((_, part)) = mail.of_kind(PartKind::Headers).next() {
            self.take_head(&Head::read(part.text().as_str().as_bytes(), 0).head);
        } else if let Some(original) = original {
            for (_, part) in mail.of_kind(PartKind::Text) {
                if self.take_pasted(part.text().as_str(), original) {
                    return;
                }
            }
        }
    }

    fn take_head(&mut self, head: &Head<'_>) {
        let field = |field: &crate::mail::Field<'_>| {
            (String::from_utf8_lossy(field.name).into_owned(), field.text().into_owned())
        };
        self.returned_head = head.fields.iter().map(field).collect();
    }

    fn take_message(&mut self, message: &Mail<'_>) {
        self.take_head(message.head());
        let leaf = |part: &&Part<'_>| !part.is_attachment() && matches!(part.kind, PartKind::Text | PartKind::Html);
        let text = message.parts.iter().filter(leaf).min_by_key(|part| part.kind == PartKind::Html);
        if let Some(part) = text {
            self.returned_body =
                part.text().lines().take(MOST_LINES).map(|line| line.trim_end_matches('\r').to_owned()).collect();
        }
        while self.returned_body.last().is_some_and(|line| line.trim().is_empty()) {
            self.returned_body.pop();
        }
        let pieces = message.parts.iter().enumerate().map(|(at, part)| piece(message, at, part));
        self.attachments = pieces
            .filter_map(|piece| {
                let name = piece.attached?;
                Some(format!("{name}  {}  {}", piece.kind, size(piece.size)))
            })
            .collect();
    }

    /// The message as it was pasted into the notice's text: the header block that holds its Message-ID or subject.
    fn take_pasted(&mut self, text: &str, original: &Returned) -> bool {
        let lines: Vec<&str> = text.lines().collect();
        let field = |line: &str, name: &str, value: &Option<String>| {
            let (Some(value), Some((own, rest))) = (value, line.trim_start().split_once(':')) else { return false };
            own.eq_ignore_ascii_case(name) && rest.contains(value.as_str())
        };
        let found = lines.iter().position(|line| field(line, "Message-ID", &original.message_id));
        let found = found.or_else(|| lines.iter().position(|line| field(line, "Subject", &original.subject)));
        let Some(found) = found else { return false };
        let from = lines[..found].iter().rposition(|line| line.trim().is_empty()).map_or(0, |at| at + 1);
        let message = lines[from..].join("\n");
        self.take_message(&Mail::read(message.as_bytes()));
        true
    }
}

fn piece(mail: &Mail<'_>, at: usize, part: &Part<'_>) -> Piece {
    let mut depth = 0;
    let mut above = part.parent;
    while let Some(outer) = above.and_then(|at| mail.parts.get(at)) {
        depth += 1;
        above = outer.parent;
    }
    let content = part.head.text("Content-Type").unwrap_or_default();
    let kind = content.split(';').next().unwrap_or("").trim().to_lowercase();
    let kind = if kind.is_empty() { "text/plain".to_owned() } else { kind };
    let named = part
        .head
        .text("Content-Disposition")
        .into_iter()
        .chain(Some(content.clone()))
        .find_map(|field| name_in(&field));
    let attached = match named {
        Some(name) => Some(name),
        None if part.is_attachment() => Some("without a name".to_owned()),
        None => None,
    };
    Piece {
        depth: depth - usize::from(depth > 0),
        number: mail.part_number(at),
        kind,
        size: part.body.len(),
        line: part.line as usize + 1,
        attached,
    }
}

/// The value of `filename` or `name` in a field.
fn name_in(field: &str) -> Option<String> {
    let lower = field.to_ascii_lowercase();
    let at = lower.find("name=")? + "name=".len();
    let rest = field.get(at..)?.trim_start();
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split(';').next(),
    };
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// A number of bytes, in words.
pub fn size(bytes: usize) -> String {
    if bytes < 1024 { format!("{bytes} B") } else { format!("{}.{} K", bytes / 1024, bytes % 1024 * 10 / 1024) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_returned_message_is_decoded_and_attachments_are_listed() {
        let mail = "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: text/plain\n\nfailed\n--b\nContent-Type: message/rfc822\n\n\
            Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\
            Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nHall=C3=B6\n--c\n\
            Content-Type: application/pdf; name=\"bill.pdf\"\nContent-Disposition: attachment\n\nxx\n--c--\n--b--\n";
        let shown = Shown::read(1, mail.as_bytes(), None);
        assert_eq!(shown.returned_head[0], ("Subject".to_owned(), "Grüße".to_owned()));
        assert_eq!(shown.returned_body, ["Hallö"]);
        assert_eq!(shown.attachments, ["bill.pdf  application/pdf  2 B"]);
        assert_eq!(shown.parts.iter().map(|part| part.number.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn a_message_pasted_into_the_text_is_found() {
        let mail = "Subject: failed\n\nSorry.\n\n--- copy ---\n\nFrom: a@x.example\nSubject: Hello\nMessage-ID: <1@x.example>\n\nBody\n";
        let original = Returned { message_id: Some("1@x.example".into()), ..Returned::default() };
        let shown = Shown::read(1, mail.as_bytes(), Some(&original));
        assert_eq!(shown.returned_head.len(), 3);
        assert_eq!(shown.returned_body, ["Body"]);
    }
}
