//! The lines at the edges: status at the top, the last message of the program and the keys at the foot.

use ratatui::style::Style;

use super::layout::{MEDIUM, WIDE};
use super::rows::Row;
use crate::model::State;
use crate::tui::keys::Action;
use crate::tui::model::{Layer, Model, Pane, Tone};
use crate::tui::text::{clean, cut, width, wrap};

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
        let decided = State::ALL.iter().filter(|state| **state != State::New);
        let decided: Vec<(&State, usize)> =
            decided.filter_map(|state| Some((state, *tally.by_state.get(state)?))).filter(|(_, n)| *n > 0).collect();
        let words: String = decided.iter().map(|(state, n)| format!("  {} {n}", in_short(**state))).collect();
        // The rest of the line takes some 60 columns.
        if width(&text) + width(&words) + 60 <= columns {
            text.push_str(&words);
        } else {
            decided.iter().for_each(|(state, n)| text.push_str(&format!("  {} {n}", state.letter())));
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

/// A state in the words of the keys.
fn in_short(state: State) -> &'static str {
    match state {
        State::New => "new",
        State::Corrected => "corrected",
        State::Retry => "retry",
        State::NotOurFault => "not ours",
        State::Spam => "spam",
        State::Escalated => "escalated",
        State::Done => "done",
    }
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
            format!("! {} not fetched (i) ", crate::tui::text::cut(&clean(name), 16))
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
    // Before the name, which keeps its place.
    let lines =
        if all == 0 { String::new() } else { format!("{}-{} of {all}   ", first + 1, (first + shown).min(all)) };
    let narrow = columns < usize::from(MEDIUM);
    let right = if narrow { format!("{name} ") } else { format!("{lines}{} {name} ", pane_number(model.pane)) };
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

/// The line above the keys; for what failed, up to so many lines.
pub fn notice(model: &Model, most: usize) -> Vec<Row> {
    let theme = &model.setup.theme;
    let Some(notice) = &model.notice else { return Vec::new() };
    let style = match notice.tone {
        Tone::Saved => theme.get("saved"),
        Tone::Plain => theme.get("text"),
        Tone::Warning => theme.get("warning"),
        Tone::Error => theme.get("error"),
    };
    if !notice.undoable {
        let lines = wrap(&notice.text, usize::from(model.size.0).saturating_sub(1).max(8));
        if most > 1 && (2..=most).contains(&lines.len()) {
            return lines.into_iter().map(|line| Row::of(format!(" {line}"), style)).collect();
        }
        return vec![Row::of(format!(" {}", notice.text), style)];
    }
    let undoes = format!("{} undoes", model.setup.keys.hint(Action::Undo));
    let room = usize::from(model.size.0).saturating_sub(width(&undoes) + 3);
    let brief = width(&notice.text) > room && !notice.brief.is_empty();
    let row = Row::of(format!(" {}", if brief { &notice.brief } else { &notice.text }), style);
    // How to say it more exactly yields to what was done.
    let more = format!("{undoes}, then {} ", notice.more_exactly);
    let has_room = !notice.more_exactly.is_empty() && row.width() + width(&more) < usize::from(model.size.0);
    vec![row.right(if has_room { more } else { format!("{undoes} ") }, theme.get("hint"))]
}

/// What `a` would do, on a line of its own.
pub fn proposal(model: &Model) -> Row {
    let Some(detail) = model.current() else { return Row::default() };
    let theme = &model.setup.theme;
    let words = super::diagnosis::proposal_words(detail, model);
    if detail.offer.verdict.is_none() {
        // One line has no room for the reasons, but for what could be taken.
        let correct = model.setup.keys.hint(Action::Correct);
        let candidate = detail.suggestions.first().map(|best| format!("nothing sure; {correct} 1: {}", best.address));
        return Row::of(format!(" {}", clean(&candidate.unwrap_or(words))), theme.get("text"));
    }
    let key = model.setup.keys.hint(Action::Accept);
    let row = Row::of(format!(" {key}: {}", clean(&words)), theme.get("proposal"));
    let why = format!("   ({})", clean(&detail.offer.why));
    // The reason is whole or absent.
    if row.width() + width(&why) > usize::from(model.size.0) { row } else { row.and(why, theme.get("hint")) }
}

/// The keys that matter now.
pub fn keys(model: &Model) -> Row {
    let hints: Vec<(String, String)> = match model.layers.last() {
        Some(Layer::Prompt(prompt)) => pairs(prompt.hints()),
        Some(Layer::Menu(_)) => pairs(&[("press", "the key of a line"), ("Esc", "leave")]),
        Some(Layer::Confirm(confirm)) => pairs(&[(&confirm.key.to_string(), "yes"), ("any other key:", "no")]),
        Some(Layer::Correct(dialog)) => correct_keys(dialog.takes()),
        Some(Layer::Page(_)) => pairs(&[("q", "back"), ("Space", "page"), ("/", "search")]),
        None => return main_keys(model),
    };
    let mut row = Row::of(" ", model.setup.theme.get("hint"));
    for (key, words) in hints {
        if row.width() + width(&key) + width(&words) < usize::from(model.size.0) {
            row = add(row, model, &key, &words);
        }
    }
    if let Some((last, _)) = row.pieces.last_mut() {
        last.truncate(last.trim_end().len());
    }
    row
}

fn pairs(hints: &[(&str, &str)]) -> Vec<(String, String)> {
    hints.iter().map(|(key, words)| ((*key).to_owned(), (*words).to_owned())).collect()
}

fn add(row: Row, model: &Model, key: &str, words: &str) -> Row {
    let theme = &model.setup.theme;
    row.and(key, theme.get("key")).and(format!(" {words}  "), theme.get("hint"))
}

/// The keys of the dialog that takes an address, where so many suggestions can be taken by their number.
fn correct_keys(takes: usize) -> Vec<(String, String)> {
    let digits = match takes {
        0 => String::new(),
        1 => "1".to_owned(),
        n => format!("1-{n}"),
    };
    let mut hints = pairs(&[
        (&digits, "take and save"),
        ("Enter", "save"),
        ("Esc", "leave (kept)"),
        ("Tab", "next field"),
        ("C-u", "clear"),
    ]);
    hints.retain(|(key, _)| !key.is_empty());
    hints
}

fn main_keys(model: &Model) -> Row {
    let theme = &model.setup.theme;
    let keys = &model.setup.keys;
    let columns = usize::from(model.size.0);
    let wide = columns >= usize::from(WIDE);
    // On a tiny screen the proposal stands nowhere but here.
    let found = super::layout::layout(model.size, model.zoomed);
    let accept = match model.current().filter(|_| found.pane.is_none() && found.proposal.is_none()) {
        Some(detail) => cut(&clean(&super::diagnosis::proposal_words(detail, model)), columns.saturating_sub(5)),
        None => "accept".to_owned(),
    };
    let deeds = [
        (Action::Correct, "correct"),
        (Action::Retry, "retry"),
        (Action::NotOurFault, "not ours"),
        (Action::Spam, "spam"),
        (Action::Escalate, "escalate"),
        (Action::Done, "done"),
    ];
    let spelled: Vec<_> = deeds.iter().map(|(action, words)| (keys.hint(*action), (*words).to_owned())).collect();
    let letters: Vec<String> = deeds.iter().map(|(action, _)| keys.hint(*action)).collect();
    let short = vec![(letters.join(" "), "decide".to_owned())];
    let help = (keys.hint(Action::Help), if wide { "help" } else { "more" }.to_owned());
    let mut others: Vec<(Action, &str)> = Vec::new();
    if model.zoomed {
        others.push((Action::Quit, "back"));
        if model.pane == Pane::Raw {
            others.extend([(Action::NextEvidence, "evidence"), (Action::Headers, "headers"), (Action::Parts, "parts")]);
        }
        if model.pane == Pane::Returned {
            others.extend([(Action::Headers, "headers"), (Action::Quoted, "quoted")]);
        }
        others.extend([(Action::PageDown, "page"), (Action::Down, "next case")]);
    }
    if wide {
        others.extend([
            (Action::Repeat, "again"),
            (Action::Note, "note"),
            (Action::Search, "find"),
            (Action::Filter, "filter"),
        ]);
    }
    let takes = |(key, words): &(String, String)| width(key) + width(words) + 3;
    let accept = (keys.hint(Action::Accept), accept);
    // Every decision is named: in words where all of them fit, else by its letter.
    let fixed = 1 + takes(&accept) + takes(&help);
    let words_fit = !model.zoomed && fixed + spelled.iter().map(takes).sum::<usize>() <= columns + 2;
    let mut wanted = vec![accept];
    wanted.extend(if words_fit || wide { spelled } else { short });
    wanted.extend(others.into_iter().map(|(action, words)| (keys.hint(action), words.to_owned())));
    let mut row = Row::of(" ", theme.get("hint"));
    for (at, (key, words)) in wanted.iter().enumerate() {
        if at == 0 || row.width() + width(key) + width(words) + 1 + takes(&help) <= columns {
            row = add(row, model, key, words);
        }
    }
    if row.width() + takes(&help) > columns + 2 {
        return row;
    }
    row.and(help.0, theme.get("key")).and(format!(" {}", help.1), theme.get("hint"))
}
