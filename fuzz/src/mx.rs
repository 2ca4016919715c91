//! MX: names, packets, and the machine with answers that no resolver would give.

use std::sync::Arc;
use std::time::Duration;

use mailwright_mx::dns::{
    Answer, Failure, Message, Mx, Question, Record, RecordData, RecordType, ResponseCode, StartOfAuthority,
};
use mailwright_mx::drive::stub::wire::Query;
use mailwright_mx::drive::testing::Zone;
use mailwright_mx::{
    Config, Destination, DomainName, Event, Request, Resolution, SplitMix64, Target, UnixMillis,
};

use crate::choice;

/// Names as text and as labels: what is a name is in its one form, and everything can be printed.
pub fn mx_names(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(name) = text.parse::<DomainName>() {
            assert!(name.as_str().len() <= 253 && !name.as_str().ends_with('.'));
            assert!(
                name.as_str().bytes().all(|octet| octet.is_ascii_graphic() && !octet.is_ascii_uppercase())
            );
            assert_eq!(name.as_str().parse::<DomainName>().as_ref(), Ok(&name));
            let labels = name.labels().map(str::as_bytes);
            assert_eq!(Target::from_labels(labels), Target::Name(name));
        }
        for destination in [Destination::parse(text), Destination::relay(text, 25)].into_iter().flatten() {
            let written = destination.to_string();
            let again = match destination {
                Destination::Relay(_) => Destination::relay(&written, 1),
                _ => Destination::parse(&written),
            };
            assert_eq!(again.as_ref(), Ok(&destination), "{written}");
        }
        let _ = Zone::parse(text);
    }
    let target = Target::from_labels(data.split(|octet| *octet == 0));
    assert!(target.to_string().bytes().all(|octet| octet.is_ascii_graphic()));
}

/// Octets as a response, and as a query to a zone.
pub fn mx_packets(data: &[u8]) {
    let (choice, data) = choice(data);
    let types = [
        RecordType::A,
        RecordType::Cname,
        RecordType::Mx,
        RecordType::Txt,
        RecordType::Aaaa,
        RecordType::Srv,
        RecordType::Tlsa,
    ];
    let question = Question::new(name("example.org"), types[usize::from(choice) % types.len()]);
    let query = Query::new(&question, 0x1234, None);
    // The header up to the counts and the question, so that what follows is looked at.
    let mut packet = query.packet().to_vec();
    packet.truncate(packet.len() - 11);
    packet[2] |= 0x80;
    let (counts, rest) = data.split_at(data.len().min(6));
    packet[6..6 + counts.len()].copy_from_slice(counts);
    packet[6] &= 0x0f;
    packet.extend_from_slice(rest);
    for packet in [&packet[..], data] {
        if let Ok(message) = query.read(packet, choice & 128 != 0) {
            let answer = Answer::read(&question, &message, 10);
            assert!(answer.aliases.len() <= 10);
            let _ = format!("{answer:?}");
        }
    }
    let Ok(zone) = Zone::parse("example.org MX 10 mx.example.org\n* A 192.0.2.1\na.b CNAME c.d") else {
        panic!("the zone is good")
    };
    for limit in [0, 512, 65_535] {
        let _ = zone.respond(data, limit);
    }
}

fn name(text: &str) -> DomainName {
    match text.parse() {
        Ok(name) => name,
        Err(error) => panic!("{text}: {error}"),
    }
}

/// Octets as numbers, and when there are no more, so many that are drawn from them: it takes some hundred to come to a plan.
struct Script<'a> {
    octets: &'a [u8],
    drawn: SplitMix64,
    left: u16,
}

impl<'a> Script<'a> {
    fn new(octets: &'a [u8]) -> Self {
        let seed =
            octets.iter().fold(0, |seed: u64, octet| seed.wrapping_mul(31).wrapping_add((*octet).into()));
        Self { octets, drawn: SplitMix64::new(seed), left: 600 }
    }

    fn next(&mut self) -> u8 {
        if let Some((first, rest)) = self.octets.split_first() {
            self.octets = rest;
            return *first;
        }
        self.left = self.left.saturating_sub(1);
        self.drawn.next_u64().to_le_bytes()[0]
    }

    const fn is_over(&self) -> bool {
        self.octets.is_empty() && self.left == 0
    }

    fn name(&mut self) -> DomainName {
        let names = [
            "example.org",
            "a.example.net",
            "b.example.net",
            "c.example.net",
            "self.example.com",
            "localhost",
            "mx",
            "1.2",
        ];
        name(names[usize::from(self.next()) % names.len()])
    }

    /// Mostly what was asked for.
    fn data(&mut self, record_type: RecordType) -> RecordData {
        match (record_type, self.next() % 16) {
            (_, 15) => RecordData::Cname(self.target()),
            (_, 14) => RecordData::Malformed(record_type),
            (_, 13) => RecordData::A([127, 0, 0, self.next()].into()),
            (RecordType::A, _) => RecordData::A([192, 0, 2, self.next()].into()),
            (RecordType::Aaaa, _) => {
                RecordData::Aaaa([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(self.next())].into())
            }
            _ => RecordData::Mx(Mx { preference: u16::from(self.next() % 4), exchange: self.target() }),
        }
    }

    fn target(&mut self) -> Target {
        match self.next() % 32 {
            31 => Target::Root,
            30 => Target::from_labels([&b"\r\n"[..]]),
            _ => Target::Name(self.name()),
        }
    }

    /// A message about the question, or about anything.
    fn message(&mut self, question: &Question) -> Message {
        let mut message = Message::new(ResponseCode::from(u16::from(
            [0_u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 2, 5, 9][usize::from(self.next() % 16)],
        )));
        for _ in 0..self.next() % 8 {
            let owner = if self.next() % 16 == 15 { self.name() } else { question.name.clone() };
            message.answers.push(Record::new(owner, u32::from(self.next()), self.data(question.record_type)));
        }
        if self.next() % 8 != 7 {
            message.authority = Some(StartOfAuthority::new(u32::from(self.next()), 60));
        }
        message
    }
}

/// The machine: it ends within its budget and its time, once, whatever it is told and in whatever order.
pub fn mx_machine(data: &[u8]) {
    let mut script = Script::new(data);
    let mut config = Config::default();
    config.limits.queries = if script.next() % 4 == 3 { script.next().into() } else { 64 };
    config.limits.hosts = usize::from(script.next() % 40);
    config.self_names = vec![name("self.example.com")];
    config.self_addresses = vec![[192, 0, 2, 9].into()];
    let limits = config.limits.clone();
    let mut now = UnixMillis::from_seconds(1_800_000_000);
    let end = now + limits.deadline;
    let mut resolution =
        Resolution::new(name("example.org").into(), Arc::new(config), u64::from(script.next()), now);
    let (mut open, mut closed, mut finished) = (Vec::new(), Vec::new(), 0);
    loop {
        while let Some(request) = resolution.poll_request() {
            let Request::Dns(request) = request else { panic!("{request:?}") };
            assert!(request.deadline <= end);
            open.push(request);
        }
        while let Some(event) = resolution.poll_event() {
            assert_eq!(finished, 0, "after the end: {event:?}");
            if let Event::Finished(result) = event {
                finished += 1;
                if let Ok(plan) = result {
                    assert!(plan.expires() <= now + limits.plan);
                    assert!(!plan.hosts().is_empty() && plan.hosts().len() <= 32);
                    let dials = plan.attempt(u64::from(script.next())).dials().count();
                    assert!(dials >= 1 && dials <= limits.dials);
                }
            }
        }
        assert!(resolution.queries() <= limits.queries.max(1));
        if script.is_over() {
            break;
        }
        match script.next() % 64 {
            63 => {
                now = now + Duration::from_millis(u64::from(script.next()) * 50);
                resolution.handle_timeout(now);
            }
            60..=62 if !closed.is_empty() => {
                let at = usize::from(script.next()) % closed.len();
                let _: Result<_, _> = resolution.handle_answer(closed[at], Failure::ServFail.into(), now);
            }
            _ if !open.is_empty() => {
                let request = open.remove(usize::from(script.next()) % open.len());
                let message = script.message(&request.question);
                let answer = Answer::read(&request.question, &message, 10);
                let _ = resolution.handle_answer(request.id, answer, now);
                closed.push(request.id);
            }
            _ => {}
        }
    }
    resolution.handle_timeout(end);
    finished += std::iter::from_fn(|| resolution.poll_event())
        .filter(|event| matches!(event, Event::Finished(_)))
        .count();
    assert_eq!(finished, 1, "it ends once");
    assert!(resolution.poll_request().is_none() && resolution.poll_timeout().is_none());
}
