//! Chains: to a trust anchor out of TLSA records, or to a trusted root.

use alloc::vec::Vec;

use rustls_pki_types::{CertificateDer, Der, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use sha2::{Digest as _, Sha256, Sha512};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use super::certificate::Certificate;
use super::names::{Identifiers, has_name};
use crate::dane::{END_ENTITY, FULL, SHA256, SHA512, TRUST_ANCHOR};
use crate::dns::Tlsa;
use crate::name::DomainName;
use crate::plan::Dane;
use crate::tlsrpt::ResultType;

/// Certificates of a chain that are looked at.
const CHAIN: usize = 16;

/// Why a certificate is not what the plan asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// There is no certificate, or none that can be read.
    #[error("the certificate cannot be read")]
    Malformed,
    /// No TLSA record vouches for it.
    #[error("no TLSA record matches the certificate chain")]
    NoTlsa,
    /// No trusted root vouches for it.
    #[error("no trusted root vouches for the certificate")]
    NotTrusted,
    /// Its time is over.
    #[error("the certificate has expired")]
    Expired,
    /// Its time has not come.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// It has none of the names.
    #[error("the certificate has another name")]
    Name,
    /// Something else.
    #[error("the certificate is not valid")]
    Invalid,
}

impl VerifyError {
    /// The type of result of a report.
    #[must_use]
    pub const fn result_type(self) -> ResultType {
        // RFC 8460 §4.3: the closest of its types.
        match self {
            Self::NoTlsa => ResultType::TlsaInvalid,
            Self::NotTrusted => ResultType::CertificateNotTrusted,
            Self::Expired => ResultType::CertificateExpired,
            Self::Name => ResultType::CertificateHostMismatch,
            Self::Malformed | Self::NotYetValid | Self::Invalid => ResultType::ValidationFailure,
        }
    }

    /// Of two reasons, the one that tells more: that of a certificate that got further.
    fn or(self, other: Self) -> Self {
        let rank = |error: Self| match error {
            Self::NoTlsa => 0,
            Self::NotTrusted => 1,
            Self::Malformed | Self::Invalid => 2,
            Self::Expired | Self::NotYetValid => 3,
            Self::Name => 4,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// Whether the chain, the host's own certificate first, matches the TLSA records. Gives the record that vouches for it.
///
/// # Errors
/// If none does.
pub fn verify_dane<'a>(
    dane: &'a Dane,
    chain: &[CertificateDer<'_>],
    algorithms: &[&dyn SignatureVerificationAlgorithm],
    now: UnixTime,
) -> Result<&'a Tlsa, VerifyError> {
    let (first, others) = chain.split_first().ok_or(VerifyError::Malformed)?;
    let leaf = Certificate::parse(first).ok_or(VerifyError::Malformed)?;
    // RFC 7672 §3.1.1: DANE-EE is about the key, or the certificate, and neither names nor lifetimes count.
    let of = |usage| dane.tlsa.iter().filter(move |record| record.usage == usage);
    if let Some(record) = of(END_ENTITY).find(|record| matches(record, &leaf)) {
        return Ok(record);
    }
    // What is behind the limit cannot be reached from the certificate, as chains go.
    let others = others.get(..others.len().min(CHAIN)).unwrap_or(others);
    let read: Vec<(&CertificateDer<'_>, Certificate<'_>)> =
        others.iter().filter_map(|other| Some((other, Certificate::parse(other)?))).collect();
    let mut why = VerifyError::NoTlsa;
    for record in of(TRUST_ANCHOR) {
        let mut reached = |anchor: Option<Anchor<'_>>| {
            let result = anchor.ok_or(VerifyError::Invalid).and_then(|anchor| {
                // RFC 7672 §3.1.2: a chain to the anchor, and a name.
                path(first, others, anchor.trust, anchor.path_length, algorithms, now)
            });
            let named = result.and_then(|()| {
                // RFC 7672 §3.2.2: one of the reference names.
                let named = has_name(&leaf, &dane.names, Identifiers::DnsOrCommon);
                if named { Ok(()) } else { Err(VerifyError::Name) }
            });
            named.map_err(|error| why = why.or(error)).is_ok()
        };
        // RFC 7671 §5.2.2: the anchor is in the chain.
        if read.iter().any(|(octets, parsed)| matches(record, parsed) && reached(Anchor::of(octets, parsed)))
        {
            return Ok(record);
        }
        // RFC 7671 §5.2.2, §5.2.3: or the record holds all of it: the certificate, or the key.
        if record.matching == FULL {
            let octets = CertificateDer::from(&record.data[..]);
            let anchor = match record.selector {
                0 => Certificate::parse(&record.data).and_then(|parsed| Anchor::of(&octets, &parsed)),
                _ => {
                    let top = read.last().map_or(&leaf, |(_, last)| last);
                    Anchor::of_key(&record.data, top.issuer)
                }
            };
            if anchor.is_some() && reached(anchor) {
                return Ok(record);
            }
        }
    }
    Err(why)
}

/// Whether the chain leads from the host's own certificate to one of the roots, and it has one of the names.
///
/// # Errors
/// If not.
pub fn verify_pkix(
    names: &[DomainName],
    chain: &[CertificateDer<'_>],
    roots: &[TrustAnchor<'_>],
    algorithms: &[&dyn SignatureVerificationAlgorithm],
    now: UnixTime,
) -> Result<(), VerifyError> {
    let (first, others) = chain.split_first().ok_or(VerifyError::Malformed)?;
    let leaf = Certificate::parse(first).ok_or(VerifyError::Malformed)?;
    let certificate = EndEntityCert::try_from(first).map_err(|_| VerifyError::Malformed)?;
    certificate
        .verify_for_usage(algorithms, roots, others, now, KeyUsage::server_auth(), None, None)
        .map_err(|error| judged(&error))?;
    // RFC 8461 §4.2: the name is that of the host.
    if has_name(&leaf, names, Identifiers::Dns) { Ok(()) } else { Err(VerifyError::Name) }
}

/// Whether the record is about the certificate.
fn matches(record: &Tlsa, certificate: &Certificate<'_>) -> bool {
    // RFC 6698 §2.1.2: the certificate, or its key. §2.1.3: all of it, or a digest.
    let part = if record.selector == 0 { certificate.octets } else { certificate.public_key };
    match record.matching {
        FULL => record.data == part,
        SHA256 => record.data == Sha256::digest(part).as_slice(),
        SHA512 => record.data == Sha512::digest(part).as_slice(),
        _ => false,
    }
}

/// An authority that a TLSA record vouches for.
struct Anchor<'a> {
    trust: TrustAnchor<'a>,
    path_length: Option<usize>,
}

impl<'a> Anchor<'a> {
    /// RFC 7671 §5.2.1: what the certificate of an authority restricts counts.
    fn of(octets: &'a CertificateDer<'a>, parsed: &Certificate<'_>) -> Option<Self> {
        if parsed.has_extensions && !parsed.is_authority {
            return None;
        }
        let trust = webpki::anchor_from_trusted_cert(octets).ok()?;
        Some(Self { trust, path_length: parsed.path_length })
    }

    /// A key without a certificate: whatever name the last certificate says that it was issued by.
    fn of_key(key: &'a [u8], issuer: &'a [u8]) -> Option<Self> {
        let header = match key {
            [0x30, 0x81, ..] => 3,
            [0x30, 0x82, ..] => 4,
            [0x30, _, ..] => 2,
            _ => return None,
        };
        let trust = TrustAnchor {
            subject: Der::from_slice(issuer),
            subject_public_key_info: Der::from_slice(key.get(header..)?),
            name_constraints: None,
        };
        Some(Self { trust, path_length: None })
    }
}

fn path(
    first: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    anchor: TrustAnchor<'_>,
    length: Option<usize>,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
    now: UnixTime,
) -> Result<(), VerifyError> {
    let certificate = EndEntityCert::try_from(first).map_err(|_| VerifyError::Malformed)?;
    let short = |path: &VerifiedPath<'_>| match length {
        Some(length) if path.intermediate_certificates().count() > length => {
            Err(webpki::Error::PathLenConstraintViolated)
        }
        _ => Ok(()),
    };
    let anchors = [anchor];
    certificate
        .verify_for_usage(algorithms, &anchors, others, now, KeyUsage::server_auth(), None, Some(&short))
        .map(drop)
        .map_err(|error| judged(&error))
}

fn judged(error: &webpki::Error) -> VerifyError {
    match error {
        webpki::Error::CertExpired { .. } => VerifyError::Expired,
        webpki::Error::CertNotValidYet { .. } => VerifyError::NotYetValid,
        webpki::Error::UnknownIssuer
        | webpki::Error::CaUsedAsEndEntity
        | webpki::Error::PathLenConstraintViolated
        | webpki::Error::NameConstraintViolation
        | webpki::Error::MaximumPathBuildCallsExceeded
        | webpki::Error::MaximumPathDepthExceeded
        | webpki::Error::MaximumSignatureChecksExceeded => VerifyError::NotTrusted,
        _ => VerifyError::Invalid,
    }
}
