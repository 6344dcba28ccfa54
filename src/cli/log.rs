//! The log file: what was done and what failed, one line each, for whoever looks after a cron job.
//!
//! Invariant: no secret, no text of a mail, and of an address the domain only.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use super::failure::{Failure, Result};
use super::setting;
use crate::stdx::{private_file, visible, why};

/// The log of one run; without a file it takes everything and keeps nothing.
pub(super) struct Log(Option<Mutex<File>>);

impl Log {
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self(None)) };
        let file = private_file().append(true).create(true).open(path);
        let file = file
            .map_err(|error| Failure::new(format!("could not open the log \"{}\": {}", path.display(), why(&error))))?;
        Ok(Self(Some(Mutex::new(file))))
    }

    /// Writes one line. A full disk is no reason to stop working.
    pub(super) fn line(&self, text: &str) {
        let Some(mut file) = self.0.as_ref().and_then(|file| file.lock().ok()) else { return };
        let line = format!("{} {}\n", setting::now(), masked(&visible(&text.replace('\n', " | "))));
        let _ = file.write_all(line.as_bytes());
    }
}

/// Leaves of every address only `*@domain`.
fn masked(text: &str) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some(at) = rest.find('@') {
        let (before, after) = rest.split_at(at);
        let local = |c: char| c.is_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c);
        let kept = before.trim_end_matches(local);
        out.push_str(kept);
        if kept.len() < before.len() {
            out.push('*');
        }
        out.push('@');
        rest = after.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn addresses_lose_their_local_part() {
        for (text, want) in [
            ("case of <anna.berg+x@example.org>: done", "case of <*@example.org>: done"),
            ("a@b.example,ü@c.example", "*@b.example,*@c.example"),
            ("no address", "no address"),
            ("@ alone", "@ alone"),
        ] {
            assert_eq!(masked(text), want);
        }
    }
}
