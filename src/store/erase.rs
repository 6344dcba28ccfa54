//! Removing for good: people who ask to be forgotten, and what is older than it may be kept.
//!
//! The only exceptions to "appended, never edited"; an event says that they happened. Invariant: what is removed is in no
//! file of the store any more: not in rows, free pages, the log beside it, nor in copies that are known. Mails of other
//! people that name the person lose their text, and the person's address and name give way to a mark.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::error::{Error, Result};
use super::event::{Deed, happened};
use super::fill::Arrival;
use super::{FILE, Store, schema, tick};
use crate::mail::{Mail, PartKind, find_addresses, normalise};
use crate::model::{CaseId, Diagnosis, Timestamp};
use crate::stdx::{counted, find_ignore_case};

/// What stands where an address stood.
const NOBODY: &str = "forgotten@invalid";
/// What stands where a name stood.
const NAMELESS: &str = "(forgotten)";
/// Under which key the key of the hashes is kept.
const KEY: &str = "forget/key";
/// Messages inside messages that are looked into.
const NESTED: usize = 4;

/// What was removed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Erased {
    /// Cases, with their decisions and notes.
    pub cases: u64,
    /// Mails.
    pub mails: u64,
    /// Mails of other cases that named the person: their text is gone.
    pub blanked: u64,
    /// Further addresses of the person that stand in removed cases; they are not removed themselves.
    pub others: BTreeSet<String>,
    /// Copies of the store the person was removed from.
    pub copies: Vec<PathBuf>,
    /// Copies that could not be cleaned, and why.
    pub left: Vec<(PathBuf, String)>,
    /// Whether the file was rewritten; not while another process reads it.
    pub compacted: bool,
}

impl Store {
    /// Removes a person from the store and from the copies of it that are known.
    pub fn forget(&mut self, address: &str, at: Timestamp, by: &str) -> Result<Erased> {
        let mut erased = self.write(|tx| {
            let erased = forget_in(tx, address)?;
            let detail = format!(
                "{}, {}, {} blanked",
                counted(erased.cases, "case"),
                counted(erased.mails, "mail"),
                counted(erased.blanked, "mail")
            );
            happened(tx, Deed::Forget, None, &detail, at, by)?;
            Ok(erased)
        })?;
        erased.compacted = self.compact()?;
        for copy in self.copies()? {
            match forget_in_copy(&copy, address) {
                Ok(()) => erased.copies.push(copy),
                Err(error) => erased.left.push((copy, error.to_string())),
            }
        }
        Ok(erased)
    }

    /// Removes cases, mails without a case, and what is known of correspondents, where they are older than `before`.
    pub fn purge(&mut self, cases: &[CaseId], before: Timestamp, at: Timestamp, by: &str) -> Result<Erased> {
        let mut erased = self.write(|tx| {
            doom(tx, cases)?;
            let mails = remove_cases(tx)? + remove_mails(tx, "received < ?1 AND id NOT IN (SELECT mail FROM notice)", before.0)?;
            tx.execute_batch(
                "DELETE FROM kept WHERE key GLOB 'draft/*' AND NOT EXISTS (SELECT 1 FROM cases WHERE instr(kept.key, id))",
            )?;
            tx.execute("DELETE FROM correspondent WHERE last < ?1", [before.0])?;
            tx.execute("DELETE FROM learned WHERE at < ?1", [before.0])?;
            tx.execute_batch(
                "DELETE FROM announced WHERE NOT EXISTS (SELECT 1 FROM mail WHERE kind = 'auto-reply' AND instr(diagnosis, new))",
            )?;
            let erased = Erased { cases: cases.len() as u64, mails, ..Erased::default() };
            let (cases, mails) = (counted(erased.cases, "case"), counted(erased.mails, "mail"));
            let detail = format!("{cases}, {mails} older than {before}");
            happened(tx, Deed::Purge, None, &detail, at, by)?;
            Ok(erased)
        })?;
        erased.compacted = self.compact()?;
        Ok(erased)
    }

    /// Rewrites the file without its free pages, and empties the log beside it. No while another process reads.
    fn compact(&self) -> Result<bool> {
        let emptied = || -> rusqlite::Result<bool> {
            let busy: i64 = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            Ok(busy == 0)
        };
        let rewritten = emptied().and_then(|first| self.db.execute_batch("VACUUM").map(|()| first));
        match rewritten.and_then(|first| emptied().map(|second| first && second)).map_err(Error::from) {
            Err(error) if error.is_busy() => Ok(false),
            other => other,
        }
    }

    /// Copies of the store that are known: beside it, and those that "store backup" wrote.
    pub fn copies(&self) -> Result<Vec<PathBuf>> {
        let mut found = self.files_of(Deed::Backup)?;
        found.retain(|path| path.is_file());
        let folder = self.place.as_ref().and_then(|place| place.path().parent());
        let beside = format!("{FILE}.");
        for entry in folder.into_iter().flat_map(std::fs::read_dir).flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(&beside) && !name.ends_with("-wal") && !name.ends_with("-shm") {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    /// Who asked to be forgotten, for whoever takes mails in.
    pub fn forgotten(&self) -> Result<Forgotten> {
        let mut query = self.db.prepare_cached("SELECT hash FROM forgotten")?;
        let hashes: HashSet<Vec<u8>> = query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(Forgotten { key: if hashes.is_empty() { None } else { kept_key(&self.db)? }, hashes })
    }
}

/// Hashes of those who asked to be forgotten.
#[derive(Debug, Default)]
pub struct Forgotten {
    key: Option<[u8; 32]>,
    hashes: HashSet<Vec<u8>>,
}

impl Forgotten {
    /// Whether this address is one of them.
    pub fn has(&self, address: &str) -> bool {
        self.key.is_some_and(|key| self.hashes.contains(&hash(&key, address)[..]))
    }

    /// An arrival without those people; nothing where it is about them only.
    pub fn without(&self, mut arrival: Arrival) -> Option<Arrival> {
        if self.key.is_none() {
            return Some(arrival);
        }
        let theirs = |seed: &super::CaseSeed| {
            self.has(&seed.address) || seed.original_address.as_deref().is_some_and(|address| self.has(address))
        };
        let before = arrival.seeds.len();
        arrival.seeds.retain(|seed| !theirs(seed));
        let diagnosis = serde_json::to_string(&arrival.diagnosis).ok()?;
        let mut named: BTreeSet<String> = BTreeSet::new();
        let mut look = |text: &str| {
            let found = find_addresses(text).map(|found| found.address.as_str().to_lowercase());
            named.extend(found.filter(|address| self.has(address)));
        };
        look(&diagnosis);
        look(&arrival.place.0);
        each_text(&arrival.raw, NESTED, &mut look);
        if named.is_empty() && arrival.seeds.len() == before {
            return Some(arrival);
        }
        if arrival.seeds.is_empty() {
            return None;
        }
        let mut words = Words::default();
        for address in &named {
            words.add_address(address);
            arrival
                .diagnosis
                .original
                .people
                .iter()
                .filter(|one| one.address.eq_ignore_ascii_case(address))
                .for_each(|one| words.add_name(&one.name));
        }
        arrival.diagnosis = serde_json::from_str(&words.redact(&diagnosis).unwrap_or(diagnosis)).ok()?;
        if let Some(place) = words.redact(&arrival.place.0) {
            arrival.place.0 = place;
        }
        for seed in &mut arrival.seeds {
            seed.subject =
                seed.subject.as_ref().map(|subject| words.redact(subject).unwrap_or_else(|| subject.clone()));
        }
        (arrival.raw, arrival.truncated) = (Vec::new(), true);
        Some(arrival)
    }
}

/// The keyed hash of an address: without the key it cannot be guessed from a list of addresses.
fn hash(key: &[u8; 32], address: &str) -> [u8; 32] {
    *blake3::keyed_hash(key, address.trim().to_lowercase().as_bytes()).as_bytes()
}

fn kept_key(db: &Connection) -> Result<Option<[u8; 32]>> {
    let text: Option<String> =
        db.query_row("SELECT value FROM kept WHERE key = ?1", [KEY], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| blake3::Hash::from_hex(text).ok()).map(|hash| *hash.as_bytes()))
}

/// The key of the hashes; made where there is none yet.
fn key(db: &Connection) -> Result<[u8; 32]> {
    if let Some(key) = kept_key(db)? {
        return Ok(key);
    }
    db.execute("INSERT OR REPLACE INTO kept VALUES (?1, lower(hex(randomblob(32))))", [KEY])?;
    kept_key(db)?.ok_or_else(|| Error::damaged("the key of the forgotten", "it does not read"))
}

/// What a person is called, and how it is written.
#[derive(Debug, Default)]
struct Words {
    /// What is looked for, and what stands in its place.
    pairs: Vec<(String, &'static str)>,
}

impl Words {
    fn add_address(&mut self, address: &str) {
        self.add(address, NOBODY);
        // As a variable envelope sender writes it: bounces+anna=example.org@company.example.
        self.add(&address.replace('@', "="), NOBODY);
        self.add(&address.replace('@', "%40"), NOBODY);
    }

    /// Only a whole name: a single word is everybody's.
    fn add_name(&mut self, name: &str) {
        if name.split_whitespace().count() > 1 && name.chars().count() > 5 {
            self.add(name, NAMELESS);
        }
    }

    fn add(&mut self, text: &str, by: &'static str) {
        let json = serde_json::to_string(text).unwrap_or_default();
        for form in [text, json.trim_matches('"'), text.to_lowercase().as_str()] {
            if !form.is_empty() && !self.pairs.iter().any(|(known, _)| known == form) {
                self.pairs.push((form.to_owned(), by));
            }
        }
    }

    fn in_bytes(&self, bytes: &[u8]) -> bool {
        self.pairs.iter().any(|(word, _)| find_ignore_case(bytes, word.as_bytes()).is_some())
    }

    /// Whether a mail names the person, in its text as written or decoded.
    fn in_mail(&self, raw: &[u8]) -> bool {
        if self.in_bytes(raw) {
            return true;
        }
        let mut found = false;
        each_text(raw, NESTED, &mut |text| found |= self.in_bytes(text.as_bytes()));
        found
    }

    /// The text with the marks in place; nothing where it does not name the person.
    fn redact(&self, text: &str) -> Option<String> {
        let mut text = std::borrow::Cow::Borrowed(text);
        for (word, by) in &self.pairs {
            let mut out = String::new();
            let mut rest: &str = &text;
            while let Some(at) = find_ignore_case(rest.as_bytes(), word.as_bytes()) {
                out.push_str(rest.get(..at).unwrap_or_default());
                out.push_str(by);
                rest = rest.get(at + word.len()..).unwrap_or_default();
            }
            if !out.is_empty() {
                out.push_str(rest);
                text = std::borrow::Cow::Owned(out);
            }
        }
        match text {
            std::borrow::Cow::Owned(text) => Some(text),
            std::borrow::Cow::Borrowed(_) => None,
        }
    }
}

/// Hands over the header and every decoded text of a mail and of the mails in it.
fn each_text(raw: &[u8], depth: usize, each: &mut dyn FnMut(&str)) {
    let raw = normalise(raw);
    let mail = Mail::read(&raw);
    for field in &mail.head().fields {
        each(&field.text());
    }
    for part in &mail.parts {
        each(part.text().as_str());
        if part.kind == PartKind::Message && depth > 0 {
            each_text(part.body, depth - 1, each);
        }
    }
}

/// Names the cases that are to go, in a table of this connection's own.
fn doom(db: &Connection, cases: &[CaseId]) -> Result<()> {
    db.execute_batch("CREATE TEMP TABLE IF NOT EXISTS doomed (id TEXT PRIMARY KEY); DELETE FROM doomed")?;
    let mut insert = db.prepare_cached("INSERT OR IGNORE INTO doomed VALUES (?1)")?;
    cases.iter().try_for_each(|case| insert.execute([&case.0]).map(drop))?;
    Ok(())
}

/// Removes the doomed cases, and the mails that belong to no other; says how many mails.
fn remove_cases(db: &Connection) -> Result<u64> {
    let now = tick(db)?;
    let mails = remove_mails(
        db,
        "id IN (SELECT mail FROM notice WHERE case_id IN (SELECT id FROM doomed)) \
         AND id NOT IN (SELECT mail FROM notice WHERE case_id NOT IN (SELECT id FROM doomed)) AND ?1 IS NOT NULL",
        0,
    )?;
    db.execute("INSERT INTO removed SELECT id, ?1 FROM doomed", [now])?;
    db.execute_batch(
        "DELETE FROM kept WHERE EXISTS (SELECT 1 FROM doomed WHERE instr(kept.key, doomed.id));
         DELETE FROM notice WHERE case_id IN (SELECT id FROM doomed);
         DELETE FROM entry WHERE case_id IN (SELECT id FROM doomed);
         DELETE FROM delivered WHERE case_id IN (SELECT id FROM doomed);
         DELETE FROM exported WHERE case_id IN (SELECT id FROM doomed);
         DELETE FROM cases WHERE id IN (SELECT id FROM doomed);
         DELETE FROM batch WHERE target IN (SELECT id FROM batch WHERE target IS NULL AND id NOT IN (SELECT batch FROM entry));
         DELETE FROM batch WHERE target IS NULL AND id NOT IN (SELECT batch FROM entry);",
    )?;
    Ok(mails)
}

/// Removes mails by a condition on `mail` with one number in it; their fingerprints stay.
fn remove_mails(db: &Connection, condition: &str, number: i64) -> Result<u64> {
    db.execute_batch("CREATE TEMP TABLE IF NOT EXISTS doomed_mail (id INTEGER PRIMARY KEY); DELETE FROM doomed_mail")?;
    db.execute(&format!("INSERT INTO doomed_mail SELECT id FROM mail WHERE {condition}"), [number])?;
    db.execute_batch(
        "INSERT OR IGNORE INTO gone SELECT fingerprint FROM mail WHERE id IN (SELECT id FROM doomed_mail);
         INSERT OR IGNORE INTO gone SELECT fingerprint FROM twin WHERE mail IN (SELECT id FROM doomed_mail);
         DELETE FROM twin WHERE mail IN (SELECT id FROM doomed_mail);
         DELETE FROM notice WHERE mail IN (SELECT id FROM doomed_mail);",
    )?;
    Ok(db.execute("DELETE FROM mail WHERE id IN (SELECT id FROM doomed_mail)", [])? as u64)
}

/// Removes a person from an open store, inside the caller's transaction.
fn forget_in(db: &Connection, address: &str) -> Result<Erased> {
    let address = address.trim();
    let key = key(db)?;
    db.execute("INSERT OR IGNORE INTO forgotten VALUES (?1)", [&hash(&key, address)[..]])?;
    let mut erased = Erased::default();
    let mut ids = Vec::new();
    {
        let mut query = db.prepare(
            "SELECT id, address, original_address, corrected_to FROM cases WHERE address = ?1 COLLATE NOCASE \
             OR original_address = ?1 COLLATE NOCASE OR corrected_to = ?1 COLLATE NOCASE",
        )?;
        let mut rows = query.query([address])?;
        while let Some(row) = rows.next()? {
            ids.push(CaseId(row.get(0)?));
            for column in 1..=3 {
                let other: Option<String> = row.get(column)?;
                erased.others.extend(other.filter(|other| !other.eq_ignore_ascii_case(address) && !other.is_empty()));
            }
        }
    }
    doom(db, &ids)?;
    let mut words = Words::default();
    words.add_address(address);
    names(db, address, &mut words)?;
    (erased.mails, erased.blanked) = forget_mails(db, &words)?;
    erased.cases = ids.len() as u64;
    erased.mails += remove_cases(db)?;
    for (table, column) in [
        ("cases", "subject"),
        ("cases", "message_id"),
        ("cases", "reporter"),
        ("cases", "ticket"),
        ("cases", "original_address"),
        ("entry", "note"),
        ("entry", "verdict"),
        ("announced", "because"),
        ("event", "path"),
        ("event", "detail"),
    ] {
        redact_column(db, table, column, &words)?;
    }
    for sql in [
        "DELETE FROM correspondent WHERE address = lower(?1)",
        "DELETE FROM announced WHERE old = lower(?1) OR new = ?1 COLLATE NOCASE",
        "DELETE FROM learned WHERE old = lower(?1) OR new = ?1 COLLATE NOCASE",
    ] {
        db.execute(sql, [address])?;
    }
    let mut query = db.prepare("SELECT key, value FROM kept")?;
    let kept: Vec<(String, String)> =
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    for (key, value) in kept {
        if words.in_bytes(key.as_bytes()) || words.in_bytes(value.as_bytes()) {
            db.execute("DELETE FROM kept WHERE key = ?1", [key])?;
        }
    }
    Ok(erased)
}

/// The names that the mails of the doomed cases give the person.
fn names(db: &Connection, address: &str, words: &mut Words) -> Result<()> {
    let mut query = db.prepare(
        "SELECT diagnosis FROM mail WHERE id IN (SELECT mail FROM notice WHERE case_id IN (SELECT id FROM doomed))",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let diagnosis: Diagnosis = serde_json::from_str(row.get_ref(0)?.as_str().unwrap_or_default())?;
        let theirs = diagnosis.original.people.iter().filter(|one| one.address.eq_ignore_ascii_case(address));
        theirs.for_each(|one| words.add_name(&one.name));
    }
    Ok(())
}

/// Removes mails that name the person and belong to nobody else; blanks those that do. How many of each.
fn forget_mails(db: &Connection, words: &Words) -> Result<(u64, u64)> {
    let (mut removed, mut blanked) = (0, 0);
    let mut query = db.prepare(
        "SELECT id, place, diagnosis, raw, \
         EXISTS (SELECT 1 FROM notice WHERE mail = mail.id AND case_id NOT IN (SELECT id FROM doomed)), \
         EXISTS (SELECT 1 FROM notice WHERE mail = mail.id AND case_id IN (SELECT id FROM doomed)) FROM mail",
    )?;
    let mut rows = query.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (place, diagnosis) =
            (row.get_ref(1)?.as_str().unwrap_or_default(), row.get_ref(2)?.as_str().unwrap_or_default());
        let (others, theirs): (bool, bool) = (row.get(4)?, row.get(5)?);
        let named = || words.in_bytes(place.as_bytes()) || words.in_bytes(diagnosis.as_bytes());
        let in_mail = || row.get_ref(3).ok().and_then(|raw| raw.as_blob().ok()).is_some_and(|raw| words.in_mail(raw));
        if (theirs && others) || (!theirs && (named() || in_mail())) {
            found.push((row.get::<_, i64>(0)?, others, words.redact(place), words.redact(diagnosis)));
        }
    }
    for (id, others, place, diagnosis) in found {
        if others {
            db.prepare_cached(
                "UPDATE mail SET raw = x'', truncated = 1, place = coalesce(?2, place), diagnosis = coalesce(?3, diagnosis) \
                 WHERE id = ?1",
            )?
            .execute((id, place, diagnosis))?;
            blanked += 1;
        } else {
            removed += remove_mails(db, "id = ?1", id)?;
        }
    }
    Ok((removed, blanked))
}

fn redact_column(db: &Connection, table: &str, column: &str, words: &Words) -> Result<()> {
    // Tables without row numbers are named by the text itself: equal texts become equal marks.
    let mut query = db.prepare(&format!("SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"))?;
    let texts: Vec<String> = query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for text in texts {
        if let Some(redacted) = words.redact(&text) {
            db.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {column} = ?2"), [&redacted, &text])?;
        }
    }
    Ok(())
}

/// Removes a person from a copy of the store, whatever its version.
fn forget_in_copy(path: &Path, address: &str) -> Result<()> {
    let mut db = Connection::open(path).map_err(|why| Error::open(path, why))?;
    db.pragma_update(None, "secure_delete", "ON")?;
    db.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0))?;
    let version = schema::version(&db).map_err(|why| Error::open(path, why))?;
    if version == 0 || version > schema::STEPS.len() {
        return Err(Error::newer(path, version, schema::STEPS.len()));
    }
    let tx = db.transaction()?;
    schema::climb(&tx, version, schema::STEPS)?;
    forget_in(&tx, address)?;
    tx.commit()?;
    db.execute_batch("VACUUM")?;
    Ok(())
}
