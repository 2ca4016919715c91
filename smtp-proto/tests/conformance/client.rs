//! The numbered rules of the client: C-1 to C-10.

use mailwright_core::session::Session as _;
use mailwright_sasl::{Credentials, Seed};
use mailwright_smtp::client::{Client, Config, MailOptions, Protocol, TlsMode};
use mailwright_smtp::value::ForwardPath;

use crate::table::{Asking, Table, announced, announced_to, client};

fn mail(client: &mut Client) -> Result<(), mailwright_smtp::value::Misuse> {
    client.mail(&"<a@b>".parse().unwrap(), MailOptions::default()).map(|_| ())
}

fn rcpt(client: &mut Client) -> Result<(), mailwright_smtp::value::Misuse> {
    client.rcpt(&"<b@c>".parse().unwrap()).map(|_| ())
}

fn data(client: &mut Client) -> Result<(), mailwright_smtp::value::Misuse> {
    client.data().map(|_| ())
}

fn plain() -> Asking {
    announced(&[])
}

/// MAIL, some RCPT and DATA in one group.
fn group(recipients: usize) -> Asking {
    let mut asking = announced(&["PIPELINING"]).says(mail);
    for _ in 0..recipients {
        asking = asking.says(rcpt);
    }
    asking.says(data)
}

fn tls(mode: TlsMode) -> Asking {
    client(&format!("{mode:?}"), |config| config.tls = mode)
}

fn lmtp() -> Asking {
    announced_to(client("LMTP", |config| config.protocol = Protocol::Lmtp), &["PIPELINING"])
}

pub(crate) fn rows(table: &mut Table) {
    barrier(table);
    replies(table);
    transactions(table);
    authentication(table);
    recipients(table);
    hello(table);
    groups(table);
}

fn barrier(table: &mut Table) {
    table.row(
        "C-1",
        "Any octet behind the reply to STARTTLS is an error; after TLS everything is asked again",
    );
    let agreed =
        || tls(TlsMode::Required).hears("220 s.example\r\n").hears("250-s.example\r\n250 STARTTLS\r\n");
    for injected in ["250 OK\r\n", "2", "\r\n"] {
        let error = format!("closed: octets behind the reply to STARTTLS: \"{}\"", injected.escape_default());
        table.client(agreed(), format!("220 go\r\n{injected}"), &error);
    }
    let secured = agreed().hears("220 go\r\n").in_tls();
    table.case(
        "STARTTLS is announced no more, and then?",
        "false",
        secured.client.capabilities().start_tls().to_string(),
    );
    let mut secured = agreed().hears("220 go\r\n");
    secured.client.handle_upgrade(
        mailwright_core::session::Upgraded::Tls(mailwright_core::session::TlsInfo::default()),
        mailwright_core::value::Instant::ORIGIN,
    );
    table.case("the handshake ends", "EHLO c.example⏎", secured.wrote());

    table.row(
        "C-2",
        "Required TLS fails closed; a password never travels in plain text unless that is allowed",
    );
    let greeted = |mode| tls(mode).hears("220 s.example\r\n");
    table.client(
        greeted(TlsMode::Required),
        "250 s.example\r\n",
        "closed: TLS is required, and the server does not announce STARTTLS; C: QUIT⏎",
    );
    for refusal in ["454 later\r\n", "502 no\r\n"] {
        let asking = greeted(TlsMode::Required).hears("250-s.example\r\n250 STARTTLS\r\n");
        table.client(
            asking,
            refusal,
            &format!(
                "closed: TLS is required, and the server refused STARTTLS: {}; C: QUIT⏎",
                refusal.trim_end()
            ),
        );
        let asking = greeted(TlsMode::Opportunistic).hears("250-s.example\r\n250 STARTTLS\r\n");
        table.client(asking, refusal, &format!("TLS declined {}; ready", &refusal[..3]));
    }
    table.client(greeted(TlsMode::Opportunistic), "250 s.example\r\n", "ready");
    table.client(greeted(TlsMode::None), "250-s.example\r\n250 STARTTLS\r\n", "ready");
    table.case("[Implicit] before the handshake", "", tls(TlsMode::Implicit).wrote());
    let asking = announced_to(
        client("no passwords in plain text", |config| config.sasl.clear_text_without_tls = false),
        &["AUTH PLAIN LOGIN"],
    );
    table.call(asking, "authenticate", authenticate, "Choose(ClearText)");
}

fn authenticate(client: &mut Client) -> Result<(), mailwright_smtp::client::AuthenticateError> {
    let credentials = Credentials::password("alice", "tanstaaf").unwrap();
    client.authenticate(&credentials, Seed::new([1; 32]).nonce()).map(|_| ())
}

fn replies(table: &mut Table) {
    table.row("C-3", "Malformed, endless, unsolicited replies are errors; 421 ends the session at any time; a stale connection says so");
    let asked = || plain().says(|client| client.noop());
    let again = "close the connection and try later or elsewhere";
    for (reply, error) in [
        ("250-a\r\n251 b\r\n", "reply code 251 behind 250 in line 2 of a reply: \"251 b\""),
        ("199 x\r\n", "no valid reply code in line 1 of a reply: \"199 x\""),
        ("560 x\r\n", "no valid reply code in line 1 of a reply: \"560 x\""),
        ("250x\r\n", "malformed separator behind the reply code in line 1 of a reply: \"250x\""),
        ("250 a\nb\r\n", "bare LF in line 1 of a reply: \"250 a\""),
        ("250 a\rb\r\n", "bare CR in line 1 of a reply: \"250 a\\rb\""),
        ("250 a\0\r\n", "NUL in line 1 of a reply: \"250 a\\x00\""),
    ] {
        table.client(asked(), reply, &format!("closed: {error}; {again}"));
    }
    let line = format!("250 {}\r\n", "x".repeat(4097 - 6));
    table.client(
        asked(),
        &line,
        &format!("closed: overlong line in line 1 of a reply: \"250 {}\"; {again}", "x".repeat(60)),
    );
    table.client(
        asked(),
        "250-x\r\n".repeat(1001),
        &format!("closed: too many lines in line 1001 of a reply: \"250-x\"; {again}"),
    );
    table.client(plain(), "250 OK\r\n", "closed: a reply to nothing: 250 OK");
    table.client(asked(), "250 OK\r\n250 OK\r\n", "reply 250; closed: a reply to nothing: 250 OK");
    table.client(asked(), "354 go\r\n", "closed: a reply that fits no reply to NOOP: 354 go");
    table.client(plain(), "421 down\r\n", "closed: the server closes the session: 421 down");
    table.client(asked(), "421 down\r\n", "closed: the server closes the session: 421 down");
    let quitted = || plain().says(|client| client.quit()).hears("221 bye\r\n");
    table.client(quitted(), "250 more\r\n", "closed: a reply to nothing: 250 more");
    table.client(quitted(), "421 bye\r\n", "closed: closed after QUIT: 221 bye");
    let reused = || {
        group(1)
            .hears("250 ok\r\n250 ok\r\n354 go\r\n")
            .says(|client| client.end_content())
            .hears("250 queued\r\n")
    };
    table.client(
        reused(),
        "421 idle\r\n",
        "closed: the reused connection had gone stale; repeat on a new one",
    );
    table.case(
        "(a message was sent) the server is gone behind MAIL",
        "closed: the reused connection had gone stale; repeat on a new one",
        reused().says(mail).at_end(),
    );
    table.case(
        "the server is gone behind MAIL",
        "closed: the connection ended while waiting for reply to MAIL",
        plain().says(mail).at_end(),
    );
}

fn transactions(table: &mut Table) {
    table.row("C-4", "All recipients refused and 354 all the same: an empty content; 2yz to DATA: a protocol error; a refused MAIL is what is told");
    table.client(group(1).hears("250 ok\r\n550 no\r\n"), "354 go\r\n", "C: .⏎");
    table.client(group(1).hears("250 ok\r\n550 no\r\n354 go\r\n"), "554 no\r\n", "no content 554");
    table.client(group(1).hears("250 ok\r\n550 no\r\n"), "554 no\r\n", "no content 554");
    table.client(
        group(1).hears("250 ok\r\n250 ok\r\n"),
        "250 ok\r\n",
        "closed: a reply that fits no reply to DATA: 250 ok",
    );
    table.client(group(1).hears("550 no\r\n503 no\r\n"), "354 go\r\n", "C: .⏎");
    table.case(
        "(MAIL) 550 not you⏎, and the server closes",
        "closed: the server refused the sender and closed: 550 not you",
        plain().says(mail).hears("550 not you\r\n").at_end(),
    );
}

fn authentication(table: &mut Table) {
    table.row(
        "C-5",
        "AUTH: undecodable challenges are cancelled, success needs proof, no weaker mechanism after 535",
    );
    let asking = || announced(&["AUTH PLAIN LOGIN SCRAM-SHA-256"]).says(authenticate);
    table.client(asking(), "334 !\r\n", "C: *⏎");
    table.client(
        asking().hears("334 !\r\n"),
        "501 cancelled\r\n",
        "not authenticated: authentication by SCRAM-SHA-256 cancelled at the challenge \"!\"",
    );
    // The nonce of the client is not at the front; too few iterations; success without the server's proof.
    table.client(asking(), "334 cj1vdGhlcixzPWFiY2QsaT00MDk2\r\n", "C: *⏎");
    table.client(asking(), "235 welcome\r\n", "closed: the server reports success of AUTH without proof");
    table.client(
        asking(),
        "535 no\r\n",
        "not authenticated: authentication by SCRAM-SHA-256 refused: 535 no",
    );
    let mut refused = announced(&["AUTH PLAIN SCRAM-SHA-256"]).says(authenticate).hears("535 no\r\n");
    let again = format!("{:?}", authenticate(&mut refused.client));
    table.case("(535 to SCRAM-SHA-256) authenticate again", "Err(Choose(Rejected))", again);
    let mut few = client("2 challenges", |config| config.limits.challenges = 2);
    few = announced_to(few, &["AUTH LOGIN"]).says(authenticate).hears("334 VXNlcm5hbWU6\r\n");
    table.client(few.hears("334 UGFzc3dvcmQ6\r\n"), "334 bW9yZQ==\r\n", "C: *⏎");
}

fn recipients(table: &mut Table) {
    table.row("C-6", "452 and, by its circumstances, 552 are for later; every 2yz is acceptance; one refused recipient stops nobody");
    let asked = |sized: bool| {
        let asking = announced(&["SIZE 1000000"]);
        let mut options = MailOptions::default();
        options.size = sized.then_some(10);
        asking.says(|client| client.mail(&"<a@b>".parse().unwrap(), options)).hears("250 ok\r\n").says(rcpt)
    };
    for (reply, plain, sized) in [
        ("250 ok\r\n", "Accepted", "Accepted"),
        ("251 ok\r\n", "Accepted", "Accepted"),
        ("252 ok\r\n", "Accepted", "Accepted"),
        ("452 4.5.3 many\r\n", "Transient", "Transient"),
        ("552 many\r\n", "Transient", "Permanent"),
        ("552 5.5.3 many\r\n", "Transient", "Transient"),
        ("552 5.3.4 large\r\n", "Permanent", "Permanent"),
        ("552 5.2.2 full\r\n", "Permanent", "Permanent"),
        ("550 no\r\n", "Permanent", "Permanent"),
    ] {
        let code = &reply[..3];
        table.client(asked(false), reply, &format!("recipient {code} {plain}"));
        table.client(asked(true), reply, &format!("recipient {code} {sized}"));
    }
    table.client(
        group(3),
        "250 ok\r\n550 no\r\n250 ok\r\n450 later\r\n354 go\r\n",
        "sender 250; recipient 550 Permanent; recipient 250 Accepted; recipient 450 Transient; content",
    );

    table.row("C-7", "LMTP: exactly one reply for each accepted recipient");
    let ended = || {
        let mut asking = lmtp().says(mail).says(rcpt).says(rcpt).says(rcpt).says(data);
        asking = asking.hears("250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n");
        asking.says(|client| client.end_content())
    };
    table.client(ended(), "250 ok\r\n452 full\r\n", "message of one 250; message of one 452");
    table.client(
        ended(),
        "250 ok\r\n250 ok\r\n250 ok\r\n",
        "message of one 250; message of one 250; closed: a reply to nothing: 250 ok",
    );
}

fn hello(table: &mut Table) {
    table.row(
        "C-8",
        "HELO only behind 500 and 502; announced limits and extensions are obeyed before anything is written",
    );
    let greeted = |set: fn(&mut Config)| client("", set).hears("220 s.example\r\n");
    for code in ["500", "502"] {
        table.client(greeted(|_| {}), format!("{code} what\r\n"), "C: HELO c.example⏎");
    }
    for code in ["504", "550"] {
        table.client(
            greeted(|_| {}),
            format!("{code} what\r\n"),
            &format!("closed: the server refused EHLO: {code} what; try another host; C: QUIT⏎"),
        );
        table.client(
            greeted(|config| config.hello_after_504_and_550 = true),
            format!("{code} what\r\n"),
            "C: HELO c.example⏎",
        );
    }
    let sized = |client: &mut Client| {
        let mut options = MailOptions::default();
        options.size = Some(11);
        client.mail(&"<a@b>".parse().unwrap(), options)
    };
    table.call(announced(&["SIZE 10"]), "MAIL of 11 octets", sized, "TooLarge");
    table.call(announced(&["SIZE 11"]), "MAIL of 11 octets", sized, "MAIL FROM:<a@b> SIZE=11⏎");
    table.call(plain(), "MAIL of 11 octets", sized, "MAIL FROM:<a@b>⏎");
    let tracked = |client: &mut Client| {
        let mut options = MailOptions::default();
        options.envelope_id = Some("x@y".parse().unwrap());
        options.tracking = Some("AAAA:60".parse().unwrap());
        client.mail(&"<a@b>".parse().unwrap(), options)
    };
    table.call(announced(&["MTRK"]), "MAIL with MTRK", tracked, "MAIL FROM:<a@b> ENVID=x@y MTRK=AAAA:60⏎");
    table.call(announced(&["DSN"]), "MAIL with MTRK", tracked, "MAIL FROM:<a@b> ENVID=x@y⏎");
    table.call(plain(), "MAIL with MTRK", tracked, "MAIL FROM:<a@b>⏎");
    let unnamed = |client: &mut Client| {
        let mut options = MailOptions::default();
        options.tracking = Some("AAAA:60".parse().unwrap());
        client.mail(&"<a@b>".parse().unwrap(), options)
    };
    table.call(announced(&["MTRK", "DSN"]), "MAIL with MTRK, without ENVID", unnamed, "MAIL FROM:<a@b>⏎");
    let beyond = |client: &mut Client| client.mail(&"<\u{fc}@b>".parse().unwrap(), MailOptions::default());
    table.call(announced(&["SMTPUTF8"]), "MAIL FROM:<ü@b>, and SMTPUTF8 not said", beyond, "NotAnnounced");
    let utf8 = |client: &mut Client| {
        let mut options = MailOptions::default();
        options.smtp_utf8 = true;
        client.mail(&"<\u{fc}@b>".parse().unwrap(), options)
    };
    table.call(plain(), "MAIL FROM:<ü@b> SMTPUTF8", utf8, "NotAnnounced");
    table.call(announced(&["SMTPUTF8"]), "MAIL FROM:<ü@b> SMTPUTF8", utf8, "MAIL FROM:<ü@b> SMTPUTF8⏎");
    let requiretls = |client: &mut Client| {
        let mut options = MailOptions::default();
        options.require_tls = true;
        client.mail(&"<a@b>".parse().unwrap(), options)
    };
    table.call(
        announced(&["REQUIRETLS"]),
        "MAIL FROM:<a@b> REQUIRETLS, without TLS",
        requiretls,
        "NotAnnounced",
    );
    let one = announced(&["LIMITS MAILMAX=1"])
        .says(mail)
        .hears("250 ok\r\n")
        .says(|client| client.reset())
        .hears("250 ok\r\n");
    table.call(one, "MAIL", mail, "SessionLimit");
    let many = announced(&["LIMITS RCPTMAX=1"]).says(mail).hears("250 ok\r\n").says(rcpt).hears("250 ok\r\n");
    table.call(many, "RCPT", rcpt, "TooLarge");
    let domains = || {
        announced(&["LIMITS RCPTDOMAINMAX=1 FOO=x"])
            .says(mail)
            .hears("250 ok\r\n")
            .says(rcpt)
            .hears("250 ok\r\n")
    };
    let other: ForwardPath = "<b@d>".parse().unwrap();
    table.call(domains(), "RCPT TO:<b@d>", |client| client.rcpt(&other), "SessionLimit");
    table.call(domains(), "RCPT TO:<b@c>", rcpt, "RCPT TO:<b@c>⏎");
}

fn groups(table: &mut Table) {
    table.row(
        "C-9",
        "Groups end at EHLO, DATA, VRFY, EXPN, NOOP, QUIT, STARTTLS, AUTH; replies are matched by count",
    );
    type Call = fn(&mut Client) -> Result<(), mailwright_smtp::value::Misuse>;
    let calls: [(&str, Call); 5] = [
        ("NOOP", |client| client.noop().map(|_| ())),
        ("QUIT", |client| client.quit().map(|_| ())),
        ("RSET", |client| client.reset().map(|_| ())),
        ("HELP", |client| client.help(None).map(|_| ())),
        ("MAIL", mail),
    ];
    for (name, call) in calls {
        let mut asking = announced(&["PIPELINING"]);
        call(&mut asking.client).unwrap();
        let next = match asking.client.may_write() {
            Ok(()) => "may follow",
            Err(_) => "must wait",
        };
        table.case(
            format!("a command behind {name}"),
            if ["RSET", "MAIL"].contains(&name) { "may follow" } else { "must wait" },
            next,
        );
    }
    let mut asking = group(2);
    table.case(
        "a command behind MAIL, 2 RCPT, DATA",
        "Err(Busy)",
        format!("{:?}", asking.client.may_write()),
    );
    table.case(
        "(PIPELINING) MAIL, 2 RCPT, DATA are one group",
        "true",
        asking.wrote().is_empty().to_string(),
    );
    let mut alone = plain();
    let both = [mail(&mut alone.client).is_ok(), rcpt(&mut alone.client).is_ok()];
    table.case("without PIPELINING MAIL, RCPT", "[true, false]", format!("{both:?}"));

    table.row("C-10", "No RSET on a first transaction; behind a chunk that failed no other is begun");
    table.call(plain(), "MAIL", mail, "MAIL FROM:<a@b>⏎");
    let chunked = || {
        announced(&["CHUNKING", "PIPELINING"])
            .says(mail)
            .hears("250 ok\r\n")
            .says(rcpt)
            .hears("250 ok\r\n")
            .says(|client| client.bdat(2, false))
    };
    let flying = |client: &mut Client| client.content(b"ab");
    table.call(chunked().hears("452 full\r\n"), "ab, which was announced", flying, "ab");
    table.call(
        chunked().says(flying).hears("452 full\r\n"),
        "BDAT",
        |client| client.bdat(0, true),
        "Misuse(WrongState)",
    );
    table.call(
        chunked().says(flying).hears("250 ok\r\n"),
        "BDAT",
        |client| client.bdat(0, true),
        "BDAT 0 LAST⏎",
    );
}
