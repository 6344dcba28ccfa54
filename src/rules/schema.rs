//! What a rule file may say. Unknown keys are refused, so a misspelt condition cannot silently vanish.
//!
//! Knows the shape of the files and nothing of what they are used for. The schema for people is `assets/rules/README.md`.

use std::borrow::Cow;

use serde::Deserialize;

/// A text of a file, borrowed where it stands there as it is: most are only read to make something else of them.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'s>(#[serde(borrow)] Cow<'s, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<Text<'_>> for String {
    fn from(text: Text<'_>) -> Self {
        text.0.into_owned()
    }
}

/// `causes.toml`: the words for every cause.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CausesFile {
    #[serde(default)]
    pub(crate) cause: Vec<CauseEntry>,
    #[serde(default)]
    pub(crate) advice: Vec<AdviceEntry>,
    #[serde(default)]
    pub(crate) free_mail: FreeMail,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CauseEntry {
    pub(crate) slug: String,
    pub(crate) title: Option<String>,
    pub(crate) explanation: Option<String>,
    pub(crate) next_step: Option<String>,
    pub(crate) who_acts: Option<String>,
    pub(crate) propose: Option<String>,
    pub(crate) retry_days: Option<u32>,
    pub(crate) address_at_fault: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdviceEntry {
    pub(crate) when: String,
    #[serde(default)]
    pub(crate) cause: Vec<String>,
    #[serde(default)]
    pub(crate) words: Vec<String>,
    pub(crate) text: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FreeMail {
    #[serde(default)]
    pub(crate) domains: Vec<String>,
}

/// `rules/status.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusFile {
    pub(crate) status: Vec<StatusEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusEntry {
    pub(crate) code: String,
    pub(crate) title: String,
    pub(crate) cause: Option<String>,
    pub(crate) source: String,
}

/// `rules/replies.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepliesFile {
    pub(crate) reply: Vec<ReplyEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplyEntry {
    pub(crate) code: u16,
    pub(crate) title: String,
    pub(crate) cause: Option<String>,
    pub(crate) source: String,
    pub(crate) note: Option<String>,
}

/// `rules/phrases/<cause>.toml`, `rules/providers/<provider>.toml`, and users' rule files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleFile<'s> {
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    #[serde(default)]
    pub(crate) domains: Vec<String>,
    pub(crate) status_page: Option<String>,
    pub(crate) kind: Option<String>,
    #[serde(default, borrow)]
    pub(crate) rule: Vec<RuleEntry<'s>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleEntry<'s> {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) reply: Vec<u16>,
    #[serde(borrow)]
    pub(crate) status: Option<Text<'s>>,
    #[serde(default, borrow)]
    pub(crate) phrase: Vec<Text<'s>>,
    #[serde(default, borrow)]
    pub(crate) unless: Vec<Text<'s>>,
    #[serde(borrow)]
    pub(crate) cause: Text<'s>,
    pub(crate) meaning: Option<String>,
    pub(crate) next_step: Option<String>,
    #[serde(default)]
    pub(crate) anywhere: bool,
    #[serde(default)]
    pub(crate) weak: bool,
    #[serde(borrow)]
    pub(crate) source: Text<'s>,
    #[serde(default)]
    pub(crate) seen: Vec<String>,
    #[serde(default)]
    pub(crate) not: Vec<String>,
}

/// `rules/desks/<desk>.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeskFile {
    pub(crate) title: String,
    pub(crate) slug: String,
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    pub(crate) status_page: Option<String>,
    pub(crate) sending: Option<super::desk::Sending>,
    pub(crate) account_field: Option<String>,
    #[serde(default)]
    pub(crate) ticket: Vec<TicketEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TicketEntry {
    pub(crate) field: String,
    pub(crate) pattern: String,
    pub(crate) example: String,
    pub(crate) id: String,
    pub(crate) source: String,
    #[serde(default = "middle")]
    pub(crate) priority: u8,
    pub(crate) hyphen_at: Option<usize>,
    #[serde(default)]
    pub(crate) written: bool,
    #[serde(default)]
    pub(crate) dated: bool,
}

/// The priority of a ticket mark that gives none.
fn middle() -> u8 {
    5
}

/// `rules/formats/<family>.toml`: how one family of servers writes its notices.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormatFile {
    pub(crate) title: String,
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) recognise: Marks,
    #[serde(default)]
    pub(crate) unless: Marks,
    /// Lines behind which the recipients stand; absent: anywhere in the text.
    #[serde(default)]
    pub(crate) start: Vec<String>,
    /// Lines at which the list of recipients ends.
    #[serde(default)]
    pub(crate) end: Vec<String>,
    /// Lines at which the returned message begins.
    #[serde(default)]
    pub(crate) cut: Vec<String>,
    /// Lines that name a failed recipient.
    #[serde(default)]
    pub(crate) recipient: Vec<String>,
    /// Header fields with the failed address, where the text names nobody.
    #[serde(default)]
    pub(crate) field: Vec<String>,
    /// Lines that name what we wrote to, where the failed address is another.
    #[serde(default)]
    pub(crate) original: Vec<String>,
    /// How far the words for a recipient reach.
    #[serde(default)]
    pub(crate) text: Reach,
    /// Lines that hold the words for the recipients, wherever they stand.
    #[serde(default)]
    pub(crate) reason: Vec<String>,
    /// Lines that name the reporting server.
    #[serde(default)]
    pub(crate) reporter: Vec<String>,
    /// Lines that name the server which answered.
    #[serde(default)]
    pub(crate) remote: Vec<String>,
    /// What the notice reports: `failed` where nothing is given.
    pub(crate) action: Option<String>,
    /// Marks that turn it into a notice of delay.
    #[serde(default)]
    pub(crate) delayed: Marks,
    /// What the reporting server writes from its own findings; numbers in it are nobody's reply.
    #[serde(default)]
    pub(crate) own: Vec<String>,
    /// What such a notice means where no rule knows its words.
    pub(crate) cause: Option<String>,
    /// Code for what a table cannot say.
    pub(crate) quirk: Option<String>,
    /// Where the facts stand in a service's events as JSON (quirk `json`).
    #[serde(default)]
    pub(crate) event: EventFile,
    /// The sample in `tests/corpus`.
    pub(crate) example: Option<String>,
}

/// The keys of a sending service's events as JSON; `a.b` is the key `b` somewhere behind the key `a`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventFile {
    /// What an event tells, the first that fits.
    #[serde(default)]
    pub(crate) kind: Vec<EventKind>,
    /// Lists of recipients within one event; absent: the event is about one.
    #[serde(default)]
    pub(crate) list: Vec<String>,
    #[serde(default)]
    pub(crate) address: Vec<String>,
    #[serde(default)]
    pub(crate) status: Vec<String>,
    /// The reply code, where it stands apart.
    #[serde(default)]
    pub(crate) reply: Vec<String>,
    /// What the server said.
    #[serde(default)]
    pub(crate) diagnostic: Vec<String>,
    /// The service's own names for the reason.
    #[serde(default)]
    pub(crate) reason: Vec<String>,
    #[serde(default)]
    pub(crate) reporter: Vec<String>,
    #[serde(default)]
    pub(crate) remote: Vec<String>,
    #[serde(default)]
    pub(crate) message_id: Vec<String>,
    #[serde(default)]
    pub(crate) subject: Vec<String>,
    #[serde(default)]
    pub(crate) from: Vec<String>,
    #[serde(default)]
    pub(crate) date: Vec<String>,
}

/// One kind of event: any of these `key: value` pairs stands in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventKind {
    pub(crate) name: String,
    pub(crate) when: Vec<String>,
}

/// Marks of a notice; every group that is given must match, any of its literals will do.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Marks {
    #[serde(default)]
    pub(crate) from: Vec<String>,
    #[serde(default)]
    pub(crate) subject: Vec<String>,
    #[serde(default)]
    pub(crate) header: Vec<String>,
    #[serde(default)]
    pub(crate) body: Vec<String>,
    #[serde(default)]
    pub(crate) also: Vec<String>,
}

/// How far the words for a recipient reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reach {
    /// The rest of the line.
    Line,
    /// To the next blank line.
    #[default]
    Paragraph,
    /// To the next recipient, or the end of the list.
    UntilNext,
    /// The paragraph the recipient stands in, and what stands before it.
    Around,
}

/// `rules/kinds.toml`: the wordings that tell the kinds of notices apart.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KindsFile {
    #[serde(default)]
    pub(crate) kind: Vec<KindEntry>,
    /// Names of the fields above a message that was passed on inside a text.
    #[serde(default)]
    pub(crate) quoted: QuotedFields,
}

/// Names in lower case, as mail programs of many languages write them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuotedFields {
    #[serde(default)]
    pub(crate) from: Vec<String>,
    #[serde(default)]
    pub(crate) subject: Vec<String>,
    #[serde(default)]
    pub(crate) to: Vec<String>,
    #[serde(default)]
    pub(crate) date: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KindEntry {
    pub(crate) name: String,
    #[expect(dead_code, reason = "required of whoever writes a wording, asked by nobody")]
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) from: Vec<String>,
    #[serde(default)]
    pub(crate) subject: Vec<String>,
    #[serde(default)]
    pub(crate) subject_contains: Vec<String>,
    #[serde(default)]
    pub(crate) header: Vec<String>,
    #[serde(default)]
    pub(crate) body: Vec<String>,
    /// What such a mail means, where no cause says it.
    #[serde(default)]
    pub(crate) meaning: String,
    #[serde(default)]
    pub(crate) next_step: String,
    pub(crate) who_acts: Option<String>,
}
