//! What became of corrections: proven when no new bounce came for some days, failed when the new address bounced.

use std::collections::HashMap;

use crate::model::{Case, CaseId, Kind, State, Timestamp};

/// What became of a correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// No bounce came for long enough.
    Proven,
    /// The new address bounced, or the old one was written to again.
    Failed,
    /// Cannot be told before then.
    Open {
        /// When it can be told.
        until: Timestamp,
    },
}

impl Fate {
    /// In JSON and tables.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Failed => "failed",
            Self::Open { .. } => "open",
        }
    }
}

/// A correction and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The corrected case.
    pub case: CaseId,
    /// The address that failed.
    pub address: String,
    /// The address it was corrected to.
    pub corrected_to: String,
    /// Its ticket.
    pub ticket: Option<String>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// What became of it.
    pub fate: Fate,
    /// The case in which the new address bounced.
    pub failed_in: Option<CaseId>,
}

/// Follows every correction, in order of decision. "No bounce seen" is all that can be said: some servers send none.
pub fn follow(cases: &[Case], now: Timestamp, days: u32) -> Vec<Followed> {
    let mut failures: HashMap<String, Vec<&Case>> = HashMap::new();
    for case in cases.iter().filter(|case| case.kind == Kind::Failure && !case.address.is_empty()) {
        failures.entry(case.address.to_lowercase()).or_default().push(case);
    }
    let mut followed: Vec<Followed> = Vec::new();
    for case in cases.iter().filter(|case| case.state == State::Corrected) {
        let (Some(to), Some(decided_at)) = (&case.corrected_to, case.decided_at) else { continue };
        let bounced = failures.get(&to.to_lowercase()).into_iter().flatten();
        let failed_in = bounced.filter(|other| other.last_received > decided_at).min_by_key(|other| other.received);
        let until = decided_at.plus_days(i64::from(days));
        let fate = match failed_in {
            Some(_) => Fate::Failed,
            None if case.last_received > decided_at => Fate::Failed,
            None if now >= until => Fate::Proven,
            None => Fate::Open { until },
        };
        followed.push(Followed {
            case: case.id.clone(),
            address: case.sent_to().to_owned(),
            corrected_to: to.to_string(),
            ticket: case.ticket.as_deref().map(str::to_owned),
            decided_at,
            fate,
            failed_in: failed_in.map(|other| other.id.clone()),
        });
    }
    followed.sort_by(|a, b| (a.decided_at, &a.case).cmp(&(b.decided_at, &b.case)));
    followed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{case, corrected};

    #[test]
    fn a_correction_is_proven_by_silence_and_failed_by_a_bounce_of_the_new_address() {
        let now = Timestamp::parse("2026-11-24T00:00:00Z").unwrap();
        let mut again = corrected("again", "x@old.example", "x@new.example", "2026-11-01T00:00:00Z", 1);
        again.last_received = Timestamp::parse("2026-11-03T00:00:00Z").unwrap();
        let mut full = case("full", "full@new.example", "2026-11-20T00:00:00Z");
        full.kind = Kind::Delay;
        let cases = [
            corrected("proven", "a@old.example", "a@new.example", "2026-11-01T00:00:00Z", 1),
            corrected("failed", "b@old.example", "b@new.example", "2026-11-01T00:00:00Z", 1),
            case("bounce", "B@New.example", "2026-11-05T00:00:00Z"),
            corrected("open", "c@old.example", "c@new.example", "2026-11-20T00:00:00Z", 1),
            corrected("before", "d@old.example", "d@new.example", "2026-11-10T00:00:00Z", 1),
            case("older", "d@new.example", "2026-11-09T00:00:00Z"),
            corrected("delayed", "e@old.example", "full@new.example", "2026-11-02T00:00:00Z", 1),
            again,
            full,
        ];
        let fates: Vec<(String, &str)> =
            follow(&cases, now, 7).into_iter().map(|one| (one.case.0, one.fate.slug())).collect();
        let want = [
            ("again", "failed"),
            ("failed", "failed"),
            ("proven", "proven"),
            ("delayed", "proven"),
            ("before", "proven"),
            ("open", "open"),
        ];
        assert_eq!(fates, want.map(|(case, fate)| (case.to_owned(), fate)));
    }
}
