//! Offers what a walk comes to, as far as there is credit for it, and once more what has changed meanwhile.

use std::time::Instant;

use crate::transfer::source::walk::{self, Step};
use crate::transfer::tell::event::State;
use crate::transfer::tree::path::shown_bytes;
use crate::wire::Grain;
use crate::wire::native::{Entry, EntryKind, Message};

use super::file;
use super::outgoing::Again;
use super::walker::NextStep;
use super::{Pause, Phase, TreeSender};

/// More than any offer of an entry has: two paths and some numbers.
pub(super) const OFFER_BYTES_MAX: u64 = 16 << 10;

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
                if self.is_settled() {
                    self.phase = Phase::AwaitSummary;
                    self.events.state(State::Verifying);
                }
                return Some(Pause::ForReceiver);
            }
        };
        let at_once = match &step {
            Step::File(entry) if self.sends_at_once(entry.bytes) => entry.bytes,
            _ => 0,
        };
        if !matches!(step, Step::FolderEnd(_) | Step::Failed { .. }) {
            if !self.outgoing.may_offer(OFFER_BYTES_MAX + at_once) {
                self.waiting = Some((step, content));
                return Some(Pause::ForReceiver);
            }
            if at_once > 0
                && let Err((then, rest)) = self.throttle.allow(limit, None, at_once, now)
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
            Step::File(entry) => self.offer_file(&entry, content),
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

    fn offer_file(&mut self, entry: &walk::Entry, content: Option<u64>) {
        let item = self.outgoing.offer_file(entry.clone());
        self.say_offer(item, entry, self.file_kind(entry, content));
        if self.sends_at_once(entry.bytes) {
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
