//! Where a request comes from.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// The client's address: whoever is connected to us, unless that is a proxy of ours. Then the last entry of
/// `X-Forwarded-For` that no proxy of ours has written: what is before it, the client may have made up.
pub fn client(peer: IpAddr, forwarded_for: Option<&str>, proxies: &[IpNet]) -> IpAddr {
    let is_ours = |address: &IpAddr| proxies.iter().any(|net| net.contains(address));
    if !is_ours(&peer) {
        return peer;
    }
    let mut client = peer;
    for entry in forwarded_for.unwrap_or_default().rsplit(',') {
        // What cannot be read was not written by a proxy of ours; the last one that was known stands for it.
        let Ok(address) = entry.trim().parse::<IpAddr>() else { return client };
        client = address.to_canonical();
        if !is_ours(&client) {
            return client;
        }
    }
    client
}

/// What counts as one client: an IPv6 customer has a whole /64 to send from.
pub fn bucket(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded_for: &str) -> String {
        let proxies = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        client(peer.parse().unwrap(), Some(forwarded_for), &proxies).to_string()
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        assert_eq!(seen("203.0.113.7", "198.51.100.1"), "203.0.113.7");
        assert_eq!(seen("10.0.0.1", "198.51.100.1"), "198.51.100.1");
        assert_eq!(
            seen("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2"),
            "198.51.100.1",
            "the first is made up"
        );
        assert_eq!(seen("10.0.0.1", ""), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", "198.51.100.1, nonsense"), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3");
        assert_eq!(seen("fd00::1", "::ffff:198.51.100.1"), "198.51.100.1");
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let of = |text: &str| bucket(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("198.51.100.1"), "198.51.100.1");
    }
}
