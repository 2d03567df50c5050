//! Why what was asked for did not come, and what can be done about it.

use std::time::Duration;

use crate::error::Error;

/// Longer than this no server is waited for.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_mins(1);
/// The wait before the second try; it doubles.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(200);

/// An error, and whether another try is worth it.
#[derive(Debug)]
pub(super) struct Setback {
    pub(super) error: Error,
    /// Why the rest of the file would not be sure to fit to what has come of it: all of it has to come again.
    pub(super) begin_again: Option<&'static str>,
    /// The server does not send what was asked for, which says nothing of the file: another request may be served.
    pub(super) refused: bool,
    /// How long the server asks to be left alone. RFC 9110, 10.2.3.
    pub(super) retry_after: Option<Duration>,
}

impl From<Error> for Setback {
    fn from(error: Error) -> Self {
        Self {
            error,
            begin_again: None,
            refused: false,
            retry_after: None,
        }
    }
}

impl Setback {
    /// Whether the same may work a moment later.
    pub(super) fn may_pass(&self) -> bool {
        if self.retry_after.is_some_and(|wait| wait > RETRY_AFTER_MAX) {
            return false;
        }
        match self.error {
            Error::ClosedEarly { .. }
            | Error::ClosedWhile(_)
            | Error::Silent(_)
            | Error::NobodyListening(_)
            | Error::Endpoint { .. } => true,
            // RFC 9110, 15.6; RFC 6585, 4.
            Error::Answered { status, .. } => matches!(status, 429 | 500 | 502..=504),
            _ => false,
        }
    }

    /// How long to wait before try number `number`, counted from 0: longer each time, and as long as the server asks.
    pub(super) fn wait(&self, number: u32) -> Duration {
        let own = FIRST_WAIT * 2_u32.saturating_pow(number);
        own.max(self.retry_after.unwrap_or_default())
    }
}
