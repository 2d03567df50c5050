//! Receivers without threads of their own: a loop over many of them steps each when there is something to do.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::array::ArrayMeta;
use crate::error::Error;
use crate::telemetry::Probe;
use crate::transfer::limits::admission::Admissions;
use crate::transfer::limits::controls::Controls;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Course, Ended, Turn};
use crate::transfer::net::connection::Connection;
use crate::transfer::net::expected::Expected;
use crate::transfer::net::linger::Linger;
use crate::transfer::net::listener::Listener;
use crate::transfer::plan::{Options, SinkSpec};
use crate::transfer::receive::{FirstReceiver, FurtherReceiver, JoinRequest, ReceiveMachine, ReceivePlan};
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::tell::event::{EventKind, Side, State};
use crate::transfer::tell::event_sender::EventSender;

/// Something that a receiver told, and when.
type Note = (Duration, EventKind);

/// One receiver tells a handful of things in a turn.
const NOTES: usize = 64;

/// What all receivers of one loop have in common.
pub(crate) struct Host {
    pub(crate) sink: SinkSpec,
    pub(crate) expect: Option<ArrayMeta>,
    pub(crate) options: Options,
    /// Where further connections of a transfer come in.
    pub(crate) listener: Option<Listener>,
    pub(crate) admissions: Arc<Admissions>,
    /// A peer that moves fewer bytes a second over the timeout is given up.
    pub(crate) slowest_bytes_per_s: Option<u64>,
    notes: (Sender<Note>, Receiver<Note>),
    requests: (Sender<JoinRequest>, Receiver<JoinRequest>),
}

/// One connection of a transfer.
pub(crate) struct Hosted {
    machine: Box<dyn ReceiveMachine + Send>,
    course: Course,
    controls: Arc<Controls>,
    clock: Instant,
    timeout: Duration,
}

/// A transfer whose sender may open further connections.
pub(crate) struct Joining {
    array: Arc<IncomingArray>,
    expected: Expected,
    controls: Arc<Controls>,
    clock: Instant,
    seen_changes: u64,
}

/// What a turn came to.
pub(crate) enum HostedTurn {
    /// Something was done and more can be.
    Again,
    /// Nothing can be done before the socket has changed, or then.
    Wait(Instant),
    /// It has ended. Its connection may have to linger.
    Ended(Ended, Option<Linger>),
}

impl Host {
    pub(crate) fn new(
        sink: SinkSpec,
        expect: Option<ArrayMeta>,
        options: Options,
        admissions: Arc<Admissions>,
    ) -> Self {
        Self {
            sink,
            expect,
            options,
            listener: None,
            admissions,
            slowest_bytes_per_s: None,
            notes: bounded(NOTES),
            // Each receiver asks once, and is heard after its turn.
            requests: bounded(1),
        }
    }

    /// A receiver for a connection; `number` tells it apart from others that wait for a place.
    pub(crate) fn receiver(&self, connection: Connection, number: usize) -> Result<Hosted, Error> {
        let (controls, clock) = (Arc::new(Controls::new(self.options.limit_bytes_per_s)), Instant::now());
        controls.set_pace(Side::Receiver, self.options.reader_pace_bytes_per_s);
        let plan = ReceivePlan {
            sink: self.sink.clone(),
            expect: self.expect.clone(),
            source: None,
        };
        // Whoever hosts it has told that.
        let events = EventSender::new(self.notes.0.clone(), clock, Some(State::Connecting));
        let context = light_context(&controls, clock, events);
        let requests = self.requests.0.clone();
        let mut machine = FirstReceiver::new(
            connection,
            plan,
            self.listener.clone(),
            &self.options,
            requests,
            context,
        )?;
        machine.apply_as(self.admissions.applicant(number));
        Ok(self.hosted(Box::new(machine), controls, clock))
    }

    /// A receiver for a further connection of a transfer.
    pub(crate) fn joined(&self, connection: Connection, joining: &Joining) -> Result<Hosted, Error> {
        let (controls, clock) = (Arc::clone(&joining.controls), joining.clock);
        let events = EventSender::for_further_connection(self.notes.0.clone(), clock);
        let context = light_context(&controls, clock, events);
        let array = Arc::clone(&joining.array);
        let machine = FurtherReceiver::new(connection, array, false, &self.options, context)?;
        Ok(self.hosted(Box::new(machine), controls, clock))
    }

    /// What the receiver that was stepped last has told.
    pub(crate) fn told(&self) -> impl Iterator<Item = Note> + '_ {
        self.notes.1.try_iter()
    }

    /// Whether the receiver that was stepped last can do with further connections.
    pub(crate) fn asked(&self, by: &Hosted) -> Option<Joining> {
        let JoinRequest { array, expected, .. } = self.requests.1.try_recv().ok()?;
        Some(Joining {
            array,
            expected,
            controls: Arc::clone(&by.controls),
            clock: by.clock,
            seen_changes: by.controls.changes(),
        })
    }

    fn hosted(&self, machine: Box<dyn ReceiveMachine + Send>, controls: Arc<Controls>, clock: Instant) -> Hosted {
        Hosted {
            machine,
            course: Course::new(clock).with_slowest(self.slowest_bytes_per_s),
            controls,
            clock,
            timeout: self.options.timeout,
        }
    }
}

fn light_context(controls: &Arc<Controls>, clock: Instant, events: EventSender) -> MachineContext {
    MachineContext {
        controls: Arc::clone(controls),
        probe: Probe::light(clock),
        events,
    }
}

impl Hosted {
    /// Does a bounded piece of work.
    pub(crate) fn turn(&mut self, now: Instant) -> HostedTurn {
        let turn = self
            .course
            .turn(&mut *self.machine, Side::Receiver, &self.controls, now, self.timeout);
        HostedTurn::from(turn)
    }

    /// Ends it, with these words to the peer.
    pub(crate) fn dismiss(&mut self, words: &str) -> HostedTurn {
        HostedTurn::from(Course::dismiss(&mut *self.machine, words))
    }

    /// What can be changed while it runs.
    pub(crate) fn controls(&self) -> &Arc<Controls> {
        &self.controls
    }

    /// Bytes of the array that have landed, over all its connections.
    pub(crate) fn bytes(&self) -> u64 {
        self.machine.bytes()
    }

    /// Whether the peer has said what it sends, and has room for it.
    pub(crate) fn is_receiving(&self) -> bool {
        self.machine.is_receiving()
    }

    /// Since it was accepted.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// The other end's address.
    pub(crate) fn peer(&self) -> &str {
        self.machine.connection().peer()
    }

    /// What remains of it: the connection. A sink that was not published is removed.
    pub(crate) fn into_connection(self) -> Connection {
        self.machine.into_connection()
    }
}

impl AsFd for Hosted {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.machine.connection().as_fd()
    }
}

impl Joining {
    /// A connection that has joined, if any.
    pub(crate) fn connection(&self) -> Option<Connection> {
        self.expected.connections.try_recv().ok()
    }

    /// Whether all its connections have to look at what one of them has done; asked once for each change.
    pub(crate) fn has_changed(&mut self) -> bool {
        let changes = self.controls.changes();
        std::mem::replace(&mut self.seen_changes, changes) != changes
    }

    /// Its other connections have nothing to go on for.
    pub(crate) fn fail(&self) {
        self.controls.fail(Side::Receiver);
    }
}

impl From<Turn> for HostedTurn {
    fn from(turn: Turn) -> Self {
        match turn {
            Turn::Again => Self::Again,
            // Whoever hosts it hears of every change of its socket.
            Turn::Wait { until, .. } => Self::Wait(until),
            Turn::Ended(ended, linger) => Self::Ended(ended, linger),
        }
    }
}
