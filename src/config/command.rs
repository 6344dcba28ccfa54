//! Runs the command that prints a password or a token.
//!
//! Invariant: no shell, a deadline, and what the command prints on standard output goes nowhere but into a `Secret`.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::error::Error;
use crate::model::Secret;
use crate::stdx::{visible, why};

/// A password manager may ask its owner for a passphrase; longer than this is no longer an answer.
const DEADLINE: Duration = Duration::from_secs(120);
/// No secret is longer than this many bytes.
const LONGEST: u64 = 64 * 1024;

/// Runs `argv` (program, then arguments) without a shell and returns the first line of its standard output.
/// `key` is the key of the configuration that names the command, for the error.
///
/// # Errors
/// When the program cannot be started, fails, prints nothing, or takes longer than two minutes. What it printed on
/// standard output is never part of the error.
pub fn secret_of_command(key: &str, argv: &[String]) -> Result<Secret, Error> {
    within(key, argv, DEADLINE)
}

fn within(key: &str, argv: &[String], deadline: Duration) -> Result<Secret, Error> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(Error::secret_command(key, "", "the list is empty"));
    };
    let failed = |why: String| Error::secret_command(key, &visible(program), why);
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(why(&error)))?;
    let ends = Instant::now() + deadline;
    let (send, receive) = mpsc::channel();
    let (said, complained) = (child.stdout.take(), child.stderr.take());
    let drain = move |pipe: Option<Box<dyn Read + Send>>| {
        let mut bytes = Zeroizing::new(Vec::new());
        pipe.map(|pipe| pipe.take(LONGEST).read_to_end(&mut bytes));
        bytes
    };
    std::thread::spawn(move || {
        let errors = std::thread::spawn(move || drain(complained.map(|pipe| Box::new(pipe) as _)));
        let output = drain(said.map(|pipe| Box::new(pipe) as _));
        let _ = send.send((output, errors.join().unwrap_or_default()));
    });
    let Ok((output, errors)) = receive.recv_timeout(deadline) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(failed(format!("no answer within {} seconds", deadline.as_secs())));
    };
    let status = wait(&mut child, ends).ok_or_else(|| failed("it does not end".to_owned()))?;
    if !status.success() {
        let last = String::from_utf8_lossy(&errors).trim_end().lines().next_back().map(cut).unwrap_or_default();
        let colon = if last.is_empty() { "" } else { ": " };
        return Err(failed(format!("{status}{colon}{last}")));
    }
    let line = output.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok("") => Err(failed("its first line is empty".to_owned())),
        Ok(secret) => Ok(Secret::new(secret.to_owned())),
        Err(_) => Err(failed("its first line is not UTF-8".to_owned())),
    }
}

fn wait(child: &mut Child, ends: Instant) -> Option<std::process::ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < ends => std::thread::sleep(Duration::from_millis(10)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

fn cut(line: &str) -> String {
    visible(line).chars().take(200).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn run(argv: &[&str]) -> Result<String, String> {
        let argv: Vec<String> = argv.iter().map(|part| (*part).to_owned()).collect();
        within("password_command", &argv, Duration::from_millis(1500))
            .map(|secret| secret.expose().to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_first_line_is_the_secret() {
        assert_eq!(run(&["printf", "s3 cret\\r\\nuser: anna\\n"]).as_deref(), Ok("s3 cret"));
        assert_eq!(run(&["printf", "no-newline"]).as_deref(), Ok("no-newline"));
    }

    #[test]
    fn no_shell_sees_the_words() {
        assert_eq!(run(&["printf", "%s", "$(id); `id` | cat"]).as_deref(), Ok("$(id); `id` | cat"));
    }

    #[test]
    fn errors_say_why_and_never_what_was_printed() {
        let failed = run(&["sh", "-c", "echo hunter2; echo 'gpg: no key' >&2; exit 2"]).unwrap_err();
        assert_eq!(failed, "password_command \"sh\" gave no secret: exit status: 2: gpg: no key");
        assert!(run(&["printf", "\\n"]).unwrap_err().ends_with("its first line is empty"));
        assert!(run(&["/nonexistent/pass"]).unwrap_err().contains("No such file"));
        assert!(run(&[]).unwrap_err().ends_with("the list is empty"));
        assert!(run(&["sleep", "30"]).unwrap_err().ends_with("no answer within 1 seconds"));
    }
}
