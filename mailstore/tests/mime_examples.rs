//! Messages of the RFCs and of everyday mail: what ENVELOPE, BODY, BODYSTRUCTURE and sections say of them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use core::ops::Range;

use mailwright_store::mime::section::{Found, Section, SectionText};
use mailwright_store::mime::{Limits, Scanner, Structure, View, WireForm};

/// Lines that end in CR LF.
fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

fn scan(message: &[u8]) -> Structure {
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(message);
    scanner.finish()
}

fn wire(form: &WireForm, view: View) -> String {
    let mut octets = Vec::new();
    form.write_to(view, &mut octets);
    String::from_utf8_lossy(&octets).into_owned()
}

fn envelope(header: &str) -> String {
    wire(&scan(&crlf(header)).envelope, View::BODY)
}

fn body(message: &str) -> String {
    wire(&scan(&crlf(message)).body, View::BODY)
}

fn body_structure(message: &str) -> String {
    wire(&scan(&crlf(message)).body, View::BODYSTRUCTURE)
}

/// The octets of a section; `None` if it does not exist.
fn extract(message: &[u8], part: &[u32], text: SectionText, view: View) -> Option<String> {
    let structure = scan(message);
    let octets = |range: Range<u64>| {
        let bound = |at: u64| usize::try_from(at).unwrap();
        &message[bound(range.start)..bound(range.end)]
    };
    let ranges = match Section::new(part.to_vec(), text).find(&structure, view)? {
        Found::Range(range) => vec![range],
        Found::Fields(mut selector) => {
            selector.feed(octets(selector.header()));
            selector.finish()
        }
    };
    let text: Vec<u8> = ranges.into_iter().flat_map(|range| octets(range).to_vec()).collect();
    Some(String::from_utf8_lossy(&text).into_owned())
}

fn names(names: &[&str]) -> Vec<Box<[u8]>> {
    names.iter().map(|name| name.as_bytes().into()).collect()
}

/// From the example of RFC 3501 §8.
const IMAP_EXAMPLE: &str = "\
Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
From: Terry Gray <gray@cac.washington.edu>
Subject: IMAP4rev1 WG mtg summary and minutes
To: imap@cac.washington.edu
Cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
Message-Id: <B27397-0100000@cac.washington.edu>
MIME-Version: 1.0
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII

";

#[test]
fn the_example_session_of_rfc_3501() {
    assert_eq!(
        envelope(IMAP_EXAMPLE),
        "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" \
         ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
         ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
         ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
         ((NIL NIL \"imap\" \"cac.washington.edu\")) \
         ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL \
         \"<B27397-0100000@cac.washington.edu>\")"
    );
    let message = format!("{IMAP_EXAMPLE}One\nTwo\n");
    assert_eq!(body(&message), "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 10 2)");
    assert_eq!(
        body_structure(&message),
        "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 10 2 NIL NIL NIL NIL)"
    );
}

/// The message of RFC 2046 §5.1.1.
const SIMPLE_MULTIPART: &str = "\
From: Nathaniel Borenstein <nsb@bellcore.com>
To: Ned Freed <ned@innosoft.com>
Date: Sun, 21 Mar 1993 23:56:48 -0800 (PST)
Subject: Sample message
MIME-Version: 1.0
Content-type: multipart/mixed; boundary=\"simple boundary\"

This is the preamble.  It is to be ignored, though it
is a handy place for composition agents to include an
explanatory note to non-MIME conformant readers.

--simple boundary

This is implicitly typed plain US-ASCII text.
It does NOT end with a linebreak.
--simple boundary
Content-type: text/plain; charset=us-ascii

This is explicitly typed plain US-ASCII text.
It DOES end with a linebreak.

--simple boundary--

This is the epilogue.  It is also to be ignored.
";

#[test]
fn the_multipart_of_rfc_2046() {
    assert_eq!(
        body(SIMPLE_MULTIPART),
        "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 80 2)\
         (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 78 2) \"mixed\")"
    );
    assert_eq!(
        body_structure(SIMPLE_MULTIPART),
        "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 80 2 NIL NIL NIL NIL)\
         (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 78 2 NIL NIL NIL NIL) \
         \"mixed\" (\"boundary\" \"simple boundary\") NIL NIL NIL)"
    );
    let message = crlf(SIMPLE_MULTIPART);
    let section = |part: &[u32], text| extract(&message, part, text, View::BODY);
    assert_eq!(
        section(&[1], SectionText::All).unwrap(),
        "This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak."
    );
    assert_eq!(section(&[1], SectionText::Mime).unwrap(), "\r\n");
    assert_eq!(
        section(&[2], SectionText::Mime).unwrap(),
        "Content-type: text/plain; charset=us-ascii\r\n\r\n"
    );
    assert_eq!(section(&[3], SectionText::All), None);
    assert_eq!(section(&[1, 1], SectionText::All), None);
    assert_eq!(section(&[1], SectionText::Header), None);
    assert_eq!(section(&[], SectionText::Mime), None);
    assert!(section(&[], SectionText::Text).unwrap().ends_with("also to be ignored.\r\n"));
}

/// The digest of RFC 2046 §5.1.5.
const DIGEST: &str = "\
From: Moderator-Address
To: Recipient-List
Date: Mon, 22 Mar 1994 13:34:51 +0000
Subject: Internet Digest, volume 42
MIME-Version: 1.0
Content-Type: multipart/mixed;
              boundary=\"---- main boundary ----\"

------ main boundary ----

   ...Introductory text or table of contents...

------ main boundary ----
Content-Type: multipart/digest;
              boundary=\"---- next message ----\"

------ next message ----

From: someone-else
Date: Fri, 26 Mar 1993 11:13:32 +0200
Subject: my opinion

   ...body goes here ...

------ next message ----

From: someone-else-again
Date: Fri, 26 Mar 1993 10:07:13 -0500
Subject: my different opinion

   ... another body goes here ...

------ next message ------

------ main boundary ------
";

#[test]
fn the_digest_of_rfc_2046_holds_messages() {
    let messages: Vec<String> = [
        ("someone-else", "Fri, 26 Mar 1993 11:13:32 +0200", "my opinion", 108, 26),
        ("someone-else-again", "Fri, 26 Mar 1993 10:07:13 -0500", "my different opinion", 133, 35),
    ]
    .iter()
    .map(|(from, date, subject, size, inner)| {
        let from = format!("((NIL NIL \"{from}\" \"\"))");
        format!(
            "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" {size} \
             (\"{date}\" \"{subject}\" {from} {from} {from} NIL NIL NIL NIL NIL) \
             (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" {inner} 1) 5)"
        )
    })
    .collect();
    assert_eq!(
        body(DIGEST),
        format!(
            "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 49 1)({}{} \"digest\") \"mixed\")",
            messages[0], messages[1]
        )
    );
    let message = crlf(DIGEST);
    let section = |part: &[u32], text| extract(&message, part, text, View::BODY);
    assert_eq!(section(&[2, 1], SectionText::Mime).unwrap(), "\r\n");
    assert_eq!(
        section(&[2, 1], SectionText::HeaderFields(names(&["subject"]))).unwrap(),
        "Subject: my opinion\r\n\r\n"
    );
    assert_eq!(section(&[2, 2, 1], SectionText::All).unwrap(), "   ... another body goes here ...\r\n");
    assert_eq!(section(&[2, 2], SectionText::Text), section(&[2, 2, 1], SectionText::All));
    assert_eq!(section(&[2, 2, 2], SectionText::All), None);
    assert_eq!(section(&[2, 3], SectionText::All), None);
}

#[test]
fn a_part_with_a_name_and_a_description_as_in_rfc_3501() {
    let text = "x".repeat(60) + "\n";
    let message = format!(
        "Content-Type: MULTIPART/MIXED; BOUNDARY=b\n\n--b\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\n\n{}\n\
         --b\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME=cc.diff\n\
         Content-ID: <960723163407.20117h@cac.washington.edu>\nContent-Description: Compiler diff\n\
         Content-Transfer-Encoding: BASE64\n\n{}\n--b--\n",
        text.repeat(18),
        text.repeat(73)
    );
    assert_eq!(
        body(&message),
        "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 1116 18)\
         (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\" \"NAME\" \"cc.diff\") \
         \"<960723163407.20117h@cac.washington.edu>\" \"Compiler diff\" \"BASE64\" 4526 73) \"MIXED\")"
    );
}

#[test]
fn extension_data_is_complete() {
    assert_eq!(
        body_structure(
            "Content-Type: image/png; name=\"a \\\"b\\\"\"\nContent-MD5: Q2hlY2s=\nContent-Language: en, de (x), fr\n\
             Content-Disposition: attachment; filename=a.png; size=3\nContent-Location: http://a/b\n\
             Content-Transfer-Encoding: binary\n\nabc"
        ),
        "(\"image\" \"png\" (\"name\" \"a \\\"b\\\"\") NIL NIL \"binary\" 3 \"Q2hlY2s=\" \
         (\"attachment\" (\"filename\" \"a.png\" \"size\" \"3\")) (\"en\" \"de\" \"fr\") \"http://a/b\")"
    );
    assert_eq!(
        body_structure(
            "Content-Type: multipart/related; boundary=b; type=\"text/html\"\nContent-Disposition: inline\n\
             Content-Language: en\nContent-Location: x\n\n--b--\n"
        ),
        "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 0 0 NIL NIL NIL NIL) \"related\" \
         (\"boundary\" \"b\" \"type\" \"text/html\") (\"inline\" NIL) (\"en\") \"x\")"
    );
}

/// A message with the parts of the example in RFC 3501 §6.4.5; each leaf holds its own number.
fn tree() -> Vec<u8> {
    let leaf = |kind: &str, number: &str| format!("Content-Type: {kind}\n\n{number}");
    let multipart = |kind: &str, boundary: &str, parts: &[String]| {
        let parts: String = parts.iter().map(|part| format!("--{boundary}\n{part}\n")).collect();
        format!(
            "Content-Type: multipart/{kind}; boundary={boundary}\n\npreamble\n{parts}--{boundary}--\nepilogue\n"
        )
    };
    let message =
        |number: &str, inner: String| format!("Content-Type: message/rfc822\n\nSubject: {number}\n{inner}");
    let three =
        multipart("mixed", "c", &[leaf("text/plain", "3.1"), leaf("application/octet-stream", "3.2")]);
    let alternative =
        multipart("alternative", "f", &[leaf("text/plain", "4.2.2.1"), leaf("text/richtext", "4.2.2.2")]);
    let four_two = multipart("mixed", "e", &[leaf("text/plain", "4.2.1"), alternative]);
    let four = multipart("mixed", "d", &[leaf("image/gif", "4.1"), message("4.2", four_two)]);
    let parts = [leaf("text/plain", "1"), leaf("application/octet-stream", "2"), message("3", three), four];
    crlf(&format!("Subject: all\n{}", multipart("mixed", "a", &parts)))
}

#[test]
fn the_part_numbers_of_rfc_3501() {
    let message = tree();
    let section = |part: &[u32], text| extract(&message, part, text, View::BODY);
    let leaves: [&[u32]; 8] =
        [&[1], &[2], &[3, 1], &[3, 2], &[4, 1], &[4, 2, 1], &[4, 2, 2, 1], &[4, 2, 2, 2]];
    for part in leaves {
        let name: Vec<_> = part.iter().map(u32::to_string).collect();
        assert_eq!(section(part, SectionText::All).unwrap(), name.join("."));
        for text in [SectionText::Header, SectionText::Text, SectionText::HeaderFieldsNot(Vec::new())] {
            assert_eq!(section(part, text), None, "{part:?}");
        }
    }
    assert_eq!(section(&[4, 1], SectionText::Mime).unwrap(), "Content-Type: image/gif\r\n\r\n");
    let subject = || SectionText::HeaderFields(names(&["SUBJECT"]));
    for (part, expected) in [(&[][..], "all"), (&[3], "3"), (&[4, 2], "4.2")] {
        assert_eq!(section(part, subject()).unwrap(), format!("Subject: {expected}\r\n\r\n"));
        assert!(section(part, SectionText::Header).unwrap().ends_with("\r\n\r\n"));
        assert!(section(part, SectionText::Text).unwrap().starts_with("preamble\r\n--"));
    }
    assert!(section(&[3], SectionText::All).unwrap().starts_with("Subject: 3\r\n"));
    assert_eq!(section(&[4], SectionText::Header), None);
    assert!(section(&[4], SectionText::All).unwrap().starts_with("preamble\r\n--d\r\n"));
    assert_eq!(section(&[5], SectionText::All), None);
    assert_eq!(section(&[], SectionText::All).unwrap().as_bytes(), message);
}

#[test]
fn part_one_of_a_message_that_is_no_multipart() {
    let message = crlf("Subject: x\n\nbody\n");
    let section = |part: &[u32], text| extract(&message, part, text, View::BODY);
    assert_eq!(section(&[1], SectionText::All).unwrap(), "body\r\n");
    assert_eq!(section(&[1], SectionText::Mime).unwrap(), "Subject: x\r\n\r\n");
    for part in [&[0][..], &[2], &[1, 1]] {
        assert_eq!(section(part, SectionText::All), None, "{part:?}");
    }
}

#[test]
fn a_message_in_a_message() {
    let message = crlf(
        "Content-Type: message/rfc822\n\nSubject: inner\nContent-Type: message/rfc822\n\nSubject: last\n\nbody",
    );
    let section = |part: &[u32], text| extract(&message, part, text, View::BODY);
    assert!(section(&[1], SectionText::Header).unwrap().starts_with("Subject: inner"));
    assert_eq!(section(&[1, 1], SectionText::Header).unwrap(), "Subject: last\r\n\r\n");
    assert_eq!(section(&[1, 1, 1], SectionText::All).unwrap(), "body");
    assert_eq!(section(&[1, 1, 1, 1], SectionText::All), None);
}

#[test]
fn the_empty_line_is_there_unless_the_message_has_none() {
    let section = |message: &str, text| extract(message.as_bytes(), &[], text, View::BODY).unwrap();
    let fields = || SectionText::HeaderFields(names(&["a", "c"]));
    assert_eq!(section("A: 1\nB: 2\n x\nc : 3\n\ty\n\nbody", fields()), "A: 1\nc : 3\n\ty\n\n");
    assert_eq!(section("B: 2\r\n\r\n", fields()), "\r\n");
    assert_eq!(section("B: 2\r\nA: 1", fields()), "A: 1");
    let others = || SectionText::HeaderFieldsNot(names(&["a", "c"]));
    assert_eq!(section("A: 1\n 2\nB: 2\nno field\nC: 3\n\n", others()), "B: 2\nno field\n\n");
}

#[test]
fn an_international_message_has_two_forms() {
    let message = crlf("Content-Type: message/global\n\nSubject: x\n\nbody");
    let structure = scan(&message);
    assert_eq!(wire(&structure.body, View::BODY), "(\"message\" \"global\" NIL NIL NIL \"7BIT\" 18)");
    assert_eq!(
        wire(&structure.body, View::BODY.with_global()),
        "(\"message\" \"global\" NIL NIL NIL \"7BIT\" 18 (NIL \"x\" NIL NIL NIL NIL NIL NIL NIL NIL) \
         (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 4 1) 3)"
    );
    let section = |view| extract(&message, &[1, 1], SectionText::All, view);
    assert_eq!(section(View::BODY), None);
    assert_eq!(section(View::BODY.with_global()).unwrap(), "body");
}

#[test]
fn an_encoded_message_or_multipart_is_octets() {
    for kind in ["message/rfc822", "multipart/mixed; boundary=b", "message/global"] {
        let message = format!("Content-Type: {kind}\nContent-Transfer-Encoding: Base64\n\n--b\n\n--b--\n");
        let structure = scan(&crlf(&message));
        assert_eq!(structure.parts().len(), 1);
        let form = wire(&structure.body, View::BODY.with_global());
        assert!(form.starts_with("(\"APPLICATION\" \"OCTET-STREAM\" "), "{form}");
        assert!(form.ends_with(" \"Base64\" 14)"), "{form}");
    }
    let global = "Content-Type: message/global\nContent-Transfer-Encoding: base64\n\n";
    assert_eq!(body(global), "(\"message\" \"global\" NIL NIL NIL \"base64\" 0)");
}

#[test]
fn a_type_that_is_not_valid_is_plain_text() {
    let plain = "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 4 1)";
    for kind in
        ["", "text", "text/", "/plain", "text/pl@in", "text/html charset=x", "multipart/mixed", "a/b/c"]
    {
        assert_eq!(body(&format!("Content-Type: {kind}\n\nbody")), plain, "{kind}");
    }
    for boundary in [String::new(), "x".repeat(71)] {
        assert_eq!(body(&format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\n\nbody")), plain);
    }
}
