//! Folder names on the wire: modified UTF-7 (RFC 3501 section 5.1.3) and quoting.

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// A folder name as the server wants it.
pub(super) fn encode(name: &str) -> String {
    let mut out = String::new();
    let mut wide: Vec<u16> = Vec::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            shift(&mut wide, &mut out);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            wide.extend_from_slice(c.encode_utf16(&mut [0; 2]));
        }
    }
    shift(&mut wide, &mut out);
    out
}

fn shift(wide: &mut Vec<u16>, out: &mut String) {
    if wide.is_empty() {
        return;
    }
    out.push('&');
    let (mut bits, mut count) = (0_u32, 0);
    for unit in wide.drain(..) {
        bits = bits << 16 | u32::from(unit);
        count += 16;
        while count >= 6 {
            count -= 6;
            push(out, bits >> count);
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        push(out, bits << (6 - count));
    }
    out.push('-');
}

fn push(out: &mut String, bits: u32) {
    if let Some(&c) = BASE64.get((bits & 63) as usize) {
        out.push(char::from(c));
    }
}

/// A folder name as a reader wants it; what is no modified UTF-7 stays as it is (some servers send plain UTF-8).
pub(super) fn decode(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name;
    while let Some((plain, shifted)) = rest.split_once('&') {
        out.push_str(plain);
        let Some((code, after)) = shifted.split_once('-') else {
            out.push('&');
            rest = shifted;
            continue;
        };
        match (code, unshift(code)) {
            ("", _) => out.push('&'),
            (_, Some(text)) => out.push_str(&text),
            (_, None) => return name.to_owned(),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn unshift(code: &str) -> Option<String> {
    let (mut bits, mut count) = (0_u32, 0);
    let mut wide = Vec::new();
    for byte in code.bytes() {
        let value = BASE64.iter().position(|&b| b == byte)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 16 {
            count -= 16;
            wide.push(u16::try_from(bits >> count & 0xffff).ok()?);
        }
        bits &= (1 << count) - 1;
    }
    String::from_utf16(&wide).ok()
}

/// A quoted string; none where the text holds what cannot be quoted (a line break would smuggle a command in).
pub(super) fn quote(text: &str) -> Option<String> {
    if text.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
        return None;
    }
    Some(format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_the_wire() {
        let check = |name: &str, wire: &str| {
            assert_eq!(encode(name), wire);
            assert_eq!(decode(wire), name);
        };
        check("INBOX", "INBOX");
        check("Rückläufer & Co", "R&APw-ckl&AOQ-ufer &- Co");
        check("受信", "&U9dP4Q-");
        check("[Gmail]/Alle Nachrichten", "[Gmail]/Alle Nachrichten");
        check("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"); // RFC 3501 section 5.1.3
        check("📮 x", "&2D3c7g- x");
        check("a\tb", "a&AAk-b");
        for odd in ["&", "&x", "&AAAA", "&****-", "ü", "&2D0-"] {
            assert_eq!(decode(odd), odd, "left alone");
        }
    }

    #[test]
    fn a_quoted_name_cannot_leave_its_quotes() {
        assert_eq!(quote(r#"a"b\c"#).as_deref(), Some(r#""a\"b\\c""#));
        assert_eq!(quote("INBOX\r\na9 LOGOUT"), None);
    }
}
