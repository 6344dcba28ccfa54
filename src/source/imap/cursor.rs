//! How far a folder has been read: which UIDs were handed over, under which UIDVALIDITY.
//!
//! Plain data that the store keeps between pulls. A pull goes newest first and may end anywhere, so what was handed
//! over is a set of ranges, not one number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// What has been read of one folder. The default is "nothing".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The folder's UIDVALIDITY; UIDs mean nothing under another one.
    pub uidvalidity: u32,
    /// UIDs handed over: inclusive ranges, ascending, apart from each other.
    #[serde(default)]
    pub done: Vec<(u32, u32)>,
    /// UIDs that could not be read, with the number of pulls that tried.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tries: BTreeMap<u32, u8>,
    /// A pull with a lower bound in time stopped above this UID: nothing at or below it is as new as the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottom: Option<(Timestamp, u32)>,
}

impl Cursor {
    /// The cursor of a folder nobody has read yet.
    pub(super) fn fresh(uidvalidity: u32) -> Self {
        Self { uidvalidity, ..Self::default() }
    }

    /// Marks a range as handed over.
    pub(super) fn mark(&mut self, low: u32, high: u32) {
        if low > high {
            return;
        }
        let (mut low, mut high) = (low, high);
        self.done.retain(|&(a, b)| {
            let apart = b.saturating_add(1) < low || high.saturating_add(1) < a;
            if !apart {
                low = low.min(a);
                high = high.max(b);
            }
            apart
        });
        let at = self.done.partition_point(|&(a, _)| a < low);
        self.done.insert(at, (low, high));
    }

    /// Counts one more failed try of a UID; says how many there were.
    pub(super) fn tried(&mut self, uid: u32) -> u8 {
        let tries = self.tries.entry(uid).or_default();
        *tries = tries.saturating_add(1);
        *tries
    }

    /// What is left to read between `low` and `high`, newest first.
    pub(super) fn open(&self, low: u32, high: u32) -> Vec<(u32, u32)> {
        let mut open = Vec::new();
        let mut top = high;
        for &(a, b) in self.done.iter().rev() {
            if a > top {
                continue;
            }
            if b < low || top < low {
                break;
            }
            if b < top {
                open.push((b + 1, top));
            }
            match a.checked_sub(1) {
                Some(below) => top = below,
                None => return open,
            }
        }
        if low <= top && top > 0 {
            open.push((low.max(1), top));
        }
        open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(done: &[(u32, u32)]) -> Cursor {
        let mut cursor = Cursor::fresh(1);
        for &(a, b) in done {
            cursor.mark(a, b);
        }
        cursor
    }

    #[test]
    fn ranges_join_and_leave_gaps() {
        assert_eq!(with(&[(5, 9), (1, 2), (3, 3)]).done, [(1, 3), (5, 9)]);
        assert_eq!(with(&[(5, 9), (1, 2), (2, 6)]).done, [(1, 9)]);
        assert_eq!(with(&[(u32::MAX, u32::MAX), (1, 1)]).done, [(1, 1), (u32::MAX, u32::MAX)]);
        assert_eq!(with(&[(7, 6)]).done, []);
    }

    #[test]
    fn what_is_open_comes_newest_first() {
        let check = |done: &[(u32, u32)], low, high, want: &[(u32, u32)]| assert_eq!(with(done).open(low, high), want);
        check(&[], 1, 0, &[]);
        check(&[], 1, 10, &[(1, 10)]);
        check(&[(1, 10)], 1, 10, &[]);
        check(&[(4, 6)], 1, 10, &[(7, 10), (1, 3)]);
        check(&[(4, 6)], 5, 10, &[(7, 10)]);
        check(&[(4, 6)], 1, 5, &[(1, 3)]);
        check(&[(1, 3), (9, 12)], 1, 10, &[(4, 8)]);
        check(&[(1, 3), (20, 30)], 2, 10, &[(4, 10)]);
    }

    /// A slow model with a set of numbers agrees.
    #[test]
    fn ranges_agree_with_a_plain_set() {
        use proptest::prelude::*;
        proptest!(|(marks in proptest::collection::vec((1_u32..40, 0_u32..8), 0..12), low in 1_u32..40, span in 0_u32..40)| {
            let mut cursor = Cursor::fresh(1);
            let mut set = std::collections::BTreeSet::new();
            for (a, n) in marks {
                cursor.mark(a, a + n);
                set.extend(a..=a + n);
            }
            let got: Vec<u32> = cursor.open(low, low + span).iter().rev().flat_map(|&(a, b)| a..=b).collect();
            let want: Vec<u32> = (low..=low + span).filter(|uid| !set.contains(uid)).collect();
            prop_assert_eq!(got, want);
            prop_assert!(cursor.done.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        });
    }
}
