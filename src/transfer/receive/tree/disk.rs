//! What a disk does for a tree that is received: it decides on what is offered, and keeps what comes. It waits for the
//! disk, and so is done by a disk's thread, in pieces.

use std::collections::HashMap;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::checksum::{Checksum, ChecksumKind, Digest};
use crate::error::{Error, reason};
use crate::transfer::sink::tree::{
    Decision, ItemKind, Outcome, Seen, SmallFile, TreeItem, TreePart, TreePolicy, TreeSink,
};

/// A page: a hole is at least as long.
const PAGE_BYTES: usize = 4096;
/// Blocks of a file that is there, as they are read to be compared.
const COMPARED_BYTES: u64 = 1 << 20;
/// Files that are stored together have so many bytes at most.
const BATCH_BYTES: usize = 64 << 20;
/// And there are so many of them.
const BATCH_FILES: usize = 1000;

/// A folder that a tree goes into, and the items that are on their way into it.
pub(super) struct TreeDisk {
    sink: TreeSink,
    /// Files that are wanted, and of which nothing has come.
    wanted: HashMap<u32, Wanted>,
    parts: HashMap<u32, GrowingPart>,
    folders: HashMap<u32, TreeItem>,
}

struct Wanted {
    item: TreeItem,
    is_sparse: bool,
    replaces: Option<Seen>,
}

struct GrowingPart {
    part: TreePart,
    is_sparse: bool,
}

/// What a file is, beside what is offered of every item.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileFacts {
    pub(super) is_sparse: bool,
    pub(super) kind: ChecksumKind,
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
    Block { number: u32, at: u64, data: Vec<u8> },
    /// All of a file is written.
    Publish { number: u32 },
    /// All in a folder is settled.
    EndFolder { number: u32 },
    /// The sender has dropped it.
    Abandon { number: u32 },
}

/// What came of it.
pub(super) enum Answer {
    /// It is wanted.
    Wanted,
    Settled(Outcome),
    /// The sender dropped it, and nothing of it is left.
    Withdrawn,
}

impl Task {
    /// The bytes of files in it.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Offer { data, .. } => data.as_ref().map_or(0, Vec::len),
            Self::Whole { data, .. } | Self::Block { data, .. } => data.len(),
            Self::Publish { .. } | Self::EndFolder { .. } | Self::Abandon { .. } => 0,
        }
    }

    /// The memory that it holds, without an item's names, which are paid for with credit.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.bytes()
    }
}

impl TreeDisk {
    /// Opens the folder.
    ///
    /// # Errors
    /// It cannot be opened, or is no folder.
    pub(super) fn open(root: &Path, policy: TreePolicy) -> Result<Self, Error> {
        let sink = TreeSink::open(root, policy).map_err(|error| Error::SinkUnwritable {
            path: root.into(),
            reason: reason(&error),
        })?;
        Ok(Self {
            sink,
            wanted: HashMap::new(),
            parts: HashMap::new(),
            folders: HashMap::new(),
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
                Task::Block { number, at, data } => answers.extend(self.write(number, at, &data)),
                Task::Publish { number } => {
                    if let Some(growing) = self.parts.remove(&number) {
                        answers.push((number, Answer::Settled(self.sink.publish(growing.part))));
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
                    self.parts.remove(&number);
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
        let is_sparse = facts.is_sparse;
        self.wanted.insert(
            number,
            Wanted {
                item,
                is_sparse,
                replaces,
            },
        );
        Some(Answer::Wanted)
    }

    /// Decides on a file, by its bytes where that is asked for and the sender has said what they are.
    fn compared(&mut self, item: &TreeItem, facts: FileFacts) -> Decision {
        let decision = self.sink.decide(item);
        let (Decision::Compare(seen), Some(content)) = (&decision, facts.content) else {
            return decision;
        };
        let seen = *seen;
        let blocks = match self.sink.block_checksums(item, seen, facts.kind, COMPARED_BYTES) {
            Ok(blocks) => blocks,
            Err(Outcome::Refused(refusal)) => return Decision::Refused(refusal),
            Err(Outcome::Failed(reason)) => return Decision::Failed(reason),
            Err(_) => return Decision::Make,
        };
        let mut whole = Digest::new(facts.kind).checksum();
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
    fn write(&mut self, number: u32, at: u64, data: &[u8]) -> Option<(u32, Answer)> {
        if let Some(wanted) = self.wanted.remove(&number) {
            let is_sparse = wanted.is_sparse;
            match self.sink.begin_file(wanted.item, is_sparse, wanted.replaces) {
                Ok(part) => {
                    self.parts.insert(number, GrowingPart { part, is_sparse });
                }
                Err(outcome) => return Some((number, Answer::Settled(outcome))),
            }
        }
        // One that failed goes on to come for a moment.
        let growing = self.parts.get(&number)?;
        let outcome = match self.sink.may_grow(&growing.part, data.len() as u64) {
            Ok(()) => Outcome::Failed(reason(&growing.write(at, data).err()?)),
            Err(outcome) => outcome,
        };
        self.parts.remove(&number);
        Some((number, Answer::Settled(outcome)))
    }
}

impl GrowingPart {
    fn write(&self, at: u64, data: &[u8]) -> std::io::Result<()> {
        if self.is_sparse {
            return write_without_holes(&self.part, at, data);
        }
        self.part.file().write_all_at(data, at)
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

/// Writes what is no page of zeros: those are holes in a part that is new.
fn write_without_holes(part: &TreePart, at: u64, data: &[u8]) -> std::io::Result<()> {
    let mut from = 0;
    for (number, page) in data.chunks(PAGE_BYTES).enumerate() {
        let (begin, end) = (number * PAGE_BYTES, number * PAGE_BYTES + page.len());
        if page.iter().all(|byte| *byte == 0) {
            part.file().write_all_at(&data[from..begin], at + from as u64)?;
            from = end;
        }
    }
    part.file().write_all_at(&data[from..], at + from as u64)
}
