//! A log and its part, in real folders.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::checksum::{ChecksumKind, Digest};
use crate::sys::lock;
use crate::transfer::sink::folder::Folder;

use super::record::RECORD_BYTES;

use super::*;
use crate::transfer::sink::part_name::numbers_for;

pub(super) const GRAIN_BYTES: u32 = 1000;

/// A folder in which an item is received.
pub(super) struct Place {
    folder: tempfile::TempDir,
    pub(super) open: Arc<Folder>,
}

/// A part that is being received. Dropping it is what a kill does.
pub(super) struct Receiving {
    pub(super) file: File,
    pub(super) name: PathBuf,
    pub(super) log: PartLog,
    item: ItemHead,
}

/// Ten blocks, the last of which is short, behind a header.
pub(super) fn item() -> ItemHead {
    ItemHead {
        peer: None,
        wanted: "a.npy".into(),
        identity: b"first".to_vec(),
        bytes: 9500,
        data_offset: 128,
        content: [5; 32],
        grain_bytes: GRAIN_BYTES,
        checksum: ChecksumKind::Crc64Nvme,
        is_within: false,
    }
}

impl Place {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let open = Folder::open(folder.path()).expect("there");
        Self { folder, open }
    }

    pub(super) fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn begin(&self, item: &ItemHead) -> Receiving {
        self.begin_as(0, item)
    }

    /// Under the number of that place in the row.
    fn begin_as(&self, place: usize, item: &ItemHead) -> Receiving {
        let number = numbers_for(&item.wanted, item.bytes).nth(place).expect("a number");
        let name = number.name_for(&item.wanted);
        let file = self.open.create(&name).expect("free");
        lock(&file).expect("free");
        file.set_len(item.part_bytes()).expect("room");
        let log = PartLog::create(&self.open, &name, &file, item).expect("room");
        let item = item.clone();
        Receiving { file, name, log, item }
    }

    /// What another process finds.
    fn find(&self, item: &ItemHead) -> Found {
        find(&self.open, item, &mut Patience::short())
    }

    pub(super) fn go_on(&self, item: &ItemHead) -> (Receiving, Vec<u32>) {
        let found = self.find(item);
        let Found::Part(part) = found else {
            panic!("{found:?}");
        };
        let Interrupted { file, name, known } = *part;
        let indices = known.recorded.iter().map(|(index, _)| *index).collect();
        let log = known.log;
        let item = item.clone();
        (Receiving { file, name, log, item }, indices)
    }

    fn reason(&self, item: &ItemHead) -> String {
        match self.find(item) {
            Found::NotUsable { part, reason } => {
                assert!(self.at(part).symlink_metadata().is_ok());
                reason.to_string()
            }
            found => panic!("{found:?}"),
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("there");
        let names = entries.map(|entry| entry.expect("read").file_name().into_string().expect("UTF-8"));
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

impl Receiving {
    /// These blocks land, and are recorded.
    pub(super) fn receive(&self, blocks: &[u32]) {
        let landed: Vec<(u32, u64)> = blocks.iter().map(|index| self.land(*index)).collect();
        self.log.record(&landed);
    }

    pub(super) fn land(&self, index: u32) -> (u32, u64) {
        let block = self.item.block(index);
        let bytes = content(&self.item, index);
        let at = self.item.data_offset + block.start;
        self.file.write_all_at(&bytes, at).expect("written");
        (index, checksum(&self.item, &bytes))
    }

    /// What a loss of power makes of blocks that were not on disk.
    pub(super) fn spoil(&self, blocks: &[u32]) {
        for index in blocks {
            let at = self.item.data_offset + self.item.block(*index).start;
            self.file.write_all_at(b"?", at).expect("written");
        }
    }

    fn log_path(&self, place: &Place) -> PathBuf {
        place.at(log_name(&self.name))
    }
}

pub(super) fn content(item: &ItemHead, index: u32) -> Vec<u8> {
    let block = item.block(index);
    (block.start..block.end)
        .map(|at| (at / 7 % 251).to_le_bytes()[0])
        .collect()
}

pub(super) fn checksum(item: &ItemHead, bytes: &[u8]) -> u64 {
    let mut digest = Digest::new(item.checksum);
    digest.update(bytes);
    digest.value().unwrap_or_default()
}

const ALL: [u32; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const NONE: [u32; 0] = [];

#[test]
fn nothing_is_found_where_nothing_was_begun_and_nothing_is_recorded_where_nothing_came() {
    let (place, item) = (Place::new(), item());
    assert!(matches!(place.find(&item), Found::Nothing));
    assert!(place.names().is_empty());
    drop(place.begin(&item));
    assert_eq!(place.go_on(&item).1, NONE);
}

#[test]
fn what_was_recorded_is_found_after_a_kill_by_another_source_and_with_another_grain() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    receiving.receive(&[3, 9]);
    receiving.receive(&[0]);
    let name = receiving.name.clone();
    drop(receiving);
    let other = ItemHead {
        identity: b"second".to_vec(),
        grain_bytes: 4096,
        ..item.clone()
    };
    let Found::Part(part) = place.find(&other) else {
        panic!("it is there");
    };
    let expected = [0, 3, 9].map(|index| (index, checksum(&item, &content(&item, index))));
    assert_eq!(part.known.recorded, expected);
    assert_eq!(
        (part.known.grain_bytes, part.known.was_identity),
        (GRAIN_BYTES, b"first".to_vec())
    );
    assert_eq!(part.name, name);
    assert!(part.known.log.is_ours(&part.file));
}

#[test]
fn what_a_mark_covers_counts_unread_and_what_none_covers_only_where_it_is_as_it_was() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    receiving.receive(&[1, 2]);
    receiving.log.mark(&receiving.file).expect("on disk");
    receiving.receive(&[3, 4, 9]);
    // By this it is seen that nobody reads what is covered.
    receiving.spoil(&[1, 3, 9]);
    drop(receiving);
    assert_eq!(place.go_on(&item).1, [1, 2, 4]);
}

#[test]
fn what_is_found_is_recorded_again_and_covered_by_the_next_mark() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    receiving.receive(&[1]);
    drop(receiving);
    let (receiving, found) = place.go_on(&item);
    assert_eq!(found, [1]);
    receiving.receive(&[2]);
    receiving.log.mark(&receiving.file).expect("on disk");
    receiving.receive(&[3]);
    drop(receiving);
    let (receiving, found) = place.go_on(&item);
    assert_eq!(found, [1, 2, 3]);
    receiving.spoil(&ALL);
    drop(receiving);
    assert_eq!(
        place.go_on(&item).1,
        [1, 2],
        "a mark of before covers none of those that were found later"
    );
}

#[test]
fn a_transfer_that_is_interrupted_many_times_comes_to_its_end() {
    let (place, item) = (Place::new(), item());
    drop(place.begin(&item));
    for index in ALL {
        let (receiving, found) = place.go_on(&item);
        assert_eq!(found, ALL[..found.len()]);
        receiving.receive(&[index]);
        if index % 3 == 0 {
            receiving.log.mark(&receiving.file).expect("on disk");
        }
    }
    assert_eq!(place.go_on(&item).1, ALL);
}

#[test]
fn what_is_void_does_not_count_until_it_is_recorded_again() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    receiving.receive(&ALL);
    receiving.log.mark(&receiving.file).expect("on disk");
    receiving.log.void(2..5).expect("on disk");
    receiving.log.void(7..7).expect("nothing to do");
    receiving.receive(&[3]);
    drop(receiving);
    assert_eq!(place.go_on(&item).1, [0, 1, 3, 5, 6, 7, 8, 9]);
}

#[test]
fn a_sync_that_fails_costs_what_no_mark_covers_however_it_reads() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    receiving.receive(&[1]);
    receiving.log.mark(&receiving.file).expect("on disk");
    receiving.receive(&[2]);
    // The system refuses to sync what is only a place.
    let path = place.at(&receiving.name);
    let place_only = rustix::fs::open(path, rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).expect("there");
    let error = receiving.log.mark(&File::from(place_only)).expect_err("no sync");
    assert!(matches!(error, PartLogError::NotOnDisk(_)), "{error}");
    receiving.receive(&[3]);
    receiving.log.mark(&receiving.file).expect("nothing is done");
    drop(receiving);
    assert_eq!(place.go_on(&item).1, [1]);
}

#[test]
fn a_sync_of_somebody_else_that_fails_costs_what_was_not_covered_before_it_began() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    receiving.receive(&[1]);
    receiving.log.mark(&receiving.file).expect("on disk");
    receiving.receive(&[2]);
    let failed = receiving.log.around_sync(|| {
        // The kernel tells one of the two.
        receiving.log.mark(&receiving.file).expect("it is told of nothing");
        Err::<(), _>(io::ErrorKind::StorageFull.into())
    });
    assert_eq!(failed.expect_err("failed").kind(), io::ErrorKind::StorageFull);
    assert_eq!(receiving.log.around_sync(|| Ok(7)).expect("done"), 7);
    drop(receiving);
    assert_eq!(place.go_on(&item).1, [1]);
}

#[test]
fn without_checksums_only_what_a_mark_covers_counts() {
    let place = Place::new();
    let item = ItemHead {
        checksum: ChecksumKind::None,
        ..item()
    };
    let receiving = place.begin(&item);
    receiving.receive(&[1]);
    receiving.log.mark(&receiving.file).expect("on disk");
    receiving.receive(&[2]);
    drop(receiving);
    assert_eq!(place.go_on(&item).1, [1]);
}

#[test]
fn a_part_that_somebody_receives_is_nobody_elses_and_the_next_number_is_looked_at() {
    let (place, item) = (Place::new(), item());
    let first = place.begin(&item);
    first.receive(&[1]);
    assert!(matches!(place.find(&item), Found::Nothing));
    let second = place.begin_as(3, &item);
    second.receive(&[2]);
    drop(second);
    let (second, found) = place.go_on(&item);
    assert_eq!(found, [2]);
    assert_ne!(second.name, first.name);
    assert!(matches!(place.find(&item), Found::Nothing));
    drop(first);
    assert_eq!(place.go_on(&item).1, [1]);
}

#[test]
fn a_part_that_has_its_final_name_is_whole_and_loses_the_other_one() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    receiving.receive(&ALL);
    std::fs::hard_link(place.at(&receiving.name), place.at("a.npy")).expect("linked");
    drop(receiving);
    assert!(matches!(place.find(&item), Found::Nothing));
    assert_eq!(place.names(), ["a.npy"]);
    assert_eq!(
        std::fs::metadata(place.at("a.npy")).expect("there").len(),
        item.part_bytes()
    );
}

#[test]
fn a_part_that_is_named_while_it_is_looked_for_is_not_taken() {
    let item = item();
    for _ in 0..50 {
        let place = Place::new();
        let receiving = place.begin(&item);
        receiving.receive(&ALL);
        std::thread::scope(|scope| {
            let naming = scope.spawn(|| {
                let receiving = receiving;
                std::fs::rename(place.at(&receiving.name), place.at("a.npy")).expect("named");
                receiving.log.remove();
            });
            while !naming.is_finished() {
                assert!(matches!(place.find(&item), Found::Nothing));
            }
        });
        assert_eq!(place.names(), ["a.npy"]);
    }
}

#[test]
fn a_log_whose_part_is_gone_goes_unless_somebody_has_it() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    std::fs::rename(place.at(&receiving.name), place.at("a.npy")).expect("named");
    assert!(matches!(place.find(&item), Found::Nothing));
    assert_eq!(place.names().len(), 2, "whoever named it removes the log");
    receiving.log.remove();
    assert_eq!(place.names(), ["a.npy"]);
    let receiving = place.begin(&item);
    std::fs::remove_file(place.at(&receiving.name)).expect("there");
    drop(receiving);
    assert!(matches!(place.find(&item), Found::Nothing));
    assert_eq!(place.names(), ["a.npy"]);
}

#[test]
fn a_new_part_takes_the_place_of_the_log_of_one_that_is_gone() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    receiving.receive(&ALL);
    std::fs::remove_file(place.at(&receiving.name)).expect("there");
    drop(receiving);
    let receiving = place.begin(&item);
    receiving.receive(&[4]);
    drop(receiving);
    assert_eq!(place.go_on(&item).1, [4]);
}

#[test]
fn a_part_of_something_else_is_left_alone_and_told_of() {
    let (place, item) = (Place::new(), item());
    drop(place.begin(&item));
    let others = [
        ItemHead {
            peer: Some([1; 32]),
            ..item.clone()
        },
        ItemHead {
            data_offset: 64,
            ..item.clone()
        },
        ItemHead {
            content: [6; 32],
            ..item.clone()
        },
        ItemHead {
            checksum: ChecksumKind::Crc32,
            ..item.clone()
        },
    ];
    for other in others {
        assert_eq!(place.reason(&other), "it is of something else", "{other:?}");
    }
    let elsewhere = [
        ItemHead {
            wanted: "b.npy".into(),
            ..item.clone()
        },
        ItemHead {
            bytes: 9501,
            ..item.clone()
        },
    ];
    for other in elsewhere {
        assert!(matches!(place.find(&other), Found::Nothing), "{other:?}");
    }
    assert_eq!(place.go_on(&item).1, NONE);
}

#[test]
fn a_part_that_was_replaced_or_copied_is_not_gone_on_with() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    receiving.receive(&ALL);
    receiving.log.mark(&receiving.file).expect("on disk");
    std::fs::copy(place.at(&receiving.name), place.at("copy")).expect("copied");
    std::fs::rename(place.at("copy"), place.at(&receiving.name)).expect("replaced");
    assert!(!receiving.log.is_ours(&receiving.file));
    receiving.receive(&[1]);
    let error = receiving.log.mark(&receiving.file).expect_err("it has no name");
    assert!(matches!(error, PartLogError::NotOurs), "{error}");
    drop(receiving);
    assert_eq!(place.reason(&item), "its log is that of another file");
}

#[test]
fn a_part_of_another_length_is_not_gone_on_with() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    receiving.file.set_len(item.part_bytes() - 1).expect("cut");
    drop(receiving);
    assert_eq!(place.reason(&item), "it has another length than its log says");
}

#[test]
fn whoever_opened_the_log_last_has_the_part() {
    let (place, item) = (Place::new(), item());
    let first = place.begin(&item);
    first.receive(&[1, 2]);
    assert!(first.log.is_ours(&first.file));
    // Where locks do not hold.
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(first.log_path(&place))
        .expect("there");
    let head = stored::read_head(&file).expect("whole");
    let second = PartLog::reopen(&place.open, &first.name, file, (&head, 3), &[]);
    assert!(second.is_ours(&first.file) && !first.log.is_ours(&first.file));
    // Nothing that the first one does is to be found in it.
    first.receive(&[9]);
    let error = first.log.mark(&first.file).expect_err("not ours");
    assert!(matches!(error, PartLogError::NotOurs), "{error}");
    let error = first.log.void(1..2).expect_err("not ours");
    assert!(matches!(error, PartLogError::NotOurs), "{error}");
    first.log.remove();
    assert!(second.lost().is_none() && first.log_path(&place).exists());
    second.mark(&first.file).expect("its own");
}

#[test]
fn one_whole_copy_of_the_head_is_enough() {
    let (place, item) = (Place::new(), item());
    for torn in [0, SECOND_HEAD_AT] {
        let place = Place::new();
        let receiving = place.begin(&item);
        receiving.receive(&[8]);
        overwrite(&receiving.log_path(&place), torn + 200);
        drop(receiving);
        assert_eq!(place.go_on(&item).1, [8]);
    }
    let receiving = place.begin(&item);
    for torn in [0, SECOND_HEAD_AT] {
        overwrite(&receiving.log_path(&place), torn + 200);
    }
    drop(receiving);
    assert_eq!(place.reason(&item), "its log is not whole");
}

#[test]
fn a_log_of_another_version_is_told_of() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    let path = receiving.log_path(&place);
    let mut bytes = std::fs::read(&path).expect("read");
    bytes[8] = 2;
    let mut digest = Digest::new(ChecksumKind::Crc64Nvme);
    digest.update(&bytes[..4088]);
    bytes[4088..4096].copy_from_slice(&digest.value().expect("a kind that verifies").to_le_bytes());
    std::fs::write(&path, bytes).expect("written");
    drop(receiving);
    assert_eq!(place.reason(&item), "its log is of another version of Arraylift");
}

/// Changes a byte.
fn overwrite(path: &Path, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).expect("there");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("read");
    file.write_all_at(&[!byte[0]], at).expect("written");
}

/// Makes the file what it was. One that is cut to nothing first is written out at once: ext4.
fn restore(path: &Path, bytes: &[u8]) {
    let file = OpenOptions::new().write(true).open(path).expect("there");
    file.write_all_at(bytes, 0).expect("written");
    file.set_len(bytes.len() as u64).expect("cut");
}

/// A log of several writers, with all kinds of records, and blocks that were never on disk.
fn eventful(place: &Place, item: &ItemHead) -> (Vec<u8>, PathBuf) {
    let receiving = place.begin(item);
    receiving.receive(&[0, 1, 2]);
    receiving.log.mark(&receiving.file).expect("on disk");
    receiving.receive(&[3, 4]);
    drop(receiving);
    let (receiving, _) = place.go_on(item);
    receiving.log.void(1..2).expect("on disk");
    receiving.receive(&[1, 5]);
    receiving.log.mark(&receiving.file).expect("on disk");
    receiving.receive(&[6, 7]);
    receiving.spoil(&[6]);
    let path = receiving.log_path(place);
    (std::fs::read(&path).expect("read"), path)
}

/// Whatever the log says now, it is so.
fn says_what_is_so(place: &Place, item: &ItemHead) -> usize {
    let Found::Part(part) = place.find(item) else {
        return 0;
    };
    for (index, value) in &part.known.recorded {
        assert!([0, 1, 2, 3, 4, 5, 7].contains(index), "block {index}");
        assert_eq!(*value, checksum(item, &content(item, *index)));
    }
    part.known.recorded.len()
}

#[test]
fn a_log_that_is_cut_at_any_byte_says_nothing_that_is_not_so() {
    let (place, item) = (Place::new(), item());
    let (bytes, path) = eventful(&place, &item);
    let mut most = 0;
    let begins = usize::try_from(RECORDS_AT).expect("small");
    for len in (0..begins).step_by(509).chain(begins..=bytes.len()) {
        restore(&path, &bytes[..len]);
        most = most.max(says_what_is_so(&place, &item));
    }
    assert_eq!(most, 7);
}

#[test]
fn a_record_that_is_cut_is_not_made_whole_by_one_that_was_read_before() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    receiving.receive(&[5]);
    receiving.log.void(5..6).expect("on disk");
    // As many are read at a time as there are before the last one but one.
    let zero = receiving.land(0);
    receiving.log.record(&vec![zero; 8191]);
    let log = OpenOptions::new()
        .write(true)
        .open(receiving.log_path(&place))
        .expect("there");
    let len = log.metadata().expect("open").len();
    assert_eq!(len, RECORDS_AT + (8192 + 2) * RECORD_BYTES as u64);
    log.set_len(len - RECORD_BYTES as u64 + 1).expect("cut");
    drop(receiving);
    assert_eq!(place.go_on(&item).1, [0]);
}

#[test]
fn a_log_with_any_byte_changed_says_nothing_that_is_not_so() {
    let (place, item) = (Place::new(), item());
    let (bytes, path) = eventful(&place, &item);
    for at in RECORDS_AT..bytes.len() as u64 {
        restore(&path, &bytes);
        overwrite(&path, at);
        says_what_is_so(&place, &item);
    }
}

#[test]
fn records_that_are_left_of_another_log_never_count() {
    let (place, item) = (Place::new(), item());
    let (old, path) = eventful(&place, &item);
    std::fs::remove_file(&path).expect("there");
    let part = path.with_extension("");
    std::fs::remove_file(&part).expect("there");
    let receiving = place.begin(&item);
    for index in ALL {
        receiving.land(index);
    }
    receiving.receive(&[8]);
    let len = std::fs::metadata(&path).expect("there").len();
    let log = OpenOptions::new().write(true).open(&path).expect("there");
    let records = &old[usize::try_from(RECORDS_AT).expect("small")..];
    log.write_all_at(records, len).expect("written");
    drop(receiving);
    let (receiving, found) = place.go_on(&item);
    assert_eq!(found, [8]);
    receiving.receive(&[9]);
    drop(receiving);
    assert_eq!(place.go_on(&item).1, [8, 9]);
}

#[test]
fn a_log_that_is_too_long_is_not_read() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    let log = OpenOptions::new()
        .write(true)
        .open(receiving.log_path(&place))
        .expect("there");
    log.set_len(RECORDS_AT + RECORDS_MAX * RECORD_BYTES as u64 + 1)
        .expect("a hole");
    drop(receiving);
    assert_eq!(place.reason(&item), "its log is too long");
}

#[test]
fn what_is_no_plain_file_is_not_opened() {
    let (place, item) = (Place::new(), item());
    let receiving = place.begin(&item);
    let (part, log) = (place.at(&receiving.name), receiving.log_path(&place));
    drop(receiving);
    for path in [log, part] {
        let aside = place.at("aside");
        std::fs::rename(&path, &aside).expect("renamed");
        std::os::unix::fs::symlink("aside", &path).expect("linked");
        assert_eq!(place.reason(&item), "it or its log is no plain file of this user");
        std::fs::remove_file(&path).expect("there");
        std::fs::create_dir(&path).expect("free");
        assert_eq!(place.reason(&item), "it or its log is no plain file of this user");
        std::fs::remove_dir(&path).expect("there");
        // Nobody waits for whoever would read from it.
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR).expect("free");
        assert_eq!(place.reason(&item), "it or its log is no plain file of this user");
        std::fs::remove_file(&path).expect("there");
        std::fs::rename(&aside, &path).expect("renamed");
    }
    assert_eq!(place.go_on(&item).1, NONE);
}

#[test]
fn many_threads_record_and_mark_at_once_and_nothing_is_lost() {
    let place = Place::new();
    let item = ItemHead {
        bytes: 2_000_000,
        ..item()
    };
    let receiving = place.begin(&item);
    std::thread::scope(|scope| {
        let receiving = &receiving;
        for thread in 0..4 {
            scope.spawn(move || {
                for index in (thread..2000).step_by(4) {
                    receiving.receive(&[index]);
                    if index % 401 == 0 {
                        receiving.log.mark(&receiving.file).expect("on disk");
                    }
                }
            });
        }
    });
    drop(receiving);
    assert!(place.go_on(&item).1.into_iter().eq(0..2000));
}

#[test]
fn the_disk_space_of_a_log_is_taken_with_its_part_and_within_bounds() {
    let place = Place::new();
    let of = |wanted: &str, bytes| {
        let item = ItemHead {
            wanted: wanted.into(),
            bytes,
            ..item()
        };
        let receiving = place.begin(&item);
        let metadata = std::fs::metadata(receiving.log_path(&place)).expect("there");
        assert_eq!(
            metadata.len(),
            RECORDS_AT + RECORD_BYTES as u64,
            "its length is what is written"
        );
        512 * metadata.blocks()
    };
    let small = of("small", 10_000_000);
    assert!(small >= 2 * 10_000 * RECORD_BYTES as u64, "{small}");
    let large = of("large", 10_000_000_000);
    assert!((4 << 20..5 << 20).contains(&large), "{large}");
}

#[test]
fn twenty_gigabytes_that_a_mark_covers_are_found_within_a_second_and_are_not_read() {
    const BLOCKS: u32 = 5_120;
    let place = Place::new();
    let grain_bytes = 4 << 20;
    let item = ItemHead {
        bytes: u64::from(BLOCKS) * u64::from(grain_bytes),
        data_offset: 0,
        grain_bytes,
        ..item()
    };
    let receiving = place.begin(&item);
    // The part has holes alone, and zeros have another checksum: what is read does not count.
    let other = checksum(&item, &vec![0; grain_bytes as usize]) ^ 1;
    let landed: Vec<(u32, u64)> = (0..BLOCKS).map(|index| (index, other)).collect();
    for landed in landed.chunks(100) {
        receiving.log.record(landed);
    }
    receiving.log.mark(&receiving.file).expect("on disk");
    drop(receiving);
    let begun = std::time::Instant::now();
    let Found::Part(part) = place.find(&item) else {
        panic!("it is there");
    };
    let took = begun.elapsed();
    assert_eq!(part.known.recorded, landed);
    assert!(took < std::time::Duration::from_secs(1), "{took:?}");
}
