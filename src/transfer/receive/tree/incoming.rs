//! What a tree's receiver was offered, what has come of it, and what it has said: without I/O or a clock.

mod file;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::checksum::ChecksumKind;
use crate::error::Error;
use crate::transfer::limits::admission::Applicant;
use crate::transfer::sink::tree::{FileBlocks, ItemKind, Outcome, TreeItem};
use crate::transfer::tell::items::Items;
use crate::transfer::tree::path::{RelativePath, shown_bytes};
use crate::wire::native::{
    BLOCK_OVERHEAD_BYTES, BlockClaims, Credit, Entry, EntryKind, ItemResult, Message, Status, TreeBlock,
};

use super::disk::{Answer, FileFacts, Task};
use file::ComingFile;

/// Offers may run so many items and bytes ahead of their results.
const AHEAD: Credit = Credit {
    items: 8192,
    bytes: 16 << 20,
};
/// Of so many files some blocks have come, and others not: each takes two descriptors.
const BEGUN_MAX: usize = 256;
/// New credit is given in such steps.
const CREDIT_STEP: u32 = AHEAD.items / 8;

/// The items of a tree that comes in.
#[derive(Debug)]
pub(super) struct Incoming {
    /// Over how many connections blocks may come.
    streams: u16,
    next: u32,
    /// Offered, and without a result.
    open: BTreeMap<u32, OpenItem>,
    /// The folders of them, by their paths.
    folders: HashMap<Vec<u8>, u32>,
    /// What is to be done since something has come that it waited for.
    due: Vec<Due>,
    /// The file of which blocks have come, and more or an end are due.
    current: Option<u32>,
    /// How many files have begun to come, and not all of them has.
    begun: usize,
    settled: u32,
    credit: Credit,
    /// Bytes of offers, and of blocks that came before their items were accepted.
    ahead_bytes: u64,
    has_finished: bool,
    /// Results that were not said.
    results: Vec<ItemResult>,
    pub(super) items: Items,
    /// The file of which a block came last.
    moving: Option<u32>,
    pub(super) bytes: u64,
    /// Bytes of files that were there from before, and did not come.
    pub(super) kept_bytes: u64,
    /// Bytes of those that the sender was told of; some may come nevertheless.
    pub(super) claimed_bytes: u64,
    /// Every file came with checksums.
    pub(super) is_verified: bool,
    /// Whether every file that was stored is on disk; nothing where none was stored on one.
    pub(super) is_durable: Option<bool>,
    names: Names,
    /// Bytes of files that are kept, and of others that were offered, since that was asked last.
    settled_bytes: (u64, u64),
}

/// The names that stand first in the paths of what is there now.
#[derive(Debug, PartialEq)]
enum Names {
    None,
    One(Vec<u8>),
    Several,
}

/// What waited for something, which has come.
#[derive(Debug)]
enum Due {
    /// The last block of a file, which came over another connection than its end.
    Publish(u32),
    /// The last result in a folder, which came after the folder's end.
    EndFolder(u32),
}

#[derive(Debug)]
struct OpenItem {
    path: RelativePath,
    /// The folder that it is in, where that has no result.
    folder: Option<u32>,
    what: OpenKind,
}

#[derive(Debug)]
enum OpenKind {
    Folder {
        /// Items in it that have no result.
        unsettled: u32,
        /// The sender has said its end.
        has_end: bool,
    },
    Link,
    File(ComingFile),
}

impl Incoming {
    /// Of a session over so many connections.
    pub(super) fn over(streams: u16) -> Self {
        Self {
            streams,
            next: 1,
            open: BTreeMap::new(),
            folders: HashMap::new(),
            due: Vec::new(),
            current: None,
            begun: 0,
            settled: 0,
            credit: Credit::FIRST,
            ahead_bytes: 0,
            has_finished: false,
            results: Vec::new(),
            items: Items::default(),
            moving: None,
            bytes: 0,
            kept_bytes: 0,
            claimed_bytes: 0,
            is_verified: true,
            is_durable: None,
            names: Names::None,
            settled_bytes: (0, 0),
        }
    }

    /// Over how many connections blocks may come.
    pub(super) fn streams(&self) -> u16 {
        self.streams
    }

    /// Whether nothing more comes, and every result was given.
    pub(super) fn is_over(&self) -> bool {
        self.has_finished && self.open.is_empty()
    }

    /// The one name, right below the receiver's folder, under which all is that arrived or was there. The sender's word for
    /// its tree is no path; this is one, as each item's was looked at.
    pub(super) fn only_name(&self) -> Option<&Path> {
        match &self.names {
            Names::One(name) => Some(Path::new(OsStr::from_bytes(name))),
            Names::None | Names::Several => None,
        }
    }

    /// An item is offered by a message of so many bytes. What is to be done, or nothing where it has its result by now.
    pub(super) fn offer(&mut self, number: u32, entry: Entry, bytes: usize) -> Result<Option<Task>, Error> {
        if number != self.next || self.has_finished {
            return Err(Error::Protocol(format!("item {number} is offered out of turn")));
        }
        self.spend(bytes)?;
        if number > self.credit.items {
            return Err(Error::Protocol(format!(
                "item {number} is offered, and credit was given up to {}",
                self.credit.items
            )));
        }
        self.next += 1;
        self.items.known += 1;
        self.items.offered_bytes += bytes as u64;
        let path = match RelativePath::new(entry.path) {
            Ok(path) => path,
            Err(fault) => {
                // What is refused has no path that could be kept.
                self.refuse(number, format!("item {number}"), fault.to_string());
                return Ok(None);
            }
        };
        let (kind, file, what) = match entry.what {
            EntryKind::Folder => {
                let what = OpenKind::Folder {
                    unsettled: 0,
                    has_end: false,
                };
                (ItemKind::Folder, None, what)
            }
            EntryKind::Link { target } => {
                if let Err(fault) = path.check_target(&target) {
                    let to = format!("{} -> {}", path.display(), shown_bytes(&target));
                    self.refuse(number, to, fault.to_string());
                    return Ok(None);
                }
                (ItemKind::Link { target }, None, OpenKind::Link)
            }
            EntryKind::File {
                bytes,
                grain,
                checksum,
                is_sparse,
                content,
            } => {
                self.is_verified &= checksum != ChecksumKind::None;
                let blocks = FileBlocks {
                    is_sparse,
                    grain,
                    checksum,
                };
                let facts = FileFacts { blocks, content };
                let coming = ComingFile::new(bytes, grain, checksum, self.streams);
                (ItemKind::File { bytes }, Some(facts), OpenKind::File(coming))
            }
        };
        let folder = self.expect_in_folder(&path)?;
        if kind == ItemKind::Folder {
            self.folders.insert(path.as_bytes().to_vec(), number);
        }
        let item = TreeItem {
            path: path.clone(),
            kind,
            mode: entry.mode,
            mtime: entry.mtime,
        };
        self.open.insert(number, OpenItem { path, folder, what });
        Ok(Some(Task::Offer {
            number,
            item,
            file,
            data: None,
        }))
    }

    /// Whether there is room for what is to be done. A file for which there is none has its result by then.
    pub(super) fn is_admitted(&mut self, task: &Task, applicant: &mut Option<Applicant>) -> bool {
        let (Task::Offer { number, item, .. }, Some(applicant)) = (task, applicant) else {
            return true;
        };
        let ItemKind::File { bytes } = item.kind else {
            return true;
        };
        let Err(error) = applicant.add(bytes) else { return true };
        self.close(*number);
        self.refuse(*number, item.path.display(), error.for_peer());
        false
    }

    /// Bytes of files that were kept, and of files that were not, since this was asked last.
    pub(super) fn take_settled_bytes(&mut self) -> (u64, u64) {
        std::mem::take(&mut self.settled_bytes)
    }

    /// A block has come. What is to be done with it; nothing where its item has its result.
    pub(super) fn block(&mut self, block: TreeBlock) -> Result<Option<Task>, Error> {
        let number = block.item;
        if number >= self.next {
            return Err(Error::Protocol(format!(
                "a block of item {number}, which was not offered"
            )));
        }
        let Some(OpenItem { what, .. }) = self.open.get_mut(&number) else {
            // It was sent ahead, or was on its way when its item failed. Where it was not ahead, too much credit is given.
            self.ahead_bytes += (block.data.len() + BLOCK_OVERHEAD_BYTES) as u64;
            return Ok(None);
        };
        let OpenKind::File(file) = what else {
            return Err(Error::Protocol(format!("a block of item {number}, which is no file")));
        };
        if let Some(current) = self.current.filter(|current| *current != number) {
            return Err(Error::Protocol(format!(
                "a block of item {number} before the end of item {current}"
            )));
        }
        let is_ahead = !file.is_wanted;
        let task = take_block(file, block, &mut self.due, &mut self.begun)?;
        self.current = file.is_open().then_some(number);
        if is_ahead {
            let bytes = task.bytes() + BLOCK_OVERHEAD_BYTES;
            self.spend(bytes)?;
        }
        self.moved(number, task.bytes());
        Ok(Some(task))
    }

    /// A block has come over a further connection. What is to be done with it; nothing where its item has its result.
    pub(super) fn joined_block(&mut self, block: TreeBlock) -> Result<Option<Task>, Error> {
        let number = block.item;
        let file = match self.open.get_mut(&number).map(|open| &mut open.what) {
            Some(OpenKind::File(file)) if file.is_wanted && !block.ends => file,
            None if number < self.next => return Ok(None),
            _ => {
                return Err(Error::Protocol(format!(
                    "a block of item {number} over a further connection, which does not wait for that"
                )));
            }
        };
        let task = take_block(file, block, &mut self.due, &mut self.begun)?;
        self.moved(number, task.bytes());
        Ok(Some(task))
    }

    /// So many bytes of a file have come.
    fn moved(&mut self, number: u32, bytes: usize) {
        self.bytes += bytes as u64;
        if self.moving.replace(number) != Some(number) {
            self.items.moving = self.open.get(&number).map(|open| open.path.display());
        }
    }

    /// The sender has sent all of an item, and has looked again.
    pub(super) fn end(
        &mut self,
        number: u32,
        bytes: u64,
        checksum: Option<u64>,
        kept_bytes: u64,
    ) -> Result<Option<Task>, Error> {
        if number >= self.next {
            return Err(Error::Protocol(format!(
                "an end of item {number}, which was not offered"
            )));
        }
        match self.open.get_mut(&number).map(|open| &mut open.what) {
            None => Ok(None),
            Some(OpenKind::Folder { unsettled, has_end }) => {
                if std::mem::replace(has_end, true) {
                    return Err(Error::Protocol(format!("a second end of item {number}")));
                }
                if (bytes, checksum, kept_bytes) != (0, None, 0) {
                    return Err(Error::Protocol(format!(
                        "an end of item {number}, a folder, that speaks of bytes"
                    )));
                }
                // What is in it may still be on its way to the disk.
                Ok((*unsettled == 0).then_some(Task::EndFolder { number }))
            }
            Some(OpenKind::Link) => Err(Error::Protocol(format!("an end of item {number}, which is a link"))),
            Some(OpenKind::File(file)) => {
                let task = file.end(number, bytes, checksum, kept_bytes)?;
                count_begun(&mut self.begun, file)?;
                self.kept_bytes += kept_bytes;
                self.is_past(number);
                Ok(task)
            }
        }
    }

    /// The sender has dropped a file in place of its end.
    pub(super) fn drop_item(&mut self, number: u32) -> Result<Option<Task>, Error> {
        let fault = match self.open.get(&number).map(|open| &open.what) {
            None if number < self.next => return Ok(None),
            None => "which was not offered",
            Some(OpenKind::File(file)) if file.is_open() => {
                self.is_past(number);
                return Ok(Some(Task::Abandon { number }));
            }
            Some(OpenKind::File(_)) => "which has had its end",
            Some(OpenKind::Folder { .. } | OpenKind::Link) => "which is no file",
        };
        Err(Error::Protocol(format!("a drop of item {number}, {fault}")))
    }

    /// Nothing more is offered.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.has_finished, true) {
            return Err(Error::Protocol("a second finish".into()));
        }
        self.items.are_all_known = true;
        Ok(())
    }

    /// What the disk has done with an item. What is to be said at once.
    ///
    /// # Errors
    /// A mistake of ours: the file has no such blocks.
    pub(super) fn answer(&mut self, number: u32, answer: Answer, out: &mut Vec<u8>) -> Result<(), Error> {
        let outcome = match answer {
            Answer::Wanted(resumed) => {
                if let Some(OpenItem {
                    what: OpenKind::File(file),
                    ..
                }) = self.open.get_mut(&number)
                {
                    file.is_wanted = true;
                    // Of what has come by now nobody waits for that.
                    if !file.is_whole {
                        let item = number;
                        let (handoff, grain) = (false, resumed.as_ref().map(|resumed| resumed.grain));
                        if let Some(resumed) = resumed {
                            for claims in BlockClaims::of(&resumed.blocks) {
                                Message::Claim { item, claims }.encode(out);
                            }
                            self.claimed_bytes += file.resume(resumed)?;
                        }
                        Message::Accept { item, handoff, grain }.encode(out);
                    }
                }
                return Ok(());
            }
            Answer::Settled(outcome) => Some(outcome),
            Answer::Withdrawn => None,
        };
        // A file that failed can be dropped as well, and has one result.
        let Some(open) = self.close(number) else { return Ok(()) };
        self.is_past(number);
        if let OpenKind::File(file) = &open.what {
            match outcome {
                Some(Outcome::Stored { durable }) => {
                    self.settled_bytes.0 += file.bytes;
                    self.is_durable = self.is_durable.into_iter().chain(durable).reduce(|all, one| all && one);
                }
                _ => self.settled_bytes.1 += file.bytes,
            }
        }
        if matches!(outcome, Some(Outcome::Stored { .. } | Outcome::Had)) {
            self.names.add(&open.path);
        }
        let (status, is_durable, reason) = match outcome {
            None => {
                self.items.known -= 1;
                (Status::Withdrawn, false, None)
            }
            Some(Outcome::Stored { durable }) => {
                self.items.stored += 1;
                (Status::Stored, durable == Some(true), None)
            }
            Some(Outcome::Had) => {
                self.items.had += 1;
                (Status::Had, false, None)
            }
            Some(Outcome::Refused(refusal)) => (Status::Refused, false, Some(refusal.to_string())),
            Some(Outcome::Failed(reason)) => (Status::Failed, false, Some(reason.to_string())),
        };
        if let Some(reason) = &reason {
            self.items.fail(open.path.display(), reason.clone());
        }
        self.say(number, status, is_durable, reason);
        Ok(())
    }

    /// What is to be done beside what was said at once: behind it.
    pub(super) fn take_due(&mut self) -> impl Iterator<Item = Task> + use<> {
        let due = std::mem::take(&mut self.due);
        due.into_iter().map(|due| match due {
            Due::Publish(number) => Task::Publish { number },
            Due::EndFolder(number) => Task::EndFolder { number },
        })
    }

    /// Says the results that there are by now.
    pub(super) fn say_results(&mut self, out: &mut Vec<u8>) {
        for result in self.results.drain(..) {
            Message::Result(result).encode(out);
        }
    }

    /// New credit, where there is enough of it, or a first one.
    pub(super) fn give_credit(&mut self, out: &mut Vec<u8>) {
        let credit = Credit {
            items: self.settled.saturating_add(AHEAD.items),
            bytes: self.ahead_bytes.saturating_add(AHEAD.bytes),
        };
        let is_due =
            credit.items - self.credit.items >= CREDIT_STEP || credit.bytes - self.credit.bytes >= AHEAD.bytes / 8;
        if is_due {
            self.credit = credit;
            Message::Credit(credit).encode(out);
        }
    }

    /// One more item of a folder has no result yet; which folder, where it was offered and has none itself.
    fn expect_in_folder(&mut self, path: &RelativePath) -> Result<Option<u32>, Error> {
        let folder = path.parent_bytes().and_then(|parent| self.folders.get(parent)).copied();
        let what = folder
            .and_then(|folder| self.open.get_mut(&folder))
            .map(|open| &mut open.what);
        if let Some(OpenKind::Folder { unsettled, has_end }) = what {
            if *has_end {
                return Err(Error::Protocol(format!(
                    "{} is offered after the end of its folder",
                    path.display()
                )));
            }
            *unsettled += 1;
        }
        Ok(folder)
    }

    /// An item gets its result: nothing waits for it any more.
    fn close(&mut self, number: u32) -> Option<OpenItem> {
        let item = self.open.remove(&number)?;
        if let OpenKind::File(file) = &item.what {
            self.begun -= usize::from(file.has_begun);
        }
        if let OpenKind::Folder { .. } = item.what
            && self.folders.get(item.path.as_bytes()) == Some(&number)
        {
            self.folders.remove(item.path.as_bytes());
        }
        if let Some(folder) = item.folder
            && let Some(OpenItem {
                what: OpenKind::Folder { unsettled, has_end },
                ..
            }) = self.open.get_mut(&folder)
        {
            *unsettled -= 1;
            if *unsettled == 0 && *has_end {
                self.due.push(Due::EndFolder(folder));
            }
        }
        Some(item)
    }

    /// No more of an item is to come: blocks of another file may.
    fn is_past(&mut self, number: u32) {
        self.current = self.current.filter(|current| *current != number);
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        self.ahead_bytes += bytes as u64;
        if self.ahead_bytes > self.credit.bytes {
            return Err(Error::Protocol(format!(
                "{} bytes were sent ahead, and credit was given for {}",
                self.ahead_bytes, self.credit.bytes
            )));
        }
        Ok(())
    }

    fn refuse(&mut self, number: u32, path: String, reason: String) {
        self.items.fail(path, reason.clone());
        self.say(number, Status::Refused, false, Some(reason));
    }

    /// Gives an item its result. Equal ones of neighbours are said as one.
    fn say(&mut self, item: u32, status: Status, is_durable: bool, reason: Option<String>) {
        self.settled += 1;
        let joins = self.results.last_mut().filter(|run| {
            let follows = run.item.checked_add(run.count) == Some(item);
            follows && run.status == status && run.is_durable == is_durable && run.reason.is_none() && reason.is_none()
        });
        if let Some(run) = joins {
            run.count += 1;
            return;
        }
        self.results.push(ItemResult {
            item,
            count: 1,
            status,
            is_durable,
            bytes: None,
            checksum: None,
            reason,
        });
    }
}

/// Takes a block of a file, over whichever connection it came.
fn take_block(file: &mut ComingFile, block: TreeBlock, due: &mut Vec<Due>, begun: &mut usize) -> Result<Task, Error> {
    let number = block.item;
    let task = file.take(block)?;
    if file.publish(number)?.is_some() {
        due.push(Due::Publish(number));
    }
    count_begun(begun, file)?;
    Ok(task)
}

/// Counts a file from its first block on until all of it has come.
fn count_begun(begun: &mut usize, file: &mut ComingFile) -> Result<(), Error> {
    let has_begun = !file.is_whole;
    match (std::mem::replace(&mut file.has_begun, has_begun), has_begun) {
        (false, true) => *begun += 1,
        (true, false) => *begun -= 1,
        _ => {}
    }
    if *begun > BEGUN_MAX {
        return Err(Error::Protocol(format!(
            "blocks of more than {BEGUN_MAX} files that are not whole"
        )));
    }
    Ok(())
}

impl Names {
    fn add(&mut self, path: &RelativePath) {
        let name = path.as_bytes().split(|byte| *byte == b'/').next().unwrap_or_default();
        match self {
            Self::None => *self = Self::One(name.to_vec()),
            Self::One(one) if one == name => {}
            Self::One(_) => *self = Self::Several,
            Self::Several => {}
        }
    }
}
