//! What SECURITY.md promises of the local machine: core dumps, `ps`, the configuration, the editor; and the list itself.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use bounceback::tui::msg::Effect;
use bounceback::tui::theme::Depth;

use crate::pty::{Terminal, state};
use crate::screens::Sitting;
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
fn a_password_of_the_environment_reaches_no_other_program() {
    let state = state();
    let editor = "sh -c 'echo held $(env | grep -c hunter[2]) > \"$1\"' sh";
    let env = [("EDITOR", editor), ("BOUNCEBACK_PASSWORD", "hunter2"), ("BOUNCEBACK_PASSWORD_SUPPORT", "hunter2")];
    let mut terminal = Terminal::run(&["--state-dir", state.path().to_str().unwrap()], &env);
    terminal.see("Suggest");
    terminal.type_(b"M");
    terminal.see("saved: note on 1 ");
    terminal.type_(b"4");
    terminal.see("held 0");
    terminal.type_(b"q");
    terminal.end();
}

/// What a mail says is pasted into a shell or a form as it was shown; only texts for a ticket have several lines.
#[test]
fn what_is_copied_holds_no_hidden_character_and_no_line_of_its_own() {
    let mail = fs::read(root().join("tests/screens/mails/hostile.eml")).unwrap();
    let mut found = 0;
    for key in ["y", "Y a", "Y i", "Y s", "Y t", "Y r", "Y o", "Y e"] {
        let mut sitting = Sitting::on(vec![("hostile".into(), mail.clone())], (80, 24), Depth::None);
        sitting.keys(key);
        for wish in &sitting.wishes {
            let Effect::Copy(text) = wish else { continue };
            found += 1;
            let is_text = ["Y r", "Y o", "Y e"].contains(&key);
            let fits = |c: char| !bounceback::stdx::is_hidden(c) || (is_text && c == '\n');
            assert!(text.chars().all(fits), "{key}: {text:?}");
        }
    }
    assert!(found >= 7, "{found} copies");
}

/// Rules are taken over from strangers: their words are shown and never obeyed, and no pattern runs away with the time.
#[test]
fn a_rule_file_of_a_stranger_controls_no_terminal_and_takes_no_time() {
    let home = tempfile::tempdir().unwrap();
    let rules = home.path().join("rules");
    fs::create_dir(&rules).unwrap();
    fs::write(home.path().join("config.toml"), "").unwrap();
    let (escape, holes) = ("\\u001b]0;owned\\u0007\\u202egpj", "{any}a".repeat(4));
    let file = format!(
        "title = \"t{escape}\"\n[[rule]]\nid = \"evil/x\"\nphrase = [\"user unknown\"]\ncause = \"mailbox-unknown\"\n\
         meaning = \"m{escape}\"\nnext_step = \"n{escape}\"\nsource = \"s{escape}\"\nseen = [\"550 {escape}\"]\n\
         [[rule]]\nid = \"evil/y\"\nphrase = [\"aaaaaa{holes}b\"]\ncause = \"mailbox-full\"\nsource = \"s\"\n"
    );
    fs::write(rules.join("evil.toml"), file).unwrap();
    let mail = fs::read_to_string(root().join("tests/cli/files/typo.eml")).unwrap();
    let mail = mail.replace("User unknown", &format!("User unknown {}", "a".repeat(100_000)));
    assert!(mail.len() > 100_000);
    fs::write(home.path().join("mail.eml"), mail).unwrap();
    let begun = std::time::Instant::now();
    for arguments in [
        &["rules", "check", "rules/evil.toml"][..],
        &["rules", "trace", "mail.eml"],
        &["diagnose", "mail.eml"],
        &["diagnose", "--json", "mail.eml"],
    ] {
        let mut command = Command::new(BINARY);
        command.current_dir(home.path()).env_clear().env("HOME", home.path()).args(["--config", "config.toml"]);
        let output = command.args(arguments).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(said.contains("owned") && !said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{arguments:?}: {said}");
    }
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
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
