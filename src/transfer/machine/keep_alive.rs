//! Messages that only say that the peer is there: how often we send them, and how many we take.

use std::time::{Duration, Instant};

use crate::error::Error;

/// Of so many at once nobody takes notice: they may have waited while this side did something else.
const BURST: u64 = 100;
/// So many a second are taken over the whole of a connection. An honest peer with a short timeout sends that many.
const PER_SECOND: f64 = 10.0;

/// Often enough that a peer with the same timeout does not take a pause for silence.
pub(crate) fn keep_alive_interval(timeout: Duration) -> Duration {
    (timeout / 3).clamp(Duration::from_millis(100), Duration::from_secs(5))
}

/// Bounds how many messages a peer may send that move no byte of an array.
#[derive(Debug)]
pub(crate) struct IdleMeter {
    since: Instant,
}

impl IdleMeter {
    pub(crate) fn new(now: Instant) -> Self {
        Self { since: now }
    }

    /// # Errors
    /// The peer's fault: so many messages that say nothing have come since the connection began.
    pub(crate) fn check(&self, messages: u64, now: Instant) -> Result<(), Error> {
        let seconds = now.saturating_duration_since(self.since).as_secs_f64();
        if messages <= BURST || (messages - BURST) as f64 <= seconds * PER_SECOND {
            return Ok(());
        }
        Err(Error::Protocol(format!(
            "{messages} keep-alives in {seconds:.1} s, of at most {PER_SECOND} a second"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_waited_is_taken_at_once_and_a_flood_is_an_error() {
        let start = Instant::now();
        let meter = IdleMeter::new(start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(meter.check(BURST, start), Ok(()));
        assert!(matches!(meter.check(BURST + 1, start), Err(Error::Protocol(_))));
        assert_eq!(meter.check(BURST + 600, at(60)), Ok(()));
        assert!(matches!(meter.check(BURST + 601, at(60)), Err(Error::Protocol(_))));
    }
}
