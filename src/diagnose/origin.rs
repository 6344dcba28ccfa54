//! Whether the returned message was ours, and whose server reported.
//!
//! Concludes from marks a forger does not know: our addresses and domains from the configuration, our help desk's
//! Message-IDs. Without a configuration nothing is ours and nothing is foreign. Invariant: every verdict has its reasons.

use super::Context;
use super::collect::{Copy, Gathered};
use crate::mail::{Mail, Part, PartKind};
use crate::model::{Authenticity, Diagnosis, Identity, Kind, Ours, Returned, Role, Timestamp};
use crate::rules::{Found, Hint};

/// Whether the returned message was sent by us.
pub(super) fn authenticity(
    mail: &Mail<'_>,
    copy: &Copy<'_>,
    diagnosis: &Diagnosis,
    gathered: &Gathered<'_>,
    context: &Context,
) -> Authenticity {
    let identity = &context.identity;
    let mut out = Authenticity::default();
    let original = &diagnosis.original;
    let configured = !identity.addresses.is_empty() || !identity.domains.is_empty();
    let own_domain = |domain: &str| {
        identity.owns_domain(domain)
            || identity
                .addresses
                .iter()
                .any(|own| own.rsplit_once('@').is_some_and(|(_, ours)| ours.eq_ignore_ascii_case(domain)))
    };
    let from = original.from.as_deref();
    let from_ours = from.is_some_and(|from| {
        identity.owns_address(from) || from.rsplit_once('@').is_some_and(|(_, domain)| own_domain(domain))
    });
    let id_domain = original.message_id.as_deref().and_then(|id| id.rsplit_once('@')).map(|(_, domain)| domain);
    let id_ours = id_domain.is_some_and(own_domain);
    let desk = diagnosis.ticket.as_ref().filter(|ticket| Some(ticket.desk.as_str()) == identity.desk.as_deref());
    if id_ours {
        out.because.push("the Message-ID of the returned message has our domain".to_owned());
    }
    if let Some(ticket) = desk {
        out.because.push(format!("the returned message carries a ticket of our help desk in its {}", ticket.from));
    }
    if from_ours {
        out.because.push("the returned message is from one of our addresses".to_owned());
    }
    let marked = match own_marks(copy, original, context, &own_domain, &mut out.because) {
        Marked::Foreign => {
            out.verdict = Ours::NotOurs;
            return out;
        }
        found => found == Marked::Ours,
    };
    if let Some(ticket) = desk.filter(|ticket| ticket.sent.is_some_and(|sent| contradicts(sent, original))) {
        out.because.push(format!("the time in its {} is not that of its Date: the mark may be copied", ticket.from));
    }
    if id_ours || marked || desk.is_some() || (from_ours && diagnosis.ticket.is_some()) {
        out.verdict = Ours::Ours;
        return out;
    }
    suspicions(mail, diagnosis, gathered, &mut out.because);
    if !diagnosis.kind.is_bounce() {
        return out;
    }
    if configured && gathered.has_returned && from.is_some() && !from_ours {
        out.because.push("the returned message is not from any of our addresses".to_owned());
        out.verdict = Ours::NotOurs;
    } else if configured && from_ours && id_domain.is_some() && identity.desk.is_some() {
        out.because.push("its Message-ID is neither ours nor our help desk's: the sender may be forged".to_owned());
    }
    out
}

/// What the marks of the returned message say.
#[derive(PartialEq, Eq)]
enum Marked {
    Ours,
    /// It comes from another account at our help desk.
    Foreign,
    Unknown,
}

/// The marks of the returned message that only our own messages bear.
fn own_marks(
    copy: &Copy<'_>,
    original: &Returned,
    context: &Context,
    own_domain: &dyn Fn(&str) -> bool,
    because: &mut Vec<String>,
) -> Marked {
    let identity = &context.identity;
    if *identity == Identity::default() {
        return Marked::Unknown;
    }
    let known = because.len();
    let id = original.message_id.as_deref().map(|id| format!("<{id}>")).unwrap_or_default();
    if identity.message_ids.iter().any(|piece| !piece.is_empty() && id.contains(piece.as_str())) {
        because.push("the returned message carries our Message-ID pattern".to_owned());
    }
    let head = &copy.end.head;
    let desk = identity.desk.as_deref().and_then(|slug| context.rules.desks().iter().find(|desk| desk.slug == slug));
    let field = desk.and_then(|desk| desk.account_field.as_deref());
    if let (Some(account), Some(field)) = (&identity.desk_account, field)
        && let Some(named) = head.text(field)
    {
        if !named.trim().eq_ignore_ascii_case(account) {
            because.push(format!("the returned message names another account at the help desk in {field}"));
            return Marked::Foreign;
        }
        because.push(format!("the returned message names our account at the help desk in {field}"));
    }
    let signed = head.fields.iter().filter(|field| field.is("DKIM-Signature")).take(8).any(|field| {
        let value = field.raw();
        let mut tags = value.split(';').filter_map(|tag| tag.split_once('='));
        tags.any(|(name, domain)| name.trim() == "d" && own_domain(domain.trim()))
    });
    if signed {
        because.push("the returned message bears a DKIM signature of our domain (not verified)".to_owned());
    }
    if because.len() > known { Marked::Ours } else { Marked::Unknown }
}

/// Whether a time of sending and the Date field are more than two days apart.
fn contradicts(sent: Timestamp, original: &Returned) -> bool {
    original.date.is_some_and(|date| (date.0 - sent.0).abs() > 2 * 86_400)
}

/// What makes a notice suspicious.
fn suspicions(mail: &Mail<'_>, diagnosis: &Diagnosis, gathered: &Gathered<'_>, because: &mut Vec<String>) {
    let report = mail.of_kind(PartKind::DeliveryStatus).next().is_some();
    if (diagnosis.kind.is_bounce() || super::kind::looks_like_bounce(gathered)) && !gathered.has_returned && !report {
        because.push("nothing of the returned message came with the notice".to_owned());
        if gathered.hints.iter().any(|(hint, _)| *hint == Hint::AsksToLogIn) {
            because.push("it asks to follow a link about the mailbox, as fake notices do".to_owned());
        }
        let bait = |part: &Part<'_>| part.is_attachment() && !matches!(part.kind, PartKind::Text | PartKind::Message);
        if mail.parts.iter().any(bait) {
            because.push("it brings an attachment that is no message, as fake notices do".to_owned());
        }
    }
}

/// Whose server wrote the notice.
pub(super) fn role(diagnosis: &Diagnosis, context: &Context) -> Role {
    if !matches!(diagnosis.kind, Kind::Failure | Kind::Delay | Kind::Delivered) {
        return Role::Unknown;
    }
    let from_host = || {
        diagnosis.notice.from.as_deref().and_then(|from| from.rsplit_once('@')).map(|(_, domain)| domain.to_lowercase())
    };
    let Some(host) = diagnosis.reporter.mta.as_deref().map(str::to_lowercase).or_else(from_host) else {
        return Role::Unknown;
    };
    let rules = &context.rules;
    if rules.desk_of_host(&host).is_some() {
        return Role::HelpDesk;
    }
    if context.identity.owns_domain(&host) {
        return Role::Ours;
    }
    let domains = diagnosis.recipients.iter().map(|recipient| recipient.address.domain());
    let under = |domain: &str| {
        !domain.is_empty() && (host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
    };
    if let Some(provider) = rules.provider_of_host(&host) {
        return match provider.kind {
            crate::rules::HostKind::Filter => Role::Filter,
            crate::rules::HostKind::HelpDesk => Role::HelpDesk,
            crate::rules::HostKind::Esp => Role::OurProvider,
            _ if domains.clone().any(|domain| provider.serves(domain)) => Role::Recipient,
            _ if diagnosis
                .original
                .from
                .as_deref()
                .and_then(|from| from.rsplit_once('@'))
                .is_some_and(|(_, domain)| provider.serves(domain) || context.identity.owns_domain(domain)) =>
            {
                Role::OurProvider
            }
            _ => Role::Unknown,
        };
    }
    if domains.clone().any(under) {
        return Role::Recipient;
    }
    let sender = diagnosis
        .original
        .from
        .as_deref()
        .and_then(|from| from.rsplit_once('@'))
        .map(|(_, domain)| domain.to_lowercase());
    if sender.is_some_and(|domain| under(&domain))
        && context.identity.domains.is_empty()
        && context.identity.addresses.is_empty()
    {
        return Role::Ours;
    }
    if domains.clone().any(|domain| same_organisation(&host, domain)) { Role::Recipient } else { Role::Unknown }
}

/// Whether a host and a mail domain share their last labels beyond the top-level one.
fn same_organisation(host: &str, domain: &str) -> bool {
    let tail = |name: &str| name.rsplit('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (tail(host), tail(domain));
    a.len() == 2 && a == b && b.get(1).is_some_and(|label| label.len() > 3)
}

/// Whether the original came out of a web form: its subject or its sender says so.
pub(super) fn from_contact_form(original: &Returned, context: &Context) -> bool {
    let (from, subject) =
        (original.from.as_deref().unwrap_or_default(), original.subject.as_deref().unwrap_or_default());
    let body = Found::default();
    let seen = context.rules.seen(from, subject, Found::default(), &body);
    context.rules.has_hint(Hint::ContactForm, &seen)
}
