//! Where a service's connections come from: those that connect to it, or those that it is handed as a worker.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::error::Error;
use crate::transfer::{Command, Connection, EventKind, Listener, TransferId};

use super::channel::Channel;
use super::messages::ToWorker;
use super::recipe::RecipeIntake;

/// Where connections come from.
pub(super) enum Intake {
    /// From whoever connects.
    Listener(Listener),
    /// From the service whose worker this is.
    Handed(Handed),
    /// From a program that accepts them, and knows nothing of Arraylift.
    Recipe(RecipeIntake),
}

/// What a worker is handed.
pub(super) struct Handed {
    channel: Channel,
    buffer_bytes: Option<usize>,
    /// In the order in which they came.
    given: VecDeque<Taken>,
}

/// A connection that was taken.
pub(super) struct Taken {
    pub(super) id: TransferId,
    pub(super) connection: Result<Connection, Error>,
    /// What there is to tell of how it came.
    pub(super) event: Option<EventKind>,
}

impl Intake {
    pub(super) fn handed(channel: Channel, buffer_bytes: Option<usize>) -> Self {
        Self::Handed(Handed {
            channel,
            buffer_bytes,
            given: VecDeque::new(),
        })
    }

    /// Hears what the service wants of its worker; to be called when its channel has changed.
    pub(super) fn commands(&mut self) -> Vec<Command> {
        match self {
            Self::Listener(_) => Vec::new(),
            Self::Handed(handed) => handed.commands(),
            Self::Recipe(recipe) => {
                recipe.read();
                Vec::new()
            }
        }
    }

    /// Whether nobody can come any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Recipe(recipe) if recipe.is_over())
    }

    /// Whether a connection was heard of that nobody has taken: nothing further tells of it.
    pub(super) fn holds_some(&self) -> bool {
        match self {
            Self::Listener(_) => false,
            Self::Handed(handed) => !handed.given.is_empty(),
            Self::Recipe(recipe) => !recipe.given.is_empty(),
        }
    }

    /// The next connection, if one has come.
    pub(super) fn take(&mut self) -> io::Result<Option<Taken>> {
        match self {
            Self::Listener(listener) => Ok(listener.try_accept()?.map(|connection| Taken {
                id: TransferId::next(),
                connection: Ok(connection),
                event: None,
            })),
            Self::Handed(handed) => Ok(handed.given.pop_front()),
            Self::Recipe(recipe) => Ok(recipe.given.pop_front()),
        }
    }

    /// Nobody comes any more.
    pub(super) fn close(&self) {
        if let Self::Listener(listener) = self {
            listener.close();
        }
    }

    /// Where further connections of a transfer come in.
    pub(super) fn listener(&self) -> Option<&Listener> {
        match self {
            Self::Listener(listener) => Some(listener),
            Self::Handed(_) | Self::Recipe(_) => None,
        }
    }
}

impl Handed {
    fn commands(&mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        loop {
            match self.channel.hear() {
                Ok(Some(ToWorker::Connection { id, peer, sent_ns })) => self.keep(id, peer, sent_ns),
                Ok(Some(ToWorker::Command(command))) => commands.push(command),
                // It has introduced itself before.
                Ok(Some(ToWorker::Challenge(_) | ToWorker::Answer(_) | ToWorker::Plan(_))) => {}
                Ok(None) if !self.channel.is_over() => return commands,
                // Nobody is left to work for.
                Ok(None) | Err(_) => {
                    commands.push(Command::Stop);
                    return commands;
                }
            }
        }
    }

    fn keep(&mut self, id: TransferId, peer: String, sent_ns: u64) {
        let after = Duration::from_nanos(now_ns().saturating_sub(sent_ns));
        let lost = || Error::Protocol("its service handed over no connection".into());
        let socket = self.channel.descriptor().ok_or_else(lost);
        self.given.push_back(Taken {
            id,
            connection: socket.and_then(|socket| Connection::adopt(socket, peer, self.buffer_bytes)),
            event: Some(EventKind::HandedOver {
                worker: std::process::id(),
                after_s: after.as_secs_f64(),
            }),
        });
    }
}

impl AsFd for Intake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Listener(listener) => listener.as_fd(),
            Self::Handed(handed) => handed.channel.as_fd(),
            Self::Recipe(recipe) => recipe.as_fd(),
        }
    }
}

/// The machine's monotonic clock, which all its processes share.
pub(super) fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}
