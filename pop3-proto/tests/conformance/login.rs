//! The rules of the server on the way into a maildrop.

use mailwright_pop3::sasl::{
    Answer, Ask, Client, ClientPolicy, ClientStep, Credentials, MechanismName, Offers, ScramKeys, Seed,
    base64,
};
use mailwright_pop3::server::{Event, Opening, Severity};
use md5::{Digest as _, Md5};

use crate::table::{Table, answering, fresh, shown, with};

const NOT_NOW: &str = "-ERR not possible in the TRANSACTION state⏎";
const OPENED: &str = "+OK 2 messages (50 octets)⏎";
const FAILED: &str = "-ERR [AUTH] authentication failed⏎";

pub(crate) fn rows(table: &mut Table) {
    proofs(table);
    apop(table);
}

fn proofs(table: &mut Table) {
    table.row("S-3", "PASS is every octet behind the first space; an empty one is an error");
    for line in ["PASS", "PASS "] {
        table.server(fresh().after(b"USER mrose\r\n"), format!("{line}\r\n"), "-ERR missing argument⏎");
    }
    table.server(fresh().after(b"USER mrose\r\n"), b"PASS tanstaaf \r\n", FAILED);
    table.server(fresh().after(b"USER mrose\r\n"), b"PASS  tanstaaf\r\n", FAILED);
    table.server(fresh().after(b"USER mrose\r\n"), b"pass tanstaaf\r\n", OPENED);
    table.server(fresh().after(b"USER nobody\r\n"), b"PASS x\r\n", FAILED);

    table.row("S-4", "AUTH: strict base64, `=` for an empty initial response, `*` to cancel");
    let malformed = "-ERR malformed authentication message⏎";
    let no_base64 = "-ERR not base64⏎";
    for (lines, said) in [
        ("AUTH PLAIN AG1yb3NlAHRhbnN0YWFm", OPENED.to_string()),
        ("auth plain\r\nAG1yb3NlAHRhbnN0YWFm", format!("+ ⏎{OPENED}")),
        ("AUTH LOGIN\r\nbXJvc2U=\r\ndGFuc3RhYWY=", format!("+ VXNlcm5hbWU6⏎+ UGFzc3dvcmQ6⏎{OPENED}")),
        ("AUTH XYZZY", "-ERR no such mechanism⏎".into()),
        ("AUTH PLAIN\r\n*", "+ ⏎-ERR authentication cancelled⏎".into()),
        ("AUTH PLAIN =", malformed.into()),
        ("AUTH PLAIN\r\n", format!("+ ⏎{malformed}")),
        ("AUTH PLAIN\r\n=", format!("+ ⏎{no_base64}")),
        ("AUTH PLAIN *", no_base64.into()),
        ("AUTH PLAIN ==", no_base64.into()),
        ("AUTH PLAIN AG1yb3NlAHRhbnN0YWF", no_base64.into()),
        ("AUTH PLAIN AG1yb3NlAHRhbnN0YWFn=", no_base64.into()),
        ("AUTH PLAIN AAB=", no_base64.into()),
        ("AUTH PLAIN AA-_", no_base64.into()),
        ("AUTH PLAIN\r\nAG1y b3Nl", format!("+ ⏎{no_base64}")),
        ("AUTH PLAIN\r\n* ", format!("+ ⏎{no_base64}")),
        ("AUTH LOGIN =", "-ERR this mechanism has no initial response⏎".into()),
        ("AUTH PLAIN AG1yb3NlAHRhbnN0YWFm x", "-ERR unexpected argument⏎".into()),
        ("AUTH PLAIN AG1yb3NlAHdyb25n", FAILED.into()),
    ] {
        table.server(fresh(), format!("{lines}\r\n"), &said);
    }
    table.server(
        fresh().after(b"AUTH PLAIN =\r\nAUTH PLAIN AG1yb3NlAHdyb25n\r\n"),
        b"USER mrose\r\nPASS wrong\r\n",
        &format!("+OK send PASS⏎{FAILED} closed TooManyFailures"),
    );
    let unknown = [&b"AUTH PLAIN\r\n"[..], &[b'A'; 12_284], b"\r\n"].concat();
    table.server(fresh(), &unknown, &format!("+ ⏎{malformed}"));
    let too_long = [&b"AUTH PLAIN\r\n"[..], &[b'A'; 12_288], b"\r\n"].concat();
    table.server(fresh(), &too_long, "+ ⏎-ERR line too long⏎ closed Overlong");
    table.row("S-4 bare", "AUTH without argument lists the mechanisms where that is switched on");
    table.server(fresh(), b"AUTH\r\n", "-ERR missing argument⏎");
    let bare = with("AUTH without argument", |config| config.bare_auth = true);
    table.server(bare, b"AUTH\r\n", "+OK mechanism list follows⏎PLAIN⏎LOGIN⏎.⏎");

    table.row(
        "S-5",
        "The last message of a mechanism is a challenge; an empty line answers it, and nothing else",
    );
    for (answer, said) in
        [("", OPENED), ("eA==", malformed), ("=", no_base64), ("*", "-ERR authentication cancelled⏎")]
    {
        table.case(
            format!("AUTH SCRAM-SHA-256, the right proof, then {answer}⏎"),
            said,
            behind_scram(answer),
        );
    }

    table.row("S-6", "Opening: one question behind good credentials, each refusal with its code");
    for (opening, said) in [
        (Opening::InUse, "-ERR [IN-USE] the maildrop is open in another session⏎"),
        (Opening::LoginDelay, "-ERR [LOGIN-DELAY] too soon after the last login⏎"),
        (Opening::Unavailable(Severity::Temporary), "-ERR [SYS/TEMP] cannot open the maildrop now⏎"),
        (Opening::Unavailable(Severity::Permanent), "-ERR [SYS/PERM] cannot open the maildrop⏎"),
        (Opening::Denied, "-ERR [AUTH] no access by POP3⏎"),
    ] {
        let name = format!("the host says {opening:?}");
        let served = answering(&name, |_| {}, |answers| answers.opening = Some(opening.clone()));
        table.server(served, b"AUTH PLAIN AG1yb3NlAHRhbnN0YWFm\r\n", said);
        // Nothing that depends on the account is said to who has not proved who he is.
        let served = answering(&name, |_| {}, |answers| answers.opening = Some(opening));
        table.server(served, b"AUTH PLAIN AG1yb3NlAHdyb25n\r\n", FAILED);
    }
}

/// What a server says to `answer` behind the last challenge of SCRAM.
fn behind_scram(answer: &str) -> String {
    let mut served = with("SCRAM", |config| config.offers = Offers::new([MechanismName::SCRAM_SHA_256]));
    let host = &mut served.host;
    host.undecided = true;
    let credentials = Credentials::password("mrose", "tanstaaf").unwrap();
    let (policy, nonce) = (ClientPolicy::default(), Seed::new([3; 32]).nonce());
    let mut exchange = Client::new(MechanismName::SCRAM_SHA_256, &credentials, &policy, nonce).unwrap();
    let line = |octets: &[u8]| {
        let mut line = bytes::BytesMut::new();
        base64::encode(octets, &mut line);
        line.extend_from_slice(b"\r\n");
        line
    };
    let first = exchange.start(true).unwrap().unwrap();
    host.send(&[&b"AUTH SCRAM-SHA-256 "[..], &line(first.expose())].concat());
    let Some(Event::Authenticate { token, ask: Ask::ScramKeys { hash, .. } }) = host.open_questions.pop()
    else {
        panic!()
    };
    let keys = ScramKeys::derive(hash, "tanstaaf", *b"0123456789abcdef", 4096).unwrap();
    host.end.session.answer(token, Answer::Keys(Some(keys))).unwrap();
    host.run();
    let said = host.take_output();
    let challenge = base64::decode(said.trim_end().trim_start_matches("+ ").as_bytes()).unwrap();
    let Ok(ClientStep::Respond(proof)) = exchange.challenge_inline(challenge.expose()) else { panic!() };
    let last = host.send(&line(proof.expose()));
    assert!(last.starts_with("+ "), "{last}");
    shown(host.send(format!("{answer}\r\n").as_bytes()).as_bytes())
}

fn apop(table: &mut Table) {
    table.row("S-17", "APOP: 32 digits in lower case over a timestamp of its own; off by default");
    let digest = |timestamp: &str, password: &str| -> String {
        let hash = Md5::new().chain_update(timestamp).chain_update(password).finalize();
        hash.iter().map(|octet| format!("{octet:02x}")).collect()
    };
    let mut greeting = crate::support::Host::new({
        let mut config = crate::support::clear_text();
        config.apop = true;
        config
    });
    let greeting = greeting.take_output();
    let timestamp = &greeting[greeting.find('<').unwrap()..=greeting.find('>').unwrap()];
    let served = || with("APOP", |config| config.apop = true);
    let right = digest(timestamp, "tanstaaf");
    let malformed = "-ERR malformed authentication message⏎";
    table.server(served(), format!("APOP mrose {right}\r\n"), OPENED);
    table.server(served(), format!("APOP mrose {}\r\n", digest(timestamp, "wrong")), FAILED);
    table.server(served(), format!("APOP nobody {}\r\n", digest(timestamp, "")), FAILED);
    table.server(served(), format!("APOP mrose {}\r\n", right.to_uppercase()), malformed);
    table.server(served(), format!("APOP mrose {}\r\n", &right[1..]), malformed);
    table.server(served(), format!("APOP mrose {right}0\r\n"), malformed);
    table.server(served(), format!("APOP mrose {right} x\r\n"), "-ERR unexpected argument⏎");
    table.server(served(), b"APOP mrose\r\n", "-ERR missing argument⏎");
    table.server(served().logged_in(), format!("APOP mrose {right}\r\n"), NOT_NOW);
    table.server(fresh(), format!("APOP mrose {right}\r\n"), "-ERR unknown command⏎");
}
