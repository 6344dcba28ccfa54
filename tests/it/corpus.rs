//! The engine on whole mails: golden cases in `tests/corpus`, and the public corpus beside the project when it is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bounceback::diagnose::{Context, HEADER_FIELDS, diagnose, explain, families, is_candidate};
use bounceback::model::{Cause, Identity, Kind, Ours};

use crate::golden;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn every_case_reads_as_a_person_checked_it() {
    let context = Context::default();
    let wrong: Vec<String> = golden::files(&root().join("tests/corpus"), "eml")
        .iter()
        .filter_map(|path| {
            golden::check(&path.with_extension("txt"), &explain(&diagnose(&std::fs::read(path).unwrap(), &context)))
                .err()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A stranger who shows us a notice writes to us; a colleague who passes one on wants it dealt with. Colleagues write from
/// the domain of the inbox, or from another one of ours.
#[test]
fn a_notice_passed_on_by_a_colleague_is_dealt_with() {
    let mail = std::fs::read_to_string(root().join("tests/corpus/forwarded/by-a-colleague.eml")).unwrap();
    let found = |from: &str, identity: Identity| {
        let mail = mail.replace("From: Kim <kim@company.example>", &format!("From: Kim <{from}>"));
        let diagnosis = diagnose(mail.as_bytes(), &Context { identity, ..Context::default() });
        (diagnosis.kind, diagnosis.recipients.first().map(|recipient| recipient.address.to_string()))
    };
    let dealt_with = (Kind::Failure, Some("ella@absent.example".to_owned()));
    assert_eq!(found("kim@company.example", Identity::default()), dealt_with);
    assert_eq!(found("kim@customer.example", Identity::default()), (Kind::Other, None));
    let identity = Identity { domains: vec!["company-group.example".to_owned()], ..Identity::default() };
    assert_eq!(found("kim@company-group.example", identity), dealt_with);
}

#[test]
fn every_case_has_at_most_one_format_and_every_format_its_example() {
    let context = Context::default();
    let mut claimed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in golden::files(&root().join("tests/corpus"), "eml") {
        let name =
            path.strip_prefix(root().join("tests/corpus")).unwrap().with_extension("").to_string_lossy().into_owned();
        let found = families(&std::fs::read(&path).unwrap(), &context);
        assert!(found.len() <= 1, "{name} is claimed by {found:?}");
        claimed.insert(name, found);
    }
    for format in context.rules.formats() {
        if format.family.starts_with("generic") {
            continue;
        }
        let example = format.example.as_ref().unwrap_or_else(|| panic!("{} has no example", format.family));
        assert_eq!(
            claimed.get(example),
            Some(&vec![format.family.clone()]),
            "the example of {} is claimed by another, or missing",
            format.family
        );
    }
}

/// A header with the named fields only, as a scan gets it.
fn only(header: &str, names: &[&str]) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in header.split_inclusive('\n') {
        if !line.starts_with([' ', '\t']) {
            let name = line.split(':').next().unwrap_or_default();
            inside = names.iter().any(|known| known.eq_ignore_ascii_case(name));
        }
        if inside {
            kept.push_str(line);
        }
    }
    kept + "\n"
}

#[test]
fn the_fields_of_a_scan_tell_as_much_as_the_whole_header() {
    let beside = root().join("../shared/corpus");
    let folders =
        [root().join("tests/corpus"), root().join("assets/demo"), beside.join("public"), beside.join("generated")];
    let mut candidates = 0;
    for path in folders.iter().filter(|folder| folder.is_dir()).flat_map(|folder| golden::files(folder, "eml")) {
        let mail = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).replace("\r\n", "\n").replace('\r', "\n");
        let header = mail.split("\n\n").next().unwrap_or_default().to_owned() + "\n";
        let whole = is_candidate(header.as_bytes());
        assert_eq!(is_candidate(only(&header, HEADER_FIELDS).as_bytes()), whole, "{}", path.display());
        candidates += u32::from(whole);
    }
    assert!(candidates > 100, "{candidates}");
}

#[test]
fn every_notice_of_the_corpus_is_a_candidate_by_its_header() {
    for path in golden::files(&root().join("tests/corpus"), "eml") {
        let mail = std::fs::read(&path).unwrap();
        let diagnosis = diagnose(&mail, &Context::default());
        let passed_on = path.to_string_lossy().contains("forwarded/");
        if diagnosis.kind.is_bounce() && !passed_on {
            assert!(
                is_candidate(&mail),
                "{} would never be fetched: nothing in its header says notice. Has it lost its Return-Path? Else the \
                words of its From or Subject belong to notice/from or notice/subject in assets/rules/kinds.toml",
                path.display()
            );
        }
    }
}

#[test]
fn line_ends_change_nothing() {
    for path in golden::files(&root().join("tests/corpus"), "eml") {
        let mail = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        if mail.contains('\r') {
            continue;
        }
        let plain = diagnose(mail.as_bytes(), &Context::default());
        let windows = diagnose(mail.replace('\n', "\r\n").as_bytes(), &Context::default());
        assert_eq!(plain, windows, "{}", path.display());
    }
}

/// However a notice is packed, it says the same: base64, quoted-printable, HTML only, wrong or old charsets.
#[test]
fn packing_changes_nothing() {
    let context = Context::default();
    let sum = |mail: &[u8]| {
        let diagnosis = diagnose(mail, &context);
        let recipients: Vec<_> = diagnosis
            .recipients
            .into_iter()
            .map(|one| (one.address, one.action, one.status, one.reply_code, one.cause))
            .collect();
        (diagnosis.kind, diagnosis.reporter.mta, recipients)
    };
    let mut tried = 0;
    for path in golden::files(&root().join("tests/corpus"), "eml") {
        let mail = std::fs::read(&path).unwrap();
        let Some((head, body)) = std::str::from_utf8(&mail).ok().and_then(|mail| mail.split_once("\n\n")) else {
            continue;
        };
        const PLAIN: &str = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit";
        if !head.ends_with(PLAIN) {
            continue;
        }
        tried += 1;
        let want = sum(&mail);
        let head = head.trim_end_matches(PLAIN);
        let lines = |per_line: &str| body.lines().map(|line| format!("{}{per_line}", escape(line))).collect::<String>();
        let plain = "Content-Type: text/plain; charset=utf-8";
        let packed = [
            format!("{plain}\nContent-Transfer-Encoding: base64\n\n{}", base64(body.as_bytes())),
            format!("{plain}\nContent-Transfer-Encoding: quoted-printable\n\n{}", quoted_printable(body)),
            format!("Content-Type: text/plain; charset=uft-8\n\n{body}"),
            format!("Content-Type: text/html; charset=utf-8\n\n<html><body>{}</body></html>", lines("<br>\n")),
            format!("Content-Type: text/plain; charset=unicode-1-1-utf-7\n\n{}", utf7(body)),
        ];
        for form in packed {
            let got = sum(format!("{head}{form}").as_bytes());
            assert_eq!(got, want, "{} as {}", path.display(), form.split("\n\n").next().unwrap());
        }
    }
    assert!(tried > 60, "{tried}");
}

fn escape(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace("  ", "&nbsp; ")
}

fn quoted_printable(text: &str) -> String {
    let byte = |b: u8| match b {
        b'\n' => "\n".to_owned(),
        b'=' | 0..=31 | 127.. => format!("={b:02X}"),
        _ => char::from(b).to_string(),
    };
    text.bytes().map(byte).collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for (index, chunk) in bytes.chunks(3).enumerate() {
        if index > 0 && index % 19 == 0 {
            out.push('\n');
        }
        let word = chunk.iter().fold(0_u32, |word, b| word << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * place)) as usize & 63];
            out.push(if place > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

/// RFC 2152: what is not ASCII as base64 of UTF-16, without padding.
fn utf7(text: &str) -> String {
    let mut out = String::new();
    let mut units: Vec<u8> = Vec::new();
    let flush = |units: &mut Vec<u8>, out: &mut String| {
        if !units.is_empty() {
            out.push_str(&format!("+{}-", base64(units).replace(['=', '\n'], "")));
            units.clear();
        }
    };
    for c in text.chars() {
        if c.is_ascii() {
            flush(&mut units, &mut out);
            out.push(c);
            out.push_str(if c == '+' { "-" } else { "" });
        } else {
            units.extend(c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut units, &mut out);
    out
}

#[test]
fn codes_are_never_invented() {
    for path in golden::files(&root().join("tests/corpus"), "eml") {
        let mail = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&mail);
        for recipient in diagnose(&mail, &Context::default()).recipients {
            if let Some(status) = recipient.status {
                assert!(text.contains(&status.to_string()), "{}: {status} stands nowhere", path.display());
            }
            if let Some(code) = recipient.reply_code {
                assert!(text.contains(&code.to_string()), "{}: {code} stands nowhere", path.display());
            }
        }
    }
}

#[test]
fn evidence_stands_on_the_line_it_names() {
    for path in golden::files(&root().join("tests/corpus"), "eml") {
        let mail = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&mail).replace("\r\n", "\n").replace('\r', "\n");
        let lines: Vec<&str> = text.split('\n').collect();
        for recipient in diagnose(&mail, &Context::default()).recipients {
            let Some(evidence) = recipient.evidence.iter().find(|one| one.claim == "recipient") else {
                panic!("{}: no evidence", path.display())
            };
            let Some(line) = evidence.line else { continue };
            let near =
                lines.get(line as usize - 1..(line as usize + 1).min(lines.len())).unwrap().concat().to_lowercase();
            let local = recipient.address.local().to_lowercase();
            let named = near.contains(&local) || evidence.from.contains("To field");
            assert!(named, "{}:{line} does not name {}: {near:?}", path.display(), recipient.address);
        }
    }
}

#[test]
fn ours_and_forged_are_told_apart() {
    let mail = std::fs::read(root().join("tests/corpus/qmail/unknown-user.eml")).unwrap();
    let of = |identity: Identity| diagnose(&mail, &Context { identity, ..Context::default() }).authenticity;
    let ours = of(Identity { domains: vec!["company.example".into()], ..Identity::default() });
    assert_eq!(ours.verdict, Ours::Ours, "{ours:?}");
    let foreign = of(Identity { domains: vec!["other.example".into()], ..Identity::default() });
    assert_eq!(foreign.verdict, Ours::NotOurs, "{foreign:?}");
    assert_eq!(of(Identity::default()).verdict, Ours::Unknown);
}

#[test]
fn marks_of_the_returned_message_tell_ours_from_forged() {
    let returned = "Message-ID: <L7VKGOM25K_5fd908fd5600d_4b5665bc15886c_sprut@zendesk.com>\nFrom: help@brand.example\n\
        To: anna@example.org\nX-Zendesk-From-Account-Id: 68b8aed\nDate: Tue, 15 Dec 2020 19:05:33 +0000\n";
    let of = |returned: &str, identity: Identity| {
        let mail = format!(
            "From: MAILER-DAEMON@mx.example.net\nTo: help@brand.example\nSubject: Undelivered Mail\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\
             Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n\
             Final-Recipient: rfc822; anna@example.org\nAction: failed\nStatus: 5.1.1\n\n--b\n\
             Content-Type: text/rfc822-headers\n\n{returned}\n--b--\n"
        );
        diagnose(mail.as_bytes(), &Context { identity, ..Context::default() })
    };
    let desk = |account: &str| Identity {
        desk: Some("zendesk".into()),
        desk_account: Some(account.into()),
        ..Identity::default()
    };
    let ours = of(returned, desk("68b8aed"));
    assert_eq!(ours.authenticity.verdict, Ours::Ours, "{:?}", ours.authenticity);
    let ticket = ours.ticket.unwrap();
    assert_eq!(
        (ticket.id.as_str(), ticket.sent.unwrap().to_string().as_str()),
        ("L7VKGO-M25K", "2020-12-15T19:05:33Z")
    );
    assert_eq!(of(returned, desk("1234567")).authenticity.verdict, Ours::NotOurs);
    let late = of(&returned.replace("2020", "2026"), desk("68b8aed"));
    assert!(late.authenticity.because.iter().any(|reason| reason.contains("copied")), "{:?}", late.authenticity);
    let signed = "Message-ID: <x@relay.example>\nFrom: a@b.example\nDKIM-Signature: v=1; d=brand.example; s=s1; b=x\n";
    let brand = Identity { domains: vec!["brand.example".into()], ..Identity::default() };
    assert_eq!(of(signed, brand).authenticity.verdict, Ours::Ours);
    let pattern = Identity { message_ids: vec!["@relay.example".into()], ..Identity::default() };
    assert_eq!(of(signed, pattern).authenticity.verdict, Ours::Ours);
    // the token at the end of the text, when the Message-ID was rewritten on the way
    let token =
        of("Message-ID: <x@relay.example>\nFrom: a@b.example\n\nDear Anna\n\n[L7VKGO-M25K]\n", Identity::default());
    assert_eq!(token.ticket.map(|ticket| ticket.id).as_deref(), Some("L7VKGO-M25K"));
}

#[test]
fn our_own_address_is_never_the_failed_one() {
    let mail = b"Return-Path: <>\nFrom: postmaster@mx.example.net\nTo: support@company.example\nSubject: Undeliverable\n\nYour message could not be delivered.\nsupport@company.example\n550 5.1.1 unknown\n";
    let diagnosis = diagnose(mail, &Context::default());
    assert!(diagnosis.recipients.is_empty(), "{diagnosis:?}");
    assert!(diagnosis.likely_bounce && diagnosis.kind == Kind::Other);
}

#[test]
fn a_new_address_is_kept_as_evidence() {
    for (case, want) in
        [("generic/moved", "anna.berg@example.com"), ("auto-reply/left-the-company", "bert.neu@example.org")]
    {
        let mail = std::fs::read(root().join("tests/corpus").join(case).with_extension("eml")).unwrap();
        let diagnosis = diagnose(&mail, &Context::default());
        let found: Vec<&str> = diagnosis.new_addresses.iter().map(|new| new.address.as_str()).collect();
        assert_eq!(found, [want], "{case}");
    }
}

#[test]
fn the_public_corpus_is_read_as_far_as_it_was() {
    let folder = root().join("../shared/corpus/public");
    let Ok(truth) = std::fs::read_to_string(folder.join("truth.jsonl")) else {
        crate::skip::skip("no public corpus beside the project");
        return;
    };
    let context = Context::default();
    let (mut bounces, mut detected, mut exact) = (0, 0, 0);
    for line in truth.lines() {
        let truth: serde_json::Value = serde_json::from_str(line).unwrap();
        let mail = std::fs::read(folder.join("mail").join(truth["file"].as_str().unwrap())).unwrap();
        let diagnosis = diagnose(&mail, &context);
        if truth["is_bounce"] == false {
            assert!(!diagnosis.kind.is_bounce(), "{} is no bounce", truth["file"]);
            continue;
        }
        bounces += 1;
        detected += usize::from(diagnosis.kind.is_bounce());
        let mut want: Vec<String> = truth["recipients"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["address"].as_str().unwrap().to_lowercase())
            .collect();
        let mut got: Vec<String> = diagnosis.recipients.iter().map(|one| one.address.as_str().to_lowercase()).collect();
        want.sort();
        got.sort();
        exact += usize::from(want == got);
    }
    assert_eq!(detected, bounces);
    assert!(exact * 100 >= bounces * 97, "{exact} of {bounces}");
}

/// Exactly one family per sample, also on samples that are not ours.
#[test]
fn no_sample_beside_the_project_has_two_formats() {
    let context = Context::default();
    let folders = ["corpus/public/mail", "corpus/generated"].map(|name| root().join("../shared").join(name));
    if !folders[0].exists() {
        crate::skip::skip("no public corpus beside the project");
        return;
    }
    let mut twice = Vec::new();
    for path in folders.iter().flat_map(|folder| golden::files(folder, "eml")) {
        let found = families(&std::fs::read(&path).unwrap(), &context);
        if found.len() > 1 {
            twice.push(format!("{} is claimed by {found:?}", path.display()));
        }
    }
    assert!(twice.is_empty(), "{}", twice.join("\n"));
}

#[test]
fn most_causes_have_a_case() {
    let context = Context::default();
    let causes: std::collections::BTreeSet<Cause> = golden::files(&root().join("tests/corpus"), "eml")
        .iter()
        .flat_map(|path| diagnose(&std::fs::read(path).unwrap(), &context).recipients)
        .map(|one| one.cause)
        .collect();
    assert!(causes.len() >= 12, "{causes:?}");
}
