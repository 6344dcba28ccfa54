//! Judgement: one mail in, one [`Diagnosis`] out.
//!
//! The straight line: read the mail, take the facts of the standard parts, fill gaps from the tables of known formats,
//! then from prose, merge them per recipient, conclude kind and causes. Pure: no I/O, no clock, no randomness. Invariant:
//! total over any bytes; doubts are notes, never errors.
//!
//! ```
//! use bounceback::diagnose::{Context, diagnose, explain};
//! use bounceback::model::{Cause, Identity, Kind, Ours};
//!
//! // a notice without any machine-readable part
//! let mail = b"Return-Path: <>\n\
//!     From: MAILER-DAEMON@mx.example.net\n\
//!     To: support@company.example\n\
//!     Subject: failure notice\n\n\
//!     Hi. This is the qmail-send program at mx.example.net.\n\n\
//!     <anna@example.org>:\n\
//!     Sorry, no mailbox here by that name. (#5.1.1)\n\n\
//!     --- Below this line is a copy of the message.\n\n\
//!     From: Support <support@company.example>\n\
//!     To: anna@example.org\n\
//!     Message-ID: <1@company.example>\n\
//!     Subject: Your refund\n\nDear Anna\n";
//!
//! // who we are: so that our own address is never the failed one, and forged mail is told from ours
//! let identity = Identity { domains: vec!["company.example".into()], ..Identity::default() };
//! let diagnosis = diagnose(mail, &Context { identity, ..Context::default() });
//!
//! assert_eq!(diagnosis.kind, Kind::Failure);
//! assert_eq!(diagnosis.authenticity.verdict, Ours::Ours);
//! assert_eq!(diagnosis.reporter.mta.as_deref(), Some("mx.example.net"));
//! let anna = &diagnosis.recipients[0];
//! assert_eq!((anna.address.as_str(), anna.cause), ("anna@example.org", Cause::MailboxUnknown));
//! assert_eq!(anna.status.unwrap().to_string(), "5.1.1");
//! assert_eq!(anna.reply_code, None); // none is in the mail, so none is made up
//! assert!(anna.evidence.iter().any(|one| one.claim == "status" && one.line == Some(9)));
//!
//! // the same as text for a person, and as JSON
//! assert!(explain(&diagnosis).contains("no mailbox here by that name"));
//! assert_eq!(serde_json::to_value(&diagnosis).unwrap()["recipients"][0]["cause"], "mailbox-unknown");
//! ```

mod candidate;
mod classify;
mod code;
mod collect;
mod explain;
mod forwarded;
mod kind;
mod merge;
mod moved;
mod origin;
mod prose;
mod quirks;
mod ticket;
mod trace;
mod wording;
mod zone;

use std::sync::Arc;

pub use candidate::{HEADER_FIELDS, is_candidate, is_candidate_with};
pub use code::explain_code;
pub use explain::explain;
pub use trace::{families, trace};

use crate::mail::{Mail, PartKind, addresses, date_of, message_ids, normalise, read_address};
use crate::model::{Address, Diagnosis, Fact, Identity, Kind, NoticeHead, Origin, PerRecipient, Place};
use crate::rules::{Hint, KindWords, RuleBook};
use crate::stdx;
use classify::Circumstances;
use collect::{Copy, Gathered};

/// What the engine knows beside the mail: the rules, and who we are.
#[derive(Debug, Clone)]
pub struct Context {
    /// The rule book.
    pub rules: Arc<RuleBook>,
    /// Our own addresses, domains and help desk.
    pub identity: Identity,
}

impl Default for Context {
    /// Our own rules, nobody's identity.
    fn default() -> Self {
        Self { rules: RuleBook::builtin(), identity: Identity::default() }
    }
}

/// Explains one mail. Never fails; what could not be read is said in `notes`.
///
/// ```
/// use bounceback::diagnose::{Context, diagnose};
/// use bounceback::model::{Cause, Kind};
///
/// let mail = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
///     --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n\
///     Final-Recipient: rfc822; anna@example.org\nAction: failed\nStatus: 5.1.1\n\
///     Diagnostic-Code: smtp; 550 5.1.1 No such user\n--b--\n";
/// let diagnosis = diagnose(mail, &Context::default());
/// assert_eq!(diagnosis.kind, Kind::Failure);
/// assert_eq!(diagnosis.recipients[0].address.as_str(), "anna@example.org");
/// assert_eq!(diagnosis.recipients[0].cause, Cause::MailboxUnknown);
/// ```
pub fn diagnose(mail: &[u8], context: &Context) -> Diagnosis {
    let raw = normalise(mail);
    let mail = Mail::read(&raw);
    conclude(&mail, context, 0)
}

/// Diagnoses a mail that was read; `depth` counts the messages around it.
fn conclude(mail: &Mail<'_>, context: &Context, depth: usize) -> Diagnosis {
    let attached = Copy::attached(mail);
    let mut gathered = collect::gather(mail, attached.as_ref(), context);
    let kind = kind::decide(mail, &gathered);
    if depth < crate::mail::MAX_NESTED
        && let Some(inner) = forwarded::inner(mail, &gathered, kind, context, depth)
    {
        return inner;
    }
    let mut diagnosis = Diagnosis::of(kind);
    if kind == Kind::Complaint {
        let named = complained(mail);
        if !named.is_empty() || gathered.stated.is_none() {
            gathered.report.recipients = named;
        }
    }
    if kind == Kind::Failure && mail.of_kind(PartKind::Disposition).next().is_some() {
        // a person's or a filter's own text: numbers in it are not what a server replied
        merge::silence_codes(&mut gathered.report.recipients);
    }
    diagnosis.reporter = std::mem::take(&mut gathered.reporter);
    diagnosis.original = std::mem::take(&mut gathered.returned);
    if matches!(kind, Kind::Failure | Kind::Delay | Kind::Delivered | Kind::Complaint) {
        let reporter = diagnosis.reporter.mta.clone();
        let case = Circumstances {
            reporter: reporter.as_deref(),
            format: gathered.format,
            contact_form: origin::from_contact_form(&diagnosis.original, context),
        };
        let merged =
            gathered.report.recipients.iter().filter_map(|record| merge::recipient(mail, record, kind::unsaid(kind)));
        diagnosis.recipients = merged.map(|merged| classify::conclude(merged, context, &case)).collect();
    }
    let complaint = (kind == Kind::Complaint).then(|| complaint_words(mail, &gathered, &context.rules)).flatten();
    if let Some(words) = complaint {
        for recipient in &mut diagnosis.recipients {
            recipient.meaning.clone_from(&words.meaning);
            recipient.next_step.clone_from(&words.next_step);
            recipient.who_acts = words.who_acts;
        }
    }
    if diagnosis.kind.is_bounce() && diagnosis.recipients.is_empty() {
        diagnosis.kind = Kind::Other;
        diagnosis.likely_bounce = true;
    }
    diagnosis.notice = notice_head(mail);
    diagnosis.evidence = kind::evidence(mail, kind, &gathered);
    let pasted = std::mem::take(&mut gathered.pasted_header);
    let copy = attached.unwrap_or_else(|| Copy::read(pasted.as_bytes()));
    diagnosis.ticket = ticket::find(mail, &copy, context);
    diagnosis.new_addresses = moved::find(mail, &diagnosis, context);
    diagnosis.authenticity = origin::authenticity(mail, &copy, &diagnosis, &gathered, context);
    diagnosis.reporter.role = origin::role(&diagnosis, context);
    diagnosis.likely_bounce |= diagnosis.kind == Kind::Other && kind::looks_like_bounce(&gathered);
    diagnosis.notes = notes(mail, &diagnosis, &gathered);
    if let Some(words) = complaint.filter(|_| diagnosis.recipients.is_empty()) {
        diagnosis.notes.insert(0, format!("{} {}", words.meaning, words.next_step));
    }
    diagnosis
}

/// The notice's own header fields.
fn notice_head(mail: &Mail<'_>) -> NoticeHead {
    let head = mail.head();
    let ids = |name: &str| head.get(name).map(|field| message_ids(&field.raw())).unwrap_or_default();
    let mut references = ids("In-Reply-To");
    for id in ids("References").into_iter().rev() {
        if !references.contains(&id) {
            references.push(id);
        }
    }
    NoticeHead {
        message_id: ids("Message-ID").into_iter().next(),
        from: head.get("From").and_then(|field| addresses(&field.raw()).into_iter().next()).map(String::from),
        subject: head.text("Subject").map(std::borrow::Cow::into_owned),
        date: date_of(head),
        references,
        to: sent_to(mail),
    }
}

/// The addresses the notice was sent to, once each.
fn sent_to(mail: &Mail<'_>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let fields = mail.head().fields.iter().filter(|field| field.is("To") || field.is("Delivered-To"));
    for address in fields.take(8).flat_map(|field| addresses(&field.raw())).take(32) {
        if !out.iter().any(|known| address.same_as(known)) {
            out.push(address.into());
        }
    }
    out
}

/// What a complaint is about: by its own mark, else by the type the report states (RFC 5965 section 3.1), else any.
fn complaint_words<'r>(mail: &Mail<'_>, gathered: &Gathered<'_>, rules: &'r RuleBook) -> Option<&'r KindWords> {
    let marked = gathered.hints.iter().filter(|(hint, _)| *hint == Hint::Kind(Kind::Complaint));
    let marked = marked.map(|(_, name)| *name).find(|name| name.contains('/'));
    let field =
        |line: &str| stdx::strip_prefix_ignore_case(line, "Feedback-Type:").map(|value| value.trim().to_lowercase());
    let stated = mail.of_kind(PartKind::Feedback).find_map(|(_, part)| part.text().lines().find_map(field));
    let name = marked.map(str::to_owned).or_else(|| Some(format!("complaint/{}", stated?)));
    name.and_then(|name| rules.kind_words(&name)).or_else(|| rules.kind_words("complaint"))
}

/// The recipients a complaint names (RFC 5965 section 3.2; Outlook.com's own field in the message it returns), once each.
fn complained(mail: &Mail<'_>) -> Vec<PerRecipient> {
    const FIELDS: [(&str, &str); 2] = [
        ("Original-Rcpt-To:", "Original-Rcpt-To field"),
        ("X-HmXmrOriginalRecipient:", "X-HmXmrOriginalRecipient field"),
    ];
    let mut out: Vec<PerRecipient> = Vec::new();
    let parts = mail.of_kind(PartKind::Feedback).chain(mail.of_kind(PartKind::Message));
    for (index, part) in parts {
        let lines = part.text().lines().take_while(|line| part.kind != PartKind::Message || !line.is_empty());
        for (at, line) in lines.enumerate() {
            let field =
                FIELDS.iter().find_map(|(name, from)| Some((stdx::strip_prefix_ignore_case(line, name)?, *from)));
            let Some((value, from)) = field else { continue };
            let Some(address): Option<Address> = read_address(value) else { continue };
            let known = out.iter().any(|record| record.recipient.as_ref().is_some_and(|fact| fact.value == address));
            if !known && out.len() < 512 {
                let place = Place { part: index, line: u32::try_from(at).unwrap_or(u32::MAX) };
                let recipient = Some(Fact { value: address, place, origin: Origin::Field, from });
                out.push(PerRecipient { recipient, ..PerRecipient::default() });
            }
        }
    }
    out
}

/// Doubts, one sentence each.
fn notes(mail: &Mail<'_>, diagnosis: &Diagnosis, gathered: &Gathered<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if gathered.report.recipients.len() >= crate::mail::MAX_RECIPIENTS {
        notes.push("the mail has more recipients than are read".to_owned());
    }
    if mail.truncated {
        notes.push("the mail has more parts or levels than are read".to_owned());
    }
    if mail.parts.iter().any(|part| part.kind == PartKind::Text && part.body.len() > crate::mail::MAX_TEXT) {
        notes.push("only the beginning of a very long text was read".to_owned());
    }
    if diagnosis.likely_bounce {
        notes.push("this looks like a notice of non-delivery, but no failed recipient could be read".to_owned());
    }
    notes
}
