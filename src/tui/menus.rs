//! What the menus and prompts hold when a key of the main screen opens them.

use super::filter::domain_of;
use super::keys::Action;
use super::layers;
use super::menu::{Choice, Menu, menu};
use super::model::{Layer, Model, Tone};
use super::msg::Effect;
use super::prompt::{Ask, Prompt};
use super::quest;
use super::queue::Sort;
use crate::export::Format;
use crate::model::{CaseId, State, Verdict};
use crate::resend::Wanted;

/// Opens what a key of the main screen asks for.
pub fn open(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    match action {
        Action::Search => model.layers.push(Layer::Prompt(Prompt::new(Ask::Search, ""))),
        Action::NextHit => quest::search(model, true),
        Action::PreviousHit => quest::search(model, false),
        Action::Command => model.layers.push(Layer::Prompt(Prompt::new(Ask::Command, ""))),
        Action::Filter => {
            let menu = filter_menu(model);
            model.layers.push(Layer::Menu(menu));
        }
        Action::Sort => {
            let keys = "andcerms";
            let items = Sort::ALL
                .iter()
                .zip(keys.chars())
                .map(|((sort, name), key)| (key, (*name).to_owned(), Choice::Sort(*sort)));
            model.layers.push(Layer::Menu(menu("Sort by", items)));
        }
        Action::Copy => match model.queue.current().filter(|case| !case.address.is_empty()) {
            Some(case) => {
                let address = case.address.to_string();
                layers::choose(model, Choice::Copy(address), effects);
            }
            None => model.say(Tone::Warning, "no failed address to copy"),
        },
        Action::CopyMenu => {
            let menu = copy_menu(model);
            if menu.items.is_empty() {
                model.say(Tone::Plain, "nothing to copy");
            } else {
                model.layers.push(Layer::Menu(menu));
            }
        }
        Action::Export => {
            let items = Format::ALL.iter().map(|format| {
                let words = format.words().trim_end_matches('.');
                (format.letter(), format!("{}: {words}", format.slug()), Choice::Export(*format))
            });
            model.layers.push(Layer::Menu(menu("Write an export", items)));
        }
        _ => {}
    }
}

fn filter_menu(model: &Model) -> Menu {
    let mut items = vec![
        ('u', "undecided only".to_owned(), Choice::Filter("undecided".into())),
        ('s', "by state ...".to_owned(), Choice::FilterState),
    ];
    if let Some(case) = model.queue.current() {
        let domain = domain_of(&case.address).to_lowercase();
        let cause = case.cause;
        let title = model.words(cause).title.clone();
        if !domain.is_empty() {
            let both = format!("domain:{domain} cause:{cause}");
            items.push(('i', format!("same domain and cause: {domain}, {title}"), Choice::Filter(both)));
            items.push(('d', format!("same domain: {domain}"), Choice::Filter(format!("domain:{domain}"))));
        }
        items.push(('c', format!("same cause: {title}"), Choice::Filter(format!("cause:{cause}"))));
        if let Some(reporter) = &case.reporter {
            items.push(('r', format!("same reporter: {reporter}"), Choice::Filter(format!("reporter:\"{reporter}\""))));
        }
        if let Some(ticket) = &case.ticket {
            items.push(('t', format!("same ticket: {ticket}"), Choice::Filter(format!("ticket:\"{ticket}\""))));
        }
        items.push(('m', "same message".to_owned(), Choice::Filter(format!("message:{}", case.group.0))));
    }
    items.push(('w', "arrived in the last 7 days".to_owned(), Choice::Filter("after:7d".into())));
    items.push(('!', "bounced again, or due".to_owned(), Choice::Filter("again".into())));
    items.push(('-', "delays that closed by themselves".to_owned(), Choice::Filter("silent".into())));
    items.push(('?', "could not be fully read".to_owned(), Choice::Filter("unread".into())));
    items.push(('I', "many at one domain for one cause ...".to_owned(), Choice::Incidents));
    items.push(('f', "type a filter ...".to_owned(), Choice::TypeFilter(model.queue.filter().text().to_owned())));
    items.push(('F', "none".to_owned(), Choice::Filter(String::new())));
    menu("Filter", items)
}

/// One filter per incident, for digits.
pub fn incident_filters(model: &Model) -> Vec<Choice> {
    let filter = |incident: super::queue::Incident| {
        Choice::Filter(format!("domain:{} cause:{}", incident.domain, incident.cause))
    };
    model.queue.incidents().into_iter().take(9).map(filter).collect()
}

fn copy_menu(model: &Model) -> Menu {
    let mut items = Vec::new();
    let Some(case) = model.queue.current() else { return menu("Copy", items) };
    if !case.address.is_empty() {
        items.push(('a', format!("failed address: {}", case.address), Choice::Copy(case.address.to_string())));
    }
    let new = case.corrected_to.as_deref().map(str::to_owned).or_else(|| {
        match model.current().map(|detail| &detail.offer.verdict) {
            Some(Some(Verdict::Corrected { to })) => Some(to.clone()),
            _ => None,
        }
    });
    if let Some(new) = &new {
        items.push(('n', format!("new address: {new}"), Choice::Copy(new.clone())));
    }
    if let (Some(ticket), Some(url)) = (&case.ticket, &model.setup.ticket_url) {
        let link = url.replace("{ticket}", &escape_url(ticket));
        items.push(('t', format!("ticket link: {link}"), Choice::Copy(link)));
    }
    if let Some(ticket) = &case.ticket {
        items.push(('i', format!("ticket: {ticket}"), Choice::Copy(ticket.to_string())));
    }
    if let Some(said) = diagnostic(model) {
        items.push(('s', format!("what the server said: {said}"), Choice::Copy(said)));
    }
    let letter = |id: &CaseId, wanted| Choice::Letter(id.clone(), wanted);
    items.push(('r', "the answer that came back, as text to send again".to_owned(), letter(&case.id, Wanted::Resend)));
    items.push(('o', "a text to reach the customer another way".to_owned(), letter(&case.id, Wanted::OtherWay)));
    items.push((
        'e',
        "what the administrator must know: the incident, the list and the IP".to_owned(),
        Choice::Incident(case.id.clone()),
    ));
    let last = model.corrected_last.as_ref().and_then(|id| model.queue.case(id));
    if let Some(last) = last.filter(|last| last.id != case.id && last.state == State::Corrected) {
        let label = format!("the answer to {}, corrected last, to send again", last.address);
        items.push(('R', label, letter(&last.id, Wanted::Resend)));
    }
    menu("Copy", items)
}

/// Why there is no account to fetch from.
pub fn nothing_to_fetch(model: &Model) -> String {
    match model.setup.unsigned.as_slice() {
        [] => "no account is configured: nothing to fetch from".to_owned(),
        names => format!("no password was given for {}: start again to be asked for it", names.join(", ")),
    }
}

/// Said where no domain of ours is known.
pub const NO_DOMAIN: &str = "which domain is ours is not known: set own_domains in the configuration";

/// The domain of ours that the case under the cursor was sent from, else the first configured.
pub fn our_domain(model: &Model) -> Option<String> {
    let from = model.current().and_then(|detail| detail.notices.last()?.diagnosis.original.from.as_deref());
    let from = from.map(|from| domain_of(from).to_lowercase());
    let ours = |domain: &String| {
        model.setup.own_domains.iter().any(|own| domain == own || domain.ends_with(&format!(".{own}")))
    };
    from.filter(ours).or_else(|| model.setup.own_domains.first().cloned())
}

fn escape_url(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn diagnostic(model: &Model) -> Option<String> {
    let notice = model.current()?.notices.last()?;
    notice.diagnosis.recipients.get(notice.recipient?)?.diagnostic.clone()
}
