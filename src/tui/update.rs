//! One step of the screen: a message comes in, the model changes, wishes go out. Routes; deterministic.
//!
//! Knows nothing of terminals, files, threads or clocks. Invariant: the same messages lead to the same model and wishes.

use super::input::{Code, Key};
use super::keys::Action;
use super::mail::Shown;
use super::menu::Choice;
use super::model::{Job, Layer, Model, Pane, Reading, Sheet, Tone};
use super::msg::{Effect, FetchStep, Msg};
use super::page::{Page, Subject};
use super::{deeds, layers, menus, quest, reading, session, view};
use crate::desk::Changes;

/// Cases whose notices are kept for the list.
const MOST_FOLDS: usize = 1000;

/// Takes one message.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    match msg {
        Msg::Key(key) => key_pressed(model, key, &mut effects),
        Msg::Paste(text) => layers::paste(model, &text, &mut effects),
        Msg::Resize(width, height) => {
            model.size = (width, height);
            effects.push(Effect::Redraw);
        }
        Msg::Clock(now) => {
            model.now = now;
            model.queue.tick(now);
        }
        Msg::Glance(glance) => {
            model.queue.show_part(*glance, model.now);
            session::arrive(model);
        }
        Msg::Cases(cases) => {
            model.queue.fill(cases, model.now);
            quest::begin_anew(model);
            session::arrive(model);
        }
        Msg::Restored(state) => session::restore(model, state.as_deref()),
        Msg::Counted(counted) => model.counted = counted,
        Msg::Changed(changes) => changed(model, changes),
        Msg::Loaded(detail) => {
            if model.queue.current().is_some_and(|case| case.id == detail.case.id) {
                model.detail = Some(*detail);
            }
        }
        Msg::Unfolded(folds) => {
            if model.folds.len() > MOST_FOLDS {
                model.folds.clear();
            }
            model.folds.extend(folds);
        }
        Msg::Mail(notice, raw) => {
            let loaded = model.detail.as_ref().and_then(|detail| detail.notices.iter().find(|own| own.id == notice));
            model.mail = Some(Shown::read(notice, &raw, loaded.map(|own| &own.diagnosis.original)));
            layers::to_first_evidence(model);
        }
        Msg::Draft(key, text) => layers::draft(model, &key, text, &mut effects),
        Msg::Checked(text, findings) => layers::checked(model, &text, findings, &mut effects),
        Msg::LookedUp(text, finding) => layers::looked_up(model, text, finding),
        Msg::Card(domain, lines) => {
            // The word about asking has had its time.
            model.notice = None;
            model.sheet = Sheet { title: format!("{domain}: SPF, DKIM, DMARC"), lines };
            page(model, Subject::Sheet, &mut effects);
        }
        Msg::Decided(deed, result) => deeds::decided(model, &deed, result),
        Msg::Undone { redo, result } => deeds::undone(model, redo, result),
        Msg::Exported(result) => layers::exported(model, result),
        Msg::Fetch(account, step) => fetch(model, &account, step),
        Msg::Edited(case, result) => deeds::edited(model, case, result, &mut effects),
        Msg::GoOn => quest::go_on(model),
        Msg::Painted => model.painted = model.current().map(|detail| detail.case.id.clone()),
        Msg::Failed(failure) => {
            model.waiting = None;
            model.say(Tone::Error, failure.to_string());
        }
        Msg::Letter(what, text) => {
            model.say(Tone::Plain, format!("sent to the terminal's clipboard: {what}, {} lines", text.lines().count()));
            effects.push(Effect::Copy(text));
        }
        Msg::Said(text) => model.say(Tone::Plain, text),
        Msg::Ended => model.quit = true,
    }
    settle(model, &mut effects);
    effects
}

/// Whether keys must wait: the last one needs what has not been loaded and shown yet.
pub fn is_blocked(model: &Model) -> bool {
    let saving = matches!(model.layers.last(), Some(Layer::Correct(dialog)) if dialog.saving);
    model.waiting.is_some() || saving
}

/// Whether the next frame must be drawn before the waiting key can go on.
pub fn wants_paint(model: &Model) -> bool {
    model.current().is_some() && model.waiting.is_some_and(|action| !wants_all(model, action))
}

/// Whether a key must wait until all cases have been read: it reaches beyond the rows around the cursor.
fn wants_all(model: &Model, action: Action) -> bool {
    use Action::*;
    !model.queue.is_whole()
        && !matches!(
            action,
            Accept
                | Retry
                | NotOurFault
                | Spam
                | Escalate
                | Done
                | Repeat
                | Down
                | Up
                | Open
                | Back
                | Quit
                | Diagnosis
                | Returned
                | Raw
                | Notes
                | NextPane
                | NextEvidence
                | PreviousEvidence
                | Headers
                | Quoted
                | Parts
                | Note
                | NoteEditor
                | Copy
                | CopyMenu
                | Pull
                | Messages
                | Help
                | Redraw
                | Suspend
                | Cancel
        )
}

/// What every step ends with: the window follows the cursor, the case under it is asked for, a waiting key goes on.
fn settle(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(action) = model.waiting {
        let ready = match model.queue.current() {
            _ if wants_all(model, action) => false,
            None => true,
            Some(case) => {
                model.current().is_some() && (action != Action::Accept || model.painted.as_ref() == Some(&case.id))
            }
        };
        if ready {
            model.waiting = None;
            act(model, action, effects);
        }
    }
    if let Some(open) = deeds::finished(model) {
        model.layers.push(Layer::Page(open));
    }
    view::folds::scroll(model);
    let folded: Vec<_> = view::folds::folded(model).into_iter().map(|case| case.id.clone()).collect();
    if !folded.is_empty() && model.folds_requested != folded {
        model.folds_requested.clone_from(&folded);
        effects.push(Effect::Unfold(folded));
    }
    let id = model.queue.current().map(|case| case.id.clone());
    if model.requested != id {
        let Reading { headers, quoted, parts, .. } = model.reading;
        model.reading = Reading { headers, quoted, parts, to_evidence: !parts, ..Reading::default() };
        model.requested.clone_from(&id);
        if let Some(id) = id {
            effects.push(Effect::Load(id));
        }
    }
    let found = view::layout::layout(model.size, model.zoomed);
    let wants_mail = matches!(model.pane, Pane::Raw | Pane::Returned) || found.second.is_some();
    if wants_mail
        && let Some(notice) = model.current().and_then(|detail| detail.notices.last()).map(|notice| notice.id)
        && model.current_mail().is_none()
        && model.mail_requested != Some(notice)
    {
        model.mail_requested = Some(notice);
        effects.push(Effect::Mail(notice));
    }
}

fn changed(model: &mut Model, changes: Changes) {
    if changes.cases.is_empty() && changes.removed.is_empty() {
        return;
    }
    model.refresh(changes);
    quest::begin_anew(model);
    if !model.moved && model.fetching.running.is_empty() {
        model.queue.to_first_undecided();
    }
}

fn fetch(model: &mut Model, account: &str, step: FetchStep) {
    let now = model.now;
    let running = &mut model.fetching.running;
    match step {
        FetchStep::Begun => {
            running.retain(|job| job.name != account);
            running.push(Job { name: account.to_owned(), done: 0, total: None, found: 0, since: now });
        }
        FetchStep::Waits => {
            model.say(Tone::Plain, format!("{account}: another bounceback is fetching; waiting for it"));
        }
        FetchStep::At(done, total, found) => {
            if let Some(job) = running.iter_mut().find(|job| job.name == account) {
                (job.done, job.total, job.found) = (done, total, found);
            }
        }
        FetchStep::Ended { notices, cases, cancelled, unreadable } => {
            running.retain(|job| job.name != account);
            let mut words = match notices {
                0 => "nothing new".to_owned(),
                1 => "1 new notice".to_owned(),
                n => format!("{n} new notices"),
            };
            if cases > 0 {
                words.push_str(&format!(", {cases} new case{}", if cases == 1 { "" } else { "s" }));
            }
            if unreadable > 0 {
                words.push_str(&format!(", {unreadable} messages could not be read"));
            }
            if cancelled {
                words.push_str(", stopped before the end");
            } else {
                model.fetching.synced = Some(now);
            }
            if model.fetching.failed.as_ref().is_some_and(|(name, _)| name == account) {
                model.fetching.failed = None;
            }
            let line = format!("{account}: {words}");
            model.fetching.results.insert(account.to_owned(), words);
            model.say(Tone::Plain, line);
            if !model.moved && model.fetching.running.is_empty() {
                model.queue.to_first_undecided();
            }
        }
        FetchStep::Synced => {
            model.fetching.synced = Some(now);
            if model.fetching.failed.as_ref().is_some_and(|(name, _)| name == account) {
                model.fetching.failed = None;
            }
        }
        FetchStep::Lost(failure) => {
            model.fetching.results.insert(account.to_owned(), failure.what.clone());
            model.fetching.failed = Some((account.to_owned(), failure));
        }
        FetchStep::Failed(failure) => {
            running.retain(|job| job.name != account);
            model.fetching.results.insert(account.to_owned(), failure.what.clone());
            model.say(Tone::Error, format!("{account}: {failure}"));
            model.fetching.failed = Some((account.to_owned(), failure));
        }
    }
}

fn key_pressed(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    model.effort.keys += 1;
    let cancel = key == Key::ctrl('c');
    let twice = cancel && model.cancelled;
    model.cancelled = cancel;
    if twice {
        model.quit = true;
        return;
    }
    if key == Key::ctrl('l') {
        effects.push(Effect::Redraw);
        return;
    }
    if key == Key::ctrl('z') {
        effects.push(Effect::Suspend);
        return;
    }
    if quest::interrupted(model, cancel || key.code == Code::Esc) {
        return;
    }
    if !model.layers.is_empty() {
        layers::key(model, key, effects);
        return;
    }
    if !matches!(model.notice.as_ref().map(|notice| notice.tone), None | Some(Tone::Saved)) {
        model.notice = None;
    }
    match model.setup.keys.action(key) {
        Some(action) if wants_all(model, action) => model.waiting = Some(action),
        Some(action) => act(model, action, effects),
        None => {
            let help = model.setup.keys.hint(Action::Help);
            if !matches!(key.code, Code::Esc) {
                model.say(Tone::Plain, format!("{key} does nothing here; {help} shows the keys"));
                model.log.pop_back();
            }
        }
    }
}

/// Does what a key stands for.
pub(super) fn act(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    if reading::movement(model, action) {
        model.moved = true;
        return;
    }
    match action {
        Action::Open => reading::open(model),
        Action::Back => reading::back(model),
        Action::Quit if model.zoomed => reading::back(model),
        Action::Quit => model.quit = true,
        Action::Diagnosis => reading::show(model, Pane::Diagnosis),
        Action::Returned => reading::show(model, Pane::Returned),
        Action::Raw => reading::show(model, Pane::Raw),
        Action::Notes => reading::show(model, Pane::Notes),
        Action::NextPane => {
            let at = Pane::ALL.iter().position(|pane| *pane == model.pane).unwrap_or(0);
            reading::show(model, Pane::ALL[(at + 1) % Pane::ALL.len()]);
        }
        Action::NextEvidence => reading::evidence(model, true),
        Action::PreviousEvidence => reading::evidence(model, false),
        Action::Headers => reading::toggle(model, |reading| &mut reading.headers),
        Action::Quoted => reading::toggle(model, |reading| &mut reading.quoted),
        Action::Parts => {
            reading::toggle(model, |reading| &mut reading.parts);
            reading::show(model, Pane::Raw);
            (model.reading.scroll, model.reading.to_evidence) = (0, false);
        }
        Action::Tag => tag(model),
        Action::Untag => {
            model.queue.untag();
            model.say(Tone::Plain, "no tags");
        }
        Action::ClearFilter => layers::choose(model, Choice::Filter(String::new()), effects),
        Action::Pull if model.setup.accounts.is_empty() => {
            let why = menus::nothing_to_fetch(model);
            model.say(Tone::Warning, why);
        }
        Action::Pull => effects.push(Effect::Pull),
        Action::Status => page(model, Subject::Status, effects),
        Action::Messages => page(model, Subject::Messages, effects),
        Action::Help => page(model, Subject::Help, effects),
        Action::AuthCard => match menus::our_domain(model) {
            Some(domain) => {
                model.say(Tone::Plain, format!("asking the name servers about {domain} ..."));
                effects.push(Effect::Card(domain));
            }
            None => model.say(Tone::Warning, menus::NO_DOMAIN),
        },
        Action::Redraw => effects.push(Effect::Redraw),
        Action::Suspend => effects.push(Effect::Suspend),
        Action::Cancel => cancel(model, effects),
        Action::Search
        | Action::NextHit
        | Action::PreviousHit
        | Action::Filter
        | Action::Sort
        | Action::Command
        | Action::Copy
        | Action::CopyMenu
        | Action::Export => menus::open(model, action, effects),
        _ => deeds::act(model, action, effects),
    }
}

fn tag(model: &mut Model) {
    if let Some(id) = model.queue.current().map(|case| case.id.clone()) {
        model.queue.toggle_tag(&id);
        model.queue.step(1);
        let tagged = model.queue.tagged().len();
        model.say(Tone::Plain, format!("{tagged} tagged: the next decision acts on all of them"));
    }
}

fn cancel(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.fetching.running.is_empty() {
        model.say(Tone::Plain, "Ctrl-C again quits");
    } else {
        effects.push(Effect::Stop);
        model.say(Tone::Plain, "stopping the fetch; Ctrl-C again quits");
    }
}

/// Opens a page of text.
pub(super) fn page(model: &mut Model, subject: Subject, effects: &mut Vec<Effect>) {
    let mut page = Page::new(subject);
    page.links = match subject {
        Subject::Summary | Subject::Handover => {
            view::pages::worth_a_look(model).into_iter().map(|(_, filter)| Choice::Filter(filter)).collect()
        }
        Subject::Status => menus::incident_filters(model),
        Subject::Help | Subject::Messages | Subject::Sheet => Vec::new(),
    };
    if subject == Subject::Status {
        effects.push(Effect::Count);
    }
    if subject == Subject::Messages {
        page.scroll = usize::MAX / 2;
    }
    model.layers.retain(|layer| !matches!(layer, Layer::Page(_)));
    model.layers.push(Layer::Page(page));
}
