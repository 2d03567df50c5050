//! What a machine is given by whoever runs it.

use std::sync::Arc;

use crate::telemetry::Probe;
use crate::transfer::limits::controls::Controls;
use crate::transfer::sink::publisher::PublishContext;
use crate::transfer::survey::Surveyor;
use crate::transfer::tell::event_sender::EventSender;

/// What a machine is given by whoever runs it, whatever it does.
pub(crate) struct MachineContext {
    /// What changes it while it runs.
    pub(crate) controls: Arc<Controls>,
    /// What counts its work.
    pub(crate) probe: Probe,
    /// Where it tells what happens.
    pub(crate) events: EventSender,
    /// What looks at the values that pass by, where somebody wants to know them.
    pub(crate) surveyor: Option<Surveyor>,
    /// What puts an array on disk.
    pub(crate) publishing: PublishContext,
}
