//! The texts: the mail as it is with its evidence marked, the message that came back, notes and history.

use super::diagnosis::{moment, verdict};
use super::rows::Row;
use crate::model::Evidence;
use crate::stdx::counted;
use crate::tui::mail::Shown;
use crate::tui::model::Model;
use crate::tui::text::{clean, clean_line, width, wrap};

/// Header fields of a notice that are shown even without asking for all.
const NOTICE_FIELDS: &[&str] = &["return-path", "from", "to", "subject", "date", "content-type", "auto-submitted"];
/// Header fields of the returned message that are shown even without asking for all.
const MESSAGE_FIELDS: &[&str] = &["from", "to", "cc", "reply-to", "subject", "date", "message-id"];

/// The places of the raw mail that the diagnosis rests on: line number from 1, and what is read there; by line.
pub fn evidence(model: &Model) -> Vec<(usize, String)> {
    let Some(notice) = model.current().and_then(|detail| detail.notices.last()) else { return Vec::new() };
    let recipient = notice.recipient.and_then(|at| notice.diagnosis.recipients.get(at));
    let all = recipient.iter().flat_map(|r| &r.evidence).chain(&notice.diagnosis.evidence);
    let all = all.chain(notice.diagnosis.new_addresses.iter().map(|new| &new.evidence));
    let mut found: Vec<(usize, String)> = Vec::new();
    for Evidence { claim, line, .. } in all {
        let Some(line) = line.map(|line| line as usize) else { continue };
        let claim = claim.replace('_', " ");
        match found.iter_mut().find(|(own, _)| *own == line) {
            Some((_, claims)) if !claims.split(", ").any(|own| own == claim) => {
                claims.push_str(", ");
                claims.push_str(&claim);
            }
            Some(_) => {}
            None => found.push((line, claim)),
        }
    }
    found.sort();
    found
}

/// Which of them the raw mail opens at: the first one that tells of the recipient, else the first one.
pub fn first_evidence(model: &Model) -> usize {
    let lines = || {
        let notice = model.current()?.notices.last()?;
        let recipient = notice.diagnosis.recipients.get(notice.recipient?)?;
        recipient.evidence.iter().filter_map(|evidence| evidence.line).min()
    };
    lines().and_then(|line| evidence(model).iter().position(|(own, _)| *own == line as usize)).unwrap_or(0)
}

/// The raw mail: for each shown line its number in the mail (0 for lines of our own) and the line.
pub fn raw(model: &Model, columns: usize) -> Vec<(usize, Row)> {
    let theme = &model.setup.theme;
    let Some(mail) = model.current_mail() else { return Vec::new() };
    let evidence = evidence(model);
    let mut rows: Vec<(usize, Row)> = Vec::new();
    if model.reading.parts {
        rows.extend(parts(model, mail).into_iter().map(|row| (0, row)));
    }
    let mut in_header = true;
    let mut shown_field = true;
    let mut hidden = 0;
    for (at, line) in mail.lines.iter().enumerate() {
        let number = at + 1;
        let marked = evidence.iter().position(|(own, _)| *own == number);
        if in_header {
            if line.is_empty() {
                in_header = false;
                let key = model.setup.keys.hint(crate::tui::keys::Action::Headers);
                if hidden > 0 {
                    let words = counted(hidden as u64, "more header line");
                    rows.push((0, Row::of(format!(" [{key}: {words}]"), theme.get("hint"))));
                }
            } else if !model.reading.headers {
                if !line.starts_with([' ', '\t']) {
                    let name = line.split(':').next().unwrap_or("").to_ascii_lowercase();
                    shown_field = NOTICE_FIELDS.contains(&name.as_str());
                }
                if !shown_field && marked.is_none() {
                    hidden += 1;
                    continue;
                }
            }
        }
        let here = marked.is_some_and(|at| at == model.reading.evidence);
        let style = match marked {
            Some(_) if here => theme.get("evidence-here"),
            Some(_) => theme.get("evidence"),
            None => theme.get("text"),
        };
        let mark = marked.and_then(|at| evidence.get(at)).map(|(_, claim)| format!("<<< {claim}"));
        let room = columns.saturating_sub(2).max(8);
        let pieces = wrap_raw(&clean_line(line), room);
        let last = pieces.len() - 1;
        for (piece_at, piece) in pieces.into_iter().enumerate() {
            let used = width(&piece);
            let row = Row::of(if here && piece_at == 0 { ">" } else { " " }, style).and(piece, style);
            match &mark {
                Some(mark) if piece_at == last && used + width(mark) + 4 <= columns => {
                    rows.push((number, row.right(format!("{mark} "), theme.get("evidence"))));
                }
                // Where the line leaves no room, the mark stands below it.
                Some(mark) if piece_at == last => {
                    rows.push((number, row));
                    rows.push((0, Row::default().right(format!("{mark} "), theme.get("evidence"))));
                }
                _ => rows.push((number, row)),
            }
        }
    }
    rows
}

/// Breaks a raw line where it must, without moving its blanks.
fn wrap_raw(line: &str, columns: usize) -> Vec<String> {
    let mut rest = line;
    let mut lines = Vec::new();
    while width(rest) > columns {
        let piece = crate::tui::text::head(rest, columns);
        if piece.is_empty() {
            break;
        }
        lines.push(piece.to_owned());
        rest = rest.get(piece.len()..).unwrap_or("");
    }
    lines.push(rest.to_owned());
    lines
}

fn parts(model: &Model, mail: &Shown) -> Vec<Row> {
    let theme = &model.setup.theme;
    let mut rows = Vec::new();
    for part in &mail.parts {
        let name = part
            .attached
            .as_ref()
            .map(|name| format!("  attachment \"{}\", not opened", clean(name)))
            .unwrap_or_default();
        let tree = format!("{}|- {:<6}", "   ".repeat(part.depth), part.number);
        let text = format!("{tree} {:<30} {:>9}{name}", clean(&part.kind), crate::tui::mail::size(part.size));
        rows.push(
            Row::of(format!(" {text}"), theme.get("hint")).right(format!("line {} ", part.line), theme.get("hint")),
        );
    }
    rows.push(Row::default());
    rows
}

/// The message that came back.
pub fn returned(model: &Model, columns: usize) -> Vec<Row> {
    let theme = &model.setup.theme;
    let text = theme.get("text");
    let Some(mail) = model.current_mail() else { return Vec::new() };
    if mail.returned_head.is_empty() {
        let key = model.setup.keys.hint(crate::tui::keys::Action::Raw);
        return vec![
            Row::of(" The notice brought nothing of the message back.", text),
            Row::of(format!(" {key} shows the whole notice."), text),
        ];
    }
    let mut rows = Vec::new();
    let mut hidden = 0;
    for (name, value) in &mail.returned_head {
        if !model.reading.headers && !MESSAGE_FIELDS.contains(&name.to_ascii_lowercase().as_str()) {
            hidden += 1;
            continue;
        }
        let room = columns.saturating_sub(13).max(8);
        for (at, line) in wrap(&clean(value), room).into_iter().enumerate() {
            let label = if at == 0 { clean(name).into_owned() } else { String::new() };
            let label = if label.len() > 10 { format!(" {label} ") } else { format!(" {label:<11}") };
            rows.push(Row::of(label, theme.get("label")).and(line, text));
        }
    }
    let keys = &model.setup.keys;
    if hidden > 0 {
        rows.push(Row::of(
            format!(" [{}: {hidden} more]", keys.hint(crate::tui::keys::Action::Headers)),
            theme.get("hint"),
        ));
    }
    rows.push(Row::default());
    if mail.returned_body.is_empty() {
        rows.push(Row::of(" [only the header came back]", theme.get("hint")));
    }
    for attachment in &mail.attachments {
        rows.push(Row::of(format!(" [attachment, not opened: {}]", clean(attachment)), theme.get("hint")));
    }
    let mut quoted = 0;
    for line in mail.returned_body.iter().map(String::as_str).chain(["\0end"]) {
        let is_quote = line.starts_with('>');
        if is_quote && !model.reading.quoted {
            quoted += 1;
            continue;
        }
        if quoted > 0 {
            let key = keys.hint(crate::tui::keys::Action::Quoted);
            let words = counted(quoted as u64, "quoted line");
            rows.push(Row::of(format!(" [{key}: {words} hidden]"), theme.get("hint")));
            quoted = 0;
        }
        if line == "\0end" {
            break;
        }
        let style = if is_quote { theme.get("quoted") } else { text };
        rows.extend(
            wrap(&clean_line(line), columns.saturating_sub(2).max(8))
                .into_iter()
                .map(|line| Row::of(format!(" {line}"), style)),
        );
    }
    rows
}

/// Notes and decisions, oldest first; `whole` with the notices, the name of the case and the rule that decided its cause.
pub fn notes(model: &Model, columns: usize, whole: bool) -> Vec<Row> {
    let theme = &model.setup.theme;
    let Some(detail) = model.current() else { return Vec::new() };
    let keys = &model.setup.keys;
    let mut entries: Vec<(crate::model::Timestamp, String, &str)> = Vec::new();
    for note in &detail.notes {
        entries.push((note.at, format!("note by {}: {}", note.by, note.text), "text"));
    }
    for decision in &detail.history {
        let undone = if decision.undone { " (undone)" } else { "" };
        entries.push((
            decision.at,
            format!("{} by {}{undone}", verdict(&decision.verdict, model), decision.by),
            "hint",
        ));
    }
    for notice in detail.notices.iter().filter(|_| whole) {
        entries.push((notice.received, format!("notice ({}) {}", notice.diagnosis.kind, notice.place.0), "hint"));
    }
    entries.sort_by_key(|(at, ..)| *at);
    let mut rows = Vec::new();
    if detail.notes.is_empty() {
        let (one, editor) =
            (keys.hint(crate::tui::keys::Action::Note), keys.hint(crate::tui::keys::Action::NoteEditor));
        rows.push(Row::of(format!(" No notes. {one} writes one, {editor} opens $EDITOR."), theme.get("hint")));
    }
    for (at, text, style) in entries {
        let time = moment(at, model);
        for (n, paragraph) in text.lines().enumerate() {
            for (m, line) in wrap(&clean(paragraph), columns.saturating_sub(20).max(8)).into_iter().enumerate() {
                let label = if n == 0 && m == 0 { time.clone() } else { String::new() };
                rows.push(Row::of(format!(" {label:<16} "), theme.get("label")).and(line, theme.get(style)));
            }
        }
    }
    let rule = super::diagnosis::recipient_rule(detail);
    for (label, text) in [("case", Some(detail.case.id.0.as_str())), ("decided by rule", rule)] {
        if let Some(text) = text.filter(|_| whole) {
            rows.push(Row::of(format!(" {label:<16} {}", clean(text)), theme.get("hint")));
        }
    }
    rows
}
