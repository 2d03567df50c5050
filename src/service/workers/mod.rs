//! Worker processes that receive in a service's place: how it starts them or lets them join, and hands them connections.

mod channel;
mod dispatcher;
mod handover;
mod messages;
mod worker;

pub(super) use channel::Channel;
pub(super) use dispatcher::Dispatcher;
pub(crate) use dispatcher::{hear_service, hear_worker};
pub(super) use handover::HandoverSource;
#[cfg(test)]
pub(super) use handover::now_ns;
pub(super) use messages::{FromWorker, PlanMessage, ToWorker};
