//! Tag lists of DMARC (RFC 7489 section 6.3) and DKIM keys (RFC 6376 section 3.6.1): `v=DMARC1; p=none; …`.
//!
//! Pure readers of text, tolerant of blanks, case and unknown tags. Know neither names nor look-ups.

/// Tags of one list that are read.
const MOST_TAGS: usize = 64;

/// Name and value of each tag in order, names in lower case.
pub(super) fn tags(text: &str) -> Vec<(String, String)> {
    text.split(';')
        .take(MOST_TAGS)
        .filter_map(|tag| tag.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect()
}

/// The first value of a tag.
pub(super) fn tag<'a>(tags: &'a [(String, String)], name: &str) -> Option<&'a str> {
    tags.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

/// Whether this is a DMARC record at all: the version must come first.
pub(super) fn is_dmarc(text: &str) -> bool {
    tags(text).first().is_some_and(|(name, value)| name == "v" && value.eq_ignore_ascii_case("DMARC1"))
}

/// Whether this may be a DKIM key: it has a `p` tag, and a version that stands first where it is given.
pub(super) fn is_dkim(text: &str) -> bool {
    let tags = tags(text);
    let version = tags.iter().position(|(name, _)| name == "v");
    let right = version.is_none_or(|at| at == 0 && tag(&tags, "v") == Some("DKIM1"));
    right && tag(&tags, "p").is_some()
}

/// What is wrong with a DKIM key record.
pub(super) fn key_problems(text: &str) -> Vec<String> {
    let tags = tags(text);
    let mut problems = Vec::new();
    let key = tag(&tags, "p").unwrap_or_default();
    let letters = key.bytes().filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')).count();
    let octets = letters * 3 / 4;
    let kind = tag(&tags, "k").unwrap_or("rsa");
    if letters == 0 {
        problems.push("the key is revoked (empty p=)".to_owned());
    } else if !kind.eq_ignore_ascii_case("rsa") && !kind.eq_ignore_ascii_case("ed25519") {
        problems.push(format!("receivers do not know the key type \"{kind}\""));
    } else if kind.eq_ignore_ascii_case("rsa") && octets < 155 {
        // A 1024-bit key is 162 octets in DER, a 2048-bit one 294.
        problems.push("the RSA key has fewer than 1024 bits, which receivers must not accept (RFC 8301)".to_owned());
    } else if kind.eq_ignore_ascii_case("rsa") && octets < 280 {
        problems.push("the RSA key has fewer than 2048 bits (RFC 8301 asks signers for 2048)".to_owned());
    }
    if tag(&tags, "t").is_some_and(|flags| flags.split(':').any(|flag| flag.trim().eq_ignore_ascii_case("y"))) {
        problems.push("the key is marked as a test (t=y), so receivers may ignore it".to_owned());
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::{is_dkim, is_dmarc, key_problems, tag, tags};

    #[test]
    fn tag_lists_are_read_with_tolerance() {
        let list = tags(" v = DMARC1 ;P=reject;; rua=mailto:a@example.org?x=y ; nonsense ; p=none");
        assert_eq!(tag(&list, "p"), Some("reject"));
        assert_eq!(tag(&list, "rua"), Some("mailto:a@example.org?x=y"));
        assert_eq!(list.len(), 4);
        assert!(tags(&"a=b;".repeat(1000)).len() == 64);
        for (text, dmarc, dkim) in [
            ("v=DMARC1; p=none", true, true), // DKIM would take any p=, but for the version
            ("p=none; v=DMARC1", false, false),
            ("v=DKIM1; k=rsa; p=MIG", false, true),
            ("k=rsa; p=MIG", false, true),
            ("v=DKIM1; k=rsa", false, false),
        ] {
            assert_eq!(is_dmarc(text), dmarc, "{text}");
            assert_eq!(is_dkim(text), dkim && !dmarc, "{text}");
        }
    }

    #[test]
    fn weak_revoked_and_testing_keys_are_named() {
        let key = |letters: usize| "A".repeat(letters);
        for (text, want) in [
            (format!("v=DKIM1; p={}", key(392)), None),
            (format!("v=DKIM1; p={}", key(216)), Some("2048")),
            (format!("v=DKIM1; p={}", key(125)), Some("1024")),
            (format!("v=DKIM1; k=ed25519; p={}", key(44)), None),
            ("v=DKIM1; p=".into(), Some("revoked")),
            (format!("t=y:s; p={}", key(392)), Some("test")),
            (format!("k=dsa; p={}", key(392)), Some("key type")),
        ] {
            let problems = key_problems(&text);
            match want {
                None => assert!(problems.is_empty(), "{text}: {problems:?}"),
                Some(word) => assert!(problems.len() == 1 && problems[0].contains(word), "{text}: {problems:?}"),
            }
        }
    }
}
