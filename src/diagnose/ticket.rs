//! Which help-desk ticket the returned message belongs to. The marks are data in `assets/rules/desks/`.
//!
//! The configured desk is asked first, then by priority: header fields of the returned message, its body, then what the
//! notice itself answers. Knows no desk by name.

use std::borrow::Cow;

use super::Context;
use super::collect::Copy;
use crate::mail::{Field, Head, Mail};
use crate::model::Ticket;
use crate::rules::{Desk, RuleBook, TicketPattern};

/// Bytes at either end of the returned body that are searched for a mark: desks put them first or last.
const MAX_BODY: usize = 8 * 1024;

/// The ticket, by the returned message, else by the notice's own references.
pub(super) fn find(mail: &Mail<'_>, copy: &Copy<'_>, context: &Context) -> Option<Ticket> {
    let body = copy.bytes.get(copy.end.body..).unwrap_or_default();
    let ends;
    let body = if body.len() > 2 * MAX_BODY {
        ends = [body.get(..MAX_BODY).unwrap_or_default(), body.get(body.len() - MAX_BODY..).unwrap_or_default()]
            .join(&b'\n');
        ends.as_slice()
    } else {
        body
    };
    let body = crate::stdx::text_of(body);
    let returned = Searched::new(&copy.end.head, &body, &context.rules);
    let ours = context.identity.desk.as_deref();
    returned.first(&context.rules, ours, |_| true).or_else(|| {
        let notice = Searched::new(mail.head(), "", &context.rules);
        notice.first(&context.rules, ours, |field| field == "References" || field == "In-Reply-To")
    })
}

/// A message and the marks that may stand in it.
struct Searched<'m> {
    /// The fields marks may stand in, decoded.
    fields: Vec<(&'m Field<'m>, Cow<'m, str>)>,
    body: &'m str,
    numbers: Vec<u32>,
}

impl<'m> Searched<'m> {
    fn new(head: &'m Head<'m>, body: &'m str, rules: &RuleBook) -> Self {
        let mut numbers = rules.scan_tickets(body);
        numbers.extend(rules.unscanned_tickets());
        let may = |field: &&Field<'_>| rules.is_ticket_field(field.name);
        let fields: Vec<_> = head.fields.iter().filter(may).map(|field| (field, field.text())).collect();
        for (_, text) in &fields {
            numbers.extend(rules.scan_tickets(text));
        }
        numbers.sort_unstable();
        numbers.dedup();
        Self { fields, body, numbers }
    }

    /// The first mark that fits: the configured desk's, then any desk's.
    fn first(&self, rules: &RuleBook, ours: Option<&str>, wanted: impl Fn(&str) -> bool) -> Option<Ticket> {
        let marks = || self.numbers.iter().filter_map(|number| rules.ticket_mark(*number));
        let of = |own: bool| {
            marks()
                .filter(|(desk, mark)| (Some(desk.slug.as_str()) == ours) == own && wanted(&mark.field))
                .find_map(|(desk, mark)| self.ticket(desk, mark))
        };
        of(true).or_else(|| of(false))
    }

    fn ticket(&self, desk: &Desk, mark: &TicketPattern) -> Option<Ticket> {
        let (id, sent) = if mark.field == "body" {
            mark.read(self.body)?
        } else {
            let fields = self.fields.iter().filter(|(field, _)| field.is(&mark.field)).take(4);
            fields.map(|(_, text)| text).find_map(|text| mark.read(text))?
        };
        Some(Ticket { desk: desk.slug.clone(), id, from: mark.field.clone(), sent })
    }
}
