//! What is kept for the next run: where the screen stood, and half-typed texts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::model::{Model, Pane};
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
        let place = Place {
            case: model.queue.current().map(|case| case.id.clone()),
            filter: model.queue.filter().text().to_owned(),
            sort: model.queue.sort().name().to_owned(),
            pane: Pane::ALL.iter().position(|pane| *pane == model.pane).unwrap_or(0),
            zoomed: model.zoomed,
        };
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
    model.place = place.case;
}

/// All cases are known: the cursor goes to the case of the last run, where it does not stand on one yet.
pub fn arrive(model: &mut Model) {
    if let Some(id) = model.place.take()
        && model.queue.go_to(&id)
    {
        model.moved = true;
    }
    model.zoomed &= !model.queue.is_empty();
}
