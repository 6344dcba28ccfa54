//! The resolver, the address check and the authentication card against name servers on loopback: one of our own that
//! also misbehaves, and NSD or dnsmasq where they are installed.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use bounceback::dns::{Config, DkimSelector, Miss, Presence, Resolver, Verdict, auth_card, check, never};
use bounceback::suggest::Book;
use simple_dns::rdata::{A, RData};

use crate::name_server::{Manner, Server, a, aaaa, cname, config, mx, same_port, srv, txt};

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
    let by_tcp = |name: &str| server.all_asked().contains(&(name.to_owned(), true));
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
    let asked = server.all_asked();
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
    assert!(server.all_asked().len() < 40);
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
