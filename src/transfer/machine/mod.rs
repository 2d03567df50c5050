//! What drives a sender or a receiver: its steps, its waits, and what it has to say.

pub(crate) mod context;
pub(crate) mod drive;
pub(crate) mod keep_alive;
pub(crate) mod outbox;
