//! From opening the demo to an exported correction with the text to send again on the clipboard: six keys, on a real
//! terminal.

use crate::pty::Terminal;

#[test]
fn six_keys_from_the_demo_to_an_exported_correction_and_the_text_to_send_again() {
    let mut terminal = Terminal::run(&["demo"], &[]);
    terminal.see("anna.berg@gmail.com");
    let mut keys = 0;
    for (key, seen) in [
        ("a", "saved: 1 anna.berg@gmial.com"),
        ("Y", "corrected last"),
        ("R", "sent to the terminal's clipboard: the answer to anna.berg@gmail.com"),
        ("w", "Corrected addresses"),
        ("c", "corrections"),
        ("\r", "written: 1 line"),
    ] {
        terminal.type_(key.as_bytes());
        terminal.see(seen);
        keys += 1;
    }
    assert!(keys <= 6);
    let sent = terminal.all.windows(7).rposition(|bytes| bytes == b"\x1b]52;c;").expect("an OSC 52 sequence");
    let copied = decoded(terminal.all[sent + 7..].iter().copied());
    assert_eq!(
        copied,
        "Our answer of 6 November 2026 could not be delivered. Here it is again.\n\nHello Anna,\n\n\
         the replacement lamp left our warehouse this morning. You should have it\n\
         on Tuesday; there is nothing more you need to do.\n\nBest regards,\nMia, Company Support\n"
    );
    let exported: Vec<_> =
        std::fs::read_dir(terminal.home.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let csv = exported.iter().find(|path| path.extension().is_some_and(|extension| extension == "csv")).unwrap();
    let csv = std::fs::read_to_string(csv).unwrap();
    assert!(
        csv.lines().nth(1).unwrap().starts_with("anna.berg@gmial.com,anna.berg@gmail.com,Anna Berg,TYPJD8-R6S8,"),
        "{csv}"
    );
    terminal.type_(b"q");
    terminal.end();
}

/// Base64 up to the first byte that is none.
fn decoded(bytes: impl Iterator<Item = u8>) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for value in bytes.map_while(|byte| LETTERS.iter().position(|letter| *letter == byte)) {
        bits = bits << 6 | value as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held & 0xff) as u8);
        }
    }
    String::from_utf8(out).unwrap()
}
