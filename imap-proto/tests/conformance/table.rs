//! Rows: an input, what must come of it, and what came.

use core::time::Duration;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{Layer, LayerError, Session as _, TlsInfo, Upgraded};
use mailwright_core::testing::Cases;
use mailwright_core::value::{Flag, Instant, Tolerance};
use mailwright_imap::client::{Client, CommandId, Config, Event, Feature, SendError, TlsMode};
use mailwright_imap::parse::BodyItem;
use mailwright_imap::types::{Code, Command, FetchItem, ListResponse, OtherFlag, Response, StatusResponse};

use crate::peer::commander::SEED;
use crate::peer::{clear_text, mailbox};

/// All cases of a part of the table.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) cases: Cases,
}

impl Table {
    /// The cases that follow are of this row.
    pub(crate) fn row(&mut self, row: &'static str, required: &'static str) {
        self.cases.row(row, required);
    }

    /// A case of anything.
    pub(crate) fn case(&mut self, input: impl Into<String>, expected: &str, got: impl Into<String>) {
        self.cases.case(input, expected, got);
    }

    /// What a client makes of octets, in one piece and octet by octet.
    pub(crate) fn hears(&mut self, start: impl Fn() -> Asking, octets: impl AsRef<[u8]>, expected: &str) {
        let octets = octets.as_ref();
        let mut asking = start();
        let at_once = asking.hears(octets, usize::MAX);
        let by_octets = start().hears(octets, 1);
        let got =
            if at_once == by_octets { at_once } else { format!("{at_once}, but by octets {by_octets}") };
        self.case(asking.before + &shown(octets), expected, got);
    }

    /// The same of a selected client that tolerates what servers do, and of one that does not.
    pub(crate) fn both(&mut self, octets: impl AsRef<[u8]>, lenient: &str, strict: &str) {
        self.hears(selected, octets.as_ref(), lenient);
        self.hears(|| with("strict", strictly).selected(), octets, strict);
    }

    /// The value of an item of FETCH between two others, both ways; `(…)` is what surrounds it, if that is whole.
    pub(crate) fn item(&mut self, item: impl AsRef<[u8]>, lenient: &str, strict: &str) {
        let item = item.as_ref();
        let octets = [b"* 1 FETCH (UID 5 ", item, b" RFC822.SIZE 9)\r\n"].concat();
        for (option, expected) in [("", lenient), ("strict", strict)] {
            let start = || match option {
                "" => selected(),
                _ => with("strict", strictly).selected(),
            };
            let (at_once, by_octets) = (start().hears(&octets, usize::MAX), start().hears(&octets, 1));
            let inner = |got: &str| {
                let inside = got.strip_prefix("FETCH 1 (Uid(5) ");
                inside
                    .and_then(|inside| inside.strip_suffix(" Rfc822Size(Some(9)))"))
                    .unwrap_or(got)
                    .to_string()
            };
            let got = match at_once == by_octets {
                true => inner(&at_once),
                false => format!("{at_once}, but by octets {by_octets}"),
            };
            let option = if option.is_empty() { String::new() } else { format!("[{option}] ") };
            self.case(format!("{option}… {} …", shown(item)), expected, got);
        }
    }

    /// What a client writes at a call, or why it does not.
    pub(crate) fn call<T>(
        &mut self,
        mut asking: Asking,
        name: &str,
        call: impl FnOnce(&mut Client) -> Result<T, SendError>,
        expected: &str,
    ) {
        let got = asking.call(call);
        self.case(format!("call: {}{name}", asking.before), expected, got);
    }

    /// The same of a command.
    pub(crate) fn command(&mut self, asking: Asking, name: &str, command: Command, expected: &str) {
        self.call(asking, name, |client| client.command(command), expected);
    }
}

/// A client before an input.
pub(crate) struct Asking {
    pub(crate) client: Client,
    pub(crate) input: BytesMut,
    now: Instant,
    /// What all tags begin with, once one was seen.
    prefix: Option<String>,
    /// What it has said and heard, for the page.
    pub(crate) before: String,
}

pub(crate) fn strictly(config: &mut Config) {
    config.limits.response.tolerance = Tolerance::Strict;
}

/// A client that waits for the greeting, and may send passwords in clear text.
pub(crate) fn fresh() -> Asking {
    with("", |_| {})
}

/// The same with an option.
pub(crate) fn with(option: &str, set: impl FnOnce(&mut Config)) -> Asking {
    let mut config = clear_text();
    set(&mut config);
    let before = if option.is_empty() { "(new) ".into() } else { format!("[{option}] (new) ") };
    let client = Client::new(config, SEED);
    Asking { client, input: BytesMut::new(), now: Instant::ORIGIN, prefix: None, before }
}

/// A client that has greeted.
pub(crate) fn greeted(capabilities: &str) -> Asking {
    fresh().greeted(capabilities)
}

/// A client that is logged in; the next tag is `$1`.
pub(crate) fn logged_in(capabilities: &str) -> Asking {
    fresh().logged_in(capabilities)
}

/// A client with INBOX selected; the next tag is `$2`.
pub(crate) fn selected() -> Asking {
    fresh().selected()
}

/// The same of a server that announces something.
pub(crate) fn selected_with(capabilities: &str) -> Asking {
    fresh().announced(capabilities).select()
}

impl Asking {
    /// Behind a greeting.
    pub(crate) fn greeted(mut self, capabilities: &str) -> Self {
        self.hears(format!("* OK [CAPABILITY IMAP4rev1 {capabilities}] x\r\n").as_bytes(), usize::MAX);
        self.before = self.before.replace("(new) ", "(greeted) ");
        self.knows(capabilities);
        self
    }

    fn announced(mut self, capabilities: &str) -> Self {
        self.hears(format!("* PREAUTH [CAPABILITY IMAP4rev1 {capabilities}] x\r\n").as_bytes(), usize::MAX);
        self.before = self.before.replace("(new) ", "");
        self.knows(capabilities);
        self
    }

    fn knows(&mut self, capabilities: &str) {
        if !capabilities.is_empty() {
            self.before += &format!("({capabilities}) ");
        }
    }

    /// Logged in.
    pub(crate) fn logged_in(self, capabilities: &str) -> Self {
        let mut asking = self.announced(capabilities);
        asking.before += "(logged in) ";
        asking
    }

    fn select(mut self) -> Self {
        self.client.command(Command::Select(mailbox("INBOX").into())).unwrap();
        self.wrote();
        self.hears(b"$1 OK done\r\n", usize::MAX);
        self
    }

    /// With INBOX selected.
    pub(crate) fn selected(self) -> Self {
        self.announced("").select()
    }

    /// A command.
    pub(crate) fn says(self, command: Command) -> Self {
        self.does(|client| client.command(command).map(drop))
    }

    /// A call of the host.
    pub(crate) fn does<E: core::fmt::Debug>(
        mut self,
        call: impl FnOnce(&mut Client) -> Result<(), E>,
    ) -> Self {
        call(&mut self.client).unwrap();
        self.events();
        let said = shown(&self.wrote());
        if !said.is_empty() {
            self.before += &format!("(C: {said}) ");
        }
        self
    }

    /// The host ends IDLE.
    pub(crate) fn ends_idle(self) -> Self {
        let mut asking = self.does(Client::done);
        asking.before += "(done) ";
        asking
    }

    /// What the server has said before.
    pub(crate) fn after(mut self, octets: &str) -> Self {
        self.hears(octets.as_bytes(), usize::MAX);
        self.before += &format!("(S: {}) ", shown(octets.as_bytes()));
        self
    }

    /// Behind a handshake.
    pub(crate) fn in_tls(mut self) -> Self {
        self.prefix = None;
        self.client.handle_upgrade(Upgraded::Tls(TlsInfo::default()), self.now);
        self.events();
        self.before += "(TLS) ";
        self
    }

    /// With a layer in name only.
    pub(crate) fn deflated(mut self) -> Self {
        self.client.handle_upgrade(Upgraded::Deflate, self.now);
        self.events();
        self.before += "(DEFLATE) ";
        self
    }

    /// What comes of octets in pieces of `size`: events, and what is written.
    pub(crate) fn hears(&mut self, octets: &[u8], size: usize) -> String {
        let tagged = self.tagged(octets);
        let mut events = Vec::new();
        for piece in tagged.chunks(size) {
            self.input.extend_from_slice(piece);
            events.extend(self.events());
        }
        self.outcome(&events)
    }

    /// The server leaves.
    pub(crate) fn leaves(mut self) -> String {
        self.client.handle_eof(self.now);
        let events = self.events();
        self.outcome(&events)
    }

    /// What is offered at the end of a command, if something is.
    pub(crate) fn offered(&mut self, octets: &str) -> Option<(Feature, Option<Box<Command>>)> {
        let tagged = self.tagged(octets.as_bytes());
        self.input.extend_from_slice(&tagged);
        self.events().into_iter().find_map(|event| match event {
            Event::Broken { feature, retry, .. } => Some((feature, retry)),
            _ => None,
        })
    }

    /// A layer fails.
    pub(crate) fn fails(mut self) -> String {
        self.client.handle_upgrade(Upgraded::Failed(LayerError::Tls("no".into())), self.now);
        let events = self.events();
        self.outcome(&events)
    }

    /// Time passes.
    pub(crate) fn waits(&mut self, seconds: u64) -> String {
        self.client.handle_timeout(self.now);
        self.now = self.now + Duration::from_secs(seconds);
        self.client.handle_timeout(self.now);
        let events = self.events();
        self.outcome(&events)
    }

    /// What comes of a call.
    pub(crate) fn call<T>(&mut self, call: impl FnOnce(&mut Client) -> Result<T, SendError>) -> String {
        match call(&mut self.client) {
            Ok(_) => {
                let events = self.events();
                self.outcome(&events)
            }
            Err(SendError::Misuse(misuse)) => format!("{misuse:?}"),
            Err(error) => format!("{error:?}"),
        }
    }

    fn outcome(&mut self, events: &[Event]) -> String {
        let mut outcome = words(events);
        let sent = self.wrote();
        if !sent.is_empty() {
            outcome.push(format!("C: {}", shown(&sent)));
        }
        outcome.extend(self.client.wants().upgrade.map(|layer| match layer {
            Layer::Tls => "wants TLS".to_string(),
            layer => format!("wants {layer:?}"),
        }));
        let outcome = short(&outcome.join("; "));
        match &self.prefix {
            Some(prefix) => outcome.replace(prefix, "$"),
            None => outcome,
        }
    }

    fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let before = self.input.len();
            self.client.handle_input(&mut self.input, self.now);
            let count = events.len();
            events.extend(core::iter::from_fn(|| self.client.poll_event()));
            if before == self.input.len() && count == events.len() {
                return events;
            }
        }
    }

    /// What the client wrote, with `$` for what its tags begin with.
    pub(crate) fn wrote(&mut self) -> Vec<u8> {
        let mut sent = Vec::new();
        while self.client.transmit().has_remaining() {
            let chunk = self.client.transmit().chunk().to_vec();
            self.client.transmit().advance(chunk.len());
            sent.extend_from_slice(&chunk);
        }
        if self.prefix.is_none() && sent.len() > 6 {
            self.prefix = Some(String::from_utf8(sent[..6].to_vec()).unwrap());
        }
        let Some(prefix) = &self.prefix else { return sent };
        replaced(&sent, prefix.as_bytes(), b"$")
    }

    /// Octets with the tags of lines in place.
    fn tagged(&self, octets: &[u8]) -> Vec<u8> {
        let Some(prefix) = &self.prefix else { return octets.to_vec() };
        let mut tagged = Vec::new();
        for (index, octet) in octets.iter().enumerate() {
            let is_first = index == 0 || octets[index - 1] == b'\n';
            match octet {
                b'$' if is_first => tagged.extend_from_slice(prefix.as_bytes()),
                octet => tagged.push(*octet),
            }
        }
        tagged
    }
}

fn replaced(octets: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = octets;
    while let Some(at) = memchr::memmem::find(rest, from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Events in words: what comes in pieces as one.
pub(crate) fn words(events: &[Event]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    // Of a response that is in pieces, if one is.
    let mut open: Option<Vec<String>> = None;
    let mut body: Option<(String, Vec<u8>)> = None;
    for event in events {
        let word = match event {
            Event::FetchBegin { number, .. } => {
                open = Some(vec![format!("FETCH {number}")]);
                continue;
            }
            Event::UidFetchBegin { uid, .. } => {
                open = Some(vec![format!("UIDFETCH {uid}")]);
                continue;
            }
            Event::SearchBegin { .. } | Event::SortBegin { .. } | Event::ThreadBegin { .. } => {
                open = Some(vec![format!("{event:?}").split("Begin").next().unwrap().to_uppercase()]);
                continue;
            }
            Event::VanishedBegin { earlier, .. } => {
                open = Some(vec![if *earlier { "VANISHED EARLIER" } else { "VANISHED" }.into()]);
                continue;
            }
            Event::ExtendedSearchBegin { search, .. } => {
                let uid = if search.uid { " UID" } else { "" };
                let mailbox = search.mailbox.as_ref().map(|mailbox| format!(" in {mailbox:?}"));
                open = Some(vec![format!("ESEARCH{uid}{}", mailbox.unwrap_or_default())]);
                continue;
            }
            Event::FetchEnd
            | Event::SearchEnd
            | Event::ThreadEnd
            | Event::VanishedEnd
            | Event::ExtendedSearchEnd => {
                let mut parts = open.take().unwrap_or_default();
                let first = if parts.is_empty() { String::new() } else { parts.remove(0) };
                words.push(format!("{first} ({})", parts.join(" ")));
                continue;
            }
            Event::Closed(_) => {
                words.extend(unfinished(open.take(), body.take()));
                words.push(whole(event));
                continue;
            }
            Event::BodyBegin { item, length } => {
                body = Some((format!("{} {length}", body_item(item)), Vec::new()));
                continue;
            }
            Event::BodyChunk(octets) => {
                if let Some((_, content)) = &mut body {
                    content.extend_from_slice(octets);
                }
                continue;
            }
            Event::BodyEnd => {
                let Some((item, content)) = body.take() else { continue };
                format!("{item} “{}”", shown(&content))
            }
            Event::FetchItem(item) => fetch_item(item),
            Event::SearchNumber(number) => number.to_string(),
            Event::SearchModSeq(value) => format!("MODSEQ {value}"),
            Event::ThreadMember(member) => {
                let number = member.number.map_or("-".into(), |number| number.to_string());
                format!("{number}@{}", member.depth)
            }
            Event::Vanished(range) => range.to_string(),
            Event::SearchData(data) => format!("{data:?}"),
            Event::SearchList(list) => format!("{list:?}"),
            Event::SearchElement(element) => format!("{element:?}"),
            event => whole(event),
        };
        match &mut open {
            Some(parts) => parts.push(word),
            None => words.push(word),
        }
    }
    words.extend(unfinished(open, body));
    words
}

/// A response in pieces that is not complete.
fn unfinished(open: Option<Vec<String>>, body: Option<(String, Vec<u8>)>) -> Option<String> {
    let mut parts = open?;
    parts.extend(body.map(|(item, content)| format!("{item} “{}", shown(&content))));
    Some(parts.join(" ") + "…")
}

/// Those that are complete in themselves.
fn whole(event: &Event) -> String {
    match event {
        Event::Greeting(status) => format!("greeting {}", status_words(status)),
        Event::Response { response, .. } => response_words(response),
        Event::Completed { status, id } => format!("{} {}", number(*id), status_words(status)),
        Event::Invalid(invalid) => format!("!{} at {}", invalid.error.kind, invalid.error.offset),
        Event::Deviation(deviation) => format!("~{} at {}", deviation.kind, deviation.offset),
        Event::ContentWanted { octets, .. } => format!("wants {octets} octets"),
        Event::Idling { .. } => "idling".into(),
        Event::Secured(_) => "secured".into(),
        Event::Cancelled { error, .. } => format!("cancelled: {error}"),
        Event::Broken { feature, retry, .. } => format!("broken {feature:?}, retry {retry:?}"),
        Event::Closed(reason) => format!("closed: {reason}"),
        event => format!("{event:?}").to_lowercase(),
    }
}

/// `CommandId(2)` as `#2`.
fn number(id: CommandId) -> String {
    format!("{id:?}").replace("CommandId(", "#").replace(')', "")
}

fn status_words(status: &StatusResponse) -> String {
    let code = status.code.as_ref().map(code_words).unwrap_or_default();
    let text = shown(&status.text);
    format!(
        "{}{code}{}{text}",
        format!("{:?}", status.kind).to_uppercase(),
        if text.is_empty() { "" } else { " " }
    )
}

fn code_words(code: &Code) -> String {
    format!(" [{code:?}]")
}

fn response_words(response: &Response) -> String {
    match response {
        Response::Status { status, .. } => status_words(status),
        Response::Exists(number) => format!("{number} EXISTS"),
        Response::Flags { flags, other, .. } => format!("FLAGS {}", flag_words(flags, other)),
        Response::Expunge(number) => format!("{number} EXPUNGE"),
        Response::Continue(text) => format!("+ {}", shown(text)),
        Response::Capability(names) => {
            let names: Vec<&str> = names.iter().map(mailwright_imap::types::Capability::as_str).collect();
            format!("CAPABILITY {}", names.join(" "))
        }
        Response::List(list) => format!("LIST {}", list_words(list)),
        Response::Lsub(list) => format!("LSUB {}", list_words(list)),
        response => format!("{response:?}"),
    }
}

fn list_words(list: &ListResponse) -> String {
    let separator = list.separator.map_or("NIL".to_string(), |octet| char::from(octet).to_string());
    let ListResponse { attributes, mailbox, extended, .. } = list;
    let extended = if extended.is_empty() { String::new() } else { format!(" {extended:?}") };
    format!("{attributes:?} {separator} {mailbox:?}{extended}")
}

fn fetch_item(item: &FetchItem) -> String {
    match item {
        FetchItem::Uid(uid) => format!("Uid({uid})"),
        FetchItem::Flags { flags, recent, other, .. } => {
            let recent = if *recent { " and \\Recent" } else { "" };
            format!("FLAGS {}{recent}", flag_words(flags, other))
        }
        FetchItem::Invalid { name, value } => format!("Invalid({} {})", shown(name), shown(value)),
        FetchItem::Unknown { name, value } => format!("Unknown({} {})", shown(name), shown(value)),
        item => format!("{item:?}"),
    }
}

fn flag_words(flags: &[Flag], other: &[OtherFlag]) -> String {
    let flags: Vec<&str> = flags.iter().map(Flag::as_str).collect();
    let other = if other.is_empty() { String::new() } else { format!(" and {other:?}") };
    format!("({}){other}", flags.join(" "))
}

fn body_item(item: &BodyItem) -> String {
    match item {
        BodyItem::Section { section, origin } => {
            let part: Vec<String> = section.part.iter().map(ToString::to_string).collect();
            let text = section.text.as_ref().map(|text| format!("{text:?}")).unwrap_or_default();
            let origin = origin.map(|origin| format!("<{origin}>")).unwrap_or_default();
            format!("BODY[{}{text}]{origin}", part.join("."))
        }
        item => format!("{item:?}"),
    }
}

/// Octets for the page: CR LF as a sign, controls escaped.
pub(crate) fn shown(octets: &[u8]) -> String {
    let mut text = String::new();
    for chunk in octets.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\'' | '\\' => text.push(character),
                character if character.is_ascii() => text.extend(character.escape_debug()),
                character => text.push(character),
            }
        }
        for octet in chunk.invalid() {
            text += &format!("\\x{octet:02x}");
        }
    }
    short(&text.replace("\\r\\n", "⏎"))
}

/// The same without long runs.
fn short(text: &str) -> String {
    // A long run says nothing more than its length.
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run = rest.chars().take_while(|character| *character == first).count();
        if run > 20 {
            out += &format!("{first}…{first} ({run} times)");
            rest = &rest[run * first.len_utf8()..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// A configuration with TLS.
pub(crate) fn tls(mode: TlsMode) -> impl FnOnce(&mut Config) {
    move |config| config.tls = mode
}
