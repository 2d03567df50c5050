//! Writes to the descriptors themselves; what it is given comes in order.

use std::io;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::cli::json;
use crate::error::reason;

use super::backlog::Omitted;
use super::bars::{BarChange, BarId, Bars};
use super::lose;

/// What a line takes beside its text.
const OVERHEAD_BYTES: usize = 64;

/// Something to be written.
#[derive(Debug)]
pub(super) enum Said {
    /// A line of JSON on standard output.
    Object(Vec<u8>),
    /// Lines for people on standard output.
    Text(String),
    /// A line on standard error.
    Complaint(String),
    /// A bar on standard error.
    Bar(BarId, BarChange),
}

impl Said {
    /// What it takes while it waits.
    pub(super) fn bytes(&self) -> usize {
        OVERHEAD_BYTES
            + match self {
                Self::Object(line) => line.len(),
                Self::Text(text) | Self::Complaint(text) => text.len(),
                Self::Bar(_, change) => change.bytes(),
            }
    }
}

/// Standard output, standard error and the bars.
#[derive(Debug, Default)]
pub(super) struct Screen {
    bars: Bars,
    /// Standard output takes nothing any more, which does not concern what it tells of.
    is_lost: bool,
    /// Lines of standard output that are written with the next ones.
    lines: Vec<u8>,
}

impl Screen {
    /// Writes what was said; before it, that so much was left out.
    pub(super) fn show(&mut self, omitted: Omitted, said: Vec<Said>) {
        if omitted != Omitted::default()
            && let Some(first) = said.first()
        {
            self.tell_omitted(omitted, first);
        }
        for said in said {
            match said {
                Said::Object(line) => self.lines.extend_from_slice(&line),
                Said::Text(text) => self.lines.extend_from_slice(text.as_bytes()),
                Said::Complaint(line) => {
                    self.write_lines();
                    self.bars.suspend(|| {
                        // Nobody may be reading it, which is no reason to stop.
                        let _ = write(io::stderr(), line.as_bytes());
                    });
                }
                Said::Bar(bar, change) => {
                    self.write_lines();
                    self.bars.change(bar, change);
                }
            }
        }
        self.write_lines();
    }

    /// Tells it in the form of what follows.
    fn tell_omitted(&mut self, omitted: Omitted, next: &Said) {
        if omitted.events > 0 {
            // The end of one may be among what was left out.
            self.bars.clear();
        }
        match next {
            Said::Object(_) => self.lines.extend(json::omitted(omitted)),
            Said::Text(_) if omitted.events > 0 => {
                let line = format!("({} lines were left out, as nobody read them)\n", omitted.events);
                self.lines.extend_from_slice(line.as_bytes());
            }
            // A bar shows the last of its samples, and that is enough.
            _ => {}
        }
    }

    fn write_lines(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if lines.is_empty() || self.is_lost {
            return;
        }
        let mut written = Ok(());
        self.bars.suspend(|| written = write(io::stdout(), &lines));
        if let Err(error) = written {
            self.is_lost = true;
            // A reader that has gone wants no more, and one that was never there wanted none.
            if !matches!(error, Errno::PIPE | Errno::BADF) {
                lose(reason(&error.into()).to_string());
            }
        }
    }
}

/// Writes all of it, and waits for room where others left the descriptor non-blocking.
fn write(to: impl AsFd, bytes: &[u8]) -> Result<(), Errno> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(&to, rest) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::new(&to, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
