//! What a claim rests on: the very line of the mail, so that nothing is shown without a source.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One piece of evidence: a claim, where it was read, and the line to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What is claimed: `address`, `original_address`, `status`, `reply_code`, `action`, `remote_mta`, `reporter`,
    /// `diagnostic`, `cause`, `kind`, `new_address`, `original` …
    pub claim: Cow<'static, str>,
    /// Where it was read, in words for a reader: `Status field`, `text of the notice`, `X-Failed-Recipients header` …
    pub from: Cow<'static, str>,
    /// What stands there.
    pub text: String,
    /// 1-based line in the raw mail; `None` where the part was encoded.
    pub line: Option<u32>,
    /// MIME part number (`2`, `1.3`) where the part was encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// 1-based line in the decoded text of `part`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_line: Option<u32>,
}

/// How sure the engine is of a recipient and its cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Concluded from unmarked prose.
    Guess,
    /// Read from a known text format.
    Likely,
    /// Stated in a standard field, or by several sources that agree.
    Sure,
}
