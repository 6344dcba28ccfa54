//! Watching: the open screen on a real Dovecot, on a pseudo-terminal. New bounces appear by themselves, the cursor stays
//! on its case, and a line that breaks or dies is made anew.

use std::time::{Duration, Instant};

use crate::proxy::{Line, Proxy};
use crate::pty::Terminal;
use crate::servers::{Dovecot, PASSWORD, USER, full};

/// The real screen on the server behind the proxy, with its first five cases shown.
fn open(server: &Dovecot, proxy: &Proxy, home: &tempfile::TempDir) -> Terminal {
    server.seed(USER, 5, &["--bounce-pct", "100", "--light"]);
    let config = home.path().join("config.toml");
    let text = format!(
        "[[account]]\nname = \"support\"\naddress = \"support@acme.example\"\nhost = \"localhost\"\nport = {}\n\
         tls = \"none\"\nuser = \"{USER}\"\npassword_command = [\"printf\", \"{PASSWORD}\"]\n",
        proxy.port,
    );
    std::fs::write(&config, text).unwrap();
    let state = home.path().join("state");
    let arguments = ["--config", config.to_str().unwrap(), "--state-dir", state.to_str().unwrap()];
    let mut terminal = Terminal::run(&arguments, &[]);
    terminal.see("left 5");
    terminal.see("synced");
    terminal
}

/// The row under the cursor, without its number: that may change when rows arrive above.
fn under_cursor(screen: &vt100::Screen) -> String {
    let contents = screen.contents();
    let row = contents.lines().find(|line| line.starts_with('>')).unwrap_or_default();
    row.split_whitespace().skip(2).collect::<Vec<_>>().join(" ")
}

#[test]
fn new_bounces_appear_by_themselves_and_leave_the_cursor_on_its_case() {
    let Some(server) = Dovecot::start() else { return };
    let proxy = Proxy::to(server.plain, Line::default());
    let home = tempfile::tempdir().unwrap();
    let mut terminal = open(&server, &proxy, &home);
    terminal.type_(b"jj");
    terminal.until("the third row", |screen| screen.contents().lines().any(|line| line.starts_with(">   3 ")));
    let case = under_cursor(terminal.screen.screen());
    server.seed(USER, 2, &["--bounce-pct", "100", "--light", "--start", "500"]);
    terminal.see("left 7");
    assert_eq!(under_cursor(terminal.screen.screen()), case);
    // ordinary mail is no news for the lead: nothing but the time of the last look may change
    server.seed(USER, 3, &["--bounce-pct", "0", "--light", "--start", "600"]);
    server.seed(USER, 1, &["--bounce-pct", "100", "--light", "--start", "700"]);
    terminal.see("left 8");
    assert_eq!(under_cursor(terminal.screen.screen()), case);
    // the line is cut while it waits: it comes back by itself, and so does the news
    proxy.sever();
    server.seed(USER, 1, &["--bounce-pct", "100", "--light", "--start", "800"]);
    terminal.see("left 9");
    assert_eq!(under_cursor(terminal.screen.screen()), case);
    terminal.type_(b"q");
    assert_eq!(terminal.end(), 0);
    terminal.is_restored();
}

#[test]
fn a_line_that_dies_without_a_word_is_noticed_and_made_anew() {
    if !full() {
        return crate::skip::skip("a dead line is noticed after a minute and a half (tests/run --full)");
    }
    let Some(server) = Dovecot::start() else { return };
    let proxy = Proxy::to(server.plain, Line::default());
    let home = tempfile::tempdir().unwrap();
    let mut terminal = open(&server, &proxy, &home);
    let idles = Instant::now() + Duration::from_secs(30);
    while !proxy.said().contains(" IDLE\r\n") && Instant::now() < idles {
        std::thread::yield_now();
    }
    proxy.freeze();
    let dead = Instant::now();
    server.seed(USER, 1, &["--bounce-pct", "100", "--light", "--start", "500"]);
    terminal.wait(Duration::from_secs(150), "left 6", |screen| screen.contents().contains("left 6"));
    assert!(dead.elapsed() < Duration::from_secs(120), "{:?}", dead.elapsed());
}
