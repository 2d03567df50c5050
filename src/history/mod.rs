//! What was transferred: every transfer of every command and of the window, kept across restarts.
//!
//! [`Recording`] folds the events of a process's transfers into one [`Entry`] each, and gives them to a thread that
//! writes them. No transfer waits for it, and none fails where it cannot write. [`Store`] is the file that many processes
//! write at once.

mod again;
mod bursts;
mod curve;
mod difference;
mod draft;
mod entry;
mod object;
mod place;
mod recording;
mod report;
mod store;
mod thinning;
mod words;
mod writer;
mod writing;

pub(crate) use again::{Again, command_line};
pub(crate) use curve::Curves;
pub(crate) use difference::{Compared, differences};
pub(crate) use entry::{Ending, Entry, Way};
pub(crate) use object::Object;
pub(crate) use place::{SWITCH, is_switched_off, path};
pub(crate) use recording::Recording;
pub(crate) use report::{SHARE_MIN, csv, drawing, facts, html, markdown};
pub(crate) use store::{Chosen, Forgotten, Query, Store, StoreError};
