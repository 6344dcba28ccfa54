//! Knowledge as data: the rule files, loaded and ready to be asked.
//!
//! The only user of `toml` (beside the configuration and other tables). Knows no mail and does no I/O: our own files are
//! embedded, the user's come as (name, text) pairs. Invariant: our own files load, a test sees to it.

mod ask;
mod book;
mod check;
mod codes;
mod desk;
mod format;
mod kinds;
mod load;
mod pattern;
mod phrases;
mod provider;
mod schema;
mod words;

use std::sync::{Arc, OnceLock};

pub use ask::{Answer, Question, Rule, Tier};
pub use book::RuleBook;
pub use check::Complaint;
pub use codes::{ReplyRow, StatusPattern, StatusRow};
pub use desk::{Desk, Sending, TicketPattern};
pub use format::{Extent, Format, Quirk, Seen};
pub use kinds::Hint;
pub use load::RuleError;
pub use pattern::{Captures, Hole, Pattern};
pub use provider::{HostKind, Provider};
pub use words::{Advice, When, Words};

mod files {
    include!(concat!(env!("OUT_DIR"), "/rule_files.rs"));
}

/// Our own rule files, as (name, text), sorted by name.
pub fn builtin_files() -> &'static [(&'static str, &'static str)] {
    files::FILES
}

impl RuleBook {
    /// Our own rules.
    pub fn builtin() -> Arc<Self> {
        static BOOK: OnceLock<Arc<RuleBook>> = OnceLock::new();
        Arc::clone(BOOK.get_or_init(|| {
            let (book, _) = Self::load(&[]);
            Arc::new(book)
        }))
    }

    /// Our own rules with the user's files one tier above; what is wrong with a file keeps that file out.
    pub fn with_files(files: &[(String, String)]) -> (Arc<Self>, Vec<RuleError>) {
        let (book, errors) = Self::load(files);
        (Arc::new(book), errors)
    }

    fn load(user: &[(String, String)]) -> (Self, Vec<RuleError>) {
        let mut book = Self::default();
        let mut errors = Vec::new();
        for (name, text) in builtin_files() {
            errors.extend(load::builtin(&mut book, &load::Source { name, text }).err());
        }
        for (name, text) in user {
            errors.extend(load::user(&mut book, &load::Source { name, text }).err());
        }
        book.finish();
        (book, errors)
    }
}
