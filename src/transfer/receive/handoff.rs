//! Taking the array over in place of receiving its bytes.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::net::{RecvFlags, recv};

use crate::error::Error;
use crate::route::ReceiveRouteChoice;
use crate::route::receive::Handed;
use crate::sys::{may_receive_descriptor, receive_with_descriptor};
use crate::transfer::machine::drive::Progress;
use crate::transfer::plan::SinkSpec;
use crate::transfer::tell::event::State;
use crate::transfer::tell::preview::Prefix;
use crate::wire::Offer;

use super::ReceiveMachine;

/// How far a handoff has come.
#[derive(Default)]
pub(super) struct Handing {
    /// The offer, once it is answered by asking for a handoff.
    offer: Option<Box<Offer>>,
    /// What came with the bytes since then.
    descriptor: Option<OwnedFd>,
    /// The array, once it is here.
    handed: Option<Handed>,
    moved_bytes: u64,
}

impl Handing {
    pub(super) fn has_begun(&self) -> bool {
        self.offer.is_some() || self.handed.is_some()
    }

    /// Bytes of the array that was asked for; 0 where none was.
    pub(super) fn total_bytes(&self) -> u64 {
        let asked = self.offer.as_ref().map(|offer| offer.meta.byte_len());
        asked.unwrap_or(self.moved_bytes)
    }

    /// Bytes of the array that is here.
    pub(super) fn moved_bytes(&self) -> u64 {
        self.moved_bytes
    }

    /// The array, where it is here.
    pub(super) fn take(&mut self) -> Option<Handed> {
        self.handed.take()
    }

    /// What the user should know of an array that was handed over.
    pub(super) fn note(&self) -> Option<String> {
        self.handed.as_ref().and_then(Handed::note).map(Into::into)
    }
}

impl ReceiveMachine {
    /// Reads what the sender says, and a descriptor with it where one was asked for.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.wire.awaits_handoff() {
            // A descriptor that comes unasked is closed by the kernel.
            return Ok(recv(self.connection.as_fd(), into, RecvFlags::empty())?.0);
        }
        let (received, descriptor) = receive_with_descriptor(self.connection.as_fd(), into)?;
        self.probe.syscall(received, received);
        if self.handing.descriptor.is_none() {
            self.handing.descriptor = descriptor;
        }
        Ok(received)
    }

    /// Whether what is offered can and should come as it lies in the sender's memory.
    pub(super) fn takes_handoff(&self, offer: &Offer, sink: &SinkSpec) -> bool {
        offer.handoff.is_some()
            && offer.meta.byte_len() > 0
            && self.options.receive_route == ReceiveRouteChoice::Auto
            && matches!(sink, SinkSpec::Memory | SinkSpec::Discard)
            && self.connection.is_unix()
            && may_receive_descriptor(self.connection.as_fd())
    }

    pub(super) fn ask_for_handoff(&mut self, offer: &Offer) {
        self.handing.offer = Some(Box::new(Offer {
            // Whatever follows comes over this connection.
            streams: 1,
            ..offer.clone()
        }));
        let answer = self.wire.accept_handoff();
        self.outbox.push(answer.as_deref().unwrap_or_default());
    }

    /// The sender's system let no descriptor through: the array comes in blocks.
    pub(super) fn take_blocks_instead(&mut self) -> Result<(), Error> {
        self.handing.descriptor = None;
        match self.handing.offer.take() {
            Some(offer) => self.prepare(&offer).map(|_| ()),
            None => Err(Error::Bug("blocks before an offer".into())),
        }
    }

    /// Takes what came with the handoff: maps it, and looks at nothing but the first elements.
    pub(super) fn take_over(&mut self, position: u64) -> Result<(), Error> {
        let Some(offer) = self.handing.offer.take() else {
            return Err(Error::Bug("a handoff before an offer".into()));
        };
        let len = offer.meta.byte_len();
        let handed = Handed::take(self.handing.descriptor.take(), position, len, offer.handoff)?;
        let reason = "the peer is on this host: its memory is mapped here";
        self.tell_started(&offer, Handed::name(), reason, 1, None);
        let mut preview = Prefix::new(&offer.meta, self.options.preview_elements);
        self.events.tell(preview.event());
        handed.copy_prefix(preview.bytes_mut())?;
        self.events.tell(preview.event());
        (self.handing.handed, self.handing.moved_bytes) = (Some(handed), len);
        self.probe.moved(len);
        Ok(())
    }

    /// The array is here, as it lies in the sender's memory.
    pub(super) fn keep_handed(&mut self) -> Result<Progress, Error> {
        if self.handing.handed.is_none() {
            return Err(Error::Bug("an end before an offer".into()));
        }
        self.events.state(State::Verifying);
        let note = self.handing.note();
        Ok(self.conclude(None, note))
    }
}
