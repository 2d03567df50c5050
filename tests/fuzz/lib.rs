//! What the targets share with the tests on stable.

pub mod bodies;
pub mod budget;
