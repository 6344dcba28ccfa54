//! Domains that are not what they seem: other alphabets in them, shown with the name that goes over the wire.
//!
//! Sources: RFC 5890 (IDNA), UTS #39 (mixed scripts).

/// The domain as it goes over the wire, where that looks different.
fn punycode(domain: &str) -> Option<String> {
    if domain.is_ascii() {
        return None;
    }
    idna::domain_to_ascii(domain).ok().filter(|ascii| ascii != domain)
}

/// The scripts of a text, where letters of several that can be taken for each other meet.
fn mixed_scripts(text: &str) -> Option<String> {
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

/// What to know of an address whose domain is not plain ASCII: its punycode, and whether alphabets are mixed in it.
pub fn suspicious(address: &str) -> Option<String> {
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
    let (decoded, _) = idna::domain_to_unicode(domain);
    let ascii = punycode(&decoded)?;
    let shown = if domain.is_ascii() { decoded.clone() } else { ascii };
    Some(match mixed_scripts(&decoded) {
        Some(scripts) => format!("{shown}: {scripts} letters mixed"),
        None => shown,
    })
}

#[cfg(test)]
mod tests {
    use super::suspicious;

    #[test]
    fn r11_look_alikes_are_flagged_with_punycode() {
        assert_eq!(
            suspicious("anna@exаmple.org").as_deref(),
            Some("xn--exmple-4nf.org: Latin and Cyrillic letters mixed")
        );
        assert_eq!(
            suspicious("anna@xn--exmple-4nf.org").as_deref(),
            Some("exаmple.org: Latin and Cyrillic letters mixed")
        );
        assert_eq!(suspicious("a@müller.example").as_deref(), Some("xn--mller-kva.example"));
        assert_eq!(suspicious("a@example.org"), None);
    }
}
