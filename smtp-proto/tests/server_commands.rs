//! The tables of states and commands, of addresses and of parameters, against a server session: rows T, A and
//! rules S-4, S-5, S-9, S-12 to S-14, S-17, R-1 to R-3.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use mailwright_core::session::Session as _;
use mailwright_smtp::server::{Closed, Early, Event, TlsMode};
use mailwright_smtp::types::{Notify, Reply, ReplyCode, Return};
use support::{Host, lmtp, smtp, with_auth};

const COMMANDS: [&str; 25] = [
    "EHLO c.example",
    "HELO c.example",
    "LHLO c.example",
    "MAIL FROM:<a@b>",
    "RCPT TO:<a@b>",
    "DATA",
    "BDAT 0",
    "RSET",
    "NOOP",
    "VRFY a",
    "EXPN a",
    "HELP",
    "STARTTLS",
    "AUTH PLAIN",
    "ETRN a",
    "ATRN a",
    "XCLIENT a",
    "XFORWARD a",
    "BURL a",
    "TURN",
    "SEND FROM:<a@b>",
    "SOML FROM:<a@b>",
    "SAML FROM:<a@b>",
    "FOO",
    "QUIT",
];

/// The first three digits of the reply to each command, in a fresh session each time.
fn codes(start: impl Fn() -> Host) -> Vec<String> {
    let code = |command: &str| start().send(format!("{command}\r\n"))[..3].to_string();
    COMMANDS.iter().map(|command| format!("{command}: {}", code(command))).collect()
}

fn expected(codes: [u16; 25]) -> Vec<String> {
    COMMANDS.iter().zip(codes).map(|(command, code)| format!("{command}: {code}")).collect()
}

#[test]
fn t1_to_t15_before_ehlo() {
    assert_eq!(
        codes(|| Host::new(with_auth())),
        expected([
            250, 250, 500, 503, 503, 503, 503, 250, 250, 252, 502, 214, 503, 503, 503, 503, 503, 503, 502,
            502, 502, 502, 502, 500, 221
        ])
    );
}

#[test]
fn t1_to_t15_ready() {
    let mut config = with_auth();
    config.tls = TlsMode::StartTls;
    assert_eq!(
        codes(|| Host::ready(config.clone())),
        expected([
            250, 250, 500, 250, 503, 503, 503, 250, 250, 252, 502, 214, 220, 334, 502, 502, 502, 502, 502,
            502, 502, 502, 502, 500, 221
        ])
    );
}

#[test]
fn t1_to_t15_in_transaction_without_recipient() {
    assert_eq!(
        codes(|| Host::open(with_auth(), &[])),
        expected([
            250, 250, 500, 503, 250, 554, 503, 250, 250, 252, 502, 214, 503, 503, 503, 503, 503, 503, 502,
            502, 502, 502, 502, 500, 221
        ])
    );
}

#[test]
fn t1_t4_lmtp() {
    let replies = codes(|| Host::ready(lmtp()));
    assert_eq!(
        replies[..4],
        ["EHLO c.example: 500", "HELO c.example: 500", "LHLO c.example: 250", "MAIL FROM:<a@b>: 250"]
    );
    assert_eq!(Host::open(lmtp(), &[]).codes("DATA"), "503 5.5.1");
    assert!(Host::open(lmtp(), &["bob@example.org"]).codes("DATA").starts_with("354"));
}

#[test]
fn t10_t11_what_is_not_configured_is_not_implemented() {
    assert_eq!(Host::ready(smtp()).codes("STARTTLS"), "502 5.5.1");
    assert_eq!(Host::ready(smtp()).codes("AUTH PLAIN"), "502 5.5.1");
}

#[test]
fn s12_requests_of_dsn_reach_the_host_where_it_is_announced() {
    let mut config = smtp();
    config.dsn = true;
    config.ask.sender = true;
    let mut host = Host::ready(config);
    host.undecided = true;
    host.send("MAIL FROM:<a@b> RET=hdrs ENVID=QQ+2B1\r\n");
    let sender = host.open.pop().unwrap();
    let Event::Sender(it) = &sender else { panic!("{sender:?}") };
    assert_eq!(it.parameters.ret(), Some(Return::Headers));
    assert_eq!(it.parameters.envelope_id().unwrap().decode(), "QQ+1");
    host.answer(sender);
    host.send("RCPT TO:<c@d> NOTIFY=success,DELAY ORCPT=rfc822;C@d\r\n");
    let recipient = host.open.pop().unwrap();
    let Event::Recipient(it) = &recipient else { panic!("{recipient:?}") };
    assert_eq!(it.parameters.notify(), Some(Notify::SUCCESS.and(Notify::DELAY)));
    assert_eq!(it.parameters.original_recipient().unwrap().as_str(), "rfc822;C@d");
}

#[test]
fn r2_after_helo_dsn_is_not_in_force() {
    let mut config = smtp();
    config.dsn = true;
    let mut host = Host::new(config);
    host.send("HELO c.example\r\n");
    assert_eq!(host.codes("MAIL FROM:<a@b> RET=FULL"), "555 5.5.4");
    assert_eq!(host.codes("MAIL FROM:<a@b>"), "250 2.1.0");
    assert_eq!(host.codes("RCPT TO:<a@b> NOTIFY=NEVER"), "555 5.5.4");
}

#[test]
fn r2_after_helo_no_extension_is_in_force() {
    let mut host = Host::new(with_auth());
    assert_eq!(host.send("HELO c.example\r\n"), "250 mx.example.org\r\n");
    assert_eq!(host.codes("AUTH PLAIN"), "503 5.5.1");
    assert_eq!(host.codes("STARTTLS"), "503 5.5.1");
    assert_eq!(host.codes("MAIL FROM:<a@b> SIZE=1"), "555 5.5.4");
    assert_eq!(host.codes("MAIL FROM:<a@b> BODY=8BITMIME"), "555 5.5.4");
    assert_eq!(host.codes("MAIL FROM:<a@b>"), "250 2.1.0");
}

#[test]
fn r1_no_enhanced_code_stands_in_greeting_and_ehlo() {
    let mut host = Host::new(smtp());
    host.server = mailwright_smtp::server::Server::new(smtp(), [7; 32]);
    assert_eq!(host.send(""), "220 mx.example.org\r\n");
    assert_eq!(
        host.send("EHLO c.example\r\n"),
        "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 36700160\r\n250-8BITMIME\r\n250-CHUNKING\r\n\
         250-ENHANCEDSTATUSCODES\r\n250 LIMITS MAILMAX=1000 RCPTMAX=1000\r\n"
    );
    assert_eq!(host.send("HELO c.example\r\n"), "250 mx.example.org\r\n");
}

#[test]
fn t1_s14_ehlo_in_a_transaction_resets_and_a_refused_one_changes_nothing() {
    let mut host = Host::open(smtp(), &["bob@example.org"]);
    for bad in ["EHLO", "EHLO a b", "EHLO -a", "EHLO [1.2.3]", "EHLO a..b", "EHLO \u{fc}"] {
        assert_eq!(host.codes(bad), "501", "{bad}");
    }
    assert_eq!(host.server.recipients(), 1);
    assert!(host.send("EHLO [IPv6:::1]\r\n").starts_with("250-"));
    assert!(host.saw("reset"));
    assert_eq!(host.codes("DATA"), "503 5.5.1");
    assert_eq!(host.server.client_name().unwrap().as_str(), "[IPv6:::1]");
}

#[test]
fn a_host_can_refuse_ehlo() {
    let mut config = smtp();
    config.ask.hello = true;
    let mut host = Host::open(config, &["bob@example.org"]);
    host.undecided = true;
    assert_eq!(host.send("EHLO other.example\r\n"), "");
    let Some(Event::Hello(hello)) = host.open.pop() else { panic!() };
    host.server.answer(hello.token, Reply::REFUSED_BY_POLICY).unwrap();
    host.run();
    assert_eq!(host.take_output(), "550 Refused by policy\r\n", "R-1");
    assert_eq!(host.server.recipients(), 1);
    assert_eq!(host.server.client_name().unwrap().as_str(), "client.example.com");
}

#[test]
fn t2_s14_mail_in_a_transaction_keeps_it() {
    let mut host = Host::open(smtp(), &["bob@example.org"]);
    assert_eq!(host.codes("MAIL FROM:<x@y>"), "503 5.5.1");
    assert_eq!(host.server.sender().unwrap().to_string(), "<alice@example.com>");
    assert_eq!(host.codes("RSET"), "250 2.0.0");
    assert_eq!(host.codes("MAIL FROM:<x@y>"), "250 2.1.0");
}

#[test]
fn a_refused_sender_opens_no_transaction() {
    let mut config = smtp();
    config.ask.sender = true;
    let mut host = Host::ready(config);
    host.undecided = true;
    host.send("MAIL FROM:<x@y>\r\nRCPT TO:<a@b>\r\n");
    let Some(Event::Sender(sender)) = host.open.pop() else { panic!() };
    host.server.answer(sender.token, Reply::REFUSED_BY_POLICY).unwrap();
    host.run();
    assert_eq!(host.take_output(), "550 5.7.1 Refused by policy\r\n503 5.5.1 Bad sequence of commands\r\n");
}

#[test]
fn r3_arguments_where_none_belong_are_501_and_noop_takes_any() {
    let mut host = Host::open(smtp(), &["bob@example.org"]);
    assert_eq!(host.codes("DATA now"), "501 5.5.4");
    assert_eq!(host.codes("RSET now"), "501 5.5.4");
    assert_eq!(host.codes("QUIT now"), "501 5.5.4");
    assert_eq!(host.codes("VRFY"), "501 5.5.4");
    assert_eq!(host.codes("NOOP any string"), "250 2.0.0");
    let mut config = smtp();
    config.tls = TlsMode::StartTls;
    assert_eq!(Host::ready(config).codes("STARTTLS now"), "501 5.5.4");
}

#[test]
fn verbs_are_matched_in_any_case_and_trailing_spaces_are_forgiven() {
    let mut host = Host::ready(smtp());
    assert_eq!(host.codes("mAiL fRoM:<a@b>  "), "250 2.1.0");
    assert!(host.saw("deviation trailing white space"));
    assert_eq!(host.codes("rcpt to:<a@b>\t"), "250 2.1.5");
    assert_eq!(host.codes(" NOOP"), "500 5.5.2");
    assert_eq!(host.codes("NOOP "), "250 2.0.0");
    assert_eq!(host.codes(""), "500 5.5.2");
}

#[test]
fn gate_of_tls() {
    let mut config = with_auth();
    config.tls = TlsMode::StartTls;
    config.require_tls = true;
    let start = || {
        let mut host = Host::new(config.clone());
        host.send("EHLO c.example\r\n");
        host
    };
    for command in ["MAIL FROM:<>", "RCPT TO:<a@b>", "DATA", "RSET", "VRFY a", "HELP", "AUTH PLAIN", "FOO"] {
        assert_eq!(start().codes(command), "530 5.7.0", "{command}");
    }
    assert_eq!(start().codes("HELO a"), "530");
    assert_eq!(start().codes("NOOP"), "250 2.0.0");
    assert_eq!(start().codes("STARTTLS"), "220 2.0.0");
    assert_eq!(start().codes("QUIT"), "221 2.0.0");
    assert_eq!(start().send("BDAT 4\r\nNOOPNOOP\r\n").matches("\r\n").count(), 2);
}

#[test]
fn gate_of_authentication() {
    let mut config = with_auth();
    config.protocol = mailwright_smtp::server::Protocol::Submission;
    let start = || Host::ready(config.clone());
    for command in ["MAIL FROM:<>", "RCPT TO:<a@b>", "DATA", "VRFY a", "HELP", "EXPN a", "FOO"] {
        assert_eq!(start().codes(command), "530 5.7.0", "{command}");
    }
    assert_eq!(start().codes("HELO a"), "250");
    assert_eq!(start().codes("RSET"), "250 2.0.0");
    assert_eq!(start().codes("NOOP"), "250 2.0.0");
    let mut host = start();
    assert_eq!(host.codes("AUTH PLAIN AGFsaWNlAHRhbnN0YWFm"), "235 2.7.0");
    assert_eq!(host.codes("MAIL FROM:<alice@example.org>"), "250 2.1.0");
}

#[test]
fn a1_to_a14_of_mail() {
    for (path, codes) in [
        ("<>", "250 2.1.0"),
        ("<@a,@b:u@c>", "250 2.1.0"),
        (r#"<"a>b"@c>"#, "250 2.1.0"),
        ("<u@[127.0.0.1]>", "250 2.1.0"),
        ("<u@[IPv6:::1]>", "250 2.1.0"),
        ("<u@[x:y]>", "250 2.1.0"),
        (" <u@c>", "250 2.1.0"),
        ("<Postmaster>", "501 5.1.7"),
        ("<u>", "501 5.1.7"),
        ("<u@a..b>", "501 5.1.7"),
        ("<u@-a>", "501 5.1.7"),
        ("<.u@c>", "501 5.1.7"),
        ("<u@[1.2.3]>", "501 5.1.7"),
        ("<u@c", "501 5.1.7"),
        ("<u v@c>", "501 5.1.7"),
        ("u@c", "501 5.1.7"),
        ("", "501 5.1.7"),
        ("<u@c_d>", "501 5.1.7"),
        ("<\u{fc}@c>", "550 5.6.7"),
        ("<\"\\\u{fc}\"@c>", "501 5.1.7"),
        ("<u@c>x", "501 5.5.4"),
    ] {
        assert_eq!(Host::ready(smtp()).codes(format!("MAIL FROM:{path}")), codes, "{path}");
    }
    let long = "a".repeat(65);
    assert_eq!(Host::ready(smtp()).codes(format!("MAIL FROM:<{long}@c..d>")), "501 5.1.7");
    for line in ["MAIL", "MAIL FROM", "MAIL FROM :<a@b>", "MAIL TO:<a@b>", "MAIL  FROM:<a@b>", "MAIL <a@b>"] {
        assert_eq!(Host::ready(smtp()).codes(line), "501 5.5.4", "{line}");
    }
    assert_eq!(Host::ready(smtp()).codes("MAILFROM:<a@b>"), "500 5.5.2");
    assert_eq!(Host::ready(smtp()).codes(b"MAIL FROM:<\xff@c>"), "501 5.1.7");
}

#[test]
fn a1_to_a14_of_rcpt() {
    for (path, codes) in [
        ("<Postmaster>", "250 2.1.5"),
        ("<pOSTMASTER>", "250 2.1.5"),
        ("<@a,@b:u@c>", "250 2.1.5"),
        (r#"<"a b"@c>"#, "250 2.1.5"),
        ("<>", "501 5.1.3"),
        ("<u>", "553 5.1.3"),
        ("<u@a..b>", "553 5.1.3"),
        ("<u@a.>", "553 5.1.3"),
        ("<u@>", "553 5.1.3"),
        ("<u..v@c>", "553 5.1.3"),
        ("<u@[tag]>", "553 5.1.3"),
        ("<u@c", "501 5.1.3"),
        ("<u@@c>", "501 5.1.3"),
        ("<u\t@c>", "501 5.1.3"),
        ("u@c", "501 5.1.3"),
        ("<\u{fc}@c>", "553 5.6.7"),
        ("<u@\u{fc}>", "553 5.6.7"),
    ] {
        assert_eq!(Host::open(smtp(), &[]).codes(format!("RCPT TO:{path}")), codes, "{path}");
    }
    let long = "a".repeat(65);
    assert_eq!(Host::open(smtp(), &[]).codes(format!("RCPT TO:<{long}@c>")), "501 5.1.3");
    assert_eq!(Host::open(smtp(), &[]).codes("RCPT TO:<a@b> NOTIFY=NEVER"), "555 5.5.4");
    assert_eq!(Host::open(smtp(), &[]).codes("RCPT TO:<a@b> ="), "501 5.5.4");
}

#[test]
fn a11_a13_a14_tolerances_are_switches() {
    let mut config = smtp();
    config.tolerance.missing_brackets = true;
    config.address.underscore_in_domain = true;
    config.tolerance.unknown_parameters = true;
    let mut host = Host::ready(config);
    assert_eq!(host.codes("MAIL FROM:u@c_d SIZE=5 FOO=bar"), "250 2.1.0");
    assert!(host.saw("sender <u@c_d> size Some(5)"));
    assert!(host.saw("deviation missing angle brackets"));
    assert_eq!(host.codes("RCPT TO:postmaster"), "250 2.1.5");
    assert_eq!(host.codes("RCPT TO:<u@c_d>"), "250 2.1.5");
    assert!(host.saw("deviation underscore in domain"));
    let mut config = smtp();
    config.tolerance.space_after_colon = false;
    assert_eq!(Host::ready(config).codes("MAIL FROM: <a@b>"), "501 5.5.4");
}

#[test]
fn s9_s12_parameters_of_mail() {
    for (parameters, codes) in [
        ("SIZE=100", "250 2.1.0"),
        ("size=0", "250 2.1.0"),
        ("SIZE=36700160", "250 2.1.0"),
        ("SIZE=36700161", "552 5.3.4"),
        ("SIZE=18446744073709551616", "552 5.3.4"),
        ("SIZE=99999999999999999999999999", "552 5.3.4"),
        ("SIZE=000000000000000000000000100", "250 2.1.0"),
        ("SIZE", "501 5.5.4"),
        ("SIZE=", "501 5.5.4"),
        ("SIZE=-1", "501 5.5.4"),
        ("SIZE=+1", "501 5.5.4"),
        ("SIZE=0x10", "501 5.5.4"),
        ("SIZE=1 SIZE=1", "501 5.5.4"),
        ("BODY=7BIT", "250 2.1.0"),
        ("BODY=8bitmime", "250 2.1.0"),
        ("BODY", "501 5.5.4"),
        ("BODY=9BIT", "501 5.5.4"),
        ("BODY=7BIT BODY=7BIT", "501 5.5.4"),
        ("SIZE=5 BODY=8BITMIME", "250 2.1.0"),
        ("FOO", "555 5.5.4"),
        ("FOO=bar", "555 5.5.4"),
        ("SMTPUTF8", "555 5.5.4"),
        ("RET=FULL ENVID=x", "555 5.5.4"),
        ("AUTH=<>", "555 5.5.4"),
        ("FOO SIZE=x", "501 5.5.4"),
        ("FOO SIZE=99999999999999999999", "555 5.5.4"),
        ("-FOO=bar", "501 5.5.4"),
        ("FOO=a=b", "501 5.5.4"),
        (" SIZE=1", "501 5.5.4"),
        ("SIZE=1\u{fc}", "501 5.5.4"),
    ] {
        assert_eq!(Host::ready(smtp()).codes(format!("MAIL FROM:<a@b> {parameters}")), codes, "{parameters}");
    }
}

#[test]
fn s3_the_parameter_auth_counts_only_from_an_authenticated_client() {
    let line = "MAIL FROM:<a@b> AUTH=e+3Dmc2@example.com";
    for (login, expected) in [(false, "<>"), (true, "<e=mc2@example.com>")] {
        let mut host = Host::ready(with_auth());
        if login {
            assert_eq!(host.codes("AUTH PLAIN AGFsaWNlAHRhbnN0YWFm"), "235 2.7.0");
        }
        host.undecided = true;
        assert_eq!(host.codes(line), "250 2.1.0");
        let Some(Event::Sender(sender)) = host.open.pop() else { panic!() };
        assert_eq!(sender.parameters.auth().unwrap().to_string(), expected);
        assert_eq!(sender.parameters.get("auth"), Some(Some("e+3Dmc2@example.com")));
    }
    for bad in ["", "=", "=a", "=a+3d@b", "=a+0D@b", "=<a@b>", "=<", "=a@b+"] {
        let expected = "501 5.5.4";
        assert_eq!(Host::ready(with_auth()).codes(format!("MAIL FROM:<a@b> AUTH{bad}")), expected, "{bad}");
    }
    // RFC 4954 §8: the decoded form is what counts.
    for null in ["<>", "+3C>", "+3C+3E"] {
        assert_eq!(Host::ready(with_auth()).codes(format!("MAIL FROM:<a@b> AUTH={null}")), "250 2.1.0");
    }
}

#[test]
fn s4_a_bare_control_makes_one_error_of_two_commands() {
    for joined in
        ["NOOP\rRSET", "NOOP\nRSET", "RSET\n", "NOOP\0", "NOOP \x1b", "MAIL FROM:<a@b\r>", "RCPT TO:<a\n@b>"]
    {
        let mut host = Host::open(smtp(), &["bob@example.org"]);
        assert_eq!(host.codes(joined), "500 5.5.2", "{joined:?}");
        assert_eq!(host.server.recipients(), 1, "{joined:?}");
        assert_eq!(host.codes("NOOP"), "250 2.0.0");
    }
    let mut config = smtp();
    config.tolerance.bare_lf_command_end = true;
    let mut host = Host::new(config);
    assert_eq!(host.send("NOOP\nNOOP\r\n"), "250 2.0.0 OK\r\n250 2.0.0 OK\r\n");
    assert!(host.saw("deviation bare LF"));
}

#[test]
fn s5_bytes_beyond_ascii_belong_nowhere_but_in_a_mailbox() {
    for line in ["NOOP \u{fc}", "VRFY \u{fc}", "RSET \u{fc}", "HELP \u{fc}"] {
        assert_eq!(Host::ready(smtp()).codes(line), "501 5.5.4", "{line}");
    }
    assert_eq!(Host::ready(smtp()).codes("F\u{fc}"), "500 5.5.2");
    assert_eq!(Host::ready(smtp()).codes(b"NOOP \xff"), "501 5.5.4");
}

#[test]
fn s13_a_first_line_of_http_or_no_text_closes_with_554() {
    for first in [
        "GET / HTTP/1.1\r\n",
        "post /\r\n",
        "CONNECT a:25 HTTP/1.0\r\n",
        "Head ",
        "\x16\x03\x01",
        "\r\n",
        "1",
        " ",
    ] {
        let mut host = Host::new(smtp());
        assert!(host.send(first).starts_with("554 5.5.1 "), "{first:?}");
        assert!(host.closed());
        assert_eq!(host.send("NOOP\r\n"), "");
        assert_eq!(host.events.last().unwrap(), &format!("closed {:?}", Closed::NotSmtp));
    }
    let mut host = Host::new(smtp());
    assert_eq!(host.codes("FOO"), "500 5.5.2");
    assert_eq!(host.codes("GET / HTTP/1.1"), "500 5.5.2", "later it is a command like any other");
}

#[test]
fn s17_vrfy_betrays_nobody_unless_the_host_wants_it() {
    assert_eq!(Host::new(smtp()).codes("VRFY alice"), "252 2.0.0");
    let mut config = smtp();
    config.ask.verify = true;
    let mut host = Host::new(config);
    assert_eq!(host.send("VRFY alice\r\n"), "250 2.0.0 <alice@example.org>\r\n");
    assert!(host.saw("verify alice"));
}

#[test]
fn r1_replies_of_the_host_get_an_enhanced_code_on_every_line() {
    let mut host = Host::open(smtp(), &["bob@example.org"]);
    host.verdict = Reply::multi_line(ReplyCode::OK, None, ["queued", "as f\u{fc}nf"]).unwrap();
    host.send("DATA\r\n");
    assert_eq!(host.send(".\r\n"), "250-2.0.0 queued\r\n250 2.0.0 as f?nf\r\n");
}

#[test]
fn t14_quit_executes_nothing_behind_it() {
    let mut host = Host::ready(smtp());
    assert_eq!(host.send("QUIT\r\nMAIL FROM:<a@b>\r\n"), "221 2.0.0 Closing connection\r\n");
    assert!(host.closed());
    assert!(!host.saw("sender"));
    assert_eq!(host.events.last().unwrap(), "closed Quit");
}

#[test]
fn t5_s8_bdat_stays_in_sync_and_an_unreadable_size_closes() {
    let mut host = Host::open(smtp(), &["bob@example.org"]);
    assert_eq!(
        host.send("BDAT 6\r\nQUIT\r\nBDAT 0 LAST\r\nNOOP\r\n"),
        "250 2.0.0 Chunk accepted\r\n250 2.0.0 Message accepted\r\n250 2.0.0 OK\r\n"
    );
    let mut host = Host::new(smtp());
    assert_eq!(host.send("NOOP\r\nBDAT 00000000000000000004 last\r\nQU"), "250 2.0.0 OK\r\n");
    assert_eq!(host.send("ITNOOP\r\n"), "503 5.5.1 Bad sequence of commands\r\n250 2.0.0 OK\r\n");
    for bad in [
        "BDAT",
        "BDAT -1",
        "BDAT +1",
        "BDAT x",
        "BDAT 1LAST",
        "BDAT 1 LAST x",
        "BDAT 1  LAST",
        "BDAT 9223372036854775808",
        "BDAT 000000000000000000001",
        "BDAT 1 2",
    ] {
        let mut host = Host::ready(smtp());
        assert_eq!(host.codes(bad), "501 5.5.4", "{bad}");
        assert!(host.closed(), "{bad}");
    }
}

#[test]
fn s10_what_stands_behind_a_refused_data_is_reported_or_closes() {
    let mut config = smtp();
    config.early.refused_data = Early::Report;
    let mut host = Host::ready(config);
    assert_eq!(host.send("DATA\r\nNOOP\r\n"), "503 5.5.1 Bad sequence of commands\r\n250 2.0.0 OK\r\n");
    assert!(host.saw("deviation command behind the last of its group"));
    let mut host = Host::open(smtp(), &[]);
    assert_eq!(
        host.send("DATA\r\nSubject: x\r\n\r\nMAIL FROM:<>\r\n.\r\n"),
        "554 5.5.1 Octets came before their time\r\n"
    );
    assert!(host.closed());
}

#[test]
fn s10_behind_the_last_of_a_group_commands_are_executed_and_reported() {
    for last in ["VRFY a", "NOOP", "HELP", "EHLO a"] {
        let mut host = Host::ready(smtp());
        let output = host.send(format!("{last}\r\nRSET\r\n"));
        assert!(output.ends_with("250 2.0.0 OK\r\n"), "{output}");
        assert!(host.saw("deviation command behind"), "{last}");
    }
    let mut host = Host::ready(smtp());
    host.send("MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nRSET\r\nMAIL FROM:<>\r\n");
    assert!(!host.saw("deviation"));
    let mut host = Host::new(smtp());
    host.send("HELO a\r\n");
    host.send("MAIL FROM:<a@b>\r\nRSET\r\n");
    assert!(host.saw("deviation command behind"), "HELO announced no PIPELINING");
}

#[test]
fn s10_octets_before_the_greeting_is_read_are_reported_or_refused() {
    let early = |policy| {
        let mut config = smtp();
        config.early.greeting = policy;
        config.timeouts.greeting_delay = core::time::Duration::from_secs(5);
        let mut host = Host::new(config);
        assert!(host.server.poll_timeout().is_some());
        let mut said = host.send("EHLO a\r\n");
        said.push_str(&host.wait(5));
        assert!(host.saw("deviation octets that came too early"));
        said
    };
    assert!(early(Early::Report).starts_with("220 mx.example.org\r\n250-"));
    assert_eq!(early(Early::Refuse), "554 Octets came before their time\r\n");
}

#[test]
fn checks_come_in_order_line_gate_state_syntax_limits_host() {
    let mut config = with_auth();
    config.require_authentication = true;
    config.limits.message = 100;
    let mut host = Host::ready(config.clone());
    // The line goes before the gate, the gate before state and syntax.
    assert_eq!(host.codes("MAIL FROM:<a@b>\0"), "500 5.5.2");
    assert_eq!(host.codes("a".repeat(3000)), "500 5.5.2");
    assert_eq!(host.codes("RCPT TO:<"), "530 5.7.0");
    assert_eq!(host.codes("XYZZY"), "530 5.7.0");
    assert_eq!(host.codes("AUTH PLAIN AGFsaWNlAHRhbnN0YWFm"), "235 2.7.0");
    // State before syntax.
    assert_eq!(host.codes("RCPT TO:<"), "503 5.5.1");
    assert_eq!(host.codes("DATA x"), "503 5.5.1");
    // Syntax before limits: 501, then 555, then 552.
    assert_eq!(host.codes("MAIL FROM:<a@b> SIZE=101 FOO BODY=x"), "501 5.5.4");
    assert_eq!(host.codes("MAIL FROM:<a@b> SIZE=101 FOO"), "555 5.5.4");
    assert_eq!(host.codes("MAIL FROM:<a@b> SIZE=101"), "552 5.3.4");
    // Limits before the host.
    assert!(!host.saw("sender"));
    assert_eq!(host.codes("MAIL FROM:<a@b> SIZE=100"), "250 2.1.0");
    assert!(host.saw("sender"));
    // What cannot be read over closes, before any gate.
    let mut host = Host::ready(config);
    assert_eq!(host.codes("BDAT x"), "501 5.5.4");
    assert!(host.closed());
}

#[test]
fn s10_without_pipelining_any_command_behind_another_is_reported() {
    let group = "MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\n";
    let mut config = smtp();
    config.pipelining = false;
    let mut host = Host::ready(config.clone());
    host.send(group);
    assert_eq!(host.events.iter().filter(|event| event.contains("deviation command behind")).count(), 1);
    assert_eq!(host.server.early(), 1);
    assert_eq!(host.server.recipients(), 1, "and executed in order");
    config.protocol = mailwright_smtp::server::Protocol::Lmtp;
    let mut host = Host::ready(config);
    host.send(group);
    assert!(!host.saw("deviation"), "RFC 2033 §5: LMTP has it always");
}

#[test]
fn s10_without_pipelining_a_command_behind_content_or_an_open_question_is_reported() {
    let reports = |host: &Host| host.events.iter().filter(|event| event.contains("command behind")).count();
    let mut config = smtp();
    config.pipelining = false;
    for content in ["BDAT 5 LAST\r\ntext\n", "BDAT 0\r\n", "BDAT 0 LAST\r\n"] {
        let mut host = Host::open(config.clone(), &["bob@example.org"]);
        host.send(content);
        assert_eq!(reports(&host), 0, "{content:?}");
        let mut host = Host::open(config.clone(), &["bob@example.org"]);
        host.send(format!("{content}NOOP\r\n"));
        assert_eq!(reports(&host), 1, "{content:?}");
    }
    let mut host = Host::in_content(config.clone());
    host.send("text\r\n.\r\nNOOP\r\n");
    assert_eq!(reports(&host), 1);
    // A question that is open, and what comes then.
    let mut host = Host::open(config.clone(), &[]);
    host.undecided = true;
    host.send("RCPT TO:<bob@example.org>\r\n");
    assert_eq!(reports(&host), 0);
    host.send("RCPT TO:<carol@example.org>\r\n");
    assert_eq!(reports(&host), 1);
    // Behind BDAT stands its chunk, whoever is asked about it.
    config.ask.data = true;
    let mut host = Host::open(config, &["bob@example.org"]);
    host.undecided = true;
    host.send("BDAT 5 LAST\r\ntext\n");
    assert_eq!(reports(&host), 0, "{:?}", host.events);
}

#[test]
fn r8_no_octet_beyond_ascii_is_sent() {
    let mut config = smtp();
    config.ask.verify = true;
    let mut host = Host::ready(config);
    host.undecided = true;
    host.send("VRFY a\r\n");
    let Some(Event::Verify(verify)) = host.open.pop() else { panic!() };
    let reply = Reply::new(ReplyCode::OK, None, "J\u{fc}rgen <a@b>").unwrap();
    host.server.answer(verify.token, reply).unwrap();
    host.run();
    assert_eq!(host.take_output(), "252 2.6.8 A reply beyond ASCII needs SMTPUTF8\r\n");
    host.send("MAIL FROM:<a@b>\r\n");
    host.send("RCPT TO:<a@b>\r\n");
    let Some(Event::Recipient(recipient)) = host.open.pop() else { panic!() };
    let reply = Reply::OK.with_text("J\u{fc}rgen \u{20ac}").unwrap();
    host.server.answer(recipient.token, reply).unwrap();
    host.run();
    assert_eq!(host.take_output(), "250 2.0.0 J?rgen ?\r\n");
}
