//! The resolvers of the system, from `/etc/resolv.conf`.

use alloc::format;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use std::fs;
use std::io;

/// The resolvers that the system asks: this very machine, if the file does not say.
///
/// # Errors
/// If the file is there and cannot be read.
#[expect(clippy::disallowed_methods, reason = "where a driver finds its servers")]
pub fn resolvers() -> io::Result<Vec<SocketAddr>> {
    match fs::read_to_string("/etc/resolv.conf") {
        Ok(text) => Ok(named(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(named("")),
        Err(error) => Err(io::Error::new(error.kind(), format!("/etc/resolv.conf: {error}"))),
    }
}

fn named(text: &str) -> Vec<SocketAddr> {
    let address = |line: &str| -> Option<SocketAddr> {
        let mut words = line.split_whitespace();
        let address = words.next().filter(|word| *word == "nameserver").and(words.next())?;
        Some(SocketAddr::new(address.parse::<IpAddr>().ok()?, 53))
    };
    let found: Vec<SocketAddr> = text.lines().filter_map(address).collect();
    if found.is_empty() { Vec::from([SocketAddr::from(([127, 0, 0, 1], 53))]) } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_are_read_in_order_and_other_lines_are_not() {
        let text = "# nameserver 192.0.2.9\nsearch example.org\nnameserver 192.0.2.1\n nameserver 2001:db8::1 \nnameserver x\n";
        let expected: Vec<SocketAddr> =
            Vec::from(["192.0.2.1:53".parse().unwrap(), "[2001:db8::1]:53".parse().unwrap()]);
        assert_eq!(named(text), expected);
        assert_eq!(named(""), ["127.0.0.1:53".parse().unwrap()]);
    }
}
