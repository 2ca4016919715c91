//! A host's table of a mailbox: what it has made durable.

use std::collections::{BTreeMap, BTreeSet};

use mailwright_core::value::{Flag, Uid, UidSet};
use mailwright_imap::client::tasks::{Change, Checkpoint, Picture, Sync};

use super::server::Server;

/// Flags and octets of a message.
pub(crate) type Kept = (BTreeSet<String>, Option<String>);

#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) checkpoint: Option<Checkpoint>,
    /// Flags, and octets if the host wants them.
    pub(crate) messages: BTreeMap<u32, Kept>,
    /// Whether it wants octets.
    pub(crate) bodies: bool,
    /// Whether the picture says flags.
    pub(crate) keeps_flags: bool,
    /// Messages that were told as new and whose octets have not come.
    pub(crate) pending: BTreeMap<u32, BTreeSet<String>>,
    pub(crate) content: String,
    /// Messages whose octets came.
    pub(crate) fetched: usize,
    pub(crate) changes: usize,
}

fn names(flags: &[Flag]) -> BTreeSet<String> {
    flags.iter().map(ToString::to_string).collect()
}

impl Table {
    pub(crate) fn picture(&self) -> Picture {
        let mut picture = Picture::default();
        picture.checkpoint = self.checkpoint;
        picture.uids = self.messages.keys().map(|uid| Uid::new(*uid).unwrap()).collect::<UidSet>();
        if self.keeps_flags {
            for (uid, (flags, _)) in &self.messages {
                let flags = flags.iter().map(|flag| Flag::new(flag).unwrap()).collect();
                picture.flags.insert(Uid::new(*uid).unwrap(), flags);
            }
        }
        picture
    }

    /// The connection is lost: what was not durable is gone.
    pub(crate) fn interrupted(&mut self) {
        self.pending.clear();
        self.content.clear();
    }

    pub(crate) fn apply(&mut self, sync: &mut Sync, change: Change, server: &Server) {
        self.changes += 1;
        match change {
            Change::Reset { .. } => {
                self.messages.clear();
                self.checkpoint = None;
            }
            Change::Expunged(range) => {
                for uid in range.iter().map(Uid::get) {
                    assert!(!server.messages.contains_key(&uid), "{uid} is there");
                    self.messages.remove(&uid);
                    self.pending.remove(&uid);
                }
            }
            Change::Flags { uid, flags, .. } => {
                if let Some(flags_of) = self.pending.get_mut(&uid.get()) {
                    *flags_of = names(&flags);
                } else {
                    self.messages.get_mut(&uid.get()).unwrap().0 = names(&flags);
                }
            }
            Change::New(message) => {
                let uid = message.uid.get();
                assert!(!self.messages.contains_key(&uid), "{uid} is told twice");
                let flags = names(&message.flags.unwrap_or_default());
                if self.bodies {
                    sync.want(message.uid);
                    assert!(self.pending.insert(uid, flags).is_none(), "{uid} is told twice");
                } else {
                    self.messages.insert(uid, (flags, None));
                }
            }
            Change::BodyBegin { .. } => assert_eq!(self.content, ""),
            Change::BodyChunk(octets) => self.content += core::str::from_utf8(&octets).unwrap(),
            Change::BodyEnd { uid } => {
                let content = core::mem::take(&mut self.content);
                let uid = uid.unwrap().get();
                self.messages.insert(uid, (self.pending.remove(&uid).unwrap(), Some(content)));
                self.fetched += 1;
            }
            Change::Missing(uid) => assert!(self.pending.remove(&uid.get()).is_some()),
            Change::Checkpoint(checkpoint) => self.checkpoint = Some(checkpoint),
            other => panic!("what is {other:?}?"),
        }
    }

    /// Whether it is the mailbox.
    pub(crate) fn compare(&self, server: &Server) {
        let stored = server.messages.iter().map(|(uid, stored)| {
            let flags = stored.flags.iter().map(|flag| (*flag).to_owned()).collect();
            (*uid, (flags, self.bodies.then(|| stored.content.clone())))
        });
        let stored = stored.collect::<BTreeMap<_, _>>();
        let differs = |one: &BTreeMap<u32, Kept>, other: &BTreeMap<u32, Kept>| -> Vec<u32> {
            one.iter().filter(|(uid, kept)| other.get(uid) != Some(kept)).map(|(uid, _)| *uid).collect()
        };
        let (wrong, missing) = (differs(&self.messages, &stored), differs(&stored, &self.messages));
        assert!(wrong.is_empty() && missing.is_empty(), "wrong {wrong:?}, missing {missing:?}");
        assert!(self.pending.is_empty());
    }
}
