//! A clock that stands while this process does not run: stopped by a signal, frozen with its container, or without a
//! core. What did not happen meanwhile is nobody's silence.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A wait whose end is to be judged is cut into parts of this length, and each that ends far too late was slept through.
pub(crate) const TICK: Duration = Duration::from_millis(250);
/// A busy machine is late by less.
const LATE_NS: u64 = 250_000_000;

/// When this process ran last, and how long it has not.
#[derive(Debug, Default)]
struct Awake {
    seen_ns: AtomicU64,
    asleep_ns: AtomicU64,
}

impl Awake {
    /// A wait that began and should have ended then has ended. Where it ended far too late all of it counts: nobody knows
    /// when in it the process stopped. Of several threads that slept through the same time one counts it.
    fn ticked(&self, began_ns: u64, should_ns: u64, now_ns: u64) {
        let seen_ns = self.seen_ns.fetch_max(now_ns, Ordering::SeqCst);
        if now_ns.saturating_sub(should_ns.max(seen_ns)) > LATE_NS {
            let asleep_ns = now_ns - began_ns.max(seen_ns);
            self.asleep_ns.fetch_add(asleep_ns, Ordering::SeqCst);
        }
    }

    fn asleep(&self) -> Duration {
        Duration::from_nanos(self.asleep_ns.load(Ordering::SeqCst))
    }
}

static AWAKE: LazyLock<(Instant, Awake)> = LazyLock::new(|| (Instant::now(), Awake::default()));

/// The time by which a peer's silence is measured. It is behind `Instant::now()` by all that was slept through.
pub(crate) fn awake_now() -> Instant {
    let now = Instant::now();
    now.checked_sub(AWAKE.1.asleep()).unwrap_or(now)
}

/// Waits with `wait` for at most this long, or for ever, and notices where that took far longer. A wait that has an end
/// may return up to [`TICK`] after it began though its time is not over.
pub(crate) fn ticking<T>(timeout: Option<Duration>, wait: impl FnOnce(Option<Duration>) -> T) -> T {
    let Some(timeout) = timeout else {
        return wait(None);
    };
    let timeout = timeout.min(TICK);
    let (base, awake) = &*AWAKE;
    let ns = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let began = base.elapsed();
    let result = wait(Some(timeout));
    awake.ticked(ns(began), ns(began + timeout), ns(base.elapsed()));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn what_ends_in_time_or_a_little_late_was_not_slept_through() {
        let awake = Awake::default();
        for second in 1..100 {
            awake.ticked((second - 1) * SECOND, second * SECOND, second * SECOND + LATE_NS);
        }
        assert_eq!(awake.asleep(), Duration::ZERO);
    }

    #[test]
    fn a_jump_is_counted_once_however_many_threads_meet_it() {
        let awake = Awake::default();
        awake.ticked(0, SECOND, SECOND);
        for thread in 0..4 {
            awake.ticked(SECOND, 2 * SECOND, 60 * SECOND + thread);
        }
        assert_eq!(awake.asleep(), Duration::from_secs(59));
        awake.ticked(61 * SECOND, 62 * SECOND, 64 * SECOND);
        assert_eq!(awake.asleep(), Duration::from_secs(62));
    }

    #[test]
    fn the_clock_goes_on_while_the_process_runs() {
        let before = awake_now();
        let timeouts = [Some(Duration::from_millis(5)), Some(Duration::from_secs(9))];
        for timeout in timeouts {
            ticking(timeout, |part| std::thread::sleep(part.unwrap_or_default().min(TICK)));
        }
        assert!(awake_now() >= before + TICK);
        assert!(ticking(None, |part| part.is_none()));
    }
}
