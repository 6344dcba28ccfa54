//! Addresses in fields and in prose (RFC 5322 section 3.4, RFC 3464 section 2.3, RFC 6533).
//!
//! Owns what counts as an address: types, brackets, source routes, xtext and Unicode escapes are undone here. Knows
//! nothing of whose address it is. Invariant: linear and total.

use crate::model::Address;
use crate::stdx;

/// ASCII characters of an unquoted local part (RFC 5322 section 3.2.3) and of a domain, as they are met.
static LOCAL: stdx::Bytes = stdx::Bytes::alphanumeric_and(b"!#$%&'*+-/=?^_`{|}~.");
static DOMAIN: stdx::Bytes = stdx::Bytes::alphanumeric_and(b"-._");

/// Characters of an unquoted local part, Unicode included (RFC 6531).
fn is_local(c: char) -> bool {
    u8::try_from(c).map_or_else(|_| is_wide(c), |byte| LOCAL.has(byte) || !byte.is_ascii() && is_wide(c))
}

fn is_domain(c: char) -> bool {
    u8::try_from(c).map_or_else(|_| is_wide(c), |byte| DOMAIN.has(byte) || !byte.is_ascii() && is_wide(c))
}

/// Characters beyond ASCII that both parts may have.
fn is_wide(c: char) -> bool {
    c.is_alphanumeric() || (!c.is_whitespace() && !c.is_control() && !is_cjk_punctuation(c))
}

/// Bytes at the end of a text that an unquoted local part is made of.
fn local_before(text: &str) -> usize {
    let plain = text.bytes().rev().take_while(|byte| LOCAL.has(*byte)).count();
    match text.len().checked_sub(plain + 1).and_then(|at| text.as_bytes().get(at)) {
        Some(byte) if !byte.is_ascii() => text.chars().rev().take_while(|c| is_local(*c)).map(char::len_utf8).sum(),
        _ => plain,
    }
}

/// Bytes at the start of a text that a domain is made of.
fn domain_at(text: &str) -> usize {
    let plain = text.bytes().take_while(|byte| DOMAIN.has(*byte)).count();
    match text.as_bytes().get(plain) {
        Some(byte) if !byte.is_ascii() => text.chars().take_while(|c| is_domain(*c)).map(char::len_utf8).sum(),
        _ => plain,
    }
}

fn is_cjk_punctuation(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{206f}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ab}' | '\u{bb}' | '\u{fffd}')
}

/// The address of a report field: type prefix, display name, brackets, source route and escapes are undone.
///
/// ```
/// use bounceback::mail::read_address;
/// assert_eq!(read_address("RFC822; <@relay.example:Anna@EXAMPLE.org>").unwrap().as_str(), "Anna@example.org");
/// ```
pub fn read_address(value: &str) -> Option<Address> {
    let value = value.trim();
    let value = match value.split_once(';') {
        Some((kind, rest))
            if kind.len() <= 24 && kind.bytes().all(|b| b.is_ascii_graphic() && b != b'@' && b != b'<') =>
        {
            rest.trim()
        }
        _ => value,
    };
    let inner = match (value.find('<'), value.rfind('>')) {
        (Some(open), Some(close)) if open < close => value.get(open + 1..close).unwrap_or(value),
        (Some(open), None) => value.get(open + 1..).unwrap_or(value),
        _ => value,
    };
    let inner = inner.trim_matches(|c: char| c == '<' || c == '>' || c.is_whitespace());
    let inner = stdx::strip_prefix_ignore_case(inner, "mailto:").unwrap_or(inner);
    let inner = strip_route(inner);
    if let Some(address) = whole_address(inner) {
        return Some(address);
    }
    find_addresses(inner).next().map(|found| found.address)
}

/// `@a,@b:user@c` is a source route (RFC 5321 appendix C); the address is what follows the colon.
fn strip_route(text: &str) -> &str {
    if text.starts_with('@') { text.split_once(':').map_or(text, |(_, rest)| rest) } else { text }
}

/// The text as one address, when nothing else stands in it.
fn whole_address(text: &str) -> Option<Address> {
    let (local, domain) = text.rsplit_once('@')?;
    let quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
    let literal = domain.starts_with('[') && domain.ends_with(']');
    let local_good =
        quoted || (!local.is_empty() && local.chars().all(|c| is_local(c) || matches!(c, '\\' | '@' | ':')));
    let domain = domain.trim_end_matches('.');
    let domain_good = literal || (!domain.is_empty() && domain_at(domain) == domain.len());
    if !local_good || !domain_good {
        return None;
    }
    Address::new(&unescape(text))
}

/// Undoes RFC 6533's `\x{e4}` and xtext's `+2B`/`+3D` (RFC 3461 section 4); a plain `+tag` stays.
fn unescape(text: &str) -> std::borrow::Cow<'_, str> {
    let escape = |at: usize| {
        ["\\x{", "+2B", "+3D"]
            .iter()
            .any(|escape| text.as_bytes().get(at..).is_some_and(|rest| rest.starts_with(escape.as_bytes())))
    };
    if !memchr::memchr2_iter(b'\\', b'+', text.as_bytes()).any(escape) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '+']) {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        if let Some(hex) = rest.strip_prefix("\\x{")
            && let Some((digits, after)) = hex.split_once('}')
            && let Some(c) = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
        {
            out.push(c);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("+2B") {
            out.push('+');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("+3D") {
            out.push('=');
            rest = after;
        } else {
            let mut chars = rest.chars();
            out.extend(chars.next());
            rest = chars.as_str();
        }
    }
    out.push_str(rest);
    out.into()
}

/// An address found in prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundAddress {
    /// The address.
    pub address: Address,
    /// Byte offset of its first character, without brackets.
    pub start: usize,
    /// Byte offset behind its last character.
    pub end: usize,
}

/// Every address in a line of prose, in order. The domain must have a dot, or be in brackets or angle brackets.
pub fn find_addresses(text: &str) -> impl Iterator<Item = FoundAddress> + '_ {
    let bytes = text.as_bytes();
    let mut floor = 0;
    memchr::memchr_iter(b'@', bytes).filter_map(move |at| {
        let found = address_around(text, at, floor)?;
        floor = found.end;
        Some(found)
    })
}

fn address_around(text: &str, at: usize, floor: usize) -> Option<FoundAddress> {
    if at < floor {
        return None;
    }
    let before = text.get(floor..at)?;
    let quoted = before.strip_suffix('"').and_then(|inner| inner.rfind('"'));
    let local = match quoted {
        Some(open) => before.len() - open,
        None => local_before(before),
    };
    let mut start = at - local;
    let after = text.get(at + 1..)?;
    let mut length =
        if after.starts_with('[') { after.find(']').map_or(0, |close| close + 1) } else { domain_at(after) };
    while matches!(after.as_bytes().get(length.wrapping_sub(1)), Some(b'.' | b'-' | b'_')) {
        length -= 1;
    }
    // quotes and marks round an address are not part of it
    while quoted.is_none()
        && matches!(
            text.as_bytes().get(start),
            Some(b'\'' | b'`' | b'.' | b'*' | b'{' | b'|' | b'/' | b'=' | b'?' | b'!')
        )
        && start < at
    {
        start += 1;
    }
    let domain = after.get(..length)?;
    let bracketed =
        start > 0 && text.as_bytes().get(start - 1) == Some(&b'<') && after.as_bytes().get(length) == Some(&b'>');
    if start == at || domain.is_empty() || !(domain.contains('.') || bracketed) {
        return None;
    }
    let end = at + 1 + length;
    let address = Address::new(&unescape(text.get(start..end)?))?;
    Some(FoundAddress { address, start, end })
}

/// The addresses of an address field (`From`, `To`): what stands in angle brackets, else what looks like an address.
pub fn addresses(value: &str) -> Vec<Address> {
    let mut out: Vec<Address> = Vec::new();
    if let Some(open) = value.find('<') {
        let mut rest = value.get(open..).unwrap_or_default();
        // "a@x.example, Anna <b@y.example>": both count
        out.extend(
            find_addresses(value.get(..open).unwrap_or_default())
                .filter(|f| !inside_quotes(value, f.start))
                .map(|f| f.address),
        );
        while let Some(open) = rest.find('<') {
            let inner = rest.get(open + 1..).unwrap_or_default();
            let close = inner.find('>').unwrap_or(inner.len());
            out.extend(read_address(inner.get(..close).unwrap_or_default()));
            rest = inner.get(close..).unwrap_or_default();
            if out.len() >= 256 {
                break;
            }
        }
        return out;
    }
    out.extend(
        value
            .split(',')
            .filter_map(|one| whole_address(one.trim()).or_else(|| find_addresses(one).next().map(|f| f.address)))
            .take(256),
    );
    out
}

fn inside_quotes(value: &str, at: usize) -> bool {
    value.get(..at).is_some_and(|before| before.matches('"').count() % 2 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_fields_are_undone() {
        for (text, want) in [
            ("rfc822;anna@example.org", Some("anna@example.org")),
            ("RFC822; <Anna@Example.org>", Some("Anna@example.org")),
            ("rfc/822; a@b.example", Some("a@b.example")),
            ("utf-8; \\x{fc}ber@b.example", Some("\u{fc}ber@b.example")),
            ("rfc822; bounces+2Bx=y.example@b.example", Some("bounces+x=y.example@b.example")),
            ("rfc822; a+tag@b.example", Some("a+tag@b.example")),
            ("@r.example,@s.example:a@b.example", Some("a@b.example")),
            ("\"Anna B.\" <a@b.example>", Some("a@b.example")),
            ("rfc822; \"a b\"@c.example", Some("\"a b\"@c.example")),
            ("rfc822; a@[192.0.2.1]", Some("a@[192.0.2.1]")),
            ("rfc822; nobody", None),
        ] {
            assert_eq!(read_address(text).as_ref().map(Address::as_str), want, "{text}");
        }
    }

    #[test]
    fn prose_gives_addresses_without_their_marks() {
        let got = |text: &str| find_addresses(text).map(|f| f.address.to_string()).collect::<Vec<_>>();
        assert_eq!(got("to 'a.b@c.example', and <d@localhost>: no"), ["a.b@c.example", "d@localhost"]);
        assert_eq!(got("user@host at 12:00 @x.example"), Vec::<String>::new());
        assert_eq!(got("(\"x y\"@z.example.)"), ["\"x y\"@z.example"]);
    }

    #[test]
    fn address_fields_give_all_addresses() {
        let got = |text: &str| addresses(text).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(got("Anna <a@b.example>, c@d.example"), ["a@b.example"]);
        assert_eq!(got("c@d.example, e@f.example"), ["c@d.example", "e@f.example"]);
    }
}
