//! Events of a sending service as JSON: one that was mailed, or one that a program passed on by mail.
//!
//! Which keys hold the facts is data (`[event]` in the format files). Values are taken by key from the text, not by a JSON
//! parser, so an event that a mail program wrapped, cut or escaped once more still reads. Invariant: literal values only.

use super::Reading;
use crate::diagnose::prose::place;
use crate::diagnose::zone::Zone;
use crate::mail::{MAX_RECIPIENTS, read_address};
use crate::model::{Action, Fact, Kind, Origin, PerRecipient, Place, Returned, Timestamp, reply};
use crate::rules::Events;

/// Most words before the first event: a person who says more is writing to us and shows it.
const MAX_OWN_WORDS: usize = 12;

/// Reads the zones.
pub(super) fn read(zones: &[Zone<'_>], keys: &Events) -> Reading {
    let mut out = Reading::default();
    for zone in zones {
        let (joined, lines) = joined(zone);
        let inner = unescaped(&joined, keys);
        let text = inner.as_deref().unwrap_or(&joined);
        let events = events(text, keys);
        let Some(first) = events.first() else { continue };
        let before = if inner.is_some() { joined.find('{') } else { Some(first.start) };
        let own = joined.get(..before.unwrap_or_default()).unwrap_or_default().split(['{', '[']).next();
        if own.is_some_and(|own| own.split_whitespace().count() > MAX_OWN_WORDS) {
            out.kind = out.kind.or(Some(Kind::Other));
            continue;
        }
        for event in events {
            let Some(body) = text.get(event.start..event.end) else { continue };
            // an inner text is on one line of the outer one
            let at = |offset: usize| {
                let line =
                    if inner.is_some() { 0 } else { lines.partition_point(|first| *first <= event.start + offset) };
                place(zone, line.saturating_sub(1))
            };
            read_event(body, event.kind, keys, &at, &mut out);
        }
    }
    out
}

/// The text without its line breaks, and where each line begins in it.
fn joined(zone: &Zone<'_>) -> (String, Vec<usize>) {
    let (mut text, mut lines) = (String::new(), Vec::new());
    for line in zone.text.lines() {
        lines.push(text.len());
        text.push_str(line);
    }
    (text, lines)
}

/// Reads one event; `at` is the place of a byte of it.
fn read_event(event: &str, kind: Kind, keys: &Events, at: &dyn Fn(usize) -> Place, out: &mut Reading) {
    out.kind = Some(out.kind.map_or(kind, |known| stronger(known, kind)));
    let fact = |value: String, offset: usize, from: &'static str| Fact {
        value,
        place: at(offset),
        origin: Origin::Quirk,
        from,
    };
    let action = match kind {
        Kind::Failure | Kind::Complaint => Some(Action::Failed),
        Kind::Delay => Some(Action::Delayed),
        Kind::Delivered => Some(Action::Delivered),
        _ => None,
    };
    // what the event says of all its recipients
    let common = first(event, &keys.diagnostic);
    let code = first(event, &keys.reply);
    let reasons: Vec<Fact<String>> = keys
        .reason
        .iter()
        .filter_map(|key| {
            let name = key.rsplit('.').next().unwrap_or(key);
            let read = value(event, key)?;
            let value = format!("\"{name}\":\"{}\"", read.text);
            // beside what the server said, never before it
            Some(Fact { origin: Origin::Prose, ..fact(value, read.at, "reason in the event") })
        })
        .collect();
    let lists = keys.list.iter().map(|key| objects(event, key)).find(|list| !list.is_empty());
    for (start, object) in lists.unwrap_or_else(|| vec![(0, event)]).into_iter().take(MAX_RECIPIENTS) {
        let own = |list: &[String]| first(object, list).map(|read| Read { at: start + read.at, ..read });
        let named = own(&keys.address).unwrap_or_else(|| Read { text: object.trim_matches('"').to_owned(), at: start });
        let Some(address) = read_address(&named.text) else { continue };
        let Some(action) = action.filter(|_| out.recipients.len() < MAX_RECIPIENTS) else { continue };
        let said = with_reply(own(&keys.diagnostic).or_else(|| common.clone()), code.clone());
        out.recipients.push(PerRecipient {
            recipient: Some(Fact {
                value: address,
                place: at(named.at),
                origin: Origin::Quirk,
                from: "address in the event",
            }),
            action: Some(Fact { value: action, place: at(0), origin: Origin::Quirk, from: "name of the event" }),
            status: own(&keys.status).map(|read| fact(read.text, read.at, "status in the event")),
            diagnostic: said.map(|read| fact(read.text, read.at, "reply in the event")),
            remote_mta: own(&keys.remote).map(|read| fact(read.text, read.at, "server in the event")),
            said: reasons.clone(),
            ..PerRecipient::default()
        });
    }
    let text = |list: &[String]| first(event, list).map(|read| read.text);
    out.reporter = out.reporter.take().or_else(|| Some(strip(&text(&keys.reporter)?).to_owned()));
    out.original.get_or_insert_with(|| Returned {
        message_id: text(&keys.message_id).map(|id| id.trim_matches(['<', '>']).to_owned()),
        subject: text(&keys.subject),
        from: text(&keys.from).and_then(|text| read_address(&text)).map(|address| address.to_string()),
        to: Vec::new(),
        people: Vec::new(),
        date: text(&keys.date).as_deref().and_then(Timestamp::parse),
    });
}

/// One failure among several events makes a failure.
fn stronger(one: Kind, other: Kind) -> Kind {
    let order = [Kind::Failure, Kind::Delay, Kind::Complaint, Kind::Delivered];
    let rank = |kind: Kind| order.iter().position(|known| *known == kind).unwrap_or(order.len());
    if rank(other) < rank(one) { other } else { one }
}

/// The words with the reply code before them, where they do not begin with it.
fn with_reply(said: Option<Read>, code: Option<Read>) -> Option<Read> {
    let said = said.map(|read| Read { text: strip(&read.text).to_owned(), ..read });
    let Some(code) = code.filter(|code| code.text.len() == 3 && code.text.starts_with(['2', '4', '5'])) else {
        return said;
    };
    match said {
        Some(read) if reply::codes(&read.text, true).next().is_some_and(|found| found.start == 0) => Some(read),
        Some(read) => Some(Read { text: format!("{} {}", code.text, read.text), ..read }),
        None => Some(code),
    }
}

fn strip(text: &str) -> &str {
    text.split_once(';').map_or(text, |(kind, rest)| if kind.len() < 16 { rest.trim() } else { text })
}

/// An event that was put into JSON once more as a string: that string, its escapes undone.
fn unescaped(text: &str, keys: &Events) -> Option<String> {
    let names = keys.kinds.iter().flat_map(|(_, pairs)| pairs).map(|(key, _)| key);
    let at = names.filter_map(|key| text.find(&format!("\\\"{key}\\\""))).min()?;
    let before = text.get(..at)?;
    let quote = before.rmatch_indices('"').find(|(at, _)| !before.get(..*at).is_some_and(|head| head.ends_with('\\')));
    Some(string(text.get(quote.map_or(0, |(at, _)| at + 1)..)?).text)
}

/// An event: the JSON object round the pair that names it.
struct Event {
    kind: Kind,
    start: usize,
    end: usize,
}

/// An object that is open while the text is walked through.
struct Open {
    start: usize,
    /// Place in the table of kinds of the first one that fits.
    kind: Option<usize>,
}

/// The events of a text, outermost and apart from each other; one that is cut off ends with the text.
fn events(text: &str, keys: &Events) -> Vec<Event> {
    let (mut out, mut open): (Vec<Event>, Vec<Open>) = (Vec::new(), Vec::new());
    let close = |object: Option<Open>, end: usize, out: &mut Vec<Event>| {
        let Some(object) = object else { return };
        let Some((kind, _)) = object.kind.and_then(|number| keys.kinds.get(number)) else { return };
        while out.last().is_some_and(|inner| inner.start > object.start) {
            out.pop();
        }
        out.push(Event { kind: *kind, start: object.start, end });
    };
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(['"', '{', '}'])) {
        let start = at + found;
        at = start + 1;
        match text.as_bytes().get(start) {
            Some(b'{') => open.push(Open { start, kind: None }),
            Some(b'}') => close(open.pop(), at, &mut out),
            _ => {
                let StringOf { text: name, length, .. } = string(text.get(at..).unwrap_or_default());
                at += length;
                let Some(object) = open.last_mut() else { continue };
                let fits = |pairs: &[(String, String)]| {
                    let mut same = pairs.iter().filter(|(key, _)| *key == name).peekable();
                    let said = same.peek().and_then(|_| plain(text.get(at..)?.trim_start().strip_prefix(':')?));
                    said.is_some_and(|said| same.any(|(_, value)| *value == said))
                };
                let number = keys.kinds.iter().position(|(_, pairs)| fits(pairs));
                object.kind = object.kind.into_iter().chain(number).min();
            }
        }
    }
    while let Some(object) = open.pop() {
        close(Some(object), text.len(), &mut out);
    }
    out
}

/// A value and where it stands.
#[derive(Clone)]
struct Read {
    text: String,
    at: usize,
}

/// The value of the first of these keys that has one.
fn first(text: &str, keys: &[String]) -> Option<Read> {
    keys.iter().find_map(|key| value(text, key))
}

/// The string or number behind `"key":`, the first that is not empty; `a.b` is `b` behind `a`.
fn value(text: &str, key: &str) -> Option<Read> {
    if let Some((outer, key)) = key.split_once('.') {
        let marker = format!("\"{outer}\"");
        let start = text.find(&marker)? + marker.len();
        return value(text.get(start..)?, key).map(|read| Read { at: start + read.at, ..read });
    }
    let marker = format!("\"{key}\"");
    text.match_indices(&marker)
        .filter_map(|(at, _)| {
            let text = plain(text.get(at + marker.len()..)?.trim_start().strip_prefix(':')?)?;
            Some(Read { text, at })
        })
        .find(|read| !read.text.is_empty())
}

/// A string or a number at the beginning of a text.
fn plain(text: &str) -> Option<String> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix('"') {
        let read = string(rest);
        return read.closed.then_some(read.text);
    }
    let digits: String = text.chars().take(20).take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

/// A JSON string that was read.
struct StringOf {
    /// Its text, escapes undone.
    text: String,
    /// Bytes it took, with the closing quote.
    length: usize,
    /// Whether there is a closing quote.
    closed: bool,
}

/// The string behind an opening quote.
fn string(text: &str) -> StringOf {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return StringOf { text: out, length: at + 1, closed: true },
            '\\' => match chars.next() {
                Some((_, 'n' | 'r' | 't')) => out.push(' '),
                Some((_, 'u')) => {
                    let code: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                    out.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
                }
                Some((_, other)) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    StringOf { text: out, length: text.len(), closed: false }
}

/// The members of the list behind `"key":[`, with where they begin: objects, or plain strings.
fn objects<'t>(text: &'t str, key: &str) -> Vec<(usize, &'t str)> {
    let marker = format!("\"{key}\"");
    let Some(rest) = text.find(&marker).and_then(|at| text.get(at + marker.len()..)) else { return Vec::new() };
    let Some(list) = rest.trim_start().strip_prefix(':').map(str::trim_start).and_then(|rest| rest.strip_prefix('['))
    else {
        return Vec::new();
    };
    let begin = text.len() - list.len();
    let member = |from: usize, to: usize| Some((begin + from, list.get(from..to)?.trim()));
    let (mut out, mut depth, mut start, mut quoted, mut escaped) = (Vec::new(), 0_u32, 0, false, false);
    for (at, c) in list.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            ']' if !quoted && depth == 0 => {
                out.extend(member(start, at).filter(|(_, part)| !part.is_empty()));
                return out;
            }
            '}' | ']' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                out.extend(member(start, at));
                start = at + 1;
            }
            _ => {}
        }
    }
    out.extend(member(start, list.len()).filter(|(_, part)| part.contains('@')));
    out
}
