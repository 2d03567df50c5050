//! Moves the same array by several routes, in rounds that take turns, and compares what each costs.
//!
//! A [`Comparison`] is the result: plain data that is saved and read back. Each run of a contestant is a child process
//! of its own, so that its memory and its CPU time are its own.

mod bench;
pub(crate) mod ceilings;
mod child;
mod command;
mod contestant;
mod file;
mod folder;
mod machine;
pub(crate) mod measured;
mod observe;
mod overlay;
mod plan;
mod result;
mod run;
mod sizes;
mod spread;
mod ways;

pub(crate) use child::end_with_comparison;
pub use contestant::{Contestant, Over, Sink, Skipped};
pub use file::load;
pub(crate) use file::{check_save, save};
pub use machine::Machine;
pub use measured::{Measured, Subject};
pub(crate) use overlay::{Difference, Pair, differences, overlay};
pub(crate) use plan::Plan;
pub use result::{Comparison, Entry, SizePoint};
pub(crate) use run::{CompareEvent, Comparing, check};
pub use spread::Spread;
pub(crate) use spread::Summary;
#[cfg(test)]
pub(crate) use ways::contestants;
pub(crate) use ways::{NO_FOLDER, NO_RANGE, TOO_LONG};
