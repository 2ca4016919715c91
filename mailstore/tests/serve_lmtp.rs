//! The driver of LMTP over the memory store, without sockets.

#![cfg(feature = "lmtp")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod served;

use mailwright_smtp::server::Protocol;
use mailwright_store::engine::block_on;
use served::World;
use served::receiving::{Receiving, receive};

fn lmtp(world: &World) -> Receiving {
    let mut session = receive(world, Protocol::Lmtp);
    session.say("LHLO client.test\r\n");
    session
}

fn codes(said: &str) -> Vec<&str> {
    said.lines().map(|line| line.get(..9).unwrap()).collect()
}

#[test]
fn each_recipient_has_its_own_reply_and_its_own_fate() {
    let world = World::new();
    block_on(world.store.set_quota(world.bob, Some(100), None)).unwrap();
    let mut session = lmtp(&world);
    let said = session.say(
        "MAIL FROM:<s@else.test>\r\nRCPT TO:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\n\
         RCPT TO:<nobody@example.org>\r\nRCPT TO:<carol@example.org>\r\nRCPT TO:<x@else.test>\r\n\
         RCPT TO:<alice@example.org>\r\n",
    );
    assert_eq!(
        codes(&said),
        ["250 2.1.0", "250 2.1.5", "250 2.1.5", "550 5.1.1", "250 2.1.5", "550 5.7.1", "250 2.1.5"]
    );
    session.say("DATA\r\n");
    let said = session.say("Subject: a\r\n\r\nhello\r\n.\r\n");
    assert_eq!(codes(&said), ["250 2.0.0", "452 4.2.2", "250 2.0.0", "250 2.0.0"]);
    assert_eq!(world.inbox(world.alice).len(), 1, "one copy for two replies");
    assert_eq!(world.inbox(world.bob).len(), 0);
    let carol = world.inbox(world.carol);
    assert!(carol[0].starts_with("Return-Path: <s@else.test>\r\nDelivered-To: carol@example.org\r\n"));
    assert!(carol[0].contains("with LMTP id "));
    assert_eq!(world.blobs(), 1);
}

#[test]
fn what_fails_at_the_end_is_said_once_for_each_recipient() {
    let world = World::new();
    let mut session = lmtp(&world);
    session.say("MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n");
    let said = session.say("bare\nline feed\r\n.\r\n");
    assert_eq!(codes(&said), ["554 5.6.0", "554 5.6.0"]);
    assert_eq!(world.blobs(), 0);
    assert_eq!(session.say("NOOP\r\n"), "250 2.0.0 OK\r\n");
}

#[test]
fn an_alias_is_one_recipient_whose_targets_share_its_fate() {
    let world = World::new();
    world.alias("team@example.org", &["alice@example.org", "bob@example.org"]);
    block_on(world.store.set_quota(world.bob, Some(100), None)).unwrap();
    let mut session = lmtp(&world);
    session.say("MAIL FROM:<>\r\nRCPT TO:<team@example.org>\r\nRCPT TO:<carol@example.org>\r\nDATA\r\n");
    let said = session.say("Subject: a\r\n\r\nhello\r\n.\r\n");
    assert_eq!(codes(&said), ["452 4.2.2", "250 2.0.0"]);
    assert!(world.inbox(world.alice).is_empty(), "done whole or not at all");
    assert_eq!(world.inbox(world.carol).len(), 1);
}
