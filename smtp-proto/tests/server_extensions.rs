//! SMTPUTF8, REQUIRETLS, LIMITS, AUTH=, the requests to a queue, VRFY, EXPN, HELP, ETRN, ATRN, and a server without
//! service: rules 2.1.2, S-12, S-13, S-17, R-2, R-8, R-13; rows T9, T12; RFC 6531, RFC 8689, RFC 9422, RFC 2852, RFC 4865,
//! RFC 6710, RFC 7293, RFC 1985, RFC 7504.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use mailwright_core::value::Misuse;
use mailwright_smtp::server::{Config, Event, Protocol, TlsMode};
use mailwright_smtp::types::{Arguments, FutureRelease, HoldInterval, Reply, ReplyCode};
use support::{Host, codes, smtp, with_auth};

fn utf8() -> Config {
    let mut config = smtp();
    config.smtp_utf8 = true;
    config
}

/// Any number of errors.
fn patient(mut config: Config) -> Config {
    (config.limits.soft_errors, config.limits.hard_errors) = (u32::MAX, u32::MAX);
    config
}

/// Sends lines, each answered as it stands behind it.
fn dialogue(host: &mut Host, lines: &[(&str, &str)]) {
    for (line, expected) in lines {
        assert_eq!(host.codes(line), *expected, "{line}");
    }
}

#[test]
fn s12_an_address_beyond_ascii_needs_smtputf8() {
    dialogue(
        &mut Host::ready(utf8()),
        &[
            ("MAIL FROM:<j\u{fc}rgen@example.org>", "550 5.6.7"),
            ("MAIL FROM:<a@b\u{fc}cher.example>", "550 5.6.7"),
            ("MAIL FROM:<a@b>", "250 2.1.0"),
            ("RCPT TO:<j\u{fc}rgen@example.org>", "553 5.6.7"),
            ("RCPT TO:<bob@b\u{fc}cher.example>", "553 5.6.7"),
            ("RCPT TO:<bob@xn--bcher-kva.example>", "250 2.1.5"),
            ("RSET", "250 2.0.0"),
            ("MAIL FROM:<j\u{fc}rgen@b\u{fc}cher.example> SMTPUTF8", "250 2.1.0"),
            ("RCPT TO:<\u{7528}\u{6237}@example.org>", "250 2.1.5"),
            ("RCPT TO:<\"\u{7528} \u{6237}\"@example.org>", "250 2.1.5"),
            ("RSET", "250 2.0.0"),
            ("MAIL FROM:<a@b>", "250 2.1.0"),
            // It held for that transaction only.
            ("RCPT TO:<j\u{fc}rgen@example.org>", "553 5.6.7"),
        ],
    );
}

#[test]
fn s12_smtputf8_has_no_value_and_must_be_announced() {
    dialogue(
        &mut Host::ready(utf8()),
        &[
            ("MAIL FROM:<a@b> SMTPUTF8=1", "501 5.5.4"),
            ("MAIL FROM:<a@b> SMTPUTF8 smtputf8", "501 5.5.4"),
            ("MAIL FROM:<a@b> smtpUtf8", "250 2.1.0"),
            ("RCPT TO:<a@b> SMTPUTF8", "555 5.5.4"),
        ],
    );
    dialogue(&mut Host::ready(smtp()), &[("MAIL FROM:<a@b> SMTPUTF8", "555 5.5.4")]);
    let mut host = Host::new(utf8());
    host.send("HELO a\r\n");
    dialogue(&mut host, &[("MAIL FROM:<a@b> SMTPUTF8", "555 5.5.4"), ("MAIL FROM:<\u{fc}@b>", "550 5.6.7")]);
}

#[test]
fn invalid_utf8_is_an_error_also_under_smtputf8() {
    let mut host = Host::ready(patient(utf8()));
    for bad in [&b"\xff"[..], b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc2\x80"] {
        let line = [b"MAIL FROM:<a", bad, b"@b> SMTPUTF8"].concat();
        assert_eq!(host.codes(line), "501 5.1.7", "{bad:x?}");
        let line = [b"MAIL FROM:<a@b> SMTPUTF8 ENVID=", bad].concat();
        assert_eq!(host.codes(line), "501 5.5.4", "{bad:x?}");
        let line = [b"VRFY ", bad, b" SMTPUTF8"].concat();
        assert_eq!(host.codes(line), "501 5.5.4", "{bad:x?}");
    }
    assert_eq!(host.codes("MAIL FROM:<a@b> SMTPUTF8"), "250 2.1.0");
    for bad in [&b"\xff"[..], b"\xc3", b"\xc0\x80"] {
        let line = [b"RCPT TO:<a", bad, b"@b>"].concat();
        assert_eq!(host.codes(line), "501 5.1.3", "{bad:x?}");
    }
}

#[test]
fn s12_an_original_recipient_may_be_raw_only_under_smtputf8() {
    let mut config = utf8();
    config.dsn = true;
    dialogue(
        &mut Host::ready(config),
        &[
            ("MAIL FROM:<a@b> ENVID=\u{fc}", "501 5.5.4"),
            ("MAIL FROM:<a@b> ENVID=\u{fc} SMTPUTF8", "501 5.5.4"),
            ("MAIL FROM:<a@b>", "250 2.1.0"),
            ("RCPT TO:<a@b> ORCPT=utf-8;\u{fc}@b", "501 5.5.4"),
            ("RCPT TO:<a@b> ORCPT=utf-8;\\x{FC}@b", "250 2.1.5"),
            ("RSET", "250 2.0.0"),
            ("MAIL FROM:<a@b> SMTPUTF8", "250 2.1.0"),
            ("RCPT TO:<a@b> ORCPT=utf-8;\u{fc}@b", "250 2.1.5"),
            ("RCPT TO:<a@b> ORCPT=rfc822;\u{fc}@b", "501 5.5.4"),
        ],
    );
}

#[test]
fn the_message_tells_that_smtputf8_was_said() {
    let mut config = utf8();
    config.content.undeclared_eight_bit = mailwright_smtp::server::Unusual::Reject;
    let mut host = Host::ready(config);
    dialogue(&mut host, &[("MAIL FROM:<a@b> SMTPUTF8", "250 2.1.0")]);
    assert_eq!(host.server.with().to_string(), "UTF8SMTP");
    dialogue(&mut host, &[("RCPT TO:<bob@b>", "250 2.1.5"), ("DATA", "354")]);
    host.undecided = true;
    host.send("Subject: Gr\u{fc}\u{df}e\r\n\r\n.\r\n");
    let Some(Event::Message(message)) = host.open.pop() else { panic!("{:?}", host.events) };
    assert!(message.smtp_utf8 && message.declared_eight_bit && !message.binary);
}

#[test]
fn r8_addresses_beyond_ascii_stand_in_replies_only_where_the_client_can_read_them() {
    let will_forward = || Reply::new(ReplyCode::WILL_FORWARD, None, "forwards to <j\u{fc}rgen@b>").unwrap();
    let not_local = || Reply::new(ReplyCode::USER_NOT_LOCAL, None, "try <j\u{fc}rgen@b>").unwrap();
    for (mail, reply, expected) in [
        ("MAIL FROM:<a@b> SMTPUTF8", will_forward(), "251 2.0.0 forwards to <j\u{fc}rgen@b>\r\n"),
        ("MAIL FROM:<a@b> SMTPUTF8", not_local(), "551 5.0.0 try <j\u{fc}rgen@b>\r\n"),
        ("MAIL FROM:<a@b>", will_forward(), "250 2.1.5 Recipient OK\r\n"),
        ("MAIL FROM:<a@b>", not_local(), "550 5.1.6 User not local\r\n"),
        ("MAIL FROM:<a@b> SMTPUTF8", Reply::OK.with_text("j\u{fc}rgen").unwrap(), "250 2.0.0 j?rgen\r\n"),
    ] {
        let mut host = Host::ready(utf8());
        host.send(format!("{mail}\r\n"));
        host.undecided = true;
        host.send("RCPT TO:<bob@example.org>\r\n");
        let Some(Event::Recipient(recipient)) = host.open.pop() else { panic!() };
        host.server.answer(recipient.token, reply).unwrap();
        host.run();
        assert_eq!(host.take_output(), expected, "{mail}");
    }
}

#[test]
fn r8_vrfy_and_expn_speak_beyond_ascii_only_where_the_command_said_so() {
    let mut config = utf8();
    config.ask.verify = true;
    config.ask.expand = true;
    let found = || Reply::new(ReplyCode::OK, None, "<j\u{fc}rgen@b>").unwrap();
    let unknown = || Reply::NO_SUCH_USER.with_text("no j\u{fc}rgen").unwrap();
    for (line, reply, expected) in [
        ("VRFY j\u{fc}rgen SMTPUTF8", found(), "250 2.0.0 <j\u{fc}rgen@b>\r\n"),
        ("EXPN list smtputf8", found(), "250 2.0.0 <j\u{fc}rgen@b>\r\n"),
        ("VRFY list", found(), "252 2.6.8 A reply beyond ASCII needs SMTPUTF8\r\n"),
        ("EXPN list", found(), "252 2.6.8 A reply beyond ASCII needs SMTPUTF8\r\n"),
        ("VRFY list", unknown(), "550 5.6.8 A reply beyond ASCII needs SMTPUTF8\r\n"),
        ("VRFY list", Reply::OK, "250 2.0.0 OK\r\n"),
    ] {
        let mut host = Host::ready(config.clone());
        host.undecided = true;
        host.send(format!("{line}\r\n"));
        match host.open.pop() {
            Some(Event::Verify(it)) => host.server.answer(it.token, reply).unwrap(),
            Some(Event::Expand(it)) => host.server.answer(it.token, reply).unwrap(),
            other => panic!("{other:?}"),
        }
        host.run();
        assert_eq!(host.take_output(), expected, "{line}");
    }
    dialogue(&mut Host::ready(utf8()), &[("VRFY \u{fc}", "501 5.5.4"), ("VRFY  SMTPUTF8", "501 5.5.4")]);
    dialogue(&mut Host::ready(smtp()), &[("VRFY \u{fc} SMTPUTF8", "501 5.5.4")]);
}

#[test]
fn s17_lists_are_expanded_only_where_the_host_does_it() {
    let mut config = smtp();
    config.ask.expand = true;
    config.ask.help = true;
    let mut host = Host::ready(config);
    assert_eq!(
        host.send("EXPN staff\r\n"),
        "250-2.0.0 <alice@example.org>\r\n250 2.0.0 <bob@example.org>\r\n"
    );
    assert!(host.saw("expand staff false"));
    assert_eq!(host.codes("EXPN"), "501 5.5.4");
    assert_eq!(host.send("HELP MAIL\r\n"), "214 2.0.0 Ask the postmaster\r\n");
    assert!(host.saw("help MAIL"));
    dialogue(
        &mut Host::ready(smtp()),
        &[("EXPN staff", "502 5.5.1"), ("HELP", "214 2.0.0"), ("VRFY bob", "252 2.0.0")],
    );
}

#[test]
fn t12_etrn_and_atrn_are_the_hosts() {
    let mut config = with_auth();
    config.ask.etrn = true;
    config.ask.atrn = true;
    let mut host = Host::new(config.clone());
    assert_eq!(host.codes("ETRN example.org"), "503 5.5.1");
    host.send("HELO a\r\n");
    assert_eq!(host.codes("ETRN example.org"), "503 5.5.1", "no extension is in force");
    let mut host = Host::ready(config);
    assert_eq!(host.codes("ETRN @example.org"), "459 4.0.0");
    assert!(host.saw("ETRN @example.org"));
    dialogue(
        &mut host,
        &[
            ("ETRN", "501 5.5.4"),
            ("ATRN", "530 5.7.0"),
            ("MAIL FROM:<a@b>", "250 2.1.0"),
            ("ETRN x", "503 5.5.1"),
        ],
    );
    dialogue(&mut host, &[("RSET", "250 2.0.0"), ("AUTH PLAIN AGFsaWNlAHRhbnN0YWFm", "235 2.7.0")]);
    host.undecided = true;
    host.send("ATRN example.org\r\n");
    let Some(Event::QueueRun(run)) = host.open.pop() else { panic!() };
    let refused = host.server.answer(run.token, Reply::OK).unwrap_err();
    assert_eq!(refused.misuse, Misuse::WrongAnswer);
    host.server
        .answer(refused.token, Reply::new(ReplyCode::new(453).unwrap(), None, "No mail").unwrap())
        .unwrap();
    host.run();
    assert_eq!(host.take_output(), "453 4.0.0 No mail\r\n");
}

fn requiretls() -> Host {
    let mut config = smtp();
    config.tls = TlsMode::StartTls;
    config.requiretls = true;
    Host::ready(config)
}

#[test]
fn s12_requiretls_needs_tls() {
    let mut host = requiretls();
    assert_eq!(host.codes("MAIL FROM:<a@b> REQUIRETLS"), "530 5.7.10");
    assert_eq!(host.codes("MAIL FROM:<a@b> REQUIRETLS=1"), "501 5.5.4");
    assert!(host.send("STARTTLS\r\n").starts_with("220"));
    host.secure();
    assert!(host.send("EHLO a\r\n").contains("REQUIRETLS\r\n"));
    host.undecided = true;
    let mut config = smtp();
    config.requiretls = true;
    config.tls = TlsMode::Implicit;
    config.ask.sender = true;
    let mut host = Host::new(config);
    host.secure();
    host.send("EHLO a\r\n");
    host.undecided = true;
    host.send("MAIL FROM:<a@b> REQUIRETLS\r\n");
    let Some(Event::Sender(sender)) = host.open.pop() else { panic!() };
    assert!(sender.parameters.require_tls());
    // Not announced.
    dialogue(&mut Host::ready(smtp()), &[("MAIL FROM:<a@b> REQUIRETLS", "555 5.5.4")]);
}

#[test]
fn s13_recipients_of_a_domain_too_many_are_for_later() {
    let mut config = smtp();
    config.limits.recipient_domains = 2;
    let mut host = Host::ready(config);
    dialogue(
        &mut host,
        &[
            ("MAIL FROM:<a@b>", "250 2.1.0"),
            ("RCPT TO:<bob@one.example>", "250 2.1.5"),
            ("RCPT TO:<bob@two.example>", "250 2.1.5"),
            ("RCPT TO:<bob@three.example>", "452 4.5.3"),
            ("RCPT TO:<carol@ONE.example>", "250 2.1.5"),
            ("RCPT TO:<Postmaster>", "250 2.1.5"),
            ("RSET", "250 2.0.0"),
            ("MAIL FROM:<a@b>", "250 2.1.0"),
            // In one session, not in one transaction.
            ("RCPT TO:<bob@three.example>", "452 4.5.3"),
            ("RCPT TO:<dave@two.example>", "250 2.1.5"),
        ],
    );
    assert_eq!(host.server.recipients(), 1);
}

fn queue(protocol: Protocol) -> Config {
    let mut config = with_auth();
    config.protocol = protocol;
    config.promises.deliver_by = Some(60);
    config.promises.future_release = Some(FutureRelease {
        interval: HoldInterval::new(3600).unwrap(),
        until: "2030-01-01T00:00:00Z".parse().unwrap(),
    });
    config.promises.mt_priority = Some(Arguments::default());
    config.promises.rrvs = true;
    config
}

/// A submission by somebody who is known.
fn submission() -> Host {
    let mut host = Host::ready(patient(queue(Protocol::Submission)));
    assert_eq!(host.codes("AUTH PLAIN AGFsaWNlAHRhbnN0YWFm"), "235 2.7.0");
    host
}

/// Whether MAIL with these parameters is accepted, by its reply.
fn mail(host: &mut Host, parameters: &str) -> String {
    let codes = host.codes(format!("MAIL FROM:<a@b> {parameters}"));
    host.codes("RSET");
    codes
}

#[test]
fn r13_requests_to_the_queue_are_read_where_the_host_promises_to_obey() {
    let mut host = Host::ready(smtp());
    for parameter in ["BY=120;R", "HOLDFOR=1", "HOLDUNTIL=2029-01-01T00:00:00Z", "MT-PRIORITY=-1"] {
        assert_eq!(mail(&mut host, parameter), "555 5.5.4", "{parameter}");
    }
    let mut host = submission();
    for parameter in [
        "BY=120;R",
        "HOLDFOR=1",
        "HOLDUNTIL=2029-01-01T00:00:00Z",
        "MT-PRIORITY=-1",
        "by=-5;nt mt-priority=9",
    ] {
        assert_eq!(mail(&mut host, parameter), "250 2.1.0", "{parameter}");
    }
    for parameter in [
        "BY",
        "BY=120",
        "BY=0;R",
        "BY=120;R BY=120;R",
        "HOLDFOR=0",
        "HOLDFOR=3601",
        "HOLDFOR=1 HOLDUNTIL=2029-01-01T00:00:00Z",
        "HOLDUNTIL=2030-01-01T00:00:01Z",
        "HOLDUNTIL=2029-01-01T00:00:00+00:00",
        "MT-PRIORITY=10",
        "MT-PRIORITY",
        "MT-PRIORITY=1 MT-PRIORITY=1",
        // The deadline would pass before the release.
        "HOLDFOR=121 BY=120;N",
    ] {
        assert_eq!(mail(&mut host, parameter), "501 5.5.4", "{parameter}");
    }
    assert_eq!(mail(&mut host, "BY=59;R"), "555 5.5.4");
    assert_eq!(mail(&mut host, "BY=59;N"), "250 2.1.0");
    dialogue(
        &mut host,
        &[
            ("MAIL FROM:<a@b>", "250 2.1.0"),
            ("RCPT TO:<a@b> RRVS=2014-04-03T23:01:00Z", "250 2.1.5"),
            ("RCPT TO:<a@b> RRVS=2014-04-03T23:01:00Z;C", "250 2.1.5"),
            ("RCPT TO:<a@b> RRVS=2014-04-03", "501 5.5.4"),
            ("RCPT TO:<a@b> BY=120;R", "555 5.5.4"),
        ],
    );
    dialogue(&mut Host::open(smtp(), &[]), &[("RCPT TO:<a@b> RRVS=2014-04-03T23:01:00Z", "555 5.5.4")]);
}

#[test]
fn future_release_is_for_submission_only() {
    let mut host = Host::ready(queue(Protocol::Smtp));
    assert_eq!(mail(&mut host, "HOLDFOR=1"), "555 5.5.4");
    assert!(!host.send("EHLO a\r\n").contains("FUTURERELEASE"));
}

#[test]
fn a_priority_is_raised_only_by_somebody_who_is_known() {
    let mut host = Host::ready(queue(Protocol::Smtp));
    assert_eq!(mail(&mut host, "MT-PRIORITY=3"), "250 2.3.6");
    assert_eq!(mail(&mut host, "MT-PRIORITY=-3"), "250 2.1.0");
    assert_eq!(mail(&mut submission(), "MT-PRIORITY=3"), "250 2.1.0");
    let mut config = queue(Protocol::Smtp);
    config.ask.sender = true;
    let mut host = Host::ready(config);
    host.undecided = true;
    host.send("MAIL FROM:<a@b> MT-PRIORITY=3\r\n");
    let Some(Event::Sender(sender)) = host.open.pop() else { panic!() };
    assert_eq!(sender.parameters.priority().unwrap().get(), 0);
}

#[test]
fn s3_auth_on_mail_counts_only_from_somebody_who_is_known() {
    let mut config = with_auth();
    config.ask.sender = true;
    let auth = |host: &mut Host| {
        host.undecided = true;
        host.send("MAIL FROM:<a@b> AUTH=e+3Dmc2@example.com\r\n");
        let Some(Event::Sender(sender)) = host.open.pop() else { panic!() };
        sender.parameters.auth().unwrap().to_string()
    };
    assert_eq!(auth(&mut Host::ready(config.clone())), "<>");
    let mut host = Host::ready(config);
    assert_eq!(host.codes("AUTH PLAIN AGFsaWNlAHRhbnN0YWFm"), "235 2.7.0");
    assert_eq!(auth(&mut host), "<e=mc2@example.com>");
}

#[test]
fn a_server_without_service_says_so_and_waits_for_quit() {
    let mut config = smtp();
    config.refuse_service(Reply::NO_MAIL).unwrap();
    assert_eq!(config.refuse_service(Reply::OK), Err(Misuse::WrongAnswer));
    let mut host = Host::new(config.clone());
    assert_eq!(config.name(), "mx.example.org");
    dialogue(
        &mut host,
        &[
            ("EHLO a", "503"),
            ("NOOP", "503 5.5.1"),
            ("MAIL FROM:<>", "503 5.5.1"),
            ("XYZZY", "503 5.5.1"),
            ("QUIT", "221 2.0.0"),
        ],
    );
    assert!(host.closed());
    // 421 closes by itself.
    config.refuse_service(Reply::SERVICE_UNAVAILABLE).unwrap();
    let host = Host::new(config);
    assert!(host.closed() && host.saw("closed Refused"), "{:?}", host.events);
}

#[test]
fn the_greeting_of_a_server_without_service_has_no_enhanced_code() {
    use mailwright_core::session::Session as _;
    let mut config = smtp();
    config.refuse_service(Reply::NO_MAIL).unwrap();
    let mut server = mailwright_smtp::Server::new(config, [1; 32]);
    let said = server.transmit().take();
    assert_eq!(codes(core::str::from_utf8(&said).unwrap()), "521");
}
