//! Which of a peer's addresses is tried when, so that one that is silent costs little: RFC 8305. No socket, no clock.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The RFC's Connection Attempt Delay, section 8.
const DELAY: Duration = Duration::from_millis(250);

/// Attempts to connect to the addresses of one peer, under one deadline.
#[derive(Debug)]
pub(super) struct Attempts {
    waiting: VecDeque<SocketAddr>,
    /// When the next one begins, however the others fare.
    next_at: Instant,
    deadline: Instant,
    /// How many have begun and not failed.
    open: usize,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Connect to this address, too.
    Begin(SocketAddr),
    /// Nothing before then, unless an attempt ends.
    WaitUntil(Instant),
    /// Every attempt has failed, or the time is over.
    GiveUp,
}

impl Attempts {
    /// `addresses` come in the system's order of preference.
    pub(super) fn new(addresses: &[SocketAddr], now: Instant, deadline: Instant) -> Self {
        Self {
            waiting: interleaved(addresses),
            next_at: now,
            deadline,
            open: 0,
        }
    }

    pub(super) fn step(&mut self, now: Instant) -> Step {
        if now >= self.deadline {
            return Step::GiveUp;
        }
        if now >= self.next_at
            && let Some(address) = self.waiting.pop_front()
        {
            self.next_at = now + DELAY;
            self.open += 1;
            return Step::Begin(address);
        }
        match (self.open, self.waiting.is_empty()) {
            (0, true) => Step::GiveUp,
            (_, true) => Step::WaitUntil(self.deadline),
            (_, false) => Step::WaitUntil(self.next_at.min(self.deadline)),
        }
    }

    /// An attempt has failed: the next one begins at once.
    pub(super) fn failed(&mut self, now: Instant) {
        self.open = self.open.saturating_sub(1);
        self.next_at = now;
    }

    /// The addresses that no attempt was made for.
    pub(super) fn untried(self) -> impl Iterator<Item = SocketAddr> {
        self.waiting.into_iter()
    }
}

/// The two families of addresses in turn, beginning with that of the first address. RFC 8305, section 4.
fn interleaved(addresses: &[SocketAddr]) -> VecDeque<SocketAddr> {
    let Some(first) = addresses.first() else {
        return VecDeque::new();
    };
    let (of_first, others): (Vec<SocketAddr>, Vec<SocketAddr>) = addresses
        .iter()
        .partition(|address| address.is_ipv4() == first.is_ipv4());
    let mut others = others.into_iter();
    let mut turns: VecDeque<SocketAddr> = of_first
        .into_iter()
        .flat_map(|address| [Some(address), others.next()])
        .flatten()
        .collect();
    turns.extend(others);
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    /// The addresses that are begun now, and what follows them.
    fn begun(attempts: &mut Attempts, now: Instant) -> (Vec<SocketAddr>, Step) {
        let mut begun = Vec::new();
        loop {
            match attempts.step(now) {
                Step::Begin(address) => begun.push(address),
                other => return (begun, other),
            }
        }
    }

    #[test]
    fn families_take_turns_and_the_first_address_stays_first() {
        for (given, wanted) in [
            (
                vec!["[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1", "1.0.0.2:1"],
                vec!["[::1]:1", "1.0.0.1:1", "[::2]:1", "1.0.0.2:1", "[::3]:1"],
            ),
            (
                vec!["1.0.0.1:1", "[::1]:1", "[::2]:1", "[::3]:1"],
                vec!["1.0.0.1:1", "[::1]:1", "[::2]:1", "[::3]:1"],
            ),
            (vec![], vec![]),
        ] {
            assert_eq!(interleaved(&addresses(&given)), addresses(&wanted), "{given:?}");
        }
    }

    #[test]
    fn each_attempt_begins_a_quarter_of_a_second_after_the_one_before() {
        let start = Instant::now();
        let all = addresses(&["1.0.0.1:1", "1.0.0.2:1", "1.0.0.3:1"]);
        let mut attempts = Attempts::new(&all, start, start + SECOND);
        for (index, address) in all.iter().enumerate() {
            let now = start + DELAY * u32::try_from(index).expect("few");
            let then = if index == 2 { start + SECOND } else { now + DELAY };
            assert_eq!(begun(&mut attempts, now), (vec![*address], Step::WaitUntil(then)));
            assert_eq!(begun(&mut attempts, now + DELAY / 2), (vec![], Step::WaitUntil(then)));
        }
        assert_eq!(attempts.step(start + SECOND), Step::GiveUp);
        assert_eq!(attempts.untried().count(), 0);
    }

    #[test]
    fn one_that_fails_makes_room_for_the_next_at_once() {
        let start = Instant::now();
        let all = addresses(&["1.0.0.1:1", "1.0.0.2:1"]);
        let mut attempts = Attempts::new(&all, start, start + SECOND);
        assert_eq!(attempts.step(start), Step::Begin(all[0]));
        attempts.failed(start);
        assert_eq!(attempts.step(start), Step::Begin(all[1]));
        assert_eq!(attempts.step(start), Step::WaitUntil(start + SECOND));
        attempts.failed(start);
        assert_eq!(attempts.step(start), Step::GiveUp);
    }

    #[test]
    fn there_is_one_deadline_however_many_addresses_there_are() {
        let start = Instant::now();
        let all = addresses(&["1.0.0.1:1", "1.0.0.2:1", "1.0.0.3:1"]);
        let deadline = start + DELAY / 2;
        let mut attempts = Attempts::new(&all, start, deadline);
        assert_eq!(begun(&mut attempts, start), (vec![all[0]], Step::WaitUntil(deadline)));
        assert_eq!(attempts.step(deadline), Step::GiveUp);
        assert_eq!(attempts.untried().collect::<Vec<_>>(), all[1..]);
        assert_eq!(Attempts::new(&[], start, deadline).step(start), Step::GiveUp);
    }
}
