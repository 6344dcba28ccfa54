//! `bounceback explain`: what a code means, without a mail.

use std::io::Write;

use super::failure::{Failure, Outcome, Result};
use super::setting::Setting;
use super::text::{field, wrapped};
use crate::desk::Desk;
use crate::model::{Cause, Class, Status};
use crate::rules::{Question, RuleBook};
use crate::stdx::visible;

/// What to explain.
#[derive(Debug, clap::Args)]
#[command(after_help = "Given more of the server's words, the wording counts more than the codes.\n\n\
    Examples:\n  bounceback explain 5.1.1\n  bounceback explain 550\n  bounceback explain \"550 5.7.26\"\n  \
    bounceback explain \"552 5.2.2 Mailbox size limit exceeded\"")]
pub(super) struct Args {
    /// A status code (5.1.1), a reply code (550), or a server's whole answer
    #[arg(required = true, value_name = "CODE")]
    code: Vec<String>,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let desk = Desk::open(&setting.storeless_options())?;
    let book = desk.rules();
    let text = args.code.join(" ");
    let (reply, status) = codes(&text);
    if reply.is_none() && status.is_none() {
        return Err(Failure::usage(format!("no status or reply code in \"{text}\""))
            .hint("give one such as 5.1.1, 550 or \"550 5.7.26\""));
    }
    if let Some(status) = status {
        explain_status(status, book, out)?;
    }
    if let Some(reply) = reply {
        explain_reply(reply, book, out)?;
    }
    let question =
        Question { replies: reply.as_slice(), statuses: status.as_slice(), text: &text, hosts: &[], domain: "" };
    match book.ask(&question) {
        Some(answer) => {
            let words = book.words(answer.cause);
            writeln!(out)?;
            field(out, "Cause", &format!("{} ({})", words.title, answer.cause))?;
            wrapped(out, "Meaning", answer.meaning.unwrap_or(&words.explanation))?;
            wrapped(out, "Next step", answer.next_step.unwrap_or(&words.next_step))?;
            field(out, "Who acts", words.who_acts.slug())?;
            field(out, "Rule", &visible(&answer.rule))?;
        }
        None => {
            writeln!(out)?;
            wrapped(out, "Cause", &format!("{}: the code alone does not say", book.words(Cause::Unclear).title))?;
        }
    }
    Ok(Outcome::Done)
}

fn explain_status(status: Status, book: &RuleBook, out: &mut dyn Write) -> Result<()> {
    let class = match status.class {
        Class::Success => "success",
        Class::Transient => "not delivered so far; the sending server may still be trying",
        Class::Permanent => "given up; sending it again unchanged will not help",
    };
    let row = book.status(status);
    let title = row.map_or("not a registered code; servers may say what they like with it", |row| row.title.as_str());
    field(out, &status.to_string(), title)?;
    field(out, "", &format!("{}: {class}", status.class.digit()))?;
    if let Some(row) = row {
        field(out, "", &row.source)?;
    }
    Ok(())
}

fn explain_reply(code: u16, book: &RuleBook, out: &mut dyn Write) -> Result<()> {
    let row = book.reply(code);
    let title = row.map_or("not a reply code of any standard", |row| row.title.as_str());
    field(out, &code.to_string(), title)?;
    let class = match code / 100 {
        2 => "accepted",
        3 => "go on: the server waits for more",
        4 => "refused for now; the sending server tries again",
        _ => "refused for good; sending it again unchanged will not help",
    };
    field(out, "", &format!("{}yz: {class}", code / 100))?;
    if let Some(row) = row {
        field(out, "", &row.source)?;
        if let Some(note) = &row.note {
            wrapped(out, "", note)?;
        }
    }
    Ok(())
}

/// The first reply code (RFC 5321 section 4.2) and the first status code (RFC 3463) in a text. `550-5.1.1`, the form of
/// all but the last line of an answer, is both.
pub(super) fn codes(text: &str) -> (Option<u16>, Option<Status>) {
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.')).map(|word| word.trim_matches('.'));
    let (mut reply, mut status) = (None, None);
    for word in words.filter(|word| !word.is_empty()) {
        let code = word.parse::<u16>().ok().filter(|code| word.len() == 3 && (200..600).contains(code));
        reply = reply.or(code);
        status = status.or_else(|| word.parse::<Status>().ok());
    }
    (reply, status)
}

#[cfg(test)]
mod tests {
    use super::codes;

    #[test]
    fn codes_are_found_as_servers_write_them() {
        for (text, reply, status) in [
            ("5.1.1", None, Some("5.1.1")),
            ("550", Some(550), None),
            ("550 5.7.26", Some(550), Some("5.7.26")),
            ("550-5.1.1 The email account", Some(550), Some("5.1.1")),
            ("#5.1.1 smtp;554 (x)", Some(554), Some("5.1.1")),
            ("[192.0.2.7] said 452 4.2.2.", Some(452), Some("4.2.2")),
            ("hello", None, None),
            ("99", None, None),
            ("3.1.1", None, None),
        ] {
            assert_eq!(codes(text), (reply, status.map(|status| status.parse().unwrap())), "{text:?}");
        }
    }
}
