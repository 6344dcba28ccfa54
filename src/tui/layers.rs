//! Keys and pastes while something lies over the main screen; opening, choosing, closing.

use super::command;
use super::confirm::Confirm;
use super::correct::{Correct, Outcome};
use super::deeds;
use super::filter::Filter;
use super::input::{Code, Key};
use super::keys::Action;
use super::menu::{Choice, menu};
use super::model::{Layer, Model, Pane, Tone};
use super::msg::{Effect, ExportOrder, Failure, Written};
use super::page::{Page, Subject};
use super::prompt::{Ask, Prompt};
use super::quest::{search, set_filter};
use super::{reading, update, view};
use crate::model::State;
use crate::stdx::visible;
use crate::suggest::{Finding, Level};

/// Does what was chosen.
pub fn choose(model: &mut Model, choice: Choice, effects: &mut Vec<Effect>) {
    match choice {
        Choice::Filter(text) => match Filter::parse(&text, model.now) {
            Ok(filter) => set_filter(model, filter),
            Err(why) => model.say(Tone::Warning, why),
        },
        Choice::TypeFilter(text) => model.layers.push(Layer::Prompt(Prompt::new(Ask::Filter, &text))),
        Choice::FilterState => {
            let keys = ".CROBED";
            let items = State::ALL.iter().zip(keys.chars()).map(|(state, key)| {
                let n = model.queue.tally().by_state.get(state).copied().unwrap_or(0);
                let key = if key == '.' { 'n' } else { key.to_ascii_lowercase() };
                (key, format!("{} ({n})", view::list::state_name(*state)), Choice::Filter(format!("state:{state}")))
            });
            let menu = menu("Filter by state", items);
            model.layers.push(Layer::Menu(menu));
        }
        Choice::Incidents => {
            let items: Vec<_> = model
                .queue
                .incidents()
                .into_iter()
                .zip('1'..='9')
                .map(|(incident, key)| {
                    let words = &model.words(incident.cause).title;
                    let label = format!("{} at {}: {words}; {} left", incident.cases, incident.domain, incident.left);
                    (key, label, Choice::Filter(format!("domain:{} cause:{}", incident.domain, incident.cause)))
                })
                .collect();
            if items.is_empty() {
                model.say(Tone::Plain, "no domain refuses many for one cause");
            } else {
                model.layers.push(Layer::Menu(menu("Many at one domain for one cause", items)));
            }
        }
        Choice::Sort(sort) => {
            model.queue.set_sort(sort);
            model.say(Tone::Plain, format!("sorted by {}", sort.name()));
        }
        Choice::Copy(text) => {
            // What is pasted into a shell is what was shown.
            let text = visible(&text).into_owned();
            let shown = super::text::cut(&super::text::clean(&text), 60);
            model.say(Tone::Plain, format!("sent to the terminal's clipboard: {shown}"));
            effects.push(Effect::Copy(text));
        }
        Choice::Incident(case) => effects.push(Effect::Incident(case)),
        Choice::Letter(case, wanted) => effects.push(Effect::Letter(case, wanted)),
        Choice::Export(format) => {
            let order = ExportOrder { format, path: Default::default(), replace: false };
            let path = command::export_path(model, format);
            model.layers.push(Layer::Prompt(Prompt::new(Ask::ExportTo(order), &path.to_string_lossy())));
        }
        Choice::Replace(order) => effects.push(Effect::Export(ExportOrder { replace: true, ..order })),
        Choice::Decide(deed, acts) => deeds::decide(model, deed, acts, None, effects),
        Choice::Accept(deed, ids) => deeds::accept_all(model, deed, ids, effects),
        Choice::Quit => model.quit = true,
    }
}

/// Puts the first evidence line in sight, once the raw mail has been loaded and where that is still to be done.
pub fn to_first_evidence(model: &mut Model) {
    if model.pane == Pane::Raw && model.reading.to_evidence && model.current_mail().is_some() {
        model.reading.to_evidence = false;
        model.reading.evidence = view::reader::first_evidence(model);
        to_evidence(model);
    }
}

/// Puts the chosen evidence line in sight.
pub fn to_evidence(model: &mut Model) {
    let (height, _) = reading::reader_size(model);
    let found = view::layout::layout(model.size, model.zoomed);
    let columns = found.second.or(found.pane).map_or(80, |place| place.width);
    let Some((line, _)) = view::reader::evidence(model).get(model.reading.evidence).cloned() else { return };
    let rows = view::reader::raw(model, usize::from(columns));
    if let Some(at) = rows.iter().position(|(number, _)| *number == line) {
        // A line that is in sight already is only marked.
        let scroll = model.reading.scroll;
        if at < scroll || at >= scroll + height || scroll == 0 {
            model.reading.scroll = if at < height { 0 } else { at.saturating_sub(height / 3) };
        }
    }
}

/// Takes a key while something lies over the screen.
pub fn key(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    let Some(layer) = model.layers.pop() else { return };
    match layer {
        Layer::Correct(dialog) => correct_key(model, dialog, key, effects),
        Layer::Prompt(prompt) => prompt_key(model, prompt, key, effects),
        Layer::Menu(menu) => match key.typed().and_then(|c| menu.choice(c)).cloned() {
            Some(choice) => choose(model, choice, effects),
            None if is_leave(key) => {}
            None => model.layers.push(Layer::Menu(menu)),
        },
        Layer::Confirm(confirm) => {
            if key.typed() == Some(confirm.key) {
                choose(model, confirm.choice, effects);
            } else {
                model.say(Tone::Plain, "nothing was changed");
            }
        }
        Layer::Page(page) => page_key(model, page, key, effects),
    }
}

fn is_leave(key: Key) -> bool {
    key.code == Code::Esc || key == Key::ctrl('c') || key.typed() == Some('q')
}

fn correct_key(model: &mut Model, mut dialog: Box<Correct>, key: Key, effects: &mut Vec<Effect>) {
    let outcome = dialog.key(key);
    after_correct(model, dialog, outcome, effects);
}

fn after_correct(model: &mut Model, dialog: Box<Correct>, outcome: Outcome, effects: &mut Vec<Effect>) {
    match outcome {
        Outcome::Stay | Outcome::Check => {
            keep_draft(model, &dialog);
            if outcome == Outcome::Check {
                effects.push(Effect::Check(dialog.new_address().to_owned(), dialog.failed.clone()));
            }
            model.layers.push(Layer::Correct(dialog));
        }
        Outcome::Leave => {
            keep_draft(model, &dialog);
            if dialog.draft().is_some_and(|draft| !draft.trim().is_empty()) {
                model.say(Tone::Plain, "not saved; what you typed is kept for this case");
            }
        }
        Outcome::Save => deeds::save_correction(model, &dialog, effects),
    }
}

/// The check of a typed address came back.
pub fn checked(model: &mut Model, text: &str, findings: Vec<Finding>, effects: &mut Vec<Effect>) {
    match model.layers.pop() {
        Some(Layer::Correct(mut dialog)) => {
            let outcome = dialog.take(text, findings);
            if outcome == Outcome::Stay && text == dialog.new_address() && dialog.level() != Some(Level::Error) {
                effects.push(Effect::LookUp(text.to_owned()));
            }
            after_correct(model, dialog, outcome, effects);
        }
        Some(other) => model.layers.push(other),
        None => {}
    }
}

/// The name system answered about a typed address.
pub fn looked_up(model: &mut Model, text: String, finding: Finding) {
    if let Some(Layer::Correct(dialog)) = model.layers.last_mut() {
        dialog.looked_up = Some((text, finding));
    }
}

fn keep_draft(model: &mut Model, dialog: &Correct) {
    // Both fields cleared: there is nothing to go on with.
    if let Some(draft) = dialog.draft() {
        let kept = Some(draft).filter(|draft| !draft.trim().is_empty());
        model.drafts.insert(deeds::correct_key(&dialog.case), kept);
    }
}

fn prompt_key(model: &mut Model, mut prompt: Prompt, key: Key, effects: &mut Vec<Effect>) {
    let note = match &prompt.ask {
        Ask::Note(id) => Some(id.clone()),
        _ => None,
    };
    match key {
        Key { code: Code::Esc, .. } | Key { code: Code::Char('c'), ctrl: true, .. } => {
            if note.is_some() && prompt.line.touched {
                model.say(Tone::Plain, "not saved; the text is kept for this case");
            }
            return;
        }
        Key { code: Code::Enter, .. } => return enter(model, prompt, effects),
        Key { code: Code::Tab, .. } => complete(model, &mut prompt),
        // An empty prompt closes by going back, as in vi and mutt.
        Key { code: Code::Backspace, .. } if prompt.line.text().is_empty() => return,
        _ => {
            prompt.remark.clear();
            prompt.line.key(key);
        }
    }
    if let Some(id) = note.filter(|_| prompt.line.touched) {
        model.drafts.insert(deeds::note_key(&id), Some(prompt.line.text().to_owned()));
    }
    model.layers.push(Layer::Prompt(prompt));
}

fn complete(model: &Model, prompt: &mut Prompt) {
    let text = prompt.line.text().to_owned();
    let found = match prompt.ask {
        Ask::Command => command::complete(&text, model),
        Ask::Filter => command::complete_filter(&text, model),
        _ => return,
    };
    prompt.remark.clear();
    match found.as_slice() {
        [] => "nothing to complete".clone_into(&mut prompt.remark),
        [one] => prompt.line.set(one),
        several => {
            let common = command::common_start(several);
            if common.len() > text.len() {
                prompt.line.set(&common);
            }
            let last_words: Vec<&str> =
                several.iter().map(|one| one.trim_end().rsplit(' ').next().unwrap_or(one)).collect();
            prompt.remark = last_words.join("  ");
        }
    }
}

fn enter(model: &mut Model, mut prompt: Prompt, effects: &mut Vec<Effect>) {
    let text = prompt.line.text().trim().to_owned();
    match prompt.ask.clone() {
        Ask::Search => {
            if !text.is_empty() {
                model.pattern = text;
            }
            search(model, true);
        }
        Ask::Filter => match Filter::parse(&text, model.now) {
            Ok(filter) => set_filter(model, filter),
            Err(why) => {
                prompt.remark = why;
                model.layers.push(Layer::Prompt(prompt));
            }
        },
        Ask::Note(id) => deeds::write_note(model, id, &text, effects),
        Ask::Command => match command::run(model, &text, effects) {
            Ok(()) => {}
            Err(why) => {
                prompt.remark = why;
                model.layers.push(Layer::Prompt(prompt));
            }
        },
        Ask::ExportTo(order) if text.is_empty() => {
            "a file name is needed".clone_into(&mut prompt.remark);
            model.layers.push(Layer::Prompt(Prompt { ask: Ask::ExportTo(order), ..prompt }));
        }
        Ask::ExportTo(order) => effects.push(Effect::Export(ExportOrder { path: text.into(), ..order })),
    }
}

fn page_key(model: &mut Model, mut page: Page, key: Key, effects: &mut Vec<Effect>) {
    if page.typing {
        match key.code {
            Code::Enter => page.typing = false,
            Code::Esc => (page.typing, page.pattern) = (false, String::new()),
            Code::Backspace => {
                page.pattern.pop();
            }
            _ => page.pattern.extend(key.typed()),
        }
        page.scroll = 0;
        model.layers.push(Layer::Page(page));
        return;
    }
    let found = view::layout::layout(model.size, true);
    let (height, columns) = found.pane.map_or((1, 80), |pane| (usize::from(pane.height), usize::from(pane.width)));
    let most = view::pages::rows(&page, model, columns).len().saturating_sub(height);
    let step = height.saturating_sub(1).max(1);
    page.scroll = page.scroll.min(most);
    let digit = key.typed().and_then(|c| c.to_digit(10)).filter(|n| *n > 0);
    if let Some(choice) = digit.and_then(|n| page.links.get(n as usize - 1)).cloned() {
        choose(model, choice, effects);
        return;
    }
    if page.subject == Subject::Summary && key.typed() == Some('p') {
        model.print_summary = !model.print_summary;
        let words = if model.print_summary {
            "the summary is printed when the screen closes"
        } else {
            "the summary is not printed"
        };
        model.say(Tone::Plain, words);
        model.layers.push(Layer::Page(page));
        return;
    }
    match model.setup.keys.action(key) {
        Some(Action::Back | Action::Quit | Action::Cancel) => {
            if !page.pattern.is_empty() {
                page.pattern.clear();
                model.layers.push(Layer::Page(page));
            }
            return;
        }
        Some(Action::Help) if page.subject == Subject::Help => return,
        Some(Action::Copy) if page.subject == Subject::Sheet => {
            let text = model.sheet.lines.join("\n");
            choose(model, Choice::Copy(text), effects);
        }
        Some(Action::Down) => page.scroll = (page.scroll + 1).min(most),
        Some(Action::Up) => page.scroll = page.scroll.saturating_sub(1),
        Some(Action::PageDown | Action::Open) => page.scroll = (page.scroll + step).min(most),
        Some(Action::PageUp) => page.scroll = page.scroll.saturating_sub(step),
        Some(Action::HalfDown) => page.scroll = (page.scroll + step / 2).min(most),
        Some(Action::HalfUp) => page.scroll = page.scroll.saturating_sub(step / 2),
        Some(Action::First) => page.scroll = 0,
        Some(Action::Last) => page.scroll = most,
        Some(Action::Search) => (page.typing, page.pattern) = (true, String::new()),
        // Keys that lead elsewhere close the page first.
        Some(
            action @ (Action::Export
            | Action::Pull
            | Action::Filter
            | Action::Undo
            | Action::Redo
            | Action::Status
            | Action::Messages
            | Action::Help
            | Action::Command
            | Action::NextUndecided),
        ) => {
            update::act(model, action, effects);
            return;
        }
        _ => {}
    }
    model.layers.push(Layer::Page(page));
}

/// Takes pasted text.
pub fn paste(model: &mut Model, text: &str, effects: &mut Vec<Effect>) {
    let Some(mut layer) = model.layers.pop() else {
        model.say(Tone::Plain, "pasted text is taken in a prompt or dialog only");
        return;
    };
    match &mut layer {
        Layer::Correct(_) => {
            if let Layer::Correct(mut dialog) = layer {
                let outcome = dialog.paste(text);
                after_correct(model, dialog, outcome, effects);
            }
            return;
        }
        Layer::Prompt(prompt) => {
            prompt.remark.clear();
            prompt.line.insert(text);
            if let Ask::Note(id) = &prompt.ask {
                model.drafts.insert(deeds::note_key(id), Some(prompt.line.text().to_owned()));
            }
        }
        Layer::Page(page) if page.typing => page.pattern.push_str(text.lines().next().unwrap_or("")),
        Layer::Menu(_) | Layer::Confirm(_) | Layer::Page(_) => {}
    }
    model.layers.push(layer);
}

/// A half-typed text of the last run came: it fills the dialog where nothing has been typed yet.
pub fn draft(model: &mut Model, key: &str, text: Option<String>, effects: &mut Vec<Effect>) {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return };
    let Some(mut layer) = model.layers.pop() else { return };
    let mut taken = false;
    match &mut layer {
        Layer::Correct(dialog) if deeds::correct_key(&dialog.case) == key && dialog.draft().is_none() => {
            if dialog.take_draft(&text) {
                effects.push(Effect::Check(dialog.new_address().to_owned(), dialog.failed.clone()));
            }
            taken = true;
        }
        Layer::Prompt(prompt) => {
            if let Ask::Note(id) = &prompt.ask
                && deeds::note_key(id) == key
                && !prompt.line.touched
            {
                prompt.line.set(&text);
                taken = true;
            }
        }
        _ => {}
    }
    model.layers.push(layer);
    if taken {
        model.drafts.insert(key.to_owned(), Some(text));
        model.say(Tone::Plain, "what you typed before is still here; C-u clears it");
    }
}

/// An export came back.
pub fn exported(model: &mut Model, result: Result<Written, Failure>) {
    match result {
        Ok(Written::Lines(path, lines)) => {
            let words = match lines {
                0 => "no line (nothing decided so far belongs in it)".to_owned(),
                1 => "1 line".to_owned(),
                lines => format!("{lines} lines"),
            };
            model.say(Tone::Plain, format!("written: {words} to {}", path.display()));
        }
        Ok(Written::Exists(order)) => {
            let question = format!("{} exists already. Replace it?", order.path.display());
            model.layers.push(Layer::Confirm(Box::new(Confirm { question, key: 'r', choice: Choice::Replace(order) })));
        }
        Err(failure) => model.say(Tone::Error, failure.to_string()),
    }
}
