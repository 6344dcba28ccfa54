//! Reads the answers of a server: FETCH, EXAMINE, LIST, STATUS (RFC 3501 section 7).
//!
//! Total and tolerant: what it does not know it passes over, what is damaged it leaves out. The caller reconciles what
//! it asked for with what it got.

/// One message of a FETCH answer, borrowed from the bytes received.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fetched<'a> {
    pub(super) uid: Option<u32>,
    pub(super) size: Option<u64>,
    pub(super) internal_date: Option<&'a [u8]>,
    pub(super) flags: Option<&'a [u8]>,
    /// `BODY[section]` or `BODY[section]<origin>`: section, origin, data.
    pub(super) bodies: Vec<(&'a [u8], u64, &'a [u8])>,
}

/// An untagged line (its literals included) or the tagged end.
fn lines(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let mut end = 0;
        loop {
            let tail = rest.get(end..)?;
            let Some(at) = memchr::memchr(b'\n', tail) else {
                let line = rest.get(..).filter(|line| !line.is_empty());
                rest = &[];
                return line;
            };
            let literal = literal_at_end(tail.get(..at)?);
            end = end.checked_add(at + 1)?;
            match literal {
                Some(len) => end = end.checked_add(len)?.min(rest.len()),
                None => break,
            }
        }
        let (line, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(line)
    })
}

/// The length announced by `{n}` at the end of a line.
fn literal_at_end(line: &[u8]) -> Option<usize> {
    let line = line.trim_ascii_end().strip_suffix(b"}")?;
    let open = line.iter().rposition(|&b| b == b'{')?;
    std::str::from_utf8(line.get(open + 1..)?).ok()?.trim_end_matches('+').parse().ok()
}

/// A place in a line.
struct At<'a>(&'a [u8]);

impl<'a> At<'a> {
    fn skip(&mut self, n: usize) {
        self.0 = self.0.get(n..).unwrap_or_default();
    }

    fn spaces(&mut self) {
        self.0 = self.0.trim_ascii_start();
    }

    fn eat(&mut self, token: u8) -> bool {
        let hit = self.0.first() == Some(&token);
        self.skip(usize::from(hit));
        hit
    }

    /// Up to a space, a bracket of any kind, or the end.
    fn word(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|b| b.is_ascii_whitespace() || b"()[]<>".contains(b)).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at_checked(end).unwrap_or_default();
        self.0 = rest;
        word
    }

    fn number(&mut self) -> Option<u64> {
        std::str::from_utf8(self.word()).ok()?.parse().ok()
    }

    /// A string, an atom, NIL (as empty), or a whole list.
    fn value(&mut self) -> Option<&'a [u8]> {
        self.spaces();
        match self.0.first()? {
            b'"' => self.quoted(),
            b'{' => {
                let end = memchr::memchr(b'\n', self.0)?;
                let len = literal_at_end(self.0.get(..end)?)?;
                self.skip(end + 1);
                let data = self.0.get(..len)?;
                self.skip(len);
                Some(data)
            }
            b'(' => self.list(),
            _ => Some(self.word()).map(|word| if word.eq_ignore_ascii_case(b"NIL") { &[] } else { word }),
        }
    }

    /// The inside of a quoted string, escapes left in.
    fn quoted(&mut self) -> Option<&'a [u8]> {
        let mut at = 1;
        loop {
            match self.0.get(at)? {
                b'\\' => at += 2,
                b'"' => break,
                _ => at += 1,
            }
        }
        let inside = self.0.get(1..at)?;
        self.skip(at + 1);
        Some(inside)
    }

    /// The inside of a list.
    fn list(&mut self) -> Option<&'a [u8]> {
        if self.0.first() != Some(&b'(') {
            return None;
        }
        let whole = self.0;
        let mut depth = 0_usize;
        loop {
            match self.0.first()? {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'"' => {
                    self.quoted()?;
                    continue;
                }
                b'{' => {
                    self.value()?;
                    continue;
                }
                _ => {}
            }
            self.skip(1);
            if depth == 0 {
                let len = whole.len() - self.0.len();
                return whole.get(1..len - 1);
            }
        }
    }
}

/// The messages of a FETCH answer.
pub(super) fn fetched(data: &[u8]) -> Vec<Fetched<'_>> {
    lines(data).filter_map(one).collect()
}

/// The lines of an answer; for those that bring something of a message, which one.
pub(super) fn bodies(data: &[u8]) -> impl Iterator<Item = (&[u8], Option<u32>)> {
    let uid = |line| one(line).filter(|message| !message.bodies.is_empty()).and_then(|message| message.uid);
    lines(data).map(move |line| (line, uid(line)))
}

fn one(line: &[u8]) -> Option<Fetched<'_>> {
    let mut at = At(line.strip_prefix(b"* ")?);
    at.number()?;
    at.spaces();
    if !at.word().eq_ignore_ascii_case(b"FETCH") {
        return None;
    }
    at.spaces();
    if !at.eat(b'(') {
        return None;
    }
    let mut got = Fetched::default();
    loop {
        at.spaces();
        if at.0.is_empty() || at.eat(b')') {
            return Some(got);
        }
        let item = at.word().to_ascii_uppercase();
        if item.is_empty() {
            return Some(got);
        }
        if item == b"BODY" && at.eat(b'[') {
            let end = memchr::memchr(b']', at.0)?;
            let section = at.0.get(..end)?;
            at.skip(end + 1);
            let origin = if at.eat(b'<') {
                let origin = at.number().unwrap_or(0);
                at.eat(b'>');
                origin
            } else {
                0
            };
            let Some(data) = at.value() else { return Some(got) };
            got.bodies.push((section, origin, data));
            continue;
        }
        let Some(value) = at.value() else { return Some(got) };
        let number = || std::str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok());
        match item.as_slice() {
            b"UID" => got.uid = number().and_then(|uid| u32::try_from(uid).ok()),
            b"RFC822.SIZE" => got.size = number(),
            b"INTERNALDATE" => got.internal_date = Some(value),
            b"FLAGS" => got.flags = Some(value),
            _ => {}
        }
    }
}

/// What EXAMINE tells about a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Examined {
    pub(super) exists: u32,
    pub(super) uidvalidity: u32,
    pub(super) uidnext: Option<u32>,
}

pub(super) fn examined(data: &[u8]) -> Examined {
    let mut got = Examined::default();
    for line in lines(data) {
        let text = String::from_utf8_lossy(line).to_ascii_uppercase();
        let Some(text) = text.strip_prefix("* ") else { continue };
        let code = |name: &str| {
            let (_, after) = text.split_once(&format!("[{name} "))?;
            after.split(']').next()?.trim().parse::<u32>().ok()
        };
        got.uidvalidity = code("UIDVALIDITY").unwrap_or(got.uidvalidity);
        got.uidnext = code("UIDNEXT").or(got.uidnext);
        if let Some(number) = text.trim_end().strip_suffix(" EXISTS") {
            got.exists = number.trim().parse().unwrap_or(got.exists);
        }
    }
    got
}

/// One folder of a LIST answer: name as on the wire, and whether it can be opened.
pub(super) fn listed(data: &[u8]) -> Vec<(String, bool, String)> {
    lines(data).filter_map(one_listed).collect()
}

fn one_listed(line: &[u8]) -> Option<(String, bool, String)> {
    let mut at = At(line.strip_prefix(b"* ")?);
    if !at.word().eq_ignore_ascii_case(b"LIST") {
        return None;
    }
    at.spaces();
    let flags = String::from_utf8_lossy(at.list()?).to_ascii_lowercase();
    at.value()?;
    at.spaces();
    let quoted = at.0.first() == Some(&b'"');
    let name = match at.0.first()? {
        b'"' | b'{' => at.value()?,
        // an atom may hold brackets: [Gmail]
        _ => at.0.trim_ascii_end(),
    };
    let mut name = String::from_utf8_lossy(name).into_owned();
    if quoted {
        name = unescape(&name);
    }
    Some((name, !flags.contains("\\noselect") && !flags.contains("\\nonexistent"), flags))
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    out
}

/// A number of a STATUS answer.
pub(super) fn status_number(data: &[u8], name: &str) -> Option<u32> {
    for line in lines(data) {
        let Some(mut at) = line.strip_prefix(b"* ").map(At) else { continue };
        if !at.word().eq_ignore_ascii_case(b"STATUS") {
            continue;
        }
        at.value()?;
        at.spaces();
        let inside = String::from_utf8_lossy(at.list()?).to_ascii_uppercase();
        let mut words = inside.split_ascii_whitespace();
        words.find(|word| *word == name)?;
        return words.next()?.parse().ok();
    }
    None
}

/// The capabilities named in a greeting or in a CAPABILITY answer, in upper case.
pub(super) fn capabilities(data: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(data).to_ascii_uppercase();
    let Some((_, after)) = text.split_once("CAPABILITY ") else { return Vec::new() };
    let list = after.split([']', '\r', '\n']).next().unwrap_or_default();
    list.split_ascii_whitespace().map(crate::source::error::clean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetch_answer_is_read() {
        let data = b"* 1 FETCH (UID 7 RFC822.SIZE 5000000000 FLAGS (\\Seen \"a)b\") INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[HEADER.FIELDS (FROM SUBJECT)] {9}\r\nA: (\r\n\r\n\n X-GM {2}\r\n)))\r\n\
* OK still here {oops\r\n* 3 EXPUNGE\r\n* 2 FETCH (BODY[]<16384> \"a\\\"b\" UID 8)\r\n* 4 FETCH (UID 9 BODY[]<0> NIL)\r\na1 OK done\r\n";
        let got = fetched(data);
        assert_eq!(got.len(), 3);
        assert_eq!((got[0].uid, got[0].size), (Some(7), Some(5_000_000_000)));
        assert_eq!(got[0].bodies, [(&b"HEADER.FIELDS (FROM SUBJECT)"[..], 0, &b"A: (\r\n\r\n\n"[..])]);
        assert_eq!(got[0].internal_date, Some(&b"17-Jul-1996 02:44:25 -0700"[..]));
        assert_eq!((got[1].uid, got[1].bodies[0].1), (Some(8), 16384));
        assert_eq!((got[2].uid, got[2].bodies[0].2), (Some(9), &b""[..]));
    }

    #[test]
    fn any_bytes_end_well() {
        use proptest::prelude::*;
        proptest!(|(noise in r#"(\* [0-9]{1,3} FETCH \(|UID |BODY\[|\]|<|>|"|\\|\{[0-9]{1,3}\}\r\n|\(|\)|\r\n|NIL| |a1 OK|\* LIST |\* STATUS ){0,40}"#)| {
            let _ = (fetched(noise.as_bytes()), examined(noise.as_bytes()), listed(noise.as_bytes()));
            let _ = (status_number(noise.as_bytes(), "UIDNEXT"), capabilities(noise.as_bytes()));
        });
    }

    #[test]
    fn folders_are_listed_and_opened() {
        let data = b"* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST (\\Noselect) \"/\" \"[Gmail]\"\r\n* LIST () NIL {5}\r\na\"b\\c\r\n* LIST () \".\" \"q\\\"\\\\\"\r\n* LIST () \"/\" R\xc3\xbcck\r\n* LIST () \"/\" [Gmail]/x\r\n";
        let got = listed(data);
        let names: Vec<_> = got.iter().map(|(name, open, _)| (name.as_str(), *open)).collect();
        assert_eq!(
            names,
            [
                ("INBOX", true),
                ("[Gmail]", false),
                ("a\"b\\c", true),
                ("q\"\\", true),
                ("Rück", true),
                ("[Gmail]/x", true)
            ]
        );
        let data = b"* FLAGS (\\Seen)\r\n* NO [ALERT] quota\r\n* 12 EXISTS\r\n* OK [UIDVALIDITY 17] x\r\n* OK [UIDNEXT 44] x\r\na OK [READ-ONLY] x\r\n";
        assert_eq!(examined(data), Examined { exists: 12, uidvalidity: 17, uidnext: Some(44) });
        assert_eq!(status_number(b"* STATUS \"a b\" (MESSAGES 3 UIDNEXT 9)\r\n", "UIDNEXT"), Some(9));
        assert_eq!(capabilities(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n"), ["IMAP4REV1", "AUTH=PLAIN"]);
    }
}
