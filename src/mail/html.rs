//! HTML to plain lines, for notices that come as HTML only.
//!
//! Not a renderer: tags that begin a new line in a browser begin one here, table cells too; scripts and styles vanish;
//! the entities mail servers use are undone; an address that only stands behind a link is put beside it. Invariant: linear, total, adds no character the source does not mean.

use crate::stdx;

/// Tags that separate: what stands before and behind them is not one sentence.
const BREAKS: &[&str] = &[
    "br",
    "p",
    "div",
    "tr",
    "td",
    "th",
    "li",
    "ul",
    "ol",
    "table",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "pre",
    "blockquote",
    "title",
    "dd",
    "dt",
    "center",
    "section",
    "body",
    "head",
];

/// The visible text of a page, one line per block.
pub(crate) fn to_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    let mut rest = html;
    let mut pre = false;
    let mut link: Option<(usize, &str)> = None;
    loop {
        let Some(at) = memchr::memchr2(b'<', b'&', rest.as_bytes()) else {
            push_words(&mut out, rest, pre);
            return out;
        };
        let (before, found) = (rest.get(..at).unwrap_or_default(), rest.get(at..).unwrap_or_default());
        push_words(&mut out, before, pre);
        if found.starts_with('&') {
            let (text, length) = entity(found);
            out.push_str(text.as_str());
            rest = found.get(length..).unwrap_or_default();
            continue;
        }
        let (tag, next) = tag(found);
        if tag.is_empty() {
            out.push('<');
            rest = found.get(1..).unwrap_or_default();
            continue;
        }
        let name = tag.trim_start_matches('/');
        let closing = tag.len() != name.len();
        if name.eq_ignore_ascii_case("pre") {
            pre = !closing;
        }
        if BREAKS.iter().any(|known| name.eq_ignore_ascii_case(known)) && !out.ends_with('\n') {
            out.push('\n');
        }
        if name.eq_ignore_ascii_case("a") {
            if let Some((start, address)) = link.take()
                && !out.get(start..).unwrap_or_default().contains('@')
            {
                out.push_str(&format!(" <{address}>"));
            }
            let attributes = found.get(..found.len() - next.len()).unwrap_or_default();
            link = mailto(attributes).map(|address| (out.len(), address));
        }
        rest = next;
        if !closing && (name.eq_ignore_ascii_case("script") || name.eq_ignore_ascii_case("style")) {
            let end = format!("</{name}");
            rest = stdx::find_ignore_case(rest.as_bytes(), end.as_bytes())
                .and_then(|at| rest.get(at..))
                .unwrap_or_default();
        }
    }
}

/// The address a link leads to.
fn mailto(attributes: &str) -> Option<&str> {
    let at = stdx::find_ignore_case(attributes.as_bytes(), b"href=")?;
    let target = attributes.get(at + 5..)?.trim_start_matches(['"', '\'']);
    let address = stdx::strip_prefix_ignore_case(target, "mailto:")?;
    let end = address.find(['"', '\'', '?', '>', ' ']).unwrap_or(address.len());
    address.get(..end).filter(|address| address.contains('@'))
}

/// The tag's name (with its slash when it closes) and what follows the tag; empty when `<` begins no tag.
fn tag(found: &str) -> (&str, &str) {
    let inner = found.get(1..).unwrap_or_default();
    if let Some(comment) = inner.strip_prefix("!--") {
        let end = memchr::memmem::find(comment.as_bytes(), b"-->").map_or(comment.len(), |at| at + 3);
        return ("!", comment.get(end..).unwrap_or_default());
    }
    let length = inner
        .bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'!' | b'?' | b':' | b'-'))
        .count();
    let name = inner.get(..length).unwrap_or_default();
    // "<anna@example.org>" is an address, not a tag
    let after = inner.as_bytes().get(length);
    if name.trim_matches('/').is_empty() || !matches!(after, Some(b'>' | b' ' | b'\t' | b'\r' | b'\n')) {
        return ("", found);
    }
    let end = memchr::memchr(b'>', inner.as_bytes()).map_or(inner.len(), |at| at + 1);
    (name.trim_end_matches('/'), inner.get(end..).unwrap_or_default())
}

/// Text between tags: blanks squeezed unless preformatted.
fn push_words(out: &mut String, text: &str, pre: bool) {
    if pre {
        out.push_str(text);
        return;
    }
    for c in text.chars() {
        if c.is_ascii_whitespace() {
            if !out.is_empty() && !out.ends_with([' ', '\n']) {
                out.push(' ');
            }
        } else {
            out.push(c);
        }
    }
}

/// The character an entity stands for, and how long it is written.
fn entity(text: &str) -> (String, usize) {
    let length = text.bytes().take(12).position(|b| b == b';');
    let Some(length) = length else { return ("&".to_owned(), 1) };
    let name = text.get(1..length).unwrap_or_default();
    let named = match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        "shy" => Some('\u{ad}'),
        _ => name.strip_prefix('#').and_then(|number| {
            let hex = number.strip_prefix(['x', 'X']);
            let code = hex.map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
            code.and_then(char::from_u32).map(|c| if c == '\u{a0}' { ' ' } else { c })
        }),
    };
    match named {
        Some(c) => (c.to_string(), length + 1),
        None => ("&".to_owned(), 1),
    }
}

#[cfg(test)]
mod tests {
    use super::to_text;

    #[test]
    fn cells_and_items_stand_apart() {
        let html = "<style>p{}</style><table><tr><td>Address</td><td>a@b.example</td></tr></table><p>550&nbsp;5.1.1 &lt;a@b.example&gt;: x&#39;y<br>next";
        assert_eq!(to_text(html), "\nAddress\na@b.example\n550 5.1.1 <a@b.example>: x'y\nnext");
    }

    #[test]
    fn an_address_behind_a_link_is_shown() {
        assert_eq!(to_text("to <a href=\"mailto:a@b.example?subject=x\">Anna</a> no"), "to Anna <a@b.example> no");
        assert_eq!(to_text("<a href='mailto:a@b.example'>a@b.example</a>"), "a@b.example");
        assert_eq!(to_text("<a href=\"https://x.example/@y\">page</a>"), "page");
    }

    #[test]
    fn what_is_no_tag_stays() {
        assert_eq!(to_text("1 < 2 <a@b.example> & <b>x</b>"), "1 < 2 <a@b.example> & x");
        assert_eq!(to_text("<!-- <p> -->x"), "x");
        assert_eq!(to_text("<script>1"), "");
    }
}
