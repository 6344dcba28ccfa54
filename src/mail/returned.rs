//! The message that came back: the few header fields that say which of ours it was.
//!
//! Works on any header: an attached message's, a `text/rfc822-headers` part's, or lines pasted into a text. Invariant:
//! its body is never decoded.

use super::address::addresses;
use super::guard;
use super::header::{Field, Head};
use crate::model::{Person, Returned, Timestamp};

/// Names read from one field.
const MAX_PEOPLE: usize = 64;

/// The fields of the returned message's header.
pub fn read_returned(head: &Head<'_>) -> Returned {
    Returned {
        message_id: head.get("Message-ID").and_then(|field| message_ids(&field.raw()).into_iter().next()),
        subject: head.text("Subject").map(std::borrow::Cow::into_owned).filter(|text| !text.is_empty()),
        from: head.get("From").and_then(|field| addresses(&field.raw()).into_iter().next()).map(String::from),
        to: head
            .get("To")
            .map(|field| addresses(&field.raw()).into_iter().map(String::from).collect())
            .unwrap_or_default(),
        date: date_of(head),
        people: ["To", "Cc", "Reply-To"].iter().filter_map(|name| head.get(name)).flat_map(people).collect(),
    }
}

/// Names beside addresses in an address field (RFC 5322 section 3.4), RFC 2047 words decoded.
fn people(field: &Field<'_>) -> Vec<Person> {
    let mut value = field.value.get(..guard::MAX_VALUE).unwrap_or(field.value).to_vec();
    value.push(b'\n');
    let parsed = mail_parser::parsers::MessageStream::new(&value).parse_address();
    let mailboxes = parsed.as_address().into_iter().flat_map(|list| list.iter().take(MAX_PEOPLE));
    mailboxes
        .filter_map(|one| {
            Some(Person { name: one.name()?.trim().to_owned(), address: one.address()?.trim().to_owned() })
        })
        .filter(|one| !one.name.is_empty() && !one.name.contains('@'))
        .collect()
}

/// The Date field.
pub fn date_of(head: &Head<'_>) -> Option<Timestamp> {
    let raw = head.get("Date")?.raw();
    let date = mail_parser::DateTime::parse_rfc822(&raw)?;
    (date.is_valid() && date.year >= 1970).then(|| Timestamp(date.to_timestamp()))
}

/// The ids of a Message-ID, In-Reply-To or References value, without brackets, in order.
pub fn message_ids(value: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = value;
    while let Some(open) = rest.find('<') {
        let inner = rest.get(open + 1..).unwrap_or_default();
        let close = inner.find('>').unwrap_or(inner.len());
        let id = inner.get(..close).unwrap_or_default().trim();
        if !id.is_empty() {
            let folded = id.contains(char::is_whitespace);
            out.push(if folded { id.split_whitespace().collect() } else { id.to_owned() });
        }
        rest = inner.get(close..).unwrap_or_default();
        if out.len() >= 128 {
            return out;
        }
    }
    if out.is_empty() {
        out.extend(
            value
                .split_whitespace()
                .map(|word| word.trim_matches(['<', '>', ',']).to_owned())
                .filter(|id| !id.is_empty())
                .take(1),
        );
    }
    out
}
