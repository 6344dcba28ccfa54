//! Known mail providers: which one holds a mailbox, and what its owner has to know (`assets/mail-providers.toml`).
//!
//! Asks nobody: mail exchangers are handed in by whoever may ask the DNS. Invariant: the table is checked by tests, so
//! that reading it cannot fail at run time; every provider with a server has a way to sign in.

use std::sync::OnceLock;

use serde::Deserialize;

use super::Tls;

const TABLE: &str = include_str!("../../assets/mail-providers.toml");

/// A way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInKind {
    /// A password the provider makes for one program.
    AppPassword,
    /// The password of the mailbox.
    Password,
    /// Built in: a code is entered in the browser, once.
    Oauth,
    /// A helper program prints an access token.
    TokenCommand,
}

/// How the user name is formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserForm {
    /// The whole address.
    #[default]
    Address,
    /// What stands before the last `@`.
    LocalPart,
}

/// A provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Short name.
    pub id: String,
    /// As its customers call it.
    pub title: String,
    /// Mail domains of its own, lower case.
    pub domains: Vec<String>,
    /// Suffixes of the mail exchangers of company domains it hosts, lower case.
    pub mx: Vec<String>,
    /// The IMAP server; `None` where there is none, or none that all customers share.
    pub host: Option<String>,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// What works, the easiest first.
    pub sign_in: Vec<SignInKind>,
    /// The service of `oauth = "…"`, where [`SignInKind::Oauth`] is among them.
    pub oauth: Option<String>,
    /// Its tenant, where it is not the company's own.
    pub oauth_tenant: Option<String>,
    /// How the user name is formed.
    pub user: UserForm,
    /// The folder to propose for junk; one the server marks `\Junk` wins.
    pub junk: Option<String>,
    /// Where app passwords are made.
    pub app_password_page: Option<String>,
    /// Its page in `docs/providers`, without `.md`.
    pub page: String,
    /// What the lead has to know or switch on: plain sentences.
    pub notes: Vec<String>,
    /// Where this is written down.
    pub source: String,
    errors: Vec<ServerError>,
}

/// Who receives mail for a domain, by the name of its mail exchanger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchanger {
    /// This provider, which holds the mailbox as a rule.
    Provider(&'static Provider),
    /// A filter or forwarder: the mailbox is somewhere else.
    Gateway(&'static Gateway),
}

/// A filter or forwarder in front of mailboxes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// As its customers call it.
    pub title: String,
    mx: Vec<String>,
    /// What to do then; lower case.
    pub note: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerError {
    says: String,
    cure: String,
}

/// A provider as written: what is left out comes from `like`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    like: Option<String>,
    title: String,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    mx: Vec<String>,
    host: Option<String>,
    port: Option<u16>,
    tls: Option<String>,
    sign_in: Option<Vec<SignInKind>>,
    oauth: Option<String>,
    oauth_tenant: Option<String>,
    user: Option<UserForm>,
    junk: Option<String>,
    app_password_page: Option<String>,
    page: Option<String>,
    notes: Option<Vec<String>>,
    source: Option<String>,
    checked: Option<String>,
    error: Option<Vec<ServerError>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    junk_names: Vec<String>,
    provider: Vec<Entry>,
    error: Vec<ServerError>,
    gateway: Vec<Gateway>,
}

struct Table {
    junk_names: Vec<String>,
    providers: Vec<Provider>,
    errors: Vec<ServerError>,
    gateways: Vec<Gateway>,
}

#[expect(clippy::expect_used, reason = "the table is part of the program and a test reads it")]
fn table() -> &'static Table {
    static TABLE_READ: OnceLock<Table> = OnceLock::new();
    TABLE_READ.get_or_init(|| read(TABLE).expect("assets/mail-providers.toml"))
}

fn read(text: &str) -> Result<Table, String> {
    let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
    let providers =
        written.provider.iter().map(|entry| complete(entry, &written.provider)).collect::<Result<_, _>>()?;
    Ok(Table { junk_names: written.junk_names, providers, errors: written.error, gateways: written.gateway })
}

/// Fills in what `like` says and checks that nothing is missing.
fn complete(entry: &Entry, all: &[Entry]) -> Result<Provider, String> {
    let wrong = |what: String| format!("provider {:?}: {what}", entry.id);
    let mut full = entry.clone();
    let mut steps = 0;
    while let Some(name) = full.like.take() {
        let base =
            all.iter().find(|other| other.id == name).ok_or_else(|| wrong(format!("like {name:?}: no such entry")))?;
        steps += 1;
        if steps > all.len() {
            return Err(wrong("like goes in a circle".to_owned()));
        }
        let base = base.clone();
        full = Entry {
            like: base.like,
            port: full.port.or(base.port),
            tls: full.tls.or(base.tls),
            sign_in: full.sign_in.or(base.sign_in),
            oauth: full.oauth.or(base.oauth),
            oauth_tenant: full.oauth_tenant.or(base.oauth_tenant),
            user: full.user.or(base.user),
            junk: full.junk.or(base.junk),
            app_password_page: full.app_password_page.or(base.app_password_page),
            page: full.page.or(base.page),
            notes: full.notes.or(base.notes),
            source: full.source.or(base.source),
            checked: full.checked.or(base.checked),
            error: full.error.or(base.error),
            ..full
        };
    }
    let tls = match full.tls.as_deref() {
        None | Some("implicit") => Tls::Implicit,
        Some("starttls") => Tls::StartTls,
        Some(other) => return Err(wrong(format!("tls {other:?}"))),
    };
    if !matches!(full.checked.as_deref(), Some("documented" | "shared")) {
        return Err(wrong(format!("checked {:?}", full.checked)));
    }
    let sign_in = full.sign_in.ok_or_else(|| wrong("no sign_in".to_owned()))?;
    if full.host.is_some() == sign_in.is_empty() || sign_in.contains(&SignInKind::Oauth) != full.oauth.is_some() {
        return Err(wrong("host, sign_in and oauth do not fit together".to_owned()));
    }
    Ok(Provider {
        port: full.port.unwrap_or(if tls == Tls::Implicit { 993 } else { 143 }),
        user: full.user.unwrap_or_default(),
        page: full.page.ok_or_else(|| wrong("no page".to_owned()))?,
        source: full.source.ok_or_else(|| wrong("no source".to_owned()))?,
        notes: full.notes.unwrap_or_default(),
        errors: full.error.unwrap_or_default(),
        id: full.id,
        title: full.title,
        domains: full.domains,
        mx: full.mx,
        host: full.host,
        tls,
        sign_in,
        oauth: full.oauth,
        oauth_tenant: full.oauth_tenant,
        junk: full.junk,
        app_password_page: full.app_password_page,
    })
}

/// Every known provider, in order of id.
pub fn providers() -> &'static [Provider] {
    &table().providers
}

/// What to do about a server's refusal; the cures of the provider whose server it is come first.
pub fn cure(host: &str, server_text: &str) -> Option<&'static str> {
    let own = Provider::of_host(host).and_then(|provider| cure_among(&provider.errors, server_text));
    own.or_else(|| cure_among(&table().errors, server_text))
}

/// Whether a folder is for junk, by its name alone.
pub fn is_junk_name(folder: &str) -> bool {
    let last = folder.rsplit(['/', '.']).next().unwrap_or(folder).to_lowercase();
    table().junk_names.contains(&last)
}

impl Provider {
    /// The provider that has this mail domain as its own, or is its parent (`company.onmicrosoft.com`).
    pub fn of_domain(domain: &str) -> Option<&'static Self> {
        best(providers(), |provider| &provider.domains, domain)
    }

    /// The provider whose IMAP server this is; the one with mail domains of its own where several share it.
    pub fn of_host(host: &str) -> Option<&'static Self> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        providers().iter().find(|provider| provider.host.as_deref() == Some(host.as_str()))
    }

    /// The user name for an address.
    pub fn user_for(&self, address: &str) -> String {
        match self.user {
            UserForm::Address => address.to_owned(),
            UserForm::LocalPart => address.rsplit_once('@').map_or(address, |(local, _)| local).to_owned(),
        }
    }
}

impl Exchanger {
    /// Who stands behind the mail exchangers of a domain, in order of preference: the first that is known. A provider
    /// among them wins over a gateway.
    pub fn of(hosts: &[impl AsRef<str>]) -> Option<Self> {
        let provider = |host: &&str| best(providers(), |provider| &provider.mx, host).map(Self::Provider);
        let gateway = |host: &&str| best(&table().gateways, |gateway| &gateway.mx, host).map(Self::Gateway);
        let hosts: Vec<&str> = hosts.iter().map(AsRef::as_ref).collect();
        hosts.iter().find_map(provider).or_else(|| hosts.iter().find_map(gateway))
    }
}

/// The entry with the longest suffix that equals the name or is a parent of it.
fn best<T>(all: &'static [T], suffixes: impl Fn(&T) -> &Vec<String>, name: &str) -> Option<&'static T> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let fits = |suffix: &&String| {
        name.strip_suffix(suffix.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    let length = |entry: &T| suffixes(entry).iter().filter(fits).map(String::len).max();
    all.iter()
        .filter_map(|entry| length(entry).map(|length| (length, entry)))
        .max_by_key(|(length, _)| *length)
        .map(|(_, entry)| entry)
}

fn cure_among<'a>(errors: &'a [ServerError], server_text: &str) -> Option<&'a str> {
    let text = server_text.to_ascii_lowercase();
    let fitting = errors.iter().filter(|error| text.contains(&error.says));
    fitting.max_by_key(|error| error.says.len()).map(|error| error.cure.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_table_is_sorted_and_unique() {
        assert!(providers().is_sorted_by(|a, b| a.id < b.id), "sorted by id, unique");
        assert!(table().gateways.is_sorted_by(|a, b| a.title < b.title));
        let (mut domains, mut mx) = (BTreeSet::new(), BTreeSet::new());
        for provider in providers() {
            assert!(provider.domains.is_sorted_by(|a, b| a < b), "{}: domains", provider.id);
            assert!(provider.mx.is_sorted_by(|a, b| a < b), "{}: mx", provider.id);
            assert!(!provider.domains.is_empty() || !provider.mx.is_empty(), "{}: never found", provider.id);
            assert!(provider.domains.iter().all(|domain| domains.insert(domain)), "{}: domain twice", provider.id);
            assert!(provider.mx.iter().all(|suffix| mx.insert(suffix)), "{}: mx twice", provider.id);
        }
        assert!(table().gateways.iter().flat_map(|gateway| &gateway.mx).all(|suffix| mx.insert(suffix)));
        for name in domains.iter().chain(&mx) {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
            assert!(name.chars().all(plain) && name.contains('.') && !name.starts_with('.'), "{name:?}");
        }
    }

    #[test]
    fn every_entry_is_complete() {
        assert!(providers().len() > 60);
        for provider in providers() {
            let id = &provider.id;
            let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/providers/{}.md", provider.page));
            assert!(page.is_file(), "{id}: no page {}", provider.page);
            assert!(provider.host.is_some() || !provider.notes.is_empty(), "{id}: no server and no word about it");
            assert!(
                provider.notes.iter().all(|note| note.ends_with('.') || note.ends_with('"')),
                "{id}: notes are sentences"
            );
            if let Some(page) = &provider.app_password_page {
                assert!(page.starts_with("https://"), "{id}");
                assert!(provider.sign_in.contains(&SignInKind::AppPassword), "{id}");
            }
            for error in provider.errors.iter().chain(&table().errors) {
                assert_eq!(error.says, error.says.to_ascii_lowercase(), "{id}");
                assert!(!error.says.is_empty() && !error.cure.ends_with('.'), "{id}: {}", error.cure);
            }
        }
    }

    #[test]
    fn a_wrong_table_is_refused() {
        let good = "junk_names = []\nerror = []\ngateway = []\n[[provider]]\nid = \"a\"\ntitle = \"A\"\nmx = [\"a.example\"]\n";
        let rest = "host = \"imap.a.example\"\nsign_in = [\"password\"]\npage = \"other\"\nsource = \"x\"\nchecked = \"shared\"\n";
        assert!(read(&format!("{good}{rest}")).is_ok());
        for (from, to) in [
            ("sign_in = [\"password\"]", "sign_in = []"),
            ("sign_in = [\"password\"]", "sign_in = [\"oauth\"]"),
            ("sign_in = [\"password\"]", "sign_in = [\"magic\"]"),
            ("host = \"imap.a.example\"\n", ""),
            ("page = \"other\"\n", ""),
            ("checked = \"shared\"", "checked = \"live\""),
            ("page = ", "like = \"b\"\npage = "),
            ("page = ", "like = \"a\"\npage = "),
            ("page = ", "hsot = \"a\"\npage = "),
            ("page = ", "tls = \"none\"\npage = "),
        ] {
            assert!(read(&format!("{good}{}", rest.replace(from, to))).is_err(), "{from} -> {to}");
        }
    }

    #[test]
    fn providers_are_found() {
        let domain = |name| Provider::of_domain(name).map(|provider| provider.id.as_str());
        assert_eq!(domain("gmail.com"), Some("google"));
        assert_eq!(domain("Outlook.COM."), Some("outlook-com"));
        assert_eq!(domain("company.onmicrosoft.com"), Some("microsoft-365"));
        assert_eq!(domain("notgmail.com"), None);
        assert_eq!(domain("company.example"), None);
        let mx = |hosts: &[&str]| match Exchanger::of(hosts) {
            Some(Exchanger::Provider(provider)) => provider.id.clone(),
            Some(Exchanger::Gateway(gateway)) => format!("({})", gateway.title),
            None => "-".to_owned(),
        };
        for (hosts, want) in [
            (&["aspmx.l.google.com", "alt1.aspmx.l.google.com"][..], "google"),
            (&["SMTP.GOOGLE.COM."], "google"),
            (&["aspmx2.googlemail.com"], "google"),
            (&["company-example.mail.protection.outlook.com"], "microsoft-365"),
            (&["company-example.p-v1.mx.microsoft"], "microsoft-365"),
            (&["company-example.mail.protection.partner.outlook.cn"], "microsoft-365-cn"),
            (&["mx2.zoho.eu"], "zoho-eu"),
            (&["in1-smtp.messagingengine.com"], "fastmail"),
            (&["mx01.mail.icloud.com"], "icloud"),
            (&["mx00.kundenserver.de"], "ionos-de"),
            (&["mx1.mail.ovh.net"], "ovh"),
            (&["mail.protonmail.ch"], "proton"),
            (&["eu-smtp-inbound-1.mimecast.com"], "(Mimecast)"),
            (&["eu-smtp-inbound-1.mimecast.com", "mx2.zoho.com"], "zoho-com"),
            (&["evilgoogle.com"], "-"),
            (&["mail.company.example"], "-"),
            (&[], "-"),
        ] {
            assert_eq!(mx(hosts), want, "{hosts:?}");
        }
        assert_eq!(Provider::of_host("imap.gmail.com").map(|provider| provider.id.as_str()), Some("google"));
    }

    fn by_id(id: &str) -> &'static Provider {
        providers().iter().find(|provider| provider.id == id).expect("listed")
    }

    #[test]
    fn likeness_fills_what_is_left_out() {
        let provider = by_id("zoho-personal-eu");
        assert_eq!(provider.host.as_deref(), Some("imap.zoho.eu"));
        assert_eq!(provider.app_password_page.as_deref(), Some("https://accounts.zoho.eu/home#security/app_password"));
        assert_eq!(provider.junk.as_deref(), Some("Spam"));
        assert_eq!((provider.port, provider.tls), (993, Tls::Implicit));
        let personal = by_id("outlook-com");
        assert_eq!(
            (personal.oauth.as_deref(), personal.oauth_tenant.as_deref()),
            (Some("microsoft"), Some("consumers"))
        );
        let free = Provider::of_domain("free.fr").expect("listed");
        assert_eq!(free.user_for("a@b@free.fr"), "a@b");
    }

    #[test]
    fn what_servers_say_has_a_cure() {
        let of = |host, text| cure(host, text).unwrap_or("-");
        let google = "[ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)";
        assert!(of("imap.gmail.com", google).contains("apppasswords"));
        assert!(of("imap.gmail.com", "[AUTHENTICATIONFAILED] Invalid credentials (Failure)").contains("app password"));
        assert!(of("outlook.office365.com", "LOGIN failed.").contains("oauth = \"microsoft\""));
        assert!(of("outlook.office365.com", "AUTHENTICATE failed.").contains("full access"));
        assert!(of("imap.zoho.eu", "[ALERT] You are yet to enable IMAP for your account.").contains("switch on IMAP"));
        assert_eq!(
            of("imap.company.example", "[AUTHENTICATIONFAILED] Authentication failed."),
            "-",
            "the usual words do"
        );
        assert!(of("imap.company.example", "[PRIVACYREQUIRED] no").contains("TLS"));
        assert!(of("imap.company.example", "BasicAuthBlocked").contains("oauth"));
        assert!(of("imap.company.example", "this mailbox is not enabled for IMAP use").contains("switch on IMAP"));
    }
}
