//! Evidence for suggestions: correspondents, corrections made here or elsewhere, addresses that bounced.

use super::Store;
use super::error::Result;
use crate::model::{CaseId, Cause, Timestamp};

/// Somebody this inbox writes to or hears from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correspondent {
    /// The address, in lower case.
    pub address: String,
    /// Mails sent there.
    pub sent: u32,
    /// Mails that came from there.
    pub heard: u32,
    /// The newest of them.
    pub last: Timestamp,
}

impl Store {
    /// Adds to what is known of correspondents and, with it, how far their folder was read: all or nothing.
    pub fn meet(&mut self, people: &[Correspondent], cursor: (&str, &str, &str)) -> Result<()> {
        self.write(|tx| {
            for one in people {
                tx.prepare_cached(
                    "INSERT INTO correspondent VALUES (?1, ?2, ?3, ?4) ON CONFLICT (address) DO UPDATE SET \
                     sent = sent + excluded.sent, heard = heard + excluded.heard, last = max(last, excluded.last)",
                )?
                .execute((one.address.to_lowercase(), one.sent, one.heard, one.last.0))?;
            }
            tx.prepare_cached("INSERT OR REPLACE INTO cursor VALUES (?1, ?2, ?3)")?.execute(cursor)?;
            Ok(())
        })
    }

    /// Hands every correspondent over.
    pub fn each_correspondent(&self, each: &mut dyn FnMut(&str, u32)) -> Result<()> {
        let mut query = self.db.prepare_cached("SELECT address, sent + heard FROM correspondent")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(row.get_ref(0)?.as_str().unwrap_or_default(), row.get(1)?);
        }
        Ok(())
    }

    /// Takes over corrections made elsewhere: (old, new). Says how many are new.
    pub fn learn(&mut self, pairs: &[(String, String)], now: Timestamp) -> Result<usize> {
        self.write(|tx| {
            let mut new = 0;
            for (old, right) in pairs {
                new += tx.prepare_cached("INSERT OR IGNORE INTO learned VALUES (?1, ?2, ?3)")?.execute((
                    old.to_lowercase(),
                    right,
                    now.0,
                ))?;
            }
            Ok(new)
        })
    }

    /// Hands every correction over, made here or elsewhere: (old, new).
    pub fn each_correction(&self, each: &mut dyn FnMut(&str, &str)) -> Result<()> {
        let mut query = self.db.prepare_cached(
            "SELECT old, new FROM learned UNION ALL SELECT coalesce(original_address, address), corrected_to FROM cases \
             WHERE corrected_to IS NOT NULL",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(row.get_ref(0)?.as_str().unwrap_or_default(), row.get_ref(1)?.as_str().unwrap_or_default());
        }
        Ok(())
    }

    /// Hands over every case that is corrected, and its new address.
    pub fn each_corrected_case(&self, each: &mut dyn FnMut(CaseId, &str)) -> Result<()> {
        let mut query = self.db.prepare_cached("SELECT id, corrected_to FROM cases WHERE corrected_to IS NOT NULL")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(CaseId(row.get(0)?), row.get_ref(1)?.as_str().unwrap_or_default());
        }
        Ok(())
    }

    /// New addresses that automatic answers announced for an old one, with the words that said so.
    pub fn announced(&self, old: &str) -> Result<Vec<(String, String)>> {
        let mut query = self.db.prepare_cached("SELECT new, because FROM announced WHERE old = ?1")?;
        Ok(query
            .query_map([old.to_lowercase()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// Hands over every address that is known to be somebody's: its mailbox was full, it answered, or took a mail.
    pub fn each_alive(&self, each: &mut dyn FnMut(&str)) -> Result<()> {
        let mut query = self.db.prepare_cached(
            "SELECT address FROM cases WHERE cause IN ('mailbox-full', 'message-too-big') \
             UNION ALL SELECT json_extract(diagnosis, '$.notice.from') FROM mail WHERE kind IN ('auto-reply', 'read-receipt') \
             UNION ALL SELECT json_extract(r.value, '$.address') FROM mail m, json_each(m.diagnosis, '$.recipients') r \
             WHERE m.kind = 'delivered'",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(row.get_ref(0)?.as_str().unwrap_or_default());
        }
        Ok(())
    }

    /// Hands over every address that is known not to exist.
    pub fn each_bounced(&self, each: &mut dyn FnMut(&str)) -> Result<()> {
        let causes: Vec<String> =
            Cause::ALL.iter().filter(|cause| cause.condemns_address()).map(|cause| format!("'{cause}'")).collect();
        let sql = format!("SELECT address FROM cases WHERE kind = 'failure' AND cause IN ({})", causes.join(", "));
        let mut query = self.db.prepare_cached(&sql)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(row.get_ref(0)?.as_str().unwrap_or_default());
        }
        Ok(())
    }
}
