//! Facts: first the standard parts, then a known format's text, then any text. Stronger sources are never overwritten.
//!
//! Owns which source is asked when: a complete report never needs its prose. Knows no cause.

use super::wording::{self, Known, is_thin};
use super::zone::{self, Zone};
use super::{Context, kind, prose};
use crate::mail::{
    Encoding, Field, Head, HeadEnd, MAX_RECIPIENTS, Mail, PartKind, addresses, looks_like_report, read_report,
    read_returned,
};
use crate::model::{Address, Fact, Kind, Origin, PerRecipient, Place, Report, Reporter, Returned, Role};
use crate::rules::{Format, Found, Hint, Hole, RuleBook, Seen};
use crate::stdx;

/// In how many lines a server introduces itself.
const GREETING_LINES: usize = 10;

/// Everything that was read, before anything is concluded.
pub(super) struct Gathered<'r> {
    pub(super) report: Report,
    pub(super) reporter: Reporter,
    pub(super) returned: Returned,
    /// The family that wrote it.
    pub(super) format: Option<&'r Format>,
    /// Whether that family's table says it is a notice of delay.
    pub(super) delay: bool,
    pub(super) hints: Vec<(Hint, &'r str)>,
    /// A kind the layout itself states.
    pub(super) stated: Option<Kind>,
    /// Whether the recipients come from standard fields.
    pub(super) standard: bool,
    /// Whether a message or its header came back.
    pub(super) has_returned: bool,
    /// Whether the recipients were only guessed from loose wordings.
    pub(super) weak: bool,
    /// The message pasted behind the notice's words, header first.
    pub(super) pasted_header: String,
}

/// The header fields that say what kind of mail it may be.
pub(super) struct Envelope<'m> {
    pub(super) from: std::borrow::Cow<'m, str>,
    pub(super) subject: std::borrow::Cow<'m, str>,
}

impl<'m> Envelope<'m> {
    pub(super) fn of(head: &Head<'m>) -> Self {
        Self { from: head.text("From").unwrap_or_default(), subject: head.text("Subject").unwrap_or_default() }
    }

    /// What is known of a mail with this header and these literals in its body.
    pub(super) fn seen<'a>(&'a self, head: &Head<'_>, rules: &RuleBook, body: &'a Found) -> Seen<'a> {
        rules.seen(&self.from, &self.subject, marks_in(head, rules), body)
    }
}

/// Whether a field of this name stands in the header with this text in it.
pub(super) fn has_field(head: &Head<'_>, name: &str, text: &str) -> bool {
    head.fields.iter().filter(|field| field.is(name)).any(|field| stdx::contains_ignore_case(&field.raw(), text))
}

/// The marks that stand in the fields of a header.
fn marks_in(head: &Head<'_>, rules: &RuleBook) -> Found {
    let mut found = Found::default();
    for field in &head.fields {
        let value = std::cell::OnceCell::new();
        for mark in rules.field_marks(field.name) {
            let stands = match mark.text.as_deref() {
                None => true,
                Some("<>") => matches!(field.value.trim_ascii(), b"<>" | b""),
                Some(text) => stdx::contains_ignore_case(value.get_or_init(|| field.raw()), text),
            };
            if stands {
                found.insert(mark.group);
            }
        }
    }
    found
}

/// The message that came back: its bytes, and what reading its header left.
pub(super) struct Copy<'m> {
    pub(super) bytes: &'m [u8],
    pub(super) end: HeadEnd<'m>,
}

impl<'m> Copy<'m> {
    /// The one that is attached.
    pub(super) fn attached(mail: &'m Mail<'_>) -> Option<Self> {
        let part = mail.parts.iter().find(|part| matches!(part.kind, PartKind::Message | PartKind::Headers))?;
        let identity = part.encoding == Encoding::Identity;
        Some(Self::read(if identity { part.body } else { part.text().as_str().as_bytes() }))
    }

    pub(super) fn read(bytes: &'m [u8]) -> Self {
        Self { bytes, end: Head::read(bytes, 0) }
    }
}

/// Reads everything there is.
pub(super) fn gather<'r>(mail: &Mail<'_>, attached: Option<&Copy<'_>>, context: &'r Context) -> Gathered<'r> {
    let rules: &'r RuleBook = &context.rules;
    let mut report = standard_report(mail);
    let mut zones = zone::zones(mail);
    wording::mend_cut(&mut report, mail, &zones);
    let head = mail.head();
    let envelope = Envelope::of(head);
    let body = scan(rules, &zones);
    let seen = envelope.seen(head, rules, &body);
    let hints: Vec<(Hint, &'r str)> = rules.hints(&seen);
    let format = rules.format_of(&seen);
    let delay = format.is_some_and(|format| format.is_delay(&seen));
    let mut stated = None;
    let mut standard = !report.recipients.is_empty();
    let mut returned = attached.map(|copy| read_returned(&copy.end.head)).unwrap_or_default();
    let mut has_returned = attached.is_some();
    if let Some(format) = format {
        for zone in &mut zones {
            zone.cut_at(&format.cut);
        }
    }
    if !has_returned {
        (returned, has_returned) = pasted(&zones);
    }
    if !has_returned {
        (returned, has_returned) = pasted(&zone::attached_headers(mail));
    }
    let speaks = format.is_some() || kind::is_sent_by_server(&hints);
    if !standard && speaks {
        read_pasted_report(mail, &mut report, &zones);
        standard = !report.recipients.is_empty();
    }
    let listed = listed(head);
    let says_so = || !listed.is_empty() || prose::has_reply(&zones);
    let strong = kind::is_notice(format, &hints) || kind::is_sent_by_server(&hints) && says_so();
    let (mut from_text, mut weak) = (None, false);
    let thin = |record: &PerRecipient| is_thin(record) || (record.recipient.is_none() && record.original.is_none());
    if (strong || standard) && (report.recipients.is_empty() || report.recipients.iter().any(thin)) {
        let ours = excluded_addresses(head, &returned, context);
        let subject = about_the_failure(head, &returned);
        let named = !listed.is_empty() || standard;
        let known = Known { ours: &ours, to: &returned.to, named, subject: subject.clone() };
        let mut reading = wording::read_text(&mut zones, format, rules, &known);
        stated = reading.kind.take();
        from_text = reading.reporter.take();
        weak = reading.weak && !standard && listed.is_empty();
        if let Some(original) = reading.original.take()
            && !has_returned
        {
            returned = original;
            has_returned = true;
        }
        let nobody = listed.is_empty() && reading.recipients.iter().all(|record| record.recipient.is_none());
        let fields = format.filter(|_| nobody && returned.to.len() != 1).map_or(&[][..], |format| &format.field);
        let listed = match fields.iter().map(|name| in_field(head, name, "the list's own field")).next() {
            _ if standard => Vec::new(),
            Some(of_family) => of_family,
            None => listed,
        };
        wording::combine(&mut report, listed, reading.recipients, &returned, standard);
        if stated.is_none() {
            // a layout that states everything has no words elsewhere, only other numbers
            wording::add_surroundings(&mut report, &zones, subject);
        }
    }
    let sender = addresses(&envelope.from).into_iter().next();
    let from_domain = sender.as_ref().map(Address::domain).filter(|domain| domain.contains('.'));
    let reporter = reporter(&report, from_text, &zones, format, rules, &body, from_domain);
    let pasted_header = if attached.is_none() { pasted_header(mail, &zones) } else { String::new() };
    Gathered { report, reporter, returned, format, delay, hints, stated, standard, has_returned, weak, pasted_header }
}

/// Report fields pasted into a text ("Technical report:"), or a report that became a mere text attachment; only where a
/// server speaks: a person who quotes one writes no notice.
fn read_pasted_report(mail: &Mail<'_>, report: &mut Report, zones: &[Zone<'_>]) {
    for zone in zones.iter().chain(&zone::attached_texts(mail).collect::<Vec<_>>()) {
        let Some(first) = looks_like_report(zone.text).filter(|first| *first < zone.to) else { continue };
        let found = read_report(zone.text, zone.part, first, zone.to);
        report.message.reporting_mta = report.message.reporting_mta.take().or(found.message.reporting_mta);
        let named = |record: &PerRecipient| record.recipient.is_some() || record.original.is_some();
        report.recipients.extend(found.recipients.into_iter().filter(named).take(MAX_RECIPIENTS));
    }
}

/// The message pasted behind the notice's words, header first, where none is attached.
fn pasted_header(mail: &Mail<'_>, zones: &[Zone<'_>]) -> String {
    let pasted = |zone: &Zone<'_>| Some(stdx::clamp(zone.text.from_line(zone.pasted?), 64 * 1024).to_owned());
    zones.iter().chain(&zone::attached_headers(mail)).find_map(pasted).unwrap_or_default()
}

/// The names of all families that recognise a mail.
pub(super) fn families(mail: &Mail<'_>, context: &Context) -> Vec<String> {
    let zones = zone::zones(mail);
    let envelope = Envelope::of(mail.head());
    let body = scan(&context.rules, &zones);
    let seen = envelope.seen(mail.head(), &context.rules, &body);
    context.rules.formats_of(&seen).iter().map(|format| format.family.clone()).collect()
}

/// The marks in the notice's own words.
fn scan(rules: &RuleBook, zones: &[Zone<'_>]) -> Found {
    let mut out = Found::default();
    for zone in zones {
        let text = zone.text.as_str();
        let end = text.len() - zone.text.from_line(zone.to).len();
        // lines are broken where the server liked: a mark is found across the break
        rules.scan(&stdx::squeeze(stdx::clamp(text, end)), &mut out);
    }
    out
}

/// The facts of all delivery status parts.
fn standard_report(mail: &Mail<'_>) -> Report {
    let mut report = Report::default();
    for (index, part) in mail.of_kind(PartKind::DeliveryStatus) {
        let text = part.text();
        let found = read_report(text, index, 0, text.len());
        report.message.reporting_mta = report.message.reporting_mta.take().or(found.message.reporting_mta);
        let room = MAX_RECIPIENTS - report.recipients.len();
        report.recipients.extend(found.recipients.into_iter().take(room));
    }
    report
}

/// The header of the message pasted behind the notice's words.
fn pasted(zones: &[Zone<'_>]) -> (Returned, bool) {
    let Some((zone, line)) = zones.iter().rev().find_map(|zone| Some((zone, zone.pasted?))) else {
        return (Returned::default(), false);
    };
    let returned = read_returned(&zone::pasted_head(zone.text, line));
    let found = returned != Returned::default();
    (returned, found)
}

/// Addresses the header lists as those that failed: `X-Failed-Recipients`, else `X-Original-To` as the DragonFly Mail
/// Agent writes it, in angle brackets. Postfix names the mailbox it delivered to in a field of that name, without them.
fn listed(head: &Head<'_>) -> Vec<Fact<Address>> {
    if head.has("X-Failed-Recipients") {
        return in_field(head, "X-Failed-Recipients", "X-Failed-Recipients");
    }
    let bracketed = |field: &&Field<'_>| field.is("X-Original-To") && field.value.trim_ascii().starts_with(b"<");
    let Some(field) = head.fields.iter().rfind(bracketed) else { return Vec::new() };
    let to = head.get("To").map(|field| addresses(&field.raw())).unwrap_or_default();
    let mut found = addresses_of(field, "X-Original-To");
    found.retain(|fact| !to.contains(&fact.value));
    found
}

/// Addresses of a header field that names who failed.
fn in_field(head: &Head<'_>, name: &str, from: &'static str) -> Vec<Fact<Address>> {
    head.get(name).map(|field| addresses_of(field, from)).unwrap_or_default()
}

fn addresses_of(field: &Field<'_>, from: &'static str) -> Vec<Fact<Address>> {
    let place = header_place(Some(field));
    let fact = |value| Fact { value, place, origin: Origin::Field, from };
    addresses(&field.raw()).into_iter().map(fact).collect()
}

/// The notice's subject, where it is not only that of the returned message.
fn about_the_failure(head: &Head<'_>, returned: &Returned) -> Option<Fact<String>> {
    let subject = head.text("Subject")?;
    let quoted = match returned.subject.as_deref().map(str::trim) {
        Some(own) => own.is_empty() || subject.contains(own),
        None => !subject.contains('@'),
    };
    let place = header_place(head.get("Subject"));
    (!quoted).then(|| Fact { value: subject.into_owned(), place, origin: Origin::Prose, from: "Subject" })
}

/// The place of a field of the message's own header: part 0 holds the body, so the line is marked as the header's.
fn header_place(field: Option<&Field<'_>>) -> Place {
    Place { part: Place::HEADER, line: field.map_or(0, |field| field.line) }
}

/// Addresses that are the sender's, not a failed recipient's.
fn excluded_addresses(head: &Head<'_>, returned: &Returned, context: &Context) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for name in ["To", "Delivered-To", "From", "Envelope-To"] {
        out.extend(
            head.fields
                .iter()
                .filter(|field| field.is(name))
                .take(8)
                .flat_map(|field| addresses(&field.raw()))
                .map(String::from),
        );
    }
    out.extend(returned.from.iter().cloned());
    out.extend(context.identity.addresses.iter().cloned());
    out
}

/// The reporting server: its field, else the notice's own sentence.
fn reporter(
    report: &Report,
    quirk: Option<String>,
    zones: &[Zone<'_>],
    format: Option<&Format>,
    rules: &RuleBook,
    body: &Found,
    from_domain: Option<&str>,
) -> Reporter {
    if let Some(fact) = &report.message.reporting_mta {
        return Reporter { mta: Some(fact.value.clone()), from: Some(fact.from.to_owned()), role: Role::Unknown };
    }
    if let Some(host) = quirk {
        return Reporter { mta: Some(host), from: Some("reportingMTA".to_owned()), role: Role::Unknown };
    }
    let own = format.filter(|format| !format.reporter.is_empty());
    let table = own.or_else(|| rules.generic()).filter(|table| table.may_name_reporter(body));
    let patterns = table.map(|table| table.reporter.as_slice());
    for zone in zones.iter().filter(|_| patterns.is_some()) {
        let end = zone.pasted.unwrap_or(zone.text.len()).min(400);
        for at in 0..end {
            let line = zone.text.line(at);
            // a label in one cell of a table, the host in the next
            let next = (at + 1..end).map(|at| zone.text.line(at).trim()).find(|next| !next.is_empty());
            let cells = next.filter(|_| line.trim_end().ends_with(':')).map(|next| format!("{} {next}", line.trim()));
            let line = cells.as_deref().unwrap_or(line);
            let host = patterns.unwrap_or_default().iter().find_map(|pattern| pattern.find(line)?.get(Hole::Host));
            let host = host
                .map(|host| host.trim_matches(['.', ':', '<', '>', '[', ']']))
                .filter(|host| host.contains('.') || own.is_some());
            if let Some(host) = host {
                return Reporter { mta: Some(host.to_owned()), from: Some("text".to_owned()), role: Role::Unknown };
            }
        }
    }
    let host = from_domain.and_then(|domain| zones.iter().find_map(|zone| host_in_greeting(zone, domain)));
    host.map(|host| Reporter { mta: Some(host), from: Some("text".to_owned()), role: Role::Unknown })
        .unwrap_or_default()
}

/// A host of the notice's own sender in its first lines: servers introduce themselves there, in any language.
fn host_in_greeting(zone: &Zone<'_>, domain: &str) -> Option<String> {
    let lines = (zone.from..zone.to).map(|at| zone.text.line(at)).filter(|line| !line.trim().is_empty());
    lines.take(GREETING_LINES).flat_map(str::split_whitespace).find_map(|word| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let tail = word.len().checked_sub(domain.len())?;
        let same = word.get(tail..)?.eq_ignore_ascii_case(domain);
        let below = tail == 0 || word.get(..tail)?.ends_with('.');
        let host = word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        (same && below && host).then(|| word.to_owned())
    })
}
