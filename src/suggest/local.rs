//! Local parts against names: letters swapped in one of them, near correspondents at the same domain, first.last.
//!
//! Owns the evidence that may change a local part without a mail naming the address: the display name, the book.
//! Invariant: without a display name or a known correspondent nothing is offered.

use super::book::Book;
use super::clean::Reading;
use super::data::data;
use super::slip::{Step, slip};
use super::{Pool, Query};
use crate::model::Cause;

/// Forms of address and degrees that are no part of a name.
const TITLES: [&str; 16] =
    ["dr", "prof", "mr", "mrs", "ms", "miss", "herr", "frau", "dipl", "ing", "med", "mag", "phd", "mba", "sir", "via"];

/// Longest display name that is read, in bytes.
const LONGEST_NAME: usize = 200;

/// Offers other local parts at the same domain.
pub(super) fn offer(query: &Query<'_>, book: &Book, reading: &Reading, pool: &mut Pool<'_>) {
    let found = matches!(
        query.cause,
        Cause::DomainUnknown | Cause::DomainNoMail | Cause::MailboxDisabled | Cause::NotReachable
    );
    if found || reading.local.len() > 64 || reading.local.starts_with('"') {
        return;
    }
    neighbours(book, reading, pool);
    if let Some(name) = query.display_name {
        by_name(query, name, book, reading, pool);
    }
}

/// Known correspondents at the same domain whose local part is one slip away.
fn neighbours(book: &Book, reading: &Reading, pool: &mut Pool<'_>) {
    let failed = format!("{}@{}", reading.local.to_lowercase(), reading.domain);
    let letters = reading.local.chars().filter(|c| c.is_alphabetic()).count();
    if letters < 5 || data().is_role(&reading.local) || book.mails_with(&failed) > 0 {
        return;
    }
    for entry in book.people().near(&failed) {
        let Some((local, domain)) = entry.name.rsplit_once('@') else { continue };
        if domain != reading.domain || entry.count == 0 {
            continue;
        }
        let Some(way) = slip(local, &reading.local.to_lowercase(), 1) else { continue };
        let [(step, changed)] = way.edits.as_slice() else { continue };
        let plain = !changed.chars().any(|c| c.is_ascii_digit());
        let swap = *step == Step::Swap;
        // At a public provider a near name is most likely another person.
        if plain && (swap || !data().is_provider(domain)) && letters >= if swap { 5 } else { 7 } {
            let because = format!("local part {}; known correspondent, {} mails", way.words(), entry.count);
            pool.offer(&entry.name, if swap { 9.0 } else { 6.0 }, swap && letters >= 7, because);
        }
    }
}

/// What the display name makes of the local part.
fn by_name(query: &Query<'_>, name: &str, book: &Book, reading: &Reading, pool: &mut Pool<'_>) {
    let local = reading.local.to_lowercase();
    let base = local.trim_end_matches(|c: char| c.is_ascii_digit());
    let tail = local.get(base.len()..).unwrap_or_default();
    let unknown = query.cause == Cause::MailboxUnknown;
    if !spells(&local, name) {
        for (spelling, whole) in spellings(name) {
            if spelling.chars().count() < 5 {
                continue;
            }
            let Some(way) = slip(&spelling, base, 1) else { continue };
            let [(step, _)] = way.edits.as_slice() else { continue };
            let address = format!("{spelling}{tail}@{}", reading.domain);
            let swap = *step == Step::Swap;
            let score = if swap { 8.0 } else { 5.0 } + if book.mails_with(&address) > 0 { 6.0 } else { 0.0 };
            let because = format!("local part {} from the display name", way.words());
            pool.offer(&address, score, swap && whole && unknown, because);
        }
    }
    by_shape(name, book, reading, pool);
}

/// The company writes first.last, this address does not.
fn by_shape(name: &str, book: &Book, reading: &Reading, pool: &mut Pool<'_>) {
    let shapes = book.shapes(&reading.domain);
    let words = name_words(name);
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return };
    if words.len() < 2 || shapes.all < 3 || reading.local.contains('.') || data().is_role(&reading.local) {
        return;
    }
    let initial = first.chars().next().map(String::from).unwrap_or_default();
    let habits = [
        (shapes.dotted, "first.last", format!("{first}.{last}")),
        (shapes.initial_dotted, "f.last", format!("{initial}.{last}")),
    ];
    for (count, habit, local) in habits {
        if count * 5 >= shapes.all * 4 {
            let address = format!("{local}@{}", reading.domain);
            let because = format!("{count} of {} addresses there are {habit}", shapes.all);
            pool.offer(&address, 4.0 + if book.mails_with(&address) > 0 { 6.0 } else { 0.0 }, false, because);
        }
    }
}

/// The words of a display name, first name first, in plain lower-case letters; titles and what stands in brackets left out.
pub(super) fn name_words(name: &str) -> Vec<String> {
    let cut = name.find(['(', '<', '[', '@']).and_then(|at| name.get(..at)).unwrap_or(name);
    let cut = if cut.len() > LONGEST_NAME { "" } else { cut };
    let turned = match cut.split_once(',') {
        Some((last, first)) => format!("{first} {last}"),
        None => cut.to_owned(),
    };
    let words = turned.split(|c: char| !c.is_alphanumeric() && c != '\'').map(plain).map(|word| word.replace('\'', ""));
    words.filter(|word| !word.is_empty() && !TITLES.contains(&word.as_str())).take(6).collect()
}

/// Letters as they are written in addresses: ä becomes ae, é becomes e.
fn plain(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.to_lowercase().chars() {
        match c {
            'ä' | 'æ' => out.push_str("ae"),
            'ö' | 'ø' | 'œ' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            'å' => out.push_str("aa"),
            c if c.is_ascii() => out.push(c),
            c => out.push(data().plain(c).unwrap_or(c)),
        }
    }
    out
}

/// Ways to write a name as a local part; `true` where both first and last name are whole.
fn spellings(name: &str) -> Vec<(String, bool)> {
    let words = name_words(name);
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return Vec::new() };
    if words.len() < 2 {
        return vec![(first.clone(), false)];
    }
    let mut found = Vec::new();
    for (a, b) in [(first, last), (last, first)] {
        let initial = a.chars().next().map(String::from).unwrap_or_default();
        for between in [".", "", "_", "-"] {
            found.push((format!("{a}{between}{b}"), true));
            found.push((format!("{initial}{between}{b}"), false));
            found.push((format!("{b}{between}{initial}"), false));
        }
    }
    found
}

/// Whether the local part, digits and tag aside, is a way to write this name.
pub(super) fn spells(local: &str, name: &str) -> bool {
    let local = plain(local.split('+').next().unwrap_or_default());
    let base = local.trim_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '_' || c == '-');
    let folded = |text: &str| text.replace("ae", "a").replace("oe", "o").replace("ue", "u");
    !base.is_empty() && spellings(name).iter().any(|(spelling, _)| spelling == base || folded(spelling) == folded(base))
}

/// Whether two display names are the same person's: the same two words or more, in any order.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (name_words(a), name_words(b));
    a.sort();
    b.sort();
    a.len() >= 2 && a == b
}

#[cfg(test)]
mod tests {
    use super::{name_words, same_name, spells};

    #[test]
    fn names_are_read() {
        assert_eq!(name_words("Dr. Jürgen Müller (Sales)"), ["juergen", "mueller"]);
        assert_eq!(name_words("Berg, Anna"), ["anna", "berg"]);
        assert!(same_name("Berg, Anna", "anna berg"));
        assert!(!same_name("Anna", "anna"));
    }

    #[test]
    fn local_parts_spell_names() {
        for (local, want) in
            [("anna.berg", true), ("aberg7", true), ("berg_anna", true), ("abreg", false), ("a.b", false)]
        {
            assert_eq!(spells(local, "Anna Berg"), want, "{local}");
        }
        assert!(spells("j.muller", "Jürgen Müller"));
    }
}
