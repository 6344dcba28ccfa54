//! The diagnosis: who failed, what it means, what the server said, who reported it, what to do, and how sure that is.
//!
//! In the small pane each fact has a line, and the lines that are left go to those that matter most.

use super::facts::{EMPTY, Lines};
use super::rows::Row;
use crate::desk::Detail;
use crate::model::{Case, Cause, Certainty, Class, Ours, Recipient, Role, Status, Timestamp, Verdict, WhoActs};
use crate::tui::keys::Action;
use crate::tui::lookalike::suspicious;
use crate::tui::model::Model;

/// Earlier cases of the same address that are listed.
const EARLIER: usize = 5;

/// The lines of the diagnosis: as many as it takes, or made to fit a small pane of so many.
pub fn rows(model: &Model, width: usize, small: Option<usize>) -> Vec<Row> {
    let Some(case) = model.queue.current() else { return Vec::new() };
    let mut lines = Lines::new(model, width);
    failed(&mut lines, case);
    let Some(detail) = model.current() else { return lines.rows() };
    let newest = detail.notices.last();
    let recipient = newest.and_then(|notice| notice.recipient.and_then(|at| notice.diagnosis.recipients.get(at)));
    match small {
        Some(height) => {
            meaning(&mut lines, case, recipient);
            said(&mut lines, detail, recipient);
            reporter(&mut lines, detail, recipient, true);
            original(&mut lines, detail, true);
            proposal(&mut lines, detail);
            // What is proposed says what to do; where nothing is, or a pane has room for it, the words do.
            let ours = newest.is_none_or(|newest| newest.diagnosis.authenticity.verdict != Ours::NotOurs);
            if height > lines.height() + 1 || detail.suggestions.is_empty() || !ours {
                next(&mut lines, detail, recipient.filter(|own| own.who_acts != WhoActs::Recipient));
            }
            why(&mut lines, detail, recipient, true);
            lines.fit(height);
        }
        None => {
            // Each fact has the lines it usually takes, and what may take many comes last: the labels stay where they are
            // from case to case.
            let mut fixed = |least: usize, add: &dyn Fn(&mut Lines<'_>)| {
                let from = lines.height();
                add(&mut lines);
                while lines.height() < from + least {
                    lines.fact("", "", "text", 0);
                }
            };
            fixed(2, &|lines| meaning(lines, case, recipient));
            fixed(3, &|lines| proposal(lines, detail));
            fixed(2, &|lines| reporter(lines, detail, recipient, false));
            fixed(2, &|lines| original(lines, detail, false));
            fixed(3, &|lines| why(lines, detail, recipient, false));
            fixed(3, &|lines| said(lines, detail, recipient));
            fixed(2, &|lines| next(lines, detail, recipient));
            more(&mut lines, detail);
        }
    }
    lines.rows()
}

fn failed(lines: &mut Lines<'_>, case: &Case) {
    if case.address.is_empty() {
        lines.fact("Failed", "no failed address could be read", "warning", 5);
    } else if let Some(warning) = suspicious(&case.address) {
        lines.fact("Failed", &format!("{}   look closely: {warning}", case.address), "address", 0);
    } else {
        let sent = case.original_address.as_ref().filter(|sent| !sent.eq_ignore_ascii_case(&case.address));
        let sent = sent.map(|sent| format!("   (sent to {sent})")).unwrap_or_default();
        lines.fact("Failed", &format!("{}{sent}", case.address), "address", 0);
    }
    if let Some(ticket) = &case.ticket {
        lines.right(&format!("ticket {ticket}"));
    }
}

fn meaning(lines: &mut Lines<'_>, case: &Case, recipient: Option<&Recipient>) {
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
    lines.fact("Meaning", &format!("{code}{lasting}{meaning}"), "text", 1);
    lines.two();
}

fn said(lines: &mut Lines<'_>, detail: &Detail, recipient: Option<&Recipient>) {
    let said = recipient.and_then(|r| r.diagnostic.as_deref());
    let text = match said {
        Some(said) => once(said),
        None if detail.case.address.is_empty() => detail
            .notices
            .last()
            .and_then(|n| n.diagnosis.notice.subject.clone())
            .map_or_else(|| "nothing that could be read".to_owned(), |subject| format!("subject: {subject}")),
        None => "(no reply is quoted)".to_owned(),
    };
    lines.fact("Said", &text, "text", if said.is_none() && !detail.case.address.is_empty() { EMPTY } else { 2 });
    lines.two();
}

/// A reply of several lines without the code that each of them repeats (RFC 5321 section 4.2.1, RFC 2034 section 4).
fn once(said: &str) -> String {
    let mut words = said.split(' ');
    let Some(first) = words.next() else { return String::new() };
    let digits = |text: &str| text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
    let (reply, joined) = first.split_once('-').map_or((first, None), |(reply, status)| (reply, Some(status)));
    if !digits(reply) {
        return said.to_owned();
    }
    let status = joined.or_else(|| said.split(' ').nth(1)).filter(|text| text.parse::<Status>().is_ok());
    let mut kept = vec![first];
    if joined.is_none() && status.is_some() {
        kept.extend(words.next());
    }
    let mut rest = words.peekable();
    while let Some(word) = rest.next() {
        let again = match word.split_once('-') {
            Some((code, rest)) => code == reply && (rest.is_empty() || Some(rest) == status),
            None => word == reply && rest.peek().copied() == status,
        };
        if !again {
            kept.push(word);
        } else if !word.contains('-') || word.ends_with('-') {
            rest.next_if(|next| Some(*next) == status);
        }
    }
    kept.join(" ")
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
        lines.fact("Reporter", &text, "text", 0);
        lines.fact("Refused by", remote.map_or("-", |remote| remote), "text", 0);
        return;
    }
    let Some(remote) = remote else {
        let rank = if reporter.mta.is_none() && role(reporter.role).is_empty() { EMPTY } else { 6 };
        return lines.fact("Reporter", &text, "text", rank);
    };
    // Who refused comes first: that is the server the lead writes about.
    let teller = match reporter.role {
        Role::HelpDesk => "the help desk",
        Role::Ours => "our server",
        Role::OurProvider => "our provider",
        Role::Recipient => "their side",
        Role::Filter => "a filter",
        Role::Unknown => "another server",
    };
    let brief = format!("{remote}, told by {teller}");
    match (&reporter.mta, reporter.role) {
        (None, Role::Unknown) => lines.fact("Refused by", remote, "text", 6),
        (None, _) => lines.fact("Refused by", &brief, "text", 6),
        (Some(_), _) => {
            lines.fact("Refused by", &format!("{remote}, told by {text}"), "text", 6);
            // The one that fits.
            lines.brief(remote);
            lines.brief(&brief);
        }
    }
}

fn original(lines: &mut Lines<'_>, detail: &Detail, small: bool) {
    let Some(notice) = detail.notices.last() else { return };
    let original = &notice.diagnosis.original;
    let subject = original.subject.as_deref().unwrap_or("no subject came back");
    // Beside the number of bounces there is no room for the date.
    let sent = original
        .date
        .filter(|_| !small || detail.notices.len() == 1)
        .map(|date| format!("   {}", moment(date, lines.model)))
        .unwrap_or_default();
    let (ours, style) = match notice.diagnosis.authenticity.verdict {
        Ours::NotOurs => ("NOT SENT BY US   ", "warning"),
        Ours::Ours | Ours::Unknown => ("", "text"),
    };
    let empty = original.subject.is_none() && ours.is_empty() && sent.is_empty() && detail.notices.len() == 1;
    lines.fact("Original", &format!("{ours}{subject}{sent}"), style, if empty { EMPTY } else { 5 });
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
        lines.fact("Sent by us", &format!("{verdict}: {because}"), "text", 0);
    }
}

/// A point in time, with its year where it is not near.
pub(super) fn moment(time: Timestamp, model: &Model) -> String {
    let near = (model.now.0 - time.0).abs() < 300 * 86_400;
    time.format(if near { "%a %d %b %H:%M" } else { "%a %d %b %Y %H:%M" }, &model.setup.zone)
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

fn next(lines: &mut Lines<'_>, detail: &Detail, recipient: Option<&Recipient>) {
    if detail.case.is_silent(lines.model.now) {
        return lines.fact("Next", "nothing, unless the customer says that the message never came", "text", 3);
    }
    let words = lines.model.words(detail.case.cause);
    let newest = detail.notices.last().map(|notice| &notice.diagnosis);
    if let Some(newest) = newest.filter(|newest| newest.authenticity.verdict == Ours::NotOurs) {
        let from = newest.original.from.as_deref().unwrap_or("its sender");
        let text = format!("nothing, unless {from} is an address of ours: then add it to own_addresses");
        return lines.fact("Next", &text, "text", 3);
    }
    let step = recipient.map(|r| r.next_step.as_str()).filter(|step| !step.is_empty()).unwrap_or(&words.next_step);
    let who = match recipient.map(|r| r.who_acts) {
        Some(WhoActs::Admin) => "the administrator must act. ",
        Some(WhoActs::Recipient) => "the recipient must act. ",
        _ => "",
    };
    lines.fact("Next", &format!("{who}{step}"), "text", 3);
    if detail.case.cause == Cause::AuthenticationFailed {
        let key = lines.model.setup.keys.hint(Action::AuthCard);
        lines.hint(&format!("{key} shows what we publish"));
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
        1 => format!("nothing sure: one weak candidate; {key}, then 1, takes it"),
        n => format!("nothing sure: weak candidates; {key}, then 1 to {n}, takes one"),
    }
}

/// What `a` would do, in a few words: `correct to anna@example.org`.
pub fn proposal_words(detail: &Detail, model: &Model) -> String {
    match &detail.offer.verdict {
        Some(Verdict::Corrected { to }) => format!("correct to {to}"),
        Some(Verdict::Escalated { .. }) => "escalate".to_owned(),
        Some(offered) => verdict(offered, model),
        None => nothing_proposed(detail, &model.setup.keys.hint(Action::Correct)),
    }
}

/// What was decided, where that stands; then what `a` would do, and the other candidates.
fn proposal(lines: &mut Lines<'_>, detail: &Detail) {
    let model = lines.model;
    let stands = detail.history.iter().rfind(|decision| !decision.undone);
    if let Some(decision) = stands.filter(|_| !detail.case.is_undecided(model.now)) {
        let text =
            format!("{}   (by {}, {})", verdict(&decision.verdict, model), decision.by, moment(decision.at, model));
        lines.fact("Decided", &text, "strong", 0);
    }
    if detail.case.is_silent(model.now) {
        let since = detail.case.closes.map(|at| moment(at, model)).unwrap_or_default();
        let text = format!("by itself, {since}: no failure followed the delay; :decide new puts it back");
        return lines.fact("Closed", &text, "strong", 0);
    }
    let words = proposal_words(detail, model);
    match &detail.offer.verdict {
        Some(_) => {
            let key = model.setup.keys.hint(Action::Accept);
            lines.fact("Suggest", &format!("{key}: {words}   ({})", detail.offer.why), "proposal", 0);
        }
        None => lines.fact("Suggest", &words, "text", 0),
    }
    // The one that is offered stands above already.
    let offered = |address: &str| matches!(&detail.offer.verdict, Some(Verdict::Corrected { to }) if *to == *address);
    let others: Vec<String> = (1..)
        .zip(&detail.suggestions)
        .filter(|(_, own)| !offered(&own.address))
        .map(|(at, own)| format!("{at} {}   {}", own.address, own.because))
        .collect();
    let label = format!("{}, then", model.setup.keys.hint(Action::Correct));
    for (at, other) in others.iter().enumerate() {
        lines.fact(if at == 0 { &label } else { "" }, other, "text", 4);
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

fn why(lines: &mut Lines<'_>, detail: &Detail, recipient: Option<&Recipient>, small: bool) {
    let Some(recipient) = recipient else {
        let notes = detail.notices.last().map(|n| n.diagnosis.notes.join("; ")).unwrap_or_default();
        let text = if notes.is_empty() { "the mail names no failed recipient".to_owned() } else { notes };
        return lines.fact("Why", &text, "text", 4);
    };
    let sure = certainty(recipient.certainty);
    let mut sources: Vec<&str> = Vec::new();
    for evidence in &recipient.evidence {
        let from = if &*evidence.from == "text" { "the text of the mail" } else { &*evidence.from };
        if !sources.contains(&from) && !from.starts_with("rule ") {
            sources.push(from);
        }
    }
    if small {
        let short = sure.split(':').next().unwrap_or(sure);
        let names: Vec<&str> = sources.iter().map(|from| from.strip_suffix(" field").unwrap_or(from)).collect();
        lines.fact("How sure", &format!("{short}: {}", names.join(", ")), "text", 7);
        let key = lines.model.setup.keys.hint(Action::Raw);
        return lines.brief(&format!("{short}, from {} sources; {key} shows the lines", names.len()));
    }
    lines.fact("How sure", sure, "text", 0);
    lines.hint(&format!("{} shows the lines", lines.model.setup.keys.hint(Action::Raw)));
    lines.fact("Read from", &sources.join(", "), "text", 0);
}

/// What only the whole screen has room for: doubts, the other cases, history, notices.
fn more(lines: &mut Lines<'_>, detail: &Detail) {
    let zone = lines.model.setup.zone.clone();
    let Some(newest) = detail.notices.last() else { return };
    for (at, note) in newest.diagnosis.notes.iter().enumerate() {
        lines.fact(if at == 0 { "Doubts" } else { "" }, note, "warning", 0);
    }
    for (at, other) in detail.group.iter().filter(|other| other.id != detail.case.id).enumerate() {
        let text =
            format!("{}  {}  {}", other.state.letter(), super::list::who(other), lines.model.words(other.cause).title);
        lines.fact(if at == 0 { "Also to" } else { "" }, &text, "text", 0);
    }
    let more = detail.earlier.len().saturating_sub(EARLIER);
    for (at, other) in detail.earlier.iter().take(EARLIER).enumerate() {
        let text = format!(
            "{}  {}  {}",
            other.received.format("%d %b %Y", &zone),
            other.state,
            other.subject.as_deref().unwrap_or("")
        );
        lines.fact(if at == 0 { "Earlier" } else { "" }, &text, "text", 0);
    }
    if more > 0 {
        lines.fact("", &format!("and {more} more to this address"), "hint", 0);
    }
    for (at, decision) in detail.history.iter().enumerate() {
        let undone = if decision.undone { "  (undone)" } else { "" };
        let text = format!(
            "{}  {}  by {}{undone}",
            moment(decision.at, lines.model),
            verdict(&decision.verdict, lines.model),
            decision.by
        );
        lines.fact(if at == 0 { "History" } else { "" }, &text, "text", 0);
    }
}

/// The rule that decided the cause, for who keeps rules of their own.
pub(super) fn recipient_rule(detail: &Detail) -> Option<&str> {
    let notice = detail.notices.last()?;
    notice.diagnosis.recipients.get(notice.recipient?)?.rule.as_deref()
}

#[cfg(test)]
mod tests {
    use super::once;

    #[test]
    fn the_code_of_a_reply_is_said_once() {
        for (said, want) in [
            (
                "552-5.2.2 The email account is over quota. Please direct the 552-5.2.2 recipient to 552 5.2.2 help.example",
                "552-5.2.2 The email account is over quota. Please direct the recipient to help.example",
            ),
            ("550 5.1.1 No such user 550 5.1.1 at all", "550 5.1.1 No such user at all"),
            ("550-No such 550- user 550 here", "550-No such user 550 here"),
            ("host mx said: 550 5.1.1 gone", "host mx said: 550 5.1.1 gone"),
            ("", ""),
        ] {
            assert_eq!(once(said), want);
        }
    }
}
