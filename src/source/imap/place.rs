//! Names messages on a server: `imap://account/folder;uid=12` (after RFC 5092, readable umlauts and all).

use crate::model::MessageRef;

/// The place of a message.
pub(super) fn place(account: &str, folder: &str, uid: u32) -> MessageRef {
    MessageRef(format!("imap://{}/{};uid={uid}", escape(account, "/;%"), escape(folder, ";%")))
}

/// Account, folder and UID of a place; none where it is not on a server.
pub fn read_place(place: &MessageRef) -> Option<(String, String, u32)> {
    let (path, uid) = place.0.strip_prefix("imap://")?.rsplit_once(";uid=")?;
    let (account, folder) = path.split_once('/')?;
    Some((unescape(account)?, unescape(folder)?, uid.parse().ok()?))
}

fn escape(text: &str, also: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || also.contains(c) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, code)) = rest.split_once('%') {
        out.extend_from_slice(plain.as_bytes());
        out.push(u8::from_str_radix(code.get(..2)?, 16).ok()?);
        rest = code.get(2..)?;
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_can_be_read_back() {
        for (account, folder, want) in [
            ("support", "INBOX", "imap://support/INBOX;uid=7"),
            ("a/b", "Rückläufer/2; 100%", "imap://a%2Fb/Rückläufer/2%3B 100%25;uid=7"),
            ("x", "a\tb\u{9b}", "imap://x/a%09b%C2%9B;uid=7"),
        ] {
            let place = place(account, folder, 7);
            assert_eq!(place.0, want);
            assert_eq!(read_place(&place), Some((account.to_owned(), folder.to_owned(), 7)));
        }
        assert_eq!(read_place(&MessageRef("mail/cur/1;uid=7".to_owned())), None);
        assert_eq!(read_place(&MessageRef("imap://x/%zz;uid=7".to_owned())), None);
    }
}
