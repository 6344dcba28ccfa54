//! Sign-in against a stand-in for the endpoints on loopback: every refusal, hostile answers, and where secrets go.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bounceback::model::Secret;
use bounceback::oauth::{Client, DeviceFlow, Endpoints, Error, Kind, Service, Tokens, refresh};

const DEVICE_CODE: &str = "canary-device-code";
pub(crate) const REFRESH: &str = "canary-refresh-token-0123456789-abcdefghijklmnopqrstuvwxyz";
pub(crate) const ACCESS: &str = "canary-access-token";
pub(crate) const NEXT: &str = "canary-refresh-token-2";

/// A server that gives one prepared answer to each connection, and remembers what it was asked.
pub(crate) struct StandIn {
    pub(crate) port: u16,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    pub(crate) worker: Option<JoinHandle<()>>,
}

type Talk = Box<dyn FnOnce(&mut TcpStream) + Send>;

impl StandIn {
    pub(crate) fn new(talks: Vec<Talk>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let worker = std::thread::spawn(move || {
            for talk in talks {
                let (mut stream, _) = listener.accept().unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                seen.lock().unwrap().push(request(&mut stream));
                talk(&mut stream);
            }
        });
        Self { port, asked, worker: Some(worker) }
    }

    /// Answers with these statuses and JSON documents, one per request.
    pub(crate) fn json(answers: &[(u16, &str)]) -> Self {
        Self::new(answers.iter().map(|(status, body)| say(http(*status, "", body))).collect())
    }

    pub(crate) fn endpoints(&self) -> Endpoints {
        Endpoints::under(microsoft(), &format!("http://127.0.0.1:{}", self.port), Some("company.example")).unwrap()
    }

    /// What was asked, once every prepared answer was fetched.
    pub(crate) fn asked(mut self) -> Vec<String> {
        self.worker.take().unwrap().join().unwrap();
        self.asked.lock().unwrap().clone()
    }
}

pub(crate) fn say(bytes: String) -> Talk {
    Box::new(move |stream| {
        let _ = stream.write_all(bytes.as_bytes());
    })
}

pub(crate) fn http(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// Reads a request: its first line and its body.
pub(crate) fn request(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            if body.len() >= length.unwrap_or(0_usize) {
                return format!("{} {body}", head.lines().next().unwrap_or_default());
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return text,
            Ok(n) => bytes.extend_from_slice(&chunk[..n]),
        }
    }
}

pub(crate) fn microsoft() -> &'static Service {
    Service::named("microsoft").unwrap()
}

pub(crate) fn client() -> Client {
    Client::new(microsoft(), "00000000-1111-2222-3333-444444444444", None).unwrap()
}

pub(crate) fn begun() -> String {
    format!(
        r#"{{"device_code":"{DEVICE_CODE}","user_code":"ABCD-EFGH","verification_uri":"https://login.example/device",
        "expires_in":60,"interval":2,"message":"To sign in, open https://login.example/device and enter ABCD-EFGH.\u001b[2J"}}"#
    )
}

pub(crate) fn granted() -> String {
    format!(
        r#"{{"token_type":"Bearer","scope":"https://outlook.office.com/IMAP.AccessAsUser.All","expires_in":3599,
        "access_token":"{ACCESS}","refresh_token":"{NEXT}"}}"#
    )
}

pub(crate) fn refusal(error: &str, text: &str, number: u64) -> String {
    format!(
        r#"{{"error":"{error}","error_description":"{text}","error_codes":[{number}],"timestamp":"2026-01-01 00:00:00Z",
        "trace_id":"1","correlation_id":"0f8fad5b-d9cb-469f-a165-70867728950e"}}"#
    )
}

/// Runs the device flow; returns its outcome and the pauses that were asked for.
pub(crate) fn sign_in(stand_in: &StandIn) -> (Result<Tokens, Error>, Vec<u64>) {
    let mut pauses = Vec::new();
    let flow = DeviceFlow::start(&stand_in.endpoints(), &client()).unwrap();
    let outcome = flow.poll(|pause| {
        pauses.push(pause.as_secs());
        ControlFlow::Continue(())
    });
    (outcome, pauses)
}

/// Everything an error or a value says about itself.
pub(crate) fn words(error: &Error) -> String {
    format!("{error}\n{}\n{error:?}\n{error:#?}", error.hint().unwrap_or_default())
}

pub(crate) fn assert_no_secret(text: &str) {
    for secret in [DEVICE_CODE, REFRESH, ACCESS, NEXT, "canary"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}

#[test]
fn the_device_flow_gives_tokens() {
    let (begun, granted) = (begun(), granted());
    let pending = refusal("authorization_pending", "AADSTS70016: pending", 70_016);
    let stand_in = StandIn::json(&[(200, &begun), (400, &pending), (400, r#"{"error":"slow_down"}"#), (200, &granted)]);
    let flow = DeviceFlow::start(&stand_in.endpoints(), &client()).unwrap();
    let prompt = flow.prompt().clone();
    assert_eq!(
        (prompt.verification_uri.as_str(), prompt.user_code.as_str()),
        ("https://login.example/device", "ABCD-EFGH")
    );
    assert_eq!(prompt.expires_in, Duration::from_secs(60));
    assert_eq!(
        prompt.message.as_deref(),
        Some("To sign in, open https://login.example/device and enter ABCD-EFGH.^[[2J")
    );
    assert_no_secret(&format!("{flow:?} {prompt:#?}"));
    let mut pauses = Vec::new();
    let tokens = flow
        .poll(|pause| {
            pauses.push(pause.as_secs());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(pauses, [2, 2, 7], "the interval, and five seconds more after slow_down");
    assert_eq!((tokens.access.expose(), tokens.refresh.as_ref().unwrap().expose()), (ACCESS, NEXT));
    assert_eq!(tokens.expires_in, Duration::from_secs(3599));
    assert_no_secret(&format!("{tokens:?} {tokens:#?}"));
    let asked = stand_in.asked();
    assert_eq!(
        asked[0],
        "POST /company.example/oauth2/v2.0/devicecode HTTP/1.1 client_id=00000000-1111-2222-3333-444444444444&\
         scope=https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All+offline_access"
    );
    assert_eq!(
        asked[1],
        "POST /company.example/oauth2/v2.0/token HTTP/1.1 \
         grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&\
         client_id=00000000-1111-2222-3333-444444444444&device_code=canary-device-code"
    );
}

#[test]
fn the_wait_can_be_cancelled_and_ends_with_the_code() {
    let stand_in = StandIn::json(&[(200, &begun())]);
    let flow = DeviceFlow::start(&stand_in.endpoints(), &client()).unwrap();
    let error = flow.poll(|_| ControlFlow::Break(())).unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    assert_eq!(stand_in.asked().len(), 1, "nothing was asked after the cancel");

    let pending = r#"{"error":"authorization_pending"}"#;
    let short = begun().replace("\"expires_in\":60", "\"expires_in\":5");
    let (outcome, pauses) = sign_in(&StandIn::json(&[(200, &short), (400, pending), (400, pending), (400, pending)]));
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), pauses), (Kind::SignInAgain, vec![2, 2, 2]));
    assert_eq!(error.to_string(), "the code for Microsoft was not entered in time");
}

#[test]
fn a_bad_line_is_borne_while_waiting() {
    let talks: Vec<Talk> = vec![
        say(http(200, "", &begun().replace("60", "600"))),
        Box::new(|_| {}),
        say(http(502, "", "<html>bad gateway</html>")),
        say(http(503, "", r#"{"error":"temporarily_unavailable"}"#)),
        say(http(200, "", &granted())),
    ];
    let (outcome, pauses) = sign_in(&StandIn::new(talks));
    assert_eq!(outcome.unwrap().access.expose(), ACCESS);
    assert_eq!(pauses, [2, 4, 8, 16]);

    let mut talks: Vec<Talk> = vec![say(http(200, "", &begun().replace("60", "3600")))];
    talks.extend((0..8).map(|_| say(http(502, "", ""))));
    let (outcome, pauses) = sign_in(&StandIn::new(talks));
    assert_eq!(outcome.unwrap_err().kind(), Kind::Temporary);
    assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60, 60], "eight failures in a row give up");
}

#[test]
fn a_sign_in_that_could_not_be_kept_is_an_error() {
    let alone = granted().replace(&format!(",\"refresh_token\":\"{NEXT}\""), "").replace("\n", " ");
    let alone = alone.replace(&format!(r#", "refresh_token":"{NEXT}""#), "");
    assert!(!alone.contains("refresh_token"));
    let (outcome, _) = sign_in(&StandIn::json(&[(200, &begun()), (200, &alone)]));
    let error = outcome.unwrap_err();
    assert!(error.to_string().contains("no refresh token came"), "{error}");
    assert!(error.hint().unwrap().contains("offline_access"));
}

/// Every code of the table, at the token endpoint.
#[test]
fn every_listed_refusal_says_what_to_do() {
    let table: toml::Table = include_str!("../../assets/oauth.toml").parse().unwrap();
    let service = table["service"][0].as_table().unwrap();
    let listed = service["error"].as_array().unwrap();
    assert!(listed.len() >= 40);
    for entry in listed {
        let (code, means) = (entry["code"].as_str().unwrap(), entry["means"].as_str().unwrap());
        let number: u64 = code.trim_start_matches("AADSTS").parse().unwrap();
        let again = entry.get("again").is_some_and(|again| again.as_bool().unwrap());
        let body = refusal("invalid_grant", &format!("{code}: words of the service. Trace ID: 1"), number);
        let stand_in = StandIn::json(&[(400, &body)]);
        let error = refresh(&stand_in.endpoints(), &client(), &Secret::new(REFRESH.to_owned())).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "Microsoft refused the sign-in: {means} ({code}; correlation id 0f8fad5b-d9cb-469f-a165-70867728950e)"
            )
        );
        assert_eq!(error.hint(), entry["cure"].as_str());
        assert_eq!(error.kind(), if again { Kind::SignInAgain } else { Kind::Refused }, "{code}");
    }
}

#[test]
fn refusals_without_a_listed_code_are_told_apart() {
    for (status, body, kind, part) in [
        (400, r#"{"error":"access_denied"}"#, Kind::SignInAgain, "declined in the browser"),
        (400, r#"{"error":"authorization_declined"}"#, Kind::SignInAgain, "declined in the browser"),
        (400, r#"{"error":"expired_token"}"#, Kind::SignInAgain, "not entered in time"),
        (400, r#"{"error":"bad_verification_code"}"#, Kind::SignInAgain, "not entered in time"),
        (400, r#"{"error":"invalid_grant"}"#, Kind::SignInAgain, "not valid any longer"),
        (400, r#"{"error":"interaction_required"}"#, Kind::SignInAgain, "answer something first"),
        (401, r#"{"error":"invalid_client"}"#, Kind::Refused, "does not accept the app registration"),
        (400, r#"{"error":"unauthorized_client"}"#, Kind::Refused, "may not sign in this way"),
        (400, r#"{"error":"unsupported_grant_type"}"#, Kind::Refused, "no sign-in by device code"),
        (400, r#"{"error":"invalid_scope"}"#, Kind::Refused, "does not know the scope"),
        (503, r#"{"error":"temporarily_unavailable"}"#, Kind::Temporary, "not available"),
        (
            400,
            r#"{"error":"new_thing","error_description":"AADSTS1: because"}"#,
            Kind::Refused,
            "new_thing: AADSTS1: because",
        ),
        (503, "<html>", Kind::Temporary, "not available (status 503)"),
        (429, "", Kind::Temporary, "not available (status 429)"),
        (404, "<html>", Kind::Unreadable, "status 404"),
    ] {
        let error = refresh(&StandIn::json(&[(status, body)]).endpoints(), &client(), &Secret::new(REFRESH.to_owned()));
        let error = error.unwrap_err();
        assert_eq!(error.kind(), kind, "{body}: {error}");
        assert!(error.to_string().contains(part), "{body}: {error}");
        assert!(error.hint().is_some(), "{body}");
        let stand_in = StandIn::json(&[(status, body)]);
        let started = DeviceFlow::start(&stand_in.endpoints(), &client()).unwrap_err();
        assert_eq!(started.kind(), kind, "{body}: the device endpoint says the same");
    }
}

#[test]
fn a_server_that_repeats_secrets_gets_them_into_no_message() {
    let jwt = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.canaryeyJhdWQiOiJodHRwcyJ9.signature";
    let echo = refusal(&format!("odd {REFRESH}"), &format!("your token {REFRESH} and {jwt} \\u001b]0;title\\u0007"), 1);
    let stand_in = StandIn::json(&[(400, &echo)]);
    let error = refresh(&stand_in.endpoints(), &client(), &Secret::new(REFRESH.to_owned())).unwrap_err();
    assert!(error.to_string().contains("your token […] and […]"), "{error}");
    assert_no_secret(&words(&error));

    let echo = refusal("odd", &format!("device code {DEVICE_CODE} unknown"), 1);
    let (outcome, _) = sign_in(&StandIn::json(&[(200, &begun()), (400, &echo)]));
    assert_no_secret(&words(&outcome.unwrap_err()));

    for body in [
        format!(r#"{{"access_token":"{ACCESS}\u0001auth","token_type":"Bearer"}}"#),
        format!(r#"{{"access_token":"{ACCESS} x","token_type":"Bearer"}}"#),
        format!(r#"{{"access_token":"{ACCESS}","token_type":"mac"}}"#),
        format!(r#"{{"access_token":"{ACCESS}","refresh_token":"{NEXT}\r\n"}}"#),
        format!(r#"{{"access_token":["{ACCESS}"]}}"#),
        format!(r#"{{"access_token":"{ACCESS}","scope":"https://outlook.office.com/User.Read"}}"#),
        format!(r#"{{"token":"{ACCESS}"}}"#),
        format!(r#"{{"access_token":"{ACCESS}""#),
        r#"{"access_token":""}"#.to_owned(),
        "null".to_owned(),
    ] {
        let stand_in = StandIn::json(&[(200, &body)]);
        let error = refresh(&stand_in.endpoints(), &client(), &Secret::new(REFRESH.to_owned())).unwrap_err();
        assert_no_secret(&words(&error));
    }
}

#[test]
fn device_answers_that_cannot_be_shown_are_refused() {
    let good = begun();
    for (from, to) in [
        ("ABCD-EFGH\",\"verification", "AB\\u001b[31m\",\"verification"),
        ("ABCD-EFGH\",\"verification", "\\u202eABCD\",\"verification"),
        ("ABCD-EFGH\",\"verification", "\",\"verification"),
        ("\"verification_uri\":\"https://", "\"verification_uri\":\"http://"),
        ("\"verification_uri\":\"https://", "\"verification_uri\":\"https://login.microsoft.com@"),
        ("\"expires_in\":60", "\"expires_in\":\"soon\""),
        ("\"device_code\":\"canary-device-code\"", "\"device_code\":\"\""),
        ("\"device_code\"", "\"other\""),
    ] {
        assert!(good.contains(from), "{from}");
        let stand_in = StandIn::json(&[(200, &good.replace(from, to))]);
        let error = DeviceFlow::start(&stand_in.endpoints(), &client()).unwrap_err();
        assert_eq!(error.kind(), Kind::Unreadable, "{to}: {error}");
        assert_no_secret(&words(&error));
    }
}

/// Whatever a server does, the call ends soon and with a message.
#[test]
fn hostile_servers_end_within_the_deadline() {
    let endless =
        |line: &'static str| -> Talk { Box::new(move |stream| while stream.write_all(line.as_bytes()).is_ok() {}) };
    let drip = |text: &'static str| -> Talk {
        Box::new(move |stream| {
            for byte in text.bytes().chain(std::iter::repeat_n(b' ', 200)) {
                if stream.write_all(&[byte]).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        })
    };
    let silent: Talk = Box::new(|stream| {
        let _ = stream.read(&mut [0; 16]);
    });
    let elsewhere = "Location: http://192.0.2.1/\r\n";
    let bomb = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let cases: Vec<(&str, Talk, Kind, &str)> = vec![
        ("closed at once", Box::new(|_| {}), Kind::Temporary, "could not reach"),
        ("silent", silent, Kind::Temporary, "no complete answer within 0.4 seconds"),
        ("slow head", drip("HTTP/1.1 200 OK\r\nX: "), Kind::Temporary, "no complete answer"),
        ("slow body", drip("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"), Kind::Temporary, "no complete answer"),
        ("endless head", endless("HTTP/1.1 200 OK\r\nX: y\r\n"), Kind::Unreadable, "unusable answer"),
        ("endless header line", endless("HTTP/1.1 200 OK"), Kind::Unreadable, "unusable answer"),
        ("cut", say("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_owned()), Kind::Temporary, "could not reach"),
        ("huge", say(http(200, "", &" ".repeat(1 << 20))), Kind::Unreadable, "more than 65536 bytes"),
        ("huge refusal", say(http(400, "", &"x".repeat(1 << 20))), Kind::Unreadable, "more than 65536 bytes"),
        ("no HTTP", say("220 smtp.example ESMTP\r\n".to_owned()), Kind::Unreadable, "unusable answer"),
        ("no JSON", say(http(200, "", "<html>hello")), Kind::Unreadable, "no access token"),
        (
            "no UTF-8",
            say(http(200, "", "{\"access_token\":\"\u{fffd}\"}")),
            Kind::Unreadable,
            "characters that no token has",
        ),
        ("deep JSON", say(http(200, "", &bomb)), Kind::Unreadable, "no access token"),
        ("redirect 302", say(http(302, elsewhere, "")), Kind::Unreadable, "(status 302), which is not followed"),
        ("redirect 307", say(http(307, elsewhere, "")), Kind::Unreadable, "(status 307), which is not followed"),
        ("redirect 308", say(http(308, elsewhere, "")), Kind::Unreadable, "(status 308), which is not followed"),
    ];
    for (name, talk, kind, part) in cases {
        let stand_in = StandIn::new(vec![talk]);
        let endpoints = stand_in.endpoints().with_deadline(Duration::from_millis(400));
        let began = Instant::now();
        let error = refresh(&endpoints, &client(), &Secret::new(REFRESH.to_owned())).unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(5), "{name}: took {:?}", began.elapsed());
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.to_string().contains(part), "{name}: {error}");
        assert!(error.to_string().len() < 400, "{name}: {error}");
        assert_no_secret(&words(&error));
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoints = Endpoints::under(microsoft(), &format!("http://127.0.0.1:{nobody}"), None).unwrap();
    let error = refresh(&endpoints, &client(), &Secret::new(REFRESH.to_owned())).unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
}
