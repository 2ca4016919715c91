//! The hash of a certificate for the channel binding `tls-server-end-point`: RFC 5929 §4.1. Reads no more
//! of the certificate than the name of its signature's algorithm.

use bytes::Bytes;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

/// The hash by the certificate's own signature algorithm; `None` if that has no single hash function
/// (Ed25519, RSASSA-PSS), or if this is no certificate.
pub(crate) fn end_point(certificate: &[u8]) -> Option<Bytes> {
    let hash = |octets: &[u8]| Bytes::copy_from_slice(octets);
    // RFC 5929 §4.1: MD5 and SHA-1 are replaced by SHA-256; others are used as they are.
    Some(match signature_algorithm(certificate)? {
        // RSA (1.2.840.113549.1.1.n).
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last] => match last {
            4 | 5 | 11 => hash(&Sha256::digest(certificate)),
            12 => hash(&Sha384::digest(certificate)),
            13 => hash(&Sha512::digest(certificate)),
            14 => hash(&Sha224::digest(certificate)),
            _ => return None,
        },
        // ECDSA with SHA-1 (1.2.840.10045.4.1) and DSA with SHA-1 (1.2.840.10040.4.3).
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01] | [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03] => {
            hash(&Sha256::digest(certificate))
        }
        // ECDSA (1.2.840.10045.4.3.n).
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, last] => match last {
            1 => hash(&Sha224::digest(certificate)),
            2 => hash(&Sha256::digest(certificate)),
            3 => hash(&Sha384::digest(certificate)),
            4 => hash(&Sha512::digest(certificate)),
            _ => return None,
        },
        _ => return None,
    })
}

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER …
fn signature_algorithm(certificate: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = value(certificate, SEQUENCE)?;
    let (_, rest) = value(certificate, SEQUENCE)?;
    let (algorithm, _) = value(rest, SEQUENCE)?;
    Some(value(algorithm, OBJECT_IDENTIFIER)?.0)
}

/// The content of a value in DER with this tag, and what stands behind it.
fn value(octets: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = octets.split_first()?;
    if first != tag {
        return None;
    }
    let (&short, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(short) {
        length @ 0..0x80 => (length, rest),
        more => {
            // A length in at most four octets.
            let (digits, rest) =
                rest.split_at_checked(more - 0x80).filter(|(digits, _)| digits.len() <= 4)?;
            (digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit)), rest)
        }
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// Something of the shape of a certificate, signed by the algorithm of this name.
    fn certificate(algorithm: &[u8]) -> Vec<u8> {
        let wrap = |tag, content: &[u8]| {
            let mut octets = Vec::from([tag]);
            match u8::try_from(content.len()) {
                Ok(length) if length < 0x80 => octets.push(length),
                _ => octets.extend_from_slice(
                    &[&[0x82][..], &u16::try_from(content.len()).unwrap().to_be_bytes()].concat(),
                ),
            }
            octets.extend_from_slice(content);
            octets
        };
        let signed = wrap(SEQUENCE, &[0; 300]);
        let algorithm = wrap(SEQUENCE, &wrap(OBJECT_IDENTIFIER, algorithm));
        wrap(SEQUENCE, &[signed, algorithm, wrap(3, &[0; 64])].concat())
    }

    fn length(algorithm: &[u8]) -> Option<usize> {
        end_point(&certificate(algorithm)).map(|hash| hash.len())
    }

    #[test]
    fn the_hash_is_that_of_the_signature_but_never_a_weak_one() {
        let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
        for (last, octets) in [
            (4, Some(32)),
            (5, Some(32)),
            (11, Some(32)),
            (12, Some(48)),
            (13, Some(64)),
            (14, Some(28)),
            (10, None),
            (1, None),
        ] {
            assert_eq!(length(&[&rsa[..], &[last]].concat()), octets, "RSA {last}");
        }
        let ecdsa = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
        for (last, octets) in [(1, Some(28)), (2, Some(32)), (3, Some(48)), (4, Some(64)), (5, None)] {
            assert_eq!(length(&[&ecdsa[..], &[last]].concat()), octets, "ECDSA {last}");
        }
        assert_eq!(length(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01]), Some(32));
        assert_eq!(length(&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03]), Some(32));
        // Ed25519 (1.3.101.112) has no single hash function.
        assert_eq!(length(&[0x2b, 0x65, 0x70]), None);
    }

    #[test]
    fn the_hash_is_over_the_whole_certificate() {
        let certificate = certificate(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]);
        assert_eq!(end_point(&certificate).unwrap(), Sha256::digest(&certificate).as_slice());
    }

    #[test]
    fn what_is_cut_off_anywhere_before_the_algorithm_is_no_certificate() {
        let certificate = certificate(&[0x2b, 0x65, 0x70]);
        for end in 0..certificate.len() {
            assert_eq!(signature_algorithm(&certificate[..end]), None, "{end}");
        }
        assert_eq!(end_point(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(end_point(&[0x30, 0xff]), None);
        assert_eq!(end_point(&[0x30, 0x80]), None);
    }
}
