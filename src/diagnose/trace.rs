//! Why this verdict, step by step: what was read, which rules fitted, which one decided.

use std::fmt::Write;

use super::{Context, classify, collect, explain, forwarded, kind, merge};
use crate::mail::{Mail, normalise};
use crate::model::Kind;

/// Most rules shown for one recipient.
const MAX_RULES: usize = 12;

/// The trace of one mail, for `rules trace`.
pub fn trace(mail: &[u8], context: &Context) -> String {
    let raw = normalise(mail);
    let mut out = String::new();
    steps(&mut out, &Mail::read(&raw), context, 0);
    let _ = writeln!(out, "\n{}", explain(&super::diagnose(&raw, context)));
    out
}

/// The steps for one mail, and for the notice it carries.
fn steps(out: &mut String, mail: &Mail<'_>, context: &Context, depth: usize) {
    let gathered = collect::gather(mail, collect::Copy::attached(mail).as_ref(), context);
    let verdict = kind::decide(mail, &gathered);
    let _ = writeln!(out, "parts");
    for (index, part) in mail.parts.iter().enumerate() {
        let _ = writeln!(
            out,
            "  {:<6} {:?}, {} bytes, body from line {}",
            mail.part_number(index),
            part.kind,
            part.body.len(),
            part.line + 1
        );
    }
    let family = gathered
        .format
        .map_or("none".to_owned(), |format| format!("{} ({}; {})", format.family, format.title, format.source));
    let _ = writeln!(out, "format   {family}");
    let hints: Vec<&str> = gathered.hints.iter().map(|(_, name)| *name).collect();
    let _ = writeln!(out, "hints    {}", if hints.is_empty() { "none".to_owned() } else { hints.join(", ") });
    let _ = writeln!(out, "kind     {verdict}");
    if depth < crate::mail::MAX_NESTED {
        let mut inside = String::new();
        forwarded::open(mail, &gathered, verdict, context, |mail, _| steps(&mut inside, mail, context, depth + 1));
        if !inside.is_empty() {
            let _ = writeln!(out, "\nthe notice inside\n{inside}");
        }
    }
    recipients(out, mail, &gathered, verdict, context);
}

/// Every recipient with the rules that fitted.
fn recipients(out: &mut String, mail: &Mail<'_>, gathered: &collect::Gathered<'_>, verdict: Kind, context: &Context) {
    for record in &gathered.report.recipients {
        let Some(merged) = merge::recipient(mail, record, kind::unsaid(verdict)) else { continue };
        let _ = writeln!(out, "\nrecipient {}", visible(merged.address.as_str()));
        let (answer, asked) = classify::ask(&merged, &context.rules, gathered.reporter.mta.as_deref());
        let _ = writeln!(
            out,
            "  reply {}, status {}",
            merged.reply.map_or("none".to_owned(), |code| code.to_string()),
            merged.status.map_or("none".to_owned(), |status| status.to_string())
        );
        let candidates = asked.with(|question| {
            let _ = writeln!(out, "  matched text: {}", visible(question.text));
            context.rules.candidates(question)
        });
        for (rule, weight) in candidates.into_iter().take(MAX_RULES) {
            let _ = writeln!(
                out,
                "  fits: {:<40} {} ({}, {weight} bytes of wording)",
                rule.id,
                rule.cause,
                rule.tier.name()
            );
        }
        match answer {
            Some(answer) => {
                let _ = writeln!(out, "  decided: {} = {} by {}", answer.rule, answer.cause, answer.tier.name());
            }
            None => {
                let fallback = gathered.format.and_then(|format| format.cause);
                let _ = writeln!(
                    out,
                    "  decided: {}",
                    fallback.map_or("nothing fits: unclear".to_owned(), |cause| format!(
                        "{cause}, because the format says so"
                    ))
                );
            }
        }
    }
}

fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The families whose marks a mail bears; more than one is a fault of the tables, and a test sees to it.
pub fn families(mail: &[u8], context: &Context) -> Vec<String> {
    let raw = normalise(mail);
    collect::families(&Mail::read(&raw), context)
}
