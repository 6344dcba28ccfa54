//! Which help-desk ticket the returned message belongs to. The marks are data in `assets/rules/desks/`.
//!
//! The configured desk is asked first, then by priority: header fields of the returned message, its body, then what the
//! notice itself answers. Knows no desk by name.

use super::Context;
use crate::mail::{Encoding, Head, Mail, PartKind};
use crate::model::Ticket;
use crate::rules::{Desk, RuleBook, TicketPattern};

/// Bytes at either end of the returned body that are searched for a mark: desks put them first or last.
const MAX_BODY: usize = 8 * 1024;

/// The ticket, by the returned message (attached, or pasted as this text), else by the notice's own references.
pub(super) fn find(mail: &Mail<'_>, pasted: &str, context: &Context) -> Option<Ticket> {
    let bytes = returned_bytes(mail, pasted);
    let end = Head::read(bytes, 0);
    let body = bytes.get(end.body..).unwrap_or_default();
    let ends;
    let body = if body.len() > 2 * MAX_BODY {
        ends = [body.get(..MAX_BODY).unwrap_or_default(), body.get(body.len() - MAX_BODY..).unwrap_or_default()]
            .join(&b'\n');
        ends.as_slice()
    } else {
        body
    };
    let body = crate::stdx::text_of(body);
    let returned = Searched::new(&end.head, &body, &context.rules);
    let ours = context.identity.desk.as_deref();
    returned.first(&context.rules, ours, |_| true).or_else(|| {
        let notice = Searched::new(mail.head(), "", &context.rules);
        notice.first(&context.rules, ours, |field| field == "References" || field == "In-Reply-To")
    })
}

/// The message that came back: attached, or pasted as this text.
pub(super) fn returned_bytes<'m>(mail: &'m Mail<'_>, pasted: &'m str) -> &'m [u8] {
    let part = mail.parts.iter().find(|part| matches!(part.kind, PartKind::Message | PartKind::Headers));
    match part {
        Some(part) if part.encoding == Encoding::Identity => part.body,
        Some(part) => part.text().as_str().as_bytes(),
        None => pasted.as_bytes(),
    }
}

/// A message and the marks whose literals stand in it.
struct Searched<'m> {
    head: &'m Head<'m>,
    body: &'m str,
    numbers: Vec<u32>,
}

impl<'m> Searched<'m> {
    fn new(head: &'m Head<'m>, body: &'m str, rules: &RuleBook) -> Self {
        let mut numbers = rules.scan_tickets(body);
        for field in &head.fields {
            let may = rules.ticket_fields().iter().any(|name| field.is(name));
            if may {
                numbers.extend(rules.scan_tickets(&field.text()));
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        Self { head, body, numbers }
    }

    /// The first mark that fits: the configured desk's, then any desk's.
    fn first(&self, rules: &RuleBook, ours: Option<&str>, wanted: impl Fn(&str) -> bool) -> Option<Ticket> {
        let likely = |number: usize, mark: &TicketPattern| {
            !mark.is_scanned() || u32::try_from(number).is_ok_and(|number| self.numbers.binary_search(&number).is_ok())
        };
        let marks = || rules.ticket_marks().filter(|(number, _, mark)| likely(*number, mark) && wanted(&mark.field));
        let of = |own: bool| {
            marks()
                .filter(move |(_, desk, _)| (Some(desk.slug.as_str()) == ours) == own)
                .find_map(|(_, desk, mark)| self.ticket(desk, mark))
        };
        of(true).or_else(|| of(false))
    }

    fn ticket(&self, desk: &Desk, mark: &TicketPattern) -> Option<Ticket> {
        let (id, sent) = if mark.field == "body" {
            mark.read(self.body)?
        } else {
            let fields = self.head.fields.iter().filter(|field| field.is(&mark.field)).take(4);
            fields.map(|field| field.text()).find_map(|text| mark.read(&text))?
        };
        Some(Ticket { desk: desk.slug.clone(), id, from: mark.field.clone(), sent })
    }
}
