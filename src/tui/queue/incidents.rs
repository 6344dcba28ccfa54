//! Incidents: many failures of one domain for one cause within a few days, perhaps with one reason behind all of them.

use std::collections::BTreeMap;

use super::Queue;
use crate::model::{Case, Cause};
use crate::tui::filter::domain_of;

/// Many failures of one domain for one cause: perhaps one reason behind all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Domain of the failed addresses.
    pub domain: String,
    /// Their cause.
    pub cause: Cause,
    /// How many.
    pub cases: usize,
    /// How many of them are undecided.
    pub left: usize,
}

/// Fewest cases that make an incident.
const INCIDENT: usize = 4;
/// An incident's cases arrived within so many days of its newest one.
const INCIDENT_DAYS: i64 = 3;

impl Queue {
    /// Domains that refuse many for one cause, most first.
    pub fn incidents(&self) -> Vec<Incident> {
        let mut found: BTreeMap<(String, Cause), Vec<&Case>> = BTreeMap::new();
        for case in self.cases.iter().filter(|case| case.is_queued(self.now) && self.in_scope(case)) {
            let domain = domain_of(&case.address).to_lowercase();
            if !domain.is_empty() {
                found.entry((domain, case.cause)).or_default().push(case);
            }
        }
        let mut incidents: Vec<Incident> = found
            .into_iter()
            .filter_map(|((domain, cause), cases)| {
                let newest = cases.iter().map(|case| case.last_received).max()?;
                let since = newest.plus_days(-INCIDENT_DAYS);
                let near: Vec<_> = cases.iter().filter(|case| case.last_received >= since).collect();
                let left = near.iter().filter(|case| case.is_undecided(self.now)).count();
                (near.len() >= INCIDENT).then_some(Incident { domain, cause, cases: near.len(), left })
            })
            .collect();
        incidents.sort_by_key(|incident| std::cmp::Reverse((incident.left, incident.cases)));
        incidents
    }
}
