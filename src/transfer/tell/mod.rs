//! What a transfer tells whoever watches it: events, and the samples in them.

pub(crate) mod event;
pub(crate) mod event_queue;
pub(crate) mod event_sender;
pub(crate) mod items;
pub(crate) mod path_text;
pub(crate) mod preview;
pub(crate) mod sampler;
