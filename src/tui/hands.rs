//! Carries out wishes of the screen on the desk, and turns what comes back into messages. Used by the runtime's own
//! thread and, step by step, by tests.

use std::path::{Path, PathBuf};

use super::model::Fold;
use super::msg::{Done, Effect, ExportOrder, Failure, Msg, Written};
use super::session;
use crate::desk::{self, Changes, Desk, Error, Notice, Order, Receipt};
use crate::model::{Case, CaseId, Cause, Timestamp, Verdict, Zone};
use crate::resend::Wanted;
use crate::suggest;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { what: error.to_string(), hint: error.hint().map(str::to_owned) }
    }
}

/// Cases read at a time while the screen is already in use.
const PIECE: usize = 2_000;
/// Rows on each side of the cursor that the first look brings.
const AROUND: usize = 100;

/// A desk, and how much of its changes the screen has seen.
pub struct Hands {
    desk: Desk,
    seen: u64,
    /// Whether the last look failed.
    blind: bool,
    reading: Option<Reading>,
    /// Whether the book of suggestions is still to be opened.
    cold: bool,
}

/// How far the cases have been read.
struct Reading {
    /// The tick it began at: what changed since then is told once more at the end.
    since: u64,
    cases: Vec<Case>,
}

impl Hands {
    /// Hands for a desk.
    pub fn new(desk: Desk) -> Self {
        Self { desk, seen: 0, blind: false, reading: None, cold: false }
    }

    /// The desk.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// What the screen begins with: where the last run stood, and the rows around that place. A `limited` screen shows
    /// given cases only, in no place of an earlier run. [`Hands::read_on`] brings all cases.
    pub fn begin(&mut self, limited: bool, now: Timestamp) -> Vec<Msg> {
        let mut begin = || -> Result<_, Error> {
            self.seen = self.desk.ticks()?;
            self.reading = Some(Reading { since: self.seen, cases: Vec::new() });
            self.cold = true;
            if limited {
                return Ok(Vec::new());
            }
            let state = self.desk.kept(session::STATE)?;
            let place = session::Place::read(state.as_deref());
            let mut begin = vec![Msg::Restored(state)];
            if place.is_plain() {
                let glance = self.desk.glance(place.case.as_ref(), AROUND, now)?;
                if let Some(reading) = &mut self.reading {
                    reading.cases.reserve_exact(glance.total);
                }
                begin.push(Msg::Glance(Box::new(glance)));
            }
            Ok(begin)
        };
        begin().unwrap_or_else(|error| vec![Msg::Failed(error.into())])
    }

    /// Whether there is something to read while nobody asks.
    pub fn is_reading(&self) -> bool {
        self.reading.is_some() || self.cold
    }

    /// Reads a piece of the cases, and at last the book of suggestions, so that no key waits for it; `None` once all of it
    /// has been read.
    pub fn read_on(&mut self) -> Option<Vec<Msg>> {
        let Some(mut reading) = self.reading.take() else {
            let was_cold = std::mem::take(&mut self.cold);
            // A fault is told when a case is opened.
            return was_cold.then(|| self.desk.with_book(|_| Vec::new()).unwrap_or_default());
        };
        match self.desk.more_cases(&mut reading.cases, PIECE) {
            Ok(0) => {
                let changes = self.desk.changes(reading.since);
                let mut all = vec![Msg::Cases(reading.cases)];
                match changes {
                    Ok(changes) => {
                        self.seen = changes.upto;
                        all.push(Msg::Changed(changes));
                    }
                    Err(error) => all.push(Msg::Failed(error.into())),
                }
                Some(all)
            }
            Ok(_) => {
                self.reading = Some(reading);
                Some(Vec::new())
            }
            Err(error) => Some(vec![Msg::Failed(error.into())]),
        }
    }

    /// What changed since the last look, by anyone.
    pub fn look(&mut self) -> Option<Msg> {
        match self.desk.changes(self.seen) {
            Ok(changes) => {
                self.blind = false;
                let news = changes.upto != self.seen;
                self.seen = changes.upto;
                news.then_some(Msg::Changed(changes))
            }
            // Another process is writing: the next look sees it. Everything else is told once, not at every look.
            Err(error) if error.is_busy() || std::mem::replace(&mut self.blind, true) => None,
            Err(error) => Some(Msg::Failed(error.into())),
        }
    }

    /// Keeps a text for the next run.
    pub fn keep(&mut self, key: &str, value: Option<&str>) -> Option<Msg> {
        let failed = self.desk.keep(key, value).err()?;
        // A store that is gone was told already, and a word about a draft must not stand over one about a decision.
        (!self.blind).then(|| Msg::Failed(failed.into()))
    }

    /// Carries out one wish; nothing where it is none of the desk's.
    pub fn perform(&mut self, effect: Effect, now: Timestamp) -> Option<Msg> {
        Some(match effect {
            Effect::Load(id) => match self.desk.detail(&id, now) {
                Ok(detail) => Msg::Loaded(Box::new(detail)),
                Err(error) => Msg::Failed(error.into()),
            },
            Effect::Unfold(ids) => Msg::Unfolded(self.unfold(ids)),
            Effect::Mail(notice) => match self.desk.raw(notice) {
                Ok(raw) => Msg::Mail(notice, raw),
                Err(error) => Msg::Failed(error.into()),
            },
            Effect::Draft(key) => match self.desk.kept(&key) {
                Ok(text) => Msg::Draft(key, text),
                Err(error) => Msg::Failed(error.into()),
            },
            Effect::Check(text, failed) => {
                let found = self.desk.with_book(|book| suggest::check(&text, Some(&failed), book));
                match found {
                    Ok(found) => Msg::Checked(text, found),
                    Err(error) => Msg::Failed(error.into()),
                }
            }
            Effect::Decide(deed, acts, note) => {
                let result = self.desk.decide_each(&acts, note.as_deref(), now);
                Msg::Decided(deed, self.done(result))
            }
            Effect::Accept(deed, ids) => {
                let result = self.accept(&ids, now);
                Msg::Decided(deed, result)
            }
            Effect::Note(deed, text) => {
                let result = self.desk.note(&deed.case, &text, now);
                Msg::Decided(deed, self.done(result))
            }
            Effect::Undo => {
                let result = self.desk.undo(now);
                Msg::Undone { redo: false, result: self.maybe(result) }
            }
            Effect::Redo => {
                let result = self.desk.redo(now);
                Msg::Undone { redo: true, result: self.maybe(result) }
            }
            Effect::Count => Msg::Counted(self.count().unwrap_or_default()),
            Effect::Export(order) => Msg::Exported(self.export(order, now)),
            Effect::Incident(id) => match self.incident(&id, now) {
                Ok((what, text)) => Msg::Letter(what, text),
                Err(error) => Msg::Failed(error.into()),
            },
            Effect::Letter(id, wanted) => match self.letter(&id, wanted) {
                Ok((what, text)) => Msg::Letter(what, text),
                Err(error) => Msg::Failed(error.into()),
            },
            Effect::Pull
            | Effect::Stop
            | Effect::Edit(..)
            | Effect::Copy(_)
            | Effect::Redraw
            | Effect::Suspend
            | Effect::LookUp(_)
            | Effect::Card(_) => return None,
        })
    }

    fn unfold(&self, ids: Vec<CaseId>) -> Vec<(CaseId, Vec<Fold>)> {
        let fold = |notice: &Notice| {
            let recipient = notice.recipient.and_then(|at| notice.diagnosis.recipients.get(at));
            let status = recipient.and_then(|own| own.status.as_ref().map(ToString::to_string));
            let reply = recipient.and_then(|own| own.reply_code.map(|code| code.to_string()));
            Fold {
                received: notice.received,
                kind: notice.diagnosis.kind,
                code: status.or(reply).unwrap_or_else(|| "-".to_owned()),
                cause: recipient.map_or(Cause::Unclear, |own| own.cause),
            }
        };
        let read = |id: CaseId| {
            let notices = self.desk.notices(&id).ok()?;
            Some((id, notices.iter().map(fold).collect()))
        };
        ids.into_iter().filter_map(read).collect()
    }

    fn done(&mut self, result: Result<Receipt, Error>) -> Result<Done, Failure> {
        let receipt = result?;
        // The deed is on disk whatever happens now: a failure to read the changes must not say otherwise.
        let changes =
            self.desk.changes(self.seen).unwrap_or_else(|_| Changes { upto: self.seen, ..Changes::default() });
        self.seen = changes.upto;
        Ok(Done { receipt, changes })
    }

    fn maybe(&mut self, result: Result<Option<Receipt>, Error>) -> Result<Option<Done>, Failure> {
        match result? {
            Some(receipt) => self.done(Ok(receipt)).map(Some),
            None => Ok(None),
        }
    }

    fn accept(&mut self, ids: &[CaseId], now: Timestamp) -> Result<Done, Failure> {
        let mut acts: Vec<(CaseId, Verdict)> = Vec::new();
        for id in ids {
            if let Some(verdict) = self.desk.detail(id, now)?.offer.verdict {
                acts.push((id.clone(), verdict));
            }
        }
        if acts.is_empty() {
            return Err(Failure { what: "nothing is proposed for any of these cases".into(), hint: None });
        }
        let result = self.desk.decide_each(&acts, None, now);
        self.done(result)
    }

    fn incident(&self, id: &CaseId, now: Timestamp) -> Result<(String, String), Error> {
        let case = self.desk.find(&id.0)?;
        let what = format!("the incident at {}", case.address.rsplit('@').next().unwrap_or_default());
        Ok((what, self.desk.incident_text(&case, now)?))
    }

    /// What the text is, and the text.
    fn letter(&self, id: &CaseId, wanted: Wanted) -> Result<(String, String), Error> {
        let case = self.desk.find(&id.0)?;
        let what = match wanted {
            Wanted::Resend => format!("the answer to {}", case.corrected_to.as_ref().unwrap_or(&case.address)),
            Wanted::OtherWay => format!("a text to reach {} another way", case.address),
        };
        Ok((what, self.desk.letter(&case, Some(wanted), None, &Zone::of_system())?.body))
    }

    fn count(&self) -> Result<Vec<(String, String)>, Error> {
        let counts = self.desk.counts()?;
        let kinds: Vec<String> = counts.by_kind.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        let all: u64 = counts.by_kind.iter().map(|(_, n)| n).sum();
        Ok(vec![("Notices".to_owned(), format!("{all} stored: {}", kinds.join(", ")))])
    }

    fn export(&mut self, order: ExportOrder, now: Timestamp) -> Result<Written, Failure> {
        let path = whole_path(&order.path);
        match self.desk.export_to(&Order::all(order.format), &path, order.replace, now)? {
            desk::Written::Rows(rows) => Ok(Written::Lines(path, rows)),
            desk::Written::Not(error) if error.is_in_the_way() && !order.replace => {
                Ok(Written::Exists(ExportOrder { path, ..order }))
            }
            desk::Written::Not(error) => Err(Failure { what: error.to_string(), hint: None }),
        }
    }
}

/// The whole path: one that begins with `~/` as the shell would read it, any other from the working folder.
fn whole_path(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => Path::new(&home).join(rest),
        _ => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}
