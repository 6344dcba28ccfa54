//! The guard before the MIME parser: parts lie inside the mail, texts and numbers are bounded, evidence lines exist.
#![no_main]

use bounceback::mail::{MAX_TEXT, Mail, addresses, find_addresses, normalise, read_address, read_returned};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &[u8]| {
    let bytes = normalise(raw);
    assert_eq!(bytes.len(), raw.len());
    let lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
    let mail = Mail::read(&bytes);
    assert!(mail.parts.len() <= 512);
    for (index, part) in mail.parts.iter().enumerate() {
        assert!(part.body.len() <= bytes.len() && part.line as usize <= lines);
        assert!(part.parent.is_none_or(|parent| parent < index));
        let text = part.text();
        assert!(text.as_str().len() <= 4 * MAX_TEXT, "{} bytes of {}", text.as_str().len(), part.body.len());
        for line in text.lines().take(50) {
            for found in find_addresses(line) {
                assert!(found.start < found.end && line.get(found.start..found.end).is_some());
            }
            let _ = (addresses(line), read_address(line));
        }
        let _ = (read_returned(&part.head), mail.part_number(index));
    }
});
