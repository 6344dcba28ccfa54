//! What the standard library lacks: trimming and searching bytes without regard to case, private files, visible escapes.
//!
//! Knows nothing of mail. Invariant: every function is total and linear in its input.

mod command;
mod private;
mod visible;
mod whole;

use std::borrow::Cow;

pub use command::{NO_SUCH_COMMAND, PASSWORDS, run_command, without_passwords};
pub use private::{private_file, private_folder, why};
pub use visible::{is_hidden, is_plain, visible};
pub use whole::{sync_folder_of, whole_file};

/// Whether `text` begins with `prefix`, ASCII letters compared without case.
pub fn starts_with_ignore_case(text: &[u8], prefix: &[u8]) -> bool {
    let same = |a: Option<&u8>, b: Option<&u8>| a.map(u8::to_ascii_lowercase) == b.map(u8::to_ascii_lowercase);
    // most differ in the first byte already
    prefix.is_empty()
        || same(text.first(), prefix.first())
            && text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

/// The rest of `text` behind `prefix`, ASCII letters compared without case.
pub fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    if starts_with_ignore_case(text.as_bytes(), prefix.as_bytes()) { text.get(prefix.len()..) } else { None }
}

/// Where `needle` first stands in `text`, ASCII letters compared without case. An empty needle is found at 0.
pub fn find_ignore_case(text: &[u8], needle: &[u8]) -> Option<usize> {
    let Some((&first, rest)) = needle.split_first() else { return Some(0) };
    let last = text.len().checked_sub(needle.len())?;
    let text = text.get(..text.len().min(last + needle.len()))?;
    let (low, high) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    memchr::memchr2_iter(low, high, text)
        .find(|&at| text.get(at + 1..at + needle.len()).is_some_and(|tail| tail.eq_ignore_ascii_case(rest)))
}

/// Whether `needle` stands in `text`, ASCII letters compared without case.
pub fn contains_ignore_case(text: &str, needle: &str) -> bool {
    find_ignore_case(text.as_bytes(), needle.as_bytes()).is_some()
}

/// A number and its noun: `1 case`, `2 cases`.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A text without blanks at the ends; most have none there.
pub fn trim_text(text: &str) -> &str {
    match (text.as_bytes().first(), text.as_bytes().last()) {
        (Some(b'!'..=b'~'), Some(b'!'..=b'~')) => text,
        _ => text.trim(),
    }
}

/// One line, without blanks at the ends and with every run of blanks as one space. Borrows when nothing changes.
pub fn squeeze(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let plain = !bytes.iter().zip(bytes.iter().skip(1)).any(|(a, b)| *a == b' ' && *b == b' ')
        && !bytes.iter().any(|b| matches!(b, b'\t' | b'\r' | b'\n' | 0x0b | 0x0c));
    if plain {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for word in text.split_ascii_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    Cow::Owned(out)
}

/// The first `limit` bytes of `text`, or fewer so that no character is cut.
pub fn clamp(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

/// Bytes without ASCII blanks at the ends.
pub fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

/// Bytes as text: UTF-8 where they are that, else Windows-1252's Latin half byte by byte. Never fails.
pub fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&b| char::from(b)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searching_ignores_ascii_case_only() {
        assert_eq!(find_ignore_case(b"xxUser Unknown", b"user unknown"), Some(2));
        assert_eq!(find_ignore_case("Ä".as_bytes(), "ä".as_bytes()), None);
        assert_eq!(find_ignore_case(b"aab", b"ab"), Some(1));
        assert_eq!(find_ignore_case(b"a", b"ab"), None);
        assert_eq!(strip_prefix_ignore_case("SMTP; 550", "smtp;"), Some(" 550"));
    }

    #[test]
    fn squeezing_leaves_one_space() {
        assert_eq!(squeeze(" a\r\n\t b  c "), "a b c");
        assert!(matches!(squeeze("a b"), Cow::Borrowed("a b")));
        assert_eq!(clamp("aä", 2), "a");
    }
}
