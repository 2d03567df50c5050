//! How bytes leave and how they land: one file a route behind one small trait each.

mod choice;
#[cfg(test)]
pub(crate) mod fake;
pub(crate) mod receive;
pub(crate) mod send;

pub use choice::{ReceiveRouteChoice, SendRouteChoice};
