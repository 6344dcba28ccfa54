//! Which of thousands of literals stand in a text, in one pass.
//!
//! Every literal is entered under two of its runs of four bytes (grams), those fewest others have: one at an even offset,
//! one at an odd one. So it is enough to look at every other gram of a text, and only where one is entered the whole
//! literal is compared. An Aho-Corasick automaton over the same literals takes twenty times as long to build as all else a
//! rule book needs. Invariant: time is bounded by the text times the few literals that share a gram; ASCII case does not
//! matter.

use std::ops::Range;
use std::sync::OnceLock;

/// Bits of the hash of a gram.
const BITS: u32 = 13;
/// Bits of the hash in the filter: more, so that few grams pass it that no literal has.
const FILTER_BITS: u32 = 17;
/// Words of the filter.
const WORDS: usize = 1 << (FILTER_BITS - 6);
/// Bytes of the shortest literal that has a gram at even and at odd offsets.
const SHORTEST: usize = 5;

/// Which owners' literals stand in a text.
#[derive(Debug, Clone, Default)]
pub struct Found(Vec<u64>);

impl Found {
    /// Adds one.
    pub fn insert(&mut self, owner: u32) {
        let slot = owner as usize / 64;
        if slot >= self.0.len() {
            self.0.resize(slot + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(slot) {
            *bits |= 1 << (owner % 64);
        }
    }

    /// Whether this one is among them.
    pub(crate) fn has(&self, owner: u32) -> bool {
        self.0.get(owner as usize / 64).is_some_and(|bits| bits >> (owner % 64) & 1 == 1)
    }
}

/// Literals and who asks for them.
#[derive(Debug, Default)]
pub(crate) struct Matcher {
    /// All literals, one behind the other.
    text: String,
    literals: Vec<Literal>,
    built: OnceLock<Built>,
}

/// Where a literal stands among the others, and the number of who gave it.
#[derive(Debug)]
struct Literal {
    range: Range<usize>,
    owner: u32,
}

#[derive(Debug)]
struct Built {
    /// One bit for every hash that has entries.
    filter: Box<[u64; WORDS]>,
    /// Where the entries of a hash begin.
    first: Vec<u32>,
    entries: Vec<Entry>,
    /// Literals too short for two grams, by their first byte.
    short: Vec<(u8, Vec<u32>)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    gram: u32,
    literal: u32,
    /// Bytes of the literal before its gram.
    before: u32,
}

/// The grams of a text from its first byte on, letters in lower case (and a few marks in one).
fn grams(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.windows(4).map(|window| match *window {
        [a, b, c, d] => u32::from_le_bytes([a, b, c, d]) | 0x2020_2020,
        _ => 0,
    })
}

fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9E37_79B1)
}

/// The slot of a hash.
fn slot(hash: u32) -> usize {
    (hash >> (32 - BITS)) as usize
}

impl Matcher {
    /// Adds a literal for an owner.
    pub(crate) fn add(&mut self, literal: &str, owner: u32) {
        let start = self.text.len();
        self.text.push_str(literal);
        self.literals.push(Literal { range: start..self.text.len(), owner });
    }

    fn bytes_of(&self, literal: &Literal) -> &[u8] {
        self.text.as_bytes().get(literal.range.clone()).unwrap_or_default()
    }

    /// The owners whose literal stands in the text, in ascending order, each once.
    pub(crate) fn owners_in(&self, text: &str) -> Vec<u32> {
        let mut out = Vec::new();
        self.each(text, |owner| out.push(owner));
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Adds the owners whose literal stands in the text.
    pub(crate) fn find(&self, text: &str, found: &mut Found) {
        self.each(text, |owner| found.insert(owner));
    }

    /// Calls `found` with the owner for every occurrence of every literal.
    fn each(&self, text: &str, mut found: impl FnMut(u32)) {
        let built = self.built.get_or_init(|| Built::new(self));
        let bytes = text.as_bytes();
        let mut compare = |number: u32, start: Option<usize>| {
            let Some(literal) = self.literals.get(number as usize) else { return };
            let here = start.and_then(|start| bytes.get(start..start + literal.range.len()));
            if here.is_some_and(|here| here.eq_ignore_ascii_case(self.bytes_of(literal))) {
                found(literal.owner);
            }
        };
        let mut look = |at: usize, gram: u32| {
            let hash = hash(gram);
            if built.may_hold(hash) {
                for entry in built.entries_of(slot(hash)).iter().filter(|entry| entry.gram == gram) {
                    compare(entry.literal, at.checked_sub(entry.before as usize));
                }
            }
        };
        let (mut at, mut rest) = (0, bytes);
        // three grams out of eight bytes at once
        while let Some(eight) = rest.first_chunk::<8>() {
            let eight = u64::from_le_bytes(*eight) | u64::from_le_bytes([0x20; 8]);
            for step in [0, 2, 4] {
                look(at + step, (eight >> (8 * step)) as u32);
            }
            at += 6;
            rest = rest.get(6..).unwrap_or_default();
        }
        for (step, gram) in grams(rest).enumerate().step_by(2) {
            look(at + step, gram);
        }
        for (first, literals) in &built.short {
            for start in memchr::memchr2_iter(*first, first.to_ascii_uppercase(), bytes) {
                literals.iter().for_each(|number| compare(*number, Some(start)));
            }
        }
    }
}

impl Built {
    fn new(matcher: &Matcher) -> Self {
        let literals = &matcher.literals;
        let mut common = vec![0_u16; 1 << BITS];
        for literal in literals {
            for gram in grams(matcher.bytes_of(literal)) {
                if let Some(count) = common.get_mut(slot(hash(gram))) {
                    *count = count.saturating_add(1);
                }
            }
        }
        let mut found: Vec<Entry> = Vec::with_capacity(2 * literals.len());
        let mut short: Vec<(u8, Vec<u32>)> = Vec::new();
        for (number, literal) in (0..).zip(literals) {
            let literal = matcher.bytes_of(literal);
            if literal.len() < SHORTEST {
                let Some(first) = literal.first().map(u8::to_ascii_lowercase) else { continue };
                match short.iter_mut().find(|(known, _)| *known == first) {
                    Some((_, same)) => same.push(number),
                    None => short.push((first, vec![number])),
                }
                continue;
            }
            // the rarest gram at an even offset, and at an odd one
            let mut rarest = [(u16::MAX, Entry::default()); 2];
            for (before, gram) in (0_u32..).zip(grams(literal)) {
                let count = common.get(slot(hash(gram))).copied().unwrap_or_default();
                if let Some(best) = rarest.get_mut(before as usize % 2)
                    && count < best.0
                {
                    *best = (count, Entry { gram, literal: number, before });
                }
            }
            found.extend(rarest.map(|(_, entry)| entry));
        }
        let mut filter = Box::new([0_u64; WORDS]);
        let mut first = vec![0_u32; (1 << BITS) + 1];
        for entry in &found {
            let hash = hash(entry.gram);
            let bit = (hash >> (32 - FILTER_BITS)) as usize;
            if let Some(bits) = filter.get_mut(bit / 64) {
                *bits |= 1 << (bit % 64);
            }
            if let Some(count) = first.get_mut(slot(hash) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for count in &mut first {
            sum += *count;
            *count = sum;
        }
        let mut next = first.clone();
        let mut entries = vec![Entry::default(); found.len()];
        for entry in found {
            if let Some(at) = next.get_mut(slot(hash(entry.gram)))
                && let Some(place) = entries.get_mut(*at as usize)
            {
                *place = entry;
                *at += 1;
            }
        }
        Self { filter, first, entries, short }
    }

    /// Whether a hash has entries; the mask keeps the compiler from checking the bounds at every gram of a text.
    fn may_hold(&self, hash: u32) -> bool {
        let bit = (hash >> (32 - FILTER_BITS)) as usize;
        self.filter[(bit / 64) % WORDS] >> (bit % 64) & 1 == 1
    }

    fn entries_of(&self, slot: usize) -> &[Entry] {
        let start = self.first.get(slot).copied().unwrap_or_default() as usize;
        let end = self.first.get(slot + 1).copied().unwrap_or_default() as usize;
        self.entries.get(start..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Matcher;

    #[test]
    fn every_literal_is_found_wherever_it_stands() {
        let mut matcher = Matcher::default();
        for (number, literal) in
            (0..).zip(["user unknown", "unknown", "full", "550", "Ünknown", "mailbox full", "full"])
        {
            matcher.add(literal, number);
        }
        assert_eq!(matcher.owners_in("550 User UNKNOWN"), [0, 1, 3]);
        assert_eq!(matcher.owners_in("the mailbox FULL"), [2, 5, 6]);
        assert_eq!(matcher.owners_in("Ünknown"), [4]);
        assert_eq!(matcher.owners_in("ful"), Vec::<u32>::new());
        assert_eq!(matcher.owners_in(""), Vec::<u32>::new());
    }

    #[test]
    fn it_agrees_with_plain_search() {
        let literals: Vec<String> =
            (0..400).map(|n| format!("{}{}", ["mail ", "user ", "box is ", ""][n % 4], n * 7919 % 1000)).collect();
        let mut matcher = Matcher::default();
        for (number, literal) in (0..).zip(&literals) {
            matcher.add(literal, number);
        }
        let text = literals.iter().step_by(3).cloned().collect::<Vec<_>>().join("; ");
        let plain: Vec<u32> =
            (0..).zip(&literals).filter(|(_, literal)| text.contains(literal.as_str())).map(|(n, _)| n).collect();
        assert_eq!(matcher.owners_in(&text), plain);
    }
}
