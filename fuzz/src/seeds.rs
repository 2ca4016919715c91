//! Where seeds come from: transcripts of the crates, and dialogues that have a bit of everything.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use mailwright_core::testing::{Side, Transcript};

/// The folder of the seeds.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

/// The seeds of a target, in the order of their names.
///
/// # Errors
/// If they cannot be read.
pub fn of(target: &str) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut paths = fs::read_dir(folder().join(target))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    paths.into_iter().map(|path| fs::read(&path).map(|octets| (path, octets))).collect()
}

const SMTP: &[&str] = &[
    "EHLO bar.com\r\nMAIL FROM:<Smith@bar.com>\r\nRCPT TO:<Jones@foo.com>\r\nRCPT TO:<nobody@foo.com>\r\nDATA\r\n\
     Blah blah blah...\r\n..dot\r\n.\r\nQUIT\r\n",
    "EHLO a\r\nAUTH PLAIN AGFsaWNlAHRhbnN0YWFm\r\nMAIL FROM:<a@b.example> SIZE=9 BODY=8BITMIME AUTH=<>\r\nRSET\r\nVRFY bob\r\nHELP\r\n",
    "LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@c>\r\nRCPT TO:<Postmaster>\r\nRCPT TO:<@x:\"q s\"@[127.0.0.1]>\r\nDATA\r\nx\r\n.\r\n",
    "EHLO a\r\nMAIL FROM:<\u{fc}@b> SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<\u{fc}@c>\r\nBDAT 7\r\n.\r\n.\r\nxBDAT 0\r\nBDAT 2 LAST\r\n\r\nMAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<b@c>\r\nBDAT 3\r\n\0\n\rRSET\r\n",
    "LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@c>\r\nRCPT TO:<c@c>\r\nBDAT 60\r\n123456789012345678901234567890123456789012345678901234567890BDAT 1 LAST\r\nxBDAT -1\r\n",
    "EHLO a\r\nMAIL FROM:<a@b> BY=120;RT HOLDFOR=60 MT-PRIORITY=-3 REQUIRETLS RET=HDRS ENVID=a+2Bb\r\nMAIL FROM:<a@b> HOLDUNTIL=2026-11-27T19:30:00Z\r\nRCPT TO:<a@b> RRVS=2014-04-03T23:01:00Z;C NOTIFY=SUCCESS ORCPT=utf-8;\\x{FC}@b\r\nEXPN \u{fc} SMTPUTF8\r\nETRN @a\r\n",
    "EHLO [IPv6:2001:db8::1]\r\nSTARTTLS\r\nEHLO a\r\nAUTH LOGIN\r\nYWxpY2U=\r\ndGFuc3RhYWY=\r\nBDAT 3 LAST\r\nabc\r\nEXPN list\r\n",
];
const REPLIES: &[&str] = &[
    "220-mx.example.org\r\n220 ESMTP\r\n250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 8BITMIME\r\n\
     250 2.1.0 OK\r\n250 2.1.5 OK\r\n550 5.1.1 no\r\n354 go\r\n250 2.0.0 taken\r\n221 2.0.0 bye\r\n",
    "250 2.1.0 OK\r\n450 4.2.1 later\r\n250 OK\r\n354 go\r\n",
    "250 2.0.0 4\r\n250 2.0.0 taken\r\n250 reset\r\n",
    "552 5.3.4 large\r\n503 5.5.1 no\r\n250 reset\r\n250 nothing\r\n",
    "421 4.3.2 down\r\n",
    "535 5.7.8 no\r\n503 5.5.1 order\r\n554 5.5.1 no\r\n",
];
const REPORTS: &[&str] = &[
    "MIME-Version: 1.0\r\nIn-Reply-To: <1@a>\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"b\"\r\n\r\n\
     --b\r\n\r\nsorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
     Original-Envelope-Id: Q+1\r\nReporting-MTA: dns; mx.example.org\r\nArrival-Date: Fri, 8 Jul 1994 09:21:47 -0400\r\n\r\n\
     Original-Recipient: rfc822;b@c\r\nFinal-Recipient: rfc822; b@c\r\nAction: failed\r\nStatus: 5.1.1 (x)\r\n\
     Remote-MTA: dns; c\r\nDiagnostic-Code: smtp; 550 5.1.1\r\n no\r\nX-Other: 1\r\n\r\n\
     Final-Recipient: utf-8; \\x{FC}@c\r\nAction: delayed\r\nStatus: 4.0.0\r\nWill-Retry-Until: 9 Jul 94 0:0 EDT\r\n\
     SMTP-Remote-Recipient: d@e\r\nFinal-Log-ID: 7\r\n\r\n\
     --b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <1@a>\r\n\r\nbody\r\n--b--\r\n",
    "content-type: multipart/mixed; boundary=o\n\n--o\ncontent-type: multipart/report; boundary=i\n\n--i\n\
     content-type: message/global-delivery-status\ncontent-transfer-encoding: base64\n\n\
     RmluYWwtUmVjaXBpZW50OiB1dGYtODsgYsO8QGV4YW1wbGUub3JnCkFjdGlvbjogZmFpbGVkClN0YXR1czogNS4xLjEK\n--i\n\
     content-type: text/rfc822-headers\ncontent-transfer-encoding: quoted-printable\n\nMessage-ID:=3Cx@=\ny>\n--o--\n",
    "Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: a@b\r\nStatus: 2.0.0\r\n",
];
const POP3: &[&str] = &[
    "+OK hello\r\n+OK\r\nUSER\r\nPIPELINING\r\nUIDL\r\n.\r\n+OK 2 320\r\n+OK\r\n1 120\r\n2 200\r\n.\r\n+OK\r\nSubject: x\r\n\r\n..dot\r\n.\r\n-ERR [AUTH] no\r\n",
    "+OK\r\n1 whqtswO00WBw418f9t5JxYwZ\r\n2 QhdPYR:00WBw1Ph7x7\r\n.\r\n+OK bye\r\n",
];
const IMAP: &[&str] = &[
    "a LOGIN {4+}\r\nfred {6+}\r\nsecret\r\nb SELECT INBOX\r\nc FETCH 1:* (FLAGS UID BODY[])\r\n\
     d STORE 1 +FLAGS (\\Deleted)\r\ne SEARCH 1:2 UNSEEN\r\nf COPY 1 INBOX\r\ng UID MOVE 2 INBOX\r\nh EXPUNGE\r\n\
     j IDLE\r\nDONE\r\nk APPEND INBOX (\\Seen) {5+}\r\nhello\r\nl APPEND nowhere {3+}\r\nabc\r\ns CLOSE\r\nt LOGOUT\r\n",
    "a UID SEARCH CHARSET UTF-8 OR (NOT SEEN LARGER 5) HEADER {1+}\r\nx \"y \\\" z\" KEYWORD $a 1:*,7 SINCE 1-Feb-1994\r\n",
    "a FETCH *:4,1 (BODY.PEEK[1.2.HEADER.FIELDS.NOT (Date {1+}\r\nx)]<1.2> ENVELOPE BODY BODYSTRUCTURE RFC822.SIZE)\r\n",
    "a STORE 1 -FLAGS.SILENT \\Seen $x\r\nb ID (\"a\" NIL \"b\" {2+}\r\n\"\\)\r\nc LIST \"\" (%)\r\nd RENAME a {3+}\r\nb/c\r\n",
    "x SELECT {5}\r\ny XFOO {99999999999999999999+}\r\nz NOOP x{3+}\r\n+ NOOP\r\na LOGIN \"a\\b\" {0+}\r\n\r\n",
];
/// `$` is what the client's tags begin with, `#` the same behind TLS.
const IMAP_RESPONSES: &[&str] = &[
    "* 4 EXISTS\r\n$2 OK done\r\n* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {12}\r\nSubject: x\r\n)\r\n\
     * 2 FETCH (BODY[] \"q\" UID 2)\r\n* 3 FETCH (ENVELOPE (()\r\n$3 OK done\r\n* SEARCH 1 2 3 \r\n$4 OK x {20}\r\n\
     * 1 FETCH (FLAGS ( ))\r\n$5 OK [EXPUNGEISSUED] done\r\n",
    "+ go\r\n* LIST (\\a) \"/\" {5}\r\nINBOX\r\n$2 OK [APPENDUID 7 4] done\r\n",
    "* FLAGS ()\r\n+ idling\r\n* 1 EXPUNGE\r\n* OK Still here\r\n$2 OK done\r\n",
    "$2 NO [TOOBIG] x\r\n+ late\r\nServer Unavailable. 15\r\n* OK [COPYUID 1 1:4294967295 1:9] x\r\n",
    "* BYE x\r\n* BYE y\r\n$2 OK done\r\n",
    "$7 OK x\r\n",
    "* ENABLED UTF8=ACCEPT\r\n* LIST (\\Junk) \"/\" x\r\n* ID NIL\r\n$2 OK done\r\n$3 BAD x\r\n$4 NO [BADCHARSET] x\r\n",
];
/// What leads to a client with a mailbox selected, as `imap_client_cut` does; and a log-in.
const IMAP_OPENING: [&str; 2] = [
    "* PREAUTH [CAPABILITY IMAP4rev1 IDLE] x\r\n$1 OK done\r\n",
    "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] x\r\n+ \r\n$1 OK welcome\r\n* 3 EXISTS\r\n$2 OK done\r\n",
];
const ADDRESSES: &[&str] = &[
    "alice@example.org",
    "\"quoted \\\" local\"@example.org",
    "a.b+c@[127.0.0.1]",
    "x@[IPv6:2001:db8::1]",
    "<@a,@b:c@d.example>",
    "<>",
    "<Postmaster>",
    "grün@bücher.example",
    "a@xn--bcher-kva.example",
];
const NAMES: &[&str] = &[
    "MX1.Example.org.",
    "b\u{fc}cher.example",
    "[IPv6:2001:db8::1]",
    "[192.0.2.1]:587",
    "smart_host.example:587",
    "a..b",
    "127.1",
    "xn--a.example",
    "example.org MX 10 mx.example.org\nmx.example.org 60 A 192.0.2.1\nexample.org fail servfail A",
];
/// A choice, the counts of a header, and records.
const PACKETS: &[&[u8]] = &[
    b"\x02\0\x01\0\0\0\0\xc0\x0c\0\x0f\0\x01\0\0\x01\x2c\0\x07\0\x0a\x02mx\xc0\x0c",
    b"\x00\0\x01\0\0\0\0\xc0\x0c\0\x01\0\x01\0\0\x01\x2c\0\x04\xc0\0\x02\x01",
    b"\x00\0\x02\0\0\0\0\xc0\x0c\0\x05\0\x01\0\0\x01\x2c\0\x04\x01a\xc0\x0c\xc0\x29\0\x01\0\x01\0\0\x01\x2c\0\x04\xc0\0\x02\x01",
    b"\x03\0\x01\0\0\0\0\xc0\x0c\0\x10\0\x01\0\0\x01\x2c\0\x04\x03abc",
    b"\x02\0\x01\0\0\0\0\xc0\x1d\0\x0f\0\x01\0\0\x01\x2c\0\x03\0\x0a\xff",
];
/// Policies, records and snapshots of MTA-STS, and records of TLSRPT.
const MX_STS: [&str; 5] = [
    "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmax_age: 604800\n",
    "version: STSv1\r\nmode: none \r\nmore: \u{e9}\r\nmax_age: 9999999999",
    "v=STSv1; id=20160831085700Z;",
    "v=spf1 -all\nv=STSv1; id=a1; more=x\nv=TLSRPTv1; rua=mailto:a@example.org , https://example.org/x",
    "mailwright-mta-sts 1\nexample.org 2026 1800000000000 enforce 86400 *.example.net\nb.example - 5 none 0\n",
];

/// Files of configuration, and octets that begin as a certificate does.
const MX_FILES: [&[u8]; 3] = [
    b"<?xml version='1.0'?><clientConfig><emailProvider id='example.org'><incomingServer type='imap'><hostname>imap.example.org</hostname>\
      <port>993</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username></incomingServer></emailProvider></clientConfig>",
    b"<Autodiscover><Response><Account><Protocol><Type>IMAP</Type><Server>imap.example.org</Server><Port>993</Port><SSL>on</SSL>\
      </Protocol></Account></Response></Autodiscover>",
    b"\x30\x30\x30\x2e\xa0\x03\x02\x01\x02\x02\x01\x01\x30\x00\x30\x00\x30\x00\x30\x10\x31\x0e\x30\x0c\x06\x03\x55\x04\x03\x0c\x05a.b.c\x30\x02\x05\x00\x03\x01\x01\x01\xff",
];

/// See `mx_tls::mx_policies` and `mx_tls::mx_discovery`: choices, then answers.
const MX_POLICIES: [&[u8]; 3] = [
    b"\x40\x00\x01\x00\x00\x07\x01\x00\x00\x01\x01\x20\x05\x00\x01\x00\x01\x20\x00\x01\x00\x00\x01\x01\x20\x05\x01\x00\x01\x20\x00",
    b"\x10\x03\x00\x02\x01\x07\x01\x01\x00\x02\x01\x20\x06\x00\x02\x01\x01\x20\x02\x00\x01\x02\x00\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01",
    b"\x01\x01\x00\x01\x01\x20\x05\x01\x02\x03\x04\x00\x01\x20\x00\x00\x05\x00\x06\x00\x07",
];

/// See `mx::mx_machine`: limits, a seed, and answers in some order.
const ANSWERS: &[&[u8]] = &[
    &[
        64, 20, 1, 2, 0, 0, 2, 1, 60, 5, 10, 3, 1, 1, 60, 5, 20, 3, 2, 0, 60, 2, 1, 0, 1, 1, 60, 2, 7, 0, 60,
        2, 0, 0, 1, 1, 60, 0, 7, 0, 60,
    ],
    &[64, 20, 1, 2, 0, 0, 1, 1, 60, 5, 0, 0, 0, 60],
    &[4, 2, 9, 2, 0, 0, 1, 1, 60, 3, 3, 1, 1, 2, 0, 4, 0, 0, 60, 0, 200, 0, 200, 1, 0, 2, 0, 5],
];
const LINES: &[&str] = &[
    "STAT",
    "LIST 1",
    "TOP 1 10",
    "AUTH PLAIN AG1yb3NlAHRhbnN0YWFm",
    "+OK 2 320",
    "-ERR [SYS/TEMP] later",
    "1 120",
    "2 abc",
    "+ VXNl",
    "APOP mrose c4c9334bac560ecc979e58001b3e22fb",
    "UTF8",
    "LANG de-CH",
    "AUTH",
    "en-boont English Boontling dialect",
    "+Ok es Idioma cambiado",
];
const CONTENT: &[&str] = &[
    "Subject: x\r\n\r\n.dot\r\n..\r\ntext\r\n.\r\nQUIT\r\n",
    "a\n.\nb\r.\rc\r\n.\n.\r\n",
    ".\r\n",
    "\r\n.\r\n",
    "gr\u{fc}n\0\r\n.x\r\n.\r\n",
];

/// Makes all seeds: for each target, names and octets.
///
/// # Errors
/// If a transcript cannot be read.
pub fn make() -> io::Result<Vec<(&'static str, String, Vec<u8>)>> {
    let mut seeds = Vec::new();
    let mut known = BTreeSet::new();
    let mut add = |target: &'static str, name: &str, octets: Vec<u8>| {
        // Many dialogues have lines in common.
        if known.insert((target, octets.clone())) {
            seeds.push((target, name.to_string(), octets));
        }
    };
    let mut pop3 = transcripts("../pop3-proto/tests/transcripts")?;
    pop3.extend(
        POP3.iter()
            .enumerate()
            .map(|(at, text)| (format!("replies-{at}"), Vec::new(), text.as_bytes().to_vec())),
    );
    for (name, client, server) in &pop3 {
        if !client.is_empty() {
            for choice in [0, 3, 9, 12, 21] {
                add("pop3_server", &format!("{name}-{choice}"), script(choice, client));
                add("pop3_server_cut", &format!("{name}-{choice}"), with(choice, client));
            }
        }
        add("pop3_client", name, script(0, server));
        add("pop3_client_cut", name, with(5, &[&[0, 3, 4, 8, 13], &server[..]].concat()));
        add(
            "pop3_client_cut",
            &format!("{name}-tolerant"),
            with(17, &[&[16, 17, 18, 6, 8], &server[..]].concat()),
        );
    }
    let mut smtp = transcripts("../smtp-proto/tests/transcripts")?;
    smtp.extend(
        SMTP.iter()
            .enumerate()
            .map(|(at, text)| (format!("dialogue-{at}"), text.as_bytes().to_vec(), Vec::new())),
    );
    smtp.extend(
        REPLIES
            .iter()
            .enumerate()
            .map(|(at, text)| (format!("replies-{at}"), Vec::new(), text.as_bytes().to_vec())),
    );
    for (name, client, server) in &smtp {
        if !client.is_empty() {
            for choice in [0, 1, 2, 9, 10] {
                add("smtp_server", &format!("{name}-{choice}"), script(choice, client));
                add("smtp_server_cut", &format!("{name}-{choice}"), with(choice, client));
            }
            add("smtp_data", name, with(1, client));
            for (at, line) in client.split(|&octet| octet == b'\n').enumerate() {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                if !line.is_empty() {
                    add("smtp_commands", &format!("{name}-{at}"), with(0, line));
                }
            }
        }
        if !server.is_empty() {
            add("smtp_client", name, script(6, server));
            add("smtp_client_cut", name, with(0, server));
            add("smtp_replies", name, with(1, server));
        }
    }
    for (name, client, _) in &transcripts("../imap-proto/tests/transcripts")? {
        add("imap_commands", name, with(1, client));
        for choice in [0, 3, 28, 185] {
            add("imap_server", &format!("{name}-{choice}"), script(choice, client));
            add("imap_server_cut", &format!("{name}-{choice}"), with(choice, client));
        }
    }
    for (at, text) in IMAP.iter().enumerate() {
        add("imap_commands", &format!("dialogue-{at}"), with(1, text.as_bytes()));
        for choice in [24, 157] {
            add("imap_server", &format!("dialogue-{at}-{choice}"), script(choice, text.as_bytes()));
            add("imap_server_cut", &format!("dialogue-{at}-{choice}"), with(choice, text.as_bytes()));
        }
    }
    for (at, text) in IMAP_RESPONSES.iter().enumerate() {
        add(
            "imap_client_cut",
            &format!("responses-{at}"),
            with(u8::try_from(at).unwrap_or(0), text.as_bytes()),
        );
        for choice in [1, 2, 3] {
            add("imap_client_compress", &format!("responses-{at}-{choice}"), with(choice, text.as_bytes()));
        }
        let octets = crate::imap_client::deflated(&crate::imap_client::tagged(text.as_bytes()));
        add("imap_client_compress", &format!("octets-{at}"), with(4, &octets));
        for (opening, choice) in IMAP_OPENING.iter().zip([6, 3]) {
            let octets = crate::imap_client::tagged([opening, *text].concat().as_bytes());
            add("imap_client", &format!("responses-{at}-{choice}"), script(choice, &octets));
        }
    }
    for (name, client, server) in &examples("../imap-proto/tests/examples")? {
        if !client.is_empty() {
            add("imap_commands", name, with(3, client));
        }
        for choice in [9, 8 + 2, 16 + 4] {
            add("imap_responses", &format!("{name}-{choice}"), with(choice, server));
        }
    }
    for (at, text) in IMAP_RESPONSES.iter().enumerate() {
        add("imap_responses", &format!("responses-{at}"), with(8, text.as_bytes()));
    }
    for (at, text) in REPORTS.iter().enumerate() {
        add("smtp_dsn", &format!("report-{at}"), with(5, text.as_bytes()));
    }
    for (at, text) in ADDRESSES.iter().enumerate() {
        add("address", &format!("address-{at}"), with(0, text.as_bytes()));
    }
    for (at, text) in NAMES.iter().enumerate() {
        add("mx_names", &format!("name-{at}"), text.as_bytes().to_vec());
    }
    for (at, octets) in PACKETS.iter().enumerate() {
        add("mx_packets", &format!("records-{at}"), octets.to_vec());
    }
    for (at, octets) in ANSWERS.iter().enumerate() {
        add("mx_machine", &format!("answers-{at}"), octets.to_vec());
    }
    for (at, text) in MX_STS.iter().enumerate() {
        add("mx_sts", &format!("text-{at}"), text.as_bytes().to_vec());
    }
    for (at, octets) in MX_FILES.iter().enumerate() {
        add("mx_files", &format!("file-{at}"), octets.to_vec());
    }
    for (at, octets) in MX_POLICIES.iter().enumerate() {
        add("mx_policies", &format!("answers-{at}"), octets.to_vec());
        add("mx_discovery", &format!("answers-{at}"), octets.to_vec());
        add("mx_srv", &format!("records-{at}"), octets.to_vec());
    }
    for (at, text) in LINES.iter().enumerate() {
        add("pop3_lines", &format!("line-{at}"), text.as_bytes().to_vec());
    }
    for (at, text) in CONTENT.iter().enumerate() {
        for target in ["smtp_data", "smtp_chunks", "dot_codec", "line_framer"] {
            add(target, &format!("content-{at}"), with(1, text.as_bytes()));
        }
    }
    for (at, (mechanism, text)) in EXCHANGES.iter().enumerate() {
        for choice in 0..4 {
            for target in ["sasl_server", "sasl_client"] {
                add(
                    target,
                    &format!("exchange-{at}-{choice}"),
                    with(mechanism << 3 | choice, text.as_bytes()),
                );
            }
        }
    }
    Ok(seeds)
}

/// Messages of SASL exchanges, each for a mechanism by its place in the list of [`crate::sasl`]: of clients with the
/// host's answers between, and of servers.
const EXCHANGES: &[(u8, &str)] = &[
    (0, "\0tim\0tanstaaf\nyes"),
    (0, "a\0b\0c\nyes\nyes"),
    (1, "\nmrose\ntanstaaf\nyes"),
    (1, "*\n"),
    (0, "dGlt"),
    (
        2,
        "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL\nyes\nc=biws,r=fyko+d2lbbFgONRv9qkxdawL,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    ),
    (
        3,
        "p=tls-exporter,a=kurt,n=user,r=rOprNGfwEbeRWgbNEkqO\nyes\nc=cD10bHMtZXhwb3J0ZXIsLA==,r=rOprNGfwEbeRWgbNEkqO,p=AAAA",
    ),
    (
        4,
        "n,,n=us=2Cer,r=rOprNGfwEbeRWgbNEkqO,x=1\nno\nc=biws,r=rOprNGfwEbeRWgbNEkqO,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    ),
    // The client's nonce of the fixed seed, so that what follows is looked at.
    (
        4,
        "r=lTpk0BY9Ds48Htz+HDR8xpVQmUMlVcoh12345678,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4\nv=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=\n+",
    ),
    (4, "e=unknown-user\n-"),
    (
        4,
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
    ),
    (6, "y,,n=user,r=rOprNGfwEbeRWgbNEkqO\nyes\n"),
    (
        8,
        "n,a=user@example.com,\u{1}host=server.example.com\u{1}port=143\u{1}auth=Bearer vF9dft4qmTc2\u{1}\u{1}\nno\n\u{1}",
    ),
    (9, "user=tim\u{1}auth=Bearer t\u{1}\u{1}\nyes\nyes"),
    (8, "{\"status\":\"invalid_token\"}\n-"),
    (10, "fred@example.com\nyes\nyes"),
    (11, "sirhc\nyes"),
    (12, "\ntim b913a602c7eda7a495b4e6e7334d3890\nyes"),
    (12, "<1896.697170952@postoffice.reston.mci.net>\n+"),
];

/// Name, client's octets and server's octets.
type Dialogue = (String, Vec<u8>, Vec<u8>);

/// The transcripts of a folder; none if there is no such folder.
fn transcripts(folder: &str) -> io::Result<Vec<Dialogue>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let transcript = Transcript::parse(&fs::read_to_string(&path)?).map_err(io::Error::other)?;
        found.push((name, transcript.octets(Side::Client), transcript.octets(Side::Server)));
    }
    found.sort();
    Ok(found)
}

/// The examples of RFCs in a folder, where `⏎` is a line end in a command or response.
fn examples(folder: &str) -> io::Result<Vec<Dialogue>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path)?;
        let octets = |side: char| {
            let lines = text.lines().filter(|line| line.starts_with(side)).filter_map(|line| line.get(3..));
            lines.map(|line| format!("{}\r\n", line.replace('⏎', "\r\n"))).collect::<String>().into_bytes()
        };
        found.push((name, octets('C'), octets('S')));
    }
    found.sort();
    Ok(found)
}

fn with(choice: u8, octets: &[u8]) -> Vec<u8> {
    [&[choice], octets].concat()
}

/// The calls of a driver that hands `octets` in, and does its turn after each piece.
fn script(choice: u8, octets: &[u8]) -> Vec<u8> {
    let mut script = vec![choice];
    for piece in octets.chunks(31) {
        // See `laws::calls`: input of so many octets, a turn.
        script.extend([0, u8::try_from(piece.len()).unwrap_or_default()]);
        script.extend_from_slice(piece);
        script.extend([19, 1]);
    }
    script
}
