//! Hears those who connect to a listener, until one of them is to be told of.

use std::os::fd::AsFd as _;
use std::sync::Arc;

use crate::error::Error;
use crate::sys::{Interest, Wake, awake_now, wait_for_any};
use crate::transfer::limits::controls::Controls;
use crate::transfer::machine::drive::CANCELLED;
use crate::transfer::net::listener::Listener;
use crate::transfer::plan::Options;
use crate::transfer::sink::publisher::PublishContext;

use super::newcomer::Wanted;
use super::newcomers::{Hearing, Met, Newcomers, STAY_MIN};

/// Connections at once that have not said what they want.
const UNPROVEN_MAX: usize = 16;

/// Those who have connected to a listener and have not said what they want.
pub(crate) struct Reception<'a> {
    listener: &'a Listener,
    controls: &'a Arc<Controls>,
    wake: &'a Arc<Wake>,
    newcomers: Newcomers,
}

impl<'a> Reception<'a> {
    /// Hears those who connect to `listener`, until `controls` say that it is over, after `wake` has ended the wait.
    pub(crate) fn new(
        listener: &'a Listener,
        wanted: Wanted,
        options: &Options,
        controls: &'a Arc<Controls>,
        wake: &'a Arc<Wake>,
    ) -> Self {
        let takes_offers = matches!(wanted, Wanted::Array(_));
        let (unproven_max, stay) = if takes_offers && !listener.is_sole() {
            // Whoever else accepts there takes the next one.
            (1, options.timeout)
        } else {
            (UNPROVEN_MAX, STAY_MIN)
        };
        let hearing = Hearing {
            listener: listener.clone(),
            wanted,
            options: options.clone(),
            controls: Arc::clone(controls),
            publishing: PublishContext::of_thread(wake),
        };
        Self {
            listener,
            controls,
            wake,
            newcomers: Newcomers::new(hearing, unproven_max, stay),
        }
    }

    /// Waits for the next one who is to be told of; those who join a transfer are not. `None` when it is over.
    ///
    /// # Errors
    /// The system does not let it accept or wait.
    pub(crate) fn next(&mut self) -> Result<Option<Met>, Error> {
        loop {
            if self.controls.is_cancelled() {
                self.newcomers.dismiss(&CANCELLED.into());
                return Ok(None);
            }
            if let Some(met) = self.accept()? {
                return Ok(Some(met));
            }
            if let Some(met) = self.newcomers.hear(true, &|_| {}) {
                if matches!(met, Met::Sender(_)) {
                    self.newcomers
                        .dismiss(&"another array is being received here: send again when that is done".into());
                }
                return Ok(Some(met));
            }
            self.wait()?;
        }
    }

    /// Takes those who have connected, as far as there are places. Returns one who has lost its place.
    fn accept(&mut self) -> Result<Option<Met>, Error> {
        let now = awake_now();
        while self.newcomers.has_place(now) {
            let accepted = self.listener.try_accept();
            let accepted = accepted.map_err(|error| Error::system("cannot accept a connection", &error))?;
            let Some(connection) = accepted else { break };
            if let Some(met) = self.newcomers.add(connection, now)? {
                return Ok(Some(met));
            }
        }
        Ok(None)
    }

    /// Waits until someone connects or says something, or the clock says so.
    fn wait(&self) -> Result<(), Error> {
        let now = awake_now();
        let listener = Some((self.listener.as_fd(), Interest::READ)).filter(|_| self.newcomers.has_place(now));
        let until = [self.newcomers.due(), self.newcomers.place_at(now)];
        let left = until.into_iter().flatten().min();
        let left = left.map(|until| until.saturating_duration_since(now));
        wait_for_any(listener.into_iter().chain(self.newcomers.sockets()), self.wake, left)
            .map_err(|error| Error::system("cannot wait", &error))
    }
}
