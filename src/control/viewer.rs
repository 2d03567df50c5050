//! The viewer's end of a control socket.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, reason};
use crate::line_queue::json_line;
use crate::sys::{Wake, awake_now};
use crate::transfer::{Command, Dial, check_own};

use super::messages::EngineLine;

/// The longest line that an engine sends.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// A connection to an engine.
#[derive(Debug)]
pub(crate) struct Viewer {
    endpoint: String,
    lines: BufReader<UnixStream>,
    patience: Duration,
}

impl Viewer {
    /// Attaches to the engine with this socket, and waits at most for the `patience`, now and for each line.
    ///
    /// # Errors
    /// No engine listens there, it takes nobody in time, or it is another user's.
    pub(crate) fn connect(path: &Path, patience: Duration) -> Result<Self, Error> {
        let endpoint = path.display().to_string();
        let wake = Wake::new().map_err(|error| cannot(&endpoint, &error))?;
        let dial = Dial {
            buffer_bytes: None,
            deadline: awake_now() + patience,
            wake: &wake,
            cancelled: &|| false,
        };
        let stream = dial.unix_stream(path)?.ok_or(Error::Silent(patience))?;
        // Whoever has the name may not be who it was made for.
        check_own(&stream, &endpoint)?;
        let waits = stream.set_nonblocking(false);
        waits.map_err(|error| cannot(&endpoint, &error))?;
        let mut viewer = Self {
            endpoint,
            lines: BufReader::new(stream),
            patience,
        };
        viewer.set_patience(Some(patience))?;
        Ok(viewer)
    }

    /// Sets how long to wait for a line; `None` waits for ever.
    ///
    /// # Errors
    /// The system refuses it.
    pub(crate) fn set_patience(&mut self, patience: Option<Duration>) -> Result<(), Error> {
        self.patience = patience.unwrap_or_default();
        let set = self.lines.get_ref().set_read_timeout(patience);
        set.map_err(|error| cannot(&self.endpoint, &error))
    }

    /// The next line; `None` if the engine has ended.
    ///
    /// # Errors
    /// No line arrives in time, or one that cannot be read.
    pub(crate) fn next_line(&mut self) -> Result<Option<EngineLine>, Error> {
        let mut line = Vec::new();
        let read = self.lines.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        match read {
            Ok(_) if line.ends_with(b"\n") => {}
            // The engine ended in the middle of a line.
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(Error::Silent(self.patience)),
            Err(error) => return Err(cannot(&self.endpoint, &error)),
        }
        let read = serde_json::from_slice(&line);
        read.map(Some)
            .map_err(|_| Error::OtherProtocol("it is another version of Arraylift, or another program".into()))
    }

    /// Sends a command to the engine. The answer, [`EngineEvent::Passed`] or [`EngineEvent::Refused`], is among the lines after it.
    ///
    /// [`EngineEvent::Passed`]: super::EngineEvent::Passed
    /// [`EngineEvent::Refused`]: super::EngineEvent::Refused
    ///
    /// # Errors
    /// The engine has ended.
    pub(crate) fn send(&mut self, command: Command) -> Result<(), Error> {
        let line = json_line(&command).map_err(|error| cannot(&self.endpoint, &error.into()))?;
        let said = self.lines.get_mut().write_all(&line);
        said.map_err(|error| cannot(&self.endpoint, &error))
    }

    /// A handle with which another thread ends a [`Viewer::next_line`] that waits.
    ///
    /// # Errors
    /// The system gives no descriptor.
    pub(crate) fn closer(&self) -> Result<impl Fn() + Send + Sync + 'static, Error> {
        let stream = self.lines.get_ref().try_clone();
        let stream = stream.map_err(|error| cannot(&self.endpoint, &error))?;
        // It may be closed already.
        Ok(move || drop(stream.shutdown(Shutdown::Both)))
    }
}

fn cannot(endpoint: &str, error: &io::Error) -> Error {
    Error::Endpoint {
        endpoint: endpoint.to_owned(),
        reason: reason(error),
    }
}
