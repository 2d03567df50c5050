//! What a tree's sender has offered, and what has become of it: without I/O or a clock.

use std::collections::{BTreeMap, VecDeque};

use crate::error::Error;
use crate::transfer::source::walk::Entry;
use crate::transfer::tell::items::Items;
use crate::transfer::tree::path::RelativePath;
use crate::wire::Grain;
use crate::wire::native::{BLOCK_OVERHEAD_BYTES, BlockClaims, Claimed, Credit, ItemResult, Status};

use super::file::{self, Blocks};

/// The items of a tree, from their offers to their results.
#[derive(Debug)]
pub(super) struct Outgoing {
    next: u32,
    credit: Credit,
    /// Bytes of offers and of blocks that were sent before their items were accepted, as the receiver counts them.
    spent_bytes: u64,
    /// Offered, and without a result. Bounded by the credit, and by the depth of the tree.
    open: BTreeMap<u32, OpenItem>,
    /// Folders that the walk is in, the deepest last.
    walked: Vec<u32>,
    /// Folders about whose content nothing more is to be said.
    due_ends: VecDeque<u32>,
    /// Files that the receiver wants, with the blocks of those of which it has some.
    accepted: VecDeque<(u32, Option<Blocks>)>,
    /// Files of several blocks that were sent and have no result.
    large_unsettled: usize,
    /// Dropped as they had changed, and to be offered once more. Their folders wait for them.
    again: VecDeque<Again>,
    /// Files that were sent with their offers are wanted: nothing of the tree is there yet.
    pub(super) is_eager: bool,
    pub(super) items: Items,
}

/// A file that is to be offered once more, which has no result until then.
#[derive(Debug)]
pub(super) struct Again {
    pub(super) path: RelativePath,
    /// The folder that it is in.
    folder: Option<u32>,
}

#[derive(Debug)]
struct OpenItem {
    /// The folder that it is in.
    folder: Option<u32>,
    /// More may be said of it: the end of its folder waits for that.
    holds_folder: bool,
    what: OpenKind,
}

#[derive(Debug)]
enum OpenKind {
    Folder {
        path: RelativePath,
        /// Items in it of which more may be said: files that may yet be sent, or offered once more, and folders that have
        /// no end.
        unsaid: u32,
        /// The walk has left it.
        is_left: bool,
    },
    Link(RelativePath),
    File {
        entry: Box<Entry>,
        state: FileState,
        /// The receiver has said that it wants it.
        is_accepted: bool,
        /// The blocks that the receiver has said that it has, until it accepts.
        claimed: Claimed,
        /// It had changed when it was its turn, and this is its second offer.
        is_second: bool,
        /// Why it is dropped for good.
        why: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileState {
    /// The receiver has not said whether it wants it.
    Offered,
    /// It is sent, or will be.
    Wanted,
    /// All of it was sent, and its end.
    Sent,
    /// It is not what was offered.
    Dropped,
}

impl Outgoing {
    pub(super) fn new() -> Self {
        Self {
            next: 1,
            credit: Credit::FIRST,
            spent_bytes: 0,
            open: BTreeMap::new(),
            walked: Vec::new(),
            due_ends: VecDeque::new(),
            accepted: VecDeque::new(),
            large_unsettled: 0,
            again: VecDeque::new(),
            is_eager: false,
            items: Items::default(),
        }
    }

    /// Whether one more item may be offered, with so many bytes of it at once.
    pub(super) fn may_offer(&self, bytes: u64) -> bool {
        self.next <= self.credit.items && self.spent_bytes.saturating_add(bytes) <= self.credit.bytes
    }

    /// An offer had so many bytes.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.spent_bytes += bytes as u64;
    }

    /// The receiver gives credit; whether that is more than it has given before.
    pub(super) fn give(&mut self, credit: Credit) -> bool {
        let before = self.credit;
        // It never falls.
        self.credit.items = before.items.max(credit.items);
        self.credit.bytes = before.bytes.max(credit.bytes);
        self.credit != before
    }

    /// A folder is offered, whose content follows.
    pub(super) fn offer_folder(&mut self, path: RelativePath) -> u32 {
        let item = self.offer_in_walked(OpenKind::Folder {
            path,
            unsaid: 0,
            is_left: false,
        });
        self.walked.push(item);
        item
    }

    /// The walk has left its deepest folder.
    pub(super) fn leave_folder(&mut self) {
        let Some(item) = self.walked.pop() else { return };
        if let Some(OpenItem {
            what: OpenKind::Folder { is_left, unsaid, .. },
            ..
        }) = self.open.get_mut(&item)
        {
            *is_left = true;
            if *unsaid == 0 {
                self.due_ends.push_back(item);
            }
        }
    }

    /// A link is offered.
    pub(super) fn offer_link(&mut self, path: RelativePath) -> u32 {
        self.offer_in_walked(OpenKind::Link(path))
    }

    /// A file is offered.
    pub(super) fn offer_file(&mut self, entry: Entry) -> u32 {
        self.offer_in_walked(file_of(entry, false))
    }

    /// A file is offered once more.
    pub(super) fn offer_again(&mut self, entry: Entry, again: &Again) -> u32 {
        self.offer(file_of(entry, true), again.folder, true)
    }

    /// A file cannot be offered once more.
    pub(super) fn fail_again(&mut self, again: &Again, reason: String) {
        self.fail(again.path.display(), reason);
        self.has_said_in(again.folder);
    }

    /// A file whose offer stands.
    pub(super) fn entry(&self, item: u32) -> Option<&Entry> {
        match &self.open.get(&item)?.what {
            OpenKind::File { entry, state, .. } if *state != FileState::Dropped => Some(entry),
            _ => None,
        }
    }

    /// Whether nothing has a result yet to come, and no file is to be offered again.
    pub(super) fn is_settled(&self) -> bool {
        self.open.is_empty() && self.again.is_empty()
    }

    /// Whether a file can still turn out to have changed, and be offered once more.
    pub(super) fn may_offer_again(&self) -> bool {
        let is_unsent =
            |open: &OpenItem| matches!(&open.what, OpenKind::File { state, .. } if *state != FileState::Sent);
        !self.again.is_empty() || self.open.values().any(is_unsent)
    }

    /// The next folder whose end is to be said.
    pub(super) fn take_due_end(&mut self) -> Option<u32> {
        let item = self.due_ends.pop_front()?;
        self.has_said(item);
        Some(item)
    }

    /// The next file that the receiver wants, with those of its blocks that the receiver says that it has.
    pub(super) fn take_accepted(&mut self) -> Option<(u32, Option<Blocks>)> {
        self.accepted.pop_front()
    }

    /// How many files of several blocks were sent and have no result.
    pub(super) fn large_unsettled(&self) -> usize {
        self.large_unsettled
    }

    /// What is offered again next.
    pub(super) fn next_again(&self) -> Option<&Again> {
        self.again.front()
    }

    /// The next file that is to be offered again.
    pub(super) fn take_again(&mut self) -> Option<Again> {
        self.again.pop_front()
    }

    /// The bytes of a file are sent from now on.
    pub(super) fn moves(&mut self, item: u32) {
        let path = self.entry(item).map(|entry| entry.path.display());
        if path.is_some() {
            self.items.moving = path;
        }
    }

    /// All of a file was sent, and its end.
    pub(super) fn sent(&mut self, item: u32) {
        if let Some(OpenItem {
            what: OpenKind::File { state, entry, .. },
            ..
        }) = self.open.get_mut(&item)
        {
            if *state == FileState::Offered {
                self.spent_bytes += ahead_bytes(entry);
            }
            *state = FileState::Sent;
            self.large_unsettled += usize::from(is_of_blocks(entry));
        }
        self.has_said(item);
    }

    /// A file is not sent as it was offered. Once more it is only where it has `changed`.
    pub(super) fn dropped(&mut self, item: u32, changed: bool, reason: String) {
        if let Some(OpenItem {
            what: OpenKind::File { state, why, .. },
            ..
        }) = self.open.get_mut(&item)
        {
            *state = FileState::Dropped;
            *why = (!changed).then_some(reason);
        }
    }

    /// Something that the walk could not read is not sent.
    pub(super) fn fail(&mut self, path: String, reason: String) {
        self.items.known += 1;
        self.items.fail(path, reason);
    }

    /// The receiver has some blocks of a file.
    pub(super) fn claim(&mut self, item: u32, claims: &BlockClaims) -> Result<(), Error> {
        match self.open.get_mut(&item).map(|open| &mut open.what) {
            Some(OpenKind::File {
                entry,
                state: FileState::Offered,
                claimed,
                ..
            }) if is_of_blocks(entry) => {
                claims.fit(entry.bytes)?;
                claimed.add(claims)
            }
            _ => Err(Error::Protocol(format!(
                "a claim of blocks of item {item}, which does not wait for that"
            ))),
        }
    }

    /// The receiver wants a file; but for its blocks, where it says how long these are.
    pub(super) fn accept(&mut self, item: u32, grain: Option<Grain>) -> Result<(), Error> {
        match self.open.get_mut(&item).map(|open| &mut open.what) {
            Some(OpenKind::File {
                entry,
                state,
                is_accepted,
                claimed,
                ..
            }) if !*is_accepted => {
                let claimed = std::mem::take(claimed);
                let blocks = match grain {
                    None if claimed.is_empty() => None,
                    Some(grain) if is_of_blocks(entry) => Some((grain, claimed.on(grain, entry.bytes)?)),
                    None | Some(_) => {
                        return Err(Error::Protocol(format!(
                            "it accepts item {item} with the length of blocks, or without it, against its claims"
                        )));
                    }
                };
                *is_accepted = true;
                match state {
                    FileState::Offered => {
                        *state = FileState::Wanted;
                        self.accepted.push_back((item, blocks));
                    }
                    // With its offer. The receiver had decided before the block was there, and does not count it.
                    FileState::Sent => self.spent_bytes -= ahead_bytes(entry),
                    FileState::Wanted | FileState::Dropped => {}
                }
                Ok(())
            }
            _ => Err(Error::Protocol(format!(
                "it accepts item {item}, which does not wait for that"
            ))),
        }
    }

    /// What has become of one item or several.
    pub(super) fn settle(&mut self, result: &ItemResult) -> Result<(), Error> {
        let end = result.item.checked_add(result.count).filter(|end| *end <= self.next);
        let end = end.ok_or_else(|| Error::Protocol("a result for what was not offered".into()))?;
        for item in result.item..end {
            let open = self.open.remove(&item);
            let open = open.ok_or_else(|| Error::Protocol(format!("a second result for item {item}")))?;
            if let OpenKind::File {
                entry,
                state: FileState::Sent,
                ..
            } = &open.what
            {
                self.large_unsettled -= usize::from(is_of_blocks(entry));
            }
            if let Some(path) = self.count(open.what, result)? {
                let folder = open.folder;
                self.again.push_back(Again { path, folder });
            } else if open.holds_folder {
                self.has_said_in(open.folder);
            }
        }
        Ok(())
    }

    /// Counts an item that has a result. The path of a file that is to be offered once more.
    fn count(&mut self, what: OpenKind, result: &ItemResult) -> Result<Option<RelativePath>, Error> {
        match result.status {
            Status::Stored => {
                if matches!(&what, OpenKind::File { state, .. } if *state != FileState::Sent) {
                    return Err(Error::Protocol("it says that it has stored what was not sent".into()));
                }
                self.items.stored += 1;
            }
            Status::Had => {
                // A second, unchanged run would send everything.
                self.is_eager = false;
                self.items.had += 1;
            }
            Status::Refused | Status::Failed => {
                let (OpenKind::Folder { path, .. } | OpenKind::Link(path)) = &what else {
                    let OpenKind::File { entry, .. } = &what else {
                        return Ok(None);
                    };
                    self.items.fail(entry.path.display(), reason_there(result));
                    return Ok(None);
                };
                self.items.fail(path.display(), reason_there(result));
            }
            Status::Withdrawn => match what {
                OpenKind::File {
                    entry,
                    state: FileState::Dropped,
                    is_second: false,
                    why: None,
                    ..
                } => {
                    self.items.known -= 1;
                    return Ok(Some(entry.path));
                }
                OpenKind::File {
                    entry,
                    state: FileState::Dropped,
                    why,
                    ..
                } => {
                    let why = why.unwrap_or_else(|| "it keeps changing while it is sent".into());
                    self.items.fail(entry.path.display(), why);
                }
                _ => return Err(Error::Protocol("it withdraws what was not dropped".into())),
            },
        }
        Ok(None)
    }

    /// Nothing more is to be said of an item before its result.
    fn has_said(&mut self, item: u32) {
        if let Some(open) = self.open.get_mut(&item)
            && std::mem::take(&mut open.holds_folder)
        {
            let folder = open.folder;
            self.has_said_in(folder);
        }
    }

    /// Nothing more is to be said of one item of a folder.
    fn has_said_in(&mut self, folder: Option<u32>) {
        let Some(folder) = folder else { return };
        // A folder that was refused has its own result already.
        if let Some(OpenItem {
            what: OpenKind::Folder { unsaid, is_left, .. },
            ..
        }) = self.open.get_mut(&folder)
        {
            *unsaid -= 1;
            if *unsaid == 0 && *is_left {
                self.due_ends.push_back(folder);
            }
        }
    }

    /// Offers what the walk has come to.
    fn offer_in_walked(&mut self, what: OpenKind) -> u32 {
        let folder = self.walked.last().copied();
        // Nothing is said of a link but its offer.
        let mut holds_folder = false;
        if !matches!(what, OpenKind::Link(_))
            && let Some(OpenItem {
                what: OpenKind::Folder { unsaid, .. },
                ..
            }) = folder.and_then(|folder| self.open.get_mut(&folder))
        {
            *unsaid += 1;
            holds_folder = true;
        }
        self.offer(what, folder, holds_folder)
    }

    fn offer(&mut self, what: OpenKind, folder: Option<u32>, holds_folder: bool) -> u32 {
        let item = self.next;
        // The credit ends before the numbers do.
        self.next += 1;
        self.items.known += 1;
        let open = OpenItem {
            folder,
            holds_folder,
            what,
        };
        self.open.insert(item, open);
        item
    }
}

fn file_of(entry: Entry, is_second: bool) -> OpenKind {
    OpenKind::File {
        entry: Box::new(entry),
        state: FileState::Offered,
        is_accepted: false,
        claimed: Claimed::default(),
        is_second,
        why: None,
    }
}

/// Whether a file is more than one block.
fn is_of_blocks(entry: &Entry) -> bool {
    entry.bytes > file::grain(entry.bytes).bytes()
}

/// What a block counts for that is sent with the offer of its file. An end, of a file without a block, counts for nothing.
fn ahead_bytes(entry: &Entry) -> u64 {
    match entry.bytes {
        0 => 0,
        bytes => bytes + BLOCK_OVERHEAD_BYTES as u64,
    }
}

fn reason_there(result: &ItemResult) -> String {
    match &result.reason {
        Some(reason) => format!("at the other end: {reason}"),
        None => "the receiver gave no reason".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::source::walk::{Roots, Selection, Step, Walk};
    use std::sync::Arc;

    #[test]
    fn credit_that_is_no_more_than_before_is_told_and_takes_nothing_away() {
        let mut outgoing = Outgoing::new();
        let credit = |items, bytes| Credit { items, bytes };
        for (given, is_more) in [
            (Credit::FIRST, false),
            (credit(100, 0), true),
            (credit(100, 0), false),
            (credit(0, 2 << 20), true),
            (credit(100, 2 << 20), false),
            (credit(0, 0), false),
        ] {
            assert_eq!(outgoing.give(given), is_more, "{given:?}");
        }
        assert_eq!(outgoing.credit, credit(100, 2 << 20));
    }

    #[test]
    fn what_is_sent_with_its_offer_counts_unless_the_receiver_had_decided_before() {
        let mut outgoing = Outgoing::new();
        for (bytes, counts) in [(1000, 1024), (0, 0)] {
            let item = outgoing.offer_file(entry_of(bytes));
            outgoing.sent(item);
            assert_eq!(outgoing.spent_bytes, counts);
            outgoing.accept(item, None).expect("it waits for that");
            assert_eq!(outgoing.spent_bytes, 0);
        }
        let item = outgoing.offer_file(entry_of(1000));
        outgoing.accept(item, None).expect("it waits for that");
        outgoing.sent(item);
        assert_eq!(outgoing.spent_bytes, 0);
    }

    /// What a walk says of a file of so many bytes.
    fn entry_of(bytes: u64) -> Entry {
        named("a", bytes)
    }

    fn named(name: &str, bytes: u64) -> Entry {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join(name);
        let file = std::fs::File::create_new(&path).expect("free");
        file.set_len(bytes).expect("room");
        let roots = Arc::new(Roots::new([path]).expect("there"));
        let step = Walk::new(roots, Selection::everything()).next();
        let Some(Step::File(entry)) = step else {
            panic!("{step:?}");
        };
        entry
    }

    #[test]
    fn a_file_is_accepted_once_even_if_it_was_sent_before() {
        let entry = entry_of(4);
        for sends_before in [false, true] {
            let mut outgoing = Outgoing::new();
            let item = outgoing.offer_file(entry.clone());
            if sends_before {
                outgoing.sent(item);
            }
            assert_eq!(outgoing.accept(item, None), Ok(()));
            assert_eq!(outgoing.take_accepted(), (!sends_before).then_some((item, None)));
            assert!(matches!(outgoing.accept(item, None), Err(Error::Protocol(_))));
        }
    }

    #[test]
    fn files_of_several_blocks_that_were_sent_are_counted_until_they_have_their_results() {
        let mut outgoing = Outgoing::new();
        let large = outgoing.offer_file(entry_of(3 << 20));
        let small = outgoing.offer_file(entry_of(1 << 20));
        for item in [large, small] {
            outgoing.accept(item, None).expect("its turn");
            outgoing.sent(item);
        }
        assert_eq!(outgoing.large_unsettled(), 1);
        outgoing.settle(&result(small, Status::Stored)).expect("sent");
        assert_eq!(outgoing.large_unsettled(), 1);
        outgoing.settle(&result(large, Status::Failed)).expect("sent");
        assert_eq!(outgoing.large_unsettled(), 0);
    }

    #[test]
    fn the_file_that_moves_is_the_one_of_which_bytes_were_sent_last_not_the_one_offered_last() {
        let mut outgoing = Outgoing::new();
        let first = outgoing.offer_file(named("first", 3 << 20));
        let second = outgoing.offer_file(named("second", 3 << 20));
        assert_eq!(outgoing.items.moving, None);
        for (item, name) in [(first, "first"), (second, "second")] {
            outgoing.moves(item);
            assert_eq!(outgoing.items.moving.as_deref(), Some(name));
        }
    }

    fn result(item: u32, status: Status) -> ItemResult {
        ItemResult {
            item,
            count: 1,
            status,
            is_durable: false,
            bytes: None,
            checksum: None,
            reason: None,
        }
    }

    #[test]
    fn results_that_fit_nothing_that_was_sent_are_errors() {
        type Before = fn(&mut Outgoing, u32);
        let says: [(&str, Before, u32, Status); 7] = [
            ("stored before it was accepted", |_, _| {}, 1, Status::Stored),
            (
                "stored before it was sent",
                |outgoing, item| outgoing.accept(item, None).expect("its turn"),
                1,
                Status::Stored,
            ),
            (
                "stored though it was dropped",
                |outgoing, item| outgoing.dropped(item, true, "it has changed".into()),
                1,
                Status::Stored,
            ),
            (
                "a second one",
                |outgoing, item| outgoing.settle(&result(item, Status::Had)).expect("offered"),
                1,
                Status::Had,
            ),
            ("of what comes next", |_, _| {}, 2, Status::Refused),
            ("of nothing", |_, _| {}, 0, Status::Refused),
            ("withdrawn though it stands", |_, _| {}, 1, Status::Withdrawn),
        ];
        for (what, before, item, status) in says {
            let mut outgoing = Outgoing::new();
            let offered = outgoing.offer_file(entry_of(4));
            before(&mut outgoing, offered);
            let said = outgoing.settle(&result(item, status));
            assert!(matches!(said, Err(Error::Protocol(_))), "{what}: {said:?}");
        }
        let mut outgoing = Outgoing::new();
        let item = outgoing.offer_file(entry_of(4));
        outgoing.sent(item);
        let beyond = ItemResult {
            count: 2,
            ..result(item, Status::Stored)
        };
        let said = outgoing.settle(&beyond);
        assert!(
            matches!(said, Err(Error::Protocol(_))),
            "more than were offered: {said:?}"
        );
        outgoing.settle(&result(item, Status::Stored)).expect("sent");
    }

    fn path(path: &str) -> RelativePath {
        RelativePath::new(path).expect("a path")
    }

    #[test]
    fn the_ends_of_folders_follow_what_is_in_them_without_waiting_for_results() {
        let mut outgoing = Outgoing::new();
        let outer = outgoing.offer_folder(path("a"));
        let inner = outgoing.offer_folder(path("a/b"));
        let file = outgoing.offer_file(entry_of(4));
        outgoing.offer_link(path("a/b/l"));
        outgoing.leave_folder();
        outgoing.leave_folder();
        assert_eq!(outgoing.take_due_end(), None, "the file may yet be sent");
        outgoing.sent(file);
        assert_eq!(outgoing.take_due_end(), Some(inner));
        assert_eq!(outgoing.take_due_end(), Some(outer));
        assert_eq!(outgoing.take_due_end(), None);
        assert!(!outgoing.is_settled());
        for item in [outer, inner, file, 4] {
            outgoing.settle(&result(item, Status::Stored)).expect("offered");
        }
        assert_eq!(outgoing.take_due_end(), None, "it has one end");
        assert!(outgoing.is_settled());
    }

    #[test]
    fn the_end_of_a_folder_waits_for_a_file_that_may_be_offered_once_more() {
        for becomes in ["sent", "unreadable", "had"] {
            let mut outgoing = Outgoing::new();
            let folder = outgoing.offer_folder(path("a"));
            let file = outgoing.offer_file(entry_of(4));
            outgoing.leave_folder();
            outgoing.dropped(file, true, "it has changed".into());
            assert_eq!(outgoing.take_due_end(), None, "{becomes}");
            outgoing.settle(&result(file, Status::Withdrawn)).expect("dropped");
            assert_eq!(outgoing.take_due_end(), None, "{becomes}");
            let again = outgoing.take_again().expect("it has changed");
            if becomes == "unreadable" {
                outgoing.fail_again(&again, "it is gone".into());
            } else {
                let file = outgoing.offer_again(entry_of(4), &again);
                assert_eq!(outgoing.take_due_end(), None, "{becomes}");
                match becomes {
                    "sent" => outgoing.sent(file),
                    _ => outgoing.settle(&result(file, Status::Had)).expect("offered"),
                }
            }
            assert_eq!(outgoing.take_due_end(), Some(folder), "{becomes}");
        }
    }

    #[test]
    fn a_folder_that_was_refused_holds_the_one_that_it_is_in_no_longer() {
        let mut outgoing = Outgoing::new();
        let outer = outgoing.offer_folder(path("a"));
        let inner = outgoing.offer_folder(path("a/b"));
        outgoing.offer_file(entry_of(4));
        outgoing.settle(&result(inner, Status::Refused)).expect("offered");
        outgoing.leave_folder();
        outgoing.leave_folder();
        assert_eq!(outgoing.take_due_end(), Some(outer));
        outgoing.settle(&result(3, Status::Refused)).expect("offered");
        assert_eq!(outgoing.take_due_end(), None);
    }

    fn claims(there: &[(u32, u64)]) -> BlockClaims {
        BlockClaims::of(there).next().expect("some")
    }

    #[test]
    fn what_is_claimed_before_an_acceptance_goes_with_it() {
        let mut outgoing = Outgoing::new();
        let item = outgoing.offer_file(entry_of(3 << 20));
        outgoing.claim(item, &claims(&[(1, 11)])).expect("its turn");
        outgoing.claim(item, &claims(&[(7, 17)])).expect("its turn");
        outgoing.accept(item, Some(Grain::MIN)).expect("its turn");
        let blocks = (Grain::MIN, vec![(1, 11), (7, 17)]);
        assert_eq!(outgoing.take_accepted(), Some((item, Some(blocks))));
        let late = outgoing.claim(item, &claims(&[(8, 18)]));
        assert!(matches!(late, Err(Error::Protocol(_))), "{late:?}");
    }

    #[test]
    fn claims_of_no_such_blocks_and_acceptances_against_claims_are_errors() {
        type Say = fn(&mut Outgoing, u32) -> Result<(), Error>;
        let says: [(&str, u64, Say); 7] = [
            ("of what is not offered", 3 << 20, |outgoing, item| {
                outgoing.claim(item + 1, &claims(&[(0, 7)]))
            }),
            ("of a file of one block", 1 << 20, |outgoing, item| {
                outgoing.claim(item, &claims(&[(0, 7)]))
            }),
            ("of more blocks than there can be", 3 << 20, |outgoing, item| {
                outgoing.claim(item, &claims(&[(48, 7)]))
            }),
            ("out of order", 3 << 20, |outgoing, item| {
                outgoing.claim(item, &claims(&[(5, 7)]))?;
                outgoing.claim(item, &claims(&[(5, 7)]))
            }),
            ("of more blocks than there are", 3 << 20, |outgoing, item| {
                outgoing.claim(item, &claims(&[(3, 7)]))?;
                outgoing.accept(item, Some(Grain::MIB))
            }),
            ("without the length of its blocks", 3 << 20, |outgoing, item| {
                outgoing.claim(item, &claims(&[(0, 7)]))?;
                outgoing.accept(item, None)
            }),
            ("a length of blocks for one block", 1 << 20, |outgoing, item| {
                outgoing.accept(item, Some(Grain::MIB))
            }),
        ];
        for (what, bytes, say) in says {
            let mut outgoing = Outgoing::new();
            let item = outgoing.offer_file(entry_of(bytes));
            let said = say(&mut outgoing, item);
            assert!(matches!(said, Err(Error::Protocol(_))), "{what}: {said:?}");
        }
    }
}
