//! Hosts we know by name: mailbox providers, filters, block lists, sending services, help desks.
//!
//! Owns matching host names by suffix. Names themselves are data in `assets/rules/providers/` and `desks/`.

macro_rules! kinds {
    ($($item:ident = $slug:literal,)+) => {
        /// What a host's owner does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum HostKind { $(#[doc = $slug] $item,)+ }

        impl HostKind {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$item,)+];

            /// The name used in `assets/`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$item => $slug,)+ }
            }

            /// The value with this name.
            pub fn from_slug(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
            }
        }
    };
}

kinds! {
    MailboxProvider = "mailbox-provider",
    Filter = "filter",
    BlockList = "block-list",
    Esp = "esp",
    HelpDesk = "help-desk",
}

/// Most labels of a host (RFC 1035 section 2.3.4: 255 bytes in all).
const MAX_LABELS: usize = 128;

/// One provider.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its name as people know it.
    pub title: String,
    /// Host suffixes in lower case; a leading dot stands for any host below.
    pub hosts: Vec<String>,
    /// Mail domains.
    pub domains: Vec<String>,
    /// Where it tells about outages.
    pub status_page: Option<String>,
    /// What it does.
    pub kind: HostKind,
}

impl Provider {
    /// Length of the longest suffix that fits this host.
    pub fn fits_host(&self, host: &str) -> Option<usize> {
        self.hosts.iter().filter(|suffix| fits(host, suffix)).map(String::len).max()
    }

    /// Whether it serves this mail domain.
    pub fn serves(&self, domain: &str) -> bool {
        self.domains.iter().any(|own| own == domain)
    }
}

/// A host, and what is left of it behind each of its dots: the longest first.
pub(super) fn labels(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |host| host.split_once('.').map(|(_, rest)| rest)).take(MAX_LABELS)
}

/// Whether a host (lower case) ends in a suffix, at a dot.
pub(crate) fn fits(host: &str, suffix: &str) -> bool {
    let bare = suffix.trim_start_matches('.');
    host.strip_suffix(bare).is_some_and(|rest| {
        if rest.is_empty() { !suffix.starts_with('.') || bare == host } else { rest.ends_with('.') }
    })
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn suffixes_end_at_dots() {
        assert!(fits("mx1.example.net", ".example.net"));
        assert!(fits("mx1.example.net", "example.net"));
        assert!(fits("example.net", "example.net"));
        assert!(!fits("badexample.net", "example.net"));
    }
}
