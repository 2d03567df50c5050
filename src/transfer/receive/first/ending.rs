//! The end of a transfer's first connection: the array gets its place, and its sender is told.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::error::Error;
use crate::sys::{Interest, awake_now};
use crate::telemetry::Rest;
use crate::transfer::machine::drive::Progress;
use crate::transfer::receive::link::{Input, Link, Receiving};
use crate::transfer::sink::Published;
use crate::transfer::tell::event::{Finished, State};

use super::{FirstReceiver, Kept, Phase};

/// The last word and a few keep-alives.
const LAST_WORD_BYTES: usize = 256;

impl FirstReceiver {
    /// Every byte has come: gives the array its place, once it is on disk where it has to be.
    pub(super) fn publish(&mut self, now: Instant) -> Result<Progress, Error> {
        self.link.wire.check_whole()?;
        let over = Phase::Joined { lingers: false };
        let receiving = match std::mem::replace(&mut self.phase, over) {
            Phase::Receiving(receiving) => receiving,
            other => {
                self.phase = other;
                return Err(Error::Bug("an end before an offer".into()));
            }
        };
        let array = Arc::clone(&receiving.array);
        self.link.events.state(State::Verifying);
        let surplus = if self.link.wire.ends_with_data() {
            self.link.surplus()
        } else {
            None
        };
        if array.sink.is_in_file() {
            self.link.put_off_keep_alive(now);
            // Further connections wait for the disk, too.
            array
                .is_being_synced
                .store(array.sink.has_to_be_synced(), Ordering::SeqCst);
            if receiving.streams > 1 {
                self.link.controls.wake();
            }
            self.phase = Phase::Publishing {
                receiving,
                publication: self.link.publishing.publish(&array),
                surplus,
            };
            return Ok(Progress::Moved);
        }
        match array.sink.publish() {
            Ok(published) => {
                self.published(receiving, published, surplus);
                Ok(Progress::Moved)
            }
            Err(error) => {
                self.phase = Phase::Receiving(receiving);
                Err(error)
            }
        }
    }

    /// Waits for the disk, while the sender hears that it is not forgotten.
    pub(super) fn await_publication(&mut self, now: Instant) -> Result<Progress, Error> {
        let Phase::Publishing {
            publication, receiving, ..
        } = &self.phase
        else {
            return Err(Error::Bug("a disk is waited for without an array".into()));
        };
        let Some(result) = publication.result() else {
            let is_synced = receiving.array.sink.has_to_be_synced();
            let rest = if is_synced { Rest::Sync } else { Rest::Disk };
            return Ok(self.link.wait_for_disk(now, rest));
        };
        let published = result?;
        let over = Phase::Joined { lingers: false };
        if let Phase::Publishing { receiving, surplus, .. } = std::mem::replace(&mut self.phase, over) {
            self.published(receiving, published, surplus);
        }
        Ok(Progress::Moved)
    }

    /// The array has its place.
    fn published(&mut self, receiving: Receiving, published: Published, surplus: Option<String>) {
        let array = Arc::clone(&receiving.array);
        array.is_published.store(true, Ordering::SeqCst);
        if let Some(applicant) = &mut self.applicant {
            applicant.is_whole();
        }
        if let (Some(cell), Some(meta)) = (&self.plan.keep, self.meta.take()) {
            cell.put(meta, Arc::clone(&array));
        }
        if receiving.streams > 1 {
            // Further connections wait for it.
            self.link.controls.wake();
        }
        let ledger = &array.sink.ledger;
        let bytes = (ledger.landed_bytes(), ledger.recorded_bytes());
        let notes = [published.note.clone(), surplus, array.sink.note_on_routes()];
        let notes: Vec<String> = notes.into_iter().flatten().collect();
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        self.conclude(Kept::Sink(receiving), bytes, Published { note, ..published });
    }

    /// The array is where it belongs: says so to the sender.
    /// Of its `bytes` so many were there before.
    pub(super) fn conclude(&mut self, kept: Kept, (bytes, resumed_bytes): (u64, u64), published: Published) {
        let checksum = self.link.wire.verified_checksum();
        let Published {
            path,
            note,
            durable,
            sync,
        } = published;
        let finished = Box::new(Finished {
            bytes,
            resumed_bytes,
            rate_bytes_per_s: self
                .link
                .probe
                .mean_rate(bytes - resumed_bytes, self.link.events.paused_for()),
            verified: checksum.is_some().then_some(true),
            durable,
            sync_s: sync.map(|sync| sync.as_secs_f64()),
            checksum,
            items: None,
            path,
            note,
        });
        let result = self.link.wire.result();
        self.link.outbox.push(&result);
        let until = awake_now() + self.link.options.timeout;
        self.phase = Phase::Confirming { kept, finished, until };
    }

    /// Hears the sender's last word after the result, and answers it. Whatever becomes of that, the array is kept.
    pub(super) fn confirm(&mut self, until: Instant, now: Instant) -> Result<Progress, Error> {
        if !self.link.wire.may_go_on() {
            return self.end_unheard();
        }
        match self.link.hear(
            LAST_WORD_BYTES,
            || Error::ClosedWhile("before its last word"),
            Link::read,
        ) {
            Ok(Input::Nothing) if now < until => Ok(Progress::Wait {
                interest: Interest::READ,
                until: Some(until),
                peer_owes: false,
            }),
            Ok(Input::Bytes) if self.link.wire.may_go_on() => Ok(Progress::Moved),
            Ok(Input::Bytes) => {
                let summary = self.link.wire.summary();
                self.link.outbox.push(&summary);
                Ok(Progress::Moved)
            }
            Ok(Input::Nothing | Input::Message(_)) | Err(_) => self.end_unheard(),
        }
    }

    /// Ends with the array kept; `None` where it is not.
    pub(super) fn finish(&mut self) -> Option<Progress> {
        let over = Phase::Joined { lingers: false };
        match std::mem::replace(&mut self.phase, over) {
            Phase::Confirming { kept, finished, .. } => {
                self.phase = Phase::Over(kept);
                Some(Progress::Done(finished))
            }
            other => {
                self.phase = other;
                None
            }
        }
    }
}
