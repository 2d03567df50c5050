//! One engine, several viewers: a process that moves arrays opens a control socket in its user's runtime folder, and
//! any number of terminals attach to see the same transfers live and to steer them.
//!
//! JSON Lines both ways, so that `nc -U` and a few lines of any language do. An engine says [`Note::Engine`] first, then
//! what there is already, then [`Note::Now`], and from then on what happens. A viewer may send a
//! [`Command`](crate::transfer::Command) at any time.
//!
//! A viewer never slows a transfer: what happens is put down under a lock that no input or output is done under, and
//! sent by a thread of its own. Who does not read gets no samples, and then is closed.

mod engine;
mod folder;
mod messages;
mod snapshot;
mod viewer;

pub use engine::Engine;
pub use folder::{engines, folder};
pub use messages::{Heard, Note};
pub use viewer::Viewer;
