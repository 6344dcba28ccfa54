//! The limits that keep any mail harmless: how deep, how many, how much.
//!
//! The MIME walk is our own and iterative, so no nesting can exhaust the stack, and text is only decoded up to a limit,
//! so no encoding can exhaust memory. Invariant: everything in `mail` is linear in the mail and bounded by these.

/// Multiparts inside each other; deeper ones are not opened.
pub(crate) const MAX_DEPTH: usize = 24;
/// Parts of one message; what follows stays with the last one.
pub(crate) const MAX_PARTS: usize = 512;
/// Raw bytes of one part that are decoded as text.
pub const MAX_TEXT: usize = 256 * 1024;
/// Raw bytes of all parts of one message that are decoded as text.
pub(crate) const MAX_TEXTS: usize = 4 * 1024 * 1024;
/// Fields of a message's header that are kept.
pub(crate) const MAX_FIELDS: usize = 4096;
/// Fields of a part's header that are kept.
pub(crate) const MAX_PART_FIELDS: usize = 64;
/// Recipients of one mail that are told apart.
pub const MAX_RECIPIENTS: usize = 4096;
/// Bytes of one field that are decoded.
pub(crate) const MAX_VALUE: usize = 16 * 1024;
/// Messages opened inside each other: a notice that came inside another mail.
pub(crate) const MAX_NESTED: usize = 3;
