//! `check-address` and `auth-card` as typed, against a name server on loopback that the configuration names.

use std::path::Path;
use std::process::Command;

use crate::pty::Terminal;

use crate::name_server::{Manner, Server, a, mx, txt};
use simple_dns::rdata::RData;

fn server() -> Server {
    let records: &[(&str, RData<'static>)] = &[
        ("real.example", mx(10, "mx.real.example")),
        ("mx.real.example", a(1)),
        ("null.example", mx(0, ".")),
        ("company.example", txt(&["v=spf1 mx -all"])),
        ("_dmarc.company.example", txt(&["v=DMARC1; p=quarantine"])),
    ];
    Server::start(records, &[("dark.example", Manner::Servfail)])
}

/// Runs the program with this name server; what it printed, and its exit code.
fn run(server: &Server, home: &Path, arguments: &[&str]) -> (String, Option<i32>) {
    let config = home.join("config.toml");
    let text =
        format!("own_domains = [\"company.example\"]\ndesk = \"zendesk\"\nname_servers = [\"{}\"]\n", server.address);
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bounceback"));
    command.env_clear().env("HOME", home).arg("--config").arg(&config).args(arguments);
    let result = command.output().unwrap();
    (String::from_utf8(result.stdout).unwrap(), result.status.code())
}

#[test]
fn each_address_gets_its_verdict_and_nothing_of_it_but_the_domain_is_sent() {
    let (server, home) = (server(), tempfile::tempdir().unwrap());
    let typo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/files/typo.eml");
    run(&server, home.path(), &["import", typo.to_str().unwrap()]);
    let addresses =
        ["anna@real.example", "a@null.example", "a@gone.example", "a@dark.example", "anna.berg@exmaple.org", "a b"];
    let mut arguments = vec!["check-address"];
    arguments.extend(addresses);
    let (text, code) = run(&server, home.path(), &arguments);
    let want = "\
anna@real.example: cannot know
  real.example takes mail at mx.real.example
  whether the mailbox exists only its server knows, and it is not asked
a@null.example: domain takes no mail
  null.example says that it takes no mail (null MX, RFC 7505)
a@gone.example: no such domain
  gone.example: no such domain (NXDOMAIN)
a@dark.example: server not reachable
  dark.example: the domain's name servers fail (SERVFAIL)
anna.berg@exmaple.org: no such domain
  this address has bounced before
  exmaple.org: no such domain (NXDOMAIN)
a b: not an address
  the @ is missing
";
    assert_eq!((text.as_str(), code), (want, Some(0)));
    assert!(server.asked("real.example") > 0);
    assert_eq!(server.asked("anna@real.example"), 0);

    let before = server.asked("real.example");
    let (json, _) = run(&server, home.path(), &["--offline", "check-address", "--json", "anna@real.example"]);
    let line: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((line["address"].as_str(), line["verdict"].as_str()), (Some("anna@real.example"), Some("cannot-know")));
    assert_eq!(server.asked("real.example"), before, "--offline asks nobody");
}

#[test]
fn a_bounce_in_the_store_is_the_servers_own_answer() {
    let (server, home) = (
        Server::start(&[("exmaple.org", mx(10, "mx.exmaple.org")), ("mx.exmaple.org", a(1))], &[]),
        tempfile::tempdir().unwrap(),
    );
    let typo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/files/typo.eml");
    run(&server, home.path(), &["import", typo.to_str().unwrap()]);
    let (text, _) = run(&server, home.path(), &["check-address", "Anna.Berg@exmaple.org", "bo@exmaple.org"]);
    assert!(text.starts_with("Anna.Berg@exmaple.org: mailbox refused\n  a bounce says so: 550 5.1.1 "), "{text}");
    assert!(text.contains("\nbo@exmaple.org: cannot know\n"), "{text}");
}

#[test]
fn the_card_can_be_copied_into_a_zone() {
    let (server, home) = (server(), tempfile::tempdir().unwrap());
    let (text, code) = run(&server, home.path(), &["auth-card"]);
    let want = "\
company.example: who may send mail for it

SPF    v=spf1 mx -all
       1 of the 10 DNS look-ups that receivers allow
       mail.zendesk.com: is not permitted
DKIM   zendesk1._domainkey.company.example: none
DKIM   zendesk2._domainkey.company.example: none
DMARC  v=DMARC1; p=quarantine
       mail that fails goes to the spam folder

To publish (whoever runs the domain's DNS):

; the SPF record does not permit mail.zendesk.com
; instead of: v=spf1 mx -all
company.example. 3600 IN TXT \"v=spf1 mx include:mail.zendesk.com -all\"

; the help desk cannot sign for the domain: its DKIM key is missing
zendesk1._domainkey.company.example. 3600 IN CNAME zendesk1._domainkey.zendesk.com.

; the help desk cannot sign for the domain: its DKIM key is missing
zendesk2._domainkey.company.example. 3600 IN CNAME zendesk2._domainkey.zendesk.com.
";
    assert_eq!((text.as_str(), code), (want, Some(0)));
    let (json, _) = run(&server, home.path(), &["auth-card", "--json", "--include", "desk.example", "company.example"]);
    let card: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(card["changes"][0]["value"], "v=spf1 mx include:mail.zendesk.com include:desk.example -all");
    assert_eq!(run(&server, home.path(), &["--offline", "auth-card"]).1, Some(2));
}

/// On the screen: the domain of a typed address is looked up in the background, our own on request.
#[test]
fn the_screen_looks_up_what_is_typed_and_what_we_publish() {
    let (server, home) = (server(), tempfile::tempdir().unwrap());
    let typo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/files/typo.eml");
    let state = home.path().join("state");
    let state = state.to_str().unwrap();
    run(&server, home.path(), &["--state-dir", state, "import", typo.to_str().unwrap()]);
    let config = home.path().join("config.toml");
    let arguments = ["--config", config.to_str().unwrap(), "--state-dir", state];

    let mut terminal = Terminal::run(&arguments, &[]);
    terminal.see("anna.berg@exmaple.org");
    terminal.type_(b"c\x15anna@gone.example");
    terminal.see("gone.example: no such domain");
    assert_eq!(server.asked("go.example") + server.asked("gone.exam"), 0, "half a domain is nobody's business");
    // The warning wants a second Enter; another domain clears it.
    terminal.type_(b"\r");
    terminal.see("the same)");
    terminal.type_(b"\x15anna@real.example");
    terminal.see("real.example takes mail at mx.real.example");
    terminal.type_(b"\r");
    terminal.see("corrected to anna@real.example");
    terminal.type_(b"qP");
    terminal.see("mail.zendesk.com: is not permitted");
    terminal.type_(b"y");
    terminal.see("sent to the terminal's clipboard");
    terminal.type_(b"qqq");
    assert_eq!(terminal.end(), 0);

    let before = server.asked("real.example");
    let mut offline = vec!["--offline"];
    offline.extend(arguments);
    let mut terminal = Terminal::run(&offline, &[]);
    terminal.see("anna.berg@exmaple.org");
    terminal.type_(b"c\x15bo@real.example\r");
    terminal.see("corrected to bo@real.example");
    terminal.type_(b"q");
    terminal.end();
    assert_eq!(server.asked("real.example"), before, "--offline asks nobody");
}
