//! The message that came back, as a person reads it: its header fields, its text, its attachments by name.
//!
//! Finds it attached, as header lines only, or pasted into the notice's text. Text here is decoded but not yet harmless.
//! Invariant: attachments are listed, never opened.

use super::{Encoding, Field, Head, Mail, Part, PartKind};
use crate::model::Returned;

/// Lines of a text that are kept; more than any message of a help desk has.
const MOST_LINES: usize = 50_000;

/// The returned message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReturnedCopy {
    /// Header fields: name and decoded value.
    pub head: Vec<(String, String)>,
    /// The text, line by line; empty where only the header came back.
    pub text: Vec<String>,
    /// The attachments.
    pub attachments: Vec<Attached>,
}

/// An attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// File name, or a mark that it has none.
    pub name: String,
    /// Type, in lower case.
    pub kind: String,
    /// Bytes of its body as it arrived.
    pub size: usize,
}

impl ReturnedCopy {
    /// Finds the message that a notice returned; `original` is what the diagnosis says of it.
    pub fn find(mail: &Mail<'_>, original: Option<&Returned>) -> Self {
        let mut found = Self::default();
        if let Some((_, part)) = mail.of_kind(PartKind::Message).next() {
            if part.encoding == Encoding::Identity {
                found.take_message(&Mail::read(part.body));
            } else {
                found.take_message(&Mail::read(part.text().as_str().as_bytes()));
            }
        } else if let Some((_, part)) = mail.of_kind(PartKind::Headers).next() {
            found.take_head(&Head::read(part.text().as_str().as_bytes(), 0).head);
        } else if let Some(original) = original {
            for (_, part) in mail.of_kind(PartKind::Text) {
                if found.take_pasted(part.text().as_str(), original) {
                    break;
                }
            }
        }
        found
    }

    fn take_head(&mut self, head: &Head<'_>) {
        let field = |field: &Field<'_>| (String::from_utf8_lossy(field.name).into_owned(), field.text().into_owned());
        self.head = head.fields.iter().map(field).collect();
    }

    fn take_message(&mut self, message: &Mail<'_>) {
        self.take_head(message.head());
        let leaf = |part: &&Part<'_>| !part.is_attachment() && matches!(part.kind, PartKind::Text | PartKind::Html);
        let text = message.parts.iter().filter(leaf).min_by_key(|part| part.kind == PartKind::Html);
        if let Some(part) = text {
            self.text =
                part.text().lines().take(MOST_LINES).map(|line| line.trim_end_matches('\r').to_owned()).collect();
        }
        while self.text.last().is_some_and(|line| line.trim().is_empty()) {
            self.text.pop();
        }
        self.attachments = message.parts.iter().filter_map(|part| attached(part)).collect();
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
        let Some(before) = found.and_then(|found| lines.get(..found)) else { return false };
        let from = before.iter().rposition(|line| line.trim().is_empty()).map_or(0, |at| at + 1);
        let message = lines.get(from..).unwrap_or_default().join("\n");
        self.take_message(&Mail::read(message.as_bytes()));
        true
    }
}

/// The type of a part, in lower case.
pub fn content_type(part: &Part<'_>) -> String {
    let content = part.head.text("Content-Type").unwrap_or_default();
    let kind = content.split(';').next().unwrap_or("").trim().to_lowercase();
    if kind.is_empty() { "text/plain".to_owned() } else { kind }
}

/// A part as an attachment, where it is one or carries a file name.
pub fn attached(part: &Part<'_>) -> Option<Attached> {
    let fields = ["Content-Disposition", "Content-Type"].map(|name| part.head.text(name));
    let named = fields.iter().flatten().find_map(|field| name_in(field));
    let name = named.or_else(|| part.is_attachment().then(|| "without a name".to_owned()))?;
    Some(Attached { name, kind: content_type(part), size: part.body.len() })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_returned_message_is_decoded_and_attachments_are_listed() {
        let mail = "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: text/plain\n\nfailed\n--b\nContent-Type: message/rfc822\n\n\
            Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\
            Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nHall=C3=B6\n--c\n\
            Content-Type: application/pdf; name=\"bill.pdf\"\nContent-Disposition: attachment\n\nxx\n--c--\n--b--\n";
        let copy = ReturnedCopy::find(&Mail::read(mail.as_bytes()), None);
        assert_eq!(copy.head[0], ("Subject".to_owned(), "Grüße".to_owned()));
        assert_eq!(copy.text, ["Hallö"]);
        assert_eq!(copy.attachments, [Attached { name: "bill.pdf".into(), kind: "application/pdf".into(), size: 2 }]);
    }

    #[test]
    fn a_message_pasted_into_the_text_is_found() {
        let mail = "Subject: failed\n\nSorry.\n\n--- copy ---\n\nFrom: a@x.example\nSubject: Hello\nMessage-ID: <1@x.example>\n\nBody\n";
        let original = Returned { message_id: Some("1@x.example".into()), ..Returned::default() };
        let copy = ReturnedCopy::find(&Mail::read(mail.as_bytes()), Some(&original));
        assert_eq!(copy.head.len(), 3);
        assert_eq!(copy.text, ["Body"]);
    }
}
