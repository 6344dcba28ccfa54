//! `bounceback sign-in`: signing in once with a code in a browser, which may run on any other computer.

use std::io::Write;
use std::ops::ControlFlow;
use std::time::Duration;

use super::failure::{Failure, Outcome, Result};
use super::setting::{Setting, needs_network};
use crate::config::{Keep, OAuth, SignIn};
use crate::oauth::{Client, DeviceFlow, Endpoints, Kind, Service as Known, TokenStore, Tokens, renew};
use crate::stdx::visible;

/// Which account; all that sign in by browser without "--account".
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The page may be opened on any computer. The sign-in is kept where the configuration says, and renewed by \
    itself as long as it is used.\n\nExample:\n  bounceback sign-in --account support"
)]
pub(super) struct Args {}

pub(super) fn run(_: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    needs_network(setting.offline, "sign-in")?;
    let accounts = setting.accounts()?;
    let mut signed = 0;
    for account in &accounts {
        let SignIn::OAuth(oauth) = &account.sign_in else { continue };
        let service = Service::of(oauth)?;
        service.sign_in(&account.address, out)?;
        writeln!(out, "{}: signed in; kept in {}", visible(&account.name), service.store)?;
        signed += 1;
    }
    if signed == 0 {
        return Err(Failure::new("no account signs in by browser, so there is nothing to do")
            .hint("that is for accounts with oauth = \"…\"; others sign in by password or command"));
    }
    Ok(Outcome::Done)
}

/// A sign-in service as an account is registered there.
pub(super) struct Service {
    endpoints: Endpoints,
    client: Client,
    pub(super) store: TokenStore,
}

impl Service {
    /// What the configuration says, checked.
    pub(super) fn of(oauth: &OAuth) -> Result<Self> {
        let Some(known) = Known::named(&oauth.service) else {
            let names: Vec<&str> = Known::all().iter().map(|known| known.name.as_str()).collect();
            let hint = format!("known: {}; for others set token_command", names.join(", "));
            return Err(Failure::new(format!(
                "oauth = \"{}\" is no sign-in service this program knows",
                oauth.service
            ))
            .hint(hint.as_str()));
        };
        let tenant = oauth.tenant.as_deref();
        let endpoints = match &oauth.authority {
            Some(authority) => Endpoints::under(known, authority, tenant)?,
            None => Endpoints::of(known, tenant)?,
        };
        let store = match &oauth.keep {
            Keep::File(path) => TokenStore::File(path.clone()),
            Keep::Command { store, fetch } => TokenStore::Command { store: store.clone(), fetch: fetch.clone() },
        };
        Ok(Self { endpoints, client: Client::new(known, &oauth.client_id, oauth.scope.as_deref())?, store })
    }

    /// A new access token for the sign-in that was kept.
    pub(super) fn renew(&self, account: &str) -> Result<Tokens> {
        renew(&self.endpoints, &self.client, &self.store).map_err(|error| match error.kind() {
            Kind::SignInAgain => {
                Failure::from(error).hint(format!("bounceback sign-in --account \"{account}\"").as_str())
            }
            _ => error.into(),
        })
    }

    /// Shows the page and the code, waits until the code was entered, and keeps the sign-in.
    pub(super) fn sign_in(&self, address: &str, out: &mut dyn Write) -> Result<Tokens> {
        let flow = DeviceFlow::start(&self.endpoints, &self.client)?;
        let prompt = flow.prompt();
        writeln!(out, "Signing in for {}. Open this page on any computer, and enter the code:", visible(address))?;
        writeln!(out, "\n    {}\n    {}\n", visible(&prompt.verification_uri), visible(&prompt.user_code))?;
        let minutes = prompt.expires_in.as_secs() / 60;
        writeln!(
            out,
            "For a shared mailbox, sign in as yourself. Waiting, at most {minutes} minutes; Ctrl-C ends it."
        )?;
        out.flush()?;
        let tokens = flow.poll(|pause: Duration| {
            std::thread::sleep(pause);
            ControlFlow::Continue(())
        })?;
        if let Some(refresh) = &tokens.refresh {
            self.store.save(refresh)?;
        }
        Ok(tokens)
    }
}
