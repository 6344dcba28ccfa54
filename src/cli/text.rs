//! Labelled lines for people: a label, and a text that is wrapped and made visible, as `diagnose::explain` lays them out.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::stdx::visible;

/// Columns of a label with the space behind it.
const LABEL: usize = 20;
/// Columns of a whole line.
const LINE: usize = 100;

/// One line: label and text, however long the text is.
pub(super) fn field(out: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
    writeln!(out, "{}", format!("{label:<LABEL$}{}", visible(text)).trim_end())
}

/// The same where something is known.
pub(super) fn known(out: &mut dyn Write, label: &str, text: Option<&str>) -> io::Result<()> {
    text.filter(|text| !text.is_empty()).map_or(Ok(()), |text| field(out, label, text))
}

/// A label and a text of several lines, broken at blanks.
pub(super) fn wrapped(out: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let word = visible(word);
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(&word),
            Some(line) if LABEL + line.width() + 1 + word.width() <= LINE => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word.into_owned()),
        }
    }
    for (number, line) in lines.iter().enumerate() {
        let label = if number == 0 { label } else { "" };
        writeln!(out, "{}", format!("{label:<LABEL$}{line}").trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_blanks_and_made_visible() {
        let mut out = Vec::new();
        wrapped(&mut out, "Meaning", &format!("{} a\u{202e}b", "word ".repeat(16))).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.width() <= LINE), "{text}");
        assert!(text.starts_with("Meaning             word word"));
        assert!(text.ends_with("\n                    a<U+202E>b\n"), "{text}");
    }
}
