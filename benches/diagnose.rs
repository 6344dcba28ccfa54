//! Speed of the engine beside bare `mail-parser` on the same bytes, and how fast the rule book is ready.
//!
//! `cargo bench --bench diagnose`. Measures CPU on one thread. Uses the public corpus beside the project when it is there,
//! else the samples in `tests/corpus`. Beside p5-sisimai when Debian's libsisimai-perl is installed. Budgets: `diagnose()`
//! at most 2.5 times bare mail-parser, the rule book ready in under 20 ms.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bounceback::diagnose::{Context, diagnose};
use bounceback::rules::RuleBook;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let public = root.join("../shared/corpus/public/mail");
    let folder = if public.is_dir() { public } else { root.join("tests/corpus") };
    let mut paths = Vec::new();
    collect(&folder, &mut paths);
    paths.sort();
    let mails: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let bytes: usize = mails.iter().map(Vec::len).sum();
    println!(
        "{} mails, {} bytes on average, from {}",
        mails.len(),
        bytes / mails.len().max(1),
        folder.file_name().unwrap().to_string_lossy()
    );

    let start = Instant::now();
    let (book, errors) = RuleBook::with_files(&[]);
    black_box(book.ask(&bounceback::rules::Question { text: "550 5.1.1 user unknown", ..Default::default() }));
    let ready = start.elapsed();
    assert!(errors.is_empty(), "{errors:?}");
    println!("rule book ready in            {ready:>10.2?}   (budget 20 ms)");

    let context = Context { rules: book, ..Context::default() };
    let parser = mail_parser::MessageParser::default();
    // both in turns, so that a busy machine slows both
    let (mut ours, mut bare, mut rounds) = (Vec::new(), Vec::new(), 0);
    let begin = Instant::now();
    while rounds < 5 || (begin.elapsed() < Duration::from_secs(6) && rounds < 60) {
        let start = Instant::now();
        for mail in &mails {
            black_box(diagnose(black_box(mail), &context));
        }
        ours.push(start.elapsed());
        let start = Instant::now();
        for mail in &mails {
            black_box(parser.parse(black_box(mail.as_slice())));
        }
        bare.push(start.elapsed());
        rounds += 1;
    }
    let best = |times: &[Duration]| {
        times.iter().min().copied().unwrap_or_default().as_secs_f64() * 1e6 / mails.len().max(1) as f64
    };
    let (ours, bare) = (best(&ours), best(&bare));
    println!("diagnose()                    {ours:>8.1} µs per mail");
    println!("bare mail-parser              {bare:>8.1} µs per mail");
    println!("diagnose() / mail-parser      {:>8.2}              (budget 2.5)", ours / bare);
    sisimai(&folder, mails.len());
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|kind| kind == "eml") {
            paths.push(path);
        }
    }
}

/// The same mails through p5-sisimai, its start not counted.
fn sisimai(folder: &Path, count: usize) {
    // "rise" in version 5, "make" in version 4, which Debian has
    let script = "use Sisimai; use Time::HiRes 'time'; my $how = Sisimai->can('rise') ? 'rise' : 'make'; my $t = time; \
                  Sisimai->$how($_) for @ARGV; printf('%.1f', (time - $t) * 1e6 / (@ARGV || 1));";
    let mut paths = Vec::new();
    collect(folder, &mut paths);
    let output = Command::new("perl").arg("-e").arg(script).args(&paths).output();
    match output {
        Ok(output) if output.status.success() && count > 0 => {
            println!("p5-sisimai                    {:>8} µs per mail", String::from_utf8_lossy(&output.stdout))
        }
        _ => println!("p5-sisimai                    not installed (Debian: libsisimai-perl)"),
    }
}
