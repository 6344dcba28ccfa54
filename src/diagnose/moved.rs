//! New addresses a mail names itself: "has moved to", 551 replies, automatic answers of people who left.
//!
//! Kept as evidence for a later suggestion, never acted on. Invariant: an address here stands literally in the mail.

use super::Context;
use super::zone;
use crate::mail::{Mail, find_addresses};
use crate::model::{Address, Diagnosis, Evidence, Kind, NewAddress, Place};
use crate::rules::Hint;
use crate::stdx;

/// Most new addresses kept of one mail.
const MAX: usize = 8;

/// The new addresses.
pub(super) fn find(mail: &Mail<'_>, diagnosis: &Diagnosis, context: &Context) -> Vec<NewAddress> {
    let mut out = Vec::new();
    for recipient in &diagnosis.recipients {
        let Some(text) = &recipient.diagnostic else { continue };
        let others = find_addresses(text).any(|found| usable(&found.address, diagnosis, context));
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
        for found in find_addresses(text) {
            if usable(&found.address, diagnosis, context)
                && names_new_before(text, found.start, recipient.reply_code, context)
            {
                let evidence =
                    evidence.cloned().unwrap_or_else(|| mail.evidence("new address", "text", text, Place::default()));
                push(
                    &mut out,
                    Some(recipient.address.clone()),
                    found.address,
                    text,
                    Evidence { claim: "new address".to_owned(), ..evidence },
                );
            }
        }
    }
    if diagnosis.kind == Kind::AutoReply {
        in_answer(mail, diagnosis, context, &mut out);
    }
    out
}

/// An automatic answer that names another address on a line with such a wording, or on the one behind it.
fn in_answer(mail: &Mail<'_>, diagnosis: &Diagnosis, context: &Context, out: &mut Vec<NewAddress>) {
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
            for found in find_addresses(line) {
                let own = sender.as_ref().is_some_and(|sender| sender.same_as(found.address.as_str()));
                if !own && usable(&found.address, diagnosis, context) {
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
    let numbers = context.rules.scan(text);
    let seen = context.rules.seen("", "", &|_, _| false, &numbers);
    context.rules.hints(&seen).iter().any(|(hint, _)| *hint == Hint::Moved)
}

/// Whether the address at `start` is the new one: behind such a wording, or alone in a 551 reply.
fn names_new_before(text: &str, start: usize, code: Option<u16>, context: &Context) -> bool {
    code == Some(551) || names_new(text.get(..start).unwrap_or_default(), context)
}

fn usable(address: &Address, diagnosis: &Diagnosis, context: &Context) -> bool {
    let failed = diagnosis.recipients.iter().any(|recipient| {
        recipient.address.same_as(address.as_str())
            || recipient.original_address.as_ref().is_some_and(|original| original.same_as(address.as_str()))
    });
    let sender = diagnosis.original.from.as_deref().is_some_and(|from| address.same_as(from));
    !failed && !sender && !address.is_office() && !context.identity.owns_address(address.as_str())
}
