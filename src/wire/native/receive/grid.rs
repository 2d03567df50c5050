//! Where the blocks of an array lie.

use crate::error::Error;
use crate::wire::Grain;

/// Where blocks lie.
#[derive(Debug)]
pub(super) enum Grid {
    /// At multiples of so many bytes.
    Every(Grain),
    /// One behind the other: the next one has this number, and begins with this byte.
    InOrder { index: u32, at: u64 },
}

impl Grid {
    /// The length of blocks; `None` where they lie on no grid.
    pub(super) fn grain(&self) -> Option<Grain> {
        match self {
            Self::Every(grain) => Some(*grain),
            Self::InOrder { .. } => None,
        }
    }

    /// The first byte of a block with that number and so many bytes, of an array of `total` bytes.
    pub(super) fn place(&mut self, index: u32, len: u32, total: u64) -> Result<u64, Error> {
        match self {
            Self::Every(grain) => {
                let due = grain.block_bytes(index, total);
                if u64::from(len) != due {
                    return Err(Error::Protocol(format!(
                        "block {index} has {len} bytes where {due} were due"
                    )));
                }
                Ok(u64::from(index) * grain.bytes())
            }
            Self::InOrder { index: due, at } => {
                if index != *due {
                    return Err(Error::Protocol(format!("block {index} where {due} was due")));
                }
                let place = *at;
                (*due, *at) = (due.wrapping_add(1), at.saturating_add(len.into()));
                Ok(place)
            }
        }
    }
}
