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

impl Store {
    /// The counts, and up to `around` rows on each side of a case, or else of the first undecided one.
    pub fn glance(&self, wanted: Option<&CaseId>, around: usize, now: Timestamp) -> Result<Glance> {
        let mut glance = Glance::default();
        let mut first = Vec::new();
        let mut plain: Vec<String> = Vec::new();
        let mut new = None;
        // The index cases_queue holds all of it.
        let mut query = self
            .db
            .prepare_cached(&format!(
                "SELECT id, state, again, due, unread FROM cases WHERE queued AND (closes IS NULL OR closes > ?1) ORDER BY {ORDER}"
            ))?;
        let mut rows = query.query([now.0])?;
        while let Some(row) = rows.next()? {
            let state = State::from_slug(row.get_ref(1)?.as_str().unwrap_or_default()).unwrap_or(State::New);
            let due = row.get::<_, Option<i64>>(3)?;
            let flagged = row.get(2)? || (state == State::Retry && due.is_some_and(|due| due <= now.0));
            let open = flagged || state == State::New;
            *glance.by_state.entry(state).or_insert(0) += 1;
            glance.left += usize::from(open);
            glance.unread += usize::from(row.get::<_, bool>(4)?);
            let list = if flagged { &mut first } else { &mut plain };
            if open && !flagged && new.is_none() {
                new = Some(list.len());
            }
            list.push(row.get(0)?);
        }
        (glance.flagged, glance.total) = (first.len(), first.len() + plain.len());
        let at = wanted.and_then(|wanted| first.iter().chain(&plain).position(|id| *id == wanted.0));
        let at = at.unwrap_or(if first.is_empty() { new.unwrap_or(0) } else { 0 });
        glance.before = at.saturating_sub(around);
        glance.at = at - glance.before;
        for id in first.into_iter().chain(plain).skip(glance.before).take(glance.at + around + 1) {
            glance.rows.extend(self.case(&CaseId(id))?);
        }
        Ok(glance)
    }

    /// Cases behind a name, in the order of names: all of them, piece by piece.
    pub fn cases_after(&self, id: &str, most: usize) -> Result<Vec<Case>> {
        self.select("WHERE id > ?1 ORDER BY id LIMIT ?2", (id, most))
    }
}
