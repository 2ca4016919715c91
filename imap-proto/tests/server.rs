//! The server from its host's and its client's side: states, commands, what is told when.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod host;

use host::{Host, keyword};
use mailwright_core::value::Flag;

#[test]
fn a_session_logs_in_selects_fetches_and_logs_out() {
    let mut host = Host::plain();
    assert!(
        host.say("a CAPABILITY\r\n").starts_with("* CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID AUTH=PLAIN")
    );
    assert!(host.say("b LOGIN fred secret\r\n").starts_with("b OK [CAPABILITY IMAP4rev1 "));
    host.inbox().add(b"Subject: a\r\n\r\nhello\r\n", &[keyword("$Junk")]);
    assert_eq!(
        host.say("c SELECT inbox\r\n"),
        "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Junk)\r\n* 1 EXISTS\r\n* 0 RECENT\r\n\
         * OK [UNSEEN 1] the first unseen message\r\n\
         * OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Junk \\*)] flags that can be changed\r\n\
         * OK [UIDVALIDITY 7] UIDs are valid\r\n* OK [UIDNEXT 2] the next UID\r\nc OK [READ-WRITE] selected\r\n"
    );
    assert_eq!(
        host.say("d FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])\r\n"),
        "* 1 FETCH (UID 1 FLAGS ($Junk) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 21 \
         BODY[] {21}\r\nSubject: a\r\n\r\nhello\r\n)\r\nd OK done\r\n"
    );
    assert_eq!(
        host.say("e UID FETCH 1:* BODY[TEXT]<0.4>\r\n"),
        "* 1 FETCH (UID 1 FLAGS ($Junk \\Seen) BODY[TEXT]<0> {4}\r\nhell)\r\ne OK done\r\n",
        "reading sets the flag, and tells it"
    );
    assert_eq!(host.say("f LOGOUT\r\n"), "* BYE logging out\r\nf OK done\r\n");
    assert_eq!(host.closed.as_deref(), Some("Closed(Logout)"));
}

#[test]
fn commands_have_their_states() {
    let mut host = Host::plain();
    assert_eq!(host.say("a SELECT INBOX\r\n"), "a BAD log in first\r\n");
    assert_eq!(host.say("b FETCH 1 FLAGS\r\n"), "b BAD no mailbox is selected\r\n");
    let mut host = Host::logged_in();
    assert_eq!(host.say("a LOGIN fred secret\r\n"), "a BAD already logged in\r\n");
    assert_eq!(host.say("b EXPUNGE\r\n"), "b BAD no mailbox is selected\r\n");
    assert_eq!(host.say("c XFOO\r\n"), "c BAD unknown command\r\n");
    assert_eq!(host.say("* NOOP\r\n"), "* BAD no tag\r\n");
    assert_eq!(host.say("\r\nd NOOP\r\n"), "d OK done\r\n");
}

#[test]
fn passwords_need_tls_or_permission() {
    let mut host = Host::with(mailwright_imap::server::Config::default());
    assert!(host.say("a CAPABILITY\r\n").contains(" LOGINDISABLED\r\n"));
    assert_eq!(host.say("b LOGIN fred secret\r\n"), "b NO [PRIVACYREQUIRED] not without TLS\r\n");
    assert_eq!(host.say("c AUTHENTICATE PLAIN\r\n"), "c NO [PRIVACYREQUIRED] not without TLS\r\n");
}

#[test]
fn an_exchange_goes_over_lines_of_base64() {
    let mut host = Host::plain();
    assert_eq!(host.say("a AUTHENTICATE PLAIN\r\n"), "+ \r\n");
    assert_eq!(host.say("*\r\n"), "a BAD authentication cancelled or malformed\r\n");
    host.say("b AUTHENTICATE PLAIN\r\n");
    assert!(host.say("AGZyZWQAc2VjcmV0\r\n").starts_with("b OK [CAPABILITY "));
    let mut host = Host::plain();
    assert!(host.say("c AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0\r\n").starts_with("c OK "));
    let mut host = Host::plain();
    assert_eq!(
        host.say("d AUTHENTICATE PLAIN AGZyZWQAd3Jvbmc=\r\n"),
        "d NO [AUTHENTICATIONFAILED] authentication failed\r\n"
    );
}

#[test]
fn an_append_streams_and_is_told() {
    let mut host = Host::selected(0);
    assert_eq!(host.say("a APPEND INBOX (\\Seen) {5}\r\n"), "+ go ahead\r\n");
    assert_eq!(host.say("hello\r\n"), "* 1 EXISTS\r\n* 0 RECENT\r\na OK [APPENDUID 7 1] done\r\n");
    assert_eq!(host.inbox().messages[&1].content, b"hello");
    assert!(host.say("b APPEND INBOX {5+}\r\nworld\r\n").ends_with("b OK [APPENDUID 7 2] done\r\n"));
    assert_eq!(host.say("c APPEND nowhere {5}\r\n"), "c NO [TRYCREATE] create it first\r\n");
    assert_eq!(
        host.say("d APPEND nowhere {8+}\r\nx NOOP\r\n\r\ne NOOP\r\n"),
        "d NO [TRYCREATE] create it first\r\ne OK done\r\n"
    );
    assert_eq!(host.say("f APPEND INBOX {0}\r\n"), "f NO an empty message\r\n");
    assert_eq!(host.say("g APPEND INBOX {99999999999}\r\n"), "g NO [TOOBIG] the message is too large\r\n");
    assert_eq!(
        host.say("h APPEND INBOX {1+}\r\nx {1+}\r\ny\r\ni NOOP\r\n"),
        "h BAD only one message at a time\r\ni OK done\r\n"
    );
}

#[test]
fn a_refused_literal_is_never_a_command() {
    let mut host = Host::plain();
    assert_eq!(
        host.say("A1 XFOO {17+}\r\nA9 LOGOUT\r\n12345\r\n\r\nA2 NOOP\r\n"),
        "A1 BAD unknown command\r\nA2 OK done\r\n"
    );
    assert_eq!(host.say("A3 LOGIN {999999999}\r\n"), "A3 BAD [TOOBIG] literal not accepted\r\n");
    assert_eq!(host.say("A4 NOOP\r\n"), "A4 OK done\r\n");
    let mut host = Host::plain();
    assert_eq!(host.say("A LOGIN {999999999+}\r\n"), "* BYE [TOOBIG] literal too large\r\n");
    let mut host = Host::plain();
    assert_eq!(host.say("A XFOO {3}\r\nabc\r\n"), "* BYE octets of a refused literal\r\n");
    let mut host = Host::plain();
    assert_eq!(host.say("A XFOO \"open {3+}\r\n"), "* BYE cannot tell a literal from a command\r\n");
}

#[test]
fn expunged_messages_are_told_only_where_numbers_may_change() {
    let mut host = Host::selected(5);
    host.inbox().remove(2);
    host.inbox().remove(3);
    host.inbox().add(b"new", &[]);
    assert_eq!(
        host.say("a FETCH 1:5 UID\r\n"),
        "* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\n* 4 FETCH (UID 4)\r\n* 5 FETCH (UID 5)\r\na OK done\r\n",
        "the host has handed over nothing: the session knows no question here"
    );
    host.update();
    assert_eq!(
        host.say("b FETCH 1:3 UID\r\n"),
        "* 1 FETCH (UID 1)\r\n* 6 EXISTS\r\n* 0 RECENT\r\nb OK [EXPUNGEISSUED] done\r\n"
    );
    assert_eq!(
        host.say("c COPY 2 INBOX\r\n"),
        "* 3 EXPUNGE\r\n* 2 EXPUNGE\r\nc NO [EXPUNGEISSUED] some messages are gone\r\n"
    );
    assert_eq!(host.say("d UID FETCH 2:4 UID\r\n"), "* 2 FETCH (UID 4)\r\nd OK done\r\n");
    assert_eq!(host.say("e FETCH 7 UID\r\n"), "e BAD no message has that number\r\n");
}

#[test]
fn noop_and_idle_tell_what_changed() {
    let mut host = Host::selected(3);
    host.inbox().remove(1);
    host.inbox().set(3, &[Flag::Flagged]);
    assert_eq!(host.say("a NOOP\r\n"), "* 1 EXPUNGE\r\n* 2 FETCH (UID 3 FLAGS (\\Flagged))\r\na OK done\r\n");
    assert_eq!(host.say("b IDLE\r\n"), "+ idling\r\n");
    assert!(host.server.is_idle());
    host.inbox().add(b"x", &[]);
    host.update();
    assert_eq!(host.say(""), "* 3 EXISTS\r\n* 0 RECENT\r\n");
    assert_eq!(host.say("done\r\n"), "b OK done\r\n");
    assert_eq!(host.say("c IDLE\r\nDONE\r\n"), "+ idling\r\nc OK done\r\n");
    assert_eq!(host.say("d IDLE\r\ne NOOP\r\n"), "+ idling\r\nd BAD expected DONE\r\n");
}

#[test]
fn store_tells_new_flags_unless_silent() {
    let mut host = Host::selected(3);
    assert_eq!(
        host.say("a STORE 1:2 +FLAGS (\\Seen $New)\r\n"),
        "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $New)\r\n\
         * OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $New \\*)] flags that can be changed\r\n\
         * 1 FETCH (FLAGS (\\Seen $New))\r\n* 2 FETCH (FLAGS (\\Seen $New))\r\na OK done\r\n"
    );
    assert_eq!(host.say("b UID STORE 2 -FLAGS.SILENT \\Seen\r\n"), "b OK done\r\n");
    assert_eq!(
        host.say("c UID STORE 2:9 FLAGS ()\r\n"),
        "* 2 FETCH (UID 2 FLAGS ())\r\n* 3 FETCH (UID 3 FLAGS ())\r\nc OK done\r\n"
    );
    assert_eq!(host.say("d NOOP\r\n"), "d OK done\r\n", "nothing is told twice");
    host.say("e EXAMINE INBOX\r\n");
    assert!(host.say("f STORE 1 FLAGS ()\r\n").starts_with("f NO [NOPERM] "));
}

#[test]
fn expunge_close_copy_and_move() {
    let mut host = Host::selected(5);
    host.say("a CREATE Archive\r\n");
    host.say("b STORE 2,4 +FLAGS.SILENT \\Deleted\r\n");
    assert_eq!(host.say("c UID EXPUNGE 4:9\r\n"), "* 4 EXPUNGE\r\nc OK done\r\n");
    assert_eq!(host.say("d EXPUNGE\r\n"), "* 2 EXPUNGE\r\nd OK done\r\n");
    assert_eq!(host.say("e COPY 1:2 Archive\r\n"), "e OK [COPYUID 7 1,3 1:2] done\r\n");
    assert_eq!(
        host.say("f UID MOVE 3:5 Archive\r\n"),
        "* OK [COPYUID 7 3,5 3:4] moved\r\n* 3 EXPUNGE\r\n* 2 EXPUNGE\r\nf OK done\r\n"
    );
    assert_eq!(host.say("g COPY 1 nowhere\r\n"), "g NO [TRYCREATE] create it first\r\n");
    assert_eq!(host.say("h UID COPY 77 Archive\r\n"), "h OK done\r\n");
    host.say("i STORE 1 +FLAGS.SILENT \\Deleted\r\n");
    assert_eq!(host.say("j CLOSE\r\n"), "j OK done\r\n", "CLOSE tells nothing");
    assert!(host.inbox().messages.is_empty());
    assert_eq!(host.say("k FETCH 1 FLAGS\r\n"), "k BAD no mailbox is selected\r\n");
    host.say("l SELECT Archive\r\n");
    host.say("m STORE 1 +FLAGS.SILENT \\Deleted\r\n");
    assert_eq!(host.say("n UNSELECT\r\n"), "n OK done\r\n");
    assert_eq!(host.folder("Archive").messages.len(), 4);
}

#[test]
fn searches_give_numbers_or_uids() {
    let mut host = Host::selected(5);
    host.say("a STORE 2 +FLAGS.SILENT \\Seen\r\n");
    host.inbox().remove(1);
    host.say("b NOOP\r\n");
    assert_eq!(host.say("c SEARCH SEEN\r\n"), "* SEARCH 1\r\nc OK done\r\n");
    assert_eq!(host.say("d UID SEARCH 2:3 UNSEEN\r\n"), "* SEARCH 3 4\r\nd OK done\r\n");
    assert_eq!(host.say("e SEARCH UID 4:* NOT UID 5\r\n"), "* SEARCH 3\r\ne OK done\r\n");
    assert_eq!(host.say("f SEARCH 9:10\r\n"), "* SEARCH\r\nf OK done\r\n");
    assert_eq!(host.say("g SEARCH TEXT {6}\r\n"), "+ go ahead\r\n");
    assert_eq!(host.say("body 3\r\n"), "* SEARCH 2\r\ng OK done\r\n");
    assert_eq!(host.say("h SEARCH CHARSET X ALL\r\n"), "h NO [BADCHARSET] unknown charset\r\n");
    assert_eq!(host.say("i SEARCH RECENT\r\n"), "* SEARCH\r\ni OK done\r\n");
    assert_eq!(host.say("j SEARCH OLD 1\r\n"), "* SEARCH 1\r\nj OK done\r\n");
}

#[test]
fn mailboxes_are_made_listed_and_told_of() {
    let mut host = Host::logged_in();
    assert_eq!(host.say("a CREATE Entw&APw-rfe/\r\n"), "a OK done\r\n");
    assert_eq!(
        host.say("b LIST \"\" *\r\n"),
        "* LIST (\\HasNoChildren) \"/\" Entw&APw-rfe\r\n* LIST (\\HasNoChildren) \"/\" INBOX\r\nb OK done\r\n"
    );
    assert_eq!(host.say("c LSUB \"\" *\r\n").matches("* LSUB ").count(), 2);
    assert_eq!(host.say("d LIST \"\" \"\"\r\n"), "* LIST (\\Noselect) \"/\" \"\"\r\nd OK done\r\n");
    assert_eq!(host.say("e CREATE INBOX\r\n"), "e NO [ALREADYEXISTS] it exists\r\n");
    assert_eq!(
        host.say("f STATUS INBOX (MESSAGES UIDNEXT)\r\n"),
        "* STATUS INBOX (MESSAGES 0 UIDNEXT 1)\r\nf OK done\r\n"
    );
    assert_eq!(host.say("g NAMESPACE\r\n"), "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\ng OK done\r\n");
    assert_eq!(host.say("h SELECT nowhere\r\n"), "h NO [NONEXISTENT] no such mailbox\r\n");
    assert_eq!(host.say("i ID (\"name\" \"x\")\r\n"), "* ID NIL\r\ni OK done\r\n");
}

#[test]
fn a_large_message_streams_as_the_client_reads() {
    let mut host = Host::selected(0);
    let content = "0123456789abcde\n".repeat(100_000);
    host.inbox().add(content.as_bytes(), &[Flag::Seen]);
    host.say("a NOOP\r\n");
    let said = host.say("b FETCH 1 BODY[]\r\n");
    assert_eq!(said, format!("* 1 FETCH (BODY[] {{{}}}\r\n{content})\r\nb OK done\r\n", content.len()));
}

#[test]
fn no_nul_leaves() {
    let mut host = Host::selected(0);
    host.inbox().add(b"a\0b", &[Flag::Seen]);
    host.say("a NOOP\r\n");
    let said = host.say("b FETCH 1 RFC822\r\n");
    assert!(said.starts_with("* 1 FETCH (RFC822 {3}\r\na\u{fffd}b)"), "{said}");
}

#[test]
fn wrong_commands_end_the_session_at_the_limit() {
    let mut host = Host::plain();
    host.say("a XFOO\r\nb XFOO\r\n");
    assert_eq!(
        host.say("c XFOO\r\nd NOOP\r\n"),
        "c BAD unknown command\r\n* BYE too many wrong commands\r\n"
    );
    let mut host = Host::plain();
    for _ in 0..10 {
        assert!(
            host.say("a XFOO\r\nb NOOP\r\n").ends_with("b OK done\r\n"),
            "a good one sets the count back"
        );
    }
    let mut host = Host::plain();
    assert_eq!(host.say("GET / HTTP/1.1\r\n"), "* BYE this is no HTTP server\r\n");
}
