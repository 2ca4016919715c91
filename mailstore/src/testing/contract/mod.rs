//! The contract suite. Each check is a function of its own; [`engine`] and [`account`] run them all.

mod account;
mod blobs;
mod keys;

pub use self::account::account;
use crate::engine::{Blobs, Engine};

/// What [`Engine`] and [`Blobs`] promise, each on an empty engine that `make` gives.
///
/// # Panics
/// If a promise is broken.
pub fn engine<E: Engine + Blobs>(mut make: impl FnMut() -> E) {
    for check in [
        keys::puts_and_deletes_are_done_in_order,
        keys::a_range_is_deleted_without_its_end,
        keys::a_batch_whose_expectations_fail_does_nothing,
        keys::scans_go_both_ways_and_end_when_told,
        keys::a_snapshot_never_changes,
        keys::counters_add_up,
        keys::a_counter_that_overflows_fails_the_whole_batch,
        keys::of_commits_with_one_expectation_one_wins,
        keys::wakes_are_levels_and_for_the_account_only,
        keys::values_of_a_mail_store_fit,
        blobs::what_was_written_is_read_in_any_pieces,
        blobs::a_dropped_writer_leaves_nothing,
        blobs::a_deleted_blob_is_gone_and_its_name_never_used_again,
        blobs::the_list_is_of_the_finished_ones,
    ] {
        check(&make());
    }
    for seed in 0..20 {
        keys::agrees_with_a_map(&make(), seed);
    }
}

/// Numbers that are the same in each run: SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % end
    }
}
