//! The report as lines for a terminal or a mail, and as Markdown.

use std::io::{self, Write};

use super::{Count, Report, period, summary, tables};
use crate::model::Zone;
use crate::stdx::visible;

/// Columns of the longest bar.
const BAR: u64 = 30;

/// Plain text with bars of `#`.
///
/// # Errors
/// When `out` cannot be written.
pub fn plain(report: &Report, zone: &Zone, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Bounces, {}\n", period(report, zone))?;
    for (label, value) in summary(report) {
        writeln!(out, "{label:<28}{value}")?;
    }
    for (heading, rows) in tables(report) {
        writeln!(out, "\n{heading}")?;
        let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
        let width = rows.iter().map(|(name, _)| visible(name).chars().count()).max().unwrap_or(0).clamp(10, 40);
        for (name, count) in &rows {
            let bar = "#".repeat(usize::try_from((count * BAR).div_ceil(most)).unwrap_or(0));
            writeln!(out, "{}", format!("  {:<width$} {count:>6}  {bar}", visible(name)).trim_end())?;
        }
    }
    failed(report, out, "\nCorrections that failed", "  ")
}

/// Markdown, for a ticket or a chat.
///
/// # Errors
/// When `out` cannot be written.
pub fn markdown(report: &Report, zone: &Zone, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Bounces, {}\n", period(report, zone))?;
    for (label, value) in summary(report) {
        writeln!(out, "- {label}: {value}")?;
    }
    for (heading, rows) in tables(report) {
        writeln!(out, "\n## {heading}\n\n| | cases |\n|---|---:|")?;
        rows.iter().try_for_each(|(name, count): &Count| writeln!(out, "| {} | {count} |", inline(name)))?;
    }
    failed(report, out, "\n## Corrections that failed\n", "- ")
}

fn failed(report: &Report, out: &mut dyn Write, heading: &str, mark: &str) -> io::Result<()> {
    if report.failed.is_empty() {
        return Ok(());
    }
    writeln!(out, "{heading}")?;
    for (case, ticket) in &report.failed {
        let ticket = ticket.as_ref().map(|ticket| format!(", ticket {}", inline(ticket))).unwrap_or_default();
        writeln!(out, "{mark}case {case}{ticket}")?;
    }
    Ok(())
}

/// Foreign text that forms no Markdown.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for c in visible(text).chars() {
        if "\\`*_{}[]<>~&|#".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::sample;

    #[test]
    fn text_and_markdown_say_the_same_and_name_nobody() {
        let (mut plain_text, mut marked) = (Vec::new(), Vec::new());
        plain(&sample(), &Zone::UTC, &mut plain_text).unwrap();
        markdown(&sample(), &Zone::UTC, &mut marked).unwrap();
        let (plain_text, marked) = (String::from_utf8(plain_text).unwrap(), String::from_utf8(marked).unwrap());
        assert!(
            plain_text.starts_with("Bounces, 2026-11-01 to 2026-11-24\n\nCases                       4 (4 notices)\n"),
            "{plain_text}"
        );
        assert!(plain_text.contains("  mailbox-unknown      3  ##############################\n"), "{plain_text}");
        assert!(plain_text.contains("Bounce to decision, median  2 h 0 min"), "{plain_text}");
        assert!(marked.contains("| gmial.com | 2 |\n") && marked.contains("| \\<b\\>.example | 1 |"), "{marked}");
        assert!(marked.contains("- case b, ticket AB-1"), "{marked}");
        for text in [plain_text, marked] {
            assert!(!text.contains('@'), "{text}");
        }
    }
}
