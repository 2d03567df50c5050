//! What a web server sends, as the HTTP library and our own code read it.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| arraylift_fuzz::bodies::web_server(bytes));
