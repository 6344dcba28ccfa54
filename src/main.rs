//! The program. The one place that knows both faces: it hands the command line a screen.

use std::process::ExitCode;

use bounceback::cli::{self, Screen};

fn main() -> ExitCode {
    cli::run(screen)
}

fn screen(_: Screen) -> Result<Option<String>, Box<dyn std::error::Error>> {
    Err("this build has no screen yet".into())
}
