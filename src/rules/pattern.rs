//! The placeholder language of the rule files: literals with holes, no regular expressions.
//!
//! `{any}` is any text on the line; `{addr}` `{host}` `{ip}` `{num}` `{id}` `{reply}` `{status}` `{command}` take only the
//! characters such a thing is made of; `{text}` is the rest, and is what a format wants to keep. Literals are compared
//! without regard to ASCII case. Invariant: matching is linear in the text; what an open hole looked for once is not
//! looked for again ([`Ahead`]), and the other holes reach at most [`MAX_REACH`] bytes.

use crate::stdx;

/// Bytes a hole takes at most, the open ones (`{any}`, `{text}`) aside.
const MAX_REACH: usize = 1024;
/// Open holes a pattern may have.
const MAX_OPEN: usize = 4;

/// A hole of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hole {
    /// Any text.
    Any,
    /// A mail address, brackets allowed round it.
    Addr,
    /// A host name, or an address literal.
    Host,
    /// An IPv4 or IPv6 address.
    Ip,
    /// Digits.
    Num,
    /// Letters, digits and `-`.
    Id,
    /// Three digits.
    Reply,
    /// `class.subject.detail`.
    Status,
    /// An SMTP command.
    Command,
    /// Any text, kept.
    Text,
}

const HOLES: &[(&str, Hole)] = &[
    ("any", Hole::Any),
    ("addr", Hole::Addr),
    ("host", Hole::Host),
    ("ip", Hole::Ip),
    ("num", Hole::Num),
    ("id", Hole::Id),
    ("reply", Hole::Reply),
    ("status", Hole::Status),
    ("command", Hole::Command),
    ("text", Hole::Text),
];

impl Hole {
    fn takes(self, c: char) -> bool {
        match self {
            Self::Any | Self::Text => true,
            Self::Addr => !c.is_whitespace() && !matches!(c, '<' | '>' | ',' | ';' | '(' | ')'),
            Self::Host => {
                c.is_ascii_alphanumeric()
                    || matches!(c, '.' | '-' | '_' | ':' | '[' | ']')
                    || !c.is_ascii() && c.is_alphanumeric()
            }
            Self::Ip => c.is_ascii_hexdigit() || matches!(c, '.' | ':'),
            Self::Num | Self::Reply => c.is_ascii_digit(),
            Self::Id => c.is_ascii_alphanumeric() || c == '-',
            Self::Status => c.is_ascii_digit() || c == '.',
            Self::Command => c.is_ascii_alphabetic() || c == ' ',
        }
    }

    fn accepts(self, text: &str) -> bool {
        match self {
            Self::Any | Self::Text => true,
            Self::Addr => text.contains('@') && !text.starts_with('@') && !text.ends_with('@'),
            Self::Reply => text.len() == 3,
            Self::Status => text.parse::<crate::model::Status>().is_ok(),
            Self::Ip => text.len() >= 3 && (text.contains('.') || text.contains(':')),
            Self::Host | Self::Num | Self::Id | Self::Command => !text.is_empty(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(Box<str>),
    Hole(Hole),
}

/// A pattern out of a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
    /// Bytes of its literals.
    weight: usize,
}

/// What the holes of a match took, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captures<'t> {
    taken: Vec<(Hole, &'t str)>,
    /// Offset behind the match.
    pub end: usize,
}

impl<'t> Captures<'t> {
    /// What the first hole of this kind took.
    pub fn get(&self, hole: Hole) -> Option<&'t str> {
        self.taken.iter().find(|(kind, _)| *kind == hole).map(|(_, text)| *text)
    }

    /// What the first hole of any of these kinds took.
    pub fn first_of(&self, holes: &[Hole]) -> Option<&'t str> {
        self.taken.iter().find(|(kind, _)| holes.contains(kind)).map(|(_, text)| *text)
    }

    /// What every hole of this kind took.
    pub fn all(&self, hole: Hole) -> impl Iterator<Item = &'t str> + '_ {
        self.taken.iter().filter(move |(kind, _)| *kind == hole).map(|(_, text)| *text)
    }
}

impl Pattern {
    /// Reads a pattern; an unknown hole is an error.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.contains('{') && !text.is_empty() {
            return Ok(Self { pieces: vec![Piece::Literal(text.into())], weight: text.len() });
        }
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            literal.push_str(rest.get(..open).unwrap_or_default());
            let inner = rest.get(open + 1..).unwrap_or_default();
            let Some((name, after)) = inner.split_once('}') else {
                literal.push('{');
                rest = inner;
                continue;
            };
            let hole = HOLES.iter().find(|(known, _)| *known == name);
            let Some((_, hole)) = hole else {
                let simple = name.len() < 12 && name.bytes().all(|b| b.is_ascii_lowercase());
                if simple && !name.is_empty() {
                    return Err(format!(
                        "unknown placeholder {{{name}}}: known are {{any}} {{addr}} {{host}} {{ip}} {{num}} {{id}} {{reply}} {{status}} {{command}} {{text}}"
                    ));
                }
                literal.push('{');
                rest = inner;
                continue;
            };
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal).into()));
            }
            if matches!(pieces.last(), Some(Piece::Hole(_))) {
                return Err(format!("two placeholders without text between them: {text:?}"));
            }
            pieces.push(Piece::Hole(*hole));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.into()));
        }
        let weight = pieces.iter().map(|piece| if let Piece::Literal(text) = piece { text.len() } else { 0 }).sum();
        if pieces.is_empty() {
            return Err("an empty pattern matches everything".to_owned());
        }
        if pieces.iter().filter(|piece| matches!(piece, Piece::Hole(Hole::Any | Hole::Text))).count() > MAX_OPEN {
            return Err(format!("more than {MAX_OPEN} of {{any}} and {{text}} in one pattern"));
        }
        Ok(Self { pieces, weight })
    }

    /// Bytes of its literals: the more, the more specific.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Whether it has no hole.
    pub fn is_literal(&self) -> bool {
        matches!(self.pieces.as_slice(), [Piece::Literal(_)])
    }

    /// Whether its literals are only marks, such as `<{addr}>:`.
    pub fn is_bare(&self) -> bool {
        self.pieces.iter().all(|piece| {
            if let Piece::Literal(text) = piece {
                !text.bytes().any(|b| b.is_ascii_alphabetic()) && text.is_ascii()
            } else {
                true
            }
        })
    }

    /// Its longest literal, by which it is looked for.
    pub fn anchor(&self) -> Option<&str> {
        self.pieces
            .iter()
            .filter_map(|piece| if let Piece::Literal(text) = piece { Some(&**text) } else { None })
            .max_by_key(|text| text.len())
    }

    /// Its first literal with the holes before it.
    fn first_literal(&self) -> Option<(usize, &str)> {
        self.pieces
            .iter()
            .enumerate()
            .find_map(|(at, piece)| if let Piece::Literal(text) = piece { Some((at, &**text)) } else { None })
    }

    /// Finds it anywhere in a text.
    pub fn find<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        let Some((lead, literal)) = self.first_literal() else {
            // nothing but a hole: the text begins with it
            let lead = text.len() - text.trim_start().len();
            let mut captures = Captures::default();
            captures.end = self.rest(0, text, lead, &mut captures, &mut Ahead::default(), false)?;
            return Some(captures);
        };
        let mut ahead = Ahead::default();
        let mut from = 0;
        while let Some(at) = stdx::find_ignore_case(text.as_bytes().get(from..)?, literal.as_bytes()) {
            let at = from + at;
            let mut captures = Captures::default();
            let led = match lead.checked_sub(1).and_then(|index| self.pieces.get(index)) {
                Some(Piece::Hole(hole)) => lead_hole(*hole, text, at, &mut captures),
                _ => true,
            };
            if led && let Some(end) = self.rest(lead, text, at, &mut captures, &mut ahead, false) {
                captures.end = end;
                return Some(captures);
            }
            from = at + 1;
            while !text.is_char_boundary(from) {
                from += 1;
            }
        }
        None
    }

    /// Matches a whole line: from its first character to its last, blanks at the ends aside.
    pub fn line<'t>(&self, line: &'t str) -> Option<Captures<'t>> {
        let line = stdx::trim_text(line);
        // most lines differ from most patterns in the first byte
        if let Some(Piece::Literal(literal)) = self.pieces.first()
            && !stdx::starts_with_ignore_case(line.as_bytes(), literal.as_bytes())
        {
            return None;
        }
        let mut captures = Captures::default();
        let end = self.rest(0, line, 0, &mut captures, &mut Ahead::default(), true)?;
        captures.end = end;
        Some(captures)
    }

    /// Matches the pieces from `piece` on at `at`; `whole`: up to the end of the text.
    fn rest<'t>(
        &self,
        piece: usize,
        text: &'t str,
        mut at: usize,
        captures: &mut Captures<'t>,
        ahead: &mut Ahead,
        whole: bool,
    ) -> Option<usize> {
        let mut index = piece;
        let mut open = 0;
        while let Some(piece) = self.pieces.get(index) {
            match piece {
                Piece::Literal(literal) => {
                    if !stdx::starts_with_ignore_case(text.as_bytes().get(at..)?, literal.as_bytes()) {
                        return None;
                    }
                    at += literal.len();
                }
                Piece::Hole(hole) => {
                    let next = match self.pieces.get(index + 1) {
                        Some(Piece::Literal(literal)) => Some(&**literal),
                        _ => None,
                    };
                    let length = match next {
                        Some(next) if matches!(hole, Hole::Any | Hole::Text) => {
                            open += 1;
                            ahead.find(open - 1, text, at, next)? - at
                        }
                        _ => take(*hole, text.get(at..)?, next, whole)?,
                    };
                    captures.taken.push((*hole, text.get(at..at + length)?));
                    at += length;
                }
            }
            index += 1;
        }
        (!whole || at == text.len()).then_some(at)
    }
}

/// Where the literals behind the open holes were found the last time, in the order of the holes: a pattern is tried at
/// many starts, and from most of them the next such literal is the same one, or there is none.
#[derive(Default)]
struct Ahead([Option<(usize, Option<usize>)>; MAX_OPEN]);

impl Ahead {
    fn find(&mut self, hole: usize, text: &str, at: usize, literal: &str) -> Option<usize> {
        let slot = self.0.get_mut(hole)?;
        if let Some((from, found)) = *slot
            && at >= from
            && found.is_none_or(|found| at <= found)
        {
            return found;
        }
        let found = stdx::find_ignore_case(text.as_bytes().get(at..)?, literal.as_bytes()).map(|found| at + found);
        *slot = Some((at, found));
        found
    }
}

/// Bytes at the start of `text` that a hole may take.
fn reach(hole: Hole, chars: impl Iterator<Item = char>) -> usize {
    let mut length = 0;
    for c in chars.take_while(|c| hole.takes(*c)) {
        length += c.len_utf8();
        if length > MAX_REACH {
            break;
        }
    }
    length
}

/// A hole before the first literal takes what stands in front of it.
fn lead_hole<'t>(hole: Hole, text: &'t str, at: usize, captures: &mut Captures<'t>) -> bool {
    let Some(before) = text.get(..at) else { return false };
    let length = match hole {
        Hole::Any | Hole::Text => before.len(),
        _ => reach(hole, before.chars().rev()),
    };
    let taken = before.get(at - length..).unwrap_or_default();
    captures.taken.push((hole, taken));
    hole.accepts(taken)
}

/// How much a hole takes at the start of `text`, with `next` as the literal behind it; an open hole has none.
fn take(hole: Hole, text: &str, next: Option<&str>, whole: bool) -> Option<usize> {
    let reach = match hole {
        Hole::Any | Hole::Text => text.len(),
        _ => reach(hole, text.chars()),
    };
    let Some(next) = next else {
        let length = if matches!(hole, Hole::Any) && !whole { 0 } else { reach };
        return text.get(..length).filter(|taken| hole.accepts(taken)).map(|_| length);
    };
    // the literal may be made of the hole's own characters ("{host}."): try the longest first
    let mut length = reach;
    loop {
        let rest = text.as_bytes().get(length..)?;
        if stdx::starts_with_ignore_case(rest, next.as_bytes())
            && text.get(..length).is_some_and(|taken| hole.accepts(taken))
        {
            return Some(length);
        }
        length = text.get(..length)?.char_indices().next_back()?.0;
        if reach - length > 256 {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn lines_are_matched_whole() {
        let got = pattern("<{addr}>:{text}");
        assert_eq!(got.line("<a@b.example>:").unwrap().get(Hole::Addr), Some("a@b.example"));
        assert_eq!(got.line("  <a@b.example>: host x said no").unwrap().get(Hole::Text), Some(" host x said no"));
        assert!(got.line("to <a@b.example>:").is_none());
        assert!(pattern("program at {host}.").line("Program at mx.b.example.").is_some());
        assert_eq!(pattern("at {host}.").line("at mx.b.example.").unwrap().get(Hole::Host), Some("mx.b.example"));
    }

    #[test]
    fn phrases_are_found_anywhere() {
        assert!(pattern("user {addr} unknown").find("550 User a@b.example unknown here").is_some());
        assert!(pattern("user {addr} unknown").find("550 User anna unknown").is_none());
        assert!(pattern("blocked using {host}").find("x blocked using zen.lists.example; see").is_some());
        assert_eq!(
            pattern("{addr} does not exist").find("550 a@b.example does not exist").unwrap().get(Hole::Addr),
            Some("a@b.example")
        );
        assert!(pattern("quota{any}exceeded").find("Quota for this box was exceeded").is_some());
    }

    #[test]
    fn mistakes_are_told() {
        assert!(Pattern::parse("{adr} unknown").unwrap_err().contains("unknown placeholder {adr}"));
        assert!(Pattern::parse("{addr}{any}").is_err());
        assert!(Pattern::parse("").is_err());
        assert!(Pattern::parse("{\"json\": 1}").is_ok());
    }
}
