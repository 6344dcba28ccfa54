//! Decisions: which cases a key means, what is decided, what is said of it, where the cursor goes.

use super::correct::{Correct, same_change};
use super::filter::domain_of;
use super::keys::Action;
use super::menu::Choice;
use super::model::{Layer, Model, Repeat, Tone};
use super::msg::{Deed, Done, Effect, Failure};
use super::page::{Page, Subject};
use super::prompt::{Ask, Prompt};
use super::view::diagnosis::verdict as words_of;
use super::view::list::who;
use super::{confirm::Confirm, text};
use crate::model::{Act, Case, CaseId, Timestamp, Verdict};

/// Decisions on more cases than this are asked about first.
const ASK_ABOVE: usize = 20;
/// Days until a retry where neither the cause nor the lead says.
const RETRY_DAYS: i64 = 2;

/// Does what a decision key stands for.
pub fn act(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    if matches!(action, Action::Undo) {
        effects.push(Effect::Undo);
        return;
    }
    if matches!(action, Action::Redo) {
        effects.push(Effect::Redo);
        return;
    }
    let Some(case) = model.queue.current().cloned() else {
        model.say(Tone::Plain, "no case is selected");
        return;
    };
    let needs_detail = matches!(action, Action::Accept | Action::Correct | Action::CorrectGroup);
    let unseen = action == Action::Accept && model.painted.as_ref() != Some(&case.id);
    if needs_detail && model.queue.tagged().is_empty() && (model.current().is_none() || unseen) {
        model.waiting = Some(action);
        return;
    }
    match action {
        Action::Accept => accept(model, &case, false, effects),
        Action::AcceptGroup => accept(model, &case, true, effects),
        Action::Correct => correct(model, false, effects),
        Action::CorrectGroup => correct(model, true, effects),
        Action::Retry | Action::RetryGroup => retry(model, action == Action::RetryGroup, effects),
        Action::NotOurFault => all(model, &Verdict::NotOurFault, false, effects),
        Action::NotOurFaultGroup => all(model, &Verdict::NotOurFault, true, effects),
        Action::Spam => all(model, &Verdict::Spam, false, effects),
        Action::SpamGroup => all(model, &Verdict::Spam, true, effects),
        Action::Escalate => all(model, &Verdict::Escalated { whom: None }, false, effects),
        Action::EscalateGroup => all(model, &Verdict::Escalated { whom: None }, true, effects),
        Action::Done => all(model, &Verdict::Done, false, effects),
        Action::DoneGroup => all(model, &Verdict::Done, true, effects),
        Action::Repeat => repeat(model, &case, effects),
        Action::Note => {
            let key = note_key(&case.id);
            let text = model.drafts.get(&key).cloned().flatten().unwrap_or_default();
            if text.is_empty() {
                effects.push(Effect::Draft(key));
            }
            model.layers.push(Layer::Prompt(Prompt::new(Ask::Note(case.id), &text)));
        }
        Action::NoteEditor => {
            let key = note_key(&case.id);
            let text = model.drafts.get(&key).cloned().flatten().unwrap_or_default();
            effects.push(Effect::Edit(case.id, text));
        }
        _ => {}
    }
}

/// Under which key a half-written note is kept.
pub fn note_key(id: &CaseId) -> String {
    format!("draft/note/{id}")
}

/// Under which key a half-typed correction is kept.
pub fn correct_key(id: &CaseId) -> String {
    format!("draft/correct/{id}")
}

/// The cases a key means: the tagged ones, the undecided ones of the message with this one, or this one.
fn targets(model: &Model, group: bool) -> Vec<Case> {
    let tagged = model.queue.tagged();
    if !tagged.is_empty() {
        return model.queue.cases().iter().filter(|case| tagged.contains(&case.id)).cloned().collect();
    }
    let Some(current) = model.queue.current() else { return Vec::new() };
    if !group {
        return vec![current.clone()];
    }
    let mut cases: Vec<Case> = vec![current.clone()];
    let others = model
        .queue
        .group(&current.group)
        .into_iter()
        .filter(|case| case.id != current.id && case.is_undecided(model.now));
    cases.extend(others.cloned());
    cases
}

fn deed(model: &Model, cases: &[Case], what: String, repeat: Option<Repeat>) -> Option<Deed> {
    let first = cases.first()?;
    let notices: u32 = cases.iter().map(|case| case.notices).sum();
    let who = match cases {
        [one] if one.notices > 1 => format!("{} ({notices} bounces)", who(one)),
        [one] => who(one),
        several => format!("{} cases", several.len()),
    };
    let row = model.queue.row_of(&first.id).map_or(0, |row| row + 1);
    let ids = cases.iter().map(|case| case.id.clone()).collect();
    Some(Deed { case: first.id.clone(), ids, row, who, what, asked: cases.len(), repeat, draft: None, advanced: true })
}

/// Decides cases alike.
pub fn all(model: &mut Model, verdict: &Verdict, group: bool, effects: &mut Vec<Effect>) {
    let cases = targets(model, group);
    let repeat = Repeat::Verdict(verdict.clone());
    let Some(deed) = deed(model, &cases, words_of(verdict, model), Some(repeat)) else { return };
    let acts = cases.into_iter().map(|case| (case.id, verdict.clone())).collect();
    ask_or_decide(model, deed, acts, effects);
}

fn retry(model: &mut Model, group: bool, effects: &mut Vec<Effect>) {
    let cases = targets(model, group);
    let days = |case: &Case| model.words(case.cause).retry_days.map_or(RETRY_DAYS, i64::from);
    let acts: Vec<(CaseId, Verdict)> =
        cases.iter().map(|case| (case.id.clone(), Verdict::Retry { until: model.now.plus_days(days(case)) })).collect();
    let Some((_, verdict)) = acts.first() else { return };
    let repeat = cases.first().map(|case| Repeat::Retry(days(case)));
    let Some(deed) = deed(model, &cases, words_of(verdict, model), repeat) else { return };
    ask_or_decide(model, deed, acts, effects);
}

/// Retries at a date or after days.
pub fn retry_at(model: &mut Model, until: Timestamp, effects: &mut Vec<Effect>) {
    let verdict = Verdict::Retry { until };
    let cases = targets(model, false);
    let days = (until.0 - model.now.0 + 43_200) / 86_400;
    let Some(deed) = deed(model, &cases, words_of(&verdict, model), Some(Repeat::Retry(days.max(1)))) else { return };
    let acts = cases.into_iter().map(|case| (case.id, verdict.clone())).collect();
    ask_or_decide(model, deed, acts, effects);
}

fn accept(model: &mut Model, case: &Case, group: bool, effects: &mut Vec<Effect>) {
    if group || !model.queue.tagged().is_empty() {
        let cases = targets(model, group);
        let Some(deed) = deed(model, &cases, "as proposed".into(), None) else { return };
        let ids: Vec<CaseId> = cases.into_iter().map(|case| case.id).collect();
        if ids.len() > ASK_ABOVE {
            let question = format!("Accept the proposals of {} cases as one act?", ids.len());
            model.layers.push(Layer::Confirm(Box::new(Confirm {
                question,
                key: 'y',
                choice: Choice::Accept(deed, ids),
            })));
        } else {
            accept_all(model, deed, ids, effects);
        }
        return;
    }
    let Some(verdict) = model.current().and_then(|detail| detail.offer.verdict.clone()) else {
        let key = model.setup.keys.hint(Action::Correct);
        let why =
            model.current().map(|detail| super::view::diagnosis::nothing_proposed(detail, &key)).unwrap_or_default();
        model.say(Tone::Warning, format!("{}: {why}", who(case)));
        return;
    };
    let repeat = match &verdict {
        Verdict::Corrected { to } => correction_repeat(&case.address, to),
        Verdict::Retry { until } => Repeat::Retry(((until.0 - model.now.0 + 43_200) / 86_400).max(1)),
        other => Repeat::Verdict(other.clone()),
    };
    let Some(deed) = deed(model, std::slice::from_ref(case), words_of(&verdict, model), Some(repeat)) else { return };
    decide(model, deed, vec![(case.id.clone(), verdict)], None, effects);
}

/// What `.` makes of a correction: the domain rule where only the domain changed.
fn correction_repeat(failed: &str, to: &str) -> Repeat {
    match (failed.rsplit_once('@'), to.rsplit_once('@')) {
        (Some((old_local, old)), Some((new_local, new))) if old_local == new_local => {
            Repeat::Domain(old.to_owned(), new.to_owned())
        }
        _ => Repeat::Address(failed.to_owned(), to.to_owned()),
    }
}

fn repeat(model: &mut Model, case: &Case, effects: &mut Vec<Effect>) {
    let Some(last) = model.repeat.clone() else {
        model.say(Tone::Plain, "nothing to repeat yet");
        return;
    };
    match last {
        Repeat::Verdict(verdict) => all(model, &verdict, false, effects),
        Repeat::Retry(days) => {
            let until = model.now.plus_days(days);
            retry_at(model, until, effects);
        }
        Repeat::Domain(old, new) => {
            let cases = targets(model, false);
            let (fits, other): (Vec<Case>, Vec<Case>) =
                cases.into_iter().partition(|case| domain_of(&case.address).eq_ignore_ascii_case(&old));
            if fits.is_empty() {
                let text = format!("the last correction was {old} -> {new}; {} is at another domain", who(case));
                model.say(Tone::Warning, text);
                return;
            }
            let to = |case: &Case| {
                let local = case.address.rsplit_once('@').map_or("", |(local, _)| local);
                format!("{local}@{new}")
            };
            let acts: Vec<_> = fits.iter().map(|case| (case.id.clone(), Verdict::Corrected { to: to(case) })).collect();
            let left = if other.is_empty() {
                String::new()
            } else {
                format!(" ({} at other domains left alone)", other.len())
            };
            let what =
                format!("corrected to {}{left}", if fits.len() == 1 { to(&fits[0]) } else { format!("…@{new}") });
            let Some(deed) = deed(model, &fits, what, Some(Repeat::Domain(old, new))) else { return };
            ask_or_decide(model, deed, acts, effects);
        }
        Repeat::Address(failed, to) => match same_change(&failed, &to, &case.address) {
            Some(to) => {
                let verdict = Verdict::Corrected { to };
                let what = words_of(&verdict, model);
                let again = model.repeat.clone();
                let Some(deed) = deed(model, std::slice::from_ref(case), what, again) else { return };
                decide(model, deed, vec![(case.id.clone(), verdict)], None, effects);
            }
            None => {
                let text = format!("the last correction was of {failed}; {} is another address", who(case));
                model.say(Tone::Warning, text);
            }
        },
    }
}

fn correct(model: &mut Model, whole: bool, effects: &mut Vec<Effect>) {
    let Some(detail) = model.current() else {
        model.waiting = Some(if whole { Action::CorrectGroup } else { Action::Correct });
        return;
    };
    if detail.case.address.is_empty() {
        model.say(Tone::Warning, "no failed address could be read here: nothing to correct");
        return;
    }
    let mut dialog = Correct::open(model, detail, whole);
    let key = correct_key(&dialog.case);
    match model.drafts.get(&key).cloned().flatten() {
        Some(draft) => {
            if dialog.take_draft(&draft) {
                effects.push(Effect::Check(dialog.new_address().to_owned(), dialog.failed.clone()));
            }
        }
        None => effects.push(Effect::Draft(key)),
    }
    model.layers.push(Layer::Correct(Box::new(dialog)));
}

/// Saves what stands in the dialog.
pub fn save_correction(model: &mut Model, dialog: &Correct, effects: &mut Vec<Effect>) {
    let acts = dialog.acts();
    let new = dialog.address.text().trim().to_owned();
    let cases: Vec<Case> = acts.iter().filter_map(|(id, _)| model.queue.case(id).cloned()).collect();
    let what = match cases.len() {
        0 | 1 => format!("corrected to {new}"),
        _ => format!("corrected, {} to {new}", dialog.failed),
    };
    let repeat = correction_repeat(&dialog.failed, &new);
    let Some(mut deed) = deed(model, &cases, what, Some(repeat)) else { return };
    deed.draft = Some(correct_key(&dialog.case));
    let note = dialog.note.text().trim().to_owned();
    decide(model, deed, acts, (!note.is_empty()).then_some(note), effects);
}

/// Asks first where many cases are meant, else decides.
pub fn ask_or_decide(model: &mut Model, deed: Deed, acts: Vec<(CaseId, Verdict)>, effects: &mut Vec<Effect>) {
    if acts.len() > ASK_ABOVE {
        let question =
            format!("{} cases -> {}, as one act. Undo takes all of it back.", acts.len(), text::clean(&deed.what));
        let choice = Choice::Decide(deed, acts);
        model.layers.push(Layer::Confirm(Box::new(Confirm { question, key: 'y', choice })));
    } else {
        decide(model, deed, acts, None, effects);
    }
}

/// Sends decisions to the journal and moves on.
pub fn decide(
    model: &mut Model,
    deed: Deed,
    acts: Vec<(CaseId, Verdict)>,
    note: Option<String>,
    effects: &mut Vec<Effect>,
) {
    let ids: Vec<CaseId> = acts.iter().map(|(id, _)| id.clone()).collect();
    effects.push(Effect::Decide(deed, acts, note));
    leave(model, ids);
}

/// Accepts the proposal of each.
pub fn accept_all(model: &mut Model, deed: Deed, ids: Vec<CaseId>, effects: &mut Vec<Effect>) {
    effects.push(Effect::Accept(deed, ids.clone()));
    leave(model, ids);
}

/// Marks cases as on their way to the disk and goes to the next undecided one.
fn leave(model: &mut Model, ids: Vec<CaseId>) {
    model.in_flight.extend(ids);
    model.queue.untag();
    model.notice = None;
    model.moved = true;
    model.reading.scroll = 0;
    // After a decision for tagged cases the cursor may still stand on one that waits.
    let waits = |case: &Case| case.is_undecided(model.now) && !model.in_flight.contains(&case.id);
    if model.queue.current().is_some_and(waits) {
        return;
    }
    if let Some(row) = model.queue.next_undecided(true, &model.in_flight) {
        model.queue.go(row);
    }
}

/// What a deed was about is no longer on its way, saved or not.
fn land(model: &mut Model, deed: &Deed) {
    for id in &deed.ids {
        model.in_flight.remove(id);
    }
}

/// A decision came back from the journal.
pub fn decided(model: &mut Model, deed: &Deed, result: Result<Done, Failure>) {
    match result {
        Ok(done) => {
            land(model, deed);
            let n = done.receipt.cases.len();
            let is_note = matches!(done.receipt.act, Act::Noted(_));
            let before = model.queue.tally().left;
            model.refresh(done.changes);
            // Where some had no proposal, the first of them is what is looked at next.
            if let Some(left) = deed.ids.iter().find(|id| !is_note && !done.receipt.cases.contains(id)) {
                model.queue.go_to(left);
            }
            if matches!(done.receipt.act, Act::Decided(Verdict::Corrected { .. })) {
                model.corrected_last = Some(deed.case.clone());
            }
            if let Some(key) = &deed.draft {
                model.drafts.insert(key.clone(), None);
            }
            if !is_note {
                model.effort.decided += n as u64;
            }
            if let Some(repeat) = &deed.repeat {
                model.repeat = Some(repeat.clone());
            }
            let place = if deed.row > 0 && deed.asked == 1 { format!("{} ", deed.row) } else { String::new() };
            let spared = match deed.asked.saturating_sub(n) {
                0 => String::new(),
                left => format!(" ({left} without a proposal left alone)"),
            };
            let who = if deed.asked != n && deed.asked > 1 { format!("{n} cases") } else { deed.who.clone() };
            let text = if is_note {
                format!("saved: {} on {place}{who}", deed.what)
            } else {
                format!("saved: {place}{who} -> {}{spared}", deed.what)
            };
            model.say(Tone::Saved, text);
            if let Some(notice) = model.notice.as_mut().filter(|_| deed.asked == 1) {
                notice.more_exactly = more_exactly(&done.receipt.act);
                if !is_note {
                    notice.brief = super::text::clean(&format!("saved: {place}-> {}{spared}", deed.what)).into_owned();
                }
            }
            model.just_finished = before > 0 && model.queue.tally().left == 0;
        }
        Err(failure) => {
            land(model, deed);
            if deed.advanced {
                model.queue.go_to(&deed.case);
            }
            model.say(Tone::Error, format!("not saved: {} -> {}: {failure}", deed.who, deed.what));
        }
    }
}

/// The command that says a decision more exactly than its key does.
fn more_exactly(act: &Act) -> &'static str {
    match act {
        Act::Decided(Verdict::Retry { .. }) => ":retry DAYS",
        Act::Decided(Verdict::Escalated { whom: None }) => ":escalate NAME",
        _ => "",
    }
}

/// Undo or redo came back.
pub fn undone(model: &mut Model, redo: bool, result: Result<Option<Done>, Failure>) {
    match result {
        Ok(Some(done)) => {
            let first = done.receipt.cases.first().cloned();
            let n = done.receipt.cases.len();
            model.refresh(done.changes);
            let shown = first.as_ref().is_some_and(|id| model.queue.go_to(id));
            model.moved = true;
            let who = match (&first, n) {
                (Some(id), 1) => model.queue.case(id).map_or_else(|| id.to_string(), who),
                _ => format!("{n} cases"),
            };
            let what = match &done.receipt.act {
                Act::Decided(verdict) => words_of(verdict, model),
                Act::Noted(_) => "note".to_owned(),
            };
            let hidden = if shown { "" } else { " (not shown by the filter)" };
            if redo {
                model.say(Tone::Saved, format!("saved again: {who} -> {what}{hidden}"));
            } else {
                let key = model.setup.keys.hint(Action::Redo);
                model.say(Tone::Plain, format!("undone: {who} -> {what}{hidden}; {key} does it again"));
            }
        }
        Ok(None) => model.say(Tone::Plain, if redo { "nothing to do again" } else { "nothing to undo" }),
        Err(failure) => {
            let word = if redo { "not done again" } else { "not undone" };
            model.say(Tone::Error, format!("{word}: {failure}"));
        }
    }
}

/// A note was typed, or came back from the editor.
pub fn write_note(model: &mut Model, id: CaseId, text: &str, effects: &mut Vec<Effect>) {
    let key = note_key(&id);
    let text = text.trim();
    if text.is_empty() {
        model.drafts.insert(key, None);
        model.say(Tone::Plain, "an empty note is not written");
        return;
    }
    let Some(case) = model.queue.case(&id) else { return };
    let row = model.queue.row_of(&id).map_or(0, |row| row + 1);
    let deed = Deed {
        who: who(case),
        case: id,
        ids: Vec::new(),
        row,
        what: "note".into(),
        asked: 1,
        repeat: None,
        draft: Some(key),
        advanced: false,
    };
    effects.push(Effect::Note(deed, text.to_owned()));
}

/// The editor was closed.
pub fn edited(model: &mut Model, id: CaseId, result: Result<Option<String>, Failure>, effects: &mut Vec<Effect>) {
    match result {
        Ok(Some(text)) => write_note(model, id, &text, effects),
        Ok(None) => model.say(Tone::Plain, "an empty note is not written"),
        Err(failure) => model.say(Tone::Error, failure.to_string()),
    }
}

/// The summary, when the last case was just decided.
pub fn finished(model: &mut Model) -> Option<Page> {
    if !std::mem::take(&mut model.just_finished) {
        return None;
    }
    let mut page = Page::new(Subject::Summary);
    page.links =
        super::view::pages::worth_a_look(model).into_iter().map(|(_, filter)| Choice::Filter(filter)).collect();
    Some(page)
}
