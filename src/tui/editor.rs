//! A note in the lead's own editor: a file of this run's own, readable by its owner only, gone afterwards.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::Command;

use super::msg::Failure;
use crate::stdx::without_passwords;

const HELP: &str = "\n# Write the note above. Lines that begin with # are left out; an empty note is not written.\n";

/// The file, removed when it is dropped.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Opens `$VISUAL`, `$EDITOR` or vi on a text; the text as it was left, `None` where nothing remained.
pub(super) fn edit(text: &str) -> Result<Option<String>, Failure> {
    let failed =
        |what: &str, why: &dyn std::fmt::Display| Failure { what: format!("could not {what}: {why}"), hint: None };
    let path = std::env::temp_dir().join(format!("bounceback-note-{}.txt", std::process::id()));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(|why| failed("make a file for the note", &why))?;
    let scratch = Scratch(path);
    file.write_all(format!("{text}{HELP}").as_bytes()).map_err(|why| failed("write the note's file", &why))?;
    drop(file);
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| OsString::from("vi"));
    // The variable may hold arguments, so a shell reads it; the path is passed beside it, never as part of the command.
    let mut command = OsString::from("exec ");
    command.push(&editor);
    command.push(" \"$1\"");
    let status = without_passwords(&mut Command::new("sh"))
        .arg("-c")
        .arg(&command)
        .arg("sh")
        .arg(&scratch.0)
        .status()
        .map_err(|why| failed("start the editor", &why))?;
    if !status.success() {
        let what = format!("the editor \"{}\" failed: {status}", editor.to_string_lossy());
        return Err(Failure { what, hint: Some("set EDITOR to another one".into()) });
    }
    let text = fs::read(&scratch.0).map_err(|why| failed("read the note back", &why))?;
    let text = String::from_utf8_lossy(&text);
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).map(str::trim_end).collect();
    let kept = kept.join("\n").trim().to_owned();
    Ok((!kept.is_empty()).then_some(kept))
}
