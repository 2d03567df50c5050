//! Taking the array over in place of receiving its bytes.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use crate::error::Error;
use crate::ledger::Ledger;
use crate::route::ReceiveRouteChoice;
use crate::route::receive::Handed;
use crate::sys::{may_receive_descriptor, receive_with_descriptor};
use crate::transfer::plan::SinkSpec;
use crate::wire::Offer;

use super::link::Link;

/// An array that was asked for as it lies in the sender's memory.
pub(super) struct AwaitedHandoff {
    pub(super) offer: Offer,
    /// What claims its blocks, if they come instead.
    pub(super) ledger: Arc<Ledger>,
    /// What came with the bytes since then.
    descriptor: Option<OwnedFd>,
}

impl AwaitedHandoff {
    /// Answers an offer by asking for a handoff.
    pub(super) fn ask(link: &mut Link, offer: Offer, ledger: Arc<Ledger>) -> Result<Self, Error> {
        let answer = link.wire.accept_handoff(&ledger)?;
        link.outbox.push(&answer);
        Ok(Self {
            offer: Offer {
                // Whatever follows comes over this connection.
                streams: 1,
                ..offer
            },
            ledger,
            descriptor: None,
        })
    }

    /// Reads what the sender says, and keeps the first descriptor that comes with it.
    pub(super) fn read(&mut self, link: &mut Link, into: &mut [u8]) -> io::Result<usize> {
        let (received, descriptor) = receive_with_descriptor(link.connection.as_fd(), into)?;
        link.probe.syscall(received, received);
        if self.descriptor.is_none() {
            self.descriptor = descriptor;
        }
        Ok(received)
    }

    /// Maps what came: the array begins at byte `position` of it.
    pub(super) fn take(&mut self, position: u64) -> Result<Handed, Error> {
        let len = self.offer.meta.byte_len();
        Handed::take(self.descriptor.take(), position, len, self.offer.handoff)
    }
}

/// Whether what is offered can and should come as it lies in the sender's memory.
pub(super) fn takes_handoff(link: &Link, offer: &Offer, sink: &SinkSpec) -> bool {
    offer.handoff.is_some()
        && offer.meta.byte_len() > 0
        && link.options.receive_route == ReceiveRouteChoice::Auto
        && matches!(sink, SinkSpec::Memory | SinkSpec::Discard)
        && link.connection.is_unix()
        && may_receive_descriptor(link.connection.as_fd())
}
