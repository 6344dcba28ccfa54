//! Judgement: one mail in, one [`Diagnosis`] out.
//!
//! The straight line: read the mail, take the facts of the standard parts, fill gaps from the tables of known formats,
//! then from prose, merge them per recipient, conclude kind and causes. Pure: no I/O, no clock, no randomness. Invariant:
//! total over any bytes; doubts are notes, never errors.

mod classify;
mod collect;
mod kind;
mod merge;

use std::sync::Arc;

use crate::mail::{Mail, normalise};
use crate::model::{Diagnosis, Identity};
use crate::rules::RuleBook;

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
    let gathered = collect::gather(&mail, context);
    let mut diagnosis = Diagnosis::of(kind::decide(&mail, &gathered));
    diagnosis.reporter = gathered.reporter.clone();
    diagnosis.original = gathered.returned.clone();
    diagnosis.recipients = gathered
        .report
        .recipients
        .iter()
        .filter_map(|record| merge::recipient(&mail, record))
        .map(|merged| classify::conclude(merged, context))
        .collect();
    diagnosis
}
