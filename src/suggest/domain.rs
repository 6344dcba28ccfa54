//! Which domain was meant: a noisy channel over well-known providers, own correspondents' domains and own domains.
//!
//! For a typed domain t and a candidate d it weighs `P(d) * P(slip) * P(t | d)` against the chance that t is a real domain
//! nobody here has heard of. P(d) is the share of mail that goes to d ([`Book::share`]); P(t | d) comes from `slip` and the
//! table of mistyped endings; the cause shifts both sides: a domain that does not exist is rarely meant.
//! Knows nothing of local parts except whether the resulting address is a known correspondent.

use std::collections::HashMap;

use super::book::Book;
use super::clean::Reading;
use super::data::data;
use super::slip::{self, slip};
use super::{Pool, Query};
use crate::model::Cause;

/// Second slip beside a mistyped ending (nats).
const AGAIN: f32 = 2.3;
/// Somebody takes .de for .com: rarer than a slip of the finger (nats, the choice of the ending included).
const OTHER_ENDING: f32 = 6.0;
/// A company that has one domain often has the same name under another ending (nats).
const SISTER: f32 = 3.0;
/// The candidate address itself is a known correspondent (nats).
const KNOWN_PERSON: f32 = 8.0;
/// Evidence needed to be preselected, and to be listed at all (nats).
const STRONG: f32 = 4.0;
const LISTED: f32 = 0.0;
/// A guess this far behind the best is not worth a line, also where the best is barred (nats).
const FAR_BEHIND: f32 = 7.0;
/// The score of the best guess is cut here: below a server's hint and a correction made before.
const MOST_SURE: f32 = 14.0;

/// How a cause changes the odds.
struct Odds {
    /// ln of the chance that a failed address has a slip in its domain.
    slip: f32,
    /// ln of the chance that a domain nobody has heard of would fail in this way.
    stranger: f32,
}

fn odds(cause: Cause) -> Option<Odds> {
    let (slip, stranger): (f32, f32) = match cause {
        Cause::DomainUnknown => (0.6, 0.004),
        Cause::DomainNoMail => (0.5, 0.01),
        Cause::AddressSyntax => (0.5, 0.05),
        Cause::NotReachable => (0.1, 0.1),
        Cause::MailboxUnknown => (0.04, 0.4),
        Cause::MailboxDisabled | Cause::MailboxFull | Cause::MailboxMoved => return None, // somebody's mailbox was found
        Cause::Unclear => (0.12, 0.2), // no reason is known: somebody asks because it failed
        _ => (0.06, 0.3),
    };
    Some(Odds { slip: slip.ln(), stranger: stranger.ln() })
}

/// Nats for the chance that a domain nobody has heard of is written so.
fn stranger(domain: &str) -> f32 {
    let (name, ending) = data().split(domain);
    let tld = ending.rsplit('.').next().unwrap_or(ending);
    let letters: f32 = name.chars().map(|c| if c.is_ascii_alphanumeric() { -2.3 } else { -3.5 }).sum();
    let length = match name.chars().count() {
        0 | 1 => -7.0,
        2 => -4.5,
        3 => -3.5,
        _ => -2.5,
    };
    let ending = if ending.is_empty() { -16.0 } else { data().tld_share(tld).ln() };
    let second = if domain.contains('.') && data().split(domain).1.contains('.') { -0.3 } else { 0.0 };
    letters + length + ending + second
}

/// A domain that may have been meant.
struct Guess {
    /// Nats for meaning this domain and typing the other.
    weight: f32,
    words: String,
    /// Whether anybody here has heard of it.
    known: bool,
    /// Same name, other ending that exists.
    sister: bool,
}

/// Offers the failed local part at every domain that was likely meant.
pub(super) fn offer(query: &Query<'_>, book: &Book, reading: &Reading, pool: &mut Pool<'_>) {
    let typed = reading.domain.as_str();
    if typed.len() > 255 || typed.starts_with('[') {
        return;
    }
    repaired(book, reading, pool);
    let Some(odds) = odds(query.cause) else { return };
    let unheard = matches!(query.cause, Cause::DomainUnknown | Cause::DomainNoMail);
    let real = data().is_real(typed) && (!unheard || data().is_provider(typed));
    let works = real || !unheard && book.mails_at(typed) > 0;
    let base = log_sum(
        stranger(typed) + odds.stranger,
        (book.share(typed).max(1e-12)).ln() + if unheard { -5.0 } else { 0.0 },
    );
    let mut guesses: Vec<(String, f32, Guess)> = Vec::new();
    for (domain, guess) in guesses_for(typed, book) {
        let address = format!("{}@{domain}", reading.local);
        let person = book.mails_with(&address) > 0 && !data().is_role(&reading.local);
        let against = if guess.sister { log_sum(base, prior(&domain, book) - SISTER + odds.stranger) } else { base };
        let score = guess.weight + odds.slip - against + if person { KNOWN_PERSON } else { 0.0 };
        // A domain that works is not taken for a slip, unless this very person is known one letter beside it.
        let beside = || reading.local.chars().count() >= 6 && !guess.sister && slip(&domain, typed, 1).is_some();
        if score >= LISTED && (!works || person && beside()) {
            guesses.push((address, score, guess));
        }
    }
    let best = guesses.iter().map(|(_, score, _)| *score).fold(f32::NEG_INFINITY, f32::max);
    guesses.retain(|(_, score, _)| best - score <= FAR_BEHIND);
    for (address, score, guess) in guesses {
        let ending = data().split(typed).1.rsplit('.').next().unwrap_or_default();
        let strong = score >= STRONG && (guess.known || !data().is_tld(ending)) && !works;
        let because = format!("{}{}", guess.words, standing(&address, book));
        // However sure, a slip stays behind what somebody has said; the distances among the guesses stay.
        pool.offer(&address, score - (best - MOST_SURE).max(0.0), strong && reading.certain, because);
    }
}

/// The domain as it stands once the writing is repaired.
fn repaired(book: &Book, reading: &Reading, pool: &mut Pool<'_>) {
    if reading.repairs.is_empty() {
        return;
    }
    let address = format!("{}@{}", reading.local, reading.domain);
    let known =
        book.mails_at(&reading.domain) > 0 || data().is_real(&reading.domain) || book.is_own_domain(&reading.domain);
    let ending = reading.domain.rsplit_once('.').map_or("", |(_, tld)| tld);
    if known || data().is_tld(ending) {
        let because = format!("{}{}", reading.repairs.join(", "), standing(&address, book));
        pool.offer(&address, if known { 12.0 } else { 6.0 }, reading.certain, because);
    }
}

/// ln P(d): the share of mail that goes there, or the chance of a stranger of that name.
fn prior(domain: &str, book: &Book) -> f32 {
    let share = book.share(domain);
    if share > 0.0 { share.ln() } else { stranger(domain) + 0.3_f32.ln() }
}

/// What speaks for the domain beside the slip: "; 412 deliveries there".
fn standing(address: &str, book: &Book) -> String {
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
    let (person, mails) = (book.mails_with(address), book.mails_at(domain));
    let deliveries = |n: u32| if n == 1 { "1 delivery".to_owned() } else { format!("{n} deliveries") };
    if person > 0 {
        format!("; {} to this address", deliveries(person))
    } else if book.is_own_domain(domain) {
        "; our own domain".to_owned()
    } else if mails > 0 {
        format!("; {} there", deliveries(mails))
    } else if data().is_provider(domain) {
        "; well-known provider".to_owned()
    } else {
        String::new()
    }
}

/// Every domain within reach of what was typed, each with its likeliest way.
fn guesses_for(typed: &str, book: &Book) -> HashMap<String, Guess> {
    let mut found = HashMap::new();
    looks_like(typed, book, &mut found);
    near(typed, 0.0, "", 2, book, &mut found);
    endings(typed, book, &mut found);
    other_ending(typed, book, &mut found);
    missing_ending(typed, book, &mut found);
    found
}

fn is_known(domain: &str, book: &Book) -> bool {
    book.share(domain) > 0.0
}

fn put(found: &mut HashMap<String, Guess>, domain: &str, typed: &str, guess: Guess) {
    if domain == typed {
        return;
    }
    match found.get_mut(domain) {
        Some(known) if known.weight >= guess.weight => {}
        Some(known) => *known = guess,
        None => {
            found.insert(domain.to_owned(), guess);
        }
    }
}

/// Domains at most `most` edits away; `before` are the nats already spent and `words` says on what.
fn near(typed: &str, before: f32, words: &str, most: usize, book: &Book, found: &mut HashMap<String, Guess>) {
    let own = book.own_domains();
    let tables = data().providers.near(typed).chain(book.domains().near(typed)).map(|entry| &*entry.name);
    for name in tables.chain(own) {
        let Some(way) = slip(name, typed, most) else { continue };
        if !is_known(name, book) {
            continue;
        }
        let (meant, ending) = data().split(name);
        let (hit, other) = data().split(typed);
        // Which ending exists is not decided by fingers: .nl for .pl is another domain, not a slip.
        let sister = before == 0.0 && meant == hit && ending != other && ends_exist(other);
        let cost = if sister { way.cost.max(OTHER_ENDING) } else { way.cost };
        let again = if before > 0.0 && !way.edits.is_empty() { AGAIN } else { 0.0 };
        let said = match (way.edits.is_empty(), words.is_empty()) {
            (true, _) => words.to_owned(),
            (false, true) => format!("domain {}", domain_words(&way)),
            (false, false) => format!("{words}, domain {}", domain_words(&way)),
        };
        let weight = prior(name, book) - cost - before - again;
        put(found, name, typed, Guess { weight, words: said, known: true, sister });
    }
}

fn domain_words(way: &slip::Slip) -> String {
    match way.words().as_str() {
        "a dot is missing" => "with the dot missing".to_owned(),
        words => match words.strip_prefix("one ") {
            Some(_) if words.ends_with("away") => words.to_owned(),
            Some(rest) => format!("with one {rest}"),
            None if words.contains("slips") => words.to_owned(),
            None => format!("with {words}"),
        },
    }
}

fn ends_exist(ending: &str) -> bool {
    !ending.is_empty() && data().is_tld(ending.rsplit('.').next().unwrap_or(ending))
}

/// Mistyped endings: .con for .com, also with one slip in the name before it.
fn endings(typed: &str, book: &Book, found: &mut HashMap<String, Guess>) {
    for (meant, ending, share) in &data().slips {
        let Some(stem) = typed.strip_suffix(ending.as_str()).and_then(|stem| stem.strip_suffix('.')) else { continue };
        if stem.is_empty() {
            continue;
        }
        let domain = format!("{stem}.{meant}");
        let cost = -share.ln();
        let words = format!("ending .{ending} for .{meant}");
        let known = is_known(&domain, book);
        put(
            found,
            &domain,
            typed,
            Guess { weight: prior(&domain, book) - cost, words: words.clone(), known, sister: false },
        );
        if *share >= 0.002 {
            near(&domain, cost, &words, 1, book, found);
        }
    }
}

/// The same name under an ending that is known here, and names that exist under one ending only.
fn other_ending(typed: &str, book: &Book, found: &mut HashMap<String, Guess>) {
    let (name, ending) = data().split(typed);
    let wrong = data().wrong_ending(typed);
    for other in data().common_endings() {
        let domain = format!("{name}.{other}");
        if is_known(&domain, book) {
            let words = if ending.is_empty() {
                format!("ending .{other} missing")
            } else {
                format!("ending .{ending} for .{other}")
            };
            let sister = !wrong && ends_exist(ending);
            put(
                found,
                &domain,
                typed,
                Guess { weight: prior(&domain, book) - OTHER_ENDING, words, known: true, sister },
            );
        }
    }
    for (only, meant) in data().single_endings() {
        let Some(way) = slip(only, name, 1).filter(|way| !way.edits.is_empty() && ending != meant) else { continue };
        let domain = format!("{only}.{meant}");
        let words = format!("domain {}, ending .{ending} for .{meant}", domain_words(&way));
        // Two doubts at once (cloud.goog is not icloud.com): never more than listed where that ending exists.
        let weight = prior(&domain, book) - way.cost - OTHER_ENDING - AGAIN;
        put(found, &domain, typed, Guess { weight, words, known: false, sister: false });
    }
}

/// `gmailcom`, `firmcom`: the dot before an ending that exists is missing.
fn missing_ending(typed: &str, book: &Book, found: &mut HashMap<String, Guess>) {
    if typed.contains('.') {
        return;
    }
    for ending in ["com", "net", "org", "de", "fr", "it", "nl", "couk", "info", "example"] {
        if let Some(stem) = typed.strip_suffix(ending).filter(|stem| stem.chars().count() > 1) {
            let ending = if ending == "couk" { "co.uk" } else { ending };
            let domain = format!("{stem}.{ending}");
            let (weight, known) = (prior(&domain, book) - 3.0, is_known(&domain, book));
            put(
                found,
                &domain,
                typed,
                Guess { weight, words: "domain with the dot missing".to_owned(), known, sister: false },
            );
        }
    }
}

/// Letters of other alphabets, and groups such as `rn` for `m`.
fn looks_like(typed: &str, book: &Book, found: &mut HashMap<String, Guess>) {
    let decoded = if typed.contains("xn--") { idna::domain_to_unicode(typed).0 } else { typed.to_owned() };
    let skeleton = data().skeleton(&decoded);
    if skeleton != decoded {
        if is_known(&skeleton, book) {
            let words = "domain with letters that only look alike".to_owned();
            put(
                found,
                &skeleton,
                typed,
                Guess { weight: prior(&skeleton, book) - 3.0, words, known: true, sister: false },
            );
        } else {
            near(&skeleton, 3.0, "letters that only look alike", 1, book, found);
        }
    }
    for domain in data().regrouped(typed) {
        if is_known(&domain, book) {
            let words = "domain that looks the same".to_owned();
            put(found, &domain, typed, Guess { weight: prior(&domain, book) - 6.5, words, known: true, sister: false });
        }
    }
}

fn log_sum(a: f32, b: f32) -> f32 {
    let most = a.max(b);
    most + ((a - most).exp() + (b - most).exp()).ln()
}
