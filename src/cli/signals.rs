//! Ctrl-C, `kill` and a terminal that closes: the first asks the command to give up and clean up, a second one ends the program at once.
//! And a write past the limit of a file's size is an error, not the end of the program.

use std::io::Read as _;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use arraylift::Error;
use crossbeam_channel::{Receiver, bounded};
use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{SigId, flag, low_level};

/// Where signals are heard while this lives.
#[derive(Debug)]
pub struct Signals {
    asked: Receiver<()>,
    registered: Vec<SigId>,
    bell: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl Signals {
    /// Begins to listen for them.
    pub fn new() -> Result<Self, Error> {
        Self::register().map_err(|error| Error::System {
            doing: "cannot listen for signals",
            reason: error.to_string(),
        })
    }

    /// Hears of the first signal.
    pub fn asked(&self) -> &Receiver<()> {
        &self.asked
    }

    fn register() -> std::io::Result<Self> {
        let (mut reader, bell) = UnixStream::pair()?;
        let mut registered = Vec::new();
        let once = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // In this order: the first signal finds `once` unset, and sets it.
            registered.push(flag::register_conditional_shutdown(signal, 1, Arc::clone(&once))?);
            registered.push(flag::register(signal, Arc::clone(&once))?);
            registered.push(low_level::pipe::register(signal, bell.try_clone()?)?);
        }
        // Whoever has a handler gets the error from the write instead.
        registered.push(flag::register(Signal::XFSZ.as_raw(), Arc::default())?);
        let (ask, asked) = bounded(1);
        let thread = std::thread::Builder::new()
            .name("arraylift-signal".into())
            .spawn(move || {
                while let Ok(1) = reader.read(&mut [0]) {
                    // One is waiting already: that is enough.
                    let _ = ask.try_send(());
                }
            })?;
        Ok(Self {
            asked,
            registered,
            bell,
            thread: Some(thread),
        })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            low_level::unregister(id);
        }
        // Ends the thread's read.
        let _ = self.bell.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            // It cannot panic: it only passes bytes on.
            let _ = thread.join();
        }
    }
}
