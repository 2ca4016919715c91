//! `imap-tour HOST:PORT USER`: a tour of the tasks of the IMAP client, at a server that allows passwords without TLS. The
//! password is in `TOUR_PASSWORD`.
//!
//! Works in a mailbox of its own, and prints a line for each stage: `ok NAME`, or `without NAME` if the server does not
//! announce what it needs. The first thing that is not as it must be ends it.

use core::error::Error;
use core::fmt::Display;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::process::ExitCode;

use bytes::BytesMut;
use mailwright_core::io::Step;
use mailwright_core::io::blocking::Connection;
use mailwright_core::session::Task;
use mailwright_core::value::{Flag, MailboxName, ModSeq, Uid, UidSet, UidValidity};
use mailwright_imap::client::tasks::{
    Acl, Append, AppendPart, Change, Compress, Copy, Expunge, Fetch, Id, List, Login, Logout, Manage,
    MessageData, Metadata, Move, MyRights, Namespace, Picture, Quota, Returning, Search, Select, Sort, Store,
    Sync, Thread, Unauthenticate, Way,
};
use mailwright_imap::client::{Client, Config, Event};
use mailwright_imap::types::{
    AppendCommand, AppendMessage, Command, EventGroup, FetchAttribute, FetchItem, GetMetadataCommand,
    ListReturn, Mailbox, MailboxFilter, Messages, MetadataEntry, NotifyCommand, NotifyEvent, NumberEnd,
    NumberSet, OctetString, ReplaceCommand, Response, Search as Keys, SearchCommand, SearchData, SearchKey,
    SearchReturn, Section, SetMetadataCommand, SortCommand, SortCriterion, SortKey, StoreAction,
    ThreadAlgorithm, ThreadCommand,
};
use mailwright_sasl::Credentials;

type Tour<T = ()> = Result<T, Box<dyn Error>>;

const BOX: &str = "Tour";
const ONE: &[u8] = b"From: a@example.org\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <1@tour>\r\n\
    Subject: beta\r\n\r\nfirst\r\n";
const TWO: &[u8] = b"From: b@example.org\r\nDate: Tue, 2 Jan 2024 10:00:00 +0000\r\nMessage-ID: <2@tour>\r\n\
    References: <1@tour>\r\nSubject: Re: beta\r\n\r\nsecond\r\n";
const THREE: &[u8] =
    b"From: c@example.org\r\nDate: Sun, 31 Dec 2023 10:00:00 +0000\r\nMessage-ID: <3@tour>\r\n\
    Subject: alpha\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ0K\r\n";

fn main() -> ExitCode {
    match tour() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "imap-tour: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tour() -> Tour {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(user)) = (arguments.next(), arguments.next()) else {
        return Err("usage: imap-tour HOST:PORT USER".into());
    };
    let password = std::env::var("TOUR_PASSWORD")?;
    let mut session = Session::open(&address, &user, &password)?;
    session.mailboxes()?;
    session.appending()?;
    session.searching()?;
    session.changing()?;
    session.moving()?;
    session.annotating()?;
    session.limits_and_rights()?;
    session.keeping_in_step(&address, &user, &password)?;
    session.watching(&address, &user, &password)?;
    session.compressing()?;
    session.leaving(&user, &password)
}

/// A session that is logged in.
struct Session {
    connection: Connection<TcpStream, Client>,
}

fn name(text: &str) -> Tour<Mailbox> {
    Ok(Mailbox::Name(MailboxName::new(text)?))
}

fn string(text: &str) -> Tour<OctetString> {
    Ok(OctetString::new(text.as_bytes().to_vec())?)
}

fn uids(text: &str) -> Tour<Messages> {
    Ok(Messages::Uids(NumberSet::parse(text.as_bytes(), usize::MAX)?))
}

fn all() -> Tour<Keys> {
    Ok(Keys::new([SearchKey::All])?)
}

fn say(word: &str, what: impl Display) -> Tour {
    Ok(writeln!(io::stdout(), "{word} {what}")?)
}

fn must(holds: bool, what: impl Display) -> Tour {
    if holds { Ok(()) } else { Err(what.to_string().into()) }
}

impl Session {
    fn open(address: &str, user: &str, password: &str) -> Tour<Self> {
        let mut config = Config::default();
        config.sasl.clear_text_without_tls = true;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        // With TLS it would be `Transport::tls_ready`; DEFLATE is there when it is asked for.
        let connection = Connection::new(stream, Client::new(config, seed));
        let mut session = Self { connection };
        session.run(Login::new(Credentials::password(user, password)?))?;
        Ok(session)
    }

    fn run<T>(&mut self, task: T) -> Tour<T::Output>
    where
        T: Task<Client>,
        T::Error: Error + 'static,
    {
        Ok(self.gather(task)?.1)
    }

    /// Runs a task and gathers its items.
    fn gather<T>(&mut self, task: T) -> Tour<(Vec<T::Item>, T::Output)>
    where
        T: Task<Client>,
        T::Error: Error + 'static,
    {
        let mut running = self.connection.begin(task);
        let mut items = Vec::new();
        loop {
            let step = running.step();
            // What nobody has asked for.
            while running.queued_event().is_some() {}
            match step {
                Ok(Step::Item(item)) => items.push(item),
                Ok(Step::Done(output)) => return Ok((items, output)),
                Err(error) => return Err(error.to_string().into()),
            }
        }
    }

    /// Whether the server announces it; if not, that is said.
    fn has(&self, name: &str) -> Tour<bool> {
        let client = self.connection.session();
        let included = ["NAMESPACE", "UIDPLUS", "MOVE", "ESEARCH", "SEARCHRES", "LIST-EXTENDED", "BINARY"];
        let has = client.has(name) || included.contains(&name) && client.has("IMAP4rev2");
        if !has {
            say("without", name)?;
        }
        Ok(has)
    }

    /// Whole messages by UID.
    fn contents(&mut self, messages: Messages, attribute: FetchAttribute) -> Tour<BTreeMap<u32, Vec<u8>>> {
        let mut contents = BTreeMap::new();
        let (mut uid, mut octets) = (0, Vec::new());
        for data in self.gather(Fetch::new(messages, [FetchAttribute::Uid, attribute]))?.0 {
            match data {
                MessageData::Begin { .. } => (uid, octets) = (0, Vec::new()),
                MessageData::Item(FetchItem::Uid(own)) => uid = own.get(),
                MessageData::Chunk(chunk) => octets.extend_from_slice(&chunk),
                MessageData::End => drop(contents.insert(uid, core::mem::take(&mut octets))),
                _ => {}
            }
        }
        Ok(contents)
    }

    fn mailboxes(&mut self) -> Tour {
        if self.has("NAMESPACE")? {
            must(self.run(Namespace::new())?.is_some(), "no namespaces")?;
            say("ok", "NAMESPACE")?;
        }
        if self.has("ID")? {
            must(self.run(Id::new(vec![(string("name")?, Some(string("tour")?))]))?.is_some(), "no ID")?;
            say("ok", "ID")?;
        }
        self.run(Manage::create(name(BOX)?))?;
        self.run(Manage::subscribe(name(BOX)?))?;
        let mut list = List::new(string("")?, string("*")?);
        if self.has("LIST-EXTENDED")? {
            list = list.extended([], [ListReturn::Subscribed, ListReturn::Children]);
        }
        let listed = self.gather(list)?.0;
        must(
            listed.iter().any(|one| one.mailbox == name(BOX).unwrap_or_else(|_| one.mailbox.clone())),
            "not listed",
        )?;
        if self.has("SPECIAL-USE")? {
            let list = List::new(string("")?, string("*")?).extended([], [ListReturn::SpecialUse]);
            self.gather(list)?;
            say("ok", "SPECIAL-USE")?;
        }
        say("ok", "mailboxes")
    }

    fn appending(&mut self) -> Tour {
        let command = || Ok::<_, Box<dyn Error>>(AppendCommand::new(name(BOX)?));
        self.run(Append::new(command()?, ONE))?;
        if self.has("MULTIAPPEND")? {
            let task = Append::new(command()?, TWO).and(AppendMessage::default(), THREE);
            let appended = self.run(task)?;
            must(appended.uids.iter().map(|range| range.count()).sum::<u32>() == 2, "not two UIDs")?;
            say("ok", "MULTIAPPEND")?;
        } else {
            self.run(Append::new(command()?, TWO))?;
            self.run(Append::new(command()?, THREE))?;
        }
        let facts = self.run(Select::new(name(BOX)?))?;
        must(facts.exists == Some(3), "not three messages")?;
        let whole = || FetchAttribute::BodySection { peek: true, section: Section::whole(), partial: None };
        let contents = self.contents(uids("1:*")?, whole())?;
        must(contents.values().map(Vec::as_slice).eq([ONE, TWO, THREE]), "messages are not as they were")?;
        if self.has("CATENATE")? {
            let validity = facts.uid_validity.map_or(0, UidValidity::get);
            let url = |section: &str| string(&format!("/{BOX};UIDVALIDITY={validity}/;UID=1{section}"));
            let parts = [
                AppendPart::Url(url("/;SECTION=HEADER")?),
                AppendPart::Octets(b"put together\r\n"[..].into()),
            ];
            let appended = self.run(Append::parts(command()?, parts))?;
            let uid = appended.uid.ok_or("no UID")?.1;
            let contents = self.contents(uids(&uid.to_string())?, whole())?;
            let header = ONE.len() - b"first\r\n".len();
            let expected = [ONE.get(..header).unwrap_or_default(), b"put together\r\n"].concat();
            must(contents.get(&uid.get()) == Some(&expected), "it was put together in another way")?;
            self.run(Store::new(uids(&uid.to_string())?, StoreAction::Add, [Flag::Deleted]).silent())?;
            self.run(Expunge::all())?;
            say("ok", "CATENATE")?;
        }
        if self.has("BINARY")? {
            let first = core::num::NonZeroU32::MIN;
            let part = FetchAttribute::Binary { peek: true, part: vec![first], partial: None };
            let contents = self.contents(uids("3")?, part)?;
            must(contents.get(&3).map(Vec::as_slice) == Some("Grüße\r\n".as_bytes()), "not decoded")?;
            say("ok", "BINARY")?;
        }
        say("ok", "messages")
    }

    fn searching(&mut self) -> Tour {
        let found = self.run(Search::uids(Keys::new([SearchKey::Subject(string("beta")?)])?))?;
        must(found == [1, 2], "another search")?;
        if self.has("SORT")? {
            let sort = |key, reverse| {
                let criteria = vec![SortCriterion { reverse, key }];
                Ok::<_, Box<dyn Error>>(Sort::new(SortCommand::new(true, criteria, string("UTF-8")?, all()?)))
            };
            must(self.run(sort(SortKey::Date, false)?)? == [3, 1, 2], "another order of dates")?;
            must(self.run(sort(SortKey::Subject, false)?)? == [3, 1, 2], "another order of subjects")?;
            must(self.run(sort(SortKey::From, true)?)? == [3, 2, 1], "another order of senders")?;
            say("ok", "SORT")?;
        }
        if self.has("THREAD=REFERENCES")? {
            let references = ThreadAlgorithm::References;
            let thread = Thread::new(ThreadCommand::new(true, references, string("UTF-8")?, all()?));
            let threads = self.run(thread)?;
            let depths: BTreeMap<u32, u32> =
                threads.members().filter_map(|member| Some((member.number?.get(), member.depth))).collect();
            must(depths == BTreeMap::from([(1, 0), (2, 1), (3, 0)]), "other threads")?;
            say("ok", "THREAD=REFERENCES")?;
        }
        if self.has("ESEARCH")? {
            let mut search = SearchCommand::new(true, all()?);
            search.returns = Some(vec![SearchReturn::Max, SearchReturn::Count, SearchReturn::All]);
            let found = self.run(Returning::search(search))?;
            let data = found.first().map(|found| found.data.as_slice()).unwrap_or_default();
            must(data.contains(&SearchData::Count(3)) && data.len() == 3, "another result")?;
            say("ok", "ESEARCH")?;
        }
        if self.has("SEARCHRES")? {
            let mut search = SearchCommand::new(true, Keys::new([SearchKey::Subject(string("alpha")?)])?);
            search.returns = Some(vec![SearchReturn::Save]);
            must(self.run(Returning::search(search))?.is_empty(), "SAVE alone tells nothing")?;
            let whole = FetchAttribute::BodySection { peek: true, section: Section::whole(), partial: None };
            let contents = self.contents(Messages::Uids(NumberSet::saved()), whole)?;
            must(contents.keys().eq([&3]), "$ is another message")?;
            say("ok", "SEARCHRES")?;
        }
        say("ok", "searches")
    }

    fn changing(&mut self) -> Tour {
        self.run(Store::new(uids("1")?, StoreAction::Add, [Flag::Seen]))?;
        if self.has("CONDSTORE")? {
            let since = ModSeq::new(1).ok_or("no modification sequence")?;
            let store = Store::new(uids("1")?, StoreAction::Add, [Flag::Flagged]).unchanged_since(since);
            must(!self.run(store)?.modified.is_empty(), "it was changed though it had changed")?;
            say("ok", "CONDSTORE")?;
        }
        if self.has("REPLACE")? {
            let number = NumberEnd::Number(core::num::NonZeroU32::new(3).ok_or("no number")?);
            let replace = ReplaceCommand::new(true, number, AppendCommand::new(name(BOX)?));
            let appended = self.run(Append::in_place_of(replace, THREE))?;
            must(appended.uid.is_some(), "no UID")?;
            say("ok", "REPLACE")?;
        }
        say("ok", "flags")
    }

    fn moving(&mut self) -> Tour {
        let other = || name("Elsewhere");
        self.run(Manage::create(other()?))?;
        let copied = self.run(Copy::new(uids("1:2")?, other()?))?;
        if self.has("UIDPLUS")? {
            must(copied.uids().count() == 2, "not two copies")?;
            say("ok", "UIDPLUS")?;
        }
        if self.has("MOVE")? {
            let (gone, moved) = self.gather(Move::new(uids("2")?, other()?))?;
            must(gone.len() == 1 && moved.uids().count() == 1, "not moved")?;
            say("ok", "MOVE")?;
        }
        self.run(Manage::delete(other()?))?;
        say("ok", "copies")
    }

    fn annotating(&mut self) -> Tour {
        if !self.has("METADATA")? {
            return Ok(());
        }
        let entry = || Ok::<_, Box<dyn Error>>(MetadataEntry::new("/private/comment")?);
        let value = |text: &'static str| Some(bytes::Bytes::from_static(text.as_bytes()));
        let set = |to| Ok::<_, Box<dyn Error>>(SetMetadataCommand::new(name(BOX)?, vec![(entry()?, to)]));
        self.run(Manage::set_metadata(set(value("a comment"))?))?;
        let get = || Ok::<_, Box<dyn Error>>(GetMetadataCommand::new(name(BOX)?, vec![entry()?]));
        let found = self.run(Metadata::new(get()?))?;
        must(format!("{found:?}").contains("a comment"), "another comment")?;
        self.run(Manage::set_metadata(set(None)?))?;
        let found = self.run(Metadata::new(get()?))?;
        must(!format!("{found:?}").contains("a comment"), "it is still there")?;
        say("ok", "METADATA")
    }

    fn limits_and_rights(&mut self) -> Tour {
        if self.has("QUOTA")? {
            must(!self.run(Quota::of_mailbox(name("INBOX")?))?.is_empty(), "no quota")?;
            say("ok", "QUOTA")?;
        }
        if self.has("ACL")? {
            must(self.run(MyRights::new(name(BOX)?))?.is_some_and(|rights| rights.has(b'r')), "no right")?;
            must(self.run(Acl::new(name(BOX)?))?.is_some(), "no list of rights")?;
            say("ok", "ACL")?;
        }
        Ok(())
    }

    /// What another session does arrives in a picture, by each way that the server has.
    fn keeping_in_step(&mut self, address: &str, user: &str, password: &str) -> Tour {
        for (way, best) in [("UIDs", Way::Uids), ("CONDSTORE", Way::Condstore), ("QRESYNC", Way::Qresync)] {
            if best != Way::Uids && !self.has(way)? {
                continue;
            }
            let mut other = Self::open(address, user, password)?;
            other.run(Select::new(name(BOX)?))?;
            let mut ours = Self::open(address, user, password)?;
            let mut copy = Kept::default();
            must(ours.sync(&mut copy, best)?.is_some(), "nothing was told")?;
            other.run(Append::new(AppendCommand::new(name(BOX)?), TWO))?;
            other.run(Store::new(uids("1")?, StoreAction::Add, [Flag::Answered]))?;
            let last = copy.messages.keys().last().copied().ok_or("nothing is known")?;
            other.run(Store::new(uids(&last.to_string())?, StoreAction::Add, [Flag::Deleted]))?;
            other.run(Expunge::all())?;
            // QRESYNC is enabled before a mailbox is selected.
            let mut ours = Self::open(address, user, password)?;
            let used = ours.sync(&mut copy, best)?;
            must(used == Some(best), format_args!("{way}: by {used:?}"))?;
            must(copy.messages == other.flags()?, format_args!("{way}: another picture"))?;
            other.run(Store::new(uids("1")?, StoreAction::Remove, [Flag::Answered]))?;
            say("ok", format_args!("in step by {way}"))?;
        }
        Ok(())
    }

    /// Brings a copy up to date, and says how.
    fn sync(&mut self, copy: &mut Kept, best: Way) -> Tour<Option<Way>> {
        let mut picture = Picture::default();
        picture.checkpoint = copy.checkpoint;
        picture.uids = copy.messages.keys().filter_map(|uid| Uid::new(*uid)).collect::<UidSet>();
        let (changes, synced) = self.gather(Sync::new(name(BOX)?, picture).at_best(best))?;
        for change in changes {
            match change {
                Change::Reset { .. } => *copy = Kept::default(),
                Change::Expunged(range) => {
                    copy.messages.retain(|uid, _| Uid::new(*uid).is_none_or(|uid| !range.contains(uid)))
                }
                Change::Flags { uid, flags, .. } => drop(copy.messages.insert(uid.get(), words(&flags))),
                Change::New(message) => {
                    copy.messages.insert(message.uid.get(), words(&message.flags.unwrap_or_default()));
                }
                Change::Checkpoint(checkpoint) => copy.checkpoint = Some(checkpoint),
                _ => {}
            }
        }
        must(synced.unlisted == 0, "something is not shown")?;
        Ok(Some(synced.way))
    }

    /// The flags of all messages.
    fn flags(&mut self) -> Tour<BTreeMap<u32, BTreeSet<String>>> {
        let mut found = BTreeMap::new();
        let (mut uid, mut flags) = (0, BTreeSet::new());
        for data in self.gather(Fetch::new(uids("1:*")?, [FetchAttribute::Uid, FetchAttribute::Flags]))?.0 {
            match data {
                MessageData::Item(FetchItem::Uid(own)) => uid = own.get(),
                MessageData::Item(FetchItem::Flags { flags: own, .. }) => flags = words(&own),
                MessageData::End => drop(found.insert(uid, core::mem::take(&mut flags))),
                _ => {}
            }
        }
        Ok(found)
    }

    fn watching(&mut self, address: &str, user: &str, password: &str) -> Tour {
        if !self.has("NOTIFY")? {
            return Ok(());
        }
        self.run(Manage::unselect())?;
        let events = vec![NotifyEvent::MessageNew(Vec::new()), NotifyEvent::MessageExpunge];
        let groups = vec![EventGroup { mailboxes: MailboxFilter::Personal, events }];
        self.run(Manage::notify(NotifyCommand::Set { status: false, groups }))?;
        let mut other = Self::open(address, user, password)?;
        other.run(Append::new(AppendCommand::new(name(BOX)?), ONE))?;
        loop {
            match self.connection.next_event()? {
                Some(Event::Response { response: Response::MailboxStatus { mailbox, .. }, .. }) => {
                    must(mailbox == name(BOX)?, "another mailbox has changed")?;
                    break;
                }
                Some(Event::Closed(reason)) => return Err(reason.to_string().into()),
                Some(_) => {}
                None => return Err("the connection is closed".into()),
            }
        }
        self.run(Manage::notify(NotifyCommand::None))?;
        self.run(Select::new(name(BOX)?))?;
        say("ok", "NOTIFY")
    }

    fn compressing(&mut self) -> Tour {
        if !self.has("COMPRESS=DEFLATE")? {
            return Ok(());
        }
        self.run(Compress::new())?;
        must(self.connection.session().is_compressed(), "not compressed")?;
        // Much that compresses well, in both directions.
        let mut long = BytesMut::from(ONE);
        (0..20_000).for_each(|number: u32| long.extend_from_slice(format!("line {number}\r\n").as_bytes()));
        let appended = self.run(Append::new(AppendCommand::new(name(BOX)?), long.clone().freeze()))?;
        let uid = appended.uid.ok_or("no UID")?.1;
        let whole = FetchAttribute::BodySection { peek: true, section: Section::whole(), partial: None };
        let contents = self.contents(uids(&uid.to_string())?, whole)?;
        must(contents.get(&uid.get()).is_some_and(|content| *content == long), "it came back as another")?;
        say("ok", "COMPRESS=DEFLATE")
    }

    fn leaving(mut self, user: &str, password: &str) -> Tour {
        self.run(Manage::close())?;
        self.run(Manage::delete(name(BOX)?))?;
        if self.has("UNAUTHENTICATE")? {
            self.run(Unauthenticate::new())?;
            self.run(Login::new(Credentials::password(user, password)?))?;
            self.connection.session_mut().command(Command::Noop)?;
            say("ok", "UNAUTHENTICATE")?;
        }
        self.run(Logout::new())?;
        say("ok", "LOGOUT")
    }
}

/// A copy of a mailbox: its flags.
#[derive(Default)]
struct Kept {
    checkpoint: Option<mailwright_imap::client::tasks::Checkpoint>,
    messages: BTreeMap<u32, BTreeSet<String>>,
}

fn words(flags: &[Flag]) -> BTreeSet<String> {
    flags.iter().map(ToString::to_string).collect()
}
