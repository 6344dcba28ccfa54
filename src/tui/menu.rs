//! Choices by one key: filter, sort, copy, export.

use super::msg::{Deed, ExportOrder};
use super::queue::Sort;
use crate::export::Format;
use crate::model::{CaseId, Verdict};
use crate::resend::Wanted;

/// What a choice does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Sets the filter.
    Filter(String),
    /// Opens the prompt for a filter, with this text in it.
    TypeFilter(String),
    /// Opens a menu of states to filter by.
    FilterState,
    /// Opens a menu of incidents.
    Incidents,
    /// Sets the order.
    Sort(Sort),
    /// Sends a text to the terminal's clipboard.
    Copy(String),
    /// Sends the text for the customer of a case to the terminal's clipboard.
    Letter(CaseId, Wanted),
    /// Sends the text for the administrator about the incident of a case to the terminal's clipboard.
    Incident(CaseId),
    /// Asks where to write an export.
    Export(Format),
    /// Writes it over the existing file.
    Replace(ExportOrder),
    /// Decides.
    Decide(Deed, Vec<(CaseId, Verdict)>),
    /// Accepts the proposal of each.
    Accept(Deed, Vec<CaseId>),
    /// Closes the screen.
    Quit,
}

/// One line of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its key.
    pub key: char,
    /// In words.
    pub label: String,
    /// What it does.
    pub choice: Choice,
}

/// A menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// Its heading.
    pub title: String,
    /// Its lines.
    pub items: Vec<Item>,
}

impl Menu {
    /// The choice of a key.
    pub fn choice(&self, key: char) -> Option<&Choice> {
        self.items.iter().find(|item| item.key == key).map(|item| &item.choice)
    }
}

/// A menu from tuples.
pub fn menu(title: impl Into<String>, items: impl IntoIterator<Item = (char, String, Choice)>) -> Menu {
    let items = items.into_iter().map(|(key, label, choice)| Item { key, label, choice }).collect();
    Menu { title: title.into(), items }
}
