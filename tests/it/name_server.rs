//! A name server on loopback that also misbehaves; its answers are built by an independent codec.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bounceback::dns::{Config, Resolver};
use simple_dns::rdata::{A, AAAA, CNAME, MX, NS, OPT, RData, SOA, SRV, TXT};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, Question, RCODE, ResourceRecord, TYPE};

/// What one server does with a name that is no ordinary one.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Manner {
    Servfail,
    Refuse,
    Silent,
    /// Sends the answer only by TCP.
    Truncate,
    /// Says so by TCP, too.
    TruncateTwice,
    /// Wrong id, wrong name and an unasked message come first.
    SpoofFirst,
    /// Nothing but wrong ids, until TCP.
    SpoofOnly,
    /// Rewrites the question in lower case.
    LowerCase,
    /// Chokes on EDNS.
    NoEdns,
    /// A datagram larger than was announced.
    Oversized,
    /// Claims more records than there are.
    Lying,
    /// Cuts the TCP stream in the middle.
    Cut,
    /// Points to other servers only.
    Referral,
}

type Zone = HashMap<(String, TYPE), Vec<RData<'static>>>;

struct World {
    zone: Zone,
    manners: HashMap<String, Manner>,
    asked: Mutex<Vec<(String, bool)>>,
    over: AtomicBool,
}

/// A name server on an ephemeral loopback port, UDP and TCP.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    world: Arc<World>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(records: &[(&str, RData<'static>)], manners: &[(&str, Manner)]) -> Self {
        let mut zone = Zone::new();
        for (name, data) in records {
            zone.entry(((*name).to_owned(), data.type_code())).or_default().push(data.clone());
        }
        let manners = manners.iter().map(|(name, manner)| ((*name).to_owned(), *manner)).collect();
        let world = World { zone, manners, asked: Mutex::new(Vec::new()), over: AtomicBool::new(false) };
        let world = Arc::new(world);
        let (udp, tcp) = same_port();
        let address = udp.local_addr().unwrap();
        let (by_udp, by_tcp) = (Arc::clone(&world), Arc::clone(&world));
        let threads = vec![
            std::thread::spawn(move || serve_udp(&udp, &by_udp)),
            std::thread::spawn(move || serve_tcp(&tcp, &by_tcp)),
        ];
        Self { address, world, threads }
    }

    pub(crate) fn resolver(&self) -> Resolver {
        Resolver::new(config(&[self.address]))
    }

    /// Every question that arrived: the name, and whether by TCP.
    pub(crate) fn all_asked(&self) -> Vec<(String, bool)> {
        self.world.asked.lock().unwrap().clone()
    }

    /// Questions that arrived for a name.
    pub(crate) fn asked(&self, name: &str) -> usize {
        self.world.asked.lock().unwrap().iter().filter(|(asked, _)| asked == name).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.world.over.store(true, Ordering::SeqCst);
        let _ = UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&[], self.address);
        let _ = std::net::TcpStream::connect(self.address);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

pub(crate) fn same_port() -> (UdpSocket, TcpListener) {
    for _ in 0..50 {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
            return (udp, tcp);
        }
    }
    panic!("no port is free for both protocols");
}

/// Short enough for tests, long enough for a busy machine; a silent name costs the deadline.
pub(crate) fn config(servers: &[SocketAddr]) -> Config {
    let deadline = Duration::from_secs(3);
    Config { servers: servers.to_vec(), timeout: Duration::from_secs(1), attempts: 1, deadline, ..Config::default() }
}

fn serve_udp(socket: &UdpSocket, world: &World) {
    let mut buffer = [0; 2048];
    while let Ok((size, from)) = socket.recv_from(&mut buffer) {
        if world.over.load(Ordering::SeqCst) {
            return;
        }
        for message in answers(&buffer[..size], world, false) {
            socket.send_to(&message, from).unwrap();
        }
    }
}

fn serve_tcp(listener: &TcpListener, world: &World) {
    for stream in listener.incoming() {
        if world.over.load(Ordering::SeqCst) {
            return;
        }
        let mut stream = stream.unwrap();
        let mut head = [0; 2];
        if stream.read_exact(&mut head).is_err() {
            continue;
        }
        let mut question = vec![0; usize::from(u16::from_be_bytes(head))];
        stream.read_exact(&mut question).unwrap();
        for message in answers(&question, world, true) {
            let framed = [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], &message].concat();
            let whole = manner(&question, world) != Some(Manner::Cut);
            let _ = stream.write_all(if whole { &framed } else { &framed[..framed.len() / 2] });
        }
    }
}

fn manner(question: &[u8], world: &World) -> Option<Manner> {
    let query = Packet::parse(question).unwrap();
    world.manners.get(&query.questions[0].qname.to_string().to_lowercase()).copied()
}

/// The messages a question is answered with.
fn answers(bytes: &[u8], world: &World, tcp: bool) -> Vec<Vec<u8>> {
    let query = Packet::parse(bytes).unwrap();
    let asked = query.questions[0].clone();
    let name = asked.qname.to_string();
    let lower = name.to_lowercase();
    world.asked.lock().unwrap().push((lower.clone(), tcp));
    assert!(query.has_flags(PacketFlag::RECURSION_DESIRED));
    let Some(manner) = world.manners.get(&lower) else { return vec![write(&plain(&query, world))] };
    let mut good = plain(&query, world);
    match manner {
        Manner::Servfail => *good.rcode_mut() = RCODE::ServerFailure,
        Manner::Refuse => *good.rcode_mut() = RCODE::Refused,
        Manner::Silent => return Vec::new(),
        Manner::Truncate if tcp => {}
        Manner::Truncate | Manner::TruncateTwice | Manner::Cut => {
            if !(tcp && *manner == Manner::Cut) {
                good.answers.clear();
                good.set_flags(PacketFlag::TRUNCATION);
            }
        }
        Manner::SpoofFirst if !tcp => {
            let mut wrong_id = good.clone();
            wrong_id.set_id(query.id() ^ 1);
            wrong_id.answers[0].rdata = mx(1, "evil.example");
            let mut wrong_name = good.clone();
            wrong_name.questions[0].qname = Name::new("other.example").unwrap();
            wrong_name.answers[0].rdata = mx(1, "evil.example");
            return vec![write(&wrong_id), write(&wrong_name), vec![0; 3], bytes.to_vec(), write(&good)];
        }
        Manner::SpoofOnly if !tcp => {
            good.answers[0].rdata = mx(1, "evil.example");
            return (1..=40)
                .map(|n| {
                    good.set_id(query.id() ^ n);
                    write(&good)
                })
                .collect();
        }
        Manner::SpoofFirst | Manner::SpoofOnly => {}
        Manner::LowerCase => {
            let name: &'static str = lower.clone().leak();
            good.questions[0] = Question::new(Name::new(name).unwrap(), asked.qtype, asked.qclass, false);
        }
        Manner::NoEdns if query.opt().is_some() => {
            good.answers.clear();
            *good.rcode_mut() = RCODE::FormatError;
        }
        Manner::NoEdns => {}
        Manner::Oversized => {
            let data = TXT::new().with_string(Box::leak("x".repeat(250).into_boxed_str())).unwrap();
            let record = ResourceRecord::new(asked.qname.clone(), CLASS::IN, 60, RData::TXT(data));
            good.answers = vec![record; 60];
        }
        Manner::Lying => {
            let mut bytes = write(&good);
            bytes[6..8].copy_from_slice(&u16::MAX.to_be_bytes());
            return vec![bytes];
        }
        Manner::Referral => {
            let server = RData::NS(NS(Name::new("ns.example").unwrap()));
            good.answers.clear();
            good.remove_flags(PacketFlag::RECURSION_AVAILABLE);
            good.name_servers = vec![ResourceRecord::new(asked.qname.clone(), CLASS::IN, 60, server)];
        }
    }
    vec![write(&good)]
}

fn write(packet: &Packet<'_>) -> Vec<u8> {
    packet.build_bytes_vec_compressed().unwrap()
}

/// The honest answer from the zone; aliases are given without what they lead to.
fn plain<'a>(query: &Packet<'a>, world: &World) -> Packet<'a> {
    let asked = &query.questions[0];
    let lower = asked.qname.to_string().to_lowercase();
    let mut reply = Packet::new_reply(query.id());
    reply.set_flags(PacketFlag::RECURSION_DESIRED | PacketFlag::RECURSION_AVAILABLE);
    reply.questions.push(asked.clone());
    let QTYPE::TYPE(kind) = asked.qtype else { panic!("unasked type") };
    let found = world.zone.get(&(lower.clone(), kind)).or_else(|| world.zone.get(&(lower.clone(), TYPE::CNAME)));
    let record = |data: &RData<'static>| ResourceRecord::new(asked.qname.clone(), CLASS::IN, 300, data.clone());
    reply.answers = found.into_iter().flatten().map(record).collect();
    if reply.answers.is_empty() {
        let soa = SOA {
            mname: Name::new("ns.example").unwrap(),
            rname: Name::new("root.example").unwrap(),
            serial: 1,
            refresh: 2,
            retry: 3,
            expire: 4,
            minimum: 60,
        };
        reply.name_servers = vec![ResourceRecord::new(Name::new("example").unwrap(), CLASS::IN, 60, RData::SOA(soa))];
        let below = format!(".{lower}");
        if !world.zone.keys().any(|(name, _)| *name == lower || name.ends_with(&below)) {
            *reply.rcode_mut() = RCODE::NameError;
        }
    }
    if query.opt().is_some() {
        *reply.opt_mut() = Some(OPT { opt_codes: Vec::new(), udp_packet_size: 4096, version: 0 });
    }
    reply
}

pub(crate) fn mx(preference: u16, host: &'static str) -> RData<'static> {
    RData::MX(MX { preference, exchange: Name::new(host).unwrap() })
}

pub(crate) fn a(last: u8) -> RData<'static> {
    RData::A(A::from(Ipv4Addr::new(192, 0, 2, last)))
}

pub(crate) fn aaaa(last: u16) -> RData<'static> {
    RData::AAAA(AAAA::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last)))
}

pub(crate) fn cname(target: &'static str) -> RData<'static> {
    RData::CNAME(CNAME(Name::new(target).unwrap()))
}

pub(crate) fn txt(pieces: &[&'static str]) -> RData<'static> {
    RData::TXT(pieces.iter().fold(TXT::new(), |txt, piece| txt.with_string(piece).unwrap()))
}

pub(crate) fn srv(priority: u16, weight: u16, port: u16, target: &'static str) -> RData<'static> {
    RData::SRV(SRV { priority, weight, port, target: Name::new(target).unwrap() })
}
