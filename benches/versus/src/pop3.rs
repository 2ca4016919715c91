//! POP3: command lines and listings.

use std::hint::black_box;

use mailwright_bench_cases::pop3 as cases;
use mailwright_bench_cases::pop3::BATCH;

use crate::Contest;

fn command(name: &str, line: &'static str) -> Contest {
    let text = move || line.repeat(BATCH).into_bytes();
    Contest::of(cases::command(name, line)).against_reader("pop3-codec", text, |text| {
        let mut rest = &text[..];
        for _ in 0..BATCH {
            let Ok((behind, command)) = pop3_codec::parse::command(rest) else {
                unreachable!("a good command")
            };
            black_box(command);
            rest = behind;
        }
    })
}

/// The other one wants all of it in memory.
fn listing(ids: bool) -> Contest {
    Contest::of(cases::read_listing(ids)).against_reader(
        "pop3-codec",
        move || (cases::listed(ids), ids),
        |(text, ids)| {
            if *ids {
                assert!(black_box(pop3_codec::parse::response_uidl_all(text)).is_ok());
            } else {
                assert!(black_box(pop3_codec::parse::response_list_all(text)).is_ok());
            }
        },
    )
}

pub(crate) fn contests() -> Vec<Contest> {
    let mut contests: Vec<Contest> = cases::COMMANDS.iter().map(|(name, line)| command(name, line)).collect();
    contests.extend([false, true].map(listing));
    contests
}
