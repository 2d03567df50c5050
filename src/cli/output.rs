//! Standard output: who reads it, and what could not be written to it.

use std::io::{self, Write as _};
use std::sync::OnceLock;

use crate::Error;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Failure;

/// Why something could not be written, the first time.
static LOST: OnceLock<String> = OnceLock::new();

/// Writes this at once. False where it is lost, which does not concern what it tells of.
pub(crate) fn write(text: &[u8]) -> bool {
    let mut out = io::stdout().lock();
    let written = out.write_all(text).and_then(|()| out.flush());
    match &written {
        // A reader that has gone wants no more.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => drop(LOST.set(error.to_string())),
        _ => {}
    }
    written.is_ok()
}

/// Whether it is a pipe whose reader has gone. `poll(2)`.
pub(crate) fn is_abandoned() -> bool {
    let out = io::stdout();
    let mut descriptors = [PollFd::new(&out, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut descriptors, Some(&now)).is_ok() && descriptors[0].revents().contains(PollFlags::ERR)
}

/// Fails where someone may miss what could not be written: it is not for want of a reader.
pub(crate) fn check() -> Result<(), Failure> {
    LOST.get().map_or(Ok(()), |reason| {
        Err(Failure::Transfer(Error::System {
            doing: "cannot write to standard output, what was to be done is done",
            reason: reason.as_str().into(),
        }))
    })
}
