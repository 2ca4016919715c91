//! DEFLATE as a layer of a transport (RFC 4978) and its end (RFC 8437), in memory.
#![cfg(feature = "deflate")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test may fail"
)]

mod toy;

use std::io::{Read as _, Write as _};

use bytes::Buf as _;
use flate2::write::DeflateEncoder;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use mailwright_core::session::{LayerError, Session as _, Transport};
use mailwright_core::value::Instant;
use toy::{End, Event, Numbers, Toy, lines, output, run};

const NOW: Instant = Instant::ORIGIN;

type Peer = End<Transport<Toy>>;

fn pair() -> (Peer, Peer) {
    (End::new(Transport::plain(Toy::client())), End::new(Transport::plain(Toy::server())))
}

/// A server behind COMPRESS, with nothing waiting, for a client made by hand.
fn compressed_server() -> Peer {
    let mut server = End::new(Transport::plain(Toy::server()));
    server.turn();
    server.deliver(b"COMPRESS\r\n", &[]);
    assert_eq!(server.events, [Event::Compressed]);
    assert_eq!(output(&mut server.session), b"+ hello\r\n+ COMPRESS\r\n");
    server
}

/// A compressor by hand.
struct Deflater(Compress);

impl Deflater {
    fn new() -> Self {
        Self(Compress::new(Compression::default(), false))
    }

    fn deflate(&mut self, octets: &[u8], flush: FlushCompress) -> Vec<u8> {
        let mut wire = Vec::with_capacity(octets.len() + octets.len() / 8 + 100);
        self.0.compress_vec(octets, &mut wire, flush).unwrap();
        assert!(wire.len() < wire.capacity());
        wire
    }
}

fn inflate(wire: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(1 << 20);
    Decompress::new(false).decompress_vec(wire, &mut plain, FlushDecompress::None).unwrap();
    plain
}

fn failure(events: &[Event]) -> Option<&LayerError> {
    if let Some(Event::Closed(Some(error))) = events.last() { Some(error) } else { None }
}

fn talk(cuts: &[usize]) -> (Peer, Peer) {
    let (mut client, mut server) = pair();
    for lines in [&["one", "COMPRESS"][..], &["two", "PLAIN"], &["three", "COMPRESS"], &["four", "QUIT"]] {
        for line in lines {
            client.session.session_mut().say(line);
        }
        run(&mut client, &mut server, cuts);
    }
    (client, server)
}

fn assert_talked(client: &Peer, server: &Peer) {
    let line = |text: &str| Event::Line(text.to_owned());
    assert_eq!(
        server.events,
        [
            line("one"),
            Event::Compressed,
            line("two"),
            Event::Plain,
            line("three"),
            Event::Compressed,
            line("four"),
            Event::Closed(None)
        ]
    );
    assert_eq!(
        client.events,
        [
            line("+ hello"),
            line("+ one"),
            Event::Compressed,
            line("+ two"),
            Event::Plain,
            line("+ three"),
            Event::Compressed,
            line("+ four"),
            Event::Closed(None)
        ]
    );
}

#[test]
fn the_layer_comes_and_goes_and_comes_again_for_every_two_cuts() {
    let (client, server) = talk(&[]);
    assert_talked(&client, &server);
    let length = client.came().max(server.came());
    for first in 1..length {
        for second in first..length {
            let (client, server) = talk(&[first, second]);
            assert_talked(&client, &server);
        }
    }
}

#[test]
fn what_is_sent_is_raw_deflate_that_can_be_read_at_once() {
    let mut server = compressed_server();
    let mut deflater = Deflater::new();
    let line = "x".repeat(1000);
    server.deliver(&deflater.deflate(format!("{line}\r\n").as_bytes(), FlushCompress::Sync), &[]);
    assert_eq!(lines(&server.events), [&line]);
    let wire = output(&mut server.session);
    assert!(wire.len() < 50, "{}", wire.len());
    assert_eq!(inflate(&wire), format!("+ {line}\r\n").as_bytes());
}

#[test]
fn content_comes_back_as_it_was_for_random_chunks() {
    let mut numbers = Numbers::new(3);
    for round in 0..20 {
        // Noise does not compress, repetition does.
        let mut content = numbers.octets(3000 + 1000 * round);
        content.extend(vec![b'a'; 20_000]);
        content.extend_from_slice(&content.clone()[..2000]);
        let (mut client, mut server) = pair();
        client.session.session_mut().say("COMPRESS");
        run(&mut client, &mut server, &[]);
        client.session.session_mut().announce(content.len() as u64);
        let mut rest = &content[..];
        while !rest.is_empty() {
            let chunk = rest.len().min(1 + numbers.below(3000));
            let count = client.session.session_mut().write(&rest[..chunk]);
            rest = &rest[count..];
            let came = server.came().min(client.came());
            let mut cuts: Vec<usize> = (0..8).map(|_| came + 1 + numbers.below(2000)).collect();
            cuts.sort_unstable();
            run(&mut client, &mut server, &cuts);
        }
        let echo: Vec<u8> = client
            .events
            .iter()
            .filter_map(|event| if let Event::Octets(octets) = event { Some(octets.to_vec()) } else { None })
            .flatten()
            .collect();
        assert!(echo == content, "round {round}");
    }
}

#[test]
fn a_small_input_that_inflates_to_much_waits_for_the_session() {
    let mut server = compressed_server();
    let mut bomb =
        Deflater::new().deflate(&[&b"ASK\r\n"[..], &vec![b'x'; 10_000_000]].concat(), FlushCompress::Sync);
    assert!(bomb.len() < 20_000);
    bomb.extend_from_slice(&bomb.clone());
    server.deliver(&bomb, &[]);
    // The session took the question and no more; most of the input is where it was.
    assert_eq!(server.events.last(), Some(&Event::Asked));
    assert!(!server.session.wants().input);
    assert!(server.input.len() > bomb.len() - 1000, "{} of {}", server.input.len(), bomb.len());
}

#[test]
fn a_bomb_without_line_ends_is_dropped_as_it_comes() {
    let mut server = compressed_server();
    let mut deflater = Deflater::new();
    server.deliver(&deflater.deflate(&vec![b'x'; 10_000_000], FlushCompress::Sync), &[]);
    assert!(lines(&server.events).is_empty());
    server.deliver(&deflater.deflate(b"\r\n", FlushCompress::Sync), &[]);
    assert_eq!(server.events.last(), Some(&Event::Closed(None)), "overlong");
}

#[test]
fn damage_is_told_and_the_farewell_is_compressed() {
    let mut server = compressed_server();
    // RFC 1951 §3.2.3: block type 11 is reserved.
    server.deliver(b"\x07garbage", &[]);
    assert_eq!(failure(&server.events), Some(&LayerError::Deflate));
    assert!(server.session.wants().close);
    assert_eq!(inflate(&output(&mut server.session)), b"* the layer failed\r\n");
    assert!(server.input.is_empty());
}

#[test]
fn what_stands_before_damage_is_read_first_however_it_is_cut() {
    // The line is not flushed, so that it is inflated in one call with the damage behind it.
    let mut line = Deflater::new().deflate(b"one\r\n", FlushCompress::Finish);
    // Not the last block: a stored block with a wrong length follows.
    line[0] &= !1;
    let damaged = [&line[..], &[0x00, 0x55, 0x55, 0x55, 0x55]].concat();
    let mut outcomes = Vec::new();
    for size in [1, 2, 3, damaged.len()] {
        let mut server = compressed_server();
        server.events.clear();
        for piece in damaged.chunks(size) {
            server.deliver(piece, &[]);
        }
        assert_eq!(failure(&server.events), Some(&LayerError::Deflate), "{:?}", server.events);
        outcomes.push(server.events);
    }
    assert_eq!(outcomes[0][0], Event::Line("one".to_owned()));
    assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]), "{outcomes:?}");
}

#[test]
fn plaintext_behind_compress_belongs_to_the_layer() {
    // 'N' of "NOOP" begins a block of type 11.
    let attack = b"COMPRESS\r\nNOOP\r\nNOOP\r\n";
    for cut in 1..attack.len() {
        let mut server = End::new(Transport::plain(Toy::server()));
        server.turn();
        server.deliver(attack, &[cut]);
        assert!(lines(&server.events).is_empty(), "cut at {cut}");
        assert_eq!(failure(&server.events), Some(&LayerError::Deflate));
    }
}

#[test]
fn octets_behind_the_end_are_plain_for_every_two_cuts() {
    let mut wire = Deflater::new().deflate(b"last\r\nPLAIN\r\n", FlushCompress::Sync);
    wire.extend_from_slice(b"first\r\nQUIT\r\n");
    let start = "COMPRESS\r\n".len();
    for first in 1..=wire.len() {
        for second in first..=wire.len() {
            let mut server = compressed_server();
            server.deliver(&wire, &[start + first, start + second]);
            assert_eq!(lines(&server.events), ["last", "first"], "cut at {first} and {second}");
            assert_eq!(server.events.last(), Some(&Event::Closed(None)));
        }
    }
}

#[test]
fn the_end_may_be_a_final_block() {
    for flush in [FlushCompress::Full, FlushCompress::Finish] {
        let mut wire = Deflater::new().deflate(b"last\r\nPLAIN\r\n", flush);
        wire.extend_from_slice(b"first\r\nQUIT\r\n");
        let start = "COMPRESS\r\n".len();
        for cut in 1..=wire.len() {
            let mut server = compressed_server();
            server.deliver(&wire, &[start + cut]);
            assert_eq!(lines(&server.events), ["last", "first"], "cut at {cut}");
        }
    }
}

#[test]
fn what_is_compressed_behind_the_end_is_nobodys() {
    let wire = Deflater::new().deflate(b"PLAIN\r\nEVIL\r\n", FlushCompress::Sync);
    let start = "COMPRESS\r\n".len();
    for cut in 1..=wire.len() {
        let mut server = compressed_server();
        server.deliver(&wire, &[start + cut]);
        assert_eq!(failure(&server.events), Some(&LayerError::Deflate), "cut at {cut}");
        assert!(lines(&server.events).is_empty());
    }
}

#[test]
fn the_answer_to_the_end_is_the_last_that_is_compressed() {
    let mut server = compressed_server();
    server.deliver(&Deflater::new().deflate(b"PLAIN\r\n", FlushCompress::Sync), &[]);
    server.deliver(b"x\r\n", &[]);
    let wire = output(&mut server.session);
    let plain = wire.strip_suffix(b"+ x\r\n").unwrap();
    assert_eq!(inflate(plain), b"+ PLAIN\r\n");
}

#[test]
fn a_stream_that_was_finished_has_nothing_behind_it() {
    let mut server = compressed_server();
    let wire = Deflater::new().deflate(b"x\r\n", FlushCompress::Finish);
    server.deliver(&wire, &[]);
    assert_eq!(lines(&server.events), ["x"]);
    assert_eq!(failure(&server.events), None);
    server.deliver(&wire, &[]);
    assert_eq!(failure(&server.events), Some(&LayerError::Deflate));
}

#[test]
fn wrong_wishes_fail() {
    for wish in ["PLAIN\r\n", "STARTTLS\r\n"] {
        let mut server = End::new(Transport::plain(Toy::server()));
        server.turn();
        server.deliver(wish.as_bytes(), &[]);
        assert_eq!(failure(&server.events), Some(&LayerError::NotConfigured), "{wish}");
    }
    for wish in ["COMPRESS\r\n", "STARTTLS\r\n"] {
        let mut server = compressed_server();
        server.deliver(&Deflater::new().deflate(wish.as_bytes(), FlushCompress::Sync), &[]);
        assert_eq!(failure(&server.events), Some(&LayerError::NotConfigured), "{wish}");
    }
}

#[test]
fn the_end_of_the_stream_comes_after_all_that_stands_before_it() {
    let mut server = compressed_server();
    let text = b"ASK\r\nbehind\r\n";
    server.deliver(&Deflater::new().deflate(text, FlushCompress::Sync), &[]);
    server.session.handle_eof(NOW);
    server.turn();
    assert_eq!(server.events.last(), Some(&Event::Asked));
    server.session.session_mut().answer("now");
    server.turn();
    assert_eq!(lines(&server.events), ["behind"]);
    assert_eq!(server.events.last(), Some(&Event::Closed(None)));
}

#[test]
fn the_end_of_the_stream_comes_through_the_end_of_the_layer() {
    let mut server = compressed_server();
    let mut wire = Deflater::new().deflate(b"ASK\r\nPLAIN\r\n", FlushCompress::Sync);
    wire.extend_from_slice(b"behind\r\n");
    server.deliver(&wire, &[]);
    server.session.handle_eof(NOW);
    server.session.session_mut().answer("now");
    server.turn();
    assert_eq!(lines(&server.events), ["behind"]);
    assert_eq!(server.events.last(), Some(&Event::Closed(None)));
}

#[test]
fn an_encoder_of_another_kind_is_understood() {
    // One that flushes where it likes, with other levels and block boundaries.
    let mut numbers = Numbers::new(9);
    for level in 0..=9 {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(level));
        let mut expected = Vec::new();
        for _ in 0..200 {
            let line: String =
                (0..1 + numbers.below(60)).map(|_| char::from(b'a' + numbers.below(26) as u8)).collect();
            encoder.write_all(line.as_bytes()).unwrap();
            if numbers.below(3) == 0 {
                encoder.flush().unwrap();
            }
            encoder.write_all(b"\r\n").unwrap();
            expected.push(line);
        }
        encoder.flush().unwrap();
        let wire = encoder.finish().unwrap();
        let mut server = compressed_server();
        let mut cuts: Vec<usize> = (0..20).map(|_| 11 + numbers.below(wire.len())).collect();
        cuts.sort_unstable();
        server.deliver(&wire, &cuts);
        while !server.input.is_empty() {
            let _ = output(&mut server.session);
            server.turn();
        }
        // What waited for room needs another turn.
        let _ = output(&mut server.session);
        server.turn();
        assert_eq!(lines(&server.events), expected);
    }
}

#[test]
fn a_reader_of_another_kind_understands_us() {
    let mut server = compressed_server();
    let mut numbers = Numbers::new(5);
    let mut wire = Vec::new();
    let mut expected = String::new();
    for _ in 0..300 {
        let line: String =
            (0..1 + numbers.below(300)).map(|_| char::from(b'a' + numbers.below(26) as u8)).collect();
        server.session.session_mut().say(&line);
        expected += &line;
        expected += "\r\n";
        let count = server.session.transmit().len().min(numbers.below(200));
        wire.extend_from_slice(&server.session.transmit().chunk()[..count]);
        server.session.transmit().advance(count);
    }
    wire.extend(output(&mut server.session));
    let mut text = vec![0; expected.len()];
    flate2::read::DeflateDecoder::new(&wire[..]).read_exact(&mut text).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[cfg(feature = "rustls")]
mod over_tls {
    use toy::certificates::Certificates;

    use super::*;

    fn talk(certificates: &Certificates, cuts: &[usize]) -> (Peer, Peer) {
        let mut server = End::new(Transport::tls_ready(Toy::server(), certificates.server()));
        let mut client = End::new(Transport::tls_ready(Toy::client(), certificates.client()));
        for lines in [&["STARTTLS"][..], &["COMPRESS"], &["two", "PLAIN"], &["three", "COMPRESS"], &["QUIT"]]
        {
            for line in lines {
                client.session.session_mut().say(line);
            }
            run(&mut client, &mut server, cuts);
        }
        (client, server)
    }

    #[test]
    fn the_layers_stand_in_their_order_for_any_cut() {
        let certificates = Certificates::new();
        let length = talk(&certificates, &[]).0.came();
        for cut in (1..length).step_by(3) {
            let (client, server) = talk(&certificates, &[cut]);
            for side in [&client, &server] {
                let kinds: Vec<_> =
                    side.events.iter().filter(|event| !matches!(event, Event::Line(_))).collect();
                assert!(
                    matches!(
                        kinds[..],
                        [
                            Event::Secured(_),
                            Event::Compressed,
                            Event::Plain,
                            Event::Compressed,
                            Event::Closed(None)
                        ]
                    ),
                    "cut at {cut}: {kinds:?}"
                );
            }
            assert_eq!(lines(&server.events), ["two", "three"]);
        }
    }

    #[test]
    fn octets_in_the_record_of_compress_belong_to_the_layer() {
        let certificates = Certificates::new();
        let mut server = End::new(Transport::tls_ready(Toy::server(), certificates.server()));
        let mut client = End::new(Transport::tls_ready(Toy::client(), certificates.client()));
        client.session.session_mut().say("STARTTLS");
        run(&mut client, &mut server, &[]);
        client.session.session_mut().say("COMPRESS\r\nNOOP");
        let wire = output(&mut client.session);
        server.deliver(&wire, &[]);
        assert_eq!(failure(&server.events), Some(&LayerError::Deflate));
        assert!(lines(&server.events).is_empty());
    }

    #[test]
    fn plain_octets_in_the_record_of_the_end_are_read() {
        let certificates = Certificates::new();
        let mut server = End::new(Transport::tls_ready(Toy::server(), certificates.server()));
        let mut client = End::new(Transport::tls_ready(Toy::client(), certificates.client()));
        client.session.session_mut().say("STARTTLS");
        run(&mut client, &mut server, &[]);
        client.session.session_mut().say("COMPRESS");
        let wire = output(&mut client.session);
        server.deliver(&wire, &[]);
        // The client is not told, so what it writes is only encrypted: deflated here, by hand.
        let mut octets = Deflater::new().deflate(b"PLAIN\r\n", FlushCompress::Sync);
        octets.extend_from_slice(b"behind\r\n");
        client.session.session_mut().transmit().put(&octets);
        let wire = output(&mut client.session);
        server.deliver(&wire, &[]);
        assert_eq!(lines(&server.events), ["behind"]);
    }
}
