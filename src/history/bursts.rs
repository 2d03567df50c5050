//! Many short transfers of one peer become one entry: a service takes thousands a second, and neither its rate nor the
//! history is for them alone.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::entry::{Ending, Entry};
use super::store::Change;
use super::thinning::{host_of, network_of};

/// A burst is over when nothing was added for so long, or when it has lasted so long.
const QUIET_MAX: Duration = Duration::from_secs(10);
const AGE_MAX: Duration = Duration::from_mins(5);

/// So many bursts are followed at once; what is of none of them is counted with the peer left out.
const OPEN_MAX: usize = 64;

/// The bursts that are open, by the network of their peer and how their transfers ended.
#[derive(Debug, Default)]
pub(super) struct Bursts(HashMap<(String, Ending), Burst>);

#[derive(Debug)]
struct Burst {
    /// Its number in the history, once it is there.
    id: Option<u64>,
    /// All of it.
    entry: Entry,
    /// What was added since it was last written.
    news: Option<Entry>,
    began: Instant,
    changed: Instant,
}

impl Entry {
    /// What a burst takes of a transfer.
    pub(super) fn in_burst(self) -> Self {
        let host = self.peer.as_deref().map(|peer| host_of(peer).to_owned());
        Self {
            began_unix_ms: self.began_unix_ms,
            command: self.command,
            way: self.way,
            source: self.source,
            peer: host,
            bytes: self.bytes,
            transfers: self.transfers,
            outcome: self.outcome,
            message: self.message,
            rate_bytes_per_s: self.rate_bytes_per_s,
            seconds: self.seconds,
            ..Self::default()
        }
    }

    /// Adds another one to those for which it stands.
    fn count(&mut self, other: &Self) {
        self.transfers = self.transfers.saturating_add(other.transfers);
        self.bytes = self.bytes.saturating_add(other.bytes);
        let passed_ms = other.began_unix_ms.saturating_sub(self.began_unix_ms).max(0);
        self.seconds = self.seconds.max(passed_ms as f64 / 1e3 + other.seconds);
        if self.seconds > 0.0 {
            self.rate_bytes_per_s = self.bytes as f64 / self.seconds;
        }
    }
}

impl Bursts {
    /// Counts a transfer of which [`Entry::in_burst`] tells.
    pub(super) fn add(&mut self, mut counted: Entry, now: Instant) {
        self.let_go(now);
        let network = counted.peer.as_deref().map(network_of);
        let mut key = (network.unwrap_or_default(), counted.outcome);
        if self.0.len() >= OPEN_MAX && !self.0.contains_key(&key) {
            key.0 = String::new();
            counted.peer = None;
        }
        match self.0.get_mut(&key) {
            Some(burst) => burst.add(counted, now),
            None => {
                self.0.insert(key, Burst::new(counted, now));
            }
        }
    }

    /// What is to be written.
    pub(super) fn changes(&self) -> impl Iterator<Item = Change> {
        self.0.values().filter_map(Burst::change)
    }

    /// All that was to be written is in the history with these numbers, in the order in which it was told.
    pub(super) fn written(&mut self, ids: impl IntoIterator<Item = u64>) {
        let changed = self.0.values_mut().filter(|burst| burst.news.is_some());
        for (burst, id) in changed.zip(ids) {
            burst.written(id);
        }
    }

    /// What is written from now on is in another file, where none of them has a number.
    pub(super) fn leave(&mut self) {
        self.0.retain(|_, burst| burst.leave());
    }

    /// Transfers that were counted and are not in the history.
    pub(super) fn unwritten(&self) -> u64 {
        let news = self.0.values().filter_map(|burst| burst.news.as_ref());
        news.map(|news| news.transfers).sum()
    }

    /// Those that are over and written. It is cheap: they are few.
    fn let_go(&mut self, now: Instant) {
        self.0.retain(|_, burst| burst.news.is_some() || !burst.is_over(now));
    }
}

impl Burst {
    fn new(counted: Entry, now: Instant) -> Self {
        Self {
            id: None,
            entry: counted.clone(),
            news: Some(counted),
            began: now,
            changed: now,
        }
    }

    fn add(&mut self, counted: Entry, now: Instant) {
        self.changed = now;
        self.entry.count(&counted);
        match &mut self.news {
            Some(news) => news.count(&counted),
            None => self.news = Some(counted),
        }
    }

    fn change(&self) -> Option<Change> {
        let news = self.news.as_ref()?;
        Some(match self.id {
            None => Change::New(Box::new(self.entry.clone()), None),
            Some(id) => Change::Grown {
                id,
                entry: Box::new(self.entry.clone()),
                news: Box::new(news.clone()),
            },
        })
    }

    fn written(&mut self, id: u64) {
        let Some(news) = self.news.take() else { return };
        // What it was has been forgotten meanwhile.
        if self.id.is_some_and(|known| known != id) {
            self.entry = news;
        }
        self.id = Some(id);
    }

    /// Returns whether anything of it is still to be written.
    fn leave(&mut self) -> bool {
        self.id = None;
        if let Some(news) = &self.news {
            self.entry.clone_from(news);
        }
        self.news.is_some()
    }

    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.changed) > QUIET_MAX || now.saturating_duration_since(self.began) > AGE_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(peer: &str, outcome: Ending) -> Entry {
        let entry = Entry {
            peer: Some(peer.into()),
            source: Some("a.npy".into()),
            outcome,
            bytes: 1024,
            transfers: 1,
            began_unix_ms: 1_000,
            seconds: 0.5,
            ..Entry::default()
        };
        entry.in_burst()
    }

    /// The number, the sum and the transfers that are new of each that is to be written.
    fn sums(bursts: &Bursts) -> Vec<(Option<u64>, u64, u64)> {
        let sum = |change| match change {
            Change::New(entry, _) => (None, entry.transfers, entry.transfers),
            Change::Grown { id, entry, news } => (Some(id), entry.transfers, news.transfers),
        };
        let mut sums: Vec<_> = bursts.changes().map(sum).collect();
        sums.sort_unstable();
        sums
    }

    #[test]
    fn a_burst_is_one_entry_that_grows_until_it_is_quiet() {
        let start = Instant::now();
        let mut bursts = Bursts::default();
        for port in 0..2000 {
            bursts.add(counted(&format!("10.0.0.1:{port}"), Ending::Done), start);
        }
        bursts.add(counted("10.0.0.1:1", Ending::Failed), start);
        assert_eq!(sums(&bursts), [(None, 1, 1), (None, 2000, 2000)]);
        bursts.written([7, 8]);
        assert_eq!(sums(&bursts), []);
        bursts.add(counted("10.0.0.1:1", Ending::Done), start);
        let [(Some(_), 2001, 1)] = sums(&bursts)[..] else {
            panic!("{:?}", sums(&bursts))
        };
        let id = sums(&bursts)[0].0;
        bursts.written(id);
        bursts.add(counted("10.0.0.1:1", Ending::Done), start + Duration::from_mins(1));
        assert_eq!(sums(&bursts), [(None, 1, 1)], "the one of a minute ago is over");
    }

    #[test]
    fn of_a_burst_that_was_forgotten_only_what_is_new_comes_back() {
        let now = Instant::now();
        let mut bursts = Bursts::default();
        for _ in 0..40 {
            bursts.add(counted("10.0.0.1:1", Ending::Done), now);
        }
        bursts.written([7]);
        for id in [9, 9] {
            bursts.add(counted("10.0.0.1:1", Ending::Done), now);
            bursts.written([id]);
        }
        bursts.add(counted("10.0.0.1:1", Ending::Done), now);
        assert_eq!(sums(&bursts), [(Some(9), 3, 1)]);
    }

    #[test]
    fn many_peers_take_no_more_than_their_bound() {
        let now = Instant::now();
        let mut bursts = Bursts::default();
        for peer in 0..10_000 {
            let peer = format!("10.0.{}.{}:25000", peer / 256, peer % 256);
            bursts.add(counted(&peer, Ending::Done), now);
        }
        let sums = sums(&bursts);
        assert!(sums.len() <= OPEN_MAX + 3, "{}", sums.len());
        assert_eq!(sums.iter().map(|(_, transfers, _)| transfers).sum::<u64>(), 10_000);
    }
}
