//! A question before something that touches much, or that cannot be undone. Enter never answers it.

use super::menu::Choice;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// In words.
    pub question: String,
    /// The key that says yes.
    pub key: char,
    /// What yes does.
    pub choice: Choice,
}
