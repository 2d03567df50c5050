//! The beginning of a transfer's first connection: room is made for what is offered, and its sender is told.

use std::sync::Arc;
use std::time::Instant;

use crate::error::Error;
use crate::ledger::Ledger;
use crate::sys::awake_now;
use crate::telemetry::Rest;
use crate::transfer::machine::drive::Progress;
use crate::transfer::net::expected::Expected;
use crate::transfer::plan::Options;
use crate::transfer::receive::link::Receiving;
use crate::transfer::sink::block_receiver::BlockReceiver;
use crate::transfer::sink::file_system::Effort;
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::sink::task::Pending;
use crate::transfer::sink::{ChosenRoute, Content, PreparedSink, SinkRequest};
use crate::transfer::tell::event::EventKind;
use crate::transfer::tell::preview::Prefix;
use crate::wire::Offer;

use super::{FirstReceiver, JoinRequest, Joinable, Phase};

/// An offer that was taken, and the sink that is made ready for it.
pub(super) struct Preparing {
    offer: Box<Offer>,
    /// It goes before the sink, so that who prepares that is not waited for longer than need be.
    _wanted: Arc<()>,
    sink: Pending<PreparedSink>,
    reply: Reply,
}

/// The answer to the sender's offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// The sender waits for it.
    IsDue,
    /// The sender has it, and sends.
    IsGiven,
}

impl Preparing {
    /// Bytes of the array.
    pub(super) fn byte_len(&self) -> u64 {
        self.offer.meta.byte_len()
    }
}

impl FirstReceiver {
    /// Makes room for an array that comes in blocks. A file is made by others where this machine must not wait: its disk
    /// may take its time.
    pub(super) fn prepare(&mut self, offer: Box<Offer>, ledger: Arc<Ledger>, reply: Reply) -> Result<(), Error> {
        let options = &self.link.options;
        let wanted = Arc::new(());
        let request = SinkRequest {
            spec: self.plan.sink.clone(),
            offer: (*offer).clone(),
            content: Content::Array,
            identity: None,
            ledger,
            route: options.receive_route,
            chunk_bytes: options.chunk_bytes.max(1),
            keep_free: self.plan.keep_free,
            part_number: self.plan.part_number,
            publisher: self.link.publishing.publisher(options).map(Arc::downgrade),
            wanted: Some(Arc::downgrade(&wanted)),
        };
        let publishing = &self.link.publishing;
        let effort = if request.may_read_again() {
            Effort::MayLast
        } else if request.spec.is_in_file() {
            publishing.effort_to_make(offer.meta.byte_len())
        } else {
            Effort::Brief
        };
        let sink = publishing.begin(effort, move || PreparedSink::prepare(request));
        if let Some(sink) = sink.take() {
            return self.begin(&offer, sink?, reply);
        }
        self.link.put_off_keep_alive(awake_now());
        self.phase = Phase::Preparing(Preparing {
            offer,
            _wanted: wanted,
            sink,
            reply,
        });
        Ok(())
    }

    /// Waits for the disk, while the sender hears that it is not forgotten.
    pub(super) fn await_sink(&mut self, now: Instant) -> Result<Progress, Error> {
        let Phase::Preparing(preparing) = &self.phase else {
            return Err(Error::Bug("a sink is waited for that nobody prepares".into()));
        };
        let Some(sink) = preparing.sink.take() else {
            return Ok(self.link.wait_for_disk(now, Rest::Disk));
        };
        let over = Phase::Joined { lingers: false };
        if let Phase::Preparing(Preparing { offer, reply, .. }) = std::mem::replace(&mut self.phase, over) {
            self.begin(&offer, sink?, reply)?;
        }
        Ok(Progress::Moved)
    }

    /// There is room: bytes may come.
    fn begin(&mut self, offer: &Offer, sink: PreparedSink, reply: Reply) -> Result<(), Error> {
        let ledger = Arc::clone(&sink.ledger);
        let ChosenRoute { route, reason } = sink.route()?;
        if let Some(surveyor) = &self.link.surveyor {
            surveyor.survey().begin(&offer.meta);
            if sink.is_resumed() {
                surveyor
                    .survey()
                    .leave_out("what was here before it went on was not looked at".into());
            }
        }
        let mut preview = Prefix::new(&offer.meta, self.link.options.preview_elements);
        // No block is shorter than all that is shown.
        if ledger.is_recorded(0) {
            sink.copy_prefix(preview.bytes_mut())?;
        }
        let listener = self.listener.take();
        let (streams, is_sole) = match &listener {
            Some(listener) => (offer.streams.clamp(1, Options::STREAMS_MAX), listener.is_sole()),
            None => (1, false),
        };
        let expected = match listener.filter(|_| streams > 1) {
            Some(listener) => Some(Expected::at(&listener, usize::from(streams) - 1)?),
            None => None,
        };
        let started = self
            .plan
            .started(&self.link, offer, route.name(), reason, streams, Some(&sink));
        self.link.events.tell(EventKind::Started(Box::new(started)));
        self.link.events.tell(preview.event());
        let blocks = BlockReceiver::new(&sink, route, self.link.publishing.clone());
        let grain = ledger.grain().or(offer.grain);
        let array = Arc::new(IncomingArray::new(sink, preview).on_grid(grain));
        let joins = expected.as_ref().map(|expected| (streams, expected.token));
        if let Some(expected) = expected {
            // There is room: a transfer asks once.
            let _ = self.requests.try_send(JoinRequest {
                transfer: Joinable::Array(Arc::clone(&array)),
                expected,
                is_sole,
            });
        }
        self.meta = Some(offer.meta.clone());
        self.phase = Phase::Receiving(Receiving { blocks, array, streams });
        if reply == Reply::IsDue {
            let answer = self.link.wire.accept(&ledger, joins)?;
            self.link.outbox.push(&answer);
        }
        Ok(())
    }
}
