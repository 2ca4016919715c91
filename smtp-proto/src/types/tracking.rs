//! MTRK: what a client asks to be kept so that a message can be tracked. RFC 3885 §3.1.
//!
//! Here is the value and its form. Keeping the certifier and answering for it is the business of the host.

use core::fmt;
use core::str::FromStr;

use bytes::Bytes;
use mailwright_sasl::base64;

use super::date_time::InvalidRequest;
use super::request::decimal;

/// MTRK: a hash by which who sent the message proves it later, and for how long it is to be kept.
///
/// ```
/// use mailwright_smtp::types::Tracking;
///
/// let tracking: Tracking = "qUqP5cyxm6YcTAhz05Hph5gvu9M:86400".parse()?;
/// assert_eq!((tracking.certifier(), tracking.timeout()), ("qUqP5cyxm6YcTAhz05Hph5gvu9M", Some(86_400)));
/// assert_eq!(tracking.to_string(), "qUqP5cyxm6YcTAhz05Hph5gvu9M:86400");
/// assert!("no base64".parse::<Tracking>().is_err());
/// # Ok::<(), mailwright_smtp::types::InvalidRequest>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Tracking {
    certifier: Bytes,
    timeout: Option<u32>,
}

impl Tracking {
    /// From the SHA-1 hash of the sender's secret. `timeout`: seconds, up to 999 999 999.
    ///
    /// # Errors
    /// If the timeout is larger.
    pub fn new(hash: &[u8; 20], timeout: Option<u32>) -> Result<Self, InvalidRequest> {
        if timeout.is_some_and(|seconds| seconds > 999_999_999) {
            return Err(InvalidRequest);
        }
        let mut certifier = bytes::BytesMut::new();
        base64::encode(hash, &mut certifier);
        // RFC 5321 §4.1.2: no "=" stands in a value, so the padding is left out.
        let padding = certifier.iter().rev().take_while(|&&octet| octet == b'=').count();
        certifier.truncate(certifier.len() - padding);
        Ok(Self { certifier: certifier.freeze(), timeout })
    }

    /// The hash in base64 as it came, with or without padding.
    #[must_use]
    pub fn certifier(&self) -> &str {
        core::str::from_utf8(&self.certifier).unwrap_or_default()
    }

    /// Seconds for which it is to be kept; `None` leaves that to the server.
    #[must_use]
    pub const fn timeout(&self) -> Option<u32> {
        self.timeout
    }

    /// The same with what is left of the time: a relay takes off the seconds that the message was with it.
    /// `None` if nothing is left: then nothing is passed on (RFC 3885 §3.1).
    #[must_use]
    pub fn after(&self, seconds: u32) -> Option<Self> {
        let timeout = match self.timeout {
            None => None,
            Some(timeout) => Some(timeout.checked_sub(seconds).filter(|&left| left > 0)?),
        };
        Some(Self { certifier: self.certifier.clone(), timeout })
    }

    /// A copy that keeps no larger buffer alive.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self { certifier: Bytes::copy_from_slice(&self.certifier), timeout: self.timeout }
    }
}

impl FromStr for Tracking {
    type Err = InvalidRequest;

    /// `base64[:seconds]`.
    fn from_str(text: &str) -> Result<Self, InvalidRequest> {
        let (certifier, timeout) = match text.split_once(':') {
            None => (text, None),
            Some((certifier, timeout)) => (certifier, Some(decimal(timeout)?)),
        };
        let digits = certifier.trim_end_matches('=');
        let is_digit = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
        let padding = certifier.len() - digits.len();
        let padded = padding == 0 || certifier.len() % 4 == 0 && padding <= 2;
        if digits.len() < 2 || digits.len() % 4 == 1 || !padded || !digits.bytes().all(is_digit) {
            return Err(InvalidRequest);
        }
        Ok(Self { certifier: Bytes::copy_from_slice(certifier.as_bytes()), timeout })
    }
}

impl fmt::Display for Tracking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.certifier())?;
        self.timeout.map_or(Ok(()), |timeout| write!(f, ":{timeout}"))
    }
}

impl fmt::Debug for Tracking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn a_certifier_is_base64_with_or_without_padding() {
        for text in ["AA", "AAA", "AAAA", "AA==", "AAA=", "a+/9:1", "AAAA:999999999", "AA==:000000001"] {
            let tracking: Tracking = text.parse().unwrap();
            assert_eq!(tracking.to_string().parse(), Ok(tracking), "{text}");
        }
        for text in [
            "",
            "A",
            "AAAAA",
            "A===",
            "AA=",
            "AAAA=",
            "AA=A",
            "A-A",
            ":1",
            "AA:",
            "AA:+1",
            "AA:1000000000",
            "AA:1:2",
            "=",
            "AA: 1",
        ] {
            assert_eq!(text.parse::<Tracking>(), Err(InvalidRequest), "{text:?}");
        }
    }

    #[test]
    fn what_is_made_of_a_hash_can_stand_in_a_parameter() {
        let tracking = Tracking::new(&[0xff; 20], Some(60)).unwrap();
        assert_eq!(tracking.to_string(), "//////////////////////////8:60");
        assert_eq!(tracking.to_string().parse(), Ok(tracking));
        assert_eq!(Tracking::new(&[0; 20], Some(1_000_000_000)), Err(InvalidRequest));
    }

    #[test]
    fn a_relay_passes_on_what_is_left_of_the_time() {
        let tracking: Tracking = "AAAA:60".parse().unwrap();
        assert_eq!(tracking.after(59).unwrap().to_string(), "AAAA:1");
        assert_eq!(tracking.after(60), None);
        assert_eq!(tracking.after(u32::MAX), None);
        let endless: Tracking = "AAAA".parse().unwrap();
        assert_eq!(endless.after(u32::MAX), Some(endless));
    }
}
