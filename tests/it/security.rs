//! What SECURITY.md promises of the local machine: core dumps, `ps`, the configuration, the editor; and the list itself.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::pty::{Terminal, state};
use crate::servers::installed;
use crate::skip::skip;

const BINARY: &str = env!("CARGO_BIN_EXE_bounceback");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program that crashes with every permission to leave a core, after it has begun: whether one was written.
fn dumps(program: &str, arguments: &[&str], folder: &Path) -> bool {
    let mut command = Command::new("bash");
    command.args(["-c", "ulimit -c unlimited && exec \"$@\"", "bash", program]).args(arguments);
    command.current_dir(folder).env("HOME", folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Its first words: it has begun.
    let mut word = [0; 1];
    child.stdout.as_mut().unwrap().read_exact(&mut word).unwrap();
    assert!(Command::new("kill").args(["-SEGV", &child.id().to_string()]).status().unwrap().success());
    child.wait().unwrap().core_dumped()
}

#[test]
fn a_crash_writes_no_core_dump() {
    let folder = tempfile::tempdir().unwrap();
    if !dumps("bash", &["-c", "echo begun; read line"], folder.path()) {
        return skip("this machine writes no core dumps at all");
    }
    let mail = root().join("tests/cli/files/typo.eml");
    let imported = Command::new(BINARY).arg("--state-dir").arg(folder.path()).arg("import").arg(mail).output().unwrap();
    assert!(imported.status.success());
    let arguments = ["--state-dir", folder.path().to_str().unwrap(), "step", "--plain"];
    assert!(!dumps(BINARY, &arguments, folder.path()));
}

#[test]
fn a_password_is_in_no_argument_of_the_process() {
    let home = tempfile::tempdir().unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = home.path().join("config.toml");
    let port = server.local_addr().unwrap().port();
    let account = format!(
        "[[account]]\naddress = \"support@company.example\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n"
    );
    fs::write(&config, account).unwrap();
    let mut pull = Command::new(BINARY);
    pull.env_clear().env("HOME", home.path()).env("BOUNCEBACK_PASSWORD", "hunter2").arg("--config").arg(&config);
    let mut child = pull.arg("pull").stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    // It has the password by now, and waits for the greeting.
    let connection = server.accept().unwrap();
    let line = fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    drop(connection);
    assert!(!line.is_empty() && !String::from_utf8_lossy(&line).contains("hunter2"));
}

#[test]
fn a_configuration_that_others_may_write_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config.toml");
    fs::write(&config, "lead = \"x\"\n").unwrap();
    let check = |mode| {
        fs::set_permissions(&config, fs::Permissions::from_mode(mode)).unwrap();
        Command::new(BINARY)
            .env("HOME", home.path())
            .arg("--config")
            .arg(&config)
            .args(["config", "check"])
            .output()
            .unwrap()
    };
    assert!(check(0o644).status.success());
    let refused = check(0o646);
    assert_eq!(refused.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(complaint.contains("everybody may write") && complaint.contains("chmod o-w"), "{complaint}");
}

#[test]
fn a_note_is_never_a_command() {
    let state = state();
    let folder = tempfile::tempdir().unwrap();
    let strange = folder.path().join("a b; touch pwned; $(touch pwned) `touch pwned`");
    fs::create_dir(&strange).unwrap();
    let env = [("TMPDIR", strange.to_str().unwrap()), ("EDITOR", "true")];
    let mut terminal = Terminal::run(&["--state-dir", state.path().to_str().unwrap()], &env);
    terminal.see("Suggest");
    terminal.type_(b"m$(touch pwned); `touch pwned`\r");
    terminal.see("saved: ");
    // The editor leaves what it was given: nothing but the help.
    terminal.type_(b"M");
    terminal.type_(b"4");
    terminal.see("$(touch pwned); `touch pwned`");
    terminal.type_(b"q");
    terminal.end();
    let left = fs::read_dir(&strange).unwrap().count() + fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "nothing was run, and no file of the note is left");
}

#[test]
fn deny_toml_is_kept() {
    if !installed("cargo-deny") && !installed("../../.cargo/bin/cargo-deny") {
        return skip("no cargo-deny: licences and sources of crates are not checked");
    }
    // Advisories come over the network: CONTRIBUTING.md has them checked before a release.
    let check = ["deny", "check", "licenses", "bans", "sources"];
    let output = Command::new(env!("CARGO")).current_dir(root()).args(check).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Every test that SECURITY.md names is one.
#[test]
fn the_named_tests_exist() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let mut wrong = Vec::new();
    let mut found = 0;
    for row in text.lines().filter(|line| line.starts_with("| ") && !line.contains("---")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let tests = cells.last().unwrap();
        for name in tests.split('`').skip(1).step_by(2) {
            found += 1;
            let (module, function) = name.rsplit_once("::").unwrap_or(("", name));
            let path = module.replace("::", "/");
            let files = [format!("tests/it/{path}.rs"), format!("src/{path}.rs"), format!("src/{path}/mod.rs")];
            let texts = files.iter().filter_map(|file| fs::read_to_string(root().join(file)).ok());
            let mut after = texts.filter(|text| text.contains(&format!("fn {function}(")) && text.contains("#[test]"));
            if after.next().is_none() {
                wrong.push(name.to_owned());
            }
        }
        assert!(tests.contains('`') || *tests == "tests ", "a threat without a test: {row}");
    }
    assert!(wrong.is_empty() && found > 40, "{found} named; not there: {wrong:?}");
}
