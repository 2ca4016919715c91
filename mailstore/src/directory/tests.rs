//! Who exists, where mail goes, who may log in.

use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use mailwright_core::value::{ForwardPath, Mailbox, MailboxName, UnixTime};

use super::*;
use crate::account::{Account as _, ListQuery};
use crate::engine::{Memory, block_on, now};
use crate::{AccountId, Store, StoreConfig};

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

fn mailbox(text: &str) -> Mailbox {
    text.parse().unwrap()
}

fn path(text: &str) -> ForwardPath {
    mailbox(text).into()
}

fn store() -> Store<Memory> {
    let mut config = StoreConfig::default();
    config.directory.password = PasswordCost::for_tests();
    let store = now(Store::open(Memory::new(), config, [1; 32])).unwrap().unwrap();
    now(store.directory().add_domain(&"example.org".parse().unwrap())).unwrap().unwrap();
    store
}

fn account(store: &Store<Memory>, address: &str) -> AccountId {
    now(store.create_account(NewAccount::new(mailbox(address)), NOW)).unwrap().unwrap()
}

fn alias(store: &Store<Memory>, from: &str, to: &[&str]) {
    let targets: Vec<Mailbox> = to.iter().map(|to| mailbox(to)).collect();
    now(store.directory().set_alias(&mailbox(from), &targets)).unwrap().unwrap();
}

fn resolve(store: &Store<Memory>, address: &str) -> Result<Resolved, Unresolved> {
    now(store.directory().resolve(&path(address))).unwrap()
}

fn accounts(resolved: &Resolved) -> Vec<AccountId> {
    resolved.local.iter().map(|target| target.account).collect()
}

#[test]
fn a_new_account_has_inbox_and_the_special_mailboxes() {
    let store = store();
    let alice = account(&store, "alice@example.org");
    let mut seen = Vec::new();
    now(store.account(alice).list(&ListQuery::All, &mut |info| {
        seen.push((info.name.as_str().to_string(), info.special_use.map(|use_| use_.as_str())));
    }))
    .unwrap()
    .unwrap();
    assert_eq!(
        seen,
        [
            ("Archive".to_string(), Some("\\Archive")),
            ("Drafts".to_string(), Some("\\Drafts")),
            ("INBOX".to_string(), None),
            ("Junk".to_string(), Some("\\Junk")),
            ("Sent".to_string(), Some("\\Sent")),
            ("Trash".to_string(), Some("\\Trash")),
        ]
    );
    let inbox = now(store.account(alice).open(&MailboxName::inbox())).unwrap().unwrap();
    assert_eq!(inbox.info.uid_validity.get(), 1_800_000_000);
}

#[test]
fn an_address_is_given_once_and_only_in_a_local_domain() {
    let store = store();
    account(&store, "alice@example.org");
    let again = now(store.create_account(NewAccount::new(mailbox("ALICE@Example.ORG")), NOW)).unwrap();
    assert!(matches!(again, Err(DirectoryError::Exists(_))));
    let foreign = now(store.create_account(NewAccount::new(mailbox("alice@example.net")), NOW)).unwrap();
    assert!(matches!(foreign, Err(DirectoryError::NotLocal(_))));
}

#[test]
fn a_failed_creation_uses_up_no_number_and_leaves_nothing() {
    let store = store();
    let first = account(&store, "alice@example.org");
    let mut new = NewAccount::new(mailbox("bob@example.org"));
    new.logins.push("ALICE@example.org".to_string());
    assert!(now(store.create_account(new, NOW)).unwrap().is_err());
    assert!(matches!(resolve(&store, "bob@example.org"), Err(Unresolved::Unknown)));
    assert_eq!(account(&store, "bob@example.org").get(), first.get() + 1);
}

#[test]
fn an_exact_address_comes_before_a_detail_and_a_detail_before_the_catch_all() {
    let store = store();
    let (alice, bob) = (account(&store, "alice@example.org"), account(&store, "bob@example.org"));
    let plus = account(&store, "alice+own@example.org");
    now(store.directory().set_catch_all(&"example.org".parse().unwrap(), &[mailbox("bob@example.org")]))
        .unwrap()
        .unwrap();
    assert_eq!(accounts(&resolve(&store, "Alice@example.org").unwrap()), [alice]);
    assert_eq!(accounts(&resolve(&store, "alice+own@example.org").unwrap()), [plus]);
    let detail = resolve(&store, "ALICE+Lists@example.org").unwrap();
    assert_eq!(accounts(&detail), [alice]);
    assert_eq!(detail.local[0].detail.as_deref(), Some("Lists"));
    assert_eq!(detail.local[0].address, mailbox("ALICE+Lists@example.org"));
    assert_eq!(accounts(&resolve(&store, "nobody@example.org").unwrap()), [bob]);
    assert_eq!(accounts(&resolve(&store, "+x@example.org").unwrap()), [bob]);
}

#[test]
fn an_alias_takes_no_address_with_a_detail_from_an_account_but_any_other() {
    let store = store();
    let (alice, bob) = (account(&store, "alice@example.org"), account(&store, "bob@example.org"));
    alias(&store, "alice+x@example.org", &["bob@example.org"]);
    assert_eq!(accounts(&resolve(&store, "alice+x@example.org").unwrap()), [alice]);
    alias(&store, "sales@example.org", &["alice@example.org"]);
    alias(&store, "sales+eu@example.org", &["bob@example.org"]);
    assert_eq!(accounts(&resolve(&store, "sales+eu@example.org").unwrap()), [bob]);
    assert_eq!(accounts(&resolve(&store, "sales+us@example.org").unwrap()), [alice]);
}

#[test]
fn foreign_domains_are_not_local() {
    let store = store();
    assert!(matches!(resolve(&store, "alice@example.net"), Err(Unresolved::NotLocal)));
    assert!(matches!(resolve(&store, "alice@sub.example.org"), Err(Unresolved::NotLocal)));
    assert!(matches!(resolve(&store, "alice@[127.0.0.1]"), Err(Unresolved::NotLocal)));
}

#[test]
fn aliases_expand_to_each_target_once() {
    let store = store();
    let (alice, bob) = (account(&store, "alice@example.org"), account(&store, "bob@example.org"));
    alias(&store, "team@example.org", &["alice@example.org", "staff@example.org", "carol@example.net"]);
    alias(&store, "staff@example.org", &["bob@example.org", "alice@example.org", "carol@EXAMPLE.net"]);
    let team = resolve(&store, "TEAM+x@example.org").unwrap();
    assert_eq!(accounts(&team), [alice, bob]);
    assert_eq!(team.external, [mailbox("carol@example.net")]);
    assert!(!team.loops);
}

#[test]
fn an_address_among_its_own_targets_is_a_local_copy() {
    let store = store();
    let alice = account(&store, "alice@example.org");
    alias(&store, "alice@example.org", &["alice@example.org", "alice@example.net"]);
    let resolved = resolve(&store, "alice@example.org").unwrap();
    assert_eq!((accounts(&resolved), resolved.external), (vec![alice], vec![mailbox("alice@example.net")]));
    assert!(!resolved.loops);
}

#[test]
fn an_alias_on_an_account_sends_its_mail_elsewhere() {
    let store = store();
    account(&store, "alice@example.org");
    let bob = account(&store, "bob@example.org");
    alias(&store, "alice@example.org", &["bob@example.org"]);
    assert_eq!(accounts(&resolve(&store, "alice@example.org").unwrap()), [bob]);
}

#[test]
fn a_cycle_is_cut_and_reported() {
    let store = store();
    let bob = account(&store, "bob@example.org");
    alias(&store, "a@example.org", &["b@example.org"]);
    alias(&store, "b@example.org", &["a@example.org"]);
    assert!(matches!(resolve(&store, "a@example.org"), Err(Unresolved::Loop)));
    alias(&store, "b@example.org", &["a@example.org", "bob@example.org"]);
    let resolved = resolve(&store, "a@example.org").unwrap();
    assert_eq!(accounts(&resolved), [bob]);
    assert!(resolved.loops);
    alias(&store, "self@example.org", &["self@example.org"]);
    assert!(matches!(resolve(&store, "self@example.org"), Err(Unresolved::Loop)));
}

#[test]
fn a_catch_all_that_leads_to_nobody_is_a_loop_and_not_for_ever() {
    let store = store();
    now(store.directory().set_catch_all(&"example.org".parse().unwrap(), &[mailbox("x@example.org")]))
        .unwrap()
        .unwrap();
    assert!(matches!(resolve(&store, "y@example.org"), Err(Unresolved::Loop)));
}

#[test]
fn depth_and_number_of_targets_are_limited() {
    let store = store();
    account(&store, "a0@example.org");
    for depth in 1..=11 {
        alias(
            &store,
            &alloc::format!("a{depth}@example.org"),
            &[&alloc::format!("a{}@example.org", depth - 1)],
        );
    }
    assert!(resolve(&store, "a10@example.org").is_ok());
    assert!(matches!(resolve(&store, "a11@example.org"), Err(Unresolved::TooMany)));

    // Each of ten aliases stands for a hundred others: far too many in all.
    for number in 0..11 {
        let targets: Vec<Mailbox> =
            (0..100).map(|target| mailbox(&alloc::format!("t{number}.{target}@example.net"))).collect();
        let from = mailbox(&alloc::format!("list{number}@example.org"));
        now(store.directory().set_alias(&from, &targets)).unwrap().unwrap();
    }
    let lists: Vec<_> = (0..9).map(|number| alloc::format!("list{number}@example.org")).collect();
    alias(&store, "most@example.org", &lists.iter().map(|list| list.as_str()).collect::<Vec<_>>());
    assert_eq!(resolve(&store, "most@example.org").unwrap().external.len(), 900);
    let lists: Vec<_> = (0..11).map(|number| alloc::format!("list{number}@example.org")).collect();
    alias(&store, "all@example.org", &lists.iter().map(|list| list.as_str()).collect::<Vec<_>>());
    assert!(matches!(resolve(&store, "all@example.org"), Err(Unresolved::TooMany)));
}

#[test]
fn a_dead_target_is_told_and_never_dropped_in_silence() {
    let store = store();
    account(&store, "bob@example.org");
    alias(&store, "a@example.org", &["bob@example.org", "gone@example.org"]);
    assert!(
        matches!(resolve(&store, "a@example.org"), Err(Unresolved::DeadTarget(dead)) if dead == mailbox("gone@example.org"))
    );
}

#[test]
fn targets_that_name_files_and_programs_are_refused() {
    let store = store();
    for target in ["\"|/bin/sh\"@example.org", "\"/etc/passwd\"@example.org", "\":include:/x\"@example.org"] {
        let result = now(store.directory().set_alias(&mailbox("a@example.org"), &[mailbox(target)])).unwrap();
        assert!(matches!(result, Err(DirectoryError::Target(_))), "{target}");
    }
    let none = now(store.directory().set_alias(&mailbox("a@example.org"), &[])).unwrap();
    assert!(matches!(none, Err(DirectoryError::Target(_))));
}

#[test]
fn postmaster_always_resolves() {
    let store = store();
    let (alice, bob) = (account(&store, "alice@example.org"), account(&store, "bob@example.org"));
    let bare = || now(store.directory().resolve(&ForwardPath::Postmaster)).unwrap().unwrap();
    assert_eq!(accounts(&bare()), [alice], "the first account, if nothing is configured");
    now(store.directory().set_postmaster(&mailbox("bob@example.org"))).unwrap().unwrap();
    assert_eq!(accounts(&bare()), [bob]);
    assert_eq!(accounts(&resolve(&store, "PostMaster@EXAMPLE.org").unwrap()), [bob]);
    alias(&store, "postmaster@example.org", &["alice@example.org"]);
    assert_eq!(accounts(&resolve(&store, "POSTMASTER@example.org").unwrap()), [alice]);
    assert!(matches!(resolve(&store, "postmaster@example.net"), Err(Unresolved::NotLocal)));
}

#[test]
fn a_postmaster_that_leads_nowhere_is_the_first_account_that_can_receive() {
    let store = store();
    let (alice, bob) = (account(&store, "alice@example.org"), account(&store, "bob@example.org"));
    let bare = || now(store.directory().resolve(&ForwardPath::Postmaster)).unwrap().unwrap();
    now(store.directory().set_postmaster(&mailbox("gone@example.org"))).unwrap().unwrap();
    assert_eq!(accounts(&bare()), [alice]);
    assert_eq!(accounts(&resolve(&store, "postmaster@example.org").unwrap()), [alice]);
    alias(&store, "postmaster@example.org", &["postmaster@example.org"]);
    now(store.directory().set_disabled(alice, true)).unwrap().unwrap();
    assert_eq!(accounts(&resolve(&store, "Postmaster@example.org").unwrap()), [bob]);
    now(store.directory().set_postmaster(&mailbox("alice@example.org"))).unwrap().unwrap();
    assert_eq!(accounts(&bare()), [bob]);
}

#[test]
fn an_address_whose_mail_goes_elsewhere_is_still_its_owners() {
    let store = store();
    let alice = account(&store, "alice@example.org");
    alias(&store, "alice@example.org", &["alice@example.net"]);
    let owns = |address: &str| now(store.directory().owns(alice, &mailbox(address))).unwrap().unwrap();
    assert!(owns("alice@example.org") && owns("alice+x@example.org"));
    assert!(!owns("alice@example.net"), "somebody else's domain");
}

#[test]
fn an_account_owns_its_addresses_details_and_aliases_but_not_the_catch_all() {
    let store = store();
    let (alice, bob) = (account(&store, "alice@example.org"), account(&store, "bob@example.org"));
    now(store.directory().add_address(alice, &mailbox("al@example.org"))).unwrap().unwrap();
    alias(&store, "sales@example.org", &["alice@example.org"]);
    now(store.directory().set_catch_all(&"example.org".parse().unwrap(), &[mailbox("alice@example.org")]))
        .unwrap()
        .unwrap();
    let owns =
        |account, address: &str| now(store.directory().owns(account, &mailbox(address))).unwrap().unwrap();
    for address in ["ALICE@example.org", "al@EXAMPLE.ORG", "alice+x@example.org", "sales@example.org"] {
        assert!(owns(alice, address), "{address}");
        assert!(!owns(bob, address), "{address}");
    }
    for address in ["bob@example.org", "nobody@example.org", "alice@example.net", "alice@example.org.net"] {
        assert!(!owns(alice, address), "{address}");
    }
}

#[cfg(feature = "argon2")]
mod logins {
    use mailwright_core::value::Secret;
    use mailwright_sasl::ScramHash;

    use super::*;

    fn set_password(store: &Store<Memory>, account: AccountId, password: &str) {
        let directory = store.directory();
        let credentials = directory.password_job(&Secret::from(password)).unwrap().run().unwrap();
        now(directory.set_credentials(account, credentials)).unwrap().unwrap();
    }

    fn login(store: &Store<Memory>, name: &str, password: &str) -> Login {
        now(store.directory().check_password(name, Secret::from(password))).unwrap().unwrap().run()
    }

    #[test]
    fn only_the_right_name_and_password_log_in() {
        let store = store();
        let alice = account(&store, "alice@example.org");
        assert_eq!(login(&store, "alice@example.org", "").account, None, "no password is set");
        set_password(&store, alice, "demo");
        assert_eq!(login(&store, "ALICE@example.org", "demo").account, Some(alice));
        assert_eq!(login(&store, "alice@example.org", "Demo").account, None);
        assert_eq!(login(&store, "alice", "demo").account, None);
        assert_eq!(login(&store, "nobody@example.org", "demo").account, None);
        set_password(&store, alice, "new");
        assert_eq!(login(&store, "alice@example.org", "demo").account, None);
        assert_eq!(login(&store, "alice@example.org", "new").account, Some(alice));
    }

    #[test]
    fn a_disabled_account_is_like_an_unknown_one() {
        let store = store();
        let alice = account(&store, "alice@example.org");
        set_password(&store, alice, "demo");
        now(store.directory().set_disabled(alice, true)).unwrap().unwrap();
        assert_eq!(login(&store, "alice@example.org", "demo").account, None);
        assert!(matches!(resolve(&store, "alice@example.org"), Err(Unresolved::Unknown)));
        assert!(!now(store.directory().owns(alice, &mailbox("alice@example.org"))).unwrap().unwrap());
        now(store.directory().set_disabled(alice, false)).unwrap().unwrap();
        assert_eq!(login(&store, "alice@example.org", "demo").account, Some(alice));
    }

    #[test]
    fn a_weak_hash_is_handed_back_to_be_replaced() {
        let store = store();
        let alice = account(&store, "alice@example.org");
        set_password(&store, alice, "demo");
        assert!(login(&store, "alice@example.org", "demo").rehash.is_none());
        let mut config = StoreConfig::default();
        config.directory.password = PasswordCost { memory_kib: 16, ..PasswordCost::for_tests() };
        let stricter = now(Store::open(store.engine().clone(), config, [2; 32])).unwrap().unwrap();
        let outcome = login(&stricter, "alice@example.org", "demo");
        assert_eq!(outcome.rehash.unwrap().expose(), b"demo");
        assert!(login(&stricter, "alice@example.org", "wrong").rehash.is_none());
    }

    #[test]
    fn scram_keys_of_unknown_users_never_change_and_look_real() {
        let store = store();
        let alice = account(&store, "alice@example.org");
        set_password(&store, alice, "demo");
        let keys = |name: &str| now(store.directory().scram_keys(name, ScramHash::Sha256)).unwrap().unwrap();
        let (real, decoy) = (keys("Alice@example.org"), keys("nobody@example.org"));
        assert_eq!((decoy.salt().len(), decoy.iterations()), (real.salt().len(), real.iterations()));
        assert_eq!(keys("nobody@example.org"), decoy);
        assert_ne!(keys("nobody2@example.org").salt(), decoy.salt());
        now(store.directory().set_disabled(alice, true)).unwrap().unwrap();
        assert_ne!(keys("alice@example.org"), real);
        assert_eq!(keys("alice@example.org").salt(), keys("ALICE@example.org").salt());
    }

    #[test]
    fn two_accounts_with_one_password_share_nothing() {
        let store = store();
        let (alice, bob) = (account(&store, "alice@example.org"), account(&store, "bob@example.org"));
        set_password(&store, alice, "demo");
        set_password(&store, bob, "demo");
        let keys = |name: &str| now(store.directory().scram_keys(name, ScramHash::Sha256)).unwrap().unwrap();
        assert_ne!(keys("alice@example.org").salt(), keys("bob@example.org").salt());
    }

    #[test]
    fn a_hash_that_is_to_be_replaced_holds_its_place() {
        let mut config = StoreConfig::default();
        config.directory.password = PasswordCost { passes: 2, ..PasswordCost::for_tests() };
        (config.directory.hash_jobs, config.directory.hash_waiting) = (1, 0);
        let store = now(Store::open(Memory::new(), config, [1; 32])).unwrap().unwrap();
        now(store.directory().add_domain(&"example.org".parse().unwrap())).unwrap().unwrap();
        let alice = account(&store, "alice@example.org");
        let job = PasswordJob::new(&Secret::from("demo"), PasswordCost::for_tests(), [2; 32]).unwrap();
        now(store.directory().set_credentials(alice, job.run().unwrap())).unwrap().unwrap();
        let check =
            || now(store.directory().check_password("alice@example.org", Secret::from("demo"))).unwrap();
        let login = check().unwrap().run();
        assert!(login.rehash.is_some());
        assert!(matches!(check(), Err(TooManyLogins::Busy)));
        drop(login);
        assert!(check().is_ok());
    }

    #[test]
    fn a_name_that_nobody_has_takes_the_look_ups_of_one_that_somebody_has() {
        use crate::testing::Faulty;
        let mut config = StoreConfig::default();
        config.directory.password = PasswordCost::for_tests();
        let store = now(Store::open(Faulty::new(Memory::new()), config, [1; 32])).unwrap().unwrap();
        let directory = store.directory();
        now(directory.add_domain(&"example.org".parse().unwrap())).unwrap().unwrap();
        for (name, disabled) in [("alice@example.org", false), ("bob@example.org", true)] {
            let id = now(store.create_account(NewAccount::new(mailbox(name)), NOW)).unwrap().unwrap();
            let job = directory.password_job(&Secret::from("demo")).unwrap();
            now(directory.set_credentials(id, job.run().unwrap())).unwrap().unwrap();
            now(directory.set_disabled(id, disabled)).unwrap().unwrap();
        }
        let reads = |work: &dyn Fn(&str), name: &str| {
            let before = store.engine().reads();
            work(name);
            store.engine().reads() - before
        };
        let password = |name: &str| {
            let login = now(directory.check_password(name, Secret::from("wrong"))).unwrap().unwrap().run();
            assert_eq!(login.account, None);
        };
        let scram = |name: &str| drop(now(directory.scram_keys(name, ScramHash::Sha256)).unwrap().unwrap());
        for work in [&password as &dyn Fn(&str), &scram] {
            let known = reads(work, "alice@example.org");
            assert!(known > 0);
            assert_eq!(reads(work, "bob@example.org"), known, "disabled");
            assert_eq!(reads(work, "nobody@example.org"), known, "unknown");
            assert_eq!(reads(work, "not an address"), known, "not even an address");
        }
    }

    #[test]
    fn no_more_hashes_than_configured_are_handed_out() {
        let store = store();
        let directory = store.directory();
        let check = |name: &'static str| directory.check_password(name, Secret::from("x"));
        let jobs = (now(check("a")).unwrap().unwrap(), now(check("b")).unwrap().unwrap());
        assert!(now(check("c")).is_none(), "the third waits");
        drop(jobs);
        assert!(now(check("c")).unwrap().is_ok());
    }
}

#[test]
fn accounts_made_at_the_same_time_do_not_mix() {
    let store = store();
    let made: Vec<AccountId> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let store = store.clone();
                scope.spawn(move || {
                    let address = mailbox(&alloc::format!("user{number}@example.org"));
                    loop {
                        // Conflicts are retried inside; under heavy contention the caller retries too.
                        if let Ok(id) = block_on(store.create_account(NewAccount::new(address.clone()), NOW))
                        {
                            return id;
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (number, id) in made.iter().enumerate() {
        let resolved = resolve(&store, &alloc::format!("user{number}@example.org")).unwrap();
        assert_eq!(accounts(&resolved), [*id]);
    }
}
