//! Answers kept for as long as they may be, within bounds; "no" answers too (RFC 2308).
//!
//! Knows no clock: the caller passes the time. Invariants: never more than the given number of entries, never an entry
//! past its time; lives are clamped so that a zero TTL cannot cause a question per row, nor a huge one stick for ever.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::resolver::Miss;
use super::wire::{Data, Kind, Name};

/// Shortest and longest life of records, in seconds.
const RECORDS: (u32, u32) = (30, 3600);
/// Shortest and longest life of "no such name" and "no such record", in seconds.
const NEGATIVE: (u32, u32) = (30, 900);
/// Life of a failure, in seconds: a dead domain is not asked again for each of its rows (RFC 2308 section 7).
const FAILURE: u32 = 30;

pub(super) type Outcome = Result<Vec<Data>, Miss>;

#[derive(Debug)]
pub(super) struct Cache {
    entries: HashMap<(Name, Kind), (Instant, Outcome)>,
    most: usize,
}

impl Cache {
    pub(super) fn new(most: usize) -> Self {
        Self { entries: HashMap::new(), most }
    }

    pub(super) fn get(&self, name: &Name, kind: Kind, now: Instant) -> Option<Outcome> {
        let (until, outcome) = self.entries.get(&(name.clone(), kind))?;
        (now < *until).then(|| outcome.clone())
    }

    /// Keeps an outcome; `ttl` in seconds as the server said, `None` when it said nothing.
    pub(super) fn put(&mut self, name: Name, kind: Kind, outcome: &Outcome, ttl: Option<u32>, now: Instant) {
        let Some(seconds) = life(outcome, ttl) else { return };
        if self.most == 0 {
            return;
        }
        if self.entries.len() >= self.most {
            self.entries.retain(|_, (until, _)| now < *until);
        }
        if self.entries.len() >= self.most {
            let first = self.entries.iter().min_by_key(|(_, (until, _))| *until).map(|(key, _)| key.clone());
            first.and_then(|key| self.entries.remove(&key));
        }
        let until = now + Duration::from_secs(u64::from(seconds));
        self.entries.insert((name, kind), (until, outcome.clone()));
    }
}

/// Seconds an outcome may be kept; `None` when not at all.
fn life(outcome: &Outcome, ttl: Option<u32>) -> Option<u32> {
    match outcome {
        Ok(_) => Some(ttl.unwrap_or(0).clamp(RECORDS.0, RECORDS.1)),
        // Without an SOA record a "no" must not be kept (RFC 2308 section 5).
        Err(Miss::NoData | Miss::NoDomain) => ttl.map(|ttl| ttl.clamp(NEGATIVE.0, NEGATIVE.1)),
        Err(Miss::ServerFailure | Miss::Timeout) => Some(FAILURE),
        Err(Miss::Refused | Miss::Offline | Miss::Cancelled | Miss::BadName) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Cache, Kind, Miss, Name, Outcome};

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn lives_are_clamped() {
        let records: Outcome = Ok(Vec::new());
        for (outcome, ttl, want) in [
            (records.clone(), Some(0), Some(30)),
            (records.clone(), Some(300), Some(300)),
            (records, Some(u32::MAX), Some(3600)),
            (Err(Miss::NoDomain), Some(1), Some(30)),
            (Err(Miss::NoData), Some(86_400), Some(900)),
            (Err(Miss::NoData), None, None),
            (Err(Miss::ServerFailure), None, Some(30)),
            (Err(Miss::Offline), Some(300), None),
        ] {
            let (start, mut cache) = (Instant::now(), Cache::new(8));
            cache.put(name("a.example"), Kind::Mx, &outcome, ttl, start);
            let at = |seconds| cache.get(&name("a.example"), Kind::Mx, start + Duration::from_secs(seconds)).is_some();
            match want {
                Some(seconds) => assert!(at(seconds - 1) && !at(seconds), "{outcome:?} {ttl:?}"),
                None => assert!(!at(0), "{outcome:?} {ttl:?}"),
            }
        }
    }

    #[test]
    fn the_cache_stays_within_its_bound_and_drops_what_ends_first() {
        let (now, mut cache) = (Instant::now(), Cache::new(3));
        for (host, ttl) in [("a.example", 100), ("b.example", 50), ("c.example", 200), ("d.example", 60)] {
            cache.put(name(host), Kind::A, &Ok(Vec::new()), Some(ttl), now);
        }
        assert_eq!(cache.entries.len(), 3);
        assert!(cache.get(&name("b.example"), Kind::A, now).is_none());
        assert!(cache.get(&name("d.example"), Kind::A, now).is_some());
        assert!(cache.get(&name("d.example"), Kind::Aaaa, now).is_none(), "types are kept apart");
    }
}
