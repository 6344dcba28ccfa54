//! Rule files to a rule book; every error names the file and the line.
//!
//! No I/O: files come as (name, text) pairs. Knows the folders (`phrases/`, `providers/`, `desks/`, `formats/`) and what
//! belongs into each. Invariant: a book that loads has only rules whose conditions mean something.

use std::fmt;

use super::ask::{Rule, Tier};
use super::book::RuleBook;
use super::codes::{ReplyRow, StatusPattern, StatusRow};
use super::desk::{Desk, TicketPattern};
use super::format::Format;
use super::kinds::Kinds;
use super::pattern::Pattern;
use super::provider::{HostKind, Provider};
use super::schema::{CausesFile, DeskFile, FormatFile, KindsFile, RepliesFile, RuleEntry, RuleFile, StatusFile, Text};
use super::words::{Advice, When};
use crate::model::{Cause, Proposal, WhoActs};

/// What is wrong with a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// The file's name.
    pub file: String,
    /// 1-based line, where known.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

impl std::error::Error for RuleError {}

/// One file being loaded.
pub(crate) struct Source<'s> {
    pub(crate) name: &'s str,
    pub(crate) text: &'s str,
    pub(crate) form: Form,
}

/// How the text of a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As people write it.
    Toml,
    /// As `build.rs` made it ready.
    Json,
}

impl<'s> Source<'s> {
    fn error(&self, near: &str, what: String) -> RuleError {
        let line = (!near.is_empty())
            .then(|| self.text.lines().position(|line| line.contains(near)).map(|at| at + 1))
            .flatten();
        RuleError { file: self.name.to_owned(), line, what }
    }

    fn parse<T: serde::Deserialize<'s>>(&self) -> Result<T, RuleError> {
        if self.form == Form::Json {
            return serde_json::from_str(self.text).map_err(|error| self.error("", error.to_string()));
        }
        toml::from_str(self.text).map_err(|error| {
            let line =
                error.span().map(|span| self.text.get(..span.start).map_or(0, |head| head.matches('\n').count()) + 1);
            RuleError { file: self.name.to_owned(), line, what: error.message().trim().replace('\n', "; ") }
        })
    }

    fn cause(&self, slug: &str, near: &str) -> Result<Cause, RuleError> {
        Cause::from_slug(slug).ok_or_else(|| {
            self.error(
                near,
                format!("unknown cause {slug:?}: known are {}", names(Cause::ALL.iter().map(|cause| cause.slug()))),
            )
        })
    }

    fn pattern(&self, text: &str) -> Result<Pattern, RuleError> {
        Pattern::parse(text).map_err(|what| self.error(text, what))
    }

    fn patterns(&self, texts: &[Text<'_>]) -> Result<Vec<Pattern>, RuleError> {
        texts.iter().map(|text| self.pattern(text)).collect()
    }
}

fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    all.collect::<Vec<_>>().join(", ")
}

/// Loads one of our own files.
pub(crate) fn builtin(book: &mut RuleBook, source: &Source<'_>) -> Result<(), RuleError> {
    let (folder, file) = source.name.rsplit_once('/').unwrap_or(("", source.name));
    let stem = file.strip_suffix(".toml").unwrap_or(file);
    match (folder, stem) {
        ("", "causes") => causes(book, source),
        ("rules", "status") => statuses(book, source),
        ("rules", "replies") => replies(book, source),
        ("rules", name) if name.starts_with("kinds") => kinds(book, source),
        ("rules/phrases", _) => rules(book, source, Tier::Phrase),
        ("rules/providers", _) => rules(book, source, Tier::Provider),
        ("rules/desks", _) => desk(book, source),
        ("rules/formats", _) => format(book, source, stem),
        _ => Err(source.error("", "no rule file belongs here".to_owned())),
    }
}

/// Loads a user's file: words (`[[cause]]`), tickets, kinds, a format, or rules one tier above ours.
pub(crate) fn user(book: &mut RuleBook, source: &Source<'_>) -> Result<(), RuleError> {
    let has = |table: &str| source.text.lines().any(|line| line.trim_start().starts_with(table));
    if has("[[cause]]") || has("[[advice]]") || has("[free_mail]") {
        return causes(book, source);
    }
    if has("[[ticket]]") {
        return desk(book, source);
    }
    if has("[[kind]]") {
        return kinds(book, source);
    }
    if has("[recognise]") {
        let stem = source.name.rsplit_once('/').map_or(source.name, |(_, stem)| stem).trim_end_matches(".toml");
        return format(book, source, stem);
    }
    rules(book, source, Tier::User)
}

fn causes(book: &mut RuleBook, source: &Source<'_>) -> Result<(), RuleError> {
    let file: CausesFile = source.parse()?;
    for entry in file.cause {
        let near = format!("\"{}\"", entry.slug);
        let cause = source.cause(&entry.slug, &near)?;
        let who = entry.who_acts.as_deref().map(|slug| {
            WhoActs::from_slug(slug).ok_or_else(|| {
                source.error(
                    slug,
                    format!(
                        "unknown who_acts {slug:?}: known are {}",
                        names(WhoActs::ALL.iter().map(|who| who.slug()))
                    ),
                )
            })
        });
        let who = who.transpose()?;
        let propose = entry.propose.as_deref().map(|slug| {
            Proposal::from_slug(slug).ok_or_else(|| {
                source.error(
                    slug,
                    format!(
                        "unknown propose {slug:?}: known are {}",
                        names(Proposal::ALL.iter().map(|one| one.slug()))
                    ),
                )
            })
        });
        let propose = propose.transpose()?;
        let words = book.words_mut(cause);
        if let Some(text) = entry.title {
            words.title = text;
        }
        if let Some(text) = entry.explanation {
            words.explanation = text;
        }
        if let Some(text) = entry.next_step {
            words.next_step = text;
        }
        words.who_acts = who.unwrap_or(words.who_acts);
        words.propose = propose.unwrap_or(words.propose);
        words.retry_days = entry.retry_days.or(words.retry_days);
        words.address_at_fault = entry.address_at_fault.unwrap_or(words.address_at_fault);
    }
    for entry in file.advice {
        let when = When::from_slug(&entry.when).ok_or_else(|| {
            source.error(
                &entry.when,
                format!("unknown when {:?}: known are {}", entry.when, names(When::ALL.iter().map(|when| when.slug()))),
            )
        })?;
        let causes = entry.cause.iter().map(|slug| source.cause(slug, slug)).collect::<Result<Vec<_>, _>>()?;
        if (when == When::Says) == entry.words.is_empty() {
            return Err(source.error(&entry.text, "words belong to the advice that says when = \"says\"".to_owned()));
        }
        book.advice.push(Advice { when, causes, words: entry.words, text: entry.text });
    }
    book.free_mail.extend(file.free_mail.domains.into_iter().map(|domain| domain.to_lowercase()));
    Ok(())
}

fn statuses(book: &mut RuleBook, source: &Source<'_>) -> Result<(), RuleError> {
    let file: StatusFile = source.parse()?;
    for entry in file.status {
        let near = format!("\"{}\"", entry.code);
        let pattern = StatusPattern::parse(&entry.code)
            .ok_or_else(|| source.error(&near, format!("not a status code: {:?}", entry.code)))?;
        let cause = entry.cause.as_deref().map(|slug| source.cause(slug, &near)).transpose()?;
        let row = StatusRow { code: entry.code, title: entry.title, cause, source: entry.source };
        if book.statuses.insert(pattern, row).is_some() {
            return Err(source.error(&near, "this code stands here twice".to_owned()));
        }
    }
    Ok(())
}

fn replies(book: &mut RuleBook, source: &Source<'_>) -> Result<(), RuleError> {
    let file: RepliesFile = source.parse()?;
    for entry in file.reply {
        let near = format!("code = {}", entry.code);
        let cause = entry.cause.as_deref().map(|slug| source.cause(slug, &near)).transpose()?;
        let row = ReplyRow { code: entry.code, title: entry.title, cause, source: entry.source, note: entry.note };
        if book.replies.insert(entry.code, row).is_some() {
            return Err(source.error(&near, "this code stands here twice".to_owned()));
        }
    }
    Ok(())
}

fn rules(book: &mut RuleBook, source: &Source<'_>, tier: Tier) -> Result<(), RuleError> {
    let file: RuleFile = source.parse()?;
    let provider = provider(book, source, &file)?;
    for entry in file.rule {
        let rule = rule(source, entry, tier, provider)?;
        book.push_rule(rule);
    }
    Ok(())
}

fn provider(book: &mut RuleBook, source: &Source<'_>, file: &RuleFile<'_>) -> Result<Option<u16>, RuleError> {
    if file.hosts.is_empty() && file.domains.is_empty() && file.title.is_none() {
        return Ok(None);
    }
    let kind = match &file.kind {
        None => HostKind::MailboxProvider,
        Some(slug) => HostKind::from_slug(slug).ok_or_else(|| {
            source.error(
                slug,
                format!("unknown kind {slug:?}: known are {}", names(HostKind::ALL.iter().map(|kind| kind.slug()))),
            )
        })?,
    };
    let lower = |list: &[String]| list.iter().map(|text| text.to_lowercase()).collect();
    let provider = Provider {
        title: file.title.clone().unwrap_or_default(),
        hosts: lower(&file.hosts),
        domains: lower(&file.domains),
        status_page: file.status_page.clone(),
        kind,
    };
    Ok(Some(book.push_provider(provider)))
}

fn rule(source: &Source<'_>, entry: RuleEntry<'_>, tier: Tier, provider: Option<u16>) -> Result<Rule, RuleError> {
    let near = format!("\"{}\"", entry.id);
    let cause = source.cause(&entry.cause, &near)?;
    let status = entry
        .status
        .as_deref()
        .map(|code| {
            StatusPattern::parse(code).ok_or_else(|| source.error(&near, format!("not a status code: {code:?}")))
        })
        .transpose()?;
    let phrases = source.patterns(&entry.phrase)?;
    let unless = source.patterns(&entry.unless)?;
    if phrases.is_empty() && status.is_none() && entry.reply.is_empty() {
        return Err(
            source.error(&near, format!("rule {} has no condition: give it a reply, a status or a phrase", entry.id))
        );
    }
    if let Some(short) = phrases.iter().find(|phrase| phrase.anchor().is_none_or(|text| text.len() < 3)) {
        return Err(source.error(&near, format!("a phrase needs at least three letters in a row: {short:?}")));
    }
    if entry.source.trim().is_empty() {
        return Err(source.error(&near, format!("rule {} has no source", entry.id)));
    }
    Ok(Rule {
        id: entry.id,
        tier,
        provider: provider.filter(|_| !entry.anywhere),
        home: provider,
        replies: entry.reply,
        status,
        phrases,
        unless,
        weak: entry.weak,
        cause,
        meaning: entry.meaning,
        next_step: entry.next_step,
        seen: entry.seen,
        not: entry.not,
    })
}

fn desk(book: &mut RuleBook, source: &Source<'_>) -> Result<(), RuleError> {
    let file: DeskFile = source.parse()?;
    let mut tickets = Vec::new();
    for entry in file.ticket {
        let pattern = source.pattern(&entry.pattern)?;
        tickets.push(TicketPattern {
            field: entry.field,
            pattern,
            example: entry.example,
            id: entry.id,
            priority: entry.priority,
            hyphen_at: entry.hyphen_at,
            written: entry.written,
            dated: entry.dated,
            source: entry.source,
        });
    }
    tickets.sort_by_key(|ticket| ticket.priority);
    let hosts = file.hosts.iter().map(|host| host.to_lowercase()).collect();
    let (title, slug, status_page, sending) = (file.title, file.slug, file.status_page, file.sending);
    let account_field = file.account_field;
    book.desks.push(Desk { title, slug, hosts, status_page, tickets, sending, account_field });
    Ok(())
}

fn format(book: &mut RuleBook, source: &Source<'_>, family: &str) -> Result<(), RuleError> {
    let file: FormatFile = source.parse()?;
    let format = Format::from_file(family, file, &mut |text| source.pattern(text)).map_err(|what| match what {
        super::format::Wrong::Rule(error) => error,
        super::format::Wrong::Text(near, what) => source.error(&near, what),
    })?;
    book.push_format(format);
    Ok(())
}

fn kinds(book: &mut RuleBook, source: &Source<'_>) -> Result<(), RuleError> {
    let file: KindsFile = source.parse()?;
    Kinds::extend(&mut book.kinds, file).map_err(|(near, what)| source.error(&near, what))
}
