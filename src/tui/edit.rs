//! One line of typed text with a cursor that moves by graphemes. Owns editing; knows nothing of what the text is for.

use unicode_segmentation::UnicodeSegmentation;

use super::input::{Code, Key};
use super::text;

/// Longest text a line holds, in bytes.
const LONGEST: usize = 4096;

/// A line being typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    /// Byte position, always at the start of a grapheme or at the end.
    cursor: usize,
    /// Whether anything was typed since it was filled.
    pub touched: bool,
}

impl Line {
    /// A line with a text in it, the cursor at a byte position (at the end where that is no place for it).
    pub fn filled(text: &str, cursor: usize) -> Self {
        let cursor = if text.is_char_boundary(cursor) { cursor } else { text.len() };
        Self { text: text.to_owned(), cursor, touched: false }
    }

    /// What stands in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before and behind the cursor.
    pub fn halves(&self) -> (&str, &str) {
        self.text.split_at(self.cursor)
    }

    /// Replaces everything; counts as typing.
    pub fn set(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.cursor = self.text.len();
        self.touched = true;
    }

    /// Puts text in at the cursor, on one line: what a paste brings of line breaks becomes a blank.
    pub fn insert(&mut self, text: &str) {
        let mut line: String =
            text.trim_end_matches(['\r', '\n']).replace("\r\n", " ").replace(['\r', '\n', '\t'], " ");
        let room = LONGEST.saturating_sub(self.text.len());
        while line.len() > room {
            line.pop();
        }
        self.text.insert_str(self.cursor, &line);
        self.cursor += line.len();
        self.touched = true;
    }

    /// Takes a key; says whether it was one of a line's keys.
    pub fn key(&mut self, key: Key) -> bool {
        match key {
            Key { code: Code::Char('u'), ctrl: true, .. } => {
                self.text.clear();
                self.cursor = 0;
                self.touched = true;
            }
            Key { code: Code::Char('w'), ctrl: true, .. } => {
                let (before, _) = self.halves();
                let kept = before.trim_end_matches(|c: char| !c.is_alphanumeric());
                let kept = kept.trim_end_matches(char::is_alphanumeric).len();
                self.remove(kept, self.cursor);
            }
            Key { code: Code::Char('k'), ctrl: true, .. } => self.remove(self.cursor, self.text.len()),
            Key { code: Code::Char('d'), ctrl: true, .. } => self.remove(self.cursor, self.after()),
            Key { code: Code::Char('e'), ctrl: true, .. } | Key { code: Code::End, .. } => {
                self.cursor = self.text.len()
            }
            Key { code: Code::Home, .. } => self.cursor = 0,
            Key { code: Code::Left, .. } => self.cursor = self.before(),
            Key { code: Code::Right, .. } => self.cursor = self.after(),
            Key { code: Code::Backspace, .. } => self.remove(self.before(), self.cursor),
            Key { code: Code::Delete, .. } => self.remove(self.cursor, self.after()),
            _ => {
                let Some(c) = key.typed() else { return false };
                self.insert(c.encode_utf8(&mut [0; 4]));
            }
        }
        true
    }

    fn before(&self) -> usize {
        let (before, _) = self.halves();
        before.grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let (_, behind) = self.halves();
        self.cursor + behind.graphemes(true).next().map_or(0, str::len)
    }

    fn remove(&mut self, from: usize, to: usize) {
        if from < to {
            self.text.replace_range(from..to, "");
            self.touched = true;
        }
        self.cursor = from;
    }

    /// The part to show in so many columns, harmless, and the column of the cursor in it.
    pub fn window(&self, columns: usize) -> (String, usize) {
        let columns = columns.max(1);
        let (before, behind) = self.halves();
        let mut shown = text::clean(before).into_owned();
        let mut used = text::width(&shown);
        if used >= columns {
            // Keep the end in sight: drop graphemes from the front until the cursor fits.
            let graphemes: Vec<&str> = shown.graphemes(true).collect();
            let mut from = 0;
            while used + 1 > columns && from < graphemes.len() {
                used -= text::width(graphemes[from]);
                from += 1;
            }
            shown = graphemes[from..].concat();
        }
        let rest = text::clean(behind);
        let rest = text::head(&rest, columns - used.min(columns));
        (format!("{shown}{rest}"), used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &mut Line, keys: &str) {
        for name in keys.split(' ') {
            line.key(Key::named(name).unwrap());
        }
    }

    #[test]
    fn edits_by_graphemes() {
        let mut line = Line::filled("ae\u{301}b", 4);
        typed(&mut line, "Backspace");
        assert_eq!(line.text(), "ab");
        typed(&mut line, "x Left Left Del End y");
        assert_eq!(line.text(), "xby");
        typed(&mut line, "C-u");
        assert_eq!(line.text(), "");
    }

    #[test]
    fn a_paste_stays_on_one_line() {
        let mut line = Line::default();
        line.insert("anna@example.org\r\n");
        line.insert("a\nb");
        assert_eq!(line.text(), "anna@example.orga b");
    }

    #[test]
    fn the_cursor_is_always_in_the_window() {
        for text in ["short", "a rather long line of text", "日本語日本語日本語", "x\u{1b}[2J\u{202e}"] {
            for columns in 1..12 {
                let line = Line::filled(text, text.len());
                let (shown, cursor) = line.window(columns);
                assert!(
                    cursor < columns.max(2) && text::width(&shown) <= columns,
                    "{text:?} {columns}: {shown:?} {cursor}"
                );
            }
        }
    }
}
