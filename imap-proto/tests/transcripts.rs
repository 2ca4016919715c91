//! Runs `transcripts/*.txt` against the server. What the lines of a file mean, the README beside them says.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "reads the transcripts")]

mod host;

use bytes::Bytes;
use host::{Answers, clear_text};
use mailwright_core::testing::{Actor, Side, Transcript};
use mailwright_imap::server::{Server, TlsMode};
use mailwright_imap::types::{Address, BodyStructure, Envelope, OctetString, Part};
use mailwright_imap::value::Flag;

/// The message of the sample in RFC 3501 §8, whose text the RFC leaves out.
const MINUTES: &str = "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n\
    From: Terry Gray <gray@cac.washington.edu>\r\n\
    Subject: IMAP4rev1 WG mtg summary and minutes\r\n\
    To: imap@cac.washington.edu\r\n\
    cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n\
    Message-Id: <B27397-0100000@cac.washington.edu>\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n";

fn described() -> (Envelope, BodyStructure) {
    let text = |text: &'static str| Bytes::from_static(text.as_bytes());
    let address = |name: Option<&'static str>, mailbox, host| {
        let mut address = Address::default();
        address.name = name.map(text);
        address.mailbox = Some(text(mailbox));
        address.host = Some(text(host));
        address
    };
    let gray = address(Some("Terry Gray"), "gray", "cac.washington.edu");
    let mut envelope = Envelope::default();
    envelope.date = Some(text("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)"));
    envelope.subject = Some(text("IMAP4rev1 WG mtg summary and minutes"));
    envelope.from = vec![gray.clone()];
    envelope.sender = vec![gray.clone()];
    envelope.reply_to = vec![gray];
    envelope.to = vec![address(None, "imap", "cac.washington.edu")];
    envelope.cc = vec![
        address(None, "minutes", "CNRI.Reston.VA.US"),
        address(Some("John Klensin"), "KLENSIN", "MIT.EDU"),
    ];
    envelope.message_id = Some(text("<B27397-0100000@cac.washington.edu>"));
    let mut part = Part::default();
    part.media_type = text("TEXT");
    part.subtype = text("PLAIN");
    part.parameters = vec![(text("CHARSET"), text("US-ASCII"))];
    part.encoding = text("7BIT");
    part.octets = Some(3028);
    part.lines = Some(92);
    let mut structure = BodyStructure::default();
    structure.parts = vec![part];
    (envelope, structure)
}

fn octets(text: &str) -> OctetString {
    OctetString::new(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn server<'a>(options: impl Iterator<Item = &'a str>) -> (Server, Answers) {
    let mut config = clear_text();
    let mut answers = Answers::default();
    for option in options {
        match option.split_once(' ').unwrap_or((option, "")) {
            ("messages", count) => {
                for number in 1..=count.parse().unwrap() {
                    answers
                        .inbox()
                        .add(format!("Subject: {number}\r\n\r\nbody {number}\r\n").as_bytes(), &[]);
                }
            }
            ("seen", uid) => answers.inbox().set(uid.parse().unwrap(), &[Flag::Seen]),
            ("minutes", uid) => {
                let mut content = MINUTES.as_bytes().to_vec();
                content.resize(MINUTES.len() + 3028, b'x');
                let uid: u32 = uid.parse().unwrap();
                answers.inbox().messages.get_mut(&uid).unwrap().content = content;
                answers.inbox().set(uid, &[Flag::Seen]);
                answers.described = Some(described());
            }
            ("starttls", _) => {
                config.tls = TlsMode::StartTls;
                config.clear_text_without_tls = false;
            }
            ("id", _) => config.id = vec![(octets("name"), Some(octets("Cyrus"))), (octets("os"), None)],
            option => panic!("unknown option {option:?}"),
        }
    }
    (Server::new(config, [9; 32]), answers)
}

impl Actor<Server> for Answers {
    /// Something happens in INBOX, and is handed over.
    fn direct(&mut self, server: &mut Server, direction: &str) -> Result<(), String> {
        let mut words = direction.split(' ');
        match (words.next().unwrap(), words.next().map(|uid| uid.parse().unwrap())) {
            ("arrives", None) => {
                self.inbox().add(b"Subject: new\r\n\r\nnew\r\n", &[]);
            }
            ("goes", Some(uid)) => self.inbox().remove(uid),
            ("flags", Some(uid)) => {
                let flags: Vec<Flag> = words.map(|flag| Flag::new(flag).unwrap()).collect();
                self.inbox().set(uid, &flags);
            }
            _ => return Err(format!("unknown direction {direction:?}")),
        }
        self.update(server);
        Ok(())
    }
}

#[test]
fn the_transcripts_hold() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        count += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        let transcript = Transcript::parse(&text).unwrap();
        let (server, answers) = server(transcript.options());
        if let Err(mismatch) = transcript.run(Side::Server, server, answers) {
            panic!("{}: {mismatch}", path.display());
        }
    }
    assert!(count >= 15, "{count}");
}
