//! `bounceback store`: is the store in order, a copy of it, a copy in its place. Needs no readable configuration.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::failure::{Failure, Outcome, Result};
use super::setting::{self, shown};
use crate::config::Paths;
use crate::stdx::{counted, visible};
use crate::store::{Deed, Health, Saved, Store};

/// What can be done with the store.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Look at every page and row of the store
    #[command(
        after_help = "Changes nothing. Exit code 1 means that something is wrong; then it says what can be saved, and how."
    )]
    Check,
    /// Copy the store into a file, also while it is in use
    #[command(
        after_help = "The copy is whole or absent, and readable by you only. It holds mails and addresses: keep it as you \
        keep the store.\n\nExample, for cron:\n  bounceback store backup --force ~/backup/bounceback.sqlite3"
    )]
    Backup {
        /// Where the copy goes
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Replace the file if there is one
        #[arg(long)]
        force: bool,
    },
    /// Put a copy in the place of the store, or what can be read of a damaged one
    #[command(after_help = "The store that was there is kept beside the new one.\n\n\
        Examples:\n  bounceback store restore ~/backup/bounceback.sqlite3\n  bounceback store restore --salvage")]
    Restore {
        /// A copy that "store backup" made
        #[arg(value_name = "FILE", required_unless_present = "salvage")]
        file: Option<PathBuf>,
        /// Take over what can be read of the damaged store
        #[arg(long, conflicts_with = "file")]
        salvage: bool,
    },
}

pub(super) fn run(action: &Action, paths: &Paths, out: &mut dyn Write) -> Result {
    let state_dir = paths.state_dir()?;
    match action {
        Action::Check => check(state_dir, out),
        Action::Backup { file, force } => {
            if !Store::exists(state_dir) {
                return Err(Failure::new(format!("there is no store in \"{}\"", state_dir.display())));
            }
            let mut store = Store::open_to_look(state_dir)?;
            store.backup(file, *force)?;
            writeln!(out, "copied to {}", shown(file))?;
            if store.is_writable()? {
                // "forget" looks for the person in every copy it knows of.
                let path = std::path::absolute(file).unwrap_or_else(|_| file.clone());
                store.record(Deed::Backup, Some(&path), "a copy of the store", setting::now(), &setting::login())?;
            } else {
                writeln!(
                    out,
                    "the store may only be read, so it does not know of this copy: \"forget\" will not name it"
                )?;
            }
            Ok(Outcome::Done)
        }
        Action::Restore { file: Some(file), .. } => {
            let restored = Store::restore(state_dir, file)?;
            writeln!(out, "restored: {}", contents(&restored.health))?;
            say_aside(restored.aside.as_deref(), out)
        }
        Action::Restore { file: None, .. } => {
            if Store::check(state_dir).is_ok_and(|health| health.faults.is_empty()) {
                return Err(Failure::new("the store is in order: there is nothing to salvage"));
            }
            let salvaged = Store::salvage(state_dir)?;
            say_saved(&salvaged.tables, out)?;
            writeln!(out, "the next pull reads the folders again and brings back what is missing")?;
            say_aside(salvaged.aside.as_deref(), out)
        }
    }
}

fn check(state_dir: &Path, out: &mut dyn Write) -> Result {
    if !Store::exists(state_dir) {
        writeln!(out, "no store yet in {}", shown(state_dir))?;
        return Ok(Outcome::Done);
    }
    let health = Store::check(state_dir)?;
    if health.faults.is_empty() {
        writeln!(out, "in order: {}", contents(&health))?;
        return Ok(Outcome::Done);
    }
    for fault in &health.faults {
        writeln!(out, "{}", visible(fault))?;
    }
    if !health.readable.is_empty() {
        writeln!(out, "\nwhat can be read:")?;
        say_saved(&health.readable, out)?;
    }
    Err(Failure::new(format!("the store in \"{}\" is damaged; nothing was changed", state_dir.display()))
        .hint("copy the folder away first; then \"bounceback store restore FILE\" with a backup,")
        .hint("or \"bounceback store restore --salvage\" takes over what can be read"))
}

fn contents(health: &Health) -> String {
    let tables: Vec<String> = health.tables.iter().map(|table| counted(table.rows, table.name)).collect();
    format!("{} (schema {})", tables.join(", "), health.schema)
}

fn say_saved(tables: &[Saved], out: &mut dyn Write) -> Result<()> {
    for table in tables.iter().filter(|table| table.rows > 0 || table.lost) {
        let rows = counted(table.rows, "row");
        let rest = if table.lost { ", and some that cannot" } else { "" };
        writeln!(out, "  {:<14} {rows}{rest}", visible(&table.table))?;
    }
    Ok(())
}

fn say_aside(aside: Option<&Path>, out: &mut dyn Write) -> Result {
    if let Some(aside) = aside {
        writeln!(out, "what was there before: {}", shown(aside))?;
    }
    Ok(Outcome::Done)
}
