//! One notice from two sources: a row of a table of suspended tickets, and the mail in the inbox. It counts once.
//!
//! Two are the same when they name the same failed address, arrived within a day of each other, and carry the same
//! Message-ID or, where one has none, the same subject. Each mail has at most one twin. A case keeps the name, the
//! decisions and the notes it got from the first of the two.

use rusqlite::{Connection, OptionalExtension};

use super::error::Result;
use super::fill::{Arrival, CaseSeed};
use crate::model::time::DAY;
use crate::model::{CaseId, Diagnosis, GroupId, NoticeHead};
use crate::stdx::squeeze;

/// The mail that is the same notice.
#[derive(Debug)]
pub(super) struct Twin {
    mail: i64,
    fingerprint: Vec<u8>,
    /// Its cases: name, group and address of each.
    cases: Vec<(CaseId, GroupId, String)>,
}

/// Whether a row of a table was found to be a mail already.
pub(super) fn is_known(db: &Connection, fingerprint: &[u8]) -> Result<bool> {
    Ok(db.prepare_cached("SELECT 1 FROM twin WHERE fingerprint = ?1")?.exists([fingerprint])?)
}

/// The nearest mail of the other source that is the same notice as this arrival, and nobody's twin yet.
pub(super) fn find(db: &Connection, arrival: &Arrival) -> Result<Option<Twin>> {
    // An inbox without such tables never looks.
    let any = "SELECT EXISTS (SELECT 1 FROM mail WHERE second)";
    if !arrival.second && !db.prepare_cached(any)?.query_row([], |row| row.get::<_, bool>(0))? {
        return Ok(None);
    }
    let mut best: Option<(i64, i64)> = None;
    for seed in arrival.seeds.iter().filter(|seed| !seed.address.is_empty()) {
        let mut query = db.prepare_cached(
            "SELECT m.id, abs(m.received - ?3), m.diagnosis FROM cases c JOIN notice n ON n.case_id = c.id JOIN mail m ON m.id = n.mail \
             WHERE c.address = ?1 COLLATE NOCASE AND m.second = ?2 AND abs(m.received - ?3) <= ?4 \
             AND NOT EXISTS (SELECT 1 FROM twin WHERE mail = m.id)",
        )?;
        let mut rows = query.query((&seed.address, !arrival.second, arrival.received.0, DAY))?;
        while let Some(row) = rows.next()? {
            let (mail, apart): (i64, i64) = (row.get(0)?, row.get(1)?);
            let other: Diagnosis = serde_json::from_str(row.get_ref(2)?.as_str().unwrap_or_default())?;
            if same(&arrival.diagnosis.notice, &other.notice) && best.is_none_or(|(_, nearest)| apart < nearest) {
                best = Some((mail, apart));
            }
        }
    }
    let Some((mail, _)) = best else { return Ok(None) };
    let fingerprint = db
        .prepare_cached("SELECT fingerprint FROM mail WHERE id = ?1")?
        .query_row([mail], |row| row.get(0))
        .optional()?;
    let mut query = db.prepare_cached(
        "SELECT c.id, c.message, c.address FROM cases c JOIN notice n ON n.case_id = c.id WHERE n.mail = ?1",
    )?;
    let cases = query.query_map([mail], |row| Ok((CaseId(row.get(0)?), GroupId(row.get(1)?), row.get(2)?)))?;
    let cases = cases.collect::<rusqlite::Result<_>>()?;
    Ok(fingerprint.map(|fingerprint| Twin { mail, fingerprint, cases }))
}

fn same(a: &NoticeHead, b: &NoticeHead) -> bool {
    match (&a.message_id, &b.message_id) {
        (Some(a), Some(b)) => a == b,
        _ => {
            let plain = |head: &NoticeHead| squeeze(head.subject.as_deref().unwrap_or_default()).to_lowercase();
            plain(a) == plain(b)
        }
    }
}

/// Notes that a row of a table is this mail.
pub(super) fn join(db: &Connection, fingerprint: &[u8], mail: i64) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO twin VALUES (?1, ?2)")?.execute((fingerprint, mail))?;
    Ok(())
}

impl Twin {
    /// The mail's number.
    pub(super) const fn mail(&self) -> i64 {
        self.mail
    }

    /// The seed with the name that its case has already.
    pub(super) fn adopt(&self, seed: &CaseSeed) -> CaseSeed {
        let known = self.cases.iter().find(|(_, _, address)| address.eq_ignore_ascii_case(&seed.address));
        match known {
            Some((id, group, _)) => CaseSeed { id: id.clone(), group: group.clone(), ..seed.clone() },
            None => seed.clone(),
        }
    }

    /// Lets a mail that is a little older speak for the cases of the row: it says more.
    pub(super) fn make_way(&self, db: &Connection, received: i64) -> Result<()> {
        for (case, ..) in &self.cases {
            db.prepare_cached("UPDATE cases SET last_received = min(last_received, ?2) WHERE id = ?1 AND notices = 1")?
                .execute((&case.0, received))?;
        }
        Ok(())
    }

    /// Lets the mail take the place of the row: it says more.
    pub(super) fn replace(&self, db: &Connection, mail: i64) -> Result<()> {
        db.prepare_cached(
            "DELETE FROM notice WHERE mail = ?1 AND case_id IN (SELECT case_id FROM notice WHERE mail = ?2)",
        )?
        .execute((self.mail, mail))?;
        // A case of the row that the mail does not name keeps the row.
        if !db.prepare_cached("SELECT 1 FROM notice WHERE mail = ?1")?.exists([self.mail])? {
            db.prepare_cached("DELETE FROM mail WHERE id = ?1")?.execute([self.mail])?;
        }
        join(db, &self.fingerprint, mail)?;
        for (case, ..) in &self.cases {
            db.prepare_cached(
                "UPDATE cases SET notices = (SELECT count(DISTINCT mail) FROM notice WHERE case_id = ?1) WHERE id = ?1",
            )?
            .execute([&case.0])?;
        }
        Ok(())
    }
}
