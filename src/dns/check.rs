//! What can honestly be said about an address without asking its server: syntax, then the domain's DNS.
//!
//! Knows RFC 5321 sections 4.1.2, 4.5.3.1 and 5.1, RFC 6531 and the null MX (RFC 7505). Sends the domain's name and those
//! of its mail servers to the name server, never the local part; why no mail server is asked stands at the
//! [module](super). Invariant: a verdict against an address rests on a definite answer, never on a missing one.

use std::net::IpAddr;

use serde::Serialize;

use super::resolver::{Miss, Mx, Resolver};
use crate::model::Address;
use crate::suggest::{self, Book, Level};

/// Mail servers of one domain whose own addresses are looked up.
const MOST_HOSTS: usize = 8;

/// What the check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The server said so in a bounce; only ever from evidence the caller has.
    MailboxRefused,
    /// The domain does not exist.
    NoSuchDomain,
    /// The domain exists and takes no mail: null MX, or neither MX nor address.
    DomainTakesNoMail,
    /// The domain's name servers fail or do not answer.
    ServerNotReachable,
    /// The domain takes mail, or could not be asked; whether the mailbox exists cannot be known without asking.
    CannotKnow,
    /// Not an address at all; nothing was looked up.
    NotAnAddress,
}

impl Verdict {
    /// The name in JSON and exports.
    pub fn slug(self) -> &'static str {
        match self {
            Self::MailboxRefused => "mailbox-refused",
            Self::NoSuchDomain => "no-such-domain",
            Self::DomainTakesNoMail => "domain-takes-no-mail",
            Self::ServerNotReachable => "server-not-reachable",
            Self::CannotKnow => "cannot-know",
            Self::NotAnAddress => "not-an-address",
        }
    }

    /// The verdict in plain words.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::MailboxRefused => "mailbox refused",
            Self::NoSuchDomain => "no such domain",
            Self::DomainTakesNoMail => "domain takes no mail",
            Self::ServerNotReachable => "server not reachable",
            Self::CannotKnow => "cannot know",
            Self::NotAnAddress => "not an address",
        }
    }
}

/// A checked address; as JSON `{"address", "verdict", "because": [..], "mx": [..]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The address, or what stood in its place, as given.
    pub address: String,
    /// What can be said.
    pub verdict: Verdict,
    /// What it rests on, in plain sentences. Texts from name servers are printable ASCII; the address is as given.
    pub because: Vec<String>,
    /// Mail servers, best first; empty without MX records.
    pub mx: Vec<String>,
}

/// Checks an address. `bounced` is what a server said about this very mailbox, where the caller has a bounce of it;
/// `book` holds the domains the caller knows, for hints at a typo ([`suggest::check`]), and may be empty.
///
/// Takes up to three look-ups, more when mail servers of the domain do not exist; each has the resolver's deadline.
pub fn check(text: &str, bounced: Option<&str>, book: &Book, resolver: &Resolver, cancel: &dyn Fn() -> bool) -> Check {
    let mut check =
        Check { address: text.to_owned(), verdict: Verdict::CannotKnow, because: Vec::new(), mx: Vec::new() };
    let findings = suggest::check(text, None, book);
    let wrong = findings.iter().any(|finding| finding.level == Level::Error);
    check.because.extend(findings.into_iter().map(|finding| finding.message));
    let Some(address) = Address::new(text).filter(|_| !wrong) else {
        check.verdict = Verdict::NotAnAddress;
        return check;
    };
    let found = look_up(&address, resolver, cancel);
    (check.verdict, check.mx) = (found.verdict, found.mx);
    check.because.extend(found.because);
    if let Some(said) = bounced
        && matches!(check.verdict, Verdict::CannotKnow | Verdict::ServerNotReachable)
    {
        check.verdict = Verdict::MailboxRefused;
        check.because.insert(0, format!("a bounce says so: {said}"));
    }
    check
}

/// What the name system says of an address's domain, without a look at its spelling.
pub fn look_up(address: &Address, resolver: &Resolver, cancel: &dyn Fn() -> bool) -> Check {
    let (address, domain) = (address.as_str().to_owned(), domain(address));
    let mut check = Check { address, verdict: Verdict::CannotKnow, because: Vec::new(), mx: Vec::new() };
    match domain {
        Err(why) => {
            check.verdict = Verdict::NotAnAddress;
            check.because.push(why.into());
        }
        Ok(Domain::Literal) => {
            check.because.push("the address names a host by its number, so no DNS is involved".into());
        }
        Ok(Domain::Name(ascii)) => check.verdict = by_mx(&mut check, &ascii, resolver, cancel),
    }
    check
}

enum Domain {
    /// `[192.0.2.1]` (RFC 5321 section 4.1.3).
    Literal,
    /// In A-labels.
    Name(String),
}

/// The form of the domain that DNS knows; what the dialog's syntax check let pass and no host can be called is refused.
fn domain(address: &Address) -> Result<Domain, &'static str> {
    if address.domain().starts_with('[') {
        return Ok(Domain::Literal);
    }
    let ascii = idna::domain_to_ascii_strict(address.domain())
        .map_err(|_| "the domain has a letter, hyphen, label or length that no domain can have")?;
    if ascii.parse::<IpAddr>().is_ok() {
        return Err("the domain is a bare IP address, which mail does not allow");
    }
    Ok(Domain::Name(ascii))
}

fn by_mx(check: &mut Check, domain: &str, resolver: &Resolver, cancel: &dyn Fn() -> bool) -> Verdict {
    let all = match resolver.mx(domain, cancel) {
        Ok(all) => all,
        Err(Miss::NoData) => return by_address(check, domain, resolver, cancel),
        Err(miss) => return missed(check, domain, miss),
    };
    let (hosts, null): (Vec<Mx>, Vec<Mx>) = all.into_iter().partition(|mx| !mx.host.is_empty());
    if hosts.is_empty() {
        check.because.push(format!("{domain} says that it takes no mail (null MX, RFC 7505)"));
        return Verdict::DomainTakesNoMail;
    }
    if !null.is_empty() {
        check.because.push(format!("{domain} has a null MX beside others, which RFC 7505 forbids"));
    }
    check.mx = hosts.into_iter().map(|mx| mx.host).collect();
    servers(check, domain, resolver, cancel)
}

/// At least one of the mail servers must have an address.
fn servers(check: &mut Check, domain: &str, resolver: &Resolver, cancel: &dyn Fn() -> bool) -> Verdict {
    let mut doubt = None;
    let mut dead = Vec::new();
    let mut tried: Vec<&str> = Vec::new();
    for host in check.mx.iter().take(MOST_HOSTS).map(String::as_str) {
        if tried.contains(&host) {
            continue;
        }
        tried.push(host);
        match resolver.addresses(host, cancel) {
            Ok(found) if found.iter().any(reachable) => {
                let rest = check.mx.len() - 1;
                let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
                check.because.push(format!("{domain} takes mail at {host}{more}"));
                check.because.push(UNKNOWABLE.into());
                return Verdict::CannotKnow;
            }
            Ok(_) => dead.push(format!("its mail server {host} has only a loopback address")),
            Err(Miss::NoData | Miss::NoDomain | Miss::BadName) => {
                dead.push(format!("its mail server {host} has no address"));
            }
            Err(miss) => {
                doubt.get_or_insert((host.to_owned(), miss));
                if matches!(miss, Miss::Cancelled | Miss::Offline) {
                    break;
                }
            }
        }
    }
    let unseen = check.mx.len() > MOST_HOSTS;
    check.because.extend(dead);
    match doubt {
        Some((host, miss)) => missed(check, &host, miss),
        None if unseen => {
            check.because.push(format!("{domain} names more mail servers than are looked up"));
            Verdict::CannotKnow
        }
        None => Verdict::DomainTakesNoMail,
    }
}

const UNKNOWABLE: &str = "whether the mailbox exists only its server knows, and it is not asked";

/// No MX: mail goes to the domain's own address (RFC 5321 section 5.1).
fn by_address(check: &mut Check, domain: &str, resolver: &Resolver, cancel: &dyn Fn() -> bool) -> Verdict {
    match resolver.addresses(domain, cancel) {
        Ok(found) if found.iter().any(reachable) => {
            check.because.push(format!("{domain} has no MX; mail goes to the address of the domain itself"));
            check.because.push(UNKNOWABLE.into());
            Verdict::CannotKnow
        }
        Ok(_) => {
            check.because.push(format!("{domain} has no MX and only a loopback address"));
            Verdict::DomainTakesNoMail
        }
        Err(Miss::NoData) => {
            check.because.push(format!("{domain} exists, but has neither MX nor address"));
            Verdict::DomainTakesNoMail
        }
        Err(miss) => missed(check, domain, miss),
    }
}

fn missed(check: &mut Check, name: &str, miss: Miss) -> Verdict {
    check.because.push(format!("{name}: {miss}"));
    match miss {
        Miss::NoDomain | Miss::BadName => Verdict::NoSuchDomain,
        Miss::NoData => Verdict::DomainTakesNoMail,
        Miss::ServerFailure | Miss::Timeout => Verdict::ServerNotReachable,
        Miss::Refused | Miss::Offline | Miss::Cancelled => Verdict::CannotKnow,
    }
}

/// A host that points to the sender's own machine takes no mail.
fn reachable(ip: &IpAddr) -> bool {
    !ip.is_loopback() && !ip.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::{Verdict, check};
    use crate::dns::{Resolver, never};
    use crate::suggest::Book;

    #[test]
    fn syntax_comes_first_and_needs_no_network() {
        let offline = Resolver::offline();
        let verdict = |text: &str| check(text, None, &Book::default(), &offline, &never).verdict;
        for bad in [
            "",
            "anna",
            "@example.org",
            "anna@",
            "a..b@example.org",
            ".a@example.org",
            "a.@example.org",
            "a b@example.org",
            "a,b@example.org",
            "a@exa mple.org",
            "a@-x.example",
            "a@x..example",
            "a@192.0.2.1",
            "a@[192.0.2.999]",
            "\"a\"b\"@example.org",
            "\"a\\\"@example.org",
            "a@exam_ple.org",
        ] {
            assert_eq!(verdict(bad), Verdict::NotAnAddress, "{bad:?}");
        }
        for good in [
            "anna@example.org",
            "a+b=c/d'e@example.org",
            "\"a b@c\"@example.org",
            "\"a\\\"b\"@example.org",
            "j\u{f6}rg@b\u{fc}cher.example",
            "a@[192.0.2.1]",
            "a@[IPv6:2001:db8::1]",
        ] {
            assert_eq!(verdict(good), Verdict::CannotKnow, "{good:?}");
        }
        assert_eq!(verdict(&format!("{}@example.org", "a".repeat(64))), Verdict::CannotKnow);
        assert_eq!(verdict(&format!("{}@example.org", "a".repeat(65))), Verdict::NotAnAddress);
        assert_eq!(verdict(&format!("a@{}.example", "b".repeat(64))), Verdict::NotAnAddress);
    }

    #[test]
    fn offline_says_so_and_a_bounce_still_counts() {
        let offline = Resolver::offline();
        let found = check("a@b\u{fc}cher.example", None, &Book::default(), &offline, &never);
        assert_eq!(
            found.because,
            ["the domain is sent as xn--bcher-kva.example", "xn--bcher-kva.example: offline: no name server was asked",]
        );
        let mixed = check("a@p\u{430}ypal.example", None, &Book::default(), &offline, &never);
        assert!(mixed.because.iter().any(|line| line.contains("different alphabets")), "{:?}", mixed.because);
        let found = check("a@example.org", Some("550 5.1.1 no such user"), &Book::default(), &offline, &never);
        assert_eq!(found.verdict, Verdict::MailboxRefused);
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json["verdict"], found.verdict.slug());
        assert_eq!(json["because"][0], "a bounce says so: 550 5.1.1 no such user");
    }
}
