//! Reads an mbox as a stream: constant memory however big the file (RFC 4155; mboxo, mboxrd and mboxcl as met in the field).
//!
//! A mail begins at a line `From ` that stands at the start of the file or after an empty line and is followed by a
//! line that looks like a header field; `From here on …` in a text therefore splits nothing. Quoted `>From ` lines
//! lose one `>`. Where a Content-Length leads exactly to the next mail or the end, it is believed.

use std::io::{self, BufRead, Seek, SeekFrom};

/// Longest line that is held; the rest of a longer one is passed on as lines of its own.
const LINE: usize = 64 * 1024;

/// A stream that may be able to jump, for checking Content-Length.
pub(super) trait Input: BufRead {
    /// Whether a mail begins (or the file ends) at this distance from here; the position stays.
    fn boundary_at(&mut self, distance: u64) -> bool;
}

/// A file.
pub(super) struct File(pub(super) io::BufReader<std::fs::File>);
/// Anything that cannot jump.
pub(super) struct Stream<R>(pub(super) R);

impl io::Read for File {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl BufRead for File {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }
    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl Input for File {
    fn boundary_at(&mut self, distance: u64) -> bool {
        let Ok(here) = self.0.stream_position() else { return false };
        let mut next = [0; 7];
        let Some(target) = here.checked_add(distance) else { return false };
        let got =
            self.0.seek(SeekFrom::Start(target)).and_then(|_| read_up_to(&mut self.0, &mut next)).unwrap_or(usize::MAX);
        let back = self.0.seek(SeekFrom::Start(here)).is_ok();
        let next = next.get(..got).unwrap_or(b"?");
        let inside = self.0.get_ref().metadata().is_ok_and(|meta| target <= meta.len());
        let rest = next.strip_prefix(b"\r\n").or_else(|| next.strip_prefix(b"\n")).unwrap_or(next);
        back && inside && (rest.is_empty() || rest.starts_with(b"From "))
    }
}

impl<R: io::Read> io::Read for Stream<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<R: BufRead> BufRead for Stream<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }
    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl<R: BufRead> Input for Stream<R> {
    fn boundary_at(&mut self, _: u64) -> bool {
        false
    }
}

fn read_up_to(reader: &mut impl io::Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while let Some(rest) = buf.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest)? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}

/// One mail of an mbox, at most `cap` bytes of it.
pub(super) struct Found {
    pub(super) bytes: Vec<u8>,
    pub(super) size: u64,
    /// Length of the header with the empty line that ends it; 0 while inside it.
    header: u64,
}

/// The mails of an mbox, one after the other.
pub(super) struct Mbox<R> {
    input: R,
    cap: usize,
    /// The line read ahead.
    ahead: Vec<u8>,
    started: bool,
}

impl<R: Input> Mbox<R> {
    pub(super) fn new(input: R, cap: usize) -> Self {
        Self { input, cap, ahead: Vec::new(), started: false }
    }

    /// The next mail. `tick` is asked once per line and ends the reading with `Interrupted` when it says so.
    pub(super) fn next(&mut self, tick: &dyn Fn() -> bool) -> io::Result<Option<Found>> {
        if !self.started {
            self.started = true;
            // leading empty lines, then the first "From " line
            loop {
                self.ahead.clear();
                if line(&mut self.input, &mut self.ahead)? == 0 {
                    return Ok(None);
                }
                if !is_blank(&self.ahead) {
                    break;
                }
            }
        }
        if self.ahead.is_empty() {
            return Ok(None);
        }
        let mut mail = Found { bytes: Vec::new(), size: 0, header: 0 };
        let first = std::mem::take(&mut self.ahead);
        if !first.starts_with(b"From ") {
            self.keep(&mut mail, &first);
        }
        self.body(&mut mail, tick)?;
        Ok(Some(mail))
    }

    /// Reads up to the next mail; leaves its "From " line behind in `ahead`.
    fn body(&mut self, mail: &mut Found, tick: &dyn Fn() -> bool) -> io::Result<()> {
        let mut in_header = true;
        let mut length: Option<u64> = None;
        let mut after_blank = false;
        let mut whole = true; // the line began at its beginning
        let mut text = Vec::new();
        loop {
            if tick() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            text.clear();
            if line(&mut self.input, &mut text)? == 0 {
                drop_last_newline(mail);
                return Ok(());
            }
            let begins = whole;
            whole = text.ends_with(b"\n");
            if begins && after_blank && text.starts_with(b"From ") && self.header_follows()? {
                self.ahead = std::mem::take(&mut text);
                drop_last_newline(mail);
                return Ok(());
            }
            after_blank = begins && is_blank(&text);
            if in_header && after_blank {
                in_header = false;
                self.keep(mail, &text);
                mail.header = mail.size;
                if let Some(length) = length.take()
                    && self.input.boundary_at(length)
                {
                    self.copy(mail, length, tick)?;
                    after_blank = true;
                }
                continue;
            }
            if in_header && let Some(value) = field(&text, b"content-length:") {
                length = std::str::from_utf8(value).ok().and_then(|value| value.trim().parse().ok());
            }
            let quoted = begins
                && text
                    .iter()
                    .position(|&b| b != b'>')
                    .is_some_and(|at| at > 0 && text.get(at..).is_some_and(|rest| rest.starts_with(b"From ")));
            self.keep(mail, text.get(usize::from(quoted)..).unwrap_or(&text));
        }
    }

    /// Takes exactly this many bytes, whatever they look like.
    fn copy(&mut self, mail: &mut Found, mut left: u64, tick: &dyn Fn() -> bool) -> io::Result<()> {
        while left > 0 {
            if tick() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let buffer = self.input.fill_buf()?;
            let take = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if take == 0 {
                break;
            }
            let room = self.cap.saturating_sub(mail.bytes.len()).min(take);
            mail.bytes.extend_from_slice(buffer.get(..room).unwrap_or_default());
            mail.size += take as u64;
            left -= take as u64;
            self.input.consume(take);
        }
        Ok(())
    }

    fn keep(&self, mail: &mut Found, text: &[u8]) {
        let room = self.cap.saturating_sub(mail.bytes.len()).min(text.len());
        mail.bytes.extend_from_slice(text.get(..room).unwrap_or_default());
        mail.size += text.len() as u64;
    }

    /// Whether the coming line looks like a header field, or like the quoted "From " line some tools leave there.
    fn header_follows(&mut self) -> io::Result<bool> {
        let buffer = self.input.fill_buf()?;
        let name = buffer.iter().position(|&b| !(b.is_ascii_graphic() && b != b':')).unwrap_or(buffer.len());
        // at the very end of the buffer the name may be cut; then it counts as one
        let closed = buffer.get(name).is_none_or(|&b| b == b':');
        Ok((name > 0 && closed) || buffer.starts_with(b">From ") || buffer.is_empty())
    }
}

/// The empty line before the next "From " line belongs to the mbox, not to the mail.
fn drop_last_newline(mail: &mut Found) {
    if mail.bytes.len() as u64 != mail.size || mail.header == mail.size {
        return;
    }
    for end in [&b"\r\n\r\n"[..], b"\n\n"] {
        if mail.bytes.ends_with(end) {
            let len = mail.bytes.len() - end.len() / 2;
            mail.bytes.truncate(len);
            mail.size = len as u64;
            return;
        }
    }
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    line.get(..name.len()).filter(|head| head.eq_ignore_ascii_case(name)).and_then(|_| line.get(name.len()..))
}

/// Reads to the end of the line, at most `LINE` bytes.
fn line(input: &mut impl BufRead, into: &mut Vec<u8>) -> io::Result<usize> {
    let mut got = 0;
    while got < LINE {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        let end = memchr::memchr(b'\n', buffer).map(|at| at + 1);
        let take = end.unwrap_or(buffer.len()).min(LINE - got);
        into.extend_from_slice(buffer.get(..take).unwrap_or_default());
        let last = end == Some(take);
        input.consume(take);
        got += take;
        if last {
            break;
        }
    }
    Ok(got)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        let mut mbox = Mbox::new(Stream(io::BufReader::with_capacity(64 * 1024, text.as_bytes())), 1 << 20);
        let mut out = Vec::new();
        while let Some(mail) = mbox.next(&|| false).unwrap() {
            assert_eq!(mail.size, mail.bytes.len() as u64);
            out.push(String::from_utf8(mail.bytes).unwrap());
        }
        out
    }

    #[test]
    fn mails_are_split_at_from_lines_only() {
        let check = |text: &str, want: &[&str]| assert_eq!(split(text), want, "{text}");
        check("", &[]);
        check("From a\nA: 1\n\nx\n\nFrom b\nB: 2\n\ny\n", &["A: 1\n\nx\n", "B: 2\n\ny\n"]);
        check("\n\nFrom a\r\nA: 1\r\n\r\nx\r\n\r\nFrom b\r\nB: 2\r\n\r\n", &["A: 1\r\n\r\nx\r\n", "B: 2\r\n\r\n"]);
        check("From a\nA: 1\n\nx\nFrom b\nB: 2\n\ny\n", &["A: 1\n\nx\nFrom b\nB: 2\n\ny\n"]);
        check(
            "From a\nA: 1\n\nx\n\nFrom here on all is well\nindeed\n",
            &["A: 1\n\nx\n\nFrom here on all is well\nindeed\n"],
        );
        check("From a\nA: 1\n\n>From x\n>>From y\n>not\n", &["A: 1\n\nFrom x\n>From y\n>not\n"]);
        check("A: 1\n\nno from line at all\n", &["A: 1\n\nno from line at all\n"]);
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let text = format!("From a\nA: {}\n\nx\n", "y".repeat(3 * LINE));
        let mut mbox = Mbox::new(Stream(text.as_bytes()), 1000);
        let mail = mbox.next(&|| false).unwrap().unwrap();
        assert_eq!((mail.bytes.len(), mail.size), (1000, text.len() as u64 - 7));
    }

    #[test]
    fn a_true_content_length_is_believed_and_a_false_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("box");
        let inner = "text\n\nFrom x\nLooks: like a mail\n";
        for (length, want) in [(inner.len(), 2), (inner.len() - 3, 3), (9999, 3)] {
            std::fs::write(&path, format!("From a\nA: 1\nContent-Length: {length}\n\n{inner}\nFrom b\nB: 2\n\ny\n"))
                .unwrap();
            let mut mbox = Mbox::new(File(io::BufReader::new(std::fs::File::open(&path).unwrap())), 1 << 20);
            let mut count = 0;
            while mbox.next(&|| false).unwrap().is_some() {
                count += 1;
            }
            assert_eq!(count, want, "length {length}");
        }
    }
}
