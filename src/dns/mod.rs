//! What the public name system says about a domain: mail servers, service records, published sender policies.
//!
//! A stub resolver ([`Resolver`]) asks the name servers of this machine; [`check`] turns the answers into an honest
//! verdict on an address, [`auth_card`] into what an administrator must publish. Only names of domains leave the machine,
//! never an address, and nothing is asked of any mail server.
//!
//! **No SMTP callout, ever.** Asking the recipient's server "would you take mail for this mailbox?" proves little:
//! catch-all domains say yes to everything, greylisting says "later", and many servers say no to hosts they do not
//! know. It needs port 25, which most access lines block, and repeated probing is what address harvesters do, so it
//! lands the asking host on block lists and harms the delivery of everything else we send. A bounce already is the
//! server's own answer; that is why [`Verdict::MailboxRefused`] only ever comes from a bounce.
//!
//! Knows nothing of cases, of the store, or of how a verdict is shown. Invariants: no call outlives its deadline, no
//! answer is believed whose id, question and letter case do not match what was asked, every text that came from a name
//! server is printable ASCII when it leaves this module.

mod cache;
mod card;
mod card_text;
mod check;
mod conf;
mod exchange;
mod policy;
mod resolver;
mod spf;
mod wire;

pub use card::{Card, Change, DkimKey, DkimSelector, Dmarc, auth_card};
pub use check::{Check, Verdict, check, look_up};
pub use conf::Config;
pub use resolver::{Miss, Mx, Resolver, Srv};
pub use spf::{Include, Presence, Spf};

/// The cancel closure for callers that never cancel.
pub fn never() -> bool {
    false
}
