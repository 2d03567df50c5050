//! The only `unsafe` code and the only direct libc calls, wrapped so that callers cannot misuse them: arguments are
//! slices and borrowed descriptors, results are `io::Result`.

#![allow(unsafe_code)]

mod memory;
mod shared_file;
mod socket;
mod spans;
mod tcp_info;
mod usage;
mod wait;

pub(crate) use memory::{Part, Populator, Region, Spare};
pub(crate) use shared_file::{ReadError, SharedFile};
pub(crate) use socket::unacknowledged_bytes;
pub(crate) use spans::{Span, Whole};
pub(crate) use tcp_info::tcp_info;
pub(crate) use usage::{Usage, process_usage, thread_usage};
pub(crate) use wait::{Interest, Wake, wait, wait_also_for};
