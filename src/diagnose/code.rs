//! What a code or a wording means without a mail: registered title, source, what providers mean by it, advice.
//!
//! Also for the wrong codes people meet: unregistered ones, three digits without dots, commas for dots. Invariant: what is
//! said is a row or a rule of the book, or says that nothing is known.

use super::explain::line;
use crate::model::{Status, reply};
use crate::rules::{Answer, Question, Rule, RuleBook};

/// Most providers whose meaning is listed.
const MAX_MEANINGS: usize = 8;

/// What a code means: `5.1.1`, `550`, `550 5.7.26`, or a provider's own mark such as `S3150`.
///
/// ```
/// use bounceback::diagnose::explain_code;
/// use bounceback::rules::RuleBook;
/// let book = RuleBook::builtin();
/// assert!(explain_code(&book, "550 5.1.1").unwrap().contains("mailbox-unknown"));
/// assert!(explain_code(&book, "5.1.10").unwrap().contains("Microsoft"));
/// assert!(explain_code(&book, "S3150").unwrap().contains("sender-blocked"));
/// assert!(explain_code(&book, "hello").is_none());
/// ```
pub fn explain_code(book: &RuleBook, text: &str) -> Option<String> {
    let (statuses, replies) = codes_in(text);
    let question = Question { replies: &replies, statuses: &statuses, text, hosts: &[], domain: "" };
    let answer = book.ask(&question);
    let meanings = meanings(book, text, &statuses, &replies, answer.as_ref());
    if statuses.is_empty() && replies.is_empty() && answer.is_none() && meanings.is_empty() {
        return None;
    }
    let mut out = String::new();
    for code in &replies {
        explain_reply(&mut out, book, *code);
    }
    for status in &statuses {
        explain_status(&mut out, book, *status);
    }
    match answer {
        Some(answer) => {
            let words = book.words(answer.cause);
            line(&mut out, "usual cause", answer.cause.slug());
            line(&mut out, "meaning", answer.meaning.unwrap_or(&words.explanation));
            line(&mut out, "next step", answer.next_step.unwrap_or(&words.next_step));
            line(&mut out, "who acts", words.who_acts.slug());
            line(&mut out, "decided by", &format!("{} ({})", answer.rule, answer.tier.name()));
        }
        None if !statuses.is_empty() || !replies.is_empty() => {
            line(&mut out, "usual cause", "the code alone decides nothing: what the server wrote beside it does");
        }
        None => {}
    }
    for rule in &meanings {
        explain_meaning(&mut out, book, rule);
    }
    Some(out)
}

/// The codes in what somebody typed, in every shape that is met.
fn codes_in(text: &str) -> (Vec<Status>, Vec<u16>) {
    let dotted = text.replace(',', ".");
    let mut statuses: Vec<Status> = Vec::new();
    let mut replies: Vec<u16> = Vec::new();
    for word in dotted.split(|c: char| c.is_whitespace() || matches!(c, ';' | '(' | ')' | '#' | '<' | '>' | ':')) {
        let word = word.trim_matches(['.', '\'', '"', '[', ']']);
        let pieces = match word.split_once('-') {
            // "5-1-1" is a status, "550-5.1.1" a reply with one
            Some(_) if word.len() <= 7 && word.matches('-').count() == 2 => [word.replace('-', "."), String::new()],
            Some((first, second)) => [first.to_owned(), second.to_owned()],
            None => [word.to_owned(), String::new()],
        };
        for piece in pieces {
            if let Ok(status) = piece.parse() {
                statuses.push(status);
            } else if let Some(code) = three_digits(&piece) {
                replies.push(code);
            }
        }
    }
    statuses.dedup();
    (statuses, replies)
}

fn three_digits(text: &str) -> Option<u16> {
    (text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// The rules of providers that mean something else by exactly these codes, or that know this mark.
fn meanings<'b>(
    book: &'b RuleBook,
    text: &str,
    statuses: &[Status],
    replies: &[u16],
    answer: Option<&Answer<'_>>,
) -> Vec<&'b Rule> {
    let mark = text.trim().to_lowercase();
    let a_mark = statuses.is_empty() && replies.is_empty() && mark.bytes().any(|b| b.is_ascii_digit());
    let speaks = |rule: &&Rule| {
        let code = rule.seen.iter().any(|seen| {
            !statuses.is_empty()
                && reply::statuses(seen).any(|found| statuses.contains(&found.value))
                && (replies.is_empty() || reply::codes(seen, true).any(|found| replies.contains(&found.value)))
        });
        let word = a_mark && rule.seen.iter().chain(std::iter::once(&rule.id)).any(|seen| has_mark(seen, &mark));
        let another = answer.is_none_or(|answer| answer.cause != rule.cause);
        rule.home.is_some() && (code || word) && another
    };
    let mut out: Vec<&Rule> = Vec::new();
    for rule in book.rules().iter().filter(speaks) {
        let known = out.iter().any(|one| one.home == rule.home && one.cause == rule.cause);
        if !known && out.len() < MAX_MEANINGS {
            out.push(rule);
        }
    }
    out
}

/// Whether a mark stands in a text, not inside another word.
fn has_mark(text: &str, mark: &str) -> bool {
    text.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| word == mark)
}

fn explain_meaning(out: &mut String, book: &RuleBook, rule: &Rule) {
    let Some(provider) = rule.home.and_then(|number| book.providers().get(usize::from(number))) else { return };
    let words = book.words(rule.cause);
    line(out, "from", &provider.title);
    line(out, "  it means", &format!("{}: {}", rule.cause, rule.meaning.as_deref().unwrap_or(&words.explanation)));
    line(out, "  next step", rule.next_step.as_deref().unwrap_or(&words.next_step));
    line(out, "  decided by", &rule.id);
    if let Some(page) = &provider.status_page {
        line(out, "  status page", page);
    }
}

fn explain_reply(out: &mut String, book: &RuleBook, code: u16) {
    match book.reply(code) {
        Some(row) => {
            line(out, &code.to_string(), &format!("{} [{}]", row.title, row.source));
            if let Some(note) = &row.note {
                line(out, "", note);
            }
        }
        None => line(
            out,
            &code.to_string(),
            "not in any standard we know: only its first digit and the text beside it count",
        ),
    }
    match code / 100 {
        4 => line(out, "", "4: not now; the sending server tries again by itself"),
        5 => line(out, "", "5: refused for good; the same message will not get through unchanged"),
        _ => {}
    }
}

fn explain_status(out: &mut String, book: &RuleBook, status: Status) {
    let code = status.to_string();
    match book.status(status) {
        Some(row) if row.code.matches('.').count() == 2 => {
            line(out, &code, &format!("{} [{}; registered as {}]", row.title, row.source, row.code));
        }
        Some(row) => {
            line(out, &code, &format!("not registered; its kind is {}: {} [{}]", row.code, row.title, row.source));
        }
        None => line(out, &code, "not registered: only its class and subject count"),
    }
}
