//! UIDs, sets of them against a naive set, blocks.

use alloc::collections::BTreeSet;
use alloc::string::ToString as _;
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use super::*;

fn uid(value: u32) -> Uid {
    Uid::new(value).unwrap()
}

fn set(text: &str) -> UidSet {
    text.parse().unwrap()
}

#[test]
fn zero_and_leading_zeros_and_signs_are_no_uid() {
    for (text, error) in [
        ("", NumberError::NotANumber),
        ("0", NumberError::Zero),
        ("01", NumberError::Zero),
        ("+1", NumberError::NotANumber),
        ("-1", NumberError::NotANumber),
        (" 1", NumberError::NotANumber),
        ("1 ", NumberError::NotANumber),
        ("*", NumberError::NotANumber),
        ("4294967296", NumberError::TooLarge),
        ("99999999999999999999999", NumberError::TooLarge),
    ] {
        assert_eq!(text.parse::<Uid>(), Err(error), "{text:?}");
        assert_eq!(text.parse::<UidValidity>(), Err(error), "{text:?}");
    }
    assert_eq!("4294967295".parse(), Ok(Uid::MAX));
    assert_eq!(Uid::MAX.next(), None);
    assert_eq!(Uid::MIN.previous(), None);
}

#[test]
fn a_modification_sequence_has_63_bits_and_may_be_zero() {
    assert_eq!("0".parse(), Ok(ModSeq::ZERO));
    assert_eq!("9223372036854775807".parse(), Ok(ModSeq::MAX));
    assert_eq!("9223372036854775808".parse::<ModSeq>(), Err(NumberError::TooLarge));
    assert_eq!("00".parse::<ModSeq>(), Err(NumberError::Zero));
    assert_eq!(ModSeq::new(1 << 63), None);
    assert_eq!(ModSeq::MAX.checked_add(1), None);
}

#[test]
fn a_set_reads_any_order_and_shows_the_canonical_form() {
    for (text, canonical) in [
        ("1", "1"),
        ("4:2", "2:4"),
        ("9,4:2,5", "2:5,9"),
        ("1,1,1", "1"),
        ("1:10,3:4,11", "1:11"),
        ("4294967295,4294967294", "4294967294:4294967295"),
        ("4294967295:1,7", "1:4294967295"),
        ("5,3,1", "1,3,5"),
    ] {
        assert_eq!(set(text).to_string(), canonical, "{text}");
    }
}

#[test]
fn a_set_refuses_stars_gaps_and_zeros_with_the_offset() {
    for (text, at) in [
        ("", 0),
        ("1,", 2),
        (",1", 0),
        ("1,,2", 2),
        ("1:*", 0),
        ("*", 0),
        ("5,1:", 2),
        (":1", 0),
        ("1:2:3", 0),
        ("7,0", 2),
        ("1 ,2", 0),
    ] {
        assert!(
            matches!(text.parse::<UidSet>(), Err(UidSetError::Element { offset, .. }) if offset == at),
            "{text:?}"
        );
    }
}

#[test]
fn a_set_with_too_many_ranges_is_refused_at_the_first_too_many() {
    assert_eq!(UidSet::parse(b"1,3", 2).unwrap().len(), 2);
    assert_eq!(UidSet::parse(b"1,3,5", 2), Err(UidSetError::TooManyRanges { offset: 4, limit: 2 }));
}

#[test]
fn the_set_of_all_uids_is_one_range() {
    assert_eq!(UidSet::all().len(), u64::from(u32::MAX));
    assert_eq!(UidSet::all().ranges().len(), 1);
    let mut all = UidSet::all();
    all.remove(uid(7));
    assert_eq!(all.to_string(), "1:6,8:4294967295");
    all.insert(uid(7));
    assert_eq!(all, UidSet::all());
    assert_eq!(all.difference(&UidSet::all()), UidSet::new());
}

#[test]
fn a_block_is_ascending_and_found_by_search() {
    assert_eq!(UidBlock::new(vec![]), None);
    assert_eq!(UidBlock::new(vec![uid(2), uid(2)]), None);
    let block = UidBlock::new(vec![uid(2), uid(5)]).unwrap();
    assert_eq!((block.first(), block.last(), block.len()), (uid(2), uid(5), 2));
    assert_eq!((block.search(uid(5)), block.search(uid(3))), (Ok(1), Err(1)));
    assert_eq!((block.get(1), block.get(2)), (Some(uid(5)), None));
}

/// UIDs at both ends of the number line, where the arithmetic is delicate.
fn any_uid() -> impl Strategy<Value = Uid> {
    prop_oneof![1_u32..40, (u32::MAX - 40)..=u32::MAX].prop_map(uid)
}

fn any_range() -> impl Strategy<Value = UidRange> {
    (any_uid(), any_uid()).prop_map(|(one, other)| {
        // Not from one end to the other: the naive set would be too large.
        if one.get().abs_diff(other.get()) < 100 { UidRange::new(one, other) } else { one.into() }
    })
}

fn naive(ranges: &[UidRange]) -> BTreeSet<Uid> {
    ranges.iter().flat_map(|range| range.iter()).collect()
}

fn check(set: &UidSet, expected: &BTreeSet<Uid>) {
    assert_eq!(set.iter().collect::<Vec<_>>(), expected.iter().copied().collect::<Vec<_>>());
    assert_eq!(set.len(), u64::try_from(expected.len()).unwrap());
    assert_eq!((set.first(), set.last()), (expected.first().copied(), expected.last().copied()));
    for (one, next) in set.ranges().iter().zip(set.ranges().iter().skip(1)) {
        assert!(one.last().next().unwrap() < next.first(), "ranges touch: {set}");
    }
    if !set.is_empty() {
        assert_eq!(set.to_string().parse::<UidSet>().unwrap(), *set);
    }
}

proptest! {
    #[test]
    fn insert_and_remove_equal_a_naive_set(steps in prop::collection::vec((any::<bool>(), any_range()), 0..60)) {
        let (mut set, mut expected) = (UidSet::new(), BTreeSet::new());
        for (insert, range) in steps {
            if insert {
                set.insert(range);
                expected.extend(range.iter());
            } else {
                set.remove(range);
                expected.retain(|uid| !range.contains(*uid));
            }
            check(&set, &expected);
        }
    }

    #[test]
    fn algebra_equals_a_naive_set(ours in prop::collection::vec(any_range(), 0..30), theirs in prop::collection::vec(any_range(), 0..30)) {
        let (a, b): (UidSet, UidSet) = (ours.iter().copied().collect(), theirs.iter().copied().collect());
        let (x, y) = (naive(&ours), naive(&theirs));
        check(&a, &x);
        check(&a.union(&b), &x.union(&y).copied().collect());
        check(&a.difference(&b), &x.difference(&y).copied().collect());
        check(&a.intersection(&b), &x.intersection(&y).copied().collect());
        for probe in x.iter().chain(&y) {
            prop_assert_eq!(a.contains(*probe), x.contains(probe));
        }
    }

    #[test]
    fn no_octets_panic_and_what_is_read_reads_again(text in "[0-9:,* ]{0,24}", octets in prop::collection::vec(any::<u8>(), 0..32)) {
        let _ = UidSet::parse(&octets, 8);
        if let Ok(set) = UidSet::parse(text.as_bytes(), 100) {
            prop_assert_eq!(set.to_string().parse::<UidSet>().unwrap(), set);
        }
    }

    #[test]
    fn numbers_show_and_read_as_themselves(value in 1_u32.., seq in 0_u64..(1 << 63)) {
        prop_assert_eq!(format!("{}", uid(value)).parse::<Uid>().unwrap().get(), value);
        prop_assert_eq!(ModSeq::new(seq).unwrap().to_string().parse::<ModSeq>().unwrap().get(), seq);
    }
}
