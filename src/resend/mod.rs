//! What a lead pastes into the help desk for a customer whose answer came back: the answer once more, or a text to reach
//! the customer another way. Nothing is sent.
//!
//! Plain data in ([`Letter`]), text out. Knows neither the store nor the screen. Wordings are data (`assets/texts/`), and
//! may be replaced or translated by the lead. Invariant: what is filled in is made visible; it forms no placeholder.

mod texts;
mod trim;

pub use texts::Texts;

use crate::mail::ReturnedCopy;
use crate::model::{Cause, Timestamp, Zone};
use crate::stdx::visible;
use crate::suggest::is_provider;

/// Which text is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// The answer once more, as a public comment.
    Resend,
    /// To reach the customer by phone, chat or another address.
    OtherWay,
}

impl Wanted {
    /// The text that usually helps with a cause: sending again is of no use where the mailbox takes nothing.
    pub const fn by(cause: Cause, corrected: bool) -> Self {
        match cause {
            Cause::MailboxFull | Cause::MailboxDisabled | Cause::MailboxMoved if !corrected => Self::OtherWay,
            _ => Self::Resend,
        }
    }
}

/// What is known of the answer that came back.
#[derive(Debug, Clone, Default)]
pub struct Letter {
    /// Name of the customer.
    pub person: Option<String>,
    /// The address that failed.
    pub old_address: String,
    /// The corrected address.
    pub new_address: Option<String>,
    /// Subject of the answer.
    pub subject: Option<String>,
    /// When it was sent.
    pub sent: Option<Timestamp>,
    /// Its ticket, as the help desk writes it.
    pub ticket: Option<String>,
    /// The message that came back.
    pub copy: ReturnedCopy,
    /// Why.
    pub cause: Option<Cause>,
}

/// A text to paste, and what belongs on the envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Whom it is for: the new address, or the old one where that one was right; nobody where it goes another way.
    pub to: Option<String>,
    /// Subject of the answer.
    pub subject: Option<String>,
    /// Its ticket.
    pub ticket: Option<String>,
    /// The text.
    pub body: String,
}

impl Letter {
    /// The letter with its text in the words of `texts`.
    pub fn write(self, wanted: Wanted, texts: &Texts, zone: &Zone) -> Written {
        let body = texts.write(wanted, &self, zone);
        let to = match wanted {
            Wanted::Resend => Some(self.new_address.unwrap_or(self.old_address)),
            Wanted::OtherWay => None,
        };
        Written { to, subject: self.subject, ticket: self.ticket, body }
    }
}

impl Texts {
    /// The text for a letter.
    pub fn write(&self, wanted: Wanted, letter: &Letter, zone: &Zone) -> String {
        let own = trim::own_text(&letter.copy.text, letter.ticket.as_deref());
        let names: Vec<&str> = letter.copy.attachments.iter().map(|one| one.name.as_str()).collect();
        let attachments = match names.as_slice() {
            [] => None,
            names => Some(self.attachments.replace("{names}", &line(&names.join(", ")))),
        };
        let template = match wanted {
            Wanted::Resend if own.is_empty() => &self.resend_without_text,
            Wanted::Resend => &self.resend,
            Wanted::OtherWay => self.other_way(letter),
        };
        let some = |text: &Option<String>| text.as_deref().filter(|text| !text.trim().is_empty()).map(line);
        let greeting = match some(&letter.person) {
            Some(person) => self.greeting.replace("{person}", &person),
            None => self.greeting_unnamed.clone(),
        };
        let values = [
            ("{greeting}", Some(greeting)),
            ("{person}", some(&letter.person)),
            ("{old_address}", Some(line(&letter.old_address))),
            ("{new_address}", some(&letter.new_address)),
            ("{subject}", some(&letter.subject)),
            ("{sent}", letter.sent.map(|sent| sent.format(&self.date, zone))),
            ("{ticket}", some(&letter.ticket)),
            ("{text}", Some(paragraphs(&own)).filter(|text| !text.is_empty())),
            ("{attachments}", attachments),
        ];
        fill(template, &values)
    }

    fn other_way(&self, letter: &Letter) -> &str {
        let domain = letter.old_address.rsplit('@').next().unwrap_or_default().to_lowercase();
        let free = is_provider(&domain);
        let fits = |causes: &[Cause]| causes.is_empty() || letter.cause.is_some_and(|cause| causes.contains(&cause));
        let found = self.other_way.iter().find(|one| fits(&one.causes) && (free || !one.free_provider));
        found.map_or("", |one| &one.text)
    }
}

/// Fills a template in, line by line, in one pass: what is filled in is never read as a placeholder.
fn fill(template: &str, values: &[(&str, Option<String>)]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in template.trim().lines() {
        if let Some(line) = fill_line(line, values) {
            // A line that was left out leaves no gap.
            if !(line.is_empty() && lines.last().is_none_or(String::is_empty)) {
                lines.push(line);
            }
        }
    }
    let mut text = lines.join("\n").trim_end().to_owned();
    text.push('\n');
    text
}

/// A line with its placeholders filled in; none where one of them is not known.
fn fill_line(line: &str, values: &[(&str, Option<String>)]) -> Option<String> {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('{') {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        match values.iter().find(|(name, _)| found.starts_with(name)) {
            Some((name, value)) => {
                out.push_str(value.as_ref()?);
                rest = found.get(name.len()..).unwrap_or_default();
            }
            None => {
                out.push('{');
                rest = found.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    Some(out)
}

/// Foreign text on one line.
fn line(text: &str) -> String {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

/// Foreign text of several lines.
fn paragraphs(text: &str) -> String {
    text.lines().map(|line| visible(&line.replace('\t', "    ")).into_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Attached;

    fn letter() -> Letter {
        let text = ["Hello Anna,", "", "it is {sent} on its way.", "", "> quoted"].map(str::to_owned).to_vec();
        let bill = Attached { name: "bill.pdf".into(), kind: "application/pdf".into(), size: 10 };
        Letter {
            person: Some("Anna Berg".into()),
            old_address: "anna@gmial.com".into(),
            new_address: Some("anna@gmail.com".into()),
            subject: Some("Re: Lamp".into()),
            sent: Timestamp::parse("2026-11-06T08:11:50Z"),
            ticket: Some("TYPJD8-R6S8".into()),
            copy: ReturnedCopy { head: Vec::new(), text, attachments: vec![bill] },
            cause: Some(Cause::MailboxUnknown),
        }
    }

    #[test]
    fn the_answer_is_given_once_more_in_the_language_asked_for() {
        let english = Texts::load("en", &[]).unwrap();
        assert_eq!(
            english.write(Wanted::Resend, &letter(), &Zone::UTC),
            "Our answer of 6 November 2026 could not be delivered. Here it is again.\n\nHello Anna,\n\n\
             it is {sent} on its way.\n\n\
             Attachments that are not included here: bill.pdf. Please tell us if you need them again.\n"
        );
        let german = Texts::load("de", &[]).unwrap();
        assert!(german.write(Wanted::Resend, &letter(), &Zone::UTC).starts_with("Unsere Antwort vom 06.11.2026 "));
        let bare = Letter { copy: ReturnedCopy::default(), sent: None, ..letter() };
        assert!(english.write(Wanted::Resend, &bare, &Zone::UTC).contains("[paste the answer from the ticket here"));
    }

    #[test]
    fn the_other_way_depends_on_the_cause_and_the_provider() {
        let texts = Texts::load("en", &[]).unwrap();
        let says = |cause, address: &str, words: &str| {
            let letter = Letter { cause: Some(cause), old_address: address.into(), ..letter() };
            let text = texts.write(Wanted::OtherWay, &letter, &Zone::UTC);
            assert!(text.starts_with("Hello Anna Berg,\n\nwe have answered") && text.contains(words), "{text}");
        };
        says(Cause::MailboxFull, "a@firm.example", "is full");
        says(Cause::MailboxDisabled, "a@gmail.com", "is switched off");
        says(Cause::ContentRefused, "a@gmail.com", "spam folder of a@gmail.com");
        says(Cause::ContentRefused, "a@firm.example", "did not reach a@firm.example");
        says(Cause::NotReachable, "a@gmail.com", "did not reach");
        let unnamed = Letter { person: None, ..letter() };
        assert!(texts.write(Wanted::OtherWay, &unnamed, &Zone::UTC).starts_with("Hello,\n\n"));
    }

    #[test]
    fn own_texts_replace_what_they_name_and_mistakes_have_a_line() {
        let own = |name: &str, text: &str| vec![(format!("conf/texts/{name}.toml"), text.to_owned())];
        let italian = own("it", "resend = \"Ecco di nuovo:\\n{text}\\n{ticket} {nothing}\"\n");
        let texts = Texts::load("it", &italian).unwrap();
        let text = texts.write(Wanted::Resend, &letter(), &Zone::UTC);
        assert_eq!(text, "Ecco di nuovo:\nHello Anna,\n\nit is {sent} on its way.\nTYPJD8-R6S8 {nothing}\n");
        assert!(texts.write(Wanted::OtherWay, &letter(), &Zone::UTC).contains("does not exist"), "English below");
        let first = own("en", "[[other_way]]\ncauses = [\"mailbox-unknown\"]\ntext = \"Mine\"\n");
        assert_eq!(Texts::load("en", &first).unwrap().write(Wanted::OtherWay, &letter(), &Zone::UTC), "Mine\n");
        let error = Texts::load("en", &own("en", "\nresent = \"x\"\n")).unwrap_err();
        assert!(error.starts_with("conf/texts/en.toml:2: unknown field `resent`"), "{error}");
        assert!(Texts::load("xx", &[]).unwrap_err().contains("known: de, en"));
    }

    #[test]
    fn hostile_text_is_shown_not_obeyed() {
        let hostile = Letter {
            person: Some("A\u{1b}]52;c;x\u{7}\nB{text}".into()),
            copy: ReturnedCopy { text: vec!["\u{1b}[2J\u{202e}{old_address}".into()], ..ReturnedCopy::default() },
            ..letter()
        };
        for wanted in [Wanted::Resend, Wanted::OtherWay] {
            let text = Texts::load("en", &[]).unwrap().write(wanted, &hostile, &Zone::UTC);
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
        }
        let text = Texts::load("en", &[]).unwrap().write(Wanted::Resend, &hostile, &Zone::UTC);
        assert!(text.contains("{old_address}"), "{text}");
    }
}
