//! The IMAP intake against a real Dovecot: the thin path.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::process::Command;
use std::time::Instant;

use bounceback::model::Secret;
use bounceback::source::imap::{Auth, Cursor, Event, Options, Outcome, Scan, Tls, pull};
use bounceback::source::{Cancel, Error, RawMail};

use crate::servers::{Dovecot, PASSWORD, USER};

/// The engine's first look at a header.
pub(crate) fn scan() -> Scan<'static> {
    Scan { fields: bounceback::diagnose::HEADER_FIELDS, candidate: &bounceback::diagnose::is_candidate }
}

pub(crate) fn options(server: &Dovecot, tls: Tls, auth: Auth) -> Options {
    let mut options = Options::new("test", "localhost", USER, auth);
    options.port = if tls == Tls::Implicit { server.tls } else { server.plain };
    options.tls = tls;
    options.ca_file = Some(server.ca());
    options
}

pub(crate) fn password() -> Auth {
    Auth::Password(Secret::new(PASSWORD.to_owned()))
}

/// What a pull handed over, and the cursors it left.
#[derive(Default)]
pub(crate) struct Pulled {
    pub(crate) mails: Vec<RawMail>,
    pub(crate) events: Vec<Event>,
    pub(crate) cursors: BTreeMap<String, Cursor>,
}

impl Pulled {
    pub(crate) fn run(&mut self, options: &Options) -> Result<Outcome, Error> {
        let cursors = self.cursors.clone();
        pull(options, &cursors, scan(), &Cancel::new(), &mut |event| {
            match event {
                Event::Mail(mail) => self.mails.push(mail),
                Event::Batch { folder, cursor } => {
                    self.cursors.insert(folder, cursor);
                }
                other => self.events.push(other),
            }
            ControlFlow::Continue(())
        })
    }

    pub(crate) fn message_ids(&self) -> BTreeSet<String> {
        self.mails.iter().map(|mail| message_id(&mail.bytes)).collect()
    }
}

pub(crate) fn message_id(mail: &[u8]) -> String {
    let text = String::from_utf8_lossy(mail);
    let line = text.lines().find(|line| line.to_lowercase().starts_with("message-id:")).unwrap_or_default();
    line.split_once(' ').map(|(_, id)| id.trim().to_owned()).unwrap_or_default()
}

/// A pull in a process of its own, for what can only be seen from outside: memory, aborts, leaks.
#[derive(Debug, Default)]
#[expect(dead_code, reason = "some of it is only shown when a test fails")]
pub(crate) struct Child {
    pub(crate) places: Vec<String>,
    pub(crate) unreadable: u64,
    pub(crate) gone: u64,
    pub(crate) error: Option<String>,
    pub(crate) kind: String,
    pub(crate) hint: Option<String>,
    /// Largest resident size, KiB.
    pub(crate) peak_kib: u64,
    /// Resident size before the pull, KiB.
    pub(crate) start_kib: u64,
    pub(crate) seconds: f64,
    pub(crate) ended_by_itself: bool,
    /// Everything it wrote.
    pub(crate) output: String,
}

const CHILD: &str = "BOUNCEBACK_TEST_CHILD";
const MARK: &str = "child says ";

impl Child {
    pub(crate) fn pull(options: &Options) -> Self {
        let (auth, secret) = match &options.auth {
            Auth::Password(secret) => ("password", secret),
            Auth::XOAuth2(secret) => ("xoauth2", secret),
            Auth::OAuthBearer(secret) => ("oauthbearer", secret),
        };
        let order = serde_json::json!({
            "host": options.host, "port": options.port, "user": options.user, "auth": auth, "secret": secret.expose(),
            "tls": options.tls != Tls::None, "ca": options.ca_file, "folders": options.folders,
            "connect": options.limits.connect.as_millis() as u64, "command": options.limits.command.as_millis() as u64,
            "stall": options.limits.stall.as_millis() as u64,
        });
        let mut test = Command::new(std::env::current_exe().unwrap());
        test.args(["--exact", "intake::child", "--ignored", "--nocapture"]).env(CHILD, order.to_string());
        let output = test.env("RUST_BACKTRACE", "1").output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let said =
            text.lines().find_map(|line| line.split_once(MARK)).map(|(_, json)| json.to_owned()).unwrap_or_default();
        let json: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
        let text_of = |name: &str| json[name].as_str().map(str::to_owned);
        Self {
            places: json["places"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|place| place.as_str().map(str::to_owned))
                .collect(),
            unreadable: json["unreadable"].as_u64().unwrap_or_default(),
            gone: json["gone"].as_u64().unwrap_or_default(),
            error: text_of("error"),
            kind: text_of("kind").unwrap_or_default(),
            hint: text_of("hint"),
            peak_kib: json["peak_kib"].as_u64().unwrap_or_default(),
            start_kib: json["start_kib"].as_u64().unwrap_or_default(),
            seconds: json["seconds"].as_f64().unwrap_or_default(),
            ended_by_itself: output.status.success() && !said.is_empty(),
            output: text,
        }
    }
}

/// A line of /proc/self/status, KiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_ascii_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// The inside of [`Child::pull`]; does nothing when it is run as a test.
#[test]
#[ignore = "run by other tests in a process of its own"]
fn child() {
    let Ok(order) = std::env::var(CHILD) else { return };
    let order: serde_json::Value = serde_json::from_str(&order).unwrap();
    let text = |name: &str| order[name].as_str().unwrap().to_owned();
    let time = |name: &str| std::time::Duration::from_millis(order[name].as_u64().unwrap());
    let auth = match text("auth").as_str() {
        "password" => Auth::Password,
        "xoauth2" => Auth::XOAuth2,
        _ => Auth::OAuthBearer,
    };
    let mut options = Options::new("test", &text("host"), &text("user"), auth(Secret::new(text("secret"))));
    options.port = u16::try_from(order["port"].as_u64().unwrap()).unwrap();
    options.tls = if order["tls"].as_bool().unwrap() { Tls::Implicit } else { Tls::None };
    options.ca_file = order["ca"].as_str().map(Into::into);
    options.folders =
        order["folders"].as_array().unwrap().iter().map(|folder| folder.as_str().unwrap().to_owned()).collect();
    (options.limits.connect, options.limits.command, options.limits.stall) =
        (time("connect"), time("command"), time("stall"));
    let (mut places, mut unreadable, start_kib, start) = (Vec::new(), 0, memory("VmRSS"), Instant::now());
    let outcome = pull(&options, &BTreeMap::new(), scan(), &Cancel::new(), &mut |event| {
        match event {
            Event::Mail(mail) => places.push(mail.place.0),
            Event::Unreadable { .. } => unreadable += 1,
            _ => {}
        }
        ControlFlow::Continue(())
    });
    let seconds = start.elapsed().as_secs_f64();
    let error = outcome.as_ref().err();
    let said = serde_json::json!({
        "places": places, "unreadable": unreadable, "gone": outcome.as_ref().map_or(0, |outcome| outcome.gone),
        "error": error.map(ToString::to_string), "kind": error.map(|error| format!("{:?}", error.kind)),
        "hint": error.and_then(|error| error.hint.clone()), "start_kib": start_kib, "peak_kib": memory("VmHWM"), "seconds": seconds,
    });
    println!("{MARK}{said}");
    if let Some(error) = error {
        println!("in full: {error:?}");
    }
}

#[test]
fn bounces_come_out_of_dovecot_by_every_way_in() {
    let Some(server) = Dovecot::start() else { return };
    let truth = server.seed(USER, 200, &["--bounce-pct", "20"]);
    let bounces: BTreeSet<String> = truth
        .iter()
        .filter(|(_, kind)| kind.as_str().unwrap().starts_with("bounce"))
        .map(|(id, _)| id.clone())
        .collect();
    let token = || Secret::new("good-token".to_owned());
    let ways = [
        (Tls::Implicit, password()),
        (Tls::StartTls, password()),
        (Tls::None, password()),
        (Tls::Implicit, Auth::XOAuth2(token())),
        (Tls::StartTls, Auth::OAuthBearer(token())),
    ];
    for (tls, auth) in ways {
        let options = options(&server, tls, auth);
        let mut pulled = Pulled::default();
        let outcome = pulled.run(&options).unwrap();
        assert_eq!(outcome.scanned, 200, "{tls:?}");
        let got = pulled.message_ids();
        assert!(got.is_superset(&bounces), "{tls:?}: missed {:?}", bounces.difference(&got));
        assert!(
            pulled
                .mails
                .iter()
                .all(|mail| mail.received.is_some() && mail.place.0.starts_with("imap://test/INBOX;uid="))
        );
        // a second pull has nothing to do
        let before = pulled.mails.len();
        let again = pulled.run(&options).unwrap();
        assert_eq!((pulled.mails.len(), again.scanned), (before, 0), "{tls:?}");
    }
}
