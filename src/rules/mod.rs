//! Knowledge as data: the rule files, loaded and ready to be asked.
//!
//! The only user of `toml` (beside the configuration and other tables). Knows no mail and does no I/O: our own files are
//! embedded as JSON, which `build.rs` made of them; the user's come as (name, text) pairs. Invariant: our own files load,
//! a test sees to it.

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
pub use format::{Events, Extent, FieldMark, Format, Quirk, Seen};
pub use kinds::{Hint, KindWords};
pub use load::RuleError;
use load::{Form, Source};
pub use pattern::{Captures, Hole, Pattern};
pub use phrases::Found;
pub use provider::{HostKind, Provider};
pub use words::{Advice, When, Words};

mod files {
    include!(concat!(env!("OUT_DIR"), "/rule_files.rs"));
}

impl RuleBook {
    /// Our own rules.
    pub fn builtin() -> Arc<Self> {
        static BOOK: OnceLock<Arc<RuleBook>> = OnceLock::new();
        Arc::clone(BOOK.get_or_init(|| {
            let (book, _) = Self::with_files(&[]);
            book
        }))
    }

    /// Our own rules with the user's files one tier above; what is wrong with a file keeps that file out.
    pub fn with_files(files: &[(String, String)]) -> (Arc<Self>, Vec<RuleError>) {
        Self::load(files::FILES.iter().map(|(name, text)| Source { name, text, form: Form::Json }), files)
    }

    /// Our own rules with one of our files as somebody edits it in the source tree; `None` where `path` is none of ours.
    pub fn with_edited(path: &str, text: &str) -> Option<(Arc<Self>, Vec<RuleError>)> {
        let path = path.replace('\\', "/");
        let (edited, _) = files::FILES.iter().find(|(name, _)| path.ends_with(&format!("/{name}")) || path == *name)?;
        let ours = files::FILES.iter().map(|(name, built)| match name == edited {
            true => Source { name, text, form: Form::Toml },
            false => Source { name, text: built, form: Form::Json },
        });
        Some(Self::load(ours, &[]))
    }

    /// Rules as whoever edits them has them: the files of `assets/`, in place of those that were built in.
    pub fn of_assets(own: &[(String, String)]) -> (Arc<Self>, Vec<RuleError>) {
        Self::load(own.iter().map(|(name, text)| Source { name, text, form: Form::Toml }), &[])
    }

    fn load<'f>(own: impl Iterator<Item = Source<'f>>, user: &[(String, String)]) -> (Arc<Self>, Vec<RuleError>) {
        let mut book = Self::default();
        let mut errors = Vec::new();
        for source in own {
            errors.extend(load::builtin(&mut book, &source).err());
        }
        for (name, text) in user {
            errors.extend(load::user(&mut book, &Source { name, text, form: Form::Toml }).err());
        }
        book.finish();
        (Arc::new(book), errors)
    }
}
