//! Moving in the list and in the text of a pane; which pane is open. Touches nothing but the model.

use super::keys::Action;
use super::model::{Model, Pane, Reading, Tone};
use super::{layers, view};

/// Turns a way of showing text on or off.
pub(super) fn toggle(model: &mut Model, which: impl Fn(&mut Reading) -> &mut bool) {
    let flag = which(&mut model.reading);
    *flag = !*flag;
}

/// Opens the pane on the whole screen; there, scrolls.
pub(super) fn open(model: &mut Model) {
    if model.queue.is_empty() {
        return;
    }
    if model.zoomed {
        scroll(model, 1);
    }
    model.zoomed = true;
}

/// Goes back to the list.
pub(super) fn back(model: &mut Model) {
    if !model.zoomed {
        return;
    }
    model.zoomed = false;
    model.reading.scroll = 0;
    if model.pane == Pane::Raw {
        layers::to_evidence(model);
    }
}

/// Opens a pane.
pub(super) fn show(model: &mut Model, pane: Pane) {
    let narrow = view::layout::layout(model.size, false).pane.is_none();
    if model.pane == pane && narrow && model.zoomed {
        return;
    }
    model.pane = pane;
    model.reading.scroll = 0;
    if narrow && !model.queue.is_empty() {
        model.zoomed = true;
    }
    if pane == Pane::Raw {
        model.reading.to_evidence = true;
        layers::to_first_evidence(model);
    }
}

/// Marks the next (previous) line of the raw mail that the diagnosis rests on.
pub(super) fn evidence(model: &mut Model, forward: bool) {
    if model.pane != Pane::Raw {
        show(model, Pane::Raw);
        return;
    }
    let all = view::reader::evidence(model).len();
    if all == 0 {
        model.say(Tone::Plain, "no line of this mail is named as evidence");
        return;
    }
    let step = if forward { 1 } else { all - 1 };
    model.reading.evidence = (model.reading.evidence + step) % all;
    layers::to_evidence(model);
}

/// The height of the text that scrolls, and the number of its lines.
pub(super) fn reader_size(model: &Model) -> (usize, usize) {
    let found = view::layout::layout(model.size, model.zoomed);
    let place = match (found.second, model.pane) {
        (Some(second), Pane::Raw | Pane::Returned) => {
            Some(ratatui::layout::Rect { height: second.height.saturating_sub(1), ..second })
        }
        _ => found.pane,
    };
    let Some(place) = place else { return (1, 0) };
    let small = (!model.zoomed && model.pane == Pane::Diagnosis).then_some(usize::from(place.height));
    let rows = view::pane_rows(model, model.pane, usize::from(place.width), small);
    (usize::from(place.height), rows.len())
}

/// Scrolls the reader by lines.
fn scroll(model: &mut Model, by: isize) {
    let (height, all) = reader_size(model);
    let most = all.saturating_sub(height);
    model.reading.scroll = model.reading.scroll.min(most).saturating_add_signed(by).min(most);
}

/// Movement in the list and the reader; says whether the key was one.
pub(super) fn movement(model: &mut Model, action: Action) -> bool {
    let found = view::layout::layout(model.size, false);
    let page = isize::try_from(view::folds::rows_in_sight(model).saturating_sub(1).max(1)).unwrap_or(1);
    // In the reader, pages belong to the text: on the whole screen, or beside the list.
    let reads = model.zoomed || (matches!(model.pane, Pane::Raw | Pane::Returned) && found.pane.is_some());
    let reader_page = isize::try_from(reader_size_if(model, reads).saturating_sub(1).max(1)).unwrap_or(1);
    match action {
        Action::Down => model.queue.step(1),
        Action::Up => model.queue.step(-1),
        Action::PageDown if reads => scroll(model, reader_page),
        Action::PageUp if reads => scroll(model, -reader_page),
        Action::HalfDown if reads => scroll(model, reader_page / 2),
        Action::HalfUp if reads => scroll(model, -(reader_page / 2)),
        Action::PageDown => model.queue.step(page),
        Action::PageUp => model.queue.step(-page),
        Action::HalfDown => model.queue.step((page / 2).max(1)),
        Action::HalfUp => model.queue.step(-(page / 2).max(1)),
        Action::First if model.zoomed => model.reading.scroll = 0,
        Action::Last if model.zoomed => scroll(model, isize::MAX),
        Action::First => model.queue.go(0),
        Action::Last => model.queue.go(usize::MAX),
        Action::NextUndecided | Action::PreviousUndecided => {
            match model.queue.next_undecided(action == Action::NextUndecided, &model.in_flight) {
                Some(row) => model.queue.go(row),
                None => model.say(Tone::Plain, "nothing is left to decide here"),
            }
        }
        Action::NextGroup | Action::PreviousGroup => match model.queue.next_group(action == Action::NextGroup) {
            Some(row) => model.queue.go(row),
            None => model.say(Tone::Plain, "no other message in that direction"),
        },
        _ => return false,
    }
    true
}

fn reader_size_if(model: &Model, reads: bool) -> usize {
    if reads { reader_size(model).0 } else { 1 }
}
