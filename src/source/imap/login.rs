//! Signing in: LOGIN, PLAIN, XOAUTH2, OAUTHBEARER; and what to do when the server says no.
//!
//! What a refusal means is told by [`Options::cure`]. A refused sign-in is never tried again: repeated failures lock accounts.

use std::cell::Cell;

use ::imap::{Authenticator, Client, Session};

use super::guard::Guard;
use super::{Auth, Options, utf7};
use crate::model::Secret;
use crate::source::Error;

/// What to do where nothing is known about the server's words.
const PASSWORD_REFUSED: &str =
    "check `user` and the password; many providers want an app password, and IMAP switched on in the webmail first";
const TOKEN_REFUSED: &str =
    "the access token was not accepted: it may have expired or lack the IMAP scope; renew it and run again";

/// What the server said to an OAuth2 token, kept for the error text.
struct Bearer<'a> {
    first: &'a str,
    challenge: &'a Cell<Option<String>>,
}

impl Authenticator for Bearer<'_> {
    type Response = String;

    fn process(&self, challenge: &[u8]) -> String {
        if challenge.is_empty() {
            return self.first.to_owned();
        }
        // a refused token comes back as a challenge with JSON in it; an empty answer lets the server finish
        self.challenge.set(Some(String::from_utf8_lossy(challenge).into_owned()));
        // RFC 7628 section 3.2.3 wants a single ^A, XOAUTH2 an empty line
        if self.first.starts_with("n,") { "\u{1}".to_owned() } else { String::new() }
    }
}

/// Everything secret that could come back in an answer: the secret and the forms it is sent in.
pub(super) fn secrets(options: &Options) -> Vec<Secret> {
    let secret = secret(options);
    let mut all = Vec::new();
    for mechanism in [Mechanism::Plain, Mechanism::XOAuth2, Mechanism::OAuthBearer] {
        all.push(Secret::new(base64(initial(options, mechanism).expose().as_bytes())));
    }
    all.push(Secret::new(base64(secret.expose().as_bytes())));
    if let Some(quoted) = utf7::quote(secret.expose()) {
        let inside = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
        all.push(Secret::new(inside.to_owned()));
    }
    all.push(secret.clone());
    all
}

/// The SASL mechanisms spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mechanism {
    /// RFC 4616.
    Plain,
    /// Google's and Microsoft's own.
    XOAuth2,
    /// RFC 7628.
    OAuthBearer,
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::XOAuth2 => "XOAUTH2",
            Self::OAuthBearer => "OAUTHBEARER",
        }
    }
}

/// The first SASL response.
fn initial(options: &Options, mechanism: Mechanism) -> Secret {
    let (user, secret) = (&options.user, secret(options).expose());
    Secret::new(match mechanism {
        Mechanism::Plain => format!("\0{user}\0{secret}"),
        Mechanism::XOAuth2 => format!("user={user}\u{1}auth=Bearer {secret}\u{1}\u{1}"),
        Mechanism::OAuthBearer => {
            let (host, port) = (&options.host, options.port);
            let user = user.replace('=', "=3D").replace(',', "=2C");
            format!("n,a={user},\u{1}host={host}\u{1}port={port}\u{1}auth=Bearer {secret}\u{1}\u{1}")
        }
    })
}

/// Why a sign-in did not work.
pub(super) enum Refused {
    /// The server answered no; the challenge it gave, where there was one.
    No(Option<String>),
    /// Something else went wrong on the way.
    Broken(::imap::Error),
    /// It cannot work this way.
    Hopeless(Error),
}

pub(super) fn sign_in(
    client: Client<Guard>,
    options: &Options,
    capabilities: &[String],
) -> Result<Session<Guard>, Refused> {
    let has = |name: &str| capabilities.iter().any(|capability| capability == name);
    let broken = |(error, _)| match error {
        ::imap::Error::No(_) | ::imap::Error::Bad(_) => Refused::No(None),
        error => Refused::Broken(error),
    };
    for (name, text) in [("user", options.user.as_str()), ("password or token", secret(options).expose())] {
        if text.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return Err(Refused::Hopeless(Error::bad_setting(name, "", "it contains a line break")));
        }
    }
    let mechanism = match &options.auth {
        Auth::Password(password) if !has("LOGINDISABLED") => {
            return client.login(&options.user, password.expose()).map_err(broken);
        }
        Auth::Password(_) if has("AUTH=PLAIN") => Mechanism::Plain,
        Auth::Password(_) => return Err(Refused::Hopeless(Error::login_disabled(&options.host))),
        Auth::XOAuth2(_) if !has("AUTH=XOAUTH2") && has("AUTH=OAUTHBEARER") => Mechanism::OAuthBearer,
        Auth::XOAuth2(_) => Mechanism::XOAuth2,
        Auth::OAuthBearer(_) => Mechanism::OAuthBearer,
    };
    let first = initial(options, mechanism);
    let challenge = Cell::new(None);
    let outcome = client.authenticate(mechanism.name(), &Bearer { first: first.expose(), challenge: &challenge });
    outcome.map_err(|failed| match broken(failed) {
        Refused::No(_) => Refused::No(challenge.take()),
        other => other,
    })
}

fn secret(options: &Options) -> &Secret {
    match &options.auth {
        Auth::Password(secret) | Auth::XOAuth2(secret) | Auth::OAuthBearer(secret) => secret,
    }
}

/// The error for a refused sign-in: what the server said, and what usually helps.
pub(super) fn refused(options: &Options, said: &str, challenge: Option<&str>) -> Error {
    let status = challenge.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let status =
        status.as_ref().and_then(|json| json.get("status")).and_then(serde_json::Value::as_str).unwrap_or_default();
    let all = format!("{said} {} {status}", challenge.unwrap_or_default());
    let usual = match options.auth {
        Auth::Password(_) => PASSWORD_REFUSED,
        Auth::XOAuth2(_) | Auth::OAuthBearer(_) => TOKEN_REFUSED,
    };
    let hint = (options.cure)(&options.host, &all).unwrap_or(usual);
    Error::login_refused(&options.host, &options.user, said, hint)
}

/// Standard base64 with padding (RFC 4648 section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, &b| bits << 8 | u32::from(b)) << (8 * (3 - chunk.len()));
        for n in 0..4 {
            let index = (bits >> (18 - 6 * n) & 63) as usize;
            out.push(if n <= chunk.len() { ALPHABET.get(index).copied().map_or('=', char::from) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_the_standard_one() {
        for (text, want) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(text.as_bytes()), want);
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let check = |auth: fn(Secret) -> Auth, said: &str, want: &str| {
            let mut options = Options::new("a", "imap.x.example", "me@x.example", auth(Secret::new("s".to_owned())));
            options.cure =
                |host, said| (host == "imap.x.example" && said.contains("known")).then_some("the known cure");
            let error = refused(&options, said, Some(r#"{"status":"401","schemes":"bearer"}"#));
            assert!(error.hint.as_deref().unwrap_or_default().contains(want), "{said}: {:?}", error.hint);
        };
        check(Auth::Password, "NO known words", "the known cure");
        check(Auth::Password, "NO [AUTHENTICATIONFAILED] Authentication failed.", "password");
        check(Auth::XOAuth2, "NO x", "token");
    }
}
