//! Whose turn it is to fetch: one process at a time for each state folder, so that a screen and a cron job do not fetch
//! the same mails twice.
//!
//! The turn is a lock of the kernel on the folder itself. It ends with the process, however that ends, and leaves no file.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::error::{Error, Result};
use crate::source::Cancel;

/// How often one that waits looks again.
const LOOK: Duration = Duration::from_millis(200);
/// How often it looks before it gives up: ten minutes.
const LOOKS: u32 = 3000;

/// A turn that is shared by the fetches of one process, and given back when the last of them drops it.
#[derive(Debug, Clone, Default)]
pub struct Turn(Arc<Mutex<Option<File>>>);

impl Turn {
    /// Takes the turn; `waits` is told once where another process has it. A cancelled wait is no error.
    ///
    /// # Errors
    /// When the other process is still fetching after ten minutes.
    pub fn take(&self, state_dir: Option<&Path>, cancel: &Cancel, waits: &mut dyn FnMut()) -> Result<()> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(folder) = state_dir.filter(|_| held.is_none()).and_then(|dir| File::open(dir).ok()) else {
            return Ok(());
        };
        for look in 0..LOOKS {
            match folder.try_lock() {
                Err(TryLockError::WouldBlock) if look == 0 => waits(),
                Err(TryLockError::WouldBlock) => {}
                // A file system without such locks: two fetches cost time, and nothing else.
                Ok(()) | Err(TryLockError::Error(_)) => {
                    *held = Some(folder);
                    return Ok(());
                }
            }
            if cancel.wait(LOOK) {
                return Ok(());
            }
        }
        Err(Error::turn())
    }
}

/// Where the fetches of one process find the turn that is running.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Mutex<Weak<Mutex<Option<File>>>>>);

impl Turns {
    /// The turn that another fetch of this process has or waits for, else a new one.
    pub fn current(&self) -> Turn {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = Turn(running.upgrade().unwrap_or_default());
        *running = Arc::downgrade(&turn.0);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_has_the_turn_its_fetches_share_it_and_it_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (Turn::default(), Turn::default());
        let mut waited = 0;
        one.take(Some(dir.path()), &Cancel::new(), &mut || waited += 1).unwrap();
        one.clone().take(Some(dir.path()), &Cancel::new(), &mut || waited += 1).unwrap();
        assert_eq!(waited, 0);
        let cancel = Cancel::new();
        two.take(Some(dir.path()), &cancel, &mut || cancel.cancel()).unwrap();
        assert!(cancel.is_cancelled(), "it was told to wait");
        drop(one);
        two.take(Some(dir.path()), &Cancel::new(), &mut || waited += 1).unwrap();
        assert_eq!((waited, std::fs::read_dir(dir.path()).unwrap().count()), (0, 0));
    }
}
