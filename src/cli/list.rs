//! `bounceback list`: every case in every state.

use std::io::{IsTerminal, Write};

use clap::ValueEnum;
use unicode_width::UnicodeWidthStr;

use super::failure::{Outcome, Result};
use super::setting::{self, Setting};
use crate::export::json::{self, CaseLine};
use crate::model::State;
use crate::stdx::visible;

/// Which cases, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = "Columns: case, address, state, cause, status, reply_code, reporter, ticket, corrected_to, \
    message_id, received, notices; \"-\" where nothing is known. Separated by tabs under a heading, or aligned on a \
    terminal. A case may be named by the first letters of its name.\n\n\
    Examples:\n  bounceback list --state new\n  bounceback list --json | jq -r 'select(.cause == \"mailbox-full\").address'")]
pub(super) struct Args {
    /// One JSON object per line instead
    #[arg(long)]
    json: bool,
    /// Leave the heading out
    #[arg(long, conflicts_with = "json")]
    no_heading: bool,
    /// Only cases in this state; may be given several times
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    state: Vec<StateName>,
}

/// A state as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StateName(pub(super) State);

impl ValueEnum for StateName {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: &[StateName] = &[
            StateName(State::New),
            StateName(State::Corrected),
            StateName(State::Retry),
            StateName(State::NotOurFault),
            StateName(State::Spam),
            StateName(State::Escalated),
            StateName(State::Done),
        ];
        ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.slug()))
    }
}

const COLUMNS: [&str; 12] = [
    "case",
    "address",
    "state",
    "cause",
    "status",
    "reply_code",
    "reporter",
    "ticket",
    "corrected_to",
    "message_id",
    "received",
    "notices",
];

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let now = setting::now();
    let mut cases = setting.desk_to_read()?.cases()?;
    cases.retain(|case| args.state.is_empty() || args.state.contains(&StateName(case.state)));
    let lines = cases.iter().map(|case| CaseLine::new(case, now));
    if args.json {
        for line in lines {
            json::line(&line, out)?;
        }
    } else if !cases.is_empty() {
        let heading = (!args.no_heading).then(|| COLUMNS.map(str::to_owned));
        let rows: Vec<_> = heading.into_iter().chain(lines.map(|line| cells(&line))).collect();
        if std::io::stdout().is_terminal() {
            aligned(&rows, out)?;
        } else {
            rows.iter().try_for_each(|row| writeln!(out, "{}", row.join("\t")))?;
        }
    }
    Ok(Outcome::Done)
}

/// The cells of a line, safe for a terminal and without tabs.
fn cells(line: &CaseLine) -> [String; 12] {
    let text = |text: Option<&str>| match text {
        None | Some("") => "-".to_owned(),
        Some(text) => visible(text).into_owned(),
    };
    [
        text(Some(&line.case.0)),
        text(Some(&line.address)),
        line.state.to_string(),
        line.cause.to_string(),
        text(line.status.map(|status| status.to_string()).as_deref()),
        text(line.reply_code.map(|code| code.to_string()).as_deref()),
        text(line.reporter.as_deref()),
        text(line.ticket.as_deref()),
        text(line.corrected_to.as_deref()),
        text(line.message_id.as_deref()),
        line.received.to_string(),
        line.notices.to_string(),
    ]
}

fn aligned(rows: &[[String; 12]], out: &mut dyn Write) -> std::io::Result<()> {
    let mut widths = [0; 12];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_can_be_typed() {
        let typed: Vec<State> = StateName::value_variants().iter().map(|name| name.0).collect();
        assert_eq!(typed, State::ALL);
    }

    #[test]
    fn columns_line_up_by_width_not_by_bytes() {
        let row = |address: &str| {
            let mut row = COLUMNS.map(|_| "-".to_owned());
            row[1] = address.to_owned();
            row
        };
        let mut out = Vec::new();
        aligned(&[COLUMNS.map(str::to_owned), row("你好@example.org"), row("a@b.example")], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lengths: Vec<usize> = text.lines().skip(1).map(UnicodeWidthStr::width).collect();
        assert!(text.starts_with("case  address "), "{text}");
        assert_eq!(lengths, [lengths[0]; 2], "{text}");
    }
}
