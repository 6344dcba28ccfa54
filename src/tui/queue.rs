//! The rows of the list: which cases, in which order, where the cursor is, what is tagged.
//!
//! Owns counts, filter, sort and cursor. Knows nothing of drawing. Invariants: the cursor follows its case whatever
//! arrives above it; every case of the store is counted, shown or not.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::filter::{Filter, Needle, domain_of, has_text, is_flagged};
use crate::desk::Changes;
use crate::model::{Case, CaseId, Cause, GroupId, State, Timestamp};

/// Order of the rows. What bounced again or is due comes first in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// By arrival.
    #[default]
    Arrival,
    /// By arrival, newest first.
    Newest,
    /// By domain and address.
    Domain,
    /// By cause.
    Cause,
    /// By status code.
    Code,
    /// By reporting server.
    Reporter,
    /// By original message.
    Message,
    /// By state, undecided first.
    State,
}

impl Sort {
    /// Every order with its name.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Arrival, "arrival"),
        (Self::Newest, "newest"),
        (Self::Domain, "domain"),
        (Self::Cause, "cause"),
        (Self::Code, "code"),
        (Self::Reporter, "reporter"),
        (Self::Message, "message"),
        (Self::State, "state"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(sort, _)| *sort == self).map_or("arrival", |(_, name)| name)
    }

    /// The order of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == name).map(|(sort, _)| *sort)
    }
}

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

/// The list.
#[derive(Debug)]
pub struct Queue {
    cases: Vec<Case>,
    index: HashMap<CaseId, usize>,
    /// Shown cases, as positions in `cases`.
    rows: Vec<usize>,
    cursor: usize,
    /// Row at the top of the window.
    pub top: usize,
    filter: Filter,
    sort: Sort,
    only: Option<BTreeSet<CaseId>>,
    tagged: BTreeSet<CaseId>,
    tally: Tally,
    now: Timestamp,
}

impl Queue {
    /// An empty list; `only` limits it for good.
    pub fn new(only: Option<BTreeSet<CaseId>>) -> Self {
        Self {
            cases: Vec::new(),
            index: HashMap::new(),
            rows: Vec::new(),
            cursor: 0,
            top: 0,
            filter: Filter::default(),
            sort: Sort::Arrival,
            only,
            tagged: BTreeSet::new(),
            tally: Tally::default(),
            now: Timestamp(0),
        }
    }

    /// Takes all cases of the store and puts the cursor on the first undecided one.
    pub fn fill(&mut self, cases: Vec<Case>, now: Timestamp) {
        self.cases = cases;
        self.now = now;
        self.reindex();
        self.rebuild();
        self.to_first_undecided();
    }

    /// Takes changed cases; the cursor stays on its case.
    pub fn apply(&mut self, changes: Changes, now: Timestamp) {
        let clock =
            now != self.now && self.cases.iter().any(|case| is_flagged(case, now) != is_flagged(case, self.now));
        self.now = now;
        let mut structural = clock || !changes.removed.is_empty();
        for case in changes.cases {
            match self.index.get(&case.id) {
                Some(&at) => {
                    let old = &self.cases[at];
                    let moves = is_flagged(old, now) != is_flagged(&case, now)
                        || old.received != case.received
                        || self.sort == Sort::State
                        || self.is_shown(old) != self.is_shown(&case)
                        || (self.sort != Sort::Arrival && old.cause != case.cause);
                    structural |= moves;
                    self.count(at, false);
                    self.cases[at] = case;
                    self.count(at, true);
                }
                None => {
                    self.index.insert(case.id.clone(), self.cases.len());
                    self.cases.push(case);
                    structural = true;
                }
            }
        }
        if !changes.removed.is_empty() {
            let gone: BTreeSet<_> = changes.removed.into_iter().collect();
            self.cases.retain(|case| !gone.contains(&case.id));
            self.tagged.retain(|id| !gone.contains(id));
        }
        if structural {
            self.keep_cursor(|queue| {
                queue.cases.sort_by(|a, b| (a.received, &a.id).cmp(&(b.received, &b.id)));
                queue.reindex();
                queue.rebuild();
            });
        }
    }

    /// Tells the time: retries may have come due.
    pub fn tick(&mut self, now: Timestamp) {
        self.apply(Changes::default(), now);
    }

    fn reindex(&mut self) {
        self.index = self.cases.iter().enumerate().map(|(at, case)| (case.id.clone(), at)).collect();
    }

    fn in_scope(&self, case: &Case) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&case.id))
    }

    fn is_shown(&self, case: &Case) -> bool {
        self.in_scope(case) && self.filter.matches(case, self.now, &self.tagged)
    }

    fn count(&mut self, at: usize, add: bool) {
        let Some(case) = self.cases.get(at) else { return };
        if !case.queued || !self.in_scope(case) {
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
    }

    fn rebuild(&mut self) {
        self.tally = Tally::default();
        for at in 0..self.cases.len() {
            self.count(at, true);
        }
        let now = self.now;
        let mut rows: Vec<usize> = (0..self.cases.len()).filter(|&at| self.is_shown(&self.cases[at])).collect();
        let case = |at: &usize| &self.cases[*at];
        match self.sort {
            Sort::Arrival => {}
            Sort::Newest => rows.reverse(),
            Sort::Domain => rows.sort_by_cached_key(|at| {
                (domain_of(&case(at).address).to_lowercase(), case(at).address.to_lowercase())
            }),
            Sort::Cause => rows.sort_by_key(|at| case(at).cause),
            Sort::Code => rows.sort_by_key(|at| (case(at).status.is_none(), case(at).status, case(at).reply_code)),
            Sort::Reporter => rows.sort_by(|a, b| case(a).reporter.cmp(&case(b).reporter)),
            Sort::Message => {
                let mut first: HashMap<&GroupId, usize> = HashMap::new();
                for &at in &rows {
                    first.entry(&self.cases[at].group).or_insert(at);
                }
                rows.sort_by_key(|at| (first.get(&case(at).group).copied(), *at));
            }
            Sort::State => rows.sort_by_key(|at| (!case(at).is_undecided(now), case(at).state)),
        }
        rows.sort_by_key(|at| !is_flagged(case(at), now));
        self.rows = rows;
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
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

    /// The case of a row.
    pub fn row(&self, row: usize) -> Option<&Case> {
        self.cases.get(*self.rows.get(row)?)
    }

    /// The case of this name.
    pub fn case(&self, id: &CaseId) -> Option<&Case> {
        self.cases.get(*self.index.get(id)?)
    }

    /// Every case, shown or not, in order of arrival.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
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
        let at = *self.index.get(id)?;
        self.rows.iter().position(|&row| row == at)
    }

    /// Puts the cursor on a row, or on the last one.
    pub fn go(&mut self, row: usize) {
        self.cursor = row.min(self.rows.len().saturating_sub(1));
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

    /// Shows so many rows with the cursor among them, with a row of context above and below it.
    pub fn scroll_into(&mut self, height: usize) {
        let height = height.max(1);
        let margin = usize::from(height > 4);
        if self.cursor < self.top + margin {
            self.top = self.cursor.saturating_sub(margin);
        }
        if self.cursor + margin + 1 > self.top + height {
            self.top = (self.cursor + margin + 1).saturating_sub(height);
        }
        self.top = self.top.min(self.rows.len().saturating_sub(height));
    }

    /// Puts the cursor on the first undecided row.
    pub fn to_first_undecided(&mut self) {
        let found = (0..self.rows.len()).find(|&row| self.row(row).is_some_and(|case| case.is_undecided(self.now)));
        self.cursor = found.unwrap_or(0);
    }

    /// The next row behind the cursor (before it, going backward; then round) that passes.
    fn seek(&self, forward: bool, passes: impl Fn(&Case) -> bool) -> Option<usize> {
        let all = self.rows.len();
        (1..=all)
            .map(|step| if forward { (self.cursor + step) % all } else { (self.cursor + all - step) % all })
            .find(|&row| self.row(row).is_some_and(&passes))
    }

    /// The next undecided row that is not among some cases.
    pub fn next_undecided(&self, forward: bool, except: &BTreeSet<CaseId>) -> Option<usize> {
        self.seek(forward, |case| case.is_undecided(self.now) && !except.contains(&case.id))
    }

    /// The next row where a text stands.
    pub fn next_hit(&self, needle: &Needle, forward: bool) -> Option<usize> {
        self.seek(forward, |case| has_text(case, needle))
    }

    /// The first row of the next (previous) original message.
    pub fn next_group(&self, forward: bool) -> Option<usize> {
        let own = &self.current()?.group;
        let other = |row: &usize| self.row(*row).is_some_and(|case| case.group != *own);
        if forward {
            return (self.cursor + 1..self.rows.len()).find(other);
        }
        let found = (0..self.cursor).rev().find(other)?;
        let group = &self.row(found)?.group;
        let first = (0..=found).rev().take_while(|&row| self.row(row).is_some_and(|case| case.group == *group)).last();
        first.or(Some(found))
    }

    /// The cases of the same original message that are in the queue.
    pub fn group(&self, group: &GroupId) -> Vec<&Case> {
        self.cases.iter().filter(|case| case.queued && case.group == *group && self.in_scope(case)).collect()
    }

    /// Sets the filter; the cursor stays on its case where that is still shown.
    pub fn set_filter(&mut self, filter: Filter) {
        self.keep_cursor(|queue| {
            queue.filter = filter;
            queue.rebuild();
        });
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

    /// Takes all tags off.
    pub fn untag(&mut self) {
        self.tagged.clear();
    }

    /// Domains that refuse many for one cause, most first.
    pub fn incidents(&self) -> Vec<Incident> {
        let mut found: BTreeMap<(String, Cause), Vec<&Case>> = BTreeMap::new();
        for case in self.cases.iter().filter(|case| case.queued && self.in_scope(case)) {
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
