//! A stored mail made ready for the reader: its lines, its parts, and the message that came back.
//!
//! Text here is decoded but not yet harmless: it reaches the screen through `text` only. Parts are listed, never opened.

use crate::mail::{Attached, Mail, Part, ReturnedCopy, attached, content_type, normalise};
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
        let copy = ReturnedCopy::find(&mail, original);
        (shown.returned_head, shown.returned_body) = (copy.head, copy.text);
        let words = |one: &Attached| format!("{}  {}  {}", one.name, one.kind, size(one.size));
        shown.attachments = copy.attachments.iter().map(words).collect();
        shown
    }
}

fn piece(mail: &Mail<'_>, at: usize, part: &Part<'_>) -> Piece {
    let mut depth = 0;
    let mut above = part.parent;
    while let Some(outer) = above.and_then(|at| mail.parts.get(at)) {
        depth += 1;
        above = outer.parent;
    }
    Piece {
        depth: depth - usize::from(depth > 0),
        number: mail.part_number(at),
        kind: content_type(part),
        size: part.body.len(),
        line: part.line as usize + 1,
        attached: attached(part).map(|one| one.name),
    }
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
}
