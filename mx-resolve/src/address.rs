//! Which addresses mail may be sent to: the filter against records that point into the host's own network.
//!
//! Addresses that carry an IPv4 address inside are judged by that one too.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusedAddress {
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// `0.0.0.0/8`, `::`.
    Unspecified,
    /// `224.0.0.0/4`, `ff00::/8`, and the broadcast address.
    Multicast,
    /// `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// `10.0.0.0/8` and its like, `fc00::/7`.
    Private,
    /// `240.0.0.0/4`: not in use.
    Reserved,
}

impl RefusedAddress {
    /// A word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Unspecified => "unspecified",
            Self::Multicast => "multicast",
            Self::LinkLocal => "link-local",
            Self::Private => "private",
            Self::Reserved => "reserved",
        }
    }
}

/// Which addresses from the DNS may be dialled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddressPolicy {
    /// Loopback addresses are hosts like others. Default: no. For tests.
    pub allow_loopback: bool,
    /// Private addresses are refused. Default: no, since private networks have mail hosts too.
    pub refuse_private: bool,
}

impl AddressPolicy {
    /// Why `address` is not dialled, if so.
    ///
    /// ```
    /// use mailwright_mx::{AddressPolicy, RefusedAddress};
    ///
    /// let policy = AddressPolicy::default();
    /// assert_eq!(policy.refuses("::ffff:127.0.0.1".parse().unwrap()), Some(RefusedAddress::Loopback));
    /// assert_eq!(policy.refuses("192.0.2.1".parse().unwrap()), None);
    /// ```
    #[must_use]
    pub fn refuses(&self, address: IpAddr) -> Option<RefusedAddress> {
        let refused = match address {
            IpAddr::V4(address) => v4(address),
            IpAddr::V6(address) => v6(address),
        }?;
        match refused {
            RefusedAddress::Loopback if self.allow_loopback => None,
            RefusedAddress::Private if !self.refuse_private => None,
            other => Some(other),
        }
    }
}

fn v4(address: Ipv4Addr) -> Option<RefusedAddress> {
    let first = address.octets()[0];
    if address.is_loopback() {
        Some(RefusedAddress::Loopback)
    } else if first == 0 {
        Some(RefusedAddress::Unspecified)
    } else if address.is_multicast() || address.is_broadcast() {
        Some(RefusedAddress::Multicast)
    } else if address.is_link_local() {
        Some(RefusedAddress::LinkLocal)
    } else if address.is_private() || (first == 100 && address.octets()[1] & 0xc0 == 64) {
        Some(RefusedAddress::Private)
    } else if first >= 240 {
        Some(RefusedAddress::Reserved)
    } else {
        None
    }
}

fn v6(address: Ipv6Addr) -> Option<RefusedAddress> {
    if address.is_loopback() {
        return Some(RefusedAddress::Loopback);
    }
    if address.is_unspecified() {
        return Some(RefusedAddress::Unspecified);
    }
    if let Some(inner) = embedded(address) {
        return v4(inner);
    }
    let first = address.segments()[0];
    if address.is_multicast() {
        Some(RefusedAddress::Multicast)
    } else if first & 0xffc0 == 0xfe80 {
        Some(RefusedAddress::LinkLocal)
    } else if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 {
        Some(RefusedAddress::Private)
    } else {
        None
    }
}

/// The IPv4 address that a packet to `address` ends at: mapped, compatible, translated or tunnelled.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

/// The address as it is compared: an IPv4 address inside an IPv6 one stands for itself.
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, policy: &AddressPolicy) -> Option<&'static str> {
        policy.refuses(text.parse().unwrap()).map(RefusedAddress::as_str)
    }

    #[test]
    fn addresses_that_point_inwards_are_refused_in_every_disguise() {
        let policy = AddressPolicy { refuse_private: true, ..AddressPolicy::default() };
        for (text, reason) in [
            ("127.0.0.1", "loopback"),
            ("127.255.0.3", "loopback"),
            ("::1", "loopback"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::127.0.0.1", "loopback"),
            ("64:ff9b::7f00:1", "loopback"),
            ("2002:7f00:1::1", "loopback"),
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "unspecified"),
            ("::", "unspecified"),
            ("224.0.0.1", "multicast"),
            ("255.255.255.255", "multicast"),
            ("ff02::1", "multicast"),
            ("169.254.169.254", "link-local"),
            ("fe80::1", "link-local"),
            ("::ffff:169.254.169.254", "link-local"),
            ("10.0.0.1", "private"),
            ("172.16.0.1", "private"),
            ("192.168.0.1", "private"),
            ("100.64.0.1", "private"),
            ("fd00::1", "private"),
            ("fec0::1", "private"),
            ("240.0.0.1", "reserved"),
        ] {
            assert_eq!(refused(text, &policy), Some(reason), "{text}");
        }
    }

    #[test]
    fn other_addresses_pass() {
        let policy = AddressPolicy { refuse_private: true, ..AddressPolicy::default() };
        for text in
            ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "100.128.0.1", "172.32.0.1", "2002:c000:201::1"]
        {
            assert_eq!(refused(text, &policy), None, "{text}");
        }
    }

    #[test]
    fn the_policy_decides_about_loopback_and_private() {
        let lax = AddressPolicy { allow_loopback: true, refuse_private: false };
        assert_eq!(refused("127.0.0.1", &lax), None);
        assert_eq!(refused("::1", &lax), None);
        assert_eq!(refused("10.0.0.1", &lax), None);
        assert_eq!(refused("169.254.0.1", &lax), Some("link-local"));
    }
}
