//! The report as one table of numbers, for a spreadsheet: what is counted, its name, the number.

use std::io::{self, Write};

use super::{Report, tables};

/// The columns, in order. Scripts rely on them.
pub const COLUMNS: [&str; 3] = ["what", "name", "value"];

/// Rows of numbers; times in seconds.
pub fn rows(report: &Report) -> Vec<[String; 3]> {
    let row = |what: &str, name: &str, value: u64| [what.to_owned(), name.to_owned(), value.to_string()];
    let mut rows = vec![
        row("total", "cases", report.cases),
        row("total", "notices", report.notices),
        row("total", "undecided", report.left),
        row("total", "corrections-proven", report.proven),
        row("total", "corrections-failed", report.failed.len() as u64),
        row("total", "corrections-open", report.open),
        row("total", "retries-due", report.retries_due),
    ];
    for (name, seconds) in [("decision-median-seconds", report.median), ("decision-90-percent-seconds", report.slow)] {
        rows.extend(seconds.map(|seconds| ["total".to_owned(), name.to_owned(), seconds.to_string()]));
    }
    for (heading, counts) in tables(report) {
        let what = heading.to_lowercase().replace(' ', "-").trim_start_matches("by-").to_owned();
        rows.extend(counts.into_iter().map(|(name, count)| [what.clone(), name, count.to_string()]));
    }
    rows
}

/// Comma-separated, each cell through the one door for tables (`cell`).
///
/// # Errors
/// When `out` cannot be written.
pub fn write(report: &Report, cell: &dyn Fn(&str) -> String, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))?;
    for row in rows(report) {
        let cells = row.map(|text| {
            let text = cell(&text);
            if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
        });
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(())
}
