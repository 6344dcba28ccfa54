//! Where mail comes from: IMAP folders, mbox files, Maildirs, single files, folders of them.
//!
//! Hands every mail to a callback as [`RawMail`] and knows nothing of diagnosis, store or screen. The only owner of
//! the crates `imap` and `native_tls`.
//!
//! Invariant: nothing here changes a mailbox or a file. IMAP folders are opened with EXAMINE and read with BODY.PEEK;
//! files are opened for reading.

pub mod error;
pub mod files;
pub mod imap;
mod mbox;
mod table;

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use error::{Error, Kind};
pub use table::Table;

use crate::model::{MessageRef, Timestamp};

/// One mail as it lies in its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawMail {
    /// Where it lies: `imap://account/folder;uid=12`, a path, `path#3` for the third mail of an mbox, `-` for stdin.
    pub place: MessageRef,
    /// When the server took it in (INTERNALDATE); none for files.
    pub received: Option<Timestamp>,
    /// Size of the whole mail in bytes, as the source tells it.
    pub size: u64,
    /// The mail, or its beginning.
    pub bytes: Vec<u8>,
    /// Whether `bytes` is only the beginning.
    pub truncated: bool,
}

/// A flag that ends a pull or an import: cheap to clone, seen within a quarter of a second even in a blocked read.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<(Mutex<bool>, Condvar)>);

impl Cancel {
    /// A flag that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the flag and wakes whoever waits on it.
    pub fn cancel(&self) {
        let (flag, wake) = &*self.0;
        *flag.lock().unwrap_or_else(PoisonError::into_inner) = true;
        wake.notify_all();
    }

    /// Whether the flag is set.
    pub fn is_cancelled(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, and returns early with `true` when the flag is set.
    pub fn wait(&self, time: Duration) -> bool {
        let (flag, wake) = &*self.0;
        let end = Instant::now() + time;
        let mut set = flag.lock().unwrap_or_else(PoisonError::into_inner);
        while !*set {
            let Some(rest) = end.checked_duration_since(Instant::now()).filter(|rest| !rest.is_zero()) else { break };
            set = wake.wait_timeout(set, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        *set
    }
}
