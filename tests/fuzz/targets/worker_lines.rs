//! Lines between a service and its workers.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| arraylift_fuzz::bodies::worker_lines(bytes));
