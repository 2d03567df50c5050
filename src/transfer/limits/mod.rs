//! What holds a transfer back: limits, what is changed while it runs, and room that is promised once.

pub(crate) mod admission;
pub(crate) mod command;
pub(crate) mod controls;
pub(crate) mod descriptors;
pub(crate) mod keep_free;
pub(crate) mod limiter;
pub(crate) mod promise;
pub(crate) mod promise_table;
