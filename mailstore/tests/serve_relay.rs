//! Mail for other domains over the memory store, without sockets: who may send it, what is queued with what.

#![cfg(all(feature = "smtp", feature = "queue"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod queued;
mod served;

use mailwright_core::session::{Session as _, TlsInfo, Upgraded};
use mailwright_core::value::Instant;
use mailwright_sasl::base64;
use mailwright_smtp::dsn::Action;
use mailwright_smtp::server::{Protocol, TlsMode};
use mailwright_smtp::types::Notify;
use mailwright_store::engine::block_on;
use mailwright_store::queue::{QueuedMessage, Target};
use mailwright_store::serve::Inline;
use mailwright_store::serve::smtp::Service;
use served::World;
use served::receiving::{Receiving, config, receive_with};

fn session(world: &World, protocol: Protocol, relays: bool) -> Receiving {
    let service = Service::new(world.store.clone(), Inline).with_relaying(relays);
    let mut config = config(protocol);
    config.dsn = true;
    config.requiretls = true;
    config.tls = TlsMode::Implicit;
    let mut session = receive_with(&service, config);
    session.session.handle_upgrade(Upgraded::Tls(TlsInfo::default()), Instant::ORIGIN);
    session.said();
    session.say(if protocol == Protocol::Lmtp { "LHLO client.test\r\n" } else { "EHLO client.test\r\n" });
    session
}

fn submission(world: &World) -> Receiving {
    let mut session = session(world, Protocol::Submission, true);
    let mut plain = bytes::BytesMut::new();
    base64::encode(b"\0alice@example.org\0alice", &mut plain);
    let plain = String::from_utf8(plain.to_vec()).unwrap();
    assert!(session.say(format!("AUTH PLAIN {plain}\r\n")).starts_with("235"));
    session
}

const FROM_ALICE: &str = "From: alice@example.org\r\nSubject: a\r\n\r\nb\r\n";

/// `from` and `to` may have parameters behind them.
fn send(session: &mut Receiving, from: &str, to: &[&str], content: &str) -> Vec<String> {
    let mut said = session.say(format!("MAIL FROM:{from}\r\n"));
    for to in to {
        said += &session.say(format!("RCPT TO:{to}\r\n"));
    }
    let start = session.say("DATA\r\n");
    if start.starts_with("354") {
        said += &session.say(format!("{content}.\r\n"));
    } else {
        said += &start;
    }
    said.trim_end().split("\r\n").map(|line| line.get(..9).unwrap().to_owned()).collect()
}

fn queue(world: &World) -> Vec<QueuedMessage> {
    queued::queued(&world.store)
}

fn addresses(message: &QueuedMessage) -> Vec<String> {
    message.recipients.iter().map(|waits| waits.recipient.address.to_string()).collect()
}

#[test]
fn an_account_sends_elsewhere_under_its_own_addresses() {
    let world = World::new();
    let said = send(
        &mut submission(&world),
        "<alice@example.org>",
        &["<bob@else.test>", "<c@[192.0.2.1]>"],
        FROM_ALICE,
    );
    assert_eq!(said, ["250 2.1.0", "250 2.1.5", "250 2.1.5", "250 2.0.0"]);
    let queue = queue(&world);
    assert_eq!(queue.len(), 1);
    assert_eq!(addresses(&queue[0]), ["bob@else.test", "c@[192.0.2.1]"]);
    assert_eq!(queue[0].envelope.account, Some(world.alice));
    assert_eq!(queue[0].envelope.sender.to_string(), "<alice@example.org>");
    let message = block_on(world.store.queue().message(queue[0].id)).unwrap().unwrap();
    let text = block_on(message.read(0..30)).unwrap();
    assert_eq!(text, "Received: from client.test ([1");
    // Foreign senders and foreign From fields are refused before and behind.
    let said = send(&mut submission(&world), "<bob@example.org>", &["<bob@else.test>"], FROM_ALICE);
    assert_eq!(said, ["550 5.7.1", "503 5.5.1", "503 5.5.1"]);
    let foreign = "From: bob@example.org\r\n\r\nb\r\n";
    let said = send(&mut submission(&world), "<alice@example.org>", &["<bob@else.test>"], foreign);
    assert_eq!(said.last().unwrap(), "550 5.7.1");
    assert_eq!(self::queue(&world).len(), 1);
}

#[test]
fn nobody_else_sends_elsewhere() {
    let world = World::new();
    world.alias("away@example.org", &["someone@else.test"]);
    for (protocol, relays) in [(Protocol::Smtp, true), (Protocol::Smtp, false), (Protocol::Lmtp, true)] {
        let mut session = session(&world, protocol, relays);
        session.say("MAIL FROM:<alice@example.org>\r\n");
        for to in ["x@else.test", "x@[127.0.0.1]", "x@example.org.test"] {
            assert_eq!(session.say(format!("RCPT TO:<{to}>\r\n")), "550 5.7.1 Relaying denied\r\n", "{to}");
        }
        let forwarded = session.say("RCPT TO:<away@example.org>\r\n");
        assert_eq!(forwarded.starts_with("250 2.1.5"), relays, "{forwarded}");
    }
}

#[test]
fn forwarding_keeps_the_sender_and_local_copies_share_the_commit_and_the_octets() {
    let world = World::new();
    world.alias("team@example.org", &["bob@example.org", "x@else.test", "y@else.test"]);
    let mut session = session(&world, Protocol::Smtp, true);
    let to = ["<team@example.org>", "<carol@example.org>", "<team@example.org>"];
    let said = send(&mut session, "<sender@far.test>", &to, "Subject: a\r\n\r\nb\r\n");
    assert_eq!(said.last().unwrap(), "250 2.0.0");
    let queue = queue(&world);
    assert_eq!(queue.len(), 1);
    assert_eq!(addresses(&queue[0]), ["x@else.test", "y@else.test"], "each once");
    assert_eq!(queue[0].envelope.sender.to_string(), "<sender@far.test>");
    assert_eq!(queue[0].envelope.account, None);
    assert_eq!((world.inbox(world.bob).len(), world.inbox(world.carol).len()), (1, 1));
    assert_eq!(world.blobs(), 1);
    // The null sender stays null.
    send(&mut session, "<>", &["<team@example.org>"], "Subject: a\r\n\r\nb\r\n");
    let senders = |message: &QueuedMessage| message.envelope.sender.mailbox().is_none();
    assert_eq!(self::queue(&world).iter().filter(|message| senders(message)).count(), 1);
}

#[test]
fn a_mixed_message_that_cannot_be_stored_is_not_queued_either() {
    let world = World::new();
    let to = ["<bob@example.org>", "<x@else.test>"];
    let mut submission = submission(&world);
    let large = format!("From: alice@example.org\r\n\r\n{}", "x\r\n".repeat(40_000));
    let said = send(&mut submission, "<alice@example.org>", &to, &large);
    assert!(said.last().unwrap().starts_with("552") || said.last().unwrap().starts_with("554"), "{said:?}");
    assert!(queue(&world).is_empty() && world.inbox(world.bob).is_empty());
    assert_eq!(world.blobs(), 0);
}

#[test]
fn what_the_sender_asks_for_travels_as_the_number_of_targets_allows() {
    let world = World::new();
    world.alias("one@example.org", &["x@else.test"]);
    world.alias("two@example.org", &["x@far.test", "bob@example.org"]);
    let all = "NOTIFY=SUCCESS,FAILURE";
    let to = [
        format!("<one@example.org> {all} ORCPT=rfc822;one@example.org"),
        format!("<two@example.org> {all}"),
        format!("<carol@example.org> {all}"),
        "<away@else.test> NOTIFY=NEVER".to_owned(),
    ];
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let from = "<alice@example.org> RET=HDRS ENVID=abc REQUIRETLS BODY=8BITMIME";
    let said = send(&mut submission(&world), from, &to, FROM_ALICE);
    assert_eq!(said.last().unwrap(), "250 2.0.0", "{said:?}");
    let messages = queue(&world);
    for QueuedMessage { envelope, .. } in &messages {
        assert!(envelope.require_tls && envelope.eight_bit && !envelope.smtp_utf8);
        assert_eq!(envelope.ret.unwrap().to_string(), "HDRS");
        assert_eq!(envelope.envelope_id.as_ref().unwrap().as_str(), "abc");
    }
    let mut recipients: Vec<_> = messages
        .iter()
        .flat_map(|message| &message.recipients)
        .map(|waits| {
            let recipient = &waits.recipient;
            (recipient.address.to_string(), recipient.notify, recipient.original.is_some(), recipient.target)
        })
        .collect();
    recipients.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let all = Some(Notify::SUCCESS.and(Notify::FAILURE));
    assert_eq!(
        recipients,
        [
            ("away@else.test".into(), Some(Notify::NEVER), false, Target::Remote),
            ("carol@example.org".into(), all, false, Target::Report(Action::Delivered)),
            ("two@example.org".into(), all, false, Target::Report(Action::Expanded)),
            ("x@else.test".into(), all, true, Target::Remote),
            ("x@far.test".into(), Some(Notify::FAILURE), false, Target::Remote),
        ]
    );
    // The reports of what is done already come at once.
    let mut runner = queued::start(&world.store, served::NOW);
    queued::run(&mut runner, served::NOW, served::NOW, |_| queued::unreachable());
    let mut told: Vec<_> = queued::reports(&world.store, world.alice).iter().flat_map(queued::rows).collect();
    told.sort();
    assert_eq!(
        told,
        [
            ("carol@example.org".into(), (Action::Delivered, "2.1.5".into())),
            ("two@example.org".into(), (Action::Expanded, "2.1.5".into())),
        ]
    );
}

#[test]
fn success_of_mail_with_the_null_sender_is_reported_to_nobody() {
    let world = World::new();
    let mut session = session(&world, Protocol::Smtp, true);
    let said = send(&mut session, "<>", &["<bob@example.org> NOTIFY=SUCCESS"], "Subject: a\r\n\r\nb\r\n");
    assert_eq!(said.last().unwrap(), "250 2.0.0");
    assert!(queue(&world).is_empty());
}

#[test]
fn over_lmtp_each_recipient_has_its_own_fate() {
    let world = World::new();
    world.alias("away@example.org", &["x@else.test"]);
    world.alias("both@example.org", &["y@else.test", "carol@example.org"]);
    let mut session = session(&world, Protocol::Lmtp, true);
    session.say("MAIL FROM:<s@far.test>\r\nRCPT TO:<away@example.org>\r\nRCPT TO:<both@example.org>\r\n");
    session.say("RCPT TO:<bob@example.org>\r\nDATA\r\n");
    // No room for carol any more, when it is too late to say so.
    block_on(world.store.set_quota(world.carol, Some(1), None)).unwrap();
    let said = session.say("Subject: a\r\n\r\nb\r\n.\r\n");
    let codes: Vec<&str> = said.trim_end().split("\r\n").map(|line| line.get(..9).unwrap()).collect();
    assert_eq!(codes, ["250 2.0.0", "452 4.2.2", "250 2.0.0"]);
    let queue = queue(&world);
    assert_eq!(addresses(&queue[0]), ["x@else.test"], "a plan is done whole or not at all");
    assert_eq!((world.inbox(world.bob).len(), world.inbox(world.carol).len()), (1, 0));
}

#[test]
fn an_account_without_room_gets_the_message_later_if_others_take_it() {
    let world = World::new();
    let mut session = session(&world, Protocol::Smtp, true);
    session.say(
        "MAIL FROM:<s@far.test>\r\nRCPT TO:<bob@example.org>\r\nRCPT TO:<carol@example.org>\r\nDATA\r\n",
    );
    block_on(world.store.set_quota(world.carol, Some(1), None)).unwrap();
    let said = session.say("Subject: a\r\n\r\nb\r\n.\r\n");
    assert!(said.starts_with("250 2.0.0"), "{said}");
    assert_eq!((world.inbox(world.bob).len(), world.inbox(world.carol).len()), (1, 0));
    assert_eq!(queue(&world)[0].recipients[0].recipient.target, Target::Account(world.carol));
    block_on(world.store.set_quota(world.carol, None, None)).unwrap();
    let mut runner = queued::start(&world.store, served::NOW);
    queued::run(&mut runner, served::NOW, served::NOW, |_| queued::unreachable());
    let carol = world.inbox(world.carol);
    let trace = "Return-Path: <s@far.test>\r\nDelivered-To: carol@example.org\r\nReceived: from client.test";
    assert!(
        carol.len() == 1 && carol[0].starts_with(trace) && carol[0].ends_with("\r\nSubject: a\r\n\r\nb\r\n")
    );
    assert!(queue(&world).is_empty());
    assert_eq!(world.blobs(), 1);
}

#[test]
fn a_message_for_which_nobody_has_room_is_refused() {
    let world = World::new();
    let mut session = session(&world, Protocol::Smtp, true);
    session.say(
        "MAIL FROM:<s@far.test>\r\nRCPT TO:<bob@example.org>\r\nRCPT TO:<carol@example.org>\r\nDATA\r\n",
    );
    for account in [world.bob, world.carol] {
        block_on(world.store.set_quota(account, Some(1), None)).unwrap();
    }
    let said = session.say("Subject: a\r\n\r\nb\r\n.\r\n");
    assert!(said.starts_with("452 4.2.2"), "{said}");
    assert!(queue(&world).is_empty());
    assert_eq!(world.blobs(), 0);
}

#[cfg(feature = "testing")]
#[test]
fn a_failure_to_write_is_told_and_keeps_nothing() {
    use mailwright_store::engine::Memory;
    use mailwright_store::testing::{Fault, Faulty};

    for (fault, reply) in
        [(Fault::Full, "452 4.3.1"), (Fault::Io, "451 4.3.0"), (Fault::UnknownNotDone, "250 2.0.0")]
    {
        let (store, alice) = queued::open(Faulty::new(Memory::new()));
        block_on(
            store
                .directory()
                .set_alias(&queued::address("away@example.org"), &[queued::address("x@else.test")]),
        )
        .unwrap();
        let service = Service::new(store.clone(), Inline).with_relaying(true);
        let mut session = receive_with(&service, config(Protocol::Smtp));
        session.say("EHLO client.test\r\nMAIL FROM:<s@far.test>\r\nRCPT TO:<alice@example.org>\r\n");
        session.say("RCPT TO:<away@example.org>\r\nDATA\r\n");
        store.engine().commits_do([Some(fault)]);
        let said = session.say("Subject: a\r\n\r\nb\r\n.\r\n");
        assert!(said.starts_with(reply), "{said}");
        let kept = usize::from(reply.starts_with('2'));
        assert_eq!((queued::queued(&store).len(), queued::inbox(&store, alice).len()), (kept, kept));
    }
}

#[test]
fn what_was_forwarded_from_an_address_does_not_go_there_again() {
    let world = World::new();
    world.alias("team@example.org", &["x@else.test"]);
    world.alias("other@example.org", &["y@else.test"]);
    let to = ["<team@example.org>", "<other@example.org>"];
    send(&mut session(&world, Protocol::Smtp, true), "<s@far.test>", &to, "Subject: a\r\n\r\nb\r\n");
    let mut queue = queue(&world);
    // Each bears the address that forwarded it.
    queue.sort_by_key(addresses);
    for (message, forwarder) in queue.iter().zip(["team@example.org", "other@example.org"]) {
        let message = block_on(world.store.queue().message(message.id)).unwrap().unwrap();
        let text = block_on(message.read(0..u64::MAX)).unwrap();
        let text = core::str::from_utf8(&text).unwrap();
        assert!(text.starts_with(&format!("Delivered-To: {forwarder}\r\nReceived: ")), "{text}");
    }
    assert_eq!((queue.len(), world.blobs()), (2, 1));
    // It comes back: to the same address in other letters, to another one, to a mailbox where it was.
    let back = "delivered-to:\r\n  TEAM@Example.ORG\r\nSubject: a\r\n\r\nDelivered-To: other@example.org\r\n";
    for (to, reply) in [
        (&["<team@example.org>"][..], "554 5.4.6"),
        (&["<other@example.org>"], "250 2.0.0"),
        (&["<other@example.org>", "<Team@example.org>"], "554 5.4.6"),
    ] {
        let said = send(&mut session(&world, Protocol::Smtp, true), "<s@far.test>", to, back);
        assert_eq!(said.last().unwrap(), reply, "{to:?}");
    }
    let before = world.inbox(world.bob).len();
    let delivered = "Delivered-To: bob@example.org\r\n\r\nb\r\n";
    let said =
        send(&mut session(&world, Protocol::Smtp, false), "<s@far.test>", &["<bob@example.org>"], delivered);
    assert_eq!(said.last().unwrap(), "554 5.4.6");
    assert_eq!(world.inbox(world.bob).len(), before);
    // What an account submits was nowhere.
    let text = FROM_ALICE.replacen("From:", "Delivered-To: bob@example.org\r\nFrom:", 1);
    let said = send(&mut submission(&world), "<alice@example.org>", &["<bob@example.org>"], &text);
    assert_eq!(said.last().unwrap(), "250 2.0.0");
}
