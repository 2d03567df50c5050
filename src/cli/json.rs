//! JSON Lines on standard output: the engine's events as they are, one object a line.

use std::io::{self, Write as _};

use arraylift::transfer::Event;
use serde::Serialize;

/// Writes objects for as long as someone reads them.
#[derive(Debug, Default)]
pub struct JsonLines {
    /// The reader has gone, which does not concern the transfer.
    broken: bool,
}

impl JsonLines {
    /// The first object of a receiver.
    pub fn listening(&mut self, address: &str) {
        #[derive(Serialize)]
        struct Listening<'a> {
            event: &'static str,
            address: &'a str,
        }
        let event = "listening";
        self.line(&Listening { event, address });
    }

    /// Every later object.
    pub fn event(&mut self, event: &Event) {
        self.line(event);
    }

    /// Any object.
    pub fn line(&mut self, object: &impl Serialize) {
        if !self.broken {
            self.broken = write(object).is_err();
        }
    }
}

fn write(object: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(object)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}
