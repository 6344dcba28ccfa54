//! UTF-7 (RFC 2152) under its many names; some mail servers still write notices in it.
//!
//! Invariant: total; what is no UTF-7 passes through as it is.

use mail_parser::decoders::base64::base64_decode;

use crate::stdx;

/// Whether a charset name means UTF-7.
pub(crate) fn is_name(name: &[u8]) -> bool {
    ["utf-7", "utf7", "unicode-1-1-utf-7", "unicode11utf7", "csunicode11utf7", "x-unicode20utf7"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Decodes UTF-7.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(plus) = memchr::memchr(b'+', rest) {
        let (before, after) = rest.split_at(plus);
        out.push_str(&stdx::text_of(before));
        let after = after.get(1..).unwrap_or_default();
        let length = after.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')).count();
        let (run, tail) = after.split_at(length);
        let closed = tail.first() == Some(&b'-');
        if run.is_empty() {
            out.push('+');
            rest = if closed { tail.get(1..).unwrap_or_default() } else { tail };
            continue;
        }
        match decode_run(run) {
            Some(text) => out.push_str(&text),
            None => {
                out.push('+');
                out.push_str(&stdx::text_of(run));
            }
        }
        rest = if closed { tail.get(1..).unwrap_or_default() } else { tail };
    }
    out.push_str(&stdx::text_of(rest));
    out
}

fn decode_run(run: &[u8]) -> Option<String> {
    let mut padded = run.to_vec();
    // a run may end in the middle of a base64 quantum; missing bits are zero
    while !padded.len().is_multiple_of(4) {
        padded.push(if padded.len() % 4 == 1 { b'A' } else { b'=' });
    }
    let bytes = base64_decode(&padded)?;
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
    let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Some(text.trim_end_matches('\0').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_base64_become_characters() {
        for (raw, want) in [
            ("Hi Mom +Jjo-!", "Hi Mom \u{263a}!"),
            ("+ZeVnLIqe-", "\u{65e5}\u{672c}\u{8a9e}"),
            ("1 +- 1", "1 + 1"),
            ("a+AKM", "a\u{a3}"),
            ("a +!", "a +!"),
        ] {
            assert_eq!(decode(raw.as_bytes()), want, "{raw}");
        }
    }
}
