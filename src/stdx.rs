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
    let Some(last) = text.len().checked_sub(needle.len()).filter(|_| !needle.is_empty()) else {
        return needle.is_empty().then_some(0);
    };
    // looked for by the rarest of its first bytes
    let rank = |(at, byte): (usize, &u8)| u16::from(COMMON[usize::from(*byte)]) << 8 | at as u16;
    let offset = needle.iter().take(16).enumerate().map(rank).min().unwrap_or_default() & 0xff;
    let offset = usize::from(offset);
    let rarest = *needle.get(offset)?;
    memchr::memchr2_iter(rarest.to_ascii_lowercase(), rarest.to_ascii_uppercase(), text.get(offset..=last + offset)?)
        .find(|&at| text.get(at..at + needle.len()).is_some_and(|here| here.eq_ignore_ascii_case(needle)))
}

/// How common bytes are in mail, roughly.
static COMMON: [u8; 256] = {
    let mut table = [0; 256];
    let by_letters = b"=/<>:;@()0123456789zqxjkvbwy-hpgfmucdl.rstaion e";
    let mut rank = 0;
    while rank < by_letters.len() {
        table[by_letters[rank] as usize] = rank as u8;
        table[by_letters[rank].to_ascii_uppercase() as usize] = rank as u8;
        rank += 1;
    }
    table
};

/// Whether `needle` stands in `text`, ASCII letters compared without case.
pub fn contains_ignore_case(text: &str, needle: &str) -> bool {
    find_ignore_case(text.as_bytes(), needle.as_bytes()).is_some()
}

/// Whether two texts are the same without regard to case.
pub fn same_text(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    one.to_lowercase() == other.to_lowercase()
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
    if is_squeezed(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 1);
    let mut rest = text;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default().trim_ascii();
        rest = rest.get(end + 1..).unwrap_or_default();
        // most lines of a text are as they shall be
        if is_squeezed(line) {
            push_word(&mut out, line);
        } else {
            line.split_ascii_whitespace().for_each(|word| push_word(&mut out, word));
        }
    }
    Cow::Owned(out)
}

fn push_word(out: &mut String, word: &str) {
    if !out.is_empty() && !word.is_empty() {
        out.push(' ');
    }
    out.push_str(word);
}

/// Whether a trimmed text has no blanks but single spaces.
fn is_squeezed(text: &str) -> bool {
    let bytes = text.as_bytes();
    let pairs = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
    // no early end: so many bytes are looked at in one step
    !pairs.fold(false, |odd, (a, b)| odd | (*a < b' ') | ((*a == b' ') & (*b == b' ')))
}

/// The first `limit` bytes of `text`, or fewer so that no character is cut.
pub fn clamp(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

/// A set of ASCII bytes, asked at one look.
#[derive(Debug)]
pub struct Bytes([bool; 256]);

impl Bytes {
    /// Letters, digits, and these.
    pub const fn alphanumeric_and(others: &[u8]) -> Self {
        let mut set = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            set[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let mut at = 0;
        while at < others.len() {
            set[others[at] as usize] = true;
            at += 1;
        }
        Self(set)
    }

    /// Whether it has this byte.
    pub fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }

    /// Whether it has all of these.
    pub fn have_all(&self, bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| self.has(*byte))
    }
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
