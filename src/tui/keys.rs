//! Which key does what: `assets/keys.toml`, with the user's `keys.toml` laid over it. Help is generated from the same table.
//!
//! Owns the names of actions and the clash check. Knows nothing of what an action does.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::input::Key;

const BUILTIN: &str = include_str!("../../assets/keys.toml");

macro_rules! actions {
    ($($item:ident = $name:literal,)+) => {
        /// What a key can do on the main screen.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each is explained in assets/keys.toml")]
        pub enum Action { $($item,)+ }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$item,)+];

            /// Its name in `keys.toml`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$item => $name,)+ }
            }
        }
    };
}

actions! {
    Accept = "accept", Correct = "correct", Retry = "retry", NotOurFault = "not-our-fault", Spam = "spam",
    Escalate = "escalate", Done = "done", Repeat = "repeat", Undo = "undo", Redo = "redo",
    AcceptGroup = "accept-group", CorrectGroup = "correct-group", RetryGroup = "retry-group",
    NotOurFaultGroup = "not-our-fault-group", SpamGroup = "spam-group", EscalateGroup = "escalate-group",
    DoneGroup = "done-group", Tag = "tag", Untag = "untag",
    NextUndecided = "next-undecided", PreviousUndecided = "previous-undecided", Down = "down", Up = "up",
    PageDown = "page-down", PageUp = "page-up", HalfDown = "half-down", HalfUp = "half-up",
    First = "first", Last = "last", NextGroup = "next-group", PreviousGroup = "previous-group",
    Open = "open", Back = "back", Quit = "quit",
    Diagnosis = "diagnosis", Returned = "returned", Raw = "raw", Notes = "notes", NextPane = "next-pane",
    NextEvidence = "next-evidence", PreviousEvidence = "previous-evidence", Headers = "headers", Quoted = "quoted",
    Parts = "parts",
    Search = "search", NextHit = "next-hit", PreviousHit = "previous-hit", Filter = "filter",
    ClearFilter = "clear-filter", Sort = "sort",
    Note = "note", NoteEditor = "note-editor", Copy = "copy", CopyMenu = "copy-menu", Export = "export",
    AuthCard = "auth-card",
    Pull = "pull", Status = "status", Messages = "messages", Command = "command", Help = "help", Redraw = "redraw",
    Suspend = "suspend", Cancel = "cancel",
}

impl Action {
    /// The action of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }
}

/// One line of the help.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What is done.
    pub action: Action,
    /// By which keys.
    pub keys: Vec<Key>,
    /// In words.
    pub help: String,
}

/// One heading of the help.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its words.
    pub title: String,
    /// Its lines.
    pub entries: Vec<Entry>,
}

/// The table of keys.
#[derive(Debug, Clone)]
pub struct Keymap {
    /// For the help, in the order of the file.
    pub sections: Vec<Section>,
    by_key: BTreeMap<Key, Action>,
}

/// What is wrong with a table of keys or styles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableError {
    /// Which file.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// In words.
    pub why: String,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.why)
    }
}

impl std::error::Error for TableError {}

/// The line of a byte position, from 1.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}

type Table<'t> = DeTable<'t>;

impl Keymap {
    /// The built-in table with the user's own (file name and text) laid over it.
    pub fn load(user: Option<(&str, &str)>) -> Result<Self, TableError> {
        let mut map = Self { sections: Vec::new(), by_key: BTreeMap::new() };
        map.read_builtin()?;
        let mut origin = BTreeMap::new();
        if let Some((file, text)) = user {
            let table = Table::parse(text).map_err(|why| bad_toml(file, text, &why))?;
            map.overlay(file, text, table.get_ref(), &mut origin)?;
        }
        map.index(user.map_or("keys.toml", |(file, _)| file), &origin)?;
        Ok(map)
    }

    /// What a key does.
    pub fn action(&self, key: Key) -> Option<Action> {
        self.by_key.get(&key).copied()
    }

    /// The first key of an action, for hints; empty where it has none.
    pub fn hint(&self, action: Action) -> String {
        let mut entries = self.sections.iter().flat_map(|section| &section.entries);
        let keys = entries.find(|entry| entry.action == action).map(|entry| &entry.keys);
        keys.and_then(|keys| keys.first()).map(ToString::to_string).unwrap_or_default()
    }

    fn read_builtin(&mut self) -> Result<(), TableError> {
        let file = "assets/keys.toml";
        let table = Table::parse(BUILTIN).map_err(|why| bad_toml(file, BUILTIN, &why))?;
        let mut sections: Vec<_> = table.get_ref().iter().collect();
        sections.sort_by_key(|(name, _)| name.span().start);
        for (_, value) in sections {
            let Some(items) = value.get_ref().as_table() else { continue };
            let mut items: Vec<_> = items.iter().collect();
            items.sort_by_key(|(name, _)| name.span().start);
            let mut section = Section { title: String::new(), entries: Vec::new() };
            for (name, value) in items {
                match (value.get_ref(), keys_of(value)) {
                    (DeValue::String(title), _) if name.get_ref() == "title" => section.title = title.to_string(),
                    (DeValue::Table(full), Some(keys)) => {
                        let action = known(file, BUILTIN, name)?;
                        let help = full.get("help").and_then(|help| help.get_ref().as_str()).unwrap_or_default();
                        section.entries.push(Entry {
                            action,
                            keys: read_keys(file, BUILTIN, keys)?,
                            help: help.to_owned(),
                        });
                    }
                    _ => return Err(no_keys(file, BUILTIN, value)),
                }
            }
            self.sections.push(section);
        }
        Ok(())
    }

    fn overlay(
        &mut self,
        file: &str,
        text: &str,
        table: &Table<'_>,
        origin: &mut BTreeMap<Action, usize>,
    ) -> Result<(), TableError> {
        for (name, value) in table {
            let Some(keys) = keys_of(value) else {
                match value.get_ref() {
                    DeValue::Table(inner) => self.overlay(file, text, inner, origin)?,
                    _ => return Err(no_keys(file, text, value)),
                }
                continue;
            };
            if name.get_ref() == "title" {
                continue;
            }
            let action = known(file, text, name)?;
            let keys_read = read_keys(file, text, keys)?;
            origin.insert(action, line_at(text, keys.span().start));
            for entry in self.sections.iter_mut().flat_map(|section| &mut section.entries) {
                if entry.action == action {
                    entry.keys.clone_from(&keys_read);
                }
            }
        }
        Ok(())
    }

    fn index(&mut self, file: &str, origin: &BTreeMap<Action, usize>) -> Result<(), TableError> {
        for entry in self.sections.iter().flat_map(|section| &section.entries) {
            for key in &entry.keys {
                if let Some(other) = self.by_key.insert(*key, entry.action) {
                    let line = origin.get(&entry.action).or_else(|| origin.get(&other)).copied().unwrap_or(1);
                    let why = format!("{key} stands for both \"{}\" and \"{}\"", other.name(), entry.action.name());
                    return Err(TableError { file: file.to_owned(), line, why });
                }
            }
        }
        Ok(())
    }
}

pub(super) fn bad_toml(file: &str, text: &str, why: &toml::de::Error) -> TableError {
    let line = why.span().map_or(1, |span| line_at(text, span.start));
    TableError { file: file.to_owned(), line, why: why.message().to_owned() }
}

/// The keys an entry gives: a string, or a table with `keys`.
fn keys_of<'a, 't>(value: &'a Spanned<DeValue<'t>>) -> Option<&'a Spanned<DeValue<'t>>> {
    match value.get_ref() {
        DeValue::String(_) => Some(value),
        DeValue::Table(full) => full.get("keys").filter(|keys| keys.get_ref().is_str()),
        _ => None,
    }
}

fn no_keys(file: &str, text: &str, value: &Spanned<DeValue<'_>>) -> TableError {
    let line = line_at(text, value.span().start);
    TableError { file: file.to_owned(), line, why: "expected keys such as \"j Down\"".into() }
}

fn known(file: &str, text: &str, name: &Spanned<Cow<'_, str>>) -> Result<Action, TableError> {
    Action::named(name.get_ref()).ok_or_else(|| TableError {
        file: file.to_owned(),
        line: line_at(text, name.span().start),
        why: format!("no action \"{}\"", name.get_ref()),
    })
}

fn read_keys(file: &str, text: &str, keys: &Spanned<DeValue<'_>>) -> Result<Vec<Key>, TableError> {
    let line = line_at(text, keys.span().start);
    let read = |name: &str| {
        Key::named(name).ok_or_else(|| TableError { file: file.to_owned(), line, why: format!("no key \"{name}\"") })
    };
    keys.get_ref().as_str().unwrap_or_default().split_whitespace().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r13_every_action_has_a_plain_key_and_no_key_two_actions() {
        let map = Keymap::load(None).unwrap();
        let listed: Vec<Action> = map.sections.iter().flat_map(|s| s.entries.iter().map(|e| e.action)).collect();
        for action in Action::ALL {
            assert_eq!(listed.iter().filter(|a| *a == action).count(), 1, "{action:?} stands once in keys.toml");
        }
        for section in &map.sections {
            assert!(!section.title.is_empty());
            for entry in &section.entries {
                let plain = |key: &Key| !key.ctrl && !key.alt && !matches!(key.code, crate::tui::input::Code::F(_));
                let only_control = [Action::HalfDown, Action::HalfUp, Action::Redraw, Action::Suspend, Action::Cancel];
                assert!(entry.keys.iter().any(plain) || only_control.contains(&entry.action), "{:?}", entry.action);
            }
        }
        for forbidden in ["C-a", "C-b", "C-s", "C-q", "C-j", "C-h", "C-m", "C-i", "x", "Z", "J", "K"] {
            assert_eq!(map.action(Key::named(forbidden).unwrap()), None, "{forbidden}");
        }
    }

    #[test]
    fn r13_a_user_rebinds_and_clashes_are_named_with_file_and_line() {
        let map = Keymap::load(Some(("keys.toml", "accept = \"Ins\"\n[move]\ndown = \"j\"\n"))).unwrap();
        assert_eq!(map.action(Key::named("Ins").unwrap()), Some(Action::Accept));
        assert_eq!(map.action(Key::named("a").unwrap()), None);
        assert_eq!(map.action(Key::named("Down").unwrap()), None);
        for (text, want) in [
            ("\naccept = \"j\"\n", "keys.toml:2: j stands for both \"accept\" and \"down\""),
            ("acept = \"j\"\n", "keys.toml:1: no action \"acept\""),
            ("\n\naccept = \"Foo\"\n", "keys.toml:3: no key \"Foo\""),
        ] {
            assert_eq!(
                Keymap::load(Some(("keys.toml", text))).map(drop).map_err(|e| e.to_string()),
                Err(want.to_owned())
            );
        }
        assert!(Keymap::load(Some(("keys.toml", "accept = 3"))).is_err_and(|e| e.line == 1));
    }
}
