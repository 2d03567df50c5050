//! A log and its part, in real folders.
