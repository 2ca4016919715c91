//! Messages of the RFCs and of everyday mail: what ENVELOPE, BODY, BODYSTRUCTURE and sections say of them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use mailwright_store::mime::section::{self, Found, Section, SectionText};
use mailwright_store::mime::{Findings, Limits, PartKind, Scanner, Structure, View};

/// Lines that end in CR LF.
fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

fn scan(message: &[u8]) -> Structure {
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(message);
    scanner.finish()
}

fn wire(form: &mailwright_store::mime::WireForm, view: View) -> String {
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
    let octets = |range: std::ops::Range<u64>| {
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
