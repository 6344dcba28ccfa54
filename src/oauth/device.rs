//! The device authorization grant (RFC 8628): show a code, wait until it was entered in a browser anywhere.

use std::ops::ControlFlow;
use std::time::Duration;

use serde::Deserialize;

use super::answer::{self, Seconds, Tokens, harmless};
use super::endpoints::{Client, Endpoints};
use super::error::{Error, Kind};
use super::http;
use crate::model::Secret;
use crate::stdx::is_hidden;

/// How often to ask where the service does not say (RFC 8628 section 3.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// By how much `slow_down` slows down (RFC 8628 section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// The longest pause between two questions, however bad the line is.
const SLOWEST: Duration = Duration::from_secs(60);
/// How many questions in a row may fail on the network before the wait is given up.
const FAILURES: u32 = 8;

/// What the lead has to do: open the page on any device, enter the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// An https address; ASCII.
    pub verification_uri: String,
    /// The code to enter; no secret by itself, and harmless to show.
    pub user_code: String,
    /// How long the code is good for.
    pub expires_in: Duration,
    /// What the service itself says to its user, one harmless line.
    pub message: Option<String>,
}

/// A sign-in that was begun and waits for the lead.
#[derive(Debug)]
pub struct DeviceFlow {
    endpoints: Endpoints,
    client: Client,
    device_code: Secret,
    interval: Duration,
    prompt: Prompt,
}

#[derive(Deserialize)]
struct Begun {
    device_code: String,
    user_code: String,
    #[serde(alias = "verification_url")]
    verification_uri: String,
    expires_in: Seconds,
    interval: Option<Seconds>,
    message: Option<String>,
}

impl DeviceFlow {
    /// Asks the service for a code.
    ///
    /// # Errors
    /// When the service cannot be reached, refuses, or answers with something that cannot be shown.
    pub fn start(endpoints: &Endpoints, client: &Client) -> Result<Self, Error> {
        let answer =
            http::post(endpoints, endpoints.device(), &[("client_id", client.id()), ("scope", client.scope())])?;
        if answer.status != 200 {
            return Err(Error::refused(endpoints, &answer::refusal(endpoints, &answer, &[])?));
        }
        let unusable = |why| Error::unreadable(endpoints, why);
        let begun: Begun = serde_json::from_slice(&answer.body).map_err(|_| unusable("it holds no code to enter"))?;
        let device_code = Secret::new(begun.device_code);
        let code = begun.user_code.trim().to_owned();
        if code.is_empty()
            || code.chars().count() > 40
            || code.chars().any(is_hidden)
            || device_code.expose().is_empty()
        {
            return Err(unusable("the code to enter cannot be shown"));
        }
        if !is_page(&begun.verification_uri) {
            return Err(unusable("the page to open is no https address"));
        }
        let prompt = Prompt {
            verification_uri: begun.verification_uri,
            user_code: code,
            expires_in: begun
                .expires_in
                .within(1, 3600)
                .ok_or_else(|| unusable("it does not say how long the code is good for"))?,
            message: begun.message.map(|text| harmless(&text, &[&device_code], 500)).filter(|text| !text.is_empty()),
        };
        let interval = begun.interval.and_then(|seconds| seconds.within(1, 60)).unwrap_or(INTERVAL);
        Ok(Self { endpoints: endpoints.clone(), client: client.clone(), device_code, interval, prompt })
    }

    /// What to show.
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// Asks until the code was entered, refused, or is too old. `wait` is handed the pause to make before each question
    /// (1 to 60 seconds) and may end the sign-in with [`ControlFlow::Break`]. A line that fails is borne: the pauses
    /// double, and eight failures in a row give up.
    ///
    /// The refresh token is present: an answer without one is an error, for nothing could be kept.
    ///
    /// # Errors
    /// [`Kind::Cancelled`] by `wait`, [`Kind::SignInAgain`] when declined or too late, else what failed.
    pub fn poll(self, mut wait: impl FnMut(Duration) -> ControlFlow<()>) -> Result<Tokens, Error> {
        let (mut pause, mut waited, mut failures) = (self.interval, Duration::ZERO, 0);
        loop {
            if waited >= self.prompt.expires_in {
                return Err(Error::too_late(&self.endpoints));
            }
            if wait(pause).is_break() {
                return Err(Error::cancelled());
            }
            waited += pause;
            match self.ask() {
                Ok(Some(tokens)) if tokens.refresh.is_none() => return Err(Error::nothing_to_keep(&self.endpoints)),
                Ok(Some(tokens)) => return Ok(tokens),
                Ok(None) => failures = 0,
                Err(Asked::SlowDown) => (failures, pause) = (0, (pause + SLOWER).min(SLOWEST)),
                Err(Asked::Failed(error)) if error.kind() == Kind::Temporary && failures + 1 < FAILURES => {
                    failures += 1;
                    pause = (pause * 2).min(SLOWEST);
                }
                Err(Asked::Failed(error)) => return Err(error),
            }
        }
    }

    /// One question; `None` while the lead has not answered (RFC 8628 section 3.5).
    fn ask(&self) -> Result<Option<Tokens>, Asked> {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", self.client.id()),
            ("device_code", self.device_code.expose()),
        ];
        let answer = http::post(&self.endpoints, self.endpoints.token(), &form)?;
        let sent = [&self.device_code];
        if answer.status == 200 {
            return Ok(Some(answer::tokens(&self.endpoints, &self.client, &answer, &sent)?));
        }
        let refused = answer::refusal(&self.endpoints, &answer, &sent)?;
        match refused.error.as_str() {
            "authorization_pending" => Ok(None),
            "slow_down" => Err(Asked::SlowDown),
            _ => Err(Asked::Failed(Error::refused(&self.endpoints, &refused))),
        }
    }
}

enum Asked {
    SlowDown,
    Failed(Error),
}

impl From<Error> for Asked {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Whether this can be shown as the page to open: https, plain ASCII, no user name that would disguise the host.
fn is_page(uri: &str) -> bool {
    let plain = uri.len() <= 200 && uri.bytes().all(|byte| byte.is_ascii_graphic());
    let host = uri.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    plain && host.is_some_and(|host| !host.is_empty() && !host.contains(['@', '\\']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_honest_pages_are_shown() {
        assert!(is_page("https://microsoft.com/devicelogin"));
        assert!(is_page("https://login.microsoft.com/device?x=1"));
        for uri in [
            "http://x.example",
            "https://",
            "https:///x",
            "javascript:x",
            "https://a@evil.example/",
            "https://ä",
            "https://x y",
        ] {
            assert!(!is_page(uri), "{uri}");
        }
    }
}
