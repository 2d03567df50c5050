//! The header of a `.npy` file.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| arraylift_fuzz::bodies::npy_header(bytes));
