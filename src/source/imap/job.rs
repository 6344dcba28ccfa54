//! The commands that fetch: what is sent, which messages it is about, and what its answer may cost.

use super::Limits;

/// Answers to a scan: some hundred bytes per message are usual.
pub(super) const SCAN: u64 = 8 << 20;
/// Room for one literal beyond what was asked for; some servers round up.
pub(super) const SLACK: u64 = 1 << 20;

/// One command that fetches something of some messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) command: String,
    /// What it does, for error texts.
    pub(super) doing: &'static str,
    /// Most bytes of its answer.
    pub(super) bytes: u64,
    /// UIDs it is about: inclusive ranges, ascending.
    uids: Vec<(u32, u32)>,
}

impl Job {
    /// The header lines of a range of UIDs.
    pub(super) fn headers(low: u32, high: u32, fields: &[&str], dated: bool) -> Self {
        let fields = fields.join(" ");
        let date = if dated { "INTERNALDATE " } else { "" };
        Self {
            command: format!("UID FETCH {low}:{high} (UID {date}BODY.PEEK[HEADER.FIELDS ({fields})])"),
            doing: "read headers",
            bytes: SCAN,
            uids: vec![(low, high)],
        }
    }

    /// The first bytes of some messages.
    pub(super) fn beginnings(uids: &[u32], limits: &Limits) -> Self {
        let (prefix, ranges) = (limits.prefix, ranges(uids));
        Self {
            command: format!("UID FETCH {} (UID RFC822.SIZE INTERNALDATE BODY.PEEK[]<0.{prefix}>)", set(&ranges)),
            doing: "fetch messages",
            bytes: uids.len() as u64 * (u64::from(prefix) + 4096) + SLACK,
            uids: ranges,
        }
    }

    /// The bytes after the first ones.
    pub(super) fn more(uids: &[u32], limits: &Limits) -> Self {
        let (from, to, ranges) = (limits.prefix, limits.prefix_most, ranges(uids));
        let count = to.saturating_sub(from);
        Self {
            command: format!("UID FETCH {} (UID BODY.PEEK[]<{from}.{count}>)", set(&ranges)),
            doing: "fetch messages",
            bytes: uids.len() as u64 * (u64::from(to) + 4096) + SLACK,
            uids: ranges,
        }
    }

    /// Whether it is about this message.
    pub(super) fn is_about(&self, uid: u32) -> bool {
        self.uids.iter().any(|&(low, high)| (low..=high).contains(&uid))
    }
}

/// UIDs as inclusive ranges, ascending.
fn ranges(uids: &[u32]) -> Vec<(u32, u32)> {
    let mut sorted = uids.to_vec();
    sorted.sort_unstable();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in sorted {
        match ranges.last_mut() {
            Some((_, last)) if uid <= last.saturating_add(1) => *last = uid,
            _ => ranges.push((uid, uid)),
        }
    }
    ranges
}

/// Ranges as a sequence set (RFC 3501 section 9).
fn set(ranges: &[(u32, u32)]) -> String {
    let one = |&(low, high): &(u32, u32)| if low == high { low.to_string() } else { format!("{low}:{high}") };
    ranges.iter().map(one).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_short() {
        let set = |uids: &[u32]| super::set(&ranges(uids));
        assert_eq!(set(&[9, 7, 8, 3, 1]), "1,3,7:9");
        assert_eq!(set(&[u32::MAX, u32::MAX, 1]), format!("1,{}", u32::MAX));
        assert_eq!(set(&[]), "");
    }

    #[test]
    fn a_command_knows_its_messages() {
        let job = Job::beginnings(&[9, 7, 8, 3], &Limits::default());
        assert_eq!([2, 3, 4, 6, 7, 9, 10].map(|uid| job.is_about(uid)), [false, true, false, false, true, true, false]);
    }
}
