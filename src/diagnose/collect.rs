//! Facts: first the standard parts, then a known format's text, then any text. Stronger sources are never overwritten.
//!
//! Owns which source is asked when: a complete report never needs its prose. Knows no cause.

use super::prose::{self, Manner};
use super::quirks;
use super::zone::{self, Zone};
use super::{Context, kind};
use crate::mail::{
    Field, Head, MAX_RECIPIENTS, Mail, PartKind, addresses, looks_like_report, read_address, read_report, read_returned,
};
use crate::model::{Address, Fact, Kind, Origin, PerRecipient, Place, Report, Reporter, Returned, Role, reply};
use crate::rules::{Extent, Format, Found, Hint, Hole, RuleBook};
use crate::stdx;

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
}

/// Whether a field of this name stands in the header, with this text in it where given.
pub(super) fn has_field(head: &Head<'_>, name: &str, text: Option<&str>) -> bool {
    head.fields.iter().filter(|field| field.is(name)).any(|field| match text {
        None => true,
        Some("<>") => matches!(field.value.trim_ascii(), b"<>" | b""),
        Some(text) => stdx::contains_ignore_case(&field.raw(), text),
    })
}

/// Reads everything there is.
pub(super) fn gather<'r>(mail: &Mail<'_>, context: &'r Context) -> Gathered<'r> {
    let rules: &'r RuleBook = &context.rules;
    let mut report = standard_report(mail);
    let mut zones = zone::zones(mail);
    let head = mail.head();
    let envelope = Envelope::of(head);
    let header = |name: &str, text: Option<&str>| has_field(head, name, text);
    let body = scan(rules, &zones);
    let seen = rules.seen(&envelope.from, &envelope.subject, &header, &body);
    let hints: Vec<(Hint, &'r str)> = rules.hints(&seen);
    let format = rules.format_of(&seen);
    let delay = format.is_some_and(|format| format.is_delay(&seen));
    let mut stated = None;
    let mut standard = !report.recipients.is_empty();
    let (mut returned, mut has_returned) = returned_part(mail);
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
    // fields pasted into a text ("Technical report:")
    if !standard {
        for zone in &zones {
            if let Some(first) = looks_like_report(zone.text).filter(|first| *first < zone.to) {
                let found = read_report(zone.text, zone.part, first, zone.to);
                report.message.reporting_mta = report.message.reporting_mta.take().or(found.message.reporting_mta);
                report.recipients.extend(
                    found
                        .recipients
                        .into_iter()
                        .filter(|record| record.recipient.is_some() || record.original.is_some())
                        .take(MAX_RECIPIENTS),
                );
            }
        }
        standard = !report.recipients.is_empty();
    }
    let strong = kind::is_notice(format, &hints);
    let (mut from_text, mut weak) = (None, false);
    let thin = |record: &PerRecipient| is_thin(record) || (record.recipient.is_none() && record.original.is_none());
    if (strong || standard) && (report.recipients.is_empty() || report.recipients.iter().any(thin)) {
        let listed = listed(head);
        let ours = excluded_addresses(head, &returned, context);
        let mut reading = read_text(&mut zones, format, rules, &ours, !listed.is_empty() || standard);
        stated = reading.kind.take();
        from_text = reading.reporter.take();
        weak = reading.weak && !standard && listed.is_empty();
        if let Some(original) = reading.original.take()
            && !has_returned
        {
            returned = original;
            has_returned = true;
        }
        let listed = if standard { Vec::new() } else { listed };
        combine(&mut report, listed, reading.recipients, &returned, standard);
    }
    let reporter = reporter(&report, from_text, &zones, format, rules, &body);
    let pasted_header = if mail.parts.iter().any(|part| matches!(part.kind, PartKind::Message | PartKind::Headers)) {
        String::new()
    } else {
        zones
            .iter()
            .chain(&zone::attached_headers(mail))
            .find_map(|zone| Some(stdx::clamp(zone.text.from_line(zone.pasted?), 64 * 1024).to_owned()))
            .unwrap_or_default()
    };
    Gathered { report, reporter, returned, format, delay, hints, stated, standard, has_returned, weak, pasted_header }
}

/// The names of all families that recognise a mail.
pub(super) fn families(mail: &Mail<'_>, context: &Context) -> Vec<String> {
    let zones = zone::zones(mail);
    let envelope = Envelope::of(mail.head());
    let header = |name: &str, text: Option<&str>| has_field(mail.head(), name, text);
    let body = scan(&context.rules, &zones);
    let seen = context.rules.seen(&envelope.from, &envelope.subject, &header, &body);
    context.rules.formats_of(&seen).iter().map(|format| format.family.clone()).collect()
}

/// The marks in the notice's own words.
fn scan(rules: &RuleBook, zones: &[Zone<'_>]) -> Found {
    let mut out = Found::default();
    for zone in zones {
        let text = zone.text.as_str();
        let end = text.len() - zone.text.from_line(zone.to).len();
        rules.scan(stdx::clamp(text, end), &mut out);
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

/// The header of the attached message that came back.
fn returned_part(mail: &Mail<'_>) -> (Returned, bool) {
    let part = mail.parts.iter().find(|part| matches!(part.kind, PartKind::Message | PartKind::Headers));
    let Some(part) = part else { return (Returned::default(), false) };
    if part.encoding == crate::mail::Encoding::Identity {
        return (read_returned(&Head::read(part.body, part.line).head), true);
    }
    (read_returned(&Head::read(part.text().as_str().as_bytes(), 0).head), true)
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

/// Addresses of `X-Failed-Recipients`.
fn listed(head: &Head<'_>) -> Vec<Fact<Address>> {
    let field = head.get("X-Failed-Recipients");
    field
        .map(|field| addresses(&field.raw()))
        .unwrap_or_default()
        .into_iter()
        .map(|value| Fact { value, place: header_place(field), origin: Origin::Field, from: "X-Failed-Recipients" })
        .collect()
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
                .map(|address| address.as_str().to_lowercase()),
        );
    }
    out.extend(returned.from.iter().map(|from| from.to_lowercase()));
    out.extend(context.identity.addresses.iter().map(|own| own.to_lowercase()));
    out
}

/// Whether the fields leave open what the server said.
fn is_thin(record: &PerRecipient) -> bool {
    let Some(diagnostic) = &record.diagnostic else { return true };
    let text = diagnostic.value.as_str();
    let first = reply::codes(text, true).next();
    let cut = first.is_some_and(|found| text.as_bytes().get(found.end) == Some(&b'-'))
        && reply::codes(text, true).count() == 1;
    let specific = reply::statuses(text).any(|found| !found.value.is_generic());
    first.is_none() || cut || !specific && text.len() < 40
}

/// Reads the notice's own words.
fn read_text(
    zones: &mut [Zone<'_>],
    format: Option<&Format>,
    rules: &RuleBook,
    ours: &[String],
    named: bool,
) -> quirks::Reading {
    let own = |address: &Address| ours.iter().any(|own| address.same_as(own));
    let nobody = |_: &Address| false;
    let generic = rules.generic();
    if let Some(format) = format {
        for zone in zones.iter_mut() {
            if zone.start_at(&format.start) {
                zone.end_at(&format.end);
            }
        }
        if let Some(quirk) = format.quirk {
            let reading = quirks::run(quirk, format, zones, &own);
            if reading.recipients.iter().any(|record| record.recipient.is_some()) || reading.kind.is_some() {
                return reading;
            }
            let open = quirks::run(quirk, format, zones, &nobody);
            if !open.recipients.is_empty() {
                return open;
            }
        }
        let manner = Manner::of(format, generic);
        let read = |excluded: &dyn Fn(&Address) -> bool| -> Vec<PerRecipient> {
            zones.iter().flat_map(|zone| prose::read(zone, &manner, excluded)).collect()
        };
        let found = read(&own);
        let found = if found.is_empty() { read(&nobody) } else { found };
        if !found.is_empty() {
            return quirks::Reading { recipients: found, ..quirks::Reading::default() };
        }
    }
    let Some(generic) = generic else { return quirks::Reading::default() };
    let manner = Manner {
        recipient: &generic.recipient,
        reason: &[],
        remote: &generic.remote,
        original: &generic.original,
        extent: Extent::Paragraph,
        origin: Origin::Prose,
        leading: true,
    };
    let mut weak = false;
    let mut found: Vec<PerRecipient> = zones.iter().flat_map(|zone| prose::read(zone, &manner, &own)).collect();
    if found.is_empty()
        && let Some(loose) = rules.loose()
    {
        let manner = Manner { recipient: &loose.recipient, leading: false, ..manner };
        found = zones.iter().flat_map(|zone| prose::read(zone, &manner, &own)).collect();
        weak = true;
    }
    if found.is_empty() && named {
        found = zones.iter().flat_map(|zone| prose::read(zone, &manner, &nobody)).collect();
    }
    if found.is_empty() {
        // nobody is named: the words themselves, for an address out of the returned message
        let words = zones.iter().find_map(|zone| prose::failure_words(zone));
        found.extend(words.map(|said| PerRecipient { said: vec![said], ..PerRecipient::default() }));
        weak = true;
    }
    quirks::Reading { recipients: found, weak, ..quirks::Reading::default() }
}

/// Puts the facts of the text beside those of the fields.
fn combine(
    report: &mut Report,
    listed: Vec<Fact<Address>>,
    text: Vec<PerRecipient>,
    returned: &Returned,
    standard: bool,
) {
    if report.recipients.is_empty() {
        report
            .recipients
            .extend(listed.into_iter().map(|fact| PerRecipient { recipient: Some(fact), ..PerRecipient::default() }));
    }
    if report.recipients.is_empty() {
        let nameless = text.iter().all(|record| record.recipient.is_none());
        report.recipients = text;
        if nameless {
            name_by_returned(report, returned);
        }
        return;
    }
    let single = report.recipients.len() == 1;
    if let ([record], [other]) = (report.recipients.as_mut_slice(), text.as_slice())
        && record.recipient.is_none()
        && record.original.is_none()
        && record.actual.is_none()
    {
        // the report names a file, a program or nothing; the text names the address
        record.recipient.clone_from(&other.recipient);
    }
    let everybody: Vec<Address> = report
        .recipients
        .iter()
        .filter_map(|record| record.recipient.as_ref().map(|fact| fact.value.clone()))
        .collect();
    for record in &mut report.recipients {
        let names: Vec<Address> = [&record.recipient, &record.original, &record.actual]
            .into_iter()
            .flatten()
            .map(|fact| fact.value.clone())
            .collect();
        let same = |other: &PerRecipient| {
            [&other.recipient, &other.original]
                .into_iter()
                .flatten()
                .any(|fact| names.iter().any(|name| name.same_as(fact.value.as_str())))
        };
        let exact = text.iter().find(|other| same(other));
        let nameless = text.iter().find(|other| other.recipient.is_none());
        let lone = if single && (text.len() == 1 || !standard) { text.first() } else { None };
        let Some(other) = exact.or(lone).or(nameless) else { continue };
        let wanted = !standard || is_thin(record);
        if wanted {
            let own = |fact: &&Fact<String>| exact.is_some() || !names_other(&fact.value, &names, &everybody);
            record.said.extend(other.said.iter().chain(&other.diagnostic).filter(own).cloned());
            record.remote_mta = record.remote_mta.take().or_else(|| other.remote_mta.clone());
        }
        record.action = record.action.take().or_else(|| other.action.clone());
        if record.original.is_none() && exact.is_some() {
            record.original.clone_from(&other.original);
        }
    }
}

/// Whether a sentence is about another recipient of the same report.
fn names_other(text: &str, names: &[Address], everybody: &[Address]) -> bool {
    everybody.len() > 1
        && everybody.iter().take(64).any(|other| {
            !names.iter().any(|name| name.same_as(other.as_str())) && stdx::contains_ignore_case(text, other.as_str())
        })
}

/// A notice that names nobody about a message with one recipient: that one.
fn name_by_returned(report: &mut Report, returned: &Returned) {
    let [to] = returned.to.as_slice() else {
        report.recipients.clear();
        return;
    };
    let Some(address) = read_address(to) else { return };
    for record in &mut report.recipients {
        let place = record.said.first().map_or(Place::default(), |fact| fact.place);
        record.recipient = Some(Fact {
            value: address.clone(),
            place,
            origin: Origin::Prose,
            from: "To field of the returned message",
        });
    }
}

/// The reporting server: its field, else the notice's own sentence.
fn reporter(
    report: &Report,
    quirk: Option<String>,
    zones: &[Zone<'_>],
    format: Option<&Format>,
    rules: &RuleBook,
    body: &Found,
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
        for at in 0..zone.pasted.unwrap_or(zone.text.len()).min(400) {
            let line = zone.text.line(at);
            let host = patterns.unwrap_or_default().iter().find_map(|pattern| pattern.find(line)?.get(Hole::Host));
            let host = host
                .map(|host| host.trim_matches(['.', ':', '<', '>', '[', ']']))
                .filter(|host| host.contains('.') || own.is_some());
            if let Some(host) = host {
                return Reporter { mta: Some(host.to_owned()), from: Some("text".to_owned()), role: Role::Unknown };
            }
        }
    }
    Reporter::default()
}
