//! Draws the screen from the model. Routes only; changes nothing.

pub mod bars;
pub mod diagnosis;
mod dialogs;
mod facts;
pub mod folds;
pub mod layout;
pub mod list;
pub mod pages;
pub mod reader;
pub mod rows;

use ratatui::Frame;
use ratatui::layout::Rect;

use self::layout::Layout;
use self::rows::{Row, rule};
use super::model::{Layer, Model, Pane};
use super::page::Page;

/// Draws everything.
pub fn view(model: &Model, frame: &mut Frame) {
    let found = layout::layout(model.size, model.zoomed);
    let page = model.layers.iter().rev().find_map(|layer| match layer {
        Layer::Page(page) => Some(page),
        _ => None,
    });
    match page {
        Some(page) => draw_page(page, model, &layout::layout(model.size, true), frame),
        None if model.zoomed => reader_screen(model, &found, frame),
        None => main(model, &found, frame),
    }
    notice(model, &found, frame);
    one(found.keys, &bars::keys(model), frame);
    let foot = found.notice.or(found.keys).unwrap_or(frame.area());
    let body = Rect::new(0, 0, model.size.0, foot.y);
    match model.layers.last() {
        Some(Layer::Correct(dialog)) => dialogs::correct(dialog, model, below_status(body), frame),
        Some(Layer::Prompt(prompt)) => {
            dialogs::prompt(prompt, model, Rect { height: 1.min(foot.height), ..foot }, frame)
        }
        Some(Layer::Menu(menu)) => dialogs::menu(menu, model, body, frame),
        Some(Layer::Confirm(confirm)) => dialogs::confirm(confirm, model, body, frame),
        Some(Layer::Page(_)) | None => {}
    }
}

/// The line above the keys. What failed, and what to do about it, is worth the lines above that: never the one that tells
/// what `a` would do.
fn notice(model: &Model, found: &Layout, frame: &mut Frame) {
    let Some(place) = found.notice else { return };
    let rows = bars::notice(model, if found.proposal.is_none() { usize::from(place.y / 4).max(1) } else { 1 });
    for (row, y) in rows.iter().rev().zip((0..=place.y).rev()) {
        let place = Rect { y, ..place };
        dialogs::clear(place, frame);
        row.draw(place, frame.buffer_mut());
    }
}

fn below_status(body: Rect) -> Rect {
    if body.height > 8 { Rect { y: body.y + 1, height: body.height - 1, ..body } } else { body }
}

fn one(place: Option<Rect>, row: &Row, frame: &mut Frame) {
    if let Some(place) = place {
        row.draw(place, frame.buffer_mut());
    }
}

/// The lines of a pane.
pub fn pane_rows(model: &Model, pane: Pane, columns: usize, small: Option<usize>) -> Vec<Row> {
    match pane {
        Pane::Diagnosis => diagnosis::rows(model, columns, small),
        Pane::Returned => reader::returned(model, columns),
        Pane::Raw => reader::raw(model, columns).into_iter().map(|(_, row)| row).collect(),
        Pane::Notes => reader::notes(model, columns, true),
    }
}

fn main(model: &Model, found: &Layout, frame: &mut Frame) {
    one(found.status, &bars::status(model), frame);
    if let Some(place) = found.heading {
        list::heading(model, found).draw(place, frame.buffer_mut());
    }
    list::draw(model, found, frame.buffer_mut());
    if found.wide {
        return wide(model, found, frame);
    }
    one(found.proposal, &bars::proposal(model), frame);
    if let Some(place) = found.rule {
        tabs(model, place.width).draw(place, frame.buffer_mut());
    }
    if let Some(place) = found.pane {
        let small = (model.pane == Pane::Diagnosis).then_some(usize::from(place.height));
        let rows = pane_rows(model, model.pane, usize::from(place.width), small);
        rows::draw(&rows, model.reading.scroll.min(rows.len().saturating_sub(1)), place, frame.buffer_mut());
    }
}

/// The line with the names of the panes, and the place in the group.
fn tabs(model: &Model, columns: u16) -> Row {
    let theme = &model.setup.theme;
    let plain = theme.get("rule");
    let mut words = Vec::new();
    for (at, pane) in Pane::ALL.into_iter().enumerate() {
        let count = match (pane, model.current()) {
            (Pane::Notes, Some(detail)) if !detail.notes.is_empty() => format!("({})", detail.notes.len()),
            _ => String::new(),
        };
        let name = format!("{} {}{count}", at + 1, bars::pane_name(pane));
        words.push(if pane == model.pane {
            (format!("[{name}]"), theme.get("tab"))
        } else {
            (format!(" {name} "), plain)
        });
        words.push(("-".to_owned(), plain));
    }
    let right = if model.pane == Pane::Raw { evidence(model) } else { group(model) };
    rule(columns, &words, &right, plain)
}

/// Which of the lines that the diagnosis rests on is marked.
fn evidence(model: &Model) -> String {
    match reader::evidence(model).len() {
        0 => String::new(),
        all => format!("evidence {} of {all}", model.reading.evidence + 1),
    }
}

fn group(model: &Model) -> String {
    let Some(detail) = model.current().filter(|detail| detail.group.len() > 1) else { return String::new() };
    let at = detail.group.iter().position(|case| case.id == detail.case.id).map_or(1, |at| at + 1);
    format!("recipient {at} of {}", detail.group.len())
}

fn wide(model: &Model, found: &Layout, frame: &mut Frame) {
    let theme = &model.setup.theme;
    let plain = theme.get("rule");
    let heading =
        |name: &str, right: &str, width: u16| rule(width, &[(format!(" {name} "), theme.get("tab"))], right, plain);
    if let Some(place) = found.rule {
        for y in place.y..found.notice.map_or(place.y, |notice| notice.y) {
            Row::of("|", plain).draw(Rect::new(place.x - 2, y, 1, 1), frame.buffer_mut());
        }
    }
    // The pane that was chosen takes the first or second place; the diagnosis stays in sight.
    if let (Some(place), Some(body)) = (found.rule, found.pane) {
        heading("1 Diagnosis", &group(model), place.width).draw(place, frame.buffer_mut());
        let rows = diagnosis::rows(model, usize::from(body.width), Some(usize::from(body.height)));
        rows::draw(&rows, 0, body, frame.buffer_mut());
    }
    if let Some(place) = found.second {
        let pane = if model.pane == Pane::Raw { Pane::Raw } else { Pane::Returned };
        let body = Rect { y: place.y + 1, height: place.height.saturating_sub(1), ..place };
        let rows = pane_rows(model, pane, usize::from(body.width), None);
        let height = usize::from(body.height);
        let scroll = if matches!(model.pane, Pane::Raw | Pane::Returned) { model.reading.scroll } else { 0 };
        let scroll = scroll.min(rows.len().saturating_sub(height));
        let name =
            format!("{} {}", bars::pane_number(pane), if pane == Pane::Raw { "Raw mail" } else { "Returned message" });
        let place_in = if rows.len() > height {
            format!("{}-{} of {}", scroll + 1, (scroll + height).min(rows.len()), rows.len())
        } else {
            String::new()
        };
        heading(&name, &place_in, place.width).draw(Rect { height: 1, ..place }, frame.buffer_mut());
        rows::draw(&rows, scroll, body, frame.buffer_mut());
    }
    if let Some(place) = found.third {
        heading("4 Notes", "", place.width).draw(Rect { height: 1, ..place }, frame.buffer_mut());
        let body = Rect { y: place.y + 1, height: place.height.saturating_sub(1), ..place };
        let rows = reader::notes(model, usize::from(body.width), false);
        let scroll = rows.len().saturating_sub(usize::from(body.height));
        rows::draw(&rows, scroll, body, frame.buffer_mut());
    }
}

/// A pane on the whole screen.
fn reader_screen(model: &Model, found: &Layout, frame: &mut Frame) {
    let Some(place) = found.pane else { return };
    let rows = pane_rows(model, model.pane, usize::from(place.width), None);
    let height = usize::from(place.height);
    let scroll = model.reading.scroll.min(rows.len().saturating_sub(height));
    let shown = if rows.len() > height { rows.len() } else { 0 };
    one(found.status, &bars::reader_status(model, scroll, height, shown), frame);
    rows::draw(&rows, scroll, place, frame.buffer_mut());
}

fn draw_page(page: &Page, model: &Model, found: &Layout, frame: &mut Frame) {
    let Some(place) = found.pane else { return };
    let theme = &model.setup.theme;
    let rows = pages::rows(page, model, usize::from(place.width));
    let height = usize::from(place.height);
    let scroll = page.scroll.min(rows.len().saturating_sub(height));
    if let Some(head) = found.status {
        let pattern =
            if page.typing || !page.pattern.is_empty() { format!(" /{} ", page.pattern) } else { String::new() };
        let lines = if rows.len() > height {
            format!("{}-{} of {}", scroll + 1, (scroll + height).min(rows.len()), rows.len())
        } else {
            String::new()
        };
        let words = [
            (format!("[{}]", pages::title(page, model)), theme.get("tab")),
            (super::text::clean(&pattern).into_owned(), theme.get("key")),
        ];
        rule(head.width, &words, &lines, theme.get("rule")).draw(head, frame.buffer_mut());
    }
    rows::draw(&rows, scroll, place, frame.buffer_mut());
}
