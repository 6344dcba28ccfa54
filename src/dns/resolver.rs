//! Asks the configured name servers: tries, order, aliases (CNAME), cache. One look-up never outlives its deadline.
//!
//! Knows the records this program needs and nothing of what they mean for mail. Invariants: only records that belong
//! to the name asked, or to the end of its alias chain, are handed out; "no such name" (NXDOMAIN), "no such record"
//! (NODATA, RFC 2308) and every kind of failure stay apart.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::cache::{Cache, Outcome};
use super::conf::Config;
use super::exchange::{Fault, Limit, ask};
use super::wire::{Data, Kind, Message, NXDOMAIN, Name, Query, REFUSED};

/// Aliases followed in one look-up.
const MOST_ALIASES: usize = 8;
/// No try is shorter, unless the deadline is.
const SHORTEST_TRY: Duration = Duration::from_millis(250);

/// Why a look-up gave no records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Miss {
    /// The name exists, but has no record of this type.
    NoData,
    /// The name does not exist (NXDOMAIN).
    NoDomain,
    /// The name servers of the domain fail: SERVFAIL, unreadable answers, endless aliases.
    ServerFailure,
    /// Our name servers answered nothing before the deadline.
    Timeout,
    /// Our name servers refuse to answer.
    Refused,
    /// Nobody was asked: offline by wish, or no name server can be reached from here.
    Offline,
    /// The caller stopped it.
    Cancelled,
    /// No domain can have this name.
    BadName,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoData => "no such record",
            Self::NoDomain => "no such domain (NXDOMAIN)",
            Self::ServerFailure => "the domain's name servers fail (SERVFAIL)",
            Self::Timeout => "no answer from the name servers in time",
            Self::Refused => "the name servers refuse to answer",
            Self::Offline => "offline: no name server was asked",
            Self::Cancelled => "stopped before there was an answer",
            Self::BadName => "no domain can have this name",
        })
    }
}

impl std::error::Error for Miss {}

/// A mail server of a domain (RFC 5321 section 5.1); host in lower case, empty for the null MX of RFC 7505.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mx {
    /// Lower comes first.
    pub preference: u16,
    /// Printable ASCII without a dot at the end.
    pub host: String,
}

/// Where a service of a domain is (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Srv {
    /// Lower comes first.
    pub priority: u16,
    /// Share among equals; higher is asked more often.
    pub weight: u16,
    /// Printable ASCII without a dot at the end, never empty.
    pub target: String,
    /// TCP or UDP port.
    pub port: u16,
}

/// A stub resolver with a cache; shared between threads by reference.
#[derive(Debug)]
pub struct Resolver {
    config: Config,
    cache: Mutex<Cache>,
    random: RandomState,
    count: AtomicU64,
}

impl Resolver {
    /// A resolver with its own empty cache; opens nothing yet.
    pub fn new(config: Config) -> Self {
        let cache = Mutex::new(Cache::new(config.cache));
        Self { config, cache, random: RandomState::new(), count: AtomicU64::new(0) }
    }

    /// A resolver that never opens a socket; every look-up gives [`Miss::Offline`].
    pub fn offline() -> Self {
        Self::new(Config::offline())
    }

    /// The longest time one look-up takes.
    pub fn deadline(&self) -> Duration {
        self.config.deadline
    }

    /// The mail servers of a domain, best first. `cancel` is asked about every 40 ms.
    ///
    /// # Errors
    /// A [`Miss`]; [`Miss::NoData`] when the domain exists without MX records.
    pub fn mx(&self, domain: &str, cancel: &dyn Fn() -> bool) -> Result<Vec<Mx>, Miss> {
        let records = self.look_up(domain, Kind::Mx, self.limit(cancel))?;
        let mut all: Vec<Mx> = records
            .into_iter()
            .filter_map(|data| match data {
                Data::Mx(preference, host) => Some(Mx { preference, host: host.as_str().to_owned() }),
                _ => None,
            })
            .collect();
        all.sort();
        all.dedup();
        Ok(all)
    }

    /// The IPv4 and IPv6 addresses of a host, in this order; one deadline for both questions.
    ///
    /// # Errors
    /// A [`Miss`] when neither question gave an address.
    pub fn addresses(&self, host: &str, cancel: &dyn Fn() -> bool) -> Result<Vec<IpAddr>, Miss> {
        let limit = self.limit(cancel);
        let mut found = Vec::new();
        let mut worst = None;
        for kind in [Kind::A, Kind::Aaaa] {
            match self.look_up(host, kind, limit) {
                Ok(records) => found.extend(records.into_iter().filter_map(|data| match data {
                    Data::A(ip) => Some(IpAddr::V4(ip)),
                    Data::Aaaa(ip) => Some(IpAddr::V6(ip)),
                    _ => None,
                })),
                Err(miss) => {
                    // A failure says less than "no such record", so it is what remains in doubt.
                    worst = if miss == Miss::NoData { worst.or(Some(miss)) } else { Some(miss) };
                    if matches!(miss, Miss::NoDomain | Miss::BadName | Miss::Offline | Miss::Cancelled) {
                        break;
                    }
                }
            }
        }
        if found.is_empty() { Err(worst.unwrap_or(Miss::NoData)) } else { Ok(found) }
    }

    /// The texts of a name; the pieces of one record are joined, odd octets written as `\DDD`.
    ///
    /// # Errors
    /// A [`Miss`].
    pub fn txt(&self, name: &str, cancel: &dyn Fn() -> bool) -> Result<Vec<String>, Miss> {
        let records = self.look_up(name, Kind::Txt, self.limit(cancel))?;
        Ok(records.into_iter().filter_map(|data| if let Data::Txt(text) = data { Some(text) } else { None }).collect())
    }

    /// The places of a service such as `_imaps._tcp.example.org`, by priority, then by falling weight.
    ///
    /// # Errors
    /// A [`Miss`]; [`Miss::NoData`] also when the domain says that it does not offer the service (target `.`).
    pub fn srv(&self, name: &str, cancel: &dyn Fn() -> bool) -> Result<Vec<Srv>, Miss> {
        let records = self.look_up(name, Kind::Srv, self.limit(cancel))?;
        let mut all: Vec<Srv> = records
            .into_iter()
            .filter_map(|data| match data {
                Data::Srv { priority, weight, port, target } if !target.is_root() => {
                    Some(Srv { priority, weight, port, target: target.as_str().to_owned() })
                }
                _ => None,
            })
            .collect();
        all.sort_by(|a, b| (a.priority, b.weight, &a.target).cmp(&(b.priority, a.weight, &b.target)));
        if all.is_empty() { Err(Miss::NoData) } else { Ok(all) }
    }

    fn limit<'a>(&self, cancel: &'a dyn Fn() -> bool) -> Limit<'a> {
        Limit { until: Instant::now() + self.config.deadline, cancel }
    }

    fn look_up(&self, name: &str, kind: Kind, limit: Limit) -> Outcome {
        if self.config.servers.is_empty() {
            return Err(Miss::Offline);
        }
        let name = Name::new(name).ok_or(Miss::BadName)?;
        let kept = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&name, kind, Instant::now());
        if let Some(outcome) = kept {
            return outcome;
        }
        let (outcome, ttl) = self.chase(name.clone(), kind, limit);
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.put(name, kind, &outcome, ttl, Instant::now());
        outcome
    }

    /// Asks for a name and for what it is an alias of, as far as the answer does not hold it already.
    fn chase(&self, mut name: Name, kind: Kind, limit: Limit) -> (Outcome, Option<u32>) {
        let mut chain = Chain { links: 0, ttl: u32::MAX };
        loop {
            let message = match self.query(&name, kind, limit) {
                Ok(message) => message,
                Err(miss) => return (Err(miss), None),
            };
            match chain.follow(&message, &name, kind) {
                Step::Done(outcome, ttl) => return (outcome, ttl),
                // A name from an answer is asked only if it is an ordinary one.
                Step::Alias(next) => match Name::new(next.as_str()) {
                    Some(next) => name = next,
                    None => return (Err(Miss::ServerFailure), None),
                },
            }
        }
    }

    /// One question to the servers in turn, round after round; the time left is shared by the tries left.
    fn query(&self, name: &Name, kind: Kind, limit: Limit) -> Result<Message, Miss> {
        let mut open = self.config.servers.clone();
        let mut worst = None;
        for round in (1..=self.config.attempts.max(1)).rev() {
            let servers = open.clone();
            for (asked, &server) in servers.iter().enumerate() {
                let left = match limit.left() {
                    Ok(left) => left,
                    Err(Fault::Cancelled) => return Err(Miss::Cancelled),
                    Err(_) => return Err(worst.unwrap_or(Miss::Timeout)),
                };
                let tries = servers.len() - asked + servers.len() * usize::try_from(round - 1).unwrap_or(0);
                let share = left / u32::try_from(tries.max(1)).unwrap_or(1);
                let wait = share.max(SHORTEST_TRY).min(self.config.timeout).min(left);
                let query = Query::new(name, kind, self.random());
                let miss = match ask(server, &query, Limit { until: Instant::now() + wait, ..limit }) {
                    Ok(message) => match failure(&message) {
                        None => return Ok(message),
                        Some(miss) => miss,
                    },
                    Err(Fault::Cancelled) => return Err(Miss::Cancelled),
                    Err(Fault::Silent) => Miss::Timeout,
                    Err(Fault::Unreachable) => Miss::Offline,
                    Err(Fault::Broken) => Miss::ServerFailure,
                };
                worst = Some(telling(worst, miss));
                if miss != Miss::Timeout {
                    open.retain(|other| *other != server); // it would say the same again
                }
            }
        }
        Err(worst.unwrap_or(Miss::Timeout))
    }

    /// 64 bits nobody outside can foresee: a keyed hash (SipHash, key from the system) of a counter.
    fn random(&self) -> u64 {
        let mut hasher = self.random.build_hasher();
        hasher.write_u64(self.count.fetch_add(1, Ordering::Relaxed));
        hasher.finish()
    }
}

/// What a server's answer says about the server rather than about the name.
fn failure(message: &Message) -> Option<Miss> {
    match message.rcode {
        0 | NXDOMAIN if message.referral => Some(Miss::ServerFailure),
        0 | NXDOMAIN => None,
        REFUSED => Some(Miss::Refused),
        _ => Some(Miss::ServerFailure),
    }
}

/// The miss that tells more about the name.
fn telling(old: Option<Miss>, new: Miss) -> Miss {
    let weight = |miss: Miss| match miss {
        Miss::ServerFailure => 3,
        Miss::Timeout => 2,
        Miss::Refused => 1,
        _ => 0,
    };
    old.filter(|old| weight(*old) >= weight(new)).unwrap_or(new)
}

/// The aliases followed so far, and the shortest life among them.
struct Chain {
    links: usize,
    ttl: u32,
}

enum Step {
    Done(Outcome, Option<u32>),
    Alias(Name),
}

impl Chain {
    fn follow(&mut self, message: &Message, asked: &Name, kind: Kind) -> Step {
        let mut name = asked.clone();
        loop {
            let own = |of: Kind| message.answers.iter().filter(move |record| record.kind == of);
            let mut found = Vec::new();
            for record in own(kind).filter(|record| record.owner == name) {
                self.ttl = self.ttl.min(record.ttl);
                found.push(record.data.clone());
            }
            if !found.is_empty() {
                return Step::Done(Ok(found), Some(self.ttl));
            }
            let Some(alias) = own(Kind::Cname).find(|record| record.owner == name) else { break };
            let Data::Cname(target) = &alias.data else { break };
            self.links += 1;
            if self.links > MOST_ALIASES || target.is_root() {
                return Step::Done(Err(Miss::ServerFailure), None);
            }
            self.ttl = self.ttl.min(alias.ttl);
            name = target.clone();
        }
        let keep = message.negative_ttl.map(|ttl| ttl.min(self.ttl));
        if message.rcode == NXDOMAIN {
            Step::Done(Err(Miss::NoDomain), keep)
        } else if name != *asked && message.negative_ttl.is_none() {
            Step::Alias(name)
        } else {
            Step::Done(Err(Miss::NoData), keep)
        }
    }
}
