//! `bounceback completions` and `bounceback man`: made from the same definitions as the command line itself.

use std::io::Write;
use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

use super::args;
use super::failure::{Failure, Outcome, Result};
use super::setting::shown;
use crate::stdx::why;

/// Which shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    bounceback completions bash > ~/.local/share/bash-completion/completions/bounceback\n  \
    bounceback completions zsh > ~/.zfunc/_bounceback\n  \
    bounceback completions fish > ~/.config/fish/completions/bounceback.fish")]
pub(super) struct Completions {
    /// The shell they are for
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// Where the pages go.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  bounceback man ~/.local/share/man/man1 && man bounceback-export")]
pub(super) struct Man {
    /// An existing folder; one page for each command is written into it
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn completions(asked: &Completions, out: &mut dyn Write) -> Result {
    let mut text = Vec::new();
    clap_complete::generate(asked.shell, &mut args::Args::command(), "bounceback", &mut text);
    out.write_all(&text)?;
    Ok(Outcome::Done)
}

pub(super) fn man(asked: &Man, out: &mut dyn Write) -> Result {
    let folder = &asked.folder;
    clap_mangen::generate_to(args::Args::command(), folder).map_err(|error| {
        Failure::new(format!("could not write the pages into \"{}\": {}", folder.display(), why(&error)))
            .hint("give a folder that exists and is yours")
    })?;
    writeln!(out, "written into {}", shown(folder))?;
    Ok(Outcome::Done)
}
