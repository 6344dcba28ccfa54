//! The words for a cause, and advice by circumstance: what `causes.toml` says, ready to be shown.

use serde::{Deserialize, Serialize};

use crate::model::cause::slugs;
use crate::model::{Cause, Proposal, WhoActs};

/// The words for one cause.
#[derive(Debug, Clone)]
pub struct Words {
    /// For the list.
    pub title: String,
    /// What it means.
    pub explanation: String,
    /// What to do.
    pub next_step: String,
    /// Who must.
    pub who_acts: WhoActs,
    /// The decision it proposes.
    pub propose: Proposal,
    /// When to try again, in days.
    pub retry_days: Option<u32>,
    /// Whether a corrected address may cure it.
    pub address_at_fault: bool,
}

impl Words {
    pub(super) fn blank() -> Self {
        Self {
            title: String::new(),
            explanation: String::new(),
            next_step: String::new(),
            who_acts: WhoActs::Lead,
            propose: Proposal::None,
            retry_days: None,
            address_at_fault: false,
        }
    }
}

slugs! {
    /// When a piece of advice is added.
    When {
        /// The recipient is at a provider that gives mailboxes to everyone.
        FreeMail = "free-mail",
        /// The original came out of a contact form.
        ContactForm = "contact-form",
        /// One of the advice's words stands in what was said.
        Says = "says",
        /// The provider, or the help desk that reported, tells about outages.
        StatusPage = "status-page",
    }
}

/// Advice that is added to the next step.
#[derive(Debug, Clone)]
pub struct Advice {
    /// When.
    pub when: When,
    /// For these causes only; empty: for all.
    pub causes: Vec<Cause>,
    /// Words of which one must stand there, for [`When::Says`].
    pub words: Vec<String>,
    /// What to say; `{name}` and `{page}` of [`When::StatusPage`] are filled in.
    pub text: String,
}
