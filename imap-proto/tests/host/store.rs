//! Mailboxes in memory, for any number of sessions.

use core::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use mailwright_imap::server::{MailboxState, MessageFacts};
use mailwright_imap::types::DateTime;
use mailwright_imap::value::{Flag, Keyword, ModSeq, Uid, UidBlock, UnixTime};

/// The mailboxes that sessions share.
pub(crate) type Folders = Rc<RefCell<BTreeMap<String, Folder>>>;

/// INBOX alone.
pub(crate) fn folders() -> Folders {
    let inbox = ("INBOX".to_owned(), Folder::default());
    Rc::new(RefCell::new(BTreeMap::from([inbox])))
}

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) flags: Vec<Flag>,
    pub(crate) mod_seq: u64,
    pub(crate) content: Vec<u8>,
}

/// A mailbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folder {
    pub(crate) messages: BTreeMap<u32, Message>,
    pub(crate) next: u32,
    pub(crate) mod_seq: u64,
}

impl Folder {
    pub(crate) fn add(&mut self, content: &[u8], flags: &[Flag]) -> u32 {
        self.mod_seq += 1;
        self.next += 1;
        let message = Message { flags: flags.to_vec(), mod_seq: self.mod_seq, content: content.to_vec() };
        self.messages.insert(self.next, message);
        self.next
    }

    pub(crate) fn remove(&mut self, uid: u32) {
        self.mod_seq += 1;
        self.messages.remove(&uid);
    }

    /// Sets flags; what has them already does not change.
    pub(crate) fn set(&mut self, uid: u32, flags: &[Flag]) {
        if let Some(message) = self.messages.get_mut(&uid)
            && message.flags != flags
        {
            self.mod_seq += 1;
            message.flags = flags.to_vec();
            message.mod_seq = self.mod_seq;
        }
    }

    /// The keywords of its messages.
    pub(crate) fn keywords(&self) -> Vec<Keyword> {
        let mut keywords: Vec<Keyword> = Vec::new();
        for flag in self.messages.values().flat_map(|message| &message.flags) {
            if let Flag::Keyword(keyword) = flag
                && !keywords.contains(keyword)
            {
                keywords.push(keyword.clone());
            }
        }
        keywords
    }

    pub(crate) fn state(&self) -> Arc<dyn MailboxState> {
        Arc::new(State(self.clone()))
    }
}

struct State(Folder);

impl MailboxState for State {
    fn blocks(&self, each: &mut dyn FnMut(&UidBlock)) {
        let uids: Vec<Uid> = self.0.messages.keys().map(|uid| Uid::new(*uid).unwrap()).collect();
        for chunk in uids.chunks(3) {
            each(&UidBlock::new(chunk.to_vec()).unwrap());
        }
    }

    fn message(&self, uid: Uid, flag: &mut dyn FnMut(&Flag)) -> Option<MessageFacts> {
        let message = self.0.messages.get(&uid.get())?;
        message.flags.iter().for_each(flag);
        let date = DateTime { time: UnixTime::from_seconds(837_596_665), zone: -420 };
        Some(MessageFacts::new(message.content.len() as u64, date))
    }

    fn latest(&self) -> ModSeq {
        ModSeq::new(self.0.mod_seq).unwrap()
    }

    fn changed(&self, since: ModSeq, each: &mut dyn FnMut(Uid)) {
        for (uid, message) in &self.0.messages {
            if message.mod_seq > since.get() {
                each(Uid::new(*uid).unwrap());
            }
        }
    }

    fn keywords(&self) -> Vec<Flag> {
        self.0.keywords().into_iter().map(Flag::Keyword).collect()
    }
}
