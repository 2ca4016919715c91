//! The parser of commands, on good and bad lines.

use alloc::format;
use alloc::string::{String, ToString as _};

use proptest::prelude::*;

use super::*;
use crate::types::{Notify, Return};

fn parse(line: &str) -> Result<ParsedCommand, CommandError> {
    Command::parse(&Bytes::copy_from_slice(line.as_bytes()), &CommandOptions::default())
}

/// The error of a line: where and what.
fn fault(line: &str) -> (CommandErrorKind, usize, String) {
    let error = parse(line).unwrap_err();
    (error.kind, error.offset, error.excerpt.to_string().trim_matches('"').to_string())
}

#[test]
fn an_error_says_where_it_is_and_shows_the_octets() {
    use CommandErrorKind as Kind;
    let address = Kind::Address;
    for (line, kind, offset, excerpt) in [
        ("", Kind::Unknown, 0, ""),
        ("FOO bar", Kind::Unknown, 0, "FOO"),
        ("RSET now", Kind::UnexpectedArgument, 5, "now"),
        ("VRFY", Kind::MissingArgument, 4, ""),
        ("EHLO a..b", Kind::BadArgument, 7, ".b"),
        ("MAIL TO:<a@b>", Kind::BadArgument, 5, "TO:<a@b>"),
        ("MAIL FROM:<a@b>x", Kind::BadArgument, 15, "x"),
        ("MAIL FROM:<a@b> SIZE=x", Kind::BadParameter, 16, "SIZE=x"),
        ("MAIL FROM:<a@b> FOO SIZE=1 SIZE=1", Kind::RepeatedParameter, 27, "SIZE=1"),
        ("MAIL FROM:<a@b> SIZE=1 FOO BAR", Kind::UnknownParameter, 23, "FOO BAR"),
        ("MAIL FROM:<a@b> A=\u{fc}", Kind::BadParameter, 18, "\\xc3\\xbc"),
        ("MAIL FROM:<a@b> SIZE=99999999999999999999", Kind::HugeSize, 16, "SIZE=99999999999999999999"),
        ("MAIL FROM:<\u{fc}@b>", Kind::NotAscii, 11, "\\xc3\\xbc@b>"),
        ("RCPT TO:<>", address(AddressErrorKind::Syntax), 8, "<>"),
        ("RCPT TO:<a@b", address(AddressErrorKind::Syntax), 12, ""),
        ("NOOP \u{fc}", Kind::BadArgument, 5, "\\xc3\\xbc"),
        ("NOOP\u{0}x", Kind::Control, 4, "\\x00"),
        ("BDAT 1 2", Kind::ChunkSize, 7, "2"),
    ] {
        assert_eq!(fault(line), (kind, offset, excerpt.to_string()), "{line:?}");
    }
}

#[test]
fn an_error_shows_no_secret() {
    for line in [
        "AUTH PLAIN AGEAYg== AGEAYg==",
        "AUTH PLAIN AGEAYg==\u{1}",
        "AGFsaWNlAHRhbnN0YWFm",
        "dGFuc3RhYWY=",
        " AUTH PLAIN AGEAYg==",
        "AUTH\tPLAIN AGEAYg==",
        "RSET x\rAUTH PLAIN AGEAYg==",
    ] {
        let shown = fault(line).2;
        assert!(shown.len() <= 2, "{line:?} shows {shown:?}");
    }
    let line = Bytes::from_static(b"AUTH PLAIN AGEAYg==");
    let read = CommandLine::read(&line).unwrap();
    let parsed = read.parse(&CommandOptions::default()).unwrap();
    assert!(!format!("{read:?} {parsed:?}").contains("AGEAYg"));
    let Command::Auth { initial: Some(initial), .. } = parsed.command else { panic!() };
    assert_eq!(initial.expose(), b"AGEAYg==");
}

#[test]
fn what_was_forgiven_is_reported_with_its_place() {
    let parsed = parse("MAIL FROM:  <a@b>\t ").unwrap();
    let found: Vec<_> = parsed.deviations.iter().map(|it| (it.kind, it.offset)).collect();
    assert_eq!(found, [(DeviationKind::TrailingSpace, 17), (DeviationKind::ExtraSpace, 10)]);
    let mut options = CommandOptions::default();
    options.missing_brackets = true;
    options.address.underscore_in_domain = true;
    let parsed = Command::parse(&Bytes::from_static(b"RCPT TO:a@b"), &options).unwrap();
    assert_eq!(parsed.deviations[0].kind, DeviationKind::MissingAngleBrackets);
    let parsed = Command::parse(&Bytes::from_static(b"RCPT TO:<a@b_c>"), &options).unwrap();
    let (kind, offset) = (parsed.deviations[0].kind, parsed.deviations[0].offset);
    assert_eq!((kind, offset), (DeviationKind::UnderscoreInDomain, 12));
    assert!(parse("RSET").unwrap().deviations.is_empty());
}

#[test]
fn parameters_are_typed_and_kept_as_they_came() {
    let parsed = parse("MAIL FROM:<@x:a@b> body=8bitmime SIZE=0012").unwrap();
    let Command::Mail { path, route, parameters } = parsed.command else { panic!() };
    assert_eq!(path.to_string(), "<a@b>");
    assert!(route.is_some());
    assert_eq!((parameters.size(), parameters.is_eight_bit()), (Some(12), true));
    assert_eq!(parameters.get("size"), Some(Some("0012")));
    let all: Vec<_> = parameters.iter().map(|it| (it.keyword, it.value)).collect();
    assert_eq!(all, [("body", Some("8bitmime")), ("SIZE", Some("0012"))]);
    let mut options = CommandOptions::default();
    options.ignore_unknown_parameters = true;
    options.auth = true;
    let line = Bytes::from_static(b"MAIL FROM:<a@b> FOO BAR=x AUTH=+3C+3E");
    let Command::Mail { parameters, .. } = Command::parse(&line, &options).unwrap().command else { panic!() };
    assert_eq!(parameters.get("foo"), Some(None));
    assert_eq!(parameters.get("bar"), Some(Some("x")));
    assert_eq!(parameters.auth(), Some(&ReversePath::Null));
    assert_eq!(parameters.detach(), parameters);
}

#[test]
fn parameters_that_are_not_in_force_are_unknown() {
    let mut options = CommandOptions::default();
    (options.size, options.eight_bit_mime) = (false, false);
    for parameter in ["SIZE=1", "SIZE", "BODY=8BITMIME", "AUTH=<>"] {
        let line = Bytes::from(format!("MAIL FROM:<a@b> {parameter}"));
        let error = Command::parse(&line, &options).unwrap_err();
        assert_eq!(error.kind, CommandErrorKind::UnknownParameter, "{parameter}");
    }
}

#[test]
fn dsn_is_read_where_it_is_in_force_and_kept_as_it_came() {
    let mut options = CommandOptions::default();
    let read = |text: &str, options: &CommandOptions| match Command::parse(
        &Bytes::copy_from_slice(text.as_bytes()),
        options,
    )
    .map(|parsed| parsed.command)
    {
        Ok(Command::Mail { parameters, .. } | Command::Rcpt { parameters, .. }) => Ok(parameters),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.kind),
    };
    let unknown = Err(CommandErrorKind::UnknownParameter);
    for line in ["MAIL FROM:<a@b> RET=FULL", "MAIL FROM:<a@b> ENVID=+00", "RCPT TO:<a@b> NOTIFY=NEVER"] {
        assert_eq!(read(line, &options), unknown, "{line}");
    }
    options.dsn = true;
    let mail = read("MAIL FROM:<a@b> Ret=hdrs envid=x+2By", &options).unwrap().detach();
    assert_eq!(mail.ret(), Some(Return::Headers));
    assert_eq!(mail.envelope_id().unwrap().as_str(), "x+2By");
    let rcpt = read("RCPT TO:<a@b> notify=FAILURE ORCPT=rfc822;+41@B", &options).unwrap().detach();
    assert_eq!(rcpt.notify(), Some(Notify::FAILURE));
    assert_eq!(rcpt.original_recipient().unwrap().as_str(), "rfc822;+41@B");
    assert!(rcpt.ret().is_none() && mail.notify().is_none());
    for line in ["RCPT TO:<a@b> RET=FULL", "RCPT TO:<a@b> ENVID=x", "MAIL FROM:<a@b> ORCPT=rfc822;a"] {
        assert_eq!(read(line, &options), unknown, "{line}");
    }
    for line in ["MAIL FROM:<a@b> ENVID=x ENVID=x", "RCPT TO:<a@b> ORCPT=rfc822;a ORCPT=rfc822;a"] {
        assert_eq!(read(line, &options), Err(CommandErrorKind::RepeatedParameter), "{line}");
    }
    for line in
        ["MAIL FROM:<a@b> RET", "MAIL FROM:<a@b> ENVID", "RCPT TO:<a@b> NOTIFY", "RCPT TO:<a@b> ORCPT"]
    {
        assert_eq!(read(line, &options), Err(CommandErrorKind::BadParameter), "{line}");
    }
}

#[test]
fn the_size_of_a_chunk_has_up_to_twenty_digits_and_63_bits() {
    let chunk = |argument: &str| match parse(&format!("BDAT {argument}")) {
        Ok(ParsedCommand { command: Command::Bdat { size, last }, .. }) => Some((size, last)),
        _ => None,
    };
    assert_eq!(chunk("0"), Some((0, false)));
    assert_eq!(chunk("00000000000000000086 lAsT"), Some((86, true)));
    assert_eq!(chunk("9223372036854775807"), Some((u64::MAX >> 1, false)));
    for bad in [
        "",
        "-1",
        "+1",
        "1 ",
        "9223372036854775808",
        "99999999999999999999",
        "000000000000000000000",
        "1LAST",
        "1 LAST LAST",
    ] {
        assert_eq!(chunk(bad), if bad == "1 " { Some((1, false)) } else { None }, "{bad:?}");
    }
}

#[test]
fn only_auth_with_an_initial_response_ends_no_group_of_those_that_do() {
    let ends =
        |line: &'static str| CommandLine::read(&Bytes::from_static(line.as_bytes())).unwrap().ends_group();
    assert!(ends("AUTH PLAIN") && ends("DATA") && ends("NOOP x") && ends("EHLO a") && ends("VRFY a b"));
    assert!(!ends("AUTH PLAIN AGEAYg==") && !ends("MAIL FROM:<>") && !ends("RCPT TO:<a@b>") && !ends("RSET"));
}

proptest! {
    #[test]
    fn any_line_is_read_or_refused_with_a_final_reply(
        verb in proptest::sample::select(&["MAIL FROM:", "RCPT TO:", "EHLO ", "AUTH ", "BDAT ", "VRFY ", ""][..]),
        rest in proptest::collection::vec(
            prop_oneof![proptest::sample::select(&b"<>@\"\\ :,=.+[]-ab1\r\n\0"[..]), any::<u8>()], 0..40),
        missing_brackets: bool,
        auth: bool,
    ) {
        let mut options = CommandOptions::default();
        (options.missing_brackets, options.auth) = (missing_brackets, auth);
        let line = Bytes::from([verb.as_bytes(), &rest].concat());
        match Command::parse(&line, &options) {
            Ok(_) => prop_assert!(!line.iter().any(|octet| octet.is_ascii_control() && *octet != b'\t')),
            Err(error) => {
                prop_assert!(error.offset <= line.len());
                prop_assert!(error.reply().is_permanent());
            }
        }
    }

    #[test]
    fn a_path_that_is_read_reads_the_same_when_it_is_written(
        path in "<(@[a-c],@[a-c]:)?(\"[a-c .@>\\\\]{0,6}\"|[a-c.!#]{1,6})@([a-c.-]{1,8}|\\[127\\.0\\.0\\.[0-9]{1,3}\\])>",
    ) {
        if let Ok(ParsedCommand { command: Command::Rcpt { path, .. }, .. }) = parse(&format!("RCPT TO:{path}")) {
            let again = parse(&format!("RCPT TO:{path}")).unwrap();
            let Command::Rcpt { path: again, .. } = again.command else { panic!() };
            prop_assert_eq!(path, again);
        }
    }
}
