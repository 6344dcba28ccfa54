//! How the bounces of a time went: by cause, by domain, by week, how fast they were decided, what became of corrections.
//!
//! Cases in, numbers out ([`Report`]); [`text`], [`table`] and [`html`] write them. Knows neither the store nor the clock.
//! Invariant: no address and no subject stands in a report; it is made to be passed on.

mod follow;
pub mod html;
pub mod table;
pub mod text;

use std::collections::BTreeMap;

pub use follow::{Fate, Followed, follow};

use crate::model::time::DAY;
use crate::model::{Case, Cause, State, Timestamp, Zone};

/// Domains that are named; the rest is one line.
const DOMAINS: usize = 12;
/// Weeks that are shown, the newest ones.
const WEEKS: usize = 26;

/// A name and a number.
pub type Count = (String, u64);

/// The numbers of a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// From when on; everything that is stored when not set.
    pub since: Option<Timestamp>,
    /// When it was made.
    pub until: Timestamp,
    /// Cases that arrived.
    pub cases: u64,
    /// Notices in them.
    pub notices: u64,
    /// Cases nobody has decided yet.
    pub left: u64,
    /// Seconds from the first notice to the decision, the middle of all.
    pub median: Option<i64>,
    /// Seconds within which nine of ten were decided.
    pub slow: Option<i64>,
    /// By cause, most frequent first: title and number.
    pub causes: Vec<Count>,
    /// By domain of the failed address, most frequent first.
    pub domains: Vec<Count>,
    /// By week of arrival, oldest first: its Monday and number; weeks without any stand between.
    pub weeks: Vec<Count>,
    /// By what was decided, in the order of states.
    pub states: Vec<(State, u64)>,
    /// Corrections after which no bounce came for long enough.
    pub proven: u64,
    /// Corrections whose new address bounced: the case, and its ticket.
    pub failed: Vec<(String, Option<String>)>,
    /// Corrections that cannot be told yet.
    pub open: u64,
    /// Retries that are due by now, and those to come: days and number.
    pub retries_due: u64,
    /// Dates of retries to come, with their number.
    pub retries: Vec<Count>,
}

/// What a report is made for.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    /// From when on.
    pub since: Option<Timestamp>,
    /// Now.
    pub until: Timestamp,
    /// Days without a bounce that prove a correction.
    pub proven_after: u32,
}

impl Report {
    /// Counts the cases that arrived in a period; `title` gives the words of a cause.
    pub fn new(all: &[Case], period: Period, zone: &Zone, title: &dyn Fn(Cause) -> String) -> Self {
        let now = period.until;
        let cases: Vec<&Case> =
            all.iter().filter(|case| period.since.is_none_or(|since| case.received >= since)).collect();
        let mut times: Vec<i64> =
            cases.iter().filter_map(|case| Some((case.decided_at?.0 - case.received.0).max(0))).collect();
        times.sort_unstable();
        let mut report = Self {
            since: period.since,
            until: now,
            cases: cases.len() as u64,
            notices: cases.iter().map(|case| u64::from(case.notices)).sum(),
            left: cases.iter().filter(|case| case.is_undecided(now)).count() as u64,
            median: times.get(times.len() / 2).copied(),
            slow: times.get((times.len() * 9 / 10).min(times.len().saturating_sub(1))).copied(),
            causes: counted(cases.iter().map(|case| title(case.cause)), usize::MAX, ""),
            domains: counted(cases.iter().filter_map(|case| domain(case)), DOMAINS, "other domains"),
            weeks: weeks(&cases, zone),
            ..Self::default()
        };
        for state in State::ALL {
            let count = cases.iter().filter(|case| case.state == *state).count() as u64;
            report.states.push((*state, count));
        }
        report.states.retain(|(_, count)| *count > 0);
        report.follow(all, period, zone);
        report
    }

    fn follow(&mut self, all: &[Case], period: Period, zone: &Zone) {
        let now = period.until;
        let decided_in = |followed: &&Followed| period.since.is_none_or(|since| followed.decided_at >= since);
        let followed = follow(all, now, period.proven_after);
        for one in followed.iter().filter(decided_in) {
            match one.fate {
                Fate::Proven => self.proven += 1,
                Fate::Failed => self.failed.push((one.case.0.clone(), one.ticket.clone())),
                Fate::Open { .. } => self.open += 1,
            }
        }
        let due = all.iter().filter(|case| case.state == State::Retry).filter_map(|case| case.due);
        let (past, ahead): (Vec<Timestamp>, Vec<Timestamp>) = due.partition(|due| *due <= now);
        self.retries_due = past.len() as u64;
        let mut days: BTreeMap<String, u64> = BTreeMap::new();
        for due in ahead {
            *days.entry(due.format("%Y-%m-%d", zone)).or_default() += 1;
        }
        self.retries = days.into_iter().collect();
    }
}

fn domain(case: &Case) -> Option<String> {
    let (_, domain) = case.address.rsplit_once('@')?;
    Some(domain.to_lowercase())
}

/// Names by frequency; those beyond `most` are one line.
fn counted(names: impl Iterator<Item = String>, most: usize, rest: &str) -> Vec<Count> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    let mut counts: Vec<Count> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let others: u64 = counts.iter().skip(most).map(|(_, count)| count).sum();
    counts.truncate(most);
    if others > 0 {
        counts.push((rest.to_owned(), others));
    }
    counts
}

/// Weeks from the first to the last case, by their Mondays in a zone.
fn weeks(cases: &[&Case], zone: &Zone) -> Vec<Count> {
    let monday = |at: Timestamp| {
        let weekday: i64 = at.format("%u", zone).parse().unwrap_or(1);
        at.plus_days(1 - weekday)
    };
    let name = |at: Timestamp| monday(at).format("%Y-%m-%d", zone);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    cases.iter().for_each(|case| *counts.entry(name(case.received)).or_default() += 1);
    let last = cases.iter().map(|case| case.received).max();
    let first = cases.iter().map(|case| case.received).min();
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    let mut weeks: Vec<Count> = Vec::new();
    // Noon of the Monday, so that a change of the clock moves nothing over midnight.
    let mut at = Timestamp(monday(first).0 / DAY * DAY + DAY / 2);
    while name(at) <= name(last) {
        let name = name(at);
        let count = counts.remove(&name).unwrap_or(0);
        if weeks.last().is_none_or(|(known, _)| *known != name) {
            weeks.push((name, count));
        }
        at = at.plus_days(7);
    }
    let surplus = weeks.len().saturating_sub(WEEKS);
    weeks.split_off(surplus)
}

/// A length of time in its two largest units: "3 h 20 min".
pub(crate) fn duration(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / DAY, seconds % DAY / 3600, seconds % 3600 / 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        (1, _) => format!("1 day {hours} h"),
        _ => format!("{days} days {hours} h"),
    }
}

/// The time a report is about, in words.
pub(crate) fn period(report: &Report, zone: &Zone) -> String {
    let day = |at: Timestamp| at.format("%Y-%m-%d", zone);
    match report.since {
        Some(since) => format!("{} to {}", day(since), day(report.until)),
        None => format!("until {}", day(report.until)),
    }
}

/// What is told first: label and value.
pub(crate) fn summary(report: &Report) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("Cases", format!("{} ({} notices)", report.cases, report.notices)),
        ("Not decided yet", report.left.to_string()),
    ];
    if let (Some(median), Some(slow)) = (report.median, report.slow) {
        lines.push(("Bounce to decision, median", duration(median)));
        lines.push(("Nine of ten within", duration(slow)));
    }
    let failed = report.failed.len();
    if report.proven > 0 || failed > 0 || report.open > 0 {
        lines.push((
            "Corrections",
            format!("{} proven, {failed} failed, {} cannot be told yet", report.proven, report.open),
        ));
    }
    if report.retries_due > 0 || !report.retries.is_empty() {
        let ahead: u64 = report.retries.iter().map(|(_, count)| count).sum();
        lines.push(("Retries", format!("{} due, {ahead} to come", report.retries_due)));
    }
    lines
}

/// The tables of a report: heading and rows.
pub(crate) fn tables(report: &Report) -> Vec<(&'static str, Vec<Count>)> {
    let states = report.states.iter().map(|(state, count)| (state.slug().to_owned(), *count)).collect();
    let mut tables = vec![
        ("By cause", report.causes.clone()),
        ("By domain", report.domains.clone()),
        ("By week", report.weeks.clone()),
        ("By decision", states),
        ("Retries to come", report.retries.clone()),
    ];
    tables.retain(|(_, rows)| !rows.is_empty());
    tables
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::{CaseId, GroupId, Kind};

    pub(crate) fn case(id: &str, address: &str, received: &str) -> Case {
        let received = Timestamp::parse(received).unwrap();
        Case {
            id: CaseId(id.into()),
            group: GroupId(id.into()),
            address: address.into(),
            original_address: None,
            kind: Kind::Failure,
            state: State::New,
            cause: Cause::MailboxUnknown,
            status: None,
            reply_code: None,
            reporter: None,
            ticket: None,
            corrected_to: None,
            due: None,
            message_id: None,
            subject: None,
            received,
            last_received: received,
            notices: 1,
            again: false,
            noted: false,
            unread: false,
            queued: true,
            position: 0,
            closes: None,
            decided_at: None,
        }
    }

    pub(crate) fn corrected(id: &str, address: &str, to: &str, received: &str, hours: i64) -> Case {
        let mut case = case(id, address, received);
        (case.state, case.corrected_to) = (State::Corrected, Some(to.into()));
        case.decided_at = Some(Timestamp(case.received.0 + hours * 3600));
        case
    }

    pub(crate) fn sample() -> Report {
        let mut full = case("d", "d@<b>.example", "2026-11-16T10:00:00Z");
        (full.cause, full.state, full.due) =
            (Cause::MailboxFull, State::Retry, Timestamp::parse("2026-12-01T10:00:00Z"));
        full.decided_at = Some(Timestamp(full.received.0 + 60));
        let mut failed = corrected("b", "b@gmial.com", "b@gmail.com", "2026-11-02T10:00:00Z", 30);
        failed.ticket = Some("AB-1".into());
        let cases = [
            corrected("a", "a@gmial.com", "a@gmail.com", "2026-11-01T10:00:00Z", 2),
            failed,
            case("c", "B@gmail.com", "2026-11-04T10:00:00Z"),
            full,
            case("e", "old@gmial.com", "2025-01-01T00:00:00Z"),
        ];
        let period = Period {
            since: Timestamp::parse("2026-11-01"),
            until: Timestamp::parse("2026-11-24T12:00:00Z").unwrap(),
            proven_after: 7,
        };
        Report::new(&cases, period, &Zone::UTC, &|cause| cause.slug().to_owned())
    }

    #[test]
    fn the_numbers_are_those_of_the_period() {
        let report = sample();
        assert_eq!((report.cases, report.notices, report.left), (4, 4, 1));
        assert_eq!(report.median, Some(2 * 3600));
        assert_eq!(report.causes, [("mailbox-unknown".to_owned(), 3), ("mailbox-full".to_owned(), 1)]);
        assert_eq!(report.domains[0], ("gmial.com".to_owned(), 2));
        let weeks: Vec<(&str, u64)> = report.weeks.iter().map(|(week, count)| (week.as_str(), *count)).collect();
        assert_eq!(weeks, [("2026-10-26", 1), ("2026-11-02", 2), ("2026-11-09", 0), ("2026-11-16", 1)]);
        assert_eq!((report.proven, report.open), (1, 0));
        assert_eq!(report.failed, [("b".to_owned(), Some("AB-1".to_owned()))]);
        assert_eq!(report.retries, [("2026-12-01".to_owned(), 1)]);
        assert_eq!(duration(100), "1 min");
        assert_eq!(duration(90_000), "1 day 1 h");
    }
}
