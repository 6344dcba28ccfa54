//! Follows what a server says byte by byte, far enough to bound it: lines, quoted strings, lists and literals.
//!
//! Source: RFC 3501 section 9. Knows nothing of commands or connections.

/// Longest line outside literals.
const LINE: u64 = 256 * 1024;
/// Deepest nesting of lists; nothing this program asks for nests deeper than three.
const DEPTH: u32 = 32;
/// Most literals in one response; two are asked for at most. Keeps the crate's reparsing from becoming quadratic.
const LITERALS: u32 = 16;

/// What stands for a line feed inside a literal while the crate looks on, and the other way round.
const HIDDEN: u8 = 1;

/// Gives the literals of a whole answer back their line feeds.
pub(super) fn restore(answer: &mut [u8]) {
    // it passed these limits when it came
    let _ = Lexer::default().feed(answer, u64::MAX);
}

/// Follows the grammar just far enough to know lines, quoted strings, lists and literals (RFC 3501 section 9).
#[derive(Default)]
pub(super) struct Lexer {
    /// Bytes left of the literal being received.
    literal: u64,
    /// The number inside `{`…`}` at the end of a line.
    number: Option<u64>,
    closed: bool,
    literals: u32,
    depth: u32,
    line: u64,
    quoted: bool,
    escaped: bool,
}

impl Lexer {
    /// Looks at the bytes and masks what the crate's parser would choke on. In literals line feeds change places with
    /// another byte, because the crate parses an answer anew after every line; [`restore`] puts them back.
    pub(super) fn feed(&mut self, mut bytes: &mut [u8], max_literal: u64) -> Result<(), &'static str> {
        while !bytes.is_empty() {
            if self.literal > 0 {
                let take = bytes.len().min(usize::try_from(self.literal).unwrap_or(usize::MAX));
                self.literal -= take as u64;
                let (inside, rest) = bytes.split_at_mut(take);
                let mut at = 0;
                while let Some((byte, next)) =
                    inside.get(at..).and_then(|tail| memchr::memchr2(b'\n', HIDDEN, tail)).map(|next| (at + next, next))
                {
                    if let Some(byte) = inside.get_mut(byte) {
                        *byte = if *byte == HIDDEN { b'\n' } else { HIDDEN };
                    }
                    at += next + 1;
                }
                bytes = rest;
                continue;
            }
            let Some((byte, rest)) = bytes.split_first_mut() else { break };
            self.byte(byte, max_literal)?;
            bytes = rest;
        }
        Ok(())
    }

    fn byte(&mut self, byte: &mut u8, max_literal: u64) -> Result<(), &'static str> {
        self.line += 1;
        if self.line > LINE {
            return Err("a line is too long");
        }
        match *byte {
            b'\n' => return self.end_of_line(max_literal),
            b'\r' => return Ok(()),
            0 | 0x80.. => *byte = b'?',
            _ => {}
        }
        if self.closed {
            self.closed = false;
            self.number = None;
        }
        if self.quoted {
            match *byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.quoted = false,
                _ => {}
            }
            return Ok(());
        }
        match (*byte, self.number) {
            (b'"', _) => self.quoted = true,
            (b'(', _) => {
                self.depth += 1;
                if self.depth > DEPTH {
                    return Err("lists are nested too deep");
                }
            }
            (b')', _) => self.depth = self.depth.saturating_sub(1),
            (b'{', _) => {
                self.number = Some(0);
                return Ok(());
            }
            (b'}', Some(_)) => {
                self.closed = true;
                return Ok(());
            }
            (digit @ b'0'..=b'9', Some(number)) => {
                self.number = Some(number.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
                return Ok(());
            }
            _ => {}
        }
        self.number = None;
        Ok(())
    }

    fn end_of_line(&mut self, max_literal: u64) -> Result<(), &'static str> {
        self.line = 0;
        self.quoted = false;
        self.escaped = false;
        if !self.closed {
            self.depth = 0;
            self.literals = 0;
            self.number = None;
            return Ok(());
        }
        self.closed = false;
        self.literal = self.number.take().unwrap_or(0);
        self.literals += 1;
        if self.literal > max_literal {
            return Err("more data is announced than was asked for");
        }
        if self.literals > LITERALS {
            return Err("one answer holds too many pieces");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(text: &[u8]) -> Result<Vec<u8>, &'static str> {
        // whole and byte by byte must agree
        let mut whole = text.to_vec();
        let result = Lexer::default().feed(&mut whole, 1000);
        let mut lexer = Lexer::default();
        let mut single = text.to_vec();
        assert_eq!(single.iter_mut().try_for_each(|b| lexer.feed(std::slice::from_mut(b), 1000)), result);
        assert!(result.is_err() || single == whole);
        result.map(|()| whole)
    }

    #[test]
    fn limits_hold_and_literals_are_left_alone() {
        let line = |n: usize| [b"* OK ".as_slice(), &vec![b'A'; n], b"\r\n"].concat();
        assert!(feed(&line(1000)).is_ok());
        assert_eq!(feed(&line(300_000)), Err("a line is too long"));
        assert_eq!(feed(&[b'('; 33]), Err("lists are nested too deep"));
        assert!(feed(&[b"* 1 FETCH (X {40}\r\n".as_slice(), &[b'('; 40], b")\r\n"].concat()).is_ok());
        assert_eq!(feed(b"* 1 FETCH (X {1001}\r\n"), Err("more data is announced than was asked for"));
        assert_eq!(
            feed(b"* 1 FETCH (X {99999999999999999999999}\r\n"),
            Err("more data is announced than was asked for")
        );
        assert_eq!(feed(b"{0}\r\n".repeat(17).as_slice()), Err("one answer holds too many pieces"));
        assert!(feed(b"\"{1001}\r\n").is_ok(), "no literal inside quotes");
        let (text, want) =
            (b"* NO f\xc3\xbcr\0 {3}\r\n\xff\0\xfe\xfe".as_slice(), b"* NO f??r? {3}\r\n\xff\0\xfe?".as_slice());
        assert_eq!(feed(text).as_deref(), Ok(want));
    }

    #[test]
    fn the_lines_of_a_literal_are_one_until_they_are_restored() {
        let text = b"* 1 FETCH (BODY[] {8}\r\na\n\x01\r\n\n\nz FLAGS ())\r\n* 2 EXISTS\r\n".to_vec();
        let mut seen = feed(&text).unwrap();
        assert_eq!(seen.iter().filter(|&&byte| byte == b'\n').count(), 4, "{}", String::from_utf8_lossy(&seen));
        restore(&mut seen);
        assert_eq!(seen, text);
    }
}
