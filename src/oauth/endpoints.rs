//! Where to ask, and as whom.
//!
//! Invariant: an [`Endpoints`] holds https addresses, or http ones on loopback; what is filled into them moves no
//! request to another path or host.

use std::net::IpAddr;
use std::time::Duration;

use super::error::Error;
use super::service::Service;

/// How long one request may take, everything included.
const DEADLINE: Duration = Duration::from_secs(20);

/// The two addresses of a service, for one tenant.
#[derive(Debug, Clone)]
pub struct Endpoints {
    pub(super) service: &'static Service,
    device: String,
    token: String,
    loopback: bool,
    deadline: Duration,
}

impl Endpoints {
    /// The service's own addresses; `tenant` as the configuration says it.
    ///
    /// # Errors
    /// When the tenant is no tenant id, domain or name.
    pub fn of(service: &'static Service, tenant: Option<&str>) -> Result<Self, Error> {
        Self::under(service, &service.authority, tenant)
    }

    /// The same paths under another address: a national cloud, or a stand-in on this machine.
    ///
    /// # Errors
    /// When the address is neither https nor http on loopback, holds more than a host and a port, or the tenant is none.
    pub fn under(service: &'static Service, authority: &str, tenant: Option<&str>) -> Result<Self, Error> {
        let loopback = authority_kind(authority).ok_or_else(|| Error::authority(authority))?;
        let tenant = tenant.unwrap_or(&service.tenant);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if tenant.is_empty() || tenant.len() > 253 || tenant.starts_with('.') || !tenant.chars().all(plain) {
            return Err(Error::tenant(tenant));
        }
        let fill = |path: &str| format!("{}{}", authority.trim_end_matches('/'), path.replace("{tenant}", tenant));
        let (device, token) = (fill(&service.device), fill(&service.token));
        Ok(Self { service, device, token, loopback, deadline: DEADLINE })
    }

    /// Another deadline for one request; 20 seconds unless set.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(super) fn device(&self) -> &str {
        &self.device
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn loopback(&self) -> bool {
        self.loopback
    }

    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The host and port, for messages.
    pub(super) fn host(&self) -> &str {
        let rest = self.token.split_once("://").map_or(self.token.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }
}

/// Whether an acceptable authority is on loopback; `None` when it is not acceptable.
fn authority_kind(authority: &str) -> Option<bool> {
    let (scheme, rest) = authority.trim_end_matches('/').split_once("://")?;
    let (host, after) = match rest.strip_prefix('[') {
        Some(v6) => v6.split_once(']')?,
        None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
    };
    let port = match after {
        "" => None,
        after => Some(after.strip_prefix(':')?),
    };
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let good_port = port.is_none_or(|port| digits(port) && port.parse::<u16>().is_ok_and(|port| port > 0));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    if host.is_empty() || !host.chars().all(plain) || !good_port {
        return None;
    }
    let loopback = host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match scheme {
        "https" => Some(loopback),
        "http" if loopback => Some(true),
        _ => None,
    }
}

/// As whom to ask: the company's own app registration. A public client: it has no secret.
#[derive(Debug, Clone)]
pub struct Client {
    id: String,
    scope: String,
}

impl Client {
    /// The client id the service gave out for the registration, and what to ask for; the scope of the service's table
    /// when none is configured.
    ///
    /// # Errors
    /// When the id or the scope is empty or holds characters that RFC 6749 appendix A does not allow.
    pub fn new(service: &Service, id: &str, scope: Option<&str>) -> Result<Self, Error> {
        let scope = scope.unwrap_or(&service.scope);
        if id.is_empty() || id.len() > 256 || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::client_id(id));
        }
        if scope.trim().is_empty() || scope.len() > 2048 || !scope.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Error::scope(scope));
        }
        Ok(Self { id: id.to_owned(), scope: scope.to_owned() })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn scope(&self) -> &str {
        &self.scope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn microsoft() -> &'static Service {
        Service::named("microsoft").expect("listed")
    }

    #[test]
    fn the_tenant_is_filled_in() {
        let endpoints = Endpoints::of(microsoft(), Some("company.example")).expect("good");
        assert_eq!(endpoints.device(), "https://login.microsoftonline.com/company.example/oauth2/v2.0/devicecode");
        assert_eq!(endpoints.token(), "https://login.microsoftonline.com/company.example/oauth2/v2.0/token");
        assert_eq!(endpoints.host(), "login.microsoftonline.com");
        assert!(!endpoints.loopback());
        let endpoints = Endpoints::of(microsoft(), None).expect("good");
        assert!(endpoints.token().contains("/organizations/"));
    }

    #[test]
    fn nothing_moves_the_request_elsewhere() {
        for tenant in ["", "..", "a/b", "a?b", "a#b", "a%2fb", "a b", "a@b", "ü"] {
            assert!(Endpoints::of(microsoft(), Some(tenant)).is_err(), "{tenant:?}");
        }
        for authority in [
            "http://login.example",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "http://user@127.0.0.1",
            "http://127.0.0.1@evil.example",
            "https://login.example/path",
            "https://login.example?x",
            "https://login.example#x",
            "https://user:pw@login.example",
            "https://login.example:0",
            "https://login.example:99999",
            "https://login.example:+443",
            "https://[::1]x:1",
            "https://",
            "ftp://127.0.0.1",
            "login.example",
        ] {
            assert!(Endpoints::under(microsoft(), authority, None).is_err(), "{authority}");
        }
        for (authority, loopback) in [
            ("https://login.microsoftonline.us", false),
            ("https://login.example:8443/", false),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost:8080", true),
        ] {
            let endpoints = Endpoints::under(microsoft(), authority, None).expect(authority);
            assert_eq!(endpoints.loopback(), loopback, "{authority}");
        }
    }

    #[test]
    fn a_client_has_an_id_and_a_scope() {
        assert!(Client::new(microsoft(), "11111111-2222-3333-4444-555555555555", None).is_ok());
        for (id, scope) in [("", None), ("a b", None), ("a\n", None), ("a", Some(" ")), ("a", Some("x\r\ny"))] {
            assert!(Client::new(microsoft(), id, scope).is_err(), "{id:?} {scope:?}");
        }
    }
}
