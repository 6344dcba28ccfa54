//! Finds the addresses that a text names, and in which role: quoted senders, signatures, announced new addresses.
//!
//! Owns reading prose of people in many languages (`assets/suggest/quotes.toml`). Does not judge the addresses.
//! Invariant: every address found stands literally in the text; each is given once, in its best role.

use super::data::data;
use super::{Named, NamedRole};

/// Most of a text that is read, in bytes; addresses further down are in mails quoted many times over.
const MOST_TEXT: usize = 512 * 1024;
/// Most of one line that is read, in bytes.
const MOST_LINE: usize = 4000;
/// Most addresses given.
const MOST_FOUND: usize = 200;

/// Addresses in the text of a mail: "On ... X <a@b> wrote:", quoted header fields, signatures, "my new address is".
///
/// ```
/// use bounceback::suggest::{NamedRole, named_in_text};
/// let found = named_in_text("On Mon, 2 Nov 2026, Anna Berg <anna@firm.example> wrote:\n> hello\n");
/// assert_eq!(found[0].address, "anna@firm.example");
/// assert_eq!(found[0].display_name.as_deref(), Some("Anna Berg"));
/// assert_eq!(found[0].role, NamedRole::QuotedFrom);
/// ```
pub fn named_in_text(text: &str) -> Vec<Named> {
    let lines: Vec<&str> = head(text, MOST_TEXT).lines().map(|line| unquoted(head(line, MOST_LINE))).collect();
    let mut found: Vec<Named> = Vec::new();
    let mut below_mark = 0_usize; // lines since "-- "
    for (number, line) in lines.iter().enumerate() {
        below_mark = match below_mark {
            _ if matches!(*line, "--" | "-- " | "—" | "__") => 1,
            0 => 0,
            12.. => 0,
            lines => lines + 1,
        };
        if !line.contains('@') {
            continue;
        }
        let before = number.checked_sub(1).and_then(|at| lines.get(at)).copied().unwrap_or_default();
        let after = lines.get(number + 1).copied().unwrap_or_default();
        for hit in addresses(line) {
            let role = role(line, &hit, before, after, below_mark > 0);
            keep(&mut found, Named { address: hit.address, display_name: hit.name, role });
        }
        if found.len() >= MOST_FOUND {
            break;
        }
    }
    found.sort_by_key(|named| named.role);
    found
}

/// The first bytes of a text, cut between characters.
fn head(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// Whether a text introduces a quoted mail: "On Thu, 5 Nov 2026 Anna Berg wrote:", in the languages of mail programs.
pub fn introduces_quote(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.trim_end().ends_with([':', '：']) && data().words.wrote.iter().any(|word| lower.contains(word.as_str()))
}

/// Whether a line is the sender field of a quoted header: "From: Anna Berg", "Von: ...".
pub fn begins_quoted_field(line: &str) -> bool {
    let name = line.trim_start_matches('*').split(':').next().unwrap_or_default().trim().to_lowercase();
    line.contains(':') && data().words.from.contains(&name)
}

fn keep(found: &mut Vec<Named>, named: Named) {
    let lower = named.address.to_lowercase();
    match found.iter_mut().find(|other| other.address.to_lowercase() == lower) {
        Some(other) => {
            other.role = other.role.min(named.role);
            other.display_name = other.display_name.take().or(named.display_name);
        }
        None => found.push(named),
    }
}

/// The line without quote marks.
fn unquoted(line: &str) -> &str {
    line.trim_start_matches(['>', '|', ' ', '\t']).trim_end_matches('\r')
}

/// An address in a line.
struct Hit {
    address: String,
    name: Option<String>,
    start: usize,
    end: usize,
}

fn addresses(line: &str) -> Vec<Hit> {
    let mut found: Vec<Hit> = Vec::new();
    for (sign, _) in line.match_indices('@').take(50) {
        let head = line.get(..sign).unwrap_or_default();
        let tail = line.get(sign + 1..).unwrap_or_default();
        let is_local = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        let is_domain = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
        let local_from = head.char_indices().rev().take_while(|(_, c)| is_local(*c)).last().map_or(sign, |(at, _)| at);
        let domain_to = tail.find(|c: char| !is_domain(c)).map_or(line.len(), |at| sign + 1 + at);
        let local =
            head.get(local_from..).unwrap_or_default().trim_start_matches(['\'', '*', '/', '.', '=', '`', '|', '{']);
        let domain = line.get(sign + 1..domain_to).unwrap_or_default().trim_end_matches(['.', '-']);
        let whole = !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.contains("..");
        let start = sign - local.len();
        // The second half of a mailto link repeats the first: anna@b.example<mailto:anna@b.example>
        if whole {
            let address = format!("{local}@{domain}");
            let end = sign + 1 + domain.len();
            found.push(Hit { name: name_before(line, start), address, start, end });
        }
    }
    found
}

/// The display name before `<address>`, when there is one.
fn name_before(line: &str, start: usize) -> Option<String> {
    let head = line.get(..start)?.trim_end();
    let head = head.strip_suffix("mailto:").unwrap_or(head);
    let head = head.strip_suffix(['<', '[', '('])?.trim_end().trim_end_matches(['(', '<', ' ']);
    let from = [head.rfind([':', ';', '>', '@']), head.rfind(", ").filter(|_| !head.ends_with('"')), head.rfind('\t')];
    let cut = from.into_iter().flatten().max().map_or(0, |at| at + 1);
    let name = head.get(cut..)?.trim();
    // "am 2. Nov. 2026 um 10:12 schrieb Anna Berg": what stands before a verb or a number is no name.
    let words: Vec<&str> = name.split_whitespace().collect();
    let verb = |word: &&str| {
        [&data().words.wrote, &data().words.time].into_iter().flatten().any(|other| other == &word.to_lowercase())
    };
    let number = |word: &&str| word.chars().any(|c| c.is_ascii_digit());
    let keep = words.iter().rposition(|word| verb(word) || number(word)).map_or(0, |at| at + 1);
    let name = words.get(keep..)?.join(" ");
    let name = name.trim_matches(|c: char| c == '"' || c == '\'' || c == '*' || c.is_whitespace() || c.is_control());
    (!name.is_empty() && name.chars().count() <= 80 && name.chars().any(char::is_alphabetic)).then(|| name.to_owned())
}

fn role(line: &str, hit: &Hit, before: &str, after: &str, signature: bool) -> NamedRole {
    let words = &data().words;
    let head = line.get(..hit.start).unwrap_or_default().to_lowercase();
    let tail = line.get(hit.end..).unwrap_or_default().to_lowercase();
    let nearby = format!("{} {head}", before.to_lowercase());
    let says = |list: &[String], text: &str| list.iter().any(|word| text.contains(word.as_str()));
    if let Some(field) = field_name(&head) {
        let field = field.as_str();
        let is = |list: &[String]| list.iter().any(|word| word == field);
        if is(&words.reply_to) {
            return NamedRole::ReplyTo;
        } else if is(&words.from) {
            return NamedRole::QuotedFrom;
        } else if is(&words.cc) {
            return NamedRole::Cc;
        } else if is(&words.signature) && !says(&words.moved, &nearby) {
            return NamedRole::Signature;
        }
    }
    let new = last_of(&words.moved, &nearby);
    let old = last_of(&words.old, &nearby);
    let retired = says(&words.old, &tail) && !says(&words.moved, &tail);
    if let Some(new) = new
        && !retired
        && old.is_none_or(|old| old < new)
    {
        return NamedRole::NewAddress;
    }
    // The introduction may be wrapped: the verb stands on the next line.
    let end = after.trim_end().ends_with(':') && !after.contains('@');
    if introduces_quote(line)
        || (end && introduces_quote(after))
        || words.wrote.iter().any(|word| head.contains(&format!(" {word}")) && tail.contains(':'))
    {
        return NamedRole::QuotedFrom;
    }
    if signature { NamedRole::Signature } else { NamedRole::Text }
}

/// Where the last of these words stands.
fn last_of(list: &[String], text: &str) -> Option<usize> {
    list.iter().filter_map(|word| text.rfind(word.as_str())).max()
}

/// The word before the colon that opens the line: `from` in "*From:* Anna <".
fn field_name(head: &str) -> Option<String> {
    let (field, _) = head.split_once([':', '：'])?;
    let field = field.trim_matches(|c: char| c == '*' || c == '|' || c.is_whitespace());
    (field.chars().count() <= 24).then(|| field.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{NamedRole, named_in_text};

    #[test]
    fn roles_are_read_from_the_words_around() {
        use NamedRole as R;
        for (text, address, name, role) in [
            (
                "On Mon, Nov 2, 2026 at 10:12 AM Anna Berg <a@b.example> wrote:",
                "a@b.example",
                Some("Anna Berg"),
                R::QuotedFrom,
            ),
            (
                "> On Mon, Nov 2, 2026 at 10:12 AM Anna Berg <a@b.example>\n> wrote:",
                "a@b.example",
                Some("Anna Berg"),
                R::QuotedFrom,
            ),
            (
                "Am 02.11.2026 um 10:12 schrieb Anna Berg <a@b.example>:",
                "a@b.example",
                Some("Anna Berg"),
                R::QuotedFrom,
            ),
            (
                "Le lun. 2 nov. 2026 à 10:12, Anne Roy <a@b.example> a écrit :",
                "a@b.example",
                Some("Anne Roy"),
                R::QuotedFrom,
            ),
            (
                "El lun, 2 nov 2026 a las 10:12, Ana Ruiz (<a@b.example>) escribió:",
                "a@b.example",
                Some("Ana Ruiz"),
                R::QuotedFrom,
            ),
            ("Von: Anna Berg <a@b.example>", "a@b.example", Some("Anna Berg"), R::QuotedFrom),
            ("*From:* Anna Berg [mailto:a@b.example]", "a@b.example", Some("Anna Berg"), R::QuotedFrom),
            ("Reply-To: a@b.example", "a@b.example", None, R::ReplyTo),
            ("Cc: \"Berg, Anna\" <a@b.example>", "a@b.example", Some("Berg, Anna"), R::Cc),
            ("E-Mail: a@b.example", "a@b.example", None, R::Signature),
            ("-- \nAnna Berg\nFirm\na@b.example", "a@b.example", None, R::Signature),
            ("My new address is a@b.example.", "a@b.example", None, R::NewAddress),
            ("Meine neue Adresse lautet:\na@b.example", "a@b.example", None, R::NewAddress),
            ("I no longer read a@b.example", "a@b.example", None, R::Text),
            ("see a@b.example, thanks", "a@b.example", None, R::Text),
        ] {
            let found = named_in_text(text);
            let first = found.first().map(|n| (n.address.as_str(), n.display_name.as_deref(), n.role));
            assert_eq!(first, Some((address, name, role)), "{text:?}");
        }
        assert_eq!(named_in_text("user@host and @ and a@.b and price 3@4"), []);
    }

    #[test]
    fn an_address_is_given_once_in_its_best_role() {
        let found = named_in_text("see a@b.example\nFrom: Anna <A@b.example>\nc@d.example");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].role, found[0].display_name.as_deref()), (NamedRole::QuotedFrom, Some("Anna")));
    }
}
