//! What a front gives its guest: sockets to be watched, events to be told, counts, and a pause when something runs out.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::error::Error;
use crate::service::status::{AnyEvent, Counters, OpenCounts, ServiceEvent, Status};
use crate::sys::{awake_now, ticking};
use crate::transfer::{Event, EventKind, EventQueue, Side, TransferId};

use super::back_off::BackOff;

/// While so many events found no room with whoever reads them, nobody new is accepted.
const KEPT_EVENTS_MAX: usize = 4096;
/// Events that found no room are tried again so much later.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);
/// Counts are told so long after those before, while nothing but bytes changes.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);
/// And so long where somebody has come or gone.
const COUNTS_INTERVAL: Duration = Duration::from_millis(100);

/// What a guest can use of its front.
pub(in crate::service) struct FrontContext {
    poll: Poll,
    events: EventQueue<AnyEvent>,
    pub(in crate::service) counters: Counters,
    waker: Arc<Waker>,
    is_open: bool,
    /// Its guest has asked it to take nobody any more.
    drains: bool,
    back_off: BackOff,
    /// What has changed since the last status.
    news: News,
    last_status: Status,
    last_status_at: Instant,
}

/// What a status would tell that the one before did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum News {
    Nothing,
    /// Bytes have moved.
    Bytes,
    /// Somebody has come or gone.
    Counts,
}

impl FrontContext {
    /// `token` is the one by which it hears of its waker.
    pub(super) fn new(events: Sender<AnyEvent>, token: Token) -> io::Result<Self> {
        let now = awake_now();
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), token)?);
        Ok(Self {
            poll,
            events: EventQueue::new(events),
            counters: Counters::new(now),
            waker,
            is_open: true,
            drains: false,
            back_off: BackOff::default(),
            news: News::Nothing,
            last_status: Status::default(),
            last_status_at: now,
        })
    }

    /// Watches a socket: its guest is told by `token` whenever it becomes readable or writable.
    ///
    /// # Errors
    /// The system has no memory for it, or watches it already.
    pub(in crate::service) fn watch(&self, socket: &impl AsFd, token: usize) -> io::Result<()> {
        self.register(socket, Token(token), Interest::READABLE | Interest::WRITABLE)
    }

    /// Watches a socket no longer, though another descriptor keeps it open.
    pub(in crate::service) fn unwatch(&self, socket: &impl AsFd) {
        // One that is not watched needs nothing.
        let _ = self
            .poll
            .registry()
            .deregister(&mut SourceFd(&socket.as_fd().as_raw_fd()));
    }

    /// Tells an event before the next wait: many at once wake their reader once. A sample that finds no room is dropped,
    /// as the next one tells as much; everything else is kept until there is room.
    pub(in crate::service) fn tell(&mut self, event: AnyEvent) {
        if event.is_sample() {
            self.events.offer(event);
        } else {
            self.events.hold(event);
        }
    }

    /// Tells that somebody was not taken, of a service whose connections are no transfers.
    pub(in crate::service) fn tell_stranger(&mut self, peer: &str, error: &Error) {
        let kind = EventKind::Stranger {
            peer: peer.to_owned(),
            message: error.to_string(),
            is_last: true,
        };
        let event = Event::new(TransferId::next(), Side::Receiver, 0.0, kind);
        self.tell(AnyEvent::Transfer(event));
    }

    /// Bytes have moved: the counts are told when a second has passed since the last time.
    pub(in crate::service) fn has_moved(&mut self) {
        self.news = self.news.max(News::Bytes);
    }

    /// Somebody has come or gone: the counts are told soon.
    pub(in crate::service) fn counts_have_changed(&mut self) {
        self.news = News::Counts;
    }

    /// Something has run out: nobody is accepted for a moment.
    pub(in crate::service) fn pause(&mut self) {
        self.back_off.begin(awake_now());
        self.counters.count_pause();
    }

    pub(in crate::service) fn is_paused(&self, now: Instant) -> bool {
        self.back_off.until(now).is_some()
    }

    /// What ends the front's wait, from any thread.
    pub(in crate::service) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Drains the front, as the command does.
    pub(in crate::service) fn drain(&mut self) {
        self.drains = true;
    }

    pub(super) fn take_drain(&mut self) -> bool {
        std::mem::take(&mut self.drains)
    }

    /// Whether connections are accepted, now or after a pause.
    pub(in crate::service) fn is_open(&self) -> bool {
        self.is_open
    }

    pub(super) fn close(&mut self) {
        self.is_open = false;
    }

    pub(super) fn may_accept(&self, now: Instant) -> bool {
        self.is_open && !self.is_paused(now) && self.events.kept() < KEPT_EVENTS_MAX
    }

    pub(super) fn register(&self, socket: &impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        let descriptor = socket.as_fd().as_raw_fd();
        self.poll
            .registry()
            .register(&mut SourceFd(&descriptor), token, interest)
    }

    pub(super) fn poll(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let poll = &mut self.poll;
        ticking(timeout, |part| poll.poll(events, part))
    }

    /// When the front itself has something to do.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let kept = (self.events.kept() > 0).then(|| now + RETRY_INTERVAL);
        let status = self.status_due();
        let pause = self.back_off.until(now);
        [kept, status, pause].into_iter().flatten().min()
    }

    /// Sends the events that are kept, and the counts where they are due.
    pub(in crate::service) fn tell_due(&mut self, open: impl FnOnce() -> OpenCounts) {
        self.events.retry();
        let now = awake_now();
        if self.status_due().is_some_and(|due| now >= due) {
            self.tell_status(open(), now);
        }
    }

    /// Takes the last counts, tells them where they are to be told, and everything that was kept.
    pub(super) fn end(mut self, open: OpenCounts, tells_counts: bool) -> Status {
        let now = awake_now();
        if tells_counts {
            self.tell_status(open, now);
        } else {
            self.last_status = self.status(open, now);
        }
        self.events.finish();
        self.last_status
    }

    /// When the counts are to be told; `None` while all rests.
    fn status_due(&self) -> Option<Instant> {
        let interval = match self.news {
            News::Nothing => return None,
            News::Bytes => STATUS_INTERVAL,
            News::Counts => COUNTS_INTERVAL,
        };
        Some(self.last_status_at + interval)
    }

    fn tell_status(&mut self, open: OpenCounts, now: Instant) {
        self.last_status = self.status(open, now);
        self.last_status_at = now;
        let told = AnyEvent::Service(ServiceEvent::Service(self.last_status));
        if self.last_status.rate_bytes_per_s > 0.0 {
            // It is told again, until all has come to rest.
            self.news = News::Bytes;
            self.events.offer(told);
        } else {
            self.news = News::Nothing;
            self.events.keep(told);
        }
    }

    fn status(&mut self, open: OpenCounts, now: Instant) -> Status {
        Status {
            draining: !self.is_open,
            ..self.counters.status(open, now)
        }
    }
}
