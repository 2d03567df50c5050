//! Who does what a row shows: this process, another one, or both, each an end.

use crate::app::model::plan::Recipe;
use crate::transfer::Side;

use super::Row;

/// Which process does what a row shows.
#[derive(Debug, Clone)]
pub enum Process {
    /// This one, and it can do the same again.
    This(Box<Recipe>),
    /// Another one, which this window watches.
    Other(OtherProcess),
}

/// Another process, and what its first event said of the transfer.
#[derive(Debug, Clone)]
pub struct OtherProcess {
    /// Its process id.
    pub pid: u32,
    /// The end of the transfer that it is.
    pub side: Side,
    /// The array's name on the screen.
    pub name: String,
    /// Whether it has ended.
    pub is_gone: bool,
}

/// The process that does the other end of a transfer, where this window sees both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mate {
    /// Its process id.
    pub pid: u32,
    /// Whether it has ended.
    pub is_gone: bool,
}

impl Row {
    /// What it does here, to do it again; nothing where another process does it.
    #[must_use]
    pub fn recipe(&self) -> Option<&Recipe> {
        match &self.process {
            Process::This(recipe) => Some(recipe),
            Process::Other(_) => None,
        }
    }

    /// The id of the other process that does it, if any.
    #[must_use]
    pub fn other_pid(&self) -> Option<u32> {
        match &self.process {
            Process::This(_) => None,
            Process::Other(process) => Some(process.pid),
        }
    }

    /// Whether this process does it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.recipe().is_some()
    }

    /// Whether both ends are here.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.sides().len() == 2
    }

    /// The ends that are seen here.
    #[must_use]
    pub fn sides(&self) -> &'static [Side] {
        if self.mate.is_some() {
            return &[Side::Sender, Side::Receiver];
        }
        match &self.process {
            Process::This(recipe) => recipe.job.sides(),
            Process::Other(process) => sides_of(process.side),
        }
    }
}

pub(super) fn sides_of(side: Side) -> &'static [Side] {
    match side {
        Side::Sender => &[Side::Sender],
        Side::Receiver => &[Side::Receiver],
    }
}
