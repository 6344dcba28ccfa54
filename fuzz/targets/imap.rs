//! A server that says anything: the pull ends in time, with an outcome or an error, and panics nowhere.
//!
//! The input is what the server sends, cut at NUL bytes: the first piece greets, each further one answers one command.
//! `$` stands for the command's tag, `%` for the length of a literal that follows on the next line.
#![no_main]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::LazyLock;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use bounceback::model::Secret;
use bounceback::source::Cancel;
use bounceback::source::imap::{Auth, Options, Scan, Tls, pull};
use libfuzzer_sys::fuzz_target;

/// The port of the one server, and where to put what it shall say next.
static SERVER: LazyLock<(u16, Sender<Vec<u8>>)> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (say, script) = channel::<Vec<u8>>();
    std::thread::spawn(move || {
        let mut last = Vec::new();
        for stream in listener.incoming().flatten() {
            // a second connection of one pull hears the same again
            last = script.try_iter().last().unwrap_or(last);
            let _ = talk(stream, &last);
        }
    });
    (port, say)
});

fn talk(stream: TcpStream, script: &[u8]) -> std::io::Result<()> {
    // a client that waits for the rest of an answer gets the end of the line instead: more runs in a second
    stream.set_read_timeout(Some(Duration::from_millis(20)))?;
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    let mut tag = "*".to_owned();
    for piece in script.split(|byte| *byte == 0) {
        let text: Vec<u8> = piece
            .iter()
            .flat_map(|byte| match byte {
                b'$' => tag.clone().into_bytes(),
                b'%' => piece.len().to_string().into_bytes(),
                other => vec![*other],
            })
            .collect();
        out.write_all(&text)?;
        let Some(line) = lines.next() else { return Ok(()) };
        line?.split(' ').next().unwrap_or("*").clone_into(&mut tag);
    }
    Ok(())
}

fuzz_target!(|script: &[u8]| {
    let (port, say) = &*SERVER;
    say.send(script.to_vec()).expect("the server listens");
    let mut options =
        Options::new("fuzz", "127.0.0.1", "user@example.org", Auth::Password(Secret::new("secret".to_owned())));
    options.port = *port;
    options.tls = Tls::None;
    options.limits.connect = Duration::from_secs(1);
    options.limits.command = Duration::from_millis(300);
    options.limits.stall = Duration::from_millis(500);
    options.limits.wait = Duration::from_millis(10);
    let begin = Instant::now();
    let mut events = 0;
    let scan = Scan { fields: &["From", "Subject"], candidate: &|_| true };
    let _ = pull(&options, &BTreeMap::new(), scan, &Cancel::new(), &mut |_| {
        events += 1;
        if events < 1000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
});
