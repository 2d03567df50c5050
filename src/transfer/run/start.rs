//! Meets the peer, and starts the first connection of each side that is here.

use std::time::{Duration, Instant};

use std::sync::Arc;

use crate::array::ArrayMeta;
use crate::error::Error;
use crate::route::SendRouteChoice;
use crate::transfer::fetch::{FetchPlan, FirstFetcher};
use crate::transfer::net::connection::{Connection, unix_pair};
use crate::transfer::net::endpoint::Endpoint;
use crate::transfer::net::listener::{Listener, loopback};
use crate::transfer::plan::{Incoming, Job, OfferingSender, Origin, SinkSpec, SourceSpec};
use crate::transfer::receive::{FirstReceiver, Met, Offered, ReceivePlan, Reception, Wanted};
use crate::transfer::send::{FirstSender, TreeSender};
use crate::transfer::sink::received::ReceivedCell;
use crate::transfer::source::Source;
use crate::transfer::source::send_path::{SendPath, SendPathRequest};
use crate::transfer::source::tree::{TreeSource, TreeSpec};
use crate::transfer::tell::event::{EventKind, Side, State};
use crate::wire::WireChoice;

use super::{Run, new_wake};

impl Run<'_> {
    /// Meets the peer and starts the data threads; false where it was cancelled before.
    pub(super) fn start(&mut self, job: Job) -> Result<bool, Error> {
        self.options.check()?;
        match job {
            Job::Loopback { source, sink } => self.loop_back(&source, sink),
            Job::Send { source, to } => self.send(&source, to),
            Job::Receive { from, sink, expect } => self.receive(from, sink, expect),
            Job::Fetch { url, trust, sink } => self.fetch(FetchPlan { url, trust, sink }),
        }
    }

    /// Both ends are here.
    fn loop_back(&mut self, source: &SourceSpec, sink: SinkSpec) -> Result<bool, Error> {
        sink.check()?;
        if let Origin::Tree(spec) = &source.origin {
            return self.loop_tree_back(spec, sink);
        }
        let source = Source::open(source)?;
        // A handoff that was asked for can have its Unix socket.
        let unix = self.options.send_route == SendRouteChoice::Handoff;
        let Some(path) = self.send_path(&source, unix)? else {
            return Ok(false);
        };
        if let SinkSpec::Within { path, .. } = &sink
            && source.is_file_at(path)
        {
            let text = format!("{} cannot be received into itself", path.display());
            return Err(Error::Usage(text));
        }
        let plan = ReceivePlan {
            expect: Some(source.meta.clone()),
            keep: self.keep(&sink),
            keep_free: None,
            part_number: None,
            source: Some(source.title.clone()),
            sink,
        };
        self.begin_clock(Side::Sender, State::Connecting);
        let (sending, receiving, listener) = if unix {
            let (sending, receiving) = unix_pair(self.options.socket_buffer_bytes)?;
            (sending, receiving, None)
        } else {
            let at = Endpoint::Tcp("127.0.0.1:0".into());
            let listener = Listener::bind_with_buffers(&at, self.options.socket_buffer_bytes)?;
            let (sending, receiving) = loopback(&listener)?;
            self.to = Some(Endpoint::Tcp(listener.address().into()));
            (sending, receiving, Some(listener))
        };
        self.restart_clock();
        let into = plan.sink.describe();
        self.spawn_receiver(receiving, plan, listener)?;
        self.spawn_sender(sending, source, path, Some(into))?;
        Ok(true)
    }

    /// Both ends of a tree are here.
    fn loop_tree_back(&mut self, spec: &TreeSpec, sink: SinkSpec) -> Result<bool, Error> {
        let SinkSpec::Folder(into) = &sink else {
            return Err(Error::Usage(
                "a folder and what is in it need a folder to go to: name one with --into FOLDER/".into(),
            ));
        };
        if let Some(root) = spec.root_around(into) {
            let (into, root) = (into.display(), root.display());
            let text = format!("{into} lies in {root}, which would be copied into itself: name a folder outside of it");
            return Err(Error::Usage(text));
        }
        let source = self.open_tree(spec)?;
        self.begin_clock(Side::Sender, State::Connecting);
        let at = Endpoint::Tcp("127.0.0.1:0".into());
        let listener = Listener::bind_with_buffers(&at, self.options.socket_buffer_bytes)?;
        let (sending, receiving) = loopback(&listener)?;
        self.to = Some(Endpoint::Tcp(listener.address().into()));
        self.restart_clock();
        let into = sink.describe();
        let plan = ReceivePlan {
            expect: None,
            keep: None,
            keep_free: None,
            part_number: None,
            source: Some(source.title()),
            sink,
        };
        self.spawn_receiver(receiving, plan, Some(listener))?;
        self.spawn_tree_sender(sending, source, Some(into))?;
        Ok(true)
    }

    fn open_tree(&self, spec: &TreeSpec) -> Result<TreeSource, Error> {
        match self.options.wire {
            WireChoice::Auto | WireChoice::Native => TreeSource::open(spec),
            WireChoice::Npy | WireChoice::Raw => Err(Error::Usage(
                "a tree of files needs the native wire: npy and raw carry one array".into(),
            )),
        }
    }

    fn send(&mut self, source: &SourceSpec, to: Endpoint) -> Result<bool, Error> {
        self.peer = Some(to.to_string());
        if let Origin::Tree(spec) = &source.origin {
            let tree = self.open_tree(spec)?;
            let Some(connection) = self.connect(&to)? else {
                return Ok(false);
            };
            self.join_where(&connection, to);
            self.spawn_tree_sender(connection, tree, None)?;
            return Ok(true);
        }
        let source = Source::open(source)?;
        let Some(path) = self.send_path(&source, matches!(to, Endpoint::Unix(_)))? else {
            return Ok(false);
        };
        let Some(connection) = self.connect(&to)? else {
            return Ok(false);
        };
        self.join_where(&connection, to);
        self.spawn_sender(connection, source, path, None)?;
        Ok(true)
    }

    /// Further connections go where this one got through.
    fn join_where(&mut self, connection: &Connection, to: Endpoint) {
        if self.options.streams > 1 {
            self.to = connection.endpoint().or(Some(to));
        }
    }

    /// Reaches the receiver; `None` where it was cancelled meanwhile.
    fn connect(&mut self, to: &Endpoint) -> Result<Option<Connection>, Error> {
        self.begin_clock(Side::Sender, State::Connecting);
        let cancelled = || self.controls.is_cancelled();
        let buffer_bytes = self.options.socket_buffer_bytes;
        let wake = new_wake(self.controls)?;
        let connection = Connection::open(to, buffer_bytes, self.options.timeout, &wake, &cancelled)?;
        // The connection's thread takes it over.
        drop(wake);
        let Some(connection) = connection else {
            return Ok(None);
        };
        connection.check_user(self.options.peer_user)?;
        self.restart_clock();
        Ok(Some(connection))
    }

    fn receive(&mut self, from: Incoming, sink: SinkSpec, expect: Option<ArrayMeta>) -> Result<bool, Error> {
        let plan = ReceivePlan {
            expect,
            keep: self.keep(&sink),
            keep_free: None,
            part_number: None,
            source: None,
            sink,
        };
        match from {
            // A sink that cannot work is told to the sender, who is here already.
            Incoming::Connection(connection) => {
                self.begin_clock(Side::Receiver, State::Connecting);
                self.peer = Some(connection.peer().into());
                self.spawn_receiver(connection, plan, None)?;
                Ok(true)
            }
            Incoming::Sender(OfferingSender { offered, listener }) => {
                self.receive_offered(*offered, listener, plan)?;
                Ok(true)
            }
            Incoming::Listener(listener) => {
                plan.sink.check()?;
                self.listen(listener, plan)
            }
        }
    }

    /// Receives from the first who offers an array; false where it was cancelled before.
    fn listen(&mut self, listener: Listener, plan: ReceivePlan) -> Result<bool, Error> {
        let wake = new_wake(self.controls)?;
        self.begin_clock(Side::Receiver, State::Listening);
        let wanted = Wanted::Array(plan.expect.clone());
        let mut reception = Reception::new(&listener, wanted, self.options, self.controls, &wake);
        let offered = loop {
            match reception.next()? {
                Some(Met::Sender(offered)) => break offered,
                Some(Met::Stranger { peer, message }) => {
                    let told = EventKind::Stranger {
                        peer,
                        message,
                        is_last: false,
                    };
                    self.emitter.emit(Side::Receiver, self.clock.elapsed(), told);
                    self.emitter.wake();
                }
                Some(Met::Unusable { peer, error }) => {
                    self.peer = Some(peer);
                    return Err(error);
                }
                None => return Ok(false),
            }
        };
        drop(reception);
        self.receive_offered(*offered, listener, plan)?;
        Ok(true)
    }

    /// Receives what a sender has offered, whose further connections come in at that listener.
    fn receive_offered(&mut self, offered: Offered, listener: Listener, plan: ReceivePlan) -> Result<(), Error> {
        self.begin_clock(Side::Receiver, State::Connecting);
        self.peer = Some(offered.connection.peer().into());
        let options = self.options.clone();
        let requests = self.requests.joins.0.clone();
        self.spawn(Side::Receiver, move |context, _| {
            let receiver = FirstReceiver::of_offer(offered, plan, listener, &options, requests, context);
            Ok(Some(receiver))
        })
    }

    fn fetch(&mut self, plan: FetchPlan) -> Result<bool, Error> {
        plan.sink.check()?;
        self.peer = Some(plan.url.server());
        self.begin_clock(Side::Receiver, State::Connecting);
        let options = self.options.clone();
        let requests = self.requests.parts.0.clone();
        self.spawn(Side::Receiver, move |context, wake| {
            Ok(Some(FirstFetcher::new(plan, &options, wake, requests, context)))
        })?;
        Ok(true)
    }

    /// Where an array is left that is to outlive the transfer.
    fn keep(&self, sink: &SinkSpec) -> Option<Arc<ReceivedCell>> {
        let is_kept = self.options.keep_received && *sink == SinkSpec::Memory;
        is_kept.then(|| Arc::clone(self.received))
    }

    /// The route by which a source leaves; `None` where it was cancelled while that was prepared.
    fn send_path(&self, source: &Source, unix: bool) -> Result<Option<SendPath>, Error> {
        source.send_path(&SendPathRequest {
            route: self.options.send_route,
            wire: self.options.wire,
            chunk_bytes: self.options.chunk_bytes,
            unix,
            cancelled: &|| self.controls.is_cancelled(),
        })
    }

    /// Nothing that is measured counts the time until the peer was reached.
    fn restart_clock(&mut self) {
        self.clock = Instant::now();
    }

    fn begin_clock(&mut self, side: Side, state: State) {
        self.clock = Instant::now();
        self.announced = Some((side, state));
        self.emitter.emit(side, Duration::ZERO, EventKind::State { state });
        self.emitter.wake();
    }

    fn spawn_receiver(
        &mut self,
        connection: Connection,
        plan: ReceivePlan,
        listener: Option<Listener>,
    ) -> Result<(), Error> {
        let options = self.options.clone();
        let requests = self.requests.joins.0.clone();
        self.spawn(Side::Receiver, move |context, _| {
            FirstReceiver::new(connection, plan, listener, &options, requests, context).map(Some)
        })
    }

    fn spawn_tree_sender(
        &mut self,
        connection: Connection,
        source: TreeSource,
        sink: Option<String>,
    ) -> Result<(), Error> {
        let options = self.options.clone();
        let requests = self.requests.streams.0.clone();
        self.spawn(Side::Sender, move |context, wake| {
            TreeSender::new(connection, source, &options, sink, requests, wake, context).map(Some)
        })
    }

    fn spawn_sender(
        &mut self,
        connection: Connection,
        source: Source,
        path: SendPath,
        sink: Option<String>,
    ) -> Result<(), Error> {
        let options = self.options.clone();
        let requests = self.requests.streams.0.clone();
        self.spawn(Side::Sender, move |context, _| {
            FirstSender::new(connection, source, path, &options, sink, requests, context).map(Some)
        })
    }
}
