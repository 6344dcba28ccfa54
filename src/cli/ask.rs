//! Questions on standard error, answers from the keyboard or, line by line, from a pipe.

use std::io::{self, IsTerminal, Write};

use super::failure::{Failure, Result};
use super::text::{columns, fitted};
use crate::model::Secret;
use crate::stdx::visible;

/// Somebody to ask.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker {
    /// Takes every proposal without asking.
    pub(super) yes: bool,
}

impl Asker {
    /// Whether a person sits at the keyboard, who may try again.
    pub(super) fn is_person(self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// A line of text; an empty answer is the proposal. `flag` says it on the command line instead.
    pub(super) fn line(self, question: &str, proposal: Option<&str>, flag: &str) -> Result<String> {
        if let (true, Some(proposal)) = (self.yes, proposal) {
            return Ok(proposal.to_owned());
        }
        let shown = proposal.map(|proposal| format!(" [{proposal}]")).unwrap_or_default();
        say(&format!("{question}{shown}: "));
        let answer = read_line(question, flag)?;
        match (answer.trim(), proposal) {
            ("", Some(proposal)) => Ok(proposal.to_owned()),
            ("", None) => Err(unanswered(question, flag)),
            (answer, _) => Ok(answer.to_owned()),
        }
    }

    /// A secret: typed without echo, or a line of the pipe.
    pub(super) fn secret(self, question: &str, flag: &str) -> Result<Secret> {
        let typed = Secret::new(if self.is_person() {
            let failed = |why: io::Error| Failure::new(format!("could not read the password: {why}"));
            rpassword::prompt_password(visible(&format!("{question}: ")).as_ref()).map_err(failed)?
        } else {
            say(&format!("{question}: \n"));
            read_line(question, flag)?
        });
        match typed.expose().trim_end_matches(['\r', '\n']) {
            "" => Err(unanswered(question, flag)),
            answer => Ok(Secret::new(answer.to_owned())),
        }
    }

    /// Yes or no; an empty answer is yes.
    pub(super) fn yes(self, question: &str, flag: &str) -> Result<bool> {
        let answer = self.line(&format!("{question} (y/n)"), Some("y"), flag)?;
        Ok(answer.to_lowercase().starts_with('y'))
    }

    /// One of several, by its number; an empty answer is the first.
    pub(super) fn choice(self, question: &str, choices: &[&str], flag: &str) -> Result<usize> {
        if choices.len() < 2 {
            return Ok(0);
        }
        for (number, choice) in choices.iter().enumerate() {
            say(&format!("  {}  {choice}\n", number + 1));
        }
        let answer = self.line(question, Some("1"), flag)?;
        let number = answer.parse::<usize>().ok().filter(|number| (1..=choices.len()).contains(number));
        number.map(|number| number - 1).ok_or_else(|| {
            Failure::usage(format!("{answer:?} is none of the choices 1 to {}", choices.len())).hint(flag)
        })
    }
}

fn say(words: &str) {
    let mut shown = String::new();
    for line in words.split_inclusive('\n') {
        shown.push_str(&visible(line.trim_end_matches('\n')));
        shown.push_str(if line.ends_with('\n') { "\n" } else { "" });
    }
    let prompt = shown.ends_with(": ");
    let mut shown = fitted(&shown, columns(io::stderr()));
    if prompt && shown.ends_with('\n') {
        shown.pop();
        shown.push_str(if shown.ends_with(' ') { "" } else { " " });
    }
    let _ = io::stderr().write_all(shown.as_bytes());
    let _ = io::stderr().flush();
}

fn read_line(question: &str, flag: &str) -> Result<String> {
    let mut line = String::new();
    match io::stdin().read_line(&mut line) {
        Ok(0) => {
            say("\n");
            Err(unanswered(question, flag))
        }
        Ok(_) => Ok(line),
        Err(why) => Err(Failure::new(format!("could not read an answer: {why}"))),
    }
}

fn unanswered(question: &str, flag: &str) -> Failure {
    Failure::usage(format!("nobody answered: {question}")).hint(flag)
}
