//! Suggestions that somebody or something has named: learned corrections, the server's hint, the customer's own mail.
//!
//! Owns weighing a named address against the failed one. Knows nothing of how the names were found.
//! Invariant: an address that has nothing in common with the failed one is at most listed, never preselected,
//! unless the server or the person announced it as the new one.

use super::book::Book;
use super::clean::Reading;
use super::data::data;
use super::local::{name_words, same_name, spells};
use super::slip::{Step, slip};
use super::{Named, NamedRole, Pool, Query};
use crate::model::{Address, Cause};

/// Most named addresses that are weighed.
const MOST_NAMED: usize = 500;

/// Corrections made before: of this very address, and of its domain.
pub(super) fn learned(query: &Query<'_>, book: &Book, reading: &Reading, pool: &mut Pool<'_>) {
    let times = |count: u32| if count == 1 { "once".to_owned() } else { format!("{count} times") };
    // What this case was corrected to is in the book as well, once: it speaks for other cases only.
    let own = query.corrected_to.and_then(Address::new);
    let of_others = |count: u32, own: bool| Some(count - u32::from(own)).filter(|count| *count > 0);
    for (new, count) in book.corrections(query.failed) {
        let own = own.as_ref().is_some_and(|own| own.same_as(new));
        let Some(count) = of_others(count, own) else { continue };
        pool.offer(new, 20.0 + (count as f32).ln(), true, format!("corrected so before, {}", times(count)));
    }
    for (domain, count) in book.rules(&reading.domain) {
        let address = format!("{}@{domain}", reading.local);
        let own = own.as_ref().is_some_and(|own| own.same_as(&address));
        let Some(count) = of_others(count, own) else { continue };
        let because = format!("{} was corrected to {domain} before, {}", reading.domain, times(count));
        pool.offer(&address, 13.0 + (count as f32).ln(), reading.certain, because);
    }
}

/// Addresses that the mails of the case name.
pub(super) fn named(query: &Query<'_>, book: &Book, reading: &Reading, pool: &mut Pool<'_>) {
    for named in query.named.iter().take(MOST_NAMED) {
        let Some(address) = Address::new(&named.address) else { continue };
        let ours = book.is_own_domain(address.domain()) && !same_text(address.local(), &reading.local);
        if ours || is_machine(address.local()) {
            continue;
        }
        if let Some((score, strong, why)) = weigh(query, named, &address, reading) {
            let because =
                if why.is_empty() { named.role.words().to_owned() } else { format!("{}, {why}", named.role.words()) };
            pool.offer(address.as_str(), score, strong, because);
        }
    }
}

fn same_text(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// Senders that nobody writes to.
fn is_machine(local: &str) -> bool {
    let local = local.to_lowercase();
    let plain = local.split('+').next().unwrap_or_default();
    let bounces =
        ["bounce", "bounces", "mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply"];
    bounces.contains(&plain) || plain.ends_with("-noreply") || plain.ends_with("-bounces")
}

fn mailbox_gone(cause: Cause) -> bool {
    matches!(cause, Cause::MailboxUnknown | Cause::MailboxMoved | Cause::MailboxDisabled)
}

/// Score, whether it may be preselected, and what it has in common with the failed address.
fn weigh(query: &Query<'_>, named: &Named, address: &Address, reading: &Reading) -> Option<(f32, bool, String)> {
    use NamedRole as Role;
    match named.role {
        Role::ServerHint => return Some((18.0, true, String::new())),
        // Mail text says "please use" of many addresses: it is the person's new one where the old one is gone,
        // and not where the domain was mistyped or the address is a function's.
        Role::NewAddress if data().is_role(address.local()) => return Some((1.0, false, String::new())),
        Role::NewAddress if mailbox_gone(query.cause) || same_text(address.local(), &reading.local) => {
            return Some((17.0, true, String::new()));
        }
        Role::NewAddress => return Some((3.5, false, String::new())),
        _ => {}
    }
    let customers = matches!(named.role, Role::QuotedFrom | Role::ReplyTo | Role::Signature | Role::SamePerson);
    let rank = match named.role {
        Role::QuotedFrom => 3.0,
        Role::ReplyTo | Role::Signature => 2.5,
        Role::SamePerson => 2.0,
        Role::SameTicket => 1.0,
        _ => 0.0,
    };
    let domain = slip(address.domain(), &reading.domain, 2);
    let local = slip(&address.local().to_lowercase(), &reading.local.to_lowercase(), 2);
    let same_domain = address.domain() == reading.domain;
    if same_text(address.local(), &reading.local) {
        return match domain {
            Some(way) => Some((13.0 + rank, true, format!("domain {}", way.words()))),
            None if data().is_role(address.local()) => None,
            None => Some((9.0 + rank, customers, "same name before the @".to_owned())),
        };
    }
    let letters = reading.local.chars().filter(|c| c.is_alphabetic()).count();
    if let Some(way) = local.filter(|way| letters >= 4 && (way.edits.len() == 1 || letters >= 7)) {
        let digits = way.edits.iter().any(|(_, letters)| letters.chars().any(|c| c.is_ascii_digit()));
        let single = way.edits.len() == 1 && !digits;
        let swap = way.edits.iter().all(|(step, _)| *step == Step::Swap);
        if same_domain {
            let strong = single && (customers || swap);
            return Some((
                if digits { 3.0 } else { 10.0 } + rank - way.edits.len() as f32,
                strong,
                format!("local part {}", way.words()),
            ));
        }
        if domain.is_some() {
            return Some((7.0 + rank, single && customers, "local part and domain nearly the same".to_owned()));
        }
    }
    let name = query.display_name.unwrap_or_default();
    let other = named.display_name.as_deref().unwrap_or_default();
    if same_name(name, other) {
        return Some((8.0 + rank, customers, "same display name".to_owned()));
    }
    if spells(address.local(), name) {
        return Some((5.0 + rank, false, format!("spells {}", name_words(name).join(" "))));
    }
    if name.is_empty() && spells(&reading.local, other) && customers {
        return Some((6.0 + rank, false, "its display name fits the failed address".to_owned()));
    }
    let listed = matches!(named.role, Role::QuotedFrom | Role::SamePerson) && !data().is_role(address.local());
    listed.then(|| (rank - 1.5, false, String::new()))
}
