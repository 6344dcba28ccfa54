//! Reading: cases, their notices and history, counts. Changes nothing.

use rusqlite::{OptionalExtension, Row};

use super::Store;
use super::error::{Error, Result};
use crate::model::{Case, CaseId, Cause, Decision, Diagnosis, GroupId, Kind, MessageRef, Note, State, Timestamp};

/// What changed since a tick.
#[derive(Debug, Default)]
pub struct Changes {
    /// Ask from here the next time.
    pub upto: u64,
    /// Cases that are new or different.
    pub cases: Vec<Case>,
    /// Cases that are gone (purged or forgotten).
    pub removed: Vec<CaseId>,
}

/// A notice of a case.
#[derive(Debug)]
pub struct StoredNotice {
    /// Row of the mail, for [`Store::raw`].
    pub id: i64,
    /// Where it was found first.
    pub place: MessageRef,
    /// When it arrived.
    pub received: Timestamp,
    /// Index into `diagnosis.recipients`; `None` where none could be read.
    pub recipient: Option<usize>,
    /// What the engine concluded.
    pub diagnosis: Diagnosis,
    /// Whether only the beginning of the mail is stored.
    pub truncated: bool,
}

/// How much the store holds.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Mails of each kind.
    pub by_kind: Vec<(Kind, u64)>,
    /// Mails that could not be fully read.
    pub unread: u64,
    /// Cases.
    pub cases: u64,
}

const COLUMNS: &str = "id, message, address, original_address, kind, cause, status, reply_code, reporter, ticket, message_id, \
     subject, received, last_received, notices, unread, queued, state, corrected_to, due, decided_at, noted, again, position, closes";

/// The order of the queue, as [`Case::order`].
pub(super) const ORDER: &str = "received, message, position, id";

/// SQL condition: batch `b` was not taken back (its newest undo or redo, if any, is a redo).
pub(super) const STANDS: &str =
    "(SELECT act FROM batch u WHERE u.target = b.id ORDER BY u.id DESC LIMIT 1) IS NOT 'undo'";

fn read(row: &Row<'_>) -> rusqlite::Result<Case> {
    let text = |at: usize| row.get_ref(at).and_then(|value| Ok(value.as_str()?));
    let status = match row.get_ref(6)?.as_str_or_null()? {
        Some(status) => status.parse().ok(),
        None => None,
    };
    Ok(Case {
        id: CaseId(row.get(0)?),
        group: GroupId(row.get(1)?),
        address: row.get(2)?,
        original_address: row.get(3)?,
        kind: Kind::from_slug(text(4)?).unwrap_or(Kind::Other),
        cause: Cause::from_slug(text(5)?).unwrap_or(Cause::Unclear),
        status,
        reply_code: row.get(7)?,
        reporter: row.get(8)?,
        ticket: row.get(9)?,
        message_id: row.get(10)?,
        subject: row.get(11)?,
        received: Timestamp(row.get(12)?),
        last_received: Timestamp(row.get(13)?),
        notices: row.get(14)?,
        unread: row.get(15)?,
        queued: row.get(16)?,
        state: State::from_slug(text(17)?).unwrap_or(State::New),
        corrected_to: row.get(18)?,
        due: row.get::<_, Option<i64>>(19)?.map(Timestamp),
        decided_at: row.get::<_, Option<i64>>(20)?.map(Timestamp),
        noted: row.get(21)?,
        again: row.get(22)?,
        position: row.get(23)?,
        closes: row.get::<_, Option<i64>>(24)?.map(Timestamp),
    })
}

impl Store {
    pub(super) fn select(&self, rest: &str, arguments: impl rusqlite::Params) -> Result<Vec<Case>> {
        let mut cases = Vec::new();
        self.select_into(&mut cases, rest, arguments)?;
        Ok(cases)
    }

    pub(super) fn select_into(
        &self,
        cases: &mut Vec<Case>,
        rest: &str,
        arguments: impl rusqlite::Params,
    ) -> Result<()> {
        let mut query = self.db.prepare_cached(&format!("SELECT {COLUMNS} FROM cases {rest}"))?;
        for case in query.query_map(arguments, read)? {
            cases.push(case?);
        }
        Ok(())
    }

    /// Every case, in order of arrival.
    pub fn cases(&self) -> Result<Vec<Case>> {
        self.select(&format!("ORDER BY {ORDER}"), [])
    }

    /// The tick of the last change by anyone.
    pub fn ticks(&self) -> Result<u64> {
        Ok(self.db.prepare_cached("SELECT ticks FROM clock")?.query_row([], |row| row.get(0))?)
    }

    /// Cases that anyone changed after a tick; cheap when there are none.
    pub fn changes(&self, since: u64) -> Result<Changes> {
        let upto = self.ticks()?;
        if upto == since {
            return Ok(Changes { upto, ..Changes::default() });
        }
        let mut gone = self.db.prepare_cached("SELECT case_id FROM removed WHERE changed > ?1")?;
        let removed = gone.query_map([since], |row| Ok(CaseId(row.get(0)?)))?.collect::<rusqlite::Result<_>>()?;
        // "+": by the index of changes, which are few, and not by the one that has this order.
        Ok(Changes {
            upto,
            cases: self.select("WHERE changed > ?1 ORDER BY +received, message, position, id", [since])?,
            removed,
        })
    }

    /// The case with this name, or the only one whose name begins like this; by a failed address where there is only one.
    pub fn find(&self, name: &str) -> Result<Case> {
        if let Some(case) = self.case(&CaseId(name.to_owned()))? {
            return Ok(case);
        }
        if name.contains('@') {
            let mut found = self.cases_of(name)?;
            return match (found.pop(), found.is_empty()) {
                (Some(case), true) => Ok(case),
                (None, _) => Err(Error::no_case(name, 0)),
                (Some(last), false) => {
                    Err(Error::several_cases(name, found.iter().chain([&last]).map(|case| &case.id)))
                }
            };
        }
        let mut found = Vec::new();
        if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            found = self.select("WHERE id GLOB ?1 || '*' LIMIT 10", [name])?;
        }
        match (found.pop(), found.len()) {
            (Some(case), 0) => Ok(case),
            (None, _) => Err(Error::no_case(name, 0)),
            (Some(_), others) => Err(Error::no_case(name, others + 1)),
        }
    }

    /// The case with this name.
    pub fn case(&self, id: &CaseId) -> Result<Option<Case>> {
        Ok(self.select("WHERE id = ?1", [&id.0])?.pop())
    }

    /// The cases of one original message, in order of arrival.
    pub fn group(&self, group: &GroupId) -> Result<Vec<Case>> {
        self.select(&format!("WHERE message = ?1 ORDER BY {ORDER}"), [&group.0])
    }

    /// Other cases of the same failed address, newest first.
    pub fn same_address(&self, case: &Case) -> Result<Vec<Case>> {
        self.select(
            "WHERE address = ?1 COLLATE NOCASE AND id <> ?2 ORDER BY received DESC LIMIT 50",
            [&*case.address, &case.id.0],
        )
    }

    /// The cases of a failed address, or of what we sent to, newest first.
    pub fn cases_of(&self, address: &str) -> Result<Vec<Case>> {
        self.select(
            "WHERE address = ?1 COLLATE NOCASE OR original_address = ?1 COLLATE NOCASE ORDER BY last_received DESC, id LIMIT 50",
            [address],
        )
    }

    /// The notices of a case, in order of arrival.
    pub fn notices(&self, id: &CaseId) -> Result<Vec<StoredNotice>> {
        let mut query = self.db.prepare_cached(
            "SELECT m.id, m.place, m.received, n.recipient, m.diagnosis, m.truncated FROM notice n JOIN mail m ON m.id = n.mail \
             WHERE n.case_id = ?1 ORDER BY m.received, m.id",
        )?;
        let mut rows = query.query([&id.0])?;
        let mut notices = Vec::new();
        while let Some(row) = rows.next()? {
            notices.push(StoredNotice {
                id: row.get(0)?,
                place: MessageRef(row.get(1)?),
                received: Timestamp(row.get(2)?),
                recipient: row.get(3)?,
                diagnosis: serde_json::from_str(row.get_ref(4)?.as_str().unwrap_or_default())?,
                truncated: row.get(5)?,
            });
        }
        Ok(notices)
    }

    /// A mail as stored.
    pub fn raw(&self, mail: i64) -> Result<Vec<u8>> {
        Ok(self.db.prepare_cached("SELECT raw FROM mail WHERE id = ?1")?.query_row([mail], |row| row.get(0))?)
    }

    /// What was decided on a case, oldest first.
    pub fn history(&self, id: &CaseId) -> Result<Vec<Decision>> {
        let mut query = self.db.prepare_cached(&format!(
            "SELECT e.verdict, e.note, b.at, b.by, {STANDS} FROM entry e JOIN batch b ON b.id = e.batch \
             WHERE e.case_id = ?1 AND b.act = 'decide' ORDER BY e.id"
        ))?;
        let mut rows = query.query([&id.0])?;
        let mut history = Vec::new();
        while let Some(row) = rows.next()? {
            history.push(Decision {
                case: id.clone(),
                verdict: serde_json::from_str(row.get_ref(0)?.as_str().unwrap_or_default())?,
                note: row.get(1)?,
                at: Timestamp(row.get(2)?),
                by: row.get(3)?,
                undone: !row.get::<_, bool>(4)?,
            });
        }
        Ok(history)
    }

    /// The notes on a case that stand, oldest first; those given with a decision included.
    pub fn notes(&self, id: &CaseId) -> Result<Vec<Note>> {
        let mut query = self.db.prepare_cached(&format!(
            "SELECT e.note, b.at, b.by FROM entry e JOIN batch b ON b.id = e.batch \
             WHERE e.case_id = ?1 AND e.note IS NOT NULL AND {STANDS} ORDER BY e.id"
        ))?;
        let rows = query
            .query_map([&id.0], |row| Ok(Note { text: row.get(0)?, at: Timestamp(row.get(1)?), by: row.get(2)? }))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How much the store holds.
    pub fn counts(&self) -> Result<Counts> {
        let mut query = self.db.prepare_cached("SELECT kind, count(*) FROM mail GROUP BY kind")?;
        let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
        let by_kind: Vec<(String, u64)> = rows.collect::<rusqlite::Result<_>>()?;
        let count = |sql: &str| -> Result<u64> {
            Ok(self.db.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?.unwrap_or(0))
        };
        Ok(Counts {
            by_kind: by_kind.iter().filter_map(|(kind, n)| Some((Kind::from_slug(kind)?, *n))).collect(),
            unread: count("SELECT count(*) FROM mail WHERE unread")?,
            cases: count("SELECT count(*) FROM cases")?,
        })
    }
}
