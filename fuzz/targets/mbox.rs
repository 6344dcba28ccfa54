//! An mbox (or whatever it is) is split into mails that are no larger than the file and than the limit.
#![no_main]

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::LazyLock;

use bounceback::source::{Cancel, files};
use libfuzzer_sys::fuzz_target;

static PATH: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("bounceback-fuzz-{}.mbox", std::process::id())));

fuzz_target!(|bytes: &[u8]| {
    let written = std::fs::File::create(&*PATH).and_then(|mut file| file.write_all(bytes));
    written.expect("the temporary folder takes a file");
    let (mut mails, mut total) = (0, 0);
    let read = files::each(std::slice::from_ref(&*PATH), &Cancel::new(), &mut |mail| {
        assert!(mail.bytes.len() <= files::CAP && mail.bytes.len() as u64 <= mail.size);
        assert_eq!(mail.truncated, (mail.bytes.len() as u64) < mail.size);
        mails += 1;
        total += mail.size;
        ControlFlow::Continue(())
    });
    let summary = read.expect("only a cancelled run is an error");
    assert_eq!(summary.mails, mails);
    assert!(total <= bytes.len() as u64);
});
