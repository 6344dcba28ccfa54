//! Damage of every kind done to the corpus, with a fixed seed and a fixed count; and the shapes made to hurt a parser.
//!
//! What must hold for any bytes: no panic, an end, the same answer twice, no bounce without a recipient.

use std::path::Path;
use std::time::{Duration, Instant};

use bounceback::diagnose::{Context, diagnose, explain, is_candidate};

use crate::golden;

/// SplitMix64: a generator that is the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

const PIECES: &[&str] = &[
    "\n--",
    "\n\n",
    "Content-Type: message/rfc822\n\n",
    "Content-Type: multipart/report; boundary=\"\n",
    "Final-Recipient: rfc822;",
    "Status: ",
    "550 5.1.1 ",
    "<@>",
    "=?utf-8?q?",
    "\u{1b}$B",
    "+AGE-",
    "{",
    "<!--",
    "&#x110000;",
    "\r",
    "\0",
    "@",
    ">>> RCPT TO:<",
    "<<< 4",
];

fn damage(mail: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = mail.to_vec();
    for _ in 0..1 + random.below(6) {
        let at = random.below(out.len());
        match random.below(6) {
            0 => out.truncate(at),
            1 => {
                let end = (at + random.below(400)).min(out.len());
                out.drain(at..end);
            }
            2 => {
                let piece = PIECES[random.below(PIECES.len())].as_bytes();
                out.splice(at..at, piece.iter().copied());
            }
            3 => {
                let end = (at + random.below(200)).min(out.len());
                let copy = out[at..end].to_vec();
                let to = random.below(out.len());
                out.splice(to..to, copy);
            }
            _ => {
                if let Some(byte) = out.get_mut(at) {
                    *byte = random.next() as u8;
                }
            }
        }
        if out.is_empty() {
            break;
        }
    }
    out
}

#[test]
fn damaged_mails_never_break_it() {
    let mails: Vec<Vec<u8>> = golden::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus"), "eml")
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    let context = Context::default();
    let mut random = Random(20261123);
    for round in 0..3000 {
        let mail = damage(&mails[round % mails.len()], &mut random);
        let diagnosis = diagnose(&mail, &context);
        assert!(
            !diagnosis.kind.is_bounce() || !diagnosis.recipients.is_empty(),
            "a bounce without a recipient in round {round}"
        );
        assert_eq!(diagnosis, diagnose(&mail, &context), "round {round}");
        assert!(!explain(&diagnosis).contains('\u{1b}'));
        is_candidate(&mail);
    }
}

#[test]
fn shapes_made_to_hurt_cost_little() {
    let header = "From: MAILER-DAEMON@x.example\nSubject: failure notice\nReturn-Path: <>\n";
    let nested: String =
        (0..16_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")).collect();
    let messages = "Content-Type: message/rfc822\n\n".repeat(100_000);
    let missing = format!(
        "Content-Type: multipart/mixed; boundary=a\n\n{}",
        "--a\nContent-Type: multipart/mixed; boundary=zzz\n\n".repeat(20_000)
    );
    let base64 = format!("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{}", "QUFB\n".repeat(400_000));
    let bomb = format!(
        "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{}\n--a--\n",
        "Q29udGVudC1UeXBlOiBtZXNzYWdlL3JmYzgyMgoK\n".repeat(20_000)
    );
    let recipients: String = (0..50_000)
        .map(|n| format!("Final-Recipient: rfc822; u{n}@x.example\nAction: failed\nStatus: 5.1.1\n\n"))
        .collect();
    let shapes = [
        ("100,000 headers", format!("{header}{}\n", "X-Odd: value\n".repeat(100_000))),
        ("one endless header", format!("{header}X-Odd: {}\n\n", " a\n".repeat(500_000))),
        ("16,000 nestings", format!("{header}{nested}")),
        ("messages in messages", format!("{header}{messages}")),
        ("parts without their boundary", format!("{header}{missing}")),
        ("much base64", format!("{header}{base64}")),
        ("a bomb in base64", format!("{header}{bomb}")),
        (
            "50,000 recipients",
            format!(
                "{header}Content-Type: multipart/report; boundary=r\n\n--r\nContent-Type: message/delivery-status\n\n{recipients}"
            ),
        ),
        ("brackets", format!("{header}\n{}", "<<<<@>>>>".repeat(100_000))),
        ("addresses", format!("{header}\n{}", "<a@b.example>: ".repeat(100_000))),
        ("tags", format!("{header}Content-Type: text/html\n\n{}", "<td>&amp;<!-- ".repeat(100_000))),
        ("statuses", format!("{header}\n<a@b.example>:\n{}", "5.1.1.".repeat(100_000))),
        ("empty lines", format!("{header}\n{}", "\n".repeat(2_000_000))),
        ("dashes", format!("{header}Content-Type: multipart/mixed; boundary=b\n\n{}", "--\n".repeat(1_000_000))),
        ("encoded words", format!("Subject: {}\n\n", "=?utf-8?q?a?= ".repeat(100_000))),
    ];
    let context = Context::default();
    for (name, mail) in shapes {
        let start = Instant::now();
        // a small stack: whatever grows with the mail must not grow there
        let context = context.clone();
        let size = mail.len();
        let worker =
            std::thread::Builder::new().stack_size(512 * 1024).spawn(move || diagnose(mail.as_bytes(), &context));
        worker.unwrap().join().unwrap();
        let spent = start.elapsed();
        assert!(spent < Duration::from_secs(20), "{name}: {spent:?} for {size} bytes");
    }
}
