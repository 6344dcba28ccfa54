//! DNS messages on the wire: writes one question, reads what matters of an answer (RFC 1035 section 4, RFC 6891).
//!
//! Reads only the record types this program asks for and steps over all others, so that a strange record never costs
//! the whole answer. Knows nothing of sockets. Invariants: never reads outside the message, compression pointers only
//! lead backwards, names stay within 255 octets, sections within [`MOST_RECORDS`]; names and texts are handed out in
//! presentation format (RFC 1035 section 5.1), thus printable ASCII.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Records of one section that are read at most; an answer that claims more is refused.
const MOST_RECORDS: u16 = 512;
/// Octets of one TXT record that are kept.
const MOST_TEXT: usize = 8192;
/// UDP size we announce: fits every path without fragments (DNS flag day 2020).
pub(super) const UDP_SIZE: u16 = 1232;

pub(super) const NXDOMAIN: u16 = 3;
pub(super) const REFUSED: u16 = 5;
pub(super) const FORMERR: u16 = 1;
pub(super) const NOTIMP: u16 = 4;

const OPT: u16 = 41;
const SOA: u16 = 6;
const NS: u16 = 2;
const INTERNET: u16 = 1;

/// The record types asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    A = 1,
    Cname = 5,
    Mx = 15,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
}

/// A domain name in lower case, labels joined by dots, no dot at the end; the root is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name(String);

impl Name {
    /// Reads a name as people write it; other scripts become A-labels (IDNA). `None` when no host or service
    /// could be called so.
    pub(super) fn new(text: &str) -> Option<Self> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let ascii = if text.is_ascii() { text.to_ascii_lowercase() } else { idna::domain_to_ascii(text).ok()? };
        let fits = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        (ascii.len() <= 253 && ascii.split('.').all(fits)).then_some(Self(ascii))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The labels on the wire, the final zero included. A name that was read from an answer may hold escapes; it is
    /// asked again only when it is plain.
    fn wire(&self, flip: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() + 2);
        let mut letters = 0u32;
        for label in self.0.split('.').filter(|label| !label.is_empty()) {
            out.push(u8::try_from(label.len()).unwrap_or(63));
            for byte in label.bytes() {
                let upper = byte.is_ascii_lowercase() && flip.rotate_right(letters) & 1 == 1;
                letters = letters.wrapping_add(u32::from(byte.is_ascii_lowercase()));
                out.push(if upper { byte.to_ascii_uppercase() } else { byte });
            }
        }
        out.push(0);
        out
    }
}

/// What one record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Cname(Name),
    Mx(u16, Name),
    Txt(String),
    Srv { priority: u16, weight: u16, port: u16, target: Name },
}

/// One record of the answer section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub owner: Name,
    pub kind: Kind,
    /// Seconds.
    pub ttl: u32,
    pub data: Data,
}

/// One question, ready to be sent: its id and the case of its letters are what an answer must repeat.
#[derive(Debug, Clone)]
pub(super) struct Query {
    id: u16,
    name: Vec<u8>,
    kind: Kind,
    /// Whether the EDNS record is added; some old servers choke on it.
    pub edns: bool,
}

impl Query {
    /// Puts the question of an answer into the letters' case that was asked; for answers that cannot be forged.
    pub(super) fn restore_case(&self, answer: &mut [u8]) {
        if let Some(asked) = answer.get_mut(12..12 + self.name.len()) {
            asked.copy_from_slice(&self.name);
        }
    }

    /// `random` is spent on the id (16 bits) and on the letters' case ("0x20", 48 bits).
    pub(super) fn new(name: &Name, kind: Kind, random: u64) -> Self {
        let id = u16::try_from(random & 0xffff).unwrap_or_default();
        Self { id, name: name.wire(random >> 16), kind, edns: true }
    }

    /// The same question without EDNS.
    pub(super) fn plain(&self) -> Self {
        Self { edns: false, ..self.clone() }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.name.len() + 27);
        out.extend(self.id.to_be_bytes());
        out.extend([1, 0]); // a standard query, recursion desired
        for count in [1, 0, 0, u16::from(self.edns)] {
            out.extend(count.to_be_bytes());
        }
        out.extend(&self.name);
        out.extend((self.kind as u16).to_be_bytes());
        out.extend(INTERNET.to_be_bytes());
        if self.edns {
            out.push(0);
            out.extend(OPT.to_be_bytes());
            out.extend(UDP_SIZE.to_be_bytes());
            out.extend([0; 6]);
        }
        out
    }
}

/// How a message relates to the question that was asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Not an answer to this question at all: another id, another name, no answer.
    Stranger,
    /// The right question but other letters' case: a forwarder that rewrites names, or a guess by someone else.
    OtherCase,
    /// Ours, and cut short: ask again by TCP.
    Truncated,
    /// Ours, but not readable.
    Broken,
    /// Ours.
    Good(Message),
}

/// The useful part of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// With the upper bits of EDNS.
    pub rcode: u16,
    pub answers: Vec<Record>,
    /// Seconds a "no" may be kept (RFC 2308 section 5), from the SOA record.
    pub negative_ttl: Option<u32>,
    /// Only points to other servers: the sender does not recurse for us.
    pub referral: bool,
}

/// Reads a message that arrived for `query`.
pub(super) fn read(query: &Query, bytes: &[u8]) -> Fit {
    let mut at = Cursor { bytes, at: 0 };
    let Some(head) = at.header() else { return Fit::Stranger };
    let response = head.flags & 0x8000 != 0 && head.flags & 0x7800 == 0;
    if head.id != query.id || !response {
        return Fit::Stranger;
    }
    let rcode = head.flags & 0xf;
    if head.counts[0] == 0 && rcode != 0 && rcode != NXDOMAIN {
        // Servers that could not read the question do not repeat it. This can only fail one try, never invent records.
        return Fit::Good(Message { rcode, ..Message::default() });
    }
    let same = query.name.len();
    let Some(asked) = bytes.get(at.at..at.at + same) else { return Fit::Stranger };
    at.at += same;
    let kind = (at.u16(), at.u16());
    if head.counts[0] != 1
        || !asked.eq_ignore_ascii_case(&query.name)
        || kind != (Some(query.kind as u16), Some(INTERNET))
    {
        return Fit::Stranger;
    }
    if asked != query.name {
        return Fit::OtherCase;
    }
    if head.flags & 0x0200 != 0 {
        return Fit::Truncated;
    }
    at.message(&head).map_or(Fit::Broken, Fit::Good)
}

struct Header {
    id: u16,
    flags: u16,
    counts: [u16; 4],
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A record before its content is read.
struct Raw {
    owner: Name,
    kind: u16,
    class: u16,
    ttl: u32,
    end: usize,
}

impl Cursor<'_> {
    fn u8(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) << 16 | u32::from(self.u16()?))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.bytes.get(self.at..self.at + N)?.try_into().ok()?;
        self.at += N;
        Some(taken)
    }

    fn header(&mut self) -> Option<Header> {
        let (id, flags) = (self.u16()?, self.u16()?);
        Some(Header { id, flags, counts: [self.u16()?, self.u16()?, self.u16()?, self.u16()?] })
    }

    fn message(&mut self, head: &Header) -> Option<Message> {
        let [_, answers, authority, additional] = head.counts;
        if answers > MOST_RECORDS || authority > MOST_RECORDS || additional > MOST_RECORDS {
            return None;
        }
        let mut message = Message { rcode: head.flags & 0xf, ..Message::default() };
        for _ in 0..answers {
            let raw = self.record()?;
            message.answers.extend(self.known(&raw)?);
            self.at = raw.end;
        }
        let mut delegates = false;
        for _ in 0..authority {
            let raw = self.record()?;
            delegates |= raw.kind == NS;
            if raw.kind == SOA && raw.class == INTERNET {
                let (_, _) = (self.name()?, self.name()?);
                self.at = self.at.checked_add(16)?; // serial, refresh, retry, expire
                message.negative_ttl = Some(self.u32()?.min(raw.ttl));
            }
            self.at = raw.end;
        }
        // Neither authoritative nor willing to recurse, and nothing but delegations.
        let helpless = head.flags & 0x0480 == 0;
        message.referral = helpless && delegates && message.negative_ttl.is_none() && message.answers.is_empty();
        for _ in 0..additional {
            let Some(raw) = self.record() else { break }; // not needed for the answer
            if raw.kind == OPT {
                message.rcode |= u16::try_from(raw.ttl >> 24).unwrap_or_default() << 4;
            }
            self.at = raw.end;
        }
        Some(message)
    }

    /// The fixed part of a record; leaves the cursor at its content, which lies inside the message.
    fn record(&mut self) -> Option<Raw> {
        let owner = self.name()?;
        let (kind, class, ttl) = (self.u16()?, self.u16()?, self.u32()?);
        let length = self.u16()?;
        let end = self.at.checked_add(usize::from(length)).filter(|&end| end <= self.bytes.len())?;
        // RFC 2181 section 8: a set top bit means zero. In OPT the field is no TTL.
        let ttl = if kind != OPT && ttl > i32::MAX.unsigned_abs() { 0 } else { ttl };
        Some(Raw { owner, kind, class, ttl, end })
    }

    /// Content of a type we ask for; `None` when it is broken, an empty answer when it is another type.
    fn known(&mut self, raw: &Raw) -> Option<Option<Record>> {
        if raw.class != INTERNET {
            return Some(None);
        }
        let (kind, data) = match raw.kind {
            1 => (Kind::A, Data::A(Ipv4Addr::from(self.array::<4>()?))),
            28 => (Kind::Aaaa, Data::Aaaa(Ipv6Addr::from(self.array::<16>()?))),
            5 => (Kind::Cname, Data::Cname(self.name()?)),
            15 => (Kind::Mx, Data::Mx(self.u16()?, self.name()?)),
            16 => (Kind::Txt, Data::Txt(self.text(raw.end)?)),
            33 => {
                let (priority, weight, port) = (self.u16()?, self.u16()?, self.u16()?);
                (Kind::Srv, Data::Srv { priority, weight, port, target: self.name()? })
            }
            _ => return Some(None),
        };
        (self.at == raw.end).then(|| Some(Record { owner: raw.owner.clone(), kind, ttl: raw.ttl, data }))
    }

    /// The strings of a TXT record joined without a gap, as SPF, DKIM and DMARC want them (RFC 7208 section 3.3).
    fn text(&mut self, end: usize) -> Option<String> {
        let mut out = String::new();
        while self.at < end {
            let length = usize::from(self.u8()?);
            let piece = self.bytes.get(self.at..self.at + length).filter(|_| self.at + length <= end)?;
            let room = MOST_TEXT.saturating_sub(out.len());
            piece.iter().take(room).for_each(|&byte| escape(byte, false, &mut out));
            self.at += length;
        }
        Some(out)
    }

    fn name(&mut self) -> Option<Name> {
        let mut out = String::new();
        let (mut at, mut after, mut floor, mut octets) = (self.at, None, self.at, 1usize);
        loop {
            let length = usize::from(*self.bytes.get(at)?);
            match length {
                0 => break,
                1..64 => {
                    octets += length + 1;
                    if octets > 255 {
                        return None;
                    }
                    if !out.is_empty() {
                        out.push('.');
                    }
                    let label = self.bytes.get(at + 1..at + 1 + length)?;
                    label.iter().for_each(|byte| escape(byte.to_ascii_lowercase(), true, &mut out));
                    at += length + 1;
                }
                192.. => {
                    let target = (length & 0x3f) << 8 | usize::from(*self.bytes.get(at + 1)?);
                    after.get_or_insert(at + 2);
                    // Strictly backwards: no loop is possible.
                    if target >= floor {
                        return None;
                    }
                    (at, floor) = (target, target);
                }
                _ => return None,
            }
        }
        self.at = after.unwrap_or(at + 1);
        Some(Name(out))
    }
}

/// One octet in presentation format; in a label the dot is escaped too.
fn escape(byte: u8, label: bool, out: &mut String) {
    match byte {
        b'.' if label => out.push_str("\\."),
        b'\\' if label => out.push_str("\\\\"),
        b' ' if label => out.push_str("\\032"),
        b' '..=b'~' => out.push(char::from(byte)),
        _ => {
            out.push('\\');
            out.push_str(&format!("{byte:03}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Fit, Kind, Name, Query, read};

    fn query() -> Query {
        Query::new(&Name::new("example.org").unwrap(), Kind::Mx, 0x1234_5678_9abc_def0)
    }

    /// The question turned into an answer head with these counts, followed by `rest`.
    fn reply(counts: [u16; 3], rest: &[u8]) -> Vec<u8> {
        let asked = query().plain().bytes();
        let mut out = asked[..2].to_vec();
        out.extend([0x81, 0x80, 0, 1]);
        counts.iter().for_each(|count| out.extend(count.to_be_bytes()));
        out.extend(&asked[12..]);
        out.extend(rest);
        out
    }

    #[test]
    fn names_are_checked_and_become_a_labels() {
        for (text, want) in [
            ("Example.ORG.", Some("example.org")),
            ("_imaps._tcp.example.org", Some("_imaps._tcp.example.org")),
            ("b\u{fc}cher.example", Some("xn--bcher-kva.example")),
            ("a..example", None),
            ("", None),
            ("a b.example", None),
            ("a\\.example", None),
        ] {
            assert_eq!(Name::new(text).as_ref().map(Name::as_str), want, "{text:?}");
        }
        assert!(Name::new(&"a".repeat(64)).is_none());
        assert!(Name::new(&vec!["a"; 127].join(".")).is_some());
        assert!(Name::new(&vec!["a"; 128].join(".")).is_none());
    }

    #[test]
    fn a_pointer_that_does_not_lead_backwards_is_refused() {
        let own = 12 + 13 + 4; // where the first record starts
        for target in [own, own + 1, 0x3fff] {
            let pointer = (0xc000 | u16::try_from(target).unwrap()).to_be_bytes();
            let mut rest = pointer.to_vec();
            rest.extend([0, 15, 0, 1, 0, 0, 0, 60, 0, 4, 0, 10, 0xc0, 12]);
            assert_eq!(read(&query(), &reply([1, 0, 0], &rest)), Fit::Broken, "{target}");
        }
        let good = [0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 60, 0, 4, 0, 10, 0xc0, 12];
        let Fit::Good(message) = read(&query(), &reply([1, 0, 0], &good)) else { panic!("not read") };
        assert_eq!(message.answers.len(), 1);
    }

    #[test]
    fn a_name_over_255_octets_built_of_pointers_is_refused() {
        // Owner of each record: one 63-octet label and a pointer to the previous owner.
        let mut rest = Vec::new();
        let mut previous = 12u16;
        for _ in 0..5 {
            let here = 12 + 13 + 4 + u16::try_from(rest.len()).unwrap();
            rest.push(63);
            rest.extend([b'a'; 63]);
            rest.extend((0xc000 | previous).to_be_bytes());
            rest.extend([0, 99, 0, 1, 0, 0, 0, 60, 0, 0]);
            previous = here;
        }
        assert!(matches!(read(&query(), &reply([3, 0, 0], &rest)), Fit::Good(_)));
        assert_eq!(read(&query(), &reply([5, 0, 0], &rest)), Fit::Broken);
    }

    #[test]
    fn counts_that_the_message_cannot_hold_are_refused() {
        assert_eq!(read(&query(), &reply([65_535, 0, 0], &[])), Fit::Broken);
        assert_eq!(read(&query(), &reply([1, 0, 0], &[])), Fit::Broken);
        assert!(matches!(read(&query(), &reply([0, 0, 3], &[])), Fit::Good(_)), "additional records are not needed");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(counts in any::<[u8; 3]>(), rest in proptest::collection::vec(any::<u8>(), 0..600)) {
            let message = reply(counts.map(u16::from), &rest);
            if let Fit::Good(message) = read(&query(), &message) {
                for record in message.answers {
                    prop_assert!(record.owner.as_str().bytes().all(|b| b.is_ascii_graphic()));
                    prop_assert!(record.owner.as_str().len() <= 4 * 255);
                }
            }
            let _ = read(&query(), &rest);
        }

        #[test]
        fn pointer_heavy_bytes_are_survived(pieces in proptest::collection::vec((0u8..4, any::<u8>()), 0..400)) {
            let rest: Vec<u8> = pieces.iter().flat_map(|&(high, low)| [0xc0 | (high & 1), low & 0x7f]).collect();
            let _ = read(&query(), &reply([40, 40, 40], &rest));
        }
    }
}
