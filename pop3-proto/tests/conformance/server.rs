//! The states and numbered rules of the server.

use mailwright_core::session::{LayerError, Session as _, Upgraded};
use mailwright_pop3::TlsMode;
use mailwright_pop3::sasl::{MechanismName, Offers};
use mailwright_pop3::server::{
    Commit, EarlyOctets, Expire, Language, PerUser, Phrase, Severity, Unavailable, Utf8,
};

use crate::support::TEMPORARY;
use crate::table::{Served, Table, answering, fresh, shown, with};

pub(crate) fn rows(table: &mut Table) {
    states(table);
    capabilities(table);
    tls(table);
    maildrop(table);
    content(table);
    languages(table);
    ends(table);
}

/// The reply to every command but TOP when somebody has to log in first.
const FIRST: &str = "-ERR log in first⏎";
const NOT_NOW: &str = "-ERR not possible in the TRANSACTION state⏎";
const OPENED: &str = "+OK 2 messages (50 octets)⏎";

fn starttls() -> Served {
    with("STLS", |config| config.tls = TlsMode::StartTls)
}

fn states(table: &mut Table) {
    table.row("2.3", "Each command belongs to its state");
    for command in ["STAT", "LIST", "LIST 1", "RETR 1", "DELE 1", "NOOP", "RSET", "TOP 1 0", "UIDL", "UIDL 1"]
    {
        table.server(fresh(), format!("{command}\r\n"), FIRST);
    }
    for command in ["USER mrose", "PASS tanstaaf", "AUTH PLAIN", "AUTH", "STLS", "UTF8"] {
        table.server(fresh().logged_in(), format!("{command}\r\n"), NOT_NOW);
    }
    table.server(fresh(), b"QUIT\r\n", "+OK goodbye⏎ closed Quit");
    table.server(fresh().logged_in(), b"NOOP\r\nRSET\r\nSTAT\r\n", &format!("+OK⏎{OPENED}+OK 2 50⏎"));
    table.server(fresh(), b"PASS tanstaaf\r\n", FIRST);
    table.server(
        fresh(),
        b"USER other\r\nUSER mrose\r\nPASS tanstaaf\r\n",
        &format!("+OK send PASS⏎+OK send PASS⏎{OPENED}"),
    );
    for between in ["CAPA", "LANG", "UTF8", "AUTH NONE", "XYZZY", "STLS", "APOP x y", "NOOP"] {
        let served = fresh().after(format!("USER mrose\r\n{between}\r\n").as_bytes());
        table.server(served, b"PASS tanstaaf\r\n", FIRST);
    }
    table.server(fresh().after(b"USER mrose\r\nPASS wrong\r\n"), b"PASS tanstaaf\r\n", FIRST);
    for line in ["STAT 1", "NOOP x", "QUIT now", "RSET 1", "CAPA all", "STLS x", "UTF8 USER"] {
        table.server(fresh(), format!("{line}\r\n"), "-ERR unexpected argument⏎");
    }
}

fn capabilities(table: &mut Table) {
    table.row("2.3 CAPA", "A function of configuration, state and TLS");
    let usual = "+OK capability list follows⏎TOP⏎UIDL⏎RESP-CODES⏎AUTH-RESP-CODE⏎PIPELINING⏎";
    table.server(fresh(), b"CAPA\r\n", &format!("{usual}USER⏎SASL PLAIN LOGIN⏎.⏎"));
    table.server(fresh().logged_in(), b"CAPA\r\n", &format!("{usual}USER⏎SASL PLAIN LOGIN⏎.⏎"));
    let careful = || {
        with("STLS, no clear text", |config| {
            config.tls = TlsMode::StartTls;
            config.clear_text_without_tls = false;
            config.offers = Offers::new([MechanismName::SCRAM_SHA_256, MechanismName::PLAIN]);
        })
    };
    table.server(careful(), b"CAPA\r\n", &format!("{usual}SASL SCRAM-SHA-256⏎STLS⏎.⏎"));
    let secured = careful().after(b"STLS\r\n").in_tls();
    table.server(secured, b"CAPA\r\n", &format!("{usual}USER⏎SASL SCRAM-SHA-256 PLAIN⏎.⏎"));
    let secured = careful().after(b"STLS\r\n").in_tls().logged_in();
    table.server(secured, b"CAPA\r\n", &format!("{usual}USER⏎SASL SCRAM-SHA-256 PLAIN⏎.⏎"));
    let everything = || {
        answering(
            "UTF8 USER, LANG, EXPIRE and LOGIN-DELAY per user, IMPLEMENTATION, no USER, no SASL",
            |config| {
                config.utf8 = Utf8::MessagesAndNames;
                config.languages = vec![Language::new("en".parse().unwrap(), "English").unwrap()];
                config.expire = Some(PerUser::differing(Expire::Days(5)));
                config.login_delay = Some(PerUser::differing(900));
                config.implementation = Some(mailwright_pop3::types::ReplyText::new("Mailwright").unwrap());
                config.offers = Offers::new([]);
            },
            |answers| answers.own = Some((Expire::Never, 60)),
        )
    };
    table.server(
        everything(),
        b"CAPA\r\n",
        &format!(
            "{usual}USER⏎UTF8 USER⏎LANG⏎EXPIRE 5 USER⏎LOGIN-DELAY 900 USER⏎IMPLEMENTATION Mailwright⏎.⏎"
        ),
    );
    table.server(
        everything().logged_in(),
        b"CAPA\r\n",
        &format!("{usual}USER⏎UTF8 USER⏎LANG⏎EXPIRE NEVER⏎LOGIN-DELAY 60⏎IMPLEMENTATION Mailwright⏎.⏎"),
    );
}

fn tls(table: &mut Table) {
    table.row("S-1", "Nothing crosses STLS: octets behind it belong to the handshake, or end the session; the plain phase is forgotten");
    table.server(starttls(), b"STLS\r\nUSER mrose\r\nQUIT\r\n", "+OK begin TLS⏎");
    table.server(starttls(), b"STLS\r\nUSER mr", "+OK begin TLS⏎");
    table.told(starttls(), b"STLS\r\nUSER mrose\r\nPASS tanstaaf\r\n", "");
    let refuses = || {
        with("STLS, early octets refused", |config| {
            config.tls = TlsMode::StartTls;
            config.early_octets = EarlyOctets::Refuse;
        })
    };
    table.server(refuses(), b"STLS\r\n\x16", "-ERR octets behind STLS⏎ closed EarlyOctets");
    table.server(refuses(), b"STLS\r\n", "+OK begin TLS⏎");
    table.server(starttls().after(b"USER mrose\r\nSTLS\r\n").in_tls(), b"PASS tanstaaf\r\n", FIRST);
    table.server(
        starttls().after(b"XYZZY\r\nXYZZY\r\nSTLS\r\n").in_tls(),
        b"XYZZY\r\nXYZZY\r\n",
        "-ERR unknown command⏎-ERR unknown command⏎",
    );
    table.server(starttls().after(b"STLS\r\n").in_tls(), b"STLS\r\n", "-ERR TLS is active already⏎");
    table.server(fresh(), b"STLS\r\n", "-ERR no TLS here⏎");
    let both = with("STLS, UTF8", |config| {
        config.tls = TlsMode::StartTls;
        config.utf8 = Utf8::Messages;
    });
    table.server(both, b"UTF8\r\nSTLS\r\n", "+OK UTF8 enabled⏎-ERR not behind UTF8⏎");

    table.row("S-2", "A password in clear text is refused already at the name, and again");
    let careful = || with("no clear text", |config| config.clear_text_without_tls = false);
    let refused = "-ERR not without TLS: use STLS or a TLS port⏎";
    for line in ["USER mrose", "PASS tanstaaf", "AUTH PLAIN", "AUTH LOGIN", "AUTH PLAIN AG1yb3NlAHRhbnN0YWFm"]
    {
        table.server(careful(), format!("{line}\r\n"), refused);
        table.told(careful(), format!("{line}\r\n"), "");
    }
}

fn maildrop(table: &mut Table) {
    table.row("S-7", "A message that has vanished is an error; the third closes");
    let vanished =
        || answering("all vanish", |_| {}, |answers| answers.unavailable = Some(Unavailable::Vanished));
    let gone = "-ERR [SYS/PERM] the message is gone⏎";
    table.server(vanished().logged_in(), b"RETR 1\r\nNOOP\r\n", &format!("{gone}+OK⏎"));
    table.server(
        vanished().logged_in(),
        b"RETR 1\r\nTOP 2 0\r\nRETR 1\r\nNOOP\r\n",
        &format!("{gone}{gone}{gone} closed TooManyMissing"),
    );
    let later =
        answering("none readable", |_| {}, |answers| answers.unavailable = Some(Unavailable::Temporary));
    table.server(
        later.logged_in(),
        b"RETR 1\r\nSTAT\r\n",
        "-ERR [SYS/TEMP] cannot read the message now⏎+OK 2 50⏎",
    );

    table.row("S-8", "A deleted message is gone for every command until RSET; numbers stay");
    let deleted = || fresh().logged_in().after(b"DELE 1\r\n");
    for line in ["RETR 1", "TOP 1 0", "DELE 1", "LIST 1", "UIDL 1"] {
        table.server(deleted(), format!("{line}\r\n"), "-ERR no such message⏎");
    }
    table.server(deleted(), b"LIST\r\n", "+OK 1 message (22 octets)⏎2 22⏎.⏎");
    table.server(deleted(), b"UIDL\r\n", "+OK 1 message (22 octets)⏎2 uid-2⏎.⏎");
    table.server(deleted(), b"STAT\r\nRSET\r\nSTAT\r\n", &format!("+OK 1 22⏎{OPENED}+OK 2 50⏎"));
    table.server(
        deleted(),
        b"DELE 2\r\nLIST\r\nUIDL\r\nSTAT\r\n",
        "+OK message 2 deleted⏎+OK 0 messages (0 octets)⏎.⏎+OK 0 messages (0 octets)⏎.⏎+OK 0 0⏎",
    );

    table.row("S-9", "Only QUIT removes anything, and its reply tells what the store has confirmed");
    for (commit, said) in [
        (Commit::All, "+OK goodbye, marked messages removed⏎ closed Quit"),
        (Commit::Some(TEMPORARY), "-ERR [SYS/TEMP] some deleted messages not removed⏎ closed Quit"),
        (Commit::None(Severity::Permanent), "-ERR [SYS/PERM] some deleted messages not removed⏎ closed Quit"),
    ] {
        let served =
            answering(&format!("the store says {commit:?}"), |_| {}, |answers| answers.commit = commit);
        table.server(served.logged_in().after(b"DELE 2\r\n"), b"QUIT\r\nNOOP\r\n", said);
    }
    let committed = "commit {2}; release; closed Quit";
    table.told(fresh().logged_in().after(b"DELE 2\r\n"), b"QUIT\r\n", committed);
    table.told(fresh().logged_in(), b"QUIT\r\n", "release; closed Quit");
    type End = fn(Served) -> Served;
    let ends: [(&str, &str, End); 6] = [
        ("the connection ends", "release; closed EndOfInput", |served| served.at_end()),
        ("QUIT without line end", "release; closed EndOfInput", |served| served.after(b"QUIT").at_end()),
        ("nobody says anything", "release; closed Autologout", |served| served.waits(600)),
        ("TLS fails", "release; closed Layer(NotConfigured)", |mut served| {
            let now = served.host.end.now;
            served.host.end.session.handle_upgrade(Upgraded::Failed(LayerError::NotConfigured), now);
            served.host.run();
            served
        }),
        ("the host gives up", "release; closed Aborted", |mut served| {
            served.host.end.session.abort();
            served.host.run();
            served
        }),
        ("half a QUIT", "release; closed EndOfInput", |served| served.after(b"QUIT\r").at_end()),
    ];
    for (name, expected, end) in ends {
        let served = fresh().logged_in().after(b"DELE 1\r\n");
        let ended = end(served);
        let told = ended.host.events.join("; ");
        let got = if ended.host.removed.is_none() { told } else { format!("removed! {told}") };
        table.case(format!("host: (logged in) (DELE 1⏎) {name}"), expected, got);
    }
}

fn content(table: &mut Table) {
    table.row("S-10", "RETR: a bare LF is made CR LF, a last line end added; the rest as it is; the announced size is what is sent");
    for (message, said) in [
        (&b"a\nb\n"[..], "+OK 6 octets⏎a⏎b⏎.⏎"),
        (b"a\r\nb", "+OK 6 octets⏎a⏎b⏎.⏎"),
        (b"a\rb\r\r\n", "+OK 6 octets⏎a\\rb\\r⏎.⏎"),
        (b"a\r", "+OK 4 octets⏎a\\r⏎.⏎"),
        (b"\n.\n..\n", "+OK 9 octets⏎⏎..⏎...⏎.⏎"),
        (b"\0\n", "+OK 3 octets⏎\\x00⏎.⏎"),
    ] {
        let option = format!("message {}", shown(message));
        let served = || answering(&option, |_| {}, |answers| answers.messages = vec![message.to_vec()]);
        table.server(served().logged_in(), b"RETR 1\r\n", said);
        let octets = said.split(' ').nth(1).unwrap();
        table.server(served().logged_in(), b"LIST 1\r\nSTAT\r\n", &format!("+OK 1 {octets}⏎+OK 1 {octets}⏎"));
    }

    table.row(
        "S-11",
        "TOP: the header, the empty line, and so many lines; without an empty line the header only",
    );
    let top = "+OK top of message follows⏎Subject: one⏎⏎";
    table.server(fresh().logged_in(), b"TOP 1 0\r\n", &format!("{top}.⏎"));
    table.server(fresh().logged_in(), b"TOP 1 1\r\n", &format!("{top}line⏎.⏎"));
    table.server(fresh().logged_in(), b"TOP 1 2\r\n", &format!("{top}line⏎..dot⏎.⏎"));
    for (message, said) in [
        (&b"A: b\nC: d"[..], "+OK top of message follows⏎A: b⏎C: d⏎.⏎"),
        (b"\nbody\n", "+OK top of message follows⏎⏎.⏎"),
        (b"A: b\n\r\nbody\n", "+OK top of message follows⏎A: b⏎⏎.⏎"),
        (b"", "+OK top of message follows⏎.⏎"),
    ] {
        let option = format!("message {}", shown(message));
        let served = answering(&option, |_| {}, |answers| answers.messages = vec![message.to_vec()]);
        table.server(served.logged_in(), b"TOP 1 0\r\n", said);
    }

    table.row("S-12", "Listings are written as they are read, and nothing else is read meanwhile");
    for keyword in ["LIST", "UIDL"] {
        let mut served =
            answering("20000 messages", |_| {}, |answers| answers.messages = vec![b"x".to_vec(); 20_000])
                .logged_in();
        let session = &mut served.host.end.session;
        let mut input = bytes::BytesMut::from(format!("{keyword}\r\nNOOP\r\n").as_str());
        session.handle_input(&mut input, served.host.end.now);
        let held = if session.transmit().len() <= 16 * 1024 {
            "16 KiB at most held"
        } else {
            "more than 16 KiB held"
        };
        let left = format!("{held}, {} left", shown(&input));
        table.case(format!("host: {keyword}⏎NOOP⏎, never read"), "16 KiB at most held, NOOP⏎ left", left);
    }

    table.row("S-13", "UIDL: 1 to 70 octets of 0x21 to 0x7E");
    let ids = ["!", ".", "~", "a/../b", &"x".repeat(70)].map(String::from);
    let served = answering(
        "ids of all kinds",
        |_| {},
        |answers| {
            answers.messages = vec![Vec::new(); ids.len()];
            answers.ids = Some(ids.to_vec());
        },
    );
    table.server(
        served.logged_in(),
        b"UIDL\r\n",
        "+OK 5 messages (0 octets)⏎1 !⏎2 .⏎3 ~⏎4 a/../b⏎5 x…x (70 times)⏎.⏎",
    );
    for id in ["", "a b", "\u{e4}", "a\r\n", "\x7f", &"x".repeat(71)] {
        let got = if id.parse::<mailwright_pop3::types::UniqueId>().is_err() { "refused" } else { "taken" };
        table.case(format!("host: the id \"{}\"", shown(id.as_bytes())), "refused", got);
    }
}

fn languages(table: &mut Table) {
    table.row(
        "S-14",
        "UTF-8 goes to who has said UTF8, names and passwords beyond ASCII only where they are announced",
    );
    let withheld = || {
        answering(
            "UTF8, message 2 has UTF-8 in its header",
            |config| config.utf8 = Utf8::Messages,
            |answers| answers.needs_utf8 = vec![2],
        )
    };
    for line in ["LIST 2", "RETR 2", "TOP 2 0"] {
        table.server(withheld().logged_in(), format!("{line}\r\n"), "-ERR [UTF8] the message needs UTF8⏎");
    }
    table.server(withheld().logged_in(), b"UIDL 2\r\nLIST 1\r\n", "+OK 2 uid-2⏎+OK 1 28⏎");
    table.server(withheld().after(b"UTF8\r\n").logged_in(), b"LIST 2\r\n", "+OK 2 22⏎");
    table.server(fresh(), b"UTF8\r\n", "-ERR no UTF8 here⏎");
    let bad_name = "-ERR a character that names cannot have⏎";
    let bad_password = "-ERR a character that passwords cannot have⏎";
    for utf8 in [Utf8::Off, Utf8::Messages] {
        let served = || with(&format!("UTF8: {utf8:?}"), |config| config.utf8 = utf8);
        table.server(served(), "USER ros\u{e9}\r\n", bad_name);
        table.server(served().after(b"USER mrose\r\n"), "PASS \u{20ac}\r\n", bad_password);
    }
    let names = || with("UTF8 USER", |config| config.utf8 = Utf8::MessagesAndNames);
    table.told(names(), "USER ros\u{e9}\r\nPASS \u{20ac}\r\n", "authenticate ros\u{e9}; login failed 1");
    table.told(names(), "USER I\u{ad}X\u{2168}\r\nPASS x\r\n", "authenticate IXIX; login failed 1");
    for name in [
        &b"\xff"[..],
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xc0\xaf",
        b"\xf4\x90\x80\x80",
        "\u{ad}".as_bytes(),
        "\u{627}1".as_bytes(),
    ] {
        table.server(names(), [b"USER ", name, b"\r\n"].concat(), bad_name);
    }
    table.server(names().after(b"USER mrose\r\n"), b"PASS \xff\r\n", bad_password);

    table.row("S-14 LANG", "LANG lists, chooses, or leaves the language as it was");
    let spoken = || {
        with("languages en, es, de-CH", |config| {
            let language = |tag: &str, name: &str| Language::new(tag.parse().unwrap(), name).unwrap();
            let words = |phrase| match phrase {
                Phrase::LanguageChosen => Some("Idioma cambiado".into()),
                Phrase::SendPass => Some("env\u{ed}e PASS".into()),
                _ => None,
            };
            config.languages = vec![
                language("en", "English"),
                language("es", "Espa\u{f1}ol").translated(words),
                language("de-CH", ""),
            ];
        })
    };
    table.server(spoken(), b"LANG\r\n", "+OK language list follows⏎en English⏎es Espa\\xc3\\xb1ol⏎de-CH⏎.⏎");
    for (range, said) in [
        ("*", "+OK en language chosen⏎"),
        ("ES", "+OK es Idioma cambiado⏎"),
        ("es-MX", "+OK es Idioma cambiado⏎"),
        ("de", "+OK de-CH language chosen⏎"),
        ("uga", "-ERR no such language⏎"),
        ("e", "-ERR no such language⏎"),
        ("en_US", "-ERR no such language⏎"),
        ("", "-ERR missing argument⏎"),
        ("en es", "-ERR unexpected argument⏎"),
    ] {
        table.server(spoken(), format!("LANG {range}\r\n"), said);
    }
    table.server(
        spoken().after(b"LANG es\r\nLANG uga\r\n"),
        b"USER mrose\r\nPASS wrong\r\n",
        "+OK env\\xc3\\xade PASS⏎-ERR [AUTH] authentication failed⏎",
    );
    table.server(fresh(), b"LANG\r\nLANG *\r\n", "-ERR no such language⏎-ERR no such language⏎");
}

fn ends(table: &mut Table) {
    table.row("S-15", "Everything that has come is answered in order, whenever the host decides");
    table.server(
        fresh(),
        b"USER mrose\r\nPASS tanstaaf\r\nDELE 1\r\nSTAT\r\nRETR 1\r\nRSET\r\nQUIT\r\n",
        &format!("+OK send PASS⏎{OPENED}+OK message 1 deleted⏎+OK 1 22⏎-ERR no such message⏎{OPENED}+OK goodbye⏎ closed Quit"),
    );

    table.row("S-16", "Errors close at their limit; so does a first line of HTTP");
    let unknown = "-ERR unknown command⏎";
    table.server(fresh(), b"X\r\n".repeat(5), &format!("{} closed TooManyErrors", unknown.repeat(3)));
    table.server(
        fresh().logged_in(),
        b"X\r\n".repeat(25),
        &format!("{} closed TooManyErrors", unknown.repeat(20)),
    );
    for line in ["GET / HTTP/1.1", "post /x HTTP/1.0", "CONNECT a:110 HTTP/1.1", "OPTIONS * HTTP/1.1"] {
        table.server(fresh(), format!("{line}\r\nUSER mrose\r\n"), "closed Http");
    }
    table.server(fresh().logged_in(), b"GET / HTTP/1.1\r\n", unknown);

    table.row("S-18", "Deadlines count from the last complete command, and close without a word");
    let silent = |served: Served| {
        let got = served.host.events.join("; ");
        if served.host.end.output.is_empty() { got } else { format!("said something; {got}") }
    };
    for (input, expected, served) in [
        ("host: (logged in) (DELE 1⏎) 599 s", "", fresh().logged_in().after(b"DELE 1\r\n").waits(599)),
        (
            "host: (logged in) (DELE 1⏎) 600 s",
            "release; closed Autologout",
            fresh().logged_in().after(b"DELE 1\r\n").waits(600),
        ),
        ("host: (logged in) 599 s, NOOP⏎, 599 s, NOO, 1 s", "release; closed Autologout", {
            let mut served = fresh().logged_in().waits(599);
            served.host.send(b"NOOP\r\n");
            served.host.wait(599);
            served.host.send(b"NOO");
            served.waits(1)
        }),
        ("host: 179 s", "", fresh().waits(179)),
        ("host: 180 s", "closed LoginDeadline", fresh().waits(180)),
    ] {
        table.case(input, expected, silent(served));
    }
}
