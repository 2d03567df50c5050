//! Which offers a service takes, and when: within its limits, first come, first served.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, ServiceLimit};

/// What a service takes at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AdmissionLimits {
    /// Arrays that are received at the same time; whoever offers one more waits.
    pub(crate) open_sinks: usize,
    /// Bytes of one array.
    pub(crate) bytes_each: Option<u64>,
    /// Bytes of all arrays that were ever taken.
    pub(crate) bytes_in_all: Option<u64>,
}

/// Where every offer of a service is decided.
#[derive(Debug)]
pub(crate) struct Admissions {
    limits: AdmissionLimits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    /// Bytes of the arrays that have been taken or are being received.
    taken_bytes: u64,
    /// Those who wait, by the number that their service gave them.
    queue: VecDeque<usize>,
}

/// One connection's way to a place.
#[derive(Debug)]
pub(crate) struct Applicant {
    admissions: Arc<Admissions>,
    number: usize,
    waits: bool,
    place: Option<Place>,
}

#[derive(Debug)]
struct Place {
    bytes: u64,
    /// Those of them that count for good, though not all is whole.
    kept_bytes: u64,
    is_whole: bool,
}

impl Admissions {
    pub(crate) fn new(limits: AdmissionLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            state: Mutex::default(),
        })
    }

    /// An applicant that is told apart from others by its number.
    pub(crate) fn applicant(self: &Arc<Self>, number: usize) -> Applicant {
        Applicant {
            admissions: Arc::clone(self),
            number,
            waits: false,
            place: None,
        }
    }

    /// Who has waited longest, where there is a place now.
    pub(crate) fn next(&self) -> Option<usize> {
        let state = self.lock();
        state
            .queue
            .front()
            .copied()
            .filter(|_| state.open < self.limits.open_sinks)
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().queue.len()
    }

    fn check(&self, state: &State, bytes: u64) -> Result<(), Error> {
        if let Some(most_bytes) = self.limits.bytes_each.filter(|most| bytes > *most) {
            return Err(Error::OverLimit(ServiceLimit::MaxBytes { bytes, most_bytes }));
        }
        let sum = state.taken_bytes.saturating_add(bytes);
        if let Some(most_bytes) = self.limits.bytes_in_all.filter(|most| sum > *most) {
            return Err(Error::OverLimit(ServiceLimit::MaxTotal {
                bytes,
                most_bytes,
                left_bytes: most_bytes.saturating_sub(state.taken_bytes),
            }));
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that panics is done under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Applicant {
    /// Asks for room for an array of so many bytes. False where it has to ask again when it is its turn.
    ///
    /// # Errors
    /// Where it will never be taken.
    pub(crate) fn ask(&mut self, bytes: u64) -> Result<bool, Error> {
        if self.place.is_some() {
            return Ok(true);
        }
        let mut state = self.admissions.lock();
        self.admissions.check(&state, bytes)?;
        let is_its_turn = state.queue.front().is_none_or(|first| *first == self.number);
        if !is_its_turn || state.open >= self.admissions.limits.open_sinks {
            if !std::mem::replace(&mut self.waits, true) {
                state.queue.push_back(self.number);
            }
            return Ok(false);
        }
        if std::mem::take(&mut self.waits) {
            state.queue.pop_front();
        }
        state.open += 1;
        state.taken_bytes += bytes;
        self.place = Some(Place {
            bytes,
            kept_bytes: 0,
            is_whole: false,
        });
        Ok(true)
    }

    /// Asks for room for so many bytes more, which stand by themselves: a file of a tree, which has a place.
    ///
    /// # Errors
    /// Where they will not be taken.
    pub(crate) fn add(&mut self, bytes: u64) -> Result<(), Error> {
        let mut state = self.admissions.lock();
        self.admissions.check(&state, bytes)?;
        if let Some(place) = &mut self.place {
            state.taken_bytes += bytes;
            place.bytes += bytes;
        }
        Ok(())
    }

    /// Of the bytes that were added so many are kept, and count for good.
    pub(crate) fn keep(&mut self, bytes: u64) {
        if let Some(place) = &mut self.place {
            place.kept_bytes += bytes;
        }
    }

    /// Of the bytes that were added so many are not needed.
    pub(crate) fn give_back(&mut self, bytes: u64) {
        if let Some(place) = &mut self.place {
            place.bytes -= bytes;
            self.admissions.lock().taken_bytes -= bytes;
        }
    }

    /// The array is whole: its bytes count for good.
    pub(crate) fn is_whole(&mut self) {
        if let Some(place) = &mut self.place {
            place.is_whole = true;
        }
    }
}

impl Drop for Applicant {
    fn drop(&mut self) {
        let mut state = self.admissions.lock();
        if self.waits {
            state.queue.retain(|number| *number != self.number);
        }
        if let Some(place) = &self.place {
            state.open -= 1;
            if !place.is_whole {
                state.taken_bytes -= place.bytes - place.kept_bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> AdmissionLimits {
        AdmissionLimits {
            open_sinks: 2,
            bytes_each: None,
            bytes_in_all: None,
        }
    }

    #[test]
    fn who_comes_first_is_served_first_and_who_leaves_gives_way() {
        let admissions = Admissions::new(limits());
        let mut applicants: Vec<_> = (0..5).map(|number| admissions.applicant(number)).collect();
        let answers: Vec<bool> = applicants.iter_mut().map(|one| one.ask(1).expect("allowed")).collect();
        assert_eq!(answers, [true, true, false, false, false]);
        assert_eq!(admissions.next(), None, "there is no place yet");
        drop(applicants.remove(0));
        assert_eq!(admissions.next(), Some(2));
        let mut late = admissions.applicant(9);
        assert!(!late.ask(1).expect("allowed"), "others wait longer");
        drop(applicants.remove(1));
        assert_eq!(admissions.next(), Some(3), "the second one in the queue has left");
        assert!(applicants[1].ask(1).expect("allowed"));
        assert_eq!(admissions.waiting(), 2);
        drop(applicants);
        assert!(late.ask(1).expect("allowed"));
        assert_eq!((admissions.next(), admissions.waiting()), (None, 0));
    }

    #[test]
    fn of_a_tree_those_files_count_that_are_kept_whatever_becomes_of_the_others() {
        let admissions = Admissions::new(AdmissionLimits {
            bytes_each: Some(60),
            bytes_in_all: Some(100),
            ..limits()
        });
        let mut tree = admissions.applicant(0);
        assert!(tree.ask(0).expect("a place"));
        assert!(tree.add(61).is_err(), "too large by itself");
        tree.add(50).expect("room");
        tree.keep(50);
        tree.add(40).expect("room");
        assert!(tree.add(11).is_err(), "too large with the others");
        tree.give_back(40);
        tree.add(30).expect("what was given back");
        drop(tree);
        let mut next = admissions.applicant(1);
        assert!(next.ask(51).is_err() && next.ask(50).expect("what nobody has kept"));
    }

    #[test]
    fn bytes_count_for_good_only_once_an_array_is_whole() {
        let admissions = Admissions::new(AdmissionLimits {
            bytes_each: Some(60),
            bytes_in_all: Some(100),
            ..limits()
        });
        let ask = |bytes| {
            let mut applicant = admissions.applicant(0);
            applicant.ask(bytes).map(|_| applicant)
        };
        assert_eq!(
            ask(61).err(),
            Some(Error::OverLimit(ServiceLimit::MaxBytes {
                bytes: 61,
                most_bytes: 60
            }))
        );
        drop(ask(60).expect("taken, and broken off"));
        ask(60).expect("taken").is_whole();
        assert_eq!(
            ask(41).err(),
            Some(Error::OverLimit(ServiceLimit::MaxTotal {
                bytes: 41,
                most_bytes: 100,
                left_bytes: 40
            }))
        );
        ask(40).expect("exactly what is left").is_whole();
        assert!(ask(1).is_err());
    }
}
