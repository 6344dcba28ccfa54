//! Domains with counts, found exactly by hash and nearly by length and letters.
//!
//! Owns the two indexes. Knows nothing of what the counts mean.
//! Invariant: an entry is never removed and its place never changes; names are in lower case.

use std::collections::HashMap;

/// Longest domain kept, in characters (RFC 1035 section 2.3.4).
const LONGEST: usize = 253;

/// A domain and how often it was seen.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: Box<str>,
    pub(super) count: u32,
}

/// Letters used by a name and where it stands; what the scan for near names reads.
#[derive(Debug, Clone, Copy)]
struct Print {
    letters: u64,
    at: u32,
}

/// Domains with counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    entries: Vec<Entry>,
    by_name: HashMap<Box<str>, u32>,
    by_length: Vec<Vec<Print>>,
}

/// One bit for each letter, digit, dot and hyphen; other characters share the remaining bits.
fn letters(name: &str) -> u64 {
    name.chars().fold(0, |bits, c| {
        let bit = match c {
            'a'..='z' => u32::from(c) - u32::from('a'),
            '0'..='9' => 26 + u32::from(c) - u32::from('0'),
            '.' => 36,
            '-' => 37,
            _ => 38 + u32::from(c) % 26,
        };
        bits | 1 << bit
    })
}

impl Table {
    /// Adds to the count of a name; names longer than a domain can be are ignored. Returns its place.
    pub(super) fn add(&mut self, name: &str, count: u32) -> Option<u32> {
        if let Some(&at) = self.by_name.get(name) {
            let entry = self.entries.get_mut(at as usize)?;
            entry.count = entry.count.saturating_add(count);
            return Some(at);
        }
        let length = name.chars().count();
        if length > LONGEST {
            return None;
        }
        let at = u32::try_from(self.entries.len()).ok()?;
        self.entries.push(Entry { name: name.into(), count });
        self.by_name.insert(name.into(), at);
        if self.by_length.len() <= length {
            self.by_length.resize_with(length + 1, Vec::new);
        }
        if let Some(bucket) = self.by_length.get_mut(length) {
            bucket.push(Print { letters: letters(name), at });
        }
        Some(at)
    }

    /// The count of a name.
    pub(super) fn get(&self, name: &str) -> Option<u32> {
        let at = self.place(name)?;
        self.entries.get(at as usize).map(|entry| entry.count)
    }

    /// The place of a name.
    pub(super) fn place(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// Names whose length and letters allow at most two edits from this one; the caller measures.
    pub(super) fn near<'t>(&'t self, name: &str) -> impl Iterator<Item = &'t Entry> {
        let bits = letters(name);
        let length = name.chars().count();
        let buckets = self.by_length.iter().take(length + 3).skip(length.saturating_sub(2));
        buckets
            .flatten()
            .filter(move |print| (print.letters ^ bits).count_ones() <= 4)
            .filter_map(|print| self.entries.get(print.at as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn near_names_are_found_and_far_ones_left_out() {
        let mut table = Table::default();
        for name in ["gmail.com", "outlook.com", "web.de"] {
            table.add(name, 1);
        }
        let near = |name: &str| table.near(name).map(|entry| entry.name.to_string()).collect::<Vec<_>>();
        assert_eq!(near("gnial.com"), ["gmail.com"]);
        assert_eq!(near("gmailcom"), ["gmail.com"]);
        assert_eq!(near("unrelated.example"), Vec::<String>::new());
    }

    #[test]
    fn counts_add_up() {
        let mut table = Table::default();
        table.add("a.example", 2);
        table.add("a.example", 3);
        assert_eq!((table.get("a.example"), table.entries.len()), (Some(5), 1));
    }
}
