//! Says which transfers have an entry of their own, so that neither many of one peer nor many peers take the room of
//! everything else.

use std::collections::HashMap;
use std::net::Ipv6Addr;
use std::time::Instant;

/// Of one peer so many transfers at once have an entry of their own, and so many a second from then on.
const PEER: Pace = Pace {
    at_once: 100.0,
    per_second: 1.0,
};

/// Of all peers together.
const ALL: Pace = Pace {
    at_once: 1000.0,
    per_second: 10.0,
};

/// So many peers are told apart; all others count as one.
const PEERS_MAX: usize = 1024;

#[derive(Debug)]
pub(super) struct Thinning {
    all: Bucket,
    peers: HashMap<String, Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Pace {
    at_once: f64,
    per_second: f64,
}

/// A token bucket.
#[derive(Debug)]
struct Bucket {
    pace: Pace,
    tokens: f64,
    at: Instant,
}

impl Thinning {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            all: Bucket::new(ALL, now),
            peers: HashMap::new(),
        }
    }

    /// Whether a transfer of a peer of this network that ends now has an entry of its own.
    pub(super) fn is_single(&mut self, network: &str, now: Instant) -> bool {
        self.all.fill(now);
        let peer = self.peer(network, now);
        peer.fill(now);
        let is_single = peer.tokens >= 1.0 && self.all.tokens >= 1.0;
        if is_single {
            self.all.tokens -= 1.0;
            self.peer(network, now).tokens -= 1.0;
        }
        is_single
    }

    fn peer(&mut self, network: &str, now: Instant) -> &mut Bucket {
        if self.peers.len() >= PEERS_MAX && !self.peers.contains_key(network) {
            self.peers.retain(|_, bucket| !bucket.would_be_full(now));
        }
        let is_known = self.peers.len() < PEERS_MAX || self.peers.contains_key(network);
        let key = if is_known { network } else { "" };
        self.peers
            .entry(key.to_owned())
            .or_insert_with(|| Bucket::new(PEER, now))
    }
}

impl Bucket {
    fn new(pace: Pace, now: Instant) -> Self {
        Self {
            pace,
            tokens: pace.at_once,
            at: now,
        }
    }

    fn fill(&mut self, now: Instant) {
        self.tokens = self.tokens_at(now);
        self.at = now;
    }

    fn would_be_full(&self, now: Instant) -> bool {
        self.tokens_at(now) >= self.pace.at_once
    }

    fn tokens_at(&self, now: Instant) -> f64 {
        let passed_s = now.saturating_duration_since(self.at).as_secs_f64();
        (self.tokens + passed_s * self.pace.per_second).min(self.pace.at_once)
    }
}

/// A peer's address without its port; all of it where it has none, as that of a Unix socket.
pub(super) fn host_of(peer: &str) -> &str {
    match peer.rsplit_once(':') {
        Some((host, port)) if !peer.starts_with("unix:") && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => peer,
    }
}

/// Where a host is one of many of the same machine: the network of an IPv6 address, which has all of them, else itself.
pub(super) fn network_of(host: &str) -> String {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<Ipv6Addr>();
    match address {
        Ok(address) if address.to_ipv4_mapped().is_none() && !address.is_unicast_link_local() => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_first_hundred_of_a_peer_are_single_and_then_one_a_second() {
        let start = Instant::now();
        let mut thinning = Thinning::new(start);
        let mut single = |now| (0..5000).filter(|_| thinning.is_single("10.0.0.1", now)).count();
        assert_eq!(single(start), 100);
        assert_eq!(single(start + Duration::from_secs(3)), 3);
    }

    #[test]
    fn no_peer_takes_the_entries_of_another_one() {
        let now = Instant::now();
        let mut thinning = Thinning::new(now);
        let flood = (0..5000).filter(|_| thinning.is_single("10.0.0.1", now)).count();
        assert_eq!(flood, 100);
        assert!((0..100).all(|_| thinning.is_single("10.0.0.2", now)));
    }

    #[test]
    fn many_peers_have_no_more_than_all_may_have_and_are_not_all_remembered() {
        let now = Instant::now();
        let mut thinning = Thinning::new(now);
        let single = (0..100_000).filter(|peer| thinning.is_single(&format!("10.0.{peer}"), now));
        assert_eq!(single.count(), 1000);
        assert!(thinning.peers.len() <= PEERS_MAX + 1, "{}", thinning.peers.len());
        assert!(thinning.is_single("10.1.0.1", now + Duration::from_mins(5)));
    }

    #[test]
    fn a_port_is_no_part_of_a_host_and_an_address_of_one_machine_is_like_its_others() {
        for (peer, host) in [
            ("10.0.0.7:25000", "10.0.0.7"),
            ("[::1]:25000", "[::1]"),
            ("unix:/tmp/door", "unix:/tmp/door"),
            ("unix:/tmp/door:25000", "unix:/tmp/door:25000"),
            ("a.example", "a.example"),
            ("", ""),
        ] {
            assert_eq!(host_of(peer), host, "{peer}");
        }
        assert_eq!(network_of("[2001:db8::1]"), network_of("[2001:db8::ffff:2]"));
        assert_ne!(network_of("[2001:db8::1]"), network_of("[2001:db8:0:1::1]"));
        assert_ne!(network_of("[fe80::1%eth0]"), network_of("[fe80::2%eth0]"));
        assert_ne!(network_of("[::ffff:10.0.0.1]"), network_of("[::ffff:10.0.0.2]"));
        assert_eq!(network_of("10.0.0.7"), "10.0.0.7");
    }
}
