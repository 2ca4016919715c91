//! What hosts rely on at compile time: everything goes to other tasks and threads, errors are errors.

#![cfg(feature = "std")]

use mailwright_store::account::{
    self, Append, Applied, Body, Change, Columns, DynAccount, DynUpload, Intent, Lease, LeaseError,
    LeaseTable, ListQuery, MailboxInfo, MessageMeta, OpenError, Opened, Pinned, Refusal, TreeChange,
    Uploaded, Work, WriteError,
};
use mailwright_store::directory::{
    AccountInfo, Directory, DirectoryConfig, DirectoryError, NewAccount, Resolved, Unresolved,
};
use mailwright_store::engine::{
    self, Batch, CommitError, IoError, Memory, MemorySnapshot, MemoryWriter, Offload, OffloadSnapshot,
    OffloadWriter, ReadError, WriteFailed,
};
use mailwright_store::{
    AccountId, BlobId, Delivery, MailboxId, MessageId, Store, StoreAccount, StoreConfig, StoreUpload,
    ThreadId,
};

const fn goes_anywhere<T: Send + Sync + 'static>() {}
const fn is_an_error<T: core::error::Error + Send + Sync + 'static>() {}
const fn is_an_engine<T: engine::Engine + engine::Blobs>() {}
const fn is_an_account<T: account::Account<Upload: Send + 'static> + Clone>() {}
const fn is_sent<T: Send>(_: &T) {}

const _: () = {
    is_an_engine::<Memory>();
    is_an_engine::<Offload<Memory>>();
    is_an_account::<StoreAccount<Memory>>();
    is_an_account::<DynAccount>();
    goes_anywhere::<Store<Memory>>();
    goes_anywhere::<StoreUpload<Memory>>();
    goes_anywhere::<Directory<Memory>>();
    goes_anywhere::<MemorySnapshot>();
    goes_anywhere::<MemoryWriter>();
    goes_anywhere::<OffloadSnapshot<MemorySnapshot>>();
    goes_anywhere::<OffloadWriter<MemoryWriter>>();
    goes_anywhere::<(StoreConfig, DirectoryConfig, Batch, Delivery)>();
    goes_anywhere::<(Append, Applied, Body, Change, Columns, Intent, Work, Uploaded)>();
    goes_anywhere::<(Lease, LeaseTable, ListQuery, MailboxInfo, MessageMeta, Opened, Pinned, TreeChange)>();
    goes_anywhere::<(AccountInfo, NewAccount, Resolved)>();
    goes_anywhere::<(AccountId, BlobId, MailboxId, MessageId, ThreadId)>();
    is_an_error::<CommitError>();
    is_an_error::<ReadError>();
    is_an_error::<WriteFailed>();
    is_an_error::<IoError>();
    is_an_error::<OpenError>();
    is_an_error::<LeaseError>();
    is_an_error::<WriteError>();
    is_an_error::<Refusal>();
    is_an_error::<DirectoryError>();
    is_an_error::<Unresolved>();
};

#[cfg(feature = "argon2")]
const _: () = {
    use mailwright_store::directory::{
        Credentials, Login, LoginCheck, PasswordError, PasswordJob, TooManyLogins,
    };
    goes_anywhere::<(Credentials, Login, LoginCheck, PasswordJob)>();
    is_an_error::<PasswordError>();
    is_an_error::<TooManyLogins>();
};

#[cfg(feature = "queue")]
const _: () = {
    use mailwright_store::queue::{
        Attempt, Attempted, Deletion, Entry, Envelope, Failure, InvalidQueueId, Job, Machine, MachineConfig,
        MessageReader, Outbound, Queue, QueueEvent, QueuedMessage, Routing, Runner, RunnerConfig, Schedule,
        ScheduleError, Work,
    };
    goes_anywhere::<(Attempt, Attempted, Deletion, Entry, Envelope, Failure, Outbound, QueueEvent)>();
    goes_anywhere::<(Machine, MachineConfig, QueuedMessage, Routing<()>, RunnerConfig, Schedule)>();
    goes_anywhere::<(Job<Memory, ()>, MessageReader<Memory>, Queue<Memory>)>();
    goes_anywhere::<(Runner<Memory, ()>, Work<Memory, ()>)>();
    is_an_error::<ScheduleError>();
    is_an_error::<InvalidQueueId>();
};

#[cfg(feature = "queue")]
#[test]
fn every_future_of_a_queue_goes_to_other_threads() {
    use mailwright_store::queue::{Runner, RunnerConfig};
    let store = engine::block_on(Store::open(Memory::new(), StoreConfig::default(), [1; 32]));
    let config = "mx.example.org".parse().ok().and_then(|host| RunnerConfig::new(host).ok());
    let (Ok(store), Some(config)) = (store, config) else { return };
    let now = mailwright_core::value::UnixTime::from_seconds(0);
    let start = Runner::<Memory, ()>::start(&store, config, now);
    is_sent(&start);
    let Ok(mut runner) = engine::block_on(start) else { return };
    is_sent(&runner.woken());
    is_sent(&runner.poll(now));
    is_sent(&store.queue().list(&mut |_| core::ops::ControlFlow::Continue(())));
}

/// An upload of a boxed account goes to other threads, though only one may use it.
const fn uploads_go() {
    const fn goes<T: Send + 'static>() {}
    goes::<DynUpload>();
}

#[test]
fn every_future_of_a_store_goes_to_other_threads() {
    use account::Account as _;
    uploads_go();
    let store = engine::block_on(Store::open(Memory::new(), StoreConfig::default(), [1; 32]));
    let Ok(store) = store else { return };
    let now = mailwright_core::value::UnixTime::from_seconds(0);
    let (account, delivery) = (store.account(AccountId::new(1)), Delivery::new());
    is_sent(&store.upload(None));
    is_sent(&store.deliver(&delivery, now));
    is_sent(&store.maintain(now, 1));
    is_sent(&store.quota(account.id()));
    is_sent(&account.apply(MailboxId::new(1), Work::new(Vec::new(), now)));
    is_sent(&account.open(&mailwright_core::value::MailboxName::inbox()));
    is_sent(&account.upload(None));
    is_sent(&store.directory().accounts());
}
