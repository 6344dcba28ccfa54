//! The nouns of the program: plain data, no I/O, no clock, no randomness.
//!
//! A mail that arrived is a *notice*. The engine turns it into a [`Diagnosis`]: what kind of notice it is, which server
//! reported, and for every [`Recipient`] the [`Status`] and [`Cause`] with the [`Evidence`] they rest on.
//! A [`Case`] is one original message and one failed recipient; it holds one or more notices. A *group* is the cases of
//! one original message. A [`Decision`] is what the lead did with a case; decisions are appended, never edited.
//!
//! Invariant: nothing here knows where a mail came from, how it is stored, or how it is shown.

pub mod address;
pub mod case;
pub mod cause;
pub mod diagnosis;
pub mod evidence;
pub mod identity;
pub mod reply;
pub mod report;
pub mod secret;
pub mod status;
pub mod time;

pub use address::Address;
pub use case::{Act, Case, CaseId, Decision, GroupId, MessageRef, Note, State, Verdict};
pub use cause::{Advised, Cause, Proposal, WhoActs};
pub use diagnosis::{
    Authenticity, Diagnosis, Kind, NewAddress, NoticeHead, Ours, Person, Recipient, Reporter, Returned, Role, Ticket,
};
pub use evidence::{Certainty, Evidence};
pub use identity::Identity;
pub use report::{Fact, Origin, PerMessage, PerRecipient, Place, Report};
pub use secret::Secret;
pub use status::{Action, Class, Status};
pub use time::{Timestamp, Zone};
