//! SRV records in order (RFC 2782).

use alloc::vec::Vec;

use crate::dns::Srv;
use crate::name::{DomainName, Target};
use crate::random::SplitMix64;

/// The records in the order in which they are to be tried: by priority, and within one by chance, as their weights say.
///
/// The way from seed to order is fixed: those with weight 0 stand first, in the order of the records otherwise; a number from
/// 0 to the sum of weights is drawn, and the first record whose running sum reaches it is taken out; so on with the rest.
#[must_use]
pub fn order(records: &[Srv], seed: u64) -> Vec<Srv> {
    let mut random = SplitMix64::new(seed);
    let mut rest: Vec<&Srv> = records.iter().collect();
    // What the resolver does with the order must not matter.
    rest.sort();
    // RFC 2782: lower priorities first; within one, records with weight 0 stand at the beginning of the list.
    rest.sort_by_key(|record| (record.priority, record.weight != 0));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(first) = rest.first() {
        let priority = first.priority;
        let group = rest.iter().take_while(|record| record.priority == priority);
        let weights: Vec<usize> = group.map(|record| usize::from(record.weight)).collect();
        let sum: usize = weights.iter().sum();
        let drawn = random.below(sum + 1);
        let mut running = 0;
        let at = weights.iter().position(|weight| {
            running += weight;
            running >= drawn
        });
        ordered.push(rest.remove(at.unwrap_or(0)).clone());
    }
    ordered
}

/// The hosts and ports of a service in order, with their priorities; `None` if the service is not offered: its only target is
/// the root.
#[must_use]
pub fn chosen(records: &[Srv], seed: u64) -> Option<Vec<(DomainName, u16, u16)>> {
    // RFC 2782, RFC 6186 §3.4: a target of `.` says that the service is not there.
    if !records.is_empty() && records.iter().all(|record| record.target == Target::Root) {
        return None;
    }
    let usable = |record: Srv| match record.target {
        Target::Name(name) if record.port > 0 && !name.is_address() && name.special().is_none() => {
            Some((name, record.port, record.priority))
        }
        _ => None,
    };
    Some(order(records, seed).into_iter().filter_map(usable).collect())
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use super::*;

    fn record(priority: u16, weight: u16, port: u16) -> Srv {
        Srv { priority, weight, port, target: Target::Name("a.example".parse().unwrap()) }
    }

    #[test]
    fn priorities_come_first_and_weights_share() {
        let records =
            [record(10, 60, 1), record(10, 20, 2), record(10, 20, 3), record(5, 0, 4), record(20, 9, 5)];
        let mut firsts = BTreeMap::new();
        let rounds = 10_000_u32;
        for seed in 0..rounds {
            let ports: Vec<u16> = order(&records, seed.into()).iter().map(|record| record.port).collect();
            assert_eq!((ports[0], ports[4], ports.len()), (4, 5, 5));
            *firsts.entry(ports[1]).or_insert(0_u32) += 1;
        }
        // A number from 0 to 100: port 2 (20), 3 (20) and 1 (60) in this order, so 21, 20 and 60 of 101.
        for (port, share) in [(1, 60), (2, 21), (3, 20)] {
            let expected = rounds * share / 101;
            assert!(firsts[&port].abs_diff(expected) < 200, "{firsts:?}");
        }
    }

    #[test]
    fn a_weight_of_0_has_a_small_chance() {
        let records = [record(0, 0, 1), record(0, 9, 2)];
        let first = |seed| order(&records, seed)[0].port;
        let zero = (0..10_000).filter(|seed| first(*seed) == 1).count();
        assert!((800..1200).contains(&zero), "one of ten: {zero}");
        let all = [record(0, 0, 1), record(0, 0, 2)];
        assert_eq!(order(&all, 1).len(), 2);
    }

    #[test]
    fn the_order_of_records_does_not_matter() {
        let mut records = [record(1, 5, 1), record(1, 5, 2), record(1, 0, 3), record(0, 7, 4)];
        let forwards: Vec<_> = (0..50).map(|seed| order(&records, seed)).collect();
        records.reverse();
        assert_eq!(forwards, (0..50).map(|seed| order(&records, seed)).collect::<Vec<_>>());
    }

    #[test]
    fn the_root_is_no_host() {
        let root = Srv { target: Target::Root, ..record(0, 0, 0) };
        assert_eq!(chosen(core::slice::from_ref(&root), 1), None);
        assert_eq!(chosen(&[root, record(1, 0, 9)], 1).unwrap().len(), 1);
        assert_eq!(chosen(&[record(1, 0, 0)], 1), Some(Vec::new()));
        assert_eq!(chosen(&[], 1), Some(Vec::new()));
    }
}
