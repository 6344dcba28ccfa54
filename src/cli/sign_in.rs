//! From a configured account to what a pull needs, the secret included.
//!
//! A command is run anew for every pull, because tokens expire; a password is asked for once per run. Secrets are kept
//! in memory only.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::browser::Service;
use super::failure::{Failure, Result};
use crate::config::providers::cure;
use crate::config::{Account, OAuth, SignIn, Tls, secret_of_command};
use crate::model::Secret;
use crate::source::imap::{Auth, Options, Tls as Protection};
use crate::stdx::PASSWORDS;

/// The accounts of this run and the passwords that were typed for them.
#[derive(Debug, Clone, Default)]
pub struct SignIns {
    accounts: Vec<Account>,
    typed: HashMap<String, Secret>,
    /// Accounts that no password was given for.
    pub unsigned: Vec<String>,
    /// Access tokens of this run, and until when they are good; shared by all copies.
    tokens: Arc<Mutex<HashMap<String, (Secret, Instant)>>>,
}

impl SignIns {
    /// Takes the accounts over and asks for the passwords that nothing else gives. An account whose question is
    /// answered with nothing is left out.
    ///
    /// # Errors
    /// When a password is needed and nobody is there to ask.
    pub(super) fn ask(accounts: &[&Account]) -> Result<Self> {
        let mut sign_ins = Self::default();
        for account in accounts {
            if account.sign_in == SignIn::Ask && from_environment(&account.name).is_none() {
                let password = prompt(account)?;
                if password.expose().is_empty() {
                    sign_ins.unsigned.push(account.name.clone());
                    continue;
                }
                sign_ins.typed.insert(account.name.clone(), password);
            }
            sign_ins.accounts.push((*account).clone());
        }
        Ok(sign_ins)
    }

    /// One account, with the password that was typed for it.
    pub(super) fn with(account: &Account, typed: Option<Secret>) -> Self {
        let typed = typed.into_iter().map(|password| (account.name.clone(), password)).collect();
        Self { accounts: vec![account.clone()], typed, ..Self::default() }
    }

    /// The names of the accounts that can be pulled.
    pub fn names(&self) -> Vec<&str> {
        self.accounts.iter().map(|account| account.name.as_str()).collect()
    }

    /// What a pull of the account needs. Runs its command.
    ///
    /// # Errors
    /// When there is no such account, or its command gives no secret.
    pub fn options(&self, name: &str) -> Result<Options> {
        let Some(account) = self.accounts.iter().find(|account| account.name == name) else {
            return Err(Failure::new(format!("no account \"{name}\" to sign in to")));
        };
        let auth = match &account.sign_in {
            SignIn::PasswordCommand(argv) => Auth::Password(secret_of_command("password_command", argv, patience())?),
            SignIn::TokenCommand(argv) => Auth::XOAuth2(secret_of_command("token_command", argv, patience())?),
            SignIn::OAuth(oauth) => Auth::XOAuth2(self.token(name, oauth)?),
            SignIn::Ask => Auth::Password(
                from_environment(name)
                    .or_else(|| self.typed.get(name).cloned())
                    .ok_or_else(|| Failure::new(format!("no password for account \"{name}\"")))?,
            ),
        };
        let mut options = Options::new(&account.name, &account.host, &account.user, auth);
        options.port = account.port;
        options.cure = cure;
        options.ca_file.clone_from(&account.ca_file);
        options.folders.clone_from(&account.folders);
        options.sent_folders.clone_from(&account.sent_folders);
        options.tls = match account.tls {
            Tls::Implicit => Protection::Implicit,
            Tls::StartTls => Protection::StartTls,
            Tls::None => Protection::None,
        };
        Ok(options)
    }

    /// An access token for an account that signs in by browser: the one of this run, else a new one.
    fn token(&self, name: &str, oauth: &OAuth) -> Result<Secret> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, until)) = tokens.get(name)
            && Instant::now() + MARGIN < *until
        {
            return Ok(token.clone());
        }
        let granted = Service::of(oauth)?.renew(name)?;
        tokens.insert(name.to_owned(), (granted.access.clone(), Instant::now() + granted.expires_in));
        Ok(granted.access)
    }
}

/// Not used any more when it is this close to its end: a pull may take a while.
const MARGIN: Duration = Duration::from_secs(300);

/// How long a command may take: somebody at a terminal may be asked for a passphrase, a cron job may not hang.
fn patience() -> Duration {
    Duration::from_secs(if std::io::stdin().is_terminal() { 120 } else { 10 })
}

/// `BOUNCEBACK_PASSWORD_SUPPORT` for the account "support", else `BOUNCEBACK_PASSWORD`.
pub(super) fn from_environment(name: &str) -> Option<Secret> {
    let suffix: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    set(&format!("{PASSWORDS}_{suffix}")).or_else(|| set(PASSWORDS)).map(Secret::new)
}

fn prompt(account: &Account) -> Result<Secret> {
    let failed = |why: String| {
        Failure::new(format!("no password for account \"{}\": {why}", account.name)).hint(
            "set password_command or token_command in the configuration, or BOUNCEBACK_PASSWORD in the environment",
        )
    };
    if !std::io::stdin().is_terminal() {
        return Err(failed("there is no terminal to ask on".to_owned()));
    }
    let question = format!("Password of {} at {} (Enter to work without pulling): ", account.user, account.host);
    rpassword::prompt_password(crate::stdx::visible(&question).as_ref())
        .map(Secret::new)
        .map_err(|why| failed(why.to_string()))
}
