//! Deadlines.

use super::*;

fn timed_out(peer: &mut Peer, awaited: Awaited) {
    assert_eq!(peer.closed(), Closed::TimedOut(awaited));
}

#[test]
fn timeouts_every_wait_has_the_deadline_of_the_table() {
    type Give = fn() -> Peer;
    let cases: [(Give, Awaited, u64); 9] = [
        (|| Peer::new(config()), Awaited::Greeting, 300),
        (
            || {
                let mut peer = Peer::new(config());
                peer.server("220 x\r\n");
                peer
            },
            Awaited::Hello,
            300,
        ),
        (
            || {
                let mut peer = Peer::new(with_tls(TlsMode::Required));
                peer.server("220 x\r\n250-x\r\n250 STARTTLS\r\n");
                peer
            },
            Awaited::StartTls,
            300,
        ),
        (
            || {
                let mut peer = Peer::new(with_tls(TlsMode::Required));
                peer.server("220 x\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n");
                peer
            },
            Awaited::Handshake,
            300,
        ),
        (
            || {
                let mut peer = Peer::ready(config(), &[]);
                peer.client.mail(&sender(), MailOptions::default()).unwrap();
                peer
            },
            Awaited::Mail,
            300,
        ),
        (
            || {
                let mut peer = Peer::ready(config(), &[]);
                peer.mail(MailOptions::default());
                peer.client.rcpt(&recipient("bob")).unwrap();
                peer
            },
            Awaited::Rcpt,
            300,
        ),
        (
            || {
                let mut peer = Peer::ready(config(), &[]);
                peer.mail(MailOptions::default());
                peer.client.rcpt(&recipient("bob")).unwrap();
                peer.server("250 ok\r\n");
                peer.client.data().unwrap();
                peer
            },
            Awaited::Data,
            120,
        ),
        (
            || {
                let mut peer = Peer::ready(config(), &[]);
                peer.open_content();
                peer.client.end_content().unwrap();
                peer
            },
            Awaited::Message,
            600,
        ),
        (
            || {
                let mut peer = Peer::ready(config(), &[]);
                peer.client.quit().unwrap();
                peer
            },
            Awaited::Quit,
            300,
        ),
    ];
    for (give, awaited, seconds) in cases {
        let mut peer = give();
        assert_eq!(peer.client.poll_timeout(), Some(Instant::from_millis(seconds * 1000)), "{awaited}");
        peer.at(0);
        peer.at(seconds - 1);
        assert!(!peer.client.is_closed(), "{awaited}");
        peer.at(seconds);
        timed_out(&mut peer, awaited);
    }
}

#[test]
fn timeouts_each_step_of_auth_has_a_deadline_of_its_own() {
    let mut clear = config();
    clear.sasl.clear_text_without_tls = true;
    let mut peer = Peer::ready(clear, &["AUTH LOGIN"]);
    let credentials = mailwright_sasl::Credentials::password("alice", "tanstaaf").unwrap();
    peer.client.authenticate(&credentials, mailwright_sasl::Seed::new([1; 32]).nonce()).unwrap();
    peer.at(0);
    peer.at(200);
    peer.server("334 VXNlcm5hbWU6\r\n");
    assert_eq!(peer.client.poll_timeout(), Some(Instant::from_millis(500_000)));
    peer.at(499);
    assert!(!peer.client.is_closed());
    peer.at(500);
    timed_out(&mut peer, Awaited::Authentication);
}

#[test]
fn timeouts_each_reply_of_lmtp_has_a_deadline_of_its_own() {
    let mut peer = Peer::ready(lmtp(), &["PIPELINING"]);
    peer.mail(MailOptions::default());
    peer.client.rcpt(&recipient("a")).unwrap();
    peer.client.rcpt(&recipient("b")).unwrap();
    peer.client.data().unwrap();
    peer.server("250 ok\r\n250 ok\r\n354 go\r\n");
    peer.client.end_content().unwrap();
    peer.at(0);
    peer.at(599);
    peer.server("250 ok\r\n");
    assert_eq!(peer.client.poll_timeout(), Some(Instant::from_millis(1_199_000)));
    peer.at(1199);
    timed_out(&mut peer, Awaited::Message);
}

#[test]
fn timeouts_an_idle_session_has_no_deadline() {
    let mut peer = Peer::ready(config(), &[]);
    assert_eq!(peer.client.poll_timeout(), None);
    peer.client.noop().unwrap();
    peer.server("250 ok\r\n");
    assert_eq!(peer.client.poll_timeout(), None);
}

#[test]
fn timeouts_each_reply_starts_the_wait_for_the_next_one() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    peer.client.mail(&sender(), MailOptions::default()).unwrap();
    peer.client.rcpt(&recipient("bob")).unwrap();
    peer.client.data().unwrap();
    peer.at(0);
    peer.at(200);
    peer.server("250 ok\r\n");
    assert_eq!(peer.client.poll_timeout(), Some(Instant::from_millis(500_000)));
    peer.at(400);
    peer.server("250 ok\r\n");
    assert_eq!(peer.client.poll_timeout(), Some(Instant::from_millis(520_000)));
}

#[test]
fn timeouts_half_a_reply_does_not_extend_the_deadline() {
    let mut peer = Peer::ready(config(), &[]);
    peer.client.noop().unwrap();
    for second in 0..30 {
        peer.at(second * 10);
        peer.server("250-x\r\n");
    }
    peer.at(300);
    timed_out(&mut peer, Awaited::Noop);
}

#[test]
fn timeouts_content_that_does_not_leave_times_out() {
    let mut peer = Peer::ready(config(), &[]);
    peer.open_content();
    peer.client.content(&b"x".repeat(1000)).unwrap();
    peer.at(0);
    peer.at(179);
    assert!(!peer.client.is_closed());
    peer.at(180);
    timed_out(&mut peer, Awaited::Content);
}

#[test]
fn timeouts_content_that_leaves_in_part_gets_another_deadline() {
    use bytes::Buf as _;
    let mut peer = Peer::ready(config(), &[]);
    peer.open_content();
    peer.client.content(&b"x".repeat(1000)).unwrap();
    peer.at(0);
    peer.client.transmit().advance(1);
    peer.at(180);
    assert_eq!(peer.client.poll_timeout(), Some(Instant::from_millis(360_000)));
    peer.at(360);
    timed_out(&mut peer, Awaited::Content);
}

#[test]
fn timeouts_a_host_that_writes_nothing_is_not_timed_out() {
    let mut peer = Peer::ready(config(), &[]);
    peer.open_content();
    peer.at(100_000);
    peer.client.content(b"x").unwrap();
    let _ = peer.said();
    peer.at(200_000);
    peer.at(300_000);
    assert!(!peer.client.is_closed());
    // The next block has its own time.
    peer.client.content(b"y").unwrap();
    peer.at(300_000);
    peer.at(300_179);
    assert!(!peer.client.is_closed());
    peer.at(300_180);
    timed_out(&mut peer, Awaited::Content);
}

#[test]
fn an_early_call_changes_nothing() {
    let mut peer = Peer::ready(config(), &[]);
    peer.client.noop().unwrap();
    peer.at(1);
    let deadline = peer.client.poll_timeout();
    for second in 2..200 {
        peer.at(second);
    }
    assert_eq!(peer.client.poll_timeout(), deadline);
}
