//! Sign-in by OAuth 2.0 without a browser on this machine: the device authorization grant (RFC 8628) and the refresh
//! token grant (RFC 6749 section 6), and keeping the refresh token.
//!
//! Knows the protocol and no provider: addresses, scopes and the meaning of refusals are data (`assets/oauth.toml`).
//! Knows nothing of IMAP; whoever signs in there takes the access token from here. Reads no clock and never sleeps:
//! the caller's `wait` does, and may cancel.
//!
//! Invariants: secrets travel in [`Secret`] and are never part of an error; requests go to https addresses only, save
//! for loopback stand-ins; redirects are not followed; every request has an absolute deadline and every answer a limit.
//! What a server wrote is shown only after it was made visible.
//!
//! A proxy is taken from the environment (`ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`); it sees an encrypted
//! tunnel. Loopback addresses are always asked directly.

mod answer;
mod device;
mod endpoints;
mod error;
mod http;
mod keep;
mod service;

pub use answer::Tokens;
pub use device::{DeviceFlow, Prompt};
pub use endpoints::{Client, Endpoints};
pub use error::{Error, Kind};
pub use keep::TokenStore;
pub use service::Service;

use crate::model::Secret;

/// Gets a new access token for a refresh token (RFC 6749 section 6). Where the answer holds a new refresh token, the
/// old one must be replaced by it.
///
/// # Errors
/// [`Kind::SignInAgain`] when the refresh token is of no use any longer, [`Kind::Temporary`] when it may work later.
pub fn refresh(endpoints: &Endpoints, client: &Client, token: &Secret) -> Result<Tokens, Error> {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", client.id()),
        ("scope", client.scope()),
        ("refresh_token", token.expose()),
    ];
    let answer = http::post(endpoints, endpoints.token(), &form)?;
    answer::tokens(endpoints, client, &answer, &[token])
}

/// The access token for a sign-in that was kept: reads the refresh token, exchanges it, keeps its successor.
///
/// # Errors
/// As [`refresh`] and [`TokenStore::load`]; [`Kind::SignInAgain`] when nothing was kept. When the new refresh token
/// cannot be kept this is an error too: the next run would fail without a visible reason.
pub fn renew(endpoints: &Endpoints, client: &Client, store: &TokenStore) -> Result<Tokens, Error> {
    let kept = store.load()?.ok_or_else(|| Error::nothing_kept(store))?;
    let tokens = refresh(endpoints, client, &kept)?;
    if let Some(new) = &tokens.refresh
        && new.expose() != kept.expose()
    {
        store.save(new)?;
    }
    Ok(tokens)
}
