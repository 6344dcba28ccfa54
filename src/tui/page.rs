//! Pages of text over the screen: help, status, messages, summary, handover. Made when they are shown.

use super::menu::Choice;

/// What a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Keys, filter words, commands.
    Help,
    /// Accounts and queue.
    Status,
    /// What the program said so far.
    Messages,
    /// The end of the queue.
    Summary,
    /// A text that was made for the lead: `model.sheet`.
    Sheet,
    /// Where the lead stopped, for the next shift.
    Handover,
}

/// A page and where it stands.
#[derive(Debug, Clone)]
pub struct Page {
    /// What it is about.
    pub subject: Subject,
    /// First line shown.
    pub scroll: usize,
    /// Text that lines must hold to be shown (help).
    pub pattern: String,
    /// Whether the pattern is being typed.
    pub typing: bool,
    /// What digits do.
    pub links: Vec<Choice>,
}

impl Page {
    /// A page at its beginning.
    pub fn new(subject: Subject) -> Self {
        Self { subject, scroll: 0, pattern: String::new(), typing: false, links: Vec::new() }
    }
}
