//! Facts from the standard parts: delivery status, returned message.
use super::Context;
use crate::mail::{Head, Mail, PartKind, read_report, read_returned};
use crate::model::{Report, Reporter, Returned, Role};

pub(super) struct Gathered {
    pub(super) report: Report,
    pub(super) reporter: Reporter,
    pub(super) returned: Returned,
}

pub(super) fn gather(mail: &Mail<'_>, _context: &Context) -> Gathered {
    let mut report = Report::default();
    for (index, part) in mail.of_kind(PartKind::DeliveryStatus) {
        let text = part.text();
        let found = read_report(text, index, 0, text.len());
        report.message.reporting_mta = report.message.reporting_mta.take().or(found.message.reporting_mta);
        report.recipients.extend(found.recipients);
    }
    let reporter = report.message.reporting_mta.as_ref().map_or_else(Reporter::default, |fact| Reporter {
        mta: Some(fact.value.clone()),
        from: Some(fact.from.to_owned()),
        role: Role::Unknown,
    });
    let returned = mail
        .parts
        .iter()
        .rfind(|part| matches!(part.kind, PartKind::Message | PartKind::Headers))
        .map(|part| {
            let text = part.text();
            read_returned(&Head::read(text.as_str().as_bytes(), 0).head)
        })
        .unwrap_or_default();
    Gathered { report, reporter, returned }
}
