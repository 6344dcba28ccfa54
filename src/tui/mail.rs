//! A stored mail made ready for the reader: its lines, its parts, and the message that came back.
//!
//! Text here is decoded but not yet harmless: it reaches the screen through `text` only.

/// A mail as the reader shows it.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Which notice it is.
    pub notice: i64,
    /// Every line of the raw mail, from line 1.
    pub lines: Vec<String>,
    /// Header fields of the message that came back: name and value.
    pub returned_head: Vec<(String, String)>,
    /// Its text, line by line.
    pub returned_body: Vec<String>,
    /// Parts as a tree: depth, number, type, size in bytes, remark.
    pub parts: Vec<Part>,
}

/// One MIME part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Depth in the tree, from 0.
    pub depth: usize,
    /// Its number, such as `1.2`.
    pub number: String,
    /// Its type, in lower case.
    pub kind: String,
    /// Bytes of its body as it arrived.
    pub size: usize,
    /// First line in the raw mail, from 1.
    pub line: usize,
    /// File name of an attachment.
    pub name: Option<String>,
}

impl Shown {
    /// Reads a stored mail.
    pub fn read(notice: i64, raw: &[u8]) -> Self {
        let text = String::from_utf8_lossy(raw);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut shown = Self { notice, lines, ..Self::default() };
        shown.find_returned();
        shown
    }

    fn find_returned(&mut self) {
        let from = self.lines.iter().position(|line| {
            let line = line.to_ascii_lowercase();
            line.starts_with("content-type: message/rfc822") || line.starts_with("content-type: text/rfc822-headers")
        });
        let Some(from) = from else { return };
        let mut lines = self.lines.iter().skip(from).skip_while(|line| !line.is_empty()).skip(1);
        for line in lines.by_ref() {
            if line.is_empty() || line.starts_with("--") {
                break;
            }
            match (line.split_once(':'), line.starts_with([' ', '\t'])) {
                (Some((name, value)), false) => self.returned_head.push((name.to_owned(), value.trim().to_owned())),
                _ => {
                    if let Some((_, value)) = self.returned_head.last_mut() {
                        value.push(' ');
                        value.push_str(line.trim());
                    }
                }
            }
        }
        self.returned_body = lines.take_while(|line| !line.starts_with("--")).cloned().collect();
    }
}
