//! Notifications of a sending service as JSON (Amazon SES through SNS): `notificationType`, `bouncedRecipients` ...
//!
//! Source: the SES notification contents page of its developer guide. Values are taken by key from the text, so a
//! notification that a mail program wrapped, cut or escaped once more still reads. Invariant: literal values only.

use super::Reading;
use crate::diagnose::prose::place;
use crate::diagnose::zone::Zone;
use crate::mail::{MAX_RECIPIENTS, read_address};
use crate::model::{Action, Fact, Kind, Origin, PerRecipient, Returned, Timestamp};

/// Reads the zones.
pub(super) fn read(zones: &[Zone<'_>]) -> Reading {
    let mut out = Reading::default();
    for zone in zones {
        let joined: String = zone.text.as_str().chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
        let text = if joined.contains("\\\"notificationType\\\"") || joined.contains("\\\"bouncedRecipients\\\"") {
            joined.replace("\\\"", "\"").replace("\\\\", "\\")
        } else {
            joined
        };
        let Some(kind) = value(&text, "notificationType").or_else(|| value(&text, "eventType")) else { continue };
        let (list, action) = match kind.as_str() {
            "Bounce" => ("bouncedRecipients", Action::Failed),
            "Complaint" => ("complainedRecipients", Action::Failed),
            "Delivery" => ("recipients", Action::Delivered),
            "DeliveryDelay" => ("delayedRecipients", Action::Delayed),
            _ => continue,
        };
        out.kind = Some(match kind.as_str() {
            "Bounce" => Kind::Failure,
            "Complaint" => Kind::Complaint,
            "DeliveryDelay" => Kind::Delay,
            _ => Kind::Delivered,
        });
        let at = place(zone, zone.from);
        let fact = |value: String, from: &'static str| Fact { value, place: at, origin: Origin::Quirk, from };
        for object in objects(&text, list).into_iter().take(MAX_RECIPIENTS) {
            let address = value(object, "emailAddress").unwrap_or_else(|| object.trim_matches('"').to_owned());
            let Some(address) = read_address(&address) else { continue };
            out.recipients.push(PerRecipient {
                recipient: Some(Fact { value: address, place: at, origin: Origin::Quirk, from: "emailAddress" }),
                action: Some(Fact { value: action, place: at, origin: Origin::Quirk, from: "notificationType" }),
                status: value(object, "status").map(|text| fact(text, "status")),
                diagnostic: value(object, "diagnosticCode").map(|text| fact(strip(&text).to_owned(), "diagnosticCode")),
                ..PerRecipient::default()
            });
        }
        if action == Action::Delivered
            && let Some(response) = value(&text, "smtpResponse")
        {
            for record in &mut out.recipients {
                record.diagnostic = Some(fact(response.clone(), "smtpResponse"));
            }
        }
        out.reporter = value(&text, "reportingMTA").map(|text| strip(&text).to_owned());
        out.original = Some(Returned {
            message_id: common(&text, "messageId").map(|id| id.trim_matches(['<', '>']).to_owned()),
            subject: value(&text, "subject"),
            from: value(&text, "source").and_then(|text| read_address(&text)).map(|address| address.to_string()),
            to: Vec::new(),
            people: Vec::new(),
            date: value(&text, "timestamp").as_deref().and_then(Timestamp::parse),
        });
    }
    out
}

fn strip(text: &str) -> &str {
    text.split_once(';').map_or(text, |(kind, rest)| if kind.len() < 16 { rest.trim() } else { text })
}

/// The Message-ID the sender wrote (`commonHeaders`), else the service's own.
fn common(text: &str, key: &str) -> Option<String> {
    text.find("\"commonHeaders\"").and_then(|at| value(text.get(at..)?, key)).or_else(|| value(text, key))
}

/// The string behind `"key":`, its escapes undone.
fn value(text: &str, key: &str) -> Option<String> {
    let marker = format!("\"{key}\"");
    let rest = text
        .get(text.find(&marker)? + marker.len()..)?
        .trim_start()
        .strip_prefix(':')?
        .trim_start()
        .strip_prefix('"')?;
    let mut out = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Some(out),
            '\\' => match chars.next()? {
                'n' | 'r' | 't' => out.push(' '),
                'u' => {
                    let code: String = chars.by_ref().take(4).collect();
                    out.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
                }
                other => out.push(other),
            },
            c => out.push(c),
        }
    }
    None
}

/// The members of the list behind `"key":[`: objects, or plain strings.
fn objects<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    let marker = format!("\"{key}\"");
    let Some(rest) = text.find(&marker).and_then(|at| text.get(at + marker.len()..)) else { return Vec::new() };
    let Some(list) = rest.trim_start().strip_prefix(':').map(str::trim_start).and_then(|rest| rest.strip_prefix('['))
    else {
        return Vec::new();
    };
    let (mut out, mut depth, mut start, mut quoted, mut escaped) = (Vec::new(), 0_u32, 0, false, false);
    for (at, c) in list.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            ']' if !quoted && depth == 0 => {
                out.extend(list.get(start..at).map(str::trim).filter(|part| !part.is_empty()));
                return out;
            }
            '}' | ']' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                out.extend(list.get(start..at).map(str::trim));
                start = at + 1;
            }
            _ => {}
        }
    }
    out.extend(list.get(start..).map(str::trim).filter(|part| part.contains('@')));
    out
}
