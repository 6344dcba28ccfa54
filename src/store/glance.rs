//! The first look at a store: its counts and the rows around one case, without reading every case. Then all of them,
//! piece by piece. Changes nothing.

use std::collections::BTreeMap;

use super::Store;
use super::cases::ORDER;
use super::error::Result;
use crate::model::{Case, CaseId, State, Timestamp};

/// The counts of a queue and some of its rows, in their order: what bounced again or is due, then by arrival.
#[derive(Debug, Default)]
pub struct Glance {
    /// Cases in the queue.
    pub total: usize,
    /// Of these, undecided.
    pub left: usize,
    /// By state.
    pub by_state: BTreeMap<State, usize>,
    /// Could not be fully read.
    pub unread: usize,
    /// Bounced again, or due.
    pub flagged: usize,
    /// How many rows lie before those given.
    pub before: usize,
    /// The rows.
    pub rows: Vec<Case>,
    /// Which of them is the one asked for, or the first undecided one.
    pub at: usize,
}

/// SQL condition: stands in the queue at time `?1`.
const QUEUED: &str = "queued AND (closes IS NULL OR closes > ?1)";
/// SQL condition: goes on top at time `?1`, because it bounced again or its retry is due.
const FLAGGED: &str = "(again OR (state = 'retry' AND due IS NOT NULL AND due <= ?1))";

impl Store {
    /// The counts, and up to `around` rows on each side of a case, or else of the first undecided one.
    pub fn glance(&self, wanted: Option<&CaseId>, around: usize, now: Timestamp) -> Result<Glance> {
        let mut glance = Glance::default();
        let mut plain = 0;
        let (mut found, mut new) = (None, None);
        // The index cases_queue holds all of it.
        let mut query = self.db.prepare_cached(&format!(
            "SELECT id, state, {FLAGGED}, unread FROM cases WHERE {QUEUED} ORDER BY {ORDER}"
        ))?;
        let mut rows = query.query([now.0])?;
        while let Some(row) = rows.next()? {
            let state = State::from_slug(row.get_ref(1)?.as_str().unwrap_or_default()).unwrap_or(State::New);
            let flagged = row.get(2)?;
            *glance.by_state.entry(state).or_insert(0) += 1;
            glance.left += usize::from(flagged || state == State::New);
            glance.unread += usize::from(row.get::<_, bool>(3)?);
            let count = if flagged { &mut glance.flagged } else { &mut plain };
            if wanted.is_some_and(|wanted| row.get_ref(0).is_ok_and(|id| id.as_str() == Ok(&wanted.0))) {
                found = Some((flagged, *count));
            }
            if state == State::New && !flagged && new.is_none() {
                new = Some((false, *count));
            }
            *count += 1;
        }
        glance.total = glance.flagged + plain;
        let first = new.filter(|_| glance.flagged == 0);
        let at = found.or(first).map_or(0, |(flagged, at)| if flagged { at } else { glance.flagged + at });
        glance.before = at.saturating_sub(around);
        glance.at = at - glance.before;
        let most = glance.at + around + 1;
        let top = glance.flagged.saturating_sub(glance.before).min(most);
        if top > 0 {
            glance.rows = self.window(true, glance.before, top, now)?;
        }
        let rest = self.window(false, glance.before.saturating_sub(glance.flagged), most - top, now)?;
        glance.rows.extend(rest);
        Ok(glance)
    }

    /// So many rows behind the first `before`, of those that go on top or of the others.
    fn window(&self, flagged: bool, before: usize, most: usize, now: Timestamp) -> Result<Vec<Case>> {
        // Names first: the index alone steps over what lies before. "+": by these names, not by the index of the order.
        let names =
            format!("SELECT id FROM cases WHERE {QUEUED} AND {FLAGGED} = ?2 ORDER BY {ORDER} LIMIT ?3 OFFSET ?4");
        self.select(&format!("WHERE id IN ({names}) ORDER BY +{ORDER}"), (now.0, flagged, most, before))
    }

    /// Adds cases behind the last of these, in the order of names: all of them, piece by piece. How many were added.
    pub fn more_cases(&self, cases: &mut Vec<Case>, most: usize) -> Result<usize> {
        let known = cases.len();
        let last = cases.last().map_or_else(String::new, |case| case.id.0.clone());
        self.select_into(cases, "WHERE id > ?1 ORDER BY id LIMIT ?2", (last, most))?;
        Ok(cases.len() - known)
    }
}
