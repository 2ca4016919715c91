//! Values of single header fields: addresses, parameters, message-ids.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use mailwright_store::mime::{EnvelopeAddress, Limits, MessageIdHash, Scanner, Structure, View};

fn scan(message: &[u8]) -> Structure {
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(message);
    scanner.finish()
}

fn envelope(header: &str) -> String {
    let mut octets = Vec::new();
    scan(header.as_bytes()).envelope.write_to(View::BODY, &mut octets);
    String::from_utf8(octets).unwrap()
}

/// The list of addresses that `To` with this value is.
fn addresses(value: &str) -> String {
    let envelope = envelope(&format!("To: {value}\n\n"));
    let list = envelope.strip_prefix("(NIL NIL NIL NIL NIL ").unwrap();
    list.strip_suffix(" NIL NIL NIL NIL)").unwrap().to_owned()
}

/// The parameters of a `Content-Type` with these.
fn parameters(parameters: &str) -> String {
    let mut octets = Vec::new();
    scan(format!("Content-Type: a/b{parameters}\n\n").as_bytes()).body.write_to(View::BODY, &mut octets);
    let form = String::from_utf8(octets).unwrap();
    form.strip_prefix("(\"a\" \"b\" ").unwrap().strip_suffix(" NIL NIL \"7BIT\" 0)").unwrap().to_owned()
}

#[test]
fn the_addresses_of_rfc_5322() {
    for (value, expected) in [
        ("John Doe <jdoe@machine.example>", "((\"John Doe\" NIL \"jdoe\" \"machine.example\"))"),
        (
            "\"Joe Q. Public\" <john.q.public@example.com>",
            "((\"Joe Q. Public\" NIL \"john.q.public\" \"example.com\"))",
        ),
        (
            "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
            "((NIL NIL \"boss\" \"nil.test\")(\"Giant; \\\"Big\\\" Box\" NIL \"sysservices\" \"example.net\"))",
        ),
        (
            "A Group:Ed Jones <joe@where.test>,joe@where.test,John <jdoe@one.test>;",
            "((NIL NIL \"A Group\" NIL)(\"Ed Jones\" NIL \"joe\" \"where.test\")(NIL NIL \"joe\" \"where.test\")\
          (\"John\" NIL \"jdoe\" \"one.test\")(NIL NIL NIL NIL))",
        ),
        ("Undisclosed recipients:;", "((NIL NIL \"Undisclosed recipients\" NIL)(NIL NIL NIL NIL))"),
        (
            "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
            "((\"Pete\" NIL \"pete\" \"silly.test\"))",
        ),
        (
            "A Group(Some people)\n :Chris Jones <c@(Chris's host.)public.example>,\n  joe@example.org,\n John <jdoe@one.test> (my dear friend); (the end of the group)",
            "((NIL NIL \"A Group\" NIL)(\"Chris Jones\" NIL \"c\" \"public.example\")(NIL NIL \"joe\" \"example.org\")\
          (\"John\" NIL \"jdoe\" \"one.test\")(NIL NIL NIL NIL))",
        ),
        (
            "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
            "((NIL NIL \"Hidden recipients\" NIL)(NIL NIL NIL NIL))",
        ),
        (
            "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
            "((\"Mary Smith\" \"@node.test\" \"mary\" \"example.net\")(NIL NIL \"jdoe\" \"test.example\"))",
        ),
        (
            "Joe Q. Public <john . q . public@example.com>",
            "((\"Joe Q. Public\" NIL \"john.q.public\" \"example.com\"))",
        ),
    ] {
        assert_eq!(addresses(value), expected, "{value}");
    }
}

#[test]
fn addresses_of_all_shapes() {
    for (value, expected) in [
        ("", "NIL"),
        (" , ,(comment),", "NIL"),
        ("a@b (Name)", "((\"Name\" NIL \"a\" \"b\"))"),
        ("a@b (The \\(full\\) (nested) name )", "((\"The (full) (nested) name\" NIL \"a\" \"b\"))"),
        ("Phrase <a@b> (comment)", "((\"Phrase\" NIL \"a\" \"b\"))"),
        ("<a@b> (comment)", "((\"comment\" NIL \"a\" \"b\"))"),
        ("a@b ()", "((NIL NIL \"a\" \"b\"))"),
        ("\"\" <a@b>", "((\"\" NIL \"a\" \"b\"))"),
        ("\"a b\"@c", "((NIL NIL \"a b\" \"c\"))"),
        ("\"a\\\\b\"@c", "((NIL NIL \"a\\\\b\" \"c\"))"),
        ("a@[1.2.3.4, x]", "((NIL NIL \"a\" \"[1.2.3.4, x]\"))"),
        ("N <@a,@b,@c:d@e>", "((\"N\" \"@a,@b,@c\" \"d\" \"e\"))"),
        ("=?utf-8?q?a=2C?= <a@b>", "((\"=?utf-8?q?a=2C?=\" NIL \"a\" \"b\"))"),
        ("x@y.example <a@b>", "((\"x@y.example\" NIL \"a\" \"b\"))"),
        ("a@b; c@d", "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\"))"),
        ("g: a@b", "((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL))"),
        ("g: a@b; c@d", "((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)(NIL NIL \"c\" \"d\"))"),
        ("\u{e4}@b", "((NIL NIL {2}\r\n\u{e4} \"b\"))"),
    ] {
        assert_eq!(addresses(value), expected, "{value}");
    }
}

#[test]
fn what_is_no_address_is_shown_as_it_is() {
    for raw in [
        "MAILER-DAEMON",
        "<>",
        "a@",
        "@b",
        "a@b@c",
        "a b@c",
        "a@b c",
        "<a@b> c",
        "Joe <joe>",
        "<a@b",
        "\\",
        ">",
        "a@b (open",
        "a@[open",
        ": x",
        "a@b:c",
        "<<a@b>>",
    ] {
        let quoted = raw.replace('\\', "\\\\");
        assert_eq!(addresses(raw), format!("((NIL NIL \"{quoted}\" \"\"))"), "{raw}");
        let next = addresses(&format!("{raw}, n@x"));
        let swallows = raw.contains("open");
        assert_eq!(next.ends_with("(NIL NIL \"n\" \"x\"))"), !swallows, "{raw}: {next}");
    }
    assert_eq!(addresses("\"open <a@b>"), "((NIL NIL \"\\\"open <a@b>\" \"\"))");
}

#[test]
fn all_occurrences_count_and_sender_and_reply_to_follow_from() {
    let from = "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\"))";
    assert_eq!(
        envelope("From: a@b\nfrom : c@d\nSender:\nReply-To: (nobody)\nCC: \"x\nTo: t@t\nCc: e@f\n\n"),
        format!(
            "(NIL NIL {from} {from} {from} ((NIL NIL \"t\" \"t\")) ((NIL NIL \"\\\"x\" \"\")(NIL NIL \"e\" \"f\")) NIL NIL NIL)"
        )
    );
}

#[test]
fn texts_are_unfolded_and_the_first_counts() {
    assert_eq!(
        envelope(
            "Subject:  =?utf-8?q?a?=\r\n\t\"b\\c\" \r\nSubject: second\r\nDate:\r\nMessage-ID:\r\n <a@b>\r\n\r\n"
        ),
        "(\"\" \"=?utf-8?q?a?=\t\\\"b\\\\c\\\"\" NIL NIL NIL NIL NIL NIL NIL \"<a@b>\")"
    );
}

#[test]
fn the_parameters_of_rfc_2231() {
    for (value, expected) in [
        (
            "; access-type=URL;\n URL*0=\"ftp://\";\n URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\"",
            "(\"access-type\" \"URL\" \"URL\" \"ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\")",
        ),
        ("; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "(\"title\" \"This is ***fun***\")"),
        (
            "; title*0*=us-ascii'en'This%20is%20even%20more%20;\n title*1*=%2A%2A%2Afun%2A%2A%2A%20;\n title*2=\"isn't it!\"",
            "(\"title\" \"This is even more ***fun*** isn't it!\")",
        ),
    ] {
        assert_eq!(parameters(value), expected, "{value}");
    }
}

#[test]
fn parameters_of_all_shapes() {
    for (value, expected) in [
        ("", "NIL"),
        (";", "NIL"),
        ("; ; x=1;", "(\"x\" \"1\")"),
        (" (c(c)) ; (c) x (c) = (c) 1 (c) ; y=2", "(\"x\" \"1\" \"y\" \"2\")"),
        ("; x=1; X=2", "(\"x\" \"1\")"),
        ("; x=plain; x*=''extended", "(\"x\" \"extended\")"),
        ("; x*1=b; x*0=a; x*3=d", "(\"x\" \"ab\")"),
        ("; x*1=b", "NIL"),
        ("; x*01=b", "(\"x*01\" \"b\")"),
        ("; x*=iso-8859-1''%E4", "(\"x\" {2}\r\n\u{e4})"),
        ("; x*=windows-1252'en'%80", "(\"x\" {3}\r\n\u{20ac})"),
        ("; x*=utf-8''%c3%a4%zz%", "(\"x\" {6}\r\n\u{e4}%zz%)"),
        ("; x*=no-quotes%20", "(\"x\" \"no-quotes \")"),
        ("; x=a=b?c/d[e]; y=\"q\\\"\\q;\"", "(\"x\" \"a=b?c/d[e]\" \"y\" \"q\\\"q;\")"),
        ("; x=two words; y=1", "(\"x\" \"two\" \"y\" \"1\")"),
        ("; x; y=; z=1", "(\"z\" \"1\")"),
        ("; x=\"open; y=1", "(\"x\" \"open; y=1\")"),
        ("; x=\"fol\n ded\"", "(\"x\" \"fol ded\")"),
    ] {
        assert_eq!(parameters(value), expected, "{value}");
    }
}

#[test]
fn message_ids_are_the_same_however_they_are_written() {
    let hash = |text: &str| MessageIdHash::first_in(text.as_bytes());
    let plain = hash("<01KF8JCEOCBS0045PS@xxx.yyy.com>");
    assert!(plain.is_some());
    assert_eq!(hash("(c) <\"01KF8JCEOCBS0045PS\"@xxx.yyy.com> x"), plain);
    assert_eq!(hash("words < 01KF8JCEOCBS0045PS (c) @ xxx.yyy.com>"), plain);
    assert_ne!(hash("<01kf8jceocbs0045ps@xxx.yyy.com>"), plain);
    for none in ["", "a@b", "<a@b", "<>", "<ab>", "(<a@b>)", "\"<a@b>\""] {
        assert_eq!(hash(none), None, "{none}");
    }
    let structure =
        scan(b"Message-ID: <a@b>\nIn-Reply-To: your mail <c@d>\nReferences: <e@f>\n\t<bad> <c@d>\n\n");
    assert_eq!(structure.message_id, hash("<a@b>"));
    assert_eq!(structure.in_reply_to, [hash("<c@d>").unwrap()]);
    assert_eq!(structure.references, [hash("<e@f>").unwrap(), hash("<c@d>").unwrap()]);
}

#[test]
fn the_fields_of_an_envelope_are_what_was_written() {
    let long = "x".repeat(2000);
    let structure = scan(
        format!(
            "Date: today\nSubject: {long}\nFrom: \"\u{e4} \\\"q\\\\\" <@r:a@b>\nTo: g: \u{fc}@d;, bad\nCC: {long}@x (c)\n\
             Message-ID: <a@b>\n\n"
        )
        .as_bytes(),
    );
    let envelope = structure.envelope_fields().unwrap();
    let text = |octets: &Option<Vec<u8>>| octets.clone().map(|octets| String::from_utf8(octets).unwrap());
    let parts = |address: &EnvelopeAddress| {
        [&address.name, &address.route, &address.mailbox, &address.host]
            .map(|part| text(part).unwrap_or("NIL".into()))
    };
    let addresses = |list: &[EnvelopeAddress]| list.iter().map(parts).collect::<Vec<_>>();
    assert_eq!(text(&envelope.date).unwrap(), "today");
    assert_eq!(text(&envelope.subject).unwrap(), long);
    assert_eq!(addresses(&envelope.from), [["\u{e4} \"q\\", "@r", "a", "b"]]);
    assert_eq!(envelope.reply_to, envelope.from);
    assert_eq!(
        addresses(&envelope.to),
        [
            ["NIL", "NIL", "g", "NIL"],
            ["NIL", "NIL", "\u{fc}", "d"],
            ["NIL", "NIL", "NIL", "NIL"],
            ["NIL", "NIL", "bad", ""]
        ]
    );
    assert_eq!(addresses(&envelope.cc), [["c", "NIL", &long, "x"]]);
    assert_eq!(addresses(&envelope.bcc), Vec::<[String; 4]>::new());
    assert_eq!((envelope.in_reply_to, text(&envelope.message_id).unwrap()), (None, "<a@b>".to_owned()));
}

#[test]
fn an_element_of_too_many_tokens_is_shown_as_it_is() {
    let words = "a ".repeat(2000);
    assert_eq!(
        addresses(&format!("{words}<b@c>, n@x")),
        format!("((NIL NIL {{4005}}\r\n{words}<b@c> \"\")(NIL NIL \"n\" \"x\"))")
    );
}
