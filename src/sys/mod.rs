//! The only `unsafe` code and the only direct libc calls, wrapped so that callers cannot misuse them: arguments are
//! slices and borrowed descriptors, results are `io::Result`.

#![allow(unsafe_code)]

mod ancillary;
mod awake;
mod file_lock;
mod frozen_memory;
mod local_time;
mod memory;
mod memory_file;
mod peer;
mod process_end;
mod shared_counts;
mod shared_file;
mod sigbus;
mod signal;
mod socket;
mod tcp_info;
mod usage;
mod user;
mod vectors;
mod wait;
mod writable_file;
mod write_out;
mod zerocopy;

pub(crate) use ancillary::{may_receive_descriptor, receive_with_descriptor, send_with_descriptor};
pub(crate) use awake::{awake_now, ticking};
pub(crate) use file_lock::{is_locked, lock};
pub(crate) use frozen_memory::FrozenMemory;
pub(crate) use local_time::{LocalTime, local_time, unix_s_of};
pub(crate) use memory::{Filled, Part, Populator, Region, Spare};
pub(crate) use memory_file::MemoryFile;
pub(crate) use peer::{Peer, peer_of};
pub(crate) use process_end::at_exit;
pub(crate) use shared_counts::SharedCounts;
pub(crate) use shared_file::{ReadError, SharedFile};
pub(crate) use signal::is_ignored;
pub(crate) use socket::unacknowledged_bytes;
pub(crate) use tcp_info::tcp_info;
pub(crate) use usage::{Usage, process_usage, thread_usage};
pub(crate) use user::{user_id, user_name};
pub(crate) use vectors::{Vectorised, with_widest_vectors};
pub(crate) use wait::{Interest, Wake, wait, wait_also_for, wait_for_any};
pub(crate) use writable_file::WritableFile;
pub(crate) use write_out::begin_write_out;
pub(crate) use zerocopy::{enable_zerocopy, next_completion, send_zerocopy};
