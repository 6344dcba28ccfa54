//! A family's table: how its notices are recognised and where in them the facts stand.
//!
//! Owns recognising by marks; the reading is done on the floor above. Invariant: a format that loads can be recognised
//! (it has at least one mark) and says where recipients stand, or names the quirk that knows.

use std::borrow::Cow;

use super::load::RuleError;
use super::pattern::Pattern;
use super::phrases::{Found, Matcher};
use super::schema::{EventFile, FormatFile, Marks, Reach};
use crate::model::{Action, Cause, Kind};

/// How far the words for a recipient reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The rest of the line.
    Line,
    /// To the next blank line.
    Paragraph,
    /// To the next recipient.
    UntilNext,
    /// The whole paragraph, and what stands before it.
    Around,
}

macro_rules! quirks {
    ($($(#[$doc:meta])* $item:ident = $slug:literal,)+) => {
        /// What a table cannot say, by name. The functions stand in `diagnose::quirks`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Quirk { $($(#[$doc])* $item,)+ }

        impl Quirk {
            /// The quirk of this name.
            pub fn from_slug(slug: &str) -> Option<Self> {
                match slug { $($slug => Some(Self::$item),)+ _ => None }
            }
        }
    };
}

quirks! {
    /// Sendmail's transcript: `>>>`, `<<<`, `... reason`.
    Transcript = "transcript",
    /// JSON notifications of a sending service.
    Json = "json",
}

/// Marks made ready: the number of each group that is given.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadyMarks {
    from: Option<u32>,
    subject: Option<u32>,
    header: Option<u32>,
    body: Option<u32>,
    also: Option<u32>,
}

/// What is known of a notice before any table is chosen.
pub struct Seen<'a> {
    /// Literals in the From field.
    pub from: Found,
    /// Literals in the subject.
    pub subject: Found,
    /// The decoded subject from its first word on; in lower case where it is not ASCII.
    pub subject_start: Cow<'a, str>,
    /// Marks in the header's fields.
    pub header: Found,
    /// Literals in the body.
    pub body: &'a Found,
}

impl ReadyMarks {
    pub(crate) fn is_empty(&self) -> bool {
        [self.from, self.subject, self.header, self.body, self.also].iter().all(Option::is_none)
    }

    fn header_hit(&self, seen: &Seen<'_>) -> bool {
        self.header.is_some_and(|group| seen.header.has(group))
    }

    /// Whether every group that is given matches.
    pub(crate) fn all(&self, seen: &Seen<'_>) -> bool {
        let stands = |group: Option<u32>, found: &Found| group.is_none_or(|group| found.has(group));
        stands(self.body, seen.body)
            && stands(self.also, seen.body)
            && stands(self.from, &seen.from)
            && stands(self.subject, &seen.subject)
            && stands(self.header, &seen.header)
    }

    /// Whether any single mark matches.
    pub(crate) fn any(&self, seen: &Seen<'_>) -> bool {
        let stands = |group: Option<u32>, found: &Found| group.is_some_and(|group| found.has(group));
        stands(self.body, seen.body)
            || stands(self.also, seen.body)
            || stands(self.from, &seen.from)
            || stands(self.subject, &seen.subject)
            || self.header_hit(seen)
    }

    pub(crate) fn ready(marks: &Marks, literals: &mut Literals) -> Self {
        Self {
            header: literals.fields_group(&marks.header),
            from: literals.group(&marks.from),
            subject: literals.group(&marks.subject),
            body: literals.group(&marks.body),
            also: literals.group(&marks.also),
        }
    }
}

/// A field of the header that speaks for a family or a kind.
#[derive(Debug)]
pub struct FieldMark {
    /// Its name.
    pub name: Box<str>,
    /// A text that must stand in it.
    pub text: Option<Box<str>>,
    /// The number of its group.
    pub group: u32,
}

/// The marks of all formats and kinds in numbered groups: literals in one matcher, fields by the length of their name.
#[derive(Debug, Default)]
pub(crate) struct Literals {
    automaton: Matcher,
    fields: Vec<Vec<FieldMark>>,
    groups: u32,
}

impl Literals {
    /// The number of a group of literals; none where it is empty.
    fn group<'t>(&mut self, texts: impl IntoIterator<Item = &'t (impl AsRef<str> + 't)>) -> Option<u32> {
        let mut group = None;
        for text in texts {
            let number = *group.get_or_insert_with(|| self.next_group());
            self.add(text.as_ref(), number);
        }
        group
    }

    fn add(&mut self, text: &str, group: u32) {
        self.automaton.add(text, group);
        // capitals of ASCII are no matter to the matcher; of other alphabets a sentence's first letter is one
        let mut letters = text.chars();
        if let Some(first) = letters.next().filter(|first| !first.is_ascii() && first.is_lowercase()) {
            let capital: String = first.to_uppercase().chain(letters).collect();
            self.automaton.add(&capital, group);
        }
    }

    /// The number of a group of fields, each a `Name` or `Name: text`.
    fn fields_group(&mut self, lines: &[String]) -> Option<u32> {
        let group = (!lines.is_empty()).then(|| self.next_group())?;
        for line in lines {
            let (name, text) = line.split_once(':').unwrap_or((line, ""));
            let (name, text) = (name.trim(), Some(text.trim()).filter(|text| !text.is_empty()));
            self.fields.resize_with(self.fields.len().max(name.len() + 1), Vec::new);
            if let Some(same_length) = self.fields.get_mut(name.len()) {
                same_length.push(FieldMark { name: name.into(), text: text.map(Into::into), group });
            }
        }
        Some(group)
    }

    fn next_group(&mut self) -> u32 {
        self.groups += 1;
        self.groups
    }

    /// The marks that a field of this name may be.
    pub(crate) fn fields(&self, name: &[u8]) -> impl Iterator<Item = &FieldMark> {
        let same_length = self.fields.get(name.len()).map_or(&[][..], Vec::as_slice);
        same_length.iter().filter(move |mark| mark.name.as_bytes().eq_ignore_ascii_case(name))
    }

    /// Adds those that stand in the text.
    pub(crate) fn scan(&self, text: &str, found: &mut Found) {
        self.automaton.find(text, found);
    }
}

/// Where the facts stand in a sending service's events as JSON; a key `a.b` is `b` somewhere behind `a`.
#[derive(Debug, Default)]
pub struct Events {
    /// What an event tells, by `(key, value)`; the first that fits decides.
    pub kinds: Vec<(Kind, Vec<(String, String)>)>,
    /// Lists of recipients within one event.
    pub list: Vec<String>,
    /// The recipient's address.
    pub address: Vec<String>,
    /// The enhanced status code.
    pub status: Vec<String>,
    /// The reply code, where it stands apart from the words.
    pub reply: Vec<String>,
    /// What the server said.
    pub diagnostic: Vec<String>,
    /// The service's own names for the reason.
    pub reason: Vec<String>,
    /// The reporting server.
    pub reporter: Vec<String>,
    /// The answering server.
    pub remote: Vec<String>,
    /// Of the original message.
    pub message_id: Vec<String>,
    /// Of the original message.
    pub subject: Vec<String>,
    /// Of the original message.
    pub from: Vec<String>,
    /// Of the original message.
    pub date: Vec<String>,
}

impl Events {
    fn from_file(file: EventFile) -> Result<Self, Wrong> {
        let mut kinds = Vec::new();
        for entry in file.kind {
            let wrong = |what: String| Wrong::Text(entry.name.clone(), what);
            let kind = Kind::from_slug(&entry.name).ok_or_else(|| wrong(format!("unknown kind {:?}", entry.name)))?;
            let pairs = entry.when.iter().map(|pair| {
                let pair = pair.split_once(": ").ok_or_else(|| wrong(format!("{pair:?} is not \"key: value\"")))?;
                Ok((pair.0.to_owned(), pair.1.to_owned()))
            });
            kinds.push((kind, pairs.collect::<Result<Vec<_>, Wrong>>()?));
        }
        Ok(Self {
            kinds,
            list: file.list,
            address: file.address,
            status: file.status,
            reply: file.reply,
            diagnostic: file.diagnostic,
            reason: file.reason,
            reporter: file.reporter,
            remote: file.remote,
            message_id: file.message_id,
            subject: file.subject,
            from: file.from,
            date: file.date,
        })
    }
}

/// A family's table made ready.
#[derive(Debug)]
pub struct Format {
    /// File stem: the family.
    pub family: String,
    /// Its name as people know it.
    pub title: String,
    /// Where the knowledge comes from.
    pub source: String,
    pub(crate) marks: MarkSets,
    /// Lines behind which the recipients stand.
    pub start: Vec<Pattern>,
    /// Lines at which their list ends.
    pub end: Vec<Pattern>,
    /// Lines at which the returned message begins.
    pub cut: Vec<Pattern>,
    /// Lines that name a recipient.
    pub recipient: Vec<Pattern>,
    /// Header fields with the failed address, where the text names nobody.
    pub field: Vec<String>,
    /// What names the address we wrote to.
    pub original: Vec<Pattern>,
    /// How far their words reach.
    pub text: Extent,
    /// Lines with words for all recipients.
    pub reason: Vec<Pattern>,
    /// Lines that name the reporting server.
    pub reporter: Vec<Pattern>,
    /// The group of the literals of those lines.
    reporter_marks: Option<u32>,
    /// Lines that name the answering server.
    pub remote: Vec<Pattern>,
    /// What it reports.
    pub action: Action,
    /// Lines it writes from its own findings: no server replied.
    pub own: Vec<Pattern>,
    /// What it means where no rule knows its words.
    pub cause: Option<Cause>,
    /// Code for the rest.
    pub quirk: Option<Quirk>,
    /// The keys of its events, where it writes JSON.
    pub events: Events,
    /// Its sample.
    pub example: Option<String>,
}

/// Marks before and after the literals got their numbers.
#[derive(Debug, Default)]
pub(crate) struct MarkSets {
    raw: Option<(Marks, Marks, Marks)>,
    pub(crate) recognise: ReadyMarks,
    pub(crate) unless: ReadyMarks,
    pub(crate) delayed: ReadyMarks,
}

/// Why a format file does not load.
pub(crate) enum Wrong {
    Rule(RuleError),
    Text(String, String),
}

impl Format {
    pub(crate) fn from_file(
        family: &str,
        file: FormatFile,
        pattern: &mut dyn FnMut(&str) -> Result<Pattern, RuleError>,
    ) -> Result<Self, Wrong> {
        let mut list = |texts: Vec<String>| {
            texts.iter().map(|text| pattern(text)).collect::<Result<Vec<_>, _>>().map_err(Wrong::Rule)
        };
        let action = match file.action.as_deref() {
            None | Some("failed") => Action::Failed,
            Some("delayed") => Action::Delayed,
            Some("delivered") => Action::Delivered,
            Some("relayed") => Action::Relayed,
            Some(other) => {
                return Err(Wrong::Text(
                    other.to_owned(),
                    format!("unknown action {other:?}: known are failed, delayed, delivered, relayed"),
                ));
            }
        };
        let cause = match file.cause.as_deref() {
            None => None,
            Some(slug) => Some(
                Cause::from_slug(slug)
                    .ok_or_else(|| Wrong::Text(slug.to_owned(), format!("unknown cause {slug:?}")))?,
            ),
        };
        let quirk = match file.quirk.as_deref() {
            None => None,
            Some(slug) => Some(
                Quirk::from_slug(slug)
                    .ok_or_else(|| Wrong::Text(slug.to_owned(), format!("unknown quirk {slug:?}")))?,
            ),
        };
        let text = match file.text {
            Reach::Line => Extent::Line,
            Reach::Paragraph => Extent::Paragraph,
            Reach::UntilNext => Extent::UntilNext,
            Reach::Around => Extent::Around,
        };
        let out = Self {
            family: family.to_owned(),
            title: file.title,
            source: file.source,
            start: list(file.start)?,
            end: list(file.end)?,
            cut: list(file.cut)?,
            recipient: list(file.recipient)?,
            field: file.field,
            original: list(file.original)?,
            text,
            reason: list(file.reason)?,
            reporter: list(file.reporter)?,
            remote: list(file.remote)?,
            own: list(file.own)?,
            cause,
            action,
            quirk,
            events: Events::from_file(file.event)?,
            example: file.example,
            reporter_marks: None,
            marks: MarkSets { raw: Some((file.recognise, file.unless, file.delayed)), ..MarkSets::default() },
        };
        Ok(out)
    }

    pub(crate) fn number(&mut self, literals: &mut Literals) {
        let anchors: Vec<&str> = self.reporter.iter().filter_map(Pattern::anchor).map(str::trim_end).collect();
        self.reporter_marks = literals.group(&anchors);
        if let Some((recognise, unless, delayed)) = self.marks.raw.take() {
            self.marks.recognise = ReadyMarks::ready(&recognise, literals);
            self.marks.unless = ReadyMarks::ready(&unless, literals);
            self.marks.delayed = ReadyMarks::ready(&delayed, literals);
        }
    }

    /// Whether a line that names the reporting server may stand in a body with these marks.
    pub fn may_name_reporter(&self, body: &Found) -> bool {
        self.reporter_marks.is_some_and(|group| body.has(group))
    }

    /// Whether this family wrote the notice.
    pub fn recognises(&self, seen: &Seen<'_>) -> bool {
        !self.marks.recognise.is_empty() && self.marks.recognise.all(seen) && !self.marks.unless.any(seen)
    }

    /// Whether a header mark of its own stands in a header.
    pub fn has_header_mark(&self, seen: &Seen<'_>) -> bool {
        self.marks.recognise.header_hit(seen)
    }

    /// Whether it is the family's notice of delay.
    pub fn is_delay(&self, seen: &Seen<'_>) -> bool {
        self.action == Action::Delayed || (!self.marks.delayed.is_empty() && self.marks.delayed.any(seen))
    }
}
