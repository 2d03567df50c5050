//! Both ends of one transfer in one row where two processes of this machine do them.

use super::{End, Mate, Process, Row, sides_of};
use crate::telemetry::Bottleneck;
use crate::transfer::{Side, Started};

impl Row {
    /// Whether its other end is the one that process `pid` has told of: each end knows the other one's address, or over
    /// a Unix socket its process.
    pub(crate) fn is_other_end_of(&self, pid: u32, side: Side, started: &Started) -> bool {
        let own_side = match &self.process {
            Process::This(recipe) => recipe.job.sides(),
            Process::Other(process) => sides_of(process.side),
        };
        let ([own_side], None) = (own_side, &self.end(side).started) else {
            return false;
        };
        let Some(own) = self.end(*own_side).started.as_ref().filter(|_| *own_side != side) else {
            return false;
        };
        let is_known_by = |one: &Started, other: &Started| one.own_address.as_ref() == Some(&other.peer);
        let (sender, receiver) = match side {
            Side::Sender => (started, own),
            Side::Receiver => (own, started),
        };
        // The receiver knows the sender by its address, and has itself the one that the sender has connected to.
        let over_tcp = is_known_by(sender, receiver);
        let own_pid = self.other_pid().unwrap_or_else(std::process::id);
        let over_unix = own.peer_process == Some(pid) && started.peer_process == Some(own_pid);
        let is_same_array = own.total_bytes == started.total_bytes && own.dtype == started.dtype;
        !self.round_is_over() && (over_tcp || over_unix) && is_same_array
    }

    /// Shows the other end, too, which process `pid` does.
    pub(crate) fn join(&mut self, pid: u32) {
        let mate = self.mate.replace(Mate { pid, is_gone: false });
        // One that repeats joins again in each round.
        if mate.is_none() {
            self.bottleneck = Bottleneck::new(self.sides());
        }
    }

    /// Takes over what another row has of the other end.
    pub(crate) fn take_end(&mut self, side: Side, end: End) {
        match side {
            Side::Sender => self.sender = end,
            Side::Receiver => self.receiver = end,
        }
    }

    /// A process has ended. Whoever else does an end tells how it went; where nobody is left, that is its end.
    pub(crate) fn note_process_end(&mut self, pid: u32) {
        let mut others = Vec::new();
        if let Some(mate) = &mut self.mate {
            mate.is_gone |= mate.pid == pid;
            others.push(mate.is_gone);
        }
        if let Process::Other(process) = &mut self.process {
            process.is_gone |= process.pid == pid;
            others.push(process.is_gone);
        }
        let is_left = self.is_own() || others.contains(&false);
        if !is_left && !self.is_over() {
            self.fail(&crate::Error::ClosedWhile("as its process has ended"));
        }
    }
}
