//! Opens, or lets in, the further connections of a transfer that has begun.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::error::Error;
use crate::sys::Wake;
use crate::transfer::fetch::{FurtherFetcher, PartRequest};
use crate::transfer::machine::context::MachineContext;
use crate::transfer::net::connection::Connection;
use crate::transfer::net::endpoint::Endpoint;
use crate::transfer::net::expected::Expected;
use crate::transfer::plan::Options;
use crate::transfer::receive::join_acceptor::JoinAcceptor;
use crate::transfer::receive::{FurtherReceiver, FurtherTreeReceiver, JoinRequest, Joinable};
use crate::transfer::send::{ArrayStreams, FurtherSender, FurtherTreeSender, StreamRequest, TreeStreams};
use crate::transfer::tell::event::Side;
use crate::wire::SendWire;

use super::Run;

/// Where the first connections ask for further ones: once, or again for a file that has to come again.
pub(super) struct Requests {
    pub(super) streams: (Sender<StreamRequest>, Receiver<StreamRequest>),
    pub(super) joins: (Sender<JoinRequest>, Receiver<JoinRequest>),
    pub(super) parts: (Sender<PartRequest>, Receiver<PartRequest>),
}

impl Requests {
    pub(super) fn new() -> Self {
        Self {
            streams: bounded(1),
            joins: bounded(1),
            parts: bounded(1),
        }
    }
}

/// A receiver that further connections may join.
pub(super) struct Joining {
    transfer: Joinable,
    pub(super) connections: Receiver<Connection>,
    /// Dropped in this order: nobody is let in for a transfer that nobody waits for.
    _acceptor: Option<JoinAcceptor>,
    _expected: Expected,
}

impl Run<'_> {
    /// Opens further connections to a receiver. Without one the others go on.
    pub(super) fn open_streams(&mut self, request: StreamRequest) {
        match request {
            StreamRequest::Array(request) => self.open_array_streams(request),
            StreamRequest::Tree(request) => self.open_tree_streams(&request),
        }
    }

    fn open_tree_streams(&mut self, request: &TreeStreams) {
        let Some(to) = self.to.clone() else { return };
        let TreeStreams { sending, token, count } = request;
        for _ in 0..*count {
            let (to, options, sending, token) = (to.clone(), self.options.clone(), Arc::clone(sending), *token);
            let started = self.spawn(Side::Sender, move |context, wake| {
                let is_done = || sending.is_done();
                let opened = open_further(&to, &options, &context, wake, &is_done);
                Ok(opened.map(|connection| {
                    FurtherTreeSender::new(connection, Arc::clone(&sending), token, &options, context)
                }))
            });
            if started.is_err() {
                return;
            }
        }
    }

    fn open_array_streams(&mut self, request: ArrayStreams) {
        let ArrayStreams {
            sending,
            blocks,
            token,
            routes,
        } = request;
        let Some(to) = self.to.clone() else { return };
        for route in routes {
            let (to, options, sending) = (to.clone(), self.options.clone(), Arc::clone(&sending));
            let wire = SendWire::joining(token, Arc::clone(&blocks));
            let started = self.spawn(Side::Sender, move |context, wake| {
                let is_done = || sending.is_done.load(Ordering::SeqCst);
                let opened = open_further(&to, &options, &context, wake, &is_done);
                Ok(opened.map(|connection| {
                    FurtherSender::new(connection, Arc::clone(&sending), route, wire, &options, context)
                }))
            });
            if started.is_err() {
                return;
            }
        }
    }

    /// Fetches further parts of a file. Fails where the system gives no thread: nobody else fetches that part.
    pub(super) fn fetch_parts(&mut self, request: PartRequest) -> Result<(), Error> {
        for part in request.parts {
            let (file, options) = (Arc::clone(&request.file), self.options.clone());
            self.spawn(Side::Receiver, move |context, wake| {
                FurtherFetcher::new(&file, part, &options, wake, context).map(Some)
            })?;
        }
        Ok(())
    }

    /// Lets further connections of a receiver in. Where that fails nobody joins, and the first connection brings all.
    pub(super) fn let_join(&mut self, request: JoinRequest) {
        let JoinRequest {
            transfer,
            expected,
            is_sole,
        } = request;
        let acceptor = is_sole.then(|| JoinAcceptor::open(expected.listener(), self.options).ok());
        self.joining = Some(Joining {
            transfer,
            connections: expected.connections.clone(),
            _acceptor: acceptor.flatten(),
            _expected: expected,
        });
    }

    pub(super) fn take_joined(&mut self, connection: Connection) {
        let Some(joining) = &self.joining else { return };
        let (transfer, options, both_here) = (joining.transfer.clone(), self.options.clone(), self.both_here);
        // Where there is no thread for it, or no descriptor, the connection closes and the others go on.
        let _ = match transfer {
            Joinable::Array(array) => self.spawn(Side::Receiver, move |context, _| {
                Ok(FurtherReceiver::new(connection, array, both_here, &options, context).ok())
            }),
            Joinable::Tree(junction) => self.spawn(Side::Receiver, move |context, _| {
                Ok(Some(FurtherTreeReceiver::new(connection, junction, &options, context)))
            }),
        };
    }
}

/// A further connection of a sender; none where it cannot be had, or is not wanted any more.
fn open_further(
    to: &Endpoint,
    options: &Options,
    context: &MachineContext,
    wake: &Wake,
    is_done: &dyn Fn() -> bool,
) -> Option<Connection> {
    let unwanted = || context.controls.is_cancelled() || context.controls.has_failed(Side::Sender) || is_done();
    let opened = Connection::open(to, options.socket_buffer_bytes, options.timeout, wake, &unwanted);
    let opened = opened.unwrap_or(None);
    opened.filter(|connection| connection.check_user(options.peer_user).is_ok())
}
