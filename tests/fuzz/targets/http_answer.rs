//! The head of a web server's answer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| arraylift_fuzz::bodies::http_answer(bytes));
