//! Threads that ask the name system: about the domain of an address being typed, and about a domain of ours. Nothing
//! waits for them, and they send domains only.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::msg::{Failure, Msg};
use super::worker::Event;
use crate::desk::{self, Desk};
use crate::dns::{self, Check, Resolver, Verdict, never};
use crate::model::Address;
use crate::rules::Sending;
use crate::suggest::{Finding, Level};

/// An address is asked about once typing has rested for so long: half a domain is nobody's business.
const REST: Duration = Duration::from_millis(400);

/// Starts the thread for addresses; the newest one is answered. Without a resolver nobody is asked.
pub(super) fn addresses(resolver: Option<Arc<Resolver>>, events: Sender<Event>) -> std::io::Result<Sender<String>> {
    let (questions, inbox) = channel();
    if let Some(resolver) = resolver {
        thread::Builder::new().name("worker-dns".into()).spawn(move || answer(&inbox, &resolver, &events))?;
    }
    Ok(questions)
}

fn answer(inbox: &Receiver<String>, resolver: &Resolver, events: &Sender<Event>) {
    while let Ok(mut text) = inbox.recv() {
        loop {
            match inbox.recv_timeout(REST) {
                Ok(newer) => text = newer,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        let Some(address) = Address::new(&text).filter(|address| address.domain().contains('.')) else { continue };
        let found = finding(&dns::look_up(&address, resolver, &never));
        if let Some(finding) = found
            && events.send(Event::News(Box::new(Msg::LookedUp(text, finding)))).is_err()
        {
            return;
        }
    }
}

/// What a lead should know of it; nothing where nobody could be asked.
fn finding(check: &Check) -> Option<Finding> {
    let because = check.because.first()?;
    let level = match check.verdict {
        Verdict::NoSuchDomain | Verdict::DomainTakesNoMail => Level::Warning,
        Verdict::ServerNotReachable => Level::Note,
        Verdict::CannotKnow if !check.mx.is_empty() => Level::Note,
        _ => return None,
    };
    Some(Finding::of(level, because.clone(), None))
}

/// What a domain of ours publishes, in lines.
pub(super) fn card_lines(options: desk::Options, domain: &str) -> Result<Vec<String>, desk::Error> {
    let none = Sending { spf_include: None, dkim: Vec::new(), source: String::new() };
    let options = desk::Options { state_dir: None, look_only: true, ..options };
    Desk::open(&options).map(|desk| desk.auth_card(domain, &none, &never).lines())
}

/// Looks up what a domain of ours publishes, in a thread of its own.
pub(super) fn card(options: desk::Options, domain: String, events: Sender<Event>) {
    let failed_events = events.clone();
    let work = move || {
        let message = match catch_unwind(AssertUnwindSafe(|| card_lines(options, &domain))) {
            Ok(Ok(lines)) => Msg::Card(domain, lines),
            Ok(Err(error)) => Msg::Failed(error.into()),
            Err(_) => Msg::Failed(Failure { what: "an internal fault while looking up".into(), hint: None }),
        };
        let _ = events.send(Event::News(Box::new(message)));
    };
    if let Err(why) = thread::Builder::new().name("worker-card".into()).spawn(work) {
        let failure = Failure { what: format!("could not start looking up: {why}"), hint: None };
        let _ = failed_events.send(Event::News(Box::new(Msg::Failed(failure))));
    }
}
