//! What the worker processes of a service have promised, where each of them and the service can see it.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sys::SharedCounts;

/// Workers beyond so many promise for themselves alone.
const ROWS: usize = 1024;
/// Of a row: the worker that has it, or 0; bytes of memory; bytes of the service's disk.
const COLUMNS: usize = 3;

/// The table that this process works with.
static JOINED: OnceLock<Joined> = OnceLock::new();

/// A row for each worker.
#[derive(Debug)]
pub(crate) struct PromiseTable(SharedCounts);

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Memory,
    /// On the disk of that device number.
    Disk {
        device: u64,
    },
}

#[derive(Debug)]
struct Joined {
    table: PromiseTable,
    row: usize,
    /// The disk that the table is of.
    device: Option<u64>,
}

impl PromiseTable {
    /// A table without promises.
    ///
    /// # Errors
    /// The system gives no memory for it.
    pub(crate) fn new() -> io::Result<Self> {
        SharedCounts::new(ROWS * COLUMNS).map(Self)
    }

    /// A descriptor for a worker.
    ///
    /// # Errors
    /// No descriptor is left.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        self.0.descriptor()
    }

    /// That worker has gone, and its promises with it.
    pub(crate) fn release(&self, worker: u64) {
        for row in 0..ROWS {
            if self
                .count(row, 0)
                .is_some_and(|owner| owner.load(Ordering::SeqCst) == worker)
            {
                for column in (0..COLUMNS).rev() {
                    if let Some(count) = self.count(row, column) {
                        count.store(0, Ordering::SeqCst);
                    }
                }
            }
        }
    }

    /// From now on what this process promises as that worker, of memory and of the disk of that device number, counts with
    /// what others promise in the table of that descriptor. To be called before anything is promised.
    ///
    /// # Errors
    /// It is no such table, or has no free row.
    pub(crate) fn join(descriptor: OwnedFd, worker: u64, device: Option<u64>) -> io::Result<()> {
        let table = Self(SharedCounts::adopt(descriptor)?);
        let is_free = |row: &usize| {
            let owner = table.count(*row, 0);
            owner.is_some_and(|owner| {
                owner
                    .compare_exchange(0, worker, Ordering::SeqCst, Ordering::SeqCst)
                    .is_ok()
            })
        };
        let row = (0..ROWS).find(is_free).ok_or(io::ErrorKind::QuotaExceeded)?;
        // A process joins one service, once.
        let _ = JOINED.set(Joined { table, row, device });
        Ok(())
    }

    fn count(&self, row: usize, column: usize) -> Option<&AtomicU64> {
        self.0.get(row * COLUMNS + column)
    }

    fn by_others(&self, own_row: usize, column: usize) -> u64 {
        let others = (0..ROWS).filter(|row| *row != own_row);
        let counts = others.filter_map(|row| self.count(row, column));
        counts.fold(0, |sum, count| sum.saturating_add(count.load(Ordering::SeqCst)))
    }
}

/// This process's own count, where it shares a table for it.
pub(super) fn own(column: Column) -> Option<&'static AtomicU64> {
    let joined = JOINED.get()?;
    joined.table.count(joined.row, joined.column(column)?)
}

/// What the other processes have promised.
pub(super) fn by_others(column: Column) -> u64 {
    let sum = |joined: &Joined| Some(joined.table.by_others(joined.row, joined.column(column)?));
    JOINED.get().and_then(sum).unwrap_or(0)
}

impl Joined {
    fn column(&self, column: Column) -> Option<usize> {
        match column {
            Column::Memory => Some(1),
            Column::Disk { device } => (self.device == Some(device)).then_some(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_worker_promised_counts_for_the_others_until_it_has_gone() {
        let table = PromiseTable::new().expect("memory");
        let promise = |row: usize, pid: u64, bytes: u64| {
            for (column, value) in [(0, pid), (1, bytes)] {
                table.count(row, column).expect("a row").store(value, Ordering::SeqCst);
            }
        };
        promise(0, 100, 5);
        promise(7, 200, 30);
        assert_eq!(
            (table.by_others(0, 1), table.by_others(7, 1), table.by_others(3, 1)),
            (30, 5, 35)
        );
        table.release(200);
        assert_eq!((table.by_others(0, 1), table.by_others(3, 1)), (0, 5));
        table.release(0);
        assert_eq!(table.by_others(3, 1), 5);
    }
}
