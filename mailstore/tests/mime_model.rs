//! The scanner against a naive reference that holds the whole message and reads it by recursive descent, and
//! the laws that its results must obey, for generated messages.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use core::ops::Range;
use core::slice;
use core::str::from_utf8;

use mailwright_store::mime::section::{Found, Section, SectionText, partial};
use mailwright_store::mime::{Limits, PartKind, Scanner, Structure, View};
use proptest::prelude::*;

/// A node of the reference.
#[derive(Debug)]
struct Node {
    header_start: usize,
    body_start: usize,
    end: usize,
    lines: usize,
    kind: PartKind,
    text: bool,
    children: Vec<Node>,
}

/// A line: where it begins, where its line end begins, where that ends.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    text_end: usize,
    end: usize,
}

/// Where an entity ends: before a delimiter line, or with the message.
#[derive(Clone, Copy, Debug)]
struct Stop {
    end: usize,
    delimiter: Option<(usize, usize, bool)>,
}

struct Reference<'a> {
    message: &'a [u8],
    lines: Vec<Span>,
}

impl<'a> Reference<'a> {
    fn read(message: &'a [u8]) -> Node {
        let reference = Self { message, lines: spans(message) };
        reference.entity(0, 0, &[], false).0
    }

    fn text(&self, index: usize) -> &'a [u8] {
        &self.message[self.lines[index].start..self.lines[index].text_end]
    }

    /// Reads lines from `index` on up to a delimiter of `open`.
    fn skip(&self, index: usize, floor: usize, open: &[Vec<u8>]) -> Stop {
        for index in index..self.lines.len() {
            if let Some((level, closes)) = delimiter(self.text(index), open) {
                let before = index.checked_sub(1).map_or(0, |before| self.lines[before].text_end);
                let end = if before < floor { self.lines[index].start } else { before };
                return Stop { end, delimiter: Some((index, level, closes)) };
            }
        }
        Stop { end: self.message.len(), delimiter: None }
    }

    /// Reads the entity whose header begins with line `index`, at `header_start`.
    fn entity(&self, index: usize, header_start: usize, open: &[Vec<u8>], digest: bool) -> (Node, Stop) {
        let header_stop = self.skip(index, header_start, open);
        let header_lines = index..header_stop.delimiter.map_or(self.lines.len(), |(line, ..)| line);
        let is_blank = |line: &usize| {
            let line = self.lines[*line];
            line.start == line.text_end && line.end > line.start
        };
        let blank = header_lines.clone().find(is_blank);
        let field = |name: &str| {
            (index..blank.unwrap_or(header_lines.end)).find_map(|line| {
                let line = String::from_utf8_lossy(self.text(line)).into_owned();
                let (found, value) = line.split_once(':')?;
                found.eq_ignore_ascii_case(name).then(|| value.trim_matches([' ', '\t']).to_owned())
            })
        };
        let default = if digest { "message/rfc822" } else { "text/plain" };
        let content_type = field("content-type").unwrap_or_else(|| default.to_owned());
        let (media_type, parameter) = content_type.split_once(';').unwrap_or((&content_type, ""));
        let media_type = media_type.trim_end_matches([' ', '\t']);
        let encoded = field("content-transfer-encoding").is_some_and(|name| {
            name.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').next() != Some("8bit")
        });
        let boundary = parameter
            .split_once("boundary=\"")
            .map(|(_, rest)| rest.split('"').next().unwrap().as_bytes().to_vec())
            .filter(|boundary| matches!(boundary.len(), 1..=70));
        let kind = match media_type {
            "multipart/mixed" | "multipart/digest" if boundary.is_some() => PartKind::Multipart,
            "message/rfc822" => PartKind::Message,
            "message/global" => PartKind::Global,
            _ => PartKind::Leaf,
        };
        let is_token = |text: &str| text.chars().all(|letter| letter.is_ascii_graphic() && letter != ':');
        let valid = is_token(media_type) && !media_type.starts_with("multipart/");
        let text = kind == PartKind::Leaf && (!valid || media_type.starts_with("text/"));
        let kind = if encoded { PartKind::Leaf } else { kind };
        let (body_start, body_line) = match blank {
            Some(line) => (self.lines[line].end, line + 1),
            None => (header_stop.end, header_lines.end),
        };
        let mut children = Vec::new();
        // A header that its entity's end cut off: nothing can follow but what ended it.
        let stop = match (kind, blank) {
            (PartKind::Multipart, Some(_)) => {
                let mut inside = open.to_vec();
                inside.push(boundary.unwrap());
                self.multipart(
                    body_line,
                    body_start,
                    &inside,
                    media_type == "multipart/digest",
                    &mut children,
                )
            }
            (PartKind::Message | PartKind::Global, Some(_)) => {
                let (child, stop) = self.entity(body_line, body_start, open, false);
                children.push(child);
                stop
            }
            (_, Some(_)) => self.skip(body_line, body_start, open),
            (_, None) => header_stop,
        };
        if kind != PartKind::Leaf && children.is_empty() {
            let end = stop.end;
            let kind = PartKind::Leaf;
            children.push(Node {
                header_start: end,
                body_start: end,
                end,
                lines: 0,
                kind,
                text: true,
                children: Vec::new(),
            });
        }
        let lines = spans(&self.message[body_start..stop.end]).len();
        (Node { header_start, body_start, end: stop.end, lines, kind, text, children }, stop)
    }

    fn multipart(
        &self,
        index: usize,
        body_start: usize,
        open: &[Vec<u8>],
        digest: bool,
        children: &mut Vec<Node>,
    ) -> Stop {
        let own = open.len() - 1;
        let mut stop = self.skip(index, body_start, open);
        while let Some((line, level, closes)) = stop.delimiter {
            if level != own {
                break;
            }
            if closes {
                return self.skip(line + 1, body_start, &open[..own]);
            }
            let (child, after) = self.entity(line + 1, self.lines[line].end, open, digest);
            children.push(child);
            stop = after;
        }
        stop
    }
}

fn spans(message: &[u8]) -> Vec<Span> {
    let mut lines = Vec::new();
    let mut start = 0;
    while start < message.len() {
        let (text_end, end) = match message[start..].iter().position(|octet| *octet == b'\n') {
            Some(at) if at > 0 && message[start + at - 1] == b'\r' => (start + at - 1, start + at + 1),
            Some(at) => (start + at, start + at + 1),
            None => (message.len(), message.len()),
        };
        lines.push(Span { start, text_end, end });
        start = end;
    }
    lines
}

/// Whose delimiter a line is among the boundaries that are open, the innermost last, and whether it closes.
fn delimiter(text: &[u8], open: &[Vec<u8>]) -> Option<(usize, bool)> {
    let fits = |boundary: &Vec<u8>| {
        let rest = text.strip_prefix(b"--")?.strip_prefix(boundary.as_slice())?;
        let (rest, closes) = rest.strip_prefix(b"--").map_or((rest, false), |rest| (rest, true));
        rest.iter().all(|octet| b" \t".contains(octet)).then_some(closes)
    };
    let fitting = open.iter().enumerate().filter_map(|(level, boundary)| Some((level, fits(boundary)?)));
    fitting.max_by_key(|(level, _)| (open[*level].len(), *level))
}

fn scan(chunks: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Structure {
    let mut scanner = Scanner::new(Limits::default());
    chunks.into_iter().for_each(|chunk| scanner.feed(chunk.as_ref()));
    scanner.finish()
}

/// Compares part `index` and all in it with a node; gives the place behind.
fn compare(structure: &Structure, index: usize, parent: Option<usize>, node: &Node) -> usize {
    let part = &structure.parts()[index];
    let number = |at: usize| u64::try_from(at).unwrap();
    assert_eq!(part.parent, parent, "parent of {index}");
    assert_eq!(part.kind, node.kind, "kind of {index}");
    assert_eq!(part.header(), number(node.header_start)..number(node.body_start), "header of {index}");
    assert_eq!(part.body(), number(node.body_start)..number(node.end), "body of {index}");
    assert_eq!(part.lines, number(node.lines), "lines of {index}");
    let mut next = index + 1;
    for child in &node.children {
        next = compare(structure, next, Some(index), child);
    }
    next
}

/// A value of a response: NIL, a string or number, or a list.
#[derive(Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    List(Vec<Value>),
}

fn value(wire: &[u8], at: &mut usize) -> Value {
    match wire[*at] {
        b'(' => {
            *at += 1;
            let mut list = Vec::new();
            loop {
                match wire[*at] {
                    b')' => {
                        *at += 1;
                        return Value::List(list);
                    }
                    b' ' => {
                        *at += 1;
                        assert!(!matches!(wire[*at], b' ' | b')'), "stray space");
                    }
                    _ => list.push(value(wire, at)),
                }
            }
        }
        b'"' => {
            let start = *at + 1;
            *at = start;
            while wire[*at] != b'"' {
                *at += if wire[*at] == b'\\' { 2 } else { 1 };
            }
            *at += 1;
            Value::Text(String::from_utf8_lossy(&wire[start..*at - 1]).into_owned())
        }
        b'{' => {
            let end = *at + wire[*at..].iter().position(|octet| *octet == b'}').unwrap();
            let length: usize = from_utf8(&wire[*at + 1..end]).unwrap().parse().unwrap();
            *at = end + 3 + length;
            Value::Text(String::from_utf8_lossy(&wire[end + 3..*at]).into_owned())
        }
        _ => {
            let length = wire[*at..].iter().position(|octet| b" ()".contains(octet)).unwrap();
            *at += length;
            Value::Text(String::from_utf8_lossy(&wire[*at - length..*at]).into_owned())
        }
    }
}

/// Checks a body structure against the grammar of RFC 3501 §9 and RFC 9051 §9, and against a node.
fn check_body(value: &Value, node: &Node, view: View) {
    let Value::List(items) = value else { panic!("no list: {value:?}") };
    let number = |number: usize| Value::Text(number.to_string());
    if node.kind == PartKind::Multipart {
        let (children, rest) = items.split_at(node.children.len());
        children.iter().zip(&node.children).for_each(|(item, child)| check_body(item, child, view));
        assert!(matches!(rest[0], Value::Text(_)), "subtype");
        assert_eq!(rest.len(), if view.extensible { 5 } else { 1 });
        return;
    }
    assert_eq!(items[6], number(node.end - node.body_start));
    let entered = node.kind == PartKind::Message || (node.kind == PartKind::Global && view.global);
    let mut length = 7;
    if entered {
        let Value::List(envelope) = &items[7] else { panic!("no envelope") };
        assert_eq!(envelope.len(), 10);
        check_body(&items[8], &node.children[0], view);
        assert_eq!(items[9], number(node.lines));
        length = 10;
    } else if node.text {
        assert_eq!(items[7], number(node.lines));
        length = 8;
    }
    assert_eq!(items.len(), if view.extensible { length + 4 } else { length }, "{items:?}");
}

/// The octets of a section.
fn extract(
    message: &[u8],
    structure: &Structure,
    part: &[u32],
    text: SectionText,
    view: View,
) -> Option<Vec<u8>> {
    let octets = |range: Range<u64>| {
        &message[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]
    };
    let ranges = match Section::new(part.to_vec(), text).find(structure, view)? {
        Found::Range(range) => vec![range],
        Found::Fields(mut selector) => {
            octets(selector.header()).chunks(3).for_each(|chunk| selector.feed(chunk));
            selector.finish()
        }
    };
    Some(ranges.into_iter().flat_map(|range| octets(range).to_vec()).collect())
}

/// Checks the sections of the message `node`, whose parts have the numbers behind `prefix`.
fn check_sections(message: &[u8], structure: &Structure, node: &Node, prefix: &[u32], view: View) {
    let header = message[node.header_start..node.body_start].to_vec();
    let body = message[node.body_start..node.end].to_vec();
    let section = |text| extract(message, structure, prefix, text, view);
    assert_eq!(section(SectionText::Header), Some(header.clone()));
    assert_eq!(section(SectionText::Text), Some(body));
    // Every field is either among those with a name or among the others.
    let names = || vec![b"content-TYPE".as_slice().into()];
    let chosen = section(SectionText::HeaderFields(names())).unwrap();
    let others = section(SectionText::HeaderFieldsNot(names())).unwrap();
    let blank = spans(&header)
        .last()
        .filter(|line| line.start == line.text_end)
        .map_or(0, |line| line.end - line.start);
    let sorted = |octets: &[u8]| {
        let mut octets = octets.to_vec();
        octets.sort_unstable();
        octets
    };
    if header.ends_with(b"\r\n") || blank > 0 {
        let both = [&chosen[..chosen.len() - blank], &others[..]].concat();
        assert_eq!(sorted(&both), sorted(&header));
    }
    let numbered = |number: u32| [prefix, &[number]].concat();
    let parts = if node.kind == PartKind::Multipart { &node.children[..] } else { slice::from_ref(node) };
    for (child, number) in parts.iter().zip(1..) {
        check_part(message, structure, child, &numbered(number), view);
    }
    let none = u32::try_from(parts.len()).unwrap() + 1;
    for number in [0, none, u32::MAX] {
        assert_eq!(extract(message, structure, &numbered(number), SectionText::All, view), None);
    }
}

fn check_part(message: &[u8], structure: &Structure, node: &Node, numbers: &[u32], view: View) {
    let section = |text| extract(message, structure, numbers, text, view);
    assert_eq!(section(SectionText::All), Some(message[node.body_start..node.end].to_vec()));
    assert_eq!(section(SectionText::Mime), Some(message[node.header_start..node.body_start].to_vec()));
    match node.kind {
        PartKind::Message => check_sections(message, structure, &node.children[0], numbers, view),
        PartKind::Global if view.global => {
            check_sections(message, structure, &node.children[0], numbers, view);
        }
        _ => {
            assert_eq!(section(SectionText::Header), None);
            if let (PartKind::Multipart, false) = (node.kind, numbers.len() == 1 && node.header_start == 0) {
                for (child, number) in node.children.iter().zip(1..) {
                    check_part(message, structure, child, &[numbers, &[number]].concat(), view);
                }
            } else {
                let inner = [numbers, &[1]].concat();
                assert_eq!(extract(message, structure, &inner, SectionText::All, view), None);
            }
        }
    }
}

const BOUNDARIES: [&str; 5] = ["a", "ab", "a--", "b ", "--"];

fn line() -> impl Strategy<Value = String> {
    let boundary = prop::sample::select(&BOUNDARIES[..]);
    prop_oneof![
        3 => (prop::sample::select(&["mixed", "digest"][..]), boundary.clone())
            .prop_map(|(subtype, boundary)| format!("Content-Type: multipart/{subtype}; boundary=\"{boundary}\"")),
        2 => prop::sample::select(&["message/rfc822", "message/global", "text/plain"][..])
            .prop_map(|kind| format!("Content-Type: {kind}")),
        1 => prop::sample::select(&["Content-Transfer-Encoding: base64", "content-transfer-encoding: 8bit"][..])
            .prop_map(str::to_owned),
        5 => Just(String::new()),
        5 => (boundary, prop::sample::select(&["", "", "--", " ", "-- \t", "x", "----"][..]))
            .prop_map(|(boundary, end)| format!("--{boundary}{end}")),
        3 => prop::sample::select(&["text", "-", "--", "\r", "\0", ":", "Subject: x", "\u{e4}"][..])
            .prop_map(str::to_owned),
    ]
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![8 => Just("\r\n"), 4 => Just("\n"), 1 => Just("\r"), 1 => Just("")];
    prop::collection::vec((line(), end), 0..40).prop_map(|lines| {
        lines.into_iter().flat_map(|(line, end)| format!("{line}{end}").into_bytes()).collect()
    })
}

fn check(message: &[u8]) {
    let structure = scan([message]);
    let node = Reference::read(message);
    assert_eq!(compare(&structure, 0, None, &node), structure.parts().len());
    for view in [View::BODY, View::BODYSTRUCTURE, View::BODY.with_global(), View::BODYSTRUCTURE.with_global()]
    {
        let mut wire = Vec::new();
        structure.body.write_to(view, &mut wire);
        let mut at = 0;
        check_body(&value(&wire, &mut at), &node, view);
        assert_eq!(at, wire.len());
        check_sections(message, &structure, &node, &[], view);
    }
}

/// Headers whose values are made of what means something in them.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(
        &[
            "From",
            "To",
            "Subject",
            "References",
            "Content-Type",
            "Content-Disposition",
            "Content-Language",
            "X",
        ][..],
    );
    let token = prop::sample::select(
        &[
            "a",
            "b",
            "@",
            "<",
            ">",
            ",",
            ";",
            ":",
            "(",
            ")",
            "\"",
            "\\",
            "[",
            "]",
            ".",
            " ",
            "\t",
            "=",
            "/",
            "*",
            "*0",
            "*1*",
            "%41",
            "'",
            "\u{e4}",
            "\0",
            "\r",
            "\n ",
            "\r\n\t",
            "multipart/x;boundary=a",
            "text/plain",
        ][..],
    );
    let field = (
        name,
        prop::collection::vec(token, 0..12),
        prop::sample::select(&["\n", "\r\n", "\n--a\n", "\n\n"][..]),
    )
        .prop_map(|(name, tokens, end)| format!("{name}:{}{end}", tokens.concat()));
    prop::collection::vec(field, 0..8).prop_map(|fields| fields.concat().into_bytes())
}

/// Limits that a short message can pass.
fn limits() -> impl Strategy<Value = Limits> {
    [1..6_usize, 1..6, 1..6, 1..200, 1..4, 1..4, 1..4, 1..500].prop_map(
        |[
            depth,
            parts,
            header_fields,
            header_octets,
            parameters,
            addresses,
            references,
            structure_octets,
        ]| {
            let mut limits = Limits::default();
            limits.depth = depth;
            limits.parts = parts;
            limits.header_fields = header_fields;
            limits.header_octets = header_octets;
            limits.parameters = parameters;
            limits.addresses = addresses;
            limits.references = references;
            limits.structure_octets = structure_octets;
            limits
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_scanner_agrees_with_the_reference(message in message()) {
        check(&message);
    }

    #[test]
    fn any_chunking_gives_the_same_structure(message in message(), sizes in prop::collection::vec(1..9_usize, 1..50)) {
        let whole = scan([&message]);
        prop_assert_eq!(&scan(message.chunks(1)), &whole);
        let mut chunks = Vec::new();
        let mut rest = &message[..];
        for size in sizes {
            let (chunk, behind) = rest.split_at(size.min(rest.len()));
            chunks.push(chunk);
            rest = behind;
        }
        chunks.push(rest);
        prop_assert_eq!(&scan(chunks), &whole);
    }

    #[test]
    fn any_header_gives_well_formed_items_within_any_limits(
        message in prop_oneof![soup(), message()],
        limits in limits(),
        size in 1..20_usize,
    ) {
        let mut scanner = Scanner::new(limits);
        scanner.feed(&message);
        let structure = scanner.finish();
        let mut scanner = Scanner::new(limits);
        message.chunks(size).for_each(|chunk| scanner.feed(chunk));
        prop_assert_eq!(&scanner.finish(), &structure);
        prop_assert!(structure.parts().len() <= limits.parts);
        prop_assert!(structure.references.len() <= limits.references);
        let envelope = structure.envelope_fields().unwrap();
        prop_assert!(envelope.to.len() <= limits.addresses + 1);
        for view in [View::BODY, View::BODYSTRUCTURE.with_global()] {
            for form in [&structure.envelope, &structure.body] {
                let mut wire = Vec::new();
                form.write_to(view, &mut wire);
                let mut at = 0;
                value(&wire, &mut at);
                prop_assert_eq!(at, wire.len());
            }
        }
        prop_assert_eq!(Structure::from_stored(&structure.to_stored()).unwrap(), structure);
    }

    #[test]
    fn the_stored_form_gives_the_same_structure(message in message()) {
        let structure = scan([&message]);
        let stored = structure.to_stored();
        prop_assert_eq!(&Structure::envelope_from_stored(&stored).unwrap(), &structure.envelope);
        prop_assert_eq!(&Structure::body_from_stored(&stored).unwrap(), &structure.body);
        prop_assert_eq!(Structure::from_stored(&stored).unwrap(), structure);
    }

    #[test]
    fn a_damaged_stored_form_is_an_error_or_a_structure(
        message in message(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        length in any::<prop::sample::Index>(),
    ) {
        let mut stored = scan([&message]).to_stored().to_vec();
        for (at, octet) in changes {
            let at = at.index(stored.len());
            stored[at] = octet;
        }
        let cut = stored[..length.index(stored.len())].to_vec();
        for stored in [stored, cut] {
            if let Ok(structure) = Structure::from_stored(&stored.into()) {
                structure.body.write_to(View::BODYSTRUCTURE, &mut Vec::new());
                for part in [&[1][..], &[1, 1], &[2, 1, 3]] {
                    for text in [SectionText::All, SectionText::Mime, SectionText::Text, SectionText::HeaderFieldsNot(Vec::new())] {
                        if let Some(Found::Fields(mut selector)) = Section::new(part.to_vec(), text).find(&structure, View::BODY) {
                            selector.feed(&message);
                            let _ = selector.finish();
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn lines_in_front_only_move_the_parts(message in message()) {
        let line = b"X: what delivery prepended\r\n";
        let behind = scan([&message]).behind(line.len() as u64);
        let whole = scan([&line[..], &message]);
        prop_assert_eq!(behind.parts(), whole.parts());
        prop_assert_eq!((behind.envelope, behind.body), (whole.envelope, whole.body));
    }

    #[test]
    fn a_partial_is_a_slice_of_the_whole(
        ranges in prop::collection::vec((0..50_u64, 0..9_u64), 0..5),
        origin in 0..60_u64,
        count in 0..60_u64,
    ) {
        let ranges: Vec<_> = ranges.into_iter().map(|(start, length)| start..start + length).collect();
        let whole: Vec<u64> = ranges.iter().cloned().flatten().collect();
        let expected: Vec<u64> = whole.into_iter()
            .skip(usize::try_from(origin).unwrap()).take(usize::try_from(count).unwrap()).collect();
        prop_assert_eq!(partial(&ranges, origin, count).into_iter().flatten().collect::<Vec<_>>(), expected);
    }
}
