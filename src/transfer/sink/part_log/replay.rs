//! What the records of a log come to.

use std::collections::BTreeMap;

use super::record::{RECORD_BYTES, Record, Seal};

/// Takes records in the order of the file. Its memory is in proportion to those that it was given, whatever they say.
#[derive(Debug)]
pub(super) struct Replay {
    seal: Seal,
    /// How many blocks the item has.
    blocks: u32,
    /// The number of the next record.
    next: u32,
    /// In the order in which they opened it.
    writers: Vec<Writer>,
    last: BTreeMap<u32, Recorded>,
}

/// What a log says of its blocks, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replayed {
    /// Blocks that are on disk, with their checksums.
    pub(super) on_disk: Vec<(u32, u64)>,
    /// Blocks that may be: they are to be compared.
    pub(super) pending: Vec<(u32, u64)>,
    /// How many records were seen, torn ones among them.
    pub(super) records: u32,
}

/// The last record of a block.
#[derive(Debug, Clone, Copy)]
struct Recorded {
    value: u64,
    /// The number of the record.
    at: u32,
}

/// Somebody who had the log open. All numbers are those of records.
#[derive(Debug, Clone, Copy)]
struct Writer {
    opened_at: u32,
    /// What it recorded before is on disk.
    marked_to: u32,
    /// What it recorded from here on is not known to be, and was said to be lost.
    unsynced_from: u32,
}

impl Replay {
    /// Of a log of this number, and an item of so many blocks.
    pub(super) fn new(log_id: u64, blocks: u32) -> Self {
        Self {
            seal: Seal { log_id, writer: None },
            blocks,
            next: 0,
            writers: Vec::new(),
            last: BTreeMap::new(),
        }
    }

    /// Takes the next record. One that is torn, of another log, or says what cannot be, is passed over.
    pub(super) fn push(&mut self, bytes: &[u8; RECORD_BYTES]) {
        let at = self.next;
        self.next = self.next.saturating_add(1);
        let Some(record) = Record::from_bytes(bytes, self.seal) else {
            return;
        };
        if let Record::Opened { writer } = record {
            self.seal.writer = Some(writer);
            self.writers.push(Writer {
                opened_at: at,
                marked_to: at,
                unsynced_from: u32::MAX,
            });
            return;
        }
        if let Record::Void { from, count } = record {
            let blocks = from..from.saturating_add(count);
            self.last.extract_if(blocks, |_, _| true).for_each(drop);
            return;
        }
        let Some(writer) = self.writers.last_mut() else {
            return;
        };
        match record {
            Record::Block { index, value } if index < self.blocks => {
                self.last.insert(index, Recorded { value, at });
            }
            // It speaks of its own writer's records, and of none that came later than it.
            Record::Mark { from, count } if from == writer.opened_at && count <= at - from => {
                writer.marked_to = writer.marked_to.max(from + count);
            }
            Record::Unsynced { from } => writer.unsynced_from = writer.unsynced_from.min(from),
            _ => {}
        }
    }

    pub(super) fn finish(self) -> Replayed {
        let mut replayed = Replayed {
            on_disk: Vec::new(),
            pending: Vec::new(),
            records: self.next,
        };
        for (index, Recorded { value, at }) in self.last {
            let by = self.writers.partition_point(|writer| writer.opened_at < at);
            let Some(writer) = by.checked_sub(1).and_then(|by| self.writers.get(by)) else {
                continue;
            };
            if at >= writer.unsynced_from {
                continue;
            }
            if at < writer.marked_to {
                replayed.on_disk.push((index, value));
            } else {
                replayed.pending.push((index, value));
            }
        }
        replayed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LOG: u64 = 0xabcd;
    const BLOCKS: u32 = 100;

    fn opened(writer: u64) -> Record {
        Record::Opened { writer }
    }

    fn block(index: u32, value: u64) -> Record {
        Record::Block { index, value }
    }

    fn void(index: u32) -> Record {
        Record::Void { from: index, count: 1 }
    }

    /// Each by the writer who opened it last.
    fn replayed(records: &[Record]) -> Replayed {
        let mut replay = Replay::new(LOG, BLOCKS);
        for bytes in sealed(records) {
            replay.push(&bytes);
        }
        replay.finish()
    }

    fn sealed(records: &[Record]) -> Vec<[u8; RECORD_BYTES]> {
        let mut seal = Seal {
            log_id: LOG,
            writer: None,
        };
        let bytes = records.iter().map(|record| {
            if let Record::Opened { writer } = record {
                seal.writer = Some(*writer);
            }
            record.to_bytes(seal)
        });
        bytes.collect()
    }

    #[test]
    fn a_block_is_pending_until_a_mark_covers_its_record() {
        let records = [
            opened(1),
            block(5, 50),
            block(3, 30),
            Record::Mark { from: 0, count: 2 },
        ];
        let replayed = replayed(&records);
        assert_eq!(replayed.on_disk, [(5, 50)]);
        assert_eq!(replayed.pending, [(3, 30)], "it was recorded while the sync ran");
        assert_eq!(replayed.records, 4);
    }

    #[test]
    fn a_void_holds_for_all_before_it_and_for_nothing_behind_it() {
        let mark = Record::Mark { from: 0, count: 3 };
        let records = [
            opened(1),
            block(1, 10),
            block(2, 20),
            mark,
            void(1),
            void(2),
            block(2, 21),
        ];
        let replayed = replayed(&records);
        assert_eq!((replayed.on_disk, replayed.pending), (vec![], vec![(2, 21)]));
    }

    #[test]
    fn a_void_of_many_blocks_leaves_those_around_it() {
        let blocks = (0..10).map(|index| block(index, u64::from(index)));
        let void = Record::Void { from: 2, count: 7 };
        let records: Vec<Record> = [opened(1)].into_iter().chain(blocks).chain([void]).collect();
        assert_eq!(replayed(&records).pending, [(0, 0), (1, 1), (9, 9)]);
        let all = Record::Void {
            from: 0,
            count: u32::MAX,
        };
        assert_eq!(replayed(&[records, vec![all]].concat()).pending, []);
    }

    #[test]
    fn a_mark_covers_nothing_of_another_writer() {
        let records = [
            opened(1),
            block(1, 10),
            opened(2),
            block(2, 20),
            Record::Mark { from: 0, count: 4 },
            Record::Mark { from: 2, count: 2 },
        ];
        let replayed = replayed(&records);
        assert_eq!((replayed.on_disk, replayed.pending), (vec![(2, 20)], vec![(1, 10)]));
    }

    #[test]
    fn a_mark_of_what_is_still_to_come_is_passed_over() {
        let records = [
            opened(1),
            block(1, 10),
            Record::Mark { from: 0, count: 3 },
            block(2, 20),
        ];
        assert_eq!(replayed(&records).on_disk, []);
        let huge = Record::Mark {
            from: 0,
            count: u32::MAX,
        };
        assert_eq!(replayed(&[opened(1), huge, block(2, 20)]).pending, [(2, 20)]);
    }

    #[test]
    fn what_a_failed_sync_may_have_lost_counts_in_no_way_and_what_was_marked_before_does() {
        let records = [
            opened(1),
            block(1, 10),
            Record::Mark { from: 0, count: 2 },
            block(2, 20),
            Record::Unsynced { from: 3 },
            // Somebody else synced meanwhile, and was told of nothing.
            Record::Mark { from: 0, count: 5 },
            opened(2),
            block(3, 30),
        ];
        let replayed = replayed(&records);
        assert_eq!((replayed.on_disk, replayed.pending), (vec![(1, 10)], vec![(3, 30)]));
    }

    #[test]
    fn what_a_writer_says_after_another_has_opened_it_does_not_count_but_for_what_it_voids() {
        let late = Seal {
            log_id: LOG,
            writer: Some(1),
        };
        let mut bytes = sealed(&[opened(1), opened(2), block(1, 10), block(2, 20)]);
        for record in [block(3, 30), void(1), Record::Mark { from: 1, count: 3 }] {
            bytes.push(record.to_bytes(late));
        }
        let mut replay = Replay::new(LOG, BLOCKS);
        for bytes in &bytes {
            replay.push(bytes);
        }
        let replayed = replay.finish();
        assert_eq!((replayed.on_disk, replayed.pending), (vec![], vec![(2, 20)]));
    }

    #[test]
    fn blocks_that_the_item_does_not_have_and_records_before_anybody_opened_it_are_passed_over() {
        let records = [
            block(1, 10),
            opened(1),
            block(BLOCKS, 1),
            block(u32::MAX, 1),
            block(99, 9),
        ];
        assert_eq!(replayed(&records).pending, [(99, 9)]);
    }

    /// What one writer does, by the model: `true` where it is on disk.
    fn model(steps: &[(u8, u32)]) -> (Vec<Record>, Vec<BTreeMap<u32, bool>>) {
        let mut records = vec![opened(7)];
        let (mut now, mut states) = (BTreeMap::new(), vec![BTreeMap::new(), BTreeMap::new()]);
        for (step, index) in steps {
            match step {
                0..6 => {
                    records.push(block(*index, u64::from(*index)));
                    now.insert(*index, false);
                }
                6 | 7 => {
                    records.push(void(*index));
                    now.remove(index);
                }
                _ => {
                    let count = u32::try_from(records.len()).expect("few");
                    records.push(Record::Mark { from: 0, count });
                    for on_disk in now.values_mut() {
                        *on_disk = true;
                    }
                }
            }
            states.push(now.clone());
        }
        (records, states)
    }

    proptest! {
            #[test]
            fn a_log_that_is_cut_anywhere_says_what_was_so_then(steps in prop::collection::vec((0_u8..9, 0_u32..8), 0..40)) {
                let (records, states) = model(&steps);
                for (len, state) in states.iter().enumerate() {
                    let replayed = replayed(&records[..len]);
                    let of = |wanted: bool| -> Vec<(u32, u64)> {
                        let those = state.iter().filter(|(_, on_disk)| **on_disk == wanted);
                        those.map(|(index, _)| (*index, u64::from(*index))).collect()
                    };
                    prop_assert_eq!((replayed.on_disk, replayed.pending), (of(true), of(false)));
                }
            }

            #[test]
            fn records_that_are_torn_cost_blocks_and_bring_none(
                steps in prop::collection::vec((0_u8..9, 0_u32..8), 1..40),
                torn in prop::collection::vec(any::<prop::sample::Index>(), 1..8),
            ) {
                // A void is on disk before anything of its block is overwritten, so that no torn one was ever waited for.
                let steps: Vec<(u8, u32)> = steps.into_iter().filter(|(step, _)| !(6..8).contains(step)).collect();
                let (records, states) = model(&steps);
                let mut bytes = sealed(&records);
                for index in torn {
                    index.get_mut(&mut bytes)[20] ^= 1;
                }
                let mut replay = Replay::new(LOG, BLOCKS);
                for bytes in &bytes {
     replay.push(bytes);
    }
                let replayed = replay.finish();
                let last = states.last().expect("one at least");
                let both = replayed.on_disk.iter().chain(&replayed.pending);
                prop_assert!(both.copied().all(|(index, value)| u64::from(index) == value && last.contains_key(&index)));
                let was_on_disk = |index| states.iter().any(|state| state.get(index) == Some(&true));
                prop_assert!(replayed.on_disk.iter().all(|(index, _)| was_on_disk(index)));
            }
        }
}
