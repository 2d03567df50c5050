//! What the connections of one sender share.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64};

use crate::transfer::limits::limiter::Throttle;
use crate::transfer::source::Source;

/// One array on its way out, over one connection or several.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) source: Source,
    /// Bytes that have been sent over all connections.
    pub(crate) sent: AtomicU64,
    pub(crate) throttle: Mutex<Throttle>,
    /// The result has come, or all has been handed over.
    pub(crate) is_done: AtomicBool,
}
