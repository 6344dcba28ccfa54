//! What becomes of a sign-in: where its token is kept and renewed, over which certificates and proxies it goes.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;
use std::time::Duration;

use bounceback::model::Secret;
use bounceback::oauth::{Endpoints, Kind, TokenStore, refresh, renew};

use crate::oauth::{
    ACCESS, NEXT, REFRESH, StandIn, assert_no_secret, client, granted, http, microsoft, refusal, request, say, words,
};

#[test]
fn a_kept_sign_in_is_renewed_and_its_successor_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = TokenStore::File(dir.path().join("token"));
    let nothing = renew(&StandIn::json(&[]).endpoints(), &client(), &store).unwrap_err();
    assert_eq!(nothing.kind(), Kind::SignInAgain);
    store.save(&Secret::new(REFRESH.to_owned())).unwrap();
    let stand_in = StandIn::json(&[(200, &granted())]);
    let tokens = renew(&stand_in.endpoints(), &client(), &store).unwrap();
    assert_eq!(tokens.access.expose(), ACCESS);
    assert_eq!(store.load().unwrap().unwrap().expose(), NEXT);
    assert!(stand_in.asked()[0].ends_with(&format!("offline_access&refresh_token={REFRESH}")));

    let dead = refusal("invalid_grant", "AADSTS700082: expired", 700_082);
    let error = renew(&StandIn::json(&[(400, &dead)]).endpoints(), &client(), &store).unwrap_err();
    assert_eq!(error.kind(), Kind::SignInAgain);
    assert_eq!(store.load().unwrap().unwrap().expose(), NEXT, "a refusal takes nothing away");
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_token_file_is_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/folder/token");
    let store = TokenStore::File(path.clone());
    assert!(store.load().unwrap().is_none());
    store.save(&Secret::new(REFRESH.to_owned())).unwrap();
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{REFRESH}\n"));
    for open in [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(open)).unwrap();
        let error = store.load().unwrap_err();
        assert_eq!(error.kind(), Kind::Keep);
        assert!(error.to_string().contains(&format!("(mode {open:04o})")), "{error}");
        assert!(error.hint().unwrap().contains("chmod 600"));
        assert_no_secret(&words(&error));
    }
    store.save(&Secret::new(NEXT.to_owned())).unwrap();
    assert_eq!(mode(&path), 0o600, "what replaces it is private again");
    assert_eq!(store.load().unwrap().unwrap().expose(), NEXT);
    let names: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing is left lying beside it: {names:?}");

    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    TokenStore::File(link.clone()).save(&Secret::new(REFRESH.to_owned())).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink(), "a link stays a link");
    assert_eq!(store.load().unwrap().unwrap().expose(), REFRESH);
}

#[test]
fn what_is_no_token_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = TokenStore::File(dir.path().to_owned());
    assert!(folder.load().unwrap_err().to_string().contains("it is no file"));
    assert!(folder.save(&Secret::new(REFRESH.to_owned())).unwrap_err().to_string().contains("it is no file"));
    let pipe = dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg("-m").arg("600").arg(&pipe).status().unwrap().success());
    assert!(TokenStore::File(pipe).load().unwrap_err().to_string().contains("it is no file"), "and it does not hang");
    let path = dir.path().join("token");
    for text in ["", "\n", "two words\n", "a\u{1}b\n", "ü\n"] {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let error = TokenStore::File(path.clone()).load().unwrap_err();
        assert!(error.to_string().ends_with("its first line is no token"), "{text:?}: {error}");
    }
}

#[test]
fn commands_keep_and_fetch_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let vault = dir.path().join("vault").display().to_string();
    let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let store = TokenStore::Command {
        store: argv(&["sh", "-c", "cat > \"$0\"", &vault]),
        fetch: argv(&["sh", "-c", "cat \"$0\"", &vault]),
    };
    let error = store.load().unwrap_err();
    assert_eq!(error.kind(), Kind::Keep);
    assert!(error.to_string().starts_with("oauth_token_command \"sh\" failed: exit status: 1: cat:"), "{error}");
    store.save(&Secret::new(REFRESH.to_owned())).unwrap();
    assert_eq!(store.load().unwrap().unwrap().expose(), REFRESH);

    let leaky = TokenStore::Command {
        store: argv(&["sh", "-c", "cat; exit 3"]),
        fetch: argv(&["sh", "-c", &format!("echo {REFRESH} x; exit 0")]),
    };
    let error = leaky.save(&Secret::new(REFRESH.to_owned())).unwrap_err();
    assert_eq!(error.to_string(), "oauth_store_command \"sh\" failed: exit status: 3");
    assert_no_secret(&words(&error));
    assert_no_secret(&words(&leaky.load().unwrap_err()));
}

/// A certificate for 127.0.0.1 made for this run; `None`, with one line said, where openssl is missing.
fn certificate(dir: &Path) -> Option<native_tls::Identity> {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args([
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ])
        .current_dir(dir)
        .output();
    if !made.is_ok_and(|output| output.status.success()) {
        crate::skip::skip("openssl is not installed");
        return None;
    }
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
    Some(native_tls::Identity::from_pkcs8(&read("cert.pem"), &read("key.pem")).unwrap())
}

/// Takes one connection by TLS and grants tokens on it; returns what was asked, or why there was no TLS.
fn tls_server(identity: native_tls::Identity) -> (u16, JoinHandle<Result<String, String>>) {
    let acceptor = native_tls::TlsAcceptor::new(identity).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let worker = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut stream = acceptor.accept(stream).map_err(|error| error.to_string())?;
        let asked = request(&mut stream);
        stream.write_all(http(200, "", &granted()).as_bytes()).map_err(|error| error.to_string())?;
        Ok(asked)
    });
    (port, worker)
}

/// Signs in at `https://127.0.0.1:PORT` in a process of its own, with this environment.
fn signs_in_elsewhere(port: u16, environment: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "oauth_kept::in_another_process", "--ignored", "--nocapture"])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env("BOUNCEBACK_TEST_AUTHORITY", format!("https://127.0.0.1:{port}"))
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "run by the tests below, with an environment of its own"]
fn in_another_process() {
    let Ok(authority) = std::env::var("BOUNCEBACK_TEST_AUTHORITY") else { return };
    let endpoints = Endpoints::under(microsoft(), &authority, None).unwrap();
    match refresh(&endpoints, &client(), &Secret::new(REFRESH.to_owned())) {
        Ok(tokens) => println!("granted: {}", tokens.access.expose() == ACCESS),
        Err(error) => println!("refused: {:?}: {error}", error.kind()),
    }
}

#[test]
fn a_trusted_certificate_is_accepted_and_another_refused() {
    let dir = tempfile::tempdir().unwrap();
    let Some(identity) = certificate(dir.path()) else { return };
    let (port, server) = tls_server(identity.clone());
    let trusted = dir.path().join("cert.pem").display().to_string();
    let said = signs_in_elsewhere(port, &[("SSL_CERT_FILE", &trusted)]);
    assert!(said.contains("granted: true"), "{said}");
    assert!(server.join().unwrap().unwrap().contains("grant_type=refresh_token"));

    let (port, server) = tls_server(identity);
    let said = signs_in_elsewhere(port, &[]);
    assert!(said.contains("refused: Refused: the sign-in service at 127.0.0.1"), "{said}");
    assert!(said.contains("could not prove who it is"), "{said}");
    assert!(server.join().unwrap().is_err(), "not a byte of the form was sent");
}

#[test]
fn loopback_is_never_asked_through_a_proxy() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let Some(identity) = certificate(dir.path()) else { return };
    let (port, server) = tls_server(identity);
    let trusted = dir.path().join("cert.pem").display().to_string();
    let through = format!("http://{}", proxy.local_addr().unwrap());
    let said =
        signs_in_elsewhere(port, &[("SSL_CERT_FILE", &trusted), ("HTTPS_PROXY", &through), ("HTTP_PROXY", &through)]);
    assert!(said.contains("granted: true"), "{said}");
    assert!(server.join().unwrap().is_ok());
    assert!(proxy.accept().is_err(), "the proxy saw nothing");
}

/// A remote name goes through the proxy as a tunnel: the proxy learns the host and nothing else.
#[test]
fn a_proxy_of_the_environment_gets_a_tunnel() {
    let stand_in = StandIn::new(vec![say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned())]);
    let proxy = format!("http://127.0.0.1:{}", stand_in.port);
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "oauth_kept::in_another_process", "--ignored", "--nocapture"])
        .env("BOUNCEBACK_TEST_AUTHORITY", "https://login.invalid")
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env_remove("ALL_PROXY")
        .env_remove("all_proxy")
        .env("HTTPS_PROXY", proxy)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("refused: Temporary: could not reach the sign-in service at login.invalid: the proxy refused"),
        "{said}"
    );
    let asked = stand_in.asked();
    assert!(asked[0].starts_with("CONNECT login.invalid:443 HTTP/1.1"), "{asked:?}");
    assert_no_secret(&asked[0]);
}
