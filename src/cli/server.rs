//! The server of an inbox that is being set up: named, known, or found by asking around.
//!
//! It has answered before anybody is asked for a password.

use std::io::Write;

use super::ask::Asker;
use super::failure::Result;
use super::setup::{Args, TRIES, TlsName, in_flags};
use super::text::paragraph;
use crate::config::Tls;
use crate::config::providers::Provider;
use crate::desk::discover::{self, Place};
use crate::desk::{Cancel, Desk};
use crate::stdx::visible;

/// The server: named, known, or found by asking around.
pub(super) fn find(
    args: &Args,
    address: &str,
    desk: &Desk,
    ask: Asker,
    out: &mut dyn Write,
) -> Result<(Option<&'static Provider>, Place)> {
    let tls = match args.tls {
        None | Some(TlsName::Implicit) => Tls::Implicit,
        Some(TlsName::Starttls) => Tls::StartTls,
        Some(TlsName::None) => Tls::None,
    };
    let port = args.port.unwrap_or(if tls == Tls::Implicit { 993 } else { 143 });
    if let Some(host) = &args.host {
        let place = reachable(host, port, tls, args, ask)?;
        return Ok((Provider::of_host(&place.host), place));
    }
    let cancel = Cancel::new();
    let found = desk.whereabouts(address, &cancel);
    if let Some(provider) = found.provider {
        writeln!(out, "{} holds this mailbox.", visible(&provider.title))?;
        for note in &provider.notes {
            paragraph(out, note)?;
        }
        writeln!(out, "More: docs/providers/{}.md", provider.page)?;
    }
    if let Some(gateway) = found.gateway {
        paragraph(out, &format!("Mail for this domain goes through {}: {}", gateway.title, gateway.note))?;
    }
    if let Some(place) = found.provider.and_then(Place::of) {
        return Ok((found.provider, place));
    }
    out.flush()?;
    let mut tell = |place: &Place| super::remark(&format!("trying {} port {}", place.host, place.port));
    match discover::first_that_answers(&found.places, args.ca_file.as_deref(), &cancel, &mut tell) {
        Ok(place) => {
            writeln!(out, "Found {} port {}.", visible(&place.host), place.port)?;
            out.flush()?;
            Ok((Provider::of_host(&place.host), place))
        }
        Err(failures) => {
            for (_, error) in failures.iter().filter(|(_, error)| error.kind == crate::source::Kind::Tls) {
                super::remark(&error.what);
            }
            super::remark("no IMAP server answers under the usual names");
            let host = ask.line("IMAP server, with its port where it is not the usual one", None, ASK_HOST)?;
            let place = reachable(&host, port, tls, args, ask)?;
            Ok((Provider::of_host(&place.host), place))
        }
    }
}

/// A named server, once it has answered; asked for again while a person can answer. No password is asked for before.
fn reachable(host: &str, port: u16, tls: Tls, args: &Args, ask: Asker) -> Result<Place> {
    let mut host = host.to_owned();
    let mut tries = 0;
    loop {
        tries += 1;
        let (name, port) = split_port(host.trim(), port);
        let place = Place { host: name, port, tls };
        let mut tell = |place: &Place| super::remark(&format!("trying {} port {}", place.host, place.port));
        let cancel = Cancel::new();
        let found =
            discover::first_that_answers(std::slice::from_ref(&place), args.ca_file.as_deref(), &cancel, &mut tell);
        let Err(failures) = found else { return Ok(place) };
        let Some((_, error)) = failures.into_iter().next() else { return Ok(place) };
        let failure = in_flags(error.into());
        let failure = match failure.first_hint() {
            Some(_) => failure,
            None => failure.hint("check the name; another port or protection: --port PORT, --tls HOW"),
        };
        if tries >= TRIES || !ask.is_person() {
            return Err(failure);
        }
        super::complain(&failure);
        host = ask.line("IMAP server, with its port where it is not the usual one", Some(&host), ASK_HOST)?;
    }
}

/// The flag that answers the question for a server.
const ASK_HOST: &str = "--host imap.company.example";

/// A host and its port, where it was typed as `host:port` or `[address]:port`.
fn split_port(typed: &str, port: u16) -> (String, u16) {
    let bare = |host: &str| host.trim_matches(['[', ']']).to_owned();
    match typed.rsplit_once(':') {
        Some((host, number)) if !host.contains(':') || host.ends_with(']') => {
            number.parse().map_or_else(|_| (bare(typed), port), |port| (bare(host), port))
        }
        _ => (bare(typed), port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_may_stand_behind_the_server() {
        assert_eq!(split_port("imap.company.example", 993), ("imap.company.example".to_owned(), 993));
        assert_eq!(split_port("127.0.0.1:1143", 993), ("127.0.0.1".to_owned(), 1143));
        assert_eq!(split_port("[2001:db8::1]:143", 993), ("2001:db8::1".to_owned(), 143));
        assert_eq!(split_port("2001:db8::1", 993), ("2001:db8::1".to_owned(), 993));
    }
}
