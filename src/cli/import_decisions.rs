//! `bounceback import-decisions`: a team's own table of past corrections becomes evidence for suggestions.

use std::io::Write;
use std::path::PathBuf;

use super::failure::{Failure, Outcome, Result};
use super::setting::{self, Setting, shown};
use crate::stdx::{counted, why};

/// Which table.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The table is comma-, semicolon- or tab-separated, with one line per correction: the old address and the \
    new one. They are taken from the columns that its heading calls old (old_address, from, before, wrong) and new \
    (new_address, to, after, right), else from the first two. An export of \"bounceback export\" can be read back. A second \
    time adds nothing.\n\nWhere only the domain differs it becomes a rule: gmial.com was corrected to gmail.com. Nothing \
    is decided by it: it feeds the suggestions.\n\n\
    Examples:\n  bounceback import-decisions corrections-2025.csv\n  bounceback suggest bo@gmial.com"
)]
pub(super) struct Args {
    /// The table; "-" is standard input
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let read = if args.file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read(&args.file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let text =
        read.map_err(|error| Failure::new(format!("could not read \"{}\": {}", args.file.display(), why(&error))))?;
    let learned = setting.desk_to_write()?.learn(&text, &args.file, setting::now())?;
    for (line, why) in learned.refused.iter().take(10) {
        super::complain(&Failure::new(format!("line {line} of \"{}\" is left out: {why}", args.file.display())));
    }
    if learned.new == 0 && learned.known == 0 && learned.refused.is_empty() {
        let what = format!("no correction was found in \"{}\"", args.file.display());
        return Err(Failure::new(what).hint("it needs a column of old addresses and one of new ones"));
    }
    let (new, known) = (counted(learned.new as u64, "new correction"), learned.known);
    let refused = counted(learned.refused.len() as u64, "line");
    setting.log.line(&format!("import-decisions: {new} from {}", shown(&args.file)));
    writeln!(out, "{new}, {known} known, {refused} left out")?;
    Ok(if learned.refused.is_empty() { Outcome::Done } else { Outcome::Partly })
}
