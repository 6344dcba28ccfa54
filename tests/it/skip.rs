//! Says once, past the capture of the test runner, what was skipped for want of something outside.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Mutex;

static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// One plain line on standard error, each reason once.
pub(crate) fn skip(why: &str) {
    if SAID.lock().unwrap().insert(why.to_owned()) {
        let _ = writeln!(std::io::stderr(), "skipped: {why}");
    }
}
