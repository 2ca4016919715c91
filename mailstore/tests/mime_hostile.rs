//! Hostile messages: what the scanner makes of them, and that memory and work stay within numbers.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mailwright_store::mime::{Findings, Limits, PartKind, Scanner, Structure, View};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Tests here run one after the other: the allocator counts for the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

fn scan_with(limits: Limits, message: &[u8]) -> Structure {
    let mut scanner = Scanner::new(limits);
    message.chunks(8192).for_each(|chunk| scanner.feed(chunk));
    scanner.finish()
}

fn scan(message: &[u8]) -> Structure {
    scan_with(Limits::default(), message)
}

fn body_structure(structure: &Structure) -> String {
    let mut wire = Vec::new();
    structure.body.write_to(View::BODYSTRUCTURE, &mut wire);
    String::from_utf8(wire).unwrap()
}

#[test]
fn a_hundred_thousand_nested_multiparts_end_in_one_leaf() {
    let _alone = alone();
    let mut message = Vec::new();
    for level in 0..100_000 {
        message.extend_from_slice(
            format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n").as_bytes(),
        );
    }
    let structure = scan(&message);
    assert!(structure.findings.contains(Findings::DEPTH));
    assert_eq!(structure.parts().len(), 100);
    let leaf = structure.parts().last().unwrap();
    assert_eq!(leaf.kind, PartKind::Leaf);
    assert!(leaf.is_type("application", "octet-stream"));
    assert_eq!(leaf.end, structure.size());
    assert_eq!(structure.size(), u64::try_from(message.len()).unwrap());
}

#[test]
fn nesting_within_a_great_limit_needs_no_stack() {
    let _alone = alone();
    let mut limits = Limits::default();
    limits.depth = 100_000;
    limits.parts = 1_000_000;
    limits.structure_octets = 1 << 30;
    let mut message = Vec::new();
    for _ in 0..40_000 {
        message.extend_from_slice(
            b"Content-Type: message/rfc822\n\nContent-Type: multipart/x; boundary=b\n\n--b\n",
        );
    }
    let read = std::thread::Builder::new().stack_size(64 << 10).spawn(move || {
        let structure = scan_with(limits, &message);
        let stored = structure.to_stored();
        assert_eq!(Structure::from_stored(&stored).unwrap(), structure);
        structure.parts().len()
    });
    assert_eq!(read.unwrap().join().unwrap(), 80_001);
}

#[test]
fn a_million_parts_of_one_octet_become_ten_thousand() {
    let _alone = alone();
    let mut message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    for _ in 0..1_000_000 {
        message.extend_from_slice(b"--b\n\nx\n");
    }
    message.extend_from_slice(b"--b--\n");
    let structure = scan(&message);
    assert!(structure.findings.contains(Findings::PARTS));
    assert_eq!(structure.parts().len(), 10_000);
    let rest = structure.parts().last().unwrap();
    assert!(rest.is_type("application", "octet-stream"));
    assert_eq!(rest.header(), rest.body_start..rest.body_start);
    assert_eq!(rest.end, structure.size());
    assert_eq!(structure.parts()[9998].end - structure.parts()[9998].body_start, 1);
}

#[test]
fn parts_stay_within_any_limit_in_any_shape() {
    let _alone = alone();
    let nested = b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nContent-Type: multipart/x; boundary=c\n\n--c\n--c\n";
    let message = [&nested.repeat(20)[..], b"--b\n--b\n--b--\n"].concat();
    for parts in 1..60 {
        let mut limits = Limits::default();
        limits.parts = parts;
        let structure = scan_with(limits, &message);
        assert!(structure.parts().len() <= parts, "{} above {parts}", structure.parts().len());
        let stored = structure.to_stored();
        assert_eq!(Structure::from_stored(&stored).unwrap(), structure);
    }
}

#[test]
fn a_boundary_that_another_begins_with_is_told_apart() {
    let _alone = alone();
    let message = b"Content-Type: multipart/a; boundary=x\n\n--x\nContent-Type: multipart/b; boundary=xy\n\n\
        --xy\n\n1\n--xyz\n2\n--xy--\n--xz\n--x--\nend";
    let structure = scan(message);
    assert_eq!(structure.parts().len(), 3);
    let inner = &structure.parts()[2];
    assert_eq!((inner.end - inner.body_start, inner.lines), (9, 3));
    assert_eq!(&message[usize::try_from(structure.parts()[1].end).unwrap()..], b"\n--x--\nend");
}

#[test]
fn a_boundary_that_looks_like_a_close_delimiter_wins_if_it_is_longer() {
    let _alone = alone();
    let message =
        b"Content-Type: multipart/a; boundary=x\n\n--x\nContent-Type: multipart/b; boundary=\"x--\"\n\n\
        --x--\n\n1\n--x----\n--x--\n";
    let structure = scan(message);
    let kinds: Vec<_> = structure.parts().iter().map(|part| part.kind).collect();
    assert_eq!(kinds, [PartKind::Multipart, PartKind::Multipart, PartKind::Leaf]);
    assert_eq!(structure.parts()[2].lines, 1);
}

#[test]
fn a_missing_final_delimiter_closes_at_the_end_of_the_parent() {
    let _alone = alone();
    let structure = scan(b"Content-Type: multipart/a; boundary=x\n\n--x\nContent-Type: multipart/b; boundary=y\n\n--y\n\n1\n--x\n\n2\n");
    let ends: Vec<_> = structure.parts().iter().map(|part| (part.parent, part.end)).collect();
    assert_eq!(ends, [(None, 96), (Some(0), 88), (Some(1), 88), (Some(0), 96)]);
}

#[test]
fn a_delimiter_ends_at_white_space_of_any_length_or_with_the_message() {
    let _alone = alone();
    let padding = " \t".repeat(50_000);
    let head = "Content-Type: multipart/a; boundary=x\n\n";
    let parts = |end: &str| scan(format!("{head}--x\n\n1\n--x{end}").as_bytes()).parts().len();
    assert_eq!(parts(""), 3);
    assert_eq!(parts(&padding), 3);
    assert_eq!(parts(&format!("{padding}\r\n")), 3);
    assert_eq!(parts(&format!("{padding}\r")), 2);
    assert_eq!(parts(&format!("{padding}x\n")), 2);
    assert_eq!(parts("--x\n"), 2);
    assert_eq!(parts("\0\n"), 2);
}

#[test]
fn a_header_without_an_end_is_all_there_is() {
    let _alone = alone();
    let structure = scan(b"Subject: a\r\n b");
    assert_eq!(structure.parts()[0].header(), 0..14);
    assert_eq!(structure.parts()[0].body(), 14..14);
    assert_eq!(structure.parts()[0].empty_line, 0);
    assert!(structure.findings.is_empty());
    let mut limits = Limits::default();
    limits.header_octets = 1000;
    let flood = scan_with(limits, &b"Subject: endless\r\n\tfolds\r\n\t".repeat(10_000));
    assert!(flood.findings.contains(Findings::HEADER_OCTETS));
}

#[test]
fn lines_that_are_no_fields_are_passed_over() {
    let _alone = alone();
    for line in [
        "From a@b Thu",
        "no colon",
        ": no name",
        "na me: x",
        "n\u{e4}me: x",
        "\rx",
        "\0: x",
        " continues nothing",
    ] {
        let structure = scan(format!("{line}\nSubject: seen\n\n").as_bytes());
        assert!(structure.findings.contains(Findings::HEADER_LINE), "{line:?}");
        let mut envelope = Vec::new();
        structure.envelope.write_to(View::BODY, &mut envelope);
        assert!(envelope.starts_with(b"(NIL \"seen\" "), "{line:?}");
    }
}

#[test]
fn nul_and_line_breaks_never_get_into_a_string() {
    let _alone = alone();
    let structure = scan(
        b"Subject: a\0b\rc\r\nFrom: \"x\0\r\" <y\0@z>\r\nContent-Description: \xff\0\r\r\n\
          Content-Type: text/plain; name*=utf-8''%00%0d%0A1; charset=\"\0\"\r\n\r\n\0\r",
    );
    let mut wire = Vec::new();
    structure.envelope.write_to(View::BODY, &mut wire);
    let text = String::from_utf8_lossy(&wire);
    assert!(text.starts_with("(NIL \"abc\" ((\"x\" NIL \"y\" \"z\"))"), "{text}");
    let mut wire = Vec::new();
    structure.body.write_to(View::BODY, &mut wire);
    assert_eq!(wire, b"(\"text\" \"plain\" (\"name\" \"1\" \"charset\" \"\") NIL {1}\r\n\xff \"7BIT\" 2 1)");
}

#[test]
fn a_parameter_of_a_megabyte_is_kept_as_one_string() {
    let _alone = alone();
    let value = "x".repeat(1_000_000);
    let structure = scan(format!("Content-Type: text/plain; a=\"{value}\"\r\n\r\n").as_bytes());
    assert_eq!(structure.findings, Findings::default());
    assert!(
        body_structure(&structure)
            .starts_with(&format!("(\"text\" \"plain\" (\"a\" {{1000000}}\r\n{value})"))
    );
    let larger = scan(format!("Content-Type: text/plain; a=\"{value}{value}\"\r\n\r\n").as_bytes());
    assert!(larger.findings.contains(Findings::HEADER_OCTETS));
    assert!(body_structure(&larger).starts_with("(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\")"));
}

#[test]
fn limits_of_fields_cut_and_tell() {
    let _alone = alone();
    let finds = |message: String, finding| {
        assert!(scan(message.as_bytes()).findings.contains(finding), "{finding:?}")
    };
    finds(format!("To: {}\n", "a@b,".repeat(10_001)), Findings::ADDRESSES);
    finds(format!("References: {}\n", "<a@b>".repeat(1001)), Findings::REFERENCES);
    finds(
        format!("Content-Type: a/b{}\n", (0..1001).map(|n| format!(";n{n}=1")).collect::<String>()),
        Findings::PARAMETERS,
    );
    finds("A: b\n".repeat(10_001), Findings::HEADER_FIELDS);
    let structure = scan(format!("References: {}<last@b>\n", "<a@b>".repeat(1000)).as_bytes());
    assert_eq!(structure.references.len(), 1000);
    assert_eq!(
        structure.references.last(),
        mailwright_store::mime::MessageIdHash::first_in(b"<last@b>").as_ref()
    );
}

#[test]
fn wire_forms_stay_within_their_limit() {
    let _alone = alone();
    let mut message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    let description = "d".repeat(100_000);
    for _ in 0..300 {
        message.extend_from_slice(format!("--b\r\nContent-Description: {description}\r\n\r\n").as_bytes());
    }
    let structure = scan(&message);
    assert!(structure.findings.contains(Findings::STRUCTURE_OCTETS));
    assert_eq!(structure.parts().last().unwrap().end, structure.size());
    let stored = structure.to_stored().len();
    assert!(stored <= (4 << 20) + 200_000, "{stored}");
}

#[test]
fn a_large_body_needs_no_memory() {
    let _alone = alone();
    let chunk = b"--not a delimiter\r\n- nor this\r\n".repeat(2000);
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n");
    scanner.feed(&chunk);
    let region = Region::new(ALLOCATOR);
    for _ in 0..1000 {
        scanner.feed(&chunk);
    }
    // The scanner needs none; what runs the tests may allocate meanwhile.
    let allocated = region.change().bytes_allocated;
    assert!(allocated < 64 << 10, "{allocated} for {} octets", 1000 * chunk.len());
    assert_eq!(scanner.finish().parts()[1].lines, 2 * 2000 * 1001);
}

#[test]
fn memory_is_proportional_to_what_is_kept() {
    let _alone = alone();
    let shapes: [(&str, Vec<u8>); 7] = [
        ("comments", format!("Content-Type: {}", "(".repeat(900_000)).into_bytes()),
        ("colons", format!("To: a > {}", ":".repeat(900_000)).into_bytes()),
        ("addresses", format!("To: {}", "a@b,".repeat(225_000)).into_bytes()),
        ("groups", format!("To: {}", "a:;".repeat(300_000)).into_bytes()),
        ("parameters", format!("Content-Type: a/b{}", ";a*1*=%".repeat(120_000)).into_bytes()),
        ("references", format!("References: {}", "<<\"<".repeat(225_000)).into_bytes()),
        (
            "delimiters",
            [b"Content-Type: multipart/a; boundary=\" \"\n\n".to_vec(), b"--          \n".repeat(70_000)]
                .concat(),
        ),
    ];
    for (shape, message) in shapes {
        let region = Region::new(ALLOCATOR);
        let structure = scan(&message);
        let allocated = region.change().bytes_allocated;
        assert_eq!(structure.size(), u64::try_from(message.len()).unwrap());
        assert!(allocated <= 100 * message.len(), "{shape}: {allocated} for {}", message.len());
    }
}
