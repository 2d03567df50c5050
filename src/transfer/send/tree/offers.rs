//! Offers what a walk comes to, as far as there is credit for it, and once more what has changed meanwhile.

use std::time::Instant;

use crate::transfer::source::walk::{self, Step};
use crate::transfer::tell::event::State;
use crate::transfer::tree::path::{RelativePath, shown_bytes};
use crate::wire::Grain;
use crate::wire::native::{BLOCK_OVERHEAD_BYTES, Entry, EntryKind, Message};

use super::file;
use super::outgoing::Again;
use super::walker::NextStep;
use super::{Pause, Phase, TreeSender};

/// More than an offer of an entry has beside its path and its target.
const OFFER_OVERHEAD_BYTES: usize = 128;

/// The bytes of an offer of an entry with that path, at most.
pub(super) fn offer_bytes_most(path: &RelativePath) -> u64 {
    (path.as_bytes().len() + OFFER_OVERHEAD_BYTES) as u64
}

impl TreeSender {
    /// Takes the walk a step further. Says why it cannot.
    pub(super) fn offer_next(&mut self, limit: Option<u64>, now: Instant) -> Option<Pause> {
        let waiting = self.waiting.take().map(|(step, content)| NextStep::Step(step, content));
        let (step, content) = match waiting.unwrap_or_else(|| self.walker.next()) {
            NextStep::Step(step, content) => (step, content),
            NextStep::NotYet => return Some(Pause::ForWalk),
            NextStep::Over => {
                self.outgoing.items.are_all_known = true;
                // A file that has changed when it is its turn is offered once more.
                if !self.has_finished && !self.outgoing.may_offer_again() {
                    self.has_finished = true;
                    Message::Finish.encode(self.outbox.buffer());
                    return None;
                }
                if self.phase == Phase::Moving && self.is_settled() {
                    self.phase = Phase::AwaitSummary;
                    self.events.state(State::Verifying);
                }
                return Some(Pause::ForReceiver);
            }
        };
        let offer_bytes = match &step {
            Step::Folder(entry) | Step::File(entry) => Some(offer_bytes_most(&entry.path)),
            Step::Link { entry, target } => Some(offer_bytes_most(&entry.path) + target.len() as u64),
            Step::FolderEnd(_) | Step::Failed { .. } => None,
        };
        let mut at_once = None;
        if let Some(offer_bytes) = offer_bytes {
            if !self.outgoing.may_offer(offer_bytes) {
                self.waiting = Some((step, content));
                return Some(Pause::ForReceiver);
            }
            // Where there is no credit for its block a file waits for the answer.
            let block_bytes = |bytes| bytes + BLOCK_OVERHEAD_BYTES as u64;
            at_once = match &step {
                Step::File(entry) if self.sends_at_once(entry.bytes) => Some(entry.bytes),
                _ => None,
            };
            at_once = at_once.filter(|bytes| self.outgoing.may_offer(offer_bytes + block_bytes(*bytes)));
            if let Some(at_once) = at_once.filter(|bytes| *bytes > 0)
                && let Err((then, rest)) = self.sending.throttle().allow(limit, None, at_once, now)
            {
                self.waiting = Some((step, content));
                return Some(Pause::Until(then, rest));
            }
        }
        match step {
            Step::Folder(entry) => {
                let item = self.outgoing.offer_folder(entry.path.clone());
                self.say_offer(item, &entry, EntryKind::Folder);
            }
            Step::Link { entry, target } => {
                let item = self.outgoing.offer_link(entry.path.clone());
                self.say_offer(item, &entry, EntryKind::Link { target });
            }
            Step::File(entry) => self.offer_file(&entry, content, at_once.is_some()),
            Step::FolderEnd(_) => self.outgoing.leave_folder(),
            Step::Failed { path, reason } => {
                let path = shown_bytes(&path);
                self.outgoing.fail(path, reason.to_string());
            }
        }
        None
    }

    /// Whether a file of so many bytes goes with its offer.
    fn sends_at_once(&self, bytes: u64) -> bool {
        self.outgoing.is_eager && bytes <= Grain::MIN.bytes()
    }

    fn offer_file(&mut self, entry: &walk::Entry, content: Option<u64>, at_once: bool) {
        let item = self.outgoing.offer_file(entry.clone());
        self.say_offer(item, entry, self.file_kind(entry, content));
        if at_once {
            self.send_small(item);
        }
    }

    /// Offers a file once more that had changed.
    pub(super) fn offer_again(&mut self, again: &Again) {
        match self.reader.look_again(&again.path) {
            Ok(entry) => {
                let item = self.outgoing.offer_again(entry.clone(), again);
                self.say_offer(item, &entry, self.file_kind(&entry, None));
            }
            Err(fault) => self.outgoing.fail_again(again, fault.to_string()),
        }
    }

    fn file_kind(&self, entry: &walk::Entry, content: Option<u64>) -> EntryKind {
        EntryKind::File {
            bytes: entry.bytes,
            grain: file::grain(entry.bytes),
            checksum: self.checksum,
            is_sparse: entry.is_sparse,
            content,
        }
    }

    fn say_offer(&mut self, item: u32, entry: &walk::Entry, what: EntryKind) {
        let entry = Box::new(Entry {
            path: entry.path.as_bytes().to_vec(),
            mode: entry.mode,
            mtime: entry.modified,
            what,
        });
        let out = self.outbox.buffer();
        let before = out.len();
        Message::OfferEntry { item, entry }.encode(out);
        let said = out.len() - before;
        self.outgoing.spend(said);
    }
}
