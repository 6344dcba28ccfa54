//! Messages with several recipients, and cases with several notices, in the list: a mark at the edge in any layout; in the
//! wide one a heading above them and each further notice on a line of its own.
//!
//! How many lines a row takes follows from the cases alone, so that the list stands still while notices are read.

use super::layout;
use super::rows::Row;
use crate::model::Case;
use crate::tui::model::Model;
use crate::tui::queue::Queue;
use crate::tui::text::{clean, cut, width};

/// Further notices of a case that are shown one by one; more than these are counted on the last line.
const SHOWN: u32 = 3;

fn group(queue: &Queue, row: Option<usize>) -> Option<&crate::model::GroupId> {
    queue.row(row?).map(|case| &case.group)
}

/// Whether the row above, and the row below, belong to the same message.
pub fn neighbours(queue: &Queue, row: usize) -> (bool, bool) {
    let own = group(queue, Some(row));
    (own.is_some() && own == group(queue, row.checked_sub(1)), own.is_some() && own == group(queue, row.checked_add(1)))
}

/// How many lines of further notices a case has in the wide layout.
fn further(case: &Case) -> usize {
    case.notices.saturating_sub(1).min(SHOWN) as usize
}

/// How many lines a row takes.
fn lines(queue: &Queue, row: usize, wide: bool) -> usize {
    if !wide {
        return 1;
    }
    let (above, below) = neighbours(queue, row);
    1 + usize::from(below && !above) + queue.row(row).map_or(0, further)
}

/// The cases in sight whose notices are to be read.
pub fn folded(model: &Model) -> Vec<&Case> {
    let found = layout::layout(model.size, false);
    if !found.wide {
        return Vec::new();
    }
    let rows = model.queue.top..model.queue.top + usize::from(found.list.height);
    let unread = |case: &&Case| {
        case.notices > 1 && model.folds.get(&case.id).is_none_or(|fold| fold.len() != case.notices as usize)
    };
    rows.filter_map(|row| model.queue.row(row)).filter(unread).collect()
}

/// The line above the cases of one message.
pub fn heading(model: &Model, row: usize, columns: usize) -> Row {
    let columns = columns.saturating_sub(1);
    let plain = model.setup.theme.get("rule");
    let cases = (row..).take_while(|row| neighbours(&model.queue, *row).1).take(98).count() + 1;
    let subject = model.queue.row(row).and_then(|case| case.subject.clone()).unwrap_or_else(|| "no subject".into());
    let end = format!(" {cases} --");
    let text = cut(&format!("--- {} ", clean(&subject)), columns.saturating_sub(width(&end) + 2));
    let rule = "-".repeat(columns.saturating_sub(width(&text) + width(&end)));
    Row::of(format!("{text}{rule}{end}"), plain)
}

/// The further notices of a case: when each came, and what is different in it.
pub fn notices(model: &Model, case: &Case, mark: char) -> Vec<Row> {
    let style = model.setup.theme.get("hint");
    let Some(fold) = model.folds.get(&case.id) else {
        return vec![Row::of(format!(" {mark}"), style); further(case)];
    };
    let hidden = fold.len().saturating_sub(1 + SHOWN as usize);
    let code = super::list::code(case);
    let line = |(at, notice): (usize, &crate::tui::model::Fold)| {
        let more = if at == 0 && hidden > 0 { format!("   ({hidden} more before it)") } else { String::new() };
        let time = notice.received.format("%d %b %H:%M", &model.setup.zone);
        let same = notice.code == code && notice.cause == case.cause && notice.kind == case.kind;
        let what = match notice.kind {
            _ if same => "same".to_owned(),
            crate::model::Kind::Delay => format!("{} delayed", notice.code),
            _ => format!("{} {}", notice.code, model.words(notice.cause).title),
        };
        Row::of(format!(" {mark}    + {time}   {}{more}", clean(&what)), style)
    };
    fold.iter().skip(1 + hidden).enumerate().map(line).collect()
}

/// Moves the window of the list so that the cursor is in it.
pub fn scroll(model: &mut Model) {
    let found = layout::layout(model.size, false);
    let wide = found.wide;
    model.queue.scroll_into(usize::from(found.list.height), |queue, row| lines(queue, row, wide));
}

/// How many rows the window of the list shows.
pub fn rows_in_sight(model: &Model) -> usize {
    let found = layout::layout(model.size, false);
    let mut left = usize::from(found.list.height);
    let fits = |row: &usize| {
        let rest = left.checked_sub(lines(&model.queue, *row, found.wide));
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    (model.queue.top..).take_while(fits).take(usize::from(found.list.height)).count()
}
