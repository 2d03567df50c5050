//! A transfer that has not begun.

use std::sync::Arc;

use crate::transfer::limits::command::Command;
use crate::transfer::limits::controls::Controls;
use crate::transfer::plan::Options;
use crate::transfer::tell::event::{Side, TransferId};

/// What is known of a transfer before it begins: it has its id, and can be commanded already.
#[derive(Debug)]
pub(crate) struct Upcoming {
    pub(super) id: TransferId,
    pub(super) controls: Arc<Controls>,
}

impl Upcoming {
    /// The next transfer of this process.
    pub(crate) fn new(options: &Options) -> Self {
        let controls = Controls::new(options.limit_bytes_per_s);
        controls.set_pace(Side::Sender, options.writer_pace_bytes_per_s);
        controls.set_pace(Side::Receiver, options.reader_pace_bytes_per_s);
        Self {
            id: TransferId::next(),
            controls: Arc::new(controls),
        }
    }

    pub(crate) fn id(&self) -> TransferId {
        self.id
    }

    /// What changes it, from its beginning on.
    pub(crate) fn controls(&self) -> &Arc<Controls> {
        &self.controls
    }

    /// Does what `command` asks of it, from its beginning on.
    pub(crate) fn apply(&self, command: Command) {
        self.controls.apply(command);
    }

    /// Whether it will not begin.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.controls.is_cancelled()
    }
}
