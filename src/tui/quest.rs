//! Searches and filters: work on many rows that goes on piece by piece, so that a key can stop it.

use super::filter::{Filter, Needle};
use super::keys::Action;
use super::model::{Model, Pane, Quest, Tone};
use super::queue::Trial;
use super::view;

/// Rows that are looked through before it is looked whether a key came.
const ROWS_AT_ONCE: usize = 20_000;

/// Sets a filter; on many cases that goes on while no key comes.
pub(super) fn set_filter(model: &mut Model, filter: Filter) {
    model.layers.clear();
    model.quest = Some(Quest::Filter(Trial::of(filter)));
    go_on(model);
}

/// Takes a filter that was tried on every case, and says what it leaves.
fn filtered(model: &mut Model, trial: Trial) {
    model.queue.filter_as_tried(trial);
    let shown = model.queue.len();
    let text = super::text::clean(model.queue.filter().text()).into_owned();
    if text.is_empty() {
        model.say(Tone::Plain, "no filter");
    } else {
        let clear = model.setup.keys.hint(Action::ClearFilter);
        model.say(Tone::Plain, format!("{shown} shown by {text}; {clear} shows all"));
    }
}

/// Searches in the list, or in the text on the whole screen.
pub(super) fn search(model: &mut Model, forward: bool) {
    if model.pattern.is_empty() {
        model.say(Tone::Plain, "nothing searched for yet");
        return;
    }
    let needle = Needle::new(&model.pattern);
    let pattern = super::text::clean(&model.pattern).into_owned();
    if model.zoomed && model.pane != Pane::Diagnosis {
        search_text(model, &needle, forward, &pattern);
        return;
    }
    model.quest = Some(Quest::Search { forward, done: 0 });
    go_on(model);
}

/// Looks through some more rows; the runtime goes on with it while no key comes.
pub(super) fn go_on(model: &mut Model) {
    match model.quest.take() {
        Some(Quest::Search { forward, done }) => seek_on(model, forward, done),
        Some(Quest::Filter(mut trial)) => {
            if model.queue.try_on(&mut trial, ROWS_AT_ONCE) {
                filtered(model, trial);
            } else {
                model.quest = Some(Quest::Filter(trial));
            }
        }
        None => {}
    }
}

/// A key came while a search or a filter goes on. A search stops for any key; a filter only where it is cancelled, and
/// any other key waits for what it leaves. Says whether the key has done its work by that.
pub(super) fn interrupted(model: &mut Model, cancel: bool) -> bool {
    let what = match &model.quest {
        None => return false,
        Some(Quest::Search { .. }) => "search stopped",
        Some(Quest::Filter(_)) if cancel => "filter stopped: the list is as it was",
        Some(Quest::Filter(_)) => {
            while model.quest.is_some() {
                go_on(model);
            }
            return false;
        }
    };
    model.quest = None;
    if cancel {
        model.say(Tone::Plain, what);
    }
    cancel
}

/// The cases have changed: what was tried on them before says nothing any more.
pub(super) fn begin_anew(model: &mut Model) {
    match &mut model.quest {
        Some(Quest::Search { done, .. }) => *done = 0,
        Some(Quest::Filter(trial)) => trial.begin_anew(),
        None => {}
    }
}

fn seek_on(model: &mut Model, forward: bool, done: usize) {
    let from = model.queue.cursor();
    let pattern = super::text::clean(&model.pattern).into_owned();
    match model.queue.next_hit(&Needle::new(&model.pattern), forward, done, ROWS_AT_ONCE) {
        (Some(row), _) => {
            model.queue.go(row);
            model.moved = true;
            if (forward && row <= from) || (!forward && row >= from) {
                model.say(Tone::Plain, format!("search for {pattern} went round"));
            }
        }
        (None, true) => model.quest = Some(Quest::Search { forward, done: done + ROWS_AT_ONCE }),
        (None, false) => model.say(Tone::Warning, format!("{pattern}: not found")),
    }
}

fn search_text(model: &mut Model, needle: &Needle, forward: bool, pattern: &str) {
    let found = view::layout::layout(model.size, true);
    let rows = view::pane_rows(model, model.pane, usize::from(found.pane.map_or(80, |pane| pane.width)), None);
    let has = |at: &usize| {
        rows.get(*at).is_some_and(|row| needle.is_in(&row.pieces.iter().map(|(t, _)| t.as_str()).collect::<String>()))
    };
    let at = model.reading.scroll;
    let hit = if forward { (at + 1..rows.len()).find(has) } else { (0..at.min(rows.len())).rev().find(has) };
    match hit {
        Some(row) => model.reading.scroll = row,
        None => model.say(Tone::Warning, format!("{pattern}: not found further on")),
    }
}
