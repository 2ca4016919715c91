//! `Sync` between a server and a host's table.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

pub(crate) mod server;
pub(crate) mod table;

use mailwright_core::session::{Progress, Session as _, Task as _};
use mailwright_imap::client::tasks::{Sync, SyncError, Synced};

use self::server::Server;
use self::table::Table;
use super::peer::{Peer, mailbox};

/// How a run goes.
pub(crate) struct Run<'a> {
    /// After so many changes the connection is lost.
    pub(crate) patience: usize,
    /// What happens before each command is answered.
    pub(crate) meanwhile: &'a mut dyn FnMut(&mut Server),
    pub(crate) sync: Sync,
}

/// A task for this table.
pub(crate) fn sync(table: &Table) -> Sync {
    Sync::examine(mailbox("INBOX"), table.picture())
}

/// Runs it on a new connection. `None`: the connection was lost.
pub(crate) fn run(server: &mut Server, table: &mut Table, run: Run<'_>) -> Option<Result<Synced, SyncError>> {
    let Run { patience, meanwhile, mut sync } = run;
    table.interrupted();
    table.changes = 0;
    server.connected();
    let mut peer = Peer::logged_in(&server.capabilities());
    sync.start(&mut peer.client).unwrap();
    for _ in 0..10_000 {
        let sent = peer.sent();
        if sent.is_empty() {
            panic!("nothing is said");
        }
        meanwhile(server);
        let mut said = String::new();
        for line in sent.lines() {
            said += &server.answer(line);
        }
        peer.feed(&said);
        while let Some(event) = peer.next() {
            let mut progress = sync.handle(&mut peer.client, event);
            loop {
                match progress {
                    Progress::Item(change) => {
                        table.apply(&mut sync, change, server);
                        if table.changes >= patience {
                            table.interrupted();
                            return None;
                        }
                    }
                    Progress::Done(end) => return Some(end),
                    Progress::Continue => break,
                    Progress::NotMine(event) => panic!("not its own: {event:?}"),
                }
                progress = sync.ready(&mut peer.client);
            }
        }
        assert!(peer.client.poll_event().is_none());
    }
    panic!("it never ends: {:?}", server.commands);
}
