//! Which name servers to ask and how patiently: the system's resolv.conf or values from the caller.
//!
//! Knows the keywords `nameserver` and `options timeout:`, `attempts:` (resolv.conf(5)). `search` and `domain` are left
//! out on purpose: a mail domain is always a full name, and completing it would turn a typo into a wrong "exists".

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::path::Path;
use std::time::Duration;

/// Servers that are asked at most, as in the C library.
const MOST_SERVERS: usize = 3;
/// Bytes of resolv.conf that are read.
const MOST_BYTES: usize = 64 * 1024;

/// Settings of a [`super::Resolver`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Name servers in the order they are asked; none means offline.
    pub servers: Vec<SocketAddr>,
    /// Longest wait for one server in one try.
    pub timeout: Duration,
    /// Rounds over all servers, at least one.
    pub attempts: u32,
    /// Longest time for one look-up in all, with retries, TCP and aliases.
    pub deadline: Duration,
    /// Names kept in memory.
    pub cache: usize,
}

impl Default for Config {
    /// As without a resolv.conf: the name server of this host.
    fn default() -> Self {
        Self {
            servers: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 53))],
            timeout: Duration::from_secs(5),
            attempts: 2,
            deadline: Duration::from_secs(5),
            cache: 1024,
        }
    }
}

impl Config {
    /// Asks nobody: every look-up gives [`super::Miss::Offline`].
    pub fn offline() -> Self {
        Self { servers: Vec::new(), ..Self::default() }
    }

    /// Reads `/etc/resolv.conf`.
    pub fn system() -> Self {
        Self::read(Path::new("/etc/resolv.conf"))
    }

    /// Reads a file in the form of resolv.conf; a missing or unreadable one means the defaults, as resolv.conf(5) says.
    pub fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_default();
        let bytes = bytes.get(..MOST_BYTES).unwrap_or(&bytes);
        Self::parse(&String::from_utf8_lossy(bytes))
    }

    /// Reads the text of a resolv.conf; unknown lines and impossible values are skipped.
    pub fn parse(text: &str) -> Self {
        let mut config = Self { servers: Vec::new(), ..Self::default() };
        for line in text.lines().filter(|line| !line.starts_with(['#', ';'])) {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") if config.servers.len() < MOST_SERVERS => {
                    config.servers.extend(words.next().and_then(server));
                }
                Some("options") => words.for_each(|word| config.option(word)),
                _ => {}
            }
        }
        if config.servers.is_empty() {
            config.servers = Self::default().servers;
        }
        config
    }

    fn option(&mut self, word: &str) {
        let value = |name: &str| word.strip_prefix(name).and_then(|number| number.parse::<u32>().ok());
        if let Some(seconds) = value("timeout:") {
            self.timeout = Duration::from_secs(u64::from(seconds.clamp(1, 30)));
        } else if let Some(attempts) = value("attempts:") {
            self.attempts = attempts.clamp(1, 5);
        }
    }
}

/// An address, with a numeric zone for link-local ones (`fe80::1%2`).
fn server(text: &str) -> Option<SocketAddr> {
    if let Some((address, zone)) = text.split_once('%') {
        return Some(SocketAddrV6::new(address.parse().ok()?, 53, 0, zone.parse().ok()?).into());
    }
    let address: IpAddr = text.parse().ok()?;
    Some(SocketAddr::from((address, 53)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Config;

    #[test]
    fn the_known_lines_of_resolv_conf_are_read() {
        let text = "# comment\n;other\nsearch company.example\nnameserver 192.0.2.1\n\tnameserver 2001:db8::1 # note\n\
                    nameserver fe80::1%2\nnameserver 192.0.2.9\nnameserver nonsense\n\
                    options edns0 timeout:3 attempts:99 rotate\n";
        let config = Config::parse(text);
        let servers: Vec<String> = config.servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.1:53", "[2001:db8::1]:53", "[fe80::1%2]:53"]);
        assert_eq!((config.timeout, config.attempts), (Duration::from_secs(3), 5));
    }

    #[test]
    fn without_a_server_this_host_is_asked() {
        for text in ["", "nameserver\nnameserver nonsense\noptions timeout:x attempts:-1\n"] {
            assert_eq!(Config::parse(text), Config::default(), "{text:?}");
        }
        assert_eq!(Config::read("/nonexistent/resolv.conf".as_ref()), Config::default());
    }
}
