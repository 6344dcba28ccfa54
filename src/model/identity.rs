//! Who we are, as the configuration tells it: needed to know our own messages from forged ones.

use crate::stdx;

/// Our own addresses and domains; all empty when nothing is configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Addresses we send from or receive at; compared without case.
    pub addresses: Vec<String>,
    /// Domains that are ours, in lower case.
    pub domains: Vec<String>,
    /// Slug of the help desk whose ticket marks come first, such as `zendesk`.
    pub desk: Option<String>,
    /// Our account at the help desk, as it stands in a header field of the desk's messages.
    pub desk_account: Option<String>,
    /// Pieces of the Message-IDs of our own messages, such as `@mailer.company.example`.
    pub message_ids: Vec<String>,
}

impl Identity {
    /// Whether this address is one of ours.
    pub fn owns_address(&self, address: &str) -> bool {
        self.addresses.iter().any(|own| stdx::same_text(own, address))
    }

    /// Whether this domain, or a parent of it, is ours.
    pub fn owns_domain(&self, domain: &str) -> bool {
        self.domains.iter().any(|own| {
            let tail = domain.len().checked_sub(own.len()).and_then(|at| domain.split_at_checked(at));
            tail.is_some_and(|(rest, tail)| (rest.is_empty() || rest.ends_with('.')) && stdx::same_text(own, tail))
        })
    }
}
