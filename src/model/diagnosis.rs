//! What the engine concludes from one mail. Serialised, this is `bounceback diagnose --json` without its `source`.
//!
//! Invariant: absent knowledge is `None` or empty; a status or reply code here stands literally in the mail.

use serde::{Deserialize, Serialize};

use super::address::Address;
use super::cause::{Cause, WhoActs, slugs};
use super::evidence::{Certainty, Evidence};
use super::status::{Action, Status};
use super::time::Timestamp;

slugs! {
    /// What kind of mail it is.
    Kind {
        /// At least one recipient finally failed.
        Failure = "failure",
        /// Still being tried.
        Delay = "delay",
        /// Success, relayed or expanded notice.
        Delivered = "delivered",
        /// An automatic answer (RFC 3834).
        AutoReply = "auto-reply",
        /// A disposition notification (RFC 8098).
        ReadReceipt = "read-receipt",
        /// An abuse report (RFC 5965).
        Complaint = "complaint",
        /// A challenge-response system asks the sender to prove himself.
        Challenge = "challenge",
        /// Ordinary mail.
        Other = "other",
    }
}

impl Kind {
    /// Whether a tool would call it a bounce.
    pub const fn is_bounce(self) -> bool {
        matches!(self, Self::Failure | Self::Delay)
    }
}

slugs! {
    /// Whose server wrote the notice.
    Role {
        /// A help desk's own server.
        HelpDesk = "help-desk",
        /// A server of our own domain.
        Ours = "ours",
        /// The provider that sends for us.
        OurProvider = "our-provider",
        /// The recipient's side.
        Recipient = "recipient",
        /// A filter service in front of the recipient.
        Filter = "filter",
        /// Not known.
        Unknown = "unknown",
    }
}

/// The server that wrote the notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reporter {
    /// Host name without the type prefix of RFC 3464 section 2.1.2.
    pub mta: Option<String>,
    /// Where it was read: `Reporting-MTA`, `text`, `Generating server` …
    pub from: Option<String>,
    /// Whose server it is.
    pub role: Role,
}

impl Default for Reporter {
    fn default() -> Self {
        Self { mta: None, from: None, role: Role::Unknown }
    }
}

/// One failed (or delayed, delivered) recipient and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The failed address as the final recipient (RFC 3464 section 2.3.2).
    pub address: Address,
    /// What we sent to, where the mail shows that it differs.
    pub original_address: Option<Address>,
    /// What the server did.
    pub action: Action,
    /// Literal enhanced status code, the most specific one.
    pub status: Option<Status>,
    /// Literal SMTP reply code.
    pub reply_code: Option<u16>,
    /// The server that answered the reporter.
    pub remote_mta: Option<String>,
    /// What the server said, unfolded to one line.
    pub diagnostic: Option<String>,
    /// Why.
    pub cause: Cause,
    /// What it means, in plain words.
    pub meaning: String,
    /// What to do next.
    pub next_step: String,
    /// Who must do it.
    pub who_acts: WhoActs,
    /// The rule that decided the cause, such as `status/5.1.1`.
    pub rule: Option<String>,
    /// How sure the engine is.
    pub certainty: Certainty,
    /// The lines it rests on.
    pub evidence: Vec<Evidence>,
}

/// The message that came back, as far as it did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// Message-ID without angle brackets.
    pub message_id: Option<String>,
    /// Decoded subject.
    pub subject: Option<String>,
    /// Address of the From field.
    pub from: Option<String>,
    /// Addresses of the To field.
    pub to: Vec<String>,
    /// Date field.
    pub date: Option<Timestamp>,
    /// Names beside addresses in the To, Cc and Reply-To fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
}

impl Returned {
    /// The name the message gives the owner of an address.
    pub fn name_of(&self, address: &str) -> Option<&str> {
        let same = |one: &&Person| one.address.eq_ignore_ascii_case(address);
        self.people.iter().find(same).map(|one| one.name.as_str())
    }
}

/// A name and the address it stands beside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Decoded display name.
    pub name: String,
    /// The address.
    pub address: String,
}

/// The help-desk ticket the original message belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Slug of the help desk.
    pub desk: String,
    /// The id as the desk writes it.
    pub id: String,
    /// The field it was read from.
    pub from: String,
    /// When the desk sent the message, where the mark tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Timestamp>,
}

slugs! {
    /// Whether the returned message was sent by us.
    Ours {
        /// It was.
        Ours = "ours",
        /// It was not: backscatter or a forged notice.
        NotOurs = "not-ours",
        /// Cannot be told.
        Unknown = "unknown",
    }
}

/// Whether the returned message was sent by us, with reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authenticity {
    /// The verdict.
    pub verdict: Ours,
    /// The reasons, in words.
    pub because: Vec<String>,
}

impl Default for Authenticity {
    fn default() -> Self {
        Self { verdict: Ours::Unknown, because: Vec::new() }
    }
}

/// The notice's own header fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeHead {
    /// Message-ID without angle brackets.
    pub message_id: Option<String>,
    /// Address of the From field.
    pub from: Option<String>,
    /// Decoded subject.
    pub subject: Option<String>,
    /// Date field.
    pub date: Option<Timestamp>,
    /// Message-IDs of In-Reply-To and References, without brackets, nearest first.
    pub references: Vec<String>,
    /// Addresses the notice was sent to: the envelope sender of the original, which may carry a VERP mark.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
}

/// A new address that the mail itself names ("user has moved to", "write to … instead").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAddress {
    /// The old address, where the mail says which.
    pub replaces: Option<Address>,
    /// The address named.
    pub address: Address,
    /// In words, where it stands.
    pub because: String,
    /// The line it stands on.
    pub evidence: Evidence,
}

/// What one mail says and means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What kind of mail it is.
    pub kind: Kind,
    /// Who wrote it.
    pub reporter: Reporter,
    /// The recipients it reports on; empty where the kind has none.
    pub recipients: Vec<Recipient>,
    /// The message that came back.
    pub original: Returned,
    /// The ticket it belongs to.
    pub ticket: Option<Ticket>,
    /// Whether we sent it.
    pub authenticity: Authenticity,
    /// Doubts and what could not be read, one sentence each.
    pub notes: Vec<String>,
    /// The notice's own header fields.
    pub notice: NoticeHead,
    /// Evidence for the kind, and for the reporter.
    pub evidence: Vec<Evidence>,
    /// New addresses that the mail names.
    pub new_addresses: Vec<NewAddress>,
    /// Whether it is likely a bounce although no recipient could be read.
    pub likely_bounce: bool,
}

impl Diagnosis {
    /// An empty diagnosis of a kind.
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            reporter: Reporter::default(),
            recipients: Vec::new(),
            original: Returned::default(),
            ticket: None,
            authenticity: Authenticity::default(),
            notes: Vec::new(),
            notice: NoticeHead::default(),
            evidence: Vec::new(),
            new_addresses: Vec::new(),
            likely_bounce: false,
        }
    }
}
