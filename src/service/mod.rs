//! Many connections at once: a receiver that stays up, takes thousands of senders and tells what they do, and others
//! like it.
//!
//! [`Service::start`] gives a handle. One thread, the front, accepts connections and waits for all of them; its guest has
//! them. The receiving guest drives the same machines that a single transfer runs on a thread of its own. Another one
//! hands its connections to worker processes, and each of them drives its own the same way. A third one starts a
//! transfer for each of a few senders.

mod echo;
mod front;
mod handle;
mod key;
mod leftovers;
mod limits;
mod plan;
mod receive_loop;
mod recipe;
mod status;
mod transfer_per_sender;
mod worker_process;
mod workers;

pub(crate) use handle::Service;
pub(crate) use key::Key;
pub(crate) use leftovers::{Leftover, leftovers, unlogged_below};
pub(crate) use limits::{Limits, check_spare_descriptors};
pub(crate) use plan::{Plan, Workers};
pub(crate) use recipe::{AuthKey, Handshake, RANDOM_BYTES, Role};
pub use status::Status;
pub(crate) use status::{AnyEvent, ServiceEvent};
pub(crate) use worker_process::WorkerProcess;
pub(crate) use workers::{hear_service, hear_worker};
