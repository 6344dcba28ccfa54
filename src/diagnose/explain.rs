//! A diagnosis in words: for the command line, the tests and whoever wants to read it.
//!
//! Plain text without control characters; mail text in it is made visible. Invariant: the same diagnosis gives the same
//! text, and every claim stands beside the line it rests on.

use std::fmt::Write;

use crate::model::{Diagnosis, Evidence, Kind, Ours, Recipient, Role};

/// Widest line of running text.
const WIDTH: usize = 96;

/// A diagnosis as a person reads it.
pub fn explain(diagnosis: &Diagnosis) -> String {
    let mut out = String::new();
    line(&mut out, "kind", kind_words(diagnosis.kind));
    if let Some(mta) = &diagnosis.reporter.mta {
        let from = diagnosis.reporter.from.as_deref().map(|from| format!(", from {from}")).unwrap_or_default();
        let role = if diagnosis.reporter.role == Role::Unknown {
            String::new()
        } else {
            format!(" ({})", diagnosis.reporter.role)
        };
        line(&mut out, "reporter", &format!("{mta}{role}{from}"));
    }
    for recipient in &diagnosis.recipients {
        out.push('\n');
        explain_recipient(&mut out, recipient);
    }
    explain_original(&mut out, diagnosis);
    for new in &diagnosis.new_addresses {
        line(&mut out, "new address", &format!("{}: {}{}", new.address, new.because, place(&new.evidence)));
    }
    if !diagnosis.evidence.is_empty() {
        out.push('\n');
        for evidence in &diagnosis.evidence {
            line(&mut out, &evidence.claim, &format!("{}{}", evidence.text, place(evidence)));
        }
    }
    for note in &diagnosis.notes {
        line(&mut out, "note", note);
    }
    out
}

fn explain_recipient(out: &mut String, recipient: &Recipient) {
    line(out, "recipient", recipient.address.as_str());
    if let Some(original) = &recipient.original_address {
        line(out, "sent to", original.as_str());
    }
    line(out, "action", &format!("{:?}", recipient.action).to_lowercase());
    let codes: Vec<String> = recipient
        .reply_code
        .map(|code| code.to_string())
        .into_iter()
        .chain(recipient.status.map(|status| status.to_string()))
        .collect();
    if !codes.is_empty() {
        line(out, "codes", &codes.join(" "));
    }
    if let Some(remote) = &recipient.remote_mta {
        line(out, "said by", remote);
    }
    if let Some(said) = &recipient.diagnostic {
        line(out, "said", said);
    }
    line(out, "cause", recipient.cause.slug());
    line(out, "meaning", &recipient.meaning);
    if !recipient.next_step.is_empty() {
        line(out, "next step", &format!("{} ({})", recipient.next_step, recipient.who_acts));
    }
    line(out, "rule", recipient.rule.as_deref().unwrap_or("none"));
    let certainty = match recipient.certainty {
        crate::model::Certainty::Sure => "sure: stated in standard fields",
        crate::model::Certainty::Likely => "likely: read from a known text format",
        crate::model::Certainty::Guess => "a guess: read from prose",
    };
    line(out, "certainty", certainty);
    for evidence in &recipient.evidence {
        line(out, "evidence", &format!("{}: {} [{}]{}", evidence.claim, evidence.text, evidence.from, place(evidence)));
    }
}

fn explain_original(out: &mut String, diagnosis: &Diagnosis) {
    let original = &diagnosis.original;
    let fields = [
        ("subject", original.subject.clone()),
        ("from", original.from.clone()),
        ("to", Some(original.to.join(", "))),
        ("date", original.date.map(|date| date.to_string())),
        ("message-id", original.message_id.clone()),
    ];
    if fields.iter().any(|(_, text)| text.as_ref().is_some_and(|text| !text.is_empty())) {
        out.push('\n');
    }
    for (name, text) in fields {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            line(out, &format!("original {name}"), &text);
        }
    }
    if let Some(ticket) = &diagnosis.ticket {
        line(out, "ticket", &format!("{} ({}, from {})", ticket.id, ticket.desk, ticket.from));
    }
    if diagnosis.authenticity.verdict != Ours::Unknown || !diagnosis.authenticity.because.is_empty() {
        line(
            out,
            "ours",
            &format!("{}: {}", diagnosis.authenticity.verdict, diagnosis.authenticity.because.join("; ")),
        );
    }
}

fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Failure => "failure: given up for at least one recipient",
        Kind::Delay => "delay: still being tried",
        Kind::Delivered => "delivered: a notice of success",
        Kind::AutoReply => "auto-reply: an automatic answer, no bounce",
        Kind::ReadReceipt => "read-receipt: no bounce",
        Kind::Complaint => "complaint: a report about mail of ours, no bounce",
        Kind::Challenge => "challenge: the recipient's system wants an answer first",
        Kind::Other => "other: no bounce",
    }
}

fn place(evidence: &Evidence) -> String {
    match (evidence.line, &evidence.part, evidence.part_line) {
        (Some(line), _, _) => format!(" (line {line})"),
        (None, Some(part), Some(line)) => format!(" (part {part}, line {line})"),
        _ => String::new(),
    }
}

/// One labelled line, broken at blanks, without control characters.
pub(super) fn line(out: &mut String, label: &str, text: &str) {
    let mut column = 0;
    let _ = write!(out, "{label:<20}");
    for word in text.split_whitespace() {
        let word = crate::stdx::visible(word);
        let width = word.chars().count();
        if column > 0 && column + 1 + width > WIDTH {
            let _ = write!(out, "\n{:<20}", "");
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(&word);
        column += width;
    }
    while out.ends_with(' ') {
        out.pop();
    }
    out.push('\n');
}
