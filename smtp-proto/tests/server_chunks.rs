//! BDAT at the server: rows T5 and T6, rules S-7, S-8, S-9, S-13, S-14, S-18, R-5. RFC 3030, RFC 2033 §4.3.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use mailwright_core::wire::BareLineEnd;
use mailwright_smtp::server::{Config, Event};
use mailwright_smtp::types::Reply;
use support::{Host, codes, lmtp, smtp};

const BOB: &[&str] = &["bob@example.org"];

fn open() -> Host {
    Host::open(smtp(), BOB)
}

fn binary() -> Host {
    let mut config = smtp();
    config.binary_mime = true;
    let mut host = Host::ready(config);
    assert_eq!(host.codes("MAIL FROM:<a@b> BODY=BINARYMIME"), "250 2.1.0");
    assert_eq!(host.codes("RCPT TO:<bob@example.org>"), "250 2.1.5");
    host
}

#[test]
fn s8_a_message_comes_in_chunks_that_nobody_looks_into() {
    let wire = b"BDAT 6\r\n.\r\n.\r\nBDAT 0\r\nBDAT 5\r\nQUIT\rBDAT 1\r\n\nBDAT 0 LAST\r\n";
    for cut in 0..wire.len() {
        let mut host = open();
        let said = codes(&host.send_cut(wire, &[cut]));
        assert_eq!(said, "250 2.0.0, 250 2.0.0, 250 2.0.0, 250 2.0.0, 250 2.0.0", "{cut}");
        assert_eq!(host.messages, [b".\r\n.\r\nQUIT\r\n"], "{cut}");
        assert!(host.saw("data 1 chunked"), "{:?}", host.events);
        assert_eq!(host.codes("MAIL FROM:<a@b>"), "250 2.1.0", "the transaction is over");
    }
}

#[test]
fn s8_the_last_chunk_may_be_the_only_one_and_empty() {
    let mut host = open();
    assert_eq!(host.codes("BDAT 0 LAST"), "250 2.0.0");
    assert_eq!(host.messages, [b""]);
    let mut host = open();
    assert_eq!(codes(&host.send("BDAT 4 LAST\r\nx\r\n\0")), "250 2.0.0");
    assert!(host.saw("deviation NUL"), "{:?}", host.events);
}

#[test]
fn s8_behind_the_last_chunk_another_is_out_of_order_until_the_next_mail() {
    let mut host = open();
    assert_eq!(
        codes(&host.send("BDAT 1 LAST\r\nxBDAT 4\r\nRSETBDAT 2 LAST\r\nab")),
        "250 2.0.0, 503 5.5.1, 503 5.5.1"
    );
    assert_eq!(host.codes("MAIL FROM:<a@b>"), "250 2.1.0");
    assert_eq!(host.messages.len(), 1);
}

#[test]
fn s8_data_and_recipients_are_out_of_order_between_chunks() {
    let mut host = open();
    assert_eq!(codes(&host.send("BDAT 3\r\nab\r")), "250 2.0.0");
    for line in ["DATA", "RCPT TO:<carol@example.org>", "MAIL FROM:<a@b>", "STARTTLS"] {
        assert_eq!(host.codes(line), "503 5.5.1", "{line}");
    }
    assert_eq!(codes(&host.send("NOOP\r\nBDAT 1 LAST\r\n\n")), "250 2.0.0, 250 2.0.0");
    assert_eq!(host.messages, [b"ab\r\n"]);
}

#[test]
fn s14_rset_and_ehlo_between_chunks_clear_them() {
    for (line, reply) in [("RSET", "250 2.0.0"), ("EHLO client.example.com", "250")] {
        let mut host = open();
        assert_eq!(codes(&host.send("BDAT 5\r\nhalf ")), "250 2.0.0");
        assert_eq!(codes(&host.send(format!("{line}\r\n"))), reply);
        assert!(host.saw("aborted Reset") && host.saw("reset"), "{:?}", host.events);
        assert_eq!(codes(&host.send("BDAT 3\r\nabc")), "503 5.5.1");
        assert_eq!(host.codes("MAIL FROM:<a@b>"), "250 2.1.0");
        assert_eq!(host.messages, [b""; 0]);
    }
}

#[test]
fn s8_behind_a_chunk_that_failed_all_others_fail_up_to_the_last() {
    let mut config = smtp();
    config.limits.message = 10;
    let mut host = Host::open(config, BOB);
    let said = host.send("BDAT 6\r\n123456BDAT 5\r\n12345BDAT 1\r\nxBDAT 0\r\nBDAT 2 LAST\r\nyzNOOP\r\n");
    assert_eq!(codes(&said), "250 2.0.0, 552 5.3.4, 503 5.5.1, 503 5.5.1, 503 5.5.1, 250 2.0.0");
    assert!(host.saw("aborted TooLarge"), "{:?}", host.events);
    assert_eq!(host.messages, [b""; 0]);
    assert_eq!(host.codes("MAIL FROM:<a@b>"), "250 2.1.0");
    // Or up to RSET, which is the only thing that a client may say then.
    assert_eq!(
        codes(&host.send("RCPT TO:<bob@example.org>\r\nBDAT 11\r\n12345678901RCPT TO:<b@c>\r\nRSET\r\n")),
        "250 2.1.5, 552 5.3.4, 503 5.5.1, 250 2.0.0"
    );
    assert_eq!(host.codes("MAIL FROM:<a@b>"), "250 2.1.0");
}

#[test]
fn s8_the_total_never_overflows() {
    for last in ["", " LAST"] {
        let mut host = open();
        assert_eq!(codes(&host.send("BDAT 5\r\n12345")), "250 2.0.0");
        assert_eq!(
            host.send(format!("BDAT 9223372036854775807{last}\r\nQUIT\r\n")),
            "",
            "it is read to its end"
        );
        assert!(host.saw("aborted TooLarge"));
        assert_eq!(host.eof(), "");
    }
    // Exactly at the limit.
    let mut config = smtp();
    config.limits.message = 10;
    let mut host = Host::open(config.clone(), BOB);
    assert_eq!(codes(&host.send("BDAT 4\r\n1234BDAT 6 LAST\r\n5678\r\n")), "250 2.0.0, 250 2.0.0");
    // No limit at all.
    config.limits.message = 0;
    let mut host = Host::open(config, BOB);
    assert_eq!(host.send("BDAT 9223372036854775807\r\nQUIT\r\n"), "");
    assert!(!host.saw("aborted") && host.saw("content"));
}

#[test]
fn t5_without_a_recipient_the_chunk_is_dropped() {
    let mut host = Host::ready(smtp());
    assert_eq!(host.codes("MAIL FROM:<a@b>"), "250 2.1.0");
    let said = host.send("RCPT TO:<nobody@example.org>\r\nBDAT 5\r\nQUIT\nBDAT 6 LAST\r\nRSET\r\nNOOP\r\n");
    assert_eq!(codes(&said), "550 5.1.1, 503 5.5.1, 503 5.5.1, 250 2.0.0");
    assert!(host.saw("reset") && !host.saw("data"), "{:?}", host.events);
    assert_eq!(host.codes("MAIL FROM:<a@b>"), "250 2.1.0");
    // A recipient between the two would get half of a message.
    assert_eq!(
        codes(&host.send("BDAT 4\r\nhalfRCPT TO:<bob@example.org>\r\nBDAT 4 LAST\r\nrest")),
        "503 5.5.1, 503 5.5.1, 503 5.5.1"
    );
    assert_eq!(host.messages, [b""; 0]);
}

#[test]
fn s18_in_lmtp_the_last_chunk_has_a_reply_for_each_recipient() {
    let recipients = ["bob@example.org", "carol@example.org", "bob@example.org"];
    let mut host = Host::open(lmtp(), &recipients);
    assert_eq!(codes(&host.send("BDAT 3\r\nabc")), "250 2.0.0", "not the last: one");
    assert_eq!(codes(&host.send("BDAT 2 LAST\r\n\r\n")), "250 2.0.0, 250 2.0.0, 250 2.0.0");
    // Above the limit.
    let mut config = lmtp();
    config.limits.message = 3;
    let mut host = Host::open(config.clone(), &recipients);
    assert_eq!(codes(&host.send("BDAT 4 LAST\r\nabcd")), "552 5.3.4, 552 5.3.4, 552 5.3.4");
    let mut host = Host::open(config, &recipients);
    let said = host.send("BDAT 4\r\nabcdBDAT 1\r\nxBDAT 0 LAST\r\nNOOP\r\n");
    assert_eq!(codes(&said), "552 5.3.4, 503 5.5.1, 503 5.5.1, 503 5.5.1, 503 5.5.1, 250 2.0.0");
    // Refused at the end.
    let mut host = Host::open(lmtp(), &recipients);
    assert_eq!(codes(&host.send("BDAT 2 LAST\r\na\n")), "554 5.6.0, 554 5.6.0, 554 5.6.0");
}

#[test]
fn t6_s18_in_lmtp_the_last_chunk_for_nobody_has_no_reply() {
    let mut host = Host::ready(lmtp());
    assert_eq!(host.codes("MAIL FROM:<a@b>"), "250 2.1.0");
    assert_eq!(host.codes("RCPT TO:<nobody@example.org>"), "550 5.1.1");
    assert_eq!(codes(&host.send("BDAT 2\r\nabBDAT 3 LAST\r\nabcNOOP\r\n")), "503 5.5.1, 250 2.0.0");
    assert_eq!(codes(&host.send("BDAT 3 LAST\r\nabc")), "503 5.5.1", "as T5 without a transaction");
}

#[test]
fn bare_line_ends_are_judged_over_all_chunks() {
    for (chunks, expected) in [
        (&["a\r", "\nb\r\n"][..], "250 2.0.0"),
        (&["a\r", "b\r\n"], "554 5.6.0"),
        (&["a\n"], "554 5.6.0"),
        (&["a\r"], "554 5.6.0"),
        (&["\n", "a\r\n"], "554 5.6.0"),
    ] {
        let mut host = open();
        let (last, front) = chunks.split_last().unwrap();
        for chunk in front {
            assert_eq!(codes(&host.send(format!("BDAT {}\r\n{chunk}", chunk.len()))), "250 2.0.0");
        }
        assert_eq!(codes(&host.send(format!("BDAT {} LAST\r\n{last}", last.len()))), expected, "{chunks:?}");
        assert_eq!(host.codes("NOOP"), "250 2.0.0");
    }
    let mut config = smtp();
    config.content.bare_line_ends = BareLineEnd::Normalise;
    let mut host = Host::open(config, BOB);
    assert_eq!(codes(&host.send("BDAT 3\r\na\n.BDAT 3 LAST\r\n\r.\r")), "250 2.0.0, 250 2.0.0");
    assert_eq!(host.messages, [b"a\r\n.\r\n.\r\n"]);
}

#[test]
fn r5_binary_content_is_kept_as_it_is_and_comes_by_bdat_only() {
    let mut host = binary();
    assert_eq!(host.codes("DATA"), "503 5.5.1");
    let long = [&b"\0\n\r.\r\n\xff"[..], &[b'x'; 3000]].concat();
    let wire = [format!("BDAT {} LAST\r\n", long.len()).as_bytes(), &long].concat();
    assert_eq!(codes(&host.send(wire)), "250 2.0.0");
    assert_eq!(host.messages, [long]);
    assert!(!host.saw("deviation"), "{:?}", host.events);
    // Not announced.
    let mut host = Host::ready(smtp());
    assert_eq!(host.codes("MAIL FROM:<a@b> BODY=BINARYMIME"), "501 5.5.4");
}

#[test]
fn the_host_may_refuse_content_at_the_first_chunk() {
    let mut config = smtp();
    config.ask.data = true;
    for (answer, expected) in [
        (Reply::START_CONTENT, "250 2.0.0, 250 2.0.0, 250 2.0.0"),
        (Reply::INSUFFICIENT_STORAGE, "452 4.3.1, 503 5.5.1, 250 2.0.0"),
        (Reply::SERVICE_UNAVAILABLE, "421 4.3.2"),
    ] {
        let mut host = Host::open(config.clone(), BOB);
        host.undecided = true;
        // What the chunk holds is no command while the question is open.
        assert_eq!(host.send("BDAT 18\r\nRCPT TO:<a@b.cd>\r\nBDAT 2 LAST\r\n.."), "", "{:?}", host.events);
        let Some(Event::Data(data)) = host.open.pop() else { panic!() };
        assert!(data.chunked);
        let refused = host.server.answer(data.token, Reply::OK).unwrap_err();
        host.undecided = false;
        host.server.answer(refused.token, answer.clone()).unwrap();
        let said = host.send("NOOP\r\n");
        assert!(!host.saw("recipient"), "{:?}", host.events);
        assert_eq!(codes(&said), expected);
    }
}

#[test]
fn a_connection_that_ends_between_chunks_leaves_no_message() {
    for wire in ["BDAT 5\r\nhalf ", "BDAT 5\r\nha", "BDAT 5\r\nhalf BDAT 5 LAST\r\nmess"] {
        let mut host = open();
        host.send(wire);
        host.eof();
        assert!(host.saw("aborted Incomplete"), "{:?}", host.events);
        assert_eq!(host.messages, [b""; 0]);
    }
}

#[test]
fn s7_chunks_have_a_minimum_rate_also_between_them() {
    // Inside a chunk.
    let mut host = open();
    host.send("BDAT 1000000\r\nab");
    assert_eq!(codes(&host.wait(61)), "421 4.4.2");
    assert!(host.saw("closed TooSlow") && host.saw("aborted Incomplete"), "{:?}", host.events);
    // A chunk of an octet now and then.
    let mut host = open();
    let mut said = String::new();
    for _ in 0..7 {
        said += &host.send("BDAT 1\r\nx");
        said += &host.wait(10);
    }
    assert!(codes(&said).ends_with("421 4.4.2"), "{said}");
    // Enough of them.
    let mut host = open();
    for _ in 0..60 {
        assert_eq!(codes(&host.send(format!("BDAT 10000\r\n{}", "x".repeat(10_000)))), "250 2.0.0");
        assert_eq!(host.wait(10), "");
    }
    // A chunk that is dropped keeps it too, and behind it the command has its own time.
    let mut host = Host::ready(smtp());
    host.send("BDAT 1000000\r\nab");
    assert_eq!(codes(&host.wait(61)), "421 4.4.2");
    let mut host = open();
    host.send("BDAT 40000000\r\n");
    host.send(vec![b'x'; 40_000_000]);
    assert_eq!(host.wait(299), "");
    assert_eq!(codes(&host.wait(1)), "421 4.4.2");
    assert!(host.saw("closed TimedOut"), "{:?}", host.events.last());
}

#[test]
fn without_chunking_bdat_is_no_command_of_this_server() {
    let mut config = smtp();
    config.chunking = false;
    let mut host = Host::open(config, BOB);
    assert_eq!(codes(&host.send("BDAT 5 LAST\r\nQUIT\nDATA\r\n")), "502 5.5.1, 503 5.5.1");
    // After HELO no extension is in force.
    let mut host = Host::new(smtp());
    host.send("HELO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<bob@example.org>\r\n");
    assert_eq!(codes(&host.send("BDAT 4\r\nQUIT")), "503 5.5.1");
}

#[test]
fn s10_chunks_are_no_improper_group() {
    let mut host = Host::ready(smtp());
    host.send(
        "MAIL FROM:<a@b>\r\nRCPT TO:<bob@example.org>\r\nBDAT 3\r\nabcBDAT 2 LAST\r\n\r\nMAIL FROM:<>\r\n",
    );
    assert!(!host.saw("deviation"), "{:?}", host.events);
    assert_eq!(host.messages, [b"abc\r\n"]);
}

#[test]
fn s13_recipients_of_many_pipelined_chunks_are_not_errors_of_the_client() {
    let mut host = Host::ready(smtp());
    host.send("MAIL FROM:<a@b>\r\nRCPT TO:<nobody@example.org>\r\n");
    let said = host.send("BDAT 2\r\nab".repeat(60));
    assert_eq!(said.matches("503 5.5.1").count(), 60);
    assert!(!host.closed());
    // Without a transaction they are.
    let mut host = Host::ready(smtp());
    let mut said = String::new();
    for _ in 0..25 {
        said += &host.send("BDAT 2\r\nab");
        said += &host.wait(1);
    }
    assert!(codes(&said).ends_with("421 4.7.0"), "{said}");
}

#[test]
fn the_limit_of_the_message_counts_what_came() {
    let config = |octets| {
        let mut config: Config = smtp();
        config.limits.message = octets;
        config.content.bare_line_ends = BareLineEnd::Normalise;
        config
    };
    // What normalising adds counts at the end, as it does behind DATA.
    let mut host = Host::open(config(4), BOB);
    assert_eq!(codes(&host.send("BDAT 4 LAST\r\na\nb\n")), "552 5.3.4");
    let mut host = Host::open(config(6), BOB);
    assert_eq!(codes(&host.send("BDAT 4 LAST\r\na\nb\n")), "250 2.0.0");
}
