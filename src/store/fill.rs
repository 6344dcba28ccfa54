//! Filling: notices become cases. Safe to repeat, in any order of the notices, and never touches a decision.

use rusqlite::{Connection, OptionalExtension};

use super::error::Result;
use super::{Store, journal, tick, twin};
use crate::model::{CaseId, Cause, Diagnosis, GroupId, Kind, MessageRef, Status, Timestamp};

/// One mail on its way into the store.
#[derive(Debug)]
pub struct Arrival {
    /// Equal for the same notice in two folders, or after a UIDVALIDITY change.
    pub fingerprint: [u8; 32],
    /// Where it lies.
    pub place: MessageRef,
    /// When it arrived.
    pub received: Timestamp,
    /// Bytes of the whole mail.
    pub size: u64,
    /// Whether `raw` holds its beginning only.
    pub truncated: bool,
    /// Whether it could not be fully read.
    pub unread: bool,
    /// What the engine concluded.
    pub diagnosis: Diagnosis,
    /// The mail.
    pub raw: Vec<u8>,
    /// The cases it belongs to.
    pub seeds: Vec<CaseSeed>,
    /// The cases it reports as delivered.
    pub delivered: Vec<CaseId>,
    /// Whether it is a row of a table of suspended tickets; the inbox may hold the same notice.
    pub second: bool,
}

/// What one notice says of one case.
#[derive(Debug, Clone)]
pub struct CaseSeed {
    /// Name of the case.
    pub id: CaseId,
    /// Name of its group.
    pub group: GroupId,
    /// Index into the diagnosis' recipients.
    pub recipient: Option<usize>,
    /// Failed address; empty where none could be read.
    pub address: String,
    /// What we sent to, where it differs.
    pub original_address: Option<String>,
    /// Failure, delay, complaint, or other.
    pub kind: Kind,
    /// Why.
    pub cause: Cause,
    /// Literal status.
    pub status: Option<Status>,
    /// Literal reply code.
    pub reply_code: Option<u16>,
    /// Reporting server.
    pub reporter: Option<String>,
    /// Ticket id.
    pub ticket: Option<String>,
    /// Message-ID of the original.
    pub message_id: Option<String>,
    /// Subject for the list.
    pub subject: Option<String>,
}

/// What became of an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// Stored; that many cases are new.
    New(u32),
    /// The store had it already.
    Known,
}

impl Store {
    /// Stores a batch of mails and, with it, how far its source was read (`account`, `folder`, state): all or nothing.
    pub fn fill(&mut self, arrivals: &[Arrival], cursor: Option<(&str, &str, &str)>) -> Result<Vec<Placed>> {
        // A batch that a power cut takes back is simply fetched again, so it need not wait for the disk.
        self.db.pragma_update(None, "synchronous", "NORMAL")?;
        let placed = self.fill_batch(arrivals, cursor);
        self.db.pragma_update(None, "synchronous", "FULL")?;
        placed
    }

    fn fill_batch(&mut self, arrivals: &[Arrival], cursor: Option<(&str, &str, &str)>) -> Result<Vec<Placed>> {
        self.write(|tx| {
            let now = tick(tx)?;
            let placed = arrivals.iter().map(|arrival| place(tx, arrival, now)).collect::<Result<_>>()?;
            if let Some((account, folder, state)) = cursor {
                tx.prepare_cached("INSERT OR REPLACE INTO cursor VALUES (?1, ?2, ?3)")?
                    .execute((account, folder, state))?;
            }
            Ok(placed)
        })
    }

    /// How far the folders of an account were read: (folder, state).
    pub fn cursors(&self, account: &str) -> Result<Vec<(String, String)>> {
        let mut query = self.db.prepare_cached("SELECT folder, state FROM cursor WHERE account = ?1")?;
        Ok(query.query_map([account], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether a notice is stored already.
    pub fn knows(&self, fingerprint: &[u8; 32]) -> Result<bool> {
        Ok(self.db.prepare_cached("SELECT 1 FROM mail WHERE fingerprint = ?1")?.exists([&fingerprint[..]])?)
    }
}

fn place(db: &Connection, arrival: &Arrival, now: i64) -> Result<Placed> {
    if db.prepare_cached("SELECT 1 FROM gone WHERE fingerprint = ?1")?.exists([&arrival.fingerprint[..]])? {
        return Ok(Placed::Known);
    }
    if arrival.second && twin::is_known(db, &arrival.fingerprint)? {
        return Ok(Placed::Known);
    }
    let twin = twin::find(db, arrival)?;
    if let Some(twin) = twin.as_ref().filter(|_| arrival.second) {
        twin::join(db, &arrival.fingerprint, twin.mail())?;
        return Ok(Placed::Known);
    }
    let inserted = db
        .prepare_cached(
            "INSERT INTO mail (fingerprint, place, kind, received, size, truncated, unread, diagnosis, raw, second) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (fingerprint) DO NOTHING",
        )?
        .execute((
            &arrival.fingerprint[..],
            &arrival.place.0,
            arrival.diagnosis.kind.slug(),
            arrival.received.0,
            arrival.size,
            arrival.truncated,
            arrival.unread,
            serde_json::to_string(&arrival.diagnosis)?,
            &arrival.raw,
            arrival.second,
        ))?;
    if inserted == 0 {
        return Ok(Placed::Known);
    }
    let mail = db.last_insert_rowid();
    for new in &arrival.diagnosis.new_addresses {
        let old = new.replaces.as_ref().map(|old| old.as_str()).or(arrival.diagnosis.notice.from.as_deref());
        if let (Some(old), Kind::AutoReply) = (old, arrival.diagnosis.kind) {
            db.prepare_cached("INSERT OR IGNORE INTO announced VALUES (?1, ?2, ?3)")?.execute((
                old.to_lowercase(),
                new.address.as_str(),
                &new.because,
            ))?;
        }
    }
    let mut new_cases = 0;
    if let Some(twin) = &twin {
        twin.make_way(db, arrival.received.0)?;
    }
    for seed in &arrival.seeds {
        let adopted = twin.as_ref().map(|twin| twin.adopt(seed));
        new_cases += u32::from(grow(db, adopted.as_ref().unwrap_or(seed), arrival, mail, now)?);
    }
    if let Some(twin) = twin {
        twin.replace(db, mail)?;
    }
    for id in &arrival.delivered {
        db.prepare_cached("INSERT OR IGNORE INTO delivered VALUES (?1)")?.execute([&id.0])?;
        let group: Option<String> = db
            .prepare_cached("SELECT message FROM cases WHERE id = ?1")?
            .query_row([&id.0], |row| row.get(0))
            .optional()?;
        if let Some(group) = group {
            settle_delays(db, &group, now)?;
        }
    }
    Ok(Placed::New(new_cases))
}

/// Adds a notice to its case; says whether the case is new.
fn grow(db: &Connection, seed: &CaseSeed, arrival: &Arrival, mail: i64, now: i64) -> Result<bool> {
    let linked = db
        .prepare_cached("INSERT OR IGNORE INTO notice (case_id, mail, recipient) VALUES (?1, ?2, ?3)")?
        .execute((&seed.id.0, mail, seed.recipient))?;
    if linked == 0 {
        return Ok(false);
    }
    let known: Option<(String, i64)> = db
        .prepare_cached("SELECT kind, last_received FROM cases WHERE id = ?1")?
        .query_row([&seed.id.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (is_new, speaks) = match &known {
        None => {
            db.prepare_cached(
                "INSERT INTO cases (id, message, address, kind, cause, received, last_received, notices, unread, queued, changed, \
                 position) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 0, 0, 1, ?7, ?8)",
            )?
            .execute((
                &seed.id.0,
                &seed.group.0,
                &seed.address,
                seed.kind.slug(),
                seed.cause.slug(),
                arrival.received.0,
                now,
                seed.recipient.unwrap_or(0),
            ))?;
            (true, true)
        }
        // The newest notice speaks for the case, but a delay never speaks against a failure.
        Some((kind, last)) => {
            let final_now = seed.kind != Kind::Delay;
            let final_before = kind != Kind::Delay.slug();
            (false, (final_now && !final_before) || (final_now == final_before && arrival.received.0 >= *last))
        }
    };
    if speaks {
        db.prepare_cached(
            "UPDATE cases SET original_address = ?2, kind = ?3, cause = ?4, status = ?5, reply_code = ?6, reporter = ?7, \
             ticket = coalesce(?8, ticket), message_id = coalesce(?9, message_id), subject = coalesce(?10, subject), unread = ?11 \
             WHERE id = ?1",
        )?
        .execute((
            &seed.id.0,
            &seed.original_address,
            seed.kind.slug(),
            seed.cause.slug(),
            seed.status.map(|status| status.to_string()),
            seed.reply_code,
            &seed.reporter,
            &seed.ticket,
            &seed.message_id,
            &seed.subject,
            arrival.unread,
        ))?;
    }
    db.prepare_cached(
        "UPDATE cases SET received = min(received, ?2), last_received = max(last_received, ?2), changed = ?3, \
         position = min(position, ?4), notices = (SELECT count(DISTINCT mail) FROM notice WHERE case_id = ?1) WHERE id = ?1",
    )?
    .execute((&seed.id.0, arrival.received.0, now, seed.recipient.unwrap_or(0)))?;
    settle_delays(db, &seed.group.0, now)?;
    journal::refresh(db, &seed.id, now)?;
    Ok(is_new)
}

/// Takes delays out of the queue that were delivered after all, or whose recipient finally failed elsewhere in the group.
fn settle_delays(db: &Connection, group: &str, now: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE cases SET queued = 0, changed = ?2 WHERE message = ?1 AND kind = 'delay' AND queued AND \
         (id IN (SELECT case_id FROM delivered) OR EXISTS (SELECT 1 FROM cases f WHERE f.message = cases.message \
          AND f.kind = 'failure' AND f.original_address = cases.address COLLATE NOCASE))",
    )?
    .execute((group, now))?;
    db.prepare_cached(
        "UPDATE cases SET queued = 1, changed = ?2 WHERE message = ?1 AND kind <> 'delay' AND NOT queued",
    )?
    .execute((group, now))?;
    Ok(())
}
