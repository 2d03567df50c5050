//! What a proxy answers.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| arraylift_fuzz::bodies::proxy_answer(bytes));
