//! What kind of mail it is. Kinds come first: a complaint or a receipt is no failure however it is dressed.
//!
//! The order: complaint, receipt, what a layout states itself, report, known format, automatic answer, challenge, prose.
//! Wordings are data in `assets/rules/kinds.toml`; here is only their order and what outweighs what.

use super::collect::Gathered;
use crate::mail::{Mail, PartKind};
use crate::model::{Action, Evidence, Kind};
use crate::rules::{Format, Hint};

/// Whether hints or a format say that a server wrote this.
pub(super) fn is_notice(format: Option<&Format>, hints: &[(Hint, &str)]) -> bool {
    if format.is_some() {
        return true;
    }
    let has = |name: &str| hints.iter().any(|(hint, entry)| *hint == Hint::Notice && *entry == name);
    let delay = || hints.iter().any(|(hint, _)| *hint == Hint::Kind(Kind::Delay));
    is_sent_by_server(hints) && (has("notice/subject") || has("notice/body") || delay())
}

/// Whether hints say that a server sent this, whatever it says.
pub(super) fn is_sent_by_server(hints: &[(Hint, &str)]) -> bool {
    let sender = |(_, entry): &(Hint, &str)| matches!(*entry, "notice/from" | "notice/header");
    hints.iter().any(sender) && !hints.iter().any(|(hint, _)| *hint == Hint::Decoy)
}

fn hinted(gathered: &Gathered<'_>, kind: Kind) -> bool {
    gathered.hints.iter().any(|(hint, _)| *hint == Hint::Kind(kind))
}

/// Decides.
pub(super) fn decide(mail: &Mail<'_>, gathered: &Gathered<'_>) -> Kind {
    let has = |kind: PartKind| mail.of_kind(kind).next().is_some();
    if has(PartKind::Feedback) || mail.is_report("feedback-report") || hinted(gathered, Kind::Complaint) {
        return Kind::Complaint;
    }
    let rejected = hinted(gathered, Kind::Failure);
    if (has(PartKind::Disposition) || mail.is_report("disposition-notification")) && !has(PartKind::DeliveryStatus) {
        return if rejected { Kind::Failure } else { Kind::ReadReceipt };
    }
    if let Some(stated) = gathered.stated {
        return stated;
    }
    if hinted(gathered, Kind::Challenge) {
        return Kind::Challenge;
    }
    if gathered.standard {
        let server = gathered.hints.iter().any(|(_, name)| *name == "notice/from");
        if gathered.report.recipients.iter().any(|record| record.odd_action.is_some()) {
            // the answer to a question about an address (`sendmail -bv`): nothing was sent
            return Kind::Delivered;
        }
        return by_actions(gathered, !server && hinted(gathered, Kind::AutoReply));
    }
    let speaks_of_failure = gathered.hints.iter().any(|(_, name)| *name == "notice/body");
    if hinted(gathered, Kind::Delivered) && (gathered.format.is_none() || !speaks_of_failure) {
        return Kind::Delivered;
    }
    let decoy = gathered.hints.iter().any(|(hint, _)| *hint == Hint::Decoy);
    if gathered.format.is_none() && hinted(gathered, Kind::ReadReceipt) {
        return Kind::ReadReceipt;
    }
    if gathered.format.is_none()
        && hinted(gathered, Kind::AutoReply)
        && (decoy || gathered.report.recipients.is_empty())
    {
        return Kind::AutoReply;
    }
    if decoy && gathered.format.is_none() {
        return Kind::Other;
    }
    if !gathered.report.recipients.is_empty() {
        return by_actions(gathered, false);
    }
    if hinted(gathered, Kind::AutoReply) { Kind::AutoReply } else { Kind::Other }
}

/// What became of a recipient of whom only the notice as a whole speaks.
pub(super) fn unsaid(kind: Kind) -> Action {
    match kind {
        Kind::Delay => Action::Delayed,
        Kind::Delivered => Action::Delivered,
        _ => Action::Failed,
    }
}

/// The strongest action of all recipients: one failure makes it a failure.
fn by_actions(gathered: &Gathered<'_>, automatic: bool) -> Kind {
    let delayed = gathered.delay || hinted(gathered, Kind::Delay);
    let unsaid = if delayed { Action::Delayed } else { Action::Failed };
    let actions = gathered.report.recipients.iter().map(|record| super::merge::action_of(record, unsaid));
    let strongest = actions.min_by_key(|action| match action {
        Action::Failed => 0,
        Action::Delayed => 1,
        _ => 2,
    });
    match strongest {
        Some(Action::Failed) => Kind::Failure,
        Some(Action::Delayed) => Kind::Delay,
        Some(_) if automatic => Kind::AutoReply,
        Some(_) => Kind::Delivered,
        None => Kind::Other,
    }
}

/// Whether it is likely a notice of non-delivery although no recipient could be read.
pub(super) fn looks_like_bounce(gathered: &Gathered<'_>) -> bool {
    let decoy = gathered.hints.iter().any(|(hint, _)| *hint == Hint::Decoy);
    let has = |name: &str| gathered.hints.iter().any(|(_, entry)| *entry == name);
    let server = has("notice/from") || has("notice/header");
    gathered.format.is_some() || (!decoy && server && (has("notice/subject") || has("notice/body")))
}

/// The lines the kind rests on.
pub(super) fn evidence(mail: &Mail<'_>, kind: Kind, gathered: &Gathered<'_>) -> Vec<Evidence> {
    let head = mail.head();
    let mut out = Vec::new();
    let fields: &[&str] = match kind {
        Kind::Other => return out,
        Kind::AutoReply | Kind::Challenge => &["Auto-Submitted", "Subject"],
        Kind::ReadReceipt | Kind::Complaint | Kind::Delivered => &["Content-Type", "Subject"],
        Kind::Failure | Kind::Delay => &["From", "Subject", "Content-Type"],
    };
    for name in fields {
        if let Some(field) = head.get(name) {
            out.push(mail.header_evidence("kind", field));
        }
    }
    if let Some(format) = gathered.format {
        out.push(Evidence {
            claim: "format".into(),
            from: ["format/", &format.family].concat().into(),
            text: format.title.clone(),
            line: None,
            part: None,
            part_line: None,
        });
    }
    if let Some(fact) = &gathered.report.message.reporting_mta {
        out.push(mail.fact_evidence("reporting server", fact, &fact.value));
    }
    out
}
