//! New addresses a mail names itself: "has moved to", 551 replies, automatic answers of people who left.
//!
//! Kept as evidence for a later suggestion, never acted on. Invariant: an address here stands literally in the mail.

use std::cell::LazyCell;
use std::collections::HashSet;

use super::Context;
use super::zone;
use crate::mail::{Mail, find_addresses};
use crate::model::{Address, Diagnosis, Evidence, Kind, NewAddress, Place};
use crate::rules::{Found, Hint};
use crate::stdx;

/// Most new addresses kept of one mail.
const MAX: usize = 8;
/// Most addresses of one wording that are looked at.
const MAX_LOOKED_AT: usize = 32;

/// The new addresses.
pub(super) fn find(mail: &Mail<'_>, diagnosis: &Diagnosis, context: &Context) -> Vec<NewAddress> {
    let mut out = Vec::new();
    let failed = LazyCell::new(|| failed(diagnosis));
    let usable =
        |address: &Address| !failed.contains(&address.as_str().to_lowercase()) && usable(address, diagnosis, context);
    for recipient in &diagnosis.recipients {
        let Some(text) = &recipient.diagnostic else { continue };
        let named = || find_addresses(text).take(MAX_LOOKED_AT);
        let others = named().any(|found| usable(&found.address));
        if !others {
            continue;
        }
        let says_so = recipient.reply_code == Some(551)
            || recipient.cause == crate::model::Cause::MailboxMoved
            || names_new(text, context);
        if !says_so {
            continue;
        }
        let evidence = recipient.evidence.iter().find(|one| one.claim == "diagnostic");
        for found in named() {
            if usable(&found.address) && names_new_before(text, found.start, recipient.reply_code, context) {
                let evidence =
                    evidence.cloned().unwrap_or_else(|| mail.evidence("new address", "text", text, Place::default()));
                push(
                    &mut out,
                    Some(recipient.address.clone()),
                    found.address,
                    text,
                    Evidence { claim: "new address".into(), ..evidence },
                );
            }
        }
    }
    if diagnosis.kind == Kind::AutoReply {
        in_answer(mail, diagnosis, context, &usable, &mut out);
    }
    out
}

/// An automatic answer that names another address on a line with such a wording, or on the one behind it.
fn in_answer(
    mail: &Mail<'_>,
    diagnosis: &Diagnosis,
    context: &Context,
    usable: &dyn Fn(&Address) -> bool,
    out: &mut Vec<NewAddress>,
) {
    let sender = diagnosis.notice.from.as_deref().and_then(crate::mail::read_address);
    for zone in zone::zones(mail) {
        for at in zone.from..zone.to {
            let line = zone.text.line(at);
            if line.trim_start().starts_with('>') || !line.contains('@') {
                continue;
            }
            let before = at.checked_sub(1).map(|before| zone.text.line(before)).unwrap_or_default();
            let sentence = format!("{} {}", before.trim(), line.trim());
            if !names_new(&sentence, context) {
                continue;
            }
            for found in find_addresses(line).take(MAX_LOOKED_AT) {
                let own = sender.as_ref().is_some_and(|sender| sender.same_as(found.address.as_str()));
                if !own && usable(&found.address) {
                    let place = Place { part: zone.part, line: u32::try_from(at).unwrap_or(u32::MAX) };
                    let evidence = mail.evidence("new address", "automatic answer", line.trim(), place);
                    push(out, sender.clone(), found.address, stdx::squeeze(&sentence).as_ref(), evidence);
                }
            }
        }
    }
}

fn push(out: &mut Vec<NewAddress>, replaces: Option<Address>, address: Address, because: &str, evidence: Evidence) {
    let known = out.iter().any(|one| one.address.same_as(address.as_str()));
    let same = replaces.as_ref().is_some_and(|old| old.same_as(address.as_str()));
    if !known && !same && out.len() < MAX {
        out.push(NewAddress { replaces, address, because: stdx::clamp(because, 300).to_owned(), evidence });
    }
}

/// Whether the wording says that an address replaces another; the wordings are the `moved` hints of `kinds.toml`.
fn names_new(text: &str, context: &Context) -> bool {
    let mut found = Found::default();
    context.rules.scan(text, &mut found);
    let seen = context.rules.seen("", "", Found::default(), &found);
    context.rules.has_hint(Hint::Moved, &seen)
}

/// Whether the address at `start` is the new one: behind such a wording, or alone in a 551 reply.
fn names_new_before(text: &str, start: usize, code: Option<u16>, context: &Context) -> bool {
    code == Some(551) || names_new(text.get(..start).unwrap_or_default(), context)
}

/// The failed addresses in lower case: a notice may name thousands, each in the words for it.
fn failed(diagnosis: &Diagnosis) -> HashSet<String> {
    let all = diagnosis.recipients.iter().flat_map(|one| [Some(&one.address), one.original_address.as_ref()]);
    all.flatten().map(|address| address.as_str().to_lowercase()).collect()
}

/// Whether an address may be somebody's new one.
fn usable(address: &Address, diagnosis: &Diagnosis, context: &Context) -> bool {
    let sender = diagnosis.original.from.as_deref().is_some_and(|from| address.same_as(from));
    !sender && !address.is_office() && !context.identity.owns_address(address.as_str())
}
