//! The IMAP intake against a real Dovecot: the thin path.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use bounceback::model::Secret;
use bounceback::source::imap::{Auth, Cursor, Event, Options, Outcome, Tls, pull};
use bounceback::source::{Cancel, Error, RawMail};

use crate::servers::{Dovecot, PASSWORD, USER};

/// A stand-in for the engine's first look at a header: cheap, and good for the mail `seed` makes.
pub(crate) fn candidate(header: &[u8]) -> bool {
    let lower = String::from_utf8_lossy(header).to_lowercase();
    let sender = ["mailer-daemon", "postmaster", "microsoftexchange"];
    let subject = ["undeliver", "failure notice", "delivery status", "mail delivery", "unzustellbar"];
    lower.contains("x-failed-recipients")
        || lower.contains("delivery-status")
        || lower.lines().any(|line| line.starts_with("from:") && sender.iter().any(|word| line.contains(word)))
        || lower.lines().any(|line| line.starts_with("subject:") && subject.iter().any(|word| line.contains(word)))
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
        pull(options, &cursors, &candidate, &Cancel::new(), &mut |event| {
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
