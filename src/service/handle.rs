//! A running service, from its owner's side: started in one of five ways, commanded, and joined.

use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::array::ArrayMeta;
use crate::error::Error;
use crate::sys::Wake;
use crate::thread::Thread;
use crate::transfer::{Admissions, Command, Listener, Options, ReceiverFactory, SinkSpec};

use super::echo::EchoLoop;
use super::front::{Arrival, ConnectionSource, Front, FrontContext, FrontHandle, Guest, ListenerSource};
use super::limits::{Limits, check_spare_descriptors};
use super::plan::Plan;
use super::receive_loop::ReceiveLoop;
use super::recipe::{AuthKey, RecipeDispatcher, RecipeSource};
use super::status::{AnyEvent, Status};
use super::transfer_per_sender::TransferPerSender;
use super::workers::Dispatcher;

/// A running service. Dropping it stops it and joins its thread.
#[derive(Debug)]
pub(crate) struct Service {
    front: FrontHandle,
    thread: Thread<Status>,
}

impl Service {
    /// Takes whoever connects to `listener`, on a thread of its own, and returns at once.
    ///
    /// What happens is told over `events`: samples and counts that do not fit are dropped, everything else is kept
    /// until there is room, and while much is kept nobody new is taken.
    ///
    /// # Errors
    /// Where the sink cannot work, or the system gives no thread or descriptor.
    pub(crate) fn start(listener: Listener, plan: Plan, events: Sender<AnyEvent>) -> Result<Self, Error> {
        plan.sink.check()?;
        check_spare_descriptors()?;
        match plan.workers.clone() {
            None => {
                let further = Some(listener.clone());
                Self::receive(ListenerSource::new(listener, Arrival::accept), further, plan, events)
            }
            Some(workers) => {
                let source = ListenerSource::new(listener, Listener::try_accept_socket);
                Self::spawn(source, events, |front| {
                    let connections = plan.limits.shares().connections;
                    Dispatcher::new(&plan, workers, connections, front)
                })
            }
        }
    }

    /// Gives each of a few senders a transfer with threads of its own, and returns at once. Where more come, they wait to
    /// be accepted. Where the sink cannot work, each sender is told.
    ///
    /// # Errors
    /// Where the system gives no thread or descriptor.
    pub(crate) fn transfers(
        listener: Listener,
        sink: SinkSpec,
        expect: Option<ArrayMeta>,
        options: Options,
        events: Sender<AnyEvent>,
    ) -> Result<Self, Error> {
        let source = ListenerSource::new(listener.clone(), Listener::try_accept);
        Self::spawn(source, events, |_| {
            Ok(TransferPerSender::new(listener, sink, expect, options))
        })
    }

    /// Sends every byte back to the client that sent it (RFC 862), on a thread of its own, and returns at once. A client
    /// that takes nothing back for the timeout is closed, and one of another user than the options name as well. A drained service ends when the last client has gone, or has
    /// said nothing for the `timeout`.
    ///
    /// # Errors
    /// Where the system gives no thread or descriptor.
    pub(crate) fn echo(
        listener: Listener,
        limits: &Limits,
        options: &Options,
        events: Sender<AnyEvent>,
    ) -> Result<Self, Error> {
        let connections = limits.shares().connections;
        let source = ListenerSource::new(listener, Listener::try_accept);
        let (timeout, peer_user) = (options.timeout, options.peer_user);
        Self::spawn(source, events, move |_| {
            Ok(EchoLoop::new(connections, timeout, peer_user))
        })
    }

    /// Hands connections to programs that connect to `path`, one descriptor at a time (`SCM_RIGHTS`), each of which is
    /// answered by `OK`. A program that does not answer within the `timeout` is closed, and its connection goes to another
    /// one. While there is none, nobody is accepted. With a `key` they are `Client`s of `multiprocessing.connection`,
    /// which answer nothing: what they have read, they have taken.
    ///
    /// # Errors
    /// Where the system gives no thread or descriptor, or the path cannot be used.
    pub(crate) fn recipe(
        listener: Listener,
        path: &Path,
        key: Option<AuthKey>,
        options: &Options,
        events: Sender<AnyEvent>,
    ) -> Result<Self, Error> {
        let source = ListenerSource::new(listener, Listener::try_accept_socket);
        Self::spawn(source, events, |front| RecipeDispatcher::new(path, key, options, front))
    }

    /// Receives over the connections that another program hands over at `path`, until that program ends. With a `key` it
    /// is a `Listener` of `multiprocessing.connection`. `None` where it was `cancelled` before the program had let it in,
    /// which is asked whenever `wake` ends a wait.
    ///
    /// # Errors
    /// Where there is no such program, the sink cannot work, or the system gives no thread or descriptor.
    pub(crate) fn of_recipe(
        path: &Path,
        key: Option<&AuthKey>,
        plan: Plan,
        events: Sender<AnyEvent>,
        (wake, cancelled): (&Wake, &dyn Fn() -> bool),
    ) -> Result<Option<Self>, Error> {
        plan.sink.check()?;
        let source = RecipeSource::join(path, key, &plan.options, wake, cancelled)?;
        source
            .map(|source| Self::receive(source, None, plan, events))
            .transpose()
    }

    /// Receives over the connections of a source. `further` is the listener where transfers expect further connections.
    pub(super) fn receive(
        source: impl ConnectionSource<Arrival> + 'static,
        further: Option<Listener>,
        plan: Plan,
        events: Sender<AnyEvent>,
    ) -> Result<Self, Error> {
        let shares = plan.limits.shares();
        let admissions = Admissions::new(plan.limits.admission(shares.open_sinks));
        Self::spawn(source, events, |front| {
            let waker = front.waker();
            let wake = Arc::new(move || drop(waker.wake()));
            let mut factory = ReceiverFactory::new(plan.sink, plan.expect, plan.options, admissions, wake);
            factory.listener = further;
            factory.keep_free = Some(plan.limits.keep_free);
            factory.slowest_bytes_per_s = plan.limits.slowest_bytes_per_s;
            Ok(ReceiveLoop::new(factory, shares.connections))
        })
    }

    /// Runs a front and its guest on a thread.
    fn spawn<G: Guest + Send + 'static>(
        source: impl ConnectionSource<G::Arrival> + 'static,
        events: Sender<AnyEvent>,
        guest: impl FnOnce(&mut FrontContext) -> Result<G, Error>,
    ) -> Result<Self, Error>
    where
        G::Arrival: 'static,
    {
        let (mut front, handle) = Front::new(source, events).map_err(|error| cannot_start(&error))?;
        let mut guest = guest(front.context())?;
        let thread = Thread::start("arraylift-serve", move || front.run(&mut guest));
        let thread = thread.map_err(|error| cannot_start(&error))?;
        Ok(Self {
            front: handle.clone(),
            thread: thread.cancelled_by(move || handle.apply(Command::Stop)),
        })
    }

    /// Takes nobody any more, and ends when what is being received has ended.
    pub(crate) fn drain(&self) {
        self.apply(Command::Drain);
    }

    /// Ends at once, and the senders are told; what was half received stays where it can be gone on with.
    pub(crate) fn stop(&self) {
        self.apply(Command::Stop);
    }

    /// Hands `command` to the service's thread, which obeys it in its next turn. A transfer that has ended is left
    /// alone.
    pub(crate) fn apply(&self, command: Command) {
        self.front.apply(command);
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// Where the system did not let it go on.
    pub(crate) fn join(self) -> Result<Status, Error> {
        self.thread.join()
    }
}

fn cannot_start(error: &std::io::Error) -> Error {
    Error::system("cannot start the service", error)
}
