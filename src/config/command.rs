//! Gets a password or a token from the command that prints it.

use std::time::Duration;

use super::error::Error;
use crate::model::Secret;
use crate::stdx::{run_command, visible};

/// Runs `argv` (program, then arguments) without a shell and returns the first line of its standard output.
/// `key` is the key of the configuration that names the command, for the error; `deadline` how long it may take.
///
/// # Errors
/// When the program cannot be started, fails, prints nothing, or takes too long. What it printed on
/// standard output is never part of the error.
pub fn secret_of_command(key: &str, argv: &[String], deadline: Duration) -> Result<Secret, Error> {
    let failed = |why: &str| Error::secret_command(key, &visible(argv.first().map_or("", String::as_str)), why);
    let output = run_command(argv, "", deadline).map_err(|why| failed(&why))?;
    let line = output.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok("") => Err(failed("its first line is empty")),
        Ok(secret) => Ok(Secret::new(secret.to_owned())),
        Err(_) => Err(failed("its first line is not UTF-8")),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn run(argv: &[&str]) -> Result<String, String> {
        let argv: Vec<String> = argv.iter().map(|part| (*part).to_owned()).collect();
        secret_of_command("password_command", &argv, Duration::from_secs(5))
            .map(|secret| secret.expose().to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_first_line_is_the_secret() {
        assert_eq!(run(&["printf", "s3 cret\\r\\nuser: anna\\n"]).as_deref(), Ok("s3 cret"));
        assert_eq!(run(&["printf", "no-newline"]).as_deref(), Ok("no-newline"));
    }

    #[test]
    fn errors_say_why_and_never_what_was_printed() {
        let failed = run(&["sh", "-c", "echo hunter2; echo 'gpg: no key' >&2; exit 2"]).unwrap_err();
        assert_eq!(failed, "password_command \"sh\" gave no secret: exit status: 2: gpg: no key");
        assert!(run(&["printf", "\\n"]).unwrap_err().ends_with("its first line is empty"));
        assert!(run(&["printf", "\\377"]).unwrap_err().ends_with("its first line is not UTF-8"));
        assert!(run(&["/nonexistent/pass"]).unwrap_err().ends_with("there is no such command"));
        assert!(run(&[]).unwrap_err().ends_with("the list is empty"));
    }
}
