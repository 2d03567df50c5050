//! The real binary's command line: what it says, how it exits, and what lies on the disk afterwards.

#![allow(clippy::expect_used, reason = "a test that cannot go on says why and fails")]

mod addresses;
mod asleep;
mod claims;
#[path = "../common/mod.rs"]
mod common;
mod compare;
mod control;
#[path = "../common/cutting_proxy.rs"]
mod cutting_proxy;
mod durable;
mod echo;
mod exit_codes;
mod fetch;
mod fetch_answers;
mod formats;
mod full_disk;
mod handoff;
mod history;
mod hostile;
mod injected;
mod injected_fetch;
mod injected_once;
mod injected_start;
mod json;
mod memory;
mod moves;
mod names;
#[path = "../common/native.rs"]
mod native;
mod once;
mod other_users;
mod pages;
mod part_logs;
mod peers;
mod pipes;
mod queue;
mod recipe;
mod repeat;
mod resume;
mod resume_fetch;
mod resume_trees;
mod resume_within;
mod sandbox;
mod serve;
mod shm;
mod signals;
mod sinks;
mod slow_disk;
mod small_files;
mod sources;
mod stats;
mod streams;
mod tree_peers;
mod tree_streams;
mod tree_ways;
mod trees;
mod unread;
mod usage;
mod web_servers;
mod workers;

/// A `.npy` file, version 1.0, as NumPy writes it.
fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len()).expect("a short header");
    [b"\x93NUMPY\x01\x00", &length.to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// The bytes of `range:0:COUNT`.
fn floats(count: u32) -> Vec<u8> {
    (0..count).flat_map(|index| f64::from(index).to_le_bytes()).collect()
}
