//! Mails made to hurt: whatever their shape, the work grows with their size and no faster, in little stack and memory.
//!
//! Time is never judged by the clock: the processor time of one size is compared with that of eight times the size, in one
//! run. Work in proportion gives 8, work that is quadratic 64. `tests/run --full` does it at full size.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bounceback::diagnose::{Context, diagnose, explain, is_candidate};
use bounceback::mail::MAX_RECIPIENTS;
use rustix::time::{ClockId, clock_gettime};

use crate::skip::skip;

/// Stack of the thread that diagnoses: whatever grows with the mail must not grow there.
const STACK: usize = 512 * 1024;

/// A name, what stands before, what is repeated (`#` is a number), and what stands behind.
type Shape = (&'static str, &'static str, &'static str, &'static str);

const NOTICE: &str = "From: MAILER-DAEMON@x.example\nSubject: failure notice\nReturn-Path: <>\n";
const REPORT: &str = "Content-Type: multipart/report; report-type=delivery-status; boundary=r\n\n--r\n\
    Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n";

const SHAPES: &[Shape] = &[
    ("headers", "", "X-Odd-#: value\n", "\n"),
    ("received lines", "", "Received: from a#.example by b.example; Thu, 1 Jan 2026 00:00:00 +0000\n", "\n"),
    ("one endless header", "X-Odd: ", " a\n", "\n\n"),
    ("an endless subject", "Subject: ", "failure notice ", "\n\n"),
    ("encoded words", "Subject: ", "=?utf-8?q?a?= ", "\n\n"),
    ("references", "References: ", "<a#@b.example> ", "\n\n"),
    ("blank lines in a header", "X-A: b\n", " \n\t\n", "X-C: d\n\n"),
    ("nested multiparts", "", "Content-Type: multipart/mixed; boundary=b#\n\n--b#\n", ""),
    ("messages in messages", "", "Content-Type: message/rfc822\n\n", ""),
    (
        "reports in reports",
        "",
        "Content-Type: multipart/report; boundary=b#\n\n--b#\nContent-Type: message/rfc822\n\n",
        "",
    ),
    (
        "parts whose boundary is missing",
        "Content-Type: multipart/mixed; boundary=a\n\n",
        "--a\nContent-Type: multipart/mixed; boundary=zzz\n\n",
        "",
    ),
    ("many parts", "Content-Type: multipart/mixed; boundary=a\n\n", "--a\n\nx <u#@y.example>: failed\n", "--a--\n"),
    ("dashes", "Content-Type: multipart/mixed; boundary=b\n\n", "--\n", ""),
    ("boundaries nearly right", "Content-Type: multipart/mixed; boundary=bbbbbbbb\n\n", "--bbbbbbbbb\n", ""),
    ("a long boundary", "Content-Type: multipart/mixed; boundary=\"", "b", "\"\n\n"),
    ("parameters", "Content-Type: multipart/mixed", "; a#=b", "\n\n"),
    ("base64", "Content-Transfer-Encoding: base64\n\n", "QUFBQUFBQUFBQUFB\n", ""),
    ("base64 that is none", "Content-Transfer-Encoding: base64\n\n", "QUFB!?\n", ""),
    (
        "a bomb in base64",
        "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n",
        "Q29udGVudC1UeXBlOiBtZXNzYWdlL3JmYzgyMgoK\n",
        "--a--\n",
    ),
    ("quoted-printable", "Content-Transfer-Encoding: quoted-printable\n\n", "=3D=\n", ""),
    ("UTF-7", "Content-Type: text/plain; charset=utf-7\n\n", "+AGE-", ""),
    ("escapes of ISO-2022-JP", "Content-Type: text/plain; charset=iso-2022-jp\n\n", "\u{1b}$B\u{1b}(B", ""),
    ("recipients", REPORT, "Final-Recipient: rfc822; u#@x.example\nAction: failed\nStatus: 5.1.1\n\n", ""),
    (
        "recipients with their replies",
        REPORT,
        "Final-Recipient: rfc822; u#@x.example\nAction: failed\nDiagnostic-Code: smtp; 550 <u#@x.example> moved to n#@x.example\n\n",
        "",
    ),
    (
        "recipients that leave all open",
        concat!(
            "Content-Type: multipart/report; boundary=r\n\n--r\n\n<a@b.example>: no\n--r\n",
            "Content-Type: message/delivery-status\n\n"
        ),
        "Final-Recipient: rfc822; u#@x.example\nAction: failed\n\n",
        "",
    ),
    ("a diagnostic full of addresses", REPORT, "", ""),
    ("listed recipients", "X-Failed-Recipients: ", "u#@x.example, ", "\n\n"),
    ("brackets", "\n", "<<<<@>>>>", ""),
    ("addresses on one line", "\n", "<a#@b.example>: ", ""),
    ("addresses on lines", "\n", "<a#@b.example>: 550 5.1.1 no\n\n", ""),
    ("at signs", "\n", "@", ""),
    ("one word", "\n<a@b.example>:\n", "a", ""),
    ("statuses", "\n<a@b.example>:\n", "5.1.1.", ""),
    ("replies", "\n<a@b.example>:\n", "550-5.1.1 ", ""),
    ("spaces", "\n<a@b.example>:\n550", " ", "550"),
    ("empty lines", "\n", "\n", ""),
    ("lines of one letter", "\n", "x\n", ""),
    ("carriage returns", "\n", "x\r", ""),
    ("colons", "\n", "A: \n", ""),
    ("tags", "Content-Type: text/html\n\n", "<td>&amp;<b", ""),
    ("comments", "Content-Type: text/html\n\n", "<!-- ", ""),
    ("scripts", "Content-Type: text/html\n\n", "<script>", ""),
    ("entities", "Content-Type: text/html\n\n", "&#x41;&bad", ""),
    (
        "a transcript",
        "\n   ----- The following addresses had permanent fatal errors -----\n<a@b.example>\n\n   ----- Transcript of session follows -----\n",
        ">>> RCPT To:<u#@b.example>\n<<< 550 no\n550 5.1.1 <u#@b.example>... User unknown\n",
        "",
    ),
    (
        "a transcript that names nobody",
        concat!(
            "\n   ----- The following addresses had permanent fatal errors -----\n<a@b.example>\n<c@d.example>\n\n",
            "   ----- Transcript of session follows -----\n"
        ),
        "451 words and more words of nobody\n",
        "",
    ),
    (
        "JSON",
        "\n{\"notificationType\":\"Bounce\",\"bounce\":{\"bouncedRecipients\":[",
        "{\"emailAddress\":\"u#@x.example\"},",
        "",
    ),
    ("JSON braces", "\n{\"notificationType\":\"Bounce\",\"bounce\":{\"bouncedRecipients\":[", "{\"a\":[", ""),
    ("quotations", "Auto-Submitted: auto-replied\n\n", "I have left, write to a#@b.example instead. ", ""),
];

/// The shape at about this size.
fn mail((name, before, repeated, behind): &Shape, size: usize) -> Vec<u8> {
    let mut out = format!("{NOTICE}{before}");
    if *name == "a diagnostic full of addresses" {
        out.push_str("Final-Recipient: rfc822; a@x.example\nAction: failed\nDiagnostic-Code: smtp; 551 moved");
    }
    let repeated = if repeated.is_empty() { " <u#@x.example>" } else { repeated };
    let mut number = 0;
    while out.len() < size {
        out.push_str(&repeated.replace('#', &number.to_string()));
        number += 1;
    }
    out.push_str(behind);
    out.into_bytes()
}

/// Near-phrases: every wording of the rule book without its last letter, over and over.
fn near_phrases(size: usize) -> Vec<u8> {
    let book = bounceback::rules::RuleBook::builtin();
    let phrases = book.rules().iter().flat_map(|rule| &rule.phrases).filter_map(|phrase| phrase.anchor());
    let text: Vec<&str> = phrases.map(|phrase| phrase.get(..phrase.len() - 1).unwrap_or_default()).collect();
    let text = text.join(" ");
    let mut out = format!("{NOTICE}\n<a@b.example>: 550 ");
    while out.len() < size {
        out.push_str(&text);
    }
    out.truncate(out.floor_char_boundary(size));
    out.into_bytes()
}

/// Processor time of one diagnosis in nanoseconds, on a thread with little stack.
fn cost(mail: &Arc<Vec<u8>>, context: &Context) -> u64 {
    let (mail, context) = (Arc::clone(mail), context.clone());
    let work = move || {
        // not what the scheduler writes into /proc: that is brought up to date a few hundred times a second only
        let spent = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
        let begin = spent();
        let diagnosis = diagnose(&mail, &context);
        let end = spent();
        assert!(!diagnosis.kind.is_bounce() || !diagnosis.recipients.is_empty());
        assert!(diagnosis.recipients.len() <= MAX_RECIPIENTS);
        is_candidate(&mail);
        drop(explain(&diagnosis));
        u64::try_from((end - begin).as_nanos()).unwrap()
    };
    std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap()
}

/// Compares the cost of a shape at a size and at eight times the size.
fn grows_no_faster(name: &str, small: Vec<u8>, large: Vec<u8>, context: &Context, wrong: &mut Vec<String>) {
    let (sizes, small, large) = ((small.len(), large.len()), Arc::new(small), Arc::new(large));
    // the least of several, taken in turns: what else the machine does only adds; work that grows with the square of the
    // size would take 64 times as long
    let (mut few, mut many) = (u64::MAX, u64::MAX);
    for _ in 0..40 {
        few = few.min(cost(&small, context));
        many = many.min(cost(&large, context));
        // what one diagnosis costs whatever the mail is no growth
        if many <= 16 * few.max(200_000) {
            return;
        }
    }
    wrong.push(format!("{name}: {few} ns for {} bytes, {many} ns for {}", sizes.0, sizes.1));
}

fn all_shapes(size: usize) {
    let context = Context::default();
    let mut wrong = Vec::new();
    for shape in SHAPES {
        grows_no_faster(shape.0, mail(shape, size), mail(shape, 8 * size), &context, &mut wrong);
    }
    grows_no_faster("near-phrases", near_phrases(size), near_phrases(8 * size), &context, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_work_grows_with_the_mail_and_no_faster() {
    all_shapes(32 << 10);
}

#[test]
fn the_same_with_mails_of_100_megabytes() {
    if std::env::var_os("BOUNCEBACK_FULL_TESTS").is_none() {
        return;
    }
    all_shapes(1 << 20);
    all_shapes(100 << 17);
}

#[test]
fn all_of_many_recipients_are_told_apart() {
    let shape = SHAPES.iter().find(|shape| shape.0 == "recipients").unwrap();
    let diagnosis = diagnose(&mail(shape, 200_000), &Context::default());
    assert!(diagnosis.recipients.len() > 2000, "{}", diagnosis.recipients.len());
    let names: std::collections::BTreeSet<_> = diagnosis.recipients.iter().map(|one| one.address.as_str()).collect();
    assert_eq!(names.len(), diagnosis.recipients.len());
}

/// The most memory a run of `bounceback diagnose --json FILE` held, in KiB, and the lines it wrote.
fn peak(file: &Path) -> (u64, usize) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bounceback"))
        .args(["diagnose", "--json"])
        .arg(file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let (mut most, mut lines, mut buffer) = (0, 0, vec![0; 64 * 1024]);
    let mut out = child.stdout.take().unwrap();
    loop {
        // what was held so far; the end of the output is the end of the work
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let held = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(held.unwrap_or(0));
        let got = out.read(&mut buffer).unwrap();
        if got == 0 {
            break;
        }
        lines += buffer[..got].iter().filter(|byte| **byte == b'\n').count();
    }
    assert!(child.wait().unwrap().success());
    (most, lines)
}

/// An mbox of about this many bytes: bounces with a body of some kilobytes that came back.
fn mbox(path: &Path, size: usize) -> usize {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let (mut written, mut count) = (0, 0);
    while written < size {
        let text = format!(
            "From MAILER-DAEMON Thu Jan  1 00:00:00 2026\n{NOTICE}{REPORT}Final-Recipient: rfc822; u{count}@x.example\n\
            Action: failed\nStatus: 5.1.1\n\n--r\nContent-Type: message/rfc822\n\nSubject: x\n\n{}\n--r--\n\n",
            "The quick brown fox jumps over the lazy dog.\n".repeat(40 + count % 400)
        );
        file.write_all(text.as_bytes()).unwrap();
        written += text.len();
        count += 1;
    }
    file.flush().unwrap();
    count
}

#[test]
fn an_mbox_is_read_in_constant_memory() {
    if !Path::new("/proc/self/status").exists() {
        return skip("memory is read from /proc, which is not here");
    }
    let full = std::env::var_os("BOUNCEBACK_FULL_TESTS").is_some();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.mbox");
    let count = mbox(&path, if full { 1 << 30 } else { 24 << 20 });
    let (most, lines) = peak(&path);
    assert_eq!(lines, count);
    assert!(most > 0 && most < 100 * 1024, "{most} KiB");
}

#[test]
fn one_huge_mail_takes_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.eml");
    let full = std::env::var_os("BOUNCEBACK_FULL_TESTS").is_some();
    let shape = SHAPES.iter().find(|shape| shape.0 == "recipients with their replies").unwrap();
    std::fs::write(&path, mail(shape, if full { 100 << 20 } else { 4 << 20 })).unwrap();
    let (most, lines) = peak(&path);
    assert_eq!(lines, 1);
    assert!(most < 100 * 1024, "{most} KiB");
}
