//! A store with a queue, run in virtual time against servers that say what a test wants.

#![allow(dead_code, reason = "each test uses its part")]

use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeMap;

use bytes::Bytes;
use mailwright_core::value::{Mailbox, MailboxName, ReversePath, UidSet, UnixTime};
use mailwright_smtp::dsn::{Action, MtaName, Report};
use mailwright_smtp::types::{EnhancedCode, Reply, ReplyCode};
use mailwright_store::account::{Account as _, Upload as _, Uploaded, WriteError};
use mailwright_store::directory::NewAccount;
use mailwright_store::engine::{Blobs, Engine, block_on};
use mailwright_store::queue::{
    Attempted, Envelope, Job, Outbound, QueueEvent, QueuedMessage, Recipient, Routing, Runner, RunnerConfig,
    Said, Work,
};
use mailwright_store::{AccountId, Delivery, Store, StoreConfig};

pub(crate) const START: UnixTime = UnixTime::from_seconds(1_800_000_000);
pub(crate) const DAY: u64 = 24 * 60 * 60;
pub(crate) const MESSAGE: &str =
    "From: alice@example.org\r\nSubject: hello\r\nMessage-ID: <1@example.org>\r\n\r\nHello.\r\n";

pub(crate) fn after(time: UnixTime, seconds: u64) -> UnixTime {
    UnixTime::from_seconds(time.as_seconds() + i64::try_from(seconds).unwrap())
}

pub(crate) fn address(text: &str) -> Mailbox {
    text.parse().unwrap()
}

pub(crate) fn reply(code: u16, enhanced: (u8, u16, u16), text: &'static str) -> Reply {
    let enhanced = EnhancedCode::new(enhanced.0, enhanced.1, enhanced.2).unwrap();
    Reply::new(ReplyCode::new(code).unwrap(), Some(enhanced), text).unwrap()
}

pub(crate) fn accepted() -> Said {
    Said::Accepted(reply(250, (2, 0, 0), "Ok"))
}

pub(crate) fn refused() -> Said {
    Said::Permanent(reply(550, (5, 1, 1), "No such user"))
}

pub(crate) fn later() -> Said {
    Said::Transient(reply(451, (4, 7, 1), "Try again later"))
}

pub(crate) fn remote() -> Option<MtaName> {
    Some(MtaName::new("dns", "mx.else.test").unwrap())
}

pub(crate) fn said(said: Vec<Said>) -> Attempted {
    Attempted::Answered { remote: remote(), dsn: false, said }
}

pub(crate) fn unreachable() -> Attempted {
    Attempted::Unreachable { remote: None, reason: "connection refused".into() }
}

/// New at each start, as a store demands it.
fn entropy() -> [u8; 32] {
    static STARTS: AtomicU64 = AtomicU64::new(0);
    let mut entropy = [5; 32];
    entropy[..8].copy_from_slice(&STARTS.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    entropy
}

/// Makes `example.org` with alice, if there is none.
pub(crate) fn open<E: Engine + Blobs>(engine: E) -> (Store<E>, AccountId) {
    let store = block_on(Store::open(engine, StoreConfig::default(), entropy())).unwrap();
    let alice = block_on(async {
        if let Some(alice) = store.directory().find_account("alice@example.org").await.unwrap() {
            return alice;
        }
        store.directory().add_domain(&"example.org".parse().unwrap()).await.unwrap();
        store.create_account(NewAccount::new(address("alice@example.org")), START).await.unwrap()
    });
    (store, alice)
}

pub(crate) fn upload<E: Engine + Blobs>(store: &Store<E>, text: &str) -> Result<Uploaded, WriteError> {
    block_on(async {
        let mut upload = store.upload(None).await?;
        upload.write(Bytes::copy_from_slice(text.as_bytes())).await?;
        upload.finish().await
    })
}

pub(crate) fn envelope(sender: &str) -> Envelope {
    Envelope::new(match sender {
        "" => ReversePath::Null,
        sender => ReversePath::Mailbox(address(sender)),
    })
}

/// Queues a message for `recipients`.
pub(crate) fn accept<E: Engine + Blobs>(
    store: &Store<E>,
    envelope: Envelope,
    recipients: impl IntoIterator<Item = Recipient>,
    now: UnixTime,
) -> Result<(), WriteError> {
    let prefix = Bytes::from_static(b"Received: by mx.example.org\r\n");
    let mut outbound = Outbound::new(envelope, upload(store, MESSAGE)?, prefix);
    outbound.recipients = recipients.into_iter().map(|recipient| (0, recipient)).collect();
    let mut delivery = Delivery::new();
    delivery.plans.push(Vec::new());
    delivery.outbound.push(outbound);
    let results = block_on(store.deliver(&delivery, now))?;
    assert_eq!(results, [Ok(())]);
    Ok(())
}

pub(crate) fn to(text: &str) -> Recipient {
    Recipient::new(address(text))
}

pub(crate) type Deliveries<E> = Runner<E, ()>;

pub(crate) fn config() -> RunnerConfig {
    RunnerConfig::new("mx.example.org".parse().unwrap()).unwrap()
}

pub(crate) fn start<E: Engine + Blobs>(store: &Store<E>, now: UnixTime) -> Deliveries<E> {
    block_on(Runner::start(store, config(), now)).unwrap()
}

/// What happened in a run.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Seconds since the start, destination, addresses.
    pub(crate) attempts: Vec<(i64, String, Vec<String>)>,
    pub(crate) events: Vec<QueueEvent>,
}

/// Runs until nothing is to be done before `end`; `answer` is what the servers do.
pub(crate) fn run<E: Engine + Blobs>(
    runner: &mut Deliveries<E>,
    mut now: UnixTime,
    end: UnixTime,
    mut answer: impl FnMut(&Job<E, ()>) -> Attempted,
) -> Log {
    let mut log = Log::default();
    loop {
        match block_on(runner.poll(now)) {
            Work::Route(question) => runner.routed(question.attempt, Routing::Found(()), now),
            Work::Deliver(job) => {
                log.attempts.push((
                    now.as_seconds() - START.as_seconds(),
                    job.destination.to_string(),
                    job.recipients.iter().map(|recipient| recipient.address.to_string()).collect(),
                ));
                let attempted = answer(&job);
                runner.finished(job.attempt, attempted, now);
            }
            Work::Event(event) => log.events.push(event),
            Work::Wait(Some(at)) if at <= end => now = now.max(at),
            Work::Wait(_) => return log,
            _ => panic!("work of an unknown kind"),
        }
    }
}

/// The messages in the INBOX of an account.
pub(crate) fn inbox<E: Engine + Blobs>(store: &Store<E>, account: AccountId) -> Vec<String> {
    let account = store.account(account);
    let opened = block_on(account.open(&MailboxName::inbox())).unwrap();
    let uids: UidSet = opened.columns.rows().map(|row| row.uid).collect();
    let mut bodies = Vec::new();
    let mut visit = |meta: &mailwright_store::account::MessageMeta| {
        bodies.push(meta.body.clone());
        core::ops::ControlFlow::Continue(())
    };
    block_on(account.meta(&opened.columns, &uids, &mut visit)).unwrap();
    let read = |body: &mailwright_store::account::Body| {
        let mut octets = Vec::new();
        while (octets.len() as u64) < body.size() {
            octets
                .extend_from_slice(&block_on(account.body(body, octets.len() as u64..body.size())).unwrap());
        }
        String::from_utf8(octets).unwrap()
    };
    bodies.iter().map(read).collect()
}

pub(crate) fn content<E: Engine + Blobs>(job: &Job<E, ()>) -> String {
    let mut octets = Vec::new();
    while (octets.len() as u64) < job.content.size() {
        let at = octets.len() as u64;
        octets.extend_from_slice(&block_on(job.content.read(at..at + 40)).unwrap());
    }
    String::from_utf8(octets).unwrap()
}

/// The reports in an INBOX.
pub(crate) fn reports<E: Engine + Blobs>(store: &Store<E>, account: AccountId) -> Vec<Report> {
    inbox(store, account).iter().map(|text| Report::parse(text.as_bytes()).unwrap().report).collect()
}

/// What a report says of each recipient.
pub(crate) fn rows(report: &Report) -> BTreeMap<String, (Action, String)> {
    let rows = report.recipients().iter();
    rows.map(|row| (row.address.as_str().to_owned(), (row.action(), row.status.to_string()))).collect()
}

pub(crate) fn queued<E: Engine + Blobs>(store: &Store<E>) -> Vec<QueuedMessage> {
    let mut queued = Vec::new();
    block_on(store.queue().list(&mut |message| {
        queued.push(message);
        core::ops::ControlFlow::Continue(())
    }))
    .unwrap();
    queued
}
