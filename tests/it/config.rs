//! Configurations that can be used, and the words about those that cannot: `tests/configs/{good,bad}/*.toml`, each
//! with the expectation beside it. `UPDATE_EXPECT=1` rewrites the expectations.

use std::fs;
use std::path::{Path, PathBuf};

use bounceback::config::{Config, Paths, SAMPLE};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs").join(name)
}

fn check_folder(name: &str, shown: impl Fn(&Path, Result<Config, bounceback::config::Error>) -> String) {
    let mut cases: Vec<PathBuf> = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    cases.sort();
    assert!(!cases.is_empty(), "no case in {name}");
    let mut wrong = Vec::new();
    for case in cases {
        let file = Path::new(case.file_name().unwrap());
        let got = shown(&case, Config::parse(&fs::read_to_string(&case).unwrap(), file));
        let beside = case.with_extension("txt");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&beside, &got).unwrap();
        }
        let want = fs::read_to_string(&beside).unwrap_or_default();
        if got != want {
            wrong.push(format!("{}\n--- expected\n{want}--- got\n{got}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn good_configurations_mean_what_they_say() {
    check_folder("good", |case, result| match result {
        Ok(config) => format!("{config:#?}\n"),
        Err(error) => panic!("{}: {error}", case.display()),
    });
}

#[test]
fn bad_configurations_are_refused_with_line_and_hint() {
    check_folder("bad", |case, result| match result {
        Ok(_) => panic!("{}: was accepted", case.display()),
        Err(error) => {
            let hint = error.hint().map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
            format!("{error}\n{hint}")
        }
    });
}

#[test]
fn the_sample_can_be_used_with_every_line_of_it() {
    let config = Config::parse(SAMPLE, Path::new("config.toml")).unwrap();
    assert_eq!(config.accounts.len(), 1);
    for commented in SAMPLE.lines().filter(|line| line.starts_with("# ") && line.contains(" = ")) {
        let mut text = SAMPLE.replace(commented, commented.trim_start_matches("# "));
        if commented.contains("token_command") || commented.starts_with("# oauth") {
            text = text.replace("\npassword_command", "\n#");
        }
        if commented.starts_with("# oauth") {
            // each of these keys needs the others
            for key in ["oauth", "oauth_client_id"] {
                text = text.replace(&format!("# {key} ="), &format!("{key} ="));
            }
            let by_command = ["oauth_token_command", "oauth_store_command"];
            let by_file = ["oauth_token_file"];
            let keep = if commented.contains("_command") { &by_command[..] } else { &by_file[..] };
            for key in keep {
                text = text.replace(&format!("# {key} ="), &format!("{key} ="));
            }
        }
        Config::parse(&text, Path::new("config.toml")).unwrap_or_else(|error| panic!("{commented}: {error}"));
    }
}

#[test]
fn a_missing_file_is_an_error_only_when_it_was_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut paths = Paths::new(Some(&dir.path().join("config.toml")), Some(&dir.path().join("state")));
    paths.config_is_named = false;
    assert!(Config::load(&paths).unwrap().accounts.is_empty());
    paths.config_is_named = true;
    assert!(Config::load(&paths).unwrap_err().to_string().contains("could not read the configuration"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "reading creates nothing");
}

#[test]
fn rules_and_words_beside_the_file_are_read_in_order() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    for (name, text) in [
        ("config.toml", ""),
        ("causes.toml", "words"),
        ("rules/b.toml", "B"),
        ("rules/a.toml", "A"),
        ("rules/x.txt", "X"),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let paths = Paths::new(Some(&dir.path().join("config.toml")), Some(dir.path()));
    let config = Config::load(&paths).unwrap();
    let texts: Vec<&str> = config.rules.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["words", "A", "B"]);
}
