//! The provider pages: what they show can be used as it stands, and agrees with the tables.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use bounceback::config::Config;
use bounceback::config::providers::{Provider, providers};

fn pages() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/providers");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let page =
        |path: &PathBuf| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap());
    paths.iter().map(page).collect()
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn every_page_has_its_provider_and_says_what_was_tried() {
    let pages = pages();
    assert_eq!(pages.len(), 10);
    for (name, text) in &pages {
        assert!(providers().iter().any(|provider| &provider.page == name), "{name}: no provider points here");
        assert!(text.contains("ot tried live") || text.contains("one tried live"), "{name}: says not what was tried");
        let mut in_block = false;
        for line in text.lines() {
            in_block ^= line.starts_with("```");
            let step = line.split_once(". ").filter(|(number, _)| !in_block && number.parse::<u8>().is_ok());
            let marked = step.is_none_or(|(_, text)| text.starts_with("✓ ") || text.starts_with("○ "));
            assert!(marked, "{name}: neither tried nor not tried: {line}");
        }
    }
}

#[test]
fn the_configurations_of_the_pages_can_be_used() {
    let mut read = 0;
    for (name, text) in pages() {
        for block in blocks(&text, "toml").iter().filter(|block| block.starts_with("[[account]]")) {
            let table: toml::Table = block.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
            let host = table["account"][0]["host"].as_str().unwrap();
            if name != "other" {
                let provider = Provider::of_host(host).unwrap_or_else(|| panic!("{name}: {host} is not in the table"));
                assert_eq!(provider.page, name, "{host}");
                let folders = table["account"][0]["folders"].as_array().unwrap();
                if let Some(junk) = &provider.junk {
                    assert!(folders.iter().any(|folder| folder.as_str() == Some(junk)), "{name}: {junk}");
                }
            }
            let config =
                Config::parse(block, Path::new("config.toml")).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(config.accounts.len(), 1, "{name}");
            read += 1;
        }
    }
    assert!(read >= 10, "{read}");
}

#[test]
fn codes_and_hosts_on_the_pages_are_those_of_the_tables() {
    let known = include_str!("../../assets/oauth.toml");
    let text = &pages().into_iter().find(|(name, _)| name == "microsoft-365").unwrap().1;
    let codes: Vec<&str> =
        text.split("AADSTS").skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap()).collect();
    assert!(codes.len() > 10);
    for code in codes {
        assert!(known.contains(&format!("code = \"AADSTS{code}\"")), "AADSTS{code}");
    }
    let zoho = &pages().into_iter().find(|(name, _)| name == "zoho").unwrap().1;
    for provider in providers().iter().filter(|provider| provider.page == "zoho") {
        assert!(zoho.contains(provider.host.as_deref().unwrap()), "{}", provider.id);
    }
}

/// Answers each connection with a JSON document, pretty-printed as Google's are; hands on the bodies it got.
fn token_endpoint(answers: Vec<&'static str>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/token", listener.local_addr().unwrap());
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
            let body = loop {
                let n = stream.read(&mut chunk).unwrap();
                bytes.extend_from_slice(&chunk[..n]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
                if n == 0 || body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                    break body.to_owned();
                }
            };
            send.send(body).unwrap();
            let status = if answer.contains("\"error\"") { "400 Bad Request" } else { "200 OK" };
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
                answer.len()
            );
        }
    });
    (address, receive)
}

/// The script of the page, run as it is printed there.
#[test]
fn the_google_script_signs_in_and_prints_tokens() {
    if Command::new("curl").arg("--version").output().is_err() {
        crate::skip::skip("curl is not installed");
        return;
    }
    let page = pages().into_iter().find(|(name, _)| name == "google").unwrap().1;
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("google-token");
    fs::write(&script, &blocks(&page, "sh")[0]).unwrap();
    fs::write(dir.path().join("client"), "client_id='id.apps'\nclient_secret='canary&secret'\n").unwrap();
    let (endpoint, asked) = token_endpoint(vec![
        "{\n  \"access_token\": \"first\",\n  \"expires_in\": 3599,\n  \"refresh_token\": \"1//canary-refresh\",\n  \"scope\": \"s\"\n}",
        "{\n  \"access_token\": \"ya29.token\",\n  \"expires_in\": 3599,\n  \"token_type\": \"Bearer\"\n}",
        "{\n  \"error\": \"invalid_grant\",\n  \"error_description\": \"Token has been expired or revoked.\"\n}",
    ]);
    let run = |arguments: &[&str], input: &str| {
        let mut child = Command::new("sh")
            .arg(&script)
            .args(arguments)
            .env("GOOGLE_TOKEN_DIR", dir.path())
            .env("GOOGLE_TOKEN_ENDPOINT", &endpoint)
            .env("NO_PROXY", "127.0.0.1")
            .env("CURL_HOME", dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let (done, said, told) =
        run(&["sign-in"], "http://127.0.0.1:9/?state=x&code=4%2F0Acode&scope=https://mail.google.com/\n");
    assert!(done && said.is_empty(), "{said}{told}");
    assert!(told.contains("https://accounts.google.com/o/oauth2/v2/auth?client_id=id.apps&"), "{told}");
    assert_eq!(
        asked.recv().unwrap(),
        "client_id=id.apps&client_secret=canary%26secret&grant_type=authorization_code&redirect_uri=http%3A%2F%2F127.0.0.1%3A9&code=4%2F0Acode"
    );
    let kept = dir.path().join("refresh");
    assert_eq!(fs::read_to_string(&kept).unwrap(), "1//canary-refresh\n");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);

    assert_eq!(run(&[], ""), (true, "ya29.token\n".to_owned(), String::new()));
    assert!(asked.recv().unwrap().ends_with("grant_type=refresh_token&refresh_token=1%2F%2Fcanary-refresh"));
    assert_eq!(run(&[], ""), (false, String::new(), "google: invalid_grant\n".to_owned()));
    assert_eq!(fs::read_to_string(&kept).unwrap(), "1//canary-refresh\n", "a refusal takes nothing away");
}
