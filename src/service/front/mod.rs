//! The front of every service: one thread that accepts whoever connects, waits for sockets and times, obeys commands and
//! tells what happens. What is done with the connections is its guest's.

mod back_off;
mod context;
mod deadlines;
mod source;
mod turns;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use mio::{Events, Interest, Token};

use crate::error::Error;
use crate::sys::awake_now;
use crate::transfer::{Command, TransferId};

use super::status::{AnyEvent, OpenCounts, Status};

pub(super) use context::FrontContext;
pub(super) use source::{Arrival, ConnectionSource, ListenerSource};
pub(super) use turns::Turns;

/// Readiness that one wait brings, at most.
const EVENTS: usize = 1024;
/// Commands that may wait for a busy front.
const COMMANDS: usize = 256;
/// Connections that are accepted between two waits.
const ACCEPTS: usize = 64;
const SOURCE: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);
/// A guest's token for the socket where its workers join: no connection has that key.
pub(super) const JOINS: usize = usize::MAX - 2;

/// What a front serves: it has the connections, and knows what to do with them.
pub(super) trait Guest {
    /// A connection in the form in which this guest takes it.
    type Arrival;

    /// Whether those who have connected when the front closes are accepted once more, to be told that it has.
    const ANSWERS_LATECOMERS: bool = false;

    /// Whether its counts are told as events.
    const TELLS_COUNTS: bool = true;

    /// Whether one more connection can be taken. Whoever connects meanwhile waits in the listener's queue.
    fn has_room(&self) -> bool;

    /// Takes a connection.
    fn accept(&mut self, arrival: Self::Arrival, front: &mut FrontContext);

    /// A socket that is watched by that token has become readable or writable. It may have been closed since.
    fn ready(&mut self, token: usize, front: &mut FrontContext);

    /// Does what can be done now, without waiting. Called before each wait.
    ///
    /// # Errors
    /// Nothing further can be done: the front stops, and ends with this error.
    fn work(&mut self, front: &mut FrontContext) -> Result<(), Error>;

    /// When [`Guest::work`] is to be called again, whatever else happens; `now` where more can be done at once.
    fn due(&self, now: Instant) -> Option<Instant>;

    /// Obeys a command for one transfer, where this guest has it.
    fn apply(&mut self, _command: Command, _transfer: TransferId, _front: &mut FrontContext) {}

    /// The front accepts nobody any more. May be told again, in another way.
    fn close(&mut self, how: Closing, front: &mut FrontContext);

    /// Whether a closed front can end.
    fn is_idle(&self) -> bool;

    /// The front has ended, but for its last counts.
    fn finish(&mut self, _front: &mut FrontContext) {}

    /// Counts what is open now.
    fn open_counts(&self) -> OpenCounts;
}

/// How a front closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// Its source has ended: the connections that are open stay.
    SourceOver,
    /// What is under way goes on to its end.
    Drain,
    /// Everything ends.
    Stop,
}

/// The front of one service. `A` is what its source yields and its guest takes.
pub(super) struct Front<A> {
    context: FrontContext,
    source: Box<dyn ConnectionSource<A>>,
    commands: Receiver<Command>,
    /// The source may have more connections.
    accepts_more: bool,
    /// The guest has been told that no more connections can come.
    is_source_over: bool,
}

/// Commands a front from other threads.
#[derive(Debug, Clone)]
pub(super) struct FrontHandle {
    commands: Sender<Command>,
    waker: Arc<mio::Waker>,
}

impl<A> Front<A> {
    /// A front that takes what comes from `source`, and tells what happens over `events`.
    ///
    /// # Errors
    /// The system gives no descriptor.
    pub(super) fn new(
        source: impl ConnectionSource<A> + 'static,
        events: Sender<AnyEvent>,
    ) -> io::Result<(Self, FrontHandle)> {
        let context = FrontContext::new(events, WAKER)?;
        if let Some(socket) = source.socket() {
            context.register(&socket, SOURCE, Interest::READABLE)?;
        }
        let waker = context.waker();
        let (sender, commands) = bounded(COMMANDS);
        let front = Self {
            context,
            source: Box::new(source),
            commands,
            accepts_more: true,
            is_source_over: false,
        };
        let commands = sender;
        Ok((front, FrontHandle { commands, waker }))
    }

    /// What the guest needs when it is made.
    pub(super) fn context(&mut self) -> &mut FrontContext {
        &mut self.context
    }

    /// Serves the guest until the front is closed and the guest idle.
    ///
    /// # Errors
    /// The guest's, its source did something wrong, or the system did not let it wait.
    pub(super) fn run<G: Guest<Arrival = A>>(mut self, guest: &mut G) -> Result<Status, Error> {
        let mut events = Events::with_capacity(EVENTS);
        let mut result = Ok(());
        loop {
            if let Err(error) = guest.work(&mut self.context) {
                result = Err(error);
                self.close(guest, Closing::Stop);
            }
            self.context.tell_due(|| guest.open_counts());
            if !self.context.is_open() && guest.is_idle() {
                break;
            }
            self.wait(&mut events, guest)?;
            for event in &events {
                match event.token() {
                    SOURCE => self.accepts_more = true,
                    WAKER => {}
                    Token(token) => guest.ready(token, &mut self.context),
                }
            }
            self.obey(guest);
            self.accept(guest);
        }
        guest.finish(&mut self.context);
        let status = self.context.end(guest.open_counts(), G::TELLS_COUNTS);
        result.and(self.source.take_failure().map_or(Ok(status), Err))
    }

    /// Waits until a socket has changed, or something is due.
    fn wait(&mut self, events: &mut Events, guest: &impl Guest<Arrival = A>) -> Result<(), Error> {
        let now = awake_now();
        // That nobody comes any more may have been seen only now, where the last one was asked for.
        let has_ended = self.source.is_over() && !self.is_source_over;
        let timeout = if has_ended || self.may_accept(guest, now) {
            Some(Duration::ZERO)
        } else {
            let until = [guest.due(now), self.context.due(now)].into_iter().flatten().min();
            until.map(|until| until.saturating_duration_since(now))
        };
        match self.context.poll(events, timeout) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            Err(error) => Err(Error::system("cannot wait for connections", &error)),
        }
    }

    /// Does what was commanded since the last call.
    pub(super) fn obey(&mut self, guest: &mut impl Guest<Arrival = A>) {
        let mut commands: Vec<Command> = self.commands.try_iter().collect();
        commands.extend(self.source.read());
        // The next wait does not tell of a connection that has been read already.
        self.accepts_more |= self.source.keeps_some();
        if self.source.take_asked() {
            // The counts are the sign of life, whether or not they have changed.
            self.context.counts_have_changed();
        }
        for command in commands {
            match command {
                Command::Drain => self.close(guest, Closing::Drain),
                Command::Stop => self.close(guest, Closing::Stop),
                Command::Pause { transfer }
                | Command::Resume { transfer }
                | Command::Cancel { transfer }
                | Command::Limit { transfer, .. } => guest.apply(command, transfer, &mut self.context),
            }
        }
        if self.context.take_drain() {
            self.close(guest, Closing::Drain);
        }
        if self.source.is_over() && !std::mem::replace(&mut self.is_source_over, true) {
            self.close(guest, Closing::SourceOver);
        }
    }

    /// Accepts nobody any more.
    fn close<G: Guest<Arrival = A>>(&mut self, guest: &mut G, how: Closing) {
        if G::ANSWERS_LATECOMERS {
            while let Ok(Some(arrival)) = self.source.take() {
                guest.accept(arrival, &mut self.context);
            }
        }
        self.source.close();
        self.context.close();
        if how == Closing::Stop {
            self.context.counters.stop();
        }
        if G::TELLS_COUNTS {
            self.context.counts_have_changed();
        }
        guest.close(how, &mut self.context);
    }

    pub(super) fn may_accept(&self, guest: &impl Guest<Arrival = A>, now: Instant) -> bool {
        self.accepts_more && self.context.may_accept(now) && guest.has_room()
    }

    /// Accepts those who have connected, as far as there is room for them.
    pub(super) fn accept(&mut self, guest: &mut impl Guest<Arrival = A>) {
        for _ in 0..ACCEPTS {
            if !self.may_accept(guest, awake_now()) {
                return;
            }
            match self.source.take() {
                Ok(Some(arrival)) => guest.accept(arrival, &mut self.context),
                Ok(None) => self.accepts_more = false,
                // No descriptor or memory is left: whoever ends gives its own back.
                Err(_) => self.context.pause(),
            }
        }
    }
}

impl FrontHandle {
    /// Hands a command to the front's thread. One that has ended does not hear it.
    pub(super) fn apply(&self, command: Command) {
        if self.commands.send(command).is_ok() {
            let _ = self.waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::status::{AnyEvent, ServiceEvent};
    use std::os::fd::{AsFd as _, BorrowedFd};
    use std::os::unix::net::UnixStream;

    /// Yields two connections, with an error between them, and then ends.
    struct Faltering {
        socket: UnixStream,
        takes: usize,
    }

    impl ConnectionSource<usize> for Faltering {
        fn socket(&self) -> Option<BorrowedFd<'_>> {
            Some(self.socket.as_fd())
        }

        fn take(&mut self) -> io::Result<Option<usize>> {
            self.takes += 1;
            match self.takes {
                2 => Err(io::ErrorKind::OutOfMemory.into()),
                take => Ok((take < 4).then_some(take)),
            }
        }

        fn is_over(&self) -> bool {
            self.takes > 3
        }
    }

    /// Has room for one connection at a time, and is done with each in its next turn.
    #[derive(Default)]
    struct Counting {
        open: usize,
        accepted_at: Vec<Instant>,
        closed: Option<Closing>,
    }

    impl Guest for Counting {
        type Arrival = usize;

        fn has_room(&self) -> bool {
            self.open == 0
        }

        fn accept(&mut self, _arrival: usize, front: &mut FrontContext) {
            self.open += 1;
            self.accepted_at.push(Instant::now());
            front.counts_have_changed();
        }

        fn ready(&mut self, _token: usize, _front: &mut FrontContext) {}

        fn work(&mut self, front: &mut FrontContext) -> Result<(), Error> {
            for _ in 0..std::mem::take(&mut self.open) {
                front.counters.count_connection(true);
            }
            Ok(())
        }

        fn due(&self, now: Instant) -> Option<Instant> {
            (self.open > 0).then_some(now)
        }

        fn close(&mut self, how: Closing, _front: &mut FrontContext) {
            self.closed = Some(how);
        }

        fn is_idle(&self) -> bool {
            self.open == 0
        }

        fn open_counts(&self) -> OpenCounts {
            OpenCounts::default()
        }
    }

    #[test]
    fn a_front_pauses_where_something_runs_out_and_ends_with_its_source() {
        let (socket, _other) = UnixStream::pair().expect("pair");
        let (sender, events) = bounded(16);
        let (front, _handle) = Front::new(Faltering { socket, takes: 0 }, sender).expect("a front");
        let mut guest = Counting::default();
        let status = front.run(&mut guest).expect("it ends");
        assert_eq!((status.done, status.exhausted), (2, 1));
        assert_eq!(guest.closed, Some(Closing::SourceOver));
        let [first, second] = guest.accepted_at[..] else {
            panic!("{} were accepted", guest.accepted_at.len());
        };
        assert!(second - first >= Duration::from_millis(90), "{:?}", second - first);
        let last = events.try_iter().last();
        assert_eq!(last, Some(AnyEvent::Service(ServiceEvent::Service(status))));
    }
}
