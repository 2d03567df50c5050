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
