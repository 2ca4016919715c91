//! Which TLSA records count (RFC 7672 §3.1, RFC 7671 §9).

use alloc::vec::Vec;

use crate::dns::Tlsa;

/// DANE-TA, DANE-EE.
pub(crate) const TRUST_ANCHOR: u8 = 2;
pub(crate) const END_ENTITY: u8 = 3;
/// Matching types.
pub(crate) const FULL: u8 = 0;
pub(crate) const SHA256: u8 = 1;
pub(crate) const SHA512: u8 = 2;

/// The TLSA records of a host, sorted out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usable {
    /// Those that count, sorted, none twice.
    pub records: Vec<Tlsa>,
    /// How many cannot be used.
    pub unusable: usize,
}

/// Sorts out `records`. `digests` are the matching types of digests that count, the strongest first; `limit` is how many
/// records are kept.
#[must_use]
pub fn usable(records: &[Tlsa], digests: &[u8], limit: usize) -> Usable {
    let mut good: Vec<Tlsa> = records.iter().filter(|record| is_usable(record, digests)).cloned().collect();
    let unusable = records.len() - good.len();
    good.sort_unstable();
    good.dedup();
    // RFC 7671 §9, RFC 7672 §5: of several digests for one usage and selector only the strongest counts.
    let rank = |record: &Tlsa| digests.iter().position(|digest| *digest == record.matching);
    let strongest = |record: &Tlsa| {
        let alike = |other: &&Tlsa| (other.usage, other.selector) == (record.usage, record.selector);
        good.iter().filter(alike).filter_map(rank).min()
    };
    let mut records: Vec<Tlsa> = good
        .iter()
        .filter(|record| record.matching == FULL || rank(record) == strongest(record))
        .cloned()
        .collect();
    records.truncate(limit);
    Usable { records, unusable }
}

fn is_usable(record: &Tlsa, digests: &[u8]) -> bool {
    // RFC 7672 §3.1.3: PKIX-TA and PKIX-EE are not for SMTP. RFC 6698 §4.1: what is unknown or malformed is unusable.
    let known = matches!(record.usage, TRUST_ANCHOR | END_ENTITY) && record.selector <= 1;
    known
        && match record.matching {
            FULL => is_sequence(&record.data),
            SHA256 => record.data.len() == 32 && digests.contains(&SHA256),
            SHA512 => record.data.len() == 64 && digests.contains(&SHA512),
            _ => false,
        }
}

/// Whether it is one ASN.1 sequence, as certificates and public keys are.
fn is_sequence(data: &[u8]) -> bool {
    let [0x30, first, rest @ ..] = data else { return false };
    if *first < 0x80 {
        return rest.len() == usize::from(*first);
    }
    let Some((length, content)) = rest.split_at_checked(usize::from(first & 0x7f)) else { return false };
    if length.is_empty() || length.len() > 4 || length.first() == Some(&0) {
        return false;
    }
    length.iter().fold(0_usize, |length, octet| length << 8 | usize::from(*octet)) == content.len()
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString as _};
    use alloc::vec;

    use super::*;

    fn record(usage: u8, selector: u8, matching: u8, data: &[u8]) -> Tlsa {
        Tlsa { usage, selector, matching, data: data.to_vec().into() }
    }

    fn shown(records: &[Tlsa], digests: &[u8]) -> (Vec<String>, usize) {
        let found = usable(records, digests, 32);
        let short = |record: &Tlsa| record.to_string().chars().take(7).collect();
        (found.records.iter().map(short).collect(), found.unusable)
    }

    #[test]
    fn what_is_unknown_or_malformed_is_unusable() {
        let good = record(3, 1, 1, &[1; 32]);
        for bad in [
            record(0, 1, 1, &[1; 32]),
            record(1, 1, 1, &[1; 32]),
            record(4, 1, 1, &[1; 32]),
            record(255, 1, 1, &[1; 32]),
            record(3, 2, 1, &[1; 32]),
            record(3, 1, 3, &[1; 32]),
            record(3, 1, 1, &[1; 31]),
            record(3, 1, 1, &[1; 33]),
            record(3, 1, 1, &[]),
            record(3, 1, 2, &[1; 32]),
            record(3, 0, 0, &[]),
            record(3, 0, 0, &[0x30]),
            record(3, 0, 0, &[0x30, 2, 1]),
            record(3, 0, 0, &[0x30, 0x81]),
            record(3, 0, 0, &[0x30, 0x80]),
            record(3, 0, 0, &[0x31, 0]),
        ] {
            assert_eq!(shown(core::slice::from_ref(&bad), &[2, 1]), (vec![], 1), "{bad}");
            assert_eq!(shown(&[bad, good.clone()], &[2, 1]), (vec!["3 1 1 0".into()], 1));
        }
        let mut long = vec![0x30, 0x82, 1, 0];
        long.extend([7; 256]);
        assert_eq!(shown(&[record(2, 0, 0, &long), record(3, 1, 0, &[0x30, 0])], &[]).1, 0);
    }

    #[test]
    fn of_several_digests_the_strongest_counts_beside_full_data() {
        let records = [
            record(3, 1, 1, &[1; 32]),
            record(3, 1, 2, &[2; 64]),
            record(3, 1, 0, &[0x30, 0]),
            record(2, 0, 1, &[3; 32]),
            record(3, 0, 1, &[4; 32]),
            record(3, 1, 1, &[1; 32]),
        ];
        let all = |list: &[&str]| list.iter().map(|text| text.to_string()).collect::<Vec<String>>();
        assert_eq!(shown(&records, &[2, 1]).0, all(&["2 0 1 0", "3 0 1 0", "3 1 0 3", "3 1 2 0"]));
        assert_eq!(shown(&records, &[1, 2]).0, all(&["2 0 1 0", "3 0 1 0", "3 1 0 3", "3 1 1 0"]));
        assert_eq!(shown(&records, &[1]), (all(&["2 0 1 0", "3 0 1 0", "3 1 0 3", "3 1 1 0"]), 1));
        assert_eq!(usable(&records, &[2, 1], 1).records.len(), 1);
    }

    #[test]
    fn a_digest_that_cannot_be_used_does_not_hide_a_weaker_one() {
        let records = [record(3, 1, 2, &[2; 63]), record(3, 1, 1, &[1; 32])];
        assert_eq!(shown(&records, &[2, 1]), (vec!["3 1 1 0".into()], 1));
    }
}
