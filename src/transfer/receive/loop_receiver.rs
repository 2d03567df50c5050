//! Receivers without threads of their own: a loop over many of them steps each when its socket is ready.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::array::ArrayMeta;
use crate::error::Error;
use crate::sys::awake_now;
use crate::telemetry::Probe;
use crate::transfer::limits::admission::Admissions;
use crate::transfer::limits::controls::Controls;
use crate::transfer::limits::keep_free::KeepFree;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Course, Ended, Turn};
use crate::transfer::net::connection::Connection;
use crate::transfer::net::expected::Expected;
use crate::transfer::net::linger::Linger;
use crate::transfer::net::listener::Listener;
use crate::transfer::plan::{Options, SinkSpec, StatsChoice};
use crate::transfer::receive::{
    FirstReceiver, FurtherReceiver, FurtherTreeReceiver, JoinRequest, Joinable, ReceiveMachine, ReceivePlan,
};
use crate::transfer::sink::part_name::PartNumber;
use crate::transfer::sink::publisher::PublishContext;
use crate::transfer::sink::task::Pending;
use crate::transfer::survey::{Detail, SharedBudget, Survey, SurveyReader, Surveyor};
use crate::transfer::tell::event::{EventKind, Side, State};
use crate::transfer::tell::event_queue::Waker;
use crate::transfer::tell::event_sender::EventSender;
use crate::wire::native::Farewell;

/// An event of a receiver, and when it was since the transfer began.
type TimedEvent = (Duration, EventKind);

/// One receiver tells a handful of events in a turn.
const EVENTS: usize = 64;
/// Arrays that are published between two turns.
const PUBLISHED: usize = 4096;

/// Makes the receivers of one loop, and has what they have in common.
pub(crate) struct ReceiverFactory {
    pub(crate) sink: SinkSpec,
    pub(crate) expect: Option<ArrayMeta>,
    pub(crate) options: Options,
    /// Where further connections of a transfer come in.
    pub(crate) listener: Option<Listener>,
    pub(crate) admissions: Arc<Admissions>,
    /// What stays free of the disk that arrays are kept on.
    pub(crate) keep_free: Option<KeepFree>,
    /// The time that the loop's thread has for looking at values.
    looking: SharedBudget,
    /// A peer that moves fewer bytes a second, measured over the timeout, is given up.
    pub(crate) slowest_bytes_per_s: Option<u64>,
    events: (Sender<TimedEvent>, Receiver<TimedEvent>),
    requests: (Sender<JoinRequest>, Receiver<JoinRequest>),
    /// It stays between two transfers.
    publishing: PublishContext,
    /// The numbers of receivers whose arrays were put on disk, or could not be.
    published: (Sender<usize>, Receiver<usize>),
}

/// The receiver of one connection.
pub(crate) struct LoopReceiver {
    machine: Box<dyn ReceiveMachine + Send>,
    /// What its transfer has looked at, where that is asked for and this is its first connection.
    survey: Option<SurveyReader>,
    course: Course,
    controls: Arc<Controls>,
    clock: Instant,
    timeout: Duration,
}

/// A transfer whose sender may open further connections.
pub(crate) struct JoinableTransfer {
    transfer: Joinable,
    expected: Expected,
    controls: Arc<Controls>,
    survey: Option<Arc<Survey>>,
    clock: Instant,
    seen_changes: u64,
}

/// A file that is being closed.
pub(crate) struct FileClosing {
    pending: Pending<()>,
    /// It is whole, and has its name.
    pub(crate) is_kept: bool,
}

/// How a turn ended.
pub(crate) enum ReceiverTurn {
    /// There is more to do.
    Again,
    /// There is nothing to do before the socket has changed, or this time.
    Wait(Instant),
    /// The receiver has ended. Its connection may have to linger.
    Ended(Ended, Option<Linger>),
}

impl ReceiverFactory {
    /// `waker` ends the loop's wait. Asks what keeps the files of the sink.
    pub(crate) fn new(
        sink: SinkSpec,
        expect: Option<ArrayMeta>,
        options: Options,
        admissions: Arc<Admissions>,
        waker: Waker,
    ) -> Self {
        Self {
            expect,
            options,
            listener: None,
            admissions,
            keep_free: None,
            looking: SharedBudget::of_loop(),
            slowest_bytes_per_s: None,
            events: bounded(EVENTS),
            // A receiver asks once, and its request is taken after its turn.
            requests: bounded(1),
            publishing: PublishContext::new(waker).with_files_in(sink.file_system()),
            published: bounded(PUBLISHED),
            sink,
        }
    }

    /// A receiver for the first connection of a transfer; `number` tells it apart from others that wait for admission, or
    /// for the disk. A file that is made for it has the `part_number`, where one was given out.
    ///
    /// # Errors
    /// The system gives no memory or descriptor.
    pub(crate) fn first(
        &self,
        connection: Connection,
        number: usize,
        part_number: Option<PartNumber>,
    ) -> Result<LoopReceiver, Error> {
        let (controls, clock) = (Arc::new(Controls::new(self.options.limit_bytes_per_s)), Instant::now());
        controls.set_pace(Side::Receiver, self.options.reader_pace_bytes_per_s);
        let plan = ReceivePlan {
            sink: self.sink.clone(),
            expect: self.expect.clone(),
            keep: None,
            keep_free: self.keep_free,
            part_number,
            source: None,
        };
        // The loop tells the first state itself.
        let events = EventSender::new(self.events.0.clone(), clock, Some(State::Connecting));
        let survey = (self.options.stats != StatsChoice::Off).then(|| SurveyReader::new(Detail::FewNumbers));
        let surveyor = survey.as_ref().map(|survey| self.surveyor(survey.survey()));
        let context = light_context(&controls, clock, events, surveyor, self.publishing(number));
        let requests = self.requests.0.clone();
        let mut machine = FirstReceiver::new(
            connection,
            plan,
            self.listener.clone(),
            &self.options,
            requests,
            context,
        )?
        .one_of_many(true);
        machine.apply_as(self.admissions.applicant(number));
        Ok(self.in_loop(Box::new(machine), survey, controls, clock))
    }

    /// A receiver for a further connection of a transfer; `number` tells it apart from others that wait for the disk.
    ///
    /// # Errors
    /// The system gives no memory or descriptor.
    pub(crate) fn further(
        &self,
        connection: Connection,
        joining: &JoinableTransfer,
        number: usize,
    ) -> Result<LoopReceiver, Error> {
        let (controls, clock) = (Arc::clone(&joining.controls), joining.clock);
        let events = EventSender::for_further_connection(self.events.0.clone(), clock);
        let surveyor = joining.survey.as_ref().map(|survey| self.surveyor(survey));
        let context = light_context(&controls, clock, events, surveyor, self.publishing(number));
        let machine: Box<dyn ReceiveMachine + Send> = match &joining.transfer {
            Joinable::Array(array) => {
                let array = Arc::clone(array);
                Box::new(FurtherReceiver::new(connection, array, false, &self.options, context)?)
            }
            Joinable::Tree(junction) => {
                let junction = Arc::clone(junction);
                Box::new(FurtherTreeReceiver::new(connection, junction, &self.options, context))
            }
        };
        Ok(self.in_loop(machine, None, controls, clock))
    }

    fn surveyor(&self, survey: &Arc<Survey>) -> Surveyor {
        survey.surveyor_within(self.looking.clone())
    }

    /// The receivers, by their numbers, that are to have a turn because their arrays are on disk. Some may have ended.
    pub(crate) fn take_published(&self) -> impl Iterator<Item = usize> + '_ {
        self.published.1.try_iter()
    }

    /// Parts the receiver of that number from its connection. Others close its file, and remove it where it is not whole:
    /// the number is told when that is done.
    pub(crate) fn part(&self, receiver: LoopReceiver, number: usize) -> (Connection, Option<FileClosing>) {
        let is_kept = !receiver.machine.recall();
        let (connection, remainder) = receiver.machine.into_parts();
        let closing = remainder.map(|remainder| {
            let drops = move || {
                drop(remainder.all);
                Ok(())
            };
            FileClosing {
                pending: self.publishing(number).begin(remainder.effort, drops),
                is_kept,
            }
        });
        (connection, closing)
    }

    /// What the receiver of that number publishes with.
    fn publishing(&self, number: usize) -> PublishContext {
        let (published, of_loop) = (self.published.0.clone(), self.publishing.clone());
        of_loop.after(move || {
            // Where there is no room its turn comes with its next keep-alive.
            let _ = published.try_send(number);
        })
    }

    /// The events of the receiver that had its turn last.
    pub(crate) fn take_events(&self) -> impl Iterator<Item = TimedEvent> + '_ {
        self.events.1.try_iter()
    }

    /// The transfer of `by`, where that receiver asked for further connections in its last turn.
    pub(crate) fn take_join_request(&self, by: &LoopReceiver) -> Option<JoinableTransfer> {
        let JoinRequest { transfer, expected, .. } = self.requests.1.try_recv().ok()?;
        Some(JoinableTransfer {
            transfer,
            expected,
            controls: Arc::clone(&by.controls),
            survey: by.survey.as_ref().map(|survey| Arc::clone(survey.survey())),
            clock: by.clock,
            seen_changes: by.controls.changes(),
        })
    }

    fn in_loop(
        &self,
        machine: Box<dyn ReceiveMachine + Send>,
        survey: Option<SurveyReader>,
        controls: Arc<Controls>,
        clock: Instant,
    ) -> LoopReceiver {
        LoopReceiver {
            machine,
            survey,
            course: Course::new(awake_now()).with_slowest(self.slowest_bytes_per_s),
            controls,
            clock,
            timeout: self.options.timeout,
        }
    }
}

fn light_context(
    controls: &Arc<Controls>,
    clock: Instant,
    events: EventSender,
    surveyor: Option<Surveyor>,
    publishing: PublishContext,
) -> MachineContext {
    MachineContext {
        controls: Arc::clone(controls),
        probe: Probe::light(clock),
        events,
        surveyor,
        publishing,
    }
}

impl LoopReceiver {
    /// Does a bounded piece of work.
    pub(crate) fn turn(&mut self, now: Instant) -> ReceiverTurn {
        let turn = self
            .course
            .turn(&mut *self.machine, Side::Receiver, &self.controls, now, self.timeout);
        ReceiverTurn::from(turn)
    }

    /// Ends it, with these words to the peer; `None` where that comes too late, and it ends by itself soon.
    pub(crate) fn dismiss(&mut self, farewell: &Farewell) -> Option<ReceiverTurn> {
        Course::dismiss(&mut *self.machine, farewell).map(ReceiverTurn::from)
    }

    /// The controls of its transfer.
    pub(crate) fn controls(&self) -> &Arc<Controls> {
        &self.controls
    }

    /// Bytes of the array that have landed, over all its connections.
    pub(crate) fn bytes(&self) -> u64 {
        self.machine.bytes()
    }

    /// What the values are that its transfer has looked at, as its last words but how it ended.
    pub(crate) fn stats(&mut self) -> Option<EventKind> {
        let stats = self.survey.as_mut()?.stats(awake_now(), true)?;
        Some(EventKind::Stats(Box::new(stats)))
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
}

impl FileClosing {
    /// Whether it is closed, and gone where it is not kept.
    pub(crate) fn is_over(&self) -> bool {
        self.pending.has_ended()
    }
}

impl AsFd for LoopReceiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.machine.connection().as_fd()
    }
}

impl JoinableTransfer {
    /// A connection that has joined, if any.
    pub(crate) fn connection(&self) -> Option<Connection> {
        self.expected.connections.try_recv().ok()
    }

    /// Whether its controls have changed since the last call: then all its connections need a turn.
    pub(crate) fn has_changed(&mut self) -> bool {
        let changes = self.controls.changes();
        std::mem::replace(&mut self.seen_changes, changes) != changes
    }

    /// Lets its other connections end with these words to their peer.
    pub(crate) fn fail(&self, words: Farewell) {
        self.controls.fail(Side::Receiver, words);
    }
}

impl From<Turn> for ReceiverTurn {
    fn from(turn: Turn) -> Self {
        match turn {
            Turn::Again => Self::Again,
            // The loop is told of every change of a socket.
            Turn::Wait { until, .. } => Self::Wait(until),
            Turn::Ended(ended, linger) => Self::Ended(ended, linger),
        }
    }
}
