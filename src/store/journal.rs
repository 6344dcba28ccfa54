//! The journal: decisions and notes are appended, undo and redo append as well.
//!
//! A batch is what one key did, to one case or to many; undo takes back a whole batch. The columns of a case that the
//! journal decides are recomputed from it in the same transaction, so the two never disagree.

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::cases::STANDS;
use super::error::Result;
use super::{Store, tick};
use crate::model::time::DAY;
use crate::model::{Act, Case, CaseId, State, Timestamp, Verdict};

/// What was just put on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The batch that was decided, taken back, or done again.
    pub batch: i64,
    /// The cases it touched.
    pub cases: Vec<CaseId>,
    /// What the batch does (of several verdicts, the first).
    pub act: Act,
    /// Whether it was just taken back.
    pub undone: bool,
}

impl Store {
    /// Appends decisions as one batch. On disk when it returns.
    pub fn decide(
        &mut self,
        acts: &[(CaseId, Verdict)],
        note: Option<&str>,
        at: Timestamp,
        by: &str,
    ) -> Result<Receipt> {
        let entries: Vec<_> = acts.iter().map(|(case, verdict)| (case, Some(verdict), note)).collect();
        self.append("decide", &entries, at, by)
    }

    /// Appends a note on a case.
    pub fn note(&mut self, case: &CaseId, text: &str, at: Timestamp, by: &str) -> Result<Receipt> {
        self.append("note", &[(case, None, Some(text))], at, by)
    }

    fn append(
        &mut self,
        act: &str,
        entries: &[(&CaseId, Option<&Verdict>, Option<&str>)],
        at: Timestamp,
        by: &str,
    ) -> Result<Receipt> {
        self.write(|tx| {
            let now = tick(tx)?;
            tx.prepare_cached("INSERT INTO batch (act, at, by) VALUES (?1, ?2, ?3)")?.execute((act, at.0, by))?;
            let batch = tx.last_insert_rowid();
            for (case, verdict, note) in entries {
                let verdict = verdict.map(serde_json::to_string).transpose()?;
                tx.prepare_cached("INSERT INTO entry (batch, case_id, verdict, note) VALUES (?1, ?2, ?3, ?4)")?
                    .execute((batch, &case.0, verdict, note))?;
            }
            settle(tx, batch, false, now)
        })
    }

    /// Takes back the newest batch that stands; `None` when there is none.
    pub fn undo(&mut self, at: Timestamp, by: &str) -> Result<Option<Receipt>> {
        let sql =
            format!("SELECT id FROM batch b WHERE act IN ('decide', 'note') AND {STANDS} ORDER BY id DESC LIMIT 1");
        self.turn("undo", &sql, at, by)
    }

    /// Does again what was taken back last; `None` when there is nothing, or something was decided since.
    pub fn redo(&mut self, at: Timestamp, by: &str) -> Result<Option<Receipt>> {
        let sql = "SELECT u.target FROM batch u WHERE u.act = 'undo' \
             AND NOT EXISTS (SELECT 1 FROM batch r WHERE r.target = u.target AND r.id > u.id) \
             AND NOT EXISTS (SELECT 1 FROM batch d WHERE d.act IN ('decide', 'note') AND d.id > u.id) \
             ORDER BY u.id DESC LIMIT 1";
        self.turn("redo", sql, at, by)
    }

    fn turn(&mut self, act: &str, sql: &str, at: Timestamp, by: &str) -> Result<Option<Receipt>> {
        self.write(|tx| {
            let target: Option<i64> = tx.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
            let Some(target) = target else { return Ok(None) };
            let now = tick(tx)?;
            tx.prepare_cached("INSERT INTO batch (act, target, at, by) VALUES (?1, ?2, ?3, ?4)")?
                .execute((act, target, at.0, by))?;
            settle(tx, target, act == "undo", now).map(Some)
        })
    }
}

/// Recomputes the cases of a batch and says what it was.
fn settle(tx: &Transaction<'_>, batch: i64, undone: bool, now: i64) -> Result<Receipt> {
    let mut query = tx.prepare_cached("SELECT case_id, verdict, note FROM entry WHERE batch = ?1 ORDER BY id")?;
    let mut rows = query.query([batch])?;
    let (mut cases, mut act) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let case = CaseId(row.get(0)?);
        if act.is_none() {
            act = Some(match row.get_ref(1)?.as_str_or_null().unwrap_or(None) {
                Some(verdict) => Act::Decided(serde_json::from_str(verdict)?),
                None => Act::Noted(row.get::<_, Option<String>>(2)?.unwrap_or_default()),
            });
        }
        refresh(tx, &case, now)?;
        cases.push(case);
    }
    Ok(Receipt { batch, cases, act: act.unwrap_or(Act::Noted(String::new())), undone })
}

/// What the journal says of a case.
pub(super) struct Standing {
    pub(super) verdict: Verdict,
    pub(super) decided_at: Option<i64>,
    pub(super) noted: bool,
    /// When the lead put it back into the queue, where that is the last word.
    put_back: Option<i64>,
}

impl Standing {
    pub(super) fn corrected_to(&self) -> Option<&str> {
        match &self.verdict {
            Verdict::Corrected { to } => Some(to),
            _ => None,
        }
    }

    pub(super) fn due(&self) -> Option<i64> {
        match self.verdict {
            Verdict::Retry { until } => Some(until.0),
            _ => None,
        }
    }
}

/// Reads what the journal says of a case.
pub(super) fn standing(db: &Connection, case: &CaseId) -> Result<Standing> {
    let newest: Option<(String, i64)> = db
        .prepare_cached(&format!(
            "SELECT e.verdict, b.at FROM entry e JOIN batch b ON b.id = e.batch \
             WHERE e.case_id = ?1 AND e.verdict IS NOT NULL AND {STANDS} ORDER BY e.id DESC LIMIT 1"
        ))?
        .query_row([&case.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let noted: bool = db
        .prepare_cached(&format!(
            "SELECT EXISTS (SELECT 1 FROM entry e JOIN batch b ON b.id = e.batch \
             WHERE e.case_id = ?1 AND e.note IS NOT NULL AND {STANDS})"
        ))?
        .query_row([&case.0], |row| row.get(0))?;
    let (verdict, at) = match newest {
        Some((verdict, at)) => (serde_json::from_str(&verdict)?, Some(at)),
        None => (Verdict::New, None),
    };
    let (decided_at, put_back) = if verdict.state() == State::New { (None, at) } else { (at, None) };
    Ok(Standing { verdict, decided_at, noted, put_back })
}

/// Writes what the journal says of a case into its row.
pub(super) fn refresh(db: &Connection, case: &CaseId, now: i64) -> Result<()> {
    let says = standing(db, case)?;
    let state = says.verdict.state().slug();
    db.prepare_cached(
        "UPDATE cases SET state = ?2, corrected_to = ?3, due = ?4, decided_at = ?5, noted = ?6, changed = ?7 WHERE id = ?1",
    )?
    .execute((&case.0, state, says.corrected_to(), says.due(), says.decided_at, says.noted, now))?;
    // A delay closes by itself, unless the lead put it back after it was last heard of.
    db.prepare_cached(
        "UPDATE cases SET closes = CASE WHEN kind = 'delay' AND state = 'new' AND coalesce(last_received > ?2, TRUE) THEN last_received + ?3 END \
         WHERE id = ?1",
    )?
    .execute((&case.0, says.put_back, Case::SILENT_DAYS * DAY))?;
    // Again: a notice came after the decision, or this address was corrected, or chosen as the correction, before it bounced.
    db.prepare_cached(&again())?.execute([&case.0])?;
    Ok(())
}

/// Sets the mark `again`. Two questions, so that each is answered by an index however large the store is.
fn again() -> String {
    let corrected = |column: &str| {
        format!(
            "EXISTS (SELECT 1 FROM cases o WHERE {column} = cases.address COLLATE NOCASE AND o.id <> cases.id \
             AND o.state = 'corrected' AND o.decided_at < cases.last_received)"
        )
    };
    let (address, to) = (corrected("o.address"), corrected("o.corrected_to"));
    format!(
        "UPDATE cases SET again = CASE WHEN decided_at IS NOT NULL THEN last_received > decided_at \
         ELSE address <> '' AND ({address} OR {to}) END WHERE id = ?1"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_reads_no_whole_table() {
        let store = Store::in_memory().unwrap();
        let mut query = store.db.prepare(&format!("EXPLAIN QUERY PLAN {}", again())).unwrap();
        let plan: Vec<String> = query.query_map(["id"], |row| row.get(3)).unwrap().map(|step| step.unwrap()).collect();
        assert!(plan.iter().all(|step| !step.starts_with("SCAN")), "{plan:?}");
    }
}
