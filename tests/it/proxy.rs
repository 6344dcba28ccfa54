//! A proxy on loopback that counts, delays, limits, records and cuts a conversation.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How the line behaves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Line {
    /// Time there and back.
    pub(crate) round_trip: Duration,
    /// Megabits per second from server to client; 0 for no limit.
    pub(crate) megabits: u64,
    /// Cuts a connection after so many bytes of the server.
    pub(crate) cut: Option<u64>,
    /// Cuts every connection, not only the first.
    pub(crate) cut_all: bool,
}

#[derive(Default)]
struct Counts {
    down: AtomicU64,
    up: AtomicU64,
    turns: AtomicU64,
    connections: AtomicU64,
    said: Mutex<Vec<u8>>,
    server_spoke_last: AtomicBool,
    /// Both ends of every connection.
    ends: Mutex<Vec<TcpStream>>,
    /// Connections up to this number carry nothing any more, and nobody is told.
    frozen: AtomicU64,
}

/// The proxy; ends with its handle.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    counts: Arc<Counts>,
    over: Arc<AtomicBool>,
}

impl Proxy {
    pub(crate) fn to(target: u16, line: Line) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (counts, over) = (Arc::new(Counts::default()), Arc::new(AtomicBool::new(false)));
        let (shared, ended) = (counts.clone(), over.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", target))) else { continue };
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                let cut = line.cut.filter(|_| number == 0 || line.cut_all);
                shared.ends.lock().unwrap().extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                connect(client, server, Line { cut, ..line }, &shared, number + 1);
            }
        });
        Self { port, counts, over }
    }

    /// Bytes from server to client.
    pub(crate) fn down(&self) -> u64 {
        self.counts.down.load(Ordering::SeqCst)
    }

    /// How often the client spoke after the server: round trips.
    pub(crate) fn turns(&self) -> u64 {
        self.counts.turns.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> u64 {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// Cuts every connection there is.
    pub(crate) fn sever(&self) {
        for end in self.counts.ends.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// The line dies without a word for every connection there is, as when a laptop sleeps or changes the network.
    pub(crate) fn freeze(&self) {
        self.counts.frozen.store(self.connections(), Ordering::SeqCst);
    }

    /// Everything the client sent.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.counts.said.lock().unwrap()).into_owned()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // wakes the listener
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn connect(client: TcpStream, server: TcpStream, line: Line, counts: &Arc<Counts>, number: u64) {
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    counts.server_spoke_last.store(true, Ordering::SeqCst);
    pump(
        client.try_clone().unwrap(),
        server.try_clone().unwrap(),
        Line { megabits: 0, cut: None, ..line },
        counts.clone(),
        (true, number),
    );
    pump(server, client, line, counts.clone(), (false, number));
}

/// Carries bytes one way: one thread reads and stamps, another one waits for the time and writes.
fn pump(mut from: TcpStream, mut to: TcpStream, line: Line, counts: Arc<Counts>, (from_client, number): (bool, u64)) {
    let (send, receive) = sync_channel::<(Instant, Vec<u8>)>(256);
    let (mut reader, mut writer) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        while let Ok((due, bytes)) = receive.recv() {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = writer.shutdown(Shutdown::Both);
        let _ = writer.flush();
    });
    thread::spawn(move || {
        let (mut buffer, mut passed, mut free) = (vec![0; 65536], 0_u64, Instant::now());
        while let Ok(n @ 1..) = reader.read(&mut buffer) {
            if number <= counts.frozen.load(Ordering::SeqCst) {
                continue;
            }
            let mut bytes = buffer[..n].to_vec();
            if let Some(cut) = line.cut {
                bytes.truncate(usize::try_from(cut.saturating_sub(passed)).unwrap());
            }
            passed += bytes.len() as u64;
            if from_client {
                counts.up.fetch_add(bytes.len() as u64, Ordering::SeqCst);
                counts.said.lock().unwrap().extend_from_slice(&bytes);
                if counts.server_spoke_last.swap(false, Ordering::SeqCst) {
                    counts.turns.fetch_add(1, Ordering::SeqCst);
                }
            } else {
                counts.down.fetch_add(bytes.len() as u64, Ordering::SeqCst);
                counts.server_spoke_last.store(true, Ordering::SeqCst);
            }
            free = free.max(Instant::now());
            free += Duration::from_nanos((bytes.len() as u64 * 8 * 1000).checked_div(line.megabits).unwrap_or(0));
            if send.send((free + line.round_trip / 2, bytes)).is_err() || line.cut.is_some_and(|cut| passed >= cut) {
                break;
            }
        }
        drop(send);
        let _ = from.shutdown(Shutdown::Read);
        let _ = from.flush();
    });
}
