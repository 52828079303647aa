//! Sets of addresses, and the canonical form of one.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

/// The address with IPv4-mapped IPv6 turned into IPv4.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// A set of networks, asked in time logarithmic in their number.
///
/// An IPv4-mapped network (`::ffff:10.0.0.0/104`) means the IPv4 network, and an IPv6 one never contains an IPv4 address:
/// `::/0` is all of IPv6 and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks {
    /// Disjoint ranges in rising order, both ends included.
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl Networks {
    /// Whether one of the networks contains the address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => within(&self.v4, address.to_bits()),
            IpAddr::V6(address) => within(&self.v6, address.to_bits()),
        }
    }

    /// Whether there are no networks at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

impl<'a> FromIterator<&'a IpNet> for Networks {
    fn from_iter<I: IntoIterator<Item = &'a IpNet>>(networks: I) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in networks {
            let (first, last) = (network.network(), network.broadcast());
            match (first.to_canonical(), last.to_canonical(), first, last) {
                (IpAddr::V4(first), IpAddr::V4(last), ..) => v4.push((first.to_bits(), last.to_bits())),
                (_, _, IpAddr::V6(first), IpAddr::V6(last)) => v6.push((first.to_bits(), last.to_bits())),
                // A network's ends are of one family.
                _ => {}
            }
        }
        Self { v4: merged(v4), v6: merged(v6) }
    }
}

fn within<T: Ord + Copy>(ranges: &[(T, T)], value: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= value);
    after.checked_sub(1).is_some_and(|index| value <= ranges[index].1)
}

fn merged<T: Ord + Copy>(mut ranges: Vec<(T, T)>) -> Vec<(T, T)> {
    ranges.sort_unstable();
    ranges.dedup_by(|next, range| {
        let overlap = next.0 <= range.1;
        if overlap {
            range.1 = range.1.max(next.1);
        }
        overlap
    });
    ranges
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn networks(of: &[&str]) -> Networks {
        of.iter().map(|network| network.parse::<IpNet>().unwrap()).collect::<Vec<_>>().iter().collect()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn mapped_addresses_and_networks_are_ipv4() {
        let networks = networks(&["10.0.0.0/8", "::ffff:192.168.0.0/112"]);
        assert!(networks.contains(address("::ffff:10.1.2.3")));
        assert!(networks.contains(address("192.168.255.255")));
        assert!(!networks.contains(address("192.169.0.0")));
    }

    #[test]
    fn all_of_ipv6_is_none_of_ipv4() {
        let networks = networks(&["::/0"]);
        assert!(networks.contains(address("2001:db8::1")));
        assert!(!networks.contains(address("127.0.0.1")));
        assert!(!networks.contains(address("::ffff:127.0.0.1")));
    }

    #[test]
    fn the_ends_of_a_network_belong_to_it() {
        let networks = networks(&["10.0.0.4/30", "10.0.0.8/32", "255.255.255.255/32", "2001:db8::/64"]);
        for inside in ["10.0.0.4", "10.0.0.7", "10.0.0.8", "255.255.255.255", "2001:db8::ffff:ffff:ffff:ffff"]
        {
            assert!(networks.contains(address(inside)), "{inside}");
        }
        for outside in ["10.0.0.3", "10.0.0.9", "255.255.255.254", "2001:db8:0:1::"] {
            assert!(!networks.contains(address(outside)), "{outside}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_asking_each(nets in proptest::collection::vec((any::<u32>(), 0u8..=32), 0..20), probe: u32) {
            let nets: Vec<IpNet> =
                nets.into_iter().map(|(bits, len)| IpNet::new(IpAddr::V4(bits.into()), len).unwrap()).collect();
            let probes = nets.iter().flat_map(|net| [net.network(), net.broadcast()]);
            for probe in probes.chain([IpAddr::V4(probe.into())]) {
                let expected = nets.iter().any(|net| net.contains(&probe));
                prop_assert_eq!(Networks::from_iter(&nets).contains(probe), expected);
            }
        }
    }
}
