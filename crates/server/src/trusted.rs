//! Whose word is believed.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use squall_net::Address;

/// Addresses of proxies of one's own; the default is none.
///
/// ```
/// use squall_server::Trusted;
///
/// let trusted: Trusted = "10.0.0.0/8, 192.168.1.7, fd00::/8, unix".parse()?;
/// assert!(trusted.has_ip("10.1.2.3".parse()?));
/// assert!(!trusted.has_ip("11.1.2.3".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Trusted {
    networks: Vec<Network>,
    unix: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Network {
    ip: IpAddr,
    /// How many leading bits count.
    bits: u32,
}

impl Trusted {
    /// Says whether an IP address is among them. An IPv4 address that is written as an IPv6 one (`::ffff:10.0.0.1`) is the
    /// IPv4 address.
    pub fn has_ip(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.networks.iter().any(|network| network.has(ip))
    }

    /// Says whether an address is among them: its IP address, or `unix` for whoever connects by a Unix socket.
    pub fn has(&self, address: &Address) -> bool {
        match address {
            Address::Unix(_) => self.unix,
            _ => address.ip().is_some_and(|ip| self.has_ip(ip)),
        }
    }
}

impl Network {
    fn has(&self, ip: IpAddr) -> bool {
        let shares = |ours: u128, theirs: u128, width: u32| {
            self.bits == 0 || (ours ^ theirs) >> (width - self.bits) == 0
        };
        match (self.ip, ip) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                shares(ours.to_bits().into(), theirs.to_bits().into(), 32)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => shares(ours.to_bits(), theirs.to_bits(), 128),
            _ => false,
        }
    }
}

/// A list of addresses that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadTrusted(String);

impl fmt::Display for BadTrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not an address, a network such as 10.0.0.0/8, or unix",
            self.0
        )
    }
}

impl std::error::Error for BadTrusted {}

impl FromStr for Trusted {
    type Err = BadTrusted;

    /// Reads addresses and networks, separated by commas or spaces; the word `unix` stands for all Unix sockets.
    fn from_str(text: &str) -> Result<Self, BadTrusted> {
        let mut trusted = Self::default();
        let words = text.split([',', ' ']).filter(|word| !word.is_empty());
        for word in words {
            if word == "unix" {
                trusted.unix = true;
            } else {
                let network = network(word).ok_or_else(|| BadTrusted(word.to_owned()))?;
                trusted.networks.push(network);
            }
        }
        Ok(trusted)
    }
}

fn network(word: &str) -> Option<Network> {
    let (ip, bits) = match word.split_once('/') {
        None => (word, None),
        Some((ip, bits)) => (ip, Some(bits)),
    };
    let ip: IpAddr = ip.parse().ok()?;
    let width = if ip.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(width), |bits| bits.parse().ok())?;
    (bits <= width).then_some(Network { ip, bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_have_what_shares_their_leading_bits() {
        for (list, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.168.1.7", "192.168.1.7", "192.168.1.6"),
            ("192.168.1.128/25", "192.168.1.200", "192.168.1.127"),
            ("0.0.0.0/0", "8.8.8.8", "::1"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("::1", "::1", "::2"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", "::10.0.0.1"),
            ("127.0.0.1 ::1", "::1", "127.0.0.2"),
        ] {
            let trusted: Trusted = list.parse().unwrap();
            assert!(trusted.has_ip(inside.parse().unwrap()), "{list} {inside}");
            assert!(
                !trusted.has_ip(outside.parse().unwrap()),
                "{list} {outside}"
            );
        }
    }

    #[test]
    fn nobody_is_trusted_by_default_and_unix_sockets_when_named() {
        let nobody = Trusted::default();
        assert!(!nobody.has(&Address::Unix(None)) && !nobody.has(&Address::Memory));
        let trusted: Trusted = "unix".parse().unwrap();
        assert!(trusted.has(&Address::Unix(None)) && !trusted.has(&Address::Memory));
    }

    #[test]
    fn a_word_that_is_no_network_is_named() {
        for word in [
            "10.0.0.0/33",
            "::/129",
            "10.0.0",
            "host",
            "10.0.0.0/",
            "/8",
            "1.2.3.4/-1",
        ] {
            let err = word.parse::<Trusted>().unwrap_err();
            assert!(err.to_string().contains(word), "{err}");
        }
    }
}
