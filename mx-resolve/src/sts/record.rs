//! [`StsRecord`]: the TXT record at `_mta-sts` (RFC 8461 §3.1).

use alloc::sync::Arc;

use bytes::Bytes;

use crate::fields;

const VERSION: &str = "v=STSv1";
/// Characters of an id, at most.
const ID: usize = 32;

/// The record that tells that there is a policy, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsRecord {
    id: Arc<str>,
}

/// A TXT record that is none of MTA-STS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("no record of MTA-STS")]
#[non_exhaustive]
pub struct StsRecordError;

impl StsRecord {
    /// Reads a record, its strings joined. Fields that are not known are ignored; of those that stand there twice the first
    /// counts.
    ///
    /// # Errors
    /// If it is not `v=STSv1` with an `id` of 1 to 32 letters and digits, and other fields of the right form.
    pub fn parse(record: &[u8]) -> Result<Self, StsRecordError> {
        // RFC 8461 §3.1: the version stands first, `id` is required, the order of the others does not matter.
        let fields = fields::fields(record, VERSION).ok_or(StsRecordError)?;
        // A value of another field has no `=`; an id does not either.
        if fields.iter().any(|(_, value)| value.contains('=')) {
            return Err(StsRecordError);
        }
        let (_, id) = fields.iter().find(|(name, _)| *name == "id").ok_or(StsRecordError)?;
        if id.len() > ID || !id.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
            return Err(StsRecordError);
        }
        Ok(Self { id: Arc::from(*id) })
    }

    /// The record among all TXT records of the name, if there is exactly one, and it is good.
    #[must_use]
    pub fn select(records: &[Bytes]) -> Option<Self> {
        Self::parse(fields::select(records, VERSION)?).ok()
    }

    /// What changes with the policy.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn shared_id(&self) -> Arc<str> {
        Arc::clone(&self.id)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn id(record: &str) -> Option<Arc<str>> {
        StsRecord::parse(record.as_bytes()).ok().map(|record| record.id)
    }

    #[test]
    fn white_space_and_order_and_unknown_fields_do_not_matter() {
        for record in [
            "v=STSv1;id=a1",
            "v=STSv1; id=a1;",
            "v=STSv1 \t; \tid=a1 \t; ",
            "v=STSv1; more=x:y<z; id=a1; e.x-t_1=2",
            "v=STSv1; id=a1; id=b2",
        ] {
            assert_eq!(id(record).as_deref(), Some("a1"), "{record}");
        }
        assert!(id(&alloc::format!("v=STSv1; id={}", "a".repeat(32))).is_some());
    }

    #[test]
    fn what_is_against_the_grammar_is_no_record() {
        for record in [
            "",
            "v=STSv1",
            "v=STSv1;",
            "v=STSv1 id=a",
            "v=STSv10; id=a",
            "V=STSv1; id=a",
            "v=stsv1; id=a",
            " v=STSv1; id=a",
            "v=STSv1; ID=a",
            "v=STSv1; id=",
            "v=STSv1; id = a",
            "v=STSv1; id=a-b",
            "v=STSv1; id=a ",
            "v=STSv1; id=a;;",
            "v=STSv1;; id=a",
            "v=STSv1; ext=1",
            "v=STSv1; id=a; more=",
            "v=STSv1; id=a; more=x y",
            "v=STSv1; id=a; more==",
            "v=STSv1; id=a; 1%=a",
            "v=STSv1; id=a; _x=a",
            "v=STSv1; id=a; more=\u{e9}",
            "v=STSv1; id=a; more=\u{7f}",
        ] {
            assert_eq!(id(record), None, "{record}");
        }
        assert_eq!(id(&alloc::format!("v=STSv1; id={}", "a".repeat(33))), None);
        assert_eq!(id(&alloc::format!("v=STSv1; id=a; {}=1", "a".repeat(33))), None);
    }

    #[test]
    fn unrelated_records_do_no_harm() {
        let select = |records: &[&str]| {
            let records: Vec<Bytes> =
                records.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect();
            StsRecord::select(&records).map(|record| record.id)
        };
        assert_eq!(select(&["spf", "v=STSv1; id=a"]).as_deref(), Some("a"));
        assert_eq!(select(&["v=STSv1 ; id=a"]).as_deref(), Some("a"), "alone, the grammar counts");
        assert_eq!(select(&["v=STSv1 ; id=a", "v=STSv1; id=b"]).as_deref(), Some("b"));
        assert_eq!(select(&["v=STSv1; id=a", "v=STSv1; id=b"]), None);
        assert_eq!(select(&["v=STSv1; id=a", "v=STSv1; id=a"]), None);
        assert_eq!(select(&["x", "v=STSv1;"]), None);
        assert_eq!(select(&[]), None);
    }
}
