//! Where the mailbox of an address is: known providers, service records (RFC 6186), and the usual names.
//!
//! Only the domain is looked up, in the public name system; no server learns the address, and none is signed in to.
//! A server counts only when its certificate is for the name that was asked.

use std::path::Path;
use std::time::Duration;

use super::Desk;
use crate::config::Tls;
use crate::config::providers::{Exchanger, Gateway, Provider};
use crate::dns::Resolver;
use crate::model::Secret;
use crate::source::imap::{self, Auth, Options};
use crate::source::{Cancel, Error};

/// How long one place may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// An IMAP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Host name.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
}

impl Place {
    fn new(host: &str, port: u16, tls: Tls) -> Self {
        Self { host: host.trim_end_matches('.').to_owned(), port, tls }
    }

    /// The server of a provider; `None` where its customers share none.
    pub fn of(provider: &Provider) -> Option<Self> {
        provider.host.as_deref().map(|host| Self::new(host, provider.port, provider.tls))
    }
}

/// What is known about where an address has its mailbox.
#[derive(Debug, Default)]
pub struct Whereabouts {
    /// Who holds the mailbox, where a table says so.
    pub provider: Option<&'static Provider>,
    /// A filter in front of the mailbox, where nothing else is known.
    pub gateway: Option<&'static Gateway>,
    /// Servers to try, best first.
    pub places: Vec<Place>,
}

impl Desk {
    /// Looks up the domain of an address.
    pub fn whereabouts(&self, address: &str, cancel: &Cancel) -> Whereabouts {
        whereabouts(address, &self.resolver, cancel)
    }
}

/// Looks up the domain of an address.
pub fn whereabouts(address: &str, resolver: &Resolver, cancel: &Cancel) -> Whereabouts {
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain).to_lowercase();
    if let Some(provider) = Provider::of_domain(&domain) {
        return Whereabouts {
            provider: Some(provider),
            gateway: None,
            places: places(&domain, Some(provider), Vec::new(), None),
        };
    }
    let stop = || cancel.is_cancelled();
    let exchangers = resolver.mx(&domain, &stop).unwrap_or_default();
    let hosts: Vec<&str> = exchangers.iter().map(|mx| mx.host.as_str()).collect();
    let (provider, gateway) = match Exchanger::of(&hosts) {
        Some(Exchanger::Provider(provider)) => (Some(provider), None),
        Some(Exchanger::Gateway(gateway)) => (None, Some(gateway)),
        None => (None, None),
    };
    let mut services = Vec::new();
    for (name, tls) in [("_imaps._tcp", Tls::Implicit), ("_imap._tcp", Tls::StartTls)] {
        let found = resolver.srv(&format!("{name}.{domain}"), &stop).unwrap_or_default();
        services.extend(found.iter().map(|srv| Place::new(&srv.target, srv.port, tls)));
    }
    // asked last: it is often a machine that only takes mail in
    let exchanger = hosts.first().filter(|_| gateway.is_none()).map(|host| Place::new(host, 993, Tls::Implicit));
    Whereabouts { provider, gateway, places: places(&domain, provider, services, exchanger) }
}

/// The servers to try: the provider's, else those the name system names, the usual names, the mail exchanger.
fn places(domain: &str, provider: Option<&Provider>, named: Vec<Place>, exchanger: Option<Place>) -> Vec<Place> {
    if let Some(place) = provider.and_then(Place::of) {
        return vec![place];
    }
    let usual = [
        ("imap.", 993, Tls::Implicit),
        ("mail.", 993, Tls::Implicit),
        ("", 993, Tls::Implicit),
        ("imap.", 143, Tls::StartTls),
        ("mail.", 143, Tls::StartTls),
    ];
    let usual = usual.into_iter().map(|(prefix, port, tls)| Place::new(&format!("{prefix}{domain}"), port, tls));
    let mut all: Vec<Place> = Vec::new();
    for place in named.into_iter().chain(usual).chain(exchanger) {
        if !all.contains(&place) {
            all.push(place);
        }
    }
    all
}

/// What a connection to a place needs; nobody is named to it.
fn connection(place: &Place, ca_file: Option<&Path>) -> Options {
    let mut options = Options::new("setup", &place.host, "", Auth::Password(Secret::new(String::new())));
    options.port = place.port;
    options.ca_file = ca_file.map(Path::to_owned);
    options.limits.connect = PATIENCE;
    options.tls = match place.tls {
        Tls::Implicit => imap::Tls::Implicit,
        Tls::StartTls => imap::Tls::StartTls,
        Tls::None => imap::Tls::None,
    };
    options
}

/// The first place where an IMAP server answers that can be trusted; else what went wrong at each.
///
/// # Errors
/// Each place with what went wrong there.
pub fn first_that_answers(
    places: &[Place],
    ca_file: Option<&Path>,
    cancel: &Cancel,
    tell: &mut dyn FnMut(&Place),
) -> Result<Place, Vec<(Place, Error)>> {
    let mut failures = Vec::new();
    for place in places {
        tell(place);
        match imap::reach(&connection(place, ca_file), cancel) {
            Ok(()) => return Ok(place.clone()),
            Err(error) => failures.push((place.clone(), error)),
        }
        if cancel.is_cancelled() {
            break;
        }
    }
    Err(failures)
}
