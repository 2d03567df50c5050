//! Accepts further connections of a transfer, where nobody else accepts at its listener.

use std::sync::Arc;

use crate::error::Error;
use crate::thread::Thread;
use crate::transfer::limits::controls::Controls;
use crate::transfer::net::listener::Listener;
use crate::transfer::plan::Options;

use super::newcomer::Wanted;
use super::reception::Reception;

/// A thread that accepts connections, and passes those on that join a transfer. It ends with this value.
pub(crate) struct JoinAcceptor {
    _thread: Thread,
}

impl JoinAcceptor {
    /// Accepts whoever connects to `listener`. One that does not join is told why it is turned away.
    ///
    /// # Errors
    /// The system gives no thread or descriptor.
    pub(crate) fn open(listener: &Listener, options: &Options) -> Result<Self, Error> {
        let failed = |error| Error::system("cannot let further connections in", &error);
        // Controls of its own: a connection that does not join changes nothing for the transfer.
        let controls = Arc::new(Controls::new(None));
        let wake = controls.new_wake().map_err(failed)?;
        let body = {
            let (listener, options, controls) = (listener.clone(), options.clone(), Arc::clone(&controls));
            move || {
                let mut reception = Reception::new(&listener, Wanted::JoinsOnly, &options, &controls, &wake);
                // However one of them ends, the transfer goes on.
                while let Ok(Some(_)) = reception.next() {}
                Ok(())
            }
        };
        let thread = Thread::start("arraylift-joins", body).map_err(failed)?;
        Ok(Self {
            _thread: thread.cancelled_by(move || controls.cancel()),
        })
    }
}
