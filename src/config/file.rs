//! The configuration file as it is written: every key, its type and its spelling.
//!
//! Owns the names of the keys and the words about a misspelt one. Knows nothing of what the values mean; `mod.rs` does.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::error::Error;

/// The top level of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) own_addresses: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) own_domains: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) own_message_ids: Vec<Spanned<String>>,
    pub(super) desk: Option<Spanned<String>>,
    pub(super) desk_account: Option<Spanned<String>>,
    pub(super) ticket_url: Option<Spanned<String>>,
    pub(super) lead: Option<Spanned<String>>,
    pub(super) retention: Option<Spanned<String>>,
    pub(super) proven_after: Option<Spanned<String>>,
    pub(super) language: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) name_servers: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) account: Vec<Spanned<Account>>,
}

/// One `[[account]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) name: Option<Spanned<String>>,
    pub(super) address: Option<Spanned<String>>,
    pub(super) host: Spanned<String>,
    pub(super) port: Option<Spanned<u16>>,
    pub(super) tls: Option<Spanned<String>>,
    pub(super) ca_file: Option<Spanned<String>>,
    pub(super) user: Option<Spanned<String>>,
    pub(super) password_command: Option<Spanned<Vec<String>>>,
    pub(super) token_command: Option<Spanned<Vec<String>>>,
    pub(super) oauth: Option<Spanned<String>>,
    pub(super) oauth_tenant: Option<Spanned<String>>,
    pub(super) oauth_client_id: Option<Spanned<String>>,
    pub(super) oauth_token_file: Option<Spanned<String>>,
    pub(super) oauth_token_command: Option<Spanned<Vec<String>>>,
    pub(super) oauth_store_command: Option<Spanned<Vec<String>>>,
    pub(super) oauth_authority: Option<Spanned<String>>,
    pub(super) oauth_scope: Option<Spanned<String>>,
    pub(super) folders: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    pub(super) sent_folders: Vec<String>,
}

/// Reads the text of a file. The error names the line, and the nearest known key for an unknown one.
pub(super) fn parse(text: &str, path: &Path) -> Result<File, Error> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        match unknown_key(error.message()) {
            Some(("password", _)) => Error::at(path, line, "a password is never kept in this file").with_hint(
                "password_command = [\"pass\", \"show\", \"mail/support\"], or nothing: then it is asked for",
            ),
            Some((key, known)) => Error::at(path, line, words_for(key, &known))
                .with_hint("\"bounceback config example\" shows every key with its form"),
            None => {
                let key = error.span().and_then(|span| key_of(text, span.start));
                let words = plain_words(error.message());
                let hint = form(&words, key);
                Error::at(path, line, key.map_or(words.clone(), |key| format!("{key}: {words}"))).with_hint(hint)
            }
        }
    })
}

/// The 1-based line of a byte offset.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The key on the line of a byte offset; never its value, which may be a secret in the wrong place.
fn key_of(text: &str, offset: usize) -> Option<&str> {
    let begin = text.get(..offset)?.rfind('\n').map_or(0, |at| at + 1);
    let (key, _) = text.get(begin..)?.lines().next()?.split_once('=')?;
    let key = key.trim();
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    plain.then_some(key)
}

/// How it is written instead.
fn form(words: &str, key: Option<&str>) -> String {
    let key = key.unwrap_or("key");
    match words {
        _ if words.starts_with("expected a list") => format!("lists stand in brackets: {key} = [\"one\", \"two\"]"),
        _ if words.starts_with("expected a string") => format!("texts stand in quotes: {key} = \"text\""),
        _ if words.starts_with("missing field") => {
            let name = words.split('"').nth(1).unwrap_or_default();
            format!("add a line {name} = \"...\"; \"bounceback config example\" shows every key")
        }
        _ if words.starts_with("expected a port number") => {
            format!("a number from 1 to 65535 without quotes: {key} = 993")
        }
        _ => "texts stand in quotes, lists in brackets: key = \"text\", key = [\"one\", \"two\"]; \
              \"bounceback config example\" shows every key"
            .to_owned(),
    }
}

/// Takes serde's message about an unknown field apart: the key and the keys it would have taken.
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field ")?;
    let mut names = rest.split('`').skip(1).step_by(2);
    Some((names.next()?, names.collect()))
}

/// The parser's message for a reader. Without the value it complains of: that may be a secret in the wrong place.
fn plain_words(message: &str) -> String {
    let message =
        message.replace('\n', "; ").replace('`', "\"").replace("a sequence", "a list").replace("u16", "a port number");
    let Some(rest) = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: ")) else {
        return message;
    };
    match (rest.split([' ', ',']).next(), rest.rsplit_once(", expected ")) {
        (Some(found), Some((_, expected))) => format!("expected {expected}, found {}", article(found)),
        _ => message,
    }
}

fn article(found: &str) -> String {
    match found {
        "string" => "a text".to_owned(),
        "sequence" => "a list".to_owned(),
        "map" => "a table".to_owned(),
        "integer" => "another number".to_owned(),
        other => format!("a {other}"),
    }
}

fn words_for(key: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&key.to_lowercase(), name), *name))
        .min()
        .filter(|(distance, name)| *distance <= 2.max(name.len() / 3));
    match nearest {
        Some((_, name)) => format!("unknown key \"{key}\"; did you mean \"{name}\"?"),
        None => format!("unknown key \"{key}\"; known here: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known_keys(text: &str) -> Vec<String> {
        let error = toml::from_str::<File>(text).unwrap_err();
        let (_, known) = unknown_key(error.message()).unwrap_or_else(|| panic!("serde's words changed: {error}"));
        known.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn the_sample_names_every_key() {
        let mut keys = known_keys("zzz = 1");
        keys.extend(known_keys("[[account]]\nzzz = 1"));
        for key in keys.iter().filter(|key| *key != "account") {
            let named = crate::config::SAMPLE
                .lines()
                .any(|line| line.trim_start_matches(['#', ' ']).starts_with(&format!("{key} =")));
            assert!(named, "assets/config.sample.toml does not mention {key}");
        }
        assert!(keys.len() > 15, "{keys:?}");
    }

    #[test]
    fn lines_are_counted_from_one() {
        assert_eq!(line_of("a\nb\nc", 0), 1);
        assert_eq!(line_of("a\nb\nc", 2), 2);
        assert_eq!(line_of("a\nb\nc", 99), 3);
    }
}
