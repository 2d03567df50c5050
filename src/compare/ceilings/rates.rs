//! The rates that are measured and kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::compare::machine::Machine;

/// The highest rates that were measured on a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ceilings {
    /// [`Ceilings::VERSION`] of the program that measured.
    pub version: u32,
    /// Where it was measured.
    pub machine: Machine,
    /// When it was measured, in seconds since 1970 (UTC).
    pub measured_unix_s: u64,
    /// The rate at which one thread copies memory, far more than its cache holds, in bytes a second.
    pub memcpy_bytes_per_s: f64,
    /// `sendfile` over TCP loopback to a receiver that keeps nothing, in bytes a second.
    pub sendfile_bytes_per_s: f64,
    /// Disks, by the folder that was measured.
    #[serde(default)]
    pub disks: BTreeMap<String, Disk>,
}

/// The highest rates of a folder's disk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Disk {
    /// The rate of writing until the data is on the disk, in bytes a second.
    pub write_bytes_per_s: f64,
    /// The rate of reading from the disk, in bytes a second.
    pub read_bytes_per_s: f64,
    /// Whether the page cache was bypassed (`O_DIRECT`). If false, the file system does not support it: the write ended
    /// with `fsync(2)`, and the read may have come from the page cache.
    pub direct: bool,
}

impl Ceilings {
    /// The version that this program writes and reads.
    pub const VERSION: u32 = 1;

    /// Adds the disks that were measured earlier and not now.
    pub(super) fn with_disks_of(mut self, earlier: Option<Self>) -> Self {
        for (folder, disk) in earlier.map(|earlier| earlier.disks).unwrap_or_default() {
            self.disks.entry(folder).or_insert(disk);
        }
        self
    }
}
