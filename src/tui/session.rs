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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    case: Option<CaseId>,
    filter: String,
    sort: String,
    pane: usize,
    zoomed: bool,
}

/// Everything worth keeping now, by key; `None` is to be forgotten.
pub fn kept(model: &Model) -> BTreeMap<String, Option<String>> {
    let mut kept = model.drafts.clone();
    // A list of given mails is another list: its place is not kept.
    if model.loaded && !model.queue.is_limited() {
        let state = State {
            case: model.queue.current().map(|case| case.id.clone()),
            filter: model.queue.filter().text().to_owned(),
            sort: model.queue.sort().name().to_owned(),
            pane: Pane::ALL.iter().position(|pane| *pane == model.pane).unwrap_or(0),
            zoomed: model.zoomed,
        };
        kept.insert(STATE.to_owned(), serde_json::to_string(&state).ok());
    }
    kept
}

/// Goes back to where the last run stood.
pub fn restore(model: &mut Model, state: Option<&str>) {
    let Some(state) = state.and_then(|text| serde_json::from_str::<State>(text).ok()) else { return };
    if model.queue.is_limited() {
        return;
    }
    if let Ok(filter) = Filter::parse(&state.filter, model.now) {
        model.queue.set_filter(filter);
    }
    if let Some(sort) = Sort::named(&state.sort) {
        model.queue.set_sort(sort);
    }
    model.pane = Pane::ALL.get(state.pane).copied().unwrap_or_default();
    model.zoomed = state.zoomed && !model.queue.is_empty();
    match state.case.filter(|id| model.queue.go_to(id)) {
        Some(_) => model.moved = true,
        None => model.queue.to_first_undecided(),
    }
}
