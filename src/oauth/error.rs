//! What can go wrong with a sign-in, in words: one constructor per message.
//!
//! Invariant: no message holds a token; what a server wrote went through `answer::harmless` or `visible`.

use std::fmt;
use std::path::Path;

use super::answer::Refused;
use super::endpoints::Endpoints;
use super::keep::TokenStore;
use crate::stdx::visible;

/// What can be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The caller cancelled.
    Cancelled,
    /// The same may work later: network, overload.
    Temporary,
    /// The lead has to sign in again (the device flow).
    SignInAgain,
    /// Something has to be changed first: configuration, app registration, a rule of the organisation.
    Refused,
    /// The answer could not be used.
    Unreadable,
    /// The refresh token could not be read or kept.
    Keep,
}

/// A sign-in that failed.
#[derive(Debug, Clone)]
pub struct Error {
    kind: Kind,
    what: String,
    hint: Option<String>,
}

impl Error {
    /// What can be done about it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What the reader can do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    fn new(kind: Kind, what: String, hint: impl Into<String>) -> Self {
        Self { kind, what, hint: Some(hint.into()) }
    }

    // Configuration.

    pub(super) fn authority(written: &str) -> Self {
        let what = format!("the sign-in address {:?} cannot be used", visible(written));
        Self::new(
            Kind::Refused,
            what,
            "expected https:// and a host name; http:// is for this machine only (127.0.0.1)",
        )
    }

    pub(super) fn tenant(written: &str) -> Self {
        let what = format!("oauth_tenant {:?} is neither a tenant id nor a domain", visible(written));
        Self::new(
            Kind::Refused,
            what,
            "take the tenant id or a domain of the organisation, such as \"company.example\"",
        )
    }

    pub(super) fn client_id(written: &str) -> Self {
        let what = format!("oauth_client_id {:?} cannot be used", visible(written));
        Self::new(Kind::Refused, what, "take the id of your own app registration; docs/providers tells how to make one")
    }

    pub(super) fn scope(written: &str) -> Self {
        let what = format!("oauth_scope {:?} cannot be used", visible(written));
        Self::new(Kind::Refused, what, "leave it out, unless the service is a national cloud")
    }

    // Transport.

    pub(super) fn unreachable(endpoints: &Endpoints, why: &str) -> Self {
        let what = format!("could not reach the sign-in service at {}: {}", endpoints.host(), visible(why));
        Self::new(
            Kind::Temporary,
            what,
            "check the network; behind a proxy set HTTPS_PROXY, and have the administrator allow this host",
        )
    }

    pub(super) fn certificate(endpoints: &Endpoints, why: &str) -> Self {
        let what = format!("the sign-in service at {} could not prove who it is: {}", endpoints.host(), visible(why));
        Self::new(
            Kind::Refused,
            what,
            "nothing was sent; where a proxy opens encrypted traffic, its authority must be in this system's trust store",
        )
    }

    pub(super) fn redirect(endpoints: &Endpoints, status: u16) -> Self {
        let what = format!(
            "the sign-in service at {} sends the request elsewhere (status {status}), which is not followed",
            endpoints.host()
        );
        Self::new(Kind::Unreadable, what, "a sign-in page of the network in between? open a page in the browser first")
    }

    pub(super) fn unreadable(endpoints: &Endpoints, why: &str) -> Self {
        let what = format!("the sign-in service at {} sent an unusable answer: {}", endpoints.host(), visible(why));
        Self::new(Kind::Unreadable, what, "try again; if it stays, check oauth_authority and any proxy in between")
    }

    /// An answer that is no JSON: a gateway's page, mostly.
    pub(super) fn status(endpoints: &Endpoints, status: u16) -> Self {
        if status == 429 || status >= 500 {
            let what = format!("the sign-in service at {} is not available (status {status})", endpoints.host());
            return Self::new(Kind::Temporary, what, "try again in a few minutes");
        }
        Self::unreadable(endpoints, &format!("status {status}, and no reason that can be read"))
    }

    // What the service says.

    pub(super) fn refused(endpoints: &Endpoints, refused: &Refused) -> Self {
        let title = &endpoints.service.title;
        let trace = refused.correlation.as_deref().map(|id| format!("; correlation id {id}")).unwrap_or_default();
        if let Some(known) = endpoints.service.refusal(&refused.numbers, &refused.text) {
            let kind = match known.again {
                true => Kind::SignInAgain,
                false if refused.error == "temporarily_unavailable" || refused.status >= 500 => Kind::Temporary,
                false => Kind::Refused,
            };
            let what = format!("{title} refused the sign-in: {} ({}{trace})", known.means, known.code);
            return Self::new(kind, what, known.cure.clone());
        }
        let (kind, means, hint) = match refused.error.as_str() {
            "access_denied" | "authorization_declined" => {
                (Kind::SignInAgain, "it was declined in the browser", "sign in again and accept")
            }
            "expired_token" | "bad_verification_code" => {
                (Kind::SignInAgain, "the code was not entered in time", "sign in again and enter the code sooner")
            }
            "invalid_grant" => (Kind::SignInAgain, "it is not valid any longer", "sign in again"),
            "interaction_required" | "login_required" | "consent_required" => {
                (Kind::SignInAgain, "the person has to answer something first", "sign in again")
            }
            "invalid_client" => {
                let hint = "check oauth_client_id, and that the app registration allows public client flows";
                (Kind::Refused, "it does not accept the app registration", hint)
            }
            "unauthorized_client" => {
                let hint = "ask the administrator whether the app registration may sign in by device code";
                (Kind::Refused, "the app registration may not sign in this way", hint)
            }
            "unsupported_grant_type" => {
                (Kind::Refused, "it knows no sign-in by device code", "use an app password or token_command instead")
            }
            "invalid_scope" => (Kind::Refused, "it does not know the scope", "correct oauth_scope, or leave it out"),
            "temporarily_unavailable" | "server_error" | "slow_down" => {
                (Kind::Temporary, "it is not available at the moment", "try again in a few minutes")
            }
            _ => (Kind::Refused, "", "show this to the administrator; the sign-in log of the service has the details"),
        };
        let code = [refused.error.as_str(), refused.text.as_str()].into_iter().filter(|text| !text.is_empty());
        let said = code.collect::<Vec<_>>().join(": ");
        let what = match means {
            "" => format!("{title} refused the sign-in: {said}{trace}"),
            means => format!("{title} refused the sign-in: {means} ({said}{trace})"),
        };
        Self::new(kind, what, hint)
    }

    pub(super) fn scope_missing(endpoints: &Endpoints, scope: &str) -> Self {
        let what = format!(
            "{} let you sign in, but not read mail: \"{}\" was not granted",
            endpoints.service.title,
            visible(scope)
        );
        Self::new(
            Kind::Refused,
            what,
            "ask the administrator to add this permission to the app registration and to grant it",
        )
    }

    // The device flow.

    pub(super) fn cancelled() -> Self {
        Self { kind: Kind::Cancelled, what: "the sign-in was cancelled".to_owned(), hint: None }
    }

    pub(super) fn too_late(endpoints: &Endpoints) -> Self {
        let what = format!("the code for {} was not entered in time", endpoints.service.title);
        Self::new(Kind::SignInAgain, what, "sign in again; the code is good for about a quarter of an hour")
    }

    pub(super) fn nothing_to_keep(endpoints: &Endpoints) -> Self {
        let what = format!("{} let you sign in, but only for an hour: no refresh token came", endpoints.service.title);
        Self::new(Kind::Refused, what, "oauth_scope must contain \"offline_access\"")
    }

    // Keeping the refresh token.

    pub(super) fn nothing_kept(store: &TokenStore) -> Self {
        Self::new(
            Kind::SignInAgain,
            format!("nobody is signed in yet: {store} holds no refresh token"),
            "sign in first",
        )
    }

    pub(super) fn open_to_others(path: &Path, mode: u32) -> Self {
        let what = format!(
            "the token file \"{}\" can be read or changed by others (mode {mode:04o})",
            visible(&path.to_string_lossy())
        );
        let hint =
            "take the rights away (chmod 600), then sign in again: what others could read counts as known to them";
        Self::new(Kind::Keep, what, hint)
    }

    pub(super) fn token_file(path: &Path, deed: &str, why: &str) -> Self {
        let what = format!("could not {deed} the token file \"{}\": {why}", visible(&path.to_string_lossy()));
        Self::new(Kind::Keep, what, "check oauth_token_file and the rights of its folder")
    }

    pub(super) fn token_command(key: &str, program: &str, why: &str) -> Self {
        let what = format!("{key} \"{}\" failed: {}", visible(program), visible(why));
        let hint = match key {
            "oauth_store_command" => "the command must read the token from its standard input; no shell runs it",
            _ => "the command must print the token as its first line; if nothing was kept yet, sign in first",
        };
        Self::new(Kind::Keep, what, hint)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {}
