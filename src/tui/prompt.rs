//! One line of input at the foot of the screen, and what it is for.

use super::edit::Line;
use super::msg::ExportOrder;
use crate::model::CaseId;

/// What a prompt asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Text to look for.
    Search,
    /// A filter.
    Filter,
    /// A note on a case.
    Note(CaseId),
    /// A command.
    Command,
    /// Where to write an export.
    ExportTo(ExportOrder),
}

/// A prompt with what was typed.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// What it asks for.
    pub ask: Ask,
    /// What was typed.
    pub line: Line,
    /// What is wrong with it, or how Tab could go on.
    pub remark: String,
}

impl Prompt {
    /// A prompt with something in it already.
    pub fn new(ask: Ask, text: &str) -> Self {
        Self { ask, line: Line::filled(text, text.len()), remark: String::new() }
    }

    /// What stands before the input.
    pub fn label(&self) -> &'static str {
        match self.ask {
            Ask::Search => "/",
            Ask::Filter => "filter: ",
            Ask::Note(_) => "note: ",
            Ask::Command => ":",
            Ask::ExportTo(_) => "write to: ",
        }
    }

    /// The keys it knows, and what each does.
    pub fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match self.ask {
            Ask::Search => &[("Enter", "find"), ("Esc", "leave"), ("empty:", "the last one again")],
            Ask::Filter => &[("Enter", "filter"), ("Tab", "complete"), ("C-u", "clear"), ("Esc", "leave")],
            Ask::Note(_) => &[("Enter", "save"), ("C-u", "clear"), ("Esc", "leave (the text is kept)")],
            Ask::Command => &[("Enter", "run"), ("Tab", "complete"), ("Esc", "leave")],
            Ask::ExportTo(_) => &[("Enter", "write"), ("C-u", "clear"), ("Esc", "leave")],
        }
    }
}
