//! The authentication card in words: what is published, what is wrong with it, and the records to publish, ready to copy.
//!
//! Knows nothing of how lines are shown. What a name server said is printable ASCII when it comes here.

use super::card::Card;
use super::resolver::Miss;
use super::spf::Presence;

impl Card {
    /// The card, line by line. Records to publish stand alone on their lines.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{}: who may send mail for it", self.domain), String::new()];
        self.spf_lines(&mut lines);
        self.dkim_lines(&mut lines);
        self.dmarc_lines(&mut lines);
        if self.changes.is_empty() {
            let known = [self.spf.miss, self.dmarc.miss].iter().all(Option::is_none);
            lines.push(if known { "Nothing is missing.".to_owned() } else { "Nothing can be proposed.".to_owned() });
            return lines;
        }
        lines.push("To publish (whoever runs the domain's DNS):".to_owned());
        for change in &self.changes {
            lines.push(String::new());
            lines.push(format!("; {}", change.why));
            lines.extend(change.replaces.iter().map(|old| format!("; instead of: {old}")));
            lines.push(change.zone_line());
        }
        lines
    }

    fn spf_lines(&self, lines: &mut Vec<String>) {
        let spf = &self.spf;
        match (spf.records.as_slice(), spf.miss) {
            (_, Some(miss)) => lines.push(format!("SPF    {}", unknown(miss))),
            ([], None) => lines.push("SPF    none".to_owned()),
            (records, None) => lines.extend(records.iter().map(|record| format!("SPF    {record}"))),
        }
        if !spf.records.is_empty() {
            let more = if spf.complete { "" } else { " or more" };
            lines.push(format!("       {}{more} of the 10 DNS look-ups that receivers allow", spf.lookups));
        }
        for include in &spf.includes {
            let presence = match include.presence {
                Presence::Direct => "is permitted",
                Presence::Nested => "is permitted through another include",
                Presence::Absent => "is not permitted",
                Presence::Unknown => "cannot be told: part of the records could not be read",
            };
            lines.push(format!("       {}: {presence}", include.name));
        }
        problems(&spf.problems, lines);
    }

    fn dkim_lines(&self, lines: &mut Vec<String>) {
        if self.dkim.is_empty() {
            lines.push("DKIM   not looked at: the help desk's selectors are not known (--selector)".to_owned());
        }
        for key in &self.dkim {
            match (key.found, key.miss) {
                (_, Some(miss)) => lines.push(format!("DKIM   {}: {}", key.name, unknown(miss))),
                (true, None) => lines.push(format!("DKIM   {}: a key is published", key.name)),
                (false, None) => lines.push(format!("DKIM   {}: none", key.name)),
            }
            if key.found {
                problems(&key.problems, lines);
            }
        }
    }

    fn dmarc_lines(&self, lines: &mut Vec<String>) {
        let dmarc = &self.dmarc;
        match (dmarc.records.as_slice(), dmarc.miss) {
            (_, Some(miss)) => lines.push(format!("DMARC  {}", unknown(miss))),
            ([], None) => lines.push("DMARC  none".to_owned()),
            (records, None) => {
                let from = if dmarc.inherited { format!(" (at {})", dmarc.name) } else { String::new() };
                lines.extend(records.iter().map(|record| format!("DMARC  {record}{from}")));
            }
        }
        match dmarc.policy.as_deref() {
            Some("reject") => lines.push("       mail that fails is refused".to_owned()),
            Some("quarantine") => lines.push("       mail that fails goes to the spam folder".to_owned()),
            Some("none") => lines.push("       mail that fails is only reported".to_owned()),
            _ => {}
        }
        let strict = match (dmarc.strict_spf, dmarc.strict_dkim) {
            (true, true) => Some("SPF and DKIM must name this very domain (aspf=s, adkim=s)"),
            (true, false) => Some("SPF must name this very domain (aspf=s)"),
            (false, true) => Some("DKIM must name this very domain (adkim=s)"),
            (false, false) => None,
        };
        lines.extend(strict.map(|text| format!("       {text}")));
        problems(&dmarc.problems, lines);
        lines.push(String::new());
    }
}

fn unknown(miss: Miss) -> String {
    format!("not known: {miss}")
}

fn problems(problems: &[String], lines: &mut Vec<String>) {
    lines.extend(problems.iter().map(|problem| format!("       ! {problem}")));
}
