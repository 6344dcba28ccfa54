//! One automaton over all literals: which of thousands of wordings stand in a text, in one pass.
//!
//! The only user of `aho_corasick`. Every pattern is represented by its longest literal; a hit is a candidate that the
//! caller confirms. Invariant: a text is scanned once, whatever the number of patterns.

use std::collections::HashMap;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// Literals and who asks for them.
#[derive(Debug, Default)]
pub(crate) struct Automaton {
    literals: Vec<Box<str>>,
    /// For each literal, the numbers of those who gave it.
    owners: Vec<Vec<u32>>,
    index: HashMap<Box<str>, usize>,
    built: OnceLock<Option<AhoCorasick>>,
}

impl Automaton {
    /// Adds a literal for an owner.
    pub(crate) fn add(&mut self, literal: &str, owner: u32) {
        let key: Box<str> = literal.to_ascii_lowercase().into();
        let next = self.literals.len();
        let slot = *self.index.entry(key.clone()).or_insert(next);
        if slot == next {
            self.literals.push(key);
            self.owners.push(Vec::new());
        }
        if let Some(owners) = self.owners.get_mut(slot)
            && owners.last() != Some(&owner)
        {
            owners.push(owner);
        }
    }

    /// The owners whose literal stands in the text, in ascending order, each once.
    pub(crate) fn owners_in(&self, text: &str) -> Vec<u32> {
        let mut out = Vec::new();
        self.each(text, |owner, _| out.push(owner));
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Calls `found` with owner and end offset of every occurrence.
    pub(crate) fn each(&self, text: &str, mut found: impl FnMut(u32, usize)) {
        let Some(automaton) = self.automaton() else { return };
        for hit in automaton.find_overlapping_iter(text) {
            for owner in self.owners.get(hit.pattern().as_usize()).into_iter().flatten() {
                found(*owner, hit.end());
            }
        }
    }

    fn automaton(&self) -> Option<&AhoCorasick> {
        self.built
            .get_or_init(|| {
                if self.literals.is_empty() {
                    return None;
                }
                // only fails beyond 2^31 states; the rule files are far below, and then nothing matches
                AhoCorasick::builder()
                    .ascii_case_insensitive(true)
                    .match_kind(MatchKind::Standard)
                    .kind(Some(AhoCorasickKind::ContiguousNFA))
                    .build(self.literals.iter().map(|text| text.as_bytes()))
                    .ok()
            })
            .as_ref()
    }
}
