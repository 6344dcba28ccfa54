//! Damage of every kind done to the corpus, with a fixed seed and a fixed count. `fuzz/` does the same with no end.
//!
//! What must hold for any bytes: no panic, an end, the same answer twice, no bounce without a recipient.

use std::path::Path;

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
