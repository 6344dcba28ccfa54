//! Foreign text made safe to show.
//!
//! Invariant: what [`visible`] returns moves no cursor, changes no direction and hides nothing, whatever came in
//! (Unicode Technical Report 36, section 3).

use std::borrow::Cow;
use std::fmt::Write as _;

/// Makes one line of foreign text safe to show: control characters in caret notation (`^[`), everything else that a
/// terminal obeys, or a reader cannot see, as `<U+202E>`. Line ends and tabs count as control characters.
///
/// ```
/// use bounceback::stdx::visible;
/// assert_eq!(visible("anna\u{1b}[2J@example.org"), "anna^[[2J@example.org");
/// assert_eq!(visible("gpj\u{202e}exe"), "gpj<U+202E>exe");
/// assert_eq!(visible("Grüße, 你好"), "Grüße, 你好");
/// ```
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_plain(text) || !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match u8::try_from(c) {
            Ok(byte @ 0..=0x1f) => shown.extend(['^', char::from(byte + 0x40)]),
            Ok(0x7f) => shown.push_str("^?"),
            _ if is_hidden(c) => {
                let _ = write!(shown, "<U+{:04X}>", u32::from(c));
            }
            _ => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Whether a text is printable ASCII and nothing else: most are, and this is told at the speed of the machine.
pub fn is_plain(text: &str) -> bool {
    // no early end: so many bytes are looked at in one step
    text.bytes().fold(0, |odd, byte| odd | u8::from(byte.wrapping_sub(b' ') > b'~' - b' ')) == 0
}

/// Whether a terminal would obey this character, or a reader could not see it: C0, DEL, C1, bidirectional controls,
/// zero-width characters and fillers, line separators, tags, private use, noncharacters.
pub const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_cursors_or_hides_is_written_out() {
        for (text, want) in [
            ("plain", "plain"),
            ("a\tb\r\n", "a^Ib^M^J"),
            ("\u{9b}31m", "<U+009B>31m"),
            ("\u{7f}", "^?"),
            ("a\u{200b}b", "a<U+200B>b"),
            ("\u{2066}x\u{2069}", "<U+2066>x<U+2069>"),
            ("\u{e0041}", "<U+E0041>"),
            ("\u{f8ff}", "<U+F8FF>"),
            ("\u{10ffff}", "<U+10FFFF>"),
            ("\u{feff}", "<U+FEFF>"),
            ("☺\u{fe0f}", "☺\u{fe0f}"),
        ] {
            assert_eq!(visible(text), want, "{text:?}");
        }
    }

    #[test]
    fn no_input_leaves_a_hidden_character() {
        for c in (0..=0x0010_ffff).filter_map(char::from_u32) {
            let mut buffer = [0; 4];
            let text = &*c.encode_utf8(&mut buffer);
            assert!(!visible(text).chars().any(is_hidden), "{c:?}");
            assert!(!is_plain(text) || !is_hidden(c), "{c:?}");
        }
    }
}
