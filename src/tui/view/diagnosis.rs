//! The diagnosis: who failed, what it means, what the server said, who reported it, what to do, and how sure that is.
//!
//! In the small pane each fact has its fixed lines, so that stepping through the list changes as little as possible.

use ratatui::style::Style;

use super::rows::Row;
use crate::desk::Detail;
use crate::model::{Case, Cause, Certainty, Class, Ours, Recipient, Role, Timestamp, Verdict, WhoActs};
use crate::tui::keys::Action;
use crate::tui::lookalike::suspicious;
use crate::tui::model::Model;
use crate::tui::text::{clean, cut, wrap};

/// Columns of the labels.
const LABEL: usize = 13;

/// What is read from a notice, and the word for its line on the whole screen; the raw mail marks all of them.
const CLAIMS: [(&str, &str); 6] = [
    ("recipient", "recipient"),
    ("action", "action"),
    ("status", "status"),
    ("remote server", "server"),
    ("diagnostic", "said"),
    ("cause", "cause"),
];

/// Earlier cases of the same address that are listed.
const EARLIER: usize = 5;

/// Fewest columns with a column of labels.
const NARROW: usize = 40;

/// Makes lines under labels.
struct Lines<'a> {
    model: &'a Model,
    width: usize,
    rows: Vec<Row>,
}

impl Lines<'_> {
    fn style(&self, name: &str) -> Style {
        self.model.setup.theme.get(name)
    }

    /// A fact on at most `most` lines (0: as many as it takes), and on exactly that many where `fixed`.
    fn fact(&mut self, label: &str, value: &str, style: &str, most: usize, fixed: bool) {
        // Too narrow for a column of labels: the label leads the text.
        let narrow = self.width < NARROW;
        let led = if narrow && !label.is_empty() { format!("{label}: {value}") } else { value.to_owned() };
        let (label, gap) = if narrow { ("", 0) } else { (label, LABEL - 1) };
        let room = self.width.saturating_sub(gap + 2).max(8);
        let value = clean(&led);
        let mut lines = wrap(&value, room);
        if most > 0 && lines.len() > most {
            lines.truncate(most);
            if let Some(last) = lines.last_mut() {
                let shown = cut(&format!("{last} …"), room.saturating_sub(1));
                *last = format!("{}~", shown.trim_end_matches([' ', '…', '~']));
            }
        }
        while fixed && lines.len() < most {
            lines.push(String::new());
        }
        for (at, line) in lines.into_iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            let row = Row::of(format!(" {label:<gap$}"), self.style("label")).and(line, self.style(style));
            self.rows.push(row);
        }
    }

    fn right(&mut self, text: &str) {
        let style = self.style("hint");
        if let Some(row) = self.rows.last_mut() {
            row.right = Some((format!("{} ", clean(text)), style));
        }
    }
}

/// The lines of the diagnosis: as many as it takes, or made to fit a small pane of so many.
pub fn rows(model: &Model, width: usize, small: Option<usize>) -> Vec<Row> {
    let Some(case) = model.queue.current() else { return Vec::new() };
    let mut lines = Lines { model, width, rows: Vec::new() };
    failed(&mut lines, case);
    let Some(detail) = model.current() else { return lines.rows };
    let newest = detail.notices.last();
    let recipient = newest.and_then(|notice| notice.recipient.and_then(|at| notice.diagnosis.recipients.get(at)));
    match small {
        Some(height) => {
            // Ten lines: what it means and what was said get two each, the rest one; a taller pane gives more to the words.
            let more = height.saturating_sub(10);
            meaning(&mut lines, case, recipient, if height >= 9 { 2 } else { 1 });
            said(&mut lines, detail, recipient, if height >= 10 { 2 + more.min(2) } else { 1 }, true);
            reporter(&mut lines, detail, recipient, true);
            original(&mut lines, detail, true);
            proposal(&mut lines, detail, true);
            if more >= 3 && !detail.suggestions.is_empty() {
                next(&mut lines, case, recipient, 2, true);
            }
            why(&mut lines, detail, recipient, 1);
        }
        None => {
            // Each fact has the lines it usually takes, and what may take many comes last: the labels stay where they are
            // from case to case.
            let mut fixed = |least: usize, add: &dyn Fn(&mut Lines<'_>)| {
                let from = lines.rows.len();
                add(&mut lines);
                while lines.rows.len() < from + least {
                    lines.fact("", "", "text", 1, true);
                }
            };
            fixed(2, &|lines| meaning(lines, case, recipient, 0));
            fixed(2, &|lines| proposal(lines, detail, false));
            fixed(2, &|lines| reporter(lines, detail, recipient, false));
            fixed(2, &|lines| original(lines, detail, false));
            fixed(2, &|lines| why(lines, detail, recipient, 0));
            fixed(3, &|lines| said(lines, detail, recipient, 0, false));
            fixed(2, &|lines| next(lines, case, recipient, 0, false));
            more(&mut lines, detail);
        }
    }
    lines.rows
}

fn failed(lines: &mut Lines<'_>, case: &Case) {
    if case.address.is_empty() {
        lines.fact("Failed", "no failed address could be read", "warning", 1, true);
    } else if let Some(warning) = suspicious(&case.address) {
        lines.fact("Failed", &format!("{}   look closely: {warning}", case.address), "address", 1, true);
    } else {
        let sent = case.original_address.as_ref().filter(|sent| !sent.eq_ignore_ascii_case(&case.address));
        let sent = sent.map(|sent| format!("   (sent to {sent})")).unwrap_or_default();
        lines.fact("Failed", &format!("{}{sent}", case.address), "address", 1, true);
    }
    if let Some(ticket) = &case.ticket {
        lines.right(&format!("ticket {ticket}"));
    }
}

fn meaning(lines: &mut Lines<'_>, case: &Case, recipient: Option<&Recipient>, most: usize) {
    let words = lines.model.words(case.cause);
    let lasting = match (case.kind, case.status.map(|status| status.class)) {
        (crate::model::Kind::Delay, _) => "delayed.  ",
        (_, Some(Class::Transient)) => "temporary.  ",
        (_, Some(Class::Permanent)) => "permanent.  ",
        _ => "",
    };
    let meaning = recipient.map(|r| r.meaning.as_str()).filter(|meaning| !meaning.is_empty());
    let meaning = meaning.unwrap_or(if words.explanation.is_empty() { &words.title } else { &words.explanation });
    let code = match super::list::code(case).as_str() {
        "-" => String::new(),
        code => format!("{code}  "),
    };
    let text = format!("{code}{lasting}{meaning}");
    lines.fact("Meaning", &text, "text", most, most > 0);
}

fn said(lines: &mut Lines<'_>, detail: &Detail, recipient: Option<&Recipient>, most: usize, fixed: bool) {
    let said = recipient.and_then(|r| r.diagnostic.as_deref());
    let text = match said {
        Some(said) => said.to_owned(),
        None if detail.case.address.is_empty() => detail
            .notices
            .last()
            .and_then(|n| n.diagnosis.notice.subject.clone())
            .map_or_else(|| "nothing that could be read".to_owned(), |subject| format!("subject: {subject}")),
        None => "(no reply is quoted)".to_owned(),
    };
    lines.fact("Said", &text, "text", most, fixed);
}

fn role(role: Role) -> &'static str {
    match role {
        Role::HelpDesk => "help desk",
        Role::Ours => "ours",
        Role::OurProvider => "our provider",
        Role::Recipient => "recipient's side",
        Role::Filter => "filter",
        Role::Unknown => "",
    }
}

fn reporter(lines: &mut Lines<'_>, detail: &Detail, recipient: Option<&Recipient>, small: bool) {
    let Some(notice) = detail.notices.last() else { return };
    let reporter = &notice.diagnosis.reporter;
    let mut text = reporter.mta.clone().unwrap_or_else(|| "not named".to_owned());
    if !role(reporter.role).is_empty() {
        text.push_str(&format!(" ({})", role(reporter.role)));
    }
    let remote = recipient.and_then(|r| r.remote_mta.as_ref()).filter(|remote| reporter.mta.as_ref() != Some(remote));
    if !small {
        lines.fact("Reporter", &text, "text", 0, false);
        lines.fact("Refused by", remote.map_or("-", |remote| remote), "text", 0, false);
        return;
    }
    if let Some(remote) = remote {
        text.push_str(&format!(", refused by {remote}"));
    }
    lines.fact("Reporter", &text, "text", 1, true);
}

fn original(lines: &mut Lines<'_>, detail: &Detail, small: bool) {
    let Some(notice) = detail.notices.last() else { return };
    let zone = &lines.model.setup.zone;
    let original = &notice.diagnosis.original;
    let subject = original.subject.as_deref().unwrap_or("no subject came back");
    // Beside the number of bounces there is no room for the date.
    let sent = original
        .date
        .filter(|_| !small || detail.notices.len() == 1)
        .map(|date| format!("   {}", date.format("%a %d %b %H:%M", zone)))
        .unwrap_or_default();
    let ours = match notice.diagnosis.authenticity.verdict {
        Ours::NotOurs => "   NOT SENT BY US",
        Ours::Ours | Ours::Unknown => "",
    };
    let style = if ours.is_empty() { "text" } else { "warning" };
    lines.fact("Original", &format!("{subject}{sent}{ours}"), style, usize::from(small), small);
    if detail.notices.len() > 1 {
        let span = span(detail.notices.first().map_or(notice.received, |n| n.received), notice.received);
        lines.right(&format!("bounced {}x {span}", detail.notices.len()));
    }
    if !small && !notice.diagnosis.authenticity.because.is_empty() {
        let because = notice.diagnosis.authenticity.because.first().cloned().unwrap_or_default();
        let verdict = match notice.diagnosis.authenticity.verdict {
            Ours::Ours => "yes",
            Ours::NotOurs => "no",
            Ours::Unknown => "cannot be told",
        };
        lines.fact("Sent by us", &format!("{verdict}: {because}"), "text", 1, false);
    }
}

/// How long lies between two times, in words.
fn span(first: Timestamp, last: Timestamp) -> String {
    let hours = (last.0 - first.0).max(0) / 3600;
    match hours {
        0 => "within the hour".to_owned(),
        1..=47 => format!("in {hours} h"),
        _ => format!("in {} days", hours / 24),
    }
}

fn next(lines: &mut Lines<'_>, case: &Case, recipient: Option<&Recipient>, most: usize, fixed: bool) {
    let words = lines.model.words(case.cause);
    let step = recipient.map(|r| r.next_step.as_str()).filter(|step| !step.is_empty()).unwrap_or(&words.next_step);
    let who = match recipient.map(|r| r.who_acts) {
        Some(WhoActs::Admin) => "for the administrator: ",
        Some(WhoActs::Recipient) => "for the recipient's side: ",
        _ => "",
    };
    lines.fact("Next", &format!("{who}{step}"), "text", most, fixed);
    if case.cause == Cause::AuthenticationFailed {
        let key = lines.model.setup.keys.hint(Action::AuthCard);
        lines.right(&format!("{key} shows what we publish"));
    }
}

/// A decision in words, as the list and messages say it.
pub fn verdict(verdict: &Verdict, model: &Model) -> String {
    match verdict {
        Verdict::New => "new again".to_owned(),
        Verdict::Corrected { to } => format!("corrected to {to}"),
        Verdict::Retry { until } => format!("retry {}", until.format("%a %d %b", &model.setup.zone)),
        Verdict::NotOurFault => "not our fault".to_owned(),
        Verdict::Spam => "spam or backscatter".to_owned(),
        Verdict::Escalated { whom: Some(whom) } => format!("escalated to {whom}"),
        Verdict::Escalated { whom: None } => "escalated".to_owned(),
        Verdict::Done => "done".to_owned(),
    }
}

/// Why `a` does nothing, and what does.
pub fn nothing_proposed(detail: &Detail, key: &str) -> String {
    match detail.suggestions.len() {
        0 => format!("nothing: {}", detail.offer.why),
        1 => format!("nothing is sure enough; {key}1 takes the candidate"),
        n => format!("nothing is sure enough; {key}1 to {key}{n} take a candidate"),
    }
}

/// What `a` would do, in a few words: `C anna@example.org`.
pub fn proposal_words(detail: &Detail, model: &Model) -> String {
    match &detail.offer.verdict {
        Some(Verdict::Corrected { to }) => format!("C {to}"),
        Some(Verdict::Escalated { .. }) => "E escalate".to_owned(),
        Some(offered) => format!("{} {}", offered.state().letter(), verdict(offered, model)),
        None => nothing_proposed(detail, &model.setup.keys.hint(crate::tui::keys::Action::Correct)),
    }
}

fn proposal(lines: &mut Lines<'_>, detail: &Detail, small: bool) {
    let key = lines.model.setup.keys.hint(crate::tui::keys::Action::Accept);
    match &detail.offer.verdict {
        Some(offered) => {
            let letter = offered.state().letter();
            let what = match offered {
                Verdict::Corrected { to } => format!("correct to {to}"),
                Verdict::Escalated { .. } => "escalate".to_owned(),
                other => verdict(other, lines.model),
            };
            let why = format!("   ({})", detail.offer.why);
            lines.fact("Suggest", &format!("{key} = {letter}  {what}{why}"), "proposal", usize::from(small), small);
        }
        None => {
            let text = nothing_proposed(detail, &lines.model.setup.keys.hint(crate::tui::keys::Action::Correct));
            lines.fact("Suggest", &text, "text", usize::from(small), small);
        }
    }
    if small {
        // One line for all candidates; where there are none, for what to do.
        let key = lines.model.setup.keys.hint(crate::tui::keys::Action::Correct);
        let numbered: Vec<String> = detail
            .suggestions
            .iter()
            .take(3)
            .enumerate()
            .map(|(at, s)| format!("{key}{} {}", at + 1, s.address))
            .collect();
        if numbered.is_empty() {
            let step = lines.model.words(detail.case.cause).next_step.clone();
            lines.fact("Next", &step, "text", 1, true);
        } else {
            lines.fact("", &numbered.join("   "), "text", 1, true);
        }
    } else {
        // The one that is offered stands above already.
        let offered =
            |address: &str| matches!(&detail.offer.verdict, Some(Verdict::Corrected { to }) if *to == *address);
        let all = detail.suggestions.iter().enumerate();
        for (at, suggestion) in all.filter(|(_, suggestion)| !offered(&suggestion.address)) {
            lines.fact("", &format!("c{}  {}   {}", at + 1, suggestion.address, suggestion.because), "text", 0, false);
        }
    }
}

/// How sure the engine is, in words.
pub fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Sure => "sure: stated in a standard field, or several agree",
        Certainty::Likely => "likely: read from a known form of notice",
        Certainty::Guess => "a guess: read from free text",
    }
}

fn why(lines: &mut Lines<'_>, detail: &Detail, recipient: Option<&Recipient>, most: usize) {
    let Some(recipient) = recipient else {
        let notes = detail.notices.last().map(|n| n.diagnosis.notes.join("; ")).unwrap_or_default();
        let text = if notes.is_empty() { "the mail names no failed recipient".to_owned() } else { notes };
        lines.fact("Why", &text, "text", most, most > 0);
        return;
    };
    let mut sources: Vec<&str> = Vec::new();
    for evidence in &recipient.evidence {
        if !sources.contains(&evidence.from.as_str()) {
            sources.push(&evidence.from);
        }
    }
    let sure = certainty(recipient.certainty);
    if most > 0 {
        let short = sure.split(':').next().unwrap_or(sure);
        lines.fact("Why", &format!("[{short}] {}", sources.join(", ")), "text", most, true);
        return;
    }
    let rule = recipient.rule.as_ref().map(|rule| format!("   rule {rule}")).unwrap_or_default();
    let short = sure.split(':').next().unwrap_or(sure);
    lines.fact("Certainty", &format!("[{short}]{rule}"), "text", 0, false);
    // What was read stands above already: here is where it was read. Each in its place, so that a step changes numbers.
    let line_of = |claim: &str| recipient.evidence.iter().find(|own| own.claim == claim).and_then(|own| own.line);
    let slot = |(claim, name): &(&str, &str)| {
        format!("{name} {:<4}", line_of(claim).map_or_else(|| "-".to_owned(), |line| line.to_string()))
    };
    let slots: String = CLAIMS.iter().map(slot).collect();
    lines.fact("On lines", slots.trim_end(), "text", 0, false);
}

/// What only the whole screen has room for: doubts, the other cases, history, notices.
fn more(lines: &mut Lines<'_>, detail: &Detail) {
    let zone = lines.model.setup.zone.clone();
    let Some(newest) = detail.notices.last() else { return };
    for (at, note) in newest.diagnosis.notes.iter().enumerate() {
        lines.fact(if at == 0 { "Doubts" } else { "" }, note, "warning", 0, false);
    }
    for (at, other) in detail.group.iter().filter(|other| other.id != detail.case.id).enumerate() {
        let text =
            format!("{}  {}  {}", other.state.letter(), super::list::who(other), lines.model.words(other.cause).title);
        lines.fact(if at == 0 { "Also to" } else { "" }, &text, "text", 0, false);
    }
    let more = detail.earlier.len().saturating_sub(EARLIER);
    for (at, other) in detail.earlier.iter().take(EARLIER).enumerate() {
        let text = format!(
            "{}  {}  {}",
            other.received.format("%d %b %Y", &zone),
            other.state,
            other.subject.as_deref().unwrap_or("")
        );
        lines.fact(if at == 0 { "Earlier" } else { "" }, &text, "text", 0, false);
    }
    if more > 0 {
        lines.fact("", &format!("and {more} more to this address"), "hint", 0, false);
    }
    for (at, decision) in detail.history.iter().enumerate() {
        let undone = if decision.undone { "  (undone)" } else { "" };
        let text = format!(
            "{}  {}  by {}{undone}",
            decision.at.format("%d %b %H:%M", &zone),
            verdict(&decision.verdict, lines.model),
            decision.by
        );
        lines.fact(if at == 0 { "Decided" } else { "" }, &text, "text", 0, false);
    }
}
