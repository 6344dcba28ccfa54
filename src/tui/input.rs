//! Bytes from the terminal to keys, and nothing else: replies of the terminal never become typing.
//!
//! Owns the escape sequences of keyboards (ECMA-48 CSI, SS3, xterm's modifiers, bracketed paste). Knows nothing of what
//! a key does. Invariant: whatever arrives, in whatever pieces, the parser finds its way back to plain typing.

use std::fmt;

/// A key of the keyboard, without its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A character; Shift is part of it.
    Char(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab; with Shift it is `BackTab`.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Function key.
    F(u8),
}

/// A key stroke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which key.
    pub code: Code,
    /// Whether Control was held.
    pub ctrl: bool,
    /// Whether Alt (Meta) was held.
    pub alt: bool,
}

impl Key {
    /// A key without modifiers.
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// A character key with Control.
    pub const fn ctrl(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: true, alt: false }
    }

    /// The character typed, where the key types one.
    pub fn typed(self) -> Option<char> {
        match self {
            Self { code: Code::Char(c), ctrl: false, alt: false } => Some(c),
            _ => None,
        }
    }

    /// Reads a key by its name in `keys.toml`: `a`, `A`, `Enter`, `PgDn`, `C-l`, `F1`.
    pub fn named(name: &str) -> Option<Self> {
        if let Some(rest) = name.strip_prefix("C-") {
            let mut key = Self::named(rest)?;
            key.ctrl = true;
            return Some(key);
        }
        let code = match name {
            "Enter" => Code::Enter,
            "Esc" => Code::Esc,
            "Tab" => Code::Tab,
            "S-Tab" => Code::BackTab,
            "Space" => Code::Char(' '),
            "Backspace" => Code::Backspace,
            "Del" => Code::Delete,
            "Ins" => Code::Insert,
            "Up" => Code::Up,
            "Down" => Code::Down,
            "Left" => Code::Left,
            "Right" => Code::Right,
            "Home" => Code::Home,
            "End" => Code::End,
            "PgUp" => Code::PageUp,
            "PgDn" => Code::PageDown,
            _ => {
                let mut chars = name.chars();
                match (chars.next(), chars.as_str()) {
                    (Some(c), "") if !c.is_control() && c != ' ' => Code::Char(c),
                    (Some('F'), number) => Code::F(number.parse().ok().filter(|n| (1..=12).contains(n))?),
                    _ => return None,
                }
            }
        };
        Some(Self::plain(code))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("C-")?;
        }
        if self.alt {
            f.write_str("A-")?;
        }
        match self.code {
            Code::Char(' ') => f.write_str("Space"),
            Code::Char(c) => write!(f, "{c}"),
            Code::Enter => f.write_str("Enter"),
            Code::Esc => f.write_str("Esc"),
            Code::Tab => f.write_str("Tab"),
            Code::BackTab => f.write_str("S-Tab"),
            Code::Backspace => f.write_str("Backspace"),
            Code::Delete => f.write_str("Del"),
            Code::Insert => f.write_str("Ins"),
            Code::Up => f.write_str("Up"),
            Code::Down => f.write_str("Down"),
            Code::Left => f.write_str("Left"),
            Code::Right => f.write_str("Right"),
            Code::Home => f.write_str("Home"),
            Code::End => f.write_str("End"),
            Code::PageUp => f.write_str("PgUp"),
            Code::PageDown => f.write_str("PgDn"),
            Code::F(n) => write!(f, "F{n}"),
        }
    }
}

/// What the terminal sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key stroke.
    Key(Key),
    /// A bracketed paste, as text.
    Paste(String),
    /// The terminal knows synchronized updates (the answer to DECRQM 2026).
    Synchronized,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Escape,
    Csi(Vec<u8>),
    Ss3,
    /// OSC, DCS, APC, PM, SOS: swallowed up to its end; `true` behind an ESC.
    Text(bool),
    Paste(Vec<u8>),
    Utf8(Vec<u8>, usize),
}

/// Longest sequence that is still taken for one.
const LONGEST: usize = 64;
/// Longest paste kept, in bytes.
const LONGEST_PASTE: usize = 64 * 1024;
const PASTE_END: &[u8] = b"\x1b[201~";

/// Takes bytes in any pieces and gives keys.
#[derive(Debug, Default)]
pub struct Parser {
    state: State,
    swallowed: usize,
}

impl Parser {
    /// Whether a lone ESC waits for what follows: after a short silence, call [`Parser::silence`].
    pub fn is_pending(&self) -> bool {
        !matches!(self.state, State::Ground | State::Paste(_))
    }

    /// Nothing followed for a while: a lone ESC was the key, anything else incomplete is dropped.
    pub fn silence(&mut self) -> Option<Input> {
        match std::mem::take(&mut self.state) {
            State::Escape => Some(Input::Key(Key::plain(Code::Esc))),
            State::Paste(text) => {
                self.state = State::Paste(text);
                None
            }
            _ => None,
        }
    }

    /// Takes some bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Input> {
        let mut found = Vec::new();
        for &byte in bytes {
            self.step(byte, &mut found);
        }
        found
    }

    fn step(&mut self, byte: u8, found: &mut Vec<Input>) {
        match std::mem::take(&mut self.state) {
            State::Ground => self.ground(byte, found),
            State::Escape => self.escape(byte, found),
            State::Ss3 => found.extend(ss3(byte).map(|code| Input::Key(Key::plain(code)))),
            State::Csi(mut held) => match byte {
                0x1B => self.state = State::Escape,
                0x18 | 0x1A => {}
                0x40..=0x7E if !(held.is_empty() && byte == b'[') => self.csi(&held, byte, found),
                _ if held.len() > LONGEST => {}
                _ => {
                    held.push(byte);
                    self.state = State::Csi(held);
                }
            },
            State::Text(escaped) => {
                self.swallowed += 1;
                match byte {
                    0x07 | 0x18 | 0x1A | 0x9C => {}
                    b'\\' if escaped => {}
                    // The reply was cut off by a real key sequence.
                    _ if escaped => self.escape(byte, found),
                    _ if self.swallowed > 4096 => {}
                    _ => self.state = State::Text(byte == 0x1B),
                }
            }
            State::Paste(mut text) => {
                text.push(byte);
                if text.ends_with(PASTE_END) {
                    text.truncate(text.len() - PASTE_END.len());
                    found.push(Input::Paste(String::from_utf8_lossy(&text).into_owned()));
                } else {
                    if text.len() > LONGEST_PASTE + PASTE_END.len() {
                        text.drain(LONGEST_PASTE - 1..LONGEST_PASTE);
                    }
                    self.state = State::Paste(text);
                }
            }
            State::Utf8(mut held, length) => {
                if byte & 0xC0 != 0x80 {
                    self.ground(byte, found);
                    return;
                }
                held.push(byte);
                if held.len() < length {
                    self.state = State::Utf8(held, length);
                } else if let Some(c) = std::str::from_utf8(&held).ok().and_then(|text| text.chars().next())
                    && !c.is_control()
                {
                    found.push(Input::Key(Key::plain(Code::Char(c))));
                }
            }
        }
    }

    fn ground(&mut self, byte: u8, found: &mut Vec<Input>) {
        let key = match byte {
            0x1B => {
                self.state = State::Escape;
                return;
            }
            b'\r' | b'\n' => Key::plain(Code::Enter),
            b'\t' => Key::plain(Code::Tab),
            0x7F | 0x08 => Key::plain(Code::Backspace),
            0 => Key::ctrl(' '),
            1..=26 => Key::ctrl(char::from(byte + 0x60)),
            0x1C..=0x1F => Key::ctrl(char::from(byte + 0x40)),
            0x20..=0x7E => Key::plain(Code::Char(char::from(byte))),
            0xC2..=0xF4 => {
                let length = if byte < 0xE0 {
                    2
                } else if byte < 0xF0 {
                    3
                } else {
                    4
                };
                self.state = State::Utf8(vec![byte], length);
                return;
            }
            _ => return,
        };
        found.push(Input::Key(key));
    }

    fn escape(&mut self, byte: u8, found: &mut Vec<Input>) {
        match byte {
            b'[' => self.state = State::Csi(Vec::new()),
            b'O' => self.state = State::Ss3,
            b']' | b'P' | b'_' | b'^' | b'X' => {
                self.swallowed = 0;
                self.state = State::Text(false);
            }
            0x1B => {
                found.push(Input::Key(Key::plain(Code::Esc)));
                self.state = State::Escape;
            }
            _ => {
                let from = found.len();
                self.ground(byte, found);
                for input in found.iter_mut().skip(from) {
                    if let Input::Key(key) = input {
                        key.alt = true;
                    }
                }
            }
        }
    }

    fn csi(&mut self, held: &[u8], last: u8, found: &mut Vec<Input>) {
        let text = String::from_utf8_lossy(held).into_owned();
        if let Some(mode) = text.strip_prefix("?2026;").and_then(|rest| rest.strip_suffix('$'))
            && last == b'y'
        {
            if matches!(mode, "1" | "2") {
                found.push(Input::Synchronized);
            }
            return;
        }
        // Private sequences and those with intermediates are replies, never keys.
        if text.starts_with(['<', '=', '>', '?']) || text.contains([' ', '$', '!', '"', '\'']) {
            return;
        }
        let mut numbers = text.split(';').map(|n| n.split(':').next().unwrap_or("").parse::<u16>().unwrap_or(0));
        let (first, modifiers) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(1).saturating_sub(1));
        if last == b'~' && first == 200 {
            self.state = State::Paste(Vec::new());
            return;
        }
        let code = match (last, first) {
            (b'A', _) => Code::Up,
            (b'B', _) => Code::Down,
            (b'C', _) => Code::Right,
            (b'D', _) => Code::Left,
            (b'H', _) | (b'~', 1 | 7) => Code::Home,
            (b'F', _) | (b'~', 4 | 8) => Code::End,
            (b'Z', _) => Code::BackTab,
            (b'~', 2) => Code::Insert,
            (b'~', 3) => Code::Delete,
            (b'~', 5) => Code::PageUp,
            (b'~', 6) => Code::PageDown,
            (b'~', n @ 11..=15) => Code::F(u8::try_from(n - 10).unwrap_or(0)),
            (b'~', n @ 17..=21) => Code::F(u8::try_from(n - 11).unwrap_or(0)),
            (b'~', n @ 23..=24) => Code::F(u8::try_from(n - 12).unwrap_or(0)),
            // `ESC [ R` is F3 on some keyboards and a cursor report with two numbers: only the plain form counts.
            (b'P' | b'Q' | b'S', _) => Code::F(last - b'P' + 1),
            _ => return,
        };
        found.push(Input::Key(Key { code, ctrl: modifiers & 4 != 0, alt: modifiers & 2 != 0 }));
    }
}

fn ss3(byte: u8) -> Option<Code> {
    Some(match byte {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'H' => Code::Home,
        b'F' => Code::End,
        b'M' => Code::Enter,
        b'P'..=b'S' => Code::F(byte - b'P' + 1),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> String {
        let mut parser = Parser::default();
        let mut found = parser.feed(bytes);
        found.extend(parser.silence());
        let words: Vec<String> = found
            .iter()
            .map(|input| match input {
                Input::Key(key) => key.to_string(),
                Input::Paste(text) => format!("paste:{text}"),
                Input::Synchronized => "sync".to_owned(),
            })
            .collect();
        words.join(" ")
    }

    #[test]
    fn keys_are_read_in_every_common_form() {
        for (bytes, want) in [
            (&b"aA \r\t\x7f"[..], "a A Space Enter Tab Backspace"),
            (b"\x1b[A\x1bOB\x1b[5~\x1b[6~\x1b[Z", "Up Down PgUp PgDn S-Tab"),
            (b"\x1b[1;5C\x1b[3~\x1bOP\x1b[15~\x1b[24~", "C-Right Del F1 F5 F12"),
            (b"\x0c\x15", "C-l C-u"),
            ("é日".as_bytes(), "é 日"),
            (b"\x1b", "Esc"),
            (b"\x1b\x1bx", "Esc A-x"),
        ] {
            assert_eq!(keys(bytes), want, "{bytes:?}");
        }
    }

    #[test]
    fn r04_replies_of_the_terminal_never_become_keys() {
        for bytes in [
            &b"\x1b[?62;22c"[..],
            b"\x1b[12;40R",
            b"\x1b]11;rgb:0000/0000/0000\x1b\\",
            b"\x1b]11;rgb:cccc/cccc/cccc\x07",
            b"\x1bP>|term 1.2\x1b\\",
            b"\x1b[?2026;0$y",
            b"\x1b[>41;354;0c",
            b"\x1b[?0u",
            b"\x1b[I",
            b"\x1b[M",
            b"\xff\xfe\x80",
        ] {
            assert_eq!(keys(bytes), "", "{bytes:?}");
            let with = [bytes, b"q"].concat();
            assert_eq!(keys(&with), "q", "{bytes:?}");
        }
        assert_eq!(keys(b"\x1b[?2026;2$y"), "sync");
    }

    #[test]
    fn a_paste_is_text_and_never_keys() {
        assert_eq!(keys(b"\x1b[200~qd\x1b[Ax\x1b[201~j"), "paste:qd\x1b[Ax j");
    }

    #[test]
    fn pieces_make_no_difference() {
        let bytes = "j\x1b[A\x1b[200~héllo\x1b[201~\x1b]11;rgb:1/2/3\x1b\\é\x1b[?2026;2$yq".as_bytes();
        let whole = Parser::default().feed(bytes);
        let mut parser = Parser::default();
        let mut pieces = Vec::new();
        for byte in bytes {
            pieces.extend(parser.feed(&[*byte]));
        }
        assert_eq!(whole, pieces);
    }

    #[test]
    fn names_and_keys_agree() {
        for name in ["a", "Z", "$", "Enter", "S-Tab", "PgDn", "C-l", "F12", "Space", "Left"] {
            assert_eq!(Key::named(name).map(|key| key.to_string()).as_deref(), Some(name));
        }
        for name in ["", "F13", "Foo", "ab", "C-"] {
            assert_eq!(Key::named(name), None, "{name}");
        }
    }
}
