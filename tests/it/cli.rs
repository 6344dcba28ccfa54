//! Command-line transcripts: `tests/cli/*.txt`, run on the real binary with an empty home directory.
//!
//! A line `$ …` is a command (`bounceback …`, `cat FILE`, `ls`, with `< FILE` and `> FILE`); what follows is its
//! standard output, then standard error with `! ` before each line, then `[exit N]` where N is not 0. `% ` is a comment.
//! The folder of the run begins as a copy of `tests/cli/files`. `UPDATE_EXPECT=1` rewrites the transcripts.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bounceback::model::Timestamp;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli")
}

#[test]
fn transcripts() {
    let mut files: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    assert!(!files.is_empty(), "no transcript");
    let mut wrong = Vec::new();
    for file in files {
        let want = fs::read_to_string(&file).unwrap();
        let got = play(&want);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&file, &got).unwrap();
        } else if got != want {
            wrong.push(format!("{}\n{}", file.display(), difference(&want, &got)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Runs the commands of a transcript and returns it with what they answered.
fn play(transcript: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let work = home.path().join("work");
    copy(&folder().join("files"), &work);
    let mut got = String::new();
    let mut in_head = true;
    for line in transcript.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            in_head = false;
            got.push_str(&format!("$ {command}\n{}", run(command, home.path(), &work)));
        } else if in_head || line.starts_with("% ") {
            got.push_str(&format!("{line}\n"));
        }
    }
    got
}

fn run(line: &str, home: &Path, work: &Path) -> String {
    let mut words = words(line);
    let input = redirect(&mut words, "<");
    let output = redirect(&mut words, ">");
    let (program, arguments) = words.split_first().expect("a command");
    let program = if program == "bounceback" { env!("CARGO_BIN_EXE_bounceback") } else { program };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(work).env_clear();
    command.env("HOME", home.join("home")).env("PATH", "/usr/bin:/bin").env("TZ", "UTC").env("LOGNAME", "tester");
    command.stdin(match input {
        Some(path) => Stdio::from(fs::File::open(work.join(path)).unwrap()),
        None => Stdio::null(),
    });
    let result = command.output().unwrap();
    let mut answer = String::new();
    match output {
        Some(path) => fs::File::create(work.join(path)).unwrap().write_all(&result.stdout).unwrap(),
        None => answer.push_str(&String::from_utf8(result.stdout).expect("output is UTF-8")),
    }
    for complaint in String::from_utf8(result.stderr).expect("errors are UTF-8").lines() {
        answer.push_str(format!("! {complaint}").trim_end());
        answer.push('\n');
    }
    match result.status.code() {
        Some(0) => {}
        Some(code) => answer.push_str(&format!("[exit {code}]\n")),
        None => answer.push_str(&format!("[{}]\n", result.status)),
    }
    settled(&answer.replace(&home.display().to_string(), "~tmp"))
}

/// Leaves out what is another at every run: the times of this day.
fn settled(text: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let whole = rest.get(..20).filter(|word| word.ends_with('Z')).and_then(Timestamp::parse);
        let minutes = || rest.get(..16).and_then(|word| Timestamp::parse(&format!("{}:00Z", word.replace(' ', "T"))));
        let (time, length) = whole.map_or_else(|| (minutes(), 16), |time| (Some(time), 20));
        let days = time.map(|time| (time.0 - now + 600).div_euclid(86_400));
        match days.filter(|days| (0..30).contains(days)) {
            Some(0) => out.push_str("<now>"),
            Some(days) => out.push_str(&format!("<now + {days} d>")),
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
                continue;
            }
        }
        rest = &rest[length..];
    }
    out
}

/// Splits at blanks; double quotes keep blanks.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quoted, mut open) = (false, false);
    for c in line.chars() {
        match c {
            '"' => (quoted, open) = (!quoted, true),
            ' ' if !quoted => {
                if open {
                    words.push(String::new());
                }
                open = false;
            }
            c => {
                words.last_mut().unwrap().push(c);
                open = true;
            }
        }
    }
    words
}

fn redirect(words: &mut Vec<String>, sign: &str) -> Option<String> {
    let at = words.iter().position(|word| word == sign)?;
    words.remove(at);
    Some(words.remove(at))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            {
                fs::copy(entry.path(), target).unwrap();
            }
        }
    }
}

/// The first lines that differ.
fn difference(want: &str, got: &str) -> String {
    let same = want.lines().zip(got.lines()).take_while(|(a, b)| a == b).count();
    let part = |text: &str| {
        text.lines().skip(same.saturating_sub(2)).take(12).map(|line| format!("  {line}\n")).collect::<String>()
    };
    format!("line {}\n--- expected\n{}--- got\n{}", same + 1, part(want), part(got))
}

fn bounceback(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bounceback"));
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let home = tempfile::tempdir().unwrap();
    let mut child =
        bounceback(home.path()).arg("schema").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let result = child.wait_with_output().unwrap();
    assert!(result.status.success(), "{:?}", result.status);
    assert_eq!(String::from_utf8_lossy(&result.stderr), "");
}

#[cfg(unix)]
#[test]
fn what_is_written_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let (mail, out, log) = (folder().join("files/typo.eml"), home.path().join("out.jsonl"), home.path().join("log"));
    let run = |arguments: &[&std::ffi::OsStr]| {
        assert!(bounceback(home.path()).args(arguments).output().unwrap().status.success())
    };
    run(&["--log".as_ref(), log.as_ref(), "import".as_ref(), mail.as_ref()]);
    run(&["export".as_ref(), "--format".as_ref(), "jsonl".as_ref(), "--output".as_ref(), out.as_ref()]);
    let state = home.path().join(".local/state/bounceback");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    assert_eq!([mode(&out), mode(&log)], [0o600; 2]);
    for entry in fs::read_dir(&state).unwrap().map(Result::unwrap) {
        assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.file_name());
    }
    let logged = fs::read_to_string(&log).unwrap();
    assert!(logged.contains("import: 1 mail read"), "{logged}");
}

/// Cron has no terminal: the password must come from elsewhere, and neither it nor its absence may hang the run.
#[test]
fn a_password_is_asked_for_on_a_terminal_only() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config.toml");
    // Nobody listens on the discard port of this machine.
    let account =
        "[[account]]\naddress = \"support@company.example\"\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\n";
    fs::write(&config, account).unwrap();
    let pull = |password: Option<&str>| {
        let mut command = bounceback(home.path());
        command
            .arg("--config")
            .arg(&config)
            .arg("pull")
            .envs(password.map(|password| ("BOUNCEBACK_PASSWORD", password)));
        let result = command.output().unwrap();
        assert_eq!(result.status.code(), Some(1));
        String::from_utf8(result.stderr).unwrap()
    };
    assert!(pull(None).contains("there is no terminal to ask on"));
    let refused = pull(Some("hunter2"));
    assert!(refused.contains("127.0.0.1") && !refused.contains("hunter2"), "{refused}");
}
