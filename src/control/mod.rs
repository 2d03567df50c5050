//! One engine and its viewers. A process that moves arrays, the engine, opens a control socket in its user's runtime
//! folder. Other processes of the user, the viewers, attach to it to watch its transfers live and to steer them.
//!
//! Both speak JSON Lines, so that `nc -U` or a few lines of any language can be a viewer. An engine sends
//! [`EngineEvent::Engine`] first, then the present state, then [`EngineEvent::Now`], then events as they happen. A viewer may send a
//! [`Command`](crate::transfer::Command) at any time.
//!
//! A viewer never slows a transfer. Events are queued under a lock that is never held over input or output, and a
//! thread of its own sends them. A viewer that does not read gets no samples, and is closed if it falls further behind.

mod engine;
mod folder;
mod messages;
mod snapshot;
mod viewer;

pub(crate) use engine::Engine;
pub(crate) use folder::{Engines, engines};
pub(crate) use messages::{EngineEvent, EngineLine};
pub(crate) use viewer::Viewer;
