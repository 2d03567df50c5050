//! What a sender of a tree may say, and what it is told.

use super::*;
use crate::wire::native::Timestamp;

fn entry(path: &str, what: EntryKind) -> Entry {
    Entry {
        path: path.into(),
        mode: 0o644,
        mtime: Timestamp {
            seconds: 0,
            nanoseconds: 0,
        },
        what,
    }
}

fn file(path: &str, bytes: u64) -> Entry {
    let what = EntryKind::File {
        bytes,
        grain: Grain::MIN,
        checksum: ChecksumKind::None,
        is_sparse: false,
        content: None,
    };
    entry(path, what)
}

/// Those that were offered, with the numbers from 1 on.
fn offered(entries: impl IntoIterator<Item = Entry>) -> Incoming {
    let mut incoming = Incoming::new();
    for (number, entry) in (1..).zip(entries) {
        incoming.offer(number, entry, 100).expect("its turn");
    }
    incoming
}

fn settle(incoming: &mut Incoming, number: u32, outcome: Outcome) {
    incoming.answer(number, Answer::Settled(outcome), &mut Vec::new());
}

const STORED: Outcome = Outcome::Stored { durable: Some(true) };

#[test]
fn a_tree_is_where_all_of_it_is_that_arrived_and_nowhere_that_its_sender_says() {
    for (paths, only) in [
        (&["a", "a/b", "a/b/c"][..], Some("a")),
        (&["a/b"], Some("a")),
        (&["a", "b"], None),
        (&["a", "b", "a"], None),
        (&["..", "/etc/x", "a/../b", ""], None),
        (&["..", "a/b"], Some("a")),
        (&[], None),
    ] {
        let mut incoming = offered(paths.iter().map(|path| entry(path, EntryKind::Folder)));
        for number in 1..incoming.next {
            settle(&mut incoming, number, STORED);
        }
        assert_eq!(incoming.only_name(), only.map(Path::new), "{paths:?}");
    }
    // What was not taken is nowhere.
    let mut incoming = offered(["a", "b", "c"].map(|path| entry(path, EntryKind::Folder)));
    settle(&mut incoming, 1, Outcome::Failed("no space is left".into()));
    settle(&mut incoming, 2, Outcome::Had);
    incoming.answer(3, Answer::Withdrawn, &mut Vec::new());
    assert_eq!(incoming.only_name(), Some(Path::new("b")));
}

/// Blocks of files of three of them have so many bytes, but for the last one.
const BLOCK_BYTES: u64 = 64 << 10;
const LARGE_BYTES: u64 = 2 * BLOCK_BYTES + 1;

/// Files of three blocks, all of which are wanted.
fn wanted(count: u32) -> Incoming {
    let mut incoming = offered((1..=count).map(|number| file(&number.to_string(), LARGE_BYTES)));
    for number in 1..=count {
        incoming.answer(number, Answer::Wanted, &mut Vec::new());
    }
    incoming
}

fn block(item: u32, index: u32) -> TreeBlock {
    TreeBlock {
        item,
        index,
        ends: false,
        data: vec![0; if index == 2 { 1 } else { 64 << 10 }],
        checksum: 0,
    }
}

#[test]
fn blocks_come_of_one_file_at_a_time_until_its_end_or_drop_or_until_it_has_its_result() {
    for until in ["end", "drop", "result"] {
        let mut incoming = wanted(2);
        incoming.block(block(1, 0)).expect("its turn");
        let refused = |incoming: &mut Incoming| match incoming.block(block(2, 0)) {
            Err(Error::Protocol(words)) => assert_eq!(words, "a block of item 2 before the end of item 1"),
            other => panic!("{:?}", other.is_ok()),
        };
        refused(&mut incoming);
        match until {
            "drop" => assert!(matches!(incoming.drop_item(1), Some(Task::Abandon { number: 1 }))),
            "result" => settle(&mut incoming, 1, Outcome::Failed("no space is left".into())),
            _ => {
                incoming.block(block(1, 1)).expect("its turn");
                incoming.block(block(1, 2)).expect("its turn");
                refused(&mut incoming);
                let task = incoming.end(1, LARGE_BYTES, None).expect("all has come");
                assert!(matches!(task, Some(Task::Publish { number: 1 })));
            }
        }
        let task = incoming.block(block(2, 0)).expect("its turn");
        assert!(matches!(task, Some(Task::Block { number: 2, at: 0, .. })), "{until}");
        // What was on its way of one that has failed stands in nobody's way.
        if until == "result" {
            assert!(incoming.block(block(1, 1)).expect("thrown away").is_none());
            incoming.block(block(2, 1)).expect("its turn");
        }
    }
}

#[test]
fn a_file_of_one_block_comes_between_others_and_not_within_one() {
    let mut incoming = offered([file("a", LARGE_BYTES), file("b", 1), file("c", 1)]);
    incoming.answer(1, Answer::Wanted, &mut Vec::new());
    let small = |item| TreeBlock {
        item,
        index: 0,
        ends: true,
        data: vec![0],
        checksum: 0,
    };
    incoming.block(small(2)).expect("its turn");
    incoming.block(block(1, 0)).expect("its turn");
    assert!(matches!(incoming.block(small(3)), Err(Error::Protocol(_))));
}
