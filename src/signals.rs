//! Ctrl-C, `kill` and a terminal that closes: the first asks the program to give up and clean up, one too many ends it
//! at once. A signal that is ignored when the program starts, as `nohup` has it, stays ignored.
//! And a write past the limit of a file's size is an error, not the end of the program.

use std::io::{ErrorKind, Read as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Error;
use crate::sys::is_ignored;
use crate::thread::Thread;
use crossbeam_channel::{Receiver, bounded};
use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{SigId, flag, low_level};

/// Signals that come so close are one ask: `timeout(1)` signals a program and then its group, and a terminal that closes
/// is told of by the kernel and by the shell.
const ONE_ASK: Duration = Duration::from_millis(100);

/// Where signals are heard while this lives.
#[derive(Debug)]
pub(crate) struct Signals {
    asked: Receiver<()>,
    registered: Vec<SigId>,
    _thread: Thread,
}

impl Signals {
    /// Begins to listen for them. So many are asked of the program; one more ends it.
    pub(crate) fn new(asks: usize) -> Result<Self, Error> {
        Self::with_waker(asks, || {})
    }

    /// The same; calls `waker` after each.
    pub(crate) fn with_waker(asks: usize, waker: impl Fn() + Send + 'static) -> Result<Self, Error> {
        Self::register(asks, waker).map_err(|error| Error::system("cannot listen for signals", &error))
    }

    /// Hears of each signal that asks.
    pub(crate) fn asked(&self) -> &Receiver<()> {
        &self.asked
    }

    fn register(asks: usize, waker: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let (mut reader, bell) = UnixStream::pair()?;
        let enough = Arc::new(AtomicBool::new(false));
        let shuts_down = Arc::clone(&enough);
        let (ask, asked) = bounded(asks);
        let body = move || {
            for heard in 1.. {
                // Waits for a signal, or for the end, and not for a call that was interrupted.
                if reader.read_exact(&mut [0]).is_err() {
                    break;
                }
                // There is room for as many as are asked.
                let _ = ask.try_send(());
                waker();
                take_rest_of_ask(&mut reader)?;
                // Here, and not where it is obeyed: whoever does may be held up for ever.
                if heard == asks {
                    enough.store(true, Ordering::SeqCst);
                }
            }
            Ok(())
        };
        // The thread reads until `end` shuts its socket down: no thread without one.
        let end = bell.try_clone()?;
        // Before the first handler: one that nobody hears would take the signal from the system, which ends the process.
        let thread = Thread::start("arraylift-signal", body)?;
        let mut this = Self {
            asked,
            registered: Vec::new(),
            _thread: thread.cancelled_by(move || drop(end.shutdown(Shutdown::Both))),
        };
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // Whoever started the program has decided that: nohup, `trap ''`, or a shell without job control.
            if is_ignored(signal)? {
                continue;
            }
            let shutdown = flag::register_conditional_shutdown(signal, 1, Arc::clone(&shuts_down))?;
            this.registered.push(shutdown);
            this.registered
                .push(low_level::pipe::register(signal, bell.try_clone()?)?);
        }
        // Whoever has a handler gets the error from the write instead.
        this.registered
            .push(flag::register(Signal::XFSZ.as_raw(), Arc::default())?);
        Ok(this)
    }
}

/// Takes the signals that come with one that was heard, for as long as they are the same ask.
fn take_rest_of_ask(reader: &mut UnixStream) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::system("cannot listen for signals", &error);
    let until = Instant::now() + ONE_ASK;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        reader.set_read_timeout(Some(left)).map_err(failed)?;
        match reader.read(&mut [0; 16]) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    reader.set_read_timeout(None).map_err(failed)
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            low_level::unregister(id);
        }
    }
}
