//! COMPRESS=DEFLATE under the client, octet for octet: the barrier, its end at UNAUTHENTICATE, and what a hostile server
//! does with it. RFC 4978, RFC 8437.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod deflated;
mod peer;

use deflated::{Deflater, Wire, compress};
use flate2::FlushCompress;
use mailwright_core::session::{LayerError, Session as _, Transport};
use mailwright_core::testing::laws;
use mailwright_imap::client::{Client, Closed, Event, State};
use mailwright_imap::types::Command;
use peer::commander::{Call, Commander, SEED, tagged};
use peer::{clear_text, login};

fn names(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| format!("{event:?}").split([' ', '(']).next().unwrap().to_string()).collect()
}

fn layer_error(events: &[Event]) -> &LayerError {
    match events.last() {
        Some(Event::Closed(Closed::Layer(error))) => error,
        last => panic!("{last:?}"),
    }
}

/// What a server says until it compresses, and then, in stages; the calls of its client.
fn stages() -> (Vec<Vec<u8>>, &'static [Call]) {
    let calls = &[
        Call::Compress,
        Call::Select,
        Call::Fetch,
        Call::AppendTwo(3),
        Call::Content(b"abc"),
        Call::Content(b"def"),
        Call::Unauthenticate,
        Call::Login,
        Call::Compress,
        Call::Noop,
    ];
    let mut first = Deflater::new();
    let mut second = Deflater::new();
    let greeting =
        "* PREAUTH [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE MULTIAPPEND UNAUTHENTICATE LITERAL+] x\r\n";
    let body = "Subject: x\r\n".repeat(50);
    let fetched =
        format!("* 1 FETCH (UID 1 BODY[] {{{}}}\r\n{body})\r\n* 7 EXISTS\r\n$3 OK done\r\n", body.len());
    let again = "$6 OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] welcome\r\n";
    let stages = vec![
        greeting.into(),
        tagged("$1 OK go\r\n"),
        first.says("* 3 EXISTS\r\n$2 OK done\r\n"),
        first.says(&fetched),
        first.says("$4 OK [APPENDUID 1 2:3] done\r\n"),
        first.says("$5 OK [CAPABILITY IMAP4rev1] bye\r\n"),
        tagged(again),
        tagged("$7 OK go\r\n"),
        second.says("$8 OK done\r\n"),
    ];
    (stages, calls)
}

fn transport(calls: &[Call]) -> impl Fn() -> (Transport<Client>, Commander) {
    move || (Transport::plain(Client::new(clear_text(), SEED)), Commander::new(calls))
}

#[test]
fn the_layer_comes_goes_and_comes_again_however_the_input_is_cut() {
    let (stages, calls) = stages();
    let slices: Vec<&[u8]> = stages.iter().map(Vec::as_slice).collect();
    for count in 1..=slices.len() {
        laws::fragmentation(transport(calls), &slices[..count], 7).unwrap();
    }
    let (transport, commander) = transport(calls)();
    let mut end = mailwright_core::testing::End::new(transport, commander);
    for stage in &stages {
        end.receive(stage).unwrap();
    }
    assert_eq!(end.host.calls, [], "{:?}", end.notes);
    assert!(end.session.session().is_compressed() && !end.is_closed());
    let notes = format!("{:?}", end.notes);
    assert_eq!(notes.matches("Compressed").count(), 2, "{notes}");
    assert_eq!(notes.matches("Uncompressed").count(), 1, "{notes}");
}

#[test]
fn a_client_under_the_layer_goes_on_or_closes_and_is_the_same_each_time() {
    let (stages, calls) = stages();
    let slices: Vec<&[u8]> = stages.iter().map(Vec::as_slice).collect();
    for seed in 0..5 {
        laws::determinism(transport(calls), &slices, seed).unwrap();
    }
    laws::silence(transport(calls), &slices).unwrap();
}

#[test]
fn both_directions_are_deflated_behind_the_agreement() {
    let mut wire = Wire::compressed(clear_text(), "");
    let sent = wire.sends(Command::Noop);
    assert_ne!(sent, tagged("$2 NOOP\r\n"));
    assert_eq!(wire.inflate(&sent), tagged("$2 NOOP\r\n"));
    let mut server = Deflater::new();
    let events = wire.hears(&server.says("* 3 EXISTS\r\n$2 OK done\r\n"));
    assert_eq!(names(&events), ["Response", "Completed"]);
}

#[test]
fn what_stands_behind_the_agreement_in_the_same_segment_belongs_to_the_layer() {
    let mut wire = Wire::new(clear_text(), "COMPRESS=DEFLATE");
    wire.sends(compress());
    let mut server = Deflater::new();
    let segment = [tagged("$1 OK go\r\n"), server.says("* 7 EXISTS\r\n")].concat();
    let events = wire.hears(&segment);
    assert_eq!(names(&events), ["Completed", "Compressed", "Response"]);
}

#[test]
fn plain_text_behind_the_agreement_is_never_a_response() {
    for injected in ["* 7 EXISTS\r\n", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] x\r\n", "$2 OK x\r\n"] {
        let mut wire = Wire::new(clear_text(), "COMPRESS=DEFLATE");
        wire.sends(compress());
        let segment = [tagged("$1 OK go\r\n"), tagged(injected)].concat();
        // It may look like the begin of a block, so that nothing shows the error yet.
        let mut events = wire.hears(&segment);
        events.extend(wire.hears(&segment.repeat(20)));
        let told = names(&events);
        assert_eq!(told[..2], ["Completed", "Compressed"], "{injected}");
        let believed = |name: &String| name == "Response" || name == "Completed";
        assert!(!told[2..].iter().any(believed), "{injected}: {told:?}");
    }
}

#[test]
fn a_refusal_leaves_the_connection_plain() {
    for refusal in ["$1 NO [COMPRESSIONACTIVE] by TLS\r\n", "$1 BAD what?\r\n"] {
        let mut wire = Wire::new(clear_text(), "COMPRESS=DEFLATE");
        wire.sends(compress());
        assert_eq!(names(&wire.hears(&tagged(refusal))), ["Completed"]);
        assert_eq!(wire.sends(Command::Noop), tagged("$2 NOOP\r\n"));
        assert_eq!(names(&wire.hears(&tagged("* 7 EXISTS\r\n$2 OK done\r\n"))), ["Response", "Completed"]);
    }
}

#[test]
fn unauthenticate_ends_the_layer_of_each_side_in_its_place() {
    let mut wire = Wire::compressed(clear_text(), "UNAUTHENTICATE");
    let sent = wire.sends(Command::Unauthenticate);
    assert_eq!(wire.inflate(&sent), tagged("$2 UNAUTHENTICATE\r\n"), "the last that is deflated");
    let mut server = Deflater::new();
    let mut segment = server.says("* 3 EXISTS\r\n$2 OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] bye\r\n");
    // The server goes on in plain text at once.
    segment.extend_from_slice(b"* OK plain again\r\n");
    let events = wire.hears(&segment);
    assert_eq!(names(&events), ["Response", "Completed", "Uncompressed", "Response"]);
    assert_eq!(*wire.client().state(), State::NotAuthenticated);
    assert_eq!(wire.sends(login()), tagged("$3 LOGIN fred secret\r\n"));
}

#[test]
fn unauthenticate_that_is_refused_leaves_the_layer() {
    let mut wire = Wire::compressed(clear_text(), "UNAUTHENTICATE");
    let sent = wire.sends(Command::Unauthenticate);
    wire.inflate(&sent);
    let mut server = Deflater::new();
    wire.hears(&server.says("$2 BAD what?\r\n"));
    let sent = wire.sends(Command::Noop);
    assert_eq!(wire.inflate(&sent), tagged("$3 NOOP\r\n"));
    assert_eq!(names(&wire.hears(&server.says("$3 OK done\r\n"))), ["Completed"]);
}

#[test]
fn deflated_octets_behind_the_end_of_the_layer_are_an_error() {
    let mut wire = Wire::compressed(clear_text(), "UNAUTHENTICATE");
    wire.sends(Command::Unauthenticate);
    let mut server = Deflater::new();
    let events = wire.hears(&server.says("$2 OK bye\r\n* 7 EXISTS\r\n"));
    assert_eq!(*layer_error(&events), LayerError::Deflate);
}

#[test]
fn what_can_be_inflated_is_read_before_a_flush() {
    let mut wire = Wire::compressed(clear_text(), "");
    let mut server = Deflater::new();
    // Enough that the compressor gives some of it away of its own accord; never a flush.
    let mut deflated = Vec::new();
    let mut number: u32 = 1;
    let mut said = 0;
    while said < 400_000 {
        let mut text = String::new();
        for _ in 0..100 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text += &format!("* OK {number:x}\r\n");
        }
        said += text.len();
        deflated.extend(server.deflate(text.as_bytes(), FlushCompress::None));
    }
    assert!(!deflated.is_empty());
    let events = wire.hears(&deflated);
    assert!(events.len() > 1000, "{}", events.len());
    let events = wire.hears(&server.says("* 7 EXISTS\r\n"));
    assert!(matches!(names(&events).last(), Some(last) if last == "Response"));
}

#[test]
fn a_flush_in_the_middle_of_a_response_is_no_end_of_it() {
    let mut wire = Wire::compressed(clear_text(), "");
    let mut server = Deflater::new();
    for piece in ["* 1 FETCH (UID ", "7 BODY[] {6}\r\nab", "cdef", ")\r", "\n* 7 EXISTS\r\n"] {
        let deflated = server.says(piece);
        let told = wire.hears(&deflated);
        assert!(!names(&told).contains(&"Invalid".to_string()), "{told:?}");
    }
    let told = wire.hears(&server.deflate(b"* 8 EXISTS\r\n", FlushCompress::Partial));
    assert_eq!(names(&told), ["Response"], "a partial flush will do");
}

#[test]
fn the_end_of_the_stream_is_the_end_of_what_is_said() {
    let mut wire = Wire::compressed(clear_text(), "");
    let mut server = Deflater::new();
    let last = server.deflate(b"* 7 EXISTS\r\n", FlushCompress::Finish);
    assert_eq!(names(&wire.hears(&last)), ["Response"]);
    let events = wire.hears(b"* 8 EXISTS\r\n");
    assert_eq!(*layer_error(&events), LayerError::Deflate);
}

#[test]
fn a_bomb_is_what_its_octets_say_and_no_more() {
    let mut wire = Wire::compressed(clear_text(), "");
    let mut server = Deflater::new();
    let mut bomb = server.deflate(b"* OK ", FlushCompress::None);
    bomb.extend(server.deflate(&vec![b'x'; 8 << 20], FlushCompress::Sync));
    assert!(bomb.len() < 20_000, "{}", bomb.len());
    let events = wire.hears(&bomb);
    assert!(matches!(events.last(), Some(Event::Closed(Closed::Framing(_)))), "{:?}", events.last());
    assert!(wire.transport.wants().close);
}
