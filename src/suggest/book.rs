//! What this inbox knows: whom it writes to and hears from, what was corrected, what has bounced, who we are.
//!
//! Owns the lookups that suggestions need. Does not know where the counts come from; the desk fills it from the store.
//! Invariant: everything is compared in lower case; adding is incremental and in any order.

use std::collections::{HashMap, HashSet};

use super::data::data;
use super::table::Table;
use crate::model::Address;

/// How local parts are built at a domain, counted over different addresses.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shapes {
    pub(super) all: u32,
    pub(super) dotted: u32,
    pub(super) initial_dotted: u32,
}

/// What is known of addresses and domains.
#[derive(Debug, Clone, Default)]
pub struct Book {
    own_domains: HashSet<String>,
    own_addresses: HashSet<String>,
    domains: Table,
    people: Table,
    total: f32,
    shapes: HashMap<u32, Shapes>,
    corrections: HashMap<String, HashMap<String, u32>>,
    rules: HashMap<String, HashMap<String, u32>>,
    bounced: HashSet<String>,
}

/// The weight of the list of well-known providers against what the inbox has seen itself, in mails.
const PROVIDERS_COUNT_AS: f32 = 2000.0;
/// The share of our own domains among addresses written to.
const OWN_SHARE: f32 = 0.01;

impl Book {
    /// A book that knows only who we are.
    pub fn new(own_domains: &[String], own_addresses: &[String]) -> Self {
        let own_domains = own_domains.iter().map(|domain| domain.to_lowercase()).collect();
        let own_addresses = own_addresses.iter().map(|address| address.to_lowercase()).collect();
        Self { own_domains, own_addresses, ..Self::default() }
    }

    /// An address that mail reached or that was heard from, and how many mails; its domain counts too.
    pub fn add_correspondent(&mut self, address: &str, count: u32) {
        let Some(address) = Address::new(address) else { return };
        let lower = address.as_str().to_lowercase();
        let new = self.people.get(&lower).is_none();
        self.people.add(&lower, count);
        self.total += count as f32;
        let Some(place) = self.domains.add(address.domain(), count) else { return };
        if new && !data().is_provider(address.domain()) {
            let shapes = self.shapes.entry(place).or_default();
            let local = address.local().to_lowercase();
            if let Some((first, last)) = local.split_once('.')
                && [first, last].iter().all(|part| !part.is_empty() && part.chars().all(char::is_alphabetic))
                && last.chars().count() > 1
            {
                let initial = first.chars().count() == 1;
                shapes.dotted += u32::from(!initial);
                shapes.initial_dotted += u32::from(initial);
            }
            shapes.all += u32::from(!data().is_role(&local));
        }
    }

    /// A correction somebody made; where only the domain changed it becomes a rule for that domain.
    pub fn add_correction(&mut self, old: &str, new: &str) {
        let Some(new) = Address::new(new) else { return };
        *self.corrections.entry(key(old)).or_default().entry(new.as_str().to_owned()).or_default() += 1;
        let Some(old) = Address::new(old) else { return };
        let same_person = old.local().to_lowercase() == new.local().to_lowercase();
        // A move from one real domain to another says something about that person only.
        if same_person && old.domain() != new.domain() && !data().is_real(old.domain()) {
            let rule = self.rules.entry(old.domain().to_owned()).or_default();
            *rule.entry(new.domain().to_owned()).or_default() += 1;
        }
    }

    /// An address known to be bad: it is never suggested.
    pub fn add_bounced(&mut self, address: &str) {
        self.bounced.insert(key(address));
    }

    /// Whether the address is one of ours; `support+id7@` counts as `support@`.
    pub(super) fn is_own(&self, address: &Address) -> bool {
        let lower = address.as_str().to_lowercase();
        let plain = address.local().split('+').next().unwrap_or_default().to_lowercase();
        self.own_addresses.contains(&lower) || self.own_addresses.contains(&format!("{plain}@{}", address.domain()))
    }

    /// Whether the domain, or one above it, is ours.
    pub(super) fn is_own_domain(&self, domain: &str) -> bool {
        let above = std::iter::successors(Some(domain), |domain| domain.split_once('.').map(|(_, rest)| rest));
        above.into_iter().any(|domain| self.own_domains.contains(domain))
    }

    pub(super) fn own_domains(&self) -> impl Iterator<Item = &str> {
        self.own_domains.iter().map(String::as_str)
    }

    pub(super) fn is_bounced(&self, address: &Address) -> bool {
        self.bounced.contains(&address.as_str().to_lowercase())
    }

    /// Mails exchanged with this address.
    pub(super) fn mails_with(&self, address: &str) -> u32 {
        self.people.get(&address.to_lowercase()).unwrap_or(0)
    }

    /// Mails exchanged with this domain.
    pub(super) fn mails_at(&self, domain: &str) -> u32 {
        self.domains.get(domain).unwrap_or(0)
    }

    pub(super) fn domains(&self) -> &Table {
        &self.domains
    }

    pub(super) fn people(&self) -> &Table {
        &self.people
    }

    pub(super) fn shapes(&self, domain: &str) -> Shapes {
        self.domains.place(domain).and_then(|place| self.shapes.get(&place)).copied().unwrap_or_default()
    }

    /// What this very address was corrected to, with how often.
    pub(super) fn corrections(&self, failed: &str) -> impl Iterator<Item = (&str, u32)> {
        self.corrections.get(&key(failed)).into_iter().flatten().map(|(new, count)| (new.as_str(), *count))
    }

    /// What this domain was corrected to, with how often.
    pub(super) fn rules(&self, domain: &str) -> impl Iterator<Item = (&str, u32)> {
        self.rules.get(domain).into_iter().flatten().map(|(new, count)| (new.as_str(), *count))
    }

    /// Share of all mail that goes to this domain, well-known providers and own domains included; 0 for a stranger.
    pub(super) fn share(&self, domain: &str) -> f32 {
        let provider = data().providers.get(domain).unwrap_or(0) as f32 / data().provider_total.max(1.0);
        let own = if self.own_domains.contains(domain) { OWN_SHARE } else { 0.0 };
        (self.mails_at(domain) as f32 + PROVIDERS_COUNT_AS * (provider + own)) / (self.total + PROVIDERS_COUNT_AS)
    }
}

/// The form in which addresses are compared.
fn key(address: &str) -> String {
    Address::new(address).map_or_else(|| address.trim().to_lowercase(), |address| address.as_str().to_lowercase())
}
