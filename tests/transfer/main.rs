//! Whole transfers by the library: every wire, every route, every edge size, on real sockets and real files.

#![allow(clippy::expect_used, reason = "a test that cannot go on says why and fails")]

mod bottleneck;
mod changes;
mod controls;
mod counts;
#[path = "../common/cutting_proxy.rs"]
mod cutting_proxy;
mod failures;
mod grid;
mod handoff;
mod moves;
#[path = "../common/native.rs"]
mod native;
mod python;
mod python_maps;
mod streams;
mod support;
