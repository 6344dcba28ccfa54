//! What a mail *says*, in the words of RFC 3464: fields per message and per recipient, each with the place it stands at.
//!
//! Facts are read here, causes are concluded elsewhere. `final_recipient` is never overwritten by `original_recipient`.

use super::address::Address;
use super::status::Action;

/// A place in a mail: which part, and the 0-based line in that part's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// Index of the part, in the order of the mail.
    pub part: u32,
    /// 0-based line in the part's decoded text.
    pub line: u32,
}

impl Place {
    /// Stands for the message's own header instead of a part.
    pub const HEADER: u32 = u32::MAX;
}

/// By what means a fact was read. Stronger means come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A standard field.
    Field,
    /// A known text format.
    Format,
    /// A known layout that needs code.
    Quirk,
    /// Unmarked prose.
    Prose,
}

/// Something the mail says, where it says so, and how it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact<T> {
    /// What it says.
    pub value: T,
    /// Where.
    pub place: Place,
    /// How it was read.
    pub origin: Origin,
    /// Name of the field or phrase, for the evidence.
    pub from: &'static str,
}

impl<T> Fact<T> {
    /// A fact read from a standard field.
    pub const fn field(value: T, place: Place, from: &'static str) -> Self {
        Self { value, place, origin: Origin::Field, from }
    }
}

/// The fields that hold for the whole message (RFC 3464 section 2.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PerMessage {
    /// Host that tried to deliver, without its type prefix.
    pub reporting_mta: Option<Fact<String>>,
    /// Host the message came from.
    pub received_from: Option<Fact<String>>,
}

/// The fields of one recipient (RFC 3464 section 2.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PerRecipient {
    /// Address the sender wrote.
    pub original: Option<Fact<Address>>,
    /// Address the delivery was tried for.
    pub recipient: Option<Fact<Address>>,
    /// Sendmail's `X-Actual-Recipient`.
    pub actual: Option<Fact<Address>>,
    /// What the server did.
    pub action: Option<Fact<Action>>,
    /// The action's word where it answers a question about an address instead of reporting a delivery.
    pub odd_action: Option<Fact<String>>,
    /// The Status field as written.
    pub status: Option<Fact<String>>,
    /// Server that answered, without its type prefix.
    pub remote_mta: Option<Fact<String>>,
    /// What the server said, unfolded, without its type prefix.
    pub diagnostic: Option<Fact<String>>,
    /// Further wording for this recipient, from the text: never instead of the diagnostic, but beside it.
    pub said: Vec<Fact<String>>,
}

impl PerRecipient {
    /// Whether no field of it is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A whole report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Per-message fields.
    pub message: PerMessage,
    /// Per-recipient fields, in the order of the mail.
    pub recipients: Vec<PerRecipient>,
}
