//! Turns frames into as few bytes as a terminal needs: own cell diff, scroll regions, erases, text that slides, one `write` per frame.
//!
//! Owns what the terminal shows at this moment. Knows nothing of what a frame means. Invariants: nothing is written
//! for an unchanged frame; a frame is one `write`; the cursor is placed anew behind every run of characters whose width
//! a terminal may dispute. Sequences: ECMA-48 (CUP, CUF, EL, ED, ECH, SU, SD, ICH, DCH, SGR, CHA), DEC STBM, synchronized update 2026.

use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};

use super::moves::{self, is_blank, narrow};
use super::text;

/// A backend for ratatui that writes each frame with one call.
#[derive(Debug)]
pub struct Painter<W: Write> {
    out: W,
    size: Size,
    /// What the terminal shows, row by row.
    shown: Vec<Vec<Cell>>,
    /// What it is to show.
    wanted: Vec<Vec<Cell>>,
    clear: bool,
    /// Where the terminal's cursor stands; `None` where it cannot be told.
    at: Option<Position>,
    /// The row it stands in, where its column cannot be told.
    row: Option<u16>,
    pen: Pen,
    cursor: Option<Position>,
    cursor_shown: bool,
    cursor_wanted: bool,
    /// Whether the terminal said that it knows synchronized updates.
    pub synchronized: bool,
    /// Goes out before the next frame, whatever it holds.
    prefix: Vec<u8>,
    buffer: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

impl Pen {
    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }

    fn hides_in_blanks(self) -> bool {
        self.bg == Color::Reset && !self.modifier.intersects(Modifier::REVERSED.union(Modifier::UNDERLINED))
    }
}

fn grid(size: Size) -> Vec<Vec<Cell>> {
    vec![vec![Cell::EMPTY; usize::from(size.width)]; usize::from(size.height)]
}

impl<W: Write> Painter<W> {
    /// A painter for a blank terminal of this size.
    pub fn new(out: W, size: Size) -> Self {
        Self {
            out,
            size,
            shown: grid(size),
            wanted: grid(size),
            clear: true,
            at: None,
            row: None,
            pen: PLAIN,
            cursor: None,
            cursor_shown: false,
            cursor_wanted: false,
            synchronized: false,
            prefix: Vec::new(),
            buffer: Vec::with_capacity(16 * 1024),
        }
    }

    /// Follows a change of the terminal's size; the next frame is painted from scratch.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
        self.shown = grid(size);
        self.wanted = grid(size);
        self.forget();
    }

    /// Forgets what the terminal shows, so that the next frame is painted from scratch.
    pub fn forget(&mut self) {
        self.clear = true;
        self.cursor_shown = true;
    }

    /// Sends something along with the next frame, in the same write.
    pub fn send(&mut self, bytes: &[u8]) {
        self.prefix.extend_from_slice(bytes);
    }

    /// The writer behind it.
    pub fn writer(&mut self) -> &mut W {
        &mut self.out
    }

    fn push(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn set_pen(&mut self, pen: Pen) {
        if pen == self.pen {
            return;
        }
        let mut codes: Vec<String> = Vec::new();
        let gone = self.pen.modifier - pen.modifier;
        let back = (self.pen.fg != Color::Reset && pen.fg == Color::Reset)
            || (self.pen.bg != Color::Reset && pen.bg == Color::Reset);
        let from = if gone.is_empty() && !back {
            self.pen
        } else {
            codes.push(String::new());
            PLAIN
        };
        for (flag, code) in [
            (Modifier::BOLD, "1"),
            (Modifier::DIM, "2"),
            (Modifier::ITALIC, "3"),
            (Modifier::UNDERLINED, "4"),
            (Modifier::REVERSED, "7"),
        ] {
            if pen.modifier.contains(flag) && !from.modifier.contains(flag) {
                codes.push(code.to_owned());
            }
        }
        if pen.fg != from.fg {
            codes.push(colour(pen.fg, 30));
        }
        if pen.bg != from.bg {
            codes.push(colour(pen.bg, 40));
        }
        let sequence = format!("\x1b[{}m", codes.join(";"));
        self.push(&sequence);
        self.pen = pen;
    }

    fn go(&mut self, x: usize, y: usize) {
        let (Ok(x), Ok(y)) = (u16::try_from(x), u16::try_from(y)) else { return };
        let to = Position { x, y };
        let sequence = match self.at {
            Some(at) if at == to => return,
            Some(at) if at.y == y && x > at.x => match x - at.x {
                1 => "\x1b[C".to_owned(),
                n => format!("\x1b[{n}C"),
            },
            Some(at) if at.y == y && x == 0 => "\r".to_owned(),
            Some(at) if at.y + 1 == y && x == 0 => "\r\n".to_owned(),
            None if self.row == Some(y) => format!("\x1b[{}G", x + 1),
            _ if x == 0 && y == 0 => "\x1b[H".to_owned(),
            _ if x == 0 => format!("\x1b[{}H", y + 1),
            Some(at) if at.y < y && y - at.y <= 2 => format!("{}\x1b[{}G", &"\n\n"[..usize::from(y - at.y)], x + 1),
            _ => format!("\x1b[{};{}H", y + 1, x + 1),
        };
        self.push(&sequence);
        self.at = Some(to);
    }

    /// Writes one cell; returns how many columns it takes.
    fn put(&mut self, cell: &Cell, x: usize, y: usize) -> usize {
        self.go(x, y);
        // A blank looks the same in any pen that neither fills nor underlines.
        if !(is_blank(cell) && self.pen.hides_in_blanks()) {
            self.set_pen(Pen::of(cell));
        }
        let symbol = cell.symbol();
        self.push(symbol);
        let taken = text::width(symbol).max(1);
        let next = x + taken;
        // Behind a character of disputed width, and at the right edge, the cursor may stand elsewhere: near the edge, even
        // in the next row.
        self.at = match u16::try_from(next) {
            Ok(next) if text::is_undisputed(symbol) && next < self.size.width => Some(Position { x: next, y: y_of(y) }),
            _ => None,
        };
        let sure_of_row = symbol.chars().count() == 1 && next + 2 < usize::from(self.size.width);
        self.row = sure_of_row.then_some(y_of(y));
        taken
    }

    /// Paints what changed in a row: as it is, or after sliding some of it, whichever is shorter.
    fn paint_row(&mut self, y: usize) {
        let (Some(old), Some(new)) = (self.shown.get(y), self.wanted.get(y)) else { return };
        if old == new {
            return;
        }
        let (old, new) = (old.clone(), new.clone());
        let begin = (self.buffer.len(), self.at, self.row, self.pen);
        self.paint_changes(&old, &new, y);
        if let Some(slide) = moves::slide(&old, &new) {
            let plain = (self.buffer.split_off(begin.0), self.at, self.row, self.pen);
            (_, self.at, self.row, self.pen) = begin;
            self.go(slide.at, y);
            self.set_pen_for_blanks();
            let sequence = format!("\x1b[{}{}", slide.by.unsigned_abs(), if slide.by > 0 { '@' } else { 'P' });
            self.push(&sequence);
            self.paint_changes(&moves::slid(&old, slide), &new, y);
            if self.buffer.len() >= begin.0 + plain.0.len() {
                self.buffer.truncate(begin.0);
                self.buffer.extend_from_slice(&plain.0);
                (_, self.at, self.row, self.pen) = plain;
            }
        }
        self.shown[y] = new;
    }

    fn paint_changes(&mut self, old: &[Cell], new: &[Cell], y: usize) {
        // Behind the first wide character nothing is sure to stand where it should: all of that is painted anew.
        let sure = old.iter().zip(new).take_while(|(a, b)| narrow(a) && narrow(b)).count();
        let mut changed: Vec<bool> = old.iter().zip(new).enumerate().map(|(x, (a, b))| x >= sure || a != b).collect();
        // A blank end is erased in one go where that is shorter than writing blanks.
        let last = new.iter().rposition(|cell| !is_blank(cell));
        let blank_from = last.map_or(0, |at| (at + text::width(new[at].symbol()).max(1)).min(new.len()));
        let erase = changed.iter().skip(blank_from).filter(|&&c| c).count() > 3;
        let end = if erase { blank_from } else { new.len() };
        let mut x = 0;
        // So is a blank beginning, together with the first cell behind it.
        let indent = new.iter().take_while(|cell| is_blank(cell)).count();
        if indent < end && changed[indent] && changed.iter().take(indent).filter(|&&c| c).count() > 3 {
            self.go(indent, y);
            self.set_pen_for_blanks();
            self.push("\x1b[1K");
            changed[..indent].fill(false);
        }
        while x < end {
            if !changed[x] {
                x += 1;
                continue;
            }
            x = self.bridge(new, x, y);
            let blanks = new[x..end].iter().zip(&changed[x..end]).take_while(|(cell, c)| **c && is_blank(cell)).count();
            // Erasing leaves the cursor where it is: going on from there takes a jump, unless one follows in any case.
            let written = if changed.get(x + blanks) == Some(&true) { 10 } else { 5 };
            if blanks > written {
                self.go(x, y);
                self.set_pen_for_blanks();
                let sequence = format!("\x1b[{blanks}X");
                self.push(&sequence);
                x += blanks;
            } else {
                x += self.put(&new[x], x, y);
            }
        }
        if erase {
            self.go(blank_from, y);
            self.set_pen_for_blanks();
            self.push("\x1b[K");
        }
    }

    /// Takes a pen that leaves nothing where it erases: one without a ground (ECMA-48 8.3.39, 8.3.41).
    fn set_pen_for_blanks(&mut self) {
        if !self.pen.hides_in_blanks() {
            self.set_pen(PLAIN);
        }
    }

    /// Writes the few unchanged cells before `x` where that is shorter than a jump over them. Returns `x`.
    fn bridge(&mut self, row: &[Cell], x: usize, y: usize) -> usize {
        let from = match self.at.map(|at| (usize::from(at.x), usize::from(at.y))) {
            Some((from, row)) if row == y && (from + 1..=from + 3).contains(&x) => from,
            Some((_, row)) if row + 1 == y && (1..=2).contains(&x) => 0,
            _ => return x,
        };
        let (gap, pen) = (&row[from..x], self.pen);
        let fits = |cell: &Cell| Pen::of(cell) == pen || (is_blank(cell) && pen.hides_in_blanks());
        if gap.iter().all(|cell| cell.symbol().is_ascii() && fits(cell)) {
            self.go(from, y);
            for cell in gap {
                self.push(cell.symbol());
            }
            self.at = Some(Position { x: u16::try_from(x).unwrap_or(0), y: y_of(y) });
        }
        x
    }

    /// Lets the terminal move rows that only changed their place.
    fn scroll(&mut self) {
        let Some((top, bottom, shift)) = moves::scroll(&self.shown, &self.wanted) else { return };
        self.set_pen(PLAIN);
        let direction = if shift > 0 { 'S' } else { 'T' };
        let sequence = format!("\x1b[{};{}r\x1b[{}{direction}\x1b[r", top + 1, bottom + 1, shift.unsigned_abs());
        self.push(&sequence);
        self.at = Some(Position { x: 0, y: 0 }); // DECSTBM sends the cursor home
        let width = usize::from(self.size.width);
        let by = shift.unsigned_abs();
        let region = &mut self.shown[top..=bottom];
        let blank = || vec![Cell::EMPTY; width];
        if shift > 0 {
            region.rotate_left(by);
            let from = region.len() - by;
            region[from..].fill_with(blank);
        } else {
            region.rotate_right(by);
            region[..by].fill_with(blank);
        }
    }

    fn compose(&mut self) {
        if self.clear {
            self.push("\x1b[r\x1b[m\x1b[H\x1b[2J");
            self.pen = PLAIN;
            self.at = Some(Position { x: 0, y: 0 });
            self.shown = grid(self.size);
            self.clear = false;
        }
        if self.shown != self.wanted {
            if self.cursor_shown {
                self.push("\x1b[?25l");
                self.cursor_shown = false;
            }
            self.scroll();
            for y in 0..self.wanted.len() {
                self.paint_row(y);
            }
            self.set_pen(PLAIN);
        }
        if self.cursor_wanted
            && let Some(cursor) = self.cursor
        {
            self.go(usize::from(cursor.x), usize::from(cursor.y));
            if !self.cursor_shown {
                self.push("\x1b[?25h");
            }
        } else if self.cursor_shown {
            self.push("\x1b[?25l");
        }
        self.cursor_shown = self.cursor_wanted;
    }
}

fn y_of(y: usize) -> u16 {
    u16::try_from(y).unwrap_or(u16::MAX)
}

/// The SGR code of a colour; `base` is 30 for the foreground, 40 for the background.
fn colour(colour: Color, base: u8) -> String {
    let named = match colour {
        Color::Reset => return (base + 9).to_string(),
        Color::Indexed(n) => return format!("{};5;{n}", base + 8),
        Color::Rgb(r, g, b) => return format!("{};2;{r};{g};{b}", base + 8),
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 60,
        Color::LightRed => 61,
        Color::LightGreen => 62,
        Color::LightYellow => 63,
        Color::LightBlue => 64,
        Color::LightMagenta => 65,
        Color::LightCyan => 66,
        Color::White => 67,
    };
    (base + named).to_string()
}

impl<W: Write> Backend for Painter<W> {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        for (x, y, cell) in content {
            let Some(row) = self.wanted.get_mut(usize::from(y)) else { continue };
            let mut places = row.iter_mut().skip(usize::from(x));
            let Some(place) = places.next() else { continue };
            place.clone_from(cell);
            // A blank shows nothing of its weight or colour: one kind of blank saves many changes of style.
            if cell.symbol() == " " && Pen::of(cell).hides_in_blanks() {
                *place = Cell::EMPTY;
            }
            // The further columns of a wide character are never sent: what stood there is gone.
            places.take(text::width(cell.symbol()).saturating_sub(1)).for_each(|place| *place = Cell::EMPTY);
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.cursor_wanted = false;
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.cursor_wanted = true;
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.cursor = Some(position.into());
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.wanted = grid(self.size);
        self.forget();
        Ok(())
    }

    fn clear_region(&mut self, _kind: ClearType) -> io::Result<()> {
        self.clear()
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::default() })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.buffer.clear();
        self.compose();
        if self.buffer.is_empty() && self.prefix.is_empty() {
            return Ok(());
        }
        let mut frame = std::mem::take(&mut self.prefix);
        if self.synchronized && self.buffer.len() > 256 {
            frame.extend_from_slice(b"\x1b[?2026h");
            frame.extend_from_slice(&self.buffer);
            frame.extend_from_slice(b"\x1b[?2026l");
        } else {
            frame.extend_from_slice(&self.buffer);
        }
        self.out.write_all(&frame)?;
        self.out.flush()
    }
}
