//! What kind of mail it is.
use super::collect::Gathered;
use crate::mail::Mail;
use crate::model::{Action, Kind};

pub(super) fn decide(_mail: &Mail<'_>, gathered: &Gathered) -> Kind {
    let actions: Vec<Action> =
        gathered.report.recipients.iter().filter_map(|r| r.action.as_ref().map(|a| a.value)).collect();
    if gathered.report.recipients.is_empty() {
        return Kind::Other;
    }
    if actions.is_empty() || actions.contains(&Action::Failed) {
        Kind::Failure
    } else if actions.contains(&Action::Delayed) {
        Kind::Delay
    } else {
        Kind::Delivered
    }
}
