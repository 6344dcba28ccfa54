//! One form sent, one JSON document back. The only user of the HTTP client.
//!
//! Invariant: no redirect is followed, no proxy sees a plain request, an answer takes at most the deadline and
//! [`LARGEST`] bytes, whatever the server does; form and answer are wiped from our memory when dropped.

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use zeroize::Zeroizing;

use super::endpoints::Endpoints;
use super::error::Error;
use crate::stdx::why;

/// The largest answer, in bytes. Tokens are a few kilobytes.
const LARGEST: u64 = 64 * 1024;

/// What came back: any status but a redirect, and a body that may be JSON.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// Sends a form by POST (RFC 6749 section 3.2) and reads the answer, whatever its status.
pub(super) fn post(endpoints: &Endpoints, url: &str, form: &[(&str, &str)]) -> Result<Answer, Error> {
    let body = encode(form);
    let request = agent(endpoints)
        .post(url)
        .header("Accept", "application/json")
        .header("Content-Type", "application/x-www-form-urlencoded");
    let mut response = request.send(body.as_str()).map_err(|error| failed(endpoints, &error))?;
    let status = response.status().as_u16();
    if (300..400).contains(&status) {
        return Err(Error::redirect(endpoints, status));
    }
    let reader = response.body_mut().with_config().limit(LARGEST);
    let body = reader.read_to_vec().map(Zeroizing::new).map_err(|error| failed(endpoints, &error))?;
    Ok(Answer { status, body })
}

fn agent(endpoints: &Endpoints) -> Agent {
    let tls = TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(RootCerts::PlatformVerifier).build();
    let mut config = Agent::config_builder()
        .https_only(!endpoints.loopback())
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(endpoints.deadline()))
        .max_idle_connections(0)
        .user_agent(concat!("bounceback/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls);
    if endpoints.loopback() {
        config = config.proxy(None);
    }
    config.build().new_agent()
}

fn failed(endpoints: &Endpoints, error: &ureq::Error) -> Error {
    match error {
        ureq::Error::Timeout(_) => {
            let seconds = endpoints.deadline().as_secs_f32();
            Error::unreachable(endpoints, &format!("no complete answer within {seconds} seconds"))
        }
        ureq::Error::HostNotFound => Error::unreachable(endpoints, "its name is not known to the name server"),
        ureq::Error::ConnectProxyFailed(said) => Error::unreachable(endpoints, &format!("the proxy refused: {said}")),
        ureq::Error::Io(error) => Error::unreachable(endpoints, &why(error)),
        ureq::Error::NativeTls(error) => Error::certificate(endpoints, &error.to_string()),
        ureq::Error::Tls(error) => Error::certificate(endpoints, error),
        ureq::Error::BodyExceedsLimit(_) => Error::unreadable(endpoints, &format!("more than {LARGEST} bytes")),
        other => Error::unreadable(endpoints, &other.to_string()),
    }
}

/// `application/x-www-form-urlencoded` (RFC 6749 appendix B).
fn encode(form: &[(&str, &str)]) -> Zeroizing<String> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let longest = form.iter().map(|(key, value)| key.len() + 3 * value.len() + 2).sum();
    let mut body = Zeroizing::new(String::with_capacity(longest));
    for (key, value) in form {
        if !body.is_empty() {
            body.push('&');
        }
        body.push_str(key);
        body.push('=');
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => body.push(char::from(byte)),
                b' ' => body.push('+'),
                _ => body.extend(['%', hex(HEX, byte >> 4), hex(HEX, byte & 15)]),
            }
        }
    }
    body
}

fn hex(digits: &[u8; 16], nibble: u8) -> char {
    digits.get(usize::from(nibble)).copied().map_or('0', char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_encoded() {
        let body = encode(&[("scope", "https://a/B.c offline_access"), ("t", "a+b&c=d%é~")]);
        assert_eq!(body.as_str(), "scope=https%3A%2F%2Fa%2FB.c+offline_access&t=a%2Bb%26c%3Dd%25%C3%A9%7E");
        assert_eq!(encode(&[]).as_str(), "");
    }
}
