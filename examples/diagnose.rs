//! The library in a few lines: `cargo run --example diagnose -- FILE...` prints one JSON object per mail.

use std::io::Write;

use bounceback::diagnose::{Context, diagnose};

fn main() -> std::io::Result<()> {
    let context = Context::default();
    let mut out = std::io::stdout().lock();
    // the words of the command line, so that tools made for `bounceback diagnose --json` can run this too
    for path in std::env::args().skip(1).filter(|word| word != "diagnose" && word != "--json") {
        let diagnosis = diagnose(&std::fs::read(&path)?, &context);
        let mut line = serde_json::to_value(&diagnosis)?;
        if let Some(object) = line.as_object_mut() {
            object.insert("source".to_owned(), path.into());
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}
