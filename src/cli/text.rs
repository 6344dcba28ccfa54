//! Labelled lines for people: a label, and a text that is wrapped and made visible, as `diagnose::explain` lays them out.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

use unicode_width::UnicodeWidthStr;

use crate::stdx::visible;

/// Columns of a label with the space behind it.
const LABEL: usize = 20;
/// Columns of a whole line where no terminal is narrower.
const LINE: usize = 100;

/// Columns of the terminal behind a stream, where there is one.
pub(super) fn columns(of: impl AsFd + IsTerminal) -> Option<usize> {
    let size = of.is_terminal().then(|| rustix::termios::tcgetwinsize(of).ok()).flatten();
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > LABEL * 2)
}

/// Columns of a whole line on standard output.
fn line() -> usize {
    columns(io::stdout()).map_or(LINE, |columns| columns.min(LINE))
}

/// One line: label and text, however long the text is; on a terminal broken where it is too narrow.
pub(super) fn field(out: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
    if columns(io::stdout()).is_some() {
        return wrapped(out, label, text);
    }
    writeln!(out, "{}", format!("{label:<LABEL$}{}", visible(text)).trim_end())
}

/// Lines for the terminal behind a stream: where one is longer it goes on below, two columns in. Elsewhere as they are.
pub(super) fn fitted(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns else { return text.to_owned() };
    let mut out = String::new();
    for line in text.lines() {
        let lines = if line.width() > columns { broken(line, columns - 2) } else { vec![line.to_owned()] };
        out.push_str(&lines.join("\n  "));
        out.push('\n');
    }
    out
}

/// The same where something is known.
pub(super) fn known(out: &mut dyn Write, label: &str, text: Option<&str>) -> io::Result<()> {
    text.filter(|text| !text.is_empty()).map_or(Ok(()), |text| field(out, label, text))
}

/// A text of several lines, broken at blanks.
pub(super) fn paragraph(out: &mut dyn Write, text: &str) -> io::Result<()> {
    broken(text, line()).iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// A text as lines of at most so many columns, made visible.
fn broken(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let word = visible(word);
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(&word),
            Some(line) if line.width() + 1 + word.width() <= columns => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word.into_owned()),
        }
    }
    lines
}

/// A label and a text of several lines, broken at blanks.
pub(super) fn wrapped(out: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
    for (number, line) in broken(text, line() - LABEL).iter().enumerate() {
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

    #[test]
    fn long_lines_go_on_below() {
        let text = "error: could not do it\nhint: try something else\n";
        assert_eq!(fitted(text, None), text);
        assert_eq!(fitted(text, Some(30)), text);
        assert_eq!(fitted(text, Some(16)), "error: could\n  not do it\nhint: try\n  something else\n");
    }
}
