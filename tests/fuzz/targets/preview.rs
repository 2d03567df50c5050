//! Elements as text.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| arraylift_fuzz::bodies::preview(bytes));
