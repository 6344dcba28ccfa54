//! Threads of the screen: the desk's own, one per fetch, one for the keyboard, one for signals. Each sends what happened
//! through one channel and touches nothing else.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;

use super::hands::Hands;
use super::msg::{Effect, Failure, FetchStep, Msg};
use super::terminal;
use crate::model::Timestamp;

/// What reaches the loop of the screen.
#[derive(Debug)]
pub(super) enum Event {
    /// Bytes from the keyboard.
    Typed(Vec<u8>),
    /// The terminal is gone.
    Gone,
    /// The terminal has another size.
    Resized,
    /// The process is asked to end.
    Ended(i32),
    /// The process is asked to stop for a while.
    Stopped,
    /// The process goes on.
    Continued,
    /// The desk answers one request.
    Answer(Vec<Msg>),
    /// The desk has read all cases.
    Read(Vec<Msg>),
    /// Something was found out in the background.
    News(Box<Msg>),
    /// A fetch goes on.
    Fetched(String, FetchStep),
}

/// What the desk's thread is asked.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a few a second, moved once")]
pub(super) enum Request {
    /// The kept state and the first rows, of a limited list or not; all cases follow.
    Begin(bool, Timestamp),
    /// A wish of the screen.
    Perform(Effect, Timestamp),
    /// What changed since the last look.
    Look,
    /// Texts for the next run.
    Keep(Vec<(String, Option<String>)>),
}

/// Starts the desk's thread. It answers each request with one [`Event::Answer`], in order, reads the cases piece by piece
/// while nobody asks, and ends with its channel.
pub(super) fn desk(
    mut hands: Hands,
    events: Sender<Event>,
) -> std::io::Result<(Sender<Request>, thread::JoinHandle<()>)> {
    let (requests, inbox) = channel();
    let work = move || {
        loop {
            let request = match inbox.try_recv() {
                Ok(request) => Some(request),
                Err(TryRecvError::Empty) if hands.is_reading() => None,
                Err(_) => match inbox.recv() {
                    Ok(request) => Some(request),
                    Err(_) => return,
                },
            };
            let asked = request.is_some();
            let caught = catch_unwind(AssertUnwindSafe(|| match request {
                Some(request) => answer(&mut hands, request),
                None => hands.read_on().unwrap_or_default(),
            }));
            let messages = caught.unwrap_or_else(|_| {
                vec![Msg::Failed(Failure {
                    what: "an internal fault; what is saved is safe".into(),
                    hint: Some("please report it".into()),
                })]
            });
            let event = if asked { Event::Answer(messages) } else { Event::Read(messages) };
            let nothing = matches!(&event, Event::Read(messages) if messages.is_empty());
            if !nothing && events.send(event).is_err() {
                return;
            }
        }
    };
    Ok((requests, thread::Builder::new().name("worker-desk".into()).spawn(work)?))
}

fn answer(hands: &mut Hands, request: Request) -> Vec<Msg> {
    match request {
        Request::Begin(limited, now) => hands.begin(limited, now),
        Request::Perform(effect, now) => hands.perform(effect, now).into_iter().collect(),
        Request::Look => hands.look().into_iter().collect(),
        Request::Keep(texts) => texts.iter().filter_map(|(key, text)| hands.keep(key, text.as_deref())).collect(),
    }
}

/// Reads the keyboard. After each piece it waits for a token, so that nothing is read while an editor has the terminal.
pub(super) fn keyboard(tokens: Receiver<()>, events: Sender<Event>) -> std::io::Result<()> {
    let mut source = terminal::keyboard()?;
    let work = move || {
        let mut buffer = [0; 16 * 1024];
        loop {
            let event = match source.read(&mut buffer) {
                Ok(0) => Event::Gone,
                Ok(n) => Event::Typed(buffer[..n].to_vec()),
                Err(why) if why.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => Event::Gone,
            };
            let gone = matches!(event, Event::Gone);
            if events.send(event).is_err() || gone || tokens.recv().is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("worker-keyboard".into()).spawn(work).map(drop)
}

/// Turns signals into events.
pub(super) fn signals(events: Sender<Event>) -> std::io::Result<signal_hook::iterator::Handle> {
    let mut signals = Signals::new([SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGCONT])?;
    let handle = signals.handle();
    let work = move || {
        for signal in signals.forever() {
            let event = match signal {
                SIGWINCH => Event::Resized,
                SIGTSTP => Event::Stopped,
                SIGCONT => Event::Continued,
                other => Event::Ended(other),
            };
            if events.send(event).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("worker-signals".into()).spawn(work)?;
    Ok(handle)
}
