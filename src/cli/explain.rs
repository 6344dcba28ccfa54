//! `bounceback explain`: what a code means, without a mail.

use std::io::Write;

use super::diagnose::lines;
use super::failure::{Failure, Outcome, Result};
use super::setting::Setting;
use crate::desk;
use crate::diagnose::explain_code;

/// What to explain.
#[derive(Debug, clap::Args)]
#[command(after_help = "Given more of the server's words, the wording counts more than the codes.\n\n\
    Examples:\n  bounceback explain 5.1.1\n  bounceback explain 550\n  bounceback explain \"550 5.7.26\"\n  \
    bounceback explain \"552 5.2.2 Mailbox size limit exceeded\"")]
pub(super) struct Args {
    /// A status code (5.1.1), a reply code (550), a provider's mark (S3150), or a server's whole answer
    #[arg(required = true, value_name = "CODE")]
    code: Vec<String>,
}

pub(super) fn run(args: &Args, setting: &Setting, out: &mut dyn Write) -> Result {
    let context = desk::context(&setting.storeless_options())?;
    let text = args.code.join(" ");
    let Some(words) = explain_code(&context.rules, &text) else {
        let failure = Failure::usage(format!("no status, reply code or mark of a provider in \"{text}\""));
        return Err(failure.hint("give one such as 5.1.1, 550, \"550 5.7.26\" or S3150"));
    };
    lines(&words, out)?;
    Ok(Outcome::Done)
}
