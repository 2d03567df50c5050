//! Jobs that wait for their turn, so many of them at once. It only counts: whoever owns it starts and ends them.

use std::collections::VecDeque;

/// Jobs in the order in which they are to begin.
#[derive(Debug)]
pub(crate) struct Queue<J> {
    waiting: VecDeque<J>,
    at_once: usize,
    running: usize,
    counts: Counts,
}

/// How the jobs of a queue have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// As they should.
    pub done: usize,
    /// With an error.
    pub failed: usize,
    /// Because someone wanted it.
    pub cancelled: usize,
    /// Before they began.
    pub withdrawn: usize,
}

/// How a job has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobEnd {
    /// As it should.
    Done,
    /// With an error.
    Failed,
    /// Because someone wanted it.
    Cancelled,
}

impl<J> Queue<J> {
    /// Jobs, of which so many may run at once: at least one.
    pub(crate) fn new(jobs: impl IntoIterator<Item = J>, at_once: usize) -> Self {
        Self {
            waiting: jobs.into_iter().collect(),
            at_once: at_once.max(1),
            running: 0,
            counts: Counts::default(),
        }
    }

    /// The next job, where one more may run; it counts as running until [`Queue::ended`].
    pub(crate) fn start_next(&mut self) -> Option<J> {
        if self.running >= self.at_once {
            return None;
        }
        let job = self.waiting.pop_front()?;
        self.running += 1;
        Some(job)
    }

    /// One that was running has ended.
    pub(crate) fn ended(&mut self, how: JobEnd) {
        self.running = self.running.saturating_sub(1);
        match how {
            JobEnd::Done => self.counts.done += 1,
            JobEnd::Failed => self.counts.failed += 1,
            JobEnd::Cancelled => self.counts.cancelled += 1,
        }
    }

    /// Those that have not begun never will.
    pub(crate) fn withdraw_waiting(&mut self) {
        self.counts.withdrawn += self.waiting.len();
        self.waiting.clear();
    }

    /// How those that have ended did.
    #[must_use]
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_more_run_than_may_and_they_begin_in_order() {
        let mut queue = Queue::new(["a", "b", "c", "d"], 2);
        assert_eq!(
            (queue.start_next(), queue.start_next(), queue.start_next()),
            (Some("a"), Some("b"), None)
        );
        queue.ended(JobEnd::Failed);
        assert_eq!((queue.start_next(), queue.start_next()), (Some("c"), None));
        queue.withdraw_waiting();
        queue.ended(JobEnd::Cancelled);
        assert_eq!(queue.start_next(), None);
        queue.ended(JobEnd::Done);
        let counts = Counts {
            done: 1,
            failed: 1,
            cancelled: 1,
            withdrawn: 1,
        };
        assert_eq!(queue.counts(), counts);
    }

    proptest! {
        #[test]
        fn every_job_has_exactly_one_end(jobs in 0_usize..40, at_once in 0_usize..6, ends in prop::collection::vec(0..4_u8, 0..200)) {
            let mut queue = Queue::new(0..jobs, at_once);
            let (mut running, mut begun) = (0, 0);
            for end in ends {
                while let Some(job) = queue.start_next() {
                    prop_assert_eq!(job, begun);
                    (begun, running) = (begun + 1, running + 1);
                }
                prop_assert!(running <= at_once.max(1));
                match end {
                    3 => queue.withdraw_waiting(),
                    _ if running == 0 => {}
                    end => {
                        running -= 1;
                        queue.ended([JobEnd::Done, JobEnd::Failed, JobEnd::Cancelled][usize::from(end)]);
                    }
                }
            }
            queue.withdraw_waiting();
            let counts = queue.counts();
            prop_assert_eq!(counts.done + counts.failed + counts.cancelled + counts.withdrawn + running, jobs);
        }
    }
}
