//! Accepts further connections of a transfer, where nobody else accepts at its listener.

use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::bounded;

use crate::error::Error;
use crate::sys::Wake;
use crate::telemetry::Probe;
use crate::thread::Thread;
use crate::transfer::limits::controls::Controls;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::drive;
use crate::transfer::net::connection::Connection;
use crate::transfer::net::listener::Listener;
use crate::transfer::plan::Options;
use crate::transfer::sink::publisher::PublishContext;
use crate::transfer::tell::event::Side;
use crate::transfer::tell::event_sender::EventSender;

use super::newcomer::NewcomerReceiver;

/// A thread that accepts connections, and passes those on that join a transfer. It ends with this value.
pub(crate) struct JoinAcceptor {
    _thread: Thread,
}

impl JoinAcceptor {
    /// Accepts whoever connects to `listener`.
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
                while let Ok(Some(connection)) = listener.accept(&wake, &|| controls.is_cancelled()) {
                    serve(connection, &listener, &options, &controls, &wake);
                }
                Ok(())
            }
        };
        let thread = Thread::start("arraylift-joins", body).map_err(failed)?;
        Ok(Self {
            _thread: thread.cancelled_by(move || controls.cancel()),
        })
    }
}

/// Reads what a connection asks for. One that does not join is told why it is turned away.
fn serve(connection: Connection, listener: &Listener, options: &Options, controls: &Arc<Controls>, wake: &Arc<Wake>) {
    let clock = Instant::now();
    let (probe, _) = Probe::new(clock);
    let (nobody, _) = bounded(1);
    let context = MachineContext {
        controls: Arc::clone(controls),
        probe,
        events: EventSender::for_further_connection(nobody, clock),
        publishing: PublishContext::of_thread(wake),
    };
    if let Ok(mut machine) = NewcomerReceiver::new(connection, listener.clone(), options, context) {
        // However it ends, the transfer goes on.
        drop(drive(&mut machine, Side::Receiver, controls, wake, options.timeout));
    }
}
