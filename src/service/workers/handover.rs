//! The connections that a service hands over to this process, its worker.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::error::Error;
use crate::transfer::{Command, Connection, EventKind, PartNumber, TransferId};

use super::channel::Channel;
use super::messages::ToWorker;
use crate::service::front::{Arrival, ConnectionSource};

/// A worker's source of connections: the channel to its service.
pub(in crate::service) struct HandoverSource {
    channel: Channel,
    buffer_bytes: Option<usize>,
    /// In the order in which they came.
    arrivals: VecDeque<Arrival>,
    /// The service wants to hear that this process goes on.
    is_asked: bool,
}

impl HandoverSource {
    pub(in crate::service) fn new(channel: Channel, buffer_bytes: Option<usize>) -> Self {
        Self {
            channel,
            buffer_bytes,
            arrivals: VecDeque::new(),
            is_asked: false,
        }
    }

    fn keep(&mut self, id: TransferId, peer: String, sent_ns: u64, part_number: PartNumber) {
        let after = Duration::from_nanos(now_ns().saturating_sub(sent_ns));
        let lost = || Error::Protocol("its service handed over no connection".into());
        let socket = self.channel.descriptor().ok_or_else(lost);
        self.arrivals.push_back(Arrival {
            id,
            connection: socket.and_then(|socket| Connection::adopt(socket, peer, self.buffer_bytes)),
            part_number: Some(part_number),
            event: Some(EventKind::HandedOver {
                worker: std::process::id(),
                after_s: after.as_secs_f64(),
            }),
        });
    }
}

impl ConnectionSource<Arrival> for HandoverSource {
    fn socket(&self) -> Option<BorrowedFd<'_>> {
        Some(self.channel.as_fd())
    }

    fn take(&mut self) -> io::Result<Option<Arrival>> {
        Ok(self.arrivals.pop_front())
    }

    fn read(&mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        loop {
            match self.channel.receive() {
                Ok(Some(ToWorker::Connection {
                    id,
                    peer,
                    sent_ns,
                    part,
                })) => self.keep(id, peer, sent_ns, part),
                Ok(Some(ToWorker::Command(command))) => commands.push(command),
                Ok(Some(ToWorker::Ping)) => self.is_asked = true,
                // These belong to the beginning, which is over.
                Ok(Some(ToWorker::Challenge(_) | ToWorker::Answer(_) | ToWorker::Plan(..))) => {}
                Ok(None) if !self.channel.is_over() => return commands,
                // The service has gone.
                Ok(None) | Err(_) => {
                    commands.push(Command::Stop);
                    return commands;
                }
            }
        }
    }

    fn keeps_some(&self) -> bool {
        !self.arrivals.is_empty()
    }

    fn take_asked(&mut self) -> bool {
        std::mem::take(&mut self.is_asked)
    }
}

/// The machine's monotonic clock, which all its processes share.
pub(in crate::service) fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}
