//! The wordings that tell kinds of mail apart (`kinds.toml`). What outweighs what is decided elsewhere.

use super::book::RuleBook;
use super::format::{Literals, ReadyMarks, Seen};
use super::schema::{KindsFile, Marks};
use crate::model::{Kind, WhoActs};
use crate::stdx;

/// The wordings that tell kinds apart.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    entries: Vec<KindRule>,
    /// What mails of a kind mean, by the name of their entry.
    words: Vec<(String, KindWords)>,
    /// Localised names of the fields above a message passed on inside a text, with the standard ones.
    quoted: Vec<(String, &'static str)>,
}

/// What a mail of a kind means, where no cause says it.
#[derive(Debug, Clone)]
pub struct KindWords {
    /// In plain words.
    pub meaning: String,
    /// What to do.
    pub next_step: String,
    /// Who must.
    pub who_acts: WhoActs,
}

/// What a wording of `kinds.toml` speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// A kind of notice.
    Kind(Kind),
    /// Some notice of non-delivery or delay: worth fetching, worth calling likely.
    Notice,
    /// Not to be taken for a notice, whatever else speaks for it.
    Decoy,
    /// A mail that a person or a rule passed on.
    Forwarded,
    /// Words that introduce a new address.
    Moved,
    /// The original came out of a web form.
    ContactForm,
    /// Asks to follow a link and log in, as fake notices do.
    AsksToLogIn,
}

#[derive(Debug)]
struct KindRule {
    hint: Hint,
    name: String,
    /// What the subject begins with.
    subject: Vec<String>,
    raw: Option<Marks>,
    marks: ReadyMarks,
}

impl KindRule {
    fn speaks(&self, seen: &Seen<'_>) -> bool {
        let begins = |prefix: &String| stdx::strip_prefix_ignore_case(&seen.subject_start, prefix).is_some();
        let given = !(self.marks.is_empty() && self.subject.is_empty());
        given && self.marks.all(seen) && (self.subject.is_empty() || self.subject.iter().any(begins))
    }
}

impl Kinds {
    pub(crate) fn extend(kinds: &mut Self, file: KindsFile) -> Result<(), (String, String)> {
        for entry in file.kind {
            let hint = match entry.name.split('/').next().unwrap_or_default() {
                "notice" => Hint::Notice,
                "decoy" => Hint::Decoy,
                "forwarded" => Hint::Forwarded,
                "moved" => Hint::Moved,
                "contact-form" => Hint::ContactForm,
                "asks-to-log-in" => Hint::AsksToLogIn,
                slug => Hint::Kind(
                    Kind::from_slug(slug).ok_or_else(|| (entry.name.clone(), format!("unknown kind {slug:?}")))?,
                ),
            };
            if !entry.meaning.is_empty() {
                let who = entry.who_acts.as_deref().unwrap_or(WhoActs::None.slug());
                let who =
                    WhoActs::from_slug(who).ok_or_else(|| (who.to_owned(), format!("unknown who_acts {who:?}")))?;
                let words = KindWords { meaning: entry.meaning, next_step: entry.next_step, who_acts: who };
                kinds.words.push((entry.name.clone(), words));
            }
            let marks = Marks {
                from: entry.from,
                subject: entry.subject_contains,
                header: entry.header,
                body: entry.body,
                also: Vec::new(),
            };
            kinds.entries.push(KindRule {
                hint,
                name: entry.name,
                subject: entry.subject.iter().map(|prefix| prefix.to_lowercase()).collect(),
                raw: Some(marks),
                marks: ReadyMarks::default(),
            });
        }
        let fields = file.quoted;
        let named = [("From", fields.from), ("Subject", fields.subject), ("To", fields.to), ("Date", fields.date)];
        for (standard, names) in named {
            kinds.quoted.extend(names.into_iter().map(|name| (name.to_lowercase(), standard)));
        }
        Ok(())
    }

    /// Numbers the body literals; after the last file.
    pub(super) fn finish(&mut self, literals: &mut Literals) {
        for entry in &mut self.entries {
            if let Some(marks) = entry.raw.take() {
                entry.marks = ReadyMarks::ready(&marks, literals);
            }
        }
    }
}

impl RuleBook {
    /// What mails of this entry mean, where the entry says it.
    pub fn kind_words(&self, name: &str) -> Option<&KindWords> {
        self.kinds.words.iter().find(|(known, _)| known == name).map(|(_, words)| words)
    }

    /// The standard name of a field above a message passed on inside a text: `Betreff` is `Subject`.
    pub fn quoted_field(&self, name: &str) -> Option<&'static str> {
        let name = name.trim().to_lowercase();
        self.kinds.quoted.iter().find(|(known, _)| *known == name).map(|(_, standard)| *standard)
    }

    /// What the marks of a mail speak for: each hint with the mark that gave it.
    pub fn hints(&self, seen: &Seen<'_>) -> Vec<(Hint, &str)> {
        let speaking = self.kinds.entries.iter().filter(|entry| entry.speaks(seen));
        speaking.map(|entry| (entry.hint, entry.name.as_str())).collect()
    }

    /// Whether the marks of a mail speak for this.
    pub fn has_hint(&self, hint: Hint, seen: &Seen<'_>) -> bool {
        self.kinds.entries.iter().any(|entry| entry.hint == hint && entry.speaks(seen))
    }
}
