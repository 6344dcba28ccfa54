//! What the fields leave open, out of the notice's own words.
//!
//! Owns the order of the ways a text is read, the surest first, and how what was read joins the fields. Knows no cause.

use super::merge::SURROUNDINGS;
use super::prose::{self, Manner};
use super::quirks;
use super::zone::Zone;
use crate::mail::{Mail, find_addresses, read_address};
use crate::model::{Address, Fact, Origin, PerRecipient, Place, Report, Returned, reply};
use crate::rules::{Extent, Format, Found, RuleBook};
use crate::stdx;

/// How many addresses named in a text are looked at one by one.
const MAX_NAMED: usize = 32;

/// Whether the fields leave open what the server said.
pub(super) fn is_thin(record: &PerRecipient) -> bool {
    let Some(diagnostic) = &record.diagnostic else { return true };
    let text = diagnostic.value.as_str();
    let first = reply::codes(text, true).next();
    let cut = first.is_some_and(|found| text.as_bytes().get(found.end) == Some(&b'-'))
        && reply::codes(text, true).count() == 1;
    let specific = reply::statuses(text).any(|found| !found.value.is_generic());
    first.is_none() || cut || !specific && text.len() < 40
}

/// Reads the notice's own words: a known family's lines, else the lines any notice may have, else whoever is named.
pub(super) fn read_text(
    zones: &mut [Zone<'_>],
    format: Option<&Format>,
    rules: &RuleBook,
    known: &Known<'_>,
) -> quirks::Reading {
    let found = format.and_then(|format| by_format(zones, format, rules, known));
    found.unwrap_or_else(|| by_any(zones, rules, known))
}

/// What helps to tell the failed recipient from other addresses.
pub(super) struct Known<'k> {
    /// Addresses of the sender.
    pub(super) ours: &'k [String],
    /// Whom the returned message was for.
    pub(super) to: &'k [String],
    /// Whether the header already names the recipients.
    pub(super) named: bool,
    /// The notice's subject.
    pub(super) subject: Option<Fact<String>>,
}

impl Known<'_> {
    fn own(&self, address: &Address) -> bool {
        self.ours.iter().any(|own| address.same_as(own))
    }
}

/// By the table of the family that wrote it.
fn by_format(zones: &mut [Zone<'_>], format: &Format, rules: &RuleBook, known: &Known<'_>) -> Option<quirks::Reading> {
    let own = |address: &Address| known.own(address);
    let nobody = |_: &Address| false;
    for zone in zones.iter_mut() {
        if zone.start_at(&format.start) {
            zone.end_at(&format.end);
        }
    }
    if let Some(quirk) = format.quirk {
        let reading = quirks::run(quirk, format, zones, &own);
        if reading.recipients.iter().any(|record| record.recipient.is_some()) || reading.kind.is_some() {
            return Some(reading);
        }
        let open = quirks::run(quirk, format, zones, &nobody);
        if !open.recipients.is_empty() {
            return Some(open);
        }
    }
    let manner = Manner::of(format, rules.generic());
    let read = |excluded: &dyn Fn(&Address) -> bool| -> Vec<PerRecipient> {
        zones.iter().flat_map(|zone| prose::read(zone, &manner, excluded)).collect()
    };
    let found = read(&own);
    let found = if found.is_empty() { read(&nobody) } else { found };
    (!found.is_empty()).then(|| quirks::Reading { recipients: found, ..quirks::Reading::default() })
}

/// By the lines any notice may have; then by whom the returned message was for; then by whoever else is named.
fn by_any(zones: &[Zone<'_>], rules: &RuleBook, known: &Known<'_>) -> quirks::Reading {
    let own = |address: &Address| known.own(address);
    let office = |address: &Address| known.own(address) || address.is_office();
    let Some(generic) = rules.generic() else { return quirks::Reading::default() };
    let manner = Manner {
        recipient: &generic.recipient,
        reason: &[],
        remote: &generic.remote,
        original: &generic.original,
        extent: Extent::Paragraph,
        origin: Origin::Prose,
        leading: true,
    };
    let read = |manner: &Manner<'_>, excluded: &dyn Fn(&Address) -> bool| -> Vec<PerRecipient> {
        zones.iter().flat_map(|zone| prose::read(zone, manner, excluded)).collect()
    };
    let mut weak = false;
    let mut found = read(&manner, &office);
    if found.is_empty() {
        let meant = |address: &Address| known.to.iter().any(|to| address.same_as(to)) && !known.own(address);
        found = prose::mentioned(zones, &meant);
    }
    if found.is_empty() {
        found = about(prose::mentioned(zones, &|address| !office(address)), rules);
        weak = true;
    }
    if found.is_empty()
        && let Some(loose) = rules.loose()
    {
        found = read(&Manner { recipient: &loose.recipient, leading: false, ..manner }, &office);
    }
    if found.is_empty() {
        found.extend(known.subject.iter().filter_map(|subject| prose::named_in(subject, &own)));
    }
    if found.is_empty() && known.to.len() != 1 {
        found = read(&manner, &own);
    }
    if found.is_empty() && known.named {
        found = read(&manner, &|_| false);
    }
    if found.is_empty() {
        // nobody is named: the words themselves, for an address out of the returned message
        let words = zones.iter().find_map(|zone| prose::failure_words(zone)).or_else(|| known.subject.clone());
        found.extend(words.map(|said| PerRecipient { said: vec![said], ..PerRecipient::default() }));
    }
    quirks::Reading { recipients: found, weak, ..quirks::Reading::default() }
}

/// A report that ends in the middle of an address, as the mail does: the whole address, where the text names it.
pub(super) fn mend_cut(report: &mut Report, mail: &Mail<'_>, zones: &[Zone<'_>]) {
    let Some(fact) = report.recipients.last_mut().and_then(|last| last.recipient.as_mut()) else { return };
    let (part, line) = (fact.place.part as usize, fact.place.line as usize);
    let ends = mail.parts.get(part).is_some_and(|last| line + 1 == last.text().len());
    if !ends || part + 1 != mail.parts.len() {
        return;
    }
    let cut = fact.value.as_str();
    let begins =
        |whole: &str| whole.len() > cut.len() && stdx::starts_with_ignore_case(whole.as_bytes(), cut.as_bytes());
    let whole = zones.iter().find_map(|zone| {
        (zone.from..zone.to).find_map(|at| {
            let found = find_addresses(zone.text.line(at)).find(|found| begins(found.address.as_str()))?;
            Some((found.address, prose::place(zone, at)))
        })
    });
    if let Some((value, place)) = whole {
        *fact = Fact { value, place, origin: fact.origin, from: "text" };
    }
}

/// Of all who are named those it is about, whatever the language: a sole address, several on one line, or those whose
/// words say that something failed.
fn about(mut named: Vec<PerRecipient>, rules: &RuleBook) -> Vec<PerRecipient> {
    let place = |record: &PerRecipient| record.recipient.as_ref().map(|fact| fact.place);
    let line = named.first().and_then(place);
    if named.iter().all(|record| place(record) == line) {
        return named;
    }
    named.truncate(MAX_NAMED);
    named.retain(|record| {
        record.said.iter().any(|said| {
            let mut marks = Found::default();
            rules.scan(&said.value, &mut marks);
            let seen = rules.seen("", "", Found::default(), &marks);
            rules.hints(&seen).iter().any(|(_, name)| *name == "notice/body") || prose::is_coded(&said.value)
        })
    });
    named
}

/// What a notice says elsewhere: its reply where none was read for anybody, and, for one recipient, everything, for a
/// cause that nothing nearer tells.
pub(super) fn add_surroundings(report: &mut Report, zones: &[Zone<'_>], subject: Option<Fact<String>>) {
    let coded =
        |record: &PerRecipient| record.diagnostic.iter().chain(&record.said).any(|fact| prose::is_coded(&fact.value));
    if !report.recipients.iter().any(coded)
        && let Some(words) = zones.iter().find_map(prose::coded_words)
    {
        report.recipients.iter_mut().for_each(|record| record.said.push(words.clone()));
    }
    if let [record] = report.recipients.as_mut_slice() {
        let all = zones.iter().filter_map(prose::all_words).chain(subject);
        record.said.extend(all.map(|fact| Fact { from: SURROUNDINGS, ..fact }));
    }
}

/// Puts the facts of the text beside those of the fields.
pub(super) fn combine(
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
