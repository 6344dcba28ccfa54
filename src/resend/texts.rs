//! The texts by language: those of the program, with the lead's own laid over them.
//!
//! Owns the form of `assets/texts/*.toml`. Invariant: a language that was loaded has every text.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::Cause;

const BUILTIN: &[(&str, &str)] =
    &[("en", include_str!("../../assets/texts/en.toml")), ("de", include_str!("../../assets/texts/de.toml"))];

/// A file of texts as it is written; what is missing is taken from the language below.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    date: Option<String>,
    greeting: Option<String>,
    greeting_unnamed: Option<String>,
    attachments: Option<String>,
    resend: Option<String>,
    resend_without_text: Option<String>,
    #[serde(default)]
    other_way: Vec<OtherWay>,
}

/// A text to reach somebody another way.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OtherWay {
    /// For these causes only; empty: for all.
    #[serde(default)]
    pub(super) causes: Vec<Cause>,
    /// Only for a mailbox at a large free provider.
    #[serde(default)]
    pub(super) free_provider: bool,
    pub(super) text: String,
}

/// The texts of one language.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    pub(super) date: String,
    pub(super) greeting: String,
    pub(super) greeting_unnamed: String,
    pub(super) attachments: String,
    pub(super) resend: String,
    pub(super) resend_without_text: String,
    pub(super) other_way: Vec<OtherWay>,
}

impl Texts {
    /// The texts of a language; `own` are the lead's files: name with its folder and extension, and text.
    ///
    /// # Errors
    /// In words, when a file is not of this form, or no file has this language.
    pub fn load(language: &str, own: &[(String, String)]) -> Result<Self, String> {
        let mut files: BTreeMap<&str, Vec<File>> = BTreeMap::new();
        for (name, text) in BUILTIN {
            files.entry(name).or_default().push(parse(&format!("assets/texts/{name}.toml"), text)?);
        }
        for (path, text) in own {
            let name = path.rsplit('/').next().unwrap_or(path);
            files.entry(name.strip_suffix(".toml").unwrap_or(name)).or_default().push(parse(path, text)?);
        }
        let Some(wanted) = files.get(language) else {
            let known: Vec<&str> = files.keys().copied().collect();
            return Err(format!("there are no texts in \"{language}\"; known: {}", known.join(", ")));
        };
        let mut texts = Self::default();
        let below = files.get("en").filter(|_| language != "en");
        for file in below.into_iter().flatten().chain(wanted) {
            texts.lay_over(file.clone());
        }
        Ok(texts)
    }

    fn lay_over(&mut self, file: File) {
        let texts = [
            (&mut self.date, file.date),
            (&mut self.greeting, file.greeting),
            (&mut self.greeting_unnamed, file.greeting_unnamed),
            (&mut self.attachments, file.attachments),
            (&mut self.resend, file.resend),
            (&mut self.resend_without_text, file.resend_without_text),
        ];
        for (old, new) in texts {
            if let Some(new) = new {
                *old = new;
            }
        }
        // The new ones are asked first; the old ones still fit what they leave out.
        self.other_way.splice(0..0, file.other_way);
    }
}

fn parse(name: &str, text: &str) -> Result<File, String> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1);
        format!("{name}:{line}: {}", error.message().replace('\n', "; "))
    })
}
