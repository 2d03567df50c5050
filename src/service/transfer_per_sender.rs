//! The guest that gives each sender a transfer with threads of its own, once it has offered an array: who says nothing has
//! no place. It tells of a transfer before its sender comes, so that one who watches sees what would be received next.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::array::ArrayMeta;
use crate::error::Error;
use crate::sys::awake_now;
use crate::transfer::{
    Command, Connection, Ended, Event, EventKind, Farewell, Incoming, Job, Listener, Met, Newcomers, OfferingSender,
    Options, Outcome, Side, SinkSpec, State, Transfer, TransferId, Upcoming, last_event,
};

use super::front::{Closing, FrontContext, Guest};
use super::limits::transfers_at_once;
use super::status::{AnyEvent, OpenCounts};

/// Transfers at once, as far as there are descriptors for them.
const AT_ONCE: usize = 16;
/// Whoever sends less gives way where others want its place or its room; what `serve` asks for at all times.
const SLOWEST_BYTES_PER_S: u64 = 1000;
/// Events of one transfer that may wait; samples beyond are dropped by the transfer.
const EVENTS: usize = 1024;
/// Of all sockets that are watched: each is looked at whenever one of them has changed.
const NEWCOMER: usize = 0;

/// All transfers of one listener.
pub(super) struct TransferPerSender {
    listener: Listener,
    sink: SinkSpec,
    expect: Option<ArrayMeta>,
    options: Options,
    /// The one whose sender is the next that connects.
    next: Option<Upcoming>,
    /// Who has connected and has no transfer.
    newcomers: Newcomers,
    running: Vec<Running>,
    running_max: usize,
    /// Until when room is wanted that is promised to others: someone was refused for want of it.
    wants_room_until: Option<Instant>,
    /// The front has been woken to hear what transfers tell: that serves all that tell before it does.
    is_woken: Arc<AtomicBool>,
}

struct Running {
    transfer: Transfer,
    events: Receiver<Event>,
    /// It has told how it ended.
    has_ended: bool,
    /// Bytes of the array, or of the files of a tree, that have come.
    landed_bytes: u64,
    /// Bytes of offers of a tree, which are all that comes of one that is there already.
    offered_bytes: u64,
    /// All by which it is seen that its sender gets on, when that was last as much as it should be, and when that was.
    moved: (u64, Instant),
    /// No byte has to move: it is paused here, or every byte has come.
    rests: bool,
}

impl TransferPerSender {
    /// Receives what comes to `listener` as `options` say.
    pub(super) fn new(listener: Listener, sink: SinkSpec, expect: Option<ArrayMeta>, options: Options) -> Self {
        let running_max = transfers_at_once(AT_ONCE);
        Self {
            newcomers: Newcomers::of_many(listener.clone(), expect.clone(), options.clone(), running_max),
            listener,
            sink,
            expect,
            options,
            next: None,
            running: Vec::new(),
            running_max,
            wants_room_until: None,
            is_woken: Arc::default(),
        }
    }

    /// Tells of the transfer that is next, as long as one may come.
    fn announce(&mut self, front: &mut FrontContext) {
        if self.next.is_none() && front.is_open() {
            let next = Upcoming::new(&self.options);
            let state = State::Listening;
            tell(front, next.id(), EventKind::State { state });
            self.next = Some(next);
        }
    }

    fn begin(&self, upcoming: Upcoming, sender: OfferingSender, front: &FrontContext) -> Result<Running, Error> {
        let job = Job::Receive {
            from: Incoming::Sender(sender),
            sink: self.sink.clone(),
            expect: self.expect.clone(),
        };
        let (tell, events) = bounded(EVENTS);
        let (waker, is_woken) = (front.waker(), Arc::clone(&self.is_woken));
        let wake = move || {
            if !is_woken.swap(true, Ordering::SeqCst) {
                drop(waker.wake());
            }
        };
        let transfer = Transfer::begin(upcoming, job, self.options.clone(), tell, Arc::new(wake))?;
        Ok(Running {
            transfer,
            events,
            has_ended: false,
            landed_bytes: 0,
            offered_bytes: 0,
            moved: (0, awake_now()),
            rests: false,
        })
    }
}

impl TransferPerSender {
    /// Begins the transfer of a sender, or tells who is none.
    fn meet(&mut self, met: Met, front: &mut FrontContext) {
        self.announce(front);
        match met {
            Met::Sender(offered) => {
                front.unwatch(&offered.connection);
                let upcoming = self.take_next();
                let id = upcoming.id();
                let listener = self.listener.clone();
                match self.begin(upcoming, OfferingSender { offered, listener }, front) {
                    Ok(running) => self.running.push(running),
                    // It closes, and its sender tries again.
                    Err(error) => {
                        end(front, id, last_event(Ended::Failed { error, bytes: 0 }, None));
                        front.pause();
                    }
                }
            }
            // The next sender is still waited for.
            Met::Stranger { peer, message } => {
                let is_last = false;
                if let Some(next) = &self.next {
                    tell(front, next.id(), EventKind::Stranger { peer, message, is_last });
                }
            }
            Met::Unusable { peer, error } => {
                let last = last_event(Ended::Failed { error, bytes: 0 }, Some(&peer));
                end(front, self.take_next().id(), last);
            }
        }
        self.announce(front);
    }

    /// The transfer that was told of, or a further one.
    fn take_next(&mut self) -> Upcoming {
        self.next.take().unwrap_or_else(|| Upcoming::new(&self.options))
    }

    /// Hears those who have connected, and begins the transfers of those who offer, as far as there are places.
    fn hear(&mut self, front: &mut FrontContext) {
        loop {
            let takes_senders = self.running.len() < self.running_max;
            let forget = |socket: BorrowedFd<'_>| front.unwatch(&socket);
            let Some(met) = self.newcomers.hear(takes_senders, &forget) else {
                return;
            };
            self.meet(met, front);
        }
    }
}

impl TransferPerSender {
    /// Where a further sender cannot be taken, those end of which hardly a byte has moved for the timeout: keep-alives
    /// alone keep no place and no room.
    fn give_way(&mut self) {
        let now = awake_now();
        self.wants_room_until = self.wants_room_until.filter(|until| now < *until);
        if !self.is_short() {
            return;
        }
        for running in &mut self.running {
            running.measure();
            let stuck_for = running.stuck_since().map(|since| now.saturating_duration_since(since));
            if let Some(stuck_for) = stuck_for.filter(|stuck_for| *stuck_for >= self.options.timeout) {
                running.transfer.give_way(stuck_for);
                running.rests = true;
            }
        }
    }
}

impl TransferPerSender {
    /// Whether someone wants a place or room that others have.
    fn is_short(&self) -> bool {
        let wants_place = self.running.len() >= self.running_max && self.newcomers.has_sender();
        wants_place || self.wants_room_until.is_some()
    }
}

impl Guest for TransferPerSender {
    type Arrival = Connection;

    /// Each transfer tells its own.
    const TELLS_COUNTS: bool = false;

    fn has_room(&self) -> bool {
        self.newcomers.has_place(awake_now())
    }

    fn accept(&mut self, connection: Connection, front: &mut FrontContext) {
        if front.watch(&connection, NEWCOMER).is_err() {
            // It closes, and its sender tries again.
            return front.pause();
        }
        match self.newcomers.add(connection, awake_now()) {
            Ok(None) => {}
            Ok(Some(met)) => self.meet(met, front),
            Err(error) => {
                let last = last_event(Ended::Failed { error, bytes: 0 }, None);
                end(front, self.take_next().id(), last);
            }
        }
    }

    /// All that have something to say are heard before the next wait. Transfers wait for their own sockets.
    fn ready(&mut self, _token: usize, _front: &mut FrontContext) {}

    fn work(&mut self, front: &mut FrontContext) -> Result<(), Error> {
        self.is_woken.store(false, Ordering::SeqCst);
        let mut lacked_room = false;
        for running in std::mem::take(&mut self.running) {
            if let Some(running) = running.listen(front, &mut lacked_room) {
                self.running.push(running);
            }
        }
        if lacked_room {
            // Whoever had begun only just before is known to be stuck after a whole timeout.
            self.wants_room_until = Some(awake_now() + 2 * self.options.timeout);
        }
        self.hear(front);
        self.give_way();
        self.announce(front);
        Ok(())
    }

    /// Transfers wake the front, but for those that are stuck.
    fn due(&self, now: Instant) -> Option<Instant> {
        let due = |running: &Running| running.stuck_since().map(|since| since + self.options.timeout);
        let is_short = self.is_short();
        let stuck = self.running.iter().filter(|_| is_short).filter_map(due);
        let of_newcomers = [self.newcomers.due(), self.newcomers.place_at(now)];
        stuck.chain(of_newcomers.into_iter().flatten()).min()
    }

    fn apply(&mut self, command: Command, transfer: TransferId, front: &mut FrontContext) {
        if let Some(running) = self.running.iter().find(|running| running.transfer.id() == transfer) {
            running.transfer.apply(command);
        } else if let Some(next) = self.next.as_ref().filter(|next| next.id() == transfer) {
            next.apply(command);
            // Whoever wants no further transfer ends nothing that is under way.
            if next.is_cancelled() {
                front.drain();
            }
        }
    }

    fn close(&mut self, how: Closing, front: &mut FrontContext) {
        // A place where nobody has come is no transfer that ends, unless somebody has cancelled it.
        if let Some(next) = self.next.take().filter(Upcoming::is_cancelled) {
            end(front, next.id(), EventKind::Cancelled { bytes: 0, note: None });
        }
        self.newcomers.dismiss(&Farewell {
            reason: "nothing more is received here".into(),
            returns: true,
        });
        if how == Closing::Stop {
            for running in &self.running {
                running.transfer.stop();
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    fn open_counts(&self) -> OpenCounts {
        OpenCounts {
            connections: self.running.len() + self.newcomers.len(),
            receiving: self.running.len(),
            waiting: 0,
        }
    }
}

impl Running {
    /// Passes on what it tells; `None` where it has told everything.
    fn listen(mut self, front: &mut FrontContext, lacked_room: &mut bool) -> Option<Self> {
        loop {
            match self.events.try_recv() {
                Ok(event) => {
                    self.notice(&event.kind);
                    *lacked_room |= lacks_promised_room(&event.kind);
                    if self.has_ended {
                        front.counters.count_transfer(&event.kind);
                    }
                    front.tell(AnyEvent::Transfer(event));
                }
                Err(TryRecvError::Empty) => return Some(self),
                Err(TryRecvError::Disconnected) => break,
            }
        }
        let id = self.transfer.id();
        if let (false, Outcome::Failed(failure)) = (self.has_ended, self.transfer.join()) {
            // Its thread has panicked.
            end(front, id, EventKind::Failed(failure));
        }
        None
    }

    fn notice(&mut self, kind: &EventKind) {
        self.has_ended = kind.is_last();
        match kind {
            EventKind::Sample(sample) => {
                self.landed_bytes = sample.bytes;
                self.measure();
            }
            EventKind::Items(items) => {
                self.offered_bytes = items.offered_bytes;
                self.measure();
            }
            EventKind::State { state } => {
                self.rests = matches!(state, State::Paused | State::Verifying);
                self.moved.1 = awake_now();
            }
            _ => {}
        }
    }

    /// Looks whether as many bytes have come, or were compared, as should have.
    fn measure(&mut self) {
        let (before, since) = self.moved;
        let told_bytes = self.landed_bytes + self.offered_bytes;
        let (bytes, now) = (told_bytes.max(self.transfer.progress_bytes()), awake_now());
        let own = self.transfer.own_limit_bytes_per_s();
        let slowest = own.map_or(SLOWEST_BYTES_PER_S, |own| (own / 2).min(SLOWEST_BYTES_PER_S));
        let due = slowest as f64 * now.saturating_duration_since(since).as_secs_f64();
        if bytes.saturating_sub(before) as f64 > due {
            self.moved = (bytes, now);
        }
    }

    /// Since when hardly a byte has moved that should have.
    fn stuck_since(&self) -> Option<Instant> {
        (!self.rests).then_some(self.moved.1)
    }
}

/// It ended for want of room that is promised to others: it would fit if they gave that back.
fn lacks_promised_room(kind: &EventKind) -> bool {
    let EventKind::Failed(failure) = kind else {
        return false;
    };
    match failure.error {
        Error::DiskFull { needed, room, .. } => room.is_some_and(|room| room.could_hold(needed)),
        Error::NotEnoughMemory {
            needed,
            available,
            promised,
        } => needed <= available.saturating_add(promised),
        _ => false,
    }
}

/// Counts and tells how a transfer ended.
fn end(front: &mut FrontContext, transfer: TransferId, last: EventKind) {
    front.counters.count_transfer(&last);
    tell(front, transfer, last);
}

fn tell(front: &mut FrontContext, transfer: TransferId, kind: EventKind) {
    front.tell(AnyEvent::Transfer(Event {
        kind,
        transfer,
        side: Side::Receiver,
        elapsed_s: 0.0,
    }));
}
