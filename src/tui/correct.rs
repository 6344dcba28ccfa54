//! The dialog that takes the right address: typed, or one of the suggestions. Nothing is sent; the journal keeps it.
//!
//! Owns what stands in the dialog and which cases the correction reaches. Knows nothing of drawing.

use super::edit::Line;
use super::filter::domain_of;
use super::input::{Code, Key};
use super::model::Model;
use crate::desk::Detail;
use crate::model::{Case, CaseId, Cause, Proposal, Verdict};
use crate::suggest::{Finding, Level};

/// Which part of the dialog takes keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The new address.
    Address,
    /// One of the scopes.
    Scope(usize),
    /// The note.
    Note,
}

/// More cases that the correction reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// In words, without the number.
    pub label: &'static str,
    /// The cases.
    pub cases: Vec<(CaseId, String)>,
    /// Whether it is on.
    pub on: bool,
}

/// What stands in the dialog.
#[derive(Debug, Clone)]
pub struct Correct {
    /// The case it was opened on.
    pub case: CaseId,
    /// Its failed address.
    pub failed: String,
    /// The address typed.
    pub address: Line,
    /// The note typed.
    pub note: Line,
    /// Where the keys go.
    pub field: Field,
    /// Addresses to take by number, with the reason for each.
    pub suggestions: Vec<(String, String)>,
    /// Which other cases it reaches.
    pub scopes: Vec<Scope>,
    /// What there is to say about the address, and of which text that was said.
    pub findings: Vec<Finding>,
    /// What the name system says, and of which text.
    pub looked_up: Option<(String, Finding)>,
    /// The text the findings are about.
    pub checked: Option<String>,
    /// Whether it is saved as soon as the check has come back.
    pub saving: bool,
    /// Whether Enter was pressed once on a warning.
    pub warned: bool,
    /// Whether a key has gone to the address: from then on digits are text.
    typing: bool,
    /// Whether the address is what was refused, so that the cursor stands where it looks wrong.
    pub is_suspect: bool,
    /// Whether the whole message was asked for and no other case of it can be corrected alike.
    pub alone: bool,
}

/// What a key led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The dialog stays.
    Stay,
    /// It is closed without saving; the draft is kept.
    Leave,
    /// It is saved.
    Save,
    /// The address wants to be checked; the dialog stays.
    Check,
}

impl Correct {
    /// Opens the dialog on a case; `whole` sets its scope to the whole message.
    pub fn open(model: &Model, detail: &Detail, whole: bool) -> Self {
        let case = &detail.case;
        let failed = case.address.to_string();
        let suggestions: Vec<_> =
            detail.suggestions.iter().take(9).map(|s| (s.address.clone(), s.because.clone())).collect();
        let cursor = wrong_part(case, suggestions.first().map(|(address, _)| address.as_str()));
        let scopes = scopes(model, case, whole);
        let is_suspect = !suggestions.is_empty() || model.words(case.cause).propose == Some(Proposal::Correct);
        Self {
            case: case.id.clone(),
            address: Line::filled(&failed, cursor),
            failed,
            note: Line::default(),
            field: Field::Address,
            suggestions,
            alone: whole && !scopes.iter().any(|scope| scope.on),
            scopes,
            is_suspect,
            typing: false,
            findings: Vec::new(),
            looked_up: None,
            checked: None,
            saving: false,
            warned: false,
        }
    }

    /// What was typed so far, to be kept: the address (nothing where it is untouched), then the note on a line of its own.
    pub fn draft(&self) -> Option<String> {
        let address = if self.address.touched { self.address.text() } else { "" };
        let touched = self.address.touched || self.note.touched;
        touched.then(|| format!("{address}\n{}", self.note.text()))
    }

    /// Goes on with what was kept; says whether an address was among it.
    pub fn take_draft(&mut self, draft: &str) -> bool {
        let (address, note) = draft.split_once('\n').unwrap_or((draft, ""));
        if !note.is_empty() {
            self.note.set(note);
        }
        if !address.is_empty() {
            self.address.set(address);
        }
        !address.is_empty()
    }

    /// How many suggestions a digit takes: none once typing has begun.
    pub fn takes(&self) -> usize {
        if self.typing || self.address.touched { 0 } else { self.suggestions.len() }
    }

    /// The address as it would be saved.
    pub fn new_address(&self) -> &str {
        self.address.text().trim()
    }

    /// Takes the findings for a text; says whether the dialog can now be saved, where that was asked for.
    pub fn take(&mut self, text: &str, findings: Vec<Finding>) -> Outcome {
        if text != self.new_address() {
            return Outcome::Stay;
        }
        self.findings = findings;
        self.checked = Some(text.to_owned());
        if std::mem::take(&mut self.saving) { self.save() } else { Outcome::Stay }
    }

    /// Everything there is to say about the address as it stands; what the name system says comes late, or never.
    pub fn said(&self) -> impl Iterator<Item = &Finding> {
        let late = self.looked_up.as_ref().filter(|(text, _)| text == self.new_address()).map(|(_, finding)| finding);
        self.findings.iter().chain(late)
    }

    /// The address that was probably meant, where one key takes it: the cursor stands behind what was typed.
    pub fn instead(&self) -> Option<&str> {
        let at_end = self.field == Field::Address && self.address.halves().1.is_empty();
        let fresh = self.checked.as_deref() == Some(self.new_address());
        self.said().filter(|_| at_end && fresh).find_map(|finding| finding.instead.as_deref())
    }

    /// The heaviest finding, where there is one.
    pub fn level(&self) -> Option<Level> {
        self.said().map(|finding| finding.level).max()
    }

    fn fields(&self) -> Vec<Field> {
        let mut fields = vec![Field::Address];
        fields.extend((0..self.scopes.len()).map(Field::Scope));
        fields.push(Field::Note);
        fields
    }

    fn move_field(&mut self, forward: bool) {
        let fields = self.fields();
        let at = fields.iter().position(|field| *field == self.field).unwrap_or(0);
        let next = if forward { at + 1 } else { at + fields.len() - 1 } % fields.len();
        if let Some(field) = fields.get(next) {
            self.field = *field;
        }
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key) -> Outcome {
        match key {
            Key { code: Code::Esc, .. } | Key { code: Code::Char('c'), ctrl: true, .. } => return Outcome::Leave,
            Key { code: Code::Tab | Code::Down, .. } => self.move_field(true),
            Key { code: Code::BackTab | Code::Up, .. } => self.move_field(false),
            Key { code: Code::Enter, .. } => return self.enter(),
            Key { code: Code::Right, ctrl: false, alt: false } if self.instead().is_some() => {
                if let Some(meant) = self.instead().map(str::to_owned) {
                    self.address.set(&meant);
                    self.warned = false;
                    return Outcome::Check;
                }
            }
            _ => match self.field {
                Field::Address => return self.address_key(key),
                Field::Note => {
                    self.note.key(key);
                }
                Field::Scope(at) => {
                    if let Some(scope) = self.scopes.get_mut(at)
                        && matches!(key.typed(), Some(' ' | 'x'))
                    {
                        scope.on = !scope.on;
                    }
                }
            },
        }
        Outcome::Stay
    }

    fn address_key(&mut self, key: Key) -> Outcome {
        let number = key.typed().and_then(|c| c.to_digit(10)).map_or(0, |n| n as usize);
        if (1..=self.takes()).contains(&number)
            && let Some((address, _)) = self.suggestions.get(number - 1).cloned()
        {
            self.address.set(&address);
            self.saving = true;
            return Outcome::Check;
        }
        let before = self.address.text().to_owned();
        self.typing |= self.address.key(key);
        if self.address.text() == before {
            return Outcome::Stay;
        }
        self.warned = false;
        Outcome::Check
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) -> Outcome {
        match self.field {
            Field::Address => {
                let address = text.trim().trim_start_matches("mailto:").trim_matches(['<', '>']);
                // An address that is pasted whole replaces what stands there.
                if !self.address.touched && address.contains('@') {
                    self.address.set("");
                }
                self.address.insert(address);
                self.warned = false;
                return Outcome::Check;
            }
            Field::Note => self.note.insert(text),
            Field::Scope(_) => {}
        }
        Outcome::Stay
    }

    fn enter(&mut self) -> Outcome {
        self.address.touched = true;
        if self.checked.as_deref() != Some(self.new_address()) {
            self.saving = true;
            return Outcome::Check;
        }
        self.save()
    }

    /// Saves unless something forbids it or wants a second Enter.
    fn save(&mut self) -> Outcome {
        match self.level() {
            Some(Level::Error) => {
                self.field = Field::Address;
                Outcome::Stay
            }
            Some(Level::Warning) if !self.warned => {
                self.warned = true;
                Outcome::Stay
            }
            _ => Outcome::Save,
        }
    }

    /// The decisions this dialog stands for.
    pub fn acts(&self) -> Vec<(CaseId, Verdict)> {
        let new = self.new_address().to_owned();
        let mut acts = vec![(self.case.clone(), Verdict::Corrected { to: new.clone() })];
        for (id, address) in self.scopes.iter().filter(|scope| scope.on).flat_map(|scope| &scope.cases) {
            if let Some(to) = same_change(&self.failed, &new, address)
                && !acts.iter().any(|(other, _)| other == id)
            {
                acts.push((id.clone(), Verdict::Corrected { to }));
            }
        }
        acts
    }
}

/// What a correction makes of another failed address: the same address, or the same change of domain.
pub fn same_change(failed: &str, new: &str, other: &str) -> Option<String> {
    if other.eq_ignore_ascii_case(failed) {
        return Some(new.to_owned());
    }
    let (old_local, old_domain) = failed.rsplit_once('@')?;
    let (new_local, new_domain) = new.rsplit_once('@')?;
    let (local, domain) = other.rsplit_once('@')?;
    (old_local == new_local && domain.eq_ignore_ascii_case(old_domain)).then(|| format!("{local}@{new_domain}"))
}

/// Where the cursor starts: at the first difference to the best suggestion, else in the part judged wrong.
fn wrong_part(case: &Case, best: Option<&str>) -> usize {
    let failed = &case.address;
    if let Some(best) = best {
        let same = failed.char_indices().zip(best.chars()).take_while(|((_, a), b)| a.eq_ignore_ascii_case(b)).count();
        let at = failed.char_indices().nth(same).map_or(failed.len(), |(at, _)| at);
        if at < failed.len() {
            return at;
        }
    }
    let at_sign = failed.rfind('@').unwrap_or(failed.len());
    match case.cause {
        Cause::DomainUnknown | Cause::DomainNoMail | Cause::NotReachable | Cause::RelayDenied => failed.len(),
        _ => at_sign,
    }
}

fn scopes(model: &Model, case: &Case, whole: bool) -> Vec<Scope> {
    let domain = domain_of(&case.address).to_lowercase();
    let others: Vec<&Case> =
        model.queue.cases().iter().filter(|other| other.id != case.id && other.is_undecided(model.now)).collect();
    let pick = |passes: &dyn Fn(&Case) -> bool| -> Vec<(CaseId, String)> {
        others.iter().filter(|other| passes(other)).map(|other| (other.id.clone(), other.address.to_string())).collect()
    };
    let same_domain = |other: &Case| domain_of(&other.address).eq_ignore_ascii_case(&domain) && !domain.is_empty();
    let same_address = |other: &Case| other.address.eq_ignore_ascii_case(&case.address);
    let mut scopes = vec![
        Scope {
            label: "of this message at this domain",
            cases: pick(&|o| o.group == case.group && same_domain(o)),
            on: whole,
        },
        Scope { label: "to the same address", cases: pick(&|o| o.group != case.group && same_address(o)), on: false },
        Scope {
            label: "at the same domain",
            cases: pick(&|o| o.group != case.group && same_domain(o) && !same_address(o)),
            on: false,
        },
    ];
    scopes.retain(|scope| !scope.cases.is_empty());
    scopes
}

#[cfg(test)]
mod tests {
    use super::same_change;

    #[test]
    fn a_domain_rule_needs_the_same_local_part() {
        let domain = |other| same_change("anna@gmial.com", "anna@gmail.com", other);
        assert_eq!(domain("bo@GMIAL.com").as_deref(), Some("bo@gmail.com"));
        assert_eq!(domain("bo@example.org"), None);
        assert_eq!(domain("Anna@gmial.com").as_deref(), Some("anna@gmail.com"));
        assert_eq!(same_change("ana@x.example", "anna@x.example", "bo@x.example"), None);
    }
}
