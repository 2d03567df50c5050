//! Many short transfers of one peer become one entry: a service takes thousands a second, and neither its rate nor the
//! history is for them alone.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::entry::{Ending, Entry, Way};

/// So many transfers have an entry of their own, however fast they come.
const AT_ONCE: f64 = 100.0;

/// And so many a second from then on.
const PER_SECOND: f64 = 1.0;

/// A burst is over when nothing was added for so long, or when it has lasted so long.
const QUIET_MAX: Duration = Duration::from_secs(10);
const AGE_MAX: Duration = Duration::from_mins(5);

/// So many bursts are followed at once; what is of none of them is counted with the peer left out.
const OPEN_MAX: usize = 64;

/// Says which transfers have an entry of their own: a token bucket.
#[derive(Debug)]
pub(super) struct Thinning {
    tokens: f64,
    at: Instant,
}

impl Thinning {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            tokens: AT_ONCE,
            at: now,
        }
    }

    /// Whether a transfer that ends now has an entry of its own.
    pub(super) fn is_single(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.tokens = (self.tokens + passed * PER_SECOND).min(AT_ONCE);
        let is_single = self.tokens >= 1.0;
        if is_single {
            self.tokens -= 1.0;
        }
        is_single
    }
}

/// A transfer that is counted in a burst.
#[derive(Debug)]
pub(super) struct Counted {
    /// The other end's host.
    pub host: String,
    /// What came, where it is known.
    pub source: Option<String>,
    /// Which ends were here.
    pub way: Way,
    /// How it ended.
    pub outcome: Ending,
    /// Why it failed.
    pub message: Option<String>,
    /// Bytes that had moved.
    pub bytes: u64,
    /// When its clock began, in milliseconds since 1970.
    pub began_unix_ms: i64,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// The bursts that are open.
#[derive(Debug, Default)]
pub(super) struct Bursts(HashMap<(String, Ending), Burst>);

#[derive(Debug)]
struct Burst {
    /// Its number in the history, once it is there.
    id: Option<u64>,
    entry: Entry,
    began: Instant,
    changed: Instant,
    is_changed: bool,
}

impl Bursts {
    /// Counts a transfer of `command`.
    pub(super) fn add(&mut self, counted: &Counted, command: &str, now: Instant) {
        let mut key = (counted.host.clone(), counted.outcome);
        if self.0.len() >= OPEN_MAX && !self.0.contains_key(&key) {
            key.0 = String::new();
        }
        let burst = self.0.entry(key).or_insert_with_key(|(host, outcome)| Burst {
            id: None,
            entry: Entry {
                began_unix_ms: counted.began_unix_ms,
                command: command.into(),
                way: counted.way,
                source: counted.source.clone(),
                peer: (!host.is_empty()).then(|| host.clone()),
                outcome: *outcome,
                message: counted.message.clone(),
                ..Entry::default()
            },
            began: now,
            changed: now,
            is_changed: false,
        });
        burst.count(counted, now);
    }

    /// Those that have changed, with their numbers where they have one.
    pub(super) fn changed(&mut self) -> impl Iterator<Item = (Option<u64>, &Entry)> {
        let bursts = self.0.values().filter(|burst| burst.is_changed);
        bursts.map(|burst| (burst.id, &burst.entry))
    }

    /// Those that had changed are in the history with these numbers, in the order in which they were told. Those that
    /// are over are let go.
    pub(super) fn kept(&mut self, ids: impl IntoIterator<Item = u64>, now: Instant) {
        for (burst, id) in self.0.values_mut().filter(|burst| burst.is_changed).zip(ids) {
            burst.id = Some(id);
            burst.is_changed = false;
        }
        self.0.retain(|_, burst| burst.is_changed || !burst.is_over(now));
    }
}

impl Burst {
    fn count(&mut self, counted: &Counted, now: Instant) {
        let entry = &mut self.entry;
        entry.transfers += 1;
        entry.bytes = entry.bytes.saturating_add(counted.bytes);
        let passed_ms = counted.began_unix_ms.saturating_sub(entry.began_unix_ms).max(0);
        entry.seconds = entry.seconds.max(passed_ms as f64 / 1e3 + counted.seconds);
        if entry.seconds > 0.0 {
            entry.rate_bytes_per_s = entry.bytes as f64 / entry.seconds;
        }
        self.changed = now;
        self.is_changed = true;
    }

    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.changed) > QUIET_MAX || now.saturating_duration_since(self.began) > AGE_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(host: &str, outcome: Ending) -> Counted {
        Counted {
            host: host.into(),
            source: Some("a.npy".into()),
            way: Way::Receive,
            outcome,
            message: None,
            bytes: 1024,
            began_unix_ms: 1_000,
            seconds: 0.5,
        }
    }

    #[test]
    fn the_first_hundred_are_single_and_then_one_a_second() {
        let start = Instant::now();
        let mut thinning = Thinning::new(start);
        let single = (0..5000).filter(|_| thinning.is_single(start)).count();
        assert_eq!(single, 100);
        let later = start + Duration::from_secs(3);
        assert_eq!((0..5000).filter(|_| thinning.is_single(later)).count(), 3);
    }

    #[test]
    fn a_burst_is_one_entry_that_grows_until_it_is_quiet() {
        let start = Instant::now();
        let mut bursts = Bursts::default();
        for _ in 0..2000 {
            bursts.add(&counted("10.0.0.1", Ending::Done), "serve", start);
        }
        bursts.add(&counted("10.0.0.1", Ending::Failed), "serve", start);
        let mut found: Vec<_> = bursts
            .changed()
            .map(|(id, entry)| (id, entry.outcome, entry.transfers))
            .collect();
        found.sort_by_key(|(_, _, transfers)| *transfers);
        assert_eq!(found, [(None, Ending::Failed, 1), (None, Ending::Done, 2000)]);
        bursts.kept([7, 8], start);
        assert_eq!(bursts.changed().count(), 0);
        bursts.add(&counted("10.0.0.1", Ending::Done), "serve", start);
        let (id, entry) = bursts.changed().next().expect("one");
        assert!(id.is_some());
        assert_eq!((entry.transfers, entry.bytes), (2001, 2001 * 1024));
        bursts.kept([7], start + Duration::from_mins(1));
        bursts.add(&counted("10.0.0.1", Ending::Done), "serve", start);
        assert_eq!(
            bursts.changed().next().map(|(id, entry)| (id, entry.transfers)),
            Some((None, 1))
        );
    }

    #[test]
    fn many_peers_take_no_more_than_their_bound() {
        let now = Instant::now();
        let mut bursts = Bursts::default();
        for peer in 0..10_000 {
            bursts.add(
                &counted(&format!("10.0.{}.{}", peer / 256, peer % 256), Ending::Done),
                "serve",
                now,
            );
        }
        let entries: Vec<u64> = bursts.changed().map(|(_, entry)| entry.transfers).collect();
        assert!(entries.len() <= OPEN_MAX + 3, "{}", entries.len());
        assert_eq!(entries.iter().sum::<u64>(), 10_000);
    }
}
