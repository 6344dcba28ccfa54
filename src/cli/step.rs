//! `bounceback step`: the queue, case by case; with `--plain` as numbered questions in lines of text.

use std::io::Write;

use super::failure::Result;
use super::screen::{Screen, Show};
use super::setting::Setting;

/// How to step.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "--plain writes and reads lines: no colours, no cursor. Made for screen readers, TERM=dumb and scripts. \
    Type ? there for the answers it takes.\n\n\
    Examples:\n  bounceback step --plain\n  printf \"a\\nq\\n\" | bounceback step --plain"
)]
pub(super) struct Args {
    /// Ask on standard output, read the answers from standard input
    #[arg(long)]
    plain: bool,
}

pub(super) fn run(args: &Args, setting: &Setting, show: Show, out: &mut dyn Write) -> Result {
    let plain = args.plain;
    // Questions in lines do not fetch: what a script steps through must not change under it.
    let screen = if plain { Screen::offline(setting)? } else { Screen::of(setting)? };
    Screen { plain, ..screen }.show(show, setting, out)
}
