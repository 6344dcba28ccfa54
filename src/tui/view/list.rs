//! The list: one row per case, only the visible ones laid out.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::folds;
use super::layout::{Layout, MEDIUM};
use super::rows::Row;
use crate::model::{Case, Kind, State};
use crate::tui::filter::is_flagged;
use crate::tui::model::Model;
use crate::tui::text::{clean, cut, fit, width};

/// Who a case is about, for a row or a message: the failed address, else the subject of what could not be read.
pub fn who(case: &Case) -> String {
    if case.address.is_empty() {
        return format!("? {}", case.subject.as_deref().unwrap_or("no subject"));
    }
    case.address.to_string()
}

/// The code of a case: its status, else its reply code.
pub fn code(case: &Case) -> String {
    match (case.status, case.reply_code) {
        (Some(status), _) => status.to_string(),
        (None, Some(reply)) => reply.to_string(),
        (None, None) => "-".to_owned(),
    }
}

/// Why it failed, in the words of the list.
fn why(model: &Model, case: &Case) -> String {
    let title = &model.words(case.cause).title;
    match case.kind {
        _ if case.address.is_empty() => "not a bounce?".to_owned(),
        Kind::Delay if case.is_silent(model.now) => "delayed, no failure seen".to_owned(),
        Kind::Delay => format!("delayed: {title}"),
        Kind::Complaint => "reported as spam".to_owned(),
        _ if title.is_empty() => case.cause.slug().replace('-', " "),
        _ => title.clone(),
    }
}

/// The longest words for a cause: no row needs more.
const WHY: usize = 24;

/// A column at the right edge.
struct Further {
    title: &'static str,
    /// From which width of the list on it is shown.
    from: usize,
    /// It takes a sixth of the room, within these bounds.
    least: usize,
    most: usize,
    /// What stands in it; cleaned and cut to its width by the list.
    cell: fn(&Model, &Case) -> String,
}

impl Further {
    fn width(&self, list: usize, room: usize) -> usize {
        if list < self.from { 0 } else { (room / 6).clamp(self.least, self.most) }
    }
}

/// The columns at the right edge, in their order; address and cause share what these leave.
const FURTHER: &[Further] = &[Further {
    title: "Reporter",
    from: 100,
    least: 10,
    most: 24,
    cell: |_, case| case.reporter.as_deref().unwrap_or("-").to_owned(),
}];

/// Widths of the columns; 0 leaves one out. How often a case bounced stands at the end of the address's column.
struct Columns {
    number: usize,
    marks: usize,
    code: usize,
    address: usize,
    why: usize,
    further: Vec<usize>,
}

impl Columns {
    fn of(model: &Model, list: Rect, wide: bool) -> Self {
        let all = usize::from(list.width);
        let mut columns = Self { number: 0, marks: 2, code: 7, address: 0, why: 0, further: Vec::new() };
        if all < 40 {
            (columns.marks, columns.code) = (1, 0);
        }
        if !wide && list.width >= MEDIUM {
            columns.number = model.queue.len().to_string().len().max(3) + 1;
        }
        // marker, number, blank and state, marks, then each column with a blank before it
        let fixed = 3 + columns.number + columns.marks + (columns.code + 1).min(columns.code * 2) + 1;
        let room = all.saturating_sub(fixed);
        columns.further = FURTHER.iter().map(|column| column.width(all, room)).collect();
        let taken = columns.further.iter().map(|width| width + usize::from(*width > 0)).sum();
        let rest = room.saturating_sub(taken);
        columns.why = if rest < 38 { 0 } else { (rest * 2 / 5).min(WHY) };
        columns.address = rest - columns.why - usize::from(columns.why > 0);
        columns
    }
}

/// The headings of the columns.
pub fn heading(model: &Model, layout: &Layout) -> Row {
    let columns = Columns::of(model, layout.list, layout.wide);
    let number = if columns.number > 0 { format!("{:>1$}", "#", columns.number) } else { String::new() };
    let mut text = format!(" {number} {}", fit("St", 1 + columns.marks));
    let titles = [("Code", columns.code), ("Failed recipient", columns.address), ("Why", columns.why)];
    let further = FURTHER.iter().map(|column| column.title).zip(columns.further.iter().copied());
    for (title, width) in titles.into_iter().chain(further) {
        if width > 0 {
            text.push(' ');
            text.push_str(&fit(title, width));
        }
    }
    Row::of(text, model.setup.theme.get("heading"))
}

/// Draws the visible rows.
pub fn draw(model: &Model, layout: &Layout, buffer: &mut Buffer) {
    let area = layout.list;
    if model.queue.is_empty() {
        let theme = &model.setup.theme;
        for (line, y) in empty(model).into_iter().zip(area.y..area.bottom()) {
            Row::of(format!("  {line}"), theme.get("text")).draw(Rect::new(area.x, y, area.width, 1), buffer);
        }
        return;
    }
    let columns = Columns::of(model, area, layout.wide);
    let mut places = (area.y..area.bottom()).map(|y| Rect::new(area.x, y, area.width, 1));
    for row in model.queue.top.. {
        let Some(case) = model.queue.row(row) else { break };
        let (above, below) = folds::neighbours(&model.queue, row);
        let mark = if above || below { '|' } else { ' ' };
        let mut lines = Vec::new();
        if layout.wide && below && !above {
            lines.push(folds::heading(model, row, usize::from(area.width)));
        }
        lines.push(line(model, case, row, &columns, mark));
        if layout.wide && case.notices > 1 {
            lines.extend(folds::notices(model, case, mark));
        }
        for line in lines {
            let Some(place) = places.next() else { return };
            line.draw(place, buffer);
        }
    }
}

/// What stands in an empty list.
fn empty(model: &Model) -> Vec<String> {
    let keys = &model.setup.keys;
    if !model.queue.is_whole() {
        return vec![String::new()];
    }
    if !model.queue.filter().is_empty() {
        let clear = keys.hint(crate::tui::keys::Action::ClearFilter);
        return vec![String::new(), "No case matches the filter.".into(), format!("{clear} clears it.")];
    }
    let mut lines = vec![String::new(), "The queue is empty: no bounce waits for a decision.".to_owned()];
    if model.setup.accounts.is_empty() {
        lines.push("bounceback import PATH or bounceback pull brings some in.".to_owned());
    } else {
        lines.push(format!("{} fetches new mail.", keys.hint(crate::tui::keys::Action::Pull)));
    }
    lines
}

/// State letter and up to two marks: `!` again or due, `*` tagged, `"` noted, `?` not fully read.
pub fn marks(model: &Model, case: &Case) -> String {
    let mut marks = String::new();
    if is_flagged(case, model.now) {
        marks.push('!');
    }
    if model.queue.tagged().contains(&case.id) {
        marks.push('*');
    }
    if case.noted {
        marks.push('"');
    }
    if case.unread {
        marks.push('?');
    }
    marks.chars().take(2).collect()
}

fn line(model: &Model, case: &Case, row: usize, columns: &Columns, mark: char) -> Row {
    let here = row == model.queue.cursor();
    let theme = &model.setup.theme;
    let text = theme.get("text");
    let flagged = is_flagged(case, model.now);
    let number = if columns.number > 0 { format!("{:>1$}", row + 1, columns.number) } else { String::new() };
    let state = match case.state {
        _ if model.in_flight.contains(&case.id) => '~',
        State::New if !case.is_queued(model.now) => '-',
        state => state.letter(),
    };
    let state_style = if flagged { theme.get("again") } else { theme.state(case.state) };
    let decided = case.state != State::New && !flagged;
    let body = if decided { theme.state(State::Done) } else { text };
    let times = match case.notices {
        _ if columns.code == 0 => String::new(),
        2..=99 => format!(" x{:<2}", case.notices),
        100.. => " x99".to_owned(),
        _ => String::new(),
    };
    let mut line = Row::of(if here { ">" } else { " " }, text)
        .and(number, body)
        .and(mark.to_string(), theme.get("rule"))
        .and(state.to_string(), state_style)
        .and(fit(&marks(model, case), columns.marks), theme.get("again"));
    if columns.code > 0 {
        line = line.and(format!(" {}", fit(&code(case), columns.code)), body);
    }
    // Only the address is marked: a whole row in reverse costs twice the bytes for each step.
    let selected = theme.get(if flagged { "selected-again" } else { "selected" });
    let room = columns.address.saturating_sub(width(&times));
    let address = cut(&clean(&who(case)), room);
    let gap = " ".repeat(room.saturating_sub(width(&address)));
    line = line.and(" ", body).and(address, if here { selected } else { body }).and(format!("{gap}{times}"), body);
    if columns.why > 0 {
        line = line.and(format!(" {}", fit(&clean(&why(model, case)), columns.why)), body);
    }
    for (column, width) in FURTHER.iter().zip(&columns.further).filter(|(_, width)| **width > 0) {
        line = line.and(format!(" {}", fit(&clean(&(column.cell)(model, case)), *width)), body);
    }
    line
}

/// A state in the words of the screen.
pub fn state_name(state: State) -> &'static str {
    match state {
        State::New => "new",
        State::Corrected => "corrected",
        State::Retry => "retry later",
        State::NotOurFault => "not our fault",
        State::Spam => "spam/backscatter",
        State::Escalated => "escalated",
        State::Done => "done otherwise",
    }
}
