//! Installing: a Debian package, `cargo install`, OpenSSL built in, completions, manual pages, bare homes and terminals.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::pty::Terminal;
use crate::servers::{Dovecot, PASSWORD, USER, full, installed};
use crate::skip::skip;

const BINARY: &str = env!("CARGO_BIN_EXE_bounceback");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn said(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every command that `--help` lists.
pub(crate) fn commands() -> Vec<String> {
    let help = said(Command::new(BINARY).arg("--help"));
    let (_, rest) = help.split_once("Commands:\n").unwrap();
    let lines = rest.lines().take_while(|line| !line.trim().is_empty());
    lines
        .filter(|line| !line.starts_with("      "))
        .map(|line| line.split_whitespace().next().unwrap().into())
        .collect()
}

#[test]
fn the_version_names_the_package() {
    let version = said(Command::new(BINARY).arg("--version"));
    assert!(version.starts_with(&format!("bounceback {}", env!("CARGO_PKG_VERSION"))), "{version}");
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let text = said(Command::new(BINARY).args(["completions", shell]));
        for command in commands() {
            assert!(text.contains(&command), "{shell}: {command}");
        }
    }
    // The shell itself must take it, and complete with it.
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bounceback.bash");
    fs::write(&file, said(Command::new(BINARY).args(["completions", "bash"]))).unwrap();
    let script = format!(
        "source {}; COMP_WORDS=(bounceback expo); COMP_CWORD=1; _bounceback bounceback expo bounceback; echo \"${{COMPREPLY[@]}}\"",
        file.display()
    );
    assert_eq!(said(Command::new("bash").args(["--norc", "-c", &script])).trim(), "export");
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let dir = tempfile::tempdir().unwrap();
    said(Command::new(BINARY).arg("man").arg(dir.path()));
    for command in commands() {
        let page = fs::read_to_string(dir.path().join(format!("bounceback-{command}.1"))).unwrap();
        assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{command}");
    }
    let main = fs::read_to_string(dir.path().join("bounceback.1")).unwrap();
    assert!(main.contains("Exit codes"), "{main}");
    let missing = Command::new(BINARY).args(["man", "/nonexistent/folder"]).output().unwrap();
    assert!(String::from_utf8_lossy(&missing.stderr).contains("give a folder that exists"), "{missing:?}");
}

/// A bare server: no home directory, no locale, any of these terminals.
#[test]
fn it_runs_without_a_home_on_every_terminal() {
    for term in ["linux", "xterm", "xterm-256color", "screen", "tmux", "tmux-256color", "vt100"] {
        for home in ["", "/nonexistent"] {
            let env = [("TERM", term), ("HOME", home), ("LANG", ""), ("SSH_CONNECTION", "192.0.2.1 5000 192.0.2.2 22")];
            let mut terminal = Terminal::run(&["demo"], &env);
            terminal.see("Suggest");
            terminal.type_(b"o");
            terminal.see("saved: 1 ");
            terminal.type_(b"q");
            assert_eq!(terminal.end(), 0, "{term} {home:?}");
            terminal.is_restored();
        }
    }
    // A terminal that can do nothing, and a place for the store named on the command line.
    let state = crate::pty::state();
    let env = [("TERM", "dumb"), ("HOME", ""), ("LANG", "")];
    let mut plain = Terminal::run(&["--state-dir", state.path().to_str().unwrap(), "step", "--plain"], &env);
    plain.see("q quit: ");
    plain.type_(b"o\r");
    plain.see("saved: ");
    plain.type_(b"q\r");
    assert_eq!(plain.end(), 0);
    assert!(!plain.all.contains(&0x1b), "no escape sequence");
    let mut bare = Command::new(BINARY);
    let output = bare.env_clear().args(["explain", "5.1.1"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut plain = Command::new(BINARY);
    plain.env_clear().env("TERM", "dumb").args(["config", "path"]);
    let output = plain.output().unwrap();
    assert!(output.status.success() || String::from_utf8_lossy(&output.stderr).contains("hint:"), "{output:?}");
}

#[test]
fn a_debian_package_installs_into_an_empty_folder() {
    if !full() {
        return;
    }
    if !installed("dpkg-deb") {
        return skip("no dpkg-deb");
    }
    let dir = tempfile::tempdir().unwrap();
    // What is packed does not depend on how it was optimised, so the binary at hand will do.
    let package = said(Command::new(root().join("pkg/build-deb")).args(["--binary", BINARY]).arg(dir.path()));
    let system = dir.path().join("system");
    for folder in ["updates", "info", "triggers"] {
        fs::create_dir_all(system.join("var/lib/dpkg").join(folder)).unwrap();
    }
    fs::write(system.join("var/lib/dpkg/status"), "").unwrap();
    let mut install = Command::new("dpkg");
    // The folder holds no libc; the libraries it names are those of this machine.
    install.arg(format!("--root={}", system.display())).args(["--force-depends", "--force-not-root", "--install"]);
    said(install.arg(package.trim()).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"));
    let listed =
        said(Command::new("dpkg-query").arg(format!("--admindir={}", system.join("var/lib/dpkg").display())).args([
            "--show",
            "--showformat",
            "${Package} ${Version} ${db:Status-Status}",
            "bounceback",
        ]));
    assert_eq!(listed, format!("bounceback {} installed", env!("CARGO_PKG_VERSION")));
    let version = said(Command::new(system.join("usr/bin/bounceback")).arg("--version"));
    assert!(version.starts_with("bounceback "), "{version}");
    for file in [
        "usr/share/man/man1/bounceback.1.gz",
        "usr/share/man/man1/bounceback-export.1.gz",
        "usr/share/bash-completion/completions/bounceback",
        "usr/share/zsh/vendor-completions/_bounceback",
        "usr/share/fish/vendor_completions.d/bounceback.fish",
        "usr/share/doc/bounceback/copyright",
        "usr/share/doc/bounceback/examples/config.toml",
    ] {
        assert!(system.join(file).is_file(), "{file}");
    }
    let copyright = fs::read_to_string(system.join("usr/share/doc/bounceback/copyright")).unwrap();
    assert!(copyright.contains("Sisimai") && copyright.contains("\nratatui v"), "{copyright}");
    let control = said(Command::new("dpkg-deb").args(["--field", package.trim(), "Depends"]));
    assert!(control.contains("libc6 (>= ") && control.contains("libssl"), "{control}");
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root()).args(arguments);
    command
}

/// The folder of the build, as this test binary lies in it.
fn target() -> PathBuf {
    Path::new(BINARY).ancestors().nth(2).unwrap().to_owned()
}

#[test]
fn cargo_installs_it() {
    if !full() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut install = cargo(&["install", "--path", ".", "--locked", "--debug", "--root"]);
    said(install.arg(dir.path()).env("CARGO_TARGET_DIR", target()));
    said(Command::new(dir.path().join("bin/bounceback")).arg("--version"));
}

/// Builds with OpenSSL in it, for a target where one is named; the binary.
fn vendored(triple: Option<&str>) -> PathBuf {
    let into = target().join("vendored");
    let mut build = cargo(&["build", "--locked", "--features", "vendored-tls", "--target-dir"]);
    build.arg(&into).args(triple.map(|triple| ["--target", triple]).into_iter().flatten());
    said(&mut build);
    into.join(triple.unwrap_or_default()).join("debug/bounceback")
}

/// TLS works with the certificates of the system and with those that are named, and refuses others.
fn fetches_over_tls(binary: &Path) {
    let Some(server) = Dovecot::start() else { return };
    server.seed(USER, 20, &["--light"]);
    let home = tempfile::tempdir().unwrap();
    let pull = |ca: &str, system: &Path| {
        let config = home.path().join("config.toml");
        let account = format!(
            "[[account]]\naddress = \"support@acme.example\"\nhost = \"localhost\"\nport = {}\nuser = \"{USER}\"\n{ca}",
            server.tls
        );
        fs::write(&config, account).unwrap();
        let mut pull = Command::new(binary);
        pull.env_clear().env("HOME", home.path()).env("BOUNCEBACK_PASSWORD", PASSWORD).arg("--config").arg(&config);
        pull.env("SSL_CERT_FILE", system).arg("pull").output().unwrap()
    };
    let (ca, none) = (server.ca(), Path::new("/dev/null"));
    let named = pull(&format!("ca_file = \"{}\"\n", ca.display()), none);
    assert!(named.status.success(), "{named:?}");
    let of_the_system = pull("", &ca);
    assert!(of_the_system.status.success(), "{of_the_system:?}");
    let unknown = pull("", none);
    let complaint = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(!unknown.status.success() && complaint.contains("certificate"), "{unknown:?}");
}

/// OpenSSL built in: nothing of it is loaded.
#[test]
fn with_openssl_built_in_it_runs_without_the_library() {
    if !full() {
        return;
    }
    if !installed("perl") || !installed("make") {
        return skip("no perl or make: OpenSSL cannot be built in");
    }
    let binary = vendored(None);
    let libraries = said(Command::new("ldd").arg(&binary));
    assert!(!libraries.contains("libssl") && !libraries.contains("libcrypto"), "{libraries}");
    fetches_over_tls(&binary);
}

/// No library at all: one file that runs on any Linux.
#[test]
fn linked_statically_it_runs_alone() {
    const TRIPLE: &str = "x86_64-unknown-linux-musl";
    if !full() {
        return;
    }
    if !installed("musl-gcc") || !has_target(TRIPLE) {
        return skip("no musl-gcc, or no Rust target x86_64-unknown-linux-musl: no static binary is tried");
    }
    let binary = vendored(Some(TRIPLE));
    let libraries = Command::new("ldd").arg(&binary).output().unwrap();
    let said_of_them = [libraries.stdout, libraries.stderr].concat();
    let said_of_them = String::from_utf8_lossy(&said_of_them).into_owned();
    assert!(said_of_them.contains("static") || said_of_them.contains("not a dynamic"), "{said_of_them}");
    fetches_over_tls(&binary);
}

fn has_target(triple: &str) -> bool {
    let asked = Command::new("rustc").args(["--print", "target-libdir", "--target", triple]).output();
    asked.is_ok_and(|said| Path::new(String::from_utf8_lossy(&said.stdout).trim()).is_dir())
}
