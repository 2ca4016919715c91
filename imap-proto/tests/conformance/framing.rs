//! Framing, limits, and what cannot be read.

use mailwright_imap::types::Command;

use crate::peer::{append, fetch, uids};
use crate::table::{Table, logged_in, selected, with};

pub(crate) fn rows(t: &mut Table) {
    lines(t);
    literals(t);
    text(t);
    limits(t);
    errors(t);
    ends(t);
    bodies(t);
}

fn lines(t: &mut Table) {
    t.row("2.1.2", "A line ends at CR LF; a bare LF is forgiven; a lone CR or a NUL spoils its response and nothing else");
    t.both(
        "* 7 EXISTS\n* 8 EXISTS\r\n",
        "~bare LF at 10; 7 EXISTS; 8 EXISTS",
        "!bare LF, which is not tolerated at 10; 8 EXISTS",
    );
    t.both(
        "* 7 EX\rISTS\r\n* 8 EXISTS\r\n",
        "!expected no NUL and no bare CR at 11; 8 EXISTS",
        "!expected no NUL and no bare CR at 11; 8 EXISTS",
    );
    t.both("* OK a\rb\r\n* 8 EXISTS\r\n", "!expected text at 5; 8 EXISTS", "!expected text at 5; 8 EXISTS");
    t.both(
        "* LIST () NIL \"a\rb\"\r\n* 8 EXISTS\r\n",
        "!expected a quoted string at 14; 8 EXISTS",
        "!expected a quoted string at 14; 8 EXISTS",
    );
    t.both(
        "* 7 EXIS\0TS\r\n* 8 EXISTS\r\n",
        "!expected no NUL and no bare CR at 11; 8 EXISTS",
        "!expected no NUL and no bare CR at 11; 8 EXISTS",
    );
    t.both("\0\0* 7 EXISTS\r\n", "~NUL at 0; 7 EXISTS", "!NUL, which is not tolerated at 0");
    t.both(
        "\r\n* 7 EXISTS\r\n",
        "~ignored syntax error at 0; 7 EXISTS",
        "!ignored syntax error, which is not tolerated at 0; 7 EXISTS",
    );
}

fn literals(t: &mut Table) {
    t.row("2.1.3", "A literal is announced at the end of a line part, where an argument stands; leading zeros are forgiven; an announcement is one however large its number");
    t.both("* LIST () NIL {5}\r\na b c\r\n", "LIST [] NIL \"a b c\"", "LIST [] NIL \"a b c\"");
    t.both(
        "* LIST () NIL {05}\r\na b c\r\n",
        "~leading zero at 14; LIST [] NIL \"a b c\"",
        "!leading zero, which is not tolerated at 14",
    );
    t.both(
        "* LIST () NIL \"a{5}\"\r\n* 7 EXISTS\r\n",
        "LIST [] NIL \"a{5}\"; 7 EXISTS",
        "LIST [] NIL \"a{5}\"; 7 EXISTS",
    );
    t.both(
        "* LIST () NIL a{5}\r\n* 7 EXISTS\r\n",
        "~value without quotes at 14; LIST [] NIL \"a{5}\"; 7 EXISTS",
        "!value without quotes, which is not tolerated at 14; 7 EXISTS",
    );
    t.both(
        "* LIST () NIL {9223372036854775808}\r\nx",
        "closed: a literal of impossible length",
        "closed: a literal of impossible length",
    );
    t.both(
        "* LIST () NIL {99999999999999999999999}\r\nx",
        "closed: a literal of impossible length",
        "closed: a literal of impossible length",
    );
    t.both(
        "* 1 FETCH (BODY[] {9223372036854775807}\r\nx",
        "FETCH 1 BODY[] 9223372036854775807 “x…",
        "FETCH 1 BODY[] 9223372036854775807 “x…",
    );
    t.both(
        "* X {3}\r\n\r\n)\r\n* 7 EXISTS\r\n",
        "Unknown(b\"* X {3}\\r\\n\\r\\n)\"); 7 EXISTS",
        "Unknown(b\"* X {3}\\r\\n\\r\\n)\"); 7 EXISTS",
    );

    t.row("2.1.4", "Only quotes and backslashes are escaped in a quoted string, and no line end is in it");
    t.both("* LIST () \"/\" \"a\\\"b\\\\c\"\r\n", "LIST [] / \"a\\\"b\\\\c\"", "LIST [] / \"a\\\"b\\\\c\"");
    t.both(
        "* LIST () \"/\" \"a\\bc\"\r\n* 7 EXISTS\r\n",
        "~ignored syntax error at 14; LIST [] / \"a\\\\bc\"; 7 EXISTS",
        "!ignored syntax error, which is not tolerated at 14; 7 EXISTS",
    );
    t.both(
        "* LIST () \"/\" \"abc\r\n* 7 EXISTS\r\n",
        "!expected a quoted string at 14; 7 EXISTS",
        "!expected a quoted string at 14; 7 EXISTS",
    );

    t.row("2.1.7", "A literal in the form of clients is one");
    t.both(
        "* LIST () NIL {5+}\r\na b c\r\n",
        "~literal in the form of a client at 14; LIST [] NIL \"a b c\"",
        "!literal in the form of a client, which is not tolerated at 14",
    );
}

fn text(t: &mut Table) {
    t.row("2.1.5", "No literal is in the text of a status or behind `+`, nor in a code that is not known; an unknown code ends at the first `]`, a known one knows its strings; without `]` all is text");
    t.both("* OK x {20}\r\n* 7 EXISTS\r\n", "OK x {20}; 7 EXISTS", "OK x {20}; 7 EXISTS");
    t.both("* NO [ALERT] {20}\r\n* 7 EXISTS\r\n", "NO [Alert] {20}; 7 EXISTS", "NO [Alert] {20}; 7 EXISTS");
    t.both("+ go {20}\r\n* 7 EXISTS\r\n", "+ go {20}; 7 EXISTS", "+ go {20}; 7 EXISTS");
    t.both(
        "* OK [X-NEW {3}\r\n* 7 EXISTS\r\n",
        "~missing parentheses at 5; OK [X-NEW {3}; 7 EXISTS",
        "!missing parentheses, which is not tolerated at 5; 7 EXISTS",
    );
    t.both(
        "* OK [X-NEW \"a] b\"] c\r\n",
        "OK [Unknown(b\"X-NEW \\\"a\")] b\"] c",
        "OK [Unknown(b\"X-NEW \\\"a\")] b\"] c",
    );
    t.both(
        "* NO [BADCHARSET (\"a]b\" {3}\r\nc]d)] x\r\n",
        "NO [BadCharset([\"a]b\", \"c]d\"])] x",
        "NO [BadCharset([\"a]b\", \"c]d\"])] x",
    );
    t.both(
        "* OK [UIDNEXT 5 x\r\n* 7 EXISTS\r\n",
        "~missing parentheses at 5; OK [UIDNEXT 5 x; 7 EXISTS",
        "!missing parentheses, which is not tolerated at 5; 7 EXISTS",
    );

    t.row("2.1.6", "What is not known is read as data, with its literals");
    t.both(
        "* X-NEW (a {3}\r\n\r\n) \"b\")\r\n* 7 EXISTS\r\n",
        "Unknown(b\"* X-NEW (a {3}\\r\\n\\r\\n) \\\"b\\\")\"); 7 EXISTS",
        "Unknown(b\"* X-NEW (a {3}\\r\\n\\r\\n) \\\"b\\\")\"); 7 EXISTS",
    );
    t.both(
        "* 3 X-NEW\r\n* 7 EXISTS\r\n",
        "Unknown(b\"* 3 X-NEW\"); 7 EXISTS",
        "Unknown(b\"* 3 X-NEW\"); 7 EXISTS",
    );
}

fn limits(t: &mut Table) {
    let small = |name: &'static str, set: fn(&mut mailwright_imap::client::Limits)| {
        move || with(name, |config| set(&mut config.limits)).selected()
    };
    t.row("2.2", "A line above its limit is the end; what has a large literal, many of them, or many octets is skipped; nesting and sets have limits; what comes by its elements has none");
    t.hears(
        small("line of 40", |limits| limits.response.line = 40),
        format!("* OK {}\r\n* 7 EXISTS\r\n", "x".repeat(50)),
        "closed: line too long",
    );
    t.hears(
        small("line of 40", |limits| limits.response.line = 40),
        format!("* SEARCH{}\r\n", " 7".repeat(30)),
        "SEARCH (7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7)",
    );
    t.hears(
        small("literal of 4", |limits| limits.response.literal = 4),
        "* LIST () NIL {5}\r\nabcde\r\n* 7 EXISTS\r\n",
        "!too large at 0; 7 EXISTS",
    );
    t.hears(
        small("literal of 4", |limits| limits.response.literal = 4),
        "* 1 FETCH (UID 5 ENVELOPE (NIL {5}\r\nabcde) FLAGS () BODY[] {5}\r\nabcde)\r\n",
        "FETCH 1 (Uid(5) ~ignored syntax error at 16 Invalid(ENVELOPE (NIL {5}⏎) FLAGS () BODY[] 5 “abcde”)",
    );
    t.hears(
        small("2 literals", |limits| limits.response.literals = 2),
        "* LIST () {1}\r\n/ {1}\r\na\r\n* ID ({1}\r\na {1}\r\nb {1}\r\nc NIL)\r\n* 7 EXISTS\r\n",
        "LIST [] / \"a\"; !too large at 0; 7 EXISTS",
    );
    t.hears(
        small("discards 9", |limits| {
            limits.response.literal = 4;
            limits.response.discard = 9;
        }),
        "* LIST () NIL {10}\r\nx",
        "closed: a literal of 10 octets, which is more than is discarded",
    );
    t.hears(
        small("nesting of 3", |limits| limits.response.nesting = 3),
        "* 1 FETCH (UID 5 BODYSTRUCTURE ((((NIL)))) FLAGS ())\r\n",
        "FETCH 1 (Uid(5) ~ignored syntax error at 35 Invalid(BODYSTRUCTURE ((((NIL))))) FLAGS ())",
    );
    t.hears(
        small("2 ranges", |limits| limits.response.set_ranges = 2),
        "* OK [APPENDUID 1 1,3,5] x\r\n* VANISHED 1,3,5\r\n",
        "~ignored syntax error at 6; OK [Invalid(b\"APPENDUID 1 1,3,5\")] x; VANISHED (1 3 5)",
    );
}

fn errors(t: &mut Table) {
    t.row(
        "2.4.1",
        "A response that cannot be read is read to its end, literals included, and costs nothing else",
    );
    t.both(
        "* LIST (\r\n* 7 EXISTS\r\n",
        "!expected an attribute at 8; 7 EXISTS",
        "!expected an attribute at 8; 7 EXISTS",
    );
    t.both(
        "* LIST {3}\r\n\r\n( x\r\n* 7 EXISTS\r\n",
        "!expected a list of attributes at 7; 7 EXISTS",
        "!expected a list of attributes at 7; 7 EXISTS",
    );
    t.both("* STATUS a (MESSAGES x)\r\n* 7 EXISTS\r\n", "~ignored syntax error at 21; MailboxStatus { mailbox: \"a\", values: [Invalid { name: b\"MESSAGES\", value: b\"x\" }] }; 7 EXISTS", "~ignored syntax error at 21; MailboxStatus { mailbox: \"a\", values: [Invalid { name: b\"MESSAGES\", value: b\"x\" }] }; 7 EXISTS");
    t.both(
        "* 4294967296 EXISTS\r\n* 7 EXISTS\r\n",
        "!expected a number of 32 bits at 12; 7 EXISTS",
        "!expected a number of 32 bits at 12; 7 EXISTS",
    );
    t.both(
        "* 1 FETCH (UID 5 RFC822.SIZE 5000000000)\r\n",
        "FETCH 1 (Uid(5) Rfc822Size(Some(5000000000)))",
        "FETCH 1 (Uid(5) Rfc822Size(Some(5000000000)))",
    );

    t.row("2.4.4", "A completion of what was not sent, or not sent yet, ends the session; other lines that are no response are reported");
    t.both(
        "$2 OK x\r\n* 7 EXISTS\r\n",
        "closed: a completion of a command that was not sent: \"$2\"",
        "closed: a completion of a command that was not sent: \"$2\"",
    );
    t.both(
        "A1 OK x\r\n",
        "closed: a completion of a command that was not sent: \"A1\"",
        "closed: a completion of a command that was not sent: \"A1\"",
    );
    t.both(
        "$1 OK x\r\n",
        "closed: a completion of a command that was not sent: \"$1\"",
        "closed: a completion of a command that was not sent: \"$1\"",
    );
    t.both(
        "$02 OK x\r\n",
        "closed: a completion of a command that was not sent: \"$02\"",
        "closed: a completion of a command that was not sent: \"$02\"",
    );
    t.both(
        "$1 PREAUTH x\r\n* 7 EXISTS\r\n",
        "!expected OK, NO or BAD behind the tag at 15; 7 EXISTS",
        "!expected OK, NO or BAD behind the tag at 15; 7 EXISTS",
    );
    t.both(
        "$1 BYE x\r\n* 7 EXISTS\r\n",
        "!expected OK, NO or BAD behind the tag at 11; 7 EXISTS",
        "!expected OK, NO or BAD behind the tag at 11; 7 EXISTS",
    );
    t.both(
        "hello there\r\n* 7 EXISTS\r\n",
        "!expected OK, NO or BAD behind the tag at 11; 7 EXISTS",
        "!expected OK, NO or BAD behind the tag at 11; 7 EXISTS",
    );
    t.hears(|| selected().says(Command::Noop), "$2 OK done\r\n", "#2 OK done");
    t.hears(
        || selected().says(Command::Noop).says(Command::Capability),
        "$3 OK done\r\n$2 NO x\r\n",
        "#3 OK done; #2 NO x",
    );
    t.hears(
        || selected().says(Command::Noop),
        "$2 OK done\r\n$2 OK done\r\n",
        "#2 OK done; closed: a completion of a command that was not sent: \"$2\"",
    );
    let append = || logged_in("LITERAL+").does(|client| client.append(append("INBOX"), 4).map(drop));
    t.hears(append, "$1 OK done\r\n", "closed: the server completes a command before it has come");
    t.hears(append, "$1 NO full\r\n", "");
    t.hears(
        || append().after("$1 NO full\r\n").does(|client| client.content(b"abcd").map(drop)),
        "* 7 EXISTS\r\n",
        "7 EXISTS",
    );
}

fn ends(t: &mut Table) {
    t.row("7.1.5", "The end of the input is the end; inside a response it is truncation, and behind LOGOUT what was asked for");
    t.case("the server leaves", "closed: the server closed the connection", selected().leaves());
    t.case(
        "* 1 FETCH (BODY[] {9}⏎abc, and the server leaves",
        "closed: the connection ended inside a response, which is truncated",
        selected().after("* 1 FETCH (BODY[] {9}\r\nabc").leaves(),
    );
    t.case(
        "* 7 EXI, and the server leaves",
        "closed: the connection ended inside a response, which is truncated",
        selected().after("* 7 EXI").leaves(),
    );
    t.hears(
        || selected().says(Command::Logout),
        "* BYE bye\r\n* BYE again\r\n$2 OK done\r\n* 7 EXISTS\r\n",
        "BYE bye; BYE again; #2 OK done; closed: logged out",
    );
    t.case(
        "(C: $2 LOGOUT⏎) * BYE bye⏎, and the server leaves",
        "closed: logged out",
        selected().says(Command::Logout).after("* BYE bye\r\n").leaves(),
    );
    t.hears(
        || selected().says(Command::Noop),
        "* BYE shutting down\r\n$2 OK done\r\n",
        "closed: the server ends the session: shutting down",
    );
}

fn bodies(t: &mut Table) {
    t.row("2.4.3", "Items come one by one, a body belongs to its section wherever it stands, and may be a literal, a quoted string, NIL or binary");
    let asks = || selected().says(fetch(uids("7")));
    t.hears(
        asks,
        "* 1 FETCH (BODY[] {3}\r\nabc UID 7)\r\n$2 OK done\r\n",
        "FETCH 1 (BODY[] 3 “abc” Uid(7)); #2 OK done",
    );
    t.hears(
        asks,
        "* 1 FETCH (UID 7 BODY[1.HEADER] {3}\r\nabc BODY[TEXT]<5> \"quoted\" RFC822.HEADER NIL)\r\n",
        "FETCH 1 (Uid(7) BODY[1Header] 3 “abc” BODY[Text]<5> 6 “quoted” Rfc822Header(None))",
    );
    t.hears(
        asks,
        "* 1 FETCH (BINARY[1.2] ~{3}\r\na\0c BODY[2] ~{3}\r\nabc)\r\n",
        "FETCH 1 (Binary { part: [1, 2], origin: None } 3 “a\\0c” BODY[2] 3 “abc”)",
    );
    t.both(
        "* 1 FETCH (BODY[] {3}\r\na\0c UID 7)\r\n",
        "FETCH 1 (~NUL at 24 BODY[] 3 “a\\0c” Uid(7))",
        "FETCH 1 (~NUL at 24 BODY[] 3 “a\\0c” Uid(7))",
    );
    t.both(
        "* 1 FETCH (BODY[] {3}\r\nabcUID 7)\r\n",
        "FETCH 1 BODY[] 3 “abc…; closed: the length of a literal was wrong",
        "FETCH 1 BODY[] 3 “abc…; closed: the length of a literal was wrong",
    );
    t.both(
        "* 1 FETCH (BODY[HEADER.FIELDS (DATE \"FROM\")] {3}\r\nabc)\r\n",
        "FETCH 1 (BODY[HeaderFields { not: false, names: [\"DATE\", \"FROM\"] }] 3 “abc”)",
        "FETCH 1 (BODY[HeaderFields { not: false, names: [\"DATE\", \"FROM\"] }] 3 “abc”)",
    );
    t.both(
        "* 1 FETCH (BODY[X-NEW] {3}\r\nabc UID 7)\r\n",
        "FETCH 1 (Other(b\"BODY[X-NEW]\") 3 “abc” Uid(7))",
        "FETCH 1 (Other(b\"BODY[X-NEW]\") 3 “abc” Uid(7))",
    );
    t.both(
        "* 1 FETCH (UID 7 BODY[] {10}\r\nabc",
        "FETCH 1 Uid(7) BODY[] 10 “abc…",
        "FETCH 1 Uid(7) BODY[] 10 “abc…",
    );
}
