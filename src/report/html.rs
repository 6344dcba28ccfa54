//! The report as one page that needs nothing else: no script, no font, no picture from elsewhere. Plots are inline SVG.
//!
//! Invariant: foreign text is escaped; the page asks for nothing (its policy forbids it) and holds no link.

use std::fmt::Write as _;

use super::{Count, Report, period, summary, tables};
use crate::model::Zone;
use crate::stdx::visible;

/// Width of a plot in its own units.
const WIDTH: u64 = 640;
/// Height of one bar with the space to the next.
const ROW: u64 = 24;
/// Where bars begin: the names stand before it.
const NAMES: u64 = 200;
/// Height of the columns of a plot over time.
const TALL: u64 = 140;
/// Characters of a name that fit before the bars.
const NAME: usize = 28;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1d2327;--soft:#5b6770;--page:#fff;--line:#dfe3e6;--bar:#2f6f9f}\
@media(prefers-color-scheme:dark){:root{--ink:#e6eaed;--soft:#9fabb4;--page:#14181b;--line:#333b41;--bar:#6aaede}}\
body{margin:2rem auto;max-width:44rem;padding:0 1rem;background:var(--page);color:var(--ink);\
font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif}\
h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}p.time{color:var(--soft);margin:.2rem 0 1.5rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.5rem;margin:0}dt{color:var(--soft)}dd{margin:0}\
svg{width:100%;height:auto;display:block}svg text{fill:var(--ink);font-size:13px}svg .soft{fill:var(--soft)}\
svg rect{fill:var(--bar)}svg line{stroke:var(--line)}li{margin:.1rem 0}\
@media print{body{margin:0}}";

/// The page.
pub fn page(report: &Report, zone: &Zone) -> String {
    let time = escaped(&period(report, zone));
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Bounces, {time}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Bounces</h1>\n<p class=\"time\">{time}</p>\n<dl>\n"
    );
    for (label, value) in summary(report) {
        let _ = writeln!(out, "<dt>{label}</dt><dd>{}</dd>", escaped(&value));
    }
    out.push_str("</dl>\n");
    for (heading, rows) in tables(report) {
        let _ = writeln!(out, "<h2>{heading}</h2>");
        out.push_str(&if heading == "By week" { columns(heading, &rows) } else { bars(heading, &rows) });
    }
    if !report.failed.is_empty() {
        out.push_str("<h2>Corrections that failed</h2>\n<ul>\n");
        for (case, ticket) in &report.failed {
            let ticket = ticket.as_ref().map(|ticket| format!(", ticket {}", escaped(ticket))).unwrap_or_default();
            let _ = writeln!(out, "<li>case {}{ticket}</li>", escaped(case));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</body>\n</html>\n");
    out
}

/// Horizontal bars, one for each name.
fn bars(heading: &str, rows: &[Count]) -> String {
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
    let height = ROW * rows.len() as u64;
    let mut out = opened(heading, height);
    for (at, (name, count)) in (0..).zip(rows) {
        let (top, length) = (at * ROW, (count * (WIDTH - NAMES - 60)).div_ceil(most));
        let (text, middle) = (shortened(name), top + 16);
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{text}</text>\
             <rect x=\"{NAMES}\" y=\"{}\" width=\"{length}\" height=\"16\" rx=\"2\"/>\
             <text class=\"soft\" x=\"{}\" y=\"{middle}\">{count}</text>",
            NAMES - 10,
            top + 3,
            NAMES + length + 8
        );
    }
    out.push_str("</svg>\n");
    out
}

/// Columns over time; only as many names as fit.
fn columns(heading: &str, rows: &[Count]) -> String {
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
    let step = WIDTH / (rows.len() as u64).max(1);
    let width = (step * 7 / 10).clamp(2, 48);
    let named = 90_u64.div_ceil(step.max(1)).max(1);
    let mut out = opened(heading, TALL + 44);
    let _ = writeln!(out, "<line x1=\"0\" y1=\"{0}\" x2=\"{WIDTH}\" y2=\"{0}\"/>", TALL + 20);
    for (at, (name, count)) in (0..).zip(rows) {
        let (middle, height) = (at * step + step / 2, (count * TALL).div_ceil(most));
        if *count > 0 {
            let _ = write!(
                out,
                "<rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\" rx=\"2\"/>\
                 <text class=\"soft\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{count}</text>",
                middle.saturating_sub(width / 2),
                TALL + 20 - height,
                TALL + 14 - height
            );
        }
        if at % named == 0 {
            let _ = write!(
                out,
                "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                TALL + 38,
                shortened(name)
            );
        }
        out.push('\n');
    }
    out.push_str("</svg>\n");
    out
}

fn opened(heading: &str, height: u64) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{heading}\">\n")
}

/// A name that fits before its bar, escaped.
fn shortened(name: &str) -> String {
    let name = visible(name);
    if name.chars().count() <= NAME {
        return escaped(&name);
    }
    let head: String = name.chars().take(NAME - 1).collect();
    escaped(&format!("{head}…"))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::sample;

    #[test]
    fn the_page_stands_alone_and_escapes_what_is_foreign() {
        let page = page(&sample(), &Zone::UTC);
        assert!(page.contains("&lt;b&gt;.example") && !page.contains("<b>"), "{page}");
        for foreign in ["http", "src=", "href", "<script", "url(", "@b"] {
            assert!(!page.replace("http-equiv", "").contains(foreign), "{foreign}: {page}");
        }
        assert_eq!(page.matches("<svg").count(), 5);
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    }
}
