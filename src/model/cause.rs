//! Why a delivery failed: the closed list of the JSON contract. Words for a cause are data in `assets/causes.toml`.

use serde::{Deserialize, Serialize};

macro_rules! slugs {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $slug:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$item_doc])* #[serde(rename = $slug)] $item,)+ }

        impl $name {
            /// Every value, in the order of the contract.
            pub const ALL: &[Self] = &[$(Self::$item,)+];

            /// The name used in JSON, on the command line and in `assets/`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$item => $slug,)+ }
            }

            /// The value with this name.
            pub fn from_slug(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.slug() == slug)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.slug())
            }
        }
    };
}
pub(crate) use slugs;

slugs! {
    /// Why a delivery failed, as far as it calls for a different next step.
    Cause {
        /// The local part does not exist at that domain.
        MailboxUnknown = "mailbox-unknown",
        /// The person has another address now.
        MailboxMoved = "mailbox-moved",
        /// The mailbox exists but is switched off.
        MailboxDisabled = "mailbox-disabled",
        /// The mailbox is over its quota.
        MailboxFull = "mailbox-full",
        /// The message is larger than that server or mailbox takes.
        MessageTooBig = "message-too-big",
        /// The domain does not exist.
        DomainUnknown = "domain-unknown",
        /// The domain exists and takes no mail (RFC 7505).
        DomainNoMail = "domain-no-mail",
        /// The address is not written as an address.
        AddressSyntax = "address-syntax",
        /// A closed list or group refused us.
        ListRefused = "list-refused",
        /// Our sender address or domain was refused.
        SenderRefused = "sender-refused",
        /// Block list, reputation, PTR record.
        SenderBlocked = "sender-blocked",
        /// SPF, DKIM or DMARC.
        AuthenticationFailed = "authentication-failed",
        /// Taken for spam, for a virus, or badly formed.
        ContentRefused = "content-refused",
        /// A rule of the receiving side.
        PolicyRefused = "policy-refused",
        /// The server does not take mail for that domain from us.
        RelayDenied = "relay-denied",
        /// Too many messages or connections.
        RateLimited = "rate-limited",
        /// Asked to come back later, once.
        Greylisted = "greylisted",
        /// DNS, connection, TLS, or gave up after retries without a better reason.
        NotReachable = "not-reachable",
        /// The receiving system is broken.
        RecipientSystemError = "recipient-system-error",
        /// The message went round in circles.
        MailLoop = "mail-loop",
        /// Stopped by a suppression list before sending.
        Suppressed = "suppressed",
        /// The mail does not say.
        Unclear = "unclear",
    }
}

impl Cause {
    /// Whether it says that nothing sent to the address itself can arrive.
    pub const fn condemns_address(self) -> bool {
        matches!(
            self,
            Self::MailboxUnknown
                | Self::MailboxMoved
                | Self::MailboxDisabled
                | Self::DomainUnknown
                | Self::DomainNoMail
                | Self::AddressSyntax
        )
    }
}

slugs! {
    /// Who can do something about it.
    WhoActs {
        /// The support lead.
        Lead = "lead",
        /// Whoever runs our mail domain or help desk.
        Admin = "admin",
        /// The recipient or the recipient's administrator.
        Recipient = "recipient",
        /// Nobody yet: it may solve itself.
        Wait = "wait",
        /// Nobody.
        None = "none",
    }
}

/// The words and the proposed decision for one recipient, out of `assets/` (and the lead's own overrides).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advised {
    /// What it means, in plain words.
    pub meaning: String,
    /// What to do next.
    pub next_step: String,
    /// Who must do it.
    pub who_acts: WhoActs,
}

slugs! {
    /// The decision a cause proposes; `correct` only stands when there is a candidate address.
    Proposal {
        /// Correct the address.
        Correct = "correct",
        /// Try again later.
        Retry = "retry",
        /// Not our fault.
        NotOurFault = "not-our-fault",
        /// Spam or backscatter.
        Spam = "spam",
        /// Somebody else must act.
        Escalate = "escalate",
        /// Nothing is left to do.
        Done = "done",
        /// No proposal.
        None = "none",
    }
}
