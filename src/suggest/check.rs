//! The live check of the correct dialog: what forbids an address, what deserves a second look, what is worth knowing.
//!
//! Owns the messages and their order. Does not ask the network; MX look-ups are another matter.
//! Sources: RFC 5321, RFC 6531, UTS 46 (IDNA), UTS 39 (mixed scripts, look-alikes).

use super::book::Book;
use super::data::data;
use super::syntax;
use super::{Confidence, Query, is_same, suggest};
use crate::model::{Address, Cause};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Saving needs a second Enter.
    Warning,
    /// Forbids saving.
    Error,
}

/// One thing to say about an address being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it weighs.
    pub level: Level,
    /// In plain words, lower case, no final period; control and direction characters of the address are shown as U+….
    pub message: String,
    /// The character it concerns, counted from 0 in the text as given; `None` for the whole.
    pub at: Option<usize>,
    /// The address that was probably meant, where there is one.
    pub instead: Option<String>,
}

impl Finding {
    /// A finding that names no other address.
    pub fn of(level: Level, message: String, at: Option<usize>) -> Self {
        Self { level, message, at, instead: None }
    }
}

/// Checks an address that is to replace `failed`, worst finding first; empty when nothing is to be said.
///
/// ```
/// use bounceback::suggest::{Book, Level, check};
/// let found = check("anna@gamil.com", Some("anna@gmial.com"), &Book::default());
/// assert_eq!(found[0].level, Level::Warning);
/// assert_eq!(found[0].message, "did you mean anna@gmail.com? domain one swap away; well-known provider");
/// ```
pub fn check(address: &str, failed: Option<&str>, book: &Book) -> Vec<Finding> {
    let address = address.trim();
    let mut found: Vec<Finding> = syntax::problems(address)
        .into_iter()
        .map(|problem| Finding::of(Level::Error, shown(&problem.message), problem.at))
        .collect();
    found.extend(invisible(address));
    if found.iter().any(|finding| finding.level == Level::Error) {
        return found;
    }
    let Some(parsed) = Address::new(address) else { return found };
    if failed.is_some_and(|failed| is_same(&parsed, failed)) {
        let message = "same as the failed address".to_owned();
        return vec![Finding::of(Level::Error, message, None)];
    }
    found.extend(standing(&parsed, book));
    found.extend(scripts(address, &parsed));
    found.extend(likeness(&parsed, failed, book));
    found.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    found
}

/// A text with every character that could hide or turn others spelled out.
fn shown(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_control() || hides(c) { out.push_str(&format!("U+{:04X}", u32::from(c))) } else { out.push(c) }
    }
    out
}

/// Characters without a shape of their own: zero width, direction marks, soft hyphen, tags, fillers.
fn hides(c: char) -> bool {
    matches!(u32::from(c), 0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff9..=0xfffb | 0xe0000..=0xe0fff)
}

fn invisible(address: &str) -> Vec<Finding> {
    let hidden = address.chars().enumerate().filter(|(_, c)| hides(*c));
    let finding = |(at, c): (usize, char)| {
        Finding::of(Level::Error, format!("an invisible character, U+{:04X}", u32::from(c)), Some(at))
    };
    hidden.map(finding).collect()
}

/// What we know of this address.
fn standing(address: &Address, book: &Book) -> Vec<Finding> {
    let mut found = Vec::new();
    let domain_at = address.local().chars().count() + 1;
    let mut warn = |message: String, at| found.push(Finding::of(Level::Warning, message, at));
    if book.is_bounced(address) {
        warn("this address has bounced before".to_owned(), None);
    }
    if book.is_own(address) {
        warn("this is one of our own addresses".to_owned(), None);
    } else if book.is_own_domain(address.domain()) {
        warn(format!("{} is our own domain", shown(address.domain())), Some(domain_at));
    }
    let tld = address.domain().rsplit('.').next().unwrap_or_default();
    let ascii = idna::domain_to_ascii(tld).unwrap_or_else(|_| tld.to_owned());
    if !address.domain().starts_with('[') && !data().is_tld(&ascii) && book.mails_at(address.domain()) == 0 {
        warn(format!("there is no ending .{}", shown(tld)), Some(domain_at));
    }
    found
}

/// Scripts that matter for look-alikes; everything else counts as one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Hebrew,
    Arabic,
    EastAsian,
    Other,
}

fn script(c: char) -> Option<Script> {
    if !c.is_alphabetic() {
        return None;
    }
    Some(match u32::from(c) {
        0..=0x24f | 0x1e00..=0x1eff | 0xff21..=0xff5a => Script::Latin,
        0x370..=0x3ff | 0x1f00..=0x1fff => Script::Greek,
        0x400..=0x52f | 0x1c80..=0x1c8f | 0x2de0..=0x2dff | 0xa640..=0xa69f => Script::Cyrillic,
        0x530..=0x58f => Script::Armenian,
        0x590..=0x5ff => Script::Hebrew,
        0x600..=0x77f => Script::Arabic,
        0x1100..=0x11ff | 0x2e80..=0x9fff | 0xac00..=0xd7ff | 0xf900..=0xfaff | 0x20000..=0x3ffff => Script::EastAsian,
        _ => Script::Other,
    })
}

/// The first character whose script differs from those before it; Latin beside East Asian is usual.
fn mixed(label: &str) -> Option<usize> {
    let mut seen: Option<Script> = None;
    for (at, c) in label.chars().enumerate() {
        let Some(script) = script(c) else { continue };
        match seen {
            Some(before) if before != script && ![before, script].contains(&Script::EastAsian) => return Some(at),
            Some(_) => {}
            None => seen = Some(script),
        }
    }
    None
}

fn scripts(address: &str, parsed: &Address) -> Vec<Finding> {
    let mut found = Vec::new();
    let (unicode, _) = idna::domain_to_unicode(parsed.domain());
    let typed_unicode = !parsed.domain().is_ascii();
    let mut start = 0;
    let local = address.rsplit_once('@').map_or("", |(local, _)| local);
    let labels = std::iter::once(local).chain(unicode.split('.'));
    for label in labels {
        if let Some(at) = mixed(label) {
            let letter = label.chars().nth(at).map_or(0, u32::from);
            let message = format!("letters of different alphabets (U+{letter:04X}): it may not be what it looks like");
            let place = (start == 0 || typed_unicode).then_some(start + at);
            found.push(Finding::of(Level::Warning, message, place));
        }
        start += label.chars().count() + 1;
    }
    let at = Some(local.chars().count() + 1);
    if typed_unicode && let Ok(ascii) = idna::domain_to_ascii(parsed.domain()) {
        found.push(Finding::of(Level::Note, format!("the domain is sent as {ascii}"), at));
    } else if unicode != parsed.domain() {
        found.push(Finding::of(Level::Note, format!("the domain reads {}", shown(&unicode)), at));
    }
    if !local.is_ascii() {
        let message = "letters beyond ASCII before the @: many servers refuse them (RFC 6531)".to_owned();
        found.push(Finding::of(Level::Warning, message, local.chars().position(|c| !c.is_ascii())));
    }
    found
}

/// A domain that is nearly, or looks like, one that is known; never the address that failed.
fn likeness(address: &Address, failed: Option<&str>, book: &Book) -> Vec<Finding> {
    let query = Query {
        failed: address.as_str(),
        cause: Cause::Unclear,
        address_at_fault: true,
        display_name: None,
        named: &[],
        corrected_to: None,
    };
    let is_failed = |near: &str| failed.zip(Address::new(near)).is_some_and(|(failed, near)| is_same(&near, failed));
    let near = suggest(&query, book).into_iter().find(|near| !is_failed(&near.address));
    let at = Some(address.local().chars().count() + 1);
    // A weak resemblance is worth a line, not a second Enter.
    let finding = near.map(|near| Finding {
        level: if near.confidence == Confidence::Strong { Level::Warning } else { Level::Note },
        message: format!("did you mean {}? {}", shown(&near.address), near.because),
        at,
        instead: Some(near.address),
    });
    finding.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{Book, Level, check};

    #[test]
    fn what_is_said_of_an_address() {
        let mut book = Book::new(&["company.example".into()], &["support@company.example".into()]);
        book.add_bounced("gone@firm.example");
        book.add_correspondent("otto@firm.example", 40);
        for (address, want) in [
            ("anna@firm.example", None),
            ("anna@", Some((Level::Error, "nothing stands behind the @"))),
            ("old@firm.example", Some((Level::Error, "same as the failed address"))),
            ("OLD@Firm.example", Some((Level::Error, "same as the failed address"))),
            ("gone@firm.example", Some((Level::Warning, "this address has bounced before"))),
            ("support@company.example", Some((Level::Warning, "this is one of our own addresses"))),
            ("anna@company.example", Some((Level::Warning, "company.example is our own domain"))),
            ("anna@firm.exmaple", Some((Level::Warning, "there is no ending .exmaple"))),
            ("anna\u{200b}@firm.example", Some((Level::Error, "an invisible character, U+200B"))),
            (
                "anna@gm\u{430}il.com",
                Some((Level::Warning, "letters of different alphabets (U+0430): it may not be what it looks like")),
            ),
            (
                "anna@grnail.com",
                Some((Level::Warning, "did you mean anna@gmail.com? domain that looks the same; well-known provider")),
            ),
            (
                "anna@fimr.example",
                Some((Level::Warning, "did you mean anna@firm.example? domain one swap away; 40 deliveries there")),
            ),
            ("anna@b\u{fc}cher.example", Some((Level::Note, "the domain is sent as xn--bcher-kva.example"))),
            ("anna@xn--bcher-kva.example", Some((Level::Note, "the domain reads b\u{fc}cher.example"))),
        ] {
            let found = check(address, Some("old@firm.example"), &book);
            assert_eq!(found.first().map(|f| (f.level, f.message.as_str())), want, "{address:?}: {found:?}");
        }
    }

    #[test]
    fn the_address_that_failed_is_never_what_was_meant() {
        let mut book = Book::default();
        book.add_correspondent("info@baker.example", 40);
        assert!(check("info@bakre.example", None, &book).iter().any(|finding| finding.instead.is_some()));
        let again = check("info@bakre.example", Some("info@baker.example"), &book);
        assert!(again.iter().all(|finding| finding.instead.is_none()), "{again:?}");
    }
}
