//! A further connection of a file: it fetches its part, and leaves the end to the first one.

use std::ops::Range;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use crate::error::Error;
use crate::sys::Wake;
use crate::telemetry::Probe;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress};
use crate::transfer::plan::Options;
use crate::transfer::sink::block_receiver::BlockReceiver;

use super::claimed::ClaimedPart;
use super::client::Client;
use super::connection::ConnectionContext;
use super::file::FetchedFile;
use super::part::PartFetch;

/// Fetches one part of a file whose first connection has begun.
pub(in crate::transfer) struct FurtherFetcher {
    wake: Arc<Wake>,
    context: MachineContext,
    phase: Phase,
}

/// Where it is.
enum Phase {
    Fetching(Box<PartFetch>),
    /// Its part is whole, or not its business any more.
    Over {
        /// So many bytes of the file had come by then.
        received_bytes: u64,
    },
}

impl FurtherFetcher {
    /// For these ranges of the file.
    ///
    /// # Errors
    /// The file that it lands in cannot be written in another place, too.
    pub(in crate::transfer) fn new(
        file: &Arc<FetchedFile>,
        ranges: Vec<Range<u64>>,
        options: &Options,
        wake: &Arc<Wake>,
        context: MachineContext,
    ) -> Result<Self, Error> {
        let client = Client::new(
            &file.url,
            &file.trust,
            ConnectionContext::new(options, &context.controls, wake),
        );
        let sink = &file.array.sink;
        let receiver = BlockReceiver::new(sink, sink.route()?.route, context.publishing.clone());
        let part = ClaimedPart::claim(&sink.ledger, ranges)?;
        let part = PartFetch::new(client, options, receiver, Arc::clone(file), part, None).may_be_left();
        Ok(Self {
            wake: Arc::clone(wake),
            context,
            phase: Phase::Fetching(Box::new(part)),
        })
    }

    fn advance(&mut self, now: Instant) -> Result<Progress, Error> {
        let Phase::Fetching(part) = &mut self.phase else {
            return Ok(Progress::Part);
        };
        let step = if part.file().is_given_up() {
            self.context.probe.begin_again();
            Ok(None)
        } else {
            part.step(&mut self.context, now)
        };
        if let Ok(Some(progress)) = step {
            return Ok(progress);
        }
        let file = Arc::clone(part.file());
        let received_bytes = file.received_bytes();
        if let Phase::Fetching(part) = std::mem::replace(&mut self.phase, Phase::Over { received_bytes }) {
            match step {
                Ok(_) => part.finish(),
                Err(setback) if part.is_left(&setback) => part.leave(),
                Err(setback) if setback.begin_again.is_some() => {
                    self.context.probe.begin_again();
                    file.give_up(Some(setback));
                }
                Err(setback) => return Err(file.array.sink.failure(setback.error)),
            }
        }
        drop(file);
        // The first connection waits for it.
        self.context.controls.wake();
        Ok(Progress::Part)
    }
}

impl Machine for FurtherFetcher {
    fn socket(&self) -> BorrowedFd<'_> {
        match &self.phase {
            Phase::Fetching(part) => part.socket().unwrap_or_else(|| self.wake.as_fd()),
            Phase::Over { .. } => self.wake.as_fd(),
        }
    }

    fn step(&mut self, now: Instant, _ready: bool) -> Result<Progress, Error> {
        self.advance(now)
    }

    fn give_up(&mut self, _reason: &str) -> bool {
        // A server has no ear for it: it sees the connection close.
        false
    }

    fn probe(&mut self) -> &mut Probe {
        &mut self.context.probe
    }

    fn discard(&self) {
        if let Phase::Fetching(part) = &self.phase {
            part.file().array.sink.discard();
        }
    }

    fn left_behind(&self) -> Option<String> {
        match &self.phase {
            Phase::Fetching(part) => part.file().array.sink.left_behind(),
            Phase::Over { .. } => None,
        }
    }

    fn bytes(&self) -> u64 {
        match &self.phase {
            Phase::Fetching(part) => part.file().received_bytes(),
            Phase::Over { received_bytes } => *received_bytes,
        }
    }
}
