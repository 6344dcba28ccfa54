//! Reads what an endpoint answered: tokens (RFC 6749 section 5.1) or a refusal (section 5.2).
//!
//! Invariant: the answer is foreign text. Tokens become secrets while they are read; nothing of the answer is shown but
//! the texts of a refusal, and of those only what is no token.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::endpoints::{Client, Endpoints};
use super::error::Error;
use super::http::Answer;
use crate::model::Secret;
use crate::stdx::visible;

/// What a sign-in gives.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Opens the mailbox; ASCII without spaces and control characters.
    pub access: Secret,
    /// Gives the next access token; to be kept.
    pub refresh: Option<Secret>,
    /// How long the access token lasts; an hour where the service does not say.
    pub expires_in: Duration,
}

/// A token the moment it is read.
struct Token(Secret);

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: Token,
    refresh_token: Option<Token>,
    token_type: Option<String>,
    expires_in: Option<Seconds>,
    scope: Option<String>,
}

/// A number of seconds, written as a number or as text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Seconds {
    Number(f64),
    Text(String),
}

impl Seconds {
    /// Held within `least` and `most`, whatever was written; `None` when it is no number.
    pub(super) fn within(&self, least: u64, most: u64) -> Option<Duration> {
        let number = match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.trim().parse().ok()?,
        };
        let bounds = (Duration::from_secs(least), Duration::from_secs(most));
        let held = Duration::try_from_secs_f64(number).unwrap_or(if number > 0.0 { bounds.1 } else { bounds.0 });
        (!number.is_nan()).then(|| held.clamp(bounds.0, bounds.1))
    }
}

/// A refusal, every text cut and free of tokens.
#[derive(Debug, Default)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) error: String,
    pub(super) text: String,
    pub(super) numbers: Vec<u64>,
    pub(super) correlation: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
    #[serde(default)]
    error_codes: Vec<u64>,
    correlation_id: Option<String>,
}

/// The tokens of a successful answer; every other answer is an error. `sent` are the secrets of the request: a server
/// that repeats them does not get them into a message.
pub(super) fn tokens(
    endpoints: &Endpoints,
    client: &Client,
    answer: &Answer,
    sent: &[&Secret],
) -> Result<Tokens, Error> {
    if answer.status != 200 {
        return Err(Error::refused(endpoints, &refusal(endpoints, answer, sent)?));
    }
    let granted: Granted =
        serde_json::from_slice(&answer.body).map_err(|_| Error::unreadable(endpoints, "it holds no access token"))?;
    if granted.token_type.as_deref().is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(Error::unreadable(endpoints, "the token is of another kind than \"Bearer\""));
    }
    let (access, refresh) = (granted.access_token.0, granted.refresh_token.map(|token| token.0));
    for token in [Some(&access), refresh.as_ref()].into_iter().flatten() {
        if token.expose().is_empty() || !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::unreadable(endpoints, "the token holds characters that no token has"));
        }
    }
    if let Some(missing) = granted.scope.as_deref().and_then(|scope| missing(client.scope(), scope)) {
        return Err(Error::scope_missing(endpoints, &missing));
    }
    let expires_in = granted.expires_in.and_then(|seconds| seconds.within(0, 86_400));
    Ok(Tokens { access, refresh, expires_in: expires_in.unwrap_or(Duration::from_secs(3600)) })
}

/// What the server says in its refusal.
pub(super) fn refusal(endpoints: &Endpoints, answer: &Answer, sent: &[&Secret]) -> Result<Refused, Error> {
    let Ok(refusal) = serde_json::from_slice::<Refusal>(&answer.body) else {
        return Err(Error::status(endpoints, answer.status));
    };
    Ok(Refused {
        status: answer.status,
        error: harmless(&refusal.error, sent, 60),
        text: harmless(refusal.error_description.split(" Trace ID:").next().unwrap_or_default(), sent, 300),
        numbers: refusal.error_codes,
        correlation: refusal.correlation_id.map(|id| harmless(&id, sent, 40)).filter(|id| !id.is_empty()),
    })
}

/// The first asked scope that was not granted. Services rewrite the address before the name, and never list
/// `offline_access` and its like.
fn missing(asked: &str, granted: &str) -> Option<String> {
    let name = |scope: &str| scope.rsplit('/').next().unwrap_or(scope).to_ascii_lowercase();
    let granted: Vec<String> = granted.split_whitespace().map(name).collect();
    let asked = asked.split_whitespace().filter(|scope| scope.contains('/') && !scope.ends_with('/'));
    asked.into_iter().find(|scope| !granted.contains(&name(scope))).map(str::to_owned)
}

/// Foreign text in one line of at most `most` characters, without the secrets that were sent and without anything that
/// looks like a token.
pub(super) fn harmless(text: &str, sent: &[&Secret], most: usize) -> String {
    let mut text = text.to_owned();
    for secret in sent.iter().filter(|secret| !secret.expose().is_empty()) {
        text = text.replace(secret.expose(), "[…]");
    }
    let part =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '+' | '/' | '=' | '%' | '!' | '*');
    let mut clean = String::with_capacity(text.len());
    let mut word = String::new();
    let close = |clean: &mut String, word: &mut String| {
        // A correlation id has 36 characters; the shortest token in use is longer than that. Addresses of pages stay.
        let page = word.starts_with("//") && word.len() < 120;
        clean.push_str(if word.len() > 40 && !page { "[…]" } else { word.as_str() });
        word.clear();
    };
    for c in text.chars() {
        if part(c) {
            word.push(c);
        } else {
            close(&mut clean, &mut word);
            clean.push(if matches!(c, '\r' | '\n' | '\t') { ' ' } else { c });
        }
    }
    close(&mut clean, &mut word);
    let line = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = visible(&line);
    if shown.chars().count() <= most { shown.into_owned() } else { shown.chars().take(most).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_freed_of_tokens_and_controls() {
        let sent = Secret::new("short".to_owned());
        for (text, want) in [
            ("plain words.", "plain words."),
            ("the token short is bad", "the token […] is bad"),
            ("a\r\nb\tc\u{1b}[31m", "a b c^[[31m"),
            ("id 0f8fad5b-d9cb-469f-a165-70867728950e end", "id 0f8fad5b-d9cb-469f-a165-70867728950e end"),
            ("x eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwcyJ9.sig y", "x […] y"),
            ("0.AXoA1234567890abcdefghijklmnopqrstuvwxyz_%2F", "[…]"),
        ] {
            assert_eq!(harmless(text, &[&sent], 300), want, "{text:?}");
        }
        assert_eq!(harmless("aaaa bbbb", &[], 6), "aaaa b…");
    }

    #[test]
    fn seconds_are_held_within_bounds() {
        let held = |json: &str| serde_json::from_str::<Seconds>(json).ok().and_then(|seconds| seconds.within(1, 60));
        for (json, want) in [
            ("5", Some(5)),
            ("\"5\"", Some(5)),
            ("0", Some(1)),
            ("-3", Some(1)),
            ("1e300", Some(60)),
            ("\"inf\"", Some(60)),
            ("\"nan\"", None),
            ("\"soon\"", None),
        ] {
            assert_eq!(held(json), want.map(Duration::from_secs), "{json}");
        }
    }

    #[test]
    fn a_scope_that_was_not_granted_is_named() {
        let asked = "https://outlook.office.com/IMAP.AccessAsUser.All offline_access";
        assert_eq!(missing(asked, "https://outlook.office365.com/imap.accessasuser.all openid"), None);
        assert_eq!(
            missing(asked, "https://outlook.office.com/User.Read").as_deref(),
            Some("https://outlook.office.com/IMAP.AccessAsUser.All")
        );
        assert_eq!(missing("https://mail.example/", "x"), None, "an address alone names nothing to compare");
    }
}
