//! `bounceback schema`: the JSON Schema of `diagnose --json`.

use std::io::Write;

use super::failure::{Outcome, Result};

/// Takes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Fields may be added in later versions; they are never renamed and never change meaning.")]
pub(super) struct Args {}

const SCHEMA: &str = include_str!("../../assets/diagnosis.schema.json");

pub(super) fn run(out: &mut dyn Write) -> Result {
    out.write_all(SCHEMA.as_bytes())?;
    Ok(Outcome::Done)
}
