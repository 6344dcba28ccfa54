//! What a terminal can move by itself instead of being told anew: rows that scroll, text that slides within its row.
//!
//! Pure arithmetic on what is shown and what is wanted; sends nothing.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use super::text;

/// Rows above and below those that only change their place that are tried for moving along.
const BESIDE: usize = 4;
/// The farthest that text is looked for within its row.
const FARTHEST: usize = 24;
/// A slide takes a jump behind it and sometimes a change of style: it must save more cells than that.
const WORTH: usize = 12;

/// Text that moves within its row: from a column on, to the right where positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slide {
    /// The first column that moves.
    pub at: usize,
    /// By how many columns.
    pub by: isize,
}

/// Whether a cell shows nothing at all.
pub(super) fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && cell.fg == Color::Reset && cell.bg == Color::Reset && cell.modifier == Modifier::empty()
}

/// Whether a cell surely takes one column.
pub(super) fn narrow(cell: &Cell) -> bool {
    cell.symbol().is_ascii() || text::width(cell.symbol()) == 1
}

fn weight(a: &[Cell], b: &[Cell]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a != b).count()
}

/// A row after a slide (ECMA-48 8.3.26, 8.3.64): what leaves at the edge is gone, what opens is blank.
pub(super) fn slid(row: &[Cell], Slide { at, by }: Slide) -> Vec<Cell> {
    let (at, count) = (at.min(row.len()), by.unsigned_abs());
    let (before, behind) = row.split_at(at);
    let gap = std::iter::repeat_n(Cell::EMPTY, count);
    let mut found = before.to_vec();
    if by > 0 {
        found.extend(gap.chain(behind.iter().cloned()).take(behind.len()));
    } else {
        found.extend(behind.iter().skip(count).cloned().chain(gap).take(behind.len()));
    }
    found
}

/// The slide that brings most of a row to where it is wanted, if that is worth it. It begins where the row first differs.
pub(super) fn slide(old: &[Cell], new: &[Cell]) -> Option<Slide> {
    let at = old.iter().zip(new).position(|(a, b)| a != b)?;
    let (old, new) = (old.get(at..)?, new.get(at..)?);
    let seen = |a: &[Cell]| a.iter().zip(new).filter(|(a, b)| a != b && !is_blank(b)).count();
    let now = seen(old);
    // Where a wide character stands nothing is sure to move as it should.
    if now <= WORTH || !old.iter().chain(new).all(narrow) {
        return None;
    }
    let moved = |by: isize| {
        let all = slid(old, Slide { at: 0, by });
        Some((now.checked_sub(seen(&all))?, Slide { at, by }))
    };
    let farthest = FARTHEST.min(old.len()) as isize;
    let (saved, best) = (-farthest..=farthest).filter(|by| *by != 0).filter_map(moved).max_by_key(|found| found.0)?;
    (saved > WORTH).then_some(best)
}

/// The rows and distance (up where positive) that save most cells, where it is worth the trouble.
pub(super) fn scroll(shown: &[Vec<Cell>], wanted: &[Vec<Cell>]) -> Option<(usize, usize, isize)> {
    let rows = shown.len();
    let mut best: Option<(usize, (usize, usize, isize))> = None;
    let limit = isize::try_from(rows / 2).unwrap_or(0);
    for shift in (-limit..=limit).filter(|shift| *shift != 0) {
        let mut y = 0;
        while y < rows {
            let from = |y: usize| y.checked_add_signed(shift).filter(|y| *y < rows);
            let first = y;
            let mut gain = 0;
            while y < rows && from(y).is_some_and(|from| wanted[y] == shown[from]) {
                gain += weight(&wanted[y], &shown[y]);
                y += 1;
            }
            if y > first + 1 {
                let (low, high) = if shift > 0 {
                    (first, y - 1 + shift.unsigned_abs())
                } else {
                    (first - shift.unsigned_abs(), y - 1)
                };
                if gain > 80 && best.is_none_or(|(most, _)| gain > most) {
                    best = Some((gain, (low, high, shift)));
                }
            }
            y += 1;
        }
    }
    // Rows beside it may move along though they change a little, such as the one the cursor leaves. What lies in the
    // region and does not move must be painted again: only scroll where that costs less.
    let (_, (top, bottom, shift)) = best?;
    let saved = |top: usize, bottom: usize| {
        let before: usize = (top..=bottom).map(|y| weight(&wanted[y], &shown[y])).sum();
        let after: usize = (top..=bottom)
            .map(|y| match y.checked_add_signed(shift).filter(|from| (top..=bottom).contains(from)) {
                Some(from) => weight(&wanted[y], &shown[from]),
                None => wanted[y].iter().filter(|cell| !is_blank(cell)).count(),
            })
            .sum();
        before.checked_sub(after)
    };
    let tops = top.saturating_sub(BESIDE)..=top;
    let regions = tops.flat_map(|top| (bottom..rows.min(bottom + BESIDE + 1)).map(move |bottom| (top, bottom)));
    let most = regions.filter_map(|(top, bottom)| Some((saved(top, bottom)?, top, bottom))).max_by_key(|found| found.0);
    most.filter(|(saved, ..)| *saved > 40).map(|(_, top, bottom)| (top, bottom, shift))
}
