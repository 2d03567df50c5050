//! Memory for arrays: what an earlier transfer has left is used again, for its pages are there already.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;
use crate::ledger::Ledger;
use crate::sys::{Region, Spare};
use crate::telemetry::available_memory_bytes;
use crate::transfer::limits::promise::Promise;

/// No more than so many are kept for the next transfers.
const SPARES_MAX: usize = 4;
/// Smaller ones are had as fast from the kernel.
const SPARE_BYTES_MIN: usize = 8 << 20;

/// Left by transfers that have ended. While they lie here the kernel may take their pages back.
static SPARES: Mutex<Vec<Spare>> = Mutex::new(Vec::new());

/// Memory for one array.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) region: Region,
    /// What the kernel still has to find for it.
    pub(crate) promise: Promise,
    /// What kind of memory it is, for people.
    pub(crate) kind: &'static str,
}

/// Finds memory for what a ledger is of, or says that there is not enough.
pub(crate) fn room_for(ledger: &Arc<Ledger>) -> Result<Room, Error> {
    let failed = |error: io::Error| Error::system("cannot reserve memory for the array", &error);
    let too_long = || failed(io::ErrorKind::OutOfMemory.into());
    let len = ledger.total_bytes().ok_or_else(too_long)?;
    let bytes = usize::try_from(len).map_err(|_| too_long())?;
    let spare = take_spare(bytes);
    let reused = spare.is_some();
    let promise = Promise::of_memory(if reused { 0 } else { len })?;
    let spare = match spare {
        Some(spare) => spare,
        None => Spare::new(bytes).map_err(failed)?,
    };
    let kind = kind_of(&spare, reused);
    Ok(Room {
        region: spare.into_region(ledger).ok_or_else(too_long)?,
        promise,
        kind,
    })
}

/// Keeps the memory of a region for the next transfer, where nobody has a part of it any more.
pub(crate) fn give_back(region: Region) {
    let Some(spare) = region.into_spare().filter(|spare| spare.capacity() >= SPARE_BYTES_MIN) else {
        return;
    };
    // Others want memory, too.
    if available_memory_bytes().is_none_or(|available| spare.capacity() as u64 > available) {
        return;
    }
    spare.lend_to_kernel();
    let mut spares = SPARES.lock().unwrap_or_else(PoisonError::into_inner);
    if spares.len() >= SPARES_MAX {
        spares.remove(0);
    }
    spares.push(spare);
}

/// The smallest that is large enough. Where none is, all of them go: whoever needs more than before needs it again.
fn take_spare(len: usize) -> Option<Spare> {
    if len < SPARE_BYTES_MIN {
        return None;
    }
    let mut spares = SPARES.lock().unwrap_or_else(PoisonError::into_inner);
    let fitting = spares.iter().enumerate().filter(|(_, spare)| spare.capacity() >= len);
    let index = fitting
        .min_by_key(|(_, spare)| spare.capacity())
        .map(|(index, _)| index);
    if index.is_none() {
        spares.clear();
    }
    index.map(|index| spares.remove(index))
}

fn kind_of(spare: &Spare, reused: bool) -> &'static str {
    let switched_off = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled")
        .is_ok_and(|modes| modes.contains("[never]"));
    let refused_here = rustix::thread::transparent_huge_pages_are_disabled().is_ok_and(|disabled| disabled);
    match (spare.is_huge(), switched_off, refused_here, reused) {
        (true, false, false, false) => "huge pages, fresh",
        (true, false, false, true) => "huge pages, reused",
        (false, ..) => "small pages: this kernel has no huge ones",
        (_, true, ..) => "small pages: this system has switched huge ones off",
        (_, _, true, _) => "small pages: huge ones are switched off for this process",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::Part;
    use crate::wire::ChecksumKind;

    fn ledger(len: u64) -> Arc<Ledger> {
        Ledger::new(len, ChecksumKind::None, 1)
    }

    fn all_of(room: &Room, ledger: &Arc<Ledger>) -> Option<Part> {
        let mut claim = ledger.claim(0, ledger.total_bytes()?).ok()?;
        room.region.part(claim.take_span()?)
    }

    #[test]
    fn a_region_is_used_again_by_one_that_fits() {
        // Of a length that no other test uses.
        let len = SPARE_BYTES_MIN as u64 + 12_345;
        let first = ledger(len);
        let room = room_for(&first).expect("a few megabytes");
        let mut part = all_of(&room, &first).expect("free");
        let write = |room: &mut [u8]| {
            room.fill(9);
            Ok(room.len())
        };
        part.fill_with(usize::MAX, write).expect("written");
        assert_eq!(part.len() as u64, len);
        let place = part.as_ptr();
        drop(part);
        give_back(room.region);
        let second = ledger(len);
        let again = room_for(&second).expect("a few megabytes");
        let part = all_of(&again, &second).expect("free");
        assert_eq!(part.as_ptr(), place);
        assert!(part.is_empty(), "what the earlier array left is not shown");
        assert!(
            again.kind.contains("reused") || again.kind.starts_with("small pages"),
            "{}",
            again.kind
        );
    }

    #[test]
    fn more_than_there_is_is_refused() {
        assert!(matches!(room_for(&ledger(1 << 62)), Err(Error::NotEnoughMemory { .. })));
    }
}
