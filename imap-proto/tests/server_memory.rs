//! Memory of a server session, counted: floods make none hold more than its limits say. Rules 2.2, 2.7.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod host;

use std::alloc::System;

use host::{Answers, bounds, clear_text, store};
use mailwright_core::testing::laws::{self, Flood};
use mailwright_imap::parse::{CommandInput, CommandLimits};
use mailwright_imap::server::Server;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn held(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.bytes_allocated.saturating_sub(change.bytes_deallocated)
}

fn server() -> (Server, Answers) {
    let mut answers = Answers::with(store::folders());
    answers.careless = true;
    answers.inbox().add(b"Subject: x\r\n\r\nx\r\n", &[]);
    (Server::new(clear_text(), [7; 32]), answers)
}

/// A host that remembers nothing, so that its memory is not counted.
struct Forgetful(Answers);

impl mailwright_core::testing::Host<Server> for Forgetful {
    fn handle(
        &mut self,
        server: &mut Server,
        event: mailwright_imap::server::Event,
    ) -> mailwright_core::testing::Note {
        let note = self.0.handle(server, event);
        self.0.forget();
        note
    }

    fn work(&mut self, server: &mut Server, pick: usize) -> bool {
        self.0.work(server, pick)
    }
}

/// One test: the counters are those of the process.
#[test]
fn no_session_holds_more_than_its_limits_say() {
    let region = Region::new(ALLOCATOR);
    let make = || {
        let (server, answers) = server();
        (server, Forgetful(answers))
    };
    let before_login: &[&[u8]] = &[
        b"x",
        b"a NOOP ((((((((((((((((((((((((((((((((((",
        b"a LOGIN {4096+}\r\n",
        b"a LOGIN {1+}\r\nx {1+}\r\nx {1+}\r\nx ",
        b"a LOGIN {0+}\r\n",
        b"a XFOO {60000+}\r\n",
        b"a NOOP\r\n",
        b"a ID (\"a\" \"b\" \"c\" {3+}\r\nabc \"d\" NIL)\r\n",
        b"\"",
        b"a AUTHENTICATE PLAIN ",
        b"\r\n",
        b"\0",
    ];
    let mut limits = bounds();
    limits.memory = 256 * 1024;
    for again in before_login {
        laws::bounded(make, Flood { before: &[], again, octets: 200_000 }, limits, || held(&region))
            .unwrap_or_else(|broken| panic!("{} {broken}", again.escape_ascii()));
    }
    let login: &[&[u8]] = &[b"a LOGIN fred secret\r\n", b"b SELECT INBOX\r\n"];
    let after_login: &[&[u8]] = &[
        b"x",
        b"a SEARCH ((((((((((((((((((((((((((((((((",
        b"a SEARCH TEXT {100000+}\r\n",
        b"a SEARCH TEXT {1+}\r\nx TEXT {1+}\r\nx TEXT ",
        b"a UID FETCH 1,3,5,7,9,11,13,15,17,19,21,23",
        b"a APPEND INBOX {30000000+}\r\n",
        b"a FETCH 1:* (FLAGS BODY.PEEK[])\r\n",
        b"a STORE 1:* +FLAGS $x\r\n",
        b"a LIST \"\" *\r\n",
    ];
    // A line of 256 KiB and what is made of it: eight times as much.
    limits.memory = 2560 * 1024;
    for again in after_login {
        laws::bounded(make, Flood { before: login, again, octets: 700_000 }, limits, || held(&region))
            .unwrap_or_else(|broken| panic!("{} {broken}", again.escape_ascii()));
    }

    // What is made of a command stays in proportion to its octets.
    for (start, again, end) in [
        ("a SEARCH", " ALL", ""),
        ("a SEARCH ", "(", ""),
        ("a SEARCH ", "NOT ", "ALL"),
        ("a SEARCH", " UID 1", ""),
        ("a UID FETCH 1", ",3", " UID"),
        ("a FETCH 1 (UID", " UID", ")"),
        ("a FETCH 1 BODY[HEADER.FIELDS (x", " x", ")]"),
        ("a FETCH 1 BODY[1", ".1", "]"),
        ("a STORE 1 FLAGS (x", " x", ")"),
        ("a STATUS x (UIDNEXT", " UIDNEXT", ")"),
        ("a ID (\"\" \"\"", " \"\" \"\"", ")"),
        ("a LOGIN \"", "\\\\", "\" x"),
        ("a ENABLE", " x", ""),
        ("a LIST (SUBSCRIBED", " REMOTE", ") \"\" *"),
        ("a LIST \"\" (x", " x", ")"),
        ("a LIST \"\" * RETURN (CHILDREN", " CHILDREN", ")"),
        ("a LIST \"\" * RETURN (STATUS (SIZE", " SIZE", "))"),
        ("a SELECT x (QRESYNC (1 1 1", ",3", "))"),
        ("a CREATE x (USE (\\x", " \\x", "))"),
        ("a SEARCH RETURN (MIN", " MIN", ") ALL"),
        ("a SEARCH RETURN (UPDATE (UID", " UID", ")) ALL"),
        ("a SEARCH ", "FUZZY ", "ALL"),
        ("a SORT (CC", " CC", ") UTF-8 ALL"),
        ("a ESEARCH IN (inboxes", " inboxes", ") ALL"),
        ("a ESEARCH IN (mailboxes (x", " x", ")) ALL"),
        ("a CANCELUPDATE", " x", ""),
        ("a NOTIFY SET (personal NONE)", " (personal NONE)", ""),
        ("a NOTIFY SET (personal (x", " x", "))"),
        ("a NOTIFY SET (personal x", " x", ")"),
        ("a GETMETADATA x (/a", " /a", ")"),
        ("a GETMETADATA x /a", " /a", ""),
        ("a SETMETADATA x (/a NIL", " /a NIL", ")"),
        ("a SETQUOTA x (x 1", " x 1", ")"),
        ("a STORE 1 X-GM-LABELS (x", " x", ")"),
        ("a FETCH 1 (BINARY[1", ".1", "])"),
    ] {
        for length in [100, 8000, 250_000] {
            let text = format!("{start}{}{end}", again.repeat(length / again.len()));
            let octets = text.len();
            let mut input = CommandInput::new();
            input.push_part(text.into());
            let before = region.change();
            let parsed = input.parse(&CommandLimits::default());
            let after = region.change();
            // All that was ever asked for is more than what was held at once.
            let most = after.bytes_allocated - before.bytes_allocated;
            assert!(most <= 64 * 1024 + 16 * octets, "{start}{again}{end} {octets}: {most}");
            drop(parsed);
        }
    }

    // A session that waits for its client holds next to nothing.
    let before = held(&region);
    let (session, answers) = make();
    let mut end = mailwright_core::testing::End::new(session, answers);
    end.records = false;
    end.receive(b"a LOGIN fred secret\r\nb CAPABILITY\r\nc NOOP\r\n").unwrap();
    end.input = bytes::BytesMut::new();
    let with = held(&region).saturating_sub(before);
    assert!(with < 8 * 1024, "{with}");
}
