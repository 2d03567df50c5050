//! Where a front's connections come from.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

use crate::error::Error;
use crate::transfer::{Command, Connection, EventKind, Listener, PartNumber, TransferId};

/// Where connections come from; `A` is the form in which it yields them.
pub(in crate::service) trait ConnectionSource<A>: Send {
    /// What becomes readable when connections or commands have come; `None` once it is closed.
    fn socket(&self) -> Option<BorrowedFd<'_>>;

    /// The next connection, if one has come.
    ///
    /// # Errors
    /// No descriptor or memory is left.
    fn take(&mut self) -> io::Result<Option<A>>;

    /// Reads what [`ConnectionSource::take`] does not: keeps connections for it, and returns commands. Called after each
    /// wait.
    fn read(&mut self) -> Vec<Command> {
        Vec::new()
    }

    /// Whether it keeps connections: the socket does not become readable for them again.
    fn keeps_some(&self) -> bool {
        false
    }

    /// Whether who yields the connections has asked for a sign of life since the last call.
    fn take_asked(&mut self) -> bool {
        false
    }

    /// Whether no more connections can come.
    fn is_over(&self) -> bool {
        false
    }

    /// What whoever yields the connections did wrong, where it is over for that.
    fn take_failure(&mut self) -> Option<Error> {
        None
    }

    /// Lets nobody connect any more.
    fn close(&mut self) {}
}

/// A connection that is to be received over, and becomes a transfer.
pub(in crate::service) struct Arrival {
    pub(in crate::service) id: TransferId,
    /// An error fails the transfer.
    pub(in crate::service) connection: Result<Connection, Error>,
    /// The number of its file until that is whole, where it was given out.
    pub(in crate::service) part_number: Option<PartNumber>,
    /// What is told of how it came.
    pub(in crate::service) event: Option<EventKind>,
}

/// Connections that are accepted here, by one of the ways in which a listener accepts.
pub(in crate::service) struct ListenerSource<A> {
    listener: Option<Listener>,
    accept: fn(&Listener) -> io::Result<Option<A>>,
}

impl Arrival {
    /// Accepts at a listener.
    pub(in crate::service) fn accept(listener: &Listener) -> io::Result<Option<Self>> {
        Ok(listener.try_accept()?.map(|connection| Self {
            id: TransferId::next(),
            connection: Ok(connection),
            part_number: None,
            event: None,
        }))
    }
}

impl<A> ListenerSource<A> {
    pub(in crate::service) fn new(listener: Listener, accept: fn(&Listener) -> io::Result<Option<A>>) -> Self {
        Self {
            listener: Some(listener),
            accept,
        }
    }
}

impl<A> ConnectionSource<A> for ListenerSource<A> {
    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().map(|listener| listener.as_fd())
    }

    fn take(&mut self) -> io::Result<Option<A>> {
        self.listener.as_ref().map_or(Ok(None), self.accept)
    }

    fn close(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.close();
        }
    }
}
