//! Adds up what several connections of a side have moved and spent. Each is read at its own instants, and a sum is of one
//! instant: what a connection had done by then lies between two of its readings.

use std::collections::VecDeque;
use std::time::Duration;

use super::probe::Stamp;
use super::sample::Counters;

/// A connection of which nothing was read for so long does not hold up what the others have to tell. A thread that waits
/// is read every 100 ms; one that is in a long system call is not.
const HELD: Duration = Duration::from_millis(500);

/// What each connection has moved is told at least so far apart: of less, whole chunks would be drawn.
const EACH_INTERVAL_MIN: Duration = Duration::from_millis(4);
/// No further apart than this: as often as samples are taken.
const EACH_INTERVAL_MAX: Duration = Duration::from_millis(50);
/// In between, it is told again after the time that has passed, divided by this.
const EACH_PER_ELAPSED: u32 = 128;

/// The connections of one side.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    each: Vec<Readings>,
    /// Instants that are not told yet.
    pending: Vec<Instant>,
    told: Duration,
    /// When it is next due to tell what each has moved.
    next_each: Duration,
}

/// What all connections together had done by an instant.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sum {
    /// The time since the transfer's clock began.
    pub(crate) elapsed: Duration,
    /// Bytes of the array that had moved.
    pub(crate) bytes: f64,
    /// Those of each of several connections, by number, where that is told at this instant.
    pub(crate) each_bytes: Vec<f64>,
    /// The sums of the counters, where one of them was read then.
    pub(crate) counters: Option<Counters>,
    /// What had moved before is of no use: the array comes from its first byte again.
    pub(crate) comes_again: bool,
}

/// When something was read of one of them, and what.
#[derive(Debug, Clone, Copy)]
struct Instant {
    elapsed: Duration,
    has_counters: bool,
    comes_again: bool,
}

/// What was read of one connection, oldest first. The first reading is at or before what is told.
#[derive(Debug, Default)]
struct Readings {
    bytes: VecDeque<(Duration, f64)>,
    counters: VecDeque<(Duration, Counters)>,
    is_over: bool,
}

impl Connections {
    /// Adds a connection of which nothing is known. Returns its number.
    pub(crate) fn add(&mut self) -> usize {
        self.each.push(Readings::default());
        self.each.len() - 1
    }

    /// Takes what was read of a connection, later than what was read of it before.
    pub(crate) fn push(&mut self, connection: usize, stamp: Stamp) {
        let elapsed = stamp.elapsed.max(self.told);
        let readings = &mut self.each[connection];
        let bytes = stamp.bytes as f64;
        let before = readings.bytes.back().map(|(_, before)| *before);
        let comes_again = before.is_some_and(|before| bytes < before);
        if comes_again {
            // It has not lost them little by little.
            readings.bytes.extend(before.map(|before| (elapsed, before)));
        }
        readings.bytes.push_back((elapsed, bytes));
        let has_counters = stamp.counters.is_some();
        readings
            .counters
            .extend(stamp.counters.map(|counters| (elapsed, *counters)));
        self.pending.push(Instant {
            elapsed,
            has_counters,
            comes_again,
        });
    }

    /// Nothing more is read of a connection: what it has done stays as it is.
    pub(crate) fn end(&mut self, connection: usize) {
        self.each[connection].is_over = true;
    }

    /// Whether there is something to tell that waits for what is not read yet.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The sums at all instants of which all is known by `now`, in order; each is told once.
    pub(crate) fn sums(&mut self, now: Duration) -> Vec<Sum> {
        let known = self.known().max(now.saturating_sub(HELD));
        self.pending
            .sort_by_key(|instant| (instant.elapsed, !instant.comes_again));
        let count = self.pending.partition_point(|instant| instant.elapsed <= known);
        let instants: Vec<Instant> = self.pending.drain(..count).collect();
        let last = instants.last().map(|instant| instant.elapsed);
        let has_many = self.each.len() > 1;
        let tells_each = |this: &Self, at: Duration| has_many && (at >= this.next_each || Some(at) == last);
        let sum = |instant: Instant| {
            let tells_each = tells_each(self, instant.elapsed);
            self.sum(instant, tells_each)
        };
        instants.into_iter().map(sum).collect()
    }

    /// Until when all is known of all that go on.
    fn known(&self) -> Duration {
        let mut open = self
            .each
            .iter()
            .filter(|readings| !readings.is_over && !readings.bytes.is_empty());
        match (open.next(), open.next()) {
            (None, _) => Duration::MAX,
            // Its own counters are known whenever they are told.
            (Some(only), None) => only.bytes.back().map_or(Duration::MAX, |(elapsed, _)| *elapsed),
            (Some(first), Some(second)) => {
                let open = [first, second].into_iter().chain(open);
                let known =
                    open.map(|readings| readings.counters.back().map_or(Duration::ZERO, |(elapsed, _)| *elapsed));
                known.min().unwrap_or_default()
            }
        }
    }

    fn sum(&mut self, instant: Instant, tells_each: bool) -> Sum {
        let Instant {
            elapsed,
            has_counters,
            comes_again,
        } = instant;
        self.told = elapsed;
        if tells_each {
            self.next_each = elapsed + (elapsed / EACH_PER_ELAPSED).clamp(EACH_INTERVAL_MIN, EACH_INTERVAL_MAX);
        }
        let mut sum = Sum {
            elapsed,
            bytes: 0.0,
            each_bytes: Vec::new(),
            counters: has_counters.then(Counters::default),
            comes_again,
        };
        for readings in &mut self.each {
            let bytes = at(&mut readings.bytes, elapsed, |a, b, part| a + (b - a) * part).unwrap_or_default();
            sum.bytes += bytes;
            sum.each_bytes.extend(tells_each.then_some(bytes));
            let counters = at(&mut readings.counters, elapsed, Counters::between);
            if let Some(all) = &mut sum.counters {
                *all = all.plus(counters.unwrap_or_default());
            }
        }
        sum
    }
}

/// What was so by an instant, which is not before one that was asked for before. `None` where nothing was yet. Readings that
/// are not needed any more are dropped.
fn at<T: Copy>(
    readings: &mut VecDeque<(Duration, T)>,
    elapsed: Duration,
    between: impl Fn(T, T, f64) -> T,
) -> Option<T> {
    while readings.get(1).is_some_and(|(next, _)| *next <= elapsed) {
        readings.pop_front();
    }
    let next = readings.get(1).copied();
    let (since, value) = readings.front_mut()?;
    if *since > elapsed {
        return None;
    }
    let Some((until, then)) = next else {
        // It is told to be so still, and what is read later is of the time after that.
        *since = elapsed;
        return Some(*value);
    };
    let since_s = since.as_secs_f64();
    let part = (elapsed.as_secs_f64() - since_s) / (until.as_secs_f64() - since_s);
    Some(between(*value, then, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn stamp(elapsed_ms: u64, bytes: u64, thread_s: Option<f64>) -> Stamp {
        Stamp {
            elapsed: ms(elapsed_ms),
            bytes,
            counters: thread_s.map(|thread_s| {
                Box::new(Counters {
                    thread_s,
                    ..Counters::default()
                })
            }),
        }
    }

    fn told(sums: &[Sum]) -> Vec<(Duration, f64, Option<f64>)> {
        let thread_s = |sum: &Sum| sum.counters.map(|counters| counters.thread_s);
        sums.iter().map(|sum| (sum.elapsed, sum.bytes, thread_s(sum))).collect()
    }

    #[test]
    fn one_connection_is_told_as_it_was_read() {
        let mut connections = Connections::default();
        let only = connections.add();
        connections.push(only, stamp(0, 0, Some(0.0)));
        connections.push(only, stamp(1, 10, None));
        connections.push(only, stamp(20, 300, Some(0.02)));
        let sums = connections.sums(ms(20));
        assert_eq!(
            told(&sums),
            [
                (ms(0), 0.0, Some(0.0)),
                (ms(1), 10.0, None),
                (ms(20), 300.0, Some(0.02))
            ]
        );
        assert!(!connections.is_waiting());
    }

    #[test]
    fn of_two_connections_both_are_told_as_they_were_at_one_instant() {
        let mut connections = Connections::default();
        let (one, two) = (connections.add(), connections.add());
        connections.push(one, stamp(0, 0, Some(0.0)));
        connections.push(two, stamp(0, 0, Some(0.0)));
        connections.push(one, stamp(100, 1000, Some(0.25)));
        // Of the other one it is not known how far it was.
        assert_eq!(connections.sums(ms(101)).len(), 2);
        assert!(connections.is_waiting());
        connections.push(two, stamp(200, 4000, Some(0.5)));
        assert_eq!(told(&connections.sums(ms(201))), [(ms(100), 3000.0, Some(0.5))]);
        connections.end(one);
        assert_eq!(told(&connections.sums(ms(201))), [(ms(200), 5000.0, Some(0.75))]);
    }

    #[test]
    fn a_connection_that_is_read_no_more_holds_the_others_up_for_half_a_second_and_none_of_its_time_is_lost() {
        let mut connections = Connections::default();
        let (hung, other) = (connections.add(), connections.add());
        connections.push(hung, stamp(0, 0, Some(0.0)));
        connections.push(other, stamp(0, 0, Some(0.0)));
        connections.sums(ms(0));
        connections.push(other, stamp(400, 400, Some(0.4)));
        assert_eq!(connections.sums(ms(800)), []);
        assert_eq!(told(&connections.sums(ms(900))), [(ms(400), 400.0, Some(0.4))]);
        connections.push(other, stamp(1000, 1000, Some(1.0)));
        connections.push(hung, stamp(1400, 100, Some(1.4)));
        let sums = connections.sums(ms(1400));
        let sum = &told(&sums)[0];
        assert_eq!((sum.0, sum.1), (ms(1000), 1060.0));
        connections.end(other);
        assert_eq!(told(&connections.sums(ms(1400))), [(ms(1400), 1100.0, Some(2.4))]);
    }

    #[test]
    fn bytes_that_come_again_are_not_lost_little_by_little() {
        let mut connections = Connections::default();
        let (one, two) = (connections.add(), connections.add());
        for at in [one, two] {
            connections.push(at, stamp(0, 100, Some(0.0)));
        }
        connections.push(one, stamp(100, 0, Some(0.1)));
        connections.push(two, stamp(90, 100, Some(0.1)));
        connections.push(two, stamp(100, 100, Some(0.1)));
        let sums = connections.sums(ms(100));
        let bytes: Vec<(f64, bool)> = sums.iter().map(|sum| (sum.bytes, sum.comes_again)).collect();
        assert_eq!(
            bytes,
            [
                (200.0, false),
                (200.0, false),
                (200.0, false),
                (100.0, true),
                (100.0, false)
            ]
        );
    }

    #[test]
    fn what_each_of_several_has_moved_is_told_now_and_then_and_at_the_end() {
        let mut connections = Connections::default();
        let one = connections.add();
        connections.push(one, stamp(0, 0, Some(0.0)));
        assert!(connections.sums(ms(0))[0].each_bytes.is_empty(), "one is all");
        let two = connections.add();
        connections.push(two, stamp(0, 0, Some(0.0)));
        for at in 1..=40 {
            connections.push(one, stamp(at, at * 300, Some(0.0)));
            connections.push(two, stamp(at, at * 100, Some(0.0)));
        }
        let sums = connections.sums(ms(40));
        let each: Vec<&Sum> = sums.iter().filter(|sum| !sum.each_bytes.is_empty()).collect();
        assert!((10..=14).contains(&each.len()), "{}", each.len());
        for sum in &each {
            assert!((sum.each_bytes.iter().sum::<f64>() - sum.bytes).abs() < 1e-6);
        }
        let last = each.last().map(|sum| (sum.elapsed, sum.each_bytes.clone()));
        assert_eq!(last, Some((ms(40), vec![12_000.0, 4_000.0])));
    }

    #[test]
    fn a_connection_that_joins_later_had_done_nothing_before() {
        let mut connections = Connections::default();
        let one = connections.add();
        connections.push(one, stamp(0, 0, Some(0.0)));
        let two = connections.add();
        connections.push(two, stamp(50, 0, Some(0.0)));
        connections.push(one, stamp(100, 1000, Some(0.1)));
        connections.push(two, stamp(100, 500, Some(0.05)));
        let sums = connections.sums(ms(100));
        let bytes: Vec<f64> = sums.iter().map(|sum| sum.bytes).collect();
        assert_eq!(bytes, [0.0, 500.0, 1500.0, 1500.0]);
    }
}
