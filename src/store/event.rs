//! What happened beside the journal: exports, copies, people forgotten; and the audit that shows all of it in order.
//!
//! Invariant: appended only, and no event holds an address.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::Store;
use super::error::Result;
use crate::model::cause::slugs;
use crate::model::{CaseId, Timestamp, Verdict};

slugs! {
    /// An act beside the journal.
    Deed {
        /// Something was written into a file for somebody else.
        Export = "export",
        /// The store was copied.
        Backup = "backup",
        /// Old data was removed.
        Purge = "purge",
        /// A person was removed.
        Forget = "forget",
        /// Corrections made elsewhere were taken over.
        ImportDecisions = "import-decisions",
    }
}

/// One line of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What.
    pub act: Audit,
}

/// What a line of the audit is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audit {
    /// A case was decided.
    Decided {
        /// Which.
        case: CaseId,
        /// The address it was about, as long as the case is there.
        address: Option<String>,
        /// What was decided.
        verdict: Verdict,
    },
    /// A note was written.
    Noted {
        /// On which case.
        case: CaseId,
    },
    /// Acts were taken back, or done again.
    Turned {
        /// Whether they were done again.
        redo: bool,
        /// On these cases.
        cases: Vec<CaseId>,
    },
    /// Something beside the journal.
    Did {
        /// What.
        deed: Deed,
        /// The file that was written or read.
        path: Option<PathBuf>,
        /// In words.
        detail: String,
    },
}

impl Store {
    /// Notes that something was done.
    pub fn record(&mut self, deed: Deed, path: Option<&Path>, detail: &str, at: Timestamp, by: &str) -> Result<()> {
        let path = path.map(|path| path.display().to_string());
        self.write(|tx| happened(tx, deed, path.as_deref(), detail, at, by))
    }

    /// Files that were written by a deed, each once, newest first.
    pub fn files_of(&self, deed: Deed) -> Result<Vec<PathBuf>> {
        let mut query = self.db.prepare_cached(
            "SELECT path FROM event WHERE act = ?1 AND path IS NOT NULL GROUP BY path ORDER BY max(id) DESC",
        )?;
        let rows = query.query_map([deed.slug()], |row| Ok(PathBuf::from(row.get::<_, String>(0)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Marks cases as given out in a form, as they are decided now.
    pub fn mark_exported(&mut self, format: &str, cases: &[(CaseId, Option<Timestamp>)], at: Timestamp) -> Result<()> {
        self.write(|tx| {
            for (case, decided) in cases {
                tx.prepare_cached("INSERT OR REPLACE INTO exported VALUES (?1, ?2, ?3, ?4)")?.execute((
                    &case.0,
                    format,
                    at.0,
                    decided.map(|decided| decided.0),
                ))?;
            }
            Ok(())
        })
    }

    /// What was given out in a form, and as of which decision.
    pub fn exported_as(&self, format: &str) -> Result<Vec<(CaseId, Option<Timestamp>)>> {
        let mut query = self.db.prepare_cached("SELECT case_id, decided_at FROM exported WHERE format = ?1")?;
        let rows =
            query.query_map([format], |row| Ok((CaseId(row.get(0)?), row.get::<_, Option<i64>>(1)?.map(Timestamp))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// In which forms a case was given out, and when, oldest first.
    pub fn exports_of(&self, case: &CaseId) -> Result<Vec<(String, Timestamp)>> {
        let mut query =
            self.db.prepare_cached("SELECT format, at FROM exported WHERE case_id = ?1 ORDER BY at, format")?;
        let rows = query.query_map([&case.0], |row| Ok((row.get(0)?, Timestamp(row.get(1)?))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Everything that was done since a point in time, oldest first.
    pub fn audit(&self, since: Timestamp) -> Result<Vec<Audited>> {
        let mut lines = self.audited_journal(since)?;
        let mut query =
            self.db.prepare_cached("SELECT at, by, act, path, detail, behind FROM event WHERE at >= ?1 ORDER BY id")?;
        let mut rows = query.query([since.0])?;
        while let Some(row) = rows.next()? {
            let Some(deed) = row.get_ref(2)?.as_str().ok().and_then(Deed::from_slug) else { continue };
            let path = row.get::<_, Option<String>>(3)?.map(PathBuf::from);
            let act = Audit::Did { deed, path, detail: row.get(4)? };
            lines.push((row.get(5)?, Audited { at: Timestamp(row.get(0)?), by: row.get(1)?, act }));
        }
        // Many acts may fall into one second; an event stands behind the batch it came after.
        lines.sort_by_key(|(batch, _)| *batch);
        Ok(lines.into_iter().map(|(_, line)| line).collect())
    }

    fn audited_journal(&self, since: Timestamp) -> Result<Vec<(i64, Audited)>> {
        let mut query = self.db.prepare_cached(
            "SELECT b.at, b.by, b.act, e.case_id, e.verdict, coalesce(c.original_address, c.address), b.id FROM batch b \
             JOIN entry e ON e.batch = coalesce(b.target, b.id) LEFT JOIN cases c ON c.id = e.case_id \
             WHERE b.at >= ?1 ORDER BY b.id, e.id",
        )?;
        let mut rows = query.query([since.0])?;
        let mut lines: Vec<(i64, Audited)> = Vec::new();
        while let Some(row) = rows.next()? {
            let (at, by, case) = (Timestamp(row.get(0)?), row.get(1)?, CaseId(row.get(3)?));
            let (batch, verdict): (i64, Option<String>) = (row.get(6)?, row.get(4)?);
            let act = match (row.get_ref(2)?.as_str().unwrap_or_default(), verdict.as_deref()) {
                (act @ ("undo" | "redo"), _) => {
                    if let Some((last, Audited { act: Audit::Turned { cases, .. }, .. })) = lines.last_mut()
                        && *last == batch
                    {
                        cases.push(case);
                        continue;
                    }
                    Audit::Turned { redo: act == "redo", cases: vec![case] }
                }
                (_, Some(verdict)) => {
                    Audit::Decided { case, address: row.get(5)?, verdict: serde_json::from_str(verdict)? }
                }
                (_, None) => Audit::Noted { case },
            };
            lines.push((batch, Audited { at, by, act }));
        }
        Ok(lines)
    }
}

/// Appends an event, inside the caller's transaction.
pub(super) fn happened(
    db: &Connection,
    deed: Deed,
    path: Option<&str>,
    detail: &str,
    at: Timestamp,
    by: &str,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO event (act, behind, at, by, path, detail) \
         VALUES (?1, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'batch'), 0), ?2, ?3, ?4, ?5)",
    )?
    .execute((deed.slug(), at.0, by, path, detail))?;
    Ok(())
}
