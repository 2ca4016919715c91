//! The reports that RFC 3464 (appendix E) and RFC 3461 (§10.6 to §10.9) show, read.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use mailwright_smtp::dsn::{Action, ParseError, Parsed, Recipient, Report, Returned};
use mailwright_smtp::value::UnixTime;

fn parse(message: &str) -> Parsed<'_> {
    Report::parse(message.as_bytes()).unwrap()
}

/// Action, status, final recipient of each.
fn told(parsed: &Parsed<'_>) -> Vec<String> {
    let told = |it: &Recipient| format!("{} {} {}", it.action(), it.status, it.address.as_str());
    parsed.report.recipients().iter().map(told).collect()
}

#[test]
fn rfc_3464_a_simple_report() {
    let parsed = parse(
        "Date: Thu, 7 Jul 1994 17:16:05 -0400\n\
         From: Mail Delivery Subsystem <MAILER-DAEMON@CS.UTK.EDU>\n\
         Message-Id: <199407072116.RAA14128@CS.UTK.EDU>\n\
         Subject: Returned mail: Cannot send message for 5 days\n\
         To: <owner-info-mime@cs.utk.edu>\n\
         MIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status;\n\
         \x20      boundary=\"RAA14128.773615765/CS.UTK.EDU\"\n\
         \n\
         --RAA14128.773615765/CS.UTK.EDU\n\
         \n\
         The original message was received at Sat, 2 Jul 1994 17:10:28 -0400\n\
         from root@localhost\n\
         \n\
         \x20   ----- The following addresses had delivery problems -----\n\
         <louisl@larry.slip.umd.edu>  (unrecoverable error)\n\
         \n\
         --RAA14128.773615765/CS.UTK.EDU\n\
         content-type: message/delivery-status\n\
         \n\
         Reporting-MTA: dns; cs.utk.edu\n\
         \n\
         Original-Recipient: rfc822;louisl@larry.slip.umd.edu\n\
         Final-Recipient: rfc822;louisl@larry.slip.umd.edu\n\
         Action: failed\n\
         Status: 4.0.0\n\
         Diagnostic-Code: smtp; 426 connection timed out\n\
         Last-Attempt-Date: Thu, 7 Jul 1994 17:15:49 -0400\n\
         \n\
         --RAA14128.773615765/CS.UTK.EDU\n\
         content-type: message/rfc822\n\
         \n\
         Message-ID: <1@cs.utk.edu>\n\
         \n\
         [original message goes here]\n\
         \n\
         --RAA14128.773615765/CS.UTK.EDU--\n",
    );
    assert_eq!(told(&parsed), ["failed 4.0.0 louisl@larry.slip.umd.edu"]);
    assert_eq!(parsed.report.reporting_mta().unwrap().to_string(), "dns; cs.utk.edu");
    let recipient = &parsed.report.recipients()[0];
    assert_eq!(recipient.original.as_ref().unwrap().as_str(), "louisl@larry.slip.umd.edu");
    assert_eq!(recipient.diagnostic().unwrap().to_string(), "smtp; 426 connection timed out");
    assert!(recipient.remote_mta().is_none());
    // 17:15:49 -0400 is 21:15:49 UTC.
    assert_eq!(recipient.last_attempt.unwrap().to_string(), "Thu, 7 Jul 1994 21:15:49 +0000");
    assert_eq!(parsed.report.original_message_id.as_ref().unwrap().as_str(), "<1@cs.utk.edu>");
    let (returned, octets) = parsed.returned.unwrap();
    assert_eq!(returned, Returned::Message);
    assert_eq!(&*octets, b"Message-ID: <1@cs.utk.edu>\n\n[original message goes here]\n");
}

#[test]
fn rfc_3464_several_recipients() {
    let parsed = parse(
        "Date: Fri, 8 Jul 1994 09:21:47 -0400\r\n\
         From: Mail Delivery Subsystem <MAILER-DAEMON@CS.UTK.EDU>\r\n\
         Subject: Returned mail: User unknown\r\n\
         To: <owner-ups-mib@CS.UTK.EDU>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status;\r\n\
         \x20      boundary=\"JAA13167.773673707/CS.UTK.EDU\"\r\n\
         \r\n\
         --JAA13167.773673707/CS.UTK.EDU\r\n\
         content-type: text/plain; charset=us-ascii\r\n\
         \r\n\
         \x20   ----- The following addresses had delivery problems -----\r\n\
         <arathib@vnet.ibm.com> (unrecoverable error)\r\n\
         <wsnell@sdcc13.ucsd.edu> (unrecoverable error)\r\n\
         \r\n\
         --JAA13167.773673707/CS.UTK.EDU\r\n\
         content-type: message/delivery-status\r\n\
         \r\n\
         Reporting-MTA: dns; cs.utk.edu\r\n\
         \r\n\
         Original-Recipient: rfc822;arathib@vnet.ibm.com\r\n\
         Final-Recipient: rfc822;arathib@vnet.ibm.com\r\n\
         Action: failed\r\n\
         Status: 5.0.0 (permanent failure)\r\n\
         Diagnostic-Code: smtp;  550 'arathib@vnet.IBM.COM' is not a\r\n\
         \x20registered gateway user\r\n\
         Remote-MTA: dns; vnet.ibm.com\r\n\
         \r\n\
         Original-Recipient: rfc822;johnh@hpnjld.njd.hp.com\r\n\
         Final-Recipient: rfc822;johnh@hpnjld.njd.hp.com\r\n\
         Action: delayed\r\n\
         Status: 4.0.0 (hpnjld.njd.jp.com: host name lookup failure)\r\n\
         \r\n\
         Original-Recipient: rfc822;wsnell@sdcc13.ucsd.edu\r\n\
         Final-Recipient: rfc822;wsnell@sdcc13.ucsd.edu\r\n\
         Action: failed\r\n\
         Status: 5.0.0\r\n\
         Diagnostic-Code: smtp; 550 user unknown\r\n\
         Remote-MTA: dns; sdcc13.ucsd.edu\r\n\
         \r\n\
         --JAA13167.773673707/CS.UTK.EDU\r\n\
         content-type: message/rfc822\r\n\
         \r\n\
         [original message goes here]\r\n\
         \r\n\
         --JAA13167.773673707/CS.UTK.EDU--\r\n",
    );
    assert_eq!(
        told(&parsed),
        [
            "failed 5.0.0 arathib@vnet.ibm.com",
            "delayed 4.0.0 johnh@hpnjld.njd.hp.com",
            "failed 5.0.0 wsnell@sdcc13.ucsd.edu"
        ]
    );
    assert_eq!(parsed.report.action(), Action::Failed);
    let first = &parsed.report.recipients()[0];
    assert_eq!(
        first.diagnostic().unwrap().text(),
        "550 'arathib@vnet.IBM.COM' is not a registered gateway user"
    );
    assert_eq!(first.remote_mta().unwrap().name(), "vnet.ibm.com");
}

#[test]
fn rfc_3464_a_report_from_a_gateway() {
    let parsed = parse(
        "Disclose-recipients: prohibited\n\
         Date: Fri, 08 Jul 1994 09:21:25 -0400 (EDT)\n\
         From: Message Router Submission Agent <AMMGR@corp.timeplex.com>\n\
         Subject: Status of: Re: Battery current sense\n\
         To: owner-ups-mib@CS.UTK.EDU\n\
         Message-id: <01HEGJ0WNBY28Y95LN@mr.timeplex.com>\n\
         MIME-version: 1.0\n\
         content-type: multipart/report;\n\
         \x20   report-type=delivery-status;\n\
         \x20   boundary=\"84229080704991.122306.SYS30\"\n\
         \n\
         --84229080704991.122306.SYS30\n\
         content-type: text/plain\n\
         \n\
         Invalid address - nair_s\n\
         %DIR-E-NODIRMTCH, No matching Directory Entry\n\
         Entry found\n\
         \n\
         --84229080704991.122306.SYS30\n\
         content-type: message/delivery-status\n\
         \n\
         Reporting-MTA: mailbus; SYS30\n\
         \n\
         Final-Recipient: unknown; nair_s\n\
         Status: 5.0.0 (unknown permanent failure)\n\
         Action: failed\n\
         \n\
         --84229080704991.122306.SYS30--\n",
    );
    assert_eq!(told(&parsed), ["failed 5.0.0 nair_s"]);
    assert_eq!(parsed.report.recipients()[0].address.kind(), "unknown");
    assert_eq!(parsed.report.reporting_mta().unwrap().to_string(), "mailbus; SYS30");
    assert!(parsed.returned.is_none() && parsed.report.original_message_id.is_none());
}

#[test]
fn rfc_3464_a_report_of_delay() {
    let parsed = parse(
        "MIME-Version: 1.0\n\
         From: <postmaster@nsfnet-relay.ac.uk>\n\
         Message-Id: <199407092338.TAA23293@CS.UTK.EDU>\n\
         To: owner-info-mime@cs.utk.edu\n\
         Date: Sun, 10 Jul 1994 00:36:51 +0100\n\
         Subject: WARNING: message delayed at \"nsfnet-relay.ac.uk\"\n\
         content-type: multipart/report; report-type=delivery-status;\n\
         \x20      boundary=foobar\n\
         \n\
         --foobar\n\
         content-type: text/plain\n\
         \n\
         The following message has not been delivered to the intended recipient.\n\
         \n\
         --foobar\n\
         content-type: message/delivery-status\n\
         \n\
         Reporting-MTA: dns; sun2.nsfnet-relay.ac.uk\n\
         \n\
         Final-Recipient: rfc822;thomas@de-montfort.ac.uk\n\
         Status: 4.0.0 (unknown temporary failure)\n\
         Action: delayed\n\
         \n\
         --foobar--\n",
    );
    assert_eq!(told(&parsed), ["delayed 4.0.0 thomas@de-montfort.ac.uk"]);
}

/// A report of RFC 3461 with these fields.
fn rfc_3461(fields: &str) -> String {
    format!(
        "To: Alice@Example.ORG\r\nFrom: postmaster@Example.COM\r\n\
         Content-Type: multipart/report; report-type=delivery-status;\r\n    boundary=abcde\r\n\
         MIME-Version: 1.0\r\n\r\n\
         --abcde\r\nContent-type: text/plain; charset=us-ascii\r\n\r\n\
         Your message (id QQ314159) ...\r\n\r\n\
         --abcde\r\nContent-type: message/delivery-status\r\n\r\n{fields}\r\n\
         --abcde\r\nContent-type: message/rfc822\r\n\r\n\
         (headers of returned message go here)\r\n\r\n--abcde--\r\n"
    )
}

#[test]
fn rfc_3461_delivered_failed_relayed_and_forwarded() {
    let bob = rfc_3461(
        "Reporting-MTA: dns; mail.Example.COM\r\n\
         Original-Envelope-ID: QQ314159\r\n\r\n\
         Original-Recipient: rfc822;Bob@Example.COM\r\n\
         Final-Recipient: rfc822;Bob@Example.COM\r\n\
         Action: delivered\r\nStatus: 2.0.0\r\n",
    );
    assert_eq!(told(&parse(&bob)), ["delivered 2.0.0 Bob@Example.COM"]);
    assert_eq!(parse(&bob).report.envelope_id.unwrap().decode(), "QQ314159");
    let carol = rfc_3461(
        "Reporting-MTA: dns; Example.ORG\r\n\
         Original-Envelope-ID: QQ314159\r\n\r\n\
         Original-Recipient: rfc822;Carol@Ivory.EDU\r\n\
         Final-Recipient: rfc822;Carol@Ivory.EDU\r\n\
         SMTP-Remote-Recipient: Carol@Ivory.EDU\r\n\
         Diagnostic-Code: smtp; 550 error - no such recipient\r\n\
         Action: failed\r\nStatus: 5.0.0\r\n",
    );
    let parsed = parse(&carol);
    assert_eq!(told(&parsed), ["failed 5.0.0 Carol@Ivory.EDU"]);
    assert_eq!(parsed.report.recipients()[0].remote_recipient.as_ref().unwrap().as_str(), "Carol@Ivory.EDU");
    let dana = rfc_3461(
        "Reporting-MTA: dns; Ivory.EDU\r\n\
         Original-Envelope-ID: QQ314159\r\n\r\n\
         Original-Recipient: rfc822;Dana@Ivory.EDU\r\n\
         Final-Recipient: rfc822;Dana@Ivory.EDU\r\n\
         Action: relayed\r\nStatus: 2.0.0\r\n",
    );
    assert_eq!(told(&parse(&dana)), ["relayed 2.0.0 Dana@Ivory.EDU"]);
    // The example lacks the type of the name.
    let sam = rfc_3461(
        "Reporting-MTA: Boondoggle.GOV\r\n\
         Original-Envelope-ID: QQ314159\r\n\r\n\
         Original-Recipient: rfc822;George@Tax-ME.GOV\r\n\
         Final-Recipient: rfc822;Sam@Boondoggle.GOV\r\n\
         Action: failed\r\nStatus: 4.2.2 (disk quota exceeded)\r\n",
    );
    let parsed = parse(&sam);
    assert_eq!(told(&parsed), ["failed 4.2.2 Sam@Boondoggle.GOV"]);
    assert_eq!(parsed.report.reporting_mta().unwrap().name(), "Boondoggle.GOV");
    assert_eq!(parsed.report.recipients()[0].original.as_ref().unwrap().as_str(), "George@Tax-ME.GOV");
}

#[test]
fn order_case_folding_and_missing_fields_do_not_matter() {
    // No blank line between the groups, the status alone, an action in capitals, a fold with a tab.
    let text = rfc_3461(
        "STATUS: 5.1.1\r\nfinal-recipient:rfc822;a@b\r\nREPORTING-mta:\r\n\tdns;\r\n\t mx\r\n\
         Final-Recipient: rfc822; <c@d>\r\naction: DELAYED\r\nX-Other: kept\r\n as it is\r\n\
         Arrival-Date: nonsense\r\nWill-Retry-Until: 1 jan 99 0:30 EST\r\n\r\n\r\n\
         Action: expanded\r\nOriginal-Recipient: e@f\r\nWill-Retry-Until: 1 Jan 1999 00:00:00 +0000\r\n",
    );
    let parsed = parse(&text);
    assert_eq!(told(&parsed), ["failed 5.1.1 a@b", "delayed 4.0.0 <c@d>", "expanded 2.0.0 e@f"]);
    assert_eq!(parsed.report.reporting_mta().unwrap().name(), "mx");
    let [_, delayed, expanded] = parsed.report.recipients() else { panic!() };
    assert_eq!(delayed.address.mailbox().unwrap().to_string(), "c@d");
    let kept: Vec<_> = delayed.extensions.iter().map(|field| (field.name(), field.value())).collect();
    assert_eq!(kept, [("X-Other", "kept as it is"), ("Arrival-Date", "nonsense")]);
    assert_eq!(delayed.will_retry_until(), Some(UnixTime::from_seconds(915_168_600)));
    assert!(expanded.will_retry_until().is_none());
    assert_eq!(expanded.extensions[0].name(), "Will-Retry-Until");
}

#[test]
fn a_report_inside_another_multipart_and_encoded_parts_are_read() {
    let inner = rfc_3461("").replace("abcde", "inner");
    let inner = inner.replace(
        "Content-type: message/delivery-status\r\n\r\n",
        "Content-type: message/global-delivery-status\r\nContent-Transfer-Encoding: BASE64\r\n\r\n\
         RmluYWwtUmVjaXBpZW50OiB1dGYtODsgYsO8QGV4YW1wbGUub3JnCkFjdGlv\r\nbjogZmFpbGVkClN0YXR1czogNS4xLjEK\r\n",
    );
    let inner = inner.replace(
        "Content-type: message/rfc822\r\n\r\n",
        "Content-type: text/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         Message-ID=3A <x@=\r\ny>\r\n",
    );
    let outer = format!(
        "Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\n{inner}\r\n--outer\r\n\r\nfooter\r\n--outer--\r\n"
    );
    let parsed = parse(&outer);
    assert_eq!(told(&parsed), ["failed 5.1.1 b\u{FC}@example.org"]);
    assert_eq!(parsed.report.original_message_id.as_ref().unwrap().as_str(), "<x@y>");
    assert_eq!(parsed.returned.unwrap().0, Returned::Headers);
}

#[test]
fn what_is_no_report_is_an_error() {
    assert_eq!(Report::parse(b"").unwrap_err(), ParseError::NotAReport);
    assert_eq!(Report::parse(b"Subject: x\r\n\r\nhello").unwrap_err(), ParseError::NotAReport);
    let none = rfc_3461("Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822;a@b\r\n");
    assert_eq!(Report::parse(none.as_bytes()).unwrap_err(), ParseError::NoRecipients);
}
