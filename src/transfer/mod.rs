//! One transfer: what it does, the two machines that do it, and what they tell.
//!
//! [`Transfer::start`] gives a handle. The transfer runs on threads of its own, tells what happens over a bounded
//! channel of [`Event`]s, and leaves its [`Outcome`] where it cannot be lost.

mod fetch;
mod limits;
mod machine;
mod net;
mod plan;
mod receive;
mod run;
mod send;
mod shm;
mod sink;
mod source;
mod survey;
mod tell;
mod tree;
mod trust;
mod upcoming;

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use crossbeam_channel::Sender;

use crate::error::Error;
use crate::thread::Thread;
use sink::received::ReceivedCell;

pub use fetch::HeardFile;
pub(crate) use fetch::{RangeRequest, hear_proxy, hear_server, read_answer};
pub(crate) use limits::admission::{AdmissionLimits, Admissions};
pub(crate) use limits::controls::Controls;
pub(crate) use limits::descriptors::raise_descriptor_limit;
pub(crate) use limits::keep_free::{FullFolder, KeepFree};
pub(crate) use limits::promise_table::PromiseTable;
pub(crate) use machine::drive::{CANCELLED, Ended};
pub(crate) use net::dial::Dial;
pub(crate) use net::linger::Linger;
pub(crate) use net::socket_file::PrivateListener;
pub(crate) use receive::loop_receiver::{FileClosing, JoinableTransfer, LoopReceiver, ReceiverFactory, ReceiverTurn};
pub(crate) use receive::{Met, Newcomers};
pub(crate) use run::{last_event, without_outcome};
#[cfg(feature = "app")]
pub(crate) use survey::{LACKED_A_CORE, NONE_OF};
pub(crate) use tell::event_queue::EventQueue;
pub(crate) use tell::path_text;

pub use crate::wire::Replace;
pub(crate) use crate::wire::native::Farewell;
pub(crate) use limits::command::Command;
pub use net::connection::Connection;
pub use net::endpoint::Endpoint;
pub use net::listener::Listener;
pub use net::peer_user::PeerUser;
pub(crate) use net::peer_user::check_own;
pub use net::url::Url;
pub use plan::{Incoming, Job, OfferingSender, OptionName, Options, Origin, SinkSpec, Slice, SourceSpec, StatsChoice};
pub use shm::ShmName;
pub(crate) use sink::abandoned::AbandonedParts;
pub(crate) use sink::kept::KEPT_BYTES_MIN;
pub(crate) use sink::part_log::{
    InterruptedPart, KEPT, discard as discard_part, folders_below, interrupted_parts, interrupted_parts_below,
};
pub(crate) use sink::part_name::{PartNumber, left_behind};
pub use sink::received::{Element, ReceivedArray};
pub(crate) use source::expand::{expand, expand_paths};
pub use source::tree::TreeSpec;
#[cfg(feature = "app")]
pub(crate) use source::{AS_PLAIN, Source};
pub(crate) use source::{SourceInfo, describe, in_memory};
#[cfg(feature = "app")]
pub(crate) use tell::event::TiledArray;
pub use tell::event::{Event, EventKind, Failure, Finished, Outcome, Side, Started, State, Stats, TransferId};
pub use tell::event_queue::Waker;
pub use tell::items::{ItemFailure, Items};
pub use trust::Trust;
pub(crate) use upcoming::Upcoming;

/// A running transfer. Dropping it stops the transfer and joins its threads.
///
/// ```
/// use std::sync::Arc;
///
/// use arraylift::{Job, Options, Origin, Outcome, Range, SinkSpec, SourceSpec, Transfer};
///
/// let job = Job::Loopback {
///     source: SourceSpec::new(Origin::Range(Range::parse("0:1e9", None)?)),
///     sink: SinkSpec::Discard,
/// };
/// let (events, _) = crossbeam_channel::bounded(1);
/// let transfer = Transfer::start(job, Options::default(), events, Arc::new(|| {}))?;
/// transfer.set_limit(Some(100_000_000));
/// transfer.cancel();
/// assert!(matches!(transfer.join(), Outcome::Cancelled));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Transfer {
    id: TransferId,
    controls: Arc<Controls>,
    outcome: Arc<OnceLock<Outcome>>,
    received: Arc<ReceivedCell>,
    thread: Thread,
}

impl Transfer {
    /// Starts `job` on threads of its own and returns at once.
    ///
    /// What happens is told over `events`; samples that do not fit are dropped, everything else is kept until there is
    /// room. `waker` is called after events were sent.
    ///
    /// # Errors
    /// Only where the system gives no thread; everything else that can go wrong arrives as an event.
    pub fn start(job: Job, options: Options, events: Sender<Event>, waker: Waker) -> Result<Self, Error> {
        Self::begin(Upcoming::new(&options), job, options, events, waker)
    }

    /// The same as [`Transfer::start`], for a transfer that others know already.
    pub(crate) fn begin(
        upcoming: Upcoming,
        job: Job,
        options: Options,
        events: Sender<Event>,
        waker: Waker,
    ) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::system("cannot start the transfer", &error);
        let Upcoming { id, controls } = upcoming;
        let (outcome, received) = (Arc::new(OnceLock::new()), Arc::new(ReceivedCell::default()));
        // Closed when the transfer has ended: whoever reads may join it then.
        let end = {
            let (events, waker) = (events.clone(), Arc::clone(&waker));
            move || {
                drop(events);
                waker();
            }
        };
        let events = tell::sampler::Emitter::new(id, events, waker);
        let body = {
            let (controls, outcome) = (Arc::clone(&controls), Arc::clone(&outcome));
            let received = Arc::clone(&received);
            move || {
                run::run(job, &options, &controls, events, &received, &outcome);
                Ok(())
            }
        };
        let thread = Thread::start_with_waker(&format!("arraylift-{}", id.0), body, end).map_err(failed)?;
        let thread = thread.cancelled_by({
            let controls = Arc::clone(&controls);
            move || controls.stop()
        });
        Ok(Self {
            id,
            controls,
            outcome,
            received,
            thread,
        })
    }

    /// Tells transfers apart.
    #[must_use]
    pub fn id(&self) -> TransferId {
        self.id
    }

    /// Stops moving bytes until [`Transfer::resume`]; takes effect at once, on the native wire at the next block.
    pub fn pause(&self) {
        self.controls.pause(true);
    }

    /// Goes on.
    pub fn resume(&self) {
        self.controls.pause(false);
    }

    /// Gives up; what was half received is removed.
    pub fn cancel(&self) {
        self.controls.cancel();
    }

    /// Gives up for now; what was half received into a file stays where it can be gone on with: when the same is sent
    /// there once more. So does dropping it.
    pub fn stop(&self) {
        self.controls.stop();
    }

    /// Changes the limit while the transfer runs; `None`, or 0, lifts it.
    pub fn set_limit(&self, bytes_per_s: Option<u64>) {
        self.controls.set_limit(bytes_per_s);
    }

    /// Does what `command` asks of this transfer, whichever id it names. [`Command::Stop`] stops it;
    /// [`Command::Drain`] lets it go on to its end.
    pub(crate) fn apply(&self, command: Command) {
        self.controls.apply(command);
    }

    /// How fast its bytes may move as it is asked here; `None`: as fast as they can.
    pub(crate) fn own_limit_bytes_per_s(&self) -> Option<u64> {
        self.controls.slowest_bytes_per_s()
    }

    /// Bytes by which it was seen that the peer gets on, when somebody last waited for it: also those that it compares.
    pub(crate) fn progress_bytes(&self) -> u64 {
        self.controls.progress_bytes()
    }

    /// Ends it as too slow: hardly a byte has moved for so long, and others want its place.
    pub(crate) fn give_way(&self, stuck_for: Duration) {
        self.controls.give_way(stuck_for);
    }

    /// Changes how fast the program on a side goes while the transfer runs: the one that yields the bytes where it is
    /// the sender's, the one that takes them where it is the receiver's. `None`: as fast as it can. Nothing changes
    /// where that side is not here.
    pub fn set_pace(&self, side: Side, bytes_per_s: Option<u64>) {
        self.controls.set_pace(side, bytes_per_s);
    }

    /// How it ended; `None` while it runs.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome.get().cloned()
    }

    /// Waits for the end.
    #[must_use]
    pub fn join(self) -> Outcome {
        self.join_received().0
    }

    /// Waits for the end. Returns the array, too, where it was received whole into [`SinkSpec::Memory`] and
    /// [`Options::keep_received`] asked for it.
    #[must_use]
    pub fn join_received(self) -> (Outcome, Option<ReceivedArray>) {
        let ended = self.thread.join();
        let outcome = self.outcome.get().cloned();
        let outcome = outcome.unwrap_or_else(|| run::without_outcome(ended.err()));
        (outcome, self.received.take())
    }
}
