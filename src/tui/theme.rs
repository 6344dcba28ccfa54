//! Named styles: `assets/theme.toml`, with the user's `theme.toml` laid over it, at the depth of colour wished for.
//!
//! Invariant: without colour the attributes remain, and no style sets a background unless the file says so.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use toml::Spanned;

use super::keys::{TableError, bad_toml, line_at};
use crate::model::State;

const BUILTIN: &str = include_str!("../../assets/theme.toml");

/// How many colours may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// None: attributes only.
    None,
    /// The 16 of the user's palette.
    #[default]
    Sixteen,
    /// 256: numbers above 15 in a theme count too.
    Full,
}

/// Whether to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// As the terminal and NO_COLOR say.
    #[default]
    Auto,
    /// The 16 of the palette at least.
    Always,
    /// None.
    Never,
}

impl ColorChoice {
    /// The depth for an environment: the values of NO_COLOR, TERM and COLORTERM.
    pub fn depth(self, no_color: Option<&str>, term: Option<&str>, colorterm: Option<&str>) -> Depth {
        let rich = term.is_some_and(|term| term.contains("256color")) || colorterm.is_some_and(|c| !c.is_empty());
        let plain = no_color.is_some_and(|value| !value.is_empty())
            || term.is_none_or(|term| {
                term == "dumb" || term.starts_with("vt1") || term.ends_with("-mono") || term.ends_with("-m")
            });
        match self {
            Self::Never => Depth::None,
            Self::Auto if plain => Depth::None,
            _ if rich => Depth::Full,
            _ => Depth::Sixteen,
        }
    }
}

/// The styles by name.
#[derive(Debug, Clone)]
pub struct Theme {
    styles: BTreeMap<String, Style>,
}

impl Theme {
    /// The built-in styles with the user's own (file name and text) laid over them.
    pub fn load(user: Option<(&str, &str)>, depth: Depth) -> Result<Self, TableError> {
        let mut styles = BTreeMap::new();
        for (file, text, own) in
            [Some(("assets/theme.toml", BUILTIN, false)), user.map(|(f, t)| (f, t, true))].into_iter().flatten()
        {
            let table: BTreeMap<Spanned<String>, Spanned<String>> =
                toml::from_str(text).map_err(|why| bad_toml(file, text, &why))?;
            for (name, words) in &table {
                let fail = |at: usize, why: String| TableError { file: file.to_owned(), line: line_at(text, at), why };
                if own && !styles.contains_key(name.get_ref()) {
                    return Err(fail(name.span().start, format!("no style \"{}\"", name.get_ref())));
                }
                let style = read(words.get_ref(), depth)
                    .map_err(|word| fail(words.span().start, format!("no style word \"{word}\"")))?;
                styles.insert(name.get_ref().clone(), style);
            }
        }
        Ok(Self { styles })
    }

    /// The style of this name; plain where there is none.
    pub fn get(&self, name: &str) -> Style {
        self.styles.get(name).copied().unwrap_or_default()
    }

    /// The style of a state's letter.
    pub fn state(&self, state: State) -> Style {
        self.get(match state {
            State::New => "state-new",
            State::Corrected => "state-corrected",
            State::Retry => "state-retry",
            State::NotOurFault => "state-not-our-fault",
            State::Spam => "state-spam",
            State::Escalated => "state-escalated",
            State::Done => "state-done",
        })
    }
}

fn read(words: &str, depth: Depth) -> Result<Style, String> {
    let mut style = Style::new();
    let mut background = false;
    for word in words.split_whitespace() {
        let attribute = match word {
            "bold" => Some(Modifier::BOLD),
            "dim" => Some(Modifier::DIM),
            "italic" => Some(Modifier::ITALIC),
            "underline" => Some(Modifier::UNDERLINED),
            "reverse" => Some(Modifier::REVERSED),
            _ => None,
        };
        if let Some(attribute) = attribute {
            style = style.add_modifier(attribute);
        } else if word == "on" {
            background = true;
        } else {
            let colour = colour(word).ok_or_else(|| word.to_owned())?;
            let usable = match (depth, colour) {
                (Depth::None, _) | (Depth::Sixteen, Color::Indexed(_)) => None,
                _ => Some(colour),
            };
            if let Some(colour) = usable {
                style = if background { style.bg(colour) } else { style.fg(colour) };
            }
        }
    }
    Ok(style)
}

fn colour(word: &str) -> Option<Color> {
    Some(match word {
        "default" => Color::Reset,
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "white" => Color::Gray,
        "bright-black" => Color::DarkGray,
        "bright-red" => Color::LightRed,
        "bright-green" => Color::LightGreen,
        "bright-yellow" => Color::LightYellow,
        "bright-blue" => Color::LightBlue,
        "bright-magenta" => Color::LightMagenta,
        "bright-cyan" => Color::LightCyan,
        "bright-white" => Color::White,
        number => Color::Indexed(number.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r12_no_colour_keeps_attributes_and_sets_no_colour() {
        let plain = Theme::load(None, Depth::None).unwrap();
        let full = Theme::load(None, Depth::Full).unwrap();
        for (name, style) in &plain.styles {
            assert!(style.fg.is_none() && style.bg.is_none(), "{name}");
            assert_eq!(style.add_modifier, full.get(name).add_modifier, "{name}");
            assert!(full.get(name).bg.is_none(), "{name}: the built-in theme keeps the terminal's background");
        }
        assert!(plain.get("selected").add_modifier.contains(Modifier::REVERSED));
    }

    /// Palettes of terminals: name, light ground, dark ground, the sixteen colours.
    fn palettes() -> Vec<(&'static str, [u32; 2], Vec<u32>)> {
        let lines = include_str!("palettes.tsv").lines().filter(|line| !line.starts_with('#'));
        let read = |line: &'static str| {
            let (name, numbers) = line.split_once('\t').unwrap();
            let numbers: Vec<u32> = numbers.split('\t').map(|hex| u32::from_str_radix(hex, 16).unwrap()).collect();
            assert_eq!(numbers.len(), 18, "{line}");
            (name, [numbers[0], numbers[1]], numbers[2..].to_vec())
        };
        lines.map(read).collect()
    }

    /// Contrast of two colours (WCAG 2.2, relative luminance): 1 is none, 21 is black on white.
    fn contrast(a: u32, b: u32) -> f64 {
        let luminance = |colour: u32| {
            let part = |shift: u32| {
                let c = f64::from(colour >> shift & 0xff) / 255.0;
                if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0)
        };
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    fn number(colour: Color) -> Option<usize> {
        const NAMES: [&str; 16] = [
            "black",
            "red",
            "green",
            "yellow",
            "blue",
            "magenta",
            "cyan",
            "white",
            "bright-black",
            "bright-red",
            "bright-green",
            "bright-yellow",
            "bright-blue",
            "bright-magenta",
            "bright-cyan",
            "bright-white",
        ];
        NAMES.iter().position(|name| super::colour(name) == Some(colour))
    }

    #[test]
    fn r12_every_colour_can_be_read_on_a_light_and_on_a_dark_ground() {
        let theme = Theme::load(None, Depth::Full).unwrap();
        let mut seen = 0;
        for (name, style) in &theme.styles {
            let Some(colour) = style.fg else { continue };
            let at =
                number(colour).unwrap_or_else(|| panic!("{name}: one of the 16, so that the user's palette counts"));
            for (palette, grounds, colours) in palettes() {
                for ground in grounds {
                    let found = contrast(colours[at], ground);
                    assert!(
                        found >= 2.4,
                        "{name}: {colour:?} of {palette} on {ground:06x} has a contrast of {found:.1}"
                    );
                }
            }
            seen += 1;
        }
        assert!(seen >= 5, "the theme has colours");
        // The measure is one that refuses what cannot be read.
        assert!(contrast(0xcdcd00, 0xffffff) < 2.4 && contrast(0x0000ee, 0x000000) < 2.4);
    }

    #[test]
    fn r12_depth_follows_the_environment() {
        let depth = |choice: ColorChoice, no: Option<&str>, term: &str| choice.depth(no, Some(term), None);
        assert_eq!(depth(ColorChoice::Auto, None, "xterm-256color"), Depth::Full);
        assert_eq!(depth(ColorChoice::Auto, None, "linux"), Depth::Sixteen);
        assert_eq!(depth(ColorChoice::Auto, Some("1"), "xterm-256color"), Depth::None);
        assert_eq!(depth(ColorChoice::Auto, Some(""), "xterm"), Depth::Sixteen);
        assert_eq!(depth(ColorChoice::Always, Some("1"), "xterm"), Depth::Sixteen);
        assert_eq!(depth(ColorChoice::Never, None, "xterm-256color"), Depth::None);
        assert_eq!(depth(ColorChoice::Auto, None, "vt100"), Depth::None);
    }

    #[test]
    fn a_user_theme_is_laid_over_and_checked() {
        let theme = Theme::load(Some(("theme.toml", "saved = \"208 on 17 bold\"\n")), Depth::Full).unwrap();
        assert_eq!(theme.get("saved").fg, Some(Color::Indexed(208)));
        let sixteen = Theme::load(Some(("theme.toml", "saved = \"208 bold\"\n")), Depth::Sixteen).unwrap();
        assert_eq!(sixteen.get("saved").fg, None);
        let fail =
            |text: &str| Theme::load(Some(("theme.toml", text)), Depth::Full).map(drop).map_err(|e| e.to_string());
        assert_eq!(fail("\nsavd = \"bold\""), Err("theme.toml:2: no style \"savd\"".into()));
        assert_eq!(fail("saved = \"mauve\""), Err("theme.toml:1: no style word \"mauve\"".into()));
    }
}
