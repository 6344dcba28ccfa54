//! What is kept for the next run: where the screen stood, and half-typed texts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::keys::Action;
use super::model::{Layer, Model, Pane, Repeat, Tone};
use super::prompt::{Ask, Prompt};
use super::queue::Sort;
use crate::model::CaseId;

/// Under which key the state of the screen is kept.
pub const STATE: &str = "screen/state";

/// Where the screen stood.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The case under the cursor.
    pub case: Option<CaseId>,
    filter: String,
    sort: String,
    pane: usize,
    zoomed: bool,
    /// What was being typed on this case.
    typing: Option<Typing>,
    /// The decision that is repeated by a key.
    repeat: Option<Repeat>,
    /// What is tagged, as long as it was chosen one by one.
    tagged: Vec<CaseId>,
    /// The pattern of the last search.
    pattern: String,
}

/// More tags than this come from a command that tags all rows: they are not kept.
const MOST_TAGS: usize = 500;

/// A text that was not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Typing {
    Correction,
    Note,
}

impl Typing {
    fn of(model: &Model) -> Option<Self> {
        match model.layers.last() {
            Some(Layer::Correct(dialog)) if dialog.draft().is_some() => Some(Self::Correction),
            Some(Layer::Prompt(Prompt { ask: Ask::Note(_), line, .. })) if line.touched => Some(Self::Note),
            _ => None,
        }
    }
}

impl Place {
    /// Reads what was kept; the top of the list where nothing was.
    pub fn read(state: Option<&str>) -> Self {
        state.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// Whether every case was shown, by arrival: then its rows can be had without reading all cases.
    pub fn is_plain(&self) -> bool {
        self.filter.is_empty() && Sort::named(&self.sort).is_none_or(|sort| sort == Sort::Arrival)
    }
}

/// Everything worth keeping now, by key; `None` is to be forgotten.
pub fn kept(model: &Model) -> BTreeMap<String, Option<String>> {
    let mut kept = model.drafts.clone();
    // A list of given mails is another list: its place is not kept.
    if model.queue.is_whole() && !model.queue.is_limited() {
        let mut place = Place {
            case: model.queue.current().map(|case| case.id.clone()),
            filter: model.queue.filter().text().to_owned(),
            sort: model.queue.sort().name().to_owned(),
            pane: Pane::ALL.iter().position(|pane| *pane == model.pane).unwrap_or(0),
            zoomed: model.zoomed,
            typing: Typing::of(model),
            repeat: model.repeat.clone(),
            tagged: model.queue.tagged().iter().take(MOST_TAGS + 1).cloned().collect(),
            pattern: model.pattern.clone(),
        };
        if place.tagged.len() > MOST_TAGS {
            place.tagged.clear();
        }
        kept.insert(STATE.to_owned(), serde_json::to_string(&place).ok());
    }
    kept
}

/// Goes back to where the last run stood, before any case is known.
pub fn restore(model: &mut Model, state: Option<&str>) {
    let place = Place::read(state);
    if let Ok(filter) = Filter::parse(&place.filter, model.now) {
        model.queue.set_filter(filter);
    }
    if let Some(sort) = Sort::named(&place.sort) {
        model.queue.set_sort(sort);
    }
    model.pane = Pane::ALL.get(place.pane).copied().unwrap_or_default();
    model.zoomed = place.zoomed;
    model.queue.tag_all(&place.tagged);
    model.repeat.clone_from(&place.repeat);
    model.pattern.clone_from(&place.pattern);
    model.place = Some(place);
}

/// All cases are known: the cursor goes to the case of the last run, where it does not stand on one yet.
pub fn arrive(model: &mut Model) {
    if let Some(place) = model.place.take()
        && let Some(id) = place.case
        && model.queue.go_to(&id)
    {
        model.moved = true;
        let keys = &model.setup.keys;
        let unfinished = match place.typing {
            Some(Typing::Correction) => Some(("correction", keys.hint(Action::Correct))),
            Some(Typing::Note) => Some(("note", keys.hint(Action::Note))),
            None => None,
        };
        if let Some((what, key)) = unfinished {
            model.say(Tone::Plain, format!("a half-typed {what} is kept for this case: {key} goes on with it"));
        }
    }
    model.zoomed &= !model.queue.is_empty();
}
