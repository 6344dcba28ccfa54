//! Waits for new mail by IDLE (RFC 2177), by polling where a server does not offer or does not manage it.
//!
//! The guard ends every IDLE after [`IDLE`] and asks for a sign of life, so a dead peer is noticed within two minutes
//! and a laptop that slept reconnects by itself.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::session::{Failure, Session};
use super::{Cursor, Options};
use crate::source::{Cancel, Error, Kind};

/// Longest time without a word to the server.
const IDLE: Duration = Duration::from_secs(90);
/// How often a server without IDLE is asked.
const POLL: Duration = Duration::from_secs(60);

/// What happens while waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watching {
    /// The connection stands.
    Connected,
    /// It broke and is tried again in so many seconds.
    Lost {
        /// Why.
        why: String,
        /// Seconds until the next try.
        retry: u64,
    },
}

/// Returns when one of the folders holds something the cursors do not cover. Reconnects by itself.
///
/// # Errors
/// When waiting makes no sense: cancelled, sign-in refused, folder gone. A certificate that is refused may be that of
/// another network's sign-in page; nothing secret is sent to it.
pub fn wait(
    options: &Options,
    cursors: &BTreeMap<String, Cursor>,
    cancel: &Cancel,
    notice: &mut dyn FnMut(Watching),
) -> Result<(), Error> {
    if options.folders.is_empty() {
        return Err(Error::no_account_folder(&options.name));
    }
    let mut failures = 0;
    let mut idle = true;
    loop {
        // also keeps a server that contradicts itself from being asked without a pause
        if cancel.wait(options.limits.watch_pause) {
            return Err(Error::cancelled());
        }
        let error = match connected(options, cursors, cancel, &mut idle, &mut failures, notice) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if !matches!(error.kind, Kind::Network | Kind::Timeout | Kind::Tls | Kind::Protocol | Kind::Throttled) {
            return Err(error);
        }
        let retry = error
            .retry_after
            .unwrap_or(0)
            .max(5_u64 << failures.min(4))
            .min(options.limits.watch_retry.as_secs().max(1));
        failures += 1;
        notice(Watching::Lost { why: error.what, retry });
        if cancel.wait(Duration::from_secs(retry)) {
            return Err(Error::cancelled());
        }
    }
}

/// Waits on one connection.
fn connected(
    options: &Options,
    cursors: &BTreeMap<String, Cursor>,
    cancel: &Cancel,
    idle: &mut bool,
    failures: &mut u32,
    notice: &mut dyn FnMut(Watching),
) -> Result<(), Error> {
    let soon = || Instant::now() + options.limits.command;
    let mut session = Session::open(options, cancel, soon())?;
    let plain = |failure: Failure| failure.error;
    let can_idle = session.capabilities().map_err(plain)?.iter().any(|name| name == "IDLE");
    let Some((first, others)) = options.folders.split_first() else { return Ok(()) };
    loop {
        // a new EXAMINE tells the next UID, which no untagged answer does
        let examined = session.examine(first, soon()).map_err(plain)?;
        let mut news = is_news(cursors.get(first), examined.uidvalidity, examined.uidnext, examined.exists);
        for folder in others {
            let (uidvalidity, uidnext, messages) = session.status(folder, soon()).map_err(plain)?;
            news |= is_news(cursors.get(folder), uidvalidity, uidnext, messages);
        }
        if *failures > 0 || !news {
            notice(Watching::Connected);
        }
        *failures = 0;
        if news {
            session.close();
            return Ok(());
        }
        if can_idle && *idle {
            let began = Instant::now();
            match session.idle(began + options.limits.watch_idle.unwrap_or(IDLE)) {
                Ok(_) if cancel.is_cancelled() => return Err(Error::cancelled()),
                // an IDLE that ends at once, over and over, is worse than polling
                Ok(news) => *idle = news || began.elapsed() > Duration::from_secs(1),
                Err(failure) => {
                    *idle = failure.cut || failure.error.kind != Kind::Protocol;
                    if failure.lost {
                        return Err(failure.error);
                    }
                }
            }
        } else if cancel.wait(options.limits.watch_idle.unwrap_or(POLL)) {
            return Err(Error::cancelled());
        }
    }
}

/// Whether a folder holds something its cursor does not cover.
fn is_news(cursor: Option<&Cursor>, uidvalidity: u32, uidnext: Option<u32>, messages: u32) -> bool {
    let Some(cursor) = cursor else { return messages > 0 };
    let newest = uidnext.unwrap_or(1).saturating_sub(1);
    let covered = cursor.done.last().map_or(0, |&(_, high)| high);
    let tried = cursor.tries.last_key_value().map_or(0, |(&uid, _)| uid);
    messages > 0 && (cursor.uidvalidity != uidvalidity || newest > covered.max(tried))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_is_what_the_cursor_does_not_cover() {
        let mut cursor = Cursor::fresh(7);
        cursor.mark(1, 9);
        assert!(is_news(None, 7, Some(2), 1));
        assert!(!is_news(None, 7, Some(1), 0));
        assert!(!is_news(Some(&cursor), 7, Some(10), 5));
        assert!(is_news(Some(&cursor), 7, Some(11), 5));
        assert!(is_news(Some(&cursor), 8, Some(2), 1));
        cursor.tried(10);
        assert!(!is_news(Some(&cursor), 7, Some(11), 5), "tried in vain, the next pull tries again");
    }
}
