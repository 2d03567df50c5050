//! What a running service can be told.

use crate::transfer::{Steer, TransferId};

/// What its owner wants of a service.
#[derive(Debug)]
pub(super) enum Command {
    Drain,
    /// Nobody comes any more; who has come stays.
    TakeNoMore,
    Stop,
    Steer(TransferId, Steer),
}
