//! The few layouts tables cannot say: a closed set, named in the format files.
//!
//! Each function turns the zones of a notice into facts of one recipient each. Invariant as everywhere: literal only.

mod json;
mod transcript;

use crate::diagnose::zone::Zone;
use crate::model::{Address, PerRecipient};
use crate::rules::{Format, Quirk};

/// What a quirk reads beside the recipients.
#[derive(Debug, Default)]
pub(in crate::diagnose) struct Reading {
    pub(in crate::diagnose) recipients: Vec<PerRecipient>,
    /// The reporting server.
    pub(in crate::diagnose) reporter: Option<String>,
    /// The kind, where the layout states it.
    pub(in crate::diagnose) kind: Option<crate::model::Kind>,
    /// Whether only loose wordings named them.
    pub(in crate::diagnose) weak: bool,
    /// The original message.
    pub(in crate::diagnose) original: Option<crate::model::Returned>,
}

/// Runs a quirk.
pub(in crate::diagnose) fn run(
    quirk: Quirk,
    format: &Format,
    zones: &[Zone<'_>],
    excluded: &dyn Fn(&Address) -> bool,
) -> Reading {
    match quirk {
        Quirk::Transcript => transcript::read(zones, &format.own, excluded),
        Quirk::Json => json::read(zones, &format.events),
    }
}
