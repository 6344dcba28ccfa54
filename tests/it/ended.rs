//! A folder with a store, and the real binary ended on it at a random point. Used by the crash campaign.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use bounceback::store::{FILE, Store};
use rusqlite::{Connection, OpenFlags};

use crate::servers::{PASSWORD, full};

/// A small generator: the same points for the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(salt: u64) -> Self {
        let seed = std::env::var("BOUNCEBACK_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
        Self((seed + 1_u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ salt.wrapping_mul(0xD6E8_FEB8_6659_FD93))
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end.max(1)
    }
}

/// How a run is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    Kill,
    Term,
    Hangup,
    /// Files may not grow beyond a limit; every write past it fails.
    DiskFull,
    /// The same, and the kernel's signal ends the process at that write.
    DiskFullKilled,
}

pub(crate) const FAULTS: [Fault; 5] = [Fault::Kill, Fault::Term, Fault::Hangup, Fault::DiskFull, Fault::DiskFullKilled];

/// How many runs of each kind.
pub(crate) fn rounds(quick: usize, all: usize) -> usize {
    if full() { all } else { quick }
}

/// A folder with a store of the demo's cases, copied for each run.
pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) state: PathBuf,
    pub(crate) dice: Dice,
    /// Runs by kind: all, ended early, with something reported.
    tally: BTreeMap<(String, Fault), [usize; 3]>,
}

impl Bench {
    pub(crate) fn new(salt: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let bench = Self { state, dice: Dice::new(salt), tally: BTreeMap::new(), dir };
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo");
        let filled = bench.command(&["import", demo.to_str().unwrap()], None).output().unwrap();
        assert!(filled.status.success(), "{filled:?}");
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The binary; with a limit in KiB for the files it writes, and whether passing it is deadly.
    pub(crate) fn command(&self, arguments: &[&str], limit: Option<(u64, bool)>) -> Command {
        let mut command = match limit {
            None => Command::new(env!("CARGO_BIN_EXE_bounceback")),
            Some((kib, deadly)) => {
                let trap = if deadly { "" } else { "trap '' XFSZ; " };
                let mut shell = Command::new("bash");
                shell.args(["-c", &format!("ulimit -c 0; ulimit -f {kib}; {trap}exec \"$@\""), "bash"]);
                shell.arg(env!("CARGO_BIN_EXE_bounceback"));
                shell
            }
        };
        command.env_clear().env("HOME", self.dir.path()).env("LOGNAME", "tester").env("PATH", "/usr/bin:/bin");
        command.env("BOUNCEBACK_PASSWORD", PASSWORD).current_dir(self.dir.path());
        command.arg("--state-dir").arg(&self.state).args(arguments).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs to the end of it, or to the fault, whichever comes first; feeds `input` line by line.
    pub(crate) fn run(&mut self, name: &str, arguments: &[&str], input: &str, fault: Fault, usual: Duration) -> Output {
        // Between nothing at all and more than it needs: a decision writes a few KiB to the log, a copy the whole store.
        let room = fs::metadata(self.state.join(FILE)).map_or(800, |file| file.len() / 1024 + 100);
        let room = if self.dice.below(2) == 0 { room } else { 64 };
        let limit = self.dice.below(room);
        let limit = match fault {
            Fault::DiskFull => Some((limit, false)),
            Fault::DiskFullKilled => Some((limit, true)),
            _ => None,
        };
        let moment = usual.mul_f64(self.dice.below(1200) as f64 / 1000.0);
        let mut command = self.command(arguments, limit);
        command.stdin(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut keyboard = child.stdin.take().unwrap();
        let input = input.to_owned();
        let typist = std::thread::spawn(move || keyboard.write_all(input.as_bytes()));
        if limit.is_none() {
            while began.elapsed() < moment && child.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
            signal(&child, fault);
        }
        let output = child.wait_with_output().unwrap();
        let _ = typist.join().unwrap();
        let early = !output.status.success();
        self.count(name, fault, early, !output.stdout.is_empty());
        output
    }

    pub(crate) fn count(&mut self, name: &str, fault: Fault, early: bool, reported: bool) {
        let counts = self.tally.entry((name.to_owned(), fault)).or_default();
        for (count, one) in counts.iter_mut().zip([true, early, reported]) {
            *count += usize::from(one);
        }
    }

    /// How long a run takes when nobody disturbs it.
    pub(crate) fn usual(&self, arguments: &[&str], input: &str) -> Duration {
        let began = Instant::now();
        let mut child = self.command(arguments, None).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        assert!(child.wait_with_output().unwrap().status.success());
        began.elapsed()
    }

    /// The journal: what each batch did, and the notes it carries, in order.
    pub(crate) fn journal(&self) -> Vec<(String, Option<String>)> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let db = Connection::open_with_flags(self.state.join(FILE), flags).unwrap();
        let sql = "SELECT act, group_concat(note) FROM batch LEFT JOIN entry ON entry.batch = batch.id \
                   GROUP BY batch.id ORDER BY batch.id";
        let mut query = db.prepare(sql).unwrap();
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    pub(crate) fn in_order(&self, after: &str) {
        match Store::check(&self.state) {
            Ok(health) => assert_eq!(health.faults, Vec::<String>::new(), "after {after}"),
            Err(error) => panic!("after {after}: {error}"),
        }
    }

    /// Removes what restores set aside.
    pub(crate) fn sweep(&self) {
        for entry in fs::read_dir(&self.state).unwrap().map(Result::unwrap) {
            if entry.file_name().to_str().unwrap().contains(".old-") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }

    pub(crate) fn list(&self) -> String {
        let output = self.command(&["list", "--no-heading"], None).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The figures, for whoever asked for them with `--nocapture`.
    pub(crate) fn tell(&self) {
        for ((name, fault), [all, early, reported]) in &self.tally {
            println!("{name:<10} {fault:<16?} {all:>4} runs, {early:>4} ended early, {reported:>4} had reported");
        }
    }
}

fn signal(child: &Child, fault: Fault) {
    let name = match fault {
        Fault::Kill => "-KILL",
        Fault::Term => "-TERM",
        _ => "-HUP",
    };
    // It may have ended by itself.
    let _ = Command::new("kill").args([name, &child.id().to_string()]).stderr(Stdio::null()).status();
}
