//! How many bytes may be looked at, so that the transfer is hardly slower for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So much of a thread's time goes into looking, where a transfer has one connection: of several each has its part of it,
/// as their threads may wait for the same cores. Both ends of a transfer, one behind the other, lose no more than twice as
/// much.
const SHARE: f64 = 0.004;
/// Of the time in which the thread has nothing to do, so much more. Beside other connections there is no such time: while
/// one waits, the core is another one's.
const SHARE_OF_IDLE: f64 = 0.1;
/// What may be looked at before any time has passed: one that mostly rests looks at all of the array. A further connection
/// has less, as its thread may wait for the same cores.
const FIRST: Duration = Duration::from_micros(60);
/// So much is saved up at most: a longer look would let the buffers of the socket run full, or empty.
const SAVED_MAX: Duration = Duration::from_micros(250);
/// What a byte is taken to cost before one was looked at, and at most: a thread that has lost its core in the middle of a
/// look has not looked all that time.
const COST_S_PER_BYTE: f64 = 0.4e-9;
const COST_MAX_S_PER_BYTE: f64 = 8e-9;

/// The time that a thread may still look, over one connection or those of a loop.
#[derive(Clone, Debug)]
pub(crate) struct SharedBudget(Arc<Mutex<Budget>>);

impl SharedBudget {
    /// That of a thread with one connection.
    pub(crate) fn of_thread() -> Self {
        Self::new(false)
    }

    /// That of a thread with many: what one of them waits the others may work.
    pub(crate) fn of_loop() -> Self {
        Self::new(true)
    }

    fn new(is_of_loop: bool) -> Self {
        Self(Arc::new(Mutex::new(Budget::new(is_of_loop))))
    }

    /// How many bytes may be looked at now over a connection that has had nothing to do for so long in all, and whose
    /// transfer has so many `connections`.
    pub(super) fn bytes(&self, now: Instant, idle: Duration, connections: usize) -> usize {
        self.lock().bytes(now, idle, connections)
    }

    /// It is that of so many-th connection.
    pub(super) fn is_of(&self, connection: usize) {
        let mut budget = self.lock();
        if !budget.is_of_loop {
            budget.left_s /= connection.max(1) as f64;
        }
    }

    /// So many bytes were looked at, which took so long.
    pub(super) fn spend(&self, bytes: usize, took: Duration) {
        self.lock().spend(bytes, took);
    }

    fn lock(&self) -> MutexGuard<'_, Budget> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Budget {
    left_s: f64,
    /// When time was last added, and how long the thread had had nothing to do by then.
    as_of: Option<(Instant, Duration)>,
    cost_s_per_byte: f64,
    is_of_loop: bool,
}

impl Budget {
    fn new(is_of_loop: bool) -> Self {
        Self {
            left_s: FIRST.as_secs_f64(),
            as_of: None,
            cost_s_per_byte: COST_S_PER_BYTE,
            is_of_loop,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "neither negative nor beyond any count"
    )]
    fn bytes(&mut self, now: Instant, idle: Duration, connections: usize) -> usize {
        if let Some((then, idle_then)) = self.as_of {
            let passed = now.saturating_duration_since(then).as_secs_f64();
            let idled = idle.saturating_sub(idle_then).as_secs_f64().min(passed);
            let earned = match connections {
                _ if self.is_of_loop => passed * SHARE,
                0 | 1 => passed * SHARE + idled * SHARE_OF_IDLE,
                several => passed * SHARE / several as f64,
            };
            self.left_s = (self.left_s + earned).min(SAVED_MAX.as_secs_f64());
        }
        self.as_of = Some((now, idle));
        (self.left_s / self.cost_s_per_byte).max(0.0) as usize
    }

    fn spend(&mut self, bytes: usize, took: Duration) {
        let bytes = bytes.max(1) as f64;
        let cost = (took.as_secs_f64() / bytes).min(COST_MAX_S_PER_BYTE);
        self.left_s -= cost * bytes;
        self.cost_s_per_byte += (cost - self.cost_s_per_byte) / 8.0;
        // What a clock cannot tell from nothing still costs something.
        self.cost_s_per_byte = self.cost_s_per_byte.max(COST_S_PER_BYTE / 20.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_time_is_spent_than_the_share_of_what_has_passed() {
        let (mut budget, start) = (Budget::new(false), Instant::now());
        let (mut spent, mut elapsed) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..20_000 {
            elapsed += Duration::from_micros(100);
            let bytes = budget.bytes(start + elapsed, Duration::ZERO, 1).min(1 << 20);
            if bytes > 4096 {
                let took = Duration::from_nanos(bytes as u64);
                spent += took;
                budget.spend(bytes, took);
            }
        }
        let share = spent.as_secs_f64() / elapsed.as_secs_f64();
        assert!((SHARE * 0.9..SHARE * 1.1).contains(&share), "{share}");
    }

    #[test]
    fn four_connections_spend_no_more_than_one_does_however_long_each_of_them_waits() {
        let start = Instant::now();
        let mut budgets = [(); 4].map(|()| Budget::new(false));
        let (mut spent, mut elapsed) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..20_000 {
            elapsed += Duration::from_micros(100);
            for budget in &mut budgets {
                let bytes = budget.bytes(start + elapsed, elapsed / 2, 4).min(1 << 20);
                if bytes > 4096 {
                    let took = Duration::from_nanos(bytes as u64);
                    spent += took;
                    budget.spend(bytes, took);
                }
            }
        }
        let share = spent.as_secs_f64() / elapsed.as_secs_f64();
        assert!((SHARE * 0.9..SHARE * 1.1).contains(&share), "{share}");
    }

    #[test]
    fn the_connections_of_a_loop_spend_no_more_than_one_does() {
        let (budget, start) = (SharedBudget::of_loop(), Instant::now());
        let (mut spent, mut elapsed) = (Duration::ZERO, Duration::ZERO);
        for step in 0..20_000 {
            elapsed += Duration::from_micros(100);
            // Each of a hundred connections was idle for as long as all others had a turn.
            let idle = elapsed.saturating_sub(Duration::from_micros(step));
            let bytes = budget.clone().bytes(start + elapsed, idle, 1).min(1 << 20);
            if bytes > 4096 {
                let took = Duration::from_nanos(bytes as u64);
                spent += took;
                budget.spend(bytes, took);
            }
        }
        let share = spent.as_secs_f64() / elapsed.as_secs_f64();
        assert!((SHARE * 0.9..SHARE * 1.1).contains(&share), "{share}");
    }

    #[test]
    fn a_thread_that_mostly_rests_looks_at_everything() {
        let (mut budget, start) = (Budget::new(false), Instant::now());
        for step in 1..1000_u32 {
            // A chunk of 64 KiB each 500 microseconds, and next to nothing to do in between.
            let (now, idle) = (
                start + step * Duration::from_micros(500),
                step * Duration::from_micros(480),
            );
            assert!(budget.bytes(now, idle, 1) >= 64 << 10, "step {step}");
            budget.spend(64 << 10, Duration::from_micros(40));
        }
    }
}
