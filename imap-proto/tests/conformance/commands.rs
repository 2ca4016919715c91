//! What is sent, in which form, and when: strings and literals, sets, what goes together, what is done without.

use mailwright_imap::client::{Client, Content, ContentPart};
use mailwright_imap::types::{
    AppendCommand, AppendMessage, Capability, Command, ListCommand, ListReturn, ListSelection, Mailbox,
    MessageForm, Messages, NumberEnd, NumberSet, ReplaceCommand, Search, SearchCommand, SearchKey,
    SearchReturn, SortCommand, SortCriterion, SortKey, StoreAction, StoreCommand,
};
use mailwright_imap::value::MailboxName;

use crate::peer::{append, fetch, mailbox, numbers, search, set, string, uids};
use crate::table::{Asking, Table, logged_in, selected, selected_with};

pub(crate) fn rows(t: &mut Table) {
    forms(t);
    names(t);
    messages(t);
    windows(t);
    broken(t);
    broken_searches(t);
}

fn create(name: &str) -> Command {
    Command::Create(Mailbox::Other(name.as_bytes().to_vec().into()).into())
}

fn enable(name: &'static str) -> Command {
    Command::Enable(Capability::new(name).into_iter().collect())
}

/// A client that has enabled something.
fn enabled(name: &'static str) -> Asking {
    let asking = logged_in(&format!("ENABLE LITERAL+ REPLACE {name}")).says(enable(name));
    asking.after(&format!("* ENABLED {name}\r\n$1 OK done\r\n"))
}

fn forms(t: &mut Table) {
    t.row("4.6", "A string is an atom, a quoted string or a literal, as it can be; a literal waits for consent unless LITERAL+, or up to 4096 octets LITERAL- or IMAP4rev2, is announced");
    t.command(logged_in(""), "CREATE with a letter", create("a"), "C: $1 CREATE a⏎");
    t.command(logged_in(""), "CREATE with a space", create("a b"), "C: $1 CREATE \"a b\"⏎");
    t.command(logged_in(""), "CREATE with a quote", create("a\"b\\c"), "C: $1 CREATE \"a\\\"b\\\\c\"⏎");
    t.command(logged_in(""), "CREATE with a control", create("a\u{1}b"), "C: $1 CREATE {3}⏎");
    t.command(
        logged_in("LITERAL+"),
        "CREATE with a control",
        create("a\u{1}b"),
        "C: $1 CREATE {3+}⏎a\\u{1}b⏎",
    );
    t.command(
        logged_in("LITERAL-"),
        "CREATE with a control",
        create("a\u{1}b"),
        "C: $1 CREATE {3+}⏎a\\u{1}b⏎",
    );
    t.command(
        logged_in("IMAP4rev2"),
        "CREATE with a control",
        create("a\u{1}b"),
        "C: $1 CREATE {3+}⏎a\\u{1}b⏎",
    );
    t.call(
        logged_in("LITERAL-"),
        "APPEND of 4096 octets",
        |client| client.append(append("a"), 4096),
        "wants 4096 octets; C: $1 APPEND a {4096+}⏎",
    );
    t.call(
        logged_in("LITERAL-"),
        "APPEND of 4097 octets",
        |client| client.append(append("a"), 4097),
        "C: $1 APPEND a {4097}⏎",
    );
    t.call(
        logged_in("LITERAL+"),
        "APPEND of 4097 octets",
        |client| client.append(append("a"), 4097),
        "wants 4097 octets; C: $1 APPEND a {4097+}⏎",
    );
    let literal = || logged_in("").says(create("a\u{1}b"));
    t.hears(literal, "+ go\r\n", "C: a\\u{1}b⏎");
    t.hears(literal, "$1 NO [TOOBIG] x\r\n", "#1 NO [TooBig] x");
    t.hears(|| literal().after("$1 NO [TOOBIG] x\r\n"), "+ late\r\n", "+ late");
    t.hears(literal, "$1 OK done\r\n", "closed: the server completes a command before it has come");

    t.row("2.7 injection", "No value leaves its place: line ends go in literals where they can be, and what cannot be sent is refused before an octet is written");
    t.command(
        logged_in("LITERAL+"),
        "CREATE with a line end",
        create("INBOX\r\n$9 DELETE x"),
        "C: $1 CREATE {18+}⏎INBOX⏎$9 DELETE x⏎",
    );
    let id = Command::Id(vec![(string("name"), Some(string("a\"\r\nb {3}")))]);
    t.command(logged_in("ID LITERAL+"), "ID with a line end", id, "C: $1 ID (\"name\" {9+}⏎a\"⏎b {3})⏎");
    t.command(
        selected_with("LITERAL+"),
        "SEARCH with a line end",
        search(true, SearchKey::Subject(string("a\r\nb"))),
        "C: $2 UID SEARCH SUBJECT {4+}⏎a⏎b⏎",
    );
    t.command(
        logged_in("LITERAL+"),
        "CREATE with an announcement",
        create("a {3}"),
        "C: $1 CREATE \"a {3}\"⏎",
    );
    let login = || Command::Login { user: string("fred"), password: "a\0b".into() };
    t.command(crate::table::greeted(""), "LOGIN with a NUL", login(), "Encode(Nul)");
    t.case(
        "a flag with a line end",
        "true",
        format!("{:?}", mailwright_imap::value::Flag::new("a\r\nb").is_err()),
    );
    t.case("a capability with a line end", "true", format!("{:?}", Capability::new("a\r\nb").is_none()));
    t.case(
        "a string with a NUL",
        "true",
        format!("{:?}", mailwright_imap::types::OctetString::new("a\0b").is_err()),
    );

    t.row("2.5 sets", "Sets are sent in ascending order, `*` at the end");
    t.command(
        selected(),
        "FETCH of 9, *, 4:2, 7",
        fetch(uids("9,*,4:2,7")),
        "C: $2 UID FETCH 2:4,7,9,* (FLAGS)⏎",
    );
    t.command(
        selected_with("UIDPLUS"),
        "EXPUNGE of 7, 3",
        Command::Expunge(Some(set("7,3"))),
        "C: $2 UID EXPUNGE 3,7⏎",
    );
}

fn names(t: &mut Table) {
    t.row("2.8", "A name goes in UTF-7, and in UTF-8 where UTF8=ACCEPT or IMAP4rev2 is enabled");
    let name = || Command::Create(Mailbox::from(MailboxName::new("Entwürfe & mehr").unwrap()).into());
    t.command(logged_in(""), "CREATE", name(), "C: $1 CREATE \"Entw&APw-rfe &- mehr\"⏎");
    t.command(enabled("UTF8=ACCEPT"), "CREATE", name(), "C: $2 CREATE \"Entwürfe & mehr\"⏎");
    t.command(enabled("IMAP4rev2"), "CREATE", name(), "C: $2 CREATE \"Entwürfe & mehr\"⏎");
    t.hears(
        || enabled("UTF8=ACCEPT"),
        "* LIST () \"/\" \"Entwürfe & mehr\"\r\n",
        "LIST [] / \"Entwürfe & mehr\"",
    );
    t.hears(
        || logged_in(""),
        "* LIST () \"/\" \"Entw&APw-rfe &- mehr\"\r\n",
        "LIST [] / \"Entwürfe & mehr\"",
    );
    t.hears(|| logged_in(""), "* LIST () \"/\" inbox\r\n", "LIST [] / \"INBOX\"");

    let pattern = || Command::List(ListCommand::new(string(""), string("Entwürfe & mehr/%")));
    t.command(logged_in(""), "LIST", pattern(), "C: $1 LIST \"\" \"Entw&APw-rfe &- mehr/%\"⏎");
    t.command(enabled("UTF8=ACCEPT"), "LIST", pattern(), "C: $2 LIST \"\" \"Entwürfe & mehr/%\"⏎");

    t.row(
        "2.11.21",
        "What is enabled is what the server says, when it was asked to; ENABLE goes before SELECT",
    );
    t.hears(
        || logged_in("ENABLE CONDSTORE").says(enable("CONDSTORE")),
        "* ENABLED CONDSTORE\r\n$1 OK done\r\n",
        "Enabled([Capability(b\"CONDSTORE\")]); #1 OK done",
    );
    t.hears(
        || logged_in("ENABLE CONDSTORE").says(enable("CONDSTORE")),
        "* ENABLED\r\n$1 OK done\r\n",
        "Enabled([]); #1 OK done",
    );
    t.command(selected_with("ENABLE"), "ENABLE CONDSTORE", enable("CONDSTORE"), "WrongState");
    t.command(logged_in(""), "ENABLE CONDSTORE", enable("CONDSTORE"), "NotAnnounced");
    t.command(
        logged_in("ENABLE")
            .after("* ENABLED UIDONLY\r\n")
            .says(Command::Select(mailbox("a").into()))
            .after("$1 OK done\r\n"),
        "FETCH 1",
        fetch(numbers("1")),
        "C: $2 FETCH 1 (FLAGS)⏎",
    );

    t.row(
        "2.11.22",
        "No CHARSET where UTF8=ACCEPT is enabled; elsewhere what is not ASCII says that it is UTF-8",
    );
    let subject = |charset: Option<&str>| {
        let mut search = SearchCommand::new(true, Search::new([SearchKey::Subject(string("grün"))]).unwrap());
        search.charset = charset.map(string);
        Command::Search(search)
    };
    let utf8 = || enabled("UTF8=ACCEPT").says(Command::Select(mailbox("a").into())).after("$2 OK done\r\n");
    t.command(utf8(), "SEARCH in UTF-8", subject(Some("UTF-8")), "C: $3 UID SEARCH SUBJECT \"grün\"⏎");
    t.command(
        utf8(),
        "SEARCH in KOI8-R",
        subject(Some("KOI8-R")),
        "Encode(Contradiction(\"a charset where UTF8=ACCEPT is enabled\"))",
    );
    t.command(
        selected_with("LITERAL+"),
        "SEARCH",
        subject(None),
        "C: $2 UID SEARCH CHARSET UTF-8 SUBJECT {5+}⏎grün⏎",
    );
    t.command(
        selected_with("LITERAL+"),
        "SEARCH in KOI8-R",
        subject(Some("KOI8-R")),
        "C: $2 UID SEARCH CHARSET KOI8-R SUBJECT {5+}⏎grün⏎",
    );
    t.command(
        selected(),
        "SEARCH of ASCII",
        search(true, SearchKey::Subject(string("a"))),
        "C: $2 UID SEARCH SUBJECT a⏎",
    );

    t.row("1.3 UIDONLY", "Once it is enabled no message number is sent");
    let only = || enabled("UIDONLY").says(Command::Select(mailbox("a").into())).after("$2 OK done\r\n");
    t.command(only(), "FETCH 1", fetch(numbers("1")), "NumbersDisabled");
    t.command(only(), "SEARCH ALL", search(false, SearchKey::All), "NumbersDisabled");
    t.command(only(), "UID SEARCH 1", search(true, SearchKey::Numbers(set("1"))), "NumbersDisabled");
    t.command(only(), "UID FETCH 1", fetch(uids("1")), "C: $3 UID FETCH 1 (FLAGS)⏎");
    let one = NumberEnd::Number(1.try_into().unwrap());
    t.call(
        only(),
        "REPLACE 1",
        |client| client.replace(ReplaceCommand::new(false, one, append("a")), 1),
        "NumbersDisabled",
    );
    t.hears(
        || only().says(fetch(uids("1"))),
        "* 1 UIDFETCH (FLAGS ())\r\n* VANISHED 7:9\r\n$3 OK done\r\n",
        "UIDFETCH 1 (FLAGS ()); VANISHED (7:9); #3 OK done",
    );
}

fn form(form: MessageForm) -> AppendCommand {
    let mut append = append("a");
    append.form = form;
    append
}

fn messages(t: &mut Table) {
    t.row("3502, 4469, 6855, 8508", "A message is a literal, binary, in UTF-8, or put together; there may be several; one may take the place of another");
    let two = |client: &mut Client| {
        client.append_messages(append("a"), 2, vec![(AppendMessage::default(), Content::Octets(3))]).map(drop)
    };
    t.call(
        logged_in("LITERAL+"),
        "APPEND of NUL in a literal8",
        |client| client.append(form(MessageForm::Binary), 1),
        "NotAnnounced",
    );
    t.call(
        logged_in("LITERAL+ BINARY"),
        "APPEND of a literal8",
        |client| client.append(form(MessageForm::Binary), 1),
        "wants 1 octets; C: $1 APPEND a ~{1+}⏎",
    );
    t.call(
        logged_in("LITERAL+ UTF8=ACCEPT"),
        "APPEND in UTF-8",
        |client| client.append(form(MessageForm::Utf8), 1),
        "wants 1 octets; C: $1 APPEND a UTF8 (~{1+}⏎",
    );
    t.hears(
        || {
            logged_in("LITERAL+ UTF8=ACCEPT")
                .does(|client| client.append(form(MessageForm::Utf8), 1).map(drop))
                .does(|client| client.content(b"x").map(drop))
        },
        "$1 OK done\r\n",
        "#1 OK done",
    );
    t.call(logged_in(""), "APPEND of two", two, "NotAnnounced");
    t.hears(|| logged_in("MULTIAPPEND").does(two), "+ go\r\n", "wants 2 octets");
    t.hears(
        || {
            logged_in("MULTIAPPEND")
                .does(two)
                .after("+ go\r\n")
                .does(|client| client.content(b"ab").map(drop))
        },
        "+ go\r\n",
        "wants 3 octets",
    );
    t.hears(
        || {
            logged_in("MULTIAPPEND")
                .does(two)
                .after("+ go\r\n")
                .does(|client| client.content(b"ab").map(drop))
        },
        "$1 NO full\r\n",
        "#1 NO full",
    );
    let parts = || Content::Parts(vec![ContentPart::Url(string("/a;uid=1")), ContentPart::Octets(3)]);
    t.call(
        logged_in("LITERAL+ CATENATE"),
        "APPEND of parts",
        |client| client.append_messages(form(MessageForm::Catenate), parts(), Vec::new()),
        "wants 3 octets; C: $1 APPEND a CATENATE (URL \"/a;uid=1\" TEXT {3+}⏎",
    );
    t.call(
        logged_in("LITERAL+"),
        "APPEND of parts",
        |client| client.append_messages(form(MessageForm::Catenate), parts(), Vec::new()),
        "NotAnnounced",
    );
    let seven = NumberEnd::Number(7.try_into().unwrap());
    t.call(
        selected_with("LITERAL+ REPLACE"),
        "UID REPLACE 7",
        |client| client.replace(ReplaceCommand::new(true, seven, append("a")), 3),
        "wants 3 octets; C: $2 UID REPLACE 7 a {3+}⏎",
    );
    t.call(
        logged_in("LITERAL+ REPLACE"),
        "UID REPLACE 7",
        |client| client.replace(ReplaceCommand::new(true, seven, append("a")), 3),
        "WrongState",
    );
    t.call(
        logged_in("APPENDLIMIT=10"),
        "APPEND of 11 octets",
        |client| client.append(append("a"), 11),
        "TooLarge",
    );
}

/// Why a command has to wait.
fn waits(t: &mut Table, asking: &Asking, name: &str, command: &Command, expected: &str) {
    let got = format!("{:?}", asking.client.obstacle(command)).replace("CommandId(", "#").replace("))", ")");
    t.case(format!("waits: {}{name}", asking.before), expected, got);
}

fn store(messages: Messages) -> Command {
    Command::Store(StoreCommand::new(messages, StoreAction::Add, Vec::new()))
}

fn copy(messages: Messages) -> Command {
    Command::Copy { messages, mailbox: mailbox("a") }
}

fn save() -> Command {
    let mut search = SearchCommand::new(true, Search::new([SearchKey::Flagged]).unwrap());
    search.returns = Some(vec![SearchReturn::Save]);
    Command::Search(search)
}

fn windows(t: &mut Table) {
    t.row("2.10.2", "Message numbers wait for what may change them, UIDs for nothing; a literal that waits holds all back; `$` waits for the search that saves it; some commands run alone");
    waits(t, &selected().says(Command::Noop), "FETCH 1", &fetch(numbers("1")), "Some(Numbers(#2))");
    waits(t, &selected().says(Command::Noop), "UID FETCH 1", &fetch(uids("1")), "None");
    waits(t, &selected().says(fetch(uids("1"))), "FETCH 1", &fetch(numbers("1")), "Some(Numbers(#2))");
    waits(t, &selected().says(fetch(numbers("1"))), "STORE 1", &store(numbers("1")), "None");
    waits(
        t,
        &selected().says(fetch(numbers("1"))).says(store(numbers("1"))).says(search(false, SearchKey::All)),
        "NOOP",
        &Command::Noop,
        "None",
    );
    waits(
        t,
        &selected().says(fetch(numbers("1"))).says(Command::Noop),
        "STORE 1",
        &store(numbers("1")),
        "Some(Numbers(#3))",
    );
    waits(
        t,
        &selected().says(store(numbers("1"))).says(copy(numbers("1"))),
        "FETCH 1",
        &fetch(numbers("1")),
        "Some(Numbers(#3))",
    );
    waits(
        t,
        &selected().says(store(numbers("1"))).says(copy(numbers("1"))),
        "EXPUNGE",
        &Command::Expunge(None),
        "None",
    );
    waits(t, &selected().says(copy(numbers("1"))), "COPY 1", &copy(numbers("1")), "Some(Numbers(#2))");
    waits(
        t,
        &selected().says(search(true, SearchKey::All)),
        "UID SEARCH ALL",
        &search(true, SearchKey::All),
        "None",
    );
    waits(
        t,
        &selected().says(search(true, SearchKey::All)),
        "UID SEARCH 1",
        &search(true, SearchKey::Numbers(set("1"))),
        "Some(Numbers(#2))",
    );
    waits(t, &logged_in("").says(create("a\u{1}")), "NOOP", &Command::Noop, "Some(Literal(#1))");
    waits(
        t,
        &selected_with("SEARCHRES").says(save()),
        "UID FETCH $",
        &fetch(Messages::Uids(NumberSet::saved())),
        "Some(Saved(#2))",
    );
    waits(
        t,
        &selected_with("SEARCHRES").says(copy(Messages::Numbers(NumberSet::saved()))),
        "STORE $",
        &store(Messages::Numbers(NumberSet::saved())),
        "None",
    );
    waits(t, &selected_with("IDLE").says(Command::Idle), "NOOP", &Command::Noop, "Some(Exclusive(#2))");
    waits(t, &selected_with("IDLE").says(Command::Noop), "IDLE", &Command::Idle, "Some(Alone(#2))");
    waits(
        t,
        &selected().says(Command::Noop),
        "SELECT a",
        &Command::Select(mailbox("a").into()),
        "Some(Alone(#2))",
    );
    waits(t, &selected().says(Command::Noop), "LOGOUT", &Command::Logout, "Some(Alone(#2))");
    waits(
        t,
        &logged_in("").does(|client| client.append(append("a"), 3).map(drop)),
        "NOOP",
        &Command::Noop,
        "Some(Literal(#1))",
    );
}

fn list(selection: &[ListSelection], returns: &[ListReturn]) -> Command {
    let mut list = ListCommand::new(string(""), string("*"));
    list.selection = (!selection.is_empty()).then(|| selection.to_vec());
    list.returns = (!returns.is_empty()).then(|| returns.to_vec());
    Command::List(list)
}

/// What is sent when the offer is taken that the end of a command brings.
fn offers(t: &mut Table, asking: impl Fn() -> Asking, reply: &str, expected: &str) {
    let mut first = asking();
    let before = first.before.clone();
    let retry = first.offered(reply);
    let got = match retry {
        None => "nothing".to_string(),
        Some((feature, None)) => format!("{feature:?} is broken"),
        Some((feature, Some(retry))) => {
            let sent = first.call(|client| client.command(*retry));
            format!("{feature:?} is broken; {sent}")
        }
    };
    t.case(format!("offers: {before}{}", crate::table::shown(reply.as_bytes())), expected, got);
}

fn broken(t: &mut Table) {
    t.row("2.5 announced and refused", "What the server refuses although it announces it, or answers with nothing, is remembered, told, and offered to be done without");
    let special = || {
        logged_in("SPECIAL-USE LIST-EXTENDED")
            .says(list(&[], &[ListReturn::SpecialUse, ListReturn::Children]))
    };
    offers(t, special, "$1 BAD what?\r\n", "SpecialUse is broken; C: $2 LIST \"\" \"*\" RETURN (CHILDREN)⏎");
    offers(t, special, "$1 NO [UNAVAILABLE] x\r\n", "nothing");
    offers(
        t,
        || logged_in("SPECIAL-USE LIST-EXTENDED").says(list(&[ListSelection::SpecialUse], &[])),
        "$1 NO x\r\n",
        "SpecialUse is broken; C: $2 LIST \"\" \"*\"⏎",
    );
    let subscribed = || logged_in("LIST-EXTENDED").says(list(&[ListSelection::Subscribed], &[]));
    offers(t, subscribed, "$1 OK done\r\n", "ListExtended is broken; C: $2 LSUB \"\" \"*\"⏎");
    offers(t, subscribed, "* LIST (\\Subscribed) \"/\" INBOX\r\n$1 OK done\r\n", "nothing");
    offers(
        t,
        || logged_in("LIST-EXTENDED").says(list(&[], &[ListReturn::Children])),
        "$1 BAD what?\r\n",
        "ListExtended is broken; C: $2 LIST \"\" \"*\"⏎",
    );
    let lsub = || Command::Lsub(ListCommand::new(string(""), string("*")));
    offers(t, || logged_in("").says(lsub()), "$1 BAD what?\r\n", "Lsub is broken; C: $2 LIST \"\" \"*\"⏎");
    offers(
        t,
        || logged_in("LIST-EXTENDED").says(lsub()),
        "$1 BAD what?\r\n",
        "Lsub is broken; C: $2 LIST (SUBSCRIBED) \"\" \"*\"⏎",
    );
    let id = || Command::Id(vec![(string("name"), Some(string("x")))]);
    offers(t, || logged_in("ID").says(id()), "$1 BAD what?\r\n", "Id is broken; C: $2 ID NIL⏎");
    offers(t, || logged_in("ID").says(Command::Id(Vec::new())), "$1 BAD what?\r\n", "nothing");
}

fn broken_searches(t: &mut Table) {
    let found = |charset: &str| {
        let mut search = SearchCommand::new(true, Search::new([SearchKey::Subject(string("a"))]).unwrap());
        search.charset = Some(string(charset));
        Command::Search(search)
    };
    offers(
        t,
        || selected().says(found("UTF-8")),
        "$2 NO [BADCHARSET (US-ASCII)] x\r\n",
        "CharsetUtf8 is broken; C: $3 UID SEARCH SUBJECT a⏎",
    );
    offers(t, || selected().says(found("KOI8-R")), "$2 NO [BADCHARSET (US-ASCII)] x\r\n", "nothing");
    let sort = || {
        let by = SortCriterion { reverse: false, key: SortKey::Date };
        Command::Sort(SortCommand::new(
            true,
            vec![by],
            string("UTF-8"),
            Search::new([SearchKey::All]).unwrap(),
        ))
    };
    offers(
        t,
        || selected_with("SORT").says(sort()),
        "$2 NO [BADCHARSET] x\r\n",
        "CharsetUtf8 is broken; C: $3 UID SORT (DATE) US-ASCII ALL⏎",
    );
}
