//! The handshake of `multiprocessing.connection`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| arraylift_fuzz::bodies::recipe_handshake(bytes));
