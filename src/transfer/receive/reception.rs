//! Hears those who connect to a listener, several at once: one that says nothing holds nobody up.

use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;

use crate::error::Error;
use crate::sys::{Interest, Wake, awake_now, wait_for_any};
use crate::telemetry::Probe;
use crate::transfer::limits::controls::Controls;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Course, Ended, Machine as _, Turn};
use crate::transfer::net::connection::Connection;
use crate::transfer::net::linger::Linger;
use crate::transfer::net::listener::Listener;
use crate::transfer::plan::Options;
use crate::transfer::sink::publisher::PublishContext;
use crate::transfer::tell::event::Side;
use crate::transfer::tell::event_sender::EventSender;

use super::newcomer::{NewcomerReceiver, Offered, Wanted};

/// Connections at once that have not said what they want.
const UNPROVEN_MAX: usize = 16;
/// Where there are so many, the oldest gives its place to the next that connects, but not before it was there so long.
const STAY_MIN: Duration = Duration::from_secs(1);
/// Connections at once that may still have to read why they are turned away.
const LEAVING_MAX: usize = 16;
/// Turns that one has before the others have theirs.
const TURNS_MAX: usize = 64;

/// Those who have connected to a listener and have not said what they want.
pub(crate) struct Reception<'a> {
    listener: &'a Listener,
    wanted: Wanted<'a>,
    options: &'a Options,
    controls: &'a Arc<Controls>,
    wake: &'a Arc<Wake>,
    unproven_max: usize,
    unproven: Vec<Unproven>,
    leaving: Vec<(NewcomerReceiver, Linger)>,
}

/// Who has connected.
pub(crate) enum Met {
    /// A sender that offers an array.
    Sender(Box<Offered>),
    /// One that offers nothing.
    Stranger { peer: String, message: String },
    /// A sender whose offer cannot be.
    Unusable { peer: String, error: Error },
}

struct Unproven {
    newcomer: NewcomerReceiver,
    course: Course,
    came_at: Instant,
    /// What it waits for, and until when.
    waits: (Interest, Instant),
}

impl<'a> Reception<'a> {
    /// Hears those who connect to `listener`, until `controls` say that it is over, after `wake` has ended the wait.
    pub(crate) fn new(
        listener: &'a Listener,
        wanted: Wanted<'a>,
        options: &'a Options,
        controls: &'a Arc<Controls>,
        wake: &'a Arc<Wake>,
    ) -> Self {
        let takes_offers = matches!(wanted, Wanted::Array(_));
        Self {
            listener,
            wanted,
            options,
            controls,
            wake,
            // Whoever else accepts there takes the next sender.
            unproven_max: if takes_offers && !listener.is_sole() {
                1
            } else {
                UNPROVEN_MAX
            },
            unproven: Vec::new(),
            leaving: Vec::new(),
        }
    }

    /// Waits for the next one who is to be told of; those who join a transfer are not. `None` when it is over.
    ///
    /// # Errors
    /// The system does not let it accept or wait.
    pub(crate) fn next(&mut self) -> Result<Option<Met>, Error> {
        loop {
            if self.controls.is_cancelled() {
                self.dismiss("the transfer was cancelled");
                return Ok(None);
            }
            if let Some(met) = self.accept()? {
                return Ok(Some(met));
            }
            if let Some(met) = self.hear() {
                if matches!(met, Met::Sender(_)) {
                    self.dismiss("another array is being received here: send again when that is done");
                }
                return Ok(Some(met));
            }
            self.wait()?;
        }
    }

    /// Takes those who have connected, as far as there are places. Returns one who has lost its place.
    fn accept(&mut self) -> Result<Option<Met>, Error> {
        let now = awake_now();
        while self.place_at().is_none_or(|at| at <= now) {
            let accepted = self.listener.try_accept();
            let accepted = accepted.map_err(|error| Error::system("cannot accept a connection", &error))?;
            let Some(connection) = accepted else { break };
            self.unproven.push(self.unproven(connection, now)?);
            if self.unproven.len() > self.unproven_max {
                let oldest = self.unproven.remove(0);
                let silent = Error::Silent(now.saturating_duration_since(oldest.came_at));
                return Ok(Some(Met::of(oldest.newcomer.peer(), silent)));
            }
        }
        Ok(None)
    }

    /// When the oldest gives its place to the next one; `None` where there are places.
    fn place_at(&self) -> Option<Instant> {
        let is_full = self.unproven.len() >= self.unproven_max;
        let oldest = self.unproven.first().filter(|_| is_full)?;
        // Where there is one place, whoever else accepts takes the next one.
        let stay = if self.unproven_max == 1 {
            self.options.timeout
        } else {
            STAY_MIN
        };
        Some(oldest.came_at + stay)
    }

    fn unproven(&self, connection: Connection, now: Instant) -> Result<Unproven, Error> {
        let (nobody, _) = bounded(1);
        let context = MachineContext {
            controls: Arc::clone(self.controls),
            probe: Probe::light(now),
            events: EventSender::for_further_connection(nobody, now),
            publishing: PublishContext::of_thread(self.wake),
        };
        let nothing = Interest::NOTHING;
        let listener = self.listener.clone();
        Ok(Unproven {
            newcomer: NewcomerReceiver::new(connection, listener, self.wanted, self.options, context)?,
            course: Course::new(now),
            came_at: now,
            waits: (nothing, now),
        })
    }

    /// Gives each a turn. Returns the first who is to be told of.
    fn hear(&mut self) -> Option<Met> {
        let now = awake_now();
        self.leaving
            .retain(|(newcomer, linger)| linger.step(newcomer.socket(), now).is_some());
        let mut at = 0;
        while at < self.unproven.len() {
            let Some((ended, linger)) = self.unproven[at].turn(self.controls, self.options.timeout) else {
                if self.unproven[at].newcomer.has_offered() {
                    let newcomer = self.unproven.remove(at).newcomer;
                    return newcomer.into_offered().map(|offered| Met::Sender(Box::new(offered)));
                }
                at += 1;
                continue;
            };
            let newcomer = self.unproven.remove(at).newcomer;
            let peer = newcomer.peer().to_owned();
            let met = match ended {
                Ended::Failed { error, .. } => Some(Met::of(&peer, error)),
                Ended::Joined if newcomer.was_turned_away() => Some(Met::Stranger {
                    peer,
                    message: "the peer joins a transfer that is not here".into(),
                }),
                _ => None,
            };
            if let Some(linger) = linger.filter(|_| self.leaving.len() < LEAVING_MAX) {
                self.leaving.push((newcomer, linger));
            }
            if met.is_some() {
                return met;
            }
        }
        None
    }

    /// Waits until someone connects or says something, or the clock says so.
    fn wait(&self) -> Result<(), Error> {
        let read = Interest::READ;
        let now = awake_now();
        let place_at = self.place_at();
        let listener = (self.listener.as_fd(), read);
        let listener = Some(listener).filter(|_| place_at.is_none_or(|at| at <= now));
        let unproven = self
            .unproven
            .iter()
            .map(|unproven| (unproven.newcomer.socket(), unproven.waits.0));
        let leaving = self.leaving.iter().map(|(newcomer, _)| (newcomer.socket(), read));
        let times = self.unproven.iter().map(|unproven| unproven.waits.1);
        let times = times.chain(self.leaving.iter().map(|(_, linger)| linger.deadline()));
        let until = times.chain(place_at.filter(|at| *at > now)).min();
        let left = until.map(|until| until.saturating_duration_since(now));
        wait_for_any(listener.into_iter().chain(unproven).chain(leaving), self.wake, left)
            .map_err(|error| Error::system("cannot wait", &error))
    }

    /// Ends all of them with these words.
    fn dismiss(&mut self, words: &str) {
        for mut unproven in self.unproven.drain(..) {
            unproven.newcomer.give_up(words);
        }
    }
}

impl Unproven {
    /// Lets it go on until it waits or has said what it wants; how it ended, where it has.
    fn turn(&mut self, controls: &Controls, timeout: Duration) -> Option<(Ended, Option<Linger>)> {
        for _ in 0..TURNS_MAX {
            let now = awake_now();
            match self
                .course
                .turn(&mut self.newcomer, Side::Receiver, controls, now, timeout)
            {
                Turn::Again if self.newcomer.has_offered() => return None,
                Turn::Again => self.waits.1 = now,
                Turn::Wait { interest, until } => {
                    self.waits = (interest, until);
                    return None;
                }
                Turn::Ended(ended, linger) => return Some((ended, linger)),
            }
        }
        None
    }
}

impl Met {
    /// One whose connection ended so, before it had offered anything that can be taken.
    fn of(peer: &str, error: Error) -> Self {
        let peer = peer.to_owned();
        if error.is_of_stranger() {
            let message = error.to_string();
            return Self::Stranger { peer, message };
        }
        Self::Unusable { peer, error }
    }
}
