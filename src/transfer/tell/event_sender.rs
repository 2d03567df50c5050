//! How a data thread tells what happens, beside its stamps.

use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::event::{EventKind, State};

/// What a data thread tells beside its stamps: rare, and never waited for.
#[derive(Debug)]
pub(crate) struct EventSender {
    notes: Sender<(Duration, EventKind)>,
    clock: Instant,
    state: Option<State>,
    limit_bytes_per_s: Option<u64>,
    /// When the pause began that lasts.
    paused_at: Option<Duration>,
    /// How long the pauses took that are over.
    paused_for: Duration,
    /// States and limits are told by the side's first connection.
    tells_states: bool,
}

impl EventSender {
    /// `state` has been told already.
    pub(crate) fn new(notes: Sender<(Duration, EventKind)>, clock: Instant, state: Option<State>) -> Self {
        Self {
            notes,
            clock,
            state,
            limit_bytes_per_s: None,
            paused_at: None,
            paused_for: Duration::ZERO,
            tells_states: true,
        }
    }

    /// For a further connection of a side whose state another one tells.
    pub(crate) fn for_further_connection(notes: Sender<(Duration, EventKind)>, clock: Instant) -> Self {
        Self {
            tells_states: false,
            ..Self::new(notes, clock, None)
        }
    }

    /// Tells an event; the channel has room for all that a side ever tells between two readings.
    pub(crate) fn tell(&self, event: EventKind) {
        let _ = self.notes.try_send((self.clock.elapsed(), event));
    }

    /// Tells a limit that is another one than before; at first there is none.
    pub(crate) fn limit(&mut self, bytes_per_s: Option<u64>) {
        if self.tells_states && self.limit_bytes_per_s != bytes_per_s {
            self.limit_bytes_per_s = bytes_per_s;
            self.tell(EventKind::Limit { bytes_per_s });
        }
    }

    /// How long it was paused in all, as it was told.
    pub(crate) fn paused_for(&self) -> Duration {
        let lasts = self
            .paused_at
            .map(|paused_at| self.clock.elapsed().saturating_sub(paused_at));
        self.paused_for + lasts.unwrap_or_default()
    }

    /// Tells a state that is another one than before.
    pub(crate) fn state(&mut self, state: State) {
        if self.tells_states && self.state != Some(state) {
            self.state = Some(state);
            let now = self.clock.elapsed();
            if let Some(paused_at) = self.paused_at.take() {
                self.paused_for += now.saturating_sub(paused_at);
            }
            self.paused_at = (state == State::Paused).then_some(now);
            self.tell(EventKind::State { state });
        }
    }
}
