//! Makes ready what the program embeds: the rule files (as JSON, which reads in a fraction of the time) and the mails of
//! the demo; and names the commit of a release build.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default());
    let assets = root.join("assets");
    let mut rules = vec![assets.join("causes.toml")];
    collect(&assets.join("rules"), "toml", &mut rules)?;
    let json = |file: &Path| to_json(file).map(|json| format!("{json:?}"));
    fs::write(out.join("rule_files.rs"), table("pub(super) static FILES: &[(&str, &str)]", &json, &rules, &assets)?)?;
    let mut mails = Vec::new();
    collect(&assets.join("demo"), "eml", &mut mails)?;
    let demo = assets.join("demo");
    let bytes = |file: &Path| Ok(format!("include_bytes!({:?})", file.to_string_lossy()));
    fs::write(out.join("demo_mails.rs"), table("static MAILS: &[(&str, &[u8])]", &bytes, &mails, &demo)?)?;
    println!("cargo::rerun-if-changed=assets/causes.toml");
    println!("cargo::rerun-if-changed=build.rs");
    name_commit(&root);
    Ok(())
}

fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, extension, files)?;
        } else if path.extension().is_some_and(|kind| kind == extension) {
            files.push(path);
        }
    }
    Ok(())
}

/// A TOML file as JSON; what does not read is an error of the build that names the file and the line.
fn to_json(file: &Path) -> io::Result<String> {
    let text = fs::read_to_string(file)?;
    let table: toml::Table = text.parse().map_err(|error| io::Error::other(format!("{}: {error}", file.display())))?;
    Ok(serde_json::to_string(&table)?)
}

/// A constant that holds every file, named relative to `base`, in order of the names.
fn table(
    constant: &str,
    embed: &dyn Fn(&Path) -> io::Result<String>,
    files: &[PathBuf],
    base: &Path,
) -> io::Result<String> {
    let row = |file: &PathBuf| {
        let name = file.strip_prefix(base).unwrap_or(file).to_string_lossy().replace('\\', "/");
        Ok(format!("    ({name:?}, {}),\n", embed(file)?))
    };
    let mut rows = files.iter().map(row).collect::<io::Result<Vec<_>>>()?;
    rows.sort();
    Ok(format!("{constant} = &[\n{}];\n", rows.concat()))
}

/// Puts the commit into `--version`. Release builds only: in daily work it would rebuild everything at each commit.
fn name_commit(root: &Path) {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    if env::var("PROFILE").as_deref() != Ok("release") {
        return;
    }
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    // A package inside another repository is not described by that one's commit.
    let is_ours = git(&["rev-parse", "--show-prefix"]).is_none() && git(&["rev-parse", "--git-dir"]).is_some();
    let commit = git(&["rev-parse", "--short=9", "HEAD"]).filter(|_| is_ours).or_else(|| packaged_commit(root));
    if let Some(commit) = commit {
        let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
        println!("cargo::rustc-env=BOUNCEBACK_VERSION={version} ({commit})");
    }
}

/// The commit that `cargo package` wrote down: a packaged source has no repository.
fn packaged_commit(root: &Path) -> Option<String> {
    let text = fs::read_to_string(root.join(".cargo_vcs_info.json")).ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    let commit = rest.split('"').nth(1)?.get(..9)?;
    commit.bytes().all(|b| b.is_ascii_hexdigit()).then(|| commit.to_owned())
}
