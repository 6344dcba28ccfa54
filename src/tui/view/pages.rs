//! Pages of text: help, status, messages, the end of the queue, the handover.

use ratatui::style::Style;

use super::rows::Row;
use crate::model::{Case, State, Timestamp};
use crate::tui::command::COMMANDS;
use crate::tui::filter::{Needle, WORDS, is_flagged};
use crate::tui::keys::Action;
use crate::tui::model::{Model, Tone};
use crate::tui::page::{Page, Subject};
use crate::tui::text::{clean, width, wrap};

/// The heading of a page.
pub fn title(page: &Page, model: &Model) -> String {
    let title = match page.subject {
        Subject::Sheet => return clean(&model.sheet.title).into_owned(),
        Subject::Help => "Help",
        Subject::Status => "Status",
        Subject::Messages => "Messages",
        Subject::Summary => "Summary",
        Subject::Handover => "Handover",
    };
    title.to_owned()
}

/// The lines of a page, those that match its pattern.
pub fn rows(page: &Page, model: &Model, columns: usize) -> Vec<Row> {
    let rows = match page.subject {
        Subject::Help => help(model, columns),
        Subject::Status => status(model, columns),
        Subject::Messages => messages(model, columns),
        Subject::Summary => summary(model, columns),
        Subject::Handover => handover(model, columns),
        Subject::Sheet => sheet(model, columns),
    };
    if page.pattern.is_empty() {
        return rows;
    }
    let needle = Needle::new(&page.pattern);
    // What goes on below an empty label belongs to the line above it.
    let goes_on =
        |row: &Row| row.pieces.len() > 1 && row.pieces.first().is_some_and(|(text, _)| text.trim().is_empty());
    let mut found = Vec::new();
    for entry in rows.chunk_by(|_, next| goes_on(next)) {
        let words: Vec<&str> = entry.iter().flat_map(|row| &row.pieces).map(|(text, _)| text.trim()).collect();
        if needle.is_in(&words.join(" ")) {
            found.extend(entry.iter().cloned());
        }
    }
    found
}

fn help(model: &Model, columns: usize) -> Vec<Row> {
    let theme = &model.setup.theme;
    let mut rows = Vec::new();
    for section in &model.setup.keys.sections {
        let title = wrap(&section.title, columns.saturating_sub(1).max(8));
        rows.extend(title.into_iter().map(|line| Row::of(format!(" {line}"), theme.get("tab"))));
        for entry in &section.entries {
            let keys: Vec<String> = entry.keys.iter().map(ToString::to_string).collect();
            rows.extend(explained(&keys.join(" "), 16, &entry.help, model, columns));
        }
        rows.push(Row::default());
    }
    rows.push(Row::of(" Marks in the list", theme.get("tab")));
    for (mark, text) in [
        (". C R O B E D", "new, corrected, retry, not our fault, spam, escalated, done"),
        ("!", "bounced again after it was decided, or its retry is due: always on top"),
        ("* \" ?", "tagged, has a note, could not be fully read"),
        ("- ~", "needs no decision, on its way to the disk"),
    ] {
        rows.extend(explained(mark, 16, text, model, columns));
    }
    for (title, words) in [(" Filter words", WORDS), (" Commands", COMMANDS)] {
        rows.push(Row::default());
        rows.push(Row::of(title, theme.get("tab")));
        for (word, text) in words {
            rows.extend(explained(word, 24, text, model, columns));
        }
    }
    rows
}

/// A word and what it means, with all its words.
fn explained(word: &str, room: usize, text: &str, model: &Model, columns: usize) -> Vec<Row> {
    let theme = &model.setup.theme;
    let lines = wrap(text, columns.saturating_sub(room + 4).max(16)).into_iter().enumerate();
    lines
        .map(|(at, line)| {
            let word = if at == 0 { word } else { "" };
            Row::of(format!("   {word:<room$} "), theme.get("key")).and(line, theme.get("text"))
        })
        .collect()
}

/// A text as it is; what copies it stands above it.
fn sheet(model: &Model, columns: usize) -> Vec<Row> {
    let theme = &model.setup.theme;
    let key = model.setup.keys.hint(Action::Copy);
    let mut rows = vec![Row::of(format!(" {key} copies all of it"), theme.get("hint")), Row::default()];
    for line in &model.sheet.lines {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let wrapped = wrap(&clean(line), columns.saturating_sub(indent + 2).max(8));
        let empty = wrapped.is_empty().then(String::new);
        let lines = wrapped.into_iter().chain(empty);
        rows.extend(lines.map(|line| Row::of(format!(" {:indent$}{line}", ""), theme.get("text"))));
    }
    rows
}

fn messages(model: &Model, columns: usize) -> Vec<Row> {
    let theme = &model.setup.theme;
    let mut rows = Vec::new();
    for (at, notice) in &model.log {
        let style = match notice.tone {
            Tone::Error => "error",
            Tone::Warning => "warning",
            Tone::Saved | Tone::Plain => "text",
        };
        for (n, line) in wrap(&notice.text, columns.saturating_sub(12).max(8)).into_iter().enumerate() {
            let time = if n == 0 { at.format("%H:%M:%S", &model.setup.zone) } else { String::new() };
            rows.push(Row::of(format!(" {time:<9} "), theme.get("label")).and(line, theme.get(style)));
        }
    }
    if rows.is_empty() {
        rows.push(Row::of(" Nothing yet.", theme.get("hint")));
    }
    rows
}

fn status(model: &Model, columns: usize) -> Vec<Row> {
    let theme = &model.setup.theme;
    let text = theme.get("text");
    let tally = model.queue.tally();
    let lines = |label: &str, value: String| -> Vec<Row> {
        let wrapped = wrap(&clean(&value), columns.saturating_sub(17).max(8)).into_iter().enumerate();
        let row = |(at, line): (usize, String)| {
            let label = if at == 0 { label } else { "" };
            Row::of(format!(" {label:<14} "), theme.get("label")).and(line, text)
        };
        wrapped.map(row).collect()
    };
    let mut rows =
        lines("Queue", format!("{} cases, {} left, {} bounced again or due", tally.total, tally.left, tally.flagged));
    rows.extend(lines("Not readable", format!("{} could not be fully read; they are in the queue", tally.unread)));
    let outside = model.queue.cases().len().saturating_sub(tally.total);
    if outside > 0 && !model.queue.is_limited() {
        rows.extend(lines(
            "Closed",
            format!("{outside} need no decision (delivered later, absorbed by a failure, a silent delay); filter: all"),
        ));
    }
    for (name, counted) in &model.counted {
        rows.extend(lines(name, counted.clone()));
    }
    rows.push(Row::default());
    if model.setup.accounts.is_empty() {
        let why = if model.setup.unsigned.is_empty() { "none" } else { "no password was given" };
        rows.extend(lines("Accounts", format!("{why}: nothing is fetched")));
    }
    for name in &model.setup.accounts {
        let job = model.fetching.running.iter().find(|job| job.name == *name);
        let state = match (job, model.fetching.results.get(name)) {
            (Some(job), _) => {
                let seconds = (model.now.0 - job.since.0).max(0);
                format!("fetching for {seconds} s: {} looked at, {} new notices", job.done, job.found)
            }
            (None, Some(result)) => result.clone(),
            (None, None) => "not fetched in this run".to_owned(),
        };
        rows.extend(lines(name, state));
    }
    if let Some((name, failure)) = &model.fetching.failed {
        rows.push(Row::default());
        let said = [(format!("{name}: {}", failure.what), "error"), (failure.hint.clone().unwrap_or_default(), "text")];
        for (said, style) in said.iter().filter(|(said, _)| !said.is_empty()) {
            let wrapped = wrap(&clean(said), columns.saturating_sub(2).max(8));
            rows.extend(wrapped.into_iter().map(|line| Row::of(format!(" {line}"), theme.get(style))));
        }
    }
    let incidents = model.queue.incidents();
    if !incidents.is_empty() {
        rows.push(Row::default());
        rows.push(Row::of(" Many at one domain for one cause", theme.get("tab")));
        for (at, incident) in incidents.iter().take(9).enumerate() {
            let words = &model.words(incident.cause).title;
            let value = format!("{} at {}: {words}; {} left", incident.cases, incident.domain, incident.left);
            rows.extend(numbered(3, at + 1, &value, model, columns));
        }
    }
    rows
}

/// How many cases are in each state, with what is worth knowing of it.
fn states(model: &Model, columns: usize) -> Vec<Row> {
    let theme = &model.setup.theme;
    let cases = || model.queue.cases().iter().filter(|case| case.is_queued(model.now));
    let mut rows = Vec::new();
    for state in State::ALL {
        let of_state: Vec<_> = cases().filter(|case| case.state == *state).collect();
        if of_state.is_empty() {
            continue;
        }
        let remark = match state {
            State::Corrected => {
                let people: std::collections::BTreeSet<_> =
                    of_state.iter().map(|case| case.address.to_lowercase()).collect();
                let written = model.setup.keys.hint(Action::Export);
                let words = if people.len() == 1 { "person" } else { "people" };
                format!("{} {words}   -> export: {written}", people.len())
            }
            State::Retry => {
                let next = of_state.iter().filter_map(|case| case.due).filter(|due| *due > model.now).min();
                next.map(|due| format!("next due {}", due.format("%a %d %b %H:%M", &model.setup.zone)))
                    .unwrap_or_default()
            }
            State::NotOurFault | State::Escalated => {
                most_common(of_state.iter().map(|case| crate::tui::filter::domain_of(&case.address)))
            }
            State::New | State::Spam | State::Done => String::new(),
        };
        let name = super::list::state_name(*state);
        let letter = (state.letter(), theme.state(*state));
        rows.extend(counted_state(letter, name, of_state.len(), &remark, model, columns));
    }
    let silent = model.queue.cases().iter().filter(|case| case.is_silent(model.now)).count();
    if silent > 0 {
        let remark = format!("delays, silent for {} days; filter: silent", Case::SILENT_DAYS);
        let letter = ('-', theme.state(State::Done));
        rows.extend(counted_state(letter, "no failure seen", silent, &remark, model, columns));
    }
    rows
}

fn most_common<'a>(domains: impl Iterator<Item = &'a str>) -> String {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for domain in domains.filter(|domain| !domain.is_empty()) {
        *counts.entry(domain).or_default() += 1;
    }
    match counts.iter().max_by_key(|(_, n)| **n) {
        Some((domain, n)) if *n > 1 => format!("{n} of them at {domain}"),
        _ => String::new(),
    }
}

/// What is worth a look before the lead stops: filters with their words, for digits to open.
pub fn worth_a_look(model: &Model) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for incident in model.queue.incidents().into_iter().take(3) {
        let words = &model.words(incident.cause).title;
        found.push((
            format!("{} at {}: {words}. One cause?", incident.cases, incident.domain),
            format!("domain:{} cause:{}", incident.domain, incident.cause),
        ));
    }
    let again = model.queue.cases().iter().filter(|case| is_flagged(case, model.now)).count();
    if again > 0 {
        found.push((format!("{again} bounced again after a decision, or are due"), "again".into()));
    }
    let unread = model.queue.tally().unread;
    if unread > 0 {
        found.push((format!("{unread} could not be fully read"), "unread".into()));
    }
    found
}

fn look(model: &Model, columns: usize) -> Vec<Row> {
    let theme = &model.setup.theme;
    let found = worth_a_look(model);
    if found.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![Row::default(), Row::of("   Worth a look", theme.get("tab"))];
    for (at, (words, _)) in found.iter().enumerate() {
        rows.extend(numbered(6, at + 1, words, model, columns));
    }
    rows
}

/// A line that a digit opens, with all its words.
fn numbered(indent: usize, number: usize, words: &str, model: &Model, columns: usize) -> Vec<Row> {
    let theme = &model.setup.theme;
    let lines = wrap(&clean(words), columns.saturating_sub(indent + 4).max(8)).into_iter().enumerate();
    lines
        .map(|(at, line)| {
            let number = if at == 0 { number.to_string() } else { " ".to_owned() };
            Row::of(format!("{:indent$}{number} ", ""), theme.get("key")).and(format!(" {line}"), theme.get("text"))
        })
        .collect()
}

/// One state: its letter, its name, how many, and what is worth knowing of it; that on a line of its own where it would
/// be cut.
fn counted_state(
    letter: (char, Style),
    name: &str,
    count: usize,
    remark: &str,
    model: &Model,
    columns: usize,
) -> Vec<Row> {
    let theme = &model.setup.theme;
    let row =
        Row::of(format!("      {}  ", letter.0), letter.1).and(format!("{name:<18} {count:>6}"), theme.get("text"));
    let remark = clean(remark).into_owned();
    if row.width() + width(&remark) + 3 <= columns {
        return vec![row.and(format!("   {remark}"), theme.get("hint"))];
    }
    let below = wrap(&remark, columns.saturating_sub(10).max(8)).into_iter();
    let below = below.map(|line| Row::of(format!("         {line}"), theme.get("hint")));
    std::iter::once(row).chain(below).collect()
}

/// A line of text under an indent, broken where it would be cut.
fn broken(indent: usize, words: &str, style: Style, columns: usize) -> impl Iterator<Item = Row> {
    let lines = wrap(&clean(words), columns.saturating_sub(indent + 1).max(8));
    lines.into_iter().map(move |line| Row::of(format!("{:indent$}{line}", ""), style))
}

fn minutes(model: &Model, since: Timestamp) -> String {
    match (model.now.0 - since.0).max(0) {
        n @ 0..=89 => format!("{n} s"),
        n => format!("{} min", n / 60),
    }
}

fn summary(model: &Model, columns: usize) -> Vec<Row> {
    let theme = &model.setup.theme;
    let keys = &model.setup.keys;
    let text = theme.get("text");
    let tally = model.queue.tally();
    let head = if tally.left == 0 { "Queue finished." } else { "So far." };
    let effort = model.effort;
    let said = format!(
        "{} cases, {} left.  This sitting: {} decided in {}, {} keys.",
        tally.total,
        tally.left,
        effort.decided,
        minutes(model, effort.since),
        effort.keys
    );
    // In one line where that holds both.
    let mut rows = vec![Row::default(), Row::of(format!("   {head}"), theme.get("strong"))];
    match rows.last_mut().filter(|row| row.width() + width(&said) + 2 < columns) {
        Some(row) => row.pieces.push((format!("  {said}"), text)),
        None => rows.extend(broken(3, &said, text, columns)),
    }
    rows.push(Row::default());
    rows.extend(states(model, columns));
    rows.extend(look(model, columns));
    rows.push(Row::default());
    let hint = |action: Action| keys.hint(action);
    let fetch =
        if model.setup.accounts.is_empty() { String::new() } else { format!("   {} fetch now", hint(Action::Pull)) };
    let (export, undo, filter) = (hint(Action::Export), hint(Action::Undo), hint(Action::Filter));
    rows.extend(broken(
        3,
        &format!("{export} write corrections{fetch}   {undo} undo   {filter} filter"),
        text,
        columns,
    ));
    let back = hint(Action::Quit);
    rows.extend(broken(3, &format!("{back} back to the list   p print this when the screen closes"), text, columns));
    rows
}

fn handover(model: &Model, columns: usize) -> Vec<Row> {
    let theme = &model.setup.theme;
    let text = theme.get("text");
    let zone = &model.setup.zone;
    let tally = model.queue.tally();
    let mut rows = vec![
        Row::of(format!(" Where I stopped, {}", model.now.format("%a %d %b %Y %H:%M", zone)), theme.get("strong")),
        Row::of(format!("   {} of {} decided, {} left", tally.total - tally.left, tally.total, tally.left), text),
    ];
    rows.extend(states(model, columns));
    let cases = model.queue.cases();
    let undecided: Vec<_> = cases.iter().filter(|case| case.is_undecided(model.now)).collect();
    if let Some(oldest) = undecided.first() {
        let since = super::diagnosis::moment(oldest.received, model);
        let words = format!("oldest undecided: {since}, {}", super::list::who(oldest));
        rows.extend(broken(3, &words, text, columns));
    }
    let midnight = model.now.plus_days(1);
    let due =
        cases.iter().filter(|case| case.state == State::Retry && case.due.is_some_and(|due| due <= midnight)).count();
    rows.push(Row::of(format!("   retries due within a day: {due}"), text));
    let today: Vec<_> =
        cases.iter().filter(|case| case.decided_at.is_some_and(|at| at >= model.now.plus_days(-1))).collect();
    rows.push(Row::of(format!("   decided in the last 24 hours: {}", today.len()), text));
    let mut noted: Vec<_> = cases.iter().filter(|case| case.noted && case.is_undecided(model.now)).collect();
    noted.truncate(5);
    if !noted.is_empty() {
        rows.push(Row::of(" Undecided, with a note", theme.get("tab")));
        for case in noted {
            let place = model.queue.row_of(&case.id).map_or_else(|| "-".to_owned(), |row| (row + 1).to_string());
            rows.push(Row::of(format!("   {place:>4}  {}", clean(&super::list::who(case))), text));
        }
    }
    rows.extend(look(model, columns));
    if let Some(case) = model.queue.current() {
        let words = format!("The cursor stands on {} {}", model.queue.cursor() + 1, super::list::who(case));
        rows.extend(broken(1, &words, text, columns));
    }
    rows
}

/// A page as plain lines, for printing when the screen closes.
pub fn plain(page: &Page, model: &Model) -> Vec<String> {
    rows(page, model, 100)
        .iter()
        .map(|row| row.pieces.iter().map(|(text, _)| text.as_str()).collect::<String>().trim_end().to_owned())
        .collect()
}
