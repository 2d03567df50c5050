//! Those who have connected to a listener and have not said what they want, several at once: one that says nothing holds
//! nobody up. Nothing here waits: whoever accepts them does.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;

use crate::array::ArrayMeta;
use crate::error::Error;
use crate::sys::{Interest, awake_now};
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
use crate::units;
use crate::wire::native::Farewell;

use super::newcomer::{NewcomerReceiver, Offered, Wanted};

/// Where there are as many as there may be, the oldest gives its place to the next that connects, but not before it was
/// there so long.
pub(super) const STAY_MIN: Duration = Duration::from_secs(1);
/// Connections at once that may still have to read why they are turned away.
const LEAVING_MAX: usize = 16;
/// Turns that one has before the others have theirs.
const TURNS_MAX: usize = 64;

/// What is wanted from newcomers, and how they are heard.
pub(super) struct Hearing {
    pub(super) listener: Listener,
    pub(super) wanted: Wanted,
    pub(super) options: Options,
    pub(super) controls: Arc<Controls>,
    /// What a machine on their thread is given.
    pub(super) publishing: PublishContext,
}

/// Those who have connected and have not said what they want.
pub(crate) struct Newcomers {
    hearing: Hearing,
    unproven_max: usize,
    stay: Duration,
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

impl Newcomers {
    /// Those of a listener where many arrays are received at the same time, up to `unproven_max` at once.
    pub(crate) fn of_many(
        listener: Listener,
        expect: Option<ArrayMeta>,
        options: Options,
        unproven_max: usize,
    ) -> Self {
        let hearing = Hearing {
            listener,
            wanted: Wanted::Array(expect),
            options,
            // What changes a transfer changes nothing for those who have none.
            controls: Arc::new(Controls::new(None)),
            publishing: PublishContext::new(Arc::new(|| {})),
        };
        Self::new(hearing, unproven_max, STAY_MIN)
    }

    /// Hears up to `unproven_max` at once, each for `stay` at least.
    pub(super) fn new(hearing: Hearing, unproven_max: usize, stay: Duration) -> Self {
        Self {
            hearing,
            unproven_max,
            stay,
            unproven: Vec::new(),
            leaving: Vec::new(),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.unproven.len()
    }

    /// Whether one more can be heard now.
    pub(crate) fn has_place(&self, now: Instant) -> bool {
        self.unproven.len() < self.unproven_max || self.gives_way_at().is_some_and(|at| at <= now)
    }

    /// When there is a place; `None` where that is now, or nobody knows.
    pub(crate) fn place_at(&self, now: Instant) -> Option<Instant> {
        self.gives_way_at().filter(|at| !self.has_place(now) && *at > now)
    }

    /// Whether a sender has offered an array, and waits to be taken.
    pub(crate) fn has_sender(&self) -> bool {
        self.unproven.iter().any(|unproven| unproven.newcomer.has_offered())
    }

    /// Takes one who has connected. Returns one who has lost its place.
    ///
    /// # Errors
    /// It cannot be heard.
    pub(crate) fn add(&mut self, connection: Connection, now: Instant) -> Result<Option<Met>, Error> {
        let newcomer = self.unproven(connection, now)?;
        let mut met = None;
        if self.unproven.len() >= self.unproven_max
            && let Some(oldest) = self.oldest()
        {
            let mut oldest = self.unproven.remove(oldest);
            let stayed = now.saturating_duration_since(oldest.came_at).as_secs_f64();
            let message = format!(
                "it offered nothing for {}, and another connection waited for its place",
                units::time(stayed)
            );
            oldest.newcomer.give_up(&(*message).into());
            let peer = oldest.newcomer.peer().to_owned();
            met = Some(Met::Stranger { peer, message });
        }
        self.unproven.push(newcomer);
        Ok(met)
    }

    /// Gives each a turn. Returns the first who is to be told of, a sender only where it `takes_senders` now; those who
    /// join a transfer are not told of. `forget` is called for a socket that another transfer has from now on.
    pub(crate) fn hear(&mut self, takes_senders: bool, forget: &dyn Fn(BorrowedFd<'_>)) -> Option<Met> {
        let now = awake_now();
        self.leaving
            .retain(|(newcomer, linger)| linger.step(newcomer.socket(), now).is_some());
        let mut at = 0;
        while at < self.unproven.len() {
            let unproven = &mut self.unproven[at];
            let ended = if unproven.newcomer.has_offered() {
                None
            } else {
                unproven.turn(&self.hearing.controls, self.hearing.options.timeout)
            };
            let Some((ended, linger)) = ended else {
                if takes_senders && unproven.newcomer.has_offered() {
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
                Ended::Joined if newcomer.is_stranger() => Some(Met::Stranger {
                    peer,
                    message: "the peer joins a transfer that is not here".into(),
                }),
                _ => {
                    forget(newcomer.socket());
                    None
                }
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

    /// Their sockets, and what each waits for.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = (BorrowedFd<'_>, Interest)> {
        let unproven = self.unproven.iter();
        let unproven = unproven.map(|unproven| (unproven.newcomer.socket(), unproven.waits.0));
        let leaving = self.leaving.iter();
        unproven.chain(leaving.map(|(newcomer, _)| (newcomer.socket(), Interest::READ)))
    }

    /// When one of them has to be heard again, whatever comes.
    pub(crate) fn due(&self) -> Option<Instant> {
        let silent = self.unproven.iter().filter(|one| !one.newcomer.has_offered());
        let leaving = self.leaving.iter().map(|(_, linger)| linger.deadline());
        silent.map(|unproven| unproven.waits.1).chain(leaving).min()
    }

    /// Ends all of them with these words.
    pub(crate) fn dismiss(&mut self, farewell: &Farewell) {
        for mut unproven in self.unproven.drain(..) {
            unproven.newcomer.give_up(farewell);
        }
    }
}

impl Newcomers {
    fn unproven(&self, connection: Connection, now: Instant) -> Result<Unproven, Error> {
        let hearing = &self.hearing;
        let (nobody, _) = bounded(1);
        let context = MachineContext {
            controls: Arc::clone(&hearing.controls),
            probe: Probe::light(now),
            events: EventSender::for_further_connection(nobody, now),
            surveyor: None,
            publishing: hearing.publishing.clone(),
        };
        let listener = hearing.listener.clone();
        Ok(Unproven {
            newcomer: NewcomerReceiver::new(connection, listener, &hearing.wanted, &hearing.options, context)?,
            course: Course::new(now),
            came_at: now,
            waits: (Interest::NOTHING, now),
        })
    }

    /// The oldest that has offered nothing.
    fn oldest(&self) -> Option<usize> {
        self.unproven.iter().position(|one| !one.newcomer.has_offered())
    }

    /// When the oldest gives its place to the next one.
    fn gives_way_at(&self) -> Option<Instant> {
        self.oldest().map(|oldest| self.unproven[oldest].came_at + self.stay)
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
