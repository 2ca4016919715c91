//! MIME: the structure of a message. The others make more of it: they decode values, and keep views of bodies.

use std::hint::black_box;

use mail_parser::MessageParser;
use mailwright_bench_cases::mime as cases;

use crate::Contest;

pub(crate) fn contests() -> Vec<Contest> {
    let contest = |(what, message, parts): cases::Message| {
        Contest::of(cases::scan(what, message, parts))
            .against_reader("mail-parser", message, |message| {
                assert!(black_box(MessageParser::default().parse(&message[..])).is_some());
            })
            .against_reader("mailparse", message, |message| {
                assert!(black_box(mailparse::parse_mail(message)).is_ok());
            })
    };
    cases::MESSAGES.map(contest).into()
}
