//! The knowledge of `assets/suggest/`, read once: providers, real look-alikes, endings, keys, look-alike letters, words.
//!
//! Owns reading those files. Knows nothing of the address in hand.
//! Invariant: the files are part of the build and a test reads every one, so reading cannot fail at run time.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::table::Table;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainsFile {
    provider: BTreeMap<String, u32>,
    families: Families,
    real: Real,
    roles: Roles,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Families {
    names: Vec<String>,
    only: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Real {
    domains: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Roles {
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndingsFile {
    reserved: Vec<String>,
    common: HashMap<String, u32>,
    country: Vec<String>,
    generic: Vec<String>,
    international: Vec<String>,
    slips: BTreeMap<String, BTreeMap<String, f32>>,
    second: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyboardFile {
    layout: Vec<Layout>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Layout {
    #[serde(rename = "name")]
    _name: String,
    rows: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LookalikesFile {
    letters: BTreeMap<String, String>,
    groups: BTreeMap<String, String>,
}

/// Words around addresses in people's mail, all in lower case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    pub(super) wrote: Vec<String>,
    pub(super) time: Vec<String>,
    pub(super) from: Vec<String>,
    pub(super) reply_to: Vec<String>,
    pub(super) cc: Vec<String>,
    pub(super) signature: Vec<String>,
    pub(super) moved: Vec<String>,
    pub(super) old: Vec<String>,
}

/// Everything under `assets/suggest/` in the form the lookups need.
pub(super) struct Data {
    /// Well-known providers; the count of an entry is its weight.
    pub(super) providers: Table,
    /// Sum of the weights of `providers`.
    pub(super) provider_total: f32,
    families: HashSet<String>,
    only: BTreeMap<String, Vec<String>>,
    real: HashSet<String>,
    roles: HashSet<String>,
    common: HashMap<String, u32>,
    tlds: HashSet<String>,
    countries: HashSet<String>,
    second: HashMap<String, HashSet<String>>,
    /// (ending meant, ending typed, share of all slips).
    pub(super) slips: Vec<(String, String, f32)>,
    slip_endings: HashSet<String>,
    /// For each ASCII key the ASCII keys that touch it, one bit each.
    touching: Vec<u128>,
    letters: HashMap<char, char>,
    groups: Vec<(String, String)>,
    pub(super) words: Words,
}

static DATA: LazyLock<Data> = LazyLock::new(Data::load);

/// The knowledge, read on first use.
pub(super) fn data() -> &'static Data {
    &DATA
}

#[expect(clippy::expect_used, reason = "embedded files; the test below reads each of them")]
fn read<T: for<'a> Deserialize<'a>>(text: &str) -> T {
    toml::from_str(text).expect("embedded suggest asset parses")
}

impl Data {
    fn load() -> Self {
        let domains: DomainsFile = read(include_str!("../../assets/suggest/domains.toml"));
        let endings: EndingsFile = read(include_str!("../../assets/suggest/tlds.toml"));
        let keyboard: KeyboardFile = read(include_str!("../../assets/suggest/keyboard.toml"));
        let lookalikes: LookalikesFile = read(include_str!("../../assets/suggest/lookalikes.toml"));
        let mut providers = Table::default();
        let mut provider_total = 0.0;
        for (name, weight) in &domains.provider {
            providers.add(name, *weight);
            provider_total += *weight as f32;
        }
        let countries: HashSet<String> = endings.country.iter().cloned().collect();
        let tlds = [&endings.reserved, &endings.country, &endings.generic, &endings.international];
        let slips: Vec<(String, String, f32)> = endings
            .slips
            .iter()
            .flat_map(|(meant, typed)| typed.iter().map(|(ending, share)| (meant.clone(), ending.clone(), *share)))
            .collect();
        Self {
            providers,
            provider_total,
            families: domains.families.names.into_iter().collect(),
            only: domains.families.only,
            real: domains.real.domains.into_iter().collect(),
            roles: domains.roles.names.into_iter().collect(),
            common: endings.common,
            tlds: tlds.into_iter().flatten().cloned().collect(),
            slip_endings: slips
                .iter()
                .filter(|(meant, _, share)| meant == "com" && *share >= 0.01)
                .map(|(_, typed, _)| typed.clone())
                .collect(),
            countries,
            second: endings.second.into_iter().map(|(tld, ends)| (tld, ends.into_iter().collect())).collect(),
            slips,
            touching: touching(&keyboard.layout),
            letters: lookalikes
                .letters
                .iter()
                .filter_map(|(plain, likes)| Some((plain.chars().next()?, likes)))
                .flat_map(|(plain, likes)| likes.chars().map(move |like| (like, plain)))
                .collect(),
            groups: lookalikes.groups.into_iter().collect(),
            words: read(include_str!("../../assets/suggest/quotes.toml")),
        }
    }

    /// Whether two keys touch on a common keyboard.
    pub(super) fn neighbours(&self, a: char, b: char) -> bool {
        let bits = self.touching.get(a as usize).copied().unwrap_or(0);
        b.is_ascii() && bits >> u32::from(b) & 1 == 1
    }

    /// Whether this top-level domain exists (or is reserved for tests and private use).
    pub(super) fn is_tld(&self, tld: &str) -> bool {
        self.tlds.contains(tld)
    }

    /// How common an ending is, as a share of all domains; tiny for one that does not exist.
    pub(super) fn tld_share(&self, tld: &str) -> f32 {
        match self.common.get(tld) {
            Some(per_mille) => *per_mille as f32 / 1000.0,
            None if self.countries.contains(tld) => 0.003,
            None if self.is_tld(tld) => 0.001,
            None => 1e-6,
        }
    }

    /// The registrable name and the ending below which the registry sells: `yahoo.co.uk` is `yahoo` and `co.uk`.
    /// A name with further labels keeps them: `mail.uni.example` is `mail.uni` and `example`.
    pub(super) fn split<'d>(&self, domain: &'d str) -> (&'d str, &'d str) {
        let Some((rest, tld)) = domain.rsplit_once('.') else { return (domain, "") };
        let label = rest.rsplit_once('.').map_or(rest, |(_, label)| label);
        let sells = self.second.get(tld).is_some_and(|seconds| seconds.contains(label));
        match rest.rfind('.') {
            Some(dot) if sells => (domain.get(..dot).unwrap_or(rest), domain.get(dot + 1..).unwrap_or(tld)),
            _ => (rest, tld),
        }
    }

    /// Whether this domain is known to be real: a provider, one of its country variants, or on the list of real look-alikes.
    pub(super) fn is_real(&self, domain: &str) -> bool {
        if self.providers.get(domain).is_some() || self.real.contains(domain) {
            return true;
        }
        let (name, ending) = self.split(domain);
        if let Some(endings) = self.only.get(name) {
            return endings.iter().any(|real| real == ending);
        }
        let tld = ending.rsplit('.').next().unwrap_or(ending);
        let variant = self.countries.contains(tld) && !self.slip_endings.contains(ending);
        variant && self.families.contains(name)
    }

    /// Whether this domain takes mail for the public at large.
    pub(super) fn is_provider(&self, domain: &str) -> bool {
        self.providers.get(domain).is_some()
    }

    /// Whether this name exists under the given endings only, and this is another.
    pub(super) fn wrong_ending(&self, domain: &str) -> bool {
        let (name, ending) = self.split(domain);
        self.only.get(name).is_some_and(|endings| !endings.iter().any(|real| real == ending))
    }

    /// Endings under which the same name is sought.
    pub(super) fn common_endings(&self) -> impl Iterator<Item = &str> {
        let seconds = ["co.uk", "com.br", "com.au", "com.mx", "com.ar", "co.in", "co.jp", "co.nz", "co.za"];
        self.common.keys().map(String::as_str).chain(seconds)
    }

    /// Names that exist under one ending only, with that ending.
    pub(super) fn single_endings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.only.iter().filter_map(|(name, endings)| match endings.as_slice() {
            [ending] => Some((name.as_str(), ending.as_str())),
            _ => None,
        })
    }

    /// Whether the local part names a function, not a person.
    pub(super) fn is_role(&self, local: &str) -> bool {
        self.roles.contains(&local.to_lowercase())
    }

    /// The plain letter that this one looks like.
    pub(super) fn plain(&self, letter: char) -> Option<char> {
        let fold = || match u32::from(letter) {
            code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0), // full width forms
            _ => None,
        };
        self.letters.get(&letter).copied().or_else(fold)
    }

    /// The text with every look-alike letter replaced by the plain one, in lower case.
    pub(super) fn skeleton(&self, text: &str) -> String {
        text.to_lowercase().chars().map(|letter| self.plain(letter).unwrap_or(letter)).collect()
    }

    /// All texts that come from replacing one group such as `rn` by the letter it looks like.
    pub(super) fn regrouped(&self, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (group, letter) in &self.groups {
            for (at, _) in text.match_indices(group.as_str()) {
                let before = text.get(..at).unwrap_or_default();
                let after = text.get(at + group.len()..).unwrap_or_default();
                found.push(format!("{before}{letter}{after}"));
            }
        }
        found
    }
}

/// For each ASCII key the ASCII keys that touch it on one of the layouts.
fn touching(layouts: &[Layout]) -> Vec<u128> {
    let mut touching = vec![0_u128; 128];
    for layout in layouts {
        let mut keys: Vec<(char, i32, i32)> = Vec::new(); // key, row, position in half keys
        for (row, text) in (0..).zip(&layout.rows) {
            let places = (0..).zip(text.chars()).filter(|(_, key)| key.is_ascii());
            keys.extend(places.map(|(column, key): (i32, char)| (key, row, column * 2 + row)));
        }
        for &(a, row_a, at_a) in &keys {
            for &(b, row_b, at_b) in &keys {
                let apart = (at_a - at_b).abs();
                let touch = (row_a == row_b && apart == 2) || ((row_a - row_b).abs() == 1 && apart <= 1);
                if let Some(bits) = touching.get_mut(a as usize).filter(|_| touch) {
                    *bits |= 1 << u32::from(b);
                }
            }
        }
    }
    touching
}

#[cfg(test)]
mod tests {
    use super::data;

    #[test]
    fn keys_beside_each_other_are_neighbours() {
        for (a, b, want) in [
            ('n', 'm', true),
            ('a', 's', true),
            ('q', 'w', true),
            ('a', 'p', false),
            ('g', 'h', true),
            ('o', '0', true),
        ] {
            assert_eq!(data().neighbours(a, b), want, "{a}{b}");
        }
    }

    #[test]
    fn real_look_alikes_are_real_and_slips_are_not() {
        for (domain, want) in [
            ("mail.com", true),
            ("ymail.com", true),
            ("gmx.li", true),
            ("gmx.ch", true),
            ("live.rs", true),
            ("yahoo.com.pe", true),
            ("hotmail.co.il", true),
            ("gmail.co", false),
            ("gmail.de", false),
            ("yahoo.co", false),
            ("hotmail.con", false),
            ("yahoo.cm", false),
        ] {
            assert_eq!(data().is_real(domain), want, "{domain}");
        }
    }

    #[test]
    fn a_domain_splits_where_the_registry_sells() {
        for (domain, want) in [
            ("yahoo.co.uk", ("yahoo", "co.uk")),
            ("gmail.com", ("gmail", "com")),
            ("mail.firm.example", ("mail.firm", "example")),
            ("gmailcom", ("gmailcom", "")),
            ("co.uk", ("co", "uk")),
        ] {
            assert_eq!(data().split(domain), want, "{domain}");
        }
    }
}
