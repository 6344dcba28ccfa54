//! Private servers for tests: Dovecot on loopback under a temporary folder, a counting proxy, a hostile server.
//!
//! Every server listens on ports nobody else uses and dies with its handle. Where Dovecot is not installed a test says
//! so in one line and passes; `tests/run` installs it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The user of every server here, and the password.
pub(crate) const USER: &str = "user@example.com";
pub(crate) const PASSWORD: &str = "pass";

/// Whether the slow tests were asked for (`tests/run --full`).
pub(crate) fn full() -> bool {
    std::env::var_os("BOUNCEBACK_FULL_TESTS").is_some()
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers")
}

/// Whether a program is installed, also where daemons live.
pub(crate) fn installed(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').chain(["/usr/sbin", "/sbin", "/usr/local/sbin"]).any(|dir| Path::new(dir).join(program).is_file())
}

/// A port with `count - 1` free ones after it. Another test may take one of them in between; callers try again.
fn free_ports(count: u16) -> u16 {
    loop {
        let first = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        let Some(last) = port.checked_add(count - 1) else { continue };
        if (port + 1..=last).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return port;
        }
    }
}

/// Waits until something listens, or the time is over.
fn listening(port: u16) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_millis(200)).is_ok() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

/// A private Dovecot.
pub(crate) struct Dovecot {
    watch: Child,
    /// Everything it has: configuration, mail, certificates.
    pub(crate) dir: tempfile::TempDir,
    /// Plain and STARTTLS.
    pub(crate) plain: u16,
    /// Implicit TLS.
    pub(crate) tls: u16,
}

impl Dovecot {
    /// Starts one, or says in one line that there is none.
    pub(crate) fn start() -> Option<Self> {
        Self::with("")
    }

    /// The same with more lines of configuration.
    pub(crate) fn with(extra: &str) -> Option<Self> {
        if !installed("dovecot") || !installed("openssl") || !installed("python3") {
            crate::skip::skip("no dovecot (tests/run installs it)");
            return None;
        }
        for _ in 0..5 {
            let dir = tempfile::Builder::new().prefix("bounceback-dovecot").tempdir().unwrap();
            let plain = free_ports(3);
            let mut up = Command::new(scripts().join("dovecot-up"));
            up.arg(dir.path()).arg(plain.to_string()).arg(extra).env("WATCH", "1");
            let mut watch = up.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
            // standard output ends when the server is up, or when it could not start
            let mut lines = String::new();
            watch.stdout.take().unwrap().read_to_string(&mut lines).unwrap();
            let server = Self { watch, dir, plain, tls: plain + 1 };
            if lines.contains("stop ") && listening(plain) {
                return Some(server);
            }
        }
        panic!("dovecot does not start");
    }

    /// The certificate of its authority, and the folder of the bad ones.
    pub(crate) fn ca(&self) -> PathBuf {
        self.dir.path().join("tls/ca.pem")
    }

    /// The Maildir of a folder; `INBOX` is the user's.
    pub(crate) fn maildir(&self, user: &str) -> PathBuf {
        self.dir.path().join("mail").join(user)
    }

    /// Fills a user's INBOX with seeded mail; returns Message-ID -> kind (`mail`, `decoy:…`, `bounce:…`).
    pub(crate) fn seed(&self, user: &str, count: u32, options: &[&str]) -> serde_json::Map<String, serde_json::Value> {
        let maildir = self.maildir(user);
        seed(&maildir, count, options);
        let users = self.dir.path().join("users");
        let mut known = std::fs::read_to_string(&users).unwrap();
        if !known.contains(&format!("{user}:")) {
            known.push_str(&format!("{user}:{{PLAIN}}{PASSWORD}::::::\n"));
            std::fs::write(users, known).unwrap();
        }
        truth(&maildir)
    }

    /// The server loses its index and makes a new one: same mail, new UIDVALIDITY.
    pub(crate) fn renumber(&self, user: &str) {
        let maildir = self.maildir(user);
        for entry in std::fs::read_dir(&maildir).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.file_name().unwrap().to_string_lossy().starts_with("dovecot.index") {
                std::fs::remove_file(entry).unwrap();
            }
        }
        // "3 V1700000000 N41 G…": version, UIDVALIDITY, next UID
        let file = maildir.join("dovecot-uidlist");
        let list = std::fs::read_to_string(&file).unwrap();
        let old = list.split_whitespace().nth(1).and_then(|word| word.strip_prefix('V')).unwrap().to_owned();
        let new: u64 = old.parse::<u64>().unwrap() - 5;
        std::fs::write(file, list.replacen(&format!("V{old}"), &format!("V{new}"), 1)).unwrap();
    }

    /// Where Dovecot logs, for a test that failed.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log/dovecot.log")).unwrap_or_default()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

pub(crate) fn seed(maildir: &Path, count: u32, options: &[&str]) {
    std::fs::create_dir_all(maildir).unwrap();
    let mut seed = Command::new(scripts().join("seed"));
    let output = seed.arg(maildir).arg(count.to_string()).args(options).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn truth(maildir: &Path) -> serde_json::Map<String, serde_json::Value> {
    let file = PathBuf::from(format!("{}.truth.json", maildir.display()));
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// A script of tests/servers that runs until it is dropped.
pub(crate) struct Script {
    child: Child,
    /// Where it listens.
    pub(crate) port: u16,
}

impl Script {
    /// A port where nobody listens.
    pub(crate) fn free_port() -> u16 {
        free_ports(1)
    }

    /// Starts a script that prints `up PORT` when it is ready, and ends when its standard input does.
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        let mut script = Command::new(scripts().join(name));
        let mut child = script.args(arguments).stdout(Stdio::piped()).stdin(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let port = first.trim().strip_prefix("up ").and_then(|port| port.parse().ok());
        Self { child, port: port.unwrap_or_else(|| panic!("{name} says {first:?}")) }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Another brand of server, started by its script; for `tests/run --full`.
struct Other {
    watch: Child,
    _dir: tempfile::TempDir,
}

impl Other {
    fn start(script: &str, dir: tempfile::TempDir, port: u16) -> Option<Self> {
        let mut up = Command::new(scripts().join(script));
        up.arg(dir.path()).arg(port.to_string()).env("WATCH", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut watch = up.spawn().unwrap();
        let mut lines = String::new();
        watch.stdout.take().unwrap().read_to_string(&mut lines).unwrap();
        let other = Self { watch, _dir: dir };
        assert!(lines.contains("stop ") && listening(port), "{script}: {lines}");
        Some(other)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}

const EXTRA: &str = "/opt/imapd-extra";

/// A private Cyrus; its user is `user`.
pub(crate) struct Cyrus {
    pub(crate) plain: u16,
    _server: Other,
}

impl Cyrus {
    pub(crate) fn start() -> Option<Self> {
        if !Path::new(EXTRA).join("usr/lib/cyrus/bin/imapd").is_file() || !installed("saslpasswd2") {
            crate::skip::skip("no cyrus (tests/run --full installs it, as root)");
            return None;
        }
        let plain = free_ports(2);
        let dir = tempfile::Builder::new().prefix("bounceback-cyrus").tempdir().unwrap();
        Some(Self { plain, _server: Other::start("cyrus-up", dir, plain)? })
    }
}

/// A private Courier over a copy of a Maildir.
pub(crate) struct Courier {
    pub(crate) plain: u16,
    _server: Other,
}

impl Courier {
    pub(crate) fn start(maildir: &Path) -> Option<Self> {
        if !Path::new(EXTRA).join("usr/bin/imapd").is_file() {
            crate::skip::skip("no courier (tests/run --full installs it, as root)");
            return None;
        }
        let plain = free_ports(1);
        let dir = tempfile::Builder::new().prefix("bounceback-courier").tempdir().unwrap();
        for part in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(dir.path().join("mail").join(part)).unwrap();
        }
        for entry in std::fs::read_dir(maildir.join("cur")).unwrap().map(|entry| entry.unwrap()) {
            std::fs::copy(entry.path(), dir.path().join("mail/cur").join(entry.file_name())).unwrap();
        }
        Some(Self { plain, _server: Other::start("courier-up", dir, plain)? })
    }
}

/// A bare session for setting a scene: signs in, sends commands, returns everything the server said.
pub(crate) fn raw_session(port: u16, user: &str, commands: &[&str]) -> String {
    let mut server = BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
    let (mut all, mut line) = (String::new(), Vec::new());
    server.read_until(b'\n', &mut line).unwrap();
    let login = format!("LOGIN \"{user}\" \"{PASSWORD}\"");
    for (n, command) in std::iter::once(login.as_str()).chain(commands.iter().copied()).enumerate() {
        write!(server.get_mut(), "s{n} {command}\r\n").unwrap();
        loop {
            line.clear();
            assert_ne!(server.read_until(b'\n', &mut line).unwrap(), 0, "{command}: the server hung up");
            all.push_str(&String::from_utf8_lossy(&line));
            if line.starts_with(format!("s{n} ").as_bytes()) {
                break;
            }
        }
    }
    all
}

/// Puts the mail of a Maildir into INBOX by APPEND, in order.
pub(crate) fn append(port: u16, user: &str, maildir: &Path) {
    let mut server = BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
    let mut line = String::new();
    server.read_line(&mut line).unwrap();
    let mut files: Vec<_> =
        std::fs::read_dir(maildir.join("cur")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut say = |server: &mut BufReader<TcpStream>, bytes: &[u8], until: &str| {
        server.get_mut().write_all(bytes).unwrap();
        loop {
            line.clear();
            assert_ne!(server.read_line(&mut line).unwrap(), 0, "the server hung up");
            if line.starts_with(until) {
                assert!(!line.contains(" NO ") && !line.contains(" BAD "), "{line}");
                break;
            }
        }
    };
    say(&mut server, format!("l LOGIN {user} {PASSWORD}\r\n").as_bytes(), "l ");
    for file in files {
        let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).replace("\r\n", "\n").replace('\n', "\r\n");
        say(&mut server, format!("a APPEND INBOX {{{}}}\r\n", text.len()).as_bytes(), "+");
        say(&mut server, format!("{text}\r\n").as_bytes(), "a ");
    }
}
