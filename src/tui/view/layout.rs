//! Where things stand for a size of the terminal: narrow, medium and wide, any height. Pure arithmetic.

use ratatui::layout::Rect;

/// Fewest columns with a pane below the list.
pub const MEDIUM: u16 = 60;
/// Fewest columns with the pane beside the list.
pub const WIDE: u16 = 120;
/// Fewest rows with a pane below the list.
const ROWS_FOR_PANE: u16 = 14;
/// Fewest rows with a line for the proposal below the list.
const ROWS_FOR_PROPOSAL: u16 = 7;
/// Rows of the diagnosis at 80x24.
const PANE_ROWS: u16 = 10;

/// Where things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layout {
    /// The line at the top.
    pub status: Option<Rect>,
    /// Column headings.
    pub heading: Option<Rect>,
    /// Rows of the list.
    pub list: Rect,
    /// The line with the names of the panes.
    pub rule: Option<Rect>,
    /// The pane's text.
    pub pane: Option<Rect>,
    /// The second pane of the wide layout (the message that came back), its heading line first.
    pub second: Option<Rect>,
    /// The third (notes), its heading line first.
    pub third: Option<Rect>,
    /// What `a` would do, where no pane says it.
    pub proposal: Option<Rect>,
    /// The line above the keys.
    pub notice: Option<Rect>,
    /// The keys.
    pub keys: Option<Rect>,
    /// Whether the pane stands beside the list.
    pub wide: bool,
}

fn row(width: u16, y: u16) -> Option<Rect> {
    Some(Rect::new(0, y, width, 1))
}

/// The layout of the main screen, or of the pane on the whole screen.
pub fn layout(size: (u16, u16), zoomed: bool) -> Layout {
    let (width, height) = size;
    let mut found = Layout::default();
    if width == 0 || height == 0 {
        return found;
    }
    let mut top = 0;
    let mut bottom = height;
    if height >= 2 {
        bottom -= 1;
        found.keys = row(width, bottom);
    }
    if height >= 5 {
        bottom -= 1;
        found.notice = row(width, bottom);
    }
    if height >= 3 {
        found.status = row(width, 0);
        top = 1;
    }
    let body = Rect::new(0, top, width, bottom - top);
    if zoomed {
        found.pane = Some(body);
        return found;
    }
    if height >= 10 {
        found.heading = row(width, top);
        top += 1;
    }
    let rows = bottom - top;
    if width >= WIDE && height >= 16 {
        return wide(found, body, top, rows);
    }
    found.list = Rect::new(0, top, width, rows);
    if (width < MEDIUM || height < ROWS_FOR_PANE) && height >= ROWS_FOR_PROPOSAL {
        found.list.height -= 1;
        found.proposal = row(width, top + found.list.height);
    }
    if width >= MEDIUM && height >= ROWS_FOR_PANE {
        let pane = if height <= 26 { PANE_ROWS.min(rows * 11 / 20) } else { (rows / 2).clamp(PANE_ROWS, 20) };
        let list = rows - pane - 1;
        found.list.height = list;
        found.rule = row(width, top + list);
        found.pane = Some(Rect::new(0, top + list + 1, width, pane));
    }
    found
}

fn wide(mut found: Layout, body: Rect, top: u16, rows: u16) -> Layout {
    let left = (body.width / 2).clamp(57, 100);
    found.wide = true;
    found.heading = found.heading.map(|heading| Rect { width: left, ..heading });
    found.list = Rect::new(0, top, left, rows);
    let x = left + 2;
    let width = body.width - x;
    let third = if body.height >= 24 { 5 } else { 0 };
    let diagnosis = (body.height / 2).clamp(8, 17).min(body.height.saturating_sub(third + 4));
    let second = body.height - diagnosis - third;
    found.rule = Some(Rect::new(x, body.y, width, 1));
    found.pane = Some(Rect::new(x, body.y + 1, width, diagnosis - 1));
    found.second = Some(Rect::new(x, body.y + diagnosis, width, second));
    if third > 0 {
        found.third = Some(Rect::new(x, body.y + diagnosis + second, width, third));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r14_every_size_has_room_for_the_list_and_nothing_overlaps() {
        for width in (1..200).step_by(7).chain([20, 59, 60, 119, 120]) {
            for height in 1..70 {
                for zoomed in [false, true] {
                    let found = layout((width, height), zoomed);
                    let parts = [
                        found.status,
                        found.heading,
                        Some(found.list),
                        found.rule,
                        found.pane,
                        found.second,
                        found.third,
                        found.proposal,
                        found.notice,
                        found.keys,
                    ];
                    let parts: Vec<Rect> = parts.into_iter().flatten().filter(|rect| rect.area() > 0).collect();
                    let screen = Rect::new(0, 0, width, height);
                    for (at, part) in parts.iter().enumerate() {
                        assert_eq!(part.intersection(screen), *part, "{width}x{height}: {part:?} leaves the screen");
                        for other in &parts[at + 1..] {
                            assert!(!part.intersects(*other), "{width}x{height}: {part:?} and {other:?}");
                        }
                    }
                    assert!(zoomed || found.list.height >= 1, "{width}x{height}");
                }
            }
        }
    }

    #[test]
    fn r14_the_list_at_80_by_24_has_nine_rows() {
        let found = layout((80, 24), false);
        assert_eq!((found.list.height, found.pane.map(|pane| pane.height)), (9, Some(10)));
        assert_eq!(layout((20, 5), false).list.height, 2);
    }
}
