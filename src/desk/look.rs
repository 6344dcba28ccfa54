//! Looks at an account without pulling it, and proves by the flags that nothing was marked read.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::error::Result;
use super::{Cancel, Desk};
use crate::diagnose::{HEADER_FIELDS, is_candidate_with};
use crate::mail::{Head, addresses, normalise};
use crate::source::imap::{self, Options, Report};

/// Where the address stands that a notice was sent to, in a mailbox that several addresses lead to.
const ADDRESSED: &[&str] = &["To", "Delivered-To", "X-Original-To", "X-Forwarded-To"];

/// What an account looks like.
#[derive(Debug, Default)]
pub struct Look {
    /// The server, its folders, and how many candidates are among their newest messages.
    pub report: Report,
    /// Addresses the candidates were sent to, and how many of them.
    pub addressed: BTreeMap<String, u32>,
    /// Messages whose flags were compared.
    pub compared: usize,
    /// Those whose flags were others afterwards: folder and UID. Not by us: there is no code that could.
    pub changed: Vec<(String, u32)>,
}

impl Desk {
    /// Connects, signs in, lists and counts, and reads the headers of the newest messages of each folder of `account`.
    pub fn look(&self, account: &Options, newest: u32, cancel: &Cancel) -> Result<Look> {
        let flags = || -> BTreeMap<(String, u32), String> {
            let of = |folder: &String| {
                let flags = imap::flags(account, folder, newest, cancel).unwrap_or_default();
                let folder = folder.clone();
                flags.into_iter().map(move |(uid, flags)| ((folder.clone(), uid), flags))
            };
            account.folders.iter().flat_map(of).collect()
        };
        let addressed: RefCell<BTreeMap<String, u32>> = RefCell::default();
        let candidate = |header: &[u8]| {
            let hit = is_candidate_with(header, &self.context);
            if hit {
                let raw = normalise(header);
                let head = Head::read(&raw, 0).head;
                let mut to: Vec<String> = ADDRESSED
                    .iter()
                    .filter_map(|name| head.get(name))
                    .flat_map(|field| addresses(&field.raw()))
                    .map(|address| address.as_str().to_lowercase())
                    .collect();
                to.sort();
                to.dedup();
                for address in to {
                    *addressed.borrow_mut().entry(address).or_default() += 1;
                }
            }
            hit
        };
        let fields: Vec<&str> = HEADER_FIELDS.iter().chain(ADDRESSED).copied().collect();
        let before = flags();
        let report = imap::check(account, newest, imap::Scan { fields: &fields, candidate: &candidate }, cancel)?;
        let after = flags();
        let mut look = Look { report, addressed: addressed.take(), ..Look::default() };
        for (place, flags) in before {
            if let Some(now) = after.get(&place) {
                look.compared += 1;
                if *now != flags {
                    look.changed.push(place);
                }
            }
        }
        Ok(look)
    }
}
