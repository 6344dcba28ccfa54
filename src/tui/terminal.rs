//! Takes the terminal over and gives it back on every path: return, error, panic, signal, suspend, editor.
//!
//! Owns modes of the terminal (raw, alternate screen, bracketed paste, cursor). Knows nothing of what is shown.
//! Invariant: whoever prints to the terminal finds it as it was before.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::terminal as raw;
use ratatui::layout::Size;

/// Alternate screen, no cursor, bracketed paste.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// The other way round; also ends a synchronized update and a scroll region that a panic may have left open.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[r\x1b[m\x1b[?2004l\x1b[?25h\x1b[?1049l";
/// Asks whether the terminal knows synchronized updates (DECRQM); the answer comes as input, whenever it comes.
pub const ASK_SYNCHRONIZED: &[u8] = b"\x1b[?2026$p";

static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// The terminal while the screen has it. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal over and installs the panic hook of the screen.
    pub fn take() -> io::Result<Self> {
        hook();
        enter()?;
        Ok(Self(()))
    }

    /// Gives the terminal back for a while (suspend, editor).
    pub fn leave(&self) {
        leave();
    }

    /// Takes it over again.
    pub fn enter(&self) -> io::Result<()> {
        enter()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        leave();
    }
}

fn enter() -> io::Result<()> {
    raw::enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut out = Out::open();
    out.write_all(ENTER)?;
    out.flush()
}

/// Gives the terminal back; does nothing when it was not taken.
fn leave() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = Out::open();
        let _ = out.write_all(LEAVE).and_then(|()| out.flush());
        let _ = raw::disable_raw_mode();
    }
}

/// A panic of the screen's own thread gives the terminal back before its message is printed; one of a worker is
/// caught where the worker was started, and must not write into the screen.
fn hook() {
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let worker = std::thread::current().name().is_some_and(|name| name.starts_with("worker"));
            if worker && TAKEN.load(Ordering::SeqCst) {
                return;
            }
            leave();
            before(panic);
        }));
    });
}

/// The size of the terminal in cells, at least 1x1; 80x24 where it does not say.
pub fn size() -> Size {
    match raw::size() {
        Ok((width, height)) if width > 0 && height > 0 => Size { width, height },
        _ => Size { width: 80, height: 24 },
    }
}

/// Whether there is a terminal to draw on and to read keys from.
pub fn is_there() -> bool {
    io::stdout().is_terminal() && (io::stdin().is_terminal() || File::open("/dev/tty").is_ok())
}

/// The keyboard: standard input where that is a terminal, else the controlling terminal.
pub fn keyboard() -> io::Result<impl Read + Send + use<>> {
    if io::stdin().is_terminal() {
        return Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?));
    }
    File::open("/dev/tty")
}

/// The screen: standard output without the line buffering of the standard library.
#[derive(Debug)]
pub struct Out(Option<File>);

impl Out {
    /// Opens standard output.
    pub fn open() -> Self {
        Self(io::stdout().as_fd().try_clone_to_owned().ok().map(File::from))
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Some(file) => file.write(bytes),
            None => io::stdout().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Stops this process as the shell expects it, where there is a shell to come back from; says whether it did.
pub fn suspend() -> bool {
    if !has_job_control() {
        return false;
    }
    leave();
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP);
    true
}

/// Whether a shell waits for this process: a session leader, or one whose parent belongs to another session, would
/// stop with nobody to wake it (`tmux new bounceback`).
fn has_job_control() -> bool {
    let session = |pid: &str| -> Option<(u32, u32)> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(1);
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        Some((parent, session))
    };
    let Some((parent, own)) = session("self") else { return true };
    own != std::process::id() && session(&parent.to_string()).is_some_and(|(_, theirs)| theirs == own)
}
