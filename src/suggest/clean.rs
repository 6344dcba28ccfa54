//! Reads a failed address that may be written wrongly: separators, stray characters, a missing `@`.
//!
//! Owns taking off what cannot belong to an address. Does not judge domains or people.
//! Invariant: a local part is only freed of characters that no address or mail program puts there on purpose.

use super::data::data;

/// One way to read the failed text as local part and domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) local: String,
    /// In lower case.
    pub(super) domain: String,
    /// What had to be changed to read it so; empty when it stands there so.
    pub(super) repairs: Vec<&'static str>,
    /// Whether there was only this way to read it.
    pub(super) certain: bool,
}

/// The ways to read a failed address, likeliest first; empty when none.
pub(super) fn readings(failed: &str) -> Vec<Reading> {
    let mut repairs = Vec::new();
    let text = unwrap(failed, &mut repairs);
    let at_signs = text.matches('@').count();
    match (at_signs, text.rsplit_once('@')) {
        (1, Some((local, domain))) => parts(local, domain, repairs, true).into_iter().collect(),
        (2.., Some(_)) if text.contains("@@") => {
            repairs.push("@ doubled");
            let single = text.replace("@@", "@");
            single
                .rsplit_once('@')
                .and_then(|(local, domain)| parts(local, domain, repairs, true))
                .into_iter()
                .collect()
        }
        (2, Some((head, domain))) if !head.starts_with('"') => {
            // anna@gmail.com@gmail.com, anna@@firm.example, anna@web@firm.example
            repairs.push("two @ signs");
            let Some((local, middle)) = head.split_once('@') else { return Vec::new() };
            let same = middle.eq_ignore_ascii_case(domain);
            let mut found: Vec<Reading> = parts(local, domain, repairs.clone(), same).into_iter().collect();
            if !same && middle.contains('.') {
                found.extend(parts(local, middle, repairs, false));
            }
            found
        }
        (_, Some((local, domain))) => parts(local, domain, repairs, true).into_iter().collect(),
        (_, None) => without_at(&text),
    }
}

/// Takes off what surrounds an address: blanks, brackets, quotes, `mailto:`, punctuation at the end.
fn unwrap(failed: &str, repairs: &mut Vec<&'static str>) -> String {
    let mut text = failed.trim();
    let stray = |c: char| {
        matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '\'' | '`' | '»' | '«')
            || c.is_whitespace()
            || c.is_control()
    };
    loop {
        let before = text;
        text = text.trim_matches(stray).trim_end_matches(['.', '"', '!', '?', '*', '|', '\\', '/']);
        for prefix in ["mailto:", "mailto%3a", "smtp:", "email:", "e-mail:", "u003e", "u003c", "%3c", "%20", "&lt;"] {
            if let Some(head) = text.get(..prefix.len())
                && head.eq_ignore_ascii_case(prefix)
            {
                text = text.get(prefix.len()..).unwrap_or_default();
            }
        }
        if text == before {
            break;
        }
    }
    if text.len() + 2 < failed.trim().len() || (text != failed.trim() && text != failed.trim().trim_matches(['<', '>']))
    {
        repairs.push("stray characters around it");
    }
    text.to_owned()
}

/// Repairs local part and domain each by itself.
fn parts(local: &str, domain: &str, mut repairs: Vec<&'static str>, mut certain: bool) -> Option<Reading> {
    let quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
    let mut local = local.to_owned();
    if !quoted {
        let squeezed: String = local.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        if squeezed != local.trim() {
            repairs.push("a blank in the local part");
            certain = false; // it may stand for a dot as well
        }
        local = squeezed;
        for prefix in ["www.", "http://", "https://"] {
            if let Some(rest) = local.strip_prefix(prefix) {
                repairs.push("www. in front");
                local = rest.to_owned();
            }
        }
        let mut dots = local.trim_matches('.').to_owned();
        while dots.contains("..") {
            dots = dots.replace("..", ".");
        }
        if dots != local {
            repairs.push("a dot too many in the local part");
            local = dots;
        }
    }
    let domain = repair_domain(domain, &mut repairs);
    (!local.is_empty() && !domain.is_empty()).then_some(Reading { local, domain, repairs, certain })
}

fn repair_domain(domain: &str, repairs: &mut Vec<&'static str>) -> String {
    let lower = domain.trim().trim_end_matches('.').to_lowercase();
    let mut text: String = lower.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    if text != domain.trim_end_matches('.').to_lowercase() {
        repairs.push("a blank in the domain");
    }
    let dotted: String =
        text.chars().map(|c| if matches!(c, ',' | ';' | '。' | '．' | '｡' | '·') { '.' } else { c }).collect();
    if dotted != text {
        repairs.push("a comma for the dot");
        text = dotted;
    }
    let plain: String = text
        .chars()
        .filter(|c| !matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | '"' | '\'' | '*' | '`' | '\\'))
        .collect();
    if plain != text && !text.starts_with('[') {
        repairs.push("stray characters in the domain");
        text = plain;
    }
    if let Some(rest) = text.strip_prefix("www.").or_else(|| text.strip_prefix("http://")) {
        repairs.push("www. in front");
        text = rest.to_owned();
    }
    let mut dots = text.trim_matches('.').trim_end_matches(['-', '_', '/', ':']).to_owned();
    while dots.contains("..") {
        dots = dots.replace("..", ".");
    }
    if dots != text {
        repairs.push("a dot too many");
        text = dots;
    }
    text
}

/// An address without `@`: another character stands for it, or nothing at all before a well-known domain.
fn without_at(text: &str) -> Vec<Reading> {
    let lower = text.to_lowercase();
    for sign in ["(at)", "[at]", "{at}", " at ", "#", "＠", "%40"] {
        if let Some(at) = lower.rfind(sign)
            && let (Some(local), Some(domain)) = (text.get(..at), text.get(at + sign.len()..))
            && domain.contains('.')
        {
            return parts(local, domain, vec!["another sign for @"], true).into_iter().collect();
        }
    }
    let dots = lower.char_indices().filter(|(at, _)| lower.is_char_boundary(*at)).map(|(at, _)| at);
    let known = dots.skip(1).find(|at| lower.get(*at..).is_some_and(|domain| data().is_provider(domain)));
    let Some(at) = known else { return Vec::new() };
    let (Some(local), Some(domain)) = (text.get(..at), text.get(at..)) else { return Vec::new() };
    // On a US keyboard @ is shift-2, on a German one AltGr-q.
    let bare = local.strip_suffix(['2', 'q', '"', '\'']).filter(|bare| !bare.is_empty()).unwrap_or(local);
    parts(bare, domain, vec!["the @ is missing"], bare == local).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::readings;

    #[test]
    fn wrong_writing_is_read() {
        for (failed, want) in [
            ("anna@gmail.com", "anna|gmail.com|"),
            (" <anna@gmail.com> ", "anna|gmail.com|"),
            ("mailto:anna@gmail.com", "anna|gmail.com|stray characters around it"),
            ("anna@gmail,com", "anna|gmail.com|a comma for the dot"),
            ("anna@gmail..com", "anna|gmail.com|a dot too many"),
            ("anna@ gmail.com", "anna|gmail.com|a blank in the domain"),
            ("anna@gmail.com.", "anna|gmail.com|stray characters around it"),
            ("anna@@gmail.com", "anna|gmail.com|@ doubled"),
            ("anna@gmail.com@gmail.com", "anna|gmail.com|two @ signs"),
            ("anna.@gmail.com", "anna|gmail.com|a dot too many in the local part"),
            ("www.anna@gmail.com", "anna|gmail.com|www. in front"),
            ("anna@www.gmail.com", "anna|gmail.com|www. in front"),
            ("annagmail.com", "anna|gmail.com|the @ is missing"),
            ("anna#firm.example", "anna|firm.example|another sign for @"),
            ("\"a b\"@firm.example", "\"a b\"|firm.example|"),
            ("nobody", ""),
            ("", ""),
            ("@", ""),
        ] {
            let found = readings(failed);
            let first = found.first().map(|r| format!("{}|{}|{}", r.local, r.domain, r.repairs.join(",")));
            assert_eq!(first.unwrap_or_default(), want, "{failed:?}");
        }
    }
}
