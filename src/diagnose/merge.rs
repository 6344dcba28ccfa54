//! Facts about one recipient to one answer; a stronger source wins, the more specific code wins.

use crate::mail::Mail;
use crate::model::reply;
use crate::model::{Action, Address, Class, Evidence, PerRecipient, Status};

/// One recipient before the cause is known.
pub(super) struct Merged {
    pub(super) address: Address,
    pub(super) original: Option<Address>,
    pub(super) action: Action,
    pub(super) status: Option<Status>,
    pub(super) reply: Option<u16>,
    pub(super) remote: Option<String>,
    pub(super) diagnostic: Option<String>,
    pub(super) text: String,
    pub(super) evidence: Vec<Evidence>,
}

pub(super) fn recipient(mail: &Mail<'_>, record: &PerRecipient) -> Option<Merged> {
    let named = record.recipient.as_ref().or(record.original.as_ref()).or(record.actual.as_ref())?;
    let mut evidence = vec![mail.fact_evidence("recipient", named, named.value.as_str())];
    let original = record
        .original
        .as_ref()
        .map(|fact| fact.value.clone())
        .filter(|original| !original.same_as(named.value.as_str()));
    let mut text = String::new();
    for said in record.diagnostic.iter().chain(&record.said) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&said.value);
    }
    let field = record.status.as_ref().and_then(|fact| reply::statuses(&fact.value).next()).map(|found| found.value);
    let spoken: Vec<Status> = reply::statuses(&text).map(|found| found.value).collect();
    let status = choose(field, &spoken);
    let reply = reply::codes(&text, true).next().map(|found| found.value);
    if let (Some(status), Some(fact)) = (status, &record.status) {
        evidence.push(mail.fact_evidence("status", fact, &status.to_string()));
    }
    if let Some(fact) = &record.diagnostic {
        evidence.push(mail.fact_evidence("diagnostic", fact, &fact.value));
    }
    let action =
        record.action.as_ref().map(|fact| fact.value).unwrap_or_else(|| match status.map(|status| status.class) {
            Some(Class::Success) => Action::Delivered,
            _ => Action::Failed,
        });
    Some(Merged {
        address: named.value.clone(),
        original,
        action,
        status,
        reply,
        remote: record.remote_mta.as_ref().map(|fact| fact.value.clone()),
        diagnostic: record.diagnostic.as_ref().or(record.said.first()).map(|fact| fact.value.clone()),
        text,
        evidence,
    })
}

/// The more specific of the field's and the text's status.
pub(super) fn choose(field: Option<Status>, spoken: &[Status]) -> Option<Status> {
    let Some(field) = field else {
        return spoken.iter().find(|status| !status.is_generic()).or(spoken.first()).copied();
    };
    let better = spoken.iter().find(|status| {
        if field.is_generic() {
            !status.is_generic()
        } else {
            field.detail == 0 && status.subject == field.subject && status.detail != 0
        }
    });
    Some(better.copied().unwrap_or(field))
}
