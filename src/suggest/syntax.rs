//! Whether an address is written as RFC 5321 section 4.1.2 and RFC 6531 section 3.3 allow, with plain words and the place.
//!
//! Owns syntax alone. Does not know whether a domain exists or who uses it.

/// What is wrong, and at which character (counted from 0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) at: Option<usize>,
}

/// Most problems worth naming at once.
const MOST: usize = 8;

fn problem(message: impl Into<String>, at: Option<usize>) -> Problem {
    Problem { message: message.into(), at }
}

/// Everything that forbids this text as an address; empty when it is one.
pub(super) fn problems(address: &str) -> Vec<Problem> {
    let chars: Vec<char> = address.chars().collect();
    if chars.is_empty() {
        return vec![problem("no address given", None)];
    }
    if let Some(at) = chars.iter().position(|c| c.is_control()) {
        return vec![problem("a control character is not allowed", Some(at))];
    }
    let Some(sign) = chars.iter().rposition(|c| *c == '@') else {
        return vec![problem("the @ is missing", Some(chars.len()))];
    };
    let (local, rest) = chars.split_at(sign);
    let domain = rest.get(1..).unwrap_or_default();
    let mut found = local_problems(local);
    found.extend(domain_problems(domain, sign + 1));
    found.truncate(MOST);
    if found.is_empty() && address.len() > 254 {
        found.push(problem("longer than 254 bytes (RFC 5321 section 4.5.3.1.3)", Some(254)));
    }
    found
}

fn is_atom(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii() && !c.is_whitespace()
}

fn local_problems(local: &[char]) -> Vec<Problem> {
    let mut found = Vec::new();
    let text: String = local.iter().collect();
    if local.is_empty() {
        return vec![problem("nothing stands before the @", Some(0))];
    }
    if text.len() > 64 {
        found.push(problem("the part before the @ is longer than 64 bytes (RFC 5321 section 4.5.3.1.1)", Some(64)));
    }
    if local.first() == Some(&'"') {
        found.extend(quoted_problems(local));
        return found;
    }
    for (at, c) in local.iter().enumerate() {
        match c {
            '.' if at == 0 => found.push(problem("an address cannot begin with a dot", Some(0))),
            '.' if at + 1 == local.len() => found.push(problem("no dot may stand before the @", Some(at))),
            '.' if local.get(at + 1) == Some(&'.') => found.push(problem("two dots in a row", Some(at + 1))),
            '.' => {}
            '@' => found.push(problem("two @ signs", Some(at))),
            c if c.is_whitespace() => found.push(problem("a blank is not allowed", Some(at))),
            c if is_atom(*c) => {}
            c => found.push(problem(format!("{c} is not allowed before the @"), Some(at))),
        }
    }
    found
}

fn quoted_problems(local: &[char]) -> Vec<Problem> {
    let mut at = 1;
    while let Some(c) = local.get(at) {
        match c {
            '\\' => at += 1,
            '"' if at + 1 == local.len() => return Vec::new(),
            '"' => return vec![problem("a quote inside quotes needs a backslash", Some(at))],
            _ => {}
        }
        at += 1;
    }
    vec![problem("the closing quote is missing", Some(local.len()))]
}

fn domain_problems(domain: &[char], offset: usize) -> Vec<Problem> {
    if domain.is_empty() {
        return vec![problem("nothing stands behind the @", Some(offset))];
    }
    if domain.first() == Some(&'[') {
        return literal_problems(domain, offset);
    }
    let mut found = Vec::new();
    let mut start = 0;
    for (at, c) in domain.iter().enumerate() {
        match c {
            '.' if at == start && at == 0 => found.push(problem("a domain cannot begin with a dot", Some(offset))),
            '.' if at == start => found.push(problem("two dots in a row", Some(offset + at))),
            '.' => start = at + 1,
            '-' => {}
            ',' | ';' => found.push(problem(format!("{c} stands for a dot"), Some(offset + at))),
            '_' => found.push(problem("an underscore is not allowed in a domain", Some(offset + at))),
            c if c.is_whitespace() => found.push(problem("a blank is not allowed", Some(offset + at))),
            c if c.is_ascii_alphanumeric() || !c.is_ascii() => {}
            c => found.push(problem(format!("{c} is not allowed in a domain"), Some(offset + at))),
        }
        if *c == '.' {
            start = at + 1;
        }
    }
    if domain.last() == Some(&'.') {
        found.push(problem("no dot may stand at the end", Some(offset + domain.len() - 1)));
    }
    if found.is_empty() {
        found.extend(label_problems(domain, offset));
    }
    found
}

fn label_problems(domain: &[char], offset: usize) -> Vec<Problem> {
    let text: String = domain.iter().collect();
    let mut found = Vec::new();
    if !domain.contains(&'.') {
        found.push(problem("the domain has no dot", Some(offset + domain.len())));
    }
    let mut at = offset;
    for label in text.split('.') {
        let length = label.chars().count();
        if label.starts_with('-') || label.ends_with('-') {
            found.push(problem("a hyphen may not begin or end a part of the domain", Some(at)));
        }
        if label.is_ascii() && length > 63 {
            found.push(problem("a part of the domain is longer than 63 characters (RFC 1035)", Some(at + 63)));
        }
        at += length + 1;
    }
    let last = text.rsplit('.').next().unwrap_or_default();
    if domain.contains(&'.') && last.chars().all(|c| c.is_ascii_digit()) {
        found.push(problem("a domain cannot end in a number", Some(at - 1 - last.chars().count())));
    }
    if found.is_empty() && idna::domain_to_ascii(&text).is_err() {
        found.push(problem("not a valid international domain name (UTS 46)", Some(offset)));
    }
    found
}

/// `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 section 4.1.3).
fn literal_problems(domain: &[char], offset: usize) -> Vec<Problem> {
    let text: String = domain.iter().collect();
    let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) else {
        return vec![problem("the closing bracket is missing", Some(offset + domain.len()))];
    };
    let good = match inner.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => {
            inner.get(5..).is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok())
        }
        _ => inner.parse::<std::net::Ipv4Addr>().is_ok(),
    };
    if good { Vec::new() } else { vec![problem("not an IP address", Some(offset + 1))] }
}

#[cfg(test)]
mod tests {
    use super::problems;

    #[test]
    fn addresses_are_told_from_what_is_none() {
        for good in [
            "a@b.example",
            "anna.berg+x@firm.example",
            "\"anna berg\"@firm.example",
            "\"a\\\"b@c\"@firm.example",
            "o'neil@firm.example",
            "用户@例え.テスト",
            "a@[192.0.2.1]",
            "a@[IPv6:2001:db8::1]",
            "a@xn--bcher-kva.example",
            "a_b-c/d=e@firm-1.example",
        ] {
            assert_eq!(problems(good), [], "{good}");
        }
        for (bad, message, at) in [
            ("", "no address given", None),
            ("anna", "the @ is missing", Some(4)),
            ("@firm.example", "nothing stands before the @", Some(0)),
            ("anna@", "nothing stands behind the @", Some(5)),
            ("a..b@firm.example", "two dots in a row", Some(2)),
            ("a.@firm.example", "no dot may stand before the @", Some(1)),
            (".a@firm.example", "an address cannot begin with a dot", Some(0)),
            ("a b@firm.example", "a blank is not allowed", Some(1)),
            ("a@b@firm.example", "two @ signs", Some(1)),
            ("a@firm", "the domain has no dot", Some(6)),
            ("a@firm,example", ", stands for a dot", Some(6)),
            ("a@firm..example", "two dots in a row", Some(7)),
            ("a@firm.example.", "no dot may stand at the end", Some(14)),
            ("a@-firm.example", "a hyphen may not begin or end a part of the domain", Some(2)),
            ("a@firm.123", "a domain cannot end in a number", Some(7)),
            ("a@fi_rm.example", "an underscore is not allowed in a domain", Some(4)),
            ("a@[300.1.1.1]", "not an IP address", Some(3)),
            ("a\u{7}@firm.example", "a control character is not allowed", Some(1)),
            ("\"a@firm.example", "the closing quote is missing", Some(2)),
        ] {
            let found = problems(bad);
            assert_eq!(found.first().map(|p| (p.message.as_str(), p.at)), Some((message, at)), "{bad:?}");
        }
    }
}
