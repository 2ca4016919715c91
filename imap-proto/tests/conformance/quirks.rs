//! What servers send although they must not: responses. RFC 9051 §7.

use mailwright_imap::types::{Command, ListCommand};

use crate::peer::string;
use crate::table::{Table, fresh, logged_in, selected};

pub(crate) fn rows(t: &mut Table) {
    table(t);
    codes(t);
    conversation(t);
}

fn table(t: &mut Table) {
    t.row("2.5 spaces at the end", "A space at the end of a response or of a list is nothing");
    t.both(
        "* STATUS INBOX (MESSAGES 0) \r\n",
        "~trailing white space at 27; MailboxStatus { mailbox: \"INBOX\", values: [Number(Messages, 0)] }",
        "!trailing white space, which is not tolerated at 27",
    );
    t.both(
        "* STATUS INBOX (MESSAGES 0 )\r\n",
        "~trailing white space at 26; MailboxStatus { mailbox: \"INBOX\", values: [Number(Messages, 0)] }",
        "!trailing white space, which is not tolerated at 26",
    );
    t.both(
        "* SEARCH 1 2 3 \r\n",
        "SEARCH (1 2 3 ~trailing white space at 14)",
        "SEARCH (1 2 3 !trailing white space, which is not tolerated at 14)",
    );
    t.both(
        "* 7 EXISTS \r\n",
        "~trailing white space at 10; 7 EXISTS",
        "!trailing white space, which is not tolerated at 10",
    );
    t.both(
        "* CAPABILITY IMAP4rev1 IDLE \r\n",
        "~trailing white space at 27; CAPABILITY IMAP4rev1 IDLE",
        "!trailing white space, which is not tolerated at 27",
    );
    t.both(
        "* LIST (\\HasChildren ) \"/\" a \r\n",
        "~trailing white space at 20; ~trailing white space at 28; LIST [HasChildren] / \"a\"",
        "!trailing white space, which is not tolerated at 20",
    );
    t.both("* NAMESPACE ((\"\" \"/\")) NIL NIL \r\n", "~trailing white space at 30; Namespace(Namespaces { personal: [Namespace { prefix: b\"\", separator: Some(47), extensions: [] }], other_users: [], shared: [], invalid: [] })", "!trailing white space, which is not tolerated at 30");

    t.row("2.5 no text", "A status or `+` without text is one");
    t.both(
        "* OK [HIGHESTMODSEQ 13632]\r\n",
        "~missing text at 26; OK [HighestModSeq(ModSeq(13632))]",
        "!missing text, which is not tolerated at 26",
    );
    t.both("* OK\r\n", "~missing text at 4; OK", "!missing text, which is not tolerated at 4");
    t.both("+\r\n", "~missing text at 1; + ", "!missing text, which is not tolerated at 1");
    t.hears(|| selected().says(Command::Noop), "$2 OK\r\n", "~missing text at 10; #2 OK");

    t.row("2.5 spaces in lists", "Spaces behind `(`, before `)` and two in a row are nothing");
    t.both(
        "* FLAGS (\\Seen $NotJunk )\r\n",
        "~trailing white space at 23; FLAGS (\\Seen $NotJunk)",
        "!trailing white space, which is not tolerated at 23",
    );
    t.both(
        "* FLAGS ( \\Seen  $NotJunk)\r\n",
        "~extra white space at 9; ~extra white space at 15; FLAGS (\\Seen $NotJunk)",
        "!extra white space, which is not tolerated at 9",
    );
    t.both(
        "* 1 FETCH (UID 19436 )\r\n",
        "FETCH 1 (Uid(19436) ~trailing white space at 20)",
        "FETCH 1 (Uid(19436) !trailing white space, which is not tolerated at 20)",
    );
    t.both(
        "* 1 FETCH ( UID 19436)\r\n",
        "FETCH 1 (~extra white space at 11 Uid(19436))",
        "FETCH 1 (~ignored syntax error at 11 Invalid(UID 19436))",
    );
    t.both(
        "* 1 FETCH (UID 19436  FLAGS ())\r\n",
        "FETCH 1 (Uid(19436) ~extra white space at 20 FLAGS ())",
        "FETCH 1 (Uid(19436) ~ignored syntax error at 20 Invalid(FLAGS ()))",
    );

    t.row("2.5 space behind the star", "More than one space there is one");
    t.both(
        "*  1688 EXISTS\r\n",
        "~extra white space at 1; 1688 EXISTS",
        "!extra white space, which is not tolerated at 1",
    );
    t.both(
        "*   OK x\r\n",
        "~extra white space at 1; OK x",
        "!extra white space, which is not tolerated at 1",
    );

    t.row("2.5 name without quotes", "A name in LIST goes to the end of the line");
    t.both("* LIST (\\HasNoChildren) \"/\" INBOX/Da\tOggetto\r\n", "~value without quotes at 28; ~not a valid mailbox name at 28; LIST [HasNoChildren] / b\"INBOX/Da\\tOggetto\"", "!value without quotes, which is not tolerated at 28");
    t.both(
        "* LIST () \"/\" Sent Items\r\n",
        "~value without quotes at 14; LIST [] / \"Sent Items\"",
        "!value without quotes, which is not tolerated at 14",
    );
    t.both(
        "* LSUB () \"/\" a(b\r\n",
        "~value without quotes at 14; LSUB [] / \"a(b\"",
        "!value without quotes, which is not tolerated at 14",
    );

    t.row("2.5 message 0", "Data of message 0 is about nothing");
    t.both(
        "* 0 FETCH (FLAGS (\\Seen) BODY[] {3}\r\nabc)\r\n* 7 EXISTS\r\n",
        "~ignored syntax error at 0; 7 EXISTS",
        "!expected a number above zero at 0; 7 EXISTS",
    );

    t.row("2.5 no response", "A line that is none is reported, and the connection goes on");
    t.both(
        "Server Unavailable. 15\r\n* 7 EXISTS\r\n",
        "!expected OK, NO or BAD behind the tag at 19; 7 EXISTS",
        "!expected OK, NO or BAD behind the tag at 19; 7 EXISTS",
    );
    t.both(
        "* \r\n* 7 EXISTS\r\n",
        "~trailing white space at 1; Unknown(b\"* \"); 7 EXISTS",
        "!trailing white space, which is not tolerated at 1; 7 EXISTS",
    );

    t.row("2.5 LITERAL +", "With a space it is LITERAL+");
    t.both(
        "* CAPABILITY IMAP4rev1 LITERAL + IDLE\r\n",
        "~extra white space at 30; CAPABILITY IMAP4rev1 LITERAL+ IDLE",
        "!extra white space, which is not tolerated at 30",
    );

    t.row("2.5 capabilities", "Names that are doubled, unknown or close to right do no harm");
    t.both(
        "* CAPABILITY IMAPrev1 IMAP4rev1 IDLE IDLE X-NEW=a+b\r\n",
        "CAPABILITY IMAPrev1 IMAP4rev1 IDLE IDLE X-NEW=a+b",
        "CAPABILITY IMAPrev1 IMAP4rev1 IDLE IDLE X-NEW=a+b",
    );

    t.row("2.5 garbage behind the end", "What stands behind the end of an answer is nothing");
    t.both(
        "* ID (\"name\" \"x\")+\r\n* 7 EXISTS\r\n",
        "~trailing fields at 17; Id([(\"name\", Some(\"x\"))]); 7 EXISTS",
        "!trailing fields, which is not tolerated at 17; 7 EXISTS",
    );
    t.both(
        "* ID (\"name\" \"x\") +\r\n* 7 EXISTS\r\n",
        "~trailing fields at 17; Id([(\"name\", Some(\"x\"))]); 7 EXISTS",
        "!trailing fields, which is not tolerated at 17; 7 EXISTS",
    );
    t.both(
        "* ID NIL x y\r\n* 7 EXISTS\r\n",
        "!expected the end at 9; 7 EXISTS",
        "!extra white space, which is not tolerated at 8; 7 EXISTS",
    );
}

fn codes(t: &mut Table) {
    t.row(
        "2.5 codes",
        "A code that cannot be read, or is not known, costs nothing but itself: the status counts",
    );
    t.both(
        "* OK [COPYUID 701  ] x\r\n",
        "~trailing white space at 17; ~ignored syntax error at 6; OK [Invalid(b\"COPYUID 701  \")] x",
        "~ignored syntax error at 6; OK [Invalid(b\"COPYUID 701  \")] x",
    );
    t.both(
        "* OK [COPYUID 1 1:3 1:2] x\r\n",
        "~ignored syntax error at 6; OK [Invalid(b\"COPYUID 1 1:3 1:2\")] x",
        "~ignored syntax error at 6; OK [Invalid(b\"COPYUID 1 1:3 1:2\")] x",
    );
    t.both(
        "* OK [UIDVALIDITY] x\r\n",
        "~ignored syntax error at 6; OK [Invalid(b\"UIDVALIDITY\")] x",
        "~ignored syntax error at 6; OK [Invalid(b\"UIDVALIDITY\")] x",
    );
    t.both(
        "* OK [UIDVALIDITY 0] x\r\n",
        "~unexpected zero at 18; OK x",
        "~ignored syntax error at 6; OK [Invalid(b\"UIDVALIDITY 0\")] x",
    );
    t.both(
        "* OK [UIDNEXT 0] x\r\n",
        "~unexpected zero at 14; OK x",
        "~ignored syntax error at 6; OK [Invalid(b\"UIDNEXT 0\")] x",
    );
    t.both(
        "* OK [UNSEEN 0] x\r\n",
        "~unexpected zero at 13; OK x",
        "~ignored syntax error at 6; OK [Invalid(b\"UNSEEN 0\")] x",
    );
    t.both(
        "* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n",
        "OK [PermanentFlags { flags: [Seen], new_keywords: true, other: [] }] x",
        "OK [PermanentFlags { flags: [Seen], new_keywords: true, other: [] }] x",
    );
    t.both("* OK [%&/()] x\r\n", "OK [Unknown(b\"%&/()\")] x", "OK [Unknown(b\"%&/()\")] x");
    t.both(
        "* OK [X-NEW a b c] x\r\n",
        "OK [Unknown(b\"X-NEW a b c\")] x",
        "OK [Unknown(b\"X-NEW a b c\")] x",
    );
    t.both(
        "* [COPYUID 1 1 1] x\r\n* 7 EXISTS\r\n",
        "Unknown(b\"* [COPYUID 1 1 1] x\"); 7 EXISTS",
        "Unknown(b\"* [COPYUID 1 1 1] x\"); 7 EXISTS",
    );
    t.hears(
        || selected().says(Command::Noop),
        "$2 OK [APPENDUID x y] done\r\n",
        "~ignored syntax error at 12; #2 OK [Invalid(b\"APPENDUID x y\")] done",
    );
    t.hears(
        || selected().says(Command::Noop),
        "$2 NO [BADCHARSET (\"a] done\r\n",
        "~missing parentheses at 11; #2 NO [BADCHARSET (\"a] done",
    );
}

fn conversation(t: &mut Table) {
    t.row("2.5 conversation", "BYE may be repeated; FETCH may answer what nobody asked, or not what somebody did; FLAGS may come before `+`");
    t.both(
        "* BYE x\r\n* BYE y\r\n",
        "closed: the server ends the session: x",
        "closed: the server ends the session: x",
    );
    t.hears(
        || selected().says(crate::peer::fetch(crate::peer::uids("7"))),
        "* 1 FETCH (RFC822.SIZE 5)\r\n* 2 FETCH (UID 8)\r\n$2 OK done\r\n",
        "FETCH 1 (Rfc822Size(Some(5))); FETCH 2 (Uid(8)); #2 OK done",
    );
    t.hears(|| fresh().greeted("").after("* 3 EXISTS\r\n"), "* 1 FETCH (FLAGS ())\r\n", "FETCH 1 (FLAGS ())");
    let idle = || crate::table::selected_with("IDLE").says(Command::Idle);
    t.hears(idle, "* FLAGS (\\Seen)\r\n+ idling\r\n", "FLAGS (\\Seen); idling");
    t.both("+ what for\r\n", "+ what for", "+ what for");

    t.row("2.5 mailbox names", "What is no name is kept octet for octet, and can be used as it is");
    t.both(
        "* LIST () \"/\" \"a&b\"\r\n",
        "~not a valid mailbox name at 14; LIST [] / b\"a&b\"",
        "~not a valid mailbox name at 14; LIST [] / b\"a&b\"",
    );
    t.both(
        "* LIST () \"/\" \"../x\"\r\n",
        "~not a valid mailbox name at 14; LIST [] / b\"../x\"",
        "~not a valid mailbox name at 14; LIST [] / b\"../x\"",
    );
    t.both(
        b"* LIST () \"/\" \"gr\xfcn\"\r\n",
        "~8-bit octets at 14; ~not a valid mailbox name at 14; LIST [] / b\"gr\\xfcn\"",
        "!8-bit octets, which is not tolerated at 14",
    );
    let raw = mailwright_imap::types::Mailbox::Other("a&b".into());
    t.command(logged_in(""), "DELETE a&b", Command::Delete(raw), "C: $1 DELETE a&b⏎");
    let list = ListCommand::new(string(""), string("*"));
    t.command(logged_in(""), "LIST", Command::List(list), "C: $1 LIST \"\" \"*\"⏎");
}
