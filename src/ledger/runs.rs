//! Bytes of a whole that blocks of any place and length have taken: open while a block is under way, closed with its
//! checksum when it is done. Closed neighbours are one run, so that blocks in order need next to no memory.

use std::collections::BTreeMap;

use crate::checksum::Checksum;

/// Runs of taken bytes, no two of which have a byte in common.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    by_start: BTreeMap<u64, Run>,
}

#[derive(Debug)]
pub(super) struct Run {
    end: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// One block is under way.
    Open,
    /// One block or several are done; no checksum where none is taken.
    Closed(Option<Checksum>),
}

impl Runs {
    /// How many runs there are: the measure of the memory that they take.
    pub(crate) fn count(&self) -> usize {
        self.by_start.len()
    }

    /// Takes `start..end`, which are not empty, for a block. Says whether it did: not where a byte of it is taken.
    pub(crate) fn open(&mut self, start: u64, end: u64) -> bool {
        let before = self.by_start.range(..end).next_back();
        let is_free = before.is_none_or(|(_, run)| run.end <= start);
        if is_free {
            let state = State::Open;
            self.by_start.insert(start, Run { end, state });
        }
        is_free
    }

    /// The block that is open from `start` on ends before byte `end` already.
    pub(crate) fn cut(&mut self, start: u64, end: u64) {
        if end == start {
            self.by_start.remove(&start);
        } else if let Some(run) = self.by_start.get_mut(&start) {
            run.end = end;
        }
    }

    /// The block that is open from `start` on is done, and this is the checksum of its bytes.
    pub(crate) fn close(&mut self, start: u64, checksum: Option<Checksum>) {
        let Some(end) = self.by_start.get(&start).map(|run| run.end) else {
            return;
        };
        let mut closed = Run {
            end,
            state: State::Closed(checksum),
        };
        if let Some(next) = self.by_start.get(&end)
            && let Some(both) = closed.joined_with(next)
        {
            closed = both;
            self.by_start.remove(&end);
        }
        if let Some((_, before)) = self.by_start.range_mut(..start).next_back()
            && before.end == start
            && let Some(both) = before.joined_with(&closed)
        {
            *before = both;
            self.by_start.remove(&start);
        } else {
            self.by_start.insert(start, closed);
        }
    }

    /// The checksum of all bytes before `end`; `None` where not all are done, or none is taken.
    pub(crate) fn checksum(&self, end: u64) -> Option<Checksum> {
        let (reached, checksum) = self.closed_at(0)?;
        checksum.filter(|_| reached == end)
    }

    /// The blocks that are done from `start` on, at the beginning of a run: the byte after the last of them, and their
    /// checksum. `None` where no block that is done begins a run there.
    pub(crate) fn closed_at(&self, start: u64) -> Option<(u64, Option<Checksum>)> {
        match self.by_start.get(&start)? {
            Run {
                end,
                state: State::Closed(checksum),
            } => Some((*end, *checksum)),
            _ => None,
        }
    }
}

impl Run {
    /// This run and the one that follows at its end, as one; `None` unless both are closed.
    fn joined_with(&self, next: &Self) -> Option<Self> {
        let (State::Closed(own), State::Closed(after)) = (self.state, next.state) else {
            return None;
        };
        let both = own.zip(after).map(|(own, after)| own.followed_by(after));
        Some(Self {
            end: next.end,
            state: State::Closed(both),
        })
    }
}
