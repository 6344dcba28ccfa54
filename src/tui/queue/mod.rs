//! The rows of the list: which cases, in which order, where the cursor is, what is tagged.
//!
//! Owns counts, filter, sort and cursor. Knows nothing of drawing. Invariants: the cursor follows its case whatever
//! arrives above it; every case of the store is counted, shown or not. Until all cases have been read it holds the rows
//! around the cursor only, under their true numbers, and the counts of the store.

mod incidents;
mod sort;

use std::collections::{BTreeMap, BTreeSet};

pub use incidents::Incident;
pub use sort::Sort;

use super::filter::{Filter, Needle, has_text, is_flagged};
use crate::desk::{Changes, Glance};
use crate::model::{Case, CaseId, GroupId, State, Timestamp};

/// How many cases there are of which kind, in the queue as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
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
}

/// A filter on its way through the cases.
#[derive(Debug)]
pub struct Trial {
    filter: Filter,
    /// Of those tried, the cases that pass.
    rows: Vec<usize>,
    /// How many were tried.
    done: usize,
}

impl Trial {
    /// A filter that was tried on none yet.
    pub fn of(filter: Filter) -> Self {
        Self { filter, rows: Vec::new(), done: 0 }
    }

    /// Forgets what was found so far.
    pub fn begin_anew(&mut self) {
        self.rows.clear();
        self.done = 0;
    }
}

/// The list.
#[derive(Debug)]
pub struct Queue {
    cases: Vec<Case>,
    /// Positions in `cases` in the order of their names: a tenth of the memory of a table of names.
    by_name: Vec<u32>,
    /// Shown cases, as positions in `cases`.
    rows: Vec<usize>,
    /// Where only a part of the rows is known: how many lie before the first known one, and how many there are.
    part: Option<(usize, usize)>,
    cursor: usize,
    /// Row at the top of the window.
    pub top: usize,
    filter: Filter,
    sort: Sort,
    only: Option<BTreeSet<CaseId>>,
    tagged: BTreeSet<CaseId>,
    tally: Tally,
    now: Timestamp,
    /// When the next retry comes due, or the next delay closes.
    next_due: Option<Timestamp>,
}

impl Queue {
    /// An empty list; `only` limits it for good.
    pub fn new(only: Option<BTreeSet<CaseId>>) -> Self {
        Self {
            cases: Vec::new(),
            by_name: Vec::new(),
            rows: Vec::new(),
            part: Some((0, 0)),
            cursor: 0,
            top: 0,
            filter: Filter::default(),
            sort: Sort::Arrival,
            only,
            tagged: BTreeSet::new(),
            tally: Tally::default(),
            now: Timestamp(0),
            next_due: None,
        }
    }

    /// Takes the rows around the cursor, until [`Queue::fill`] brings all of them.
    pub fn show_part(&mut self, glance: Glance, now: Timestamp) {
        self.now = now;
        self.tally = Tally {
            total: glance.total,
            left: glance.left,
            by_state: glance.by_state,
            unread: glance.unread,
            flagged: glance.flagged,
        };
        self.part = Some((glance.before, glance.total));
        self.cursor = glance.before + glance.at;
        self.cases = glance.rows;
        self.rows = (0..self.cases.len()).collect();
        self.reindex();
    }

    /// Takes all cases of the store. The cursor stays on its case, else it goes to the first undecided one.
    pub fn fill(&mut self, mut cases: Vec<Case>, now: Timestamp) {
        let before = self.current().map(|case| case.id.clone());
        let offset = self.cursor.saturating_sub(self.top);
        cases.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
        self.cases = cases;
        self.part = None;
        self.now = now;
        self.reindex();
        self.rebuild();
        match before.filter(|id| self.go_to(id)) {
            Some(_) => self.top = self.cursor.saturating_sub(offset),
            None => self.to_first_undecided(),
        }
    }

    /// Whether every case is known.
    pub fn is_whole(&self) -> bool {
        self.part.is_none()
    }

    /// Takes changed cases; the cursor stays on its case.
    pub fn apply(&mut self, changes: Changes, now: Timestamp) {
        let mut rebuild = self.next_due.is_some_and(|due| due <= now);
        let mut resort = false;
        self.now = now;
        for case in changes.cases {
            match self.position(&case.id) {
                Some(at) => {
                    let old = &self.cases[at];
                    rebuild |= is_flagged(old, now) != is_flagged(&case, now)
                        || self.sort == Sort::State
                        || self.is_shown(old) != self.is_shown(&case)
                        || (self.sort != Sort::Arrival && old.cause != case.cause);
                    resort |= old.order() != case.order();
                    self.count(at, false);
                    self.cases[at] = case;
                    self.count(at, true);
                }
                // What is not known yet comes with the rest.
                None if self.part.is_some() => {}
                None => {
                    // Found by its name once all of them have been taken.
                    self.cases.push(case);
                    resort = true;
                }
            }
        }
        if !changes.removed.is_empty() && self.part.is_none() {
            let gone: BTreeSet<_> = changes.removed.into_iter().collect();
            self.cases.retain(|case| !gone.contains(&case.id));
            self.tagged.retain(|id| !gone.contains(id));
            resort = true;
        }
        if (rebuild || resort) && self.part.is_none() {
            self.keep_cursor(|queue| {
                if resort {
                    queue.cases.sort_by(|a, b| a.order().cmp(&b.order()));
                    queue.reindex();
                }
                queue.rebuild();
            });
        }
    }

    /// Tells the time: retries may have come due, delays have closed.
    pub fn tick(&mut self, now: Timestamp) {
        if self.next_due.is_some_and(|due| due <= now) {
            self.apply(Changes::default(), now);
        }
        self.now = now;
    }

    fn reindex(&mut self) {
        let mut by_name: Vec<u32> = (0..u32::try_from(self.cases.len()).unwrap_or(u32::MAX)).collect();
        by_name.sort_unstable_by(|a, b| self.name_of(*a).cmp(&self.name_of(*b)));
        self.by_name = by_name;
    }

    fn name_of(&self, at: u32) -> Option<&CaseId> {
        self.cases.get(at as usize).map(|case| &case.id)
    }

    /// Where the case of this name stands in `cases`.
    fn position(&self, id: &CaseId) -> Option<usize> {
        let found = self.by_name.binary_search_by(|at| self.name_of(*at).cmp(&Some(id))).ok()?;
        self.by_name.get(found).map(|at| *at as usize)
    }

    fn in_scope(&self, case: &Case) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&case.id))
    }

    fn is_shown(&self, case: &Case) -> bool {
        self.in_scope(case) && self.filter.matches(case, self.now, &self.tagged)
    }

    fn count(&mut self, at: usize, add: bool) {
        let Some(case) = self.cases.get(at) else { return };
        if !case.is_queued(self.now) || !self.in_scope(case) {
            return;
        }
        let (left, flagged) = (case.is_undecided(self.now), is_flagged(case, self.now));
        let step = |n: &mut usize, yes: bool| {
            *n = if add { *n + usize::from(yes) } else { n.saturating_sub(usize::from(yes)) }
        };
        step(&mut self.tally.total, true);
        step(&mut self.tally.left, left);
        step(&mut self.tally.unread, case.unread);
        step(&mut self.tally.flagged, flagged);
        step(self.tally.by_state.entry(case.state).or_insert(0), true);
        let due = case.due.filter(|_| case.state == State::Retry);
        let next = [due, case.closes].into_iter().flatten().filter(|at| *at > self.now).min();
        if add && let Some(at) = next {
            self.next_due = Some(self.next_due.map_or(at, |next| next.min(at)));
        }
    }

    fn rebuild(&mut self) {
        if self.part.is_some() {
            return;
        }
        self.tally = Tally::default();
        self.next_due = None;
        for at in 0..self.cases.len() {
            self.count(at, true);
        }
        self.set_rows((0..self.cases.len()).filter(|&at| self.is_shown(&self.cases[at])).collect());
    }

    /// Takes the rows that are shown, in order of arrival.
    fn set_rows(&mut self, mut rows: Vec<usize>) {
        self.sort.arrange(&mut rows, &self.cases, self.now);
        self.rows = rows;
        self.go(self.cursor);
    }

    fn keep_cursor(&mut self, change: impl FnOnce(&mut Self)) {
        let id = self.current().map(|case| case.id.clone());
        let offset = self.cursor.saturating_sub(self.top);
        change(self);
        if let Some(row) = id.and_then(|id| self.row_of(&id)) {
            self.cursor = row;
            self.top = row.saturating_sub(offset);
        }
    }

    /// The case under the cursor.
    pub fn current(&self) -> Option<&Case> {
        self.row(self.cursor)
    }

    /// How many rows lie before the first known one.
    fn before(&self) -> usize {
        self.part.map_or(0, |(before, _)| before)
    }

    /// The rows that are known.
    fn known(&self) -> std::ops::Range<usize> {
        self.before()..self.before() + self.rows.len()
    }

    /// The case of a row.
    pub fn row(&self, row: usize) -> Option<&Case> {
        self.cases.get(*self.rows.get(row.checked_sub(self.before())?)?)
    }

    /// The case of this name.
    pub fn case(&self, id: &CaseId) -> Option<&Case> {
        self.cases.get(self.position(id)?)
    }

    /// Every case, shown or not, in order of arrival.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.part.map_or(self.rows.len(), |(_, all)| all)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cursor's row.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Counts of the whole queue.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The filter in force.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The order in force.
    pub fn sort(&self) -> Sort {
        self.sort
    }

    /// Whether the list is limited to the cases of some mails.
    pub fn is_limited(&self) -> bool {
        self.only.is_some()
    }

    /// The row of a case.
    pub fn row_of(&self, id: &CaseId) -> Option<usize> {
        let at = self.position(id)?;
        Some(self.before() + self.rows.iter().position(|&row| row == at)?)
    }

    /// Puts the cursor on a row, or on the last one.
    pub fn go(&mut self, row: usize) {
        let known = self.known();
        self.cursor = row.clamp(known.start, known.end.saturating_sub(1).max(known.start));
    }

    /// Puts the cursor on a case; says whether it is shown.
    pub fn go_to(&mut self, id: &CaseId) -> bool {
        let row = self.row_of(id);
        if let Some(row) = row {
            self.cursor = row;
        }
        row.is_some()
    }

    /// Moves the cursor by rows.
    pub fn step(&mut self, by: isize) {
        self.go(self.cursor.saturating_add_signed(by));
    }

    /// Shows the cursor's row in a window of so many lines, with a row of context above and below it. `lines` says how
    /// many lines a row takes.
    pub fn scroll_into(&mut self, height: usize, lines: impl Fn(&Self, usize) -> usize) {
        let height = height.max(1);
        let margin = usize::from(height > 4);
        let known = self.known();
        let last = (self.cursor + margin).min(known.end.saturating_sub(1));
        self.top = self.top.max(known.start).min(self.cursor.saturating_sub(margin).max(known.start));
        // The lowest top that still shows the last row, and the lowest one that leaves no line empty.
        let lowest = |end: usize| {
            let mut left = height;
            let mut row = end;
            while row > known.start {
                let Some(rest) = left.checked_sub(lines(self, row - 1)) else { break };
                (left, row) = (rest, row - 1);
            }
            row
        };
        self.top = self.top.max(lowest(last + 1)).min(lowest(known.end)).min(self.cursor);
    }

    /// Puts the cursor on the first undecided row.
    pub fn to_first_undecided(&mut self) {
        let found = self.known().find(|&row| self.row(row).is_some_and(|case| case.is_undecided(self.now)));
        self.cursor = found.unwrap_or(self.known().start);
    }

    /// The next row behind the cursor (before it, going backward; then round) that passes.
    fn seek(&self, forward: bool, passes: impl Fn(&Case) -> bool) -> Option<usize> {
        let (first, all) = (self.before(), self.rows.len());
        let at = self.cursor.saturating_sub(first);
        (1..=all)
            .map(|step| first + if forward { (at + step) % all } else { (at + all - step) % all })
            .find(|&row| self.row(row).is_some_and(&passes))
    }

    /// The next undecided row that is not among some cases.
    pub fn next_undecided(&self, forward: bool, except: &BTreeSet<CaseId>) -> Option<usize> {
        self.seek(forward, |case| case.is_undecided(self.now) && !except.contains(&case.id))
    }

    /// The first row where a text stands, among so many rows from the `from`th one behind (before) the cursor on, then
    /// round; whether there are rows behind those.
    pub fn next_hit(&self, needle: &Needle, forward: bool, from: usize, most: usize) -> (Option<usize>, bool) {
        let (all, last) = (self.rows.len(), from.saturating_add(most));
        let row = |step: usize| if forward { (self.cursor + step) % all } else { (self.cursor + all - step) % all };
        let hit =
            (from + 1..=last.min(all)).map(row).find(|&row| self.row(row).is_some_and(|case| has_text(case, needle)));
        (hit, last < all)
    }

    /// The first row of the next (previous) original message.
    pub fn next_group(&self, forward: bool) -> Option<usize> {
        let own = &self.current()?.group;
        let other = |row: &usize| self.row(*row).is_some_and(|case| case.group != *own);
        if forward {
            return (self.cursor + 1..self.len()).find(other);
        }
        let found = (0..self.cursor).rev().find(other)?;
        let group = &self.row(found)?.group;
        let first = (0..=found).rev().take_while(|&row| self.row(row).is_some_and(|case| case.group == *group)).last();
        first.or(Some(found))
    }

    /// The cases of the same original message that are in the queue.
    pub fn group(&self, group: &GroupId) -> Vec<&Case> {
        self.cases
            .iter()
            .filter(|case| case.is_queued(self.now) && case.group == *group && self.in_scope(case))
            .collect()
    }

    /// Sets the filter; the cursor stays on its case where that is still shown.
    pub fn set_filter(&mut self, filter: Filter) {
        let mut trial = Trial::of(filter);
        self.try_on(&mut trial, usize::MAX);
        self.filter_as_tried(trial);
    }

    /// Tries a filter on some more cases; says whether it was tried on all of them.
    pub fn try_on(&self, trial: &mut Trial, most: usize) -> bool {
        let upto = trial.done.saturating_add(most).min(self.cases.len());
        let passes = |case: &Case| self.in_scope(case) && trial.filter.matches(case, self.now, &self.tagged);
        let more = (trial.done..upto).filter(|&at| self.cases.get(at).is_some_and(passes));
        let more: Vec<usize> = more.collect();
        trial.rows.extend(more);
        trial.done = upto;
        upto == self.cases.len()
    }

    /// Sets a filter that was tried on every case; the cursor stays on its case where that is still shown, else it begins anew.
    pub fn filter_as_tried(&mut self, trial: Trial) {
        let before = self.current().map(|case| case.id.clone());
        self.keep_cursor(|queue| {
            queue.filter = trial.filter;
            // Of a list that is not known as a whole the rows come with the rest.
            if queue.part.is_none() {
                queue.set_rows(trial.rows);
            }
        });
        if before.is_some_and(|id| self.row_of(&id).is_none()) {
            self.to_first_undecided();
        }
    }

    /// Sets the order.
    pub fn set_sort(&mut self, sort: Sort) {
        self.keep_cursor(|queue| {
            queue.sort = sort;
            queue.rebuild();
        });
    }

    /// Tagged cases.
    pub fn tagged(&self) -> &BTreeSet<CaseId> {
        &self.tagged
    }

    /// Tags a case, or takes the tag off.
    pub fn toggle_tag(&mut self, id: &CaseId) {
        if !self.tagged.remove(id) {
            self.tagged.insert(id.clone());
        }
    }

    /// Tags every row that is shown.
    pub fn tag_shown(&mut self) {
        self.tagged.extend(self.rows.iter().filter_map(|&at| self.cases.get(at)).map(|case| case.id.clone()));
    }

    /// Tags cases, known or not yet.
    pub fn tag_all(&mut self, ids: &[CaseId]) {
        self.tagged.extend(ids.iter().cloned());
    }

    /// Takes all tags off.
    pub fn untag(&mut self) {
        self.tagged.clear();
    }
}
