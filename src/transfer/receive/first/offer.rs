//! Hears what is offered, and decides how and when it is taken.

use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Instant;

use rustix::net::{RecvFlags, recv};

use crate::error::Error;
use crate::ledger::Ledger;
use crate::route::receive::Handed;
use crate::transfer::machine::drive::Progress;
use crate::transfer::plan::{Options, SinkSpec};
use crate::transfer::receive::handoff::{AwaitedHandoff, takes_handoff};
use crate::transfer::receive::link::wait_to_read;
use crate::transfer::receive::tree::TreeReceiving;
use crate::transfer::sink::Published;
use crate::transfer::survey::HANDED_OVER;
use crate::transfer::tell::event::{EventKind, State};
use crate::transfer::tell::preview::Prefix;
use crate::wire::native::TreeRequest;
use crate::wire::{Offer, Want};

use super::preparing::Reply;
use super::{FirstReceiver, Kept, Phase};

impl FirstReceiver {
    /// Hears what is about to come.
    pub(super) fn greet(&mut self, due: Instant, now: Instant) -> Result<Progress, Error> {
        match self.link.wire.want() {
            Want::Control(most) => {
                self.link.events.state(State::Connecting);
                // One byte now and then is no greeting: it does not keep a place for ever.
                if now >= due {
                    return Err(Error::Silent(self.link.options.timeout));
                }
                self.hear(most)
            }
            // Whoever says nothing sends nothing.
            Want::Decision if now < due && !self.link.has_first_byte()? => Ok(wait_to_read(true)),
            Want::Decision if !self.link.has_first_byte()? => Err(Error::Silent(self.link.options.timeout)),
            Want::Decision => {
                // Only the raw wire is here: the others decide as they hear the offer.
                let offer = self.link.wire.known_offer();
                self.consider(offer.ok_or_else(|| Error::Bug("an offer that was not considered".into()))?)?;
                Ok(Progress::Moved)
            }
            Want::Data { .. } | Want::Done => Err(Error::Bug("data before an offer".into())),
        }
    }

    /// Takes what is offered, or waits for room, or fails where it is not what was to come.
    pub(super) fn consider(&mut self, offer: Box<Offer>) -> Result<(), Error> {
        self.link.check_user()?;
        self.link.probe.begin_transfer();
        if let Some(expected) = self.plan.expect.as_ref().filter(|expected| **expected != offer.meta) {
            return Err(Error::BadOffer(format!("expected {expected}, got {}", offer.meta)));
        }
        if self.has_room_for(&offer)? {
            return self.accept(offer);
        }
        self.phase = Phase::Applying(offer);
        Ok(())
    }

    /// Takes a tree, or fails where none was to come.
    pub(super) fn consider_tree(&mut self, request: TreeRequest) -> Result<(), Error> {
        self.link.check_user()?;
        self.link.probe.begin_transfer();
        if let Some(expected) = &self.plan.expect {
            return Err(Error::BadOffer(format!("expected {expected}, got a tree of files")));
        }
        let SinkSpec::Folder(root) = &self.plan.sink else {
            return Err(Error::BadOffer(
                "a tree of files needs a folder to go to: receive into one".into(),
            ));
        };
        // Its files need room each; the tree itself needs a place.
        if !self.applicant.as_mut().map_or(Ok(true), |applicant| applicant.ask(0))? {
            self.phase = Phase::TreeOffered(Box::new(request));
            return Ok(());
        }
        let tree = TreeReceiving::begin(
            &mut self.link,
            root,
            request,
            self.plan.keep_free,
            self.listener.take(),
            self.requests.clone(),
        );
        self.phase = Phase::Tree(Box::new(tree));
        Ok(())
    }

    /// Asks again for room.
    pub(super) fn apply(&mut self, now: Instant) -> Result<Progress, Error> {
        let due = Phase::Greeting { due: now };
        let Phase::Applying(offer) = std::mem::replace(&mut self.phase, due) else {
            return Err(Error::Bug("room is asked for without an offer".into()));
        };
        if self.has_room_for(&offer)? {
            self.accept(offer)?;
            return Ok(Progress::Moved);
        }
        self.phase = Phase::Applying(offer);
        self.wait_for_room(now)
    }

    /// Until it is its turn the sender hears that it is not forgotten.
    pub(super) fn wait_for_room(&mut self, now: Instant) -> Result<Progress, Error> {
        if self.link.keep_alive(now) {
            return Ok(Progress::Moved);
        }
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let left = recv(self.link.connection.as_fd(), &mut [0; 1][..], flags);
        if matches!(left, Ok((0, _))) {
            return Err(self.closed());
        }
        Ok(self.link.rest())
    }

    fn has_room_for(&mut self, offer: &Offer) -> Result<bool, Error> {
        let bytes = offer.meta.byte_len();
        self.applicant
            .as_mut()
            .map_or(Ok(true), |applicant| applicant.ask(bytes))
    }

    fn accept(&mut self, offer: Box<Offer>) -> Result<(), Error> {
        let streams = offer.streams.clamp(1, Options::STREAMS_MAX);
        let ledger = Ledger::new(offer.meta.byte_len(), offer.checksum, streams);
        if self.plan.keep.is_none() && takes_handoff(&self.link, &offer, &self.plan.sink) {
            self.phase = Phase::AwaitingHandoff(AwaitedHandoff::ask(&mut self.link, *offer, ledger)?);
            return Ok(());
        }
        self.prepare(offer, ledger, Reply::IsDue)
    }

    /// The sender's system let no descriptor through: the array comes in blocks.
    pub(super) fn take_blocks_instead(&mut self) -> Result<(), Error> {
        let Phase::AwaitingHandoff(awaited) = &self.phase else {
            return Err(Error::Bug("blocks in place of a handoff that nobody asked for".into()));
        };
        let (offer, ledger) = (Box::new(awaited.offer.clone()), Arc::clone(&awaited.ledger));
        self.prepare(offer, ledger, Reply::IsGiven)
    }

    /// Takes what came with the handoff: maps it, and looks at nothing but the first elements.
    pub(super) fn take_over(&mut self, position: u64) -> Result<(), Error> {
        let Phase::AwaitingHandoff(awaited) = &mut self.phase else {
            return Err(Error::Bug("a handoff that nobody asked for".into()));
        };
        let array = awaited.take(position)?;
        let offer = awaited.offer.clone();
        let bytes = offer.meta.byte_len();
        let reason = "the peer is on this host: its memory is mapped here";
        let started = self.plan.started(&self.link, &offer, Handed::name(), reason, 1, None);
        self.link.events.tell(EventKind::Started(Box::new(started)));
        if let Some(surveyor) = &self.link.surveyor {
            surveyor.survey().leave_out(HANDED_OVER.into());
        }
        let mut preview = Prefix::new(&offer.meta, self.link.options.preview_elements);
        self.link.events.tell(preview.event());
        array.copy_prefix(preview.bytes_mut())?;
        self.link.events.tell(preview.event());
        self.link.probe.moved(bytes);
        self.link.events.state(State::Verifying);
        let published = Published {
            note: array.note().map(Into::into),
            ..Published::default()
        };
        let array = Some(array);
        self.conclude(Kept::Handed { array, bytes }, (bytes, 0), published);
        Ok(())
    }
}
