//! A notice inside another mail: passed on by a rule, wrapped by a server, or shown to us by a person.
//!
//! A wrapper without words of its own is opened and the notice inside is the mail's meaning. A person who adds words is
//! writing to us: that mail stays what it is, and a note says what it carries. Only a colleague's words change nothing:
//! who passes on a notice inside the house wants it dealt with.

use super::collect::{Envelope, Gathered, has_field};
use super::zone::{self, Zone};
use super::{Context, conclude};
use crate::mail::{Head, Mail, PartKind, addresses};
use crate::model::{Diagnosis, Kind};
use crate::rules::{Found, Hint};

/// How many lines of a text are searched for a quoted message, and how many of it are read.
const MAX_QUOTED: usize = 2000;

/// The diagnosis of the notice inside, when that is what the mail is about.
pub(super) fn inner(
    mail: &Mail<'_>,
    gathered: &Gathered<'_>,
    kind: Kind,
    context: &Context,
    depth: usize,
) -> Option<Diagnosis> {
    let (mut diagnosis, own) =
        open(mail, gathered, kind, context, |inside, own| (conclude(inside, context, depth + 1), own))?;
    if !diagnosis.kind.is_bounce() || diagnosis.recipients.is_empty() {
        return None;
    }
    let names: Vec<&str> = diagnosis.recipients.iter().map(|recipient| recipient.address.as_str()).collect();
    let names = names.join(", ");
    let decoy = gathered.hints.iter().any(|(hint, _)| *hint == Hint::Decoy);
    let person = decoy || !super::kind::is_notice(gathered.format, &gathered.hints);
    if person && own > 3 && !from_colleague(mail, context) {
        let mut outer = Diagnosis::of(Kind::Other);
        outer.notice = super::notice_head(mail);
        outer.notes.push(format!("a person passed on a notice of non-delivery about {names}"));
        outer.ticket = diagnosis.ticket;
        return Some(outer);
    }
    diagnosis.notice = super::notice_head(mail);
    diagnosis.notes.insert(0, "the notice came inside another mail: it was forwarded".to_owned());
    Some(diagnosis)
}

/// Opens the notice inside a mail, with how many words somebody wrote round it; `None` where there is none.
pub(super) fn open<T>(
    mail: &Mail<'_>,
    gathered: &Gathered<'_>,
    kind: Kind,
    context: &Context,
    then: impl FnOnce(&Mail<'_>, usize) -> T,
) -> Option<T> {
    let empty = gathered.report.recipients.is_empty() || gathered.weak;
    if !empty || !matches!(kind, Kind::Other | Kind::Failure | Kind::AutoReply) {
        return None;
    }
    let zones = zone::zones(mail);
    if let Some(inside) = attached(mail, context).or_else(|| pasted(mail, &zones, context)) {
        return Some(then(&inside, own_words(&zones)));
    }
    if !gathered.hints.iter().any(|(hint, _)| *hint == Hint::Forwarded) {
        return None;
    }
    let quoted = zones.iter().find_map(|zone| quoted(zone, context))?;
    let number = mail.parts.get(quoted.part as usize).map(|_| mail.part_number(quoted.part as usize));
    let inside = Mail::read_at(quoted.text.as_bytes(), quoted.line, number, false);
    is_notice_head(inside.head(), context).then(|| then(&inside, quoted.before))
}

/// Whether one of us sent the mail: an address of ours, or one of the company that the mail went to.
fn from_colleague(mail: &Mail<'_>, context: &Context) -> bool {
    let field = |name| mail.head().get(name).map(|field| addresses(&field.raw())).unwrap_or_default();
    field("From").first().is_some_and(|from| {
        let domain = from.domain();
        let company = !context.rules.is_free_mail(domain);
        context.identity.owns_address(from.as_str())
            || context.identity.owns_domain(domain)
            || company && field("To").iter().any(|to| to.domain().eq_ignore_ascii_case(domain))
    })
}

/// Whether a header is that of a notice.
fn is_notice_head(head: &Head<'_>, context: &Context) -> bool {
    let report =
        has_field(head, "Content-Type", "multipart/report") && has_field(head, "Content-Type", "delivery-status");
    if report || head.has("X-Failed-Recipients") {
        return true;
    }
    let envelope = Envelope::of(head);
    let body = Found::default();
    let seen = envelope.seen(head, &context.rules, &body);
    let hints = context.rules.hints(&seen);
    let has = |name: &str| hints.iter().any(|(_, entry)| *entry == name);
    has("notice/from") && has("notice/subject")
}

/// A notice attached as a message.
fn attached<'m>(mail: &'m Mail<'_>, context: &Context) -> Option<Mail<'m>> {
    mail.parts.iter().enumerate().filter(|(_, part)| part.kind == PartKind::Message).take(4).find_map(
        |(index, part)| {
            let identity = part.encoding == crate::mail::Encoding::Identity;
            let bytes = if identity { part.body } else { part.text().as_str().as_bytes() };
            let line = if identity { part.line } else { 0 };
            if !is_notice_head(&Head::read(bytes, line).head, context) {
                return None;
            }
            Some(Mail::read_at(bytes, line, Some(mail.part_number(index)), mail.verbatim && identity))
        },
    )
}

/// A notice pasted into a text, header and all.
fn pasted<'m>(mail: &Mail<'_>, zones: &[Zone<'m>], context: &Context) -> Option<Mail<'m>> {
    zones.iter().find_map(|zone| {
        let line = zone.pasted?;
        let bytes = zone.text.from_line(line).as_bytes();
        if !is_notice_head(&Head::read(bytes, 0).head, context) {
            return None;
        }
        let part = mail.parts.get(zone.part as usize)?;
        let verbatim = mail.verbatim && zone.text.verbatim;
        let first = u32::try_from(line).unwrap_or(u32::MAX);
        let first = if verbatim { part.line.saturating_add(first) } else { first };
        Some(Mail::read_at(bytes, first, Some(mail.part_number(zone.part as usize)), verbatim))
    })
}

/// A message inside a text, below a head in the words of somebody's mail program.
struct Quoted {
    part: u32,
    /// Line of its first field.
    line: u32,
    text: String,
    /// How many words a person wrote before it.
    before: usize,
}

/// The message a mail program quoted: a block of `Von:`, `Betreff:` and the like, then the text, perhaps behind `>`.
fn quoted(zone: &Zone<'_>, context: &Context) -> Option<Quoted> {
    let line = |at: usize| {
        let line = zone.text.line(at);
        let plain = line.trim_start().trim_start_matches(['*', '\u{a0}']);
        plain.strip_prefix('>').map_or(plain, str::trim_start)
    };
    let field = |at: usize| {
        let (name, value) = line(at).split_once([':', '\u{ff1a}'])?;
        let name = name.trim_matches(['*', ' ', '\u{a0}']);
        Some((context.rules.quoted_field(name)?, value.trim_matches(['*', ' ', '\u{a0}'])))
    };
    let end = zone.text.len();
    let first = (zone.from..end.min(MAX_QUOTED)).find(|&at| (at..end).map_while(field).take(3).count() >= 3)?;
    let mut text = String::new();
    let mut at = first;
    while let Some((name, value)) = (at < end).then(|| field(at)).flatten() {
        text.push_str(&format!("{name}: {value}\n"));
        at += 1;
    }
    for at in at..end.min(first + MAX_QUOTED) {
        text.push_str(line(at));
        text.push('\n');
    }
    let before = Zone { part: zone.part, text: zone.text, from: zone.from, to: first, pasted: None };
    Some(Quoted {
        part: zone.part,
        line: u32::try_from(first).unwrap_or(u32::MAX),
        text,
        before: own_words(std::slice::from_ref(&before)),
    })
}

/// How many words a person wrote: quotations, separators and the marks of forwarding do not count.
fn own_words(zones: &[Zone<'_>]) -> usize {
    let mut count = 0;
    for zone in zones {
        for at in zone.from..zone.to {
            let line = zone.text.line(at).trim();
            let mark = line.is_empty()
                || line.starts_with(['>', '-', '_', '*', '='])
                || line.ends_with(':') && line.split_whitespace().count() < 4
                || crate::stdx::contains_ignore_case(line, "forwarded message");
            if !mark {
                count += line.split_whitespace().count();
            }
        }
    }
    count
}
