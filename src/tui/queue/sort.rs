//! Orders of the list. What bounced again or is due comes first in each.

use std::collections::HashMap;

use crate::model::{Case, GroupId, Timestamp};
use crate::tui::filter::{domain_of, is_flagged};

/// Order of the rows. What bounced again or is due comes first in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// By arrival.
    #[default]
    Arrival,
    /// By arrival, newest first.
    Newest,
    /// By domain and address.
    Domain,
    /// By cause.
    Cause,
    /// By status code.
    Code,
    /// By reporting server.
    Reporter,
    /// By original message.
    Message,
    /// By state, undecided first.
    State,
}

impl Sort {
    /// Every order with its name.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Arrival, "arrival"),
        (Self::Newest, "newest"),
        (Self::Domain, "domain"),
        (Self::Cause, "cause"),
        (Self::Code, "code"),
        (Self::Reporter, "reporter"),
        (Self::Message, "message"),
        (Self::State, "state"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(sort, _)| *sort == self).map_or("arrival", |(_, name)| name)
    }

    /// The order of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == name).map(|(sort, _)| *sort)
    }

    /// Puts rows (positions in `cases`, which are in order of arrival) into this order.
    pub(super) fn arrange(self, rows: &mut [usize], cases: &[Case], now: Timestamp) {
        let case = |at: &usize| &cases[*at];
        match self {
            Self::Arrival => {}
            Self::Newest => rows.reverse(),
            Self::Domain => rows.sort_by_cached_key(|at| {
                (domain_of(&case(at).address).to_lowercase(), case(at).address.to_lowercase())
            }),
            Self::Cause => rows.sort_by_key(|at| case(at).cause),
            Self::Code => rows.sort_by_key(|at| (case(at).status.is_none(), case(at).status, case(at).reply_code)),
            Self::Reporter => rows.sort_by(|a, b| case(a).reporter.cmp(&case(b).reporter)),
            Self::Message => {
                let mut first: HashMap<&GroupId, usize> = HashMap::new();
                for &at in rows.iter() {
                    first.entry(&cases[at].group).or_insert(at);
                }
                rows.sort_by_key(|at| (first.get(&case(at).group).copied(), *at));
            }
            Self::State => rows.sort_by_key(|at| (!case(at).is_undecided(now), case(at).state)),
        }
        rows.sort_by_key(|at| !is_flagged(case(at), now));
    }
}
