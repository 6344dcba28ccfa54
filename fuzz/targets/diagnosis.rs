//! Any bytes give a diagnosis, the same one twice; a bounce names somebody; nothing a terminal obeys is explained.
#![no_main]

use std::sync::LazyLock;

use bounceback::diagnose::{Context, diagnose, explain, is_candidate, trace};
use bounceback::stdx::is_hidden;
use libfuzzer_sys::fuzz_target;

static CONTEXT: LazyLock<Context> = LazyLock::new(Context::default);

fuzz_target!(|mail: &[u8]| {
    let diagnosis = diagnose(mail, &CONTEXT);
    assert!(!diagnosis.kind.is_bounce() || !diagnosis.recipients.is_empty());
    assert_eq!(diagnosis, diagnose(mail, &CONTEXT));
    for recipient in &diagnosis.recipients {
        let address = recipient.address.as_str();
        assert!(address.contains('@') && !address.contains(char::is_control), "{address:?}");
    }
    let text = explain(&diagnosis);
    assert!(text.lines().count() < 100_000);
    let mut json = Vec::new();
    bounceback::export::json::line(&diagnosis, &mut json).expect("memory takes everything");
    let json = String::from_utf8(json).expect("JSON is UTF-8");
    assert!(!json.trim_end_matches('\n').contains(is_hidden), "{json:?}");
    let _ = trace(mail, &CONTEXT);
    is_candidate(mail);
});
