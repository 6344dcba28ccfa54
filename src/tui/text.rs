//! The one door for text of mails and servers to the screen: makes it harmless, measures it, cuts it, wraps it.
//!
//! Invariants: what leaves [`clean`] holds no control, bidirectional, zero-width, tag or private-use character; such
//! characters are shown as escapes (`^[`, `<U+202E>`). [`width`] is the only measure of columns in the program.
//! Sources: UAX #9 (bidirectional controls), UAX #11 (width), UAX #29 (graphemes).

use std::borrow::Cow;
use std::fmt::Write;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Combining marks kept on one base character; more are shown as escapes.
const MOST_MARKS: usize = 3;

/// Columns a text takes on the screen.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(UnicodeWidthStr::width).sum() }
}

/// Whether every terminal gives a symbol the same columns: ASCII, and the scripts that are wide everywhere (East Asian
/// Width W of kana, Hangul and the ideographs in daily use; UAX #11). Pictures and accents are not among them.
pub fn is_undisputed(symbol: &str) -> bool {
    let mut chars = symbol.chars();
    match (chars.next(), chars.next()) {
        (
            Some('\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '\u{4E00}'..='\u{9FA5}' | '\u{AC00}'..='\u{D7A3}'),
            None,
        ) => true,
        _ => symbol.is_ascii(),
    }
}

/// Whether a character would act on the terminal or hide from the reader.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F
            | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F
            | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1D173..=0x1D17A
            | 0xE000..=0xF8FF | 0xE0000..=0xE0FFF | 0xF0000..=0x10FFFF)
}

/// Shows a hostile character as an escape: `^[` for C0, `<U+202E>` for the rest.
fn escape(c: char, out: &mut String) {
    match u32::from(c) {
        n @ 0..=0x1F => {
            out.push('^');
            out.push(char::from(u8::try_from(n + 0x40).unwrap_or(b'?')));
        }
        0x7F => out.push_str("^?"),
        n => {
            let _ = write!(out, "<U+{n:04X}>");
        }
    }
}

/// One line of text, harmless: hostile characters as escapes, line breaks and tabs as blanks.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (0x20..0x7F).contains(&b)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut marks = MOST_MARKS; // a mark at the very start has nothing to stand on
    let mut before = None;
    for c in text.chars() {
        if matches!(c, '\t' | '\n') || (c == '\r' && text.contains("\r\n")) {
            if c != '\r' {
                out.push(' ');
            }
            marks = MOST_MARKS;
        } else if matches!(c, '\u{FE0E}' | '\u{FE0F}')
            && before.is_some_and(|b: char| !b.is_alphanumeric() && !b.is_ascii())
        {
            // A presentation selector behind a symbol: terminals disagree on its width, so it is left out.
        } else if is_hostile(c) || unassigned_width(c) {
            escape(c, &mut out);
            marks = MOST_MARKS;
        } else if UnicodeWidthChar::width(c) == Some(0) {
            if marks < MOST_MARKS {
                out.push(c);
                marks += 1;
            } else {
                let _ = write!(out, "<U+{:04X}>", u32::from(c));
            }
        } else {
            out.push(c);
            marks = 0;
        }
        before = Some(c);
    }
    Cow::Owned(out)
}

fn unassigned_width(c: char) -> bool {
    UnicodeWidthChar::width(c).is_none()
}

/// One line of raw mail, harmless, with tabs set to columns of eight.
pub fn clean_line(line: &str) -> String {
    let line = line.trim_end_matches(['\r', '\n']);
    if !line.contains('\t') {
        return clean(line).into_owned();
    }
    let mut out = String::new();
    for (at, piece) in line.split('\t').enumerate() {
        if at > 0 {
            let column = width(&out);
            out.extend(std::iter::repeat_n(' ', 8 - column % 8));
        }
        out.push_str(&clean(piece));
    }
    out
}

/// The longest beginning of a clean text that fits into `columns`, never cutting a grapheme.
pub fn head(text: &str, columns: usize) -> &str {
    if text.is_ascii() {
        return text.get(..columns).unwrap_or(text);
    }
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += UnicodeWidthStr::width(grapheme);
        if used > columns {
            return text.get(..at).unwrap_or(text);
        }
    }
    text
}

/// A clean text in exactly `columns`: padded with blanks, or cut with `~` at the end.
pub fn fit(text: &str, columns: usize) -> String {
    let mut out = cut(text, columns);
    let used = width(&out);
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    out
}

/// A clean text in at most `columns`, cut with `~` at the end.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let mut out = head(text, columns - 1).to_owned();
    out.push('~');
    out
}

/// Breaks a clean text into lines of at most `columns`, at blanks where there are any.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let long = width(word);
        if used > 0 && used + 1 + long > columns {
            lines.push(std::mem::take(&mut line));
            used = 0;
        } else if used > 0 {
            line.push(' ');
            used += 1;
        }
        let mut rest = word;
        while width(rest) > columns - used.min(columns) {
            let piece = head(rest, columns - used.min(columns));
            let piece = if piece.is_empty() && used == 0 { first_grapheme(rest) } else { piece };
            line.push_str(piece);
            lines.push(std::mem::take(&mut line));
            used = 0;
            rest = rest.get(piece.len()..).unwrap_or("");
        }
        line.push_str(rest);
        used += width(rest);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

fn first_grapheme(text: &str) -> &str {
    text.graphemes(true).next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r11_hostile_characters_are_shown_and_never_sent() {
        for (text, want) in [
            ("plain", "plain"),
            ("a\x1b[2Jb", "a^[[2Jb"),
            ("\x07\x7f", "^G^?"),
            ("x\u{9b}31m", "x<U+009B>31m"),
            ("gpj\u{202e}exe", "gpj<U+202E>exe"),
            ("a\u{200b}b\u{200d}c\u{feff}", "a<U+200B>b<U+200D>c<U+FEFF>"),
            ("\u{e0041}\u{e000}\u{f0000}", "<U+E0041><U+E000><U+F0000>"),
            ("a\r\nb\tc", "a b c"),
            ("a\rb", "a^Mb"),
            ("\u{301}x", "<U+0301>x"),
            ("e\u{301}", "e\u{301}"),
            ("e\u{301}\u{301}\u{301}\u{301}", "e\u{301}\u{301}\u{301}<U+0301>"),
            ("\u{2764}\u{fe0f}!", "\u{2764}!"),
            ("a\u{fe0f}", "a<U+FE0F>"),
            ("日本", "日本"),
        ] {
            assert_eq!(clean(text), want, "{text:?}");
        }
    }

    #[test]
    fn r15_cuts_never_split_a_grapheme_or_pass_the_width() {
        for text in ["日本語のメール", "e\u{301}e\u{301}e\u{301}", "plain ascii text", "a日b本c", "👩‍👩‍👧 family", "🇩🇪🇫🇷"]
        {
            let text = clean(text);
            for columns in 0..12 {
                let short = cut(&text, columns);
                assert!(width(&short) <= columns, "{short:?} in {columns}");
                assert_eq!(width(&fit(&text, columns)), columns, "{text:?} in {columns}");
                for line in wrap(&text, columns) {
                    assert!(width(&line) <= columns.max(2), "{line:?} in {columns}");
                }
            }
        }
    }

    #[test]
    fn wraps_at_blanks_and_breaks_what_is_too_long() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn tabs_stand_at_columns_of_eight() {
        assert_eq!(clean_line("a\tb\r\n"), "a       b");
    }
}
