//! What the key `a` would do with a case: the decision its cause proposes, where that decision can stand. Pure.

use crate::model::{Case, Diagnosis, Kind, Ours, Proposal, Timestamp, Verdict};
use crate::rules::Words;
use crate::suggest::{Confidence, Suggestion};

/// Days after which a delayed message is asked about again.
const DELAY_DAYS: i64 = 2;

/// The decision that is shown before it is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What kind of decision.
    pub proposal: Proposal,
    /// The decision itself; `None` where nothing is preselected.
    pub verdict: Option<Verdict>,
    /// Why, in a few words.
    pub why: String,
}

/// The offer for a case, from its newest diagnosis, the words of its cause and the suggested addresses.
pub fn offer(
    case: &Case,
    diagnosis: Option<&Diagnosis>,
    words: &Words,
    suggestions: &[Suggestion],
    now: Timestamp,
) -> Offer {
    let make = |proposal, verdict, why: String| Offer { proposal, verdict, why };
    if case.address.is_empty() {
        return make(Proposal::None, None, "no failed address could be read: look at the mail itself".into());
    }
    if case.is_silent(now) {
        return make(Proposal::None, None, "it closed by itself: no failure followed the delay".into());
    }
    if diagnosis.is_some_and(|d| d.authenticity.verdict == Ours::NotOurs) {
        return make(Proposal::Spam, Some(Verdict::Spam), "we did not send the message that came back".into());
    }
    if case.kind == Kind::Complaint {
        return make(
            Proposal::Done,
            Some(Verdict::Done),
            "the recipient reported our mail as spam: do not write again".into(),
        );
    }
    if case.kind == Kind::Delay {
        let until = now.plus_days(DELAY_DAYS);
        return make(Proposal::Retry, Some(Verdict::Retry { until }), "the server is still trying".into());
    }
    let found = suggestions.first().filter(|first| first.confidence == Confidence::Strong);
    let again = if case.corrected_to.is_some() && case.again { "; it bounced again after a correction" } else { "" };
    // A known right address settles every cause that lies with the address, whatever its usual decision.
    if let Some(first) = found {
        let verdict = Verdict::Corrected { to: first.address.clone() };
        return make(Proposal::Correct, Some(verdict), format!("{}{again}", first.because));
    }
    match words.propose {
        Proposal::Correct => {
            make(Proposal::Correct, None, format!("the right address is not known: c types it{again}"))
        }
        Proposal::Retry => {
            let days = i64::from(words.retry_days.unwrap_or(2));
            make(
                Proposal::Retry,
                Some(Verdict::Retry { until: now.plus_days(days) }),
                if days == 1 { "try again tomorrow".into() } else { format!("try again in {days} days") },
            )
        }
        Proposal::NotOurFault => make(words.propose, Some(Verdict::NotOurFault), words.title.clone()),
        Proposal::Spam => make(words.propose, Some(Verdict::Spam), words.title.clone()),
        Proposal::Escalate => make(words.propose, Some(Verdict::Escalated { whom: None }), words.title.clone()),
        Proposal::Done => make(words.propose, Some(Verdict::Done), words.title.clone()),
        Proposal::None => make(Proposal::None, None, "no decision is better than another: look at the mail".into()),
    }
}
