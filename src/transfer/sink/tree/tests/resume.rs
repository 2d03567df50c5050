//! Large files that are half received, and gone on with.

use std::time::Duration;

use super::*;

const BLOCK_BYTES: usize = 64 << 10;
/// Twenty blocks, and a last one of seven bytes.
const BYTES: usize = 20 * BLOCK_BYTES + 7;

fn checksum(data: &[u8]) -> u64 {
    let mut digest = Digest::new(ChecksumKind::Crc64Nvme);
    digest.update(data);
    digest.value().expect("a kind that verifies")
}

/// A block of a file that has this byte everywhere.
fn block(index: usize, byte: u8) -> FileBlock {
    let at = index * BLOCK_BYTES;
    let data = vec![byte; BLOCK_BYTES.min(BYTES - at)];
    FileBlock {
        index: u32::try_from(index).expect("small"),
        at: at as u64,
        checksum: checksum(&data),
        data,
        is_on_record: false,
    }
}

fn big() -> TreeItem {
    file_of("d/big", BYTES as u64)
}

/// A folder that was there before, as a later run of a tree finds it.
fn tree() -> Tree {
    let tree = Tree::new(POLICY);
    fs::create_dir(tree.at("d")).expect("a folder");
    tree.entered()
}

impl Tree {
    /// The folder `d` is offered.
    fn entered(mut self) -> Self {
        assert_eq!(self.folder("d"), Outcome::Had);
        self
    }

    /// A part that has so many blocks.
    fn part_of(&mut self, blocks: usize) -> TreePart {
        let mut part = self.sink.begin_file(big(), BLOCKS, None).expect("a place");
        for index in 0..blocks {
            part.write(&block(index, 1)).expect("room");
        }
        part
    }

    fn resumed(&mut self, blocks: FileBlocks) -> Option<(TreePart, Vec<(u32, u64)>)> {
        let found = self.sink.resume_file(&big(), blocks, None).expect("a place");
        found.map(|(part, resumed)| {
            assert_eq!(resumed.grain, Grain::MIN);
            (part, resumed.blocks)
        })
    }
}

#[test]
fn a_part_that_is_left_is_found_with_what_it_has_and_published_without_its_log() {
    for sync in [false, true] {
        let mut tree = tree();
        let part = tree.part_of(18);
        drop(part);
        let [name, log] = &tree.names("d")[..] else {
            panic!("{:?}", tree.names("d"));
        };
        assert!(
            name.starts_with("big.arraylift-") && *log == format!("{name}.log"),
            "{name}"
        );
        let mut tree = tree.again(TreePolicy { sync, ..POLICY }).entered();
        // In whatever blocks it is offered now.
        let other_blocks = FileBlocks {
            grain: Grain::MIB,
            ..BLOCKS
        };
        let (mut part, there) = tree.resumed(other_blocks).expect("it is there");
        let expected: Vec<_> = (0..18).map(|index| (index, checksum(&vec![1; BLOCK_BYTES]))).collect();
        assert_eq!(there, expected);
        for index in 18..=20 {
            part.write(&block(index, 1)).expect("room");
        }
        assert_eq!(tree.sink.publish(part), Outcome::Stored { durable: Some(sync) });
        assert_eq!(tree.names("d"), ["big"]);
        assert!(fs::read(tree.at("d/big")).expect("there") == vec![1; BYTES]);
        assert_eq!(
            (mode(&tree.at("d/big")), mtime(&tree.at("d/big"))),
            (0o644, (1_234_567_890, 987_654_321))
        );
    }
}

#[test]
fn too_little_and_what_nobody_wants_is_removed_with_its_log() {
    let mut tree = tree();
    drop(tree.part_of(15));
    assert_eq!(tree.names("d"), Vec::<String>::new());
    tree.part_of(18).discard();
    assert_eq!(tree.names("d"), Vec::<String>::new());
    // Nor does it stay where it is refused at the end.
    let part = tree.part_of(21);
    fs::write(tree.at("d/big"), "precious").expect("written");
    assert_eq!(
        tree.sink.publish(part),
        Outcome::Refused(Refusal::Different(MissingRight::Wish))
    );
    assert_eq!(tree.names("d"), ["big"]);
}

#[test]
fn a_part_that_somebody_has_or_that_is_of_something_else_is_left_alone() {
    let mut tree = tree();
    let part = tree.part_of(18);
    assert!(tree.resumed(BLOCKS).is_none(), "it is being received");
    drop(part);
    let without = FileBlocks {
        checksum: ChecksumKind::None,
        ..BLOCKS
    };
    assert!(tree.resumed(without).is_none());
    let other = FileBlocks {
        checksum: ChecksumKind::Crc32,
        ..BLOCKS
    };
    assert!(tree.resumed(other).is_none());
    let found = tree.sink.resume_file(&file_of("d/big", BYTES as u64 + 1), BLOCKS, None);
    assert!(found.expect("a place").is_none());
    assert_eq!(tree.resumed(BLOCKS).expect("its own").1.len(), 18);
}

/// Another session of the same tree.
fn another(tree: &Tree) -> TreeSink {
    let mut sink = TreeSink::open(tree.root.path(), POLICY).expect("there");
    assert_eq!(sink.make_folder(&item("d", ItemKind::Folder)), Outcome::Had);
    sink
}

#[test]
fn a_part_that_an_earlier_session_still_has_is_waited_for_even_before_it_has_a_log() {
    for blocks in [18, 2] {
        let mut tree = tree();
        let part = tree.part_of(blocks);
        let mut later = another(&tree);
        let earlier = std::thread::Builder::new().name("earlier".into());
        let ends = earlier.spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            drop(part);
        });
        let found = later.resume_file(&big(), BLOCKS, None).expect("a place");
        // Too little of it stays for nobody.
        assert_eq!(found.is_some(), blocks == 18);
        ends.expect("a thread").join().expect("ended");
    }
}

#[test]
fn what_another_session_has_of_a_file_does_not_stay_once_the_file_is_there() {
    for is_left_before in [true, false] {
        let mut tree = tree();
        let part = tree.part_of(18);
        let mut later = another(&tree);
        let mut whole = later.begin_file(big(), BLOCKS, None).expect("a place");
        for index in 0..=20 {
            whole.write(&block(index, 1)).expect("room");
        }
        let mut part = Some(part);
        part.take_if(|_| is_left_before);
        assert_eq!(later.publish(whole), stored());
        drop(part);
        assert_eq!(tree.names("d"), ["big"], "{is_left_before}");
    }
}

#[test]
fn a_block_that_comes_again_is_off_the_record_before_and_on_it_with_its_new_bytes_after() {
    let mut tree = tree();
    drop(tree.part_of(18));
    let (mut part, _) = tree.resumed(BLOCKS).expect("it is there");
    let again = FileBlock {
        is_on_record: true,
        ..block(3, 2)
    };
    part.write(&again).expect("room");
    drop(part);
    let (part, there) = tree.resumed(BLOCKS).expect("it is there");
    assert_eq!(there.len(), 18);
    assert_eq!(there[3], (3, again.checksum));
    assert_eq!(there[2].1, block(2, 1).checksum);
    part.discard();
}

#[test]
fn zeros_of_a_file_with_holes_take_the_place_of_what_was_there() {
    let mut tree = tree();
    drop(tree.part_of(18));
    let (mut part, _) = tree.resumed(SPARSE).expect("it is there");
    let zeros = FileBlock {
        is_on_record: true,
        ..block(3, 0)
    };
    part.write(&zeros).expect("room");
    for index in 18..=20 {
        part.write(&block(index, 1)).expect("room");
    }
    assert_eq!(tree.sink.publish(part), stored());
    let arrived = fs::read(tree.at("d/big")).expect("there");
    let (begin, end) = (3 * BLOCK_BYTES, 4 * BLOCK_BYTES);
    assert!(arrived[begin..end].iter().all(|byte| *byte == 0));
    assert!(arrived[..begin].iter().chain(&arrived[end..]).all(|byte| *byte == 1));
}

#[test]
fn a_part_for_the_rest_of_which_there_is_no_room_stays() {
    let mut tree = tree();
    drop(tree.part_of(18));
    let mut full = tree
        .again(TreePolicy {
            keep_free: Some(crate::transfer::limits::keep_free::KeepFree::Percent(100)),
            ..POLICY
        })
        .entered();
    match full.sink.resume_file(&big(), BLOCKS, None) {
        Err(Outcome::Failed(reason)) => assert!(reason.contains("--keep-free keeps"), "{reason}"),
        other => panic!("{:?}", other.map(|found| found.is_some())),
    }
    let mut tree = full.again(POLICY).entered();
    assert_eq!(tree.resumed(BLOCKS).expect("it is there").1.len(), 18);
}
