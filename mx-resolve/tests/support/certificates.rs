//! Certificates for tests: authorities, hosts, and records about them.

#![allow(dead_code, reason = "each test uses some of it")]

use mailwright_mx::dns::Tlsa;
use mailwright_mx::verify::Certificate;
use mailwright_mx::verify::pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use sha2::{Digest as _, Sha256, Sha512};

/// Someone with a key and a certificate.
pub(crate) struct Party {
    pub(crate) params: CertificateParams,
    pub(crate) key: KeyPair,
    pub(crate) der: CertificateDer<'static>,
}

/// A party that `by` vouches for, or that does so itself.
pub(crate) fn party(by: Option<&Party>, change: impl FnOnce(&mut CertificateParams)) -> Party {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2050, 1, 1);
    change(&mut params);
    let der = match by {
        Some(by) => {
            let issuer = Issuer::from_params(&by.params, &by.key);
            params.signed_by(&key, &issuer).unwrap().der().clone()
        }
        None => params.self_signed(&key).unwrap().der().clone(),
    };
    Party { params, key, der }
}

/// An authority, whose name makes it different from others.
pub(crate) fn authority(name: &str, by: Option<&Party>, length: Option<u8>) -> Party {
    party(by, |params| {
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca =
            IsCa::Ca(length.map_or(BasicConstraints::Unconstrained, BasicConstraints::Constrained));
    })
}

/// A host with these names.
pub(crate) fn host(by: &Party, names: &[&str]) -> Party {
    party(Some(by), |params| {
        params.subject_alt_names =
            names.iter().map(|name| rcgen::SanType::DnsName((*name).try_into().unwrap())).collect();
    })
}

/// The record of that kind about a certificate.
pub(crate) fn record(usage: u8, selector: u8, matching: u8, of: &Party) -> Tlsa {
    let part = if selector == 0 { &of.der[..] } else { Certificate::parse(&of.der).unwrap().public_key };
    let data = match matching {
        0 => part.to_vec(),
        1 => Sha256::digest(part).to_vec(),
        _ => Sha512::digest(part).to_vec(),
    };
    Tlsa { usage, selector, matching, data: data.into() }
}

pub(crate) fn algorithms() -> &'static [&'static dyn SignatureVerificationAlgorithm] {
    rustls::crypto::ring::default_provider().signature_verification_algorithms.all
}

pub(crate) fn now() -> UnixTime {
    UnixTime::since_unix_epoch(core::time::Duration::from_secs(1_800_000_000))
}
