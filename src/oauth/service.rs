//! The sign-in services of `assets/oauth.toml`: addresses, scope, and what their refusals mean.

use std::sync::OnceLock;

use serde::Deserialize;

const TABLE: &str = include_str!("../../assets/oauth.toml");

/// A sign-in service as the table describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// What `oauth = "…"` in the configuration says.
    pub name: String,
    /// How it is called in messages.
    pub title: String,
    /// Its https address.
    pub authority: String,
    /// Path of the device authorization endpoint; holds `{tenant}` where the service has tenants.
    pub device: String,
    /// Path of the token endpoint.
    pub token: String,
    /// The tenant when none is configured.
    pub tenant: String,
    /// What is asked for when nothing else is configured; separated by spaces.
    pub scope: String,
    /// Where this is written down.
    pub source: String,
    #[serde(rename = "error", default)]
    pub(super) refusals: Vec<Refusal>,
}

/// What a service means by one of its codes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) means: String,
    pub(super) cure: String,
    #[serde(default)]
    pub(super) again: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    service: Vec<Service>,
}

impl Service {
    /// Every service, in order of name.
    #[expect(clippy::expect_used, reason = "the table is part of the program and a test reads it")]
    pub fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Service>> = OnceLock::new();
        ALL.get_or_init(|| toml::from_str::<Table>(TABLE).expect("assets/oauth.toml").service)
    }

    /// The service with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|service| service.name == name)
    }

    /// The first listed code that the refusal names, by number or in its text.
    pub(super) fn refusal(&self, numbers: &[u64], text: &str) -> Option<&Refusal> {
        let of = |number: &str| {
            self.refusals
                .iter()
                .find(|refusal| refusal.code.trim_start_matches(|c: char| !c.is_ascii_digit()) == number)
        };
        numbers.iter().find_map(|number| of(&number.to_string())).or_else(|| {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric());
            words.filter(|word| !word.is_empty()).find_map(|word| self.refusals.iter().find(|known| known.code == word))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert!(Service::all().is_sorted_by(|a, b| a.name < b.name));
        for service in Service::all() {
            assert!(service.authority.starts_with("https://"), "{}", service.name);
            assert!(service.device.starts_with('/') && service.token.starts_with('/'), "{}", service.name);
            let number = |refusal: &Refusal| -> u64 {
                refusal.code.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().expect(&refusal.code)
            };
            assert!(service.refusals.is_sorted_by(|a, b| number(a) < number(b)), "{}: sorted, unique", service.name);
            for refusal in &service.refusals {
                for text in [&refusal.means, &refusal.cure] {
                    assert!(!text.is_empty() && !text.ends_with('.'), "{}: {text}", refusal.code);
                    assert!(text.starts_with(|c: char| c.is_lowercase()), "{}: {text}", refusal.code);
                }
                let says_again = refusal.cure.contains("sign in again") || refusal.cure.contains("sign in here again");
                assert!(!refusal.again || says_again, "{}", refusal.code);
                assert!(!refusal.cure.starts_with("sign in again") || refusal.again, "{}", refusal.code);
            }
        }
    }

    #[test]
    fn a_code_is_found_by_number_or_in_the_text() {
        let service = Service::named("microsoft").expect("listed");
        let code = |numbers: &[u64], text| service.refusal(numbers, text).map(|refusal| refusal.code.as_str());
        assert_eq!(code(&[700_082], ""), Some("AADSTS700082"));
        assert_eq!(code(&[1, 65_001], "AADSTS53003: blocked"), Some("AADSTS65001"));
        assert_eq!(code(&[], "AADSTS53003: Access has been blocked"), Some("AADSTS53003"));
        assert_eq!(code(&[], "xAADSTS530039 53003"), None, "whole words only");
        assert_eq!(code(&[], ""), None);
    }
}
