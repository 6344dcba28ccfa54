//! The command line of the screen (`:`): the names of the program's own commands, with completion.

use std::path::PathBuf;

use super::deeds;
use super::filter::{Filter, WORDS, date};
use super::keys::Action;
use super::layers;
use super::menu::Choice;
use super::model::{Model, Tone};
use super::msg::{Effect, ExportOrder};
use super::page::Subject;
use super::quest;
use super::queue::Sort;
use super::update;
use crate::export::Format;
use crate::model::{Case, Cause, Kind, State, Timestamp, Verdict};
use crate::suggest::{Book, Level, check};

/// Commands with their explanations.
pub const COMMANDS: &[(&str, &str)] = &[
    ("list WORDS", "filter by words, as f does; alone: show all"),
    ("show CASE", "go to a case by its name, number or address"),
    ("decide STATE", "decide this case: corrected retry not-our-fault spam escalated done new"),
    ("correct ADDRESS", "correct this case to an address"),
    ("retry DAYS|DATE", "retry at a date: 5d, 2026-10-09"),
    ("escalate NAME", "escalate to somebody"),
    ("note TEXT", "write a note"),
    ("export FORMAT [FILE]", "write an export"),
    ("pull", "fetch new mail"),
    ("sort ORDER", "arrival newest domain cause code reporter message state"),
    ("settle DATE|DAYS [STATE]", "settle everything undecided that is older, as one act; done unless a state is given"),
    ("tag", "tag all rows shown"),
    ("untag", "clear all tags"),
    ("undo", "take the last act back"),
    ("redo", "do it again"),
    ("incidents", "many failures at one domain for one cause"),
    ("summary", "the queue in numbers"),
    ("handover", "where you stopped, for the next shift"),
    ("status", "accounts and queue"),
    ("messages", "what the program said so far"),
    ("help", "keys, filter words, commands"),
    ("quit", "close the screen"),
];

/// Other names of commands, for the habits of vi and mutt.
const ALIASES: &[(&str, &str)] = &[
    ("q", "quit"),
    ("q!", "quit"),
    ("wq", "quit"),
    ("x", "quit"),
    ("filter", "list"),
    ("goto", "show"),
    ("sync", "pull"),
    ("h", "help"),
];

fn name(text: &str) -> &str {
    text.split(' ').next().unwrap_or(text)
}

/// Runs a command; the error goes beside the prompt.
pub fn run(model: &mut Model, text: &str, effects: &mut Vec<Effect>) -> Result<(), String> {
    let text = text.trim();
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    let word = ALIASES.iter().find(|(alias, _)| *alias == word).map_or(word, |(_, own)| own);
    if word.is_empty() {
        return Ok(());
    }
    if !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()) {
        return show(model, word);
    }
    let candidates: Vec<&str> = COMMANDS.iter().map(|(own, _)| name(own)).filter(|own| own.starts_with(word)).collect();
    let command = match candidates.as_slice() {
        _ if COMMANDS.iter().any(|(own, _)| name(own) == word) => word,
        [one] => one,
        [] => return Err(format!("no command \"{word}\"; Tab shows all")),
        several => return Err(format!("\"{word}\" may be {}", several.join(", "))),
    };
    match command {
        "list" => {
            let filter = Filter::parse(rest, model.now)?;
            quest::set_filter(model, filter);
        }
        "show" => return show(model, rest),
        "decide" => return decide(model, rest, effects),
        "correct" => return correct(model, rest, effects),
        "retry" => {
            let until = later(rest, model.now)?;
            deeds::retry_at(model, until, effects);
        }
        "escalate" => {
            let whom = (!rest.is_empty()).then(|| rest.to_owned());
            deeds::all(model, &Verdict::Escalated { whom }, false, effects);
        }
        "note" => {
            let id = model.queue.current().map(|case| case.id.clone()).ok_or("no case is selected")?;
            deeds::write_note(model, id, rest, effects);
        }
        "export" => return export(model, rest, effects),
        "sort" => {
            let sort = Sort::named(rest).ok_or_else(|| {
                let names: Vec<&str> = Sort::ALL.iter().map(|(_, name)| *name).collect();
                format!("no order \"{rest}\": {}", names.join(" "))
            })?;
            layers::choose(model, Choice::Sort(sort), effects);
        }
        "settle" => return settle(model, rest),
        "tag" => {
            model.queue.tag_shown();
            let n = model.queue.tagged().len();
            model.say(Tone::Plain, format!("{n} tagged: the next decision acts on all of them"));
        }
        "incidents" => layers::choose(model, Choice::Incidents, effects),
        "pull" => update::act(model, Action::Pull, effects),
        "untag" => update::act(model, Action::Untag, effects),
        "undo" => effects.push(Effect::Undo),
        "redo" => effects.push(Effect::Redo),
        "summary" => update::page(model, Subject::Summary, effects),
        "handover" => update::page(model, Subject::Handover, effects),
        "status" => update::page(model, Subject::Status, effects),
        "messages" => update::page(model, Subject::Messages, effects),
        "help" => update::page(model, Subject::Help, effects),
        "quit" => model.quit = true,
        _ => {}
    }
    Ok(())
}

fn show(model: &mut Model, what: &str) -> Result<(), String> {
    if let Ok(number) = what.parse::<usize>()
        && number > 0
    {
        if number > model.queue.len() {
            return Err(format!("there are only {} rows", model.queue.len()));
        }
        model.queue.go(number - 1);
        model.moved = true;
        return Ok(());
    }
    let lower = what.to_lowercase();
    let passes =
        |case: &&Case| !lower.is_empty() && (case.id.0.starts_with(&lower) || case.address.to_lowercase() == lower);
    let id = model
        .queue
        .cases()
        .iter()
        .find(passes)
        .map(|case| case.id.clone())
        .ok_or_else(|| format!("no case \"{what}\""))?;
    if model.queue.go_to(&id) {
        model.moved = true;
        Ok(())
    } else {
        Err(format!("{what} is not shown by the filter"))
    }
}

/// A point in time to come: a date, or so many days from now.
fn later(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let wrong = || format!("no date \"{text}\": write 2026-10-09, or 5d for 5 days from now");
    let until = match Timestamp::parse(text) {
        Some(time) => time,
        None => now.plus_days(text.strip_suffix('d').unwrap_or(text).parse().map_err(|_| wrong())?),
    };
    if until <= now { Err(format!("{text} is not in the future")) } else { Ok(until) }
}

fn decide(model: &mut Model, rest: &str, effects: &mut Vec<Effect>) -> Result<(), String> {
    let (state, more) = rest.split_once(' ').unwrap_or((rest, ""));
    let state = State::from_slug(state).ok_or_else(|| {
        let names: Vec<&str> = State::ALL.iter().map(|state| state.slug()).collect();
        format!("no state \"{state}\": {}", names.join(" "))
    })?;
    let verdict = match state {
        State::Corrected => return correct(model, more, effects),
        State::Retry => {
            let until = if more.is_empty() { model.now.plus_days(2) } else { later(more, model.now)? };
            deeds::retry_at(model, until, effects);
            return Ok(());
        }
        State::Escalated => Verdict::Escalated { whom: (!more.is_empty()).then(|| more.to_owned()) },
        other => plain_verdict(other),
    };
    deeds::all(model, &verdict, false, effects);
    Ok(())
}

fn plain_verdict(state: State) -> Verdict {
    match state {
        State::New => Verdict::New,
        State::NotOurFault => Verdict::NotOurFault,
        State::Spam => Verdict::Spam,
        State::Escalated => Verdict::Escalated { whom: None },
        State::Done | State::Corrected | State::Retry => Verdict::Done,
    }
}

fn correct(model: &mut Model, address: &str, effects: &mut Vec<Effect>) -> Result<(), String> {
    let failed = model.queue.current().map(|case| case.address.clone()).unwrap_or_default();
    let found = check(address, Some(&failed), &Book::default());
    if let Some(error) = found.into_iter().find(|finding| finding.level == Level::Error) {
        return Err(error.message);
    }
    deeds::all(model, &Verdict::Corrected { to: address.to_owned() }, false, effects);
    Ok(())
}

fn settle(model: &mut Model, rest: &str) -> Result<(), String> {
    let (when, state) = rest.split_once(' ').unwrap_or((rest, "done"));
    let before = date(when, model.now)?;
    let state = State::from_slug(state.trim())
        .filter(|state| !matches!(state, State::New | State::Corrected | State::Retry))
        .ok_or_else(|| format!("cannot settle to \"{state}\": done not-our-fault spam escalated"))?;
    let verdict = plain_verdict(state);
    let old: Vec<_> =
        model.queue.cases().iter().filter(|case| case.is_undecided(model.now) && case.last_received < before).collect();
    let Some(first) = old.first() else {
        return Err(format!("nothing undecided is older than {}", before.format("%d %b %Y", &model.setup.zone)));
    };
    let ids: Vec<_> = old.iter().map(|case| case.id.clone()).collect();
    let what = super::view::diagnosis::verdict(&verdict, model);
    let who = format!("{} cases older than {}", ids.len(), before.format("%d %b %Y", &model.setup.zone));
    let deed = super::msg::Deed {
        case: first.id.clone(),
        ids: ids.clone(),
        row: 0,
        who: who.clone(),
        what: what.clone(),
        asked: ids.len(),
        repeat: None,
        draft: None,
        advanced: true,
    };
    let acts = ids.into_iter().map(|id| (id, verdict.clone())).collect();
    let question = format!("{who} -> {what}, as one act? Undo takes all of it back.");
    let confirm = super::confirm::Confirm { question, key: 'y', choice: Choice::Decide(deed, acts) };
    model.layers.push(super::model::Layer::Confirm(Box::new(confirm)));
    Ok(())
}

/// Where an export goes unless the lead says otherwise.
pub fn export_path(model: &Model, format: Format) -> PathBuf {
    let day = model.now.format("%Y-%m-%d", &model.setup.zone);
    let what = match format {
        Format::Csv => "corrections",
        Format::Jsonl => "cases",
        other => other.slug(),
    };
    let name = format!("{what}-{day}.{}", format.extension());
    model.setup.export_dir.join(name)
}

fn export(model: &mut Model, rest: &str, effects: &mut Vec<Effect>) -> Result<(), String> {
    let (format, path) = rest.split_once(' ').unwrap_or((rest, ""));
    let known = || Format::ALL.iter().map(|format| format.slug()).collect::<Vec<_>>().join(" ");
    let format = match format {
        "" => Format::Csv,
        name => Format::from_slug(name).ok_or_else(|| format!("no format \"{name}\": {}", known()))?,
    };
    let path = if path.trim().is_empty() { export_path(model, format) } else { PathBuf::from(path.trim()) };
    effects.push(Effect::Export(ExportOrder { format, path, replace: false }));
    Ok(())
}

/// Texts that a command line could become.
pub fn complete(text: &str, model: &Model) -> Vec<String> {
    let Some((word, rest)) = text.split_once(' ') else {
        let names = COMMANDS.iter().map(|(own, _)| name(own)).filter(|own| own.starts_with(text));
        return names.map(|own| format!("{own} ")).collect();
    };
    let of = |values: Vec<&str>| {
        values.into_iter().filter(|value| value.starts_with(rest)).map(|value| format!("{word} {value}")).collect()
    };
    match word {
        "list" | "filter" => {
            complete_filter(rest, model).into_iter().map(|filter| format!("{word} {filter}")).collect()
        }
        "sort" => of(Sort::ALL.iter().map(|(_, name)| *name).collect()),
        "decide" => of(State::ALL.iter().map(|state| state.slug()).collect()),
        "export" => of(Format::ALL.iter().map(|format| format.slug()).collect()),
        _ => Vec::new(),
    }
}

/// Texts that a filter could become: its last word completed.
pub fn complete_filter(text: &str, model: &Model) -> Vec<String> {
    let (before, last) = text.rsplit_once(' ').map_or(("", text), |(before, last)| (before, last));
    let mut words: Vec<String> = Vec::new();
    match last.split_once(':') {
        None => words.extend(WORDS.iter().map(|(word, _)| (*word).to_owned())),
        Some(("state", _)) => words.extend(State::ALL.iter().map(|state| format!("state:{state}"))),
        Some(("cause", _)) => words.extend(Cause::ALL.iter().map(|cause| format!("cause:{cause}"))),
        Some(("kind", _)) => words.extend(Kind::ALL.iter().map(|kind| format!("kind:{kind}"))),
        Some(("domain", _)) => {
            let domains: std::collections::BTreeSet<String> =
                model.queue.cases().iter().map(|case| super::filter::domain_of(&case.address).to_lowercase()).collect();
            words.extend(
                domains.into_iter().filter(|domain| !domain.is_empty()).map(|domain| format!("domain:{domain}")),
            );
        }
        Some(_) => {}
    }
    let before = if before.is_empty() { String::new() } else { format!("{before} ") };
    words.into_iter().filter(|word| word.starts_with(last)).map(|word| format!("{before}{word}")).collect()
}

/// What all of these begin with.
pub fn common_start(texts: &[String]) -> String {
    let Some(first) = texts.first() else { return String::new() };
    let mut end = first.len();
    for other in &texts[1..] {
        let same = first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
        end = end.min(same);
    }
    while !first.is_char_boundary(end) {
        end -= 1;
    }
    first[..end].to_owned()
}
