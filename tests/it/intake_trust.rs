//! The mailbox stays as it was, nothing secret leaks, nothing is trusted blindly: requirements 1, 5, 9, 13, 14 and 15.

use std::collections::BTreeSet;
use std::path::Path;

use bounceback::model::Secret;
use bounceback::source::imap::{Auth, Tls, check, fetch, flags, read_place};
use bounceback::source::{Cancel, Kind};

use crate::architecture::rust_files;
use crate::intake::{Child, Pulled, message_id, options, password, scan};
use crate::intake_hostile::evil;
use crate::proxy::{Line, Proxy};
use crate::servers::{Courier, Cyrus, Dovecot, PASSWORD, Script, USER, append, full, raw_session};
use bounceback::diagnose::{Context, diagnose};

/// What a server says of every message and of the folder: flags, recent, modification sequence.
fn state_of(server: &Dovecot, user: &str, folder: &str) -> Vec<String> {
    let answers = raw_session(
        server.plain,
        user,
        &[
            &format!("STATUS \"{folder}\" (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)"),
            &format!("EXAMINE \"{folder}\""),
            "UID FETCH 1:* (FLAGS MODSEQ)",
        ],
    );
    answers.lines().filter(|line| line.starts_with("* STATUS") || line.contains(" FETCH ")).map(str::to_owned).collect()
}

/// The commands a client may send here; anything else would be a change, or a risk.
fn only_reads(said: &str) {
    let mut commands = 0;
    for line in said.lines() {
        let Some((tag, command)) = line.split_once(' ') else {
            assert_eq!(line, "DONE", "a line without a tag");
            continue;
        };
        assert!(tag.starts_with('a') && tag[1..].bytes().all(|b| b.is_ascii_digit()), "{line}");
        commands += 1;
        let verb = command.split(' ').next().unwrap();
        match verb {
            "CAPABILITY" | "LOGIN" | "EXAMINE" | "LIST" | "STATUS" | "IDLE" | "LOGOUT" => {}
            "FETCH" | "UID" => {
                assert!(verb == "FETCH" || command.starts_with("UID FETCH "), "{line}");
                assert!(
                    !command.contains("BODY[") && !command.contains("RFC822 ") && !command.contains("RFC822.TEXT"),
                    "{line}"
                );
            }
            _ => panic!("not a reading command: {line}"),
        }
    }
    assert!(commands > 3);
}

#[test]
fn requirement_01_never_changes_the_mailbox() {
    let Some(server) = Dovecot::start() else { return };
    server.seed(USER, 150, &["--bounce-pct", "30"]);
    // some of them seen, answered, flagged; some unseen; and new ones that are still \Recent
    raw_session(
        server.plain,
        USER,
        &[
            "CREATE Junk",
            "SELECT INBOX",
            "UID STORE 1:40 +FLAGS (\\Seen)",
            "UID STORE 30:60 +FLAGS (\\Flagged $Label1)",
            "UID COPY 1:20 Junk",
        ],
    );
    server.seed(USER, 10, &["--bounce-pct", "100", "--start", "1000"]);
    let before = [state_of(&server, USER, "INBOX"), state_of(&server, USER, "Junk")];
    assert!(before[0].iter().any(|line| line.contains("RECENT 10")), "{:?}", before[0].first());
    let proxy = Proxy::to(server.plain, Line::default());
    let mut options = options(&server, Tls::None, password());
    options.port = proxy.port;
    options.folders = vec!["INBOX".to_owned(), "Junk".to_owned()];
    let seen = flags(&options, "INBOX", 500, &Cancel::new()).unwrap();
    let mut pulled = Pulled::default();
    pulled.run(&options).unwrap();
    pulled.run(&options).unwrap();
    check(&options, 100, scan(), &Cancel::new()).unwrap();
    let mail = &pulled.mails[0];
    let (_, folder, uid) = read_place(&mail.place).unwrap();
    let whole = fetch(&options, &folder, pulled.cursors[&folder].uidvalidity, uid, 64 << 20, &Cancel::new()).unwrap();
    assert_eq!((whole.size, whole.truncated), (whole.bytes.len() as u64, false));
    assert!(whole.bytes.starts_with(&mail.bytes));
    assert_eq!(flags(&options, "INBOX", 500, &Cancel::new()).unwrap(), seen);
    assert_eq!([state_of(&server, USER, "INBOX"), state_of(&server, USER, "Junk")], before);
    only_reads(&proxy.said());
    // a folder one may only read
    let acl = Dovecot::with(
        "mail_plugins = acl\nprotocol imap {\n  mail_plugins = acl imap_acl\n}\nplugin {\n  acl = vfile\n}",
    )
    .unwrap();
    acl.seed(USER, 20, &["--bounce-pct", "100"]);
    std::fs::write(acl.maildir(USER).join("dovecot-acl"), "owner lr\n").unwrap();
    let options = self::options(&acl, Tls::Implicit, password());
    let mut pulled = Pulled::default();
    pulled.run(&options).unwrap();
    assert_eq!(pulled.mails.len(), 20);
}

/// The source holds no command that changes a mailbox, and no call of the crate that sends one.
#[test]
fn requirement_01_the_source_knows_no_changing_command() {
    let verbs = [
        "STORE",
        "EXPUNGE",
        "APPEND",
        "SELECT",
        "MOVE",
        "COPY",
        "CREATE",
        "DELETE",
        "RENAME",
        "SUBSCRIBE",
        "SETACL",
        "SETQUOTA",
    ];
    let calls = [
        ".store(",
        ".uid_store(",
        ".expunge(",
        ".uid_expunge(",
        ".append(",
        ".select(",
        ".mv(",
        ".uid_mv(",
        ".copy(",
        ".uid_copy(",
        ".close()",
        ".search(",
        ".uid_search(",
    ];
    let mut commands = 0;
    for path in rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/source/imap")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (n, line) in code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let place = format!("{}:{}: {line}", path.display(), n + 1);
            for literal in line.split('"').skip(1).step_by(2) {
                for verb in verbs {
                    let named = literal.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == verb);
                    // an answer that tells of somebody else's EXPUNGE is read, not sent
                    assert!(!named || line.contains("ends_with(b\" EXPUNGE\")"), "{place}");
                }
                assert!(!literal.contains("BODY["), "{place}");
                commands += u32::from(literal.contains("BODY.PEEK["));
            }
            for call in calls {
                assert!(!line.contains(call) || (call == ".close()" && line.contains("session.close()")), "{place}");
            }
        }
    }
    assert_eq!(commands, 4, "the places that fetch");
}

#[test]
fn requirement_05_every_dialect_is_found_on_every_server() {
    let count = if full() { 10_000 } else { 600 };
    let check = |name: &str, port: u16, user: &str, truth: &serde_json::Map<String, serde_json::Value>| {
        let proxy = Proxy::to(port, Line::default());
        let mut options = bounceback::source::imap::Options::new(name, "localhost", user, password());
        (options.port, options.tls) = (proxy.port, Tls::None);
        let mut pulled = Pulled::default();
        let outcome = pulled.run(&options).unwrap();
        let got = pulled.message_ids();
        let bounces = |is: bool| -> BTreeSet<String> {
            let kinds = truth.iter().filter(|(_, kind)| kind.as_str().unwrap().starts_with("bounce") == is);
            kinds.map(|(id, _)| id.clone()).collect()
        };
        let context = Context::default();
        let counted: BTreeSet<String> = pulled
            .mails
            .iter()
            .filter(|mail| {
                let diagnosis = diagnose(&mail.bytes, &context);
                diagnosis.kind.is_bounce() || diagnosis.likely_bounce
            })
            .map(|mail| message_id(&mail.bytes))
            .collect();
        assert_eq!(counted, bounces(true), "{name}");
        assert_eq!(outcome.scanned, truth.len() as u64, "{name}");
        assert!(!proxy.said().contains("SEARCH"), "{name}");
        only_reads(&proxy.said());
        let (all, decoys) = (bounces(true).len(), got.intersection(&bounces(false)).count());
        println!("| {name}: bounces found | {} of {all} | all |", counted.len());
        println!("| {name}: decoys counted as a bounce | 0 of {decoys} handed over | 0 |");
        got
    };
    let Some(server) = Dovecot::start() else { return };
    println!("| {count} messages on each server | measured | required |\n|---|---|---|");
    let truth = server.seed(USER, count, &["--light", "--bounce-pct", if full() { "5" } else { "20" }]);
    let kinds: BTreeSet<_> = truth.values().map(|kind| kind.as_str().unwrap().to_owned()).collect();
    assert!(kinds.iter().filter(|kind| kind.starts_with("bounce")).count() >= 7, "{kinds:?}");
    let want = check("dovecot", server.plain, USER, &truth);
    if !full() {
        return;
    }
    if let Some(cyrus) = Cyrus::start() {
        append(cyrus.plain, "user", &server.maildir(USER));
        assert_eq!(check("cyrus", cyrus.plain, "user", &truth), want);
    }
    if let Some(courier) = Courier::start(&server.maildir(USER)) {
        assert_eq!(check("courier", courier.plain, USER, &truth), want);
    }
}

#[test]
fn requirement_09_no_bad_certificate_is_accepted_and_nothing_secret_is_sent() {
    let Some(server) = Dovecot::start() else { return };
    let tls = server.dir.path().join("tls");
    let log = server.dir.path().join("evil.log");
    let refused = |name: &str, words: &[&str]| {
        let (certificate, key) = (tls.join(format!("{name}.pem")), tls.join(format!("{name}.key")));
        let arguments = ["--tls", certificate.to_str().unwrap(), key.to_str().unwrap(), "--log", log.to_str().unwrap()];
        let (_script, mut options) = evil("ok", &arguments).unwrap();
        options.tls = Tls::Implicit;
        options.ca_file = Some(server.ca());
        let error = Pulled::default().run(&options).unwrap_err();
        assert_eq!(error.kind, Kind::Tls, "{name}: {error}");
        for word in words {
            assert!(error.what.contains(word), "{name}: {error}");
        }
        assert!(error.hint.is_some());
    };
    refused("expired", &["expired", "issued by \"bounce-test ca\"", "valid until 2020-02-01"]);
    refused("untrusted", &["issuer", "issued by \"bounce-test otherca\""]);
    refused("wronghost", &["another host", "wrong.example"]);
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "", "not a byte of IMAP was sent");
    // without the company's own authority its server is a stranger
    let mut stranger = options(&server, Tls::Implicit, password());
    stranger.ca_file = None;
    assert_eq!(Pulled::default().run(&stranger).unwrap_err().kind, Kind::Tls);
    stranger.ca_file = Some(tls.join("server.key"));
    assert_eq!(Pulled::default().run(&stranger).unwrap_err().kind, Kind::Config);
    // a port that does not speak TLS, and a STARTTLS that is missing or tampered with
    for (scenario, way, words) in [
        ("ok", Tls::Implicit, "does not speak TLS"),
        ("nostarttls", Tls::StartTls, "does not offer STARTTLS"),
        ("starttls-inject", Tls::StartTls, ""),
    ] {
        let (_script, mut options) = evil(scenario, &["--log", log.to_str().unwrap()]).unwrap();
        options.tls = way;
        let error = Pulled::default().run(&options).unwrap_err();
        assert_eq!(error.kind, Kind::Tls, "{scenario}: {error}");
        assert!(error.what.contains(words), "{scenario}: {error}");
        let heard = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
        assert!(!heard.contains("LOGIN") && !heard.contains(PASSWORD), "{scenario}: {heard}");
    }
    // an old protocol version
    let old = Dovecot::with("ssl_min_protocol = TLSv1.2").unwrap();
    Pulled::default().run(&options(&old, Tls::Implicit, password())).unwrap();
    // no TLS to another machine, whatever the settings say
    let mut far = options(&server, Tls::None, password());
    far.host = "192.0.2.1".to_owned();
    assert_eq!(Pulled::default().run(&far).unwrap_err().kind, Kind::Config);
}

#[test]
fn requirement_13_no_secret_is_shown_whatever_a_server_does() {
    let canary = "C4nary\"\\pass w0rd";
    for scenario in ["echo", "echo-later", "bad-password", "cut-literal", "poison", "bad-tag"] {
        for auth in [Auth::Password as fn(Secret) -> Auth, Auth::XOAuth2, Auth::OAuthBearer] {
            let Some((_script, mut options)) = evil(scenario, &[]) else { return };
            options.limits.stall = std::time::Duration::from_secs(2);
            options.auth = auth(Secret::new(canary.to_owned()));
            assert!(!format!("{options:?}").contains("C4nary"));
            let child = Child::pull(&options);
            assert!(child.ended_by_itself, "{scenario}: {child:?}");
            assert!(
                child.error.is_some() || scenario == "poison" || scenario == "bad-password",
                "{scenario}: {child:?}"
            );
            let shown = child.output.to_lowercase();
            // plain, escaped, and in the base64 of either mechanism
            for trace in ["c4nary", "w0rd", "qzruyxj5", "m0bmfyes", "nG5hcn", "zruyxj5"] {
                assert!(!shown.contains(&trace.to_lowercase()), "{scenario}: {}", child.output);
            }
            assert!(!child.error.unwrap_or_default().chars().any(char::is_control), "{scenario}");
        }
    }
}

#[test]
fn requirement_13_a_refused_sign_in_says_what_to_do_and_is_not_repeated() {
    for (scenario, words) in [
        ("app-password", "app password"),
        ("bad-password", "password"),
        ("basic-auth-off", "set oauth"),
        ("login-disabled", "token_command"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let Some((_script, options)) = evil(scenario, &["--log", log.to_str().unwrap()]) else { return };
        let error = Pulled::default().run(&options).unwrap_err();
        assert_eq!(error.kind, Kind::Login, "{scenario}: {error}");
        assert!(error.hint.as_deref().is_some_and(|hint| hint.contains(words)), "{scenario}: {error:?}");
        let heard = std::fs::read_to_string(log).unwrap();
        assert!(heard.matches("LOGIN").count() <= 1, "{scenario}: {heard}");
    }
}

#[test]
fn requirement_14_folders_with_any_name_are_listed_and_read() {
    let Some(server) = Dovecot::start() else { return };
    server.seed(USER, 3, &["--bounce-pct", "100"]);
    let names = ["Rückläufer & Co", "受信", "[Gmail]/Alle Nachrichten", "quote \" and \\ backslash", "50 %~"];
    let wire =
        ["R&APw-ckl&AOQ-ufer &- Co", "&U9dP4Q-", "[Gmail]/Alle Nachrichten", "quote \\\" and \\\\ backslash", "50 %~"];
    for name in wire {
        let answer = raw_session(
            server.plain,
            USER,
            &[&format!("CREATE \"{name}\""), "SELECT INBOX", &format!("UID COPY 1:3 \"{name}\"")],
        );
        assert!(!answer.contains(" NO ") && !answer.contains(" BAD "), "{answer}");
    }
    let mut options = options(&server, Tls::Implicit, password());
    options.folders = names.iter().map(|name| (*name).to_owned()).collect();
    let mut pulled = Pulled::default();
    pulled.run(&options).unwrap();
    assert_eq!(pulled.mails.len(), 3 * names.len());
    for mail in &pulled.mails {
        let (account, folder, _) = read_place(&mail.place).unwrap();
        assert!(account == "test" && names.contains(&folder.as_str()), "{:?}", mail.place);
    }
    let report = check(&options, 100, scan(), &Cancel::new()).unwrap();
    for name in names {
        let found =
            report.folders.iter().find(|folder| folder.name == name).unwrap_or_else(|| panic!("{name}: {report:?}"));
        assert_eq!(found.messages, Some(3));
        assert_eq!(report.candidates[name], Ok((3, 3)));
    }
    let certificate = report.certificate.unwrap();
    assert_eq!(
        (certificate.issuer.as_str(), certificate.names.as_slice()),
        ("bounce-test ca", &["localhost".to_owned()][..])
    );
    assert!(report.capabilities.iter().any(|name| name == "IDLE") && report.encrypted);
    // one folder that is not there does not keep the others back
    options.folders = vec!["Missing".to_owned(), "INBOX".to_owned(), "a\r\na9 DELETE INBOX".to_owned()];
    let mut pulled = Pulled::default();
    let outcome = pulled.run(&options).unwrap();
    assert_eq!(pulled.mails.len(), 3);
    let problems: Vec<_> = outcome.problems.iter().map(|(_, error)| error.kind).collect();
    assert_eq!(problems, [Kind::Folder, Kind::Config], "{:?}", outcome.problems);
    // one line of LIST that nobody can read, and one that is plain UTF-8
    let (_script, options) = evil("bad-list", &[]).unwrap();
    let report = check(&options, 100, scan(), &Cancel::new()).unwrap();
    assert!(report.folders_problem.is_some(), "{report:?}");
    assert_eq!(report.candidates["INBOX"], Ok((3, 3)));
    let (_script, options) = evil("ok", &[]).unwrap();
    let report = check(&options, 100, scan(), &Cancel::new()).unwrap();
    let rück = report.folders.iter().find(|folder| folder.name == "Rück");
    assert!(rück.is_some_and(|folder| folder.junk), "{report:?}");
}

#[test]
fn requirement_15_what_cannot_be_read_is_told_truly() {
    let Some((_script, options)) = evil("poison", &[]) else { return };
    let child = Child::pull(&options);
    assert_eq!((child.places.len(), child.unreadable), (2, 1), "{child:?}");
    let (_script, options) = evil("echo-later", &[]).unwrap();
    let error = Pulled::default().run(&options).unwrap_err();
    assert!(error.what.contains("this is no IMAP LOGIN") && error.what.contains("***"), "{error}");
    assert!(error.what.contains("^[]0;owned^G"), "{error}");
    assert!(error.hint.is_some());
    // a host nobody knows, a port nobody listens on
    let mut nowhere = options.clone();
    nowhere.host = "imap.does-not-exist.invalid".to_owned();
    nowhere.tls = Tls::Implicit;
    let error = Pulled::default().run(&nowhere).unwrap_err();
    assert!(error.what.starts_with("could not find the server \"imap.does-not-exist.invalid\""), "{error}");
    let free = Script::free_port();
    let mut closed = options;
    closed.port = free;
    let error = Pulled::default().run(&closed).unwrap_err();
    assert_eq!(error.what, format!("could not connect to \"localhost\" port {free}: connection refused"));
}

#[test]
fn only_what_was_asked_for_is_read() {
    let Some(server) = Dovecot::start() else { return };
    server.seed(USER, 100, &["--bounce-pct", "100"]);
    let mut options = options(&server, Tls::None, password());
    options.last = Some(10);
    let mut pulled = Pulled::default();
    assert_eq!(pulled.run(&options).unwrap().scanned, 10);
    let newest: BTreeSet<String> = (90..100).map(|n| format!("<m{n}@seed.example>")).collect();
    assert_eq!(pulled.message_ids(), newest);
    // `seed` dates message n at n minutes after 2023-11-14T22:13:20Z
    options.last = None;
    options.since = bounceback::model::Timestamp::parse("2023-11-14T23:13:20Z");
    options.limits.first_window = 7;
    options.limits.window = 7;
    let outcome = pulled.run(&options).unwrap();
    assert_eq!(pulled.message_ids().len(), 40, "60 to 99");
    assert!(outcome.scanned <= 30 + 14, "{outcome:?}");
    assert_eq!(pulled.run(&options).unwrap().scanned, 0, "nothing twice");
    options.since = bounceback::model::Timestamp::parse("2023-11-14T23:03:20Z");
    pulled.run(&options).unwrap();
    assert_eq!(pulled.message_ids().len(), 50);
    // without a bound the rest comes
    options.since = None;
    pulled.run(&options).unwrap();
    assert_eq!(pulled.message_ids().len(), 100);
    assert_eq!(pulled.mails.len(), 100, "nothing twice");
    assert!(pulled.mails.iter().all(|mail| !message_id(&mail.bytes).is_empty()));
}
