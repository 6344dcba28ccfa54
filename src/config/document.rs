//! Writes an account as a person would: every key with what it is for. The reverse of `account.rs`; tests hold the two
//! together. Makes text and touches no file.

use super::{Account, Keep, OAuth, SignIn, Tls};

/// The top of a new file, for an inbox at this domain; `own` where the domain belongs to the company alone; `addresses`
/// are more of ours.
pub fn head(domain: &str, own: bool, addresses: &[String]) -> String {
    let comment = if own { "" } else { "# " };
    let addresses = match addresses {
        [] => String::new(),
        addresses => format!(
            "\n# Addresses beside the inbox's that our answers are sent from.\nown_addresses = {}\n",
            list(addresses)
        ),
    };
    format!(
        "# bounceback, as \"bounceback setup\" wrote it. \"bounceback config example\" prints every key there is,\n\
         # \"bounceback config check\" says whether this file can be used, \"bounceback doctor\" whether the inbox can.\n\n\
         # Domains that are ours: tell our own messages from forged ones.\n{comment}own_domains = [{}]\n{addresses}",
        text(domain)
    )
}

/// One `[[account]]`, with comments; `sent` is the folder of sent mail, where one was found.
pub fn account(account: &Account, sent: Option<&str>) -> String {
    let mut lines =
        String::from("\n# Nothing in this mailbox is ever changed: no flag, no folder, no mail.\n[[account]]\n");
    let mut key = |name: &str, value: String| lines.push_str(&format!("{name} = {value}\n"));
    if account.name != account.address {
        key("name", text(&account.name));
    }
    key("address", text(&account.address));
    key("host", text(&account.host));
    key("port", account.port.to_string());
    let tls = match account.tls {
        Tls::Implicit => "implicit",
        Tls::StartTls => "starttls",
        Tls::None => "none",
    };
    key("tls", text(tls));
    if let Some(file) = &account.ca_file {
        key("ca_file", text(&file.display().to_string()));
    }
    if account.user != account.address {
        key("user", text(&account.user));
    }
    lines.push('\n');
    lines.push_str(&sign_in(&account.sign_in));
    lines.push_str(&format!(
        "\n# Where bounces arrive. Servers often file them as junk, so that folder belongs here too.\nfolders = {}\n",
        list(&account.folders)
    ));
    let sent_folders = match (account.sent_folders.as_slice(), sent) {
        ([], sent) => format!("# sent_folders = {}\n", list(&[sent.unwrap_or("Sent").to_owned()])),
        (folders, _) => format!("sent_folders = {}\n", list(folders)),
    };
    lines.push_str(
        "\n# Whom we write to helps to guess the right address: headers of the sent mail are read once, where named.\n",
    );
    lines.push_str(&sent_folders);
    lines
}

fn sign_in(sign_in: &SignIn) -> String {
    match sign_in {
        SignIn::PasswordCommand(argv) => {
            format!("# Prints the password as its first line; run without a shell.\npassword_command = {}\n", list(argv))
        }
        SignIn::TokenCommand(argv) => {
            format!("# Prints an OAuth2 access token as its first line; run without a shell.\ntoken_command = {}\n", list(argv))
        }
        SignIn::Ask => "# The password is asked for once per run, or taken from BOUNCEBACK_PASSWORD. With a password manager,\n\
                        # and for cron, a command prints it:\n# password_command = [\"pass\", \"show\", \"mail/support\"]\n"
            .to_owned(),
        SignIn::OAuth(oauth) => by_browser(oauth),
    }
}

fn by_browser(oauth: &OAuth) -> String {
    let mut lines =
        String::from("# Signed in with a code in a browser; \"bounceback sign-in\" does it again when it has ended.\n");
    let mut key = |name: &str, value: String| lines.push_str(&format!("{name} = {value}\n"));
    key("oauth", text(&oauth.service));
    let texts = [
        ("oauth_authority", &oauth.authority),
        ("oauth_tenant", &oauth.tenant),
        ("oauth_client_id", &Some(oauth.client_id.clone())),
        ("oauth_scope", &oauth.scope),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            key(name, text(value));
        }
    }
    match &oauth.keep {
        Keep::File(path) => key("oauth_token_file", text(&path.display().to_string())),
        Keep::Command { store, fetch } => {
            key("oauth_token_command", list(fetch));
            key("oauth_store_command", list(store));
        }
    }
    lines
}

fn text(value: &str) -> String {
    toml::Value::from(value).to_string()
}

fn list(values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| text(value)).collect();
    format!("[{}]", values.join(", "))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::config::Config;

    #[test]
    fn what_is_written_reads_back() {
        let ways = [
            SignIn::Ask,
            SignIn::PasswordCommand(vec!["pass".into(), "show".into(), "a \"b\" \\ c".into()]),
            SignIn::TokenCommand(vec!["token".into()]),
            SignIn::OAuth(OAuth {
                service: "microsoft".into(),
                authority: Some("http://127.0.0.1:1".into()),
                tenant: Some("company.example".into()),
                client_id: "1234".into(),
                scope: None,
                keep: Keep::File(PathBuf::from("/etc/bounceback/support.token")),
            }),
            SignIn::OAuth(OAuth {
                service: "microsoft".into(),
                authority: None,
                tenant: None,
                client_id: "1234".into(),
                scope: Some("a b".into()),
                keep: Keep::Command { store: vec!["keep".into()], fetch: vec!["show".into()] },
            }),
        ];
        for (number, sign_in) in ways.into_iter().enumerate() {
            let written = Account {
                name: if number == 0 { "support@company.example".into() } else { format!("in \"{number}\"") },
                address: "support@company.example".into(),
                host: "localhost".into(),
                port: 1143,
                tls: [Tls::Implicit, Tls::StartTls, Tls::None][number % 3],
                ca_file: (number == 1).then(|| PathBuf::from("/etc/ca.pem")),
                user: if number == 0 { "support@company.example".into() } else { "support".into() },
                sign_in,
                folders: vec!["INBOX".into(), "Rückläufer & \"Co\"".into()],
                sent_folders: if number == 2 { vec!["Sent".into()] } else { Vec::new() },
            };
            let whole = head("company.example", number == 0, &["help@other.example".to_owned()])
                + &account(&written, Some("Gesendet"));
            let config = Config::parse(&whole, Path::new("/etc/bounceback/config.toml")).expect(&whole);
            assert_eq!(config.accounts, [written], "{whole}");
            assert_eq!(config.identity.domains.len(), usize::from(number == 0));
        }
    }
}
