//! The `oauth…` keys of an account: a sign-in at a service that gives out tokens, and where the refresh token is kept.
//!
//! Checks that the keys fit together; whether the service knows the tenant and the client is the service's own answer.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::error::Error;
use super::{Reader, file, paths};

/// A sign-in by OAuth 2.0. Plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth {
    /// The service's name, such as "microsoft".
    pub service: String,
    /// Its address, where it is not the usual one (national clouds).
    pub authority: Option<String>,
    /// The organisation at the service.
    pub tenant: Option<String>,
    /// The company's own registration.
    pub client_id: String,
    /// What to ask for, where it is not the usual.
    pub scope: Option<String>,
    /// Where the refresh token is kept.
    pub keep: Keep,
}

/// Where a refresh token is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// In a file for its owner alone.
    File(PathBuf),
    /// By commands: one reads it from standard input, one prints it.
    Command {
        /// Keeps it.
        store: Vec<String>,
        /// Prints it.
        fetch: Vec<String>,
    },
}

/// The sign-in of an account that says `oauth`; `None` where no key speaks of it.
pub(super) fn read(reader: &Reader<'_>, written: &file::Account, dir: &Path) -> Result<Option<OAuth>, Error> {
    let filled = |text: &Option<Spanned<String>>| text.as_ref().map(|text| reader.filled(text)).transpose();
    let Some(service) = &written.oauth else {
        let texts = [
            ("oauth_tenant", &written.oauth_tenant),
            ("oauth_client_id", &written.oauth_client_id),
            ("oauth_authority", &written.oauth_authority),
            ("oauth_scope", &written.oauth_scope),
            ("oauth_token_file", &written.oauth_token_file),
        ];
        return match texts.into_iter().find_map(|(key, value)| value.as_ref().map(|value| (key, value))) {
            Some((key, value)) => Err(reader
                .wrong(value, format!("{key} says nothing without the key \"oauth\""))
                .with_hint("oauth = \"microsoft\"")),
            None => Ok(None),
        };
    };
    let client_id = filled(&written.oauth_client_id)?.ok_or_else(|| {
        reader
            .wrong(service, "oauth needs oauth_client_id: the id of your company's own registration")
            .with_hint("docs/providers tells how an administrator makes one")
    })?;
    let keep = match (&written.oauth_token_file, &written.oauth_token_command, &written.oauth_store_command) {
        (Some(file), None, None) => Keep::File(paths::resolve(&reader.filled(file)?, dir)),
        (None, Some(fetch), Some(store)) => {
            Keep::Command { store: reader.command(store)?, fetch: reader.command(fetch)? }
        }
        (Some(file), _, _) => {
            return Err(reader.wrong(file, "oauth_token_file and the commands for the token exclude each other"));
        }
        _ => {
            return Err(reader
                .wrong(service, "oauth must know where to keep the sign-in")
                .with_hint("oauth_token_file = \"support.token\", or oauth_token_command and oauth_store_command"));
        }
    };
    Ok(Some(OAuth {
        service: reader.filled(service)?,
        authority: filled(&written.oauth_authority)?,
        tenant: filled(&written.oauth_tenant)?,
        client_id,
        scope: filled(&written.oauth_scope)?,
        keep,
    }))
}
