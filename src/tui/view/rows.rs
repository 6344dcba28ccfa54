//! Lines of styled text: what panes are made of before they reach the screen's buffer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::text;

/// One line: clean pieces with their styles, and something at the right edge.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// From left to right.
    pub pieces: Vec<(String, Style)>,
    /// At the right edge.
    pub right: Option<(String, Style)>,
}

impl Row {
    /// A line of one piece.
    pub fn of(text: impl Into<String>, style: Style) -> Self {
        Self { pieces: vec![(text.into(), style)], right: None }
    }

    /// Adds a piece.
    #[must_use]
    pub fn and(mut self, text: impl Into<String>, style: Style) -> Self {
        self.pieces.push((text.into(), style));
        self
    }

    /// Puts something at the right edge.
    #[must_use]
    pub fn right(mut self, text: impl Into<String>, style: Style) -> Self {
        self.right = Some((text.into(), style));
        self
    }

    /// Its columns, without what stands at the right.
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|(text, _)| text::width(text)).sum()
    }

    /// Draws it into one line of the buffer, cut at the edge.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return;
        }
        let all = usize::from(area.width);
        // What stands at the right yields where the line would be left with too little.
        let right = self.right.as_ref().filter(|(text, _)| text::width(text) + 8 < all);
        let reserved = right.map_or(0, |(text, _)| text::width(text) + usize::from(!text.starts_with(' ')));
        let mut x = area.x;
        let mut room = all - reserved;
        let last = self.pieces.len().saturating_sub(1);
        for (at, (piece, style)) in self.pieces.iter().enumerate() {
            let cut;
            let shown = if text::width(piece) > room || (at < last && room == 0) {
                cut = text::cut(piece, room);
                &cut
            } else {
                piece
            };
            let (next, _) = buffer.set_stringn(x, area.y, shown, room, *style);
            room -= usize::from(next - x).min(room);
            x = next;
        }
        if let Some((text, style)) = right {
            let at = area.right() - u16::try_from(text::width(text)).unwrap_or(area.width);
            buffer.set_stringn(at, area.y, text, reserved, *style);
        }
    }
}

/// Draws lines from `scroll` on.
pub fn draw(rows: &[Row], scroll: usize, area: Rect, buffer: &mut Buffer) {
    for (row, y) in rows.iter().skip(scroll).zip(area.y..area.bottom()) {
        row.draw(Rect::new(area.x, y, area.width, 1), buffer);
    }
}

/// A rule of hyphens with words in it.
pub fn rule(width: u16, words: &[(String, Style)], right: &str, style: Style) -> Row {
    let mut row = Row::of("-", style);
    for (text, piece) in words {
        row = row.and(text.clone(), *piece);
    }
    let right = if right.is_empty() { String::new() } else { format!(" {right} --") };
    let fill = usize::from(width).saturating_sub(row.width() + text::width(&right));
    row.and("-".repeat(fill), style).and(right, style)
}
