//! Rules easily missed, as far as they are a client's, and deadlines.

use mailwright_imap::client::{Config, Timeouts};
use mailwright_imap::types::{
    Command, FetchAttribute, FetchCommand, KnownMailbox, ListCommand, Search, SearchCommand, SearchKey,
    SearchReturn, SelectCommand, SortCommand, SortCriterion, SortKey, ThreadAlgorithm, ThreadCommand,
};
use mailwright_imap::value::{ModSeq, UidValidity};

use crate::peer::{append, fetch, mailbox, search, string, uids};
use crate::table::{Asking, Table, fresh, logged_in, selected, selected_with, with};

pub(crate) fn rows(t: &mut Table) {
    selecting(t);
    searching(t);
    idle(t);
    deadlines(t);
    long(t);
}

fn selecting(t: &mut Table) {
    let known = || {
        let mut select = SelectCommand::new(mailbox("a"));
        select.known = Some(KnownMailbox::new(UidValidity::MIN, ModSeq::new(7).unwrap()));
        Command::Select(select)
    };
    let enable = || {
        let names = mailwright_imap::types::Capability::new("QRESYNC").into_iter().collect();
        logged_in("ENABLE QRESYNC").says(Command::Enable(names)).after("* ENABLED QRESYNC\r\n$1 OK done\r\n")
    };
    t.row("2.11.8", "QRESYNC is enabled before it is used; VANISHED goes with UID FETCH and CHANGEDSINCE");
    t.command(logged_in("QRESYNC"), "SELECT a (QRESYNC …)", known(), "NotEnabled(\"QRESYNC\")");
    t.command(enable(), "SELECT a (QRESYNC …)", known(), "C: $2 SELECT a (QRESYNC (1 7))⏎");
    let vanished = |uid: bool, since: bool| {
        let messages = if uid { uids("1:*") } else { crate::peer::numbers("1:*") };
        let mut fetch = FetchCommand::new(messages, vec![FetchAttribute::Flags]);
        fetch.vanished = true;
        fetch.changed_since = ModSeq::new(7).filter(|_| since);
        Command::Fetch(fetch)
    };
    let open = || enable().says(Command::Select(mailbox("a").into())).after("$2 OK done\r\n");
    t.command(
        open(),
        "UID FETCH (CHANGEDSINCE 7 VANISHED)",
        vanished(true, true),
        "C: $3 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 7 VANISHED)⏎",
    );
    t.command(
        open(),
        "UID FETCH (VANISHED)",
        vanished(true, false),
        "Encode(Contradiction(\"VANISHED without UID or CHANGEDSINCE\"))",
    );
    t.command(
        open(),
        "FETCH (CHANGEDSINCE 7 VANISHED)",
        vanished(false, true),
        "Encode(Contradiction(\"VANISHED without UID or CHANGEDSINCE\"))",
    );

    t.row(
        "2.11.5",
        "A SELECT that fails leaves nothing selected, CLOSED says when the mailbox before is left",
    );
    let other = || selected().says(Command::Select(mailbox("b").into()));
    t.hears(
        other,
        "* 1 EXISTS\r\n* OK [CLOSED] x\r\n* 2 EXISTS\r\n$2 OK [READ-WRITE] done\r\n",
        "1 EXISTS; OK [Closed] x; 2 EXISTS; #2 OK [ReadWrite] done",
    );
    t.hears(other, "* OK [CLOSED] x\r\n$2 NO x\r\n", "OK [Closed] x; #2 NO x");

    t.row("2.11.10", "VANISHED and EXPUNGE are told as they come, at any time");
    t.hears(selected, "* VANISHED 405,407,410:425\r\n", "VANISHED (405 407 410:425)");
    t.hears(selected, "* VANISHED (EARLIER) 41,43:116\r\n", "VANISHED EARLIER (41 43:116)");
    t.hears(selected, "* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n* 5 EXISTS\r\n", "3 EXPUNGE; 3 EXPUNGE; 5 EXISTS");
    t.hears(
        || logged_in("").says(Command::List(ListCommand::new(string(""), string("*")))),
        "* LIST () \"/\" a (\"OLDNAME\" (\"b\"))\r\n* 7 EXISTS\r\n$1 OK done\r\n",
        "LIST [] / \"a\" [OldName(\"b\")]; 7 EXISTS; #1 OK done",
    );
}

fn searching(t: &mut Table) {
    let returning = |returns: &[SearchReturn]| {
        let mut search = SearchCommand::new(true, Search::new([SearchKey::All]).unwrap());
        search.returns = Some(returns.to_vec());
        Command::Search(search)
    };
    t.row("2.11.13", "An extended search is answered by ESEARCH, without what there is nothing to say about");
    t.command(
        selected_with("ESEARCH"),
        "UID SEARCH RETURN ()",
        returning(&[]),
        "C: $2 UID SEARCH RETURN () ALL⏎",
    );
    t.command(selected(), "UID SEARCH RETURN (MIN)", returning(&[SearchReturn::Min]), "NotAnnounced");
    t.hears(
        || selected_with("ESEARCH").says(returning(&[SearchReturn::Min, SearchReturn::Count])),
        "* ESEARCH (TAG \"$2\") UID COUNT 0\r\n$2 OK done\r\n",
        "ESEARCH UID (Count(0)); #2 OK done",
    );
    t.hears(
        || selected_with("ESEARCH").says(returning(&[])),
        "* ESEARCH (TAG \"a\") UID ALL 4:18,21\r\n* ESEARCH\r\n* SEARCH 1\r\n$2 OK done\r\n",
        "ESEARCH UID (All Range(4:18) Range(21)); ESEARCH (); SEARCH (1); #2 OK done",
    );
    t.row("2.11.15", "PARTIAL counts from one end, and may be NIL");
    let partial =
        |text: &[u8]| SearchReturn::Partial(mailwright_imap::types::PartialRange::parse(text).unwrap());
    t.command(
        selected_with("ESEARCH PARTIAL"),
        "UID SEARCH RETURN (PARTIAL -1:-100)",
        returning(&[partial(b"-1:-100")]),
        "C: $2 UID SEARCH RETURN (PARTIAL -1:-100) ALL⏎",
    );
    t.command(
        selected_with("ESEARCH PARTIAL"),
        "UID SEARCH RETURN (ALL PARTIAL 1:10)",
        returning(&[SearchReturn::All, partial(b"1:10")]),
        "Encode(Contradiction(\"PARTIAL with ALL\"))",
    );
    t.hears(selected, "* ESEARCH UID PARTIAL (-1:-100 NIL)\r\n* ESEARCH UID PARTIAL (1:10 3,5:7)\r\n", "ESEARCH UID (Partial(PartialRange { from_end: true, from: 1, to: 100 })); ESEARCH UID (Partial(PartialRange { from_end: false, from: 1, to: 10 }) Range(3) Range(5:7))");
    t.row("2.11.14", "SAVE needs SEARCHRES, and so does `$`");
    t.command(
        selected_with("ESEARCH"),
        "UID SEARCH RETURN (SAVE)",
        returning(&[SearchReturn::Save]),
        "NotAnnounced",
    );
    t.command(
        selected_with("SEARCHRES"),
        "UID SEARCH RETURN (SAVE)",
        returning(&[SearchReturn::Save]),
        "C: $2 UID SEARCH RETURN (SAVE) ALL⏎",
    );
    t.command(
        selected(),
        "UID FETCH $",
        fetch(mailwright_imap::types::Messages::Uids(mailwright_imap::types::NumberSet::saved())),
        "NotAnnounced",
    );
}

fn idling() -> Asking {
    selected_with("IDLE").says(Command::Idle).after("+ idling\r\n")
}

fn minutes(t: &mut Table, mut asking: Asking, seconds: u64, expected: &str) {
    let before = asking.before.clone();
    let got = asking.waits(seconds);
    t.case(format!("{before}{seconds} s"), expected, got);
}

fn idle(t: &mut Table) {
    t.row("2.10.4", "DONE goes once, and not before `+`; IDLE is begun again after 28 minutes, unnoticed, and after fewer on the next connection if this one was lost; 9 at least");
    t.hears(|| selected_with("IDLE").says(Command::Idle), "+ idling\r\n", "idling");
    t.hears(
        || selected_with("IDLE").says(Command::Idle).ends_idle(),
        "* 7 EXISTS\r\n+ idling\r\n",
        "7 EXISTS; idling; C: DONE⏎",
    );
    t.hears(|| selected_with("IDLE").says(Command::Idle).ends_idle(), "$2 NO x\r\n", "#2 NO x");
    t.hears(idling, "* 7 EXISTS\r\n+ again\r\n", "7 EXISTS; + again");
    t.hears(|| idling().ends_idle(), "* 7 EXISTS\r\n$2 OK done\r\n", "7 EXISTS; #2 OK done");
    t.hears(idling, "$2 OK enough\r\n", "#2 OK enough");
    minutes(t, idling(), 28 * 60 - 1, "");
    minutes(t, idling(), 28 * 60, "C: DONE⏎");
    let again = || {
        let mut asking = idling();
        asking.waits(28 * 60);
        asking.before += "(28 minutes, C: DONE⏎) ";
        asking
    };
    t.hears(again, "* 7 EXISTS\r\n$2 OK done\r\n", "7 EXISTS; C: $3 IDLE⏎");
    t.hears(|| again().after("$2 OK done\r\n"), "+ idling\r\n* 8 EXISTS\r\n", "8 EXISTS");
    t.hears(|| again().ends_idle(), "$2 OK done\r\n", "#2 OK done");
    t.hears(|| again().after("$2 OK done\r\n").ends_idle(), "+ idling\r\n", "C: DONE⏎");
    let lost = |times: usize| {
        let timeouts = (0..times).fold(Timeouts::default(), |timeouts, _| timeouts.after_lost_idle());
        format!("{} minutes", timeouts.idle_refresh.as_secs() / 60)
    };
    t.case("lost once", "14 minutes", lost(1));
    t.case("lost twice", "9 minutes", lost(2));
    t.case("lost three times", "9 minutes", lost(3));
}

fn deadlines(t: &mut Table) {
    t.row("3 deadlines", "60 s for a greeting and for consent to a literal, whatever else comes; 5 minutes for a command, counted from the last response; none while nothing is asked");
    minutes(t, fresh(), 59, "");
    minutes(t, fresh(), 60, "closed: no answer in time");
    minutes(t, logged_in(""), 100_000, "");
    minutes(t, selected().says(Command::Noop), 299, "");
    minutes(t, selected().says(Command::Noop), 300, "closed: no answer in time");
    let answered = || {
        let mut asking = selected().says(Command::Noop);
        asking.waits(299);
        asking.before += "(299 s) ";
        asking.after("* OK still here\r\n")
    };
    minutes(t, answered(), 299, "");
    minutes(t, answered(), 300, "closed: no answer in time");
    let literal = || logged_in("").does(|client| client.append(append("a"), 3).map(drop));
    minutes(t, literal(), 59, "");
    minutes(t, literal(), 60, "closed: no answer in time");
    let late = |mut asking: Asking, octets: &str| {
        asking.waits(59);
        asking.before += "(59 s) ";
        asking.after(octets)
    };
    minutes(t, late(literal(), "* 7 EXISTS\r\n"), 1, "closed: no answer in time");
    minutes(t, late(fresh(), "\r\n"), 1, "closed: no answer in time");
    minutes(t, late(fresh(), "* OK x\r\n"), 100_000, "");
    minutes(t, literal().after("+ go\r\n"), 100_000, "");
    let short = |config: &mut Config| config.timeouts.command = core::time::Duration::from_secs(10);
    minutes(
        t,
        with("10 s for a command", short).selected().says(Command::Noop),
        10,
        "closed: no answer in time",
    );
}

fn long(t: &mut Table) {
    let all = || Search::new([SearchKey::All]).unwrap();
    let by = || vec![SortCriterion { reverse: false, key: SortKey::Date }];
    t.row("3 long commands", "30 minutes for searches, sorting, threads, copies, moves and messages");
    minutes(t, selected().says(search(true, SearchKey::All)), 1799, "");
    minutes(t, selected().says(search(true, SearchKey::All)), 1800, "closed: no answer in time");
    minutes(
        t,
        selected_with("SORT").says(Command::Sort(SortCommand::new(true, by(), string("UTF-8"), all()))),
        1799,
        "",
    );
    let thread = ThreadCommand::new(true, ThreadAlgorithm::References, string("UTF-8"), all());
    minutes(t, selected_with("THREAD=REFERENCES").says(Command::Thread(thread)), 1799, "");
    minutes(t, selected().says(Command::Copy { messages: uids("1"), mailbox: mailbox("a") }), 1799, "");
    minutes(
        t,
        selected_with("MOVE").says(Command::Move { messages: uids("1"), mailbox: mailbox("a") }),
        1799,
        "",
    );
    let appended = || {
        let asking = logged_in("LITERAL+").does(|client| client.append(append("a"), 3).map(drop));
        asking.does(|client| client.content(b"abc").map(drop))
    };
    minutes(t, appended(), 1799, "");
    minutes(t, appended(), 1800, "closed: no answer in time");
    minutes(t, selected().says(fetch(uids("1"))), 300, "closed: no answer in time");
}
