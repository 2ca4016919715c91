//! `Sync` against a model: whatever others do, whatever the server has, and wherever a run is cut off, in the end the
//! table is the mailbox. Nothing is told as new twice, and nothing as gone that is there.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod peer;
mod synchronised;

use mailwright_imap::client::tasks::Way;
use proptest::prelude::*;
use synchronised::server::{Manners, Server};
use synchronised::table::Table;
use synchronised::{Run, run, sync};

/// What others do.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Add(u32),
    Expunge(usize),
    Flag(usize, &'static str),
    MakeAnew,
}

impl Operation {
    fn apply(self, server: &mut Server) {
        match self {
            Self::Add(gap) => server.add(gap),
            Self::Expunge(index) => server.expunge(index),
            Self::Flag(index, flag) => server.flag(index, flag),
            Self::MakeAnew => server.make_anew(),
        }
    }
}

fn operation() -> impl Strategy<Value = Operation> {
    let flag = prop_oneof![Just("\\Seen"), Just("\\Flagged"), Just("work")];
    prop_oneof![
        5 => prop_oneof![8 => Just(0), 2 => 1_u32..5].prop_map(Operation::Add),
        3 => any::<usize>().prop_map(Operation::Expunge),
        3 => (any::<usize>(), flag).prop_map(|(index, flag)| Operation::Flag(index, flag)),
    ]
}

/// What others do between two runs.
fn between() -> impl Strategy<Value = Vec<Operation>> {
    let anew = Just(vec![Operation::MakeAnew]);
    prop_oneof![9 => proptest::collection::vec(operation(), 0..15), 1 => anew]
}

fn honest() -> impl Strategy<Value = Manners> {
    let flags = proptest::array::uniform8(any::<bool>());
    (flags, proptest::option::weighted(0.3, 1_usize..6)).prop_map(|(flags, message_limit)| {
        let [qresync, condstore, esearch, partial, forgets, news_first, uid_next_silent, uid_only] = flags;
        Manners {
            qresync,
            condstore,
            esearch,
            partial,
            uid_only,
            message_limit,
            forgets,
            news_first,
            uid_next_silent,
            ..Manners::default()
        }
    })
}

fn odd() -> impl Strategy<Value = Manners> {
    let by = || proptest::option::weighted(0.3, 2_u32..5);
    (honest(), by(), by(), by(), by(), 0_u32..3, any::<bool>()).prop_map(
        |(manners, search_hides, flags_missing, refuses, body_missing, uid_next_low, no_mod_seq)| Manners {
            search_hides,
            flags_missing,
            refuses,
            body_missing,
            uid_next_low,
            no_mod_seq,
            ..manners
        },
    )
}

#[derive(Clone, Debug)]
struct Round {
    before: Vec<Operation>,
    /// Before each command.
    during: Vec<Operation>,
    manners: Manners,
    patience: usize,
    best: Way,
    batch: u32,
    numbers: bool,
}

fn round(manners: impl Strategy<Value = Manners>) -> impl Strategy<Value = Round> {
    let best = prop_oneof![1 => Just(Way::Uids), 1 => Just(Way::Condstore), 3 => Just(Way::Qresync)];
    let during = prop_oneof![Just(Vec::new()), proptest::collection::vec(operation(), 0..6)];
    let patience = prop_oneof![1_usize..40, Just(usize::MAX)];
    (between(), during, manners, patience, best, 1_u32..8, any::<bool>()).prop_map(
        |(before, during, manners, patience, best, batch, numbers)| Round {
            before,
            during,
            manners,
            patience,
            best,
            batch,
            numbers,
        },
    )
}

fn go(server: &mut Server, table: &mut Table, round: Round) -> bool {
    round.before.iter().for_each(|operation| operation.apply(server));
    server.manners = round.manners;
    let mut during = round.during.into_iter();
    let mut sync = sync(table).at_best(round.best).batch(round.batch);
    if round.numbers {
        sync = sync.with_numbers();
    }
    if round.manners.uid_only {
        sync = sync.uid_only();
    }
    let mut meanwhile =
        |server: &mut Server| during.by_ref().take(1).for_each(|operation| operation.apply(server));
    let end = run(server, table, Run { patience: round.patience, meanwhile: &mut meanwhile, sync });
    matches!(end, Some(Ok(_)))
}

/// A run that nobody disturbs.
fn last(server: &mut Server, table: &mut Table, manners: Manners, thorough: bool) {
    server.manners = manners;
    let mut sync = sync(table).batch(4);
    if thorough {
        sync = sync.thorough();
    }
    let end = run(server, table, Run { patience: usize::MAX, meanwhile: &mut |_| {}, sync });
    let synced = end.unwrap().unwrap();
    assert_eq!(synced.unlisted, 0);
    assert_eq!(synced.exists as usize, server.messages.len());
    assert_eq!(table.checkpoint, Some(synced.checkpoint));
    table.compare(server);
    let has_sequences = manners.condstore || manners.qresync;
    assert_eq!(
        synced.checkpoint.mod_seq.map(|mod_seq| mod_seq.get()),
        has_sequences.then_some(server.mod_seq)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_table_becomes_the_mailbox(
        rounds in proptest::collection::vec(round(honest()), 1..8),
        manners in honest(),
        bodies: bool,
        keeps_flags: bool,
    ) {
        let mut server = Server::new();
        let mut table = Table { bodies, keeps_flags, ..Table::default() };
        for round in rounds {
            let quiet = round.during.is_empty();
            if go(&mut server, &mut table, round) && quiet {
                table.compare(&server);
            }
        }
        last(&mut server, &mut table, manners, false);
        // Now there is nothing to tell.
        let fetched = table.fetched;
        last(&mut server, &mut table, manners, false);
        prop_assert_eq!(table.fetched, fetched);
    }

    #[test]
    fn a_server_that_departs_from_the_rules_loses_nothing(
        rounds in proptest::collection::vec(round(odd()), 1..8),
        manners in honest(),
        bodies: bool,
        keeps_flags: bool,
    ) {
        let mut server = Server::new();
        let mut table = Table { bodies, keeps_flags, ..Table::default() };
        // As many as a search hides others may have removed: the numbers fit.
        let hidden = rounds.iter().any(|round| round.manners.search_hides.is_some());
        for round in rounds {
            go(&mut server, &mut table, round);
        }
        last(&mut server, &mut table, manners, hidden);
    }
}
