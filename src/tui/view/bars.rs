//! The lines at the edges: status at the top, the last message of the program and the keys at the foot.

use ratatui::style::Style;

use super::layout::{MEDIUM, WIDE};
use super::rows::Row;
use crate::model::State;
use crate::tui::keys::Action;
use crate::tui::model::{Layer, Model, Pane, Tone};
use crate::tui::text::{clean, cut, width};

/// The line at the top of the main screen.
pub fn status(model: &Model) -> Row {
    let style = model.setup.theme.get("status");
    let tally = model.queue.tally();
    let columns = usize::from(model.size.0);
    let place = if model.queue.is_empty() { 0 } else { model.queue.cursor() + 1 };
    let mut place = format!("{place}/{}", model.queue.len());
    if model.queue.len() != tally.total {
        place.push_str(&format!(" of {}", tally.total));
    }
    if !model.queue.is_whole() && model.queue.is_empty() {
        place = "reading the store".to_owned();
    }
    let known = model.queue.is_whole() || !model.queue.is_empty();
    let left = if known { format!("left {}", tally.left) } else { String::new() };
    if columns < usize::from(MEDIUM) {
        return pad(Row::of(format!(" {place} {left}"), style).right(sync(model, false), style), columns, style);
    }
    let mut text = format!(" {}  {place} {left}", crate::tui::text::cut(&clean(&model.setup.title), columns * 2 / 5));
    if columns >= usize::from(WIDE) {
        for state in State::ALL.iter().filter(|state| **state != State::New) {
            let n = tally.by_state.get(state).copied().unwrap_or(0);
            text.push_str(&format!("{}{} {n}", if *state == State::Corrected { "   " } else { "  " }, state.letter()));
        }
    }
    let filter = match (model.queue.filter().text(), model.queue.is_limited()) {
        ("", false) => "none".to_owned(),
        ("", true) => "the mails given".to_owned(),
        (filter, _) => clean(filter).into_owned(),
    };
    text.push_str(&format!("   filter: {filter}"));
    if model.queue.sort() != crate::tui::queue::Sort::Arrival || columns >= usize::from(WIDE) {
        text.push_str(&format!("   sort: {}", model.queue.sort().name()));
    }
    if !model.queue.tagged().is_empty() {
        text.push_str(&format!("   tagged {}", model.queue.tagged().len()));
    }
    pad(Row::of(text, style).right(sync(model, true), style), columns, style)
}

/// How old the data is, or what is being fetched.
fn sync(model: &Model, words: bool) -> String {
    let fetching = &model.fetching;
    if let Some(job) = fetching.running.first() {
        let others =
            if fetching.running.len() > 1 { format!(" +{}", fetching.running.len() - 1) } else { String::new() };
        let name = crate::tui::text::cut(&clean(&job.name), 16);
        return match (words, job.total) {
            (false, _) => "fetching ".to_owned(),
            (true, None) if job.done == 0 => format!("connecting {name}{others} "),
            (true, None) => format!("fetching {name} {}{others} ", job.done),
            (true, Some(total)) => format!("fetching {name} {}/{total}{others} ", job.done),
        };
    }
    if let Some((name, _)) = &fetching.failed {
        return if words {
            format!("! {} not reached (i) ", crate::tui::text::cut(&clean(name), 16))
        } else {
            "! offline ".into()
        };
    }
    match (fetching.synced, model.setup.accounts.is_empty()) {
        (Some(time), _) => {
            let at = time.format("%H:%M", &model.setup.zone);
            if words { format!("^ synced {at} ") } else { format!("^ {at} ") }
        }
        (None, true) => String::new(),
        (None, false) => if words { "^ not fetched yet ($) " } else { "^ - " }.to_owned(),
    }
}

/// Fills a bar up to its edge, so that its style reaches there.
fn pad(mut row: Row, columns: usize, style: Style) -> Row {
    row.right = row
        .right
        .filter(|(text, _)| !text.is_empty() && width(text) + 9 < columns)
        .map(|(text, style)| (format!(" {text}"), style));
    let right = row.right.as_ref().map_or(0, |(text, _)| width(text));
    let blank = columns.saturating_sub(row.width() + right);
    row.pieces.push((" ".repeat(blank), style));
    row
}

/// The line at the top while a pane takes the whole screen.
pub fn reader_status(model: &Model, first: usize, shown: usize, all: usize) -> Row {
    let style = model.setup.theme.get("status");
    let columns = usize::from(model.size.0);
    let name = pane_name(model.pane);
    let place = format!("{}/{}", model.queue.cursor() + 1, model.queue.len());
    let Some(case) = model.queue.current() else { return pad(Row::of(" no case", style), columns, style) };
    let lines = if all == 0 { String::new() } else { format!("  {}-{} of {all}", first + 1, (first + shown).min(all)) };
    let narrow = columns < usize::from(MEDIUM);
    let right = if narrow { format!("{name} ") } else { format!("{} {name}{lines} ", pane_number(model.pane)) };
    if model.pane == Pane::Diagnosis {
        // The address and the reason stand right below.
        let left = if columns < 40 { String::new() } else { format!("   left {}", model.queue.tally().left) };
        let text = format!(" {place}{left}");
        return pad(Row::of(text, style).right(right, style), columns, style);
    }
    let mut text = format!(" {place}  {}", clean(&super::list::who(case)));
    if !narrow {
        text.push_str(&format!(
            "   {} {}   left {}",
            super::list::code(case),
            clean(&model.words(case.cause).title),
            model.queue.tally().left
        ));
    }
    pad(Row::of(text, style).right(right, style), columns, style)
}

/// The name of a pane.
pub fn pane_name(pane: Pane) -> &'static str {
    match pane {
        Pane::Diagnosis => "Diagnosis",
        Pane::Returned => "Returned",
        Pane::Raw => "Raw",
        Pane::Notes => "Notes",
    }
}

/// The number of a pane.
pub fn pane_number(pane: Pane) -> usize {
    Pane::ALL.iter().position(|own| *own == pane).map_or(1, |at| at + 1)
}

/// The line above the keys.
pub fn notice(model: &Model) -> Row {
    let theme = &model.setup.theme;
    let Some(notice) = &model.notice else { return Row::default() };
    let style = match notice.tone {
        Tone::Saved => theme.get("saved"),
        Tone::Plain => theme.get("text"),
        Tone::Warning => theme.get("warning"),
        Tone::Error => theme.get("error"),
    };
    let row = Row::of(format!(" {}", notice.text), style);
    if notice.undoable {
        row.right(format!("{} undoes ", model.setup.keys.hint(Action::Undo)), theme.get("hint"))
    } else {
        row
    }
}

/// What `a` would do, on a line of its own.
pub fn proposal(model: &Model) -> Row {
    let Some(detail) = model.current() else { return Row::default() };
    let theme = &model.setup.theme;
    let words = super::diagnosis::proposal_words(detail, model);
    if detail.offer.verdict.is_none() {
        return Row::of(format!(" {}", clean(&words)), theme.get("text"));
    }
    let key = model.setup.keys.hint(Action::Accept);
    let row = Row::of(format!(" {key} = {}", clean(&words)), theme.get("proposal"));
    row.and(format!("   ({})", clean(&detail.offer.why)), theme.get("hint"))
}

/// The keys that matter now.
pub fn keys(model: &Model) -> Row {
    let theme = &model.setup.theme;
    let plain = |text: &str| Row::of(format!(" {text}"), theme.get("hint"));
    match model.layers.last() {
        Some(Layer::Prompt(prompt)) => return plain(prompt.hints()),
        Some(Layer::Menu(_)) => return plain("press the key of a line   Esc leave"),
        Some(Layer::Confirm(confirm)) => return plain(&format!("{} yes   any other key: no", confirm.key)),
        Some(Layer::Correct(_)) => {
            return plain("1-9 take one  Enter save  Tab next field  C-u clear  Esc leave (kept)");
        }
        Some(Layer::Page(_)) => return plain("Space page   / search   q back"),
        None => {}
    }
    let keys = &model.setup.keys;
    let mut wanted: Vec<(Action, &str)> = Vec::new();
    if model.zoomed {
        wanted.extend([(Action::PageDown, "page"), (Action::Down, "next case")]);
        if model.pane == Pane::Raw {
            wanted.extend([(Action::NextEvidence, "evidence"), (Action::Headers, "headers"), (Action::Parts, "parts")]);
        }
        if model.pane == Pane::Returned {
            wanted.extend([(Action::Headers, "headers"), (Action::Quoted, "quoted")]);
        }
        wanted.push((Action::Back, "back"));
    }
    // On the whole screen the proposal stands right above, with its letter. On a tiny one it stands nowhere but here.
    let found = super::layout::layout(model.size, model.zoomed);
    let proposal = match model.current().filter(|_| !model.zoomed) {
        Some(detail) if found.pane.is_none() && found.proposal.is_none() => {
            cut(&clean(&super::diagnosis::proposal_words(detail, model)), usize::from(model.size.0).saturating_sub(5))
        }
        Some(detail) => match &detail.offer.verdict {
            Some(verdict) => format!("accept {}", verdict.state().letter()),
            None => "accept -".to_owned(),
        },
        None => "accept".to_owned(),
    };
    wanted.extend([
        (Action::Accept, proposal.as_str()),
        (Action::Correct, "correct"),
        (Action::Retry, "retry"),
        (Action::NotOurFault, "not ours"),
        (Action::Spam, "spam"),
        (Action::Escalate, "escalate"),
        (Action::Done, "done"),
    ]);
    if usize::from(model.size.0) >= usize::from(WIDE) {
        wanted.extend([
            (Action::Repeat, "again"),
            (Action::Note, "note"),
            (Action::Search, "find"),
            (Action::Filter, "filter"),
        ]);
    }
    let help = (Action::Help, if usize::from(model.size.0) >= usize::from(WIDE) { "help" } else { "more" });
    let mut row = Row::of(" ", theme.get("hint"));
    let columns = usize::from(model.size.0);
    let help_width = width(&keys.hint(help.0)) + width(help.1) + 2;
    for (action, words) in wanted {
        let key = keys.hint(action);
        let first = row.width() <= 1;
        if !first && row.width() + width(&key) + width(words) + 3 + help_width > columns {
            continue;
        }
        row = row.and(key, theme.get("key")).and(format!(" {words}  "), theme.get("hint"));
    }
    if row.width() + help_width > columns {
        return row;
    }
    row.and(keys.hint(help.0), theme.get("key")).and(format!(" {}", help.1), theme.get("hint"))
}
