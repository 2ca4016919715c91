//! IMAP: the client session. In an input, `$` stands for what the client's tags begin with, and `#` for what
//! they begin with behind TLS.

use flate2::{Compress, Compression, FlushCompress};
use mailwright_core::session::Transport;
use mailwright_core::testing::laws;
use mailwright_imap::client::{Client, TlsMode};

use self::peer::clear_text;
use self::peer::commander::{Call, Commander, SEED, prefixes};
use crate::choice;
use crate::smtp::holds;

#[path = "../../imap-proto/tests/peer/mod.rs"]
mod peer;

/// Bounds of responses, small, so that they are come to.
const LINE: usize = 4096;

/// Everything that a host can do, in an order in which it can be done.
const CALLS: &[Call] = &[
    Call::StartTls,
    Call::Compress,
    Call::Authenticate,
    Call::Enable,
    Call::List,
    Call::Id,
    Call::Select,
    Call::Noop,
    Call::Fetch,
    Call::Search,
    Call::Store,
    Call::Append(6),
    Call::Content(b"abcdef"),
    Call::AppendTwo(3),
    Call::Content(b"abc"),
    Call::Content(b"def"),
    Call::Replace(3),
    Call::Content(b"ghi"),
    Call::Create,
    Call::Idle,
    Call::Done,
    Call::Unauthenticate,
    Call::Login,
    Call::Logout,
];

/// Calls that are all made before the input comes: whether a completion came before a later one would depend on
/// timing.
const BEGUN: [&[Call]; 8] = [
    &[Call::Select, Call::Noop, Call::Fetch, Call::Search, Call::Store],
    &[Call::Select, Call::Create],
    &[Call::Select, Call::Idle],
    &[Call::Select, Call::Append(6)],
    &[Call::Select, Call::Logout],
    &[Call::Select, Call::List, Call::Id, Call::Search],
    &[Call::Select, Call::AppendTwo(3)],
    &[Call::Select, Call::Replace(3)],
];

/// What a server announces that has most of it.
const GREETING: &[u8] = b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE ENABLE ID LIST-EXTENDED SPECIAL-USE MULTIAPPEND REPLACE UTF8=ACCEPT COMPRESS=DEFLATE UNAUTHENTICATE] x\r\n";

fn client(tls: TlsMode, calls: &[Call]) -> (Client, Commander) {
    let mut config = clear_text();
    config.tls = tls;
    let limits = &mut config.limits.response;
    (limits.line, limits.literal, limits.buffered) = (LINE, LINE, LINE);
    limits.discard = 1 << 20;
    (Client::new(config, SEED), Commander::new(calls))
}

/// Octets with the tags in place.
pub(crate) fn tagged(octets: &[u8]) -> Vec<u8> {
    let [plain, secure] = prefixes();
    let mut tagged = Vec::new();
    for &octet in octets {
        match octet {
            b'$' => tagged.extend_from_slice(plain.as_bytes()),
            b'#' => tagged.extend_from_slice(secure.as_bytes()),
            octet => tagged.push(octet),
        }
    }
    tagged
}

const WORDS: &[&str] = &[
    "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN IDLE LITERAL-] x\r\n",
    "* PREAUTH x\r\n",
    "* PREAUTH [CAPABILITY IMAP4rev1 IDLE ENABLE ID LIST-EXTENDED SPECIAL-USE MULTIAPPEND REPLACE UTF8=ACCEPT COMPRESS=DEFLATE UNAUTHENTICATE] x\r\n",
    "* ENABLED UTF8=ACCEPT QRESYNC UIDONLY\r\n",
    "$1 BAD x\r\n",
    "$2 NO [BADCHARSET] x\r\n",
    "* CAPABILITY IMAP4rev1 IDLE MOVE\r\n",
    "$1 OK x\r\n",
    "$2 OK x\r\n",
    "$3 NO [TRYCREATE] x\r\n",
    "$4 BAD x\r\n",
    "#1 OK x\r\n",
    "#2 OK x\r\n",
    "+ \r\n",
    "+ go\r\n",
    "* 3 EXISTS\r\n* 1 EXPUNGE\r\n",
    "* 1 FETCH (UID 7 BODY[] {5}\r\n",
    "* 1 FETCH (FLAGS (\\Seen))\r\n",
    "* SEARCH 1 2 3\r\n",
    "* SEARCH",
    "* LIST () \"/\" {5}\r\n",
    "* OK [COPYUID 1 1:9 2:10] x\r\n",
    "* BYE x\r\n",
    "hello",
    ")\r\n",
    "\r",
    "\n",
    "\0",
];

/// A client under any calls, with any octets from its server: law 7.
pub fn imap_client(data: &[u8]) {
    let (first, script) = choice(data);
    let tls = match first % 3 {
        0 => TlsMode::Off,
        1 => TlsMode::StartTls,
        _ => TlsMode::Implicit,
    };
    let calls = CALLS.get(usize::from(first / 3) % CALLS.len()..).unwrap_or_default();
    let mut bounds = laws::Bounds::default();
    bounds.output = 256 * 1024;
    let words: Vec<Vec<u8>> = WORDS.iter().map(|word| tagged(word.as_bytes())).collect();
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    holds(laws::calls(client(tls, calls), &words, script, &bounds));
}

/// A client whose commands are all in flight, with any responses, cut and not: law 1.
pub fn imap_client_cut(data: &[u8]) {
    let (first, input) = choice(data);
    let calls = BEGUN[usize::from(first) % BEGUN.len()];
    let input = tagged(input.get(..400).unwrap_or(input));
    let selected = tagged(b"$1 OK done\r\n");
    let stages: [&[u8]; 3] = [GREETING, &selected, &input];
    holds(laws::fragmentation(|| client(TlsMode::Off, calls), &stages, u64::from(first)));
}

/// A client behind COMPRESS, with octets of the wire as they are, or deflated, cut and not: law 1.
pub fn imap_client_compress(data: &[u8]) {
    let (first, input) = choice(data);
    let input = input.get(..400).unwrap_or(input);
    let input = if first % 4 == 0 { input.to_vec() } else { deflated(&tagged(input)) };
    let agreed = tagged(b"$1 OK x\r\n");
    let stages: [&[u8]; 3] = [GREETING, &agreed, &input];
    // What is said behind the agreement is all said before the input comes.
    let calls: &[Call] = if first % 2 == 0 {
        &[Call::Compress, Call::List, Call::Id, Call::Noop]
    } else {
        &[Call::Compress, Call::Unauthenticate]
    };
    let transport = || {
        let (client, commander) = client(TlsMode::Off, calls);
        (Transport::plain(client), commander)
    };
    holds(laws::fragmentation(transport, &stages, u64::from(first)));
}

/// Octets deflated, with a flush behind each line.
pub(crate) fn deflated(octets: &[u8]) -> Vec<u8> {
    let mut compress = Compress::new(Compression::fast(), false);
    let mut wire = Vec::new();
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        let mut piece = Vec::with_capacity(line.len() + 1024);
        if compress.compress_vec(line, &mut piece, FlushCompress::Sync).is_ok() {
            wire.extend(piece);
        }
    }
    wire
}
