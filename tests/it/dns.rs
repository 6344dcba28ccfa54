//! The resolver, the address check and the authentication card against name servers on loopback: one of our own that
//! also misbehaves (its answers are built by an independent codec), and NSD or dnsmasq where they are installed.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bounceback::dns::{Config, DkimSelector, Miss, Presence, Resolver, Verdict, auth_card, check, never};
use bounceback::suggest::Book;
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

    fn resolver(&self) -> Resolver {
        Resolver::new(config(&[self.address]))
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

fn same_port() -> (UdpSocket, TcpListener) {
    for _ in 0..50 {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
            return (udp, tcp);
        }
    }
    panic!("no port is free for both protocols");
}

/// Short enough for tests, long enough for a busy machine; a silent name costs the deadline.
fn config(servers: &[SocketAddr]) -> Config {
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

fn aaaa(last: u16) -> RData<'static> {
    RData::AAAA(AAAA::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last)))
}

fn cname(target: &'static str) -> RData<'static> {
    RData::CNAME(CNAME(Name::new(target).unwrap()))
}

pub(crate) fn txt(pieces: &[&'static str]) -> RData<'static> {
    RData::TXT(pieces.iter().fold(TXT::new(), |txt, piece| txt.with_string(piece).unwrap()))
}

fn srv(priority: u16, weight: u16, port: u16, target: &'static str) -> RData<'static> {
    RData::SRV(SRV { priority, weight, port, target: Name::new(target).unwrap() })
}

fn hosts(resolver: &Resolver, domain: &str) -> Result<Vec<String>, Miss> {
    Ok(resolver.mx(domain, &never)?.into_iter().map(|mx| mx.host).collect())
}

#[test]
fn records_no_data_no_domain_and_failures_are_told_apart() {
    let server = Server::start(
        &[
            ("a.example", mx(20, "mx2.a.example")),
            ("a.example", mx(10, "MX1.a.example")),
            ("a.example", txt(&["v=x; p=abc", "=def", "\u{e9}\u{1b}[2J"])),
            ("host.example", a(1)),
            ("host.example", aaaa(2)),
            ("six.example", aaaa(3)),
            ("_imaps._tcp.a.example", srv(10, 5, 993, "low.example")),
            ("_imaps._tcp.a.example", srv(10, 50, 993, "high.example")),
            ("_imaps._tcp.a.example", srv(1, 0, 1993, "first.example")),
            ("_imaps._tcp.none.example", srv(0, 0, 0, ".")),
        ],
        &[("fail.example", Manner::Servfail), ("no.example", Manner::Refuse), ("away.example", Manner::Referral)],
    );
    let resolver = server.resolver();
    assert_eq!(hosts(&resolver, "A.Example.").unwrap(), ["mx1.a.example", "mx2.a.example"]);
    assert_eq!(resolver.txt("a.example", &never).unwrap(), ["v=x; p=abc=def\\195\\169\\027[2J"]);
    let ips = resolver.addresses("host.example", &never).unwrap();
    assert_eq!(ips.iter().map(ToString::to_string).collect::<Vec<_>>(), ["192.0.2.1", "2001:db8::2"]);
    assert_eq!(resolver.addresses("six.example", &never).unwrap().len(), 1);
    let places = resolver.srv("_imaps._tcp.a.example", &never).unwrap();
    let places: Vec<_> = places.iter().map(|srv| (srv.target.as_str(), srv.port)).collect();
    assert_eq!(places, [("first.example", 1993), ("high.example", 993), ("low.example", 993)]);
    assert_eq!(resolver.srv("_imaps._tcp.none.example", &never), Err(Miss::NoData));
    for (domain, miss) in [
        ("host.example", Miss::NoData),
        ("nothing.example", Miss::NoDomain),
        ("fail.example", Miss::ServerFailure),
        ("no.example", Miss::Refused),
        ("away.example", Miss::ServerFailure),
        ("a..example", Miss::BadName),
    ] {
        assert_eq!(hosts(&resolver, domain), Err(miss), "{domain}");
    }
    assert_eq!(hosts(&Resolver::offline(), "a.example"), Err(Miss::Offline));
}

#[test]
fn answers_are_kept_also_the_negative_ones() {
    let server = Server::start(&[("a.example", mx(1, "mx.example"))], &[]);
    let resolver = server.resolver();
    for name in ["a.example", "A.EXAMPLE", "a.example.", "gone.example", "gone.example"] {
        let _ = resolver.mx(name, &never);
    }
    assert_eq!((server.asked("a.example"), server.asked("gone.example")), (1, 1));
}

#[test]
fn a_forged_or_damaged_answer_is_never_believed() {
    let names = ["spoof.example", "only.example", "lower.example", "edns.example", "cutoff.example", "big.example"];
    let zone: Vec<_> = names.iter().map(|name| (*name, mx(1, "mx.example"))).collect();
    let more = [("twice.example", mx(1, "mx.example")), ("lie.example", mx(1, "x.example"))];
    let server = Server::start(
        &[&zone[..], &more[..], &[("cut.example", mx(1, "mx.example")), ("large.example", a(1))]].concat(),
        &[
            ("spoof.example", Manner::SpoofFirst),
            ("only.example", Manner::SpoofOnly),
            ("lower.example", Manner::LowerCase),
            ("edns.example", Manner::NoEdns),
            ("cutoff.example", Manner::Truncate),
            ("twice.example", Manner::TruncateTwice),
            ("lie.example", Manner::Lying),
            ("cut.example", Manner::Cut),
            ("large.example", Manner::Oversized),
        ],
    );
    let resolver = server.resolver();
    for name in names {
        assert_eq!(hosts(&resolver, name).unwrap(), ["mx.example"], "{name}");
    }
    for name in ["twice.example", "lie.example", "cut.example"] {
        assert_eq!(hosts(&resolver, name), Err(Miss::ServerFailure), "{name}");
    }
    assert_eq!(resolver.txt("large.example", &never).unwrap().len(), 60, "by TCP");
    let by_tcp = |name: &str| server.world.asked.lock().unwrap().contains(&(name.to_owned(), true));
    assert!(by_tcp("cutoff.example") && by_tcp("only.example") && by_tcp("lower.example") && by_tcp("large.example"));
    assert!(!by_tcp("spoof.example") && !by_tcp("big.example"));
}

#[test]
fn aliases_are_followed_but_not_for_ever() {
    let mut zone = vec![
        ("www.example", cname("host.example")),
        ("host.example", a(7)),
        ("one.example", cname("two.example")),
        ("two.example", cname("one.example")),
        ("self.example", cname("self.example")),
        ("dangling.example", cname("gone.example")),
    ];
    let chain = [
        "c0.example",
        "c1.example",
        "c2.example",
        "c3.example",
        "c4.example",
        "c5.example",
        "c6.example",
        "c7.example",
        "c8.example",
        "c9.example",
    ];
    zone.extend(chain.windows(2).map(|pair| (pair[0], cname(pair[1]))));
    zone.push(("c9.example", a(9)));
    let server = Server::start(&zone, &[]);
    let resolver = server.resolver();
    for (name, want) in [
        ("www.example", Ok(1)),
        ("c1.example", Ok(1)),
        ("c0.example", Err(Miss::ServerFailure)),
        ("one.example", Err(Miss::ServerFailure)),
        ("self.example", Err(Miss::ServerFailure)),
        ("dangling.example", Err(Miss::NoDomain)),
    ] {
        assert_eq!(resolver.addresses(name, &never).map(|ips| ips.len()), want, "{name}");
    }
    assert!(server.asked("one.example") < 20);
}

#[test]
fn silence_ends_at_the_deadline_and_the_next_server_helps() {
    let silent = Server::start(&[], &[("a.example", Manner::Silent)]);
    let good = Server::start(&[("a.example", mx(1, "mx.example"))], &[]);
    let short =
        |servers: &[SocketAddr]| Resolver::new(Config { deadline: Duration::from_millis(600), ..config(servers) });
    let start = Instant::now();
    assert_eq!(hosts(&short(&[silent.address]), "a.example"), Err(Miss::Timeout));
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(500) && took < Duration::from_secs(5), "{took:?}");
    let both = Resolver::new(config(&[silent.address, good.address]));
    assert_eq!(hosts(&both, "a.example").unwrap(), ["mx.example"]);
    let failing = Server::start(&[], &[("a.example", Manner::Servfail)]);
    let both = Resolver::new(config(&[failing.address, good.address]));
    assert_eq!(hosts(&both, "a.example").unwrap(), ["mx.example"]);
}

#[test]
fn the_caller_can_stop_a_look_up() {
    let silent = Server::start(&[], &[("a.example", Manner::Silent)]);
    let resolver = Resolver::new(Config {
        deadline: Duration::from_secs(60),
        timeout: Duration::from_secs(60),
        ..config(&[silent.address])
    });
    let stop = || silent.asked("a.example") > 0; // as soon as the question has arrived
    let start = Instant::now();
    assert_eq!(resolver.mx("a.example", &stop), Err(Miss::Cancelled));
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_closed_port_means_offline_not_a_dead_domain() {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let resolver = Resolver::new(config(&[port]));
    assert_eq!(hosts(&resolver, "a.example"), Err(Miss::Offline));
    assert_eq!(check("x@a.example", None, &Book::default(), &resolver, &never).verdict, Verdict::CannotKnow);
}

#[test]
fn each_verdict_rests_on_what_the_domain_says() {
    let server = Server::start(
        &[
            ("good.example", mx(10, "dead.good.example")),
            ("good.example", mx(20, "mx.good.example")),
            ("mx.good.example", a(1)),
            ("plain.example", aaaa(2)),
            ("null.example", mx(0, ".")),
            ("empty.example", txt(&["hello"])),
            ("dead.example", mx(10, "mx.gone.example")),
            ("parked.example", mx(0, "localhost.example")),
            ("localhost.example", RData::A(A::from(Ipv4Addr::LOCALHOST))),
            ("half.example", mx(0, "fail.example")),
            ("xn--bcher-kva.example", a(3)),
        ],
        &[("fail.example", Manner::Servfail), ("no.example", Manner::Refuse), ("mute.example", Manner::Silent)],
    );
    let resolver = Resolver::new(Config { deadline: Duration::from_millis(700), ..config(&[server.address]) });
    for (address, verdict, because) in [
        ("a@good.example", Verdict::CannotKnow, "takes mail at mx.good.example"),
        ("a@plain.example", Verdict::CannotKnow, "no MX"),
        ("a@b\u{fc}cher.example", Verdict::CannotKnow, "xn--bcher-kva.example"),
        ("a@null.example", Verdict::DomainTakesNoMail, "RFC 7505"),
        ("a@empty.example", Verdict::DomainTakesNoMail, "neither MX nor address"),
        ("a@dead.example", Verdict::DomainTakesNoMail, "mx.gone.example has no address"),
        ("a@parked.example", Verdict::DomainTakesNoMail, "loopback"),
        ("a@nothing.example", Verdict::NoSuchDomain, "NXDOMAIN"),
        ("a@fail.example", Verdict::ServerNotReachable, "SERVFAIL"),
        ("a@half.example", Verdict::ServerNotReachable, "fail.example: the domain's name servers fail"),
        ("a@mute.example", Verdict::ServerNotReachable, "in time"),
        ("a@no.example", Verdict::CannotKnow, "refuse"),
    ] {
        let found = check(address, None, &Book::default(), &resolver, &never);
        assert_eq!(found.verdict, verdict, "{address}: {:?}", found.because);
        assert!(found.because.iter().any(|line| line.contains(because)), "{address}: {:?}", found.because);
    }
    let bounced = |address: &str| check(address, Some("550 no such user"), &Book::default(), &resolver, &never).verdict;
    assert_eq!(bounced("a@good.example"), Verdict::MailboxRefused);
    assert_eq!(bounced("a@nothing.example"), Verdict::NoSuchDomain, "the domain is gone since");
    let json = serde_json::to_value(check("Anna@good.example", None, &Book::default(), &resolver, &never)).unwrap();
    assert_eq!(json["address"], "Anna@good.example");
    assert_eq!(json["verdict"], "cannot-know");
    assert_eq!(json["mx"], serde_json::json!(["dead.good.example", "mx.good.example"]));
    let asked = server.world.asked.lock().unwrap();
    assert!(!asked.iter().any(|(name, _)| name.contains('@') || name.contains("anna")), "only domains are asked");
}

/// A key of the length of a 2048-bit one.
fn key() -> RData<'static> {
    let letters: &'static str = "A".repeat(196).leak();
    txt(&["v=DKIM1; k=rsa; p=", letters, letters])
}

#[test]
fn the_card_names_what_is_missing_and_nothing_else() {
    let server = Server::start(
        &[
            ("fine.example", txt(&["v=spf1 mx include:mail.desk.example -all"])),
            ("mail.desk.example", txt(&["v=spf1 ip4:192.0.2.0/24 include:inner.desk.example ~all"])),
            ("inner.desk.example", txt(&["v=spf1 a exists:%{i}.desk.example -all"])),
            ("_dmarc.fine.example", txt(&["v=DMARC1; p=reject; aspf=s; rua=mailto:d@fine.example"])),
            ("desk1._domainkey.fine.example", cname("desk1._domainkey.desk.example")),
            ("desk1._domainkey.desk.example", key()),
            ("bare.example", txt(&["something else"])),
            ("two.example", txt(&["v=spf1 a -all"])),
            ("two.example", txt(&["v=spf1 mx ~all"])),
            ("_dmarc.two.example", txt(&["v=DMARC1; p=none"])),
            ("_dmarc.two.example", txt(&["v=DMARC1; p=reject"])),
            ("loop.example", txt(&["v=spf1 include:loop2.example -all"])),
            ("loop2.example", txt(&["v=spf1 include:loop.example include:gone.example -all"])),
            ("sub.fine.example", txt(&["v=spf1 include:wrap.example -all"])),
            ("wrap.example", txt(&["v=spf1 include:mail.desk.example -all"])),
            ("dark.example", txt(&["v=spf1 include:fail.example -all"])),
        ],
        &[("fail.example", Manner::Servfail), ("_dmarc.dark.example", Manner::Servfail)],
    );
    let resolver = server.resolver();
    let selector = DkimSelector { name: "desk1".into(), target: Some("desk1._domainkey.desk.example".into()) };
    let card =
        |domain: &str| auth_card(domain, &["mail.desk.example"], std::slice::from_ref(&selector), &resolver, &never);
    let lines = |domain: &str| card(domain).changes.iter().map(|change| change.zone_line()).collect::<Vec<_>>();

    let fine = card("fine.example");
    assert_eq!((fine.spf.lookups, fine.spf.complete), (5, true), "mx, two includes, a, exists");
    assert_eq!(fine.spf.includes[0].presence, Presence::Direct);
    assert!(fine.dkim[0].found && fine.dkim[0].problems.is_empty(), "{:?}", fine.dkim);
    assert_eq!(fine.dmarc.policy.as_deref(), Some("reject"));
    assert!(fine.dmarc.strict_spf && !fine.dmarc.strict_dkim && !fine.dmarc.inherited);
    assert_eq!(fine.dmarc.rua, ["mailto:d@fine.example"]);
    assert!(fine.changes.is_empty() && fine.spf.problems.is_empty(), "{fine:?}");

    assert_eq!(
        lines("bare.example"),
        [
            "bare.example. 3600 IN TXT \"v=spf1 include:mail.desk.example ~all\"",
            "desk1._domainkey.bare.example. 3600 IN CNAME desk1._domainkey.desk.example.",
            "_dmarc.bare.example. 3600 IN TXT \"v=DMARC1; p=none\"",
        ]
    );
    let two = card("two.example");
    assert_eq!(two.changes[0].value, "v=spf1 a mx include:mail.desk.example ~all");
    assert_eq!(two.changes[0].replaces.len(), 2);
    assert!(two.dmarc.problems[0].contains("2 DMARC records"));

    let sub = card("sub.fine.example");
    assert_eq!(sub.spf.includes[0].presence, Presence::Nested);
    assert!(sub.dmarc.inherited && sub.dmarc.name == "_dmarc.fine.example");

    let looped = card("loop.example");
    assert!(looped.spf.problems.iter().any(|text| text.contains("includes itself")), "{:?}", looped.spf.problems);
    assert!(looped.spf.problems.iter().any(|text| text.contains("gone.example is included but has no SPF record")));

    let dark = card("dark.example");
    assert_eq!((dark.spf.includes[0].presence, dark.spf.complete), (Presence::Unknown, false));
    assert_eq!(dark.dmarc.miss, Some(Miss::ServerFailure));
    assert_eq!(dark.changes.len(), 1, "only the key is known to be missing: {:?}", dark.changes);
    assert!(card("nothing.example").changes.is_empty(), "nothing can be published there");
}

#[test]
fn an_spf_record_that_branches_without_end_is_counted_within_bounds() {
    let wide = "v=spf1 include:w.wide.example include:x.wide.example include:y.wide.example -all";
    let names = ["wide.example", "w.wide.example", "x.wide.example", "y.wide.example"];
    let zone: Vec<_> = names.iter().map(|name| (*name, txt(&[wide]))).collect();
    let server = Server::start(&zone, &[]);
    let card = auth_card("wide.example", &[], &[], &server.resolver(), &never);
    assert!(card.spf.lookups > 10, "{}", card.spf.lookups);
    assert!(card.spf.problems.iter().any(|text| text.contains("receivers stop after 10")), "{:?}", card.spf.problems);
    assert!(server.world.asked.lock().unwrap().len() < 40);
}

/// A name server of the system, stopped when dropped.
struct Daemon(std::process::Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // Asked politely, so that it ends its own children.
        let asked = std::process::Command::new("kill").arg(self.0.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

/// Starts a program and waits for the line with which it says that it is ready; `None` when it is not installed.
fn start(program: &str, arguments: &[String]) -> Option<Daemon> {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let places = ["", "/usr/sbin/", "/usr/local/sbin/"].map(|place| format!("{place}{program}"));
    let command = |path: &String| {
        Command::new(path).args(arguments).stderr(Stdio::piped()).stdout(Stdio::null()).stdin(Stdio::null()).spawn()
    };
    let Some(mut child) = places.iter().find_map(|path| command(path).ok()) else {
        crate::skip::skip(&format!("{program} is not installed"));
        return None;
    };
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = Vec::new();
    let ready = lines.by_ref().map_while(Result::ok).any(|line| {
        said.push(line);
        said.last().is_some_and(|line| line.contains("started"))
    });
    let daemon = Daemon(child);
    assert!(ready, "{program} did not start: {said:?}");
    std::thread::spawn(move || lines.for_each(drop)); // a full pipe would stop it
    Some(daemon)
}

fn free_port() -> u16 {
    same_port().0.local_addr().unwrap().port()
}

#[test]
fn nsd_is_understood() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let path = dir.path().display();
    let long: Vec<String> = (0..40).map(|n| format!("big IN TXT \"{n} {}\"", "x".repeat(200))).collect();
    let zone = format!(
        "$ORIGIN real.example.\n$TTL 300\n@ IN SOA ns root 1 3600 600 86400 60\n@ IN NS ns\nns IN A 127.0.0.1\n\
         @ IN MX 20 mx2\n@ IN MX 10 mx1\nmx1 IN A 192.0.2.1\nmx1 IN AAAA 2001:db8::1\nalias IN CNAME mx1\n\
         @ IN TXT \"v=spf1 mx \" \"include:spf.real.example -all\"\nspf IN TXT \"v=spf1 a:mx1.real.example -all\"\n\
         _dmarc IN TXT \"v=DMARC1; p=quarantine; sp=none\"\nnull IN MX 0 .\n_imaps._tcp IN SRV 0 1 993 mx1\n\
         nomail IN TXT \"x\"\n{}\n",
        long.join("\n")
    );
    std::fs::write(dir.path().join("zone"), zone).unwrap();
    let config_file = dir.path().join("nsd.conf");
    let text = format!(
        "server:\n ip-address: 127.0.0.1@{port}\n port: {port}\n username: \"\"\n chroot: \"\"\n database: \"\"\n \
         zonesdir: \"{path}\"\n pidfile: \"\"\n xfrdfile: \"{path}/xfrd\"\n xfrdir: \"{path}\"\n \
         zonelistfile: \"{path}/list\"\n server-count: 1\n verbosity: 1\nremote-control:\n control-enable: no\n\
         zone:\n name: \"real.example\"\n zonefile: \"zone\"\n"
    );
    std::fs::write(&config_file, text).unwrap();
    let Some(_daemon) = start("nsd", &["-d".into(), "-c".into(), config_file.display().to_string()]) else { return };

    let resolver = Resolver::new(config(&[SocketAddr::from((Ipv4Addr::LOCALHOST, port))]));
    assert_eq!(hosts(&resolver, "Real.Example").unwrap(), ["mx1.real.example", "mx2.real.example"]);
    assert_eq!(resolver.addresses("alias.real.example", &never).unwrap().len(), 2);
    assert_eq!(hosts(&resolver, "mx1.real.example"), Err(Miss::NoData));
    assert_eq!(hosts(&resolver, "gone.real.example"), Err(Miss::NoDomain));
    assert_eq!(hosts(&resolver, "elsewhere.example"), Err(Miss::Refused));
    assert_eq!(resolver.txt("big.real.example", &never).unwrap().len(), 40, "more than a datagram holds");
    assert_eq!(resolver.srv("_imaps._tcp.real.example", &never).unwrap()[0].port, 993);
    let verdict = |address: &str| check(address, None, &Book::default(), &resolver, &never).verdict;
    assert_eq!(verdict("a@real.example"), Verdict::CannotKnow);
    assert_eq!(verdict("a@null.real.example"), Verdict::DomainTakesNoMail);
    assert_eq!(verdict("a@nomail.real.example"), Verdict::DomainTakesNoMail);
    assert_eq!(verdict("a@gone.real.example"), Verdict::NoSuchDomain);
    let card = auth_card("nomail.real.example", &[], &[], &resolver, &never);
    assert_eq!(card.dmarc.policy.as_deref(), Some("none"), "sp of the parent");
    let card = auth_card("real.example", &["spf.real.example"], &[], &resolver, &never);
    assert_eq!((card.spf.lookups, card.spf.includes[0].presence), (3, Presence::Direct));
    assert!(card.changes.is_empty(), "{:?}", card.changes);
}

#[test]
fn dnsmasq_is_understood() {
    let port = free_port();
    let arguments = [
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--log-facility=-",
        "--user=root",
        "--group=root",
        "--pid-file=",
        "--listen-address=127.0.0.1",
        "--bind-interfaces",
        "--local=/example/",
        "--mx-host=real.example,mx.real.example,10",
        "--host-record=mx.real.example,192.0.2.1",
        "--cname=alias.real.example,mx.real.example",
        "--txt-record=real.example,v=spf1 mx -all",
        "--srv-host=_imaps._tcp.real.example,mx.real.example,993,0,1",
    ];
    let mut arguments: Vec<String> = arguments.map(str::to_owned).into();
    arguments.push(format!("--port={port}"));
    let Some(_daemon) = start("dnsmasq", &arguments) else { return };
    let resolver = Resolver::new(config(&[SocketAddr::from((Ipv4Addr::LOCALHOST, port))]));
    assert_eq!(hosts(&resolver, "real.example").unwrap(), ["mx.real.example"]);
    assert_eq!(resolver.addresses("alias.real.example", &never).unwrap().len(), 1);
    assert_eq!(hosts(&resolver, "gone.example"), Err(Miss::NoDomain));
    assert_eq!(resolver.txt("real.example", &never).unwrap(), ["v=spf1 mx -all"]);
    assert_eq!(resolver.srv("_imaps._tcp.real.example", &never).unwrap()[0].target, "mx.real.example");
    assert_eq!(check("a@real.example", None, &Book::default(), &resolver, &never).verdict, Verdict::CannotKnow);
    assert_eq!(hosts(&resolver, "outside.test"), Err(Miss::Refused), "it has nobody to ask");
}
