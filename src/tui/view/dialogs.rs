//! What lies over the main screen: the correct-address dialog, prompts, menus, questions.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use super::rows::{Row, draw, rule};
use crate::suggest::{Finding, Level};
use crate::tui::confirm::Confirm;
use crate::tui::correct::{Correct, Field};
use crate::tui::edit::Line;
use crate::tui::menu::Menu;
use crate::tui::model::Model;
use crate::tui::prompt::Prompt;
use crate::tui::text::{clean, cut, fit, width, wrap};

/// Puts the terminal's cursor somewhere, where that is on the screen.
fn cursor(frame: &mut Frame, x: usize, y: u16) {
    let area = frame.area();
    if let Ok(x) = u16::try_from(x)
        && x < area.width
        && y < area.height
    {
        frame.set_cursor_position(Position { x, y });
    }
}

/// The prompt on the line above the keys; its remark on the line above it.
pub(super) fn prompt(prompt: &Prompt, model: &Model, place: Rect, frame: &mut Frame) {
    let theme = &model.setup.theme;
    let label = prompt.label();
    let room = usize::from(place.width).saturating_sub(width(label) + 2);
    let (shown, at) = prompt.line.window(room);
    let row = Row::of(format!(" {label}"), theme.get("label")).and(fit(&shown, room), theme.get("text"));
    clear(place, frame);
    row.draw(place, frame.buffer_mut());
    if !prompt.remark.is_empty() {
        remark(&clean(&prompt.remark), model, place, frame);
    }
    cursor(frame, usize::from(place.x) + 1 + width(label) + at, place.y);
}

/// What is to be said of what was typed, on as many of the lines above it as that takes; at most a third of the screen.
fn remark(text: &str, model: &Model, place: Rect, frame: &mut Frame) {
    let mut lines = wrap(text, usize::from(place.width).saturating_sub(2).max(8));
    let most = usize::from(place.y / 3).max(1);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = cut(&format!("{last} ..."), usize::from(place.width).saturating_sub(2));
        }
    }
    for (line, y) in lines.iter().rev().zip((0..place.y).rev()) {
        let above = Rect { y, ..place };
        clear(above, frame);
        Row::of(format!(" {line}"), model.setup.theme.get("warning")).draw(above, frame.buffer_mut());
    }
}

/// Blanks an area.
pub(super) fn clear(area: Rect, frame: &mut Frame) {
    use ratatui::widgets::{Clear, Widget};
    let area = area.intersection(frame.area());
    Clear.render(area, frame.buffer_mut());
}

/// A panel of lines at the foot of an area, under a rule with a title. Returns the area of its lines.
fn panel(title: &str, rows: &[Row], area: Rect, model: &Model, frame: &mut Frame) -> Rect {
    let theme = &model.setup.theme;
    let wanted = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(1);
    let height = wanted.min(area.height);
    let place = Rect { y: area.bottom() - height, height, ..area };
    clear(place, frame);
    let words = [(format!("[{}]", clean(title)), theme.get("tab"))];
    let buffer = frame.buffer_mut();
    rule(place.width, &words, "", theme.get("rule")).draw(Rect { height: 1.min(height), ..place }, buffer);
    let inner = Rect { y: place.y + height.min(1), height: height.saturating_sub(1), ..place };
    draw(rows, 0, inner, buffer);
    inner
}

/// A line of a menu with all its words, on as many lines as they take.
fn item_lines(item: &crate::tui::menu::Item, model: &Model, columns: usize) -> Vec<Row> {
    let theme = &model.setup.theme;
    let lines = wrap(&clean(&item.label), columns.saturating_sub(5).max(8)).into_iter().enumerate();
    lines
        .map(|(at, line)| {
            let key = if at == 0 { item.key } else { ' ' };
            Row::of(format!(" {key} "), theme.get("key")).and(format!(" {line}"), theme.get("text"))
        })
        .collect()
}

/// A menu.
pub(super) fn menu(menu: &Menu, model: &Model, area: Rect, frame: &mut Frame) {
    let theme = &model.setup.theme;
    let columns = usize::from(area.width);
    let line = |item: &crate::tui::menu::Item, room: usize| {
        Row::of(format!(" {} ", item.key), theme.get("key"))
            .and(format!(" {}", fit(&clean(&item.label), room.saturating_sub(5))), theme.get("text"))
    };
    let single = menu.items.len() < usize::from(area.height) || columns < 60;
    let whole: Vec<Row> = menu.items.iter().flat_map(|item| item_lines(item, model, columns)).collect();
    let rows: Vec<Row> = if whole.len() < usize::from(area.height) {
        whole
    } else if single {
        menu.items.iter().map(|item| line(item, columns)).collect()
    } else {
        let half = menu.items.len().div_ceil(2);
        let (left, right) = menu.items.split_at(half);
        let pair = |(at, item): (usize, &crate::tui::menu::Item)| {
            let mut row = line(item, columns / 2);
            if let Some(other) = right.get(at) {
                row.pieces.extend(line(other, columns / 2).pieces);
            }
            row
        };
        left.iter().enumerate().map(pair).collect()
    };
    panel(&menu.title, &rows, area, model, frame);
}

/// A question.
pub(super) fn confirm(confirm: &Confirm, model: &Model, area: Rect, frame: &mut Frame) {
    let theme = &model.setup.theme;
    let mut rows: Vec<Row> = wrap(&clean(&confirm.question), usize::from(area.width).saturating_sub(2))
        .into_iter()
        .map(|line| Row::of(format!(" {line}"), theme.get("warning")))
        .collect();
    rows.push(
        Row::of(format!(" {} ", confirm.key), theme.get("key")).and("yes    any other key: no", theme.get("text")),
    );
    panel("Sure?", &rows, area, model, frame);
}

/// A field of the dialog: its label, its text, and the column of the cursor in it.
fn input(label: &str, line: &Line, here: bool, columns: usize, model: &Model) -> (Row, usize) {
    let theme = &model.setup.theme;
    let room = columns.saturating_sub(12).max(1);
    let (shown, at) = line.window(room);
    let style = if here { "address" } else { "text" };
    (Row::of(format!(" {label:<9} "), theme.get("label")).and(shown, theme.get(style)), 11 + at)
}

/// The lines of the correct-address dialog, and where its two fields for text are: row and column of the cursor.
struct Sheet {
    rows: Vec<Row>,
    address: (usize, usize),
    note: (usize, usize),
}

/// The correct-address dialog. Reasons are whole where there is room for them; the fields come first.
pub(super) fn correct(dialog: &Correct, model: &Model, area: Rect, frame: &mut Frame) {
    let fits = |sheet: &Sheet| sheet.rows.len() < usize::from(area.height);
    let whole = Some(sheet(dialog, model, area, true)).filter(fits);
    let Sheet { rows, address, note } = whole.unwrap_or_else(|| sheet(dialog, model, area, false));
    let inner = panel("Correct address", &rows, area, model, frame);
    let (row, at) = match dialog.field {
        Field::Address => address,
        Field::Note => note,
        Field::Scope(_) => return,
    };
    if let Ok(row) = u16::try_from(row)
        && row < inner.height
    {
        cursor(frame, usize::from(inner.x) + at, inner.y + row);
    }
}

fn sheet(dialog: &Correct, model: &Model, area: Rect, whole: bool) -> Sheet {
    let theme = &model.setup.theme;
    let columns = usize::from(area.width);
    let text = theme.get("text");
    let mut rows = Vec::new();
    rows.push(Row::of(format!(" {:<9} ", "Failed"), theme.get("label")).and(clean(&dialog.failed), text));
    let (row, address_at) = input("New", &dialog.address, dialog.field == Field::Address, columns, model);
    let address = (rows.len(), address_at);
    rows.push(row);
    let roomy = area.height > 14;
    if roomy {
        rows.push(Row::default());
    }
    rows.extend(candidates(dialog, model, columns, whole));
    if roomy {
        rows.push(Row::default());
    }
    rows.extend(checks(dialog, model, columns));
    if dialog.alone {
        let words = "no other undecided case of this message is at this domain";
        rows.push(Row::of(format!(" {:<9} ", "Also for"), theme.get("label")).and(words, theme.get("hint")));
    }
    for (at, scope) in dialog.scopes.iter().enumerate() {
        let mark = if scope.on { "[x]" } else { "[ ]" };
        let label = if at == 0 && !dialog.alone { "Also for" } else { "" };
        let here = dialog.field == Field::Scope(at);
        let words = format!("{mark} {} {}", scope.cases.len(), scope.label);
        let style = if here { theme.get("selected") } else { text };
        for (line, words) in wrap(&words, columns.saturating_sub(12).max(8)).into_iter().enumerate() {
            let (label, indent) = if line == 0 { (label, "") } else { ("", "    ") };
            rows.push(Row::of(format!(" {label:<9} {indent}"), theme.get("label")).and(words, style));
        }
    }
    let (row, note_at) = input("Note", &dialog.note, dialog.field == Field::Note, columns, model);
    let note = (rows.len(), note_at);
    rows.push(row);
    let words = "Nothing is sent: the new address goes to the journal and the export.";
    let lines = wrap(words, columns.saturating_sub(2).max(8));
    rows.extend(lines.into_iter().map(|line| Row::of(format!(" {line}"), theme.get("hint"))));
    Sheet { rows, address, note }
}

/// The suggested addresses under their numbers, each with its reason: `whole`, or as much of it as its line holds.
fn candidates(dialog: &Correct, model: &Model, columns: usize, whole: bool) -> Vec<Row> {
    let theme = &model.setup.theme;
    if dialog.suggestions.is_empty() {
        return vec![Row::of("   no suggestion: type the right address", theme.get("hint"))];
    }
    let style = theme.get(if dialog.takes() == 0 { "hint" } else { "text" });
    let widest = dialog.suggestions.iter().map(|(address, _)| width(&clean(address))).max().unwrap_or(0);
    let longest = if whole { widest } else { widest.min(columns / 2) };
    // Beside the address, or on lines of its own where that leaves it too little room.
    let beside = columns.saturating_sub(longest + 8);
    let mut rows = Vec::new();
    for (number, (address, because)) in (1..).zip(&dialog.suggestions) {
        let because = clean(because);
        let row = Row::of(format!("   {number} "), theme.get("key"))
            .and(format!(" {}  ", fit(&clean(address), longest)), style);
        if !whole || width(&because) <= beside {
            rows.push(row.and(because, theme.get("hint")));
            continue;
        }
        rows.push(row);
        let below = wrap(&because, columns.saturating_sub(9).max(8)).into_iter();
        rows.extend(below.map(|line| Row::of(format!("        {line}"), theme.get("hint"))));
    }
    rows
}

fn checks(dialog: &Correct, model: &Model, columns: usize) -> Vec<Row> {
    let theme = &model.setup.theme;
    let label = |text: &str| Row::of(format!(" {text:<9} "), theme.get("label"));
    if !dialog.address.touched {
        let words = if dialog.is_suspect {
            "the cursor stands where the address looks wrong"
        } else {
            "it was not the address that was refused; type another one if there is one"
        };
        let lines = wrap(words, columns.saturating_sub(12).max(8)).into_iter().enumerate();
        let name = |at| if at == 0 { "Checks" } else { "" };
        return lines.map(|(at, line)| label(name(at)).and(line, theme.get("hint"))).collect();
    }
    let mut rows = Vec::new();
    let room = columns.saturating_sub(12).max(8);
    if dialog.level() != Some(Level::Error) && dialog.checked.is_some() {
        for (at, line) in wrap("syntax ok, not the failed address", room).into_iter().enumerate() {
            rows.push(label(if at == 0 { "Checks" } else { "" }).and(line, theme.get("text")));
        }
    }
    // What is wrong in several places is said once.
    let mut said: Vec<&Finding> = Vec::new();
    for finding in dialog.said() {
        if !said.iter().any(|other| other.message == finding.message) {
            said.push(finding);
        }
    }
    for finding in said.into_iter().take(3) {
        let (mark, style) = match finding.level {
            Level::Error => ("! ", "error"),
            Level::Warning => ("! ", "warning"),
            Level::Note => ("", "text"),
        };
        let more = match finding.level {
            _ if finding.instead.is_some() && dialog.instead().is_some() => " (Right takes it)",
            Level::Warning if dialog.warned => " (Enter again saves it all the same)",
            _ => "",
        };
        for line in wrap(&clean(&format!("{mark}{}{more}", finding.message)), room) {
            let name = if rows.is_empty() { "Checks" } else { "" };
            rows.push(label(name).and(line, theme.get(style)));
        }
    }
    if rows.is_empty() {
        rows.push(label("Checks"));
    }
    rows
}
