//! Which of thousands of literals stand in a text, in one pass.
//!
//! Every literal is entered under one of its runs of four bytes (a gram), the one fewest others have; the text is read
//! once, gram by gram, and only where a gram is entered the whole literal is compared. An Aho-Corasick automaton over the
//! same literals takes twenty times as long to build as all else a rule book needs. Invariant: time is bounded by the
//! text times the few literals that share a gram; ASCII case does not matter.

use std::sync::OnceLock;

/// Bits of the hash of a gram.
const BITS: u32 = 15;
/// Words of the filter.
const WORDS: usize = 1 << (BITS - 6);

/// Which owners' literals stand in a text.
#[derive(Debug, Clone, Default)]
pub struct Found(Vec<u64>);

impl Found {
    fn insert(&mut self, owner: u32) {
        let slot = owner as usize / 64;
        if slot >= self.0.len() {
            self.0.resize(slot + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(slot) {
            *bits |= 1 << (owner % 64);
        }
    }

    /// Whether any of these is among them.
    pub(crate) fn any(&self, owners: &[u32]) -> bool {
        owners.iter().any(|owner| self.0.get(*owner as usize / 64).is_some_and(|bits| bits >> (owner % 64) & 1 == 1))
    }
}

/// Literals and who asks for them.
#[derive(Debug, Default)]
pub(crate) struct Matcher {
    /// Each with the number of who gave it.
    literals: Vec<(Box<str>, u32)>,
    built: OnceLock<Built>,
}

#[derive(Debug)]
struct Built {
    /// One bit for every hash that has entries.
    filter: Box<[u64; WORDS]>,
    /// Where the entries of a hash begin.
    first: Vec<u32>,
    entries: Vec<Entry>,
    /// Literals shorter than a gram.
    short: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    gram: u32,
    literal: u32,
    /// Bytes of the literal before its gram.
    before: u32,
}

/// The slot of a gram.
fn slot(gram: u32) -> usize {
    (gram.wrapping_mul(0x9E37_79B1) >> (32 - BITS)) as usize
}

/// The grams of a text in lower case, each with the offset behind it.
fn grams(bytes: &[u8]) -> impl Iterator<Item = (usize, u32)> + '_ {
    let mut gram = 0_u32;
    bytes.iter().enumerate().filter_map(move |(at, byte)| {
        gram = (gram << 8) | u32::from(byte.to_ascii_lowercase());
        (at >= 3).then_some((at + 1, gram))
    })
}

impl Matcher {
    /// Adds a literal for an owner.
    pub(crate) fn add(&mut self, literal: &str, owner: u32) {
        self.literals.push((literal.into(), owner));
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
        let built = self.built.get_or_init(|| Built::new(&self.literals));
        let bytes = text.as_bytes();
        let mut gram = 0_u32;
        for (at, byte) in bytes.iter().enumerate() {
            gram = (gram << 8) | u32::from(byte.to_ascii_lowercase());
            let slot = slot(gram);
            if !built.may_hold(slot) || at < 3 {
                continue;
            }
            for entry in built.entries_of(slot).iter().filter(|entry| entry.gram == gram) {
                let Some((literal, owner)) = self.literals.get(entry.literal as usize) else { continue };
                let start = (at - 3).checked_sub(entry.before as usize);
                let here = start.and_then(|start| bytes.get(start..start + literal.len()));
                if here.is_some_and(|here| here.eq_ignore_ascii_case(literal.as_bytes())) {
                    found(*owner);
                }
            }
        }
        for (literal, owner) in built.short.iter().filter_map(|number| self.literals.get(*number as usize)) {
            if crate::stdx::find_ignore_case(bytes, literal.as_bytes()).is_some() {
                found(*owner);
            }
        }
    }
}

impl Built {
    fn new(literals: &[(Box<str>, u32)]) -> Self {
        let slots = 1_usize << BITS;
        let mut common = vec![0_u16; slots];
        for (literal, _) in literals {
            for (_, gram) in grams(literal.as_bytes()) {
                if let Some(count) = common.get_mut(slot(gram)) {
                    *count = count.saturating_add(1);
                }
            }
        }
        let mut entries: Vec<Entry> = Vec::with_capacity(literals.len());
        let mut short = Vec::new();
        for (number, (literal, _)) in (0..).zip(literals) {
            let rarest =
                grams(literal.as_bytes()).min_by_key(|(_, gram)| common.get(slot(*gram)).copied().unwrap_or_default());
            match rarest {
                Some((end, gram)) => {
                    entries.push(Entry { gram, literal: number, before: u32::try_from(end - 4).unwrap_or(u32::MAX) })
                }
                None => short.push(number),
            }
        }
        entries.sort_unstable_by_key(|entry| (slot(entry.gram), entry.literal));
        let mut filter = Box::new([0_u64; WORDS]);
        let mut first = vec![0_u32; slots + 1];
        for entry in &entries {
            let slot = slot(entry.gram);
            if let Some(bits) = filter.get_mut(slot / 64) {
                *bits |= 1 << (slot % 64);
            }
            if let Some(count) = first.get_mut(slot + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for count in &mut first {
            sum += *count;
            *count = sum;
        }
        Self { filter, first, entries, short }
    }

    /// Whether a slot has entries; the mask keeps the compiler from checking the bounds at every byte of a text.
    fn may_hold(&self, slot: usize) -> bool {
        self.filter[(slot / 64) % WORDS] >> (slot % 64) & 1 == 1
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
