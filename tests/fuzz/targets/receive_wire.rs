//! A receiver hears a stranger.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| arraylift_fuzz::bodies::receive_wire(bytes));
