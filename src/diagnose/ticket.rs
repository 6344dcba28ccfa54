//! Which help-desk ticket the returned message belongs to. The marks are data in `assets/rules/desks/`.
//!
//! The configured desk is asked first, then by priority. Knows no desk by name.

use super::Context;
use crate::mail::{Head, Mail, PartKind};
use crate::model::Ticket;
use crate::rules::{Desk, TicketPattern};

/// Bytes of the returned body that are searched for a mark.
const MAX_BODY: usize = 64 * 1024;

/// The ticket, by the header of the returned message (attached, or pasted at this text), else its body, else the notice.
pub(super) fn find(mail: &Mail<'_>, pasted: &str, context: &Context) -> Option<Ticket> {
    let part = mail.parts.iter().find(|part| matches!(part.kind, PartKind::Message | PartKind::Headers));
    let decoded;
    let bytes: &[u8] = match part {
        Some(part) if part.encoding == crate::mail::Encoding::Identity => part.body,
        Some(part) => {
            decoded = part.text();
            decoded.as_str().as_bytes()
        }
        None => pasted.as_bytes(),
    };
    let end = Head::read(bytes, 0);
    let body = bytes.get(end.body..).unwrap_or_default();
    let body = crate::stdx::text_of(body.get(..MAX_BODY).unwrap_or(body));
    let mut marks: Vec<(&Desk, &TicketPattern)> = context.rules.desks().iter().flat_map(|desk| desk.tickets.iter().map(move |mark| (desk, mark))).collect();
    let ours = context.identity.desk.as_deref();
    marks.sort_by_key(|(desk, mark)| (Some(desk.slug.as_str()) != ours, mark.priority, desk.slug.as_str() == "generic"));
    marks.iter().find_map(|(desk, mark)| ticket(desk, mark, &end.head, &body)).or_else(|| {
        // the notice itself may answer our message
        let head = mail.head();
        marks.iter().filter(|(_, mark)| mark.field == "References" || mark.field == "In-Reply-To").find_map(|(desk, mark)| ticket(desk, mark, head, ""))
    })
}

fn ticket(desk: &Desk, mark: &TicketPattern, head: &Head<'_>, body: &str) -> Option<Ticket> {
    let id = if mark.field == "body" {
        mark.id_in(body)?.to_owned()
    } else {
        let fields = head.fields.iter().filter(|field| field.is(&mark.field)).take(4);
        fields.map(|field| field.text()).find_map(|text| mark.id_in(&text).map(str::to_owned))?
    };
    Some(Ticket { desk: desk.slug.clone(), id, from: mark.field.clone() })
}
