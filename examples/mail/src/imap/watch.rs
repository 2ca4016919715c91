//! `mail watch`: what changes in a folder, as it happens (RFC 2177).
//!
//! The server speaks of message numbers, which move; the lines speak of UIDs. So the UIDs are asked for at the
//! beginning and whenever messages arrive. Shows the loop of a host that takes the events of a session itself.

use mailwright_core::value::{Flag, Uid};
use mailwright_imap::client::{CommandId, Event};
use mailwright_imap::types::{
    Command, FetchAttribute, FetchCommand, FetchItem, Messages, NumberSet, Response, StatusKind,
};
use serde_json::json;

use super::{Access, Account, note};
use crate::arguments::Watch;
use crate::failure::Failure;
use crate::output;

/// Messages of a folder that are kept track of; 16 MB.
const MOST: u32 = 4_000_000;

pub(crate) fn run(arguments: &Watch) -> Result<(), Failure> {
    let (mut account, facts) = Account::open_folder(&arguments.server, Access::Read)?;
    let session = account.connection.session();
    if !session.has("IDLE") && !session.has("IMAP4rev2") {
        return Err(Failure::failed("the server does not offer IDLE"));
    }
    let mut watcher = Watcher {
        json: arguments.server.json,
        left: arguments.count,
        uids: Vec::new(),
        asked: 0,
        message: None,
        command: None,
        idles: false,
    };
    watcher.resize(facts.exists.unwrap_or_default())?;
    watcher.watch(&mut account)?;
    account.close();
    Ok(())
}

struct Watcher {
    json: bool,
    /// Changes that are still to be told, if they are counted.
    left: Option<u64>,
    /// The UID of each message, as far as it is known.
    uids: Vec<Option<Uid>>,
    /// How many of them were asked for.
    asked: usize,
    /// What comes now.
    message: Option<Message>,
    /// What is in flight.
    command: Option<CommandId>,
    /// Whether that is an IDLE which was not told to end.
    idles: bool,
}

struct Message {
    number: u32,
    uid: Option<Uid>,
    flags: Option<Vec<Flag>>,
}

impl Watcher {
    /// Goes on until enough was told.
    fn watch(&mut self, account: &mut Account) -> Result<(), Failure> {
        loop {
            if self.command.is_none() {
                if self.left == Some(0) {
                    return Ok(());
                }
                self.ask(account)?;
            }
            match account.connection.next_event() {
                Ok(Some(event)) => self.handle(account, event)?,
                Ok(None) => return Err(Failure::failed("the connection is closed")),
                Err(error) => return Err(account.connection.stream().explain(error)),
            }
            let news = self.left == Some(0) || self.asked < self.uids.len();
            if self.idles && news {
                self.idles = false;
                account.connection.stream().wait_endlessly(false);
                account.connection.session_mut().done().map_err(Failure::failed)?;
            }
        }
    }

    /// Asks for the UIDs that are not known, or waits for news.
    fn ask(&mut self, account: &mut Account) -> Result<(), Failure> {
        let command = if self.asked < self.uids.len() {
            let set = format!("{}:{}", self.asked + 1, self.uids.len());
            let set = NumberSet::parse(set.as_bytes(), 1).map_err(Failure::failed)?;
            self.asked = self.uids.len();
            Command::Fetch(FetchCommand::new(Messages::Numbers(set), vec![FetchAttribute::Uid]))
        } else {
            self.idles = true;
            Command::Idle
        };
        self.command = Some(account.connection.session_mut().command(command).map_err(Failure::failed)?);
        Ok(())
    }

    fn handle(&mut self, account: &mut Account, event: Event) -> Result<(), Failure> {
        match event {
            Event::Idling { .. } if self.idles => {
                tracing::info!("watching");
                account.connection.stream().wait_endlessly(true);
            }
            Event::Completed { id, status } if self.command == Some(id) => {
                account.connection.stream().wait_endlessly(false);
                (self.command, self.idles) = (None, false);
                if status.kind != StatusKind::Ok {
                    let text = output::escaped(&status.text);
                    return Err(Failure::failed(format_args!("the server refused: {text}")));
                }
            }
            Event::Response { response: Response::Exists(number), .. } => {
                if number as usize != self.uids.len() {
                    self.resize(number)?;
                    self.tell(&format!("exists {number}"), || json!({ "event": "exists", "count": number }))?;
                }
            }
            Event::Response { response: Response::Expunge(number), .. } => self.expunge(number)?,
            Event::FetchBegin { number, .. } => {
                self.message = Some(Message { number, uid: None, flags: None });
            }
            Event::FetchItem(FetchItem::Uid(uid)) => {
                if let Some(message) = &mut self.message {
                    message.uid = Some(uid);
                }
            }
            Event::FetchItem(FetchItem::Flags { flags, .. }) => {
                if let Some(message) = &mut self.message {
                    message.flags = Some(flags);
                }
            }
            Event::FetchEnd => self.fetched()?,
            Event::Closed(closed) => return Err(account.connection.stream().explain(closed)),
            event => note(event),
        }
        Ok(())
    }

    fn resize(&mut self, exists: u32) -> Result<(), Failure> {
        if exists > MOST {
            return Err(Failure::failed(format_args!("{exists} messages are more than can be watched")));
        }
        self.uids.resize(exists as usize, None);
        self.asked = self.asked.min(self.uids.len());
        Ok(())
    }

    fn expunge(&mut self, number: u32) -> Result<(), Failure> {
        let Some(index) = (number as usize).checked_sub(1).filter(|&index| index < self.uids.len()) else {
            return Ok(());
        };
        let uid = self.uids.remove(index);
        if index < self.asked {
            self.asked -= 1;
        }
        self.tell(
            &format!("expunge {}", shown(uid)),
            || json!({ "event": "expunge", "uid": uid.map(Uid::get) }),
        )
    }

    /// Something of a message has come: its UID, since it was asked for, or flags, since they have changed.
    fn fetched(&mut self) -> Result<(), Failure> {
        let Some(Message { number, uid, flags }) = self.message.take() else { return Ok(()) };
        let index = (number as usize).checked_sub(1);
        let Some(known) = index.and_then(|index| self.uids.get_mut(index)) else { return Ok(()) };
        *known = uid.or(*known);
        let uid = *known;
        let Some(flags) = flags else { return Ok(()) };
        let flags: Vec<&str> = flags.iter().map(Flag::as_str).collect();
        self.tell(
            &format!("flags {} ({})", shown(uid), flags.join(" ")),
            || json!({ "event": "flags", "uid": uid.map(Uid::get), "flags": flags }),
        )
    }

    /// Tells of a change, unless enough was told.
    fn tell(&mut self, line: &str, json: impl FnOnce() -> serde_json::Value) -> Result<(), Failure> {
        if let Some(left) = &mut self.left {
            let Some(less) = left.checked_sub(1) else { return Ok(()) };
            *left = less;
        }
        if self.json {
            output::json(&json())?
        } else {
            output::line(line)?
        }
        Ok(())
    }
}

fn shown(uid: Option<Uid>) -> String {
    uid.map_or_else(|| "-".to_owned(), |uid| uid.to_string())
}
