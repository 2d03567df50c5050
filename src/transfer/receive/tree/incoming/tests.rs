//! What a sender of a tree may say, and what it is told.

use super::*;
use crate::transfer::limits::admission::{AdmissionLimits, Admissions};
use crate::transfer::sink::Resumed;
use crate::wire::Grain;
use crate::wire::native::{Parsed, Timestamp};

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
    offered_over(1, entries)
}

fn offered_over(streams: u16, entries: impl IntoIterator<Item = Entry>) -> Incoming {
    let mut incoming = Incoming::over(streams);
    for (number, entry) in (1..).zip(entries) {
        incoming.offer(number, entry, 100).expect("its turn");
    }
    incoming
}

fn settle(incoming: &mut Incoming, number: u32, outcome: Outcome) {
    incoming
        .answer(number, Answer::Settled(outcome), &mut Vec::new())
        .expect("no fault");
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
    incoming
        .answer(3, Answer::Withdrawn, &mut Vec::new())
        .expect("no fault");
    assert_eq!(incoming.only_name(), Some(Path::new("b")));
}

fn folder(path: &str) -> Entry {
    entry(path, EntryKind::Folder)
}

/// The numbers of the folders that get their mode and time now.
fn ended(incoming: &mut Incoming) -> Vec<u32> {
    let number = |task| match task {
        Task::EndFolder { number } => number,
        _ => panic!("no end"),
    };
    incoming.take_due().map(number).collect()
}

#[test]
fn a_folder_that_had_its_end_is_ended_with_the_last_result_in_it() {
    let mut incoming = offered([folder("a"), folder("a/b"), file("a/b/c", 1), file("a/d", 1)]);
    for number in [2, 1] {
        assert!(incoming.end(number, 0, None, 0).expect("its turn").is_none());
    }
    settle(&mut incoming, 4, STORED);
    assert_eq!(ended(&mut incoming), Vec::<u32>::new());
    settle(&mut incoming, 3, Outcome::Failed("no space is left".into()));
    assert_eq!(ended(&mut incoming), [2]);
    settle(&mut incoming, 2, STORED);
    assert_eq!(ended(&mut incoming), [1]);
    // And at once where nothing in it is without one.
    let mut incoming = offered([folder("a"), file("a/c", 1)]);
    settle(&mut incoming, 2, STORED);
    let task = incoming.end(1, 0, None, 0).expect("its turn");
    assert!(matches!(task, Some(Task::EndFolder { number: 1 })));
    assert_eq!(ended(&mut incoming), Vec::<u32>::new());
}

#[test]
fn a_file_for_which_there_is_no_room_holds_its_folder_no_longer() {
    let mut incoming = offered([folder("a")]);
    let task = incoming
        .offer(2, file("a/b", 1), 100)
        .expect("its turn")
        .expect("to decide");
    incoming.end(1, 0, None, 0).expect("its turn");
    let admissions = Admissions::new(AdmissionLimits {
        open_sinks: 1,
        bytes_each: Some(0),
        bytes_in_all: None,
    });
    assert!(!incoming.is_admitted(&task, &mut Some(admissions.applicant(1))));
    assert_eq!(ended(&mut incoming), [1]);
}

#[test]
fn what_comes_in_a_folder_after_its_end_and_a_second_end_are_errors() {
    let mut incoming = offered([folder("a"), file("a/b", 1)]);
    incoming.end(1, 0, None, 0).expect("its turn");
    let second = incoming.end(1, 0, None, 0).map(|task| task.is_some());
    assert_eq!(second, Err(Error::Protocol("a second end of item 1".into())));
    let late = incoming.offer(3, file("a/c", 1), 100).map(|task| task.is_some());
    assert_eq!(
        late,
        Err(Error::Protocol("a/c is offered after the end of its folder".into()))
    );
    let mut incoming = offered([entry("l", EntryKind::Link { target: "a".into() })]);
    assert!(matches!(incoming.end(1, 0, None, 0), Err(Error::Protocol(_))));
}

/// Blocks of files of three of them have so many bytes, but for the last one.
const BLOCK_BYTES: u64 = 64 << 10;
const LARGE_BYTES: u64 = 2 * BLOCK_BYTES + 1;

/// Files of three blocks, all of which are wanted.
fn wanted(count: u32) -> Incoming {
    let mut incoming = offered((1..=count).map(|number| file(&number.to_string(), LARGE_BYTES)));
    for number in 1..=count {
        incoming
            .answer(number, Answer::Wanted(None), &mut Vec::new())
            .expect("no fault");
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
            "drop" => {
                let dropped = incoming.drop_item(1).expect("on its way");
                assert!(matches!(dropped, Some(Task::Abandon { number: 1 })));
            }
            "result" => settle(&mut incoming, 1, Outcome::Failed("no space is left".into())),
            _ => {
                incoming.block(block(1, 1)).expect("its turn");
                incoming.block(block(1, 2)).expect("its turn");
                refused(&mut incoming);
                let task = incoming.end(1, LARGE_BYTES, None, 0).expect("all has come");
                assert!(matches!(task, Some(Task::Publish { number: 1 })));
            }
        }
        let task = incoming.block(block(2, 0)).expect("its turn");
        assert!(matches!(task, Some(Task::Block { number: 2, .. })), "{until}");
        // What was on its way of one that has failed stands in nobody's way.
        if until == "result" {
            assert!(incoming.block(block(1, 1)).expect("thrown away").is_none());
            incoming.block(block(2, 1)).expect("its turn");
        }
    }
}

#[test]
fn the_file_that_moves_is_the_one_of_which_a_block_came_last_over_whichever_connection() {
    let mut incoming = wanted(2);
    assert_eq!(incoming.items.moving, None, "both were only offered");
    incoming.block(block(1, 0)).expect("its turn");
    assert_eq!(incoming.items.moving.as_deref(), Some("1"));
    incoming.joined_block(block(2, 0)).expect("its turn");
    assert_eq!(incoming.items.moving.as_deref(), Some("2"));
    incoming.block(block(1, 1)).expect("its turn");
    assert_eq!(incoming.items.moving.as_deref(), Some("1"));
}

#[test]
fn a_file_of_one_block_comes_between_others_and_not_within_one() {
    let mut incoming = offered([file("a", LARGE_BYTES), file("b", 1), file("c", 1)]);
    incoming
        .answer(1, Answer::Wanted(None), &mut Vec::new())
        .expect("no fault");
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

/// The messages in these bytes.
fn said(mut bytes: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    while let Ok(Parsed::Message(message, len)) = Message::parse(bytes) {
        messages.push(message);
        bytes = &bytes[len..];
    }
    assert!(bytes.is_empty(), "all of it is messages");
    messages
}

/// The checksum of a block of [`block`].
fn known(index: u32) -> u64 {
    let mut digest = crate::checksum::Digest::new(ChecksumKind::Crc32);
    digest.update(&block(1, index).data);
    digest.value().expect("a kind that verifies")
}

/// A file of three blocks of which these are there, and what was said of it.
fn resumed(blocks: &[u32]) -> (Incoming, Vec<Message>) {
    resumed_over(1, blocks)
}

fn resumed_over(streams: u16, blocks: &[u32]) -> (Incoming, Vec<Message>) {
    let what = EntryKind::File {
        bytes: LARGE_BYTES,
        grain: Grain::MAX,
        checksum: ChecksumKind::Crc32,
        is_sparse: false,
        content: None,
    };
    let mut incoming = offered_over(streams, [entry("a", what)]);
    let blocks = blocks.iter().map(|index| (*index, known(*index))).collect();
    let resumed = Resumed {
        grain: Grain::MIN,
        blocks,
    };
    let mut out = Vec::new();
    let answered = incoming.answer(1, Answer::Wanted(Some(resumed)), &mut out);
    answered.expect("its own blocks");
    (incoming, said(&out))
}

fn checked(index: u32) -> TreeBlock {
    TreeBlock {
        checksum: known(index),
        ..block(1, index)
    }
}

fn whole() -> Option<u64> {
    let mut digest = crate::checksum::Digest::new(ChecksumKind::Crc32);
    digest.update(&vec![0; usize::try_from(LARGE_BYTES).expect("small")]);
    digest.value()
}

#[test]
fn what_is_there_is_claimed_before_its_file_is_accepted_with_the_length_of_its_blocks() {
    let (incoming, said) = resumed(&[0, 2]);
    // The second of them is the last one, of a single byte.
    assert_eq!(incoming.claimed_bytes, Grain::MIN.bytes() + 1);
    let [
        Message::Claim { item: 1, claims },
        Message::Accept {
            item: 1,
            handoff: false,
            grain,
        },
    ] = &said[..]
    else {
        panic!("{said:?}");
    };
    assert_eq!((claims.end(), *grain), (3, Some(Grain::MIN)));
}

#[test]
fn blocks_that_are_there_need_not_come_and_are_part_of_the_whole() {
    for (there, comes, kept_bytes) in [
        (&[0, 2][..], &[1][..], BLOCK_BYTES + 1),
        (&[0, 1, 2], &[], LARGE_BYTES),
        (&[0, 1], &[2], 2 * BLOCK_BYTES),
        // Some are other ones now.
        (&[0, 1], &[0, 2], BLOCK_BYTES),
        (&[], &[0, 1, 2], 0),
    ] {
        let (mut incoming, _) = resumed(there);
        for index in comes {
            let Some(Task::Block { number: 1, block }) = incoming.block(checked(*index)).expect("its turn") else {
                panic!("a block of it");
            };
            assert_eq!((block.index, block.at), (*index, u64::from(*index) * BLOCK_BYTES));
            assert_eq!(block.is_on_record, there.contains(index), "{index} of {there:?}");
        }
        let task = incoming.end(1, LARGE_BYTES, whole(), kept_bytes).expect("all is there");
        assert!(matches!(task, Some(Task::Publish { number: 1 })));
        assert_eq!(incoming.kept_bytes, kept_bytes);
        assert_eq!(incoming.bytes + incoming.kept_bytes, LARGE_BYTES);
    }
}

#[test]
fn a_block_that_is_not_there_is_due_and_an_end_tells_how_many_bytes_were() {
    let words = |result: Result<Option<Task>, Error>| match result {
        Err(Error::Protocol(words)) => words,
        other => panic!("{:?}", other.is_ok()),
    };
    let (mut incoming, _) = resumed(&[0]);
    incoming.block(checked(2)).expect("in any order");
    assert_eq!(
        words(incoming.end(1, LARGE_BYTES, whole(), BLOCK_BYTES)),
        "an end of item 1 after 65537 bytes of 131073"
    );
    let (mut incoming, _) = resumed(&[0, 1]);
    incoming.block(checked(1)).expect("its turn");
    assert!(words(incoming.block(checked(1))).contains("came twice"));
    let (mut incoming, _) = resumed(&[0, 1]);
    assert_eq!(
        words(incoming.end(1, LARGE_BYTES, whole(), 2 * BLOCK_BYTES)),
        "an end of item 1 after 131072 bytes of 131073"
    );
    for kept_bytes in [0, LARGE_BYTES - 1, u64::MAX] {
        let (mut incoming, _) = resumed(&[0, 1, 2]);
        let words = words(incoming.end(1, LARGE_BYTES, whole(), kept_bytes));
        assert!(words.contains("need not come again"), "{words}");
    }
    let (mut incoming, _) = resumed(&[0, 1, 2]);
    words(incoming.end(1, LARGE_BYTES, Some(7), LARGE_BYTES));
}

#[test]
fn only_a_file_without_its_end_is_dropped() {
    let mut incoming = offered([folder("a"), file("a/b", 1), file("a/c", LARGE_BYTES), file("a/d", 1)]);
    let ends = TreeBlock {
        item: 2,
        index: 0,
        ends: true,
        data: vec![0],
        checksum: 0,
    };
    incoming.block(ends).expect("its turn");
    for number in [1, 2, 9] {
        let dropped = incoming.drop_item(number).map(|task| task.is_some());
        assert!(matches!(dropped, Err(Error::Protocol(_))), "{number}: {dropped:?}");
    }
    let dropped = incoming.drop_item(3).expect("on its way");
    assert!(matches!(dropped, Some(Task::Abandon { number: 3 })));
    settle(&mut incoming, 4, Outcome::Failed("no space is left".into()));
    assert!(incoming.drop_item(4).expect("too late").is_none());
}

#[test]
fn the_end_of_a_file_waits_for_blocks_that_come_over_further_connections() {
    let (mut incoming, _) = resumed_over(2, &[0, 1]);
    incoming.joined_block(checked(2)).expect("its turn");
    let task = incoming
        .end(1, LARGE_BYTES, whole(), BLOCK_BYTES)
        .expect("one may come");
    assert!(task.is_none() && incoming.take_due().next().is_none());
    let task = incoming.joined_block(checked(1)).expect("on its way");
    assert!(matches!(task, Some(Task::Block { number: 1, block }) if block.is_on_record));
    let due: Vec<Task> = incoming.take_due().collect();
    assert!(matches!(due[..], [Task::Publish { number: 1 }]));
    // The sender has said that it need not come.
    assert!(matches!(incoming.joined_block(checked(0)), Err(Error::Protocol(_))));
}

#[test]
fn blocks_of_a_file_may_leave_any_gaps() {
    let bytes = 1000 * BLOCK_BYTES;
    let mut incoming = offered_over(2, [file("a", bytes)]);
    incoming
        .answer(1, Answer::Wanted(None), &mut Vec::new())
        .expect("no fault");
    for index in (0..1000).step_by(2).chain((1..1000).step_by(2).rev()) {
        let data = vec![0; 64 << 10];
        let block = TreeBlock {
            data,
            ..block(1, index)
        };
        incoming.joined_block(block).expect("in any order");
    }
    let task = incoming.end(1, bytes, None, 0).expect("all is there");
    assert!(matches!(task, Some(Task::Publish { number: 1 })));
}

#[test]
fn only_so_many_files_are_begun_at_once() {
    let count = u32::try_from(BEGUN_MAX).expect("few");
    let files = (1..=count + 2).map(|number| file(&number.to_string(), LARGE_BYTES));
    let mut incoming = Incoming::over(2);
    for (number, entry) in (1..).zip(files) {
        incoming.give_credit(&mut Vec::new());
        incoming.offer(number, entry, 100).expect("its turn");
        let answered = incoming.answer(number, Answer::Wanted(None), &mut Vec::new());
        answered.expect("no fault");
    }
    for number in 1..=count {
        incoming.joined_block(block(number, 1)).expect("few");
        incoming.joined_block(block(number, 0)).expect("the same");
    }
    settle(&mut incoming, 7, Outcome::Failed("no space is left".into()));
    incoming.joined_block(block(count + 1, 1)).expect("in its place");
    let beyond = incoming.joined_block(block(count + 2, 1)).map(|task| task.is_some());
    assert!(matches!(beyond, Err(Error::Protocol(words)) if words.contains("more than 256 files")));
}

#[test]
fn what_comes_over_a_further_connection_is_wanted_and_of_a_file() {
    let mut incoming = offered_over(2, [file("a", LARGE_BYTES), folder("b"), file("c", LARGE_BYTES)]);
    for item in [1, 2, 9] {
        assert!(matches!(incoming.joined_block(block(item, 0)), Err(Error::Protocol(_))));
    }
    incoming
        .answer(1, Answer::Wanted(None), &mut Vec::new())
        .expect("no fault");
    // Also between blocks of another file that come over the first one.
    incoming
        .answer(3, Answer::Wanted(None), &mut Vec::new())
        .expect("no fault");
    incoming.block(block(3, 0)).expect("its turn");
    incoming.joined_block(block(1, 0)).expect("its turn");
    settle(&mut incoming, 1, Outcome::Failed("no space is left".into()));
    assert!(incoming.joined_block(block(1, 1)).expect("thrown away").is_none());
}

#[test]
fn results_of_neighbours_that_are_equal_are_said_as_one() {
    let mut incoming = offered((1..=8).map(|number| file(&number.to_string(), 1)));
    for number in 1..=3 {
        settle(&mut incoming, number, STORED);
    }
    settle(&mut incoming, 4, Outcome::Stored { durable: None });
    for number in 5..=6 {
        settle(&mut incoming, number, Outcome::Failed("no space is left".into()));
    }
    for number in [8, 7] {
        settle(&mut incoming, number, Outcome::Had);
    }
    let mut out = Vec::new();
    incoming.say_results(&mut out);
    let runs: Vec<(u32, u32, Status, bool)> = said(&out)
        .into_iter()
        .map(|message| match message {
            Message::Result(run) => (run.item, run.count, run.status, run.is_durable),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        (1, 3, Status::Stored, true),
        (4, 1, Status::Stored, false),
        (5, 1, Status::Failed, false),
        (6, 1, Status::Failed, false),
        (8, 1, Status::Had, false),
        (7, 1, Status::Had, false),
    ];
    assert_eq!(runs, expected);
    out.clear();
    incoming.say_results(&mut out);
    assert!(out.is_empty(), "each is said once");
}

/// The credit that is given now.
fn given(incoming: &mut Incoming) -> Option<Credit> {
    let mut out = Vec::new();
    incoming.give_credit(&mut out);
    match &said(&out)[..] {
        [] => None,
        [Message::Credit(credit)] => Some(*credit),
        other => panic!("{other:?}"),
    }
}

#[test]
fn credit_is_given_at_once_and_then_in_steps() {
    let folder = |number: u32| entry(&number.to_string(), EntryKind::Folder);
    let mut incoming = offered((1..=64).map(folder));
    let first = given(&mut incoming);
    let bytes = 64 * 100 + (16 << 20);
    assert_eq!(first, Some(Credit { items: 8192, bytes }));
    for number in 65..=CREDIT_STEP {
        incoming.offer(number, folder(number), 100).expect("within the credit");
    }
    for number in 1..CREDIT_STEP {
        settle(&mut incoming, number, STORED);
        assert_eq!(given(&mut incoming), None, "{number}");
    }
    settle(&mut incoming, CREDIT_STEP, STORED);
    let bytes = u64::from(CREDIT_STEP) * 100 + (16 << 20);
    assert_eq!(given(&mut incoming), Some(Credit { items: 9216, bytes }));
}

#[test]
fn nothing_is_offered_beyond_the_credit() {
    let folder = || entry("a", EntryKind::Folder);
    let mut incoming = offered((1..=64).map(|_| folder()));
    let beyond = incoming.offer(65, folder(), 100).err();
    assert!(matches!(beyond, Some(Error::Protocol(words)) if words.contains("credit was given up to 64")));
    let mut incoming = Incoming::over(1);
    incoming.offer(1, folder(), 1 << 20).expect("all of the first credit");
    let beyond = incoming.offer(2, folder(), 1).err();
    assert!(matches!(beyond, Some(Error::Protocol(words)) if words.contains("1048577 bytes were sent ahead")));
}

#[test]
fn a_tree_is_durable_where_every_file_is_that_came_onto_a_disk() {
    for (each, all) in [
        (&[][..], None),
        (&[None], None),
        (&[Some(true), Some(true)], Some(true)),
        (&[None, Some(true), None], Some(true)),
        (&[Some(true), Some(false), Some(true)], Some(false)),
        (&[Some(false), None], Some(false)),
    ] {
        let mut incoming = offered(each.iter().map(|_| file("a", 1)));
        for (number, durable) in (1..).zip(each) {
            settle(&mut incoming, number, Outcome::Stored { durable: *durable });
        }
        assert_eq!(incoming.is_durable, all, "{each:?}");
    }
    // A folder is on disk with the last word, and what was there is none of this tree's doing.
    let mut incoming = offered([file("a", 1), entry("b", EntryKind::Folder)]);
    settle(&mut incoming, 1, Outcome::Had);
    settle(&mut incoming, 2, Outcome::Stored { durable: Some(false) });
    assert_eq!(incoming.is_durable, None);
}
