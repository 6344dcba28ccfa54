//! The own text of an answer: without quoted mails, without the marks a help desk puts around it.
//!
//! Knows the shapes, the words are data (`assets/texts/trim.toml`, and those of `suggest` for "... wrote:"). Invariant: a
//! text of which nothing would be left stays as it is, marks left out.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::stdx::contains_ignore_case;
use crate::suggest::{begins_quoted_field, introduces_quote};

/// A line of so many dashes or underscores separates mails.
const SEPARATOR: usize = 10;
/// "On ... X wrote:" takes at most so many lines.
const INTRODUCTION: usize = 3;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    reply_marks: Vec<String>,
    original: Vec<String>,
}

fn words() -> &'static Words {
    static WORDS: OnceLock<Words> = OnceLock::new();
    WORDS.get_or_init(|| toml::from_str(include_str!("../../assets/texts/trim.toml")).unwrap_or_default())
}

/// What is new in a mail. `ticket` is its mark as the help desk writes it into the text, without brackets.
pub(super) fn own_text(lines: &[String], ticket: Option<&str>) -> String {
    let marks = |line: &&str| !is_mark(line, ticket);
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).filter(marks).collect();
    let end = (0..lines.len()).find(|at| begins_older(&lines, *at)).unwrap_or(lines.len());
    let mut own: Vec<&str> = Vec::new();
    for line in lines.get(..end).unwrap_or_default() {
        if !line.starts_with('>') {
            own.push(line);
        } else {
            drop_introduction(&mut own);
        }
    }
    drop_introduction_at_cut(&mut own, end < lines.len());
    let text = joined(&own);
    if text.is_empty() { joined(&lines) } else { text }
}

/// A line that the help desk put there for itself.
fn is_mark(line: &str, ticket: Option<&str>) -> bool {
    let line = line.trim();
    let bracketed = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bracketed.is_some_and(|id| ticket.is_some_and(|ticket| id.eq_ignore_ascii_case(ticket)))
        || words().reply_marks.iter().any(|mark| contains_ignore_case(line, mark))
}

/// Whether everything from this line on is an older mail.
fn begins_older(lines: &[&str], at: usize) -> bool {
    let Some(line) = lines.get(at).map(|line| line.trim()) else { return false };
    let rule = line.chars().filter(|c| matches!(c, '-' | '_' | '—' | '=')).count();
    let alone = rule >= SEPARATOR && rule == line.chars().count();
    let framed = line.starts_with("--") && line.ends_with("--") || alone;
    if !framed {
        return false;
    }
    if words().original.iter().any(|words| contains_ignore_case(line, words)) {
        return true;
    }
    // A bare rule counts where the head of a mail follows: "Anna Berg, Nov 5, 2026, 17:40 UTC", "From: Anna Berg".
    let next = lines.iter().skip(at + 1).map(|line| line.trim()).find(|line| !line.is_empty()).unwrap_or_default();
    alone && (has_time(next) && next.contains(',') || begins_quoted_field(next))
}

/// A time of day stands in the line: two digits, a colon, two digits.
fn has_time(line: &str) -> bool {
    let digit = |at: usize| line.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    line.bytes().enumerate().any(|(at, byte)| byte == b':' && at > 0 && digit(at - 1) && digit(at + 1) && digit(at + 2))
}

/// Takes "On ... X wrote:" above a quotation away.
fn drop_introduction(own: &mut Vec<&str>) {
    let blank = own.iter().rev().take_while(|line| line.trim().is_empty()).count();
    let last = own.len() - blank;
    for length in 1..=INTRODUCTION.min(last) {
        let text = own.get(last - length..last).unwrap_or_default().join(" ");
        if text.chars().count() < 300 && text.bytes().any(|byte| byte.is_ascii_digit()) && introduces_quote(&text) {
            own.truncate(last - length);
            return;
        }
    }
}

fn drop_introduction_at_cut(own: &mut Vec<&str>, cut: bool) {
    if cut {
        drop_introduction(own);
    }
}

/// Lines as one text: no blank lines at the ends, never two in a row.
fn joined(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut blank = 0;
    for line in lines {
        if line.trim().is_empty() {
            blank += 1;
            continue;
        }
        if !text.is_empty() {
            text.push_str(if blank > 0 { "\n\n" } else { "\n" });
        }
        blank = 0;
        text.push_str(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::own_text;

    #[test]
    fn quoted_mails_and_marks_are_left_out() {
        let own = "Hello Anna,\n\nit is on its way.\n\nMia";
        for (name, text) in [
            (
                "Zendesk",
                "##- Please type your reply above this line -##\n\nHello Anna,\n\nit is on its way.\n\nMia\n\n----------------------------------------------\nAnna Berg, Nov 5, 2026, 17:40 UTC\n\nHi, where is it?\n\n[TYPJD8-R6S8]\n",
            ),
            (
                "quotes",
                "Hello Anna,\n\nit is on its way.\n\nMia\n\nOn Thu, 5 Nov 2026 at 17:40, Anna Berg\n<anna@example.org> wrote:\n\n> Hi, where is it?\n>> older\n",
            ),
            ("German", "Hello Anna,\n\nit is on its way.\n\nMia\n\nAm 05.11.2026 um 17:40 schrieb Anna Berg:\n> Hi\n"),
            (
                "Outlook",
                "Hello Anna,\n\nit is on its way.\n\nMia\n\n-----Original Message-----\nFrom: Anna Berg\nSent: Thursday\n\nHi\n",
            ),
            (
                "Outlook web",
                "Hello Anna,\n\nit is on its way.\n\nMia\n________________________________\nVon: Anna Berg <anna@example.org>\nGesendet: Donnerstag\n\nHi\n",
            ),
            ("blank lines", "\n\nHello Anna,\n\n\n\nit is on its way.\n\nMia\n\n\n"),
            ("quote first", "> Hi, where is it?\n\nHello Anna,\n\nit is on its way.\n\nMia\n"),
        ] {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            assert_eq!(own_text(&lines, Some("TYPJD8-R6S8")), own, "{name}");
        }
    }

    #[test]
    fn what_only_looks_like_a_quotation_stays() {
        for text in [
            "Prices:\n----------\nLamp, 12 EUR\nShade, 3 EUR",
            "You wrote: it is 12:30 now.\nIt is not.",
            "-- \nMia, Company Support",
            "> everything is quoted",
            "[A-1] is another ticket",
        ] {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let want: Vec<&str> = text.lines().map(str::trim_end).collect();
            assert_eq!(own_text(&lines, Some("TYPJD8-R6S8")), want.join("\n"));
        }
    }
}
