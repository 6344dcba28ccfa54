//! What can be said about a typed address without asking anyone: syntax, sameness, ownership, look-alike letters.
//!
//! Sources: RFC 5321 sections 4.1.2 and 4.5.3.1, RFC 6531 section 3.3, RFC 5890 (IDNA), UTS #39 (mixed scripts).

use crate::model::{Case, Identity};

/// How much a remark weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nothing is wrong.
    Fine,
    /// Saving needs a second Enter.
    Warning,
    /// Cannot be saved.
    Error,
}

/// One remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// How much it weighs.
    pub weight: Weight,
    /// In words.
    pub text: String,
}

fn remark(weight: Weight, text: impl Into<String>) -> Remark {
    Remark { weight, text: text.into() }
}

/// Everything to say about `new` as the right address instead of `failed`.
pub fn check<'a>(new: &str, failed: &str, identity: &Identity, known: impl IntoIterator<Item = &'a Case>) -> Vec<Remark> {
    if new.is_empty() {
        return vec![remark(Weight::Error, "no address yet")];
    }
    if let Err(why) = syntax(new) {
        return vec![remark(Weight::Error, why)];
    }
    let mut remarks = Vec::new();
    if new.eq_ignore_ascii_case(failed) {
        return vec![remark(Weight::Error, "this is the address that failed")];
    }
    remarks.push(remark(Weight::Fine, "syntax ok"));
    let domain = new.rsplit_once('@').map_or("", |(_, domain)| domain);
    if identity.owns_address(new) || identity.owns_domain(domain) {
        remarks.push(remark(Weight::Warning, "this is one of our own addresses"));
    }
    if !domain.contains('.') {
        remarks.push(remark(Weight::Warning, "the domain has no dot"));
    }
    if let Some(ascii) = punycode(domain) {
        remarks.push(remark(Weight::Fine, format!("on the wire: {ascii}")));
    }
    for part in [new.rsplit_once('@').map_or("", |(local, _)| local), domain] {
        if let Some(scripts) = mixed_scripts(part) {
            remarks.push(remark(Weight::Warning, format!("letters of {scripts} mixed: may imitate another address")));
        }
    }
    if known.into_iter().any(|case| case.address.eq_ignore_ascii_case(new)) {
        remarks.push(remark(Weight::Warning, "mail to this address bounced too"));
    }
    remarks
}

/// Whether a text is an address that can be sent to.
pub fn syntax(address: &str) -> Result<(), String> {
    if let Some(c) = address.chars().find(|c| c.is_control() || super::text::clean(c.encode_utf8(&mut [0; 4])) != c.to_string().as_str()) {
        return Err(format!("holds the character U+{:04X}, which cannot be seen", u32::from(c)));
    }
    let Some((local, domain)) = address.rsplit_once('@') else { return Err("an @ is missing".into()) };
    if local.is_empty() {
        return Err("nothing stands before the @".into());
    }
    if domain.is_empty() {
        return Err("the domain is missing".into());
    }
    if local.len() > 64 {
        return Err("the part before the @ is longer than 64 bytes".into());
    }
    if domain.len() > 255 || address.len() > 254 {
        return Err("the address is longer than 254 bytes".into());
    }
    local_part(local)?;
    domain_part(domain)
}

fn local_part(local: &str) -> Result<(), String> {
    if let Some(inside) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        let mut escaped = false;
        for c in inside.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return Err("a quote inside the quoted part needs \\ before it".into()),
                _ => {}
            }
        }
        return if escaped { Err("the quoted part does not end".into()) } else { Ok(()) };
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err("a dot stands at an end of the part before the @, or twice".into());
    }
    let allowed = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    match local.chars().find(|c| !allowed(*c)) {
        Some(' ') => Err("a blank stands before the @".into()),
        Some(c) => Err(format!("\"{c}\" may not stand before the @")),
        None => Ok(()),
    }
}

fn domain_part(domain: &str) -> Result<(), String> {
    if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address = literal.strip_prefix("IPv6:").unwrap_or(literal);
        return address.parse::<std::net::IpAddr>().map(drop).map_err(|_| "no IP address stands in the brackets".into());
    }
    for label in domain.split('.') {
        if label.is_empty() {
            return Err("a dot stands at an end of the domain, or twice".into());
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(format!("\"{label}\" begins or ends with a hyphen"));
        }
        if let Some(c) = label.chars().find(|c| !(c.is_alphanumeric() || *c == '-' || (!c.is_ascii() && !c.is_whitespace()))) {
            return Err(if c == ' ' { "a blank stands in the domain".into() } else { format!("\"{c}\" may not stand in a domain") });
        }
    }
    if domain.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit())) {
        return Err("the domain ends in a number".into());
    }
    match idna::domain_to_ascii(domain) {
        Ok(ascii) if ascii.split('.').all(|label| label.len() <= 63) => Ok(()),
        Ok(_) => Err("a part of the domain is longer than 63 bytes".into()),
        Err(_) => Err("the domain cannot be written as a host name".into()),
    }
}

/// The domain as it goes over the wire, where that looks different.
pub fn punycode(domain: &str) -> Option<String> {
    if domain.is_ascii() {
        return None;
    }
    idna::domain_to_ascii(domain).ok().filter(|ascii| ascii != domain)
}

/// The scripts of a text, where letters of several that can be taken for each other meet.
pub fn mixed_scripts(text: &str) -> Option<String> {
    let mut found: Vec<&str> = Vec::new();
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        let script = match u32::from(c) {
            0x41..=0x24F | 0x1E00..=0x1EFF | 0xFF21..=0xFF5A => "Latin",
            0x370..=0x3FF | 0x1F00..=0x1FFF => "Greek",
            0x400..=0x52F | 0x1C80..=0x1C8F | 0x2DE0..=0x2DFF | 0xA640..=0xA69F => "Cyrillic",
            0x530..=0x58F => "Armenian",
            0x13A0..=0x13FF | 0xAB70..=0xABBF => "Cherokee",
            _ => continue,
        };
        if !found.contains(&script) {
            found.push(script);
        }
    }
    (found.len() > 1).then(|| found.join(" and "))
}

/// A warning for a domain that is not what it seems: mixed scripts, or not ASCII at all (with its punycode).
pub fn suspicious(address: &str) -> Option<String> {
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
    let ascii = punycode(domain)?;
    Some(match mixed_scripts(domain) {
        Some(scripts) => format!("{ascii}: {scripts} letters mixed"),
        None => ascii,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntax_follows_rfc_5321_and_6531() {
        for good in ["a@b.example", "a.b+c@x-y.example", "\"a b\"@x.example", "ä@müller.example", "o'neil@x.example", "a@[192.0.2.1]", "a@localhost"] {
            assert_eq!(syntax(good), Ok(()), "{good}");
        }
        for bad in [
            "a", "@b", "a@", "a b@c.example", "a..b@c.example", ".a@c.example", "a@b..c", "a@-b.example", "a@b_c.example",
            "a@b.example ", "a@b.example.", "a@1.2.3.4", "a,b@c.example", "a@b\u{202e}.example", "a\u{200b}@b.example", "<a@b.example>",
            "\"a@b.example", "a@[nope]",
        ] {
            assert!(syntax(bad).is_err(), "{bad}");
        }
        assert!(syntax(&format!("{}@b.example", "a".repeat(65))).is_err());
        assert!(syntax(&format!("a@{}.example", "b".repeat(64))).is_err());
    }

    #[test]
    fn look_alikes_are_flagged_with_punycode() {
        assert_eq!(suspicious("anna@exаmple.org").as_deref(), Some("xn--exmple-4nf.org: Latin and Cyrillic letters mixed"));
        assert_eq!(suspicious("a@müller.example").as_deref(), Some("xn--mller-kva.example"));
        assert_eq!(suspicious("a@example.org"), None);
    }

    #[test]
    fn remarks_weigh_what_they_should() {
        let identity = Identity { domains: vec!["company.example".into()], ..Identity::default() };
        let worst = |new: &str| check(new, "anna@exmaple.org", &identity, []).iter().map(|r| r.weight).max().unwrap();
        assert_eq!(worst("anna@example.org"), Weight::Fine);
        assert_eq!(worst("Anna@exmaple.org"), Weight::Error);
        assert_eq!(worst("me@company.example"), Weight::Warning);
        assert_eq!(worst("anna@localhost"), Weight::Warning);
        assert_eq!(worst(""), Weight::Error);
    }
}
