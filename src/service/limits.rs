//! How much a service takes on.

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

use crate::error::Error;
use crate::transfer::{AdmissionLimits, KeepFree, raise_descriptor_limit};

/// Descriptors that are left to everything else in the process.
const RESERVED_DESCRIPTORS: usize = 64;
/// What one array needs at most while it is received: its file, a pipe, and one to be opened for a moment.
const SINK_DESCRIPTORS: usize = 4;
/// What one transfer with threads of its own needs at most over one connection: that, what wakes its threads, and its sink.
const TRANSFER_DESCRIPTORS: usize = 8;
/// What has to be there for anybody to be taken: a transfer's, and twice as many for the service and its control socket.
const SPARE_DESCRIPTORS: usize = 3 * TRANSFER_DESCRIPTORS;
/// More arrays at once would not be faster.
const OPEN_SINKS_MAX: usize = 1024;

/// What a service takes at most. Whoever comes beyond the first one waits to be accepted; offers beyond the others are
/// refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Connections at the same time; as many as there are descriptors for, where it is not said.
    pub connections: Option<usize>,
    /// Bytes of one array.
    pub bytes_each: Option<u64>,
    /// Bytes of all arrays together.
    pub bytes_in_all: Option<u64>,
    /// What stays free of the folder's disk.
    pub keep_free: KeepFree,
    /// A sender that moves fewer bytes a second, over the timeout, gives its place to others.
    pub slowest_bytes_per_s: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: None,
            bytes_each: None,
            bytes_in_all: None,
            keep_free: KeepFree::default(),
            slowest_bytes_per_s: Some(1000),
        }
    }
}

/// Raises the process's limit of descriptors as far as it may be; returns how many transfers with threads of their own
/// there are descriptors for, `most` at most and one at least.
pub(super) fn transfers_at_once(most: usize) -> usize {
    transfers_of(raise_descriptor_limit(), most)
}

/// How descriptors are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shares {
    pub(super) connections: usize,
    /// Arrays that are received at the same time.
    pub(super) open_sinks: usize,
}

impl Limits {
    /// Raises the process's limit of descriptors as far as it may be, and divides them.
    pub(super) fn shares(&self) -> Shares {
        divide(raise_descriptor_limit(), self.connections)
    }

    pub(super) fn admission(&self, open_sinks: usize) -> AdmissionLimits {
        AdmissionLimits {
            open_sinks,
            bytes_each: self.bytes_each,
            bytes_in_all: self.bytes_in_all,
        }
    }
}

fn divide(descriptors: usize, connections_max: Option<usize>) -> Shares {
    let usable = descriptors
        .saturating_sub(RESERVED_DESCRIPTORS)
        .max(1 + SINK_DESCRIPTORS);
    let open_sinks = (usable / (2 * SINK_DESCRIPTORS)).clamp(1, OPEN_SINKS_MAX);
    let connections = usable - open_sinks * SINK_DESCRIPTORS;
    Shares {
        connections: connections_max.map_or(connections, |most| most.clamp(1, connections)),
        open_sinks,
    }
}

fn transfers_of(descriptors: usize, most: usize) -> usize {
    let transfers = descriptors.saturating_sub(RESERVED_DESCRIPTORS) / TRANSFER_DESCRIPTORS;
    transfers.clamp(1, most)
}

/// Fails where there are too few descriptors for a service and one transfer: whoever connected would wait in vain.
pub(crate) fn check_spare_descriptors() -> Result<(), Error> {
    raise_descriptor_limit();
    let spare: Result<Vec<_>, Errno> = (0..SPARE_DESCRIPTORS)
        .map(|_| eventfd(0, EventfdFlags::CLOEXEC))
        .collect();
    match spare {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::system("cannot take anybody", &error.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_and_sinks_together_never_need_more_descriptors_than_there_are() {
        for descriptors in [0, 70, 100, 256, 1024, 4096, 20_000, 1 << 30] {
            let shares = divide(descriptors, None);
            assert!(shares.connections >= 1 && shares.open_sinks >= 1, "{descriptors}");
            let needed = shares.connections + shares.open_sinks * SINK_DESCRIPTORS + RESERVED_DESCRIPTORS;
            assert!(descriptors < 100 || needed <= descriptors, "{needed} of {descriptors}");
        }
        assert!(divide(20_000, None).connections >= 10_000);
        assert_eq!(divide(20_000, Some(5)).connections, 5);
    }

    #[test]
    fn transfers_at_once_are_as_many_as_there_are_descriptors_for() {
        let transfers = [0, 40, 100, 256, 1 << 30].map(|descriptors| transfers_of(descriptors, 16));
        assert_eq!(transfers, [1, 1, 4, 16, 16]);
    }
}
