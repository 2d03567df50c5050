//! The log of some bytes of a file that was there before, in real folders.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::tests::{Place, checksum, content, item};
use super::*;

const DAY: Duration = Duration::from_hours(24);
/// A minute less than seven of them.
const ALMOST: Duration = Duration::from_mins(7 * 24 * 60 - 1);
const FILE_BYTES: u64 = 20_000;

/// Ten blocks, which come into a file from its byte 300 on.
fn within() -> ItemHead {
    ItemHead {
        wanted: "there.bin".into(),
        data_offset: 300,
        is_within: true,
        ..item()
    }
}

/// The file, made anew.
fn file(place: &Place) -> File {
    let path = place.at("there.bin");
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path);
    let file = file.expect("a file");
    file.write_all_at(&vec![0xaa; usize::try_from(FILE_BYTES).expect("small")], 0)
        .expect("room");
    file
}

/// These blocks come, and are written down. What is returned has the log.
fn receive(place: &Place, file: &File, item: &ItemHead, blocks: &[u32]) -> PartLog {
    let log = PartLog::create(&place.open, &item.wanted, file, item).expect("room");
    record(&log, file, item, blocks);
    log
}

fn record(log: &PartLog, file: &File, item: &ItemHead, blocks: &[u32]) {
    for index in blocks {
        let bytes = content(item, *index);
        file.write_all_at(&bytes, item.data_offset + item.block(*index).start)
            .expect("written");
        log.record(&[(*index, checksum(item, &bytes))]);
    }
}

/// What another process finds.
fn found(place: &Place, file: &File, item: &ItemHead) -> Vec<u32> {
    let known = find_within(&place.open, file, item, &|| true)
        .expect("usable")
        .expect("there");
    known.recorded.iter().map(|(index, _)| *index).collect()
}

fn reason(place: &Place, file: &File, item: &ItemHead) -> String {
    find_within(&place.open, file, item, &|| true)
        .expect_err("not usable")
        .to_string()
}

fn log_path(place: &Place, item: &ItemHead) -> PathBuf {
    place.at(log_name_of(item, &item.wanted))
}

/// It was last written to so long ago.
fn age(path: &PathBuf, age: Duration) {
    let file = File::options().write(true).open(path).expect("there");
    file.set_modified(SystemTime::now() - age).expect("set");
}

#[test]
fn only_blocks_that_are_as_they_were_recorded_are_found_whatever_a_mark_says() {
    let (place, item) = (Place::new(), within());
    let file = file(&place);
    let log = receive(&place, &file, &item, &[1, 2, 3, 9]);
    log.mark(&file).expect("on disk");
    record(&log, &file, &item, &[0, 5]);
    drop(log);
    for index in [2, 5] {
        file.write_all_at(b"?", item.data_offset + item.block(index).end - 1)
            .expect("written");
    }
    assert_eq!(found(&place, &file, &item), [0, 1, 3, 9]);
    // What was found is written down by whoever found it, and read again all the same.
    file.write_all_at(b"?", item.data_offset).expect("written");
    assert_eq!(found(&place, &file, &item), [1, 3, 9]);
}

#[test]
fn a_block_that_was_voided_is_not_found_though_it_is_as_it_was_recorded() {
    let (place, item) = (Place::new(), within());
    let file = file(&place);
    let log = receive(&place, &file, &item, &[1, 2]);
    log.void(1..2).expect("on disk");
    drop(log);
    assert_eq!(found(&place, &file, &item), [2]);
}

#[test]
fn what_goes_elsewhere_or_is_something_else_or_lies_in_another_file_is_not_found() {
    let (place, item) = (Place::new(), within());
    let there = file(&place);
    drop(receive(&place, &there, &item, &[1, 2]));
    for (data_offset, bytes) in [(301, 9500), (300, 9501)] {
        let other = ItemHead {
            bytes,
            data_offset,
            ..item.clone()
        };
        assert!(
            find_within(&place.open, &there, &other, &|| true)
                .expect("readable")
                .is_none()
        );
    }
    let other = ItemHead {
        content: [6; 32],
        ..item.clone()
    };
    assert_eq!(reason(&place, &there, &other), "it is of something else");
    std::fs::rename(place.at("there.bin"), place.at("was.bin")).expect("renamed");
    let another = file(&place);
    assert_eq!(reason(&place, &another, &item), "its log is that of another file");
    // What comes there makes what was written down worthless.
    drop(receive(&place, &another, &item, &[3]));
    assert_eq!(found(&place, &another, &item), [3]);
    assert_eq!(place.names().len(), 3);
}

#[test]
fn a_file_that_was_renamed_is_received_into_as_before() {
    let (place, item) = (Place::new(), within());
    let file = file(&place);
    let log = receive(&place, &file, &item, &[1]);
    std::fs::rename(place.at("there.bin"), place.at("was.bin")).expect("renamed");
    assert!(log.is_ours(&file));
    log.mark(&file).expect("on disk");
    log.void(1..2).expect("on disk");
    log.remove();
    assert_eq!(place.names(), ["was.bin"]);
}

#[test]
fn whoever_has_the_log_keeps_it_and_another_one_goes_without() {
    let (place, item) = (Place::new(), within());
    let file = file(&place);
    let log = receive(&place, &file, &item, &[1]);
    assert!(
        find_within(&place.open, &file, &item, &|| true)
            .expect("readable")
            .is_none()
    );
    PartLog::create(&place.open, &item.wanted, &file, &item).expect_err("somebody has it");
    let listed = interrupted_parts(&place.at("")).expect("a folder");
    assert!(listed[0].is_in_use && !listed[0].discard().expect("a folder"));
    age(&log_path(&place, &item), 8 * DAY);
    assert!(expire(&place.at(""), SystemTime::now()).expect("a folder").is_empty());
    assert!(log.is_ours(&file));
    drop(log);
    assert_eq!(found(&place, &file, &item), [1]);
}

#[test]
fn interrupted_parts_of_a_file_are_told_each_by_its_place() {
    let (place, item) = (Place::new(), within());
    let file = file(&place);
    let behind = ItemHead {
        data_offset: 9_900,
        ..item.clone()
    };
    drop(receive(&place, &file, &behind, &[0]));
    drop(receive(&place, &file, &item, &[0, 9]));
    let listed = interrupted_parts(&place.at("")).expect("a folder");
    let told: Vec<(u64, u64)> = listed
        .iter()
        .map(|part| (part.within.as_ref().expect("within").at, part.recorded_bytes))
        .collect();
    assert_eq!(told, [(300, 1500), (9_900, 1000)]);
    assert!(
        listed
            .iter()
            .all(|part| part.part == place.at("there.bin") && part.wanted == "there.bin")
    );
    assert!(listed[1].discard().expect("a folder"));
    assert!(!log_path(&place, &behind).exists() && log_path(&place, &item).exists());
    assert_eq!(
        std::fs::metadata(place.at("there.bin")).expect("there").len(),
        FILE_BYTES
    );
}

#[test]
fn a_log_within_goes_seven_days_after_it_was_written_to_whatever_its_file_is_and_the_file_stays() {
    let (place, item) = (Place::new(), within());
    let file = file(&place);
    // With another name of the file it is still no part that got its name.
    std::fs::hard_link(place.at("there.bin"), place.at("other.bin")).expect("linked");
    drop(receive(&place, &file, &item, &[1]));
    assert_eq!(found(&place, &file, &item), [1]);
    let path = log_path(&place, &item);
    age(&path, ALMOST);
    assert!(expire(&place.at(""), SystemTime::now()).expect("a folder").is_empty());
    age(&path, 7 * DAY);
    assert!(
        expire(&place.at(""), SystemTime::now() - 9 * DAY)
            .expect("a folder")
            .is_empty()
    );
    assert_eq!(
        expire(&place.at(""), SystemTime::now()).expect("a folder"),
        std::slice::from_ref(&path)
    );
    // One that is torn says nothing, and goes as well.
    std::fs::write(&path, "torn").expect("written");
    age(&path, 7 * DAY);
    assert_eq!(expire(&place.at(""), SystemTime::now()).expect("a folder"), [path]);
    assert_eq!(place.names(), ["other.bin", "there.bin"]);
}

#[test]
fn a_log_within_goes_when_its_file_is_gone_and_stays_while_it_is_there() {
    let (place, item) = (Place::new(), within());
    let file = file(&place);
    drop(receive(&place, &file, &item, &[1]));
    for _ in 0..2 {
        assert_eq!(interrupted_parts(&place.at("")).expect("a folder").len(), 1);
        expire(&place.at(""), SystemTime::now()).expect("a folder");
        assert!(matches!(
            find(&place.open, &item, &mut Patience::short()),
            Found::Nothing
        ));
    }
    std::fs::remove_file(place.at("there.bin")).expect("there");
    assert!(interrupted_parts(&place.at("")).expect("a folder").is_empty());
    assert!(place.names().is_empty());
}

#[test]
fn no_file_is_removed_because_its_log_was_given_the_name_of_the_log_of_a_part() {
    let (place, item) = (Place::new(), within());
    let file = file(&place);
    drop(receive(&place, &file, &item, &[1]));
    let part = place.at("there.bin.arraylift-00000001.part");
    std::fs::rename(place.at("there.bin"), &part).expect("renamed");
    let log = part.with_extension("part.log");
    std::fs::rename(log_path(&place, &item), &log).expect("renamed");
    for path in [&part, &log] {
        age(path, 8 * DAY);
    }
    assert!(expire(&place.at(""), SystemTime::now()).expect("a folder").is_empty());
    assert!(!discard(&part).expect("a folder"));
    assert!(part.exists());
}

#[test]
fn blocks_that_nobody_waits_for_any_more_are_not_read_and_are_found_the_next_time() {
    let (place, item) = (Place::new(), within());
    let file = file(&place);
    drop(receive(&place, &file, &item, &[1, 2, 3]));
    let left = std::cell::Cell::new(2);
    let wanted = || left.replace(left.get() - 1) > 0;
    let known = find_within(&place.open, &file, &item, &wanted).expect("usable");
    assert_eq!(known.expect("there").recorded.len(), 2);
    assert_eq!(found(&place, &file, &item), [1, 2, 3]);
}
