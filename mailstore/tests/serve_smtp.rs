//! The driver of SMTP and submission over the memory store, without sockets.

#![cfg(feature = "smtp")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod served;

use mailwright_sasl::base64;
use mailwright_smtp::server::Protocol;
use mailwright_store::serve::Inline;
use mailwright_store::serve::smtp::Service;
use served::World;
use served::receiving::{Receiving, config, receive, receive_with};

/// A mail exchanger that was greeted.
fn exchanger(world: &World) -> Receiving {
    let mut session = receive(world, Protocol::Smtp);
    session.say("EHLO client.test\r\n");
    session
}

/// A submission server at which `name` has logged in.
fn submission(world: &World, name: &str) -> Receiving {
    let mut session = receive(world, Protocol::Submission);
    session.say("EHLO client.test\r\n");
    let plain = encoded(&format!("\0{name}@example.org\0{name}"));
    assert_eq!(session.say(format!("AUTH PLAIN {plain}\r\n")), "235 2.7.0 Authentication successful\r\n");
    session
}

fn encoded(text: &str) -> String {
    let mut encoded = bytes::BytesMut::new();
    base64::encode(text.as_bytes(), &mut encoded);
    String::from_utf8(encoded.to_vec()).unwrap()
}

fn send(session: &mut Receiving, from: &str, to: &[&str], content: &str) -> String {
    let mut said = session.say(format!("MAIL FROM:<{from}>\r\n"));
    for to in to {
        said += &session.say(format!("RCPT TO:<{to}>\r\n"));
    }
    said += &session.say("DATA\r\n");
    if said.ends_with("354 Start mail input; end with <CRLF>.<CRLF>\r\n") {
        said += &session.say(format!("{content}.\r\n"));
    }
    said
}

/// The last reply's code and enhanced code.
fn verdict(said: &str) -> &str {
    said.trim_end().rsplit("\r\n").next().unwrap().get(..9).unwrap()
}

#[test]
fn a_message_is_stored_with_its_trace_and_its_octets() {
    let world = World::new();
    let content = "Subject: a\r\n\r\n.dot\r\nend\r\n";
    let said = send(
        &mut exchanger(&world),
        "sender@else.test",
        &["bob@example.org"],
        &content.replace("\r\n.", "\r\n.."),
    );
    assert_eq!(verdict(&said), "250 2.0.0");
    let id = said.trim_end().rsplit(' ').next().unwrap();
    let inbox = world.inbox(world.bob);
    let expected = format!(
        "Return-Path: <sender@else.test>\r\nDelivered-To: bob@example.org\r\n\
         Received: from client.test ([192.0.2.1])\r\n\tby mx.example.org with ESMTP id {id}\r\n\
         \tfor <bob@example.org>;\r\n\tSun, 13 Sep 2020 12:26:40 +0000\r\n{content}"
    );
    assert_eq!(inbox, [expected]);
}

#[test]
fn several_recipients_share_one_blob_and_no_received_field_names_them() {
    let world = World::new();
    let to = ["bob@example.org", "alice@example.org", "ALICE+tag@example.org"];
    let said = send(&mut exchanger(&world), "", &to, "Subject: a\r\n\r\nb\r\n");
    assert_eq!(verdict(&said), "250 2.0.0");
    for (account, name) in [(world.bob, "bob"), (world.alice, "alice")] {
        let inbox = world.inbox(account);
        assert_eq!(inbox.len(), 1, "one copy for an account");
        assert!(inbox[0].starts_with(&format!("Return-Path: <>\r\nDelivered-To: {name}@example.org\r\n")));
        assert!(!inbox[0].contains("\tfor <"));
    }
    assert_eq!(world.blobs(), 1);
}

#[test]
fn relaying_is_refused_with_and_without_log_in() {
    let world = World::new();
    world.alias("away@example.org", &["someone@else.test"]);
    let to = ["x@else.test", "away@example.org", "x@[127.0.0.1]"];
    for mut session in [exchanger(&world), submission(&world, "alice")] {
        session.say("MAIL FROM:<alice@example.org>\r\n");
        for to in to {
            assert_eq!(session.say(format!("RCPT TO:<{to}>\r\n")), "550 5.7.1 Relaying denied\r\n", "{to}");
        }
        assert_eq!(session.say("DATA\r\n"), "554 5.5.1 No valid recipients\r\n");
    }
}

#[test]
fn recipients_are_looked_up() {
    let world = World::new();
    world.alias("team@example.org", &["alice@example.org", "bob@example.org"]);
    world.alias("loop@example.org", &["loop2@example.org"]);
    world.alias("loop2@example.org", &["loop@example.org"]);
    world.alias("dead@example.org", &["nobody@example.org"]);
    let mut session = exchanger(&world);
    session.say("MAIL FROM:<>\r\n");
    for (to, code) in [
        ("bob@example.org", "250 2.1.5"),
        ("BOB@EXAMPLE.ORG", "250 2.1.5"),
        ("bob+lists@example.org", "250 2.1.5"),
        ("postmaster", "250 2.1.5"),
        ("PostMaster@example.org", "250 2.1.5"),
        ("team@example.org", "250 2.1.5"),
        ("nobody@example.org", "550 5.1.1"),
        ("dead@example.org", "550 5.1.1"),
        ("loop@example.org", "554 5.4.6"),
    ] {
        assert_eq!(verdict(&session.say(format!("RCPT TO:<{to}>\r\n"))), code, "{to}");
    }
}

#[test]
fn an_account_sends_from_its_own_addresses_only() {
    let world = World::new();
    world.alias("sales@example.org", &["alice@example.org"]);
    let mut session = submission(&world, "alice");
    for (from, code) in [
        ("alice@example.org", "250 2.1.0"),
        ("ALICE@Example.Org", "250 2.1.0"),
        ("alice+tag@example.org", "250 2.1.0"),
        ("sales@example.org", "250 2.1.0"),
        ("", "250 2.1.0"),
        ("bob@example.org", "550 5.7.1"),
        ("alice@else.test", "550 5.7.1"),
        ("alice@example.org.test", "550 5.7.1"),
        ("nobody@example.org", "550 5.7.1"),
    ] {
        assert_eq!(verdict(&session.say(format!("MAIL FROM:<{from}>\r\n"))), code, "{from}");
        session.say("RSET\r\n");
    }
}

#[test]
fn every_address_of_the_from_field_must_be_the_accounts() {
    let world = World::new();
    world.alias("sales@example.org", &["alice@example.org"]);
    for (header, code) in [
        ("From: alice@example.org\r\n", "250 2.0.0"),
        ("From: Alice <ALICE@example.org>\r\n", "250 2.0.0"),
        ("from : \"bob@example.org\" <sales@example.org>\r\n", "250 2.0.0"),
        ("Subject: no From\r\n", "250 2.0.0"),
        ("Subject: x\r\n\r\nFrom: bob@example.org\r\n", "250 2.0.0"),
        ("From: bob@example.org\r\n", "550 5.7.1"),
        ("From: alice@example.org, bob@example.org\r\n", "550 5.7.1"),
        ("From: alice@example.org\r\nX: y\r\nFROM:\r\n bob@example.org\r\n", "550 5.7.1"),
        ("From: alice@example.org <bob@example.org>\r\n", "550 5.7.1"),
        ("From: alice@example.org (\r\n", "550 5.7.1"),
        ("From:\r\n", "550 5.7.1"),
    ] {
        let mut session = submission(&world, "alice");
        let said =
            send(&mut session, "alice@example.org", &["bob@example.org"], &format!("{header}\r\nb\r\n"));
        assert_eq!(verdict(&said), code, "{header}");
        assert_eq!(session.say("NOOP\r\n"), "250 2.0.0 OK\r\n", "the session goes on");
    }
    assert_eq!(world.inbox(world.bob).len(), 5);
    assert_eq!(world.blobs(), 5, "refused messages leave nothing");
}

#[test]
fn a_from_field_too_long_to_be_judged_is_refused() {
    let world = World::new();
    let mut session = submission(&world, "alice");
    let mut content = String::from("From: alice@example.org");
    for _ in 0..2000 {
        content += ",\r\n alice@example.org";
    }
    let said = send(&mut session, "alice@example.org", &["bob@example.org"], &(content + "\r\n\r\n"));
    assert_eq!(verdict(&said), "550 5.7.1");
}

#[test]
fn a_wrong_password_an_unknown_name_and_a_disabled_account_look_alike() {
    let world = World::new();
    mailwright_store::engine::block_on(world.store.directory().set_disabled(world.carol, true)).unwrap();
    let mut session = receive(&world, Protocol::Submission);
    session.say("EHLO client.test\r\n");
    for (name, password) in [("alice", "wrong"), ("nobody", "x"), ("carol", "carol")] {
        let plain = encoded(&format!("\0{name}@example.org\0{password}"));
        let said = session.say(format!("AUTH PLAIN {plain}\r\n"));
        assert_eq!(said, "535 5.7.8 Authentication credentials invalid\r\n");
    }
    assert_eq!(verdict(&session.say("MAIL FROM:<alice@example.org>\r\n")), "530 5.7.0");
}

#[test]
fn nobody_acts_for_another_account() {
    let world = World::new();
    for (authzid, code) in [("bob@example.org", "535 5.7.8"), ("ALICE@example.org", "235 2.7.0")] {
        let mut session = receive(&world, Protocol::Submission);
        session.say("EHLO client.test\r\n");
        let plain = encoded(&format!("{authzid}\0alice@example.org\0alice"));
        assert_eq!(verdict(&session.say(format!("AUTH PLAIN {plain}\r\n"))), code, "{authzid}");
    }
}

#[test]
fn an_account_that_is_disabled_after_its_log_in_sends_nothing() {
    let world = World::new();
    let mut session = submission(&world, "carol");
    mailwright_store::engine::block_on(world.store.directory().set_disabled(world.carol, true)).unwrap();
    assert_eq!(verdict(&session.say("MAIL FROM:<carol@example.org>\r\n")), "530 5.7.0");
}

#[test]
fn forged_trace_fields_do_not_reach_the_mailbox() {
    let world = World::new();
    let content = "Return-Path: <forged@x.test>\r\nAuthentication-Results: mx.example.org;\r\n spf=pass\r\n\
                   Authentication-Results: other.test; spf=pass\r\nSubject: a\r\n\r\nReturn-Path: body\r\n";
    send(&mut exchanger(&world), "s@else.test", &["bob@example.org"], content);
    let inbox = world.inbox(world.bob);
    let kept = "Authentication-Results: other.test; spf=pass\r\nSubject: a\r\n\r\nReturn-Path: body\r\n";
    assert!(inbox[0].ends_with(&format!("+0000\r\n{kept}")), "{}", inbox[0]);
    assert_eq!(inbox[0].matches("Return-Path: <").count(), 1);
}

#[test]
fn a_message_with_more_hops_than_allowed_is_a_loop() {
    let world = World::new();
    let service = Service::new(world.store.clone(), Inline).with_hops(3);
    for (hops, code) in [(3, "250 2.0.0"), (4, "554 5.4.6")] {
        let mut session = receive_with(&service, config(Protocol::Smtp));
        session.say("EHLO client.test\r\n");
        let content = "Received: from a\r\n by b\r\n".repeat(hops) + "\r\nReceived: body\r\n";
        let said = send(&mut session, "", &["bob@example.org"], &content);
        assert_eq!(verdict(&said), code, "{hops}");
    }
    assert_eq!(world.inbox(world.bob).len(), 1);
    assert_eq!(world.blobs(), 1);
}

#[test]
fn a_full_mailbox_is_told_at_rcpt_or_at_the_end_and_nobody_gets_half_a_delivery() {
    let world = World::new();
    mailwright_store::engine::block_on(world.store.set_quota(world.bob, Some(2000), None)).unwrap();
    let mut session = exchanger(&world);
    session.say("MAIL FROM:<> SIZE=3000\r\n");
    assert_eq!(verdict(&session.say("RCPT TO:<bob@example.org>\r\n")), "452 4.2.2");
    assert_eq!(verdict(&session.say("RCPT TO:<alice@example.org>\r\n")), "250 2.1.5");
    session.say("RSET\r\n");
    // Without SIZE it comes out at the end; one reply speaks for both, so neither has it.
    let content = "x".repeat(100) + "\r\n";
    let said = send(&mut session, "", &["alice@example.org", "bob@example.org"], &content.repeat(30));
    assert_eq!(verdict(&said), "452 4.2.2");
    assert!(world.inbox(world.alice).is_empty() && world.inbox(world.bob).is_empty());
    assert_eq!(world.blobs(), 0);
}

#[test]
fn content_that_is_refused_or_cut_off_leaves_nothing() {
    let world = World::new();
    let mut session = exchanger(&world);
    let said = send(&mut session, "", &["bob@example.org"], "bare\nline feed\r\n");
    assert_eq!(verdict(&said), "554 5.6.0");
    let said = send(&mut session, "", &["bob@example.org"], &"0123456789\r\n".repeat(10_000));
    assert_eq!(verdict(&said), "552 5.3.4");
    assert_eq!(verdict(&session.say("MAIL FROM:<> SIZE=200000\r\n")), "552 5.3.4");
    send(&mut session, "", &["bob@example.org"], "");
    session.say("MAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n");
    session.say("half a mess");
    session.end();
    assert_eq!(world.inbox(world.bob).len(), 1, "the empty one");
    assert_eq!(world.blobs(), 1);
}

#[test]
fn a_transaction_that_was_reset_delivers_to_none_of_its_recipients() {
    let world = World::new();
    let mut session = exchanger(&world);
    session.say("MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nRSET\r\n");
    let said = send(&mut session, "", &["bob@example.org"], "x\r\n");
    assert_eq!(verdict(&said), "250 2.0.0");
    session.say("MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nEHLO again.test\r\n");
    let said = send(&mut session, "", &["bob@example.org"], "y\r\n");
    assert_eq!(verdict(&said), "250 2.0.0");
    assert!(world.inbox(world.alice).is_empty());
    assert_eq!(world.inbox(world.bob).len(), 2);
}

#[test]
fn pipelined_transactions_are_stored_in_order() {
    let world = World::new();
    let mut session = exchanger(&world);
    let mut commands = String::new();
    for number in 0..20 {
        commands += &format!(
            "MAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nRCPT TO:<nobody@example.org>\r\nDATA\r\nSubject: {number}\r\n\r\n.\r\n"
        );
    }
    let said = session.say(commands);
    assert_eq!(said.matches("250 2.0.0 Stored").count(), 20);
    let inbox = world.inbox(world.bob);
    assert_eq!(inbox.len(), 20);
    for (number, message) in inbox.iter().enumerate() {
        assert!(message.ends_with(&format!("Subject: {number}\r\n\r\n")));
    }
}
