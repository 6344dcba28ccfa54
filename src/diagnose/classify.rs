//! Recipient to cause, through the tiers of the rule book.

use super::Context;
use super::merge::Merged;
use crate::model::{Cause, Certainty, Recipient};
use crate::rules::Question;

pub(super) fn conclude(merged: Merged, context: &Context) -> Recipient {
    let statuses: Vec<_> = merged.status.into_iter().collect();
    let replies: Vec<_> = merged.reply.into_iter().collect();
    let remote = merged.remote.as_deref().unwrap_or_default().to_lowercase();
    let answer = context.rules.ask(&Question {
        replies: &replies,
        statuses: &statuses,
        text: &merged.text,
        hosts: &[&remote],
        domain: merged.address.domain(),
    });
    let cause = answer.as_ref().map_or(Cause::Unclear, |answer| answer.cause);
    let words = context.rules.words(cause);
    Recipient {
        meaning: answer.as_ref().and_then(|a| a.meaning).unwrap_or(&words.explanation).to_owned(),
        next_step: answer.as_ref().and_then(|a| a.next_step).unwrap_or(&words.next_step).to_owned(),
        who_acts: words.who_acts,
        rule: answer.map(|answer| answer.rule),
        address: merged.address,
        original_address: merged.original,
        action: merged.action,
        status: merged.status,
        reply_code: merged.reply,
        remote_mta: merged.remote,
        diagnostic: merged.diagnostic,
        cause,
        certainty: Certainty::Sure,
        evidence: merged.evidence,
    }
}
