//! What a disk does for a tree that is received: it decides on what is offered, and keeps what comes. It waits for the
//! disk, and so is done by a disk's thread, in pieces.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::checksum::{Checksum, Digest};
use crate::error::{Error, reason};
use crate::transfer::sink::Resumed;
use crate::transfer::sink::tree::{
    Decision, FileBlock, FileBlocks, ItemKind, Outcome, Seen, SmallFile, TreeItem, TreePart, TreePolicy, TreeSink,
};

/// Blocks of a file that is there, as they are read to be compared.
const COMPARED_BYTES: u64 = 1 << 20;
/// Files that are stored together have so many bytes at most.
const BATCH_BYTES: usize = 64 << 20;
/// And there are so many of them.
const BATCH_FILES: usize = 1000;
/// So many parts are open at once that files go on with: offers run ahead, and each takes two descriptors.
const RESUMED_MAX: usize = 64;

/// A folder that a tree goes into, and the items that are on their way into it.
pub(super) struct TreeDisk {
    /// Files that are wanted, and of which nothing has come.
    wanted: HashMap<u32, Wanted>,
    parts: HashMap<u32, TreePart>,
    folders: HashMap<u32, TreeItem>,
    /// Nobody wants to go on with what is half received.
    is_unwanted: Arc<AtomicBool>,
    /// The last to go: then it closes the folders that were opened for what is above.
    sink: TreeSink,
}

struct Wanted {
    item: TreeItem,
    blocks: FileBlocks,
    replaces: Option<Seen>,
}

/// What a file is, beside what is offered of every item.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileFacts {
    pub(super) blocks: FileBlocks,
    /// The checksum of the whole, where the sender has taken it before.
    pub(super) content: Option<u64>,
}

/// What is to be done.
pub(super) enum Task {
    /// Decide, and make folders and links.
    Offer {
        number: u32,
        item: TreeItem,
        /// Of a file.
        file: Option<FileFacts>,
        /// The whole file, where it came with its offer.
        data: Option<Vec<u8>>,
    },
    /// Store a file that was wanted.
    Whole { number: u32, data: Vec<u8> },
    /// Write a part of a file that was wanted.
    Block { number: u32, block: FileBlock },
    /// All of a file is written.
    Publish { number: u32 },
    /// All in a folder is settled, and nothing more in it comes.
    EndFolder { number: u32 },
    /// The sender has dropped it.
    Abandon { number: u32 },
}

/// What came of it.
pub(super) enum Answer {
    /// It is wanted, but for what is there from before.
    Wanted(Option<Resumed>),
    Settled(Outcome),
    /// The sender dropped it, and nothing of it is left.
    Withdrawn,
}

impl Task {
    /// The bytes of files in it.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Offer { data, .. } => data.as_ref().map_or(0, Vec::len),
            Self::Whole { data, .. } => data.len(),
            Self::Block { block, .. } => block.data.len(),
            Self::Publish { .. } | Self::EndFolder { .. } | Self::Abandon { .. } => 0,
        }
    }

    /// The memory that it holds, without an item's names, which are paid for with credit.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.bytes()
    }
}

impl TreeDisk {
    /// Opens the folder. What is half received when this is dropped stays, unless it `is_unwanted` by then.
    ///
    /// # Errors
    /// It cannot be opened, or is no folder.
    pub(super) fn open(root: &Path, policy: TreePolicy, is_unwanted: Arc<AtomicBool>) -> Result<Self, Error> {
        let sink = TreeSink::open(root, policy).map_err(|error| Error::SinkUnwritable {
            path: root.into(),
            reason: reason(&error),
        })?;
        Ok(Self {
            sink,
            wanted: HashMap::new(),
            parts: HashMap::new(),
            folders: HashMap::new(),
            is_unwanted,
        })
    }

    /// Whether nothing is there under this name.
    pub(super) fn is_fresh(root: &Path, name: &str) -> bool {
        !name.is_empty() && !name.contains('/') && root.join(name).symlink_metadata().is_err()
    }

    /// Does it all, in order, but for small files, which are stored together.
    pub(super) fn run(&mut self, tasks: Vec<Task>) -> Vec<(u32, Answer)> {
        let (mut answers, mut batch) = (Vec::new(), Batch::default());
        for task in tasks {
            match task {
                Task::Offer {
                    number,
                    item,
                    file: Some(facts),
                    data,
                } => {
                    if let Some(answer) = self.decide(number, item, facts, data, &mut batch) {
                        answers.push((number, answer));
                    }
                }
                Task::Offer { number, item, .. } => answers.extend(self.make(number, item)),
                Task::Whole { number, data } => {
                    if let Some(Wanted { item, replaces, .. }) = self.wanted.remove(&number) {
                        batch.add(number, SmallFile { item, data, replaces });
                    }
                }
                Task::Block { number, block } => answers.extend(self.write(number, &block)),
                Task::Publish { number } => {
                    if let Some(part) = self.parts.remove(&number) {
                        answers.push((number, Answer::Settled(self.sink.publish(part))));
                    }
                }
                Task::EndFolder { number } => {
                    if let Some(item) = self.folders.remove(&number) {
                        let outcome = self.sink.finish_folder(&item.path, item.mode, item.mtime);
                        answers.push((number, Answer::Settled(outcome)));
                    }
                }
                Task::Abandon { number } => {
                    self.wanted.remove(&number);
                    self.discard(number);
                    answers.push((number, Answer::Withdrawn));
                }
            }
            if batch.is_full() {
                self.store(&mut batch, &mut answers);
            }
        }
        self.store(&mut batch, &mut answers);
        answers
    }

    /// Everything is there: puts on disk what is not yet.
    ///
    /// # Errors
    /// The system could not.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        self.sink.sync().map_err(|reason| Error::System {
            doing: "what was received is perhaps not on disk",
            reason,
        })
    }

    fn store(&mut self, batch: &mut Batch, answers: &mut Vec<(u32, Answer)>) {
        let Batch { numbers, files, .. } = std::mem::take(batch);
        if files.is_empty() {
            return;
        }
        let outcomes = self.sink.store_batch(&files);
        let outcomes = outcomes.into_iter().map(Answer::Settled);
        answers.extend(numbers.into_iter().zip(outcomes));
    }

    /// Decides on a file. What came with its offer is stored with the others.
    fn decide(
        &mut self,
        number: u32,
        item: TreeItem,
        facts: FileFacts,
        data: Option<Vec<u8>>,
        batch: &mut Batch,
    ) -> Option<Answer> {
        let replaces = match self.compared(&item, facts) {
            Decision::Had => return Some(Answer::Settled(Outcome::Had)),
            Decision::Refused(refusal) => return Some(Answer::Settled(Outcome::Refused(refusal))),
            Decision::Failed(reason) => return Some(Answer::Settled(Outcome::Failed(reason))),
            Decision::Make | Decision::Compare(_) => None,
            Decision::Replace(seen) => Some(seen),
        };
        if let Some(data) = data {
            batch.add(number, SmallFile { item, data, replaces });
            return None;
        }
        let blocks = facts.blocks;
        if self.parts.len() < RESUMED_MAX {
            match self.sink.resume_file(&item, blocks, replaces) {
                Ok(Some((part, resumed))) => {
                    self.parts.insert(number, part);
                    return Some(Answer::Wanted(Some(resumed)));
                }
                Ok(None) => {}
                Err(outcome) => return Some(Answer::Settled(outcome)),
            }
        }
        let wanted = Wanted { item, blocks, replaces };
        self.wanted.insert(number, wanted);
        Some(Answer::Wanted(None))
    }

    /// Decides on a file, by its bytes where that is asked for and the sender has said what they are.
    fn compared(&mut self, item: &TreeItem, facts: FileFacts) -> Decision {
        let decision = self.sink.decide(item);
        let (Decision::Compare(seen), Some(content)) = (&decision, facts.content) else {
            return decision;
        };
        let seen = *seen;
        let blocks = match self
            .sink
            .block_checksums(item, seen, facts.blocks.checksum, COMPARED_BYTES)
        {
            Ok(blocks) => blocks,
            Err(Outcome::Refused(refusal)) => return Decision::Refused(refusal),
            Err(Outcome::Failed(reason)) => return Decision::Failed(reason),
            Err(_) => return Decision::Make,
        };
        let mut whole = Digest::new(facts.blocks.checksum).checksum();
        for block in blocks {
            match block {
                Ok(block) => whole = whole.map(|whole| whole.followed_by(block)),
                Err(error) => return Decision::Failed(reason(&error)),
            }
        }
        let is_equal = whole.map(Checksum::value) == Some(content);
        self.sink.decide_compared(item, seen, is_equal)
    }

    /// Makes a folder or a link.
    fn make(&mut self, number: u32, item: TreeItem) -> Option<(u32, Answer)> {
        if item.kind != ItemKind::Folder {
            return Some((number, Answer::Settled(self.sink.make_link(&item))));
        }
        match self.sink.make_folder(&item) {
            // It has its result when all in it has.
            Outcome::Stored { .. } | Outcome::Had => {
                self.folders.insert(number, item);
                None
            }
            outcome => Some((number, Answer::Settled(outcome))),
        }
    }

    /// Writes a part of a file. Says so only where that went wrong.
    fn write(&mut self, number: u32, block: &FileBlock) -> Option<(u32, Answer)> {
        if let Some(wanted) = self.wanted.remove(&number) {
            match self.sink.begin_file(wanted.item, wanted.blocks, wanted.replaces) {
                Ok(part) => {
                    self.parts.insert(number, part);
                }
                Err(outcome) => return Some((number, Answer::Settled(outcome))),
            }
        }
        // One that failed goes on to come for a moment.
        let part = self.parts.get_mut(&number)?;
        let may_grow = self.sink.may_grow(part, block.data.len() as u64);
        let outcome = may_grow.and_then(|()| part.write(block)).err()?;
        self.discard(number);
        Some((number, Answer::Settled(outcome)))
    }

    /// Nobody goes on with a part: its file was dropped, or has failed, and makes room for the others.
    fn discard(&mut self, number: u32) {
        if let Some(part) = self.parts.remove(&number) {
            part.discard();
        }
    }
}

impl Drop for TreeDisk {
    fn drop(&mut self) {
        if self.is_unwanted.load(Ordering::SeqCst) {
            self.parts.drain().for_each(|(_, part)| part.discard());
        }
    }
}

/// The bits that the system takes from the mode of each new file. `proc_pid_status(5)`; `umask(2)` itself could only be
/// read by setting it.
pub(super) fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|octal| u32::from_str_radix(octal.trim(), 8).ok())
        .unwrap_or(0o022)
}

/// Small files that are stored together.
#[derive(Default)]
struct Batch {
    numbers: Vec<u32>,
    files: Vec<SmallFile>,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, number: u32, file: SmallFile) {
        self.bytes += file.data.len();
        self.numbers.push(number);
        self.files.push(file);
    }

    fn is_full(&self) -> bool {
        self.files.len() >= BATCH_FILES || self.bytes >= BATCH_BYTES
    }
}
