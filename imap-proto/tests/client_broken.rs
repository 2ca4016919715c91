//! Features that a server announces and refuses all the same: what the client remembers, tells and offers.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod peer;

use mailwright_imap::client::{Event, Feature, SendError};
use mailwright_imap::types::{
    Command, ListCommand, ListReturn, ListSelection, MultiSearchCommand, OctetString, Search, SearchCommand,
    SearchKey, SortCommand, SortCriterion, SortKey,
};
use mailwright_sasl::MechanismName;
use peer::{Peer, clear_text, credentials, string};

fn list() -> ListCommand {
    ListCommand::new(string(""), string("*"))
}

fn extended(selection: &[ListSelection], returns: &[ListReturn]) -> Command {
    let mut list = list();
    list.selection = (!selection.is_empty()).then(|| selection.to_vec());
    list.returns = (!returns.is_empty()).then(|| returns.to_vec());
    Command::List(list)
}

fn subject(text: &str) -> Search {
    Search::new([SearchKey::Subject(string(text))]).unwrap()
}

/// Sends `command`, which the server answers with `reply`; what was found broken, and what goes over the wire when the
/// offer is taken.
fn offered(peer: &mut Peer, command: Command, reply: &str) -> Option<(Feature, Option<String>)> {
    let sent = peer.command(command).unwrap();
    let tag = sent.split(' ').next().unwrap().to_string();
    let mut events = peer.says(&reply.replace("TAG", &tag));
    assert!(matches!(events.pop(), Some(Event::Completed { .. })), "{events:?}");
    match events.pop() {
        Some(Event::Broken { feature, retry, .. }) => {
            assert!(peer.client.is_broken(feature));
            let sent = retry.map(|retry| peer.command(*retry).unwrap());
            let done = peer.client.in_flight() > 0;
            if let Some(tag) = sent.as_ref().and_then(|sent| sent.split(' ').next()).filter(|_| done) {
                peer.says(&format!("* LIST () NIL INBOX\r\n{tag} OK done\r\n"));
            }
            Some((feature, sent.map(|sent| sent.split_once(' ').unwrap().1.trim_end().to_string())))
        }
        _ => None,
    }
}

fn found(feature: Feature, retry: &str) -> Option<(Feature, Option<String>)> {
    Some((feature, Some(retry.to_string())))
}

#[test]
fn special_use_in_list_is_left_out() {
    for (command, retry) in [
        (extended(&[ListSelection::SpecialUse], &[]), "LIST \"\" \"*\""),
        (extended(&[], &[ListReturn::SpecialUse]), "LIST \"\" \"*\""),
        (extended(&[], &[ListReturn::SpecialUse, ListReturn::Children]), "LIST \"\" \"*\" RETURN (CHILDREN)"),
    ] {
        for reply in ["TAG BAD what?\r\n", "TAG NO no\r\n", "TAG NO [CANNOT] no\r\n"] {
            let mut peer = Peer::logged_in("SPECIAL-USE LIST-EXTENDED");
            assert_eq!(
                offered(&mut peer, command.clone(), reply),
                found(Feature::SpecialUse, retry),
                "{reply}"
            );
        }
    }
}

#[test]
fn extended_list_that_is_refused_or_finds_nothing_is_done_without() {
    for (command, retry) in [
        (extended(&[ListSelection::Subscribed], &[]), "LSUB \"\" \"*\""),
        (extended(&[], &[ListReturn::Children]), "LIST \"\" \"*\""),
        (extended(&[ListSelection::Remote], &[ListReturn::Subscribed]), "LIST \"\" \"*\""),
    ] {
        for reply in
            ["TAG BAD what?\r\n", "TAG OK done\r\n", "* LSUB () NIL a\r\n* 1 EXISTS\r\nTAG OK done\r\n"]
        {
            let mut peer = Peer::logged_in("LIST-EXTENDED");
            assert_eq!(
                offered(&mut peer, command.clone(), reply),
                found(Feature::ListExtended, retry),
                "{reply}"
            );
        }
        let mut peer = Peer::logged_in("LIST-EXTENDED");
        assert_eq!(offered(&mut peer, command, "* LIST () NIL a\r\nTAG OK done\r\n"), None);
    }
    // A name that need not exist may well not be found.
    let mut one = list();
    one.patterns = vec![string("a"), string("b")];
    let mut peer = Peer::logged_in("LIST-EXTENDED");
    assert_eq!(offered(&mut peer, Command::List(one.clone()), "TAG OK done\r\n"), None);
    let refused = offered(&mut peer, Command::List(one), "TAG BAD what?\r\n");
    assert_eq!(refused, found(Feature::ListExtended, "LIST \"\" \"*\""));
}

#[test]
fn lsub_has_a_form_of_list_in_its_place() {
    for (capabilities, retry) in [("", "LIST \"\" \"*\""), ("LIST-EXTENDED", "LIST (SUBSCRIBED) \"\" \"*\"")]
    {
        let mut peer = Peer::logged_in(capabilities);
        assert_eq!(
            offered(&mut peer, Command::Lsub(list()), "TAG BAD gone\r\n"),
            found(Feature::Lsub, retry)
        );
    }
    // Neither works: then all mailboxes, rather than none.
    let mut peer = Peer::logged_in("LIST-EXTENDED");
    offered(&mut peer, Command::Lsub(list()), "TAG BAD gone\r\n");
    let subscribed = extended(&[ListSelection::Subscribed], &[]);
    assert_eq!(
        offered(&mut peer, subscribed, "TAG BAD what?\r\n"),
        found(Feature::ListExtended, "LIST \"\" \"*\"")
    );
}

#[test]
fn id_can_say_nothing() {
    let mut peer = Peer::logged_in("ID");
    let id = Command::Id(vec![(string("name"), Some(string("x")))]);
    assert_eq!(offered(&mut peer, id, "TAG BAD what?\r\n"), found(Feature::Id, "ID NIL"));
    let nothing = offered(&mut peer, Command::Id(Vec::new()), "TAG BAD what?\r\n");
    assert_eq!(nothing, None, "there is nothing left to leave out");
}

#[test]
fn searches_do_without_utf8_where_they_must() {
    let all = "IMAP4rev1 MULTISEARCH SORT THREAD=REFS";
    let utf8 = || Some(string("utf-8"));
    let mut search = SearchCommand::new(true, subject("a"));
    search.charset = utf8();
    let mut multi = MultiSearchCommand::new(Vec::new(), subject("a"));
    multi.charset = utf8();
    let criterion = SortCriterion { reverse: false, key: SortKey::Date };
    let sort = SortCommand::new(true, vec![criterion], string("UTF-8"), subject("a"));
    for (command, retry) in [
        (Command::Search(search), "UID SEARCH SUBJECT a"),
        (Command::MultiSearch(multi), "ESEARCH SUBJECT a"),
        (Command::Sort(sort), "UID SORT (DATE) US-ASCII SUBJECT a"),
    ] {
        for reply in ["TAG NO [BADCHARSET (US-ASCII)] no\r\n", "TAG BAD what?\r\n"] {
            let mut peer = Peer::selected(all);
            assert_eq!(
                offered(&mut peer, command.clone(), reply),
                found(Feature::CharsetUtf8, retry),
                "{reply}"
            );
        }
    }
}

#[test]
fn what_fails_for_other_reasons_is_not_broken() {
    for code in ["UNAVAILABLE", "NOPERM", "LIMIT", "INUSE", "SERVERBUG", "AUTHORIZATIONFAILED"] {
        let mut peer = Peer::logged_in("LIST-EXTENDED");
        let command = extended(&[], &[ListReturn::Children]);
        assert_eq!(offered(&mut peer, command, &format!("TAG NO [{code}] x\r\n")), None, "{code}");
        assert!(!peer.client.is_broken(Feature::ListExtended));
    }
}

#[test]
fn what_was_found_broken_can_be_left_out_beforehand() {
    let mut peer = Peer::logged_in("SPECIAL-USE LIST-EXTENDED ID");
    let special = extended(&[], &[ListReturn::SpecialUse, ListReturn::Children]);
    let same = peer.client.without_broken(special.clone());
    assert_eq!(format!("{same:?}"), format!("{special:?}"));
    offered(&mut peer, special.clone(), "TAG BAD what?\r\n");
    let less = peer.client.without_broken(special.clone());
    assert_eq!(format!("{less:?}"), format!("{:?}", extended(&[], &[ListReturn::Children])));
    offered(&mut peer, less, "TAG BAD what?\r\n");
    let least = peer.client.without_broken(special);
    assert_eq!(format!("{least:?}"), format!("{:?}", Command::List(list())));
    let same = peer.client.without_broken(Command::Noop);
    assert!(matches!(same, Command::Noop));
}

#[test]
fn an_initial_response_that_is_refused_is_told() {
    let mut peer = Peer::greeted(clear_text(), "AUTH=PLAIN SASL-IR");
    let exchange = peer.client.exchange(MechanismName::PLAIN, &credentials()).unwrap();
    let id = peer.client.authenticate(exchange).unwrap();
    peer.sent();
    let events = peer.says("$1 BAD too many arguments\r\n");
    assert!(matches!(
        &events[..],
        [Event::Broken { id: broken, feature: Feature::InitialResponse, retry: None }, Event::Completed { .. }] if *broken == id
    ));
    assert!(peer.client.initial_response_refused());
    let exchange = peer.client.exchange(MechanismName::PLAIN, &credentials()).unwrap();
    peer.client.authenticate(exchange).unwrap();
    assert_eq!(peer.sent(), "$2 AUTHENTICATE PLAIN\r\n");
}

// ---- Charsets

fn search_for(text: OctetString, charset: Option<&str>) -> Command {
    let mut search = SearchCommand::new(true, Search::new([SearchKey::Subject(text)]).unwrap());
    search.charset = charset.map(string);
    Command::Search(search)
}

#[test]
fn a_search_says_utf8_where_it_needs_it() {
    let mut peer = Peer::selected("LITERAL+");
    for (text, charset, sent) in [
        ("ascii", None, "$2 UID SEARCH SUBJECT ascii\r\n"),
        ("grün", None, "$3 UID SEARCH CHARSET UTF-8 SUBJECT {5+}\r\ngrün\r\n"),
        ("grün", Some("KOI8-R"), "$4 UID SEARCH CHARSET KOI8-R SUBJECT {5+}\r\ngrün\r\n"),
    ] {
        assert_eq!(peer.command(search_for(string(text), charset)).unwrap(), sent);
    }
    let latin = OctetString::new(&b"gr\xfcn"[..]).unwrap();
    peer.client.command(search_for(latin, None)).unwrap();
    let sent = mailwright_core::session::Session::transmit(&mut peer.client).take();
    assert!(!sent.windows(7).any(|window| window == b"CHARSET"), "nobody knows which");
    peer.says("$3 NO [BADCHARSET] x\r\n");
    let sent = peer.command(search_for(string("grün"), None)).unwrap();
    assert_eq!(sent, "$6 UID SEARCH SUBJECT {5+}\r\ngrün\r\n", "it was refused before");
}

#[test]
fn a_search_has_no_charset_where_everything_is_utf8() {
    let mut peer = Peer::logged_in("ENABLE UTF8=ACCEPT");
    let names = vec![mailwright_imap::types::Capability::new("UTF8=ACCEPT").unwrap()];
    peer.command(Command::Enable(names)).unwrap();
    peer.says("* ENABLED UTF8=ACCEPT\r\n$1 OK done\r\n");
    peer.client.command(Command::Select(peer::mailbox("INBOX").into())).unwrap();
    peer.sent();
    peer.says("$2 OK done\r\n");
    for (charset, tag) in [(None, 3), (Some("UTF-8"), 4), (Some("us-ascii"), 5)] {
        let sent = peer.command(search_for(string("grün"), charset)).unwrap();
        assert_eq!(sent, format!("${tag} UID SEARCH SUBJECT \"grün\"\r\n"));
    }
    let refused = peer.client.command(search_for(string("grün"), Some("KOI8-R")));
    assert!(matches!(refused, Err(SendError::Encode(_))), "{refused:?}");
}
