//! R20 of the screen's requirements: what every program of its kind does. On the real binary, with folders of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A user with nothing but these folders.
struct User(tempfile::TempDir);

impl User {
    fn new() -> Self {
        let user = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(user.config().parent().unwrap()).unwrap();
        user
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn config(&self) -> PathBuf {
        self.path().join("config/bounceback/config.toml")
    }

    /// Writes a file beside the configuration that only its owner reads.
    fn write(&self, name: &str, text: &str) {
        fs::write(self.config().with_file_name(name), text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(self.config().with_file_name(name), mode).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bounceback"));
        command.env_clear().env("HOME", self.path().join("home")).env("PATH", "/usr/bin:/bin").env("LOGNAME", "lead");
        command.env("XDG_CONFIG_HOME", self.path().join("config")).env("XDG_STATE_HOME", self.path().join("state"));
        command.args(arguments).stdin(Stdio::null()).output().unwrap()
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const ACCOUNT: &str = "[[account]]\naddress = \"support@company.example\"\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\n\
                       password_command = [\"printf\", \"hunter2-and-more\"]\n";

#[test]
fn r20_help_version_and_exit_codes() {
    let user = User::new();
    let help = user.run(&["--help"]);
    assert!(help.status.success());
    for command in ["pull", "list", "decide", "export", "step", "config", "completions", "man"] {
        assert!(out(&help).contains(&format!("\n  {command} ")), "no {command} in\n{}", out(&help));
    }
    let version = out(&user.run(&["--version"]));
    assert!(version.starts_with(&format!("bounceback {}", env!("CARGO_PKG_VERSION"))), "{version}");
    // In daily work the commit would rebuild everything: releases name it.
    if !cfg!(debug_assertions) {
        let commit = version.split_once(" (").and_then(|(_, rest)| rest.trim_end().strip_suffix(')'));
        assert!(commit.is_some_and(|commit| commit.len() >= 7), "no commit in {version}");
    }
    for (arguments, code) in [
        (&["list"][..], 0),
        (&["show", "nothing"], 1),
        (&["lsit"], 2),
        (&["list", "--state", "odd"], 2),
        (&["status"], 0),
    ] {
        assert_eq!(user.run(arguments).status.code(), Some(code), "{arguments:?}");
    }
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/001-typo-gmial.eml");
    assert_eq!(user.run(&["import", demo.to_str().unwrap()]).status.code(), Some(0));
    assert_eq!(user.run(&["status"]).status.code(), Some(10), "something waits");
}

#[test]
fn r20_files_lie_where_the_xdg_variables_say() {
    let user = User::new();
    assert_eq!(out(&user.run(&["config", "path"])).trim_end(), user.config().display().to_string());
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/001-typo-gmial.eml");
    user.run(&["import", demo.to_str().unwrap()]);
    let mut found: Vec<String> = fs::read_dir(user.path().join("state/bounceback"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    found.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
    found.sort();
    assert_eq!(found, ["bounceback.sqlite3"]);
    assert!(!user.path().join("home").exists(), "nothing lies anywhere else");
}

#[test]
fn r20_config_check_reads_keys_and_styles_and_names_file_and_line() {
    let user = User::new();
    user.write("config.toml", ACCOUNT);
    user.write("keys.toml", "# mine\naccept = \"Ins\"\n");
    user.write("theme.toml", "saved = \"bold\"\n");
    let good = user.run(&["config", "check"]);
    assert!(good.status.success(), "{}", complaint(&good));
    for line in ["own keys       ", "own styles     "] {
        assert!(out(&good).contains(line), "{}", out(&good));
    }
    user.write("keys.toml", "# mine\n\naccept = \"j\"\n");
    user.write("theme.toml", "saved = \"bold\"\nwarning = \"mauve\"\n");
    let bad = user.run(&["config", "check"]);
    assert_eq!(bad.status.code(), Some(1));
    let words = complaint(&bad);
    assert!(words.contains("keys.toml:3: j stands for both \"accept\" and \"down\""), "{words}");
    assert!(words.contains("theme.toml:2: no style word \"mauve\""), "{words}");
    assert!(out(&bad).contains("account        support"), "the rest is checked all the same: {}", out(&bad));
}

#[test]
fn r20_completions_and_manual_pages_come_out_of_the_program() {
    let user = User::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = user.run(&["completions", shell]);
        assert!(script.status.success() && out(&script).contains("import-decisions"), "{shell}");
    }
    let pages = user.path().join("pages");
    fs::create_dir(&pages).unwrap();
    assert!(user.run(&["man", pages.to_str().unwrap()]).status.success());
    let page = fs::read_to_string(pages.join("bounceback.1")).unwrap();
    assert!(page.contains(".TH bounceback 1"), "{}", page.lines().take(5).collect::<Vec<_>>().join("\n"));
    assert!(pages.join("bounceback-export.1").exists());
}

#[test]
fn r20_a_password_by_command_stays_out_of_log_and_messages() {
    let user = User::new();
    user.write("config.toml", ACCOUNT);
    let path = user.path().join("log");
    let pull = user.run(&["--log", path.to_str().unwrap(), "pull"]);
    assert_eq!(pull.status.code(), Some(1));
    let log = fs::read_to_string(path).unwrap();
    assert!(log.contains("127.0.0.1"), "the log says what failed: {log}");
    for text in [&log, &complaint(&pull), &out(&pull)] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn r20_offline_asks_nobody() {
    let user = User::new();
    user.write("config.toml", ACCOUNT);
    let pull = user.run(&["--offline", "pull"]);
    assert_eq!(pull.status.code(), Some(2), "{}", complaint(&pull));
    assert!(complaint(&pull).contains("--offline forbids it"), "{}", complaint(&pull));
    assert!(user.run(&["--offline", "list"]).status.success());
}
