//! TLSRPT (RFC 8460): the record that says where reports go, and findings, the data of such reports. Reports are made and
//! sent by the host.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::fields;
use crate::name::DomainName;

const VERSION: &str = "v=TLSRPTv1";

/// The record at `_smtp._tls`: where reports about a domain go.
///
/// ```
/// use mailwright_mx::tlsrpt::TlsrptRecord;
///
/// let record = TlsrptRecord::parse(b"v=TLSRPTv1; rua=mailto:a@example.org, https://example.org/tls")?;
/// assert_eq!(record.rua, ["mailto:a@example.org", "https://example.org/tls"]);
/// # Ok::<(), mailwright_mx::tlsrpt::TlsrptRecordError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsrptRecord {
    /// Where to send reports, in order; at least one. Printable ASCII; whether a URI is of use is up to who sends.
    pub rua: Vec<String>,
}

/// A TXT record that is none of TLSRPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("no record of TLSRPT")]
#[non_exhaustive]
pub struct TlsrptRecordError;

impl TlsrptRecord {
    /// Reads a record, its strings joined. Fields that are not known are ignored.
    ///
    /// # Errors
    /// If it is not `v=TLSRPTv1` with a `rua` of at least one URI.
    pub fn parse(record: &[u8]) -> Result<Self, TlsrptRecordError> {
        // RFC 8460 §3: a list may have white space around its commas, which is not allowed anywhere else in a value.
        let mut joined = Vec::with_capacity(record.len());
        for &octet in record {
            match joined.last() {
                Some(b',') if fields::is_white(octet) => {}
                _ => {
                    if octet == b',' {
                        while joined.last().is_some_and(|last| fields::is_white(*last)) {
                            joined.pop();
                        }
                    }
                    joined.push(octet);
                }
            }
        }
        let fields = fields::fields(&joined, VERSION).ok_or(TlsrptRecordError)?;
        if fields.iter().any(|(name, value)| *name != "rua" && value.contains('=')) {
            return Err(TlsrptRecordError);
        }
        let (_, uris) = fields.iter().find(|(name, _)| *name == "rua").ok_or(TlsrptRecordError)?;
        let uri = |text: &str| {
            let (scheme, rest) = text.split_once(':')?;
            let good = scheme.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.'))
                && !rest.is_empty()
                && !rest.contains('!');
            good.then(|| String::from(text))
        };
        let rua = uris.split(',').map(uri).collect::<Option<Vec<_>>>().ok_or(TlsrptRecordError)?;
        Ok(Self { rua })
    }

    /// The record among all TXT records of the name, if there is exactly one, and it is good.
    #[must_use]
    pub fn select(records: &[Bytes]) -> Option<Self> {
        Self::parse(fields::select(records, VERSION)?).ok()
    }
}

/// What went wrong, in the words of RFC 8460 §4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ResultType {
    /// The host does not offer STARTTLS.
    StartTlsNotSupported,
    /// The certificate has other names.
    CertificateHostMismatch,
    /// The certificate has expired.
    CertificateExpired,
    /// No trusted root vouches for the certificate.
    CertificateNotTrusted,
    /// Something else.
    ValidationFailure,
    /// There are TLSA records, and none of them vouches for the certificate or can be used.
    TlsaInvalid,
    /// What DNSSEC should vouch for could not be had.
    DnssecInvalid,
    /// DANE is required of the destination, which has none.
    DaneRequired,
    /// The policy could not be fetched.
    StsPolicyFetchError,
    /// The policy is none.
    StsPolicyInvalid,
    /// The certificate of the policy host is not valid.
    StsWebPkiInvalid,
}

impl ResultType {
    /// The word of a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        // RFC 8460 §4.3: the types of results.
        match self {
            Self::StartTlsNotSupported => "starttls-not-supported",
            Self::CertificateHostMismatch => "certificate-host-mismatch",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateNotTrusted => "certificate-not-trusted",
            Self::ValidationFailure => "validation-failure",
            Self::TlsaInvalid => "tlsa-invalid",
            Self::DnssecInvalid => "dnssec-invalid",
            Self::DaneRequired => "dane-required",
            Self::StsPolicyFetchError => "sts-policy-fetch-error",
            Self::StsPolicyInvalid => "sts-policy-invalid",
            Self::StsWebPkiInvalid => "sts-webpki-invalid",
        }
    }
}

/// What kind of policy a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PolicyType {
    /// TLSA records.
    Tlsa,
    /// MTA-STS.
    Sts,
    /// Neither was found.
    NoPolicyFound,
}

impl PolicyType {
    /// The word of a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tlsa => "tlsa",
            Self::Sts => "sts",
            Self::NoPolicyFound => "no-policy-found",
        }
    }
}

/// Something that a report would tell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What kind of policy it is about.
    pub policy: PolicyType,
    /// What went wrong.
    pub result: ResultType,
    /// The mail host, if it is about one.
    pub host: Option<DomainName>,
    /// More about it: a word or two, for the reason code.
    pub detail: String,
}

impl Finding {
    /// A finding.
    #[must_use]
    pub const fn new(
        policy: PolicyType,
        result: ResultType,
        host: Option<DomainName>,
        detail: String,
    ) -> Self {
        Self { policy, result, host, detail }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.result.as_str())?;
        if let Some(host) = &self.host {
            write!(f, ": {host}")?;
        }
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rua(record: &str) -> Option<Vec<String>> {
        TlsrptRecord::parse(record.as_bytes()).ok().map(|record| record.rua)
    }

    #[test]
    fn places_are_read_in_order_and_unknown_fields_ignored() {
        assert_eq!(rua("v=TLSRPTv1;rua=mailto:a@b?subject=x;").unwrap(), ["mailto:a@b?subject=x"]);
        assert_eq!(
            rua("v=TLSRPTv1; more=1; rua=https://a.b/c \t, mailto:d").unwrap(),
            ["https://a.b/c", "mailto:d"]
        );
        assert_eq!(rua("v=TLSRPTv1; rua=mailto:a; rua=mailto:b").unwrap(), ["mailto:a"]);
    }

    #[test]
    fn what_is_against_the_grammar_is_no_record() {
        for record in [
            "",
            "v=TLSRPTv1",
            "v=TLSRPTv1;",
            "v=TLSRPTv2; rua=mailto:a",
            "v=tlsrptv1; rua=mailto:a",
            "v=TLSRPTv1; rua=",
            "v=TLSRPTv1; rua=mailto",
            "v=TLSRPTv1; rua=mailto:a,",
            "v=TLSRPTv1; rua=,mailto:a",
            "v=TLSRPTv1; rua=mailto:a mailto:b",
            "v=TLSRPTv1; rua=mailto:a!10m",
            "v=TLSRPTv1; rua=1x:a",
            "v=TLSRPTv1; rua=mailto:a; x==",
            "v=TLSRPTv1; more=1",
        ] {
            assert_eq!(rua(record), None, "{record}");
        }
    }

    #[test]
    fn of_several_records_the_one_with_the_version_counts() {
        let select = |records: &[&str]| {
            let records: Vec<Bytes> =
                records.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect();
            TlsrptRecord::select(&records).is_some()
        };
        assert!(select(&["x", "v=TLSRPTv1; rua=mailto:a"]) && select(&["v=TLSRPTv1 ; rua=mailto:a"]));
        assert!(!select(&["v=TLSRPTv1; rua=mailto:a", "v=TLSRPTv1; rua=mailto:b"]));
        assert!(!select(&["v=TLSRPTv1 ; rua=mailto:a", "x"]) && !select(&[]));
    }
}
