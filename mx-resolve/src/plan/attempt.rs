//! [`Attempt`]: one order in which the hosts of a plan are tried, drawn from a seed.
//!
//! The way from seed to order is fixed: hosts of one preference are shuffled ([`SplitMix64::shuffle`]), group after group
//! from the best; then for each host in that order its IPv6 addresses are shuffled, then its IPv4 addresses, and the two
//! are taken in turn, IPv6 first. Of that list the first addresses of each family are kept, half of the cap for each as
//! long as both have so many.

use core::net::IpAddr;

use super::{Host, Plan};
use crate::random::SplitMix64;

/// Hosts of a plan, at most.
pub(crate) const HOSTS: usize = 32;
/// Addresses of one family of a host, at most.
pub(crate) const FAMILY: usize = 16;
/// Addresses of an attempt, at most.
const DIALS: usize = 32;

/// The numbers from 0, to be shuffled.
const NUMBERS: [u8; HOSTS] = {
    let mut numbers = [0; HOSTS];
    let mut at = 0;
    while at < HOSTS {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::indexing_slicing,
            reason = "at most 32, in bounds"
        )]
        {
            numbers[at] = at as u8;
        }
        at += 1;
    }
    numbers
};

/// An address to dial, by index.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Its place in the whole list.
    turn: u16,
    host: u8,
    address: u8,
}

/// The first addresses of one family.
struct Family {
    places: [Place; DIALS],
    length: usize,
}

impl Family {
    const fn new() -> Self {
        Self { places: [Place { turn: 0, host: 0, address: 0 }; DIALS], length: 0 }
    }

    fn taken(&self) -> &[Place] {
        self.places.get(..self.length).unwrap_or_default()
    }

    fn push(&mut self, place: Place) {
        if let Some(slot) = self.places.get_mut(self.length) {
            *slot = place;
            self.length += 1;
        }
    }
}

/// One order in which the hosts of a plan are tried. Made without an allocation.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    plan: &'a Plan,
    order: [u8; HOSTS],
    dials: [Place; DIALS],
    length: usize,
}

/// An address to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dial<'a> {
    /// The host: its port, and what TLS has to be like.
    pub host: &'a Host,
    /// The address.
    pub address: IpAddr,
}

impl Plan {
    /// The order of one attempt. Take a new seed for each.
    ///
    /// An address that several hosts have is dialled once, in its first place, unless TLS has to be different. Both
    /// families of addresses have their share if there are both.
    #[must_use]
    pub fn attempt(&self, seed: u64) -> Attempt<'_> {
        let mut random = SplitMix64::new(seed);
        let mut order = NUMBERS;
        // RFC 5321 §5.1: hosts of equal preference are tried in random order, to spread the load.
        let mut rest = order.get_mut(..self.hosts.len()).unwrap_or_default();
        for group in self.hosts.chunk_by(|one, next| one.preference == next.preference) {
            let (now, later) =
                core::mem::take(&mut rest).split_at_mut_checked(group.len()).unwrap_or_default();
            random.shuffle(now);
            rest = later;
        }
        // RFC 5321 §5.1: at least two addresses are tried. §5.2: both families are worth trying.
        let cap = self.dials.clamp(2, DIALS);
        let (v6, v4) = self.first_of_each_family(&order, cap, &mut random);
        let keep_v4 = v4.length.min((cap / 2).max(cap.saturating_sub(v6.length)));
        let keep_v6 = v6.length.min(cap - keep_v4);
        let (mut v6, mut v4) =
            (v6.taken().iter().take(keep_v6).peekable(), v4.taken().iter().take(keep_v4).peekable());
        let mut attempt = Attempt { plan: self, order, dials: [Place::default(); DIALS], length: 0 };
        for slot in &mut attempt.dials {
            let next = match (v6.peek(), v4.peek()) {
                (Some(six), Some(four)) if four.turn < six.turn => v4.next(),
                (Some(_), _) => v6.next(),
                (None, _) => v4.next(),
            };
            let Some(place) = next else { break };
            *slot = *place;
            attempt.length += 1;
        }
        attempt
    }

    /// The first addresses of IPv6 and of IPv4, without repetitions.
    fn first_of_each_family(
        &self,
        order: &[u8; HOSTS],
        cap: usize,
        random: &mut SplitMix64,
    ) -> (Family, Family) {
        let (mut v6, mut v4) = (Family::new(), Family::new());
        let mut turn = 0;
        for &index in order.iter().take(self.hosts.len()) {
            if v6.length >= cap && v4.length >= cap {
                break;
            }
            let Some(host) = self.hosts.get(usize::from(index)).filter(|host| host.is_reachable()) else {
                continue;
            };
            let split = host.addresses.iter().take_while(|address| address.is_ipv6()).count();
            let mut places: [u8; 2 * FAMILY] = NUMBERS;
            let places = places.get_mut(..host.addresses.len()).unwrap_or_default();
            let (sixes, fours) = places.split_at_mut_checked(split).unwrap_or_default();
            random.shuffle(sixes);
            random.shuffle(fours);
            for at in 0..sixes.len().max(fours.len()) {
                for (family, places) in [(&mut v6, &*sixes), (&mut v4, &*fours)] {
                    let Some(&address) = places.get(at) else { continue };
                    turn += 1;
                    let place = Place { turn, host: index, address };
                    if !self.shared || !family.taken().iter().any(|earlier| self.same(*earlier, place)) {
                        family.push(place);
                    }
                }
            }
        }
        (v6, v4)
    }

    fn same(&self, one: Place, other: Place) -> bool {
        match (self.dial(one), self.dial(other)) {
            (Some(one), Some(other)) => one.address == other.address && one.host.tls == other.host.tls,
            _ => false,
        }
    }

    fn dial(&self, place: Place) -> Option<Dial<'_>> {
        let host = self.hosts.get(usize::from(place.host))?;
        Some(Dial { host, address: *host.addresses.get(usize::from(place.address))? })
    }
}

impl<'a> Attempt<'a> {
    /// All hosts, in the order of this attempt, also those that are not dialled.
    pub fn hosts(&self) -> impl Iterator<Item = &'a Host> + '_ {
        let hosts = &self.plan.hosts;
        self.order
            .iter()
            .take(hosts.len())
            .filter_map(|&index| hosts.get(usize::from(index)).map(|host| &**host))
    }

    /// The addresses to dial, one after the other.
    pub fn dials(&self) -> impl Iterator<Item = Dial<'a>> + '_ {
        self.dials.iter().take(self.length).filter_map(|&place| self.plan.dial(place))
    }
}
