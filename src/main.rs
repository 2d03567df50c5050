//! Arraylift.

fn main() {}
