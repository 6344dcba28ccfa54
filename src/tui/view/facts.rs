//! Facts under labels, and how they are made to fit a pane. Knows nothing of what they say.

use super::rows::Row;
use crate::tui::model::Model;
use crate::tui::text::{clean, cut, width, wrap};

/// Columns of the labels.
const LABEL: usize = 13;

/// Fewest columns with a column of labels.
const NARROW: usize = 40;

/// A fact under its label, as many lines as it takes.
struct Fact {
    label: String,
    lines: Vec<String>,
    style: &'static str,
    right: String,
    /// Who gets room first where there is too little of it; 0 is first.
    rank: u8,
    /// Lines it usually takes.
    usual: usize,
    /// What it says where there is no room for all of it.
    brief: String,
}

/// The rank of what only says that something is missing: it goes where room is missing too.
pub(super) const EMPTY: u8 = 8;

/// Whether a text has room at the right of a fact's first line.
fn fits_beside(fact: &Fact, text: &str, room: usize) -> bool {
    fact.lines.first().map_or(0, |line| width(line)) + width(text) + 2 <= room
}

/// Gathers facts.
pub(super) struct Lines<'a> {
    pub(super) model: &'a Model,
    width: usize,
    facts: Vec<Fact>,
}

impl<'a> Lines<'a> {
    /// None yet.
    pub(super) fn new(model: &'a Model, width: usize) -> Self {
        Self { model, width, facts: Vec::new() }
    }

    // Too narrow for a column of labels: the label leads the text.
    fn gap(&self) -> usize {
        if self.width < NARROW { 0 } else { LABEL - 1 }
    }

    fn room(&self) -> usize {
        self.width.saturating_sub(self.gap() + 2).max(8)
    }

    /// Adds a fact; the lower its rank, the sooner it gets room.
    pub(super) fn fact(&mut self, label: &str, value: &str, style: &'static str, rank: u8) {
        let narrow = self.gap() == 0;
        let led = if narrow && !label.is_empty() { format!("{label}: {value}") } else { value.to_owned() };
        let label = if narrow { String::new() } else { label.to_owned() };
        let lines = wrap(&clean(&led), self.room());
        self.facts.push(Fact { label, lines, style, right: String::new(), rank, usual: 1, brief: String::new() });
    }

    /// The last fact usually takes two lines.
    pub(super) fn two(&mut self) {
        if let Some(fact) = self.facts.last_mut() {
            fact.usual = 2;
        }
    }

    /// What the last fact says in one line where there is no room for all of it.
    pub(super) fn brief(&mut self, text: &str) {
        let (text, room) = (clean(text).into_owned(), self.room());
        if let Some(fact) = self.facts.last_mut().filter(|_| width(&text) <= room) {
            fact.brief = text;
        }
    }

    /// Puts something at the right of the last fact, or below it where it would cut it.
    pub(super) fn right(&mut self, text: &str) {
        let (text, room) = (clean(text), self.room());
        if let Some(fact) = self.facts.last_mut() {
            if fits_beside(fact, &text, room) {
                fact.right = format!("{text} ");
            } else {
                fact.lines.extend(wrap(&text, room));
            }
        }
    }

    /// Puts a hint at the right of the last fact where there is room for it.
    pub(super) fn hint(&mut self, text: &str) {
        let room = self.room();
        if let Some(fact) = self.facts.last_mut().filter(|fact| fits_beside(fact, text, room)) {
            fact.right = format!("{} ", clean(text));
        }
    }

    /// Lines of all of them.
    pub(super) fn height(&self) -> usize {
        self.facts.iter().map(|fact| fact.lines.len()).sum()
    }

    /// Makes the facts fit: each keeps its first line, then as many as possible are whole, those that matter most first.
    pub(super) fn fit(&mut self, height: usize) {
        let lacks = |facts: &[Fact]| facts.iter().map(|fact| fact.lines.len()).sum::<usize>() > height;
        while self.facts.len() > height.max(1) || lacks(&self.facts) {
            let last = self.facts.iter().enumerate().max_by_key(|(at, fact)| (fact.rank, *at));
            let Some((last, _)) = last.filter(|(_, fact)| self.facts.len() > height.max(1) || fact.rank >= EMPTY)
            else {
                break;
            };
            self.facts.remove(last);
        }
        let room = self.room().saturating_sub(1);
        let mut kept = vec![1; self.facts.len()];
        let mut spare = height.saturating_sub(kept.len());
        let mut order: Vec<usize> = (0..kept.len()).collect();
        // Who can say it in short waits for those who cannot.
        order.sort_by_key(|at| self.facts.get(*at).map(|fact| (!fact.brief.is_empty(), fact.rank)));
        let wanted: Vec<usize> = self.facts.iter().map(|fact| fact.lines.len()).collect();
        for &at in &order {
            let missing = wanted[at].saturating_sub(kept[at]);
            if missing <= spare {
                kept[at] += missing;
                spare -= missing;
            }
        }
        for &at in order.iter().filter(|at| self.facts.get(**at).is_some_and(|fact| fact.brief.is_empty())) {
            let more = wanted[at].saturating_sub(kept[at]).min(spare);
            kept[at] += more;
            spare -= more;
        }
        // Room that nobody needs keeps the labels below these in their place from case to case.
        for (fact, kept) in self.facts.iter_mut().zip(&kept) {
            if fact.usual > *kept && spare > 0 {
                fact.lines.push(String::new());
                spare -= 1;
            }
        }
        for (fact, (most, wanted)) in self.facts.iter_mut().zip(kept.into_iter().zip(wanted)) {
            if wanted > most && !fact.brief.is_empty() {
                fact.lines = vec![std::mem::take(&mut fact.brief)];
            } else if wanted > most {
                let rest = fact.lines.split_off(most);
                if let Some(last) = fact.lines.last_mut() {
                    // A long word that did not fit is better shown in part than a line left empty.
                    if width(last) < room * 2 / 3 {
                        last.push(' ');
                        last.push_str(&rest.join(" "));
                    }
                    let shown = cut(&format!("{last} …"), room);
                    *last = format!("{}~", shown.trim_end_matches([' ', '…', '~']));
                }
            }
        }
    }

    /// Under their labels.
    pub(super) fn rows(self) -> Vec<Row> {
        let gap = self.gap();
        let theme = &self.model.setup.theme;
        let mut rows = Vec::with_capacity(self.height());
        for fact in self.facts {
            for (at, line) in fact.lines.into_iter().enumerate() {
                let label = if at == 0 { fact.label.as_str() } else { "" };
                let row = Row::of(format!(" {label:<gap$}"), theme.get("label")).and(line, theme.get(fact.style));
                let first = at == 0 && !fact.right.is_empty();
                rows.push(if first { row.right(fact.right.clone(), theme.get("hint")) } else { row });
            }
        }
        rows
    }
}
