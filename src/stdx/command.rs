//! Runs a program that gives or takes a secret.
//!
//! Invariant: no shell, a deadline, and nothing that went in or came out on the standard streams is part of an error;
//! of what the program complains about on standard error, one line is.

use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::{visible, why};

/// Why a command cannot be started that is not there.
pub const NO_SUCH_COMMAND: &str = "there is no such command";

/// How much of standard output is kept, in bytes; no secret is longer.
const LONGEST: u64 = 64 * 1024;
/// What the names of variables with passwords in them begin with.
pub const PASSWORDS: &str = "BOUNCEBACK_PASSWORD";
/// How much of a complaint is shown, in characters.
const COMPLAINT: usize = 200;

/// Runs `argv` (program, then arguments) with `input` on its standard input and returns its standard output.
///
/// # Errors
/// Why it failed, in words without the program's name: it could not be started, its exit status with the last line of
/// its standard error, or that it took longer than `deadline` and was killed.
pub fn run_command(argv: &[String], input: &str, deadline: Duration) -> Result<Zeroizing<Vec<u8>>, String> {
    let (program, arguments) = argv.split_first().ok_or("the list is empty")?;
    let mut child = without_passwords(&mut Command::new(program))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| if error.kind() == ErrorKind::NotFound { NO_SUCH_COMMAND.to_owned() } else { why(&error) })?;
    let ends = Instant::now() + deadline;
    feed(child.stdin.take(), Zeroizing::new(input.as_bytes().to_vec()));
    let (said, complained) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let late = || format!("no answer within {} seconds", deadline.as_secs());
    let Some(status) = wait(&mut child, ends) else { return Err(late()) };
    // A grandchild may hold the pipes open after the program itself is gone.
    let left = || ends.saturating_duration_since(Instant::now());
    let output = said.recv_timeout(left()).map_err(|_| late())?;
    if status.success() {
        return Ok(output);
    }
    let errors = complained.recv_timeout(left().min(Duration::from_secs(1))).unwrap_or_default();
    Err(match String::from_utf8_lossy(&errors).trim_end().lines().next_back() {
        Some(line) => format!("{status}: {}", visible(line).chars().take(COMPLAINT).collect::<String>()),
        None => status.to_string(),
    })
}

/// Keeps passwords that were put into our environment out of a program's.
pub fn without_passwords(command: &mut Command) -> &mut Command {
    let ours = |name: &OsString| name.as_encoded_bytes().starts_with(PASSWORDS.as_bytes());
    for (name, _) in std::env::vars_os().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    command
}

/// A program that does not read its input gets a closed pipe, which is its own affair.
fn feed(pipe: Option<ChildStdin>, input: Zeroizing<Vec<u8>>) {
    std::thread::spawn(move || pipe.map(|mut pipe| pipe.write_all(&input)));
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Zeroizing<Vec<u8>>> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::new());
        if let Some(mut pipe) = pipe {
            let _ = pipe.by_ref().take(LONGEST).read_to_end(&mut bytes);
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        }
        send.send(bytes)
    });
    receive
}

fn wait(child: &mut Child, ends: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < ends => std::thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn run(argv: &[&str], input: &str) -> Result<String, String> {
        let argv: Vec<String> = argv.iter().map(|part| (*part).to_owned()).collect();
        run_command(&argv, input, Duration::from_millis(1500)).map(|out| String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn input_goes_in_and_output_comes_out() {
        assert_eq!(run(&["cat"], "s3 cret\n").as_deref(), Ok("s3 cret\n"));
        assert_eq!(run(&["printf", "%s", "$(id); `id` | cat"], "").as_deref(), Ok("$(id); `id` | cat"), "no shell");
        assert_eq!(run(&["true"], &"x".repeat(1 << 20)).as_deref(), Ok(""), "input that nobody reads");
        let long = run(&["cat"], &"x".repeat(1 << 20)).unwrap();
        assert_eq!(long.len() as u64, LONGEST, "cut, and the program was not left hanging");
    }

    #[test]
    fn failures_say_why_and_never_what_went_through() {
        let failed = run(&["sh", "-c", "cat; echo 'vault: \u{1b}[31mlocked' >&2; exit 3"], "hunter2").unwrap_err();
        assert_eq!(failed, "exit status: 3: vault: ^[[31mlocked");
        assert_eq!(run(&["sh", "-c", "exit 2"], "").unwrap_err(), "exit status: 2");
        assert_eq!(run(&["/nonexistent/vault"], "").unwrap_err(), NO_SUCH_COMMAND);
        assert_eq!(run(&[], "").unwrap_err(), "the list is empty");
        assert_eq!(run(&["sleep", "30"], "").unwrap_err(), "no answer within 1 seconds");
        assert_eq!(run(&["sh", "-c", "sleep 4 & echo started"], "").unwrap_err(), "no answer within 1 seconds");
    }
}
