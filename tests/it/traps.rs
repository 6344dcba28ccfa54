//! Replies whose code misleads: what each says, and what it means. One line per trap, through the whole engine.

use bounceback::diagnose::{Context, diagnose};
use bounceback::model::Cause;

/// The answering server, what it said, what it means. `-`: any server.
const TRAPS: &[(&str, &str, &str)] = &[
    // an unknown address behind another code
    (
        "mx.protection.outlook.com",
        "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
        "mailbox-unknown",
    ),
    (
        "mx.protection.outlook.com",
        "550 5.7.504 [internal]: Recipient address rejected: Access denied",
        "mailbox-unknown",
    ),
    ("mx.yandex.ru", "550 5.7.1 No such user!", "mailbox-unknown"),
    ("mail.tutanota.de", "550 5.7.1 <anna@example.org>: Recipient not found", "mailbox-unknown"),
    ("-", "554 5.7.1 <anna@example.org>: Recipient address rejected: Not in recipient list", "mailbox-unknown"),
    (
        "mx.in.trendmicro.eu",
        "554 5.7.1 <anna@example.org>: Recipient address rejected: Invalid-Recipient",
        "mailbox-unknown",
    ),
    (
        "mx1-us1.ppe-hosted.com",
        "550 5.7.1 anna@example.org: User email address is marked as invalid.",
        "mailbox-unknown",
    ),
    ("mta5.am0.yahoodns.net", "552 1 Requested mail action aborted, mailbox not found", "mailbox-unknown"),
    ("-", "550 #5.1.0 Address rejected.", "mailbox-unknown"),
    (
        "ff-ip4-mx-vip1.prodigy.net",
        "550 5.2.1 <anna@example.org>... Addressee unknown, relay=[192.0.2.1]",
        "mailbox-unknown",
    ),
    ("-", "550 5.2.0 No such mailbox", "mailbox-unknown"),
    ("eur.olc.protection.outlook.com", "550 5.5.0 Requested action not taken: mailbox unavailable", "mailbox-unknown"),
    ("-", "511 sorry, no mailbox here by that name (#5.1.1 - chkuser)", "mailbox-unknown"),
    // looks like an unknown address, is not
    (
        "mx00.emig.gmx.net",
        "550-Requested action not taken: mailbox unavailable 550-Reject due to policy restrictions 550 For explanation visit https://postmaster.gmx.net/error-messages?ip=192.0.2.1",
        "policy-refused|sender-blocked|content-refused",
    ),
    (
        "-",
        "550 5.2.1 Mailbox unavailable. Your IP address 192.0.2.1 is blacklisted using SPAMHAUS-XBL",
        "sender-blocked",
    ),
    ("mx.in.trendmicro.eu", "550 5.7.1 <anna@example.org>: Recipient address rejected: ERS-QIL", "sender-blocked"),
    ("smtp-in.orange.fr", "552 5.1.1 anna@orange.fr Mailbox size limit exceeded OFR_417", "mailbox-full"),
    ("mx1.comcast.net", "552 5.1.1 extended quota violation", "mailbox-full"),
    ("-", "552 5.1.1 5.2.2 sorry, final recipient mailbox is full", "mailbox-full"),
    ("mx1.mail.icloud.com", "550 5.1.1 <anna@icloud.com>: inactive email address", "mailbox-disabled"),
    (
        "mx0.charter.net",
        "550 5.1.0 <support@company.example> sender rejected. AUP#I-1310",
        "rate-limited|sender-blocked",
    ),
    (
        "wes1-mx1.wedos.net",
        "550 5.7.1 <anna@example.org>: Sender address rejected: mailbox disabled",
        "mailbox-disabled",
    ),
    (
        "d1.ess.barracudanetworks.com",
        "550 permanent failure for one or more recipients (anna@example.org:blocked)",
        "content-refused|policy-refused",
    ),
    (
        "a.amazonses.com",
        "550 5.1.1 Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.",
        "suppressed",
    ),
    // full or too big that is neither
    ("mx.protection.outlook.com", "554 5.2.2 Submission quota exceeded", "rate-limited"),
    ("-", "550 5.2.1 Content Filter agent quarantined this message", "content-refused"),
    ("mx.aruba.it", "552 5.2.0 abcdef spam detected", "content-refused"),
    (
        "-",
        "ezmlm-reject: fatal: Sorry, I don't accept messages of MIME Content-Type 'text/html' (#5.2.3)",
        "content-refused",
    ),
    // permanent and temporary exchanged
    (
        "mta5.am0.yahoodns.net",
        "421 4.7.1 [TS03] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed.",
        "sender-blocked",
    ),
    (
        "eur.olc.protection.outlook.com",
        "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).",
        "sender-blocked",
    ),
    (
        "mx.protection.outlook.com",
        "554 5.2.122 The recipient has exceeded their limit for the number of messages they can receive per hour.",
        "rate-limited",
    ),
    (
        "gmail-smtp-in.l.google.com",
        "550 5.2.1 The email account that you tried to reach is disabled. https://support.google.com/mail/?p=DisabledUser",
        "mailbox-disabled",
    ),
    (
        "gmail-smtp-in.l.google.com",
        "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered. https://support.google.com/mail/?p=ReceivingRatePerm",
        "rate-limited",
    ),
    ("eu-smtp-inbound-1.mimecast.com", "451 Open relay not allowed", "domain-no-mail|relay-denied"),
    ("-", "550 4.2.2 Over quota", "mailbox-full"),
    // blame on the wrong party
    (
        "-",
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; Error: open resolver; https://www.spamhaus.org/returnc/pub/127.255.255.254",
        "recipient-system-error",
    ),
    ("mx.protection.outlook.com", "550 5.1.8 Access denied, bad outbound sender", "sender-blocked"),
    (
        "-",
        "450 4.1.1 <anna@example.org>: Recipient address rejected: unverified address: host mx.example.org[192.0.2.9] said: 550 5.1.1 User unknown (in reply to RCPT TO command)",
        "mailbox-unknown",
    ),
    ("mx.libero.it", "550 Invalid Domain [smtp-41.iol.local]", "authentication-failed"),
    ("mail.company.example", "554 5.4.4 <mx.example.org #5.4.4 smtp; 550 5.4.4 Unable to relay>", "relay-denied"),
    (
        "gmail-smtp-in.l.google.com",
        "552 5.3.4 Your message exceeded Google's message header size limits.",
        "content-refused|message-too-big",
    ),
    (
        "mta5.am0.yahoodns.net",
        "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes",
        "policy-refused",
    ),
    (
        "gmail-smtp-in.l.google.com",
        "550-5.7.26 This mail has been blocked because the sender is unauthenticated. 550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.",
        "authentication-failed",
    ),
    // shapes
    ("-", "553 sorry, this recipient is not in my validrcptto list (#5.7.1)", "mailbox-unknown"),
    (
        "alph739.prodigy.net",
        "553 5.3.0 flph401 DNSBL:ATTRBL 521< 192.0.2.1 >_is_blocked.For assistance forward this error to abuse_rbl@abuse-att.net",
        "sender-blocked",
    ),
    (
        "mx1.mail.icloud.com",
        "554 5.7.1 Your message was rejected due to company.example\u{2019}s DMARC policy. See https://support.apple.com/en-us/HT204137 for",
        "authentication-failed",
    ),
];

#[test]
fn replies_mean_what_they_mean_and_not_what_their_code_says() {
    let context = Context::default();
    let mut wrong = Vec::new();
    for (host, said, want) in TRAPS {
        let remote = if *host == "-" { "mx.example.org" } else { host };
        let mail = format!(
            "From: MAILER-DAEMON@mx1.company.example\nTo: support@company.example\nSubject: Undelivered Mail Returned to Sender\n\
             MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\
             Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx1.company.example\n\n\
             Final-Recipient: rfc822; anna@example.org\nAction: failed\nStatus: 5.0.0\nRemote-MTA: dns; {remote}\n\
             Diagnostic-Code: smtp; {said}\n--b--\n"
        );
        let diagnosis = diagnose(mail.as_bytes(), &context);
        let recipient = &diagnosis.recipients[0];
        if !want.split('|').any(|cause| Cause::from_slug(cause).unwrap() == recipient.cause) {
            wrong.push(format!("{said}\n    is {} by {:?}, not {want}", recipient.cause, recipient.rule));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), TRAPS.len(), wrong.join("\n"));
}
