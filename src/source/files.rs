//! Mail in files: single mails, mboxes, Maildirs (with Maildir++ subfolders), folders of them, standard input.
//!
//! Everything is opened for reading only. A path that cannot be read is reported in the [`Summary`] and the rest goes
//! on. Knows nothing of what the mails say.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::error::{Error, clean};
use super::mbox::{self, Mbox};
use super::{Cancel, RawMail};
use crate::model::MessageRef;

/// At most this much of one mail is handed on; the head of a bounce is what counts.
pub const CAP: usize = 1 << 20;

/// How deep folders are followed.
const DEPTH: usize = 32;

/// What a run over files met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Mails handed on.
    pub mails: u64,
    /// Files of a folder that do not look like mail.
    pub skipped: u64,
    /// Paths that could not be read, with the reason.
    pub unreadable: Vec<(String, String)>,
    /// Whether the callback ended the run.
    pub stopped: bool,
}

/// Hands every mail below `paths` to `sink`: files as named, folders sorted by name, `-` for standard input.
///
/// # Errors
/// Only [`super::Kind::Cancelled`]; what cannot be read stands in the summary.
pub fn each(
    paths: &[PathBuf],
    cancel: &Cancel,
    sink: &mut dyn FnMut(RawMail) -> ControlFlow<()>,
) -> Result<Summary, Error> {
    let mut walk = Walk { cancel, sink, summary: Summary::default() };
    for path in paths {
        let done = if path.as_os_str() == "-" { walk.stdin() } else { walk.named(path) };
        match done {
            Ok(()) => {}
            Err(Stop::Cancelled) => return Err(Error::cancelled()),
            Err(Stop::Broken) => {
                walk.summary.stopped = true;
                break;
            }
        }
    }
    Ok(walk.summary)
}

enum Stop {
    Cancelled,
    Broken,
}

struct Walk<'a> {
    cancel: &'a Cancel,
    sink: &'a mut dyn FnMut(RawMail) -> ControlFlow<()>,
    summary: Summary,
}

impl Walk<'_> {
    fn stdin(&mut self) -> Result<(), Stop> {
        self.stream("-", mbox::Stream(BufReader::new(io::stdin())))
    }

    /// A path the user named: taken whatever it looks like.
    fn named(&mut self, path: &Path) -> Result<(), Stop> {
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => self.folder(path, 0),
            Ok(meta) => self.file(path, meta.is_file(), false),
            Err(error) => {
                self.unreadable(path, &error);
                Ok(())
            }
        }
    }

    fn folder(&mut self, path: &Path, depth: usize) -> Result<(), Stop> {
        let entries = match entries(path) {
            Ok(entries) => entries,
            Err(error) => {
                self.unreadable(path, &error);
                return Ok(());
            }
        };
        let maildir = path.join("cur").is_dir() || path.join("new").is_dir();
        if maildir {
            for part in ["cur", "new"] {
                self.maildir_part(&path.join(part))?;
            }
        }
        for (entry, kind) in entries {
            let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let hidden = name.starts_with('.');
            // a link to a folder could lead in circles; a link to a file is fine
            if kind.is_dir() {
                let of_maildir = maildir && matches!(name.as_str(), "cur" | "new" | "tmp");
                let subfolder = hidden && (entry.join("cur").is_dir() || entry.join("new").is_dir());
                if !of_maildir && (!hidden || subfolder) && depth < DEPTH {
                    self.folder(&entry, depth + 1)?;
                }
            } else if !maildir && !hidden && is_file(&entry, kind) {
                self.file(&entry, true, !is_named_mail(&name))?;
            }
        }
        Ok(())
    }

    fn maildir_part(&mut self, path: &Path) -> Result<(), Stop> {
        let entries = match entries(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => {
                self.unreadable(path, &error);
                return Ok(());
            }
        };
        for (entry, kind) in entries {
            let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if !hidden && is_file(&entry, kind) {
                self.single(&entry)?;
            }
        }
        Ok(())
    }

    /// A file; `doubtful`: only if it looks like mail. What is no plain file (a pipe) cannot jump.
    fn file(&mut self, path: &Path, plain: bool, doubtful: bool) -> Result<(), Stop> {
        let opened = fs::File::open(path).and_then(|file| {
            let mut input = BufReader::with_capacity(BUFFER, file);
            let mail = !doubtful || looks_like_mail(input.fill_buf()?);
            Ok((input, mail))
        });
        match opened {
            Ok((_, false)) => {
                self.summary.skipped += 1;
                Ok(())
            }
            Ok((input, true)) if plain => self.stream(&path.to_string_lossy(), mbox::File(input)),
            Ok((input, true)) => self.stream(&path.to_string_lossy(), mbox::Stream(input)),
            Err(error) => {
                self.unreadable(path, &error);
                Ok(())
            }
        }
    }

    /// An mbox where the first line says so, else one mail.
    fn stream<R: mbox::Input>(&mut self, name: &str, mut input: R) -> Result<(), Stop> {
        let is_mbox = match input.fill_buf() {
            // Lines that end in bare carriage returns are no mbox any program writes.
            Ok(head) => head.trim_ascii_start().starts_with(b"From ") && head.contains(&b'\n'),
            Err(error) => return self.failed(name, &error),
        };
        if !is_mbox {
            return self.one(name, input);
        }
        let mut mails = Mbox::new(input, CAP);
        let cancel = self.cancel;
        // A single mail that kept its "From " line is no mbox: a pipe, or a file that says so by its name.
        let may_be_single = name == "-" || name.to_ascii_lowercase().ends_with(".eml");
        let mut first = None;
        for number in 1_u64.. {
            match mails.next(&|| cancel.is_cancelled()) {
                Ok(Some(mail)) if number == 1 && may_be_single => first = Some(mail),
                Ok(Some(mail)) => {
                    if let Some(first) = first.take() {
                        self.hand_on(format!("{name}#1"), first.bytes, first.size)?;
                    }
                    self.hand_on(format!("{name}#{number}"), mail.bytes, mail.size)?;
                }
                Ok(None) => break,
                Err(error) => return self.failed(name, &error),
            }
        }
        match first {
            Some(only) => self.hand_on(name.to_owned(), only.bytes, only.size),
            None => Ok(()),
        }
    }

    fn single(&mut self, path: &Path) -> Result<(), Stop> {
        match fs::File::open(path) {
            Ok(file) => self.one(&path.to_string_lossy(), BufReader::with_capacity(BUFFER, file)),
            Err(error) => {
                self.unreadable(path, &error);
                Ok(())
            }
        }
    }

    fn one(&mut self, name: &str, mut input: impl BufRead) -> Result<(), Stop> {
        let mut bytes = Vec::new();
        let mut size = 0;
        loop {
            if self.cancel.is_cancelled() {
                return Err(Stop::Cancelled);
            }
            let read = match input.fill_buf() {
                Ok([]) => break,
                Ok(read) => read,
                Err(error) => return self.failed(name, &error),
            };
            // of what is too long only the length matters
            let room = read.len().min(CAP - bytes.len());
            bytes.extend_from_slice(read.get(..room).unwrap_or_default());
            let length = read.len();
            size += length as u64;
            input.consume(length);
        }
        if bytes.is_empty() {
            self.summary.unreadable.push((clean(name), "the file is empty".to_owned()));
            return Ok(());
        }
        if is_binary(&bytes) {
            self.summary.unreadable.push((clean(name), NO_MAIL.to_owned()));
            return Ok(());
        }
        self.hand_on(name.to_owned(), bytes, size)
    }

    fn hand_on(&mut self, place: String, bytes: Vec<u8>, size: u64) -> Result<(), Stop> {
        if self.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        self.summary.mails += 1;
        let truncated = (bytes.len() as u64) < size;
        let mail = RawMail { place: MessageRef(place), received: None, size, bytes, truncated };
        if (self.sink)(mail).is_break() { Err(Stop::Broken) } else { Ok(()) }
    }

    fn failed(&mut self, name: &str, error: &io::Error) -> Result<(), Stop> {
        if self.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        self.summary.unreadable.push((clean(name), clean(&error.to_string())));
        Ok(())
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.summary.unreadable.push((clean(&path.to_string_lossy()), clean(&error.to_string())));
    }
}

const BUFFER: usize = 64 * 1024;

/// What is said of a file that holds no mail, and what to do.
const NO_MAIL: &str = "no mail but binary data: save the message as it came (.eml, mbox or Maildir) and give that";

/// What lies in a folder, sorted by name.
fn entries(path: &Path) -> io::Result<Vec<(PathBuf, fs::FileType)>> {
    let entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    let mut found: Vec<_> =
        entries.iter().filter_map(|entry| Some((entry.file_name(), entry.file_type().ok()?))).collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(found.into_iter().map(|(name, kind)| (path.join(name), kind)).collect())
}

/// Whether an entry is a file, or a link to one.
fn is_file(path: &Path, kind: fs::FileType) -> bool {
    kind.is_file() || kind.is_symlink() && fs::metadata(path).is_ok_and(|meta| meta.is_file())
}

/// Whether a name says that the file is mail, however damaged it is.
fn is_named_mail(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("eml") || kind.eq_ignore_ascii_case("mbox"))
}

/// Whether a file met in a folder begins like a mail or an mbox: a header field, or a "From " line, and no NUL.
fn looks_like_mail(head: &[u8]) -> bool {
    let head = head.get(..2048).unwrap_or(head);
    !head.contains(&0) && begins_like_mail(head)
}

fn begins_like_mail(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let name = head.iter().position(|&b| !(b.is_ascii_graphic() && b != b':')).unwrap_or(head.len());
    let field = name > 0
        && head.get(name) == Some(&b':')
        && head.get(..name).is_some_and(|name| name.iter().all(|&b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
    field || head.starts_with(b"From ") || head.starts_with(b">From ")
}

/// Whether a file is no text at all: it begins with no header field, and more than one byte in twenty is a control that
/// no text has.
fn is_binary(bytes: &[u8]) -> bool {
    let head = bytes.get(..2048).unwrap_or(bytes);
    let odd = |b: &&u8| b.is_ascii_control() && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    !begins_like_mail(head) && head.iter().filter(odd).count() * 20 > head.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(paths: &[&Path]) -> (Vec<(String, Vec<u8>)>, Summary) {
        let mut got = Vec::new();
        let paths: Vec<_> = paths.iter().map(|path| path.to_path_buf()).collect();
        let summary = each(&paths, &Cancel::new(), &mut |mail| {
            got.push((mail.place.0, mail.bytes));
            ControlFlow::Continue(())
        });
        (got, summary.unwrap())
    }

    #[test]
    fn binary_data_is_no_mail_and_a_damaged_mail_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let noise: Vec<u8> = (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        fs::write(dir.path().join("noise.eml"), &noise).unwrap();
        fs::write(dir.path().join("damaged.eml"), b"ceived: by mx\nSubject: x\n\n\x00\x00body").unwrap();
        fs::write(dir.path().join("cyrillic.eml"), b"\xcf\xd2\xc9\xd7\xc5\xd4, no header").unwrap();
        let (got, summary) = read(&[dir.path()]);
        assert_eq!(got.len(), 2);
        assert_eq!(summary.unreadable.len(), 1);
        assert!(summary.unreadable[0].0.ends_with("noise.eml") && summary.unreadable[0].1 == NO_MAIL);
    }

    fn put(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_folder_is_read_in_order_with_all_it_holds() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("all");
        put(&root.join("b.eml"), "Subject: b\n\n");
        put(&root.join("c.eml"), "From x\nSubject: 3\n\n.\n");
        put(&root.join("a/one.mbox"), "From x\nSubject: 1\n\n.\n\nFrom x\nSubject: 2\n\n.\n");
        put(&root.join("box/cur/2:2,S"), "Subject: cur\n\n");
        put(&root.join("box/new/1"), "no header, a Maildir holds mail all the same");
        put(&root.join("box/tmp/0"), "Subject: half written\n\n");
        put(&root.join("box/.Junk/cur/3"), "Subject: junk\n\n");
        put(&root.join("box/dovecot.index"), "Subject: not mail\n\n");
        put(&root.join("notes.md"), "# nothing here\n");
        put(&root.join(".git/config"), "Subject: hidden\n\n");
        let (got, summary) = read(&[&root]);
        let places: Vec<_> =
            got.iter().map(|(place, _)| place.strip_prefix(&*root.to_string_lossy()).unwrap()).collect();
        assert_eq!(
            places,
            ["/a/one.mbox#1", "/a/one.mbox#2", "/b.eml", "/box/cur/2:2,S", "/box/new/1", "/box/.Junk/cur/3", "/c.eml"]
        );
        assert_eq!((summary.mails, summary.skipped, summary.unreadable.len()), (7, 1, 0));
    }

    #[test]
    fn what_cannot_be_read_is_reported_and_the_rest_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let (missing, empty, good) = (dir.path().join("missing"), dir.path().join("empty"), dir.path().join("good"));
        put(&empty, "");
        put(&good, "# not like a mail, but named by the user");
        let (got, summary) = read(&[&missing, &empty, &good]);
        assert_eq!(got.len(), 1);
        assert_eq!(summary.unreadable.len(), 2);
        assert!(
            summary.unreadable[0].0.ends_with("missing") && summary.unreadable[0].1.contains("No such file"),
            "{summary:?}"
        );
    }

    #[test]
    fn a_huge_mail_is_cut_and_its_size_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("big.eml");
        put(&path, &format!("Subject: big\n\n{}", "x".repeat(3 * CAP)));
        let mut seen = None;
        each(&[path], &Cancel::new(), &mut |mail| {
            seen = Some((mail.bytes.len(), mail.size, mail.truncated));
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(seen, Some((CAP, 3 * CAP as u64 + 14, true)));
    }

    #[test]
    fn the_callback_and_the_flag_end_the_run() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("box");
        put(&path, &"From x\nSubject: 1\n\n.\n\n".repeat(10));
        let mut count = 0;
        let summary = each(std::slice::from_ref(&path), &Cancel::new(), &mut |_| {
            count += 1;
            if count == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(summary.unwrap().stopped);
        assert_eq!(count, 3);
        let cancel = Cancel::new();
        cancel.cancel();
        let error = each(&[path], &cancel, &mut |_| ControlFlow::Continue(())).unwrap_err();
        assert_eq!(error.kind, crate::source::Kind::Cancelled);
    }
}
